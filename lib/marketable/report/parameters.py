"""What a report is asked: its parameters, with the types, defaults and explanations that the command's help, the
notebook and the checks all take from here.

Parameters come in layers: YAML files, then single `name=value`s; a later layer replaces what an earlier one says. One
switch is named with a dot: `switches.hubspot_form/Newsletter=off`. Names that are not declared here are refused, so a
name can never become code in a notebook.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from marketable import plain_yaml
from marketable.errors import MarketableError, ParameterError, UnknownNameError, nearest
from marketable.paths import NOTEBOOKS, TOOLKIT
from marketable.plain_yaml import Place
from marketable.portal.portal import ON, Portal
from marketable.rulebook import Rulebook
from marketable.settings import Strict, fault, tell

from .periods import FIRST_YEAR, LAST_YEAR, Period

NOTEBOOK = NOTEBOOKS / "report.ipynb"  # whose parameters these are
SAMPLE_EXPORT, SAMPLE_PORTAL = "data/hubspot-crm-exports-all-contacts-2026-10-31.csv", "data/portal.yaml"
OF_SWITCHES = ("switches", "flips")
OF_FILES = ("data", "mapping", "portal", "prices", "actions")
_TIME = re.compile(r"\d{4}-\d\d-\d\d([ T]|$)")
_TIMED = re.compile(r"(?P<switch>\w+) from (?P<from>\S+( \S+)?)")


def _found(path: str, *beside: Path) -> Path | None:
    """The file of a relative path: beside the file that names it, then from where we stand, then in the toolkit's
    folder; None where there is none.
    """
    with contextlib.suppress(OSError, ValueError, RuntimeError):  # too long a name, a stranger's home
        given = Path(path).expanduser()
        places = [folder / given for folder in (*beside, Path.cwd(), TOOLKIT)]
        return next((place.resolve() for place in places if place.is_file()), None)
    return None


def _no_such_file(path: str, *beside: Path) -> dict[str, Any]:
    """Arguments of an error that says so, with the nearest name in the folders looked into."""
    above, names = Path(path).parent, []
    for folder in (*beside, Path.cwd(), TOOLKIT):
        with contextlib.suppress(OSError, ValueError, RuntimeError):
            names += [str(above / each.name) for each in (folder / above.expanduser()).iterdir() if each.is_file()]
    expected = "the path of a file that exists"
    return {"problem": "There is no such file", "value": path, "expected": expected, "nearest": nearest(path, names)}


def _file(value: object) -> object:
    if not isinstance(value, str) or "\0" in value:
        raise fault("This is no path of a file", value=value, expected="a path, as text")
    if _unicode(value) and _found(value) is None:
        raise fault(**_no_such_file(value))
    return value


def _needed(value: object) -> object:
    if value == "":
        raise fault("A report needs data", expected="the path of an export of contacts, or of a batch of touches")
    return value


def _text(value: object) -> object:
    """Numbers that papermill made of what looks like one, and dates that a YAML reader made, are text again."""
    if isinstance(value, (dt.date, int, float)) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str):
        raise fault("This is no text", value=value, expected="text")
    return _unicode(value)


def _unicode(text: str) -> str:
    """The text, if it can be written down: bytes that are no UTF-8 reach a command as halves of letters."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise fault("This is not text in UTF-8", value=text, expected="text in UTF-8") from None
    return text


def _edition(value: str) -> str:
    if value:
        try:
            Rulebook.load().pinned(value)
        except UnknownNameError as unknown:
            raise _as_fault(unknown) from None
    return value


def _period(value: str) -> str:
    if value:
        try:
            Period.of_text(value)
        except ValueError as expected:
            raise fault("This is no period", value=value, expected=str(expected)) from None
    return value


def _time(value: str) -> str:
    with contextlib.suppress(ValueError):
        if not value or (_TIME.match(value) and FIRST_YEAR <= dt.datetime.fromisoformat(value).year <= LAST_YEAR):
            return value
    expected = "a time like 2026-10-31 18:00, or a day like 2026-10-31, which is its first moment"
    raise fault("This is not a time", value=value, expected=expected)


def _yes(value: object) -> object:
    text = str(value).strip().lower()
    if not isinstance(value, bool) and text not in ON:
        raise fault("This is neither yes nor no", value=value, expected="yes or no", nearest=nearest(value, ON))
    return value if isinstance(value, bool) else ON[text]


def _switches(value: object) -> dict[str, Any]:
    """By the switch's name on or off or `{"from": …, "switch": …}`; made from names, or nested as in portal.yaml."""
    if value in (None, ""):
        return {}
    if not isinstance(value, Mapping):
        expected = 'switches by name, like {"hubspot_form/Newsletter": "off"}'
        raise fault("These are no switches", value=value, expected=expected)
    switches = {}
    for name, setting in _flat(value):
        switches[name] = _setting(_unicode(name), setting)
        try:
            Portal().with_switches({name: switches[name]})
        except MarketableError as wrong:
            raise _as_fault(wrong, name, *wrong.place[2:]) from None  # as if it were the only change of a history
    return switches


