"""The rulebook: complete, documented, dated; and a file that is wrong is refused with its line."""

from __future__ import annotations

import datetime as dt
import itertools
import shutil
from pathlib import Path

import pytest

import marketable as mk
import marketable.rulebook
import reference
from marketable.rulebook import ACTIONS, SOURCES, STATUSES

RULEBOOK = mk.Rulebook.load()
SHIPPED = Path(marketable.rulebook.__file__).parent


@pytest.mark.parametrize(("edition", "source"), list(itertools.product(reference.EDITIONS, SOURCES)))
def test_every_edition_source_switch_state_and_contact_has_the_one_documented_answer(
    edition: dt.date, source: str
) -> None:
    rule, documented = RULEBOOK.on(edition)[source], reference.rule_on(source, edition)
    for on in (True, False):
        created = documented.default
        if documented.switch:
            created = "marketing" if on else "non-marketing"
        assert rule.when_created(on) == created
        assert created in STATUSES
        assert (rule.upgrades_existing and on) == (documented.upgrades_existing and on)
    assert rule.switch == documented.switch
    assert rule.default_on == (documented.default == "marketing")


def test_the_rulebook_knows_the_editions_and_the_sources_of_the_specification_and_no_others() -> None:
    assert RULEBOOK.editions == reference.EDITIONS
    assert set(SOURCES) | {"not covered"} == set(reference.RULES)
    assert set(ACTIONS) == set(reference.ACTIONS)


@pytest.mark.parametrize("edition", RULEBOOK.editions)
def test_every_rule_names_the_page_it_was_read_in_and_how_far_to_trust_it(edition: dt.date) -> None:
    for rule in RULEBOOK.on(edition).values():
        assert rule.upgrades_existing == (rule.upgrade_reference is not None)
        for each in rule.references:
            assert each.title and each.read_in
            if each.trust == "H":
                assert each.link.startswith("https://knowledge.hubspot.com/")
            assert each.trust in ("H", "M") or (each.trust == "silent" and rule.default == "not covered")


@pytest.mark.parametrize(
    ("edition", "source", "default", "existing"),
    [
        ("2021-06-24", "mobile_app", "silent", None),
        ("2021-08-05", "mobile_app", "H", None),
        ("2021-08-05", "manual", "H", None),
        ("2021-08-05", "hubspot_form", "silent", None),
        ("2021-12-30", "hubspot_form", "H", "M"),
        ("2022-08-17", "hubspot_form", "H", "H"),
        ("2024-02-14", "hubspot_form", "H", "H"),
        ("2020-09-23", "non_hubspot_form", "H", None),
        ("2021-12-30", "non_hubspot_form", "M", "M"),
        ("2023-11-10", "non_hubspot_form", "M", "M"),
        ("2024-02-14", "non_hubspot_form", "H", "H"),
        ("2022-08-17", "import_multi_object", "M", None),
        ("2024-02-14", "import_multi_object", "H", None),
        ("2024-02-14", "import_single_object", "H", "M"),
        ("2024-02-14", "integration", "H", None),
    ],
)
def test_how_far_each_value_is_to_be_trusted(edition: str, source: str, default: str, existing: str | None) -> None:
    rule = RULEBOOK.on(edition)[source]
    assert rule.reference.trust == default
    assert (rule.upgrade_reference and rule.upgrade_reference.trust) == existing


def test_what_was_read_elsewhere_than_in_the_article_says_where() -> None:
    edition, article = RULEBOOK.on("2024-02-14"), RULEBOOK.on("2024-02-14")["chatflow"].reference
    assert "settings for your integrations" in edition["integration"].reference.title
    for elsewhere in (edition["integration"].reference, edition["import_single_object"].upgrade_reference):
        assert elsewhere.link != article.link and elsewhere.title != article.title
    assert "mirror" in RULEBOOK.on("2021-12-30")["hubspot_form"].upgrade_reference.read_in
    assert RULEBOOK.on("2021-07-01")["mobile_app"].reference.read_in == "2021-06-24"


def test_whoever_creates_a_contact_by_hand_may_tick_a_box_in_any_year() -> None:
    for edition in RULEBOOK.editions:
        assert [source for source, rule in RULEBOOK.on(edition).items() if rule.ticked] == ["manual"]
        assert RULEBOOK.on(edition)["manual"].ticked.trust == "M"


@pytest.mark.parametrize(
    ("rule", "trust"),
    [
        ("undo_by_hand", "M"),
        ("undo_by_tool", "assumption"),
        ("update_date_yearly", "M"),
        ("update_date_monthly", "H"),
        ("update_date_short_month", "assumption"),
    ],
)
def test_how_far_what_holds_after_creation_is_to_be_trusted(rule: str, trust: str) -> None:
    assert RULEBOOK.lifecycle[rule].reference.trust == trust


def test_a_day_belongs_to_the_newest_edition_on_or_before_it_and_before_the_first_to_the_first() -> None:
    assert RULEBOOK.on("2024-02-13").date == dt.date(2023, 11, 10)
    assert RULEBOOK.on("2024-02-14").date == dt.date(2024, 2, 14)
    assert RULEBOOK.on(dt.datetime(9999, 1, 1, 12)).date == RULEBOOK.editions[-1]
    assert RULEBOOK.on("2019-01-01").date == dt.date(2020, 9, 23)


def test_the_first_edition_and_all_changes_after_it_give_the_last() -> None:
    first, last = RULEBOOK.editions[0], RULEBOOK.editions[-1]
    facts = {(row.source, row.what): row.older for row in RULEBOOK.changes(first, last).itertuples()}
    for older, newer in itertools.pairwise(RULEBOOK.editions):
        for row in RULEBOOK.changes(older, newer).itertuples():
            assert facts.get((row.source, row.what), row.older) == row.older
            facts[row.source, row.what] = row.newer
    changed = {(row.source, row.what): row.newer for row in RULEBOOK.changes(first, last).itertuples()}
    assert {key: value for key, value in facts.items() if key in changed} == changed


