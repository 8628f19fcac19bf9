"""Three questions: choices, a button each, and after it the answer explained by the engine or by the rule."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Callable, Sequence

import ipywidgets as widgets

from marketable.rulebook import NOT_COVERED, SOURCES, Rulebook
from marketable.views import pieces, words
from marketable.views.reacting import react

from ..questions import NEVER, NO, WAITING, YES, Explanation, Question
from . import article
from .pieces import Panel, Record, button, heading, source, verdict, wide

_NAMES = {
    NOT_COVERED: "not covered: the article does not say",
    WAITING: "marketing, and waiting for the update date",
    NEVER: "never",
    YES: "Yes",
    NO: "No",
}


class Quiz(Panel):
    """Arguments: lesson_id; questions; record, called with each question's first answer.

    `asked` are the questions' widgets, in order.
    """

    def __init__(self, lesson_id: str, questions: Sequence[Question], record: Record) -> None:
        self._lesson_id, self._record = lesson_id, record
        self._first: dict[int, bool] = {}
        self._score = widgets.HTML()
        self.asked = [
            Asked(question, f"question {number} of {len(questions)}", functools.partial(self._note, number))
            for number, question in enumerate(questions, 1)
        ]
        super().__init__("quiz", "", *self.asked, self._score)

    def _note(self, number: int, right: bool) -> None:
        if number in self._first:
            return
        self._first[number] = right
        if len(self._first) == len(self.asked):
            text = f"{sum(self._first.values())} of {len(self.asked)} right at the first try."
            self._score.value = pieces.paragraph(text, "mk-answer")
        react(lambda: self._record("question", f"{self._lesson_id}/{number}", right), self.answer)


class Asked(Panel):
    """One question. Arguments: question; name, like “question 1 of 3”; note, called with whether an answer was
    right.
    """

    def __init__(self, question: Question, name: str, note: Callable[[bool], None]) -> None:
        self.question, self._note = question, note
        asks = widgets.HTML(heading(name.capitalize()) + pieces.paragraph(question.asks, "mk-message mk-asks"))
        options = [(said(choice), choice) for choice in question.choices]
        self.choice = widgets.RadioButtons(description=f"Your answer to {name}:", options=options, index=None, **wide())
        self.check = button(f"Check {name.partition(' of ')[0]}", f"Check the answer to {name}")
        super().__init__("question", "", asks, self.choice, self.check)
        self.on_use(self._check, self.check)

    def _check(self) -> None:
        chosen = self.choice.value
        if chosen is None:
            self.answer.value = pieces.alert("Choose an answer first.")
            return
        right, why = self.question.answer() == chosen, self.question.explanation()
        text = f"Right: {said(chosen)}." if right else f"No, it is not: {said(chosen)}."
        again = "" if right else pieces.paragraph("You can choose again. What is kept is the first answer.", "mk-note")
        judged = pieces.paragraph(f"Judged by {self.question.judged_by}.", "mk-note")
        said_why = pieces.paragraph(why.why, "mk-why")
        self.answer.value = verdict(text, right=right) + said_why + again + source(_behind(why) + judged)
        self._note(right)


def said(choice: str) -> str:
    """A choice as people read it.

    >>> said("chatflow"), said("2024-04-01"), said("marketing")
    ('Chatflows', '1 April 2024', 'marketing')
    """
    if choice in SOURCES:
        return str(Rulebook.load().newest[choice].name)
    try:
        return words.day(dt.date.fromisoformat(choice))
    except ValueError:
        return _NAMES.get(choice, choice)


def _behind(why: Explanation) -> str:
    shown = pieces.paragraph(words.dated(why.rests_on)) if why.rests_on else ""
    if why.outcome is not None:
        names = Rulebook.load().newest
        for contact_id in why.outcome.contacts.index:
            shown += pieces.touched(why.outcome.why(contact_id), names, open_sources=True)
    rules = "".join(f"<li>{article.in_full(rule)}</li>" for rule in why.rules)
    return shown + (f'<ul class="mk-touches">{rules}</ul>' if rules else "")
