"""Whom the account pays for without use: marketing contacts who cannot or must not be mailed, who do not answer, or who
got nothing for long.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from marketable.engine.moments import local_times
from marketable.exports import Export
from marketable.rulebook import MARKETING

NO_ADDRESS = "no address"
INVALID = "invalid address"
BOUNCED = "hard bounced"
QUARANTINED = "quarantined"
UNSUBSCRIBED = "unsubscribed"
OPTED_OUT = "opted out of marketing types"
UNCONFIRMED = "unconfirmed"
UNENGAGED = "unengaged"
NEVER = "never mailed"
SILENT = "not mailed for long"
REACHED = "mailed"
UNMAILABLE = {
    NO_ADDRESS: "no_address",
    INVALID: "invalid",
    BOUNCED: "bounced",
    QUARANTINED: "quarantined",
    UNSUBSCRIBED: "unsubscribed",
    OPTED_OUT: "opted_out",
    UNCONFIRMED: "unconfirmed",
}
MAILING = (*UNMAILABLE, UNENGAGED, NEVER, SILENT, REACHED)
UNANSWERED = 16
"""Marketing e-mails in a row without an answer, from which on HubSpot calls a contact unengaged (from 11 on, if it has
never answered one, which an export need not tell). Source: Understand graymail, Knowledge Base, 2025-07-02 (trust H).
"""


def mailing(
    export: Export, became: pd.Series, last: pd.Series, as_of: pd.Timestamp, silent_days: int, never_days: int
) -> pd.Series:
    """What becomes of the mail to each contact of an export, as far as the export has the columns for it.

    Arguments: became, by contact_id in the order of the export, when it was created or became a marketing contact, as
    far as that is known (local time); last, see `mailed`; as_of, the moment the export is of; silent_days, for how long
    a contact must have got no marketing e-mail to count as not mailed for long; never_days, for how long it must have
    been a marketing contact to count as never mailed.
    Returns: by contact_id one of MAILING, the first that holds; blank where the contact is not a marketing one, where
    the export does not tell, or where it is too early to tell.

    Source: an opt-out, an unsubscribe or a bounce does not change the status; such a contact counts (trust M).
    """
    details = export.details
    is_marketing = export.contacts["status"].eq(MARKETING)
    holds = {"": ~is_marketing}
    holds |= {reason: details[name].eq(True) for reason, name in UNMAILABLE.items() if name in details}
    if "sends_unanswered" in details:
        holds[UNENGAGED] = details["sends_unanswered"] >= UNANSWERED
    if "mailed_at" in details:
        long_ago, lately = (as_of - pd.Timedelta(days=days) for days in (silent_days, never_days))
        holds[NEVER] = last.isna() & ~(became > lately)
        holds |= {SILENT: (last < long_ago) & ~(became > long_ago), REACHED: last >= long_ago}
    names = [*MAILING, ""]
    numbers = [np.int8(names.index(name)) for name in holds]
    found = np.select([each.to_numpy() for each in holds.values()], numbers, np.int8(len(MAILING)))
    kind = pd.CategoricalDtype(names)
    return pd.Series(pd.Categorical.from_codes(found, dtype=kind), details.index, name="mailing")


def mailed(export: Export, time_zone: str) -> pd.Series:
    """When each contact got its last marketing e-mail, local time, by contact_id; missing where it got none."""
    never = pd.Series(pd.NaT, export.details.index, dtype="datetime64[us]")
    return local_times(export.details.get("mailed_at", never), time_zone)
