"""What an audit promises: one explanation for each contact, and switches told from the statuses they left behind."""

import datetime as dt
import itertools
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import marketable as mk
from marketable.auditing import Audit
from marketable.auditing.explanations import EXPLANATIONS, TRUSTS
from marketable.auditing.histories import Steps, constant, told_by
from marketable.auditing.witnesses import CHANGE, FEWEST, MOMENT, Witnesses
from marketable.engine.moments import EARLIEST
from marketable.samples.contacts import AS_THEY_WERE, firm_contacts
from measure_audit import measured
from portals import made_up

DATA = Path(__file__).parents[1] / "data"
SAMPLE = DATA / "hubspot-crm-exports-all-contacts-2026-10-31.csv"
MARKETING, NON_MARKETING = "Marketing contact", "Non-marketing contact"
PRICES = mk.Prices.load(DATA / "prices.yaml")


class Made:
    """An export, contact by contact."""

    def __init__(self, folder: Path) -> None:
        self.rows: list[dict[str, str]] = []
        self._path = folder / "contacts.csv"

    def add(
        self, many: int, status: str, source: str, detail: str = "", *, since: str = "2025-01-01", **more: str
    ) -> None:
        """Contacts created one a day; `more` are further columns, with _ for blanks."""
        for number in range(many):
            self.rows.append(
                {
                    "Record ID": str(700 + len(self.rows)),
                    "Create Date": f"{pd.Timestamp(since) + pd.Timedelta(days=number, hours=9):%Y-%m-%d %H:%M}",
                    "Record source": source,
                    "Record source detail 1": detail,
                    "Marketing contact status": status,
                    **{name.replace("_", " "): cell for name, cell in more.items()},
                }
            )

    @property
    def export(self) -> mk.Export:
        pd.DataFrame(self.rows, dtype="str").fillna("").to_csv(self._path, index=False)
        return mk.read_export(self._path)

    def audit(self, **settings: Any) -> Audit:
        return mk.audit(self.export, mk.Portal(**settings))

    def explained(self, **settings: Any) -> list[tuple[str, str, str]]:
        """Expected, explanation and trust, once for each kind of contact, in the order of the file."""
        contacts = self.audit(**settings).contacts[["expected", "explanation", "trust"]]
        return list(dict.fromkeys(contacts.astype("str").itertuples(index=False, name=None)))


@pytest.fixture
def made(tmp_path: Path) -> Made:
    return Made(tmp_path)


@pytest.fixture(scope="module")
def sample() -> mk.Export:
    return mk.read_export(SAMPLE)


@pytest.fixture(scope="module")
def audited(sample: mk.Export) -> Audit:
    return mk.audit(sample, mk.Portal.load(DATA / "portal.yaml"), prices=PRICES)


# One explanation for each contact


def test_a_contact_that_is_what_its_creation_made_it_is_as_expected(made: Made) -> None:
    made.add(1, NON_MARKETING, "MEETINGS")
    made.add(1, MARKETING, "FORM", "Demo")
    assert made.explained() == [("non-marketing", "as expected", "H"), ("marketing", "as expected", "H")]


def test_a_source_that_is_only_likely_makes_the_explanation_no_more_than_that(made: Made) -> None:
    made.add(1, NON_MARKETING, "GMAIL_INTEGRATION")
    assert made.explained() == [("non-marketing", "as expected", "M")]


def test_a_form_sent_later_explains_an_upgrade(made: Made) -> None:
    sent = {"First_Conversion": "Home: Demo", "First_Conversion_Date": "2025-03-01"}
    made.add(1, MARKETING, "MEETINGS", **sent)
    assert made.explained() == [("marketing", "upgraded by a form after creation", "H")]


def test_an_app_whose_contacts_are_all_marketing_has_its_switch_on(made: Made) -> None:
    made.add(20, MARKETING, "Integration", "Shop")
    audit = made.audit()
    assert set(audit.contacts["explanation"]) == {"a switch is not as the portal says"}
    assert set(audit.contacts["trust"]) == {"inferred"}
    assert audit.switches.loc["integration/Shop", ["portal", "looks", "differs"]].tolist() == ["off", "on", True]
    assert (
        "Of the 20 contacts that only this switch could have made marketing, 20 (100%) are marketing."
        in (audit.contacts["reason"].iloc[0])
    )
    assert audit.portal.is_on("integration/Shop") is True


def test_an_app_whose_contacts_are_marketing_since_a_day_was_turned_on_then(made: Made) -> None:
    made.add(20, NON_MARKETING, "Integration", "Shop", since="2025-01-01")
    made.add(20, MARKETING, "Integration", "Shop", since="2025-03-10")
    audit = made.audit()
    row = audit.switches.loc["integration/Shop"]
    assert row["looks"] == "on since 2025-03-10, off before"
    # One contact on either side may have been changed by hand.
    assert row["earliest"] == pd.Timestamp("2025-01-19 09:00") and row["latest"] == pd.Timestamp("2025-03-11 09:00")
    assert row["evidence"] == (
        "Of the 20 contacts that only this switch could have made marketing since 2025-03-10, 20 (100%) are marketing. "
        "Of the 20 before, 0 (0%) are. The change probably lies between 2025-01-19 and 2025-03-11."
    )
    assert mk.Portal.of_text(audit.portal.text()) == audit.portal
    assert audit.counts.loc[["as expected", "a switch is not as the portal says"], "all"].tolist() == [20, 20]


