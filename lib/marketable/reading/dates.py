"""Columns of dates as times, in whatever form a program wrote them; whether the day or the month comes first is found.

ISO 8601, and what warehouses make of it, is read as it stands, and so are milliseconds since 1970. Of `3/4/2024` only
the whole file tells what it means: one cell with a part above 12, or with dots, settles it for all columns. Where
nothing settles it, or cells contradict each other, nothing is guessed.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, cast

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from marketable.errors import DataError, nearest

from .tables import FilePath, rejected_rows

DAY_FIRST, MONTH_FIRST = "day first", "month first"
EXPECTED = "2024-03-01, 2024-03-01 09:30 or 2024-03-01T09:30:00Z"
ISO = "ISO 8601"
_ISO = r"\d{4}-\d\d-\d\d(?:[ T]\d\d(?::\d\d(?::\d\d(?:\.\d{1,9})?)?)?(?:Z|[+-]\d\d(?::?\d\d)?)?)?"
_BLANKS = " \t\r\n\u00a0\u202f"
_MOMENT = r"^(\d{4}-\d\d-\d\d[ T]\d[\d:.]*) ?"
_ZONES_APART = {_MOMENT + r"(?:UTC|GMT|Z)$": r"\1Z", _MOMENT + r"([+-]\d\d(?::?\d\d)?)$": r"\1\2"}
_DAY = re.compile(r"(\d{1,4})([/.-])(\d{1,2})\2(\d{1,4}),?", re.ASCII)
_TIME_OF_DAY = re.compile(
    r"(\d{1,2})[:.](\d\d)(?:[:.](\d\d)(?:[.,](\d{1,9}))?)?(?: *([ap])\.? ?m\.?)?", re.ASCII | re.IGNORECASE
)
_SERIAL = r"^\d{5}(?:[.,]\d+)?$"
_YEAR, _DOTS, _OPEN = "year first", "dots", "open"
_TRIED = 100
FIRST_YEAR, LAST_YEAR = 2000, 2100
_Codes = np.ndarray[Any, np.dtype[np.int64]]
_Mask = np.ndarray[Any, np.dtype[np.bool_]]


@dataclass(frozen=True, eq=False)
class Dates:
    """Columns of dates that were read.

    `times`: for each column its times, see `read_times`. `forms`: for each column the forms it was written in, each
    shown by a cell and told in words. `order`: whether the day or the month comes first, None where it does not matter.
    """

    times: dict[str, pd.Series[Any]]
    forms: dict[str, str]
    order: str | None


def read_dates(
    columns: Mapping[str, pd.Series[str]], order: str | None = None, *, file: FilePath | None = None
) -> Dates:
    """Columns of one file as times, whatever form their dates have; what is no date is NaT.

    Arguments: columns, cells by the name of their column, each index the row in the file; order, "day first" or "month
    first", where the cells do not settle it; file, for what is told of faults. Two digits of a year are those of 20xx.
    Returns: Dates. Times without a zone stay without; milliseconds since 1970 are in UTC.
    Raises: DataError, where the cells do not tell whether day or month comes first, or contradict each other (both only
    where no order is given), for a column of Excel's serial numbers, and for another order.

    >>> dates = read_dates({"Create Date": pd.Series(["3/4/2024 2:30 PM", "3/15/2024 9:00 AM"])})
    >>> dates.times["Create Date"].tolist()
    [Timestamp('2024-03-04 14:30:00'), Timestamp('2024-03-15 09:00:00')]
    >>> dates.forms
    {'Create Date': '3/4/2024 2:30 PM, month first'}
    """
    if order not in (None, DAY_FIRST, MONTH_FIRST):
        near = nearest(order, [DAY_FIRST, MONTH_FIRST])
        expected = f"{DAY_FIRST!r} or {MONTH_FIRST!r}"
        raise DataError("There is no such order of day and month", value=order, expected=expected, nearest=near)
    read = {name: _Column(name, cells) for name, cells in columns.items()}
    for column in read.values():
        column.refuse_serial_numbers(file)
    order = order or _order(list(read.values()), file)
    times = {name: column.times(order) for name, column in read.items()}
    return Dates(times, {name: column.form(order) for name, column in read.items()}, order)


def read_times(cells: pd.Series[str]) -> pd.Series[Any]:
    """Cells in ISO 8601 as times; what is no time is NaT.

    Returns: datetime64[us] where no cell has a zone; datetime64[us, UTC] where all have one; where some have one,
    Timestamps (dtype object), each as it was written: only the portal's time zone can bring them together.

    >>> read_times(pd.Series(["2024-03-01", "2024-03-01T09:30+02:00"])).tolist()
    [Timestamp('2024-03-01 00:00:00'), Timestamp('2024-03-01 09:30:00+0200', tz='UTC+02:00')]
    """
    times = _times_of_one_kind(cells)  # as in most files, where nothing is to be trimmed either
    if times is not None:
        return times
    as_written, cells = cells, cells.str.strip()
    filled = cells.mask(cells == "")
    times = None if filled.equals(as_written) else _times_of_one_kind(filled)
    if times is not None:
        return times
    zoned = _have_zone(cells)
    readable = cells.where(cells.str.fullmatch(_ISO))
    naive = pd.to_datetime(readable.mask(zoned), format="ISO8601", errors="coerce").dt.as_unit("us")
    if not zoned.any():
        return naive
    aware = pd.to_datetime(readable.where(zoned), format="ISO8601", errors="coerce", utc=True).dt.as_unit("us")
    return _together(naive, aware, cells)


def of_one_kind(times: pd.Series[Any]) -> pd.Series[Any]:
    """Timestamps of two kinds may be of one after some rows were rejected."""
    if times.dtype != object:
        return times
    zoned = times.map(lambda time: time.tzinfo is not None)
    return times if zoned.any() and not zoned.all() else pd.to_datetime(times, utc=bool(zoned.all())).dt.as_unit("us")


def instants(times: pd.Series[Any]) -> pd.Series[Any]:
    """Times of any kind made comparable: datetime64[us, UTC], those without a zone taken as UTC."""
    return pd.to_datetime(times, utc=True)


def time_faults(cells: pd.Series[str], times: pd.Series[Any], column: str, *, needed: bool = True) -> pd.DataFrame:
    """The rejected rows of a column of times: what could not be read, and years that cannot be meant.

    Arguments: cells, as they stand; times, as read; column, its name in the file; needed, whether a blank is a fault.
    """
    moments = instants(times)
    if moments.between(_year(FIRST_YEAR), _year(LAST_YEAR + 1), inclusive="left").all():
        return rejected_rows(cells.iloc[:0], column, "")
    unread = cells[moments.isna()]
    blank = unread.str.strip() == ""
    return pd.concat(
        [
            rejected_rows(unread[blank & needed], column, f"The time is missing. Expected {EXPECTED}"),
            rejected_rows(unread[~blank], column, f"This is no time. Expected {EXPECTED}"),
            rejected_rows(cells[moments < _year(FIRST_YEAR)], column, f"The time is before the year {FIRST_YEAR}"),
            rejected_rows(cells[moments >= _year(LAST_YEAR + 1)], column, f"The time is after the year {LAST_YEAR}"),
        ]
    )


def _year(year: int) -> pd.Timestamp:
    return pd.Timestamp(year, 1, 1, tz="UTC")


def _times_of_one_kind(cells: pd.Series[str]) -> pd.Series[Any] | None:
    first = cells.head(1) if len(cells) and pd.notna(cells.iloc[0]) else cells.dropna().head(1)
    zone = "UTC" if _have_zone(first).any() else None
    texts = pa.array(cells, pa.large_string())
    try:
        pc.cast(texts[:_TRIED], pa.timestamp("us", zone))  # where it fails, it fails slowly
        times = pc.cast(texts, pa.timestamp("us", zone))
    except pa.ArrowInvalid:
        return None
    return cast("pd.Series[Any]", times.to_pandas()).set_axis(cells.index)


def _have_zone(cells: pd.Series[str]) -> pd.Series[bool]:
    return cells.str.slice(10).str.contains("[Z+-]")


def _together(naive: pd.Series[Any], aware: pd.Series[Any], cells: pd.Series[str]) -> pd.Series[Any]:
    """Times without and with a zone as one column; `cells`, as those with a zone were written."""
    if naive.isna().all() or aware.isna().all():
        return naive if aware.isna().all() else aware
    mixed = naive.astype(object)
    zoned = aware.notna()
    written = zip(cells[zoned], aware[zoned], strict=True)
    mixed[zoned] = [time if text.isdigit() else pd.Timestamp(text) for text, time in written]
    return mixed


class _Column:
    """A column of dates, taken apart: what is ISO 8601, what are milliseconds, and all the rest."""

    def __init__(self, name: str, cells: pd.Series[str]) -> None:
        self.name, self._cells = name, cells
        self.others: _Others | None = None
        iso = _times_of_one_kind(cells)
        if iso is None and (cells == "").any():
            iso = _times_of_one_kind(cells.mask(cells == ""))
        if iso is None:
            iso = self._apart(pc.utf8_trim(pa.array(cells, pa.large_string()), _BLANKS))
        self._iso = iso

    def _apart(self, texts: Any) -> pd.Series[Any]:
        is_iso = pc.match_substring_regex(texts, r"^\d{4}-")
        if pc.any(is_iso).as_py():
            for pattern, with_zone in _ZONES_APART.items():
                texts = pc.replace_substring_regex(texts, pattern, with_zone)
            is_iso = pc.match_substring_regex(texts, f"^(?:{_ISO})$")
        self._texts = pd.Series(texts.to_pandas(), dtype="str").set_axis(self._cells.index)
        are_milliseconds = pc.match_substring_regex(texts, r"^\d{13}$")
        numbers = pc.cast(pc.if_else(are_milliseconds, texts, None), pa.int64())
        moments = pd.Series(pc.cast(pc.cast(numbers, pa.timestamp("ms", "UTC")), pa.timestamp("us", "UTC")).to_pandas())
        self._moments = moments.set_axis(self._cells.index)
        self.others = _Others(pc.if_else(pc.or_(is_iso, are_milliseconds), "", texts))
        iso = self._texts.where(is_iso.to_numpy(zero_copy_only=False), "")
        self._zoned = _have_zone(iso)
        times = _times_of_one_kind(iso.mask(iso == ""))
        return read_times(iso) if times is None else times

    def refuse_serial_numbers(self, file: FilePath | None) -> None:
        if self.others is None or self.others.are_read.any():
            return
        filled = self._texts != ""
        if filled.any() and self._texts[filled].str.contains(_SERIAL).all():
            row, value = self.first(filled.to_numpy())
            raise DataError(
                "These are the serial numbers that Excel keeps for dates",
                file=file,
                row=row,
                column=self.name,
                value=value,
                expected="dates as they are shown",
                advice="Format the column in Excel as a date (yyyy-mm-dd hh:mm) and save the file again.",
            )

    def times(self, order: str | None) -> pd.Series[Any]:
        if self.others is None:
            return self._iso
        others = pd.Series(self.others.times(order), self._iso.index)
        if others.isna().all() and self._moments.isna().all():
            return self._iso
        local = instants(self._iso.mask(self._zoned)).dt.tz_localize(None).dt.as_unit("us")
        aware = instants(self._iso.where(self._zoned)).dt.as_unit("us")
        return _together(local.fillna(others), aware.fillna(self._moments), self._texts)

    def form(self, order: str | None) -> str:
        """The forms in words, shown by the first cell that has it where it is not ISO 8601."""
        told = [ISO] if self._iso.notna().any() else []
        if self.others is not None:
            told += ["milliseconds since 1970"] if self._moments.notna().any() else []
            read = ~np.isnat(self.others.times(order))
            for kind, words in {_YEAR: _YEAR, _OPEN: order or "day and month alike", _DOTS: DAY_FIRST}.items():
                where = read & (self.others.kinds == kind)
                told += [f"{self.first(where)[1].strip()}, {words}"] if where.any() else []
        return "; ".join(told)

    def first(self, where: _Mask) -> tuple[int, str]:
        """The first of these cells, and its row."""
        at = int(np.argmax(where))
        return int(self._cells.index[at]), str(self._cells.iloc[at])


class _Others:
    """Dates like 3/15/2024 2:30 PM, each with its two readings: the day comes first, or the month.

    There are few different days, and few times of day, so each is read once. `kinds`: what says which comes first.
    """

    def __init__(self, texts: Any) -> None:
        for other in ("T", *_BLANKS[1:]):
            if pc.any(pc.match_substring(texts, other)).as_py():
                texts = pc.replace_substring(texts, other, " ", max_replacements=1 if other == "T" else None)
        # With a blank behind each of them, all fall into two pieces.
        nothing, blank = pa.scalar("", pa.large_string()), pa.scalar(" ", pa.large_string())
        pieces = pc.split_pattern(pc.binary_join_element_wise(texts, nothing, blank), " ", max_splits=1)
        days, day_codes = _encoded(pc.list_element(pieces, 0))
        times, time_codes = _encoded(pc.list_element(pieces, 1))
        readings = [_readings(text) for text in days]
        self.kinds = np.array([reading.kind for reading in readings], dtype=object)[day_codes]
        self._time = np.array([_time_of_day(text) for text in times], "timedelta64[us]")[time_codes]
        self._days = {
            DAY_FIRST: np.array([reading.day_first for reading in readings], "datetime64[D]")[day_codes],
            MONTH_FIRST: np.array([reading.month_first for reading in readings], "datetime64[D]")[day_codes],
        }

    def times(self, order: str | None) -> np.ndarray[Any, np.dtype[np.datetime64]]:
        """The moments under this order; without one, what both orders agree on."""
        if order is not None:
            return np.asarray(self._days[order] + self._time, "datetime64[us]")
        agreed = self._days[DAY_FIRST] == self._days[MONTH_FIRST]
        return np.where(agreed, self.times(DAY_FIRST), np.datetime64("NaT", "us"))

    @property
    def are_read(self) -> _Mask:
        """Where there is a date, whichever comes first."""
        return np.asarray(self._can(DAY_FIRST) | self._can(MONTH_FIRST), bool)

    @property
    def day_leads(self) -> _Mask:
        """Where only the day can come first, or dots say that it does."""
        only = (self.kinds == _OPEN) & ~self._can(MONTH_FIRST)
        return np.asarray(self._can(DAY_FIRST) & (only | (self.kinds == _DOTS)), bool)

    @property
    def month_leads(self) -> _Mask:
        """Where only the month can come first."""
        return np.asarray((self.kinds == _OPEN) & self._can(MONTH_FIRST) & ~self._can(DAY_FIRST), bool)

    @property
    def are_ambiguous(self) -> _Mask:
        """Where both can come first, and it makes a difference."""
        differ = self._days[DAY_FIRST] != self._days[MONTH_FIRST]
        return np.asarray(self._can(DAY_FIRST) & self._can(MONTH_FIRST) & differ, bool)

    def _can(self, order: str) -> _Mask:
        return np.asarray(~np.isnat(self.times(order)), bool)


class _Readings(NamedTuple):
    kind: str
    day_first: dt.date | None
    month_first: dt.date | None


def _encoded(texts: Any) -> tuple[list[str], _Codes]:
    encoded = pc.dictionary_encode(texts)
    chunks = encoded.combine_chunks() if isinstance(encoded, pa.ChunkedArray) else encoded
    return chunks.dictionary.to_pylist(), np.asarray(chunks.indices.to_numpy(zero_copy_only=False), np.int64)


def _readings(text: str) -> _Readings:
    found = _DAY.fullmatch(text)
    if not found:
        return _Readings("", None, None)
    first, mark, second, third = found.groups()
    if len(first) == 4 and len(third) < 3:
        day = _date(first, second, third)
        return _Readings(_YEAR, day, day)
    if len(first) > 2 or len(third) not in (2, 4):
        return _Readings("", None, None)
    year = third if len(third) == 4 else f"20{third}"
    day = _date(year, second, first)
    return _Readings(_DOTS, day, day) if mark == "." else _Readings(_OPEN, day, _date(year, first, second))


def _date(year: str, month: str, day: str) -> dt.date | None:
    try:
        return dt.date(int(year), int(month), int(day))
    except ValueError:
        return None


def _time_of_day(text: str) -> dt.timedelta | None:
    text = text.strip()
    found = _TIME_OF_DAY.fullmatch(text)
    if not found:
        return None if text else dt.timedelta()
    hour, minute, second = (int(part or 0) for part in found.group(1, 2, 3))
    half = (found[5] or "").lower()
    if minute > 59 or second > 59 or not (1 <= hour <= 12 if half else hour <= 23):
        return None
    hour = hour % 12 + 12 * (half == "p") if half else hour
    microseconds = int((found[4] or "").ljust(6, "0")[:6])
    return dt.timedelta(hours=hour, minutes=minute, seconds=second, microseconds=microseconds)


def _order(columns: list[_Column], file: FilePath | None) -> str | None:
    """Whether day or month comes first in these columns, as their cells tell it; None where it makes no difference."""
    found: dict[str, tuple[_Column, int, str]] = {}
    for column in columns:
        if column.others is None:
            continue
        leads = {
            DAY_FIRST: column.others.day_leads,
            MONTH_FIRST: column.others.month_leads,
            "": column.others.are_ambiguous,
        }
        for order, where in leads.items():
            if where.any():
                found.setdefault(order, (column, *column.first(where)))
    options = f'Say which it is, dates="{DAY_FIRST}" or dates="{MONTH_FIRST}"'
    if DAY_FIRST in found and MONTH_FIRST in found:
        column, row, value = found[MONTH_FIRST]
        other, other_row, other_value = found[DAY_FIRST]
        problem = f"Here the month comes first, and the day in {other_value!r} (row {other_row}, column {other.name})"
        raise DataError(
            problem,
            file=file,
            row=row,
            column=column.name,
            value=value,
            expected="one order of day and month in the whole file",
            advice=f"{options}: rows that do not fit are then rejected.",
        )
    if "" in found and len(found) == 1:
        column, row, value = found[""]
        raise DataError(
            "No date in the file tells whether the day or the month comes first",
            file=file,
            row=row,
            column=column.name,
            value=value,
            expected="at least one day after the 12th",
            advice=f"{options}.",
        )
    return next(iter(order for order in found if order), None)
