"""The days on which HubSpot lets a request to become non-marketing take effect."""

from __future__ import annotations

import calendar
import datetime as dt

from .portal import Subscription


def update_date_after(day: dt.date, subscription: Subscription) -> dt.date:
    """The first update date after a day: the first of the month for a yearly commitment; for a monthly one the renewal
    day, or the month's last day where the month is shorter (an assumption: no text was read).

    Source: HubSpot, "Understand marketing contacts billing", read in 2025-04-16.

    >>> monthly = Subscription(commitment="monthly", renewal="2024-01-31")
    >>> [str(update_date_after(dt.date(2024, 2, day), monthly)) for day in (28, 29)]
    ['2024-02-29', '2024-03-31']
    """
    this_month = _in_month(day.year, day.month, subscription)
    if this_month > day:
        return this_month
    if day >= dt.date.max.replace(day=1):  # where the calendar ends
        return dt.date.max
    following = dt.date(day.year + day.month // 12, day.month % 12 + 1, 1)
    return _in_month(following.year, following.month, subscription)


def last_update_date(day: dt.date, subscription: Subscription) -> dt.date:
    """The latest update date up to and including a day.

    >>> monthly = Subscription(commitment="monthly", renewal="2024-01-31")
    >>> [str(last_update_date(dt.date(2024, month, 29), monthly)) for month in (2, 3)]
    ['2024-02-29', '2024-02-29']
    """
    this_month = _in_month(day.year, day.month, subscription)
    if this_month <= day:
        return this_month
    if day < dt.date(1, 2, 1):  # where the calendar begins
        return dt.date.min
    before = day.replace(day=1) - dt.timedelta(days=1)
    return _in_month(before.year, before.month, subscription)


def rests_on(update_date: dt.date, subscription: Subscription) -> str:
    """The lifecycle rule behind an update date: its name in the rulebook."""
    if subscription.commitment == "yearly":
        return "update_date_yearly"
    assert subscription.renewal is not None
    return "update_date_monthly" if update_date.day == subscription.renewal.day else "update_date_short_month"


def _in_month(year: int, month: int, subscription: Subscription) -> dt.date:
    if subscription.commitment == "yearly":
        return dt.date(year, month, 1)
    assert subscription.renewal is not None
    return dt.date(year, month, min(subscription.renewal.day, calendar.monthrange(year, month)[1]))
