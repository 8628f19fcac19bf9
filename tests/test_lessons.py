"""The lessons: their words agree with the rules, each question has exactly one right answer, and the notebooks fit."""

from __future__ import annotations

import datetime as dt
import functools
import html
import itertools
import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import ipywidgets as widgets
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import marketable as mk
from marketable.errors import PortalError, UnknownNameError
from marketable.lessons.cases import cases, kinds
from marketable.lessons.classroom import Classroom
from marketable.lessons.lessons import TEXTS, LessonText, every_question, lesson_ids, refuted
from marketable.lessons.panels import article
from marketable.lessons.panels.editions_panel import EditionsPanel
from marketable.lessons.panels.lesson import Lesson
from marketable.lessons.panels.quiz import Quiz
from marketable.lessons.questions import Question
from marketable.lessons.story import LessonError, Story
from marketable.lessons.through_editions import FACTS, disputed, facts_of, history
from marketable.views import words
from marketable.views.pieces import OWN_KEYS
from reference import reference_decide
from test_architecture import REPOSITORY
from test_panels import Recorded

IDS = lesson_ids()
LESSONS = REPOSITORY / "notebooks" / "lessons"
RULEBOOK = mk.Rulebook.load()
QUESTIONS = dict(every_question())
MYTHS = [myth for lesson_id in IDS for myth in LessonText.load(lesson_id).myths]
SKELETON = [
    "Aim",
    "What the article says",
    "Try it",
    "Practice",
    "Three questions",
    "Where to click in HubSpot",
    "What to read next",
]
PARTS = ("rules", "experiment", "practice", "questions", "where")


def text_of(page: str) -> str:
    return html.unescape(re.sub(r"\s+", " ", re.sub("<[^>]+>", " ", page))).strip()


def walk(widget: widgets.Widget) -> Iterator[widgets.Widget]:
    yield widget
    for child in getattr(widget, "children", ()):
        yield from walk(child)


def pages(widget: widgets.Widget) -> list[str]:
    return [each.value for each in walk(widget) if isinstance(each, widgets.HTML)]


# ---- questions ----


@pytest.mark.parametrize(
    ("item", "edition"), [(item, edition) for item, question in QUESTIONS.items() for edition in question.editions]
)
def test_a_question_has_exactly_one_right_answer_in_every_edition_it_claims(item: str, edition: dt.date) -> None:
    question = QUESTIONS[item]
    right = [choice for choice in question.choices if choice in question.right(edition)]
    assert right == [question.answer(edition)]


@pytest.mark.parametrize("item", [item for item, question in QUESTIONS.items() if hasattr(question, "story")])
def test_what_became_of_a_story_is_what_the_slow_reference_says_of_it(item: str) -> None:
    question = QUESTIONS[item]
    story: Story = question.story  # type: ignore[attr-defined]
    touches, switches = [], dict[str, Any]()
    for touch in story.touches:
        when = dt.datetime.combine(touch.day, dt.time(10))
        row = {"contact_id": touch.contact, "occurred_at": when, "source": touch.tool, "asset": touch.asset}
        touches.append(row)
        if touch.on is not None:
            change = {"from": when, "switch": touch.on}
            if touch.tool == "non_hubspot_form":
                switches.setdefault(touch.tool, []).append(change)
            else:
                switches.setdefault(touch.tool, {}).setdefault(touch.asset, []).append(change)
    portal = {
        "access_since": story.access_since,
        "subscription": {"commitment": story.commitment, "renewal": story.renewal},
        "switches": switches,
    }
    end = dt.datetime.combine(story.as_of or story.touches[-1].day, dt.time(23, 59))
    for edition in question.editions:
        expected = reference_decide(touches, portal, edition=edition, as_of=end).contacts
        contacts = story.outcome(edition).contacts
        assert {name: (row["status"], row["waiting"]) for name, row in contacts.iterrows()} == {
            name: (contact["status"], contact["waiting"]) for name, contact in expected.items()
        }


