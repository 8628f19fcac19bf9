"""The first paragraph of a report: how many there are, which way it goes, what it is owed to, and what to do."""

from __future__ import annotations

from marketable.auditing import Audit
from marketable.rulebook import MARKETING
from marketable.views.words import against_tier, crossing, dated, day, headline
from marketable.what_if.plans import Plan, joined_by_and

from .findings import CEASED, Findings

NO_TOOLS = (
    "The export does not say what created the contacts, so the rules explain none of them. Add the properties Record "
    "source and Record source detail 1 to the view in HubSpot, then export again."
)
_NAMED = 3  # causes
_MANY = 0.01  # of the rows
_FEW, _CLEAR = 5, 0.2  # contacts, and the share of a tool's contacts, below which a difference tells nothing


def first_paragraph(found: Findings) -> list[str]:
    """Sentences, the most important first."""
    by_rules = [*_which_way(found), *_imagined(found)] if found.opened.names_tools else []
    comes = [] if found.outlook is None else [dated(each) for each in found.outlook.says[1:]]
    rejected, read = len(found.opened.rejected), found.opened.rows_read
    lost = [f"{rejected:,} of {read:,} rows could not be used."] if rejected > _MANY * read else []
    return [*_where_it_stands(found), *comes, *_what_to_do(found), *by_rules, *lost]


def billed(found: Findings) -> int:
    """The marketing contacts that HubSpot bills: what it says itself, else what the rules say."""
    return found.marketing if found.own is None else int(found.own[MARKETING].sum())


def _where_it_stands(found: Findings) -> list[str]:
    total, tier, audit = int(found.counts.T["now"].sum()), found.tier, found.audit
    if audit is None and not found.opened.names_tools:
        return [f"HubSpot's own statuses are not known of {day(found.as_of.date())}. {NO_TOOLS}"]
    if audit is None:
        text = f"On {day(found.as_of.date())}, {found.marketing:,} of {total:,} contacts are marketing"
        if found.opened.export is None:
            return [f"{text}{_against(found, found.marketing)}."]
        own = "What HubSpot itself says is known of the day of the export only, and not of this one."
        return [f"{text} by the rules{_against(found, found.marketing)}.", own]
    gaps = audit.by_source
    counted, actual, expected = (int(gaps[column].sum()) for column in ("contacts", "actual", "expected"))
    text = f"HubSpot counts {actual:,} of these {counted:,} contacts as marketing"
    text += f", {against_tier(actual, tier)}. " if tier else ". "
    if not found.opened.names_tools:
        return [text + NO_TOOLS]
    if expected == actual and not gaps["difference"].any():
        return [text + "The rules and the portal's switches explain every one of them."]
    between = f"{abs(actual - expected):,} {'fewer' if expected < actual else 'more'}"
    text += f"The rules, with the switches as the portal has them, come to {expected:,}: {between}."
    return [text, _to_look_at(found, audit)]


def _against(found: Findings, marketing: int) -> str:
    """A count against the tier, and since when it has been over it."""
    if found.tier is None:
        return ""
    since = crossing(found.now.by_day(), found.tier, found.term_start)
    over = f", since {day(since)}" if marketing > found.tier and since else ""
    return f", {against_tier(marketing, found.tier)}{over}"


def _to_look_at(found: Findings, audit: Audit) -> str:
    """The switches that are not as the portal says; where all are, what created the largest difference."""
    differing = audit.switches[audit.switches["differs"]]
    if len(differing):
        named = [
            f"{found.called(name)} ({row['portal']} in the portal, it looks {row['looks']})"
            for name, row in differing.head(_NAMED).iterrows()
        ]
        more = len(differing) - len(named)
        listed = joined_by_and([*named, f"{more:,} more"] if more else named)
        verb = "switch seems" if len(differing) == 1 else "switches seem"
        return f"{len(differing):,} {verb} not to have been as the portal says: {listed}."
    gaps = audit.by_source
    clear = gaps[gaps["difference"].abs() >= (gaps["contacts"] * _CLEAR).clip(lower=_FEW)]
    if not len(clear):
        return "No tool stands out: the differences are small everywhere."
    gap = clear.iloc[0]
    creator = found.called("/".join(filter(None, gap[["source", "asset"]])))
    if gap["source"] == "team_email" and "live chat" in audit.remarks:
        return f"Look first at live chats. {audit.remarks['live chat']}"
    return (
        f"Look first at {creator}: of the {int(gap['contacts']):,} contacts that "
        f"it created {int(gap['actual']):,} are marketing, and {int(gap['expected']):,} were to be expected. "
        "The statuses show no switch that explains that."
    )


