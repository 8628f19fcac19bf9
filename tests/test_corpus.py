"""Every file of the corpus of broken files has its one outcome: it is read so, or refused with these words."""

import struct
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet
import pytest
import yaml

import marketable as mk
from marketable.reading import csv_file
from marketable.reading.tables import read_table

CORPUS = Path(__file__).parent / "corpus"
OUTCOMES: dict[str, dict[str, Any]] = yaml.safe_load((CORPUS / "outcomes.yaml").read_text(encoding="utf-8"))
READERS: dict[str, Callable[[Path], Any]] = {
    "table": read_table,
    "touches": mk.read_touches,
    "export": mk.read_export,
}


def test_every_file_has_an_outcome_and_every_outcome_a_file() -> None:
    assert {path.name for path in CORPUS.iterdir()} - {"outcomes.yaml"} == set(OUTCOMES)


def test_an_outcome_is_one_of_two() -> None:
    for name, outcome in OUTCOMES.items():
        assert set(outcome) in ({"reader", "read"}, {"reader", "refused"}), name


def test_the_files_can_lie_on_any_system() -> None:
    folded = [name.casefold() for name in OUTCOMES]
    assert len(set(folded)) == len(folded)
    assert not [name for name in OUTCOMES if set(name) & set('<>:"/\\|?* ') or name.endswith(".")]


@pytest.mark.parametrize("name", OUTCOMES)
def test_a_file_has_its_one_outcome(name: str) -> None:
    outcome = OUTCOMES[name]
    read = READERS[outcome["reader"]]
    if "refused" in outcome:
        with pytest.raises(mk.MarketableError) as caught:
            read(CORPUS / name)
        assert outcome["refused"] in str(caught.value)
        return
    found = read(CORPUS / name)
    assert found.rows_read == outcome["read"]["rows"]
    assert dict(zip(found.rejected["row"], found.rejected["reason"], strict=True)) == outcome["read"].get(
        "rejected", {}
    )
    used = {"table": "frame", "touches": "touches", "export": "contacts"}[outcome["reader"]]
    assert len(getattr(found, used)) + len(found.rejected) == found.rows_read


# Giants, which are made here


def refused(path: Path) -> str:
    with pytest.raises(mk.MarketableError) as caught:
        read_table(path)
    return str(caught.value)


@pytest.mark.parametrize("cell", [b"x", b'"x', b"\xe4"])
def test_a_cell_of_100_mb_is_refused(tmp_path: Path, cell: bytes) -> None:
    path = tmp_path / "table.csv"
    path.write_bytes(b"id,name\n7," + cell + b"x" * 100_000_000 + b"\n8,Bob\n")
    assert "A row is longer than 16 MB" in refused(path)


def test_a_header_of_100_mb_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_bytes(b"x" * 100_000_000)
    assert "The file begins with a very long cell" in refused(path)


@pytest.mark.parametrize("name", ["a", "a{}", ""])
def test_a_header_of_a_million_columns_is_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / "table.csv"
    path.write_text(",".join(["id", *map(name.format, range(1_000_000))]) + "\n7,Ann\n")
    assert "There are 1,000,001 columns (table.csv, row 1). Expected at most 16,384" in refused(path)


