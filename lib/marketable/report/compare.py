"""Two reports compared: how the marketing count moved from the first to the second, and what moved it.

Each marketing contact counts in equal parts for the switches that are on and reach it, and for none where no switch
changes it. So the changes of these parts, switch by switch, and of the contacts that no switch changes, sum to the
change of the count; they are no estimate.
"""

from __future__ import annotations

import html
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from marketable.errors import DataError, ParameterError
from marketable.paths import at_home, read_whole, write_whole
from marketable.rulebook import MARKETING, Rulebook
from marketable.views import pieces
from marketable.views.document import document
from marketable.views.tables import html_table
from marketable.views.words import discreet

from .process import writing

ALWAYS = "always"  # the row of what no switch changes; no switch is called so
NOW, WHAT_IF, WHAT_IF_SWITCHES = "now", "what-if", "what-if switches"
_NEEDED = (
    "parameters",
    "as_of",
    "counts",
    "always",
    "switches",
    "what-if switches",
    "sources",
    "checksums",
    "versions",
)
_NOTHING = {"on": False, "exposed": 0, "sole": 0, "credit": 0.0}
_ROUNDED = 1e-6  # to which credits are
_MOST = 60  # rows of a table
_MOST_BYTES, _MOST_DIGITS = 64 << 20, 15


@dataclass(frozen=True)
class Movement:
    """From one marketing count to another.

    `moved` has a row each switch that differs, the most moved first, and one for what no switch changes: was and
    becomes (credit), change, why. Its changes sum to the change of the count. `sources` has was, becomes and change of
    the marketing contacts by creating tool.
    """

    was: int
    becomes: int
    moved: pd.DataFrame
    sources: pd.DataFrame

    @property
    def counting(self) -> pd.DataFrame:
        """Of what differs, what moved the count."""
        return self.moved[self.moved["change"].abs() > _ROUNDED]

    @property
    def says(self) -> str:
        """Which way, how far, and the switch that moved most; a part of a sentence."""
        text = f"marketing contacts {_way(self.was, self.becomes)}"
        if not len(self.counting):
            return text
        name, most = str(self.counting.index[0]), self.counting.iloc[0]
        return f"{text}; most moved {_called(name)} ({most['change']:+,.1f}: {most['why']})"


@dataclass(frozen=True)
class Comparison:
    """The second report against the first: what moved `now`, and in the what-ifs, where one of them asks one; and
    `differences`, what they were made from: name, first, second. `own`: HubSpot's own counts, where both know them;
    then the others are those of the rules.
    """

    title: str
    own: tuple[int, int] | None
    now: Movement
    what_if: Movement | None
    differences: pd.DataFrame

    @property
    def moved(self) -> pd.DataFrame:
        """What moved the marketing count, switch by switch."""
        return self.now.moved

    @property
    def says(self) -> str:
        """What moved, in a sentence; and with the what-if, where one is asked. HubSpot's own count comes first."""
        sentences = [f"as HubSpot counts, marketing contacts {_way(*self.own)}"] if self.own else []
        by_rules = "by the rules, " if self.own else ""
        sentences += [by_rules + self.now.says] if self.what_if is None or len(self.now.counting) else []
        sentences += [] if self.what_if is None else [f"with the what-if, {self.what_if.says}"]
        data = self.differences.set_index("what").loc[lambda frame: frame.index == "data"]
        sentences += [f"mind that the data differ: {each.first}, and {each.second}" for each in data.itertuples()]
        return " ".join(f"{sentence[0].upper()}{sentence[1:]}." for sentence in sentences)

    @property
    def page(self) -> str:
        """The comparison as a page of HTML that needs nothing else."""
        what_if = "" if self.what_if is None else f"<h2>With the what-if</h2>{tables(self.what_if)}"
        return document(
            self.title,
            f'<p class="mk-lead"><strong>{html.escape(self.says)}</strong></p>{tables(self.now)}{what_if}'
            f"<h2>What they were made from</h2>{html_table(self.differences, 'What differs.', most=200)}"
            f"{pieces.CREDIT}",
        )


def figures_of(path: str | Path) -> dict[str, Any]:
    """The figures of a report: of its JSON, or of the JSON beside its page. Raises: DataError where there are none."""
    given = at_home(path)
    file = given.with_suffix(".json") if given.suffix.lower() in (".html", ".htm") else given
    advice = "Give the JSON that stands beside a report's page, or the page."
    try:
        text = read_whole(file, _MOST_BYTES).decode("utf-8-sig")
        figures = json.loads(text, parse_constant=_number, parse_float=_number, parse_int=_number)
        json.dumps(figures, ensure_ascii=False).encode()  # halves of letters are no text
    except OSError as fault:
        raise DataError(f"The figures cannot be read: {fault.strerror}", file=file, advice=advice) from None
    except (ValueError, RecursionError):
        raise DataError("This is no JSON", file=file, advice=advice) from None
    wrong = _wrong(figures)
    if wrong:
        raise DataError(f"These are no figures of a report: {wrong}", file=file, advice=advice)
    return dict(figures)


