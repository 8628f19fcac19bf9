"""What the workbench and a report both show of an audit: tables, and pieces of page in which text is escaped."""

from __future__ import annotations

import html
from collections.abc import Mapping

import pandas as pd

from marketable.auditing import Audit
from marketable.auditing.groups import MADE_BY
from marketable.rulebook import Rule

from . import pieces

WORTH = "Marketing contacts worth a look; a contact may be in several groups"


def by_source(audit: Audit, rules: Mapping[str, Rule]) -> pd.DataFrame:
    """Contacts by what created them: how many, expected and actual marketing, the largest difference first."""
    gaps = audit.by_source.assign(asset=lambda gaps: ("/" + gaps["asset"]).where(gaps["asset"] != "", ""))
    names = gaps.pop("source") + gaps.pop("asset")
    gaps.insert(0, "created by", [pieces.called(name, rules) for name in names])
    return gaps


def group(name: str, rules: Mapping[str, Rule]) -> str:
    """A group's name, a switch in it as a person calls it."""
    made_by, through, switch = name.partition(MADE_BY)
    return f"{MADE_BY}{pieces.called(switch, rules)}" if through and not made_by else name


def myths(audit: Audit) -> str:
    """What people say about marketing contacts, and what these contacts say."""
    items = "".join(
        f"<li><strong>“{html.escape(str(myth))}”</strong> No. {html.escape(row['answer'])}</li>"
        for myth, row in audit.myths.iterrows()
    )
    if not items:
        return pieces.paragraph("These contacts have nothing to say about the usual myths.")
    return f'<ul class="mk-list">{items}</ul>'


def portal(audit: Audit) -> str:
    """The portal with the switches as they seem to have been, as text."""
    text = html.escape(audit.portal_text)
    return f'<pre class="mk-yaml" tabindex="0" role="group" aria-label="portal.yaml">{text}</pre>'
