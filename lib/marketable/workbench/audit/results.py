"""The fourth step of an audit: what was found, and what can be taken away of it."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Callable
from pathlib import Path

import ipywidgets as widgets

from marketable.auditing import Audit
from marketable.auditing.mailing import MAILING
from marketable.errors import DataError
from marketable.portal.update_dates import update_date_after
from marketable.rulebook import Rulebook
from marketable.views import audited, fields, pieces
from marketable.views.handing import hand_over, slug, unique
from marketable.views.layout import panel, row, wide
from marketable.views.reacting import react
from marketable.views.tables import csv, html_table
from marketable.views.words import day

from . import telling
from .chart import by_explanation

_IMPORT = (
    "What to do with the file: import it into HubSpot as a list, the contacts known by Record ID, and leave the "
    "import's box for marketing contacts unticked. Then "
)
_ACT = _IMPORT + (
    "set the contacts of the list as non-marketing. They count until the next update date: {day}, if that is done "
    "today. Whether somebody who got no mail for long may still be mailed is a question of consent."
)
_LOOK = f"{_IMPORT}look at these contacts there, before you change anything."
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

    Attributes: group, addresses, contacts, about, example, save_portal, save_group, save_all, and `contents`; `at`, by
    name the places in which something is shown.
    """

    def __init__(self, folder: Callable[[], Path | None]) -> None:
        self._folder, self._examples = folder, itertools.count()
        self._audit: Audit | None = None
        self._said = ""
        self._rules = dict(Rulebook.load().newest)
        self.at = fields.places(
            "headline", "chart", "counts", "meanings", "by-source", "differing", "others", "remarks", "portal-note",
            "portal", "portal-saved", "mail", "groups", "advice", "group-saved", "act", "myths", "explanation",
            "all-saved",
        )  # fmt: skip
        verb = "Make a download" if folder() is None else "Save"
        self.save_portal = fields.button(f"{verb}: portal.yaml")
        self.group = widgets.Dropdown(description="Group", layout=widgets.Layout(width="520px", max_width="100%"))
        self.addresses = fields.box("with e-mail addresses")
        self.save_group = fields.button(f"{verb}: Record IDs")
        self.about = fields.line("Contact", "an id or an e-mail")
        self.example_of = widgets.Dropdown(description="One that is", layout=wide())
        self.example = fields.button("Show an example", "A contact with this explanation", "")
        self.contacts = fields.box("with a row for each contact")
        self.save_all = fields.button(f"{verb}: the whole audit")
        super().__init__(self._layout())
        for button, callback, where in (
            (self.save_portal, self._save_portal, "portal-saved"),
            (self.save_group, self._save_group, "group-saved"),
            (self.save_all, self._save_all, "all-saved"),
            (self.example, self._show_example, "explanation"),
        ):
            button.on_click(lambda _, callback=callback, where=where: react(callback, self.at[where]))
        fields.on_change(lambda: react(self._explain, self.at["explanation"]), self.about)
        fields.on_change(self._show_advice, self.group, self.addresses)
        fields.on_change(lambda: setattr(self.at["all-saved"], "value", ""), self.contacts)

    def _layout(self) -> list[widgets.Widget]:
        at = self.at
        worth = [at["mail"], at["groups"], self.group, at["advice"], row(self.addresses, self.save_group)]
        asked = row(self.about, self.example_of, self.example)
        to_save = [fields.note(_ALL), row(self.contacts, self.save_all), at["all-saved"]]
        explained = [row(at["chart"], at["counts"]), at["meanings"], at["by-source"]]
        portal = [at["portal-note"], at["portal"], self.save_portal, at["portal-saved"]]
        return [
            at["headline"],
            panel("Why they are what they are", explained),
            panel("What that says about the switches", [at["differing"], at["others"], at["remarks"]]),
            panel("Your portal, as it seems to have been", portal),
            panel("Whom you pay for, and could do without", [*worth, at["group-saved"], at["act"]]),
            panel("Myths, answered by these contacts", [at["myths"]]),
            panel("Why this contact?", [asked, at["explanation"]]),
            panel("Save the whole audit", to_save),
        ]

    def show(self, audit: Audit, said: str) -> None:
        """Shows an audit. Arguments: said, who says how the switches are."""
        self._audit, self._said = audit, said
        over = audit.tier is not None and audit.marketing > audit.tier
        kept = _DOWNLOADED if self._folder() is None else _KEPT
        shown = {
            "headline": pieces.headline(telling.headline(audit), telling.why_so_many(audit, said), over=over),
            "chart": by_explanation(audit.counts, said)._repr_html_(),
            "counts": html_table(telling.counts(audit, said), "The same in numbers"),
            "meanings": telling.meanings(audit, said),
            "by-source": telling.by_source(audit, self._rules),
            "differing": telling.differing(audit, self._rules, said),
            "others": telling.other_switches(audit, self._rules, said),
            "remarks": telling.remarks(audit),
            "portal-note": pieces.paragraph(_PORTAL.format(kept=kept), "mk-note"),
            "portal": audited.portal(audit),
            "mail": telling.mail(audit),
            "groups": telling.groups(audit, self._rules),
            "myths": audited.myths(audit),
        }
        for name, place in self.at.items():
            place.value = shown.get(name, "")
        counts = audit.groups["contacts"]
        self.group.options = [(f"{audited.group(name, self._rules)} ({counts[name]:,})", name) for name in counts.index]
        self.group.index = None if counts.empty else 0
        self._show_advice()
        self.group.disabled = self.save_group.disabled = counts.empty
        self.example_of.options = [(f"{name} ({count:,})", name) for name, count in audit.counts["all"].items()]
        self.example_of.index = 0
        self.about.value = ""

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
        name = self.group.value
        next_one = update_date_after(dt.date.today(), self.audit.given.subscription)
        act = _ACT.format(day=day(next_one)) if name in MAILING else _LOOK
        self.at["group-saved"].value = ""
        self.at["advice"].value = pieces.paragraph(self.audit.groups.loc[name, "advice"]) if name else ""
        self.at["act"].value = pieces.paragraph(act, "mk-note") if name else ""

    def _save_portal(self) -> None:
        self.at["portal-saved"].value = hand_over({"portal.yaml": self.audit.portal_text.encode()}, self._folder())

    def _save_group(self) -> None:
        audit, name = self.audit, self.group.value
        ids = audit.ids(name, addresses=self.addresses.value)
        names = list(audit.groups.index)
        file = unique([slug(group) for group in names])[names.index(name)]
        saved = hand_over({f"{file}.csv": csv(ids)}, self._folder())
        unnamed = int(audit.groups.loc[name, "contacts"]) - len(ids)
        text = f"It holds {len(ids):,} contacts."
        if unnamed:
            text += f" {unnamed:,} more have no Record ID in the export: tick “with e-mail addresses” to have them."
        self.at["group-saved"].value = saved + pieces.paragraph(text)

    def _save_all(self) -> None:
        folder, archive = self._folder(), "marketable-audit.zip"
        self.at["all-saved"].value = hand_over(self.contents(), folder and folder / "audit", archive)

    def _show_example(self) -> None:
        contacts = self.audit.contacts
        found = contacts.index[contacts["explanation"].eq(self.example_of.value)]
        self.about.value = str(found[next(self._examples) % len(found)])

    def _explain(self) -> None:
        sought = self.about.value.strip()
        if not sought:
            self.at["explanation"].value = ""
            return
        audit = self.audit
        if "@" in sought:
            emails = audit.export.emails
            sought = next(iter(emails.index[emails == sought.lower()]), sought)
        known = audit.likely.why(sought)["contact_id"]
        self.at["explanation"].value = telling.contact(audit, str(known.iloc[0]), self._rules)
