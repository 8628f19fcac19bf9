"""What reading a batch promises."""

from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marketable.errors import DataError
from marketable.reading.dates import read_times
from marketable.reading.touches import COLUMNS, SOURCE_NAMES, Batch, as_touches, read_touches
from marketable.rulebook import SOURCES
from test_tables import csv_files, is_read_alike_with_care

# pandas writes a lone carriage return without quotes, and so as a line end.
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r"), max_size=6)
CELL = st.sampled_from(["", "007", "2024-03-01", "manual", "a@b.c"]) | TEXT


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("touches")


def read(folder: Path, *lines: str, header: str = "contact_id,occurred_at,source,asset", strict: bool = False) -> Batch:
    path = folder / "touches.csv"
    path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    return read_touches(path, strict=strict)


def only_reason(batch: Batch) -> tuple[str, str]:
    assert not len(batch.touches)
    (rejected,) = batch.rejected.to_dict("records")
    return rejected["column"], rejected["reason"]


def times(*cells: str) -> pd.Series:
    return read_times(pd.Series(cells))


def test_a_batch_has_its_columns_in_their_types(folder: Path) -> None:
    touches = read(folder, "7,2024-03-01,manual,").touches
    assert touches.dtypes.astype(str).to_dict() == {
        "contact_id": "str",
        "occurred_at": "datetime64[us]",
        "source": "category",
        "asset": "category",
    }
    assert touches.index.equals(pd.RangeIndex(1))


def test_007_is_not_7(folder: Path) -> None:
    batch = read(folder, " 007 ,2024-03-01,manual,", "7,2024-03-01,manual,", "NA,2024-03-01,manual,")
    assert batch.touches["contact_id"].tolist() == ["007", "7", "NA"]


def test_without_an_id_the_contact_is_known_by_the_e_mail(folder: Path) -> None:
    lines = ["7,Ann@Example.com,2024-03-01,manual", ", Ann@Example.com ,2024-03-01,manual", ",,2024-03-01,manual"]
    batch = read(folder, *lines, header="contact_id,email,occurred_at,source")
    assert batch.touches["contact_id"].tolist() == ["7", "ann@example.com"]
    assert batch.rejected["row"].tolist() == [4]


def test_columns_are_found_whatever_their_case_and_order(folder: Path) -> None:
    batch = read(folder, "x,manual,2024-03-01,Ann@b.c", header="Note, SOURCE ,Occurred_At,Email")
    assert batch.touches.iloc[0].tolist() == ["ann@b.c", pd.Timestamp("2024-03-01"), "manual", ""]
    assert batch.understood["left out"] == "Note"


def test_a_missing_column_is_an_error_that_names_the_nearest(folder: Path) -> None:
    with pytest.raises(DataError, match=r"no column occurred_at .* Did you mean 'occured_at'\? Found: contact_id, occ"):
        read(folder, header="contact_id,occured_at,source")
    with pytest.raises(DataError, match="There is no column contact_id"):
        read(folder, header="name,occurred_at,source")


def test_the_blanks_of_an_asset_matter(folder: Path) -> None:
    assert read(folder, "7,2024-03-01,hubspot_form, News ").touches["asset"].tolist() == [" News "]


@pytest.mark.parametrize("source", SOURCE_NAMES)
def test_every_source_and_action_is_read(folder: Path, source: str) -> None:
    assert read(folder, f"7,2024-03-01, {source} ,").touches["source"].tolist() == [source]


def test_sources_are_categories_in_the_order_of_the_rulebook(folder: Path) -> None:
    categories = read(folder, "7,2024-03-01,manual,").touches["source"].cat.categories
    assert tuple(categories[: len(SOURCES)]) == SOURCES


@pytest.mark.parametrize(
    ("line", "column", "reason"),
    [
        (" ,2024-03-01,manual,", "contact_id", "There is no contact_id and no e-mail"),
        ("7,,manual,", "occurred_at", "The time is missing"),
        ("7,13/13/2024,manual,", "occurred_at", "This is no time"),
        ("7,2024-02-30,manual,", "occurred_at", "This is no time"),
        ("7,1999-12-31,manual,", "occurred_at", "The time is before the year 2000"),
        ("7,2101-01-01T00:00Z,manual,", "occurred_at", "The time is after the year 2100"),
        ("7,2024-03-01,,", "source", "The source is missing"),
        ("7,2024-03-01,hubspot_from,", "source", "There is no such source. The nearest is hubspot_form"),
        ("7,2024-03-01,Fax,", "source", "There is no such source"),
        ("7,2024-03-01,manual", "", "The row has 3 cells, the header 4"),
        ("7,2024-03-01,manual,\0", "asset", "The cell holds a NUL character"),
    ],
)
def test_a_row_that_is_no_touch_is_rejected_with_a_reason(folder: Path, line: str, column: str, reason: str) -> None:
    found = only_reason(read(folder, line))
    assert found[0] == column
    assert found[1].startswith(reason)


