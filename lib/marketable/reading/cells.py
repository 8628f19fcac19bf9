"""Typed cells as text, and how long a cell may be."""

from __future__ import annotations

from marketable.errors import DataError

from .files import FilePath

LONGEST_CELL = 1 << 24
UNCLOSED = "Close the quote or delete it; within a quoted cell a quote is written twice."


def cell_text(value: object) -> str:
    """A typed cell as text: nothing is blank, whole numbers stay whole, days and times are ISO.

    >>> import pandas as pd
    >>> [cell_text(value) for value in (None, 351.0, True, pd.Timestamp(2024, 3, 1, 9, 30))]
    ['', '351', 'true', '2024-03-01 09:30:00']
    """
    if value is None or value != value:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def too_long(path: FilePath, what: str = "cell") -> DataError:
    """The error that a cell, or a row, is too long to be one."""
    expected, advice = f"{what}s of at most 16 MB", f"Perhaps a quote is never closed. {UNCLOSED}"
    return DataError(f"A {what} is longer than 16 MB", file=path, expected=expected, advice=advice)
