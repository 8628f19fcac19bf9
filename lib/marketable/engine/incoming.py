"""What the ids and times of a frame may be: as the readers have them of a file, so that no way in counts otherwise.

Ids are text or whole numbers; a whole number is the same id whether it comes as 351, 351.0 or "351". Times are times,
or text in ISO 8601. Nothing else is guessed at: it is refused, with its row.
"""

from __future__ import annotations

import datetime as dt
import decimal
import uuid
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from marketable.errors import DataError
from marketable.plain_yaml import is_text
from marketable.reading.dates import EXPECTED, FIRST_YEAR, LAST_YEAR, of_one_kind, read_times

from .frames import series

MOST_EXACT = 1 << 53  # beyond it a float has lost digits
_EARLY, _LATE = f"The time is before the year {FIRST_YEAR}", f"The time is after the year {LAST_YEAR}"
_MILLISECONDS = {
    "pandas": 'pd.to_datetime(touches["occurred_at"], unit="ms", utc=True)',
    "polars": 'pl.from_epoch("occurred_at", time_unit="ms").dt.replace_time_zone("UTC")',
    "duckdb": "epoch_ms(occurred_at) AT TIME ZONE 'UTC'",
    "dask": 'dd.to_datetime(touches["occurred_at"], unit="ms", utc=True)',
    "pyspark": "timestamp_millis(occurred_at)",
}


def ids(column: pd.Series) -> pd.Series:
    """A column of ids as whole numbers or text, blank where none is. Raises: DataError for what is no id.

    >>> ids(pd.Series([351, 351.0, "351", None], dtype=object)).tolist()
    ['351', '351', '351', nan]
    """
    column = _plain(column)
    kind = column.dtype
    if isinstance(kind, pd.StringDtype) or (pd.api.types.is_integer_dtype(kind) and column.notna().all()):
        return column
    if isinstance(kind, pd.CategoricalDtype):
        is_text = isinstance(kind.categories.dtype, pd.StringDtype)
        return column if is_text else ids(column.astype(object))
    if pd.api.types.infer_dtype(column) == "string":
        return texts(column)
    return texts(
        pd.Series([_id_text(value, row) for row, value in enumerate(column)], column.index, object, column.name)
    )


def texts(column: pd.Series) -> pd.Series:
    """A column as text. Raises: DataError for halves of letters, which cannot be written down."""
    try:
        return column.astype("str")
    except UnicodeEncodeError:
        row, value = next((row, value) for row, value in enumerate(column) if not is_text(str(value)))
        raise DataError(
            f"This is not text in UTF-8{_where(row)}", column=str(column.name), value=value, expected="text in UTF-8"
        ) from None


def no_id(value: object, row: int | None = None) -> DataError:
    """The error that something is no id."""
    expected = "text or whole numbers, of which none has lost digits"
    return DataError(f"This is no id{_where(row)}", column="contact_id", value=value, expected=expected)


def times(column: pd.Series) -> pd.Series:
    """A column of times: datetime64, with or without a zone, or where only some have one Timestamps (dtype object).

    Raises: DataError for a time that is missing or none, and for a year that cannot be meant.
    """
    column = _plain(column)
    if not len(column):
        return column if pd.api.types.is_datetime64_any_dtype(column.dtype) else column.astype("datetime64[us]")
    if pd.api.types.is_numeric_dtype(column.dtype):
        raise no_times(column.iloc[:1].tolist()[0], str(column.name), row=0)
    if not pd.api.types.is_datetime64_any_dtype(column.dtype):
        column = _of_objects(column)
    if column.isna().any():
        row = int(np.flatnonzero(column.isna())[0])
        raise DataError(f"A touch has no time{_where(row)}", column=str(column.name), expected="a time in every row")
    if column.dtype != object:
        begin, end = (pd.Timestamp(year, 1, 1, tz=column.dt.tz) for year in (FIRST_YEAR, LAST_YEAR + 1))
        for problem, are_so in ((_EARLY, column < begin), (_LATE, column >= end)):
            if are_so.any():
                row = int(np.flatnonzero(are_so)[0])
                raise DataError(f"{problem}{_where(row)}", column=str(column.name), value=_told(column.iloc[row]))
    return column


