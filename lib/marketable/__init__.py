"""Which HubSpot tool made whom a marketing contact, and what flipping a switch would do."""

from .engine import Outcome, decide
from .errors import DataError, MarketableError, PortalError, RulebookError, UnknownNameError
from .inputs.portal import Portal, Subscription
from .rulebook import Edition, Reference, Rule, Rulebook

__all__ = [
    "DataError",
    "Edition",
    "MarketableError",
    "Outcome",
    "Portal",
    "PortalError",
    "Reference",
    "Rule",
    "Rulebook",
    "RulebookError",
    "Subscription",
    "UnknownNameError",
    "decide",
]
