"""An experiment: an account over two years, its marketing contacts, and the tier they are held against."""

from __future__ import annotations

import ipywidgets as widgets
import pandas as pd

from marketable.engine import decide
from marketable.rulebook import MARKETING, NON_MARKETING, Rulebook
from marketable.samples.touches import BEGINS, ENDS
from marketable.views import charts, pieces, words
from marketable.views.layout import row
from marketable.views.reacting import react

from ..batch import practice_touches, seeds
from ..classroom import Classroom
from .pieces import Panel, button, wide


class AccountPanel(Panel):
    """Arguments: classroom, for the account and the seed."""

    def __init__(self, classroom: Classroom) -> None:
        self._portal, self._seeds = classroom.portal, seeds(classroom.seed)
        self._names = pieces.tools(Rulebook.load().on(ENDS))
        ends = [(f"{end:%B %Y}", end) for end in pd.date_range(BEGINS, ENDS, freq="ME")[2:]]
        self.month = widgets.Dropdown(description="At the end of", options=ends, value=ends[-1][1], **wide())
        tier = {"step": 100, "description": "Tier: contacts paid for", "continuous_update": False}
        self.tier = widgets.BoundedIntText(1000, 1, 100_000, **tier, **wide())
        again = button("Another account over two years")
        super().__init__("account", "An account over two years", row(self.month, self.tier, again))
        self.on_use(self._show, self.month, self.tier)
        self.on_use(self._open, again)
        react(self._open, self.answer)

    def _open(self) -> None:
        self._touches = practice_touches(self._portal, next(self._seeds), 5_000, (BEGINS, ENDS))
        self._show()

    def _show(self) -> None:
        as_of, tier = self.month.value, self.tier.value
        outcome = decide(self._touches, self._portal, as_of=f"{as_of:%Y-%m-%d} 23:59:59")
        counts, by_source, by_day = outcome.counts(), outcome.counts("source"), outcome.by_day()
        marketing, every = int(counts[MARKETING]), int(counts.sum())
        text = f"{marketing:,} of {every:,} contacts are marketing contacts; {words.against_tier(marketing, tier)}."
        quiet = f"{counts[NON_MARKETING]:,} are non-marketing: they are in the CRM and do not count for the invoice."
        pictures = [charts.over_time(by_day, by_day, tier), charts.by_source(by_source, by_source, self._names)]
        headline = pieces.headline(text, [quiet, words.uncovered(counts)], over=marketing > tier)
        self.answer.value = headline + "".join(chart._repr_html_() for chart in pictures)
