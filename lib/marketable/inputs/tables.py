"""A file as a table of text: csv, xlsx or parquet, every cell as it stands there, nothing guessed, nothing lost.

Cells stay text (`007`, `NA` and `None` mean what they say) and blank cells are "". Rows bear the number a spreadsheet
shows: the header is 1, the first row below it 2; blank lines count, line breaks within a cell do not. A row in which
every cell is blank is a blank line, not a row. A row that cannot be read is a rejected row; a file that cannot be read
is a DataError.
"""

from __future__ import annotations

import codecs
import csv
import io
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet

from ..errors import DataError, nearest

FilePath = str | os.PathLike[str]
REJECTED = {"row": "int64", "column": "str", "value": "str", "reason": "str"}
_DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
_NUL, _LINE_ENDS = "\0", (b"\n", b"\r")
_START, _BLOCK, _LONGEST_CELL = 1 << 16, 1 << 20, 1 << 24
_EXPECTED = "a csv, xlsx or parquet file"
_ADVICE = {
    b"PK\x03\x04": "This is a zip archive: unpack it first.",
    b"\xd0\xcf\x11\xe0": "This is an old or a protected Excel workbook: save it as xlsx without a password, or as csv.",
}
_Rows = TypeVar("_Rows", pd.DataFrame, "pd.Series[Any]")
_Read = tuple[pd.DataFrame, pd.DataFrame, dict[str, str]]


@dataclass(frozen=True, eq=False)
class Table:
    """What a file holds.

    `frame`: all text, its index the row in the file. `rejected` (row, column, value, reason): the rows that could not
    be read. `understood`: how the file was read (format, encoding, delimiter, sheet), for display.
    """

    frame: pd.DataFrame
    rejected: pd.DataFrame
    understood: dict[str, str]

    @property
    def rows_read(self) -> int:
        return len(self.frame) + len(self.rejected)


def read_table(path: FilePath) -> Table:
    r"""The file as text, whatever its format (found from its content, not from its name).

    Arguments: path, of a csv (UTF-8 or UTF-16, else taken for Windows-1252; comma, semicolon, tab or bar), an xlsx (its
    first sheet; dates become ISO text, short rows are filled up with blanks) or a parquet file.
    Returns: a Table. Names in the header are trimmed. Rejected are rows with more cells than the header (in a csv also
    those with fewer) and rows with a NUL character.
    Raises: DataError, for a file that is missing, empty or no table, for blank or duplicate names in the header (case
    does not count), and for a quote that is never closed.

    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp(), "people.csv")
    >>> _ = path.write_text("id;name\n007;Ann\n8;Bob;extra\n")
    >>> read_table(path).frame.to_dict("index")
    {2: {'id': '007', 'name': 'Ann'}}
    >>> read_table(path).rejected.values.tolist()
    [[3, '', '8;Bob;extra', 'The row has 3 cells, the header 2']]
    """
    plain = _plain_csv(path)
    data = read_bytes(path) if plain is None else b""
    frame, ragged, understood = plain or _reader(data)(data, path)
    frame.index.name = "row"
    blank = pd.Series(True, index=frame.index)
    for name in frame:
        if not blank.any():
            break
        blank &= frame[name] == ""
    frame = frame[~blank] if blank.any() else frame
    faults = [ragged]
    if b"\0" in data:
        for name in frame:
            spoilt = frame[name].str.contains("\0", regex=False)
            faults.append(rejected_rows(frame[name][spoilt], str(name), "The cell holds a NUL character"))
    rejected = first_faults(*faults)
    return Table(without(frame, rejected), rejected, understood)


def _reader(data: bytes) -> Callable[[bytes, FilePath], _Read]:
    if data.startswith(b"PAR1"):
        return _parquet
    return _xlsx if data.startswith(b"PK") and b"xl/workbook.xml" in data else _csv


def read_bytes(path: FilePath) -> bytes:
    """The content of a file. Raises: DataError, where there is none; a missing file's nearest neighbour is offered."""
    path = Path(path)
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        near = nearest(path.name, [file.name for file in path.parent.iterdir()]) if path.parent.is_dir() else None
        raise DataError("There is no such file", value=str(path), nearest=near) from None
    except (OSError, ValueError) as fault:
        problem = "This is a folder" if path.is_dir() else f"The file cannot be read ({fault})"
        raise DataError(problem, value=str(path), expected=_EXPECTED) from None
    if not data or data.isspace():
        raise DataError("The file is empty", file=path, expected="a header and rows")
    return data


