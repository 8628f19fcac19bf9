"""Practice: choose by hand which switches to turn off, to stay within the tier, and compare with the exact plan."""

from __future__ import annotations

import ipywidgets as widgets
import pandas as pd

from marketable.rulebook import Rulebook
from marketable.views import pieces, words
from marketable.views.layout import row
from marketable.views.reacting import react
from marketable.views.switch_list import SwitchList
from marketable.views.tables import html_table

from ..batch import seeds
from ..classroom import Classroom
from ..progress import MADE_UP
from ..within_tier import NEARLY, Task, Verdict
from .pieces import Panel, Record, button, verdict


class WithinPanel(Panel):
    """Arguments: classroom, for the account and the seed; record. `task` is the account, `switches` its list, `flips`
    what has been turned off.
    """

    def __init__(self, classroom: Classroom, record: Record) -> None:
        self._portal, self._record, self._seeds = classroom.portal, record, seeds(classroom.seed)
        self._rules = Rulebook.load().newest
        self._asked, self._headline = widgets.HTML(), widgets.HTML()
        self.switches = SwitchList(lambda name, on: react(lambda: self._flip(name, on=on), self.answer))
        self.compare, self.again = button("Compare with the plan"), button("Another tier to stay within")
        self.compare.disabled = True
        buttons = row(self.compare, self.again)
        super().__init__("within", "Stay within the tier", self._asked, self._headline, self.switches, buttons)
        self.on_use(self._judge, self.compare)
        self.on_use(self._new_task, self.again)
        react(self._new_task, self.answer)

    def _new_task(self) -> None:
        self.task = task = Task(self._portal, next(self._seeds))
        self.flips: dict[str, bool] = {}
        self._recorded = self.compare.disabled = False
        story = (
            f"This account pays for {task.tier:,} marketing contacts and has {task.baseline:,}. Turn off what brings "
            f"it within the tier, and keep at least {NEARLY:.0%} of what the best plan keeps. It is about a past that "
            "was otherwise: in HubSpot, turning a switch off today makes nobody non-marketing; it keeps new ones out."
        )
        self._asked.value = pieces.paragraph(story)
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
        self.answer.value = ""

    def _judge(self) -> None:
        judged = self.task.judged(self.flips)
        self.answer.value = self._compared(judged)
        if not self._recorded:
            self._recorded = True
            self._record("within", MADE_UP, judged.good)

    def _compared(self, judged: Verdict) -> str:
        plan, kept = judged.plan, judged.marketing
        if not judged.within:
            said = f"Not within the tier yet: {words.against_tier(kept, self.task.tier)}."
        elif kept == plan.marketing:
            said = f"Well done: you keep {kept:,}, as many as the plan."
        else:
            said = f"Within the tier with {kept:,}; the plan keeps {plan.marketing:,}, {plan.marketing - kept:,} more."
        names = list(dict.fromkeys([*self.flips, *plan.flips]))
        table = pd.DataFrame({"switch": [pieces.called(name, self._rules) for name in names]})
        for who, flips in (("you", self.flips), ("the plan", plan.flips)):
            table[who] = ["off" if name in flips else "on" for name in names]
        shown = html_table(table, "What is turned off") if names else ""
        return verdict(said, right=judged.good) + pieces.paragraph(str(plan)) + shown
