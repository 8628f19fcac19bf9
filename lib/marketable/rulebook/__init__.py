"""What each tool does to the marketing contact status, edition by edition, each value with its reference.

The rules are the YAML files beside this module: one a source in `sources/`, the dates of the article in
`editions.yaml`, and what holds after creation in `lifecycle.yaml`. Reading them checks them; what a
tool does to a status stands nowhere else. Other modules know tools by name only: which of them exist, what an export
calls them, which myths are told of them.
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
