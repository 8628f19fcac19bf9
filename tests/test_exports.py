"""What reading HubSpot's own copies of the contacts promises."""

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from marketable import exports
from marketable.errors import DataError
from marketable.exports import CERTAINTIES, Export, form_name, read_export, tool_of, why
from marketable.exports.files import REPEATED
from marketable.exports.opening import open_file
from marketable.exports.sources import folded, known_names, shipped_sources
from marketable.reading.touches import read_touches
from marketable.rulebook import NOT_COVERED, SOURCES
from marketable.views.choosing import Chosen

DATA = Path(__file__).parents[1] / "data"
CONTACT = {"Record ID": "7", "Create Date": "2024-03-01 09:00"}
BY_FORM = CONTACT | {"Record source": "FORM", "Record source detail 1": "Newsletter"}
CREATION = ("7", "2024-03-01 09:00", "hubspot_form", "Newsletter")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("exports")


def table(folder: Path, *rows: dict[str, str], name: str = "contacts.csv") -> Path:
    path = folder / name
    pd.DataFrame(list(rows), dtype="str").fillna("").to_csv(path, index=False)
    return path


def read(folder: Path, *rows: dict[str, str], **options: Any) -> Export:
    return read_export(table(folder, *rows), **options)


def read_json(folder: Path, root: object) -> Export:
    path = folder / "contacts.json"
    path.write_text(root if isinstance(root, str) else json.dumps(root), encoding="utf-8")
    return read_export(path)


def touches(export: Export) -> list[tuple[str, ...]]:
    frame = export.touches.assign(occurred_at=export.touches["occurred_at"].dt.strftime("%Y-%m-%d %H:%M"))
    return list(frame.itertuples(index=False, name=None))


def reasons(export: Export) -> list[tuple[int, str, str]]:
    return list(export.rejected[["row", "column", "reason"]].itertuples(index=False, name=None))


def api(identity: str, **properties: object) -> dict[str, object]:
    return {"id": identity, "properties": {"createdate": "2023-12-28T11:01:26.769Z", **properties}, "archived": False}


# Columns and dialects


def test_the_day_of_an_export_is_the_latest_in_the_names_of_its_files(folder: Path) -> None:
    for name in ("contacts-2026-09-30.csv", "contacts-2026-10-31.csv", "vip.csv"):
        (folder / name).write_text("Record ID,Create Date\n1,2024-03-01\n")
    assert read_export(folder).day == dt.date(2026, 10, 31)
    assert read_export(folder / "vip.csv").day is None


def test_an_id_and_a_date_are_enough_and_what_lacks_is_told_with_the_remedy(folder: Path) -> None:
    export = read(folder, CONTACT)
    assert export.contacts.loc["7", ["source", "certainty", "waiting"]].tolist() == [NOT_COVERED, NOT_COVERED, False]
    assert export.contacts["status"].isna().all()
    assert "Add the properties Record source and Record source detail 1" in export.understood["no Record source"]


def test_an_export_without_a_needed_column_is_an_error(folder: Path) -> None:
    with pytest.raises(DataError, match=r"no column Create Date .* Did you mean 'Created Date'"):
        read(folder, {"Record ID": "7", "Created Date": "2024-03-01"})
    with pytest.raises(DataError, match=r"no column Record ID .* Found: Name, Create Date.*columns: {record_id: \["):
        read(folder, {"Name": "Ann", "Create Date": "2024-03-01"})


@pytest.mark.parametrize(("zone", "hour"), [("EDT", 13), ("UTC", 9), ("GMT+2", 7), ("GMT-3:30", 12)])
def test_a_zone_behind_a_header_is_the_zone_of_its_dates(folder: Path, zone: str, hour: int) -> None:
    export = read(folder, {"Contact ID": "7", f"Create Date ({zone})": "2024-06-01 09:00", "Email (CRM)": "a@b.c"})
    created_at = export.contacts.loc["7", "created_at"]
    assert created_at.tz_convert("UTC").hour == hour
    assert export.emails["7"] == "", "what stands in brackets is not always a zone"


def test_all_dialects_tell_the_same(folder: Path) -> None:
    labels = BY_FORM | {"Marketing contact status": "Marketing contact", "Marketing contact until next update": "Yes"}
    facts = {
        "createdate": "2024-03-01 09:00",
        "hs_object_source": "FORM",
        "hs_object_source_detail_1": "Newsletter",
        "hs_marketable_status": "true",
        "hs_marketable_until_renewal": "true",
    }
    expected = read(folder, labels)
    internal = read(folder, {"hs_object_id": "7", **facts})
    fivetran = read(folder, {"id": "7", **{f"property_{name}": value for name, value in facts.items()}})
    page = read_json(folder, {"results": [{"id": "7", "properties": facts}], "paging": {}})
    pd.DataFrame([labels]).to_excel(folder / "contacts.xlsx", index=False)
    for export in (internal, fivetran, page, read_export(folder / "contacts.xlsx")):
        pd.testing.assert_frame_equal(export.contacts, expected.contacts)
        pd.testing.assert_frame_equal(export.touches, expected.touches)


def test_a_page_a_list_of_pages_and_a_list_of_contacts_are_read(folder: Path) -> None:
    for root in ({"results": [api("7")]}, [{"results": [api("7")]}, {"results": []}], [api("7")], api("7")):
        assert read_json(folder, root).contacts.index.tolist() == ["7"]


def test_a_page_without_contacts_is_an_export_without_contacts(folder: Path) -> None:
    assert read_json(folder, {"results": []}).rows_read == 0


@pytest.mark.parametrize("text", ['{"results": [', '{"status": "error"}', "[" * 100_000])
def test_json_that_holds_no_contacts_is_an_error(folder: Path, text: str) -> None:
    with pytest.raises(DataError, match="Expected contacts of API v3"):
        read_json(folder, text)


