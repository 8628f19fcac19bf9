"""A plan of many reports: which runs a `plan.yaml` asks for, each with its checked parameters, its name, and the
fingerprint of all that it is made from.

A plan names parameters common to all its reports, and what makes them many: `reports`, listed one by one, or
`portals`, a folder of accounts; and a `grid`, parameters each with several values, of which every combination is made.
"""

from __future__ import annotations

import functools
import hashlib
import itertools
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, model_validator

from marketable import plain_yaml
from marketable.errors import ParameterError, nearest
from marketable.exports.opening import SUFFIXES, checksum, submissions_of
from marketable.paths import TOOLKIT, at_home
from marketable.plain_yaml import Place
from marketable.portal.portal import split
from marketable.rulebook import Rulebook
from marketable.settings import Strict, fault, validate
from marketable.views.handing import slug, unique

from .parameters import NOTEBOOK, OF_FILES, OF_SWITCHES, Parameters, layered
from .process import writing

INDEX = "index"
MOST = 1000  # reports of a plan
_CLEAR = ("period", *OF_FILES, *OF_SWITCHES)  # parameters whose values say which they are

Layer = tuple[Path, Mapping[Place, int], Mapping[str, Any]]


@dataclass(frozen=True)
class Run:
    """One report of a plan. `name` is of its files, `label` for people; runs of one `group` are compared."""

    name: str
    label: str
    group: str
    parameters: Parameters
    fingerprint: str


@dataclass(frozen=True)
class Sweep:
    """What a plan asks for: the title of its index, the folder of its pages, its runs in order."""

    title: str
    folder: Path
    runs: tuple[Run, ...]

    def page(self, run: Run) -> Path:
        """Where the page of a run goes."""
        return self.folder / f"{run.name}.html"

    @property
    def index(self) -> Path:
        """Where the page about all of them goes."""
        return self.folder / f"{INDEX}.html"


def _text(value: object) -> object:
    if not isinstance(value, str) or "\0" in value:
        raise fault("This is no text", value=value, expected="text")
    return value


def _names(value: object) -> object:
    if value and not isinstance(value, Mapping):
        raise fault("Names with values are needed here", value=value, expected="lines like period: 2026-10")
    return value or {}


def _values(value: object) -> object:
    for name, values in dict(_names(value)).items():  # type: ignore[call-overload]
        if not isinstance(values, list) or not values:
            expected = "a list of one or more values, like [on, off]"
            raise fault("A grid needs the values of each parameter", place=(name,), value=values, expected=expected)
    return _names(value)


def _list(value: object) -> object:
    if not isinstance(value, list) or not value:
        raise fault("Reports are listed", value=value, expected="a list, each report with its parameters")
    for at, each in enumerate(value):
        if not isinstance(each, Mapping) or not isinstance(each.get("name", ""), str):
            expected = "like {name: September, period: 2026-09}"
            raise fault("A report is its parameters, and a name", place=(at,), value=each, expected=expected)
    return value


class Plan(Strict):
    """What stands in a plan: see this module."""

    output: Annotated[str, BeforeValidator(_text)] = ""
    title: Annotated[str, BeforeValidator(_text)] = "Marketing contacts"
    parameters: Annotated[Mapping[str, Any], BeforeValidator(_names)] = {}
    grid: Annotated[Mapping[str, list[Any]], BeforeValidator(_values)] = {}
    reports: Annotated[Sequence[Mapping[str, Any]], BeforeValidator(_list)] = ()
    portals: Annotated[str, BeforeValidator(_text)] = ""

    @model_validator(mode="after")
    def _makes_reports(self) -> Plan:
        if self.reports and self.portals:
            expected = "one of them; a grid, like grid: {period: [2026-08, 2026-09]}, multiplies either"
            raise fault("A plan has reports or portals, not both", place=("portals",), expected=expected)
        if not (self.reports or self.portals or self.grid):
            raise fault("This plan names no reports", expected="a grid, reports, or portals")
        count = max(1, len(self.reports)) * math.prod(map(len, self.grid.values()))
        if count > MOST:
            raise fault("This plan is too large", value=count, expected=f"at most {MOST:,} reports")
        return self


