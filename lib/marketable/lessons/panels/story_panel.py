"""An experiment: say what happens to a contact, and see what it becomes, and why."""

from __future__ import annotations

import datetime as dt

import ipywidgets as widgets
import pandas as pd

from marketable.rulebook import ACTIONS, SOURCES, Rulebook
from marketable.views import pieces, words
from marketable.views.layout import row
from marketable.views.reacting import react

from ..lessons import Experiment
from ..story import Story, StoryTouch, delivered_on, has_switch, steps
from .pieces import Panel, source, wide

ROWS = 4
_NOTHING = ""
_MONTHLY = {"commitment": "monthly", "renewal": dt.date(2024, 1, 15)}
_COMMITMENTS = [("yearly", {"commitment": "yearly"}), ("monthly, renewed on the 15th", _MONTHLY)]


class StoryPanel(Panel):
    """Arguments: settings, what happens at first, up to four steps, and what can be chosen.

    `rows` are the widgets of each step: day, tool, switch.
    """

    def __init__(self, settings: Experiment) -> None:
        self._rulebook, steps = Rulebook.load(), settings.steps
        self._names, self._tools = self._rulebook.newest, settings.tools or (*SOURCES, *ACTIONS)
        last = steps[-1].day
        editions = [("the day of each event", None), *((words.day(date), date) for date in self._rulebook.editions)]
        self.edition = widgets.Dropdown(description="Rules as of", options=editions, **wide())
        self.commitment = widgets.Dropdown(description="Commitment", options=_COMMITMENTS, **wide())
        self.as_of = widgets.DatePicker(description="What is it at the end of", value=last + dt.timedelta(45), **wide())
        given = [(step.day, step.tool, step.on) for step in steps]
        blank = [(last + dt.timedelta(7 * (number + 1)), _NOTHING, True) for number in range(ROWS - len(steps))]
        self.rows = [self._row(number, *each) for number, each in enumerate([*given, *blank], start=1)]
        asked = [self.as_of]
        asked += [self.commitment] if settings.commitment else []
        asked += [self.edition] if settings.editions else []
        super().__init__("story", "What happens to a contact", *(row(*each) for each in self.rows), row(*asked))
        self.on_use(self._show, *asked, *(widget for each in self.rows for widget in each))
        react(self._show, self.answer)

    def _row(self, number: int, day: dt.date, tool: str, on: bool | None) -> tuple[widgets.Widget, ...]:
        options = [("nothing", _NOTHING), *((pieces.called(each, self._names), each) for each in self._tools)]
        when = widgets.DatePicker(description=f"{number} · on", value=day, **wide())
        comes = widgets.Dropdown(description=f"{number} · comes", options=options, value=tool, **wide())
        switch = widgets.Checkbox(description=f"{number} · its switch is on", indent=False, **wide())

        def as_delivered(_change: object = None) -> None:
            """Another tool comes with its own default, by the edition that holds on that day."""
            if has_switch(comes.value) and when.value:
                switch.value = delivered_on(comes.value, self.edition.value or when.value)

        as_delivered()
        switch.value = switch.value if on is None else on
        comes.observe(as_delivered, "value")
        return when, comes, switch

    def _show(self) -> None:
        for _, tool, switch in self.rows:
            switch.layout.visibility = "visible" if has_switch(tool.value) else "hidden"
        as_of = self.as_of.value
        touches = [self._touch(*(widget.value for widget in each)) for each in self.rows]
        happened = tuple(touch for touch in touches if touch)
        if not happened or as_of is None:
            self.answer.value = pieces.alert("Choose at least one thing that happens, and a day to ask about.")
            return
        late = next((number for number, touch in enumerate(touches, 1) if touch and touch.day > as_of), None)
        if late:
            asked = f"comes after {words.day(as_of)}, the day that is asked about: choose a later one there."
            self.answer.value = pieces.alert(f"Row {late} {asked}")
            return
        outcome = Story(touches=happened, as_of=as_of, **self.commitment.value).outcome(self.edition.value)
        (contact_id,) = outcome.contacts.index
        contact, touched = outcome.contacts.loc[contact_id], outcome.why(contact_id)
        status = "without a status" if pd.isna(contact["status"]) else contact["status"]
        since = "" if pd.isna(contact["since"]) else f" since {words.day(contact['since'].date())}"
        waits = ", and waits for the update date" if contact["waiting"] else ""
        said = pieces.paragraph(f"This contact is {status}{since}{waits}.", "mk-answer")
        behind = source(pieces.touched(touched, self._rulebook.on(self.edition.value or as_of), open_sources=True))
        self.answer.value = said + pieces.bullets(steps(touched, contact)) + behind

    def _touch(self, day: dt.date | None, tool: str, on: bool) -> StoryTouch | None:
        if day is None or not tool:
            return None
        asset = f"Our {self._names[tool].asset}" if tool in self._names and self._names[tool].asset else ""
        return StoryTouch(day=day, tool=tool, asset=asset, on=on if has_switch(tool) else None, contact="This contact")
