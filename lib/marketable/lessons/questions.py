"""Questions about stories, about exports or about the rules, which the library answers.

A question holds a story or names a fact; which of its choices is right is computed each time, by the edition that is
asked for, and it is a fault if that is not exactly one. No right answer is written down anywhere.
"""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal, cast

import pandas as pd
from pydantic import BeforeValidator, Field, model_validator

from marketable.auditing import audit
from marketable.auditing.explanations import EXPLANATIONS, MEANINGS
from marketable.auditing.witnesses import FEWEST
from marketable.engine import Outcome, decide
from marketable.errors import UnknownNameError, nearest
from marketable.exports import CERTAINTIES
from marketable.exports import why as certainty_of
from marketable.portal.portal import Portal
from marketable.rulebook import MARKETING, SOURCES, STATUSES, LifecycleRule, Rulebook
from marketable.samples.touches import sample_touches
from marketable.settings import Strict, fault
from marketable.views import words

from .export import as_read, rows_of
from .story import LessonError, Story, one_of, told
from .through_editions import Held, facts_of, held, history

WAITING, NEVER, YES, NO = "waiting", "never", "yes", "no"
_ENDINGS = (*STATUSES, WAITING)


Source = Annotated[str, one_of(lambda: SOURCES, "There is no such tool")]
RuleName = Annotated[str, one_of(lambda: (*SOURCES, *Rulebook.load().lifecycle), "There is no such rule")]
Ending = Annotated[str, one_of(lambda: _ENDINGS, "There is no such status")]


def edition_of(value: Any) -> dt.date:
    """The edition of a date, for validators: another date is a fault."""
    try:
        return Rulebook.load().pinned(value)
    except UnknownNameError as wrong:
        raise fault(wrong.problem, value=value, expected=wrong.expected, nearest=wrong.nearest) from None


def _claimed(value: object) -> object:
    """Editions from `all`, `from 2021-12-30`, or a list of dates."""
    editions = Rulebook.load().editions
    if value == "all":
        return editions
    if isinstance(value, str) and value.startswith("from "):
        first = edition_of(value.removeprefix("from "))
        return tuple(date for date in editions if date >= first)
    if isinstance(value, (list, tuple)):
        return tuple(edition_of(each) for each in value)
    raise fault("These are no editions", value=value, expected="all, from 2021-12-30, or a list of dates")


@dataclass(frozen=True)
class Explanation:
    """Why an answer is right, in one or two sentences; and what that rests on: an outcome, rules, or a sentence."""

    why: str
    outcome: Outcome | None = None
    rules: tuple[Held | LifecycleRule, ...] = ()
    rests_on: str = ""


class Question(Strict):
    """A question with choices, exactly one of which is right in each edition that it claims.

    A kind of question with only a few answers offers them all where no choices are given, and no others.
    """

    _all: ClassVar[Mapping[str, tuple[str, ...]]] = {}

    kind: str
    asks: str
    choices: tuple[str, ...] = ()
    editions: Annotated[tuple[dt.date, ...], BeforeValidator(_claimed)] = Field(
        default="all", validate_default=True, min_length=1
    )

    @model_validator(mode="before")
    @classmethod
    def _has_choices(cls, data: Any) -> Any:
        if not isinstance(data, Mapping):
            return data
        every = cls._all.get(str(data.get("kind")), ())
        choices = data.get("choices") or every
        if len(choices) < 2:
            raise fault("A question needs at least two choices", place=("choices",), value=choices)
        for choice in choices if every else ():
            if choice not in every:
                told = {"value": choice, "expected": f"some of {', '.join(every)}", "nearest": nearest(choice, every)}
                raise fault("There is no such answer", place=("choices",), **told)
        return {**data, "choices": choices}

    @property
    def newest(self) -> dt.date:
        """The newest edition that the question claims: the one by which learners are judged."""
        return max(self.editions)

    @property
    def judged_by(self) -> str:
        """The edition by which a learner's answer is judged, in words."""
        return f"the edition of {self.newest}"

    def right(self, edition: dt.date) -> set[str]:
        """The answers that the library gives by an edition, whether they are among the choices or not."""
        raise NotImplementedError

    def answer(self, edition: dt.date | None = None) -> str:
        """The right choice by an edition, by default the newest claimed. Raises: LessonError where not exactly one is
        right.
        """
        edition = edition or self.newest
        answers = self.right(edition)
        right = [choice for choice in self.choices if choice in answers]
        if len(right) != 1:
            raise LessonError(
                f"{len(right) or 'No'} choices hold by the edition of {edition}, and exactly one must",
                value=self.asks,
                expected=f"one of {', '.join(self.choices)}",
            )
        return right[0]

    def explanation(self) -> Explanation:
        """Why the answer is right, by the newest edition claimed."""
        raise NotImplementedError


