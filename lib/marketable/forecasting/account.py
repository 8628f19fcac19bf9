"""An account of which an outlook is drawn: what actions do not change, and the flows that are computed once for each
setting of the switches.
"""

from __future__ import annotations

import datetime as dt
import functools
from dataclasses import dataclass

import numpy as np
import pandas as pd

from marketable.portal.portal import Portal
from marketable.portal.prices import Prices
from marketable.portal.term import term_start

from .bill import Bill, bill
from .drawing import Line, draw
from .effects import Effects, effects, planned_turns
from .flow import FEWEST_WEEKS, Flow, weekly
from .past import Past, States


@dataclass(frozen=True, eq=False)
class Account:
    """What an outlook is drawn from, which actions do not change: the past, the portal, the prices, and the end."""

    past: Past
    portal: Portal
    prices: Prices | None
    until: dt.date
    renewal: dt.date | None

    @property
    def days(self) -> int:
        """How many days lie ahead: those after today and before the end."""
        return (self.until - self.past.today).days - 1

    @property
    def enough(self) -> bool:
        """Whether there is history enough to draw a line."""
        return self.flow(self.past.states).enough

    @property
    def weeks(self) -> int:
        """The whole weeks of history."""
        return (len(self.past.marketing) - self._before_access) // 7

    @property
    def ahead(self) -> pd.DatetimeIndex:
        return pd.date_range(self.past.today + dt.timedelta(days=1), periods=self.days, name="day", unit="us")

    def flow(self, states: States) -> Flow:
        """The flow with the switches so."""
        return self._flow(tuple(sorted(states.items())))

    def line(self, planned: Effects) -> Line:
        """The line with some effects."""
        turns = sorted([*planned_turns(self.portal, self.past), *planned.turns], key=lambda turn: turn[0])
        return draw(self.past, planned, turns, self.portal.subscription, self.days, self.flow, self._leaves)

    def bill(self, line: Line) -> tuple[pd.DatetimeIndex, np.ndarray, Bill]:
        """The days of the term, the count on each, and what is billed."""
        start = pd.Timestamp(term_start(self.portal.subscription, self.past.today))
        days = pd.date_range(self.past.first, periods=len(self.past.marketing) + self.days, unit="us")
        marketing = np.concatenate([self.past.marketing, line.median])
        inside = days >= start
        days, marketing = days[inside], marketing[inside]
        return days, marketing, bill(days, marketing, self.portal.subscription, self.prices)

    @functools.cached_property
    def baseline(self) -> Line:
        """The line with no actions."""
        return self.line(effects((), self.past, self.portal, self.until))

    @functools.cached_property
    def _flow(self) -> functools._lru_cache_wrapper[Flow]:
        @functools.lru_cache(maxsize=64)
        def of(states: tuple[tuple[str, bool], ...]) -> Flow:
            joined = self.past.joined(dict(states))[self._before_access :]
            return Flow(weekly(joined), self._weeks_ahead)

        return of

    @functools.cached_property
    def _leaves(self) -> Flow | None:
        left = self.past.left[self._before_access :]
        return Flow(weekly(left), self._weeks_ahead) if left.any() and len(left) >= 7 * FEWEST_WEEKS else None

    @property
    def _weeks_ahead(self) -> int:
        return -(-max(self.days, 1) // 7)

    @property
    def _before_access(self) -> int:
        access = self.portal.access_since
        return 0 if access is None else max((access - self.past.first).days, 0)
