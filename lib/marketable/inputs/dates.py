"""Columns of dates as times."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from .touches import read_times

DAY_FIRST, MONTH_FIRST = "day first", "month first"


@dataclass(frozen=True, eq=False)
class Dates:
    """`times`: by column, as `touches.read_times` returns them. `forms`: by column, how its dates are written."""

    times: dict[str, pd.Series[Any]]
    forms: dict[str, str]


def read_dates(columns: Mapping[str, pd.Series[str]], order: str | None = None) -> Dates:
    """The times in columns of ISO 8601; `order` is of no consequence to it."""
    times = {name: read_times(cells) for name, cells in columns.items()}
    first = {name: cells[(cells != "").to_numpy()].head(1).tolist() for name, cells in columns.items()}
    return Dates(times, {name: f"{cells[0]}, ISO 8601" for name, cells in first.items() if cells})
