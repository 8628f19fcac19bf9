"""What a report is asked: its parameters, with the types, defaults and explanations that the command's help, the
notebook and the checks all take from here.

Parameters come in layers: YAML files, then single `name=value`s; a later layer replaces what an earlier one says. One
switch is named with a dot: `switches.hubspot_form/Newsletter=off`. Names that are not declared here are refused, so a
name can never become code in a notebook.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from .. import plain_yaml
from ..errors import MarketableError, ParameterError, UnknownNameError, nearest
from ..plain_yaml import Place
from ..rulebook import Rulebook
from ..strict import Strict, fault, tell
from .periods import Period
from .portal import Portal

TOOLKIT = Path(__file__).resolve().parents[3]
SAMPLE_EXPORT, SAMPLE_PORTAL = "data/hubspot-crm-exports-all-contacts-2026-10-31.csv", "data/portal.yaml"
OF_SWITCHES = ("switches", "flips")
_OF_FILES = ("data", "portal")
_TIMED = re.compile(r"(?P<switch>\w+) from (?P<from>\S+( \S+)?)")
_YES = {"on": True, "true": True, "yes": True, "off": False, "false": False, "no": False}


def find(path: str, *beside: Path) -> Path | None:
    """The file of a relative path: beside the file that names it, then from where we stand, then in the toolkit's
    folder; None where there is none.
    """
    given = Path(path).expanduser()
    places = [folder / given for folder in (*beside, Path.cwd(), TOOLKIT)]
    return next((place.resolve() for place in places if place.is_file()), None)


def _file(value: object) -> object:
    if not isinstance(value, str) or "\0" in value:
        raise fault("This is no path of a file", value=value, expected="a path, as text")
    if value and find(value) is None:
        folder = Path(value).expanduser().parent
        names = [str(folder / each.name) for each in folder.iterdir()] if folder.is_dir() else []
        near = nearest(value, names)
        raise fault("There is no such file", value=value, expected="the path of a file that exists", nearest=near)
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
    return value


def _edition(value: str) -> str:
    if value:
        try:
            Rulebook.load().pinned(value)
        except UnknownNameError as unknown:
            raise _told(unknown) from None
    return value


def _period(value: str) -> str:
    if value:
        try:
            Period.of_text(value)
        except ValueError as expected:
            raise fault("This is no period", value=value, expected=str(expected)) from None
    return value


def _time(value: str) -> str:
    if value:
        try:
            dt.datetime.fromisoformat(value)
        except ValueError:
            expected = "a time like 2026-10-31 18:00, or a day like 2026-10-31, which is its first moment"
            raise fault("This is not a time", value=value, expected=expected) from None
    return value


def _yes(value: object) -> object:
    if isinstance(value, bool):
        return value
    if str(value).strip().lower() not in _YES:
        raise fault("This is neither yes nor no", value=value, expected="yes or no", nearest=nearest(value, _YES))
    return _YES[str(value).strip().lower()]


def _switches(value: object) -> dict[str, Any]:
    """By the switch's name on or off or `{"from": …, "switch": …}`; made from names, or nested as in portal.yaml."""
    if value in (None, ""):
        return {}
    if not isinstance(value, Mapping):
        expected = 'switches by name, like {"hubspot_form/Newsletter": "off"}'
        raise fault("These are no switches", value=value, expected=expected)
    switches = {}
    for name, setting in flat_switches(value):
        settled = _setting(name, setting)
        try:
            Portal().with_switches({name: settled})
        except MarketableError as wrong:
            raise _told(wrong, name) from None
        switches[name] = settled
    return switches


def flat_switches(switches: Mapping[Any, Any]) -> list[tuple[str, Any]]:
    """Each switch and what it is set to, whether named `source/asset` or nested as in portal.yaml."""
    flat = []
    for name, setting in switches.items():
        dated = isinstance(setting, Mapping) and "switch" in setting
        if isinstance(setting, Mapping) and "/" not in str(name) and not (dated and str(name) in _for_the_account()):
            flat += [(f"{name}/{asset}", of_asset) for asset, of_asset in setting.items()]
        else:
            flat.append((str(name), setting))
    return flat