def test_the_day_in_the_name_of_a_file_is_the_day_of_its_audit(made: Made) -> None:
    made.add(1, MARKETING, "FORM", "Demo", since="2025-02-10", Marketing_contact_until_next_update="Yes")
    named = made.export
    audit = mk.audit(replace(named, day=dt.date(2025, 10, 31)))
    assert audit.as_of == dt.datetime(2025, 10, 31) and audit.update_date == dt.date(2025, 11, 1)
    assert mk.audit(replace(named, day=dt.date(2025, 1, 31))).as_of == dt.datetime(2025, 2, 10, 9)


def test_the_portal_as_text_says_what_was_inferred_and_why_before_it(made: Made) -> None:
    made.add(20, NON_MARKETING, "Integration", "Shop", since="2025-01-01")
    made.add(20, MARKETING, "Integration", "Shop", since="2025-03-10")
    audit = made.audit(switches={"hubspot_form": {"Demo": "off"}})
    comments, yaml = (audit.portal_text[: -len(audit.portal.text())], audit.portal_text[-len(audit.portal.text()) :])
    assert all(line.startswith("#") for line in comments.splitlines())
    said = " ".join(line.lstrip("# ") for line in comments.splitlines())
    assert said == (
        "This is inferred from the statuses of an export. Look at each in HubSpot before you rely on it. "
        "integration/Shop: on since 2025-03-10, off before (told: off). "
        + audit.switches.loc["integration/Shop", "evidence"]
    )
    assert yaml == audit.portal.text()
    assert made.audit(**audit.portal.settings()).portal_text == yaml, "nothing is inferred then"


def test_a_form_can_have_been_on_for_a_while_only(made: Made) -> None:
    for since, status in (("2025-01-01", NON_MARKETING), ("2025-03-01", MARKETING), ("2025-06-01", NON_MARKETING)):
        made.add(20, status, "FORM", "Demo", since=since)
    assert (
        made.audit().switches.loc["hubspot_form/Demo", "looks"]
        == "off since 2025-06-01, on since 2025-03-01, off before"
    )


def test_what_the_evidence_says_is_told_of_each_period(made: Made) -> None:
    for since, status in (("2025-01-01", NON_MARKETING), ("2025-03-01", MARKETING), ("2025-06-01", NON_MARKETING)):
        made.add(20, status, "FORM", "Demo", since=since)
    evidence = made.audit().switches.loc["hubspot_form/Demo", "evidence"]
    assert evidence.startswith(
        "Of the 20 contacts that only this switch could have made marketing since 2025-06-01, 0 (0%) are marketing. "
        "Of the 20 between 2025-03-01 and 2025-06-01, 20 (100%) are. Of the 20 before 2025-03-01, 0 (0%) are. "
        "The change on 2025-06-01 probably lies between 2025-03-"
    )


def test_a_change_that_the_portal_tells_and_nobody_shows_leaves_the_switch_as_it_is_told_now(made: Made) -> None:
    made.add(40, NON_MARKETING, "FORM", "Demo", since="2026-08-01")
    told = [{"switch": "on"}, {"from": "2026-10-20", "switch": "off"}]
    looks = made.audit(switches={"hubspot_form": {"Demo": told}}).switches["looks"]
    assert looks["hubspot_form/Demo"] == "off"
    made.add(1, NON_MARKETING, "FORM", "Demo", since="2026-10-22")
    looks = made.audit(switches={"hubspot_form": {"Demo": told}}).switches["looks"]
    assert looks["hubspot_form/Demo"] == "off"


def test_a_change_that_is_planned_is_kept(made: Made) -> None:
    made.add(40, MARKETING, "FORM", "Demo", since="2025-01-01")
    told = [{"switch": "off"}, {"from": "2035-01-01", "switch": "off"}, {"from": "2036-01-01", "switch": "on"}]
    looks = made.audit(switches={"hubspot_form": {"Demo": told}}).switches["looks"]
    assert looks["hubspot_form/Demo"] == "on"
    planned = [{"switch": "off"}, {"from": "2035-01-01", "switch": "on"}, {"from": "2036-01-01", "switch": "off"}]
    looks = made.audit(switches={"hubspot_form": {"Demo": planned}}).switches["looks"]
    assert looks["hubspot_form/Demo"] == "off since 2036-01-01, on before"


def test_a_change_whose_day_is_told_wrong_is_moved_and_the_present_state_stays(made: Made) -> None:
    made.add(30, NON_MARKETING, "Integration", "Shop", since="2025-01-01")
    made.add(30, MARKETING, "Integration", "Shop", since="2025-03-10")
    told = {"integration": {"Shop": [{"switch": "off"}, {"from": "2025-06-01", "switch": "on"}]}}
    assert made.audit(switches=told).switches.loc["integration/Shop", "looks"] == "on since 2025-03-10, off before"


