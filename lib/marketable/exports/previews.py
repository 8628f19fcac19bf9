"""A look at an export before it is read: what its columns were taken for, and what it does not say.

It is for making a mapping by hand: unknown columns and values are shown, not refused.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import pandas as pd

from marketable.errors import DataError
from marketable.reading.dates import read_dates
from marketable.reading.tables import FilePath, Table

from .contacts import is_word
from .files import contents_of
from .mapping import ColumnMapping, as_mapping
from .sources import folded, known_names
from .vocabulary import NEEDED, Vocabulary, shipped

_SAMPLES, _UNKNOWN, _RECORDED = 3, 20, 50


@dataclass(frozen=True)
class Column:
    """A column of a file: its name, its first distinct values, and the fact it was taken for (None: for none)."""

    name: str
    samples: tuple[str, ...]
    fact: str | None


@dataclass(frozen=True)
class Preview:
    """What a file looks like.

    `columns`, in the order of the file. `missing`: the needed facts that no column was taken for; Record ID or Email
    does. `unknown`: by fact (status, waiting, unsubscribed, deleted), the values that are not known, the most frequent
    first. `dates`: what is not decided about day and month, blank where nothing is. `rows`: how many there are.
    `understood`: how the file was read. `recorded`: the Record sources that are not known, with their rows, the most
    frequent first; `recorded` of a mapping says which known ones they are.
    """

    columns: tuple[Column, ...]
    missing: tuple[str, ...]
    unknown: dict[str, tuple[str, ...]]
    dates: str
    rows: int
    understood: dict[str, str]
    recorded: dict[str, int]


def preview(path: FilePath, *, mapping: ColumnMapping | FilePath | None = None) -> Preview:
    r"""What the columns of a file were taken for, and what is not known of it.

    Arguments: path, of an export; mapping, the names that were mapped so far.
    Raises: DataError, for what is no table; unknown columns and values are no fault.

    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp(), "contacts.csv")
    >>> _ = path.write_text("Correo,Angelegt am,Estado del contacto de marketing\na@b.c,2024-03-01,perhaps\n")
    >>> seen = preview(path)
    >>> [column.fact for column in seen.columns], seen.missing, seen.unknown
    (['email', None, 'status'], ('created_at',), {'status': ('perhaps',)})
    """
    own = as_mapping(mapping)
    vocabulary = own.vocabulary()
    table = _whole(path, vocabulary)
    header = [str(name) for name in table.frame]
    found = vocabulary.columns(header)
    facts = {name: fact for fact, names in found.items() for name in names}
    names = [name for name in table.names if name] or header
    columns = tuple(Column(name, _samples(table.frame.get(name)), facts.get(name)) for name in names)
    missing = tuple(wanted[0] for wanted in NEEDED.values() if not found.keys() & set(wanted))
    unknown = {}
    for fact, known in (
        ("status", vocabulary.status),
        ("waiting", vocabulary.yes_or_no),
        ("unsubscribed", vocabulary.yes_or_no),
        ("deleted", vocabulary.yes_or_no),
    ):
        strange = tuple(text for text in _counts(table, found.get(fact, [])) if text and folded(text) not in known)
        if strange:
            unknown[fact] = strange[:_UNKNOWN]
    told = _counts(table, found.get("record_source", []))
    called = known_names(vocabulary.sources) | vocabulary.recorded.keys()
    strangers = [text for text in told if folded(text) not in called]
    recorded = {text: told[text] for text in strangers[:_RECORDED]}
    dated = {names[0]: table.frame[names[0]].str.strip() for fact, names in found.items() if fact.endswith("_at")}
    undecided = _undecided(dated, own.dates)
    rows = len({*table.frame.index, *table.rejected["row"]})
    return Preview(columns, missing, unknown, undecided, rows, table.understood, recorded)


def facts() -> dict[str, str]:
    """The facts that a column may be taken for, with the name HubSpot gives it in English.

    >>> facts()["created_at"]
    'Create Date'
    """
    return {fact: next(iter(entry["names"].values()))[0] for fact, entry in shipped()["columns"].items()}


def _whole(path: FilePath, vocabulary: Vocabulary) -> Table:
    """The file with all columns whose names tell them apart; those that nobody wants may bear any names."""
    table = contents_of(path, vocabulary.fact, None).table
    names = Counter(name.casefold() for name in table.names)
    found = names and len(vocabulary.columns(map(str, table.frame))) > 1  # so the header is where it was found

    def wanted(name: str) -> str | None:
        is_wanted = name.strip() and (not found or names[name.strip().casefold()] == 1)
        return (vocabulary.fact(name) or name) if is_wanted else None

    try:
        return contents_of(path, wanted, None).table
    except DataError:
        return table


def _counts(table: Table, names: list[str]) -> dict[str, int]:
    """The words that stand in columns, and how often, the most frequent first."""
    counts: Counter[str] = Counter()
    for name in names:
        found = table.frame[name].str.strip().value_counts(sort=False)
        counts.update({text: int(rows) for text, rows in zip(found.index.astype(str), found, strict=True)})
    return {text: rows for text, rows in counts.most_common() if is_word(text)}


def _samples(cells: pd.Series[Any] | None) -> tuple[str, ...]:
    texts = () if cells is None else cells[cells != ""].unique()[:_SAMPLES]
    return tuple(str(text) for text in texts)


def _undecided(columns: dict[str, pd.Series[str]], order: str | None) -> str:
    try:
        read_dates(columns, order)
    except DataError as fault:
        return str(fault)
    return ""