def _flat(switches: Mapping[Any, Any]) -> Iterator[tuple[str, Any]]:
    """Each switch and what it is set to, whether named `source/asset` or nested as in portal.yaml."""
    rulebook = Rulebook.load()
    for name, setting in switches.items():
        # Of a tool with one switch for the account this is a dated setting; of another, it has an asset called switch.
        is_one = str(name) in rulebook.newest and rulebook.scope(str(name)) == "account"
        dated = is_one and isinstance(setting, Mapping) and "switch" in setting
        if isinstance(setting, Mapping) and "/" not in str(name) and not dated:
            yield from ((f"{name}/{asset}", of_asset) for asset, of_asset in setting.items())
        else:
            yield str(name), setting


def _as_fault(error: MarketableError, *place: str | int) -> PydanticCustomError:
    """An error of another part as a fault of a parameter."""
    return fault(error.problem, place=place, value=error.value, expected=error.expected, nearest=error.nearest)


def _setting(name: str, value: Any) -> Any:
    """A setting as `with_switches` takes it; text such as `off from 2026-05-01` is one too."""
    if isinstance(value, tuple) and len(value) == 2:
        value = {"from": value[0], "switch": value[1]}
    elif isinstance(value, str) and (dated := _TIMED.fullmatch(value.strip())):
        value = {"from": dated["from"], "switch": dated["switch"]}
    if isinstance(value, Mapping):
        return {str(key): part if isinstance(part, bool) else str(part) for key, part in value.items()}
    text = str(value).strip().lower()
    if text not in ON:
        told = {"expected": "on, off, or off from 2026-05-01", "nearest": nearest(text, ON)}
        raise fault("A switch is on or off", place=(name,), value=value, **told)
    return ON[text]


Switches = Annotated[dict[str, Any], BeforeValidator(_switches)]


class Parameters(Strict):
    """What a report is asked. Each field's description is what people read about it, in the notebook and the help.

    >>> Parameters(period=2026, switches={"hubspot_form": {"Newsletter": "off"}}).switches
    {'hubspot_form/Newsletter': False}
    """

    data: Annotated[str, BeforeValidator(_file), BeforeValidator(_needed)] = Field(
        SAMPLE_EXPORT, description="an export of contacts, or a batch of touches: csv, xlsx, parquet or JSON"
    )
    mapping: Annotated[str, BeforeValidator(_file)] = Field(
        "", description="what the export's columns and words mean, as a mapping.yaml of the audit; empty: by name"
    )
    portal: Annotated[str, BeforeValidator(_file)] = Field(
        SAMPLE_PORTAL, description="the account, as portal.yaml; empty: every switch at its default"
    )
    prices: Annotated[str, BeforeValidator(_file)] = Field(
        "", description="a price list like data/prices.yaml, for what groups of contacts cost; empty: none is told"
    )
    included: Annotated[int, Field(ge=0)] = Field(
        0, description="for who has no price list: how many contacts the hub's own price includes; 0: none is told"
    )
    step: Annotated[int, Field(ge=0)] = Field(0, description="how many contacts a further step of the tier has")
    monthly: Annotated[float, Field(ge=0)] = Field(0.0, description="what such a step costs a month")
    actions: Annotated[str, BeforeValidator(_file)] = Field(
        "", description="what is planned, with its days, like data/actions.yaml; empty: nothing"
    )
    edition: Annotated[str, BeforeValidator(_edition), BeforeValidator(_text)] = Field(
        "", description="judge everything by this edition, like 2024-02-14; empty: each touch by that of its day"
    )
    period: Annotated[str, BeforeValidator(_period), BeforeValidator(_text)] = Field(
        "", description="2026-10, 2026-Q3, 2026 or 2026-10-01/2026-10-15; empty: the month of as_of"
    )
    as_of: Annotated[str, BeforeValidator(_time), BeforeValidator(_text)] = Field(
        "", description="2026-10-31 18:00; a day is its first moment; empty: the end of the period, or the last touch"
    )
    switches: Switches = Field(
        {}, description='amends the portal, as in {"hubspot_form/Newsletter": False}; the baseline is what results'
    )
    flips: Switches = Field({}, description="the what-if: switches to flip against the baseline, written alike")
    title: Annotated[str, BeforeValidator(_text)] = Field("Marketing contacts", description="what stands on top")
    list_contacts: Annotated[bool, BeforeValidator(_yes)] = Field(
        False, description="also a csv of the contacts whose status changed; the page never names anyone"
    )

    def __init__(self, **given: Any) -> None:
        try:
            super().__init__(**given)
        except ValidationError as faults:
            tell(faults, ParameterError, {})

    @model_validator(mode="after")
    def _as_of_is_in_the_period(self) -> Parameters:
        if self.as_of and self.period:
            period, as_of = Period.of_text(self.period), dt.datetime.fromisoformat(self.as_of).replace(tzinfo=None)
            if not period.begins < as_of <= period.ends + dt.timedelta(microseconds=1):
                expected = f"a time in {period.name}"
                raise fault("This is not in the period", place=("as_of",), value=self.as_of, expected=expected)
        return self

    @model_validator(mode="after")
    def _prices_are_whole(self) -> Parameters:
        told = {name: getattr(self, name) for name in ("included", "step", "monthly")}
        if any(told.values()) and not (self.step and self.monthly):
            missing = "step" if not self.step else "monthly"
            raise fault("A price needs included, step and monthly", place=(missing,), expected="a number above 0")
        if any(told.values()) and self.prices:
            raise fault(
                "Prices are told twice", place=("prices",), value=self.prices, expected="a list or three numbers"
            )
        return self

    @property
    def paths(self) -> dict[str, Path]:
        """The files that are named, by parameter."""
        found: dict[str, Path] = {}
        for name in OF_FILES:
            if path := getattr(self, name):
                file = _found(path)
                if file is None:
                    raise ParameterError("There is no such file any more", value=path)
                found[name] = file
        return found

    @property
    def data_path(self) -> Path:
        """The file of the data."""
        return self.paths["data"]


