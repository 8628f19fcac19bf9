"""What the article says, as pieces of page: our words beside the rule as it is held, myths, places, a counted batch."""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping

from marketable.rulebook import SOURCES, Reference, Rulebook
from marketable.rulebook.reader import TRUST
from marketable.views import pieces
from marketable.views.tables import html_table
from marketable.views.words import day

from ..lessons import BatchExperiment, LessonText, Said, refuted
from ..questions import MythQuestion, sample_outcome
from ..through_editions import FACTS, Held, history

_IN_SHORT = TRUST | {"H": "trust H", "M": "trust M"}  # in a table, which explains them once
_TRUST_NOTE = (
    "How far to trust a value: H was read in HubSpot's own page; M rests on one first-hand source, or follows directly "
    "from what was read; an assumption is ours, for want of a text. “Not covered” means that the article does not say."
)


def rules(text: LessonText) -> str:
    """A table: the lesson's words, and the rules that they are about as the rulebook holds them."""
    rows = "".join(
        f'<tr><th scope="row">{_name(said.rule)}</th><td>{_words(said)}</td><td>{_rule(said.rule)}</td></tr>'
        for said in text.article
    )
    columns = ("", "The article, in our words", "The rule, as this library holds it")
    return _table("What the article says, and the rule that follows from it.", columns, rows) + pieces.paragraph(
        _TRUST_NOTE, "mk-note"
    )


def myths(told: Iterable[MythQuestion]) -> str:
    """A table of what people say: the story that tests it, what the library decides, and which editions contradict."""
    rows = "".join(
        f'<tr><th scope="row">{html.escape(myth.asks)}</th><td>{_story(myth)}</td><td>{_decided(myth)}</td>'
        f"<td>{_verdict(myth)}</td></tr>"
        for myth in told
    )
    columns = ("People say", "The story that tests it", "The library says", "Verdict")
    return _table("Myths, each tested by a story.", columns, rows)


def places(text: LessonText) -> str:
    """A list: where each rule is set in HubSpot, or that nothing is to be set, with the page to read."""
    items = [f"<li><strong>{_name(rule)}</strong>: {_place(rule)}</li>" for rule in text.where.rules]
    items += [f"<li>{html.escape(more)}</li>" for more in text.where.more]
    return f'<ul class="mk-places">{"".join(items)}</ul>'


def batch(settings: BatchExperiment) -> str:
    """A made-up batch, counted by the tools that created its contacts."""
    rulebook = Rulebook.load()
    counts = sample_outcome(settings.touches, settings.seed).counts("source")
    names = {source: rule.name for source, rule in rulebook.newest.items()}
    table = pieces.counts_table(counts, counts, names).drop(columns=["baseline", "change"])
    caption = (
        f"A made-up batch of {settings.touches:,} touches: its contacts by the tool that created them, and what they "
        "are in the end. All switches are as HubSpot delivers them."
    )
    return html_table(table, caption)


def heading(text: str) -> str:
    """The heading of a panel."""
    return f'<h3 class="mk-title">{html.escape(text)}</h3>'


def told(held: Held) -> str:
    """A rule as it was held since an edition, with its reference."""
    return f"{html.escape(str(held))} <small>{reference(held.rule.reference)}</small>"


def reference(told: Reference, trust: Mapping[str, str] = TRUST) -> str:
    """Where a value was read: a link to the page, the editions, and how far to trust it, in the words given."""
    read = f"read in {told.read_in}" if told.read_in[:1].isdigit() else told.read_in
    note = f"; {told.note}" if told.note else ""
    return f"{link(told)}, {html.escape(f'{read} ({trust[told.trust]}{note})')}"


def link(told: Reference) -> str:
    """A link to the page that was read; the title alone where there is no page."""
    if not told.link:
        return html.escape(told.title)
    return f'<a href="{html.escape(told.link)}" target="_blank" rel="noopener">{html.escape(told.title)}</a>'