def test_of_several_faults_the_first_is_told(folder: Path) -> None:
    assert only_reason(read(folder, ",yesterday,Fax,"))[0] == "contact_id"


def test_strict_makes_the_first_rejected_row_an_error(folder: Path) -> None:
    with pytest.raises(DataError, match=r"This is no time.*'x' \(touches.csv, row 3, column occurred_at\)"):
        read(folder, "7,2024-03-01,manual,", "7,x,manual,", strict=True)


def test_every_form_of_iso_8601_in_use_is_a_time() -> None:
    moment = pd.Timestamp("2024-03-01 09:30")
    assert (
        times("2024-03-01 09:30", " 2024-03-01T09:30 ", "2024-03-01 09:30:00", "2024-03-01T09:30:00.000")
        .eq(moment)
        .all()
    )
    aware = times("2024-03-01T09:30Z", "2024-03-01 10:30+01:00", "2024-03-01 04:30:00.0-0500", "2024-03-01T11:30+02")
    assert aware.eq(moment.tz_localize("UTC")).all()
    assert times("2024-03-01")[0] == pd.Timestamp("2024-03-01")


def test_the_zone_decides_the_type() -> None:
    assert times("2024-03-01", "nonsense").dtype == "datetime64[us]"
    assert times("2024-03-01T09:30Z", "nonsense").dtype == "datetime64[us, UTC]"
    mixed = times("2024-03-01", "2024-03-01T09:30+02:00")
    assert mixed.tolist() == [pd.Timestamp("2024-03-01"), pd.Timestamp("2024-03-01T09:30+02:00")]


def test_times_are_of_one_kind_where_the_rows_of_the_other_were_rejected(folder: Path) -> None:
    batch = read(folder, "7,2024-03-01T09:30+02:00,manual,", "7,2024-03-01,Fax,", "7,2024-03-01T09:30Z,manual,")
    assert batch.touches["occurred_at"].dtype == "datetime64[us, UTC]"


@settings(max_examples=2 * settings.default.max_examples)
@given(
    st.lists(
        st.from_regex(
            r"202[45]-[01]\d-[0-3]\d([ T][0-2]\d(:[0-6]\d){1,2}(\.\d{1,7})?(Z|[+-]\d\d:?\d\d)?)?", fullmatch=True
        )
    )
)
def test_a_time_is_read_alike_alone_and_among_others(cells: list[str]) -> None:
    alone = [times(cell)[0] for cell in cells]
    together = times(*cells, "nonsense", "2024-01-01", "2024-01-01T00:00Z")[: len(cells)].tolist()
    assert [(pd.isna(time), time == other) for time, other in zip(alone, together, strict=True)] == [
        (pd.isna(time), not pd.isna(time)) for time in alone
    ]


@settings(max_examples=settings.default.max_examples)
@given(st.lists(st.tuples(CELL, CELL, CELL, CELL), max_size=8))
def test_every_row_is_a_touch_or_rejected(folder: Path, rows: list[tuple[str, ...]]) -> None:
    path = folder / "any.csv"
    pd.DataFrame(rows, columns=list(COLUMNS)).to_csv(path, index=False)
    batch = read_touches(path)
    assert batch.rows_read == len(batch.touches) + len(batch.rejected) == sum(any(row) for row in rows)


@settings(max_examples=settings.default.max_examples)
@given(
    st.lists(
        st.tuples(
            TEXT.map(str.strip).filter(bool),
            st.datetimes(pd.Timestamp("2000-01-01").to_pydatetime(), pd.Timestamp("2100-12-31").to_pydatetime()),
            st.sampled_from(SOURCE_NAMES),
            TEXT,
        ),
        max_size=8,
    ),
    st.sampled_from(["csv", "parquet"]),
    st.sampled_from([None, "UTC"]),
)
def test_a_batch_that_was_written_is_read_as_it_was(
    folder: Path, rows: list[tuple], kind: str, zone: str | None
) -> None:
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    frame["occurred_at"] = pd.to_datetime(frame["occurred_at"]).dt.as_unit("us").dt.tz_localize(zone if rows else None)
    touches = as_touches(frame.astype({"contact_id": "str", "asset": "str"}))
    path = folder / f"batch.{kind}"
    touches.to_csv(path, index=False) if kind == "csv" else touches.to_parquet(path)
    pd.testing.assert_frame_equal(read_touches(path).touches, touches)


def test_a_batch_from_a_workbook_is_the_same(folder: Path) -> None:
    touches = read(folder, "007,2024-03-01 09:30,hubspot_form,Größe", "8,2024-03-02 10:00,manual,").touches
    touches.to_excel(folder / "touches.xlsx", index=False)
    pd.testing.assert_frame_equal(read_touches(folder / "touches.xlsx").touches, touches)


@given(csv_files(), st.sampled_from([64, 99, 1 << 20]))
def test_touches_are_read_alike_with_care_and_without(folder: Path, content: bytes, block: int) -> None:
    path = folder / "any.csv"
    path.write_bytes(content)
    is_read_alike_with_care(read_touches, path, block)
