"""How widgets are laid out: panels with a heading, rows that wrap where the page is narrow, usual widths."""

from __future__ import annotations

from collections.abc import Iterable

import ipywidgets as widgets


def wide(width: str = "340px") -> widgets.Layout:
    """The width of a field, by default of one for names and paths; within its margins where the page is narrow."""
    return widgets.Layout(width=width, max_width="calc(100% - 4px)")


def row(*children: widgets.Widget) -> widgets.Box:
    """Children side by side, one under the other where the page is narrow."""
    box = widgets.Box(children)
    box.add_class("mk-wrap")
    return box


def column(panels: Iterable[widgets.Widget], flex: str) -> widgets.VBox:
    """Panels one under the other."""
    box = widgets.VBox(list(panels), layout=widgets.Layout(flex=flex, min_width="0"))
    box.add_class("mk-column")
    return box


def panel(title: str, children: Iterable[widgets.Widget], flex: str = "0 0 auto") -> widgets.VBox:
    """A frame with a heading, which is not text from data."""
    heading = widgets.HTML(f'<h2 class="mk-title">{title}</h2>')
    box = widgets.VBox([heading, *children], layout=widgets.Layout(flex=flex, min_width="0"))
    box.add_class("mk-panel")
    return box


def stacked(widget: widgets.Widget) -> widgets.Widget:
    """A field whose description stands above it, so that a long one is read whole."""
    widget.add_class("mk-stack")
    widget.style = {"description_width": "auto"}
    widget.layout = widgets.Layout(width="270px", max_width="100%")
    return widget


def shown(widget: widgets.Widget, *, when: bool) -> None:
    """Shows a widget, or takes it off the page."""
    widget.layout.display = "" if when else "none"


def discard(gone: Iterable[widgets.Widget]) -> None:
    """Closes widgets with all that belongs to them; what is only dropped stays in the kernel and in every open page."""
    for widget in gone:
        discard(getattr(widget, "children", ()))
        for part in ("layout", "style"):
            if hasattr(widget, part):
                getattr(widget, part).close()
        widget.close()
