"""Which HubSpot tool made whom a marketing contact, and what flipping a switch would do."""

from .answers import Plan, WhatIf
from .engine import Outcome, decide
from .errors import DataError, MarketableError, PortalError, RulebookError, UnknownNameError
from .inputs import Batch, Export, Portal, Subscription, read_export, read_touches, sample_touches
from .rulebook import Edition, Reference, Rule, Rulebook

__all__ = [
    "Batch",
    "DataError",
    "Edition",
    "Export",
    "MarketableError",
    "Outcome",
    "Plan",
    "Portal",
    "PortalError",
    "Reference",
    "Rule",
    "Rulebook",
    "RulebookError",
    "Subscription",
    "UnknownNameError",
    "WhatIf",
    "decide",
    "read_export",
    "read_touches",
    "sample_touches",
]