def by_the_shop(contacts: int) -> Story:
    """Contacts that an app creates, the first of them marketing as those of the question are."""
    names = ["Ann", "Ben", "Cem", "Dana", *(str(number) for number in range(contacts - 4))]
    return Story(touches=[{"day": "2024-03-11", "tool": "integration", "asset": "Shop", "contact": n} for n in names])


def broken(item: str, **changed: object) -> Question:
    return QUESTIONS[item].model_copy(update=changed)


@pytest.mark.parametrize(
    ("question", "found"),
    [
        (broken("01_what_a_marketing_contact_is/1", choices=("non-marketing", "not covered")), "No choices"),
        (broken("01_what_a_marketing_contact_is/1", choices=("marketing", "marketing")), "2 choices"),
        (broken("01_what_a_marketing_contact_is/1", editions=RULEBOOK.editions[:1], choices=("marketing", "x")), "No"),
        (broken("03_tools_with_a_switch/1", wanted="one per form", choices=("chatflow", "integration")), "No choices"),
        (broken("03_tools_with_a_switch/2", wanted="non-marketing"), "3 choices"),
        (broken("04_contacts_that_exist_already/1", choices=("2024-03-01", "2024-04-01")), "No choices"),
        (broken("06_tiers_and_the_invoice/2", choices=("1", "3")), "No choices"),
        (broken("08_how_the_article_changed/1", choices=("manual", "associated_object")), "2 choices"),
        (broken("00_how_to_use_a_notebook/2", choices=("1", "2")), "No choices"),
        (broken("09_reading_your_own_export/1", choices=("certain", "likely")), "No choices"),
        (broken("09_reading_your_own_export/2", story=by_the_shop(5), choices=("off", "too few")), "No choices"),
        (broken("09_reading_your_own_export/3", waiting=True, choices=("as expected", "ambiguous")), "No choices"),
    ],
)
def test_a_question_that_is_broken_is_caught(question: Question, found: str) -> None:
    with pytest.raises(LessonError, match=found):
        question.answer()


def test_an_export_is_read_in_questions_as_everywhere() -> None:
    certainty, looks, explanation = (f"09_reading_your_own_export/{number}" for number in (1, 2, 3))
    form = Story(touches=[{"day": "2024-03-01", "tool": "hubspot_form", "asset": "Demo"}])
    assert broken(certainty, story=form).answer() == "certain"
    every, one = tuple(touch.contact for touch in by_the_shop(20).touches), ("Ann",)
    seen = [broken(looks, story=by_the_shop(20), marketing=marketing).answer() for marketing in (every[1:], one)]
    assert (QUESTIONS[looks].answer(), *seen) == ("too few", "on", "off")
    assert broken(explanation, waiting=True).answer() == "waiting for the update date"


@pytest.mark.parametrize("myth", MYTHS, ids=lambda myth: myth.asks[:40])
def test_every_edition_that_a_myth_is_held_against_contradicts_it(myth: Any) -> None:
    assert refuted(myth) == list(myth.editions)


# ---- contents ----


