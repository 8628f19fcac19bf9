"""The sentences: what a touch was for its contact, why, by which rule of which edition, and how far to trust it."""

from __future__ import annotations

import datetime as dt

import numpy as np

from marketable.portal.portal import Portal
from marketable.portal.update_dates import rests_on
from marketable.rulebook import NOT_COVERED, STATUSES, LifecycleRule, Reference, Rulebook
from marketable.rulebook.reader import TRUST, switch_name

from .cases import MARKETING_CODE, NOT_COVERED_CODE, Case, Cases
from .table import ROLES, STATUS_AFTER, STATUS_BEFORE, Role, Table

RULES = (
    "fixed default",
    "switch on",
    "switch off",
    "not covered",
    "upgrade",
    "undo",
    "unchanged",
    "set as marketing",
    "set as non-marketing",
    "update date",
    "before access",
    "access",
    "listed",
    "not counted",
)
_NUMBER = {name: number for number, name in enumerate(RULES)}

_UPGRADED = (Role.FROM_NON_MARKETING, Role.FROM_NOT_COVERED, Role.FROM_WAITING_NOT_COVERED)
_UNKNOWN = " The contact was not known before; the tool that created it is not covered."
_STAYS = (Role.STAYS_MARKETING, Role.STAYS_NON_MARKETING, Role.STAYS_NOT_COVERED)


