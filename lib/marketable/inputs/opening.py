"""Any file a person may have, as a batch to decide: touches, or HubSpot's own copy of its contacts."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from ..errors import DataError
from .exports import Export, read_export
from .touches import Batch, read_touches

SUFFIXES = (".csv", ".xlsx", ".parquet", ".json")
_SUBMISSIONS = "contact_form_submission"


@dataclass(frozen=True)
class Opened:
    """A file read: `touches`, a batch; `rejected` rows; what was understood; the `export`, where it is one; and the
    `files` that were read.
    """

    name: str
    touches: pd.DataFrame
    rejected: pd.DataFrame
    rows_read: int
    understood: dict[str, str]
    export: Export | None
    files: tuple[Path, ...] = ()


def open_file(path: str | Path) -> Opened:
    """The batch that a file holds, whether it lists touches or is a copy of a portal's contacts.

    A Fivetran table of contacts is read together with the table of form submissions that stands beside it.
    Raises: DataError where the file is neither, with what each reading misses.
    """
    path = Path(path).expanduser()
    if path.suffix.lower() == ".json":
        return _of_export(read_export(path), path)
    try:
        batch = read_touches(path)
    except DataError as no_batch:
        submissions = submissions_of(path)
        try:
            return _of_export(read_export(path, submissions=submissions), path, *filter(None, [submissions]))
        except DataError as no_export:
            if str(no_batch) == str(no_export):
                raise no_export from None
            problem = "This is neither a batch of touches nor a copy of HubSpot's contacts"
            raise DataError(problem, file=path, advice=f"As a batch: {no_batch} As a copy: {no_export}") from None
    return _of_batch(path, batch)


def submissions_of(path: Path) -> Path | None:
    """Fivetran's table of form submissions beside its table of contacts, None where there is none."""
    beside = path.with_name(path.name.replace("contact", _SUBMISSIONS, 1))
    return beside if beside != path and beside.is_file() else None


def checksum(file: Path) -> str:
    """The SHA-256 of a file, by which it is known again."""
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def openable(folder: Path) -> list[Path]:
    """The files of a folder that may be opened, by name."""
    files = sorted(folder.iterdir()) if folder.is_dir() else []
    return [file for file in files if file.suffix.lower() in SUFFIXES and _SUBMISSIONS not in file.name]


def _of_batch(path: Path, batch: Batch) -> Opened:
    return Opened(path.name, batch.touches, batch.rejected, batch.rows_read, dict(batch.understood), None, (path,))


def _of_export(export: Export, *files: Path) -> Opened:
    rows = export.rows_read + export.submissions_read
    return Opened(files[0].name, export.touches, export.rejected, rows, dict(export.understood), export, files)
