"""The picture of an audit: contacts by what explains their status, marketing and non-marketing."""

from __future__ import annotations

import pandas as pd
from matplotlib import style

from marketable.rulebook import MARKETING, NON_MARKETING
from marketable.views.charts import Chart, stacked

from .telling import finding, said_by

NOT_TOLD = "status not known"


@style.context("default")
def by_explanation(counts: pd.DataFrame, said: str = "the portal says") -> Chart:
    """A bar for each explanation, in the order of the table; in figures, the marketing contacts.

    Arguments: counts, as `Audit.counts`: index explanation; columns marketing, non-marketing, all; said, who says how
    the switches are.
    """
    table = counts[[MARKETING, NON_MARKETING]].copy()
    table[NOT_TOLD] = counts["all"] - table.sum(axis=1)
    table = table if table[NOT_TOLD].any() else table.drop(columns=NOT_TOLD)
    names, parts = [str(name) for name in said_by(counts, said).index], table.to_numpy(int)
    kinds = [str(kind) for kind in table]
    figures = [f"{count:,}" if count else "" for count in table[MARKETING]]
    sheet, title = stacked(names, parts, figures, kinds, parts.sum(axis=1), "{most:,}"), finding(counts)
    sheet.titles(title, "Contacts by what explains their status; in figures, the marketing ones.")
    told = [
        f"{name}: {', '.join(f'{count:,} {kind}' for count, kind in zip(row, kinds, strict=True))}"
        for name, row in zip(names, parts.tolist(), strict=True)
    ]
    return Chart(sheet.png(), f"Bar chart of contacts by what explains their status. {title} {'; '.join(told)}.")
