"""What is worked on: the data, the account, and the rules. The form folds away once something is open."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

import ipywidgets as widgets
import pandas as pd

from marketable.errors import DataError
from marketable.exports import ColumnMapping
from marketable.exports.opening import SUFFIXES, Opened, open_file, openable
from marketable.portal.portal import Portal
from marketable.portal.prices import Prices
from marketable.rulebook import Rulebook
from marketable.samples.touches import sample_touches
from marketable.views import fields
from marketable.views.choosing import BY_PATH, UPLOAD, ZIP, Chosen, place
from marketable.views.layout import panel, row, shown, wide
from marketable.views.place import shared

from .account import Account
from .parts import MOST, Parts
from .progress import ProgressBar
from .reading import Look, look
from .work import MADE_UP, Saved

if TYPE_CHECKING:
    from .page import Workbench

SHARED_TOUCHES = 200_000  # the largest made-up sample where many share a machine
_HINT = (
    "A contacts export from HubSpot, in one file or several. Before you export, add these properties to the view: "
    "Record source, Record source detail 1, Marketing contact status. {where}"
)
_HERE, _THERE = "Nothing leaves this computer.", "What you upload is forgotten when you close this page."


class Opening(widgets.VBox):  # type: ignore[misc]
    """Arguments: bench, which works on what is opened; own, whether nothing is chosen yet.

    Attributes: upload, choice, contacts, sample, paths, read_paths, `account` (its form), rules; `mapping`, under which
    the files are read; `chosen`, the files.
    """

    def __init__(self, bench: Workbench, *, own: bool) -> None:
        self._bench, self.mapping, self.chosen = bench, ColumnMapping(), Chosen()
        self._seen: Look | None = None
        self.parts = Parts()
        size = f"at most {MOST // 1_000_000} MB"
        self.upload = fields.upload(f"Open your export ({size})", (*SUFFIXES, ZIP), multiple=True)
        self.upload.button_style = "primary"
        options = [("The made-up sample", MADE_UP), *((path.name, str(path)) for path in openable(bench.folder))]
        options += [] if shared() else [("Files by their paths …", BY_PATH)]
        options = [("Choose …", UPLOAD), *options]
        self.choice = fields.choice("Or look at", options, UPLOAD if own else MADE_UP, "480px")
        self.contacts = fields.number("Entries", 10_000, 0, self._most)
        self.sample = fields.number("Sample no.", 7, 0, 2**31)
        layout = wide()
        self.paths = widgets.Textarea(description="Paths", placeholder="/home/me/exports", rows=2, layout=layout)
        self.read_paths = fields.button("Open", "Opens the files of these paths", "auto")
        self.progress = ProgressBar("Reading")
        self.account = Account(bench.folder, bench.judge, self._when)
        if own:
            self.account.file.suggest(None)
        days = [("the day of each event", ""), *((str(each), str(each)) for each in Rulebook.load().editions)]
        self.rules = fields.choice("Rules as of", days)
        hint = fields.note(_HINT.format(where=_THERE if shared() else _HERE))
        data = [hint, row(self.upload, self.choice, self.contacts, self.sample, self.paths, self.read_paths)]
        super().__init__(
            [panel("Data", [*data, self.parts, self.progress]), panel("Account", [self.account, self.rules])]
        )
        self.add_class("mk-opening")
        with bench.quietly():
            self.account.load()
        self._show_asked()
        self._when(self._choose, self.choice, self.contacts, self.sample)
        self._when(self._upload, self.upload)
        self.read_paths.on_click(lambda _: bench.react(self._by_path))
        self._when(bench.judge, self.rules)

    def _when(self, callback: object, *used: widgets.Widget) -> None:
        fields.on_change(lambda: self._bench.react(callback), *used)  # type: ignore[arg-type]

    @property
    def _most(self) -> int:
        return SHARED_TOUCHES if shared() else 10_000_000

    def _show_asked(self) -> None:
        choice = self.choice.value
        for widget, needed in (
            (self.contacts, MADE_UP), (self.sample, MADE_UP), (self.paths, BY_PATH), (self.read_paths, BY_PATH),
        ):  # fmt: skip
            shown(widget, when=choice == needed)

    # ---- which data ----

    def _choose(self) -> None:
        self._show_asked()
        if self.choice.value not in (UPLOAD, BY_PATH):
            self._take(Chosen() if self.choice.value == MADE_UP else Chosen((Path(self.choice.value),)))

    def _by_path(self) -> None:
        lines = [line for line in self.paths.value.splitlines() if line.strip()]
        if self.choice.value != BY_PATH or shared():
            return  # in the app it cannot be, whatever a browser sends
        if not lines:
            raise DataError("No path is given", expected="the path of a file or a folder, or several, one on each line")
        self._take(Chosen(tuple(place(self._bench.folder, line) for line in lines)))

    def _upload(self) -> None:
        if self.upload.value:
            with self._bench.quietly():
                chosen = self.parts.take(self.upload)
                self.choice.value = UPLOAD
            self._show_asked()
            if chosen is not None:
                self._take(chosen)

    def _take(self, chosen: Chosen) -> None:
        """Opens other files. Nobody's own data are judged by the made-up firm's account, unless that was chosen."""
        self.chosen, self.mapping = chosen, ColumnMapping()
        is_own = bool(chosen.uploads) or any(path.parent != self._bench.folder for path in chosen.paths)
        with self._bench.quietly(), self.account.suggested(None if is_own else self.account.sample):
            self.read()

    # ---- reading ----

    def read(self, mapping: ColumnMapping | None = None) -> None:
        """Reads what is chosen, perhaps under another mapping, and works on it. Raises: DataError."""
        self._seen = None
        self.mapping = self.mapping if mapping is None else mapping
        if not self.chosen:
            touches = sample_touches(min(self.contacts.value, self._most), self.sample.value)
            opened = Opened("The made-up sample", touches, pd.DataFrame(), len(touches), {}, None)
            found = {"data": MADE_UP, "contacts": self.contacts.value, "sample": self.sample.value}
            return self._bench.work_on(opened, found)
        self.progress.begin("the file")
        try:
            with self.chosen.opened() as files:
                named = self.mapping if self.mapping.settings() else None
                opened = open_file(files[0] if len(files) == 1 else files, mapping=named, progress=self.progress)
        except DataError:
            with contextlib.suppress(DataError):  # where the files are no tables at all
                self._bench.ask_for_a_mapping()
            raise
        finally:
            self.progress.hide()
        paths = self.chosen.paths
        found = {"data": str(paths[0]) if len(paths) == 1 else "", "called": opened.name}
        self._bench.work_on(opened, found | {"mapping": self.mapping.settings()})

    def look(self) -> Look:
        """What the files look like, looked at once for each mapping. Raises: DataError, for what is no table."""
        if self._seen is None:
            with self.chosen.opened() as files:
                self._seen = look(files, self.mapping)
        return self._seen

    def restore(self, saved: Saved, portal: Portal, prices: Prices | None) -> None:
        """Opens the data of work that was kept, and judges them by its account."""
        with self._bench.quietly():
            self.rules.value = saved.rules if saved.rules in [value for _, value in self.rules.options] else ""
            self.account.fill(portal, "as you left it")
            self.account.set_prices(prices)
            if saved.data == MADE_UP:
                self.contacts.value, self.sample.value = saved.contacts, saved.sample
            self.choice.value = saved.data if saved.data in [value for _, value in self.choice.options] else UPLOAD
        self._show_asked()
        if saved.data:
            self.chosen = Chosen() if saved.data == MADE_UP else Chosen((Path(saved.data),))
            self.read(ColumnMapping(**saved.mapping))
        else:
            self._bench.judge()
