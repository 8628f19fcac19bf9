"""A parquet file as text: only the columns that are wanted are read, one group of rows after the other."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet

from marketable.errors import DataError

from .cells import LONGEST_CELL, cell_text, too_long
from .files import MOST_UNPACKED, FilePath, Progress, too_large
from .header import Header, Known, header_of, no_name
from .table import Table, as_frame, blank_rows, first_faults, spoilt_rows, without


def read_parquet(path: FilePath, known: Known | None, size: int, progress: Progress) -> Table:
    """The table in a parquet file.

    Raises: DataError, for one that is damaged or whose wanted columns unpack to more than 2 GB, and for columns that
    are not well named.
    """
    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            header = header_of(file.schema_arrow.names, path, 1, known)
            if header.width > len(header.names) and known is None:
                raise no_name(len(header.names), path, 1)
            unpacked = _unpacked(file.metadata, set(header.kept_names))
            if unpacked > MOST_UNPACKED:
                raise too_large(path, unpacked)
            frames = []
            above = 0
            for group in range(file.num_row_groups):
                frames.append(_group(file, group, header).pipe(_shifted, above))
                above += file.metadata.row_group(group).num_rows
                progress(size * (group + 1) // file.num_row_groups, size)
    except DataError:
        raise
    except (pa.ArrowException, OSError, ValueError, UnicodeError, OverflowError) as fault:
        raise DataError("This parquet file is damaged", file=path, advice="Write it again.") from fault
    frame = pd.concat(frames) if len(frames) > 1 else frames[0] if frames else _nothing(header)
    longest = max((int(pc.max(pc.binary_length(pa.array(frame[name]))).as_py() or 0) for name in frame), default=0)
    if longest > LONGEST_CELL:
        raise too_long(path)
    rejected = first_faults(*spoilt_rows(frame))
    understood = {"format": "parquet"} | header.understood
    return Table(without(frame, rejected), rejected, understood, header.names)


def _unpacked(metadata: Any, wanted: set[str]) -> int:
    """The bytes of the wanted columns, as the file itself tells them."""
    groups = (metadata.row_group(group) for group in range(metadata.num_row_groups))
    columns = (group.column(number) for group in groups for number in range(metadata.num_columns))
    return sum(column.total_uncompressed_size for column in columns if column.path_in_schema in wanted)


def _group(file: Any, group: int, header: Header) -> pd.DataFrame:
    """The rows of a group that are not blank, numbered from 2."""
    frame = _text(file.read_row_group(group, columns=header.kept_names), header.kept_names)
    blank = blank_rows(frame)
    if blank.any() and header.left_out:
        blank &= blank_rows(_text(file.read_row_group(group)))
    return frame[~blank] if blank.any() else frame


def _text(arrow: Any, names: list[str] | None = None) -> pd.DataFrame:
    arrow.validate(full=True)
    if names is not None:  # asked for `a`, Parquet gives `a.b` too
        arrow = arrow.select(names)
    columns = [_column_text(column) for column in arrow.columns]
    positions = [str(position) for position in range(len(columns))]
    rows = pd.RangeIndex(2, 2 + arrow.num_rows)
    return as_frame(pa.table(columns, positions), positions if names is None else names, rows)


def _column_text(column: Any) -> Any:
    kind = column.type
    if pa.types.is_dictionary(kind):
        return _column_text(column.cast(kind.value_type))
    plain = (pa.types.is_string, pa.types.is_large_string, pa.types.is_integer, pa.types.is_date, pa.types.is_timestamp)
    if any(fits(kind) for fits in plain):
        return pc.fill_null(column.cast(pa.large_string()), "")
    return pa.chunked_array([pa.array([cell_text(value) for value in column.to_pylist()], pa.large_string())])


def _shifted(frame: pd.DataFrame, rows: int) -> pd.DataFrame:
    return frame.set_axis(frame.index + rows)


def _nothing(header: Header) -> pd.DataFrame:
    return pd.DataFrame(columns=header.kept_names, index=pd.RangeIndex(2, 2, name="row"), dtype="str")
