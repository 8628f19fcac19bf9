"""What HubSpot recorded of how each contact's present status came about: it goes before rules and inferences."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from marketable.engine.moments import moments
from marketable.engine.reach import Reach
from marketable.exports import Export
from marketable.exports.recorded import CAUSES, switched_causes
from marketable.exports.sources import folded
from marketable.portal.portal import split

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
    told = export.statuses
    last = told[told["cause"].notna()].drop_duplicates("contact_id", keep="last").set_index("contact_id")
    last = last[last.index.isin(export.contacts.index)]
    status = export.contacts["status"].reindex(last.index).astype("object")
    at_odds = last["status"].astype("object").ne(status) & status.notna()
    timed = last["at"].dropna()
    at = pd.Series(moments(timed, time_zone).wall.view("datetime64[us]"), timed.index)
    frame = pd.DataFrame(
        {
            "cause": last["cause"].astype("object").mask(at_odds | status.isna(), ""),
            "detail": last["detail"],
            "at": at.reindex(last.index).astype("datetime64[us]"),
            "at_odds": at_odds,
        }
    ).reindex(export.contacts.index)
    return frame.assign(
        cause=frame["cause"].fillna("").astype(pd.CategoricalDtype(["", *CAUSES])),
        detail=frame["detail"].fillna("").astype("category"),
        at_odds=frame["at_odds"].eq(True),
    )


def apart(found: Reach, told: pd.DataFrame, marketing: np.ndarray) -> tuple[Reach, np.ndarray]:
    """The touches without those that a record rules out, and by contact whether it says anything about a switch.

    Whom a workflow or somebody by hand made what it is says nothing of the switches that reached it; whom a form made
    a marketing contact is a witness for that form alone.

    Arguments: told, as `recorded` has it, in the order of the contacts; marketing, by contact.
    """
    cause = told["cause"].astype("object").to_numpy()
    named = cause != ""
    says = ~named | np.isin(cause, switched_causes())
    made_by = named & says & marketing
    if not made_by.any():
        return found, says
    touched = np.flatnonzero(made_by[found.contact])
    detail = told["detail"].cat
    codes = detail.codes.to_numpy()[found.contact[touched]].astype(np.int64)
    causes = told["cause"].cat.codes.to_numpy()[found.contact[touched]].astype(np.int64)
    width = len(found.switches) + 1
    packed = (codes * (len(CAUSES) + 1) + causes) * width + found.switch[touched] + 1
    distinct, number = np.unique(packed, return_inverse=True)
    assets = {folded(split(name)[1] or "") for name in found.switches}

    def fits(code: int) -> bool:
        rest, switch = divmod(code, width)
        at, kind = divmod(rest, len(CAUSES) + 1)
        if not switch:
            return True
        source, asset = split(found.switches[switch - 1])
        name = folded(str(detail.categories[at]))
        return OF_SOURCE.get(source) == CAUSES[kind - 1] and (name not in assets or name == folded(asset or name))

    fitting = np.array([fits(int(code)) for code in distinct], dtype=bool)[number]
    keeps = np.ones(len(found.contact), dtype=bool)
    keeps[touched] = fitting
    witnesses = np.bincount(found.contact[touched], fitting, minlength=len(cause)) > 0
    kept = replace(
        found, contact=found.contact[keeps], at=found.at[keeps], switch=found.switch[keeps], on=found.on[keeps]
    )
    return kept, says & (~made_by | witnesses)


def agrees_with(told: pd.DataFrame, outcome: pd.DataFrame, agrees: np.ndarray) -> np.ndarray:
    """By contact, whether what is recorded is what the rules say.

    Arguments: told, as `recorded` has it; outcome, what `decide` says, in the same order; agrees, whether the statuses
    are the same.
    """
    decided = outcome["decided_by"].astype("category").cat
    kinds = [OF_SOURCE.get(split(str(name))[0], "") for name in decided.categories]
    assets = [folded(split(str(name))[1] or "") for name in decided.categories]
    details = [folded(str(text)) for text in told["detail"].cat.categories]
    known = {asset for asset in assets if asset}
    number = decided.codes.to_numpy().astype(np.int64)
    packed = number * (len(details) + 1) + told["detail"].cat.codes.to_numpy() + 1
    distinct, which = np.unique(packed, return_inverse=True)

    def fits(code: int) -> bool:
        by, detail = divmod(code, len(details) + 1)
        name = details[detail - 1]
        return by < 0 or not name or name not in known or not assets[by] or name == assets[by]

    same_name = np.array([fits(int(code)) for code in distinct], dtype=bool)[which]
    kind = np.array([*kinds, ""], dtype=object)[number]
    same_kind = kind == told["cause"].astype("object").to_numpy()
    at_creation = ((told["at"] - outcome["created_at"]).abs() <= SAME_MOMENT).to_numpy()
    has = told["cause"].ne("").to_numpy()
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
    keys = pd.DataFrame(
        {
            "cause": told["cause"].cat.codes,
            "detail": told["detail"].cat.codes,
            "day": told["at"].dt.normalize(),
            "marketing": marketing,
        }
    )[told["cause"].ne("").to_numpy()]
    groups = keys.groupby(list(keys), sort=False, dropna=False)
    number = np.zeros(len(told), dtype=np.int64)
    number[told["cause"].ne("").to_numpy()] = groups.ngroup().to_numpy() + 1
    texts = [""]
    for cause, detail, day, is_marketing in keys[~keys.duplicated()].itertuples(index=False):
        name = str(told["detail"].cat.categories[detail])
        on = "" if pd.isna(day) else f", on {day:%Y-%m-%d}"
        status = "marketing" if is_marketing else "non-marketing"
        texts.append(f"HubSpot recorded what made it {status}: {called(CAUSES[cause - 1], name)}{on}.")
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
    later = told["at"] - outcome["created_at"] > SAME_MOMENT
    by_form = outcome["created_by"].astype("object").map(OF_SOURCE).eq("form")
    result: np.ndarray = (told["cause"].eq("form") & marketing & (later | told["at"].isna() & ~by_form)).to_numpy()
    return result
