"""The status rules once more: slow, obvious, and written from the specification alone. Nothing here is imported from
the package. The rule table is typed again from the domain notes, and every contact is walked touch by touch, so that
the vectorised engine can be tested against something a person can check by reading it beside section 3 of the design:
"rule 5" in a comment means number 5 there.
"""

from __future__ import annotations

import calendar
import copy
import itertools
import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

MARKETING, NON_MARKETING, NOT_COVERED = "marketing", "non-marketing", "not covered"
ACTIONS = ("set_marketing", "set_non_marketing")


# ---- The rulebook: what each tool does, edition by edition ----


@dataclass(frozen=True)
class Rule:
    default: str  # a new contact's status; for a tool with a switch, while nobody has touched the switch
    switch: str | None  # "asset": one for each form, app ...; "account": one for all; None: the default is fixed
    upgrades_existing: bool  # with the switch on, also makes an existing contact marketing


EDITIONS: tuple[date, ...] = (
    SEPTEMBER_2020 := date(2020, 9, 23),
    JUNE_2021 := date(2021, 6, 24),
    AUGUST_2021 := date(2021, 8, 5),
    DECEMBER_2021 := date(2021, 12, 30),
    AUGUST_2022 := date(2022, 8, 17),
    date(2023, 1, 19),
    JUNE_2023 := date(2023, 6, 28),
    date(2023, 11, 10),
    date(2024, 2, 14),
    date(2026, 1, 21),
)

SILENT = Rule(NOT_COVERED, None, False)
FIXED_NON_MARKETING = Rule(NON_MARKETING, None, False)

# Only the editions where the value changes. Before its first entry a tool is not covered.
RULES: dict[str, dict[date, Rule]] = {
    "hubspot_form": {DECEMBER_2021: Rule(MARKETING, "asset", True)},
    "non_hubspot_form": {SEPTEMBER_2020: Rule(MARKETING, None, False), DECEMBER_2021: Rule(MARKETING, "account", True)},
    "chatflow": {SEPTEMBER_2020: Rule(NON_MARKETING, "asset", False)},
    "import_single_object": {SEPTEMBER_2020: Rule(NON_MARKETING, "asset", True)},
    "import_multi_object": {SEPTEMBER_2020: Rule(NON_MARKETING, "asset", False), AUGUST_2022: FIXED_NON_MARKETING},
    "integration": {JUNE_2021: Rule(NON_MARKETING, "asset", False)},
    **dict.fromkeys(
        ("mobile_app", "logged_email", "team_email", "document_open", "meetings_link", "email_extension"),
        {AUGUST_2021: FIXED_NON_MARKETING},
    ),
    **dict.fromkeys(("manual", "associated_object"), {AUGUST_2021: FIXED_NON_MARKETING, JUNE_2023: SILENT}),
    NOT_COVERED: {},
}


def rule_on(source: str, edition: date) -> Rule:
    rule = SILENT
    for changed, value in sorted(RULES[source].items()):
        if changed <= edition:
            rule = value
    return rule


def edition_on(day: date) -> date:
    """Rule 2: the newest edition on or before the day; before the first edition, the first."""
    return max((edition for edition in EDITIONS if edition <= day), default=EDITIONS[0])


# ---- Time ----


def at_midnight(day: date) -> datetime:
    return datetime.combine(day, time.min)


def to_local(moment: datetime, zone: ZoneInfo) -> datetime:
    """Rule 11: the account's wall clock, without a zone."""
    if moment.tzinfo is None:
        return moment
    return moment.astimezone(zone).replace(tzinfo=None, fold=0)


def to_instant(moment: datetime, zone: ZoneInfo) -> datetime:
    # In UTC, because Python compares two times of the same zone by their wall clocks.
    return (moment.replace(tzinfo=zone) if moment.tzinfo is None else moment).astimezone(UTC)


