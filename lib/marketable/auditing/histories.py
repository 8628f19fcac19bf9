"""A switch through time, as steps: on since 2 June 2025, off before. How one is read from a portal, said, and written
back.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np
import pandas as pd

from marketable.engine.moments import EARLIEST, start
from marketable.portal.portal import Change, History, Portal, split
from marketable.rulebook import Rulebook

DAY = 86_400_000_000


@dataclass(frozen=True, eq=False)
class Steps:
    """What a switch was: from each of `starts` on (local times in microseconds; the first is EARLIEST), `on`."""

    starts: np.ndarray
    on: np.ndarray

    def at(self, moments: np.ndarray) -> np.ndarray:
        """Whether the switch was on at some local times."""
        return self.on.take(np.searchsorted(self.starts, moments, side="right") - 1)

    def flipped(self, boundaries: list[int]) -> Steps:
        """The steps, turned round from the first of some moments until the second, from the third until the fourth …"""
        moments = np.array(boundaries, dtype=np.int64)
        starts = _sorted(self.starts, moments)
        turned = np.searchsorted(moments, starts, side="right") % 2 == 1
        return _plain(starts, self.at(starts) ^ turned)

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Steps) and np.array_equal(self.starts, other.starts) and np.array_equal(self.on, other.on)
        )

    def unlike(self, other: Steps) -> tuple[np.ndarray, np.ndarray]:
        """The moments at which either changes, and whether they differ from then on."""
        starts = _sorted(self.starts, other.starts)
        return starts, self.at(starts) != other.at(starts)

    def own(self, other: Steps) -> np.ndarray:
        """The moments at which this one changes and the other does not."""
        nearest = other.starts.take(np.searchsorted(other.starts, self.starts), mode="clip")
        own: np.ndarray = self.starts[nearest != self.starts]
        return own

    def between(self, begins: int, ends: int | None, other: Steps) -> Steps:
        """The steps from a moment until another (None: for ever), and before and after that the other's."""
        bounds = [begins] if ends is None else [begins, ends]
        starts = _sorted(self.starts, other.starts, np.array(bounds, dtype=np.int64))
        within = (starts >= begins) & ((starts < ends) if ends is not None else True)
        return _plain(starts, np.where(within, self.at(starts), other.at(starts)))

    def without(self, number: int) -> Steps:
        """The steps without one of them: it is as the one before, the first as the one after."""
        on = self.on.copy()
        on[number] = on[number - 1 if number else 1]
        return _plain(self.starts, on)

    def history(self) -> History:
        """As a portal lists it."""
        moments = [None if at == EARLIEST else pd.Timestamp(at, unit="us").to_pydatetime() for at in self.starts]
        return tuple(Change(moment, bool(on)) for moment, on in zip(moments, self.on, strict=True))

    def __str__(self) -> str:
        told = []
        for at, on in zip(self.starts[:0:-1], self.on[:0:-1], strict=True):
            moment = pd.Timestamp(at, unit="us")
            told.append(f"{'on' if on else 'off'} since {moment:{'%Y-%m-%d' if at % DAY == 0 else '%Y-%m-%d %H:%M'}}")
        first = "on" if self.on[0] else "off"
        return ", ".join([*told, f"{first} before"]) if told else first


def constant(on: bool) -> Steps:
    """A switch that never was another way.

    >>> print(constant(False).flipped([start(pd.Timestamp(2025, 6, 2))]))
    on since 2025-06-02, off before
    """
    return Steps(np.array([EARLIEST]), np.array([on]))


def told_by(
    portal: Portal, switch: str, edition: str | dt.date | None = None, rulebook: Rulebook | None = None
) -> Steps:
    """What the portal says of a switch. Before its first dated change, and where it says nothing, that is the tool's
    default under the edition of the day, or under the one to judge by. Editions that know no such switch do not count.

    >>> print(told_by(Portal(), "hubspot_form/Newsletter"))
    on
    """
    rulebook, source = rulebook or Rulebook.load(), split(switch)[0]
    editions = list(rulebook.editions) if edition is None else [rulebook.pinned(edition)]
    first, *later = [date for date in editions if rulebook.on(date)[source].switch] or editions[:1]
    changes = [(start(since), on) for since, on in portal.switches.get(switch, ())]
    defaults = [(EARLIEST, rulebook.on(first)[source].default_on)]
    defaults += [(start(date), rulebook.on(date)[source].default_on) for date in later]
    changes = [default for default in defaults if not changes or default[0] < changes[0][0]] + changes
    starts, on = zip(*changes, strict=True)
    return _plain(np.array(starts, dtype=np.int64), np.array(on))


def first_moment(at: int, after: int) -> int:
    """The beginning of the day of a moment, or the moment itself where something was after that beginning."""
    return at - at % DAY if at - at % DAY > after else at


def _plain(starts: np.ndarray, on: np.ndarray) -> Steps:
    changes = begins(on)
    return Steps(starts[changes], on[changes])


def _sorted(*moments: np.ndarray) -> np.ndarray:
    """Moments in their order, each once."""
    together: np.ndarray = np.sort(np.concatenate(moments))
    each_once: np.ndarray = together[begins(together)]
    return each_once


def begins(values: np.ndarray) -> np.ndarray:
    """Which values are the first, or not as the one before. For the few steps of a switch it is far quicker than what
    NumPy has for sets and differences.

    >>> begins(np.array([3, 3, 5])).tolist()
    [True, False, True]
    """
    new = np.ones(len(values), dtype=bool)
    np.not_equal(values[1:], values[:-1], out=new[1:])
    return new
