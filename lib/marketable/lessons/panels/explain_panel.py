"""Practice: rows of an export. Why is this contact what it is?"""

from __future__ import annotations

import html
from collections.abc import Sequence

import ipywidgets as widgets
import pandas as pd

from marketable.auditing.explanations import MEANINGS
from marketable.portal.portal import Portal
from marketable.rulebook import Rulebook
from marketable.views import pieces, words
from marketable.views.tables import html_table

from ..classroom import Classroom
from ..export import ASKED, Row, Rows
from ..story import in_short
from .pieces import Posed, Questions, Record, account

_OTHERS = "The switches that it met, and the contacts that each alone could have made marketing"


class ExplainPanel(Questions):
    """Arguments: classroom, for the account and the seed; record."""

    exercise, again = "explain", "Rows of another export"

    def __init__(self, classroom: Classroom, record: Record) -> None:
        super().__init__(classroom, record, widgets.HTML(_meanings()))

    def _make_up(self, seed: str) -> Sequence[Posed]:
        return [posed(row, self.portal) for row in Rows(self.portal, seed).round(self.weights)]


def posed(row: Row, portal: Portal) -> Posed:
    """A contact of an export as a question."""
    cells = [(name, words.dated(words.discreet(value))) for name, value in row.cells.items()]
    shown = html_table(pd.DataFrame(cells, columns=["property", "value"]), "Its row of the export")
    asks = pieces.paragraph(f"Why is this contact what it is? {account(portal)}") + shown + _others(row)
    reason = words.discreet(str(row.contact["reason"]))
    behind = pieces.paragraph(in_short(reason)) + pieces.paragraph(pieces.sourced(reason)[1], "mk-note")
    choices = [(name, name) for name in ASKED]
    answer = row.explanation
    return Posed(answer, answer, asks, "It is so, because", choices, answer, MEANINGS[answer], behind)


def _others(row: Row) -> str:
    if row.switches.empty:
        return pieces.paragraph("The export names no switch that this contact met.", "mk-note")
    table = row.switches[["portal", "contacts", "marketing"]].reset_index()
    rules = Rulebook.load().newest
    table["switch"] = [words.discreet(pieces.called(str(name), rules)) for name in table["switch"]]
    table["portal"] = [words.dated(str(says)) for says in table["portal"]]
    table.columns = pd.Index(["switch", "by the account's notes", "contacts", "of them marketing"])
    return html_table(table, _OTHERS)


def _meanings() -> str:
    items = "".join(f"<li><strong>{name}</strong>: {html.escape(MEANINGS[name])}</li>" for name in ASKED)
    return pieces.folded("What these mean", f'<ul class="mk-places">{items}</ul>')
