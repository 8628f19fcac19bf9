"""A csv as text, whatever wrote it: its encoding, its delimiter and its header are found, every row is accounted for.

A row is whole if it has a cell for every column that has a name, and nothing but blanks beyond the header. Most files
are plain and are read at once (`plain`); whatever asks for care is read in blocks, row faults and all (`careful`).
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, Protocol, TextIO

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from marketable.errors import DataError

from .cells import LONGEST_CELL, UNCLOSED, too_long
from .files import START, FilePath, Progress, no_table
from .header import MOST_COLUMNS, Header, Known, find_header, header_of, known_in, no_name
from .rows import Only, Rows, Table, as_frame, blank_rows, first_faults, ragged_rows, short, spoilt_rows, without

_DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
_SEPARATOR_LINE = re.compile(r"sep=([,;\t|])\s*", re.IGNORECASE)
_NUL, _LINE_ENDS = "\0", (b"\n", b"\r")
_BLOCK, _PEEK, _TELLING, _MOST_RAGGED = 1 << 20, 20, 0.1, 20_000
_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_NAMES = {"utf-8-sig": "UTF-8", "cp1252": "Windows-1252, as it is not UTF-8"}


def plain(path: FilePath, known: Known | None, size: int, progress: Progress, *, quotes: bool = False) -> Table | None:
    """A csv that asks for no care, read in blocks on all processors at once; None for any other file.

    Plain is a csv in UTF-8, its header in the first line (and with at least two known names, where there are known
    ones), as many cells in each row, no NUL character, every quote closed, no row blank in all the columns that are
    kept if there are others. What is wrong with a file, and in which row, only `careful` can tell.
    """
    try:
        with Path(path).open("rb") as file:
            start = file.read(START)
            mark = codecs.BOM_UTF8 if start.startswith(codecs.BOM_UTF8) else b""
            line, *_ = start.removeprefix(mark).splitlines(keepends=True) or [b""]
            text = line.decode()
            records = {delimiter: next(csv.reader([text], delimiter=delimiter), [""]) for delimiter in _DELIMITERS}
            in_one_line = all(any(cells) and not cells[-1].endswith(("\n", "\r")) for cells in records.values())
            if not line.endswith(_LINE_ENDS) or not in_one_line or _SEPARATOR_LINE.fullmatch(text):
                return None
            delimiter = max(records, key=lambda candidate: _likely(records[candidate], known))
            header = header_of(records[delimiter], path, 1, known)
            if header.width > len(header.names) or (known and known_in(header.names, known) < 2):
                return None
            file.seek(len(mark) + len(line))
            # No other row of a plain file has a NUL. What is not kept is not decoded, so that is done on the way.
            last_row, unwanted = delimiter.join([_NUL] * header.width), b"\0" if quotes else b'\0"'
            blocks = _Blocks(file, last_row, size, unwanted, only_text=bool(header.left_out))
            parsing = {
                "read_options": pyarrow.csv.ReadOptions(block_size=_BLOCK, column_names=_columns(header.width)),
                "parse_options": pyarrow.csv.ParseOptions(
                    delimiter=delimiter, newlines_in_values=quotes, ignore_empty_lines=False
                ),
                "convert_options": _as_text(_columns(header.width), header.kept),
            }
            arrow = _watched(lambda: pyarrow.csv.read_csv(blocks, **parsing), blocks, size, progress)
    except _UnwantedError:  # finding the rows is slower where quoted cells may hold line breaks, so it is tried without
        return None if quotes else plain(path, known, size, progress, quotes=True)
    except (DataError, OSError, ValueError, csv.Error):  # pyarrow's are among them
        return None
    last = arrow.num_rows - 1
    if arrow[0][last].as_py() != _NUL:  # an open quote has swallowed it
        return None
    frame = as_frame(arrow.slice(0, last).columns, header.kept_names, pd.RangeIndex(2, 2 + last))
    blank = blank_rows(frame)
    if blank.any() and header.left_out:
        return None
    frame = frame[~blank] if blank.any() else frame
    understood = {"format": "csv", "encoding": "UTF-8", "delimiter": _DELIMITERS[delimiter]} | header.understood
    return Table(frame, first_faults(), understood, header.names)


def careful(path: FilePath, known: Known | None, size: int, progress: Progress, only: Only | None = None) -> Table:
    """Any csv, read block by block. Raises: DataError, for what is no table and for a quote that is never closed."""
    text = _Text(path, _encoding(path))
    top = _top(text, path, known)
    header, columns = top.header, _columns(top.width)
    kept = [columns[position] for position in header.kept]
    good, parts = 0, [pa.table([pa.array([], pa.large_string()) for _ in kept], kept)]
    used = [np.zeros(0, bool)]
    beyond: list[tuple[int, int, str]] = []  # their numbers are known in the end
    try:
        with text.utf_8(top.ends_at) as file:
            # One row too long is added at the end: where it does not come out again, an open quote has swallowed it.
            blocks = _Blocks(file, top.delimiter * top.width, size)
            # Rows know their number only without threads, and only where blank lines count as rows of blanks.
            reader = pyarrow.csv.open_csv(
                blocks,
                read_options=pyarrow.csv.ReadOptions(block_size=LONGEST_CELL, use_threads=False, column_names=columns),
                parse_options=pyarrow.csv.ParseOptions(
                    delimiter=top.delimiter,
                    newlines_in_values=True,
                    ignore_empty_lines=False,
                    invalid_row_handler=top.ragged,
                ),
                convert_options=_as_text(columns, range(top.width)),
            )
            for batch in reader:
                filled = [pc.not_equal(column, "").to_numpy(zero_copy_only=False) for column in batch.columns]
                top.unnamed |= any(column.any() for column in filled[len(header.names) : header.width])
                too_far = np.logical_or.reduce([np.zeros(len(batch), bool), *filled[header.width :]])
                whole = np.logical_or.reduce(filled[: header.width]) & ~too_far
                rows = pa.Table.from_batches([batch]).select(kept)
                if only is not None:
                    whole &= only(as_frame(rows.columns, header.kept_names, pd.RangeIndex(len(batch)))).to_numpy()
                for at in np.flatnonzero(too_far).tolist():
                    cells = [column[at].as_py() for column in batch.columns]
                    beyond.append((good + at, top.width, short(top.delimiter.join(cells))))
                used.append(whole)
                if kept:
                    parts.append(rows if whole.all() else rows.filter(pa.array(whole)))
                good += len(batch)
                progress(blocks.bytes_read, size)
    except pa.ArrowInvalid as fault:
        if top.is_mostly_ragged:
            problem = "Most rows have another number of cells than the header"
            advice = "Perhaps a title stands above the header, or another character divides the cells. Save it again."
            row, expected = top.numbers[0], f"{len(header.names):,} cells in a row"
            raise DataError(problem, file=path, row=row, expected=expected, advice=advice) from None
        raise too_long(path, "row") from fault
    last = header.row + good + len(top.numbers)
    if top.last != (last, top.width + 1, top.delimiter * top.width):
        raise _unclosed(path, last)
    if top.unnamed and known is None:
        raise no_name(len(header.names), path, header.row)
    numbers = pd.RangeIndex(header.row + 1, last).drop(top.numbers[:-1])
    frame = as_frame(pa.concat_tables(parts).columns, header.kept_names, numbers[np.concatenate(used)])
    if len(top.mended):
        mended = top.mended.frame()
        frame = pd.concat([frame, mended if only is None else mended[only(mended)]]).sort_index()
    ragged = [*top.rejected, *((int(numbers[at]), cells, row) for at, cells, row in beyond)]
    spoilt = spoilt_rows(frame) if blocks.has_nul else []
    rejected = first_faults(ragged_rows(ragged, len(header.names)), *spoilt)
    understood = {"format": "csv", "encoding": text.encoding_name, "delimiter": top.delimiter_name}
    return Table(without(frame, rejected), rejected, understood | header.understood, header.names)


@dataclass
class _Top:
    """The header of a csv, how wide its rows are, and the rows of another width as the parser comes upon them."""

    header: Header
    delimiter: str
    is_told: bool
    width: int
    ends_at: int
    numbers: list[int] = field(default_factory=list)
    last: tuple[int, int, str] = (0, 0, "")
    rejected: list[tuple[int, int, str]] = field(default_factory=list)
    unnamed: bool = False

    def __post_init__(self) -> None:
        self.mended = Rows(self.header.kept_names)

    @property
    def delimiter_name(self) -> str:
        return _DELIMITERS[self.delimiter] + (", as its first line says" if self.is_told else "")

    @property
    def is_mostly_ragged(self) -> bool:
        """Whether there are very many rows of another width, and more of them than others."""
        return len(self.numbers) > _MOST_RAGGED and 2 * len(self.numbers) > self.numbers[-1]

    def ragged(self, row: Any) -> str:
        """Takes a row of another width: it is whole, blank, or rejected."""
        number = self.header.row + row.number
        self.numbers.append(number)
        if self.is_mostly_ragged:  # each of them takes a hundred times as long as a whole row
            return "error"
        self.last = (number, row.actual_columns, row.text)
        cells: list[str] = []
        with suppress(csv.Error):  # a cell of more than 131,072 characters
            cells = next(csv.reader(io.StringIO(row.text, newline=""), delimiter=self.delimiter), [""])
        if len(cells) == row.actual_columns and _is_whole(cells, self.header):
            self.unnamed |= any(cells[len(self.header.names) : self.header.width])
            if any(cells):
                self.mended.add(number, [cells[position] for position in self.header.kept])
        elif any(cells) or not cells:
            self.rejected.append((number, row.actual_columns, short(row.text)))
        return "skip"


def _is_whole(cells: list[str], header: Header) -> bool:
    return len(cells) >= len(header.names) and not any(cells[header.width :])


def _top(text: _Text, path: FilePath, known: Known | None) -> _Top:
    """The header of a csv, by the delimiter under which most names are known, else under which it has most cells."""
    with text.lines() as file:
        told = _SEPARATOR_LINE.fullmatch(file.readline(START))
    delimiters = [told[1]] if told else list(_DELIMITERS)
    candidates = [_candidate(text, delimiter, known, is_told=told is not None) for delimiter in delimiters]
    best = max(candidates, key=lambda candidate: _likely(candidate.cells, known))
    if not best.ends:
        expected = "cells of at most 131,072 characters in the header"
        raise DataError("The file begins with a very long cell", file=path, expected=expected, advice=UNCLOSED)
    if best.is_unclosed:
        raise _unclosed(path, best.row)
    header = header_of(best.cells, path, best.row, known, best.titles)
    width = _width(text, best.delimiter, header)
    return _Top(header, best.delimiter, told is not None, width, best.ends[header.row - 1])


class _Candidate(NamedTuple):
    """The header as it is under one of the delimiters, and where the rows down to it end, in bytes of UTF-8."""

    delimiter: str
    row: int
    cells: list[str]
    titles: tuple[str, ...]
    ends: list[int]
    is_unclosed: bool


def _candidate(text: _Text, delimiter: str, known: Known | None, *, is_told: bool) -> _Candidate:
    ends: list[int] = []

    def above(records: _Records) -> Iterator[list[str]]:
        with suppress(csv.Error):  # a cell of more than 131,072 characters
            for cells in records:
                ends.append(records.ends_at)
                yield [] if is_told and len(ends) == 1 else cells

    with text.lines() as file:
        records = _Records(file, delimiter)
        row, cells, titles = find_header(above(records), known) or (1, [""], ())
    return _Candidate(delimiter, row, cells, titles, ends, records.is_unclosed and row == len(ends))


def _width(text: _Text, delimiter: str, header: Header) -> int:
    """How many cells most rows have, where all have as many: some programs end every row in a delimiter or two."""
    with text.lines() as file, suppress(csv.Error):
        rows = [cells for cells in islice(_Records(file, delimiter), header.row, header.row + _PEEK) if any(cells)]
        widths = Counter(len(cells) for cells in rows if len(cells) <= MOST_COLUMNS and _is_whole(cells, header))
        return max(widths, key=lambda width: widths[width], default=header.width)
    return header.width


def _likely(cells: Sequence[str], known: Known | None) -> tuple[int, int]:
    """How likely a header with these cells is: the more names are known in it, then the more cells it has."""
    names = known_in(cells, known)
    return (names if names > 1 else 0), len(cells)


class _Records:
    """The rows of a csv as Python reads them; `ends_at`: where the last one ended, in bytes of UTF-8."""

    def __init__(self, file: TextIO, delimiter: str) -> None:
        self._file, self._delimiter = file, delimiter
        self.ends_at, self.is_unclosed, self._is_over = 0, False, False

    def __iter__(self) -> Iterator[list[str]]:
        for cells in csv.reader(self._lines(), delimiter=self._delimiter):
            self.is_unclosed = self._is_over and cells != [_NUL]
            if not self._is_over or self.is_unclosed:
                yield cells

    def _lines(self) -> Iterator[str]:
        while line := self._file.readline(LONGEST_CELL):
            self.ends_at += len(line.encode())
            yield line
        self._is_over = True
        yield _NUL


class _Text:
    """The text of a file, in lines and as UTF-8, without a byte order mark."""

    def __init__(self, path: FilePath, codec: str) -> None:
        self._path, self._codec = Path(path), codec
        self.encoding_name = _NAMES.get(codec, "UTF-16")

    def lines(self) -> TextIO:
        return self._path.open(encoding=self._codec, newline="")

    @contextmanager
    def utf_8(self, skipped: int) -> Iterator[_Source]:
        """The text from a byte on."""
        with self._path.open("rb") as file:
            if self._codec == "utf-8-sig":
                mark = file.read(3).startswith(codecs.BOM_UTF8)
                file.seek(skipped + (3 if mark else 0))
                yield file
            else:
                recoded = _Recoded(file, self._codec)
                recoded.read(skipped)
                yield recoded


class _Recoded:
    """A text file as bytes of UTF-8."""

    def __init__(self, file: BinaryIO, codec: str) -> None:
        self._file, self._waiting = file, b""
        self._text = io.TextIOWrapper(file, codec, newline="")

    def read(self, size: int) -> bytes:
        while len(self._waiting) < size and (text := self._text.read(size)):
            self._waiting += text.encode()
        data, self._waiting = self._waiting[:size], self._waiting[size:]
        return data

    def tell(self) -> int:
        return self._file.tell()


def _encoding(path: FilePath) -> str:
    """The codec of a text. Raises: DataError, where it is none."""
    with Path(path).open("rb") as file:
        start = file.read(START)
    wide = "utf-16" if start.startswith(_MARKS) else _wide(start)
    if wide:
        if _decodes(path, wide):
            return wide
        raise no_table(path, "It begins as UTF-16 and is damaged further on: save or download it again.")
    if _decodes(path, "utf-8-sig"):
        return "utf-8-sig"
    if _NUL.encode() in start or not _decodes(path, "cp1252", unwanted=_NUL):
        advice = None if _NUL.encode() in start else "If it is one, save it in Excel as CSV UTF-8."
        raise no_table(path, advice)
    return "cp1252"


def _wide(start: bytes) -> str:
    """UTF-16 that does not say so: of Latin letters each second byte is NUL."""
    size = len(start) // 2
    first, second = start[0 : 2 * size : 2].count(0), start[1 : 2 * size : 2].count(0)
    if max(first, second) * 3 < size or min(first, second) or size < 2:
        return ""
    return "utf-16-be" if first else "utf-16-le"


def _decodes(path: FilePath, codec: str, unwanted: str = "") -> bool:
    decoder = codecs.getincrementaldecoder(codec)()
    with Path(path).open("rb") as file:
        try:
            while block := file.read(_BLOCK):
                text = decoder.decode(block)
                if unwanted and unwanted in text:
                    return False
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return False
    return True


def _columns(width: int) -> list[str]:
    return [str(position) for position in range(width)]


def _as_text(columns: list[str], kept: Iterable[int]) -> Any:
    """The columns at these positions, every cell as it stands."""
    included = [columns[position] for position in kept]
    return pyarrow.csv.ConvertOptions(
        column_types=dict.fromkeys(included, pa.large_string()), strings_can_be_null=False, include_columns=included
    )


def _watched(work: Callable[[], Any], blocks: _Blocks, size: int, progress: Progress) -> Any:
    """The work done in another thread, so that progress is told in the caller's own."""
    with ThreadPoolExecutor(1) as thread:
        job = thread.submit(work)
        while wait([job], timeout=_TELLING).not_done:
            progress(blocks.bytes_read, size)
    return job.result()


