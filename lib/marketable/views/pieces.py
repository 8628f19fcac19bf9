"""Pieces of page: each takes what was decided and gives HTML, in which text from data is escaped."""

from __future__ import annotations

import base64
import html
import re
from collections.abc import Iterable, Mapping
from importlib.resources import files
from typing import Any

import pandas as pd

from marketable.portal.portal import split
from marketable.rulebook import MARKETING, NOT_COVERED, STATUSES, Rule


def scripted(script: str) -> str:
    """A picture of nothing that runs a script of this project's own, once it is there; to the script it is `this`."""
    script = " ".join(script.replace("&", "&amp;").replace('"', "&quot;").split())
    nothing = "data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw=="
    return f'<img alt="" hidden src="{nothing}" onload="{script}">'


# JupyterLab takes arrow keys, Enter and letters for commands to cells, even from somebody who moves among radio
# buttons, and takes the focus away. A widget has no way to say that its keys are its own; a picture of nothing has.
# It may be there before the page that it stands on is, so it looks for it again, for five seconds. A nought
# makes room for what is typed: 600 behind it would be 0600, before it 6000.
OWN_KEYS = scripted("""(function claim(image, left) {
  const own = image.closest('.mk');
  if (!own) return left && setTimeout(claim, 50, image, left - 1);
  own.setAttribute('data-lm-suppress-shortcuts', 'true');
  own.addEventListener('keydown', event => event.stopPropagation());
  const typed = (from, to) => ({target: field}) => {
    if (field.type === 'number' && field.value === from) field.value = to;
  };
  own.addEventListener('focusin', typed('0', ''));
  own.addEventListener('focusout', typed('', '0'));
})(this, 100)""")
FLIPPING = (
    '<p class="mk-note">A flip counts as if the switch had been so from the beginning, or from the day you choose. '
    "Turning one off in HubSpot today changes nobody who is marketing already: it keeps the next ones out.</p>"
)
CREDIT = (
    '<p class="mk-note">A contact that several switches would each make marketing counts in equal parts for those '
    "that are on. So the parts, and the contacts that are marketing through no switch, sum to the count.</p>"
)
_TRUST = re.compile(r"trust (?:H|M|assumption): ")
_ACTIONS = {
    "set_marketing": "set as marketing",
    "set_non_marketing": "set as non-marketing",
    "access": "the day the account got marketing contacts",
    "listed": "the list of existing contacts",
    "": "nothing yet",
}


def style() -> str:
    """The style sheet of widgets, as a piece of page, which also leaves the keys to those around it."""
    return f"<style>{files(__package__).joinpath('widgets.css').read_text('utf-8')}</style>{OWN_KEYS}"


def paragraph(text: str, kind: str = "mk-message") -> str:
    """A line of text."""
    return f'<p class="{kind}">{html.escape(text)}</p>'


def alert(text: str) -> str:
    """A line of text that a screen reader says at once."""
    return f'<p class="mk-error" role="alert">{html.escape(text)}</p>'


def plain(text: str) -> str:
    """A description that is shown as it is: the notebook would set what stands between dollars as mathematics."""
    return text.replace("\\", "\\\u200c").replace("$", "\\$")


def download(
    name: str, content: bytes, about: str = "", kind: str = "application/zip", *, at_once: bool = False
) -> str:
    """The link that holds a file, and a sentence about it. Arguments: at_once, whether it is downloaded when it is
    shown, as somebody has just asked for it.
    """
    link = f"data:{kind};base64,{base64.b64encode(content).decode()}"
    size = f"{max(len(content) // 1000, 1):,} kB"
    return (
        f'<p class="mk-message" role="status"><a download="{html.escape(name)}" href="{link}">'
        f"Download {html.escape(name)} ({size})</a>. {html.escape(about)}"
        f"{scripted('this.parentNode.firstElementChild.click()') if at_once else ''}</p>"
    )


def headline(text: str, more: list[str], *, over: bool) -> str:
    """The headline, marked where the count is over the tier, and smaller lines below it."""
    lines = "".join(f"<span>{html.escape(line)}</span>" for line in more if line)
    return (
        f'<div class="mk-headline {"mk-over" if over else "mk-within"}" role="status" aria-live="polite">'
        f"<strong>{html.escape(text)}</strong>{lines}</div>"
    )


def bullets(texts: Iterable[str]) -> str:
    """Texts as a list; nothing where there are none."""
    items = "".join(f"<li>{html.escape(text)}</li>" for text in texts)
    return f'<ul class="mk-list">{items}</ul>' if items else ""


def folded(summary: str, content: str) -> str:
    """A piece of page that is seen when its summary is clicked."""
    return f"<details><summary>{html.escape(summary)}</summary>{content}</details>"


def tools(rules: Mapping[str, Rule]) -> dict[str, str]:
    """What the sources are called where they head a row: the tools' names."""
    return {source: rule.name for source, rule in rules.items()} | {NOT_COVERED: "A tool not covered"}


def called(name: str, rules: Mapping[str, Rule]) -> str:
    """What decided or created, in a person's words: a switch, a tool, an action."""
    source, asset = split(name)
    if source == NOT_COVERED:
        return f"a tool not covered ({asset})" if asset else "a tool not covered"
    if source not in rules:
        return _ACTIONS.get(name, name)
    return rules[source].name if asset is None else f"{rules[source].name}: {asset or '(no name)'}"


