"""What reading a file into text promises."""

import csv
import datetime as dt
import io
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from marketable.errors import DataError, MarketableError
from marketable.exports import read_export
from marketable.reading import csv_file, tables
from marketable.reading.tables import read_table

CELLS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
AWKWARD = ["", " ", "007", "7", "NA", "null", "nan", "None", "1e5", "True", "9" * 40, "a@b.c", "Größe ", "é\u2028ß 🎉"]
AWKWARD += ["2024-03-01", "2024-03-01 09:30", " 2024-03-01T09:30", "2024-03-01T09:30:00.1Z", "2024-03-01T09:30+02:00"]
AWKWARD += ["yesterday", "2024-02-30", "1999-12-31", "2101-01-01", "manual", " manual ", "hubspot_form", "hubspot_from"]
AWKWARD += ['say "hi"', '"', "a,b", "a;b", "a\tb", "a\nb", "a\r\nb", "\ufeff", "xl/workbook.xml", "x" * 80]
SPOILT = [
    "\n",
    "\r",
    "\r\n",
    ",",
    ";",
    '"',
    '""',
    '\n"',
    '"\n',
    "\0",
    ",,,,\n",
    ",,,,\0\n",
    "\n\n",
    "7,8\n",
    "1,2,3,4,5\n",
]
HEADERS = ["contact_id occurred_at source asset", "Email SOURCE occurred_at", "contact_id email occurred_at source x,y"]
HEADERS += ["a b", "a", "contact_id occurred_at source asset asset", 'contact_id occurred_at source "', "id\nid source"]


@st.composite
def csv_files(draw: st.DrawFn) -> bytes:
    """Files as programs write them, awkward cells and all; every other one is spoilt in up to two places."""
    header = draw(st.sampled_from(HEADERS[:3] * 2 + HEADERS)).split(" ")
    # Plain rows are common, so that whole files of them are; an awkward cell may stand anywhere.
    plain = dict(zip(header, ["007", "2024-03-01 09:30", "manual", "News"], strict=False)) | {
        "Email": "a@b.c",
        "SOURCE": "manual",
        "occurred_at": "2024-03-01 09:30",
        "source": "manual",
    }
    cells = [st.just(plain.get(name, "x")) | st.sampled_from([plain.get(name, "x")] * 20 + AWKWARD) for name in header]
    rows = draw(st.lists(st.tuples(*cells), max_size=12))
    text = io.StringIO(newline="")
    csv.writer(
        text,
        delimiter=draw(st.sampled_from(",,,;\t|")),
        lineterminator=draw(st.sampled_from(["\n", "\n", "\r\n", "\r"])),
        quoting=draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_MINIMAL, csv.QUOTE_ALL])),
    ).writerows([header, *rows])
    written = text.getvalue()
    for spoilt in draw(st.just([]) | st.lists(st.sampled_from(SPOILT), max_size=2)):
        place = draw(st.integers(0, len(written)))
        written = written[:place] + spoilt + written[place:]
    written = written.rstrip("\r\n") if draw(st.booleans()) else written
    return written.encode(draw(st.sampled_from(["utf-8", "utf-8", "utf-8-sig", "utf-16", "cp1252"])), errors="replace")


def whatever(read: Callable[[Path], Any], path: Path) -> dict[str, Any] | str:
    """All that reading gives, or the words of its error."""
    try:
        return dict(vars(read(path)))
    except DataError as fault:
        return str(fault)


