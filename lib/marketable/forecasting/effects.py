"""What actions do to the count, apart from the flow: steps up and down with their days, waits, and switches turned."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from marketable.errors import DataError, UnknownNameError, nearest
from marketable.portal.portal import Portal
from marketable.portal.update_dates import update_date_after
from marketable.reading.table import no_column
from marketable.reading.tables import read_table

from .actions import Action
from .past import Past

_FAR = dt.date.max


@dataclass
class Effects:
    """`steps`: by day, how many more (or fewer) are marketing from then on. `waits`: by (first day, update date), how
    many wait. `turns`: (day, switch, on), in order. `notes`: what to know about it. `changed`: by contact_id, what an
    action that names contacts makes of them: action, before, after, counts_from.
    """

    steps: Counter[dt.date] = field(default_factory=Counter)
    waits: Counter[tuple[dt.date, dt.date]] = field(default_factory=Counter)
    turns: list[tuple[dt.date, str, bool]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    changed: list[pd.DataFrame] = field(default_factory=list)


def planned_turns(portal: Portal, past: Past) -> list[tuple[dt.date, str, bool]]:
    """The changes of switches that the portal has on days to come."""
    turns = [
        (change.since.date(), name, change.on)
        for name, history in portal.switches.items()
        for change in history
        if change.since is not None and change.since.date() > past.today
    ]
    return sorted(turns, key=lambda turn: turn[0])


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
            _known(action.switch, past, portal)
            found.turns.append((day, action.switch, bool(action.turn)))
            if action.switch not in past.states:
                found.notes.append(f"No touch in the data asked {action.switch}, so turning it changes nothing here.")
        elif action.imported is not None:
            people.imported(action, day)
        elif action.set_marketing is not None:
            people.set_marketing(action, day)
        else:
            people.set_non_marketing(action)
    return found


class _People:
    """Who is marketing, as far as actions change it. Numbers of contacts are counted, ids are looked up."""

    def __init__(self, past: Past, portal: Portal, found: Effects) -> None:
        self.past, self.subscription, self.found = past, portal.subscription, found
        self.marketing = int(past.marketing[-1]) - sum(past.due.values())  # and not waiting
        self.others = past.contacts - int(past.marketing[-1])
        self.ends: dict[str, dt.date] = {}  # by contact: when it stops being marketing, as actions have it
        self.starts: set[str] = set()

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
        ids = self._ids(whom or (), action)
        for contact in ids:
            ends = self._ends(contact)
            if ends is None or ends <= action.on:
                self.found.steps[day] += 1
                self.others, self.marketing = self.others - 1, self.marketing + 1
            elif ends < _FAR:  # it waited, and is kept
                self.found.steps[ends] += 1
                self.found.waits[day, ends] -= 1
                self.marketing += 1
            self.ends[contact] = _FAR
        self._note(action, ids, "marketing", day)

    def set_non_marketing(self, action: Action) -> None:
        due, whom = update_date_after(action.on, self.subscription), action.set_non_marketing
        if isinstance(whom, int):
            self._enough(whom, self.marketing, action, "that are marketing and do not wait already")
            many = whom
        else:
            ids = self._ids(whom or (), action)
            chosen = [contact for contact in ids if self._ends(contact) == _FAR]
            if len(chosen) < len(ids):
                others = f"{len(ids) - len(chosen):,} of these {len(ids):,} contacts"
                self.found.notes.append(f"{action}. {others} are not marketing, or wait already.")
            self.ends |= dict.fromkeys(chosen, due)
            self._note(action, chosen, "non-marketing", due)
            many = len(chosen)
        self.found.steps[due] -= many
        self.found.waits[max(action.on, self.past.today + dt.timedelta(days=1)), due] += many
        self.marketing -= many
        self.others += many  # they may be made marketing again

    def _ends(self, contact: str) -> dt.date | None:
        """When a contact stops being marketing; None where it is not marketing."""
        if contact in self.ends:
            return self.ends[contact]
        people = self.past.people()
        if not bool(people.at[contact, "marketing"]):
            return None
        return next(iter(self.past.due), _FAR) if bool(people.at[contact, "waiting"]) else _FAR

    def _ids(self, whom: tuple[str, ...], action: Action) -> list[str]:
        """The contacts that are named and that there are, each once."""
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
        known = index.get_indexer(pd.Index(names)) >= 0
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
        return [name for name, is_known in zip(names, known, strict=True) if is_known]

    def _note(self, action: Action, ids: list[str], after: str, day: dt.date) -> None:
        marketing = self.past.people()["marketing"].reindex(ids)
        before = np.where(marketing, "marketing", "non-marketing")
        columns = {"action": str(action), "before": before, "after": after, "from": pd.Timestamp(day)}
        self.found.changed.append(pd.DataFrame(columns, index=pd.Index(ids, name="contact_id", dtype="str")))

    def _enough(self, many: int, there: int, action: Action, which: str) -> None:
        if many > there:
            raise DataError(
                f"There are not so many contacts {which}: {action}", value=many, expected=f"at most {there:,}"
            )


def _known(switch: str, past: Past, portal: Portal) -> None:
    names = sorted({*past.states, *portal.switches})
    if switch not in names:
        near = nearest(switch, names)
        raise UnknownNameError("There is no such switch", value=switch, nearest=near)


def _ids_in(path: Path) -> Iterator[str]:
    frame = read_table(path).frame
    for name in ("Record ID", "contact_id", "hs_object_id"):
        if name in frame:
            yield from (each.strip() for each in frame[name] if each.strip())
            return
    raise no_column("Record ID", frame, path, "a column Record ID with the ids of contacts")
