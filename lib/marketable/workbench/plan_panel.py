"""The panel that answers “what do I turn off to stay within the tier?”: asks for the plan, shows it, has it applied and
undone. It reports what is to be set and knows no rule.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import ipywidgets as widgets
import pandas as pd

from marketable.rulebook import Rule
from marketable.views import pieces
from marketable.views.tables import html_table
from marketable.what_if import Plan, WhatIf

_OPEN = 20  # rows; longer tables are folded
React = Callable[[Callable[[], None], widgets.HTML], None]


class PlanPanel(widgets.VBox):  # type: ignore[misc]
    """Arguments: react, which runs a callback and shows its errors in a widget; apply, called with the plan's flips;
    undo, called without.
    """

    def __init__(self, react: React, apply: Callable[[Mapping[str, bool]], None], undo: Callable[[], None]) -> None:
        self._apply_flips, self._undo_flips = apply, undo
        self.limit = widgets.BoundedIntText(
            2000, 0, 100_000_000, description="At most", layout=widgets.Layout(width="190px")
        )
        self.keep = widgets.SelectMultiple(
            description="Leave alone",
            tooltip="Ctrl+click for several",
            rows=6,
            layout=widgets.Layout(width="98%", max_width="460px"),
        )
        self.turn_on = widgets.Checkbox(
            description="Switches may be turned on too", indent=False, layout=widgets.Layout(width="auto")
        )
        self.find, self.apply, self.undo = (
            widgets.Button(description=name, tooltip=tip, disabled=disabled, layout=widgets.Layout(width="31%"))
            for name, tip, disabled in (
                ("Find the plan", "The setting within the limit that keeps the most marketing contacts", False),
                ("Apply it", "Set the switches as the plan says", True),
                ("Undo", "Set the switches as they were before", True),
            )
        )
        self.answer = widgets.HTML()
        self.answer.add_class("mk-at-plan")
        for button, callback in ((self.find, self._find), (self.apply, self._apply), (self.undo, self._undo)):
            button.on_click(lambda _button, callback=callback: react(callback, self.answer))
        for asked in (self.limit, self.keep, self.turn_on):
            asked.observe(lambda _change: self._forget(), "value")
        self._plan: Plan | None = None
        self._tier: int | None = None
        buttons = widgets.HBox([self.find, self.apply, self.undo])
        note = widgets.HTML(pieces.PLANNING)
        super().__init__([note, self.limit, self.keep, self.turn_on, buttons, self.answer])

    def show(self, what_if: WhatIf, tier: int | None, rules: Mapping[str, Rule]) -> None:
        """Plans for another batch or account from now on."""
        self._what_if, self._rules = what_if, rules
        reached = what_if.switches["exposed"].loc[lambda exposed: exposed > 0].sort_values(ascending=False)
        kept = set(self.keep.value) & set(reached.index)
        self.keep.options = [(pieces.called(str(name), rules), name) for name in reached.index]
        self.keep.value = tuple(kept)
        self.hold(tier)
        self._forget()

    def hold(self, tier: int | None) -> None:
        """A tier that has changed is the limit."""
        if tier and tier != self._tier:
            self.limit.value = tier
        self._tier = tier

    def follow(self, flips: Mapping[str, bool]) -> None:
        """What can be done with the plan while the switches are flipped so: one that is applied cannot be applied, and
        what was changed after it is not undone.
        """
        applied = self._plan is not None and dict(self._plan.flips) == dict(flips)
        self.apply.disabled = self._plan is None or not self._plan.flips or applied
        self.undo.disabled = not (applied and self._applied)

    def _forget(self) -> None:
        """A plan that answered another question is no answer."""
        self._plan, self._applied, self.answer.value = None, False, ""
        self.apply.disabled = self.undo.disabled = True

    def _find(self) -> None:
        self._forget()
        self.answer.value = pieces.paragraph("Planning …")
        self._plan = plan = self._what_if.plan(
            self.limit.value, self.keep.value, turn_on=self.turn_on.value, progress=self._tell
        )
        self.answer.value = pieces.paragraph(str(plan), "mk-answer") + _flips(plan, self._what_if, self._rules)
        self.apply.disabled = not plan.flips

    def _tell(self, seconds: float, best: int, bound: int) -> None:
        text = f"Planning … {seconds:.0f} s of at most 10: {best:,} kept so far, {bound:,} at the very most."
        self.answer.value = pieces.paragraph(text)

    def _apply(self) -> None:
        assert self._plan is not None
        self._applied = True
        self._apply_flips(self._plan.flips)

    def _undo(self) -> None:
        self._undo_flips()


def _flips(plan: Plan, what_if: WhatIf, rules: Mapping[str, Rule]) -> str:
    if not plan.flips:
        return ""
    rows = what_if.switches.loc[list(plan.flips), ["exposed", "sole"]]
    table = pd.DataFrame(
        {
            "switch": [pieces.called(name, rules) for name in plan.flips],
            "turn": ["on" if on else "off" for on in plan.flips.values()],
            "reaches": rows["exposed"].to_numpy(),
            "only through it": rows["sole"].to_numpy(),
        }
    )
    caption = "What to switch." if plan.within else "The nearest there is."
    shown = html_table(table, caption, most=1000)
    if len(table) <= _OPEN:
        return shown
    return f"<details><summary>{len(table):,} switches to flip</summary>{shown}</details>"
