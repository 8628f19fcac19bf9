"""Whom the account pays for and never mails: marketing contacts who bounced, unsubscribed, or got nothing for long."""

from __future__ import annotations

import numpy as np
import pandas as pd

from marketable.engine.moments import moments
from marketable.exports import Export
from marketable.rulebook import MARKETING

BOUNCED = "hard bounced"
UNSUBSCRIBED = "unsubscribed"
NEVER = "never mailed"
SILENT = "not mailed for long"
REACHED = "mailed"
MAILING = (BOUNCED, UNSUBSCRIBED, NEVER, SILENT, REACHED)


def mailing(export: Export, since: pd.Series, mailed_at: pd.Series, as_of: pd.Timestamp, days: int) -> pd.Series:
    """What becomes of the mail to each marketing contact of an export, as far as the export has the columns for it.

    Arguments: since, by contact_id, when it was created or became a marketing contact, as far as that is known (local
    time); mailed_at, see `mailed`; as_of, the moment the export is of; days, for how long a contact must have been one,
    without a marketing e-mail, to count as not mailed.
    Returns: by contact_id, for the marketing contacts, one of MAILING, the first that holds; blank where the export
    does not tell, or where it is too early to tell.

    Source: an opt-out, an unsubscribe or a bounce does not change the status; such a contact counts (trust M).
    """
    details = export.details.reindex(export.contacts.index)
    contacts = export.contacts
    then = as_of - pd.Timedelta(days=days)

    def column(name: str) -> pd.Series:
        return details[name] if name in details else pd.Series(False, contacts.index)

    bounced, unsubscribed = column("bounced").eq(True), column("unsubscribed").eq(True)
    holds = {BOUNCED: bounced, UNSUBSCRIBED: unsubscribed}
    if "mailed_at" in details:
        last = mailed_at.reindex(contacts.index)
        new = since.reindex(contacts.index) > then
        holds |= {NEVER: last.isna() & ~new, SILENT: (last < then) & ~new, REACHED: last >= then}
    found = np.select([each.to_numpy() for each in holds.values()], list(holds), "")
    by_contact = pd.Series(pd.Categorical(found, categories=[*MAILING, ""]), contacts.index, name="mailing")
    return by_contact[contacts["status"].eq(MARKETING)]


def mailed(export: Export, time_zone: str) -> pd.Series:
    """When each contact got its last marketing e-mail, local time, by contact_id; those only who got one."""
    times = export.details["mailed_at"].dropna() if "mailed_at" in export.details else pd.Series(dtype="datetime64[us]")
    return pd.Series(moments(times, time_zone).wall.view("datetime64[us]"), times.index)
