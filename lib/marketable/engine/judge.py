"""The pass over a batch: what each touch does to its contact's status, and where every contact ends.

The rows are grouped by contact, in order of time. A contact's status after a touch then depends on three things only:
how it began, the last touch up to now that makes it marketing, and the last request to become non-marketing whose
update date has come. The latter two are running maxima of positions, so that no touch is walked through in Python.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from ..inputs.portal import Portal
from .cases import MARKETING_CODE, NON_MARKETING_CODE, NOT_COVERED_CODE, Cases
from .grouping import group
from .moments import EARLIEST, midnight
from .rows import Rows
from .update_dates import update_date_after

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

# By 2 × (status before + 1) + whether the touch makes an existing contact marketing.
_ROLE = np.array(
    [
        [Role.CREATED, Role.CREATED],
        [Role.STAYS_MARKETING, Role.STAYS_MARKETING],
        [Role.STAYS_NON_MARKETING, Role.FROM_NON_MARKETING],
        [Role.STAYS_NOT_COVERED, Role.FROM_NOT_COVERED],
    ],
    dtype=np.int8,
).ravel()


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
    could_upgrade: np.ndarray

    @property
    def first_request(self) -> int:
        return len(self.used)

    @property
    def first_listed(self) -> int:
        return len(self.used) + len(self.dues)

    @property
    def access(self) -> int:
        return self.first_listed + 3

    def code(self, case: int, role: Role) -> int:
        """The explanation's number: case and role in one."""
        return case * ROLES + role


@dataclass(frozen=True)
class Judged:
    """What was decided.

    By row, in the order of contacts: `order` (the row's number), `case`, `explanation` (case × ROLES + role), `makes`.
    By contact: `starts` (its first position), `status` (code, NONE before access), `waiting`, `since` (local time;
    EARLIEST where a listed status still holds), `decided` (explanation), `early` (it existed before access), `emptied`
    (position of the latest request that took effect, NONE without).
    """

    table: Table
    order: np.ndarray
    case: np.ndarray
    explanation: np.ndarray
    makes: np.ndarray
    starts: np.ndarray
    status: np.ndarray
    waiting: np.ndarray
    since: np.ndarray
    decided: np.ndarray
    early: np.ndarray
    emptied: np.ndarray


