"""One report: the notebook run by papermill, its page and figures written whole, or not at all.

Parameters come checked, from their schema; papermill sees a notebook and no paths, for it would take braces in a path
for a format and an output for its template. A run that fails leaves its notebook, with the error, and nothing else.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import papermill
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import Engine, papermill_engines
from papermill.exceptions import PapermillExecutionError

from marketable.errors import MarketableError, ParameterError
from marketable.exports.opening import submissions_of
from marketable.paths import write_together, write_whole

from . import figures as written
from .findings import CONTACTS, FIGURES
from .kernel import EMPTY, Deadline, WarmKernel
from .page import page, prepare
from .parameters import NOTEBOOK, Parameters
from .process import BAD_DATA, BAD_PARAMETERS, FAILED, OUT_OF_TIME, writing

BESIDE = (".json", ".csv", ".xlsx", ".ipynb", ".pdf", ".contacts.csv", ".failed.ipynb")
_ENGINE, _EMPTIES = "marketable", "empties-the-kernel"
_BAD_DATA = ("DataError", "PortalError", "RulebookError")
_BAD_PARAMETERS = ("ParameterError", "UnknownNameError")
_PDF_SECONDS = 60


class ReportError(MarketableError):
    """A report could not be made: `problem` says why in a sentence or more. `code` is the command's exit code."""

    code = FAILED

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
    figures = _data(executed, FIGURES)
    html = page(executed, parameters.title)
    contents = {".ipynb": nbformat.writes(executed).encode()}
    if figures is not None or noted:
        contents[".json"] = written.as_json({**(figures or {}), **(noted or {})})
    if figures is not None:
        contents |= {
            ".csv": written.as_csv(figures),
            ".xlsx": written.as_workbook(figures),
        }
    listed = _data(executed, CONTACTS)
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


class _Warm(Engine):  # type: ignore[misc]
    """papermill's engine for notebooks of reports: in a kernel that stays, within a total time limit."""

    @classmethod
    def execute_managed_notebook(
        cls,
        nb_man: Any,
        kernel_name: str,
        *,
        kernel: WarmKernel,
        deadline: Deadline,
        progress: Progress,
        keep: Callable[[Any], None],
        **_: Any,
    ) -> None:
        keep(nb_man.nb)
        code = [cell for cell in nb_man.nb.cells if cell.cell_type == "code" and cell.get("id") != _EMPTIES]
        number = {id(cell): at for at, cell in enumerate(code, 1)}

        def begins(cell: Any, **_: Any) -> None:
            if id(cell) in number:
                progress(number[id(cell)], len(code), _name(cell))

        listening = kernel.ready(deadline)
        client = PapermillNotebookClient(
            nb_man, km=kernel.manager, timeout_func=deadline.of_cell, on_cell_execute=begins
        )
        client.kc = listening
        client.execute()


papermill_engines.register(_ENGINE, _Warm)


def _executed(
    parameters: Parameters, notebook: Path, kernel: WarmKernel, deadline: Deadline, failed: Path, progress: Progress
) -> Any:
    """The notebook with its outputs. Raises: ReportError, the notebook being kept where it failed."""
    template = _read(notebook)
    template.cells.insert(0, nbformat.v4.new_code_cell(EMPTY, id=_EMPTIES))
    kept: list[Any] = [template]
    asked = parameters.model_dump() | {name: str(path) for name, path in parameters.paths.items()}
    try:
        papermill.execute_notebook(
            template,
            None,
            asked,
            engine_name=_ENGINE,
            kernel_name="python3",
            language="python",
            progress_bar=False,
            kernel=kernel,
            deadline=deadline,
            progress=progress,
            keep=kept.append,
        )
    except PapermillExecutionError as error:
        code = BAD_DATA if error.ename in _BAD_DATA else BAD_PARAMETERS if error.ename in _BAD_PARAMETERS else FAILED
        ours = code != FAILED  # a sentence for people already
        told = error.evalue if ours else f"{error.ename}: {error.evalue.removesuffix('.')}."
        where = f"The cell “{_failed(kept[-1])}” failed. "
    except (CellTimeoutError, DeadKernelError, TimeoutError, RuntimeError) as error:
        code, told, where = FAILED, f"The kernel died: {str(error).removesuffix('.')}.", ""
        if deadline.over or isinstance(error, TimeoutError):
            code, told = OUT_OF_TIME, f"Out of time: more than {deadline.seconds:g} s were needed."
    else:
        return _recorded(kept[-1], notebook)
    if code == OUT_OF_TIME:
        kernel.end()
    with writing(failed):
        write_whole(failed, nbformat.writes(_recorded(kept[-1], notebook)).encode())
    fault = ReportError(" ".join(told.split()), advice=f"{where}The notebook as far as it came: {failed}")
    fault.code = code
    raise fault


def _read(notebook: Path) -> Any:
    """The notebook. Raises: ParameterError where there is none, or none that takes parameters."""
    try:
        template = nbformat.read(notebook, as_version=4)
    except (OSError, ValueError, AttributeError, nbformat.ValidationError):  # what nbformat raises for no notebook
        raise ParameterError("This is no notebook", place=("notebook",), value=str(notebook)) from None
    if not any("parameters" in cell.metadata.get("tags", []) for cell in template.cells):
        advice = "Tag the cell that holds them as parameters, as in the notebook of the toolkit."
        problem = "This notebook takes no parameters"
        raise ParameterError(problem, place=("notebook",), value=str(notebook), advice=advice)
    return template


def _recorded(executed: Any, notebook: Path) -> Any:
    """The executed notebook as if it had been run by itself; where papermill notes all of the template, its name."""
    executed.metadata["papermill"] |= {"input_path": notebook.name, "output_path": None}
    executed.cells = [cell for cell in executed.cells if cell.get("id") != _EMPTIES]
    return executed


def _failed(executed: Any) -> str:
    """The name of the cell that failed."""
    errors = (cell for cell in executed.cells for output in cell.get("outputs", []) if output.output_type == "error")
    return _name(next(errors))


def _name(cell: Any) -> str:
    """What a cell is called: its id, where a person gave it, else its first line."""
    tags = cell.metadata.get("tags", [])
    if "injected-parameters" in tags:
        return "parameters"
    return str(cell.get("id") or (cell.source.splitlines() or [""])[0][:40])


def _data(notebook: Any, kind: str) -> Any:
    """The last output of a kind, or None."""
    found = [
        output.data[kind]
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if kind in output.get("data", {})
    ]
    return found[-1] if found else None


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
            fault = ReportError("Out of time while the browser printed the page.")
            fault.code = OUT_OF_TIME
            raise fault from None
        except (subprocess.CalledProcessError, OSError) as error:
            raise ReportError(f"The browser did not print the page: {error}.") from None
