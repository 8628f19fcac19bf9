"""The three pictures of a batch, drawn with matplotlib: contacts by the tool that created them, marketing contacts over
time, and the switches that marketing contacts are owed to.

Each chart comes with a text that says the same to whoever cannot see it. Statuses differ in colour (after Okabe and
Ito, so that colour-blind people tell them apart) and in hatching; the title states the finding.
"""

from __future__ import annotations

import base64
import datetime as dt
import html
import math
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd
from matplotlib import style
from matplotlib.dates import date2num
from matplotlib.lines import Line2D

from marketable.portal.portal import split
from marketable.rulebook import MARKETING, NON_MARKETING, NOT_COVERED, STATUSES

from .sheet import (  # fmt: skip
    ALWAYS,
    BLUE,
    COLOURS,
    GREY,
    OVER,
    PALE,
    PLAIN,
    RED,
    ROOM,
    SHARED,
    SIDE,
    SMALL,
    TITLES,
    Sheet,
    bar_sheet,
    round_up,
    time_sheet,
    width_of,
)
from .words import against_tier, crossing, day

HATCHES = {MARKETING: "", NON_MARKETING: "///", NOT_COVERED: "..."}
MOST_SWITCHES = 12  # bars; the other switches share one
_REST = "no switch changes these"
_LEGEND = tuple((status, COLOURS[status], HATCHES[status]) for status in STATUSES)
_CREDIT_LEGEND = (
    ("only through it", COLOURS[MARKETING], ""),
    ("shared with others", SHARED, "///"),
    (_REST, ALWAYS, ""),
)
_NAMES = 384  # pixels, at most, for a name
_JOINERS = "\u200c\u200d"  # Persian and emoji need them
_plainly = style.context("default")  # a notebook's own style neither shows here nor gets into what is kept


@dataclass(frozen=True)
class Chart:
    """A picture: its bytes in PNG format, and the text that stands for it."""

    png: bytes
    alt: str

    def _repr_html_(self) -> str:
        data = base64.b64encode(self.png).decode()
        picture = f'<img class="mk-chart" alt="{html.escape(self.alt)}" src="data:image/png;base64,{data}">'
        return f'<div class="mk-scroll" tabindex="0" role="group" aria-label="Chart">{picture}</div>'


@_plainly
def by_source(now: pd.DataFrame, baseline: pd.DataFrame, names: Mapping[str, str]) -> Chart:
    """Contacts by creating source, the largest on top: a bar of the three statuses each, and above it, thin and pale,
    those without the flips.

    Arguments: now and baseline, a row a source, the statuses as columns (`Outcome.counts("source")`); names, what the
    sources are called.
    """
    rows, rows_before = (
        dict(zip(table.index, table[list(STATUSES)].to_numpy().tolist(), strict=True)) for table in (now, baseline)
    )
    sources = list(rows | rows_before)
    counts, before = (
        np.array([table.get(source, (0, 0, 0)) for source in sources], dtype=int).reshape(-1, 3)
        for table in (rows, rows_before)
    )
    ends = np.maximum(counts.sum(axis=1), before.sum(axis=1))
    order = np.argsort(-ends, kind="stable")  # by what flips leave as it is: no bar jumps
    counts, before, ends = counts[order], before[order], ends[order]
    called = [_legible(names.get(sources[at], sources[at])) for at in order]
    labels = [_fitted(name, "") for name in called]
    same, marketing, was = bool((counts == before).all()), counts[:, 0].tolist(), before[:, 0].tolist()
    changes = [f" ({now - then:+,})" if now != then else "" for now, then in zip(marketing, was, strict=True)]
    figures = [
        f"{count:,}{change}" if count or change else "" for count, change in zip(marketing, changes, strict=True)
    ]
    sheet = stacked(labels, counts, figures, STATUSES, ends, "{most:,} ({most:+,})")
    if not same:
        for status, widths, starts in zip(STATUSES, before.T, (before.cumsum(axis=1) - before).T, strict=True):
            sheet.bars(starts, widths, middle=-0.37, thick=0.14, facecolor=PALE[status])
    title = _created_most(marketing, called)
    against = "" if same else " (thin: without the flips)"
    sheet.titles(title, f"By creating tool, most contacts first; in figures, marketing{against}.")
    told = [
        f"{name}: {', '.join(f'{count:,} {status}' for count, status in zip(row, STATUSES, strict=True))}"
        + ("" if same else f" (without the flips: {one:,} marketing)")
        for name, row, one in zip(called, counts.tolist(), was, strict=True)
    ]
    return Chart(sheet.png(), f"Bar chart of contacts by creating tool. {title} {'; '.join(told)}.")


