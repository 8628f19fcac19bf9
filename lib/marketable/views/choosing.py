"""How files are chosen: from the folder, by path or by upload. In the app, whose machine is not the user's own, there
are only uploads beside the samples.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

import ipywidgets as widgets
from traitlets import Bunch

from marketable.errors import DataError, MarketableError
from marketable.paths import SAVED, at_home
from marketable.settings import Settings

from .layout import shown, wide
from .place import shared

UPLOAD_LIMIT = 9_000_000  # bytes; a larger message is dropped on its way to the kernel without a word
BY_PATH, UPLOAD, NO_FILE = "path", "upload", "none"
_LONGEST = 120  # letters of a file's name
Kind = TypeVar("Kind", bound=Settings)


def place(folder: Path, path: str) -> Path:
    """A path that a person typed; where it is not absolute, from the folder in which data/ stands."""
    return folder.resolve().parent / at_home(path.strip().strip("\"'"))


def taken(widget: widgets.FileUpload) -> list[Bunch]:
    """The files that a widget holds; it holds them no longer, for what it holds may be saved with the notebook.

    Raises: DataError, where they are too large.
    """
    uploads = list(widget.value)
    widget.value = ()
    if sum(len(upload.content) for upload in uploads) > UPLOAD_LIMIT:
        advice = None if shared() else "Open it by its path instead."
        expected = f"at most {UPLOAD_LIMIT // 1_000_000} MB"
        raise DataError("The file is too large to upload", value=uploads[0].name, expected=expected, advice=advice)
    return uploads


def text_of(upload: Bunch, expected: str) -> str:
    """The text of an uploaded file. Raises: DataError, where it is none."""
    try:
        return bytes(upload.content).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise DataError("This is not a text file", value=upload.name, expected=expected) from None


def harmless(name: str) -> str:
    """The name of an upload, as that of a file: no folder, no control character, not too long for a disk.

    >>> harmless("../../etc/pass" + chr(0) + "wd.csv")
    'pass_wd.csv'
    """
    last = re.split(r"[/\\]", name)[-1]
    kept = re.sub(r"[\x00-\x1f\x7f\ud800-\udfff]", "_", last)[-_LONGEST:]
    while len(kept.encode()) > 2 * _LONGEST:
        kept = kept[1:]
    return f"upload{kept}" if kept.startswith(".") or not kept else kept


def settings_files(folder: Path, load: Callable[[Path], object]) -> list[tuple[str, str]]:
    """The YAML files that can be loaded, as options of a Dropdown: what was saved in JupyterLab, then the folder's.

    >>> from marketable.paths import DATA
    >>> from marketable.portal import Portal
    >>> [name for name, _ in settings_files(DATA, Portal.load)][-1]
    'portal.yaml'
    """
    own = [] if shared() or folder == SAVED else sorted(SAVED.glob("*.yaml"))
    candidates = [(f"saved/{path.name}", path) for path in own]
    candidates += [(path.name, path) for path in sorted(folder.glob("*.yaml"))]
    return [(name, str(path)) for name, path in candidates if _loads(path, load)]


def _loads(path: Path, load: Callable[[Path], object]) -> bool:
    try:
        return bool(path.stat().st_size) and bool(load(path))
    except (MarketableError, OSError):
        return False


class SettingsChoice(Generic[Kind]):
    """The widgets by which a file of settings is chosen: choice, path and upload.

    Arguments: folder; kind, of the settings; description, of the choice; none, what choosing no file is called, and
    nothing, the settings then; none_first, whether that is offered before the files; wanted, whether settings are.
    """

    def __init__(
        self,
        folder: Path,
        kind: type[Kind],
        description: str,
        none: str,
        nothing: Kind | None,
        *,
        none_first: bool,
        wanted: Callable[[Kind], object] = bool,
    ) -> None:
        self._folder, self._kind, self._nothing, self._name = folder, kind, nothing, f"{description.lower()}.yaml"
        files, no_file = settings_files(folder, lambda path: wanted(kind.load(path))), [(none, NO_FILE)]
        self.choice = widgets.Dropdown(
            description=description,
            options=[
                *(no_file + files if none_first else files + no_file),
                (f"Upload a {self._name} …", UPLOAD) if shared() else ("A file by its path …", BY_PATH),
            ],
            layout=wide(),
        )
        self.path = widgets.Text(
            description="Path", placeholder=f"/home/me/{self._name}", layout=wide(), continuous_update=False
        )
        self.upload = widgets.FileUpload(
            description=f"Choose a {self._name}", accept=".yaml,.yml", layout=widgets.Layout(width="260px")
        )
        self.widgets = (self.choice, self.path, self.upload)
        self.choice.observe(lambda _: self._show_what_is_asked(), "value")
        self._show_what_is_asked()

    @property
    def has_file(self) -> bool:
        """Whether a file is chosen, be it read or not."""
        return bool(self.choice.value != NO_FILE)

    def read(self) -> tuple[Kind, str] | None:
        """The settings and their file's name, which is blank where no file is chosen; None where there are none yet.

        Raises: the error of the settings, for a file that is none; DataError, for an upload that is too large.
        """
        choice = self.choice.value
        if choice == NO_FILE:
            return None if self._nothing is None else (self._nothing, "")
        if choice == UPLOAD:
            uploads = taken(self.upload)
            return (self._kind.of_text(text_of(uploads[0], f"a {self._name}")), uploads[0].name) if uploads else None
        if choice == BY_PATH and not self.path.value.strip():
            return None
        file = place(self._folder, self.path.value if choice == BY_PATH else choice)
        return self._kind.load(file), file.name

    def _show_what_is_asked(self) -> None:
        shown(self.path, when=self.choice.value == BY_PATH)
        shown(self.upload, when=self.choice.value == UPLOAD)
