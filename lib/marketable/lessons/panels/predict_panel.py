"""Practice: predict the status of contacts drawn from a batch, each answer explained by the engine."""

from __future__ import annotations

from collections.abc import Sequence

import ipywidgets as widgets
import pandas as pd

from marketable.rulebook import STATUSES, Rulebook
from marketable.views import pieces, words
from marketable.views.tables import html_table

from ..classroom import Classroom
from ..deck import HEAVIEST
from ..predict import KINDS, Card, Cards, portal_says, switch_of
from .pieces import ROUND, Questions, Record, account, heading, verdict

_NOT_LISTED = pieces.paragraph("A switch that is not listed is as HubSpot delivers it.", "mk-note")


class PredictPanel(Questions):
    """Arguments: kinds, keys of KINDS, whose contacts are drawn, most often those of the first; classroom, for the
    account and the seed; record.

    `card` is the contact that is asked about.
    """

    exercise, first = "predict", "Choose one of the three first."
    card: Card

    def __init__(self, kinds: Sequence[str], classroom: Classroom, record: Record) -> None:
        self._kinds, self.weights = list(kinds), {kinds[0]: HEAVIEST / 3}
        super().__init__(widgets.RadioButtons(options=STATUSES, description="It is", index=None), classroom, record)

    def _make_up(self, seed: str) -> None:
        self._cards = Cards(self.portal, seed, self._kinds)
        self._rules = Rulebook.load().on(self._cards.as_of)

    def _ask(self, number: int) -> str:
        self.card = self._cards.draw(self.weights)
        on = words.day(self.card.as_of)
        table = html_table(self._touches(), f"What happened to it until {on}")
        title = heading(f"Contact {number} of {ROUND}: what is it on {on}?")
        return title + pieces.paragraph(account(self.portal)) + table + _NOT_LISTED

    def _judge(self, said: str) -> tuple[str, bool, str]:
        card, right = self.card, said == self.card.status
        told = verdict(f"Right: {said}." if right else f"No, not {said}: it is {card.status}.", right=right)
        if not right:
            told += pieces.paragraph(f"What was missed ({KINDS[card.kind].lower()}): {pieces.sourced(card.missed)[0]}")
        told += pieces.explanation(card.contact.rename("This contact"), card.touches, self._rules)
        return card.kind, right, told

    def _sum_up(self, answers: list[tuple[str, bool]]) -> str:
        of_kind = pd.DataFrame(answers, columns=["kind", "right"]).groupby("kind", sort=False)["right"]
        table = of_kind.agg(right="sum", of="size").astype(int).rename(index=KINDS).rename_axis("contacts")
        return super()._sum_up(answers) + html_table(table.reset_index(), "This round")

    def _touches(self) -> pd.DataFrame:
        rows = []
        for at, source, asset in self.card.touches[["occurred_at", "source", "asset"]].itertuples(index=False):
            switch = switch_of(source, asset, at)
            says = portal_says(self.portal, switch) if switch else ""
            rows.append((f"{at:%Y-%m-%d}", pieces.called(source, self._rules), words.discreet(asset), says))
        return pd.DataFrame(rows, columns=["day", "what", "which", "its switch, by the account's notes"])
