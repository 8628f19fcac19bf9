"""The panels of the lessons without a browser: set a widget, press a button, and read what is shown and recorded."""

from __future__ import annotations

import datetime as dt
import html
import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import ipywidgets
import pytest

import marketable as mk
from lab import REPOSITORY
from marketable.lessons.cases import cases
from marketable.lessons.classroom import Classroom
from marketable.lessons.lessons import Experiment
from marketable.lessons.panels import final_panel
from marketable.lessons.panels.account_panel import AccountPanel
from marketable.lessons.panels.bill_panel import BillPanel
from marketable.lessons.panels.count_panel import CountPanel
from marketable.lessons.panels.explain_panel import ExplainPanel
from marketable.lessons.panels.export_panel import ExportPanel
from marketable.lessons.panels.final_panel import FinalPanel
from marketable.lessons.panels.find_panel import FindPanel
from marketable.lessons.panels.pieces import Questions
from marketable.lessons.panels.predict_panel import PredictPanel
from marketable.lessons.panels.story_panel import StoryPanel
from marketable.lessons.panels.within_panel import WithinPanel
from marketable.rulebook import SOURCES
from marketable.views import words
from marketable.views.reacting import react

FIRM = mk.Portal.load(REPOSITORY / "data" / "portal.yaml")
CLASS = Classroom(seed=42, portal=FIRM)
HOSTILE = "<img src=x onerror=alert(1)> $x$"


class Recorded(list[tuple[str, str, bool]]):
    """What a panel records."""

    def __call__(self, exercise: str, item: str, right: bool) -> None:
        self.append((exercise, item, right))


@pytest.fixture
def recorded() -> Recorded:
    return Recorded()


def shown(panel: ipywidgets.Box) -> str:
    """All that a panel says, as text."""
    parts = []
    for child in panel.children:
        if isinstance(child, ipywidgets.Box):
            parts.append(shown(child))
        elif isinstance(child, ipywidgets.HTML):
            parts.append(html.unescape(re.sub("<[^>]*>", " ", child.value)))
    return " ".join(" ".join(parts).split())


CHOSEN = ("fixed", "switch on", "switch off", "upgraded", "older")


def play(panel: Questions, *, right: bool) -> None:
    """Answers the question that is asked."""
    answer = panel.posed.answer
    wrong = next(value for _, value in panel.posed.choices if value != answer)
    panel.choice.value = answer if right else wrong
    panel.button.click()


def predicting(record: Recorded, classroom: Classroom = CLASS, chosen: Sequence[str] = CHOSEN) -> PredictPanel:
    return PredictPanel(chosen, SOURCES, classroom, record)


def made(name: str, record: Recorded) -> Questions:
    panels = {
        "predict": lambda: predicting(record),
        "count": lambda: CountPanel(("switch on", "switch off", "waiting", "released"), SOURCES, CLASS, record),
        "explain": lambda: ExplainPanel(CLASS, record),
        "find": lambda: FindPanel(CLASS, record),
        "final": lambda: FinalPanel(CLASS, record),
    }
    return panels[name]()


@pytest.mark.parametrize("right", [True, False], ids=["right", "wrong"])
@pytest.mark.parametrize(("name", "length"), [("predict", 5), ("count", 5), ("explain", 5), ("find", 1), ("final", 30)])
def test_a_round_is_played_told_and_recorded(recorded: Recorded, name: str, length: int, right: bool) -> None:
    panel = made(name, recorded)
    assert len(panel.round) == length
    items = []
    for number in range(1, length + 1):
        asked = shown(panel)
        assert f"{number} of {length}" in asked or name == "find"
        assert panel.posed.why not in panel.posed.asks and panel.choice.index is None
        items.append(panel.posed.item)
        play(panel, right=right)
        said = html.unescape(panel.answer.value)
        (answer,) = (words for words, value in panel.posed.choices if value == panel.posed.answer)
        assert (f"Right: {answer}." if right else f"No, it is: {answer}.") in said
        assert said.count(panel.posed.why) == 1 and "<details><summary>source" in panel.answer.value
        if number < length:
            panel.button.click()
    assert recorded == [(panel.exercise, item, right) for item in items]
    assert f"{length if right else 0} of {length} right." in shown(panel) or name == "find"
    panel.button.click()
    assert (len(panel.round) == length and f"1 of {length}" in shown(panel)) or name == "find"


def test_what_is_said_of_an_answer_is_one_or_two_sentences_with_the_contacts_own_days(recorded: Recorded) -> None:
    for case in cases():
        for posed in predicting(recorded, chosen=[case]).round:
            days = [words.day(at) for at in re.findall(r"\d{4}-\d\d-\d\d", posed.asks)]
            assert not days and not re.search(r"\d{4}-\d\d-\d\d", posed.why)
            told = re.findall(r"\d{1,2} [A-Z][a-z]+ \d{4}", posed.why)
            assert told and len(re.findall(r"(?<=[a-z])[.](?: |$)", posed.why)) <= 4, posed.why
            assert not re.search("touch|edition|trust|Source|Judged", posed.why), posed.why


