"""The first paragraph of a report: what it says of the samples, and what it must not say."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

import marketable as mk
from firm import CONTACTS, DATA, EXPORT, MARKETING, WAITING
from marketable.portal.portal import Portal
from marketable.report import sections as report
from marketable.report.telling import first_paragraph


def told(**parameters: object) -> str:
    return " ".join(first_paragraph(report.findings(**parameters)))


def test_of_the_sample_export_it_names_the_switches_that_are_not_as_the_portal_says() -> None:
    text = told()
    counted = f"HubSpot counts {MARKETING:,} of these {CONTACTS:,} contacts as marketing"
    assert text.startswith(f"{counted}, {2_000 - MARKETING:,} below the tier of 2,000.")
    assert re.search(
        r"2 switches seem not to have been as the portal says: HubSpot forms: Pricing enquiry \(off in the portal, it "
        r"looks on\) and Integrations and API: Shopware \(off in the portal, it looks on since 2025-0\d-\d\d, "
        r"off before\)\.",
        text,
    )


def test_small_differences_accuse_no_switch() -> None:
    text = told(data=str(DATA / "api_contacts.json"))
    assert "No tool stands out" in text and "seem" not in text


def test_a_large_difference_that_no_switch_explains_is_told_as_that(tmp_path: Path) -> None:
    rows = [f"{n},2024-03-01,CRM UI,{'M' if n < 30 else 'Non-m'}arketing contact" for n in range(40)]
    path = tmp_path / "contacts.csv"
    path.write_text("\n".join(["Record ID,Create Date,Record source,Marketing contact status", *rows]))
    text = told(data=str(path))
    assert "Look first at Created by hand: of the 40 contacts that it created 30 are marketing, and 0 were" in text
    assert "show no switch that explains that" in text


def test_of_those_who_wait_it_says_how_many_and_until_when() -> None:
    assert f"{WAITING} contacts are set as non-marketing already, and count until 1 November 2026." in told()


def test_marketing_contacts_of_conversations_are_told_as_those_of_a_live_chat(tmp_path: Path) -> None:
    rows = [f"{n},2025-03-01,CONVERSATIONS,{'M' if n < 42 else 'Non-m'}arketing contact" for n in range(87)]
    path = tmp_path / "contacts.csv"
    path.write_text("\n".join(["Record ID,Create Date,Record source,Marketing contact status", *rows]))
    text = told(data=str(path))
    assert "Look first at live chats. Of 87 contacts recorded as CONVERSATIONS that nothing else made marketing" in text
    assert "no switch that explains that" not in text and "Connected team e-mail" not in text


def test_of_an_earlier_day_it_speaks_of_the_rules_and_says_that_hubspots_own_count_is_of_another_day() -> None:
    portal = Portal.load(DATA / "portal.yaml")
    touches = mk.read_export(EXPORT).touches
    status = mk.decide(touches, portal, as_of="2026-09-30 23:59:59").contacts["status"]
    text = told(period="2026-09")
    assert f"{sum(status == 'marketing')} of {len(status):,} contacts are marketing by the rules" in text
    assert "known of the day of the export only" in text


def test_over_the_tier_it_says_since_when_and_what_to_do_and_when_that_helps(tmp_path: Path) -> None:
    batch, portal = tmp_path / "touches.csv", tmp_path / "portal.yaml"
    rows = [f"{n},2026-09-{n + 4:02},hubspot_form,{form}" for n, form in enumerate("AAABC")]
    batch.write_text("\n".join(["contact_id,occurred_at,source,asset", *rows]))
    subscription = {"hub": "professional", "commitment": "yearly", "renewal": dt.date(2027, 1, 1), "tier": 3}
    Portal(subscription=subscription).save(portal)
    text = told(data=str(batch), portal=str(portal), period="2026-09")
    assert "2 over the tier of 3, since 7 September 2026." in text
    assert "Had HubSpot forms: B and HubSpot forms: C been off from the beginning, 3 would be marketing" in text
    assert "with no room for the next one" in text and "stops counting on 1 October 2026" in text
    assert "one day over upgrades the bill until the renewal on 1 January 2027" in text


def test_a_period_after_the_data_is_told_as_one_of_which_they_tell_nothing() -> None:
    assert "The data end on 30 October 2026 and tell nothing of January 2031." in told(period="2031-01")


def test_a_form_that_only_the_portal_knows_is_asked_about(tmp_path: Path) -> None:
    path = tmp_path / "portal.yaml"
    Portal(switches={"hubspot_form": {"Newsleter": "off"}}).save(path)
    found = report.findings(data=str(DATA / "touches.csv"), portal=str(path))
    content = report.left_open(found).content
    assert (
        "The portal lists HubSpot forms: Newsleter, and nothing in the data tells of a contact that met it." in content
    )
    assert "Perhaps HubSpot forms: Newsletter is meant." in content


def test_rows_that_could_not_be_used_are_told_and_where_they_stand(tmp_path: Path) -> None:
    path = tmp_path / "touches.csv"
    path.write_text("contact_id,occurred_at,source\n1,2026-01-01,manual\n2,soon,manual\n3,2026-01-01,form\n")
    found = report.findings(data=str(path))
    assert "2 of 3 rows could not be used." in " ".join(first_paragraph(found))
    assert ">3<" in report.left_open(found).content and ">4<" in report.left_open(found).content
