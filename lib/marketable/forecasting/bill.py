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


def check_tier(subscription: Subscription, prices: Prices | None, day: dt.date) -> None:
    """Raises: PortalError for a tier that the price list of a day does not have."""
    step = None if prices is None else prices.step(subscription.hub, day)
    if subscription.tier is None or step is None or step.included is None:
        return
    steps = (subscription.tier - step.included) / step.contacts
    if steps < 0 or steps != int(steps):
        near = {step.included + max(0, int(steps) + more) * step.contacts for more in (0, 1)}
        raise PortalError(
            "The price list does not have this tier",
            place=("subscription", "tier"),
            value=subscription.tier,
            expected=" or ".join(f"{each:,.0f}" for each in sorted(near)),
            advice=f"It has {step.included:,.0f} included and steps of {step.contacts:,.0f}.",
        )


@dataclass(frozen=True)
class Bill:
    """By day of the term: `tier`, for how many contacts is billed, and `price`, what that day costs beside the hub
    itself (NaN where the list has no price).
    """

    tier: np.ndarray
    price: np.ndarray


def bill(days: pd.DatetimeIndex, marketing: np.ndarray, subscription: Subscription, prices: Prices | None) -> Bill:
    """What is billed on the days of a term, by the count at the end of each.

    >>> week = pd.date_range("2026-06-01", periods=4)
    >>> counted = bill(week, np.array([1999, 2001, 1990, 7001]), Subscription(tier=2000), Prices.flat(2000, 5000, 300))
    >>> counted.tier.tolist(), counted.price.tolist()
    ([2000, 2000, 7000, 7000], [0.0, 0.0, 10.0, 10.0])
    """
    tier = subscription.tier
    if tier is None:
        nothing = np.full(len(days), np.nan)
        return Bill(nothing, nothing)
    highest = np.maximum.accumulate(marketing)
    before = np.concatenate([[0], highest[:-1]])  # charged from the following day
    dates: list[dt.date] = days.to_numpy("datetime64[D]").tolist()
    steps = [None if prices is None else prices.step(subscription.hub, date) for date in dates]
    size = np.array([STEPS[subscription.hub] if step is None else step.contacts for step in steps])
    more = np.ceil(np.maximum(before - tier, 0) / size)
    billed = np.maximum.accumulate(tier + more * size)
    monthly = np.array([np.nan if step is None else step.monthly for step in steps])
    included = np.array([tier if step is None or step.included is None else step.included for step in steps])
    length = np.array([calendar.monthrange(date.year, date.month)[1] for date in dates])
    return Bill(billed.astype(np.int64), (billed - included) / size * monthly / length)


def months(days: pd.DatetimeIndex, marketing: np.ndarray, billed: Bill, subscription: Subscription) -> pd.DataFrame:
    """The bill by month: marketing (after the month's update date; before one that is not reached, at the end), tier
    and price (of the month's days that are in the term; NaN without a price).
    """
    day = days.to_numpy("datetime64[D]")
    month, starts = np.unique(day.astype("datetime64[M]"), return_index=True)
    at = np.append(starts[1:], len(day)) - 1
    if subscription.commitment == "yearly" or subscription.renewal is not None:
        before = [first - dt.timedelta(days=1) for first in month.astype("datetime64[D]").tolist()]
        updates = np.array([update_date_after(each, subscription) for each in before], dtype="datetime64[D]")
        place = (updates - day[0]).astype(np.int64)
        at = np.where((place >= 0) & (place < len(day)), place, at)
    price = np.add.reduceat(billed.price, starts).round(2)
    columns = {"marketing": marketing[at], "tier": np.maximum.reduceat(billed.tier, starts), "price": price}
    return pd.DataFrame(columns, index=pd.PeriodIndex(month, freq="M", name="month"))
