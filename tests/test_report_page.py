"""The page of a report as its reader meets it: a file in Chromium, without Python, server or network."""

from __future__ import annotations

import datetime as dt
import html as html_module
import re
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

import nbformat
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, expect

import marketable as mk
from batches import Case, cases
from lab import REPOSITORY, in_browser, violations
from marketable.exports.opening import Opened, open_file
from marketable.report import figures, sections
from marketable.report import sections as report
from marketable.report.findings import Findings
from marketable.report.page import page as page_of
from marketable.report.parameters import Parameters
from marketable.report.periods import Period
from test_plan import agency

pytestmark = pytest.mark.browser  # of which all read the same few pages
DATA = REPOSITORY / "data"
EXPORT = DATA / "hubspot-crm-exports-all-contacts-2026-10-31.csv"
DATED: dict[str, Any] = {
    "hubspot_form/Newsletter": {"from": "2026-05-01", "switch": "off"},
    "integration/Shopware": {"from": "2025-11-15", "switch": "on"},
}
A4 = {"width": round(182 / 25.4 * 96), "height": round(265 / 25.4 * 96)}  # without its margins
HOSTILE = [
    "</script><img src=x onerror=alert(1)>",
    "<!--<script>",
    "<b>bold</b>",
    '"',
    "'",
    "line\u2028line",
    "W" * 300,
    "רשימת תפוצה",
    "$x$ and $$y$$",
    "{{7*7}}",
    "{x.__class__}",
    "__proto__",
    "&lt;b&gt; &amp;",
]


@dataclass(frozen=True)
class Made:
    """A page that was made in this process, by the functions that the cells of the notebook call."""

    found: Findings
    html: str
    data: Mapping[str, Any]
    path: Path

    @property
    def states(self) -> pd.Series:
        return self.found.what_if.switches["on"]


def cells_of(found: Findings) -> list[sections.Section]:
    source = "\n".join(cell.source for cell in nbformat.read(REPOSITORY / "notebooks/report.ipynb", 4).cells)
    made = [getattr(report, name)(found) for name in re.findall(r"^report\.(\w+)\(found\)", source, re.M)]
    assert len(made) == 12
    return [section for section in made if section is not None]


def html_of(shown: list[sections.Section]) -> str:
    v4 = nbformat.v4
    outputs = [v4.new_output("execute_result", data=section._repr_mimebundle_()) for section in shown]
    notebook = v4.new_notebook(cells=[v4.new_code_cell("", outputs=[output]) for output in outputs])
    return page_of(notebook, "A report")


def make(folder: Path, name: str, **parameters: Any) -> Made:
    found = report.findings(**parameters)
    shown = cells_of(found)
    data = {kind: content for section in shown for kind, content in (section.data or {}).items()}
    path = folder / f"{name}.html"
    path.write_text(html_of(shown), encoding="utf-8")
    return Made(found, path.read_text("utf-8"), data, path)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("pages")


@pytest.fixture(scope="module")
def made(folder: Path) -> Callable[[str], Made]:
    """Pages by name, each made once."""
    pages: dict[str, Made] = {}

    def once(name: str) -> Made:
        if name not in pages:
            pages[name] = MAKERS[name](folder)
        return pages[name]

    return once


def _batch(folder: Path, **parameters: Any) -> Made:
    name = "dated" if parameters else "batch"
    mk.sample_touches(3_000, seed=7).to_csv(folder / f"{name}.csv", index=False)
    return make(folder, name, data=str(folder / f"{name}.csv"), portal=str(DATA / "portal.yaml"), **parameters)


def _export(folder: Path) -> Made:
    return make(folder, "export", data=str(EXPORT), portal=str(DATA / "portal.yaml"), list_contacts=True)