def test_what_is_found_of_one_switch_makes_contacts_tell_of_the_next(made: Made) -> None:
    """Who sent two forms tells of the second only once the first is known to have been off, and so on down a line."""
    made.add(20, NON_MARKETING, "FORM", "Form 0")
    for number in range(6):
        later = {"First_Conversion": f"Home: Form {number + 1}", "First_Conversion_Date": "2025-06-01"}
        made.add(20, NON_MARKETING, "FORM", f"Form {number}", **later)
    made.add(1, NON_MARKETING, "FORM", "Form 6")
    made.add(200, MARKETING, "FORM", "Demo")
    looks = made.audit().switches["looks"]
    assert looks.to_dict() == {
        "hubspot_form/Demo": "on",
        **{f"hubspot_form/Form {number}": "off" for number in range(7)},
    }


def test_one_contact_does_not_make_a_period(made: Made) -> None:
    made.add(1, MARKETING, "Integration", "Shop", since="2022-09-15")
    made.add(45, NON_MARKETING, "Integration", "Shop", since="2022-11-08")
    made.add(30, MARKETING, "Integration", "Shop", since="2025-10-06")
    told = {"integration": {"Shop": "on"}}
    assert made.audit(switches=told).switches.loc["integration/Shop", "looks"] == "on since 2025-10-06, off before"


def test_what_the_portal_says_is_kept_where_the_statuses_do_not_contradict_it(made: Made) -> None:
    made.add(20, NON_MARKETING, "Integration", "Shop", since="2025-01-01")
    made.add(20, MARKETING, "Integration", "Shop", since="2025-03-10")
    known = {"integration": {"Shop": [{"from": "2025-02-14", "switch": "on"}]}}
    audit = made.audit(switches=known)
    assert not audit.switches["differs"].any() and audit.portal == audit.given


def test_one_contact_that_differs_from_its_likes_was_set_by_hand(made: Made) -> None:
    made.add(30, NON_MARKETING, "Integration", "Shop")
    made.add(1, MARKETING, "Integration", "Shop")
    made.add(30, MARKETING, "FORM", "Demo")
    made.add(1, NON_MARKETING, "FORM", "Demo")
    by_hand = made.audit().contacts.query("explanation == 'set by hand, import or workflow'")
    assert by_hand["actual"].tolist() == ["marketing", "non-marketing"]
    assert "a form sent between the first and the latest one" in by_hand["reason"].iloc[0]


def test_a_few_contacts_are_not_enough_to_say_that_a_switch_is_another_way(made: Made) -> None:
    made.add(FEWEST - 1, MARKETING, "Integration", "Shop")
    audit = made.audit()
    assert not audit.switches["differs"].any()
    assert audit.switches.loc["integration/Shop", "evidence"] == f"Too few contacts show it: {FEWEST - 1}."


def test_what_hubspot_names_as_the_source_of_the_status_is_passed_on(made: Made) -> None:
    told = {"Marketing_contact_status_source_type": "WORKFLOW", "Marketing_contact_status_source_name": "Nurture"}
    made.add(1, MARKETING, "MEETINGS", **told)
    reason = made.audit().contacts["reason"].iloc[0]
    assert reason.startswith("HubSpot recorded what made it marketing: the workflow Nurture. By the rules alone")
    assert made.explained() == [("non-marketing", "recorded by HubSpot", "recorded")]


def test_a_contact_that_waits_counts_until_the_update_date(made: Made) -> None:
    made.add(1, MARKETING, "FORM", "Demo", Marketing_contact_until_next_update="Yes")
    assert made.explained() == [("marketing", "waiting for the update date", "H")]
    assert (made.audit().waiting, made.audit().update_date) == (1, dt.date(2025, 2, 1))


def test_who_is_non_marketing_already_does_not_wait_any_more(made: Made) -> None:
    made.add(1, NON_MARKETING, "MEETINGS", Marketing_contact_until_next_update="Yes")
    assert made.explained() == [("non-marketing", "as expected", "H")]


def test_a_contact_from_before_the_account_had_marketing_contacts_is_older_than_access(made: Made) -> None:
    made.add(1, NON_MARKETING, "FORM", "Demo", since="2021-01-01")
    made.add(1, MARKETING, "FORM", "Demo", since="2023-01-01")
    assert made.explained(access_since="2022-01-01")[0] == ("non-marketing", "older than access", "H")


def test_the_day_of_access_is_seen_where_the_portal_does_not_name_it(made: Made) -> None:
    for form in ("Demo", "News"):
        made.add(20, NON_MARKETING, "FORM", form, since="2022-02-01")
        made.add(20, MARKETING, "FORM", form, since="2022-09-01")
    audit = made.audit()
    assert audit.portal.access_since == dt.date(2022, 9, 1)
    assert not audit.switches["differs"].any()
    assert "got marketing contacts on that day" in audit.remarks["access"]
    assert "# access_since: Of contacts whom" in audit.portal_text
    assert audit.counts["all"].to_dict() == {"as expected": 40, "older than access": 40}


def test_where_hardly_anybody_is_marketing_no_day_of_access_is_seen(made: Made) -> None:
    for number in range(50):
        made.add(4, NON_MARKETING, "FORM", f"Form {number}", since="2026-09-01")
    assert made.audit().portal.access_since is None
    made.add(50, MARKETING, "Integration", "Shop", since="2025-01-01")
    assert made.audit(switches={"integration": {"Shop": "on"}}).portal.access_since is None


