"""A plan is the best setting there is: as counting every setting finds it, with the proof it claims, and in time."""

from __future__ import annotations

import itertools
import subprocess
import sys
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import marketable as mk
from batches import frame, portal, portals, touches
from marketable.what_if import plans, search
from marketable.what_if.moves import Moves

MOST_SETTINGS = 3**5
WAYS = ["counted", "searched", "solved"]
CALLED = plans.Called({"hubspot_form/A": True}, {"hubspot_form": "HubSpot forms"})


@contextmanager
def only(way: str) -> Iterator[None]:
    """Plans are found in one of the three ways, the search giving up at once where the solver is meant."""
    with pytest.MonkeyPatch.context() as patch:
        if way != "counted":
            patch.setattr(plans, "_MOST_COUNTED", 0)
        if way == "solved":
            patch.setattr(search, "_GLANCE", 0)
            patch.setattr(search, "_TRIES", 0)
        yield


def forms(sets: dict[str, int], **switches: Any) -> mk.WhatIf:
    """What-ifs of contacts and the forms they met: A on 1 May, a on 3 May; "-" is set as marketing by hand.

    Arguments: sets, how many contacts met which; switches, by form.
    """
    rows = [
        (f"{met}{number}", "set_marketing", "", "2024-05-01")
        if one == "-"
        else (f"{met}{number}", "hubspot_form", one.upper(), "2024-05-01" if one.isupper() else "2024-05-03")
        for met, contacts in sets.items()
        for number in range(contacts)
        for one in met
    ]
    batch = pd.DataFrame(rows, columns=["contact_id", "source", "asset", "occurred_at"])
    return mk.WhatIf(batch, mk.Portal(switches={"hubspot_form": switches} if switches else {}))


def agency(many: int, contacts: int, seed: int = 1) -> tuple[pd.DataFrame, mk.Portal]:
    """A batch of many forms, few of them large, where a fifth of the contacts met two to six."""
    draw = np.random.default_rng(seed)
    likely = 1 / np.arange(1, many + 1)
    met = np.where(draw.random(contacts) < 0.2, draw.integers(2, 7, contacts), 1)
    contact = np.repeat(np.arange(contacts), met)
    form = draw.choice(many, len(contact), p=likely / likely.sum())
    batch = pd.DataFrame(
        {
            "contact_id": contact.astype(str),
            "occurred_at": np.datetime64("2024-06-01", "s") + draw.integers(0, 500 * 86_400, len(contact)),
            "source": "hubspot_form",
            "asset": [f"Form {number}" for number in form],
        }
    )
    histories = ["on", "on", "off", [{"switch": "off"}, {"from": "2025-01-01", "switch": "on"}]]
    return batch, mk.Portal(switches={"hubspot_form": {f"Form {n}": histories[n % 4] for n in range(many)}})


def best_of_all(what_if: mk.WhatIf, limit: int, keep: Collection[str], turn_on: bool) -> tuple[int, int]:
    """The marketing contacts and the flips of the best setting: every one is counted."""
    names = [name for name in what_if.switches.index if name not in keep]
    states = [None, False, True] if turn_on else [None, False]
    assume(len(states) ** len(names) <= MOST_SETTINGS)
    counted = []
    for setting in itertools.product(states, repeat=len(names)):
        flips = {name: on for name, on in zip(names, setting, strict=True) if on is not None}
        counted.append((int(what_if.counts(flips)["marketing"]), len(flips)))
    within = [(-marketing, flips) for marketing, flips in counted if marketing <= limit]
    marketing, flips = min(within or counted)
    return abs(marketing), flips


