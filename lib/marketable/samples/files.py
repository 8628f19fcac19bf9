"""The made-up firm's touches and contacts as files: a batch, and copies from HubSpot, its API and a data warehouse.

`python -m marketable.samples.files data` writes the files anew, byte by byte the same, from `data/portal.yaml`.
"""

from __future__ import annotations

import csv
import json
import sys
import uuid
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from marketable.exports.contacts import FORMS
from marketable.paths import write_whole
from marketable.portal.portal import Portal

from .contacts import AS_THEY_WERE, DETAILS_SINCE, firm_contacts, made_marketing, one_in
from .touches import firm, sample_touches

LABELS = {"CRM_UI": "CRM UI", "BOT": "Bot Chatflow", "ENGAGEMENTS": "Activities", "BCC_TO_CRM": "BCC'd Email"}


def sample_files(portal: Portal) -> dict[str, str]:
    """The sample files, from the file's name to its text.

    Arguments: portal, the made-up firm's: `data/portal.yaml`.

    >>> sorted(sample_files(Portal()))[:2]
    ['api_contacts.json', 'fivetran_contact.csv']
    """
    contacts, made_by = firm_contacts(2_700, 11, portal)
    everybody, touches = firm_contacts(12_000, 12, portal)
    often = everybody.submissions > 1
    warehouse = everybody[np.where(often, one_in(2, everybody), one_in(71, everybody))]
    submissions = touches[touches.source.isin(FORMS) & touches.contact_id.isin(warehouse.index)]
    return {
        "touches.csv": _csv(sample_touches(2_000, seed=1)),
        "hubspot-crm-exports-all-contacts-2026-10-31.csv": _csv(_export(contacts), csv.QUOTE_ALL),
        "fivetran_contact.csv": _csv(_warehouse_contacts(warehouse)),
        "fivetran_contact_form_submission.csv": _csv(_warehouse_submissions(submissions)),
        "planted.md": _planted(contacts, made_by, portal),
        "api_contacts.json": _json(_api_page(contacts[one_in(37, contacts)], portal.time_zone)),
    }


def _planted(contacts: pd.DataFrame, touches: pd.DataFrame, portal: Portal) -> str:
    """What an audit of the sample export can find, and how many contacts each of it concerns."""
    marketing, created = contacts.marketing, contacts.created_at
    access = pd.Timestamp(portal.access_since or created.min())
    expected = len(made_marketing(touches, portal))
    form, chat, app = (len(made_marketing(touches, portal, switch)) - expected for switch in AS_THEY_WERE)
    by_hand, both = contacts.planted == "set by hand", sum(contacts.recorded == "CONVERSATIONS")
    set_to = by_hand & marketing
    facts = {
        "contacts in the export, and how many of them are marketing": f"{len(contacts):,}, {marketing.sum():,}",
        "more are marketing, for the form *Pricing enquiry* was on all the time, though the portal says off": form,
        "more, for the *Live chat* was on, though the portal does not list it": chat,
        "more, for the app *Shopware* has been on since 2 June 2025, though the portal says off": app,
        "created by the *Live chat* or by a team e-mail: HubSpot records both as CONVERSATIONS": both,
        "set as marketing by hand, set as non-marketing by hand": f"{sum(set_to)}, {sum(by_hand) - sum(set_to)}",
        "created by hand with the box ticked": sum(contacts.planted == "ticked"),
        "waiting to become non-marketing on 1 November 2026": sum(contacts.planted == "waiting"),
        "older than the account's marketing contacts": sum(created < access),
        "created before March 2024: no record source at all, no detail": f"{sum(contacts.recorded == '')}, "
        f"{sum((created < DETAILS_SINCE) & (contacts.detail == ''))}",
    }
    rows = "".join(f"| {fact} | {count} |\n" for fact, count in facts.items())
    return f"# What was planted in the sample export\n\n| contacts | how many |\n|---|---|\n{rows}"


def main(folder: str) -> None:
    """Writes the sample files of the portal in the folder beside it."""
    for name, text in sample_files(Portal.load(Path(folder, "portal.yaml"))).items():
        write_whole(Path(folder, name), text.encode())


def _csv(table: pd.DataFrame, quoting: Literal[0, 1] = csv.QUOTE_MINIMAL) -> str:
    return table.to_csv(index=False, lineterminator="\n", date_format="%Y-%m-%dT%H:%M:%S", quoting=quoting)


def _json(page: dict[str, object]) -> str:
    return json.dumps(page, indent=1, ensure_ascii=False) + "\n"


