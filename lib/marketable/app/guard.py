"""Who may come to the app, and what each answer has: the names it is asked under, what other sites ask for, how many
connections are held, strict headers, and words where something went wrong.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable
from typing import Any

import tornado.httpserver
import tornado.web
from tornado.iostream import IOStream

OWN_HOSTS = ("localhost", "127.0.0.1", "[::1]")
HEADERS = {
    # Everything comes from here. JupyterLab compiles its schemas, and widgets carry their styles with them.
    "Content-Security-Policy": "default-src 'self' data: blob:; script-src 'self' 'unsafe-inline' 'unsafe-eval'; "
    "style-src 'self' 'unsafe-inline'; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
SAYINGS = {
    403: (
        "Please open this page from the start page",
        "Another site led here. A page opens only from the start page, so that no other site can open it for you.",
    ),
    404: ("There is no such page", "Perhaps the address was typed with a slip, or the page has moved."),
    421: (
        "The app does not know this address",
        "It answers to the names that it was given, and to no other. Whoever runs the app can add this one.",
    ),
    429: (
        "Many pages are open from where you are",
        "Please close those that you no longer need, wait a minute, and try again.",
    ),
    503: (
        "All places are taken just now",
        "So many people are here at once that one more would slow down everybody. Please come back in a few minutes. "
        "Pages that you no longer need make room when you close them.",
    ),
}
_ANYTHING_ELSE = (
    "This did not work",
    "Please go back to the start page and try again. If it happens again, tell whoever runs this app.",
)


def rendered(settings: dict[str, Any], template: str, **values: Any) -> str:
    """A page that is made of one of the app's own templates."""
    text: str = settings["voila_jinja2_env"].get_template(template).render(base_url=settings["base_url"], **values)
    return text


class Guarded:
    """A handler's first base: it refuses what another site asks for, and shows no error but in words.

    Browsers say which site asks (Sec-Fetch-Site); whoever is no browser cannot be used by another site.
    """

    linked_from_elsewhere = False  # whether other sites may link to it

    def prepare(self: Any) -> Awaitable[None] | None:
        """Refuses what another site asks for."""
        asked = {name: self.request.headers.get(f"Sec-Fetch-{name}") for name in ("Site", "Mode", "Dest")}
        is_link = (asked["Mode"], asked["Dest"]) == ("navigate", "document")
        if asked["Site"] not in (None, "none", "same-origin") and not (self.linked_from_elsewhere and is_link):
            raise tornado.web.HTTPError(403)
        done: Awaitable[None] | None = super().prepare()  # type: ignore[misc]
        return done

    def set_default_headers(self: Any) -> None:
        """Sets the headers that keep the browser strict."""
        self.clear_header("Server")
        for name, value in HEADERS.items():
            self.set_header(name, value)

    def write_error(self: Any, status_code: int, **_: Any) -> None:
        """A page that says what to do."""
        heading, advice = SAYINGS.get(status_code, _ANYTHING_ELSE)
        self.set_header("Content-Type", "text/html; charset=utf-8")
        if status_code in (429, 503):
            self.set_header("Retry-After", "60")
        self.finish(rendered(self.settings, "message.html", heading=heading, advice=advice))


class Refusal(Guarded, tornado.web.RequestHandler):
    """Answers everything with one status. Arguments: status."""

    def initialize(self, status: int) -> None:
        """Keeps it."""
        self.status = status

    def prepare(self) -> None:
        """Says so."""
        raise tornado.web.HTTPError(self.status)


class Server(tornado.httpserver.HTTPServer):
    """Holds so many connections, beside those that pages are loaded and speak through. Where one more comes, whoever
    has the most of them loses the one that is the oldest. Nobody is shut out by connections that do nothing.
    """

    def initialize(self, *arguments: Any, most_connections: int, **options: Any) -> None:  # type: ignore[override]
        """Keeps the limit."""
        super().initialize(*arguments, **options)
        self._most, self._held = most_connections, dict[IOStream, str]()

    def start_request(self, server_conn: Any, request_conn: Any) -> Any:
        """A connection waits for a request."""
        self.release(request_conn.stream)
        self._held[request_conn.stream] = request_conn.context.remote_ip
        if len(self._held) > self._most:
            client, _ = Counter(self._held.values()).most_common(1)[0]
            oldest = next(stream for stream, of in self._held.items() if of == client)
            self.release(oldest)
            oldest.close()
        return super().start_request(server_conn, request_conn)

    def on_close(self, server_conn: Any) -> None:
        """It was closed, or has become a channel."""
        self.release(server_conn.stream)
        super().on_close(server_conn)

    def release(self, stream: IOStream) -> None:
        """Counts a connection no longer: something else limits it."""
        self._held.pop(stream, None)
