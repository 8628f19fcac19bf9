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


# A browser, a server, a process, a notebook or a page of widgets of its own for each test: what they take is not the
# rules' time.
_SLOW = {
    "test_app",
    "test_frames",
    "test_lessons_browser",
    "test_naughty",
    "test_notebooks",
    "test_panels",
    "test_practice",
    "test_progress",
    "test_report",
    "test_report_page",
    "test_sweep",
    "test_trainer",
    "test_wheel",
    "test_workbench",
    "test_workbench_browser",
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks the slow tests, and says which of several processes runs them one after the other: those of a file share
    what they set up, and one browser at a time is enough for two processors.
    """
    for item in items:
        if item.path.stem in _SLOW:
            item.add_marker(pytest.mark.slow)
        if item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.xdist_group("browser"))
        elif item.path.stem in _SLOW:
            item.add_marker(pytest.mark.xdist_group(item.path.stem))
