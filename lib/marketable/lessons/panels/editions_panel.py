"""An experiment: two editions of the article, what changed between them, and whose creation that leaves ambiguous."""

from __future__ import annotations

import ipywidgets as widgets
import pandas as pd

from marketable.rulebook import Rulebook
from marketable.views import pieces
from marketable.views.reacting import react
from marketable.views.tables import html_table
from marketable.views.words import day

from ..through_editions import disputed
from .article import heading
from .pieces import panel, wide

_WHY = (
    "An edition's date is that of the page, not of the change in HubSpot: a rule that differs between two editions "
    "changed on some day in between. Whoever was created in between may have been created under either."
)


class EditionsPanel(widgets.VBox):  # type: ignore[misc]
    """Two editions to choose, `older` and `newer`, and what became of the rules between them."""

    def __init__(self) -> None:
        super().__init__()
        self._rulebook = Rulebook.load()
        editions = [(day(edition), edition) for edition in self._rulebook.editions]
        self.older = widgets.Dropdown(description="One edition", options=editions, value=editions[0][1], **wide())
        self.newer = widgets.Dropdown(description="Another one", options=editions, value=editions[-1][1], **wide())
        self._answer = widgets.HTML()
        for edition in (self.older, self.newer):
            edition.observe(lambda _change: react(self._show, self._answer), "value")
        chosen = widgets.HBox([self.older, self.newer], layout=widgets.Layout(flex_flow="row wrap"))
        panel(self, "editions", [widgets.HTML(heading("Compare two editions")), chosen, self._answer])
        react(self._show, self._answer)

    def _show(self) -> None:
        older, newer = sorted([self.older.value, self.newer.value])
        between = f"between {day(older)} and {day(newer)}"
        if older == newer:
            self._answer.value = pieces.paragraph("Choose two different editions.")
            return
        changes = self._rulebook.changes(older, newer)
        if changes.empty:
            self._answer.value = pieces.paragraph(f"Nothing that is held here changed {between}.")
            return
        names = {source: rule.name for source, rule in self._rulebook.on(newer).items()}
        told = changes.assign(source=changes["source"].map(names))
        told.columns = pd.Index(["tool", "what", f"edition of {older}", f"edition of {newer}"])
        answer = html_table(told, f"What changed {between}.")
        disputes = disputed(older, newer)
        if disputes.empty:
            answer += pieces.paragraph("No creation in between is ambiguous.")
        else:
            answer += html_table(_told(disputes, names), "Created on these days, a contact is ambiguous.")
        self._answer.value = answer + pieces.paragraph(_WHY, "mk-note")


def _told(disputes: pd.DataFrame, names: dict[str, str]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "created by": disputes["source"].map(names),
            "its switch": disputes["switch"].replace("", "none"),
            "from": [day(date) for date in disputes["begins"]],
            "to": [day(date) for date in disputes["ends"]],
            "by the edition before": disputes["before"],
            "by the edition after": disputes["after"],
        }
    )