def rejected_rows(values: pd.Series[str], column: str, reason: str | pd.Series[str]) -> pd.DataFrame:
    """One line (row, column, value, reason) for each faulty cell; the index of `values` is the row."""
    shown = values.str.replace("\0", "\\0", regex=False).array
    reasons = reason if isinstance(reason, str) else reason.array
    return pd.DataFrame({"row": values.index.array, "column": column, "value": shown, "reason": reasons})


def first_faults(*faults: pd.DataFrame) -> pd.DataFrame:
    """Rejected rows put together, in the order of the file: of a row's several faults, the one named first."""
    found = [frame for frame in faults if len(frame)] or [pd.DataFrame(columns=list(REJECTED))]
    together = pd.concat(found).drop_duplicates("row").sort_values("row", ignore_index=True)
    return together.astype(REJECTED)


def without(rows: _Rows, rejected: pd.DataFrame) -> _Rows:
    """The rows of a frame or a column (index: row) that are not rejected."""
    return rows[~rows.index.isin(rejected["row"])] if len(rejected) else rows


def raise_first(rejected: pd.DataFrame, file: FilePath) -> None:
    """Raises the first rejected row, if there is one, as a DataError: what `strict=True` asks for."""
    for row, column, value, reason in rejected.head(1).itertuples(index=False):
        raise DataError(reason, file=file, row=int(row), column=column or None, value=value)


def no_column(name: str, frame: pd.DataFrame, file: FilePath, expected: str) -> DataError:
    """The error that a column is missing; it names what was found and what comes nearest."""
    names = [str(found)[:40] for found in frame]
    advice = f"Found: {', '.join(names[:12])}{', …' if len(names) > 12 else ''}."
    return DataError(
        f"There is no column {name}", file=file, expected=expected, nearest=nearest(name, names), advice=advice
    )


def cell_text(value: object) -> str:
    """A typed cell as text: nothing is blank, whole numbers stay whole, days and times are ISO.

    >>> [cell_text(value) for value in (None, 351.0, True, pd.Timestamp(2024, 3, 1, 9, 30))]
    ['', '351', 'true', '2024-03-01 09:30:00']
    """
    if value is None or value != value:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _header(cells: Iterable[str], path: FilePath, row: int) -> list[str]:
    names = [cell.strip() for cell in cells]
    if any(character < " " and character not in "\t\r\n" for name in names for character in name):
        raise DataError("This is not a table", file=path, expected=_EXPECTED)
    if not any(names):
        raise DataError("There is no header", file=path, row=row, expected="the names of the columns")
    if "" in names:
        advice = "Name the column or delete it. If a title stands above the header, delete that row."
        raise DataError(f"Column {names.index('') + 1} has no name", file=path, row=row, advice=advice)
    folded = [name.casefold() for name in names]
    for number, name in enumerate(names):
        if folded[number] in folded[:number]:
            advice = "Rename or delete one of them."
            raise DataError("Two columns bear the same name", file=path, row=row, value=name, advice=advice)
    return names


def _ragged(rows: list[tuple[int, int, str]], width: int) -> pd.DataFrame:
    """The rejected rows of (row, number of cells, text)."""
    texts = pd.Series([text for *_, text in rows], index=[row for row, *_ in rows], dtype="str").str.slice(0, 200)
    reasons = [f"The row has {cells} cells, the header {width}" for _, cells, _ in rows]
    return rejected_rows(texts, "", pd.Series(reasons, index=texts.index, dtype="str"))


