"""Finding a switch: the marketing contacts have jumped over the tier, for one switch is not as the account's notes say.

The batch is decided with that switch turned on; what is shown are its statuses and the notes. A puzzle is only made
where exactly one of its switches, turned on, gives these statuses.
"""

from __future__ import annotations

import datetime as dt
import functools
import random
from dataclasses import dataclass, replace

import pandas as pd

from marketable.engine import Outcome, decide
from marketable.errors import DataError
from marketable.portal.portal import Flip, Portal, split
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
        counts = self.what_if.counts(self._turned_on(switch)) - self.what_if.counts()
        return int(counts[MARKETING])

    def explains(self, switch: str) -> bool:
        """Whether the counts by asset and by month are those that turning on this switch gives: true of the answer
        alone.
        """
        turned, really = self._turned_on(switch), self._turned_on(self.answer)
        return all(self.what_if.by(by, turned).equals(self.what_if.by(by, really)) for by in ("asset", "month"))

    def created(self, split_at: dt.date) -> pd.DataFrame:
        """The contacts that each suspect created before a day and since, and how many of them are marketing now.

        Returns: notes (what the account's notes say of the switch), before, marketing_before, since, marketing_since;
        by switch.
        """
        contacts, rows = self.outcome.contacts, []
        for switch in self.choices:
            source, asset = split(switch)
            own = contacts[contacts["created_by"].eq(source) & (contacts["asset"].eq(asset or "") | (asset is None))]
            since, marketing = own["created_at"] >= pd.Timestamp(split_at), own["status"] == MARKETING
            counts = (each.sum() for each in (~since, ~since & marketing, since, since & marketing))
            rows.append((portal_says(self.portal, switch), *counts))
        columns = ["notes", "before", "marketing_before", "since", "marketing_since"]
        return pd.DataFrame(rows, list(self.choices), columns)

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
    since = _TURNED[0] + dt.timedelta(chance.randrange(_TURNED[1]))
    off = [str(switch) for switch in what_if.switches.index[~what_if.switches["on"]]]
    baseline = int(what_if.counts()[MARKETING])
    empty = Puzzle(touches, portal, 0, (), "", since, what_if)
    added = {switch: more for switch in off if (more := empty.added(switch)) > 0}
    jumps = [switch for switch, more in added.items() if more >= max(_FEWEST, _SHARE * baseline)]
    chance.shuffle(jumps)
    for answer in jumps:
        others = [switch for switch in added if switch != answer]
        chance.shuffle(others)
        choices = tuple(sorted([answer, *others[: MOST_CHOICES - 1]], key=off.index))
        puzzle = replace(empty, choices=choices, answer=answer)
        if [switch for switch in choices if puzzle.explains(switch)] != [answer]:
            continue
        by_day, eighths = puzzle.outcome.by_day(), list(range(2, 7))
        chance.shuffle(eighths)
        tiers = [baseline + added[answer] * part // 8 for part in eighths]
        # An account that was over its tier before has been paying for the next step since then.
        crossed = {tier: (by_day > tier).astype(int).diff().eq(1).sum() + (by_day.iloc[0] > tier) for tier in tiers}
        return replace(puzzle, tier=next((tier for tier in tiers if crossed[tier] == 1), tiers[0]))
    raise DataError(
        "No switch of this account would make the marketing contacts jump",
        advice="The portal needs switches that are off: of forms, chatflows, imports or apps.",
    )
