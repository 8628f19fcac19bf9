"""An experiment: say what happens to a contact, and see what it becomes, and why."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import ipywidgets as widgets

from marketable.rulebook import ACTIONS, SOURCES, Rulebook
from marketable.views import pieces
from marketable.views.reacting import react

from ..story import Story, StoryTouch, has_switch
from .pieces import panel, wide

ROWS = 4
_NOTHING = ""
_CONTACT = "This contact"
_MONTHLY = {"commitment": "monthly", "renewal": dt.date(2024, 1, 15)}
_COMMITMENTS = [("yearly", {"commitment": "yearly"}), ("monthly, renewed on the 15th", _MONTHLY)]


class StoryPanel(widgets.VBox):  # type: ignore[misc]
    """Arguments: steps, what happens at first, up to four; tools, the sources and actions that can be chosen (None:
    all); commitment, whether the subscription's can be; editions, whether the edition can be pinned.

    `rows` are the widgets of each step: day, tool, switch.
    """

    def __init__(
        self,
        steps: Sequence[StoryTouch],
        *,
        tools: Sequence[str] | None = None,
        commitment: bool = False,
        editions: bool = False,
    ) -> None:
        super().__init__()
        self._rulebook = Rulebook.load()
        self._names = self._rulebook.newest
        self._tools = list(tools or (*SOURCES, *ACTIONS))
        last = steps[-1].day
        given = [(step.day, step.tool, self._default_on(step) if step.on is None else step.on) for step in steps]
        blank = [(last + dt.timedelta(7 * (number + 1)), _NOTHING, True) for number in range(ROWS - len(given))]
        self.rows = [self._row(number, *row) for number, row in enumerate([*given, *blank], start=1)]
        self.as_of = widgets.DatePicker(description="What is it at the end of", value=last + dt.timedelta(45), **wide())
        self.commitment = widgets.Dropdown(
            description="Commitment",
            options=_COMMITMENTS,
            **wide(),
        )
        dates = [(str(edition), edition) for edition in self._rulebook.editions]
        self.edition = widgets.Dropdown(
            description="Rules as of", options=[("each day's own edition", None), *dates], **wide()
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
        options = [("nothing", _NOTHING), *((pieces.called(each, self._names), each) for each in self._tools)]
        comes = widgets.Dropdown(description=f"{number} · comes", options=options, value=tool, **wide())
        switch = widgets.Checkbox(description=f"{number} · its switch is on", value=on, indent=False, **wide())
        comes.observe(lambda change: self._as_delivered(change["new"], switch), "value")
        return widgets.DatePicker(description=f"{number} · on", value=day, **wide()), comes, switch

    def _as_delivered(self, tool: str, switch: widgets.Checkbox) -> None:
        """Another tool comes with its own default."""
        if tool in self._names:
            switch.value = self._names[tool].default_on

    def _show(self) -> None:
        for _, tool, switch in self.rows:
            switch.layout.visibility = "visible" if tool.value and has_switch(tool.value) else "hidden"
        as_of = self.as_of.value
        touches = [self._touch(*(widget.value for widget in row)) for row in self.rows if row[0].value and row[1].value]
        touches = [touch for touch in touches if as_of and touch.day <= as_of]
        if not touches:
            self._answer.value = pieces.alert("Choose at least one thing that happens, and a day after it.")
            return
        story = Story(touches=tuple(touches), as_of=as_of, **self.commitment.value)
        outcome, edition = story.outcome(self.edition.value), self.edition.value or as_of
        (contact_id,) = outcome.contacts.index
        contact, touched = outcome.contacts.loc[contact_id], outcome.why(contact_id)
        self._answer.value = pieces.explanation(contact, touched, self._rulebook.on(edition), "")

    def _touch(self, day: dt.date, tool: str, on: bool) -> StoryTouch:
        named = self._names[tool].asset if tool in self._names else ""
        asset = f"Our {named}" if named else ""
        return StoryTouch(day=day, tool=tool, asset=asset, on=on if has_switch(tool) else None, contact=_CONTACT)

    def _default_on(self, step: StoryTouch) -> bool:
        return step.tool in self._names and self._rulebook.on(step.day)[step.tool].default_on
