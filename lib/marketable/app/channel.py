"""The channel between a page and its kernel. What a browser sends is measured before it is unpacked, and takes a tenth
of the app's time at most; of what the kernel says, errors and prints go to the log and not to the browser.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections import Counter
from typing import Any

import tornado.web
from jupyter_server.services.kernels.connection.channels import ZMQChannelsWebsocketConnection
from jupyter_server.services.kernels.websocket import KernelWebsocketHandler
from tornado.iostream import StreamBufferFullError

from .guard import Guarded

MOST_CHANNELS = 3  # of a page; it needs one, and another where its connection was lost
MOST_PARTS = 1_000  # of a message
LONGEST_TEXT = 1_000_000  # bytes of a message that the app itself reads
MOST_UNREAD = 64_000_000  # bytes that wait until a browser takes them
A_SECOND = 16_000_000  # bytes that a channel may bring
_open = Counter[str]()


def is_framed(message: str | bytes, newer: bool) -> bool:
    r"""Whether a message is what it says: so many parts, one after the other, none of them outside it.

    Arguments: newer, whether it comes by the newer of Jupyter's two protocols, in which every message is binary.

    >>> is_framed(b"\0\0\0\1\0\0\0\x08{}", newer=False)
    True
    >>> is_framed(b"\x7f\xff\xff\xff", newer=False)
    False
    """
    if isinstance(message, str):
        return not newer and len(message) <= LONGEST_TEXT
    size, order, least = (8, "little", 6) if newer else (4, "big", 1)
    numbers = memoryview(message)[: size * (MOST_PARTS + 1)]
    count = int.from_bytes(numbers[:size], order)  # type: ignore[arg-type]
    if not least <= count <= MOST_PARTS or size * (count + 1) > len(message):
        return False
    offsets = [int.from_bytes(numbers[at : at + size], order) for at in range(size, size * (count + 1), size)]  # type: ignore[arg-type]
    ends = [size * (count + 1), *offsets, len(message)]
    # The newer protocol begins with the channel's name; then, in both, comes the part that is read here.
    read = ends[1 : 4 if newer else 3]
    return ends == sorted(ends) and read[-1] - read[0] <= LONGEST_TEXT


class Connection(ZMQChannelsWebsocketConnection):
    """Lets a kernel's messages out, but not its code, its errors or what it prints."""

    def handle_outgoing_message(self: Any, stream: str, outgoing_msg: list[Any]) -> None:
        """Sends a message on, or logs it. Who does not read what comes is cut off."""
        _, (_, header, _, _, content, *_) = self.session.feed_identities(outgoing_msg)
        kind = self.session.unpack(header)["msg_type"]
        if kind in ("stream", "error"):
            said = self.session.unpack(content)
            text = said.get("text") or "\n".join(said.get("traceback", []))
            self.log.error("A page's kernel said: %s", re.sub(r"\x1b\[[0-9;]*m", "", text))
        elif kind != "execute_input":
            try:
                super().handle_outgoing_message(stream, outgoing_msg)
            except StreamBufferFullError:
                self.log.warning("A page is cut off: it does not read what it is sent")
                self.websocket_handler.ws_connection.stream.close()


class Channel(Guarded, KernelWebsocketHandler):  # type: ignore[misc]
    """The end of it that the browser speaks with."""

    async def get(self, kernel_id: str) -> None:
        """Opens it, and is busy until it is closed."""
        if _open[kernel_id] >= MOST_CHANNELS:
            raise tornado.web.HTTPError(429)
        _open[kernel_id] += 1
        try:
            await super().get(kernel_id)  # type: ignore[no-untyped-call]
        finally:
            _open[kernel_id] -= 1
            if not _open[kernel_id]:
                del _open[kernel_id]

    async def open(self: Any, kernel_id: str) -> None:
        """It is open."""
        self.ws_connection.stream.max_write_buffer_size = MOST_UNREAD
        await super().open(kernel_id)  # type: ignore[no-untyped-call]

    async def on_message(self, message: str | bytes) -> None:
        """Hands a message to the kernel. The next one is read when others have had their turn."""
        begun = time.monotonic()
        if is_framed(message, newer=bool(self.selected_subprotocol)):
            super().on_message(message)  # type: ignore[no-untyped-call]
        else:
            self.log.warning("A page is cut off: it sent %d bytes that are no message", len(message))
            self.close(1002)
        await asyncio.sleep(9 * (time.monotonic() - begun) + len(message) / A_SECOND)
