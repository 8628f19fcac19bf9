"""What the columns of an export are called and what their cells say, in every language that is known.

The shipped names are data with references, `export_columns.yaml`; those of a mapping come before them.
"""

from __future__ import annotations

import datetime as dt
import functools
import re
from collections import Counter
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from marketable import plain_yaml
from marketable.errors import DataError, nearest
from marketable.reading.tables import FilePath
from marketable.rulebook import MARKETING, NON_MARKETING

from .sources import RecordedSource, folded, shipped_sources

STATUS, YES_OR_NO = (MARKETING, NON_MARKETING), ("yes", "no")
NEEDED = {"Record ID": ("record_id", "email"), "Create Date": ("created_at",)}
_SHOWN = 12
_TELLING = 8  # letters, below which a name within another says nothing
_WRAPPED = re.compile(r"^(?:property|properties)[_.]+|(?:__|\.)value$", re.IGNORECASE)

_IN_BRACKETS = re.compile(r"\s*\((?P<zone>[A-Z]{2,5})(?:(?P<hours>[+-]\d{1,2})(?::?(?P<minutes>\d\d))?)?\)\s*$")
_ZERO = ("UTC", "GMT")


def plain(name: str) -> str:
    """A column's name folded, without what a warehouse puts around it.

    >>> {plain(name) for name in ("email", "properties_email", "property_email.value", "EMAIL__VALUE")}
    {'email'}
    """
    return folded(_WRAPPED.sub("", name.strip() if zone_of(name) is None else _IN_BRACKETS.sub("", name)))


def zone_of(name: str) -> dt.timezone | None:
    """The time zone that stands in brackets behind a column's name.

    >>> [str(zone_of(name)) for name in ("Create Date (EDT)", "Create Date (GMT+5:30)", "Email (CRM)")]
    ['UTC-04:00', 'UTC+05:30', 'None']
    """
    found = _IN_BRACKETS.search(name)
    if found is None or found["zone"] not in shipped()["zones"] or (found["hours"] and found["zone"] not in _ZERO):
        return None
    hours = int(found["hours"] or 0) + int(shipped()["zones"][found["zone"]])
    minutes = int(found["minutes"] or 0) * (-1 if (found["hours"] or "").startswith("-") else 1)
    return dt.timezone(dt.timedelta(hours=hours, minutes=minutes)) if abs(hours) < 24 else None


@functools.cache
def shipped() -> dict[str, Any]:
    """`export_columns.yaml`."""
    data, _ = plain_yaml.read(Path(__file__).with_name("export_columns.yaml"), DataError)
    return dict(data)


FACTS = tuple(shipped()["columns"])


@dataclass(frozen=True)
class Vocabulary:
    """Names and values, folded, and what they stand for; entries for recorded sources, the first that fits holding.

    `facts`: from a column's name to the fact it holds, the best names of a fact first. `status`, `yes_or_no`: from a
    cell's text to its meaning. `recorded`: from what a Record source is called to its known name.
    """

    facts: Mapping[str, str]
    status: Mapping[str, str]
    yes_or_no: Mapping[str, str]
    sources: tuple[RecordedSource, ...]
    recorded: Mapping[str, str]

    @classmethod
    def with_own(
        cls,
        columns: Mapping[str, Iterable[str]] | None = None,
        values: Mapping[str, Iterable[str]] | None = None,
        sources: Iterable[RecordedSource] = (),
        recorded: Mapping[str, Iterable[str]] | None = None,
    ) -> Vocabulary:
        """The shipped vocabulary, with names, values and sources of a portal's own before it.

        >>> Vocabulary.with_own({"created_at": ["Angelegt am"]}).columns(["Angelegt am", "property_email"])
        {'email': ['property_email'], 'created_at': ['Angelegt am']}
        """
        facts = {folded(name): fact for fact, names in (columns or {}).items() for name in names}
        for fact, entry in shipped()["columns"].items():
            for names in entry["names"].values():
                for name in names:
                    facts.setdefault(folded(name), fact)
        meanings: dict[tuple[str, ...], dict[str, str]] = {}
        for group in (STATUS, YES_OR_NO):
            told = {folded(text): meaning for meaning in group for text in (values or {}).get(meaning, ())}
            for meaning in group:
                for texts in shipped()["values"][meaning].values():
                    for text in texts:
                        told.setdefault(folded(text), meaning)
            meanings[group] = told
        called = {folded(text): name for name, texts in (recorded or {}).items() for text in texts}
        return cls(facts, meanings[STATUS], meanings[YES_OR_NO], (*sources, *shipped_sources()), called)

    def fact(self, name: str) -> str | None:
        """The fact that a column of this name holds, None where it holds none."""
        known = plain(name)
        return self.facts.get(known) or ("opted_out" if _is_opted_out(known) else None)

    def columns(self, header: Iterable[str]) -> dict[str, list[str]]:
        """For each fact the columns of a header that hold it, the best one first."""
        by_name: dict[str, str] = {}
        for name in header:
            by_name.setdefault(plain(name), name)
        found: dict[str, list[str]] = {}
        for name, fact in self.facts.items():
            if name in by_name:
                found.setdefault(fact, []).append(by_name[name])
        types = [written for name, written in by_name.items() if name not in self.facts and _is_opted_out(name)]
        if types:
            found["opted_out"] = [*found.get("opted_out", ()), *types]
        return {fact: found[fact] for fact in FACTS if fact in found}


