"""Any file a person may have, as a batch to decide: touches, or HubSpot's own copy of its contacts."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from marketable.errors import DataError
from marketable.paths import at_home, is_folder
from marketable.reading.tables import FilePath
from marketable.reading.touches import read_touches
from marketable.rulebook import NOT_COVERED

from . import ColumnMapping, Export, read_export
from .files import SUFFIXES, Progress, files_of, openable, submissions_of, tables_beside

__all__ = ["SUFFIXES", "Opened", "checksum", "open_file", "openable", "submissions_of"]


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

    @property
    def rows_used(self) -> int:
        """The rows that were used: neither rejected, nor of contacts that are no more."""
        return self.rows_read - len(self.rejected) - (0 if self.export is None else len(self.export.gone))

    @property
    def names_tools(self) -> bool:
        """Whether it says of anybody what created them. Where not, the rules have nothing to count."""
        return self.export is None or bool(self.export.contacts["source"].ne(NOT_COVERED).any())


def open_file(
    path: FilePath | Sequence[FilePath],
    *,
    mapping: ColumnMapping | FilePath | None = None,
    dates: str | None = None,
    progress: Progress | None = None,
) -> Opened:
    """The batch that a file holds, whether it lists touches or is a copy of a portal's contacts.

    A Fivetran table of contacts is read together with the table of form submissions that stands beside it. Several
    files, and a file that a mapping or the order of its dates is given for, are copies of a portal's contacts.
    progress: as for `read_export`.
    Raises: DataError where the file is neither, with what each reading misses.
    """
    if not isinstance(path, (str, os.PathLike)) or is_folder(at_home(path)):
        files = [*files_of(path), *tables_beside(path).values()]
        opened = _of_export(read_export(path, mapping=mapping, dates=dates, progress=progress), *files)
        return replace(opened, name=f"{files[0].name} and {len(files) - 1} more") if len(files) > 1 else opened
    path = at_home(path)
    is_json, is_told = path.suffix.lower() in (".json", ".jsonl"), mapping is not None or dates is not None
    submissions = None if is_json and not is_told else submissions_of(path)

    def as_export() -> Opened:
        export = read_export(path, mapping=mapping, dates=dates, submissions=submissions, progress=progress)
        return _of_export(export, path, *filter(None, [submissions]))

    if is_json or is_told:
        return as_export()
    try:
        batch = read_touches(path)
    except DataError as no_batch:
        try:
            return as_export()
        except DataError as no_export:
            if str(no_batch) == str(no_export):
                raise no_export from None
            problem = "This is neither a batch of touches nor a copy of HubSpot's contacts"
            raise DataError(problem, file=path, advice=f"As a batch: {no_batch} As a copy: {no_export}") from None
    return Opened(path.name, batch.touches, batch.rejected, batch.rows_read, dict(batch.understood), None, (path,))


def checksum(file: Path) -> str:
    """The SHA-256 of a file, by which it is known again."""
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _of_export(export: Export, *files: Path) -> Opened:
    rows = export.rows_read + export.submissions_read
    return Opened(files[0].name, export.touches, export.rejected, rows, dict(export.understood), export, files)
