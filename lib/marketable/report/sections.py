"""The sections of a report: each a function of what was found, each a piece of page in which text from data is escaped.

Sections tell counts. Who the contacts are stands in none of them, and what looks like an address, in a form's name or a
file's, is masked.
"""

from __future__ import annotations

import html
import json
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

import pandas as pd

from marketable.auditing import Audit
from marketable.auditing.explanations import MEANINGS
from marketable.errors import nearest
from marketable.rulebook import MARKETING, NON_MARKETING, NOT_COVERED, Rulebook
from marketable.rulebook.reader import TRUST
from marketable.views import audited, pieces
from marketable.views import charts as drawn
from marketable.views.tables import csv, html_table
from marketable.views.words import against_tier, dated, day, discreet, headline

from .ahead import ahead as ahead
from .ahead import to_do as to_do
from .findings import CEASED, CONTACTS, CREATED, FIGURES, TURNED, Findings, versions
from .parameters import Parameters
from .section import Section
from .telling import billed, first_paragraph

PORTABLE = 600_000  # letters; a larger table of exposures does not travel with the page
_MOST = 40  # rows of a table
_ROWS = 8  # numbers of rejected rows
_LACKS = ("no ", "not ", "un")  # begin what an export does not tell
_FLIPPING = (
    '<p class="mk-note">A flip here counts as if the switch had been so from the beginning, in place of its dates '
    "where it is dated, that is, changed over time. Turning one off in HubSpot today changes nobody who is marketing "
    "already: it keeps the next ones out.</p>"
)
_STILL = (
    "The switches can be flipped on the page that “marketable report” makes, where its script may run; here "
    "they stand as the portal has them."
)
_TOO_LARGE = (
    "This portal has too many combinations of switches for a page to carry: here they stand as the portal has them. "
    "The workbench flips them."
)


_OWN = (
    "Each contact's status in the export, beside what the rules make of the portal's switches. A status that differs "
    "says that a switch was not as the portal has it, or that the contact was changed afterwards."
)
_INFERRED = (
    "That is inferred from the statuses: many contacts changed in bulk by hand look the same. Look at the switch "
    "itself before you believe it."
)
_AS_THEY_SHOW = "The portal with its switches as the statuses show them, as portal.yaml"


def findings(**parameters: Any) -> Findings:
    """What there is to report, by the parameters of a report. Raises: what Parameters and Findings raise."""
    return Findings.of(Parameters(**parameters))


def summary(found: Findings) -> Section:
    """The title, the paragraph that matters, and the key figures."""
    style = f"<style>{files('marketable.views').joinpath('report.css').read_text('utf-8')}</style>"
    told = [dated(sentence) for sentence in first_paragraph(found)]
    portal = found.parameters.paths.get("portal")
    what = f"{found.opened.name}, under {portal.name if portal else 'switches at their defaults'}"
    until = f"up to {day(found.as_of.date())}, {found.as_of:%H:%M}"
    about = f"{found.period.name[:1].upper()}{found.period.name[1:]}, {until}. {what}."
    return Section(
        "summary",
        "",
        f"{style}<h1>{html.escape(found.parameters.title)}</h1>"
        f'<p class="mk-note">{html.escape(about)}</p>'
        f'<p class="mk-lead"><strong>{html.escape(told[0])}</strong> {html.escape(" ".join(told[1:]))}</p>'
        f"{_key_figures(found)}",
    )


