"""The final test: thirty cases of all lessons, mixed, and a result that leads back to what was not sure yet."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import replace

import ipywidgets as widgets

from marketable.views import pieces
from marketable.views.place import shared

from .. import final
from ..cases import kinds
from ..export import Row
from ..predict import Card
from ..tier import Firm
from . import count_panel, explain_panel, predict_panel
from .lesson import top
from .pieces import Posed, Questions
from .progress_page import lesson_name


class FinalTest(widgets.VBox):  # type: ignore[misc]
    """The page of the final test: its style, whether progress is kept, and `test`, the questions."""

    def __init__(self) -> None:
        parts, classroom, record = top("")
        self.test = FinalPanel(classroom, record)
        super().__init__([*parts, self.test])
        self.add_class("mk")

    def __repr__(self) -> str:
        return "The final test"


class FinalPanel(Questions):
    """Arguments: classroom, for the account and the seed; record."""

    exercise, asked, again = "final", "Case", "Another test"

    def _make_up(self, seed: str) -> Sequence[Posed]:
        return [self._posed(each) for each in final.questions(self.portal, seed)]

    def _posed(self, asked: Card | Firm | Row) -> Posed:
        if isinstance(asked, Card):
            return predict_panel.posed(asked)
        if isinstance(asked, Firm):
            return count_panel.posed(asked)
        return replace(explain_panel.posed(asked, self.portal), item="export")

    def _sum_up(self, answers: list[tuple[str, bool]]) -> str:
        return result(answers)


def result(answers: Sequence[tuple[str, bool]]) -> str:
    """How many answers were right, of which kind, and which lessons are worth going through again."""
    right = sum(right for _, right in answers)
    weak = dict.fromkeys(kinds()[kind].lesson for kind, right in answers if not right)
    again = "".join(f"<li>{_lesson(lesson)}</li>" for lesson in sorted(weak))
    advice = f"<p class='mk-message'>Go through again:</p><ul class='mk-places'>{again}</ul>" if weak else ""
    said = pieces.paragraph(f"{right} of {len(answers)} right.", "mk-answer mk-round")
    return said + advice + predict_panel.by_kind(answers)


def _lesson(lesson: str) -> str:
    """Its name; in the app, where it has an address beside this page, as a link."""
    name = html.escape(lesson_name(lesson))
    return f'<a href="{lesson}">{name}</a>' if shared() else f"Lesson {name}"