def _unclosed(path: FilePath, row: int) -> DataError:
    return DataError("A quote is opened and never closed", file=path, row=row, advice=UNCLOSED)


class _UnwantedError(Exception):
    """There is a byte in a file that was not to be there."""


class _Source(Protocol):
    def read(self, size: int, /) -> bytes: ...

    def tell(self) -> int: ...


class _Blocks:
    """A file as pyarrow asks for it, block by block, with one row more behind its end; only text, where that is asked.

    `bytes_read`: how far the file is read. `has_nul`: whether a NUL character has come by.
    """

    closed = False

    def __init__(
        self, file: _Source, last_row: str, size: int, unwanted: bytes = b"", *, only_text: bool = False
    ) -> None:
        self._file, self._last_row, self._unwanted, self._size = file, last_row.encode(), unwanted, size
        self._before, self._ended = b"", False
        self._decoder = codecs.getincrementaldecoder("utf-8")() if only_text else None
        self.bytes_read, self.has_nul = 0, False

    def read(self, size: int) -> bytes:
        parts = [self._file.read(size)]
        while parts[-1].endswith(b"\r"):  # pyarrow would drop a line feed at the start of the next, even within quotes
            parts.append(self._file.read(1))
        block = b"".join(parts)
        self.bytes_read = self._file.tell()
        if self.bytes_read > self._size:
            raise OSError("it grows while it is read, and may have no end")
        if any(byte in block for byte in self._unwanted):
            raise _UnwantedError
        if self._decoder:
            self._decoder.decode(block, final=len(block) < size)
        self.has_nul = self.has_nul or b"\0" in block
        self._before = block or self._before
        if len(block) < size and not self._ended:
            self._ended = True
            block += self._last_row if self._before.endswith(_LINE_ENDS) else b"\n" + self._last_row
        return block
