"""The moves a plan chooses from, and what they change: exact whole-number arithmetic on a table of exposures.

A move is a slot that a flip of its switch changes: one that the portal has on goes off, or one that it has off goes on.
Contacts that no move can change are counted once, and those whom the same moves can change are one group.
"""

from __future__ import annotations

import functools
from collections.abc import Set
from dataclasses import dataclass

import numpy as np

from marketable.engine.exposure import ALWAYS

from .exposure_table import ExposureTable

NEVER = np.iinfo(np.int64).min // 4
_MOST_PAIRS = 5_000_000


@dataclass(frozen=True)
class Moves:
    """By move: `slot`, ascending; `own`, whether the portal has it on; `rival`, the move of the same switch's other
    slot (without one, itself), as only one of the two is a flip. By group of contacts: `contacts`, how many. By element
    of the groups: `group` and `move`. `fixed` contacts are marketing whatever is moved.

    A setting is given by move: whether its slot is on.
    """

    slot: np.ndarray
    own: np.ndarray
    rival: np.ndarray
    contacts: np.ndarray
    group: np.ndarray
    move: np.ndarray
    fixed: int

    def reached(self, on: np.ndarray) -> int:
        """How many contacts of the groups are marketing."""
        return int(self.contacts[self.holding(on) > 0].sum())

    def effects(self, on: np.ndarray) -> np.ndarray:
        """By move, how many contacts it would add now if it were made (or taken back); negative for those it loses."""
        alone = self.holding(on)[self.group] == on[self.move]
        changed = np.bincount(self.move[alone], self.contacts[self.group[alone]], len(on)).astype(np.int64)
        return np.where(on, -changed, changed)

    def pair_effects(self, on: np.ndarray) -> np.ndarray:
        """The same for two moves together, above the diagonal; NEVER elsewhere."""
        many, (first, second, group) = len(on), self._pairs
        one, other = on[first], on[second]
        alone = self.holding(on)[group] == one.astype(np.int64) + other
        first, second, alike = first[alone], second[alone], (one == other)[alone]
        # Two lose together what neither loses alone, what both bring counts once, and one brings what the other loses.
        together = np.where(alike, -1, 1) * self.contacts[group[alone]]
        both = np.bincount(first * many + second, together, many * many).astype(np.int64).reshape(many, many)
        single = self.effects(on)
        return np.where(self._above, both + single[:, None] + single, NEVER)

    @functools.cached_property
    def pairs(self) -> bool:
        """Whether there are few enough moves and pairs of them to look at two at once."""
        size = np.bincount(self.group).astype(np.int64)
        return len(self.own) ** 2 + int((size * (size - 1) // 2).sum()) <= _MOST_PAIRS

    def is_setting(self, on: np.ndarray) -> bool:
        """Whether no switch is to be on and off at once."""
        moved = on != self.own
        return not (moved & moved[self.rival] & (self.rival != np.arange(len(on)))).any()

    def holding(self, on: np.ndarray) -> np.ndarray:
        """By group, how many of its slots are on."""
        return np.bincount(self.group, on[self.move], len(self.contacts)).astype(np.int64)

    @functools.cached_property
    def _pairs(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Every two moves of a group, the lower one first, and their group."""
        at, found = np.arange(len(self.move)), [np.zeros((3, 0), dtype=np.int64)]
        for shift in range(1, int(np.bincount(self.group).max(initial=0))):
            at = at[at + shift < len(self.move)]
            at = at[self.group[at] == self.group[at + shift]]
            found.append(np.stack([self.move[at], self.move[at + shift], self.group[at]]))
        first, second, group = np.concatenate(found, axis=1)
        return first, second, group

    @functools.cached_property
    def _above(self) -> np.ndarray:
        return ~np.tri(len(self.own), dtype=bool)


def moves(table: ExposureTable, kept: Set[str], turn_on: bool) -> Moves:
    """What may be moved. Arguments: kept, the switches to leave; turn_on, whether any may go on."""
    exposures = table.exposures
    own, members = exposures.slots.own, exposures.members
    is_free = own | turn_on
    is_free[ALWAYS] = False
    for name in kept:
        is_free[table.slots_of.get(name, slice(0))] = False
    contacts = table.weights.sum(axis=1)
    is_fixed = exposures.reached(own & ~is_free)
    number = np.repeat(np.arange(1, len(exposures.bounds)), np.diff(exposures.bounds))
    open_ones = is_free[members] & ~is_fixed[number] & (contacts[number] > 0)
    number, members = number[open_ones], members[open_ones]

    starts = np.flatnonzero(np.diff(number, prepend=0))
    sets = [slots.tobytes() for slots in np.split(members, starts[1:])] if len(starts) else []
    groups = {slots: at for at, slots in enumerate(dict.fromkeys(sets))}
    sizes = [len(slots) // members.itemsize for slots in groups]
    slot, move = np.unique(np.frombuffer(b"".join(groups), members.dtype), return_inverse=True)
    switch = exposures.slots.switch[slot]
    rival = np.arange(len(slot))
    twice = np.flatnonzero(switch[1:] == switch[:-1])
    rival[twice], rival[twice + 1] = twice + 1, twice
    number_of_group = np.array([groups[slots] for slots in sets], dtype=np.int64)
    return Moves(
        slot, own[slot], rival,
        np.bincount(number_of_group, contacts[number[starts]], len(groups)).astype(np.int64),
        np.repeat(np.arange(len(groups)), sizes), move,
        int(contacts[is_fixed].sum()),
    )  # fmt: skip