def stacked(
    names: Sequence[str], parts: np.ndarray, figures: Sequence[str], kinds: Sequence[str], ends: np.ndarray, room: str
) -> Sheet:
    """A sheet with a bar for each name, its parts by status one after the other, and a figure at its end.

    Arguments: kinds, the statuses, or what stands for the last; ends, where the figures stand; room, the widest figure.
    """
    most = int(ends.max(initial=1))
    legend = tuple((kind, *looks) for kind, (_, *looks) in zip(kinds, _LEGEND, strict=False))
    widest = max([0, *(width_of(name, PLAIN) for name in names)])
    sheet = bar_sheet(len(names), widest, width_of(room.format(most=most), SMALL, bold=True), most, legend)
    sheet.clean()
    for (_, colour, hatch), widths, starts in zip(legend, parts.T, (parts.cumsum(axis=1) - parts).T, strict=True):
        sheet.bars(starts, widths, facecolor=colour, hatch=hatch)
    for at, (name, figure) in enumerate(zip(names, figures, strict=True)):
        sheet.label(at, name, ends[at], figure)
    return sheet


@_plainly
def over_time(now: pd.Series, baseline: pd.Series, tier: int | None, since: dt.date | None = None) -> Chart:
    """Marketing contacts at the end of each day against the tier; dashed, without the flips.

    Arguments: now and baseline, counts by day (`Outcome.by_day()`); tier, or None; since, the last renewal, before
    which a day over the tier is no matter any more.
    """
    days, counts, same = date2num(now.index), now.to_numpy(), now.equals(baseline)
    # Room above the baseline and the tier, so that most flips leave the range as it is.
    usual = max(1, int(baseline.max()) if len(baseline) else 0, tier or 0)
    top = round_up(max(usual * 1.12, float(counts.max(initial=0)) * 1.04))
    sheet = time_sheet((days[0], max(days[-1], days[0] + 1)) if len(days) else None, top)
    sheet.clean()
    if len(days):
        if tier is not None:
            over = np.column_stack([days, np.maximum(counts, tier)])
            sheet.fill(np.vstack([over, [(days[-1], tier), (days[0], tier)]])[np.newaxis], facecolor=OVER)
            sheet.draw(Line2D(days[[0, -1]], [tier, tier], color=BLUE, linewidth=1.4))
        if not same:
            dashed = Line2D(date2num(baseline.index), baseline, color=GREY, linewidth=1.4, linestyle=(0, (4, 2)))
            sheet.draw(dashed)
        end: dict[str, Any] = {"marker": "o", "markersize": 4, "markevery": [-1]}
        sheet.draw(Line2D(days, counts, color=COLOURS[MARKETING], linewidth=2.2, **end))
        ends = [("marketing", int(counts[-1]), RED)]
        ends += [] if same else [("without flips", int(baseline.iloc[-1]), GREY)]
        ends += [] if tier is None else [("tier", tier, BLUE)]
        _name_ends(sheet, ends)
    title = _crossed(now, tier, since)
    sheet.titles(title, "Marketing contacts at the end of each day" + ("." if same else "; dashed, without the flips."))
    alt = f"Line chart of marketing contacts over time. {title}"
    if len(now):
        alt += f" From {now.iloc[0]:,} on {day(now.index[0])} to {now.iloc[-1]:,} on {day(now.index[-1])}"
        alt += f"; without the flips {baseline.iloc[-1]:,}." if not same and len(baseline) else "."
    return Chart(sheet.png(), alt)


