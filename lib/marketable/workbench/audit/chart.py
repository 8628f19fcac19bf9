"""The picture of an audit: contacts by what explains their status, marketing and non-marketing."""

from __future__ import annotations

import pandas as pd

from marketable.rulebook import MARKETING, NON_MARKETING
from marketable.views.charts import NOT_TOLD, Bar, Chart, bar_chart

from .telling import finding, said_by


def by_explanation(counts: pd.DataFrame, said: str = "the portal says") -> Chart:
    """A bar for each explanation, in the order of the table; in figures, the marketing contacts.

    Arguments: counts, as `Audit.counts`: index explanation; columns marketing, non-marketing, all; said, who says how
    the switches are.
    """
    table = said_by(counts, said)[[MARKETING, NON_MARKETING]].astype(int)
    table[NOT_TOLD] = (counts["all"] - counts[MARKETING] - counts[NON_MARKETING]).to_numpy(int)
    table = table.loc[:, [MARKETING, NON_MARKETING, *([NOT_TOLD] if table[NOT_TOLD].any() else [])]]
    bars, told = [], []
    for name, *row in table.itertuples():
        bars.append(Bar(str(name), list(zip(row, table.columns, strict=True)), f"{row[0]:,}" if row[0] else ""))
        told.append(f"{name}: {', '.join(f'{count:,} {kind}' for count, kind in zip(row, table.columns, strict=True))}")
    title, subtitle = finding(counts, said), "Contacts by what explains their status; in figures, the marketing ones."
    svg = bar_chart(bars, max([1, *table.sum(axis=1)]), table.columns, title, subtitle)
    return Chart(svg, f"Bar chart of contacts by what explains their status. {title} {'; '.join(told)}.")
