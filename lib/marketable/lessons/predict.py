"""Predicting a status: rounds of contacts, made up case by case, each with what happened to it and what the engine says
it is.

The contacts of a round are those of one account, which has switches of each tool that are on and others that are off.
"""

from __future__ import annotations

import datetime as dt
import functools
import random
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import pandas as pd

from marketable.engine import Outcome, decide
from marketable.errors import DataError
from marketable.portal.portal import Portal, Subscription, split
from marketable.portal.update_dates import last_update_date
from marketable.rulebook import ACTIONS, MARKETING, NON_MARKETING, NOT_COVERED, SOURCES, Rulebook
from marketable.samples.touches import firm
from marketable.views import words

from .cases import SAME, Step, cases, kind_of, tools_of
from .deck import ROUND, Asked, Deck
from .story import told

_ACCESS = dt.date(2022, 3, 1)
_STATES = 3  # switches of a tool that are on, and as many that are off, where there are names for them
_A_ROUND, _MORE = 2, 6  # made-up contacts of a case: each round takes one or two
_SIFTED = 5  # times as many, where only those count that depend on an older rule
_TRIES = 2_000
_WEEKS = dt.timedelta(weeks=4)  # before an update date


@dataclass(frozen=True)
class Account:
    """An account to practise in: its settings, the day on which contacts are asked about, the day from which on the
    newest rules hold, and whether its update dates matter.
    """

    portal: Portal
    as_of: dt.date
    begins: dt.date
    has_requests: bool

    @property
    def update_date(self) -> dt.date:
        """The last one before the day that is asked about."""
        return last_update_date(self.as_of, self.portal.subscription)

    @functools.cached_property
    def assets(self) -> Mapping[str, tuple[str, ...]]:
        """The names of forms, apps, imports and chatflows, by tool."""
        listed = [split(name) for name in self.portal.switches]
        of_firm = [(row["source"], row.get("asset", "")) for row in firm()["touches"]]
        return {
            source: tuple(asset for tool, asset in listed if tool == source and asset)
            or tuple(dict.fromkeys(asset for tool, asset in of_firm if tool == source))
            for source in SOURCES
        }


def account_of(portal: Portal, chance: random.Random, chosen: Collection[str]) -> Account:
    """An account to practise some cases in: with the switches that a portal lists, and more where it has too few that
    are on or off. What the cases do not need is as simple as can be: an account that always had marketing contacts, and
    a yearly commitment.
    """
    steps = [step for case in chosen for step in cases()[case]]
    whens = {step.when for step in steps}
    since = None
    if "before access" in whens:  # with older rules in between, it must be as old as they are
        since = _ACCESS if "by another rule" in whens else portal.access_since or _ACCESS
    begins = max(Rulebook.load().newest.date + dt.timedelta(days=14), since or dt.date.min)
    as_of = dt.date(begins.year, begins.month, 1) + dt.timedelta(days=250 + chance.randrange(60))
    subscription = Subscription(commitment="yearly")
    has_requests = any(step.tool == "set_non_marketing" for step in steps)
    if has_requests and chance.randrange(2):
        subscription = Subscription(commitment="monthly", renewal=dt.date(2026, 1, 5 + chance.randrange(20)))
    portal = _with_enough_switches(portal, begins + dt.timedelta(days=60 + chance.randrange(60)))
    portal = portal.model_copy(update={"access_since": since, "subscription": subscription})
    after = (as_of - last_update_date(as_of, subscription)).days
    as_of += dt.timedelta(days=max(0, 10 - after))  # enough, for something to happen in between
    return Account(portal, as_of, begins, has_requests)


@dataclass(frozen=True)
class Card:
    """A contact to predict: its case and kind, its id, and what became of it, in `outcome`."""

    case: str
    contact_id: str
    account: Account
    outcome: Outcome

    @property
    def kind(self) -> str:
        """Under which progress counts it."""
        return kind_of(self.case)

    @functools.cached_property
    def contact(self) -> pd.Series:
        """Its row of `Outcome.contacts`."""
        return cast(pd.Series, self.outcome.contacts.loc[self.contact_id])

    @functools.cached_property
    def touches(self) -> pd.DataFrame:
        """What happened to it, as `Outcome.why` gives it."""
        return self.outcome.why(self.contact_id)

    @property
    def status(self) -> str:
        """The right answer."""
        return str(self.contact["status"])


