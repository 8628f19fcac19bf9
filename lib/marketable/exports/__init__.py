"""HubSpot's own copies of its contacts: who exists, what created them, which forms they sent, what their status is.

A copy is a contacts export (csv or xlsx, with labels of many languages or internal names), the JSON of API v3, the
tables of a warehouse (Fivetran), or several of these put together. Which column holds what is found by the names in
`export_columns.yaml` and in a mapping of the reader's own; which tool a recorded source stands for, and how certain
that is, in `record_sources.yaml`. Every contact and every submission that is read is used, or rejected with a reason.
"""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from marketable.errors import DataError
from marketable.reading.dates import of_one_kind
from marketable.reading.tables import FilePath, raise_first
from marketable.reading.touches import as_touches

from .contacts import Rows, rows_of
from .conversions import apart_from_creations, conversions_of, submissions_of_contacts
from .files import (
    BY_DAY,
    WHY,
    Progress,
    Together,
    contents_of,
    day_of,
    files_of,
    is_repeated,
    labels_of,
    newest_first,
    tables_beside,
    together,
)
from .forms import forms_of
from .mapping import ColumnMapping, as_mapping
from .previews import Preview, preview
from .sources import CERTAINTIES, Tool, form_name, recorded_sources, tool_of, why
from .statuses import history_table, no_statuses, recorded_of
from .vocabulary import Vocabulary, lacking

__all__ = [
    "CERTAINTIES",
    "ColumnMapping",
    "Export",
    "Preview",
    "Tool",
    "form_name",
    "preview",
    "read_export",
    "recorded_sources",
    "tool_of",
    "why",
]

_CONTACTS = ["created_at", "source", "asset", "certainty", "status", "waiting"]
_NOBODY = pd.DataFrame(columns=["contact_id", "why", "into"]).astype({"contact_id": "str", "why": WHY, "into": "str"})
_DETAILS = ["unsubscribed", "bounced", "invalid", "quarantined", "opted_out", "unconfirmed", "sends_unanswered"]
_DETAILS += ["no_address", "mailed_at", "form_submissions", "status_source"]


@dataclass(frozen=True, eq=False)
class Export:
    """What a copy of the contacts tells.

    `contacts`: index contact_id; created_at (see `read_times`), source and asset (what created the contact), certainty
    (certain, likely, ambiguous, not covered), status (marketing, non-marketing, missing where the copy does not say),
    waiting (bool: becomes non-marketing at the next update date).
    `touches`: a batch: each contact's creation, in the order of the file, then the form submissions that are told of.
    `rejected`: row, column, value, reason; a JSON's rows are its contacts, from 1; a row of another file is named so,
    and where there are several files, every row is. A row that repeats a contact is no fault: its reason has
    `files.REPEATED` in it.
    `rows_read`: rows of contacts in the files: used, gone and rejected. `submissions_read`: those of the table of
    submissions, used and rejected.
    `understood`: what the files were taken for, and what they lack, for display. `emails`: index contact_id, the
    contact's e-mail, trimmed and in lower case; blank where there is none. It is here to find a contact by, and nowhere
    else.
    `details`: index contact_id, and of these columns those that all files with contacts have: unsubscribed (bool),
    bounced (bool: there is a reason for a hard bounce), invalid, quarantined (bool: the address), opted_out (bool: of
    each type of marketing e-mail), unconfirmed (bool: its double opt-in is pending), sends_unanswered (int: marketing
    e-mails since it last opened or clicked one), no_address (bool), mailed_at (the last marketing e-mail sent, missing
    where there was none), form_submissions (int), status_source (text: what set the status, as HubSpot recorded it,
    "FORM: Newsletter"). `day`: the day of the export, the latest in the files' names; None where they name none.
    `statuses`: what is recorded of how statuses came about, by contact in the order of time: contact_id, at (NaT: not
    told), earliest and latest (between which it happened; NaT: not told), status, cause (one of `statuses.CAUSES`,
    missing where none is told), detail (which form, workflow, import or app), recorded_in.
    `gone`: contacts that are no more, and do not count: contact_id, why (merged, deleted, archived, not in the newest
    file), into (the contact that has absorbed it, else blank).
    `switches`: the switches of forms, as the account's own forms have them: what a Portal is given as its switches.
    """

    contacts: pd.DataFrame
    touches: pd.DataFrame
    rejected: pd.DataFrame
    rows_read: int
    submissions_read: int
    understood: dict[str, str]
    emails: pd.Series[str]
    details: pd.DataFrame
    day: dt.date | None = None
    statuses: pd.DataFrame = field(default_factory=no_statuses)
    gone: pd.DataFrame = field(default_factory=lambda: _NOBODY)
    switches: dict[str, dict[str, bool] | bool] = field(default_factory=dict)