def charts(found: Findings) -> Section:
    """The three pictures, each with the same in a table."""
    names, flips = pieces.tools(found.rules), found.flips
    now, before = found.what_if.by("source", flips), found.what_if.by("source")
    if found.own is not None and not flips:
        now = before = found.own
    after = found.what_if.switches_after(flips)
    by_day, baseline = found.imagined.by_day(), found.now.by_day()
    if found.audit is not None and found.outlook is not None and not flips:
        by_day = baseline = found.outlook.past
    curves = {"marketing": by_day} | ({"baseline": baseline} if flips else {})
    months = pd.DataFrame(curves).groupby(lambda date: f"{date:%Y-%m}").last().astype(int)
    owed = after[(after["exposed"] > 0) | (after["credit"] > 0)].sort_values("credit", ascending=False, kind="stable")
    switches = owed[["exposed", "sole", "credit"]].round(1).set_axis(["reaches", "only through it", "credit"], axis=1)
    switches.insert(0, "is", owed["on"].map({True: "on", False: "off"}))
    switches.insert(0, "switch", owed.index.map(found.called))
    whose = " After the what-if; the baseline beside." if flips else ""
    tables: tuple[str, ...] = (
        html_table(pieces.counts_table(now, before, names), f"Contacts by creating tool.{whose}"),
        html_table(months.rename_axis("at the end of").reset_index(), "Marketing contacts.", most=400),
        html_table(switches, "What each switch accounts for.", most=_MOST),
    )
    pictures: tuple[drawn.Chart, ...] = (
        drawn.by_source(now, before, names),
        drawn.over_time(by_day, baseline, found.tier_of_rules if flips else found.tier, found.term_start),
        drawn.credit(after.rename(index=discreet), found.what_if.always, names),
    )
    if not found.opened.names_tools:  # only how many there were when
        pictures, tables = pictures[1:2], tables[1:2]
    shown = "".join(
        f"<figure>{picture._repr_html_()}"
        f"<figcaption>{pieces.folded('The same in numbers', table)}</figcaption></figure>"
        for picture, table in zip(pictures, tables, strict=True)
    )
    title = "What there would be" if flips else "What there is"
    title += "" if found.audit is None else ", by the rules" if flips else ", as HubSpot counts"
    by_rules = ""
    if found.audit is not None and not flips and found.opened.names_tools:
        text = f"What the switches account for is by the rules, which explain {found.marketing:,} marketing contacts."
        by_rules = pieces.paragraph(text, "mk-note")
    return Section(
        "charts", title, f'<div class="mk-pictures">{shown}</div>{by_rules}{pieces.CREDIT * found.opened.names_tools}'
    )


def changes(found: Findings) -> Section | None:
    """What changed in the period: who became marketing through what, and who ceased to be. Where the data record it,
    HubSpot's own statuses come first; nothing where neither they nor the rules tell.
    """
    recorded = found.recorded_changes
    own = ""
    if recorded is not None:
        through = recorded.through.rename(discreet).reset_index()
        own = pieces.paragraph(discreet(str(recorded)))
        own += html_table(through, "What made contacts marketing, as recorded.", most=_MOST) if len(through) else ""
    title = f"What changed in {found.period.name}"
    if not found.opened.names_tools:
        return Section("changes", title, own) if own else None
    counts = found.counts[MARKETING]
    was, now = int(counts["before"]), int(counts["now"])
    sums = {kind: int(found.changes.loc[found.changes["kind"] == kind, "contacts"].sum()) for kind in _KINDS}
    text = "" if recorded is None else "By the rules: "
    text += f"{was:,} at the end of {found.period.before.name}, {sums[CREATED]:,} created as marketing, "
    text += f"{sums[TURNED]:,} that became so later, {sums[CEASED]:,} that ceased to be: {now:,} now."
    named = [found.called(name) for name in found.changes["decided_by"]]
    table = found.changes.assign(decided_by=named).rename(columns={"kind": "what", "decided_by": "decided by"})
    shown = html_table(table, f"Changes in {found.period.name}.", most=_MOST) if len(table) else ""
    return Section("changes", title, own + pieces.paragraph(text) + shown)


def what_if(found: Findings) -> Section | None:
    """What the flips that were asked would do; nothing where none were, or where nothing says what created whom."""
    if not found.flips or not found.opened.names_tools:
        return None
    after, before = found.counts.T["what-if"], found.counts.T["now"]
    flips = "; ".join(f"{found.called(name)} {_set_to(flip)}" for name, flip in found.flips.items())
    moved = found.credits.reset_index()
    moved["switch"] = [found.called(name) for name in moved["switch"]]
    table = html_table(moved.round(1), "Credit that moves: the changes sum to the difference.", most=_MOST)
    return Section(
        "what-if",
        "What if",
        pieces.paragraph(f"{headline(after, before, found.tier_of_rules)} Flipped: {flips}.")
        + (table if len(moved) else "")
        + pieces.FLIPPING,
    )


