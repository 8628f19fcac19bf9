"""The groups of contacts worth acting on: how many there are, what they cost, and what to do about them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import numpy as np
import pandas as pd

from marketable.portal.portal import Portal, split
from marketable.portal.prices import Prices
from marketable.reading.alike import alike
from marketable.rulebook import MARKETING, NOT_COVERED, Rulebook

from . import mailing as mail
from .causes import called
from .evidence import Evidence
from .explanations import AMBIGUOUS, BY_HAND, RECORDED, SWITCH, WAITING

MADE_BY = "made marketing by "  # and then a switch
SET_BY = "set as marketing by "  # and then what HubSpot recorded
_STOP = "They count all the same: set them as non-marketing."
_MAIL = {
    mail.NO_ADDRESS: f"They have no e-mail address, so nothing can be mailed. {_STOP}",
    mail.INVALID: f"Their address is none that mail can go to, if it cannot be mended. {_STOP}",
    mail.BOUNCED: f"Mail to them comes back. {_STOP}",
    mail.QUARANTINED: f"HubSpot has put their address in quarantine, and sends nothing. {_STOP}",
    mail.UNSUBSCRIBED: f"They have opted out of all e-mail. {_STOP}",
    mail.OPTED_OUT: f"They have opted out of each type of marketing e-mail. {_STOP}",
    mail.UNCONFIRMED: "They have not confirmed that they want mail (double opt-in), so HubSpot sends nothing. They "
    "count all the same: ask them to confirm, or set them as non-marketing.",
    mail.UNENGAGED: f"They have not opened or clicked the last {mail.UNANSWERED} marketing e-mails or more. Ask "
    "whether they want more, or set them as non-marketing.",
    mail.NEVER: "They have never got a marketing e-mail. Mail them, or set them as non-marketing.",
    mail.SILENT: "They have not got a marketing e-mail for long. Mail them, or set them as non-marketing.",
}
_SET = "HubSpot recorded that this made them marketing. Look at it, and set as non-marketing whom you do not mail."
_OTHERS = {
    BY_HAND: "Something that the export does not show made them marketing: somebody by hand or in bulk, an import, a "
    "workflow, or a form that it does not name. Marketing contact status source type tells which, if the view has it.",
    AMBIGUOUS: "What made them marketing cannot be told for sure; each one's reason says what it could be.",
    NOT_COVERED: "HubSpot's article does not say what their tool sets, or the export does not tell what created them. "
    "Who was created by hand may have had the box for it ticked.",
}


def members(
    contacts: pd.DataFrame, mailing: pd.Series, decided_by: pd.Series, found: Evidence
) -> Iterator[tuple[str, pd.Series, str]]:
    """The groups: each one's name, by contact_id whether it is in it, and what to do. Groups may overlap.

    Arguments, in one order: contacts, explained; mailing, what becomes of their mail; decided_by, what decides their
    statuses under the switches as they seem to have been.
    """
    is_marketing = contacts["actual"].eq(MARKETING)
    for name, advice in _MAIL.items():  # who waits has been set as non-marketing already
        yield name, mailing.eq(name) & contacts["explanation"].ne(WAITING), advice
    newest = Rulebook.load().newest
    for switch, row in found.switches[found.switches["differs"]].iterrows():
        where = newest[split(str(switch))[0]].where
        through = contacts["explanation"].eq(SWITCH) & is_marketing & decided_by.eq(str(switch))
        advice = f"It looks {row['looks']}; told was {row['portal']}. Look at it ({where}), turn it "
        advice += "off if it is not meant to be on, and set as non-marketing whom you do not mail."
        yield f"{MADE_BY}{switch}", through, advice
    for name, chosen in _by_cause(found.recorded, (contacts["explanation"].eq(RECORDED) & is_marketing).to_numpy()):
        yield f"{SET_BY}{name}", pd.Series(chosen, contacts.index), _SET
    for name, advice in _OTHERS.items():
        yield f"{name}, marketing", contacts["explanation"].eq(name) & is_marketing, advice


def _by_cause(told: pd.DataFrame, among: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """What is recorded of some contacts, as it is called, and which contacts that is."""
    cause, detail = told["cause"], told["detail"]
    first, number = alike(cause.cat.codes.to_numpy(), detail.cat.codes.to_numpy())
    by_name: dict[str, list[int]] = {}
    for kind in np.unique(number[among]).tolist():
        at = first[kind]
        by_name.setdefault(called(cause.iloc[at], detail.iloc[at]), []).append(kind)
    for name, kinds in by_name.items():
        yield name, among & np.isin(number, kinds)


def table(
    groups: dict[str, tuple[pd.Series, str]], portal: Portal, prices: Prices | None, day: dt.date
) -> pd.DataFrame:
    """The groups with anybody in them, the largest first: index group; contacts, alone (of them those that are in no
    other group), monthly (their share of a month's price; missing without a price for the hub), advice.
    """
    hub = portal.subscription.hub
    number = sum((chosen.astype(int) for chosen, _ in groups.values()), start=0)
    rows = {}
    for name, (chosen, advice) in groups.items():
        contacts = int(chosen.sum())
        if contacts:
            monthly = None if prices is None else prices.of(contacts, hub, day)
            rows[name] = contacts, int((chosen & (number == 1)).sum()), monthly, advice
    kinds = {"contacts": "int64", "alone": "int64", "monthly": "float64", "advice": "str"}
    frame = pd.DataFrame.from_dict(rows, orient="index", columns=list(kinds)).astype(kinds).rename_axis("group")
    return frame.sort_values("contacts", ascending=False, kind="stable")
