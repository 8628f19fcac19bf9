"""What is told about marketing contacts and is wrong, held against the contacts of an export."""

from __future__ import annotations

import pandas as pd

from marketable.exports import Export
from marketable.rulebook import MARKETING, NOT_COVERED

from .explanations import AMBIGUOUS

_FIXED = ["chatflow", "logged_email", "team_email", "meetings_link"]


def myths(export: Export, explained: pd.DataFrame, likely: pd.Series) -> pd.DataFrame:
    """The myths that contacts of an export contradict.

    Arguments: explained, the contacts (see `explain`); likely, in their order, the statuses under the switches as they
    seem to be.
    Returns: index myth; contacts (whom it is about), against (those of them who contradict it), answer (a sentence).

    Source: every edition of HubSpot's article contradicts them; see the rulebook.
    """
    is_told, made = explained["actual"].notna(), likely.eq(MARKETING)
    untouched = is_told & ~made & ~explained["explanation"].isin([NOT_COVERED, AMBIGUOUS])
    is_marketing = explained["actual"].eq(MARKETING)
    rows = {
        "Imports make marketing contacts.": (
            explained["source"].eq("import_single_object") & untouched,
            ~is_marketing,
            "Of {contacts:,} contacts from imports whose box does not seem to have been ticked, and that nothing else "
            "made marketing contacts, {against:,} are non-marketing.",
        ),
        "Chatflows, e-mail and meetings make marketing contacts.": (
            explained["source"].isin(_FIXED) & untouched,
            ~is_marketing,
            "Of {contacts:,} contacts that they created, and that nothing else made marketing contacts, {against:,} "
            "are non-marketing. Only a chatflow has a switch, which is off until somebody turns it on.",
        ),
        "Setting contacts as non-marketing works at once.": (
            is_told & export.contacts["waiting"],
            is_marketing,
            "{against:,} contacts have been set as non-marketing, and count until the next update date.",
        ),
    }
    if "bounced" in export.details:
        rows["A form contact without a deliverable e-mail stays non-marketing."] = (
            is_told & explained["source"].eq("hubspot_form") & made & export.details["bounced"].eq(True),
            is_marketing,
            "Of {contacts:,} contacts whose mail bounced, and whose form was on, {against:,} are marketing contacts: "
            "the form's switch decides.",
        )
    found = {}
    for myth, (about, against, answer) in rows.items():
        contacts, contradicting = int(about.sum()), int((about & against).sum())
        found[myth] = contacts, contradicting, answer.format(contacts=contacts, against=contradicting)
    frame = pd.DataFrame.from_dict(found, orient="index", columns=["contacts", "against", "answer"])
    return frame[frame["against"] > 0].rename_axis("myth")
