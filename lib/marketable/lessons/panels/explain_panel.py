"""Practice: rows of an export. Why is this contact what it is?"""

from __future__ import annotations

import html

import ipywidgets as widgets
import pandas as pd

from marketable.auditing.explanations import MEANINGS
from marketable.rulebook import Rulebook
from marketable.views import pieces, words
from marketable.views.tables import html_table

from ..classroom import Classroom
from ..export import ASKED, Row, Rows
from .pieces import ROUND, Questions, Record, account, heading, verdict, wide

_OTHERS = "The switches that its touches met, and the contacts that each alone could have made marketing"


class ExplainPanel(Questions):
    """Arguments: classroom, for the account and the seed; record. `row` is the contact that is asked about."""

    exercise, again, first = "explain", "Another export", "Choose an explanation first."
    row: Row

    def __init__(self, classroom: Classroom, record: Record) -> None:
        self.weights = {}
        choice = widgets.RadioButtons(options=ASKED, description="It is so, because:", index=None, **wide())
        super().__init__(choice, classroom, record, widgets.HTML(_meanings()))

    def _make_up(self, seed: str) -> None:
        self._rows = Rows(self.portal, seed)

    def _ask(self, number: int) -> str:
        self.row = self._rows.draw(self.weights)
        cells = [(name, words.discreet(value)) for name, value in self.row.cells.items()]
        shown = html_table(pd.DataFrame(cells, columns=["property", "value"]), "Its row of the export")
        title = heading(f"Contact {number} of {ROUND}: why is it what it is?")
        return title + pieces.paragraph(account(self.portal)) + shown + self._others()

    def _judge(self, said: str) -> tuple[str, bool, str]:
        answer, right = self.row.explanation, said == self.row.explanation
        told = verdict(f"Right: {answer}." if right else f"No, not {said}: {answer}.", right=right)
        if not right:
            told += pieces.paragraph(f"What that means: {MEANINGS[answer]}")
        sentence, reference = pieces.sourced(words.discreet(str(self.row.contact["reason"])))
        told += pieces.paragraph(sentence, "mk-answer") + pieces.paragraph(reference, "mk-note")
        return answer, right, told

    def _others(self) -> str:
        if self.row.switches.empty:
            return pieces.paragraph("The export names no switch that this contact met.", "mk-note")
        table = self.row.switches[["portal", "contacts", "marketing"]].reset_index()
        rules = Rulebook.load().newest
        table["switch"] = [words.discreet(pieces.called(str(name), rules)) for name in table["switch"]]
        table.columns = pd.Index(["switch", "by the account's notes", "contacts", "of them marketing"])
        return html_table(table, _OTHERS)


def _meanings() -> str:
    items = "".join(f"<li><strong>{name}</strong>: {html.escape(MEANINGS[name])}</li>" for name in ASKED)
    return f'<details><summary>What these mean</summary><ul class="mk-places">{items}</ul></details>'
