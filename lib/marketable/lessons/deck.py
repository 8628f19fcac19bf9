"""Contacts to ask about, by kind: none twice before all of its kind have come. Kinds that were answered wrong come
more often.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any

HEAVIEST = 9
_STEP = 3


class Deck:
    """Arguments: ids, the contacts of each kind; chance, which decides who comes next.

    Attributes: ids. A deck without contacts is false, and nothing can be drawn from it.

    >>> deck = Deck({"fixed": ["1", "2"], "access": []}, random.Random(1))
    >>> sorted(deck.draw({}) for _ in range(2))
    [('fixed', '1'), ('fixed', '2')]
    """

    def __init__(self, ids: Mapping[str, Sequence[Any]], chance: random.Random) -> None:
        self.ids = {kind: tuple(found) for kind, found in ids.items()}
        self._left = {kind: list(found) for kind, found in self.ids.items() if found}
        self._chance = chance

    def __bool__(self) -> bool:
        return bool(self._left)

    def draw(self, weights: Mapping[str, float]) -> tuple[str, Any]:
        """A kind, drawn by its weight, where none is given 1, and one of its contacts."""
        kinds = list(self._left)
        (kind,) = self._chance.choices(kinds, [weights.get(kind, 1) for kind in kinds])
        left = self._left[kind] = self._left[kind] or list(self.ids[kind])
        return kind, left.pop(self._chance.randrange(len(left)))


def weighed(weights: Mapping[str, float], kind: str, *, right: bool) -> dict[str, float]:
    """The weights after an answer: a kind that was answered wrong weighs three times as much, up to nine, and one that
    was answered right a third, down to one.

    >>> weighed(weighed({}, "access", right=False), "access", right=True)
    {'access': 1.0}
    """
    weight = weights.get(kind, 1)
    weight = max(1.0, weight / _STEP) if right else min(float(HEAVIEST), weight * _STEP)
    return {**weights, kind: weight}
