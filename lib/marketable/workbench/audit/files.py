"""The first step of an audit: which files. One or several, from the folder, by path, or by upload."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import ipywidgets as widgets

from marketable.errors import DataError
from marketable.exports.files import SUFFIXES, files_of, openable
from marketable.views import pieces
from marketable.views.choosing import BY_PATH, UPLOAD, UPLOAD_LIMIT, harmless, place, taken
from marketable.views.layout import shown, wide
from marketable.views.place import shared

_NOTHING = ""


@dataclass(frozen=True)
class Chosen:
    """Files that were chosen: `paths`, or `uploads` (name and content), which are files only while they are read."""

    paths: tuple[Path, ...] = ()
    uploads: tuple[tuple[str, bytes], ...] = ()

    def __len__(self) -> int:
        return len(self.paths) + len(self.uploads)

    @contextlib.contextmanager
    def opened(self) -> Iterator[list[Path]]:
        """The files, as they were chosen, for as long as they are needed."""
        if not self.uploads:
            yield list(self.paths)
            return
        with tempfile.TemporaryDirectory(prefix="marketable-") as folder:
            files: list[Path] = []
            for number, (name, content) in enumerate(self.uploads, start=1):
                files.append(Path(folder, f"{number}", name))
                files[-1].parent.mkdir()
                files[-1].write_bytes(content)
            yield files


class FileChoice(widgets.VBox):  # type: ignore[misc]
    """Arguments: folder, whose files are offered; chosen, called with the files when there are some.

    Attributes: choice, paths, read (a button), upload.
    """

    def __init__(self, folder: Path, chosen: Callable[[Callable[[], Chosen]], None]) -> None:
        self._folder, self._emptying = folder, False
        self.choice = widgets.Dropdown(
            description="Export",
            options=[
                ("Choose …", _NOTHING),
                *((path.name, str(path)) for path in openable(folder)),
                *([] if shared() else [("Files by their paths …", BY_PATH)]),
                ("Upload files …", UPLOAD),
            ],
            layout=widgets.Layout(width="520px", max_width="100%"),
        )
        self.paths = widgets.Textarea(
            description="Paths", placeholder="/home/me/exports, or a file on each line", rows=3, layout=wide()
        )
        self.read = widgets.Button(description="Read", tooltip="Reads the files of these paths")
        self.upload = widgets.FileUpload(
            description=f"Choose files, at most {UPLOAD_LIMIT // 1_000_000} MB",
            accept=",".join(SUFFIXES),
            multiple=True,
            layout=widgets.Layout(width="260px"),
        )
        self._note = widgets.HTML()
        super().__init__([self.choice, self.paths, self.read, self.upload, self._note])
        self._show()
        self.choice.observe(lambda _: self._show(), "value")
        self.choice.observe(lambda _: chosen(self._from_folder), "value")
        self.read.on_click(lambda _: chosen(self._by_path))
        self.upload.observe(lambda _: self._when_uploaded(chosen), "value")

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

    def _when_uploaded(self, chosen: Callable[[Callable[[], Chosen]], None]) -> None:
        if self.upload.value and not self._emptying:
            chosen(self._uploaded)

    def _uploaded(self) -> Chosen:
        self._emptying = True
        try:
            uploads = taken(self.upload)
        finally:
            self._emptying = False
        for upload in uploads:
            if Path(harmless(upload.name)).suffix.lower() not in SUFFIXES:
                raise DataError("Files of this kind are not read", value=upload.name, expected=", ".join(SUFFIXES))
        return Chosen(uploads=tuple((harmless(upload.name), bytes(upload.content)) for upload in uploads))
