"""What HubSpot recorded of how each contact's present status came about: it goes before rules and inferences."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import pandas as pd

from marketable.engine.moments import local_times
from marketable.engine.reach import Reach
from marketable.exports import Export
from marketable.exports.sources import folded
from marketable.exports.statuses import CAUSES, switched_causes
from marketable.portal.portal import split
from marketable.reading.alike import alike
from marketable.rulebook import MARKETING, NON_MARKETING

from .places import places

SAME_MOMENT = pd.Timedelta(minutes=5)
OF_SOURCE = {
    "hubspot_form": "form",
    "non_hubspot_form": "form",
    "import_single_object": "import",
    "import_multi_object": "import",
    "integration": "app",
    "chatflow": "conversation",
    "team_email": "conversation",
    "logged_email": "email",
    "email_extension": "email",
    "manual": "by hand",
    "associated_object": "by hand",
    "mobile_app": "by hand",
    "access": "other",
}
"""By what a rule says decided a status, the cause that HubSpot would have recorded of it."""
_WHAT = {
    "form": ("the form {}", "a form"),
    "import": ("the import {}", "an import"),
    "workflow": ("the workflow {}", "a workflow"),
    "by hand": ("somebody by hand", "somebody by hand"),
    "app": ("the app {}", "an app"),
    "ad": ("the ad {}", "an ad"),
    "conversation": ("the conversation {}", "a conversation"),
    "email": ("an e-mail", "an e-mail"),
    "sample": ("it is a sample contact", "it is a sample contact"),
    "other": ("{}", "something else"),
}


def recorded(export: Export, time_zone: str) -> pd.DataFrame:
    """By contact_id, for every contact of an export, what is recorded of its present status.

    Returns: cause (blank where none is recorded, or where the record ends with another status), detail, at (local time;
    missing where it is not told), and at_odds (bool: the record ends with another status).
    """
    told = export.statuses[export.statuses["cause"].notna()].drop_duplicates("contact_id", keep="last")
    index, status = export.contacts.index, export.contacts["status"]
    told = told.reset_index(drop=True).reindex(places(index, pd.Index(told["contact_id"]))).set_axis(index)
    is_told = told["status"].notna() & status.notna()
    explains = is_told & told["status"].eq(status.astype(told["status"].dtype))
    return pd.DataFrame(
        {
            "cause": told["cause"].cat.set_categories(["", *CAUSES]).where(explains, ""),
            "detail": told["detail"].where(explains, "").fillna("").astype("category"),
            "at": local_times(told["at"], time_zone),
            "at_odds": is_told & ~explains,
        }
    )


def apart(found: Reach, told: pd.DataFrame, marketing: np.ndarray) -> tuple[Reach, np.ndarray]:
    """The touches without those that a record rules out, and by contact whether it says anything about a switch.

    Whom a workflow or somebody by hand made what it is says nothing of the switches that reached it; whom a form made
    a marketing contact is a witness for that form alone.

    Arguments: told, as `recorded` has it, in the order of the contacts; marketing, by contact.
    """
    cause = told["cause"].cat.codes.to_numpy()
    named = cause > 0
    says = ~named | np.isin(cause, [CAUSES.index(each) + 1 for each in switched_causes()])
    made_by = named & says & marketing
    if not made_by.any():
        return found, says
    touched = np.flatnonzero(made_by[found.contact])
    detail = told["detail"].cat
    codes, causes = detail.codes.to_numpy()[found.contact[touched]], cause[found.contact[touched]]
    switches = found.switch[touched]
    first, number = alike(codes, causes, switches)
    assets = {folded(split(name)[1] or "") for name in found.switches}

    def fits(at: int) -> bool:
        if switches[at] < 0:
            return True
        source, asset = split(found.switches[switches[at]])
        name = folded(str(detail.categories[codes[at]]))
        same_name = not name or name not in assets or name == folded(asset or name)
        return OF_SOURCE.get(source) == CAUSES[causes[at] - 1] and same_name

    fitting = np.array([fits(at) for at in first], dtype=bool)[number]
    keeps = np.ones(len(found.contact), dtype=bool)
    keeps[touched] = fitting
    witnesses = np.bincount(found.contact[touched], fitting, minlength=len(cause)) > 0
    kept = replace(
        found, contact=found.contact[keeps], at=found.at[keeps], switch=found.switch[keeps], on=found.on[keeps]
    )
    return kept, says & (~made_by | witnesses)


def agrees_with(told: pd.DataFrame, outcome: pd.DataFrame, agrees: np.ndarray, touched: Iterable[str]) -> np.ndarray:
    """By contact, whether what is recorded is what the rules say.

    Arguments: told, as `recorded` has it; outcome, what `decide` says, in the same order; agrees, whether the statuses
    are the same; touched, the assets that touches name: a cause of such a name is none of another.
    """
    has = told["cause"].cat.codes.to_numpy() > 0
    if not has.any():
        return has
    decided = outcome["decided_by"].astype("category").cat
    kinds = [OF_SOURCE.get(split(str(name))[0], "") for name in decided.categories]
    assets = [folded(split(str(name))[1] or "") for name in decided.categories]
    details = [folded(str(text)) for text in told["detail"].cat.categories]
    known = {folded(asset) for asset in (*touched, *assets)} - {""}
    number, named = decided.codes.to_numpy(), told["detail"].cat.codes.to_numpy()
    first, which = alike(number, named)

    def fits(at: int) -> bool:
        by, name = number[at], details[named[at]]
        return bool(by < 0 or not name or name not in known or not assets[by] or name == assets[by])

    same_name = np.array([fits(at) for at in first], dtype=bool)[which]
    kind = np.array([*(CAUSES.index(kind) + 1 if kind else -1 for kind in kinds), -1])[number]
    same_kind = kind == told["cause"].cat.codes.to_numpy()
    at_creation = np.abs(told["at"].to_numpy() - outcome["created_at"].to_numpy()) <= SAME_MOMENT.to_timedelta64()
    result: np.ndarray = has & agrees & (at_creation | same_kind & same_name)
    return result


def sentences(told: pd.DataFrame, marketing: np.ndarray) -> tuple[np.ndarray, list[str]]:
    """By contact the number of the sentence that names the recorded cause, and the sentences; the first is blank.

    >>> frame = pd.DataFrame({"cause": ["workflow", ""], "detail": ["5551", ""]})
    >>> frame["at"] = pd.to_datetime(["2025-06-03", None])
    >>> frame = frame.astype({"cause": pd.CategoricalDtype(["", *CAUSES]), "detail": "category"})
    >>> sentences(frame, np.array([True, True]))[1][1]
    'HubSpot recorded what made it marketing: the workflow 5551, on 2025-06-03.'
    """
    cause, detail = told["cause"].cat, told["detail"].cat
    has = cause.codes.to_numpy() > 0
    number = np.zeros(len(told), dtype=np.int64)
    day = told["at"].to_numpy("datetime64[D]")[has]
    causes, details, made = cause.codes.to_numpy()[has], detail.codes.to_numpy()[has], marketing[has]
    first, which = alike(causes, details, made.astype(np.int8), np.unique(day, return_inverse=True)[1])
    number[has] = which + 1
    texts = [""]
    for at in first.tolist():
        on = "" if np.isnat(day[at]) else f", on {day[at]}"
        status = MARKETING if made[at] else NON_MARKETING
        what = called(cause.categories[causes[at]], detail.categories[details[at]])
        texts.append(f"HubSpot recorded what made it {status}: {what}{on}.")
    return number, texts


def called(cause: str, detail: str = "") -> str:
    """A cause in words.

    >>> called("form", "Newsletter"), called("form")
    ('the form Newsletter', 'a form')
    """
    named, plain = _WHAT[cause]
    return named.format(detail) if detail else plain


def is_upgrade(told: pd.DataFrame, outcome: pd.DataFrame, marketing: np.ndarray) -> np.ndarray:
    """By contact, whether a form is recorded to have made it marketing after its creation."""
    is_form = told["cause"].eq("form").to_numpy()
    if not is_form.any():
        return is_form
    at, created_at = told["at"].to_numpy(), outcome["created_at"].to_numpy()
    later = at - created_at > SAME_MOMENT.to_timedelta64()
    by_form = outcome["created_by"].isin([source for source, cause in OF_SOURCE.items() if cause == "form"]).to_numpy()
    result: np.ndarray = is_form & marketing & (later | np.isnat(at) & ~by_form)
    return result
