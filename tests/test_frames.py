"""Every kind of frame gives the same table of exposures as pandas."""

from __future__ import annotations

import datetime as dt
import importlib
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import dask.dataframe as dd
import duckdb
import hypothesis
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import marketable as mk
from batches import frame, listed, moments, portal, portals, touches
from reference import EDITIONS

MOST = hypothesis.settings().max_examples
CONTACTS = ["contact_id", "created_at", "status", "source", "asset"]
COLUMNS = ["contact_id", "occurred_at", "source", "asset"]
HOSTILE = ["'; DROP TABLE touches; --", 'a "quoted" \\ name', "nul\0here", "🎉 ${x} %s {y}", "  ", "_x", "ÄÖ\n"]


def _duckdb(table: pd.DataFrame) -> Any:
    connection = duckdb.connect()  # not the default one
    connection.register("batch", table)
    connection.execute("CREATE TABLE touches AS SELECT * FROM batch")
    return connection.table("touches")


KINDS: dict[str, Callable[[pd.DataFrame], Any]] = {
    "polars": pl.from_pandas,
    "polars.LazyFrame": lambda table: pl.from_pandas(table).lazy(),
    "pyarrow": lambda table: pa.Table.from_pandas(table, preserve_index=False),
    "duckdb": _duckdb,
    "dask": lambda table: dd.from_pandas(table, npartitions=2, sort=False),
}
LAZY = ["polars.LazyFrame", "duckdb", "dask"]
QUICK = [kind for kind in KINDS if kind != "dask"]
SHARE = {"polars": 6, "pyarrow": 6, "polars.LazyFrame": 6, "duckdb": 10, "dask": 60}  # one example in so many


@pytest.fixture(scope="session")
def spark() -> Iterator[Any]:
    if not shutil.which("java"):
        pytest.skip("no Java here")
    if not os.environ.get("CI"):  # where CI has Java it installs PySpark
        pytest.importorskip("pyspark.sql", reason="PySpark is large: make .venv/spark installs it")
    builder = importlib.import_module("pyspark.sql").SparkSession.builder.master("local[2]")
    builder = builder.config("spark.sql.shuffle.partitions", "2").config("spark.ui.enabled", "false")
    builder = builder.config("spark.ui.showConsoleProgress", "false")
    session = builder.config("spark.sql.session.timeZone", "America/New_York").getOrCreate()
    yield session
    session.stop()


def table_of(what_if: mk.WhatIf) -> tuple[Any, ...]:
    """The table of exposures, comparable: by exposure, creator, month and rest how many contacts."""
    table = what_if._table.exposures
    slots = table.slots
    names = [*slots.switches, "always"]
    sets = [frozenset[Any]()]
    for first, end in zip(table.bounds[:-1], table.bounds[1:], strict=True):
        members = table.members[first:end]
        sets.append(
            frozenset((names[slots.switch[slot]], bool(slots.own[slot]), int(slots.since[slot])) for slot in members)
        )
    counts: Counter[Any] = Counter()
    for exposure, creator, month, rest, contacts in zip(
        table.exposure, table.creator, table.month, table.rest, table.contacts, strict=True
    ):
        counts[sets[exposure], table.creators[creator], str(month), int(rest)] += int(contacts)
    return dict(counts), table.as_of, table.touched


def agree(
    kind: str, batch: pd.DataFrame, account: dict[str, Any], flips: Any = None, frames: Any = KINDS, **options: Any
) -> None:
    expected = mk.WhatIf(batch, portal(account), **options)
    found = mk.WhatIf(frames[kind](batch), portal(account), **options)
    assert table_of(found) == table_of(expected)
    if flips:
        known = {name: flip for name, flip in flips.items() if name in expected.switches.index}
        assert found.counts(known).to_dict() == expected.counts(known).to_dict()
        assert found.by("month", known).equals(expected.by("month", known))
        assert found.switches_after(known).equals(expected.switches_after(known))


