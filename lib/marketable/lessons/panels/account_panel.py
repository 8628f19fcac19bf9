"""An experiment: an account over two years, its marketing contacts, and the tier they are held against."""

from __future__ import annotations

import ipywidgets as widgets
import pandas as pd

from marketable.engine import decide
from marketable.rulebook import MARKETING, NON_MARKETING, NOT_COVERED, Rulebook
from marketable.samples.touches import BEGINS, ENDS
from marketable.views import charts, pieces, words
from marketable.views.reacting import react

from ..batch import practice_touches, seeds
from ..classroom import Classroom
from .pieces import panel, wide


class AccountPanel(widgets.VBox):  # type: ignore[misc]
    """Arguments: classroom, for the account and the seed."""

    def __init__(self, classroom: Classroom) -> None:
        super().__init__()
        self._portal, self._seeds = classroom.portal, seeds(classroom.seed)
        rules = Rulebook.load().on(ENDS)
        self._names = {source: rule.name for source, rule in rules.items()} | {NOT_COVERED: "A tool not covered"}
        ends = pd.date_range(BEGINS, ENDS, freq="ME")[2:]
        self.month = widgets.Dropdown(
            description="At the end of", options=[(f"{end:%B %Y}", end) for end in ends], value=ends[-1], **wide()
        )
        self.tier = widgets.BoundedIntText(
            1000,
            1,
            100_000,
            step=100,
            description="Tier: contacts paid for",
            continuous_update=False,
            **wide(),
        )
        self.again = widgets.Button(description="Another account", layout=widgets.Layout(width="160px"))
        self._shown = widgets.HTML()
        for widget in (self.month, self.tier):
            widget.observe(lambda _change: react(self._show, self._shown), "value")
        self.again.on_click(lambda _button: react(self._open, self._shown))
        asked = widgets.HBox([self.month, self.tier, self.again], layout=widgets.Layout(flex_flow="row wrap"))
        title = widgets.HTML('<h3 class="mk-title">An account over two years</h3>')
        panel(self, "account", [title, asked, self._shown])
        react(self._open, self._shown)

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
        more = [quiet, words.uncovered(counts)]
        pictures = [charts.over_time(by_day, by_day, tier), charts.by_source(by_source, by_source, self._names)]
        told = pieces.headline(text, more, over=marketing > tier)
        self._shown.value = told + "".join(chart._repr_html_() for chart in pictures)
