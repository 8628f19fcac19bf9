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
    access = EARLIEST if portal.access_since is None else midnight(portal.access_since)
    rows = _grouped(batch, case, table, access)
    before, after, role = _statuses(rows, table, batch)
    explanation = rows.case * np.int32(ROLES) + role
    return _endings(rows, table, batch, access, before, after, explanation)


@dataclass(frozen=True)
class _Grouped:
    """The rows in the order of contacts.

    By row: `order`, `contact`, `case`, `makes` (makes the contact marketing, if it exists and has marketing contacts to
    be one of). By contact: `starts`, `base` (the status it began with), `early`. Rare rows by position: `requests` to
    become non-marketing, `asking` (all rows of contacts with one), `early_rows` (from before access).
    """

    order: np.ndarray
    contact: np.ndarray
    case: np.ndarray
    makes: np.ndarray
    starts: np.ndarray
    base: np.ndarray
    early: np.ndarray
    requests: np.ndarray
    asking: np.ndarray
    early_rows: np.ndarray


def _grouped(batch: Rows, case: np.ndarray, table: Table, access: int) -> _Grouped:
    groups = group(batch.keys)
    order, starts, contact = groups.order, groups.starts, groups.contact
    case = case[order]
    base, makes = table.created[case[starts]], table.makes[case]
    # What a creation gives is its base; on the first row only an action makes the contact marketing.
    makes[starts] &= table.is_action[case[starts]]
    requests = asking = np.zeros(0, dtype=np.int64)
    if len(table.dues):
        requests = np.flatnonzero((case >= table.first_request) & (case < table.first_listed))
    early, early_rows = np.zeros(len(starts), dtype=bool), np.zeros(0, dtype=np.int64)
    is_early = batch.wall < access
    is_early[: len(batch.listed)] = False
    if is_early.any():
        of_row = is_early[order]
        early[contact[of_row]] = True
        of_row[starts[early]] = True  # a contact listed beside them existed before access too
        early_rows = np.flatnonzero(of_row)
        makes[early_rows] = False
        requests = requests[~of_row[requests]]
        base[early] = NON_MARKETING_CODE
    if len(requests):
        asks = np.zeros(len(starts), dtype=bool)
        asks[contact[requests]] = True
        asking = np.flatnonzero(asks[contact])
    return _Grouped(order, contact, case, makes, starts, base, early, requests, asking, early_rows)


def _statuses(rows: _Grouped, table: Table, batch: Rows) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """By row: the status before it and after it, and its role."""
    position = np.arange(len(rows.order), dtype=rows.order.dtype)
    made = np.where(rows.makes, position, NONE).astype(position.dtype, copy=False)
    np.maximum.accumulate(made, out=made)
    made_before = np.empty_like(made)
    made_before[:1], made_before[1:] = NONE, made[:-1]
    begin, base = rows.starts[rows.contact], rows.base[rows.contact]
    after = np.where(made >= begin, np.int8(MARKETING_CODE), base)
    before = np.where(made_before >= begin, np.int8(MARKETING_CODE), base)
    some = rows.asking
    if len(some):
        emptied = _emptied(rows, table, batch.wall[rows.order[some]])
        for status, newest in ((after, made), (before, made_before)):
            marketing = (newest[some] > emptied) & (newest[some] >= begin[some])
            status[some] = np.where(marketing, MARKETING_CODE, np.where(emptied >= 0, NON_MARKETING_CODE, base[some]))
    before[rows.starts] = NONE
    role = _ROLE[(before + 1) * np.int8(2) + rows.makes]
    if len(some):
        was, asked = before[some], latest_before(rows.requests, some)
        waiting = (asked >= begin[some]) & (asked > made_before[some]) & (was != NON_MARKETING_CODE)
        undoes = rows.makes[some] & waiting
        asks = np.isin(some, rows.requests, assume_unique=True) & ~waiting
        for which, code, new_role in (
            (undoes, MARKETING_CODE, Role.UNDID),
            (undoes, NOT_COVERED_CODE, Role.FROM_WAITING_NOT_COVERED),
            (asks, MARKETING_CODE, Role.ASKED_WHILE_MARKETING),
            (asks, NOT_COVERED_CODE, Role.ASKED_WHILE_NOT_COVERED),
        ):
            role[some[which & (was == code)]] = new_role
    before[rows.early_rows] = after[rows.early_rows] = NONE
    role[rows.early_rows] = Role.BEFORE_ACCESS
    return before, after, role


