"""Questions about stories or about the rules, which the library answers.

A question holds a story or names a fact; which of its choices is right is computed each time, by the edition that is
asked for, and it is a fault if that is not exactly one. No right answer is written down anywhere.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import pandas as pd
from pydantic import BeforeValidator, Field, model_validator

from marketable.auditing import audit
from marketable.auditing.explanations import EXPLANATIONS, MEANINGS
from marketable.auditing.witnesses import FEWEST
from marketable.engine import Outcome, decide
from marketable.errors import MarketableError, UnknownNameError
from marketable.exports import CERTAINTIES, tool_of, why
from marketable.portal.portal import Portal
from marketable.rulebook import SOURCES, Rulebook
from marketable.rulebook.reader import TRUST
from marketable.samples.touches import sample_touches
from marketable.settings import IsoDate, Strict, fault

from .export import export_of
from .story import Story, one_of
from .through_editions import Held, facts_of, held, history

WAITING, NEVER, YES, NO = "waiting", "never", "yes", "no"

Fact = Literal["default", "switch", "existing contacts"]


class LessonError(MarketableError):
    """A lesson's file cannot be used."""

    _row, _column = "line", "at"


Source = Annotated[str, one_of(lambda: SOURCES, "There is no such tool")]
RuleName = Annotated[str, one_of(lambda: (*SOURCES, *Rulebook.load().lifecycle), "There is no such rule")]
Explains = Annotated[str, one_of(lambda: EXPLANATIONS, "There is no such explanation")]
Status = Literal["marketing", "non-marketing", "not covered", "waiting"]


def _status(contact: pd.Series) -> str:
    return WAITING if contact["waiting"] else str(contact["status"])


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


def edition_of(value: Any) -> dt.date:
    """The edition of a date, for validators: another date is a fault."""
    try:
        return Rulebook.load().pinned(value)
    except UnknownNameError as wrong:
        raise fault(wrong.problem, value=value, expected=wrong.expected, nearest=wrong.nearest) from None


Editions = Annotated[tuple[dt.date, ...], BeforeValidator(_claimed)]
EditionDate = Annotated[dt.date, BeforeValidator(edition_of)]


class Question(Strict):
    """A question with choices, exactly one of which is right in each edition that it claims.

    Which one, `answer` computes. `explanation` gives what the engine or the rulebook says about it.
    """

    asks: str
    choices: tuple[str, ...] = Field(min_length=2)
    editions: Editions = Field(default="all", validate_default=True, min_length=1)

    @property
    def newest(self) -> dt.date:
        """The newest edition that the question claims: the one by which learners are judged."""
        return max(self.editions)

    @property
    def judged_by(self) -> str:
        """The edition by which a learner's answer is judged, in words."""
        return f"the edition of {self.newest}"

    def holds(self, choice: str, edition: dt.date) -> bool:
        """Whether the library says that a choice is right by an edition."""
        raise NotImplementedError

    def answer(self, edition: dt.date | None = None) -> str:
        """The right choice by an edition, by default the newest claimed. Raises: LessonError where not exactly one
        holds.
        """
        edition = edition or self.newest
        right = [choice for choice in self.choices if self.holds(choice, edition)]
        if len(right) != 1:
            raise LessonError(
                f"{len(right) or 'No'} choices hold by the edition of {edition}, and exactly one must",
                value=self.asks,
                expected=f"one of {', '.join(self.choices)}",
            )
        return right[0]

    def explanation(self, edition: dt.date | None = None) -> Explanation:
        """Why the answer is right by an edition, by default the newest claimed."""
        raise NotImplementedError


@dataclass(frozen=True)
class Explanation:
    """Why an answer is right: an outcome to be told contact by contact, or rules as they were held, or a sentence; and
    the rule that whoever answered wrongly has missed, or "" where it is not about a rule.
    """

    missed: str = ""
    outcome: Outcome | None = None
    rules: tuple[Held, ...] = ()
    says: str = ""


class _OfStory(Question):
    """`teaches` names the rule that it is about, where that is not the one behind the story's last touch."""

    story: Story
    teaches: RuleName | None = None

    def explanation(self, edition: dt.date | None = None) -> Explanation:
        edition = edition or self.newest
        outcome = self.story.outcome(edition)
        missed = _says(self.teaches, edition) if self.teaches else _missed(self.story, outcome, edition)
        return Explanation(missed, outcome=outcome)


