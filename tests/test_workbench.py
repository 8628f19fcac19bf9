"""The workbench without a browser: set a widget, and read what is shown and saved."""

from __future__ import annotations

import datetime as dt
import html
import io
import re
import tempfile
import zipfile
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import ipywidgets
import pandas as pd
import pytest
from traitlets import Bunch

import marketable as mk
from batches import settings_of
from firm import BOUNCED, CONTACTS, DATA, EXPORT, MARKETING, WAITING
from marketable.errors import DataError
from marketable.exports import ColumnMapping
from marketable.exports.opening import open_file
from marketable.paths import SAVED
from marketable.views import audited, charts, choosing, handing, switch_list, words
from marketable.views.tables import csv, html_table
from marketable.workbench import Workbench, basis, opening, parts, telling
from marketable.workbench.ahead import Ahead
from marketable.workbench.basis import Basis
from marketable.workbench.chart import by_explanation
from marketable.workbench.data import Data
from marketable.workbench.page import FILE, NAMES
from marketable.workbench.switches import Switches
from marketable.workbench.to_do import ToDo
from marketable.workbench.why import Why
from marketable.workbench.work import MADE_UP
from reference import reference_decide

PORTAL = mk.Portal.load(DATA / "portal.yaml")
NEWSLETTER = "hubspot_form/Newsletter"
HEADER = "Record ID,Email,Create Date,Record source,Record source detail 1,Marketing contact status"
HOSTILE = ["<img src=x onerror=alert(1)>", "$x^2$", "=1+1", "two\nlines", "</pre><script>alert(1)</script>"]
INPUTS = (
    ipywidgets.Text, ipywidgets.Textarea, ipywidgets.BoundedIntText, ipywidgets.BoundedFloatText, ipywidgets.Dropdown,
    ipywidgets.Checkbox, ipywidgets.Button, ipywidgets.FileUpload, ipywidgets.DatePicker,
)  # fmt: skip


_READ: dict[str, Any] = {}
_AUDITED: dict[tuple[str, ...], mk.Audit] = {}


