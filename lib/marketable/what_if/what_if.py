"""What-ifs: the counts under any setting of the switches, what each switch accounts for, and what to turn off.

The touches are reduced once to a table of exposures. Every question is then answered from it, however many contacts
there are: it says of each set of switches how many contacts would be marketing if one of them is on.
"""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from marketable.engine.cases import KNOWN, Cases
from marketable.engine.counting import counted_all, counted_by
from marketable.engine.exposure import Cuts, Exposures, exposures
from marketable.engine.frames import lazy
from marketable.engine.moments import EARLIEST, start
from marketable.engine.rows import Rows, rows
from marketable.errors import DataError, UnknownNameError, nearest
from marketable.portal.portal import Change, Flip, Portal, change_of, checked_portal, split
from marketable.rulebook import STATUSES, Rulebook

from .exposure_table import ExposureTable
from .plans import Plan, plan

if TYPE_CHECKING:
    import narwhals as nw

    from marketable.engine.lazy import LazyRows

MOST_SWEPT = 20
_KEPT = 8  # tables with cuts that are kept, each for the dates of some flips


class WhatIf:
    """What flips of the switches would do with the contacts of a batch.

    Arguments: as for `decide`: touches, portal, and rulebook, edition, contacts, as_of.
    Raises: what `decide` raises.

    Touches are a frame of pandas, Polars or PyArrow, or stay where they are: a polars.LazyFrame, a DuckDB relation, a
    DataFrame of Dask or PySpark is reduced there, in two queries, and only small tables are fetched. Ties in time are
    in the order of the rows; where a frame has no order of its own (after a join, say), give each row its number, from
    0 on, in a column `row`.

    Flips are given by the switch's name: True or False, on or off from the beginning; `("2024-05-01", False)`, off from
    1 May, with the history before as it was. The first question with a new date reads the touches once more.

    >>> batch = pd.DataFrame(
    ...     [("1", "2024-03-01", "hubspot_form", "News"), ("1", "2024-03-05", "hubspot_form", "Demo")],
    ...     columns=["contact_id", "occurred_at", "source", "asset"],
    ... )
    >>> what_if = WhatIf(batch, Portal())
    >>> what_if.counts({"hubspot_form/News": False})["marketing"]
    np.int64(1)
    >>> what_if.counts({"hubspot_form/News": False, "hubspot_form/Demo": False})["marketing"]
    np.int64(0)
    """

    def __init__(
        self,
        touches: Any,
        portal: Portal,
        *,
        rulebook: Rulebook | None = None,
        edition: str | dt.date | None = None,
        contacts: Any = None,
        as_of: str | dt.date | None = None,
    ) -> None:
        self.portal = checked_portal(portal)
        self._rulebook = rulebook or Rulebook.load()
        self._pinned = None if edition is None else self._rulebook.pinned(edition)
        # Kept as they are now, for a question that needs them once more: pandas copies when one of them is changed.
        self._touches: Any = touches.copy(deep=False) if isinstance(touches, pd.DataFrame) else touches
        self._contacts = contacts.copy(deep=False) if isinstance(contacts, pd.DataFrame) else contacts
        self._as_of = as_of
        self._survey = self._surveyed(lazy(touches))
        self._own = Cases([], portal, self._rulebook, self._pinned)
        self._with_cuts = functools.lru_cache(maxsize=_KEPT)(self._reduced)
        self._table = self._reduced(())
        self._names = dict.fromkeys(sorted({*self._table.exposures.touched, *portal.switches}, key=_in_rulebook_order))

    def __repr__(self) -> str:
        counts = ", ".join(f"{count:,} {status}" for status, count in self.counts().items())
        return f"WhatIf: {len(self._names):,} switches; {counts}"

    def counts(self, flips: Mapping[str, Flip] | None = None) -> pd.Series:
        """How many contacts have which status, after some flips; without, the baseline.

        Returns: a Series over the three statuses, what `decide(touches, portal.with_switches(flips)).counts()` returns.
        Raises: UnknownNameError for a switch that is not in `switches`, PortalError for what is no flip.
        """
        table, on = self._setting(flips)
        return counted_all(table.counts(on))

    def by(self, by: str, flips: Mapping[str, Flip] | None = None) -> pd.DataFrame:
        """The same counts by "source" (that created the contacts), "asset" or "month" (of their creation).

        Returns: a DataFrame, one row a value, the statuses its columns.
        Raises: as `counts`, and UnknownNameError for another `by`.
        """
        table, on = self._setting(flips)
        return counted_by(by, *table.counts_by(by, on))

    @functools.cached_property
    def switches(self) -> pd.DataFrame:
        """What each switch accounts for, under the portal's own setting. See `switches_after`."""
        return self.switches_after({})

    def switches_after(self, flips: Mapping[str, Flip]) -> pd.DataFrame:
        """What each switch accounts for after some flips. One row a switch that the portal lists or the batch touched.

        Index switch (`source/asset` or `source`). Columns: source, asset; on (at the end); exposed (contacts which the
        switch alone would make marketing); sole (contacts that are marketing through it and nothing else: lost if it
        alone were off from the beginning); credit (its fair share of the marketing contacts).

        Credit divides each marketing contact equally among the switches that are on in its exposure. That is the
        Shapley value: let the switches be turned on one after the other, in every possible order, and credit each
        contact to the switch that made it marketing. Of the n switches in its exposure that are on, the one that comes
        first gets the contact, and each comes first in the same share of the orders, 1 / n. Contacts which nothing can
        switch off are nobody's credit, so that credits and those contacts sum to the marketing count.

        >>> touches = [("1", "A"), ("2", "A"), ("2", "B"), ("3", "A"), ("3", "B"), ("3", "C")]
        >>> batch = pd.DataFrame(
        ...     [(contact, "2024-03-01", "hubspot_form", form) for contact, form in touches],
        ...     columns=["contact_id", "occurred_at", "source", "asset"],
        ... )
        >>> WhatIf(batch, Portal()).switches["credit"].round(3).tolist()  # 1 + 1/2 + 1/3, 1/2 + 1/3, 1/3
        [1.833, 0.833, 0.333]
        """
        table, on = self._setting(flips)
        numbers = {name: number for number, name in enumerate(table.exposures.slots.switches)}
        number = np.array([numbers.get(name, len(numbers)) for name in self._names], dtype=np.int64)
        exposed, sole, credit = (np.append(column, 0)[number] for column in table.reach(on))
        sources, assets = zip(*map(split, self._names), strict=True) if self._names else ((), ())
        columns = {"source": sources, "asset": [asset or "" for asset in assets], "on": self._on_at_end(flips)}
        return pd.DataFrame(
            columns | {"exposed": exposed, "sole": sole, "credit": credit},
            index=pd.Index(self._names, name="switch", dtype="str"),
        )

    @property
    def unasked(self) -> list[str]:
        """The switches that the portal lists and no touch asked: of a form that is new, or with a name mistyped."""
        return [name for name in self._names if name not in self._table.exposures.touched]

    @property
    def always(self) -> int:
        """How many contacts are marketing whatever the switches are: set by hand, by a tool whose default is fixed, or
        listed so.
        """
        return self._table.always

    def portable(self, flips: Mapping[str, Flip] | None = None) -> dict[str, Any]:
        """The table of exposures in plain lists and numbers, from which a page without this library answers what-ifs.

        It tells of contacts only how many there are. A contact is marketing where its exposure, a list of slots, holds
        one that is on; else it is what `rest` says. `always` is slot 0. A switch that is flipped from the beginning has
        all its slots so; what the portal has, and what the flips make of it, is in `own` and `flipped`, by slot.

        Returns: statuses and sources (names); switches (name and whether on at the end, own and flipped); slots (of
        each its switch's number; -1: no flip changes it); own and flipped (0 or 1 by slot); exposures (lists of slots,
        number 0 being the empty one); rows of exposure, source, rest and contacts: but for the last, numbers of those.
        """
        table, on = self._setting(flips)
        number = {name: at for at, name in enumerate(self._names)}
        names = [*table.exposures.slots.switches, ""]
        slots = [number.get(names[at], -1) for at in table.exposures.slots.switch]
        states = zip(self._names, self._on_at_end({}), self._on_at_end(flips or {}), strict=True)
        return {
            "statuses": list(STATUSES),
            "switches": [{"name": name, "own": own, "flipped": flipped} for name, own, flipped in states],
            "slots": slots,
            "own": table.exposures.slots.own.astype(int).tolist(),
            "flipped": on.astype(int).tolist(),
            **table.listed(),
        }

    def sweep(self, switches: Sequence[str], by: str | None = None) -> pd.DataFrame:
        """The counts of every setting of some switches, all others as the portal has them.

        Arguments: switches, at most 20 names; by, None or "source".
        Returns: one row a setting, 2 to the power of the number of switches; the index has a level each switch, False
        for off and True for on from the beginning. Columns: the three statuses; by source, the marketing contacts which
        each source created.
        Raises: UnknownNameError for a switch that is not in `switches`; DataError for too many, or one named twice.
        """
        names = [switches] if isinstance(switches, str) else list(switches)
        if len(names) > MOST_SWEPT:
            raise DataError(
                f"A sweep of {len(names)} switches has 2^{len(names)} settings",
                expected=f"at most {MOST_SWEPT} switches",
                advice="Take those with the most credit (.switches), or ask .plan(limit) for the best setting of all.",
            )
        if len(set(names)) < len(names):
            twice = next(name for name in names if names.count(name) > 1)
            raise DataError("A switch is named twice", value=twice, expected="each switch once")
        for name in names:
            self._known(name)
        if by not in (None, "source"):
            raise UnknownNameError("A sweep cannot be counted by this", value=by, expected="source, or nothing")
        table = self._table
        if by is None:
            counts = np.empty((len(STATUSES), 1 << len(names)), dtype=np.int64)
            counts[0] = table.weights.sum()
            for row, others in enumerate(table.sweep(names, table.weights), 1):
                counts[row] = others
                counts[0] -= others
            columns = pd.Index(STATUSES, name="status")
        else:
            labels, _ = table.labels("source")
            columns = pd.Index([source for source in KNOWN if source in labels], name="source")
            weights = table.by_creator(columns.get_indexer(pd.Index(labels)), len(columns))
            counts = np.empty((len(columns), 1 << len(names)), dtype=np.int64)
            for row, others in enumerate(table.sweep(names, weights)):
                counts[row] = weights[:, row].sum()
                counts[row] -= others
        return pd.DataFrame(counts.T, index=_settings(names), columns=columns, copy=False)

    def plan(
        self,
        limit: int,
        keep: Collection[str] = (),
        *,
        turn_on: bool = False,
        time_limit: float = 10.0,
        progress: Callable[[float, int, int], object] | bool | None = None,
    ) -> Plan:
        """The setting within a limit that keeps the most marketing contacts, and of those the one with the fewest
        flips, all from the beginning.

        Arguments: limit, the most marketing contacts there may be; keep, switches that stay as the portal has them;
        turn_on, whether switches may also go on: without, a plan only turns off what is on, and nothing where the
        baseline is within the limit; time_limit, seconds; progress, None for a bar where it takes longer than a second,
        False for none, or a function that is called with the seconds, the contacts kept and the most that could be.
        Returns: a Plan, which tells what is proven of it. It is the same for the same question, unless time ran out.
        Raises: UnknownNameError for a switch that is not in `switches`, DataError for what is no limit or no time.

        >>> touches = [("1", "A"), ("2", "A"), ("2", "B"), ("3", "B"), ("3", "C")]
        >>> batch = pd.DataFrame(
        ...     [(contact, "2024-03-01", "hubspot_form", form) for contact, form in touches],
        ...     columns=["contact_id", "occurred_at", "source", "asset"],
        ... )
        >>> plan = WhatIf(batch, Portal()).plan(2)
        >>> plan.flips
        {'hubspot_form/A': False}
        >>> print(plan)  # doctest: +NORMALIZE_WHITESPACE
        Turn off A: 2 marketing contacts stay, 1 fewer than the baseline, exactly the limit. No other setting within 2
        keeps more; none that keeps as many has fewer flips.
        """
        kept = [keep] if isinstance(keep, str) else list(keep or ())
        for name in kept:
            self._known(name)
        rules = self._rulebook.newest
        states = dict(zip(self._names, self._on_at_end({}), strict=True))
        titles = {source: rule.name for source, rule in rules.items()}
        return plan(
            self._table, limit, names=states, keep=kept, turn_on=bool(turn_on),
            time_limit=time_limit, progress=progress, titles=titles,
        )  # fmt: skip

    # ---- settings ----

    def _reduced(self, cuts: tuple[tuple[str, int], ...]) -> ExposureTable:
        return ExposureTable(self._exposures(dict(cuts)))

    def _exposures(self, cuts: Cuts) -> Exposures:
        batch = self._survey or rows(self._touches, self._contacts, self.portal.time_zone, self._as_of)
        cases = Cases(batch.pairs, self.portal, self._rulebook, self._pinned, cuts.values())
        if isinstance(batch, Rows):
            return exposures(batch, cases, self.portal, cuts)
        from marketable.engine.lazy import lazy_exposures

        return lazy_exposures(batch, cases, self.portal, cuts)

    def _surveyed(self, touches: nw.LazyFrame[Any] | None) -> LazyRows | Rows | None:
        """A first look at touches that stay where they are."""
        if touches is None:
            return None
        from marketable.engine.lazy import survey  # which imports Narwhals

        return survey(touches, self._contacts, self.portal, self._rulebook, self._pinned, self._as_of)

    def _known(self, name: str) -> None:
        if name not in self._names:
            raise no_such_switch(name, self._names)

    def _changes(self, flips: Mapping[str, Flip] | None) -> dict[str, Change]:
        if not isinstance(flips or {}, Mapping):
            expected = 'by the name of each switch True or False, like {"hubspot_form/Newsletter": False}'
            raise DataError("These are no flips", value=flips, expected=expected)
        for name in flips or {}:
            self._known(name)
        return {name: change_of(name, flip, self.portal.time_zone) for name, flip in (flips or {}).items()}

    def _setting(self, flips: Mapping[str, Flip] | None) -> tuple[ExposureTable, np.ndarray]:
        """The table that can tell, and for each of its slots whether it is on."""
        changes = self._changes(flips)
        cuts = tuple(sorted((name, start(change.since)) for name, change in changes.items() if change.since))
        table = self._with_cuts(cuts) if cuts else self._table
        on = table.exposures.slots.own.copy()
        for name, change in changes.items():
            of_switch = table.slots_of.get(name, slice(0))
            flipped = table.exposures.slots.since[of_switch] >= start(change.since)
            on[of_switch] = np.where(flipped, change.on, on[of_switch])
        return table, on

    def _on_at_end(self, flips: Mapping[str, Flip]) -> list[bool]:
        as_of = self._table.exposures.as_of
        changes = self._changes(flips)
        states = []
        for name in self._names:
            flip = changes.get(name)
            flipped = flip is not None and (as_of == EARLIEST or start(flip.since) <= as_of)
            states.append(flip.on if flip and flipped else self._own.is_on(name, as_of))
        return states


def no_such_switch(name: object, known: Iterable[str]) -> UnknownNameError:
    """The error of a switch that is not known, with the nearest of those that are."""
    return UnknownNameError(
        "There is no such switch: neither the portal lists it nor did a touch of the batch ask it",
        value=name,
        expected="a switch of the portal or of the batch",
        nearest=nearest(name, known),
    )


def _in_rulebook_order(switch: str) -> tuple[int, str, str]:
    source, asset = split(switch)
    return KNOWN.index(source), (asset or "").casefold(), switch


def _settings(switches: list[str]) -> pd.Index:
    """Every setting of some switches, the last switch changing fastest: a level each switch, False before True."""
    if not switches:
        return pd.RangeIndex(1)
    off_on, half = np.array([0, 1], dtype=np.int8), 1 << len(switches) >> 1
    codes: Any = [np.tile(np.repeat(off_on, half >> at), 1 << at) for at in range(len(switches))]
    return pd.MultiIndex(levels=[[False, True]] * len(switches), codes=codes, names=switches, verify_integrity=False)
