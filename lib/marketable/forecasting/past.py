"""What an account's own data say: how many contacts were marketing on each day, who waits, and how many became
marketing by forms, chats and apps, under any setting of the switches.

Of touches the past is exact: it is what `decide` says on each day. An export tells of today only: there the past is
that of the contacts which are marketing now, and who stopped being it before is not in it.
"""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from marketable.auditing.audit import Audit
from marketable.engine import decide
from marketable.engine.frames import in_memory
from marketable.errors import DataError
from marketable.portal.portal import Portal
from marketable.rulebook import MARKETING

from .lives import FEWEST_IN_BULK, IMPORTS, Lives, in_bulk, lives

EPOCH = dt.date(1970, 1, 1)
States = Mapping[str, bool]


@dataclass(frozen=True, eq=False)
class Past:
    """An account up to today.

    `first` and `today`; by day from the first to today: `marketing` and `waiting`; `due`, how many of those who wait
    stop counting on which day to come; `contacts`, how many there are; `states`, whether the switches that touches
    asked are on now. `joined(states)`: by day, who became marketing by forms, chats, apps, meetings and people at
    work, had these switches been so from the beginning; `left`: by day, who was set as non-marketing by people at work.
    `events`: what imports and bulk actions did, a row each: day, what, contacts. `people()`: by contact_id, whether it
    is marketing and whether it waits. `audit`, where an export tells of the account. `notes`: what to know about it.
    """

    first: dt.date
    today: dt.date
    marketing: np.ndarray
    waiting: np.ndarray
    due: Mapping[dt.date, int]
    contacts: int
    states: States
    joined: Callable[[States], np.ndarray]
    left: np.ndarray
    events: pd.DataFrame
    people: Callable[[], pd.DataFrame]
    audit: Audit | None = None
    notes: tuple[str, ...] = ()

    @property
    def days(self) -> pd.DatetimeIndex:
        """The days from the first to today."""
        return pd.date_range(self.first, self.today, name="day", unit="us")


def past_of_touches(touches: object, portal: Portal) -> Past:
    """The past of a batch. Raises: what `decide` raises, and DataError where there is no touch."""
    frame = in_memory(touches)
    found = lives(frame, portal)
    if found.today < found.first:
        raise DataError("There is nothing to forecast: no touch could be used")
    length = found.today - found.first + 1
    joined, left = found.joined(found.slots.own), found.left()
    begins, ends = found.waits()
    today = _day(found.today)
    pending = ends[ends > found.today]
    dues, many = np.unique(pending, return_counts=True)
    by_hand = ~left.by_event & (left.asked <= found.today)

    def people() -> pd.DataFrame:
        contacts = decide(frame, portal).contacts
        is_marketing = contacts["status"].eq(MARKETING)
        people = pd.DataFrame({"marketing": is_marketing, "waiting": contacts["waiting"] & is_marketing})
        return people.set_axis(people.index.astype("str"))

    return Past(
        first=_day(found.first),
        today=today,
        marketing=np.cumsum(_by_day(joined.day, found) - _by_day(left.day, found)),
        waiting=np.cumsum(_by_day(begins, found) - _by_day(ends, found)),
        due={_day(int(day)): int(number) for day, number in zip(dues, many, strict=True)},
        contacts=found.contacts,
        states=found.states,
        joined=_joined_by(found),
        left=np.bincount(left.asked[by_hand] - found.first, minlength=length),
        events=_events(found),
        people=functools.cache(people),
    )


