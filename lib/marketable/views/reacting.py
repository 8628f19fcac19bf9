"""What widgets call, called so that every error is shown; one that nobody expected keeps its traceback in the log."""

from __future__ import annotations

import logging
from collections.abc import Callable

import ipywidgets as widgets

from marketable.errors import MarketableError

from . import pieces


def react(callback: Callable[[], object], error: widgets.HTML) -> None:
    """Runs a callback. Its errors appear in a widget, beside what was used."""
    try:
        callback()
    except MarketableError as fault:
        error.value = pieces.alert(str(fault))
    except OSError as fault:
        error.value = pieces.alert(f"The disk says no: {fault}")
    except Exception as fault:
        logging.getLogger(__name__).exception("A widget's callback failed")
        error.value = pieces.alert(f"Something went wrong that should not have: {type(fault).__name__}: {fault}")