def examples(kind: str) -> hypothesis.settings:
    return hypothesis.settings(max_examples=max(1, MOST // SHARE[kind]))


FLIPS = st.dictionaries(
    st.sampled_from(["non_hubspot_form", "hubspot_form/A", "hubspot_form/", "import_single_object/A", "chatflow/A"]),
    st.one_of(st.booleans(), st.tuples(moments, st.booleans())),
)


@pytest.mark.parametrize("kind", KINDS)
def test_a_batch_and_flips_from_a_day_on(kind: str) -> None:
    @examples(kind)
    @given(touches(), portals, FLIPS)
    def check(batch: list[dict[str, Any]], account: dict[str, Any], flips: dict[str, Any]) -> None:
        agree(kind, frame(batch), account, flips)

    check()


@pytest.mark.parametrize("kind", KINDS)
def test_a_batch_beside_contacts_that_existed_before(kind: str) -> None:
    @examples(kind)
    @given(touches(), portals, listed, st.one_of(st.none(), moments), st.one_of(st.none(), st.sampled_from(EDITIONS)))
    def check(
        batch: list[dict[str, Any]], account: dict[str, Any], contacts: list[dict[str, Any]], as_of: Any, edition: Any
    ) -> None:
        table = pd.DataFrame(contacts, columns=CONTACTS)
        agree(kind, frame(batch), account, contacts=table if contacts else None, as_of=as_of, edition=edition)

    check()


def zoned(batch: list[dict[str, Any]], zone: str, unit: Any) -> pd.DataFrame:
    table = frame(batch)
    table["occurred_at"] = pd.to_datetime(table["occurred_at"], utc=True).dt.tz_convert(zone).dt.as_unit(unit)
    return table


@pytest.mark.parametrize("kind", KINDS)
def test_times_with_a_zone(kind: str) -> None:
    zones, units = st.sampled_from(["UTC", "America/New_York"]), st.sampled_from(["us", "ns", "ms"])

    @examples(kind)
    @given(touches(st.just(dt.UTC)), portals, st.one_of(st.none(), moments), zones, units)
    def check(batch: list[dict[str, Any]], account: dict[str, Any], as_of: Any, zone: str, unit: str) -> None:
        agree(kind, zoned(batch, zone, unit), account, as_of=as_of)

    check()


def test_spark(spark: Any) -> None:
    def in_spark(table: pd.DataFrame) -> Any:
        texts = table.astype(dict.fromkeys(("contact_id", "source", "asset"), "str"))
        return spark.createDataFrame(pa.Table.from_pandas(texts, preserve_index=False)).repartition(1)

    @hypothesis.settings(max_examples=max(1, MOST // 60))
    @given(touches(st.just(dt.UTC)), portals, listed, st.booleans())
    def check(
        batch: list[dict[str, Any]], account: dict[str, Any], contacts: list[dict[str, Any]], has_zone: bool
    ) -> None:
        table = zoned(batch, "UTC", "us")
        if not has_zone:
            table["occurred_at"] = table["occurred_at"].dt.tz_localize(None)
        options = {"contacts": pd.DataFrame(contacts, columns=CONTACTS)} if contacts else {}
        agree("spark", table, account, frames={"spark": in_spark}, **options)

    check()


# ---- what frames hold ----


def batch_of(rows: list[tuple[Any, ...]]) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=COLUMNS)
    return table.assign(occurred_at=pd.to_datetime(table["occurred_at"]))


@pytest.mark.parametrize("kind", QUICK)
def test_names_that_would_like_to_be_code(kind: str) -> None:
    names = [*HOSTILE, "marketable_small_table"]
    rows = [(name, f"2024-03-0{day}", "hubspot_form", other) for name in names for day, other in enumerate(names, 1)]
    account = {"switches": {"hubspot_form": dict.fromkeys(names[:3], False)}}
    contacts = pd.DataFrame({"contact_id": names[:2], "status": "not covered"})
    agree(kind, batch_of(rows), account, contacts=contacts)


@pytest.mark.parametrize(("kind", "switches"), [("polars.LazyFrame", 4000), ("duckdb", 600)])
def test_thousands_of_switches(kind: str, switches: int) -> None:
    day = pd.Timestamp("2024-03-01")
    rows = [
        (str(number % 37), day + pd.Timedelta(minutes=number), "hubspot_form", f"form {number}")
        for number in range(switches)
    ]
    agree(kind, batch_of(rows), {"switches": {"hubspot_form": {"form 7": False}}})


@pytest.mark.parametrize("kind", QUICK)
@pytest.mark.parametrize("float_ids", [False, True])
def test_ids_that_are_numbers(kind: str, float_ids: bool) -> None:
    rows = [(number % 5, f"2024-03-{number + 1:02}", "hubspot_form", "A") for number in range(20)]
    contacts = pd.DataFrame({"contact_id": ["3", "99"], "status": ["marketing", "not covered"]})
    batch = batch_of(rows).astype({"contact_id": float} if float_ids else {})
    agree(kind, batch, {})
    agree(kind, batch, {}, contacts=contacts)


@pytest.mark.parametrize("kind", KINDS)
def test_categories_missing_assets_and_contacts_known_by_their_email(kind: str) -> None:
    rows = [(None, "2024-03-01", "hubspot_form", None), ("", "2024-03-02", "hubspot_form", "A")]
    table = batch_of([*rows, ("x@example.com", "2024-03-03", "manual", None), ("y", "2024-03-04", "manual", "A")])
    table["email"] = [" X@example.com", "x@EXAMPLE.com ", None, None]
    agree(kind, table.astype({"source": "category", "asset": "category"}), {})
    if kind in QUICK:
        agree(kind, table, {})
        agree(kind, table.drop(columns="asset"), {})


def test_days_and_enums_in_polars() -> None:
    table = batch_of([("1", "2024-03-01", "hubspot_form", "A"), ("2", "2024-03-02", "manual", "")])
    days = pl.from_pandas(table).with_columns(
        pl.col("occurred_at").cast(pl.Date), pl.col("source").cast(pl.Enum(["hubspot_form", "manual"]))
    )
    expected = table_of(mk.WhatIf(table, mk.Portal()))
    assert table_of(mk.WhatIf(days, mk.Portal())) == table_of(mk.WhatIf(days.lazy(), mk.Portal())) == expected


@pytest.mark.parametrize("kind", ["duckdb", "dask", "polars"])
def test_a_folder_of_parquet_files(kind: str, tmp_path: Path) -> None:
    touches = mk.sample_touches(2_000, seed=7)
    for part in range(3):
        touches.iloc[part * 700 : (part + 1) * 700].to_parquet(tmp_path / f"part-{part}.parquet")
    read = {
        "duckdb": lambda: duckdb.connect().read_parquet(f"{tmp_path}/*.parquet"),
        "dask": lambda: dd.read_parquet(tmp_path),
        "polars": lambda: pl.scan_parquet(tmp_path),
    }
    what_if = mk.WhatIf(read[kind](), mk.Portal())
    assert table_of(what_if) == table_of(mk.WhatIf(touches, mk.Portal()))


@pytest.mark.parametrize("kind", LAZY[:2])
def test_a_column_row_gives_the_order_of_ties(kind: str) -> None:
    rows = [("1", "2024-03-01", "hubspot_form", "B"), ("1", "2024-03-01", "manual", "")]
    table = batch_of(rows).assign(row=[1, 0])
    expected = mk.WhatIf(table.sort_values("row"), mk.Portal())
    assert table_of(mk.WhatIf(KINDS[kind](table), mk.Portal())) == table_of(expected)
    with pytest.raises(mk.DataError, match="A row has no number"):
        mk.WhatIf(KINDS[kind](table.assign(row=[-1, 0])), mk.Portal())


@pytest.mark.parametrize("kind", QUICK)
def test_what_cannot_be_judged_is_said(kind: str) -> None:
    good = batch_of([("1", "2024-03-01", "hubspot_form", "A"), ("2", "2024-03-02", "manual", "")])
    wrong = {
        "Did you mean 'hubspot_form'": good.assign(source=["hubspot_forms", "manual"]),
        "lacks a column: 'occurred_at'.*'occured_at'": good.rename(columns={"occurred_at": "occured_at"}),
        "A touch has no contact": good.assign(contact_id=["1", None]),
        "A touch has no time": good.assign(occurred_at=[pd.Timestamp("2024-03-01"), pd.NaT]),
    }
    wrong |= {
        "This is no id": good.assign(contact_id=[1.5, 2.0]),
        "Numbers are not times.*Milliseconds": good.assign(occurred_at=[1_711_000_000_000] * 2),
        "before the year 2000": good.assign(occurred_at=np.array(["0001-01-01", "2024-03-01"], "datetime64[us]")),
        "after the year 2100": good.assign(occurred_at=np.array(["9999-12-31", "2024-03-01"], "datetime64[us]")),
    }
    if kind in LAZY:
        wrong["The times are not times"] = good.assign(occurred_at=good["occurred_at"].astype("str"))
    for words, table in wrong.items():
        with pytest.raises(mk.DataError, match=words):
            mk.WhatIf(KINDS[kind](table), mk.Portal())


@pytest.mark.parametrize("column", ["TIMESTAMP 'infinity'", "TIMESTAMPTZ '-infinity'", "DATE 'infinity'"])
def test_times_without_end_are_refused(column: str) -> None:
    endless = duckdb.connect().sql(f"SELECT '1' AS contact_id, {column} AS occurred_at, 'manual' AS source")
    with pytest.raises(mk.DataError, match=r"The time is (before|after) the year"):
        mk.WhatIf(endless, mk.Portal())


def test_lists_are_no_ids_and_no_column_is_there_twice() -> None:
    table = pa.table({"contact_id": [["1"]], "occurred_at": [dt.datetime(2024, 3, 1)], "source": ["manual"]})
    for frame_of_lists in (table, pl.from_arrow(table).lazy()):  # type: ignore[union-attr]
        with pytest.raises(mk.DataError, match="This is no id"):
            mk.WhatIf(frame_of_lists, mk.Portal())
    with pytest.raises(mk.DataError, match="Two columns bear the same name"):
        mk.WhatIf(table.append_column("source", table["source"]), mk.Portal())


@pytest.mark.parametrize("kind", ["polars", "pyarrow"])
def test_decide_takes_other_frames_in_memory(kind: str) -> None:
    touches = mk.sample_touches(500, seed=3)
    contacts = pd.DataFrame({"contact_id": touches["contact_id"].iloc[:1].astype("str"), "status": "not covered"})
    outcome = mk.decide(KINDS[kind](touches), mk.Portal(), contacts=KINDS[kind](contacts))
    expected = mk.decide(touches, mk.Portal(), contacts=contacts)
    pd.testing.assert_frame_equal(outcome.contacts.astype(object), expected.contacts.astype(object))
    assert outcome.touches["reason"].tolist() == expected.touches["reason"].tolist()


def test_what_is_no_frame_or_not_in_memory_is_refused() -> None:
    for wrong in ([1, 2], "touches.csv", None):
        with pytest.raises(mk.DataError, match=r"A batch is a DataFrame.*Polars"):
            mk.WhatIf(wrong, mk.Portal())
    with pytest.raises(mk.DataError, match="Collect it first"):
        mk.decide(pl.LazyFrame({name: [] for name in COLUMNS}), mk.Portal())


def test_no_engine_is_imported_for_a_frame_of_pandas() -> None:
    code = """if True:
        import sys, marketable as mk
        mk.WhatIf(mk.sample_touches(10, seed=1), mk.Portal())
        print([name for name in ("narwhals", "polars", "duckdb", "dask", "pyspark") if name in sys.modules])"""
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
