"""Practice: every right answer is the rules' own, there is exactly one, and mistakes come back."""

from __future__ import annotations

import datetime as dt
import random
from collections import Counter

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import marketable as mk
from batches import settings_of
from lab import REPOSITORY
from marketable.auditing.explanations import AMBIGUOUS, BY_HAND, OLDER, SWITCH, WAITING
from marketable.lessons import deck, final, find_switch, within_tier
from marketable.lessons.batch import practice_touches, seeds
from marketable.lessons.cases import cases
from marketable.lessons.deck import Asked, Deck, weighed
from marketable.lessons.export import ASKED, Row, Rows, made_up_export
from marketable.lessons.find_switch import Puzzle
from marketable.lessons.predict import Card, Cards
from marketable.lessons.story import Story, StoryTouch, has_switch
from marketable.lessons.tier import Firm, Firms
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
        cards = Cards(portal, seed, rounds=4)
        for _ in range(4):
            for card in cards.round({}, 20):
                account, as_of = cards.account.portal, pd.Timestamp(cards.outcome.as_of)
                assert card.status == by_the_reference(card.touches, account, as_of), card.touches.to_string()
                assert not card.touches["occurred_at"].gt(as_of).any()


@every_portal
def test_a_contact_with_two_readings_or_whose_wait_a_form_undoes_is_not_asked_about(portal: mk.Portal) -> None:
    cards = Cards(portal, 3, rounds=4)
    twice = cards.outcome.read_twice
    assert twice.any() and not {each.id for each in cards.asked} & set(twice.index[twice])
    undone = cards.outcome.touches.query("rule == 'undo' and source != 'set_marketing'")  # an assumption
    assert undone.empty


@every_portal
@pytest.mark.parametrize("case", cases())
def test_a_contact_is_of_the_case_that_it_was_made_up_for(portal: mk.Portal, case: str) -> None:
    cards = Cards(portal, 1, [case])
    first_access = cards.account.portal.access_since
    for asked in cards.asked:
        card = cards.card(asked)
        rules, last = card.touches["rule"].tolist(), card.touches["source"].iloc[-1]
        update, asked_on = pd.Timestamp(cards.account.update_date), card.touches["occurred_at"].iloc[-1]
        is_of_a_later_article = card.touches["occurred_at"].dt.date.ge(mk.Rulebook.load().newest.date).all()
        assert {
            "fixed": rules == ["fixed default"],
            "switch on": rules == ["switch on"],
            "switch off": rules == ["switch off"],
            "turned on later": rules == ["switch off", "unchanged"] and card.touches["asset"].nunique() == 1,
            "silent": card.status == "not covered",
            "upgraded": rules[-1] == "upgrade" and card.status == "marketing",
            "met by a switch that is off": (rules[-1] == "unchanged" and "was off" in card.touches["reason"].iloc[-1])
            or card.status == "marketing",
            "stays marketing": rules == ["switch on", "unchanged"] and card.status == "marketing",
            "met by a switch for new contacts": rules[-1] == "unchanged" and last in ("chatflow", "integration"),
            "set as marketing": last == "set_marketing" and card.status == "marketing",
            "waiting": card.contact["waiting"] and asked_on >= update,
            "released": last == "set_non_marketing" and card.status == "non-marketing" and asked_on < update,
            "undone": rules[-1] == "undo" and card.status == "marketing" and not card.contact["waiting"],
            "nothing to set": last == "set_non_marketing" and rules[-1] == "unchanged",
            "older": rules == ["before access"] and asked_on < pd.Timestamp(first_access or asked_on),
            "older, and met since": rules == ["before access", "upgrade"] and card.status == "marketing",
            "then": not is_of_a_later_article and card.status != "not covered",
            "ticked then": not is_of_a_later_article and card.status == "marketing",
            "now": is_of_a_later_article,
        }[case], card.touches.to_string()


@pytest.mark.parametrize("case", ["then", "ticked then"])
def test_what_an_older_article_decides_would_be_otherwise_by_the_newest(case: str) -> None:
    cards = Cards(FIRM, 2, [case])
    for asked in cards.asked:
        card = cards.card(asked)
        touches = card.touches[["contact_id", "occurred_at", "source", "asset"]]
        newest = mk.decide(touches, cards.account.portal, edition=mk.Rulebook.load().newest.date)
        assert newest.contacts["status"].item() != card.status


def test_nothing_comes_twice_while_there_is_something_else() -> None:
    cards = Cards(FIRM, 5, ["switch on", "switch off", "fixed"], rounds=20)
    drawn = [card.contact_id for _ in range(20) for card in cards.round({})]
    assert set(Counter(drawn).values()) == {1}


