"""What a touch can do, before anyone asks to which contact: one case for each source, asset and stretch of time that a
batch holds.

Between two dates at which a rule or a switch changes, all touches of an asset are alike. So a batch of a million
touches has a few hundred cases; each is judged once, here, and the engine only looks them up.
"""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from marketable.portal.portal import Portal, split
from marketable.rulebook import ACTIONS, NOT_COVERED, SOURCES, STATUSES, Reference, Rule, Rulebook
from marketable.rulebook.reader import switch_name

from .moments import EARLIEST, start

MARKETING_CODE, NON_MARKETING_CODE, NOT_COVERED_CODE = range(len(STATUSES))
KNOWN = (*SOURCES, *ACTIONS, NOT_COVERED)
_NOTHING_READ = Reference("Default marketing statuses for newly created contacts", "", "", "silent")
_UNKNOWN_TOOL = Rule(
    NOT_COVERED,
    "Not covered",
    "a tool that the article does not cover",
    "",
    "",
    NOT_COVERED,
    None,
    False,
    _NOTHING_READ,
    None,
)


@dataclass(frozen=True)
class Case:
    """One case for the sentences: who touched, by which rule of which edition, and whether the switch was on; and the
    same by the next edition, whose default a switch that nobody touched has then.
    """

    source: str
    asset: str
    rule: Rule
    edition: dt.date
    on: bool
    next_edition: dt.date | None
    next_rule: Rule
    next_on: bool

    @property
    def created(self) -> str:
        """The status of a contact that this touch creates."""
        return self.rule.when_created(self.on)

    @property
    def newer_reading(self) -> str:
        """The same under the next edition, which is this one where no later edition can have been true already."""
        return self.next_rule.when_created(self.next_on)


class Cases:
    """The cases of a batch, one for each pair (a source and an asset that occur) and era (a stretch without a change).

    Case number = pair number × `eras` + era number. `switch_of_pair` names each pair's switch (None without). Arrays
    by case: `created` and `newer` (status codes of a creation under its edition and under the next), `makes` (makes an
    existing contact marketing), `could_create` and `could_upgrade` (the number in `switches` of the switch on which
    that depends; -1: none). Arrays by pair: `is_action`, `asks` (asks for non-marketing).
    Further `cuts` (local times) begin eras of their own.
    """

    def __init__(
        self,
        pairs: list[tuple[str, str]],
        portal: Portal,
        rulebook: Rulebook,
        pinned: dt.date | None,
        cuts: Iterable[int] = (),
    ) -> None:
        self.pairs, self.portal, self._rulebook, self._pinned = pairs, portal, rulebook, pinned
        names = [switch_name(source, asset, scope(rulebook, source)) for source, asset in pairs]
        self.switch_of_pair, self.switches = names, list(dict.fromkeys(name for name in names if name))
        changes = [change.since for name in self.switches for change in portal.switches.get(name, ())]
        self.starts = self._era_starts([*map(start, changes), *cuts])
        self.eras = len(self.starts)

        self._editions = editions = [self._editions_of(wall) for wall in self.starts]
        number = np.array([KNOWN.index(source) for source, _ in pairs], dtype=np.int64)
        self._rules = {used: rulebook.on(used) for pair in editions for used in pair if used}
        tables = {used: _table(rulebook, used) for used in self._rules}
        here = np.stack([tables[used] for used, _ in editions], axis=-1)[:, number]
        after = np.stack([tables[following or used] for used, following in editions], axis=-1)[:, number]

        self.on, self._next_on = here[_DEFAULT_ON].astype(bool), after[_DEFAULT_ON].astype(bool)
        for pair, name in enumerate(names):
            for change in portal.switches.get(name or "", ()):
                for on in (self.on, self._next_on):
                    on[pair, self.starts >= start(change.since)] = change.on
        self.created, self.newer = _created(here, self.on), _created(after, self._next_on)
        upgrades = here[_UPGRADES].astype(bool)
        source = np.array([source for source, _ in pairs], dtype=object)
        self.is_action = np.isin(source, ACTIONS)
        self.asks = source == "set_non_marketing"
        self.makes = (upgrades & self.on) | (source == "set_marketing")[:, None]
        position = {name: at for at, name in enumerate(self.switches)}
        switch = np.array([position[name] if name else -1 for name in names], dtype=np.int32)[:, None]
        self.could_create = np.where(here[_SWITCHED] != 0, switch, -1)
        self.could_upgrade = np.where(upgrades, switch, -1)

    def case(self, number: int) -> Case:
        """A case in words."""
        pair, era = divmod(number, self.eras)
        source, asset = self.pairs[pair]
        edition, following = self._editions[era]
        rule, next_rule = (self._rules[used].get(source, _UNKNOWN_TOOL) for used in (edition, following or edition))
        on, next_on = bool(self.on[pair, era]), bool(self._next_on[pair, era])
        return Case(source, asset, rule, edition, on, following, next_rule, next_on)

    def is_on(self, switch: str, wall: int) -> bool:
        """Whether a switch of the portal or the batch is on at a local time: what the portal says, else the tool's
        default.
        """
        at = None if wall == EARLIEST else np.datetime64(wall, "us").item()
        edition, _ = self._editions_of(wall)
        said = self.portal.is_on(switch, at)
        return self._rule(split(switch)[0], edition).default_on if said is None else said

    def _rule(self, source: str, edition: dt.date) -> Rule:
        return self._rulebook.on(edition)[source] if source in SOURCES else _UNKNOWN_TOOL

    def _era_starts(self, changes: list[int]) -> np.ndarray:
        starts = {EARLIEST, *changes}
        if self._pinned is None:
            for edition in self._rulebook.editions:
                # An edition holds on its own day; on the days after it, a rule of the next one may be true already.
                starts |= {start(edition), start(edition + dt.timedelta(days=1))}
        return np.array(sorted(starts), dtype=np.int64)

    def _editions_of(self, wall: int) -> tuple[dt.date, dt.date | None]:
        """The edition that judges an era, and the later one between which and itself the era lies."""
        if self._pinned is not None:
            return self._pinned, None
        if wall < start(self._rulebook.editions[0]):
            return self._rulebook.editions[0], None
        day = np.datetime64(int(wall), "us").astype("datetime64[D]").item()
        later = [edition for edition in self._rulebook.editions if edition > day]
        return self._rulebook.edition_on(day), later[0] if later and day not in self._rulebook.editions else None


def scope(rulebook: Rulebook, source: str) -> str | None:
    """Whether a source has a switch per "asset", one for the "account", or None; actions and unknown tools have
    none.
    """
    return rulebook.scope(source) if source in SOURCES else None


_DEFAULT, _SWITCHED, _DEFAULT_ON, _UPGRADES = range(4)


@functools.lru_cache(maxsize=32)
def _table(rulebook: Rulebook, date: dt.date) -> np.ndarray:
    """What every source does under an edition, as numbers: a row for each of the four facts, a column a source."""
    edition = rulebook.on(date)
    rules = [edition.get(name, _UNKNOWN_TOOL) for name in KNOWN]
    rows = [
        (STATUSES.index(rule.default), rule.switch is not None, rule.default_on, rule.upgrades_existing)
        for rule in rules
    ]
    return np.array(rows, dtype=np.int8).T


def _created(table: np.ndarray, on: np.ndarray) -> np.ndarray:
    switched = np.where(on, MARKETING_CODE, NON_MARKETING_CODE)
    return np.where(table[_SWITCHED] != 0, switched, table[_DEFAULT]).astype(np.int8)
