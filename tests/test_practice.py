"""Practice: every right answer is the rules' own, there is exactly one, and mistakes come back."""

from __future__ import annotations

import datetime as dt
from collections import Counter

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import marketable as mk
from batches import settings_of
from lab import REPOSITORY
from marketable.auditing.explanations import AMBIGUOUS, BY_HAND, OLDER, SWITCH, WAITING
from marketable.lessons import deck, find_switch, within_tier
from marketable.lessons.batch import practice_touches, seeds
from marketable.lessons.deck import weighed
from marketable.lessons.export import ASKED, Row, Rows, made_up_export
from marketable.lessons.find_switch import Puzzle
from marketable.lessons.predict import KINDS, Cards, kinds_of
from marketable.lessons.story import Story, StoryTouch, has_switch
from marketable.lessons.within_tier import Task
from marketable.rulebook import ACTIONS, NOT_COVERED, SOURCES
from reference import reference_decide

FIRM = mk.Portal.load(REPOSITORY / "data" / "portal.yaml")
OTHER = mk.Portal(
    access_since="2023-01-01",
    subscription={"commitment": "monthly", "renewal": "2024-01-31"},
    switches={
        "hubspot_form": {"Tea tasting": "off", "Recipes": "on"},
        "non_hubspot_form": "off",
        "chatflow": {"Tea bot": [{"from": "2025-03-01", "switch": "on"}]},
        "integration": {"Till": "on"},
    },
)
PORTALS = {"the firm": FIRM, "a portal with its own names": OTHER, "every switch at its default": mk.Portal()}
every_portal = pytest.mark.parametrize("portal", PORTALS.values(), ids=PORTALS)


def by_the_reference(touches: pd.DataFrame, portal: mk.Portal, as_of: pd.Timestamp) -> str:
    """The status of the one contact of these touches, by the slow reference."""
    columns = ["contact_id", "occurred_at", "source", "asset"]
    rows = touches[columns].astype({"source": str, "asset": str}).to_dict("records")
    rows = [row | {"occurred_at": row["occurred_at"].to_pydatetime()} for row in rows]
    (contact,) = reference_decide(rows, settings_of(portal), as_of=as_of.to_pydatetime()).contacts.values()
    return str(contact["status"])


@every_portal
def test_a_batch_to_practise_on_is_the_same_for_the_same_seed_and_has_the_portals_own_names(portal: mk.Portal) -> None:
    touches = practice_touches(portal, "42/1", 2_000)
    pd.testing.assert_frame_equal(touches, practice_touches(portal, "42/1", 2_000))
    assert not touches.equals(practice_touches(portal, "42/2", 2_000))
    used = set(touches["source"] + "/" + touches["asset"])
    assert all(name in used for name in portal.switches if "/" in name)
    assert touches["occurred_at"].is_monotonic_increasing


def test_a_class_draws_alike_and_a_learner_alone_anew_each_time() -> None:
    assert [next(seeds(7)), next(seeds(7))] == ["7/1", "7/1"]
    assert next(seeds(None)) != next(seeds(None))


@every_portal
def test_the_right_answer_about_a_contact_is_what_the_slow_reference_says(portal: mk.Portal) -> None:
    for seed in range(3):
        cards = Cards(portal, seed)
        for _ in range(80):
            card = cards.draw({})
            assert card.status == by_the_reference(card.touches, portal, card.as_of), card.touches.to_string()
            assert not card.touches["occurred_at"].gt(card.as_of).any()


def test_a_contact_with_two_readings_is_not_asked_about() -> None:
    outcome = Cards(FIRM, 3).outcome
    asked = set(kinds_of(outcome).index)
    twice = set(outcome.read_twice.index[outcome.read_twice])
    assert len(twice) == outcome.ambiguous > 0
    assert not twice & asked
    undone = outcome.touches.loc[outcome.touches["rule"] == "undo", "contact_id"]
    assert len(undone) and not set(undone) & asked  # that it undoes the wait is an assumption
    reasons = outcome.contacts["reason"].astype("str")
    assert set(reasons.index[reasons.str.contains("ambiguous")]) == twice


@every_portal
@pytest.mark.parametrize("kind", KINDS)
def test_a_contact_is_of_the_kind_that_its_lesson_is_about(portal: mk.Portal, kind: str) -> None:
    if kind == "access" and portal.access_since is None:
        with pytest.raises(mk.DataError, match="No contact of the batch can be asked about"):
            Cards(portal, 1, [kind])
        return
    cards = Cards(portal, 1, [kind])
    for _ in range(20):
        card = cards.draw({})
        rules, tools = set(card.touches["rule"]), set(card.touches["source"])
        assert card.kind == kind
        assert {
            "fixed": rules <= {"fixed default", "unchanged"},
            "switch": bool(rules & {"switch on", "switch off"}) and "upgrade" not in rules,
            "silent": card.status == "not covered",
            "existing": "upgrade" in rules or (card.status == "non-marketing" and "unchanged" in rules),
            "by_hand": "set_marketing" in tools and card.status == "marketing",
            "update_date": "set_non_marketing" in tools,
            "access": "before access" in rules,
        }[kind]