def judge(batch: Rows, cases: Cases, portal: Portal) -> Judged:
    """Every row's explanation and every contact's end."""
    case, table = _cases_of(batch, cases, portal)
    groups = group(batch.keys)
    order, starts, contact = groups.order, groups.starts, groups.contact
    case = case[order]
    first = case[starts]
    base = table.created[first]
    makes = table.makes[case]
    makes[starts] &= table.is_action[first]
    asks = (case >= table.first_request) & (case < table.first_listed) if len(table.dues) else None
    access = EARLIEST if portal.access_since is None else midnight(portal.access_since)
    early_rows = _early(batch, access, order)
    early = np.zeros(len(starts), dtype=bool)
    if early_rows is not None:
        makes &= ~early_rows
        if asks is not None:
            asks &= ~early_rows
        early[contact[early_rows]] = True
        early_rows[starts[early]] = True  # a contact listed beside them existed before access too
        base[early] = NON_MARKETING_CODE

    position = np.arange(len(order), dtype=order.dtype)
    begin, began = starts[contact], base[contact]
    made = latest(makes, position)
    after = np.where(made >= begin, np.int8(MARKETING_CODE), began)
    before = np.where(_previous(made) >= begin, np.int8(MARKETING_CODE), began)
    asked = None
    if asks is not None:
        asked = latest(asks, position)
        asking = np.zeros(len(starts), dtype=bool)
        asking[contact[asks]] = True
        some = np.flatnonzero(asking[contact])
        emptied = _emptied(some, contact, asks, case, table, batch.wall[order[some]])
        for status, newest in ((after, made), (before, _previous(made))):
            marketing = (newest[some] > emptied) & (newest[some] >= begin[some])
            status[some] = np.where(marketing, MARKETING_CODE, np.where(emptied >= 0, NON_MARKETING_CODE, began[some]))
    before[starts] = NONE
    role = _ROLE[(before + 1) * np.int8(2) + makes]
    if asked is not None and asks is not None:
        latest_ask, latest_make = _previous(asked)[some], _previous(made)[some]
        was = before[some]
        waiting = (latest_ask >= begin[some]) & (latest_ask > latest_make) & (was != NON_MARKETING_CODE)
        makes_now, asks_now = makes[some] & waiting, asks[some] & ~waiting
        role[some[makes_now & (was == MARKETING_CODE)]] = Role.UNDID
        role[some[makes_now & (was == NOT_COVERED_CODE)]] = Role.FROM_WAITING_NOT_COVERED
        role[some[asks_now & (was == MARKETING_CODE)]] = Role.ASKED_WHILE_MARKETING
        role[some[asks_now & (was == NOT_COVERED_CODE)]] = Role.ASKED_WHILE_NOT_COVERED
    if early_rows is not None:
        before[early_rows] = after[early_rows] = NONE
        role[early_rows] = Role.BEFORE_ACCESS
    explanation = case * np.int32(ROLES) + role
    del role, begin, began

    # What decided a contact's status: the last touch that changed it, or what the calendar brought between two touches.
    changed = after != before
    turned = changed
    if asked is not None or early_rows is not None:
        by_calendar = np.zeros(len(order), dtype=bool)
        np.not_equal(before[1:], after[:-1], out=by_calendar[1:])
        by_calendar[starts] = False
        if early_rows is not None:
            by_calendar &= ~early_rows
        turned = changed | by_calendar
    ends = np.append(starts[1:], len(order))[: len(starts)] - 1
    last = np.maximum.reduceat(np.where(turned, position, NONE), starts) if len(starts) else starts
    status, decided, since = after[ends], explanation[last], batch.wall[order[last]]
    waiting_at_end = np.zeros(len(starts), dtype=bool)
    latest_effective = np.full(len(starts), NONE, dtype=order.dtype)
    if asked is not None and asks is not None:
        reset = np.flatnonzero((last > 0) & ~changed[last] & ~_is_none(after, last - 1))
        due = case[asked[last[reset] - 1]] - table.first_request
        decided[reset], since[reset] = _took_effect(table, due)
        pending = np.flatnonzero((asked[ends] >= starts) & (asked[ends] > made[ends]) & (status != NON_MARKETING_CODE))
        due = case[asked[ends[pending]]] - table.first_request
        come = table.dues[due] <= batch.as_of
        waiting_at_end[pending[~come]] = True
        status[pending[come]] = NON_MARKETING_CODE
        decided[pending[come]], since[pending[come]] = _took_effect(table, due[come])
        effective = asks.copy()
        effective[asks] = table.dues[case[asks] - table.first_request] <= batch.as_of
        latest_effective = np.maximum.reduceat(np.where(effective, position, NONE), starts)
    if early_rows is not None:
        at_access = np.flatnonzero((last > 0) & ~changed[last] & _is_none(after, last - 1))
        only_early = np.flatnonzero(last == NONE)
        come = access <= batch.as_of
        for some_contacts, reached in ((at_access, True), (only_early, come)):
            role_then = Role.TOOK_EFFECT if reached else Role.BEFORE_ACCESS
            decided[some_contacts] = table.code(table.access, role_then)
            status[some_contacts] = NON_MARKETING_CODE if reached else NONE
            since[some_contacts] = access if reached else EARLIEST
    return Judged(
        table, order, case, explanation, makes, starts, status, waiting_at_end, since, decided, early, latest_effective
    )


