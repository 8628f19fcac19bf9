"""A sheet of an Excel workbook as text, row by row: only the cells that are wanted are kept."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO

import openpyxl

from marketable.errors import DataError

from .cells import LONGEST_CELL, cell_text, too_long
from .files import MOST_UNPACKED, FilePath, Progress, no_table, too_large
from .header import LOOKED_AT, Header, Known, find_header, header_of, known_in
from .table import Rows, Table, first_faults, ragged_rows, short, spoilt_rows, without

_MOST_ROWS = 1 << 20
_ROWS_A_TELLING = 1_000
_LOOKED_INTO = 50  # sheets


def read_xlsx(path: FilePath, known: Known | None, size: int, progress: Progress) -> Table:
    """The table in a workbook: in its first sheet, or the first with a header that is known.

    Dates become ISO text, short rows are filled up with blanks.

    Raises: DataError, for another zip archive, a workbook that is damaged or unpacks to more than 2 GB, and for a sheet
    without a header.
    """
    with Path(path).open("rb") as packed:
        file = _Counted(packed)
        _check_archive(file, path)
        try:
            book = openpyxl.load_workbook(file, read_only=True, data_only=True)
            for sheet in book.worksheets:
                sheet.reset_dimensions()  # some programs write a wrong size, and what lies beyond it would be lost
            sheet = next(
                (sheet for sheet in book.worksheets[:_LOOKED_INTO] if _is_known(sheet, known)), book.worksheets[0]
            )
            records = _records(sheet, path, lambda: progress(min(file.bytes_read, size), size))
            header, rows, ragged = _table(records, path, known)
            title, sheets, is_first = str(sheet.title), len(book.worksheets), sheet is book.worksheets[0]
        except (DataError, MemoryError):
            raise
        except Exception as fault:  # a damaged workbook fails in many ways, all of which mean the same to its owner
            raise _damaged(path) from fault
    frame = rows.frame()
    rejected = first_faults(ragged_rows(ragged, len(header.names)), *spoilt_rows(frame))
    others = f" ({'the first' if is_first else 'one'} of {sheets})" if sheets > 1 else ""
    understood = {"format": "xlsx", "sheet": title + others} | header.understood
    return Table(without(frame, rejected), rejected, understood, header.names)


class _Counted:
    """A file that counts what was read of it: the sheet is by far most of a workbook, and is read once."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self.bytes_read = file, 0

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(size)
        self.bytes_read += len(data)
        return data

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


def _check_archive(file: Any, path: FilePath) -> None:
    start = file.read(4096)
    try:
        with zipfile.ZipFile(file) as archive:
            parts = archive.infolist()
    except Exception as fault:  # as many ways as above
        if b"xl/" in start or b"[Content_Types].xml" in start:
            raise _damaged(path) from fault
        raise no_table(path, "This is a damaged zip archive: download it again and unpack it first.") from fault
    names = {part.filename for part in parts}
    if "xl/workbook.xml" not in names:
        kinds = {"xl/workbook.bin": "a binary workbook (xlsb)", "content.xml": "a sheet of LibreOffice"}
        kind = next((kind for name, kind in kinds.items() if name in names), None)
        raise no_table(path, f"This is {kind}: save it as xlsx or csv." if kind else "This is a zip: unpack it first.")
    unpacked = sum(part.file_size for part in parts)
    if unpacked > MOST_UNPACKED:
        raise too_large(path, unpacked)


def _records(sheet: Any, path: FilePath, tell: Any) -> Iterator[Sequence[Any]]:
    for number, row in enumerate(sheet.iter_rows(values_only=True), start=1):
        if number > _MOST_ROWS:
            raise DataError("The sheet has more rows than a sheet can have", file=path, expected=f"{_MOST_ROWS:,}")
        if number % _ROWS_A_TELLING == 0:
            tell()
        yield row


def _table(
    records: Iterator[Sequence[Any]], path: FilePath, known: Known | None
) -> tuple[Header, Rows, list[tuple[int, int, str]]]:
    top: list[Sequence[Any]] = []

    def texts() -> Iterator[list[str]]:
        for record in records:
            top.append(record)
            yield _trimmed(record, path)

    row, cells, titles = find_header(texts(), known) or (1, [], ())
    header = header_of(cells, path, row, known, titles)
    rows, ragged = Rows(header.kept_names), []
    width = len(header.names)
    for number, record in enumerate(chain(top[row:], records), start=row + 1):
        if any(not _blank(cell) for cell in record[width:]):
            texts_of_row = _trimmed(record, path)
            ragged.append((number, len(texts_of_row), short(";".join(texts_of_row))))
        elif not all(map(_blank, record)):
            rows.add(number, [_text(record[at], path) if at < len(record) else "" for at in header.kept])
    return header, rows, ragged


def _is_known(sheet: Any, known: Known | None) -> bool:
    """Whether one of the first rows of a sheet is a header with names that are known."""
    rows = sheet.iter_rows(max_row=LOOKED_AT, values_only=True)
    return known is not None and any(known_in([str(cell or "") for cell in row], known) > 1 for row in rows)


def _blank(cell: object) -> bool:
    return cell is None or cell == ""


def _text(cell: object, path: FilePath) -> str:
    text = cell_text(cell)
    if len(text) > LONGEST_CELL:
        raise too_long(path)
    return text


def _trimmed(record: Sequence[Any], path: FilePath) -> list[str]:
    """The texts of a row without the blank cells at its end, which a sheet has by accident."""
    width = max((at for at, cell in enumerate(record, start=1) if not _blank(cell)), default=0)
    return [_text(cell, path) for cell in record[:width]]


def _damaged(path: FilePath) -> DataError:
    advice = "Open it in Excel and save it again, or save it as csv."
    return DataError("This workbook cannot be opened", file=path, advice=advice)
