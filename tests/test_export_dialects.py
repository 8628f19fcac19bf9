"""The same portal, however its contacts were copied, loads the same.

Each dialect is a way in which real copies are written: encodings, delimiters, languages, names of columns, formats,
dates, and files put together.
"""

import json
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from marketable import exports
from marketable.exports import ColumnMapping, Export, preview, read_export
from marketable.exports.files import openable

COLUMNS = yaml.safe_load(Path(exports.__file__).with_name("export_columns.yaml").read_text(encoding="utf-8"))
NEEDED = ["record_id", "email", "created_at", "record_source", "record_source_detail", "status", "waiting"]
NEEDED += ["first_conversion", "first_conversion_at", "recent_conversion", "recent_conversion_at", "form_submissions"]
NEEDED += ["unsubscribed", "bounce_reason", "mailed_at", "status_source_type", "status_source_name"]
Row = dict[str, str]


def contact(number: int, source: str, detail: str, status: str, **more: str) -> Row:
    row = dict.fromkeys(NEEDED, "") | {
        "record_id": f"6259883{number:05}",
        "email": f"contact{number}@example.com",
        "created_at": f"2024-03-{number:02} 09:30",
        "record_source": source,
        "record_source_detail": detail,
        "status": status,
        "waiting": "no",
        "form_submissions": "0",
        "unsubscribed": "no",
    }
    return row | more


# Days above 12 among the dates, so that their order is decided; names with what delimiters and quotes are made of.
PORTAL = [
    contact(1, "FORM", 'Größe; "Café", 100 %', "marketing", first_conversion='Seite: Größe; "Café", 100 %',
            first_conversion_at="2024-03-01 09:31", recent_conversion="Seite: Demo", form_submissions="3",
            recent_conversion_at="2024-04-15 14:30", status_source_type="FORM", status_source_name="Größe"),
    contact(2, "IMPORT", "fair|2024.csv", "non-marketing", bounce_reason="Unknown user"),
    contact(3, "INTEGRATION", "Eventbrite", "marketing", mailed_at="2024-06-14 10:00", unsubscribed="yes"),
    contact(4, "CRM_UI", "Ann", "non-marketing", record_id="", status_source_name="Ann"),
    contact(5, "FORM", "#wpforms-form-3", "marketing", waiting="yes", email=""),
    contact(6, "MEETINGS", "Meetings Link: ann/intro", ""),
    contact(25, "CONVERSATIONS", "", "marketing", first_conversion="Meetings Link: ann/intro", form_submissions="1",
            first_conversion_at="2024-04-20 08:05"),
    contact(31, "WORKFLOWS", "", "non-marketing"),
]  # fmt: skip
SOURCES = {"FORM": "Form", "IMPORT": "Import", "INTEGRATION": "Integration", "CRM_UI": "CRM UI", "MEETINGS": "Meetings"}
SOURCES |= {"CONVERSATIONS": "Conversations"}


@dataclass
class Told:
    """The portal as one language tells it: rows by the names of columns, and the mapping for what is not known."""

    rows: list[Row]
    mapping: dict[str, dict[str, list[str]]] = field(default_factory=lambda: {"columns": {}, "values": {}})


def told(language: str, rows: Iterable[Row] = PORTAL, *, prefix: str = "", own_names: bool = False) -> Told:
    """The portal in a language; what is not known of it stands in a mapping, and so does all of one's own names."""
    result, names, values = Told([]), {}, {}
    for fact in NEEDED:
        known = [] if own_names else COLUMNS["columns"][fact]["names"].get(language, [])
        names[fact] = known[0] if known else f"{language}: {fact}"
        if not known:
            result.mapping["columns"][fact] = [names[fact]]
    for meaning in COLUMNS["values"]:
        known = [] if own_names else COLUMNS["values"][meaning].get(language, [])
        values[meaning] = known[0] if known else f"{language}: {meaning}"
        if not known:
            result.mapping["values"][meaning] = [values[meaning]]
    for row in rows:
        cells = {fact: values.get(cell, cell) for fact, cell in row.items()}
        if language == "de":
            cells["record_source"] = cells["record_source"].replace("FORM", "Formulare")
        elif language != "internal":
            cells["record_source"] = SOURCES.get(cells["record_source"], cells["record_source"])
        result.rows.append({prefix * (name != "id") + name: cells[fact] for fact, name in names.items()})
    return result


