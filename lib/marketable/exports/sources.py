"""From what HubSpot recorded as a contact's source to the tool of the article, and how certain that is.

The entries are data, each with its reference: `record_sources.yaml`. Whoever knows his portal better puts entries of
his own before them.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Callable, Container, Iterable
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import BeforeValidator, Field

from marketable.errors import DataError, nearest
from marketable.rulebook import NOT_COVERED, SOURCES
from marketable.settings import Strict, fault, read_as

CERTAINTIES = ("certain", "likely", "ambiguous", NOT_COVERED)
_VARIED = re.compile(r"[\s_'\u2019]")


class Tool(NamedTuple):
    """The tool of the article that a recorded source stands for."""

    source: str
    asset: str
    certainty: str


def folded(name: str) -> str:
    """The name without what writers of it vary: case, blanks, underscores, apostrophes, and how accents are encoded.

    >>> folded("BCC’d  Email") == folded("bccd_email")
    True
    """
    return _VARIED.sub("", unicodedata.normalize("NFKC", name)).casefold()


def one_of(valid: tuple[str, ...]) -> Callable[[object], object]:
    """A validator that takes the valid names only, and offers the nearest one."""

    def check(value: object) -> object:
        if value not in valid:
            expected = f"one of {', '.join(valid)}"
            raise fault("This name is not known here", value=value, expected=expected, nearest=nearest(value, valid))
        return value

    return check


def _texts(value: object) -> object:
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, (list, tuple)) or not all(isinstance(text, str) for text in texts):
        raise fault("Names are text", value=value, expected="a name or a list of names")
    return tuple(texts)


Texts = Annotated[tuple[str, ...], BeforeValidator(_texts)]


class Cited(Strict):
    """Where something was read: title, and href where there is one."""

    title: str
    href: str = ""


class RecordedSource(Strict):
    """One entry of `record_sources.yaml` or of a mapping: what is recorded, and the tool that it stands for."""

    recorded: Texts
    source: Annotated[str, BeforeValidator(one_of((*SOURCES, NOT_COVERED)))]
    certainty: Annotated[str, BeforeValidator(one_of(CERTAINTIES))]
    detail_begins: Texts = ("",)
    drill_down: str | None = None
    created_from: Annotated[int, Field(ge=0)] = 0
    asset: Annotated[str, BeforeValidator(one_of(("detail", "")))] = ""
    why: str = "A mapping of this portal's own says so."
    reference: Cited | None = None
    trust: Literal["H", "M", "L"] | None = None

    @functools.cached_property
    def _folded(self) -> frozenset[str]:
        return frozenset(map(folded, self.recorded))

    def fits(self, recorded: str, detail: str, drill_down: str, year: int) -> bool:
        """Whether a contact with this source, detail, drill-down and year of creation is meant."""
        return (
            folded(recorded) in self._folded
            and detail.startswith(self.detail_begins)
            and (self.drill_down is None or folded(drill_down) == folded(self.drill_down))
            and year >= self.created_from
        )


class Begins(Strict):
    """What a conversion begins with that was no form's, and the Record source that it stands for."""

    begins: str
    recorded: str


class _RecordSources(Strict):
    sources: tuple[RecordedSource, ...]
    conversions: tuple[Begins, ...]
    silent: Texts


@functools.cache
def _shipped() -> _RecordSources:
    return read_as(_RecordSources, Path(__file__).with_name("record_sources.yaml"), DataError)[0]


def shipped_sources() -> tuple[RecordedSource, ...]:
    """The entries of `record_sources.yaml`, in their order."""
    return _shipped().sources


def recorded_sources() -> dict[str, str]:
    """The Record sources that are known, by one name of each, and the source of the rulebook they stand for.

    >>> recorded_sources()["BOT"]
    'chatflow'
    """
    names = [entry.recorded[0] for entry in shipped_sources() if entry.recorded[0]]
    return {name: tool_of(name).source for name in names}


def known_names(sources: Iterable[RecordedSource]) -> frozenset[str]:
    """What known Record sources are called, folded: blank, those with an entry, and those the article says nothing of.

    >>> [folded(name) in known_names(shipped_sources()) for name in ("Workflows", "Formular")]
    [True, False]
    """
    named = {name for entry in sources for name in entry.recorded}
    return frozenset(map(folded, {"", *named, *_shipped().silent}))


def tool_of(
    recorded: str,
    detail: str = "",
    drill_down: str = "",
    year: int = 0,
    sources: Iterable[RecordedSource] | None = None,
) -> Tool:
    """The tool that a recorded source stands for: that of the first entry that fits.

    Arguments: recorded, a Record source, as label or internal name; detail, Record source detail 1; drill_down,
    Original source drill-down 1; year, that of the creation; sources, the entries, by default those of
    `record_sources.yaml`.
    Returns: a Tool, `not covered` and with what was recorded as its asset where the article is silent.

    >>> tool_of("Bot Chatflow", "Welcome bot")
    Tool(source='chatflow', asset='Welcome bot', certainty='certain')
    >>> tool_of("WORKFLOWS")
    Tool(source='not covered', asset='WORKFLOWS', certainty='not covered')
    """
    for entry in shipped_sources() if sources is None else sources:
        if entry.fits(recorded, detail, drill_down, year):
            return Tool(entry.source, detail if entry.asset == "detail" else "", entry.certainty)
    return Tool(NOT_COVERED, recorded, NOT_COVERED)


def tool_by_drill_down(
    drill_down: str, asset: str = "", year: int = 0, sources: Iterable[RecordedSource] | None = None
) -> Tool:
    """The tool that the drill-downs of an offline Original source name: likely, where a Record source would be certain.

    >>> tool_by_drill_down("INTEGRATION", "Zapier")
    Tool(source='integration', asset='Zapier', certainty='likely')
    """
    found = tool_of(drill_down, asset, "", year, sources)
    # A team e-mail may be a live chat, as with a Record source; an import is one in any case.
    is_unsure = found.source in (NOT_COVERED, "team_email")
    return found if is_unsure else found._replace(certainty="likely")


def why(source: str, certainty: str, sources: Iterable[RecordedSource] | None = None) -> str:
    """Why a recorded source stands for this source with this certainty, in words.

    >>> why("hubspot_form", "certain")
    'HubSpot recorded a form.'
    """
    entries = shipped_sources() if sources is None else sources
    return " Or: ".join(
        dict.fromkeys(entry.why for entry in entries if (entry.source, entry.certainty) == (source, certainty))
    )


def form_name(value: str, known: Container[str] = ()) -> str:
    """The form in a First or Recent Conversion, which reads "Page title: Form name", either of which may hold a colon.

    >>> form_name("Home: Demo: short"), form_name("Home: Demo: short", {"Demo: short"}), form_name("Newsletter")
    ('short', 'Demo: short', 'Newsletter')
    """
    begins = tuple(entry.begins for entry in _shipped().conversions)
    parts = value.split(": ")
    tails = [": ".join(parts[start:]) for start in range(len(parts))]
    return next((tail for tail in tails if tail in known or tail.startswith(begins)), tails[-1] or value)


def tool_of_conversion(name: str, sources: Iterable[RecordedSource] | None = None) -> Tool:
    """The tool that a conversion of this name stands for: a form, or another tool that is told among the forms.

    >>> tool_of_conversion("Meetings Link: jane/intro")
    Tool(source='meetings_link', asset='', certainty='certain')
    """
    others: list[Any] = [entry.recorded for entry in _shipped().conversions if name.startswith(entry.begins)]
    return tool_of(others[0] if others else "FORM", name, sources=sources)
