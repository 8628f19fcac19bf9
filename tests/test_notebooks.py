"""Every notebook runs from top to bottom, wherever it is started from; and so does what the README shows."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

import marketable as mk
from marketable.report.kernel import Deadline, WarmKernel
from test_architecture import NOTEBOOKS, REPOSITORY

# Every lesson is opened and answered in the app (test_lessons_browser), which runs the same notebook: here one of them.
LESSONS = [path for path in NOTEBOOKS if path.parent.name == "lessons"]
RUN = [path for path in NOTEBOOKS if path not in LESSONS[1:]]


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WarmKernel]:
    """One for all, which forgets between them, and stands in a folder where nothing is."""
    with contextlib.chdir(tmp_path_factory.mktemp("anywhere")):
        kernel = WarmKernel()
    with kernel:
        yield kernel


@pytest.mark.parametrize("path", RUN, ids=lambda path: path.name)
def test_a_notebook_runs_from_any_folder_and_shows_no_address(path: Path, kernel: WarmKernel) -> None:
    notebook = nbformat.read(path, as_version=4)
    listening = kernel.ready(Deadline(60))
    client = NotebookClient(notebook, km=kernel.manager, timeout=60)
    client.kc = listening
    client.execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert outputs
    assert all(output.output_type in ("execute_result", "display_data") for output in outputs)
    shown = [text for output in outputs for text in output.get("data", {}).values() if isinstance(text, str)]
    assert not any(re.search(r"\w@\w", text) for text in shown)


def test_the_readmes_lines_of_python_run_as_they_stand(monkeypatch: pytest.MonkeyPatch) -> None:
    readme = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", readme, re.DOTALL)
    monkeypatch.chdir(REPOSITORY)
    names: dict[str, object] = {}
    for block in blocks:
        exec(block, names)
    assert blocks and "outcome" in names


def test_the_readmes_portal_is_a_portal() -> None:
    readme = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    (portal,) = re.findall(r"```yaml\n(.*?)```", readme, re.DOTALL)
    assert mk.Portal.of_text(portal).is_on("integration/Eventbrite")