def past_of_audit(audit: Audit) -> Past:
    """The past of an export, as HubSpot's own statuses tell it. Who is marketing now is so since the day that the rules
    give, under the switches as the statuses show them; where these do not explain it, since it was created.
    """
    likely = audit.decided
    is_marketing = audit.contacts["actual"].eq(MARKETING)
    since = likely["since"].where(likely["status"].eq(MARKETING), likely["created_at"])[is_marketing]
    today = audit.as_of.date()
    last = (today - EPOCH).days
    days = np.minimum(since.to_numpy("datetime64[D]").view(np.int64), last)
    created = np.minimum(likely["created_at"].to_numpy("datetime64[D]").view(np.int64), last)
    first = int(min(created.min(), days.min(initial=last)))
    source = audit.contacts["source"].astype("str")[is_marketing]
    what = likely["decided_by"].astype("str")[is_marketing].where(likely["status"][is_marketing].eq(MARKETING), source)
    by_event = what.str.partition("/")[0].isin(IMPORTS).to_numpy() | _in_bulk(what, days - first)
    joined_now: np.ndarray = np.bincount(days[~by_event] - first, minlength=last - first + 1)
    rules = lives(audit.export.touches, audit.portal)
    by_rules, length = _joined_by(rules), last - first + 1

    def aligned(counts: np.ndarray) -> np.ndarray:
        placed = np.zeros(length, dtype=np.int64)
        offset = rules.first - first
        inside = np.arange(len(counts)) + offset
        keep = (inside >= 0) & (inside < length)
        placed[inside[keep]] = counts[keep]
        return placed

    @functools.cache
    def joined_by_rules() -> np.ndarray:
        return by_rules(rules.states)

    def joined(states: States) -> np.ndarray:
        """What HubSpot's statuses show, and for other switches the difference that these make by the rules."""
        if all(rules.states.get(name) == on for name, on in states.items()):
            return joined_now
        joined: np.ndarray = np.maximum(joined_now + aligned(by_rules(states) - joined_by_rules()), 0)
        return joined

    def people() -> pd.DataFrame:
        waiting = audit.export.contacts["waiting"] & is_marketing
        return pd.DataFrame({"marketing": is_marketing, "waiting": waiting})

    marketing = np.cumsum(np.bincount(days - first, minlength=length))
    waiting = np.zeros(length, dtype=np.int64)
    waiting[-1] = audit.waiting
    day_of = pd.Series(days[by_event], dtype="int64")
    table = pd.DataFrame({"day": day_of, "what": what.to_numpy()[by_event]})
    note = "An export tells who is marketing now. Who stopped being it before is not in the past that is shown."
    return Past(
        first=_day(first),
        today=today,
        marketing=marketing,
        waiting=waiting,
        due={audit.update_date: audit.waiting} if audit.waiting else {},
        contacts=len(audit.contacts),
        states=rules.states,
        joined=joined,
        left=np.zeros(length, dtype=np.int64),
        events=_counted(table),
        people=functools.cache(people),
        audit=audit,
        notes=(note,),
    )


def _joined_by(found: Lives) -> Callable[[States], np.ndarray]:
    def joined(states: States) -> np.ndarray:
        who = found.joined(found.setting(states))
        return _by_day(who.day[~who.by_event], found)

    return joined


def _by_day(days: np.ndarray, found: Lives) -> np.ndarray:
    some = days[days <= found.today] - found.first
    return np.bincount(np.maximum(some, 0), minlength=found.today - found.first + 1)


def _events(found: Lives) -> pd.DataFrame:
    joined, left = found.joined(found.slots.own), found.left()
    names = ["/".join(filter(None, pair)) for pair in found.pairs]
    what = [names[number] for number in joined.pair[joined.by_event]]
    in_bulk = left.by_event & (left.asked <= found.today)
    table = pd.DataFrame(
        {
            "day": np.concatenate([joined.day[joined.by_event], left.asked[in_bulk]]),
            "what": [*what, *["set_non_marketing"] * int(in_bulk.sum())],
        }
    )
    return _counted(table)


def _counted(table: pd.DataFrame) -> pd.DataFrame:
    """What happened on each day: day, what, contacts."""
    counted = table.groupby(["day", "what"], sort=True).size().rename("contacts").reset_index()
    counted["day"] = pd.to_datetime(counted["day"].astype("int64"), unit="D").astype("datetime64[us]")
    return counted


def _in_bulk(what: pd.Series, days: np.ndarray) -> np.ndarray:
    """Whether so many contacts became marketing by the same on a day as on no usual day."""
    bulk = np.zeros(len(days), dtype=bool)
    for name, theirs in what.groupby(what).indices.items():
        source = str(name).partition("/")[0]
        if source in FEWEST_IN_BULK:
            bulk[theirs] = in_bulk(source, days[theirs])
    return bulk


def _day(number: int) -> dt.date:
    return EPOCH + dt.timedelta(number)
