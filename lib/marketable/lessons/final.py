"""The final test: thirty cases, mixed over everything that the lessons teach."""

from __future__ import annotations

import random

from marketable.portal.portal import Portal

from .cases import cases
from .export import Row, Rows
from .lessons import LessonText, lesson_ids
from .predict import Card, Cards
from .tier import Firm, Firms

STATUSES, FIRMS, ROWS = 24, 3, 3


def questions(portal: Portal, seed: int | str) -> list[Card | Firm | Row]:
    """Contacts of every case, firms to count against a tier, and rows of an export, in any order: the same for the same
    seed.

    >>> len(questions(Portal(), 1))
    30
    """
    count = [case for lesson in lesson_ids() for case in LessonText.load(lesson).practice.count]
    mixed: list[Card | Firm | Row] = [
        *Cards(portal, f"final/{seed}", tuple(cases()), rounds=STATUSES).round({}, STATUSES),
        *Firms(portal, f"final/{seed}", count, rounds=FIRMS).round({}, FIRMS),
        *Rows(portal, f"final/{seed}").round({}, ROWS),
    ]
    random.Random(f"final/{seed}").shuffle(mixed)
    return mixed
