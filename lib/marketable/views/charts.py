"""The two pictures of a batch, drawn with matplotlib: contacts by the tool that created them, and marketing contacts
over time.

Each chart comes with a text that says the same to whoever cannot see it. Statuses differ in colour (after Okabe and
Ito, so that colour-blind people tell them apart) and in hatching; the title states the finding.
"""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import PolyCollection
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from ..rulebook import MARKETING, NON_MARKETING, NOT_COVERED, STATUSES
from .words import against_tier, crossing, day

COLOURS = {MARKETING: "#D55E00", NON_MARKETING: "#8CC5E8", NOT_COVERED: "#D9D9D9"}
HATCHES = {MARKETING: "", NON_MARKETING: "///", NOT_COVERED: "..."}
_EDGE: dict[str, Any] = {"edgecolor": "white", "linewidth": 0.6}
_INK, _GREY, _BLUE, _RED = "#222222", "#6B6B6B", "#0072B2", "#A34700"
_WIDTH, _DPI = 6.5, 115


@dataclass(frozen=True)
class Chart:
    """A picture: its bytes in PNG format, and the text that stands for it."""

    png: bytes
    alt: str

    def _repr_html_(self) -> str:
        data = base64.b64encode(self.png).decode()
        return f'<img class="mk-chart" alt="{html.escape(self.alt)}" src="data:image/png;base64,{data}">'


def by_source(now: pd.DataFrame, baseline: pd.DataFrame, names: Mapping[str, str]) -> Chart:
    """Contacts by creating source: a bar of the three statuses each, and above it, thin and pale, the baseline's.

    Arguments: now and baseline, a row a source, the statuses as columns (`Outcome.counts("source")`); names, what the
    sources are called.
    """
    sources = list(dict.fromkeys([*now.index, *baseline.index]))
    now, baseline = now.reindex(sources, fill_value=0), baseline.reindex(sources, fill_value=0)
    order = list(now.assign(all=now.sum(axis=1)).sort_values([MARKETING, "all"], kind="stable").index)
    now, baseline = now.loc[order], baseline.loc[order]
    marketing, before = now[MARKETING], baseline[MARKETING]
    most = max([1, *now.sum(axis=1), *baseline.sum(axis=1)])

    height = 1.25 + 0.34 * max(len(order), 3)
    figure, axes = _figure(height, left=0.315, right=0.02, top=0.72, bottom=0.34)
    place = np.arange(len(order))
    same = now.equals(baseline)
    bars_of = [(now, 0.5, -0.1, False)] + ([] if same else [(baseline, 0.13, 0.27, True)])
    for table, thick, shift, is_baseline in bars_of:
        left = np.zeros(len(order))
        for status in STATUSES:
            width = table[status].to_numpy()
            corners = [(x, y + shift - thick / 2, w) for x, y, w in zip(left, place, width, strict=True) if w]
            bars = [[(x, y), (x + w, y), (x + w, y + thick), (x, y + thick)] for x, y, w in corners]
            hatch = "" if is_baseline else HATCHES[status]
            alpha = 0.55 if is_baseline else 1.0
            axes.add_collection(
                PolyCollection(bars, facecolor=COLOURS[status], hatch=hatch, alpha=alpha, **_EDGE), autolim=False
            )
            left += width
    for at, source in enumerate(order):
        change = int(marketing[source] - before[source])
        if marketing[source] or change:
            label = f"{marketing[source]:,}" + (f" ({change:+,})" if change else "")
            end = max(now.loc[source].sum(), baseline.loc[source].sum()) + most * 0.012
            axes.text(end, at - 0.1, label, va="center", color=_RED, fontsize=8.5, weight="bold")
    for at, source in enumerate(order):  # plain text is drawn in half the time of tick labels
        name = names.get(source, source)
        axes.text(
            -0.01, at, name, transform=axes.get_yaxis_transform(), ha="right", va="center", fontsize=9, color=_INK
        )
    axes.set_yticks([])
    axes.set_xlim(0, most * 1.24)
    axes.set_ylim(-0.6, len(order) - 0.4)
    axes.grid(axis="x", color="#E6E6E6", linewidth=0.7)
    title = _created_most(marketing, names)
    against = "" if same else " (against the baseline, thin bar)"
    _titles(figure, title, f"Contacts by creating tool; in figures, the marketing ones{against}.")
    handles = [Patch(facecolor=COLOURS[status], hatch=HATCHES[status], label=status, **_EDGE) for status in STATUSES]
    axes.legend(handles=handles, loc="lower right", fontsize=8.5, framealpha=0.9, edgecolor="none")
    told = [
        f"{names.get(source, source)}: {', '.join(f'{now.loc[source, status]:,} {status}' for status in STATUSES)}"
        f" (baseline: {before[source]:,} marketing)"
        for source in reversed(order)
    ]
    return Chart(_png(figure), f"Bar chart of contacts by creating tool. {title} {'; '.join(told)}.")


