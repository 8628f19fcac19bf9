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
from marketable.views import pieces
from marketable.views.choosing import place
from marketable.views.handing import hand_over
from marketable.views.layout import panel, row, shown, wide
from marketable.views.place import shared
from marketable.views.reacting import react

from . import understanding
from .account import AccountPanel
from .files import Chosen, FileChoice
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
    `account` and `results`, the panels of the steps; `start`, the button that computes.
    """

    def __init__(self, folder: str | Path = DATA) -> None:
        self.folder = Path(folder)
        self.export: Export | None = None
        self.audit: Audit | None = None
        self._chosen = Chosen()
        self._used = ColumnMapping()
        self._seen: Look | None = None
        self._error, self._understood, self._rejected = widgets.HTML(), widgets.HTML(), widgets.HTML()
        self._unknown, self._left_out = widgets.HTML(), widgets.HTML()
        self._rejected_rows, self._rejected_saved, self._mapping_saved = (widgets.HTML() for _ in range(3))
        self._audit_error, self._read_error, self._mapping_note = (widgets.HTML() for _ in range(3))
        for name in ("understood", "rejected"):
            getattr(self, f"_{name}").add_class(f"mk-at-{name}")
        self._progress, self._auditing, self._computing = ProgressBar(), ProgressBar("Auditing"), widgets.HTML()
        self.files = FileChoice(self.folder, lambda files: self._react(lambda: self._choose(files)))
        self.mapping = MappingPanel(
            self.folder,
            lambda mapping: self._react(lambda: self._map(mapping)),
            lambda mapping: react(lambda: self._save_mapping(mapping(), self._mapping_saved), self._mapping_saved),
        )
        self.account = AccountPanel(
            self.folder,
            lambda callback: react(self._clean(callback, self._audit_error), self._audit_error),
            self._forget,
        )
        self._change = widgets.Button(
            description="Change what was taken for what", layout=widgets.Layout(width="260px")
        )
        self._keep = widgets.Button(
            description="Save the mapping in use",
            tooltip="As mapping.yaml, for the next export, the explorer and reports",
            layout=widgets.Layout(width="260px"),
        )
        self._kept = widgets.HTML()
        self._columns = widgets.Checkbox(False, description="Show all columns that were left out", indent=False)
        self._rows = widgets.Checkbox(False, description="Show the rejected rows themselves", indent=False)
        self._save_rows = widgets.Button(
            description="Download the rejected rows" if shared() else "Save the rejected rows",
            layout=widgets.Layout(width="260px"),
        )
        self.start = widgets.Button(
            description="Audit these contacts", button_style="primary", layout=widgets.Layout(width="260px")
        )
        self.save_to = widgets.Text(_told(SAVED, self.folder), description="Save into", layout=wide())
        self.results = Results(self._save_folder)
        super().__init__(self._layout())
        self.add_class("mk")
        self._change.on_click(lambda _: self._react(self._show_mapping))
        self._keep.on_click(lambda _: react(lambda: self._save_mapping(self._used, self._kept), self._kept))
        self._columns.observe(lambda _: self._react(self._show_left_out), "value")
        self._rows.observe(lambda _: self._show_rejected_rows(), "value")
        self._save_rows.on_click(lambda _: react(self._save_rejected, self._rejected_saved))
        self.start.on_click(lambda _: react(self._clean(self._compute, self._audit_error), self._audit_error))
        react(self.account.open_portal, self._audit_error)

    def __repr__(self) -> str:
        return "AuditPanel"

    def _layout(self) -> list[widgets.Widget]:
        choose = pieces.paragraph(_CHOOSE.format(where=_THERE if shared() else _HERE), "mk-note")
        self._mapping_step = panel(
            "What columns and words mean", [self._mapping_note, self.mapping, self._mapping_saved]
        )
        self._understood_step = panel(
            "2 · What was understood",
            [
                self._understood,
                self._columns,
                self._left_out,
                self._unknown,
                self._rejected,
                row(self._rows, self._save_rows),
                self._rejected_rows,
                self._rejected_saved,
                row(self._change, self._keep),
                self._kept,
            ],
        )
        account = [
            self.account,
            *([] if shared() else [self.save_to]),
            row(self.start, self._computing),
            self._auditing,
            self._audit_error,
        ]
        self._account_step = panel("3 · The account", account)
        for widget in (self._mapping_step, self._understood_step, self._account_step, self.results):
            shown(widget, when=False)
        return [
            widgets.HTML(pieces.style()),
            panel("1 · Your export", [widgets.HTML(choose), self.files, self._progress, self._error]),
            self._understood_step,
            self._mapping_step,
            self._account_step,
            self.results,
        ]

    # ---- reacting ----

    def _react(self, callback: Callable[[], None]) -> None:
        react(self._clean(callback, self._error), self._error)

    def _clean(self, callback: Callable[[], None], error: widgets.HTML) -> Callable[[], None]:
        def called() -> None:
            error.value = ""
            callback()

        return called

    @contextlib.contextmanager
    def _waiting(self, what: str) -> Iterator[None]:
        self._progress.tell("Reading", what)
        try:
            yield
        finally:
            self._progress.hide()

    def _forget(self) -> None:
        """What was found rests on what is no longer chosen."""
        if self.audit is not None:
            self._computing.value = pieces.paragraph("Something was changed. Press the button again.")
        self.audit = None
        shown(self.results, when=False)

    # ---- reading ----

    def _choose(self, files: Callable[[], Chosen]) -> None:
        self._forget()
        self._computing.value = ""
        self.export, self._chosen, self._used = None, Chosen(), ColumnMapping()
        for widget in (self._mapping_step, self._understood_step, self._account_step):
            shown(widget, when=False)
        self._chosen = files()
        if self._chosen:
            are_samples = any(path.parent == self.folder for path in self._chosen.paths)  # which have their portal
            self.account.suggest(self.folder / "portal.yaml" if are_samples else None)
            self._read(ColumnMapping())

    def _map(self, mapping: Callable[[], ColumnMapping]) -> None:
        """Reads again, under a mapping. One that is not valid changes nothing."""
        made = mapping()
        self._forget()
        self._read(made)

    def _read(self, mapping: ColumnMapping) -> None:
        self._used, self.export, self._seen = mapping, None, None
        shown(self._understood_step, when=False)
        shown(self._account_step, when=False)
        try:
            what = f"{len(self._chosen):,} files" if len(self._chosen) > 1 else "the file"
            with self._waiting(what), self._chosen.opened() as files:
                self.export = read(files, mapping, self._progress)
        except DataError:
            self._look_closer()
            raise
        self._show_understood(self.export)
        shown(self._mapping_step, when=False)
        if needs_a_mapping(self.export, mapping):
            seen = self._look()
            self._unknown.value = understanding.unknown(seen, self.export)
            if not len(self.export.contacts):
                self._show_mapping(_NONE_USED)
            elif seen.has_unknown_words:
                self._show_mapping(words_only=True)

    def _look_closer(self) -> None:
        """Offers a mapping, where the files are tables at all; what is wrong with them has been said."""
        with contextlib.suppress(DataError):
            self._show_mapping(_NOT_READ)

    def _look(self) -> Look:
        """What the files look like, looked at once for each mapping."""
        if self._seen is None:
            with self._waiting("the columns"), self._chosen.opened() as files:
                self._seen = look(files, self._used)
        return self._seen

    def _show_mapping(self, note: str = "", *, words_only: bool = False) -> None:
        self.mapping.show(self._look(), self._used, words_only=words_only)
        self._mapping_note.value, self._mapping_saved.value = pieces.paragraph(note) if note else "", ""
        shown(self._mapping_step, when=True)

    def _show_understood(self, export: Export) -> None:
        self._understood.value = understanding.understood(export)
        self._rejected.value = understanding.rejected(export)
        self._rows.value, self._rejected_rows.value, self._rejected_saved.value = False, "", ""
        self._columns.value, self._left_out.value, self._unknown.value = False, "", ""
        self._kept.value = ""
        shown(self._keep, when=bool(self._used.settings()))
        shown(self._columns, when=understanding.has_left_out(export))
        for widget in (self._rows, self._save_rows):
            shown(widget, when=len(export.rejected) > 0)
        shown(self._understood_step, when=True)
        shown(self._account_step, when=len(export.contacts) > 0)

    def _show_left_out(self) -> None:
        self._left_out.value = understanding.left_out(self._look()) if self._columns.value else ""

    def _show_rejected_rows(self) -> None:
        wanted = self._rows.value and self.export is not None
        self._rejected_rows.value = understanding.rejected_rows(self.export) if wanted and self.export else ""

    # ---- computing ----

    def _compute(self) -> None:
        if self.export is None:
            raise DataError("There is nothing to audit yet", advice="Choose a file first.")
        self._forget()
        self._auditing.tell("Auditing", "the statuses")
        self.start.disabled = True
        try:
            chosen = self.account.account
            self.audit = audited(
                self.export,
                chosen.portal,
                silent_days=chosen.silent_days,
                prices=chosen.prices,
                progress=self._auditing,
            )
            self.results.show(self.audit, "the portal says" if chosen.is_own else "HubSpot delivers it")
            shown(self.results, when=True)
        finally:
            self._computing.value = ""
            self._auditing.hide()
            self.start.disabled = False

    # ---- saving ----

    def _save_folder(self) -> Path | None:
        """Where files are saved; None in the app."""
        return None if shared() else place(self.folder, self.save_to.value or "saved")

    def _save_mapping(self, mapping: ColumnMapping, told: widgets.HTML) -> None:
        told.value = hand_over({"mapping.yaml": mapping.text().encode()}, self._save_folder())

    def _save_rejected(self) -> None:
        if self.export is not None:
            contents = {"rejected-rows.csv": understanding.rejected_csv(self.export)}
            self._rejected_saved.value = hand_over(contents, self._save_folder())


def _told(saved: Path, folder: Path) -> str:
    """The folder for what is saved, as short as it can be told."""
    beside = folder.resolve().parent
    return str(saved.relative_to(beside)) if saved.is_relative_to(beside) else str(saved)