def locked(rules: list[Rule], contacts: pd.DataFrame) -> str:
    """The tools whose default nobody can change, each with its default, its contacts and its reference. Some of their
    contacts may be marketing all the same: what came later made them so.

    Arguments: contacts, by what created them and by status.
    """
    items = ""
    for rule in rules:
        row = contacts[list(STATUSES)].T.get(rule.source, pd.Series(0, list(STATUSES))).astype(int)
        default = f"{rule.default}{'' if rule.default == NOT_COVERED else ', locked'}"
        told = f"{row.sum():,}"
        if rule.default != MARKETING and row[MARKETING]:
            told += f", {row[MARKETING]:,} of them marketing"
        items += (
            f"<li><span>{html.escape(rule.name)} <small>{told}</small></span>"
            f'<span class="mk-badge">{default}</span>{where_read(str(rule.reference), rule.reference.link)}</li>'
        )
    note = "Contacts they created, and their default. Who is marketing all the same became so later: through a form, "
    note += "an import, an app or by hand."
    return (
        '<div class="mk-locked"><div class="mk-group"><span>Tools without a switch</span></div>'
        f'<ul>{items}</ul><p class="mk-note">{note}</p></div>'
    )


def where_read(reference: str, link: str = "") -> str:
    """Where something was read and how far it is to be trusted, folded behind one small mark."""
    text = html.escape(_TRUST.sub("", reference).replace("edition", "rules"))
    if link:
        text = f'<a href="{html.escape(link)}" target="_blank" rel="noopener">{text}</a>'
    return f'<details class="mk-source"><summary>source</summary>{text}</details>' if reference else ""


def explanation(contact: pd.Series, touches: pd.DataFrame, rules: Mapping[str, Rule]) -> str:
    """Why a contact is what it is: its status and what decided it, then its touches, each with its sentence.

    Arguments: contact, a row of `Outcome.contacts`; touches, of `Outcome.why`.
    """
    status = "without a status" if pd.isna(contact["status"]) else contact["status"]
    since = "" if pd.isna(contact["since"]) else f" since {contact['since']:%Y-%m-%d}"
    answer = f"{contact.name} is {status}{since}, decided by {called(contact['decided_by'], rules)}."
    by_touch = {*touches["source"], *(touches["source"].astype(str) + "/" + touches["asset"].astype(str))}
    beyond = "" if contact["decided_by"] in by_touch and not contact["waiting"] else str(contact["reason"])
    return (
        f'<p class="mk-answer"><strong>{html.escape(answer)}</strong> {html.escape(beyond)}</p>'
        f"{touched(touches, rules)}"
    )


def touched(touches: pd.DataFrame, rules: Mapping[str, Rule], *, open_sources: bool = False) -> str:
    """A contact's touches, each with its sentence. Arguments: touches, of `Outcome.why`; open_sources, whether it is
    read at once where each was read, for what folds away as a whole.
    """
    items = "".join(_touch(touch, rules, open_sources) for touch in touches.itertuples())
    return f'<ol class="mk-touches">{items}</ol>'


def counts_table(now: pd.DataFrame, baseline: pd.DataFrame, names: Mapping[str, str]) -> pd.DataFrame:
    """Contacts by creating tool, with the marketing count without the flips beside, and a row of totals."""
    sources = list(dict.fromkeys([*now.index, *baseline.index]))
    table = now.reindex(sources, fill_value=0).astype(int)
    before = baseline.reindex(sources, fill_value=0)[MARKETING].astype(int)
    table.insert(1, "without the flips", before)
    table.insert(2, "change", table[MARKETING] - before)
    table["all"] = table[list(STATUSES)].sum(axis=1)
    table.loc["Total"] = table.sum()
    return table.rename(index=dict(names)).rename_axis("created by").reset_index()


def sourced(reason: str) -> tuple[str, str]:
    """A reason of the engine in two parts: what it says, and by which edition and source.

    >>> sourced("Set as marketing: marketing at once. Source: “Set contacts as marketing”, read in 2022-12-02.")
    ('Set as marketing: marketing at once.', '“Set contacts as marketing”, read in 2022-12-02.')
    """
    sentence, judged, reference = reason.partition(" Judged by ")
    if not judged:
        sentence, _, reference = reason.partition(" Source: ")
    return sentence, judged.lstrip() + reference


def _touch(touch: Any, rules: Mapping[str, Rule], open_sources: bool) -> str:
    source, asset, when = touch.source, touch.asset, touch.occurred_at
    before, after = (_status(getattr(touch, name)) for name in ("status_before", "status_after"))
    tool = called(f"{source}/{asset}" if asset else source, rules)
    sentence, reference = sourced(str(touch.reason))
    change = before if before == after else f"{before} → {after}"
    read = paragraph(reference, "mk-note") if open_sources and reference else where_read(reference)
    return (
        f"<li><b>{pd.Timestamp(when):%Y-%m-%d %H:%M} · {html.escape(tool)} · {change}</b><br>{html.escape(sentence)}"
        f"{read}</li>"
    )


def _status(status: object) -> str:
    return "no status" if pd.isna(status) else str(status)  # type: ignore[call-overload]