def check(what_if: mk.WhatIf, limit: int, keep: Collection[str], turn_on: bool) -> None:
    expected = best_of_all(what_if, limit, keep, turn_on)
    for way in WAYS:
        with only(way):
            plan = what_if.plan(limit, keep, turn_on=turn_on, time_limit=60, progress=False)
            again = what_if.plan(limit, keep, turn_on=turn_on, time_limit=60, progress=False)
        assert (plan.marketing, len(plan.flips)) == expected, way
        assert plan == again
        assert plan.optimal and plan.fewest and plan.gap == 0
        assert plan.marketing == what_if.counts(plan.flips)["marketing"]
        assert plan.baseline == what_if.counts()["marketing"]
        assert plan.within == (plan.remains is None) == (plan.marketing <= limit)
        assert list(plan.flips) == [name for name in what_if.switches.index if name in plan.flips]
        assert not set(plan.flips) & set(keep)
        assert turn_on or not any(plan.flips.values())
        assert plan.remains is None or plan.remains.sum() == plan.marketing


@given(touches(), portals, st.integers(0, 6), st.data())
def test_a_plan_is_the_best_of_all_settings(
    batch: list[dict[str, Any]], account: dict[str, Any], limit: int, data: st.DataObject
) -> None:
    what_if = mk.WhatIf(frame(batch), portal(account))
    names = list(what_if.switches.index)
    keep = data.draw(st.lists(st.sampled_from(names), unique=True)) if names else []
    check(what_if, limit, keep, data.draw(st.booleans()))


histories = st.sampled_from(
    [
        "on",
        "off",
        [{"switch": "on"}, {"from": "2024-05-02", "switch": "off"}],
        [{"switch": "off"}, {"from": "2024-05-02", "switch": "on"}],
    ]
)


@given(
    st.dictionaries(st.text("AaBbCcDdEe-", min_size=1, max_size=4), st.integers(1, 9), min_size=1, max_size=12),
    st.fixed_dictionaries({}, optional=dict.fromkeys("ABCDE", histories)),
    st.integers(0, 60),
    st.sets(st.sampled_from("ABCDE")),
    st.booleans(),
)
def test_a_plan_is_the_best_where_exposures_overlap_and_switches_have_a_history(
    sets: dict[str, int], switches: dict[str, Any], limit: int, kept: set[str], turn_on: bool
) -> None:
    what_if = forms(sets, **switches)
    keep = {f"hubspot_form/{name}" for name in kept} & set(what_if.switches.index)
    check(what_if, limit, keep, turn_on)


@pytest.mark.parametrize("turn_on", [False, True])
@pytest.mark.parametrize("share", [0.3, 0.6, 0.8, 0.95, 1.02])
def test_a_portal_of_600_forms_is_planned_and_proven_and_decide_counts_the_same(share: float, turn_on: bool) -> None:
    batch, account = agency(600, 20_000)
    what_if = mk.WhatIf(batch, account)
    plan = what_if.plan(int(what_if.counts()["marketing"] * share), turn_on=turn_on, time_limit=60, progress=False)
    assert plan.optimal and plan.fewest
    assert plan.marketing == (plan.limit if share < 1 or turn_on else plan.baseline)
    assert plan.marketing == mk.decide(batch, account.with_switches(plan.flips)).counts()["marketing"]


# ---- limits, kept switches, and what is said ----


def test_nothing_is_flipped_where_the_baseline_is_within() -> None:
    plan = forms({"A": 3, "B": 2}, B="off").plan(3)
    assert plan.flips == {} and plan.within and plan.optimal and plan.fewest
    assert str(plan) == "No switch needs to go off: 3 marketing contacts stay, exactly the limit."
    assert str(forms({"A": 1}).plan(3)) == "No switch needs to go off: 1 marketing contact stays, 2 below 3."


def test_ties_go_to_the_fewest_flips() -> None:
    plan = forms({"A": 2, "B": 2, "C": 4, "D": 9}).plan(13)
    assert plan.flips == {"hubspot_form/C": False}


def test_what_may_go_on_is_turned_on() -> None:
    what_if = forms({"A": 3, "B": 2, "C": 7}, B="off", C="on")
    assert what_if.plan(9).flips == {"hubspot_form/A": False}
    plan = what_if.plan(9, turn_on=True)
    assert plan.flips == {"hubspot_form/A": False, "hubspot_form/B": True}
    assert str(plan) == (
        "Turn off A and turn on B: 9 marketing contacts, 1 fewer than the baseline, exactly the limit. "
        "No other setting within 9 keeps more; none that keeps as many has fewer flips."
    )