def with_dates(rows: list[Row], form: str) -> list[Row]:
    """The rows, with their dates written in another form."""
    return [
        {name: pd.Timestamp(cell).strftime(form) if cell[:5] == "2024-" else cell for name, cell in row.items()}
        for row in rows
    ]


def csv(folder: Path, rows: list[Row], encoding: str = "utf-8", name: str = "contacts.csv", **options: Any) -> Path:
    path = folder / name
    pd.DataFrame(rows, dtype="str").to_csv(path, index=False, encoding=encoding, **options)
    return path


def in_csv(language: str, encoding: str = "utf-8", **options: Any) -> Callable[[Path], Export]:
    def read(folder: Path) -> Export:
        portal = told(language)
        ColumnMapping(**portal.mapping).save(folder / "mapping.yaml")
        return read_export(csv(folder, portal.rows, encoding, **options), mapping=folder / "mapping.yaml")

    return read


def in_any_order(folder: Path) -> Export:
    rows = [dict(reversed(row.items())) | {"Lead Status": "New"} for row in told("en").rows]
    return read_export(csv(folder, rows, sep="|"))


def with_associated_records(folder: Path) -> Export:
    rows = [{f"{name} - Contact" if name == "Record ID" else name: cell for name, cell in row.items()}
            | {"Record ID - Company": "9"} for row in told("en").rows]  # fmt: skip
    return read_export(csv(folder, rows))


def with_decomposed_accents(folder: Path) -> Export:
    portal = told("es")
    rows = [{unicodedata.normalize("NFD", name): cell for name, cell in row.items()} for row in portal.rows]
    ColumnMapping(**portal.mapping).save(folder / "mapping.yaml")
    return read_export(csv(folder, rows), mapping=portal.mapping)


def with_ids_as_numbers(folder: Path) -> Export:
    rows = [row | {"Record ID": row["Record ID"] and row["Record ID"] + ".0"} for row in told("en").rows]
    return read_export(csv(folder, rows))


def with_own_names(folder: Path) -> Export:
    portal = told("my", own_names=True)
    ColumnMapping(**portal.mapping).save(folder / "mapping.yaml")
    return read_export(csv(folder, portal.rows), mapping=folder / "mapping.yaml")


def in_xlsx(folder: Path) -> Export:
    frame = pd.DataFrame(told("en").rows).replace("", None)
    for name in frame:
        if frame[name].str.match("2024-", na=False).any():
            frame[name] = pd.to_datetime(frame[name])
    frame.assign(**{"Record ID": pd.to_numeric(frame["Record ID"])}).to_excel(folder / "contacts.xlsx", index=False)
    return read_export(folder / "contacts.xlsx")


def pages(rows: list[Row], form: str = "%Y-%m-%dT%H:%M:%S.000Z", size: int = 3) -> list[dict[str, Any]]:
    contacts = [
        {"id": row["hs_object_id"], "properties": {name: cell or None for name, cell in row.items()}, "archived": False}
        for row in with_dates(rows, form)
    ]
    return [{"results": contacts[at : at + size], "paging": {}} for at in range(0, len(contacts), size)]


def in_json(write: Callable[[list[dict[str, Any]]], str], form: str = "%Y-%m-%dT%H:%M:%S.000Z") -> Any:
    def read(folder: Path) -> Export:
        path = folder / "contacts.json"
        path.write_text(write(pages(told("internal").rows, form)), encoding="utf-8")
        return read_export(path)

    return read


def in_several_pages(folder: Path) -> Export:
    for number, page in enumerate(pages(told("internal").rows)):
        (folder / f"page{number}.json").write_text(json.dumps(page), encoding="utf-8")
    return read_export(folder)