def test_no_contact_comes_twice_before_all_have_come() -> None:
    cards = Cards(FIRM, 5, ["by_hand"])
    count = int(kinds_of(cards.outcome).eq("by_hand").sum())
    drawn = [cards.draw({}).contact.name for _ in range(2 * count)]
    assert set(Counter(drawn[:count]).values()) == {1} and set(Counter(drawn).values()) == {2}


def test_what_was_predicted_wrong_comes_more_often_and_less_so_once_it_is_right() -> None:
    def share(weights: dict[str, float]) -> float:
        cards = Cards(FIRM, 11, ["fixed", "switch", "update_date"])
        return sum(cards.draw(weights).kind == "update_date" for _ in range(400)) / 400

    wrong = weighed({}, "update_date", right=False)
    twice = weighed(wrong, "update_date", right=False)
    assert share({}) == pytest.approx(1 / 3, abs=0.08)
    assert share(wrong) == pytest.approx(3 / 5, abs=0.08)
    assert share(twice) == pytest.approx(9 / 11, abs=0.08)
    assert share(weighed(twice, "update_date", right=True)) == pytest.approx(3 / 5, abs=0.08)


@given(st.lists(st.tuples(st.sampled_from(sorted(KINDS)), st.booleans())))
def test_no_kind_ever_vanishes_or_takes_over(answers: list[tuple[str, bool]]) -> None:
    weights: dict[str, float] = {}
    for kind, right in answers:
        weights = weighed(weights, kind, right=right)
    assert all(1 <= weight <= deck.HEAVIEST for weight in weights.values())


def test_a_kind_that_does_not_exist_is_told_with_the_nearest() -> None:
    with pytest.raises(mk.UnknownNameError, match="Did you mean 'existing'"):
        Cards(FIRM, 1, ["exsiting"])


def seen(puzzle: Puzzle, switch: str) -> tuple[str, str]:
    """What can be seen, touch by touch, had this switch been turned on."""
    outcome = mk.decide(puzzle.touches, puzzle.portal.with_switches({switch: (puzzle.since, True)}))
    return outcome.counts("asset").to_csv(), outcome.by_day().to_csv()


@every_portal
def test_exactly_one_switch_explains_a_jump(portal: mk.Portal) -> None:
    for seed in range(4):
        puzzle = find_switch.find_switch(portal, seed)
        shown = puzzle.outcome.counts("asset").to_csv(), puzzle.outcome.by_day().to_csv()
        assert [switch for switch in puzzle.choices if seen(puzzle, switch) == shown] == [puzzle.answer]
        assert 2 <= len(puzzle.choices) <= find_switch.MOST_CHOICES
        by_notes = mk.decide(puzzle.touches, portal)
        assert by_notes.counts()["marketing"] < puzzle.tier < puzzle.outcome.counts()["marketing"]
        more = puzzle.outcome.counts()["marketing"] - by_notes.counts()["marketing"]
        assert puzzle.added(puzzle.answer) == more


def test_the_table_of_suspects_counts_each_contact_once_and_stands_out_where_the_switch_was_turned_on() -> None:
    puzzle = find_switch.find_switch(FIRM, 2)
    table = puzzle.created(puzzle.since)
    created = puzzle.outcome.contacts.groupby(["created_by", "asset"], observed=True).size()
    for switch, row in table.iterrows():
        source, _, asset = str(switch).partition("/")
        assert row["before"] + row["since"] == created[source, asset]
    share = table["marketing_since"] / table["since"]
    assert share.idxmax() == puzzle.answer


def test_an_account_in_which_nothing_can_jump_says_so() -> None:
    names = mk.WhatIf(practice_touches(mk.Portal(), 1), mk.Portal()).switches.index
    everything_on = mk.Portal().with_switches(dict.fromkeys(names, True))
    with pytest.raises(mk.DataError, match="No switch of this account would make"):
        find_switch.find_switch(everything_on, 1)


@every_portal
def test_a_choice_of_switches_is_judged_as_deciding_touch_by_touch_would(portal: mk.Portal) -> None:
    task = Task(portal, 1)
    assert task.baseline > task.tier
    flips = {str(name): False for name in task.switches.index[::2]}
    marketing = int(mk.decide(task.touches, portal.with_switches(flips)).counts()["marketing"])
    judged = task.judged(flips)
    assert (judged.marketing, judged.within) == (marketing, marketing <= task.tier)
    assert judged.plan.marketing <= task.tier
    by_plan = task.judged(judged.plan.flips)
    assert by_plan.good and by_plan.marketing == judged.plan.marketing


