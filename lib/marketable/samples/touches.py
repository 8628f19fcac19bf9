"""Made-up batches of touches, of any size, for trying things out: the same for the same seed, on every computer.

`sample_firm.yaml` tells what the tools of a made-up firm do, and when. Its calendar is cut into cells, one for each
day, asset and kind of contact (new or known), each as wide as it is likely, and every touch falls into one of them. The
random numbers are the raw bits of a bit generator, and all that is done with them is whole-number arithmetic, so that
no platform rounds differently.
"""

from __future__ import annotations

import datetime as dt
import functools
import operator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

from marketable.errors import DataError
from marketable.rulebook import ACTIONS, SOURCES

BEGINS, ENDS = dt.date(2024, 11, 1), dt.date(2026, 10, 31)

_DAY, _HOUR = 86_400, 3_600
_PRECISION = 2**24  # how finely a cell's width is measured
_ID_STEP = 41  # record ids ascend with some gaps


def sample_touches(n: int = 10_000, seed: int = 7) -> pd.DataFrame:
    """What the tools of a made-up firm did with its contacts from November 2024 to October 2026.

    Arguments: n, how many touches; seed, which of the possible batches: 0 or any whole number above.
    Returns: n rows in order of time: contact_id (text), occurred_at (account's local time), source and asset
    (categories; the asset is blank where the tool has none). Some 7 of 10 touches create a contact. The firm's portal
    is `data/portal.yaml`.
    Raises: DataError, where n or seed is negative or no whole number.

    >>> touches = sample_touches()
    >>> print(touches[touches.asset == "Newsletter"].head(2).to_string(index=False))
      contact_id         occurred_at       source      asset
    894092348742 2024-11-04 06:15:30 hubspot_form Newsletter
    894092348912 2024-11-04 10:30:01 hubspot_form Newsletter
    """
    return firm_touches(_whole(n, "number of touches"), _whole(seed, "seed"), BEGINS, ENDS)


def firm_touches(n: int, seed: int, begins: dt.date, ends: dt.date) -> pd.DataFrame:
    """`sample_touches` for other days, both included, of the years that the firm's calendar tells of."""
    rows = firm()["touches"]
    raw = np.random.PCG64(seed).random_raw(3 * n + 1)
    cells, moments, choices = raw[1:].reshape(3, n)

    edges = _edges(begins, ends)
    cell = np.searchsorted(edges, np.sort(cells % edges[-1]), side="right")
    day, row, known = np.unravel_index(cell, (len(edges) // len(rows) // 2, len(rows), 2))
    second = day * _DAY + _hours()[row, moments % 100] * _HOUR + (moments // 100 % _HOUR).astype(np.int64)
    order = np.argsort(second, kind="stable")
    second, row, known = second[order], row[order], known[order]

    # A touch of a known contact meets that of any touch before it: whoever was touched often will be touched again.
    position = np.arange(n)
    earlier = (choices % np.maximum(position, 1).astype(np.uint64)).astype(np.int64)
    creation = np.where(known == 1, earlier, position)
    while not np.array_equal(creation, further := creation[creation]):
        creation = further
    number = np.cumsum(creation == position)[creation]
    first_id = 600_000_000_000 + int(raw[0]) % 300_000_000_000
    contact_id = first_id + number * _ID_STEP + (choices % _ID_STEP).astype(np.int64)[creation]

    source = pd.Categorical([entry["source"] for entry in rows], categories=[*SOURCES, *ACTIONS])
    asset = pd.Categorical([entry.get("asset", "") for entry in rows])
    return pd.DataFrame(
        {
            "contact_id": pd.Series(contact_id).astype("str"),
            "occurred_at": (np.datetime64(begins, "s") + second).astype("datetime64[us]"),
            "source": source[row],
            "asset": asset[row],
        }
    )


@functools.cache
def firm() -> Any:
    """What `sample_firm.yaml` says."""
    return yaml.safe_load(Path(__file__).with_name("sample_firm.yaml").read_text(encoding="utf-8"))


@functools.cache
def _edges(begins: dt.date, ends: dt.date) -> np.ndarray:
    """Where each cell ends on one long line: the cells of the first day, then those of the second …"""
    calendar = firm()
    days = [begins + dt.timedelta(number) for number in range((ends - begins).days + 1)]
    closed = set(calendar["closed"])
    season = np.array(
        [
            calendar["years"][day.year] * calendar["months"][day.month - 1] * (1 if f"{day:%m-%d}" in closed else 10)
            for day in days
        ]
    )
    weekday = np.array([day.weekday() for day in days])
    widths = np.zeros((len(days), len(calendar["touches"]), 2), np.int64)
    for number, row in enumerate(calendar["touches"]):
        in_use = np.array([row.get("from", begins) <= day <= row.get("until", ends) for day in days])
        likely = season * np.array(_rhythm(row)["weekdays"])[weekday] * in_use
        for kind, share in enumerate((row["new"], row["known"])):
            widths[:, number, kind] = share * _PRECISION * likely // max(likely.sum(), 1)
    return np.cumsum(widths).astype(np.uint64)


@functools.cache
def _hours() -> np.ndarray:
    """For each row of the firm's touches, the hours of 100 touches."""
    return np.array([np.repeat(np.arange(24), _rhythm(row)["hours"]) for row in firm()["touches"]])


def _rhythm(row: dict[str, Any]) -> Any:
    return firm()["rhythms"][firm()["tools"][row["source"]]["rhythm"]]


def _whole(value: object, name: str) -> int:
    try:
        number = -1 if isinstance(value, bool) else operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        number = -1
    if number < 0:
        raise DataError(f"This is no {name}", value=value, expected="a whole number, 0 or above")
    return number
