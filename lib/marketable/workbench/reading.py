"""What files look like before they are read, and whether they need to be explained."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from marketable.exports import ColumnMapping, Export
from marketable.exports.previews import Column, facts, preview
from marketable.exports.sources import folded, known_names
from marketable.rulebook import NOT_COVERED

FACTS = {fact: name for fact, name in facts().items() if fact != "deleted"}
"""The facts that a column may be taken for, and what HubSpot calls them in English."""


@dataclass(frozen=True)
class Look:
    """What files look like before they are read: `columns`, each name once; `unknown`, values by fact; `dates`, what is
    not decided about day and month; `recorded`, Record sources that are not known, with their rows.
    """

    columns: tuple[Column, ...]
    unknown: dict[str, tuple[str, ...]]
    dates: str
    recorded: dict[str, int]

    @property
    def has_unknown_words(self) -> bool:
        """Whether there are words that can be told by hand."""
        return bool(self.unknown or self.recorded)

    @property
    def left_out(self) -> tuple[str, ...]:
        """The names of the columns that were taken for nothing."""
        return tuple(column.name for column in self.columns if column.fact is None and column.name.strip())

    def named(self, fact: str) -> str:
        """The files' name for a fact."""
        return next((column.name for column in self.columns if column.fact == fact), FACTS.get(fact, fact))


def look(files: Sequence[Path], mapping: ColumnMapping) -> Look:
    """What files look like. Raises: DataError, for what is no table."""
    seen = [preview(file, mapping=mapping) for file in files]
    columns: dict[str, Column] = {}
    unknown: dict[str, tuple[str, ...]] = {}
    recorded: Counter[str] = Counter()
    for each in seen:
        for column in each.columns:
            columns.setdefault(column.name, column)
        recorded.update(each.recorded)
        for fact, values in each.unknown.items():
            unknown[fact] = tuple(dict.fromkeys((*unknown.get(fact, ()), *values)))
    dates = next((each.dates for each in seen if each.dates), "")
    return Look(tuple(columns.values()), unknown, dates, dict(recorded.most_common()))


def needs_a_mapping(export: Export, mapping: ColumnMapping) -> bool:
    """Whether files that were read under a mapping hold words that are not known, or nothing that could be used.

    It is told by the export alone: to look at large files takes as long as to read them.
    """
    contacts, reasons = export.contacts, export.rejected["reason"].astype("str")
    rejected = reasons.str.contains("can be mapped", regex=False).any()
    recorded = contacts["asset"][contacts["source"].eq(NOT_COVERED)].astype("str").unique()
    known = known_names(mapping.vocabulary().sources)
    strange = any(folded(text) not in known for text in recorded)
    return bool(not len(contacts) or "not known" in export.understood or strange or rejected)
