"""`decide` and the slow reference agree, on batches made to be awkward."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any
from unittest import mock

import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

import marketable as mk
from batches import frame, listed, moments, portal, portals, touches
from marketable.engine import sorting
from reference import EDITIONS, reference_decide

ZONES = st.sampled_from([None, dt.UTC, dt.timezone(dt.timedelta(hours=-7))])


def _same(batch: list[dict[str, Any]], account: dict[str, Any], **options: Any) -> None:
    expected = reference_decide(batch, account, **options)
    contacts = pd.DataFrame(
        options.pop("contacts", []), columns=["contact_id", "created_at", "status", "source", "asset"]
    )
    # Large batches are decided in parts: here every other small one is.
    with mock.patch.object(sorting, "_PART", 4 if len(batch) % 2 else sorting._PART):
        outcome = mk.decide(frame(batch), portal(account), contacts=contacts if len(contacts) else None, **options)
    got = outcome.touches
    for column in ("status_before", "status_after"):
        assert _plain(got[column]) == [touch[column] for touch in expected.touches]
    assert (got["rule"] != "not counted").tolist() == [touch["counted"] for touch in expected.touches]
    table = outcome.contacts
    assert set(table.index) == set(expected.contacts)
    for contact_id, contact in expected.contacts.items():
        row = table.loc[contact_id]
        for column in ("created_by", "asset", "waiting"):
            assert row[column] == contact[column], (contact_id, column)
        assert _plain([row["status"]]) == [contact["status"]]
        for column in ("created_at", "since"):
            assert (None if pd.isna(row[column]) else row[column].to_pydatetime()) == contact[column], (
                contact_id,
                column,
            )
        assert ("ambiguous" in row["reason"]) == contact["ambiguous"]
        if contact["ambiguous"]:
            readings = re.search(r"reads ([a-z -]+), that of [0-9-]+ ([a-z -]+), and the rule", row["reason"])
            assert readings and readings.groups() == contact["readings"]
        if contact["waiting"]:
            assert "waits" in row["reason"]
    _same_sums(outcome)


def _same_sums(outcome: mk.Outcome) -> None:
    status = outcome.contacts["status"]
    assert outcome.counts().to_dict() == {name: int((status == name).sum()) for name in outcome.counts().index}
    for by in ("source", "asset", "month", "decided_by"):
        assert outcome.counts(by).sum().to_dict() == outcome.counts().to_dict()
    by_day = outcome.by_day()
    if len(by_day):
        assert by_day.iloc[-1] == outcome.counts()["marketing"]


def _plain(column: Any) -> list[Any]:
    return [None if pd.isna(value) else value for value in column]


@given(touches(), portals)
def test_a_batch_without_zones(batch: list[dict[str, Any]], account: dict[str, Any]) -> None:
    _same(batch, account)


@given(touches(ZONES), portals)
def test_a_batch_with_times_in_several_zones(batch: list[dict[str, Any]], account: dict[str, Any]) -> None:
    _same(batch, account)


@given(touches(), portals, listed)
def test_a_batch_beside_contacts_that_existed_before(
    batch: list[dict[str, Any]], account: dict[str, Any], contacts: list[dict[str, Any]]
) -> None:
    _same(batch, account, contacts=contacts)


@given(touches(ZONES), portals, listed, moments)
def test_a_batch_as_of_a_moment(
    batch: list[dict[str, Any]], account: dict[str, Any], contacts: list[dict[str, Any]], as_of: dt.datetime
) -> None:
    _same(batch, account, contacts=contacts, as_of=as_of)


@given(touches(), portals, st.sampled_from(EDITIONS))
def test_a_batch_judged_by_one_pinned_edition(
    batch: list[dict[str, Any]], account: dict[str, Any], edition: dt.date
) -> None:
    _same(batch, account, edition=edition)


@given(touches(most=300), portals)
@settings(max_examples=settings.default.max_examples)
def test_contacts_of_very_many_touches(batch: list[dict[str, Any]], account: dict[str, Any]) -> None:
    _same([touch | {"contact_id": "1"} for touch in batch] * 4, account)


@given(touches(), portals)
def test_the_order_of_the_rows_does_not_matter_where_no_two_times_are_equal(
    batch: list[dict[str, Any]], account: dict[str, Any]
) -> None:
    apart = [
        touch | {"occurred_at": touch["occurred_at"] + dt.timedelta(microseconds=7 * at)}
        for at, touch in enumerate(batch)
    ]
    forward, backward = mk.decide(frame(apart), portal(account)), mk.decide(frame(apart[::-1]), portal(account))
    pd.testing.assert_frame_equal(
        forward.contacts.sort_index().astype(object), backward.contacts.sort_index().astype(object)
    )