def test_the_final_test_leads_back_to_the_lessons_of_what_was_wrong(recorded: Recorded) -> None:
    answers = [("update_date", False), ("fixed", True), ("tier", False), ("update_date", True)]
    said = re.sub(r"\s+", " ", re.sub("<[^>]*>", " ", final_panel.result(answers)))
    assert "2 of 4 right." in said
    assert "Lesson 5 · Set by hand" in said and "Lesson 6 · Tiers and the invoice" in said
    assert "Lesson 2" not in said
    assert "Go through again" not in final_panel.result([("fixed", True)])


def test_an_answer_cannot_be_given_without_a_choice_nor_changed_afterwards(recorded: Recorded) -> None:
    panel = predicting(recorded)
    panel.button.click()
    assert "Choose an answer first." in shown(panel) and not recorded
    play(panel, right=True)
    assert panel.choice.disabled and len(recorded) == 1


def test_a_class_meets_the_same_contacts_and_a_learner_alone_others(recorded: Recorded) -> None:
    def first(classroom: Classroom) -> list[str]:
        return [posed.asks for posed in predicting(recorded, classroom).round]

    assert first(CLASS) == first(Classroom(seed=42, portal=FIRM))
    alone = Classroom(seed=None, portal=FIRM)
    assert len({tuple(first(alone)) for _ in range(4)}) > 1


def test_the_suspects_table_follows_the_day(recorded: Recorded) -> None:
    panel = FindPanel(CLASS, recorded)
    before = panel.suspects.value
    panel.split_at.value = panel.puzzle.since
    assert panel.suspects.value != before
    panel.split_at.value = None
    assert "Choose a day" in shown(panel)


def test_a_switch_that_nobody_noted_is_noticed_from_a_few_contacts_on() -> None:
    panel = ExportPanel(CLASS)
    assert "The audit notices: the notes say off, and it looks on since" in shown(panel)
    panel.since.value = dt.date(2026, 10, 29)
    assert "The audit does not notice it." in shown(panel)
    panel.since.value = dt.date(2026, 11, 5)
    assert "The export ends on 30 October 2026" in shown(panel)
    panel.since.value = None
    assert "Choose the day" in shown(panel)
    panel.since.value = dt.date(2025, 1, 1)
    first = shown(panel)
    panel.switch.value = next(name for _, name in panel.switch.options if name != panel.switch.value)
    assert shown(panel) != first and "The audit notices" in shown(panel)
    panel.again.click()
    assert "contacts of the export" in shown(panel)


def test_the_plans_own_choice_is_well_done_and_doing_nothing_is_not(recorded: Recorded) -> None:
    panel = WithinPanel(CLASS, recorded)
    panel.compare.click()
    assert "Not within the tier yet" in shown(panel)
    panel.again.click()
    for name in panel.task.judged({}).plan.flips:
        panel.switches.rows[name][0].value = False
    assert "over the tier" not in shown(panel)
    panel.compare.click()
    assert "as many as the plan" in shown(panel)
    panel.compare.click()
    assert recorded == [("within", "made-up", False), ("within", "made-up", True)]


def story(*steps: dict[str, Any]) -> StoryPanel:
    return StoryPanel(Experiment(panel="story", steps=steps, commitment=True, editions=True))


def test_a_story_tells_what_a_contact_becomes_and_why() -> None:
    panel = story(
        {"day": "2026-03-01", "tool": "import_single_object", "on": False},
        {"day": "2026-03-05", "tool": "hubspot_form"},
        {"day": "2026-03-10", "tool": "set_non_marketing"},
    )
    assert "This contact is non-marketing since 1 April 2026" in shown(panel)
    panel.commitment.index = 1
    assert "This contact is non-marketing since 15 March 2026" in shown(panel)
    panel.rows[2][1].value = ""
    assert "This contact is marketing since 5 March 2026" in shown(panel)
    panel.rows[1][2].value = False
    assert "This contact is non-marketing since 1 March 2026" in shown(panel)
    panel.edition.value = dt.date(2020, 9, 23)
    assert "edition of 23 September 2020" in shown(panel)
    panel.rows[0][0].value = dt.date(2026, 12, 1)
    assert "Row 1 comes after" in shown(panel)
    for _, tool, _ in panel.rows:
        tool.value = ""
    assert "Choose at least one thing" in shown(panel)


def test_a_story_asks_for_a_switch_only_of_tools_that_have_one() -> None:
    panel = story({"day": "2026-03-01", "tool": "mobile_app"})
    assert panel.rows[0][2].layout.visibility == "hidden"
    panel.rows[0][1].value = "chatflow"
    assert panel.rows[0][2].layout.visibility == "visible"


