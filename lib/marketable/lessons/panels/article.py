"""What the article says, as pieces of page: our words beside the rule as it is held, myths, places, a counted batch."""

from __future__ import annotations

import html
from collections.abc import Iterable

from marketable.rulebook import ACTIONS, SOURCES, LifecycleRule, Reference, Rulebook
from marketable.rulebook.reader import TRUST
from marketable.views import pieces, words
from marketable.views.tables import html_table
from marketable.views.words import day

from ..lessons import LessonText, Said, refuted
from ..questions import StoryQuestion, sample_outcome
from ..through_editions import FACTS, Held, facts_of, history

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


def rules(text: LessonText) -> str:
    """A table: the lesson's words, and the rules that they are about as the rulebook holds them."""
    rows = [("<br>".join(map(_name, said.rules)), _words(said), _rule(said)) for said in text.article]
    columns = ("", "The article, in our words", "The rule that follows")
    return _table("What the article says, and the rule that follows from it.", columns, rows)


def myths(questions: Iterable[StoryQuestion]) -> str:
    """A table of what people say: the story that tests it, what the library decides, and which editions contradict."""
    rows = [(html.escape(myth.asks), _story(myth), _decided(myth), _verdict(myth)) for myth in questions]
    columns = ("People say", "The story that tests it", "The rules say", "Verdict")
    return _table("Myths, each tested by a story.", columns, rows)


def places(text: LessonText) -> str:
    """A list: where each rule is set in HubSpot, or that nothing is to be set, with the page to read."""
    items = [f"<strong>{_name(rule)}</strong>: {_place(rule)}" for rule in text.where.rules]
    drawn = "".join(sketch(rule) for rule in text.where.rules if rule in SOURCES)
    return _list([*items, *map(html.escape, text.where.more)], "mk-places") + drawn


def batch(touches: int, seed: int) -> str:
    """A made-up batch, counted by the tools that created its contacts."""
    counts = sample_outcome(touches, seed).counts("source")
    names = pieces.tools(Rulebook.load().newest)
    table = pieces.counts_table(counts, counts, names).drop(columns=["without the flips", "change"])
    caption = (
        f"A made-up account in which {touches:,} things happened: its contacts by the tool that created them, and what "
        "they are in the end. All switches are as HubSpot delivers them."
    )
    return html_table(table, caption)


def in_full(rule: Held | LifecycleRule) -> str:
    """A rule as it was held, with its reference."""
    says, held = (_says(rule), rule) if isinstance(rule, LifecycleRule) else (html.escape(str(rule)), rule.rule)
    return f"{says} <small>{_reference(held.reference)}</small>"


def _says(rule: LifecycleRule) -> str:
    return html.escape(f"{rule.says[:1].upper()}{rule.says[1:]}.")


def _reference(read: Reference) -> str:
    """Where a value was read: a link to the page, the days of its texts, and how far to trust it."""
    when = f"read in {read.read_in}" if read.read_in[:1].isdigit() else read.read_in
    note = f"; {read.note}" if read.note else ""
    return f"{_link(read)}, {html.escape(words.dated(f'{when} ({TRUST[read.trust]}{note})'))}"


def _link(read: Reference) -> str:
    return f'<a href="{html.escape(read.link)}" target="_blank" rel="noopener">{html.escape(read.title)}</a>'


def _list(items: Iterable[str], kind: str = "") -> str:
    named = f' class="{kind}"' if kind else ""
    return f"<ul{named}>{''.join(f'<li>{item}</li>' for item in items)}</ul>"


