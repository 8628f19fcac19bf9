"""The made-up firm: its batches are what they promise, and the files in data/ are what the code makes."""

import copy
import csv
import io
import json
import re
from collections import Counter
from datetime import date, datetime
from itertools import zip_longest
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from marketable.errors import DataError
from marketable.portal.portal import Portal
from marketable.rulebook import ACTIONS, SOURCES
from marketable.samples import touches as touches_module
from marketable.samples.contacts import firm_contacts
from marketable.samples.files import sample_files
from marketable.samples.touches import sample_touches
from reference import reference_decide

DATA = Path(__file__).parents[1] / "data"
EXPORT = "hubspot-crm-exports-all-contacts-2026-10-31.csv"
END = datetime(2026, 10, 31)
AS_THEY_WERE = {
    ("hubspot_form", "Pricing enquiry"): True,
    ("chatflow", "Live chat"): True,
    ("integration", "Shopware"): [{"switch": False}, {"from": date(2025, 6, 2), "switch": True}],
}


def statuses(touches: pd.DataFrame, portal: dict, as_of: datetime | None = None) -> dict[str, str]:
    if as_of is not None:
        touches = touches[touches.occurred_at <= as_of]
    rows = touches.astype({"source": "str", "asset": "str"}).to_dict("records")
    outcome = reference_decide(rows, portal, as_of=as_of)
    return {contact_id: contact["status"] for contact_id, contact in outcome.contacts.items()}


def marketing(touches: pd.DataFrame, portal: dict, as_of: datetime | None = None) -> int:
    return Counter(statuses(touches, portal, as_of).values())["marketing"]


def switched(portal: dict, *names: tuple[str, str]) -> dict:
    """The portal with these switches as they were."""
    portal = copy.deepcopy(portal)
    for source, asset in names:
        portal["switches"][source][asset] = AS_THEY_WERE[source, asset]
    return portal


def rows_of(name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO((DATA / name).read_text(encoding="utf-8"))))


