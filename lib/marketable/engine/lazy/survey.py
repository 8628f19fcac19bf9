"""A first look at a batch that stays where it is: one group-by, which tells what sources and assets there are and
whether the touches can be judged. What follows needs no look at text any more.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

import narwhals as nw
import numpy as np
import pandas as pd

from marketable.errors import DataError
from marketable.portal.portal import Portal
from marketable.rulebook import Rulebook

from ..cases import KNOWN, Cases
from ..incoming import MOST_EXACT, checked_span, no_id
from ..moments import EARLIEST, micro, moment, start
from ..rows import COLUMNS, Rows, check_columns, listed_contacts, rows, unknown_source
from .backends import Frame, collected, how_many, time, with_clocks, with_position


@dataclass(frozen=True)
class LazyRows:
    """A batch that stays where it is, and what a first look at it told.

    `frame`: contact, source, asset, moment and wall (the order and wall of Rows, as times), position (from 1 on).
    `pairs`: the sources and assets that occur. `asked`: the number of a pair and a local time, where its touches that
    count may have begun to ask another switch. `span`: the first and the last local time. `positions`: more than any
    position. `last`: the moment up to which touches count. `listed` and `as_of`: as in Rows.
    """

    frame: Frame
    pairs: list[tuple[str, str]]
    asked: list[tuple[int, int]]
    span: tuple[int, int]
    positions: int
    last: int
    listed: pd.DataFrame
    as_of: int


def survey(
    touches: Frame,
    contacts: Any,
    portal: Portal,
    rulebook: Rulebook,
    pinned: dt.date | None,
    as_of: str | dt.date | None,
) -> LazyRows | Rows:
    """A first look at a batch. One without touches is in memory then.

    Raises: DataError for what cannot be judged.
    """
    check_columns(list(touches.collect_schema()))
    named, columns = _named(touches, touches.collect_schema())
    frame, zoned = with_clocks(named, portal.time_zone)
    every = Cases([(source, "") for source in KNOWN], portal, rulebook, pinned)
    changes = every.starts[1:][(every.could_create[:, 1:] != every.could_create[:, :-1]).any(axis=0)]
    found = _groups(frame, columns, changes)
    if found.empty:
        return rows(pd.DataFrame({name: [] for name in COLUMNS}), contacts, portal.time_zone, as_of)
    _check(found)

    first, latest = micro(found["first_moment"]), int(micro(found["last_moment"]).max())
    last, until = (latest, _on_wall(latest, portal, zoned)) if as_of is None else moment(as_of, portal.time_zone, zoned)
    pairs = list(dict.fromkeys(zip(found["source"], found["asset"], strict=True)))
    number = {pair: at for at, pair in enumerate(pairs)}
    starts = [EARLIEST, *changes.tolist()]
    counted = found[first <= last]
    asked = [
        (number[source, asset], starts[start])
        for source, asset, start in zip(counted["source"], counted["asset"], counted["start"], strict=True)
    ]
    span = int(micro(found["first_wall"]).min()), int(micro(found["last_wall"]).max())
    listed = listed_contacts(contacts, portal.time_zone)
    contact = nw.col("contact_id")
    if len(listed) or found["blank"].any():
        contact = contact.cast(nw.String)
    if found["blank"].any():
        contact = nw.when(_is_blank("contact_id", columns)).then(_email().str.to_lowercase()).otherwise(contact)
    if "row" in columns:
        frame, positions = frame.with_columns(position=nw.col("row") + 1), int(found["last_row"].max()) + 2
    else:
        frame, positions = with_position(frame, int(found["rows"].sum()))
    frame = frame.select("source", "asset", "moment", "wall", "position", contact=contact)
    return LazyRows(frame, pairs, asked, span, positions, last, listed, until)


def _named(touches: Frame, columns: Mapping[str, Any]) -> tuple[Frame, Mapping[str, Any]]:
    """The columns that are needed and their kinds; sources and assets as text that is never missing; `broken` ids."""
    kind, contact, is_broken = columns["contact_id"], nw.col("contact_id"), nw.lit(0, nw.Int64)
    if kind.is_float() or kind.is_decimal():
        has_id, number = ~_is_blank("contact_id", columns), contact.cast(nw.Float64)
        is_exact = has_id & number.is_between(-MOST_EXACT, MOST_EXACT, closed="none")
        whole = nw.when(is_exact).then(number).otherwise(nw.lit(0.0)).cast(nw.Int64)
        is_broken = (has_id & (whole != number)).cast(nw.Int64)
        contact = nw.when(has_id).then(whole.cast(nw.String)).otherwise(nw.lit(""))
        columns = {**columns, "contact_id": nw.String()}
    elif not kind.is_integer() and kind not in (nw.String, nw.Categorical, nw.Enum):
        raise no_id(str(kind))
    texts = {
        name: nw.col(name).cast(nw.String).fill_null("") if name in columns else nw.lit("")
        for name in ("source", "asset")
    }
    others = [name for name in ("email", "occurred_at") if name in columns]
    row = {"row": nw.col("row").cast(nw.Int64)} if "row" in columns else {}
    return touches.select(*others, contact_id=contact, broken=is_broken, **texts, **row), columns


def _groups(frame: Frame, columns: Mapping[str, Any], changes: np.ndarray) -> pd.DataFrame:
    """By source, asset and the number of the stretch of time (`start`): its rows, faulty ones, and first and last."""
    blank = _is_blank("contact_id", columns)
    nobody = blank & (nw.col("email").is_null() | (_email() == "")) if "email" in columns else blank
    faults = {"blank": blank, "nobody": nobody, "untimed": nw.col("moment").is_null()}
    sums = {
        "rows": nw.lit(1, nw.Int64),
        "broken": nw.col("broken"),
        **{name: fault.cast(nw.Int64) for name, fault in faults.items()},
    }
    ends = [name for name in ("moment", "wall", "row") if name != "row" or name in columns]
    groups = frame.with_columns(**sums, start=how_many(nw.col("wall"), changes)).group_by("source", "asset", "start")
    found = groups.agg(
        *(nw.col(name).sum() for name in sums),
        *(nw.col(name).min().alias(f"first_{name}") for name in ends),
        *(nw.col(name).max().alias(f"last_{name}") for name in ends),
    )
    counts = [nw.col(name).cast(nw.Int64) for name in sums]
    return collected(found.with_columns(*counts)).sort_values(["source", "asset", "start"], ignore_index=True)


def _is_blank(name: str, columns: Mapping[str, Any]) -> nw.Expr:
    column, kind = nw.col(name), columns[name]
    if kind.is_float():
        return column.is_null() | column.is_nan()
    return column.is_null() if kind.is_numeric() else column.is_null() | (column.cast(nw.String) == "")


def _email() -> nw.Expr:
    return nw.col("email").cast(nw.String).str.strip_chars()


def _check(found: pd.DataFrame) -> None:
    for source in found["source"]:
        if source not in KNOWN:
            raise unknown_source(source)
    if found["broken"].any():
        raise no_id("a fraction, or a number with lost digits")
    if found["nobody"].any():
        expected = "an id in every row, or a column email to know the contact by"
        raise DataError("A touch has no contact", column="contact_id", expected=expected)
    if found["untimed"].any():
        raise DataError("A touch has no time", column="occurred_at", expected="a time in every row")
    for name in ("moment", "wall"):
        ends = micro(found[f"first_{name}"]).min(), micro(found[f"last_{name}"]).max()
        checked_span(*(pd.Timestamp(int(end), unit="us") for end in ends))
    if "first_row" in found and (found["first_row"].isna().any() or found["first_row"].min() < 0):
        raise DataError("A row has no number", column="row", expected="whole numbers from 0 on, in the order of rows")


def _on_wall(moment: int, portal: Portal, zoned: bool) -> int:
    local = time(moment).replace(tzinfo=dt.UTC).astimezone(ZoneInfo(portal.time_zone)).replace(tzinfo=None)
    return start(local) if zoned else moment
