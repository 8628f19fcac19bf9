"""The page Why: what explains the statuses, what they say about the switches, and why one contact is what it is."""

from __future__ import annotations

import functools
import itertools
from typing import TYPE_CHECKING

import ipywidgets as widgets

from marketable.errors import DataError
from marketable.views import audited, fields, pieces
from marketable.views.layout import discard, row, shown, wide
from marketable.views.reacting import react
from marketable.views.tables import html_table

from . import telling
from .chart import by_explanation
from .pages import Page

if TYPE_CHECKING:
    from .page import Workbench

_NO_STATUSES = (
    "What is open does not say who is a marketing contact in HubSpot, so there is nothing to compare. With an export "
    "that has the property Marketing contact status you see here what explains each status, and which switches look "
    "otherwise than you think. One contact can be looked at all the same."
)


class Why(Page):
    """Attributes: about, example_of, example; `take_over`, by switch the button that takes over how it looks."""

    name = "Why"

    def __init__(self, bench: Workbench) -> None:
        super().__init__(bench, "why", "chart", "counts", "meanings", "others", "myths", "explanation")
        self.about = fields.line("Contact", "an id or an e-mail")
        self.example_of = widgets.Dropdown(description="One that is", layout=wide())
        self.example = fields.button("Show an example", "A contact of this kind", "auto")
        self.take_over: dict[str, widgets.Button] = {}
        self._opened: object = None
        self._differing, self._examples = widgets.VBox(), itertools.count()
        self.when(self._explain, self.about, where="explanation")
        self.when(self._show_example, self.example, where="explanation")
        at = self.at
        asked = [fields.heading("Why this contact?"), row(self.about, self.example_of, self.example), at["explanation"]]
        differing = [bench.taken, self._differing]
        self._of_export = widgets.VBox([row(at["chart"], at["counts"]), at["meanings"], *differing, at["others"]])
        self.children = [at["why"], self._of_export, *asked, at["myths"]]

    def draw(self) -> None:
        """The numbers are those of the account; what is said of one contact follows the flips, too."""
        basis = self.basis
        audit, said = basis.audit, self.bench.said
        shown(self._of_export, when=audit is not None)
        if audit is None:
            told = {"why": pieces.paragraph(_NO_STATUSES)}
            counts = basis.outcome(self.work.flips).counts("decided_by").sum(axis=1)
            counts = counts.sort_values(ascending=False, kind="stable")
            self.example_of.description = "Decided by"
            options = [(f"{pieces.called(str(name), basis.rules)} ({n:,})", str(name)) for name, n in counts.items()]
        else:
            told = {
                "why": pieces.bullets([*basis.why_so_many(self.work.flips), *telling.why_so_many(audit, said)]),
                "chart": by_explanation(audit.counts, said)._repr_html_(),
                "counts": html_table(telling.counts(audit, said), "The same in numbers"),
                "meanings": telling.meanings(audit, said) + telling.by_source(audit, basis.rules),
                "others": telling.other_switches(audit, basis.rules, said) + telling.remarks(audit),
                "myths": pieces.folded("Myths, answered by these contacts", audited.myths(audit)),
            }
            self.example_of.description = "One that is"
            named = audit.counts["all"].items()
            options = [(f"{telling.worded(str(name), said)} ({count:,})", str(name)) for name, count in named]
        for name in ("why", "chart", "counts", "meanings", "others", "myths"):
            self.at[name].value = told.get(name, "")
        with self.bench.quietly():
            fields.offer(self.example_of, options)
            if self._opened is not basis.opened:
                self._opened, self.about.value = basis.opened, ""
        self._show_differing()
        react(self._explain, self.at["explanation"])

    def _show_differing(self) -> None:
        """The switches that look otherwise, each with a button that makes the account say so, too."""
        gone, self._differing.children, self.take_over = self._differing.children, (), {}
        discard(gone)
        audit = self.basis.audit
        if audit is None:
            return
        rows = audit.switches[audit.switches["differs"]]
        children: list[widgets.Widget] = [widgets.HTML(telling.differing_title(len(rows), self.bench.said))]
        for name, found in rows.iterrows():
            button = fields.button("Take it over", "Makes the account say so, too", "auto")
            self.when(functools.partial(self.bench.take_over, str(name)), button)
            self.take_over[str(name)] = button
            text = widgets.HTML(telling.differing(str(name), found, self.basis.rules, self.bench.said))
            text.layout.flex = "1 1 320px"
            children.append(row(text, button))
        if len(rows) > 1:
            every = fields.button("Take all over", "Makes the account say all of this", "auto")
            self.when(lambda: self.bench.take_over(*self.take_over), every)
            children.append(row(every))
        self._differing.children = children

    def _show_example(self) -> None:
        audit, kind = self.basis.audit, self.example_of.value
        if audit is not None:
            found = audit.contacts.index[audit.contacts["explanation"].eq(kind)]
        else:
            contacts = self.basis.outcome(self.work.flips).contacts
            found = contacts.index[contacts["decided_by"].eq(kind)]
        if not len(found):
            raise DataError("There is no contact of this kind", value=self.example_of.label)
        self.about.value = str(found[next(self._examples) % len(found)])

    def _explain(self) -> None:
        sought, basis, flips = self.about.value.strip(), self.basis, self.work.flips
        if not sought:
            self.at["explanation"].value = ""
            return
        export, audit = basis.opened.export, basis.audit
        if export is not None and "@" in sought:
            sought = next(iter(export.emails.index[export.emails == sought.lower()]), sought)
        outcome = basis.outcome(flips)
        touches = outcome.why(sought)
        contact = outcome.contacts.loc[touches["contact_id"].iloc[0]]
        if audit is None:
            self.at["explanation"].value = pieces.explanation(contact, touches, basis.rules)
            return
        said = telling.contact(audit, str(contact.name), basis.rules, self.bench.said)
        if flips:
            told = f"By the rules, with the switches as they are set now, it would be {contact['status']}."
            said = pieces.paragraph(told) + said
        self.at["explanation"].value = said
