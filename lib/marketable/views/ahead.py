"""What the workbench and a report both show of an outlook and of advice: the picture, the tables, where to click."""

from __future__ import annotations

import html

import pandas as pd

from marketable.forecasting import Advice, Outlook
from marketable.rulebook import Rulebook

from . import charts, pieces
from .tables import html_table
from .words import dated, day

_SURE = (
    "How the same forecast would have done on this account's past: how often as many came as it said, and by how much "
    "it was mistaken at the median, as a share of those who came."
)
_MONTHS = (
    "Who counts just after the month's update date. On top of the page stands the count of the last day in the data."
)
_PRICES = " A price is that of the whole month; on top stands what the days after the last in the data cost."


def chart(outlook: Outlook) -> str:
    """The count of the last year and until the renewal; nothing where there is too little history for a line."""
    if not len(outlook.months):
        return ""
    tier = outlook.account.portal.subscription.tier
    return charts.ahead(outlook.by_day, outlook.as_of, tier, _title(outlook, tier))._repr_html_()


def months(outlook: Outlook) -> str:
    """The bill, month by month."""
    if not len(outlook.months):
        return ""
    table = outlook.months[["marketing", "tier", "price"]].reset_index().astype({"month": "str"})
    prices = outlook.account.prices
    currency = f" in {prices.currency}" if prices else ""
    table.columns = pd.Index(["month", "marketing after its update date", "contacts billed", f"price{currency}"])
    note = pieces.paragraph(_MONTHS + (_PRICES if prices else ""), "mk-note")
    return html_table(_in_cents(table), "Month by month, until the renewal.", most=40) + note


def effects(outlook: Outlook) -> str:
    """What each action does alone, and all together."""
    if not len(outlook.effects):
        return ""
    table = _in_cents(outlook.effects.reset_index())
    table["action"] = table["action"].map(dated)
    return html_table(table, "What is planned: each alone and all together, against doing nothing.")


def sureness(outlook: Outlook) -> str:
    """How sure that is, what is not repeated, and what to know about the numbers."""
    content = ""
    if len(outlook.calibration):
        sure = outlook.calibration.reset_index()
        sure = sure.assign(covered=sure["covered"].map("{:.0%}".format), error=sure["error"].map("{:.0%}".format))
        sure.columns = pd.Index(["weeks ahead", "times tried", "within the shaded range", "mistaken by"])
        content += pieces.folded("How sure that is", pieces.paragraph(_SURE) + html_table(sure, "By weeks ahead."))
    if len(outlook.events):
        title = "What happened before and is not repeated: imports, people set in bulk"
        events, rules = outlook.events.tail(12), Rulebook.load().newest
        what = [pieces.called(name, rules) for name in events["what"]]
        events = events.assign(day=[day(each.date()) for each in events["day"]], what=what)
        content += pieces.folded(title, html_table(events, "The latest ones."))
    return content + pieces.bullets(dated(note) for note in outlook.notes)


def steps(advice: Advice) -> str:
    """What to do, step by step, and where to click."""
    if not len(advice.steps):
        return ""
    table = advice.steps.reset_index()[["step", "what", "contacts", "fewer"]]
    table = table.rename(columns={"fewer": "fewer at the renewal"})
    hows = "".join(f"<p>{html.escape(how)}</p>" for how in dict.fromkeys(advice.steps["how"]))
    return html_table(table, "Step by step.") + pieces.folded("Where to click", hows)


def _in_cents(table: pd.DataFrame) -> pd.DataFrame:
    """A table without its empty columns, its amounts of money as text."""
    table = table.dropna(axis="columns", how="all")
    amounts = table.select_dtypes("float")
    return table.assign(**{str(name): amounts[name].map("{:,.2f}".format, na_action="ignore") for name in amounts})


def _title(outlook: Outlook, tier: int | None) -> str:
    if tier is None:
        return "What is likely to come."
    likely = outlook.crossing["likely"]
    if pd.isna(likely):
        return f"Within the tier of {tier:,} until the renewal, as far as can be said."
    over = "Over" if likely.date() <= outlook.as_of else "Likely over"
    return f"{over} the tier of {tier:,} from {day(likely.date())} on."
