"""The files that an export consists of: which they are, in which order they count, and how one of them is read.

Where the same contact stands in several files it is used once: from the newest file where all of them bear their day
in their names, as HubSpot names its exports, else from the one that was named first.
"""

from __future__ import annotations

import datetime as dt
import os
import re
from collections.abc import Callable, Iterable
from pathlib import Path

import pandas as pd

from ...errors import DataError
from ..tables import FilePath, Table, first_faults, read_bytes, read_table, rejected_rows, without
from .api import api_contacts, is_json
from .contacts import Rows

SUFFIXES = (".csv", ".xlsx", ".parquet", ".json", ".jsonl")
Progress = Callable[[int, int, str], None]
_SUBMISSIONS = "contact_form_submission"
_DAY = re.compile(r"-(\d{4}-\d\d-\d\d)(?:-\d+)?(?: ?\(\d+\))?$")


def openable(folder: Path) -> list[Path]:
    """The files of a folder that may be opened, by name."""
    files = sorted(folder.iterdir()) if folder.is_dir() else []
    return [file for file in files if file.suffix.lower() in SUFFIXES and _SUBMISSIONS not in file.name]


def submissions_of(path: Path) -> Path | None:
    """Fivetran's table of form submissions beside its table of contacts, None where there is none."""
    beside = path.with_name(path.name.replace("contact", _SUBMISSIONS, 1))
    return beside if beside != path and beside.is_file() else None


def files_of(path: FilePath | Iterable[FilePath]) -> list[Path]:
    """The files that are meant, those first whose contacts count.

    Arguments: path, of a file, of a folder (all that may be opened in it), or several of these.
    Raises: DataError, where there are none.

    >>> [file.name for file in files_of(["hubspot-crm-exports-all-2026-10-30.csv", "x-2026-10-31-1.csv"])]
    ['x-2026-10-31-1.csv', 'hubspot-crm-exports-all-2026-10-30.csv']
    """
    named = [path] if isinstance(path, (str, os.PathLike)) else list(path)
    files: list[Path] = []
    for each in (Path(name).expanduser() for name in named):
        files += openable(each) if each.is_dir() else [each]
    if not files:
        expected = f"files that end in {', '.join(SUFFIXES)}"
        raise DataError("There are no files to read", value=", ".join(map(str, named)), expected=expected)
    days = [_day(file) for file in files]
    if None in days or len(files) == 1:
        return files
    order = sorted(range(len(files)), key=lambda number: (days[number] or dt.date.min).toordinal(), reverse=True)
    return [files[number] for number in order]


def labels_of(files: list[Path]) -> list[str]:
    """What the files are called in messages: their names, or as much of their paths as tells them apart."""
    names = [file.name for file in files], [f"{file.parent.name}/{file.name}" for file in files]
    return next((each for each in names if len(set(each)) == len(files)), [str(file) for file in files])


def table_of(path: FilePath, known: Callable[[str], bool], progress: Callable[[int, int], None] | None) -> Table:
    """The file as a table of text, whether it is one or JSON of the API.

    Arguments: path; known, whether a column of a name is wanted; progress, called with the bytes read and all of them.
    """
    try:
        with Path(path).open("rb") as file:
            start = file.read(4096)
    except (OSError, ValueError):
        start = read_bytes(path)  # it says what is wrong
    if is_json(start):
        return api_contacts(read_bytes(path), path, known)
    return read_table(path, known=known, progress=progress)


def together(parts: list[Rows], labels: list[str]) -> tuple[pd.DataFrame, list[pd.DataFrame]]:
    """The contacts of several files, each once.

    Arguments: parts, what the files tell, those first whose contacts count; labels, what these are called.
    Returns: the contacts used, numbered from 0, with contact_id; and the rejected rows of each file.

    A contact is known by its Record ID, else by its e-mail: by the Record ID that stands beside the e-mail in another
    row, where there is one.
    """
    keys = [
        part.frame[["record_id", "email"]].assign(status=part.frame["status"].astype("str").fillna(""), file=number)
        for number, part in enumerate(parts)
    ]
    who = pd.concat([key.reset_index(names="row") for key in keys], ignore_index=True)
    contact_id, lonely = who["record_id"], who["record_id"] == ""
    if lonely.any():
        both = who[~lonely & (who["email"] != "")].drop_duplicates("email").set_index("email")["record_id"]
        learned = who["email"][lonely]
        contact_id = contact_id.mask(lonely, learned.map(both).fillna(learned) if len(both) else learned)
    again = contact_id.duplicated()
    rejected = [part.rejected for part in parts]
    if again.any():
        first = who[~again & contact_id.isin(contact_id[again])]
        first = first.set_index(contact_id[first.index])[["file", "row", "status"]]
        first = first.loc[contact_id[again]].set_axis(who.index[again])
        for number, part in enumerate(parts):
            mine = again & (who["file"] == number)
            stands = first[mine[again]]
            rows = pd.Index(who["row"][mine])
            reasons = [
                f"The contact stands already in {'' if file == number else f'{labels[file]}, '}row {row}"
                f"{', with another status' if status != own else ''}"
                for (file, row, status), own in zip(
                    stands.itertuples(index=False, name=None), who["status"][mine], strict=True
                )
            ]
            keyed = contact_id[mine].set_axis(rows)
            repeated = rejected_rows(keyed, part.key, pd.Series(reasons, rows, dtype="str"))
            rejected[number] = first_faults(part.rejected, repeated)
    frames = [without(part.frame, faults) for part, faults in zip(parts, rejected, strict=True)]
    used = frames[0] if len(frames) == 1 else _stacked(frames)
    used = used.reset_index(drop=True)
    used.insert(0, "contact_id", contact_id[~again].array)
    return used, rejected


def _stacked(frames: list[pd.DataFrame]) -> pd.DataFrame:
    """The frames under one another, with the columns that all of them have; those without a row have no say."""
    frames = [frame for frame in frames if len(frame)] or frames[:1]
    shared = [name for name in frames[0] if all(name in frame for frame in frames)]
    columns = {}
    for name in shared:
        parts = [frame[name] for frame in frames]
        told = [part.dtype for part in parts if part.notna().any()]
        if len(set(told)) == 1:  # what is blank all through has the kind of the others
            parts = [part if part.notna().any() else pd.Series(index=part.index, dtype=told[0]) for part in parts]
        coded = isinstance(parts[0].dtype, pd.CategoricalDtype) and len({part.dtype for part in parts}) > 1
        columns[name] = (
            pd.concat([part.astype("str") for part in parts]).astype("category") if coded else pd.concat(parts)
        )
    return pd.DataFrame({name: column.array for name, column in columns.items()})


def _day(file: Path) -> dt.date | None:
    """The day in a file's name."""
    found = _DAY.search(file.stem)
    try:
        return dt.date.fromisoformat(found[1]) if found else None
    except ValueError:
        return None