def test_what_is_no_contact_in_a_page_is_rejected(folder: Path) -> None:
    archived = api("8") | {"archived": True}
    export = read_json(folder, [api("7"), archived, api("9", email="\ud800"), 5, {"properties": None}])
    assert export.contacts.index.tolist() == ["7"]
    assert export.gone.values.tolist() == [["8", "archived", ""]]
    assert reasons(export) == [
        (3, "email", "The cell holds characters that are no text"),
        (4, "properties", "This is no contact of API v3"),
        (5, "properties", "This is no contact of API v3"),
    ]


# Contacts


def test_an_id_that_excel_has_rounded_is_no_key(folder: Path) -> None:
    rounded = CONTACT | {"Record ID": "6.89813E+11"}
    export = read(folder, rounded | {"Email": " Ann@Example.com"}, rounded)
    assert export.contacts.index.tolist() == ["ann@example.com"]
    assert reasons(export) == [(3, "Record ID", "Excel has rounded this Record ID, and there is no e-mail")]


@pytest.mark.parametrize("ruined", ["6,89813E+11", "689813000000", "689813"])
def test_an_id_that_is_the_same_for_all_or_rounded_is_no_key(folder: Path, ruined: str) -> None:
    spoilt = CONTACT | {"Record ID": ruined}
    export = read(folder, spoilt | {"Email": "ann@example.com"}, spoilt | {"Email": "bob@example.com"}, spoilt)
    assert export.contacts.index.tolist() == ["ann@example.com", "bob@example.com"]
    assert reasons(export) == [(4, "Record ID", "Excel has rounded this Record ID, and there is no e-mail")]


@pytest.mark.parametrize("written", ["625988369543.0", "625988369543,0", "625988369543.00", " 625988369543"])
def test_an_id_that_is_only_written_as_a_number_is_mended(folder: Path, written: str) -> None:
    assert read(folder, CONTACT | {"Record ID": written}).contacts.index.tolist() == ["625988369543"]


def test_ids_that_end_in_zeros_are_ids_where_most_do_not(folder: Path) -> None:
    ids = ["625988000000", "625988369543", "625988369544"]
    assert read(folder, *(CONTACT | {"Record ID": each} for each in ids)).contacts.index.tolist() == ids


def test_a_row_without_an_id_is_the_contact_whose_id_stands_beside_its_e_mail_elsewhere(folder: Path) -> None:
    known = CONTACT | {"Email": "Ann@example.com"}
    export = read(folder, known | {"Record ID": ""}, known, CONTACT | {"Record ID": "", "Email": "bob@example.com"})
    assert export.contacts.index.tolist() == ["7", "bob@example.com"]
    assert reasons(export) == [(3, "Record ID", "The contact stands already in row 2")]


def test_a_contact_that_stands_twice_is_used_once(folder: Path) -> None:
    unread = CONTACT | {"Create Date": "?"}
    export = read(folder, unread, CONTACT, BY_FORM)
    assert export.contacts["source"].tolist() == [NOT_COVERED]
    assert [row for row, *_ in reasons(export)] == [2, 4]
    assert export.rejected["reason"][1] == "The contact stands already in row 3"


@pytest.mark.parametrize(
    ("cell", "status"),
    [
        ("Marketing contact", "marketing"),
        ("Non-marketing contact", "non-marketing"),
        ("TRUE", "marketing"),
        ("false", "non-marketing"),
        ("Contacto que no es de marketing", "non-marketing"),
        ("Marketingkontakt", "marketing"),
    ],
)
def test_a_status_is_read_as_label_and_as_internal_value(folder: Path, cell: str, status: str) -> None:
    assert read(folder, CONTACT | {"Marketing contact status": cell}).contacts["status"].tolist() == [status]


@pytest.mark.parametrize(
    ("column", "cell", "reason"),
    [
        ("Record ID", "", "There is no Record ID and no e-mail"),
        ("Create Date", "", "The time is missing"),
        ("Create Date", "2024-13-01", "This is no time"),
        ("Marketing contact status", "perhaps", "This is no status (Marketing contact status: 'perhaps')"),
        ("First Conversion Date", "soon", "This is no time"),
        ("Last marketing email send date", "soon", "This is no time"),
        ("Number of Form Submissions", "-1", "This is no whole number (Number of Form Submissions: '-1')"),
    ],
)
def test_a_row_that_is_no_contact_is_rejected_with_a_reason(folder: Path, column: str, cell: str, reason: str) -> None:
    export = read(folder, CONTACT | {column: cell}, CONTACT | {"Record ID": "8"})
    assert export.contacts.index.tolist() == ["8"]
    ((row, found, told),) = reasons(export)
    assert (row, found) == (2, column)
    assert told.startswith(reason)


UNKNOWN = {
    "Marketing contact until next update": "perhaps",
    "Unsubscribed from all email": "so-so",
    "_fivetran_deleted": "maybe",
}


def test_an_unknown_word_for_yes_or_no_is_told_and_the_contact_is_used(folder: Path) -> None:
    known = CONTACT | dict.fromkeys(UNKNOWN, "No")
    rows = [known | {"Record ID": f"{at}", "Unsubscribed from all email": cell} for at, cell in enumerate(["Yes", "?"])]
    export = read(folder, *rows, CONTACT | UNKNOWN, CONTACT | UNKNOWN | {"Record ID": "8"})
    assert len(export.contacts) == export.rows_read == 4
    assert not export.contacts["waiting"].any()
    assert export.details["unsubscribed"].tolist() == [True, False, False, False]
    told = export.understood["not known"]
    assert "Marketing contact until next update: 'perhaps' (2)" in told
    assert "Unsubscribed from all email: 'so-so' (2), '?' (1)" in told
    assert "_fivetran_deleted: 'maybe' (2)" in told
    assert told.endswith("These cells count as blank; a mapping can say what they mean")


