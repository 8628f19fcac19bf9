"""Batches and portals made to be awkward: ties, gaps between editions, histories, waits, contacts of a thousand
touches."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from hypothesis import strategies as st

import marketable as mk
from reference import (
    ACTIONS,
    EDITIONS,
    RULES,
    Flip,
    ReferenceOutcome,
    at_midnight,
    flipped,
    reference_decide,
    update_date_after,
)

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
seldom = st.sampled_from([False, False, False, True])
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


def touches(
    zones: st.SearchStrategy[Any] = NO_ZONE, most: int = 30, least: int = 0
) -> st.SearchStrategy[list[dict[str, Any]]]:
    """Lists of touches of few contacts; `zones` draws the zone of each time."""
    one = st.fixed_dictionaries(
        {
            "contact_id": st.sampled_from(["1", "2", "3", "007", "7", "a@example.com"]),
            "occurred_at": st.builds(lambda moment, zone: moment.replace(tzinfo=zone), moments, zones),
            "source": st.sampled_from([*RULES, *ACTIONS * 3, "hubspot_form", "import_single_object"]),
            "asset": st.sampled_from(ASSETS),
        }
    )
    return st.lists(one, min_size=least, max_size=most)


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

# Five switches, each of which says of itself and of the others all that there is to say: for what takes 2^5 settings.
FEW = ("hubspot_form/A", "hubspot_form/B", "non_hubspot_form", "import_single_object/A", "chatflow/A")
few_portals = st.builds(
    lambda account, some: account | {"switches": some},
    portals,
    st.fixed_dictionaries(
        {},
        optional={
            "non_hubspot_form": _history(states),
            "hubspot_form": st.dictionaries(st.sampled_from("AB"), _history(states), min_size=1),
            "import_single_object": st.fixed_dictionaries({"A": _history(states)}),
            "chatflow": st.fixed_dictionaries({"A": _history(states)}),
        },
    ),
)
few_touch = st.builds(
    lambda contact_id, moment, name: {
        "contact_id": contact_id,
        "occurred_at": moment,
        "source": name.partition("/")[0],
        "asset": name.partition("/")[2],
    },
    st.sampled_from("1234567"),
    moments,
    st.sampled_from([*FEW * 2, "manual", "not covered", *ACTIONS]),
)

# The hours at which clocks are put forward and back in two of the time zones.
_CLOCKS_CHANGE = [
    dt.datetime(*day, *hour)
    for day in ((2023, 10, 29), (2023, 11, 5), (2024, 3, 31), (2024, 3, 10))
    for hour in ((1, 30), (2, 0), (2, 30), (3, 0))
]
zones = st.sampled_from([None, dt.UTC, dt.timezone(dt.timedelta(hours=-7))])


@dataclass(frozen=True)
class Case:
    """A batch, a portal and options, as the reference takes them and as the library does."""

    batch: list[dict[str, Any]]
    account: dict[str, Any]
    options: dict[str, Any]

    @property
    def for_library(self) -> dict[str, Any]:
        contacts = pd.DataFrame(self.options.get("contacts", []))
        return self.options | {"contacts": contacts if len(contacts) else None}

    def what_if(self) -> mk.WhatIf:
        return mk.WhatIf(frame(self.batch), portal(self.account), **self.for_library)

    def decide(self, flips: Mapping[str, Any] | None = None) -> mk.Outcome:
        return mk.decide(frame(self.batch), portal(self.account).with_switches(flips or {}), **self.for_library)

    def reference(self, flips: Mapping[str, Flip] | None = None) -> ReferenceOutcome:
        return reference_decide(self.batch, flipped(self.account, flips or {}), **self.options)

    def flips(self, names: Iterable[str]) -> st.SearchStrategy[dict[str, Flip]]:
        """Flips of any of the switches, mostly of those that the batch touched; from the beginning or from a moment on:
        one of the batch or of the portal's history, a little before or after it, or any other."""
        if not (names := list(names)):
            return st.just({})
        near = [touch["occurred_at"] for touch in self.batch]
        near += [change.since for history in portal(self.account).switches.values() for change in history]
        shifts = st.sampled_from([dt.timedelta(0), dt.timedelta(microseconds=1), dt.timedelta(seconds=1)])
        near_one = st.builds(
            lambda moment, shift, sign: moment + sign * shift,
            st.sampled_from([moment for moment in near if moment] or [dt.datetime(2024, 2, 14)]),
            shifts,
            st.sampled_from([-1, 0, 1]),
        )
        dated = st.tuples(st.one_of(near_one, near_one, moments), states)
        of_batch = {"/".join(filter(None, (touch["source"], touch["asset"]))) for touch in self.batch}
        touched = [name for name in names if name in of_batch]
        some = st.one_of(st.sampled_from(touched), st.sampled_from(names)) if touched else st.sampled_from(names)
        return st.dictionaries(some, st.one_of(states, dated), min_size=1, max_size=8)


