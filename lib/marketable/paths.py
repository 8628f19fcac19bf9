"""Where things are: the sample data and the notebooks, found beside the checkout or shipped with an installation, and
the folder in which people's own things are saved. A file is written whole or not at all, and so are the files of one
result.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import shutil
import stat
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

_CHECKOUT = Path(__file__).resolve().parents[2]
_IS_CHECKOUT = (_CHECKOUT / "notebooks" / "report.ipynb").is_file()

TOOLKIT = _CHECKOUT if _IS_CHECKOUT else Path(sys.prefix, "share", "marketable")  # where a wheel puts them
DATA, NOTEBOOKS = TOOLKIT / "data", TOOLKIT / "notebooks"
SAVED = Path(os.environ.get("MARKETABLE_SAVED") or (_CHECKOUT if _IS_CHECKOUT else Path.cwd()) / "saved")


def write_whole(path: str | Path, content: bytes) -> None:
    """Writes a file so that there is never half of it. Raises: OSError, the file being what it was."""
    write_together({Path(path): content})


def write_together(contents: Mapping[Path, bytes], gone: Iterable[Path] = ()) -> None:
    """Writes the files of one result, all of them or none: beside their places first, then each is moved into its own.

    Arguments: contents, by path; gone, files of an earlier result that this one has no more.
    Raises: OSError, where one of them cannot be written, all files being what they were.
    """
    gone = list(gone)
    new = {path: _beside(path) for path in contents}
    old = {path: _beside(path) for path in (*contents, *gone)} if len(new) + len(gone) > 1 else {}
    in_place = []
    try:
        for path, content in contents.items():
            _write(new[path], content)
        for path, kept in old.items():
            _keep(path, kept)
        for path in contents:
            new[path].replace(path)
            in_place.append(path)
        for path in gone:
            path.unlink(missing_ok=True)
    except BaseException:
        for path in in_place:
            if not old or not old[path].exists():
                path.unlink(missing_ok=True)
        for path, kept in old.items():
            if kept.exists():
                kept.replace(path)
        raise
    finally:
        for temporary in (*new.values(), *old.values()):
            temporary.unlink(missing_ok=True)


def read_whole(path: str | Path, most: int) -> bytes:
    """The content of a small file. Raises: OSError, also for what is no file and for more bytes than `most`."""
    try:
        if not stat.S_ISREG(Path(path).stat().st_mode):
            raise OSError(errno.EINVAL, "it is no file")
        with Path(path).open("rb") as file:
            content = file.read(most + 1)
    except ValueError:  # a name that no file can have
        raise OSError(errno.EINVAL, "no file can have this name") from None
    if len(content) > most:
        raise OSError(errno.EFBIG, f"it is larger than {most >> 20} MB")
    return content


def at_home(path: str | os.PathLike[str]) -> Path:
    """The path with `~` as the folder it stands for; as it is, where it stands for none."""
    try:
        return Path(path).expanduser()
    except RuntimeError:  # there is no such user
        return Path(path)


def is_folder(path: Path) -> bool:
    """Whether it is a folder; what cannot even be looked for is none."""
    try:
        return path.is_dir()
    except OSError:  # too long a name
        return False


def _beside(path: Path) -> Path:
    return path.with_name(f".{path.name[:40]}.{secrets.token_hex(4)}")


def _keep(path: Path, kept: Path) -> None:
    """A second name for a file, or a copy where the system knows no links; nothing where there is no file."""
    with contextlib.suppress(FileNotFoundError):
        try:
            os.link(path, kept)
        except FileNotFoundError:
            raise
        except OSError:
            shutil.copy2(path, kept)


def _write(path: Path, content: bytes) -> None:
    """On Linux a file has no name until it is whole, so that who is killed leaves nothing half behind."""
    nameless = _nameless(path.parent)
    with path.open("xb") if nameless is None else os.fdopen(nameless, "wb") as file:
        file.write(content)
        file.flush()
        if nameless is not None:
            # src_dir_fd, which an absolute path does not need, makes Python follow the link.
            os.link(f"/proc/self/fd/{nameless}", path, src_dir_fd=nameless, follow_symlinks=True)


def _nameless(folder: Path) -> int | None:
    """A file in the folder that has no name and vanishes when it is closed; None where there are none such."""
    kind = getattr(os, "O_TMPFILE", None)
    if kind is None or not Path("/proc/self/fd").is_dir():
        return None
    try:
        return os.open(folder, kind | os.O_WRONLY, 0o666)
    except OSError:
        return None
