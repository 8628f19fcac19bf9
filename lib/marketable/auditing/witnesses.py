"""The likeliest history of one switch, by the contacts that nothing else made marketing.

Each thing that the portal has wrong has its price, and each change of which it does not tell; enough contacts must show
it. Single changes are tried at each moment, more of them along the likeliest path.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from marketable.engine.moments import EARLIEST

from .histories import Steps, begins, constant, first_moment

CHANGE, MOMENT = 8.0, 5.0  # nats: some e^8 to 1 against the portal being wrong, e^5 against yet another change
FEWEST = 5  # contacts
_NEARLY = 4.0  # nats: one contact that was changed by hand does not narrow down when


def price(steps: Steps, told: Steps) -> float:
    """What a history must be worth to be believed, in nats: for each thing that was told wrong, and for each change
    that was not told.
    """
    return CHANGE * np.count_nonzero(steps.unlike(told)[1]) + MOMENT * len(steps.own(told))


@dataclass(frozen=True, eq=False)
class Witnesses:
    """The contacts that show what a switch was: its touches, in the order of contacts and of time; by contact where
    they begin, and its weight, how much likelier its status is if the switch was on.
    """

    at: np.ndarray
    starts: np.ndarray
    weight: np.ndarray

    @classmethod
    def of(cls, contact: np.ndarray, at: np.ndarray, weights: np.ndarray) -> Witnesses:
        starts = np.flatnonzero(begins(contact))
        return cls(at, starts, weights[contact[starts]])

    @property
    def last(self) -> np.ndarray:
        """By contact, the latest touch."""
        ends = np.append(self.starts[1:], len(self.at))[: len(self.starts)]
        latest: np.ndarray = self.at[ends - 1]
        return latest

    def best(self, now: Steps, told: Steps) -> tuple[float, Steps]:
        """The likeliest history, and how much it betters the one of now."""
        if not len(self.starts):
            return (0.0, now) if now == told else (CHANGE, told)
        present = self._value(now, told)
        value, best = max(
            ((self._value(steps, told), steps) for steps in self._candidates(told)), key=lambda pair: pair[0]
        )
        return (value - present, best) if value > present + 1e-9 else (0.0, now)

    def _value(self, steps: Steps, told: Steps) -> float:
        return self._worth(steps) - price(steps, told) if self._is_shown(steps, told) else -np.inf

    def _worth(self, steps: Steps) -> float:
        """How much likelier a history makes the statuses than one that is always off (log)."""
        return float(self.weight[self._touched(steps.at(self.at))].sum())

    def spread(self, steps: Steps, number: int) -> tuple[int, int]:
        """Between which two touches a change lies: another moment in between is nearly as likely."""
        moments = np.unique(self.at)
        enough = self._worth(steps) - _NEARLY
        after = steps.starts[number - 1]
        until = steps.starts[number + 1] if number + 1 < len(steps.starts) else moments[-1] + 1

        def as_likely(moment: int) -> bool:
            starts = steps.starts.copy()
            starts[number] = moments[moment]
            return bool(after < moments[moment] < until) and self._worth(Steps(starts, steps.on)) >= enough

        first = last = min(int(np.searchsorted(moments, steps.starts[number])), len(moments) - 1)
        while first > 0 and as_likely(first - 1):
            first -= 1
        while last + 1 < len(moments) and as_likely(last + 1):
            last += 1
        return int(moments[first - 1]) if first else EARLIEST, int(moments[last])

    def _touched(self, touches: np.ndarray) -> np.ndarray:
        """By contact, whether one of its touches is among some."""
        among: np.ndarray = np.logical_or.reduceat(touches, self.starts)
        return among

    def _is_shown(self, steps: Steps, told: Steps) -> bool:
        """Whether enough contacts tell of each stretch in which the told history was wrong, and of each period that
        begins or ends with a change of which it does not tell.
        """
        if steps == told:
            return True
        starts, unlike = steps.unlike(told)
        stretches = begins(unlike)
        is_shown = self._contacts(starts[stretches]) >= FEWEST
        return bool(is_shown[unlike[stretches]].all()) and not len(self._thin(steps, told))

    def _thin(self, steps: Steps, told: Steps) -> np.ndarray:
        """The numbers of the periods beside changes that are not told, of which too few contacts tell."""
        own = steps.own(told)
        if not len(own):
            return own
        changes = np.searchsorted(steps.starts, own)
        is_beside = np.zeros(len(steps.starts), dtype=bool)
        is_beside[changes] = is_beside[changes - 1] = True
        return np.flatnonzero(is_beside & (self._contacts(steps.starts) < FEWEST))

    def _contacts(self, starts: np.ndarray) -> np.ndarray:
        """How many contacts were touched in each of some periods. Arguments: starts, of the periods."""
        period = np.searchsorted(starts, self.at, side="right") - 1
        is_first = begins(period)
        is_first[self.starts] = True  # of its contact in its period, as touches are in the order of time
        return np.bincount(period[is_first], minlength=len(starts))

    def _candidates(self, told: Steps) -> Iterator[Steps]:
        """Histories that may be likelier. Where nothing was touched, they are as told."""
        yield told
        first, last = np.searchsorted(told.starts, [self.at.min(), self.at.max()], side="right")
        since, ends = int(told.starts[first - 1]), int(told.starts[last]) if last < len(told.starts) else None
        path = told.flipped(self._path(told))
        while len(thin := self._thin(path, told)):
            path = path.without(int(thin[0]))
        for steps in (
            constant(False),
            constant(True),
            *self._turned(on_since=True),
            *self._turned(on_since=False),
            path,
        ):
            if (within := steps.between(since, ends, told)) != told:
                yield within

    def _turned(self, *, on_since: bool) -> Iterator[Steps]:
        """The likeliest single change: who was touched last since then, or first before then, is made marketing."""
        first, last = np.sort(self.at[self.starts]), np.sort(self.last)
        at = self.last if on_since else self.at[self.starts]
        order = np.argsort(at, kind="stable")
        at, weight = at[order], self.weight[order]
        before = np.cumsum(weight) - weight  # of those before each
        # On since a moment, it made marketing whose last touch is not before it; on until one, whose first touch is.
        value = weight.sum() - before if on_since else before
        value[1:][at[1:] == at[:-1]] = -np.inf  # one moment is not to be divided
        value[np.searchsorted(first, at) < FEWEST] = -np.inf
        value[len(at) - np.searchsorted(last, at) < FEWEST] = -np.inf
        number = int(np.argmax(value))
        if number and value[number] > -np.inf:
            yield constant(not on_since).flipped([first_moment(int(at[number]), int(at[number - 1]))])

    def _path(self, told: Steps) -> list[int]:
        """The moments between which the told history is best turned round, each contact's weight shared by its
        touches: the likeliest path through two states. Where the told history changes, the path may leave the turned
        state for nothing, and staying in it is another thing that was told wrong.
        """
        sizes = np.diff(self.starts, append=len(self.at))
        weight = np.repeat(self.weight / sizes, sizes)
        at, moment = np.unique(self.at, return_inverse=True)
        # What turning the told state round at each moment gains; moments of one sign in one period go together.
        gain = np.bincount(moment, weight) * np.where(told.at(at), -1, 1)
        period = np.searchsorted(told.starts, at, side="right") - 1
        runs = np.flatnonzero(begins(gain > 0) | begins(period))
        crosses = np.diff(period[runs], prepend=period[0]) > 0
        as_told, turned = 0.0, -CHANGE
        came: list[tuple[bool, bool]] = []  # by run: whether the best path to each state comes from the other one
        for total, told_changes in zip(np.add.reduceat(gain, runs).tolist(), crosses.tolist(), strict=True):
            stays, leaves = (CHANGE, 0.0) if told_changes else (0.0, MOMENT)
            back, away = turned - leaves > as_told, as_told - CHANGE - leaves > turned - stays
            as_told, turned = (
                (turned - leaves if back else as_told),
                (as_told - CHANGE - leaves if away else turned - stays) + total,
            )
            came.append((back, away))
        # Back along the path, from the better of the two ends: each change of state is a moment of the history.
        state, boundaries = turned > as_told, []
        for number in range(len(runs) - 1, -1, -1):
            if came[number][state]:
                first = runs[number]
                if crosses[number]:
                    boundaries.append(int(told.starts[period[first] if state else period[runs[number - 1]] + 1]))
                else:
                    boundaries.append(first_moment(int(at[first]), int(at[first - 1])) if first else EARLIEST)
                state = not state
        return [EARLIEST, *boundaries[::-1]] if state else boundaries[::-1]
