"""What is planned, each with its day: a switch turned, an import, contacts set as marketing or non-marketing.

Actions are plain dicts, or rows of a YAML file, and are checked whole before anything is counted:

    - {on: 2026-11-10, switch: hubspot_form/Newsletter, turn: off}
    - {on: 2026-11-17, import: 600, existing: 150, tick: on}
    - {on: 2026-11-20, set_non_marketing: [hard bounced, never mailed]}
    - {on: 2026-12-01, set_marketing: 300}
"""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, model_validator

from marketable.errors import DataError
from marketable.plain_yaml import Place, read
from marketable.portal.portal import ON
from marketable.settings import IsoDate, Strict, fault, validate

KINDS = ("switch", "import", "set_marketing", "set_non_marketing")


def _day(value: object) -> object:
    return value.date() if isinstance(value, dt.datetime) else value


def _state(value: object) -> object:
    if isinstance(value, bool) or value is None:
        return value
    if str(value).strip().lower() not in ON:
        raise fault("This is neither on nor off", value=value, expected="on or off")
    return ON[str(value).strip().lower()]


def _many(value: object) -> object:
    if isinstance(value, str) and value.strip().isdigit():
        value = int(value)
    if value is None or (isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**12):
        return value
    raise fault("This is not a number of contacts", value=value, expected="a whole number like 600")


def _whom(value: object) -> object:
    """A number, or texts: groups of an audit, ids, or the path of a csv with ids."""
    if isinstance(value, str) and not value.strip().isdigit():
        return (value,)
    if isinstance(value, (list, tuple, set, frozenset)):
        if not value:
            raise fault("Nobody is named here", expected="groups of an audit, ids, or a number of contacts")
        return tuple(str(each) for each in value)
    return _many(value)


Switched = Annotated[bool | None, BeforeValidator(_state)]
Number = Annotated[int | None, BeforeValidator(_many)]
Whom = Annotated[int | tuple[str, ...] | None, BeforeValidator(_whom)]


class Action(Strict):
    """One thing that somebody does on a day.

    `on`, the day; and one of: `switch` (its name) with `turn`; `import` (so many contacts) with `tick` (the box that
    sets them as marketing) and `existing` (how many of them the account has already); `set_marketing` or
    `set_non_marketing`: a number, or groups of an audit, ids of contacts, paths of csv files with a column Record ID.
    """

    on: Annotated[IsoDate, BeforeValidator(_day)]
    switch: str | None = None
    turn: Switched = None
    imported: Annotated[Number, Field(alias="import")] = None
    existing: Number = None
    tick: Switched = None
    set_marketing: Whom = None
    set_non_marketing: Whom = None

    @model_validator(mode="after")
    def _one_thing(self) -> Action:
        told = {"switch": self.switch, "import": self.imported, "set_marketing": self.set_marketing,
                "set_non_marketing": self.set_non_marketing}  # fmt: skip
        kinds = [kind for kind, value in told.items() if value is not None]
        if len(kinds) != 1:
            problem = "An action does one thing; this does none" if not kinds else "An action does one thing"
            raise fault(problem, value=", ".join(kinds) or None, expected=f"one of {', '.join(KINDS)}")
        for kind, word, value in (("switch", "turn", self.turn), ("import", "tick", self.tick)):
            if (value is not None) != (kinds[0] == kind):
                if value is None:
                    raise fault(f"It must be said what happens: {word} is missing", expected=f"{word}: on or off")
                raise fault(f"Only {kind} goes with {word}", place=(word,), expected=f"{kind}, or no {word}")
        if self.existing is not None and self.imported is None:
            raise fault("Only import goes with existing", place=("existing",), expected="import, or no existing")
        if (self.existing or 0) > (self.imported or 0):
            raise fault(
                "More contacts exist already than are imported", place=("existing",), value=self.existing,
                expected=f"at most {self.imported:,}",
            )  # fmt: skip
        return self

    def __str__(self) -> str:
        if self.switch is not None:
            return f"{self.on}: turn {self.switch} {'on' if self.turn else 'off'}"
        if self.imported is not None:
            some = f", {self.existing:,} of them existing" if self.existing else ""
            return f"{self.on}: import {self.imported:,} contacts{some}, the box {'' if self.tick else 'not '}ticked"
        whom = self.set_marketing if self.set_marketing is not None else self.set_non_marketing
        what = "marketing" if self.set_marketing is not None else "non-marketing"
        many = f"{whom:,} contacts" if isinstance(whom, int) else _named(whom or ())
        return f"{self.on}: set {many} as {what}"


Given = str | os.PathLike[str] | Iterable[Mapping[str, Any] | Action]


def actions_of(given: Given) -> tuple[Action, ...]:
    """The actions, checked whole, in order of their days.

    Arguments: given, dicts as in this module's text, or the path of a YAML file with a list of them.
    Raises: DataError for the first that is not valid, with its place (counted from 0) or its line.

    >>> print(*actions_of([{"on": "2026-11-10", "switch": "hubspot_form/Newsletter", "turn": "off"}]))
    2026-11-10: turn hubspot_form/Newsletter off
    """
    rows: Any = given
    lines: dict[Place, int] = {}
    file = Path(given) if isinstance(given, (str, os.PathLike)) else None
    if file is not None:
        rows, lines = read(file, DataError)
    if isinstance(rows, Mapping) or not isinstance(rows, Iterable) or isinstance(rows, str):
        raise DataError("Actions are a list", value=rows, expected="[{on: 2026-11-10, switch: …, turn: off}, …]")
    found = []
    for number, row in enumerate(rows):
        if isinstance(row, Action):
            found.append(row)
            continue
        below = {place[1:]: line for place, line in lines.items() if place[:1] == (number,)}
        try:
            found.append(validate(Action, _spelled(row), DataError, below, file))
        except DataError as wrong:
            if file is not None:
                raise
            raise DataError(
                wrong.problem, place=(number, *wrong.place), value=wrong.value, expected=wrong.expected,
                nearest=wrong.nearest, advice=wrong.advice,
            ) from None  # fmt: skip
    return tuple(sorted(found, key=lambda action: action.on))


def _spelled(row: object) -> object:
    """YAML's older readers take the name `on` for true."""
    return {"on" if key is True else key: value for key, value in row.items()} if isinstance(row, Mapping) else row


def _named(whom: tuple[str, ...]) -> str:
    return ", ".join(whom) if len(whom) <= 3 else f"{len(whom):,} contacts"
