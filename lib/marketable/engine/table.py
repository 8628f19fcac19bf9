"""What the rows of a batch can be: its cases, its requests to become non-marketing, the contacts listed beside it.

A row's case and its role for its contact make one number, the explanation, which says all there is to say about it.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from marketable.portal.portal import Portal
from marketable.portal.update_dates import update_date_after

from .cases import MARKETING_CODE, NON_MARKETING_CODE, NOT_COVERED_CODE, Cases
from .moments import start
from .rows import Rows, code_type

NONE = -1


class Role(IntEnum):
    """What a touch was for its contact; with the touch's case it says all there is to say."""

    CREATED = 0
    BEFORE_ACCESS = 1
    FROM_NON_MARKETING = 2
    FROM_NOT_COVERED = 3
    FROM_WAITING_NOT_COVERED = 4
    UNDID = 5
    STAYS_MARKETING = 6
    STAYS_NON_MARKETING = 7
    STAYS_NOT_COVERED = 8
    ASKED_WHILE_MARKETING = 9
    ASKED_WHILE_NOT_COVERED = 10
    TOOK_EFFECT = 11
    NOT_COUNTED = 12


ROLES = len(Role)
_N, _M, _C = NON_MARKETING_CODE, MARKETING_CODE, NOT_COVERED_CODE
STATUS_BEFORE = np.array([NONE, NONE, _N, _C, _C, _M, _M, _N, _C, _M, _C, NONE, NONE], dtype=np.int8)
STATUS_AFTER = np.array([NONE, NONE, _M, _M, _M, _M, _M, _N, _C, _M, _C, _N, NONE], dtype=np.int8)


@dataclass(frozen=True)
class Table:
    """What a row can be, by case: first the pairs and eras that occur (`used`: their numbers in Cases), then the
    requests to become non-marketing, one case for each update date in `dues`, then the listed contacts, one for each
    status, last the access day.
    """

    used: np.ndarray
    dues: np.ndarray
    created: np.ndarray
    newer: np.ndarray
    makes: np.ndarray
    is_action: np.ndarray
    could_create: np.ndarray

    @functools.cached_property
    def first_request(self) -> int:
        return len(self.used)

    @functools.cached_property
    def first_listed(self) -> int:
        return len(self.used) + len(self.dues)

    @functools.cached_property
    def access(self) -> int:
        return self.first_listed + 3

    def code(self, case: int, role: Role) -> int:
        """The explanation's number: case and role in one."""
        return case * ROLES + role


def cases_of_rows(batch: Rows, cases: Cases, portal: Portal) -> tuple[np.ndarray, Table]:
    """The case of every row, and what the cases can do."""
    wall = batch.wall[len(batch.listed) :]
    kind = code_type(len(cases.pairs) * cases.eras)
    numbers = batch.pair.astype(kind)
    numbers *= cases.eras
    numbers += eras(wall, cases.starts).astype(kind)
    used = np.flatnonzero(np.bincount(numbers, minlength=1)) if len(numbers) else np.zeros(0, dtype=np.int64)
    pairs_used = used // cases.eras
    requests = np.flatnonzero(cases.asks[batch.pair]) if cases.asks.any() else np.zeros(0, dtype=np.int64)
    days, which = np.unique(wall[requests].view("datetime64[us]").astype("datetime64[D]"), return_inverse=True)
    by_day = [start(update_date_after(day, portal.subscription)) for day in days.tolist()]
    dues, due_of_day = np.unique(np.array(by_day, dtype=np.int64), return_inverse=True)

    def column(of_pairs: np.ndarray, request: int, listed: tuple[int, int, int], access: int) -> np.ndarray:
        by_case = of_pairs.reshape(-1)[used] if of_pairs.ndim == 2 else of_pairs[pairs_used]
        return np.concatenate([by_case, np.full(len(dues), request), listed, [access]]).astype(of_pairs.dtype)

    none, no_switch = (0, 0, 0), (-1, -1, -1)
    each_status = (MARKETING_CODE, NON_MARKETING_CODE, NOT_COVERED_CODE)
    table = Table(
        used=used,
        dues=dues,
        created=column(cases.created, NOT_COVERED_CODE, each_status, NON_MARKETING_CODE),
        newer=column(cases.newer, NOT_COVERED_CODE, each_status, NON_MARKETING_CODE),
        makes=column(cases.makes, 0, none, 0),
        is_action=column(cases.is_action, 1, none, 0),
        could_create=column(cases.could_create, -1, no_switch, -1),
    )
    kind = code_type((table.access + 1) * ROLES)
    renumbered = np.zeros(len(cases.pairs) * cases.eras, dtype=kind)
    renumbered[used] = np.arange(len(used))
    case = renumbered.take(numbers)
    case[requests] = table.first_request + due_of_day[which]
    if len(batch.listed):
        case = np.concatenate([(table.first_listed + batch.listed["status"].to_numpy()).astype(kind), case])
    return case, table


def eras(wall: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """By local time the number of the era it lies in. Arguments: starts, the eras' beginnings, the first not later than
    any time.
    """
    if len(wall) and not bool((wall[1:] >= wall[:-1]).all()):
        return np.searchsorted(starts, wall, side="right") - 1
    ends = np.append(np.searchsorted(wall, starts[1:], side="left"), len(wall))
    return np.repeat(np.arange(len(starts), dtype=code_type(len(starts))), np.diff(ends, prepend=0))