def flip(found: Findings) -> Section | None:
    """The switches, and what flipping them does. On a page a script makes them work; without it the table stands.
    Nothing where nothing says what created whom.
    """
    if not found.opened.names_tools:
        return None
    switches = found.what_if.switches.sort_values(["credit", "exposed"], ascending=False, kind="stable")
    table = found.what_if.portable(found.flips)
    numbers = {each["name"]: at for at, each in enumerate(table["switches"])}
    of_slots = zip(table["slots"], table["own"], strict=True)
    dated = {at for at, on in of_slots if at >= 0 and bool(on) != table["switches"][at]["own"]}
    table["switches"] = [{state: each[state] for state in ("own", "flipped")} for each in table["switches"]]
    table |= {"tier": found.tier_of_rules, "counted": _by_rules(found)}
    table["sources"] = [pieces.tools(found.rules).get(name, name) for name in table["sources"]]
    rows = "".join(
        f'<tr data-switch="{numbers[str(row.Index)]}"><th scope="row">{html.escape(found.called(row.Index))}</th>'
        f"<td>{'on' if row.on else 'off'}{', dated' if numbers[str(row.Index)] in dated else ''}</td>"
        f'<td class="mk-number">{row.exposed:,}</td><td class="mk-number">{row.sole:,}</td>'
        f'<td class="mk-number">{row.credit:,.1f}</td></tr>'
        for row in switches.itertuples()
    )
    head = '<th scope="col">switch</th><th scope="col">is</th>' + "".join(
        f'<th scope="col" class="mk-number">{name}</th>' for name in ("reaches", "only through it", "credit")
    )
    by_source = pieces.counts_table(found.what_if.by("source"), found.what_if.by("source"), pieces.tools(found.rules))
    # In JSON only < could end the element early; it is written as an escape, which reads the same.
    data = json.dumps(table, separators=(",", ":"), ensure_ascii=False).replace("<", "\\u003c")
    travels = len(data) <= PORTABLE
    printed = f"Printed are the first {_MOST} of {len(switches):,} switches, and those that were flipped."
    return Section(
        "flip",
        "Flip a switch",
        f'{_FLIPPING}<p class="mk-note mk-still">{_STILL if travels else _TOO_LARGE}</p>'
        f'<p class="mk-live" role="status">{html.escape(_baseline(found))}</p>'
        f'<div class="mk-controls"></div><div class="mk-columns-of-two">'
        f'<div class="mk-scroll{" mk-long" if len(switches) > _MOST else ""}">'
        f'<table class="mk-table mk-switches"><caption>The switches, the most credit first.</caption><thead><tr>{head}'
        f"</tr></thead><tbody>{rows}</tbody></table>"
        + (pieces.paragraph(printed, "mk-note mk-on-paper") if len(switches) > _MOST else "")
        + f'</div><div class="mk-by-source">{html_table(by_source, "Contacts by creating tool.")}</div></div>'
        + (f'<script type="application/json" class="mk-exposures">{data}</script>' if travels else ""),
    )


def own_statuses(found: Findings) -> Section | None:
    """HubSpot's own statuses, audited: why they are what they are; nothing where the data tell none."""
    audit = found.audit
    if audit is None:
        return None
    counts = audit.counts.reset_index().rename(columns={"all": "contacts"})
    counts.insert(1, "what that means", [MEANINGS[name] for name in counts["explanation"]])
    seen = ", the switches being as they seem to have been" if _differs(audit) else ""
    return Section(
        "own-statuses",
        "HubSpot's own statuses",
        pieces.paragraph(_OWN)
        + _worded(counts, f"Contacts, each with one explanation{seen}.")
        + pieces.bullets(audit.remarks.values())
        + (_seeming(found, audit) if found.opened.names_tools else "")
        + _groups(found, audit)
        + ("<h3>What people say</h3>" + audited.myths(audit) if len(audit.myths) else "")
        + (_by_source(found, audit) if found.opened.names_tools else "")
        + (pieces.folded(_AS_THEY_SHOW, f'<div class="mk-scroll">{audited.portal(audit)}</div>') * _differs(audit)),
    )