@pytest.fixture
def a_later_edition(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dt.date:
    """A made-up edition by which the switches of apps come turned on."""
    folder = shutil.copytree(REPOSITORY / "lib" / "marketable" / "rulebook", tmp_path / "rulebook")
    with (folder / "editions.yaml").open("a") as editions, (folder / "sources" / "integration.yaml").open("a") as apps:
        editions.write("  - 2030-01-01\n")
        reference = "{title: Made up, link: https://example.com, read_in: 2030-01-01, trust: H}"
        apps.write(f"  2030-01-01: {{default: marketing, switch: asset, reference: {reference}}}\n")
    rulebook = mk.Rulebook.load(folder)
    monkeypatch.setattr(mk.Rulebook, "load", lambda: rulebook)
    return dt.date(2030, 1, 1)


def test_a_tool_comes_as_it_was_delivered_on_its_day_or_by_the_edition_that_is_pinned(a_later_edition: dt.date) -> None:
    panel = story({"day": "2024-03-01", "tool": "meetings_link"})
    day, tool, switch = panel.rows[0]

    def delivered(on: dt.date, edition: dt.date | None = None) -> bool:
        panel.edition.value, day.value, tool.value = edition, on, ""
        tool.value = "integration"
        return bool(switch.value)

    before, known = dt.date(2024, 3, 1), dt.date(2021, 12, 30)
    assert not delivered(before) and delivered(a_later_edition)
    assert delivered(before, edition=a_later_edition) and not delivered(a_later_edition, edition=known)
    assert not delivered(dt.date(2020, 10, 1))  # by an edition that knows no such switch: as by the first that does
    tool.value = "hubspot_form"
    assert switch.value


def test_an_account_is_told_against_its_tier() -> None:
    panel = AccountPanel(CLASS)
    said = re.search(r"([\d,]+) of ([\d,]+) contacts are marketing contacts", shown(panel))
    assert said
    marketing = int(said[1].replace(",", ""))
    panel.tier.value = marketing
    assert f"exactly the tier of {marketing:,}" in shown(panel)
    panel.tier.value = marketing - 1
    assert f"1 over the tier of {marketing - 1:,}" in shown(panel)
    panel.month.index = 3
    assert shown(panel) != said[0]


def test_names_of_an_account_are_text_and_never_code(recorded: Recorded) -> None:
    portal = mk.Portal(
        switches={"hubspot_form": {HOSTILE: "off"}, "integration": {HOSTILE: "on"}, "chatflow": {HOSTILE: "off"}}
    )
    classroom = Classroom(seed=1, portal=portal)
    panels: list[Any] = [predicting(recorded, classroom, ["switch on", "switch off"]) for _ in range(3)]
    panels += [FindPanel(classroom, recorded), WithinPanel(classroom, recorded)]
    panels += [ExplainPanel(classroom, recorded), ExportPanel(classroom)]
    for panel in panels:
        for button in [child for child in panel.children if isinstance(child, ipywidgets.Button)]:
            if hasattr(panel, "choice"):
                panel.choice.index = 0
            button.click()
        for child in panel.children:
            if isinstance(child, ipywidgets.HTML):
                assert "<img src=x" not in child.value
    assert any("&lt;img src=x" in child.value for child in panels[3].children if isinstance(child, ipywidgets.HTML))


def test_an_account_that_nothing_can_be_asked_about_says_so_in_the_panel(recorded: Recorded) -> None:
    late = Classroom(seed=1, portal=mk.Portal(access_since="2030-01-01"))
    assert "No switch of this account is off" in shown(ExportPanel(late))


def test_an_error_that_nobody_expected_is_shown_and_its_traceback_is_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    error = ipywidgets.HTML()
    react(lambda: {}["a key"], error)
    assert "KeyError" in error.value and "Traceback" not in error.value
    assert "Traceback" in caplog.text and "KeyError: 'a key'" in caplog.text


def test_a_bill_says_when_the_tier_is_crossed_and_what_that_costs_at_invented_prices() -> None:
    panel = BillPanel(CLASS)
    assert "Invented prices" in shown(panel) and panel.outlook.today < panel.tier.value
    before = panel.outlook.today
    panel.imported.value = panel.tier.value
    crossed = panel.outlook.crossing["likely"]
    assert str(crossed.date()) == "2026-04-06"
    billed = panel.outlook.months["tier"].max()
    assert billed > panel.tier.value and f"{billed:,}" in shown(panel)
    panel.released.value = 100
    assert panel.outlook.months["tier"].max() == billed  # it takes effect on the first of May, too late
    panel.imported.value = 0
    assert panel.outlook.by_day["marketing"].iloc[-1] < before + panel.tier.value
