"""A number for each contact of a batch, equal where the ids are equal and nowhere else.

Whole numbers are their own. Other texts need no dictionary: their bytes are read eight at a time, as numbers, and these
are mixed into one of 64 bits. Rows with the same such number are then held against each other byte by byte, so that two
ids are never taken for one.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from .sorting import in_parts

_LONGEST = 128  # bytes of an id; an e-mail has some 25, a UUID 36
_BLOCK = 1 << 13  # rows whose numbers stay near the processor
_HALF = np.uint64(32)
_ODD = np.random.default_rng(0).integers(0, 1 << 63, _LONGEST // 8, dtype=np.uint64) * np.uint64(2) + np.uint64(1)
_BYTES = np.array([(1 << 8 * count) - 1 for count in range(9)], dtype=np.uint64)  # the lowest so many of a number


def contact_keys(ids: pd.Series) -> tuple[np.ndarray, bool]:
    """A number for each id, equal for equal ids and for no others; and whether it is the id itself, read as a number.
    Ids stay what they are: "007" is not "7".

    >>> contact_keys(pd.Series(["12", "7", "12"]))
    (array([12,  7, 12]), True)
    >>> contact_keys(pd.Series(["007", "7", "007"]))
    (array([0, 1, 0]), False)
    """
    if pd.api.types.is_integer_dtype(ids.dtype) and isinstance(ids.dtype, np.dtype):
        return ids.to_numpy(np.int64), True
    if isinstance(ids.dtype, pd.CategoricalDtype):
        return ids.cat.codes.to_numpy(np.int64), False
    if isinstance(ids.dtype, pd.StringDtype):
        held = pa.array(ids, pa.large_string())
        text = held.combine_chunks() if isinstance(held, pa.ChunkedArray) else held
        digits = _digits(text)
        return (_first_rows(text), False) if digits is None else (digits, True)
    return pd.factorize(ids)[0].astype(np.int64), False


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


def _first_rows(text: pa.LargeStringArray) -> np.ndarray:
    """By row the first row with the same text."""
    if (pc.max(pc.binary_length(text)).as_py() or 0) > _LONGEST:
        return _codes(text)
    numbers = _numbers(text)
    keys = np.empty(len(text), dtype=np.int64)

    def are_told_apart(rows: np.ndarray) -> bool:
        first = rows.take(_first_equal(numbers.take(rows)))
        keys[rows] = first
        again = np.flatnonzero(first != rows)
        return bool(text.take(pa.array(rows.take(again))).equals(text.take(pa.array(first.take(again)))))

    return keys if all(in_parts(numbers.view(np.int64), are_told_apart)) else _codes(text)


def _codes(text: pa.Array) -> np.ndarray:
    return np.asarray(text.dictionary_encode().indices, dtype=np.int64)


def _first_equal(numbers: np.ndarray) -> np.ndarray:
    """By position the first position with the same number, but for its highest bits: in their place stand those of the
    position, so that plain numbers are sorted, which is three times as fast as sorting positions by them. Arguments:
    numbers, uint64.

    >>> _first_equal(np.array([30, 10, 30], dtype=np.uint64)).tolist()
    [0, 1, 0]
    """
    bits = np.uint64(max(1, (len(numbers) - 1).bit_length()))
    packed = numbers << bits
    packed |= np.arange(len(numbers), dtype=np.uint64)
    packed.sort()
    order = (packed & ((np.uint64(1) << bits) - np.uint64(1))).view(np.int64)
    packed >>= bits
    begins = np.ones(len(numbers), dtype=bool)
    np.not_equal(packed[1:], packed[:-1], out=begins[1:])
    first = np.empty_like(order)
    first[order] = order[begins].take(np.cumsum(begins) - 1)
    return first


def _numbers(text: pa.LargeStringArray) -> np.ndarray:
    """A number for each text, uint64, equal for equal texts and hardly ever for others."""
    _, ends, data = text.buffers()
    ends = np.frombuffer(ends, np.int64)[text.offset : text.offset + len(text) + 1]
    data = np.frombuffer(data or b"", np.uint8)
    numbers = np.empty(len(text), dtype=np.uint64)

    def mix(start: int) -> None:
        its = ends[start : start + _BLOCK + 1]
        place, left = its[:-1] - its[0], np.diff(its)
        held = np.append(data[its[0] : its[-1]], np.zeros(8, dtype=np.uint8))
        words = np.ascontiguousarray(np.ndarray(len(held) - 7, "<u8", held, strides=(1,)))  # one begins at each byte
        mixed = left.astype(np.uint64)
        for odd in _ODD[: -(-int(left.max()) // 8)]:
            word = words.take(place, mode="clip")
            word &= _BYTES.take(left, mode="clip")  # nothing of the next text
            word *= odd
            word ^= word >> _HALF
            mixed += word
            place += 8
            left -= 8
        numbers[start : start + _BLOCK] = mixed

    if 0 < len(numbers) <= _BLOCK:
        mix(0)
        return numbers
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        list(threads.map(mix, range(0, len(numbers), _BLOCK)))
    return numbers
