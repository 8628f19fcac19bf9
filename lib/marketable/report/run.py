"""One report: the notebook with the parameters that papermill puts into it, run; its page and figures written whole, or
not at all. A run that fails leaves its notebook, with the error, and nothing else.
"""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import tempfile
import threading
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from papermill.parameterize import parameterize_notebook

from marketable.errors import MarketableError, ParameterError
from marketable.exports.opening import submissions_of
from marketable.paths import write_together, write_whole

from . import figures as written
from .findings import CONTACTS, FIGURES
from .kernel import Deadline, WarmKernel
from .page import page, prepare
from .parameters import NOTEBOOK, Parameters
from .process import BAD_DATA, BAD_PARAMETERS, FAILED, OUT_OF_TIME, writing

BESIDE = (".json", ".csv", ".xlsx", ".ipynb", ".pdf", ".contacts.csv", ".failed.ipynb")
_CODES = dict.fromkeys(("DataError", "PortalError", "RulebookError"), BAD_DATA)
_CODES |= dict.fromkeys(("ParameterError", "UnknownNameError"), BAD_PARAMETERS)
_PDF_SECONDS = 60


class ReportError(MarketableError):
    """A report could not be made: `problem` says why in a sentence or more. `code` is the command's exit code."""

    def __init__(self, problem: str, code: int = FAILED, advice: str | None = None) -> None:
        super().__init__(problem, advice=advice)
        self.code = code

    def _message(self) -> str:
        return " ".join(filter(None, [self.problem, self.advice]))


Progress = Callable[[int, int, str], object]  # of each cell as it begins: its number, how many there are, its name


@dataclass(frozen=True)
class Made:
    """A report that was made: the page, the files beside it, and the figures."""

    page: Path
    files: tuple[Path, ...]
    figures: Mapping[str, Any]


def make(
    parameters: Parameters,
    output: Path,
    kernel: WarmKernel,
    deadline: Deadline,
    *,
    notebook: Path = NOTEBOOK,
    pdf: bool = False,
    progress: Progress = lambda number, of, name: None,
    inputs: tuple[Path, ...] = (),
    noted: Mapping[str, Any] | None = None,
) -> Made:
    """Runs the notebook and writes the page, and beside it the figures and the executed notebook.

    Arguments: output, of the page; pdf, whether to print it too; inputs, files that must not be written over, besides
    the data, the portal and the notebook; noted, what the JSON says besides the figures.
    Raises: ParameterError for an output that cannot be; ReportError where the notebook fails or time runs out.
    """
    with writing(output):
        checked_output(parameters, output, notebook, inputs)
    browser = chromium() if pdf else None
    with writing(output):
        output.parent.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=output.parent).close()  # before the work, not after it
    failed = output.with_suffix(".failed.ipynb")
    preparing = threading.Thread(target=prepare)
    preparing.start()  # while the kernel works
    try:
        executed = _executed(parameters, notebook, kernel, deadline, failed, progress)
    finally:
        preparing.join()
    figures = output_of(executed, FIGURES)
    html = page(executed, parameters.title)
    contents = {".ipynb": nbformat.writes(executed).encode()}
    if figures is not None or noted:
        contents[".json"] = written.as_json({**(figures or {}), **(noted or {})})
    if figures is not None:
        contents |= {".csv": written.as_csv(figures), ".xlsx": written.as_workbook(figures)}
    listed = output_of(executed, CONTACTS)
    if listed is not None:
        contents[".contacts.csv"] = str(listed).encode("utf-8-sig")
    if browser:
        contents[".pdf"] = _printed(html, browser, deadline)
    beside = {output.with_suffix(suffix): content for suffix, content in contents.items()}
    earlier = [output.with_suffix(suffix) for suffix in BESIDE if suffix not in contents]
    with writing(output):  # what is left of an earlier run would tell something else
        write_together({**beside, output: html.encode()}, earlier)
    return Made(output, tuple(beside), figures or {})


def checked_output(parameters: Parameters, output: Path, notebook: Path, inputs: tuple[Path, ...] = ()) -> None:
    """Raises: ParameterError for an output that is a folder, no page, or one of the inputs."""
    if output.suffix.lower() not in (".html", ".htm"):
        raise ParameterError("The page is an HTML file", place=("output",), value=str(output), expected="name.html")
    made_from = (*parameters.paths.values(), submissions_of(parameters.data_path), notebook, *inputs)
    read = [each for each in made_from if each and each.exists()]
    own = {each.resolve().with_suffix("") for each in parameters.paths.values() if each}
    if output.resolve().with_suffix("") in own:
        problem = "The report's files would stand among those of the same name that it is made from"
        raise ParameterError(problem, place=("output",), value=str(output), advice="Choose another name.")
    for target in (output, *(output.with_suffix(suffix) for suffix in BESIDE)):
        if target.is_dir():
            raise ParameterError("A report cannot take the place of a folder", place=("output",), value=str(target))
        if target.exists() and any(target.samefile(each) for each in read):
            problem = "The report would be written over what it is made from"
            raise ParameterError(problem, place=("output",), value=str(target), advice="Choose another name.")


