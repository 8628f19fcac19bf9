"""The rulebook's reader: YAML files checked whole and turned into small frozen objects."""

from __future__ import annotations

import datetime as dt
import functools
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import pandas as pd
from pydantic import model_validator

from marketable.errors import RulebookError, UnknownNameError, nearest
from marketable.settings import IsoDate, Strict, fault, read_as

MARKETING, NON_MARKETING, NOT_COVERED = "marketing", "non-marketing", "not covered"
STATUSES = (MARKETING, NON_MARKETING, NOT_COVERED)
SOURCES = (
    "hubspot_form",
    "non_hubspot_form",
    "chatflow",
    "import_single_object",
    "import_multi_object",
    "integration",
    "mobile_app",
    "logged_email",
    "team_email",
    "document_open",
    "meetings_link",
    "email_extension",
    "manual",
    "associated_object",
)
ACTIONS = ("set_marketing", "set_non_marketing")

TRUST = {
    "H": "trust H: read in HubSpot's own page",
    "M": "trust M: one first-hand source, or a direct consequence of what was read",
    "assumption": "an assumption",
    "silent": "nothing was read about this tool",
}


@dataclass(frozen=True)
class Reference:
    """Where a value was read: title and link of the page, the editions or dates read, how far to trust it, and a note.
    The link is blank where what was read is no page, such as a dialog.

    `trust` is H (read in HubSpot's own page), M (one first-hand source, or a direct consequence), `assumption`, or
    `silent` where the edition says nothing.
    """

    title: str
    link: str
    read_in: str
    trust: str
    note: str = ""

    @functools.cached_property
    def _text(self) -> str:
        note = f"; {self.note}" if self.note else ""
        read = f"read in {self.read_in}" if self.read_in[:1].isdigit() else self.read_in
        return f"“{self.title}”, {read} ({TRUST[self.trust]}{note})"

    def __str__(self) -> str:
        return self._text


@dataclass(frozen=True)
class Rule:
    """What one source does under one edition.

    `default` is one of the three statuses; `switch` is "asset" (one switch per form, chatflow, import, app), "account"
    (one for all) or None (fixed); `upgrades_existing` tells whether the switch, when on, also turns an existing contact
    into a marketing one. `ticked` says where it was read that whoever creates a contact may tick a box that makes it
    marketing, whatever the default is; None where there is no such box. `name`, `one` (“a HubSpot form”), `asset` (what
    its assets are called) and `where` (the place of the switch) are for people.
    """

    source: str
    name: str
    one: str
    asset: str
    where: str
    default: str
    switch: str | None
    upgrades_existing: bool
    reference: Reference
    upgrade_reference: Reference | None
    ticked: Reference | None = None

    @property
    def references(self) -> tuple[Reference, ...]:
        """Where the default and what happens to existing contacts were read, each page once."""
        return tuple(dict.fromkeys(each for each in (self.reference, self.upgrade_reference) if each))

    @property
    def default_on(self) -> bool:
        """Whether a switch that nobody touched is on: it is where the default is marketing."""
        return self.default == MARKETING

    def when_created(self, on: bool) -> str:
        """The status of a contact that this source creates while its switch is on, or off. A fixed default does not
        ask.

        >>> Rulebook.load().on("2024-02-14")["chatflow"].when_created(on=True)
        'marketing'
        """
        if self.switch is None:
            return self.default
        return MARKETING if on else NON_MARKETING

    def switch_name(self, asset: str) -> str | None:
        """The name of the switch that serves the asset: `source/asset`, `source`, or None where nothing can be
        switched.
        """
        return switch_name(self.source, asset, self.switch)


@dataclass(frozen=True)
class LifecycleRule:
    """A rule that holds after creation, whatever the tool: what it says and where that was read."""

    says: str
    reference: Reference


class Edition(Mapping[str, Rule]):
    """The rules of one edition: a mapping from source to Rule, shown as a table.

    >>> edition = Rulebook.load().on("2024-02-14")
    >>> edition["hubspot_form"].default, edition["hubspot_form"].switch, edition["hubspot_form"].upgrades_existing
    ('marketing', 'asset', True)
    """

    def __init__(self, date: dt.date, rules: Mapping[str, Rule]) -> None:
        self.date, self._rules = date, dict(rules)

    def __getitem__(self, source: str) -> Rule:
        try:
            return self._rules[source]
        except KeyError:
            raise UnknownNameError(
                "There is no such source",
                value=source,
                expected=f"one of {', '.join(self)}",
                nearest=nearest(source, self),
            ) from None

    def __contains__(self, source: object) -> bool:
        return source in self._rules

    def __iter__(self) -> Iterator[str]:
        return iter(self._rules)

    def __len__(self) -> int:
        return len(self._rules)

    def table(self) -> pd.DataFrame:
        """One row a source: source, default, switch (none, per form …, account), existing contacts, reference; all
        text.
        """
        return pd.DataFrame([_row(rule) for rule in self.values()])

    def __repr__(self) -> str:
        with pd.option_context("display.width", 200, "display.max_colwidth", 60):
            return f"Edition of {self.date}\n{self.table().drop(columns='reference').to_string(index=False)}"

    def _repr_html_(self) -> str:
        with pd.option_context("display.max_colwidth", None):
            return f"<p>Edition of {self.date}</p>{self.table().to_html(index=False, escape=True)}"


