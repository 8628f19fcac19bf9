"""Of which moment an export is: the last that a touch, a mail or the day in its file's name tells of, local time."""

from __future__ import annotations

import datetime as dt
import functools
import zoneinfo
from dataclasses import dataclass

import pandas as pd

from marketable.engine.moments import local_times
from marketable.exports import Export

from .mailing import mailed

_GRACE = pd.Timedelta(days=1)  # the time zone that is given may not be the account's


@dataclass(frozen=True, eq=False)
class ExportDay:
    """The moments that an export tells of, in the time zone of an account."""

    export: Export
    time_zone: str

    @property
    def last(self) -> pd.Timestamp:
        """The moment the export is of. Days to come do not count, unless there are no others."""
        last: pd.Timestamp = self.moments.mask(self.to_come).max()
        return self.moments.max() if pd.isna(last) else last

    @property
    def as_of(self) -> pd.Timestamp | None:
        """The instant up to which an export's touches are decided, as `decide` takes it: none where a touch is last, or
        where nothing tells of a moment.
        """
        last, touched = self.last, self._touched.max()
        return None if pd.isna(last) or last <= touched else last

    @functools.cached_property
    def moments(self) -> pd.Series:
        """When the touches and the last mails were, and the day in the file's name."""
        named = pd.Series([self.export.day], dtype="datetime64[us]")
        return pd.concat([self._touched, mailed(self.export, self.time_zone), named], ignore_index=True)

    @functools.cached_property
    def to_come(self) -> pd.Series:
        """Which of these are still to come."""
        now = pd.Timestamp(dt.datetime.now(zoneinfo.ZoneInfo(self.time_zone)).replace(tzinfo=None))
        day = now if self.export.day is None else max(now, pd.Timestamp(self.export.day))
        return self.moments > day + _GRACE

    @functools.cached_property
    def _touched(self) -> pd.Series:
        return local_times(self.export.touches["occurred_at"], self.time_zone)
