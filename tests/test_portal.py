"""portal.yaml: as people write it, checked whole, and back again whatever the names are."""

from __future__ import annotations

import datetime as dt
import os
import stat
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import marketable as mk
from batches import portals
from marketable import paths
from marketable.paths import write_whole

CONTRACT = """
time_zone: Europe/Berlin
access_since: 2021-03-01
subscription: {hub: professional, commitment: yearly, renewal: 2026-07-01, tier: 2000}
switches: {hubspot_form: {Newsletter: on, Demo request: off}, non_hubspot_form: on,
           integration: {Eventbrite: [{from: 2024-03-10, switch: on}]}}
"""
NAMES = [
    "a/b", "a: b", "it's", '"q"', "🎉", "Événement été", " a ", "12", "012", "1:30", "No", "on", "true", "null",
    "~", "", "#x", "- x", "? x", "a\nb", "\t", "[x]", "{x}", "&a", "*a", "!x", "=", "<<", "a" * 300,
]  # fmt: skip


def test_the_example_of_the_contract_is_read_as_it_is_meant() -> None:
    portal = mk.Portal.of_text(CONTRACT)
    assert portal.time_zone == "Europe/Berlin"
    assert portal.access_since == dt.date(2021, 3, 1)
    assert portal.subscription.tier == 2000
    assert portal.is_on("hubspot_form/Newsletter") is True
    assert portal.is_on("hubspot_form/Demo request") is False
    assert portal.is_on("non_hubspot_form") is True
    assert portal.is_on("integration/Eventbrite", dt.datetime(2024, 3, 9)) is None
    assert portal.is_on("integration/Eventbrite", dt.datetime(2024, 3, 10)) is True
    assert portal.is_on("chatflow/never listed") is None


@pytest.mark.parametrize(
    ("written", "meant"),
    [*[(w, True) for w in ("on", "On", "TRUE", "yes", "'on'")], *[(w, False) for w in ("off", "False", "no")]],
)
def test_on_and_off_are_read_as_people_write_them(written: str, meant: bool) -> None:
    assert mk.Portal.of_text(f"switches: {{hubspot_form: {{A: {written}}}}}").is_on("hubspot_form/A") is meant


@pytest.mark.parametrize("name", NAMES)
def test_a_name_comes_back_as_it_was_whatever_it_looks_like(name: str, tmp_path: Path) -> None:
    portal = mk.Portal(
        switches={"hubspot_form": {name: "off"}, "integration": {name: [{"from": "2024-03-10", "switch": "on"}]}}
    )
    portal.save(tmp_path / "portal.yaml")
    assert mk.Portal.load(tmp_path / "portal.yaml") == portal
    assert next(iter(portal.switches)) == f"hubspot_form/{name}"


_texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


@pytest.mark.parametrize("name", ["\x85", "a\x85b", "\u2028 ", "a\u2029b", "a\n\x85 b"])
def test_line_breaks_that_only_unicode_knows_survive_in_a_forms_name(name: str) -> None:
    portal = mk.Portal(switches={"hubspot_form": {name: True}})
    assert mk.Portal.of_text(portal.text()) == portal


@given(portals, st.dictionaries(_texts, st.booleans(), max_size=5))
def test_saving_and_loading_gives_the_portal_back(settings: dict[str, Any], forms: dict[str, bool]) -> None:
    settings["switches"] = settings["switches"] | {"hubspot_form": forms}
    portal = mk.Portal(**settings)
    assert mk.Portal.of_text(portal.text()) == portal