class Rulebook:
    """All editions of the rules. `load` reads them, `on` gives the one that holds on a day, `changes` what two of them
    disagree about.
    """

    def __init__(
        self,
        editions: tuple[dt.date, ...],
        rules: Mapping[str, Mapping[dt.date, Rule]],
        lifecycle: Mapping[str, LifecycleRule],
    ) -> None:
        self.editions, self.lifecycle, self._rules = editions, lifecycle, rules
        self._by_edition = {
            date: Edition(date, {source: values[date] for source, values in rules.items()}) for date in editions
        }

    @classmethod
    def load(cls, folder: str | Path | None = None) -> Rulebook:
        """The rulebook of a folder, by default the one in this package.

        Raises: RulebookError, naming file and line, for unknown or duplicate keys, missing references, dates that are
        no edition or out of order, a fixed default that claims a switch's effect, and sources that are missing or
        unknown.

        >>> Rulebook.load().editions[0]
        datetime.date(2020, 9, 23)
        """
        return _shipped() if folder is None else _read(Path(folder))

    def edition_on(self, day: str | dt.date) -> dt.date:
        """The date of the newest edition dated on or before the day; before the first edition, the first.

        >>> str(Rulebook.load().edition_on("2024-03-01"))
        '2024-02-14'
        """
        return self.editions[max(0, bisect_right(self.editions, as_day(day)) - 1)]

    def on(self, day: str | dt.date) -> Edition:
        """The rules that hold on a day (a date, or text like "2024-02-14")."""
        return self._by_edition[self.edition_on(day)]

    @property
    def newest(self) -> Edition:
        """The newest edition: for the names of tools, and for what holds now.

        >>> Rulebook.load().newest == Rulebook.load().on(Rulebook.load().editions[-1])
        True
        """
        return self._by_edition[self.editions[-1]]

    def pinned(self, edition: str | dt.date) -> dt.date:
        """The date of an edition named exactly. Raises: UnknownNameError where there is none of that date."""
        date = as_day(edition)
        if date not in self.editions:
            names = [str(each) for each in self.editions]
            raise UnknownNameError(
                "There is no edition of that date",
                value=str(date),
                expected=f"one of {', '.join(names)}",
                nearest=str(self.edition_on(date)),
            )
        return date

    def changes(self, older: str | dt.date, newer: str | dt.date) -> pd.DataFrame:
        """What changed between two editions: source, what, older, newer; one row a change.

        >>> Rulebook.load().changes("2023-01-19", "2023-06-28")[["source", "older", "newer"]].values.tolist()
        [['manual', 'non-marketing', 'not covered'], ['associated_object', 'non-marketing', 'not covered']]
        """
        before, after = self.on(self.pinned(older)), self.on(self.pinned(newer))
        rows = [
            (source, what, old, new)
            for source in before
            for (what, old), new in zip(_facts(before[source]).items(), _facts(after[source]).values(), strict=True)
            if old != new
        ]
        return pd.DataFrame(rows, columns=["source", "what", "older", "newer"])

    @property
    def ticked(self) -> tuple[str, ...]:
        """The sources whose creator may tick a box that makes the contact marketing, in any edition.

        >>> Rulebook.load().ticked
        ('manual',)
        """
        return tuple(source for source, rule in self.newest.items() if rule.ticked)

    def scope(self, source: str) -> str | None:
        """Whether a source has, in any edition, a switch per "asset", one for the "account", or None."""
        return next((rule.switch for rule in self._rules[source].values() if rule.switch), None)

    def __repr__(self) -> str:
        first, last = self.editions[0], self.editions[-1]
        return f"Rulebook of {len(self._rules)} sources in {len(self.editions)} editions, {first} to {last}"

    def _repr_html_(self) -> str:
        return self.newest._repr_html_()


def switch_name(source: str, asset: str, scope: str | None) -> str | None:
    """`source/asset`, or `source` where one switch serves the account, or None without a switch.

    >>> switch_name("hubspot_form", "Newsletter", "asset"), switch_name("non_hubspot_form", "old shop", "account")
    ('hubspot_form/Newsletter', 'non_hubspot_form')
    """
    return f"{source}/{asset}" if scope == "asset" else source if scope == "account" else None


def as_day(day: str | dt.date) -> dt.date:
    """A date from a date, a time, or text like "2024-02-14". Raises: UnknownNameError for other text."""
    if isinstance(day, dt.datetime):
        return day.date()
    if isinstance(day, dt.date):
        return day
    try:
        return dt.date.fromisoformat(day)
    except (TypeError, ValueError):
        raise UnknownNameError("This is not a date", value=day, expected="a date like 2024-02-14") from None


