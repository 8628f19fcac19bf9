"""What an export tells about the switches: the statuses beside what reached their contacts, what follows for each
switch, and how that is said.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ...engine.moments import EARLIEST
from ...engine.reach import Reach, reach
from ...inputs.exports import Export
from ...inputs.portal import Portal, split
from ...rulebook import MARKETING
from .histories import Steps, told_by
from .inference import FEWEST, Inferred, Statuses, gather, infer, within

_COLUMNS = (
    "source", "asset", "portal", "looks", "differs", "since", "earliest", "latest", "contacts", "marketing", "evidence",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Evidence:
    """`switches`: a row for each switch that touches of the export asked (see `Audit.switches`). `portal`: the portal
    as the statuses say it was. `access_seen`: the day before which nothing counted, where the portal names none and
    the statuses show one. `unnamed`: contacts, by contact_id, whom a form, chatflow, app or import reached whose name
    the export does not tell. `rates`: see `Inferred`.
    """

    switches: pd.DataFrame
    portal: Portal
    access_seen: dt.date | None
    unnamed: pd.Series[bool]
    rates: tuple[float, float, float]


def evidence(export: Export, portal: Portal, edition: str | dt.date | None = None) -> Evidence:
    """What the statuses of an export say about the switches.

    Arguments: portal, what the account says about itself; edition, the one to judge by, as for `decide`.
    """
    found = reach(export.touches, portal, edition=edition)
    contacts = export.contacts.reindex(found.contact_id)
    unnamed = _unnamed(found)
    statuses = within(
        Statuses(
            found,
            contacts["status"].eq(MARKETING).to_numpy(),
            ~found.covered | unnamed | contacts["certainty"].eq("ambiguous").to_numpy() & _chats(contacts),
        ),
        contacts["status"].notna().to_numpy(),
    )
    told = [told_by(portal, switch) for switch in found.switches]
    inferred = infer(statuses, told, access_known=portal.access_since is not None)
    frame = _switches(statuses, inferred)
    histories = {found.switches[number]: inferred.steps[number].history() for number in inferred.differing}
    access = None if inferred.access == EARLIEST else pd.Timestamp(inferred.access, unit="us").date()
    changed = {"switches": {**portal.switches, **histories}, "access_since": portal.access_since or access}
    by_contact = pd.Series(unnamed, index=found.contact_id)
    return Evidence(frame, portal.model_copy(update=changed), access, by_contact, inferred.rates)


def _unnamed(found: Reach) -> np.ndarray:
    """By contact, whether a switch reached it whose asset is not named."""
    blank = [number for number, name in enumerate(found.switches) if name.endswith("/")]
    unnamed = np.zeros(len(found.contact_id), dtype=bool)
    unnamed[found.contact[np.isin(found.switch, blank)]] = True
    return unnamed


def _chats(contacts: pd.DataFrame) -> np.ndarray:
    return contacts["source"].eq("team_email").to_numpy()


def _switches(statuses: Statuses, inferred: Inferred) -> pd.DataFrame:
    """What each switch seems to have been, with the evidence."""
    rows = {}
    for number, name in enumerate(statuses.reach.switches):
        if name.endswith("/"):  # not one asset but any number of them, which the export does not name
            continue
        steps, told = inferred.steps[number], inferred.told[number]
        group, contact = gather(statuses, inferred, number)
        source, asset = split(name)
        marketing = statuses.marketing[contact]
        now = group.last >= steps.starts[-1]
        differs = bool(steps.differences(told))
        changed = differs and len(steps.starts) > 1
        earliest, latest = group.spread(steps, told) if changed else (EARLIEST, EARLIEST)
        enough = differs or len(contact) >= FEWEST
        rows[name] = (
            source, asset or "", str(told), str(steps) if enough else "", differs,
            _time(int(steps.starts[-1])), _time(earliest), _time(latest), int(now.sum()), int(marketing[now].sum()),
            _told(steps, marketing, now, (earliest, latest) if changed else None) if enough else _too_few(len(contact)),
        )  # fmt: skip
    frame = pd.DataFrame.from_dict(rows, orient="index", columns=list(_COLUMNS)).rename_axis("switch")
    frame[["since", "earliest", "latest"]] = frame[["since", "earliest", "latest"]].astype("datetime64[us]")
    return frame.sort_values(["differs", "contacts"], ascending=False, kind="stable")


def _told(steps: Steps, marketing: np.ndarray, now: np.ndarray, between: tuple[int, int] | None) -> str:
    """The evidence in words."""
    since = f" since {_day(int(steps.starts[-1]))}" if len(steps.starts) > 1 else ""
    text = f"Of the {int(now.sum()):,} contacts that it alone could have made marketing contacts{since}, "
    text += f"{_share(int(marketing[now].sum()), int(now.sum()))} are."
    if since and not now.all():
        text += f" Of the {int((~now).sum()):,} before, {_share(int(marketing[~now].sum()), int((~now).sum()))} are."
    if between:
        earliest, latest = between
        after = f"between {_day(earliest)} and" if earliest != EARLIEST else "until"
        text += f" The change probably lies {after} {_day(latest)}."
    return text


def _too_few(contacts: int) -> str:
    if not contacts:
        return "No contact shows it: something else made them marketing contacts, or the rules do not say."
    return f"Too few contacts show it: {contacts}."


def _share(part: int, whole: int) -> str:
    return f"{part:,} ({part / whole:.0%})" if whole else "none"


def _time(moment: int) -> pd.Timestamp | None:
    return None if moment == EARLIEST else pd.Timestamp(moment, unit="us")


def _day(moment: int) -> str:
    return f"{pd.Timestamp(moment, unit='us'):%Y-%m-%d}"
