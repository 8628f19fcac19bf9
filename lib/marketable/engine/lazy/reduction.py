"""Touches reduced to exposures where they live: in Polars, DuckDB, Dask or Spark, through Narwhals. Only small tables
come back: what a survey tells, then how many contacts there are of each exposure.

The query uses what all of these engines do alike: filter, join, group by, concat. What is known of a contact (how it
began, the switches that could upgrade it, a request that has taken effect) becomes rows of one table, and one group-by
brings them together. Sets of switches are sums of distinct powers of two, in words of 62 switches. No answer rests on
the order in which partitions or threads are done.

Measured from Parquet with 0.7 times as many contacts as touches, on two cores that others kept busy: 10 million touches
took 16 s by the clock in Polars, 17 to 21 s in DuckDB. 100 million (those, ten times over with other contacts) took
DuckDB under `SET memory_limit = '4GB'` 178 s of processor time, 520 s by the clock, 4.2 GB. A thousand million would so
take DuckDB half an hour of processor time, and disk to spill to (extrapolated, not run); the files need not be sorted.
On one machine take DuckDB; where the data are in a cluster already, Spark, whose overhead is seconds a query.
"""

from __future__ import annotations

from collections.abc import Sequence

import narwhals as nw
import numpy as np
import pandas as pd

from marketable.errors import DataError
from marketable.portal.portal import Portal
from marketable.portal.update_dates import last_update_date

from ..cases import MARKETING_CODE, NON_MARKETING_CODE, NOT_COVERED_CODE, Cases
from ..exposure import ALWAYS, UNKNOWN_MONTH, Cuts, Exposures, creator_of, slots, tabled
from ..moments import start
from ..table import NONE
from .backends import Column, Frame, collected, how_many, small, time
from .survey import LazyRows

_BITS = 62  # of a word's 64, so that sums stay far from its end
_END = int(np.iinfo(np.int64).max)
_JANUARY_1970 = 1970 * 12 + 1


