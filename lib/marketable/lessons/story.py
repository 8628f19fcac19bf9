"""A story: a few things that happen to contacts, each with the switch as it is in that moment, and what follows."""

from __future__ import annotations

import datetime as dt
import functools
import re
from collections.abc import Callable
from typing import Annotated, Any, Literal

import pandas as pd
from pydantic import BeforeValidator, Field, model_validator

from marketable.engine import Outcome, decide
from marketable.errors import MarketableError, nearest
from marketable.portal.portal import Portal, Subscription
from marketable.rulebook import ACTIONS, SOURCES, Rulebook
from marketable.settings import IsoDate, Strict, fault
from marketable.views import words

_TRUST_NOTE = re.compile(r" \([^()]*(?:trust [HM]|an assumption)[^()]*\)")
_MORNING, _EVENING = dt.time(10), dt.time(23, 59, 59)  # when things happen, and when a day is asked about


class LessonError(MarketableError):
    """A file of the lessons cannot be used."""

    _row, _column = "line", "at"


def one_of(names: Callable[[], tuple[str, ...]], problem: str) -> BeforeValidator:
    """A validator that knows some names, and offers the nearest where it is given another."""

    def known(name: object) -> object:
        if name not in names():
            raise fault(problem, value=name, expected=f"one of {', '.join(names())}", nearest=nearest(name, names()))
        return name

    return BeforeValidator(known)


Touched = Annotated[str, one_of(lambda: (*SOURCES, *ACTIONS), "There is no such tool")]


class StoryTouch(Strict):
    """One touch of a story: the day, the tool or action, which asset, whether its switch was on then (None: as HubSpot
    delivers it), and whom it met.
    """

    day: IsoDate
    tool: Touched
    asset: str = ""
    on: bool | None = None
    contact: str = "Ann"

    @model_validator(mode="after")
    def _only_a_switch_is_on(self) -> StoryTouch:
        if self.on is not None and not has_switch(self.tool):
            raise fault("This tool has no switch", place=("on",), value=self.tool)
        return self


class Story(Strict):
    """What happens to some contacts, and the facts of their account.

    Arguments: touches, those of one day in the order given; as_of, the day in whose evening it ends, by default that of
    the last touch; commitment and renewal of the subscription; access_since; tier.

    >>> fair = StoryTouch(day="2024-03-01", tool="import_single_object", asset="Fair", on=False)
    >>> newsletter = StoryTouch(day="2024-03-05", tool="hubspot_form", asset="Newsletter")
    >>> Story(touches=(fair, newsletter)).outcome().touches["rule"].tolist()
    ['switch off', 'upgrade']
    """

    touches: tuple[StoryTouch, ...] = Field(min_length=1)
    as_of: IsoDate | None = None
    commitment: Literal["yearly", "monthly"] = "yearly"
    renewal: IsoDate | None = None
    access_since: IsoDate | None = None
    tier: int | None = None

    @functools.cached_property
    def portal(self) -> Portal:
        """The account as its touches tell it: each switch is set in the moment of which it is said how it stood."""
        switches: dict[str, Any] = {}
        for moment, touch in zip(self._moments, self.touches, strict=True):
            change = {"from": moment, "switch": touch.on}
            if touch.on is None:
                continue
            if Rulebook.load().scope(touch.tool) == "account":
                switches.setdefault(touch.tool, []).append(change)
            else:
                switches.setdefault(touch.tool, {}).setdefault(touch.asset, []).append(change)
        subscription = Subscription(commitment=self.commitment, renewal=self.renewal, tier=self.tier)
        return Portal(access_since=self.access_since, subscription=subscription, switches=switches)

    def outcome(self, edition: dt.date | None = None) -> Outcome:
        """What the engine decides, by one edition or each touch by that of its day."""
        contacts, tools, assets = zip(*((each.contact, each.tool, each.asset) for each in self.touches), strict=True)
        batch = pd.DataFrame({"contact_id": contacts, "occurred_at": self._moments, "source": tools, "asset": assets})
        end = self.as_of or max(each.day for each in self.touches)
        return decide(batch, self.portal, edition=edition, as_of=dt.datetime.combine(end, _EVENING))

    @property
    def _moments(self) -> list[dt.datetime]:
        """When each thing happens: one second after the other, so that a switch may differ within a day."""
        mornings = (dt.datetime.combine(touch.day, _MORNING) for touch in self.touches)
        return [morning + dt.timedelta(seconds=number) for number, morning in enumerate(mornings)]

    @model_validator(mode="after")
    def _is_of_an_account(self) -> Story:
        try:
            _ = self.portal
        except MarketableError as wrong:
            raise fault(wrong.problem, value=wrong.value, expected=wrong.expected) from None
        return self


def has_switch(tool: str) -> bool:
    """Whether a tool has a switch in any edition; actions, and nothing, have none.

    >>> has_switch("chatflow"), has_switch("mobile_app"), has_switch("set_marketing")
    (True, False, False)
    """
    return tool in SOURCES and Rulebook.load().scope(tool) is not None


def delivered_on(tool: str, day: dt.date) -> bool:
    """Whether a tool's switch is on as HubSpot delivers it, by the edition of a day, or, where that knows no such
    switch, by the first one that does.

    >>> delivered_on("hubspot_form", dt.date(2024, 3, 1)), delivered_on("chatflow", dt.date(2024, 3, 1))
    (True, False)
    """
    rulebook = Rulebook.load()
    rules = [rulebook.on(each)[tool] for each in (day, *rulebook.editions)]
    return next(rule.default_on for rule in rules if rule.switch)


def told(touches: pd.DataFrame, contact: pd.Series) -> str:
    """What made a contact what it is, in one or two sentences: the last `steps`."""
    return " ".join(steps(touches, contact)[-2:])


def steps(touches: pd.DataFrame, contact: pd.Series) -> list[str]:
    """What happened to a contact, and what that did, each in a sentence with its own day.

    Arguments: touches, of `Outcome.why`; contact, its row of `Outcome.contacts`.
    """
    said = []
    if contact["decided_by"] == "access":  # nothing has changed it since
        said.append(in_short(str(contact["reason"])))
        touches = touches[touches["rule"] != "before access"]
    for at, rule, reason in zip(touches["occurred_at"], touches["rule"], touches["reason"], strict=True):
        if rule != "not counted":
            sentence = in_short(str(reason))
            said.append(f"On {words.day(at.date())}: {sentence[:1].lower()}{sentence[1:]}")
    return said


def in_short(reason: str) -> str:
    """A reason of the engine without its source, and how far to trust that.

    >>> in_short("Touched by an app: stays. Judged by the edition of 2024-02-14. Source: “A page”, read in 2024.")
    'Met by an app: stays.'
    """
    sentence = re.split(r" (?:Judged by|Source:) ", reason)[0]
    plain = _TRUST_NOTE.sub("", sentence).replace("Touched by", "Met by").replace("the edition of", "the article of")
    return words.dated(plain)