def test_a_row_of_a_million_cells_is_a_rejected_row(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("id,name\n7,Ann\n" + ",x" * 1_000_000 + "\n" + "," * 1_000_000 + "\n8,Bob\n")
    assert read_table(path).frame.index.tolist() == [2, 5]
    assert read_table(path).rejected["reason"].tolist() == ["The row has 1,000,001 cells, the header 2"]


def test_a_workbook_whose_list_of_parts_lies_is_refused(tmp_path: Path) -> None:
    """The sheet says that it is small and unpacks to more: what is more is never unpacked."""
    path = tmp_path / "table.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
        archive.writestr("xl/worksheets/sheet1.xml", bytes(1 << 24))
    data = bytearray(path.read_bytes())
    struct.pack_into("<I", data, data.rindex(b"PK\x01\x02") + 24, 100)
    path.write_bytes(data)
    assert "This workbook cannot be opened" in refused(path)


def remade(path: Path, change: Callable[[str, bytes], list[tuple[str, bytes]]]) -> Path:
    """A workbook with two rows, the second contact's id a shared text, with each of its parts so changed."""
    book = openpyxl.Workbook()
    for row in (["id", "name"], ["7", "Ann"], ["8", "Bob"]):
        book.active.append(row)
    book.save(path.with_suffix(".whole"))
    with zipfile.ZipFile(path.with_suffix(".whole")) as whole, zipfile.ZipFile(path, "w") as made:
        for part in whole.namelist():
            for name, content in change(part, whole.read(part)):
                made.writestr(name, content)
    return path


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_workbook_with_two_parts_of_one_name_is_refused(tmp_path: Path) -> None:
    twice = remade(tmp_path / "table.xlsx", lambda name, part: [(name, part)] * (2 if "sheet1" in name else 1))
    assert "This workbook cannot be opened" in refused(twice)


def test_a_shared_text_that_is_counted_from_the_end_is_no_text(tmp_path: Path) -> None:
    def change(name: str, part: bytes) -> list[tuple[str, bytes]]:
        if "sheet1" not in name:
            return [(name, part)]
        return [(name, part.replace(b"</sheetData>", b'<row><c t="s"><v>-1</v></c></row></sheetData>'))]

    assert "This workbook cannot be opened" in refused(remade(tmp_path / "table.xlsx", change))


def test_a_workbook_is_one_whatever_its_parts_are_called(tmp_path: Path) -> None:
    def change(name: str, part: bytes) -> list[tuple[str, bytes]]:
        return [(name.replace("workbook.xml", "book.xml"), part.replace(b"workbook.xml", b"book.xml"))]

    assert read_table(remade(tmp_path / "table.xlsx", change)).frame["name"].tolist() == ["Ann", "Bob"]


@pytest.mark.parametrize(
    ("part", "kind"), [("word/document.xml", "a text of Word"), ("ppt/presentation.xml", "slides")]
)
def test_other_documents_are_called_what_they_are(tmp_path: Path, part: str, kind: str) -> None:
    path = tmp_path / "table.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr(part, "<x/>")
    assert f"This is {kind}: save it as xlsx or csv." in refused(path)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "utf-32"])