def read_export(
    path: FilePath | Iterable[FilePath],
    *,
    mapping: ColumnMapping | Mapping[str, object] | FilePath | None = None,
    dates: str | None = None,
    submissions: FilePath | None = None,
    forms: Mapping[str, str] | FilePath | None = None,
    strict: bool = False,
    progress: Progress | None = None,
) -> Export:
    r"""The contacts and touches in a copy of HubSpot's contacts, in one file or in several.

    Arguments: path, of a contacts export (csv, xlsx), of contacts of the API in whatever JSON a program wraps them,
    of a warehouse's table of contacts (csv, parquet), or of forms of API v2 (JSON), whose names and switches they
    tell; a folder of such files, or several of them, in which the same contact is used once: from the newest, by the
    day in the file's name, else by the latest moment it tells. A warehouse's tables contact_form_submission,
    contact_property_history and form among them are read with their contacts. Needed are Record ID or Email, and
    Create Date. mapping, names of columns and values that are this portal's own: a ColumnMapping, its settings, or
    the path of a mapping.yaml. dates, `day first` or `month first`, where the dates do not tell it and the mapping
    does not. submissions, Fivetran's table contact_form_submission (timestamp, form_id, contact_id): as it tells of
    all submissions, First and Recent Conversion are left aside. forms, names of forms by form_id: a mapping or
    Fivetran's table form (guid, name); a form not named there bears the name of the contacts it created, else its
    form_id. strict: whether a rejected row is an error. progress, called with what is done, of how much, and what it
    is.
    Returns: an Export.
    Raises: DataError, for a file that is no table or lacks a needed column, for dates whose order is not decided, and
    if strict for the first rejected row; MappingError, for a mapping that is not valid.

    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp(), "contacts.csv")
    >>> _ = path.write_text("Email,Create Date,Record source,Record source detail 1\na@b.c,2024-03-01,FORM,Demo\n")
    >>> read_export(path).contacts[["source", "asset", "certainty"]].values.tolist()
    [['hubspot_form', 'Demo', 'certain']]
    """
    if forms is not None and submissions is None:
        raise DataError("Names of forms are of no use without submissions", advice="Give submissions too.")
    path = path if isinstance(path, (str, os.PathLike)) else list(path)
    own, files, beside = as_mapping(mapping), files_of(path), tables_beside(path)
    submissions = submissions or beside.get("submissions")
    forms = forms if forms is not None or submissions is None else beside.get("forms")
    labels, vocabulary = labels_of(files), own.vocabulary()
    parts = [
        _part(file, label, vocabulary, dates or own.dates, progress) for file, label in zip(files, labels, strict=True)
    ]
    order = newest_first(files, [part.rows for part in parts])
    files, labels = [files[number] for number in order], [labels[number] for number in order]
    parts = [parts[number] for number in order]
    rows = [part.rows for part in parts]
    whole = together(rows, files, labels)
    rejections = whole.rejected
    if strict:
        for file, faults in zip(files, rejections, strict=True):
            raise_first(faults, file)
    if len(files) > 1:
        rejections = [
            faults.assign(reason=f"{label}: " + faults["reason"])
            for label, faults in zip(labels, rejections, strict=True)
        ]
    understood = _understood(rows, whole, labels, rejections) | whole.notes
    columns = set.intersection(*(set(part.columns) for part in [part for part in rows if len(part.frame)] or rows))
    rows_read = sum(part.rows_read for part in rows)
    formed = forms_of([form for part in parts for form in part.forms])
    not_read: dict[str, str] = {}
    versions = [part.history.assign(file=number) for number, part in enumerate(parts) if len(part.history)]
    if "history" in beside:
        file = beside["history"]
        past, not_read = history_table(file, vocabulary, _telling(progress, f"{file.name}: reading"))
        versions.append(past)
    left_out = [name for part in parts for name in part.left_out]
    del parts, rows
    used = whole.used
    used = used.assign(asset=used["asset"].astype("str"), created_at=of_one_kind(used["created_at"]))
    if progress:
        progress(0, 1, "what the contacts sent")
    if submissions is None:
        told, names, notes = conversions_of(used, vocabulary.sources, formed.names)
        submissions_read = 0
    else:
        told, unused, names, notes = submissions_of_contacts(
            submissions, forms, used, vocabulary.sources, formed.names, whole.merged, strict=strict
        )
        submissions_read = len(told) + len(unused)
        rejections.append(unused)
    used, told, early = apart_from_creations(formed.told_apart(used), formed.told_apart(told))
    creations = used[["contact_id", "created_at", "source", "asset"]].rename(columns={"created_at": "occurred_at"})
    told.insert(0, "contact_id", used["contact_id"].array.take(told["contact"].to_numpy()))
    touches = as_touches(pd.concat([creations, told.drop(columns="contact")]))
    statuses, recorded_notes = recorded_of(used, versions, whole.seen, vocabulary, names)
    used = used.set_index("contact_id")
    understood |= {"certainty": _shares(used["certainty"])} if len(used) else {}
    understood |= notes | early | not_read | recorded_notes | formed.notes
    if len(used) or not formed.names:
        understood |= lacking(columns, left_out, with_submissions=submissions is not None)
    if progress:
        progress(1, 1, "what the contacts sent")
    if (used["email"] != "").any():  # where nobody has an address, the addresses were left out
        used["no_address"] = used["email"] == ""
    details = used[[name for name in _DETAILS if name in used]]
    if "status_source" in details:
        details = details.assign(status_source=details["status_source"].astype("str"))
    return Export(
        contacts=used[_CONTACTS],
        touches=touches,
        rejected=pd.concat(rejections, ignore_index=True) if len(rejections) > 1 else rejections[0],
        rows_read=rows_read,
        submissions_read=submissions_read,
        understood=understood,
        emails=used["email"],
        details=details,
        day=max(filter(None, map(day_of, files)), default=None),
        statuses=statuses,
        gone=whole.gone,
        switches=formed.switches,
    )


