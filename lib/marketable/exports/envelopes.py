"""Contacts in whatever JSON a program hands them out, unwrapped: a table of text, the histories, and the forms.

What matters is the contact, not what it is wrapped in: a page of API v3, an answer of v1, one answer within another, a
stream's records, lines. So the contacts are looked for wherever they stand, and their properties may stand beside or
within them, each as a value or as an object with its value.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from marketable.errors import DataError
from marketable.reading.tables import REJECTED, Budget, FilePath, Table, cell_text, first_faults

_EXPECTED = 'contacts of API v3, {"results": [{"id": …, "properties": {…}}]}'
_NO_TEXT = re.compile("[\0\ud800-\udfff]")
_BLANK = re.compile(r"[ \t\r\n]*")
_DEEPEST = 12
_CELLS_A_MARK = 8
_NO_CONTACT = "This is no contact of API v3"
_FORM = "createMarketableContact"
HISTORY = ("row", "value", "timestamp", "source", "source_id")


@dataclass(frozen=True, eq=False)
class Contents:
    """What a file holds: a `table` of contacts; the `history` of their statuses (HISTORY: the contact's row, and what
    each version says), all text; and `forms` of API v2, as they stand.
    """

    table: Table
    history: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=list(HISTORY), dtype="str"))
    forms: tuple[Mapping[str, Any], ...] = ()


def is_json(data: bytes) -> bool:
    """Whether a file that begins so is JSON, and not a table."""
    return _decoded(data, "ignore").lstrip().startswith(("{", "["))


def unwrapped(data: bytes, path: FilePath, fact: Callable[[str], str | None]) -> Contents:
    """The contacts of a JSON file as a table of text, its rows numbered from 1, with their histories; or its forms.

    Arguments: data, one document or several; path, for messages; fact, what a property of this name tells, None where
    it is not wanted.
    Raises: DataError, for what is no JSON, or holds neither contacts nor forms.
    """
    fact = functools.cache(fact)
    roots = list(_documents(data, path))
    things = [thing for root in roots for thing in _things(root, fact)]
    forms = tuple(thing for thing in things if _is_form(thing))
    contacts = [thing for thing in things if not _is_form(thing)]
    if not forms and (not roots or contacts) and not any(_is_contact(thing, fact) for thing in contacts):
        raise DataError("There are no contacts in it", file=path, value=_shown(roots), expected=_EXPECTED)
    rows: dict[int, dict[str, str]] = {}
    versions: list[tuple[object, ...]] = []
    faults: list[tuple[int, str, str, str]] = []
    for number, contact in enumerate(contacts, start=1):
        if not _is_contact(contact, fact):
            faults.append((number, "properties", "", _NO_CONTACT))
            continue
        cells, history = _told(contact, fact)
        spoilt = next((name for name, text in cells.items() if _NO_TEXT.search(text)), None)
        if spoilt is not None:
            value = cells[spoilt].encode("utf-8", "backslashreplace").decode()
            faults.append((number, spoilt, value, "The cell holds characters that are no text"))
            continue
        rows[number] = cells
        versions += ((number, *version) for version in history)
    names = dict.fromkeys(name for cells in rows.values() for name in cells) or ["id", "createdate"]
    columns = {name: [cells.get(name, "") for cells in rows.values()] for name in names}
    frame = pd.DataFrame(columns, index=pd.Index(list(rows), dtype="int64"), dtype="str")
    frame.index.name = "row"
    rejected = first_faults(pd.DataFrame(faults, columns=list(REJECTED)))
    table = Table(frame, rejected, {"format": "JSON of API v3", "encoding": "UTF-8"})
    return Contents(table, pd.DataFrame(versions, columns=list(HISTORY)).astype({"row": "int64"}), forms)


def _documents(data: bytes, path: FilePath) -> Iterator[Any]:
    """The documents of a file, which stand one behind the other."""
    marks = sum(data.count(mark) for mark in b",[{")
    Budget(path, len(data)).check(len(data), _CELLS_A_MARK * marks)  # what is made of each takes so much memory
    try:
        text = _decoded(data, "strict")
        decoder, at = json.JSONDecoder(), _BLANK.match(text).end()  # type: ignore[union-attr]
        while at < len(text):
            document, end = decoder.raw_decode(text, at)
            yield document
            at = _BLANK.match(text, end).end()  # type: ignore[union-attr]
    except (ValueError, RecursionError) as fault:
        raise DataError(f"This is not JSON ({fault})", file=path, expected=_EXPECTED) from None


def _decoded(data: bytes, errors: str) -> str:
    """The text, whichever Unicode it is written in."""
    return data.decode(json.detect_encoding(data), errors).removeprefix("\ufeff")


def _things(node: Any, fact: Callable[[str], str | None], deeper: int = _DEEPEST) -> list[Any]:
    """What a document wraps: its contacts and forms, or what stands in their place."""
    if isinstance(node, list) and deeper:
        return [thing for each in node for thing in _things(each, fact, deeper - 1)]
    if not isinstance(node, dict) or not deeper or _is_form(node) or _is_contact(node, fact):
        return [node]
    inner: list[Any] = [each for each in node.values() if isinstance(each, list)]
    inner = inner or [each for each in node.values() if isinstance(each, dict)]
    if not inner or (len(inner) > 1 and not any(inner)):
        return [node]
    found = [_things(each, fact, deeper - 1) for each in inner]
    # Beside the contacts may stand what is about the answer: its pages, its errors.
    holding = [each for each in found if any(_is_form(thing) or _is_contact(thing, fact) for thing in each)]
    return [thing for each in holding or found for thing in each]


def _is_form(node: Any) -> bool:
    return isinstance(node, dict) and "guid" in node and (_FORM in node or "formType" in node)


def _is_contact(node: Any, fact: Callable[[str], str | None]) -> bool:
    if not isinstance(node, dict):
        return False
    if "properties" in node or "propertiesWithHistory" in node:
        return isinstance(node.get("properties", {}), dict)
    told = {fact(name) for name, value in node.items() if not isinstance(value, list)} - {None}
    return "created_at" in told and bool(told & {"record_id", "email"})


def _told(contact: dict[str, Any], fact: Callable[[str], str | None]) -> tuple[dict[str, str], list[tuple[str, ...]]]:
    """A contact's cells by their names, and the versions of its status."""
    given = contact.get("propertiesWithHistory")
    histories = {name: _past(each) for name, each in given.items()} if isinstance(given, dict) else {}
    latest = {name: each[0].get("value") for name, each in histories.items() if each}
    cells: dict[str, str] = {}
    past: list[tuple[str, ...]] = []
    for name, value in (latest | contact | contact.get("properties", {})).items():
        told = fact(name)
        if told is None:
            continue
        versions = histories.get(name, [])
        if isinstance(value, dict):
            versions, value = _past(value.get("versions", versions)), value.get("value", value)
        if told == "status":
            past += [_version(each) for each in versions]
        if isinstance(value, list) and told.startswith("merged"):
            value = ";".join(map(cell_text, value))
        if not isinstance(value, (dict, list)):
            cells[name] = cell_text(value)
    return cells, past


def _past(versions: Any) -> list[dict[str, Any]]:
    """The versions of a property, without what is none."""
    return [each for each in versions if isinstance(each, dict)] if isinstance(versions, list) else []


def _version(version: dict[str, Any]) -> tuple[str, ...]:
    """What one version says: value, timestamp, source, source_id."""
    names = (("value",), ("timestamp",), ("sourceType", "source-type"), ("sourceLabel", "sourceId", "source-id"))
    texts = (next((version[name] for name in each if version.get(name) not in (None, "")), "") for each in names)
    return tuple(_NO_TEXT.sub("\N{REPLACEMENT CHARACTER}", cell_text(text)) for text in texts)


def _shown(roots: list[Any]) -> object:
    root = roots[0] if roots else ""
    return list(root) if isinstance(root, dict) else root
