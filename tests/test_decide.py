"""`decide` as it is called: whatever kinds of columns a frame has, and what is wrong with it is said."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
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
EAST = dt.timezone(dt.timedelta(hours=14))
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
    "a time that may be two": (
        lambda batch: batch.assign(occurred_at="3/4/2024"),
        ["row 0", "'3/4/2024'", "2024-03-01"],
    ),
    "a time of the clock": (lambda batch: batch.assign(occurred_at="now"), ["no time", "row 0", "'now'"]),
    "milliseconds": (
        lambda batch: batch.assign(occurred_at=1_711_000_000_000),
        ["Numbers are not times", "row 0", "1711000000000", 'unit="ms", utc=True'],
    ),
    "milliseconds among times": (
        lambda batch: batch.assign(occurred_at=["2024-03-01", 1_711_000_000_000, "2024-03-01", "2024-03-01"]),
        ["Numbers are not times", "row 1"],
    ),
    "a year before HubSpot": (
        lambda batch: batch.assign(occurred_at=[dt.datetime(1, 1, 1, tzinfo=EAST), *batch["occurred_at"][1:]]),
        ["before the year 2000", "row 0"],
    ),
    "a year far ahead": (
        lambda batch: batch.assign(occurred_at=np.array(["2024-01-01"] * 3 + ["30000-01-01"], "datetime64[s]")),
        ["after the year 2100", "row 3", "30000"],
    ),
    "lists as ids": (lambda batch: batch.assign(contact_id=[["1"]] * 4), ["no id", "row 0", "['1']"]),
    "a fraction as an id": (lambda batch: batch.assign(contact_id=[1.0, 1.5, 2, 3]), ["no id", "row 1", "1.5"]),
    "an id that has lost digits": (lambda batch: batch.assign(contact_id=1e18), ["no id", "lost digits"]),
    "a truth as an id": (lambda batch: batch.assign(contact_id=True), ["no id", "True"]),
    "a column that is there twice": (
        lambda batch: pd.concat([batch, batch[["contact_id"]]], axis=1),
        ["Two columns bear the same name: 'contact_id'"],
    ),
}


@pytest.mark.parametrize("fault", WRONG)
def test_a_batch_that_cannot_be_judged_is_refused_with_what_and_where(fault: str) -> None:
    spoil, words = WRONG[fault]
    with pytest.raises(mk.DataError) as refused:
        mk.decide(spoil(BATCH), PORTAL)
    assert [word for word in words if word not in str(refused.value)] == [], str(refused.value)


IDS: dict[str, Any] = {
    "floats": [351.0, 352.0, 351.0, 353.0],
    "decimals": [Decimal("351.00"), Decimal(352), Decimal(351), Decimal("353.0")],
    "numbers and texts": [351, "352", "351", 353.0],
    "categories of both": pd.Series([351, "352", "351", 353], dtype=object).astype("category"),
    "decimals of Arrow": pd.array(
        [Decimal("351.0"), Decimal(352), Decimal(351), Decimal(353)], dtype=pd.ArrowDtype(pa.decimal128(9, 1))
    ),
}


@pytest.mark.parametrize("kind", IDS)
@pytest.mark.parametrize("listed", [353, 353.0, "353"])
def test_a_number_is_the_same_id_however_it_is_written(kind: str, listed: Any) -> None:
    batch = BATCH.assign(contact_id=IDS[kind])
    contacts = pd.DataFrame({"contact_id": [listed], "status": ["marketing"]})
    assert sorted(mk.decide(batch, PORTAL).contacts.index) == ["351", "352", "353"]
    assert sorted(mk.decide(batch, PORTAL, contacts=contacts).contacts.index) == ["351", "352", "353"]
    assert mk.WhatIf(batch, PORTAL).counts().sum() == mk.WhatIf(batch, PORTAL, contacts=contacts).counts().sum() == 3


def test_days_of_arrow_are_times() -> None:
    days = pd.array(BATCH["occurred_at"].dt.date, dtype=pd.ArrowDtype(pa.date32()))
    found = mk.decide(BATCH.assign(occurred_at=days), PORTAL).contacts["created_at"]
    assert found.tolist() == BATCH["occurred_at"].dt.normalize().iloc[[0, 1, 3]].tolist()


def test_as_many_assets_as_touches_take_time_in_step_with_their_number() -> None:
    """Where one was searched for among the others, this took minutes."""
    many = 100_000
    batch = pd.DataFrame(
        {"contact_id": range(many), "occurred_at": pd.Timestamp("2024-03-01"), "source": "hubspot_form"}
    )
    batch["asset"] = batch["contact_id"].astype("str")
    begins = time.process_time()
    assert len(mk.decide(batch, PORTAL).touches) == mk.WhatIf(batch, PORTAL).counts().sum() == many
    assert time.process_time() - begins < 40


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
    for wrong in ("soon", "now", "3/4/2024", 20_240_301, dt.date.max, "9999-12-31T23:00-12:00"):
        with pytest.raises(mk.DataError, match="not a time: "):
            mk.decide(BATCH, PORTAL, as_of=wrong)  # type: ignore[arg-type]
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