def chromium() -> str:
    """Where a browser that prints is. Raises: ParameterError where there is none."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")
    found = next(filter(None, map(shutil.which, names)), None)
    if found is None:
        advice = "Install Chromium, or leave the PDF out and print the page from any browser."
        raise ParameterError("A PDF needs Chromium, and there is none on the path", place=("pdf",), advice=advice)
    return found


class _Client(NotebookClient):
    """nbclient's, but for signals to end: it would end the kernel, which would look as if that had died."""

    @contextlib.asynccontextmanager
    async def async_setup_kernel(self, **_: Any) -> AsyncIterator[None]:
        """The kernel is there already, and ended by whoever started it."""
        yield


def _executed(
    parameters: Parameters, notebook: Path, kernel: WarmKernel, deadline: Deadline, failed: Path, progress: Progress
) -> Any:
    """The notebook with its outputs. Raises: ReportError, the notebook being kept where it failed."""
    asked = parameters.model_dump() | {name: str(path) for name, path in parameters.paths.items()}
    executed = parameterize_notebook(_read(notebook), asked, kernel_name="python3", language="python")
    code = [id(cell) for cell in executed.cells if cell.cell_type == "code"]

    def begins(cell: Any, **_: Any) -> None:
        progress(code.index(id(cell)) + 1, len(code), _name(cell))

    where = ""
    try:
        listening = kernel.ready(deadline)  # which may be another kernel from here on
        client = _Client(executed, km=kernel.manager, timeout_func=lambda _: deadline.left, on_cell_execute=begins)
        client.kc = listening
        client.execute()
        return executed
    except CellExecutionError as error:
        outputs = ((cell, output) for cell in executed.cells for output in cell.get("outputs", []))
        failing = next(cell for cell, output in outputs if output.output_type == "error")
        exit_code, where = _CODES.get(error.ename, FAILED), f"The cell “{_name(failing)}” failed. "
        ours = exit_code != FAILED  # a sentence for people already
        problem = error.evalue if ours else f"{error.ename}: {error.evalue.removesuffix('.')}."
    except (CellTimeoutError, DeadKernelError, TimeoutError, RuntimeError) as error:
        exit_code, problem = FAILED, f"The kernel died: {str(error).removesuffix('.')}."
        if deadline.over or isinstance(error, TimeoutError):
            exit_code, problem = OUT_OF_TIME, f"Out of time: more than {deadline.seconds:g} s were needed."
            kernel.end()
    with writing(failed):
        write_whole(failed, nbformat.writes(executed).encode())
    advice = f"{where}The notebook as far as it came: {failed}"
    raise ReportError(" ".join(problem.split()), exit_code, advice)


def _read(notebook: Path) -> Any:
    """The notebook. Raises: ParameterError where there is none, or none that takes parameters."""
    try:
        template = nbformat.read(notebook, as_version=4)
    except (OSError, ValueError, AttributeError, nbformat.ValidationError):  # what nbformat raises for no notebook
        raise ParameterError("This is no notebook", place=("notebook",), value=str(notebook)) from None
    for cell in template.cells:
        cell.metadata.setdefault("tags", [])
    if not any("parameters" in cell.metadata.tags for cell in template.cells):
        advice = "Tag the cell that holds them as parameters, as in the notebook of the toolkit."
        problem = "This notebook takes no parameters"
        raise ParameterError(problem, place=("notebook",), value=str(notebook), advice=advice)
    template.metadata["papermill"] = {}  # where papermill notes what it was asked
    return template


def _name(cell: Any) -> str:
    """What a cell is called: its id, where a person gave it, else its first line."""
    if "injected-parameters" in cell.metadata.tags:
        return "parameters"
    return str(cell.get("id") or (cell.source.splitlines() or [""])[0][:40])


def output_of(notebook: Any, kind: str) -> Any:
    """The last output of a kind in an executed notebook, or None."""
    outputs = (output.get("data", {}) for cell in notebook.cells for output in cell.get("outputs", []))
    return next((data[kind] for data in reversed(list(outputs)) if kind in data), None)


def _printed(html: str, browser: str, deadline: Deadline) -> bytes:
    """The page as PDF, printed by a browser that reaches no network."""
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "page.html"), Path(folder, "page.pdf")
        source.write_text(html, encoding="utf-8")
        command = [
            browser, "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
            f"--user-data-dir={folder}/profile", "--host-resolver-rules=MAP * ~NOTFOUND", "--no-pdf-header-footer",
            f"--print-to-pdf={target}", source.as_uri(),
        ]  # fmt: skip
        try:
            subprocess.run(command, capture_output=True, timeout=min(_PDF_SECONDS, deadline.left), check=True)  # noqa: S603
            return target.read_bytes()
        except subprocess.TimeoutExpired:
            raise ReportError("Out of time while the browser printed the page.", OUT_OF_TIME) from None
        except (subprocess.CalledProcessError, OSError) as error:
            raise ReportError(f"The browser did not print the page: {error}.") from None
