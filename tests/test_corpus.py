"""Every file of the corpus of broken files has its one outcome: it is read so, or refused with these words."""

import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

import marketable as mk
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