def _hostile(folder: Path) -> Made:
    names = [*HOSTILE, "Ask ann.o'hara+news@example.co.uk today", "\u202egnp.exe"]
    rows = [(f"{n}", "2024-03-01", "hubspot_form", name) for n, name in enumerate(names, 500)]
    rows += [(f"{n}", "2024-03-02", "hubspot_form", names[n % len(names)]) for n in range(500, 540)]
    rows += [("1", "2024-03-03", "non_hubspot_form", ""), ("2", "2024-03-03", "manual", "")]
    columns = ["contact_id", "occurred_at", "source", "asset"]
    pd.DataFrame(rows, columns=columns).to_csv(folder / "hostile.csv", index=False)
    mk.Portal(switches={"hubspot_form": dict.fromkeys(names[:3], "off"), "non_hubspot_form": "on"}).save(
        folder / "hostile.yaml"
    )
    return make(folder, "hostile", data=str(folder / "hostile.csv"), portal=str(folder / "hostile.yaml"))


def _audited(folder: Path) -> Made:
    """An export whose forms have hostile names, were on, and are off in the portal."""
    names = [*HOSTILE, "Ask ann.o'hara+news@example.co.uk today", "\u202egnp.exe"]
    header = [
        "Record ID",
        "Email",
        "Create Date",
        "Record source",
        "Record source detail 1",
        "Marketing contact status",
    ]
    rows = [
        (
            f"7654321{number}",
            f"{number}@example.org",
            "2025-03-01",
            "Form",
            names[number % len(names)],
            "Marketing contact",
        )
        for number in range(30 * len(names))
    ]
    pd.DataFrame(rows, columns=header).to_csv(folder / "audited.csv", index=False)
    mk.Portal(switches={"hubspot_form": dict.fromkeys(names, "off")}).save(folder / "audited.yaml")
    files = {name: str(folder / f"audited.{suffix}") for name, suffix in (("data", "csv"), ("portal", "yaml"))}
    return make(folder, "audited", **files, prices=str(DATA / "prices.yaml"))


def _many(folder: Path) -> Made:
    """Of the page of 600 switches the first 60: it scrolls, and prints some of them, just so."""
    batch, portal = agency(60, 3_000)
    batch.to_csv(folder / "many.csv", index=False)
    portal.save(folder / "many.yaml")
    return make(folder, "many", data=str(folder / "many.csv"), portal=str(folder / "many.yaml"))


def _large(folder: Path) -> Made:
    batch, portal = agency(600, 62_500)
    assert len(batch) > 99_000
    batch.to_csv(folder / "large.csv", index=False)
    portal.save(folder / "large.yaml")
    return make(folder, "large", data=str(folder / "large.csv"), portal=str(folder / "large.yaml"))


MAKERS: dict[str, Callable[[Path], Made]] = {
    "batch": _batch,
    "dated": lambda folder: _batch(folder, flips=DATED),
    "export": _export,
    "hostile": _hostile,
    "audited": _audited,
    "many": _many,
    "large": _large,
}


@dataclass
class Watched:
    """A page, and all that it did which no report may do."""

    page: Page
    faults: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("pageerror", lambda fault: self.faults.append(str(fault)))
        self.page.on("console", lambda message: self.faults.append(message.text))  # of the policy, too
        self.page.on("dialog", lambda dialog: (self.faults.append(dialog.message), dialog.dismiss()))
        self.page.on("request", lambda request: self.requests.append(request.url))


@pytest.fixture
def opened(browser: Browser, made: Callable[[str], Made]) -> Iterator[Callable[..., Page]]:
    """Opens a page as a file, offline; in the end, it did nothing that it may not."""
    contexts: list[BrowserContext] = []
    watched: list[tuple[Watched, Path]] = []

    def opens(name: str, width: int = 1200, **options: Any) -> Page:
        size: ViewportSize = {"width": width, "height": 900}
        context = browser.new_context(viewport=size, offline=True, **options)
        contexts.append(context)
        page, path = context.new_page(), made(name).path
        watched.append((Watched(page), path))
        page.goto(path.as_uri())
        return page

    yield opens
    for each, path in watched:
        assert each.faults == []
        assert [url for url in each.requests if not url.startswith("data:")] == [path.as_uri()]
    for context in contexts:
        context.close()