def with_the_words_of_a_spreadsheet(folder: Path) -> Export:
    words = {"true": "WAHR", "false": "FALSCH"}
    rows = [{name: words.get(cell, cell) for name, cell in row.items()} for row in told("internal").rows]
    return read_export(csv(folder, rows, "cp1252", sep=";"))


def in_fivetran_csv(folder: Path) -> Export:
    rows = with_dates(told("internal", prefix="property_").rows, "%Y-%m-%d %H:%M:%S")
    for row in rows:
        row |= {"id": row.pop("property_hs_object_id"), "_fivetran_deleted": "false"}
    return read_export(csv(folder, rows))


def in_fivetran_parquet(folder: Path) -> Export:
    frame = pd.DataFrame(told("internal", prefix="property_").rows).replace("", None)
    for name in frame:
        if frame[name].str.match("2024-", na=False).any():
            frame[name] = pd.to_datetime(frame[name], utc=True)
        elif frame[name].isin(["true", "false"]).all():
            frame[name] = frame[name] == "true"
    frame = frame.assign(property_num_conversion_events=frame["property_num_conversion_events"].astype(float))
    frame.assign(_fivetran_deleted=False).to_parquet(folder / "contact.parquet")
    return read_export(folder / "contact.parquet")


def in_halves(folder: Path) -> Export:
    rows = told("en").rows
    return read_export([csv(folder, rows[:4], name="one.csv"), csv(folder, rows[4:], "cp1252", "two.csv", sep=";")])


def in_a_table_and_a_page(folder: Path) -> Export:
    page = folder / "page.json"
    page.write_text(json.dumps(pages(told("internal", PORTAL[4:]).rows, size=99)), encoding="utf-8")
    return read_export([csv(folder, with_dates(told("en", PORTAL[:4]).rows, "%Y-%m-%dT%H:%M:%SZ")), page])


def with_an_older_copy(folder: Path) -> Export:
    name = "hubspot-crm-exports-all-contacts-2024-{}.csv"
    older = [row | {"status": "non-marketing", "created_at": "2020-01-01 00:00"} for row in PORTAL[:5]]
    csv(folder, told("en", older).rows, name=name.format("06-30"))
    csv(folder, told("en").rows, name=name.format("10-31-1"))
    return read_export(folder)


def with_ids_ruined_in_one(folder: Path) -> Export:
    """A second file tells the ids of contacts of which the first, after Excel, has the e-mails only."""
    ids = [{"Record ID": row["record_id"], "Email": row["email"].upper(), "Create Date": "2020-01-01"}
           for row in PORTAL if row["record_id"] and row["email"]]  # fmt: skip
    ruined = [row | {"record_id": "6,25988E+11" if row["email"] else row["record_id"]} for row in PORTAL]
    rows = [
        row | {"record_id": ""} if not whole["record_id"] else row for row, whole in zip(ruined, PORTAL, strict=True)
    ]
    return read_export([csv(folder, told("en", rows).rows), csv(folder, ids, name="ids.csv")])