def test_the_day_of_access_divides_no_day(made: Made) -> None:
    for form in ("Demo", "News", "Contact us", "Webinar"):
        made.add(40, NON_MARKETING, "FORM", form, Create_Date="2022-09-02 08:00")
        made.add(40, MARKETING, "FORM", form, since="2022-09-02")
    audit = made.audit()
    assert audit.portal.access_since == dt.date(2022, 9, 3)
    assert audit.counts.loc["older than access", "all"] == 160


def test_an_app_whose_name_ends_in_a_slash_is_named(made: Made) -> None:
    made.add(40, MARKETING, "Integration", "https://shop.example.com/")
    audit = made.audit()
    assert audit.switches.loc["integration/https://shop.example.com/", "looks"] == "on"
    assert audit.counts["all"].to_dict() == {"a switch is not as the portal says": 40}


def test_a_marketing_contact_of_conversations_may_come_from_a_live_chat(made: Made) -> None:
    made.add(20, MARKETING, "CONVERSATIONS")
    made.add(20, NON_MARKETING, "CONVERSATIONS")
    assert made.explained() == [
        ("non-marketing", "ambiguous", "inferred"),
        ("non-marketing", "as expected", "M"),
    ]
    assert made.audit().remarks["live chat"].startswith("Of 40 contacts recorded as CONVERSATIONS")


def test_who_sent_a_form_that_seems_to_have_been_on_is_no_sign_of_a_live_chat(made: Made) -> None:
    sent = {"First_Conversion": "Home: Demo", "First_Conversion_Date": "2025-06-01"}
    made.add(20, MARKETING, "CONVERSATIONS", **sent)
    made.add(20, NON_MARKETING, "CONVERSATIONS")
    audit = made.audit(switches={"hubspot_form": {"Demo": "off"}})
    assert audit.switches.loc["hubspot_form/Demo", "looks"] == "on"
    assert "live chat" not in audit.remarks


def test_a_form_without_a_name_has_a_switch_that_nobody_knows(made: Made) -> None:
    made.add(20, NON_MARKETING, "FORM")
    audit = made.audit()
    assert set(audit.contacts["explanation"]) == {"ambiguous"}
    assert audit.switches.empty and "no switch can be held to account" in audit.remarks["unnamed"]


def test_an_app_without_a_name_makes_nobody_non_marketing_whom_a_form_made_marketing(made: Made) -> None:
    sent = {"First_Conversion": "Home: Demo", "First_Conversion_Date": "2025-06-01"}
    made.add(1, NON_MARKETING, "Integration", "", **sent)
    made.add(1, MARKETING, "Integration", "")
    explanations = made.audit().contacts["explanation"].tolist()
    assert explanations == ["set by hand, import or workflow", "ambiguous"]


def test_a_creation_between_two_editions_that_disagree_is_ambiguous_where_the_newer_one_is_right(made: Made) -> None:
    made.add(3, NON_MARKETING, "FORM", "#wpforms", since="2021-10-01")
    assert made.explained(switches={"non_hubspot_form": "off"}) == [("marketing", "ambiguous", "inferred")]


def test_what_the_article_is_silent_about_is_not_covered_whatever_the_status(made: Made) -> None:
    made.add(1, MARKETING, "CRM_UI", since="2024-03-01")
    made.add(1, NON_MARKETING, "WORKFLOWS")
    assert made.explained() == [("not covered", "not covered", "silent")]


@pytest.mark.parametrize("since", [f"{year}-03-01" for year in range(2020, 2027)] + ["2021-10-01"])
def test_a_contact_made_by_hand_and_marketing_is_no_surprise_in_any_year(made: Made, since: str) -> None:
    made.add(12, MARKETING, "CRM_UI", since=since)
    made.add(4, NON_MARKETING, "CRM_UI", since=since)
    audit = made.audit()
    ticked = audit.contacts[audit.contacts["actual"].eq("marketing")]
    assert set(ticked["explanation"]) == {"not covered"} and set(ticked["trust"]) == {"silent"}
    assert ticked["reason"].str.contains("may have ticked the box").all()
    assert set(audit.contacts["explanation"]) <= {"not covered", "as expected"}
    assert "set by hand, import or workflow" not in audit.groups.index


@pytest.mark.parametrize("edition", mk.Rulebook.load().editions)
def test_nor_is_it_by_any_edition(made: Made, edition: dt.date) -> None:
    made.add(3, MARKETING, "CRM_UI", since="2022-03-01")
    found = mk.audit(made.export, mk.Portal(), edition=edition).contacts["explanation"]
    assert set(found) == {"not covered"}


def test_made_by_hand_before_the_account_had_marketing_contacts_and_marketing_now_is_not_explained_by_a_box(
    made: Made,
) -> None:
    made.add(3, MARKETING, "CRM_UI", since="2022-01-05")
    assert [kind[1] for kind in made.explained(access_since="2022-03-01")] == ["set by hand, import or workflow"]


def test_who_is_not_covered_but_for_a_form_that_seems_to_have_been_off_is_told_why_marketing_was_expected(
    made: Made,
) -> None:
    sent = {"First_Conversion": "Home: Demo", "First_Conversion_Date": "2025-06-01"}
    made.add(20, NON_MARKETING, "FORM", "Demo")
    made.add(1, NON_MARKETING, "WORKFLOWS", **sent)
    contact = made.audit().contacts.iloc[-1]
    assert (contact["expected"], contact["explanation"]) == ("marketing", "not covered")
    assert contact["reason"].startswith(
        "It is non-marketing. Expected marketing through hubspot_form/Demo as the portal has it, which the statuses do "
        "not bear out. "
    )


