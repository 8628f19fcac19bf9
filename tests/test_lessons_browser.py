"""The lessons as learners meet them: in JupyterLab a round of practice, by keyboard; in the app every lesson."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

import marketable as mk
from lab import REPOSITORY, Running, chromium, chromium_path, run_notebook, served, served_app, violations
from marketable.lessons.classroom import FILE, Classroom
from marketable.lessons.lessons import LessonText, lesson_ids
from marketable.lessons.panels.pieces import ROUND
from marketable.lessons.panels.predict_panel import PredictPanel
from marketable.lessons.panels.quiz import said
from marketable.rulebook import STATUSES

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not chromium_path() and not os.environ.get("CI"), reason="no Chromium here; CI installs it"),
]
LESSON = "04_contacts_that_exist_already"
CLASS = Classroom(seed=42, portal=mk.Portal.load(REPOSITORY / "data" / "portal.yaml"))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium, while there is a class; its file is in a folder that the tests have for themselves."""
    CLASS.save()
    with chromium() as browser:
        yield browser
    FILE.unlink()


@pytest.fixture
def faults() -> list[str]:
    return []


@pytest.fixture
def page(browser: Browser, faults: list[str]) -> Iterator[Page]:
    page = browser.new_page(viewport={"width": 1280, "height": 1000})
    page.on("pageerror", lambda fault: faults.append(str(fault)))
    yield page
    page.close()
    assert faults == []


@pytest.fixture(scope="module")
def lab(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with served(tmp_path_factory.mktemp("lab")) as address:
        yield address


@pytest.fixture(scope="module")
def app(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with served_app(tmp_path_factory.mktemp("app")) as server:
        yield server


def play(page: Page, twin: PredictPanel, *, right: bool) -> None:
    """Plays a round by keyboard. The twin is the same panel here, and knows: a class meets the same contacts."""
    panel = page.locator(".mk-at-predict")
    for number in range(1, ROUND + 1):
        expect(panel.get_by_role("heading")).to_contain_text(f"Contact {number} of {ROUND}")
        status = twin.card.status
        answer = status if right else next(other for other in STATUSES if other != status)
        panel.get_by_label(answer, exact=True).focus()
        page.keyboard.press("Space")
        for _ in STATUSES:
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.matches('button')"):
                break
        page.keyboard.press("Enter")
        verdict = f"Right: {status}." if right else f"No, not {answer}: it is {status}."
        expect(panel.get_by_role("status")).to_contain_text(verdict)
        if not right:
            expect(panel).to_contain_text("What was missed")
        expect(panel).to_contain_text(re.compile("read in"))
        twin.choice.value = answer
        twin.button.click()
        if number < ROUND:
            page.keyboard.press("Enter")
            twin.button.click()
    expect(panel.locator(".mk-round")).to_contain_text(f"{ROUND if right else 0} of {ROUND} right.")


def play_two_rounds(page: Page) -> None:
    """A round with every answer right, and one with every answer wrong."""
    twin = PredictPanel(LessonText.load(LESSON).practice.predict, CLASS, lambda *_: None)
    play(page, twin, right=True)
    page.keyboard.press("Enter")
    twin.button.click()
    play(page, twin, right=False)


def test_in_jupyterlab_a_round_is_played_right_and_one_wrong_and_keys_stay_with_the_widgets(
    page: Page, lab: str
) -> None:
    run_notebook(page, lab, f"lessons/{LESSON}.ipynb")
    expect(page.locator(".mk-at-question")).to_have_count(3, timeout=60_000)
    play_two_rounds(page)

    cells = page.locator(".jp-Notebook-cell").count()
    tool = page.locator(".mk-at-story").get_by_label("2 · comes")
    before = tool.input_value()
    tool.focus()
    page.keyboard.press("ArrowDown")
    expect(tool).not_to_have_value(before)
    answers = page.locator(".mk-at-question").first.get_by_role("radio")
    answers.first.focus()
    page.keyboard.press("Space")
    page.keyboard.press("ArrowDown")
    expect(answers.nth(1)).to_be_checked()
    expect(answers.nth(1)).to_be_focused()
    for command in "xbdd":  # in JupyterLab: cut the cell, one more below, delete it
        page.keyboard.press(command)
    expect(page.locator(".jp-Notebook-cell")).to_have_count(cells)
    assert violations(page, ".jp-Notebook .jp-OutputArea") == []


@pytest.mark.parametrize("lesson_id", lesson_ids())
def test_in_the_app_a_lesson_is_whole_shows_no_code_and_is_accessible(page: Page, app: Running, lesson_id: str) -> None:
    text = LessonText.load(lesson_id)
    page.goto(f"{app.address}/lessons/{lesson_id}")
    questions = page.locator(".mk-at-question")
    expect(questions).to_have_count(3, timeout=60_000)
    for question, asked in zip(text.questions, questions.all(), strict=True):
        answer = said(question.answer())
        asked.get_by_role("radio", name=answer, exact=True).check()
        asked.get_by_role("button").click()
        expect(asked.get_by_role("status")).to_contain_text(f"Right: {answer}.")
    expect(page.get_by_role("heading", level=1)).to_contain_text(text.title)
    expect(page.get_by_role("alert")).to_have_count(0)
    expect(page.locator(".cm-editor, .highlight, .jp-CodeCell .jp-InputArea")).to_have_count(0)
    shown = page.get_by_role("main").inner_text()
    assert text.article[0].pieces[0][0].strip() in shown
    assert not re.search(r"lesson\.\w+\(|import Lesson|Run All Cells in the menu", shown)
    for width in (1280, 390):
        page.set_viewport_size({"width": width, "height": 1000})
        assert violations(page) == []


def test_in_the_app_a_round_is_played_right_and_one_wrong(page: Page, app: Running) -> None:
    page.goto(f"{app.address}/lessons/{LESSON}")
    expect(page.locator(".mk-at-question")).to_have_count(3, timeout=60_000)
    play_two_rounds(page)
