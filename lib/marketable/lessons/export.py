"""Exports to practise on: what HubSpot would show of a made-up account, whose truth is known.

The tools' touches are decided with the switches as they really were. What an export shows of that is each contact's
creation, its first and its latest form, and its status; what users did, and the forms in between, it does not show.
The rows are read as those of any export are.
"""

from __future__ import annotations

import datetime as dt
import random
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import pandas as pd

from marketable.auditing import Audit, audit
from marketable.auditing.explanations import AMBIGUOUS, BY_HAND, EXPLANATIONS, NOT_TOLD, SWITCH
from marketable.engine import Outcome, decide
from marketable.engine.reach import reach
from marketable.errors import DataError
from marketable.exports import Export, read_export
from marketable.exports.contacts import FORMS
from marketable.portal.portal import Portal
from marketable.rulebook import ACTIONS, MARKETING, NOT_COVERED
from marketable.samples.touches import firm

from .batch import practice_touches
from .deck import ROUND, Asked, Deck

ASKED = tuple(name for name in EXPLANATIONS if name != NOT_TOLD)
DAYS = dt.date(2024, 3, 1), dt.date(2026, 10, 15)  # on which a switch may have been turned on
_DETAILS_SINCE = pd.Timestamp(2024, 3, 1)
_UNNAMED, _TICKED = 4, 4  # of so many contacts one
_LIVE_CHAT = "chatflow/Live chat"
_TURNED = ("hubspot_form", "integration", "chatflow")  # tools whose switch somebody turns; an import has a box
_FEWEST = 30  # contacts that a switch reaches, for one to be asked about
_TRIED = 6
_OF_A_KIND = 150  # contacts of an explanation
_TIME = "%Y-%m-%d %H:%M:%S"


@dataclass(frozen=True, eq=False)
class MadeUpExport:
    """`rows`: what is seen, by contact_id, in HubSpot's columns; `export`: the same as it is read; `truth`: what
    `decide` says of the touches with the switches as they really were.
    """

    rows: pd.DataFrame
    export: Export
    truth: Outcome


def made_up_export(portal: Portal, seed: int | str, turned: Mapping[str, dt.date] | None = None) -> MadeUpExport:
    """An account's export: the same for the same seed.

    Arguments: portal, what the account's notes say of its switches; turned, the days since which switches have been on
    without a note. A live chat always was: an export does not tell it from a team e-mail.

    >>> shop = made_up_export(Portal(), 1, {"integration/Shopware": dt.date(2025, 1, 1)})
    >>> bool(audit(shop.export, Portal()).switches.loc["integration/Shopware", "differs"])
    True
    """
    touches = practice_touches(portal, seed)
    known = touches["contact_id"].isin(touches.loc[~touches["source"].isin(ACTIONS), "contact_id"])
    since_when = {name: (since, True) for name, since in (turned or {}).items()}
    truth = decide(touches[known], portal.with_switches({_LIVE_CHAT: True, **since_when}))
    contacts = truth.contacts
    ticked = pd.Series(range(len(contacts)), contacts.index) % _TICKED == 0
    marketing = contacts["status"].eq(MARKETING) | contacts["status"].eq(NOT_COVERED) & ticked
    rows = rows_of(touches[known], marketing, contacts["waiting"] & marketing)
    old = pd.to_datetime(rows["Create Date"]).lt(_DETAILS_SINCE) & rows["Record source"].ne("FORM")
    rows.loc[old & (pd.Series(range(len(rows)), rows.index) % _UNNAMED == 0), "Record source detail 1"] = ""
    return MadeUpExport(rows, as_read(rows), truth)


def rows_of(touches: pd.DataFrame, marketing: pd.Series, waiting: pd.Series) -> pd.DataFrame:
    """What an export shows of some touches. Arguments: touches, in order of time; marketing and waiting, by contact_id.

    Returns: the columns of an export, all text; by contact_id.
    """
    by_tools = touches[~touches["source"].isin(ACTIONS)].astype({"source": "str", "asset": "str"})
    recorded = [_recorded(*each) for each in zip(by_tools["source"], by_tools["asset"], strict=True)]
    seen = pd.DataFrame(recorded, by_tools.index, ["recorded", "detail"])
    seen = seen.assign(contact_id=by_tools["contact_id"], at=by_tools["occurred_at"].dt.strftime(_TIME))
    created = seen.drop_duplicates("contact_id").set_index("contact_id")
    columns = {"at": "Create Date", "recorded": "Record source", "detail": "Record source detail 1"}
    rows = created[list(columns)].rename(columns=columns)
    by_form = seen[by_tools["source"].isin(FORMS)].groupby("contact_id")[["detail", "at"]]
    for name, forms in (("First Conversion", by_form.first()), ("Recent Conversion", by_form.last())):
        rows[[name, f"{name} Date"]] = forms.reindex(rows.index, fill_value="")
    is_marketing, waits = marketing.reindex(rows.index), waiting.reindex(rows.index)
    rows["Marketing contact status"] = is_marketing.map({True: "Marketing contact", False: "Non-marketing contact"})
    rows["Marketing contact until next update"] = waits.map({True: "Yes", False: "No"})
    return rows


