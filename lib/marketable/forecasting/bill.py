"""From the count to the bill: the renewal, the tier after automatic upgrades, and what each month costs.

One day over the tier upgrades to the next step, charged pro rata from the day after, and nothing lowers it before the
renewal. Source: HubSpot, "Understand marketing contacts billing", text of 2021; that there is no way down before the
renewal is told at first hand, not by that text.
"""

from __future__ import annotations

import calendar
import datetime as dt
from dataclasses import dataclass

import numpy as np
import pandas as pd

from marketable.errors import PortalError
from marketable.portal.portal import Subscription
from marketable.portal.prices import Prices
from marketable.portal.update_dates import update_date_after

# Contacts a step, as read by practitioners about 2022 to 2025, for who gives no prices.
STEPS = {"starter": 1_000, "professional": 5_000, "enterprise": 10_000}


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


def term_start(subscription: Subscription, renewal: dt.date | None, today: dt.date) -> dt.date:
    """Since when the tier cannot have been lowered: the renewal before; without one, a year ago."""
    if renewal is None:
        return _in_year(today, today.year - 1)
    if subscription.commitment == "monthly" and (renewal - today).days <= 31:
        return min(today, _month_before(renewal))
    return min(today, _in_year(renewal, renewal.year - 1))


@dataclass(frozen=True)
class Bill:
    """By day of the term: `tier`, for how many contacts is billed, and `price`, what that day costs beside the hub
    itself (NaN where the list has no price). `over_since`: the first day over the tier, or None.
    """

    tier: np.ndarray
    price: np.ndarray
    over_since: dt.date | None


def bill(days: pd.DatetimeIndex, marketing: np.ndarray, subscription: Subscription, prices: Prices | None) -> Bill:
    """What is billed on the days of a term, by the count at the end of each.

    Raises: PortalError for a tier that the price list does not have.

    >>> week = pd.date_range("2026-06-01", periods=4)
    >>> counted = bill(week, np.array([1999, 2001, 1990, 7001]), Subscription(tier=2000), Prices.flat(2000, 5000, 300))
    >>> counted.tier.tolist(), counted.price.tolist(), str(counted.over_since)
    ([2000, 2000, 7000, 7000], [0.0, 0.0, 10.0, 10.0], '2026-06-02')
    """
    tier = subscription.tier
    if tier is None:
        nothing = np.full(len(days), np.nan)
        return Bill(nothing, nothing, None)
    highest = np.maximum.accumulate(marketing)
    before = np.concatenate([[0], highest[:-1]])  # charged from the following day
    dates = [day.date() for day in days]
    of_day = {date: None if prices is None else prices.step(subscription.hub, date) for date in dates}
    if prices is not None:
        _check_tier(tier, subscription.hub, prices, dates)
    size = np.array([(STEPS[subscription.hub] if step is None else step.contacts) for step in of_day.values()])
    more = np.ceil(np.maximum(before - tier, 0) / size)
    billed = np.maximum.accumulate(tier + more * size)
    monthly = np.array([np.nan if step is None else step.monthly for step in of_day.values()])
    included = np.array([tier if step is None or step.included is None else step.included for step in of_day.values()])
    length = np.array([calendar.monthrange(date.year, date.month)[1] for date in dates])
    price = (billed - included) / size * monthly / length
    over = np.flatnonzero(marketing > tier)
    return Bill(billed.astype(np.int64), price, dates[over[0]] if len(over) else None)


def months(days: pd.DatetimeIndex, marketing: np.ndarray, billed: Bill, subscription: Subscription) -> pd.DataFrame:
    """The bill by month: marketing (after the month's update date; before one that is not reached, at the end), tier
    and price (of the month's days that are in the term; NaN without a price).
    """
    frame = pd.DataFrame({"marketing": marketing, "tier": billed.tier, "price": billed.price}, index=days)
    by_month = frame.groupby(days.to_period("M"))
    table = by_month.agg(marketing=("marketing", "last"), tier=("tier", "max"))
    table["price"] = by_month["price"].sum(min_count=1).round(2)
    if subscription.commitment == "yearly" or subscription.renewal is not None:
        for month in table.index:
            update = update_date_after(month.start_time.date() - dt.timedelta(days=1), subscription)
            if pd.Timestamp(update) in frame.index:
                table.loc[month, "marketing"] = int(frame["marketing"].loc[pd.Timestamp(update)])
    return table.rename_axis("month")


def _check_tier(tier: int, hub: str, prices: Prices, dates: list[dt.date]) -> None:
    step = prices.step(hub, dates[-1])
    if step is None or step.included is None:
        return
    steps = (tier - step.included) / step.contacts
    if steps < 0 or steps != int(steps):
        near = [step.included + max(0, int(steps) + more) * step.contacts for more in (0, 1)]
        raise PortalError(
            "The price list does not have this tier", place=("subscription", "tier"), value=tier,
            expected=" or ".join(f"{int(each):,}" for each in dict.fromkeys(near)),
            advice=f"It has {step.included:,.0f} included and steps of {step.contacts:,.0f}.",
        )  # fmt: skip


def _in_year(day: dt.date, year: int) -> dt.date:
    return day.replace(year=year, day=min(day.day, calendar.monthrange(year, day.month)[1]))


def _month_before(day: dt.date) -> dt.date:
    last = day.replace(day=1) - dt.timedelta(days=1)
    return last.replace(day=min(day.day, last.day))
