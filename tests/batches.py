"""Batches and portals made to be awkward: ties, gaps between editions, histories, waits, contacts of a thousand
touches."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pandas as pd
from hypothesis import strategies as st

import marketable as mk
from reference import ACTIONS, EDITIONS, RULES

ASSETS = ("", "A", "B / b", "été: 'x' 🎉", " A ")
PER_ASSET = ("hubspot_form", "chatflow", "import_single_object", "import_multi_object", "integration")
# Few moments, close to what changes: editions, access days, update dates, switch changes. So ties and boundaries are
# common.
_DAYS = [day + dt.timedelta(days=shift) for day in EDITIONS for shift in (-1, 0, 1, 40)] + [
    dt.date(2024, month, day) for month in (1, 2, 3, 4, 5) for day in (1, 15, 28, 29)
]
_HOURS = [dt.time(0), dt.time(0, 0, 0, 1), dt.time(9, 30), dt.time(23, 59, 59)]
days = st.sampled_from(_DAYS)
moments = st.builds(dt.datetime.combine, days, st.sampled_from(_HOURS))
states = st.booleans()
NO_ZONE = st.none()


def _history(change: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    dated = st.lists(
        st.fixed_dictionaries({"from": moments, "switch": change}),
        min_size=1,
        max_size=4,
        unique_by=lambda x: x["from"],
    )
    plain_first = st.builds(lambda first, rest: [{"switch": first}, *rest], change, dated)
    return st.one_of(change, dated, plain_first)


switches = st.fixed_dictionaries(
    {},
    optional={
        "non_hubspot_form": _history(states),
        **{source: st.dictionaries(st.sampled_from(ASSETS), _history(states), min_size=1) for source in PER_ASSET},
    },
)
subscriptions = st.one_of(
    st.just({"commitment": "yearly", "renewal": None}),
    st.fixed_dictionaries(
        {"commitment": st.just("monthly"), "renewal": st.dates(dt.date(2024, 1, 1), dt.date(2024, 1, 31))}
    ),
)
portals = st.fixed_dictionaries(
    {
        "time_zone": st.sampled_from(["UTC", "Europe/Berlin", "America/New_York"]),
        "access_since": st.one_of(st.none(), days),
        "subscription": subscriptions,
        "switches": switches,
    }
)


def touches(zones: st.SearchStrategy[Any] = NO_ZONE, most: int = 30) -> st.SearchStrategy[list[dict[str, Any]]]:
    """Lists of touches of few contacts; `zones` draws the zone of each time."""
    one = st.fixed_dictionaries(
        {
            "contact_id": st.sampled_from(["1", "2", "3", "007", "7", "a@example.com"]),
            "occurred_at": st.builds(lambda moment, zone: moment.replace(tzinfo=zone), moments, zones),
            "source": st.sampled_from([*RULES, *ACTIONS * 3, "hubspot_form", "import_single_object"]),
            "asset": st.sampled_from(ASSETS),
        }
    )
    return st.lists(one, max_size=most)


listed = st.lists(
    st.fixed_dictionaries(
        {
            "contact_id": st.sampled_from(["1", "2", "9"]),
            "created_at": st.one_of(st.none(), moments),
            "status": st.sampled_from(["marketing", "non-marketing", "not covered"]),
            "source": st.sampled_from(["", "manual", "hubspot_form"]),
            "asset": st.sampled_from(["", "A"]),
        }
    ),
    max_size=3,
    unique_by=lambda contact: contact["contact_id"],
)


def frame(batch: list[dict[str, Any]]) -> pd.DataFrame:
    """A batch as a user would hold it."""
    columns = ["contact_id", "occurred_at", "source", "asset"]
    table = pd.DataFrame({column: [touch[column] for touch in batch] for column in columns})
    if any(touch["occurred_at"].tzinfo for touch in batch):
        table["occurred_at"] = pd.Series([touch["occurred_at"] for touch in batch], dtype=object)
    else:
        table["occurred_at"] = pd.to_datetime(table["occurred_at"])
    return table


def portal(settings: dict[str, Any]) -> mk.Portal:
    """A portal of the settings that the reference takes."""
    return mk.Portal(**settings)
