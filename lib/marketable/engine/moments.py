"""Times as the engine needs them: an order, and the account's wall clock for every question that a calendar answers.

Times without a zone are the account's local time. Where a batch has times with a zone, instants give the order, so that
an hour that happens twice in autumn is not shuffled; the wall clock still tells the day.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from .incoming import one_time, times

Microseconds = np.ndarray
EARLIEST = np.iinfo(np.int64).min


@dataclass(frozen=True)
class Moments:
    """Times in microseconds since 1970: `order` to sort by, `wall` the account's local time; `zoned` tells whether
    order is in UTC.
    """

    order: Microseconds
    wall: Microseconds
    zoned: bool


def moments(column: pd.Series, time_zone: str) -> Moments:
    """The times of a column: datetimes with or without a zone, text in ISO 8601, or a mixture.

    Raises: DataError for a blank or unreadable time, with its row (from 0) in the frame.
    """
    column = times(column)
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        if column.dt.tz is None:
            wall = micro(column)
            return Moments(wall, wall, False)
        local = column.dt.tz_convert(time_zone).dt.tz_localize(None)
        return Moments(micro(column.dt.tz_convert("UTC").dt.tz_localize(None)), micro(local), True)
    zone = ZoneInfo(time_zone)
    both = [(_instant(value, zone), _local(value, zone)) for value in column]
    order, wall = np.array(both, dtype="datetime64[us]").astype(np.int64).reshape(-1, 2).T
    return Moments(order, wall, True)


def local_times(column: pd.Series, time_zone: str) -> pd.Series:
    """The times of a column as the account's clock had them, with the column's own index; what is missing stays so.
    Raises: as `moments`.
    """
    told = column.notna().to_numpy()
    wall = np.full(len(column), "NaT", dtype="datetime64[us]")
    wall[told] = moments(column[told], time_zone).wall.view("datetime64[us]")
    return pd.Series(wall, column.index)


def moment(value: str | dt.date, time_zone: str, zoned: bool) -> tuple[int, int]:
    """One instant as (order, wall), comparable with a column's: text in ISO 8601, a date (its first moment) or a time.

    Raises: DataError.
    """
    zone, time = ZoneInfo(time_zone), one_time(value).to_pydatetime(warn=False)
    wall = start(_local(time, zone))
    return (start(_instant(time, zone)) if zoned else wall), wall


def start(since: dt.date | None) -> int:
    """A local time, or the first moment of a day, as the engine counts it; EARLIEST for what was so from the
    beginning.
    """
    return EARLIEST if since is None else int(np.datetime64(since, "us").astype(np.int64))


def micro(column: pd.Series) -> Microseconds:
    """Times without a zone as whole microseconds."""
    return column.to_numpy("datetime64[us]").view(np.int64)


def _local(time: dt.datetime, zone: ZoneInfo) -> dt.datetime:
    return time if time.tzinfo is None else time.astimezone(zone).replace(tzinfo=None)


def _instant(time: dt.datetime, zone: ZoneInfo) -> dt.datetime:
    zoned = time.replace(tzinfo=zone) if time.tzinfo is None else time
    return zoned.astimezone(dt.UTC).replace(tzinfo=None)
