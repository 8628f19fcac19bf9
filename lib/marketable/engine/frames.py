"""What kind of frame a batch is: in memory, and then a pandas DataFrame for the engine, or elsewhere, and left there.

Narwhals knows the kinds; it is imported only where a frame is not pandas' own. The libraries of the other kinds are
never imported from here: whoever hands over such a frame has imported its library already.
"""

from __future__ import annotations

import warnings
from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa

from marketable.errors import DataError

if TYPE_CHECKING:
    import narwhals as nw

LAZY = ("polars", "duckdb", "dask", "pyspark")
_ACCEPTED = (
    "a frame of pandas, Polars, PyArrow or another that Narwhals knows; for what-ifs also a polars.LazyFrame, "
    "a DuckDB relation, or a DataFrame of Dask or PySpark"
)
_RENAME = "Rename or delete one of them."


def lazy(frame: Any) -> nw.LazyFrame[Any] | None:
    """The frame for queries where it lives, or None where it is in memory. Raises: DataError for what is no frame."""
    if isinstance(frame, pd.DataFrame):
        return None
    known: nw.LazyFrame[Any] = wrapped(frame)
    if not hasattr(known, "collect"):
        return None
    kind = known.implementation.value
    if kind.removesuffix("[connect]") not in LAZY:
        raise DataError("Frames of this kind cannot be reduced where they live", value=kind, expected=", ".join(LAZY))
    return known


def in_memory(frame: Any, columns: Collection[str] = ()) -> pd.DataFrame:
    """The frame as a DataFrame of pandas, its text shared where that can be.

    Arguments: columns, those that are needed; without, all.
    Raises: DataError for what is no frame, and for a frame that is not in memory.
    """
    if isinstance(frame, pd.DataFrame):
        return frame
    known = wrapped(frame)
    if hasattr(known, "collect"):
        raise DataError(
            "This frame is not in memory",
            value=type(frame).__name__,
            expected="a frame in memory",
            advice="Collect it first; WhatIf(…) takes touches as they are and reduces them where they live.",
        )
    columns = [name for name in known.columns if name in columns or not columns]
    table: pa.Table = known.select(columns).to_arrow()
    return pd.DataFrame({name: series(name, table.column(name)) for name in columns})


def column_names(frame: Any) -> list[str]:
    """The names of a frame's columns. Raises: DataError for what is no frame."""
    return [str(name) for name in (frame if isinstance(frame, pd.DataFrame) else wrapped(frame)).columns]


def each_once(columns: Sequence[str], needed: Iterable[str]) -> None:
    """Raises: DataError where two columns bear the same name, which is needed."""
    for name in needed:
        if columns.count(name) > 1:
            raise DataError("Two columns bear the same name", value=name, advice=_RENAME)


def wrapped(frame: Any) -> Any:
    """The frame as Narwhals knows it. Raises: DataError for what is no frame."""
    import narwhals as nw

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # that support of Dask becomes a package of its own
            return nw.from_native(frame)
    except nw.exceptions.DuplicateError:
        raise DataError("Two columns bear the same name", advice=_RENAME) from None
    except TypeError:
        raise DataError("A batch is a DataFrame", value=frame, expected=_ACCEPTED) from None


def series(name: str, column: pa.ChunkedArray | pa.Array) -> pd.Series:
    """A column as pandas holds it; ids that are whole numbers stay so where some are missing."""
    if name == "contact_id" and pa.types.is_integer(column.type) and column.null_count:
        column = column.cast(pa.string())
    if pa.types.is_string_view(column.type):
        column = column.cast(pa.large_string())
    held: pd.Series = column.to_pandas(date_as_object=False)
    return held.rename(name)
