"""Rounds of questions, composed of what there is to ask about: each kind that is wanted, nothing twice, and no answer
so often that it could be given without thinking. Kinds that were answered wrong come more often.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

ROUND = 5
MOST = 0.6  # of a round's answers may be the same
HEAVIEST = 9
_STEP, _TRIES, _LOOKED_AT = 3, 500, 8


@dataclass(frozen=True, eq=False)
class Asked:
    """Something to ask about: its kind and id; the right answer; whether it is marketing (None: not covered); and
    what is seen of it apart from its days, of which no two of a round are alike.
    """

    kind: str
    id: str
    answer: str
    marketing: bool | None
    seen: Hashable


class Deck:
    """Arguments: asked, all there is to ask about; chance, which decides what comes next. A deck of nothing is false.

    >>> asked = [Asked(kind, f"{kind}{n}", kind, kind == "on", (kind, n)) for kind in ("on", "off") for n in range(9)]
    >>> drawn = Deck(asked, random.Random(1)).round({})
    >>> len(set(drawn)), {each.kind for each in drawn} == {"on", "off"}
    (5, True)
    """

    def __init__(self, asked: Sequence[Asked], chance: random.Random) -> None:
        self._all = {kind: [each for each in asked if each.kind == kind] for kind in {each.kind: 0 for each in asked}}
        self._left = {kind: list(found) for kind, found in self._all.items()}
        self._chance = chance

    def __bool__(self) -> bool:
        return bool(self._all)

    def round(self, weights: Mapping[str, float], length: int = ROUND) -> list[Asked]:
        """The next questions: each kind at least once, as far as there is room, and further ones by their weights
        (where none is given, 1). What was asked comes again only when what is left gives no such round any more. Where
        nothing gives one, as in an account that uses one tool, the round is what comes nearest.
        """
        for _ in range(2):
            for _ in range(_TRIES):
                drawn = self._drawn(weights, length)
                whole = len({each.kind for each in drawn}) >= min(length, len(self._all))
                if len(drawn) == length and whole and balanced(drawn):
                    for each in drawn:
                        self._left[each.kind].remove(each)
                    return drawn
            self._left = {kind: list(found) for kind, found in self._all.items()}
        return drawn

    def _drawn(self, weights: Mapping[str, float], length: int) -> list[Asked]:
        """Each kind once, those that weigh most first, then further ones; a kind of which only what is alike is left
        gives its place to another.
        """
        kinds = list(self._all)
        self._chance.shuffle(kinds)
        kinds.sort(key=lambda kind: -weights.get(kind, 1))
        weight = [weights.get(kind, 1) for kind in kinds]
        kinds = kinds[:length] + self._chance.choices(kinds, weight, k=2 * length)
        drawn: dict[Hashable, Asked] = {}
        for kind in kinds:
            left = self._left[kind]
            for _ in range(_LOOKED_AT if left else 0):
                each = self._chance.choice(left)
                if each.seen not in drawn:
                    drawn[each.seen] = each
                    break
            if len(drawn) == length:
                break
        return self._chance.sample(list(drawn.values()), len(drawn))


def balanced(drawn: Sequence[Asked]) -> bool:
    """Whether marketing and non-marketing are both there, and no answer is right for more than six of ten.

    >>> balanced([Asked("on", "1", "marketing", True, 1), Asked("off", "2", "non-marketing", False, 2)])
    True
    """
    most = max(Counter(each.answer for each in drawn).values(), default=0)
    return most <= MOST * len(drawn) and {True, False} <= {each.marketing for each in drawn}


def weighed(weights: Mapping[str, float], kind: str, *, right: bool) -> dict[str, float]:
    """The weights after an answer: a kind that was answered wrong weighs three times as much, up to nine, and one that
    was answered right a third, down to one.

    >>> weighed(weighed({}, "access", right=False), "access", right=True)
    {'access': 1.0}
    """
    weight = weights.get(kind, 1)
    weight = max(1.0, weight / _STEP) if right else min(float(HEAVIEST), weight * _STEP)
    return {**weights, kind: weight}
