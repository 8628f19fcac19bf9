"""Finding a switch: the marketing contacts have jumped over the tier, for one switch is not as the account's notes say.

The batch is decided with that switch turned on; what is shown are its statuses and the notes. A puzzle is only made
where exactly one of its switches, turned on, gives these statuses.
"""

from __future__ import annotations

import datetime as dt
import functools
import random
from collections.abc import Mapping
from dataclasses import dataclass, replace

import pandas as pd

from marketable.engine import Outcome, decide
from marketable.errors import DataError
from marketable.portal.portal import Flip, Portal
from marketable.rulebook import MARKETING
from marketable.samples.touches import BEGINS, ENDS
from marketable.what_if import WhatIf

from .batch import practice_touches
from .predict import portal_says

MOST_CHOICES = 8
_TURNED = dt.date(2025, 6, 1), 330  # the first day on which a switch may have been turned on, and how many days follow
_TOUCHES = 6_000
_SHARE = 0.02  # of the marketing contacts, at least, that a jump adds
_FEWEST = 12


@dataclass(frozen=True)
class Puzzle:
    """A jump and its suspects: `touches`; `portal`, what the account's notes say; `tier`; `choices`, names of switches
    of which one was turned on, unnoted; `answer`, that one; `since`, the day on which it was.
    """

    touches: pd.DataFrame
    portal: Portal
    tier: int
    choices: tuple[str, ...]
    answer: str
    since: dt.date
    what_if: WhatIf

    @functools.cached_property
    def outcome(self) -> Outcome:
        """What HubSpot shows: the batch decided with the switch as it really was."""
        return decide(self.touches, self.portal.with_switches(self._turned_on(self.answer)))

    def added(self, switch: str) -> int:
        """How many more contacts would be marketing, had this switch been turned on that day, than by the notes."""
        return _added(self.what_if, self._turned_on(switch))

    def explains(self, switch: str) -> bool:
        """Whether the statuses are those that turning on this switch gives: true of the answer alone."""
        return _seen(self.what_if, self._turned_on(switch)) == _seen(self.what_if, self._turned_on(self.answer))

    def created(self, split_at: dt.date) -> pd.DataFrame:
        """The contacts that each suspect created before a day and since, and how many of them are marketing now.

        Returns: one row a suspect: source, asset, notes (what the account's notes say of its switch), before,
        marketing_before, since, marketing_since.
        """
        contacts = self.outcome.contacts
        edge = pd.Timestamp(split_at)
        rows = []
        for switch in self.choices:
            source, _, asset = switch.partition("/")
            own = contacts[(contacts["created_by"] == source) & ((contacts["asset"] == asset) | ("/" not in switch))]
            row: list[object] = [source, asset, portal_says(self.portal, switch)]
            for part in (own[own["created_at"] < edge], own[own["created_at"] >= edge]):
                row += [len(part), int((part["status"] == MARKETING).sum())]
            rows.append(row)
        columns = ["source", "asset", "notes", "before", "marketing_before", "since", "marketing_since"]
        return pd.DataFrame(rows, columns=columns)

    def _turned_on(self, switch: str) -> dict[str, Flip]:
        return {switch: (self.since, True)}


def find_switch(portal: Portal, seed: int | str) -> Puzzle:
    """A puzzle about an account: the same for the same seed.

    Raises: DataError where no switch of the account, turned on, would change enough.

    >>> puzzle = find_switch(Portal(), seed=1)
    >>> [switch for switch in puzzle.choices if puzzle.explains(switch)] == [puzzle.answer]
    True
    """
    chance = random.Random(f"find/{seed}")
    touches = practice_touches(portal, seed, _TOUCHES, (BEGINS, ENDS))
    what_if = WhatIf(touches, portal)
    first, days = _TURNED
    since = first + dt.timedelta(chance.randrange(days))
    off = [str(switch) for switch in what_if.switches.index[~what_if.switches["on"]]]
    baseline = int(what_if.counts()[MARKETING])
    added = {switch: _added(what_if, {switch: (since, True)}) for switch in off}
    suspects = [switch for switch in off if added[switch] > 0]
    jumps = [switch for switch in suspects if added[switch] >= max(_FEWEST, _SHARE * baseline)]
    chance.shuffle(jumps)
    for answer in jumps:
        others = [switch for switch in suspects if switch != answer]
        chance.shuffle(others)
        choices = tuple(sorted([answer, *others[: MOST_CHOICES - 1]], key=off.index))
        puzzle = Puzzle(touches, portal, 0, choices, answer, since, what_if)
        if [switch for switch in choices if puzzle.explains(switch)] != [answer]:
            continue
        by_day, eighths = puzzle.outcome.by_day(), list(range(2, 7))
        chance.shuffle(eighths)
        tiers = [baseline + added[answer] * part // 8 for part in eighths]
        # An account that was over its tier before has been paying for the next step since then.
        once = [tier for tier in tiers if _crossings(by_day, tier) == 1]
        return replace(puzzle, tier=(once or tiers)[0])
    raise DataError(
        "No switch of this account would make the marketing contacts jump",
        advice="The portal needs switches that are off: of forms, chatflows, imports or apps.",
    )


def _added(what_if: WhatIf, flips: Mapping[str, Flip]) -> int:
    return int(what_if.counts(flips)[MARKETING]) - int(what_if.counts()[MARKETING])


def _crossings(by_day: pd.Series, tier: int) -> int:
    """How often the count went over the tier."""
    over = by_day > tier
    return int((over & ~over.shift(fill_value=False)).sum())


def _seen(what_if: WhatIf, flips: Mapping[str, Flip]) -> tuple[str, str]:
    """The counts by asset and by month, as text: what can be seen of a batch."""
    return what_if.by("asset", flips).to_csv(), what_if.by("month", flips).to_csv()
