"""What an export tells about the switches: the statuses beside what reached their contacts, what follows for each
switch, and how that is said.
"""

from __future__ import annotations

import datetime as dt
import itertools
from dataclasses import dataclass

import numpy as np
import pandas as pd

from marketable.engine.moments import EARLIEST
from marketable.engine.reach import reach
from marketable.errors import DataError
from marketable.exports import Export
from marketable.portal.portal import Portal, split
from marketable.rulebook import MARKETING, Rulebook

from .causes import apart, recorded
from .histories import Steps, told_by
from .inference import Inferred, Statuses, gather, infer, within
from .places import places
from .witnesses import FEWEST, Witnesses

_COLUMNS = (
    "source", "asset", "portal", "looks", "differs", "since", "earliest", "latest", "contacts", "marketing", "evidence",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Evidence:
    """`switches`: a row for each switch that touches of the export asked (see `Audit.switches`). `portal`: the portal
    as the statuses say it was. `access_seen`: the day before which nothing counted, where the portal names none and
    the statuses show one. `rates`: see `Inferred`. By contact in the order of the export, `recorded`: what is recorded
    of its status; `unnamed`: whether a form, chatflow, app or import reached it whose name the export does not tell;
    `place`: its place in the order of an outcome.
    """

    switches: pd.DataFrame
    portal: Portal
    access_seen: dt.date | None
    rates: tuple[float, float, float]
    recorded: pd.DataFrame
    unnamed: np.ndarray
    place: np.ndarray

    def as_exported(self, outcome: pd.DataFrame) -> pd.DataFrame:
        """What `decide` says of the contacts, in the order of the export."""
        return outcome.take(self.place).set_axis(self.recorded.index)


def evidence(export: Export, portal: Portal, edition: str | dt.date | None = None) -> Evidence:
    """What the statuses of an export say about the switches. Whose recorded cause is no switch says nothing of one.

    Arguments: portal, what the account says about itself; edition, the one to judge by, as for `decide`.
    """
    found = reach(export.touches, portal, edition=edition)
    order = places(pd.Index(found.contact_id), export.contacts.index)
    if len(order) != len(export.contacts) or (order < 0).any():
        advice = "Keep of both only what is of the same contacts."
        raise DataError("The export's contacts and its touches are not of the same people", advice=advice)
    contacts = export.contacts.iloc[order]
    told = recorded(export, portal.time_zone)
    marketing = contacts["status"].eq(MARKETING).to_numpy()
    found, says = apart(found, told.iloc[order], marketing)
    unnamed: np.ndarray = np.zeros(len(found.contact_id), dtype=bool)
    unnamed[found.contact[np.append(found.unnamed, False)[found.switch]]] = True
    statuses = within(
        Statuses(
            found,
            marketing,
            ~found.covered
            | unnamed
            | contacts["source"].isin(Rulebook.load().ticked).to_numpy()
            | (contacts["certainty"].eq("ambiguous") & contacts["source"].eq("team_email")).to_numpy(),
        ),
        contacts["status"].notna().to_numpy() & says,
    )
    said = [told_by(portal, switch, edition) for switch in found.switches]
    inferred = infer(statuses, said, access_known=portal.access_since is not None)
    frame = _switches(statuses, inferred)
    histories = {found.switches[number]: inferred.steps[number].history() for number in inferred.differing}
    access = None if inferred.access == EARLIEST else pd.Timestamp(inferred.access, unit="us").date()
    changed = {"switches": {**portal.switches, **histories}, "access_since": portal.access_since or access}
    place = np.argsort(order)
    return Evidence(frame, portal.model_copy(update=changed), access, inferred.rates, told, unnamed[place], place)


def _switches(statuses: Statuses, inferred: Inferred) -> pd.DataFrame:
    """What each switch seems to have been, with the evidence."""
    rows = {}
    for number in np.flatnonzero(~statuses.reach.unnamed):
        name, steps, told = statuses.reach.switches[number], inferred.steps[number], inferred.told[number]
        witnesses, contact = gather(statuses, inferred, int(number))
        source, asset = split(name)
        periods = _periods(steps, witnesses, statuses.marketing[contact])
        ranges = {int(at): witnesses.spread(steps, n) for n, at in enumerate(steps.starts) if at in steps.own(told)}
        differs = steps != told
        enough = differs or len(contact) >= FEWEST
        contacts, marketing = periods[-1]
        earliest, latest = ranges.get(int(steps.starts[-1]), (EARLIEST, EARLIEST))
        rows[name] = (
            source, asset or "", str(told), str(steps) if enough else "", differs,
            _time(int(steps.starts[-1])), _time(earliest), _time(latest), contacts, marketing,
            _told(steps, periods, ranges) if enough else _too_few(len(contact)),
        )  # fmt: skip
    frame = pd.DataFrame.from_dict(rows, orient="index", columns=list(_COLUMNS)).rename_axis("switch")
    kinds = {"differs": "bool", "contacts": "int64", "marketing": "int64"}
    frame = frame.astype(kinds | dict.fromkeys(("since", "earliest", "latest"), "datetime64[us]"))
    return frame.sort_values(["differs", "contacts"], ascending=False, kind="stable")


def _periods(steps: Steps, witnesses: Witnesses, marketing: np.ndarray) -> list[tuple[int, int]]:
    """By period of a switch: its contacts, and how many of them are marketing. A contact is of the last period in which
    the switch was on as it touched it, else of the last in which it touched it at all.
    """
    if not len(marketing):
        return [(0, 0)] * len(steps.starts)
    period = np.searchsorted(steps.starts, witnesses.at, side="right") - 1
    last = np.maximum.reduceat(period, witnesses.starts)
    last_on = np.maximum.reduceat(np.where(steps.on[period], period, -1), witnesses.starts)
    of_contact = np.where(last_on >= 0, last_on, last)
    count = np.bincount(of_contact, minlength=len(steps.starts))
    made = np.bincount(of_contact, marketing, minlength=len(steps.starts))
    return [(int(contacts), int(number)) for contacts, number in zip(count, made, strict=True)]


def _told(steps: Steps, periods: list[tuple[int, int]], ranges: dict[int, tuple[int, int]]) -> str:
    """The evidence in words: of each period, the last one first, and when the changes were that the portal does not
    tell.
    """
    days = [_day(int(at)) for at in steps.starts[1:]]
    between = [f" between {begins} and {ends}" for begins, ends in itertools.pairwise(days)]
    before = " before" if len(days) == 1 else f" before {min(days, default='')}"
    whens = [before, *between, f" since {days[-1]}"] if days else [""]
    sentences: list[str] = []
    for number in range(len(periods) - 1, -1, -1):
        contacts, marketing = periods[number]
        who = "" if sentences else " contacts that only this switch could have made marketing"
        if contacts:
            share = f"{marketing:,} ({marketing / contacts:.0%})"
            sentences.append(
                f"Of the {contacts:,}{who}{whens[number]}, {share} are{'' if sentences else ' marketing'}."
            )
    for at, (earliest, latest) in reversed(ranges.items()):
        which = "The change" if len(steps.starts) == 2 else f"The change on {_day(at)}"
        after = f"between {_day(earliest)} and" if earliest != EARLIEST else "until"
        sentences.append(f"{which} probably lies {after} {_day(latest)}.")
    return " ".join(sentences)


def _too_few(contacts: int) -> str:
    if not contacts:
        return (
            "No contact shows it: others, too, could have made them marketing contacts, or did so as HubSpot recorded, "
            "or the rules do not say."
        )
    return f"Too few contacts show it: {contacts}."


def _time(moment: int) -> pd.Timestamp | None:
    return None if moment == EARLIEST else pd.Timestamp(moment, unit="us")


def _day(moment: int) -> str:
    return f"{pd.Timestamp(moment, unit='us'):%Y-%m-%d}"
