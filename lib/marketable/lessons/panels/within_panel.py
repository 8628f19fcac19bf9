"""Practice: choose by hand which switches to turn off, to stay within the tier, and compare with the exact plan."""

from __future__ import annotations

import ipywidgets as widgets
import pandas as pd

from marketable.rulebook import Rulebook
from marketable.views import pieces, words
from marketable.views.reacting import react
from marketable.views.switch_list import SwitchList
from marketable.views.tables import html_table

from ..batch import seeds
from ..classroom import Classroom
from ..within_tier import NEARLY, Task, Verdict
from .pieces import Record, panel, verdict

_COMPARE, _AGAIN = "Compare with the plan", "Another account"


class WithinPanel(widgets.VBox):  # type: ignore[misc]
    """Arguments: classroom, for the account and the seed; record. `task` is the account, `switches` its list, `flips`
    what has been turned off.
    """

    def __init__(self, classroom: Classroom, record: Record) -> None:
        super().__init__()
        self._portal, self._record, self._seeds = classroom.portal, record, seeds(classroom.seed)
        self._rules = Rulebook.load().newest
        self._asked, self._headline, self._answered = widgets.HTML(), widgets.HTML(), widgets.HTML()
        self.switches = SwitchList(lambda name, on: react(lambda: self._flip(name, on=on), self._answered))
        self.compare, self.again = (
            widgets.Button(description=name, disabled=disabled, layout=widgets.Layout(width="200px"))
            for name, disabled in ((_COMPARE, True), (_AGAIN, False))
        )
        self.compare.on_click(lambda _button: react(self._judge, self._answered))
        self.again.on_click(lambda _button: react(self._new_task, self._answered))
        buttons = widgets.HBox([self.compare, self.again])
        panel(self, "within", [self._asked, self._headline, self.switches, buttons, self._answered])
        react(self._new_task, self._answered)

    def _new_task(self) -> None:
        self.task = task = Task(self._portal, next(self._seeds))
        self.flips: dict[str, bool] = {}
        self._recorded = self.compare.disabled = False
        story = (
            f"This account pays for {task.tier:,} marketing contacts and has {task.baseline:,}. Turn off what brings "
            "it within the tier and loses as few as you can, as if the switches had been so from the beginning. "
            "In HubSpot, turning one off today changes nobody who is marketing already: it keeps the next ones out. "
            f"It is well done if you keep at least {NEARLY:.0%} of what the exact plan keeps."
        )
        self._asked.value = '<h3 class="mk-title">Stay within the tier</h3>' + pieces.paragraph(story)
        self.switches.show(task.switches, dict.fromkeys(task.switches.index, True), self._portal.switches, self._rules)
        self._show()

    def _flip(self, name: str, *, on: bool) -> None:
        off = {other for other in self.flips if other != name} | (set() if on else {name})
        self.flips = {str(other): False for other in self.task.switches.index if other in off}
        self._show()

    def _show(self) -> None:
        task, marketing = self.task, self.task.marketing(self.flips)
        text = f"{marketing:,} marketing contacts: {words.against_tier(marketing, task.tier)}."
        self._headline.value = pieces.headline(text, [], over=marketing > task.tier)
        switches = task.what_if.switches_after(self.flips).loc[task.switches.index]
        self.switches.update(switches, {name: name not in self.flips for name in task.switches.index})
        self._answered.value = ""

    def _judge(self) -> None:
        judged = self.task.judged(self.flips)
        self._answered.value = self._told(judged)
        if not self._recorded:
            self._recorded = True
            self._record("within", "made-up", judged.good)

    def _told(self, judged: Verdict) -> str:
        plan, kept = judged.plan, judged.marketing
        if not judged.within:
            said = f"Not within the tier yet: {words.against_tier(kept, self.task.tier)}."
        elif kept == plan.marketing:
            said = f"Well done: you keep {kept:,}, as many as the plan."
        else:
            said = f"Within the tier with {kept:,}; the plan keeps {plan.marketing:,}, {plan.marketing - kept:,} more."
        named = list(dict.fromkeys([*self.flips, *plan.flips]))
        table = pd.DataFrame(
            {
                "switch": [pieces.called(name, self._rules) for name in named],
                "you": ["off" if name in self.flips else "on" for name in named],
                "the plan": ["off" if name in plan.flips else "on" for name in named],
            }
        )
        shown = html_table(table, "What is turned off") if named else ""
        return verdict(said, right=judged.good) + pieces.paragraph(str(plan)) + shown
