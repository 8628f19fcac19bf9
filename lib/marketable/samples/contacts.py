"""The made-up firm's contacts on 2026-10-31: who they are, what HubSpot recorded about them, and their statuses."""

from __future__ import annotations

import datetime as dt
import unicodedata
from typing import Any

import numpy as np
import pandas as pd

from marketable.exports.contacts import FORMS
from marketable.portal.portal import Change, Portal
from marketable.rulebook import ACTIONS, MARKETING, Rulebook

from .touches import firm, firm_touches

BEGINS, ENDS = dt.date(2021, 1, 4), dt.date(2026, 10, 30)
WEBSITE = ("hubspot_form", "chatflow", "document_open", "meetings_link")
DETAILS_SINCE = pd.Timestamp(2024, 3, 1)

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
    contacts["marketing"] = contacts.index.isin(_marketing(touches, portal))
    _plant(contacts, pd.Timestamp(portal.access_since or BEGINS))
    _name(contacts, seed)
    _record(contacts)
    return contacts, touches


def _marketing(touches: pd.DataFrame, portal: Portal) -> set[str]:
    """Whom the tools made marketing contacts, the switches being as they were."""
    portal = portal.model_copy(update={"switches": {**portal.switches, **AS_THEY_WERE}})
    rulebook, access = Rulebook.load(), pd.Timestamp(portal.access_since or BEGINS)
    known: set[str] = set()
    marketing: set[str] = set()
    for contact_id, at, source, asset in touches.itertuples(index=False):
        rule = rulebook.on(at.date())[source]
        told = portal.is_on(rule.switch_name(asset) or "", at)
        on = rule.default_on if told is None else told
        becomes = rule.upgrades_existing and on if contact_id in known else rule.when_created(on) == MARKETING
        if becomes and at >= access:
            marketing.add(contact_id)
        known.add(contact_id)
    return marketing


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
        chosen = contacts.index[whom & (contacts.planted == "")][::every]
        contacts.loc[chosen, ["planted", "marketing"]] = planted, marketing


def _name(contacts: pd.DataFrame, seed: int) -> None:
    """A person behind each contact."""
    people, count = firm()["people"], len(contacts)
    draws = iter(np.random.PCG64(seed).random_raw(14 * count).reshape(14, count))

    def drawn(values: str) -> list[Any]:
        return [people[values][draw] for draw in (next(draws) % len(people[values])).tolist()]

    contacts["first_name"], contacts["last_name"] = drawn("first_names"), drawn("last_names")
    contacts["email"] = [
        f"{_plain(first)[:1]}.{_plain(last)}{number}@{domain}"
        for number, (first, last, domain) in enumerate(
            zip(contacts.first_name, contacts.last_name, drawn("domains"), strict=True), start=100
        )
    ]
    digits = (next(draws) % 1_000).tolist()
    contacts["phone"] = [phone.format(three, three % 100) for phone, three in zip(drawn("phones"), digits, strict=True)]
    contacts["owner"], contacts["company"] = drawn("owners"), drawn("companies")
    contacts["lead_status"] = drawn("lead_statuses")
    contacts["bounce"] = np.where(next(draws) % 32 == 0, drawn("bounces"), "")
    contacts["origin"], contacts["drill_down"] = zip(*drawn("origins"), strict=True)
    contacts["unsubscribed"] = next(draws) % 16 == 0
    # Whom the firm pays for and never mails: a fifth of the marketing contacts, and the newest.
    sent_at = pd.Timestamp(ENDS) - pd.to_timedelta((next(draws) % 365).astype(np.int64), unit="D") + pd.Timedelta("10h")
    mailed = contacts.marketing & (sent_at > contacts.created_at) & (next(draws) % 5 != 0)
    contacts["mailed_at"] = pd.Series(sent_at, contacts.index).where(mailed)


def _plain(name: str) -> str:
    """The name's Latin letters, without their accents, or "x" where it has none."""
    decomposed = unicodedata.normalize("NFKD", name.lower()).encode("ascii", "ignore").decode()
    return "".join(filter(str.isalpha, decomposed)) or "x"


def _record(contacts: pd.DataFrame) -> None:
    """What HubSpot recorded about the creation, which is less for contacts from before it recorded details."""
    tools, rows = firm()["tools"], firm()["touches"]
    unlike = {row["asset"]: row["recorded_as"] for row in rows if "recorded_as" in row}
    position = np.arange(len(contacts))
    recorded, details = [], []
    for at, source, asset, owner in zip(position, contacts.source, contacts.asset, contacts.owner, strict=True):
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