def test_what_was_predicted_wrong_comes_more_often_and_less_so_once_it_is_right() -> None:
    def share(weights: dict[str, float]) -> float:
        cards = Cards(FIRM, 11, ["upgraded", "switch on", "switch off"], rounds=200)
        return sum(card.case == "upgraded" for _ in range(80) for card in cards.round(weights)) / 400

    wrong = weighed({}, "upgraded", right=False)
    assert share({}) < share(wrong) - 0.02
    assert share(wrong) < share(weighed(wrong, "upgraded", right=False))
    assert share(weighed(wrong, "upgraded", right=True)) == share({})


@given(st.lists(st.tuples(st.sampled_from(sorted(cases())), st.booleans())))
def test_no_kind_ever_vanishes_or_takes_over(answers: list[tuple[str, bool]]) -> None:
    weights: dict[str, float] = {}
    for kind, right in answers:
        weights = weighed(weights, kind, right=right)
    assert all(1 <= weight <= deck.HEAVIEST for weight in weights.values())


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("xyz"), st.booleans(), st.integers(0, 5)), min_size=1)
)
def test_a_round_is_whole_and_balanced_where_it_can_be(rows: list[tuple[str, str, bool, int]]) -> None:
    asked = [Asked(kind, str(n), answer, on, seen) for n, (kind, answer, on, seen) in enumerate(rows)]
    drawn = Deck(asked, random.Random(1)).round({})
    assert 1 <= len(drawn) <= deck.ROUND and len({each.seen for each in drawn}) == len(drawn)
    more = [Asked(kind, f"{kind}{n}", str(n % 3), n % 2 == 0, (kind, n)) for kind in "abc" for n in range(30)]
    drawn = Deck(asked + more, random.Random(1)).round({})
    assert {each.kind for each in drawn} == set("abc") and deck.balanced(drawn)


def test_a_case_that_does_not_exist_is_told_with_the_nearest() -> None:
    with pytest.raises(mk.UnknownNameError, match="Did you mean 'waiting'"):
        Cards(FIRM, 1, ["wating"])


@every_portal
def test_an_account_to_practise_in_keeps_the_switches_that_the_portal_lists_and_has_some_on_and_off(
    portal: mk.Portal,
) -> None:
    account = Cards(portal, 1).account
    assert {name: account.portal.switches[name] for name in portal.switches} == dict(portal.switches)
    for source in ("hubspot_form", "chatflow", "import_single_object", "integration"):
        states = {history[-1].on for name, history in account.portal.switches.items() if name.startswith(f"{source}/")}
        assert states == {True, False}


def test_an_account_that_is_younger_than_the_newest_article_can_be_practised_in() -> None:
    young = mk.Portal(access_since="2026-06-01", subscription={"commitment": "monthly", "renewal": "2026-06-30"})
    cards = Cards(young, 1)
    assert {card.case for card in cards.round({}, 24)} == set(cases()) - {"ticked then"}
    older = Cards(young, 1, ["older", "older, and met since"]).account
    assert str(older.portal.access_since) == "2026-06-01" and older.begins >= older.portal.access_since


@every_portal
def test_a_firm_is_held_against_its_tier_by_who_counts(portal: mk.Portal) -> None:
    for firm in Firms(portal, 1, ["switch on", "switch off", "waiting", "released", "undone"]).round({}):
        names = [name for name, card in firm.contacts.items() if card.status == "marketing"]
        assert firm.answer == ["below the tier", "below the tier", "exactly the tier", "over the tier"][len(names)]
        assert set(firm.waiting) <= set(names) == set(firm.marketing)


@every_portal
def test_the_final_test_has_thirty_cases_of_every_kind_and_is_the_same_for_the_same_seed(portal: mk.Portal) -> None:
    asked = final.questions(portal, 42)
    cards = [each for each in asked if isinstance(each, Card)]
    before_the_account = {"ticked then"}  # it got marketing contacts when that was over
    assert len(asked) == 30 and {card.case for card in cards} == set(cases()) - before_the_account
    assert sum(isinstance(each, Firm) for each in asked) == sum(isinstance(each, Row) for each in asked) == 3
    statuses = Counter(card.status for card in cards)
    assert max(statuses.values()) <= 0.6 * len(cards)
    again = [each.contact_id for each in final.questions(portal, 42) if isinstance(each, Card)]
    assert again == [card.contact_id for card in cards]


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
    return [row for _ in range(count // 5) for row in rows.round({})]


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
    assert [row.cells for row in drawn(Rows(FIRM, 1), 10)] == [row.cells for row in drawn(Rows(FIRM, 1), 10)]
    rows = Rows(FIRM, 1)
    assert all(WAITING in {row.explanation for row in rows.round({WAITING: 90.0})} for _ in range(10))