def of_text(tmp_path: Path, text: str) -> LessonText:
    (tmp_path / "00_a_lesson.yaml").write_text(text, encoding="utf-8")
    return LessonText.load("00_a_lesson", tmp_path)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("a [non-marketing](default)", "a [marketing](default)", ["contradict", "'marketing'", "line 8"]),
        ("a [non-marketing](default)", "a non-marketing", ["do not quote the rule", "[…](default)"]),
        (
            "a [non-marketing](default)",
            "a [non-marketing](default), [non-marketing](defalt)",
            ["no such fact", "Did you mean 'default'"],
        ),
        (
            "a [non-marketing](default)",
            "[marketing](default in 2020-09-23), a [non-marketing](default)",
            ["contradict"],
        ),
        ("[marketing](default)", "[marketing](default), [x](switch in 2020-09-24)", ["no edition", "'2020-09-23'"]),
        ("rule: meetings_link", "rule: meeting_link", ["no such rule", "Did you mean 'meetings_link'"]),
        ("tool: hubspot_form, asset", "tool: hubspot_forms, asset", ["no such tool", "'hubspot_form'"]),
        ("editions: from 2024-02-14", "editions: from 2024-02-15", ["no edition", "'2024-02-14'"]),
        ("editions: from 2024-02-14", "editions: some", ["These are no editions", "'some'"]),
        ("title:", "tittle:", ["not known here", "Did you mean 'title'", "line 1"]),
        ("kind: sample", "kind: samples", ["questions"]),
        ("predict: [fixed, switch on, switch off]", "predict: []", ["nothing to practise"]),
        ("day: 2026-03-01", "day: 2026-02-30", ["no such day"]),
    ],
)
def test_a_lesson_that_cannot_be_used_is_refused_with_the_place_and_what_is_meant(
    tmp_path: Path, old: str, new: str, words: list[str]
) -> None:
    text = (TEXTS / "00_how_to_use_a_notebook.yaml").read_text(encoding="utf-8")
    assert old in text
    with pytest.raises(LessonError) as fault:
        of_text(tmp_path, text.replace(old, new))
    for word in ["00_a_lesson.yaml", *words]:
        assert word in str(fault.value)


@pytest.mark.parametrize(
    ("rule", "says"),
    [("undo_by_tool", "Whatever [doubles the wait](rule)."), ("set_marketing", "It [takes effect next month](rule).")],
)
def test_words_that_contradict_a_rule_of_the_lifecycle_are_refused(tmp_path: Path, rule: str, says: str) -> None:
    text = (TEXTS / "00_how_to_use_a_notebook.yaml").read_text(encoding="utf-8")
    said = f"article:\n  - {{rule: {rule}, says: '{says}'}}\n"
    with pytest.raises(LessonError, match="contradict"):
        of_text(tmp_path, text.replace("article:\n", said))


def test_a_lesson_has_three_questions_neither_more_nor_less(tmp_path: Path) -> None:
    text = (TEXTS / "02_tools_without_a_switch.yaml").read_text(encoding="utf-8")
    head, questions, tail = re.split(r"(?<=questions:\n)|(?=where:)", text)
    first, *others = re.split(r"(?=  - kind:)", questions)[1:]
    for asked in ([first, others[0]], [first, *others, first]):
        with pytest.raises(LessonError, match="questions"):
            of_text(tmp_path, head + "".join(asked) + tail)
    assert of_text(tmp_path, head + first + "".join(others) + tail).title


def test_a_lesson_that_does_not_exist_is_told_with_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean '07_myths'"):
        LessonText.load("7_myths")


@pytest.mark.parametrize("lesson_id", IDS)
def test_what_a_lesson_practises_and_shows_exists(lesson_id: str) -> None:
    text = LessonText.load(lesson_id)
    assert {*text.practice.predict, *text.practice.count} <= set(cases())
    assert lesson_id in {kind.lesson for kind in kinds().values()} or lesson_id < "02" or text.myths
    for experiment in text.experiment:
        if experiment.tools:
            assert {step.tool for step in experiment.steps} <= set(experiment.tools)


def test_history_tells_every_change_and_nothing_else() -> None:
    for source in RULEBOOK.on("2024-02-14"):
        held = history(source)
        for before, after in itertools.pairwise(held):
            assert [fact for fact in FACTS if before.facts[fact] != after.facts[fact]] == list(after.changed) != []
        for edition in RULEBOOK.editions:
            assert facts_of(source, edition) == [each for each in held if each.since <= edition][-1].facts


