"""The pictures of a batch, as SVG: contacts by the tool that created them, marketing contacts over time, and the
switches that marketing contacts are owed to.

Each chart comes with a text that says the same to whoever cannot see it. Statuses differ in colour (after Okabe and
Ito, so that colour-blind people tell them apart) and in hatching; the title states the finding.
"""

from __future__ import annotations

import base64
import html
import math
import unicodedata
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from marketable.portal.portal import split
from marketable.rulebook import MARKETING, NON_MARKETING, NOT_COVERED, STATUSES

from .words import against_tier, crossing, day

NOT_TOLD = "status not told"
SOLE, SHARED, ALWAYS = "only through it", "shared with others", "whatever the switches"
_LOOKS = {
    MARKETING: ("#D55E00", ""),
    NON_MARKETING: ("#8CC5E8", "lines"),
    NOT_COVERED: ("#D9D9D9", "dots"),
    NOT_TOLD: ("#D9D9D9", "dots"),
    SOLE: ("#D55E00", ""),
    SHARED: ("#F0BD96", "lines"),
    ALWAYS: ("#8E8E8E", ""),
}  # the colour and the hatching of each kind of contacts
_PALE = {MARKETING: ("#E8A673", ""), NON_MARKETING: ("#C0DFF2", ""), NOT_COVERED: ("#EAEAEA", "")}
INK, GREY, BLUE, RED, _OVER, _GRID = "#222222", "#6B6B6B", "#0072B2", "#A34700", "#F7E2D1", "#E6E6E6"
MOST_SWITCHES = 12  # bars; the other switches share one
WIDTH = 644  # pixels: wide enough for the words, and hardly shrunk where a page is narrow
SMALL, PLAIN, TITLES = 13, 14, (18, 16.5, 15, 13.5)  # pixels
_SIDE, _ROW, _TOP, _BOTTOM, _GAP = 8, 36, 70, 36, 6
_ROOM = WIDTH - 2 * _SIDE
_NAMES = 288  # pixels, at most, for a name
_JOINERS = "\u200c\u200d"  # Persian and emoji need them
_HATCHES = (
    '<pattern id="lines" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
    '<path d="M3 0V6" stroke="#fff" stroke-width="1.1"/></pattern>'
    '<pattern id="dots" width="6" height="6" patternUnits="userSpaceOnUse"><circle cx="3" cy="3" r="1.1" fill="#fff"/>'
    "</pattern>"
)


@dataclass(frozen=True)
class Chart:
    """A picture, as SVG, and the text that stands for it."""

    svg: str
    alt: str

    def _repr_html_(self) -> str:
        data = base64.b64encode(self.svg.encode()).decode()
        return f'<img class="mk-chart" alt="{html.escape(self.alt)}" src="data:image/svg+xml;base64,{data}">'


@dataclass(frozen=True)
class Bar:
    """A row of a bar chart: its name, its parts from left to right (how many contacts of which kind), a figure at its
    end, and the parts of a thin bar above it.
    """

    name: str
    parts: Sequence[tuple[float, str]]
    figure: str
    thin: Sequence[tuple[float, str]] = ()


def by_source(now: pd.DataFrame, baseline: pd.DataFrame, names: Mapping[str, str]) -> Chart:
    """Contacts by creating source, the largest on top: a bar of the three statuses each, and above it, thin and pale,
    the baseline's.

    Arguments: now and baseline, a row a source, the statuses as columns (`Outcome.counts("source")`); names, what the
    sources are called.
    """
    counts, before = (
        {source: row for source, *row in each[list(STATUSES)].astype(int).itertuples()} for each in (now, baseline)
    )
    rows = [(str(source), counts.get(source, [0] * 3), before.get(source, [0] * 3)) for source in counts | before]
    rows.sort(key=lambda row: -max(sum(row[1]), sum(row[2])))  # by what flips leave as it is: no bar jumps
    same, bars, told = all(row == was for _, row, was in rows), [], []
    for source, row, was in rows:
        name, change = _legible(names.get(source, source)), row[0] - was[0]
        figure = f"{row[0]:,}" + (f" ({change:+,})" if change else "") if row[0] or change else ""
        thin = () if same else list(zip(was, STATUSES, strict=True))
        bars.append(Bar(_fitted(name), list(zip(row, STATUSES, strict=True)), figure, thin))
        told.append(f"{name}: {_counted(row, STATUSES)} (baseline: {was[0]:,} marketing)")
    most = max([1, *(sum(each) for row in rows for each in row[1:])])
    marketing = [row[0] for _, row, _ in rows]
    title = "No contact is marketing."
    if any(marketing):
        first = marketing.index(max(marketing))
        finding = f"created the most: {marketing[first]:,} of {sum(marketing):,}."
        title = _title(_legible(names.get(rows[first][0], rows[first][0])), finding)
    against = "" if same else " (thin bar: the baseline)"
    subtitle = f"Contacts by creating tool; in figures, the marketing ones{against}."
    svg = bar_chart(bars, most, STATUSES, title, subtitle, widest=f"{most:,} ({most:+,})")
    return Chart(svg, f"Bar chart of contacts by creating tool. {title} {'; '.join(told)}.")


