"""The room's one entry: an account's data, its portal, and what is planned, put together to an outlook."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from marketable.auditing.audit import Audit, audit
from marketable.errors import DataError, PortalError
from marketable.exports import Export
from marketable.portal.portal import Portal, checked_portal
from marketable.portal.prices import Prices
from marketable.portal.term import next_renewal

from .account import Account
from .actions import Given
from .bill import check_tier
from .outlook import Outlook
from .past import past_of_audit, past_of_touches

_HALF_A_YEAR = dt.timedelta(weeks=26)
_LONGEST = dt.timedelta(days=3 * 366)


def forecast(
    source: Any,
    portal: Portal | None = None,
    prices: Prices | Mapping[str, Any] | None = None,
    actions: Given = (),
    until: str | dt.date | None = None,
) -> Outlook:
    """How many marketing contacts there will be, when the tier is crossed, and what that costs.

    The flow through forms, chats, apps, meetings and people at work is drawn from the account's own past, as it would
    have been under the switches that will be. Imports and bulk actions are no weather: they come if they are told.

    Arguments:
        source: touches, as for `decide`; an Export; or an Audit. Of an export today's count is HubSpot's own.
        portal: the account's facts: update dates, renewal, tier, switches. A change of a switch that it dates on a day
            to come is planned. Without, that of the audit, or every switch as HubSpot delivers it.
        prices: the price list, or {"included": 2000, "step": 5000, "monthly": 250}: contacts that are included,
            contacts of a further step, and what a step costs a month; also hub and currency, if told.
        actions: what is planned: dicts, or the path of a YAML file; see `forecasting.actions`.
        until: the day before which the line ends; by default the renewal, and without one half a year from the end of
            the data.

    Returns: an Outlook: `.by_day`, `.today`, `.crossing`, `.months`, `.effects`, `.calibration`, `.events`, `.notes`;
    as text, the answer in a few sentences. `.with_actions(others)` draws it anew.

    Raises: what `decide` and `audit` raise; DataError for actions that are not valid or cannot be (see `effects`), and
    for an end that is over or too far; PortalError for prices that are none or lack the tier.

    Source: update dates and upgrades as HubSpot's pages on marketing contacts and their billing tell them.

    >>> import numpy as np, pandas as pd
    >>> days = pd.date_range("2026-01-05", "2026-06-28")
    >>> days = days.repeat(np.random.default_rng(1).poisson(2, len(days)))
    >>> touches = pd.DataFrame({"contact_id": range(len(days)), "occurred_at": days, "source": "hubspot_form"})
    >>> portal = Portal(subscription={"tier": 400, "renewal": "2026-10-01"})
    >>> outlook = forecast(touches, portal, {"included": 400, "step": 1000, "monthly": 45})
    >>> print(outlook)  # doctest: +NORMALIZE_WHITESPACE
    330 marketing contacts on 2026-06-27, 70 below the tier of 400. It is likely to cross the tier on 2026-08-03
    (between 2026-07-26 and 2026-08-27). Then 1,400 contacts are billed until the renewal on 2026-10-01. Until then
    the contacts beyond the included ones cost 85.65 USD.
    """
    found = audit(source, portal) if isinstance(source, Export) else source
    if isinstance(found, Audit):
        portal = found.given if portal is None else checked_portal(portal)
        past = past_of_audit(found)
        prices = found.prices if prices is None else prices
    else:
        portal = checked_portal(Portal() if portal is None else portal)
        past = past_of_touches(found, portal)
    renewal = next_renewal(portal.subscription, past.today)
    end = _end(until, past.today, renewal)
    price_list = _prices(prices, portal)
    check_tier(portal.subscription, price_list, past.today)
    outlook = Outlook(Account(past, portal, price_list, end, renewal))
    return outlook.with_actions(actions)


def _end(until: str | dt.date | None, today: dt.date, renewal: dt.date | None) -> dt.date:
    if until is None:
        return renewal or today + _HALF_A_YEAR
    try:
        day = dt.date.fromisoformat(until) if isinstance(until, str) else until
    except ValueError:
        day = None
    day = day.date() if isinstance(day, dt.datetime) else day
    if not isinstance(day, dt.date):
        raise DataError("This is not a day", value=until, expected="a date like 2027-07-01")
    if not today < day <= today + _LONGEST:
        problem = "The end of the forecast is over" if day <= today else "The end of the forecast is too far"
        expected = f"a day after {today}, the last one that the data tell of, and at most three years after it"
        raise DataError(problem, value=str(day), expected=expected)
    return day


def _prices(prices: object, portal: Portal) -> Prices | None:
    if prices is None or isinstance(prices, Prices):
        return prices
    if not isinstance(prices, Mapping):
        expected = "Prices, or {included: 2000, step: 5000, monthly: 250}"
        raise PortalError("This is no price list", value=prices, expected=expected)
    told = {"hub": portal.subscription.hub, **prices}
    missing = [name for name in ("included", "step", "monthly") if name not in told]
    other = [name for name in told if name not in ("included", "step", "monthly", "hub", "currency")]
    if missing or other:
        problem = f"The prices lack {missing[0]}" if missing else "This name is not known here"
        raise PortalError(
            problem, value=other[0] if other else None, expected="included, step and monthly; also hub and currency"
        )
    return Prices.flat(**told)
