"""The made-up firm's contacts on 2026-10-31: who they are, what HubSpot recorded about them, and their statuses."""

from __future__ import annotations

import datetime as dt
import itertools
import unicodedata
from typing import Any

import numpy as np
import pandas as pd

from marketable.engine import decide
from marketable.exports.contacts import FORMS
from marketable.portal.portal import Change, Portal
from marketable.rulebook import ACTIONS, MARKETING

from .touches import firm, firm_touches

BEGINS, ENDS = dt.date(2021, 1, 4), dt.date(2026, 10, 30)
WEBSITE = ("hubspot_form", "chatflow", "document_open", "meetings_link")
DETAILS_SINCE = pd.Timestamp(2024, 3, 1)
CAUSES_SINCE = pd.Timestamp(2026, 1, 1)  # of contacts before it the export does not say what set their status

# How the switches really were where portal.yaml is wrong or silent about them: an audit can find this out.
AS_THEY_WERE = {
    "hubspot_form/Pricing enquiry": (Change(None, True),),
    "chatflow/Live chat": (Change(None, True),),
    "integration/Shopware": (Change(None, False), Change(dt.datetime(2025, 6, 2), True)),
}


def firm_contacts(n: int, seed: int, portal: Portal) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The firm's contacts, and the touches that made them what they are.

    Arguments: n, how many touches there were from 2021 on; seed, as for `sample_touches`; portal, the firm's.
    Returns: the contacts, index contact_id, and the touches, without the actions of users. Those are planted instead:
    the contacts' column `planted` says "ticked" (on creation by hand), "set by hand", "waiting", or nothing.
    """
    touches = firm_touches(n, seed, BEGINS, ENDS)
    touches = touches[~touches.source.isin(ACTIONS)].astype({"source": "str", "asset": "str"})
    by_contact = touches.groupby("contact_id", sort=False)
    contacts = by_contact.first().rename(columns={"occurred_at": "created_at"})
    contacts["last_touch"] = by_contact.occurred_at.max()
    submissions = touches[touches.source.isin(FORMS)].groupby("contact_id", sort=False)
    contacts["submissions"] = submissions.size().reindex(contacts.index, fill_value=0)
    for which, ends in (("first", submissions.head(1)), ("recent", submissions.tail(1))):
        form = ends.set_index("contact_id").reindex(contacts.index)
        contacts[f"{which}_form"], contacts[f"{which}_form_at"] = form.asset.fillna(""), form.occurred_at
    made_by = made_marketing(touches, portal, *AS_THEY_WERE).reindex(contacts.index)
    contacts["marketing"] = made_by.notna()
    _plant(contacts, pd.Timestamp(portal.access_since or BEGINS))
    _name(contacts)
    _record(contacts)
    by_hand = contacts.planted.isin(["set by hand", "ticked"])
    cause = made_by.map({name: tool.get("sets", "") for name, tool in firm()["tools"].items()}).mask(
        by_hand, "USER_SET"
    )
    contacts["cause"] = cause.where(contacts.created_at >= CAUSES_SINCE).fillna("")
    return contacts, touches


def made_marketing(touches: pd.DataFrame, portal: Portal, *as_they_were: str) -> pd.Series[str]:
    """Which tool made whom a marketing contact; these switches being as they were, the others as the portal says."""
    histories = {switch: AS_THEY_WERE[switch] for switch in as_they_were}
    contacts = decide(touches, portal.model_copy(update={"switches": {**portal.switches, **histories}})).contacts
    decided_by = contacts.loc[contacts["status"] == MARKETING, "decided_by"].astype("str")
    return decided_by.str.partition("/")[0]


def one_in(every: int, contacts: pd.DataFrame) -> np.ndarray:
    """Some of the contacts, one in so many: always the same ones, whoever else is there."""
    chosen: np.ndarray = _drawn(contacts, 0) % np.uint64(every) == 0
    return chosen


def _drawn(contacts: pd.DataFrame, salt: int) -> np.ndarray:
    """A random number of each contact's own, another one for each salt."""
    numbers: np.ndarray = pd.util.hash_array(contacts.index.to_numpy(np.int64) * 100 + salt)
    return numbers