def one_time(value: object) -> pd.Timestamp:
    """A single time that is asked for. Raises: DataError."""
    try:
        return pd.Timestamp(times(pd.Series([value], name="as_of", dtype=object)).iloc[0])
    except DataError:
        expected = f"a time like 2024-03-31 or 2024-03-31 18:00, in the years {FIRST_YEAR} to {LAST_YEAR}"
        raise DataError("This is not a time", value=value, expected=expected) from None


def no_times(value: object, column: str, engine: str = "pandas", row: int | None = None) -> DataError:
    """The error that numbers are no times."""
    advice = f"Milliseconds since 1970, as HubSpot gives them, are converted first: {_MILLISECONDS[engine]}."
    return DataError(
        f"Numbers are not times{_where(row)}", column=column, value=value, expected=EXPECTED, advice=advice
    )


def checked_span(first: dt.datetime | pd.Timestamp, last: dt.datetime | pd.Timestamp) -> None:
    """Raises: DataError where the first or the last of some times lies in a year that cannot be meant."""
    for problem, wrong in ((_EARLY, first.year < FIRST_YEAR), (_LATE, last.year > LAST_YEAR)):
        if wrong:
            raise DataError(problem, column="occurred_at", expected=f"the years {FIRST_YEAR} to {LAST_YEAR}")


def _where(row: int | None) -> str:
    return "" if row is None else f", in row {row} of the frame"


def _told(time: pd.Timestamp) -> str:
    """A time of any year, also of one that Python's own cannot be."""
    return str(time.to_numpy())


def _plain(column: pd.Series) -> pd.Series:
    """The column without an Arrow type of pandas."""
    if not isinstance(column.dtype, pd.ArrowDtype):
        return column
    return series(str(column.name), pa.array(column)).set_axis(column.index)


def _id_text(value: Any, row: int) -> str | None:
    if isinstance(value, str):
        return value
    if isinstance(value, uuid.UUID):
        return str(value)
    if pd.api.types.is_scalar(value) and pd.isna(value):
        return None
    if isinstance(value, (int, np.integer)) and not isinstance(value, bool):
        return str(int(value))
    if isinstance(value, decimal.Decimal):
        is_exact = value.is_finite()
    else:
        is_exact = isinstance(value, (float, np.floating)) and abs(float(value)) < MOST_EXACT
    if is_exact and value == int(value):
        return str(int(value))
    raise no_id(value, row)


def _of_objects(column: pd.Series) -> pd.Series:
    """A column of text and of times as Python has them."""
    name = str(column.name)
    are_text = column.map(lambda value: isinstance(value, str)).to_numpy(bool)
    cells = texts(column[are_text])
    read = read_times(cells)
    unread = np.flatnonzero(read.isna() & (cells.str.strip() != ""))
    if len(unread):
        row = int(np.flatnonzero(are_text)[unread[0]])
        raise DataError(f"This is no time{_where(row)}", column=name, value=column.iloc[row], expected=EXPECTED)
    if are_text.all() and read.dtype != object:
        return read.set_axis(column.index)
    found = [_time(value, name, row) for row, value in enumerate(column)]
    for row, time in zip(np.flatnonzero(are_text).tolist(), read, strict=True):
        found[row] = time
    for row, time in enumerate(found):
        if not pd.isna(time) and not FIRST_YEAR <= time.year <= LAST_YEAR:
            problem = _EARLY if time.year < FIRST_YEAR else _LATE
            raise DataError(f"{problem}{_where(row)}", column=name, value=_told(time))
    together = pd.Series(found, column.index, object, column.name)
    return together if together.isna().any() else of_one_kind(together)


def _time(value: Any, column: str, row: int) -> Any:
    if isinstance(value, str) or (pd.api.types.is_scalar(value) and pd.isna(value)):
        return pd.NaT
    if isinstance(value, (dt.date, np.datetime64)):
        try:
            return pd.Timestamp(value)
        except (ValueError, OverflowError):
            pass
    if isinstance(value, (int, float, np.number, decimal.Decimal)):
        raise no_times(value, column, row=row)
    raise DataError(f"This is no time{_where(row)}", column=column, value=value, expected=EXPECTED)
