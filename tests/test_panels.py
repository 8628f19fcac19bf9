"""The panels of the lessons without a browser: set a widget, press a button, and read what is shown and recorded."""

from __future__ import annotations

import datetime as dt
import html
import re
import shutil
from pathlib import Path
from typing import Any

import ipywidgets
import pytest

import marketable as mk
from lab import REPOSITORY
from marketable.auditing.explanations import MEANINGS
from marketable.lessons.classroom import Classroom
from marketable.lessons.export import ASKED
from marketable.lessons.lessons import Experiment
from marketable.lessons.panels.account_panel import AccountPanel
from marketable.lessons.panels.explain_panel import ExplainPanel
from marketable.lessons.panels.export_panel import ExportPanel
from marketable.lessons.panels.find_panel import FindPanel
from marketable.lessons.panels.pieces import ROUND
from marketable.lessons.panels.predict_panel import PredictPanel
from marketable.lessons.panels.story_panel import StoryPanel
from marketable.lessons.panels.within_panel import WithinPanel
from marketable.lessons.predict import KINDS
from marketable.rulebook import STATUSES
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


def predict(panel: PredictPanel, *, right: bool) -> None:
    status = panel.card.status
    panel.choice.value = status if right else next(other for other in STATUSES if other != status)
    panel.button.click()


def test_a_round_predicted_right_is_told_and_recorded_so(recorded: Recorded) -> None:
    panel = PredictPanel(list(KINDS), CLASS, recorded)
    kinds = []
    for number in range(1, ROUND + 1):
        assert f"Contact {number} of {ROUND}" in shown(panel)
        kinds.append(panel.card.kind)
        predict(panel, right=True)
        assert f"Right: {panel.card.status}." in shown(panel)
        panel.button.click()
    assert recorded == [("predict", kind, True) for kind in kinds]
    assert f"Contact 1 of {ROUND}" in shown(panel)


def test_a_round_predicted_wrong_says_what_was_missed_each_time(recorded: Recorded) -> None:
    panel = PredictPanel(list(KINDS), CLASS, recorded)
    for number in range(1, ROUND + 1):
        predict(panel, right=False)
        said = shown(panel)
        assert f"No, not {panel.choice.value}: it is {panel.card.status}." in said
        missed, _, _ = panel.card.missed.partition(" Source:")
        assert f"What was missed ({KINDS[panel.card.kind].lower()}): {missed.partition(' Judged by ')[0]}" in said
        assert "read in" in said
        if number < ROUND:
            panel.button.click()
    assert f"0 of {ROUND} right. What was missed comes more often now." in shown(panel)
    assert [right for _, _, right in recorded] == [False] * ROUND


def test_an_answer_cannot_be_given_without_a_choice_nor_changed_afterwards(recorded: Recorded) -> None:
    panel = PredictPanel(["fixed"], CLASS, recorded)
    panel.button.click()
    assert "Choose one of the three first." in shown(panel) and not recorded
    predict(panel, right=True)
    assert panel.choice.disabled and len(recorded) == 1


def test_a_class_meets_the_same_contacts_and_a_learner_alone_others(recorded: Recorded) -> None:
    def first(classroom: Classroom) -> str:
        return PredictPanel(list(KINDS), classroom, recorded).card.touches.to_csv()

    assert first(CLASS) == first(Classroom(seed=42, portal=FIRM))
    alone = Classroom(seed=None, portal=FIRM)
    assert len({first(alone) for _ in range(4)}) > 1


def test_a_contact_is_shown_without_its_id_and_before_the_answer_without_its_status(recorded: Recorded) -> None:
    panel = PredictPanel(["existing"], CLASS, recorded)
    asked = shown(panel)
    assert str(panel.card.contact.name) not in asked and "Judged by" not in asked
    predict(panel, right=True)
    assert str(panel.card.contact.name) not in shown(panel)


