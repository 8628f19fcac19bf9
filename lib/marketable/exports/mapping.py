"""A portal's own names: which column of its exports holds what, what its cells say, in which order its dates stand.

A mapping is what `mapping.yaml` says: it is made once, for an export in a language that is not known yet or with
columns renamed, saved, and given to `read_export` ever after. It is checked whole when it is made.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, field_validator

from marketable.errors import MappingError, nearest
from marketable.reading.dates import DAY_FIRST, MONTH_FIRST
from marketable.reading.tables import FilePath
from marketable.settings import Settings, fault

from .sources import RecordedSource, Texts, folded, one_of, recorded_sources
from .vocabulary import FACTS, STATUS, YES_OR_NO, Vocabulary

ORDERS = (DAY_FIRST, MONTH_FIRST)


def _blank(value: object) -> object:
    return {} if value in ("", None) else value


def _order(value: object) -> object:
    return None if value in ("", None) else one_of(ORDERS)(value)


Names = Annotated[Mapping[str, Texts], BeforeValidator(_blank)]


class ColumnMapping(Settings):
    """The names of one portal's exports.

    Arguments: columns, from a fact to the file's names for it, the best first: `{"created_at": ["Angelegt am"]}`; the
    facts are those of `export_columns.yaml` (record_id, email, created_at, status …). values, what cells say, from
    marketing, non-marketing, yes or no to texts. sources, entries as in `record_sources.yaml`, which come before the
    shipped ones: recorded, source, certainty, and if wanted detail_begins, drill_down, created_from, asset, why.
    recorded, what a known Record source is called in this portal's language, `{"FORM": ["Formular"]}`; the known ones
    are those of `recorded_sources`. dates, `day first` or `month first`.

    Raises: MappingError, for unknown names (with the nearest valid one), for a name that stands for two facts or
    meanings, and for values that are not what they should be.

    >>> mapping = ColumnMapping(columns={"created_at": "Angelegt am"}, dates="day first")
    >>> print(mapping.text(), end="")
    columns:
      created_at:
      - Angelegt am
    dates: day first
    """

    error = MappingError

    columns: Names = Field(default_factory=dict)
    values: Names = Field(default_factory=dict)
    sources: Annotated[tuple[RecordedSource, ...], BeforeValidator(lambda value: value or ())] = ()
    recorded: Names = Field(default_factory=dict)
    dates: Annotated[str | None, BeforeValidator(_order)] = None

    @field_validator("columns")
    @classmethod
    def _columns(cls, columns: Mapping[str, tuple[str, ...]]) -> Mapping[str, tuple[str, ...]]:
        return _told_once(columns, FACTS)

    @field_validator("values")
    @classmethod
    def _values(cls, values: Mapping[str, tuple[str, ...]]) -> Mapping[str, tuple[str, ...]]:
        return _told_once(values, STATUS, YES_OR_NO)

    @field_validator("recorded")
    @classmethod
    def _recorded(cls, recorded: Mapping[str, tuple[str, ...]]) -> Mapping[str, tuple[str, ...]]:
        return _told_once(recorded, tuple(recorded_sources()))

    def vocabulary(self) -> Vocabulary:
        """The shipped names and values, with those of the mapping before them."""
        return Vocabulary.with_own(self.columns, self.values, self.sources, self.recorded)


def as_mapping(mapping: ColumnMapping | Mapping[str, Any] | FilePath | None) -> ColumnMapping:
    """The mapping that is meant: itself, one of settings, of a file, or none of its own."""
    if isinstance(mapping, ColumnMapping):
        return mapping
    if mapping is None or isinstance(mapping, Mapping):
        return ColumnMapping(**(mapping or {}))
    return ColumnMapping.load(mapping)


def _told_once(told: Mapping[str, tuple[str, ...]], *groups: tuple[str, ...]) -> Mapping[str, tuple[str, ...]]:
    """The names, if each stands under a known key, and no name under two keys of a group."""
    known = [key for group in groups for key in group]
    for key in told:
        if key not in known:
            expected = f"one of {', '.join(known)}"
            problem = "This name is not known here"
            raise fault(problem, place=(key,), value=key, expected=expected, nearest=nearest(key, known))
    for group in groups:
        meant: dict[str, str] = {}
        for key in group:
            for name in told.get(key, ()):
                if not name.strip():
                    raise fault("A name must not be blank", place=(key,), value=name)
                if meant.setdefault(folded(name), key) != key:
                    problem = f"This name stands for {meant[folded(name)]} already"
                    raise fault(problem, place=(key,), value=name, expected="each name once")
    return told
