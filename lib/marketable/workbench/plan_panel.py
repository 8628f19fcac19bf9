"""The panel that answers “what do I turn off to stay within the tier?”: asks for the plan, shows it, has it applied and
undone. It reports what is to be set and knows no rule.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import ipywidgets as widgets

from marketable.rulebook import Rule
from marketable.views import fields, pieces
from marketable.views.tables import html_table
from marketable.what_if import Plan, WhatIf

_OPEN = 20  # rows; longer tables are folded
_PLANNING = (
    "The setting that keeps the most marketing contacts within the limit, by the fewest flips, reckoned from the "
    "portal's own switches, as if they had been so from the beginning. Applied, it takes the place of your own flips."
)
React = Callable[[Callable[[], None], widgets.HTML], None]


class PlanPanel(widgets.VBox):  # type: ignore[misc]
    """Arguments: react, which runs a callback and shows its errors in a widget; apply, called with the plan's flips;
    undo, called without.
    """

    def __init__(self, react: React, apply: Callable[[Mapping[str, bool]], None], undo: Callable[[], None]) -> None:
        self._apply_flips = apply
        self.limit = fields.number("At most", 2000, 0, 100_000_000)
        layout = widgets.Layout(width="98%", max_width="460px")
        self.keep = widgets.SelectMultiple(
            description="Leave alone", tooltip="Ctrl+click for several", rows=6, layout=layout
        )
        self.turn_on = fields.box("Switches may be turned on too")
        tip = "The setting within the limit that keeps the most marketing contacts"
        self.find = fields.button("Find the plan", tip, "31%")
        self.apply = fields.button("Apply it", "Set the switches as the plan says", "31%", disabled=True)
        self.undo = fields.button("Undo", "Set the switches as they were before", "31%", disabled=True)
        self.answer = fields.places("plan")["plan"]
        for pressed, callback in ((self.find, self._find), (self.apply, self._apply), (self.undo, undo)):
            pressed.on_click(lambda _button, callback=callback: react(callback, self.answer))
        fields.on_change(self._forget, self.limit, self.keep, self.turn_on)
        self.plan: Plan | None = None
        self._tier: int | None = None
        buttons = widgets.HBox([self.find, self.apply, self.undo])
        super().__init__([fields.note(_PLANNING), self.limit, self.keep, self.turn_on, buttons, self.answer])

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
        applied = self.plan is not None and dict(self.plan.flips) == dict(flips)
        self.apply.disabled = self.plan is None or not self.plan.flips or applied
        self.undo.disabled = not (applied and self._applied)

    def _forget(self) -> None:
        """A plan that answered another question is no answer."""
        self.plan, self._applied, self.answer.value = None, False, ""
        self.apply.disabled = self.undo.disabled = True

    def _find(self) -> None:
        self._forget()
        self.answer.value = pieces.paragraph("Planning …")
        turn_on, progress = self.turn_on.value, self._progress
        self.plan = plan = self._what_if.plan(self.limit.value, self.keep.value, turn_on=turn_on, progress=progress)
        self.answer.value = pieces.paragraph(str(plan), "mk-answer") + _flips(plan, self._what_if, self._rules)
        self.apply.disabled = not plan.flips

    def _progress(self, seconds: float, best: int, bound: int) -> None:
        text = f"Planning … {seconds:.0f} s of at most 10: {best:,} kept so far, {bound:,} at the very most."
        self.answer.value = pieces.paragraph(text)

    def _apply(self) -> None:
        assert self.plan is not None
        self._applied = True
        self._apply_flips(self.plan.flips)


def _flips(plan: Plan, what_if: WhatIf, rules: Mapping[str, Rule]) -> str:
    if not plan.flips:
        return ""
    table = what_if.switches.loc[list(plan.flips), ["exposed", "sole"]]
    table = table.rename(columns={"exposed": "reaches", "sole": "only through it"})
    table.insert(0, "turn", ["on" if on else "off" for on in plan.flips.values()])
    table.insert(0, "switch", [pieces.called(name, rules) for name in plan.flips])
    content = html_table(table, "What to switch." if plan.within else "The nearest there is.", most=1000)
    return content if len(table) <= _OPEN else pieces.folded(f"{len(table):,} switches to flip", content)
