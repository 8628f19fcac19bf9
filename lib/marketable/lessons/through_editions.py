"""The rulebook through the years: what an edition holds of a tool, how that changed, and which days are disputed."""

from __future__ import annotations

import datetime as dt
import functools
import itertools
from collections.abc import Mapping
from dataclasses import dataclass, replace

import pandas as pd

from marketable.rulebook import Rule, Rulebook
from marketable.views import words

from .story import Story, StoryTouch

FACTS = ("default", "switch", "existing contacts")


@functools.cache
def facts_of(source: str, edition: dt.date) -> Mapping[str, str]:
    """What an edition holds of a tool: default, switch and existing contacts, in words.

    >>> facts_of("chatflow", dt.date(2024, 2, 14))["switch"]
    'one per chatflow'
    """
    held = Rulebook.load().on(edition).table().set_index("source").loc[source]
    return {fact: str(held[fact]) for fact in FACTS}


@dataclass(frozen=True)
class Held:
    """A tool's rule as it held from an edition on, until the next of its history; `changed` names what is new in it.
    Its references are those of the latest edition meant.
    """

    since: dt.date
    rule: Rule
    facts: Mapping[str, str]
    changed: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.rule.name}, since {words.day(self.since)}: {self.in_words}."

    @property
    def in_words(self) -> str:
        """The facts in one line."""
        default, switch, existing = (self.facts[fact] for fact in FACTS)
        return f"default {default}; switch: {switch}; existing contacts {existing}"


def history(source: str) -> list[Held]:
    """A tool's rule through the editions, oldest first: one entry for the first edition and one a change.

    >>> [str(held.since) for held in history("manual") if held.facts["default"] == "non-marketing"]
    ['2021-08-05']
    """
    rulebook = Rulebook.load()
    found: list[Held] = []
    for date in rulebook.editions:
        facts, rule = facts_of(source, date), rulebook.on(date)[source]
        changed = tuple(fact for fact in FACTS if not found or facts[fact] != found[-1].facts[fact])
        if changed:
            found.append(Held(date, rule, facts, changed))
        else:
            found[-1] = replace(found[-1], rule=rule)
    return found


def held(source: str, edition: dt.date) -> Held:
    """The entry of a tool's history that holds in an edition.

    >>> held("meetings_link", dt.date(2024, 2, 14)).in_words
    'default non-marketing; switch: none; existing contacts stay as they are'
    """
    latest = [each for each in history(source) if each.since <= edition][-1]
    return replace(latest, rule=Rulebook.load().on(edition)[source])


def disputed(older: str | dt.date, newer: str | dt.date) -> pd.DataFrame:
    """The days between two editions on which a tool's new contacts are ambiguous, as the engine finds them. On an
    edition's own day that edition holds.

    Returns: source, switch (on, off, or blank where there is none to set), begins and ends (both included), and how the
    edition before and the edition after them read the creation.

    >>> print(disputed("2023-01-19", "2023-06-28")[["source", "begins", "ends"]].to_string(index=False))
               source     begins       ends
               manual 2023-01-20 2023-06-27
    associated_object 2023-01-20 2023-06-27
    """
    rulebook = Rulebook.load()
    first, last = rulebook.pinned(older), rulebook.pinned(newer)
    pairs = itertools.pairwise(date for date in rulebook.editions if first <= date <= last)
    rows = [row for pair in pairs for row in _disputed(*pair)]
    return pd.DataFrame(rows, columns=["source", "switch", "begins", "ends", "before", "after"])


@functools.cache
def _disputed(before: dt.date, after: dt.date) -> list[tuple[str, str, dt.date, dt.date, str, str]]:
    rulebook = Rulebook.load()
    begins, ends = before + dt.timedelta(days=1), after - dt.timedelta(days=1)
    rows = []
    for source in dict.fromkeys(rulebook.changes(before, after)["source"]):
        switched = rulebook.on(before)[source].switch or rulebook.on(after)[source].switch
        for on in (True, False) if switched else (None,):
            story = Story(touches=(StoryTouch(day=begins, tool=source, asset="any", on=on),))
            if story.outcome().ambiguous:
                readings = [story.outcome(date).contacts["status"].iloc[0] for date in (before, after)]
                rows.append((source, {True: "on", False: "off", None: ""}[on], begins, ends, *readings))
    return rows