def test_the_evidence_of_its_own_time_is_among_the_reasons(made: Made) -> None:
    for since, status in (("2025-01-01", NON_MARKETING), ("2025-03-01", MARKETING), ("2025-06-01", NON_MARKETING)):
        made.add(20, status, "Integration", "Shop", since=since)
    reason = made.audit().contacts["reason"].iloc[25]
    assert "integration/Shop seems to have been on. Of the 20" in reason
    assert "Of the 20 between 2025-03-01 and 2025-06-01, 20 (100%) are." in reason


def test_a_contact_without_a_status_is_said_to_have_none(made: Made) -> None:
    made.add(1, MARKETING, "FORM", "Demo")
    made.add(1, "", "FORM", "Demo")
    assert made.explained()[1] == ("marketing", "status not told", "silent")
    assert made.audit().counts.loc["status not told"].tolist() == [0, 0, 1]


@pytest.mark.parametrize("seed", range(3))
def test_every_contact_has_one_explanation_a_trust_and_a_reason(seed: int) -> None:
    portal = made_up(seed, touches=1_500)
    audit = mk.audit(portal.export, portal.given)
    contacts = audit.contacts
    assert contacts.index.equals(portal.export.contacts.index)
    assert set(contacts["explanation"]) <= set(EXPLANATIONS) and set(contacts["trust"]) <= set(TRUSTS)
    assert contacts["reason"].str.len().min() > 40
    assert audit.counts["all"].sum() == len(contacts)
    expected = mk.decide(portal.export.touches, portal.given).contacts["status"]
    assert contacts["expected"].astype("str").equals(expected.astype("str").loc[contacts.index])


# The switches


def test_the_sample_shows_every_planted_cause_and_no_other(audited: Audit) -> None:
    differing = audited.switches[audited.switches["differs"]]
    planted = {name for name in AS_THEY_WERE if name != "chatflow/Live chat"}  # which an export does not name
    assert set(differing.index) == planted
    shop = differing.loc["integration/Shopware"]
    assert shop["earliest"] <= pd.Timestamp("2025-06-02") <= shop["latest"]
    assert shop["contacts"] > 30, "those of whom HubSpot records an app, and not which, are witnesses too"
    assert differing.loc["hubspot_form/Pricing enquiry", "looks"] == "on"
    assert "CONVERSATIONS" in audited.remarks["live chat"]

    truth, _ = firm_contacts(2_700, 11, audited.given)
    kinds = pd.crosstab(audited.contacts["explanation"], truth["planted"].reindex(audited.contacts.index))
    by_hand = truth["cause"].eq("USER_SET").reindex(audited.contacts.index) & ~audited.contacts["actual"].isna()
    assert audited.contacts.loc[by_hand, "trust"].eq("recorded").all() and by_hand.sum() > 20
    kinds = kinds.drop(index=["recorded by HubSpot"])  # of the others HubSpot's record says nothing
    assert kinds["waiting"].loc[lambda counts: counts > 0].index.tolist() == ["waiting for the update date"]
    assert kinds["ticked"].loc[lambda counts: counts > 0].index.tolist() == ["not covered"]
    told = kinds.drop(index=["not covered"])["set by hand"]  # of the others the rules say nothing that it contradicts
    assert told["set by hand, import or workflow"] >= 0.9 * told.sum()


def test_without_a_portal_the_sample_shows_every_switch_that_is_not_as_delivered(sample: mk.Export) -> None:
    audit = mk.audit(sample)
    firm = mk.Portal.load(DATA / "portal.yaml")
    truth = firm.model_copy(update={"switches": {**firm.switches, **AS_THEY_WERE}})
    for name, row in audit.switches.iterrows():
        really = told_by(truth, str(name))
        assert row["differs"] == (really != told_by(mk.Portal(), str(name))), name
        if row["looks"]:
            assert bool(told_by(audit.portal, str(name)).on[-1]) == bool(really.on[-1]), name


def test_an_audit_of_what_an_audit_found_finds_nothing_more(audited: Audit) -> None:
    again = mk.audit(audited.export, audited.portal)
    assert not again.switches["differs"].any()
    assert "a switch is not as the portal says" not in again.counts.index


@pytest.mark.parametrize("dated", [0.0, 0.7])
def test_of_known_switches_nearly_all_are_found_and_none_is_invented(dated: float) -> None:
    total = measured(range(8), touches=3_000, dated=dated)
    found, missed = (
        sum(count for (kind, size), count in _by_size(total) if kind == which and size[0] >= 10)
        for which in ("found", "missed")
    )
    assert total["invented"] == 0 and total["wrong end"] == 0
    assert found + missed > 20
    assert found / (found + missed) >= 0.95


def _by_size(total: Any) -> list[tuple[tuple[str, tuple[int, int]], int]]:
    return [(key, count) for key, count in total.items() if isinstance(key, tuple)]


@pytest.mark.parametrize("by_hand", [(0.03, 0.04), (0.1, 0.15)])
def test_where_every_switch_is_as_the_portal_says_none_is_said_to_differ(by_hand: tuple[float, float]) -> None:
    for seed in range(4):
        portal = made_up(seed, touches=2_000, unlike=0, by_hand=by_hand)
        assert not mk.audit(portal.export, portal.given).switches["differs"].any()


