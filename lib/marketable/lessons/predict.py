"""Predicting a status: contacts drawn from a batch, each with what happened to it, and what the engine says it is.

The kind of a contact is what decides its status.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from marketable.engine import Outcome, decide
from marketable.errors import DataError, UnknownNameError, nearest
from marketable.portal.portal import Portal
from marketable.rulebook import NON_MARKETING, NOT_COVERED, Rulebook

from .batch import practice_touches
from .deck import Deck

KINDS: Mapping[str, str] = {
    "fixed": "Created by a tool without a switch",
    "switch": "Created by a tool with a switch",
    "silent": "Created by a tool that the article is silent about",
    "existing": "It existed already",
    "by_hand": "Set as marketing by hand",
    "update_date": "Set as non-marketing",
    "access": "Older than the account's marketing contacts",
}
_MOST_TOUCHES = 5  # more are tedious to read and teach nothing more
_DAYS = pd.date_range("2024-06-01", "2026-10-28")


@dataclass(frozen=True)
class Card:
    """A contact to predict: its kind, a key of KINDS; its touches up to `as_of`, as `Outcome.why` gives them; and its
    row of `Outcome.contacts`.
    """

    kind: str
    touches: pd.DataFrame
    contact: pd.Series
    as_of: pd.Timestamp

    @property
    def status(self) -> str:
        """The right answer."""
        return str(self.contact["status"])

    @property
    def missed(self) -> str:
        """What a wrong answer overlooked, in the engine's words: the touch that changed an existing contact, or left
        it as it was, or else what decided its status.
        """
        met = self.touches[self.touches["rule"].isin(["upgrade", "unchanged"])]
        if self.kind == "existing":
            changed = met[met["rule"] == "upgrade"]
            return str((met if changed.empty else changed)["reason"].iloc[-1])
        return str(self.contact["reason"])


class Cards:
    """The contacts of a batch that can be asked about, drawn one after the other. `outcome` is what became of all.

    Arguments: portal, the account; seed, for the batch, the day asked about, and what is drawn; kinds, keys of KINDS:
    only their contacts are drawn.
    Raises: UnknownNameError for another kind; DataError where no contact is of these kinds.

    >>> card = Cards(Portal(), 1, ["fixed"]).draw({})
    >>> card.kind, card.status
    ('fixed', 'non-marketing')
    """

    def __init__(self, portal: Portal, seed: int | str, kinds: Sequence[str] = tuple(KINDS)) -> None:
        for kind in kinds:
            if kind not in KINDS:
                near = nearest(kind, KINDS)
                raise UnknownNameError("There is no such kind", value=kind, expected=", ".join(KINDS), nearest=near)
        chance = random.Random(f"predict/{seed}")
        self.as_of = _DAYS[chance.randrange(len(_DAYS))] + pd.Timedelta(hours=12)
        self.outcome = decide(practice_touches(portal, seed), portal, as_of=str(self.as_of))
        found = kinds_of(self.outcome)
        self._deck = Deck({kind: list(found.index[found == kind]) for kind in kinds}, chance)
        if not self._deck:
            raise DataError(
                "No contact of the batch can be asked about",
                value=", ".join(KINDS[kind] for kind in kinds),
                advice="Does the portal have its marketing contacts since a day after the batch (access_since)?",
            )

    def draw(self, weights: Mapping[str, float]) -> Card:
        """Another contact, of a kind drawn by its weight, where none is given 1."""
        kind, contact_id = self._deck.draw(weights)
        touches = self.outcome.why(contact_id)
        counted = touches[touches["rule"] != "not counted"]
        return Card(kind, counted, self.outcome.contacts.loc[contact_id], self.as_of)


def kinds_of(outcome: Outcome) -> pd.Series:
    """The kind of each contact that can be asked about: that has a status and not too many touches.

    A contact that was created between two editions that disagree has two right answers, and that a form undoes a wait
    is our assumption: neither is asked about.

    Returns: keys of KINDS by contact_id.
    """
    contacts, touches = outcome.contacts, outcome.touches
    touches = touches[touches["rule"] != "not counted"]
    rules = pd.crosstab(touches["contact_id"], touches["rule"].astype("str")).reindex(contacts.index, fill_value=0)

    def touched(*names: str) -> pd.Series:
        found: pd.Series = rules.reindex(columns=list(names), fill_value=0).any(axis=1)
        return found

    left_as_it_was = touched("unchanged") & (contacts["status"] == NON_MARKETING)
    first_that_holds = {
        "access": (contacts["decided_by"] == "access") | touched("before access"),
        "update_date": touched("set as non-marketing", "undo"),
        "by_hand": contacts["decided_by"] == "set_marketing",
        "existing": touched("upgrade") | left_as_it_was,
        "silent": contacts["status"] == NOT_COVERED,
        "switch": touched("switch on", "switch off"),
        "fixed": touched("fixed default"),
    }
    kind = np.select([held.to_numpy() for held in first_that_holds.values()], list(first_that_holds), "")
    asked = contacts["status"].notna() & ~outcome.read_twice & (contacts["created_by"] != NOT_COVERED)
    asked &= ~touched("undo") & (rules.sum(axis=1) <= _MOST_TOUCHES) & (kind != "")
    found: pd.Series = pd.Series(kind, index=contacts.index, name="kind")[asked]
    return found


def portal_says(portal: Portal, switch: str) -> str:
    """What a portal says of a switch: on, off, its history, or that it is not listed.

    >>> portal = Portal(switches={"integration": {"Shop": [{"from": "2024-03-10", "switch": "on"}]}})
    >>> portal_says(portal, "integration/Shop"), portal_says(portal, "integration/Zoom")
    ('on from 2024-03-10', 'not listed')
    """
    history = portal.switches.get(switch, ())
    says = [("on" if on else "off") + (f" from {since:%Y-%m-%d}" if since else "") for since, on in history]
    return ", ".join(says) or "not listed"


def switch_of(source: str, asset: str, at: pd.Timestamp) -> str | None:
    """The name of the switch that a touch meets on its day, or None where its tool has none.

    >>> switch_of("non_hubspot_form", "Old shop", pd.Timestamp("2024-03-01"))
    'non_hubspot_form'
    """
    edition = Rulebook.load().on(at.date())
    return edition[source].switch_name(asset) if source in edition else None
