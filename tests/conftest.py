"""Hypothesis profiles: `everyday` for `make test`, `complete` (60 cases a property) for `make test-all`, `thorough`
(many more) for `make thorough`. And a folder of its own for what lessons save, so that no test touches anybody's
progress or class.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

_SAVED = tempfile.TemporaryDirectory(prefix="marketable-saved-")
os.environ["MARKETABLE_SAVED"] = _SAVED.name  # kernels inherit it

from marketable.report.process import start_quickly  # noqa: E402

start_quickly()

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from lab import Running

settings.register_profile("complete", max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("everyday", parent=settings.get_profile("complete"), max_examples=15)
settings.register_profile("thorough", parent=settings.get_profile("complete"), max_examples=3000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "everyday"))


# ---- what tests in a browser share ----


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of one JupyterLab for all who only open notebooks in it."""
    from lab import served

    with served(tmp_path_factory.mktemp("lab")) as address:
        yield address


@pytest.fixture(scope="session")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One app with the project's own notebooks, for all who only visit it."""
    from lab import served_app

    with served_app(tmp_path_factory.mktemp("app")) as server:
        yield server


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium. It is no longer there for the tests of the next file: while it is, no event loop can be run."""
    from lab import chromium

    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def tab(browser: Browser) -> Page:
    """In which the pages of a server are opened one after the other: their scripts are read and compiled once."""
    return browser.new_page()


@pytest.fixture
def page(tab: Page) -> Iterator[Page]:
    """The tab, for one test, in which no script fails. Afterwards it is empty: its page was left."""
    faults: list[str] = []

    def note(fault: object) -> None:
        faults.append(str(fault))

    tab.on("pageerror", note)
    yield tab
    tab.goto("about:blank")
    tab.remove_listener("pageerror", note)
    tab.context.clear_cookies()
    assert faults == []


# A browser, a server, a process, a notebook or a page of widgets of its own for each test: what they take is not the
# rules' time. What takes longest stands first.
_SLOW = (
    "test_report",
    "test_app",
    "test_naughty",
    "test_report_page",
    "test_panels",
    "test_practice",
    "test_workbench",
    "test_sweep",
    "test_notebooks",
    "test_frames",
    "test_progress",
    "test_trainer",
    "test_wheel",
    "test_lessons_browser",
    "test_workbench_browser",
)
_BROWSER = "browser"


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks the slow tests, and says which of several processes runs them one after the other: those of a file share
    what they set up, and one browser at a time is enough for two processors. What takes long begins first, so that
    none of the processes waits for another in the end.
    """
    begins = [_BROWSER, *_SLOW, "properties", "examples"]
    order = {}
    for item in items:
        if slow := item.path.stem in _SLOW:
            item.add_marker(pytest.mark.slow)
        if item.get_closest_marker(_BROWSER) or slow:
            group = _BROWSER if item.get_closest_marker(_BROWSER) else item.path.stem
            item.add_marker(pytest.mark.xdist_group(group))
        else:
            group = "properties" if getattr(getattr(item, "obj", None), "is_hypothesis_test", False) else "examples"
        order[item] = begins.index(group)
    items.sort(key=order.__getitem__)