def as_read(rows: pd.DataFrame) -> Export:
    """The rows of an export as they are read from its file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "contacts.csv")
        rows.rename_axis("Record ID").to_csv(path)
        return read_export(path)


def to_turn_on(found: Audit) -> list[str]:
    """The switches that are off by the account's notes, look so, and reach enough contacts for turning them on to show;
    the most first.
    """
    switches = found.switches
    is_off = switches["portal"].eq("off") & ~switches["differs"] & switches["source"].isin(_TURNED)
    return [str(name) for name in switches.index[is_off & (switches["contacts"] >= _FEWEST)]]


@dataclass(frozen=True)
class Row:
    """A contact of an export to explain: `cells`, what its row says, by property; `switches`, those that reached it
    (see `Audit.switches`); `contact`, its row of `Audit.contacts`, where the right answer stands.
    """

    cells: dict[str, str]
    switches: pd.DataFrame
    contact: pd.Series

    @property
    def explanation(self) -> str:
        """The right answer: what `mk.audit` says."""
        return str(self.contact["explanation"])


class Rows:
    """The contacts of an export that can be asked about, drawn one after the other. `made` is the export.

    Arguments: portal, the account; seed, for the export, the switch that was turned on, and what is drawn.
    Raises: DataError where there is nobody to ask about.

    Asked about are only those whose explanation is the truth: who seems to have been set by hand, but sent a form that
    the export does not show, is not.

    >>> len({row.explanation for row in Rows(Portal(), 1).round({})})
    5
    """

    def __init__(self, portal: Portal, seed: int | str) -> None:
        self._chance = random.Random(f"explain/{seed}")
        self.made, self._audit = self._with_a_turned_switch(portal, seed)
        explained = self._audit.contacts["explanation"].astype("str")
        decided_by = self.made.truth.contacts["decided_by"].astype("str").reindex(explained.index)
        by_user = decided_by.isin(ACTIONS)
        turned = decided_by.isin(self._audit.switches.index[self._audit.switches["differs"]])
        true = by_user.where(explained.eq(BY_HAND), True) & ~(by_user & explained.eq(AMBIGUOUS))
        true &= turned | explained.ne(SWITCH)
        shown = self.made.rows.filter(regex="^(?!.*Date)")
        marketing = self.made.rows["Marketing contact status"].eq("Marketing contact")
        asked = [
            Asked(kind, contact, kind, marketing[contact], tuple(shown.loc[contact]))
            for kind in ASKED
            for contact in list(explained.index[explained.eq(kind) & true])[:_OF_A_KIND]
        ]
        self._deck, self._rows = Deck(asked, self._chance), dict[str, Row]()
        if not asked:
            raise DataError("No contact of the export can be asked about")
        found = reach(self.made.export.touches, portal)
        met = pd.DataFrame({"contact": found.contact_id[found.contact], "switch": found.switch}).query("switch >= 0")
        self._reached = met["switch"].map(dict(enumerate(found.switches))).groupby(met["contact"]).unique()

    def round(self, weights: Mapping[str, float], length: int = ROUND) -> list[Row]:
        """The next contacts, by their explanation: see `Deck.round`."""
        drawn = [each.id for each in self._deck.round(weights, length)]
        self._rows |= {contact_id: self._row(contact_id) for contact_id in drawn if contact_id not in self._rows}
        return [self._rows[contact_id] for contact_id in drawn]

    def _row(self, contact_id: str) -> Row:
        every = self.made.rows.loc[contact_id].to_dict()
        cells = {str(name): value for name, value in every.items() if value or "Conv" not in str(name)}
        switches = self._audit.switches
        reached = [name for name in self._reached.get(contact_id, ()) if name in switches.index]
        return Row(cells, switches.loc[reached], cast(pd.Series, self._audit.contacts.loc[contact_id]))

    def _with_a_turned_switch(self, portal: Portal, seed: int | str) -> tuple[MadeUpExport, Audit]:
        """An export in which one switch was turned on without a note, and an audit that finds it and no other."""
        plain = made_up_export(portal, seed)
        found = audit(plain.export, portal)
        off = to_turn_on(found)
        self._chance.shuffle(off)
        for name in off[:_TRIED]:
            since = DAYS[0] + dt.timedelta(self._chance.randrange((DAYS[1] - DAYS[0]).days))
            made = made_up_export(portal, seed, {name: since})
            audited = audit(made.export, portal)
            if list(audited.switches.index[audited.switches["differs"]]) == [name]:
                return made, audited
        return plain, found


def _recorded(source: str, asset: str) -> tuple[str, str]:
    """What HubSpot records of a creation: Record source, and Record source detail 1."""
    if f"{source}/{asset}" == _LIVE_CHAT:
        source = "team_email"
    tool = firm()["tools"][source]
    detail = tool["detail"].format(asset=asset, owner="a colleague")
    of_another = source == "non_hubspot_form" and not detail.startswith(("#", "."))
    return tool["recorded_as"][0], f"#{detail or 'form'}" if of_another else detail