@pytest.fixture(autouse=True)
def nothing_kept(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No test finds the work of another; the samples are read, and audited under each account, once for all."""

    def once(path: Any, **options: Any) -> Any:
        if not isinstance(path, Path) or path.parent != DATA or options["mapping"]:
            return open_file(path, **options)
        if path.name not in _READ:
            _READ[path.name] = open_file(path)
        return _READ[path.name]

    def audited_once(export: mk.Export, portal: mk.Portal, **options: Any) -> mk.Audit:
        name = next((name for name, read in _READ.items() if read.export is export), None)
        if name is None:
            return mk.audit(export, portal, **options)
        asked = name, repr(portal), repr(options)
        if asked not in _AUDITED:
            _AUDITED[asked] = mk.audit(export, portal, **options)
        return _AUDITED[asked]

    monkeypatch.setattr(opening, "open_file", once)
    monkeypatch.setattr(basis, "audit", audited_once)
    yield
    (SAVED / FILE).unlink(missing_ok=True)


@pytest.fixture
def bench(tmp_path: Path) -> Workbench:
    """The workbench over the sample touches."""
    return opened(DATA / "touches.csv", saved=tmp_path)


@pytest.fixture
def sample(tmp_path: Path) -> Workbench:
    """The workbench over the sample export."""
    return opened(EXPORT, saved=tmp_path)


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch) -> Workbench:
    """The workbench in the app, before anything is open."""
    monkeypatch.setenv("SERVER_SOFTWARE", "voila/0.5.13")
    return Workbench(own=True)


def opened(*paths: Path, saved: Path) -> Workbench:
    made = Workbench(own=True)
    made.save_to.value = str(saved / "saved")
    if paths[0].parent == DATA:
        made.opening.choice.value = str(paths[0])
    else:
        read(made, *paths)
    return made


def read(bench: Workbench, *paths: Path) -> None:
    bench.opening.choice.value = choosing.BY_PATH
    bench.opening.paths.value = "\n".join(map(str, paths))
    bench.opening.read_paths.click()


def upload(widget: ipywidgets.FileUpload, *files: tuple[str, bytes]) -> None:
    now = dt.datetime.now(dt.UTC)
    widget.value = tuple(
        Bunch(name=name, content=memoryview(content), type="", size=len(content), last_modified=now)
        for name, content in files
    )


def page(bench: Workbench, name: str) -> Any:
    bench.open_page(name)
    return bench.pages[name]


def text(bench: Workbench, place: str) -> str:
    return " ".join(html.unescape(re.sub("<[^>]*>", " ", bench.at[place].value)).split())


def is_shown(widget: Any) -> bool:
    return bool(widget.layout.display != "none")


def all_of(widget: Any) -> list[Any]:
    return [widget, *(each for child in getattr(widget, "children", ()) for each in all_of(child))]


def flip(bench: Workbench, name: str = NEWSLETTER) -> None:
    box = page(bench, "Switches").switches.rows[name][0]
    box.value = not box.value


def written(path: Path, rows: list[str]) -> Path:
    path.write_text("\n".join(rows))
    return path


def downloaded(bench: Workbench, place: str) -> bytes:
    (content,) = re.findall(r'href="data:[a-z/]+;base64,([^"]*)"', bench.at[place].value)
    return b64decode(content)


def reference_counts(touches: pd.DataFrame, portal: mk.Portal) -> dict[str, int]:
    """Contacts by status, by the slow reference."""
    rows = touches.astype({"source": str, "asset": str}).to_dict("records")
    outcome = reference_decide(
        [row | {"occurred_at": row["occurred_at"].to_pydatetime()} for row in rows], settings_of(portal)
    )
    found = [contact["status"] for contact in outcome.contacts.values()]
    return {status: found.count(status) for status in ("marketing", "non-marketing", "not covered")}


# ---- one state, one number ----


def test_made_up_data_open_on_switches_and_an_export_on_why_and_pages_are_built_when_they_are_looked_at(
    sample: Workbench,
) -> None:
    assert list(Workbench().pages) == ["Switches"] and list(sample.pages) == ["Why"]
    assert text(sample, "open") == f"{EXPORT.name} · account: portal.yaml · as of 31 October 2026"
    for name in NAMES:
        page(sample, name)
    assert set(sample.pages) == set(NAMES) and sample.at["error"].value == ""


@pytest.mark.parametrize("tier", [MARKETING - 1, MARKETING, MARKETING + 1])
def test_every_page_stands_on_hubspots_own_count(sample: Workbench, tier: int) -> None:
    sample.opening.account.tier.value = tier
    for name in NAMES:
        page(sample, name)
    against = {-1: "1 over the tier", 0: "exactly the tier", 1: "1 below the tier"}[tier - MARKETING]
    assert f"HubSpot counts {MARKETING} of {CONTACTS:,} contacts as marketing; {against}" in text(sample, "headline")
    assert ("mk-over" in sample.at["headline"].value) == (tier < MARKETING)
    switches: Switches = sample.pages["Switches"]
    assert (
        switches.counts.iloc[-1]["marketing"] == MARKETING and switches.counts["marketing"].iloc[:-1].sum() == MARKETING
    )
    assert f" of {MARKETING}." in switches.charts["source-chart"].alt
    assert f"to {MARKETING:,} on 31 October 2026" in switches.charts["time-chart"].alt
    assert f" of {MARKETING} marketing contacts" in sample.at["chart"].value
    assert telling.counts(sample.work.basis.audit).iloc[-1].tolist() == [
        "Total", MARKETING, CONTACTS - MARKETING, CONTACTS,
    ]  # fmt: skip
    assert text(sample, "ahead").startswith(f"{MARKETING:,} marketing contacts on 31 October 2026 as HubSpot counts")
    (explained,) = re.findall(r"(\d+) of them are so by the rules", text(sample, "headline"))
    assert f"Of {MARKETING} marketing contacts {explained} are so by the rules" in text(sample, "why")


@pytest.mark.parametrize(("tier", "renewal"), [(MARKETING - 1, "2026-07-01"), (MARKETING, "2026-07-01"), (700, None)])
def test_why_says_since_when_the_account_was_over_its_tier_and_what_created_its_marketing_contacts(
    sample: Workbench, tier: int, renewal: str | None
) -> None:
    account = sample.work.basis.portal.model_copy(update={"subscription": mk.Subscription(tier=tier, renewal=renewal)})
    sample.set_account(account)
    in_term = sample.work.basis.past.loc["2026-07-01" if renewal else "2025-10-31" :]  # without a renewal, a year
    over = in_term.index[in_term > tier]
    said = text(sample, "why")
    assert ("not over its tier" in said) == (tier == MARKETING) == (not len(over))
    if len(over):
        assert f"It was over the tier first on {over[0]:%-d %B %Y}, and one day over upgrades the bill" in said
    assert ("renewal" in said) == bool(renewal and len(over)), "no renewal is named that nobody said"
    created = sample.work.basis.audit.own["marketing"]
    assert f"HubSpot forms ({created['hubspot_form']})" in said and created.idxmax() == "hubspot_form"


def test_a_flip_of_an_export_is_told_on_top_of_hubspots_count_and_is_the_same_wherever_it_stands(
    sample: Workbench,
) -> None:
    flip(sample)
    basis, flips = sample.work.basis, sample.work.flips
    now = int(basis.counts(flips)["marketing"])
    gone = basis.what_if.counts()["marketing"] - basis.what_if.counts(flips)["marketing"]
    assert now == MARKETING - gone
    assert f"with these flips {now}, {gone} fewer" in text(sample, "headline")
    switches: Switches = sample.pages["Switches"]
    assert switches.counts.iloc[-1]["marketing"] == now == basis.by_day(flips).iloc[-1]
    assert f"({gone})" in str(page(sample, "To do").whom.options[-1])


def test_the_headline_and_the_table_show_what_the_slow_reference_computes(bench: Workbench) -> None:
    touches, switches = bench.work.basis.opened.touches, page(bench, "Switches")
    before = reference_counts(touches, bench.work.portal)
    assert f"{before['marketing']:,} of {sum(before.values()):,} contacts are marketing" in text(bench, "headline")
    flip(bench)
    now = reference_counts(touches, bench.work.portal)
    assert now["marketing"] < before["marketing"]
    assert f"{now['marketing']:,}, {before['marketing'] - now['marketing']:,} fewer" in text(bench, "headline")
    total = switches.counts.iloc[-1]
    assert (total["marketing"], total["without the flips"]) == (now["marketing"], before["marketing"])
    assert total["not covered"] == now["not covered"]
    assert bench.work.basis.what_if.switches.loc[NEWSLETTER, "sole"] == before["marketing"] - now["marketing"]


def test_an_export_without_what_created_contacts_gets_no_count_by_the_rules(tmp_path: Path) -> None:
    bench = opened(written(tmp_path / "plain.csv", ["Record ID,Create Date", "1,2024-03-01 10:00"]), saved=tmp_path)
    assert text(bench, "error") == ""
    assert "neither who is a marketing contact nor what created" in text(bench, "headline")
    assert "Record source" in text(bench, "headline") and "is marketing" not in text(bench, "headline")


def test_the_form_for_data_and_account_is_opened_and_closed_by_one_button_that_says_which() -> None:
    bench = Workbench(own=True)
    assert bench.change.layout.display == "none", "nothing is open that could be changed"
    bench.opening.choice.value = MADE_UP
    for said, form in (("Change", "none"), ("Done", ""), ("Change", "none")):
        assert (bench.change.description, bench.opening.layout.display) == (said, form)
        bench.change.click()


def test_where_the_sample_cannot_be_opened_the_form_can(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise DataError("The sample is gone")

    monkeypatch.setattr(opening, "sample_touches", broken)
    bench = Workbench()
    assert "The sample is gone" in bench.at["error"].value and bench.change.layout.display != "none"
    bench.change.click()
    assert bench.opening.layout.display != "none"


def test_a_tab_stays_the_same_when_its_page_is_built(sample: Workbench) -> None:
    tabs = sample.tabs.children
    for name in NAMES:
        page(sample, name)
    assert sample.tabs.children == tabs and [tab.children for tab in tabs] == [(sample.pages[name],) for name in NAMES]


def test_an_own_file_is_judged_by_no_made_up_account_unless_that_is_chosen(tmp_path: Path) -> None:
    touches = written(
        tmp_path / "touches.csv",
        ["contact_id,occurred_at,source,asset", "1,2026-03-01 10:00,hubspot_form,Demo request"],
    )
    bench = Workbench()
    assert bench.work.basis.tier == 2_000
    read(bench, touches)
    assert "1 of 1 contact is marketing" in text(bench, "headline"), "the made-up firm has this form off"
    assert bench.work.basis.tier is None and "account: none entered, every switch as HubSpot sets it at first" in text(
        bench, "open"
    )
    bench.opening.account.file.choice.value = str(DATA / "portal.yaml")
    assert "0 of 1 contact is marketing" in text(bench, "headline")
    read(bench, touches)
    assert "0 of 1 contact is marketing" in text(bench, "headline"), "what was chosen stays"


# ---- switches ----


def test_flips_are_undone_and_done_again_one_by_one(bench: Workbench) -> None:
    switches: Switches = page(bench, "Switches")
    assert switches.undo.disabled and switches.redo.disabled
    flip(bench)
    flip(bench, "non_hubspot_form")
    after = bench.work.flips
    switches.undo.click()
    assert bench.work.flips == {NEWSLETTER: False}
    switches.undo.click()
    assert bench.work.flips == {} and switches.switches.rows[NEWSLETTER][0].value is True
    switches.redo.click()
    switches.redo.click()
    assert bench.work.flips == after and switches.redo.disabled
    switches.undo.click()
    flip(bench)
    assert switches.redo.disabled, "another way was taken"


def test_all_on_all_off_and_reset_set_what_the_search_finds(bench: Workbench) -> None:
    switches: Switches = page(bench, "Switches")
    switches.all_on.click()
    assert all(bench.work.states.values())
    switches.all_off.click()
    assert not any(bench.work.states.values())
    switches.own.click()
    assert bench.work.flips == {} and bench.work.portal == PORTAL
    switches.switches.search.value = "webinar"
    switches.all_off.click()
    assert bench.work.flips and all("Webinar" in name for name in bench.work.flips)
    switches.switches.search.value = ""
    assert NEWSLETTER in switches.switches.rows


def test_flips_count_from_the_chosen_day_and_what_was_before_stays(bench: Workbench) -> None:
    flip(bench)
    touches = bench.work.basis.opened.touches
    from_the_start = reference_counts(touches, bench.work.portal)["marketing"]
    page(bench, "Switches").since.value = dt.date(2025, 6, 1)
    since_june = reference_counts(touches, bench.work.portal)["marketing"]
    assert from_the_start < since_june < bench.work.basis.counts({})["marketing"]
    assert f"with these flips {since_june:,}" in text(bench, "headline")


def test_settings_stand_side_by_side_under_their_names_and_are_set_again(bench: Workbench) -> None:
    switches: Switches = page(bench, "Switches")
    switches.keep.click()
    assert "has no name yet" in text(bench, "settings")
    flip(bench)
    switches.name_it.value = "no newsletter"
    switches.keep.click()
    switches.own.click()
    without = int(bench.work.basis.counts({NEWSLETTER: False})["marketing"])
    own = int(bench.work.basis.counts({})["marketing"])
    shown = text(bench, "settings")
    assert f"as the account has them {own:,} 0" in shown and f"no newsletter {without:,} {without - own}" in shown
    switches.use.click()
    assert bench.work.flips == {NEWSLETTER: False}
    switches.forget.click()
    assert not is_shown(switches.again) and "no newsletter" not in text(bench, "settings")


def test_what_would_have_kept_within_the_tier_is_set_at_once_leaves_alone_what_it_must_and_is_undone(
    bench: Workbench,
) -> None:
    switches: Switches = page(bench, "Switches")
    flip(bench)
    switches.limit.value = 300
    switches.find.click()
    planned = bench.work.basis.what_if.plan(300)
    assert bench.work.flips == planned.flips and planned.within and "300" in text(bench, "plan")
    touches = bench.work.basis.opened.touches
    assert reference_counts(touches, bench.work.portal)["marketing"] == planned.marketing <= 300
    switches.undo.click()
    assert bench.work.flips == {NEWSLETTER: False}
    turned_off = next(iter(planned.flips))
    switches.switches.show_detail(turned_off)
    switches.alone.value = True
    switches.find.click()
    assert turned_off not in bench.work.flips and "Left alone: 1 switch." in text(bench, "plan")
    switches.limit.value = 0
    switches.find.click()
    assert "cannot be met" in text(bench, "plan")


def test_the_history_of_a_switch_is_changed_where_it_stands(bench: Workbench) -> None:
    switches: Switches = page(bench, "Switches")
    switches.switches.rows["integration/Eventbrite"][2].click()
    assert "The account has it off from the start, then on from 6 October 2025." in text(bench, "history")
    before = int(bench.work.basis.counts({})["marketing"])
    switches.state.value, switches.from_day.value = "off", dt.date(2025, 11, 1)
    switches.put.click()
    assert bench.work.basis.portal.switches["integration/Eventbrite"][-1] == (dt.datetime(2025, 11, 1), False)
    assert int(bench.work.basis.counts({})["marketing"]) < before and bench.work.flips == {}
    assert "then off from 1 November 2025" in text(bench, "history") and "(changed here)" in text(bench, "open")


def test_of_very_many_switches_those_that_reach_the_most_are_shown_and_the_rest_is_counted(tmp_path: Path) -> None:
    forms = [f"Form {number}" for number in range(600) for _ in range(1 + number % 3)]
    path = tmp_path / "forms.csv"
    columns = {"contact_id": range(len(forms)), "occurred_at": "2025-01-01", "source": "hubspot_form", "asset": forms}
    pd.DataFrame(columns).to_csv(path, index=False)
    shown = page(opened(path, saved=tmp_path), "Switches").switches
    assert len(shown.rows) == switch_list.MOST
    assert f"{switch_list.MOST} that reach the most contacts, of 6" in shown.note.value
    shown.search.value = "Form 599"
    assert list(shown.rows) == ["hubspot_form/Form 599"]


def test_tools_without_a_switch_say_why_some_of_their_contacts_are_marketing(bench: Workbench) -> None:
    page(bench, "Switches")
    assert re.search(r"Imports of several objects or files \d+, \d+ of them marketing", text(bench, "locked"))


def test_searching_and_choosing_data_leaves_no_widgets_behind(bench: Workbench) -> None:
    def models() -> int:
        bench.opening.choice.value = str(EXPORT)
        page(bench, "Switches").switches.search.value = "webinar"
        bench.pages["Switches"].switches.search.value = ""
        bench.opening.choice.value = str(DATA / "touches.csv")
        page(bench, "Switches")
        return len(ipywidgets.widgets.widget._instances)

    for name in NAMES:
        page(bench, name)
    assert models() == models()


# ---- why ----


def test_the_planted_switches_look_otherwise_and_each_is_taken_over_with_one_click(sample: Workbench) -> None:
    why: Why = sample.pages["Why"]
    assert list(why.take_over) == ["hubspot_form/Pricing enquiry", "integration/Shopware"]
    told = " ".join(html.unescape(each.value) for each in all_of(why) if isinstance(each, ipywidgets.HTML))
    assert "HubSpot forms: Pricing enquiry: looks on; the account says off." in told
    assert re.search(r"Shopware: looks on since \d+ \w+ 2025, off before; the account says off", told)
    assert "the form's Options tab" in told and "The other switches: 23 look as the account says" in told
    seems = sample.work.basis.audit.portal  # type: ignore[union-attr]
    why.take_over["integration/Shopware"].click()
    assert list(why.take_over) == ["hubspot_form/Pricing enquiry"]
    assert sample.work.basis.portal.switches["integration/Shopware"] == seems.switches["integration/Shopware"]
    why.take_over["hubspot_form/Pricing enquiry"].click()
    assert not why.take_over and sample.work.basis.portal == seems
    assert text(sample, "taken") == "1 switch is now set in the account as the contacts show."
    sample.give_back.click()
    assert list(why.take_over) == ["hubspot_form/Pricing enquiry"] and not is_shown(sample.taken)


def test_what_was_taken_over_is_given_back_with_the_flips_and_the_settings_that_it_took_away(sample: Workbench) -> None:
    why: Why = sample.pages["Why"]
    taken = "hubspot_form/Pricing enquiry"
    sample.work.set({taken: True})
    sample.work.kept["mine"] = sample.work.now
    before = sample.work.now, dict(sample.work.kept), sample.what_is_open
    why.take_over[taken].click()
    assert sample.work.now.flips == sample.work.kept["mine"].flips == {}
    sample.give_back.click()
    assert (sample.work.now, sample.work.kept, sample.what_is_open) == before
    why.take_over[taken].click()
    sample.opening.account.tier.value = 700
    assert not is_shown(sample.taken), "the account is another one now"


def test_on_switches_one_click_takes_over_all_that_look_otherwise(sample: Workbench) -> None:
    seems, switches = sample.work.basis.audit.portal, page(sample, "Switches")  # type: ignore[union-attr]
    assert text(sample, "differing").startswith("2 switches look otherwise than the account says: ")
    switches.every.click()
    assert sample.work.basis.portal == seems
    assert not any(is_shown(each) for each in switches.children if switches.every in all_of(each))


def test_without_an_export_to_do_opens_the_sample_with_one_click(bench: Workbench, sample: Workbench) -> None:
    todo: ToDo = page(bench, "To do")
    assert is_shown(todo.open_sample) and not is_shown(page(sample, "To do").open_sample)
    todo.open_sample.click()
    assert text(bench, "headline") == text(sample, "headline")


def test_on_top_of_to_do_stands_whom_to_release_until_when_it_counts_and_what_it_saves(sample: Workbench) -> None:
    sample.opening.account.tier.value = 700
    todo: ToDo = page(sample, "To do")
    assert todo.limit.value == 700
    released = int(sample.work.basis.advice(700).steps["contacts"].sum())
    said = rf"(Set {released} contacts as non-marketing( and turn off .*)?; done today, they count until|Turn off \d)"
    assert re.match(said, text(sample, "advice"))
    assert "What it saves is not known: enter under Change what" in text(sample, "advice")
    account = sample.opening.account
    account.included.value, account.step.value, account.monthly.value = 200, 100, 45.0
    advice = sample.work.basis.advice(700)
    assert advice.money and advice.text.endswith(advice.money)
    page(sample, "To do")
    assert text(sample, "advice").count(words.dated(advice.money)) == 1


def test_an_old_export_says_so_and_who_is_released_today_counts_until_a_day_to_come(
    sample: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Basis, "today", dt.date(2027, 1, 15))
    todo: ToDo = page(sample, "To do")
    todo.limit.value = 700
    assert "done today, they count until 1 February 2027" in text(sample, "advice")
    assert "The export is of 31 October 2026, 76 days ago" in text(sample, "advice")
    assert "the next update date, 1 February 2027" in text(sample, "ids")
    todo.limit.value = 2_000
    assert re.search("There is nothing to do: .* 76 days ago", text(sample, "advice"))
    monkeypatch.setattr(Basis, "today", dt.date(2026, 11, 2))
    todo.limit.value = 700
    assert "they count until 1 December 2026" in text(sample, "advice") and "2 days ago" in text(sample, "advice")


def test_without_a_tier_to_do_asks_for_it(sample: Workbench) -> None:
    todo: ToDo = page(sample, "To do")
    todo.limit.value = 0
    assert text(sample, "advice").startswith("Enter your tier, here or under Change")


def test_the_parts_of_the_explanation_sum_to_the_count(sample: Workbench) -> None:
    parts = re.findall(
        r"(\d[\d,]*) (?:are so by the rules|through a switch|through what|through something|for one of|created by)",
        text(sample, "why"),
    )
    assert sum(int(part.replace(",", "")) for part in parts) == MARKETING
    chart = by_explanation(sample.work.basis.audit.counts)  # type: ignore[union-attr]
    assert re.search(r"as expected: \d+ marketing, \d+ non-marketing", chart.alt)


def test_one_contact_is_explained_and_the_explanation_follows_the_flips(sample: Workbench) -> None:
    why: Why = sample.pages["Why"]
    why.example_of.value = "a switch is not as the portal says"
    why.example.click()
    told = text(sample, "explanation")
    assert "is marketing; expected: non-marketing. Explanation: a switch is not as the account says." in told
    assert "How far to trust it: inferred from the other contacts" in told and "seems to have been on" in told
    first = why.about.value
    email = sample.work.basis.opened.export.emails[first]  # type: ignore[union-attr]
    why.about.value = email.upper()
    assert text(sample, "explanation") == told
    flip(sample, "hubspot_form/Pricing enquiry")
    page(sample, "Why")
    assert "By the rules, with the switches as they are set now, it would be" in text(sample, "explanation")
    why.about.value = "nobody@example.com"
    assert "no such contact" in text(sample, "explanation")
    why.example.click()
    assert why.about.value != first


def test_without_statuses_one_contact_is_explained_by_what_decided(bench: Workbench) -> None:
    why: Why = page(bench, "Why")
    why.example_of.value = NEWSLETTER
    why.example.click()
    assert "decided by HubSpot forms: Newsletter" in text(bench, "explanation")
    assert "mk-source" in bench.at["explanation"].value, "where it was read is folded behind a mark"


def test_no_contact_is_named_unless_asked(sample: Workbench) -> None:
    for name in NAMES:
        page(sample, name)
    shown = " ".join(
        [*(str(widget.value) for widget in all_of(sample) if isinstance(widget, ipywidgets.HTML))]
        + [str(widget.options) for widget in all_of(sample) if isinstance(widget, ipywidgets.Dropdown)]
    )
    assert not re.search(r"[\w.]@\w", shown)
    ids = set(sample.work.basis.opened.export.contacts.index)  # type: ignore[union-attr]
    assert not set(re.findall(r"\b\d{12}\b", shown)) & ids


# ---- the account as a form ----


def test_the_account_is_a_form_and_every_page_follows_it(sample: Workbench) -> None:
    account = sample.opening.account
    account.tier.value = 700
    assert f"{MARKETING - 700} over the tier of 700" in text(sample, "headline")
    account.commitment.value = "monthly"
    account.renewal.value = dt.date(2026, 11, 15)
    assert sample.work.basis.portal.subscription.commitment == "monthly"
    account.since.value, account.zone.value = dt.date(2023, 1, 1), "America/New_York"
    portal = sample.work.basis.portal
    assert (portal.access_since, portal.time_zone) == (dt.date(2023, 1, 1), "America/New_York")
    assert portal.switches == PORTAL.switches
    account.zone.value = "Berlin"
    assert "There is no such time zone" in text(sample, "error") and sample.work.basis.portal == portal
    account.zone.value = "Europe/Berlin"
    account.file.choice.value = choosing.NO_FILE
    assert sample.work.basis.portal == mk.Portal() and "HubSpot sets it at first" in sample.said


def test_prices_that_do_not_fit_the_tier_take_away_nothing_but_the_money(sample: Workbench) -> None:
    account = sample.opening.account
    account.tier.value, account.included.value, account.step.value, account.monthly.value = 700, 300, 1000, 45.0
    assert "Nothing is said in money. The price list does not have this tier: 700" in text(sample, "headline")
    assert isinstance(sample.work.basis.outlook, mk.Outlook)
    account.included.value = 0
    assert "the contacts beyond the included ones cost" in text(sample, "headline")


def test_prices_are_three_numbers_or_a_list_and_what_being_over_costs_stands_in_the_headline(sample: Workbench) -> None:
    account = sample.opening.account
    account.tier.value = account.included.value = 700
    account.monthly.value, account.step.value = 50, 1_000
    assert "the contacts beyond the included ones cost" in text(sample, "headline")
    page(sample, "Ahead")
    assert "price in USD" in text(sample, "ahead-more")
    account.price_list.choice.value = str(DATA / "prices.yaml")
    assert sample.work.basis.prices == mk.Prices.load(DATA / "prices.yaml") and not is_shown(account.step)
    page(sample, "To do")
    assert re.search(r"Pricing enquiry \d+ \d+ \d+\.\d% \d+\.\d\d", text(sample, "groups"))


# ---- ahead ----


def test_what_comes_is_that_of_the_forecast_and_what_is_planned_is_told_alone_and_together(sample: Workbench) -> None:
    ahead: Ahead = page(sample, "Ahead")
    assert text(sample, "ahead-more").startswith("Month by month")
    ahead.kind.value, ahead.tick.value = "import", True
    ahead.many.value, ahead.existing.value = 600, 150
    ahead.add.click()
    ahead.kind.value, ahead.whom.value = "set", "hard bounced"
    ahead.add.click()
    told = text(sample, "ahead-more")
    assert "import 600 contacts, 150 of them existing, the box ticked" in told and "all together" in told
    expected = sample.work.basis.outlook.with_actions(sample.work.actions)  # type: ignore[union-attr]
    assert ahead.outlook.effects.equals(expected.effects)  # type: ignore[union-attr]
    assert f"({len(expected.changed)})" in str(page(sample, "To do").whom.options[-1])
    page(sample, "Ahead")
    ahead.planned.value = 0
    ahead.drop.click()
    assert len(sample.work.actions) == 1
    ahead.day.value, ahead.kind.value = dt.date(2020, 1, 1), "switch"
    ahead.add.click()
    assert 'role="alert"' in sample.at["planned"].value and len(sample.work.actions) == 1


def test_what_is_flipped_is_planned_with_one_click(bench: Workbench) -> None:
    flip(bench)
    ahead: Ahead = page(bench, "Ahead")
    ahead.flips.click()
    assert [str(each).partition(": ")[2] for each in bench.work.actions] == [f"turn {NEWSLETTER} off"]


# ---- to do ----


def test_whom_to_release_is_advised_with_the_day_from_which_it_counts_and_saved_for_hubspot(
    sample: Workbench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    todo: ToDo = page(sample, "To do")
    monkeypatch.setattr(Basis, "today", dt.date(2026, 10, 31))
    assert "There is nothing to do" in text(sample, "advice")
    todo.limit.value = 700
    advice = mk.advise(sample.work.basis.audit, limit=700)
    assert "Step by step." in text(sample, "advised") and "Where to click" in text(sample, "advised")
    assert "they count until 1 November 2026" in text(sample, "advice") and " ago" not in text(sample, "advice")
    todo.save_ids.click()
    saved = next((tmp_path / "saved").glob("*.csv"))
    assert len(pd.read_csv(saved, dtype=str)) == advice.steps["contacts"].sum()
    assert list(pd.read_csv(saved, dtype=str)) == ["Record ID"] and "unticked" in text(sample, "ids")
    todo.addresses.value = True
    todo.save_ids.click()
    assert list(pd.read_csv(saved, dtype=str)) == ["Record ID", "Email"]
    todo.show_them.value = True
    assert text(sample, "listed").count("@") > 100


def test_the_groups_are_lists_too_each_in_a_file_of_its_own_whatever_its_name(tmp_path: Path) -> None:
    apps = ["在庫管理", "顧客管理", "Größe", "Gr e", "長" * 100, "長" * 100 + "い", "../up"]
    rows = [
        f"{number}{at},,2024-03-{number:02},Integration,{app},Marketing contact"
        for at, app in enumerate(apps)
        for number in range(1, 21)
    ]
    bench = opened(written(tmp_path / "apps.csv", [HEADER, *rows]), saved=tmp_path)
    todo: ToDo = page(bench, "To do")
    for _, name in todo.whom.options:
        todo.whom.value = name
        todo.save_ids.click()
    saved = {path.stem: len(path.read_text("utf-8-sig").split()) for path in (tmp_path / "saved").glob("*.csv")}
    assert len(saved) == len(apps) and sum(saved.values()) == len(apps) * 22  # two words of a header, and 20 ids
    assert all(re.fullmatch(r"[\w-]{1,86}", name) and len(name.encode()) <= 200 for name in saved)


def test_whom_a_flip_changes_is_listed_with_the_status_before_and_after(bench: Workbench, tmp_path: Path) -> None:
    flip(bench)
    todo: ToDo = page(bench, "To do")
    todo.save_ids.click()
    table = pd.read_csv(next((tmp_path / "saved").glob("*.csv")), dtype=str)
    assert list(table) == ["contact", "before", "after"]
    basis = bench.work.basis
    fewer = basis.counts({})["marketing"] - basis.counts(bench.work.flips)["marketing"]
    assert (table["before"] == "marketing").sum() - (table["after"] == "marketing").sum() == fewer


def test_groups_and_myths_say_what_the_contacts_say(sample: Workbench) -> None:
    page(sample, "To do")
    bounced = int(sample.work.basis.audit.groups.loc["hard bounced", "contacts"])  # type: ignore[union-attr]
    assert 0 < bounced <= BOUNCED and f"hard bounced {bounced}" in text(sample, "groups")
    assert re.search(r"never mailed \d+", text(sample, "groups"))
    assert f"The {WAITING} contacts that wait for the update date are in none of these groups." in text(
        sample, "groups"
    )
    assert re.search(r"“Imports make marketing contacts.” No. Of \d+ contacts from imports", text(sample, "myths"))


def test_everything_is_saved_and_contacts_only_where_they_are_asked_for(sample: Workbench, tmp_path: Path) -> None:
    flip(sample)
    todo: ToDo = page(sample, "To do")
    todo.save_all.click()
    folder = tmp_path / "saved"
    assert {path.name for path in folder.iterdir()} == {
        "portal.yaml", "counts.csv", "summary.txt", "explanations.csv", "switches.csv", "groups.csv",
        *(f"{name}.png" for name in page(sample, "Switches").charts),
    }  # fmt: skip
    assert {path.stem for path in folder.glob("*.png")} >= {"time-chart", "source-chart", "credit-chart"}
    assert mk.Portal.load(folder / "portal.yaml").is_on(NEWSLETTER) is False
    assert f"- {NEWSLETTER}: off" in (folder / "summary.txt").read_text()
    assert not re.search(r"\w@\w", "".join(path.read_text() for path in folder.glob("*.[tcy]*")))
    todo.with_contacts.value = True
    todo.save_all.click()
    assert len(pd.read_csv(folder / "contacts.csv")) == CONTACTS
    (folder / "portal.yaml").write_text("# mine")
    todo.save_portal.click()
    assert "What portal.yaml was before is now portal-1.yaml." in text(sample, "saved")
    sample.save_to.value = str(folder / "portal.yaml")
    todo.save_all.click()
    assert "The disk says no" in text(sample, "saved")


# ---- work is kept ----


def test_work_is_kept_without_a_contact_and_offered_again(sample: Workbench) -> None:
    flip(sample)
    switches: Switches = sample.pages["Switches"]
    switches.name_it.value = "as meant"
    switches.keep.click()
    sample.opening.account.tier.value = 777
    ahead: Ahead = page(sample, "Ahead")
    ahead.flips.click()
    kept = (SAVED / FILE).read_text()
    assert not re.search(r"\w@\w|\d{12}", kept)
    again = Workbench()
    done = "1 flip, 1 kept setting, 1 planned action"
    assert is_shown(again.offer) and f"you worked on {EXPORT.name}: {done}." in text(again, "offer")
    again.again.click()
    assert again.at["error"].value == "" and not is_shown(again.offer)
    assert again.work.flips == sample.work.flips and again.work.kept == sample.work.kept
    assert again.work.basis.portal == sample.work.basis.portal and again.work.actions == sample.work.actions
    assert text(again, "headline") == text(sample, "headline")
    (SAVED / FILE).write_text("data: made-up")
    assert text(Workbench(), "offer") == "Last time you worked on the made-up sample."
    (SAVED / FILE).write_text("nonsense: 1")
    assert not is_shown(Workbench().offer)


def test_in_the_app_work_leaves_and_comes_as_a_download(app: Workbench) -> None:
    upload(app.opening.upload, (EXPORT.name, EXPORT.read_bytes()))
    flip(app)
    todo: ToDo = page(app, "To do")
    todo.save_work.click()
    kept = downloaded(app, "saved")
    assert not (SAVED / FILE).exists() and not re.search(rb"\w@\w", kept)
    again = Workbench(own=True)
    upload(again.opening.upload, (EXPORT.name, EXPORT.read_bytes()))
    upload(page(again, "To do").load_work, ("workbench.yaml", kept))
    assert again.at["saved"].value == "" and again.work.flips == app.work.flips


# ---- data ----


def test_what_was_understood_is_shown_and_several_files_are_put_together(sample: Workbench, tmp_path: Path) -> None:
    page(sample, "Data")
    told = text(sample, "understood")
    assert f"{CONTACTS:,} rows read: {CONTACTS:,} contacts used, 0 rejected." in told
    for part in ("UTF-8", "comma", "English"):
        assert part in told
    rows = EXPORT.read_text(encoding="utf-8-sig").splitlines()
    halves = [written(tmp_path / f"part-{n}.csv", [rows[0], *part]) for n, part in enumerate((rows[1:900], rows[900:]))]
    for paths in ([tmp_path], halves):
        read(sample, *paths)
        page(sample, "Data")
        assert f"{CONTACTS:,} contacts used, 0 rejected." in text(sample, "understood")


def test_columns_and_words_that_are_not_known_are_told_by_hand_and_the_mapping_is_saved(tmp_path: Path) -> None:
    rows = [
        "Nummer,Adresse,Angelegt am,Gekommen durch,Genauer,Mailstand",
        "101,a@example.com,03/04/2024 10:00,Form,Newsletter,ja bitte",
        "102,b@example.com,05/04/2024 10:00,Form,Newsletter,ja bitte",
        "103,c@example.com,06/04/2024 10:00,CRM UI,Ann,lieber nicht",
    ]
    path = written(tmp_path / "fremd.csv", rows)
    bench = opened(path, saved=tmp_path)
    data: Data = bench.pages["Data"]
    assert 'role="alert"' in bench.at["error"].value and is_shown(data.asking) and is_shown(bench.tabs)
    for fact, column in {
        "record_id": "Nummer", "email": "Adresse", "created_at": "Angelegt am", "record_source": "Gekommen durch",
        "record_source_detail": "Genauer", "status": "Mailstand",
    }.items():  # fmt: skip
        data.mapping.columns[fact].value = column
    data.mapping.use_it.click()
    assert "day" in text(bench, "error") and "month" in text(bench, "error"), "their order cannot be told"
    data.mapping.dates.value = "day first"
    data.mapping.use_it.click()
    assert "0 contacts used, 3 rejected" in text(bench, "understood") and is_shown(data.asking)
    assert "This is no status" in text(bench, "rejected")
    data.mapping.values["status", "ja bitte"].value = "marketing"
    data.mapping.values["status", "lieber nicht"].value = "non-marketing"
    data.mapping.use_it.click()
    assert "HubSpot counts 2 of 3 contacts as marketing" in text(bench, "headline")
    page(bench, "Data")
    assert "3 contacts used, 0 rejected" in text(bench, "understood") and not is_shown(data.asking)
    data.keep.click()
    saved = ColumnMapping.load(tmp_path / "saved" / "mapping.yaml")
    assert saved.dates == "day first" and saved.columns["status"] == ("Mailstand",)
    assert mk.read_export(path, mapping=saved).contacts["status"].tolist() == ["marketing"] * 2 + ["non-marketing"]


def test_words_for_yes_and_for_what_created_a_contact_are_asked_once_and_can_be_said_otherwise(tmp_path: Path) -> None:
    header = f"{HEADER},Marketing contact until next update,Unsubscribed from all email"
    rows = [
        "1,a@b.c,2024-03-01,Formular,News,jawohl,stimmt nicht,stimmt",
        "2,d@e.f,2024-03-01,Gespräche,,jawohl,stimmt,stimmt",
    ]
    bench = opened(written(tmp_path / "some.csv", [header, *rows]), saved=tmp_path)
    data: Data = page(bench, "Data")
    two = "Marketing contact until next update and Unsubscribed from all email"
    assert {field.description for field in data.mapping.values.values()} == {
        "Marketing contact status: jawohl", f"{two}: stimmt", "Marketing contact until next update: stimmt nicht",
    }  # fmt: skip
    assert data.mapping.recorded["Formular"].description == "Record source: Formular (1 row)"
    for (_, word), field in data.mapping.values.items():
        field.value = {"jawohl": "non-marketing", "stimmt": "yes", "stimmt nicht": "no"}[word]
    data.mapping.recorded["Formular"].value = "FORM"
    data.mapping.use_it.click()
    export = bench.work.basis.opened.export
    assert export is not None and export.contacts["source"].tolist() == ["hubspot_form", "not covered"]
    assert export.details["unsubscribed"].tolist() == [True, True]
    page(bench, "Data")
    assert "Gespräche" in text(bench, "unknown") and "Formular" not in text(bench, "unknown")
    data.change.click()
    data.mapping.values["status", "jawohl"].value = "marketing"
    data.mapping.use_it.click()
    assert bench.work.basis.opened.export.contacts["status"].tolist() == ["marketing"] * 2  # type: ignore[union-attr]


def test_a_saved_mapping_is_offered_and_one_column_for_two_facts_is_refused(tmp_path: Path) -> None:
    columns = {"created_at": ["Angelegt am"], "email": ["Adresse"]}
    ColumnMapping(columns=columns, dates="day first").save(tmp_path / "ours.yaml")
    written(
        tmp_path / "fremd.csv", ["Adresse,Angelegt am,Marketing contact status", "a@b.c,03/04/2024,Marketing contact"]
    )
    bench = Workbench(tmp_path, own=True)
    bench.opening.choice.value = str(tmp_path / "fremd.csv")
    data: Data = bench.pages["Data"]
    data.mapping.saved.value = str(tmp_path / "ours.yaml")
    assert bench.at["error"].value == "" and bench.work.basis.opened.rows_used == 1
    page(bench, "Data")
    before = bench.work.basis
    data.change.click()
    data.mapping.columns["mailed_at"].value = "Angelegt am"
    data.mapping.use_it.click()
    assert "stands for" in text(bench, "error") and bench.work.basis is before


def test_rejected_rows_are_counted_by_reason_and_shown_and_saved_on_request(tmp_path: Path) -> None:
    row = "1,a@b.c,2024-03-01,CRM UI,Ann,Marketing contact"
    rows = [HEADER, row, *["1,a@b.c,2024-03-01,CRM UI,Ann,"] * 2, "2,,x,,,"]
    bench = opened(written(tmp_path / "some.csv", rows), saved=tmp_path)
    data: Data = page(bench, "Data")
    assert "1 contact used, 2 repeat a contact and are not needed, 1 rejected." in text(bench, "understood")
    assert "2 The contact stands already in another row" in text(bench, "rejected")
    assert "stands already in row 2" in text(bench, "rejected-rows")
    data.save_rows.click()
    assert len(pd.read_csv(tmp_path / "saved" / "rejected-rows.csv")) == 3


def test_columns_that_were_left_out_can_be_seen(tmp_path: Path) -> None:
    others = [f"Eigenes Feld {number}" for number in range(1, 31)]
    row = "1,a@b.c,2024-03-01,Form,News,Marketing contact"
    bench = opened(
        written(tmp_path / "many.csv", [f"{HEADER},{','.join(others)}", f"{row}{',x' * 30}"]), saved=tmp_path
    )
    data: Data = page(bench, "Data")
    assert "under another name" in text(bench, "understood") and "Eigenes Feld 30" not in text(bench, "understood")
    data.columns.value = True
    assert all(other in text(bench, "left-out") for other in others)


def test_what_cannot_be_read_is_told_and_what_was_open_stays(bench: Workbench, tmp_path: Path) -> None:
    before = text(bench, "headline")
    for name, content, told in (("notes.csv", b"a,b\n1,2\n", "neither a batch"), ("empty.csv", b"", "empty.csv")):
        (tmp_path / name).write_bytes(content)
        read(bench, tmp_path / name)
        assert told in text(bench, "error") and text(bench, "headline") == before
    read(bench, tmp_path / "missing.csv")
    assert "missing.csv" in text(bench, "error") and 'role="alert"' in bench.at["error"].value


# ---- in the app ----


def test_in_the_app_files_come_by_upload_leave_by_download_and_no_path_is_read_or_written(
    app: Workbench, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path_factory.mktemp("for a moment")))
    account = app.opening.account
    for choice in (app.opening.choice, account.file.choice, account.price_list.choice):
        assert not [label for label, _ in choice.options if "path" in label]
    app.opening.paths.value = str(EXPORT)
    app.opening.read_paths.click()  # neither can be seen, but a browser may send what it likes
    assert not app.is_open
    upload(app.opening.upload, (EXPORT.name, EXPORT.read_bytes()))
    assert app.opening.upload.value == (), "an upload is not kept, so that it cannot be saved with the notebook"
    assert f"HubSpot counts {MARKETING} of {CONTACTS:,}" in text(app, "headline")
    assert not list(Path(tempfile.gettempdir()).iterdir()), "it is in no folder any more"
    assert app.work.basis.portal == mk.Portal(), "an upload is nobody's of the samples"
    todo: ToDo = page(app, "To do")
    assert app.save_to not in all_of(todo)
    app.save_to.value = str(tmp_path / "elsewhere")
    todo.save_portal.click()
    assert mk.Portal.of_text(downloaded(app, "saved").decode()) == app.work.portal
    todo.save_all.click()
    with zipfile.ZipFile(io.BytesIO(downloaded(app, "saved"))) as archive:
        assert {"portal.yaml", "counts.csv", "summary.txt", "time-chart.png"} <= set(archive.namelist())
    monkeypatch.setattr(handing, "DOWNLOAD_LIMIT", 10_000)
    todo.with_contacts.value = True
    todo.save_all.click()
    assert "too large to download" in text(app, "saved")
    assert list(tmp_path.iterdir()) == []


def test_uploads_are_put_together_whatever_they_are_called_and_others_are_refused(app: Workbench) -> None:
    row = "{},{}@b.c,2024-03-01,CRM UI,Ann,Marketing contact"
    names = ["../../etc/a.csv", "C:\\b\\a.csv", "nul\0.csv", "ü" * 200 + ".csv", ".csv"]
    files = [(name, "\n".join([HEADER, row.format(n, n)]).encode()) for n, name in enumerate(names)]
    upload(app.opening.upload, *files)
    assert "HubSpot counts 5 of 5 contacts" in text(app, "headline")
    upload(app.opening.upload, ("page.html", b"<html>"))
    assert "Files of this kind are not read" in text(app, "error")
    upload(app.opening.upload, ("huge.csv", b"x" * (choosing.UPLOAD_LIMIT + 1)))
    assert "too large to upload" in text(app, "error")
    upload(app.opening.upload, ("Kontakte <Oktober>.csv", b"a,b\n1,2\n"))
    assert "(Kontakte <Oktober>.csv)" in text(app, "error")


def test_a_zip_file_with_one_export_in_it_is_opened_and_others_are_refused(app: Workbench) -> None:
    row = "1,1@b.c,2024-03-01,CRM UI,Ann,Marketing contact"
    for names, told in (
        (["a.csv", "__MACOSX/a.csv", "read me.txt"], ""),
        (["a.csv", "b.csv"], "2 tables"),
        ([], "0 tables"),
    ):
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            for name in names:
                archive.writestr(name, f"{HEADER}\n{row}")
        upload(app.opening.upload, ("export.zip", packed.getvalue()))
        assert told in text(app, "error") and bool(told) == bool(app.at["error"].value)
    assert "HubSpot counts 1 of 1 contact" in text(app, "headline")
    upload(app.opening.upload, ("broken.zip", b"PK\x03\x04nonsense"))
    assert "damaged" in text(app, "error")


def test_a_large_file_comes_in_parts_and_no_more_than_the_limit(
    app: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = EXPORT.read_bytes()
    cut = [content[at : at + 200_000] for at in range(0, len(content), 200_000)]
    for number, part in enumerate(cut, start=1):
        assert not app.is_open
        upload(app.opening.upload, (f"{EXPORT.name}.part-{number}-of-{len(cut)}", part))
    assert f"HubSpot counts {MARKETING} of {CONTACTS:,}" in text(app, "headline")
    monkeypatch.setattr(parts, "MOST", 300_000)
    for number in (1, 2):
        upload(app.opening.upload, (f"huge.csv.part-{number}-of-9", b"x" * 200_000))
    assert "too large to upload" in text(app, "error")
    upload(app.opening.upload, ("page.html.part-1-of-2", b"<html>"))
    assert "Files of this kind are not read" in text(app, "error")


def test_settings_are_uploaded_in_the_app_and_bad_ones_explained(app: Workbench) -> None:
    account = app.opening.account
    account.file.choice.value = account.price_list.choice.value = choosing.UPLOAD
    upload(account.file.upload, ("mine.yaml", b"subscription: {tier: 321}"))
    assert account.tier.value == 321 == account.portal.subscription.tier
    upload(account.price_list.upload, ("prices.yaml", (DATA / "prices.yaml").read_bytes()))
    assert account.prices == mk.Prices.load(DATA / "prices.yaml")
    upload(account.file.upload, ("bad.yaml", b"switchez: 1"))
    assert "switches" in text(app, "error") and account.portal.subscription.tier == 321
    upload(account.file.upload, ("image.yaml", b"\xff\xfe\x00"))
    assert "not a text file" in text(app, "error")


def test_a_made_up_sample_is_no_larger_than_the_app_allows_whatever_the_page_asks(app: Workbench) -> None:
    app.opening.choice.value = "made-up"
    app.opening.contacts.max = 10**9
    app.opening.contacts.value = 10**8
    assert len(app.work.basis.opened.touches) == opening.SHARED_TOUCHES


def test_accounts_that_were_saved_are_offered_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choosing, "SAVED", tmp_path)
    mk.Portal(switches={"hubspot_form": {"Newsletter": "off"}}).save(tmp_path / "portal.yaml")
    ColumnMapping(dates="day first").save(tmp_path / "mapping.yaml")
    names = [name for name, _ in Workbench().opening.account.file.choice.options]
    assert names[:2] == ["saved/portal.yaml", "portal.yaml"] and "saved/mapping.yaml" not in names


# ---- hostile text, and everybody ----


@pytest.mark.parametrize("name", HOSTILE)
def test_text_from_data_is_text_everywhere(tmp_path: Path, name: str) -> None:
    rows = [
        {
            "Record ID": f"{number}", "Email": f"{number}@b.c", "Create Date": f"2024-03-{number:02}",
            "Record source": "Integration", "Record source detail 1": name,
            "Marketing contact status": "Marketing contact" if number < 28 else name, name: "x",
        }
        for number in range(1, 30)
    ]  # fmt: skip
    content = pd.DataFrame(rows).to_csv(index=False).encode()
    bench = Workbench(own=True)
    bench.save_to.value = str(tmp_path / "saved")
    upload(bench.opening.upload, (f"{name.replace('/', '')}.csv", content))
    data: Data = page(bench, "Data")
    assert is_shown(data.asking), "the value is no status"
    why: Why = page(bench, "Why")
    why.example.click()
    flip(bench, next(iter(page(bench, "Switches").switches.rows)))
    for each in NAMES:
        page(bench, each)
    bench.pages["To do"].save_all.click()
    assert bench.at["error"].value == "" and 'role="alert"' not in bench.at["explanation"].value
    widgets = all_of(bench)
    shown = [widget.value for widget in widgets if isinstance(widget, ipywidgets.HTML)]
    assert any(html.escape(name.split("\n")[0]) in each for each in shown)
    assert not any("<img src=x" in each or "<script" in each for each in shown)
    assert not any(getattr(widget, "description_allow_html", False) for widget in widgets)
    assert not any("$x^2$" in getattr(widget, "description", "") for widget in widgets)
    for file in ("switches.csv", "groups.csv"):
        for row in pd.read_csv(tmp_path / "saved" / file, dtype=str, keep_default_na=False).to_numpy():
            assert not any(cell.startswith(("=", "+", "-", "@")) for cell in row)


def test_every_input_has_a_label_and_every_picture_a_text(sample: Workbench) -> None:
    for name in NAMES:
        page(sample, name)
    sample.pages["Data"].change.click()
    for widget in all_of(sample):
        if isinstance(widget, INPUTS):
            assert widget.description.strip(), widget
    for chart in sample.pages["Switches"].charts.values():
        assert len(chart.alt) > 60 and 'alt="' in chart._repr_html_()


def test_the_notebooks_saved_text_holds_nothing_of_the_data(sample: Workbench) -> None:
    assert repr(sample) == "Workbench"


def test_saved_cells_cannot_become_formulas() -> None:
    cells = ["=1+1", "+1", "-1", "@x", "\tx", "\rx", "Newsletter"]
    frame = pd.DataFrame({"plain": cells, "category": pd.Categorical(cells), "count": [-1] * len(cells)})
    back = pd.read_csv(pd.io.common.BytesIO(csv(frame)), dtype=str, keep_default_na=False)
    for column in ("plain", "category"):
        assert back[column].tolist() == [f"'{cell}" for cell in cells[:-1]] + ["Newsletter"]
    assert set(back["count"]) == {"-1"}


def test_a_chart_of_nothing_is_still_a_chart_and_a_shortened_table_says_so() -> None:
    nothing = mk.decide(mk.sample_touches(0), mk.Portal())
    by_source = nothing.counts("source")
    assert charts.by_source(by_source, by_source, {}).png.startswith(b"\x89PNG")
    assert charts.over_time(nothing.by_day(), nothing.by_day(), 10).alt.endswith("Nothing happened yet.")
    assert "The first 2 of 3 rows" in html_table(pd.DataFrame({"a": [1, 2, 3]}), "Counts.", most=2)
    assert audited.portal(mk.audit(mk.read_export(EXPORT), PORTAL)).count("</pre>") == 1


def test_what_flips_change_is_of_the_same_day_as_what_is_expected(tmp_path: Path) -> None:
    """The account got marketing contacts after the last touch, and before the day of the file."""
    file = tmp_path / "contacts-2026-11-02.csv"
    file.write_bytes(EXPORT.read_bytes())
    basis = Basis(open_file(file), mk.Portal(access_since="2026-11-01"))
    assert basis.what_if.counts().sum() == basis.baseline.counts().sum() == len(basis.opened.export.contacts)
    assert basis.outcome({"hubspot_form/Newsletter": False}).as_of == basis.baseline.as_of == pd.Timestamp("2026-11-02")
