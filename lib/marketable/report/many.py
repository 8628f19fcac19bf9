"""Many reports made, some at once, each in a warm kernel, which is a process; one that fails stops no other.

What is there already, and was made from the very same, is kept.
"""

from __future__ import annotations

import json
import tempfile
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from marketable.errors import MarketableError

from .kernel import Deadline, WarmKernel
from .process import FAILED, code_of, writing
from .sweep import Run, Sweep

Progress = Callable[[int, int, str], object]  # of each report as it begins: its number, how many there are, its name


@dataclass(frozen=True)
class Failure:
    """Why a report could not be made, in a line, and the code that this ends the command with."""

    code: int
    reason: str


@dataclass(frozen=True)
class Swept:
    """The runs of a sweep by name: made anew, kept, and failed."""

    made: tuple[str, ...]
    kept: tuple[str, ...]
    failed: dict[str, Failure]

    @property
    def code(self) -> int:
        """What the command ends with: 0, or the highest code of the failures."""
        return max((failure.code for failure in self.failed.values()), default=0)

    def __str__(self) -> str:
        return f"{len(self.made):,} made, {len(self.kept):,} kept, {len(self.failed):,} failed"


def make_all(
    sweep: Sweep, *, at_once: int = 2, seconds: float = 300.0, again: bool = False, progress: Progress | None = None
) -> Swept:
    """Makes the reports of a sweep that are not there yet, and writes the index of all.

    Arguments: seconds, for each report; again, whether what is there is made anew.
    """
    with writing(sweep.folder):
        sweep.folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=sweep.folder).close()  # before the work, not after it
    kept = tuple(run.name for run in sweep.runs if not again and is_there(sweep.page(run), run.fingerprint))
    wanted = [run for run in sweep.runs if run.name not in kept]
    failed = _made(sweep, wanted, at_once, seconds, progress or (lambda number, of, name: None))
    made = tuple(run.name for run in wanted if run.name not in failed)
    from .index import write_index  # which loads pandas, best after the kernels have

    figures = {name: _figures(sweep.folder / f"{name}.json") for name in (*kept, *made)}
    write_index(sweep, figures, {name: failure.reason for name, failure in failed.items()})
    return Swept(made, kept, {run.name: failed[run.name] for run in wanted if run.name in failed})


def is_there(page: Path, fingerprint: str) -> bool:
    """Whether a report is there that was made from the very same."""
    try:
        return page.is_file() and bool(_figures(page.with_suffix(".json")).get("fingerprint") == fingerprint)
    except (OSError, ValueError, AttributeError):
        return False


def _figures(file: Path) -> dict[str, Any]:
    figures: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return figures


def _made(sweep: Sweep, runs: list[Run], at_once: int, seconds: float, progress: Progress) -> dict[str, Failure]:
    """Makes each run. Returns: those that failed."""
    waiting, beginning = iter(list(enumerate(runs, 1))), threading.Lock()
    failed, kernels = dict[str, Failure](), list[WarmKernel]()

    def begin() -> Run | None:
        with beginning:
            number, run = next(waiting, (0, None))
            if run is not None:
                progress(number, len(runs), run.label)
            return run

    def work() -> None:
        with WarmKernel() as kernel:
            kernels.append(kernel)
            while run := begin():
                if failure := _make(sweep, run, kernel, seconds):
                    failed[run.name] = failure

    with ThreadPoolExecutor(at_once) as executor:
        try:
            for each in as_completed([executor.submit(work) for _ in range(min(at_once, len(runs)))]):
                each.result()
        except BaseException:  # a signal to end: what waits is not begun, and what is on its way fails
            list(waiting)
            for kernel in kernels:
                kernel.kill()
            raise
    return failed


def _make(sweep: Sweep, run: Run, kernel: WarmKernel, seconds: float) -> Failure | None:
    """Makes one report, and notes in its figures what it was made from."""
    from .run import ReportError, make

    page = sweep.page(run)
    try:
        make(run.parameters, page, kernel, Deadline(seconds), noted={"fingerprint": run.fingerprint})
    except ReportError as error:
        return Failure(error.code, error.problem)
    except (MarketableError, OSError) as error:
        return Failure(code_of(error), " ".join(str(error).split()))
    except Exception as error:
        return Failure(FAILED, f"{type(error).__name__}: {' '.join(str(error).split())}")
    return None
