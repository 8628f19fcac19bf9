"""The audit as a person meets it: in the app by keyboard, from an upload to a download; in JupyterLab on the sample."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

import marketable as mk
from firm import CONTACTS, MARKETING
from lab import REPOSITORY, Running, chromium, chromium_path, run_notebook, served, served_app, violations

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not chromium_path() and not os.environ.get("CI"), reason="no Chromium here; CI installs it"),
]
EXPORT = next((REPOSITORY / "data").glob("hubspot-crm-exports-*.csv"))
DIFFERING = [
    re.compile(r"HubSpot forms: Pricing enquiry: looks on"),
    re.compile(r"Integrations and API: Shopware: looks on since 2025-0\d-\d\d, off before"),
]
HOSTILE = ["<img src=x onerror=alert(1)>", "$x^2$", "=1+1", '"two\nlines"']


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    page = browser.new_page(viewport={"width": 1280, "height": 1000})
    faults: list[str] = []
    page.on("pageerror", lambda fault: faults.append(str(fault)))
    page.on("filechooser", lambda _: None)  # so that Chromium hands them over from the beginning
    page.on("dialog", lambda dialog: faults.append(dialog.message))
    yield page
    page.close()
    assert faults == []


@pytest.fixture(scope="module")
def app(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with served_app(tmp_path_factory.mktemp("app")) as server:
        yield server


@pytest.fixture(scope="module")
def lab(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with served(tmp_path_factory.mktemp("lab")) as address:
        yield address


def tab_to(page: Page, target: Locator) -> None:
    """Moves to a widget as somebody does who has no mouse."""
    expect(target).to_be_visible()
    for _ in range(60):
        if target.evaluate("each => each === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"the keyboard does not reach {target}")


def upload_by_keyboard(page: Page, app: Running, file: Path) -> None:
    page.goto(f"{app.address}/audit")
    tab_to(page, page.get_by_label("Export", exact=True))
    page.keyboard.type("Upload")
    button = page.get_by_role("button", name="Choose files, at most 9 MB")
    tab_to(page, button)
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Enter")
    chooser.value.set_files(file)


def expect_the_planted_switches(page: Page) -> None:
    differing = page.locator(".mk-at-differing .mk-differs")
    expect(differing).to_have_count(len(DIFFERING))
    for item, told in zip(differing.all(), DIFFERING, strict=True):
        expect(item).to_contain_text(told)
    expect(page.locator(".mk-at-headline")).to_contain_text(f"{MARKETING} of {CONTACTS:,} contacts are marketing")


def test_in_the_app_an_export_is_uploaded_understood_and_audited_without_a_mouse(page: Page, app: Running) -> None:
    upload_by_keyboard(page, app, EXPORT)
    understood = page.locator(".mk-at-understood")
    expect(understood).to_contain_text(f"{CONTACTS:,} rows read: {CONTACTS:,} contacts used, 0 rejected.")
    expect(understood).to_contain_text("UTF-8")
    expect(page.locator(".mk-at-headline")).to_be_hidden()
    for width in (1280, 390):
        page.set_viewport_size({"width": width, "height": 1000})
        assert violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width

    tab_to(page, page.get_by_label("Portal", exact=True))
    page.keyboard.type("portal")
    tab_to(page, page.get_by_role("button", name="Audit these contacts"))
    page.keyboard.press("Enter")
    expect_the_planted_switches(page)
    button = page.get_by_role("button", name="Make a download: portal.yaml")
    tab_to(page, button)
    page.keyboard.press("Enter")
    with page.expect_download() as download:
        tab_to(page, page.get_by_role("link", name="Download portal.yaml"))
        page.keyboard.press("Enter")
    portal = mk.Portal.load(download.value.path())
    assert portal.is_on("hubspot_form/Pricing enquiry") and portal.is_on("integration/Shopware")

    page.get_by_role("button", name="Show an example").click()
    expect(page.locator(".mk-at-explanation")).to_contain_text("How far to trust it")
    assert not re.search(r"[\w.]@\w", page.get_by_role("main").inner_text())
    for width in (1280, 390):
        page.set_viewport_size({"width": width, "height": 1000})
        assert violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_hostile_names_are_text_in_the_page(page: Page, app: Running, tmp_path: Path) -> None:
    rows = ["Record ID,Create Date,Record source,Record source detail 1,Marketing contact status"]
    for number, name in enumerate(HOSTILE * 20):
        rows.append(f"{number + 1},2024-03-01,Integration,{name},Marketing contact")
    rows.append(f"99,2024-03-01,Integration,x,{HOSTILE[0]}")
    path = tmp_path / "names.csv"
    path.write_text("\n".join(rows))
    upload_by_keyboard(page, app, path)
    expect(page.get_by_label(f"Marketing contact status: {HOSTILE[0]}", exact=True)).to_be_visible()
    page.get_by_role("button", name="Audit these contacts").click()
    expect(page.locator(".mk-at-differing .mk-differs")).to_have_count(len(HOSTILE))
    page.get_by_role("button", name="Show an example").click()
    expect(page.locator(".mk-at-explanation")).to_contain_text("is marketing")
    expect(page.locator(".mk-at-differing")).to_contain_text("$x^2$")
    expect(page.locator("mjx-container")).to_have_count(0)
    expect(page.locator("img[src=x]")).to_have_count(0)
    assert violations(page) == []


def test_in_jupyterlab_the_sample_is_audited_and_keys_stay_with_the_widgets(page: Page, lab: str) -> None:
    run_notebook(page, lab, "audit.ipynb")
    export = page.get_by_label("Export", exact=True)
    expect(export).to_be_visible(timeout=60_000)
    export.select_option(EXPORT.name)
    expect(page.locator(".mk-at-understood")).to_contain_text(f"{CONTACTS:,} contacts used")
    page.get_by_role("button", name="Audit these contacts").click()
    expect_the_planted_switches(page)
    page.get_by_role("button", name="Save: portal.yaml").click()
    expect(page.get_by_text(re.compile("Saved in .*: portal.yaml"))).to_be_visible()
    saved = Path(os.environ["MARKETABLE_SAVED"], "portal.yaml")
    assert mk.Portal.load(saved).is_on("integration/Shopware")
    saved.unlink()

    cells = page.locator(".jp-Notebook-cell").count()
    page.get_by_label("Tier (0: none)").focus()
    for command in "xbdd":  # in JupyterLab: cut the cell, one more below, delete it
        page.keyboard.press(command)
    expect(page.locator(".jp-Notebook-cell")).to_have_count(cells)
    assert violations(page, ".jp-Notebook .jp-OutputArea") == []