def is_update_date(day: date, subscription: dict[str, Any]) -> bool:
    """Rule 9."""
    if subscription["commitment"] == "yearly":
        return day.day == 1
    last_day_of_month = calendar.monthrange(day.year, day.month)[1]
    return day.day == min(subscription["renewal"].day, last_day_of_month)


def update_date_after(day: date, subscription: dict[str, Any]) -> date:
    day += timedelta(days=1)
    while not is_update_date(day, subscription):
        day += timedelta(days=1)
    return day


# ---- Switches and what a single touch would do ----


def switch_is_on(rule: Rule, source: str, asset: str, clock: datetime, portal: dict[str, Any]) -> bool:
    """Rule 4."""
    is_on = rule.default == MARKETING
    setting = portal.get("switches", {}).get(source)
    if rule.switch == "asset":
        setting = (setting or {}).get(asset)
    if setting is None:
        return is_on
    if isinstance(setting, bool):
        return setting
    latest = datetime.min
    for entry in setting:
        start = start_of(entry, portal)
        if latest <= start <= clock:
            latest, is_on = start, entry["switch"]
    return is_on


def start_of(entry: dict[str, Any], portal: dict[str, Any]) -> datetime:
    start = entry.get("from", datetime.min)  # no "from": the plain value, which holds from the start
    if not isinstance(start, datetime):
        start = at_midnight(start)
    return to_local(start, ZoneInfo(portal.get("time_zone", "UTC")))


def status_at_creation(source: str, asset: str, clock: datetime, edition: date, portal: dict[str, Any]) -> str:
    """Rule 3."""
    rule = rule_on(source, edition)
    if rule.switch is None:
        return rule.default
    return MARKETING if switch_is_on(rule, source, asset, clock, portal) else NON_MARKETING


def would_upgrade(source: str, asset: str, clock: datetime, edition: date, portal: dict[str, Any]) -> bool:
    """Rule 5."""
    rule = rule_on(source, edition)
    return rule.upgrades_existing and switch_is_on(rule, source, asset, clock, portal)


def two_readings(source: str, asset: str, clock: datetime, portal: dict[str, Any]) -> tuple[str, str] | None:
    """Rule 2: the older and the newer edition's status for a new contact, where they disagree. On an edition's own day
    that edition is what holds."""
    later = [edition for edition in EDITIONS if edition > clock.date()]
    if clock.date() < EDITIONS[0] or clock.date() in EDITIONS or not later:
        return None
    older = status_at_creation(source, asset, clock, edition_on(clock.date()), portal)
    newer = status_at_creation(source, asset, clock, later[0], portal)
    return (older, newer) if older != newer else None


# ---- One contact ----


@dataclass
class Contact:
    created_at: datetime | None
    created_by: str
    asset: str
    status: str | None = None
    since: datetime | None = None
    waits_for: datetime | None = None  # the update date at which a request to become non-marketing takes effect
    from_before_access: bool = False  # it has no status until the access day
    readings: tuple[str, str] | None = None

    def catch_up(self, clock: datetime, access: datetime) -> None:
        """Let happen what the calendar brought up to and including this moment."""
        if self.from_before_access and clock >= access:  # rule 6
            self.status, self.since, self.from_before_access = NON_MARKETING, access, False
        if self.waits_for is not None and clock >= self.waits_for:  # rule 8
            self.status, self.since, self.waits_for = NON_MARKETING, self.waits_for, None

    def make_marketing(self, clock: datetime) -> None:
        self.waits_for = None
        if self.status != MARKETING:
            self.status, self.since = MARKETING, clock

    def ask_for_non_marketing(self, clock: datetime, subscription: dict[str, Any]) -> None:
        if self.status != NON_MARKETING and self.waits_for is None:
            self.waits_for = at_midnight(update_date_after(clock.date(), subscription))


# ---- The batch ----


@dataclass(frozen=True)
class ReferenceOutcome:
    touches: list[dict[str, Any]]
    contacts: dict[Any, dict[str, Any]]