def _cases_of(batch: Rows, cases: Cases, portal: Portal) -> tuple[np.ndarray, Table]:
    """The case of every row, and what the cases can do."""
    wall = batch.wall[len(batch.listed) :]
    numbers = batch.pair * np.int32(cases.eras) + _eras(wall, cases.starts)
    used = np.flatnonzero(np.bincount(numbers, minlength=1)) if len(numbers) else np.zeros(0, dtype=np.int64)
    pairs_used = used // cases.eras
    requests = np.flatnonzero(cases.asks[batch.pair]) if cases.asks.any() else np.zeros(0, dtype=np.int64)
    days, which = np.unique(wall[requests].view("datetime64[us]").astype("datetime64[D]"), return_inverse=True)
    by_day = [midnight(update_date_after(day, portal.subscription)) for day in days.tolist()]
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
        could_upgrade=column(cases.could_upgrade, -1, no_switch, -1),
    )
    kind = np.int16 if (table.access + 1) * ROLES < np.iinfo(np.int16).max else np.int32
    renumbered = np.zeros(len(cases.pairs) * cases.eras, dtype=kind)
    renumbered[used] = np.arange(len(used))
    case = renumbered[numbers]
    case[requests] = table.first_request + due_of_day[which]
    if len(batch.listed):
        case = np.concatenate([(table.first_listed + batch.listed["status"].to_numpy()).astype(kind), case])
    return case, table


def _eras(wall: np.ndarray, starts: np.ndarray) -> np.ndarray:
    if len(wall) and not bool((wall[1:] >= wall[:-1]).all()):
        return (np.searchsorted(starts, wall, side="right") - 1).astype(np.int32)
    ends = np.append(np.searchsorted(wall, starts[1:], side="left"), len(wall))
    return np.repeat(np.arange(len(starts), dtype=np.int32), np.diff(ends, prepend=0))


def _early(batch: Rows, access: int, order: np.ndarray) -> np.ndarray | None:
    """Which rows are touches from before the account got marketing contacts; None where there are none."""
    early = batch.wall < access
    early[: len(batch.listed)] = False
    return early[order] if early.any() else None


def latest(which: np.ndarray, position: np.ndarray) -> np.ndarray:
    """At each position the latest one up to it that is marked."""
    latest = np.where(which, position, NONE).astype(position.dtype, copy=False)
    return np.maximum.accumulate(latest, out=latest)


def latest_before(which: np.ndarray, at: np.ndarray) -> np.ndarray:
    """For some positions the latest one before each that is marked."""
    marked = np.flatnonzero(which)
    return marked[np.searchsorted(marked, at, side="left") - 1] if len(marked) else np.zeros(len(at), dtype=np.int64)


def _previous(latest: np.ndarray) -> np.ndarray:
    """The same, up to the position before."""
    previous = np.empty_like(latest)
    previous[:1], previous[1:] = NONE, latest[:-1]
    return previous


def _emptied(
    some: np.ndarray, contact: np.ndarray, asks: np.ndarray, case: np.ndarray, table: Table, wall: np.ndarray
) -> np.ndarray:
    """At some positions, the contact's latest request whose update date has come by then (NONE without).

    Requests stand in order of contact and update date, so that one number of both finds the latest by bisection.
    """
    requests = np.flatnonzero(asks)
    wide = len(table.dues) + 1
    known = contact[requests].astype(np.int64) * wide + (case[requests] - table.first_request) + 1
    sought = contact[some].astype(np.int64) * wide + np.searchsorted(table.dues, wall, side="right")
    found = np.searchsorted(known, sought, side="right") - 1
    same = (found >= 0) & (contact[requests[found]] == contact[some])
    return np.where(same, requests[found], NONE)


def _took_effect(table: Table, due: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return (table.first_request + due) * ROLES + Role.TOOK_EFFECT, table.dues[due]


def _is_none(after: np.ndarray, position: np.ndarray) -> np.ndarray:
    return np.asarray(after[np.maximum(position, 0)] == NONE)
