"""Exports to practise on: what HubSpot would show of a made-up account, whose truth is known.

The tools' touches are decided with the switches as they really were. What an export tells of that is each contact's
creation, its first and its latest form, and its status; what users did, and the forms in between, it does not tell.
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from marketable.auditing import Audit, audit
from marketable.auditing.explanations import AMBIGUOUS, BY_HAND, EXPLANATIONS, NOT_TOLD, SWITCH
from marketable.engine import Outcome, decide
from marketable.engine.reach import reach
from marketable.errors import DataError
from marketable.exports import CERTAINTIES, Export, tool_of
from marketable.exports.contacts import FORMS
from marketable.portal.portal import Portal
from marketable.reading.touches import as_touches
from marketable.rulebook import ACTIONS, MARKETING, NON_MARKETING, NOT_COVERED
from marketable.samples.touches import firm

from .batch import practice_touches
from .deck import Deck

ASKED = tuple(name for name in EXPLANATIONS if name != NOT_TOLD)
DAYS = dt.date(2024, 3, 1), dt.date(2026, 10, 15)  # on which a switch may have been turned on
_DETAILS_SINCE = pd.Timestamp(2024, 3, 1)
_UNNAMED, _TICKED = 4, 4  # of so many contacts one
_LIVE_CHAT = "chatflow/Live chat"
_TURNED = ("hubspot_form", "integration", "chatflow")  # tools whose switch somebody turns; an import has a box
_FEWEST = 30  # contacts that a switch reaches, for one to be asked about
_TRIED = 6


@dataclass(frozen=True, eq=False)
class MadeUpExport:
    """`export`: what is seen. `portal`: what the account's notes say. `truth`: what `decide` says of the touches with
    the switches as they really were. `recorded`: by contact_id what HubSpot recorded of its creation (source, detail).
    """

    export: Export
    portal: Portal
    truth: Outcome
    recorded: pd.DataFrame


def made_up_export(portal: Portal, seed: int | str, turned: Mapping[str, dt.date] | None = None) -> MadeUpExport:
    """An account's export: the same for the same seed.

    Arguments: portal, what the account's notes say of its switches; turned, the days since which switches have been on
    without a note. A live chat always was: an export does not tell it from a team e-mail.

    >>> shop = made_up_export(Portal(), 1, {"integration/Shopware": dt.date(2025, 1, 1)})
    >>> bool(audit(shop.export, shop.portal).switches.loc["integration/Shopware", "differs"])
    True
    """
    touches = practice_touches(portal, seed)
    known = touches["contact_id"].isin(touches.loc[~touches["source"].isin(ACTIONS), "contact_id"])
    since_when = {name: (since, True) for name, since in (turned or {}).items()}
    actual = portal.with_switches({_LIVE_CHAT: True, **since_when})
    truth = decide(touches[known].reset_index(drop=True), actual)
    contacts = truth.contacts
    ticked = pd.Series(range(len(contacts)), contacts.index) % _TICKED == 0
    marketing = contacts["status"].eq(MARKETING) | contacts["status"].eq(NOT_COVERED) & ticked
    export, recorded = export_of(touches[known], marketing, contacts["waiting"] & marketing, unnamed=_UNNAMED)
    return MadeUpExport(export, portal, truth, recorded)


def export_of(
    touches: pd.DataFrame, marketing: pd.Series, waiting: pd.Series, *, unnamed: int = 0
) -> tuple[Export, pd.DataFrame]:
    """What an export shows of some touches, and what HubSpot recorded of each contact's creation.

    Arguments: touches, in order of time; marketing and waiting, by contact_id; unnamed, of how many contacts that are
    from before March 2024, and not from a form, one has no details (0: of none).
    """
    by_tools = touches[~touches["source"].isin(ACTIONS)].astype({"source": "str", "asset": "str"})
    created = by_tools.drop_duplicates("contact_id")
    later = by_tools[~by_tools.index.isin(created.index) & by_tools["source"].isin(FORMS)]
    told = pd.concat([later.drop_duplicates("contact_id"), later.drop_duplicates("contact_id", keep="last")])
    pairs = list(zip(created["source"], created["asset"], strict=True))
    recorded = {pair: _recorded(*pair) for pair in set(pairs)}
    shown = pd.DataFrame([recorded[pair] for pair in pairs], created["contact_id"], ["source", "detail"])
    old = (created["occurred_at"].lt(_DETAILS_SINCE) & ~created["source"].isin(FORMS)).to_numpy()
    if unnamed:
        shown.loc[old & (pd.RangeIndex(len(shown)) % unnamed == 0), "detail"] = ""
    tools = [tool_of(*each) for each in zip(shown["source"], shown["detail"], strict=True)]
    status = marketing.reindex(shown.index).map({True: MARKETING, False: NON_MARKETING})
    contacts = pd.DataFrame(
        {
            "created_at": created["occurred_at"].to_numpy(),
            "source": [tool.source for tool in tools],
            "asset": pd.Series([tool.asset for tool in tools], shown.index, dtype="str"),
            "certainty": pd.Categorical([tool.certainty for tool in tools], categories=list(CERTAINTIES)),
            "status": pd.Categorical(status, categories=[MARKETING, NON_MARKETING]),
            "waiting": waiting.reindex(shown.index).astype(bool),
        },
        shown.index,
    )
    first = contacts[["created_at", "source", "asset"]].reset_index().rename(columns={"created_at": "occurred_at"})
    batch = pd.concat([first, told[~told.index.duplicated()].sort_index()], ignore_index=True)
    blank = pd.Series("", contacts.index)
    rejected = pd.DataFrame({name: [] for name in ("row", "column", "value", "reason")})
    details = pd.DataFrame(index=contacts.index)
    return Export(contacts, as_touches(batch), rejected, len(contacts), 0, {}, blank, details), shown


def to_turn_on(found: Audit) -> list[str]:
    """The switches that are off by the account's notes, look so, and reach enough contacts for turning them on to show;
    the most first.
    """
    switches = found.switches
    is_off = switches["portal"].eq("off") & ~switches["differs"] & switches["source"].isin(_TURNED)
    return [str(name) for name in switches.index[is_off & (switches["contacts"] >= _FEWEST)]]


def concerned(made: MadeUpExport, plain: MadeUpExport) -> int:
    """How many contacts have another status in truth than in another export of the same account."""
    return int((made.truth.contacts["status"] != plain.truth.contacts["status"]).sum())


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
    """The contacts of an export that can be asked about, drawn one after the other.

    Arguments: portal, the account; seed, for the export, the switch that was turned on, and what is drawn.
    Raises: DataError where there is nobody to ask about.

    Asked about are only those whose explanation is the truth: who seems to have been set by hand, but sent a form that
    the export does not tell, is not.

    >>> row = Rows(Portal(), 1).draw({})
    >>> row.explanation in ASKED
    True
    """

    def __init__(self, portal: Portal, seed: int | str) -> None:
        self._chance = random.Random(f"explain/{seed}")
        self._made, self._audit = self._with_a_turned_switch(portal, seed)
        self._reach = reach(self._made.export.touches, portal)
        explained = self._audit.contacts["explanation"].astype("str")
        true = self._is_true(explained)
        of_kind = {kind: list(explained.index[(explained == kind) & true]) for kind in ASKED}
        self._deck = Deck(of_kind, self._chance)
        if not self._deck:
            raise DataError("No contact of the export can be asked about")

    @property
    def portal(self) -> Portal:
        """What the account's notes say."""
        return self._made.portal

    def draw(self, weights: Mapping[str, float]) -> Row:
        """Another contact, of an explanation drawn by its weight, where none is given 1."""
        _, contact_id = self._deck.draw(weights)
        contact = self._audit.contacts.loc[contact_id]
        reached = [name for name in self._reached(contact_id) if name in self._audit.switches.index]
        return Row(self._cells(contact_id), self._audit.switches.loc[reached], contact)

    def _with_a_turned_switch(self, portal: Portal, seed: int | str) -> tuple[MadeUpExport, Audit]:
        """An export in which one switch was turned on without a note, and an audit that finds it and no other."""
        plain = made_up_export(portal, seed)
        found = audit(plain.export, portal)
        off = to_turn_on(found)
        self._chance.shuffle(off)
        first, last = DAYS
        for name in off[:_TRIED]:
            since = first + dt.timedelta(self._chance.randrange((last - first).days))
            made = made_up_export(portal, seed, {name: since})
            audited = audit(made.export, portal)
            if list(audited.switches.index[audited.switches["differs"]]) == [name]:
                return made, audited
        return plain, found

    def _is_true(self, explained: pd.Series) -> pd.Series:
        """By contact, whether what the audit says of it is what happened."""
        decided_by = self._made.truth.contacts["decided_by"].astype("str").reindex(explained.index)
        by_user = decided_by.isin(ACTIONS)
        true: pd.Series = by_user.where(explained.eq(BY_HAND), True) & ~(by_user & explained.isin([SWITCH, AMBIGUOUS]))
        return true

    def _reached(self, contact_id: str) -> Sequence[str]:
        """The switches that touches of a contact asked, the first asked first."""
        numbers = self._reach.switch[self._reach.contact_id[self._reach.contact] == contact_id]
        return list(dict.fromkeys(self._reach.switches[number] for number in numbers if number >= 0))

    def _cells(self, contact_id: str) -> dict[str, str]:
        contact = self._made.export.contacts.loc[contact_id]
        source, detail = map(str, self._made.recorded.loc[contact_id])
        touches = self._made.export.touches
        forms = touches[touches["contact_id"].eq(contact_id) & touches["source"].isin(FORMS)]
        cells = {
            "Create Date": f"{contact['created_at']:%Y-%m-%d %H:%M}",
            "Record source": source,
            "Record source detail 1": detail,
        }
        for name, at in (("First Conversion", 0), ("Recent Conversion", -1)):
            if len(forms):
                form = forms.sort_values("occurred_at", kind="stable").iloc[at]
                _, sent = _recorded(str(form["source"]), str(form["asset"]))
                cells |= {name: sent, f"{name} Date": f"{form['occurred_at']:%Y-%m-%d %H:%M}"}
        cells["Marketing contact status"] = f"{contact['status'].capitalize()} contact"
        cells["Marketing contact until next update"] = "Yes" if contact["waiting"] else "No"
        return cells


def _recorded(source: str, asset: str) -> tuple[str, str]:
    """What HubSpot records of a creation: Record source, and Record source detail 1."""
    if f"{source}/{asset}" == _LIVE_CHAT:
        source = "team_email"
    tool = firm()["tools"][source]
    detail = tool["detail"].format(asset=asset, owner="a colleague")
    of_another = source == "non_hubspot_form" and not detail.startswith(("#", "."))
    return tool["recorded_as"][0], f"#{detail or 'form'}" if of_another else detail