def _table(caption: str, columns: Iterable[str], rows: Iterable[tuple[str, ...]]) -> str:
    """A table whose frame can be scrolled with the keyboard where the window is narrow. Its cells are HTML."""
    head = "".join(f'<th scope="col">{html.escape(name)}</th>' if name else "<td></td>" for name in columns)
    body = "".join(
        f'<tr><th scope="row">{first}</th>{"".join(f"<td>{cell}</td>" for cell in others)}</tr>'
        for first, *others in rows
    )
    return (
        f'<div class="mk-scroll" tabindex="0" role="group" aria-label="{html.escape(caption)}">'
        f'<table class="mk-table mk-lesson"><caption>{html.escape(caption)}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _name(rule: str) -> str:
    return html.escape(Rulebook.load().newest[rule].name) if rule in SOURCES else _LIFECYCLE[rule]


def _words(said: Said) -> str:
    return "".join(("<strong>{}</strong>" if fact else "{}").format(html.escape(piece)) for piece, fact in said.pieces)


def _rule(said: Said) -> str:
    """What holds, and where that was read, which folds away; and what held before, where the words speak of it."""
    if said.rule not in SOURCES:
        after = Rulebook.load().lifecycle[said.rule]
        return _says(after) + _source([_reference(after.reference)])
    *earlier, now = history(said.rule)
    newest = Rulebook.load().newest
    alike = [fact for fact in FACTS if len({facts_of(rule, newest.date)[fact] for rule in said.rules}) == 1]
    facts = _list(f"{fact}: <strong>{html.escape(now.facts[fact])}</strong>" for fact in alike)
    read = [_reference(each) for rule in said.rules for each in newest[rule].references]
    lines = [
        f"From {day(held.since)}: {TRUST['silent'] if held.rule.reference.trust == 'silent' else held.in_words}."
        for held in reversed(earlier)
        if said.looks_back
    ]
    return facts + "".join(f"<small>{html.escape(line)}</small>" for line in lines) + _source(dict.fromkeys(read))


def _source(read: Iterable[str]) -> str:
    return pieces.folded("source", "".join(f"<small>{each}.</small>" for each in read))


def _place(rule: str) -> str:
    rulebook = Rulebook.load()
    if rule not in SOURCES:
        return f"HubSpot's page {_link(rulebook.lifecycle[rule].reference)}."
    held = rulebook.newest[rule]
    if held.switch:
        return f"{html.escape(held.where)}. ({_link(held.reference)})"
    note = f" ({held.reference.note})" if held.reference.note else ""
    return html.escape(f"there is no switch to click; a new contact is {held.default}{note}.")


def sketch(rule: str) -> str:
    """Where a tool's switch is, as a small drawing of ours, no copy of HubSpot's page; nothing where it has none."""
    held = Rulebook.load().newest[rule]
    if not held.switch:
        return ""
    path = held.where.partition(";")[0].removeprefix("the ").split(" > ")
    on = held.default_on
    starts = f"at first {'on' if on else 'off'}"
    one = "all of them" if held.switch == "account" else f"this {held.asset}"
    title = f"{held.name}: {' › '.join(path)}; a switch for {one}, {starts}."
    lines = [
        (22, 13, "600", held.name),
        (44, 11.5, "400", " › ".join(path)),
        (84, 12, "400", f"New contacts of {one}"),
        (102, 12, "400", "are marketing contacts"),
    ]
    texts = "".join(
        f'<text x="16" y="{y}" font-size="{size}" font-weight="{weight}">{html.escape(line)}</text>'
        for y, size, weight, line in lines
    )
    if rule == "import_single_object":  # a box to tick
        control = '<rect x="256" y="76" width="22" height="22" rx="3" class="mk-off"/>'
    else:
        control = f'<rect x="246" y="76" width="42" height="22" rx="11" class="{"mk-on" if on else "mk-off"}"/>'
        control += f'<circle cx="{277 if on else 257}" cy="87" r="8" class="mk-knob"/>'
    control += f'<text x="267" y="116" font-size="11" text-anchor="middle">{starts}</text>'
    return (
        '<svg class="mk-sketch" viewBox="0 0 310 128" width="310" height="128" role="img" '
        f'aria-label="{html.escape(title)}">'
        '<rect x="0.5" y="0.5" width="309" height="127" rx="6" class="mk-sheet"/>'
        f'<line x1="0" y1="56" x2="310" y2="56" class="mk-line"/>{texts}{control}</svg>'
    )


def _story(myth: StoryQuestion) -> str:
    rules = Rulebook.load().on(myth.newest)
    touches = _list(
        html.escape(f"{touch.contact}, {day(touch.day)}: {pieces.called(touch.tool, rules)}")
        for touch in myth.story.touches
    )
    return touches + (f"<small>{html.escape(myth.note)}</small>" if myth.note else "")


def _decided(myth: StoryQuestion) -> str:
    until = f"on {day(myth.story.as_of)}: " if myth.story.as_of else ""
    return _list(
        html.escape(f"{name}, {until}{contact['status']}{', and waiting for the update date' * contact['waiting']}")
        for name, contact in myth.story.outcome(myth.newest).contacts.iterrows()
    )


def _verdict(myth: StoryQuestion) -> str:
    against, by_hand = refuted(myth), [touch.tool for touch in myth.story.touches if touch.tool in ACTIONS]
    if not against:
        return "It holds."
    if by_hand:  # the article is about tools only
        return f"Contradicted by another page of HubSpot's, {_link(Rulebook.load().lifecycle[by_hand[-1]].reference)}."
    if against != list(myth.editions):
        return html.escape(f"Contradicted by the article of {', '.join(map(day, against))}, not by others.")
    versions = f"version of the article from {day(min(against))} to {day(max(against))}"
    if myth.note:  # the rules know nothing of it
        return html.escape(f"No {versions} has such a rule. {myth.rests_on}".rstrip())
    return html.escape(f"Contradicted by every {versions}.")
