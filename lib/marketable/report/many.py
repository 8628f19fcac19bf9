"""Many reports made: each in a process with a warm kernel, some at once; one that fails stops no other.

What is there already, and was made from the very same, is kept. Each process has an executor of its own, so that one
that dies takes its own report with it and nothing else.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import json
import multiprocessing
import os
import signal
import tempfile
import threading
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from marketable.errors import MarketableError

from . import process
from .process import FAILED

if TYPE_CHECKING:
    from .kernel import WarmKernel
    from .parameters import Parameters
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
    with process.writing(sweep.folder):
        sweep.folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=sweep.folder).close()  # before the work, not after it
    kept = tuple(run.name for run in sweep.runs if not again and is_there(sweep.page(run), run.fingerprint))
    wanted = [run for run in sweep.runs if run.name not in kept]
    failed = _made(sweep, wanted, at_once, seconds, progress or (lambda number, of, name: None))
    made = tuple(run.name for run in wanted if run.name not in failed)
    from .index import write_index  # which loads pandas, best while others do the work

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


# ---- in this process ----


def _made(sweep: Sweep, runs: list[Run], at_once: int, seconds: float, progress: Progress) -> dict[str, Failure]:
    """Makes each run. Returns: those that failed."""
    failed: dict[str, Failure] = {}
    waiting, begun = list(reversed(runs)), 0
    others = {*multiprocessing.active_children()}
    busy: dict[Future[Failure | None], tuple[Run, ProcessPoolExecutor]] = {}
    idle = [_executor() for _ in range(min(at_once, len(runs)))]
    try:
        while waiting or busy:
            while waiting and idle:
                run, executor = waiting.pop(), idle.pop()
                begun += 1
                progress(begun, len(runs), run.label)
                asked = functools.partial(_make, run.parameters, sweep.page(run), run.fingerprint, seconds)
                try:
                    future = executor.submit(asked)
                except BrokenProcessPool:  # it died while it had nothing to do
                    executor = _executor()
                    future = executor.submit(asked)
                busy[future] = run, executor
            for future in wait(busy, return_when=FIRST_COMPLETED).done:
                run, executor = busy.pop(future)
                try:
                    failure = future.result()
                except BrokenProcessPool:
                    failure = Failure(FAILED, "The process that made it died.")
                    executor.shutdown()
                    executor = _executor()
                idle.append(executor)
                if failure is not None:
                    failed[run.name] = failure
    except BaseException:
        for child in {*multiprocessing.active_children()} - others:
            child.terminate()
        raise
    finally:
        for executor in [*idle, *(executor for _, executor in busy.values())]:
            executor.shutdown(cancel_futures=True)
    return failed


def _executor() -> ProcessPoolExecutor:
    return ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn"), initializer=_begin)


# ---- in a process that makes reports ----

_kernel: WarmKernel


def _begin() -> None:
    """Starts a kernel, which ends with this process; and this process ends with the one that started it."""
    global _kernel
    process.begin()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal tells all of us; who started us tells us to end
    signal.signal(signal.SIGTERM, _stop)
    threading.Thread(target=_follow, daemon=True).start()
    from .kernel import WarmKernel

    _kernel = WarmKernel()
    atexit.register(_kernel.end)


def _stop(_signal: int, _frame: object) -> None:
    """Ends without a word, as whoever is stopped wants none; so in the middle of whatever it does."""
    with contextlib.suppress(BaseException):
        _kernel.end()
    os._exit(process.STOPPED)


def _follow() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(process.STOPPED)  # the kernel follows as soon as it notices


def _make(parameters: Parameters, page: Path, fingerprint: str, seconds: float) -> Failure | None:
    """Makes one report, and notes in its figures what it was made from."""
    from .kernel import Deadline
    from .run import ReportError, make

    try:
        make(parameters, page, _kernel, Deadline(seconds), noted={"fingerprint": fingerprint})
    except ReportError as error:
        return Failure(error.code, error.problem)
    except (MarketableError, OSError) as error:
        return Failure(process.code_of(error), " ".join(str(error).split()))
    except Exception as error:
        return Failure(FAILED, f"{type(error).__name__}: {' '.join(str(error).split())}")
    return None