def test_of_an_account_about_which_nothing_is_known_nothing_is_invented_either() -> None:
    found = 0
    for seed in range(4):
        portal = made_up(seed, touches=3_000)
        switches = mk.audit(portal.export).switches
        for name in switches.index[switches["differs"]]:
            assert told_by(portal.truth, name) != told_by(mk.Portal(), name), name
            found += 1
    assert found > 20


# The likeliest history, against trying all

DAY = 86_400_000_000
TOUCHES = st.lists(
    st.tuples(st.lists(st.integers(1, 6), min_size=1, max_size=2, unique=True), st.sampled_from([-3.0, 2.5, 4.0])),
    min_size=1,
    max_size=12,
)


def value(group: Witnesses, steps: Steps, told: Steps) -> float:
    """The worth of a history, contact by contact, told being one without changes."""
    ends = [*group.starts[1:], len(group.at)]
    touches = [group.at[begin:end] for begin, end in zip(group.starts, ends, strict=True)]
    bounds = [*steps.starts, 9 * DAY]
    for (begins, ends_at), on in zip(itertools.pairwise(bounds), steps.on, strict=True):
        within = sum(any(begins <= at < ends_at for at in each) for each in touches)
        if within < FEWEST and (len(steps.starts) > 1 or on != told.on[0]):
            return -np.inf
    made = [weight for each, weight in zip(touches, group.weight, strict=True) if steps.at(each).any()]
    wrong = np.count_nonzero(steps.on != told.on[0])
    return sum(made) - CHANGE * wrong - MOMENT * (len(steps.starts) - 1)


def with_at_most(changes: int) -> list[Steps]:
    days = range(1, 8)
    return [
        constant(on).flipped([day * DAY for day in chosen])
        for on in (False, True)
        for many in range(changes + 1)
        for chosen in itertools.combinations(days, many)
    ]


def grouped(contacts: list[tuple[list[int], float]]) -> Witnesses:
    at = [day * DAY for days, _ in contacts for day in sorted(days)]
    contact = np.repeat(np.arange(len(contacts)), [len(days) for days, _ in contacts])
    return Witnesses.of(contact, np.array(at), np.array([weight for _, weight in contacts]))


@given(TOUCHES, st.booleans())
def test_no_history_of_one_change_is_likelier_than_the_one_found(contacts: list[Any], on: bool) -> None:
    group, told = grouped(contacts), constant(on)
    gain, best = group.best(told, told)
    worth = value(group, told, told) + gain
    assert worth == pytest.approx(value(group, best, told))
    assert worth >= max(value(group, steps, told) for steps in with_at_most(1)) - 1e-9


@given(TOUCHES, st.booleans())
def test_where_each_contact_was_touched_once_no_history_at_all_is_likelier(contacts: list[Any], on: bool) -> None:
    group, told = grouped([(days[:1], weight) for days, weight in contacts * FEWEST]), constant(on)
    _, best = group.best(told, told)
    assert value(group, best, told) >= max(value(group, steps, told) for steps in with_at_most(3)) - 1e-9


def test_a_history_is_said_and_turned_round() -> None:
    steps = constant(True).flipped([EARLIEST, 5 * DAY])
    assert str(steps) == "on since 1970-01-06, off before"
    assert steps == constant(False).flipped([5 * DAY]) != constant(True)


# Whom the account pays for, and what to do


def test_details_may_stand_in_another_order_and_lack_contacts(made: Made) -> None:
    made.add(20, MARKETING, "FORM", "Demo")
    export = mailed(made.export, bounced=[True, *[False] * 19])
    for details in (export.details.iloc[::-1], export.details.iloc[:5], export.details.iloc[5:]):
        bounced = mk.audit(replace(export, details=details)).mailing.eq("hard bounced")
        assert bounced.index[bounced].tolist() == export.contacts.index[:1].intersection(details.index).tolist()


def test_contacts_without_their_touches_are_an_error(made: Made) -> None:
    made.add(20, MARKETING, "FORM", "Demo")
    for part in ("contacts", "touches"):
        with pytest.raises(mk.DataError, match="not of the same people"):
            mk.audit(replace(made.export, **{part: getattr(made.export, part).iloc[:9]}))


def mailed(export: mk.Export, **columns: Any) -> mk.Export:
    return replace(export, details=pd.DataFrame(columns, export.contacts.index))


def test_who_bounced_unsubscribed_or_was_long_not_mailed_is_paid_for(made: Made) -> None:
    made.add(6, MARKETING, "FORM", "Demo", since="2025-01-01")
    made.add(1, MARKETING, "FORM", "Demo", since="2025-12-20")
    made.add(1, NON_MARKETING, "MEETINGS")
    sent = pd.to_datetime([None, None, None, "2025-03-01", "2025-12-01", None, None, None])
    export = mailed(
        made.export,
        bounced=[True, False, False, False, False, True, False, True],
        unsubscribed=[True, True, False, False, False, False, False, True],
        mailed_at=sent,
    )
    assert mk.audit(export).mailing.tolist() == [
        "hard bounced", "unsubscribed", "never mailed", "not mailed for long", "mailed", "hard bounced", "",
    ]  # fmt: skip
    assert mk.audit(export, silent_days=10).mailing.tolist()[4] == "not mailed for long"


