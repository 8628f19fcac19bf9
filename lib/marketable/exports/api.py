"""Contacts as HubSpot's API v3 hands them out: a page, pages, or lines of JSON, as a table of text."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pandas as pd

from marketable.errors import DataError
from marketable.reading.tables import REJECTED, Budget, FilePath, Table, cell_text, first_faults

_EXPECTED = 'contacts of API v3, {"results": [{"id": …, "properties": {…}}]}'
_NO_TEXT = re.compile("[\0\ud800-\udfff]")
_CELLS_A_MARK = 8
_BLANK = re.compile(r"[ \t\r\n]*")


def is_json(data: bytes) -> bool:
    """Whether a file that begins so is JSON, and not a table."""
    return data.lstrip(b"\xef\xbb\xbf \t\r\n").startswith((b"{", b"["))


def api_contacts(data: bytes, path: FilePath, wanted: Callable[[str], bool]) -> Table:
    """The contacts in responses of API v3 as a table of text, its rows numbered from 1.

    Archived contacts are rejected, and in the frame all the same: whom they are matters to older files.

    Arguments: data, a response (a page), a list of pages or of contacts, or lines each of which is one of these; path,
    for messages; wanted, whether a property of this name is.
    Raises: DataError, for what is no JSON, or holds no contacts.
    """
    roots = list(_documents(data, path))
    if not any(
        isinstance(root, list) or (isinstance(root, dict) and root.keys() & {"results", "properties"}) for root in roots
    ):
        raise DataError("There are no contacts in it", file=path, value=_shown(roots[0]), expected=_EXPECTED)
    rows: dict[int, dict[str, str]] = {}
    faults: list[tuple[int, str, str, str]] = []
    for number, contact in enumerate(_contacts(roots), start=1):
        properties = contact.get("properties") if isinstance(contact, dict) else None
        if not isinstance(properties, dict):
            faults.append((number, "properties", "", "This is no contact of API v3"))
            continue
        told = (contact | properties).items()
        cells = {name: cell_text(value) for name, value in told if wanted(name) and not isinstance(value, (dict, list))}
        spoilt = next((name for name, text in cells.items() if _NO_TEXT.search(text)), None)
        if spoilt is not None:
            value = cells[spoilt].encode("utf-8", "backslashreplace").decode()
            faults.append((number, spoilt, value, "The cell holds characters that are no text"))
            continue
        rows[number] = cells
        if contact.get("archived"):
            faults.append((number, "archived", "true", "The contact is archived"))
    names = dict.fromkeys(name for cells in rows.values() for name in cells) or ["id", "createdate"]
    columns = {name: [cells.get(name, "") for cells in rows.values()] for name in names}
    frame = pd.DataFrame(columns, index=pd.Index(list(rows), dtype="int64"), dtype="str")
    frame.index.name = "row"
    rejected = first_faults(pd.DataFrame(faults, columns=list(REJECTED)))
    return Table(frame, rejected, {"format": "JSON of API v3", "encoding": "UTF-8"})


def _documents(data: bytes, path: FilePath) -> Iterator[Any]:
    """The documents of a file, which stand one behind the other."""
    marks = sum(data.count(mark) for mark in b",[{")
    Budget(path, len(data)).check(len(data), _CELLS_A_MARK * marks)  # what is made of each takes so much memory
    try:
        text = data.decode("utf-8-sig")
        decoder, at = json.JSONDecoder(), _BLANK.match(text).end()  # type: ignore[union-attr]
        while at < len(text):
            document, end = decoder.raw_decode(text, at)
            yield document
            at = _BLANK.match(text, end).end()  # type: ignore[union-attr]
    except (ValueError, RecursionError) as fault:
        raise DataError(f"This is not JSON ({fault})", file=path, expected=_EXPECTED) from None


def _contacts(roots: list[Any]) -> Iterator[Any]:
    for root in roots:
        for page in root if isinstance(root, list) else [root]:
            results = page.get("results") if isinstance(page, dict) else None
            yield from results if isinstance(results, list) else [page]


def _shown(root: Any) -> object:
    return list(root) if isinstance(root, dict) else root
