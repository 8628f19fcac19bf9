"""The audit as a widget: a file, what was understood of it, the account, and what the audit finds.

The steps follow each other: nothing is computed before it has been shown how the files were understood, and what was
found goes as soon as something it rests on is changed. In the app, whose machine is not the user's own, files come by
upload and leave by download, and no path is read or written.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import ipywidgets as widgets

from marketable.auditing import Audit
from marketable.auditing import audit as audited
from marketable.errors import DataError
from marketable.exports import ColumnMapping, Export
from marketable.paths import DATA, SAVED
from marketable.views import fields, pieces
from marketable.views.choosing import Chosen, place
from marketable.views.handing import hand_over
from marketable.views.layout import panel, row, shown, wide
from marketable.views.place import shared
from marketable.views.reacting import react
from marketable.views.tables import csv, html_table

from . import understanding
from .account import AccountPanel
from .files import FileChoice
from .mapping import MappingPanel
from .progress import ProgressBar
from .reading import Look, look, needs_a_mapping, read
from .results import Results

_CHOOSE = (
    "A contacts export from HubSpot. Before you export, add these properties to the view: Record source, Record source "
    "detail 1, Marketing contact status. {where}"
)
_HERE, _THERE = "Nothing leaves this computer.", "What you upload is forgotten when you close this page."
_NONE_USED = "No row could be used. Here you can say which column tells what; why they are rejected stands above."
_NOT_READ = "This was not read. Below you can say which column tells what, and what the values mean."


class AuditPanel(widgets.VBox):  # type: ignore[misc]
    """The audit as a widget. In a notebook, its value is its face: `AuditPanel()`.

    Arguments: folder, where the exports, portals and price lists to choose from stand (by default the repository's
    data/).
    Attributes for those who code: `folder`, `export` and `audit`, None until there is one; `files`, `mapping`,
    `account` and `results`, the panels of the steps; `steps`, by name their frames; `start`, the button that computes;
    change, keep, columns, rows, save_rows and save_to; `at`, by name the places in which something is shown.
    """

    def __init__(self, folder: str | Path = DATA) -> None:
        self.folder = Path(folder)
        self.export: Export | None = None
        self.audit: Audit | None = None
        self._chosen = Chosen()
        self._used = ColumnMapping()
        self._seen: Look | None = None
        self.at = fields.places(
            "error", "understood", "rejected", "unknown", "left-out", "rejected-rows", "rejected-saved",
            "mapping-note", "mapping-saved", "kept", "computing", "audit-error",
        )  # fmt: skip
        self._progress, self._auditing = ProgressBar("Reading"), ProgressBar("Auditing")
        self.files = FileChoice(self.folder, lambda files: self._react(lambda: self._choose(files)))
        self.mapping = MappingPanel(
            self.folder,
            lambda mapping: self._react(lambda: self._map(mapping)),
            lambda mapping: self._react(lambda: self._save_mapping(mapping(), "mapping-saved"), "mapping-saved"),
        )
        self.account = AccountPanel(self.folder, lambda callback: self._react(callback, "audit-error"), self._forget)
        self.change = fields.button("Change what was taken for what")
        self.keep = fields.button(
            "Save the mapping in use", "As mapping.yaml, for the next export, the explorer and reports"
        )
        self.columns = fields.box("Show all columns that were left out")
        self.rows = fields.box("Show the rejected rows themselves")
        self.save_rows = fields.button(f"{'Download' if shared() else 'Save'} the rejected rows")
        self.start = fields.button("Audit these contacts", button_style="primary")
        beside = self.folder.resolve().parent
        saved = SAVED.relative_to(beside) if SAVED.is_relative_to(beside) else SAVED
        self.save_to = widgets.Text(str(saved), description="Save into", layout=wide())
        self.results = Results(self._save_folder)
        super().__init__(self._layout())
        self.add_class("mk")
        self.change.on_click(lambda _: self._react(self._show_mapping))
        self.keep.on_click(lambda _: self._react(lambda: self._save_mapping(self._used, "kept"), "kept"))
        fields.on_change(lambda: self._react(self._show_left_out), self.columns)
        fields.on_change(self._show_rejected_rows, self.rows)
        self.save_rows.on_click(lambda _: self._react(self._save_rejected, "rejected-saved"))
        self.start.on_click(lambda _: self._react(self._compute, "audit-error"))
        self._react(self.account.open_portal, "audit-error")

    def __repr__(self) -> str:
        return "AuditPanel"

    def _layout(self) -> list[widgets.Widget]:
        at, choose = self.at, fields.note(_CHOOSE.format(where=_THERE if shared() else _HERE))
        understood = [at["understood"], self.columns, at["left-out"], at["unknown"], at["rejected"]]
        rejected = [row(self.rows, self.save_rows), at["rejected-rows"], at["rejected-saved"]]
        kept = [row(self.change, self.keep), at["kept"]]
        account = [self.account, *([] if shared() else [self.save_to]), row(self.start, at["computing"])]
        mapping = [at["mapping-note"], self.mapping, at["mapping-saved"]]
        self.steps = {
            "export": panel("1 · Your export", [choose, self.files, self._progress, at["error"]]),
            "understood": panel("2 · What was understood", [*understood, *rejected, *kept]),
            "mapping": panel("What columns and words mean", mapping),
            "account": panel("3 · The account", [*account, self._auditing, at["audit-error"]]),
            "results": self.results,
        }
        self._hide("understood", "mapping", "account", "results")
        return [widgets.HTML(pieces.style()), *self.steps.values()]

    # ---- reacting ----

    def _react(self, callback: Callable[[], None], where: str = "error") -> None:
        """Runs a callback. Its errors appear in a place, which is emptied before."""
        self.at[where].value = ""
        react(callback, self.at[where])

    def _hide(self, *steps: str) -> None:
        for step in steps:
            shown(self.steps[step], when=False)

    @contextlib.contextmanager
    def _waiting(self, what: str) -> Iterator[None]:
        self._progress.begin(what)
        try:
            yield
        finally:
            self._progress.hide()

    def _forget(self) -> None:
        """What was found rests on what is no longer chosen."""
        if self.audit is not None:
            self.at["computing"].value = pieces.paragraph("Something was changed. Press the button again.")
        self.audit = None
        self._hide("results")

    # ---- reading ----

    def _choose(self, files: Callable[[], Chosen]) -> None:
        self._forget()
        self.at["computing"].value = ""
        self.export, self._chosen, self._used = None, Chosen(), ColumnMapping()
        self._hide("mapping", "understood", "account")
        self._chosen = files()
        if self._chosen:
            are_samples = any(path.parent == self.folder for path in self._chosen.paths)  # which have their portal
            self.account.portal.suggest(self.folder / "portal.yaml" if are_samples else None)
            self._read(ColumnMapping())

    def _map(self, mapping: Callable[[], ColumnMapping]) -> None:
        """Reads again, under a mapping. One that is not valid changes nothing."""
        made = mapping()
        self._forget()
        self._read(made)

    def _read(self, mapping: ColumnMapping) -> None:
        self._used, self.export, self._seen = mapping, None, None
        self._hide("understood", "account")
        try:
            what = f"{len(self._chosen):,} files" if len(self._chosen) > 1 else "the file"
            with self._waiting(what), self._chosen.opened() as files:
                self.export = read(files, mapping, self._progress)
        except DataError:
            with contextlib.suppress(DataError):  # where the files are no tables at all
                self._show_mapping(_NOT_READ)
            raise
        self._show_understood(self.export)
        self._hide("mapping")
        if needs_a_mapping(self.export, mapping):
            seen = self._look()
            self.at["unknown"].value = understanding.unknown(seen, self.export)
            if not len(self.export.contacts):
                self._show_mapping(_NONE_USED)
            elif seen.has_unknown_words:
                self._show_mapping(words_only=True)

    def _look(self) -> Look:
        """What the files look like, looked at once for each mapping."""
        if self._seen is None:
            with self._waiting("the columns"), self._chosen.opened() as files:
                self._seen = look(files, self._used)
        return self._seen

    def _show_mapping(self, note: str = "", *, words_only: bool = False) -> None:
        self.mapping.show(self._look(), self._used, words_only=words_only)
        self.at["mapping-note"].value, self.at["mapping-saved"].value = pieces.paragraph(note) if note else "", ""
        shown(self.steps["mapping"], when=True)

    def _show_understood(self, export: Export) -> None:
        self.rows.value = self.columns.value = False
        for where in ("rejected-rows", "rejected-saved", "left-out", "unknown", "kept"):
            self.at[where].value = ""
        self.at["understood"].value = understanding.understood(export)
        self.at["rejected"].value = understanding.rejected(export)
        shown(self.keep, when=bool(self._used.settings()))
        shown(self.columns, when=understanding.has_left_out(export))
        for widget in (self.rows, self.save_rows):
            shown(widget, when=len(export.rejected) > 0)
        shown(self.steps["understood"], when=True)
        shown(self.steps["account"], when=len(export.contacts) > 0)

    def _show_left_out(self) -> None:
        self.at["left-out"].value = understanding.left_out(self._look()) if self.columns.value else ""

    def _show_rejected_rows(self) -> None:
        rejected = self.export.rejected if self.export and self.rows.value else None
        table = "" if rejected is None else html_table(rejected, "The rejected rows", most=100)
        self.at["rejected-rows"].value = table

    # ---- computing ----

    def _compute(self) -> None:
        if self.export is None:
            raise DataError("There is nothing to audit yet", advice="Choose a file first.")
        self._forget()
        self._auditing.begin("the statuses")
        self.start.disabled = True
        try:
            chosen = self.account.account
            self.audit = audited(
                self.export, chosen.portal,
                silent_days=chosen.silent_days, prices=chosen.prices, progress=self._auditing,
            )  # fmt: skip
            self.results.show(self.audit, "the portal says" if chosen.is_own else "HubSpot delivers it")
            shown(self.results, when=True)
        finally:
            self.at["computing"].value = ""
            self._auditing.hide()
            self.start.disabled = False

    # ---- saving ----

    def _save_folder(self) -> Path | None:
        """Where files are saved; None in the app."""
        return None if shared() else place(self.folder, self.save_to.value or "saved")

    def _save_mapping(self, mapping: ColumnMapping, where: str) -> None:
        self.at[where].value = hand_over({"mapping.yaml": mapping.text().encode()}, self._save_folder())

    def _save_rejected(self) -> None:
        if self.export is not None:
            contents = {"rejected-rows.csv": csv(self.export.rejected)}
            self.at["rejected-saved"].value = hand_over(contents, self._save_folder())