def reference_decide(
    touches: Sequence[dict[str, Any]],
    portal: dict[str, Any],
    *,
    edition: date | None = None,
    contacts: Iterable[dict[str, Any]] = (),
    as_of: datetime | None = None,
) -> ReferenceOutcome:
    zone = ZoneInfo(portal.get("time_zone", "UTC"))
    access_since = portal.get("access_since")
    access = datetime.min if access_since is None else at_midnight(access_since)

    known: dict[Any, Contact] = {}
    for listed in contacts:
        created_at = to_local(listed["created_at"], zone) if listed["created_at"] else None
        known[listed["contact_id"]] = Contact(
            created_at,
            listed.get("source") or NOT_COVERED,
            listed.get("asset") or "",
            listed["status"],
        )

    # Wall clocks are enough to order a batch without zones; one zone in it, and only instants can be compared.
    in_order = to_instant if any(touch["occurred_at"].tzinfo for touch in touches) else to_local
    order = sorted(range(len(touches)), key=lambda position: in_order(touches[position]["occurred_at"], zone))
    if as_of is None and order:
        as_of = touches[order[-1]]["occurred_at"]

    rows = [{**touch, "status_before": None, "status_after": None, "counted": False} for touch in touches]
    for position in order:
        row = rows[position]
        if in_order(row["occurred_at"], zone) > in_order(as_of, zone):  # rule 10
            break
        row["counted"] = True
        source, asset = row["source"], row["asset"]
        clock = to_local(row["occurred_at"], zone)
        judged_by = edition_on(edition or clock.date())

        contact = known.get(row["contact_id"])
        is_new = contact is None
        if is_new:
            # Rule 7: before an action, some tool that is not covered must have created the contact.
            contact = Contact(clock, NOT_COVERED, "") if source in ACTIONS else Contact(clock, source, asset)
            known[row["contact_id"]] = contact
        if clock < access:
            contact.status, contact.from_before_access = None, True
            continue
        contact.catch_up(clock, access)
        row["status_before"] = contact.status

        if is_new:
            contact.status = status_at_creation(contact.created_by, contact.asset, clock, judged_by, portal)
            contact.since = clock
            if edition is None:
                contact.readings = two_readings(contact.created_by, contact.asset, clock, portal)
        if source == "set_marketing":
            contact.make_marketing(clock)
        elif source == "set_non_marketing":
            contact.ask_for_non_marketing(clock, portal["subscription"])
        elif not is_new and would_upgrade(source, asset, clock, judged_by, portal):
            contact.make_marketing(clock)
        row["status_after"] = contact.status

    if as_of is not None:
        for contact in known.values():
            contact.catch_up(to_local(as_of, zone), access)
    return ReferenceOutcome(rows, {contact_id: in_words(contact) for contact_id, contact in known.items()})


def in_words(contact: Contact) -> dict[str, Any]:
    return {
        "created_at": contact.created_at,
        "created_by": contact.created_by,
        "asset": contact.asset,
        "status": contact.status,
        "waiting": contact.waits_for is not None,
        "since": contact.since,
        "ambiguous": contact.readings is not None,
        "readings": contact.readings,
    }


# ---- What-ifs: the settings are changed by hand, and everything is decided anew ----

Flip = bool | tuple[datetime, bool]


def flipped(portal: dict[str, Any], flips: Mapping[str, Flip]) -> dict[str, Any]:
    """The portal's settings with some switches on or off from the beginning, or from a moment on: then what was before
    that moment stays, and the changes at that moment or later are gone."""
    portal = copy.deepcopy(portal)
    switches = portal.setdefault("switches", {})
    for name, flip in flips.items():
        source, of_asset, asset = name.partition("/")
        settings, key = (switches.setdefault(source, {}), asset) if of_asset else (switches, source)
        if isinstance(flip, bool):
            settings[key] = flip
            continue
        history = settings.get(key, [])
        if isinstance(history, bool):
            history = [{"switch": history}]
        change = {"from": flip[0], "switch": flip[1]}
        earlier = [entry for entry in history if start_of(entry, portal) < start_of(change, portal)]
        settings[key] = [*earlier, change]
    return portal


