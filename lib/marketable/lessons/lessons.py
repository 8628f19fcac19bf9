"""The lessons' contents, read strictly from `lesson_texts/`.

A lesson's words quote facts, as in “a new contact is [marketing](default)”: what is quoted is compared with the rule
when the lesson is read, so that no lesson teaches what the rulebook does not hold.
"""

from __future__ import annotations

import datetime as dt
import functools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from marketable.errors import UnknownNameError, nearest
from marketable.rulebook import SOURCES, Rulebook
from marketable.settings import Strict, fault, read_as

from .cases import cases
from .deck import ROUND
from .questions import NO, AnyQuestion, Question, RuleName, Source, StoryQuestion, edition_of
from .story import LessonError, StoryTouch, Touched, one_of
from .through_editions import facts_of

TEXTS = Path(__file__).with_name("lesson_texts")
_QUOTED = re.compile(r"\[([^\]]+)\]\(([^)]+)\)")


def lesson_ids(folder: Path = TEXTS) -> list[str]:
    """The lessons, in the order in which they are learnt.

    >>> lesson_ids()[0]
    '00_how_to_use_a_notebook'
    """
    return sorted(path.stem for path in folder.glob("*.yaml"))


class Said(Strict):
    """What the article says of one rule, a source or a rule of the lifecycle, in our words; `also`, of further sources
    of which it says the same.
    """

    rule: RuleName
    also: tuple[Source, ...] = ()
    says: str

    @property
    def rules(self) -> tuple[str, ...]:
        """All that it is about."""
        return (self.rule, *self.also)

    @property
    def looks_back(self) -> bool:
        """Whether it quotes an older edition."""
        return any(" in " in fact for _, fact in self.pieces)

    @property
    def pieces(self) -> list[tuple[str, str]]:
        """The words, piece by piece, each with the fact that it quotes, or "".

        >>> Said(rule="chatflow", says="It is [non-marketing](default).").pieces
        [('It is ', ''), ('non-marketing', 'default'), ('.', '')]
        """
        found, end = [], 0
        for quoted in _QUOTED.finditer(self.says):
            found += [(self.says[end : quoted.start()], ""), (quoted[1], quoted[2])]
            end = quoted.end()
        return [piece for piece in (*found, (self.says[end:], "")) if piece[0]]

    @model_validator(mode="after")
    def _words_agree_with_the_rule(self) -> Said:
        needed = "default" if self.rule in SOURCES else "rule"
        quoted = [(words, fact) for words, fact in self.pieces if fact]
        if needed not in (fact for _, fact in quoted):
            raise fault("These words do not quote the rule", place=("says",), expected=f"[…]({needed})")
        for words, fact in quoted:
            for rule in self.rules:
                held = self._held(rule, fact)
                agrees = words == held if rule in SOURCES else words.casefold() in held
                if not agrees:
                    raise fault("These words contradict the rule", place=("says",), value=words, expected=held)
        return self

    def _held(self, rule: str, fact: str) -> str:
        """What a quotation must agree with: a fact of the newest edition, or of another one (`default in 2021-12-30`),
        or what a rule of the lifecycle says.
        """
        rulebook = Rulebook.load()
        name, _, date = fact.partition(" in ")
        if rule in SOURCES:
            known = facts_of(rule, edition_of(date) if date else rulebook.newest.date)
        else:
            known = {"rule": rulebook.lifecycle[rule].says}
        if name not in known:
            raise fault("There is no such fact", place=("says",), value=fact, nearest=nearest(name, known))
        return known[name]


class Experiment(Strict):
    """A panel to try things with: a contact's touches, to be changed (story); a made-up batch, counted by the tools
    that created its contacts; a made-up account, its bill, or its export; two editions; or the lesson's myths.

    Arguments: steps, tools, commitment and editions, of a story; touches and seed, of a batch.
    """

    panel: Literal["story", "batch", "account", "bill", "export", "editions", "myths"]
    steps: tuple[StoryTouch, ...] = ()
    tools: tuple[Touched, ...] | None = None
    commitment: bool = False
    editions: bool = False
    touches: int = 200
    seed: int = 0

    @model_validator(mode="after")
    def _a_story_begins(self) -> Experiment:
        if self.panel == "story" and not self.steps:
            raise fault("A story needs a first step", place=("steps",))
        return self


Case = Annotated[str, one_of(lambda: tuple(cases()), "There is no such case")]


class Practice(Strict):
    """What a lesson is about: cases of contacts to predict, of which each round has all, or to count against a tier
    (see `cases.yaml`); and further panels.
    """

    predict: tuple[Case, ...] = Field((), max_length=ROUND)
    count: tuple[Case, ...] = ()
    panels: tuple[Literal["find", "within", "explain"], ...] = ()

    @property
    def exercises(self) -> tuple[str, ...]:
        """Their names, in order."""
        return (*(name for name in ("predict", "count") if getattr(self, name)), *self.panels)

    @model_validator(mode="after")
    def _there_is_some(self) -> Practice:
        if not self.exercises:
            raise fault("There is nothing to practise", expected="predict: some cases, or panels")
        return self


class Place(Strict):
    """Where to click: rules whose place the rulebook names, and more in our words."""

    rules: tuple[RuleName, ...] = ()
    more: tuple[str, ...] = ()


class LessonText(Strict):
    """A lesson: its title, what the article says, an experiment, practice, three questions, where to click."""

    title: str
    article: tuple[Said, ...] = Field(min_length=1)
    experiment: tuple[Experiment, ...] = Field(min_length=1)
    practice: Practice
    questions: tuple[AnyQuestion, ...] = Field(min_length=3, max_length=3)
    where: Place
    myths: tuple[StoryQuestion, ...] = ()

    @classmethod
    def load(cls, lesson_id: str, folder: Path = TEXTS) -> LessonText:
        """The lesson of that name. Raises: UnknownNameError where there is none, LessonError for what cannot be used.

        >>> LessonText.load("06_tiers_and_the_invoice").title
        'Tiers and the invoice'
        """
        ids = lesson_ids(folder)
        if lesson_id not in ids:
            expected, near = f"one of {', '.join(ids)}", nearest(lesson_id, ids)
            raise UnknownNameError("There is no such lesson", value=lesson_id, expected=expected, nearest=near)
        return read_as(cls, folder / f"{lesson_id}.yaml", LessonError)[0]


@functools.cache
def taught(lesson_id: str) -> tuple[str, ...]:
    """The tools that a lesson or one before it speaks of.

    >>> taught("01_what_a_marketing_contact_is")
    ('hubspot_form', 'meetings_link', 'mobile_app')
    """
    before = [name for name in lesson_ids() if name <= lesson_id]
    said = [rule for name in before for said in LessonText.load(name).article for rule in said.rules]
    return tuple(rule for rule in dict.fromkeys(said) if rule in SOURCES)


def every_question(folder: Path = TEXTS) -> Iterator[tuple[str, Question]]:
    """All questions and myths of all lessons, each with its item: `<lesson id>/<number from 1>`."""
    for lesson_id in lesson_ids(folder):
        text = LessonText.load(lesson_id, folder)
        for number, question in enumerate((*text.questions, *text.myths), 1):
            yield f"{lesson_id}/{number}", question


def refuted(myth: StoryQuestion) -> list[dt.date]:
    """The editions that contradict a myth."""
    return [edition for edition in myth.editions if myth.answer(edition) == NO]