def left_open(found: Findings) -> Section:
    """What was rejected, what is not covered, what is ambiguous, and what the file does not tell."""
    opened, uncovered = found.opened, found.what_if.by("source")[NOT_COVERED].astype(int)
    count = int(uncovered.sum())
    lines = [f"{opened.rows_read:,} rows read, {opened.rows_used:,} used, {len(opened.rejected):,} rejected."]
    silent = "HubSpot's article does not say which status their tool sets, or the data do not name it."
    lines.append(f"{count:,} {'contact is' if count == 1 else 'contacts are'} not covered: {silent}")
    lines += [_unasked(found, name) for name in found.what_if.unasked if found.opened.names_tools]
    if found.now.ambiguous:
        lines.append(
            f"{found.now.ambiguous:,} of the contacts were created between two editions of the article that disagree "
            "about their tool; they are counted as the older one reads."
        )
    lacks = {name: note for name, note in opened.understood.items() if name.startswith(_LACKS)}
    lines += [f"{name[:1].upper()}{name[1:]}: {note.rstrip('.')}." for name, note in lacks.items()]
    content = pieces.bullets(lines)
    if count:
        open_ones = uncovered[uncovered > 0].sort_values(ascending=False)
        tools = pd.DataFrame({"tool": open_ones.index.map(found.called), "contacts": open_ones.to_numpy()})
        content += html_table(tools, "Not covered, by tool.")
    if len(opened.rejected):
        content += html_table(_rejected(found), "Rejected rows, by reason.", most=_MOST)
    return Section("left-open", "What is left open", content)


def made_from(found: Findings) -> Section:
    """The settings, the rules with their references and trust, the assumptions, versions and checksums."""
    asked = found.asked
    switches = {name: asked.pop(name) for name in ("switches", "flips")}
    numbers = ("included", "step", "monthly")  # which are nought where a price list, or nothing, says what it costs
    asked = {name: value for name, value in asked.items() if value or name not in numbers}
    settings: dict[str, object] = {**{name: _said(value) for name, value in asked.items()}, "as of": found.now.as_of}
    settings |= {f"{of}: {name}": _set_to(value) for of, each in switches.items() for name, value in each.items()}
    subscription = found.portal.subscription
    settings |= {
        "time zone": found.portal.time_zone,
        "marketing contacts since": found.portal.access_since or "always",
        "commitment": f"{subscription.commitment}, {subscription.hub}",
        "tier": "not told" if found.tier is None else f"{found.tier:,}",
    }
    settings |= {f"read as: {name}": note for name, note in found.opened.understood.items()}
    settings |= {f"SHA-256 of {name}": checksum for name, checksum in found.checksums.items()}
    settings |= {f"version of {name}": number for name, number in versions().items()}
    return Section(
        "made-from",
        "What this was made from",
        _pairs(settings, "Settings")
        + html_table(_assumptions(found), "Rules that applied, and how far to trust each.", most=_MOST)
        + pieces.bullets(f"{letter}: {text}" for letter, text in _TRUSTED.items())
        + _references(found),
    )


def figures(found: Findings) -> Section:
    """The figures as data, for the files beside the page."""
    note = "The figures of this page, as csv, Excel workbook and JSON, stand in files beside it where it was made."
    told = [dated(sentence) for sentence in first_paragraph(found)]
    data = _discreet({"headline": told[-1 if found.flips else 0]} | found.numbers())
    return Section("figures", "", f'<p class="mk-note">{note}</p>', {FIGURES: data})


def contacts(found: Findings) -> Section | None:
    """Who changed in the period, for a file beside the page; nothing unless that was asked."""
    if not found.parameters.list_contacts:
        return None
    note = f"The {len(found.listed):,} contacts whose status changed are listed in a file of their own."
    return Section("contacts", "", f'<p class="mk-note">{note}</p>', {CONTACTS: csv(found.listed).decode("utf-8-sig")})


# ---- pieces ----


def _differs(audit: Audit | None) -> bool:
    return audit is not None and audit.portal != audit.given


