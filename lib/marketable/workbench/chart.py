"""The picture of an audit: contacts by what explains their status, marketing and non-marketing."""

from __future__ import annotations

import pandas as pd
from matplotlib import style

from marketable.rulebook import MARKETING, NON_MARKETING, NOT_COVERED
from marketable.views.charts import HATCHES, Chart
from marketable.views.sheet import COLOURS, PLAIN, SMALL, bar_sheet, width_of

from .telling import finding, said_by

NOT_TOLD = "status not known"
_KINDS = {MARKETING: MARKETING, NON_MARKETING: NON_MARKETING, NOT_TOLD: NOT_COVERED}


@style.context("default")
def by_explanation(counts: pd.DataFrame, said: str = "the portal says") -> Chart:
    """A bar for each explanation, in the order of the table; in figures, the marketing contacts.

    Arguments: counts, as `Audit.counts`: index explanation; columns marketing, non-marketing, all; said, who says how
    the switches are.
    """
    table = counts[[MARKETING, NON_MARKETING]].copy()
    table[NOT_TOLD] = counts["all"] - counts[MARKETING] - counts[NON_MARKETING]
    kinds = [kind for kind in _KINDS if kind != NOT_TOLD or table[kind].any()]
    legend = tuple((kind, COLOURS[_KINDS[kind]], HATCHES[_KINDS[kind]]) for kind in kinds)
    most = int(counts["all"].max()) if len(counts) else 1
    names = [str(name) for name in said_by(counts, said).index]
    widest = max([0, *(width_of(name, PLAIN) for name in names)])
    sheet = bar_sheet(len(names), widest, width_of(f"{most:,}", SMALL, bold=True), most, legend)
    sheet.clean()
    widths = table[kinds].to_numpy(int)
    starts = widths.cumsum(axis=1) - widths
    for at, kind in enumerate(kinds):
        alike = _KINDS[kind]
        sheet.bars(starts[:, at], widths[:, at], facecolor=COLOURS[alike], hatch=HATCHES[alike])
    for at, (name, row) in enumerate(zip(names, widths.tolist(), strict=True)):
        sheet.label(at, name, sum(row), f"{row[0]:,}" if row[0] else "")
    title = finding(counts)
    sheet.titles(title, "Contacts by what explains their status; in figures, the marketing ones.")
    told = [
        f"{name}: {', '.join(f'{count:,} {kind}' for count, kind in zip(row, kinds, strict=True))}"
        for name, row in zip(names, widths.tolist(), strict=True)
    ]
    return Chart(sheet.png(), f"Bar chart of contacts by what explains their status. {title} {'; '.join(told)}.")
