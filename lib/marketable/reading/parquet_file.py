"""A parquet file as text: only the columns that are wanted are read, one group of rows after the other."""

from __future__ import annotations

from pathlib import Path
from typing import Any, BinaryIO

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet

from marketable.errors import DataError

from .cells import LONGEST_CELL, cell_text, too_long
from .files import Budget, FilePath, Progress
from .header import Header, Known, header_of, no_name
from .rows import Only, Table, as_frame, blank_rows, first_faults, spoilt_rows, without
from .thrift import fields

_BATCH, _AT_ONCE = 1 << 16, 1 << 24  # rows; bytes
_ENCRYPTED = {(8,), (9,), (4, 1, 8), (4, 1, 9)}  # in what a file says of itself and of its groups' columns
_UNPACKED, _PACKED, _ENCODINGS = (2,), (3,), ((5, 2), (8, 4))  # in what a page says of itself
_DELTA = range(5, 8)  # the encodings that keep of a text what differs from the one before
_OF_ONE_LENGTH = "FIXED_LEN_BYTE_ARRAY"
_PAGE_SAYS, _MOST_SAID, _PAGE_COSTS = 1 << 10, 1 << 24, 1 << 12


def read_parquet(path: FilePath, known: Known | None, size: int, progress: Progress, only: Only | None = None) -> Table:
    """The table in a parquet file.

    Raises: DataError, for one that is damaged or encrypted or unpacks to too much, and for columns that are not well
    named.
    """
    budget = Budget(path, size)
    try:
        if _ENCRYPTED & fields(_footer(path))[0].keys():
            advice = "Write it without encryption, or without the encrypted columns."
            raise DataError("Columns of this parquet file are encrypted", file=path, advice=advice)
        with pyarrow.parquet.ParquetFile(path) as file:
            header = header_of(file.schema_arrow.names, path, 1, known)
            if header.width > len(header.names) and known is None:
                raise no_name(len(header.names), path, 1)
            frames = []
            above = 0
            for group in range(file.num_row_groups):
                frame = _group(path, file, group, header, budget)
                frame.index += above
                frames.append(frame if only is None else frame[only(frame)])
                above += file.metadata.row_group(group).num_rows
                progress(size * (group + 1) // file.num_row_groups, size)
    except DataError:
        raise
    except (pa.ArrowException, OSError, ValueError, LookupError, OverflowError, RecursionError) as fault:
        raise DataError("This parquet file is damaged", file=path, advice="Write it again.") from fault
    frame = pd.concat(frames) if len(frames) > 1 else frames[0] if frames else _nothing(header)
    longest = max((int(pc.max(pc.binary_length(pa.array(frame[name]))).as_py() or 0) for name in frame), default=0)
    if longest > LONGEST_CELL:
        raise too_long(path)
    rejected = first_faults(*spoilt_rows(frame))
    understood = {"format": "parquet"} | header.understood
    return Table(without(frame, rejected), rejected, understood, header.names)


def _footer(path: FilePath) -> bytes:
    """What a parquet file says of itself: it ends in this, in its length, and in four letters."""
    with Path(path).open("rb") as file:
        end = file.seek(0, 2)
        file.seek(max(0, end - 8))
        length = int.from_bytes(file.read(4), "little")
        file.seek(max(0, end - 8 - length))
        return file.read(length)


def _group(path: FilePath, file: Any, group: int, header: Header, budget: Budget) -> pd.DataFrame:
    """The rows of a group that are not blank, numbered from 2."""
    frame = _text(_rows(path, file, group, header.kept_names, budget), header.kept_names)
    blank = blank_rows(frame)
    if blank.any() and header.left_out:
        others = [name for name in file.schema_arrow.names if name not in header.kept_names]
        blank &= blank_rows(_text(_rows(path, file, group, others, budget)))
    return frame[~blank] if blank.any() else frame


def _rows(path: FilePath, file: Any, group: int, names: list[str], budget: Budget) -> Any:
    """Some columns of a group, counted while they are unpacked.

    A text that is kept once and meant a million times is a million texts when it is read. Where the longest one says
    that this could be too much, the column is read as the file keeps it, each text once, and counted so.
    """
    metadata = file.metadata.row_group(group)
    leaves = [(metadata.column(number), file.schema.column(number)) for number in range(metadata.num_columns)]
    wanted = {f"{name}." for name in names}
    leaves = [leaf for leaf in leaves if f"{leaf[0].path_in_schema}.".startswith(tuple(wanted))]
    rows, values = metadata.num_rows, max((chunk.num_values for chunk, _ in leaves), default=0)
    stored, largest, texts = 0, 1, []
    for chunk, kind in leaves:
        unpacked, is_growing = _pages(path, chunk, budget)
        stored += unpacked + (chunk.num_values * kind.length if chunk.physical_type == _OF_ONE_LENGTH else 0)
        if is_growing:
            largest = max(largest, unpacked)
        elif chunk.physical_type == "BYTE_ARRAY":
            texts.append(chunk.path_in_schema)
    budget.check(stored, rows * len(names))
    batch_size = max(16, min(_BATCH, _AT_ONCE // largest))
    asked = {"row_groups": [group], "columns": names}
    with pyarrow.parquet.ParquetFile(path, read_dictionary=texts) as once:
        first = next(once.iter_batches(batch_size=1, **asked), None)
        longest = 0 if first is None else sum(map(_longest, first.columns))
        reader = file if budget.holds(stored + longest * values, rows * len(names)) else once
        batches = []
        for batch in reader.iter_batches(batch_size=batch_size, **asked):
            budget.take(sum(map(_text_bytes, batch.columns)), len(batch) * len(names))
            batches.append(batch)
        return pa.Table.from_batches(batches, batches[0].schema if batches else file.schema_arrow)


def _pages(path: FilePath, chunk: Any, budget: Budget) -> tuple[int, bool]:
    """How much the pages of a column say that they unpack to, and whether one of them keeps only what differs.

    What a file says of a whole column may be less: the pages are what counts.
    """
    offsets = [chunk.data_page_offset, chunk.dictionary_page_offset if chunk.has_dictionary_page else 0]
    start = min(filter(lambda offset: offset > 0, offsets), default=0)  # without a row there is no page of data
    if not start:
        return 0, False
    unpacked, is_growing, end = 0, False, start + chunk.total_compressed_size
    with Path(path).open("rb") as file:
        while start < end:
            budget.take(_PAGE_COSTS)  # to look at each takes its time, however small it is
            said, length = _page(file, start)
            if said[_UNPACKED] < 0 or said[_PACKED] < 0:
                raise ValueError(said)
            unpacked += said[_UNPACKED]
            is_growing = is_growing or any(said.get(name) in _DELTA for name in _ENCODINGS)
            start += length + said[_PACKED]
    return unpacked, is_growing


def _page(file: BinaryIO, start: int) -> tuple[dict[tuple[int, ...], int], int]:
    """What the page that begins there says of itself, and in how many bytes."""
    length = _PAGE_SAYS
    while True:  # it may quote its first and its last text
        file.seek(start)
        try:
            return fields(file.read(length))
        except IndexError:
            length <<= 4
            if length > _MOST_SAID:
                raise


def _longest(column: Any) -> int:
    """The longest text of a column, or of all its parts together."""
    if pa.types.is_dictionary(column.type):
        return int(pc.max(pc.binary_length(column.dictionary)).as_py() or 0)
    return sum(map(_longest, _parts(column)))


def _text_bytes(column: Any) -> int:
    """How long the texts of a column are together, each as often as it is meant."""
    if pa.types.is_dictionary(column.type):
        return int(pc.sum(pc.take(pc.binary_length(column.dictionary), column.indices)).as_py() or 0)
    parts = _parts(column)
    return sum(map(_text_bytes, parts)) if parts else int(column.nbytes)


def _parts(column: Any) -> list[Any]:
    """The columns within a column of lists or structures."""
    if pa.types.is_struct(column.type):
        return list(column.flatten())
    return [column.flatten()] if pa.types.is_list(column.type) or pa.types.is_large_list(column.type) else []


def _text(arrow: Any, names: list[str] | None = None) -> pd.DataFrame:
    arrow.validate(full=True)
    if names is not None:  # asked for `a`, Parquet gives `a.b` too
        arrow = arrow.select(names)
    columns = [_column_text(column) for column in arrow.columns]
    named = names or [str(position) for position in range(len(columns))]
    return as_frame(columns, named, pd.RangeIndex(2, 2 + arrow.num_rows))


def _column_text(column: Any) -> Any:
    kind = column.type
    if pa.types.is_dictionary(kind):
        return _column_text(column.cast(kind.value_type))
    plain = (pa.types.is_string, pa.types.is_large_string, pa.types.is_integer, pa.types.is_date, pa.types.is_timestamp)
    if any(fits(kind) for fits in plain):
        return pc.fill_null(column.cast(pa.large_string()), "")
    return pa.chunked_array([pa.array([cell_text(value) for value in column.to_pylist()], pa.large_string())])


def _nothing(header: Header) -> pd.DataFrame:
    return pd.DataFrame(columns=header.kept_names, index=pd.RangeIndex(2, 2, name="row"), dtype="str")