def test_a_kept_switch_is_not_touched() -> None:
    what_if = forms({"A": 3, "B": 4})
    assert what_if.plan(4).flips == {"hubspot_form/A": False}
    assert what_if.plan(4, ["hubspot_form/A"]).flips == {"hubspot_form/B": False}
    assert what_if.plan(4, "hubspot_form/A") == what_if.plan(4, ["hubspot_form/A"])


def test_a_limit_that_cannot_be_met_is_told_with_what_remains_and_why() -> None:
    plan = forms({"-": 5, "A-": 2, "A": 3, "B": 4, "AB": 1, "C": 2}).plan(9, ["hubspot_form/A", "hubspot_form/B"])
    assert plan.flips == {"hubspot_form/C": False} and not plan.within and plan.optimal
    assert plan.remains is not None and plan.remains.to_dict() == {
        "always": 7,
        "hubspot_form/A": 3,
        "hubspot_form/B": 4,
        "several kept switches": 1,
    }
    assert str(plan) == (
        "9 cannot be met: with every switch off that may go off, 15 marketing contacts remain. 7 were made marketing "
        "by hand or by tools without a switch, 8 come through switches that are kept (A and B)."
    )


def test_a_limit_of_nothing() -> None:
    assert forms({"A": 3, "AB": 4}).plan(0).flips == {"hubspot_form/A": False, "hubspot_form/B": False}
    assert str(forms({"-": 1, "A": 1}).plan(0)) == (
        "0 cannot be met: with every switch off that may go off, 1 marketing contact remains. "
        "1 was made marketing by hand or by tools without a switch."
    )


def test_an_empty_batch_has_a_plan() -> None:
    assert forms({}).plan(0).flips == {}


def test_many_switches_are_not_all_named_and_two_of_one_name_are_told_apart() -> None:
    assert str(forms(dict.fromkeys("ABCDEF", 1)).plan(0)).startswith("Turn off A, B, C and 3 others: 0 marketing")
    rows = [("1", "hubspot_form", "Demo"), ("2", "chatflow", "Demo"), ("3", "non_hubspot_form", "")]
    batch = pd.DataFrame(rows, columns=["contact_id", "source", "asset"]).assign(occurred_at="2024-05-01")
    what_if = mk.WhatIf(batch, mk.Portal(switches={"chatflow": {"Demo": "on"}, "non_hubspot_form": "on"}))
    assert str(what_if.plan(0)).startswith("Turn off HubSpot forms: Demo, Non-HubSpot forms and Chatflows: Demo: ")


@pytest.mark.parametrize("limit", [-1, 2.5, True, "2000", None, float("nan"), float("inf")])
def test_what_is_no_limit_is_refused(limit: Any) -> None:
    with pytest.raises(mk.DataError, match="no limit"):
        forms({"A": 1}).plan(limit)


@pytest.mark.parametrize("limit", [1.0, np.int64(1), np.float64(1)])
def test_a_whole_number_of_any_kind_is_a_limit(limit: Any) -> None:
    assert forms({"A": 2}).plan(limit).limit == 1


@pytest.mark.parametrize("seconds", [0, -1, True, "10", float("nan"), float("inf")])
def test_what_is_no_time_limit_is_refused(seconds: Any) -> None:
    with pytest.raises(mk.DataError, match="no time limit"):
        forms({"A": 1}).plan(1, time_limit=seconds)


def test_an_unknown_switch_is_refused_and_the_nearest_offered() -> None:
    with pytest.raises(mk.UnknownNameError, match="Did you mean 'hubspot_form/A'"):
        forms({"A": 1}).plan(1, ["hubspot_from/A"])


# ---- time ----


