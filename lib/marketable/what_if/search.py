"""The search for a setting that keeps exactly as many contacts as wanted, with the fewest flips.

Most contacts met one tool only, and there are many of them: some few switches nearly always sum to the limit exactly.
The search makes the moves that account for the most, then looks at all pairs of moves at once. Fewer flips are proven
not to do by a bound on what so many moves can change, or by having been gone through.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from .exposure_table import over_subsets
from .moves import NEVER, Moves

_TRIES = 300  # beginnings looked at for one number of flips
_GLANCE = 4  # the same at first, until there is one that keeps what is wanted
_BEYOND = 6  # numbers of flips: past what is known to do, or not gone through in the end
_SHIFTS = 100
_ROUNDING = 1e-3  # more than the error of a sum of shares, less than a contact


@dataclass(frozen=True)
class Found:
    """A setting, by move; how many contacts of the groups it keeps, its flips, and the number of flips below which none
    keeps as many as were wanted.
    """

    on: np.ndarray
    contacts: int
    flips: int
    fewest: int = 0

    def or_better(self, other: Found | None) -> Found:
        """Whichever of the two keeps more, or as many with fewer flips; what is proven stays."""
        if other is None or (other.contacts, -other.flips) <= (self.contacts, -self.flips):
            return self
        return replace(other, fewest=self.fewest)


def found(moves: Moves, on: np.ndarray) -> Found:
    """A setting, counted."""
    return Found(on, moves.reached(on), int((on != moves.own).sum()))


def count_all(moves: Moves, wanted: int) -> Found:
    """The best setting of all that keep no more contacts than wanted, for few moves: every one is counted."""
    many = len(moves.own)
    bit = 1 << np.arange(many)
    exactly = np.bincount(np.bincount(moves.group, bit[moves.move]).astype(np.int64), moves.contacts, 1 << many)
    lost = over_subsets(exactly)  # groups all of whose moves are off
    setting = np.arange(1 << many)
    contacts = (lost[-1] - lost[::-1]).astype(np.int64)  # what is off is the complement of what is on
    flips = np.bitwise_count(setting ^ bit[moves.own].sum()).astype(np.int64)
    allowed = contacts <= wanted
    for move in np.flatnonzero(moves.own & (moves.rival != np.arange(many))):
        allowed &= (setting >> moves.rival[move] & 1) <= (setting >> move & 1)
    best = np.where(allowed, contacts * (many + 1) - flips, NEVER).argmax()
    return Found((setting[best] >> np.arange(many) & 1).astype(bool), int(contacts[best]), *[int(flips[best])] * 2)


def search(moves: Moves, wanted: int, best: Found, go_on: Callable[[int], bool]) -> Found:
    """The best setting met that keeps no more contacts than wanted.

    Arguments: best, one that is known; go_on, asked again and again whether to, with the contacts kept so far.
    """
    missing = wanted - moves.reached(moves.own)
    if not missing:
        return Found(moves.own, wanted, 0)
    most = _most(moves, missing)
    order = np.argsort(-most, kind="stable")
    sums = np.concatenate([[0.0], np.cumsum(most[order])])
    best = replace(best, fewest=int(np.searchsorted(sums, abs(missing) - _ROUNDING)))
    first = _first(moves, order, wanted) or best
    best = best.or_better(first)
    for tries, highest in ((_GLANCE, first.flips + _BEYOND), (_TRIES, len(order))):
        unsure = 0
        for flips in range(best.fewest, min(highest, len(order)) + 1):
            if (best.contacts == wanted and best.flips <= flips) or (tries == _TRIES and unsure == _BEYOND):
                break
            if not go_on(best.contacts):
                return best
            last = min(flips, 2 if moves.pairs else 1)
            for number, on in enumerate(_beginnings(moves, most, order, sums, wanted, flips, last)):
                if number == tries or not go_on(best.contacts):
                    unsure += 1
                    break
                if on is not None:
                    best = best.or_better(_ended(moves, on, last, wanted))
                    if best.contacts == wanted and best.flips <= flips:
                        break
            else:
                best = replace(best, fewest=flips + 1) if best.fewest == flips else best
    return best


def _most(moves: Moves, missing: int) -> np.ndarray:
    """By move, so much that moves never change more contacts, towards what is wanted, than the sum over them.

    What moves add, each would add alone. What is lost only if several moves are made is shared among them, and any
    shares will do: they are shifted towards moves that are not among the largest, until the bound is tight.
    """
    own = moves.own
    if missing > 0:
        return np.where(own, 0, moves.effects(own)).astype(float)
    can_lose = own[moves.move]
    move, group = moves.move[can_lose], moves.group[can_lose]
    contacts = moves.contacts[group]
    best: np.ndarray = np.zeros(len(own))
    share: np.ndarray = np.ones(len(move))
    proven = (-1, 0.0)
    for _ in range(_SHIFTS):
        share *= contacts / np.bincount(group, share, len(moves.contacts))[group]
        most = np.bincount(move, share, len(own))
        falling = -np.sort(-most)
        sums = np.cumsum(falling)
        flips = min(int(np.searchsorted(sums, -missing - _ROUNDING)), len(own) - 1)
        if (flips, -sums[flips]) > proven:
            best, proven = most, (flips, -sums[flips])
        share *= np.sqrt(np.clip(falling[flips] / np.maximum(most, _ROUNDING), 0.2, 5))[move]
    return best


def _first(moves: Moves, order: np.ndarray, wanted: int) -> Found | None:
    """The first moves in order that bring the contacts down to what is wanted; without any such, nothing."""
    order = order[moves.own[order]]
    low, high = 0, len(order)
    while low < high:
        middle = (low + high) // 2
        on = moves.own.copy()
        on[order[:middle]] = False
        low, high = (low, middle) if moves.reached(on) <= wanted else (middle + 1, high)
    on = moves.own.copy()
    on[order[:low]] = False
    first = found(moves, on)
    return first if first.contacts <= wanted else None


def _beginnings(
    moves: Moves, most: np.ndarray, order: np.ndarray, sums: np.ndarray, wanted: int, flips: int, last: int
) -> Iterator[np.ndarray | None]:
    """All settings of so many flips without the last ones, those that account for the most first, as far as they can
    lead to what is wanted; None where one was given up for what it would overshoot.
    """
    missing = wanted - moves.reached(moves.own)
    against = np.bincount(moves.move, moves.contacts[moves.group], len(order)) * (moves.own == (missing > 0))
    back = np.concatenate([[0.0], np.cumsum(-np.sort(-against))])  # what so many moves could take back
    on, chosen, at = moves.own.copy(), list[int](), 0
    while True:
        left = flips - len(chosen)
        so_far = most[order[chosen]].sum()
        if left == last:
            yield on
        elif at < len(order) and so_far + sums[min(at + left, len(order))] - sums[at] >= abs(missing) - _ROUNDING:
            move = order[at]
            chosen.append(at)
            at += 1
            on[move] ^= True
            may_overshoot = so_far + most[move] > abs(missing)
            over = (moves.reached(on) - wanted) * np.sign(missing) if may_overshoot else 0
            if over <= back[left - 1] and moves.is_setting(on):
                continue
            yield None
        if not chosen:
            return
        at = chosen.pop()
        on[order[at]] ^= True
        at += 1


def _ended(moves: Moves, on: np.ndarray, last: int, wanted: int) -> Found | None:
    """The setting with the best last moves."""
    contacts = moves.reached(on)
    effects = moves.pair_effects(on) if last == 2 else moves.effects(on)
    rivals = np.flatnonzero(moves.rival != np.arange(len(on)))
    made = rivals[on[rivals] != moves.own[rivals]]
    effects[moves.rival[made]] = NEVER
    if last == 2:
        effects[:, moves.rival[made]] = NEVER
        effects[rivals, moves.rival[rivals]] = NEVER
    effects = np.where(effects <= wanted - contacts, effects, NEVER)
    ends = np.unravel_index(effects.argmax(), effects.shape)
    if effects[ends] == NEVER:
        return None
    ended = on.copy()
    ended[list(ends)] ^= True
    return found(moves, ended)
