"""Whether a parquet file says that it is encrypted, found without its library, which ends the whole process when it
comes upon a column that is.

A footer is written in Thrift's compact protocol: a structure is fields, each with a number and a kind, up to a zero.
Only the numbers matter here; all else is skipped.
"""

from __future__ import annotations

_ENCRYPTED = {(8,), (9,), (4, 1, 8), (4, 1, 9)}  # of the file, and of its groups' columns
_TRUE, _FALSE, _BYTE, _DOUBLE, _TEXT, _LIST, _SET, _MAP, _STRUCTURE, _UUID = 1, 2, 3, 7, 8, 9, 10, 11, 12, 13
_FIXED = {_BYTE: 1, _DOUBLE: 8, _UUID: 16}
Path = tuple[int, ...]


def is_encrypted(footer: bytes) -> bool:
    """Whether a field of it tells of encryption.

    Raises: IndexError, RecursionError or ValueError, for what is no footer.

    >>> is_encrypted(bytes([0x15, 0x02, 0x00])), is_encrypted(bytes([0x15, 0x02, 0x7C, 0x00, 0x00]))
    (False, True)
    """
    return _Reader(footer).structure(())


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def structure(self, path: Path) -> bool:
        """Goes past a structure. Returns: whether a field of it, or within it, tells of encryption."""
        number, told = 0, False
        while header := self._byte():
            kind, step = header & 15, header >> 4
            number = number + step if step else self._number() >> 1
            here = (*path, number)
            told = told or here in _ENCRYPTED
            if kind not in (_TRUE, _FALSE):  # of which the header says all
                told = self._value(kind, here) or told
        return told

    def _value(self, kind: int, path: Path) -> bool:
        if kind == _STRUCTURE:
            return self.structure(path)
        if kind in (_LIST, _SET):
            header = self._byte()
            count = header >> 4 if header >> 4 < 15 else self._number()
            told = [self._value(header & 15, path) for _ in self._range(count)]
            return any(told)
        if kind == _MAP:
            count = self._number()
            kinds = self._byte() if count else 0
            pairs = [(self._value(kinds >> 4, path), self._value(kinds & 15, path)) for _ in self._range(count)]
            return any(map(any, pairs))
        if kind == _TEXT:
            length = self._number()
            self._at += length
        elif kind in (_TRUE, _FALSE, *_FIXED):
            self._at += _FIXED.get(kind, 1)
        elif 4 <= kind <= 6:
            self._number()
        else:
            raise ValueError(kind)
        return False

    def _range(self, count: int) -> range:
        """As many turns, where there can be so many values at all."""
        if count > len(self._data):
            raise ValueError(count)
        return range(count)

    def _byte(self) -> int:
        self._at += 1
        return self._data[self._at - 1]

    def _number(self) -> int:
        number = shift = 0
        while True:
            byte = self._byte()
            number |= (byte & 127) << shift
            shift += 7
            if byte < 128 or shift > 63:
                return number