def hard(many: int = 40) -> Moves:
    """Sizes so large and so different that no two settings are alike, and none is just at the limit."""
    at = np.arange(many)
    sizes = np.random.default_rng(1).integers(10**12, 2 * 10**12, many)
    return Moves(at, np.ones(many, dtype=bool), at, sizes, at, at, 0)


def test_when_time_is_up_the_best_found_is_within_the_limit_and_the_gap_is_told() -> None:
    moves, seen = hard(), []
    room = int(moves.contacts.sum()) // 2
    watch = plans.Watch(0.5, lambda *told: seen.append(told))
    best, bound = plans._best(moves, room, watch)
    assert watch.seconds < 5
    assert 0.99 * room < best.contacts == moves.reached(best.on) < bound <= room
    assert seen and all(seconds > 0 and kept <= most for seconds, kept, most in seen)


def test_a_time_limit_holds_for_a_large_portal() -> None:
    batch, account = agency(600, 20_000)
    what_if = mk.WhatIf(batch, account)
    plan = what_if.plan(6_000, time_limit=1e-6, progress=False)
    assert plan.seconds < 5
    assert plan.marketing == what_if.counts(plan.flips)["marketing"] <= plan.bound <= 6_000


def test_what_is_on_at_the_end_and_was_not_always_is_turned_on_from_the_beginning() -> None:
    history = [{"switch": "off"}, {"from": "2024-05-02", "switch": "on"}]
    plan = forms({"A": 3, "a": 2}, A=history).plan(5, turn_on=True)
    assert plan.flips == {"hubspot_form/A": True}
    assert str(plan).startswith("Turn on A (from the beginning): 5 marketing contacts, 3 more than the baseline")


def test_a_name_that_another_switch_has_too_is_told_with_its_tool() -> None:
    batch = pd.DataFrame(
        [("1", "hubspot_form", " News "), ("2", "chatflow", "News")], columns=["contact_id", "source", "asset"]
    )
    plan = mk.WhatIf(batch.assign(occurred_at="2024-05-01"), mk.Portal(switches={"chatflow": {"News": "on"}})).plan(1)
    assert str(plan).startswith(("Turn off HubSpot forms: News:", "Turn off Chatflows: News:"))


def test_what_is_not_proven_is_said() -> None:
    known = {"limit": 10, "flips": {"hubspot_form/A": False}, "marketing": 8, "baseline": 12, "remains": None}
    plan = mk.Plan(**known, bound=9, fewest=False, seconds=10.1)
    assert not plan.optimal and plan.gap == 1
    assert plans._words(plan, CALLED).endswith("This is the best found in 10.1 s; at most 1 more could be kept.")
    plan = mk.Plan(**known, bound=8, fewest=False, seconds=10.1)
    assert plans._words(plan, CALLED).endswith("keeps more; perhaps one that keeps as many has fewer flips.")


def test_an_interruption_gets_through_and_the_solver_stops() -> None:
    def interrupted(seconds: float, *_: int) -> None:
        if seconds > 0.5:
            raise KeyboardInterrupt

    moves, watch = hard(), plans.Watch(60, interrupted)
    with only("solved"), pytest.raises(KeyboardInterrupt):
        plans._best(moves, int(moves.contacts.sum()) // 2, watch)
    assert watch.seconds < 10


def test_there_is_a_bar_only_where_it_takes_long(capsys: pytest.CaptureFixture[str]) -> None:
    forms({"A": 3}).plan(1)
    assert capsys.readouterr() == ("", "")
    for progress, shown in ((None, True), (False, False)):
        watch = plans.Watch(10, progress)
        watch.began, watch.bound = time.monotonic() - 2, 2_000
        assert watch.go_on(1_900)
        watch.close()
        assert ("1,900 contacts kept, at most 2,000" in capsys.readouterr().err) == shown


def test_the_solver_is_loaded_when_it_is_needed() -> None:
    code = "import sys, marketable; print([name for name in ('highspy', 'tqdm') if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
