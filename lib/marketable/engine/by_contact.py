"""The rows of a batch contact by contact, in order of time, and what of them counts: a contact from before the account
had marketing contacts starts anew on the access day.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .cases import NON_MARKETING_CODE
from .rows import Rows
from .sorting import group
from .table import Table


@dataclass(frozen=True)
class ByContact:
    """The rows in the order of contacts.

    By row: `order`, `contact`, `case`, `makes` (makes the contact marketing, if it exists and has marketing contacts to
    be one of). By contact: `starts`, `keys`, `base` (the status it began with), `early`. Rare rows by position:
    `requests` to become non-marketing, `asking` (all rows of contacts with one), `early_rows` (from before access).
    """

    order: np.ndarray
    contact: np.ndarray
    case: np.ndarray
    makes: np.ndarray
    starts: np.ndarray
    keys: np.ndarray
    base: np.ndarray
    early: np.ndarray
    requests: np.ndarray
    asking: np.ndarray
    early_rows: np.ndarray


def by_contact(batch: Rows, case: np.ndarray, table: Table, access: int) -> ByContact:
    order, contact, starts, keys = group(batch.keys)
    case = case.take(order)
    # A first touch that would make an existing contact marketing creates one, so it may stand among those that make.
    base, makes = table.created.take(case.take(starts)), table.makes.take(case)
    requests = asking = np.zeros(0, dtype=np.int64)
    if len(table.dues):
        requests = np.flatnonzero((case >= table.first_request) & (case < table.first_listed))
    early, early_rows = np.zeros(len(starts), dtype=bool), np.zeros(0, dtype=np.int64)
    is_early = batch.wall < access
    is_early[: len(batch.listed)] = False
    if is_early.any():
        of_row = is_early.take(order)
        early[contact[np.flatnonzero(of_row)]] = True
        of_row[starts[np.flatnonzero(early)]] = True  # a contact listed beside them existed before access too
        early_rows = np.flatnonzero(of_row)
        makes[early_rows] = False
        requests = requests[~of_row[requests]]
        np.copyto(base, NON_MARKETING_CODE, where=early)
    if len(requests):
        asks = np.zeros(len(starts), dtype=bool)
        asks[contact[requests]] = True
        asking = np.flatnonzero(asks.take(contact))
    return ByContact(order, contact, case, makes, starts, keys, base, early, requests, asking, early_rows)