def over_time(now: pd.Series, baseline: pd.Series, tier: int | None) -> Chart:
    """Marketing contacts at the end of each day against the tier; dashed, the baseline.

    Arguments: now and baseline, counts by day (`Outcome.by_day()`); tier, or None.
    """
    figure, axes = _figure(3.1, left=0.095, right=0.19, top=0.72, bottom=0.34)
    same = now.equals(baseline)
    top = max([1, *(int(curve.max()) for curve in (now, baseline) if len(curve)), tier or 0]) * 1.08
    if len(now):
        if not same:
            axes.plot(baseline.index, baseline.to_numpy(), color=_GREY, linewidth=1.4, linestyle=(0, (4, 2)))
        axes.plot(now.index, now.to_numpy(), color=COLOURS[MARKETING], linewidth=2.2)
        if tier is not None:
            counts = now.to_numpy()
            axes.fill_between(now.index, counts, tier, where=counts > tier, color=COLOURS[MARKETING], alpha=0.18)
            axes.axhline(tier, color=_BLUE, linewidth=1.4)
        ends = [("marketing", int(now.iloc[-1]), _RED)]
        ends += [] if same else [("baseline", int(baseline.iloc[-1]), _GREY)]
        ends += [] if tier is None else [("tier", tier, _BLUE)]
        for (name, count, colour), height in zip(
            ends, _apart([count for _, count, _ in ends], top * 0.085), strict=True
        ):
            axes.annotate(
                f"{count:,} {name}", (1.01, height), xycoords=axes.get_yaxis_transform(),
                va="center", color=colour, fontsize=8.5, weight="bold", annotation_clip=False,
            )  # fmt: skip
        locator = AutoDateLocator(minticks=3, maxticks=8)
        axes.xaxis.set_major_locator(locator)
        axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))
        axes.set_xlim(now.index[0], max(now.index[-1], now.index[0] + pd.Timedelta(days=1)))
    axes.set_ylim(0, top)
    axes.yaxis.set_major_formatter(lambda count, _: f"{count:,.0f}")
    axes.grid(axis="y", color="#E6E6E6", linewidth=0.7)
    title = _crossed(now, tier)
    _titles(figure, title, "Marketing contacts at the end of each day" + ("." if same else "; dashed, the baseline."))
    alt = f"Line chart of marketing contacts over time. {title}"
    if len(now):
        alt += f" From {now.iloc[0]:,} on {day(now.index[0])} to {now.iloc[-1]:,} on {day(now.index[-1])}"
        alt += f"; the baseline ends at {baseline.iloc[-1]:,}." if len(baseline) else "."
    return Chart(_png(figure), alt)


def _created_most(marketing: pd.Series, names: Mapping[str, str]) -> str:
    total = int(marketing.sum())
    if not total:
        return "No contact is marketing."
    source = str(marketing.idxmax())
    return f"{names.get(source, source)} created the most: {marketing[source]:,} of {total:,}."


def _crossed(now: pd.Series, tier: int | None) -> str:
    if not len(now):
        return "There are no touches."
    if tier is None:
        return f"{now.iloc[-1]:,} marketing contacts at the end."
    since = crossing(now, tier)
    if since is not None:
        return f"Over the tier of {tier:,} since {day(since)}."
    return f"At the end {against_tier(int(now.iloc[-1]), tier)}."


def _figure(height: float, *, left: float, right: float, top: float, bottom: float) -> tuple[Figure, Axes]:
    """A figure with one axes; left and right in shares of the width, top and bottom in inches."""
    figure = Figure(figsize=(_WIDTH, height), dpi=_DPI, facecolor="white")
    FigureCanvasAgg(figure)
    axes = figure.add_axes((left, bottom / height, 1 - left - right, (height - top - bottom) / height))
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color("#BBBBBB")
    axes.tick_params(colors=_INK, labelsize=8.5, length=2)
    axes.set_axisbelow(True)
    return figure, axes


def _titles(figure: Figure, title: str, subtitle: str) -> None:
    height = figure.get_figheight()
    figure.text(0.012, 1 - 0.2 / height, title, fontsize=11.5, weight="bold", color=_INK, va="center", parse_math=False)
    figure.text(0.012, 1 - 0.45 / height, subtitle, fontsize=9, color=_GREY, va="center", parse_math=False)


def _apart(counts: Sequence[float], gap: float) -> list[float]:
    """Heights for labels near some counts, at least a gap apart, in the same order."""
    order = sorted(range(len(counts)), key=counts.__getitem__)
    heights = list(counts)
    for lower, upper in pairwise(order):
        heights[upper] = max(heights[upper], heights[lower] + gap)
    return heights


def _png(figure: Figure) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", pil_kwargs={"compress_level": 1})
    return buffer.getvalue()
