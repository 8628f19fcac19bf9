"""Three questions: choices, a button each, and after it the answer explained by the engine or by the rule."""

from __future__ import annotations

import datetime as dt
import functools
import html
from collections.abc import Callable, Sequence

import ipywidgets as widgets

from marketable.rulebook import NOT_COVERED, SOURCES, Rulebook
from marketable.views import pieces, words
from marketable.views.reacting import react

from ..questions import NEVER, NO, WAITING, YES, Explanation, Question
from . import article
from .pieces import Record, panel, verdict, wide

_NAMES = {
    NOT_COVERED: "not covered: the article does not say",
    WAITING: "marketing, and waiting for the update date",
    NEVER: "never",
    YES: "Yes",
    NO: "No",
}


class Quiz(widgets.VBox):  # type: ignore[misc]
    """Arguments: lesson_id; questions; record, told of each question's first answer.

    `asked` are the questions' widgets, in order.
    """

    def __init__(self, lesson_id: str, questions: Sequence[Question], record: Record) -> None:
        super().__init__()
        self._lesson_id, self._record = lesson_id, record
        self._first: dict[int, bool] = {}
        self._score, self._error = widgets.HTML(), widgets.HTML()
        self.asked = [
            Asked(question, f"question {number} of {len(questions)}", functools.partial(self._note, number))
            for number, question in enumerate(questions, 1)
        ]
        panel(self, "quiz", [*self.asked, self._score, self._error])

    def _note(self, number: int, right: bool) -> None:
        if number in self._first:
            return
        self._first[number] = right
        if len(self._first) == len(self.asked):
            text = f"{sum(self._first.values())} of {len(self.asked)} right at the first try."
            self._score.value = pieces.paragraph(text, "mk-answer")
        react(lambda: self._record("question", f"{self._lesson_id}/{number}", right), self._error)


class Asked(widgets.VBox):  # type: ignore[misc]
    """One question. Arguments: question; name, like “question 1 of 3”; note, told whether an answer was right."""

    def __init__(self, question: Question, name: str, note: Callable[[bool], None]) -> None:
        super().__init__()
        self.question, self._note = question, note
        asks = widgets.HTML(article.heading(name.capitalize()) + pieces.paragraph(question.asks, "mk-message mk-asks"))
        options = [(said(choice), choice) for choice in question.choices]
        self.choice = widgets.RadioButtons(description=f"Your answer to {name}:", options=options, index=None, **wide())
        self.check = widgets.Button(description="Check", tooltip=f"Check the answer to {name}")
        self.answer = widgets.HTML()
        self.check.on_click(lambda _button: react(self._check, self.answer))
        panel(self, "question", [asks, self.choice, self.check, self.answer])

    def _check(self) -> None:
        chosen = self.choice.value
        if chosen is None:
            self.answer.value = pieces.alert("Choose an answer first.")
            return
        question = self.question
        right = question.answer() == chosen
        why = question.explanation()
        text = f"Right: {said(chosen)}." if right else f"“{said(chosen)}” is not right.{_missed(why)}"
        judged = pieces.paragraph(f"Judged by {question.judged_by}.", "mk-note")
        again = "" if right else pieces.paragraph("You can choose again. What is kept is the first answer.", "mk-note")
        self.answer.value = verdict(text, right=right) + _explained(why, question) + judged + again
        self._note(right)


def said(choice: str) -> str:
    """A choice as people read it.

    >>> said("chatflow"), said("2024-04-01"), said("marketing")
    ('Chatflows', '1 April 2024', 'marketing')
    """
    if choice in SOURCES:
        rulebook = Rulebook.load()
        return str(rulebook.newest[choice].name)
    try:
        return words.day(dt.date.fromisoformat(choice))
    except ValueError:
        return _NAMES.get(choice, choice)


def _missed(why: Explanation) -> str:
    return f" The rule that was missed: {why.missed}" if why.missed else ""


def _explained(why: Explanation, question: Question) -> str:
    if why.outcome is not None:
        names = Rulebook.load().on(question.newest)
        contacts = why.outcome.contacts.iterrows()
        return "".join(
            pieces.explanation(contact, why.outcome.why(contact_id), names, "") for contact_id, contact in contacts
        )
    says = f'<p class="mk-answer">{html.escape(why.says)}</p>' if why.says else ""
    rules = "".join(f"<li>{article.told(held)}</li>" for held in why.rules)
    return says + (f'<ul class="mk-touches">{rules}</ul>' if rules else "")
