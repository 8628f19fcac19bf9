"""YAML as people write settings: every scalar stays the text that was typed, every value knows its line, and nothing is
lost.

YAML's own guesses are not wanted here (a form named `No` is not false, `012` is not ten), so types are the reader's
business. Keys that stand twice, keys that are not text, and anchors are refused rather than resolved.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from marketable.errors import MarketableError
from marketable.paths import at_home, read_whole

Place = tuple[str | int, ...]
MOST, _DEEPEST, _MARKS, _MOST_MARKS = 8 << 20, 24, "\n\r\u2028\u2029\x85:,[{?", 100_000
_UNICODE_BREAKS = {"\x85", "\u2028", "\u2029"}


class _Writer(yaml.SafeDumper):
    """Writes switches as people do: on and off."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _as_text(writer: _Writer, text: str) -> yaml.ScalarNode:
    """Line breaks that only Unicode knows survive as escapes only."""
    style = '"' if _UNICODE_BREAKS & set(text) else None
    return writer.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Writer.add_representer(str, _as_text)
_Writer.add_representer(
    bool, lambda writer, on: writer.represent_scalar("tag:yaml.org,2002:bool", "on" if on else "off")
)


def load(text: str, error: type[MarketableError], file: str | Path | None = None) -> tuple[Any, dict[Place, int]]:
    r"""The document as dicts, lists and text, and the line (from 1) on which each value or key stands.

    Arguments: text, the YAML; error, the exception to raise for what cannot be read; file, its name for messages.
    Raises: error, for broken YAML, duplicate keys, keys that are not plain text, anchors and aliases.

    >>> load("No: on\nsizes: [012]", MarketableError)
    ({'No': 'on', 'sizes': ['012']}, {(): 1, ('No',): 1, ('sizes',): 2, ('sizes', 0): 2})
    """
    if len(text) > MOST or sum(map(text.count, _MARKS)) > _MOST_MARKS:  # each takes its time
        expected = f"at most {_MOST_MARKS:,} lines and values, in {MOST >> 20} MB"
        raise error("This is too long to be settings", file=file, expected=expected)
    depth = 0

    class Loader(yaml.BaseLoader):
        """Composes what it may: an event that is refused is refused before it has an effect."""

        def get_event(self) -> Any:
            nonlocal depth
            event = super().get_event()  # type: ignore[no-untyped-call]
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > _DEEPEST:  # every further bracket would take longer than the one before
                raise error("This is nested too deeply to be settings", file=file, row=event.start_mark.line + 1)
            anchor: str | None = getattr(event, "anchor", None)
            if anchor is not None:
                row = event.start_mark.line + 1
                raise error("Anchors and aliases are not used here", file=file, row=row, value=anchor)
            return event

    try:
        root = yaml.compose(text, Loader=Loader)
    except yaml.YAMLError as fault:
        mark = getattr(fault, "problem_mark", None)
        problem = getattr(fault, "problem", None) or getattr(fault, "reason", None) or "unreadable characters"
        advice = "Quote names that hold a colon, a quote or a bracket; indent with blanks, not tabs."
        raise error(f"This is not YAML: {problem}", file=file, row=mark and mark.line + 1, advice=advice) from None
    lines: dict[Place, int] = {}

    def whole(node: yaml.ScalarNode) -> str:
        if not is_text(node.value):
            raise error("This is not text in UTF-8", file=file, row=node.start_mark.line + 1, value=node.value)
        return str(node.value)

    def build(node: yaml.Node, place: Place) -> Any:
        lines.setdefault(place, node.start_mark.line + 1)
        if isinstance(node, yaml.ScalarNode):
            return whole(node)
        if isinstance(node, yaml.SequenceNode):
            return [build(item, (*place, number)) for number, item in enumerate(node.value)]
        mapping: dict[str, Any] = {}
        for key, value in node.value:
            line = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode):
                raise error("A name must be plain text", file=file, row=line)
            if whole(key) in mapping:
                raise error("This name stands twice", file=file, row=line, value=key.value)
            lines[(*place, key.value)] = line
            mapping[key.value] = build(value, (*place, key.value))
        return mapping

    return (None if root is None else build(root, ())), lines


def is_text(text: str) -> bool:
    """Whether a text can be written down: escapes may stand for halves of letters."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def read(path: str | Path, error: type[MarketableError]) -> tuple[Any, dict[Place, int]]:
    """`load` for a file in UTF-8. Raises: error, also where the file is missing or not text."""
    try:
        text = read_whole(at_home(path), MOST).decode("utf-8-sig")
    except OSError as fault:
        raise error(f"The file cannot be read: {fault.strerror}", file=path, value=str(path)) from None
    except UnicodeDecodeError:
        raise error("The file is not text in UTF-8", file=path) from None
    return load(text, error, path)


def dump(data: Any) -> str:
    """The text that `load` reads back as the same names and values, in the order given; switches as on and off.

    >>> print(dump({"No": True, "été: 'x'": [" a "]}), end="")
    'No': on
    'été: ''x''':
    - ' a '
    """
    return yaml.dump(data, Dumper=_Writer, allow_unicode=True, sort_keys=False, width=2**20)
