"""The explorer as a person meets it: JupyterLab in Chromium, clicks, and the numbers on the page."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

import marketable as mk
from lab import chromium, chromium_path, run_notebook, served
from test_explorer import DATA, EXPORT, reference_counts

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not chromium_path() and not os.environ.get("CI"), reason="no Chromium here; CI installs it"),
]
PORTAL = mk.Portal.load(DATA / "portal.yaml")
WITHOUT_NEWSLETTER = PORTAL.with_switches({"hubspot_form/Newsletter": False})


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with served(tmp_path_factory.mktemp("lab")) as address:
        yield address


@pytest.fixture(scope="module")
def page(lab: str) -> Iterator[Page]:
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 1400, "height": 1000})
        faults: list[str] = []
        page.on("pageerror", lambda fault: faults.append(str(fault)))
        run_notebook(page, lab, "explore.ipynb")
        expect(page.locator(".mk-at-headline")).to_contain_text("contacts are marketing", timeout=60_000)
        yield page
        assert faults == []


def choose(page: Page, file: Path) -> None:
    page.get_by_label("Batch", exact=True).select_option(file.name)
    expect(page.locator(".mk-at-message")).to_contain_text(f"{file.name}:")


def expect_counts(page: Page, now: dict[str, int], baseline: dict[str, int]) -> None:
    """The headline, and the last row of the table, show these counts."""
    everyone, change = sum(now.values()), now["marketing"] - baseline["marketing"]
    headline = f"{now['marketing']:,} of {everyone:,} contacts are marketing"
    expect(page.locator(".mk-at-headline")).to_contain_text(headline)
    numbers = [now["marketing"], baseline["marketing"], change, now["non-marketing"], now["not covered"], everyone]
    total = page.locator(".mk-at-table tbody tr").last.locator("td")
    expect(total).to_have_text(["Total", *(f"{number:,}" for number in numbers)])


@pytest.mark.parametrize("file", [DATA / "touches.csv", EXPORT], ids=["sample batch", "sample export"])
def test_flipping_a_switch_shows_the_numbers_of_the_slow_reference(page: Page, file: Path) -> None:
    touches = (mk.read_export(file) if file == EXPORT else mk.read_touches(file)).touches
    baseline = reference_counts(touches, PORTAL)
    flipped = reference_counts(touches, WITHOUT_NEWSLETTER)
    assert flipped["marketing"] < baseline["marketing"]

    choose(page, file)
    expect_counts(page, baseline, baseline)
    picture = page.locator(".mk-at-source-chart img")
    before = picture.get_attribute("src")
    page.get_by_label("Newsletter", exact=True).uncheck()
    expect(page.locator(".mk-at-headline")).to_contain_text("fewer than the baseline")
    expect(picture).not_to_have_attribute("src", before or "")
    expect_counts(page, flipped, baseline)
    expect(picture).to_have_attribute("alt", re.compile("Bar chart"))
    page.get_by_role("button", name="Baseline").click()
    expect(page.locator(".mk-at-headline")).to_contain_text("the same as the baseline")
    expect_counts(page, baseline, baseline)


def test_the_plan_for_a_tier_is_found_applied_and_undone(page: Page) -> None:
    touches = mk.read_touches(DATA / "touches.csv").touches
    baseline = reference_counts(touches, PORTAL)
    limit = baseline["marketing"] * 3 // 4
    choose(page, DATA / "touches.csv")
    expect_counts(page, baseline, baseline)
    field = page.get_by_label("At most", exact=True)
    field.fill(str(limit))
    field.press("Enter")
    page.get_by_role("button", name="Find the plan").click()
    expect(page.locator(".mk-at-plan")).to_contain_text("Turn off")
    page.get_by_role("button", name="Apply it").click()

    plan = mk.WhatIf(touches, PORTAL).plan(limit)
    planned = reference_counts(touches, PORTAL.with_switches(plan.flips))
    assert planned["marketing"] == plan.marketing <= limit
    expect_counts(page, planned, baseline)
    page.get_by_role("button", name="Undo").click()
    expect_counts(page, baseline, baseline)


def test_why_answers_for_one_contact(page: Page) -> None:
    choose(page, DATA / "touches.csv")
    decided = page.get_by_label("Decided by")
    newsletter = decided.locator("option", has_text="HubSpot forms: Newsletter").inner_text()
    decided.select_option(newsletter)
    page.get_by_role("button", name="Show an example").click()
    expect(page.locator(".mk-at-explanation")).to_contain_text("a HubSpot form “Newsletter” while its switch was on")


def test_a_file_is_uploaded_through_the_browser_and_its_rejected_rows_are_counted(page: Page, tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    rows = ["1,2025-03-01,hubspot_form,<b>F</b>", "2,soon,hubspot_form,F", "3,2025-03-02,hubspot_form,Save $5 on $50"]
    path.write_text("\n".join(["contact_id,occurred_at,source,asset", *rows]))
    page.get_by_label("Batch", exact=True).select_option("Upload a small file …")
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name=re.compile("Choose a file")).click()
    chooser.value.set_files(path)
    expect(page.locator(".mk-at-message")).to_contain_text("mine.csv: 3 rows read, 2 used, 1 rejected")
    expect(page.get_by_label("<b>F</b>", exact=True)).to_be_checked()
    expect(page.get_by_label("Save $5 on $50", exact=True)).to_be_checked()
    expect(page.locator(".mk-switches mjx-container")).to_have_count(0)


def test_a_path_that_leads_nowhere_is_told_in_the_page(page: Page) -> None:
    page.get_by_label("Batch", exact=True).select_option("A file by its path …")
    field = page.get_by_placeholder("/home/me/export.csv")
    field.fill("/nowhere/at/all.csv")
    field.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("all.csv")


def test_a_reloaded_page_shows_the_explorer_again_and_it_still_answers(page: Page) -> None:
    choose(page, DATA / "touches.csv")
    page.get_by_role("menuitem", name="File", exact=True).click()
    page.get_by_role("menuitem", name=re.compile("^Save Notebook(?! As)")).click()
    expect(page.get_by_role("tab", name="explore.ipynb")).not_to_have_class(re.compile("jp-mod-dirty"))
    page.wait_for_timeout(3_000)  # JupyterLab notes a moment later which tabs are open
    page.reload()
    expect(page.locator(".mk-at-headline")).to_contain_text("the same as the baseline", timeout=60_000)
    page.get_by_label("Newsletter", exact=True).uncheck()
    expect(page.locator(".mk-at-headline")).to_contain_text("fewer than the baseline")
