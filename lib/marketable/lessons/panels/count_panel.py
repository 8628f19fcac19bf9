"""Practice: count the marketing contacts of small firms against their tier."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from marketable.rulebook import Rulebook
from marketable.views import pieces, words
from marketable.views.tables import html_table

from ..classroom import Classroom
from ..tier import ANSWERS, TIER, Firm, Firms
from .pieces import Posed, Questions, Record
from .predict_panel import facts, touches_of


class CountPanel(Questions):
    """Arguments: as of `PredictPanel`."""

    exercise, asked = "predict", "Firm"

    def __init__(self, chosen: Sequence[str], taught: Collection[str], classroom: Classroom, record: Record) -> None:
        self._chosen, self._taught = chosen, taught
        super().__init__(classroom, record)

    def _make_up(self, seed: str) -> Sequence[Posed]:
        return [posed(firm) for firm in Firms(self.portal, seed, self._chosen, self._taught).round(self.weights)]


def posed(firm: Firm) -> Posed:
    """A firm as a question."""
    account = next(iter(firm.contacts.values())).account
    on = words.day(account.as_of)
    asks = pieces.paragraph(f"A small firm pays for a tier of {TIER} and has three contacts.") + facts(account)
    asks += html_table(touches_of(firm.contacts), f"What happened to them until {on}")
    behind = "".join(
        pieces.paragraph(name) + pieces.touched(card.touches, Rulebook.load().newest, open_sources=True)
        for name, card in firm.contacts.items()
    )
    choices = [(answer, answer) for answer in ANSWERS]
    return Posed(firm.answer, "tier", asks, f"On {on} it is", choices, firm.answer, why(firm), behind)


def why(firm: Firm) -> str:
    """Who counts, and how that stands against the tier."""
    on, count = words.day(next(iter(firm.contacts.values())).account.as_of), len(firm.marketing)
    who = f": {_listed(firm.marketing)}" if count else ""
    said = f"{count} on {on}{who}; that is {words.against_tier(count, TIER)}."
    if firm.waiting:
        waits, counts = ("waits", "counts") if len(firm.waiting) == 1 else ("wait", "count")
        said += f" {_listed(firm.waiting)} {waits} for the next update date, and {counts} until then."
    return said


def _listed(names: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))
