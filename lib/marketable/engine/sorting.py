"""Bringing the touches of each contact together, in order, without a table of contacts.

A contact's key and the row's position fit into one 64-bit number, so sorting plain numbers groups the contacts and
keeps their rows in order. A large batch is divided by the keys first, into parts that stay near the processor and are
worked on by all cores.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import numpy as np

_T = TypeVar("_T")
_PART = 1 << 17  # rows, about
_MOST_PARTS = 256  # what a byte can number
_DIGIT = 16  # bits: NumPy sorts numbers so small by counting


def group(keys: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """The rows of each contact side by side, in their given order.

    Arguments: keys, int64, equal for rows of the same contact.
    Returns: in this order the rows' numbers and their contacts'; by contact where it begins, and its key.

    >>> [each.tolist() for each in group(np.array([30, 10, 30]))]
    [[1, 0, 2], [0, 1, 1], [0, 1], [10, 30]]
    """
    rows = len(keys)
    bits = max(1, (rows - 1).bit_length())
    kind = np.int32 if bits < 32 else np.int64
    lowest, highest = (int(keys.min()), int(keys.max())) if rows else (0, 0)
    if highest - lowest < 1 << (64 - bits):
        packed = (keys - lowest).view(np.uint64)
        packed <<= np.uint64(bits)
        packed |= np.arange(rows, dtype=np.uint64)
        packed.sort()
        order = (packed & np.uint64((1 << bits) - 1)).astype(kind)
        packed >>= np.uint64(bits)
        in_order = packed.view(np.int64) + lowest
    else:  # too far apart to fit beside a position
        order = np.argsort(keys, kind="stable").astype(kind)
        in_order = keys[order]
    first = np.ones(rows, dtype=bool)
    np.not_equal(in_order[1:], in_order[:-1], out=first[1:])
    starts = np.flatnonzero(first)
    contact = np.cumsum(first, dtype=kind)
    np.subtract(contact, 1, out=contact)
    return order, contact, starts.astype(kind), in_order[starts]


def in_parts(keys: np.ndarray, work: Callable[[np.ndarray], _T]) -> list[_T]:
    """What work makes of the rows, their numbers ascending, of some contacts after the other, in the order of keys.
    Several threads do it at once.

    >>> in_parts(np.array([30, 10, 30]), lambda rows: rows.tolist())
    [[0, 1, 2]]
    """
    count = min(_MOST_PARTS, -(-len(keys) // _PART))
    if count <= 1:
        return [work(np.arange(len(keys)))]
    lowest = int(keys.min())
    shift = np.uint64(max(0, (int(keys.max()) - lowest).bit_length() - _DIGIT))

    def digit(some: np.ndarray) -> np.ndarray:
        return (some - lowest).view(np.uint64) >> shift

    sample = np.sort(digit(keys[:: max(1, len(keys) // 8192)]))
    cuts = sample[np.arange(1, count) * len(sample) // count]
    part_of = np.searchsorted(cuts, np.arange(1 << _DIGIT), side="right").astype(np.uint8)

    def divide(start: int) -> list[np.ndarray]:
        part = part_of[digit(keys[start : start + _PART])]
        rows = np.argsort(part, kind="stable")
        rows += start
        return np.split(rows, np.cumsum(np.bincount(part, minlength=count))[:-1])

    with ThreadPoolExecutor(os.cpu_count()) as threads:
        blocks = threads.map(divide, range(0, len(keys), _PART))
        return list(threads.map(lambda pieces: work(np.concatenate(pieces)), zip(*blocks, strict=True)))
