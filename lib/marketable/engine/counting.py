"""Counts of contacts as people get them, whichever way they were counted: statuses as columns, a row each source, asset
or month.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from marketable.errors import UnknownNameError, nearest
from marketable.rulebook import STATUSES

from .cases import KNOWN

_COLUMNS = pd.Index(STATUSES, name="status")


def counted_all(counts: np.ndarray) -> pd.Series:
    """A count for each status."""
    return pd.Series(counts, index=_COLUMNS, name="contacts")


def counted_by(by: str, labels: list[str], table: np.ndarray) -> pd.DataFrame:
    """The counts of each label that has any, sources in the rulebook's order, others in the alphabet's.

    Arguments: by, what the labels are; labels, one a row, some perhaps the same; table, a column each status.
    """
    numbers = {label: number for number, label in enumerate(dict.fromkeys(labels))}
    summed = np.zeros((len(numbers), len(STATUSES)), dtype=np.int64)
    np.add.at(summed, [numbers[label] for label in labels], table)
    frame = pd.DataFrame(summed, index=pd.Index(list(numbers), name=by, dtype="str"), columns=_COLUMNS)
    counts = frame.iloc[np.flatnonzero(summed.any(axis=1))]
    if by == "source":
        return counts.loc[[name for name in KNOWN if name in counts.index]]
    return counts.sort_index()


def creator_labels(by: str, creators: Sequence[tuple[str, str]], ways: Sequence[str]) -> list[str]:
    """What creators are called when counted by source or by asset.

    Raises: UnknownNameError for another way than those two, with the nearest of all `ways`.
    """
    if by == "source":
        return [source for source, _ in creators]
    if by == "asset":
        return [f"{source}/{asset}" if asset else source for source, asset in creators]
    expected = ", ".join(ways)
    raise UnknownNameError("Contacts cannot be counted by this", value=by, expected=expected, nearest=nearest(by, ways))


def month_labels(months: np.ndarray) -> list[str]:
    """What months of creation are called; where it is not known, "unknown"."""
    return ["unknown" if np.isnat(month) else str(month) for month in months]
