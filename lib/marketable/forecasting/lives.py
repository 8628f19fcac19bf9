"""The touches reduced to lives: from when to when each contact is marketing, under any setting of the switches.

A contact's life begins with its first touch, and anew with each request to become non-marketing. What is kept of a life
is on which switches, and on which day, it could have become marketing. So the day on which it does is the first of
these whose switch is on, and a million touches answer for another setting in some milliseconds.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from marketable.engine.by_contact import ByContact, by_contact
from marketable.engine.cases import Cases
from marketable.engine.exposure import Slots, slots, slots_of_cases
from marketable.engine.moments import start
from marketable.engine.rows import Rows, rows
from marketable.engine.sorting import in_parts
from marketable.engine.table import NONE, cases_of_rows
from marketable.portal.portal import Portal
from marketable.rulebook import Rulebook

# So many contacts by the same in a day, and so many times more than on its usual day, are bulk work: of people, or of
# an app connected anew. On fewer it is daily work. Of forms and chats it is a campaign, and campaigns are weather.
FEWEST_IN_BULK = {"set_marketing": 20, "set_non_marketing": 20, "integration": 100, "manual": 100, "not covered": 100}
TIMES_USUAL = 5
_DAY = 86_400_000_000
_NEVER = np.iinfo(np.int32).max
_ALWAYS_THERE = np.iinfo(np.int32).min
IMPORTS = ("import_single_object", "import_multi_object")


@dataclass(frozen=True)
class Joined:
    """Who became marketing: by change its day since 1970, whether an import or a bulk action did it, and the number in
    `Lives.pairs` of what did.
    """

    day: np.ndarray
    by_event: np.ndarray
    pair: np.ndarray


@dataclass(frozen=True)
class Left:
    """Who stopped being marketing: by change its day since 1970, the day of the request, and whether it was one of
    many.
    """

    day: np.ndarray
    asked: np.ndarray
    by_event: np.ndarray


@dataclass(frozen=True)
class Lives:
    """The lives of all contacts of a batch.

    By chance to become marketing, in order of life and time: `life` (its number), `slot` (the switch it depends on, see
    `engine.exposure.Slots`), `day`, `by_event`, `pair`. By life: `due`, the update date of the request that began it,
    `requested`, the day of that request, and `in_bulk`, whether it was one of many. By request: `asked`, its day,
    `waits_until`, the day on which its wait is over, undone or asked for again, and `asking`, the life that it would
    end. `first` and `today` are the days of the first and of the last touch, `contacts` is how many there are, and
    `states` whether the switches that touches asked are on at the end.
    """

    slots: Slots
    pairs: list[tuple[str, str]]
    life: np.ndarray
    slot: np.ndarray
    day: np.ndarray
    by_event: np.ndarray
    pair: np.ndarray
    due: np.ndarray
    requested: np.ndarray
    in_bulk: np.ndarray
    asked: np.ndarray
    waits_until: np.ndarray
    asking: np.ndarray
    first: int
    today: int
    contacts: int
    states: Mapping[str, bool]

    def setting(self, states: Mapping[str, bool]) -> np.ndarray:
        """By slot whether it is on. Arguments: states, of the switches that are so from the beginning; the others are
        as the portal's history has them.
        """
        on = self.slots.own.copy()
        for number, name in enumerate(self.slots.switches):
            if name in states:
                on[self.slots.switch == number] = states[name]
        return on

    def joined(self, on: np.ndarray) -> Joined:
        """Who became marketing, or would have. Arguments: on, by slot."""
        chosen = self._first_chances(on)
        day = self.day.take(chosen)
        # Who is made marketing again while it waits never stopped being it.
        chosen = chosen[day >= self.due.take(self.life.take(chosen))]
        return Joined(self.day.take(chosen), self.by_event.take(chosen), self.pair.take(chosen))

    def left(self) -> Left:
        """Who stopped being marketing, with the switches as they were; days to come are those of who waits."""
        made = self._made
        begun = np.flatnonzero(self.due != _ALWAYS_THERE)
        ends = begun[(made[begun - 1] != _NEVER) & (made[begun] >= self.due[begun])]
        return Left(self.due[ends], self.requested[ends], self.in_bulk[ends])

    def waits(self) -> tuple[np.ndarray, np.ndarray]:
        """From when, and up to which day, marketing contacts waited to become non-marketing."""
        some = (self._made[self.asking] <= self.asked) & (self.asked < self.waits_until)
        return self.asked[some], self.waits_until[some]

    @functools.cached_property
    def _made(self) -> np.ndarray:
        """By life the day on which it became marketing."""
        chosen = self._first_chances(self.slots.own)
        made = np.full(len(self.due), _NEVER, dtype=np.int32)
        made[self.life.take(chosen)] = self.day.take(chosen)
        return made

    def _first_chances(self, on: np.ndarray) -> np.ndarray:
        """Of each life that becomes marketing the number of the chance that does it."""
        chosen = np.flatnonzero(on.take(self.slot))
        life = self.life.take(chosen)
        is_first = np.ones(len(life), dtype=bool)
        np.not_equal(life[1:], life[:-1], out=is_first[1:])
        return chosen[is_first]


def lives(touches: pd.DataFrame, portal: Portal, rulebook: Rulebook | None = None) -> Lives:
    """The lives in a batch. Raises: what `decide` raises."""
    batch = rows(touches, None, portal.time_zone, None)
    cases = Cases(batch.pairs, portal, rulebook or Rulebook.load(), None)
    of_case, table = cases_of_rows(batch, cases, portal)
    kinds = slots(cases, {})
    creates, upgrades = slots_of_cases(kinds, cases, table)
    access = start(portal.access_since)
    days = (batch.wall // _DAY).astype(np.int32)
    event = _events(batch, days)
    dues = (table.dues // _DAY).astype(np.int32)

    def part(numbers: np.ndarray) -> tuple[np.ndarray, ...]:
        its = by_contact(batch.some(numbers), of_case.take(numbers), table, access)
        numbers = numbers.take(its.order)
        slot = upgrades.take(its.case)
        slot[its.starts] = creates.take(its.case.take(its.starts))
        slot[its.early_rows] = NONE
        due = dues[its.case[its.requests] - table.first_request]
        whose = its.contact[its.requests]
        # Of requests for the same update date the last one counts.
        counts = np.ones(len(due), dtype=bool)
        counts[:-1] = (whose[1:] != whose[:-1]) | (due[1:] != due[:-1])
        asked, until = days[numbers[its.requests]], _waits_until(its, days[numbers], due, ~counts)
        every, requests, due = its.requests, its.requests[counts], due[counts]
        begins = np.zeros(len(slot), dtype=np.int64)
        begins[requests] = 1
        life = its.contact + np.cumsum(begins)
        due_of_life = np.full(len(its.starts) + len(requests), _ALWAYS_THERE, dtype=np.int32)
        due_of_life[life[requests]] = due
        requested = due_of_life.copy()
        requested[life[requests]] = asked[counts]
        in_bulk = np.zeros(len(due_of_life), dtype=bool)
        in_bulk[life[requests]] = event[numbers[requests]]
        asking = life[every] - (due_of_life[life[every]] > asked)
        some = np.flatnonzero(slot != NONE)
        life, slot, numbers = life[some], slot[some], numbers[some]
        if len(requests):  # a touch during a wait belongs to the life that ends, too
            again = np.flatnonzero(days[numbers] < due_of_life[life])
            ordered = np.argsort(np.concatenate([life, life[again] - 1]), kind="stable")
            life = np.concatenate([life, life[again] - 1])[ordered]
            slot, numbers = (np.concatenate([each, each[again]])[ordered] for each in (slot, numbers))
        return life, slot, numbers, due_of_life, requested, in_bulk, asked, until, asking

    parts = in_parts(batch.keys, part)
    for before, (life, *_, asking) in zip(np.cumsum([0, *(len(each[3]) for each in parts)]), parts, strict=False):
        life += before
        asking += before
    life, slot, numbers, due, requested, in_bulk, asked, until, asking = map(np.concatenate, zip(*parts, strict=True))
    known = bool(len(days))
    now = int(np.searchsorted(cases.starts, batch.as_of, side="right")) - 1
    states = {name: bool(cases.on[pair, now]) for pair, name in enumerate(cases.switch_of_pair) if name}
    return Lives(
        kinds, batch.pairs, life, slot, days[numbers], event[numbers], batch.pair[numbers], due,
        requested, in_bulk, asked, until, asking, int(days.min()) if known else 0, int(days.max()) if known else -1,
        len(np.unique(batch.keys)), states,
    )  # fmt: skip


def _waits_until(its: ByContact, days: np.ndarray, due: np.ndarray, repeated: np.ndarray) -> np.ndarray:
    """By request the day on which its wait ends: by its update date, by what makes the contact marketing again, or by
    the same request anew. Arguments: days, by row; repeated, whether the next request is for the same update date.
    """
    until = due.copy()
    makes = np.flatnonzero(its.makes)
    following = np.searchsorted(makes, its.requests)
    at = makes[np.minimum(following, len(makes) - 1)] if len(makes) else its.requests
    undone = (following < len(makes)) & (its.contact[at] == its.contact[its.requests])
    until[undone] = np.minimum(until[undone], days[at[undone]])
    anew = np.flatnonzero(repeated)
    until[anew] = np.minimum(until[anew], days[its.requests[anew + 1]])
    return until


def _events(batch: Rows, days: np.ndarray) -> np.ndarray:
    """By touch, whether it is part of an import or of a bulk action."""
    kinds = np.array([source in IMPORTS for source, _ in batch.pairs], dtype=bool)
    event = kinds[batch.pair] if len(kinds) else np.zeros(0, dtype=bool)
    for number, (source, _) in enumerate(batch.pairs):
        if source in FEWEST_IN_BULK:
            theirs = np.flatnonzero(batch.pair == number)
            event[theirs] = in_bulk(source, days[theirs] - days.min())
    return event


def in_bulk(source: str, days: np.ndarray) -> np.ndarray:
    """By touch of a source, whether its day has many more of them than is usual. Arguments: days, from 0 on.

    >>> [int(in_bulk("set_marketing", days).sum()) for days in (np.repeat([0, 3], [1, 30]), np.repeat([0, 1, 2], 30))]
    [30, 0]
    """
    many = np.bincount(days)
    usual = float(np.median(many)) if len(many) else 0
    found: np.ndarray = many[days] >= max(FEWEST_IN_BULK[source], TIMES_USUAL * usual)
    return found
