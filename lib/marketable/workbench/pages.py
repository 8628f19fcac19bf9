"""What the pages of the workbench have in common: widgets that call back, places to show in, and a time to be drawn."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import ipywidgets as widgets

from marketable.views import fields

from .basis import Basis
from .work import Work

if TYPE_CHECKING:
    from .page import Workbench


class Page(widgets.VBox):  # type: ignore[misc]
    """A page. Arguments: bench, whose work it shows; places, names of places in which something will be shown.

    Pages are built when they are first looked at, and drawn anew when they are looked at after something changed.
    """

    name = ""

    def __init__(self, bench: Workbench, *places: str) -> None:
        self.bench, self.at = bench, fields.places(*places)
        bench.at |= self.at
        super().__init__()
        self.add_class("mk-page")

    @property
    def work(self) -> Work:
        return self.bench.work

    @property
    def basis(self) -> Basis:
        return self.bench.work.basis

    def when(self, callback: Callable[[], object], *used: widgets.Widget, where: str = "error") -> None:
        """Calls back when a button is pressed, or another widget's value has changed; errors are shown in a place."""
        for widget in used:
            if isinstance(widget, widgets.Button):
                widget.on_click(lambda _: self.bench.react(callback, where))
            else:
                fields.on_change(lambda: self.bench.react(callback, where), widget)

    def draw(self) -> None:
        """Shows the work as it is now."""
