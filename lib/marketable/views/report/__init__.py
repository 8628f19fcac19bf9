"""A report as people see it: sections of a page, each a function of what was found; the page; and the figures as files.

A section is a cell of the notebook. To add one, write a function that takes Findings and returns a Section, and a cell
that calls it.
"""

from .sections import (
    Section,
    changes,
    charts,
    contacts,
    figures,
    findings,
    flip,
    left_open,
    made_from,
    own_statuses,
    summary,
    what_if,
)

__all__ = [
    "Section",
    "changes",
    "charts",
    "contacts",
    "figures",
    "findings",
    "flip",
    "left_open",
    "made_from",
    "own_statuses",
    "summary",
    "what_if",
]
