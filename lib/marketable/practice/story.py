"""A story: a few things that happen to one contact, each with the switch as it is on that day, and what follows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import pandas as pd

from ..engine import Outcome, decide
from ..inputs.portal import Portal, Subscription
from ..rulebook import ACTIONS, SOURCES, Rulebook

CONTACT = "This contact"


@dataclass(frozen=True)
class Step:
    """On a day, a tool (a key of the rulebook, or an action) meets the contact; on tells whether its switch is on."""

    day: dt.date
    tool: str
    on: bool = True


def told(
    steps: Iterable[Step],
    as_of: dt.date,
    *,
    subscription: Subscription | None = None,
    edition: str | None = None,
) -> Outcome:
    """What follows from a story, by the end of a day.

    Arguments: steps, in any order, those of one day in the order given; as_of, the day; subscription, by default with a
    yearly commitment; edition, to judge all of it by one. Steps after the day are not counted.

    >>> trade_fair = Step(dt.date(2024, 3, 1), "import_single_object", on=False)
    >>> newsletter = Step(dt.date(2024, 3, 5), "hubspot_form")
    >>> told([trade_fair, newsletter], dt.date(2024, 3, 31)).touches["rule"].tolist()
    ['switch off', 'upgrade']
    """
    rulebook = Rulebook.load()
    asset = {source: f"Our {rule.asset}" if rule.asset else "" for source, rule in rulebook.on("2024-02-14").items()}
    in_order = sorted(steps, key=lambda step: step.day)
    moments = [dt.datetime.combine(step.day, dt.time(9, 0, number)) for number, step in enumerate(in_order)]
    switches: dict[str, Any] = {}
    for moment, step in zip(moments, in_order, strict=True):
        scope = None if step.tool in ACTIONS else rulebook.scope(step.tool)
        change = {"from": moment, "switch": step.on}
        if scope == "asset":
            switches.setdefault(step.tool, {}).setdefault(asset[step.tool], []).append(change)
        elif scope == "account":
            switches.setdefault(step.tool, []).append(change)
    touches = pd.DataFrame(
        {
            "contact_id": pd.Series([CONTACT] * len(in_order), dtype="str"),
            "occurred_at": pd.Series(moments, dtype="datetime64[us]"),
            "source": pd.Categorical([step.tool for step in in_order], categories=[*SOURCES, *ACTIONS]),
            "asset": pd.Series([asset.get(step.tool, "") for step in in_order], dtype="str"),
        }
    )
    portal = Portal(subscription=subscription or Subscription(), switches=switches)
    return decide(touches, portal, edition=edition, as_of=f"{as_of} 23:59:59")
