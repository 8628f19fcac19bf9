"""The worked cases, as sentences that a marketer can read."""

from __future__ import annotations

import datetime as dt

import pandas as pd

import marketable as mk
from marketable.engine.update_dates import update_date_after
from marketable.inputs.exports import tool_of
from marketable.views.words import against_tier

FORM, IMPORT, APP = "hubspot_form", "import_single_object", "integration"
YEARLY = {"commitment": "yearly", "renewal": "2026-07-01"}
MONTHLY = {"commitment": "monthly", "renewal": "2023-04-15"}


def status(*touches: tuple[str, str] | tuple[str, str, str], as_of: str | None = None, **portal: object) -> str:
    """The status of one contact after some touches: (day, source) or (day, source, asset)."""
    rows = [("1", pd.Timestamp(day), source, *(asset or ("",))) for day, source, *asset in touches]
    batch = pd.DataFrame(rows, columns=["contact_id", "occurred_at", "source", "asset"])
    contact = mk.decide(batch, mk.Portal(**portal), as_of=as_of).contacts.iloc[0]
    return contact["status"] + (", waiting" if contact["waiting"] else "")


def switch(source: str, asset: str, setting: object) -> dict[str, dict[str, dict[str, object]]]:
    return {"switches": {source: {asset: setting}}}


# 1 ---------------------------------------------------------------------------------------------------------------


def test_a_form_that_is_on_creates_a_marketing_contact() -> None:
    assert status(("2024-03-01", FORM, "F"), **switch(FORM, "F", "on")) == "marketing"


def test_a_form_that_is_off_creates_a_non_marketing_contact() -> None:
    assert status(("2024-03-01", FORM, "F"), **switch(FORM, "F", "off")) == "non-marketing"


def test_a_form_that_nobody_touched_is_on() -> None:
    assert status(("2024-03-01", FORM, "F")) == "marketing"


# 2 ---------------------------------------------------------------------------------------------------------------


def test_an_import_with_the_box_unticked_creates_a_non_marketing_contact() -> None:
    assert status(("2024-03-01", IMPORT, "list.csv")) == "non-marketing"


def test_an_imported_contact_that_submits_a_form_which_is_on_is_marketing_from_then_on() -> None:
    touches = ("2024-03-01", IMPORT, "list.csv"), ("2024-03-05", FORM, "F")
    assert status(*touches, as_of="2024-03-04 23:59") == "non-marketing"
    assert status(*touches) == "marketing"


def test_an_imported_contact_that_submits_a_form_which_is_off_stays_as_it_is() -> None:
    touches = ("2024-03-01", IMPORT, "list.csv"), ("2024-03-05", FORM, "F")
    assert status(*touches, **switch(FORM, "F", "off")) == "non-marketing"


# 3 ---------------------------------------------------------------------------------------------------------------

ON_SINCE_10_MARCH = switch(APP, "Eventbrite", [{"from": "2024-03-10", "switch": "on"}])


def test_a_contact_that_an_app_created_before_its_switch_went_on_stays_non_marketing() -> None:
    touches = ("2024-03-01", APP, "Eventbrite"), ("2024-03-20", APP, "Eventbrite")
    assert status(*touches, **ON_SINCE_10_MARCH) == "non-marketing"


def test_a_contact_that_an_app_creates_after_its_switch_went_on_is_marketing() -> None:
    assert status(("2024-03-11", APP, "Eventbrite"), **ON_SINCE_10_MARCH) == "marketing"


# 4 ---------------------------------------------------------------------------------------------------------------


def test_in_2020_a_non_hubspot_form_always_creates_a_marketing_contact() -> None:
    assert status(("2020-10-01", "non_hubspot_form")) == "marketing"
    assert status(("2020-10-01", "non_hubspot_form"), switches={"non_hubspot_form": "off"}) == "marketing"


def test_in_2024_a_non_hubspot_form_creates_a_marketing_contact_unless_the_accounts_switch_is_off() -> None:
    assert status(("2024-03-01", "non_hubspot_form")) == "marketing"
    assert status(("2024-03-01", "non_hubspot_form"), switches={"non_hubspot_form": "off"}) == "non-marketing"


# 5 ---------------------------------------------------------------------------------------------------------------


def test_an_import_of_several_files_creates_non_marketing_contacts_whatever_is_ticked() -> None:
    ticked = switch("import_multi_object", "migration", "on")
    assert status(("2024-03-01", "import_multi_object", "migration"), **ticked) == "non-marketing"