class Cards:
    """Rounds of contacts that can be asked about.

    Arguments: portal, for the names and switches of the account; seed, for all that is drawn; chosen, names of cases;
    taught, the tools that may occur; rounds, how many are to be drawn.
    Attributes: account; outcome, what became of all contacts; asked, those that can be asked about.
    Raises: UnknownNameError for another case; DataError where a case cannot happen.

    >>> [card.status for card in Cards(Portal(), 1, ["fixed", "switch on"]).round({})].count("marketing") in (2, 3)
    True
    """

    def __init__(
        self,
        portal: Portal,
        seed: int | str,
        chosen: Sequence[str] = tuple(cases()),
        taught: Collection[str] = SOURCES,
        rounds: int = 1,
    ) -> None:
        for case in chosen:
            kind_of(case)
        self._chance = random.Random(f"predict/{seed}")
        self.account = account_of(portal, self._chance, chosen)
        drawing = _Drawing(self.account, taught, self._chance)
        older = {case for case in chosen if any(step.when == "by another rule" for step in cases()[case])}
        count = _A_ROUND * rounds + _MORE
        drawn = [
            (case, drawing.touches(case)) for case in chosen for _ in range(count * _SIFTED if case in older else count)
        ]
        batch = pd.DataFrame(
            [(str(number), *touch) for number, (_, touches) in enumerate(drawn) for touch in touches],
            columns=["contact_id", "occurred_at", "source", "asset"],
        )
        as_of, newest = dt.datetime.combine(self.account.as_of, dt.time(12)), Rulebook.load().newest.date
        self.outcome = outcome = decide(batch, self.account.portal, as_of=as_of)
        by_newest = decide(batch, self.account.portal, as_of=as_of, edition=newest) if older else outcome
        statuses = [each.contacts["status"].astype("str").to_dict() for each in (outcome, by_newest)]
        read_twice = outcome.read_twice.to_dict()
        self.asked = []
        for contact, (case, touches) in enumerate(drawn):
            status, otherwise = (each[str(contact)] for each in statuses)
            wanted = status not in (otherwise, NOT_COVERED) if case in older else status == otherwise
            if wanted and not read_twice[str(contact)]:
                marketing = {MARKETING: True, NON_MARKETING: False}.get(status)
                self.asked.append(Asked(case, str(contact), status, marketing, _seen(touches)))
        self._deck = Deck(self.asked, self._chance)

    def card(self, asked: Asked) -> Card:
        """The contact that is asked about."""
        return Card(asked.kind, asked.id, self.account, self.outcome)

    def round(self, weights: Mapping[str, float], length: int = ROUND) -> list[Card]:
        """The next contacts: see `Deck.round`."""
        return [self.card(each) for each in self._deck.round(weights, length)]


Touched = tuple[dt.datetime, str, str]