@_plainly
def ahead(by_day: pd.DataFrame, today: dt.date, tier: int | None, says: str) -> Chart:
    """Marketing contacts of the last year and until the renewal against the tier: the line, dashed from today on, and
    shaded, where it is in 80 % of cases.

    Arguments: by_day, as `Outlook.by_day`; today, its last known day; tier, or None; says, the title.
    """
    shown = by_day[by_day.index >= pd.Timestamp(today) - pd.DateOffset(years=1)]
    days, median = date2num(shown.index), shown["marketing"].to_numpy(float)
    known = shown.index <= pd.Timestamp(today)
    sheet = time_sheet(
        (days[0], max(days[-1], days[0] + 1)), round_up(max(1.0, 1.12 * max(shown["high"].max(), tier or 0)))
    )
    sheet.clean()
    band = np.flatnonzero(~known)
    if len(band):
        band = np.concatenate([[band[0] - 1], band]) if band[0] else band
        low, high = (np.column_stack([days[band], shown[name].to_numpy(float)[band]]) for name in ("low", "high"))
        sheet.fill(np.vstack([high, low[::-1]])[np.newaxis], facecolor=OVER)
        sheet.draw(Line2D(days[band], median[band], color=COLOURS[MARKETING], linewidth=1.8, linestyle=(0, (4, 2))))
    if tier is not None:
        sheet.draw(Line2D(days[[0, -1]], [tier, tier], color=BLUE, linewidth=1.4))
    sheet.draw(Line2D(days[known], median[known], color=COLOURS[MARKETING], linewidth=2.2))
    ends = [("marketing", round(median[-1]), RED)] + ([] if tier is None else [("tier", tier, BLUE)])
    _name_ends(sheet, ends)
    sheet.titles(says, "Marketing contacts; dashed, what is likely to come; shaded, four of five cases.")
    last, end = shown.iloc[-1], day(shown.index[-1])
    alt = f"Line chart of marketing contacts. {says} {median[known][-1]:,.0f} on {day(today)}"
    alt += f"; on {end} likely {last['marketing']:,.0f}, between {last['low']:,.0f} and {last['high']:,.0f}."
    return Chart(sheet.png(), alt)


@_plainly
def credit(switches: pd.DataFrame, always: int, names: Mapping[str, str]) -> Chart:
    """Which switches the marketing contacts are owed to, the largest credit on top: solid, the contacts that are
    marketing through the switch alone; pale, its share of those that others reach as well.

    Arguments: switches, a row a switch: source, asset, on, exposed (contacts it reaches), sole (contacts that are
    marketing through it alone), credit (its fair share: a contact counts in equal parts for the switches that reach
    it); always, how many contacts are marketing whatever the switches are; names, what the sources are called.
    """
    # What is off keeps its row, so that the picture keeps its height.
    reaching = switches[(switches["exposed"] > 0) | (switches["credit"] > 0)]
    reaching = reaching.sort_values(["credit", "exposed"], ascending=False, kind="stable")
    first, rest = reaching.iloc[:MOST_SWITCHES], reaching.iloc[MOST_SWITCHES:]
    called = [_switch(str(name), names) for name in first.index]
    labels, full = [_fitted(*each) for each in called], [": ".join(filter(None, each)) for each in called]
    owed, sole = first["credit"].to_numpy(float), first["sole"].to_numpy(int)
    figures = [_whole(each) if on or each else "off" for each, on in zip(owed, first["on"], strict=True)]
    if len(rest):
        others = f"{len(rest):,} other {'switch' if len(rest) == 1 else 'switches'}"
        labels, full = [*labels, others], [*full, others]
        owed, sole = np.append(owed, rest["credit"].sum()), np.append(sole, rest["sole"].sum())
        figures.append(_whole(owed[-1]))
    most = round_up(max(1, always, owed.max(initial=0)))
    widest = max(width_of(label, PLAIN) for label in (*labels, _REST))
    widest = min(math.ceil(widest / 48) * 48, _NAMES)  # in steps, as the names change from flip to flip
    sheet = bar_sheet(len(owed) + 1, widest, width_of(f"{most:,.0f}", SMALL, bold=True), most, _CREDIT_LEGEND)
    sheet.clean()
    sheet.bars(np.zeros(len(owed)), sole, facecolor=COLOURS[MARKETING])
    sheet.bars(sole, owed - sole, facecolor=SHARED, hatch="///")
    sheet.bars(np.zeros(1), np.array([always]), first=len(owed), facecolor=ALWAYS)
    for at, (label, figure) in enumerate(zip(labels, figures, strict=True)):
        sheet.label(at, label, owed[at], figure, GREY if figure == "off" else RED)
    sheet.label(len(owed), _REST, always, f"{always:,}", GREY)
    title = _accounts_for(called, owed, always)
    sheet.titles(title, "Largest share on top; whom several switches reach counts for each in equal parts.")
    told = [
        f"{name}: {figure}" + (f" ({alone:,} only through it)" if figure != "off" else "")
        for name, figure, alone in zip(full, figures, sole.tolist(), strict=True)
    ]
    alt = f"Bar chart of marketing contacts by the switch they are owed to. {title}"
    return Chart(sheet.png(), f"{alt} {'; '.join([*told, f'{_REST}: {always:,}'])}.")


