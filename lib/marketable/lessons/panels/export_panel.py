"""An experiment: a switch is turned on without a note. From how many contacts on does an audit of the export notice?"""

from __future__ import annotations

import datetime as dt

import ipywidgets as widgets

from marketable.auditing import audit
from marketable.rulebook import Rulebook
from marketable.views import pieces, words
from marketable.views.layout import row
from marketable.views.reacting import react
from marketable.views.tables import html_table

from ..batch import YEARS, seeds
from ..classroom import Classroom
from ..export import made_up_export, to_turn_on
from .pieces import Panel, button, wide

_SINCE = dt.date(2026, 3, 2)


class ExportPanel(Panel):
    """Arguments: classroom, for the account and the seed."""

    def __init__(self, classroom: Classroom) -> None:
        self._portal, self._seeds = classroom.portal, seeds(classroom.seed)
        self._rules = Rulebook.load().newest
        self.switch = widgets.Dropdown(description="Turned on without a note", options=[], **wide())
        self.since = widgets.DatePicker(description="since", value=_SINCE, **wide())
        self.again = button("Another account’s export")
        super().__init__("export", "A switch that nobody noted", row(self.switch, self.since, self.again))
        self.on_use(self._show, self.switch, self.since)
        self.on_use(self._open, self.again)
        react(self._open, self.answer)

    def _open(self) -> None:
        self._seed = next(self._seeds)
        self._plain = made_up_export(self._portal, self._seed)
        found = to_turn_on(audit(self._plain.export, self._portal))
        options = [(pieces.plain(pieces.called(name, self._rules)), name) for name in found]
        self.switch.index = None
        self.switch.options = options
        if not found:
            self.answer.value = pieces.alert("No switch of this account is off and reaches enough contacts to try it.")
        elif self.switch.value is None:
            self.switch.value = found[0]

    def _show(self) -> None:
        name, since = self.switch.value, self.since.value
        if name is None:
            return
        if since is None:
            self.answer.value = pieces.alert("Choose the day on which the switch was turned on.")
            return
        if since > YEARS[1]:
            self.answer.value = pieces.alert(f"The export ends on {words.day(YEARS[1])}: choose a day until then.")
            return
        made = made_up_export(self._portal, self._seed, {name: since})
        audited = audit(made.export, self._portal)
        switch = audited.switches.loc[name]
        count = int((made.truth.contacts["status"] != self._plain.truth.contacts["status"]).sum())
        became = "1 contact has" if count == 1 else f"{count:,} contacts have"
        text = f"What happened: on {words.day(since)} somebody turned {pieces.called(name, self._rules)} on. "
        text += f"{became} become marketing through it alone since then."
        seen = words.dated(f"The audit notices: the notes say {switch['portal']}, and it looks {switch['looks']}.")
        unseen = "The audit does not notice it. By the statuses the switch may as well be as the notes say."
        differs = bool(switch["differs"])
        told = pieces.headline(seen if differs else unseen, [words.dated(str(switch["evidence"])), text], over=differs)
        table = audited.counts.reset_index().rename(columns={"all": "contacts"})
        caption = f"What the audit says of the {len(audited.contacts):,} contacts of the export."
        self.answer.value = told + html_table(table, caption)
