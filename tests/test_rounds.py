"""A round of practice holds its lesson's own cases, and cannot be answered without thinking."""

from __future__ import annotations

from collections import Counter

import pytest

import marketable as mk
from lab import REPOSITORY
from marketable.lessons.deck import ROUND
from marketable.lessons.export import Rows
from marketable.lessons.lessons import LessonText, lesson_ids, taught
from marketable.lessons.predict import Cards
from marketable.lessons.tier import ANSWERS, OVER, Firms
from marketable.rulebook import ACTIONS, MARKETING, NON_MARKETING

FIRM = mk.Portal.load(REPOSITORY / "data" / "portal.yaml")
ROUNDS, AT_ONCE, OFTEN = 1_000, 100, 0.6
PREDICTED = [lesson for lesson in lesson_ids() if LessonText.load(lesson).practice.predict]
ACTIONS_ARE_TAUGHT_IN = "05"


@pytest.mark.parametrize("lesson", PREDICTED)
def test_a_thousand_rounds_hold_the_lessons_cases_both_statuses_no_row_twice_and_nothing_not_taught_yet(
    lesson: str,
) -> None:
    wanted = set(LessonText.load(lesson).practice.predict)
    known = {*taught(lesson), *(ACTIONS if lesson >= ACTIONS_ARE_TAUGHT_IN else ())}
    given = Counter[str]()
    for seed in range(ROUNDS // AT_ONCE):
        cards = Cards(FIRM, seed, list(wanted), taught(lesson), AT_ONCE)
        status = cards.outcome.contacts["status"].astype("str").to_dict()
        touches = cards.outcome.touches.astype({"source": str, "asset": str})
        assert set(touches["source"]) <= known
        edition = touches["occurred_at"].dt.date.map(mk.Rulebook.load().edition_on)
        touched = dict[str, list[tuple[object, ...]]]()
        for contact, *touch in zip(touches["contact_id"], edition, touches["source"], touches["asset"], strict=True):
            touched.setdefault(contact, []).append(tuple(touch))
        for _ in range(AT_ONCE):
            drawn = cards.round({})
            assert {card.case for card in drawn} == wanted
            assert len({tuple(touched[card.contact_id]) for card in drawn}) == len(drawn) == ROUND
            answers = Counter(status[card.contact_id] for card in drawn)
            assert answers[MARKETING] and answers[NON_MARKETING] and max(answers.values()) <= OFTEN * ROUND
            given += answers
    assert max(given.values()) <= OFTEN * given.total()


FEWER = pytest.mark.parametrize("rounds", [100, pytest.param(ROUNDS, marks=pytest.mark.slow)])


@FEWER
def test_rounds_of_firms_are_over_the_tier_and_not_and_no_answer_is_right_too_often(rounds: int) -> None:
    chosen, known = LessonText.load("06_tiers_and_the_invoice").practice.count, taught("06_tiers_and_the_invoice")
    for seed in range(rounds // AT_ONCE):
        firms = Firms(FIRM, seed, chosen, known, AT_ONCE)
        for _ in range(AT_ONCE):
            drawn = firms.round({})
            answers = Counter(firm.answer for firm in drawn)
            assert len(drawn) == ROUND and set(answers) == set(ANSWERS)
            assert answers[OVER] and max(answers.values()) <= OFTEN * ROUND


@FEWER
def test_rounds_of_an_export_have_both_statuses_no_row_twice_and_no_explanation_too_often(rounds: int) -> None:
    rows = Rows(FIRM, rounds)
    for _ in range(rounds):
        drawn = rows.round({})
        seen = [tuple(value for name, value in row.cells.items() if "Date" not in name) for row in drawn]
        assert len(set(seen)) == len(drawn) == ROUND
        assert len({row.cells["Marketing contact status"] for row in drawn}) == 2
        assert max(Counter(row.explanation for row in drawn).values()) <= OFTEN * ROUND