class StoryQuestion(Question):
    """What becomes of the contacts of a story. What is asked for, its kind, is one of

    - status: that of the only contact in the end, `waiting` where it is marketing until its update date;
    - from, until: the first day on which the only contact counts, or on which it no longer does; or never;
    - count: how many marketing contacts there are in the end;
    - over: whether the tier was exceeded on any day;
    - who: the contact that has the wanted status in the end;
    - myth: whether every contact has the wanted status in the end.

    `teaches` names the rule that it is about, where that is not the one behind the story's last touch. `note` says what
    the story of a myth leaves out, for no rule is about it; `rests_on`, what else is known of that.
    """

    _all: ClassVar = {"status": _ENDINGS, "over": (YES, NO), "myth": (YES, NO)}

    kind: Literal["status", "from", "until", "count", "over", "who", "myth"]
    story: Story
    wanted: Ending | None = None
    teaches: RuleName | None = None
    note: str = ""
    rests_on: str = ""

    @model_validator(mode="after")
    def _has_what_its_kind_needs(self) -> StoryQuestion:
        if self.kind in ("status", "from", "until") and len({touch.contact for touch in self.story.touches}) > 1:
            raise fault("Such a question is about one contact", place=("story", "touches"))
        if self.kind == "over" and self.story.tier is None:
            raise fault("A story about the tier needs one", place=("story",), expected="tier: a number")
        if self.kind in ("who", "myth") and self.wanted is None:
            raise fault("Such a question needs a status", place=("wanted",), expected=f"one of {', '.join(_ENDINGS)}")
        return self

    def right(self, edition: dt.date) -> set[str]:
        """What the engine says."""
        outcome = self.story.outcome(edition)
        endings = outcome.contacts["status"].astype("str").mask(outcome.contacts["waiting"], WAITING)
        counts = outcome.by_day()
        match self.kind:
            case "status":
                return set(endings)
            case "who":
                return set(endings.index[endings == self.wanted])
            case "myth":
                return {YES if set(endings) == {self.wanted} else NO}
            case "count":
                return {str(counts.iloc[-1])}
            case "over":
                return {YES if (counts > self.story.tier).any() else NO}
        counts_once = counts > 0
        days = counts.index[counts_once if self.kind == "from" else counts_once.cummax() & ~counts_once]
        return {str(days[0].date()) if len(days) else NEVER}

    def explanation(self) -> Explanation:
        """The step that decides, with the story's own days."""
        outcome, life = self.story.outcome(self.newest), Rulebook.load().lifecycle
        rules = (life["over_the_tier"],) if self.kind == "over" else ()
        return Explanation(self._why(outcome), outcome, rules + ((life[self.teaches],) if self.teaches else ()))

    def _why(self, outcome: Outcome) -> str:
        by_day, tier, status = outcome.by_day(), self.story.tier, outcome.contacts["status"].astype("str")
        if self.kind == "over" and tier is not None:
            most = int(by_day.max())
            return f"{most} on {words.day(by_day.index[int(by_day.argmax())])}: {words.against_tier(most, tier)}."
        if self.kind == "count":
            who = ", ".join(status.index[status == MARKETING]) or "nobody"
            return f"{by_day.iloc[-1]} on {words.day(by_day.index[-1])}: {who}."
        if self.kind != "who" and len(status) > 1:  # a myth about several
            return f"{', '.join(f'{name} is {status}' for name, status in status.items())}."
        contact = self.answer() if self.kind == "who" else status.index[0]
        return told(outcome.why(contact), cast(pd.Series, outcome.contacts.loc[contact]))


