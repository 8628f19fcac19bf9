"""A lesson as a learner meets it in JupyterLab: a round of practice played right and one played wrong, by keyboard."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

import marketable as mk
from lab import REPOSITORY, chromium, chromium_path, run_notebook, served
from marketable.practice.classroom import FILE, Classroom
from marketable.practice.lessons import LessonText
from marketable.rulebook import STATUSES
from marketable.views.lessons.predict_panel import ROUND, PredictPanel

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not chromium_path() and not os.environ.get("CI"), reason="no Chromium here; CI installs it"),
]
LESSON = "04_contacts_that_exist_already"
CLASS = Classroom(seed=42, portal=mk.Portal.load(REPOSITORY / "data" / "portal.yaml"))


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    CLASS.save()  # in a folder that the tests have for themselves, which kernels inherit
    try:
        with served(tmp_path_factory.mktemp("lab")) as lab, chromium() as browser:
            page = browser.new_page(viewport={"width": 1300, "height": 1000})
            faults: list[str] = []
            page.on("pageerror", lambda fault: faults.append(str(fault)))
            run_notebook(page, lab, f"lessons/{LESSON}.ipynb")
            expect(page.locator(".mk-at-predict")).to_be_visible(timeout=60_000)
            yield page
            assert faults == []
    finally:
        FILE.unlink()


@pytest.fixture(scope="module")
def twin() -> PredictPanel:
    """The same panel here, which knows what is asked there: a class meets the same contacts."""
    return PredictPanel(LessonText.load(LESSON).practice.predict, CLASS, lambda *_: None)


def play(page: Page, twin: PredictPanel, *, right: bool) -> None:
    panel = page.locator(".mk-at-predict")
    for number in range(1, ROUND + 1):
        expect(panel.get_by_role("heading")).to_contain_text(f"Contact {number} of {ROUND}")
        status = twin.card.status
        said = status if right else next(other for other in STATUSES if other != status)
        panel.get_by_label(said, exact=True).focus()
        page.keyboard.press("Space")
        for _ in STATUSES:
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.matches('button')"):
                break
        page.keyboard.press("Enter")
        verdict = f"Right: {status}." if right else f"No, not {said}: it is {status}."
        expect(panel.get_by_role("status")).to_contain_text(verdict)
        if not right:
            expect(panel).to_contain_text("What was missed")
        expect(panel).to_contain_text(re.compile(r"Source:|Judged by|read in"))
        twin.choice.value = said
        twin.button.click()
        if number < ROUND:
            page.keyboard.press("Enter")
            twin.button.click()
    expect(panel.locator(".mk-round")).to_contain_text(f"{ROUND if right else 0} of {ROUND} right.")


def test_a_round_played_right_and_one_played_wrong_by_keyboard(page: Page, twin: PredictPanel) -> None:
    play(page, twin, right=True)
    page.keyboard.press("Enter")
    twin.button.click()
    play(page, twin, right=False)


def test_keys_pressed_among_widgets_are_theirs_and_not_the_notebooks(page: Page) -> None:
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
