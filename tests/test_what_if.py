"""`WhatIf` counts exposures, `decide` walks the touches, the reference does so slowly: all three must agree, for every
batch and every setting of the switches."""

from __future__ import annotations

import copy
import datetime as dt
import itertools
import time
from collections.abc import Callable, Iterator
from typing import Any
from unittest import mock

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal, assert_series_equal

import marketable as mk
from batches import FEW, Case, cases, frame, portal, spellings, states
from marketable.engine import sorting
from reference import (
    MARKETING,
    Flip,
    counted,
    edition_on,
    exposed,
    marketing_contacts,
    rule_on,
    shapley,
    switches_of,
)

WAYS = ("source", "asset", "month")
FEWER = settings(max_examples=max(20, settings.default.max_examples // 3))


def _marketing(what_if: mk.WhatIf, flips: Any = None) -> int:
    return int(what_if.counts(flips)["marketing"])


# ---- The counts are those of decide, and of the reference ----


@given(cases(), st.data(), st.sampled_from([4, sorting._PART]))
def test_the_counts_after_any_flips_are_what_decide_and_the_reference_count(
    case: Case, data: st.DataObject, rows_a_part: int
) -> None:
    with mock.patch.object(sorting, "_PART", rows_a_part):  # large batches are worked on in parts
        what_if = case.what_if()
        for _ in range(4):
            flips = data.draw(case.flips(what_if.switches.index))
            decided, reference = case.decide(flips), case.reference(flips)
            counts = what_if.counts(flips)
            assert_series_equal(counts, decided.counts())
            assert {status: count for status, count in counts.items() if count} == counted(reference)
            for by in WAYS:
                table = what_if.by(by, flips)
                assert_frame_equal(table, decided.counts(by))
                cells = {
                    (label, status): row[status] for label, row in table.to_dict("index").items() for status in row
                }
                assert {cell: count for cell, count in cells.items() if count} == counted(reference, by), by


@given(cases(), st.data())
@FEWER
def test_every_way_to_write_a_flip_means_the_same(case: Case, data: st.DataObject) -> None:
    what_if = case.what_if()
    flips = data.draw(case.flips(what_if.switches.index))
    written = {name: data.draw(st.sampled_from(spellings(flip))) for name, flip in flips.items()}
    counts = what_if.counts(written)
    assert_series_equal(counts, what_if.counts(flips))
    assert_series_equal(counts, case.decide(written).counts())
    assert_frame_equal(what_if.switches_after(written), what_if.switches_after(flips))


@given(cases(), st.data())
@FEWER
def test_no_flips_are_the_baseline_and_a_flip_to_what_is_so_changes_nothing(case: Case, data: st.DataObject) -> None:
    what_if, baseline = case.what_if(), case.decide().counts()
    assert_series_equal(what_if.counts(), baseline)
    assert_series_equal(what_if.counts({}), baseline)
    assert_series_equal(what_if.counts(None), baseline)
    for by in WAYS:
        assert_frame_equal(what_if.by(by), case.decide().counts(by))
    history = portal(case.account).switches
    same: dict[str, Any] = {}
    for name in history:
        since, on = history[name][-1]
        same[name] = on if since is None else (since, on)
    assert_series_equal(what_if.counts(same), baseline)


@given(cases(), st.data())
@FEWER
def test_one_what_if_answers_the_same_whatever_was_asked_before(case: Case, data: st.DataObject) -> None:
    def answers(what_if: mk.WhatIf, flips: dict[str, Flip]) -> Iterator[pd.DataFrame]:
        names = [*flips][:2]
        questions: list[Callable[[], pd.DataFrame | pd.Series]] = [
            lambda: what_if.counts(flips),
            lambda: what_if.by("month", flips),
            lambda: what_if.switches_after(flips),
            lambda: what_if.switches,
            lambda: what_if.sweep(names),
        ]
        for question in questions:
            yield pd.DataFrame(question())

    asked = case.what_if()
    several = data.draw(st.lists(case.flips(asked.switches.index), min_size=2, max_size=3))
    for flips in [*several, *several[::-1]]:
        for answer, fresh in zip(answers(asked, flips), answers(case.what_if(), flips), strict=True):
            assert_frame_equal(answer, fresh)


# ---- What a switch accounts for ----


@given(cases())
@FEWER
def test_the_switches_are_all_that_the_portal_lists_and_all_that_the_batch_asked(case: Case) -> None:
    switches = case.what_if().switches
    assert switches.index.name == "switch" and switches.index.is_unique
    assert set(switches.index) == switches_of(case.batch, case.account, **case.options)
    for name, row in switches.iterrows():
        source, _, asset = str(name).partition("/")
        assert (row["source"], row["asset"]) == (source, asset)


@given(cases())
@FEWER
def test_a_switch_is_shown_on_if_it_is_at_the_end(case: Case) -> None:
    end = case.decide().as_of
    if pd.isna(end):
        return
    edition = edition_on(case.options.get("edition") or end.date())
    for name, row in case.what_if().switches.iterrows():
        stated = portal(case.account).is_on(str(name), end.to_pydatetime())
        by_default = rule_on(row["source"], edition).default == MARKETING
        assert row["on"] == (by_default if stated is None else stated), name


@given(cases())
def test_exposed_are_the_contacts_which_the_switch_alone_makes_marketing(case: Case) -> None:
    switches = case.what_if().switches
    expected = exposed(case.batch, case.account, switches.index, **case.options)
    assert switches["exposed"].to_dict() == {name: len(contacts) for name, contacts in expected.items()}


@given(cases())
@FEWER
def test_sole_are_the_contacts_that_are_lost_if_the_switch_alone_was_never_on(case: Case) -> None:
    before = counted(case.reference()).get("marketing", 0)
    for name, sole in case.what_if().switches["sole"].items():
        assert sole == before - counted(case.reference({str(name): False})).get("marketing", 0), name


@given(cases(few=True))
@FEWER
def test_credit_is_what_a_switch_adds_on_the_average_over_every_order_of_turning_them_on(case: Case) -> None:
    what_if = case.what_if()
    players = [str(name) for name in what_if.switches.index]
    assert set(players) <= set(FEW)

    def worth(coalition: frozenset[str]) -> int:
        return counted(case.reference({name: False for name in players if name not in coalition})).get("marketing", 0)

    expected = shapley(players, worth)
    assert what_if.switches["credit"].to_dict() == pytest.approx({name: float(x) for name, x in expected.items()})
    assert what_if.always == worth(frozenset())
    assert sum(expected.values()) + what_if.always == worth(frozenset(players)) == _marketing(what_if)


@given(cases())
@FEWER
def test_credits_and_what_no_switch_can_turn_off_are_all_the_marketing_contacts(case: Case) -> None:
    what_if = case.what_if()
    switches = what_if.switches
    all_off = case.reference(dict.fromkeys(switches.index, False))
    assert what_if.always == len(marketing_contacts(all_off))
    assert switches["credit"].sum() + what_if.always == pytest.approx(_marketing(what_if))
    assert (switches["sole"] <= switches["credit"] + 1e-9).all() and (switches["credit"] <= switches["exposed"]).all()


@given(cases(), st.data())
@FEWER
def test_the_switches_after_flips_are_the_switches_of_the_flipped_portal(case: Case, data: st.DataObject) -> None:
    what_if = case.what_if()
    flips = data.draw(case.flips(what_if.switches.index))
    flipped = mk.WhatIf(frame(case.batch), portal(case.account).with_switches(flips), **case.for_library)
    assert_frame_equal(what_if.switches_after(flips), flipped.switches)
    assert what_if.always == flipped.always


# ---- Sweeps ----


@given(cases(), st.data())
@FEWER
def test_a_sweep_has_a_row_for_each_setting_with_its_counts(case: Case, data: st.DataObject) -> None:
    what_if = case.what_if()
    every = list(what_if.switches.index)
    names = data.draw(st.lists(st.sampled_from(every), unique=True, max_size=4)) if every else []
    sweep, by_source = what_if.sweep(names), what_if.sweep(names, by="source")
    rows = list(itertools.product([False, True], repeat=len(names)))
    assert len(sweep) == len(by_source) == len(rows)
    if names:
        assert sweep.index.names == by_source.index.names == names
        assert list(sweep.index) == rows
        assert sweep.index.equals(by_source.index)
    assert sweep.columns.equals(what_if.counts().index)
    for at, row in enumerate(rows):
        setting = dict(zip(names, row, strict=True))
        decided = case.decide(setting)
        assert sweep.iloc[at].to_dict() == decided.counts().to_dict()
        by = decided.counts("source")["marketing"]
        assert by_source.iloc[at].to_dict() == {**dict.fromkeys(by_source.columns, 0), **by.to_dict()}


def _forms(count: int) -> list[str]:
    return [f"hubspot_form/{number}" for number in range(count)]


def _batch_of_forms(contact: np.ndarray, form: np.ndarray) -> pd.DataFrame:
    """Touches by forms, one a day, or so, whoever comes first."""
    day = pd.Timestamp("2024-03-01") + pd.to_timedelta(np.arange(len(contact)) % 500, unit="D")
    return pd.DataFrame(
        {"contact_id": contact, "occurred_at": day, "source": "hubspot_form", "asset": form.astype("str")}
    )


def test_all_settings_of_sixteen_switches_are_counted_at_once() -> None:
    rng = np.random.default_rng(16)
    batch = _batch_of_forms(rng.integers(0, 300, 1_200), rng.integers(0, 16, 1_200))
    what_if = mk.WhatIf(batch, mk.Portal())
    started = time.perf_counter()
    sweep = what_if.sweep(_forms(16))
    assert time.perf_counter() - started < 5
    sets = (2 ** batch["asset"].astype(int)).groupby(batch["contact_id"]).agg(np.bitwise_or.reduce)
    forms, contacts = np.unique(sets, return_counts=True)
    on = sum(sweep.index.get_level_values(number).to_numpy() * (1 << number) for number in range(16))
    assert sweep["marketing"].tolist() == (((on[:, None] & forms) > 0) @ contacts).tolist()
    assert (sweep.sum(axis=1) == batch["contact_id"].nunique()).all()


def test_a_sweep_takes_twenty_switches_and_no_more() -> None:
    batch = _batch_of_forms(np.arange(21), np.arange(21))
    what_if = mk.WhatIf(batch, mk.Portal())
    sweep = what_if.sweep(_forms(20))
    assert len(sweep) == 2**20
    assert sweep["marketing"].iloc[[0, -1]].tolist() == [1, 21]
    with pytest.raises(mk.DataError, match=r"21 switches.*at most 20"):
        what_if.sweep(_forms(21))


# ---- Hundreds of switches, thousands of assets ----


def _portal_of_forms(count: int, rng: np.random.Generator) -> mk.Portal:
    """One form in three as delivered, one switched, one with a history."""
    histories = [{"switch": True}, {"from": "2024-09-01", "switch": False}, {"from": "2025-02-01", "switch": True}]
    settings = {
        str(form): bool(rng.integers(2)) if form % 3 == 1 else histories[int(rng.integers(3)) :]
        for form in range(count)
        if form % 3
    }
    return mk.Portal(switches={"hubspot_form": settings})


def _random_flips(count: int, forms: int, rng: np.random.Generator) -> dict[str, Any]:
    return {
        f"hubspot_form/{form}": (dt.date(2024, int(rng.integers(3, 13)), 1), on) if rng.integers(2) else on
        for form, on in zip(rng.integers(0, forms, count).tolist(), rng.integers(2, size=count) > 0, strict=True)
    }


def _batch_with_two_busy_contacts(forms: int, rng: np.random.Generator) -> pd.DataFrame:
    """Among others one that took 100 different forms, and one of 1,200 touches."""
    contact = np.concatenate([rng.integers(2, 4_000, 12_000), np.zeros(100, dtype=int), np.ones(1_200, dtype=int)])
    form = np.concatenate([rng.integers(0, forms, 12_000), np.arange(100) * 5, rng.integers(0, forms, 1_200)])
    shuffled = rng.permutation(len(contact))
    return _batch_of_forms(contact[shuffled], form[shuffled])


@pytest.mark.parametrize("forms", [600, 4_000])
def test_flips_of_hundreds_of_switches_count_as_decide_does(forms: int) -> None:
    rng = np.random.default_rng(forms)
    account, batch = _portal_of_forms(forms, rng), _batch_with_two_busy_contacts(forms, rng)
    what_if = mk.WhatIf(batch, account)
    names = set(what_if.switches.index)
    assert set(account.switches) <= names and len(names) > 0.9 * forms
    busiest = {f"hubspot_form/{form}": False for form in batch["asset"][batch["contact_id"] < 2].unique()}
    for flips in (busiest, *(_random_flips(size, forms, rng) for size in (3, 100, forms // 2))):
        flips = {name: flip for name, flip in flips.items() if name in names}
        decided = mk.decide(batch, account.with_switches(flips))
        assert_series_equal(what_if.counts(flips), decided.counts())
        assert_frame_equal(what_if.by("month", flips), decided.counts("month"))
        assert_frame_equal(what_if.by("asset", flips), decided.counts("asset"))


@pytest.mark.parametrize("forms", [600, 4_000])
def test_the_shares_of_hundreds_of_switches_are_those_a_group_by_finds(forms: int) -> None:
    rng = np.random.default_rng(forms)
    batch = _batch_with_two_busy_contacts(forms, rng)
    is_off = rng.random(forms) < 0.6
    settings = {str(form): False for form in np.flatnonzero(is_off)}
    switches = mk.WhatIf(batch, mk.Portal(switches={"hubspot_form": settings})).switches.set_index("asset")

    taken = batch[["contact_id", "asset"]].drop_duplicates()
    on = taken[~is_off[taken["asset"].astype(int)]]
    many = on.groupby("contact_id")["asset"].transform("size")
    assert many.max() > 64
    expected = pd.DataFrame(
        {
            "exposed": taken.groupby("asset").size(),
            "sole": (many == 1).groupby(on["asset"]).sum(),
            "credit": (1 / many).groupby(on["asset"]).sum(),
        }
    )
    assert_frame_equal(
        switches[["exposed", "sole", "credit"]].sort_index(),
        expected.reindex(switches.index, fill_value=0).fillna(0).sort_index(),
        check_dtype=False,
    )
    assert switches["on"].tolist() == [not is_off[int(form)] for form in switches.index]
    assert switches["credit"].sum() == pytest.approx(on["contact_id"].nunique())


# ---- What people give, and what they get back ----

BATCH = pd.DataFrame(
    [
        ("1", "2024-03-01", "hubspot_form", "News"),
        ("2", "2024-03-01", "integration", "Zapier"),
        ("2", "2024-04-01", "hubspot_form", "News"),
        ("3", "2024-05-01", "hubspot_form", "Demo"),
        ("4", "2024-05-01", "set_marketing", ""),
    ],
    columns=["contact_id", "occurred_at", "source", "asset"],
)
ACCOUNT = mk.Portal(
    time_zone="Europe/Berlin",
    switches={
        "hubspot_form": {"Demo": False, "Old": True},
        "non_hubspot_form": [{"from": "2024-01-01", "switch": "on"}],
    },
)
NEWS, DEMO = "hubspot_form/News", "hubspot_form/Demo"


@pytest.mark.parametrize(
    ("as_of", "again", "exposed"),
    [
        ("2024-03-31 23:59:59.999999", [], {NEWS: 1}),
        ("2024-04-01", [], {NEWS: 0}),
        ("2024-04-01", [("1", "2024-03-20", "hubspot_form", "Demo")], {NEWS: 0, DEMO: 1}),
        ("2024-04-01", [("1", "2024-03-20", "manual", "")], {NEWS: 0}),
    ],
)
def test_an_update_date_empties_what_came_before_the_request(
    as_of: str, again: list[tuple[str, ...]], exposed: dict[str, int]
) -> None:
    rows = [("1", "2024-03-01", "hubspot_form", "News"), ("1", "2024-03-10", "set_non_marketing", ""), *again]
    what_if = mk.WhatIf(pd.DataFrame(rows, columns=BATCH.columns), mk.Portal(), as_of=as_of)
    assert what_if.switches["exposed"].to_dict() == exposed
    assert _marketing(what_if) == sum(exposed.values())


@pytest.mark.parametrize(("as_of", "statuses"), [("2024-03-01 23:59:59.999999", [0, 0, 0]), ("2024-03-02", [0, 1, 0])])
def test_a_contact_from_before_access_has_a_status_from_the_access_day_on(as_of: str, statuses: list[int]) -> None:
    what_if = mk.WhatIf(BATCH.head(1), mk.Portal(access_since="2024-03-02"), as_of=as_of)
    assert what_if.counts().tolist() == what_if.counts({NEWS: ("2024-02-01", True)}).tolist() == statuses
    assert what_if.switches["exposed"].tolist() == [0]


@pytest.mark.parametrize("first", [True, False])
def test_a_switch_that_was_on_at_one_of_a_contacts_touches_has_the_contact_once(first: bool) -> None:
    rows = [("1", "2024-03-01", "hubspot_form", "News"), ("1", "2024-03-10", "hubspot_form", "News")]
    history = [{"switch": first}, {"from": "2024-03-05", "switch": not first}]
    batch = pd.DataFrame(rows, columns=BATCH.columns)
    what_if = mk.WhatIf(batch, mk.Portal(switches={"hubspot_form": {"News": history}}))
    assert what_if.switches.loc[NEWS, ["on", "exposed", "sole", "credit"]].tolist() == [not first, 1, 1, 1.0]
    assert _marketing(what_if, {NEWS: ("2024-03-05", False)}) == (1 if first else 0)


def test_the_same_switch_may_be_asked_about_one_date_after_another() -> None:
    what_if = mk.WhatIf(BATCH, ACCOUNT)
    dates = [f"2024-{month:02}-{day:02}" for month in (2, 3, 4, 5, 6, 7) for day in (1, 2)]
    for date in [*dates, *dates[::-1]]:
        flips = {NEWS: (date, False), DEMO: (date, True)}
        assert_series_equal(what_if.counts(flips), mk.decide(BATCH, ACCOUNT.with_switches(flips)).counts())


def test_a_sweep_leaves_the_baseline_as_it_was() -> None:
    what_if = mk.WhatIf(BATCH, ACCOUNT)
    before = what_if.counts()
    what_if.sweep([NEWS])
    assert_series_equal(what_if.counts(), before)


def test_a_dated_flip_replaces_all_changes_from_its_moment_on_and_keeps_those_before() -> None:
    history = [{"switch": False}, {"from": "2024-03-01", "switch": True}, {"from": "2024-03-20", "switch": True}]
    account = mk.Portal(switches={"hubspot_form": {"News": history}})
    batch = pd.DataFrame(
        [(str(day), f"2024-03-{day:02}", "hubspot_form", "News") for day in (1, 9, 10, 20, 30)], columns=BATCH.columns
    )
    flips = {NEWS: ("2024-03-10", False)}
    assert _marketing(mk.WhatIf(batch, account), flips) == 2
    flipped = account.with_switches(flips)
    assert mk.decide(batch, flipped).counts()["marketing"] == 2
    assert [on for _, on in flipped.switches[NEWS]] == [False, True, False]
    after_the_end = mk.WhatIf(batch, account).switches_after({NEWS: ("2024-03-30 00:00:01", False)})
    assert after_the_end["on"].tolist() == [True]


def test_a_flip_at_a_time_with_a_zone_begins_at_the_accounts_local_time() -> None:
    batch = BATCH.head(1).assign(occurred_at="2024-03-01 00:30")
    for flip, marketing in (("2024-02-29T23:30+00:00", 0), ("2024-02-29T23:31+00:00", 1)):
        assert _marketing(mk.WhatIf(batch, ACCOUNT), {NEWS: (flip, False)}) == marketing


def test_what_is_given_stays_as_it_was() -> None:
    batch, account = BATCH.copy(), ACCOUNT.model_copy(deep=True)
    contacts = pd.DataFrame({"contact_id": ["9", "1"], "created_at": ["2023-01-01", None], "status": "marketing"})
    before = contacts.copy()
    flips = {NEWS: ("2024-03-15", False), DEMO: {"from": dt.date(2024, 5, 1), "switch": "on"}}
    given = copy.deepcopy(flips)
    what_if = mk.WhatIf(batch, account, contacts=contacts)
    for by in WAYS:
        what_if.by(by, flips)
    assert what_if.counts(flips)["marketing"] == 4
    assert what_if.sweep([NEWS, DEMO]).shape == (4, 3) and what_if.switches_after(flips).shape == (5, 6)
    assert_frame_equal(batch, BATCH)
    assert_frame_equal(contacts, before)
    assert account == ACCOUNT and account.text() == ACCOUNT.text() and flips == given


def test_a_batch_that_is_changed_afterwards_does_not_change_the_answers() -> None:
    batch, contacts = BATCH.copy(), pd.DataFrame({"contact_id": ["1"], "status": ["non-marketing"]})
    what_if = mk.WhatIf(batch, ACCOUNT, contacts=contacts)
    batch.loc[:, "source"], contacts.loc[:, "status"] = "manual", "marketing"
    flips = {NEWS: ("2024-03-15", False)}
    assert what_if.counts(flips)["marketing"] == 2


def test_a_switch_that_no_touch_asked_is_listed_and_its_flips_change_nothing() -> None:
    what_if = mk.WhatIf(BATCH, ACCOUNT)
    assert list(what_if.switches.index) == [DEMO, NEWS, "hubspot_form/Old", "non_hubspot_form", "integration/Zapier"]
    for name in ("hubspot_form/Old", "non_hubspot_form"):
        assert what_if.switches.loc[name, ["on", "exposed", "sole", "credit"]].tolist() == [True, 0, 0, 0]
        for flip in (True, False, ("2024-04-01", False)):
            assert_series_equal(what_if.counts({name: flip}), what_if.counts())
            assert what_if.switches_after({name: flip}).loc[name, "on"] == (flip is True)
        sweep = what_if.sweep([name, NEWS])
        assert sweep.loc[False].equals(sweep.loc[True])


def test_the_columns_of_the_switches_are_of_one_kind_whatever_the_batch_is() -> None:
    kinds = mk.WhatIf(BATCH, ACCOUNT).switches.dtypes
    for batch in (BATCH.head(0), BATCH.tail(1)):
        assert mk.WhatIf(batch, ACCOUNT).switches.dtypes.equals(kinds)


def test_an_empty_batch_has_nobody_and_the_portals_switches_as_they_end() -> None:
    what_if = mk.WhatIf(BATCH.head(0), ACCOUNT)
    assert what_if.counts().tolist() == what_if.counts({DEMO: True}).tolist() == [0, 0, 0]
    assert all(what_if.by(by).empty for by in WAYS) and what_if.always == 0
    assert what_if.switches["on"].to_dict() == {DEMO: False, "hubspot_form/Old": True, "non_hubspot_form": True}
    assert not what_if.switches[["exposed", "sole", "credit"]].to_numpy().any()
    after = what_if.switches_after({"non_hubspot_form": ("2024-02-01", False), DEMO: True})
    assert after["on"].to_dict() == {DEMO: True, "hubspot_form/Old": True, "non_hubspot_form": False}
    assert what_if.sweep([DEMO]).to_numpy().tolist() == [[0, 0, 0], [0, 0, 0]]


def test_a_batch_of_actions_only_has_no_switches() -> None:
    actions = [("1", "2024-03-01", "set_marketing"), ("2", "2024-03-01", "set_non_marketing")]
    batch = pd.DataFrame(actions, columns=["contact_id", "occurred_at", "source"])
    what_if = mk.WhatIf(batch, mk.Portal())
    assert what_if.switches.empty and what_if.always == 1
    assert what_if.counts().tolist() == [1, 0, 1]
    assert what_if.sweep([]).to_numpy().tolist() == [[1, 0, 1]]
    assert what_if.sweep([], by="source").to_numpy().sum() == 1


ASK: dict[str, Callable[[mk.WhatIf, str], Any]] = {
    "counts": lambda what_if, name: what_if.counts({name: False}),
    "by": lambda what_if, name: what_if.by("source", {name: ("2024-05-01", False)}),
    "switches_after": lambda what_if, name: what_if.switches_after({name: True}),
    "sweep": lambda what_if, name: what_if.sweep([NEWS, name]),
}


@pytest.mark.parametrize("ask", ASK)
def test_a_switch_that_is_none_of_the_batchs_nor_of_the_portals_is_refused_with_the_nearest(ask: str) -> None:
    what_if = mk.WhatIf(BATCH, ACCOUNT)
    with pytest.raises(mk.UnknownNameError, match=r"'hubspot_form/Newz'.*Did you mean 'hubspot_form/News'") as refused:
        ASK[ask](what_if, "hubspot_form/Newz")
    assert isinstance(refused.value, KeyError)
    with pytest.raises(mk.UnknownNameError, match="'chatflow/News'"):
        ASK[ask](what_if, "chatflow/News")


@pytest.mark.parametrize(
    ("flip", "words"),
    [
        ("off", "True or False: 'off'"),
        (1.5, "True or False: 1.5"),
        (2, "True or False: 2"),
        (None, "True or False"),
        ([True], "True or False"),
        (("2024-05-01",), "True or False"),
        (("2024-05-01", "off"), "True or False"),
        (["2024-05-01", False], "True or False"),
        (pd.NA, "True or False"),
        (("soon", False), "not a date: 'soon'"),
        (("2024-02-30", False), "not a date: '2024-02-30'"),
        ((7, False), "not a date: 7"),
        ((pd.NaT, False), "not a date"),
        ({"from": "2024-05-01"}, "its date and its switch"),
        ({"from": "2024-05-01", "switch": "maybe"}, "on or off: 'maybe'"),
        ({"form": "2024-05-01", "switch": "off"}, "Did you mean 'from'"),
    ],
)
def test_what_is_no_flip_is_refused_with_the_switchs_name(flip: Any, words: str) -> None:
    what_if = mk.WhatIf(BATCH, ACCOUNT)
    for ask in (what_if.counts, what_if.switches_after, lambda flips: what_if.by("month", flips)):
        with pytest.raises(mk.PortalError, match=words) as refused:
            ask({NEWS: flip})
        assert NEWS in str(refused.value)


def test_a_sweep_of_a_switch_named_twice_is_refused() -> None:
    with pytest.raises(mk.DataError, match="named twice: 'hubspot_form/News'"):
        mk.WhatIf(BATCH, ACCOUNT).sweep([NEWS, DEMO, NEWS])


def test_a_way_to_count_that_there_is_not_is_refused() -> None:
    what_if = mk.WhatIf(BATCH, ACCOUNT)
    with pytest.raises(mk.UnknownNameError, match="Did you mean 'source'"):
        what_if.by("sources")
    with pytest.raises(mk.UnknownNameError, match="'month'"):
        what_if.sweep([NEWS], by="month")


# ---- What must hold between answers ----


@given(cases(), st.data())
@FEWER
def test_a_flip_on_never_lowers_and_a_flip_off_never_raises_the_marketing_count(
    case: Case, data: st.DataObject
) -> None:
    what_if = case.what_if()
    before = data.draw(case.flips(what_if.switches.index))
    on = data.draw(states)
    one_way = {name: on if isinstance(flip, bool) else (flip[0], on) for name, flip in before.items()}
    difference = _marketing(what_if, one_way) - _marketing(what_if)
    assert difference >= 0 if on else difference <= 0


@given(cases(), st.data())
@FEWER
def test_a_switch_adds_no_more_to_a_larger_setting_than_to_a_smaller(case: Case, data: st.DataObject) -> None:
    what_if = case.what_if()
    names = list(what_if.switches.index)
    if not names:
        return
    small, more = (data.draw(st.sets(st.sampled_from(names))) for _ in range(2))
    added = data.draw(st.sampled_from(names))

    def gain(on: set[str]) -> int:
        setting = {name: name in on for name in names}
        return _marketing(what_if, setting | {added: True}) - _marketing(what_if, setting | {added: False})

    assert gain(small) >= gain(small | more) >= 0


def _renamed(case: Case, new: Callable[[str], str]) -> Case:
    def rename(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [row | {"contact_id": new(row["contact_id"])} for row in rows]

    contacts = {"contacts": rename(case.options["contacts"])} if "contacts" in case.options else {}
    return Case(rename(case.batch), case.account, case.options | contacts)


@given(cases(), st.data())
@FEWER
def test_every_contact_twice_doubles_everything(case: Case, data: st.DataObject) -> None:
    copies = _renamed(case, "copy of {}".format)
    contacts = {}
    if "contacts" in case.options:
        contacts["contacts"] = [*case.options["contacts"], *copies.options["contacts"]]
    once, twice = case.what_if(), Case([*case.batch, *copies.batch], case.account, case.options | contacts).what_if()
    flips = data.draw(case.flips(once.switches.index))
    assert_series_equal(twice.counts(flips), 2 * once.counts(flips))
    assert_frame_equal(twice.by("month", flips), 2 * once.by("month", flips))
    sums = ["exposed", "sole", "credit"]
    assert_frame_equal(twice.switches_after(flips)[sums], 2 * once.switches_after(flips)[sums])
    assert twice.always == 2 * once.always


@given(cases(), st.permutations(["1", "2", "3", "4", "5", "6", "007", "7", "9", "a@example.com"]), st.data())
@FEWER
def test_who_is_called_what_changes_nothing(case: Case, ids: list[str], data: st.DataObject) -> None:
    new = dict(zip(sorted(ids), ids, strict=True))
    own, other = case.what_if(), _renamed(case, new.__getitem__).what_if()
    flips = data.draw(case.flips(own.switches.index))
    assert_series_equal(other.counts(flips), own.counts(flips))
    for by in WAYS:
        assert_frame_equal(other.by(by, flips), own.by(by, flips))
    assert_frame_equal(other.switches_after(flips), own.switches_after(flips))


def test_what_is_no_mapping_of_flips_and_no_portal_is_refused_with_words() -> None:
    what_if = mk.WhatIf(mk.sample_touches(10), mk.Portal())
    for flips in ("hubspot_form/Newsletter", ["hubspot_form/Newsletter"]):
        with pytest.raises(mk.DataError, match="These are no flips"):
            what_if.counts(flips)  # type: ignore[arg-type]
    for made in (mk.WhatIf, mk.decide):
        with pytest.raises(mk.PortalError, match="This is no portal"):
            made(mk.sample_touches(10), "data/portal.yaml")  # type: ignore[operator]
