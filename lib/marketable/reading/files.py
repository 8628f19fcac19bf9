"""Files as they lie on a disk: what may be opened, what a file of another kind is, and that none changes meanwhile."""

from __future__ import annotations

import codecs
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from marketable.errors import DataError, nearest

FilePath = str | os.PathLike[str]
Progress = Callable[[int, int], None]
EXPECTED = "a csv, xlsx or parquet file"
START = 1 << 16
MOST_UNPACKED, _LEAST, _FOLD, _CELL = 2 << 30, 128 << 20, 200, 8
_NOTHING = b" \t\r\n" + codecs.BOM_UTF16_LE
_OTHERS = {
    b"\xd0\xcf\x11\xe0": "an old or a protected Excel workbook: save it as xlsx without a password, or as csv",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"GIF8": "a picture",
    b"%PDF-": "a PDF: ask for the table it was made from, as csv or xlsx",
    b"MZ": "a program",
    b"\x7fELF": "a program",
    b"\x1f\x8b": "a packed file (gzip): unpack it first",
    b"BZh": "a packed file (bzip2): unpack it first",
    b"7z\xbc\xaf": "a packed file (7z): unpack it first",
    b"Rar!": "a packed file (rar): unpack it first",
    b"\x28\xb5\x2f\xfd": "a packed file (zstd): unpack it first",
    b"PARE": "an encrypted parquet file: write it without encryption",
    codecs.BOM_UTF32_LE: "text in UTF-32: save it as UTF-8",
    codecs.BOM_UTF32_BE: "text in UTF-32: save it as UTF-8",
    b"SQLite format 3": "a database: export the table as csv",
}
_IN_TEXT_TOO = (b"MZ", b"BZh", b"GIF8", b"Rar!", b"PARE")
_PAGES = {
    b"<!doctype html": "a web page: perhaps one that asks to log in. Download the file again",
    b"<html": "a web page: perhaps one that asks to log in. Download the file again",
    b"<?xml": "XML: save it as xlsx or as csv",
}


@contextmanager
def steady(path: FilePath) -> Iterator[int]:
    """A file that is read whole and stays the same meanwhile; gives its size in bytes.

    Raises: DataError, where there is no such file (its nearest neighbour is offered), for what is no file (a folder, a
    device, a pipe), for one that cannot be read, is empty, or changes before the reading is done.
    """
    before = _state(path)
    try:
        yield before.st_size
    except DataError as fault:
        raise _changed(path, before) or fault from fault.__cause__
    except OSError as fault:
        raise _changed(path, before) or _unreadable(path, fault) from None
    changed = _changed(path, before)
    if changed is not None:
        raise changed


def read_bytes(path: FilePath) -> bytes:
    """The content of a file. Raises: DataError, where there is none; a missing file's nearest neighbour is offered."""
    with steady(path) as size:
        with Path(path).open("rb") as file:
            data = file.read(size + 1)  # what grows meanwhile may have no end
        if data.isspace():
            raise _empty(path)
    return data


def start_of(path: FilePath) -> bytes:
    """The first bytes of a file that may be a table. Raises: DataError, for one of another kind, in words that help."""
    with Path(path).open("rb") as file:
        start = file.read(START)
        if not start.removeprefix(codecs.BOM_UTF8).strip(_NOTHING) and not file.read(1):
            raise _empty(path)
    for magic, kind in _OTHERS.items():
        if start.startswith(magic) and (magic not in _IN_TEXT_TOO or b"\0" in start[:512]):
            raise no_table(path, f"This is {kind}.")
    for magic, kind in _PAGES.items():
        if start[:64].lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith(magic):
            raise no_table(path, f"This is {kind}.")
    return start


class Budget:
    """What a packed file may unpack to, in bytes: 200 times its size, but at least 128 MB and at most 2 GB.

    Every cell counts, blank or not, and so does its text. What comes out is counted before it is kept: a few kilobytes
    can hold more than any memory.
    """

    def __init__(self, path: FilePath, size: int) -> None:
        self._path, self.left = path, min(MOST_UNPACKED, max(_LEAST, _FOLD * size))
        self._most = self.left

    def holds(self, unpacked: int, cells: int = 0) -> bool:
        """Whether so much more, text and cells, is within it."""
        return unpacked + _CELL * cells <= self.left

    def take(self, unpacked: int, cells: int = 0) -> None:
        """Counts so much more."""
        self.check(unpacked, cells)
        self.left -= unpacked + _CELL * cells

    def check(self, unpacked: int, cells: int = 0) -> None:
        """Raises: DataError where so much more would be too much."""
        if not self.holds(unpacked, cells):
            expected = f"at most {self._most >> 20:,} MB, for a file of this size"
            advice = "Save it as csv, or in parts."
            raise DataError("This file unpacks to too much", file=self._path, expected=expected, advice=advice)


def no_table(path: FilePath, advice: str | None = None) -> DataError:
    """The error that a file is something else."""
    return DataError("This is not a table", file=path, expected=EXPECTED, advice=advice)


def _state(path: FilePath) -> os.stat_result:
    path = Path(path)
    try:
        state = path.stat()
    except FileNotFoundError:
        near = nearest(path.name, [file.name for file in path.parent.iterdir()]) if path.parent.is_dir() else None
        raise DataError("There is no such file", value=str(path), nearest=near) from None
    except (OSError, ValueError) as fault:  # a name that no file can have is a ValueError
        raise _unreadable(path, fault) from None
    if not stat.S_ISREG(state.st_mode):
        problem = "This is a folder" if stat.S_ISDIR(state.st_mode) else "This is a device or a pipe, not a file"
        raise DataError(problem, value=str(path), expected=EXPECTED)
    if not state.st_size:
        raise _empty(path)
    return state


def _changed(path: FilePath, before: os.stat_result) -> DataError | None:
    try:
        after = Path(path).stat()
    except OSError:
        after = None
    if after and (after.st_size, after.st_mtime_ns) == (before.st_size, before.st_mtime_ns):
        return None
    advice = "Wait until the program that writes it is done, then read it again."
    return DataError("The file changed while it was read", file=path, advice=advice)


def _unreadable(path: FilePath, fault: Exception) -> DataError:
    advice = "If it is open in Excel, close it there." if isinstance(fault, PermissionError) else None
    problem = f"The file cannot be read ({getattr(fault, 'strerror', None) or fault})"
    return DataError(problem, value=str(path), expected=EXPECTED, advice=advice)


def _empty(path: FilePath) -> DataError:
    return DataError("The file is empty", file=path, expected="a header and rows")
