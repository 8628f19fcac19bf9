"""An audit in words and tables: text, or HTML in which text from data is escaped."""

from __future__ import annotations

import html
from collections.abc import Mapping

import pandas as pd

from marketable.auditing import Audit
from marketable.auditing import explanations as why
from marketable.auditing.explanations import BY_HAND, MEANINGS, RECORDED, SWITCH
from marketable.rulebook import MARKETING, NON_MARKETING, NOT_COVERED, Rule
from marketable.views import audited, pieces
from marketable.views.tables import html_table
from marketable.views.words import dated, day, many

_BY_RULE = (why.AS_EXPECTED, why.UPGRADED, why.WAITING, why.OLDER)
_MARKETING = {
    SWITCH: "through a switch that is not as {said}",
    RECORDED: "through what HubSpot recorded: a workflow, somebody by hand, an import, an app, an ad",
    BY_HAND: "through something the export does not show: by hand, an import, a workflow or another form",
    why.AMBIGUOUS: "for one of several reasons",
    NOT_COVERED: "created by hand, where a box may have been ticked, or by a tool that the article is silent about "
    "or the export does not name",
}
_TRUSTS = {
    "recorded": "recorded by HubSpot",
    "H": "read in HubSpot's own page",
    "M": "from one independent source, one step from HubSpot's own page, or of a tool that is not certain",
    "assumption": "rests on an assumption",
    "inferred": "inferred from the other contacts of this export",
    "silent": "the rules are silent here",
}


def by_rule(counts: pd.DataFrame) -> int:
    """The marketing contacts that are so by the rules. Arguments: counts, as `Audit.counts`."""
    return int(counts[MARKETING].reindex(list(_BY_RULE), fill_value=0).sum())


def why_so_many(audit: Audit, said: str) -> list[str]:
    """What made them so, in sentences. Arguments: said, who says how the switches are ("the portal says")."""
    marketing = audit.counts[MARKETING]
    of_rules = ", ".join(f"{int(marketing[name]):,} {name}" for name in _BY_RULE if marketing.get(name, 0))
    parts = [f"Of {many(audit.marketing, 'marketing contact')} {by_rule(audit.counts):,} are so by the rules"]
    parts[0] += f" ({of_rules})" if of_rules else ""
    for name, words in _MARKETING.items():
        if marketing.get(name, 0):
            parts.append(f"{int(marketing[name]):,} {words.format(said=said)}")
    lines = [f"{part}." for part in parts] if audit.marketing else []
    others = audit.counts[NON_MARKETING]
    if others.get(SWITCH, 0):
        lines.append(f"Non-marketing because a switch is not as {said}: {int(others[SWITCH]):,}.")
    if others.get(BY_HAND, 0):
        text = "Non-marketing though the rules expect marketing, through something the export does not show"
        lines.append(f"{text}: {int(others[BY_HAND]):,}.")
    if audit.waiting:
        lines.append(f"Counting only until the next update date, {day(audit.update_date)}: {audit.waiting:,}.")
    untold = int(audit.counts["all"].get(why.NOT_TOLD, 0))
    if untold:
        lines.append(f"Whose status the export does not say: {untold:,}.")
    if len(audit.export.gone):
        lines.append(
            f"Contacts that are no more, merged, deleted or archived, do not count: {len(audit.export.gone):,}."
        )
    rejected = len(audit.export.rejected)
    if rejected:
        lines.append(f"Rows that were rejected and are not counted: {rejected:,}.")
    about_all = " The tier is about all contacts of the account: export them all." if audit.tier else ""
    lines.append(f"As of {day(audit.as_of)}, the day of the export.{about_all}")
    return lines


def finding(counts: pd.DataFrame) -> str:
    """What the picture shows, in a sentence.

    >>> table = {"marketing": [9, 3], "non-marketing": [4, 0], "all": [13, 3]}
    >>> frame = pd.DataFrame(table, index=["as expected", "a switch is not as the portal says"])
    >>> finding(frame)
    '3 of 12 marketing contacts come through switches that look otherwise.'
    """
    marketing = counts[MARKETING]
    whole, through = int(marketing.sum()), int(marketing.get(SWITCH, 0))
    if not whole:
        return "No contact is marketing."
    if through:
        return f"{through:,} of {whole:,} marketing contacts come through switches that look otherwise."
    return f"{by_rule(counts):,} of {whole:,} marketing contacts are so by the rules."


def worded(explanation: str, said: str) -> str:
    """An explanation, as it is when somebody says how the switches are."""
    return f"a switch is not as {said}" if explanation == SWITCH else str(explanation)


def said_by(counts: pd.DataFrame, said: str) -> pd.DataFrame:
    """The counts, their explanations as they are when somebody says how the switches are."""
    return counts.rename(index=lambda name: worded(str(name), said))


def counts(audit: Audit, said: str = "the portal says") -> pd.DataFrame:
    """Contacts by explanation, with a row of totals, for display and for the disk."""
    table = said_by(audit.counts.astype("int64"), said)
    table.loc["Total"] = table.sum()
    return table.rename_axis("explanation").reset_index()


def meanings(audit: Audit, said: str) -> str:
    """What the explanations that occur mean."""
    texts = (
        f"{shown}: {MEANINGS[str(name)].replace('the portal says', said)}"
        for name, shown in zip(audit.counts.index, said_by(audit.counts, said).index, strict=True)
    )
    return pieces.folded("What these explanations mean", pieces.bullets(texts))