def test_disputed_days_are_those_on_which_the_engine_finds_a_creation_ambiguous() -> None:
    table = disputed(RULEBOOK.editions[0], RULEBOOK.editions[-1])
    assert len(table) > 10

    def ambiguous(row: Any, day: dt.date) -> int:
        batch = pd.DataFrame({"contact_id": ["1"], "occurred_at": [day], "source": [row.source], "asset": ["any"]})
        one_for_all = row.source == "non_hubspot_form"
        flips = {row.source if one_for_all else f"{row.source}/any": row.switch == "on"} if row.switch else {}
        return mk.decide(batch, mk.Portal().with_switches(flips)).ambiguous

    for row in table.itertuples():
        assert row.before != row.after
        assert ambiguous(row, row.begins) and ambiguous(row, row.ends)
        assert not ambiguous(row, row.begins - dt.timedelta(days=1))
        assert not ambiguous(row, row.ends + dt.timedelta(days=1))


# ---- widgets ----


@pytest.fixture(autouse=True)
def without_a_class(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Neither the class nor the progress of whoever runs the tests."""
    monkeypatch.setattr("marketable.lessons.classroom.FILE", tmp_path / "class.yaml")
    monkeypatch.setenv("SERVER_SOFTWARE", "voila/0")


def quiz(lesson_id: str) -> tuple[Quiz, Recorded]:
    record = Recorded()
    return Quiz(lesson_id, LessonText.load(lesson_id).questions, record), record


@pytest.mark.parametrize("lesson_id", IDS)
def test_a_quiz_played_right_is_recorded_as_right_and_explained(lesson_id: str) -> None:
    played, record = quiz(lesson_id)
    for asked in played.asked:
        assert asked.choice.index is None
        asked.choice.value = asked.question.answer()
        asked.check.click()
        assert 'role="status"' in asked.answer.value and "Right:" in asked.answer.value
        assert words.dated(f"Judged by {asked.question.judged_by}.") in asked.answer.value
        assert html.escape(asked.question.explanation().why) in asked.answer.value
    assert record == [("question", f"{lesson_id}/{number}", True) for number in (1, 2, 3)]
    assert "3 of 3 right at the first try" in "".join(pages(played))


@pytest.mark.parametrize("lesson_id", IDS)
def test_a_quiz_played_wrong_says_what_was_missed_once_and_only_the_first_try_is_recorded(lesson_id: str) -> None:
    played, record = quiz(lesson_id)
    for asked in played.asked:
        for wrong in [choice for choice in asked.question.choices if choice != asked.question.answer()]:
            asked.choice.value = wrong
            asked.check.click()
            told = text_of(asked.answer.value)
            assert "No, it is not" in told and told.count(asked.question.explanation().why) == 1
        asked.choice.value = asked.question.answer()
        asked.check.click()
        assert "Right:" in asked.answer.value
    assert record == [("question", f"{lesson_id}/{number}", False) for number in (1, 2, 3)]
    assert "0 of 3 right at the first try" in "".join(pages(played))


def test_checking_without_an_answer_asks_for_one_and_records_nothing() -> None:
    played, record = quiz("04_contacts_that_exist_already")
    played.asked[0].check.click()
    assert 'role="alert"' in played.asked[0].answer.value and record == []


def test_an_answer_that_cannot_be_recorded_is_answered_all_the_same() -> None:
    def record(exercise: str, item: str, right: bool) -> None:
        raise OSError("no space left")

    played = Quiz("07_myths", LessonText.load("07_myths").questions, record)
    asked = played.asked[0]
    asked.choice.value = asked.question.answer()
    asked.check.click()
    assert "Right:" in asked.answer.value
    assert any("no space left" in page and 'role="alert"' in page for page in pages(played))


class Elements(HTMLParser):
    """The elements of a page, each with its attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.found if name == tag]


KNOWN_LINKS = {
    *(each.link for edition in RULEBOOK.editions for rule in RULEBOOK.on(edition).values() for each in rule.references),
    *(rule.reference.link for rule in RULEBOOK.lifecycle.values()),
}


