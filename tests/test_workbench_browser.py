"""The workbench as a person meets it: the app and JupyterLab in Chromium, clicks, keys, and the numbers on the page."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from playwright.sync_api import Dialog, FileChooser, Locator, Page, expect

import marketable as mk
from firm import CONTACTS, DATA, EXPORT, MARKETING
from lab import Running, chromium_path, run_notebook, violations

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not chromium_path() and not os.environ.get("CI"), reason="no Chromium here; CI installs it"),
]
NAMES = ("Switches", "Why", "Ahead", "To do", "Data")
DARK = Path(sys.prefix, "share/jupyter/lab/themes/@jupyterlab/theme-dark-extension/index.css")
HOSTILE = ["<img src=x onerror=alert(1)>", "$x^2$", "=1+1", '"two\nlines"']


@pytest.fixture
def page(page: Page) -> Iterator[Page]:
    page.set_viewport_size({"width": 1400, "height": 900})
    said: list[str] = []

    def note(dialog: Dialog) -> None:
        said.append(dialog.message)

    def hand_over(_: FileChooser) -> None:
        """So that Chromium does so from the beginning."""

    page.on("filechooser", hand_over)
    page.on("dialog", note)
    yield page
    page.remove_listener("filechooser", hand_over)
    page.remove_listener("dialog", note)
    assert said == []


@pytest.fixture(autouse=True)
def nothing_kept() -> Iterator[None]:
    yield
    Path(os.environ["MARKETABLE_SAVED"], "workbench.yaml").unlink(missing_ok=True)


def shown(page: Page, place: str) -> Locator:
    return page.locator(f".mk-at-{place}")


def turn_to(page: Page, name: str) -> None:
    page.get_by_role("tab", name=name, exact=True).click()


def upload(page: Page, file: Path) -> None:
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name=re.compile("Open your export")).click()
    chooser.value.set_files(file)


def tab_to(page: Page, target: Locator) -> None:
    """Moves to a widget as somebody does who has no mouse."""
    expect(target).to_be_visible()
    for _ in range(90):
        if target.evaluate("each => each === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"the keyboard does not reach {target}")


def open_sample(page: Page, lab: str) -> None:
    run_notebook(page, lab, "explore.ipynb")
    expect(shown(page, "headline")).to_contain_text("contacts are marketing", timeout=60_000)
    expect(shown(page, "source-chart").locator("img")).to_be_visible()


def test_in_the_app_from_a_raw_export_to_the_record_ids_to_release_in_ten_clicks(page: Page, app: Running) -> None:
    taken: list[str] = []
    page.on("download", lambda download: taken.append(download.suggested_filename))
    page.goto(app.address)
    page.get_by_role("link", name=re.compile("Your account")).click()  # 1
    expect(page.get_by_role("button", name=re.compile("Open your export"))).to_be_visible(timeout=60_000)
    for field, value in {"Tier": "700", "Contacts a block": "100", "Price of a block": "45"}.items():
        asked = page.get_by_label(re.compile(field))
        asked.click()  # 2 to 4
        asked.fill(value)
        asked.press("Tab")
    upload(page, EXPORT)  # 5, and 6 in the browser's own window
    expect(shown(page, "headline")).to_contain_text(f"HubSpot counts {MARKETING} of {CONTACTS:,}", timeout=60_000)
    turn_to(page, "To do")  # 7
    expect(shown(page, "advised")).to_contain_text("Step by step.", timeout=30_000)
    expect(shown(page, "advice")).to_contain_text(
        re.compile(r"Set \d+ contacts as non-marketing; done today, they count until")
    )
    expect(shown(page, "advice")).to_contain_text(re.compile(r"That saves [\d,.]+ USD until"))
    with page.expect_download() as download:
        page.get_by_role("button", name="Download the Record IDs").click()  # 8
    ids_file = download.value.suggested_filename
    assert re.fullmatch(r"01-.*\.csv", ids_file)
    expect(page.get_by_role("link", name=re.compile(r"Download 01-.*\.csv"))).to_be_visible()
    ids = pd.read_csv(download.value.path(), dtype=str)
    account = mk.Portal(subscription={"tier": 700})
    advice = mk.advise(mk.audit(mk.read_export(EXPORT), account), limit=700, portal=account)
    assert set(ids["Record ID"]) == set(pd.concat([advice.ids(n) for n in advice.steps.index])["Record ID"])
    expect(shown(page, "ids")).to_contain_text(f"{len(ids)} contacts")
    with page.expect_download(timeout=120_000) as download:
        page.get_by_role("button", name="Report from what is on the screen").click()
    assert download.value.suggested_filename == "report.html"
    report = download.value.path().read_text(encoding="utf-8")
    assert f"HubSpot counts {MARKETING} of these {CONTACTS:,} contacts" in report
    assert taken == [ids_file, "report.html"], "each once"
    asks = "() => !dispatchEvent(new Event('beforeunload', {cancelable: true}))"
    assert page.evaluate(asks), "what was uploaded is gone with the page"


def test_in_jupyterlab_the_first_screen_has_the_headline_the_first_chart_and_ten_switches(page: Page, lab: str) -> None:
    open_sample(page, lab)
    for seen in (shown(page, "headline"), shown(page, "time-chart").locator("img"), page.get_by_label("Newsletter")):
        box = seen.bounding_box()
        assert box is not None and box["y"] > 90 and box["y"] + box["height"] < 872, "the status bar is below"
    tops = [each.bounding_box() for each in page.locator(".mk-switches input[type=checkbox]").all()]
    assert sum(1 for box in tops if box and box["y"] + box["height"] < 872) >= 10


def test_a_flip_is_undone_two_settings_are_compared_and_the_work_is_taken_up_after_a_reload(
    page: Page, lab: str
) -> None:
    open_sample(page, lab)
    before, picture = shown(page, "headline").inner_text(), shown(page, "source-chart").locator("img")
    first = picture.get_attribute("src")
    newsletter = page.get_by_label("Newsletter", exact=True)
    newsletter.uncheck()
    expect(shown(page, "headline")).to_contain_text("with these flips")
    expect(picture).not_to_have_attribute("src", first or "")
    page.get_by_role("button", name="Undo", exact=True).click()
    expect(shown(page, "headline")).to_have_text(before.replace("\n", ""))
    expect(newsletter).to_be_checked()
    for name, box in (("no newsletter", newsletter), ("nor other forms", page.get_by_label("all of them").first)):
        box.uncheck()
        field = page.get_by_label("Name", exact=True)
        field.fill(name)
        field.press("Enter")
        page.get_by_role("button", name="Keep this setting").click()
        expect(shown(page, "settings")).to_contain_text(name)
    what_if = mk.WhatIf(mk.sample_touches(10_000, seed=7), mk.Portal.load(DATA / "portal.yaml"))
    both = {"hubspot_form/Newsletter": False, "non_hubspot_form": False}
    for flips in ({"hubspot_form/Newsletter": False}, both):
        expect(shown(page, "settings")).to_contain_text(f"{what_if.counts(flips)['marketing']:,}")
    headline = shown(page, "headline").inner_text()

    page.get_by_role("menuitem", name="Kernel", exact=True).click()
    page.get_by_role("menuitem", name=re.compile("Restart Kernel and Run All")).click()
    page.get_by_role("button", name="Confirm Kernel Restart").click()
    expect(shown(page, "offer")).to_contain_text("2 flips, 2 kept settings", timeout=60_000)
    page.get_by_role("button", name="Go on with it").click()
    expect(shown(page, "headline")).to_have_text(headline.replace("\n", ""))
    expect(shown(page, "settings")).to_contain_text("no newsletter")


def test_every_page_shows_the_same_numbers_has_no_fault_for_axe_and_fits_each_width(page: Page, app: Running) -> None:
    page.goto(f"{app.address}/audit")
    page.get_by_label("Or look at").select_option(EXPORT.name)
    counted = f"HubSpot counts {MARKETING} of {CONTACTS:,} contacts as marketing; {2_000 - MARKETING:,} below the tier"
    expect(shown(page, "headline")).to_contain_text(counted, timeout=60_000)
    stands = {
        "Switches": ("table", f"Total{MARKETING}"),
        "Why": ("counts", f"Total{MARKETING}"),
        "Ahead": ("ahead", f"{MARKETING} marketing contacts on 31 October 2026"),
        "To do": ("advice", "likely to stay within 2,000"),
        "Data": ("understood", f"{CONTACTS:,} contacts used"),
    }
    turn_to(page, "Switches")
    page.locator(".mk-switches button").first.click()
    expect(shown(page, "history")).to_contain_text("account")
    for name in NAMES:
        turn_to(page, name)
        place, told = stands[name]
        expect(shown(page, place)).to_contain_text(told, timeout=30_000)
        expect(shown(page, "headline")).to_contain_text(counted)
        for width in (1400, 900, 390):
            page.set_viewport_size({"width": width, "height": 900})
            assert page.evaluate("document.documentElement.scrollWidth") <= width, (name, width)
            if width != 900:  # whose rules of style all hold at 390, too
                assert violations(page) == [], (name, width)
        page.set_viewport_size({"width": 1400, "height": 900})
    page.get_by_role("button", name="Change", exact=True).click()
    expect(page.get_by_label("Commitment")).to_be_visible()
    for width in (1400, 390):
        page.set_viewport_size({"width": width, "height": 900})
        assert violations(page) == [] and page.evaluate("document.documentElement.scrollWidth") <= width
    assert not re.search(r"[\w.]@\w", page.get_by_role("main").inner_text())


def test_the_keyboard_alone_suffices_and_a_switch_that_looks_otherwise_is_taken_over(page: Page, app: Running) -> None:
    page.goto(f"{app.address}/audit")
    button = page.get_by_role("button", name=re.compile("Open your export"))
    expect(button).to_be_visible(timeout=60_000)
    tab_to(page, button)
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Enter")
    chooser.value.set_files(EXPORT)
    expect(shown(page, "headline")).to_contain_text(f"HubSpot counts {MARKETING}", timeout=60_000)
    take_over = page.get_by_role("button", name="Take it over")
    expect(take_over.first).to_be_visible()
    many = take_over.count()
    tab_to(page, take_over.first)
    page.keyboard.press("Enter")
    expect(take_over).to_have_count(many - 1, timeout=30_000)
    tab_to(page, page.locator("[role=tab][tabindex='0']"))
    for _ in NAMES:
        if page.evaluate("document.activeElement.textContent") != "Ahead":
            page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(shown(page, "ahead")).to_contain_text("marketing contacts on")


def test_keys_stay_with_the_widgets_of_a_notebook(page: Page, lab: str) -> None:
    open_sample(page, lab)
    cells = page.locator(".jp-Notebook-cell").count()
    page.get_by_label("Within").focus()
    for command in "xbdd":  # in JupyterLab: cut the cell, one more below, delete it
        page.keyboard.press(command)
    expect(page.locator(".jp-Notebook-cell")).to_have_count(cells)


def test_in_jupyterlabs_dark_theme_axe_finds_nothing_on_any_page(page: Page, lab: str) -> None:
    open_sample(page, lab)
    page.keyboard.press("Control+B")  # the files beside the notebook leave no room for it at 390
    page.add_style_tag(path=DARK)
    after = "document.body.append(document.head.lastElementChild)"  # where JupyterLab has the light theme's
    page.evaluate(f"{after}; document.body.dataset.jpThemeLight = 'false'")
    assert page.evaluate("getComputedStyle(document.body).getPropertyValue('--jp-layout-color0')").strip() == "#111"
    for name in NAMES:
        turn_to(page, name)
        for width in (1400, 900, 390):
            page.set_viewport_size({"width": width, "height": 900})
            assert violations(page, ".jp-Notebook .jp-OutputArea") == [], (name, width)
        page.set_viewport_size({"width": 1400, "height": 900})


def test_hostile_names_are_text_in_the_page(page: Page, app: Running, tmp_path: Path) -> None:
    rows = ["Record ID,Create Date,Record source,Record source detail 1,Marketing contact status"]
    for number, name in enumerate(HOSTILE * 20):
        rows.append(f"{number + 1},2024-03-01,Integration,{name},Marketing contact")
    rows.append(f"99,2024-03-01,Integration,x,{HOSTILE[0]}")
    path = tmp_path / "names.csv"
    path.write_text("\n".join(rows))
    page.goto(f"{app.address}/audit")
    expect(page.get_by_role("button", name=re.compile("Open your export"))).to_be_visible(timeout=60_000)
    upload(page, path)
    expect(page.locator(".mk-differs")).to_have_count(len(HOSTILE), timeout=60_000)
    for name in NAMES:
        turn_to(page, name)
        page.wait_for_timeout(500)
        assert violations(page) == []
    expect(page.get_by_label(f"Marketing contact status: {HOSTILE[0]}", exact=True)).to_be_visible()
    turn_to(page, "Switches")
    expect(page.get_by_label(HOSTILE[1], exact=True)).to_be_visible()
    expect(page.locator("mjx-container")).to_have_count(0)
    expect(page.locator("img[src=x]")).to_have_count(0)


WATCH_FOR_THE_BAR = """() => {
  const look = () => { window.bar ||= document.querySelector(".mk-at-parts progress")?.checkVisibility(); };
  new MutationObserver(look).observe(document.body, {attributes: true, childList: true, subtree: true});
}"""


def test_a_large_export_comes_in_parts_with_a_bar_and_one_over_the_limit_is_refused_at_once(
    page: Page, app: Running, tmp_path: Path
) -> None:
    header = "Record ID,Create Date,Record source,Record source detail 1,Marketing contact status,Notes"
    row = "{},2024-03-01,Integration,Shop,Marketing contact," + "x" * 2_000
    for name, rows in (("large.csv", 10_000), ("huge.csv", 52_000)):
        (tmp_path / name).write_text("\n".join([header, *(row.format(number) for number in range(1, rows + 1))]))
    page.goto(f"{app.address}/audit")
    expect(page.get_by_role("button", name=re.compile("Open your export"))).to_be_visible(timeout=60_000)
    upload(page, tmp_path / "huge.csv")
    expect(shown(page, "parts")).to_contain_text("too large to upload")
    page.evaluate(WATCH_FOR_THE_BAR)
    upload(page, tmp_path / "large.csv")
    expect(shown(page, "headline")).to_contain_text("HubSpot counts 10,000 of 10,000", timeout=90_000)
    assert page.evaluate("window.bar"), "there was no bar, however short"