# ---- what the page shows, and what it should ----

_READ = """() => {
  const texts = (row) => [...row.cells].map((cell) => cell.textContent);
  return {
    live: document.querySelector(".mk-live").textContent,
    switches: [...document.querySelectorAll(".mk-switches tbody tr")].map((row) =>
      [Number(row.dataset.switch), row.querySelector("input").checked, ...texts(row)]),
    sources: [...document.querySelectorAll(".mk-by-source tbody tr")].map(texts),
  };
}"""


def number(text: str) -> float:
    return float(text.replace(",", ""))


def assert_shows(page: Page, found: Findings, now: mk.Outcome, after: pd.DataFrame) -> None:
    """The page shows what `decide` says of a setting, and what each switch accounts for in it."""
    shown, baseline = page.evaluate(_READ), found.now
    counts, before = now.counts(), int(baseline.counts()["marketing"])
    verb = "contact is" if counts.sum() == 1 else "contacts are"
    counted = "" if found.opened.export is None else " by the rules"
    assert shown["live"].startswith(f"{counts['marketing']:,} of {counts.sum():,} {verb} marketing{counted} with ")
    change = int(counts["marketing"]) - before
    if "the portal's own switches" in shown["live"]:
        assert change == 0
    else:
        told = f"{abs(change):,} {'more' if change > 0 else 'fewer'} than" if change else "the same as"
        assert f", {told} the baseline" in shown["live"]

    by_source, was = now.counts("source"), baseline.counts("source")["marketing"]
    names = {source: rule.name for source, rule in found.rules.items()} | {"not covered": "A tool not covered"}
    expected = {
        names[str(source)]: [row[0], was[source], row[0] - was[source], *row[1:], sum(row)]
        for source, *row in by_source.astype(int).itertuples()
    }
    total = counts.astype(int).tolist()
    expected["Total"] = [total[0], before, change, *total[1:], sum(total)]
    assert {name: list(map(number, row)) for name, *row in shown["sources"]} == expected

    assert sorted(row[0] for row in shown["switches"]) == list(range(len(after)))
    for at, checked, name, state, exposed, sole, credit in shown["switches"]:
        row = after.iloc[at]
        assert name == switch_name(found, row)
        assert (checked, state.removesuffix(", dated")) == (row["on"], "on" if row["on"] else "off")
        assert [number(exposed), number(sole)] == [row["exposed"], row["sole"]]
        assert number(credit) == pytest.approx(row["credit"], abs=0.0501)


def switch_name(found: Findings, row: pd.Series) -> str:
    tool, asset = found.rules[row["source"]].name, re.sub("[\u202a-\u202e]", "\ufffd", row["asset"])
    if "/" not in str(row.name):
        return tool
    return f"{tool}: {re.sub('ann.*uk', '(address)', asset) or '(no name)'}"


def flip(page: Page, found: Findings, *names: str) -> None:
    numbers = [found.what_if.switches.index.get_loc(name) for name in names]
    page.evaluate("numbers => numbers.forEach(at => document.getElementById(`switch-${at}`).click())", numbers)


def decided(found: Findings, flips: Mapping[str, Any]) -> mk.Outcome:
    return mk.decide(found.opened.touches, found.portal.with_switches(flips), as_of=found.as_of)


def assert_shows_flips(page: Page, found: Findings, flips: Mapping[str, Any]) -> None:
    assert_shows(page, found, decided(found, flips), found.what_if.switches_after(flips))


# ---- the numbers ----