def in_text(*before: str, after: str = "", sep: str = ",", form: str = "%Y-%m-%d %H:%M") -> Callable[[Path], Export]:
    """A csv with lines above its header, something behind each row, and dates in a form of their own."""

    def read(folder: Path) -> Export:
        text = csv(folder, with_dates(told("en").rows, form), sep=sep).read_text(encoding="utf-8")
        lines = [*before, *(line + after for line in text.splitlines())]
        (folder / "contacts.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
        return read_export(folder / "contacts.csv")

    return read


def with_other_columns_twice(folder: Path) -> Export:
    text = csv(folder, told("en").rows).read_text(encoding="utf-8")
    lines = [f"{line},{more}" for line, more in zip(text.splitlines(), ["Note,Note,", *["a,b,c"] * 8], strict=True)]
    (folder / "contacts.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return read_export(folder / "contacts.csv")


def epoch(page: list[dict[str, Any]]) -> str:
    for contacts in page:
        for each in contacts["results"]:
            for name, cell in each["properties"].items():
                if isinstance(cell, str) and cell.startswith("2024-"):
                    each["properties"][name] = str(int(pd.Timestamp(cell).timestamp() * 1000))
    return json.dumps(page)


def wrapped(wrap: Callable[[list[dict[str, Any]]], Any]) -> Any:
    """The contacts of the API in an envelope."""
    return in_json(lambda found: json.dumps(wrap([each for page in found for each in page["results"]])))


def of_v1(contact: dict[str, Any]) -> dict[str, Any]:
    properties = {name: {"value": cell or "", "versions": []} for name, cell in contact["properties"].items()}
    return {"vid": contact["id"], "merged-vids": [], "properties": properties, "identity-profiles": [{"vid": 1}]}


def with_names(rename: Callable[[str], str]) -> Callable[[Path], Export]:
    """A warehouse's table, its columns named as a connector names them."""

    def read(folder: Path) -> Export:
        rows = with_dates(told("internal").rows, "%Y-%m-%dT%H:%M:%S.000000+00:00")
        return read_export(csv(folder, [{rename(name): cell for name, cell in row.items()} for row in rows]))

    return read


DIALECTS: dict[str, Callable[[Path], Export]] = {
    "as HubSpot writes it": in_csv("en", quoting=1),
    "with a byte order mark": in_csv("en", "utf-8-sig"),
    "Unicode text of Excel": in_csv("en", "utf-16", sep="\t"),
    "Windows-1252, semicolons": in_csv("en", "cp1252", sep=";"),
    "bars, columns in any order": in_any_order,
    "internal names": in_csv("internal"),
    "German": in_csv("de", "cp1252", sep=";"),
    "Spanish": in_csv("es", "cp1252"),
    "French": in_csv("fr"),
    "Swedish": in_csv("sv", "utf-8-sig", sep=";"),
    "Norwegian": in_csv("no"),
    "Portuguese": in_csv("pt", sep="\t"),
    "Italian": in_csv("it"),
    "Japanese": in_csv("ja", "utf-16"),
    "a language that is not known": with_own_names,
    "accents as a Mac writes them": with_decomposed_accents,
    "with associated records": with_associated_records,
    "ids as numbers": with_ids_as_numbers,
    "xlsx": in_xlsx,
    "a page of the API": in_json(
        lambda found: json.dumps({"results": [each for page in found for each in page["results"]]})
    ),
    "pages of the API": in_json(json.dumps),
    "a page a line": in_json(lambda found: "\n".join(json.dumps(page) for page in found)),
    "a contact a line": in_json(
        lambda found: "\n".join(json.dumps(each) for page in found for each in page["results"])
    ),
    "files of pages": in_several_pages,
    "true and false as a German spreadsheet writes them": with_the_words_of_a_spreadsheet,
    "Fivetran, csv": in_fivetran_csv,
    "Fivetran, parquet": in_fivetran_parquet,
    "two halves": in_halves,
    "a table and a page": in_a_table_and_a_page,
    "with an older copy": with_an_older_copy,
    "ids ruined in one of two files": with_ids_ruined_in_one,
    "titles above the header": in_text("All contacts", "", "exported on 2024-10-31,by Ann"),
    "a line that names the delimiter": in_text("sep=;", sep=";"),
    "a delimiter behind each row": in_text(after=";;", sep=";"),
    "other columns twice, and one without a name": with_other_columns_twice,
    "American dates": in_text(form="%m/%d/%Y %I:%M %p"),
    "German dates": in_text(form="%d.%m.%Y %H:%M", sep=";"),
    "British dates": in_text(form="%d/%m/%Y %H:%M"),
    "API dates in milliseconds": in_json(epoch),
    "contacts of API v1": wrapped(lambda found: {"contacts": [of_v1(each) for each in found], "has-more": False}),
    "items of n8n": wrapped(lambda found: [{"json": each, "pairedItem": {"item": 0}} for each in found]),
    "records of a stream": in_json(
        lambda found: "\n".join(
            json.dumps({"stream": "contacts", "data": each, "emitted_at": 1})
            for page in found
            for each in page["results"]
        )
    ),
    "messages with records": wrapped(
        lambda found: [{"type": "RECORD", "record": {"stream": "contacts", "data": each}} for each in found]
    ),
    "an answer within an answer": wrapped(
        lambda found: {"status": 200, "headers": {"date": "x"}, "body": {"data": {"results": found, "errors": []}}}
    ),
    "flat rows": wrapped(lambda found: [each["properties"] for each in found]),
    "values in objects": wrapped(
        lambda found: [
            {"id": each["id"], "properties": {name: {"value": cell} for name, cell in each["properties"].items()}}
            for each in found
        ]
    ),
    "Airbyte, csv": with_names(lambda name: f"properties_{name}"),
    "Stitch, csv": with_names(lambda name: f"property_{name}.value"),
    "dlt, csv": with_names(lambda name: f"properties__{name}__value"),
    "upper case": with_names(lambda name: f"PROPERTY_{name.upper()}"),
}


def without_zone(frame: pd.DataFrame) -> pd.DataFrame:
    zoned = frame.select_dtypes("datetimetz")
    return frame.assign(**{str(name): frame[name].dt.tz_localize(None) for name in zoned})


def in_order(touches: pd.DataFrame) -> pd.DataFrame:
    return touches.sort_values(["contact_id", "occurred_at", "source"], ignore_index=True)


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> Export:
    return in_csv("en")(tmp_path_factory.mktemp("expected"))


def test_the_portal_is_read_as_it_was_made_up(expected: Export) -> None:
    assert len(expected.contacts) == len(PORTAL)
    assert expected.touches["source"].value_counts()["hubspot_form"] == 2
    assert expected.contacts["waiting"].sum() == 1
    assert expected.details.loc["625988300001", "status_source"] == "FORM: Größe"
    assert expected.details[["unsubscribed", "bounced"]].sum().tolist() == [1, 1]
    assert expected.details["mailed_at"].notna().sum() == 1
    assert expected.details["form_submissions"].sum() == 4


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_dialect_tells_the_same(dialect: str, expected: Export, tmp_path: Path) -> None:
    export = DIALECTS[dialect](tmp_path)
    assert export.rows_read == len(export.contacts) + len(export.rejected)
    pd.testing.assert_frame_equal(without_zone(export.contacts).sort_index(), expected.contacts.sort_index())
    pd.testing.assert_frame_equal(in_order(without_zone(export.touches)), in_order(expected.touches))
    pd.testing.assert_frame_equal(without_zone(export.details).sort_index(), expected.details.sort_index())
    pd.testing.assert_series_equal(export.emails.sort_index(), expected.emails.sort_index())


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_look_at_any_dialect_misses_nothing(dialect: str, tmp_path: Path) -> None:
    DIALECTS[dialect](tmp_path)
    own = tmp_path / "mapping.yaml"
    for file in openable(tmp_path):
        seen = preview(file, mapping=own if own.exists() else None)
        assert (seen.missing, seen.unknown, seen.dates) == ((), {}, "")


@settings(max_examples=settings.default.max_examples // 2)
@given(st.lists(st.lists(st.sampled_from(PORTAL), max_size=5), min_size=1, max_size=3), st.booleans())
def test_every_contact_of_several_files_is_used_or_rejected(
    tmp_path_factory: pytest.TempPathFactory, files: list[list[Row]], ruined: bool
) -> None:
    folder = tmp_path_factory.mktemp("several")
    header = pd.DataFrame(columns=list(told("en").rows[0]))
    for number, rows in enumerate(files):
        spoilt = [row | {"record_id": "6.25988E+11"} if ruined and number else row for row in rows]
        table = pd.DataFrame(told("en", spoilt).rows, columns=header.columns)
        table.to_csv(folder / f"{number}.csv", index=False)
    export = read_export(folder)
    assert export.rows_read == len(export.contacts) + len(export.rejected) == sum(map(len, files))
    assert export.contacts.index.is_unique
