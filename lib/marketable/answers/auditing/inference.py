"""What the statuses say about the switches: how each seems to have been, where that is not what the portal says.

A contact is marketing where something that reached it was on, but for the few whose status was changed by hand, by a
workflow, or by what an export does not tell. So each history of a switch makes the statuses more or less likely. A
history other than the portal's is believed only where it makes them so much likelier that chance does not explain it:
each change against the portal has its price. The switches are looked at in turn until none can be bettered, each by
the contacts that nothing else made marketing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from ...engine.moments import EARLIEST
from ...engine.reach import Reach
from .histories import Steps, constant, first_moment

CHANGE, ACCESS = 9.0, 25.0  # nats: some e^9 to 1 against the portal being right
FEWEST = 5  # contacts
_NEARLY = 4.0  # nats: one contact that was changed by hand does not narrow down when
_PASSES, _ROUNDS = 20, 3
_USUAL, _SMOOTH = 0.05, 20
_COVERED, _OPEN = (0.01, 0.3), (0.05, 0.6)


@dataclass(frozen=True, eq=False)
class Statuses:
    """What is known: the reaching touches of contacts whose status is told. By contact: `marketing`, and `open`
    (something that no switch here decides may have made it marketing).
    """

    reach: Reach
    marketing: np.ndarray
    open: np.ndarray


@dataclass(frozen=True, eq=False)
class Inferred:
    """By switch: `steps`, the likeliest history, and `told`, the portal's. `access` is the local time before which
    nothing counted, EARLIEST where that is not seen. By reaching touch: `on`. `rates` are the shares of contacts that
    are marketing though nothing made them so (of those not `open`, of the `open` ones), and non-marketing though
    something did.
    """

    steps: list[Steps]
    told: list[Steps]
    access: int
    on: np.ndarray
    rates: tuple[float, float, float]

    @property
    def differing(self) -> list[int]:
        """The numbers of the switches that seem to have been other than the portal says."""
        return [number for number, steps in enumerate(self.steps) if steps.differences(self.told[number])]


def infer(statuses: Statuses, told: list[Steps], *, access_known: bool) -> Inferred:
    """The likeliest histories of the switches, and the likeliest access day where it is not known.

    Arguments: told, the portal's histories, one for each switch of the reach.
    """
    reach, of_switch = statuses.reach, _numbers_of(statuses.reach)
    rates, steps = _Rates(_USUAL, 0.3, _USUAL), list(told)
    access = EARLIEST if access_known else _access(statuses, told, of_switch, rates)
    for _ in range(_ROUNDS):
        on = _ascend(statuses, steps, told, reach.at >= access, of_switch, rates)
        rates = _Rates.of(statuses, on)
    return Inferred(steps, told, access, on, (rates.marketing, rates.open, rates.non_marketing))


def gather(statuses: Statuses, inferred: Inferred, number: int) -> tuple[Group, np.ndarray]:
    """The evidence for one switch: its touches of contacts that nothing else made marketing, and these contacts."""
    reach = statuses.reach
    own = np.flatnonzero((reach.switch == number) & (reach.at >= inferred.access))
    own = _alone(own, reach.contact, inferred.on, np.bincount(reach.contact, inferred.on, len(statuses.marketing)))
    group = Group.of(reach.contact[own], reach.at[own], _Rates(*inferred.rates).weights(statuses))
    return group, reach.contact[own][group.starts]


def _alone(own: np.ndarray, contact: np.ndarray, on: np.ndarray, reached: np.ndarray) -> np.ndarray:
    """Those of some touches, in the order of contacts, whose contacts no other touch made marketing.

    Arguments: contact and on, of all touches; reached, by contact how many of its touches are on.
    """
    starts = np.flatnonzero(np.diff(contact[own], prepend=-1))
    if not len(starts):
        return own
    others = reached[contact[own[starts]]] - np.add.reduceat(on[own].astype(np.int64), starts)
    alone: np.ndarray = own[np.repeat(others == 0, np.diff(starts, append=len(own)))]
    return alone


@dataclass(frozen=True)
class _Rates:
    """The shares of contacts that are marketing though nothing made them so (the `open` ones apart), and the share of
    non-marketing ones though something did.
    """

    marketing: float
    open: float
    non_marketing: float

    @classmethod
    def of(cls, statuses: Statuses, on: np.ndarray) -> _Rates:
        reached = np.bincount(statuses.reach.contact, on, len(statuses.marketing)) > 0

        def share(of: np.ndarray, among: np.ndarray, within: tuple[float, float]) -> float:
            smoothed = (np.count_nonzero(of & among) + 1) / (np.count_nonzero(among) + _SMOOTH)
            return float(np.clip(smoothed, *within))

        return cls(
            share(statuses.marketing, ~reached & ~statuses.open, _COVERED),
            share(statuses.marketing, ~reached & statuses.open, _OPEN),
            share(~statuses.marketing, reached, _COVERED),
        )

    def weights(self, statuses: Statuses) -> np.ndarray:
        """By contact, how much likelier its status is if something made it marketing than if nothing did (log)."""
        by_chance = np.where(statuses.open, self.open, self.marketing)
        made = np.log1p(-self.non_marketing) - np.log(by_chance)
        unmade = np.log(self.non_marketing) - np.log1p(-by_chance)
        weights: np.ndarray = np.where(statuses.marketing, made, unmade)
        return weights


def _numbers_of(reach: Reach) -> list[np.ndarray]:
    """By switch the numbers of its touches; none where the asset is not named, which may be any number of assets."""
    order = np.argsort(reach.switch, kind="stable")
    bounds = np.searchsorted(reach.switch[order], np.arange(len(reach.switches) + 1))
    named = [not name.endswith("/") for name in reach.switches]
    return [
        order[begin : end if name else begin] for begin, end, name in zip(bounds[:-1], bounds[1:], named, strict=True)
    ]


def _ascend(
    statuses: Statuses,
    steps: list[Steps],
    told: list[Steps],
    counts: np.ndarray,
    of_switch: list[np.ndarray],
    rates: _Rates,
) -> np.ndarray:
    """Betters the steps, in place, until none can be bettered. Arguments: counts, by touch whether it does. Returns: by
    touch, whether it made its contact marketing.
    """
    reach, weights = statuses.reach, rates.weights(statuses)
    on: np.ndarray = (reach.on | (reach.switch < 0)) & counts
    for number, own in enumerate(of_switch):
        on[own] = steps[number].at(reach.at[own]) & counts[own]
    reached = np.bincount(reach.contact, on, len(statuses.marketing))

    def tried(number: int) -> tuple[float, Steps]:
        own = _alone(of_switch[number][counts[of_switch[number]]], reach.contact, on, reached)
        group = Group.of(reach.contact[own], reach.at[own], weights)
        return group.best(steps[number], told[number])

    for _ in range(_PASSES):
        gains = {number: tried(number)[0] for number in range(len(steps))}
        better = sorted((number for number, gain in gains.items() if gain > 1e-9), key=lambda number: -gains[number])
        if not better:
            break
        for number in better:
            _, steps[number] = tried(number)
            own = of_switch[number]
            now = steps[number].at(reach.at[own]) & counts[own]
            np.add.at(reached, reach.contact[own], now.astype(float) - on[own])
            on[own] = now
    return on


@dataclass(frozen=True, eq=False)
class Group:
    """Evidence about one switch: its touches, in the order of contacts and of time; by contact where they begin, and
    its weight.
    """

    at: np.ndarray
    starts: np.ndarray
    weight: np.ndarray

    @classmethod
    def of(cls, contact: np.ndarray, at: np.ndarray, weights: np.ndarray) -> Group:
        starts = np.flatnonzero(np.diff(contact, prepend=-1))
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
            return (0.0, now) if not now.differences(told) else (CHANGE, told)
        present = self._value(now, told)
        value, best = max(
            ((self._value(steps, told), steps) for steps in self._candidates(told)), key=lambda pair: pair[0]
        )
        return (value - present, best) if value > present + 1e-9 else (0.0, now)

    def _value(self, steps: Steps, told: Steps) -> float:
        on = np.logical_or.reduceat(steps.at(self.at), self.starts)
        if steps.differences(told) and self._deviating(steps, told) < FEWEST:
            return -np.inf
        return float(self.weight[on].sum()) - CHANGE * steps.differences(told)

    def spread(self, steps: Steps, told: Steps) -> tuple[int, int]:
        """Between which two touches the last change lies: another moment in between is nearly as likely."""
        moments = np.unique(self.at)
        boundary = int(steps.starts[-1])
        enough = self._value(steps, told) - _NEARLY
        number = int(np.searchsorted(moments, boundary))

        def as_likely(number: int) -> bool:
            moved = Steps(np.append(steps.starts[:-1], moments[number]), steps.on)
            return bool(moments[number] > steps.starts[-2]) and self._value(moved, told) >= enough

        first = last = min(number, len(moments) - 1)
        while first > 0 and as_likely(first - 1):
            first -= 1
        while last + 1 < len(moments) and as_likely(last + 1):
            last += 1
        return int(moments[first - 1]) if first else EARLIEST, int(moments[last])

    def _deviating(self, steps: Steps, told: Steps) -> int:
        """The contacts that a history other than the told one is about."""
        return int(np.count_nonzero(np.logical_or.reduceat(steps.at(self.at) != told.at(self.at), self.starts)))

    def _candidates(self, told: Steps) -> Iterator[Steps]:
        yield from (told, constant(False), constant(True))
        yield from self._turned(self.last, on_since=True)
        yield from self._turned(self.at[self.starts], on_since=False)
        yield told.flipped(self._path(told))

    def _turned(self, at: np.ndarray, *, on_since: bool) -> Iterator[Steps]:
        """The likeliest single change: who was touched last since then, or first before then, is made marketing."""
        order = np.argsort(at, kind="stable")
        at, weight = at[order], self.weight[order]
        before = np.cumsum(weight) - weight  # of those before each
        value = weight.sum() - before if on_since else before
        value[1:][at[1:] == at[:-1]] = -np.inf  # one moment is not to be divided
        number = int(np.argmax(value))
        if number:
            yield constant(not on_since).flipped([first_moment(int(at[number]), int(at[number - 1]))])

    def _path(self, told: Steps) -> list[int]:
        """The moments between which the told history is best turned round, each contact's weight shared by its
        touches: the likeliest path through two states.
        """
        sizes = np.diff(self.starts, append=len(self.at))
        weight = np.repeat(self.weight / sizes, sizes)
        at, moment = np.unique(self.at, return_inverse=True)
        gain = np.bincount(moment, weight) * np.where(told.at(at), -1, 1)
        runs = np.flatnonzero(np.diff(gain > 0, prepend=not gain[0] > 0))
        as_told, turned = 0.0, -CHANGE
        came: list[tuple[bool, bool]] = []  # by run: whether the best path to each state comes from the other one
        for total in np.add.reduceat(gain, runs).tolist():
            back, away = turned - CHANGE > as_told, as_told - CHANGE > turned
            as_told, turned = (
                (turned - CHANGE if back else as_told),
                (as_told - CHANGE if away else turned) + total,
            )
            came.append((back, away))
        state, boundaries = turned > as_told, []
        for number in range(len(runs) - 1, -1, -1):
            if came[number][state]:
                begins = runs[number]
                boundaries.append(first_moment(int(at[begins]), int(at[begins - 1])) if begins else EARLIEST)
                state = not state
        return [EARLIEST, *boundaries[::-1]] if state else boundaries[::-1]


def _access(statuses: Statuses, told: list[Steps], of_switch: list[np.ndarray], rates: _Rates) -> int:
    """The moment before which nothing made anybody marketing, whichever its tool, if that explains the statuses better
    than switches alone do; else EARLIEST.
    """
    reach, weights = statuses.reach, rates.weights(statuses)

    def fitted(since: int) -> tuple[float, list[Steps]]:
        steps = list(told)
        on = _ascend(statuses, steps, told, reach.at >= since, of_switch, rates)
        reached = np.bincount(reach.contact, on, len(weights)) > 0
        changes = sum(each.differences(other) for each, other in zip(steps, told, strict=True))
        return float(weights[reached].sum()) - CHANGE * changes, steps

    without, steps = fitted(EARLIEST)
    # An account that got marketing contacts late looks as if each switch had been off until then.
    lately = [each.on[-1] for each in steps]
    on = np.append(lately, True)[reach.switch]
    candidate = _late(reach, on, weights)
    return candidate if candidate != EARLIEST and fitted(candidate)[0] - ACCESS > without else EARLIEST


def _late(reach: Reach, on: np.ndarray, weights: np.ndarray) -> int:
    """The likeliest moment before which nothing counted, touches of several switches being on; EARLIEST if none is."""
    made = np.flatnonzero(on)
    if not len(made):
        return EARLIEST
    ends = np.append(np.flatnonzero(np.diff(reach.contact[made])), len(made) - 1)
    last, contact = reach.at[made[ends]], reach.contact[made[ends]]
    order = np.argsort(last, kind="stable")
    last, weight = last[order], weights[contact[order]]
    before = np.cumsum(weight) - weight
    before[1:][last[1:] == last[:-1]] = np.inf
    number = int(np.argmin(before))
    through = np.unique(reach.switch[made[reach.at[made] < last[number]]])
    return first_moment(int(last[number]), int(last[number - 1])) if number and len(through) > 1 else EARLIEST


def within(statuses: Statuses, known: np.ndarray) -> Statuses:
    """Only the contacts of known status."""
    numbers = np.cumsum(known) - 1
    kept = known[statuses.reach.contact]
    reach = replace(
        statuses.reach,
        contact_id=statuses.reach.contact_id[known],
        covered=statuses.reach.covered[known],
        contact=numbers[statuses.reach.contact[kept]],
        at=statuses.reach.at[kept],
        switch=statuses.reach.switch[kept],
        on=statuses.reach.on[kept],
    )
    return Statuses(reach, statuses.marketing[known], statuses.open[known])