def test_no_choice_by_hand_keeps_more_than_the_plan() -> None:
    task = Task(OTHER, 3)
    names = [str(name) for name in task.switches.index]
    settings = task.what_if.sweep(names)["marketing"]
    assert settings[settings <= task.tier].max() == task.judged({}).plan.marketing


def test_doing_nothing_and_turning_everything_off_are_no_solutions() -> None:
    task = Task(FIRM, 4)
    assert not task.judged({}).good
    everything = task.judged({str(name): False for name in task.switches.index})
    assert everything.within and everything.good == (
        everything.marketing >= within_tier.NEARLY * everything.plan.marketing
    )


STEPS = st.lists(
    st.tuples(st.integers(0, 60), st.sampled_from([*SOURCES, "set_marketing", "set_non_marketing"]), st.booleans()),
    min_size=1,
    max_size=5,
)


@given(STEPS, st.integers(0, 90))
def test_a_story_ends_as_the_slow_reference_says(steps: list[tuple[int, str, bool]], after: int) -> None:
    begin = dt.date(2024, 3, 1)
    touches = [
        StoryTouch(day=begin + dt.timedelta(days), tool=tool, asset="One", on=on if has_switch(tool) else None)
        for days, tool, on in steps
    ]
    as_of = max(touch.day for touch in touches) + dt.timedelta(after)
    story = Story(touches=touches, as_of=as_of)
    outcome = story.outcome()
    for touch, told in zip(outcome.touches.itertuples(), touches, strict=True):
        switch = mk.Rulebook.load().on(begin).get(told.tool)
        name = switch.switch_name("One") if switch else None
        assert name is None or story.portal.is_on(name, touch.occurred_at) == told.on
    assert outcome.contacts["status"].item() == by_the_reference(
        outcome.touches, story.portal, pd.Timestamp(f"{as_of} 23:59:59")
    )


# ---- exports ----


@every_portal
def test_a_made_up_export_tells_creations_the_first_and_the_latest_form_and_true_statuses(portal: mk.Portal) -> None:
    made = made_up_export(portal, "42/1")
    told, every = made.export.touches, practice_touches(portal, "42/1")
    assert not set(told["source"]) & set(ACTIONS)
    forms = ["hubspot_form", "non_hubspot_form"]
    of_contact = every[every["source"].isin(forms)].groupby("contact_id")["occurred_at"]
    shown = told[told["source"].isin(forms)].groupby("contact_id")["occurred_at"]
    assert shown.min().equals(of_contact.min()) and shown.max().equals(of_contact.max())
    assert shown.size().max() <= 3  # a creation by form, and of those since then two
    truth = made.truth.contacts["status"].astype("str")
    covered = truth[truth != NOT_COVERED]
    assert made.export.contacts.loc[covered.index, "status"].astype("str").equals(covered)
    pd.testing.assert_frame_equal(made_up_export(portal, "42/1").export.contacts, made.export.contacts)


def drawn(rows: Rows, count: int = 80) -> list[Row]:
    return [rows.draw({}) for _ in range(count)]


@every_portal
@pytest.mark.parametrize("seed", ["42/1", "7/3"])
def test_what_the_audit_says_of_a_contact_that_is_asked_about_is_what_happened(portal: mk.Portal, seed: str) -> None:
    rows = Rows(portal, seed)
    truth = rows.made.truth.contacts
    asked = drawn(rows)
    assert {SWITCH, BY_HAND, WAITING, NOT_COVERED} <= {row.explanation for row in asked} <= set(ASKED)
    for row in asked:
        contact = truth.loc[row.contact.name]
        if row.explanation == BY_HAND:
            assert contact["decided_by"] in ACTIONS
        elif row.explanation == SWITCH:
            assert row.switches["differs"].sum() == 1
            assert contact["decided_by"] == row.switches.index[row.switches["differs"]][0]
        elif row.explanation == AMBIGUOUS:
            assert contact["decided_by"] not in ACTIONS
        elif row.explanation == OLDER:
            assert pd.Timestamp(row.cells["Create Date"]) < pd.Timestamp(portal.access_since)
        assert (row.explanation == WAITING) == (row.cells["Marketing contact until next update"] == "Yes")


def test_rows_are_the_same_for_the_same_seed_and_of_the_kinds_that_weigh() -> None:
    assert [row.cells for row in drawn(Rows(FIRM, 1), 9)] == [row.cells for row in drawn(Rows(FIRM, 1), 9)]
    rows = Rows(FIRM, 1)
    kinds = Counter(rows.draw({WAITING: 90.0}).explanation for _ in range(40))
    assert kinds[WAITING] > 25
