"""The worked cases: tests/worked_cases.yaml, which a marketer can read and edit, and the few that are no such case."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import marketable as mk
from marketable.errors import nearest
from marketable.exports import tool_of
from marketable.plain_yaml import read
from marketable.portal.update_dates import update_date_after
from marketable.views.words import against_tier

FILE = Path(__file__).with_name("worked_cases.yaml")
KEYS = (
    "name", "portal", "touches", "contacts", "edition", "as_of",
    "status", "waiting", "on", "because", "last_rule", "last_because",
)  # fmt: skip
STATUSES = ("marketing", "non-marketing", "not covered")
EXPECTED = (*STATUSES, *(f"{status}, waiting" for status in STATUSES))
UPDATE_DATES = "update dates"

Case = dict[str, Any]


def refuse(case: Case, problem: str, **told: Any) -> None:
    name = case.get("name", "a case without a name")
    raise mk.MarketableError(f"{name!r}: {problem}", file=FILE, **told)


def known(case: Case, value: str, valid: Iterable[str]) -> None:
    if value not in valid:
        expected = f"one of {'; '.join(valid)}"
        refuse(case, "This is not known here", value=value, expected=expected, nearest=nearest(value, valid))


def known_keys(case: Case, valid: Iterable[str], needed: Iterable[str]) -> None:
    for key in case:
        known(case, key, valid)
    for key in needed:
        if not case.get(key):
            refuse(case, f"{key} is missing")


def check(case: Case) -> None:
    known_keys(case, KEYS, ("name", "touches"))
    if not (case.get("status") or case.get("on")):
        refuse(case, "What must come out is missing", expected="status, on, or both")
    for key in ("on", "because", "last_because", "last_rule", "status"):
        if key in case and not case[key]:
            refuse(case, f"{key} is empty")
    for key in ("because", "last_because"):
        if not isinstance(case.get(key, []), list):
            refuse(case, f"{key} must be a list, in [ ]")
    if "waiting" in case:
        known(case, case["waiting"], ("yes", "no"))
        if "status" not in case:
            refuse(case, "waiting goes with status; under on it is written: marketing, waiting")
    if "status" in case:
        known(case, case["status"], STATUSES)
    for status in case.get("on", {}).values():
        known(case, status, EXPECTED)
    for contact in case.get("contacts", []):
        for key in contact:
            known(case, key, ("created_at", "status", "source", "asset"))


def outcome(case: Case, as_of: str | None) -> mk.Outcome:
    rows = [("1", pd.Timestamp(day), source, *(asset or ("",))) for day, source, *asset in case["touches"]]
    batch = pd.DataFrame(rows, columns=["contact_id", "occurred_at", "source", "asset"])
    listed = [
        {"contact_id": "1", **each, "created_at": pd.Timestamp(each["created_at"])} for each in case.get("contacts", [])
    ]
    return mk.decide(
        batch,
        mk.Portal(**case.get("portal", {})),
        as_of=as_of,
        edition=case.get("edition"),
        contacts=pd.DataFrame(listed) if listed else None,
    )


def status(outcome: mk.Outcome) -> str:
    contact = outcome.contacts.iloc[0]
    return contact["status"] + (", waiting" if contact["waiting"] else "")


def run(case: Case) -> None:
    check(case)
    for moment, expected in case.get("on", {}).items():
        assert status(outcome(case, moment)) == expected, moment
    result = outcome(case, case.get("as_of"))
    if "status" in case:
        assert status(result) == case["status"] + (", waiting" if case.get("waiting") == "yes" else "")
    for words in case.get("because", []):
        assert words in result.contacts.iloc[0]["reason"]
    last = result.touches.iloc[-1]
    if "last_rule" in case:
        assert last["rule"] == case["last_rule"]
    for words in case.get("last_because", []):
        assert words in last["reason"]


SECTIONS: dict[str, list[Case]] = read(FILE, mk.MarketableError)[0]
CASES = [case for section, cases in SECTIONS.items() if section != UPDATE_DATES for case in cases]


def name(case: Case) -> str:
    return case.get("name", "a case without a name")


@pytest.mark.parametrize("case", CASES, ids=name)
def test_case(case: Case) -> None:
    run(case)


@pytest.mark.parametrize("case", SECTIONS[UPDATE_DATES], ids=name)
def test_update_dates(case: Case) -> None:
    known_keys(case, ("name", "subscription", "after"), ("name", "subscription", "after"))
    subscription = mk.Subscription(**case["subscription"])
    for day, expected in case["after"].items():
        assert str(update_date_after(dt.date.fromisoformat(day), subscription)) == expected, day


def test_no_two_cases_have_the_same_name() -> None:
    names = [name(case) for cases in SECTIONS.values() for case in cases]
    assert len(names) == len(set(names))


GOOD = {"name": "A form is on", "touches": [["2024-03-01", "hubspot_form", "F"]], "status": "marketing"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"statos": "marketing"}, r"'A form is on'.*'statos' \(worked_cases.yaml\).*Did you mean 'status'"),
        ({"status": "marketting"}, "'A form is on'.*Did you mean 'marketing'"),
        ({"status": ""}, "'A form is on': What must come out is missing"),
        ({"on": {"2024-03-02": "waiting"}}, "'A form is on'.*one of marketing; non-marketing"),
        ({"waiting": "maybe"}, "'A form is on'.*one of yes; no"),
        ({"touches": []}, "'A form is on': touches is missing"),
        ({"because": ""}, "'A form is on': because is empty"),
        ({"contacts": [{"create_at": "2024-01-01"}]}, "'A form is on'.*Did you mean 'created_at'"),
    ],
)
def test_a_case_written_wrongly_is_refused(change: Case, message: str) -> None:
    with pytest.raises(mk.MarketableError, match=message):
        run(GOOD | change)


@pytest.mark.parametrize(
    "change",
    [
        {"status": "non-marketing"},
        {"waiting": "yes"},
        {"on": {"2024-03-02": "non-marketing"}},
        {"because": ["no such words"]},
        {"last_rule": "undo"},
        {"last_because": ["no such words"]},
    ],
)
def test_a_case_that_expects_what_does_not_come_out_fails(change: Case) -> None:
    run(GOOD)
    with pytest.raises(AssertionError):
        run(GOOD | change)


def test_exactly_the_tier_is_within_it_and_one_more_is_over_it() -> None:
    assert against_tier(2_000, 2_000) == "exactly the tier of 2,000"
    assert against_tier(2_001, 2_000) == "1 over the tier of 2,000"


def test_a_contact_recorded_as_conversations_is_non_marketing_but_might_be_of_a_live_chat() -> None:
    tool = tool_of("CONVERSATIONS")
    assert tool.certainty == "ambiguous"
    run({"name": "CONVERSATIONS", "touches": [["2024-03-01", tool.source, tool.asset]], "status": "non-marketing"})
