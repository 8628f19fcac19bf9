"""The few exceptions of the toolkit, written for the person who can mend what is wrong.

Every message says what is wrong, where (file, row, column, value), what was expected, the nearest valid name and what
to do. The same facts are attributes, so that a widget or a command can lay them out its own way.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

_SHOWN = 80


class MarketableError(Exception):
    """What all exceptions of this library share.

    Arguments: problem, a sentence without its full stop; and where they are known, file, row (counted as a spreadsheet
    does, the header being 1; in a YAML file the line), column, place (the path of names to a value in a settings file),
    value, expected, nearest (a valid name close to the value), advice (what to do).

    >>> print(DataError("No such source", file="touches.csv", row=7, value="form", nearest="hubspot_form"))
    No such source: 'form' (touches.csv, row 7). Did you mean 'hubspot_form'?
    """

    _row, _column = "row", "column"

    def __init__(
        self,
        problem: str,
        *,
        file: str | os.PathLike[str] | None = None,
        row: int | None = None,
        column: str | None = None,
        place: tuple[str | int, ...] = (),
        value: object = None,
        expected: str | None = None,
        nearest: str | None = None,
        advice: str | None = None,
    ) -> None:
        self.problem, self.row, self.value, self.place = problem, row, value, place
        self.column = column or ".".join(map(str, place)) or None
        self.file = None if file is None else Path(file).name
        self.expected, self.nearest, self.advice = expected, nearest, advice
        super().__init__(self._message())

    def __str__(self) -> str:
        return str(self.args[0])

    def located(
        self, file: str | os.PathLike[str] | None, lines: Mapping[tuple[str | int, ...], int]
    ) -> MarketableError:
        """The same fault with its file, and with the line of its place or of the nearest place around it; one that says
        where it is stays as it is.

        >>> print(DataError("No such tool", file="tool.yaml").located("portal.yaml", {}))
        No such tool (tool.yaml).
        """
        if self.file is not None:
            return self
        known = self.place
        while known and known not in lines:
            known = known[:-1]
        return type(self)(
            self.problem,
            file=file,
            row=lines.get(known),
            place=self.place,
            value=self.value,
            expected=self.expected,
            nearest=self.nearest,
            advice=self.advice,
        )

    def _message(self) -> str:
        where = [self.file, self.row and f"{self._row} {self.row}", self.column and f"{self._column} {self.column}"]
        where = [part and in_one_line(part) for part in where]
        text = self.problem
        if self.value is not None:
            text += f": {shown(self.value)}"
        if any(where):
            text += f" ({', '.join(part for part in where if part)})"
        text += "."
        if self.expected:
            text += f" Expected {self.expected}."
        if self.nearest is not None:
            text += f" Did you mean {self.nearest!r}?"
        if self.advice:
            text += f" {self.advice}"
        return text


class RulebookError(MarketableError):
    """A file of the rulebook cannot be read as rules."""

    _row, _column = "line", "at"


class PortalError(MarketableError):
    """A portal's settings are not valid."""

    _row, _column = "line", "at"


class ParameterError(MarketableError):
    """What a report or a sweep is asked is not valid."""

    _row, _column = "line", "at"


class DataError(MarketableError):
    """A batch, an export or a table of contacts cannot be used as it is."""


class MappingError(DataError):
    """A mapping of an export's columns and values is not valid."""

    _row, _column = "line", "at"


class UnknownNameError(MarketableError, KeyError):
    """A name (source, switch, edition, sample …) that nothing bears; the nearest one is offered."""


def in_one_line(text: str) -> str:
    r"""A text from data, its line breaks and control characters escaped, as a message or a terminal shows it.

    >>> in_one_line("Newsletter\nlarge")
    'Newsletter\\nlarge'
    """
    return "".join(each if each.isprintable() else repr(each)[1:-1] for each in text)


def shown(value: object) -> str:
    """The value as a message shows it: quoted, control characters escaped, never long; of a path its name is seen.

    >>> shown("/home/" + "a" * 200 + "/export.csv")[-14:]
    "aa/export.csv'"
    """
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN // 2]}…{text[-_SHOWN // 2 :]}"


def nearest(name: object, valid: Iterable[str]) -> str | None:
    """The valid name closest to the one given, or None where none is close. Case does not count.

    >>> nearest("Hubspot forms", ["hubspot_form", "chatflow"])
    'hubspot_form'
    """
    by_folded = {candidate.casefold(): candidate for candidate in valid}
    found = difflib.get_close_matches(str(name).casefold(), list(by_folded), n=1, cutoff=0.6)
    return by_folded[found[0]] if found else None