@in_browser
@pytest.mark.parametrize("name", ["batch", "export", "hostile", "large"])
def test_flipping_switches_shows_what_decide_says(
    name: str, opened: Callable[..., Page], made: Callable[[str], Made]
) -> None:
    page, found = opened(name), made(name).found
    assert_shows_flips(page, found, {})
    largest = [str(each) for each in found.what_if.switches["credit"].nlargest(3).index]
    never = found.what_if.switches[~found.what_if.switches["on"]]["exposed"].nlargest(2).index
    flips: dict[str, Any] = {}
    for switch in dict.fromkeys([*largest, *map(str, never), "non_hubspot_form"]):
        if switch in found.what_if.switches.index:
            flip(page, found, switch)
            flips[switch] = not made(name).states[switch]
            assert_shows_flips(page, found, flips)
    assert len(flips) >= 4
    page.get_by_role("button", name="All off").click()
    assert_shows_flips(page, found, dict.fromkeys(found.what_if.switches.index, False))
    page.get_by_role("button", name="As the portal has it").click()
    assert_shows_flips(page, found, {})


@in_browser
def test_the_dated_what_if_of_the_report_can_be_taken_up_and_flipped_further(
    opened: Callable[..., Page], made: Callable[[str], Made]
) -> None:
    page, found = opened("dated"), made("dated").found
    as_portal, as_what_if = (
        page.get_by_role("button", name=name) for name in ("As the portal has it", "The what-if of this report")
    )
    expect(as_portal).to_have_attribute("aria-pressed", "true")
    assert_shows_flips(page, found, {})
    as_what_if.click()
    expect(as_what_if).to_have_attribute("aria-pressed", "true")
    expect(as_portal).to_have_attribute("aria-pressed", "false")
    expect(page.get_by_role("status")).to_contain_text("with the what-if of this report")
    expect(page.locator("tr[data-switch].mk-flipped").first).to_contain_text("off, dated")
    assert_shows_flips(page, found, DATED)
    flip(page, found, "hubspot_form/Newsletter", "non_hubspot_form")
    expect(as_what_if).to_have_attribute("aria-pressed", "false")
    assert_shows_flips(page, found, DATED | {"hubspot_form/Newsletter": True, "non_hubspot_form": False})
    flip(page, found, "hubspot_form/Newsletter", "non_hubspot_form")
    assert_shows_flips(page, found, DATED)
    as_portal.click()
    assert_shows_flips(page, found, {})


@pytest.fixture(scope="module")
def bench(browser: Browser) -> Iterator[Watched]:
    """One page in which many reports are shown, one after the other."""
    context = browser.new_context(offline=True)
    watched = Watched(context.new_page())
    yield watched
    context.close()


@pytest.fixture(scope="module")
def another_file(folder: Path) -> Opened:
    """Of which nothing is shown: the touches are those of a case."""
    pd.read_csv(EXPORT, dtype=str, keep_default_na=False, nrows=20).to_csv(folder / "another.csv", index=False)
    return open_file(folder / "another.csv")


@in_browser
@settings(max_examples=min(settings.default.max_examples, 300))
@given(data=st.data())
def test_flipping_shows_what_decide_says_for_any_batch_and_portal(
    bench: Watched, another_file: Opened, data: st.DataObject
) -> None:
    case: Case = data.draw(cases())
    what_if, now = case.what_if(), case.decide()
    assume(case.batch and now.counts().sum())  # else there is nothing to report on
    names = list(what_if.switches.index)
    asked = data.draw(case.flips(names)) if data.draw(st.booleans()) else {}
    flips = {name: flip if isinstance(flip, bool) else _written(*flip) for name, flip in asked.items()}
    edition = str(case.options["edition"]) if "edition" in case.options else ""
    parameters = Parameters(flips=flips, edition=edition)
    period = Period.month_of(dt.date(2024, 2, 1))
    found = Findings(parameters, another_file, what_if.portal, period, now, now, what_if)
    bench.page.set_content(html_of([report.flip(found)]))
    assert_shows(bench.page, found, now, what_if.switches)

    start: dict[str, Any] = {}
    button = bench.page.get_by_role("button", name="The what-if of this report")
    if button.count() and data.draw(st.booleans()):
        button.click()
        start = dict(asked)
        assert_shows(bench.page, found, case.decide(start), what_if.switches_after(start))
    if names:
        chosen = data.draw(st.lists(st.sampled_from(names), unique=True))
        states = what_if.switches_after(start)["on"]
        flip(bench.page, found, *chosen)
        start |= {name: not states[name] for name in chosen}
        assert_shows(bench.page, found, case.decide(start), what_if.switches_after(start))
    assert bench.faults == []
    assert [url for url in bench.requests if not url.startswith("data:")] == []


