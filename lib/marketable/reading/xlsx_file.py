"""A sheet of an Excel workbook as text, row by row: only the cells that are wanted are kept."""

from __future__ import annotations

import contextlib
import re
import zipfile
from collections.abc import Callable, Generator, Iterator
from itertools import chain, takewhile
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import openpyxl
import pandas as pd
from openpyxl.worksheet._reader import WorkSheetParser

from marketable.errors import DataError

from .cells import LONGEST_CELL, cell_text, too_long
from .files import Budget, FilePath, Progress, no_table
from .header import LOOKED_AT, MOST_COLUMNS, Header, Known, find_header, header_of, known_in
from .rows import Rows, Table, first_faults, ragged_rows, rejected_rows, short, spoilt_rows, without

_MOST_ROWS = 1 << 20
_ROWS_A_TELLING = 1_000
_LOOKED_INTO = 50  # sheets
_TOP, _SHOWN = 1 << 16, 200
_LEAST_TAGS, _TAGS_A_BYTE = 1 << 20, 8
_OTHERS = {
    "xl/workbook.bin": "a binary workbook (xlsb)",
    "content.xml": "a sheet of LibreOffice",
    "word/document.xml": "a text of Word",
    "ppt/presentation.xml": "slides",
}
_SPREADSHEET = re.compile(rb"sheet\.(macroEnabled\.)?main\+xml")
_TYPES, _STRICT = "[Content_Types].xml", b"http://purl.oclc.org/ooxml/spreadsheetml/main"


def read_xlsx(path: FilePath, known: Known | None, size: int, progress: Progress) -> Table:
    """The table in a workbook: in its first sheet, or the first with a header that is known.

    Dates become ISO text, short rows are filled up with blanks. Rows are read in the order in which they stand in the
    file; a row whose number is not above that of the one before takes the next number.

    Raises: DataError, for another zip archive, a workbook that is damaged or unpacks to too much, and for a sheet
    without a header.
    """
    with Path(path).open("rb") as packed:
        file = _Counted(packed)
        _check_archive(file, path, size)
        try:
            book = openpyxl.load_workbook(file, read_only=True, data_only=True)
            texts = dict(enumerate(book.worksheets[0]._shared_strings))  # so that none is counted from the end
            for sheet in book.worksheets:
                sheet._shared_strings = texts
            sheet = next(
                (sheet for sheet in book.worksheets[:_LOOKED_INTO] if _is_known(sheet, known, path)), book.worksheets[0]
            )
            read = _records(sheet, path, lambda: progress(min(file.bytes_read, size), size))
            with contextlib.closing(read) as records:
                header, rows, rejected = _table(records, path, known, Budget(path, size))
            title, sheets, is_first = str(sheet.title), len(book.worksheets), sheet is book.worksheets[0]
        except (DataError, MemoryError):
            raise
        except Exception as fault:  # a damaged workbook fails in many ways, all of which mean the same to its owner
            raise _damaged(path) from fault
    frame = rows.frame()
    faults = first_faults(*rejected, *spoilt_rows(frame))
    others = f" ({'the first' if is_first else 'one'} of {sheets})" if sheets > 1 else ""
    understood = {"format": "xlsx", "sheet": title + others} | header.understood
    return Table(without(frame, faults), faults, understood, header.names)


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


def _check_archive(file: Any, path: FilePath, size: int) -> None:
    """Raises: DataError for an archive that is no workbook, or more than can be read.

    Parts are counted by their angle brackets too, as each element of XML takes its time however short it is.
    """
    start = file.read(4096)
    try:
        with zipfile.ZipFile(file) as archive:
            parts = archive.infolist()
            _check_parts(archive, path)
            Budget(path, size).take(sum(part.file_size for part in parts))
            left = max(_LEAST_TAGS, _TAGS_A_BYTE * size)
            for part in parts:
                with archive.open(part) as content:
                    strict = _STRICT in content.read(_TOP)
                    content.seek(0)
                    if strict:
                        advice = "In Excel, save it as “Excel Workbook (*.xlsx)”, not as “Strict Open XML”, or as csv."
                        raise DataError("This workbook is in Strict Open XML", file=path, advice=advice)
                    while block := content.read(_TOP):
                        left -= block.count(b"<")
                        if left < 0:
                            problem, advice = "This workbook unpacks to too many cells", "Save it as csv, or in parts."
                            raise DataError(problem, file=path, expected="fewer for its size", advice=advice)
    except DataError:
        raise
    except Exception as fault:  # as many ways as above
        if b"xl/" in start or _TYPES.encode() in start:
            raise _damaged(path) from fault
        raise no_table(path, "This is a damaged zip archive: download it again and unpack it first.") from fault


