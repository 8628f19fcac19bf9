"""What HubSpot recorded of statuses, whatever state the record is in; and what becomes of contacts that are no more."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import marketable as mk
from marketable.exports.statuses import CAUSES, cause_of
from marketable.paths import DATA
from marketable.report.command import main
from marketable.report.findings import Findings
from marketable.report.parameters import Parameters
from marketable.report.sections import changes

CASES = Path(__file__).with_name("cases")
Version = tuple[str, str, str, str]


def contact(number: int, status: str, *versions: Version, **properties: str) -> dict[str, Any]:
    """A contact of the API: versions are value, timestamp, source type and id, the newest first."""
    names = ("value", "timestamp", "sourceType", "sourceId")
    return {
        "id": str(number),
        "properties": {
            "createdate": "2025-01-10T10:00:00Z",
            "hs_object_source_label": "IMPORT",
            "hs_object_source_detail_1": "fair.csv",
            "hs_marketable_status": status,
            **properties,
        },
        "propertiesWithHistory": {"hs_marketable_status": [dict(zip(names, each, strict=True)) for each in versions]},
    }


def read(folder: Path, *contacts: dict[str, Any], name: str = "contacts.json") -> mk.Export:
    path = folder / name
    path.write_text(json.dumps({"results": contacts}), encoding="utf-8")
    export = mk.read_export(path)
    assert export.rows_read == len(export.contacts) + len(export.gone) + len(export.rejected)
    return export


def told(export: mk.Export) -> list[tuple[str, str]]:
    return list(zip(export.statuses["status"], export.statuses["cause"], strict=True))


MADE = ("false", "2025-01-10T10:00:00Z", "IMPORT", "77")
BY_FORM = ("true", "2025-03-01T10:00:00Z", "FORM", "f-1")
BY_HAND = ("false", "2025-04-01T10:00:00Z", "CRM_UI", "userId:5")


def test_versions_may_be_unordered_and_doubled(tmp_path: Path) -> None:
    expected = [("non-marketing", "import"), ("marketing", "form"), ("non-marketing", "by hand")]
    assert told(read(tmp_path, contact(1, "false", BY_HAND, BY_FORM, MADE))) == expected
    assert told(read(tmp_path, contact(1, "false", MADE, BY_HAND, BY_HAND, BY_FORM, MADE))) == expected


def test_a_status_that_is_set_again_is_no_change(tmp_path: Path) -> None:
    again = ("true", "2025-03-05T10:00:00Z", "WORKFLOWS", "9")
    assert told(read(tmp_path, contact(1, "true", again, BY_FORM, MADE)))[-1] == ("marketing", "form")


def test_a_history_that_contradicts_itself_says_so(tmp_path: Path) -> None:
    at_once = ("false", BY_FORM[1], "CRM_UI", "5")
    export = read(tmp_path, contact(1, "false", at_once, BY_FORM, MADE))
    assert told(export)[-1] == ("non-marketing", "by hand"), "what stands first is the latest"
    assert export.understood["history at odds"].startswith("1 contacts have two statuses at one moment")


def test_a_history_that_contradicts_the_present_status_explains_nothing(tmp_path: Path) -> None:
    audit = mk.audit(read(tmp_path, contact(1, "true", BY_HAND, BY_FORM, MADE), contact(2, "true", BY_FORM, MADE)))
    assert audit.contacts["trust"].tolist() == ["inferred", "recorded"]
    assert audit.remarks["recorded otherwise"].startswith("Of 1 contacts HubSpot's record")


def test_versions_without_a_time_or_a_status_are_counted(tmp_path: Path) -> None:
    export = read(
        tmp_path, contact(1, "true", BY_FORM, ("perhaps", "2025-02-01", "FORM", ""), ("true", "", "FORM", ""))
    )
    assert told(export) == [("marketing", "form")]
    assert export.understood["history"].startswith("2 versions of a status")


def test_a_contact_may_have_nothing_but_histories(tmp_path: Path) -> None:
    alone = contact(1, "", ("true", "2025-03-01", "FORM", "f-1"))
    alone["propertiesWithHistory"] |= {"createdate": [{"value": "2025-01-10T10:00:00Z"}, 5]}
    del alone["properties"]
    assert read(tmp_path, alone).contacts["status"].tolist() == ["marketing"]


@pytest.mark.parametrize("cell", ["", ";;", "x::abc", "::1735725600000", "f::1735725600000;;x::"])
def test_a_list_of_submissions_that_is_damaged_costs_no_contact(tmp_path: Path, cell: str) -> None:
    export = read(tmp_path, contact(1, "true", hs_calculated_form_submissions=cell))
    assert len(export.contacts) == 1
    assert (export.touches["source"] == "hubspot_form").sum() == ("f::" in cell)
    assert ("submissions not read" in export.understood) == ("x::" in cell or cell.startswith("::"))


def test_a_source_type_that_is_not_known_is_other_and_told(tmp_path: Path) -> None:
    export = read(tmp_path, contact(1, "true", ("true", "2025-03-01", "TELEPATHY", "x"), MADE))
    assert export.statuses[["cause", "detail"]].values.tolist()[-1] == ["other", "TELEPATHY: x"]
    assert export.understood["causes not known"] == "'TELEPATHY': counted as other"
    assert "TELEPATHY: x, on 2025-03-01" in mk.audit(export).contacts["reason"].iloc[0]


def test_who_waits_for_the_update_date_is_marketing_where_no_status_is_told(tmp_path: Path) -> None:
    waits = contact(1, "", hs_marketable_until_renewal="true"), contact(2, "", hs_marketable_until_renewal="false")
    status = read(tmp_path, *waits).contacts["status"]
    assert status.iloc[0] == "marketing" and pd.isna(status.iloc[1])


@pytest.mark.parametrize(
    ("recorded", "cause"),
    [
        ("AUTOMATION_PLATFORM", "workflow"), ("Workflow", "workflow"), ("FORM_SUBMISSION", "form"), ("Form", "form"),
        ("CONTACT_IMPORT", "import"), ("USER_SET", "by hand"), ("CRM_UI", "by hand"), ("INTEGRATOR_SET", "app"),
        ("AD", "ad"), ("CONVERSATION", "conversation"), ("EMAIL", "email"), ("SAMPLE_CONTACT", "sample"),
        ("INITIAL_STATE", "other"),
    ],
)  # fmt: skip
def test_a_recorded_source_type_is_a_cause(recorded: str, cause: str) -> None:
    assert cause_of(recorded) == cause and cause in CAUSES


def test_a_form_that_is_recorded_is_a_witness_for_that_form_alone(tmp_path: Path) -> None:
    """Nothing is concluded of the imports that created whom a form has made marketing."""
    export = read(tmp_path, *(contact(number, "true", BY_FORM, MADE) for number in range(1, 30)))
    audit = mk.audit(export)
    assert not audit.switches["differs"].any()
    assert set(audit.contacts["explanation"]) == {"upgraded by a form after creation"}
    unrecorded = [contact(number, "true") | {"propertiesWithHistory": {}} for number in range(1, 30)]
    assert mk.audit(read(tmp_path, *unrecorded)).switches["differs"].tolist() == [True]


def test_history_of_api_v1_is_the_same(tmp_path: Path) -> None:
    versions = [
        {"value": value, "timestamp": int(pd.Timestamp(at).timestamp() * 1000), "source-type": kind, "source-id": of}
        for value, at, kind, of in (BY_FORM, MADE)
    ]
    v1 = {
        "vid": 1,
        "merged-vids": [7, 8],
        "properties": {
            "createdate": {"value": "1736503200000"},
            "hs_marketable_status": {"value": "true", "versions": versions},
        },
    }
    seven = {"vid": 7, "properties": {"createdate": {"value": "1736503200000"}}}
    export = read(tmp_path, v1, seven)
    assert told(export) == [("non-marketing", "import"), ("marketing", "form")]
    assert export.gone.values.tolist() == [["7", "merged", "1"]], "nobody has read of the eighth"


def test_contacts_that_are_said_to_have_absorbed_each_other_are_both_there(tmp_path: Path) -> None:
    both = [contact(1, "true", hs_merged_object_ids="2"), contact(2, "true", hs_merged_object_ids="1")]
    assert read(tmp_path, *both).contacts.index.tolist() == ["1", "2"]
    chain = [
        contact(1, "true", hs_merged_object_ids="2"),
        contact(2, "true", hs_merged_object_ids="3"),
        contact(3, "true"),
    ]
    assert read(tmp_path, *chain).gone.values.tolist() == [["2", "merged", "1"], ["3", "merged", "1"]]


def test_a_wrapped_file_that_is_cut_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "contacts.json"
    path.write_text(json.dumps([{"json": contact(1, "true", BY_FORM)}])[:-30], encoding="utf-8")
    with pytest.raises(mk.DataError, match="This is not JSON"):
        mk.read_export(path)


def test_the_tables_of_a_warehouse_are_read_with_their_contacts(tmp_path: Path) -> None:
    tables = {
        "contact": "id,property_createdate,property_hs_marketable_status,property_hs_merged_object_ids\n"
        "1,2025-01-10 10:00:00,true,8\n8,2025-01-09 10:00:00,true,",
        "contact_property_history": "contact_id,name,source,source_id,timestamp,value\n"
        "1,hs_marketable_status,FORM,f-2,2025-03-01 10:00:00,true\n1,email,FORM,f-2,2025-03-01 10:00:00,a@b.c\n"
        "9,hs_marketable_status,FORM,f-2,2025-03-01 10:00:00,true",
        "contact_form_submission": "timestamp,form_id,contact_id\n2025-03-01 10:00:00,f-2,1\n2025-02-01 10:00:00,f-2,8",
        "form": "guid,name\nf-2,Demo",
    }
    for name, text in tables.items():
        (tmp_path / f"{name}.csv").write_text(text, encoding="utf-8")
    export = mk.read_export(tmp_path)
    assert export.statuses[["contact_id", "cause", "detail"]].values.tolist() == [["1", "form", "Demo"]]
    assert export.touches[["contact_id", "asset"]].values.tolist() == [["1", ""], ["1", "Demo"], ["1", "Demo"]]
    assert len(export.rejected) == 0, "what an absorbed contact sent is of the one that there is"
    assert export.understood["history of others"].startswith("1 changes are of contacts that are gone or in no file")


def test_where_nobody_has_an_address_the_export_does_not_tell_who_has_none(tmp_path: Path) -> None:
    without = [contact(number, "true", email="") for number in (1, 2)]
    assert mk.audit(read(tmp_path, *without)).mailing.tolist() == ["", ""]
    told = mk.audit(read(tmp_path, without[0], contact(2, "true", email="ann@example.com"))).mailing
    assert told.tolist() == ["no address", ""]


def test_exports_of_two_portals_are_not_compared(tmp_path: Path) -> None:
    one, other = (read(tmp_path, contact(number, "true")) for number in (1, 2))
    with pytest.raises(mk.DataError, match="No contact stands in both exports"):
        mk.changes(one, other)
    with pytest.raises(mk.DataError, match="records no change of a status with its time"):
        mk.changes(one, "2025-01-01", "2025-02-01")
    files = sorted((CASES / "two-exports").iterdir(), reverse=True)
    with pytest.raises(mk.DataError, match="older than the first"):
        mk.changes(*map(mk.read_export, files))


def test_the_command_compares_two_exports(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = [str(file) for file in sorted((CASES / "two-exports").iterdir())]
    page, contacts = tmp_path / "changes.html", tmp_path / "contacts.csv"
    assert main(["compare", *files, "-o", str(page), "--contacts", str(contacts)]) == 0
    said = capsys.readouterr().out
    assert said.startswith("Marketing contacts, as HubSpot has them: 7 before, 26 after (+19).")
    assert "12  became marketing through nothing that is told" in said and "@" not in said
    assert "the form Newsletter" in page.read_text(encoding="utf-8")
    assert len(pd.read_csv(contacts)) == 22 + 5 + 4 + 2
    assert main(["compare", *files, "-o", files[0]]) == 2
    assert main(["compare", files[0], str(page)]) == 3


def test_a_report_tells_what_changed_in_its_period_by_the_record_and_by_the_rules(tmp_path: Path) -> None:
    nurture = ("true", "2025-06-03T08:00:00Z", "WORKFLOW", "ann@example.com")
    read(tmp_path, contact(1, "true", nurture, MADE), contact(2, "true", BY_FORM, MADE))
    settings = {"data": str(tmp_path / "contacts.json"), "portal": str(DATA / "portal.yaml"), "period": "2025-06"}
    told = changes(Findings.of(Parameters(**settings))).content
    assert "as HubSpot has them: 1 before, 2 after (+1). 1 became marketing" in told
    assert "By the rules: 0 at the end of May 2025" in told and "ann@example.com" not in told


def test_of_a_table_of_histories_only_statuses_are_kept_and_what_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "contact.csv").write_text("id,property_createdate\n7,2024-03-01\n")
    (tmp_path / "contact_property_history.csv").write_text(
        "contact_id,name,value,timestamp\n7,email,a@b.c,2024-03-02\n7,hs_marketable_status,true,2024-03-03\n"
        "7,hs_marketable_status,false\n"
    )
    export = mk.read_export(tmp_path)
    assert export.statuses["status"].tolist() == ["marketing"]
    told = "1 row of contact_property_history.csv cannot be read; the first is row 4: The row has 3 cells, the header 4"
    assert export.understood["history not read"] == told


def test_a_form_that_the_account_s_own_forms_call_captured_is_none_of_hubspot_s(tmp_path: Path) -> None:
    """Source: form types of Forms API v2, captured = non-HubSpot form (trust H)."""
    forms = [{"guid": "f-1", "name": "Waitlist", "formType": "CAPTURED", "createMarketableContact": False}]
    forms += [{"guid": f"f-{kind}", "name": "Both", "formType": kind} for kind in ("CAPTURED", "HUBSPOT")]
    (tmp_path / "forms.json").write_text(json.dumps(forms))
    (tmp_path / "contacts.csv").write_text(
        "Record ID,Create Date,Record source,Record source detail 1,Recent Conversion,Recent Conversion Date\n"
        "7,2024-03-01,FORM,Waitlist,Page: Waitlist,2024-03-01\n8,2024-03-01,FORM,Both,Page: Waitlist,2024-04-01\n"
    )
    export = mk.read_export(tmp_path)
    assert export.contacts["source"].tolist() == ["non_hubspot_form", "hubspot_form"]
    assert export.touches["source"].tolist() == ["non_hubspot_form", "hubspot_form", "non_hubspot_form"]
    assert mk.decide(export.touches, mk.Portal(switches=export.switches)).contacts["status"].tolist() == [
        "non-marketing",
        "marketing",
    ]


@pytest.mark.parametrize("shared", [False, True])
def test_exports_of_which_no_contact_is_in_the_other_may_be_of_two_portals(tmp_path: Path, shared: bool) -> None:
    header, name = "Record ID,Create Date,Marketing contact status\n", "hubspot-crm-exports-all-contacts-2026-{}.csv"
    (tmp_path / name.format("09-30")).write_text(header + "1,2024-01-01,Marketing contact\n")
    now = f"{1 if shared else 9},2024-01-01,Marketing contact\n"
    (tmp_path / name.format("10-31")).write_text(header + now)
    export = mk.read_export(tmp_path)
    assert ("other portals" in export.understood) is not shared
    assert len(export.gone) == (not shared)