def _written(moment: dt.datetime, on: bool) -> dict[str, str]:
    return {"from": moment.isoformat(), "switch": "on" if on else "off"}


# ---- its controls ----


@in_browser
def test_a_search_hides_the_other_rows_and_all_off_then_flips_only_what_is_shown(
    opened: Callable[..., Page], made: Callable[[str], Made]
) -> None:
    page, found = opened("batch"), made("batch").found
    page.get_by_label("Find a switch").fill(" webinar ")
    rows = page.locator(".mk-switches tbody tr:visible")
    sought = [name for name in found.what_if.switches.index if "webinar" in name.casefold()]
    expect(rows).to_have_count(len(sought))
    assert 0 < len(sought) < len(found.what_if.switches)
    expect(page.locator(".mk-switches caption")).to_contain_text(
        f"{len(sought)} of {len(found.what_if.switches)} shown"
    )
    page.get_by_role("button", name="All of these off").click()
    assert_shows_flips(page, found, dict.fromkeys(sought, False))
    page.get_by_label("Find a switch").fill("")
    expect(rows).to_have_count(len(found.what_if.switches))
    expect(page.get_by_role("button", name="All off")).to_be_visible()


@in_browser
def test_the_keyboard_alone_flips_a_switch_and_the_headline_tells(
    opened: Callable[..., Page], made: Callable[[str], Made]
) -> None:
    page, found = opened("batch"), made("batch").found
    focused = "document.activeElement.id"
    for _press in range(20):
        page.keyboard.press("Tab")
        if page.evaluate(focused).startswith("switch-"):
            break
    first = found.what_if.switches.index[int(page.evaluate(focused).removeprefix("switch-"))]
    assert first == found.what_if.switches["credit"].idxmax()
    box = page.get_by_role("checkbox", name="HubSpot forms: Newsletter", exact=True)
    expect(box).to_be_focused()
    headline = page.get_by_role("status")
    expect(headline).to_contain_text("with the portal's own switches")
    page.keyboard.press("Space")
    expect(headline).to_contain_text("with 1 switch flipped")
    assert_shows_flips(page, found, {first: False})
    expect(box).not_to_be_checked()
    page.keyboard.press("Space")
    expect(headline).to_contain_text("with the portal's own switches")


@in_browser
def test_the_headline_stays_in_sight_of_the_last_switch(opened: Callable[..., Page]) -> None:
    page = opened("batch", 390)
    last = page.get_by_role("checkbox").last
    last.scroll_into_view_if_needed()
    last.click()
    expect(page.get_by_role("status")).to_be_in_viewport(ratio=1)
    expect(last).to_be_in_viewport()


@in_browser
def test_600_switches_answer_at_once_and_do_not_make_the_page_long(opened: Callable[..., Page]) -> None:
    page = opened("large")
    clicked = "() => { const start = performance.now(); document.getElementById('switch-0').click(); "
    assert page.evaluate(f"{clicked} return performance.now() - start; }}") < 1_000
    assert page.locator(".mk-switches").evaluate("table => table.parentElement.clientHeight") < 900


# ---- without scripts ----


