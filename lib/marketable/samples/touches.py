"""Made-up batches of touches, of any size, for trying things out: the same for the same seed, on every computer.

`sample_firm.yaml` says what the tools of a made-up firm do, and when. Each of its rows has two random streams of its
own, for the contacts that it creates and for those that it meets, so that a row added to the file leaves the touches of
the other rows as they are. The random numbers are the raw bits of a bit generator, and all that is done with them is
whole-number arithmetic, so that no platform rounds differently.
"""

from __future__ import annotations

import datetime as dt
import functools
import operator
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

from marketable.errors import DataError
from marketable.rulebook import ACTIONS, SOURCES

BEGINS, ENDS = dt.date(2024, 11, 1), dt.date(2026, 10, 31)

_DAY, _HOUR = 86_400, 3_600
_IDS_A_SECOND = 1_000  # record ids ascend with the time of creation
_TRIES = 64  # keys looked at until an earlier touch is found


def sample_touches(n: int = 10_000, seed: int = 7) -> pd.DataFrame:
    """What the tools of a made-up firm did with its contacts from November 2024 to October 2026.

    Arguments: n, how many touches; seed, which of the possible batches: 0 or any whole number above.
    Returns: n rows in order of time: contact_id (text), occurred_at (account's local time), source and asset
    (categories; the asset is blank where the tool has none). Some 7 of 10 touches create a contact. The firm's portal
    is `data/portal.yaml`.
    Raises: DataError, where n or seed is negative or no whole number.

    >>> touches = sample_touches(1_000)
    >>> fair = touches[touches.asset == "Trade fair Hannover 2026"]
    >>> print(fair.occurred_at.dt.date.unique(), fair.source.unique().tolist())
    [datetime.date(2026, 4, 28)] ['import_single_object']
    """
    return firm_touches(_whole(n, "number of touches"), _whole(seed, "seed"), BEGINS, ENDS)


def firm_touches(n: int, seed: int, begins: dt.date, ends: dt.date) -> pd.DataFrame:
    """`sample_touches` for other days, both included, of the years in the firm's calendar."""
    rows = firm()["touches"]
    likely, hours = _likely(begins, ends), _hours()
    parts = []
    for number, count in enumerate(_shared_out(n, begins, ends)):
        at, is_known = divmod(number, 2)
        name = "/".join(str(rows[at].get(key, "")) for key in ("source", "asset", "from")) + "+" * is_known
        stream = np.random.PCG64(np.random.SeedSequence([seed, zlib.crc32(name.encode())]))
        day, moment, key, wanted = stream.random_raw(4 * count).reshape(count, 4).T
        day = np.searchsorted(likely[at], day % max(likely[at, -1], np.uint64(1)), side="right")
        second = day * _DAY + hours[at, moment % 100] * _HOUR + (moment // 100 % _HOUR).astype(np.int64)
        parts.append((second, key, wanted, np.full(count, at), np.full(count, is_known)))
    second, key, wanted, row, known = (np.concatenate(column) for column in zip(*parts, strict=True))
    order = np.argsort(second, kind="stable")
    second, key, row = second[order], key[order], row[order]

    creation = _met(key, wanted[order], np.flatnonzero(known[order]))
    while not np.array_equal(creation, further := creation[creation]):
        creation = further
    created = np.flatnonzero(creation == np.arange(n))
    first_id = 600_000_000_000 + int(np.random.PCG64(seed).random_raw()) % 100_000_000_000
    record_id = first_id + second[created] * _IDS_A_SECOND + (key[created] % _IDS_A_SECOND).astype(np.int64)
    place = np.arange(len(created))
    record_id = np.maximum.accumulate(record_id - place) + place  # no two are the same
    contact_id = record_id[np.searchsorted(created, creation)]

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


def _met(key: np.ndarray, wanted: np.ndarray, known: np.ndarray) -> np.ndarray:
    """For each touch, which earlier touch's contact it meets; its own number where it creates one.

    A touch of a known contact wants a key, and meets the contact of the earlier touch whose key is next to it. So
    whoever was touched often will be touched again, and a touch more in the batch changes only who would meet it.
    """
    met = np.arange(len(key))
    by_key = np.argsort(key, kind="stable")
    at = np.searchsorted(key[by_key], wanted[known])
    for _ in range(_TRIES):
        candidate = by_key[at % len(key)] if len(key) else at
        earlier = candidate < known
        met[known[earlier]] = candidate[earlier]
        known, at = known[~earlier], at[~earlier] + 1
    met[known] = (wanted[known] % np.maximum(known, 1).astype(np.uint64)).astype(np.int64)  # the first ones
    return met


@functools.cache
def firm() -> Any:
    """What `sample_firm.yaml` says."""
    return yaml.safe_load(Path(__file__).with_name("sample_firm.yaml").read_text(encoding="utf-8"))


@functools.cache
def _likely(begins: dt.date, ends: dt.date) -> np.ndarray:
    """For each row of the firm's touches (0) and each day (1), how likely that day and those before it are."""
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
    likely = [
        season
        * np.array(_rhythm(row)["weekdays"])[weekday]
        * [row.get("from", begins) <= day <= row.get("until", ends) for day in days]
        for row in calendar["touches"]
    ]
    return np.cumsum(likely, axis=1).astype(np.uint64)


def _shared_out(n: int, begins: dt.date, ends: dt.date) -> list[int]:
    """How many of n touches each row has, with new contacts and with known ones: in proportion, rounded by the largest
    remainder.
    """
    in_use = _likely(begins, ends)[:, -1] > 0
    share = np.array([(row["new"], row["known"]) for row in firm()["touches"]]) * in_use[:, None]
    whole, rest = np.divmod(n * share.ravel(), share.sum())
    whole[np.argsort(-rest, kind="stable")[: n - whole.sum()]] += 1
    return list(map(int, whole))


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
