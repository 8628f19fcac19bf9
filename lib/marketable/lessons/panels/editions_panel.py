"""An experiment: two editions of the article, what changed between them, and whose creation that leaves ambiguous."""

from __future__ import annotations

import ipywidgets as widgets
import pandas as pd

from marketable.rulebook import Rulebook
from marketable.views import pieces
from marketable.views.layout import row
from marketable.views.reacting import react
from marketable.views.tables import html_table
from marketable.views.words import day

from ..through_editions import disputed
from .pieces import Panel, wide

_WHY = (
    "The day is that of the page, not of the change in HubSpot: a rule that differs between two pages changed on some "
    "day in between. Whoever was created in between may have been created under either."
)


class EditionsPanel(Panel):
    """Two editions to choose, `older` and `newer`, and what became of the rules between them."""

    def __init__(self) -> None:
        self._rulebook = Rulebook.load()
        editions, newest = [(day(each), each) for each in self._rulebook.editions], self._rulebook.newest.date
        before = self._rulebook.editions[len(editions) // 2]
        self.older = widgets.Dropdown(description="The article of", options=editions, value=before, **wide())
        self.newer = widgets.Dropdown(description="and of", options=editions, value=newest, **wide())
        super().__init__("editions", "Compare the article of two days", row(self.older, self.newer))
        self.on_use(self._show, self.older, self.newer)
        react(self._show, self.answer)

    def _show(self) -> None:
        older, newer = sorted([self.older.value, self.newer.value])
        between = f"between {day(older)} and {day(newer)}"
        changes = self._rulebook.changes(older, newer)
        if changes.empty:
            same = "Choose two different days." if older == newer else f"Nothing that is held here changed {between}."
            self.answer.value = pieces.paragraph(same)
            return
        names = pieces.tools(self._rulebook.on(newer))
        changes["source"] = changes["source"].map(names)
        changes.columns = pd.Index(["tool", "what", f"article of {day(older)}", f"article of {day(newer)}"])
        answer = html_table(changes, f"What changed {between}.")
        days = disputed(older, newer)
        if days.empty:
            answer += pieces.paragraph("No creation in between is ambiguous.")
        else:
            days["source"], days["switch"] = days["source"].map(names), days["switch"].replace("", "none")
            days["begins"], days["ends"] = days["begins"].map(day), days["ends"].map(day)
            columns = ["created by", "its switch", "from", "to", "by the article before", "by the article after"]
            answer += html_table(days.set_axis(columns, axis=1), "Created on these days, a contact is ambiguous.")
        self.answer.value = answer + pieces.paragraph(_WHY, "mk-note")
