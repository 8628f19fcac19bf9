"""What comes: the past is exact, the line stands on it, and what actions do can be counted by hand."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

import marketable as mk
from batches import few_portals, few_touch, frame, portal, portals, touches, zones

TODAY = dt.date(2026, 10, 31)  # a Saturday
PRICES = {"included": 2000, "step": 5000, "monthly": 300, "currency": "EUR"}


def account(weekly: int = 7, weeks: int = 40, source: str = "hubspot_form", asset: str = "News") -> pd.DataFrame:
    """So many new contacts each week, evenly, by one tool, up to today."""
    many = weekly * weeks
    ends = pd.Timestamp(TODAY) + pd.Timedelta(hours=20)
    at = ends - pd.to_timedelta(np.arange(many)[::-1] * 7 * 24 * 60 // weekly, unit="min")
    return pd.DataFrame({"contact_id": np.arange(many), "occurred_at": at, "source": source, "asset": asset})


def with_others(many: int, touches: pd.DataFrame, source: str = "import_single_object") -> pd.DataFrame:
    """Beside them contacts of one import, long before."""
    others = pd.DataFrame({"contact_id": 1_000_000 + np.arange(many), "occurred_at": touches["occurred_at"].min()})
    return pd.concat([others.assign(source=source, asset="Fair"), touches], ignore_index=True)


def portal_of(tier: int | None = 2000, *, renewal: str = "2027-05-01", **more: Any) -> mk.Portal:
    switches = {"hubspot_form": {"News": "on"}, "import_single_object": {"Fair": "on"}} | more.pop("switches", {})
    subscription = {"tier": tier, "renewal": renewal} | more.pop("subscription", {})
    return mk.Portal(subscription=subscription, switches=switches, **more)


class TestPast:
    @given(st.one_of(touches(zones), st.lists(few_touch, max_size=12)), st.one_of(portals, few_portals))
    def test_is_what_decide_says_on_every_day(self, batch: list[dict[str, Any]], settings: dict[str, Any]) -> None:
        table, account = frame(batch), portal(settings)
        if not len(table):
            return
        by_day = mk.forecast(table, account).by_day
        known = by_day[: mk.decide(table, account).as_of]
        for day in [*known.index[::30], *known.index[-3:]]:
            contacts = mk.decide(table, account, as_of=day + pd.Timedelta(hours=23, minutes=59, seconds=59)).contacts
            is_marketing = contacts["status"].eq("marketing")
            assert known.loc[day, "marketing"] == is_marketing.sum()
            assert known.loc[day, "waiting"] == (is_marketing & contacts["waiting"]).sum()

    def test_has_no_interval(self) -> None:
        known = mk.forecast(account(), portal_of()).by_day[: pd.Timestamp(TODAY)]
        assert known["low"].equals(known["marketing"]) and known["high"].equals(known["marketing"])