class ExportQuestion(Question):
    """What an export that shows the touches of a story says, if the contacts named in `marketing` are marketing ones
    and all others are not. What is asked for, its kind, is one of

    - certainty: how certain it is which tool created the contact;
    - explanation: why the contact is what it is; `waiting` if it is set as non-marketing until its update date;
    - looks: how the switch looks, on or off, or that too few contacts show it.
    """

    _all: ClassVar = {"certainty": CERTAINTIES, "explanation": EXPLANATIONS, "looks": ("on", "off", "too few")}

    kind: Literal["certainty", "explanation", "looks"]
    story: Story
    marketing: tuple[str, ...] = ()
    waiting: bool = False

    @property
    def judged_by(self) -> str:
        """The audit, by an edition."""
        return f"the audit of an export, by {super().judged_by}"

    def right(self, edition: dt.date) -> set[str]:
        """What the audit says."""
        return {self._audited(edition)[0]}

    def explanation(self) -> Explanation:
        """What that means, and the reason that the audit gives."""
        return self._audited(self.newest)[1]

    @functools.cache  # noqa: B019 - an audit takes half a second, and is asked for at each try; questions are few
    def _audited(self, edition: dt.date) -> tuple[str, Explanation]:
        touches = self.story.outcome(edition).touches[["contact_id", "occurred_at", "source", "asset"]]
        contacts = list(dict.fromkeys(touches["contact_id"]))
        marketing = pd.Series([contact in self.marketing for contact in contacts], contacts)
        export = as_read(rows_of(touches, marketing, marketing & self.waiting))
        if self.kind == "certainty":  # which takes no audit
            created = export.contacts.iloc[0]
            says = certainty_of(created["source"], created["certainty"])
            return str(created["certainty"]), Explanation(says, rules=(held(created["source"], edition),))
        found = audit(export, self.story.portal, edition=edition)
        if self.kind == "looks":
            switch = found.switches.iloc[0]
            why = f"Fewer than {FEWEST} contacts that a switch alone could have made marketing say nothing about it."
            return switch["looks"] or "too few", Explanation(why, rests_on=str(switch["evidence"]))
        contact = found.contacts.iloc[0]
        explanation = str(contact["explanation"])
        return explanation, Explanation(MEANINGS[explanation], rests_on=str(contact["reason"]))


class RuleQuestion(Question):
    """What the rules hold of a tool: default, switch, existing contacts. What is left out is asked for: the tool that
    has the wanted value of the fact, or the value that it has; or, if both are given, the edition that brought it.
    """

    kind: Literal["rule"]
    fact: Literal["default", "switch", "existing contacts"]
    tool: Source | None = None
    wanted: str | None = None

    @property
    def judged_by(self) -> str:
        """The edition; or all, where one of them is asked for."""
        every = self.tool and self.wanted
        return f"the {len(self.editions)} editions that were read" if every else super().judged_by

    @model_validator(mode="after")
    def _names_tools(self) -> RuleQuestion:
        for choice in self.choices if self.tool is None else ():
            if choice not in SOURCES:
                raise fault("There is no such tool", place=("choices",), value=choice, nearest=nearest(choice, SOURCES))
        return self

    def right(self, edition: dt.date) -> set[str]:
        """What the rulebook holds."""
        if self.tool is None:
            return {source for source in SOURCES if facts_of(source, edition)[self.fact] == self.wanted}
        if self.wanted is None:
            return {facts_of(self.tool, edition)[self.fact]}
        changes = [each for each in history(self.tool)[1:] if self.fact in each.changed]
        return {str(each.since) for each in changes if each.facts[self.fact] == self.wanted}

    def explanation(self) -> Explanation:
        """The rules of all that could be chosen."""
        answer, edition = self.answer(), self.newest
        rules = [held(source, edition) for source in ([self.tool] if self.tool else self.choices)]
        if self.tool and self.wanted:
            edition, rules = dt.date.fromisoformat(answer), history(self.tool)
        right = held(self.tool or answer, edition)
        then = f" Since {words.day(right.since)}." if self.tool and self.wanted else ""
        return Explanation(f"{right.rule.name}: {right.in_words}.{then}", rules=tuple(rules))


class SampleQuestion(Question):
    """How many contacts a made-up batch has: all, or those of a status, or those that a tool created."""

    kind: Literal["sample"]
    touches: int
    seed: int
    status: Ending | None = None
    tool: Source | None = None

    def right(self, edition: dt.date) -> set[str]:
        """That number."""
        counts = sample_outcome(self.touches, self.seed, edition).counts("source")
        counts = counts if self.tool is None else counts.loc[[self.tool]]
        return {str((counts if self.status is None else counts[self.status]).to_numpy().sum())}

    def explanation(self) -> Explanation:
        """The number, in a sentence."""
        tool = "" if self.tool is None else f" (created by: {Rulebook.load().on(self.newest)[self.tool].name})"
        status = "" if self.status is None else f" that are {self.status}"
        return Explanation(f"The account has {self.answer()} contacts{status}{tool}.")


def sample_outcome(touches: int, seed: int, edition: dt.date | None = None) -> Outcome:
    """A made-up batch, decided by one edition (by default the newest) with all switches at their defaults."""
    return decide(sample_touches(touches, seed), Portal(), edition=edition or Rulebook.load().newest.date)


AnyQuestion = Annotated[StoryQuestion | ExportQuestion | RuleQuestion | SampleQuestion, Field(discriminator="kind")]