# ---- findings ----


def _created_most(marketing: Sequence[int], names: Sequence[str]) -> str:
    if not any(marketing):
        return "No contact is marketing."
    most = max(range(len(names)), key=marketing.__getitem__)
    return _finding(names[most], f"made the most marketing: {marketing[most]:,} of {sum(marketing):,}.")


def _crossed(now: pd.Series, tier: int | None, since: dt.date | None) -> str:
    if not len(now):
        return "Nothing happened yet."
    last = int(now.iloc[-1])
    if tier is None:
        return f"{last:,} marketing {'contact' if last == 1 else 'contacts'} at the end."
    first = crossing(now, tier, since)
    if first is None:
        return f"At the end {against_tier(last, tier)}."
    before = since is not None and bool((now[now.index < pd.Timestamp(since)] > tier).any())
    term = " in this term" if before else ""
    return f"Over the tier of {tier:,}{term} since {day(first)}{'' if last > tier else f'; now {last:,}'}."


def _accounts_for(called: Sequence[tuple[str, str]], owed: np.ndarray, always: int) -> str:
    total = _whole(owed.sum() + always)
    if not owed.any():
        return f"{total} marketing; no switch changes that." if always else "No contact is marketing."
    tool, asset = called[0]
    return _finding(asset or tool, f"has the largest share: {_whole(owed[0])}.")


# ---- words ----


def _switch(name: str, names: Mapping[str, str]) -> tuple[str, str]:
    """A switch's tool and what of it, as they are called; the latter is empty where the tool has one switch."""
    source, asset = split(name)
    return _legible(names.get(source, source)), "" if asset is None else _legible(asset) or "(no name)"


def _legible(text: str) -> str:
    """A text from data on one line, in which control characters can be seen and do nothing."""
    seen = (each if each.isprintable() or each.isspace() or each in _JOINERS else "\ufffd" for each in text)
    return " ".join("".join(seen).split())


def _whole(contacts: float) -> str:
    return "<1" if 0 < contacts < 0.5 else f"{contacts:,.0f}"


def _finding(name: str, told: str) -> str:
    """A sentence that begins with a name, which is shortened until the sentence fits as a title."""
    return _most(lambda kept: f"{_shortened(name, '', kept)} {told}", len(name), ROOM, TITLES[1], bold=True)


@lru_cache(maxsize=1024)
def _fitted(tool: str, asset: str) -> str:
    """A bar's name, shortened to the room there is."""
    return _most(lambda kept: _shortened(tool, asset, kept), len(tool) + len(asset), _NAMES, PLAIN)


def _most(made: Callable[[int], str], letters: int, room: int, size: float, *, bold: bool = False) -> str:
    """What is made of as many letters as there is room for; of a few where there is none."""
    if letters <= 90 and width_of(made(letters), size, bold=bold) <= room:
        return made(letters)
    return made(max(8, bisect_right(range(1, 91), room, key=lambda kept: width_of(made(kept), size, bold=bold))))


def _shortened(tool: str, asset: str, kept: int) -> str:
    """A name of at most so many letters. The tool gives way first, then the middle of the rest: names of forms and
    files often differ in their last letters.

    >>> _shortened("Imports", "Fair 2026", 16), _shortened("Imports of objects", "Fair 2026", 17)
    ('Imports: Fair 2026', 'Imports…: Fair 2026')
    >>> _shortened("Forms", "A white paper of 2026", 15)
    'Forms: A whi… 2026'
    """
    if not asset:
        return tool if len(tool) <= kept else f"{tool[:kept].rstrip()}…"
    of_tool = max(8, kept - len(asset))
    of_asset = max(2, kept - min(of_tool, len(tool)))
    if len(asset) > of_asset:
        asset = f"{asset[: of_asset - of_asset // 2].rstrip()}…{asset[-(of_asset // 2) :]}"
    return f"{_shortened(tool, '', of_tool)}: {asset}"


def _name_ends(sheet: Sheet, ends: Sequence[tuple[str, int, str]]) -> None:
    """Writes a line's count and name beside its end, in its colour; those near one another one above the other."""
    height = -math.inf
    for name, count, colour in sorted(ends, key=lambda end: end[1]):
        height = max(sheet.axes.transData.transform((0, count))[1], height + 2 * SMALL)
        sheet.write(sheet.right + SIDE, height, f"{count:,} {name}", SMALL, colour, bold=True)
