"""What parquet says of itself, read without its library: that one ends the whole process when it comes upon an
encrypted column, and makes room for as much as a page says that it unpacks to.

It is written in Thrift's compact protocol: a structure is fields, each with a number and a kind, up to a zero.
"""

from __future__ import annotations

_TRUE, _FALSE, _BYTE, _DOUBLE, _TEXT, _LIST, _SET, _MAP, _STRUCTURE, _UUID = 1, 2, 3, 7, 8, 9, 10, 11, 12, 13
_FIXED = {_BYTE: 1, _DOUBLE: 8, _UUID: 16}
Path = tuple[int, ...]


def fields(data: bytes) -> tuple[dict[Path, int], int]:
    """The fields of the structure that stands first, and how many bytes it takes.

    Returns: by the path of their numbers whole numbers, and 0 for all else; of those in a list the last one.
    Raises: IndexError, RecursionError or ValueError, for what is no structure.

    >>> fields(bytes([0x15, 0x02, 0x7C, 0x15, 0x07, 0x00, 0x00]))
    ({(1,): 1, (8,): 0, (8, 1): -4}, 7)
    """
    reader = _Reader(data)
    reader.structure(())
    return reader.found, reader.at


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data, self.at = data, 0
        self.found: dict[Path, int] = {}

    def structure(self, path: Path) -> None:
        number = 0
        while header := self._byte():
            kind, step = header & 15, header >> 4
            number = number + step if step else self._number() >> 1
            here = (*path, number)
            self.found[here] = 0
            if kind not in (_TRUE, _FALSE):  # of which the header says all
                self._value(kind, here)

    def _value(self, kind: int, path: Path) -> None:
        if kind == _STRUCTURE:
            self.structure(path)
        elif kind in (_LIST, _SET):
            header = self._byte()
            for _ in self._range(header >> 4 if header >> 4 < 15 else self._number()):
                self._value(header & 15, path)
        elif kind == _MAP:
            count = self._number()
            kinds = self._byte() if count else 0
            for _ in self._range(count):
                self._value(kinds >> 4, path)
                self._value(kinds & 15, path)
        elif kind == _TEXT:
            length = self._number()
            self.at += length
        elif kind in (_TRUE, _FALSE, *_FIXED):
            self.at += _FIXED.get(kind, 1)
        elif 4 <= kind <= 6:
            number = self._number()
            self.found[path] = number >> 1 if number % 2 == 0 else -(number + 1 >> 1)
        else:
            raise ValueError(kind)

    def _range(self, count: int) -> range:
        """As many turns, where there can be so many values at all."""
        if count > len(self._data):
            raise ValueError(count)
        return range(count)

    def _byte(self) -> int:
        self.at += 1
        return self._data[self.at - 1]

    def _number(self) -> int:
        number = shift = 0
        while True:
            byte = self._byte()
            number |= (byte & 127) << shift
            shift += 7
            if byte < 128 or shift > 63:
                return number