def _endings(
    rows: _Grouped,
    table: Table,
    batch: Rows,
    access: int,
    before: np.ndarray,
    after: np.ndarray,
    explanation: np.ndarray,
) -> Judged:
    """Where every contact ends, and what decided it: the last touch that changed its status, or the calendar since."""
    contact, starts, count = rows.contact, rows.starts, len(rows.starts)
    last = _last_of(np.flatnonzero(after != before), contact, count)
    ends = np.append(starts[1:], len(contact))[:count] - 1
    status, decided, since = after[ends], explanation[last].astype(np.int32), batch.wall[rows.order[last]]
    waiting, emptied = np.zeros(count, dtype=bool), np.full(count, NONE, dtype=np.int64)

    if len(rows.requests):
        due = table.dues[rows.case[rows.requests] - table.first_request]
        come = rows.requests[due <= batch.as_of]
        emptied = _last_of(come, contact, count)
        later = rows.asking[rows.asking > starts[contact[rows.asking]]]
        reset = later[(before[later] != after[later - 1]) & (after[later - 1] != NONE)]
        latest_reset = _last_of(reset, contact, count)
        by_request = np.flatnonzero(latest_reset > last)
        behind = latest_before(rows.requests, latest_reset[by_request])
        decided[by_request], since[by_request] = _took_effect(rows.case[behind], table)
        # At the end a request still waits where nothing came after it, and its update date has not come either.
        asked = _last_of(rows.requests, contact, count)
        pending = np.flatnonzero((asked != NONE) & (status != NON_MARKETING_CODE))
        pending = pending[~_made_after(asked[pending], pending, rows)]
        effect, when = _took_effect(rows.case[asked[pending]], table)
        reached = when <= batch.as_of
        waiting[pending[~reached]] = True
        status[pending[reached]] = NON_MARKETING_CODE
        decided[pending[reached]], since[pending[reached]] = effect[reached], when[reached]

    if len(rows.early_rows):
        following = rows.early_rows[rows.early_rows + 1 < len(contact)] + 1
        following = following[(contact[following] == contact[following - 1]) & (after[following] != NONE)]
        at_access = _last_of(following, contact, count) > last
        only_early = last == NONE
        if access <= batch.as_of:
            at_access |= only_early
            status[only_early] = NON_MARKETING_CODE
        else:
            decided[only_early], since[only_early] = table.code(table.access, Role.BEFORE_ACCESS), EARLIEST
        decided[at_access], since[at_access] = table.code(table.access, Role.TOOK_EFFECT), access
    return Judged(
        table=table,
        order=rows.order,
        case=rows.case,
        explanation=explanation,
        makes=rows.makes,
        starts=starts,
        status=status,
        waiting=waiting,
        since=since,
        decided=decided,
        early=rows.early,
        emptied=emptied,
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


def latest_before(marked: np.ndarray, at: np.ndarray) -> np.ndarray:
    """For some positions the latest one before each among the marked ones, which ascend; NONE without."""
    if not len(marked):
        return np.full(len(at), NONE, dtype=np.int64)
    found = np.searchsorted(marked, at, side="left") - 1
    return np.where(found >= 0, marked[found], NONE)


def _last_of(positions: np.ndarray, contact: np.ndarray, contacts: int) -> np.ndarray:
    """For each contact the last of some ascending positions that is its own; NONE without."""
    last = np.full(contacts, NONE, dtype=np.int64)
    last[contact[positions]] = positions
    return last


def _emptied(rows: _Grouped, table: Table, wall: np.ndarray) -> np.ndarray:
    """At the rows of contacts that asked, the contact's latest request whose update date has come by then (or NONE).

    Requests stand in order of contact and update date, so that one number of both finds the latest by bisection.
    """
    wide, requests = len(table.dues) + 1, rows.requests
    due = rows.case[requests].astype(np.int64) - table.first_request
    known = rows.contact[requests] * np.int64(wide) + due + 1
    sought = rows.contact[rows.asking] * np.int64(wide) + np.searchsorted(table.dues, wall, side="right")
    found = np.searchsorted(known, sought, side="right") - 1
    same = (found >= 0) & (rows.contact[requests[found]] == rows.contact[rows.asking])
    return np.where(same, requests[found], NONE)


def _made_after(asked: np.ndarray, contacts: np.ndarray, rows: _Grouped) -> np.ndarray:
    """Whether something made the contacts marketing after a position of each."""
    made = rows.asking[rows.makes[rows.asking]]
    return np.asarray(_last_of(made, rows.contact, len(rows.starts))[contacts] > asked)


def _took_effect(case: np.ndarray, table: Table) -> tuple[np.ndarray, np.ndarray]:
    """The explanation and the update date of requests that took effect."""
    due = case.astype(np.int64) - table.first_request
    return case.astype(np.int64) * ROLES + Role.TOOK_EFFECT, table.dues[due]