def planned(path: Path, folder: Path | None = None) -> Sweep:
    """What the plan of a file asks for, every run's parameters checked.

    Arguments: folder, of the pages, in place of the plan's own.
    Raises: ParameterError, for the first fault, with its file and line.
    """
    data, lines = plain_yaml.read(path, ParameterError)
    plan = validate(Plan, {} if data is None else data, ParameterError, lines, path)
    drafts = [
        (", ".join(filter(None, [label, of_grid])), label if plan.portals else "", [*layers, *grid])
        for label, layers in _listed(plan, path, lines)
        for of_grid, grid in _combined(plan, path, lines)
    ]
    if len(drafts) > MOST:
        expected = f"at most {MOST:,} reports"
        raise ParameterError("This plan is too large", file=path, value=len(drafts), expected=expected)
    names = unique([slug(label) for label, _, _ in drafts], taken=INDEX)
    runs = []
    for name, (label, group, layers) in zip(names, drafts, strict=True):
        own_title: Layer = (path, {}, {"title": f"{plan.title}: {label}"})
        common: Layer = (path, _below(lines, ("parameters",)), plan.parameters)
        try:
            parameters = layered([own_title, common, *layers])
        except ParameterError as wrong:
            raise wrong if wrong.file else wrong.located(path, layers[-1][1] if layers else {}) from None
        runs.append(Run(name, label, group, parameters, fingerprint(parameters)))
    folder = folder or (path.parent / at_home(plan.output) if plan.output else Path("saved") / slug(path.stem))
    with writing(folder):
        return Sweep(plan.title, _apart(folder, path, runs), tuple(runs))


def fingerprint(parameters: Parameters) -> str:
    """The SHA-256 of what a report is made from: parameters, contents of files, the notebook, the library."""
    files = _inputs(parameters)
    names = {name: path.name for name, path in parameters.paths.items()}
    made_from = [parameters.model_dump() | names, [_checksum(file) for file in files], _checksum(NOTEBOOK), library()]
    return hashlib.sha256(json.dumps(made_from, sort_keys=True, default=str).encode()).hexdigest()


@functools.cache
def library() -> str:
    """The SHA-256 of this library as it is installed, and of the versions of what it computes with."""
    package = Path(__file__).parents[1]
    sources = sorted(file for file in package.rglob("*") if file.is_file() and file.suffix not in (".pyc", ".pyo"))
    digests = [f"{file.relative_to(package).as_posix()} {_checksum(file)}" for file in sources]
    used = [f"{name} {version(name)}" for name in ("pandas", "numpy", "nbconvert")]
    return hashlib.sha256("\n".join([*digests, *used]).encode()).hexdigest()


# ---- what makes them many ----


def _listed(plan: Plan, path: Path, lines: Mapping[Place, int]) -> Iterator[tuple[str, list[Layer]]]:
    """Reports one by one, before the grid: each with its label and its layers of parameters."""
    if plan.portals:
        yield from _portals(plan, path, lines)
    elif plan.reports:
        for at, report in enumerate(plan.reports):
            own = {name: value for name, value in report.items() if name != "name"}
            label = report.get("name") or ", ".join(_label(name, value) for name, value in own.items())
            yield label or f"report {at + 1}", [(path, _below(lines, ("reports", at)), own)]
    else:
        yield "", []


def _portals(plan: Plan, path: Path, lines: Mapping[Place, int]) -> Iterator[tuple[str, list[Layer]]]:
    line: Mapping[Place, int] = {(): lines[("portals",)]}
    where: dict[str, Any] = {"file": path, "row": line[()], "place": ("portals",)}
    folders = [folder / at_home(plan.portals) for folder in (path.resolve().parent, Path.cwd(), TOOLKIT)]
    folder = next((folder for folder in folders if folder.is_dir()), None)
    if folder is None:
        near = nearest(plan.portals, [each.name for each in path.resolve().parent.iterdir() if each.is_dir()])
        raise ParameterError("There is no such folder", **where, value=plan.portals, nearest=near)
    accounts = sorted(each for each in folder.glob("*.yaml") if each.is_file() and each.resolve() != path.resolve())
    if not accounts:
        expected = "files like account.yaml, each with its data beside it, like account.csv"
        raise ParameterError("This folder holds no portals", **where, value=plan.portals, expected=expected)
    for account in accounts:
        own = {"portal": str(account.resolve())}
        data = next(filter(Path.is_file, (account.with_suffix(suffix) for suffix in SUFFIXES)), None)
        if data is not None:
            own["data"] = str(data.resolve())
        elif not {"data"} & {*plan.parameters, *plan.grid}:
            beside = f"{account.stem} with one of {', '.join(SUFFIXES)} beside it"
            expected = f"{beside}, or data common to all in parameters"
            raise ParameterError("This portal has no data", **where, value=account.name, expected=expected)
        yield account.stem, [(path, line, own)]


