"""How files are chosen: from the folder, by path or by upload. In the app, whose machine is not the user's own, there
are only uploads beside the samples.
"""

from __future__ import annotations

import contextlib
import re
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

import ipywidgets as widgets

from marketable.errors import DataError, MarketableError
from marketable.exports.files import SUFFIXES
from marketable.paths import SAVED, at_home
from marketable.reading.files import Budget
from marketable.settings import Settings

from . import fields
from .layout import shown, wide
from .place import shared

UPLOAD_LIMIT = 9_000_000  # bytes; a larger message is dropped on its way to the kernel without a word
BY_PATH, UPLOAD, NO_FILE = "path", "upload", "none"
YAML, ZIP = (".yaml", ".yml"), ".zip"
_LONGEST = 120  # letters of a file's name
Kind = TypeVar("Kind", bound=Settings)


def place(folder: Path, path: str) -> Path:
    """A path that a person typed; where it is not absolute, from the folder in which data/ stands."""
    return folder.resolve().parent / at_home(path.strip().strip("\"'"))


def taken(widget: widgets.FileUpload) -> tuple[tuple[str, bytes], ...]:
    """The files that a widget holds, each its name and content; it holds them no longer, for what it holds may be saved
    with the notebook. Raises: DataError, where they are too large.
    """
    uploads = tuple((upload.name, bytes(upload.content)) for upload in widget.value)
    widget.value = ()
    if sum(len(content) for _, content in uploads) > UPLOAD_LIMIT:
        advice = None if shared() else "Open it by its path instead."
        expected = f"at most {UPLOAD_LIMIT // 1_000_000} MB"
        raise DataError("The file is too large to upload", value=uploads[0][0], expected=expected, advice=advice)
    return uploads


def settings_of(upload: tuple[str, bytes], kind: type[Kind], expected: str) -> Kind:
    """The settings in an uploaded file. Raises: DataError, where it is no text; the error of the settings."""
    name, content = upload
    try:
        return kind.of_text(content.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise DataError("This is not a text file", value=name, expected=expected) from None


@dataclass(frozen=True)
class Chosen:
    """Tables that were chosen: `paths`, or `uploads` (name and content), which are files only while they are read."""

    paths: tuple[Path, ...] = ()
    uploads: tuple[tuple[str, bytes], ...] = ()

    @classmethod
    def of(cls, uploads: Iterable[tuple[str, bytes]]) -> Chosen:
        """Uploads, each its name and content. Raises: DataError, where one is of another kind."""
        return cls(uploads=tuple((suitable(name), content) for name, content in uploads))

    def __len__(self) -> int:
        return len(self.paths) + len(self.uploads)

    @contextlib.contextmanager
    def opened(self) -> Iterator[list[Path]]:
        """The files, as they were chosen, for as long as they are needed; a zip file as the one export in it.

        Raises: DataError, for a zip file that is damaged, or in which there is not one export.
        """
        if not self.uploads and not any(path.suffix.lower() == ZIP for path in self.paths):
            yield list(self.paths)
            return
        with tempfile.TemporaryDirectory(prefix="marketable-") as folder:
            files = list(self.paths)
            for number, (name, content) in enumerate(self.uploads, start=1):
                files.append(Path(folder, f"{number}", name))
                files[-1].parent.mkdir()
                files[-1].write_bytes(content)
            yield [_unpacked(file, Path(folder)) if file.suffix.lower() == ZIP else file for file in files]


def suitable(name: str) -> str:
    """The name of an upload, as that of a file. Raises: DataError, where it is of a kind that is not read."""
    if Path(harmless(name)).suffix.lower() not in (*SUFFIXES, ZIP):
        raise DataError("Files of this kind are not read", value=name, expected=", ".join((*SUFFIXES, ZIP)))
    return harmless(name)


def _unpacked(file: Path, folder: Path) -> Path:
    """The one export in a zip file, unpacked into a folder."""
    budget = Budget(file, file.stat().st_size)
    try:
        with zipfile.ZipFile(file) as archive:
            inside = [each for each in archive.infolist() if Path(each.filename).suffix.lower() in SUFFIXES]
            inside = [each for each in inside if not each.filename.startswith("__MACOSX/")]
            if len(inside) != 1:
                expected = f"one export in it: a {', '.join(SUFFIXES)}"
                raise DataError(
                    "This zip file cannot be read", file=file, value=f"{len(inside)} tables", expected=expected
                )
            unpacked = folder / f"unpacked-{file.stem}" / harmless(inside[0].filename)
            unpacked.parent.mkdir()
            with archive.open(inside[0]) as packed, unpacked.open("wb") as written:
                while part := packed.read(1 << 20):
                    budget.take(len(part))
                    written.write(part)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as fault:
        raise DataError("This is a damaged or protected zip file", file=file, advice="Unpack it first.") from fault
    return unpacked


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
        self.path, self.upload = (
            fields.line("Path", f"/home/me/{self._name}"),
            fields.upload(f"Choose a {self._name}", YAML),
        )
        self.widgets = (self.choice, self.path, self.upload)
        fields.on_change(self._choose, self.choice)
        self._choose()
        self._is_suggested = True

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
            return (settings_of(uploads[0], self._kind, f"a {self._name}"), uploads[0][0]) if uploads else None
        if choice == BY_PATH and not self.path.value.strip():
            return None
        file = place(self._folder, self.path.value if choice == BY_PATH else choice)
        return self._kind.load(file), file.name

    def suggest(self, file: Path | None) -> None:
        """Chooses a file that belongs to what was opened, or none, as long as nobody has chosen one."""
        known = [choice for _, choice in self.choice.options]
        choice = NO_FILE if file is None or str(file) not in known else str(file)
        if self._is_suggested and choice != self.choice.value:
            self.choice.value = choice
            self._is_suggested = True

    def _choose(self) -> None:
        self._is_suggested = False
        shown(self.path, when=self.choice.value == BY_PATH)
        shown(self.upload, when=self.choice.value == UPLOAD)
