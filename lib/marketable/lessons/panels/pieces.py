"""What the panels of a lesson share: the verdict on an answer, the account in a sentence, and what records answers."""

from __future__ import annotations

import html
from collections.abc import Callable, Iterable

import ipywidgets as widgets

from marketable.portal.portal import Portal
from marketable.views.pieces import OWN_KEYS
from marketable.views.words import day

Record = Callable[[str, str, bool], None]
"""Called with the exercise, what of it, and whether the answer was right."""


def verdict(text: str, *, right: bool) -> str:
    """The verdict on an answer, which a screen reader says when it appears."""
    kind, mark = ("mk-right", "✓") if right else ("mk-wrong", "✗")
    return f'<p class="mk-verdict {kind}" role="status"><b aria-hidden="true">{mark}</b> {html.escape(text)}</p>'


def account(portal: Portal) -> str:
    """What a status may depend on beside the switches: since when, and how, the account pays for marketing contacts.

    >>> account(Portal(access_since="2022-03-01"))
    'The account has had marketing contacts since 1 March 2022. Its commitment is yearly.'
    """
    since, bought = portal.access_since, portal.subscription
    text = f"has had marketing contacts since {day(since)}" if since else "has always had marketing contacts"
    monthly = bought.commitment == "monthly" and bought.renewal
    renewed = f", renewed on day {bought.renewal.day} of each month" if monthly and bought.renewal else ""
    return f"The account {text}. Its commitment is {bought.commitment}{renewed}."


def panel(box: widgets.Box, name: str, children: Iterable[widgets.Widget]) -> None:
    """Makes a box a panel of a lesson: framed, styled, and found by `mk-at-<name>`."""
    box.children = (widgets.HTML(OWN_KEYS, layout=widgets.Layout(display="none")), *children)
    for each in ("mk", "mk-panel", f"mk-at-{name}"):
        box.add_class(each)


def wide(description: str = "initial") -> dict[str, object]:
    """The style and layout of a widget whose description is shown whole."""
    return {"style": {"description_width": description}, "layout": widgets.Layout(width="auto", max_width="100%")}