def test_who_became_a_marketing_contact_lately_is_not_called_long_not_mailed(made: Made) -> None:
    sent = {"First_Conversion": "Home: Demo", "First_Conversion_Date": "2025-10-30"}
    made.add(10, MARKETING, "MEETINGS", since="2024-01-01", **sent)
    made.add(10, MARKETING, "FORM", "Demo", since="2024-01-01")
    export = mailed(made.export, mailed_at=pd.to_datetime(["2024-02-01"] * 20))
    assert mk.audit(export).mailing.tolist() == [""] * 10 + ["not mailed for long"] * 10


def test_mail_is_dated_by_the_clock_of_the_account(made: Made) -> None:
    made.add(1, MARKETING, "FORM", "Demo", since="2024-01-01")
    made.add(1, NON_MARKETING, "MEETINGS", since="2025-01-31")  # at nine o'clock
    for sent, told in (("2025-01-21T09:30+02:00", "mailed"), ("2025-01-21T08:30+02:00", "not mailed for long")):
        export = mailed(made.export, mailed_at=pd.to_datetime([sent, None]))
        assert mk.audit(export, mk.Portal(time_zone="Europe/Helsinki"), silent_days=10).mailing.tolist() == [told]


def test_an_export_is_of_the_day_of_its_last_mail_if_nothing_else_happened_since(made: Made) -> None:
    made.add(10, MARKETING, "FORM", "Demo", since="2025-02-01", Marketing_contact_until_next_update="Yes")
    audit = mk.audit(mailed(made.export, mailed_at=pd.to_datetime(["2025-10-30"] * 9 + [None])))
    assert audit.as_of == dt.datetime(2025, 10, 30)
    assert (audit.waiting, audit.update_date) == (10, dt.date(2025, 11, 1))
    assert audit.mailing.iloc[-1] == "never mailed"


def test_days_to_come_are_told_and_do_not_say_of_which_day_an_export_is(made: Made) -> None:
    made.add(10, MARKETING, "FORM", "Demo", since="2025-02-01")
    made.add(1, MARKETING, "FORM", "Demo", since="2062-02-01")
    audit = mk.audit(mailed(made.export, mailed_at=pd.to_datetime(["2025-02-05"] * 10 + ["2063-01-01"])))
    assert audit.as_of == dt.datetime(2025, 2, 10, 9)
    assert audit.remarks["days to come"].startswith("2 dates lie in the future")
    assert set(audit.mailing) == {"mailed"}
    alone = made.rows[-1:]
    made.rows[:] = alone
    assert made.audit().as_of == dt.datetime(2062, 2, 1, 9), "nothing else tells of a day"


def test_without_the_columns_nothing_is_said_about_mail(made: Made) -> None:
    made.add(2, MARKETING, "FORM", "Demo")
    assert made.audit().mailing.tolist() == ["", ""] and made.audit().groups.empty


def test_the_groups_have_a_size_a_price_and_advice(audited: Audit) -> None:
    groups = audited.groups
    assert groups["contacts"].is_monotonic_decreasing
    shop = groups.loc["made marketing by integration/Shopware"]
    through = audited.likely.contacts["decided_by"].eq("integration/Shopware")
    differs = audited.contacts["explanation"].eq("a switch is not as the portal says")
    assert shop["contacts"] == (through & differs).sum()
    assert shop["monthly"] == pytest.approx(shop["contacts"] * 230 / 5000)
    assert "Settings > Integrations > Marketing contacts" in shop["advice"]
    assert mk.audit(audited.export, audited.given).groups["monthly"].isna().all()


def test_ids_to_act_on_are_record_ids_and_addresses_only_where_asked(made: Made, audited: Audit) -> None:
    ids = audited.ids("made marketing by integration/Shopware")
    assert ids.columns.tolist() == ["Record ID"] and ids["Record ID"].str.fullmatch(r"\d+").all()
    made.add(1, MARKETING, "MEETINGS", Email="Ann@Example.com")
    made.add(1, MARKETING, "MEETINGS", Email="bob@example.com")
    made.rows[1]["Record ID"] = "6.89813E+11"
    audit = made.audit()
    group = "set by hand, import or workflow, marketing"
    assert audit.ids(group).to_dict("list") == {"Record ID": ["700"]}
    assert audit.ids(group, addresses=True).to_dict("list") == {
        "Record ID": ["700", ""],
        "Email": ["ann@example.com", "bob@example.com"],
    }
    with pytest.raises(mk.UnknownNameError, match="Did you mean 'hard bounced'"):
        audit.ids("hard bounce")


def test_myths_are_answered_by_the_contacts_that_contradict_them(made: Made) -> None:
    made.add(30, NON_MARKETING, "IMPORT", "fair.csv")
    made.add(30, MARKETING, "IMPORT", "ticked.csv")
    made.add(10, NON_MARKETING, "Meetings")
    made.add(1, MARKETING, "FORM", "Demo", Marketing_contact_until_next_update="Yes")
    made.add(2, MARKETING, "FORM", "Demo")
    export = made.export
    audit = mk.audit(mailed(export, bounced=[False] * 71 + [True, True]))
    assert audit.myths[["contacts", "against"]].apply(tuple, axis=1).to_dict() == {
        "Imports make marketing contacts.": (30, 30),
        "Chatflows, e-mail and meetings make marketing contacts.": (10, 10),
        "Setting contacts as non-marketing works at once.": (1, 1),
        "A form contact without a deliverable e-mail stays non-marketing.": (2, 2),
    }


