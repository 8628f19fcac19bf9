"""Periods that a report is about: a month, a quarter, a year, or days from one to another."""

from __future__ import annotations

import contextlib
import datetime as dt
import re
from dataclasses import dataclass

_FORMS = re.compile(r"(\d{4})(?:-(\d\d)|-?[Qq]([1-4]))?")
_DAYS = re.compile(r"(\d{4}-\d\d-\d\d)/(\d{4}-\d\d-\d\d)")
_EXPECTED = "a month like 2026-10, a quarter like 2026-Q3, a year like 2026, or days like 2026-10-01/2026-10-15"
FIRST_YEAR, LAST_YEAR = 2000, 2100  # as for touches
_MOMENT = dt.timedelta(microseconds=1)


@dataclass(frozen=True)
class Period:
    """Whole days: `first` and `last`, and `months`, how many calendar months they are; 0 where they are just days."""

    first: dt.date
    last: dt.date
    months: int = 0

    @classmethod
    def of_text(cls, text: str) -> Period:
        """The period that a text names. Raises: ValueError, which says what was expected.

        >>> Period.of_text("2026-Q3").name, Period.of_text("2026-10-01/2026-10-15").name
        ('Q3 2026', '1 October 2026 to 15 October 2026')
        """
        period = None
        with contextlib.suppress(ValueError):  # there is no such day
            if days := _DAYS.fullmatch(text):
                period = cls(dt.date.fromisoformat(days[1]), dt.date.fromisoformat(days[2]))
            elif found := _FORMS.fullmatch(text):
                year, month, quarter = found.groups()
                begins = int(month) if month else 3 * int(quarter) - 2 if quarter else 1
                period = _of_months(int(year), begins, 1 if month else 3 if quarter else 12)
        if period and period.first <= period.last and period.first.year >= FIRST_YEAR and period.last.year <= LAST_YEAR:
            return period
        raise ValueError(_EXPECTED)

    @classmethod
    def month_of(cls, moment: dt.datetime) -> Period:
        """The month that has just passed, or is passing, at a moment: at its first moment still the one before.

        >>> Period.month_of(dt.datetime(2026, 11, 1)).name
        'October 2026'
        """
        within = moment - _MOMENT
        return _of_months(within.year, within.month, 1)

    @property
    def before(self) -> Period:
        """The period of the same length just before.

        >>> Period.of_text("2026").before.name, Period.of_text("2026-03-11/2026-03-20").before.name
        ('2025', '1 March 2026 to 10 March 2026')
        """
        if self.months:
            month = self.first.year * 12 + self.first.month - 1 - self.months
            return _of_months(month // 12, month % 12 + 1, self.months)
        return Period(self.first - (self.last - self.first) - dt.timedelta(1), self.first - dt.timedelta(1))

    @property
    def begins(self) -> dt.datetime:
        """Its first moment, on the account's clock."""
        return dt.datetime.combine(self.first, dt.time())

    @property
    def ends(self) -> dt.datetime:
        """Its last moment, to the microsecond."""
        return dt.datetime.combine(self.last, dt.time.max)

    @property
    def name(self) -> str:
        """What people call it."""
        if self.months == 1:
            return f"{self.first:%B %Y}"
        if self.months == 3:
            return f"Q{self.last.month // 3} {self.first.year}"
        if self.months == 12:
            return f"{self.first.year}"
        first, last = (f"{day.day} {day:%B %Y}" for day in (self.first, self.last))
        return first if self.first == self.last else f"{first} to {last}"


def _of_months(year: int, month: int, months: int) -> Period:
    first, after = dt.date(year, month, 1), month - 1 + months
    return Period(first, dt.date(year + after // 12, after % 12 + 1, 1) - dt.timedelta(1), months)