def _for_the_account() -> set[str]:
    rulebook = Rulebook.load()
    return {source for source in rulebook.on(rulebook.editions[-1]) if rulebook.scope(source) == "account"}


def _told(error: MarketableError, *place: str) -> PydanticCustomError:
    """An error of another part as a fault of a parameter."""
    return fault(error.problem, place=place, value=error.value, expected=error.expected, nearest=error.nearest)


def _setting(name: str, value: Any) -> Any:
    """A setting as `with_switches` takes it; text such as `off from 2026-05-01` is one too."""
    if isinstance(value, str):
        dated = _TIMED.fullmatch(value.strip())
        if dated:
            value = {"from": dated["from"], "switch": dated["switch"]}
        elif value.strip().lower() in _YES:
            return _YES[value.strip().lower()]
        else:
            told = {"expected": "on, off, or off from 2026-05-01", "nearest": nearest(value, _YES)}
            raise fault("A switch is on or off", place=(name,), value=value, **told)
    if isinstance(value, Mapping):
        return {str(key): part if isinstance(part, bool) else str(part) for key, part in value.items()}
    return value


Switches = Annotated[dict[str, Any], BeforeValidator(_switches)]


class Parameters(Strict):
    """What a report is asked. Each field's description is what people read about it, in the notebook and the help.

    >>> Parameters(period=2026, switches={"hubspot_form": {"Newsletter": "off"}}).switches
    {'hubspot_form/Newsletter': False}
    """

    data: Annotated[str, BeforeValidator(_file), BeforeValidator(_needed)] = Field(
        SAMPLE_EXPORT, description="an export of contacts, or a batch of touches: csv, xlsx, parquet or JSON"
    )
    portal: Annotated[str, BeforeValidator(_file)] = Field(
        SAMPLE_PORTAL, description="the account, as portal.yaml; empty: every switch at its default"
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

    @property
    def data_path(self) -> Path:
        """The file of the data."""
        return _found(self.data)

    @property
    def portal_path(self) -> Path | None:
        """The file of the portal, None where every switch is at its default."""
        return _found(self.portal) if self.portal else None


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
            tell(faults, ParameterError, lines, file)
        except ParameterError as wrong:
            raise wrong.located(file, lines) from None
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
    return None, {}, {name.strip(): value}


def notebook_cell() -> str:
    """The source of the notebook's cell of parameters: a line each, with its type, default and explanation."""
    return "\n".join(
        f"{name}: {field.annotation.__name__ if isinstance(field.annotation, type) else 'dict'} = "
        f"{json.dumps(field.default) if not isinstance(field.default, bool) else field.default}  # {field.description}"
        for name, field in Parameters.model_fields.items()
    )


def _undotted(given: Mapping[str, Any]) -> dict[str, Any]:
    """Names with a dot put where they belong; a switch named twice keeps the later setting."""
    plain: dict[str, Any] = {}
    for name, value in given.items():
        whole, dot, switch = str(name).partition(".")
        if dot and whole in OF_SWITCHES:
            plain.setdefault(whole, {})
            plain[whole] = {**dict(flat_switches(plain[whole])), switch: value}
        elif name in OF_SWITCHES and isinstance(value, Mapping):
            plain[name] = {**dict(flat_switches(value)), **plain.get(name, {})}
        else:
            plain[str(name)] = value
    return plain


def _placed(given: Mapping[str, Any], file: str | Path | None) -> dict[str, Any]:
    """Paths that a file names are looked for beside it first."""
    beside = [] if file is None else [Path(file).resolve().parent]
    found = {name: find(given[name], *beside) for name in _OF_FILES if isinstance(given.get(name), str) and given[name]}
    return {**given, **{name: str(path) for name, path in found.items() if path}}


def _found(path: str) -> Path:
    found = find(path)
    if found is None:
        raise ParameterError("There is no such file any more", value=path)
    return found
