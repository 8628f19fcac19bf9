"""The lessons as learners meet them: in JupyterLab a round of practice, by keyboard; in the app every lesson."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

import marketable as mk
from lab import REPOSITORY, Running, chromium_path, run_notebook, violations
from marketable.lessons.classroom import FILE, Classroom
from marketable.lessons.lessons import LessonText, lesson_ids, taught
from marketable.lessons.panels.count_panel import CountPanel
from marketable.lessons.panels.final_panel import FinalPanel
from marketable.lessons.panels.pieces import Questions
from marketable.lessons.panels.predict_panel import PredictPanel
from marketable.lessons.panels.quiz import said

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not chromium_path() and not os.environ.get("CI"), reason="no Chromium here; CI installs it"),
]
LESSON = "04_contacts_that_exist_already"
CLASS = Classroom(seed=42, portal=mk.Portal.load(REPOSITORY / "data" / "portal.yaml"))


@pytest.fixture(scope="module", autouse=True)
def a_class() -> Iterator[None]:
    """While there is one, its file is in a folder that the tests have for themselves."""
    CLASS.save()
    yield
    FILE.unlink()


@pytest.fixture
def page(page: Page) -> Page:
    page.set_viewport_size({"width": 1280, "height": 1000})
    return page


def play(page: Page, twin: Questions, *, right: bool) -> None:
    """Plays a round by keyboard. The twin is the same panel here, and knows: a class meets the same contacts."""
    panel = page.locator(f".mk-at-{twin.exercise}")
    length = len(twin.round)
    for number in range(1, length + 1):
        expect(panel.get_by_role("heading")).to_contain_text(f"{number} of {length}")
        words = {value: said for said, value in twin.posed.choices}
        answer = twin.posed.answer if right else next(value for value in words if value != twin.posed.answer)
        panel.get_by_role("radio", name=words[answer], exact=True).focus()
        page.keyboard.press("Space")
        for _ in words:
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.matches('button')"):
                break
        page.keyboard.press("Enter")
        verdict = f"{'Right' if right else 'No, it is'}: {words[twin.posed.answer]}."
        expect(panel.get_by_role("status")).to_contain_text(verdict)
        expect(panel.locator(".mk-why")).to_have_text(twin.posed.why)
        expect(panel.locator("summary", has_text="source")).to_be_visible()
        twin.choice.value = answer
        twin.button.click()
        if number < length:
            page.keyboard.press("Enter")
            twin.button.click()
    expect(panel.locator(".mk-round")).to_contain_text(f"{length if right else 0} of {length} right.")


def play_two_rounds(page: Page, lesson_id: str) -> None:
    """A round with every answer right, and one with every answer wrong."""
    practice = LessonText.load(lesson_id).practice
    panel, chosen = (PredictPanel, practice.predict) if practice.predict else (CountPanel, practice.count)
    twin = panel(chosen, taught(lesson_id), CLASS, lambda *_: None)
    play(page, twin, right=True)
    page.keyboard.press("Enter")
    twin.button.click()
    play(page, twin, right=False)


def test_in_jupyterlab_a_round_is_played_right_and_one_wrong_and_keys_stay_with_the_widgets(
    page: Page, lab: str
) -> None:
    run_notebook(page, lab, f"lessons/{LESSON}.ipynb")
    expect(page.locator(".mk-at-question")).to_have_count(3, timeout=60_000)
    play_two_rounds(page, LESSON)

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
def test_in_the_app_a_lesson_is_whole_played_and_accessible_and_shows_no_code(
    page: Page, app: Running, lesson_id: str
) -> None:
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
    assert violations(page) == []
    if text.practice.predict or text.practice.count:
        play_two_rounds(page, lesson_id)
    page.set_viewport_size({"width": 390, "height": 1000})
    assert violations(page) == []


def test_in_the_app_the_final_test_is_played_and_leads_back_to_the_lessons(page: Page, app: Running) -> None:
    page.goto(f"{app.address}/lessons/final_test")
    expect(page.locator(".mk-at-final")).to_contain_text("Case 1 of 30", timeout=60_000)
    twin = FinalPanel(CLASS, lambda *_: None)
    play(page, twin, right=False)
    expect(page.locator(".mk-at-final").get_by_role("link", name="4 · Contacts that exist already")).to_be_visible()
    for width in (1280, 390):
        page.set_viewport_size({"width": width, "height": 1000})
        assert violations(page) == []
    page.locator(".mk-at-final").get_by_role("link", name="4 · Contacts that exist already").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("4 · Contacts that exist already", timeout=60_000)


def test_the_page_to_keep_has_every_tool_and_prints_on_one_sheet(page: Page, app: Running, tmp_path: Path) -> None:
    taken: list[str] = []
    page.on("download", lambda download: taken.append(download.suggested_filename))
    page.goto(f"{app.address}/lessons/sheet")
    link = page.get_by_role("link", name="Download marketing-contacts.html")
    expect(link).to_be_visible(timeout=60_000)
    for rule in mk.Rulebook.load().newest.values():
        expect(page.get_by_role("cell", name=rule.name, exact=True)).to_be_visible()
    for width in (1280, 390):
        page.set_viewport_size({"width": width, "height": 1000})
        assert violations(page) == []
    assert taken == []
    with page.expect_download() as download:
        link.click()
    download.value.save_as(tmp_path / "sheet.html")
    page.goto((tmp_path / "sheet.html").as_uri())
    printed = page.pdf(format="A4")
    assert len(re.findall(rb"/Type\s*/Page\b", printed)) == 1


def test_progress_that_was_chosen_on_the_start_page_goes_on_in_every_lesson(browser: Browser, app: Running) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.goto(app.address)
    assert violations(page) == []
    page.get_by_label("Keep my progress").check()
    page.goto(f"{app.address}/lessons/02_tools_without_a_switch")
    kept = page.locator(".mk-keeping").get_by_role("status")
    expect(kept).to_contain_text("Your code is", timeout=60_000)
    code = re.search(r"Your code is (\w{6})", kept.inner_text())
    assert code
    asked = page.locator(".mk-at-question").first
    asked.get_by_role("radio").first.check()
    asked.get_by_role("button", name="Check").click()
    expect(kept).to_contain_text("of 1 question right")
    page.goto(f"{app.address}/lessons/03_tools_with_a_switch")
    expect(kept).to_contain_text(f"kept under the code {code[1]}", timeout=60_000)
    page.goto(app.address)
    expect(page.get_by_text(f"Your progress is kept under {code[1]}.")).to_be_visible()
    page.get_by_label("Keep my progress").uncheck()
    page.goto(f"{app.address}/lessons/final_test")
    expect(kept).to_contain_text("Progress is not kept", timeout=60_000)
    context.close()