class _OfOne(_OfStory):
    @model_validator(mode="after")
    def _tells_of_one(self) -> _OfOne:
        if len({touch.contact for touch in self.story.touches}) > 1:
            raise fault("Such a question tells of one contact", place=("story", "touches"))
        return self


class StatusQuestion(_OfOne):
    """The status of a contact; `waiting` where it is marketing until its update date."""

    kind: Literal["status"]
    choices: tuple[Status, ...] = Field(min_length=2)

    def holds(self, choice: str, edition: dt.date) -> bool:
        """Whether the contact has that status in the end."""
        return _status(self.story.outcome(edition).contacts.iloc[0]) == choice


class DayQuestion(_OfOne):
    """The first day on which a contact counts (from), or the first on which it no longer does (until); or never."""

    kind: Literal["from", "until"]

    def holds(self, choice: str, edition: dt.date) -> bool:
        """Whether that is the day."""
        counts = self.story.outcome(edition).by_day() > 0
        if self.kind == "until":
            counts = counts.cummax() & ~counts
        days = counts.index[counts]
        return (str(days[0].date()) if len(days) else NEVER) == choice


class CountQuestion(_OfStory):
    """How many marketing contacts there are at the end."""

    kind: Literal["count"]

    def holds(self, choice: str, edition: dt.date) -> bool:
        """Whether it is that many."""
        return str(self.story.outcome(edition).by_day().iloc[-1]) == choice


class OverQuestion(_OfStory):
    """Whether the tier was exceeded on any day: yes or no."""

    kind: Literal["over"]
    choices: tuple[str, ...] = (YES, NO)

    @model_validator(mode="after")
    def _has_a_tier(self) -> OverQuestion:
        if self.story.tier is None:
            raise fault("A story about the tier needs one", place=("story",), expected="tier: a number")
        return self

    def holds(self, choice: str, edition: dt.date) -> bool:
        """Whether that is so."""
        over = bool((self.story.outcome(edition).by_day() > self.story.tier).any())
        return (YES if over else NO) == choice

    def explanation(self, edition: dt.date | None = None) -> Explanation:
        """The contacts, and what the rules say of the tier."""
        told = super().explanation(edition)
        more = f" {told.missed}" if self.teaches else ""
        return Explanation(f"{_lifecycle('over_the_tier')}{more}", outcome=told.outcome)


class WhoQuestion(_OfStory):
    """Which of some contacts has the wanted status in the end."""

    kind: Literal["who"]
    wanted: Status

    def holds(self, choice: str, edition: dt.date) -> bool:
        """Whether that contact has it."""
        contacts = self.story.outcome(edition).contacts
        return any(name == choice and _status(contact) == self.wanted for name, contact in contacts.iterrows())

    def explanation(self, edition: dt.date | None = None) -> Explanation:
        """The contacts, and the rule of the one that was asked for."""
        edition = edition or self.newest
        outcome, right = self.story.outcome(edition), self.answer(edition)
        return Explanation(_missed(self.story, outcome, edition, right), outcome=outcome)


class MythQuestion(_OfStory):
    """Whether what people say is so: that every contact of the story has a status in the end. Yes or no.

    `note` tells what the story leaves out; `rests_on`, what is behind that where it is no rule.
    """

    kind: Literal["myth"]
    claims: Status
    choices: tuple[str, ...] = (YES, NO)
    note: str = ""
    rests_on: str = ""

    def holds(self, choice: str, edition: dt.date) -> bool:
        """Whether that is so."""
        statuses = {_status(contact) for _, contact in self.story.outcome(edition).contacts.iterrows()}
        return (YES if statuses == {self.claims} else NO) == choice


class ToolQuestion(Question):
    """Which tool has the wanted value of a fact: default, switch, existing contacts."""

    kind: Literal["tool"]
    fact: Fact
    wanted: str
    choices: tuple[Source, ...] = Field(min_length=2)

    def holds(self, choice: str, edition: dt.date) -> bool:
        """Whether that tool has it."""
        return facts_of(choice, edition)[self.fact] == self.wanted

    def explanation(self, edition: dt.date | None = None) -> Explanation:
        """The rules of all that could be chosen."""
        edition = edition or self.newest
        missed = str(held(self.answer(edition), edition))
        return Explanation(missed, rules=tuple(held(choice, edition) for choice in self.choices))