@pytest.mark.parametrize("lesson_id", IDS)
def test_the_words_stand_beside_the_rule_in_a_table_that_a_screen_reader_can_read(lesson_id: str) -> None:
    text = LessonText.load(lesson_id)
    page = article.rules(text)
    elements = Elements(page)
    assert len(elements.all("caption")) == 1
    assert [each.get("scope") for each in elements.all("th")] == ["col"] * 2 + ["row"] * len(text.article)
    assert {link["href"] for link in elements.all("a")} <= KNOWN_LINKS
    rows = re.findall(r"<tr>(.*?)</tr>", page.partition("<tbody>")[2], re.DOTALL)
    for said, row in zip(text.article, rows, strict=True):
        held = text_of(row.split("<td>")[2])
        assert "<summary>source</summary>" in row
        if said.rule in RULEBOOK.lifecycle:
            assert RULEBOOK.lifecycle[said.rule].says[1:] in held
            continue
        for fact, value in facts_of(said.rule, RULEBOOK.editions[-1]).items():
            alike = {facts_of(rule, RULEBOOK.editions[-1])[fact] for rule in said.rules} == {value}
            assert (f"{fact}: {value}" in held) == alike
        for earlier in history(said.rule)[:-1]:
            looks_back = f"From {earlier.since.day} {earlier.since:%B %Y}: " in held
            assert looks_back == (lesson_id == "08_how_the_article_changed")


@functools.cache
def shown_by(lesson_id: str) -> list[widgets.Widget]:
    """A lesson and its parts as they are before anything is clicked: to be read, not used."""
    lesson = Lesson(lesson_id)
    return [lesson, *(getattr(lesson, name)() for name in PARTS)]


@pytest.mark.parametrize("lesson_id", IDS)
def test_a_lesson_shows_all_its_parts_without_a_fault_and_with_headings_of_the_third_order_only(lesson_id: str) -> None:
    for part in shown_by(lesson_id):
        shown = "".join(pages(part))
        assert shown and 'class="mk-error"' not in shown
        assert re.findall(r"<h[1-6]", shown) == ["<h3"] * shown.count("<h3")


def test_a_class_that_cannot_be_read_is_told_and_the_lesson_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def load(path: object = None) -> Classroom:
        raise PortalError("This is no seed", file="class.yaml", value="<b>")

    monkeypatch.setattr(Classroom, "load", load)
    lesson = Lesson("01_what_a_marketing_contact_is")
    (alert,) = [page for page in pages(lesson) if 'class="mk-error"' in page]
    assert "This is no seed: &#x27;&lt;b&gt;&#x27; (class.yaml)" in alert
    assert lesson.classroom.portal.subscription.tier
    assert 'class="mk-error"' not in "".join(pages(lesson.practice()))


def test_a_part_that_cannot_be_made_leaves_its_error_in_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_given: object) -> None:
        raise mk.DataError("No contact is of these kinds")

    monkeypatch.setattr("marketable.lessons.panels.lesson.PredictPanel", fail)
    (page,) = pages(Lesson("02_tools_without_a_switch").practice())
    assert "No contact is of these kinds" in page and 'role="alert"' in page


@given(older=st.sampled_from(RULEBOOK.editions), newer=st.sampled_from(RULEBOOK.editions))
def test_any_two_editions_can_be_compared_in_either_order(older: dt.date, newer: dt.date) -> None:
    panel = EditionsPanel()
    panel.older.value, panel.newer.value = older, newer
    page = pages(panel)[-1]
    assert "mk-error" not in page
    changes = RULEBOOK.changes(*sorted([older, newer]))
    told = "Choose two different days" if older == newer else "Nothing that is held here changed"
    assert (told in page) == changes.empty
    assert page.partition("</table>")[0].count("<tr>") == (len(changes) + 1 if len(changes) else 0)


def test_the_editions_panel_names_the_days_that_are_ambiguous_and_why() -> None:
    panel = EditionsPanel()
    panel.older.value, panel.newer.value = dt.date(2023, 1, 19), dt.date(2023, 6, 28)
    page = text_of(pages(panel)[-1])
    assert "Created by hand none 20 January 2023 27 June 2023 non-marketing not covered" in page
    assert "The day is that of the page" in page