def test_an_address_in_the_place_of_a_word_is_not_shown_and_many_words_are_not_listed(folder: Path) -> None:
    address = {"Unsubscribed from all email": "ann@example.com", "Marketing contact status": "bob@example.com"}
    export = read(folder, CONTACT | address)
    assert "example" not in export.understood["not known"] + export.rejected["reason"][0]
    rows = [CONTACT | {"Record ID": f"{at}", "Marketing contact status": f"word {at}"} for at in range(21)]
    assert read(folder, *rows).rejected["reason"].nunique() == 1


def test_a_column_of_which_no_word_is_known_tells_nothing(folder: Path) -> None:
    details = read(folder, CONTACT | {"Unsubscribed from all email": "so-so"}).details
    assert "unsubscribed" not in details
    for known in ("", "No"):
        assert "unsubscribed" in read(folder, CONTACT | {"Unsubscribed from all email": known}).details


@pytest.mark.parametrize(
    ("yes", "no"),
    [("WAHR", "FALSCH"), ("VRAI", "FAUX"), ("VERDADERO", "FALSO"), ("VERO", "FALSO"), ("VERDADEIRO", "FALSO"),
     ("SANT", "FALSKT"), ("SANN", "USANN")],
)  # fmt: skip
def test_what_spreadsheets_write_for_true_and_false_is_known(folder: Path, yes: str, no: str) -> None:
    names = ["hs_marketable_status", "hs_marketable_until_renewal", "hs_email_optout"]
    rows = [CONTACT | {"Record ID": cell} | dict.fromkeys(names, cell) for cell in (yes, no)]
    export = read(folder, *rows)
    assert export.contacts["status"].tolist() == ["marketing", "non-marketing"]
    assert export.contacts["waiting"].tolist() == export.details["unsubscribed"].tolist() == [True, False]


def test_where_the_reason_for_a_hard_bounce_is_yes_or_no_it_is_meant_so(folder: Path) -> None:
    cells = ["No", "FALSCH", "Yes", "UNKNOWN_USER", ""]
    rows = [CONTACT | {"Record ID": f"{at}", "Email hard bounce reason": cell} for at, cell in enumerate(cells)]
    assert read(folder, *rows).details["bounced"].tolist() == [False, False, True, True, False]


def test_strict_makes_the_first_rejected_row_an_error(folder: Path) -> None:
    with pytest.raises(DataError, match=r"no time.*\(contacts.csv, row 3, column Create Date\)"):
        read(folder, CONTACT, CONTACT | {"Create Date": "?"}, strict=True)


# Details


def test_details_are_told_where_the_file_has_their_columns(folder: Path) -> None:
    assert read(folder, CONTACT).details.columns.tolist() == []
    more = {"Unsubscribed from all email": "Yes", "Email hard bounce reason": "Policy"}
    more |= {"Number of Form Submissions": "3", "Last marketing email send date": "2024-06-14 10:00"}
    details = read(folder, CONTACT | more, CONTACT | {"Record ID": "8"}).details
    assert details[["unsubscribed", "bounced", "form_submissions"]].to_dict("index") == {
        "7": {"unsubscribed": True, "bounced": True, "form_submissions": 3},
        "8": {"unsubscribed": False, "bounced": False, "form_submissions": 0},
    }
    assert details["mailed_at"].tolist() == [pd.Timestamp(2024, 6, 14, 10), pd.NaT]


@pytest.mark.parametrize(
    ("kind", "name", "told"),
    [("FORM", "Newsletter", "FORM: Newsletter"), ("FORM", "", "FORM"), ("", "ann", "ann"), ("", "", "")],
)
def test_what_set_the_status_is_told_as_it_was_recorded(folder: Path, kind: str, name: str, told: str) -> None:
    labels = {"Marketing contact status source type": kind, "Marketing contact status source name": name}
    internal = {"hs_marketable_reason_type": kind, "hs_marketable_reason_id": name}
    for columns in (labels, internal):
        assert read(folder, CONTACT | columns).details["status_source"].tolist() == [told]


def test_the_names_of_the_api_are_known_for_all_details(folder: Path) -> None:
    facts = {"hs_email_optout": "true", "hs_email_hard_bounce_reason_enum": "UNKNOWN_USER"}
    facts |= {"hs_email_last_send_date": "2024-06-14", "num_conversion_events": "2"}
    details = read(folder, CONTACT | facts).details
    assert details.columns.tolist() == ["unsubscribed", "bounced", "mailed_at", "form_submissions"]
    assert details[["unsubscribed", "bounced"]].all(axis=None)
    assert read(folder, CONTACT | {"hs_email_hard_bounce_reason": "x"}).details["bounced"].tolist() == [True]


# Several files


def several(folder: Path, *files: tuple[str, list[dict[str, str]]], **options: Any) -> Export:
    return read_export([table(folder, *rows, name=name) for name, rows in files], **options)


def test_a_contact_of_several_files_is_used_from_the_newest_by_the_days_in_their_names(folder: Path) -> None:
    old, new = "hubspot-crm-exports-all-2024-03-31.csv", "hubspot-crm-exports-all-2024-04-01-1.csv"
    export = several(folder, (old, [CONTACT, CONTACT | {"Record ID": "8"}]), (new, [BY_FORM]))
    assert export.contacts["source"].to_dict() == {"7": "hubspot_form", "8": NOT_COVERED}
    assert reasons(export) == [(2, "Record ID", f"{old}: The contact stands already in {new}, row 2")]
    assert export.rows_read == 3
    assert f": {new}, {old}. " in export.understood["files"]
    assert export.understood["rows"].startswith(f"{new}: 1 read, 1 used, 0 rejected; {old}: 2 read, 1 used")


