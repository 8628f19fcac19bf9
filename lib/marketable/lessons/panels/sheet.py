"""A page to keep, made from the rulebook: what each tool does with new contacts and with existing ones, where its
switch is, and in which order to think.
"""

from __future__ import annotations

import html

import ipywidgets as widgets
import pandas as pd

from marketable.rulebook import NOT_COVERED, Rule, Rulebook
from marketable.views import pieces
from marketable.views.document import document
from marketable.views.tables import html_table
from marketable.views.words import day

from .lesson import style

_TITLE = "Marketing contacts on one page"
_EXISTING = {True: "becomes marketing while on", False: "stays as it is"}


class Sheet(widgets.VBox):  # type: ignore[misc]
    """The page, and a link to it as a file to print."""

    def __init__(self) -> None:
        shown = page("h3")
        sheet = document(_TITLE, page("h2")).encode()
        link = pieces.download("marketing-contacts.html", sheet, "It prints on one sheet.", "text/html")
        super().__init__([style(), widgets.HTML(link), widgets.HTML(shown)])
        self.add_class("mk")

    def __repr__(self) -> str:
        return "A page to keep"


def page(heading: str) -> str:
    """The page as HTML: the order in which to think, and the tools. Arguments: heading, of which order, like h2."""
    newest = Rulebook.load().newest
    rows = [(rule.name, _new(rule), _EXISTING[rule.upgrades_existing], _switch(rule)) for rule in newest.values()]
    table = pd.DataFrame(rows, columns=["tool", "a new contact", "a contact that exists already", "its switch"])
    steps = "".join(f"<li><strong>{html.escape(asks)}</strong> {html.escape(says)}</li>" for asks, says in order())
    return (
        f'<{heading} class="mk-title">Why is this contact marketing? Ask in this order</{heading}>'
        f'<ol class="mk-places">{steps}</ol>'
        + html_table(table, f"What each tool does, by HubSpot's article of {day(newest.date)}.")
    )


def order() -> list[tuple[str, str]]:
    """The questions in their order, each with what holds.

    >>> [asks for asks, _ in order()][:2]
    ['Is it older than the account’s marketing contacts?', 'Who created it?']
    """
    rulebook = Rulebook.load()
    life = {name: f"{rule.says[:1].upper()}{rule.says[1:]}." for name, rule in rulebook.lifecycle.items()}
    upgrading = [rule.name for rule in rulebook.newest.values() if rule.upgrades_existing]
    upgrades = f"{', '.join(upgrading[:-1])} and {upgrading[-1]}, while the switch is on; no other tool. "
    upgrades += "No tool makes anybody non-marketing."
    undone = f"{life['undo_by_tool']} This is an assumption: we found no page of HubSpot’s that says it."
    return [
        ("Is it older than the account’s marketing contacts?", f"{life['access']} Then go on with 3."),
        ("Who created it?", "Look into the table: the tool, and its switch on that day."),
        ("Did anything make it marketing later?", f"{upgrades[:1].upper()}{upgrades[1:]}"),
        ("Was it set by hand, and is the date past?", f"{life['set_marketing']} {life['set_non_marketing']}"),
        ("Does it wait, and did something happen meanwhile?", f"{life['undo_by_hand']} {undone}"),
        ("Which update date?", f"{life['update_date_yearly']} {life['update_date_monthly']}"),
        ("And the bill?", f"{life['over_the_tier']} {life['no_downgrade']}"),
    ]


def _new(rule: Rule) -> str:
    if rule.default == NOT_COVERED:
        return "not covered: the article does not say"
    starts = "on" if rule.default_on else "off"
    return f"marketing while on, non-marketing while off; at first {starts}" if rule.switch else rule.default


def _switch(rule: Rule) -> str:
    if not rule.switch:
        return "none"
    return f"{'one for the account' if rule.switch == 'account' else f'one per {rule.asset}'}: {rule.where}"
