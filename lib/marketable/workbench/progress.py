"""How far something has come that takes its time, reading a file or auditing it: a bar, and what is being done."""

from __future__ import annotations

import time

import ipywidgets as widgets

from marketable.views import pieces

_STEPS, _SECONDS = 100, 0.1


class ProgressBar(widgets.HBox):  # type: ignore[misc]
    """Called with what is done, of how much, and what it is; seen while there is something to wait for."""

    def __init__(self, doing: str) -> None:
        self._bar = widgets.IntProgress(0, 0, _STEPS, description=doing, layout=widgets.Layout(width="300px"))
        self._text, self._shown_at = widgets.HTML(), 0.0
        super().__init__([self._bar, self._text], layout=widgets.Layout(flex_flow="row wrap", display="none"))

    def __call__(self, done: int, total: int, what: str) -> None:
        """Shows how far it is; at most ten times a second, for each time is a message to the page."""
        if time.monotonic() - self._shown_at >= _SECONDS:
            self._shown_at = time.monotonic()
            self.begin(what, round(_STEPS * done / max(total, 1)))

    def begin(self, what: str, percent: int = 0) -> None:
        """Shows what is being done."""
        self.layout.display = ""
        self._bar.value = min(max(percent, 0), _STEPS)
        self._text.value = pieces.paragraph(f"{percent} %, {what}" if percent else what)

    def hide(self) -> None:
        """There is nothing to wait for."""
        self.layout.display = "none"
