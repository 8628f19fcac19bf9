"""The page people work in: their data once, then every answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .page import Workbench

__all__ = ["Workbench"]


def __getattr__(name: str) -> object:
    """Widgets and charts take a second to load, so only who asks for the workbench loads it."""
    if name != "Workbench":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from .page import Workbench

    return Workbench