def is_read_alike_with_care(read: Callable[[Path], Any], path: Path, block: int) -> bool:
    """Checks that reading carefully gives the same. Returns: whether the file was read the plain way."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv_file, "_BLOCK", block)
        is_plain = csv_file.plain(path, None, path.stat().st_size, lambda done, size: None) is not None
        quick = whatever(read, path)
        patch.setattr(csv_file, "plain", lambda *_: None)
        careful = whatever(read, path)
    if isinstance(careful, str) or isinstance(quick, str):
        assert quick == careful
        return is_plain
    for name, value in careful.items():
        if isinstance(value, pd.DataFrame):
            pd.testing.assert_frame_equal(quick[name], value, check_index_type=True, check_column_type=True)
        else:
            assert quick[name] == value
    return is_plain


ROWS = st.lists(st.lists(CELLS, min_size=1, max_size=4), max_size=8)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tables")


def written(folder: Path, content: str | bytes, name: str = "table.csv") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def rows(path: Path) -> dict[int, list[str]]:
    return {row: list(cells) for row, *cells in read_table(path).frame.itertuples()}


def rejected(path: Path) -> list[tuple[int, str]]:
    return list(read_table(path).rejected[["row", "reason"]].itertuples(index=False, name=None))


def fault(path: Path) -> str:
    with pytest.raises(DataError) as caught:
        read_table(path)
    return str(caught.value)


def test_cells_keep_what_they_say(folder: Path) -> None:
    path = written(folder, "a,b,c,d\n007,NA,None,1.0\n1e5,nan, x ,TRUE\n")
    assert rows(path) == {2: ["007", "NA", "None", "1.0"], 3: ["1e5", "nan", " x ", "TRUE"]}


def test_a_row_bears_the_number_a_spreadsheet_shows(folder: Path) -> None:
    path = written(folder, 'a,b\n"line 1\nline 2",x\n\n,\n3,y\n')
    assert rows(path) == {2: ["line 1\nline 2", "x"], 5: ["3", "y"]}


def test_blank_lines_above_the_header_count_too(folder: Path) -> None:
    assert rows(written(folder, "\n,\na,b\n1,2\n")) == {4: ["1", "2"]}


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_any_line_end_ends_a_line(folder: Path, end: str) -> None:
    assert rows(written(folder, f"a,b{end}1,2{end}3,4")) == {2: ["1", "2"], 3: ["3", "4"]}


def test_rows_with_more_or_fewer_cells_are_rejected_not_filled_or_cut(folder: Path) -> None:
    path = written(folder, "a,b\n1\n1,2\n1,2,3\n")
    assert rows(path) == {3: ["1", "2"]}
    assert rejected(path) == [(2, "The row has 1 cells, the header 2"), (4, "The row has 3 cells, the header 2")]


@pytest.mark.parametrize(
    "text", ["a,b\n1,2,\n3,4,\n", "a,b,\n1,2,\n3,4,\n", "a,b,,,\n1,2\n3,4,,,,,\n", "a,b\n1,2\n3,4,,\n"]
)
def test_delimiters_at_the_end_shift_nothing(folder: Path, text: str) -> None:
    path = written(folder, text)
    assert rows(path) == {2: ["1", "2"], 3: ["3", "4"]}
    assert not rejected(path)


def test_a_row_with_anything_beyond_the_header_is_rejected(folder: Path) -> None:
    path = written(folder, "a,b\n1,2,\n3,4,,x\n5,6,\n7,8,y\n")
    assert rows(path) == {2: ["1", "2"], 4: ["5", "6"]}
    assert rejected(path) == [(3, "The row has 4 cells, the header 2"), (5, "The row has 3 cells, the header 2")]


def test_an_unnamed_column_that_holds_anything_must_get_a_name(folder: Path) -> None:
    assert read_table(written(folder, "a,b,\n1,2,\n")).understood["unnamed"] == "at the end: 1"
    assert "Column 3 has no name (table.csv, row 1)" in fault(written(folder, "a,b,\n1,2,\n3,4,x\n"))


def test_a_nul_character_makes_its_row_a_rejected_one(folder: Path) -> None:
    path = written(folder, "a,b\n1,x\0y\n2,z\n")
    assert rows(path) == {3: ["2", "z"]}
    assert read_table(path).rejected.values.tolist() == [[2, "b", r"x\0y", "The cell holds a NUL character"]]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_the_one_of_the_header(folder: Path, delimiter: str) -> None:
    path = written(folder, delimiter.join(['"Name, first; last"', "E-mail"]) + "\n" + delimiter.join("ab") + "\n")
    assert list(read_table(path).frame) == ["Name, first; last", "E-mail"]
    assert rows(path) == {2: ["a", "b"]}


def test_a_column_of_addresses_is_one_column(folder: Path) -> None:
    assert rows(written(folder, "email\nmim@example.com\n")) == {2: ["mim@example.com"]}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_the_encodings_that_excel_writes_are_read(folder: Path, encoding: str) -> None:
    path = written(folder, "name,town\nJörg,Łódź\n".replace("Łódź", "Köln").encode(encoding))
    assert rows(path) == {2: ["Jörg", "Köln"]}
    assert list(read_table(path).frame) == ["name", "town"]


def test_what_was_taken_for_what_is_told(folder: Path) -> None:
    understood = read_table(written(folder, "a;b\n1;Größe\n".encode("cp1252"))).understood
    expected = {"format": "csv", "encoding": "Windows-1252, as it is not UTF-8", "delimiter": "semicolon"}
    assert understood == expected


def test_a_header_alone_is_a_table_without_rows(folder: Path) -> None:
    assert rows(written(folder, "a,b")) == {}


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "The file is empty"),
        (b"\n \n", "The file is empty"),
        (b",,\n", "There is no header"),
        (b"a,b,A \n", "Two columns bear the same name: 'A'"),
        (b"a,,c\n1,2,3\n", "Column 2 has no name (table.csv, row 1)"),
        (b"My contacts,,\na,b,c\n", "delete that row"),
        (b"PK\x03\x04...", "unpack it first"),
        (b"\xd0\xcf\x11\xe0...", "save it as xlsx"),
        (b"\x89PNG\r\n\x1a\n\0\0", "This is not a table"),
        (b"\x1f\x8b\x08\0\0\0", "This is not a table"),
        (b"PAR1 and more", "This parquet file is damaged"),
        (b"PK\x03\x04 xl/workbook.xml", "This workbook cannot be opened"),
    ],
)
def test_a_wrong_file_is_told_with_what_to_do(folder: Path, content: bytes, told: str) -> None:
    assert told in fault(written(folder, content))


@pytest.mark.parametrize("text", ['a,b\n1,2\n3,"4\n5,6\n', 'a,b\n1,2\n"3,4\n5,6'])
def test_a_quote_that_is_never_closed_does_not_swallow_rows(folder: Path, text: str) -> None:
    assert "A quote is opened and never closed (table.csv, row 3)" in fault(written(folder, text))


def test_a_missing_file_offers_its_neighbour(folder: Path) -> None:
    written(folder, "a\n", "contacts.csv")
    assert "Did you mean 'contacts.csv'?" in fault(folder / "contact.csv")
    assert "There is no such file" in fault(folder / "nowhere" / "contact.csv")
    assert "This is a folder" in fault(folder)


def test_a_sheet_is_read_as_it_is_shown(folder: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    for row in (
        [None, None],
        ["id", " when ", "ok", None],
        [351.0, dt.datetime(2024, 3, 1, 9, 30), True],
        [None],
        ["007"],
        ["8", dt.date(2024, 3, 1), None, "note"],
    ):
        sheet.append(row)
    book.create_sheet("more")
    book.save(folder / "table.xlsx")
    assert rows(folder / "table.xlsx") == {3: ["351", "2024-03-01 09:30:00", "true"], 5: ["007", "", ""]}
    assert rejected(folder / "table.xlsx") == [(6, "The row has 4 cells, the header 3")]
    assert read_table(folder / "table.xlsx").understood == {
        "format": "xlsx",
        "sheet": "Sheet (the first of 2)",
        "header row": "2",
    }


def test_parquet_becomes_text_whatever_its_types(folder: Path) -> None:
    moment = dt.datetime(2024, 3, 1, 9, 30)
    columns = {
        "id": pa.array([351.0, None]),
        "when": pa.array([moment, None], pa.timestamp("us", "UTC")),
        "source": pa.array(["manual", None]).dictionary_encode(),
        "tags": pa.array([["a"], None]),
    }
    pa.parquet.write_table(pa.table(columns), folder / "table.parquet")
    assert rows(folder / "table.parquet") == {2: ["351", "2024-03-01 09:30:00.000000Z", "manual", "['a']"]}


@given(ROWS)
def test_every_row_is_used_or_rejected(folder: Path, cells: list[list[str]]) -> None:
    text = io.StringIO()
    csv.writer(text).writerows([["a", "b"], *cells])
    table = read_table(written(folder, text.getvalue()))
    assert sum(any(row) for row in cells) == table.rows_read == len(table.frame) + len(table.rejected)
    assert not set(table.frame.index) & set(table.rejected["row"])


@given(ROWS)
def test_the_cells_are_those_that_python_reads(folder: Path, cells: list[list[str]]) -> None:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows([["a", "b"], *cells])
    records = list(csv.reader(io.StringIO(text.getvalue(), newline="")))
    expected = {
        number: record[:2]
        for number, record in enumerate(records, start=1)
        if number > 1 and any(record) and len(record) > 1 and not any(record[2:]) and "\0" not in "".join(record)
    }
    assert rows(written(folder, text.getvalue())) == expected


@given(st.binary(max_size=200))
def test_any_bytes_are_a_table_or_an_error_for_people(folder: Path, content: bytes) -> None:
    try:
        table = read_table(written(folder, content))
    except DataError:
        return
    assert isinstance(table.frame, pd.DataFrame)


@given(csv_files(), st.sampled_from([64, 99, 1 << 20]))
def test_a_file_is_read_alike_with_care_and_without(folder: Path, content: bytes, block: int) -> None:
    is_plain = is_read_alike_with_care(read_table, written(folder, content), block)
    event("plain" if is_plain else "not plain")


@pytest.mark.parametrize(
    "content",
    [
        "a,b\n1,2\n",
        "\ufeffa;b\r\n1;2",
        '"a","b"\n"1","two\nlines"\n',
        "a\n\n1\n",
        "a,b\n1,ß\n" * 20_000,
        "a,b\n" + "1,2\n" * 50_000 + '"3",4\n',
    ],
)
def test_a_plain_file_is_read_without_care(folder: Path, content: str) -> None:
    assert is_read_alike_with_care(read_table, written(folder, content), 1 << 17)


@pytest.mark.parametrize(
    "content",
    [
        "a,b",
        "\na,b\n1,2\n",
        "a,b\n1\n",
        "a,b\n1,2,3\n",
        'a,b\n1,"2\n',
        "a,b\n1,\0\n",
        'a,b\n,,\n1,"2\n',
        '"a\na",b\n1,2\n',
    ],
)
def test_a_file_that_asks_for_care_is_read_with_care(folder: Path, content: str) -> None:
    assert not is_read_alike_with_care(read_table, written(folder, content), 1 << 20)


def test_bytes_that_are_no_utf_8_ask_for_care_wherever_they_stand(folder: Path) -> None:
    for content in (b"a,b\n1,\xe4\n", b"a,\xe4\n1,2\n", b"a,b\n1,\xc3,\xa4\n"):
        assert not is_read_alike_with_care(read_table, written(folder, content), 1 << 20)


# Only the columns that somebody knows


KNOWN = {"record id", "email", "create date"}
BELOW = "Phone;Record ID;Email;;Phone\n1;7;a@b.c;x;2\n1;;;x;\n;;;;\n3;8;;;4\n"


def known(name: str) -> bool:
    return name.casefold() in KNOWN


def dialects(text: str, title: str) -> dict[str, bytes]:
    """The same table as different programs write it."""
    return {
        "plain": text.replace(";", ",").encode(),
        "sep": f"sep=;\n{text}".encode(),
        "title": f"{title};;\n\n{text}".encode(),
        "wide": f"{title}\n{text}".replace(";", "\t").encode("utf-16"),
        "wide, no mark": text.encode("utf-16-le"),
        "Windows": f"Größe\r\n{text}".replace("\n", "\r\n").encode("cp1252"),
        "bars": text.replace(";", "|").replace("\n", "||\n").encode("utf-8-sig"),
    }


@pytest.mark.parametrize("name", dialects(BELOW, ""))
def test_only_known_columns_are_kept_whatever_the_others_are_called(folder: Path, name: str) -> None:
    table = read_table(written(folder, dialects(BELOW, "My contacts, all; of them")[name]), known=known)
    assert table.frame.to_numpy().tolist() == [["7", "a@b.c"], ["", ""], ["8", ""]]
    assert list(table.frame) == ["Record ID", "Email"]
    assert table.understood["left out"] == "Phone, Phone and 1 more"
    assert not len(table.rejected)


def test_rows_count_from_the_first_line_of_the_file(folder: Path) -> None:
    title = 'sep=,\n"My\ncontacts",,\n\nEmail,Record ID\na@b.c,7\n'
    table = read_table(written(folder, title), known=known)
    assert table.frame.index.tolist() == [5]
    assert {"header row": "4", "title rows": "1: My contacts"}.items() <= table.understood.items()


def test_a_header_is_looked_for_in_the_first_20_rows(folder: Path) -> None:
    names, row = "Email,Record ID\n", "a@b.c,7\n"
    assert list(read_table(written(folder, "x,y\n" * 19 + names + row), known=known).frame) == ["Email", "Record ID"]
    table = read_table(written(folder, "x,y\n" * 20 + names + row), known=known)
    assert (list(table.frame), table.names, len(table.frame)) == ([], ("x", "y"), 21)


def test_one_known_name_alone_is_no_header_below_a_title(folder: Path) -> None:
    assert read_table(written(folder, "title,x\nEmail,y\n"), known=known).names == ("title", "x")
    assert list(read_table(written(folder, "Email,y\na@b.c,1\n"), known=known).frame) == ["Email"]


def test_two_known_columns_of_one_name_are_an_error(folder: Path) -> None:
    with pytest.raises(DataError, match="Two columns bear the same name: 'EMAIL'"):
        read_table(written(folder, "Email,Record ID,EMAIL\n"), known=known)


def test_title_rows_and_known_columns_of_a_sheet(folder: Path) -> None:
    book = openpyxl.Workbook()
    for row in (
        ["My contacts"],
        [],
        ["Phone", "Record ID", "Phone", "Email"],
        ["x", 7],
        ["y"],
        [],
        [None, 8, "z", "a"],
    ):
        book.active.append(row)
    book.save(folder / "titles.xlsx")
    table = read_table(folder / "titles.xlsx", known=known)
    assert {row: list(cells) for row, *cells in table.frame.itertuples()} == {4: ["7", ""], 5: ["", ""], 7: ["8", "a"]}
    assert table.understood["title rows"] == "1: My contacts"


def test_parquet_that_unpacks_to_too_much_is_refused_by_the_columns_that_are_wanted(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("marketable.reading.files.MOST_UNPACKED", 1_000_000)
    path = folder / "wide.parquet"
    columns = {"Record ID": ["7"] * 2_000, "Notes": ["x" * 1_000] * 2_000}
    pa.parquet.write_table(pa.table(columns), path, use_dictionary=False, compression="zstd")
    assert path.stat().st_size < 10_000
    assert len(read_table(path, known=known).frame) == 2_000
    with pytest.raises(DataError, match="This file unpacks to too much"):
        read_table(path)


def test_only_known_columns_of_parquet_are_read(folder: Path) -> None:
    columns = {"Email": ["a", "", ""], "Email.other": ["x", "y", None], "Record ID": [7.0, None, None]}
    pa.parquet.write_table(pa.table(columns), folder / "known.parquet", row_group_size=1)
    table = read_table(folder / "known.parquet", known=known)
    assert {row: list(cells) for row, *cells in table.frame.itertuples()} == {2: ["a", "7"], 3: ["", ""]}


@given(csv_files(), st.sampled_from([64, 1 << 20]))
def test_known_columns_are_read_alike_with_care_and_without(folder: Path, content: bytes, block: int) -> None:
    def read(path: Path) -> Any:
        return read_table(path, known=lambda name: name.casefold() in ("contact_id", "occurred_at", "a"))

    is_read_alike_with_care(read, written(folder, content), block)


@given(csv_files())
def test_known_columns_are_those_of_the_whole_table(folder: Path, content: bytes) -> None:
    path = written(folder, content)
    try:
        whole = read_table(path)
    except DataError:
        return
    names = [str(name) for name in whole.frame][:2]
    part = read_table(path, known=lambda name: name in names)
    spoilt = set(whole.rejected["row"]) - set(part.rejected["row"])  # by a NUL in a column that is not read
    pd.testing.assert_frame_equal(part.frame.drop(spoilt), whole.frame[names], check_index_type=False)


# Files as they lie on a disk


def test_progress_is_told_up_to_the_end(folder: Path) -> None:
    for content in ("a,b\n" + "1,2\n" * 1000, "a;b\n" + "1;ä\n" * 1000):
        told: list[tuple[int, int]] = []
        path = written(folder, content.encode("cp1252"))
        read_table(path, progress=lambda done, size: told.append((done, size)))  # noqa: B023
        assert told == sorted(told) and told[-1] == (path.stat().st_size, path.stat().st_size)


def test_a_file_that_changes_while_it_is_read_is_an_error(folder: Path) -> None:
    path = written(folder, "a,b\n1\n2,3\n")

    def grow(done: int, size: int) -> None:
        with path.open("a") as file:
            file.write("4,5\n")

    with pytest.raises(DataError, match="The file changed while it was read"):
        read_table(path, progress=grow)
    with pytest.raises(DataError, match="The file changed while it was read"):
        read_table(path, progress=lambda done, size: path.unlink())


@pytest.mark.skipif(sys.platform == "win32", reason="devices and pipes as other systems have them")
def test_devices_and_pipes_are_not_opened(folder: Path) -> None:
    os.mkfifo(folder / "pipe")
    for path in (Path("/dev/zero"), folder / "pipe"):
        assert "This is a device or a pipe, not a file" in fault(path)


@pytest.mark.parametrize("name", ["a\0b.csv", "\ud800.csv", "x" * 5000])
def test_a_name_that_no_file_can_have_is_told(folder: Path, name: str) -> None:
    assert fault(folder / name)


def test_a_path_that_climbs_is_a_path_like_any_other(folder: Path) -> None:
    written(folder, "a\n1\n")
    assert rows(folder / ".." / folder.name / "table.csv") == {2: ["1"]}


# Mutations


def some_sheet() -> bytes:
    book = openpyxl.Workbook()
    for row in (["id", "when"], [7, dt.datetime(2024, 3, 1)], ["x", "=1+1"]):
        book.active.append(row)
    book.save(content := io.BytesIO())
    return content.getvalue()


def some_parquet() -> bytes:
    pa.parquet.write_table(pa.table({"id": ["7", None], "n": [1.5, 2]}), content := io.BytesIO())
    return content.getvalue()


SOUND = {
    "csv": b'id,name\n7,"A\nnn"\n8,Bob\n',
    "wide csv": "id\tname\n7\tJörg\n".encode("utf-16"),
    "sheet": some_sheet(),
    "parquet": some_parquet(),
    "json": b'{"results": [{"id": "7", "properties": {"createdate": "2024-03-01T09:00:00Z", "email": "a@b.c"}}]}',
}


@given(st.data())
def test_a_mutated_file_is_read_or_refused_with_every_row_accounted_for(folder: Path, data: st.DataObject) -> None:
    content = data.draw(st.sampled_from(list(SOUND.values())))
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(content)))
        end = start + data.draw(st.integers(0, 20))
        piece = data.draw(st.sampled_from([b"", content[start:end] * 2, b"\0", b"\xff", b'"', b"\n", b"9" * 30]))
        content = content[:start] + piece + content[end:]
    path = written(folder, content)
    for read in (read_table, lambda path: read_table(path, known=known), read_export):
        try:
            found = read(path)
        except MarketableError:
            continue
        used = found.frame if isinstance(found, tables.Table) else found.contacts
        assert found.rows_read == len(used) + len(found.rejected)


def test_of_a_workbook_the_first_sheet_with_a_header_that_is_known_is_read(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.append(["Exported by Ben"])
    contacts = book.create_sheet("Contacts")
    for row in (["id", "name"], ["7", "Ann"]):
        contacts.append(row)
    book.save(tmp_path / "book.xlsx")
    table = read_table(tmp_path / "book.xlsx", known=lambda name: name in ("id", "name"))
    assert table.frame.to_dict("list") == {"id": ["7"], "name": ["Ann"]}
    assert table.understood["sheet"] == "Contacts (one of 2)"


@pytest.mark.parametrize("kind", ["csv", "xlsx", "parquet"])
def test_rows_that_are_not_wanted_are_let_go_and_the_others_are_as_they_would_be(tmp_path: Path, kind: str) -> None:
    rows = [["name", "value"], ["a", "1"], ["b", "2"], ["a", "3"], ["b", "4"]]
    path = tmp_path / f"table.{kind}"
    if kind == "csv":
        path.write_text("".join(",".join(row) + "\n" for row in rows) + "a,5,\nb,6,\nb,7,8\n")
    elif kind == "xlsx":
        book = openpyxl.Workbook()
        for row in rows:
            book.active.append(row)
        book.save(path)
    else:
        table = pa.table(dict(zip(rows[0], zip(*rows[1:], strict=True), strict=True)))
        pa.parquet.write_table(table, path, row_group_size=2)
    whole, wanted = read_table(path), read_table(path, only=lambda frame: frame["name"] == "a")
    assert wanted.frame.to_dict("index") == whole.frame[whole.frame["name"] == "a"].to_dict("index")
    assert len(wanted.frame) == (3 if kind == "csv" else 2)
    assert wanted.rejected.equals(whole.rejected) and len(wanted.rejected) == (kind == "csv")