def _seeming(found: Findings, audit: Audit) -> str:
    """The switches that are not as the portal says, with the evidence."""
    differing = audit.switches[audit.switches["differs"]]
    if not len(differing):
        return pieces.paragraph("No switch seems to have been other than the portal says.")
    shown = differing[["portal", "looks", "evidence"]].rename(
        columns={"portal": "the portal says", "looks": "it looks"}
    )
    shown.insert(0, "switch", differing.index.map(found.called))
    return _worded(shown, "Switches that are not as the portal says.") + pieces.paragraph(_INFERRED, "mk-note")


def _groups(found: Findings, audit: Audit) -> str:
    if not len(audit.groups):
        return ""
    groups = audit.groups.reset_index().rename(columns={"alone": "in no other group"})
    groups["group"] = [audited.group(name, found.rules) for name in groups["group"]]
    if found.prices is None or groups["monthly"].isna().all():
        return _worded(groups.drop(columns="monthly"), f"{audited.WORTH}.")
    groups = groups.rename(columns={"monthly": f"{found.prices.currency} a month"})
    return _worded(groups, f"{audited.WORTH}. Beside them their share of the list's price.") + pieces.paragraph(
        "A share is not what would be saved: the bill moves by whole steps, and not before the renewal.", "mk-note"
    )


def _by_source(found: Findings, audit: Audit) -> str:
    gaps = audited.by_source(audit, found.rules)
    gaps = gaps[gaps["difference"] != 0]
    if not len(gaps):
        return pieces.paragraph("HubSpot's own statuses are what the rules make of the switches, tool by tool.")
    return html_table(gaps, "Marketing contacts, actual against expected.", most=_MOST)


def _worded(frame: pd.DataFrame, caption: str) -> str:
    """A table whose cells hold sentences: in a narrow window they keep some width, and it scrolls."""
    return f'<div class="mk-worded">{html_table(frame, caption, most=_MOST)}</div>'


_KINDS = (CREATED, TURNED, CEASED)
_TRUSTED = {name: text.partition(": ")[2] for name, text in TRUST.items() if name in ("H", "M")}


def _key_figures(found: Findings) -> str:
    counts = found.counts.loc["now"]
    change = found.marketing - int(found.counts[MARKETING]["before"])
    by_rules = _by_rules(found)
    shown = {}
    if found.own is not None:
        shown = {f"{status}, as HubSpot says": f"{found.own[status].sum():,}" for status in (MARKETING, NON_MARKETING)}
    if found.tier is not None:
        room = found.tier - billed(found)
        shown[f"{'below' if room >= 0 else 'over'} the tier"] = f"{abs(room):,}"
    if not found.opened.names_tools:
        return _figures(shown)
    shown[f"marketing{by_rules}"] = f"{found.marketing:,}"
    if found.own is None:
        shown[f"non-marketing{by_rules}"] = f"{counts[NON_MARKETING]:,}"
    given = ", as the portal says" if _differs(found.audit) else ""
    shown[f"not covered{given}"] = f"{counts[NOT_COVERED]:,}"
    shown[f"change in {found.period.name}{by_rules}"] = f"{change:+,}" if change else "0"
    if found.flips:
        shown["marketing after the what-if"] = f"{int(found.counts[MARKETING]['what-if']):,}"
    return _figures(shown)


def _figures(shown: Mapping[str, str]) -> str:
    items = "".join(f"<div><dt>{html.escape(name)}</dt><dd>{figure}</dd></div>" for name, figure in shown.items())
    return f'<dl class="mk-figures">{items}</dl>'


def _unasked(found: Findings, name: str) -> str:
    near = nearest(name, set(found.what_if.switches.index) - set(found.what_if.unasked))
    meant = f" Perhaps {found.called(near)} is meant." if near else ""
    return f"The portal lists {found.called(name)}, and nothing in the data tells of a contact that met it.{meant}"


def _rejected(found: Findings) -> pd.DataFrame:
    """Why rows were rejected, how many, and which; what stands in them may be personal and is not shown."""
    by_reason = found.opened.rejected.groupby("reason", sort=False)["row"].agg(list)
    some = [", ".join(map(str, rows[:_ROWS])) + (" …" if len(rows) > _ROWS else "") for rows in by_reason]
    table = pd.DataFrame({"reason": by_reason.index, "rejected": by_reason.map(len).to_numpy(), "rows": some})
    return table.sort_values("rejected", ascending=False, kind="stable")


