"""What actions do to the count, apart from the flow: steps up and down with their days, waits, and switches turned."""

from __future__ import annotations

import datetime as dt
import functools
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from marketable.errors import DataError, UnknownNameError, nearest
from marketable.portal.portal import Portal
from marketable.portal.update_dates import update_date_after
from marketable.reading.rows import no_column
from marketable.reading.tables import read_table

from .actions import Action
from .past import Past

_FAR = dt.date.max.toordinal()  # they do not stop


class Changed(NamedTuple):
    """The contacts that an action names: their places in `Past.people`, whether each was marketing, what they are made,
    and the day from which that counts.
    """

    action: str
    places: np.ndarray
    was: np.ndarray
    after: str
    day: dt.date


@dataclass
class Effects:
    """`steps`: by day, how many more (or fewer) are marketing from then on. `waits`: by (first day, update date), how
    many wait. `turns`: (day, switch, on), in order. `notes`: what to know about it. `changed`: whom actions name.
    """

    steps: Counter[dt.date] = field(default_factory=Counter)
    waits: Counter[tuple[dt.date, dt.date]] = field(default_factory=Counter)
    turns: list[tuple[dt.date, str, bool]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    changed: list[Changed] = field(default_factory=list)


def planned_turns(portal: Portal, past: Past) -> list[tuple[dt.date, str, bool]]:
    """The changes of switches that the portal has on days to come."""
    return [
        (change.since.date(), name, change.on)
        for name, history in portal.switches.items()
        for change in history
        if change.since is not None and change.since.date() > past.today
    ]


def effects(actions: Iterable[Action], past: Past, portal: Portal, until: dt.date) -> Effects:
    """What the actions do, one after the other.

    Raises: DataError for a day that is over or lies behind the end, for more contacts than there are, and for contacts
    none of which there is; UnknownNameError for a switch that there is not.
    """
    found = Effects()
    for due, many in past.due.items():
        found.steps[due] -= many
    people = _People(past, portal, found)
    for action in actions:
        if not past.today <= action.on < until:
            problem = "This day is over" if action.on < past.today else "This day lies behind the end of the forecast"
            expected = f"a day from {past.today}, the last one that the data tell of, and before {until}"
            raise DataError(f"{problem}: {action}", value=str(action.on), expected=expected)
        day = max(action.on, past.today + dt.timedelta(days=1))
        if action.switch is not None:
            names = {*past.states, *portal.switches}
            if action.switch not in names:
                near = nearest(action.switch, sorted(names))
                raise UnknownNameError("There is no such switch", value=action.switch, nearest=near)
            found.turns.append((day, action.switch, bool(action.turn)))
            if action.switch not in past.states:
                found.notes.append(f"No touch in the data asked {action.switch}, so turning it changes nothing here.")
        elif action.imported is not None:
            people.imported(action, day)
        elif action.set_marketing is not None:
            people.set_marketing(action, day)
        else:
            people.set_non_marketing(action, day)
    return found


class _People:
    """Who is marketing, as far as actions change it. Numbers of contacts are counted, ids are looked up."""

    def __init__(self, past: Past, portal: Portal, found: Effects) -> None:
        self.past, self.subscription, self.found = past, portal.subscription, found
        self.marketing = int(past.marketing[-1]) - sum(past.due.values())  # and not waiting
        self.others = past.contacts - int(past.marketing[-1])

    @functools.cached_property
    def ends(self) -> np.ndarray:
        """By contact the day, as a number, on which it stops being marketing; 0 where it is not."""
        people = self.past.people()
        waits = next(iter(self.past.due), dt.date.max).toordinal()
        return np.where(people["marketing"], np.where(people["waiting"], waits, _FAR), 0)

    def imported(self, action: Action, day: dt.date) -> None:
        existing, imported = action.existing or 0, action.imported or 0
        if existing > self.past.contacts:
            raise DataError(
                f"More contacts should exist than there are: {action}", value=existing,
                expected=f"at most {self.past.contacts:,}",
            )  # fmt: skip
        if not action.tick:
            self.others += imported - existing
            return
        # Nobody says which of the existing ones they are: as many are non-marketing as of all.
        upgraded = min(round(existing * self.others / max(self.marketing + self.others, 1)), self.others)
        self.found.steps[day] += imported - existing + upgraded
        self.marketing += imported - existing + upgraded
        self.others -= upgraded
        if existing:
            text = (
                f"Of the {existing:,} that exist, {upgraded:,} are expected not to be marketing yet: as many as of all."
            )
            self.found.notes.append(f"{action}. {text}")

    def set_marketing(self, action: Action, day: dt.date) -> None:
        whom = action.set_marketing
        if isinstance(whom, int):
            self._enough(whom, self.others, action, "that are not marketing")
            self.found.steps[day] += whom
            self.others, self.marketing = self.others - whom, self.marketing + whom
            return
        chosen = self._chosen(whom or (), action)
        ends, now = self.ends[chosen], action.on.toordinal()
        new, waiting = ends <= now, (ends > now) & (ends < _FAR)
        self.found.steps[day] += int(new.sum())
        for end, many in zip(*np.unique(ends[waiting], return_counts=True), strict=True):  # who waited is kept
            due = dt.date.fromordinal(int(end))
            self.found.steps[due] += int(many)
            self.found.waits[day, due] -= int(many)
        self.others, self.marketing = self.others - int(new.sum()), self.marketing + int((new | waiting).sum())
        self._note(action, chosen[new | waiting], "marketing", day)
        self.ends[chosen] = _FAR

    def set_non_marketing(self, action: Action, day: dt.date) -> None:
        due, whom = update_date_after(action.on, self.subscription), action.set_non_marketing
        if isinstance(whom, int):
            self._enough(whom, self.marketing, action, "that are marketing and do not wait already")
            many = whom
        else:
            named = self._chosen(whom or (), action)
            chosen = named[self.ends[named] == _FAR]
            if len(chosen) < len(named):
                others = f"{len(named) - len(chosen):,} of these {len(named):,} contacts"
                self.found.notes.append(f"{action}. {others} are not marketing, or wait already.")
            self._note(action, chosen, "non-marketing", due)
            self.ends[chosen] = due.toordinal()
            many = len(chosen)
        self.found.steps[due] -= many
        self.found.waits[day, due] += many
        self.marketing -= many
        self.others += many  # they may be made marketing again

    def _chosen(self, whom: tuple[str, ...], action: Action) -> np.ndarray:
        """The places, in `people`, of the contacts that are named and that there are, each once."""
        audit, index = self.past.audit, self.past.people().index
        names: list[str] = []
        for name in whom:
            if name.lower().endswith(".csv"):
                names += _ids_in(Path(name))
            elif audit is not None and name in audit.groups.index:
                listed = audit.ids(name, addresses=True)
                names += listed["Record ID"].where(listed["Record ID"] != "", listed["Email"]).tolist()
            else:
                names.append(name.strip())
        names = list(dict.fromkeys(names))
        places = index.get_indexer(pd.Index(names))
        known = places >= 0
        if not known.any():
            groups = [] if audit is None else list(audit.groups.index)
            near = nearest(names[0], groups) if names else None
            expected = "ids of contacts in the data" + (f", or a group: {', '.join(groups)}" if groups else "")
            raise DataError(
                f"None of these contacts is in the data: {action}", value=names[0] if names else None,
                expected=expected, nearest=near,
            )  # fmt: skip
        if not known.all():
            self.found.notes.append(f"{action}. {int((~known).sum()):,} of {len(names):,} ids are not in the data.")
        return np.asarray(places[known])

    def _note(self, action: Action, chosen: np.ndarray, after: str, day: dt.date) -> None:
        was = self.ends[chosen] > action.on.toordinal()
        self.found.changed.append(Changed(str(action), chosen, was, after, day))

    def _enough(self, many: int, there: int, action: Action, which: str) -> None:
        if many > there:
            raise DataError(
                f"There are not so many contacts {which}: {action}", value=many, expected=f"at most {there:,}"
            )


def _ids_in(path: Path) -> Iterator[str]:
    frame = read_table(path).frame
    for name in ("Record ID", "contact_id", "hs_object_id"):
        if name in frame:
            yield from (each.strip() for each in frame[name] if each.strip())
            return
    raise no_column("Record ID", frame, path, "a column Record ID with the ids of contacts")
