"""What a file holds as text, and the rows of it that cannot be used: each of them with its first fault, none lost."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import pandas as pd
import pyarrow as pa

from marketable.errors import DataError, nearest

from .files import FilePath

REJECTED = {"row": "int64", "column": "str", "value": "str", "reason": "str"}
_TOGETHER, _SHOWN = 10_000, 200
Only = Callable[[pd.DataFrame], "pd.Series[bool]"]
_Rows = TypeVar("_Rows", pd.DataFrame, "pd.Series[Any]")


@dataclass(frozen=True, eq=False)
class Table:
    """What a file holds.

    `frame`: all text, its index the row in the file. `rejected` (row, column, value, reason): the rows that could not
    be read. `understood`: how the file was read (format, encoding, delimiter, header row, title rows, sheet, left out),
    for display. `names`: the names of all columns of the file in their order, those that were left out among them.
    """

    frame: pd.DataFrame
    rejected: pd.DataFrame
    understood: dict[str, str]
    names: tuple[str, ...] = ()

    @property
    def rows_read(self) -> int:
        return len(self.frame) + len(self.rejected)


class Rows:
    """Rows of text on their way into a frame, kept small: every few thousand become arrays of Arrow."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = list(names)
        self._numbers: list[int] = []
        self._waiting: list[list[str]] = []
        self._arrays: list[list[Any]] = []

    def __len__(self) -> int:
        return len(self._numbers)

    def add(self, number: int, cells: list[str]) -> None:
        self._numbers.append(number)
        self._waiting.append(cells)
        if len(self._waiting) >= _TOGETHER:
            self._pack()

    def frame(self) -> pd.DataFrame:
        self._pack()
        columns = [pa.chunked_array(column, pa.large_string()) for column in zip(*self._arrays, strict=True)]
        return as_frame(columns, self._names, pd.Index(self._numbers, dtype="int64"))

    def _pack(self) -> None:
        columns = list(zip(*self._waiting, strict=True)) or [()] * len(self._names)
        self._arrays.append([pa.array(column, pa.large_string()) for column in columns])
        self._waiting = []


def as_frame(columns: Sequence[Any], names: Sequence[str], rows: pd.Index[int]) -> pd.DataFrame:
    """Columns of Arrow as a frame of text, its columns and rows so named."""
    if not names:
        return pd.DataFrame(index=rows.rename("row"))
    frame: pd.DataFrame = pa.Table.from_arrays(list(columns), names=list(names)).to_pandas()
    return frame.set_axis(rows.rename("row"))


def blank_rows(frame: pd.DataFrame) -> pd.Series[bool]:
    """Where every cell is blank."""
    blank = pd.Series(True, index=frame.index)
    for name in frame:
        if not blank.any():
            break
        blank &= frame[name] == ""
    return blank


def spoilt_rows(frame: pd.DataFrame) -> list[pd.DataFrame]:
    """The rejected rows of cells with a NUL character, a frame a column."""
    where = {str(name): frame[name].str.contains("\0", regex=False) for name in frame}
    reason = "The cell holds a NUL character"
    return [rejected_rows(frame[name][spoilt], name, reason) for name, spoilt in where.items() if spoilt.any()]


def ragged_rows(rows: list[tuple[int, int, str]], width: int) -> pd.DataFrame:
    """The rejected rows of (row, number of cells, text), where the header has `width` cells."""
    texts = pd.Series([short(text) for *_, text in rows], index=[row for row, *_ in rows], dtype="str")
    reasons = [f"The row has {cells:,} cells, the header {width:,}" for _, cells, _ in rows]
    return rejected_rows(texts, "", pd.Series(reasons, index=texts.index, dtype="str"))


def short(text: str) -> str:
    """As much of a row's text as is kept to show it."""
    return text[:_SHOWN]


def rejected_rows(values: pd.Series[str], column: str, reason: str | pd.Series[str]) -> pd.DataFrame:
    """One line (row, column, value, reason) for each faulty cell; the index of `values` is the row."""
    if not len(values):
        return _nothing_rejected()
    shown = values.str.replace("\0", "\\0", regex=False).array
    reasons = reason if isinstance(reason, str) else reason.array
    return pd.DataFrame({"row": values.index.array, "column": column, "value": shown, "reason": reasons})


def first_faults(*faults: pd.DataFrame) -> pd.DataFrame:
    """Rejected rows put together, in the order of the file: of a row's several faults, the one named first."""
    found = [frame for frame in faults if len(frame)]
    if not found:
        return _nothing_rejected().copy()
    together = pd.concat(found).drop_duplicates("row").sort_values("row", ignore_index=True)
    return together.astype(REJECTED)


@functools.cache
def _nothing_rejected() -> pd.DataFrame:
    """Rejected rows where there are none; not to be written to."""
    return pd.DataFrame(columns=list(REJECTED)).astype(REJECTED)


def without(rows: _Rows, rejected: pd.DataFrame) -> _Rows:
    """The rows of a frame or a column (index: row) that are not rejected."""
    return rows[~rows.index.isin(rejected["row"])] if len(rejected) else rows


def raise_first(rejected: pd.DataFrame, file: FilePath) -> None:
    """Raises the first rejected row, if there is one, as a DataError: what `strict=True` asks for."""
    for row, column, value, reason in rejected.head(1).itertuples(index=False):
        raise DataError(reason, file=file, row=int(row), column=column or None, value=value)


def no_column(name: str, found: Iterable[object], file: FilePath, expected: str) -> DataError:
    """The error that a column is missing; it names what was found (a frame or names) and what comes nearest."""
    names = [str(column)[:40] for column in found]
    advice = f"Found: {', '.join(names[:12])}{', …' if len(names) > 12 else ''}."
    return DataError(
        f"There is no column {name}", file=file, expected=expected, nearest=nearest(name, names), advice=advice
    )
