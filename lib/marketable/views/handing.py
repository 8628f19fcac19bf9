"""How what was made leaves the page: into a folder on the user's own machine, or from the app as a download; and the
names of its files.
"""

from __future__ import annotations

import contextlib
import io
import itertools
import re
import unicodedata
import zipfile
from collections.abc import Mapping
from pathlib import Path

from marketable.errors import DataError
from marketable.paths import write_together

from . import pieces

DOWNLOAD_LIMIT = 12_000_000  # bytes; what is downloaded is part of the page
_LONGEST = 80  # bytes of a name
_DEVICES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)", re.IGNORECASE)  # which Windows takes no file names from
_KINDS = {".csv": "text/csv", ".html": "text/html", ".yaml": "text/plain", ".zip": "application/zip"}


def hand_over(contents: Mapping[str, bytes], folder: Path | None, archive: str = "marketable.zip") -> str:
    """Hands files to the user. Where there is no folder, the page itself holds them: nothing is written, and nobody
    else can fetch them. Into a folder they are written over earlier ones, but for YAML, in which people put their own
    hand: what it said before stays beside it, under another name.

    Arguments: contents, by the file's name; folder, to write into, or None for a download; archive, the name of a
    download of several files.
    Returns: HTML that says where the files are.
    Raises: DataError, where a download would be too large.
    """
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        said = [f"Saved in {folder.resolve()}: {', '.join(contents)}."]
        for name, content in contents.items():
            earlier = _kept(folder / name, content) if name.endswith(".yaml") else ""
            said += [f"What {name} was before is now {earlier}."] if earlier else []
        write_together({folder / name: content for name, content in contents.items()})
        return pieces.paragraph(" ".join(said))
    (name, content), *others = contents.items()
    about = ""
    if others:
        name, content, about = archive, zipped(contents), f"It holds {', '.join(contents)}."
    if len(content) > DOWNLOAD_LIMIT:
        most, less = f"at most {DOWNLOAD_LIMIT // 1_000_000} MB", "Take less at once."
        raise DataError("This is too large to download here", value=name, expected=most, advice=less)
    return pieces.download(name, content, about, _KINDS[Path(name).suffix], at_once=True)


def _kept(file: Path, content: bytes) -> str:
    """Copies a file that is to be replaced by other content. Returns: the copy's name; blank where there is none."""
    if not file.exists() or file.read_bytes() == content:
        return ""
    for number in itertools.count(1):
        copy = file.with_stem(f"{file.stem}-{number}")
        with contextlib.suppress(FileExistsError), copy.open("xb") as opened:
            opened.write(file.read_bytes())
            break
    return copy.name


def zipped(contents: Mapping[str, bytes]) -> bytes:
    """Files as one zip file."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as files:
        for name, content in contents.items():
            files.writestr(name, content)
    return archive.getvalue()


def slug(label: str) -> str:
    """A label as the name of a file: letters and digits only, never a path, never one that means something else.

    >>> slug("Trade fair/Hannover: off"), slug("../../etc/passwd"), slug("…"), slug("NUL")
    ('trade-fair-hannover-off', 'etc-passwd', 'unnamed', 'unnamed-nul')
    """
    plain = re.sub(r"[\W_]+", "-", unicodedata.normalize("NFKC", label).lower()).strip("-")
    name = plain.encode()[:_LONGEST].decode(errors="ignore").strip("-")
    return f"unnamed-{name}".strip("-") if not name or _DEVICES.fullmatch(name) else name


def unique(names: list[str], taken: str = "") -> list[str]:
    """The names, each one that was taken before with the next free number.

    >>> unique(["a", "a", "a-2", "a", "index"], taken="index")
    ['a', 'a-2', 'a-2-2', 'a-3', 'index-2']
    """
    given = {taken: None}
    for name in names:
        numbered = (f"{name}-{number}" for number in itertools.count(2))
        given[next(each for each in itertools.chain([name], numbered) if each not in given)] = None
    return list(given)[1:]