def seen_from(folder: Path, *files: tuple[str, str, str], reverse: bool = False) -> list[str]:
    """Which files the contacts were used from; each is given by its name, its Create Date and its last mailing."""
    given = [
        (name, [CONTACT | {"Create Date": day, "Record source": "FORM", "Record source detail 1": name}
                | {"Last marketing email send date": mailed}])
        for name, day, mailed in files
    ]  # fmt: skip
    return several(folder, *(reversed(given) if reverse else given)).contacts["asset"].tolist()


@pytest.mark.parametrize("reverse", [False, True])
def test_the_newest_file_counts_in_whatever_order_they_are_given(folder: Path, reverse: bool) -> None:
    old, new = ("all-2026-09-30.csv", "2025-01-01", ""), ("all-2026-10-31.csv", "2025-01-01", "")
    vip, late = ("vip.csv", "2026-10-30", ""), ("late.csv", "2025-01-01", "2026-11-02 09:00")
    assert seen_from(folder, old, new, reverse=reverse) == [new[0]]
    assert seen_from(folder, old, vip, new, reverse=reverse) == [new[0]], "a day in a name goes before what it may tell"
    assert seen_from(folder, old, new, late, reverse=reverse) == [late[0]], "unless it tells of a later day"
    assert seen_from(folder, vip, late, reverse=reverse) == [late[0]], "without days the latest moment told decides"


@pytest.mark.parametrize("reverse", [False, True])
def test_a_date_that_is_mistaken_in_all_files_does_not_decide_which_is_the_newest(folder: Path, reverse: bool) -> None:
    wrong = CONTACT | {"Record ID": "9", "Create Date": "2062-10-01"}
    files = [(name, [CONTACT | {"Record source detail 1": name, "Record source": "FORM"}, wrong,
                     CONTACT | {"Record ID": "8", "Create Date": day}])
             for name, day in (("old.csv", "2026-09-30"), ("new.csv", "2026-10-31"))]  # fmt: skip
    assert several(folder, *files[:: -1 if reverse else 1]).contacts.loc["7", "asset"] == "new.csv"


def test_a_folder_and_a_list_of_its_files_are_read_alike_and_say_in_which_order(tmp_path: Path) -> None:
    days = {"all-2026-09-30.csv": "Non-marketing contact", "all-2026-10-31.csv": "Marketing contact"}
    files = [
        table(tmp_path, CONTACT | {"Marketing contact status": status}, name=name) for name, status in days.items()
    ]
    files.append(table(tmp_path, CONTACT | {"Record ID": "9"}, name="vip.csv"))
    for path in (tmp_path, files, files[::-1]):
        export = read_export(path)
        assert export.contacts.loc["7", "status"] == "marketing"
        assert export.understood["files"] == (
            "3, a contact in several of them is used from the first: all-2026-10-31.csv, all-2026-09-30.csv, vip.csv. "
            "The newest is first: by the day in its name, else by the latest moment it tells"
        )


def test_files_of_which_nothing_tells_the_newest_count_as_they_are_given(folder: Path) -> None:
    files = ("b.csv", "2025-01-01", ""), ("a.csv", "2025-01-01", "")
    assert seen_from(folder, *files) == ["b.csv"]
    assert seen_from(folder, *files, reverse=True) == ["a.csv"]


def test_uploads_of_one_portal_count_from_the_newest_whatever_they_are_called(folder: Path) -> None:
    last = table(folder, BY_FORM | {"Marketing contact status": "Marketing contact"}).read_bytes()
    more = CONTACT | {"Record ID": "8", "Create Date": "2024-04-30 09:00"}
    this = table(folder, BY_FORM | {"Marketing contact status": "Non-marketing contact"}, more).read_bytes()
    for names in (("a.csv", "b.csv"), ("b.csv", "a.csv"), ("a.csv", "a.csv"), ("../1-a.csv", "a.csv")):
        for uploads in ([(names[0], last), (names[1], this)], [(names[1], this), (names[0], last)]):
            with Chosen(uploads=tuple((Path(name).name, content) for name, content in uploads)).opened() as files:
                assert [file.read_bytes() for file in files] == [content for _, content in uploads], "as chosen"
                assert read_export(files).contacts.loc["7", "status"] == "non-marketing"


def test_a_contact_that_the_newest_file_says_is_archived_is_not_counted_from_an_older_one(tmp_path: Path) -> None:
    live = api("7", email="Ann@example.com")
    (tmp_path / "c-2026-10-01.json").write_text(json.dumps([live, api("8")]))
    (tmp_path / "c-2026-10-31.json").write_text(json.dumps([live | {"archived": True}]))
    export = read_export(tmp_path)
    assert export.contacts.index.tolist() == ["8"]
    assert export.rows_read == 3
    assert reasons(export) == [
        (1, "id", "c-2026-10-01.json: The row that counts, c-2026-10-31.json, row 1, says: The contact is archived"),
    ]
    assert export.gone.values.tolist() == [["7", "archived", ""]]


@pytest.mark.parametrize(
    ("newest", "why"),
    [
        ({"_fivetran_deleted": "true"}, "says: The contact is deleted"),
        ({"Marketing contact status": "nicht mehr"}, "is rejected: This is no status"),
        ({"Create Date": "?"}, "is rejected: This is no time"),
    ],
)
def test_a_rejected_row_of_the_newest_file_does_not_bring_older_facts_back(
    folder: Path, newest: dict[str, str], why: str
) -> None:
    row = CONTACT | {"Email": "ann@example.com", "Marketing contact status": "Marketing contact"}
    old, new = ("all-2026-09-30.csv", [row, row | {"Record ID": "8", "Email": ""}]), "all-2026-10-31.csv"
    for known in ({}, {"Record ID": ""}):
        export = several(folder, old, (new, [row | newest | known]))
        assert export.contacts.index.tolist() == ["8"]
        assert export.rows_read == len(export.contacts) + len(export.gone) + len(export.rejected) == 3
        assert f"The row that counts, {new}, row 2, {why}" in export.rejected["reason"].iloc[-1]


