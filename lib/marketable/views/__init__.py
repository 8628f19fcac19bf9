"""How people see it: words, tables, charts, the explorer's widgets, sections of reports. Nothing here knows a rule."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .explorer import DATA, Explorer

__all__ = ["DATA", "Explorer"]


def __getattr__(name: str) -> object:
    """Widgets and charts take a second to load, so only who asks for the explorer loads it."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from . import explorer

    return getattr(explorer, name)
