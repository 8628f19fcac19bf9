"""How files are chosen: from the folder, by path or by upload. In the app, whose machine is not the user's own, there
are only uploads beside the samples.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import ipywidgets as widgets
from traitlets import Bunch

from ..errors import DataError, MarketableError
from ..inputs.portal import Portal
from ..practice.progress import SAVED
from .layout import shown, wide
from .place import shared

DATA = Path(__file__).resolve().parents[3] / "data"
UPLOAD_LIMIT = 9_000_000  # bytes; a larger message is dropped on its way to the kernel without a word
BY_PATH, UPLOAD, DEFAULTS = "path", "upload", "defaults"


def place(folder: Path, path: str) -> Path:
    """A path that a person typed; where it is not absolute, from the folder in which data/ stands."""
    return folder.resolve().parent / Path(path.strip().strip("\"'")).expanduser()


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


def settings_files(folder: Path, load: Callable[[Path], object]) -> list[tuple[str, str]]:
    """The YAML files that can be loaded, as options of a Dropdown: what was saved in JupyterLab, then the folder's.

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


class PortalChoice:
    """The widgets by which a portal is chosen: choice, path and upload. Arguments: folder; defaults, what the choice of
    no portal is called.
    """

    def __init__(self, folder: Path, defaults: str) -> None:
        self._folder, self._defaults = folder, defaults
        self.choice = widgets.Dropdown(
            description="Portal",
            options=[
                *settings_files(folder, Portal.load),
                (defaults, DEFAULTS),
                ("Upload a portal.yaml …", UPLOAD) if shared() else ("A file by its path …", BY_PATH),
            ],
            layout=wide(),
        )
        self.path = widgets.Text(
            description="Path", placeholder="/home/me/portal.yaml", layout=wide(), continuous_update=False
        )
        self.upload = widgets.FileUpload(
            description="Choose a portal.yaml", accept=".yaml,.yml", layout=widgets.Layout(width="260px")
        )

    def read(self) -> tuple[Portal, str] | None:
        """The portal and its name; None where nothing is chosen yet. Raises: PortalError, for what is no portal."""
        choice = self.choice.value
        shown(self.path, when=choice == BY_PATH)
        shown(self.upload, when=choice == UPLOAD)
        if choice == DEFAULTS:
            return Portal(), "switches at their defaults"
        if choice == UPLOAD:
            uploads = taken(self.upload)
            return (Portal.of_text(text_of(uploads[0], "a portal.yaml")), uploads[0].name) if uploads else None
        if choice == BY_PATH and not self.path.value.strip():
            return None
        file = place(self._folder, self.path.value if choice == BY_PATH else choice)
        return Portal.load(file), file.name
