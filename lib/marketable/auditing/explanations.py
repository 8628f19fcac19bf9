"""One explanation for each contact of an export: why its status is what it is, against what the rules expect.

What HubSpot recorded goes before what the rules expect, and that before what is inferred.

What the rules expect is told twice: under the switches as the portal has them, and under the switches as the statuses
say they were. Where only the second agrees with the status, a switch is not as the portal says; where neither does,
something happened that an export does not show.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from marketable.engine import Outcome
from marketable.engine.sentences import trust_of
from marketable.exports import Export
from marketable.portal.portal import split
from marketable.reading.alike import alike
from marketable.rulebook import MARKETING, NON_MARKETING, NOT_COVERED, STATUSES, Rulebook

from .causes import agrees_with, is_upgrade, sentences
from .evidence import Evidence

RECORDED = "recorded by HubSpot"
AS_EXPECTED = "as expected"
UPGRADED = "upgraded by a form after creation"
SWITCH = "a switch is not as the portal says"
BY_HAND = "set by hand, import or workflow"
WAITING = "waiting for the update date"
OLDER = "older than access"
AMBIGUOUS = "ambiguous"
NOT_TOLD = "status not told"
EXPLANATIONS = (AS_EXPECTED, UPGRADED, SWITCH, RECORDED, BY_HAND, WAITING, OLDER, AMBIGUOUS, NOT_COVERED, NOT_TOLD)
MEANINGS = {
    AS_EXPECTED: "The rules and the portal's switches make it what it is.",
    UPGRADED: "It was there already, and a form that was on made it a marketing contact.",
    SWITCH: "A switch seems to have been other than the portal says: the other contacts that it reached tell the same.",
    RECORDED: "No rule or switch made it so: HubSpot recorded who or what did.",
    BY_HAND: "Neither a rule nor a switch explains it. Something changed it that an export does not show.",
    WAITING: "It was set as non-marketing, and counts until the next update date.",
    OLDER: "It was there before the account had marketing contacts, and nothing has made it one since.",
    AMBIGUOUS: "What the export tells fits more than one tool, switch or edition of the article.",
    NOT_COVERED: "HubSpot's article does not say which status its tool sets, whoever created it may have ticked a box, "
    "or the export does not tell its tool.",
    NOT_TOLD: "The export does not tell its status.",
}
TRUSTS = ("recorded", "H", "M", "assumption", "inferred", "silent")

_LATER = {
    MARKETING: "An export does not show what did: somebody by hand, an import, a workflow, or a form sent between the "
    "first and the latest one.",
    NON_MARKETING: "An export does not show who set it as non-marketing since: somebody by hand, or a workflow.",
}
_UNTOLD = "The export does not tell what created it, and nothing that it tells of since explains the status."
_AS_GIVEN = "as the portal has it, which the statuses do not bear out."
_WAITS = "It was set as non-marketing, counts until the next update date, and is non-marketing from then on."
_BECAUSE = {
    "chat": "Recorded as CONVERSATIONS: a team e-mail, or a live chat, which alone has a switch. It could be a live "
    "chat whose switch is on.",
    "unnamed": "The export does not name the form, chatflow, app or import, so its switch is not known.",
    "": "It was created between two editions of HubSpot's article that disagree, and is as the newer one says.",
}


def explain(export: Export, expected: Outcome, likely: Outcome, found: Evidence) -> pd.DataFrame:
    """The contacts of an export, each with its explanation.

    Arguments: expected, what `decide` says under the portal's switches; likely, the same under those that the statuses
    show; found, what they show, and what is recorded.
    Returns: index contact_id; created_at, source, asset, certainty (as the export has them), expected and actual
    (status), explanation (one of EXPLANATIONS), trust (of TRUSTS), reason (a sentence).
    """
    contacts = export.contacts
    second = found.as_exported(likely.contacts)
    first = second if expected is likely else found.as_exported(expected.contacts)
    status = pd.CategoricalDtype(list(STATUSES))
    actual = contacts["status"].astype(status)
    is_told, is_marketing = actual.notna().to_numpy(), actual.eq(MARKETING).to_numpy()
    agrees = actual.cat.codes.to_numpy() == second["status"].cat.codes.to_numpy()
    agreed = actual.cat.codes.to_numpy() == first["status"].cat.codes.to_numpy()
    is_chat = (contacts["source"].eq("team_email") & contacts["certainty"].eq("ambiguous")).to_numpy()
    # A switch that is not named may have made a contact marketing; nobody is non-marketing because of it.
    unnamed = [name for name in second["decided_by"].cat.categories if split(name)[1] == ""]
    made_by_unnamed = is_marketing | second["decided_by"].isin(unnamed).to_numpy()
    told = found.recorded
    has = told["cause"].ne("").to_numpy()
    is_borne_out = agrees_with(told, second, agrees, export.touches["asset"].cat.categories)
    by_form = is_upgrade(told, second, is_marketing)
    is_unnamed = found.unnamed & made_by_unnamed
    has_two_readings = likely.read_twice.to_numpy()[found.place]
    is_uncovered = second["status"].eq(NOT_COVERED).to_numpy()
    # Whoever created it may have ticked a box, whatever the default of that day was: the article never says.
    is_ticked = is_marketing & (is_uncovered | ~agrees) & second["decided_by"].isin(Rulebook.load().ticked).to_numpy()
    first_that_holds = [
        (NOT_TOLD, ~is_told),
        (WAITING, contacts["waiting"].to_numpy() & is_marketing),
        (UPGRADED, has & ~is_borne_out & by_form),
        (RECORDED, has & ~is_borne_out),
        (NOT_COVERED, is_uncovered | is_ticked),
        (OLDER, agrees & second["decided_by"].eq("access").to_numpy()),
        (SWITCH, agrees & ~agreed),
        (UPGRADED, agrees & is_marketing & (second["since"] > second["created_at"]).to_numpy()),
        (AS_EXPECTED, agrees),
        (AMBIGUOUS, is_unnamed | has_two_readings | is_chat & is_marketing),
    ]
    names = [*(name for name, _ in first_that_holds), BY_HAND]
    number = np.select([holds for _, holds in first_that_holds], np.arange(len(names) - 1), len(names) - 1)
    explanation = pd.Series(_category(number, names), contacts.index)
    is_switch = number == names.index(SWITCH)
    is_not_covered = number == names.index(NOT_COVERED)
    lost = is_not_covered & is_uncovered & first["status"].ne(NOT_COVERED).to_numpy()
    # The switch that makes the difference decided the one outcome where the contact is marketing, else the other.
    by_second = is_switch & is_marketing
    deciders = first["decided_by"].cat.categories.union(second["decided_by"].cat.categories, sort=False)
    by_one, by_other = (each["decided_by"].cat.set_categories(deciders) for each in (second, first))
    kinds = pd.DataFrame(
        {
            "explanation": explanation,
            "expected": first["status"],
            "actual": actual,
            "likely": second["status"],
            "certainty": contacts["certainty"],
            "rule": second["reason"],
            "switch": by_one.where(by_second, by_other).where(is_switch | lost),
            "recorded": contacts["source"].ne(NOT_COVERED) | contacts["asset"].ne(""),
            "ticked": second["decided_by"].where(is_ticked & is_not_covered),
            "because": _first({"unnamed": is_unnamed, "chat": is_chat}),
            "record": _first({"as the rules": is_borne_out, "so anyway": has & agrees, "alone": has}),
        }
    )
    # A cause without a time is of the moment at which the rules, too, have it.
    if is_borne_out.any():
        since = second["since"].where(is_borne_out & is_marketing)
        told = told.assign(at=told["at"].fillna(since.set_axis(told.index)))
    number, distinct = _kinds(kinds)
    return contacts[["created_at", "source", "asset", "certainty"]].assign(
        expected=first["status"],
        actual=actual,
        explanation=explanation.cat.set_categories(list(EXPLANATIONS)),
        trust=_category(number, [_trust(kind, found) for kind in distinct], TRUSTS),
        reason=_one_behind_the_other(
            sentences(told, is_marketing), (number, [_reason(kind, found) for kind in distinct])
        ),
    )


def _one_behind_the_other(*parts: tuple[np.ndarray, list[str]]) -> pd.Categorical[Any]:
    """By row two texts behind one another, each the number of one of some texts."""
    (first, firsts), (second, seconds) = parts
    distinct, number = np.unique(first.astype(np.int64) * len(seconds) + second, return_inverse=True)
    pairs = [divmod(int(code), len(seconds)) for code in distinct]
    return _category(number, [f"{firsts[at]} {seconds[then]}".strip() for at, then in pairs])


def _category(number: np.ndarray, texts: list[str], among: Sequence[str] = ()) -> pd.Categorical[Any]:
    """By row one of some texts, not yet unique."""
    distinct = list(among or dict.fromkeys(texts))
    place = {text: at for at, text in enumerate(distinct)}
    codes = np.array([place[text] for text in texts], dtype=np.int32)
    return pd.Categorical.from_codes(codes[number], dtype=pd.CategoricalDtype(pd.Index(distinct, dtype="str")))


def _first(holds: dict[str, np.ndarray]) -> pd.Categorical[Any]:
    """By row the first name that holds, else blank."""
    return _category(np.select(list(holds.values()), list(range(len(holds))), len(holds)), [*holds, ""])


def _kinds(kinds: pd.DataFrame) -> tuple[np.ndarray, list[dict[str, Any]]]:
    """The number of each row among the distinct ones, and these; what is missing is blank."""
    first, number = alike(*(kinds[name].astype("category").cat.codes.to_numpy() for name in kinds))
    distinct = kinds.iloc[first].astype("object")
    distinct = distinct.where(distinct.notna(), "")
    return number, [dict(zip(kinds.columns, row, strict=True)) for row in distinct.to_numpy().tolist()]


def _reason(kind: dict[str, Any], found: Evidence) -> str:
    explanation, actual = kind["explanation"], kind["actual"]
    if explanation == NOT_TOLD:
        return f"The export does not tell its status. {kind['rule']}"
    unlike = f"Expected {kind['expected']}, but it is {actual}. "
    if explanation == WAITING:
        return f"{_WAITS} {kind['rule']}"
    if kind["record"] == "so anyway":
        return f"By the rules, too, it is so. {kind['rule']}"
    if kind["record"] == "alone":
        return f"By the rules alone it would be {kind['likely']}. {kind['rule']}"
    if explanation == SWITCH:
        seen = found.switches["evidence"].get(kind["switch"], "")
        was = "on" if actual == MARKETING else "off"
        return f"{unlike}{kind['switch']} seems to have been {was}. {seen} If so: {kind['rule']}"
    if explanation == AMBIGUOUS:
        return f"{unlike}{_BECAUSE[kind['because']]} {kind['rule']}"
    if explanation == BY_HAND:
        other = NON_MARKETING if actual == MARKETING else MARKETING
        return f"By the rules it would be {other}, but it is {actual}. {_LATER[actual]} {kind['rule']}"
    if explanation == NOT_COVERED:
        why = f"Expected {kind['expected']} through {kind['switch']} {_AS_GIVEN} " if kind["switch"] else ""
        box = ""
        if kind["ticked"]:
            read = Rulebook.load().newest[kind["ticked"]].ticked
            box = f"Whoever created it may have ticked the box that makes a new contact marketing: {read}. "
        return f"It is {actual}. {why}{box}{kind['rule'] if kind['recorded'] else _UNTOLD}"
    return str(kind["rule"])


def _trust(kind: dict[str, Any], found: Evidence) -> str:
    if kind["record"]:
        return "recorded"
    if kind["explanation"] in (SWITCH, BY_HAND, AMBIGUOUS) or (kind["explanation"] == OLDER and found.access_seen):
        return "inferred"
    if kind["explanation"] in (NOT_COVERED, NOT_TOLD):
        return "silent"
    trust = trust_of(kind["rule"])
    return "M" if trust == "H" and kind["certainty"] in ("likely", "ambiguous") else trust