def test_the_switch_is_found_or_not(recorded: Recorded) -> None:
    panel = FindPanel(CLASS, recorded)
    panel.choice.value = panel.puzzle.answer
    panel.button.click()
    assert "Right:" in shown(panel)
    panel.button.click()
    wrong = next(name for name in panel.puzzle.choices if name != panel.puzzle.answer)
    panel.choice.value = wrong
    panel.button.click()
    assert "No, it was:" in shown(panel)
    assert f"{panel.puzzle.added(panel.puzzle.answer):,}" in shown(panel)
    assert [(exercise, right) for exercise, _, right in recorded] == [("find", True), ("find", False)]


def test_the_suspects_table_follows_the_day(recorded: Recorded) -> None:
    panel = FindPanel(CLASS, recorded)
    before = panel.suspects.value
    panel.split_at.value = panel.puzzle.since
    assert panel.suspects.value != before
    panel.split_at.value = None
    assert "Choose a day" in shown(panel)


def explain(panel: ExplainPanel, *, right: bool) -> None:
    answer = panel.row.explanation
    panel.choice.value = answer if right else next(other for other in ASKED if other != answer)
    panel.button.click()


@pytest.mark.parametrize("right", [True, False])
def test_rows_of_an_export_are_explained_right_or_wrong_and_recorded_so(recorded: Recorded, right: bool) -> None:
    panel = ExplainPanel(CLASS, recorded)
    explained = []
    for number in range(1, ROUND + 1):
        assert f"Contact {number} of {ROUND}" in shown(panel)
        assert str(panel.row.contact.name) not in shown(panel) and "Judged by" not in shown(panel)
        explained.append(panel.row.explanation)
        explain(panel, right=right)
        said = shown(panel)
        assert (f"Right: {panel.row.explanation}." in said) == right
        assert (f"What that means: {MEANINGS[panel.row.explanation]}" in said) == (not right)
        assert str(panel.row.contact["reason"])[:60] in said
        if number < ROUND:
            panel.button.click()
    assert recorded == [("explain", explanation, right) for explanation in explained]
    assert f"{ROUND if right else 0} of {ROUND} right." in shown(panel)
    panel.button.click()
    assert f"Contact 1 of {ROUND}" in shown(panel)


def test_an_explanation_cannot_be_given_without_a_choice(recorded: Recorded) -> None:
    panel = ExplainPanel(CLASS, recorded)
    panel.button.click()
    assert "Choose an explanation first." in shown(panel) and not recorded


def test_a_switch_that_nobody_noted_is_noticed_from_a_few_contacts_on() -> None:
    panel = ExportPanel(CLASS)
    assert "The audit notices: the notes say off, and it looks on since" in shown(panel)
    panel.since.value = dt.date(2026, 10, 29)
    assert "The audit does not notice it." in shown(panel)
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
    assert "This contact is non-marketing since 2026-04-01" in shown(panel)
    panel.commitment.index = 1
    assert "This contact is non-marketing since 2026-03-15" in shown(panel)
    panel.rows[2][1].value = ""
    assert "This contact is marketing since 2026-03-05" in shown(panel)
    panel.rows[1][2].value = False
    assert "This contact is non-marketing since 2026-03-01" in shown(panel)
    panel.edition.value = dt.date(2020, 9, 23)
    assert "edition of 2020-09-23" in shown(panel)
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
    panels: list[Any] = [PredictPanel(["switch"], classroom, recorded) for _ in range(3)]
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
    panel = PredictPanel(["fixed"], late, recorded)
    assert "No contact of the batch can be asked about" in shown(panel)
    panel.button.click()
    assert "No contact of the batch can be asked about" in shown(panel) and not recorded
    assert "No switch of this account is off" in shown(ExportPanel(late))


def test_an_error_that_nobody_expected_is_shown_and_its_traceback_is_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    error = ipywidgets.HTML()
    react(lambda: {}["a key"], error)
    assert "KeyError" in error.value and "Traceback" not in error.value
    assert "Traceback" in caplog.text and "KeyError: 'a key'" in caplog.text
