"""A lesson: one object, whose parts a notebook shows one below the other."""

from __future__ import annotations

import functools
from collections.abc import Callable
from importlib.resources import files

import ipywidgets as widgets

from marketable.portal.portal import Portal
from marketable.views import pieces
from marketable.views.reacting import react

from ..classroom import SAMPLE, Classroom
from ..lessons import BatchExperiment, LessonText, OtherExperiment, StoryExperiment
from . import article
from .editions_panel import EditionsPanel
from .explain_panel import ExplainPanel
from .export_panel import ExportPanel
from .keeping import Keeping
from .predict_panel import PredictPanel
from .quiz import Quiz
from .story_panel import StoryPanel
from .within_panel import WithinPanel


class Lesson(widgets.VBox):  # type: ignore[misc]
    """A lesson's top: its style, and whether progress is kept. Its parts are made by `rules`, `experiment`, `practice`,
    `questions` and `where`, each a widget for a cell of its own.

    Arguments: lesson_id, the name of its file.
    Raises: UnknownNameError for another name, with the nearest one.
    """

    def __init__(self, lesson_id: str) -> None:
        self.lesson_id, self.text = lesson_id, LessonText.load(lesson_id)
        super().__init__()
        self._alert = widgets.HTML()
        self.classroom = self._load()
        keeping = Keeping(lesson_id, self.classroom)
        self._record = keeping.record
        self.children = [widgets.HTML(pieces.style() + _style()), self._alert, keeping]
        self.add_class("mk")

    def __repr__(self) -> str:
        return f"Lesson {self.lesson_id}"

    def rules(self) -> widgets.Widget:
        """What the article says in our words, beside the rule as the library holds it."""
        return self._part(lambda: _page(article.rules(self.text)))

    def experiment(self) -> widgets.Widget:
        """Something to try."""
        return self._part(*(functools.partial(self._experiment, each) for each in self.text.experiment))

    def practice(self) -> widgets.Widget:
        """Exercises, fresh ones each time."""
        kinds = self.text.practice.predict
        predict = [lambda: PredictPanel(kinds, self.classroom, self._record)] if kinds else []
        return self._part(*predict, *(functools.partial(self._exercise, name) for name in self.text.practice.panels))

    def questions(self) -> widgets.Widget:
        """The three questions."""
        return self._part(lambda: Quiz(self.lesson_id, self.text.questions, self._record))

    def where(self) -> widgets.Widget:
        """Where to click in HubSpot."""
        return self._part(lambda: _page(article.places(self.text)))

    def _load(self) -> Classroom:
        """The class; where its file cannot be used, that is told, and everybody practises alone."""
        loaded: list[Classroom] = []
        react(lambda: loaded.append(Classroom.load()), self._alert)
        return loaded[0] if loaded else Classroom(portal=Portal.load(SAMPLE))

    def _experiment(self, settings: StoryExperiment | BatchExperiment | OtherExperiment) -> widgets.Widget:
        if isinstance(settings, BatchExperiment):
            return _page(article.batch(settings))
        if isinstance(settings, StoryExperiment):
            return StoryPanel(
                settings.steps,
                tools=settings.tools,
                commitment=settings.commitment,
                editions=settings.editions,
            )
        if settings.panel == "myths":
            return _page(article.myths(self.text.myths))
        if settings.panel == "editions":
            return EditionsPanel()
        if settings.panel == "export":
            return ExportPanel(self.classroom)
        from .account_panel import AccountPanel  # its charts take a second to load, and other lessons need none

        return AccountPanel(self.classroom)

    def _exercise(self, name: str) -> widgets.Widget:
        if name == "within":
            return WithinPanel(self.classroom, self._record)
        if name == "explain":
            return ExplainPanel(self.classroom, self._record)
        from .find_panel import FindPanel  # as above

        return FindPanel(self.classroom, self._record)

    def _part(self, *made: Callable[[], widgets.Widget]) -> widgets.Widget:
        """A part of the lesson. What cannot be made leaves its error in its place."""
        part = widgets.VBox([_or_alert(make) for make in made])
        part.add_class("mk")
        return part


def _or_alert(make: Callable[[], widgets.Widget]) -> widgets.Widget:
    alert, made = widgets.HTML(), list[widgets.Widget]()
    react(lambda: made.append(make()), alert)
    return made[0] if made else alert


def _style() -> str:
    return f"<style>{files(__package__).joinpath('lessons.css').read_text('utf-8')}</style>"


def _page(text: str) -> widgets.HTML:
    return widgets.HTML(text)