def test_a_rejected_row_of_an_older_file_changes_nothing(folder: Path) -> None:
    gone = CONTACT | {"_fivetran_deleted": "true"}
    export = several(folder, ("all-2026-09-30.csv", [gone]), ("all-2026-10-31.csv", [CONTACT]))
    assert export.contacts.index.tolist() == ["7"]


def test_ids_that_excel_has_ruined_are_counted_after_the_files_are_put_together(folder: Path) -> None:
    ruined = [CONTACT | {"Record ID": "6.89813E+11", "Email": f"{name}@example.com"} for name in ("ann", "bob")]
    sound = [CONTACT | {"Email": "ann@example.com"}]
    assert several(folder, ("a.csv", ruined)).understood["record ids"].startswith("2 were rounded by Excel")
    assert several(folder, ("a.csv", ruined), ("b.csv", sound)).understood["record ids"].startswith("1 were rounded")
    assert "record ids" not in several(folder, ("a.csv", ruined[:1]), ("b.csv", sound)).understood


def test_rows_that_repeat_a_contact_are_told_apart_from_faults(folder: Path) -> None:
    unread, other = CONTACT | {"Create Date": "?", "Record ID": "9"}, CONTACT | {"Record ID": "8"}
    export = several(
        folder, ("a-2026-09-30.csv", [CONTACT, other, unread]), ("a-2026-10-31.csv", [CONTACT, other, other])
    )
    assert export.understood["repeated"] == "3 rows repeat a contact, which is counted once: no fault"
    assert export.understood["rows"] == (
        "a-2026-10-31.csv: 3 read, 2 used, 1 repeated, 0 rejected; "
        "a-2026-09-30.csv: 3 read, 0 used, 2 repeated, 1 rejected"
    )
    assert export.rejected["reason"].str.contains(REPEATED, regex=False).sum() == 3
    assert export.rows_read == len(export.contacts) + len(export.gone) + len(export.rejected) == 6
    assert "repeated" not in read(folder, CONTACT).understood


def test_a_contact_is_one_though_a_file_knows_it_by_its_e_mail_only(folder: Path) -> None:
    known = CONTACT | {"Email": "Ann@example.com"}
    export = several(folder, ("a.csv", [known | {"Record ID": "6.89813E+11"}]), ("b.csv", [known]))
    assert export.contacts.index.tolist() == ["7"]
    assert reasons(export) == [(2, "Record ID", "b.csv: The contact stands already in a.csv, row 2")]


def test_details_that_one_of_several_files_lacks_are_left_out(folder: Path) -> None:
    more = {"Unsubscribed from all email": "Yes"}
    files = (
        ("a.csv", [CONTACT | more | {"Email hard bounce reason": "x"}]),
        ("b.csv", [CONTACT | more | {"Record ID": "8"}]),
    )
    assert several(folder, *files).details.columns.tolist() == ["unsubscribed"]


def test_a_strict_reading_of_several_files_names_the_file(folder: Path) -> None:
    with pytest.raises(DataError, match=r"\(b.csv, row 2, column Create Date\)"):
        several(folder, ("a.csv", [CONTACT]), ("b.csv", [CONTACT | {"Create Date": "?"}]), strict=True)


def test_no_files_at_all_are_an_error(tmp_path: Path) -> None:
    for nothing in ([], tmp_path):
        with pytest.raises(DataError, match="no files to read"):
            read_export(nothing)


