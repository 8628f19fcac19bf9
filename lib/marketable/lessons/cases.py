"""The kinds of contacts that practice asks about, and the cases of each: what happens to a contact, as `cases.yaml`
says it.
"""

from __future__ import annotations

import functools
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Literal

from marketable.errors import UnknownNameError, nearest
from marketable.plain_yaml import read
from marketable.rulebook import ACTIONS, NOT_COVERED, SOURCES, Rulebook
from marketable.settings import Strict, validate

from .story import LessonError

FILE = Path(__file__).with_name("cases.yaml")
SAME = "the same"


class Step(Strict):
    """One touch of a case: a tool, or a group of tools; how its switch is (None: as it comes, if there is one); when.

    Without `when` it is in the weeks before the update date that matters, by the newest rules.
    """

    tool: str
    on: bool | None = None
    when: Literal["before access", "by another rule", "before the update date", "since the update date"] | None = None


class Kind(Strict):
    """A kind of contact: what its status rests on, in words; the lesson about it; its cases, by name."""

    says: str
    lesson: str
    cases: Mapping[str, tuple[Step, ...]] = {}


@functools.cache
def kinds() -> Mapping[str, Kind]:
    """The kinds, by the names under which progress counts them."""
    return {name: validate(Kind, kind, LessonError, {}, FILE) for name, kind in read(FILE, LessonError)[0].items()}


@functools.cache
def cases() -> Mapping[str, tuple[Step, ...]]:
    """All cases, by name."""
    return {name: steps for kind in kinds().values() for name, steps in kind.cases.items()}


KINDS: Mapping[str, str] = {name: kind.says for name, kind in kinds().items()}


def kind_of(case: str) -> str:
    """The kind of a case. Raises: UnknownNameError for another name.

    >>> kind_of("waiting")
    'update_date'
    """
    for name, kind in kinds().items():
        if case in kind.cases:
            return name
    near = nearest(case, cases())
    raise UnknownNameError("There is no such case", value=case, expected=f"one of {', '.join(cases())}", nearest=near)


def tools_of(group: str, taught: Collection[str] = SOURCES) -> tuple[str, ...]:
    """The tools of a group by the newest rules, or the one of that name, among those that were taught already.

    >>> tools_of("upgrading")
    ('hubspot_form', 'non_hubspot_form', 'import_single_object')
    """
    rulebook = Rulebook.load()

    def belongs(source: str) -> bool:
        rule, editions = rulebook.newest[source], (rulebook.on(date)[source] for date in rulebook.editions)
        said = {(each.default, each.switch) for each in editions if each.reference.trust != "silent"}
        return {
            source: True,
            "any": rule.default != NOT_COVERED,
            "fixed": not rule.switch and rule.default != NOT_COVERED,
            "silent": rule.default == NOT_COVERED,
            "switched": rule.switch is not None,
            "upgrading": rule.upgrades_existing,
            "for new contacts": rule.switch is not None and not rule.upgrades_existing,
            "changed": len(said) > 1,
        }.get(group, False)

    return (group,) if group in ACTIONS else tuple(filter(belongs, (each for each in SOURCES if each in taught)))
