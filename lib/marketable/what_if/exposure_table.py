"""The sums over a table of exposures that answers are made of: statuses under a setting, and what switches account for.

Everything here is arithmetic on small arrays; the number of contacts does not matter any more.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from marketable.engine.cases import MARKETING_CODE, NOT_COVERED_CODE
from marketable.engine.counting import creator_labels, month_labels
from marketable.engine.exposure import Exposures
from marketable.rulebook import STATUSES

BY = ("source", "asset", "month")


class Reach(NamedTuple):
    """What each switch accounts for, by its number: contacts exposed, contacts marketing through it alone, credit."""

    exposed: np.ndarray
    sole: np.ndarray
    credit: np.ndarray


class ExposureTable:
    """Sums over exposures. `weights`: contacts by exposure (a row) and by what they are while nothing in it is on
    (non-marketing, not covered). `slots_of`: which slots are a switch's. Settings are given by slot: whether it is on.
    """

    def __init__(self, exposures: Exposures) -> None:
        self.exposures = exposures
        is_uncovered = (exposures.rest == NOT_COVERED_CODE).astype(np.int64)
        many = len(exposures.bounds)
        self.weights = self._sums(exposures.exposure * 2 + is_uncovered, 2 * many).reshape(many, 2)
        ends = np.searchsorted(exposures.slots.switch, np.arange(len(exposures.slots.switches) + 1))
        self.slots_of = {name: slice(ends[at], ends[at + 1]) for at, name in enumerate(exposures.slots.switches)}

    def counts(self, on: np.ndarray) -> np.ndarray:
        """Contacts by status."""
        others = self.weights[~self.exposures.reached(on)].sum(axis=0)
        return np.array([self.weights.sum() - others.sum(), *others])

    def counts_by(self, by: str, on: np.ndarray) -> tuple[list[str], np.ndarray]:
        """Labels, and contacts by label and status."""
        labels, number = self.labels(by)
        table = self.exposures
        status = np.where(table.reached(on)[table.exposure], MARKETING_CODE, table.rest)
        sums = self._sums(number * len(STATUSES) + status, len(labels) * len(STATUSES))
        return labels, sums.reshape(-1, len(STATUSES))

    def labels(self, by: str) -> tuple[list[str], np.ndarray]:
        """The labels of a way to count, not yet unique, and by row of the table the number of its own."""
        if by == "month":
            months, number = self._months
            return month_labels(months), number
        return creator_labels(by, self.exposures.creators, BY), self.exposures.creator

    def reach(self, on: np.ndarray) -> Reach:
        """What each switch accounts for."""
        exposure, switch, starts = self._pairs
        contacts = self.weights.sum(axis=1)
        switches = len(self.exposures.slots.switches)
        is_on = np.logical_or.reduceat(on[self.exposures.members], starts) if len(starts) else np.zeros(0, dtype=bool)
        fixed = np.zeros(len(contacts), dtype=bool)
        fixed[exposure[switch < 0]] = True
        through = is_on & ~fixed[exposure]
        on_in = np.bincount(exposure[through], minlength=len(contacts))
        each, its = switch[through], exposure[through]
        alone = on_in[its] == 1
        real = switch >= 0
        return Reach(
            np.bincount(switch[real], contacts[exposure[real]], switches).astype(np.int64),
            np.bincount(each[alone], contacts[its[alone]], switches).astype(np.int64),
            np.bincount(each, contacts[its] / on_in[its], switches).astype(np.float64),
        )

    @property
    def always(self) -> int:
        """Contacts that are marketing under every setting."""
        exposure, switch, _ = self._pairs
        return int(self.weights[exposure[switch < 0]].sum())

    def sweep(self, switches: Sequence[str], weights: np.ndarray) -> Iterator[np.ndarray]:
        """Contacts that nothing makes marketing, under every setting of some switches; the others as the portal has
        them.

        Arguments: switches, names; weights, contacts by exposure and by whatever the columns are.
        Returns: for each column of weights a number each setting, counted in binary: the first switch is the highest
        bit.
        """
        table = self.exposures
        bits = np.zeros(len(table.slots.switch), dtype=np.int32)
        others = table.slots.own.copy()
        for at, name in enumerate(reversed(switches)):
            bits[self.slots_of.get(name, slice(0))] = 1 << at
            others[self.slots_of.get(name, slice(0))] = False
        mask = np.zeros(len(table.bounds), dtype=np.int64)
        if len(table.members):
            mask[1:] = np.bitwise_or.reduceat(bits[table.members], table.bounds[:-1])
        free = ~table.reached(others)
        kind = np.min_scalar_type(int(weights.sum()))
        for column in weights[free].T:
            exactly = np.bincount(mask[free], column, 1 << len(switches)).astype(kind)
            # Nothing makes marketing what lies within the switches that are off: the complement of the setting.
            yield over_subsets(exactly)[::-1]

    def listed(self) -> dict[str, list[Any]]:
        """The table in plain lists: exposures, names of sources, and rows of numbers: exposure, source, rest, contacts.
        What differs by asset or month only is put together.
        """
        table = self.exposures
        labels, number = self.labels("source")
        of_label, sources = pd.factorize(np.array(labels, dtype=object))
        keys = pd.DataFrame({"exposure": table.exposure, "source": of_label[number], "rest": table.rest})
        rows = keys.assign(contacts=table.contacts).groupby(list(keys), as_index=False)["contacts"].sum()
        members = table.members.tolist()
        sets = [members[start:end] for start, end in pairwise(table.bounds.tolist())]
        return {"sources": [str(name) for name in sources], "exposures": [[], *sets], "rows": rows.to_numpy().tolist()}

    def by_creator(self, number: np.ndarray, groups: int) -> np.ndarray:
        """Contacts by exposure and by group. Arguments: number, each creator's group."""
        table = self.exposures
        key = table.exposure * groups + number[table.creator]
        return self._sums(key, len(table.bounds) * groups).reshape(-1, groups)

    def _sums(self, key: np.ndarray, size: int) -> np.ndarray:
        return np.bincount(key, self.exposures.contacts, size).astype(np.int64)

    @functools.cached_property
    def _months(self) -> tuple[np.ndarray, np.ndarray]:
        months, number = np.unique(self.exposures.month, return_inverse=True)
        return months, number

    @functools.cached_property
    def _pairs(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Each exposure's switches: exposure, switch (negative: always), and where its slots begin in the members."""
        table = self.exposures
        exposure = np.repeat(np.arange(1, len(table.bounds)), np.diff(table.bounds))
        switch = table.slots.switch[table.members]
        differs = (np.diff(exposure, prepend=0) != 0) | (np.diff(switch, prepend=-2) != 0)
        starts = np.flatnonzero(differs)
        return exposure[starts], switch[starts], starts


def over_subsets(sums: np.ndarray) -> np.ndarray:
    """From a number for each set of switches, numbered by their bits, to the sum over all subsets of each set.

    One bit is one pass of additions. Half of the bits are passed, then the others with rows and columns exchanged, so
    that all additions run along whole rows.

    >>> over_subsets(np.array([1, 10, 100, 1000])).tolist()
    [1, 11, 101, 1111]
    """
    square = sums.reshape(1 << (len(sums).bit_length() // 2), -1)
    for _ in range(2):
        rows, columns = square.shape
        for bit in range(rows.bit_length() - 1):
            halves = square.reshape(-1, 2, (1 << bit) * columns)
            halves[:, 1] += halves[:, 0]
        square = np.ascontiguousarray(square.T)
    return square.ravel()
