"""What each process that makes reports does: it starts quickly, stops when told to, and ends with a code."""

from __future__ import annotations

import atexit
import contextlib
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

from marketable.errors import ParameterError, UnknownNameError

DONE, BAD_PARAMETERS, BAD_DATA, FAILED, OUT_OF_TIME, STOPPED = 0, 2, 3, 4, 5, 130


class Stop(KeyboardInterrupt):
    """A signal to end.

    A bare KeyboardInterrupt, where it comes while a string is executed (as dataclasses do when they are imported),
    makes `python -m` end by the signal whatever code was asked for; one of our own kind does not.
    """


def begin() -> None:
    """To be called before anything that reads notebooks is loaded."""
    start_quickly()
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, stop)
        atexit.register(signal.signal, each, signal.SIG_IGN)  # all is done then, and Python would end by the signal


def start_quickly() -> None:
    """Leaves out what takes longest to load of all that reads notebooks, and is not needed: jsonschema, by which they
    are checked, would make a grammar for international web addresses, which takes two seconds.
    """
    sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]


def stop(_signal: int, _frame: object) -> None:
    """What a signal to end means, be it Ctrl-C or another."""
    raise Stop


def code_of(error: Exception) -> int:
    """The code that an error ends the command with."""
    fallback = BAD_PARAMETERS if isinstance(error, (ParameterError, UnknownNameError)) else BAD_DATA
    return int(getattr(error, "code", fallback))


@contextlib.contextmanager
def writing(file: Path) -> Iterator[None]:
    """Raises: ParameterError where the system does not let a file be written."""
    try:
        yield
    except (OSError, ValueError, RuntimeError) as error:  # a name that no file can have, links that go in circles
        advice = f"{getattr(error, 'strerror', None) or error}."
        raise ParameterError("This cannot be written", place=("output",), value=str(file), advice=advice) from None