# ---- notebooks ----


def cells_of(lesson_id: str) -> list[dict[str, Any]]:
    notebook = json.loads((LESSONS / f"{lesson_id}.ipynb").read_text(encoding="utf-8"))
    return [cell | {"source": "".join(cell["source"])} for cell in notebook["cells"]]


@pytest.mark.parametrize("lesson_id", IDS)
def test_a_notebook_has_the_skeleton_in_order_and_its_lessons_title(lesson_id: str) -> None:
    markdown = [cell["source"] for cell in cells_of(lesson_id) if cell["cell_type"] == "markdown"]
    headings = re.findall(r"^(#+) (.*)$", "\n".join(markdown), re.MULTILINE)
    title = f"{int(lesson_id[:2])} · {LessonText.load(lesson_id).title}"
    assert headings == [("#", title), *(("##", heading) for heading in SKELETON)]


@pytest.mark.parametrize("lesson_id", IDS)
def test_a_notebooks_code_is_one_line_a_cell_and_holds_no_rules(lesson_id: str) -> None:
    cells = cells_of(lesson_id)
    first, *others = [cell["source"] for cell in cells if cell["cell_type"] == "code"]
    made = f'from marketable.lessons.panels.lesson import Lesson\n\nlesson = Lesson("{lesson_id}")\nlesson'
    assert first == made
    assert others == [f"lesson.{part}()" for part in PARTS]
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", cell["id"]) for cell in cells)


@pytest.mark.parametrize("lesson_id", IDS)
def test_a_notebooks_links_lead_somewhere(lesson_id: str) -> None:
    markdown = "\n".join(cell["source"] for cell in cells_of(lesson_id) if cell["cell_type"] == "markdown")
    links = re.findall(r"\[([^\]]*)\]\(([^)]+)\)", markdown)
    inside = [link for _, link in links if not link.startswith("http")]
    assert {link for _, link in links if link.startswith("http")} <= KNOWN_LINKS
    assert all((LESSONS / link).resolve().is_file() for link in inside)
    following = IDS[(IDS.index(lesson_id) + 1) % len(IDS)]
    assert f"{following}.ipynb" in inside
    for text, link in links:
        if link.removesuffix(".ipynb") in IDS:
            other = link.removesuffix(".ipynb")
            assert text == f"{int(other[:2])} · {LessonText.load(other).title}"


MOST_WORDS = 1_000
NOT_PLAIN = re.compile(
    r"\bedition|\btrust [HM]\b|\bis told\b|\bseed\b|not as told|whatever the switches", re.IGNORECASE
)


def read_by_a_learner(lesson_id: str) -> str:
    """What a lesson has to be read before anything is clicked: neither what folds away nor made-up data."""
    shown = [cell["source"] for cell in cells_of(lesson_id) if cell["cell_type"] == "markdown"]
    for part in shown_by(lesson_id)[1:]:
        for widget in walk(part):
            if isinstance(widget, widgets.HTML):
                shown.append(widget.value.replace(OWN_KEYS, ""))
            elif isinstance(widget, widgets.RadioButtons):
                shown += map(str, widget._options_labels)
    page = re.sub(r"<(details|style)\b.*?</\1>", "", " ".join(shown), flags=re.DOTALL)
    return text_of(re.sub(r'<table class="mk-table">.*?</table>', "", page, flags=re.DOTALL))


@pytest.mark.parametrize("lesson_id", IDS)
def test_a_lesson_is_short_and_in_plain_words(lesson_id: str) -> None:
    text = read_by_a_learner(lesson_id)
    assert len(re.findall(r"[^\W\d]+(?:['’-][^\W\d]+)*", text)) < MOST_WORDS
    assert not NOT_PLAIN.search(text)
    assert not re.search(r"\d{4}-\d{2}-\d{2}", text)


def test_every_lesson_has_its_notebook() -> None:
    assert sorted(path.stem for path in LESSONS.glob("[0-9]*.ipynb")) == IDS