@st.composite
def cases(draw: st.DrawFn, *, few: bool = False) -> Case:
    """Batches with and without zones, with any of the options. With `few`, of no other switches than FEW; so are half
    of all: there more touches of a contact meet."""
    few = few or draw(st.booleans())
    account = draw(few_portals if few else portals)
    if not draw(seldom):  # a late access day, and an early end, leave little to ask about
        account = account | {"access_since": None}
    least = draw(st.sampled_from([15, 0]))
    if few:
        batch = draw(st.lists(few_touch, min_size=least, max_size=30))
    else:
        batch = draw(touches(draw(st.sampled_from([NO_ZONE, zones])), least=least))
        if draw(seldom):
            batch = [touch | {"occurred_at": draw(_by_the_clock_change(touch))} for touch in batch]
    options: dict[str, Any] = {}
    if draw(st.booleans()):
        options["contacts"] = draw(listed)
    if draw(seldom):
        near = [touch["occurred_at"] for touch in batch] + [
            at_midnight(update_date_after(touch["occurred_at"].date(), account["subscription"]))
            for touch in batch
            if touch["source"] == "set_non_marketing"
        ]
        near += [at_midnight(account["access_since"])] if account["access_since"] else []
        options["as_of"] = draw(st.one_of(moments, st.sampled_from(near)) if near else moments)
    if draw(seldom):
        options["edition"] = draw(st.sampled_from(EDITIONS))
    return Case(batch, account, options)


def _by_the_clock_change(touch: dict[str, Any]) -> st.SearchStrategy[dt.datetime]:
    return st.sampled_from(_CLOCKS_CHANGE).map(lambda moment: moment.replace(tzinfo=touch["occurred_at"].tzinfo))


def spellings(flip: Flip) -> list[Any]:
    """All the ways to write one flip."""
    if isinstance(flip, bool):
        return [flip, np.bool_(flip), {"switch": flip}, {"switch": "on" if flip else "off"}]
    moment, state = flip
    ways: list[Any] = [
        (moment, state),
        (moment.isoformat(), np.bool_(state)),
        (pd.Timestamp(moment), state),
        {"from": moment, "switch": state},
        {"from": moment.isoformat(), "switch": "on" if state else "off"},
    ]
    if moment.time() == dt.time() and moment.tzinfo is None:
        ways += [(moment.date(), state), (f"{moment:%Y-%m-%d}", state)]
    return ways


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


def settings_of(portal: mk.Portal) -> dict[str, Any]:
    """A portal as the settings that the slow reference takes."""
    switches: dict[str, Any] = {}
    for name, history in portal.switches.items():
        source, slash, asset = name.partition("/")
        entries = [({"from": since} if since else {}) | {"switch": on} for since, on in history]
        if slash:
            switches.setdefault(source, {})[asset] = entries
        else:
            switches[source] = entries
    return {
        "time_zone": portal.time_zone,
        "access_since": portal.access_since,
        "subscription": portal.subscription.model_dump(),
        "switches": switches,
    }
