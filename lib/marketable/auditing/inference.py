"""What the statuses say about the switches: how each seems to have been, where that is not what the portal says.

A contact is marketing where something that reached it was on, but for the few whose status was changed by hand, by a
workflow, or by what an export does not tell. So each history of a switch makes the statuses more or less likely. A
history other than the portal's is believed only where it makes them so much likelier that chance does not explain it:
each thing that the portal has wrong has its price. The switches are looked at in turn until none can be bettered, each
by the contacts that nothing else made marketing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from marketable.engine.moments import EARLIEST
from marketable.engine.reach import Reach

from .histories import DAY, Steps
from .witnesses import FEWEST, Witnesses, price

ACCESS = 25.0  # nats
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
        return [number for number, steps in enumerate(self.steps) if steps != self.told[number]]


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


def gather(statuses: Statuses, inferred: Inferred, number: int) -> tuple[Witnesses, np.ndarray]:
    """The evidence for one switch: its touches of contacts that nothing else made marketing, and these contacts."""
    reach = statuses.reach
    own = np.flatnonzero((reach.switch == number) & (reach.at >= inferred.access))
    own = _alone(own, reach.contact, inferred.on, np.bincount(reach.contact, inferred.on, len(statuses.marketing)))
    witnesses = Witnesses.of(reach.contact[own], reach.at[own], _Rates(*inferred.rates).weights(statuses))
    return witnesses, reach.contact[own][witnesses.starts]


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
    return [
        order[begin : begin if blank else end]
        for begin, end, blank in zip(bounds[:-1], bounds[1:], reach.unnamed, strict=True)
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
        witnesses = Witnesses.of(reach.contact[own], reach.at[own], weights)
        return witnesses.best(steps[number], told[number])

    due = list(range(len(steps)))
    for _ in range(_PASSES):
        gains = {number: tried(number)[0] for number in due}
        better = sorted((number for number, gain in gains.items() if gain > 1e-9), key=lambda number: -gains[number])
        if not better:
            break
        is_changed = np.zeros(len(reached), dtype=bool)
        for number in better:
            _, steps[number] = tried(number)
            own = of_switch[number]
            now = steps[number].at(reach.at[own]) & counts[own]
            is_changed[reach.contact[own[now != on[own]]]] = True
            np.add.at(reached, reach.contact[own], now.astype(float) - on[own])
            on[own] = now
        # Of the others nothing has changed that says something about them.
        touched = np.bincount(reach.switch[is_changed[reach.contact]] + 1, minlength=len(steps) + 1)[1:]
        due = np.flatnonzero(touched).tolist()
    return on


def _access(statuses: Statuses, told: list[Steps], of_switch: list[np.ndarray], rates: _Rates) -> int:
    """The moment before which nothing made anybody marketing, whichever its tool, if that explains the statuses better
    than switches alone do; else EARLIEST.
    """
    reach, weights = statuses.reach, rates.weights(statuses)

    def fitted(since: int) -> tuple[float, list[Steps]]:
        steps = list(told)
        on = _ascend(statuses, steps, told, reach.at >= since, of_switch, rates)
        reached = np.bincount(reach.contact, on, len(weights)) > 0
        prices = sum(price(each, other) for each, other in zip(steps, told, strict=True))
        return float(weights[reached].sum()) - prices, steps

    without, steps = fitted(EARLIEST)
    # An account that got marketing contacts late looks as if each switch had been off until then.
    made = np.append([each.on[-1] for each in steps], True)[reach.switch]
    candidate = _late(statuses, made, weights)
    return candidate if candidate != EARLIEST and fitted(candidate)[0] - ACCESS > without else EARLIEST


def _late(statuses: Statuses, made: np.ndarray, weights: np.ndarray) -> int:
    """The beginning of the likeliest day before which nothing counted, some touches having made their contacts
    marketing since; EARLIEST where the contacts of before are not of several switches and mostly non-marketing, or
    hardly any of those since is marketing.
    """
    reach, touches = statuses.reach, np.flatnonzero(made)
    if not len(touches):
        return EARLIEST
    ends = np.append(np.flatnonzero(np.diff(reach.contact[touches])), len(touches) - 1)
    day, contact = reach.at[touches[ends]] // DAY, reach.contact[touches[ends]]
    order = np.argsort(day, kind="stable")
    day, contact = day[order], contact[order]
    before = np.cumsum(weights[contact]) - weights[contact]
    before[1:][day[1:] == day[:-1]] = np.inf
    number = int(np.argmin(before))
    marketing = statuses.marketing[contact]
    through = np.unique(reach.switch[touches[reach.at[touches] < day[number] * DAY]])
    is_seen = (
        len(through) > 1
        and np.count_nonzero(marketing[:number]) <= _COVERED[1] * number
        and np.count_nonzero(marketing[number:]) >= max(FEWEST, (len(marketing) - number) / 2)
    )
    return int(day[number]) * DAY if is_seen else EARLIEST


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
