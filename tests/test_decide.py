"""`decide` as it is called: whatever kinds of columns a frame has, and what is wrong with it is said."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest

import marketable as mk

PORTAL = mk.Portal(time_zone="Europe/Berlin")
BATCH = pd.DataFrame(
    {
        "contact_id": ["351", "352", "351", "353"],
        "occurred_at": pd.to_datetime(["2024-03-01 09:00", "2024-03-02 00:00", "2024-03-05 00:00", "2024-03-31 23:30"]),
        "source": ["import_single_object", "manual", "hubspot_form", "integration"],
        "asset": ["list", "", "Newsletter", "Zapier"],
    }
)
EXPECTED = ["marketing", "not covered", "non-marketing"]

KINDS: dict[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
    "whole numbers as ids": lambda batch: batch.astype({"contact_id": "int64"}),
    "nullable numbers as ids": lambda batch: batch.astype({"contact_id": "Int64"}),
    "ids as objects": lambda batch: batch.astype({"contact_id": object}),
    "ids as categories": lambda batch: batch.astype({"contact_id": "category"}),
    "texts as objects": lambda batch: batch.astype({"source": object, "asset": object}),
    "texts as categories": lambda batch: batch.astype({"source": "category", "asset": "category"}),
    "missing assets": lambda batch: batch.assign(asset=batch["asset"].replace("", None)),
    "times as text": lambda batch: batch.assign(occurred_at=batch["occurred_at"].dt.strftime("%Y-%m-%dT%H:%M")),
    "times in nanoseconds": lambda batch: batch.assign(occurred_at=batch["occurred_at"].astype("datetime64[ns]")),
    "times in UTC": lambda batch: batch.assign(
        occurred_at=batch["occurred_at"].dt.tz_localize("Europe/Berlin").dt.tz_convert("UTC")
    ),
    "times with and without a zone": lambda batch: batch.assign(
        occurred_at=["2024-03-01T08:00Z", "2024-03-02", "2024-03-05T00:00+01:00", "2024-03-31 23:30"]
    ),
    "an index that repeats": lambda batch: batch.set_axis([7, 7, 7, 8]),
    "rows in another order": lambda batch: batch.iloc[[3, 2, 1, 0]],
    "columns in another order, and more of them": lambda batch: batch.assign(note="x")[["note", *batch.columns[::-1]]],
}


@pytest.mark.parametrize("kind", KINDS)
def test_the_kind_of_the_columns_does_not_matter(kind: str) -> None:
    batch = KINDS[kind](BATCH)
    outcome = mk.decide(batch, PORTAL)
    contacts = outcome.contacts.set_axis(outcome.contacts.index.astype(str)).sort_index()
    assert contacts["status"].tolist() == EXPECTED
    assert contacts["created_at"].tolist() == BATCH["occurred_at"].iloc[[0, 1, 3]].tolist()
    assert outcome.touches.index.equals(batch.index)
    assert outcome.touches[batch.columns].equals(batch)


def test_ids_are_text_so_that_seven_is_not_007() -> None:
    batch = BATCH.assign(contact_id=["7", "007", "07", "7 "])
    assert len(mk.decide(batch, PORTAL).contacts) == 4


def test_a_contact_without_an_id_is_known_by_its_e_mail_trimmed_and_in_small_letters() -> None:
    batch = BATCH.assign(contact_id="", email=["A@example.com", "b@example.com", " a@EXAMPLE.com ", "c@example.com"])
    contacts = mk.decide(batch, PORTAL).contacts
    assert set(contacts.index) == {"a@example.com", "b@example.com", "c@example.com"}
    assert contacts.loc["a@example.com", "status"] == "marketing"


WRONG: dict[str, tuple[Callable[[pd.DataFrame], Any], list[str]]] = {
    "a missing column": (lambda batch: batch.drop(columns="source").assign(sources=""), ["'source'", "'sources'"]),
    "a blank id": (lambda batch: batch.assign(contact_id=["1", None, "2", "3"]), ["no contact", "row 1", "email"]),
    "an unknown source": (
        lambda batch: batch.assign(source=["manual", "hubspot_from", "manual", "manual"]),
        ["row 1", "'hubspot_from'", "Did you mean 'hubspot_form'"],
    ),
    "a missing time": (lambda batch: batch.assign(occurred_at=pd.NaT), ["no time", "row 0"]),
    "a time that is none": (lambda batch: batch.assign(occurred_at="soon"), ["row 0", "'soon'"]),
}


@pytest.mark.parametrize("fault", WRONG)
def test_a_batch_that_cannot_be_judged_is_refused_with_what_and_where(fault: str) -> None:
    spoil, words = WRONG[fault]
    with pytest.raises(mk.DataError) as refused:
        mk.decide(spoil(BATCH), PORTAL)
    assert [word for word in words if word not in str(refused.value)] == [], str(refused.value)


LISTED = pd.DataFrame({"contact_id": ["1"], "created_at": ["2023-01-01"], "status": ["marketing"]})


@pytest.mark.parametrize(
    ("contacts", "words"),
    [
        (LISTED.drop(columns="status"), "'status'"),
        (LISTED.rename(columns={"contact_id": "id"}), "'contact_id'"),
        (LISTED.assign(status="maketing"), "'maketing'"),
        (pd.concat([LISTED, LISTED]), "'1'"),
        (LISTED.assign(source="hubspot_from"), "Did you mean 'hubspot_form'"),
    ],
)
def test_existing_contacts_that_cannot_be_used_are_refused(contacts: pd.DataFrame, words: str) -> None:
    with pytest.raises(mk.DataError, match=words):
        mk.decide(BATCH, PORTAL, contacts=contacts)


def test_an_exports_contacts_can_be_the_existing_ones() -> None:
    listed = LISTED.assign(contact_id="353").set_index("contact_id")
    outcome = mk.decide(BATCH, PORTAL, contacts=listed)
    assert outcome.contacts.loc["353", ["status", "decided_by"]].tolist() == ["marketing", "listed"]
    assert len(outcome.contacts) == 3


def test_what_is_no_frame_is_refused() -> None:
    with pytest.raises(mk.DataError, match="A batch is a DataFrame"):
        mk.decide([], PORTAL)


def test_an_edition_that_is_none_and_a_moment_that_is_none_are_refused() -> None:
    with pytest.raises(mk.UnknownNameError, match="Did you mean '2024-02-14'"):
        mk.decide(BATCH, PORTAL, edition="2024-02-15")
    with pytest.raises(mk.DataError, match="not a time: 'soon'"):
        mk.decide(BATCH, PORTAL, as_of="soon")
    with pytest.raises(mk.UnknownNameError, match="Did you mean 'source'"):
        mk.decide(BATCH, PORTAL).counts("sources")
    with pytest.raises(mk.UnknownNameError, match="Did you mean '351'"):
        mk.decide(BATCH, PORTAL).why("3511")


def test_an_empty_batch_has_an_empty_outcome() -> None:
    outcome = mk.decide(BATCH.head(0), PORTAL)
    assert outcome.counts().sum() == 0 and len(outcome.contacts) == 0 and len(outcome.touches) == 0
    assert outcome.counts("source").empty and outcome.by_day().empty


def test_every_touch_and_every_contact_has_a_sentence_with_its_source_and_trust() -> None:
    touches = mk.sample_touches(3_000)
    outcome = mk.decide(touches, mk.Portal(subscription={"commitment": "monthly", "renewal": "2024-01-31"}))
    for table in (outcome.touches, outcome.contacts):
        reasons = table["reason"].cat.categories
        assert all("Source: “" in reason for reason in reasons)
        assert all("trust H" in reason or "trust M" in reason or "nothing was read" in reason for reason in reasons)
    upgraded = outcome.touches[outcome.touches["rule"] == "upgrade"]
    by_import = upgraded[upgraded["source"] == "import_single_object"]["reason"]
    assert all("trust M" in reason for reason in by_import.unique())
    reasons = outcome.touches["reason"].cat.categories
    short = reasons[reasons.str.contains(r"update date \d{4}-\d\d-(?:28|30)")]
    assert len(short) and all("an assumption" in reason for reason in short)
