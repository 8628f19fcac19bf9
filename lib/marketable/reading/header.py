"""Which row of a file names its columns, and which of the columns are wanted."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from marketable.errors import DataError

from .files import FilePath, no_table

Known = Callable[[str], bool]
MOST_COLUMNS = 16_384
LOOKED_AT, _MOST_BLANK_ROWS = 20, 100_000
_NAMED, _SHOWN = 5, 80


@dataclass(frozen=True)
class Header:
    """The names of the columns, trimmed, up to the last one that has a name; `width`, of all its cells; `row`, where
    it stands; `kept`, the positions of the columns that are kept; `titles`, the text of the rows above it.
    """

    names: tuple[str, ...]
    width: int
    row: int
    kept: tuple[int, ...]
    titles: tuple[str, ...] = ()

    @property
    def kept_names(self) -> list[str]:
        return [self.names[position] for position in self.kept]

    @property
    def left_out(self) -> tuple[str, ...]:
        kept = set(self.kept)
        return tuple(name for position, name in enumerate(self.names) if position not in kept)

    @property
    def understood(self) -> dict[str, str]:
        """Where the header stands, what stands above it and which columns are left out, in words."""
        told = {
            "header row": str(self.row) if self.row > 1 else "",
            "title rows": f"{len(self.titles)}: {' · '.join(self.titles)[:_SHOWN]}" if self.titles else "",
            "left out": _listed(self.left_out),
            "unnamed": f"at the end: {self.width - len(self.names):,}" if self.width > len(self.names) else "",
        }
        return {name: text for name, text in told.items() if text}


def find_header(records: Iterable[Sequence[str]], known: Known | None) -> tuple[int, list[str], tuple[str, ...]] | None:
    """The row of the header, its cells, and the text of the title rows above; None where every row is blank.

    It is the first of the first 20 rows in which at least two names are known, else the first that is not blank.
    """
    first: tuple[int, list[str], tuple[str, ...]] | None = None
    titles: list[str] = []
    for row, cells in enumerate(records, start=1):
        if known is not None and row <= LOOKED_AT and known_in(cells, known) > 1:
            return row, list(cells), tuple(titles)
        if any(cells):
            first = first or (row, list(cells), ())
            titles.append(" ".join(" ".join(cells).split())[:_SHOWN])
        if (first and (known is None or row >= LOOKED_AT)) or row >= _MOST_BLANK_ROWS:
            break
    return first


def _listed(names: Sequence[str]) -> str:
    """A handful of names, and how many there are beside them."""
    listed = [name[:_SHOWN] for name in names if name][:_NAMED]
    others = len(names) - len(listed)
    return ", ".join(listed) + (f" and {others:,} more" if listed else f"{others:,}") * (others > 0)


def known_in(cells: Iterable[str], known: Known | None) -> int:
    """How many different known names stand in a row."""
    return len({name.casefold() for cell in cells if known and (name := cell.strip()) and known(name)})


def header_of(
    cells: Sequence[str], path: FilePath, row: int, known: Known | None = None, titles: tuple[str, ...] = ()
) -> Header:
    """The header that these cells are.

    Raises: DataError, where they are no names, none at all or too many, or where a column that is wanted has no name or
    bears that of another (case does not count).
    """
    if len(cells) > MOST_COLUMNS:
        expected = f"at most {MOST_COLUMNS:,}, as many as a sheet has"
        raise DataError(f"There are {len(cells):,} columns", file=path, row=row, expected=expected)
    names = [cell.strip() for cell in cells]
    if any(character < " " and character not in "\t\r\n" for name in names for character in name):
        raise no_table(path)
    named = max((position for position, name in enumerate(names, start=1) if name), default=0)
    if not named:
        raise DataError("There is no header", file=path, row=row, expected="the names of the columns")
    kept = [position for position, name in enumerate(names[:named]) if known is None or (name and known(name))]
    seen: set[str] = set()
    for position in kept:
        name = names[position]
        if not name:
            raise no_name(position, path, row)
        if name.casefold() in seen:
            advice = "Rename or delete one of them."
            raise DataError("Two columns bear the same name", file=path, row=row, value=name, advice=advice)
        seen.add(name.casefold())
    return Header(tuple(names[:named]), len(names), row, tuple(kept), titles)


def no_name(position: int, path: FilePath, row: int) -> DataError:
    """The error that a column has no name, its position counted from 0."""
    advice = "Name the column or delete it. If a title stands above the header, delete that row."
    return DataError(f"Column {position + 1:,} has no name", file=path, row=row, advice=advice)
