"""A lesson: one object, whose parts a notebook shows one below the other."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from importlib import import_module
from importlib.resources import files
from typing import TypeVar, cast

import ipywidgets as widgets

from marketable.portal.portal import Portal
from marketable.views import pieces
from marketable.views.reacting import react

from ..classroom import SAMPLE, Classroom
from ..lessons import Experiment, LessonText, taught
from . import article
from .count_panel import CountPanel
from .editions_panel import EditionsPanel
from .keeping import Keeping
from .pieces import Record
from .predict_panel import PredictPanel
from .quiz import Quiz
from .story_panel import StoryPanel

Made = TypeVar("Made")


class Lesson(widgets.VBox):  # type: ignore[misc]
    """A lesson's top: its style, and whether progress is kept. Its parts are made by `rules`, `experiment`, `practice`,
    `questions` and `where`, each a widget for a cell of its own.

    Arguments: lesson_id, the name of its file.
    Raises: UnknownNameError for another name, with the nearest one.
    """

    def __init__(self, lesson_id: str) -> None:
        self.lesson_id, self.text = lesson_id, LessonText.load(lesson_id)
        parts, self.classroom, self._record = top(lesson_id)
        super().__init__(parts)
        self.add_class("mk")

    def __repr__(self) -> str:
        return f"Lesson {self.lesson_id}"

    def rules(self) -> widgets.Widget:
        """What the article says in our words, beside the rule as the library holds it."""
        return _part(lambda: widgets.HTML(article.rules(self.text)))

    def experiment(self) -> widgets.Widget:
        """Something to try."""
        return _part(*(partial(self._experiment, each) for each in self.text.experiment))

    def practice(self) -> widgets.Widget:
        """Exercises, fresh ones each time."""
        return _part(*(partial(self._exercise, name) for name in self.text.practice.exercises))

    def questions(self) -> widgets.Widget:
        """The three questions."""
        return _part(lambda: Quiz(self.lesson_id, self.text.questions, self._record))

    def where(self) -> widgets.Widget:
        """Where to click in HubSpot."""
        return _part(lambda: widgets.HTML(article.places(self.text)))

    def _experiment(self, settings: Experiment) -> widgets.Widget:
        match settings.panel:
            case "batch":
                return widgets.HTML(article.batch(settings.touches, settings.seed))
            case "myths":
                return widgets.HTML(article.myths(self.text.myths))
            case "story":
                return StoryPanel(settings)
            case "editions":
                return EditionsPanel()
        return _panel(settings.panel)(self.classroom)

    def _exercise(self, name: str) -> widgets.Widget:
        given, practice = (self.classroom, self._record), self.text.practice
        match name:
            case "predict":
                return PredictPanel(practice.predict, taught(self.lesson_id), *given)
            case "count":
                return CountPanel(practice.count, taught(self.lesson_id), *given)
        return _panel(name)(*given)


def top(lesson_id: str) -> tuple[list[widgets.Widget], Classroom, Record]:
    """What stands at the top of a lesson, or of a page beside them (""): style, and whether progress is kept; with the
    class, and what records answers.
    """
    alert = widgets.HTML()
    classroom = _made(Classroom.load, alert) or Classroom(portal=Portal.load(SAMPLE))
    keeping = Keeping(lesson_id, classroom)
    return [style(), alert, keeping], classroom, keeping.record


def style() -> widgets.HTML:
    """The style sheet of the lessons."""
    sheet = files(__package__).joinpath("lessons.css").read_text("utf-8")
    return widgets.HTML(f"{pieces.style()}<style>{sheet}</style>")


def _panel(name: str) -> Callable[..., widgets.Widget]:
    """The panel of a name, loaded now: charts take a second, and most lessons need none."""
    module = import_module(f".{name}_panel", __package__)
    return cast(Callable[..., widgets.Widget], getattr(module, f"{name.capitalize()}Panel"))


def _part(*makes: Callable[[], widgets.Widget]) -> widgets.Widget:
    """A part of the lesson. What cannot be made leaves its error in its place."""
    part = widgets.VBox()
    for make in makes:
        alert = widgets.HTML()
        part.children = (*part.children, _made(make, alert) or alert)
    part.add_class("mk")
    return part


def _made(make: Callable[[], Made], alert: widgets.HTML) -> Made | None:
    """What is made; or None, and the error is shown."""
    made: list[Made] = []
    react(lambda: made.append(make()), alert)
    return made[0] if made else None
