"""A visitor of the app without a browser: opens a page, speaks with its kernel as the page would, flips a switch."""

from __future__ import annotations

import asyncio
import json
import re
import urllib.request
import uuid
from dataclasses import dataclass, field
from email.message import Message
from typing import Any

from jupyter_server.services.kernels.connection.base import deserialize_binary_message
from tornado.httpclient import HTTPRequest
from tornado.websocket import WebSocketClientConnection, websocket_connect


@dataclass
class Visitor:
    """Somebody who is at the app. Arguments: address, of the app."""

    address: str
    kernel: str = ""
    page: str = ""
    headers: Message = field(default_factory=Message, repr=False)
    socket: WebSocketClientConnection | None = field(default=None, repr=False)

    def fetch(self, path: str) -> str:
        """Opens a page, which is sent when its kernel has run all of it."""
        with urllib.request.urlopen(f"{self.address}/{path}", timeout=180) as answer:
            self.page, self.headers = answer.read().decode(), answer.headers
        found = re.search(r'"kernelId": "([0-9a-f-]{36})"', self.page)
        self.kernel = found[1] if found else ""
        return self.page

    async def open(self, protocols: list[str] | None = None, **headers: str) -> WebSocketClientConnection:
        """Opens a channel of the page's kernel, and says nothing."""
        url = f"{self.address.replace('http', 'ws', 1)}/api/kernels/{self.kernel}/channels?session_id={uuid.uuid4()}"
        request = HTTPRequest(url, headers={"Origin": self.address, **headers}, connect_timeout=60, request_timeout=60)
        return await websocket_connect(request, max_message_size=1 << 28, subprotocols=protocols)

    async def connect(self, **headers: str) -> None:
        """Opens the channel of the page's kernel, and waits until it answers."""
        self.socket = await self.open(**headers)
        await self.answered()  # what the kernel says before the channel is set up is lost

    async def send(self, kind: str, content: dict[str, Any], channel: str = "shell") -> str:
        """Sends the kernel a message; its id."""
        header = {"msg_id": uuid.uuid4().hex, "msg_type": kind, "session": "s", "username": "", "version": "5.3"}
        message = {"header": header, "parent_header": {}, "metadata": {"version": "1.0.0"}, "content": content}
        assert self.socket is not None
        await self.socket.write_message(json.dumps(message | {"channel": channel, "buffers": []}))
        return str(header["msg_id"])

    async def receive(self, seconds: float = 60) -> dict[str, Any]:
        """The next message."""
        assert self.socket is not None
        data = await asyncio.wait_for(self.socket.read_message(), seconds)
        if data is None:
            raise ConnectionError("The channel was closed")
        message: dict[str, Any] = deserialize_binary_message(data) if isinstance(data, bytes) else json.loads(data)
        return message

    async def answered(self, seconds: float = 60) -> list[dict[str, Any]]:
        """What the kernel said until it answered who it is: it has then seen all that was sent before."""
        asked, said = await self.send("kernel_info_request", {}), []
        while True:
            said.append(await self.receive(seconds))
            if said[-1]["msg_type"] == "kernel_info_reply" and said[-1]["parent_header"]["msg_id"] == asked:
                return said

    async def widgets(self) -> dict[str, dict[str, Any]]:
        """The widgets of the page: their states, by id."""
        control = uuid.uuid4().hex
        await self.send("comm_open", {"comm_id": control, "target_name": "jupyter.widget.control", "data": {}})
        await self.send("comm_msg", {"comm_id": control, "data": {"method": "request_states"}})
        while True:
            data = (await self.receive())["content"].get("data", {})
            if data.get("method") == "update_states":
                return {name: widget["state"] for name, widget in data["states"].items()}

    async def flip(self, widget: str, value: bool, pictures: int) -> None:
        """Sets a checkbox, and waits until so many pictures have changed."""
        data = {"method": "update", "state": {"value": value}, "buffer_paths": []}
        await self.send("comm_msg", {"comm_id": widget, "data": data})
        while pictures:
            state = (await self.receive())["content"].get("data", {}).get("state", {})
            pictures -= "<img" in str(state.get("value", ""))