def over_time(now: pd.Series, baseline: pd.Series, tier: int | None) -> Chart:
    """Marketing contacts at the end of each day against the tier; dashed, the baseline.

    Arguments: now and baseline, counts by day (`Outcome.by_day()`); tier, or None.
    """
    same, height, title = now.equals(baseline), 330, _crossed(now, tier)
    # Room above the baseline and the tier, so that most flips leave the range as it is.
    usual = max(1, int(baseline.max()) if len(baseline) else 0, tier or 0)
    top = _round_up(max(usual * 1.12, float(now.max()) * 1.04 if len(now) else 0))
    ground, ticks = height - _BOTTOM, _ticks(top)
    left = _SIDE + _GAP + max(_width(f"{tick:,.0f}", SMALL) for tick in ticks)
    right = WIDTH - 2 * _SIDE - _width(f"{top:,.0f} marketing", SMALL, bold=True)
    first, last = (now.index[0], now.index[-1]) if len(now) else (pd.Timestamp(0), pd.Timestamp(0))
    days = max((last - first).days, 1)

    def x(at: Any) -> np.ndarray:
        return np.rint(left + (right - left) * np.asarray((at - first).days) / days)

    def y(count: Any) -> Any:
        return ground - (ground - _TOP) * count / top

    def points(counts: pd.Series) -> list[tuple[float, float]]:
        """One a column of pixels, as many as can be seen."""
        return list(dict(zip(x(counts.index).tolist(), y(counts.to_numpy()).tolist(), strict=True)).items())

    parts = []
    for tick in ticks:
        parts.append(_line([(left, y(tick)), (right, y(tick))], _GRID, 1))
        parts.append(_text(left - _GAP, y(tick), f"{tick:,.0f}", SMALL, INK, anchor="end"))
    dates, labels = _dates(now.index)
    for at, label in zip(x(dates).tolist(), labels, strict=True):
        parts.append(_text(at, ground + 16, label, SMALL, INK, anchor="middle"))
    alt = f"Line chart of marketing contacts over time. {title}"
    if len(now):
        curve, dashed = points(now), points(baseline)
        if tier is not None:
            corners = [*((at, min(height_of, y(tier))) for at, height_of in curve), (curve[-1][0], y(tier))]
            over = " ".join(f"{at},{height_of:.1f}" for at, height_of in [*corners, (curve[0][0], y(tier))])
            parts.append(f'<polygon points="{over}" fill="{_OVER}"/>')
            parts.append(_line([(left, y(tier)), (right, y(tier))], BLUE, 1.8))
        if not same:
            parts.append(_line(dashed, GREY, 1.8, ' stroke-dasharray="6 3"'))
        parts.append(_line(curve, _LOOKS[MARKETING][0], 2.8))
        parts.append(f'<circle cx="{curve[-1][0]}" cy="{curve[-1][1]:.1f}" r="3.2" fill="{_LOOKS[MARKETING][0]}"/>')
        ends_of = [("marketing", int(now.iloc[-1]), RED)]
        ends_of += [] if same or baseline.empty else [("baseline", int(baseline.iloc[-1]), GREY)]
        ends_of += [] if tier is None else [("tier", tier, BLUE)]
        heights = _apart([y(count) for _, count, _ in ends_of], SMALL + 4)
        for (name, count, colour), at in zip(ends_of, heights, strict=True):
            parts.append(_text(right + _SIDE, at, f"{count:,} {name}", SMALL, colour, bold=True))
        alt += f" From {now.iloc[0]:,} on {day(first)} to {now.iloc[-1]:,} on {day(last)}"
        alt += f"; the baseline ends at {baseline.iloc[-1]:,}." if len(baseline) else "."
    subtitle = "Marketing contacts at the end of each day" + ("." if same else "; dashed, the baseline.")
    return Chart(_svg(height, title, subtitle, parts), alt)


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
    rows = [
        (_fitted(*each), ": ".join(filter(None, each)), float(owed), int(sole), _whole(owed) if on or owed else "off")
        for each, owed, sole, on in zip(called, first["credit"], first["sole"], first["on"], strict=True)
    ]
    if len(rest):
        others = f"{len(rest):,} other {'switch' if len(rest) == 1 else 'switches'}"
        owed = float(rest["credit"].sum())
        rows.append((others, others, owed, int(rest["sole"].sum()), _whole(owed)))
    bars = [Bar(label, [(sole, SOLE), (owed - sole, SHARED)], figure) for label, _, owed, sole, figure in rows]
    most = _round_up(max([1, always, *(owed for _, _, owed, _, _ in rows)]))
    total, title = _whole(sum(owed for _, _, owed, _, _ in rows) + always), "No contact is marketing."
    if any(owed for _, _, owed, _, _ in rows):
        tool, asset = called[0]
        title = _title(asset or tool, f"accounts for {_whole(rows[0][2])} of {total} marketing contacts.")
    elif always:
        title = f"{total} marketing, {ALWAYS}."
    subtitle = "A contact that several switches make marketing counts in equal parts for each of them."
    bars.append(Bar(ALWAYS, [(always, ALWAYS)], f"{always:,}"))
    svg = bar_chart(bars, most, (SOLE, SHARED, ALWAYS), title, subtitle, widest=f"{most:,.0f}")
    told = [
        f"{name}: {figure}" + (f" ({sole:,} only through it)" if figure != "off" else "")
        for _, name, _, sole, figure in rows
    ]
    alt = f"Bar chart of marketing contacts by the switch they are owed to. {title}"
    return Chart(svg, f"{alt} {'; '.join([*told, f'{ALWAYS}: {always:,}'])}.")


