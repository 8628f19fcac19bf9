"""The right answer to each file as people have them: the folders of `tests/cases`."""

from pathlib import Path

import pandas as pd

import marketable as mk

CASES = Path(__file__).with_name("cases")


def opened(folder: str) -> mk.Export:
    export = mk.read_export(CASES / folder)
    assert export.rows_read == len(export.contacts) + len(export.gone) + len(export.rejected)
    return export


def changes_of(export: mk.Export, contact_id: str) -> list[tuple[str, ...]]:
    """What is recorded of a contact: status, cause, detail and day of each change."""
    rows = export.statuses[export.statuses["contact_id"] == contact_id]
    day = rows["at"].dt.strftime("%Y-%m-%d").fillna("")
    return list(zip(rows["status"], rows["cause"], rows["detail"], day, strict=True))


def explained(audit: mk.Audit, contact_id: str) -> tuple[str, str]:
    row = audit.contacts.loc[contact_id]
    return str(row["explanation"]), str(row["trust"])


def test_a_history_names_the_workflow_and_the_form_with_their_days() -> None:
    export = opened("properties-with-history")
    assert changes_of(export, "201") == [
        ("non-marketing", "import", "77", "2025-01-10"),
        ("marketing", "workflow", "5551", "2025-06-03"),
    ]
    assert changes_of(export, "202")[-1] == ("marketing", "form", "f-1", "2025-07-01")
    audit = mk.audit(export)
    assert explained(audit, "201") == ("recorded by HubSpot", "recorded")
    assert "the workflow 5551, on 2025-06-03" in audit.contacts.loc["201", "reason"]
    assert explained(audit, "202") == ("upgraded by a form after creation", "recorded")
    assert "the form f-1, on 2025-07-01" in audit.contacts.loc["202", "reason"]
    assert explained(audit, "203")[0] == "as expected"


def test_whom_a_workflow_made_marketing_says_nothing_of_a_switch() -> None:
    audit = mk.audit(opened("workflow-flip"))
    by_workflow = audit.contacts[audit.contacts["reason"].str.contains("the workflow Set everyone in list 'ICP'")]
    assert len(by_workflow) == 140 and set(by_workflow["trust"]) == {"recorded"}
    assert audit.counts.loc["recorded by HubSpot", "marketing"] == 140
    assert not audit.switches["differs"].any()
    assert audit.portal == mk.Portal() and "#" not in audit.portal_text
    assert audit.groups.loc["set as marketing by the workflow Set everyone in list 'ICP'", "contacts"] == 140


def test_contacts_that_another_has_absorbed_are_gone() -> None:
    export = opened("fivetran-merged")
    assert export.contacts["status"].tolist() == ["marketing", "marketing"]
    expected = [["6658459", "merged", "6933281"], ["6700001", "merged", "6933281"]]
    assert export.gone.sort_values("contact_id").values.tolist() == expected
    assert export.understood["gone"] == "2 contacts are no more and do not count: 2 merged"


def test_a_warehouse_s_prefix_does_not_hide_a_column() -> None:
    contacts = opened("airbyte-flat").contacts
    assert contacts["source"].tolist() == ["hubspot_form", "integration", "import_single_object"]
    assert contacts["asset"].tolist() == ["Newsletter", "Shop", "fair.csv"]
    assert contacts["status"].tolist()[:2] == ["marketing", "marketing"] and pd.isna(contacts["status"].iloc[2])
    assert contacts["waiting"].tolist() == [False, True, False]
    assert opened("airbyte-flat").details["unsubscribed"].tolist() == [False, True, False]


def test_contacts_of_the_api_are_found_whatever_they_are_wrapped_in() -> None:
    assert opened("n8n-json").contacts[["source", "asset", "status"]].values.tolist() == [
        ["hubspot_form", "Newsletter", "marketing"]
    ]
    assert opened("flat-json").contacts[["source", "asset", "status"]].values.tolist() == [
        ["hubspot_form", "Newsletter", "marketing"],
        ["import_single_object", "fair.csv", "non-marketing"],
    ]


def test_who_is_missing_from_the_newer_export_of_all_contacts_is_gone() -> None:
    export = opened("two-exports")
    assert export.contacts["status"].eq("marketing").sum() == 26
    assert export.gone["contact_id"].tolist() == ["50", "51"]
    assert set(export.gone["why"]) == {"not in the newest file"}
    changes = export.statuses
    assert changes["status"].value_counts().to_dict() == {"marketing": 22, "non-marketing": 5}
    assert set(changes["earliest"]) == {pd.Timestamp("2026-09-30")}
    assert set(changes["latest"]) == {pd.Timestamp("2026-10-31")} and changes["at"].isna().all()


