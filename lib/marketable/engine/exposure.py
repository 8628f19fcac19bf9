"""A batch reduced to exposures: how many contacts each set of switches can make marketing, by tool and month.

What a touch can do depends on a switch, on nothing, or is nothing at all. So a contact is marketing where its exposure
holds a switch that is on, or *always*. Contacts of the same exposure are alike under every setting, and counting them
once answers every what-if. A request to become non-marketing whose update date has come empties what was before it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from marketable.portal.portal import Portal
from marketable.reading.alike import alike
from marketable.rulebook import ACTIONS, NOT_COVERED

from .by_contact import by_contact
from .cases import MARKETING_CODE, NON_MARKETING_CODE, NOT_COVERED_CODE, Cases
from .moments import EARLIEST, start
from .rows import Rows, code_type
from .sorting import in_parts
from .table import NONE, Table, cases_of_rows, eras

ALWAYS = 0
UNKNOWN_MONTH = -12 * 10_000  # a month before all others, for listed contacts whose creation is not known
Cuts = Mapping[str, int]


@dataclass(frozen=True)
class Slots:
    """The switches, each in the pieces that a setting can tell apart: touches while the portal has it on and while it
    has it off, before and since each cut. Slot 0 is *always*, which is on in every setting.

    By slot, in order of `switches`: `switch` (its number; NONE for always), `own` (on in the portal), `since` (the cut
    it begins with, local time; EARLIEST without). By pair and era of the cases: `creates` and `upgrades`, the slot on
    which it depends whether such a touch makes a new, or an existing, contact marketing (NONE: it never does).
    """

    switches: list[str]
    switch: np.ndarray
    own: np.ndarray
    since: np.ndarray
    creates: np.ndarray
    upgrades: np.ndarray


def slots(cases: Cases, cuts: Cuts) -> Slots:
    """The slots of a batch's cases. Arguments: cuts, by switch the local time from which it may be flipped; the cases'
    eras must begin there too.
    """
    since = np.full((len(cases.pairs), cases.eras), EARLIEST)
    for pair, name in enumerate(cases.switch_of_pair):
        if name is not None and name in cuts:
            since[pair, cases.starts >= cuts[name]] = cuts[name]
    used = cases.could_create >= 0
    begins, begin = np.unique(since[used], return_inverse=True)
    packed = (cases.could_create[used].astype(np.int64) * 2 + cases.on[used]) * len(begins) + begin
    kinds, kind = np.unique(packed, return_inverse=True)
    creates = np.where(cases.created == MARKETING_CODE, ALWAYS, NONE)
    upgrades = np.where(cases.makes, ALWAYS, NONE)
    creates[cases.makes & cases.is_action[:, None]] = ALWAYS
    creates[used] = kind + 1
    # Only a switch upgrades existing contacts, and it is the one that decides about new ones too.
    upgrades[cases.could_upgrade >= 0] = creates[cases.could_upgrade >= 0]
    setting, begin = np.divmod(kinds, max(1, len(begins)))
    switch, own = np.append(NONE, setting // 2), np.append(True, setting % 2 > 0)
    return Slots(cases.switches, switch, own, np.append(EARLIEST, begins[begin]), creates, upgrades)


def slots_of_cases(kinds: Slots, cases: Cases, table: Table) -> tuple[np.ndarray, np.ndarray]:
    """By case of a table the slot on which it depends whether it creates a marketing contact, and whether it makes one
    of a contact that exists. Requests do neither; of listed contacts the marketing ones always are.
    """
    kind, none = code_type(len(kinds.switch)), np.full(len(table.dues), NONE)
    creates, upgrades = (
        np.concatenate([by_pair.ravel()[table.used], none, [ALWAYS, NONE, NONE, NONE]]).astype(kind)
        for by_pair in (kinds.creates, kinds.upgrades)
    )
    return creates, upgrades


@dataclass(frozen=True)
class Exposures:
    """The table from which every what-if is answered.

    An exposure is a set of slots: number i (from 1) is `members[bounds[i - 1] : bounds[i]]`, ascending; number 0 is
    the empty one. By row of the table: `exposure` (its number), `creator` (the number in `creators` of source and asset
    that created), `month` (of the creation; NaT: unknown), `rest` (the status while nothing in the exposure is on),
    `contacts` (how many). `as_of` is the local time up to which touches and update dates count; `touched` are the
    switches that touches of the batch asked.
    """

    slots: Slots
    members: np.ndarray
    bounds: np.ndarray
    creators: list[tuple[str, str]]
    exposure: np.ndarray
    creator: np.ndarray
    month: np.ndarray
    rest: np.ndarray
    contacts: np.ndarray
    as_of: int
    touched: frozenset[str]

    def reached(self, on: np.ndarray) -> np.ndarray:
        """By exposure, whether one of its slots is on. Arguments: on, by slot."""
        reached = np.zeros(len(self.bounds), dtype=bool)
        if len(self.members):
            reached[1:] = np.logical_or.reduceat(on[self.members], self.bounds[:-1])
        return reached


def exposures(batch: Rows, cases: Cases, portal: Portal, cuts: Cuts) -> Exposures:
    """The exposures of a batch in memory: counted part by part, then the parts' tables put together."""
    of_case, table = cases_of_rows(batch, cases, portal)
    access = start(portal.access_since)
    kinds = slots(cases, cuts)
    creates, upgrades = slots_of_cases(kinds, cases, table)
    many = len(kinds.switch)
    creators, creator_of_case = _creators(cases.pairs, table.used // cases.eras, table.access)
    creators, creator_of_listed, months = _listed(batch, creators)
    month_of_row = np.concatenate([months, _months(batch.wall[len(batch.listed) :])])

    def part(numbers: np.ndarray) -> tuple[np.ndarray, ...]:
        rows = by_contact(batch.some(numbers), of_case.take(numbers), table, access)
        first, first_row = rows.case.take(rows.starts), numbers[rows.order.take(rows.starts)]
        slot = upgrades.take(rows.case)
        slot[rows.starts] = creates.take(first)
        slot[rows.early_rows] = NONE
        uncovered = rows.base == NOT_COVERED_CODE
        if len(rows.requests):
            come = rows.requests[table.dues[rows.case[rows.requests] - table.first_request] <= batch.as_of]
            latest = np.full(len(first), NONE)
            latest[rows.contact[come]] = come
            slot[rows.asking[rows.asking <= latest[rows.contact[rows.asking]]]] = NONE
            uncovered &= latest == NONE
        creator, is_listed = creator_of_case.take(first), first_row < len(batch.listed)
        creator[is_listed] = creator_of_listed[first_row[is_listed]]
        rest = np.where(uncovered, NOT_COVERED_CODE, NON_MARKETING_CODE)
        some = np.flatnonzero(slot != NONE)
        exposure, members, bounds = _sets(rows.contact.take(some), slot.take(some), len(first), many)
        columns = [exposure, creator, month_of_row.take(first_row), rest]
        if access > batch.as_of:
            columns = [column[~rows.early] for column in columns]
        columns, contacts = _counted(columns)
        its = columns[0]
        sizes = np.diff(bounds, prepend=0)[its]
        slot = members[_ranges(bounds[its] - sizes, sizes)]
        return np.repeat(np.arange(len(its)), sizes), slot, *columns[1:], contacts

    parts = in_parts(batch.keys, part)
    for before, (group, *_) in zip(np.cumsum([0, *(len(part[-1]) for part in parts)]), parts, strict=False):
        group += before
    group, slot, *like, contacts = map(np.concatenate, zip(*parts, strict=True))
    asked = np.unique(cases.could_create.ravel()[table.used])
    touched = frozenset(cases.switches[number] for number in asked if number != NONE)
    return tabled(kinds, (group, slot), creators, like, contacts, batch.as_of, touched)


def tabled(
    kinds: Slots,
    elements: tuple[np.ndarray, np.ndarray],
    creators: list[tuple[str, str]],
    like: list[np.ndarray],
    contacts: np.ndarray,
    as_of: int,
    touched: frozenset[str],
) -> Exposures:
    """The table of groups of contacts that are alike.

    Arguments: elements of the groups' exposures, group (ascending) and slot; like, by group the numbers of its creator
    and month, and its rest; contacts, by group how many.
    """
    exposure, members, bounds = _sets(*elements, len(like[0]), len(kinds.switch))
    first, number = alike(exposure, *like)
    exposure, creator, month, rest = (column[first] for column in (exposure, *like))
    months = month.astype(np.int64).view("datetime64[M]")
    months[month == UNKNOWN_MONTH] = np.datetime64("NaT")
    counts = np.bincount(number, contacts).astype(np.int64)
    return Exposures(
        kinds, members, bounds, creators, exposure, creator, months, rest.astype(np.int8), counts, as_of, touched
    )


def creator_of(pair: tuple[str, str]) -> tuple[str, str]:
    """Source and asset that count as the creator, where a touch of these creates: for actions a tool not covered."""
    return (NOT_COVERED, "") if pair[0] in ACTIONS else pair


def _creators(
    pairs: list[tuple[str, str]], pair_of_case: np.ndarray, cases: int
) -> tuple[list[tuple[str, str]], np.ndarray]:
    """Who creates, and by case the number of its own."""
    by_pair = [creator_of(pair) for pair in pairs]
    numbers = {pair: number for number, pair in enumerate(dict.fromkeys([(NOT_COVERED, ""), *by_pair]))}
    of_case = np.zeros(cases + 1, dtype=np.int64)
    of_case[: len(pair_of_case)] = np.array([numbers[pair] for pair in by_pair], dtype=np.int64)[pair_of_case]
    return list(numbers), of_case


def _listed(batch: Rows, creators: list[tuple[str, str]]) -> tuple[list[tuple[str, str]], np.ndarray, np.ndarray]:
    """The creators with those of listed contacts, and of each of these its creator's number and its month."""
    if not len(batch.listed):
        return creators, np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int32)
    texts = list(zip(batch.listed["source"], batch.listed["asset"], strict=True))
    numbers = {pair: number for number, pair in enumerate(dict.fromkeys([*creators, *texts]))}
    created = batch.listed["created_at"].to_numpy("datetime64[us]").astype("datetime64[M]")
    months = np.where(np.isnat(created), UNKNOWN_MONTH, created.view(np.int64)).astype(np.int32)
    return list(numbers), np.array([numbers[pair] for pair in texts]), months