def test_a_myth_that_no_contact_contradicts_is_not_listed(made: Made) -> None:
    made.add(40, NON_MARKETING, "FORM", "Demo")
    made.add(10, MARKETING, "IMPORT", "fair.csv")
    export = mailed(made.export, bounced=[True] * 50)
    for settings in ({}, {"switches": {"hubspot_form": {"Demo": "off"}}}):
        assert mk.audit(export, mk.Portal(**settings)).myths.empty


def test_a_myth_is_answered_by_whom_no_switch_made_marketing_at_the_time(made: Made) -> None:
    for since, status in (("2025-01-01", NON_MARKETING), ("2025-03-01", MARKETING), ("2025-06-01", NON_MARKETING)):
        made.add(20, status, "BOT", "Welcome", since=since)
    made.add(30, MARKETING, "IMPORT", "fair.csv", since="2025-03-01")
    made.add(30, NON_MARKETING, "IMPORT", "fair.csv", since="2025-06-01")
    assert made.audit().myths[["contacts", "against"]].apply(tuple, axis=1).to_dict() == {
        "Imports make marketing contacts.": (30, 30),
        "Chatflows, e-mail and meetings make marketing contacts.": (40, 40),
    }


def test_progress_is_told_from_nothing_to_all(made: Made) -> None:
    made.add(2, MARKETING, "FORM", "Demo")
    told: list[tuple[int, int]] = []
    mk.audit(made.export, progress=lambda done, steps, what: told.append((done, steps)))
    assert told == [(done, 4) for done in range(5)]


# What cannot be audited


def test_an_export_without_statuses_cannot_be_audited_and_says_what_to_add(made: Made) -> None:
    made.add(1, "", "FORM", "Demo")
    with pytest.raises(mk.DataError, match="Add the property Marketing contact status to the view"):
        made.audit()


def test_nothing_and_what_is_no_export_cannot_be_audited(made: Made) -> None:
    made.add(1, MARKETING, "FORM", "Demo")
    made.rows[0]["Create Date"] = "?"
    with pytest.raises(mk.DataError, match="nothing to audit"):
        made.audit()
    with pytest.raises(mk.DataError, match="This is no export: 'DataFrame'"):
        mk.audit(pd.DataFrame())  # type: ignore[arg-type]


def test_a_price_list_says_what_is_wrong_and_where(tmp_path: Path) -> None:
    path = tmp_path / "prices.yaml"
    path.write_text("currency: EUR\nsteps:\n  - {from: 2025-01-01, hub: profesional, contacts: 5000, monthly: 1}\n")
    with pytest.raises(mk.PortalError, match=r"prices.yaml, line 3"):
        mk.Prices.load(path)
    assert PRICES.step("professional", dt.date(2024, 12, 31)) is None


def test_two_prices_of_one_hub_and_day_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "prices.yaml"
    step = "  - {from: 2025-01-01, hub: starter, contacts: 1000, monthly: 45}\n"
    other = step.replace("starter", "professional")
    path.write_text(f"currency: EUR\nsteps:\n{step}{other}{step.replace('45', '50')}")
    with pytest.raises(mk.PortalError, match=r"Two prices.*2025-01-01.*prices.yaml, line 5"):
        mk.Prices.load(path)


def test_a_later_edition_changes_a_default_from_its_day_on_and_not_before(tmp_path: Path) -> None:
    folder, newest = tmp_path / "rulebook", mk.Rulebook.load().newest.date
    later, then = (newest + dt.timedelta(days=days) for days in (30, 60))
    shutil.copytree(Path(mk.__file__).parent / "rulebook", folder)
    editions, chatflow = folder / "editions.yaml", folder / "sources" / "chatflow.yaml"
    editions.write_text(f"{editions.read_text('utf-8').rstrip()}\n  - {later}\n", encoding="utf-8")
    held = chatflow.read_text("utf-8")
    value = held.split("values:\n")[1].replace("2020-09-23:", f"{later}:", 1).replace("non-marketing", "marketing", 1)
    chatflow.write_text(held.rstrip() + "\n" + value, encoding="utf-8")
    rulebook = mk.Rulebook.load(folder)

    assert str(told_by(mk.Portal(), "chatflow/Bot", rulebook=rulebook)) == f"on since {later}, off before"
    assert str(told_by(mk.Portal(), "chatflow/Bot", newest, rulebook)) == "off"
    assert str(told_by(mk.Portal(), "chatflow/Bot", later, rulebook)) == "on"
    turned_off = mk.Portal(switches={"chatflow": {"Bot": [{"from": str(then), "switch": "off"}]}})
    assert str(told_by(turned_off, "chatflow/Bot", rulebook=rulebook)) == (
        f"off since {then}, on since {later}, off before"
    )
    assert str(told_by(mk.Portal(switches={"chatflow": {"Bot": "off"}}), "chatflow/Bot", rulebook=rulebook)) == "off"
