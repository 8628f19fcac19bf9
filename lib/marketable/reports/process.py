"""What each process that makes reports does: it starts quickly, stops when told to, and ends with a code."""

from __future__ import annotations

import signal
import sys

from ..errors import ParameterError, UnknownNameError

STOPPED = 130


def begin() -> None:
    """To be called before anything that reads notebooks is loaded."""
    # jsonschema, by which notebooks are checked, would spend a second on a grammar for addresses that they never hold.
    sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
    signal.signal(signal.SIGTERM, stop)


def stop(_signal: int, _frame: object) -> None:
    """What a signal to end means: the same as Ctrl-C."""
    raise KeyboardInterrupt


def code_of(error: Exception) -> int:
    """The code that an error ends the command with."""
    fallback = 2 if isinstance(error, (ParameterError, UnknownNameError)) else 3
    return int(getattr(error, "code", fallback))