def test_files_of_the_same_name_are_told_apart_by_their_folders(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        table(tmp_path / name, CONTACT)
    export = read_export([tmp_path / name / "contacts.csv" for name in ("one", "two")])
    assert export.rejected["reason"].tolist() == [
        "two/contacts.csv: The contact stands already in one/contacts.csv, row 2"
    ]


def test_opening_several_files_or_a_folder_opens_one_export(tmp_path: Path) -> None:
    files = [table(tmp_path, CONTACT, name="a.csv"), table(tmp_path, BY_FORM | {"Record ID": "8"}, name="b.csv")]
    for opened in (open_file(files), open_file(tmp_path)):
        assert (opened.name, opened.rows_read, list(opened.files)) == ("a.csv and 1 more", 2, files)


# What a person is shown


def test_what_was_understood_is_told_before_anything_is_computed(folder: Path) -> None:
    row = BY_FORM | {"Marketing contact status": "Marketing contact"}
    understood = read(
        folder, row, CONTACT | {"Record ID": "8"}, CONTACT | {"Record ID": "9", "Create Date": "?"}
    ).understood
    assert understood["languages"] == "English"
    assert understood["columns"].startswith("Record ID as record_id; Create Date as created_at; Record source as")
    assert understood["rows"] == "3 read, 2 used, 1 rejected"
    assert understood["certainty"] == "certain 50%, not covered 50%"
    assert "ISO 8601" in understood["dates"]
    assert "Unsubscribed from all email (who is paid for, but has unsubscribed)" in understood["worth adding"]


def test_the_order_of_day_and_month_is_that_of_the_call_else_of_the_mapping(folder: Path) -> None:
    undecided, own = CONTACT | {"Create Date": "3/4/2024"}, {"mapping": {"dates": "day first"}}
    with pytest.raises(DataError, match=r"'3/4/2024' \(contacts.csv, row 2, column Create Date\)"):
        read(folder, undecided)
    created = [read(folder, undecided, **each).contacts["created_at"] for each in (own, own | {"dates": "month first"})]
    assert [day.dt.strftime("%Y-%m-%d").tolist() for day in created] == [["2024-04-03"], ["2024-03-04"]]


def test_progress_is_told_from_nothing_to_all(folder: Path) -> None:
    told: list[tuple[int, int, str]] = []
    read(folder, BY_FORM, progress=lambda *step: told.append(step))
    for what in ("contacts.csv: understanding", "what the contacts sent"):
        done = [(done, whole) for done, whole, of in told if of == what]
        assert done == sorted(done) and done[-1][0] == done[-1][1]


# What a recorded source stands for


def test_every_recorded_source_has_its_reference_and_its_trust() -> None:
    assert all(entry.reference and entry.reference.title and entry.trust for entry in shipped_sources())
    trusted = {entry.trust for entry in shipped_sources() if entry.certainty == "certain"}
    assert trusted <= {"H", "M"}


def test_every_recorded_source_stands_for_a_source_of_the_rulebook() -> None:
    sources = yaml.safe_load(Path(exports.__file__).with_name("record_sources.yaml").read_text(encoding="utf-8"))[
        "sources"
    ]
    assert {entry["source"] for entry in sources} <= set(SOURCES)
    assert {entry["certainty"] for entry in sources} <= set(CERTAINTIES)
    assert all(why(entry["source"], entry["certainty"]) for entry in sources)


SILENT = [
    "ACTIVITY_AUTO_ASSOCIATE",
    "ACTIVITY_LOG_REVERT",
    "AUTO_ASSOCIATE_BY_DOMAIN",
    "BREEZE_AGENT",
    "CONNECTED_ACCOUNT",
    "CUSTOMER_AGENT",
    "CUSTOMER_PORTAL",
    "DATA_QUALITY",
    "DELETE_OBJECTS",
    "DI_WRITE_TO_CRM",
    "EMAIL_INBOX_IMPORT",
    "LEGAL_BASIS_REMEDIATION",
    "MARKETS",
    "MERGE_REVERT_OBJECTS",
    "PRIMARY_AUTOMATION",
    "PROPERTY_DEFAULT_VALUE",
    "RESTORE_OBJECTS",
    "REVENUE_PLATFORM",
    "SMART_DATA_CAPTURE",
    "WORK_UI",
    "ADS",
    "SOCIAL",
    "EMAIL",
    "SEQUENCES",
    "HELP_DESK",
    "QUOTES",
    "PAYMENTS",
    "WORKFLOWS",
    "MERGE_CONTACTS",
    "MERGE_OBJECTS",
    "MERGE_COMPANIES",
    "MIGRATION",
    "ANALYTICS",
    "LEADIN",
    "CLONE_OBJECTS",
    "PORTAL_OBJECT_SYNC",
    "PROSPECTING_AGENT",
    "CRM_UI_BULK_ACTION",
    "UNKNOWN",
]


def test_the_codes_for_which_no_tool_is_established_are_known_by_name_and_not_covered() -> None:
    known = known_names(shipped_sources())
    for code in SILENT:
        assert folded(code) in known
        assert tool_of(code, "detail") == (NOT_COVERED, code, NOT_COVERED)


def test_every_code_of_the_public_specification_is_known_once_with_a_tool_or_as_silent() -> None:
    sources = yaml.safe_load(Path(exports.__file__).with_name("record_sources.yaml").read_text(encoding="utf-8"))
    silent = list(map(folded, sources["silent"]))
    named = {folded(name) for entry in shipped_sources() for name in entry.recorded}
    assert len(silent) == len(set(silent)) == 93
    assert not named & set(silent)
    codes = [name for entry in shipped_sources() for name in entry.recorded if name and name == name.upper()]
    assert len({*map(folded, codes), *silent}) == 119


@pytest.mark.parametrize(
    ("recorded", "detail", "tool"),
    [
        ("FORM", "Newsletter", ("hubspot_form", "Newsletter", "certain")),
        ("FORM", "#contact .form", ("non_hubspot_form", "#contact .form", "likely")),
        ("IMPORT", "fair.csv", ("import_single_object", "fair.csv", "ambiguous")),
        ("CRM UI", "Jane Doe", ("manual", "", "certain")),
        ("CRM_UI", "", ("manual", "", "certain")),
        ("Mobile iOS", "Jane Doe", ("mobile_app", "", "certain")),
        ("Meetings", "Meetings Link: jane/intro", ("meetings_link", "", "certain")),
        ("MEETINGS", "Jane Doe", ("meetings_link", "", "certain")),
        ("BCC’d email", "Jane Doe", ("logged_email", "", "likely")),
        ("ENGAGEMENTS", "", ("logged_email", "", "likely")),
        ("Bot Chatflow", "Welcome", ("chatflow", "Welcome", "certain")),
        ("CONVERSATIONS", "", ("team_email", "", "ambiguous")),
        ("Integration", "Eventbrite", ("integration", "Eventbrite", "certain")),
        ("SALESFORCE", "Salesforce", ("integration", "Salesforce", "likely")),
        ("SALES", "", ("logged_email", "", "likely")),
        ("PRESENTATIONS", "", ("document_open", "", "likely")),
        ("Chatflow", "Welcome", ("chatflow", "Welcome", "certain")),
        ("WORKFLOWS", "Jane Doe", (NOT_COVERED, "WORKFLOWS", NOT_COVERED)),
        ("", "", (NOT_COVERED, "", NOT_COVERED)),
    ],
)
def test_a_recorded_source_stands_for_a_tool(recorded: str, detail: str, tool: tuple[str, str, str]) -> None:
    assert tool_of(recorded, detail) == tool


def test_since_2019_analytics_means_a_form_that_hubspot_did_not_make(folder: Path) -> None:
    row = CONTACT | {"Original Source Drill-Down 1": "ANALYTICS"}
    export = read(folder, row, row | {"Record ID": "8", "Create Date": "2018-12-31"})
    assert export.contacts["source"].tolist() == ["non_hubspot_form", NOT_COVERED]


# Form conversions


def converted(folder: Path, first: str, at: str, **more: str) -> list[tuple[str, ...]]:
    row = BY_FORM | {"First Conversion": first, "First Conversion Date": at}
    return touches(read(folder, row | {name.replace("_", " "): cell for name, cell in more.items()}))


def test_a_conversion_within_five_minutes_of_the_creation_is_the_creation(folder: Path) -> None:
    assert converted(folder, "Home: Newsletter", "2024-03-01 09:05") == [CREATION]
    assert len(converted(folder, "Home: Newsletter", "2024-03-01 09:06")) == 2
    assert len(converted(folder, "Home: Other", "2024-03-01 09:05")) == 2


@pytest.mark.parametrize("at", ["2024-03-01 08:59:58", "2024-03-01", "2024-02-28 10:00"])
def test_a_conversion_dated_before_the_creation_does_not_create_the_contact(folder: Path, at: str) -> None:
    row = CONTACT | {"Record source": "INTEGRATION", "Record source detail 1": "Shop"}
    for source, created in (("INTEGRATION", ("integration", "Shop")), ("WORKFLOWS", (NOT_COVERED, "WORKFLOWS"))):
        sent = {"First Conversion": "Home: Demo", "First Conversion Date": at}
        sent |= {"Recent Conversion": "Home: Demo", "Recent Conversion Date": "2024-03-01 08:59:59"}
        export = read(folder, row | sent | {"Record source": source})
        when = "2024-03-01 09:00"
        assert touches(export) == [("7", when, *created), ("7", when, "hubspot_form", "Demo")]
        told = "1 form submissions are dated before their contact was created, and count from its creation"
        assert export.understood.get("dated before") == (None if at.endswith("58") else told)


def test_the_form_that_created_the_contact_is_one_touch_however_early_its_conversion_is_dated(folder: Path) -> None:
    for at in ("2024-03-01 08:59:58", "2024-03-01", "2024-02-28 10:00"):
        assert converted(folder, "Home: Newsletter", at) == [CREATION]
        unnamed = CONTACT | {"Record source": "FORM", "First Conversion": "Newsletter", "First Conversion Date": at}
        assert touches(read(folder, unnamed)) == [CREATION]


def test_a_submission_dated_before_the_creation_does_not_create_the_contact(folder: Path) -> None:
    export = submitted(folder, ("2024-02-28 10:00", "g1", "7"), ("2024-02-28 11:00", "g1", "7"))
    assert touches(export) == [CREATION, ("7", "2024-03-01 09:00", "hubspot_form", "g1")]
    assert export.understood["dated before"].startswith("2 form submissions")


def test_the_first_and_the_recent_conversion_are_one_touch_where_they_are_the_same(folder: Path) -> None:
    at = "2024-04-01 10:00"
    again = {"Recent_Conversion": "Home: Demo", "Recent_Conversion_Date": at}
    assert converted(folder, "Home: Demo", at, **again) == [CREATION, ("7", at, "hubspot_form", "Demo")]


def test_a_conversion_may_be_of_another_tool(folder: Path) -> None:
    later = "2024-04-01 10:00"
    assert converted(folder, "Meetings Link: jane/intro", later)[1] == ("7", later, "meetings_link", "")
    assert converted(folder, "Facebook Lead Ads: Fair", later)[1] == ("7", later, NOT_COVERED, "ADS")
    assert converted(folder, "Home: #wpforms", later)[1] == ("7", later, "non_hubspot_form", "#wpforms")


def test_a_form_that_the_export_knows_is_found_whatever_colons_it_has() -> None:
    assert form_name("Home: Event: Bath", {"Event: Bath"}) == "Event: Bath"
    assert form_name("Event: Bath", {"Event: Bath"}) == "Event: Bath"
    assert form_name("Home: Event: Bath") == "Bath"
    assert form_name("Newsletter") == "Newsletter"


def test_a_form_whose_name_was_not_recorded_is_the_one_sent_at_the_creation(folder: Path) -> None:
    row = CONTACT | {
        "Record source": "FORM",
        "First Conversion": "Home: Demo",
        "First Conversion Date": "2024-03-01 09:01",
    }
    export = read(folder, row)
    assert touches(export) == [("7", "2024-03-01 09:00", "hubspot_form", "Demo")]
    assert export.contacts.loc["7", ["asset", "certainty"]].tolist() == ["Demo", "likely"]


def test_what_an_export_does_not_tell_of_is_counted(folder: Path) -> None:
    row = BY_FORM | {"First Conversion": "Home: Demo", "Number of Form Submissions": "5"}
    understood = read(folder, row, row | {"Record ID": "8", "First Conversion Date": "2024-03-09"}).understood
    assert understood["undated"] == "1 conversions have no date and are left out"
    assert understood["not told"] == "9 form submissions between the first and the latest of a contact"


# Submissions


def submitted(folder: Path, *sent: tuple[str, str, str], contacts: int = 1, **options: Any) -> Export:
    rows = [BY_FORM | {"Record ID": str(number + 7)} for number in range(contacts)]
    lines = [dict(zip(("timestamp", "form_id", "contact_id"), line, strict=True)) for line in sent]
    submissions = table(folder, *lines, name="contact_form_submission.csv")
    return read(folder, *rows, submissions=submissions, **options)


def test_a_form_bears_the_name_of_the_contacts_it_created(folder: Path) -> None:
    export = submitted(folder, ("2024-03-01 09:00:01", "g1", "7"), ("2024-03-09", "g1", "7"), ("2024-03-10", "g2", "7"))
    assert touches(export) == [
        CREATION,
        ("7", "2024-03-09 00:00", "hubspot_form", "Newsletter"),
        ("7", "2024-03-10 00:00", "hubspot_form", "g2"),
    ]


def test_a_name_is_learned_from_a_clear_majority_only(folder: Path) -> None:
    sent = [("2024-03-01 09:00", "g1", "7"), ("2024-03-09", "g1", "8")]
    rows = [BY_FORM | {"Record ID": str(number)} for number in range(10)]
    rows[9] |= {"Record source detail 1": "Other"}
    for split, asset in ((rows, "Newsletter"), (rows[8:], "g1")):
        lines = [{"timestamp": "2024-03-01 09:00", "form_id": "g1", "contact_id": row["Record ID"]} for row in split]
        last = {"timestamp": sent[1][0], "form_id": "g1", "contact_id": "9"}
        export = read(folder, *split, submissions=table(folder, *lines, last, name="submissions.csv"))
        assert export.touches["asset"].iloc[-1] == asset


def test_names_that_are_given_go_before_names_that_are_learned(folder: Path) -> None:
    sent = ("2024-03-01 09:00", "g1", "7"), ("2024-03-09", "g2", "7")
    forms = table(folder, {"guid": "g1", "name": "Event: Bath"}, name="form.csv")
    assert [asset for *_, asset in touches(submitted(folder, *sent, forms=forms))] == [
        "Newsletter",
        "Event: Bath",
        "g2",
    ]
    assert touches(submitted(folder, *sent, forms={"g2": "Demo"}))[1][3] == "Demo"


def test_names_of_forms_without_submissions_are_an_error(folder: Path) -> None:
    with pytest.raises(DataError, match="without submissions"):
        read(folder, CONTACT, forms={"g2": "Demo"})


def test_every_submission_is_used_or_rejected(folder: Path) -> None:
    sent = [("2024-03-09", "g1", "7"), ("2024-03-09", "g1", "404"), ("soon", "g1", "7"), ("2024-03-09", "", "7")]
    export = submitted(folder, *sent)
    assert (export.rows_read, export.submissions_read) == (1, 4)
    assert [(row, column) for row, column, _ in reasons(export)] == [
        (3, "contact_id"),
        (4, "timestamp"),
        (5, "form_id"),
    ]
    assert export.rejected["reason"].str.startswith("contact_form_submission.csv: ").all()
    assert export.understood["submissions"].startswith("4 read, 1 used")
    with pytest.raises(DataError, match=r"\(contact_form_submission.csv, row 3, column contact_id\)"):
        submitted(folder, *sent, strict=True)


# Always

CELL = st.sampled_from(["", "7", "a@b.c", "2024-03-01 09:00", "FORM", "Meetings Link: x", "true", "A: B"]) | st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0\r"), max_size=5
)
COLUMNS = ["Record ID", "Email", "Create Date", "Record source", "Record source detail 1", "Marketing contact status"]
COLUMNS += ["First Conversion", "First Conversion Date", "Recent Conversion", "Recent Conversion Date"]


