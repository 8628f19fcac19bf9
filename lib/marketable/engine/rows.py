"""A batch made ready for judging: checked, coded, in order of time, with the contacts that existed before it in front.

What is text in a batch becomes small numbers here, each pair of source and asset one number; everything behind this
module works on arrays of numbers only.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from marketable.errors import DataError, nearest
from marketable.rulebook import NOT_COVERED, SOURCES, STATUSES

from . import incoming
from .cases import KNOWN
from .frames import column_names, each_once, in_memory
from .keys import contact_keys
from .moments import EARLIEST, moment, moments

COLUMNS = ("contact_id", "occurred_at", "source", "asset")
_NOBODY = pd.DataFrame({"contact_id": [], "status": []})


@dataclass(frozen=True)
class Rows:
    """The rows to judge: first the `listed` contacts, then the counted touches in order of time.

    By row: `keys` (the contact's) and `wall` (local time in microseconds; EARLIEST for a listed contact). By touch:
    `pair`, its number in `pairs`. `ids` are the contacts of the listed and of all touches in the batch's own order;
    `are_numbers` says that keys are the ids themselves;
    `input_row` is each counted touch's row in the batch (None: the same order). `as_of` is the wall time up to which
    the calendar counts.
    """

    keys: np.ndarray
    wall: np.ndarray
    pair: np.ndarray
    pairs: list[tuple[str, str]]
    ids: pd.Series
    are_numbers: bool
    listed: pd.DataFrame
    input_row: np.ndarray | None
    as_of: int

    def some(self, numbers: np.ndarray) -> Rows:
        """Some of the rows, by ascending number: `keys`, `wall` and `listed` are theirs, all else is the batch's."""
        front = int(np.searchsorted(numbers, len(self.listed)))
        listed = self.listed.take(numbers[:front]) if front else self.listed[:0]
        return replace(self, keys=self.keys.take(numbers), wall=self.wall.take(numbers), listed=listed)

    def position(self, row: np.ndarray) -> np.ndarray:
        """Where in `ids` the contact of a row stands."""
        if self.input_row is None:
            return row
        front = len(self.listed)
        positions = np.concatenate([np.arange(front), self.input_row + front])
        return np.asarray(positions[row])


def rows(touches: Any, contacts: Any, time_zone: str, as_of: str | dt.date | None) -> Rows:
    """The rows of a batch and of the contacts listed beside it. Raises: DataError for what cannot be judged."""
    check_columns(column_names(touches))
    touches = _checked(in_memory(touches, (*COLUMNS, "email")))
    when = moments(touches["occurred_at"], time_zone)
    order, wall, in_time = when.order, when.wall, None
    if not (order[1:] >= order[:-1]).all():
        in_time = np.argsort(order, kind="stable")
        order, wall = order[in_time], wall[in_time]
    if as_of is None:
        counted, until = len(order), int(wall[-1]) if len(wall) else EARLIEST
    else:
        last, until = moment(as_of, time_zone, when.zoned)
        counted = int(np.searchsorted(order, last, side="right"))
    pair, pairs = _pairs(touches["source"], touches["asset"])

    listed = listed_contacts(contacts, time_zone)
    ids = touches["contact_id"]
    if len(listed):
        ids = pd.concat([listed["contact_id"], ids.astype(str)], ignore_index=True)
    keys, are_numbers = contact_keys(ids)
    front, keys, wall = keys[: len(listed)], keys[len(listed) :], wall[:counted]
    if in_time is None:
        keys, pair = keys[:counted], pair[:counted]
    else:
        in_time = in_time[:counted]
        keys, pair = keys[in_time], pair[in_time]
    if len(listed):
        keys = np.concatenate([front, keys])
        wall = np.concatenate([np.full(len(listed), EARLIEST), wall])
    return Rows(keys, wall, pair, pairs, ids, are_numbers, listed, in_time, until)


def _checked(touches: pd.DataFrame) -> pd.DataFrame:
    columns = column_names(touches)
    if "asset" not in columns:
        touches = touches.assign(asset="")
    ids = incoming.ids(touches["contact_id"])
    blank = ids.isna() if pd.api.types.is_numeric_dtype(ids.dtype) else ids.isna() | (ids == "")
    if blank.any():
        if "email" not in columns:
            raise DataError(
                f"A touch has no contact, in row {int(np.flatnonzero(blank)[0])} of the frame",
                column="contact_id",
                expected="an id in every row, or a column email to know the contact by",
            )
        email = incoming.texts(touches["email"]).str.strip().str.lower()
        ids = ids.astype("str").mask(blank, email)
        return _checked(touches.assign(contact_id=ids).drop(columns="email"))
    return touches if ids is touches["contact_id"] else touches.assign(contact_id=ids)


def check_columns(columns: list[str]) -> None:
    """Raises: DataError where a batch lacks a column, or has it twice."""
    each_once(columns, (*COLUMNS, "email"))
    for needed in COLUMNS:
        if needed not in columns and needed != "asset":
            raise DataError(
                "The batch lacks a column", value=needed, expected=", ".join(COLUMNS), nearest=nearest(needed, columns)
            )


def unknown_source(name: str, row: int | None = None) -> DataError:
    """What is wrong with a source that the rulebook does not know. Arguments: row, from 0, where it is known."""
    where = "" if row is None else f", in row {row} of the frame"
    return DataError(
        f"This is no source of the rulebook{where}",
        column="source",
        value=name,
        expected=f"one of {', '.join(KNOWN)}",
        nearest=nearest(name, KNOWN),
    )


def _pairs(source: pd.Series, asset: pd.Series) -> tuple[np.ndarray, list[tuple[str, str]]]:
    """The number of each touch's (source, asset), and the pairs that occur."""
    source_code, sources = _coded(source)
    asset_code, assets = _coded(asset)
    if len(sources) * len(assets) > len(source) + 65_536:
        source_code, sources = _used(source_code, sources)
        asset_code, assets = _used(asset_code, assets)
    wide = max(1, len(assets))
    kind = code_type(len(sources) * wide)
    combined = source_code.astype(kind)
    combined *= wide
    combined += asset_code
    present = np.flatnonzero(np.bincount(combined))
    for code in dict.fromkeys((present // wide).tolist()):
        if (name := sources[code]) not in KNOWN:
            row = int(np.flatnonzero(source_code == code)[0])
            raise unknown_source(name, row)
    number = np.zeros(len(sources) * wide, dtype=kind)
    number[present] = np.arange(len(present))
    return number.take(combined), [(sources[code // wide], assets[code % wide]) for code in present.tolist()]


def code_type(count: int) -> np.dtype[np.signedinteger]:
    """The smallest kind of number for so many codes: what is small stays near the processor."""
    return np.dtype(np.int16 if count < np.iinfo(np.int16).max else np.int32)


def _coded(column: pd.Series) -> tuple[np.ndarray, list[str]]:
    """A text column as numbers and the texts they stand for, blank for missing."""
    if not isinstance(column.dtype, pd.CategoricalDtype):
        return _coded_text(incoming.texts(column))
    codes = column.cat.codes.to_numpy()
    texts = [str(text) for text in column.cat.categories]
    if len(codes) and codes.min() < 0:
        if "" not in texts:
            texts.append("")
        codes = np.where(codes < 0, texts.index(""), codes)
    return codes, texts


def _coded_text(column: pd.Series) -> tuple[np.ndarray, list[str]]:
    """The same of text, the texts in their order; for few rows in a third of the time that pandas takes."""
    held = pa.array(column, pa.large_string()).fill_null("")
    coded = (held.combine_chunks() if isinstance(held, pa.ChunkedArray) else held).dictionary_encode()
    texts = coded.dictionary.to_pylist()
    order = sorted(range(len(texts)), key=texts.__getitem__)
    place = np.empty(len(texts), dtype=np.int32)
    place[order] = np.arange(len(texts))
    return place.take(np.asarray(coded.indices)), [texts[code] for code in order]


def _used(codes: np.ndarray, texts: list[str]) -> tuple[np.ndarray, list[str]]:
    """The same without texts that do not occur."""
    used = np.flatnonzero(np.bincount(codes))
    renumbered = np.zeros(len(texts), dtype=code_type(len(texts)))
    renumbered[used] = np.arange(len(used))
    return renumbered.take(codes), [texts[code] for code in used]


def listed_contacts(contacts: Any, time_zone: str) -> pd.DataFrame:
    """The contacts that existed before: contact_id, status (code), created_at (local), source, asset."""
    if contacts is None:
        return _NOBODY
    contacts = in_memory(contacts)
    each_once(column_names(contacts), (*COLUMNS, "created_at", "status"))
    if "contact_id" not in contacts.columns:
        if contacts.index.name != "contact_id":
            near = nearest("contact_id", map(str, contacts.columns))
            raise DataError("The existing contacts lack a column", value="contact_id", nearest=near)
        contacts = contacts.reset_index()
    if "status" not in contacts.columns:
        near = nearest("status", map(str, contacts.columns))
        raise DataError(
            "The existing contacts lack a column", value="status", expected=", ".join(STATUSES), nearest=near
        )
    status = incoming.texts(contacts["status"]).map({name: code for code, name in enumerate(STATUSES)})
    if status.isna().any():
        row = int(np.flatnonzero(status.isna())[0])
        raise DataError(
            f"An existing contact has no known status, in row {row} of the frame",
            column="status",
            value=contacts["status"].iloc[row],
            expected=", ".join(STATUSES),
        )
    ids = incoming.ids(contacts["contact_id"]).astype("str")
    if ids.isna().any() or (ids == "").any() or ids.duplicated().any():
        wrong = ids[ids.isna() | (ids == "") | ids.duplicated()]
        raise DataError("An existing contact has no id of its own", column="contact_id", value=wrong.iloc[0])
    created = contacts.get("created_at", pd.Series(pd.NaT, index=contacts.index, dtype="datetime64[us]"))
    known = created.notna()
    local = np.full(len(contacts), np.datetime64("NaT", "us"))
    local[known.to_numpy()] = moments(created[known], time_zone).wall.view("datetime64[us]")
    texts = {
        name: incoming.texts(contacts[name]).fillna("").to_numpy() if name in contacts.columns else ""
        for name in ("source", "asset")
    }
    listed = pd.DataFrame(
        {"contact_id": ids.to_numpy(), "status": status.to_numpy(np.int8), "created_at": local, **texts}
    )
    listed["source"] = listed["source"].replace("", NOT_COVERED)
    unknown = [name for name in listed["source"].unique() if name not in (*SOURCES, NOT_COVERED)]
    if unknown:
        problem = "An existing contact was created by no source of the rulebook"
        raise DataError(problem, column="source", value=unknown[0], nearest=nearest(unknown[0], SOURCES))
    return listed