def bar_chart(
    bars: Sequence[Bar], most: float, kinds: Iterable[str], title: str, subtitle: str, *, widest: str = ""
) -> str:
    """Bars up to a length, below a title and a legend of the kinds of their parts, as SVG.

    Arguments: widest, the longest figure there may be, for which there is room.
    """
    top = _TOP + 22
    height = top + _ROW * max(len(bars), 1) + _BOTTOM
    names = max([0, *(_width(bar.name, PLAIN) for bar in bars)])
    left = _SIDE + _GAP + min(math.ceil(names / 48) * 48, _NAMES)  # in steps, as names may change from flip to flip
    scale = (WIDTH - _SIDE - _GAP - _width(widest or f"{most:,.0f}", SMALL, bold=True) - left) / most
    parts, at = [], float(_SIDE)
    for kind in kinds:
        parts += [_rect(at, 63, 26, 12, *_LOOKS[kind]), _text(at + 32, 69, kind, SMALL, INK)]
        at += 32 + _width(kind, SMALL) + 20
    steps = min(5, max(1, int(scale * most // (_width(f"{most:,.0f}", SMALL) + 2 * _GAP))))
    for tick in _ticks(most, steps):
        place = left + tick * scale
        parts.append(_line([(place, top), (place, height - _BOTTOM)], _GRID, 1))
        parts.append(_text(place, height - _BOTTOM + 16, f"{tick:,.0f}", SMALL, INK, anchor="middle"))
    for number, bar in enumerate(bars):
        middle = top + _ROW * (number + 0.5)
        ends = [float(left)]
        for pieces, looks, up, thick in ((bar.parts, _LOOKS, 0.25, 0.5), (bar.thin, _PALE, 0.44, 0.14)):
            end = float(left)
            for length, kind in pieces:
                parts.append(_rect(end, middle - up * _ROW, length * scale, thick * _ROW, *looks[kind]))
                end += length * scale
            ends.append(end)
        parts.append(_text(left - _GAP, middle, bar.name, PLAIN, INK, anchor="end"))
        colour = GREY if bar.figure == "off" or bar.name == ALWAYS else RED
        parts.append(_text(max(ends) + _GAP, middle, bar.figure, SMALL, colour, bold=True))
    return _svg(height, title, subtitle, parts)


# ---- SVG ----


def _svg(height: float, title: str, subtitle: str, parts: Iterable[str]) -> str:
    size = next((size for size in TITLES if _width(title, size, bold=True) <= _ROOM), TITLES[-1])
    head = _text(_SIDE, 20, title, size, INK, bold=True) + _text(_SIDE, 43, subtitle, PLAIN, GREY)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        f"font-family=\"'Segoe UI', Roboto, Helvetica, Arial, sans-serif\"><defs>{_HATCHES}</defs>"
        f'<rect width="100%" height="100%" fill="#fff"/>{head}{"".join(parts)}</svg>'
    )


def _text(x: float, y: float, text: str, size: float, colour: str, *, bold: bool = False, anchor: str = "start") -> str:
    """A line of text, at half the height of whose capitals y is."""
    weight = ' font-weight="bold"' if bold else ""
    place = f'x="{x:.1f}" y="{y + 0.36 * size:.1f}" font-size="{size}" fill="{colour}" text-anchor="{anchor}"{weight}'
    return f"<text {place}>{html.escape(text)}</text>" if text else ""


def _rect(x: float, y: float, width: float, height: float, colour: str, hatch: str) -> str:
    place = f'x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}"'
    hatched = f'<rect {place} fill="url(#{hatch})"/>' if hatch else ""
    return f'<rect {place} fill="{colour}"/>{hatched}' if width else ""


def _line(points: Iterable[tuple[float, float]], colour: str, width: float, more: str = "") -> str:
    joined = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    looks = f'fill="none" stroke="{colour}" stroke-width="{width}" stroke-linejoin="round"{more}'
    return f'<polyline points="{joined}" {looks}/>'


# ---- axes ----


def _round_up(count: float) -> float:
    """The next of some round numbers, a quarter apart: an axis up to it stays as it is at most flips."""
    scale = 10.0 ** math.floor(math.log10(count))
    return next(step * scale for step in (1, 1.25, 1.6, 2, 2.5, 3.2, 4, 5, 6.4, 8, 10) if step * scale >= count)


def _ticks(most: float, steps: int = 5) -> np.ndarray:
    """Whole numbers from 0 on, in at most so many steps.

    >>> _ticks(2500).tolist(), _ticks(3).tolist()
    ([0.0, 500.0, 1000.0, 1500.0, 2000.0, 2500.0], [0.0, 1.0, 2.0, 3.0])
    """
    scale = 10.0 ** math.floor(math.log10(max(most / steps, 1)))
    step = next(each * scale for each in (1, 2, 2.5, 5, 10) if each * scale * steps >= most and each * scale % 1 == 0)
    return np.arange(0, most + 1e-9, step)


def _dates(days: pd.Index) -> tuple[pd.DatetimeIndex, list[str]]:
    """At most eight days, and their labels: the first of months or years where there are many."""
    for often in ("D", "2D", "W-MON", "2W-MON", "MS", "QS", "YS", "2YS", "5YS", "10YS") if len(days) else ():
        found = pd.date_range(days[0], days[-1], freq=often)
        if len(found) <= 8:
            labels = {"D": "{0.day} {0:%b}", "N": "{0.day} {0:%b}", "S": "{0:%b}"}
            return found, [
                ("{0:%Y}" if often[-1] == "S" and at.month == 1 else labels[often[-1]]).format(at) for at in found
            ]
    return pd.DatetimeIndex([]), []


def _apart(heights: Sequence[float], gap: float) -> list[float]:
    """Heights for labels near some others, at least a gap apart, in the same order."""
    order = sorted(range(len(heights)), key=lambda at: -heights[at])
    spread = list(heights)
    for lower, upper in pairwise(order):
        spread[upper] = min(spread[upper], spread[lower] - gap)
    return spread


# ---- words ----


def _counted(row: Sequence[int], kinds: Iterable[str]) -> str:
    return ", ".join(f"{count:,} {kind}" for count, kind in zip(row, kinds, strict=True))


def _crossed(now: pd.Series, tier: int | None) -> str:
    if not len(now):
        return "There are no touches."
    if tier is None:
        return f"{now.iloc[-1]:,} marketing {'contact' if now.iloc[-1] == 1 else 'contacts'} at the end."
    since = crossing(now, tier)
    if since is not None:
        return f"Over the tier of {tier:,} since {day(since)}."
    return f"At the end {against_tier(int(now.iloc[-1]), tier)}."


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


@cache
def _fitted(tool: str, asset: str = "", rest: str = "", room: int = _NAMES, size: float = PLAIN) -> str:
    """A name, shortened to the room there is for it and what follows it."""

    def made(kept: int) -> str:
        return _shortened(tool, asset, kept) + rest

    return made(max(8, bisect_right(range(1, 91), room, key=lambda kept: _width(made(kept), size, bold=bool(rest)))))


def _title(name: str, finding: str) -> str:
    return _fitted(name, "", f" {finding}", _ROOM, TITLES[1])


def _width(text: str, size: float, *, bold: bool = False) -> int:
    """How many pixels a text needs at most, in whatever of the usual fonts it is shown."""
    return math.ceil(sum(map(_em, text)) * size * (1.1 if bold else 1))


@cache
def _em(letter: str) -> float:
    if unicodedata.category(letter) in ("Mn", "Me", "Cf"):
        return 0.0
    if unicodedata.east_asian_width(letter) in "WF":
        return 1.05
    if letter in "fijlrtI.,:;'|!()[]/ ":
        return 0.41
    return 1.0 if letter in "mwMW@%…—" or ord(letter) > 0x2000 else 0.76 if letter.isupper() else 0.64


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
