"""The log of the app: whoever runs it reads there what went wrong, and nobody from outside fills the disk with it."""

from __future__ import annotations

import logging
import time

LONGEST = 8_000  # letters of a record
AN_HOUR = 1_000_000  # letters in an hour


class Brief(logging.StreamHandler):  # type: ignore[type-arg]
    """Writes to the standard error stream. A long record is cut in its middle; what an hour brings beyond its share is
    counted, and the count stands before the next record that is written.
    """

    _hour, _written, _left_out = 0, 0, 0

    def format(self, record: logging.LogRecord) -> str:
        """The record as it is written, not too long."""
        text, half = super().format(record), LONGEST // 2
        return text if len(text) <= LONGEST else f"{text[:half]} … {len(text):,} letters … {text[-half:]}"

    def emit(self, record: logging.LogRecord) -> None:
        """Writes it, unless the hour's share is used up."""
        hour = int(time.time() // 3600)
        if hour != self._hour:
            self._hour, self._written = hour, 0
        self._written += min(len(self.format(record)), LONGEST)
        if self._written > AN_HOUR:
            self._left_out += 1
            return
        if self._left_out:
            self.stream.write(f"{self._left_out:,} records were left out: there was too much to log\n")
            self._left_out = 0
        super().emit(record)