def _check_parts(archive: zipfile.ZipFile, path: FilePath) -> None:
    """Raises: DataError for an archive that is something else, or has two parts of one name."""
    names = archive.namelist()
    if len(set(names)) < len(names):
        raise _damaged(path)
    kind = next((kind for name, kind in _OTHERS.items() if name in names), None)
    if not kind and "xl/workbook.xml" in names:
        return
    if not kind and _TYPES in names:
        with archive.open(_TYPES) as types:  # whatever its parts are called
            if _SPREADSHEET.search(types.read(_TOP)):
                return
    raise no_table(path, f"This is {kind}: save it as xlsx or csv." if kind else "This is a zip: unpack it first.")


def _records(sheet: Any, path: FilePath, tell: Callable[[], None]) -> Generator[_Record]:
    """The rows of a sheet that have cells. openpyxl's own would leave out what it does not find in order."""
    book, last = sheet.parent, 0
    with sheet._get_source() as source:
        parser = WorkSheetParser(
            source,
            sheet._shared_strings,
            data_only=True,
            epoch=book.epoch,
            date_formats=book._date_formats,
            timedelta_formats=book._timedelta_formats,
        )
        for count, (number, cells) in enumerate(parser.parse(), start=1):
            last = max(number, last + 1)
            if last > _MOST_ROWS:
                raise DataError("The sheet has more rows than a sheet can have", file=path, expected=f"{_MOST_ROWS:,}")
            if count % _ROWS_A_TELLING == 0:
                tell()
            filled = [(cell["column"] - 1, cell["value"]) for cell in cells if cell["value"] not in (None, "")]
            yield _Record(last, dict(filled), len(filled))


def _table(
    records: Iterator[_Record], path: FilePath, known: Known | None, budget: Budget
) -> tuple[Header, Rows, list[pd.DataFrame]]:
    top: list[_Record] = []

    def texts() -> Iterator[list[str]]:
        below = 1
        for record in records:
            top.append(record)
            yield from ([] for _ in range(below, record.number))
            below = record.number + 1
            yield record.texts(path)

    row, cells, titles = find_header(texts(), known) or (1, [], ())
    header = header_of(cells, path, row, known, titles)
    rows, ragged, width = Rows(header.kept_names), [], len(header.names)
    doubled: dict[int, str] = {}
    for record in chain(top, records):
        if record.number == row and record.is_doubled:
            raise DataError("Two cells of the header stand in the same place", file=path, row=row)
        if record.number <= row or not record.cells:
            continue
        if record.is_doubled or record.width > width:
            text = short(";".join(record.texts(path, short_of=_SHOWN)))
            if record.is_doubled:
                doubled[record.number] = text
            else:
                ragged.append((record.number, record.width, text))
            continue
        found = [_text(record.cells[at], path) if at in record.cells else "" for at in header.kept]
        budget.take(sum(map(len, found)), len(found))
        rows.add(record.number, found)
    reason = "Two cells of the row stand in the same place"
    return header, rows, [ragged_rows(ragged, width), rejected_rows(pd.Series(doubled, dtype="str"), "", reason)]


class _Record(NamedTuple):
    """A row of a sheet: its number, its cells by position, and how many of them are filled."""

    number: int
    cells: dict[int, Any]
    filled: int

    @property
    def is_doubled(self) -> bool:
        return self.filled > len(self.cells)

    @property
    def width(self) -> int:
        return max(self.cells, default=-1) + 1

    def texts(self, path: FilePath, short_of: int = MOST_COLUMNS + 1) -> list[str]:
        """The texts without the blank cells at its end, or the first of them."""
        found = self.cells
        return [_text(found[at], path) if at in found else "" for at in range(min(self.width, short_of))]


def _is_known(sheet: Any, known: Known | None, path: FilePath) -> bool:
    """Whether one of the first rows of a sheet is a header with names that are known."""
    if known is None:
        return False
    with contextlib.closing(_records(sheet, path, lambda: None)) as records:
        first = takewhile(lambda record: record.number <= LOOKED_AT, records)
        return any(known_in(map(str, record.cells.values()), known) > 1 for record in first)


def _text(cell: object, path: FilePath) -> str:
    text = cell_text(cell)
    if len(text) > LONGEST_CELL:
        raise too_long(path)
    return text


def _damaged(path: FilePath) -> DataError:
    advice = "Open it in Excel and save it again, or save it as csv."
    return DataError("This workbook cannot be opened", file=path, advice=advice)