def _which_way(found: Findings) -> list[str]:
    counts, changes = found.counts[MARKETING], found.changes
    change = int(counts["now"] - counts["before"])
    came = changes[changes["kind"] != CEASED].groupby("decided_by", sort=False)["contacts"].sum()
    came = came.sort_values(ascending=False, kind="stable")
    ceased = int(changes.loc[changes["kind"] == CEASED, "contacts"].sum())
    if found.last_touch < found.period.begins:
        return [f"The data end on {day(found.last_touch.date())} and tell nothing of {found.period.name}."]
    if not len(changes):
        return [f"In {found.period.name} nothing changed."]
    rose = "rose" if change > 0 else "fell"
    by_rules = "by the rules " if found.opened.export is not None else ""
    text = f"In {found.period.name} the count {by_rules}"
    text += f"{rose} by {abs(change):,}" if change else "stayed the same"
    causes = [f"{found.called(name)} ({count:,})" for name, count in came.items()]
    if causes:
        text += f": {int(came.sum()):,} became marketing, most through {joined_by_and(causes[:_NAMED])}"
    if ceased:
        text += f"{'; ' if causes else ': '}{ceased:,} ceased to be"
    return [text + "."]


def _imagined(found: Findings) -> list[str]:
    if not found.flips:
        return []
    before, after = (found.what_if.by("source", flips)[MARKETING] for flips in (None, found.flips))
    moved = (after.reindex(before.index, fill_value=0) - before).astype(int)
    by_rules = "" if found.opened.export is None else "by the rules "
    said = headline(found.counts.T["what-if"], found.counts.T["now"], found.tier_of_rules)
    text = f"With the what-if, {by_rules}{said}"
    if moved.any():
        most = str(moved.abs().idxmax())
        text += f" Most affected are contacts that {found.called(most)} created ({moved[most]:+,})."
    return [text]


def _what_to_do(found: Findings) -> list[str]:
    sentences = []
    if found.advice is not None and len(found.advice.steps):
        sentences.append(f"What to do, the least loss first: {' '.join(found.advice.steps['what'])}")
    elif found.plan is not None and found.audit is None:
        sentences += _had_been_off(found, found.plan)
    if found.waiting:
        verb = "contact is" if found.waiting == 1 else "contacts are"
        until = day(found.update_date)
        sentences.append(f"{found.waiting:,} {verb} set as non-marketing already, and count until {until}.")
    return sentences


def _had_been_off(found: Findings, plan: Plan) -> list[str]:
    """The plan within the tier: a past that was not, and what can be done today instead."""
    if not plan.flips or not plan.within:
        return [str(plan)]
    rows = found.what_if.switches.loc[[name for name, on in plan.flips.items() if not on]]
    names = [found.called(name) for name in rows.sort_values("sole", ascending=False, kind="stable").index]
    most = f"{len(names) - _NAMED:,} more switches" if len(names) > _NAMED + 1 else ""
    listed = joined_by_and([*names[:_NAMED], most] if most else names)
    room = ", with no room for the next one" if plan.marketing == plan.limit else ""
    return [
        f"Had {listed} been off from the beginning, {plan.marketing:,} would be marketing, within the tier{room}. "
        "A switch that is turned off today only keeps out the next ones; who is set as non-marketing stops counting on "
        f"{day(found.update_date)}."
    ]
