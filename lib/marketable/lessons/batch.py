"""Batches to practise on: the made-up firm's touches, under the names of the account that a class learns about."""

from __future__ import annotations

import datetime as dt
import itertools
import random
import secrets
from collections.abc import Iterator

import pandas as pd

from marketable.portal.portal import Portal, split
from marketable.samples.touches import firm_touches

YEARS = dt.date(2021, 1, 4), dt.date(2026, 10, 30)
_ASKED = 8  # of so many contacts one is asked to become non-marketing, which seldom happens by itself
_SOON = 25  # days


def practice_touches(
    portal: Portal, seed: int | str, n: int = 4_000, years: tuple[dt.date, dt.date] = YEARS
) -> pd.DataFrame:
    """What the tools of an account might have done with its contacts: the same for the same seed.

    Arguments: portal, the account; n, about how many touches; years, the first and the last day.
    Returns: a batch in order of time: contact_id, occurred_at, source, asset. The forms, apps, imports and chatflows
    are those that the portal lists, and where it lists too few, those of the firm that `data/portal.yaml` is about.
    Requests to become non-marketing are more frequent than in life.

    >>> touches = practice_touches(Portal(switches={"hubspot_form": {"Tea tasting": "off"}}), seed=3)
    >>> int((touches["asset"] == "Tea tasting").sum()) > 100
    True
    """
    chance = random.Random(f"batch/{seed}")
    touches = firm_touches(n, chance.randrange(2**32), *years).astype({"source": "str", "asset": "str"})
    renamed = _renamed(touches, portal)
    asked = _asked(renamed, chance, pd.Timestamp(years[1]))
    return pd.concat([renamed, asked]).sort_values("occurred_at", kind="stable", ignore_index=True)


def seeds(of_class: int | None) -> Iterator[str]:
    """What one round after the other is drawn by: for a class the same for everybody, else new ones each time.

    >>> [seed for seed, _ in zip(seeds(42), range(2))]
    ['42/1', '42/2']
    """
    own = secrets.token_hex(8) if of_class is None else of_class
    return (f"{own}/{number}" for number in itertools.count(1))


def _renamed(touches: pd.DataFrame, portal: Portal) -> pd.DataFrame:
    """The most frequent assets that the portal does not list get the names of those that it lists and nobody used."""
    listed = [(source, asset) for source, asset in map(split, portal.switches) if asset]
    used = list(touches.groupby(["source", "asset"]).size().sort_values(ascending=False, kind="stable").index)
    renamed = touches["asset"].copy()
    for source in dict.fromkeys(source for source, _ in listed):
        wanted = [each for each in listed if each[0] == source and each not in used]
        spare = [each for each in used if each[0] == source and each[1] and each not in listed]
        for (_, old), (_, new) in zip(spare, wanted, strict=False):
            renamed = renamed.mask((touches["source"] == source) & (touches["asset"] == old), new)
    return touches.assign(asset=renamed)


def _asked(touches: pd.DataFrame, chance: random.Random, end: pd.Timestamp) -> pd.DataFrame:
    """Requests to become non-marketing, and after half of them the touch that came before, once more."""
    last = touches.groupby("contact_id", sort=False).tail(1)
    rows: list[tuple[object, ...]] = []
    for contact_id, at, source, asset in last.itertuples(index=False):
        if chance.randrange(_ASKED) == 0:
            asked = at + pd.Timedelta(days=1 + chance.randrange(_SOON))
            rows.append((contact_id, asked, "set_non_marketing", ""))
            if chance.randrange(2):
                rows.append((contact_id, asked + pd.Timedelta(days=1 + chance.randrange(_SOON)), source, asset))
    table = pd.DataFrame(rows, columns=list(touches.columns)).astype(touches.dtypes.to_dict())
    return table[table["occurred_at"] < end]