def test_json_is_read_whichever_unicode_it_is_written_in(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "contacts.json"
    text = '{"results": [{"id": "7", "properties": {"createdate": "2024-03-01", "email": "änn@example.com"}}]}'
    path.write_bytes(text.encode(encoding))
    assert mk.read_export(path).emails.tolist() == ["änn@example.com"]


def test_text_in_utf_32_is_called_so(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_bytes("id,name\n7,Ann\n".encode("utf-32"))
    assert "This is text in UTF-32: save it as UTF-8." in refused(path)


@pytest.mark.parametrize(
    "text", ['{"counts": {"now": 1}, "switches": [], "sources": []}', '{"a": {"b": []}, "c": {}}', "{}", "[null]"]
)
def test_what_holds_no_contacts_is_not_taken_for_an_account_without_any(tmp_path: Path, text: str) -> None:
    path = tmp_path / "contacts.json"
    path.write_text(text)
    with pytest.raises(mk.DataError, match="There are no contacts in it"):
        mk.read_export(path)


# Bombs: a few kilobytes that would be gigabytes or minutes

NAMES = ["contact_id", "occurred_at", "source"]


def in_sheet(path: Path, row: str, rows: int) -> Path:
    """A workbook, one row of which is repeated below a header."""
    book = openpyxl.Workbook()
    book.active.append(NAMES)
    book.save(path.with_suffix(".small"))
    with zipfile.ZipFile(path.with_suffix(".small")) as small, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        for part in small.namelist():
            content = small.read(part)
            made.writestr(part, content.replace(b"</sheetData>", row.encode() * rows + b"</sheetData>"))
    return path


def one_text(times: int) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array([0] * times, pa.int32()), ["x" * 1_000_000])


def as_varint(number: int, length: int) -> bytes:
    """A number as Thrift writes it, in so many bytes."""
    return bytes((number * 2 >> 7 * place) & 127 | (place < length - 1) << 7 for place in range(length))


def lying(path: Path, text: str) -> Path:
    """A parquet file with a text that is all of a column; what it says of the column is that it is small."""
    pa.parquet.write_table(
        pa.table({name: [text if name == NAMES[0] else "x"] for name in NAMES}), path, compression="zstd"
    )
    size = pa.parquet.read_metadata(path).row_group(0).column(0).total_uncompressed_size
    data, length = path.read_bytes(), -(-(size * 2).bit_length() // 7)
    assert as_varint(size, length) in data
    path.write_bytes(data.replace(as_varint(size, length), as_varint(100, length)))
    assert pa.parquet.read_metadata(path).row_group(0).column(0).total_uncompressed_size == 100
    return path


def bombs(folder: Path) -> Iterator[Path]:
    text = "x" * 1_000_000
    tables: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
        "blank rows beside a text.parquet": (
            {**{name: ["7", ""] * 2_500 for name in NAMES}, "notes": one_text(5_000)},
            {},
        ),
        "lists.parquet": ({"contact_id": [["x" * 100_000] * 100] * 100}, {}),
        "what differs.parquet": (
            {"contact_id": [f"{text}{number}" for number in range(300)]},
            {"use_dictionary": False, "column_encoding": {"contact_id": "DELTA_BYTE_ARRAY"}},
        ),
        "nothing.parquet": ({"contact_id": pa.nulls(20_000_000, pa.string())}, {}),
    }
    for name, (columns, options) in tables.items():
        pa.parquet.write_table(pa.table(columns), folder / name, compression="zstd", **options)
        yield folder / name
    text_of_one_length = pa.array([text.encode()], pa.binary(len(text)))
    fixed = pa.DictionaryArray.from_arrays(pa.array([0] * 5_000, pa.int32()), text_of_one_length)
    pa.parquet.write_table(pa.table({"contact_id": fixed}), folder / "of one length.parquet", compression="zstd")
    yield folder / "of one length.parquet"
    yield lying(folder / "a page that unpacks to more.parquet", text * 200)
    yield in_sheet(folder / "one cell.xlsx", "<row><c><v>1</v></c></row>", 1_500_000)
    yield in_sheet(folder / "no cell.xlsx", "<row/>", 30_000_000)
    (folder / "one cell.csv").write_text(",".join(NAMES) + "\n" + "x\n" * 1_000_000)
    yield folder / "one cell.csv"
    (folder / "one cell more.csv").write_text(",".join(NAMES) + "\n" + "7,8,9\n" * 25 + "7,8,9,\n" * 300_000)
    yield folder / "one cell more.csv"
    (folder / "brackets.json").write_text("[" * 1_000_000)
    yield folder / "brackets.json"
    (folder / "braces.json").write_text("[" + "{}," * 40_000_000 + "{}]")
    yield folder / "braces.json"


REFUSING = """if True:
    import re, sys, time
    import marketable as mk
    mk.read_touches(sys.argv[1])
    for path in sys.argv[2:]:
        begins = time.process_time()
        try:
            (mk.read_export if path.endswith("json") else mk.read_touches)(path)
            print("read:", path)
        except mk.DataError:
            pass
        took = time.process_time() - begins
        if took > 2:
            print(f"{took:.1f} s:", path)
    print(int(re.search(r"VmHWM:\\s*(\\d+)", open("/proc/self/status").read())[1]) // 1024)
"""


@pytest.mark.slow
def test_bombs_are_refused_within_two_seconds_and_500_mb(tmp_path: Path) -> None:
    paths = [str(CORPUS / "touches.csv"), *map(str, bombs(tmp_path))]
    done = subprocess.run([sys.executable, "-c", REFUSING, *paths], capture_output=True, text=True, check=True)
    *wrong, most = done.stdout.splitlines()
    assert not wrong and int(most) < 500


def test_cells_in_the_last_column_of_a_sheet_are_not_paid_for_column_by_column(tmp_path: Path) -> None:
    row = (
        '<row><c><v>7</v></c><c t="str"><v>2024-03-01</v></c><c t="str"><v>manual</v></c><c r="XFD2"><v>1</v></c></row>'
    )
    begins = time.process_time()
    batch = mk.read_touches(in_sheet(tmp_path / "wide.xlsx", row, 5_000))
    assert batch.rejected["reason"].unique().tolist() == ["The row has 16,384 cells, the header 3"]
    assert (len(batch.touches), len(batch.rejected)) == (0, 5_000)
    assert time.process_time() - begins < 10  # it was 28 s


def test_a_file_that_grows_without_end_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "table.csv"
    path.write_text("id,name\n7,Ann\n")
    decodes = csv_file._decodes

    def grown(*asked: Any, **options: Any) -> bool:
        with path.open("a") as file:
            file.write("8,Bob\n" * 1_000)
        return decodes(*asked, **options)

    monkeypatch.setattr(csv_file, "plain", lambda *_: None)
    monkeypatch.setattr(csv_file, "_decodes", grown)
    assert "The file changed while it was read" in refused(path)