@pytest.fixture(scope="module")
def settings() -> dict:
    return yaml.safe_load((DATA / "portal.yaml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def made() -> dict[str, str]:
    return sample_files(Portal.load(DATA / "portal.yaml"))


# ---- Batches ----


@pytest.mark.parametrize("n", [0, 1, 2, 3, 10, 1_000, 100_000])
def test_a_batch_has_exactly_as_many_touches_as_asked_for(n: int) -> None:
    assert len(sample_touches(n)) == n


@pytest.mark.parametrize("n", [0, 1, 1_000])
def test_a_batch_has_the_columns_of_a_batch(n: int) -> None:
    kinds = {"contact_id": "str", "occurred_at": "datetime64[us]", "source": "category", "asset": "category"}
    assert sample_touches(n).dtypes.astype(str).to_dict() == kinds


def test_touches_are_in_order_of_time_and_within_the_two_years() -> None:
    times = sample_touches(20_000).occurred_at
    assert times.is_monotonic_increasing
    assert times.iloc[0] >= pd.Timestamp("2024-11-01") and times.iloc[-1] < pd.Timestamp("2026-11-01")
    assert (times == times.dt.floor("s")).all()


def test_no_touch_falls_into_the_hour_that_the_clocks_skip_or_repeat() -> None:
    assert 2 not in set(sample_touches(100_000).occurred_at.dt.hour)


def test_a_row_more_in_the_firms_calendar_leaves_the_others_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    before = sample_touches(5_000)
    another = {"source": "manual", "asset": "", "from": date(2025, 3, 1), "new": 40, "known": 5}
    more = {**touches_module.firm(), "touches": [*touches_module.firm()["touches"], another]}
    for cached in (touches_module._likely, touches_module._hours):
        cached.cache_clear()
    with monkeypatch.context() as patch:
        patch.setattr(touches_module, "firm", lambda: more)
        after = sample_touches(5_000)
    for cached in (touches_module._likely, touches_module._hours):
        cached.cache_clear()
    what = ["occurred_at", "source", "asset"]
    same = before.merge(after.drop_duplicates(what), on=what, suffixes=("", "_after"))
    assert len(same) > 0.99 * len(before)  # a batch of the same length has a few fewer of each
    assert (same.contact_id == same.contact_id_after).mean() > 0.95  # some now meet a contact of the new row


def test_another_seed_gives_another_batch_of_other_contacts() -> None:
    one, other = sample_touches(500, seed=1), sample_touches(500, seed=2)
    assert not set(one.contact_id) & set(other.contact_id)
    assert not one.occurred_at.equals(other.occurred_at)


def test_numpy_numbers_are_whole_numbers_too() -> None:
    pd.testing.assert_frame_equal(sample_touches(np.int64(50), seed=np.uint8(3)), sample_touches(50, seed=3))


def test_contact_ids_are_record_ids_of_twelve_digits() -> None:
    assert sample_touches(50_000).contact_id.str.fullmatch(r"\d{12}").all()


def test_sources_are_those_of_the_rulebook_and_all_of_them_occur() -> None:
    assert set(sample_touches().source) == {*SOURCES, *ACTIONS}


def test_actions_and_tools_without_parts_have_no_asset() -> None:
    touches = sample_touches()
    with_asset = set(touches.source[touches.asset != ""])
    forms_and_the_like = {"hubspot_form", "non_hubspot_form", "chatflow", "integration"}
    assert with_asset == forms_and_the_like | {"import_single_object", "import_multi_object"}


def test_contacts_have_some_one_and_a_half_touches_and_a_few_have_many() -> None:
    touches = sample_touches().groupby("contact_id").size()
    assert 1.3 < touches.mean() < 1.6
    assert touches.max() > 10
    assert sample_touches(200_000).groupby("contact_id").size().max() > 30


def test_the_firm_rests_on_sundays_in_august_and_at_christmas() -> None:
    times = sample_touches(50_000, seed=1).occurred_at
    by_weekday, by_month = Counter(times.dt.day_of_week), Counter(times.dt.strftime("%Y-%m"))
    assert by_weekday[6] < by_weekday[1] / 2
    assert by_month["2025-08"] < min(by_month["2025-07"], by_month["2025-09"])
    assert Counter(times.dt.date)[date(2025, 12, 25)] < Counter(times.dt.date)[date(2025, 12, 11)] / 3


def test_the_list_of_a_trade_fair_is_imported_on_one_day() -> None:
    touches = sample_touches()
    assert set(touches.occurred_at[touches.asset == "Trade fair Hannover 2026"].dt.date) == {date(2026, 4, 28)}


@pytest.mark.parametrize("n", [-1, 1.5, 2.0, "10", None, True, float("nan")])
def test_a_number_of_touches_that_is_none_is_refused(n: object) -> None:
    with pytest.raises(DataError, match=r"no number of touches.*Expected a whole number, 0 or above"):
        sample_touches(n)  # type: ignore[arg-type]


@pytest.mark.parametrize("seed", [-1, 0.5, "seven", None])
def test_a_seed_that_is_no_whole_number_is_refused(seed: object) -> None:
    with pytest.raises(DataError, match=r"no seed.*Expected a whole number, 0 or above"):
        sample_touches(10, seed=seed)  # type: ignore[arg-type]


# ---- The story ----


def test_the_firm_ends_some_hundreds_above_its_tier_with_all_three_statuses(settings: dict) -> None:
    counts = Counter(statuses(sample_touches(), settings).values())
    assert 2_200 <= counts["marketing"] <= 2_500
    assert sum(counts.values()) == pytest.approx(7_000, rel=0.05)
    assert counts["not covered"] > 300


def test_the_trade_fair_takes_the_firm_over_its_tier_and_the_newsletter_does_so_again(settings: dict) -> None:
    touches, tier = sample_touches(), settings["subscription"]["tier"]
    assert marketing(touches, settings, datetime(2026, 4, 28)) < tier
    assert marketing(touches, settings, datetime(2026, 4, 29)) > tier
    assert marketing(touches, settings, datetime(2026, 6, 30, 23, 59)) > tier
    assert marketing(touches, settings, datetime(2026, 7, 1)) < tier
    assert marketing(touches, settings) > tier
    assert marketing(touches[touches.asset != "Newsletter"], settings) < tier


# ---- The files ----


def test_the_files_in_data_are_what_the_code_makes(made: dict[str, str]) -> None:
    for name, text in made.items():
        there = (DATA / name).read_bytes().decode()
        changed = sum(one != other for one, other in zip_longest(there.splitlines(), text.splitlines()))
        assert there == text, f"data/{name}: {changed} lines differ from what the code makes; make data renews it"


def test_every_file_in_data_is_described_and_small() -> None:
    described = (DATA / "README.md").read_text(encoding="utf-8")
    for path in DATA.iterdir():
        assert path.name == "README.md" or f"`{path.name}`" in described
        assert path.stat().st_size < 600_000


def test_all_addresses_are_kept_for_examples(made: dict[str, str]) -> None:
    domains = {domain for text in made.values() for domain in re.findall(r"@([^\s\",]+)", text)}
    assert domains == {"example.com", "example.org", "example.net"}


def test_the_export_says_what_the_rules_make_of_the_switches_as_they_were(settings: dict) -> None:
    contacts, touches = firm_contacts(2_700, 11, Portal.load(DATA / "portal.yaml"))
    expected = statuses(touches, switched(settings, *AS_THEY_WERE), END)
    exported = {row["Record ID"]: row["Marketing contact status"] == "Marketing contact" for row in rows_of(EXPORT)}
    assert exported.keys() == expected.keys()
    differ = {who for who, is_marketing in exported.items() if is_marketing != (expected[who] == "marketing")}
    assert differ == set(contacts.index[contacts.planted.isin(["set by hand", "ticked"])])


def test_what_was_planted_is_counted_right(settings: dict) -> None:
    rows = rows_of(EXPORT)
    lines = (DATA / "planted.md").read_text(encoding="utf-8").splitlines()[4:]
    counts = [re.split(", (?=[0-9])", line.rsplit(" | ", 1)[1].removesuffix(" |")) for line in lines]
    contacts, touches = firm_contacts(2_700, 11, Portal.load(DATA / "portal.yaml"))
    by_the_portal = marketing(touches, settings, END)
    by_hand = Counter(contacts.marketing[contacts.planted == "set by hand"])
    waiting = [row for row in rows if row["Marketing contact until next update"] == "Yes"]
    old = [row for row in rows if row["Create Date"] < "2024-03"]
    expected = [
        [f"{len(rows):,}", sum(row["Marketing contact status"] == "Marketing contact" for row in rows)],
        *([marketing(touches, switched(settings, name), END) - by_the_portal] for name in AS_THEY_WERE),
        [sum(row["Record source"] == "Conversations" for row in rows)],
        [by_hand[True], by_hand[False]],
        [Counter(contacts.planted)["ticked"]],
        [len(waiting)],
        [sum(row["Create Date"] < "2022-03-01" for row in rows)],
        [sum(not row["Record source"] for row in old), sum(not row["Record source detail 1"] for row in old)],
    ]
    assert counts == [[str(cell) for cell in row] for row in expected]
    assert {row["Marketing contact status"] for row in waiting} == {"Marketing contact"}


def test_record_ids_and_addresses_of_the_export_are_unique() -> None:
    rows = rows_of(EXPORT)
    assert len({row["Record ID"] for row in rows}) == len({row["Email"] for row in rows}) == len(rows)


def test_the_warehouse_has_a_contact_for_each_submission() -> None:
    contacts = {row["id"] for row in rows_of("fivetran_contact.csv")}
    submissions = rows_of("fivetran_contact_form_submission.csv")
    assert {row["contact_id"] for row in submissions} <= contacts
    assert len({row["conversion_id"] for row in submissions}) == len(submissions)


def test_the_page_of_the_api_tells_of_the_same_contacts_as_the_export() -> None:
    exported = {row["Record ID"]: row for row in rows_of(EXPORT)}
    words = {"true": "Marketing contact", "false": "Non-marketing contact"}
    for contact in json.loads((DATA / "api_contacts.json").read_text(encoding="utf-8"))["results"]:
        row, properties = exported[contact["id"]], contact["properties"]
        local = pd.Timestamp(contact["createdAt"]).tz_convert("Europe/Berlin")
        assert f"{local:%Y-%m-%d %H:%M}" == row["Create Date"]
        assert properties["email"] == row["Email"]
        assert words[properties["hs_marketable_status"]] == row["Marketing contact status"]