def compare(first: Mapping[str, Any], second: Mapping[str, Any]) -> Comparison:
    """The second report against the first. Arguments: the figures of each."""
    asks = any(figures["parameters"].get("flips") for figures in (first, second))
    was, becomes = own_count(first), own_count(second)
    titles = [str(figures["parameters"].get("title", "a report")) for figures in (first, second)]
    return Comparison(
        discreet(f"{titles[1]}, against {titles[0]}" if titles[0] != titles[1] else f"{titles[0]}, two reports"),
        None if was is None or becomes is None else (was, becomes),
        _movement(first, second, NOW),
        _movement(first, second, WHAT_IF) if asks else None,
        _differences(first, second),
    )


def own_count(figures: Mapping[str, Any]) -> int | None:
    """The marketing contacts as HubSpot counts them, where a report's data say that."""
    own = figures.get("own")
    return None if own is None else int(own[MARKETING])


def write_page(comparison: Comparison, output: Path, *read: str | Path) -> None:
    """Writes the page of a comparison; see `written_to`."""
    written_to(output, comparison.page, *read)


def written_to(output: Path, page: str, *read: str | Path) -> None:
    """Writes a page, whole or not at all.

    Arguments: read, the files that were compared.
    Raises: ParameterError for an output that is a folder, no page, one of those files or the page beside one, or that
    cannot be written.
    """
    where: dict[str, Any] = {"place": ("output",), "value": str(output)}
    with writing(output):
        if output.suffix.lower() not in (".html", ".htm") or output.is_dir():
            raise ParameterError("The page is an HTML file", **where, expected="name.html")
        if output.resolve().with_suffix("") in [at_home(file).resolve().with_suffix("") for file in read]:
            raise ParameterError("The comparison would be written over what it compares", **where)
        output.parent.mkdir(parents=True, exist_ok=True)
        write_whole(output, page.encode())


def tables(movement: Movement) -> str:
    """What moved, as tables of HTML: switch by switch, and by creating tool."""
    sources = movement.sources[movement.sources["change"] != 0].rename_axis("created by")
    shown = {"What moved: the changes sum to the difference.": movement.counting}
    shown |= {"Marketing contacts, by creating tool.": sources}
    named = {caption: frame.rename(index=_called).reset_index() for caption, frame in shown.items() if len(frame)}
    return "".join(html_table(frame, caption, most=_MOST) for caption, frame in named.items())


def _movement(first: Mapping[str, Any], second: Mapping[str, Any], of: str) -> Movement:
    was, becomes = _switches(first, of), _switches(second, of)
    rows: list[tuple[str, float, float, str]] = []
    for name in dict.fromkeys([*was, *becomes]):
        before, after = was.get(name), becomes.get(name)
        if before != after:
            part, then = ((each or _NOTHING)["credit"] for each in (before, after))
            rows.append((name, part, then, _why(before, after, then - part)))
    always, later = float(first["always"]), float(second["always"])
    if change := later - always:
        why = f"{abs(change):,.0f} {'more' if change > 0 else 'fewer'} that are marketing whatever the switches"
        rows.append((ALWAYS, always, later, why))
    count, now = (int(figures["counts"][of][MARKETING]) for figures in (first, second))
    frame = pd.DataFrame(rows, columns=["switch", "was", "becomes", "why"]).set_index("switch")
    moved = _changed(frame.astype({"was": float, "becomes": float}))
    return Movement(count, now, moved[["was", "becomes", "change", "why"]], _sources(first, second, of))


def _way(was: int, becomes: int) -> str:
    """Which way a count went, and how far."""
    if was == becomes:
        return f"stayed at {was:,}"
    return f"{'rose' if becomes > was else 'fell'} by {abs(becomes - was):,}, from {was:,} to {becomes:,}"


def _changed(frame: pd.DataFrame) -> pd.DataFrame:
    """What something was and becomes, with the change; the largest first."""
    frame = frame.assign(change=frame["becomes"] - frame["was"])
    return frame.sort_values("change", key=lambda change: -change.abs(), kind="stable")


def _switches(figures: Mapping[str, Any], of: str) -> dict[str, dict[str, Any]]:
    """What each switch accounts for, by name. Names that look alike, as an address was masked in them, are one."""
    by_name: dict[str, dict[str, Any]] = {}
    for row in (figures.get(WHAT_IF_SWITCHES) if of == WHAT_IF else None) or figures["switches"]:
        so_far = by_name.setdefault(str(row["switch"]), _NOTHING)
        summed = {name: so_far[name] + row[name] for name in ("exposed", "sole", "credit")}
        by_name[str(row["switch"])] = {"on": so_far["on"] or row["on"], **summed}
    return by_name


