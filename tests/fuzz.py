"""Fuzzing of the readers with atheris: `python tests/fuzz.py READER [options of libFuzzer]`, READER one of READERS.

It starts from the files of tests/corpus and data/, and looks for bytes that are neither read, with every row used or
rejected, nor refused with a MarketableError. What it finds is mended and gets a place in tests/corpus.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import atheris

with atheris.instrument_imports(include=["marketable"]):
    import marketable as mk
    from marketable.exports import ColumnMapping
    from marketable.reading.tables import read_table
    from marketable.report.compare import compare, figures_of
    from marketable.report.sweep import planned

ROOT = Path(__file__).resolve().parents[1]
KNOWN = {"id", "name", "when", "contact_id", "email", "occurred_at", "source"}


def is_accounted_for(found: Any) -> None:
    used = next(getattr(found, name) for name in ("frame", "contacts", "touches") if hasattr(found, name))
    assert found.rows_read == len(used) + len(found.rejected)


def tables(path: Path) -> None:
    is_accounted_for(read_table(path))


def known_columns(path: Path) -> None:
    is_accounted_for(read_table(path, known=lambda name: name.casefold() in KNOWN))


def portals(path: Path) -> None:
    mk.Portal.of_text(path.read_bytes().decode("utf-8", "replace"))


def figures(path: Path) -> None:
    told = figures_of(path)
    assert compare(told, told).page


READERS: dict[str, Callable[[Path], Any]] = {
    "tables": tables,
    "known": known_columns,
    "touches": lambda path: is_accounted_for(mk.read_touches(path)),
    "export": lambda path: is_accounted_for(mk.read_export(path)),
    "portal": portals,
    "plan": planned,
    "mapping": ColumnMapping.load,
    "figures": figures,
}


def main() -> None:
    if len(sys.argv) < 2 or sys.argv[1] not in READERS:
        sys.exit(f"Which reader? {', '.join(READERS)}")
    read = READERS[sys.argv.pop(1)]
    folder = Path(tempfile.mkdtemp(prefix="marketable-fuzz-"))
    path, found = folder / "file", folder / "found"
    found.mkdir()

    def once(data: bytes) -> None:
        path.write_bytes(data)
        with suppress(mk.MarketableError):
            read(path)

    seeds = [str(found), str(ROOT / "tests" / "corpus"), str(ROOT / "data")]
    atheris.Setup([*sys.argv, "-max_len=20000", f"-artifact_prefix={folder}/", *seeds], once)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
