"""The pass over a batch: what each touch does to its contact's status, and where every contact ends.

The rows are grouped by contact, in order of time. A contact's status after a touch then depends on three things only:
how it began, the last touch up to now that makes it marketing, and the last request to become non-marketing whose
update date has come. The latter two are running maxima of positions, so that no touch is walked through in Python.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..inputs.portal import Portal
from .by_contact import ByContact, by_contact
from .cases import MARKETING_CODE, NON_MARKETING_CODE, NOT_COVERED_CODE, Cases
from .moments import EARLIEST, midnight
from .rows import Rows
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

    By row, in the order of contacts: `order` (the row's number), `case`, `explanation` (case × ROLES + role), `makes`.
    By contact: `starts` (its first position), `keys`, `appeared` (local time of its first row), `status` (code, NONE
    before access), `waiting`, `since` (local time; EARLIEST where a listed status still holds), `decided`
    (explanation), `early` (it existed before access), `emptied` (position of the latest request that took effect, NONE
    without; None for none at all).
    """

    table: Table
    order: np.ndarray
    case: np.ndarray
    explanation: np.ndarray
    makes: np.ndarray
    starts: np.ndarray
    keys: np.ndarray
    appeared: np.ndarray
    status: np.ndarray
    waiting: np.ndarray
    since: np.ndarray
    decided: np.ndarray
    early: np.ndarray
    emptied: np.ndarray | None


def judge(batch: Rows, cases: Cases, portal: Portal) -> Judged:
    """Every row's explanation and every contact's end."""
    case, table = cases_of_rows(batch, cases, portal)
    access = EARLIEST if portal.access_since is None else midnight(portal.access_since)
    rows = by_contact(batch, case, table, access)
    before, after, role = _statuses(rows, table, batch)
    explanation = rows.case * rows.case.dtype.type(ROLES) + role
    return _endings(rows, table, batch, access, before, after, explanation)


def _statuses(rows: ByContact, table: Table, batch: Rows) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
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
        number, asks = _requests_before(rows)
        due = table.dues[rows.case[rows.requests] - table.first_request]
        emptied = _emptied(rows, number, due, batch.wall[rows.order[some]])
        asked = np.where(number != NONE, rows.requests[number], NONE)
        for status, newest in ((after, made), (before, made_before)):
            marketing = (newest[some] > emptied) & (newest[some] >= begin[some])
            status[some] = np.where(marketing, MARKETING_CODE, np.where(emptied >= 0, NON_MARKETING_CODE, base[some]))
    before[rows.starts] = NONE
    role = _ROLE[(before + 1) * np.int8(2) + rows.makes]
    if len(some):
        was = before[some]
        waiting = (asked > made_before[some]) & (asked != NONE) & (was != NON_MARKETING_CODE)
        undoes = rows.makes[some] & waiting
        asks &= ~waiting
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
    rows: ByContact,
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
    status, decided = after[ends], explanation[last].astype(np.int32)
    appeared = batch.wall[rows.order[starts]]
    since, later = appeared.copy(), np.flatnonzero(last != starts)
    since[later] = batch.wall[rows.order[last[later]]]
    waiting, emptied = np.zeros(count, dtype=bool), None

    if len(rows.requests):
        due = table.dues[rows.case[rows.requests] - table.first_request]
        come = rows.requests[due <= batch.as_of]
        emptied = _last_of(come, contact, count)
        next_rows = rows.asking[rows.asking > starts[contact[rows.asking]]]
        reset = next_rows[(before[next_rows] != after[next_rows - 1]) & (after[next_rows - 1] != NONE)]
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
        keys=rows.keys,
        appeared=appeared,
        status=status,
        waiting=waiting,
        since=since,
        decided=decided,
        early=rows.early,
        emptied=emptied,
    )


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
    earlier = np.maximum.accumulate(np.where(begins, number, 0)) - 1
    earlier = np.where((earlier >= 0) & (contact[earlier] == contact), earlier, NONE)
    come = np.where(due[asked] <= wall, asked, earlier[asked])
    return np.where((asked != NONE) & (come != NONE), rows.requests[come], NONE)


def _made_after(asked: np.ndarray, contacts: np.ndarray, rows: ByContact) -> np.ndarray:
    """Whether something made the contacts marketing after a position of each."""
    made = rows.asking[rows.makes[rows.asking]]
    return np.asarray(_last_of(made, rows.contact, len(rows.starts))[contacts] > asked)


def _took_effect(case: np.ndarray, table: Table) -> tuple[np.ndarray, np.ndarray]:
    """The explanation and the update date of requests that took effect."""
    due = case.astype(np.int64) - table.first_request
    return case.astype(np.int64) * ROLES + Role.TOOK_EFFECT, table.dues[due]
