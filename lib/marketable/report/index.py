"""The page about the reports of a sweep, and the same as files: a row each, what failed and why, and what moved."""

from __future__ import annotations

import html
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from marketable.paths import write_together
from marketable.rulebook import MARKETING, NON_MARKETING, NOT_COVERED
from marketable.views.document import document
from marketable.views.pieces import folded
from marketable.views.tables import csv
from marketable.views.words import discreet

from .compare import Comparison, compare, tables
from .process import writing
from .sweep import Sweep

_ROW = {
    "marketing": "marketing",
    "rules": "by the rules",
    "non-marketing": "non-marketing",
    "not covered": "not covered by the rules",
    "change": "change in period by the rules",
    "what-if": "change with the what-if",
    "tier": "tier",
    "room": "room in the tier",
}  # figures of a run, and what stands above them on the page
_SIGNED = ("change", "what-if")


def write_index(sweep: Sweep, figures: Mapping[str, Mapping[str, Any]], failures: Mapping[str, str]) -> None:
    """Writes the page, and beside it the same as csv and JSON.

    Arguments: by the names of runs, the figures of those that were made, and why the others failed, in a line.
    """
    rows = []
    for run in sweep.runs:
        failed = discreet(failures[run.name]) if run.name in failures else None
        rows.append({"name": run.name, "label": discreet(run.label), **_row(figures.get(run.name)), "failed": failed})
    moved = _compared(sweep, figures)
    reports = [row | {"moved": _plain(moved.get(row["name"]))} for row in rows]
    data = json.dumps({"title": discreet(sweep.title), "reports": reports}, indent=1, ensure_ascii=False)
    contents = {".json": f"{data}\n".encode(), ".csv": csv(pd.DataFrame(rows, dtype=object))}
    beside = {sweep.index.with_suffix(suffix): content for suffix, content in contents.items()}
    with writing(sweep.index):
        write_together({**beside, sweep.index: _page(sweep, rows, moved).encode()})


def _row(figures: Mapping[str, Any] | None) -> dict[str, Any]:
    """What the index says of one report: None for what its data do not say."""
    if figures is None:
        return dict.fromkeys([*_ROW, "headline"])
    now, before, imagined = (figures["counts"][of] for of in ("now", "before", "what-if"))
    own, tier = figures.get("own"), figures["tier"]
    counted = own or now
    return {
        "marketing": counted[MARKETING],
        "rules": None if own is None else now[MARKETING],
        "non-marketing": counted[NON_MARKETING],
        "not covered": now[NOT_COVERED],
        "change": now[MARKETING] - before[MARKETING],
        "what-if": imagined[MARKETING] - now[MARKETING] if figures["parameters"]["flips"] else None,
        "tier": tier,
        "room": None if tier is None else tier - counted[MARKETING],
        "headline": figures["headline"],
    }


def _compared(sweep: Sweep, figures: Mapping[str, Mapping[str, Any]]) -> dict[str, Comparison]:
    """Each run that was made against the first of its group."""
    firsts: dict[str, str] = {}
    compared = {}
    for run in sweep.runs:
        if run.name in figures:
            first = firsts.setdefault(run.group, run.name)
            if first != run.name:
                compared[run.name] = compare(figures[first], figures[run.name])
    return compared


def _plain(comparison: Comparison | None) -> dict[str, Any] | None:
    if comparison is None:
        return None
    movements = {"now": comparison.now} | ({"what-if": comparison.what_if} if comparison.what_if else {})
    by = {of: movement.moved.round(6).reset_index().to_dict("records") for of, movement in movements.items()}
    return {"says": comparison.says, **by}


# ---- the page ----


def _page(sweep: Sweep, rows: list[dict[str, Any]], moved: Mapping[str, Comparison]) -> str:
    failed = [row for row in rows if row["failed"] is not None]
    count = f"{len(rows) - len(failed):,} of {len(rows):,} reports were made."
    return document(
        discreet(sweep.title),
        f'<p class="mk-note">{count}</p>{_faults(sweep.folder, failed)}{_table(rows)}{_what_moved(sweep, rows, moved)}',
    )


def _faults(folder: Path, failed: list[dict[str, Any]]) -> str:
    items = ""
    for row in failed:
        file = html.escape(f"{row['name']}.failed.ipynb")
        link = f' <a href="{file}">The notebook as far as it came</a>.' if (folder / file).is_file() else ""
        items += f"<li><strong>{html.escape(row['label'])}</strong>: {html.escape(row['failed'])}{link}</li>"
    return f'<section class="mk-faults"><h2>Not made</h2><ul>{items}</ul></section>' if failed else ""


def _table(rows: list[dict[str, Any]]) -> str:
    made = [row for row in rows if row["failed"] is None]
    if not made:
        return ""
    columns = [name for name in _ROW if any(row[name] is not None for row in made)]
    most = max(max(row["marketing"], row["marketing"] + (row["what-if"] or 0)) for row in made)
    head = '<th scope="col">report</th><th scope="col">marketing contacts</th>' + "".join(
        f'<th scope="col" class="mk-number">{_ROW[name]}</th>' for name in columns
    )
    body = "".join(
        f'<tr><th scope="row"><a href="{html.escape(row["name"])}.html">{html.escape(row["label"])}</a></th>'
        f'<td class="mk-bars">{_bars(row, most)}</td>'
        + "".join(f'<td class="mk-number">{_number(row[name], signed=name in _SIGNED)}</td>' for name in columns)
        + f'<td class="mk-saying">{html.escape(row["headline"])}</td></tr>'
        for row in made
    )
    imagined = " The outlined bar is with the what-if." if "what-if" in columns else ""
    imagined += (
        " Marketing contacts are those that HubSpot counts, where the data say it." if "rules" in columns else ""
    )
    return (
        f'<div class="mk-scroll"><table class="mk-table"><caption>The reports, in the order of the plan.{imagined}'
        f'</caption><thead><tr>{head}<th scope="col" class="mk-saying">in short</th></tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def _bars(row: Mapping[str, Any], most: int) -> str:
    imagined = None if row["what-if"] is None else row["marketing"] + row["what-if"]
    kinds = [(row["marketing"], "mk-bar"), (imagined, "mk-bar mk-imagined")]
    return "".join(
        f'<span class="{kind}" style="width:{100 * count / max(most, 1):.1f}%"></span>'
        for count, kind in kinds
        if count is not None
    )


def _number(value: int | None, *, signed: bool) -> str:
    return "" if value is None else f"{value:+,}" if signed and value else f"{value:,}"


def _what_moved(sweep: Sweep, rows: list[dict[str, Any]], moved: Mapping[str, Comparison]) -> str:
    if not moved:
        return ""
    against = "the first" if len({run.group for run in sweep.runs}) == 1 else "the first report of the same portal"
    items = "".join(
        f"<h3>{html.escape(row['label'])}</h3>{_comparison(moved[row['name']])}" for row in rows if row["name"] in moved
    )
    return f"<h2>What moved, against {against}</h2>{items}"


def _comparison(comparison: Comparison) -> str:
    parts = tables(comparison.what_if or comparison.now)
    if comparison.what_if and len(comparison.now.counting):
        parts += f"<p>Before the what-if:</p>{tables(comparison.now)}"
    return f"<p>{html.escape(comparison.says)}</p>{folded('Switch by switch', parts) if parts else ''}"