def _table(caption: str, columns: Iterable[str], rows: str) -> str:
    """A table whose frame can be scrolled with the keyboard where the window is narrow."""
    head = "".join(f'<th scope="col">{html.escape(name)}</th>' if name else "<td></td>" for name in columns)
    return (
        f'<div class="mk-scroll" tabindex="0" role="group" aria-label="{html.escape(caption)}">'
        f'<table class="mk-table mk-lesson"><caption>{html.escape(caption)}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _name(rule: str) -> str:
    rulebook = Rulebook.load()
    if rule in SOURCES:
        return html.escape(rulebook.newest[rule].name)
    return _LIFECYCLE[rule]


_LIFECYCLE = {
    "access": "Getting marketing contacts",
    "set_marketing": "Set as marketing",
    "set_non_marketing": "Set as non-marketing",
    "undo_by_hand": "Undone by hand while waiting",
    "undo_by_tool": "Undone by a form or an import while waiting",
    "update_date_yearly": "Update date, paid by the year",
    "update_date_monthly": "Update date, paid by the month",
    "update_date_short_month": "Update date in a short month",
    "over_the_tier": "Over the tier",
    "no_downgrade": "No way down before the renewal",
}


def _words(said: Said) -> str:
    return "".join(
        f"<strong>{html.escape(piece)}</strong>" if fact else html.escape(piece) for piece, fact in said.pieces
    )


def _rule(rule: str) -> str:
    if rule not in SOURCES:
        held = Rulebook.load().lifecycle[rule]
        says = held.says[:1].upper() + held.says[1:]
        return f"{html.escape(says)}.<small>{reference(held.reference, _IN_SHORT)}</small>"
    now = history(rule)[-1]
    facts = "".join(f"<li>{fact}: {_value(now, fact)}</li>" for fact in FACTS)
    read, upgrade = now.rule.reference, now.rule.upgrade_reference
    lines = [f"Since the edition of {day(now.since)}: {reference(read, _IN_SHORT)}."]
    if upgrade is not None and upgrade != read:
        lines.append(f"For existing contacts: {reference(upgrade, _IN_SHORT)}.")
    lines += [f"Earlier, {_earlier(held)}." for held in reversed(history(rule)[:-1])]
    return f"<ul>{facts}</ul>{''.join(f'<small>{line}</small>' for line in lines)}"


def _value(held: Held, fact: str) -> str:
    return f"<strong>{html.escape(held.facts[fact])}</strong>"


def _earlier(held: Held) -> str:
    since = f"from the edition of {day(held.since)}"
    if held.rule.reference.trust == "silent":
        return html.escape(f"{since}: {TRUST['silent']}")
    return html.escape(f"{since}: {held.told}")


def _place(rule: str) -> str:
    rulebook = Rulebook.load()
    if rule not in SOURCES:
        return f"HubSpot's page {link(rulebook.lifecycle[rule].reference)}."
    held = rulebook.newest[rule]
    if held.switch:
        return f"{html.escape(held.where)}. ({link(held.reference)})"
    note = f" ({held.reference.note})" if held.reference.note else ""
    return html.escape(f"there is no switch to click; a new contact is {held.default}{note}.")


def _story(myth: MythQuestion) -> str:
    rules = Rulebook.load().on(myth.newest)
    items = "".join(
        f"<li>{html.escape(f'{touch.contact}, {day(touch.day)}: {pieces.called(touch.tool, rules)}')}</li>"
        for touch in myth.story.touches
    )
    note = f"<small>{html.escape(myth.note)}</small>" if myth.note else ""
    return f"<ul>{items}</ul>{note}"


def _decided(myth: MythQuestion) -> str:
    contacts = myth.story.outcome(myth.newest).contacts
    until = f"on {day(myth.story.as_of)}: " if myth.story.as_of else ""
    items = "".join(
        f"<li>{html.escape(str(name))}, {until}{html.escape(str(contact['status']))}"
        f"{', and waiting for the update date' if contact['waiting'] else ''}</li>"
        for name, contact in contacts.iterrows()
    )
    return f"<ul>{items}</ul>"


def _verdict(myth: MythQuestion) -> str:
    against = refuted(myth)
    if not against:
        return "It holds."
    editions = f"from {day(min(against))} to {day(max(against))}"
    if against != list(myth.editions):
        return html.escape(f"Contradicted by the editions of {', '.join(map(str, against))}, not by others.")
    if myth.rests_on:
        return html.escape(f"No edition has a rule that says so, {editions}. {myth.rests_on}")
    return html.escape(f"Contradicted by every edition {editions}.")
