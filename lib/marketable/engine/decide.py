"""Every touch judged, every contact's status, and why: the engine's one entry, which puts its parts together."""

from __future__ import annotations

import datetime as dt
from typing import Any

from marketable.portal.portal import Portal, checked_portal
from marketable.rulebook import Rulebook

from .cases import Cases
from .frames import in_memory
from .judge import judge
from .outcome import Outcome
from .rows import rows
from .sentences import Explainer


def decide(
    touches: Any,
    portal: Portal,
    *,
    rulebook: Rulebook | None = None,
    edition: str | dt.date | None = None,
    contacts: Any = None,
    as_of: str | dt.date | None = None,
) -> Outcome:
    """The status of every contact of a batch, touch by touch, each with its explanation.

    Arguments:
        touches: a batch, a frame in memory (pandas, Polars, PyArrow …). Columns contact_id (text or whole numbers),
            occurred_at (datetimes; without a zone the account's local time), source (a key of the rulebook,
            `set_marketing`, `set_non_marketing`, or `not covered`), asset (text, may be blank).
        portal: the account's facts.
        rulebook: the rules; by default those of this package.
        edition: the date of the one edition by which to judge; by default each touch by the newest edition of its day.
        contacts: contacts which existed before the batch. Columns contact_id (or as the index), created_at, status (one
            of the three: what it was before the contact's first touch), and if known source and asset.
        as_of: the instant up to and including which touches and update dates count; by default the last touch.

    Returns: an Outcome, with `.contacts`, `.touches` and `.counts(by)`.

    Raises: DataError for missing columns, blank ids or times and unknown sources; UnknownNameError for a date that is
    no edition.

    Source: the rulebook's references; each explanation names its own.

    >>> import pandas as pd
    >>> batch = pd.DataFrame(
    ...     [("1", "2024-03-01", "import_single_object", "Trade fair"), ("1", "2024-03-05", "hubspot_form", "News")],
    ...     columns=["contact_id", "occurred_at", "source", "asset"],
    ... )
    >>> decide(batch, Portal()).touches["rule"].tolist()
    ['switch off', 'upgrade']
    """
    portal, rulebook = checked_portal(portal), rulebook or Rulebook.load()
    pinned = None if edition is None else rulebook.pinned(edition)
    touches = in_memory(touches)
    batch = rows(touches, contacts, portal.time_zone, as_of)
    cases = Cases(batch.pairs, portal, rulebook, pinned)
    judged = judge(batch, cases, portal)
    return Outcome(touches, batch, cases, judged, Explainer(cases, judged.table, rulebook, portal))
