"""The pages people work in: the explorer of switches, and the audit of their own export."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .audit.panel import AuditPanel
    from .explorer import Explorer

__all__ = ["AuditPanel", "Explorer"]

_MODULES = {"AuditPanel": "audit.panel", "Explorer": "explorer"}


def __getattr__(name: str) -> object:
    """Widgets and charts take a second to load, so only who asks for a panel loads it."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f".{_MODULES[name]}", __name__), name)
