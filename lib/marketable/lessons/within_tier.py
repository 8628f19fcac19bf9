"""Staying within a tier: switches chosen by hand, judged against the exact plan."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from marketable.errors import DataError
from marketable.portal.portal import Portal
from marketable.rulebook import MARKETING
from marketable.samples.touches import BEGINS, ENDS
from marketable.what_if import Plan, WhatIf

from .batch import practice_touches

NEARLY = 0.95  # of what the plan keeps is as good as it by hand
_TOUCHES = 3_000


@dataclass(frozen=True)
class Verdict:
    """A choice judged: how many contacts it leaves marketing, whether that is within the tier, and the exact plan."""

    marketing: int
    within: bool
    plan: Plan

    @property
    def good(self) -> bool:
        """Whether it is within the tier and keeps nearly as many marketing contacts as the plan does."""
        return self.within and self.marketing >= NEARLY * self.plan.marketing


class Task:
    """An account over its tier. Arguments: portal, the account; seed, for the batch and the tier.

    `switches` are those that are on and reach somebody, a row each as in `WhatIf.switches`; `tier`, how many marketing
    contacts there may be; `baseline`, how many there are.
    Raises: DataError where no switch of the account makes anybody a marketing contact.

    >>> task = Task(Portal(), seed=1)
    >>> task.judged({}).within, task.judged({switch: False for switch in task.switches.index}).within
    (False, True)
    """

    def __init__(self, portal: Portal, seed: int | str) -> None:
        chance = random.Random(f"within/{seed}")
        self.touches = practice_touches(portal, seed, _TOUCHES, (BEGINS, ENDS))
        self.what_if = WhatIf(self.touches, portal)
        self.switches: pd.DataFrame = self.what_if.switches.query("on and exposed > 0")
        self.baseline = self.marketing({})
        lowest = self.marketing(dict.fromkeys(map(str, self.switches.index), False))
        if lowest == self.baseline:
            raise DataError(
                "Nobody here is a marketing contact because of a switch",
                advice="The portal needs switches that are on.",
            )
        self.tier = lowest + (self.baseline - lowest) * (40 + chance.randrange(45)) // 100

    def marketing(self, flips: Mapping[str, bool]) -> int:
        """How many contacts are marketing after some flips."""
        return int(self.what_if.counts(flips)[MARKETING])

    def judged(self, flips: Mapping[str, bool]) -> Verdict:
        """What a choice is worth. Raises: UnknownNameError for a switch that the account does not have."""
        marketing = self.marketing(flips)
        return Verdict(marketing, marketing <= self.tier, self.what_if.plan(self.tier, progress=False))
