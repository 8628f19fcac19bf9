"""Two exports compared, for people: what changed between their days, as sentences, tables and a page."""

from __future__ import annotations

import html
import json
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from marketable.auditing import Changes
from marketable.exports.files import SUFFIXES
from marketable.paths import write_whole
from marketable.views.document import document
from marketable.views.tables import csv, html_table
from marketable.views.words import discreet

_REPORT = {"parameters", "checksums"}
_MOST = 60
COLUMNS = {"HubSpot": "HubSpot's own statuses", "rules": "by the rules"}


def is_export(path: str | Path) -> bool:
    """Whether a path is one of an export, and not of a report's page or figures."""
    path = Path(path).expanduser()
    if path.is_dir() or path.suffix.lower() not in SUFFIXES:
        return path.is_dir()
    if path.suffix.lower() != ".json":
        return True
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError):
        return False  # whoever reads it as a report says what is wrong
    return not (isinstance(content, dict) and content.keys() & _REPORT)


def lines(found: Changes) -> Iterator[str]:
    """The changes in lines of text: in a sentence, then number by number."""
    yield discreet(str(found))
    for what, row in found.counts.iterrows():
        yield f"{row['HubSpot']:+12,d}  {what} (by the rules {row['rules']:+,d})"
    for name, contacts in found.through.items():
        yield f"{contacts:12,d}  became marketing through {discreet(str(name))}"


def page(found: Changes, title: str) -> str:
    """The changes as a page of HTML that needs nothing else. No contact is named in it."""
    counts = found.counts.rename(columns=COLUMNS).rename_axis("contacts").reset_index()
    through = found.through.rename(discreet).reset_index()
    tables = html_table(counts, "Marketing contacts: the first and what changed sum to the last.")
    if len(through):
        tables += html_table(through, "What made contacts marketing, as far as it is told.", most=_MOST)
    return document(title, f'<p class="mk-lead"><strong>{html.escape(discreet(str(found)))}</strong></p>{tables}')


def write_contacts(found: Changes, file: Path) -> None:
    """Writes the contacts that changed as a csv, whole or not at all: by their ids, without addresses."""
    rows: pd.DataFrame = found.contacts.rename(columns={"contact_id": "Record ID"})
    by_address = rows["Record ID"].str.contains("@", regex=False)
    write_whole(file, csv(rows.assign(**{"Record ID": rows["Record ID"].mask(by_address, "")})))