def _months(wall: np.ndarray) -> np.ndarray:
    """The month of each local time, counted from 1970."""
    if not len(wall):
        return wall
    first, last = np.array([wall.min(), wall.max()]).view("datetime64[us]").astype("datetime64[M]")
    starts = np.arange(first, last + 1).astype("datetime64[us]").view(np.int64)
    return np.asarray(eras(wall, starts).astype(np.int32) + first.astype(np.int32))


def _sets(
    contact: np.ndarray, slot: np.ndarray, contacts: int, slots: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The exposures that occur, numbered, and each contact's number; 0 is the empty one.

    Arguments: contact and slot, the elements of exposures, contacts ascending. Sets are numbered like the branches of a
    tree: a set of n + 1 slots is one of n slots and a higher one, so that each step is one pass over the contacts left.
    """
    several = np.zeros(len(contact), dtype=bool)
    same = contact[1:] == contact[:-1]
    several[1:] |= same
    several[:-1] |= same
    number = np.zeros(contacts, dtype=np.int64)
    number[contact[~several]] = slot[~several] + 1

    element = np.sort(contact[several].astype(np.int64) * slots + slot[several], kind="stable")  # it nearly ascends
    element = element[np.diff(element, prepend=-1) > 0]
    contact, slot = element // slots, element % slots
    starts = np.flatnonzero(np.diff(contact, prepend=-1))
    lengths = np.diff(np.append(starts, len(contact)))
    growing, branch, size, base = np.arange(len(starts)), slot[starts], 1, 0
    while len(growing):
        number[contact[starts[growing]]] = base + branch + 1
        longer = lengths[growing] > size
        base += slots if size == 1 else int(branch.max()) + 1
        growing = growing[longer]
        branch = np.unique(branch[longer] * slots + slot[starts[growing] + size], return_inverse=True)[1]
        size += 1

    # Any contact of a set tells what is in it.
    sizes, begins = np.zeros((2, max(base, slots) + 1), dtype=np.int64)
    its = number[contact[starts]]
    sizes[its], begins[its] = lengths, starts
    sizes[1 : slots + 1], begins[1 : slots + 1] = 1, len(slot) + np.arange(slots)
    occurs = np.bincount(number, minlength=max(base, slots) + 1) > 0
    occurs[0] = False
    sizes, begins = sizes[occurs], begins[occurs]
    bounds = np.concatenate([[0], np.cumsum(sizes)])
    members = np.concatenate([slot, np.arange(slots)]).astype(code_type(slots))[_ranges(begins, sizes)]
    return np.cumsum(occurs)[number], members, bounds


def _ranges(begins: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """The numbers of ranges, one after the other.

    >>> _ranges(np.array([5, 0]), np.array([2, 3])).tolist()
    [5, 6, 0, 1, 2]
    """
    ends = np.cumsum(sizes)
    numbers: np.ndarray = np.arange(int(sizes.sum())) + np.repeat(begins - ends + sizes, sizes)
    return numbers


def _counted(columns: list[np.ndarray]) -> tuple[list[np.ndarray], np.ndarray]:
    """The distinct rows of some columns of whole numbers, and how often each occurs.

    >>> _counted([np.array([7, 7, 8]), np.array([1, 1, 0])])[1].tolist()
    [2, 1]
    """
    lowest = [int(column.min(initial=0)) for column in columns]
    shape = [int(column.max(initial=0)) - low + 1 for column, low in zip(columns, lowest, strict=True)]
    shifted = [column - low for column, low in zip(columns, lowest, strict=True)]
    packed, counts = np.unique(np.ravel_multi_index(shifted, shape), return_counts=True)
    found = np.unravel_index(packed, shape)
    return [column + low for column, low in zip(found, lowest, strict=True)], counts
