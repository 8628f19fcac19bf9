"""The few things that Polars, DuckDB, Dask and Spark each do their own way: a small table beside the user's frame, the
position of each row, and the wall clock of a time zone.
"""

from __future__ import annotations

import datetime as dt
import importlib
from collections.abc import Mapping
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd
import pyarrow as pa

from marketable.errors import DataError

from ..frames import wrapped
from ..incoming import no_times

Frame = nw.LazyFrame[Any]
Column = np.ndarray | list[str]
_IN_PARTITION = 33  # bits: Spark numbers a row by its partition, then by its place in it
_MOST_PARTITIONS = 1 << 15


def kind_of(frame: Frame) -> str:
    """The engine: "polars", "duckdb", "dask" or "pyspark"."""
    return str(frame.implementation.value).removesuffix("[connect]")


def small(frame: Frame, columns: Mapping[str, Column]) -> Frame:
    """A table from memory that can be joined to a frame. Arguments: columns, whole numbers (arrays) or text (lists)."""
    native, kind = frame.to_native(), kind_of(frame)
    if kind == "polars":
        return nw.from_dict(dict(columns), backend="polars").lazy()
    if kind == "duckdb":  # in the relation's own connection, where SQL sees variables by their names
        marketable_small_table = pa.table(dict(columns))  # noqa: F841
        table = native.query("marketable_batch", "SELECT * FROM marketable_small_table")
    elif kind == "dask":
        in_memory = nw.from_dict(dict(columns), backend="pandas").to_native()
        same = {name: native.dtypes[name] for name in columns if name in native.columns}
        table = importlib.import_module("dask.dataframe").from_pandas(in_memory, npartitions=1).astype(same)
    else:
        types = (f"{name} {'string' if isinstance(column, list) else 'bigint'}" for name, column in columns.items())
        lists = (column if isinstance(column, list) else column.tolist() for column in columns.values())
        table = native.sparkSession.createDataFrame(list(zip(*lists, strict=True)), ", ".join(types))
    beside: Frame = wrapped(table)
    return beside


def with_clocks(frame: Frame, time_zone: str) -> tuple[Frame, bool]:
    """The frame with `moment`, by which to order, and `wall`, the account's local time, both without a zone and in
    microseconds, for its `occurred_at`; and whether that had a zone. See `moments`.
    """
    native, dtype = frame.to_native(), frame.collect_schema()["occurred_at"]
    is_dask = kind_of(frame) == "dask"
    zone = native.dtypes["occurred_at"] if is_dask else dtype  # Narwhals does not read every zone's name in Dask
    if getattr(zone, "tz" if is_dask else "time_zone", None) is not None:
        clocks = {"polars": _clocks, "dask": _dask_clocks, "duckdb": _duckdb_clocks, "pyspark": _pyspark_clocks}
        frame = wrapped(clocks[kind_of(frame)](native, time_zone))
        return frame, True
    if dtype.is_numeric():
        raise no_times(str(dtype), "occurred_at", kind_of(frame))
    if dtype not in (nw.Date, nw.Datetime):
        raise DataError(
            "The times are not times",
            column="occurred_at",
            value=str(dtype),
            expected="a column of timestamps, with or without a time zone",
            advice="Convert the column in its own engine first, or collect the frame: in memory, text is read too.",
        )
    local = nw.col("occurred_at").cast(nw.Datetime("us"))
    return frame.with_columns(moment=local, wall=local), False


def _clocks(native: Any, time_zone: str) -> Any:
    when = nw.col("occurred_at")
    zones = {"moment": "UTC", "wall": time_zone}
    clocks = {name: when.dt.convert_time_zone(zone).dt.replace_time_zone(None) for name, zone in zones.items()}
    return wrapped(native).with_columns(**{name: clock.cast(nw.Datetime("us")) for name, clock in clocks.items()})


def _dask_clocks(native: Any, time_zone: str) -> Any:
    zones, when = {"moment": "UTC", "wall": time_zone}, native["occurred_at"].dt
    clocks = {name: when.tz_convert(zone).dt.tz_localize(None) for name, zone in zones.items()}
    return native.assign(**{name: clock.astype("datetime64[us]") for name, clock in clocks.items()})


def _duckdb_clocks(native: Any, time_zone: str) -> Any:
    wall = f"timezone('{time_zone}', occurred_at) AS wall"
    return native.project(f"*, timezone('UTC', occurred_at) AS moment, {wall}")


def _pyspark_clocks(native: Any, time_zone: str) -> Any:
    utc = "TIMESTAMP_NTZ'1970-01-01 00:00:00' + make_dt_interval(0, 0, 0, unix_micros(occurred_at) / 1000000)"
    return native.selectExpr("*", f"{utc} AS moment", f"convert_timezone('UTC', '{time_zone}', {utc}) AS wall")


def with_position(frame: Frame, rows: int) -> tuple[Frame, int]:
    """The frame with the `position` of each row, from 1 on in the frame's order, and a number above all positions.

    Arguments: rows, how many there are.
    """
    native, kind = frame.to_native(), kind_of(frame)
    if kind == "pyspark":
        number = importlib.import_module("pyspark.sql.functions").monotonically_increasing_id()
        part, row = (nw.col("position") // (1 << _IN_PARTITION), nw.col("position") % (1 << _IN_PARTITION))
        numbered = wrapped(native.withColumn("position", number))
        return numbered.with_columns(position=part * (rows + 1) + row + 1), (rows + 1) * _MOST_PARTITIONS
    if kind == "polars":
        position = nw.col("position").cast(nw.Int64) + 1
        return wrapped(native.with_row_index("position")).with_columns(position), rows + 1
    if kind == "duckdb":
        return wrapped(native.project("*, row_number() OVER () AS position")), rows + 1
    ones = native.assign(position=1)
    return wrapped(ones.assign(position=ones["position"].cumsum())), rows + 1


def how_many(column: nw.Expr, starts: np.ndarray) -> nw.Expr:
    """How many of some local times a column's have reached."""
    if not len(starts):
        return nw.lit(0, nw.Int64)
    if len(starts) == 1:
        return (column >= time(starts[0])).cast(nw.Int64)
    half = len(starts) // 2  # added in halves, as engines refuse expressions that are too deep
    return how_many(column, starts[:half]) + how_many(column, starts[half:])


def time(micro: int) -> dt.datetime:
    """The time so many microseconds after 1970 began."""
    value: dt.datetime = np.datetime64(int(micro), "us").item()
    return value


def collected(frame: Frame) -> pd.DataFrame:
    """The rows of a query, which runs now."""
    table: pd.DataFrame = frame.collect(backend="pyarrow").to_native().to_pandas()
    return table