def _combined(plan: Plan, path: Path, lines: Mapping[Place, int]) -> Iterator[tuple[str, list[Layer]]]:
    """Every combination of the grid's values, the last parameter changing fastest."""
    axes = [[(name, at, value) for at, value in enumerate(values)] for name, values in plan.grid.items()]
    for chosen in itertools.product(*axes):
        layers: list[Layer] = [
            (path, _below(lines, ("grid", name, at), (name,)), {name: value}) for name, at, value in chosen
        ]
        yield ", ".join(_label(name, value) for name, _, value in chosen), layers


def _label(name: str, value: Any) -> str:
    """A parameter and its value in a few words.

    >>> _label("flips.hubspot_form/Newsletter", "off"), _label("flips.non_hubspot_form", "on")
    ('Newsletter off', 'Non-HubSpot forms on')
    >>> _label("period", "2026-09"), _label("edition", "2024-02-14")
    ('2026-09', 'edition 2024-02-14')
    """
    whole, dot, switch = name.partition(".")
    if dot and whole in OF_SWITCHES:
        source, asset = split(switch)
        rules = Rulebook.load().newest
        return f"{asset or (rules[source].name if source in rules else source)} {_said(value)}"
    if name in OF_FILES and isinstance(value, str):
        return Path(value).stem or f"no {name}"
    if isinstance(value, Mapping) and name in OF_SWITCHES:
        return ", ".join(_label(f"{name}.{each}", setting) for each, setting in value.items()) or "no flips"
    return _said(value) if name in _CLEAR else f"{name.replace('_', ' ')} {_said(value)}"


def _said(value: Any) -> str:
    if isinstance(value, Mapping) and "switch" in value:
        return f"{value['switch']} from {value['from']}" if "from" in value else str(value["switch"])
    if isinstance(value, Mapping):
        return " ".join(f"{name} {_said(each)}" for name, each in value.items())
    return str(value) or "default"


def _below(lines: Mapping[Place, int], place: Place, under: Place = ()) -> dict[Place, int]:
    """The lines of what stands below a place, as lines of a layer."""
    return {(*under, *known[len(place) :]): line for known, line in lines.items() if known[: len(place)] == place}


# ---- files ----


def _apart(folder: Path, plan: Path, runs: list[Run]) -> Path:
    """The folder. Raises: ParameterError for one that cannot be, or holds what the reports are made from."""
    where: dict[str, Any] = {"place": ("output",), "value": str(folder)}
    taken = next((each for each in (folder, *folder.parents) if each.exists() and not each.is_dir()), None)
    if taken is not None:
        raise ParameterError(f"There is a file where the folder should be, {taken}", **where)
    read = [plan, NOTEBOOK, *(file for run in runs for file in _inputs(run.parameters))]
    among = next((file.name for file in read if file.resolve().parent == folder.resolve()), None)
    if among is not None:
        problem = f"The reports would lie among what they are made from, {among}"
        raise ParameterError(problem, **where, advice="Choose a folder of their own.")
    return folder


def _inputs(parameters: Parameters) -> list[Path]:
    return [*parameters.paths.values(), *filter(None, [submissions_of(parameters.data_path)])]


def _checksum(file: Path) -> str:
    """Of the content as it is now; a file that several runs read is read once."""
    now = file.stat()
    return _digest(file, now.st_size, now.st_mtime_ns)


@functools.cache
def _digest(file: Path, _size: int, _changed: int) -> str:
    return checksum(file)
