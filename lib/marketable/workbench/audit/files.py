"""The first step of an audit: which files. One or several, from the folder, by path, or by upload."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import ipywidgets as widgets

from marketable.exports.files import SUFFIXES, files_of, openable
from marketable.views import fields, pieces
from marketable.views.choosing import BY_PATH, UPLOAD, UPLOAD_LIMIT, Chosen, place
from marketable.views.layout import shown, wide
from marketable.views.place import shared

_NOTHING = ""


class FileChoice(widgets.VBox):  # type: ignore[misc]
    """Arguments: folder, whose files are offered; chosen, called with the files when there are some.

    Attributes: choice, paths, read (a button), upload.
    """

    def __init__(self, folder: Path, chosen: Callable[[Callable[[], Chosen]], None]) -> None:
        self._folder, self._emptying = folder, False
        options = [("Choose …", _NOTHING), *((path.name, str(path)) for path in openable(folder))]
        options += [] if shared() else [("Files by their paths …", BY_PATH)]
        options += [("Upload files …", UPLOAD)]
        layout = widgets.Layout(width="520px", max_width="100%")
        self.choice = widgets.Dropdown(description="Export", options=options, layout=layout)
        example = "/home/me/exports, or a file on each line"
        self.paths = widgets.Textarea(description="Paths", placeholder=example, rows=3, layout=wide())
        self.read = fields.button("Read", "Reads the files of these paths", "")
        limit = f"at most {UPLOAD_LIMIT // 1_000_000} MB"
        self.upload = fields.upload(f"Choose files, {limit}", SUFFIXES, multiple=True)
        self._note = widgets.HTML()
        super().__init__([self.choice, self.paths, self.read, self.upload, self._note])
        self._show()
        fields.on_change(self._show, self.choice)
        fields.on_change(lambda: chosen(self._from_folder), self.choice)
        self.read.on_click(lambda _: chosen(self._by_path))
        fields.on_change(lambda: chosen(self._uploaded) if self.upload.value and not self._emptying else 0, self.upload)

    def _show(self) -> None:
        choice = self.choice.value
        for widget, needed in ((self.paths, BY_PATH), (self.read, BY_PATH), (self.upload, UPLOAD)):
            shown(widget, when=choice == needed)
        larger = "" if shared() else " Larger ones are read by their paths."
        notes = {
            BY_PATH: "A file, a folder whose files are put together, or several, one on each line.",
            UPLOAD: f"Several together, if your export came in parts.{larger}",
        }
        self._note.value = pieces.paragraph(notes[choice], "mk-note") if choice in notes else ""

    def _from_folder(self) -> Chosen:
        choice = self.choice.value
        return Chosen() if choice in (_NOTHING, BY_PATH, UPLOAD) else Chosen((Path(choice),))

    def _by_path(self) -> Chosen:
        if self.choice.value != BY_PATH:
            return Chosen()  # in the app it cannot be, whatever a browser sends
        lines = [line for line in self.paths.value.splitlines() if line.strip()]
        return Chosen(tuple(files_of([place(self._folder, line) for line in lines]))) if lines else Chosen()

    def _uploaded(self) -> Chosen:
        self._emptying = True
        try:
            return Chosen.uploaded(self.upload)
        finally:
            self._emptying = False