def _plain_csv(path: FilePath, *, quotes: bool = False) -> _Read | None:
    """A csv that asks for no care, read in blocks on all processors at once; None for any other file.

    Plain is a csv in UTF-8, its header in the first line, as many cells in each row, no NUL character, every quote
    closed. What is wrong with a file, and in which row, only `_csv` can tell: whatever fails here is left to it.
    """
    try:
        if not Path(path).is_file():  # a pipe could not be read a second time
            return None
        with Path(path).open("rb") as file:
            start = file.read(_START)
            mark = codecs.BOM_UTF8 if start.startswith(codecs.BOM_UTF8) else b""
            line, *_ = start.removeprefix(mark).splitlines(keepends=True) or [b""]
            records = {delimiter: _first_record(line, delimiter)[1] for delimiter in _DELIMITERS}
            in_one_line = all(any(cells) and not cells[-1].endswith(("\n", "\r")) for cells in records.values())
            if start.startswith((b"PAR1", *_ADVICE)) or not line.endswith(_LINE_ENDS) or not in_one_line:
                return None
            delimiter = max(records, key=lambda candidate: len(records[candidate]))
            header = _header(records[delimiter], path, 1)
            file.seek(len(mark))
            last_row = _NUL + delimiter * (len(header) - 1)  # no other row of a plain file has a NUL
            blocks = _Blocks(file, last_row, unwanted=b"\0" if quotes else b'\0"')
            arrow = _parsed(blocks, delimiter, records[delimiter], quotes=quotes, block_size=_BLOCK)
    except _UnwantedError:  # finding the rows is slower where quoted cells may hold line breaks, so it is tried without
        return None if quotes else _plain_csv(path, quotes=True)
    except (DataError, OSError, ValueError):  # pyarrow's are among them
        return None
    last = arrow.num_rows - 1
    if arrow[0][last].as_py() != _NUL:  # an open quote has swallowed it
        return None
    understood = {"format": "csv", "encoding": "UTF-8", "delimiter": _DELIMITERS[delimiter]}
    return _frame(arrow.slice(0, last), header, pd.RangeIndex(2, 2 + last)), _ragged([], len(header)), understood


def _csv(data: bytes, path: FilePath) -> _Read:
    data, encoding = _as_utf8(data, path)
    delimiter = max(_DELIMITERS, key=lambda candidate: len(_first_record(data, candidate)[1]))
    top, cells = _first_record(data, delimiter)
    header = _header(cells, path, top)
    ragged: list[tuple[int, int, str]] = []

    def reject(row: Any) -> str:
        ragged.append((row.number, row.actual_columns, row.text))
        return "skip"

    # One row too long is added at the end: where it does not come out again, an open quote has swallowed it.
    sentinel = delimiter * len(header)
    unclosed = "A quote is opened and never closed"
    advice = "Close it or delete it; within a quoted cell a quote is written twice."
    try:
        # Rows know their number only without threads, and only where blank lines count as rows of blanks.
        options = {"skip_rows": top - 1, "block_size": _LONGEST_CELL, "use_threads": False}
        arrow = _parsed(_Blocks(io.BytesIO(data), sentinel), delimiter, cells, quotes=True, reject=reject, **options)
    except pa.ArrowInvalid:  # a cell of more than 16 MB
        raise DataError(unclosed, file=path, advice=advice) from None
    last = top + arrow.num_rows + len(ragged)
    if ragged[-1:] != [(last, len(header) + 1, sentinel)]:
        raise DataError(unclosed, file=path, row=last, advice=advice)
    ragged.pop()
    rows = pd.RangeIndex(top + 1, last).drop([row for row, *_ in ragged])
    ragged = [fault for fault in ragged if any(_first_record(fault[2].encode(), delimiter)[1])]
    understood = {"format": "csv", "encoding": encoding, "delimiter": _DELIMITERS[delimiter]}
    return _frame(arrow, header, rows), _ragged(ragged, len(header)), understood


def _parsed(
    blocks: _Blocks, delimiter: str, header: list[str], *, quotes: bool, reject: Any = None, **reading: int
) -> Any:
    return pyarrow.csv.read_csv(
        blocks,
        read_options=pyarrow.csv.ReadOptions(**reading),
        parse_options=pyarrow.csv.ParseOptions(
            delimiter=delimiter, newlines_in_values=quotes, ignore_empty_lines=False, invalid_row_handler=reject
        ),
        convert_options=pyarrow.csv.ConvertOptions(
            column_types=dict.fromkeys(header, pa.large_string()), strings_can_be_null=False
        ),
    )


class _UnwantedError(Exception):
    """There is a byte in a file that was not to be there."""


class _Blocks:
    """A file as pyarrow asks for it, block by block, with one row more behind its end."""

    closed = False

    def __init__(self, file: BinaryIO, last_row: str, unwanted: bytes = b"") -> None:
        self._file, self._last_row, self._unwanted = file, last_row.encode(), unwanted
        self._before, self._ended = b"", False

    def read(self, size: int) -> bytes:
        parts = [self._file.read(size)]
        while parts[-1].endswith(b"\r"):  # pyarrow would drop a line feed at the start of the next, even within quotes
            parts.append(self._file.read(1))
        block = b"".join(parts)
        if any(byte in block for byte in self._unwanted):
            raise _UnwantedError
        self._before = block or self._before
        if len(block) < size and not self._ended:
            self._ended = True
            block += self._last_row if self._before.endswith(_LINE_ENDS) else b"\n" + self._last_row
        return block