WRONG = {
    "timezone: UTC": "'timezone'.*line 1.*Did you mean 'time_zone'",
    "time_zone: Europe/Berlim": "line 1.*Did you mean 'Europe/Berlin'",
    "switches:\n  hubspot_from: {A: on}": "line 2.*Did you mean 'hubspot_form'",
    "switches:\n  meetings_link: on": "no switch.*line 2",
    "switches:\n  hubspot_form: on": "a switch per asset.*line 2.*hubspot_form/name",
    "switches:\n  non_hubspot_form: {A: on}": "one switch for the account.*line 2",
    "switches:\n  hubspot_form:\n    A: onn": "on or off: 'onn'.*line 3",
    "switches:\n  hubspot_form:\n    A: on\n    A: off": "stands twice: 'A'.*line 4",
    "switches:\n  chatflow:\n    A: [{form: 2024-03-10, switch: on}]": "line 3.*Did you mean 'from'",
    "switches:\n  chatflow:\n    A: [{from: 10.3.2024, switch: on}]": "not a date: '10.3.2024'.*line 3",
    "switches:\n  chatflow:\n    A: []": "must not be empty",
    "switches:\n  chatflow:\n    A: [{from: 2024-03-10, switch: on}, {from: 2024-03-10, switch: off}]": "same moment",
    "subscription: {tier: 2_000}": "not a number of contacts: '2_000'",
    "subscription: {tier: 0}": "greater than 0",
    "subscription: {commitment: monthly}": "needs its renewal day",
    "subscription: {comitment: monthly}": "Did you mean 'commitment'",
    "subscription: {hub: pro}": "'professional'.*'pro'",
    "access_since: 2021-02-30": "no such day: '2021-02-30'",
    "access_since: &day 2021-02-03": "Anchors",
    "a: [": "not YAML.*line 1",
    "\t- a": "not YAML",
    "- UTC": "Names with values",
    "? {a: b}\n: c": "plain text",
    "a: " + "[" * 2000: "not YAML|nested too deeply",
}


@pytest.mark.parametrize("text", WRONG)
def test_what_is_wrong_is_refused_with_its_line_and_the_nearest_name(text: str) -> None:
    with pytest.raises(mk.PortalError, match=f"(?s){WRONG[text]}"):
        mk.Portal.of_text(text)


def test_a_portal_made_in_code_is_checked_as_well() -> None:
    with pytest.raises(mk.PortalError, match="Did you mean 'hubspot_form'"):
        mk.Portal(switches={"hubspot_form_": {"A": True}})
    with pytest.raises(mk.PortalError, match="has no switch"):
        mk.Portal().with_switches({"mobile_app": True})
    with pytest.raises(mk.PortalError, match="True or False"):
        mk.Portal().with_switches({"hubspot_form/A": "off"})


def test_a_missing_file_and_a_binary_one_are_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(mk.PortalError, match=r"portal\.yaml"):
        mk.Portal.load(tmp_path / "portal.yaml")
    (tmp_path / "portal.yaml").write_bytes(b"\xff\xfe\x00\x81")
    with pytest.raises(mk.PortalError, match="not text in UTF-8"):
        mk.Portal.load(tmp_path / "portal.yaml")


def test_a_flip_replaces_a_switchs_whole_history_and_no_other() -> None:
    portal = mk.Portal.of_text(CONTRACT)
    flipped = portal.with_switches({"integration/Eventbrite": False, "chatflow/new": True})
    assert flipped.is_on("integration/Eventbrite", dt.datetime(2025, 1, 1)) is False
    assert flipped.is_on("chatflow/new", dt.datetime(2000, 1, 1)) is True
    assert flipped.is_on("hubspot_form/Newsletter") is True
    assert portal.is_on("integration/Eventbrite") is True


def test_a_save_that_fails_leaves_the_old_file_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "portal.yaml"
    mk.Portal(time_zone="Europe/Berlin").save(path)
    monkeypatch.setattr(Path, "replace", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        mk.Portal(time_zone="UTC").save(path)
    assert mk.Portal.load(path).time_zone == "Europe/Berlin"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("nameless", [True, False])
def test_what_is_written_is_there_whole_alone_and_as_private_as_the_user_wants_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, nameless: bool
) -> None:
    if not nameless:  # as on systems that have no files without a name
        monkeypatch.setattr(paths, "_nameless", lambda _: None)
    before = os.umask(0o077)
    try:
        for content in (b"first", b"", b"third"):
            write_whole(tmp_path / "file", content)
            assert (tmp_path / "file").read_bytes() == content
    finally:
        os.umask(before)
    assert list(tmp_path.iterdir()) == [tmp_path / "file"]
    if os.name == "posix":
        assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o600


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a hidden part of a file may be left")
def test_who_is_killed_while_writing_leaves_no_part_of_a_file(tmp_path: Path) -> None:
    size, path = 10_000_000, tmp_path / "file"
    write = "import sys; from marketable.paths import write_whole; print(flush=True)"
    forever = f"\nwhile True: write_whole(sys.argv[1], bytes({size}))"
    for after in (0.01, 0.023, 0.047, 0.1):
        process = subprocess.Popen([sys.executable, "-c", write + forever, str(path)], stdout=subprocess.PIPE)
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(after)
        process.kill()
        process.communicate()
        assert {each.stat().st_size for each in tmp_path.iterdir()} <= {size}
    assert path in tmp_path.iterdir()
