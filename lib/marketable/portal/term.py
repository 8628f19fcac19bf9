"""The term of a subscription: from one renewal to the next, within which a tier goes up and never down."""

from __future__ import annotations

import calendar
import datetime as dt

from .portal import Subscription
from .update_dates import update_date_after


def next_renewal(subscription: Subscription, today: dt.date) -> dt.date | None:
    """The first renewal after a day. One that is over comes again: each year, or with a monthly commitment each month.

    >>> [str(next_renewal(Subscription(renewal="2024-02-29"), dt.date(year, 3, 1))) for year in (2024, 2027)]
    ['2025-02-28', '2028-02-29']
    """
    renewal = subscription.renewal
    if renewal is None or renewal > today:
        return renewal
    if subscription.commitment == "monthly":
        return update_date_after(today, subscription)
    this_year = _in_year(renewal, today.year)
    return this_year if this_year > today else _in_year(renewal, today.year + 1)


def term_start(subscription: Subscription, today: dt.date) -> dt.date:
    """Since when the tier cannot have been lowered: the renewal before; without one, a year ago."""
    renewal = next_renewal(subscription, today)
    if renewal is None:
        return _in_year(today, today.year - 1)
    if subscription.commitment == "monthly" and (renewal - today).days <= 31:
        return min(today, _month_before(renewal))
    return min(today, _in_year(renewal, renewal.year - 1))


def _in_year(day: dt.date, year: int) -> dt.date:
    return day.replace(year=year, day=min(day.day, calendar.monthrange(year, day.month)[1]))


def _month_before(day: dt.date) -> dt.date:
    last = day.replace(day=1) - dt.timedelta(days=1)
    return last.replace(day=min(day.day, last.day))