class FactQuestion(Question):
    """What the rules hold of one tool: its default, its switch, or what it does to existing contacts."""

    kind: Literal["fact"]
    tool: Source
    fact: Fact

    def holds(self, choice: str, edition: dt.date) -> bool:
        """Whether that is held."""
        return facts_of(self.tool, edition)[self.fact] == choice

    def explanation(self, edition: dt.date | None = None) -> Explanation:
        """The tool's rule."""
        told = held(self.tool, edition or self.newest)
        return Explanation(str(told), rules=(told,))


class ChangedQuestion(Question):
    """Which tool's rule changed between two editions."""

    kind: Literal["changed"]
    older: EditionDate
    newer: EditionDate
    choices: tuple[Source, ...] = Field(min_length=2)

    @property
    def judged_by(self) -> str:
        """Both editions."""
        return f"the editions of {self.older} and {self.newer}"

    def holds(self, choice: str, edition: dt.date) -> bool:
        """Whether it changed."""
        return choice in set(Rulebook.load().changes(self.older, self.newer)["source"])

    def explanation(self, edition: dt.date | None = None) -> Explanation:
        """The rule before and after."""
        told = tuple(held(self.answer(edition), date) for date in (self.older, self.newer))
        return Explanation(str(told[-1]), rules=told)


class SinceQuestion(Question):
    """In which edition a fact of one tool changed."""

    kind: Literal["since"]
    tool: Source
    fact: Fact

    @property
    def judged_by(self) -> str:
        """All editions."""
        return f"the {len(Rulebook.load().editions)} editions that were read"

    def holds(self, choice: str, edition: dt.date) -> bool:
        """Whether it changed in that edition."""
        return any(str(each.since) == choice and self.fact in each.changed for each in history(self.tool)[1:])

    def explanation(self, edition: dt.date | None = None) -> Explanation:
        """The rule through the years."""
        told = held(self.tool, dt.date.fromisoformat(self.answer(edition)))
        return Explanation(str(told), rules=tuple(history(self.tool)))


class SampleQuestion(Question):
    """A number of a made-up batch: its touches, its contacts, or how many contacts have a status."""

    kind: Literal["sample"]
    touches: int
    seed: int
    of: Literal["touches", "contacts", "marketing", "non-marketing", "not covered"]
    tool: Source | None = None

    def holds(self, choice: str, edition: dt.date) -> bool:
        """Whether it is that number."""
        return str(self._number(edition)) == choice

    def explanation(self, edition: dt.date | None = None) -> Explanation:
        """The number."""
        edition = edition or self.newest
        tool = "" if self.tool is None else f" (created by: {Rulebook.load().on(edition)[self.tool].name})"
        what = self.of if self.of in ("touches", "contacts") else f"contacts that are {self.of}"
        return Explanation(says=f"The batch has {self._number(edition):,} {what}{tool}.")

    def _number(self, edition: dt.date) -> int:
        if self.of == "touches":
            return self.touches
        table = sample_outcome(self.touches, self.seed, edition).counts("source")
        rows = table if self.tool is None else table.loc[[self.tool]]
        return int(rows.to_numpy().sum() if self.of == "contacts" else rows[self.of].sum())


def sample_outcome(touches: int, seed: int, edition: dt.date | None = None) -> Outcome:
    """A made-up batch, decided by one edition (by default the newest) with all switches at their defaults."""
    return decide(sample_touches(touches, seed), Portal(), edition=edition or Rulebook.load().editions[-1])


class RecordedQuestion(Question):
    """With which certainty a Record source of an export tells the tool."""

    kind: Literal["recorded"]
    recorded: str
    detail: str = ""
    choices: tuple[str, ...] = CERTAINTIES

    @property
    def judged_by(self) -> str:
        """No edition: the article does not speak of exports."""
        return "how this library reads what HubSpot records"

    def holds(self, choice: str, edition: dt.date) -> bool:
        """Whether that is the certainty."""
        return tool_of(self.recorded, self.detail).certainty == choice

    def explanation(self, edition: dt.date | None = None) -> Explanation:
        """Why the tool is taken for that."""
        tool = tool_of(self.recorded, self.detail)
        says = why(tool.source, tool.certainty)
        return Explanation(says, rules=(held(tool.source, edition or self.newest),), says=says)


