"""Whom the account pays for and never mails: marketing contacts who bounced, unsubscribed, or got nothing for long."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ...inputs.exports import Export
from ...rulebook import MARKETING

BOUNCED = "hard bounced"
UNSUBSCRIBED = "unsubscribed"
NEVER = "never mailed"
SILENT = "not mailed for long"
REACHED = "mailed"
MAILING = (BOUNCED, UNSUBSCRIBED, NEVER, SILENT, REACHED)


def mailing(export: Export, since: pd.Series, as_of: pd.Timestamp, days: int) -> pd.Series:
    """What becomes of the mail to each marketing contact of an export, as far as the export has the columns for it.

    Arguments: since, by contact_id, when it was created or became a marketing contact, as far as that is known (local
    time); as_of, the moment the export is of; days, for how long a contact must have been one, without a marketing
    e-mail, to count as not mailed.
    Returns: by contact_id, for the marketing contacts, one of MAILING, the first that holds; blank where the export
    does not tell.

    Source: an opt-out, an unsubscribe or a bounce does not change the status; such a contact counts (trust M).
    """
    details = export.details.reindex(export.contacts.index)
    contacts = export.contacts
    then = (as_of - pd.Timedelta(days=days)).tz_localize(None)

    def column(name: str) -> pd.Series:
        return details[name] if name in details else pd.Series(False, contacts.index)

    bounced, unsubscribed = column("bounced").eq(True), column("unsubscribed").eq(True)
    holds = {BOUNCED: bounced, UNSUBSCRIBED: unsubscribed}
    if "mailed_at" in details:
        mailed_at = _naive(details["mailed_at"])
        new = since.reindex(contacts.index) > then
        holds |= {
            NEVER: mailed_at.isna() & ~new,
            SILENT: mailed_at.notna() & (mailed_at < then),
            REACHED: mailed_at.notna(),
        }
    found = np.select([each.to_numpy() for each in holds.values()], list(holds), "")
    by_contact = pd.Series(pd.Categorical(found, categories=[*MAILING, ""]), contacts.index, name="mailing")
    return by_contact[contacts["status"].eq(MARKETING)]


def _naive(times: pd.Series) -> pd.Series:
    return pd.to_datetime(times, utc=True).dt.tz_localize(None)
