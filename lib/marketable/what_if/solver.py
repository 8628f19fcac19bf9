"""The same questions as the search's, put to HiGHS as a mixed-integer program, where the search has left them open."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

import highspy
import numpy as np

from .moves import Moves
from .search import Found, found

_LOOK = 0.05  # seconds
_TOLERANCE = 1e-9
_ERROR = 1e-3
_GAP = 0.99  # contacts and flips are whole, so that less than one is nothing


def solve(
    moves: Moves, best: Found, high: int, seconds: float, go_on: Callable[[int], bool], *, fewest: bool
) -> tuple[Found, int]:
    """The best setting that keeps at least as many contacts as the best known one and at most `high`: the one with the
    fewest flips, or the one that keeps the most; and what is proven of that number: no fewer, or no more.
    """
    step = int(np.gcd.reduce(moves.contacts))
    solver = highspy.Highs()
    solver.silent()
    for option, value in {
        "time_limit": seconds,
        "mip_rel_gap": 0.0,
        "mip_abs_gap": _GAP,
        "mip_feasibility_tolerance": _TOLERANCE,
        "primal_feasibility_tolerance": _TOLERANCE,
    }.items():
        solver.setOptionValue(option, value)
    solver.passModel(_model(moves, best.contacts // step, high // step, step, fewest))
    start = highspy.HighsSolution()
    start.col_value = _columns(moves, best.on).astype(float).tolist()
    solver.setSolution(start)
    _run(solver, seconds, lambda: go_on(best.contacts))

    info = solver.getInfo()
    if math.isfinite(info.objective_function_value):
        other = found(moves, np.asarray(solver.getSolution().col_value)[: len(best.on)] > 0.5)
        if best.contacts <= other.contacts <= high and moves.is_setting(other.on):
            best = best.or_better(other)
    if not math.isfinite(info.mip_dual_bound):
        return best, best.fewest if fewest else high
    return best, _whole(info.mip_dual_bound) if fewest else -_whole(info.mip_dual_bound) * step


def _whole(bound: float) -> int:
    """No whole number that is at least the bound is below this."""
    return math.ceil(bound - _ERROR)


def _run(solver: highspy.Highs, seconds: float, go_on: Callable[[], bool]) -> None:
    """Solves beside the main thread, which so can be interrupted and tells how far it is."""
    ends = time.monotonic() + seconds
    solver.HandleUserInterrupt = True
    solver.startSolve()
    try:
        while not solver.wait(_LOOK)[0]:
            if not go_on() or time.monotonic() > ends:
                solver.cancelSolve()
    except BaseException:
        solver.cancelSolve()
        solver.wait()
        raise


def _columns(moves: Moves, on: np.ndarray) -> np.ndarray:
    several = np.bincount(moves.group) > 1
    return np.concatenate([on, moves.holding(on)[several] > 0])


def _model(moves: Moves, low: int, high: int, step: int, fewest: bool) -> highspy.HighsLp:
    """Columns: by move whether its slot is on, then by group of several moves whether it is reached. Rows: a group is
    reached where, and only where, one of its slots is on; no switch's off-slot is on without its on-slot; the contacts.
    """
    many = len(moves.own)
    several = np.bincount(moves.group) > 1
    contacts = moves.contacts // step
    column = many - 1 + np.cumsum(several)
    element = several[moves.group]
    one, its = moves.move[element], column[moves.group[element]]
    each, groups = np.arange(len(one)), np.arange(several.sum())
    on = np.flatnonzero(moves.own & (moves.rival != np.arange(many)))
    pairs = len(one) + len(groups) + np.arange(len(on))
    weight = np.concatenate([np.zeros(many, dtype=np.int64), contacts[several]])
    weight[moves.move[~element]] = contacts[moves.group[~element]]
    last = len(one) + len(groups) + len(on)
    entries: list[tuple[np.ndarray, np.ndarray, Any]] = [
        (each, its, 1), (each, one, -1),
        (len(one) + its - many, one, 1), (len(one) + groups, many + groups, -1),
        (pairs, on, 1), (pairs, moves.rival[on], -1),
        (np.full(len(weight), last), np.arange(len(weight)), weight),
    ]  # fmt: skip
    row, col, value = (
        np.concatenate([np.broadcast_to(entry[part], entry[0].shape) for entry in entries]) for part in range(3)
    )
    order = np.argsort(row, kind="stable")

    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_ = len(weight), last + 1
    flips = np.concatenate([np.where(moves.own, -1, 1), np.zeros(len(groups), dtype=np.int64)])
    lp.col_cost_ = (flips if fewest else -weight).astype(float)
    lp.offset_ = float(moves.own.sum()) if fewest else 0.0
    lp.col_lower_, lp.col_upper_ = np.zeros(len(weight)), np.ones(len(weight))
    lp.row_lower_ = np.append(np.zeros(last), low)
    lp.row_upper_ = np.append(np.full(last, highspy.kHighsInf), high)
    lp.integrality_ = [highspy.HighsVarType.kInteger] * many + [highspy.HighsVarType.kContinuous] * len(groups)
    lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    lp.a_matrix_.start_ = np.searchsorted(row[order], np.arange(last + 2)).astype(np.int32)
    lp.a_matrix_.index_, lp.a_matrix_.value_ = col[order].astype(np.int32), value[order].astype(float)
    return lp