@in_browser
@pytest.mark.parametrize("name", ["batch", "dated", "export"])
def test_without_scripts_the_page_is_complete(name: str, opened: Callable[..., Page]) -> None:
    page, scripted = opened(name, java_script_enabled=False), opened(name)
    titles = page.locator("h2").all_text_contents()
    for title in ("What there", "What changed", "Flip a switch", "What is left open", "What this was made from"):
        assert any(each.startswith(title) for each in titles)
    assert ("What if" in titles, "HubSpot's own statuses" in titles) == (name == "dated", name == "export")
    expect(page.get_by_role("checkbox")).to_have_count(0)
    expect(page.get_by_role("button")).to_have_count(0)
    expect(page.locator(".mk-still")).to_contain_text("as the portal has them")
    expect(scripted.locator(".mk-still")).to_have_count(0)
    # What stands there is what the script makes of it while no switch is flipped.
    for each in (".mk-switches tbody tr", ".mk-by-source tbody tr", ".mk-live"):
        assert page.locator(each).all_text_contents() == scripted.locator(each).all_text_contents()


@in_browser
def test_a_table_too_large_to_travel_is_told_and_the_page_stands_still(
    bench: Watched, made: Callable[[str], Made], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = made("batch").found
    monkeypatch.setattr(sections, "PORTABLE", 1_000)
    bench.page.set_content(html_of(cells_of(found)))
    expect(bench.page.get_by_text("too many combinations of switches")).to_be_visible()
    expect(bench.page.get_by_role("checkbox")).to_have_count(0)
    expect(bench.page.locator(".mk-switches tbody tr").first).to_contain_text("HubSpot forms: Newsletteron")
    assert bench.faults == []


# ---- who cannot see it ----


@in_browser
@pytest.mark.parametrize(
    ("name", "before", "after"),
    [("export", 1200, 390), ("dated", 390, 1200), ("hostile", 1200, 390), ("many", 390, 1200)],
)
def test_axe_finds_nothing(name: str, before: int, after: int, opened: Callable[..., Page]) -> None:
    """On each page before and after a flip, and as wide as a desk and a phone."""
    page = opened(name, before)
    page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true; })")
    assert page.evaluate("document.documentElement.scrollWidth") == before
    assert violations(page) == []
    page.get_by_role("checkbox").first.click()
    expect(page.get_by_role("status")).to_contain_text("1 switch flipped")
    page.set_viewport_size({"width": after, "height": 900})
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") == after


@in_browser
@pytest.mark.parametrize("width", [1200, 390])
def test_600_switches_are_no_wider_than_the_window(width: int, opened: Callable[..., Page]) -> None:
    page = opened("large", width)
    page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true; })")
    assert page.evaluate("document.documentElement.scrollWidth") == width


@in_browser
def test_each_picture_says_its_figures_and_a_table_has_the_same(opened: Callable[..., Page]) -> None:
    figures = opened("batch").locator("#charts figure").all()
    assert len(figures) == 3
    tables = []
    for figure in figures:
        figure.locator("summary").click()
        rows = [row.locator("td").all_inner_texts() for row in figure.locator("tbody tr").all()]
        tables.append((figure.locator("img").get_attribute("alt") or "", rows))
    (by_source, of_sources), (over_time, of_months), (credit, of_switches) = tables
    for name, marketing, _was, _change, non_marketing, not_covered, _all in of_sources[:-1]:
        assert f"{name}: {marketing} marketing, {non_marketing} non-marketing, {not_covered} not covered" in by_source
    assert re.search(f"to {of_months[-1][1]} on [^;.]*[.]", over_time)
    for name, state, _reaches, sole, owed in of_switches[:10]:
        assert state == "on"
        assert f"{name}: {number(owed):,.0f} ({sole} only through it)" in credit


# ---- on paper ----


