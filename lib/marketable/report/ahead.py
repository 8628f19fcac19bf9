"""What comes and what to do, as sections of a report: from today's count to the bill at the renewal."""

from __future__ import annotations

from marketable.views import ahead as shown
from marketable.views import pieces
from marketable.views.words import dated

from .findings import Findings
from .section import Section


def ahead(found: Findings) -> Section:
    """The count until the renewal, when it crosses the tier, and the bill by month."""
    outlook = found.outlook
    if outlook is None:
        text = f"Nothing can be said of what comes. {found.no_outlook}"
        return Section("ahead", "Ahead", pieces.paragraph(dated(text)))
    content, picture = pieces.paragraph(dated(str(outlook))), shown.chart(outlook)
    if picture:
        content += f'<div class="mk-columns-of-two"><figure>{picture}</figure><div>{shown.months(outlook)}</div></div>'
    return Section("ahead", "Ahead", content + shown.effects(outlook) + shown.sureness(outlook))


def to_do(found: Findings) -> Section | None:
    """What keeps the account within its tier until the renewal, at the least loss; nothing where nothing is known."""
    advice = found.advice
    if advice is None:
        return None
    return Section("to-do", "What to do", pieces.paragraph(dated(advice.text)) + shown.steps(advice))
