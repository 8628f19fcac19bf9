"""The time a plan takes: when to stop, and what is shown meanwhile."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

Progress = Callable[[float, int, int], object]
_SHOWN_AFTER = 1.0  # seconds
_TOLD_EVERY = 0.1


class Watch:
    """Looks at the time, and tells how far the plan is: the best found, and what cannot be beaten."""

    def __init__(self, time_limit: float, progress: Progress | bool | None) -> None:
        self.began, self.time_limit, self.progress = time.monotonic(), time_limit, progress
        self.fixed = self.bound = 0
        self._told = 0.0
        self._bar: Any = None

    @property
    def seconds(self) -> float:
        """How long it has taken."""
        return time.monotonic() - self.began

    def go_on(self, contacts: int) -> bool:
        """Whether there is time left."""
        seconds, best = self.seconds, self.fixed + contacts
        if self.progress is not False and seconds - self._told > _TOLD_EVERY:
            self._told = seconds
            if callable(self.progress):
                self.progress(seconds, best, self.bound)
            elif seconds > _SHOWN_AFTER:
                self._show(seconds, f"{best:,} contacts kept, at most {self.bound:,}")
        return seconds < self.time_limit

    def close(self) -> None:
        """Takes the bar away."""
        if self._bar is not None:
            self._bar.close()

    def _show(self, seconds: float, text: str) -> None:
        if self._bar is None:
            from tqdm.auto import tqdm

            layout = "{desc} |{bar}| {n:.0f} of at most {total:.0f} s"
            self._bar = tqdm(desc=text, total=self.time_limit, leave=False, bar_format=layout)
        self._bar.n = min(seconds, self.time_limit)
        self._bar.set_description_str(text)
