"""How long it takes in JupyterLab from the click on a switch to the new pictures, each decoded by the browser.

    python tests/benchmark_browser.py --flips 40

In headless Chromium, over the workbench with the made-up sample of 10,000 touches. Measured by the page's own clock.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np
from playwright.sync_api import Page, expect

from lab import chromium, run_notebook, served

_WATCH = """
([box, places]) => new Promise(done => {
    const begun = performance.now(), seen = {};
    const observer = new MutationObserver(() => {
        for (const place of places) {
            const picture = document.querySelector(`.mk-at-${place} img`);
            if (seen[place] !== undefined || !picture || picture.src === before[place]) continue;
            seen[place] = null;
            picture.decode().then(() => {
                seen[place] = performance.now() - begun;
                if (places.every(each => seen[each])) { observer.disconnect(); done(places.map(each => seen[each])); }
            });
        }
    });
    const before = Object.fromEntries(places.map(each => [each, document.querySelector(`.mk-at-${each} img`).src]));
    observer.observe(document.body, {subtree: true, childList: true, attributes: true});
    box.click();
})
"""
PICTURES = ["source-chart", "credit-chart", "time-chart"]
SWITCH = "Newsletter"


def flips(page: Page, count: int) -> np.ndarray:
    """Milliseconds by flip and picture; flips before the first that is counted warm up."""
    rows = []
    box = page.get_by_label(SWITCH, exact=True).element_handle()
    for _ in range(count + 4):
        rows.append(page.evaluate(_WATCH, [box, PICTURES]))
        page.wait_for_timeout(150)
    return np.array(rows[4:])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--flips", type=int, default=40)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, served(Path(folder)) as lab, chromium() as browser:
        page = browser.new_page(viewport={"width": 1400, "height": 1000})
        run_notebook(page, lab, "explore.ipynb")
        expect(page.locator(".mk-at-time-chart img")).to_be_visible(timeout=60_000)
        page.wait_for_timeout(2000)
        took = flips(page, options.flips)
    print("| click to | median ms | 95 % | worst |\n|---|--:|--:|--:|")
    for name, column in zip([*PICTURES, "all"], [*took.T, took.max(axis=1)], strict=True):
        print(f"| {name} | {np.median(column):.0f} | {np.percentile(column, 95):.0f} | {column.max():.0f} |")


if __name__ == "__main__":
    main()