def by_source(audit: Audit, rules: Mapping[str, Rule]) -> str:
    """By what created the contacts: expected and actual."""
    caption = "Marketing contacts by what created them, the largest difference first"
    table = html_table(audited.by_source(audit, rules), caption)
    return pieces.folded("Expected and actual, by what created the contacts", table)


def differing_title(many: int, said: str) -> str:
    """What stands above the switches that look otherwise."""
    if not many:
        return pieces.paragraph(f"No switch looks otherwise than {said}.")
    return f'<h2 class="mk-sub">Switches that look otherwise than {html.escape(said)}: {many:,}</h2>'


def differing(name: str, found: pd.Series, rules: Mapping[str, Rule], said: str) -> str:
    """A switch that looks otherwise: its evidence, and where it is in HubSpot."""
    text = f"{pieces.called(name, rules)}: looks {dated(found['looks'])}; {said} {dated(found['portal'])}."
    where = f"Where to look: {rules[found['source']].where}."
    return (
        f'<div class="mk-differs"><strong>{html.escape(text)}</strong> {html.escape(dated(found["evidence"]))} '
        f"<small>{html.escape(where)}</small></div>"
    )


def other_switches(audit: Audit, rules: Mapping[str, Rule], said: str) -> str:
    """The switches that are as somebody says, and those that reach too few contacts."""
    rows = audit.switches[~audit.switches["differs"]]
    if not len(rows):
        return ""
    confirmed = int(rows["looks"].ne("").sum())
    table = rows[["portal", "looks", "contacts", MARKETING, "evidence"]].replace({"looks": {"": "too few to tell"}})
    table = table.rename(columns={"portal": said})
    table.insert(0, "switch", [pieces.called(str(name), rules) for name in rows.index])
    caption = f"The other switches: {confirmed:,} look as {said}"
    if confirmed < len(rows):
        caption += f", {len(rows) - confirmed:,} reach too few contacts to tell"
    return pieces.folded(caption, f'<div class="mk-worded">{html_table(table, caption, most=500)}</div>')


def remarks(audit: Audit) -> str:
    """What else is worth knowing."""
    found = pieces.bullets(audit.remarks.values())
    return f'<h2 class="mk-sub">Worth knowing</h2>{found}' if found else ""


def not_mailed(audit: Audit) -> str:
    """What to add to an export that does not say who is mailed; blank where it does."""
    if audit.mailing.ne("").any() or "mailed_at" in audit.export.details:
        return ""
    return pieces.paragraph(
        "The export does not say who is mailed. Add the properties Last marketing email send date, Unsubscribed from "
        "all email and Email hard bounce reason to the view in HubSpot, and export again.",
        "mk-note",
    )


def groups(audit: Audit, rules: Mapping[str, Rule]) -> str:
    """The groups worth acting on: contacts, their share of the tier, their part of a month's price."""
    found = audit.groups
    if not len(found):
        return pieces.paragraph("There is no group to act on.")
    table = pd.DataFrame({"group": [audited.group(name, rules) for name in found.index]})
    table["contacts"] = found["contacts"].to_numpy()
    table["in no other group"] = found["alone"].to_numpy()
    if audit.tier:
        table["of the tier"] = [f"{count / audit.tier:.1%}" for count in found["contacts"]]
    if audit.prices is not None and found["monthly"].notna().any():
        table[f"{audit.prices.currency} a month"] = [f"{each:,.2f}" for each in found["monthly"]]
    who = "contact that waits" if audit.waiting == 1 else f"{audit.waiting:,} contacts that wait"
    is_are = "is" if audit.waiting == 1 else "are"
    left_out = f"The {who} for the update date {is_are} in none of these groups." if audit.waiting else ""
    notes = [pieces.paragraph(text, "mk-note") for text in (left_out, _price_note(audit)) if text]
    title = f"{audited.WORTH}; in all {audit.in_groups:,}"
    return html_table(table, title) + "".join(notes)


def _price_note(audit: Audit) -> str:
    """How to read the money."""
    if audit.prices is None:
        return ""
    hub = audit.given.subscription.hub
    if audit.prices.step(hub, audit.as_of.date()) is None:
        return f"The price list has no price for {hub.capitalize()} on {day(audit.as_of)}."
    return (
        "The money is their share of the monthly price in your list. The bill itself moves by whole steps, not down "
        "before the renewal."
    )


def contact(audit: Audit, contact_id: str, rules: Mapping[str, Rule], said: str) -> str:
    """Why one contact is what it is, and what happened to it."""
    row = audit.contacts.loc[contact_id]
    actual = str(row["actual"]) if isinstance(row["actual"], str) else "of a status that is not known"
    answer = (
        f"{contact_id} is {actual}; expected: {row['expected']}. Explanation: {worded(str(row['explanation']), said)}."
    )
    sentence, reference = pieces.sourced(str(row["reason"]))
    sentence = sentence.removeprefix(f"Expected {row['expected']}, but it is {actual}. ")
    trust = f"How far to trust it: {_TRUSTS[str(row['trust'])]}. {reference}".strip()
    return (
        f'<p class="mk-answer"><strong>{html.escape(answer)}</strong> {html.escape(sentence)}</p>'
        f"{pieces.where_read(trust)}"
        f"{pieces.touched(audit.likely.why(contact_id), rules)}"
    )
