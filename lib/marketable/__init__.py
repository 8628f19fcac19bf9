"""Which HubSpot tool made whom a marketing contact, and what flipping a switch would do."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .auditing.audit import Audit, audit
    from .auditing.changes import Changes, changes
    from .engine import Outcome, decide
    from .errors import (
        DataError,
        MarketableError,
        ParameterError,
        PortalError,
        RulebookError,
        UnknownNameError,
    )
    from .exports import Export, read_export
    from .forecasting.advise import Advice, advise
    from .forecasting.forecast import forecast
    from .forecasting.outlook import Outlook
    from .portal import Portal, Prices, Subscription
    from .reading.touches import Batch, read_touches
    from .rulebook import Edition, Reference, Rule, Rulebook
    from .samples import sample_touches
    from .what_if import Plan, WhatIf

__all__ = [
    "Advice",
    "Audit",
    "Batch",
    "Changes",
    "DataError",
    "Edition",
    "Export",
    "MarketableError",
    "Outcome",
    "Outlook",
    "ParameterError",
    "Plan",
    "Portal",
    "PortalError",
    "Prices",
    "Reference",
    "Rule",
    "Rulebook",
    "RulebookError",
    "Subscription",
    "UnknownNameError",
    "WhatIf",
    "advise",
    "audit",
    "changes",
    "decide",
    "forecast",
    "read_export",
    "read_touches",
    "sample_touches",
]


_ROOMS = (
    "errors",
    "rulebook",
    "portal",
    "reading.touches",
    "exports",
    "engine",
    "what_if",
    "auditing",
    "forecasting",
    "samples",
)


def __getattr__(name: str) -> object:
    """Each name is loaded when it is first used: the command starts its kernel before it loads pandas."""
    if name in __all__:
        for room in _ROOMS:
            module = importlib.import_module(f".{room}", __name__)
            if hasattr(module, name):
                globals()[name] = getattr(module, name)
                return globals()[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*globals(), *__all__]