def _plant(contacts: pd.DataFrame, access: pd.Timestamp) -> None:
    """What users did by hand, mostly with contacts whom no tool has touched of late."""
    settled = (contacts.created_at > access) & (contacts.last_touch < pd.Timestamp(2026, 9, 1))
    by_hand = (contacts.source == "manual") & (contacts.created_at > DETAILS_SINCE)
    contacts["planted"] = ""
    for planted, marketing, whom, every in [
        ("ticked", True, ~contacts.marketing & by_hand, 4),
        ("set by hand", True, ~contacts.marketing & settled & (contacts.submissions == 0), 30),
        ("set by hand", False, contacts.marketing & settled, 20),
        ("waiting", True, contacts.marketing & settled, 25),
    ]:
        chosen = whom & (contacts.planted == "") & one_in(every, contacts)
        contacts.loc[chosen, ["planted", "marketing"]] = planted, marketing


def _name(contacts: pd.DataFrame) -> None:
    """A person behind each contact."""
    people, salts = firm()["people"], itertools.count(1)

    def draw(count: int) -> np.ndarray:
        return (_drawn(contacts, next(salts)) % np.uint64(count)).astype(np.int64)

    def drawn(values: str) -> list[Any]:
        return [people[values][number] for number in draw(len(people[values]))]

    contacts["first_name"], contacts["last_name"] = drawn("first_names"), drawn("last_names")
    contacts["email"] = [
        f"{_plain(first)[:1]}.{_plain(last)}{int(contact_id) % 1_000_000:06}@{domain}"
        for contact_id, first, last, domain in zip(
            contacts.index, contacts.first_name, contacts.last_name, drawn("domains"), strict=True
        )
    ]
    digits = draw(1_000).tolist()
    contacts["phone"] = [phone.format(three, three % 100) for phone, three in zip(drawn("phones"), digits, strict=True)]
    contacts["owner"], contacts["company"] = drawn("owners"), drawn("companies")
    contacts["lead_status"] = drawn("lead_statuses")
    contacts["bounce"] = np.where(draw(32) == 0, drawn("bounces"), "")
    contacts["origin"], contacts["drill_down"] = zip(*drawn("origins"), strict=True)
    contacts["unsubscribed"] = draw(16) == 0
    # Whom the firm pays for and never mails: a fifth of the marketing contacts, and the newest.
    sent_at = pd.Timestamp(ENDS) - pd.to_timedelta(draw(365), unit="D") + pd.Timedelta("10h")
    mailed = contacts.marketing & (sent_at > contacts.created_at) & (draw(5) != 0)
    contacts["mailed_at"] = pd.Series(sent_at, contacts.index).where(mailed)


def _plain(name: str) -> str:
    """The name's Latin letters, without their accents, or "x" where it has none."""
    decomposed = unicodedata.normalize("NFKD", name.lower()).encode("ascii", "ignore").decode()
    return "".join(filter(str.isalpha, decomposed)) or "x"


def _record(contacts: pd.DataFrame) -> None:
    """What HubSpot recorded about the creation, which is less for contacts from before it recorded details."""
    tools, rows = firm()["tools"], firm()["touches"]
    unlike = {row["asset"]: row["recorded_as"] for row in rows if "recorded_as" in row}
    position = _drawn(contacts, 99)
    recorded, details = [], []
    facts = position.tolist(), contacts.source, contacts.asset, contacts.owner
    for at, source, asset, owner in zip(*facts, strict=True):
        names = unlike.get(asset, tools[source]["recorded_as"])
        recorded.append(names[at % len(names)])
        details.append("" if names == ["CONVERSATIONS"] else tools[source]["detail"].format(asset=asset, owner=owner))
    old = contacts.created_at < DETAILS_SINCE
    contacts["recorded"] = np.where(old & (position % 8 == 0), "", recorded)
    contacts["detail"] = np.where(old & (position % 2 == 0), "", details)
    offline = ~contacts.source.isin(WEBSITE)
    contacts.loc[offline, "origin"] = "Offline Sources"
    contacts["drill_down"] = contacts.drill_down.mask(offline, pd.Series(recorded, contacts.index))
    contacts.loc[contacts.source == "non_hubspot_form", "drill_down"] = "ANALYTICS"
