"""What the panels of a lesson share: their frame, the verdict on an answer, and rounds of questions."""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import ipywidgets as widgets

from marketable.portal.portal import Portal
from marketable.views.pieces import OWN_KEYS, alert, folded, paragraph
from marketable.views.reacting import react
from marketable.views.words import dated, day

from ..batch import seeds
from ..classroom import Classroom
from ..deck import weighed

Record = Callable[[str, str, bool], None]
"""Called with the exercise, what of it, and whether the answer was right."""
_NEXT = "Next"


@dataclass(frozen=True)
class Posed:
    """A question with one right choice, as a panel shows it.

    Arguments: kind, which comes more often when it was answered wrong; item, under which progress counts it; asks, a
    piece of page; prompt and choices, each in words and as a value; answer, the right value; why, in one or two
    sentences; source, a piece of page that folds away.
    """

    kind: str
    item: str
    asks: str
    prompt: str
    choices: Sequence[tuple[str, Any]]
    answer: Any
    why: str
    source: str

    def told(self, said: Any) -> tuple[bool, str]:
        """Whether an answer is right, and what there is to say of it."""
        (name,) = (words for words, value in self.choices if value == self.answer)
        right = said == self.answer
        text = f"Right: {name}." if right else f"No, it is: {name}."
        return right, verdict(text, right=right) + paragraph(self.why, "mk-why") + source(self.source)


def source(content: str) -> str:
    """What an answer rests on: where it was read, and how far to trust it. It folds away. Arguments: content, HTML."""
    return folded("source", dated(content))


def heading(text: str) -> str:
    """The heading of a panel."""
    return f'<h3 class="mk-title">{html.escape(text)}</h3>'


def verdict(text: str, *, right: bool) -> str:
    """The verdict on an answer, which a screen reader says when it appears."""
    kind, mark = ("mk-right", "✓") if right else ("mk-wrong", "✗")
    return f'<p class="mk-verdict {kind}" role="status"><b aria-hidden="true">{mark}</b> {html.escape(text)}</p>'


def account(portal: Portal) -> str:
    """What a status may depend on beside the switches: since when, and how, the account pays for marketing contacts.

    >>> account(Portal(access_since="2022-03-01"))
    'The account has had marketing contacts since 1 March 2022. It pays by the year.'
    """
    since, bought = portal.access_since, portal.subscription
    monthly = bought.commitment == "monthly" and bought.renewal
    pays = f"by the month, renewed on day {bought.renewal.day}" if monthly and bought.renewal else "by the year"
    if since is None:
        return f"The account pays {pays}."
    return f"The account has had marketing contacts since {day(since)}. It pays {pays}."


def wide() -> dict[str, object]:
    """The style and layout of a widget whose description is shown whole."""
    return {"style": {"description_width": "initial"}, "layout": widgets.Layout(width="auto", max_width="100%")}


def button(name: str, tip: str = "") -> widgets.Button:
    """A button as wide as its name."""
    return widgets.Button(description=name, tooltip=tip or None, layout=widgets.Layout(width="auto"))


class Panel(widgets.VBox):  # type: ignore[misc]
    """A framed part of a lesson. Arguments: name, by which it is found (`mk-at-<name>`); title, or ""; children, above
    `answer`, in which the panel answers and errors of its callbacks appear.
    """

    def __init__(self, name: str, title: str, *children: widgets.Widget) -> None:
        self.answer = widgets.HTML()
        keys = widgets.HTML(OWN_KEYS, layout=widgets.Layout(display="none"))
        titles = [widgets.HTML(heading(title))] if title else []
        super().__init__([keys, *titles, *children, self.answer])
        self.add_class("mk").add_class("mk-panel").add_class(f"mk-at-{name}")

    def on_use(self, callback: Callable[[], object], *controls: widgets.Widget) -> None:
        """Calls back when a button is pressed, which takes the last answer off, or when a control's value changes."""

        def pressed(_button: widgets.Button) -> None:
            self.answer.value = ""
            react(callback, self.answer)

        for control in controls:
            if isinstance(control, widgets.Button):
                control.on_click(pressed)
            else:
                control.observe(lambda _change: react(callback, self.answer), "value")


class Questions(Panel):
    """Questions with one choice each, in rounds. What was answered wrong comes more often afterwards.

    Arguments: classroom, for the account and the seed; record; between, what stands between the question and the
    choice. Attributes: posed, the question that is asked; round, all of this round; choice and button.
    """

    exercise, asked, again, answering = "", "Contact", "Another round", "Answer"

    def __init__(self, classroom: Classroom, record: Record, *between: widgets.Widget) -> None:
        self.portal, self._record, self._seeds = classroom.portal, record, seeds(classroom.seed)
        self.weights: Mapping[str, float] = {}
        self.round: Sequence[Posed] = ()
        self._question = widgets.HTML()
        self.choice = widgets.RadioButtons(options=[], index=None, **wide())
        self.button = button(self.again)
        super().__init__(self.exercise, "", self._question, *between, self.choice, self.button)
        self.on_use(self._go_on, self.button)
        react(self._new_round, self.answer)

    # ---- what an exercise has of its own ----

    def _make_up(self, seed: str) -> Sequence[Posed]:
        """The questions of a round."""
        raise NotImplementedError

    def _title(self, number: int) -> str:
        """What stands above a question."""
        return f"{self.asked} {number} of {len(self.round)}"

    def _sum_up(self, answers: list[tuple[str, bool]]) -> str:
        """What there is to say after a round. Arguments: answers, what each was about and whether it was right."""
        right = sum(right for _, right in answers)
        more = "" if right == len(answers) else " What was missed comes more often now."
        return paragraph(f"{right} of {len(answers)} right.{more}", "mk-answer mk-round")

    # ---- what all have ----

    @property
    def posed(self) -> Posed:
        """The question that is asked, or was answered last."""
        return self.round[self._number - 1]

    def _go_on(self) -> None:
        if self.button.description == self.again:
            self._new_round()
        elif self.button.description == _NEXT:
            self._next()
        elif self.choice.value is None:
            self.answer.value = alert("Choose an answer first.")
        else:
            self._answered()

    def _new_round(self) -> None:
        self._question.value = paragraph("Making up an account …")
        self.round = self._make_up(next(self._seeds))
        self._answers: list[tuple[str, bool]] = []
        self._number = 0
        self._next()

    def _next(self) -> None:
        """The question comes last: whoever sees it finds its choices there."""
        self._number += 1
        self.choice.index, self.choice.description = None, self.posed.prompt
        if list(self.choice.options) != list(self.posed.choices):
            self.choice.options = list(self.posed.choices)
        self.choice.index, self.choice.disabled = None, False
        self.button.description = self.answering
        self._question.value = heading(self._title(self._number)) + self.posed.asks

    def _answered(self) -> None:
        right, told = self.posed.told(self.choice.value)
        self._answers.append((self.posed.item, right))
        self.weights = weighed(self.weights, self.posed.kind, right=right)
        done = len(self._answers) == len(self.round)
        self.choice.disabled, self.button.description = True, self.again if done else _NEXT
        self.answer.value = told + (self._sum_up(self._answers) if done else "")
        self._record(self.exercise, self.posed.item, right)