def test_what_changed_between_two_exports_sums_to_the_difference() -> None:
    before, after = (mk.read_export(file) for file in sorted((CASES / "two-exports").iterdir()))
    changes = mk.changes(before, after)
    own = changes.counts["HubSpot"]
    assert own.tolist() == [7, 22, -5, 4, -2, 26]
    assert own.iloc[:-1].sum() == own.iloc[-1]
    assert changes.through.to_dict() == {"nothing that is told": 12, "the form Newsletter": 10}
    assert list(changes.contacts.columns) == ["contact_id", "before", "after", "cause", "detail", "at"]
    rows = changes.contacts.set_index("contact_id")
    assert rows.loc["31", ["before", "after", "cause", "detail"]].tolist() == [
        "non-marketing", "marketing", "form", "Newsletter",
    ]  # fmt: skip
    assert rows.loc["31", "at"] == pd.Timestamp("2026-10-05 10:00")
    assert rows.loc["1", ["before", "after", "detail"]].tolist() == ["non-marketing", "marketing", ""]
    assert pd.isna(rows.loc["1", "cause"])
    assert rows.loc["46", ["before", "after", "cause"]].tolist() == ["not there", "marketing", "form"]
    assert rows.loc["50", ["before", "after"]].tolist() == ["marketing", "not there"]
    assert str(changes).startswith("Marketing contacts, as HubSpot has them: 7 before, 26 after (+19).")


def test_what_changed_within_one_export_is_told_by_its_history() -> None:
    export = opened("properties-with-history")
    changes = mk.changes(export, "2025-05-31", "2025-06-30")
    assert changes.counts["HubSpot"].tolist() == [0, 1, 0, 0, 0, 1]
    assert changes.contacts.values.tolist() == [
        ["201", "non-marketing", "marketing", "workflow", "5551", pd.Timestamp("2025-06-03 08:00")]
    ]
    assert mk.changes(export, "2024-12-31", "2025-01-31").counts["HubSpot"].tolist() == [0] * 6
    together = mk.changes(opened("two-exports"), "2026-09-30", "2026-10-31")
    assert together.counts["HubSpot"].tolist() == [5, 22, -5, 4, 0, 26], "the two that are gone are in neither"


def test_without_a_record_source_the_drill_downs_of_offline_sources_name_the_tool() -> None:
    contacts = opened("drill-down").contacts
    assert contacts[["source", "asset", "certainty"]].values.tolist() == [
        ["import_single_object", "fair-2022.csv", "likely"],
        ["integration", "Zapier", "likely"],
        ["manual", "", "likely"],
        ["meetings_link", "", "likely"],
    ]


def test_mail_them_is_advised_only_where_mail_can_go() -> None:
    audit = mk.audit(opened("unmailable"))
    assert audit.mailing.to_dict() == {
        "501": "no address",
        "502": "opted out of marketing types",
        "503": "quarantined",
        "504": "invalid address",
        "505": "unconfirmed",
        "506": "hard bounced",
        "507": "unsubscribed",
        "508": "never mailed",
        "509": "mailed",
        "510": "unengaged",
    }
    advised = audit.groups.index[audit.groups["advice"].str.contains("Mail them")]
    assert advised.tolist() == ["never mailed"]
    assert audit.ids("never mailed")["Record ID"].tolist() == ["508"]
    assert audit.groups["alone"].tolist() == [1] * 9 and audit.in_groups == 9
    assert mk.audit(opened("unmailable"), never_days=100).mailing["508"] == ""


FORMS = CASES / "forms-api" / "forms.json"
LISTED = CASES / "calculated-forms" / "contacts-2026-10-31.csv"


def test_the_form_between_the_first_and_the_recent_conversion_is_a_touch() -> None:
    export = mk.read_export(LISTED)
    sent = export.touches[export.touches["asset"] == "f-news"]
    assert sent[["contact_id", "source"]].values.tolist() == [["301", "hubspot_form"]]
    assert sent["occurred_at"].dt.strftime("%Y-%m-%d").tolist() == ["2025-04-01"]
    audit = mk.audit(export, mk.Portal.load(LISTED.with_name("portal.yaml")))
    assert explained(audit, "301") == ("upgraded by a form after creation", "recorded")
    assert "the form f-news, on 2025-04-01" in audit.contacts.loc["301", "reason"]
    assert explained(audit, "302") == ("as expected", "H")


def test_forms_of_the_api_give_switches_and_names() -> None:
    alone = mk.read_export(FORMS)
    assert len(alone.contacts) == 0
    portal = mk.Portal(switches=alone.switches)
    assert portal == mk.Portal(
        switches={"hubspot_form": {"Newsletter": True, "Contact us": False}, "non_hubspot_form": True}
    )
    export = mk.read_export([LISTED, FORMS])
    assert set(export.touches["asset"]) == {"Shop", "Contact us", "Newsletter"}
    assert export.statuses[["contact_id", "cause", "detail"]].values.tolist() == [["301", "form", "Newsletter"]]
    audit = mk.audit(export)
    assert audit.given.switches == portal.switches, "what nobody said is as the account's forms have it"
    assert "the form Newsletter, on 2025-04-01" in audit.contacts.loc["301", "reason"]


def test_a_form_that_another_touch_names_has_no_day_of_this_one() -> None:
    """By the rules alone the form before it made the contact marketing; the record names the later one."""
    audit = mk.audit(opened("calculated-forms"))
    upgraded = audit.contacts[audit.contacts["trust"] == "recorded"]
    assert len(upgraded) == 1
    assert "what made it marketing: the form f-" in upgraded["reason"].iloc[0]
    assert ", on 2" not in upgraded["reason"].iloc[0].split(".")[0]
