"""How people see it: words, tables, charts, the panels of the explorer and the audit, sections of reports. Nothing here
knows a rule.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .audit.panel import AuditPanel
    from .choosing import DATA
    from .explorer import Explorer

__all__ = ["DATA", "AuditPanel", "Explorer"]

_MODULES = {"DATA": "choosing", "AuditPanel": "audit.panel", "Explorer": "explorer"}


def __getattr__(name: str) -> object:
    """Widgets and charts take a second to load, so only who asks for a panel loads it."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f".{_MODULES[name]}", __name__), name)