def layered(layers: Iterable[tuple[str | Path | None, Mapping[Place, int], Mapping[str, Any]]]) -> Parameters:
    """The parameters that layers of names and values make together, the later ones first asked.

    Arguments: layers, each the file it came from (None: the command), the lines of its names, and names with values.
    Raises: ParameterError, for the first fault, with its file and line, or with the name as it was given.
    """
    merged: dict[str, Any] = {}
    for file, lines, given in layers:
        try:
            layer = Parameters.model_validate(_undotted(_placed(given, file)))
        except ValidationError as faults:
            tell(faults, ParameterError, _of_switches(lines), file)
        except ParameterError as wrong:
            raise wrong.located(file, _of_switches(lines)) from None
        for name in layer.model_fields_set:
            value = getattr(layer, name)
            merged[name] = {**merged.get(name, {}), **value} if name in OF_SWITCHES else value
    return Parameters(**merged)


def of_file(path: str | Path) -> tuple[Path, Mapping[Place, int], Mapping[str, Any]]:
    """A layer from a YAML file. Raises: ParameterError where it is not names with values."""
    given, lines = plain_yaml.read(path, ParameterError)
    if not isinstance(given or {}, Mapping):
        raise ParameterError("Names with values are needed here", file=path, expected="lines like period: 2026-10")
    return Path(path), lines, given or {}


def of_text(assignment: str) -> tuple[None, Mapping[Place, int], Mapping[str, Any]]:
    """A layer from one `name=value`. Of a switch, the last = divides, as its name may hold others.

    >>> of_text("switches.hubspot_form/A=B=off")[2]
    {'switches.hubspot_form/A=B': 'off'}
    """
    of_switch = assignment.startswith(tuple(f"{name}." for name in OF_SWITCHES))
    name, equals, value = assignment.rpartition("=") if of_switch else assignment.partition("=")
    if not equals:
        raise ParameterError("A parameter is given as name=value", value=assignment, expected="like period=2026-10")
    if name in OF_SWITCHES:
        read, _ = plain_yaml.load(value, ParameterError)
        return None, {}, {name: read}
    return None, {}, {name if of_switch else name.strip(): value}  # a form's name may end with a blank


def _undotted(given: Mapping[str, Any]) -> dict[str, Any]:
    """Names with a dot put where they belong; a switch named twice keeps the later setting."""
    plain: dict[str, Any] = {}
    for name, value in given.items():
        whole, dot, switch = str(name).partition(".")
        if whole in OF_SWITCHES and (dot or isinstance(value, Mapping)):
            before = plain.get(whole) or {}
            if not isinstance(before, Mapping):
                raise ParameterError("These are no switches", place=(whole,), value=before, expected="name: off")
            plain[whole] = {**before, **({switch: value} if dot else dict(_flat(value)))}
        else:
            plain[str(name) if whole in Parameters.model_fields else whole] = value
    return plain


def _of_switches(lines: Mapping[Place, int]) -> dict[Place, int]:
    """The lines, those of nested and dotted switches also under the names that the switches have here."""
    named: dict[Place, int] = dict(lines)
    for (first, *inner), line in ((place, line) for place, line in lines.items() if place):
        whole, dot, switch = str(first).partition(".")
        if whole in OF_SWITCHES and dot:
            named[(whole, switch, *inner)] = line
        elif whole in OF_SWITCHES and len(inner) > 1:
            named[(whole, f"{inner[0]}/{inner[1]}", *inner[2:])] = line
    return named


def _placed(given: Mapping[str, Any], file: str | Path | None) -> dict[str, Any]:
    """Paths that a file names are looked for beside it first."""
    placed = dict(given)
    for name in OF_FILES if file is not None else ():
        path = given.get(name)
        if isinstance(path, str) and path:
            beside = Path(str(file)).resolve().parent
            found = _found(path, beside)
            if found is None:
                raise ParameterError(**_no_such_file(path, beside), place=(name,))
            placed[name] = str(found)
    return placed