def lazy_exposures(batch: LazyRows, cases: Cases, portal: Portal, cuts: Cuts) -> Exposures:
    """What `exposures` makes of the same touches in memory."""
    switches = slots(cases, cuts)
    eras = _eras_apart(cases, (switches.creates, switches.upgrades, cases.created), batch.span)
    pair = np.repeat(np.arange(len(cases.pairs)), len(eras))
    upgrades = switches.upgrades[:, eras].ravel().astype(np.int64)
    listing, listing_of = _listing(batch.listed)
    words = [f"word_{number}" for number in range((len(switches.switch) - 1) // _BITS + 1)]
    # A kind is what a contact can begin as: created by a pair in an era, or listed so.
    kinds = len(pair) + len(listing)
    if batch.positions * kinds > _END - kinds:
        problem, limit = "A row has too high a number", f"less than {_END // kinds - 1}"
        raise DataError(problem, column="row", value=batch.positions - 2, expected=limit)
    word, bit = np.divmod(np.maximum(upgrades, 0), _BITS)
    lookup: dict[str, Column] = {
        "source": [cases.pairs[number][0] for number in pair],
        "asset": [cases.pairs[number][1] for number in pair],
        "era": np.tile(np.arange(len(eras)), len(cases.pairs)),
        "kind": np.arange(len(pair)),
        "word": word,
        "bit": np.where(upgrades == NONE, 0, np.int64(1) << bit),
        "asks": cases.asks[pair].astype(np.int64),
    }
    counted = batch.frame.filter(nw.col("moment") <= time(batch.last))
    counted = counted.with_columns(era=how_many(nw.col("wall"), cases.starts[eras[1:]]))
    counted = counted.join(small(batch.frame, lookup), on=["source", "asset", "era"], how="inner")
    facts = _facts(counted, cases, portal, batch, kinds, words)
    if len(listing):
        began: dict[str, Column] = {
            "contact": batch.listed["contact_id"].tolist(),
            "creation": len(pair) + listing_of,
        }
        facts.append(small(batch.frame, began))
    found = collected(_counted(facts, kinds, len(pair), words, start(portal.access_since) > batch.as_of))

    kind, gone = found["kind"].to_numpy(), found["gone"].to_numpy() > 0
    created = np.concatenate([cases.created[:, eras].ravel(), listing["status"]]).astype(np.int64)[kind]
    listed_slots = np.where(listing["status"] == MARKETING_CODE, ALWAYS, NONE)
    slot = np.concatenate([switches.creates[:, eras].ravel(), listed_slots]).astype(np.int64)[kind]
    slot[gone] = NONE
    month = np.where(kind < len(pair), found["month"], np.append(np.zeros(len(pair)), listing["month"])[kind])
    creators = [creator_of(cases.pairs[number]) for number in pair]
    creators += zip(listing["source"], listing["asset"], strict=True)
    number = {creator: at for at, creator in enumerate(dict.fromkeys(creators))}
    creator = np.array([number[creator] for creator in creators], dtype=np.int64)[kind]
    rest = np.where((created == NOT_COVERED_CODE) & ~gone, NOT_COVERED_CODE, NON_MARKETING_CODE)
    alike = [creator, month.astype(np.int64), rest]
    asked = {cases.could_create[pair, _era(cases, wall)] for pair, wall in batch.asked}
    touched = frozenset(cases.switches[switch] for switch in asked if switch != NONE)
    elements, contacts = _elements(slot, [found[word].to_numpy() for word in words]), found["contacts"].to_numpy()
    return tabled(switches, elements, list(number), alike, contacts, batch.as_of, touched)


def _facts(
    touches: Frame, cases: Cases, portal: Portal, batch: LazyRows, kinds: int, words: Sequence[str]
) -> list[Frame]:
    """What the touches tell of each contact: how it began, which requests emptied it, what could upgrade it."""
    firsts = touches.group_by("contact").agg(first=nw.col("moment").min())
    firsts = touches.join(firsts, on="contact", how="inner").filter(nw.col("moment") == nw.col("first"))
    creation = nw.col("position") * kinds + nw.col("kind")
    month = nw.col("wall").dt.year().cast(nw.Int64) * 12 + nw.col("wall").dt.month().cast(nw.Int64) - _JANUARY_1970
    access = max(start(portal.access_since), batch.span[0])
    since = nw.col("wall") >= time(access)
    early = {"gone": (~since).cast(nw.Int64)} if access > batch.span[0] else {}
    facts = [firsts.select("contact", creation=creation, month=month, **early)]
    elements = touches.filter(nw.col("bit") > 0, since)
    if cases.asks.any():
        until = last_update_date(time(max(batch.as_of, batch.span[0])).date(), portal.subscription)
        asks = touches.filter(nw.col("asks") > 0, since, nw.col("wall") < time(start(until)))
        latest = asks.group_by("contact").agg(asked=nw.col("moment").max())
        asks = asks.join(latest, on="contact", how="inner").filter(nw.col("moment") == nw.col("asked"))
        emptied = asks.group_by("contact", "asked").agg(asked_at=nw.col("position").max())
        facts.append(emptied.select("contact", gone=nw.lit(1, nw.Int64)))
        moment, asked = nw.col("moment"), nw.col("asked")
        later = (moment > asked) | ((moment == asked) & (nw.col("position") > nw.col("asked_at")))
        elements = elements.join(emptied, on="contact", how="left").filter(asked.is_null() | later)
    distinct = elements.select("contact", "word", "bit").unique(["contact", "word", "bit"])
    in_word = {
        name: nw.when(nw.col("word") == at).then(nw.col("bit")).otherwise(nw.lit(0, nw.Int64))
        for at, name in enumerate(words)
    }
    facts.append(distinct.select("contact", **in_word))
    return facts


def _counted(facts: list[Frame], kinds: int, pairs: int, words: Sequence[str], untouched: bool) -> Frame:
    """How many contacts are alike, all that is known of them. Arguments: kinds, and how many of them are not listed
    (pairs); untouched, to count only contacts without touches.
    """
    unknown = {"creation": _END, "month": UNKNOWN_MONTH, "gone": 0} | dict.fromkeys(words, 0)
    whole = []
    for fact in facts:
        has = fact.collect_schema().names()
        filled = {name: nw.col(name) if name in has else nw.lit(value, nw.Int64) for name, value in unknown.items()}
        whole.append(fact.select("contact", **filled))
    least, most = [nw.col("creation").min()], [nw.col(name).max() for name in ("month", "gone")]
    contacts = nw.concat(whole).group_by("contact").agg(*least, *most, *(nw.col(name).sum() for name in words))
    if untouched:
        contacts = contacts.filter(nw.col("month") == UNKNOWN_MONTH)
    # What is listed comes first, as touches stand at positions from 1 on. Its month is known; theirs is not to tell.
    kind = nw.col("creation") % kinds
    month = nw.when(kind < pairs).then(nw.col("month")).otherwise(nw.lit(0, nw.Int64))
    sums = {name: nw.col(name).cast(nw.Int64) for name in words}
    return (
        contacts.select("gone", kind=kind, month=month, **sums)
        .group_by("kind", "month", "gone", *words)
        .agg(contacts=nw.len())
    )


def _eras_apart(cases: Cases, by_pair: Sequence[np.ndarray], span: tuple[int, int]) -> np.ndarray:
    """The eras of a span of time at which anything begins to differ, after the one it begins in."""
    eras = np.arange(_era(cases, span[0]), _era(cases, span[1]) + 1)
    differ = [(of_pair[:, eras[1:]] != of_pair[:, eras[:-1]]).any(axis=0) for of_pair in by_pair]
    apart: np.ndarray = eras[np.concatenate([[True], np.logical_or.reduce(differ)])]
    return apart


def _era(cases: Cases, wall: int) -> int:
    return int(np.searchsorted(cases.starts, wall, side="right")) - 1


def _listing(listed: pd.DataFrame) -> tuple[pd.DataFrame, np.ndarray]:
    """What listed contacts can begin as (status, source, asset, month), and for each of them the number of its own."""
    if listed.empty:
        nothing = pd.DataFrame({"status": [], "source": [], "asset": [], "month": []}, dtype=np.int64)
        return nothing, np.zeros(0, dtype=np.int64)
    created = listed["created_at"].to_numpy("datetime64[us]").astype("datetime64[M]")
    month = np.where(np.isnat(created), UNKNOWN_MONTH, created.view(np.int64))
    every = listed[["status", "source", "asset"]].assign(month=month)
    number = every.groupby(list(every), sort=False).ngroup()
    return every.drop_duplicates(ignore_index=True), number.to_numpy(np.int64)


def _elements(slot: np.ndarray, words: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """The elements of each group's exposure: the slot it was created by and the slots in its words."""
    group = np.flatnonzero(slot != NONE)
    groups, numbers = [group], [slot[group]]
    for number, word in enumerate(words):
        some = np.flatnonzero(word)
        at, bit = np.nonzero((word[some, None] >> np.arange(_BITS)) & 1)
        groups.append(some[at])
        numbers.append(bit + number * _BITS)
    group = np.concatenate(groups)
    order = np.argsort(group, kind="stable")
    return group[order], np.concatenate(numbers)[order]
