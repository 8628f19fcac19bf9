"""The page Switches: flip them, and see at once what would be otherwise; keep settings and compare them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ipywidgets as widgets
import pandas as pd

from marketable.errors import DataError
from marketable.rulebook import MARKETING
from marketable.views import charts, fields, pieces, words
from marketable.views.layout import column, row, shown
from marketable.views.switch_list import SwitchList
from marketable.views.tables import html_table

from .pages import Page
from .work import Setting

if TYPE_CHECKING:
    from .page import Workbench

_NOW, _OWN = "as set now", "as the account has them"


class Switches(Page):
    """Attributes: `switches`, the list; since, undo, redo, own, all_on, all_off; limit, turn_on, find, and `plan`, the
    last one found; name, keep, kept, use, forget; state, from_day, put and alone, which stand below a switch; `charts`
    and `counts`, as they are shown.
    """

    name = "Switches"

    def __init__(self, bench: Workbench) -> None:
        super().__init__(
            bench,
            "source-chart", "time-chart", "credit-chart", "table", "locked", "plan", "settings", "history", "differing",
        )  # fmt: skip
        self.charts: dict[str, charts.Chart] = {}
        self.undo = fields.button("Undo", "Takes the last flip back", "auto")
        self.redo = fields.button("Redo", "Flips it again", "auto")
        self.own = fields.button("Reset", "Every switch as the account has it", "auto")
        self.all_on = fields.button("All on", "Every switch that the search finds", "auto")
        self.all_off = fields.button("All off", "Every switch that the search finds", "auto")
        self.since = fields.day("Flips count from", "Empty: from the start", "290px")
        self.state = fields.choice("It is", ["on", "off"], width="150px")
        self.from_day = fields.day("from", "Empty: from the start", "190px")
        self.put = fields.button("Set", "Changes the account: what was before that day stays", "auto")
        self.alone = fields.box("Leave alone: no plan may touch it")
        self.detail = widgets.VBox([self.at["history"], row(self.state, self.from_day, self.put), self.alone])
        self.detail.add_class("mk-detail")
        self.switches = SwitchList(lambda name, on: bench.react(lambda: self._flip(name, on)), self.detail, self._open)
        self.limit = fields.number("Within", self.basis.tier or 2000, 0, 100_000_000)
        self.turn_on = fields.box("others may be turned on")
        most = "The setting that keeps the most contacts, by fewest flips"
        self.find = fields.button("Find the switches", most, "auto")
        self.name_it = fields.line("Name", "without the newsletter")
        self.keep = fields.button("Keep this setting", "To compare it with others", "auto")
        self.kept = fields.choice("Setting", [])
        self.use = fields.button("Set the switches so", "", "auto")
        self.forget = fields.button("Forget it", "", "auto")
        self.again = row(self.kept, self.use, self.forget)
        self._judged: object = None
        self.when(lambda: self._step(back=True), self.undo)
        self.when(lambda: self._step(back=False), self.redo)
        self.when(lambda: self._set(self.basis.switches), self.own)
        self.when(lambda: self._set(dict.fromkeys(self.switches.found, True)), self.all_on)
        self.when(lambda: self._set(dict.fromkeys(self.switches.found, False)), self.all_off)
        self.when(lambda: self._set({}), self.since)
        self.when(self._put, self.put, where="history")
        self.when(self._leave, self.alone)
        self.when(self._find, self.find, where="plan")
        self.when(self._keep, self.keep, where="settings")
        self.when(lambda: self._take(self.work.kept[self.kept.value]), self.use)
        self.when(self._forget, self.forget)
        at = self.at
        buttons = row(self.undo, self.redo, self.own, self.all_on, self.all_off)
        buttons.add_class("mk-buttons")
        plan = [fields.heading("What would have kept within the tier?"), row(self.limit, self.find, self.turn_on)]
        asked = [buttons, self.switches, self.since, widgets.HTML(pieces.FLIPPING), *plan, at["plan"], at["locked"]]
        comparing = [fields.heading("Settings side by side"), row(self.name_it, self.keep), at["settings"], self.again]
        seen = [at["time-chart"], at["source-chart"], *comparing, at["credit-chart"], at["table"]]
        self.every = fields.button("Take all over", "Makes the account say all of this", "auto", button_style="primary")
        self.when(lambda: bench.take_over(*self._differing), self.every)
        self._differs = row(at["differing"], self.every)
        self.children = [bench.taken, self._differs, row(column(asked, "1 1 340px"), column(seen, "2 1 480px"))]

    @property
    def _differing(self) -> list[str]:
        """The switches that look otherwise than the account has them."""
        audit = self.basis.audit
        return [] if audit is None else [str(name) for name in audit.switches.index[audit.switches["differs"]]]

    def draw(self) -> None:
        """Another account has other switches; after a flip there are other numbers."""
        basis, work = self.basis, self.work
        if self._judged is not basis:
            self._judged = basis
            self.switches.show(basis.what_if.switches, work.states, basis.portal.switches, basis.rules)
            self.limit.value = basis.tier or self.limit.value
            self.at["plan"].value = ""
            asked = set(basis.what_if.switches["source"])
            locked = [rule for rule in basis.rules.values() if rule.switch is None and rule.source not in asked]
            self.at["locked"].value = pieces.locked(locked, basis.own)
        flips, names, differing = work.flips, pieces.tools(basis.rules), self._differing
        called = "; ".join(pieces.called(name, basis.rules) for name in differing)
        text = f"{words.many(len(differing), 'switch looks', 'switches look')} otherwise than {self.bench.said}"
        self.at["differing"].value = pieces.paragraph(f"{text}: {called}. The page Why shows what speaks for it.")
        shown(self._differs, when=bool(differing))
        after = basis.what_if.switches_after(flips)
        with self.bench.quietly():
            self.since.value = work.now.since
            self.switches.update(after, work.states)
        self.undo.disabled, self.redo.disabled, self.own.disabled = not work.before, not work.undone, not flips
        now, before = basis.by_source(flips), basis.own
        self._picture("time-chart", charts.over_time(basis.by_day(flips), basis.past, basis.tier, basis.term))
        self._picture("source-chart", charts.by_source(now, before, names))
        self._picture("credit-chart", charts.credit(after, basis.what_if.always, names))
        self.counts = pieces.counts_table(now, before, names)
        self.at["table"].value = pieces.folded("The same in numbers", html_table(self.counts, "Contacts by tool"))
        self._show_settings()

    def _picture(self, name: str, chart: charts.Chart) -> None:
        self.charts[name], self.at[name].value = chart, chart._repr_html_()

    # ---- flipping ----

    def _set(self, states: dict[str, bool]) -> None:
        self.work.set(states, self.since.value)
        self.bench.flipped()

    def _flip(self, name: str, on: bool) -> None:
        self._set({name: on})

    def _take(self, setting: Setting) -> None:
        self.work.take(setting)
        self.bench.flipped()

    def _step(self, *, back: bool) -> None:
        self.work.undo() if back else self.work.redo()
        self.bench.flipped()

    # ---- one switch ----

    def _open(self, name: str) -> None:
        with self.bench.quietly():
            self.alone.value = name in self.work.alone
            self.from_day.value, self.state.value = None, "on" if self.basis.switches[name] else "off"
        said = [
            f"{'on' if on else 'off'}{f' from {words.day(since)}' if since else ' from the start'}"
            for since, on in self.basis.portal.switches.get(name, ())
        ]
        self.at["history"].value = pieces.paragraph(
            f"The account has it {', then '.join(said)}." if said else "The account says nothing of it: it is as "
            "HubSpot sets it at first.",
            "mk-note",
        )  # fmt: skip

    def _put(self) -> None:
        name, on = self.switches.chosen, self.state.value == "on"
        if name is not None:
            since = self.from_day.value
            self.bench.set_account(self.basis.portal.with_switches({name: on if since is None else (since, on)}))
            self.bench.flipped()
            self.switches.show_detail(name)

    def _leave(self) -> None:
        name = self.switches.chosen
        if name is not None:
            self.work.alone = self.work.alone - {name} | ({name} if self.alone.value else set())
            self.bench.keep()

    # ---- the plan ----

    def _find(self) -> None:
        self.at["plan"].value = pieces.paragraph("Looking for it …")
        alone = sorted(self.work.alone)
        self.plan = plan = self.basis.what_if.plan(self.limit.value, alone, turn_on=self.turn_on.value, progress=False)
        self._take(Setting(flips=dict(plan.flips)))
        done = " The switches above are set so; Undo sets them back." if plan.flips else ""
        left = f" Left alone: {words.many(len(alone), 'switch', 'switches')}." if alone else ""
        self.at["plan"].value = pieces.paragraph(f"{plan}{left}{done}", "mk-answer")

    # ---- settings side by side ----

    def _keep(self) -> None:
        name = self.name_it.value.strip()
        if not name or name in (_NOW, _OWN):
            raise DataError("This setting has no name yet", expected="a name like “without the newsletter”")
        self.work.kept[name] = self.work.now
        self.name_it.value = ""
        self.bench.flipped()

    def _forget(self) -> None:
        self.work.kept.pop(self.kept.value, None)
        self.bench.flipped()

    def _show_settings(self) -> None:
        kept, basis = self.work.kept, self.basis
        shown(self.again, when=bool(kept))
        fields.offer(self.kept, list(kept))
        if not kept:
            said = "Keep a setting, and it stands here beside the next."
            self.at["settings"].value = pieces.paragraph(said, "mk-note")
            return
        rows = []
        before = int(basis.counts({})[MARKETING])
        for name, setting in ({_OWN: Setting(), _NOW: self.work.now} | kept).items():
            count = int(basis.counts(setting.given)[MARKETING])
            flips = [
                f"{pieces.called(each, basis.rules)} {'on' if on else 'off'}" for each, on in setting.flips.items()
            ]
            told = words.against_tier(count, basis.tier) if basis.tier else ""
            rows.append((name, count, count - before, told, ", ".join(flips) or "nothing"))
        table = pd.DataFrame(rows, columns=["setting", "marketing", "change", "tier", "flipped"])
        table = table if basis.tier else table.drop(columns="tier")
        self.at["settings"].value = html_table(table, "What each setting gives")