class ExplainedQuestion(_OfOne):
    """Which explanation the audit has for a contact of an export that shows the touches of a story, and a status."""

    kind: Literal["explained"]
    status: Literal["marketing", "non-marketing"]
    until_next_update: bool = False
    choices: tuple[Explains, ...] = Field(min_length=2)

    @property
    def judged_by(self) -> str:
        """The audit, by an edition."""
        return f"the audit, by {super().judged_by}"

    def holds(self, choice: str, edition: dt.date) -> bool:
        """Whether it is that explanation."""
        return str(self._audited(edition)["explanation"]) == choice

    def explanation(self, edition: dt.date | None = None) -> Explanation:
        """What the explanation means, and the reason that the audit gives."""
        contact = self._audited(edition or self.newest)
        return Explanation(MEANINGS[contact["explanation"]], says=str(contact["reason"]))

    def _audited(self, edition: dt.date) -> pd.Series:
        touches = self.story.outcome(edition).touches[["contact_id", "occurred_at", "source", "asset"]]
        of_one = pd.Series([True], [self.story.touches[0].contact])
        export, _ = export_of(touches, of_one & (self.status == "marketing"), of_one & self.until_next_update)
        return audit(export, self.story.portal, edition=edition).contacts.iloc[0]


class LooksQuestion(Question):
    """How a switch looks, by an export with some contacts of one tool, so many of them marketing: on, off, or that too
    few contacts show it.
    """

    kind: Literal["looks"]
    tool: Source
    asset: str
    day: IsoDate
    contacts: Annotated[int, Field(ge=1, le=1_000)]
    marketing: Annotated[int, Field(ge=0)]
    choices: tuple[Literal["on", "off", "too few"], ...] = ("on", "off", "too few")

    def holds(self, choice: str, edition: dt.date) -> bool:
        """Whether it looks so."""
        return (self._switch(edition)["looks"] or "too few") == choice

    def explanation(self, edition: dt.date | None = None) -> Explanation:
        """The evidence, in the audit's words."""
        evidence = str(self._switch(edition or self.newest)["evidence"])
        missed = f"Fewer than {FEWEST} contacts that a switch alone could have made marketing tell nothing about it."
        return Explanation(missed, says=evidence)

    def _switch(self, edition: dt.date) -> pd.Series:
        """The row of the switch in the audit, the portal having it as HubSpot delivers it."""
        ids = [str(number) for number in range(1, self.contacts + 1)]
        at = dt.datetime.combine(self.day, dt.time(10))
        touches = pd.DataFrame({"contact_id": ids, "occurred_at": at, "source": self.tool, "asset": self.asset})
        marketing = pd.Series([number < self.marketing for number in range(self.contacts)], ids)
        export, _ = export_of(touches, marketing, pd.Series(False, ids))
        found = audit(export, Portal(), edition=edition).switches
        return found.loc[found.index == f"{self.tool}/{self.asset}"].iloc[0]


AnyQuestion = Annotated[
    StatusQuestion
    | DayQuestion
    | CountQuestion
    | OverQuestion
    | WhoQuestion
    | MythQuestion
    | ToolQuestion
    | FactQuestion
    | ChangedQuestion
    | SinceQuestion
    | SampleQuestion
    | RecordedQuestion
    | ExplainedQuestion
    | LooksQuestion,
    Field(discriminator="kind"),
]


def _missed(story: Story, outcome: Outcome, edition: dt.date, contact: str | None = None) -> str:
    """The rule behind the last touch that counts, in the rulebook's words."""
    touches = outcome.touches if contact is None else outcome.why(contact)
    last = touches[touches["rule"] != "not counted"].iloc[-1]
    if last["rule"] in ("before access", "access"):
        return _lifecycle("access")
    if last["rule"] == "undo":
        return _lifecycle("undo_by_hand" if last["source"] == "set_marketing" else "undo_by_tool")
    if last["source"] == "set_non_marketing":
        return _lifecycle("set_non_marketing", f"update_date_{story.commitment}")
    if last["source"] == "set_marketing":
        return _lifecycle("set_marketing")
    return _says(str(last["source"]), edition)


def _says(rule: str, edition: dt.date) -> str:
    return str(held(rule, edition)) if rule in SOURCES else _lifecycle(rule)


def _lifecycle(*names: str) -> str:
    rules = [Rulebook.load().lifecycle[name] for name in names]
    assumed = [f" ({TRUST['assumption']})" if rule.reference.trust == "assumption" else "" for rule in rules]
    return " ".join(f"{_capital(rule.says)}{more}." for rule, more in zip(rules, assumed, strict=True))


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