@settings(max_examples=settings.default.max_examples)
@given(st.lists(st.lists(CELL, min_size=len(COLUMNS), max_size=len(COLUMNS)), max_size=5))
def test_every_contact_is_used_or_rejected(folder: Path, rows: list[list[str]]) -> None:
    path = folder / "any.csv"
    dated = [[*row[:2], "2024-03-01 09:00", *row[3:]] if row[2] != "7" else row for row in rows]
    pd.DataFrame(dated, columns=COLUMNS).to_csv(path, index=False)
    export = read_export(path)
    assert export.rows_read == len(export.contacts) + len(export.gone) + len(export.rejected) == len(rows)
    assert set(export.touches["contact_id"]) == set(export.contacts.index)


@settings(max_examples=settings.default.max_examples)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["results", "properties", "id", "createdate", "email", "archived"]), inner
            )
        ),
        max_leaves=12,
    )
)
def test_any_json_is_an_export_or_an_error_for_people(folder: Path, root: object) -> None:
    try:
        export = read_json(folder, root)
    except DataError:
        return
    assert export.rows_read == len(export.contacts) + len(export.gone) + len(export.rejected)


def test_the_touches_of_an_export_are_a_batch(folder: Path) -> None:
    export = read(folder, BY_FORM, CONTACT | {"Record ID": "8"})
    export.touches.to_csv(folder / "batch.csv", index=False)
    pd.testing.assert_frame_equal(read_touches(folder / "batch.csv").touches, export.touches)


@pytest.mark.parametrize("name", ["hubspot-crm-exports-*.csv", "fivetran_contact.csv", "api_contacts.json"])
def test_the_copies_in_data_are_read_whole(name: str) -> None:
    (path,) = DATA.glob(name)
    submissions = DATA / "fivetran_contact_form_submission.csv" if name.startswith("fivetran") else None
    export = read_export(path, submissions=submissions, strict=True)
    assert len(export.contacts) == export.rows_read > 50
    assert export.contacts["status"].notna().all()


def test_a_contact_of_two_files_with_two_statuses_says_so(tmp_path: Path) -> None:
    (tmp_path / "both").mkdir()
    for name, status in (("a.csv", "Marketing contact"), ("b.csv", "Non-marketing contact")):
        table(tmp_path / "both", CONTACT | {"Marketing contact status": status}, name=name)
    (reason,) = read_export(tmp_path / "both").rejected["reason"]
    assert reason == "b.csv: The contact stands already in a.csv, row 2, with another status"