def _export(contacts: pd.DataFrame) -> pd.DataFrame:
    """A contacts export of HubSpot: its default columns, then those which its user added to the view."""
    companies = {name: str(9_041_700 + at) if name else "" for at, name in enumerate(firm()["people"]["companies"])}
    return pd.DataFrame(
        {
            "Record ID": contacts.index,
            "First Name": contacts.first_name,
            "Last Name": contacts.last_name,
            "Email": contacts.email,
            "Phone Number": contacts.phone,
            "Contact owner": contacts.owner,
            "Primary Associated Company ID": contacts.company.map(companies),
            "Last Activity Date": _minute(contacts.last_touch),
            "Lead Status": contacts.lead_status,
            "Marketing contact status": np.where(contacts.marketing, "Marketing contact", "Non-marketing contact"),
            "Create Date": _minute(contacts.created_at),
            "Associated Company": contacts.company,
            "Record source": [LABELS.get(name, name.replace("_", " ").title()) for name in contacts.recorded],
            "Record source detail 1": contacts.detail,
            "Marketing contact until next update": np.where(contacts.planted == "waiting", "Yes", "No"),
            "First Conversion": contacts.first_form.map(_conversion),
            "First Conversion Date": _minute(contacts.first_form_at),
            "Recent Conversion": contacts.recent_form.map(_conversion),
            "Recent Conversion Date": _minute(contacts.recent_form_at),
            "Number of Form Submissions": contacts.submissions,
            "Unsubscribed from all email": np.where(contacts.unsubscribed, "Yes", "No"),
            "Email hard bounce reason": contacts.bounce,
            "Last marketing email send date": _minute(contacts.mailed_at),
            "Marketing contact status source type": contacts.cause,
            "Original Source": contacts.origin,
            "Original Source Drill-Down 1": contacts.drill_down,
        }
    )


def _warehouse_contacts(contacts: pd.DataFrame) -> pd.DataFrame:
    """Fivetran's table `contact`."""
    return pd.DataFrame(
        {
            "id": contacts.index,
            "_fivetran_deleted": "false",
            "_fivetran_synced": "2026-10-31 03:10:00",
            "property_createdate": contacts.created_at.astype("str"),
            "property_email": contacts.email,
            "property_hs_object_source": contacts.recorded,
            "property_hs_object_source_detail_1": contacts.detail,
            "property_hs_marketable_status": _boolean(contacts.marketing),
            "property_hs_marketable_until_renewal": _boolean(contacts.planted == "waiting"),
        }
    )


def _warehouse_submissions(submissions: pd.DataFrame) -> pd.DataFrame:
    """Fivetran's table `contact_form_submission`."""
    moments = submissions.occurred_at.astype("str")
    pages = submissions.asset.map(_pages())
    return pd.DataFrame(
        {
            "timestamp": moments,
            "form_id": submissions.asset.map(_uuid),
            "contact_id": submissions.contact_id,
            "conversion_id": (submissions.contact_id + moments).map(_uuid),
            "page_id": pages.map(lambda page: _uuid(page).node % 10**11),
            "page_url": "https://www.example.com/" + pages.str.lower().str.replace(r"\W+", "-", regex=True),
            "portal_id": 4_815_162,
            "title": submissions.asset,
        }
    )


def _api_page(contacts: pd.DataFrame, time_zone: str) -> dict[str, object]:
    """A page of HubSpot's API, version 3: every value is text, times are in UTC."""

    def utc(times: pd.Series[pd.Timestamp]) -> pd.Series[str]:
        in_utc = times.dt.tz_localize(time_zone).dt.tz_convert("UTC")
        return in_utc.dt.strftime("%Y-%m-%dT%H:%M:%S.000Z").fillna("")

    properties = pd.DataFrame(
        {
            "createdate": utc(contacts.created_at),
            "email": contacts.email,
            "first_conversion_date": utc(contacts.first_form_at),
            "first_conversion_event_name": contacts.first_form.map(_conversion),
            "firstname": contacts.first_name,
            "hs_marketable_status": _boolean(contacts.marketing),
            "hs_marketable_until_renewal": _boolean(contacts.planted == "waiting"),
            "hs_object_id": contacts.index,
            "hs_object_source": contacts.recorded,
            "hs_object_source_detail_1": contacts.detail,
            "hs_object_source_label": contacts.recorded,
            "lastname": contacts.last_name,
            "num_conversion_events": contacts.submissions.astype("str"),
            "recent_conversion_date": utc(contacts.recent_form_at),
            "recent_conversion_event_name": contacts.recent_form.map(_conversion),
        }
    )
    results = [
        {
            "id": entry["hs_object_id"],
            "properties": {name: value or None for name, value in entry.items()},
            "createdAt": entry["createdate"],
            "updatedAt": "2026-10-31T02:10:00.000Z",
            "archived": False,
        }
        for entry in properties.to_dict("records")
    ]
    after = results[-1]["id"]
    link = f"https://api.hubapi.com/crm/v3/objects/contacts?after={after}"
    return {"results": results, "paging": {"next": {"after": after, "link": link}}}


def _pages() -> dict[str, str]:
    return {row["asset"]: row["page"] for row in firm()["touches"] if "page" in row}


def _conversion(form: str) -> str:
    return f"{_pages()[form]}: {form}" if form else ""


def _minute(times: pd.Series[pd.Timestamp]) -> pd.Series[str]:
    return times.dt.strftime("%Y-%m-%d %H:%M")


def _boolean(values: pd.Series) -> np.ndarray:
    return np.where(values, "true", "false")


def _uuid(name: str) -> uuid.UUID:
    return uuid.uuid5(uuid.NAMESPACE_URL, f"https://www.example.com/{name}")


if __name__ == "__main__":
    main(*sys.argv[1:])
