"""The fourth step of an audit: what was found, and what can be taken away of it."""

from __future__ import annotations

import datetime as dt
import itertools
import re
import unicodedata
from collections.abc import Callable, Iterable
from pathlib import Path

import ipywidgets as widgets

from marketable.auditing import Audit
from marketable.auditing.mailing import MAILING
from marketable.errors import DataError
from marketable.portal.update_dates import update_date_after
from marketable.rulebook import Rule, Rulebook
from marketable.views import pieces
from marketable.views.handing import hand_over
from marketable.views.layout import panel, row, wide
from marketable.views.reacting import react
from marketable.views.tables import csv, html_table
from marketable.views.words import day

from . import telling
from .chart import by_explanation

_ACT = (
    "What to do with the file: import it into HubSpot as a list, the contacts known by Record ID, and leave the "
    "import's box for marketing contacts unticked. Then set the contacts of the list as non-marketing. They count "
    "until the next update date: {day}, if that is done today. Whether somebody who got no mail for long may still be "
    "mailed is a question of consent."
)
_LOOK = (
    "What to do with the file: import it into HubSpot as a list, the contacts known by Record ID, and leave the "
    "import's box for marketing contacts unticked. Then look at these contacts there, before you change anything."
)
_PORTAL = (
    "Your account with its switches as they seem to have been. Look at each in HubSpot before you rely on it. {kept} "
    "There you see what would happen if you flipped one of them."
)
_KEPT = (
    "Save it, and open the explorer: choose this export there as the batch (by its path, with the mapping that you "
    "saved, if it needed one), and saved/portal.yaml as the portal."
)
_DOWNLOADED = (
    "Download it, and open the explorer: upload this export there as the batch (with the mapping that you saved, if it "
    "needed one), and it as the portal."
)
_ALL = (
    "counts.csv, switches.csv, groups.csv and portal.yaml: none of them names a contact. With a row for each contact "
    "also contacts.csv: keep it where contacts may be kept."
)


