"""What comes and what to do, as sections of a report: from today's count to the bill at the renewal."""

from __future__ import annotations

import html

import pandas as pd

from marketable.views import charts, pieces
from marketable.views.tables import html_table
from marketable.views.words import dated, day

from .findings import Findings
from .section import Section

_SURE = (
    "How the same forecast would have done on this account's past: the share of truths that lay within the interval, "
    "and the error at the median, as a share of the truth."
)


def ahead(found: Findings) -> Section:
    """The count until the renewal, when it crosses the tier, and the bill by month."""
    outlook = found.outlook
    if outlook is None:
        text = f"Nothing can be said of what comes. {found.no_outlook}"
        return Section("ahead", "Ahead", pieces.paragraph(dated(text)))
    content = pieces.paragraph(dated(str(outlook)))
    if len(outlook.months):
        picture = charts.ahead(outlook.by_day, outlook.as_of, found.tier, _title(outlook.crossing, found))
        shown = f'<figure><div class="mk-scroll">{picture._repr_html_()}</div></figure>'
        months = outlook.months[["marketing", "tier", "price"]].reset_index().astype({"month": "str"})
        currency = f" in {found.prices.currency}" if found.prices else ""
        months.columns = pd.Index(["month", "marketing after its update date", "contacts billed", f"price{currency}"])
        months = months.dropna(axis="columns", how="all")
        table = html_table(months.round(2), "Month by month, until the renewal.", most=40)
        content += f'<div class="mk-columns-of-two">{shown}<div>{table}</div></div>'
    if len(outlook.effects):
        effects = outlook.effects.reset_index().dropna(axis="columns", how="all")
        effects["action"] = effects["action"].map(dated)
        content += html_table(effects, "What is planned: each alone and all together, against doing nothing.")
    notes = [dated(note) for note in outlook.notes]
    if len(outlook.calibration):
        sure = outlook.calibration.reset_index().assign(covered=lambda each: each["covered"].map("{:.0%}".format))
        sure["error"] = sure["error"].map("{:.1%}".format)
        content += pieces.folded("How sure that is", pieces.paragraph(_SURE) + html_table(sure, "By weeks ahead."))
    if len(outlook.events):
        events = outlook.events.tail(12)
        content += pieces.folded(
            "What happened before and is not repeated: imports, people set in bulk", html_table(events, "Events.")
        )
    return Section("ahead", "Ahead", content + pieces.bullets(notes))


def to_do(found: Findings) -> Section | None:
    """What keeps the account within its tier until the renewal, at the least loss; nothing where nothing is known."""
    advice = found.advice
    if advice is None:
        return None
    content = pieces.paragraph(dated(advice.text))
    if len(advice.steps):
        steps = advice.steps.reset_index()
        steps["counts_from"] = [day(each.date()) for each in steps["counts_from"]]
        steps = steps.rename(
            columns={"counts_from": "counts from", "fewer": "fewer at the renewal", "monthly": "a month"}
        )
        content += html_table(steps.drop(columns="how").dropna(axis="columns", how="all").round(2), "Step by step.")
        hows = dict.fromkeys(advice.steps["how"])
        content += pieces.folded("Where to click", "".join(f"<p>{html.escape(how)}</p>" for how in hows))
    return Section("to-do", "What to do", content)


def _title(crossing: pd.Series, found: Findings) -> str:
    if found.tier is None:
        return "What is likely to come."
    likely = crossing["likely"]
    if pd.isna(likely):
        return f"Within the tier of {found.tier:,} until the renewal, as far as can be said."
    over = "Over" if likely.date() <= found.as_of.date() else "Likely over"
    return f"{over} the tier of {found.tier:,} from {day(likely.date())} on."
