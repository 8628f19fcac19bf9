"""Which touches can have made whom a marketing contact, and through which switch.

What-ifs need only the set of switches that reach a contact. Who asks what the switches *were*, from statuses that are
known, needs each reaching touch with its time.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import numpy as np

from marketable.portal.portal import Portal, checked_portal, split
from marketable.rulebook import Rulebook

from .by_contact import by_contact
from .cases import NOT_COVERED_CODE, Cases
from .exposure import ALWAYS, slots, slots_of_cases
from .frames import in_memory
from .moments import start
from .rows import rows
from .table import NONE, cases_of_rows


@dataclass(frozen=True, eq=False)
class Reach:
    """By contact: `contact_id`, and `covered` (whether the rules say what its creation made it). By reaching touch, in
    the order of contacts and then of time: `contact` (its number), `at` (local time, microseconds), `switch` (its
    number in `switches`; -1: it makes marketing whatever the switches are), and whether it was `on` in the portal.
    """

    contact_id: np.ndarray
    covered: np.ndarray
    switches: list[str]
    contact: np.ndarray
    at: np.ndarray
    switch: np.ndarray
    on: np.ndarray

    @property
    def unnamed(self) -> np.ndarray:
        """By switch, whether its asset is not named, which may be any number of assets."""
        return np.array([split(name)[1] == "" for name in self.switches], dtype=bool)


def reach(
    touches: Any,
    portal: Portal,
    *,
    rulebook: Rulebook | None = None,
    edition: str | dt.date | None = None,
    as_of: str | dt.date | None = None,
) -> Reach:
    """The touches of a batch that make their contact marketing, always or if a switch is on.

    Arguments: as for `decide`; the batch is one without requests to become non-marketing, as exports are.
    Returns: a Reach.

    >>> import pandas as pd
    >>> batch = pd.DataFrame(
    ...     [("1", "2024-03-01", "import_single_object", "Fair"), ("1", "2024-03-05", "hubspot_form", "News")],
    ...     columns=["contact_id", "occurred_at", "source", "asset"],
    ... )
    >>> found = reach(batch, Portal())
    >>> [found.switches[number] for number in found.switch], found.on.tolist()
    (['import_single_object/Fair', 'hubspot_form/News'], [False, True])
    """
    portal, rulebook = checked_portal(portal), rulebook or Rulebook.load()
    pinned = None if edition is None else rulebook.pinned(edition)
    batch = rows(in_memory(touches), None, portal.time_zone, as_of)
    cases = Cases(batch.pairs, portal, rulebook, pinned)
    case, table = cases_of_rows(batch, cases, portal)
    access = start(portal.access_since)
    of_contact = by_contact(batch, case, table, access)
    kinds = slots(cases, {})
    creates, upgrades = slots_of_cases(kinds, cases, table)
    slot = upgrades.take(of_contact.case)
    slot[of_contact.starts] = creates.take(of_contact.case.take(of_contact.starts))
    slot[of_contact.early_rows] = NONE
    found = np.flatnonzero(slot != NONE)
    ids = batch.ids.astype("str").to_numpy(dtype=object)
    return Reach(
        contact_id=ids[batch.position(of_contact.order.take(of_contact.starts))],
        covered=of_contact.base != NOT_COVERED_CODE,
        switches=kinds.switches,
        contact=of_contact.contact.take(found),
        at=batch.wall.take(of_contact.order.take(found)),
        switch=np.where(slot[found] == ALWAYS, NONE, kinds.switch.take(slot[found])),
        on=kinds.own.take(slot[found]),
    )
