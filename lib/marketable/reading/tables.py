"""A file as a table of text: csv, xlsx or parquet, every cell as it stands there, nothing guessed, nothing lost.

Cells stay text (`007`, `NA` and `None` mean what they say) and blank cells are "". Rows bear the number a spreadsheet
shows: where the header is 1, the first row below it is 2; title rows and blank lines count, line breaks within a cell
do not. A row in which every cell is blank is a blank line, not a row. A row that cannot be read is a rejected row; a
file that cannot be read is a DataError.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from . import csv_file
from .cells import cell_text
from .files import Budget, FilePath, Progress, read_bytes, start_of, steady
from .parquet_file import read_parquet
from .rows import REJECTED, Only, Table, first_faults, no_column, raise_first, rejected_rows, without

__all__ = [
    "REJECTED",
    "Budget",
    "FilePath",
    "Progress",
    "Table",
    "cell_text",
    "first_faults",
    "no_column",
    "raise_first",
    "read_bytes",
    "read_table",
    "rejected_rows",
    "without",
]


def read_table(
    path: FilePath,
    *,
    known: Callable[[str], bool] | None = None,
    only: Only | None = None,
    progress: Progress | None = None,
) -> Table:
    r"""The file as text, whatever its format (found from its content, not from its name).

    Arguments: path, of a csv (UTF-8, UTF-16, else taken for Windows-1252; comma, semicolon, tab or bar, or what a first
    line `sep=;` says), an xlsx (its first sheet; dates become ISO text, short rows are filled up with blanks) or a
    parquet file. known, whether a column of that name is wanted: then the header is the first of the first 20 rows in
    which at least two names are known (else the first that is not blank, as without `known`), what stands above are
    title rows, and only the known columns are read; which names the others bear, if any, does not matter. only, which
    rows of a frame are wanted: the others are let go on the way, so that a long table takes little memory, and are not
    in the Table. progress, to be told, in the thread of the caller, how many bytes are read and how many there are.
    Returns: a Table. Names in the header are trimmed. Unnamed columns at the end of a csv vanish where all their cells
    are blank. Rejected are rows with anything beyond the header (in a csv also those with fewer cells than names) and
    rows with a NUL character.
    Raises: DataError, for a file that is missing, empty, no table or no file at all, that changes while it is read, or
    has more than 16,384 columns or a cell of more than 16 MB; for blank or duplicate names in the header (case does not
    count), and for a quote that is never closed.

    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp(), "people.csv")
    >>> _ = path.write_text("id;name\n007;Ann\n8;Bob;extra\n")
    >>> read_table(path).frame.to_dict("index")
    {2: {'id': '007', 'name': 'Ann'}}
    >>> read_table(path).rejected.values.tolist()
    [[3, '', '8;Bob;extra', 'The row has 3 cells, the header 2']]
    """
    furthest = 0

    def tell(done: int, size: int) -> None:
        nonlocal furthest
        furthest = max(furthest, min(done, size))
        if progress is not None:
            progress(furthest, size)

    with steady(path) as size:
        start = start_of(path)
        if start.startswith(b"PAR1"):
            table = read_parquet(path, known, size, tell, only)
        elif start.startswith(b"PK\x03\x04"):
            from .xlsx_file import read_xlsx  # only here: openpyxl takes a while to load

            table = read_xlsx(path, known, size, tell)
            if only is not None:
                table = replace(table, frame=table.frame[only(table.frame)])
        elif only is not None:
            table = csv_file.careful(path, known, size, tell, only)
        else:
            table = csv_file.plain(path, known, size, tell) or csv_file.careful(path, known, size, tell)
        tell(size, size)
    return table