@in_browser
@pytest.mark.parametrize("name", ["export", "dated", "hostile", "large"])
def test_a_printed_page_has_pictures_and_tables_but_no_controls(name: str, opened: Callable[..., Page]) -> None:
    page = opened(name)
    page.set_viewport_size({"width": A4["width"], "height": A4["height"]})
    page.emulate_media(media="print")
    expect(page.get_by_role("button", name="All off")).to_be_hidden()
    expect(page.get_by_role("checkbox").first).to_be_hidden()
    expect(page.get_by_text("The same in numbers").first).to_be_hidden()
    expect(page.locator(".mk-switches tbody tr").first).to_contain_text(re.compile("on|off"))
    for table in (".mk-switches", ".mk-by-source table"):
        expect(page.locator(table)).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= A4["width"]
    for figure in page.locator("figure").all():
        box = figure.bounding_box()
        assert box is not None and box["height"] < A4["height"] and box["width"] <= A4["width"]
        assert figure.evaluate("each => getComputedStyle(each).breakInside") == "avoid"
    pages = len(re.findall(rb"/Type\s*/Page\b", page.pdf(prefer_css_page_size=True)))
    assert 3 <= pages <= (5 if name == "export" else 10)


@in_browser
def test_of_600_switches_the_first_and_the_flipped_are_printed(
    opened: Callable[..., Page], made: Callable[[str], Made]
) -> None:
    page, found = opened("large"), made("large").found
    last = found.what_if.switches.sort_values(["credit", "exposed"]).index[0]
    flip(page, found, str(last))
    page.emulate_media(media="print")
    expect(page.locator(".mk-switches tbody tr:visible")).to_have_count(41)
    expect(page.get_by_text("Printed are the first 40 of 600 switches")).to_be_visible()


# ---- hostile names ----


@in_browser
def test_hostile_names_read_as_they_are_and_do_nothing(
    opened: Callable[..., Page], made: Callable[[str], Made]
) -> None:
    page, plain = opened("hostile"), opened("batch")
    for name in HOSTILE:
        expect(page.get_by_label(f"HubSpot forms: {name}", exact=True)).to_have_count(1)
    expect(page.get_by_label("HubSpot forms: \ufffdgnp.exe", exact=True)).to_have_count(1)
    count = "name => document.getElementsByTagName(name).length"
    for tag in ("script", "style", "h1", "main"):
        assert page.evaluate(count, tag) == plain.evaluate(count, tag)
    assert page.locator("#charts img").count() == plain.locator("#charts img").count() == 3
    assert page.locator("img").count() <= plain.locator("img").count(), "a short past has no picture of what comes"
    assert page.evaluate(count, "b") == 0
    assert page.evaluate("document.querySelectorAll('img:not([src^=\"data:\"])').length") == 0
    assert made("hostile").html.rstrip().endswith("</html>")


@in_browser
def test_hostile_names_of_an_export_read_as_they_are_in_the_audit_too(
    opened: Callable[..., Page], made: Callable[[str], Made]
) -> None:
    page, plain = opened("audited"), opened("export")
    section = page.locator("#own-statuses")
    for name in [*HOSTILE, "Ask (address) today", "\ufffdgnp.exe"]:
        told = f"HubSpot forms: {name}"
        expect(section.get_by_role("cell", name=f"made marketing by {told}", exact=True)).to_have_count(1)
        expect(section.get_by_role("cell", name=told, exact=True)).not_to_have_count(0)
    expect(section.get_by_role("cell", name="30 (100%) are").first).to_be_visible()
    for tag in ("script", "#charts img", "style"):
        assert page.locator(tag).count() == plain.locator(tag).count()
    assert page.locator("img").count() <= plain.locator("img").count(), "a short past has no picture of what comes"
    assert page.locator("b").count() == 0
    for text in (made("audited").html, *texts_of(made("audited"))):
        assert not re.search(r"7654321|example\.(co|org)", text)


