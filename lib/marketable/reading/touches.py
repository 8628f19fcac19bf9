"""A batch of touches from a file: what each tool did with which contact, when.

A batch is a table with one row a touch: `contact_id` (text; `007` is not 7), `occurred_at`, `source` (a key of the
rulebook, an action, or `not covered`) and `asset` (as it stands in the file: its blanks matter, as its name does).
Reading drops nothing in silence: each row becomes a touch or a rejected row that says why.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pandas as pd
import pyarrow as pa

from marketable.errors import nearest
from marketable.rulebook import ACTIONS, NOT_COVERED, SOURCES

from .dates import ISO, of_one_kind, read_dates, time_faults
from .tables import FilePath, Table, first_faults, no_column, raise_first, read_table, rejected_rows, without

COLUMNS = ("contact_id", "occurred_at", "source", "asset")
SOURCE_NAMES = (*SOURCES, *ACTIONS, NOT_COVERED)
_GUESSES = 100


@dataclass(frozen=True, eq=False)
class Batch:
    """Touches that were read, and all that was not.

    `touches`: contact_id (str), occurred_at (see `read_times`), source and asset (category), as the file has them.
    `rejected`: row (as a spreadsheet counts: the header is 1), column, value, reason; one line a row, its first fault.
    `rows_read`: rows of the file, always the sum of the two. `understood`: how the file was read, for display.
    """

    touches: pd.DataFrame
    rejected: pd.DataFrame
    rows_read: int
    understood: dict[str, str]


def read_touches(path: FilePath, *, strict: bool = False, dates: str | None = None) -> Batch:
    r"""The touches in a csv, xlsx or parquet file.

    Arguments: path, of a file with the columns contact_id or email or both, occurred_at (ISO 8601, with or without a
    zone, or as Excel writes dates), source and, if wanted, asset, in any order, whatever their case; other columns are
    left out. Where contact_id is blank, the contact is known by its e-mail, trimmed and in lower case. strict: whether
    a rejected row is an error. dates: "day first" or "month first", where the dates do not tell.
    Returns: a Batch.
    Raises: DataError, for a file that is no table or lacks a column, for dates that do not tell whether the day or the
    month comes first (see `read_dates`), and if strict for the first rejected row.

    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp(), "touches.csv")
    >>> _ = path.write_text("contact_id,occurred_at,source\n007,2024-03-01,manual\n8,yesterday,manual\n")
    >>> read_touches(path).touches.values.tolist()
    [['007', Timestamp('2024-03-01 00:00:00'), 'manual', '']]
    >>> read_touches(path).rejected.to_dict("records")[0]["reason"]
    'This is no time. Expected 2024-03-01, 2024-03-01 09:30 or 2024-03-01T09:30:00Z'
    """
    table = read_table(path, known=_is_known)
    cells = _columns(table, path)
    with ThreadPoolExecutor(2) as threads:  # each column is worked on by pyarrow, which needs no interpreter
        times = threads.submit(read_dates, {"occurred_at": cells["occurred_at"]}, dates, file=path)
        assets = threads.submit(cells["asset"].astype, "category")
        sources = threads.submit(_sources, cells["source"])
        keys = threads.submit(contact_keys, cells["contact_id"], cells["email"])
    contact_id, source = keys.result(), sources.result()
    read_as, occurred_at = times.result().forms["occurred_at"], times.result().times["occurred_at"]
    rejected = first_faults(
        table.rejected,
        rejected_rows(cells["contact_id"][contact_id == ""], "contact_id", "There is no contact_id and no e-mail"),
        time_faults(cells["occurred_at"], occurred_at, "occurred_at"),
        _source_faults(cells["source"][source.isna()]),
    )
    if strict:
        raise_first(rejected, path)
    asset = cells["asset"] if len(rejected) else assets.result()  # those of rejected rows are no categories
    read = cells.assign(contact_id=contact_id, occurred_at=occurred_at, source=source, asset=asset)
    touches = as_touches(without(read, rejected))
    form = read_as if read_as != ISO else ""
    understood = {**table.understood, "dates": form, "times": _zones(touches["occurred_at"])}
    return Batch(touches, rejected, table.rows_read, {name: text for name, text in understood.items() if text})


def as_touches(frame: pd.DataFrame) -> pd.DataFrame:
    """The columns of a batch, in their order and types, rows numbered from 0; assets in alphabetical order."""
    frame = frame.reset_index(drop=True)[list(COLUMNS)]
    return frame.assign(
        contact_id=frame["contact_id"].astype("str"),
        occurred_at=of_one_kind(frame["occurred_at"]),
        source=frame["source"].astype(pd.CategoricalDtype(list(SOURCE_NAMES))),
        asset=frame["asset"].astype("category"),
    )


def contact_keys(ids: pd.Series[str], emails: pd.Series[str]) -> pd.Series[str]:
    """By what each contact is known: its id, trimmed; where that is blank its e-mail, trimmed and in lower case.

    >>> contact_keys(pd.Series([" 007", ""]), pd.Series(["", "Ann@Example.com "])).tolist()
    ['007', 'ann@example.com']
    """
    keys = ids.str.strip()
    return keys.mask(keys == "", emails.str.strip().str.lower()) if (keys == "").any() else keys


def _is_known(name: str) -> bool:
    return name.casefold() in (*COLUMNS, "email")


def _columns(table: Table, path: FilePath) -> pd.DataFrame:
    """The columns of a batch and the e-mail, blank where there is none."""
    frame = table.frame
    found = {str(name).casefold(): str(name) for name in frame}
    for name in COLUMNS[:3]:
        if name not in found and not (name == "contact_id" and "email" in found):
            expected = "in the first row contact_id (or email), occurred_at, source and, if wanted, asset"
            raise no_column(name, filter(None, table.names), path, expected)
    blank = pa.repeat(pa.scalar("", pa.large_string()), len(frame)).to_pandas().set_axis(frame.index)
    return pd.DataFrame({name: frame[found[name]] if name in found else blank for name in (*COLUMNS, "email")})


def _sources(cells: pd.Series[str]) -> pd.Series[Any]:
    """The sources, trimmed, as categories in the order of the rulebook; missing where there is no such source."""
    written = cells.astype("category").cat
    known = pd.Index(SOURCE_NAMES).get_indexer(written.categories.str.strip()).astype("int8")
    dtype = pd.CategoricalDtype(list(SOURCE_NAMES))
    return pd.Series(pd.Categorical.from_codes(known[written.codes], dtype=dtype), cells.index)


def _source_faults(cells: pd.Series[str]) -> pd.DataFrame:
    def reason(value: str) -> str:
        near = nearest(value.strip(), SOURCE_NAMES)
        return f"There is no such source. The nearest is {near}" if near else "There is no such source"

    # Finding the nearest name is slow, and after a hundred different ones the column is another thing altogether.
    reasons = {value: reason(value) for value in cells.unique()[:_GUESSES] if len(value) < _GUESSES}
    reasons |= {value: "The source is missing" for value in cells.unique() if not value.strip()}
    return rejected_rows(cells, "source", cells.map(reasons).fillna("There is no such source"))


def _zones(times: pd.Series[Any]) -> str:
    local = "without a zone (the account's local time)"
    if times.dtype == object:
        return f"some with a zone, some {local}"
    return "with a zone" if isinstance(times.dtype, pd.DatetimeTZDtype) else local