def _as_utf8(data: bytes, path: FilePath) -> tuple[bytes, str]:
    """The same text in UTF-8, without a byte order mark, and the name of the encoding it had."""
    advice = next((advice for magic, advice in _ADVICE.items() if data.startswith(magic)), None)
    encodings = {"utf-8": "UTF-8", "cp1252": "Windows-1252, as it is not UTF-8"}
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encodings = {"utf-16": "UTF-16"}
    for encoding, name in encodings.items() if advice is None else ():
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if encoding == "cp1252" and "\0" in text:
            break
        return (data if encoding == "utf-8" else text.encode()).removeprefix(codecs.BOM_UTF8), name
    raise DataError("This is not a table", file=path, expected=_EXPECTED, advice=advice)


def _first_record(data: bytes, delimiter: str) -> tuple[int, list[str]]:
    """The first record that is not blank, and its number."""
    lines = io.TextIOWrapper(io.BytesIO(data), "utf-8", newline="")
    row = 1
    try:
        for row, cells in enumerate(csv.reader(lines, delimiter=delimiter), start=1):
            if any(cells):
                return row, cells
    except csv.Error:  # more than 131,072 characters in a cell
        return row, [data[:131072].decode(errors="ignore")]
    return 1, [""]


def _xlsx(data: bytes, path: FilePath) -> _Read:
    try:
        book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
        sheet = book.worksheets[0]
        sheet.reset_dimensions()  # some programs write a wrong size, and what lies beyond it would be lost
        cells = [[cell_text(cell) for cell in row] for row in sheet.iter_rows(values_only=True)]
    except Exception as fault:  # a damaged workbook fails in many ways, all of which mean the same to its owner
        advice = "Open it in Excel and save it again, or save it as csv."
        raise DataError("This workbook cannot be opened", file=path, advice=advice) from fault
    top = next((number for number, row in enumerate(cells, start=1) if any(row)), 1)
    header = _header(_trimmed(cells[top - 1]) if cells else [""], path, top)
    rows = {number: _trimmed(row) for number, row in enumerate(cells[top:], start=top + 1)}
    ragged = [(number, len(row), ";".join(row)) for number, row in rows.items() if len(row) > len(header)]
    kept = {number: row + [""] * (len(header) - len(row)) for number, row in rows.items() if len(row) <= len(header)}
    frame = pd.DataFrame(list(kept.values()), index=list(kept), columns=header, dtype="str")
    others = f" (the first of {len(book.worksheets)})" if len(book.worksheets) > 1 else ""
    return frame, _ragged(ragged, len(header)), {"format": "xlsx", "sheet": sheet.title + others}


def _trimmed(row: list[str]) -> list[str]:
    """The row without the blank cells at its end, which a sheet has by accident."""
    width = max((number for number, cell in enumerate(row, start=1) if cell), default=0)
    return row[:width]


def _parquet(data: bytes, path: FilePath) -> _Read:
    try:
        arrow = pyarrow.parquet.read_table(pa.BufferReader(data))
        arrow.validate(full=True)
    except (pa.ArrowException, OSError) as fault:
        raise DataError("This parquet file is damaged", file=path, advice="Write it again.") from fault
    header = _header(arrow.column_names, path, 1)
    text = pa.table([_column_text(column) for column in arrow.columns], header)
    return _frame(text, header, pd.RangeIndex(2, 2 + len(text))), _ragged([], 0), {"format": "parquet"}


def _column_text(column: Any) -> Any:
    kind = column.type
    if pa.types.is_dictionary(kind):
        return _column_text(column.cast(kind.value_type))
    plain = (pa.types.is_string, pa.types.is_large_string, pa.types.is_integer, pa.types.is_date, pa.types.is_timestamp)
    if any(fits(kind) for fits in plain):
        return pc.fill_null(column.cast(pa.large_string()), "")
    return pa.chunked_array([pa.array([cell_text(value) for value in column.to_pylist()], pa.large_string())])


def _frame(arrow: Any, header: list[str], rows: pd.Index[int]) -> pd.DataFrame:
    frame: pd.DataFrame = arrow.rename_columns(header).to_pandas()
    return frame.set_axis(rows)
