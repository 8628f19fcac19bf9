"""The pass over a batch: what each touch does to its contact's status, and where every contact ends.

The rows are grouped by contact, in order of time. A contact's status after a touch then depends on three things only:
how it began, the last touch up to now that makes it marketing, and the last request to become non-marketing whose
update date has come. The latter two are running maxima of positions, so that no touch is walked through in Python.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from marketable.portal.portal import Portal

from .by_contact import ByContact, by_contact
from .cases import MARKETING_CODE, NON_MARKETING_CODE, NOT_COVERED_CODE, Cases
from .moments import EARLIEST, start
from .rows import Rows
from .sorting import in_parts
from .table import NONE, ROLES, Role, Table, cases_of_rows

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
class Judged:
    """What was decided.

    By row: `explanation` (case × ROLES + role), and `order` (the rows' numbers in the order of contacts). By contact:
    `starts` (its first position in that order), `keys`, `first_case` (of its first row), `appeared` (local time of its
    first row), `status` (code, NONE before access), `waiting`, `since` (local time; EARLIEST where a listed status
    still holds), `decided` (explanation), `early` (it existed before access).
    """

    table: Table
    explanation: np.ndarray
    order: np.ndarray
    starts: np.ndarray
    keys: np.ndarray
    first_case: np.ndarray
    appeared: np.ndarray
    status: np.ndarray
    waiting: np.ndarray
    since: np.ndarray
    decided: np.ndarray
    early: np.ndarray


@dataclass(frozen=True)
class _Later:
    """The rows that are not their contact's first: `row` (its position), `contact`, and the statuses `before` and
    `after` it. `requested` are the numbers, among them, of the rows of contacts with a request.
    """

    row: np.ndarray
    contact: np.ndarray
    before: np.ndarray
    after: np.ndarray
    requested: np.ndarray


def judge(batch: Rows, cases: Cases, portal: Portal) -> Judged:
    """Every row's explanation and every contact's end."""
    case, table = cases_of_rows(batch, cases, portal)
    access = start(portal.access_since)
    explanation = np.empty_like(case)
    kind = np.int32 if len(case) <= np.iinfo(np.int32).max else np.int64

    def judge_some(numbers: np.ndarray) -> tuple[np.ndarray, ...]:
        some = batch.some(numbers)
        rows = by_contact(some, case.take(numbers), table, access)
        begun, later, explained = _statuses(rows, table, some)
        of_row = np.empty_like(explained)
        of_row[rows.order] = explained
        explanation[numbers] = of_row
        ends = _endings(rows, table, some, access, begun, later, explained)
        order = numbers.take(rows.order).astype(kind)
        return order, rows.starts, rows.keys, rows.case.take(rows.starts), *ends, rows.early

    parts = in_parts(batch.keys, judge_some)
    for before, (_, starts, *_) in zip(np.cumsum([0, *(len(part[0]) for part in parts)]), parts, strict=False):
        starts += before.astype(kind)
    columns = list(zip(*parts, strict=True))[::-1]
    del parts  # so that each column is there twice only while it is put together
    return Judged(table, explanation, *(np.concatenate(columns.pop()) for _ in range(len(columns))))


def _statuses(rows: ByContact, table: Table, batch: Rows) -> tuple[np.ndarray, _Later, np.ndarray]:
    """By contact the status after its first row, what follows, and by row the explanation."""
    row = np.flatnonzero(rows.contact[1:] == rows.contact[:-1]) + 1
    contact, makes = rows.contact.take(row), rows.makes.take(row)
    begin = rows.starts.take(contact)
    begun = np.where(rows.makes.take(rows.starts), np.int8(MARKETING_CODE), rows.base)
    base = begun.take(contact)
    # A row is a touch. Positions only grow, and a contact's rows stand together. So the running maximum over all rows
    # is the contact's own latest touch that makes it marketing; or it lies before `begin`, is another contact's, and
    # counts as none.
    made = np.maximum.accumulate(np.where(makes, row, NONE))
    made_before = np.empty_like(made)
    made_before[:1], made_before[1:] = NONE, made[:-1]
    after = np.where(made >= begin, np.int8(MARKETING_CODE), base)
    before = np.where(made_before >= begin, np.int8(MARKETING_CODE), base)
    some = np.zeros(0, dtype=np.int64)
    if len(rows.asking):
        is_later = rows.asking != rows.starts[rows.contact[rows.asking]]
        some = np.searchsorted(row, rows.asking[is_later])
        number, asks = (column[is_later] for column in _requests_before(rows))
        due = table.dues[rows.case[rows.requests] - table.first_request]
        emptied = _emptied(rows, number, due, batch.wall[rows.order[row[some]]])
        asked = np.where(number != NONE, rows.requests[number], NONE)
        for status, newest in ((after, made), (before, made_before)):
            # What came before the request that took effect is emptied; what came after it counts.
            marketing = (newest[some] > emptied) & (newest[some] >= begin[some])
            status[some] = np.where(marketing, MARKETING_CODE, np.where(emptied >= 0, NON_MARKETING_CODE, base[some]))
    role = _ROLE.take((before + 1) * np.int8(2) + makes)
    if len(some):
        was = before[some]
        waiting = (asked > made_before[some]) & (asked != NONE) & (was != NON_MARKETING_CODE)
        undoes = makes[some] & waiting
        asks &= ~waiting
        for which, code, new_role in (
            (undoes, MARKETING_CODE, Role.UNDID),
            (undoes, NOT_COVERED_CODE, Role.FROM_WAITING_NOT_COVERED),
            (asks, MARKETING_CODE, Role.ASKED_WHILE_MARKETING),
            (asks, NOT_COVERED_CODE, Role.ASKED_WHILE_NOT_COVERED),
        ):
            role[some[which & (was == code)]] = new_role
    roles = np.full(len(rows.case), Role.CREATED, dtype=rows.case.dtype)
    roles[row] = role
    if len(rows.early_rows):
        roles[rows.early_rows] = Role.BEFORE_ACCESS
        early = roles.take(row) == Role.BEFORE_ACCESS
        for status, unknown in ((begun, rows.early), (before, early), (after, early)):
            np.copyto(status, NONE, where=unknown)
    roles += rows.case * rows.case.dtype.type(ROLES)
    return begun, _Later(row, contact, before, after, some), roles


def _endings(
    rows: ByContact,
    table: Table,
    batch: Rows,
    access: int,
    begun: np.ndarray,
    later: _Later,
    explanation: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """When every contact appeared, its status at the end, whether it waits, since when, and what decided that: the last
    touch that changed its status, or the calendar since.
    """
    contact, starts, count = rows.contact, rows.starts, len(rows.starts)
    changed = np.flatnonzero(later.after != later.before)
    last = np.where(rows.early, NONE, starts)
    last[later.contact[changed]] = later.row[changed]
    status, decided = begun.copy(), explanation.take(last)
    status[later.contact] = later.after
    appeared, since = (batch.wall.take(rows.order.take(position)) for position in (starts, last))
    waiting = np.zeros(count, dtype=bool)

    if len(rows.requests):
        some = later.requested
        theirs = later.contact[some]
        # Where a contact is otherwise before a touch than after the one before, the calendar changed it in between.
        previous = np.where(later.row[some] == starts[theirs] + 1, begun[theirs], later.after[some - 1])
        reset = later.row[some[(later.before[some] != previous) & (previous != NONE)]]
        latest_reset = _last_of(reset, contact, count)
        by_request = np.flatnonzero(latest_reset > last)
        behind = latest_before(rows.requests, latest_reset[by_request])
        decided[by_request], since[by_request] = _took_effect(rows.case[behind], table)
        # At the end a request still waits where nothing came after it, and its update date has not come either.
        asked = _last_of(rows.requests, contact, count)
        pending = np.flatnonzero((asked != NONE) & (status != NON_MARKETING_CODE))
        made = _last_of(rows.asking[rows.makes[rows.asking]], contact, count)
        pending = pending[made[pending] <= asked[pending]]
        effect, when = _took_effect(rows.case[asked[pending]], table)
        reached = when <= batch.as_of
        waiting[pending[~reached]] = True
        status[pending[reached]] = NON_MARKETING_CODE
        decided[pending[reached]], since[pending[reached]] = effect[reached], when[reached]

    if len(rows.early_rows):
        following = rows.early_rows[rows.early_rows + 1 < len(contact)] + 1
        is_late = explanation.take(following) % ROLES != Role.BEFORE_ACCESS
        following = following[(contact[following] == contact[following - 1]) & is_late]
        at_access = _last_of(following, contact, count) > last
        only_early = last == NONE
        if access <= batch.as_of:
            at_access |= only_early
            np.copyto(status, NON_MARKETING_CODE, where=only_early)
        else:
            np.copyto(decided, table.code(table.access, Role.BEFORE_ACCESS), where=only_early)
            np.copyto(since, EARLIEST, where=only_early)
        np.copyto(decided, table.code(table.access, Role.TOOK_EFFECT), where=at_access)
        np.copyto(since, access, where=at_access)
    return appeared, status, waiting, since, decided


def latest_before(marked: np.ndarray, at: np.ndarray) -> np.ndarray:
    """For some positions the latest one before each among the marked ones, which ascend; NONE without."""
    if not len(marked):
        return np.full(len(at), NONE, dtype=np.int64)
    found = np.searchsorted(marked, at, side="left") - 1
    return np.where(found >= 0, marked[found], NONE)


def _last_of(positions: np.ndarray, contact: np.ndarray, contacts: int) -> np.ndarray:
    """For each contact the last of some ascending positions that is its own; NONE without."""
    last = np.full(contacts, NONE, dtype=contact.dtype)
    last[contact[positions]] = positions
    return last


def _requests_before(rows: ByContact) -> tuple[np.ndarray, np.ndarray]:
    """At the rows of contacts that asked: the contact's latest request before each, as a number in `requests` (NONE
    without), and whether the row is a request itself.
    """
    is_request = np.zeros(len(rows.asking), dtype=bool)
    is_request[np.searchsorted(rows.asking, rows.requests)] = True
    number = np.cumsum(is_request, dtype=np.int32) - is_request - 1
    same = rows.contact[rows.requests[number]] == rows.contact[rows.asking]
    return np.where((number >= 0) & same, number, NONE), is_request


def _emptied(rows: ByContact, asked: np.ndarray, due: np.ndarray, wall: np.ndarray) -> np.ndarray:
    """At the rows of contacts that asked: the position of the latest request whose update date has come (or NONE).

    Requests that still wait at one moment wait for the same update date. So it is the latest request, or else the
    latest with an earlier update date.
    """
    contact, number = rows.contact[rows.requests], np.arange(len(rows.requests))
    begins = np.ones(len(number), dtype=bool)
    begins[1:] = (contact[1:] != contact[:-1]) | (due[1:] != due[:-1])
    # By request, the one before the first that waits for the same update date as it does.
    earlier = np.maximum.accumulate(np.where(begins, number, 0)) - 1
    earlier = np.where((earlier >= 0) & (contact[earlier] == contact), earlier, NONE)
    come = np.where(due[asked] <= wall, asked, earlier[asked])
    return np.where((asked != NONE) & (come != NONE), rows.requests[come], NONE)


def _took_effect(case: np.ndarray, table: Table) -> tuple[np.ndarray, np.ndarray]:
    """The explanation and the update date of requests that took effect."""
    due = case.astype(np.int64) - table.first_request
    return case.astype(np.int64) * ROLES + Role.TOOK_EFFECT, table.dues[due]
