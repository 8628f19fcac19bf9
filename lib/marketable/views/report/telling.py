"""The first paragraph of a report: how many there are, which way it goes, what it is owed to, and what to do."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from ...answers.findings import CEASED, Findings
from ...inputs.portal import split
from ...rulebook import MARKETING, NOT_COVERED
from .. import pieces
from ..words import against_tier, day, headline

_NAMED = 3  # causes


def first_paragraph(found: Findings) -> list[str]:
    """Sentences, the most important first."""
    return [*_where_it_stands(found), *_what_to_do(found), *_which_way(found), *_imagined(found)]


def called(found: Findings, name: str) -> str:
    """A switch, a tool or an action in a person's words."""
    source, asset = split(name)
    if source == NOT_COVERED:
        return f"a tool not covered ({asset})" if asset else "a tool not covered"
    return pieces.called(name, found.rules)


def created_by(found: Findings, source: str, asset: str) -> str:
    """What created contacts, in a person's words."""
    return called(found, f"{source}/{asset}" if asset else source)


def billed(found: Findings) -> int:
    """The marketing contacts that HubSpot bills: what it says itself, else what the rules say."""
    return found.marketing if found.gaps is None else int(found.gaps["actual"].sum())


def _where_it_stands(found: Findings) -> list[str]:
    total, tier = int(found.counts.T["now"].sum()), found.tier
    if found.gaps is None:
        text = f"On {day(found.as_of.date())}, {found.marketing:,} of {total:,} contacts are marketing"
        return [text + (f", {against_tier(found.marketing, tier)}." if tier else ".")]
    counted, actual = int(found.gaps["contacts"].sum()), billed(found)
    text = f"HubSpot counts {actual:,} of these {counted:,} contacts as marketing"
    text += f", {against_tier(actual, tier)}. " if tier else ". "
    expected = int(found.gaps["expected"].sum())
    if expected == actual and not found.gaps["difference"].any():
        return [text + "The rules and the portal's switches explain every one of them."]
    between = f"{abs(actual - expected):,} {'fewer' if expected < actual else 'more'}"
    text += f"The rules, with the switches as the portal has them, come to {expected:,}: {between}."
    return [text, _largest_gap(found, found.gaps)]


def _largest_gap(found: Findings, gaps: pd.DataFrame) -> str:
    switchable = set(found.what_if.switches.index)
    names = gaps["source"].where(gaps["asset"] == "", gaps["source"] + "/" + gaps["asset"])
    own = gaps[names.isin(switchable)]
    first = (own if len(own) else gaps).iloc[0]
    name, much = created_by(found, first["source"], first["asset"]), int(first["difference"])
    where = f"{int(first['actual']):,} of {int(first['contacts']):,} contacts that {name} created are marketing"
    text = f"Look first at {name}: {where}, and {int(first['expected']):,} were to be expected"
    if not len(own):
        return f"{text}."
    way = "on" if much > 0 else "off"
    return f"{text}. Its switch may have been {way} for a time, though the portal says otherwise."


def _which_way(found: Findings) -> list[str]:
    counts, changes = found.counts[MARKETING], found.changes
    change = int(counts["now"] - counts["before"])
    came = changes[changes["kind"] != CEASED].groupby("decided_by", sort=False)["contacts"].sum()
    came = came.sort_values(ascending=False, kind="stable")
    ceased = int(changes.loc[changes["kind"] == CEASED, "contacts"].sum())
    if not len(changes):
        return [f"In {found.period.name} nothing changed."]
    rose = "rose" if change > 0 else "fell"
    by_rules = "by the rules " if found.gaps is not None else ""
    text = f"In {found.period.name} the count {by_rules}"
    text += f"{rose} by {abs(change):,}" if change else "stayed the same"
    causes = [f"{called(found, str(name))} ({count:,})" for name, count in came.items()]
    if causes:
        text += f": {int(came.sum()):,} became marketing, most through {_listed(causes[:_NAMED])}"
    if ceased:
        text += f"{'; ' if causes else ': '}{ceased:,} ceased to be"
    return [text + "."]


def _imagined(found: Findings) -> list[str]:
    if not found.flips:
        return []
    before, after = (found.what_if.by("source", flips)[MARKETING] for flips in (None, found.flips))
    moved = (after.reindex(before.index, fill_value=0) - before).astype(int)
    text = f"With the what-if, {headline(found.counts.T['what-if'], found.counts.T['now'], found.tier)}"
    if moved.any():
        most = str(moved.abs().idxmax())
        text += f" Most affected are contacts that {called(found, most)} created ({moved[most]:+,})."
    return [text]


def _what_to_do(found: Findings) -> list[str]:
    plan, told = found.plan, []
    if found.tier is not None and billed(found) > found.tier:
        renewal = found.portal.subscription.renewal
        until = f", on {day(renewal)}" if renewal and renewal > found.as_of.date() else ""
        told.append(f"The bill is a step up, and does not go down before the renewal{until}.")
    if plan is not None and plan.flips and plan.within:
        rows = found.what_if.switches.loc[[name for name, on in plan.flips.items() if not on]]
        names = [called(found, str(name)) for name in rows.sort_values("sole", ascending=False, kind="stable").index]
        most = f"{len(names) - _NAMED:,} more switches" if len(names) > _NAMED + 1 else ""
        listed = _listed([*names[:_NAMED], most] if most else names)
        told.append(
            f"To keep the most within the tier, turn off {listed}, and set as non-marketing who came through "
            f"{'it' if len(names) == 1 else 'them'} alone: {plan.marketing:,} would stay. A switch that is turned off "
            f"only keeps out the next ones; who is set as non-marketing stops counting on {day(found.update_date)}."
        )
    elif plan is not None:
        told.append(str(plan))
    if found.waiting:
        verb = "waits" if found.waiting == 1 else "wait"
        told.append(f"{found.waiting:,} {verb} already to stop counting on {day(found.update_date)}.")
    return told


def _listed(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