@dataclass(frozen=True, eq=False)
class _Part:
    """What one file tells: its rows, the versions of their statuses, forms, and the columns that were left out."""

    rows: Rows
    history: pd.DataFrame
    forms: tuple[Mapping[str, object], ...]
    left_out: tuple[str, ...]


def _telling(progress: Progress | None, what: str) -> Callable[[int, int], None] | None:
    """Progress that is said to be of this."""
    return None if progress is None else lambda done, whole: progress(done, whole, what)


def _part(file: Path, label: str, vocabulary: Vocabulary, order: str | None, progress: Progress | None) -> _Part:
    """What one file tells."""
    contents = contents_of(file, vocabulary.fact, _telling(progress, f"{label}: reading"))
    rows = rows_of(contents.table, vocabulary, file, order, _telling(progress, f"{label}: understanding"))
    left_out = tuple(name for name in contents.table.names if vocabulary.fact(name) is None)
    return _Part(rows, contents.history, contents.forms, left_out)


def _understood(
    parts: list[Rows], whole: Together, labels: list[str], rejections: list[pd.DataFrame]
) -> dict[str, str]:
    """How the files were read, in short texts; where they differ, each file's."""
    rows = []
    used = whole.used["file"].value_counts()
    for number, (part, faults) in enumerate(zip(parts, rejections, strict=True)):
        repeated, mine = int(is_repeated(faults).sum()), int(used.get(number, 0))
        gone = part.rows_read - mine - len(faults)
        more = (f"{gone:,} gone, " if gone else "") + (f"{repeated:,} repeated, " if repeated else "")
        rows.append(f"{part.rows_read:,} read, {mine:,} used, {more}{len(faults) - repeated:,} rejected")
    told = [{**part.understood, "rows": text} for part, text in zip(parts, rows, strict=True)]
    if len(parts) == 1:
        return {name: text for name, text in told[0].items() if text}
    files = f"{len(parts)}, a contact in several of them is used from the first: {', '.join(labels)}. {BY_DAY}"
    understood = {"files": files}
    for name in dict.fromkeys(name for notes in told for name in notes):
        texts = {label: notes.get(name, "") for label, notes in zip(labels, told, strict=True)}
        same = len(set(texts.values())) == 1
        note = next(iter(texts.values())) if same else "; ".join(f"{at}: {text}" for at, text in texts.items() if text)
        if note:
            understood[name] = note
    return understood


def _shares(certainty: pd.Series[str]) -> str:
    """How certain it is what created the contacts."""
    shares = certainty.value_counts(normalize=True, sort=False)
    return ", ".join(f"{name} {share:.0%}" for name, share in shares.items() if share)
