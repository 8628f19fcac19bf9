"""Practice: rows of an export. Why is this contact what it is?"""

from __future__ import annotations

import html
from collections.abc import Mapping

import ipywidgets as widgets
import pandas as pd

from marketable.auditing.explanations import MEANINGS
from marketable.rulebook import Rule, Rulebook
from marketable.views import pieces, words
from marketable.views.reacting import react
from marketable.views.tables import html_table

from ..batch import seeds
from ..classroom import Classroom
from ..deck import weighed
from ..export import ASKED, Row, Rows
from .pieces import Record, account, panel, verdict, wide

ROUND = 5  # contacts
_ANSWER, _NEXT, _AGAIN = "Answer", "Next contact", "Another export"
_OTHERS = "The switches that its touches met, and the contacts that each alone could have made marketing"


class ExplainPanel(widgets.VBox):  # type: ignore[misc]
    """Arguments: classroom, for the account and the seed; record. `row` is the contact that is asked about."""

    def __init__(self, classroom: Classroom, record: Record) -> None:
        super().__init__()
        self._portal, self._record, self._seeds = classroom.portal, record, seeds(classroom.seed)
        self._rules = Rulebook.load().newest
        self._weights: dict[str, float] = {}
        self._asked, self._answered = widgets.HTML(), widgets.HTML()
        self.choice = widgets.RadioButtons(options=ASKED, description="It is so, because:", index=None, **wide())
        self.button = widgets.Button(description=_AGAIN, layout=widgets.Layout(width="160px"))
        self.button.on_click(lambda _button: react(self._go_on, self._answered))
        panel(self, "explain", [self._asked, self.choice, widgets.HTML(_meanings()), self.button, self._answered])
        react(self._new_round, self._answered)

    def _go_on(self) -> None:
        if self.button.description == _AGAIN:
            self._new_round()
        elif self.button.description == _NEXT:
            self._new_row()
        elif self.choice.value is None:
            self._answered.value = pieces.alert("Choose an explanation first.")
        else:
            self._judge()

    def _new_round(self) -> None:
        self._asked.value = pieces.paragraph("Making up an export …")
        self._rows = Rows(self._portal, next(self._seeds))
        self._answers: list[bool] = []
        self._new_row()

    def _new_row(self) -> None:
        self.row = self._rows.draw(self._weights)
        title = f'<h3 class="mk-title">Contact {len(self._answers) + 1} of {ROUND}: why is it what it is?</h3>'
        cells = pd.DataFrame({"property": list(self.row.cells), "value": list(self.row.cells.values())})
        shown = html_table(cells.assign(value=cells["value"].map(words.discreet)), "Its row of the export")
        self._asked.value = title + pieces.paragraph(account(self._portal)) + shown + _others(self.row, self._rules)
        self.choice.index, self.choice.disabled = None, False
        self.button.description, self._answered.value = _ANSWER, ""

    def _judge(self) -> None:
        right, said = self.row.explanation, self.choice.value
        self._answers.append(said == right)
        self._weights = weighed(self._weights, right, right=said == right)
        done = len(self._answers) == ROUND
        self.choice.disabled, self.button.description = True, _AGAIN if done else _NEXT
        told = verdict(f"Right: {right}.", right=True)
        if said != right:
            told = verdict(f"No, not {said}: {right}.", right=False)
            told += pieces.paragraph(f"What that means: {MEANINGS[right]}")
        sentence, reference = pieces.sourced(words.discreet(str(self.row.contact["reason"])))
        told += pieces.paragraph(sentence, "mk-answer") + pieces.paragraph(reference, "mk-note")
        if done:
            more = "" if all(self._answers) else " What was missed comes more often now."
            told += pieces.paragraph(f"{sum(self._answers)} of {ROUND} right.{more}", "mk-answer mk-round")
        self._answered.value = told
        self._record("explain", right, said == right)


def _others(row: Row, rules: Mapping[str, Rule]) -> str:
    """What the other contacts tell of the switches that the contact met."""
    if row.switches.empty:
        return pieces.paragraph("The export names no switch that this contact met.", "mk-note")
    switches = row.switches
    table = pd.DataFrame(
        {
            "switch": [words.discreet(pieces.called(str(name), rules)) for name in switches.index],
            "by the account's notes": switches["portal"].to_numpy(),
            "contacts": switches["contacts"].to_numpy(),
            "of them marketing": switches["marketing"].to_numpy(),
        }
    )
    return html_table(table, _OTHERS)


def _meanings() -> str:
    items = "".join(f"<li><strong>{name}</strong>: {html.escape(MEANINGS[name])}</li>" for name in ASKED)
    return f'<details><summary>What these mean</summary><ul class="mk-places">{items}</ul></details>'
