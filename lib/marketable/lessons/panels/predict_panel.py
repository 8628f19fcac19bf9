"""Practice: predict the status of contacts drawn from a batch, five a round, each answer explained by the engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import ipywidgets as widgets
import pandas as pd

from marketable.portal.portal import Portal
from marketable.rulebook import STATUSES, Rule, Rulebook
from marketable.views import pieces, words
from marketable.views.reacting import react
from marketable.views.tables import html_table

from ..batch import seeds
from ..classroom import Classroom
from ..deck import HEAVIEST, weighed
from ..predict import KINDS, Card, Cards, portal_says, switch_of
from .pieces import Record, account, panel, verdict

ROUND = 5  # contacts
_NOT_LISTED = pieces.paragraph("A switch that is not listed is as HubSpot delivers it.", "mk-note")
_ANSWER, _NEXT, _AGAIN = "Answer", "Next contact", "Another round"


class PredictPanel(widgets.VBox):  # type: ignore[misc]
    """Arguments: kinds, keys of KINDS, whose contacts are drawn, most often those of the first; classroom, for the
    account and the seed; record.

    `card` is the contact that is asked about.
    """

    def __init__(self, kinds: Sequence[str], classroom: Classroom, record: Record) -> None:
        super().__init__()
        self._kinds, self._portal, self._record = list(kinds), classroom.portal, record
        self._seeds = seeds(classroom.seed)
        self._weights: dict[str, float] = {kinds[0]: HEAVIEST / 3}
        self._asked, self._answered = widgets.HTML(), widgets.HTML()
        self.choice = widgets.RadioButtons(options=STATUSES, description="It is", index=None)
        self.button = widgets.Button(description=_AGAIN, layout=widgets.Layout(width="160px"))
        self.button.on_click(lambda _button: react(self._go_on, self._answered))
        panel(self, "predict", [self._asked, self.choice, self.button, self._answered])
        react(self._new_round, self._answered)

    def _go_on(self) -> None:
        if self.button.description == _AGAIN:
            self._new_round()
        elif self.button.description == _NEXT:
            self._new_card()
        elif self.choice.value is None:
            self._answered.value = pieces.alert("Choose one of the three first.")
        else:
            self._judge()

    def _new_round(self) -> None:
        self._cards = Cards(self._portal, next(self._seeds), self._kinds)
        self._rules = Rulebook.load().on(self._cards.as_of)
        self._answers: list[tuple[str, bool]] = []
        self._new_card()

    def _new_card(self) -> None:
        self.card = self._cards.draw(self._weights)
        on = words.day(self.card.as_of)
        title = f'<h3 class="mk-title">Contact {len(self._answers) + 1} of {ROUND}: what is it on {on}?</h3>'
        touches = html_table(_touches(self.card, self._portal, self._rules), f"What happened to it until {on}")
        self._asked.value = title + pieces.paragraph(account(self._portal)) + touches + _NOT_LISTED
        self.choice.index, self.choice.disabled = None, False
        self.button.description, self._answered.value = _ANSWER, ""

    def _judge(self) -> None:
        card, said = self.card, self.choice.value
        right = said == card.status
        self._answers.append((card.kind, right))
        self._weights = weighed(self._weights, card.kind, right=right)
        done = len(self._answers) == ROUND
        self.choice.disabled, self.button.description = True, _AGAIN if done else _NEXT
        if right:
            told = verdict(f"Right: {said}.", right=True)
        else:
            told = verdict(f"No, not {said}: it is {card.status}.", right=False)
            told += pieces.paragraph(f"What was missed ({KINDS[card.kind].lower()}): {pieces.sourced(card.missed)[0]}")
        told += pieces.explanation(card.contact.rename("This contact"), card.touches, self._rules, "")
        self._answered.value = told + (self._summary() if done else "")
        self._record("predict", card.kind, right)

    def _summary(self) -> str:
        answers = pd.DataFrame(self._answers, columns=["kind", "right"])
        of_kind = answers.groupby("kind", sort=False)["right"].agg(["sum", "size"]).reset_index()
        table = pd.DataFrame(
            {"contacts": of_kind["kind"].map(KINDS.get), "right": of_kind["sum"].astype(int), "of": of_kind["size"]}
        )
        said = f"{answers['right'].sum()} of {ROUND} right."
        more = "" if answers["right"].all() else " What was missed comes more often now."
        return pieces.paragraph(said + more, "mk-answer mk-round") + html_table(table, "This round")


def _touches(card: Card, portal: Portal, rules: Mapping[str, Rule]) -> pd.DataFrame:
    rows = []
    for at, source, asset in card.touches[["occurred_at", "source", "asset"]].itertuples(index=False):
        switch = switch_of(source, asset, at)
        says = portal_says(portal, switch) if switch else ""
        rows.append((f"{at:%Y-%m-%d}", pieces.called(source, rules), words.discreet(asset), says))
    return pd.DataFrame(rows, columns=["day", "what", "which", "its switch, by the account's notes"])
