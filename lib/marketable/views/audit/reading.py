"""How the audit reads what was chosen: the one place that knows how exports are read and looked at."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ...inputs.exports import ColumnMapping, Export, read_export
from ...inputs.exports.files import submissions_of
from ...inputs.exports.previews import Column, facts, preview

FACTS = {fact: name for fact, name in facts().items() if fact != "deleted"}
"""The facts that a column may be taken for, and what HubSpot calls them in English."""


@dataclass(frozen=True)
class Look:
    """What files look like before they are read: `columns`, each name once; `missing`, the needed facts that no column
    of some file was taken for; `unknown`, values by fact; `dates`, what is not decided about day and month.
    """

    columns: tuple[Column, ...]
    missing: tuple[str, ...]
    unknown: dict[str, tuple[str, ...]]
    dates: str


def read(files: Sequence[Path], mapping: ColumnMapping, progress: Callable[[int, int, str], None]) -> Export:
    """The export in some files. Fivetran's table of form submissions is read with its table of contacts."""
    submissions = submissions_of(files[0]) if len(files) == 1 else None
    return read_export(files, mapping=mapping, submissions=submissions, progress=progress)


def look(files: Sequence[Path], mapping: ColumnMapping) -> Look:
    """What files look like. Raises: DataError, for what is no table."""
    seen = [preview(file, mapping=mapping) for file in files]
    columns: dict[str, Column] = {}
    unknown: dict[str, tuple[str, ...]] = {}
    for each in seen:
        for column in each.columns:
            columns.setdefault(column.name, column)
        for fact, values in each.unknown.items():
            unknown[fact] = tuple(dict.fromkeys((*unknown.get(fact, ()), *values)))
    missing = tuple(fact for fact in FACTS if any(fact in each.missing for each in seen))
    return Look(tuple(columns.values()), missing, unknown, next((each.dates for each in seen if each.dates), ""))
