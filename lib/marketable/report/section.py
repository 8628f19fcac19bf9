"""A part of a report: a piece of page in which text from data is escaped, and data for the files beside the page."""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from marketable.views.words import discreet

_DIRECTIONS = dict.fromkeys(map(ord, "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"), "\ufffd")


@dataclass(frozen=True)
class Section:
    """A part of the page: its name there, its title, its HTML, and data for the files beside the page."""

    name: str
    title: str
    content: str
    data: Mapping[str, Any] | None = None

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        return {"text/html": self._repr_html_(), "text/plain": f"<{self.title}>", **(self.data or {})}

    def _repr_html_(self) -> str:
        title = html.escape(self.title)
        head = f'<h2 id="{self.name}-title">{title}</h2>' if title else ""
        label = f' aria-labelledby="{self.name}-title"' if title else ""
        return f'<section class="mk-report" id="{self.name}"{label}>{head}{_shown(self.content)}</section>'


def _shown(content: str) -> str:
    """A piece of page without addresses, and without the signs by which a name could turn round what is written after
    it; in the pictures they are replaced as well.
    """
    return discreet(content).translate(_DIRECTIONS)
