"""Practice: predict the status of contacts, each answer explained by the engine."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import pandas as pd

from marketable.rulebook import MARKETING, NON_MARKETING, STATUSES, Rulebook
from marketable.views import pieces, words
from marketable.views.tables import html_table

from ..cases import KINDS, tools_of
from ..classroom import Classroom
from ..predict import Account, Card, Cards, portal_says, switch_of, why
from .pieces import Posed, Questions, Record, account


class PredictPanel(Questions):
    """Arguments: chosen, names of cases, all of which each round has; taught, the tools that may occur; classroom, for
    the account and the seed; record.
    """

    exercise = "predict"

    def __init__(self, chosen: Sequence[str], taught: Collection[str], classroom: Classroom, record: Record) -> None:
        self._chosen, self._taught = chosen, taught
        super().__init__(classroom, record)

    def _make_up(self, seed: str) -> Sequence[Posed]:
        statuses = STATUSES if tools_of("silent", self._taught) else (MARKETING, NON_MARKETING)
        cards = Cards(self.portal, seed, self._chosen, self._taught).round(self.weights)
        return [posed(card, statuses) for card in cards]

    def _sum_up(self, answers: list[tuple[str, bool]]) -> str:
        return super()._sum_up(answers) + by_kind(answers)


def posed(card: Card, statuses: Sequence[str] = STATUSES) -> Posed:
    """A contact as a question. Arguments: statuses, those that were taught already, to choose from."""
    on = words.day(card.account.as_of)
    asks = facts(card.account) + html_table(touches_of({"": card}), f"What happened to it until {on}")
    choices = [(status, status) for status in statuses]
    behind = pieces.touched(card.touches, Rulebook.load().newest, open_sources=True)
    prompt = f"On {on} it is"
    return Posed(card.case, card.kind, asks, prompt, choices, card.status, words.dated(why(card)), behind)


def facts(of: Account) -> str:
    """What there is to know of an account."""
    if not of.portal.access_since and not of.has_requests:
        return ""
    return pieces.paragraph(account(of.portal))


def touches_of(cards: Mapping[str, Card]) -> pd.DataFrame:
    """What happened to some contacts, as a table to read. Arguments: cards, by name; "" where there is one only."""
    rows, rules = [], Rulebook.load().newest
    for name, card in cards.items():
        for at, source, asset in card.touches[["occurred_at", "source", "asset"]].itertuples(index=False):
            switch = switch_of(source, asset, at)
            says = words.dated(portal_says(card.account.portal, switch)) if switch else ""
            rows.append((name, words.day(at.date()), pieces.called(source, rules), words.discreet(asset), says))
    table = pd.DataFrame(rows, columns=["who", "day", "what", "which", "its switch"])
    return table if all(cards) else table.drop(columns="who")


def by_kind(answers: Sequence[tuple[str, bool]]) -> str:
    """How many answers of each kind were right, as a table that folds away."""
    of_kind = pd.DataFrame(answers, columns=["kind", "right"]).groupby("kind", sort=False)["right"]
    table = of_kind.agg(right="sum", of="size").astype(int).rename(index=KINDS).rename_axis("kind of contact")
    return html_table(table.reset_index(), "Right, by kind of contact")
