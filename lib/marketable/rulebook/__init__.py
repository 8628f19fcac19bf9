"""What each tool does to the marketing contact status, edition by edition, each value with its reference.

The rules are the YAML files beside this module: one a source in `sources/`, the dates of the article in
`editions.yaml`, and what holds after creation in `lifecycle.yaml`. Reading them checks them; nothing else in the
library knows a rule by heart.
"""

from .reader import (
    ACTIONS,
    MARKETING,
    NON_MARKETING,
    NOT_COVERED,
    SOURCES,
    STATUSES,
    Edition,
    LifecycleRule,
    Reference,
    Rule,
    Rulebook,
)

__all__ = [
    "ACTIONS",
    "MARKETING",
    "NON_MARKETING",
    "NOT_COVERED",
    "SOURCES",
    "STATUSES",
    "Edition",
    "LifecycleRule",
    "Reference",
    "Rule",
    "Rulebook",
]
