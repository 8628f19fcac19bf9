"""Bringing the touches of each contact together, in order, without a table of contacts.

A contact's key and the row's position fit into one 64-bit number, so one plain sort of numbers groups the contacts and
keeps their rows in order. That is several times faster than coding the ids by a hash table first, and it needs eight
bytes a row.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

_THREADED_FROM = 1 << 17


@dataclass(frozen=True)
class Groups:
    """Rows in the order of contacts: `order` (row numbers), `contact` (its number); by contact: `starts` (where it
    begins) and `keys`.
    """

    order: np.ndarray
    contact: np.ndarray
    starts: np.ndarray
    keys: np.ndarray


def group(keys: np.ndarray) -> Groups:
    """The rows of each contact side by side, in their given order. Arguments: keys, int64, equal for rows of the same
    contact.

    >>> group(np.array([30, 10, 30])).order.tolist()
    [1, 0, 2]
    """
    rows = len(keys)
    if rows == 0:
        nothing = np.zeros(0, dtype=np.int64)
        return Groups(nothing, nothing, nothing, keys)
    bits = max(1, int(rows - 1).bit_length())
    lowest = int(keys.min())
    if int(keys.max()) - lowest < 1 << (64 - bits):
        packed = _sorted_packed(keys, lowest, bits)
        order = (packed & np.uint64((1 << bits) - 1)).astype(np.int32 if bits < 32 else np.int64)
        packed >>= np.uint64(bits)
        in_order = packed.view(np.int64)
        in_order += lowest
    else:  # too far apart to fit beside a position
        order = np.argsort(keys, kind="stable").astype(np.int32 if bits < 32 else np.int64)
        in_order = keys[order]
    first = np.empty(rows, dtype=bool)
    first[0] = True
    np.not_equal(in_order[1:], in_order[:-1], out=first[1:])
    starts = np.flatnonzero(first).astype(order.dtype)
    by_contact = in_order[starts]
    del in_order
    contact = np.cumsum(first, dtype=order.dtype)
    contact -= 1
    return Groups(order, contact, starts, by_contact)


def _sorted_packed(keys: np.ndarray, lowest: int, bits: int) -> np.ndarray:
    """Key and position in one number each, sorted. On two cores from some size on: split by a value near the middle,
    both sides sorted at once are in place already.
    """
    numbers = (keys - lowest).view(np.uint64)
    numbers <<= np.uint64(bits)
    numbers |= np.arange(len(keys), dtype=np.uint64)
    if len(keys) < _THREADED_FROM:
        numbers.sort()
        return numbers
    low = numbers < np.partition(numbers[:: len(keys) // 4096], 2048)[2048]
    lower, upper = numbers[low], numbers[~low]
    with ThreadPoolExecutor(2) as threads:
        list(threads.map(np.ndarray.sort, (lower, upper)))
    numbers[: len(lower)], numbers[len(lower) :] = lower, upper
    return numbers


def contact_keys(ids: pd.Series) -> np.ndarray:
    """A number for each id, equal for equal ids and for no others. Ids stay what they are: "007" is not "7".

    >>> keys = contact_keys(pd.Series(["007", "7", "007"]))
    >>> keys[0] == keys[2], keys[0] == keys[1]
    (np.True_, np.False_)
    """
    if pd.api.types.is_integer_dtype(ids.dtype) and isinstance(ids.dtype, np.dtype):
        return ids.to_numpy(np.int64)
    if isinstance(ids.dtype, pd.CategoricalDtype):
        return ids.cat.codes.to_numpy(np.int64)
    if isinstance(ids.dtype, pd.StringDtype):
        text = pa.array(ids)
        digits = _digits(text)
        return _codes(text) if digits is None else digits
    return pd.factorize(ids)[0].astype(np.int64)


def _digits(text: pa.Array) -> np.ndarray | None:
    """Ids that are plain whole numbers are keys as they are, which saves a hash table; None for any others."""
    try:
        pc.cast(text[:100], pa.int64())  # that it cannot be done is said fast for few and slowly for many
        numbers = pc.cast(text, pa.int64())
    except pa.ArrowInvalid:
        return None
    values = np.asarray(numbers)
    if not len(values) or values.min() < 1:
        return None
    lengths = np.asarray(pc.binary_length(text))
    shortest = int(lengths.min())
    if shortest == int(lengths.max()):
        plain = values.min() >= 10 ** (shortest - 1)
    else:
        plain = np.array_equal(lengths, np.searchsorted(10 ** np.arange(19, dtype=np.int64), values, side="right"))
    return values if plain else None


def _codes(text: pa.Array) -> np.ndarray:
    encoded = pc.dictionary_encode(text)
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.combine_chunks()
    return np.asarray(encoded.indices, dtype=np.int64)