def counted(outcome: ReferenceOutcome, by: str | None = None) -> dict[Any, int]:
    """How many contacts have which status; with `by`, how many of each (label, status)."""
    with_status = [contact for contact in outcome.contacts.values() if contact["status"] is not None]
    if by is None:
        return Counter(contact["status"] for contact in with_status)
    return Counter((_label(contact, by), contact["status"]) for contact in with_status)


def _label(contact: dict[str, Any], by: str) -> str:
    if by == "source":
        return contact["created_by"]
    if by == "asset":
        return "/".join(filter(None, (contact["created_by"], contact["asset"])))
    return "unknown" if contact["created_at"] is None else f"{contact['created_at']:%Y-%m}"


def marketing_contacts(outcome: ReferenceOutcome) -> set[Any]:
    return {contact_id for contact_id, contact in outcome.contacts.items() if contact["status"] == MARKETING}


def rule_of(touch: dict[str, Any], portal: dict[str, Any], edition: date | None) -> Rule:
    day = to_local(touch["occurred_at"], ZoneInfo(portal.get("time_zone", "UTC"))).date()
    return SILENT if touch["source"] in ACTIONS else rule_on(touch["source"], edition_on(edition or day))


def switches_of(
    touches: Sequence[dict[str, Any]], portal: dict[str, Any], *, edition: date | None = None, **options: Any
) -> set[str]:
    """All switches that the portal lists, and all that a touch of the batch asked: one that counts, by a tool which has
    a switch in the edition that judges it."""
    names = set()
    for source, setting in portal.get("switches", {}).items():
        names |= {f"{source}/{asset}" for asset in setting} if isinstance(setting, dict) else {source}
    for row in reference_decide(touches, portal, edition=edition, **options).touches:
        kind = rule_of(row, portal, edition).switch if row["counted"] else None
        if kind is not None:
            names.add(row["source"] if kind == "account" else f"{row['source']}/{row['asset']}")
    return names


def disarmed(
    touches: Sequence[dict[str, Any]],
    portal: dict[str, Any],
    *,
    edition: date | None = None,
    contacts: Iterable[dict[str, Any]] = (),
    **options: Any,
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The batch, and its options, without all that makes a contact marketing whatever the switches are. A contact is
    then marketing through switches alone."""

    def is_always(touch: dict[str, Any]) -> bool:
        rule = rule_of(touch, portal, edition)
        return touch["source"] == "set_marketing" or (rule.switch is None and rule.default == MARKETING)

    calm = [touch | {"source": NOT_COVERED} if is_always(touch) else touch for touch in touches]
    listed = [contact | {"status": NON_MARKETING} for contact in contacts]
    return calm, {"edition": edition, "contacts": listed, **options}


def exposed(
    touches: Sequence[dict[str, Any]], portal: dict[str, Any], switches: Iterable[str], **options: Any
) -> dict[str, set[Any]]:
    """For each switch the contacts which it alone, on from the beginning, makes marketing."""
    calm, options = disarmed(touches, portal, **options)
    off = dict.fromkeys(switches, False)
    return {
        name: marketing_contacts(reference_decide(calm, flipped(portal, off | {name: True}), **options)) for name in off
    }


def shapley(players: Sequence[str], worth: Callable[[frozenset[str]], int]) -> dict[str, Fraction]:
    """Each player's share: what it adds when it joins, on the average over every order in which they can come."""
    coalitions = [frozenset(some) for size in range(len(players) + 1) for some in itertools.combinations(players, size)]
    worths = {coalition: worth(coalition) for coalition in coalitions}
    added = dict.fromkeys(players, 0)
    for order in itertools.permutations(players):
        for place, player in enumerate(order):
            before = frozenset(order[:place])
            added[player] += worths[before | {player}] - worths[before]
    return {player: Fraction(total, math.factorial(len(players))) for player, total in added.items()}