def test_the_audit_tells_the_switches_the_groups_and_the_portal_that_the_statuses_show(
    made: Callable[[str], Made],
) -> None:
    audit = made("export").found.audit
    assert audit is not None
    text = re.sub(r"<[^>]+>", "|", made("export").html.partition('id="own-statuses"')[2].partition("<section")[0])
    for explanation, row in audit.counts.iterrows():
        assert re.search(rf"\|{explanation}\|[^0-9]*\|{row.iloc[0]:,}\|+{row.iloc[1]:,}\|+{row.iloc[2]:,}\|", text)
    for row in audit.switches[audit.switches["differs"]].itertuples():
        assert f"{row.asset}||{row.portal}||{row.looks}||{row.evidence}" in text
    group = audit.groups.loc["made marketing by integration/Shopware"]
    assert f"made marketing by Integrations and API: Shopware||{group['contacts']}||{group['alone']}||It looks" in text
    since = audit.switches.loc["integration/Shopware", "since"].date()
    for told in (*audit.remarks.values(), *audit.myths.index, f"Shopware:\n    - switch: off\n    - from: {since}"):
        assert str(told) in html_module.unescape(text)
    priced = made("audited").html
    assert "EUR a month" in priced and f">{30 * 230 / 5000:.1f}<" in priced and "EUR a month" not in made("export").html


def test_the_two_counts_of_contacts_not_covered_say_by_which_switches(made: Callable[[str], Made]) -> None:
    found = made("export").found
    assert found.audit is not None
    page = made("export").html
    given = found.counts.loc["now", "not covered"]
    assert given != found.audit.counts.loc["not covered", "all"]
    assert f"<dt>not covered, as the portal says</dt><dd>{given}</dd>" in page
    assert "each with one explanation, the switches being as they seem to have been." in page
    assert "<dt>not covered</dt>" in made("batch").html


def test_an_address_in_a_name_is_masked_in_page_pictures_and_figures(
    made: Callable[[str], Made], monkeypatch: pytest.MonkeyPatch
) -> None:
    hostile = made("hostile")
    assert "Ask (address) today" in hostile.html
    for text in (hostile.html, *texts_of(hostile)):
        assert "example.co" not in text and "ann.o" not in text and "hara" not in text
    drawn: list[pd.DataFrame] = []
    picture = sections.drawn.credit
    monkeypatch.setattr(sections.drawn, "credit", lambda *given: drawn.append(given[0]) or picture(*given))
    report.charts(hostile.found)
    assert "hubspot_form/Ask (address) today" in drawn[0].index


@pytest.mark.parametrize("name", ["batch", "export"])
def test_no_contact_and_no_address_stands_in_the_page_or_the_figures(name: str, made: Callable[[str], Made]) -> None:
    page = made(name)
    table = pd.read_csv(page.found.opened.files[0], dtype=str, keep_default_na=False)
    ids = set(table.iloc[:, 0]) if name == "export" else set(table["contact_id"])
    addresses = set(table["Email"]) - {""} if name == "export" else set()
    names = {each for each in ids if len(each) >= 9} | addresses
    assert len(names) > 1_000
    for text in (page.html, *texts_of(page)):
        words = set(re.findall(r"[\w.+%'@-]+", text))
        assert not names & words
        assert not any(each in text for each in addresses)
        assert not re.search(r"[\w.+-]+@[\w-]+\.\w", text)
    if name == "export":
        listed = page.data[sections.CONTACTS]
        assert any(each in listed for each in names)  # what was asked for stands in a file of its own


def texts_of(page: Made) -> list[str]:
    """The figures as all the files that hold them."""
    of_page = page.data[sections.FIGURES]
    workbook = zipfile.ZipFile(BytesIO(figures.as_workbook(of_page)))
    sheets = [workbook.read(each).decode() for each in workbook.namelist()]
    return [figures.as_json(of_page).decode(), figures.as_csv(of_page).decode("utf-8-sig"), *sheets]


# ---- its size ----


@pytest.mark.parametrize("name", ["batch", "dated", "export", "audited", "large"])
def test_a_page_is_below_a_megabyte(name: str, made: Callable[[str], Made]) -> None:
    assert len(made(name).html.encode()) < 1_000_000
    assert re.search(r'<script class="mk-exposures"[^>]*>{', made(name).html)


def test_a_name_of_a_hundred_thousand_letters_is_looked_through_at_once() -> None:
    start = time.perf_counter()
    assert sections.discreet("a" * 100_000) == "a" * 100_000
    assert time.perf_counter() - start < 1
