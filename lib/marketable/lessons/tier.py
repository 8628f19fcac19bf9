"""Counting against a tier: small firms of three contacts, each made up as those to predict are, who pay for two."""

from __future__ import annotations

import random
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from marketable.portal.portal import Portal
from marketable.rulebook import MARKETING, SOURCES

from .deck import ROUND, Asked, Deck
from .predict import Card, Cards

TIER = 2
BELOW, EXACTLY, OVER = "below the tier", "exactly the tier", "over the tier"
ANSWERS = (BELOW, EXACTLY, OVER)
NAMES = ("Ann", "Ben", "Cem")
_FIRMS = 12  # for each round, of which it takes five


@dataclass(frozen=True)
class Firm:
    """Three contacts, by name; `marketing`, the names of those who count on the day that is asked about."""

    contacts: Mapping[str, Card]

    @property
    def marketing(self) -> tuple[str, ...]:
        """Who counts."""
        return tuple(name for name, card in self.contacts.items() if card.status == MARKETING)

    @property
    def waiting(self) -> tuple[str, ...]:
        """Who counts, and waits for the update date."""
        return tuple(name for name, card in self.contacts.items() if card.contact["waiting"])

    @property
    def answer(self) -> str:
        """The right answer."""
        return _against(len(self.marketing))


class Firms:
    """Rounds of firms that can be asked about. Arguments: as of `Cards`.

    >>> firm = Firms(Portal(), 1, ["switch on", "waiting", "released"]).round({})[0]
    >>> firm.answer == ANSWERS[max(0, len(firm.marketing) - 1)]
    True
    """

    def __init__(
        self,
        portal: Portal,
        seed: int | str,
        chosen: Sequence[str],
        taught: Collection[str] = SOURCES,
        rounds: int = 1,
    ) -> None:
        chance = random.Random(f"tier/{seed}")
        cards = Cards(portal, seed, chosen, taught, rounds)
        self._firms: list[Firm] = []
        asked = []
        for number in range(_FIRMS * rounds):
            drawn = chance.sample(cards.asked, len(NAMES))
            self._firms.append(Firm({name: cards.card(each) for name, each in zip(NAMES, drawn, strict=True)}))
            answer = _against([each.answer for each in drawn].count(MARKETING))
            asked.append(Asked(answer, str(number), answer, answer == OVER, tuple(each.seen for each in drawn)))
        self._deck = Deck(asked, chance)

    def round(self, weights: Mapping[str, float], length: int = ROUND) -> list[Firm]:
        """The next firms: see `Deck.round`."""
        return [self._firms[int(each.id)] for each in self._deck.round(weights, length)]


def _against(count: int) -> str:
    return ANSWERS[(count > TIER) - (count < TIER) + 1]