def test_an_unknown_source_is_answered_with_the_nearest() -> None:
    with pytest.raises(mk.UnknownNameError, match="Did you mean 'hubspot_form'"):
        RULEBOOK.on("2024-02-14")["hubspot_from"]
    with pytest.raises(mk.UnknownNameError, match="Did you mean '2023-11-10'"):
        RULEBOOK.pinned("2023-11-11")
    with pytest.raises(mk.UnknownNameError, match="a date like"):
        RULEBOOK.on("yesterday")


def test_an_edition_is_readable_as_text_and_as_a_table() -> None:
    edition = RULEBOOK.on("2024-02-14")
    assert "hubspot_form" in repr(edition) and "one per form" in repr(edition)
    table = edition._repr_html_()
    assert table.count("<tr") == len(SOURCES) + 1
    assert "trust M" in table and "<script" not in table


# A source as its file could be, so that these tests hold whatever the next edition says.
WRITTEN = """\
name: Chatflows
one: a chatflow
asset: chatflow
where: the chatflow's Options tab
values:
  2020-09-23:
    default: marketing
    switch: asset
    reference:
      title: A page
      link: https://knowledge.hubspot.com/a-page
      read_in: 2020-09-23
      trust: H
    upgrades_existing:
      title: Another page
      read_in: 2020-09-23
      trust: M
  2023-06-28:
    default: not covered
    reference:
      title: A page
      link: https://knowledge.hubspot.com/a-page
      read_in: 2023-06-28
      trust: M
"""
BROKEN = {
    "an unknown key": ("    default:", "    defualt:", ["line 7", "'defualt'", "Did you mean 'default'"]),
    "a key that stands twice": ("name: ", "name: Bots\nname: ", ["line 2", "stands twice", "'name'"]),
    "a missing reference": ("    reference:", "    note:", ["line 9", "'note'", "reference"]),
    "a missing title": ("      title:", "      note:", ["line 9", "Expected a value for title"]),
    "trust H without a page": (
        "      link: https://knowledge.hubspot.com/a-page\n", "", ["line 9", "names it", "a link, or trust M"],
    ),
    "a date that is no edition": ("2020-09-23:", "2020-09-24:", ["line 6", "Did you mean '2020-09-23'"]),
    "a date that is none": ("2020-09-23:", "2020-02-30:", ["no such day", "'2020-02-30'", "line 6"]),
    "a default that is no status": ("default: marketing", "default: marketin", ["line 7", "'marketin'"]),
    "a trust that is none": ("trust: H", "trust: X", ["line 13", "'X'", "'H', 'M'"]),
    "a fixed default that upgrades": ("    switch: asset\n", "", ["line 6", "Only a switch upgrades"]),
    "values out of order": ("2020-09-23:", "2024-02-14:", ["not in order"]),
    "the same edition twice": ("2023-06-28:", "2020-09-23:", ["stands twice", "'2020-09-23'"]),
    "a switch without a rule": (
        "default: not covered", "default: not covered\n    switch: asset", ["no switch", "not covered"],
    ),
}  # fmt: skip


def test_a_file_as_it_could_be_is_read(tmp_path: Path) -> None:
    shutil.copytree(SHIPPED, tmp_path / "rulebook")
    (tmp_path / "rulebook" / "sources" / "chatflow.yaml").write_text(WRITTEN, encoding="utf-8")
    rule = mk.Rulebook.load(tmp_path / "rulebook").on("2022-01-01")["chatflow"]
    assert (rule.default, rule.switch, rule.upgrades_existing) == ("marketing", "asset", True)
    assert str(rule.upgrade_reference) == (
        "“Another page”, read in 2020-09-23 (trust M: one first-hand source, or a direct consequence of what was read)"
    )


@pytest.mark.parametrize("fault", BROKEN)
def test_a_file_with_a_fault_is_refused_and_the_message_says_where(fault: str, tmp_path: Path) -> None:
    before, after, words = BROKEN[fault]
    folder = tmp_path / "rulebook"
    shutil.copytree(SHIPPED, folder)
    assert before in WRITTEN
    broken = WRITTEN.replace(before, after, 1)
    (folder / "sources" / "chatflow.yaml").write_text(broken, encoding="utf-8")
    with pytest.raises(mk.RulebookError) as refused:
        mk.Rulebook.load(folder)
    message = str(refused.value)
    assert [word for word in ["chatflow.yaml", *words] if word not in message] == [], message


def test_a_source_without_a_file_and_a_file_without_a_source_are_refused(tmp_path: Path) -> None:
    folder = tmp_path / "rulebook"
    shutil.copytree(SHIPPED, folder)
    chatflow = folder / "sources" / "chatflow.yaml"
    chatflow.rename(chatflow.with_name("chatflows.yaml"))
    with pytest.raises(mk.RulebookError, match=r"chatflows\.yaml.*Did you mean 'chatflow'"):
        mk.Rulebook.load(folder)
    (folder / "sources" / "chatflows.yaml").unlink()
    with pytest.raises(mk.RulebookError, match="has no file: 'chatflow'"):
        mk.Rulebook.load(folder)


def test_a_copy_of_the_shipped_rulebook_reads_the_same(tmp_path: Path) -> None:
    shutil.copytree(SHIPPED, tmp_path / "rulebook")
    copy = mk.Rulebook.load(tmp_path / "rulebook")
    for edition in RULEBOOK.editions:
        assert dict(copy.on(edition)) == dict(RULEBOOK.on(edition))
