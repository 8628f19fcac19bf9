"""A plan: which switches to flip so that the marketing contacts stay within a limit, and as many of them as can be.

Each setting that matters is a choice of moves on a table of exposures. A search finds one that keeps exactly what the
limit allows, and mostly proves that no fewer flips would; what it leaves open goes to a solver. Whoever found it, the
setting is counted anew from the table.
"""

from __future__ import annotations

import html
import math
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from marketable.engine.cases import MARKETING_CODE
from marketable.errors import DataError
from marketable.portal.portal import split

from .exposure_table import ExposureTable
from .moves import Moves, moves
from .search import Found, count_all, found, search
from .watch import Progress, Watch

_NAMED = 3  # switches
_SEVERAL = "several kept switches"
_MOST_COUNTED = 20  # moves, of which every setting is counted
_MOST_SOLVED = 30_000  # elements; beyond, the solver would not be through its first step


@dataclass(frozen=True)
class Plan:
    """The setting within a limit that keeps the most marketing contacts, with the fewest flips.

    `flips` are ready for `WhatIf.counts`. `marketing` contacts remain of the `baseline`; no setting within the limit
    keeps more than `bound`. `optimal`: that is proven to be this one; `fewest`: so is that no setting which keeps as
    many has fewer flips. Where not even the lowest setting is `within` the limit, it is the plan, and `remains` counts
    what it leaves: "always" the contacts that are marketing whatever the switches are, then those whom only one kept
    switch holds, by its name, and "several kept switches".
    """

    limit: int
    flips: Mapping[str, bool]
    marketing: int
    baseline: int
    bound: int
    fewest: bool
    remains: pd.Series | None = field(compare=False)
    seconds: float = field(compare=False)
    says: str = ""

    @property
    def within(self) -> bool:
        """Whether the limit is met."""
        return self.marketing <= self.limit

    @property
    def optimal(self) -> bool:
        """Whether no setting within the limit keeps more; where it cannot be met, whether none keeps fewer."""
        return self.bound == self.marketing

    @property
    def gap(self) -> int:
        """How many more contacts a setting within the limit could keep at most."""
        return self.bound - self.marketing

    def __str__(self) -> str:
        return self.says

    def _repr_html_(self) -> str:
        return f"<p>{html.escape(self.says)}</p>"


def plan(
    table: ExposureTable,
    limit: Any,
    *,
    names: Mapping[str, bool],
    keep: Collection[str],
    turn_on: bool,
    time_limit: Any,
    progress: Progress | bool | None,
    titles: Mapping[str, str],
) -> Plan:
    """See `WhatIf.plan`. Arguments: names, whether each switch is on at the end; titles, what the tools are called."""
    if not _is_number(limit) or limit < 0 or limit != int(limit):
        raise DataError("This is no limit", value=limit, expected="a whole number of contacts, 0 or above, like 2000")
    if not _is_number(time_limit) or time_limit <= 0:
        raise DataError("This is no time limit", value=time_limit, expected="a number of seconds above 0, like 10")
    watch = Watch(float(time_limit), progress)
    able = moves(table, frozenset(keep), turn_on)
    try:
        best, bound = _best(able, int(limit) - able.fixed, watch)
    finally:
        watch.close()
    on = table.exposures.slots.own.copy()
    on[able.slot] = best.on
    changed = np.flatnonzero(best.on != able.own)
    switch = table.exposures.slots.switch[able.slot[changed]]
    moved = {table.exposures.slots.switches[at]: on for at, on in zip(switch, best.on[changed].tolist(), strict=True)}
    made = Plan(
        limit=int(limit),
        flips={name: moved[name] for name in names if name in moved},
        marketing=_marketing(table, on),
        baseline=_marketing(table, table.exposures.slots.own),
        bound=able.fixed + bound,
        fewest=best.flips <= best.fewest,
        remains=_remains(table, [name for name in names if name in keep]) if limit < able.fixed else None,
        seconds=watch.seconds,
    )
    return replace(made, says=_words(made, Called(names, titles)))


def _best(able: Moves, room: int, watch: Watch) -> tuple[Found, int]:
    """The best setting with no more contacts than there is room for, and how many no such setting can exceed."""
    lowest = found(able, np.zeros(len(able.own), dtype=bool))
    if room <= 0 or not len(able.own):
        return replace(lowest, fewest=lowest.flips), 0
    if len(able.own) <= _MOST_COUNTED:
        best = count_all(able, room)
        return best, best.contacts
    step = int(np.gcd.reduce(able.contacts))
    bound = min(room, int(able.contacts.sum())) // step * step
    watch.fixed, watch.bound = able.fixed, able.fixed + bound
    own = found(able, able.own)
    best = search(able, bound, own if own.contacts <= bound else lowest, watch.go_on)
    if best.contacts < bound:
        best, proven = _solved(able, best, bound, watch, fewest=False)
        bound = min(bound, proven) if best.contacts <= proven else bound  # what contradicts itself proves nothing
        watch.bound = able.fixed + bound
        if best.contacts == bound:
            best = search(able, bound, best, watch.go_on)
    if best.contacts == bound and best.flips > best.fewest:
        best, proven = _solved(able, best, bound, watch, fewest=True)
        if best.fewest < proven <= best.flips:
            best = replace(best, fewest=proven)
    return best, bound


