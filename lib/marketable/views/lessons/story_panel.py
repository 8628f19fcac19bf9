"""An experiment: say what happens to a contact, and see what it becomes, and why."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import ipywidgets as widgets

from ...inputs.portal import Subscription
from ...practice.story import CONTACT, Step, told
from ...rulebook import ACTIONS, SOURCES, Rulebook
from .. import pieces
from ..reacting import react
from .pieces import panel, wide

ROWS = 4
_NOTHING, _BY_DAY = "", ""
_YEARLY = Subscription()
_MONTHLY = Subscription(commitment="monthly", renewal=dt.date(2024, 1, 15))
_COMMITMENTS = [("yearly", _YEARLY), ("monthly, renewed on the 15th", _MONTHLY)]


class StoryPanel(widgets.VBox):  # type: ignore[misc]
    """Arguments: steps, what happens at first: up to four mappings of day ("2026-03-01"), tool and on; tools, the
    sources and actions that can be chosen (None: all); commitment, whether the subscription's can be; editions, whether
    the edition can be pinned. `rows` are the widgets of each step: day, tool, switch.
    """

    def __init__(
        self,
        steps: Sequence[Mapping[str, Any]],
        *,
        tools: Sequence[str] | None = None,
        commitment: bool = False,
        editions: bool = False,
    ) -> None:
        super().__init__()
        self._rulebook = Rulebook.load()
        self._tools = list(tools or (*SOURCES, *ACTIONS))
        given = [(dt.date.fromisoformat(str(step["day"])), step["tool"], step.get("on", True)) for step in steps]
        last = given[-1][0]
        blank = [(last + dt.timedelta(7 * (number + 1)), _NOTHING, True) for number in range(ROWS - len(given))]
        self.rows = [self._row(number, *row) for number, row in enumerate([*given, *blank], start=1)]
        self.as_of = widgets.DatePicker(description="What is it at the end of", value=last + dt.timedelta(45), **wide())
        self.commitment = widgets.Dropdown(
            description="Commitment",
            options=_COMMITMENTS,
            **wide(),
        )
        dates = [(str(edition), str(edition)) for edition in self._rulebook.editions]
        self.edition = widgets.Dropdown(
            description="Rules as of", options=[("each day's own edition", _BY_DAY), *dates], **wide()
        )
        self._answer = widgets.HTML()
        asked = [self.as_of, *([self.commitment] if commitment else []), *([self.edition] if editions else [])]
        for widget in (*asked, *(each for row in self.rows for each in row)):
            widget.observe(lambda _change: react(self._show, self._answer), "value")
        boxes = [widgets.HBox(row, layout=widgets.Layout(flex_flow="row wrap")) for row in self.rows]
        asking = widgets.HBox(asked, layout=widgets.Layout(flex_flow="row wrap"))
        title = widgets.HTML('<h3 class="mk-title">What happens to a contact</h3>')
        panel(self, "story", [title, *boxes, asking, self._answer])
        react(self._show, self._answer)

    def _row(self, number: int, day: dt.date, tool: str, on: bool) -> tuple[widgets.Widget, ...]:
        names = self._rulebook.on(self._rulebook.editions[-1])
        options = [("nothing", _NOTHING), *((pieces.called(each, names), each) for each in self._tools)]
        return (
            widgets.DatePicker(description=f"{number} · on", value=day, **wide()),
            widgets.Dropdown(description=f"{number} · comes", options=options, value=tool, **wide()),
            widgets.Checkbox(description=f"{number} · its switch is on", value=on, indent=False, **wide()),
        )

    def _show(self) -> None:
        for _, tool, switch in self.rows:
            scoped = tool.value and tool.value not in ACTIONS and self._rulebook.scope(tool.value)
            switch.layout.visibility = "visible" if scoped else "hidden"
        steps = [Step(day.value, tool.value, on.value) for day, tool, on in self.rows if tool.value and day.value]
        steps = [step for step in steps if self.as_of.value and step.day <= self.as_of.value]
        if not steps:
            self._answer.value = pieces.alert("Choose at least one thing that happens, and a day after it.")
            return
        outcome = told(steps, self.as_of.value, subscription=self.commitment.value, edition=self.edition.value or None)
        rules = self._rulebook.on(self.edition.value or self.as_of.value)
        self._answer.value = pieces.explanation(outcome.contacts.iloc[0], outcome.why(CONTACT), rules, "")