class _Drawing:
    """Draws what happens to a contact of a case, in an account, by the tools that were taught."""

    def __init__(self, account: Account, taught: Collection[str], chance: random.Random) -> None:
        self._account, self._chance = account, chance
        groups = {step.tool for steps in cases().values() for step in steps}
        self._tools = {group: tools_of(group, taught) for group in groups}
        portal, update = account.portal, account.update_date
        first = portal.access_since or Rulebook.load().editions[0]
        self._windows = {
            None: (account.begins, update - _WEEKS),
            "before access": (first - dt.timedelta(days=400), first),
            "by another rule": (first, Rulebook.load().newest.date),
            "before the update date": (update - _WEEKS, update),
            "since the update date": (update, account.as_of),
        }

    def touches(self, case: str) -> tuple[Touched, ...]:
        """What happens."""
        for _ in range(_TRIES):
            touched: list[Touched] = []
            steps = cases()[case]
            for step, after in zip(steps, (*steps[1:], None), strict=True):
                found = self._touch(step, touched, turned=after is not None and after.tool == SAME)
                if found is None:
                    break
                touched.append(found)
            else:
                return tuple(touched)
        raise DataError("Such a contact cannot be made up for this account", value=case)

    def _touch(self, step: Step, before: list[Touched], *, turned: bool) -> Touched | None:
        """A touch that comes after those before, by something that was not among them; or None. Arguments: turned,
        whether its switch must be one that is turned some day.
        """
        switches = self._account.portal.switches
        first, last = self._windows[step.when]
        day = first + dt.timedelta(self._chance.randrange((last - first).days))
        at = dt.datetime.combine(day, dt.time(8 + self._chance.randrange(10), self._chance.randrange(60)))
        if before and day <= before[-1][0].date():
            return None
        if step.tool == SAME:
            source, asset = before[-1][1:]
        elif not self._tools[step.tool]:
            return None
        else:
            source = self._chance.choice(self._tools[step.tool])
            assets = self._account.assets.get(source, ("",))
            if turned:
                assets = tuple(each for each in assets if len(switches[f"{source}/{each}"]) > 1)
            asset = self._chance.choice(assets)
            if (source, asset) in {each[1:] for each in before}:
                return None
        switch = switch_of(source, asset, at)
        if switch and step.on is not None:
            told = self._account.portal.is_on(switch, at)
            is_on = Rulebook.load().on(at.date())[source].default_on if told is None else told
            return (at, source, asset) if is_on == step.on else None
        return at, source, asset


def why(card: Card) -> str:
    """What the status rests on, in one or two sentences with the contact's own days."""
    said = told(card.touches, card.contact)
    then = Rulebook.load().edition_on(card.touches["occurred_at"].iloc[0].date())
    return said + (f" So the article said on {words.day(then)}." if card.kind == "edition" else "")


def portal_says(portal: Portal, switch: str) -> str:
    """What a portal says of a switch: on, off, its history, or that it is not listed.

    >>> portal = Portal(switches={"integration": {"Shop": [{"from": "2024-03-10", "switch": "on"}]}})
    >>> portal_says(portal, "integration/Shop"), portal_says(portal, "integration/Zoom")
    ('on from 2024-03-10', 'not listed')
    """
    history = portal.switches.get(switch, ())
    says = [("on" if on else "off") + (f" from {since:%Y-%m-%d}" if since else "") for since, on in history]
    return ", ".join(says) or "not listed"


def switch_of(source: str, asset: str, at: dt.datetime) -> str | None:
    """The name of the switch that a touch meets on its day, or None where its tool has none.

    >>> switch_of("non_hubspot_form", "Old shop", pd.Timestamp("2024-03-01"))
    'non_hubspot_form'
    """
    edition = Rulebook.load().on(at.date())
    return edition[source].switch_name(asset) if source in edition else None


def _with_enough_switches(portal: Portal, day: dt.date) -> Portal:
    """A portal that lists more switches that are on and off, and an app whose switch is turned on that day."""
    flips: dict[str, bool] = {}
    turned = "integration/Zoom"
    for row in firm()["touches"]:
        source, name = row["source"], f"{row['source']}/{row.get('asset', '')}"
        if source in ACTIONS or Rulebook.load().scope(source) != "asset" or name in {*portal.switches, turned}:
            continue
        latest = {other: history[-1].on for other, history in portal.switches.items()} | flips
        states = [on for other, on in latest.items() if split(other)[0] == source]
        on = states.count(True) < states.count(False)
        if states.count(on) < _STATES:
            flips[name] = on
    return portal.with_switches({**flips, turned: False}).with_switches({turned: (day, True)})


def _seen(touches: Sequence[Touched]) -> tuple[tuple[dt.date, str, str], ...]:
    """What was touched, and by which rules: of days only that is seen."""
    edition_on = Rulebook.load().edition_on
    return tuple((edition_on(at.date()), source, asset) for at, source, asset in touches)