@functools.cache
def _opted_out() -> tuple[tuple[str, ...], tuple[str, ...]]:
    told = shipped()["opted_out"]
    return tuple(map(folded, told["begins"])), tuple(map(folded, told["not"]))


def _is_opted_out(name: str) -> bool:
    """Whether a column, its name folded, tells who has opted out of one type of marketing e-mail."""
    begins, others = _opted_out()
    return name.startswith(begins) and name not in others


def needed(columns: Mapping[str, Any], header: list[str], file: FilePath) -> None:
    """Raises a DataError where a needed column is missing; it lists what was found, and says how to map it."""
    for label, facts in NEEDED.items():
        if not columns.keys() & set(facts):
            names = [name[:40] for name in header if name]
            found = f"{', '.join(names[:_SHOWN])}{', …' if len(names) > _SHOWN else ''}"
            raise DataError(
                f"There is no column {label}",
                file=file,
                expected="in the first row Record ID or Email, and Create Date, as HubSpot's exports have them",
                nearest=nearest(label, names),
                advice=f"Found: {found}. If one of them is it, a mapping says so: columns: {{{facts[0]}: [its name]}}.",
            )


def languages(header: Iterable[str]) -> str:
    """The languages of a header's names, that of most of them first: as few as explain all of them.

    >>> languages(["Correo", "Fecha de creación", "hs_object_id"])
    'Spanish, internal names'
    """
    spoken = {plain(name): set[str]() for name in header}
    for entry in shipped()["columns"].values():
        for language, names in entry["names"].items():
            for name in names:
                if folded(name) in spoken:
                    spoken[folded(name)].add(language)
    left, told = [known for known in spoken.values() if known], []
    order = list(shipped()["languages"])
    while left:
        counts = Counter(language for known in left for language in known)
        best = min(counts, key=lambda language: (-counts[language], order.index(language)))
        told.append(shipped()["languages"][best]["name"])
        left = [known for known in left if best not in known]
    return ", ".join(told)


def lacking(columns: Container[str], left_out: Iterable[str], *, with_submissions: bool) -> dict[str, str]:
    """What the columns do not say, and how to get it: from a column that was left out, if its name holds a known one.

    >>> lacking(["status"], ["Our Record source"], with_submissions=False)["no Record source"].split(".")[0]
    'The column “Our Record source” may say it'
    """
    absent = {fact: entry for fact, entry in shipped()["columns"].items() if fact not in columns}
    notes = {
        f"no {_label(fact)}": _perhaps(fact, left_out) or entry["without"]
        for fact, entry in absent.items()
        if "without" in entry and not (with_submissions and fact.endswith("conversion"))
    }
    worth = "; ".join(f"{_label(fact)} ({entry['worth']})" for fact, entry in absent.items() if "worth" in entry)
    return notes | ({"worth adding": worth} if worth else {})


def _perhaps(fact: str, left_out: Iterable[str]) -> str:
    """That a column may say a fact, for its name holds one that is known; blank where none does."""
    known = [folded(name) for names in shipped()["columns"][fact]["names"].values() for name in names]
    near = next(
        (name for name in left_out if any(len(each) >= _TELLING and each in folded(name) for each in known)), ""
    )
    return f"The column “{near}” may say it. If so, a mapping names it: columns: {{{fact}: [{near}]}}." if near else ""


def _label(fact: str) -> str:
    """The English name of the column that holds a fact."""
    return str(next(iter(shipped()["columns"][fact]["names"].values()))[0])
