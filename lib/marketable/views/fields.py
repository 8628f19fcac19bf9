"""Buttons and fields of usual widths, and the places of a page in which something will be shown."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import ipywidgets as widgets

from . import pieces
from .layout import wide

_SHORT = 12  # letters of a description that fit beside a field


def places(*names: str) -> dict[str, widgets.HTML]:
    """By name, empty places in which something will be shown; on the page each is found by `mk-at-<name>`."""
    made = {name: widgets.HTML() for name in names}
    for name, place in made.items():
        place.add_class(f"mk-at-{name}")
    return made


def note(text: str) -> widgets.HTML:
    """A line in small print."""
    return widgets.HTML(pieces.paragraph(text, "mk-note"))


def heading(text: str) -> widgets.HTML:
    """A heading within a page; it is no text from data."""
    return widgets.HTML(f'<h2 class="mk-sub">{text}</h2>')


def button(description: str, tooltip: str = "", width: str = "260px", **options: Any) -> widgets.Button:
    """A button."""
    layout = widgets.Layout(width=width)
    return widgets.Button(description=description, tooltip=tooltip or None, layout=layout, **options)


def box(description: str) -> widgets.Checkbox:
    """A box to tick, as wide as what it says."""
    return widgets.Checkbox(False, description=description, indent=False, layout=widgets.Layout(width="auto"))


def number(description: str, value: int, least: int, most: int, width: str = "190px") -> widgets.BoundedIntText:
    """A field for a whole number; what it says is read whole."""
    style = {} if len(description) < _SHORT else {"description_width": "initial"}
    layout = widgets.Layout(width=width)
    return widgets.BoundedIntText(value, least, most, description=description, style=style, layout=layout)


def amount(description: str) -> widgets.BoundedFloatText:
    """A field for an amount of money."""
    layout = widgets.Layout(width="210px")
    return widgets.BoundedFloatText(
        0, min=0, max=1e9, description=description, style={"description_width": "initial"}, layout=layout
    )


def choice(description: str, options: Sequence[Any], value: Any = None, width: str = "340px") -> widgets.Dropdown:
    """A field to choose in; the first of the options, where no value is given."""
    style = {} if len(description) < 9 else {"description_width": "initial"}
    value = {} if value is None else {"value": value}
    return widgets.Dropdown(description=description, options=options, style=style, layout=wide(width), **value)


def offer(field: widgets.Dropdown, options: Sequence[Any]) -> None:
    """Other options to choose from: what was chosen stays where it is among them; else the first is."""
    before, field.options = field.value, options
    values = [value for _, value in field._options_full]
    field.index = values.index(before) if before in values else 0 if values else None


def day(description: str, tooltip: str, width: str) -> widgets.DatePicker:
    """A field for a day."""
    style = {"description_width": "initial"}
    return widgets.DatePicker(description=description, tooltip=tooltip, style=style, layout=widgets.Layout(width=width))


def line(description: str, placeholder: str = "", value: str = "", width: str = "340px") -> widgets.Text:
    """A field for a line of text, which counts once it is complete."""
    settings = {"description": description, "placeholder": placeholder, "layout": wide(width)}
    return widgets.Text(value, **settings, continuous_update=False)


def upload(description: str, accept: Iterable[str], *, multiple: bool = False) -> widgets.FileUpload:
    """A button by which files are uploaded."""
    layout = widgets.Layout(width="auto")
    made = widgets.FileUpload(description=description, accept=",".join(accept), multiple=multiple, layout=layout)
    made.tooltip = description  # the style sheet shows it instead, for the description ends in a count that is always 0
    return made


def on_change(callback: Callable[[], object], *changed: widgets.Widget) -> None:
    """Calls back when the value of one of these widgets has changed."""
    for widget in changed:
        widget.observe(lambda _: callback(), "value")