def _solved(able: Moves, best: Found, bound: int, watch: Watch, *, fewest: bool) -> tuple[Found, int]:
    """What the solver finds in the time left, and what it proves."""
    left = watch.time_limit - watch.seconds
    if left <= 0 or len(able.move) > _MOST_SOLVED:
        return best, best.fewest if fewest else bound
    from .solver import solve

    return solve(able, best, bound, left, watch.go_on, fewest=fewest)


def _marketing(table: ExposureTable, on: np.ndarray) -> int:
    return int(table.counts(on)[MARKETING_CODE])


def _remains(table: ExposureTable, kept: Sequence[str]) -> pd.Series:
    """Why contacts are marketing in the lowest setting."""
    on = np.zeros_like(table.exposures.slots.own)
    on[0] = True
    for name in kept:
        of_switch = table.slots_of.get(name, slice(0))
        on[of_switch] = table.exposures.slots.own[of_switch]
    sole = table.reach(on).sole
    alone = {name: int(sole[at]) for at, name in enumerate(table.exposures.slots.switches) if sole[at]}
    reasons = {"always": table.always} | {name: alone[name] for name in kept if name in alone}
    several = _marketing(table, on) - sum(reasons.values())
    reasons |= {_SEVERAL: several} if several else {}
    return pd.Series(reasons, name="contacts", dtype="int64").rename_axis("reason")


# ---- what is asked, and what is said ----


def _is_number(value: Any) -> bool:
    is_number = isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)
    return is_number and math.isfinite(value)


class Called:
    """What switches are called in a sentence: the asset; where others are called so too, with the tool."""

    def __init__(self, names: Mapping[str, bool], titles: Mapping[str, str]) -> None:
        self._on, self._titles = names, titles
        self._short = {name: " ".join((split(name)[1] or "").split()) for name in names}
        self._times = Counter(self._short.values())

    def one(self, name: str) -> str:
        """One switch."""
        source, asset = split(name)
        short = self._short[name]
        if short and self._times[short] == 1:
            return short
        return self._titles[source] if asset is None else f"{self._titles[source]}: {short or '(no name)'}"

    def flipped(self, name: str, on: bool) -> str:
        """One that is flipped; it may be so at the end, and was not always."""
        return self.one(name) + (" (from the beginning)" if self._on[name] == on else "")

    def some(self, said: Sequence[str]) -> str:
        """The first few of some."""
        if len(said) > _NAMED + 1:
            said = [*said[:_NAMED], f"{len(said) - _NAMED:,} others"]
        return joined_by_and(said)


def joined_by_and(names: Sequence[str]) -> str:
    """Names as a person lists them: commas, and an *and* before the last."""
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def _words(plan: Plan, called: Called) -> str:
    limit = f"{plan.limit:,}"
    if plan.remains is not None:
        return _why_not(plan, plan.remains, called)
    ways = {
        way: [called.flipped(name, on) for name, on in plan.flips.items() if on == (way == "on")]
        for way in ("off", "on")
    }
    to_do = " and ".join(f"turn {way} {called.some(names)}" for way, names in ways.items() if names)
    change = plan.marketing - plan.baseline
    changed = f"{abs(change):,} {'more' if change > 0 else 'fewer'} than the baseline, " if change else ""
    below = f"{plan.limit - plan.marketing:,} below {limit}" if plan.marketing < plan.limit else "exactly the limit"
    stay = "" if ways["on"] else f" stay{'s' * (plan.marketing == 1)}"
    result = f"{_contacts(plan.marketing)}{stay}, {changed}{below}."
    text = f"{to_do.replace('turn', 'Turn', 1)}: {result}" if to_do else f"No switch needs to go off: {result}"
    if not plan.optimal:
        return f"{text} This is the best found in {plan.seconds:.1f} s; at most {plan.gap:,} more could be kept."
    if not plan.flips:
        return text
    proven = "none that" if plan.fewest else "perhaps one that"
    return f"{text} No other setting within {limit} keeps more; {proven} keeps as many has fewer flips."


def _why_not(plan: Plan, remains: pd.Series, called: Called) -> str:
    always = int(remains["always"])
    kept = [called.one(name) for name in remains.index[1:] if name != _SEVERAL] or [_SEVERAL]
    reasons = [f"{always:,} {'was' if always == 1 else 'were'} made marketing by hand or by tools without a switch"]
    if plan.marketing > always:
        reasons = reasons if always else []
        reasons.append(f"{plan.marketing - always:,} come through switches that are kept ({called.some(kept)})")
    return (
        f"{plan.limit:,} cannot be met: with every switch off that may go off, {_contacts(plan.marketing)} "
        f"remain{'s' * (plan.marketing == 1)}. {', '.join(reasons)}."
    )


def _contacts(count: int) -> str:
    return f"{count:,} marketing contact{'s' * (count != 1)}"