def _baseline(found: Findings) -> str:
    """What the script says as well, while no switch is flipped."""
    total = int(found.counts.T["now"].sum())
    text = f"{found.marketing:,} of {total:,} {'contact is' if total == 1 else 'contacts are'} marketing"
    text += f"{_by_rules(found)} with the portal's own switches, the baseline"
    return text + ("." if found.tier_of_rules is None else f"; {against_tier(found.marketing, found.tier_of_rules)}.")


def _by_rules(found: Findings) -> str:
    """Said beside a count that is not HubSpot's own, where there is that one."""
    return "" if found.opened.export is None else " by the rules"


def _assumptions(found: Findings) -> pd.DataFrame:
    """The rules that touches of the batch asked, with trust: of their tools, and after creation."""
    touches, life = found.now.touches, Rulebook.load().lifecycle
    sources = set(touches["source"].astype(str))
    undone = set(touches.loc[touches["rule"] == "undo", "source"].astype(str))
    rows = []
    for source, rule in found.rules.items():
        if source in sources and rule.default != NOT_COVERED:
            default = f"a new contact is {rule.default}" + (" unless its switch is changed" if rule.switch else "")
            rows.append((rule.name, default, rule.reference))
            if rule.upgrades_existing and rule.upgrade_reference:
                rows.append((rule.name, "an existing one becomes marketing while it is on", rule.upgrade_reference))
    commitment, leaves = found.portal.subscription.commitment, "set_non_marketing" in sources
    over = found.tier is not None and billed(found) > found.tier
    asked = {
        "access": found.portal.access_since is not None,
        "set_marketing": "set_marketing" in sources,
        "set_non_marketing": leaves,
        "undo_by_hand": "set_marketing" in undone,
        "undo_by_tool": bool(undone - {"set_marketing"}),
        f"update_date_{commitment}": leaves,
        "update_date_short_month": commitment == "monthly" and leaves,
        "over_the_tier": over,
        "no_downgrade": over,
    }
    rows += [("Afterwards", life[name].says, life[name].reference) for name, asks in asked.items() if asks]
    trusted = [(tool, rule, reference.trust, reference.read_in) for tool, rule, reference in rows]
    return pd.DataFrame(trusted, columns=["tool", "rule", "trust", "read in"])


def _references(found: Findings) -> str:
    used = [each for rule in found.rules.values() for each in rule.references]
    used += [life.reference for life in Rulebook.load().lifecycle.values()]
    titles = {(each.link or each.title): each.title for each in reversed(used)}
    items = "".join(
        f'<li><a href="{html.escape(link)}" rel="noopener noreferrer">{html.escape(title)}</a></li>'
        if link != title
        else f"<li>{html.escape(title)}</li>"
        for link, title in sorted(titles.items())
    )
    return f"<h3>References</h3><ul>{items}</ul>"


def _pairs(settings: Mapping[str, object], caption: str) -> str:
    rows = "".join(
        f'<tr><th scope="row">{html.escape(str(name))}</th><td>{html.escape(_said(value) or "not set")}</td></tr>'
        for name, value in settings.items()
    )
    table = f'<table class="mk-table"><caption>{caption}</caption><tbody>{rows}</tbody></table>'
    return f'<div class="mk-scroll">{table}</div>'


def _said(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:%Y-%m-%d %H:%M}" if isinstance(value, pd.Timestamp) else str(value)


def _set_to(flip: Any) -> str:
    if isinstance(flip, Mapping):
        state, since = flip["switch"], flip.get("from")
        state = state if isinstance(state, str) else "on" if state else "off"
        return f"{state} from {since}" if since else str(state)
    return "on" if flip else "off"


def _discreet(data: Any) -> Any:
    """Plain data in which no text looks like an address."""
    if isinstance(data, Mapping):
        return {discreet(str(name)): _discreet(value) for name, value in data.items()}
    if isinstance(data, list):
        return [_discreet(value) for value in data]
    return discreet(data) if isinstance(data, str) else data