class Explainer:
    """Turns an explanation's number (case × ROLES + role) into words. Each number is worded once."""

    def __init__(self, cases: Cases, table: Table, rulebook: Rulebook, portal: Portal) -> None:
        self._cases, self._table, self._life, self._portal = cases, table, rulebook.lifecycle, portal
        self._sets_marketing = table.is_action & table.makes
        self._known: dict[int, Case] = {}
        self._worded: dict[int, str] = {}

    def before(self, codes: np.ndarray) -> np.ndarray:
        """The status codes before touches, NONE where there is none."""
        return STATUS_BEFORE.take(codes % ROLES)

    def after(self, codes: np.ndarray) -> np.ndarray:
        """The status codes after touches, NONE where there is none."""
        case, role = np.divmod(codes, ROLES)
        created = np.where(self._sets_marketing[case], MARKETING_CODE, self._table.created[case])
        return np.where(role == Role.CREATED, created, STATUS_AFTER[role]).astype(np.int8)

    def rule(self, codes: np.ndarray) -> np.ndarray:
        """The rules, as numbers in RULES."""
        table = self._table
        case, role = np.divmod(codes, ROLES)
        switch = np.where(table.created == MARKETING_CODE, _NUMBER["switch on"], _NUMBER["switch off"])
        default = np.where(table.created == NOT_COVERED_CODE, _NUMBER["not covered"], _NUMBER["fixed default"])
        first_that_holds = {
            "before access": role == Role.BEFORE_ACCESS,
            "not counted": role == Role.NOT_COUNTED,
            "access": (role == Role.TOOK_EFFECT) & (case == table.access),
            "update date": role == Role.TOOK_EFFECT,
            "listed": case >= table.first_listed,
            "unchanged": np.isin(role, _STAYS),
            "set as non-marketing": case >= table.first_request,
            "undo": (role == Role.UNDID) | (role == Role.FROM_WAITING_NOT_COVERED),
            "set as marketing": self._sets_marketing[case],
            "upgrade": np.isin(role, _UPGRADED),
        }
        names = [_NUMBER[name] for name in first_that_holds]
        of_creation = np.where(table.could_create >= 0, switch, default)[case]
        return np.select(list(first_that_holds.values()), names, of_creation).astype(np.int8)

    def decided_by(self, code: int) -> str:
        """Which switch, source, action or event decided: `hubspot_form/Newsletter`, `mobile_app`, `set_marketing`,
        `access` …
        """
        case, role = divmod(code, ROLES)
        if case == self._table.access:
            return "access" if role == Role.TOOK_EFFECT else ""
        if case >= self._table.first_listed:
            return "listed"
        if case >= self._table.first_request:
            return "set_non_marketing"
        known = self._case(case)
        return switch_name(known.source, known.asset, known.rule.switch) or known.source

    def creator(self, case: int) -> tuple[str, str]:
        """Source and asset of the contacts that this case creates; what an action finds was created by a tool not
        covered.
        """
        if case >= self._table.first_request or self._table.is_action[case]:
            return NOT_COVERED, ""
        known = self._case(case)
        return known.source, known.asset

    def sentence(self, code: int) -> str:
        """The explanation in words, with its reference and trust."""
        if code not in self._worded:
            self._worded[code] = self._sentence(code)
        return self._worded[code]

    def _sentence(self, code: int) -> str:
        case, role = divmod(code, ROLES)
        if role == Role.NOT_COUNTED:
            return "Later than the moment that was asked about: not counted."
        if role == Role.BEFORE_ACCESS or case == self._table.access:
            return self._access(role)
        if case >= self._table.first_listed:
            return f"Listed among the contacts that existed before: {STATUSES[case - self._table.first_listed]}."
        if case >= self._table.first_request:
            return self._request(case - self._table.first_request, role)
        known = self._case(case)
        if known.source == "set_marketing":
            return self._set_marketing(role)
        return self._creation(known) if role == Role.CREATED else self._existing(known, role)

    def ambiguity(self, case: int) -> str:
        """Both readings of a creation between two editions that disagree."""
        return _ambiguity(self._case(case))

    def _case(self, case: int) -> Case:
        if case not in self._known:
            self._known[case] = self._cases.case(int(self._table.used[case]))
        return self._known[case]

    def _creation(self, known: Case) -> str:
        text = f"Created by {_tool(known)}"
        if known.rule.switch:
            text += f" while its switch was {_on(known)}: {known.created}."
        elif known.created != NOT_COVERED:
            text += f": {known.created}, a default that cannot be changed."
        else:
            text += f": {known.created}, the edition of {known.edition} does not say which status that sets."
        if known.created != known.newer_reading:
            text += f" {_ambiguity(known)}"
        return text + _source(known.rule.reference, known.edition)

    def _existing(self, known: Case, role: int) -> str:
        text = f"Touched by {_tool(known)}"
        if role in _UPGRADED or role == Role.UNDID:
            becomes = "becomes" if role in _UPGRADED else "stays"
            text += f" while its switch was on: an existing contact {becomes} marketing."
            if role in (Role.UNDID, Role.FROM_WAITING_NOT_COVERED):
                text += self._undone("undo_by_tool")
        else:
            status = STATUSES[STATUS_AFTER[role]]
            if role == Role.STAYS_MARKETING:
                why = "it was that already"
            elif known.rule.upgrades_existing:
                why = "the switch was off"
            elif known.rule.default == NOT_COVERED:
                why = f"the edition of {known.edition} does not say that this tool changes it"
            else:
                why = "this tool sets the status only of contacts that it creates"
            text += f": an existing contact stays {status}, {why}."
        upgrade = known.rule.upgrade_reference if known.rule.upgrades_existing else None
        return text + _source(upgrade or known.rule.reference, known.edition)

    def _set_marketing(self, role: int) -> str:
        if role == Role.STAYS_MARKETING:
            text = "Set as marketing, which it was already."
        elif role == Role.UNDID:
            text = f"Set as marketing.{self._undone('undo_by_hand')}"
        elif role == Role.FROM_WAITING_NOT_COVERED:
            text = f"Set as marketing: marketing at once.{self._undone('undo_by_hand')}"
        elif role == Role.CREATED:
            text = f"Set as marketing: marketing at once.{_UNKNOWN}"
        else:
            text = "Set as marketing: marketing at once."
        return text + _source(self._life["set_marketing"].reference)

    def _request(self, number: int, role: int) -> str:
        day = np.datetime64(int(self._table.dues[number]), "us").astype("datetime64[D]").item()
        behind = rests_on(day, self._portal.subscription)
        assumed = "" if behind != "update_date_short_month" else f" ({_told(self._life[behind])})"
        asked = self._life["set_non_marketing"]
        if role == Role.TOOK_EFFECT:
            text = f"Set as non-marketing: took effect on the update date {day}{assumed}."
        elif role == Role.STAYS_NON_MARKETING:
            text = "Set as non-marketing, which it was already."
        elif role in (Role.STAYS_MARKETING, Role.STAYS_NOT_COVERED):
            text = f"Set as non-marketing once more: it waits for the update date {day} already{assumed}."
        else:
            until = "it stays marketing and counts" if role == Role.ASKED_WHILE_MARKETING else "it stays not covered"
            text = f"Set as non-marketing: takes effect on the update date {day}{assumed}; until then {until}."
            if role == Role.CREATED:
                text += _UNKNOWN
        return text + _source(asked.reference)

    def _access(self, role: int) -> str:
        day, rule = self._portal.access_since, self._life["access"]
        if role == Role.BEFORE_ACCESS:
            text = f"Before {day} the account had no marketing contacts, and the contact no status."
        else:
            text = f"The account had this contact when it got marketing contacts on {day}: non-marketing."
        return text + _source(rule.reference)

    def _undone(self, by: str) -> str:
        return f" That undoes the wait for the update date ({_told(self._life[by])})."


def _tool(known: Case) -> str:
    return f"{known.rule.one} “{known.asset}”" if known.asset and known.rule.asset else known.rule.one


def _on(known: Case) -> str:
    return "on" if known.on else "off"


def _ambiguity(known: Case) -> str:
    return (
        f"The creation is ambiguous: the edition of {known.edition} reads {known.created}, "
        f"that of {known.next_edition} {known.newer_reading}, and the rule changed somewhere in between."
    )


def _source(reference: Reference, edition: dt.date | None = None) -> str:
    judged = f"Judged by the edition of {edition}. " if edition else ""
    return f" {judged}Source: {reference}."


def _told(rule: LifecycleRule) -> str:
    return f"{rule.says}; {TRUST[rule.reference.trust]}"


def trust_of(sentence: str) -> str:
    """How far to trust an explanation: the least trust that it names (a key of `TRUST`).

    >>> trust_of("It stays marketing (an assumption). Source: a page (trust H: read in HubSpot's own page).")
    'assumption'
    """
    return next((trust for trust in reversed(TRUST) if TRUST[trust] in sentence), "silent")