class Results(widgets.VBox):  # type: ignore[misc]
    """Arguments: folder, called for the folder to save into (None: everything leaves as a download).

    Attributes: group, addresses, contacts, about, example, save_portal, save_group, save_all, and `contents`.
    """

    def __init__(self, folder: Callable[[], Path | None]) -> None:
        self._folder, self._examples = folder, itertools.count()
        self._audit: Audit | None = None
        self._said = ""
        rulebook = Rulebook.load()
        self._rules: dict[str, Rule] = dict(rulebook.newest)
        self._headline, self._chart, self._counts, self._by_source = (widgets.HTML() for _ in range(4))
        self._differing, self._others, self._remarks, self._portal = (widgets.HTML() for _ in range(4))
        self._mail, self._groups, self._act, self._myths = (widgets.HTML() for _ in range(4))
        self._meanings, self._advice = widgets.HTML(), widgets.HTML()
        self._explanation, self._portal_note = widgets.HTML(), widgets.HTML()
        self._portal_saved, self._group_saved, self._all_saved = (widgets.HTML() for _ in range(3))
        for name in (
            "headline",
            "differing",
            "others",
            "portal",
            "groups",
            "explanation",
            "counts",
            "remarks",
            "myths",
            "mail",
        ):
            getattr(self, f"_{name}").add_class(f"mk-at-{name}")
        is_app = folder() is None
        verb = "Make a download" if is_app else "Save"
        self.save_portal = widgets.Button(description=f"{verb}: portal.yaml", layout=widgets.Layout(width="260px"))
        self.group = widgets.Dropdown(description="Group", layout=widgets.Layout(width="520px", max_width="100%"))
        self.addresses = widgets.Checkbox(False, description="with e-mail addresses", indent=False, layout=_auto())
        self.save_group = widgets.Button(description=f"{verb}: Record IDs", layout=widgets.Layout(width="260px"))
        self.about = widgets.Text(
            description="Contact", placeholder="an id or an e-mail", layout=wide(), continuous_update=False
        )
        self.example_of = widgets.Dropdown(description="One that is", layout=wide())
        self.example = widgets.Button(description="Show an example", tooltip="A contact with this explanation")
        self.contacts = widgets.Checkbox(False, description="with a row for each contact", indent=False, layout=_auto())
        self.save_all = widgets.Button(description=f"{verb}: the whole audit", layout=widgets.Layout(width="260px"))
        super().__init__(self._layout())
        for button, callback, error in (
            (self.save_portal, self._save_portal, self._portal_saved),
            (self.save_group, self._save_group, self._group_saved),
            (self.save_all, self._save_all, self._all_saved),
            (self.example, self._show_example, self._explanation),
        ):
            button.on_click(lambda _, callback=callback, error=error: react(callback, error))
        self.about.observe(lambda _: react(self._explain, self._explanation), "value")
        for widget in (self.group, self.addresses):
            widget.observe(lambda _: self._show_advice(), "value")
        self.contacts.observe(lambda _: setattr(self._all_saved, "value", ""), "value")

    def _layout(self) -> list[widgets.Widget]:
        return [
            self._headline,
            panel("Why they are what they are", [row(self._chart, self._counts), self._meanings, self._by_source]),
            panel("What that says about the switches", [self._differing, self._others, self._remarks]),
            panel(
                "Your portal, as it seems to have been",
                [self._portal_note, self._portal, self.save_portal, self._portal_saved],
            ),
            panel(
                "Whom you pay for, and could do without",
                [
                    self._mail,
                    self._groups,
                    self.group,
                    self._advice,
                    row(self.addresses, self.save_group),
                    self._group_saved,
                    self._act,
                ],
            ),
            panel("Myths, answered by these contacts", [self._myths]),
            panel("Why this contact?", [row(self.about, self.example_of, self.example), self._explanation]),
            panel(
                "Save the whole audit",
                [
                    widgets.HTML(pieces.paragraph(_ALL, "mk-note")),
                    row(self.contacts, self.save_all),
                    self._all_saved,
                ],
            ),
        ]

    def show(self, audit: Audit, said: str) -> None:
        """Shows an audit. Arguments: said, who says how the switches are."""
        self._audit, self._said = audit, said
        over = audit.tier is not None and audit.marketing > audit.tier
        more = telling.why_so_many(audit, said)
        self._headline.value = pieces.headline(telling.headline(audit), more, over=over)
        self._chart.value = by_explanation(audit.counts, said)._repr_html_()
        self._counts.value = html_table(telling.counts(audit, said), "The same in numbers")
        self._meanings.value = telling.meanings(audit, said)
        self._by_source.value = telling.by_source(audit, self._rules)
        self._differing.value = telling.differing(audit, self._rules, said)
        self._others.value = telling.other_switches(audit, self._rules)
        self._remarks.value = telling.remarks(audit)
        kept = _DOWNLOADED if self._folder() is None else _KEPT
        self._portal_note.value = pieces.paragraph(_PORTAL.format(kept=kept), "mk-note")
        self._portal.value = telling.portal(audit)
        self._mail.value = telling.mail(audit)
        note = telling.price_note(audit)
        self._groups.value = telling.groups(audit, self._rules) + (pieces.paragraph(note, "mk-note") if note else "")
        names = [(telling.group_called(name, self._rules), name) for name in audit.groups.index]
        counts = audit.groups["contacts"]
        self.group.options = [(f"{label} ({counts[name]:,})", name) for label, name in names]
        self.group.index = 0 if names else None
        self._show_advice()
        self.group.disabled = self.save_group.disabled = not names
        self._myths.value = telling.myths(audit)
        explained = audit.counts["all"]
        self.example_of.options = [(f"{name} ({count:,})", name) for name, count in explained.items()]
        self.example_of.index = 0
        self.about.value = self._explanation.value = ""
        self._portal_saved.value = self._group_saved.value = self._all_saved.value = ""

    @property
    def audit(self) -> Audit:
        """The audit that is shown. Raises: DataError, where there is none yet."""
        if self._audit is None:
            raise DataError("There is no audit yet", advice="Choose a file, and press “Audit these contacts”.")
        return self._audit

    def contents(self) -> dict[str, bytes]:
        """What is saved of the whole audit, by the name of its file."""
        audit = self.audit
        contents = {
            "counts.csv": csv(telling.counts(audit, self._said)),
            "switches.csv": csv(audit.switches.reset_index()),
            "groups.csv": csv(audit.groups.reset_index()),
            "portal.yaml": audit.portal_text.encode(),
        }
        if self.contacts.value:
            contents["contacts.csv"] = csv(audit.contacts.reset_index())
        return contents

    def _show_advice(self) -> None:
        self._group_saved.value, name = "", self.group.value
        self._advice.value = pieces.paragraph(self.audit.groups.loc[name, "advice"]) if name else ""
        next_one = update_date_after(dt.date.today(), self.audit.given.subscription)
        act = _ACT.format(day=day(next_one)) if name in MAILING else _LOOK
        self._act.value = pieces.paragraph(act, "mk-note") if name else ""

    def _save_portal(self) -> None:
        self._portal_saved.value = hand_over({"portal.yaml": self.audit.portal_text.encode()}, self._folder())

    def _save_group(self) -> None:
        audit, name = self.audit, self.group.value
        ids = audit.ids(name, addresses=self.addresses.value)
        told = hand_over({f"{_file_names(audit.groups.index)[name]}.csv": csv(ids)}, self._folder())
        unnamed = int(audit.groups.loc[name, "contacts"]) - len(ids)
        text = f"It holds {len(ids):,} contacts."
        if unnamed:
            text += f" {unnamed:,} more have no Record ID in the export: tick “with e-mail addresses” to have them."
        self._group_saved.value = told + pieces.paragraph(text)

    def _save_all(self) -> None:
        folder = self._folder()
        contents = self.contents()
        self._all_saved.value = hand_over(contents, folder and folder / "audit", "marketable-audit.zip")

    def _show_example(self) -> None:
        contacts = self.audit.contacts
        found = contacts.index[contacts["explanation"].eq(self.example_of.value)]
        self.about.value = str(found[next(self._examples) % len(found)])

    def _explain(self) -> None:
        sought = self.about.value.strip()
        if not sought:
            self._explanation.value = ""
            return
        audit = self.audit
        if "@" in sought:
            emails = audit.export.emails
            sought = next(iter(emails.index[emails == sought.lower()]), sought)
        known = audit.likely.why(sought)["contact_id"]
        self._explanation.value = telling.contact(audit, str(known.iloc[0]), self._rules)


def _file_names(groups: Iterable[str]) -> dict[str, str]:
    """The groups' names as those of files, each another one, and none too long for a disk.

    >>> _file_names(["made marketing by hubspot_form/../Größe", "never mailed", "Never mailed!"])["Never mailed!"]
    'never-mailed-2'
    """
    names: dict[str, str] = {}
    for group in groups:
        words = re.sub(r"[\W_]+", "-", unicodedata.normalize("NFKC", group).lower()).strip("-")
        name = words[:80].encode()[:180].decode(errors="ignore")
        numbered = itertools.chain([name], (f"{name}-{number}" for number in itertools.count(2)))
        names[group] = next(each for each in numbered if each not in names.values())
    return names


def _auto() -> widgets.Layout:
    return widgets.Layout(width="auto")
