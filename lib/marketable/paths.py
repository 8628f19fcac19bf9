"""Where things are: the sample data and the notebooks, found beside the checkout or shipped with an installation, and
the folder in which people's own things are saved. A file is written whole or not at all.
"""

from __future__ import annotations

import os
import secrets
import sys
from pathlib import Path

_CHECKOUT = Path(__file__).resolve().parents[2]
_IS_CHECKOUT = (_CHECKOUT / "notebooks" / "report.ipynb").is_file()

TOOLKIT = _CHECKOUT if _IS_CHECKOUT else Path(sys.prefix, "share", "marketable")  # where a wheel puts them
DATA, NOTEBOOKS = TOOLKIT / "data", TOOLKIT / "notebooks"
SAVED = Path(os.environ.get("MARKETABLE_SAVED") or (_CHECKOUT if _IS_CHECKOUT else Path.cwd()) / "saved")


def write_whole(path: str | Path, content: bytes) -> None:
    """Writes a file so that there is never half of it: beside it first, then moved into place.

    Where the system can, on Linux, it has no name until it is whole, so that who is killed leaves nothing half behind.
    """
    path = Path(path)
    temporary = path.with_name(f".{path.name[:40]}.{secrets.token_hex(4)}")
    try:
        nameless = _nameless(path.parent)
        with temporary.open("xb") if nameless is None else os.fdopen(nameless, "wb") as file:
            file.write(content)
            file.flush()
            if nameless is not None:
                # src_dir_fd, which an absolute path does not need, makes Python follow the link.
                os.link(f"/proc/self/fd/{nameless}", temporary, src_dir_fd=nameless, follow_symlinks=True)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _nameless(folder: Path) -> int | None:
    """A file in the folder that has no name and vanishes when it is closed; None where there are none such."""
    kind = getattr(os, "O_TMPFILE", None)
    if kind is None or not Path("/proc/self/fd").is_dir():
        return None
    try:
        return os.open(folder, kind | os.O_WRONLY, 0o666)
    except OSError:
        return None
