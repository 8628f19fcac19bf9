"""The page Data: what was understood of the files, which rows were not used, and what columns and words mean."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ipywidgets as widgets
import pandas as pd

from marketable.errors import DataError
from marketable.exports import ColumnMapping
from marketable.views import fields, pieces, words
from marketable.views.layout import row, shown
from marketable.views.place import shared
from marketable.views.tables import csv, html_table

from . import understanding
from .mapping import MappingPanel
from .pages import Page
from .reading import needs_a_mapping

if TYPE_CHECKING:
    from .page import Workbench

_NONE_USED = "No row could be used. Here you can say which column says what; why they are rejected stands above."
NOT_READ = "This was not read. Here you can say which column says what, and what the values mean."


class Data(Page):
    """Attributes: `mapping`, the panel; change, keep, columns, and save_rows; `asking`, which holds the panel."""

    name = "Data"

    def __init__(self, bench: Workbench) -> None:
        super().__init__(
            bench, "understood", "unknown", "left-out", "rejected", "rejected-rows", "rejected-saved",
            "mapping-note", "mapping-saved", "kept",
        )  # fmt: skip
        self.change = fields.button("Change what was taken for what")
        self.keep = fields.button("Save the mapping in use", "As mapping.yaml, for the next export and for reports")
        self.columns = fields.box("Show all columns that were left out")
        self.save_rows = fields.button(f"{'Download' if shared() else 'Save'} the rejected rows")
        self.mapping = MappingPanel(
            bench.folder,
            lambda mapping: bench.react(lambda: bench.opening.read(mapping())),
            lambda mapping: bench.react(lambda: self._save(mapping(), "mapping-saved"), "mapping-saved"),
        )
        self.when(self.ask, self.change)
        self.when(lambda: self._save(bench.opening.mapping, "kept"), self.keep, where="kept")
        self.when(self._show_left_out, self.columns)
        self.when(self._save_rows, self.save_rows, where="rejected-saved")
        at = self.at
        self.asking = widgets.VBox([at["mapping-note"], self.mapping, at["mapping-saved"]])
        shown(self.asking, when=False)
        of_export = [self.columns, at["left-out"], at["unknown"], row(self.change, self.keep), at["kept"]]
        self._of_export = widgets.VBox(of_export)
        rejected = [at["rejected"], row(self.save_rows), at["rejected-rows"], at["rejected-saved"]]
        self.children = [at["understood"], self._of_export, *rejected, self.asking]

    def draw(self) -> None:
        """Shows how the data were read; where words or columns are not known, it asks for them."""
        opened, export, at = self.basis.opened, self.basis.opened.export, self.at
        with self.bench.quietly():
            self.columns.value = False
        for name in ("left-out", "unknown", "rejected-saved", "kept"):
            at[name].value = ""
        rejected = opened.rejected
        if export is not None:
            told = understanding.understood(export), understanding.rejected(export)
            shown(self.columns, when=understanding.has_left_out(export))
            shown(self.keep, when=bool(self.bench.opening.mapping.settings()))
        else:
            people = int(self.basis.baseline.counts().sum())
            said = (
                f"{words.many(opened.rows_read, 'row')} read, {opened.rows_used:,} used, {len(rejected):,} rejected: "
            )
            said += f"{words.many(len(opened.touches), 'entry', 'entries')} on {words.many(people, 'contact')}."
            notes = pd.DataFrame(list(opened.understood.items()), columns=["what", "how"])
            table = html_table(notes, "How the file was understood") if len(notes) else ""
            told = pieces.paragraph(said, "mk-summary") + table, ""
        at["understood"].value, at["rejected"].value = told
        shown(self._of_export, when=export is not None)
        shown(self.asking, when=False)
        shown(self.save_rows, when=len(rejected) > 0)
        rows = pieces.folded("The rejected rows themselves", html_table(rejected, "The rejected rows", most=100))
        at["rejected-rows"].value = rows if len(rejected) else ""
        if export is not None and needs_a_mapping(export, self.bench.opening.mapping):
            seen = self.bench.opening.look()
            at["unknown"].value = understanding.unknown(seen, export)
            if not len(export.contacts):
                self.ask(_NONE_USED)
            elif seen.has_unknown_words:
                self.ask(words_only=True)

    def ask(self, note: str = "", *, words_only: bool = False) -> None:
        """Asks what columns and words mean."""
        opening = self.bench.opening
        self.mapping.show(opening.look(), opening.mapping, words_only=words_only)
        self.at["mapping-note"].value = pieces.paragraph(note) if note else ""
        self.at["mapping-saved"].value = ""
        shown(self.asking, when=True)

    def _show_left_out(self) -> None:
        self.at["left-out"].value = understanding.left_out(self.bench.opening.look()) if self.columns.value else ""

    def _save(self, mapping: ColumnMapping, where: str) -> None:
        self.bench.hand_over({"mapping.yaml": mapping.text().encode()}, where)

    def _save_rows(self) -> None:
        if not len(self.basis.opened.rejected):
            raise DataError("No row was rejected")
        self.bench.hand_over({"rejected-rows.csv": csv(self.basis.opened.rejected)}, "rejected-saved")