# 6 ---------------------------------------------------------------------------------------------------------------

LEAVING = ("2024-03-01", FORM, "F"), ("2024-03-05", "set_non_marketing")


def test_with_a_yearly_subscription_a_contact_set_as_non_marketing_counts_until_the_first_of_the_next_month() -> None:
    assert status(*LEAVING, as_of="2024-03-31 23:59", subscription=YEARLY) == "marketing, waiting"
    assert status(*LEAVING, as_of="2024-04-01", subscription=YEARLY) == "non-marketing"


def test_with_a_monthly_subscription_bought_on_the_15th_it_counts_until_the_15th() -> None:
    assert status(*LEAVING, as_of="2024-03-14 23:59", subscription=MONTHLY) == "marketing, waiting"
    assert status(*LEAVING, as_of="2024-03-15", subscription=MONTHLY) == "non-marketing"


def test_a_renewal_day_that_a_month_does_not_have_is_its_last_day() -> None:
    subscription = mk.Subscription(commitment="monthly", renewal="2024-01-31")
    days = [update_date_after(dt.date(2024, month, 5), subscription) for month in range(1, 7)]
    assert [str(day) for day in days] == [
        "2024-01-31", "2024-02-29", "2024-03-31", "2024-04-30", "2024-05-31", "2024-06-30",
    ]  # fmt: skip
    assert update_date_after(dt.date(2023, 12, 31), subscription) == dt.date(2024, 1, 31)


def test_a_form_in_between_undoes_the_wait_and_the_sentence_says_that_this_is_an_assumption() -> None:
    touches = (*LEAVING, ("2024-03-20", FORM, "F"))
    assert status(*touches, as_of="2024-06-01", subscription=YEARLY) == "marketing"
    batch = pd.DataFrame(
        [("1", pd.Timestamp(day), source, *(asset or ("",))) for day, source, *asset in touches],
        columns=["contact_id", "occurred_at", "source", "asset"],
    )
    last = mk.decide(batch, mk.Portal()).touches.iloc[-1]
    assert last["rule"] == "undo" and "an assumption" in last["reason"]


# 7 ---------------------------------------------------------------------------------------------------------------


def test_exactly_the_tier_is_within_it_and_one_more_is_over_it() -> None:
    assert against_tier(2_000, 2_000) == "exactly the tier of 2,000"
    assert against_tier(2_001, 2_000) == "1 over the tier of 2,000"


# 8 ---------------------------------------------------------------------------------------------------------------


def test_created_by_hand_at_the_end_of_2021_a_contact_is_non_marketing() -> None:
    assert status(("2021-12-31", "manual")) == "non-marketing"


def test_created_by_hand_in_2024_it_is_not_covered() -> None:
    assert status(("2024-03-01", "manual")) == "not covered"


def test_created_by_hand_between_two_editions_that_disagree_it_is_ambiguous_and_both_readings_are_named() -> None:
    batch = pd.DataFrame({"contact_id": ["1"], "occurred_at": ["2023-03-01"], "source": ["manual"], "asset": [""]})
    contact = mk.decide(batch, mk.Portal()).contacts.iloc[0]
    assert contact["status"] == "non-marketing"
    for word in ("ambiguous", "2023-01-19 reads non-marketing", "2023-06-28 not covered"):
        assert word in contact["reason"]


# 9 ---------------------------------------------------------------------------------------------------------------


def test_a_contact_recorded_as_conversations_is_non_marketing_but_might_be_of_a_live_chat() -> None:
    tool = tool_of("CONVERSATIONS")
    assert tool.certainty == "ambiguous"
    assert status(("2024-03-01", tool.source, tool.asset)) == "non-marketing"


# 10 --------------------------------------------------------------------------------------------------------------


def test_a_contact_older_than_the_accounts_marketing_contacts_is_non_marketing_on_that_day_whatever_created_it() -> (
    None
):
    for source in ("hubspot_form", "manual", "set_marketing", "import_single_object"):
        touches = ("2022-01-05", source, "F"), ("2022-02-01", "set_marketing")
        on_everything = {"hubspot_form": {"F": "on"}, "import_single_object": {"F": "on"}}
        assert (
            status(*touches, as_of="2022-03-01", access_since="2022-03-01", switches=on_everything) == "non-marketing"
        )


def test_afterwards_it_lives_by_the_rules_as_any_other() -> None:
    touches = ("2022-01-05", "manual"), ("2022-03-02", FORM, "F")
    assert status(*touches, access_since="2022-03-01") == "marketing"