def _facts(rule: Rule) -> dict[str, str]:
    existing = "become marketing while the switch is on" if rule.upgrades_existing else "stay as they are"
    switch = {"asset": f"one per {rule.asset}", "account": "one for the account", None: "none"}[rule.switch]
    return {"default": rule.default, "switch": switch, "existing contacts": existing}


def _row(rule: Rule) -> dict[str, str]:
    return {"source": rule.source, "name": rule.name, **_facts(rule), "reference": "; ".join(map(str, rule.references))}


class _Reference(Strict):
    title: str
    link: str = ""
    read_in: str
    trust: Literal["H", "M", "assumption"]
    note: str = ""

    @model_validator(mode="after")
    def _has_a_page(self) -> _Reference:
        if self.trust == "H" and not self.link:
            raise fault("What was read in HubSpot's own page names it", place=("link",), expected="a link, or trust M")
        return self

    def frozen(self) -> Reference:
        return Reference(**self.model_dump())


class _Value(Strict):
    default: Literal["marketing", "non-marketing", "not covered"]
    switch: Literal["asset", "account"] | None = None
    reference: _Reference
    upgrades_existing: _Reference | None = None


class _Source(Strict):
    name: str
    one: str
    asset: str = ""
    where: str = ""
    ticked: _Reference | None = None
    values: dict[IsoDate, _Value]


class _Editions(Strict):
    title: str
    link: str
    editions: tuple[IsoDate, ...]


class _Lifecycle(Strict):
    says: str
    reference: _Reference


class _Lifecycles(Strict):
    access: _Lifecycle
    set_marketing: _Lifecycle
    set_non_marketing: _Lifecycle
    undo_by_hand: _Lifecycle
    undo_by_tool: _Lifecycle
    update_date_yearly: _Lifecycle
    update_date_monthly: _Lifecycle
    update_date_short_month: _Lifecycle
    over_the_tier: _Lifecycle
    no_downgrade: _Lifecycle


@functools.cache
def _shipped() -> Rulebook:
    return _read(Path(__file__).parent)


def _read(folder: Path) -> Rulebook:
    path = folder / "editions.yaml"
    article, lines = read_as(_Editions, path, RulebookError)
    if not article.editions or list(article.editions) != sorted(set(article.editions)):
        raise RulebookError(
            "The editions are not in order",
            file=path,
            row=lines[("editions",)],
            expected="dates that ascend, each once",
        )
    life, _ = read_as(_Lifecycles, folder / "lifecycle.yaml", RulebookError)
    lifecycle = {name: LifecycleRule(entry.says, entry.reference.frozen()) for name, entry in life}
    found = {path.stem: path for path in sorted((folder / "sources").glob("*.yaml"))}
    for name in found:
        if name not in SOURCES:
            raise RulebookError("This file is named after no source", file=found[name], nearest=nearest(name, SOURCES))
    for name in SOURCES:
        if name not in found:
            raise RulebookError("A source has no file", value=name, expected=f"sources/{name}.yaml")
    rules = {name: _read_source(name, found[name], article) for name in SOURCES}
    return Rulebook(article.editions, rules, lifecycle)


def _read_source(source: str, path: Path, article: _Editions) -> dict[dt.date, Rule]:
    entry, lines = read_as(_Source, path, RulebookError)
    for date, value in entry.values.items():
        line = lines[("values", str(date))]
        if date not in article.editions:
            names = [str(each) for each in article.editions]
            raise RulebookError(
                "This is the date of no edition", file=path, row=line, value=str(date), nearest=nearest(date, names)
            )
        if value.switch is None and value.upgrades_existing:
            raise RulebookError("Only a switch upgrades existing contacts, and there is none", file=path, row=line)
        if value.switch and value.default == NOT_COVERED:
            raise RulebookError("A source that is not covered has no switch", file=path, row=line)
    if list(entry.values) != sorted(entry.values):
        raise RulebookError(
            "The values are not in order", file=path, row=lines[("values",)], expected="dates that ascend"
        )
    silent = Reference(article.title, article.link, "", "silent")
    ticked = entry.ticked.frozen() if entry.ticked else None
    rule = Rule(source, entry.name, entry.one, entry.asset, entry.where, NOT_COVERED, None, False, silent, None, ticked)
    rules = {}
    for date in article.editions:
        if rule.reference.trust == "silent":
            rule = replace(rule, reference=replace(silent, read_in=str(date)))
        if date in entry.values:
            value = entry.values[date]
            upgrade = value.upgrades_existing.frozen() if value.upgrades_existing else None
            rule = replace(
                rule,
                default=value.default,
                switch=value.switch,
                upgrades_existing=upgrade is not None,
                reference=value.reference.frozen(),
                upgrade_reference=upgrade,
            )
        rules[date] = rule
    return rules