def _why(before: Mapping[str, Any] | None, after: Mapping[str, Any] | None, change: float) -> str:
    """Why a switch accounts for more or less; of several reasons the one that a person can act on."""
    if before is None or after is None:
        return "not there before" if before is None else "no longer there"
    if before["on"] != after["on"]:
        return "turned on" if after["on"] else "turned off"
    reach = after["exposed"] - before["exposed"]
    shares = f"shares its contacts with {'more' if change < 0 else 'fewer'} others"
    if not reach:
        return shares if abs(change) > _ROUNDED else "others reach its contacts as well"
    reaches = f"reaches {abs(reach):,} {'more' if reach > 0 else 'fewer'} contact{'' if abs(reach) == 1 else 's'}"
    if not after["on"] and abs(change) <= _ROUNDED:
        return f"is off; {reaches}"
    return f"{reaches}, and {shares}" if reach * change < 0 and abs(change) > _ROUNDED else reaches


def _sources(first: Mapping[str, Any], second: Mapping[str, Any], of: str) -> pd.DataFrame:
    column = WHAT_IF if of == WHAT_IF else MARKETING
    was, becomes = ({str(row["source"]): int(row[column]) for row in each["sources"]} for each in (first, second))
    rows = [(name, was.get(name, 0), becomes.get(name, 0)) for name in dict.fromkeys([*was, *becomes])]
    return _changed(pd.DataFrame(rows, columns=["source", "was", "becomes"]).set_index("source"))


def _differences(first: Mapping[str, Any], second: Mapping[str, Any]) -> pd.DataFrame:
    was, becomes = _made_from(first), _made_from(second)
    names = [name for name in dict.fromkeys([*was, *becomes]) if was.get(name) != becomes.get(name)]
    rows = [(name, was.get(name, ""), becomes.get(name, "")) for name in names]
    return pd.DataFrame(rows, columns=["what", "first", "second"], dtype="str")


def _made_from(figures: Mapping[str, Any]) -> dict[str, str]:
    made_from: dict[str, Any] = {"as of": figures["as_of"], "tier": figures.get("tier")}
    for name, value in figures["parameters"].items():
        of_switches = isinstance(value, dict)
        made_from |= {f"{name}: {switch}": flip for switch, flip in value.items()} if of_switches else {name: value}
    made_from |= {"title": None, "period": figures.get("period", {}).get("name")}  # a title makes no difference
    made_from |= {f"SHA-256 of {name}": checksum for name, checksum in figures["checksums"].items()}
    made_from |= {f"version of {name}": number for name, number in figures["versions"].items()}
    return {name: _said(value) for name, value in made_from.items()}


def _said(value: Any) -> str:
    if isinstance(value, Mapping):
        return " ".join(f"{name} {_said(each)}" for name, each in value.items())
    return {True: "on", False: "off"}[value] if isinstance(value, bool) else "" if value is None else str(value)


def _called(name: str) -> str:
    return "what no switch changes" if name == ALWAYS else pieces.called(name, Rulebook.load().newest)


def _number(text: str) -> float:
    """A number of JSON. Raises: ValueError for one that no count and no credit is."""
    number = float(text)
    if abs(number) < 10**_MOST_DIGITS:
        return int(text) if text.lstrip("-").isdigit() else number
    raise ValueError(text[:_MOST_DIGITS])


def _wrong(figures: Any) -> str | None:
    """What is wrong with data that should be the figures of a report, or None."""
    missing = [name for name in _NEEDED if name not in figures] if isinstance(figures, Mapping) else _NEEDED
    if missing:
        return f"{missing[0]} is missing"
    try:
        for of in (NOW, WHAT_IF):
            parts = sum(row["credit"] for row in _switches(figures, of).values()) + figures["always"]
            count, columns = int(figures["counts"][of][MARKETING]), [row[MARKETING] for row in figures["sources"]]
            stands = of == NOW or figures.get(WHAT_IF_SWITCHES)
            if stands and abs(parts - count) > _ROUNDED * (len(figures["switches"]) + 1):
                return f"the parts sum to {parts:,.1f}, and the count is {count:,}"
            if of == NOW and sum(columns) != count:
                return f"the tools sum to {sum(columns):,}, and the count is {count:,}"
            for name in (*_movement(figures, figures, of).sources.index, *_switches(figures, of)):
                _called(str(name))
        own_count(figures)
        _made_from(figures)
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError) as fault:
        return f"something in them is not as a report writes it ({fault})"
    return None
