"""The app: what it shows, what it does not, and that a page's kernel ends with the page."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import logging
import os
import re
import shutil
import signal
import socket
import sys
import threading
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import ipywidgets
import nbformat
import pytest
from playwright.sync_api import Page, Request, expect
from tornado.httpclient import HTTPClientError
from tornado.websocket import WebSocketClientConnection

from lab import REPOSITORY, Running, in_browser, served_app, violations
from light import Visitor
from marketable.app.log import AN_HOUR, LONGEST, Brief
from marketable.app.serve import MEMORY as SHARED_MEMORY
from marketable.lessons.classroom import Classroom
from marketable.lessons.panels.keeping import Keeping

MEMORY = Path(SHARED_MEMORY)
WIDTHS = [1280, 390]
BROKEN = [
    "# 1 · A *lesson* that `breaks`",
    ("only in JupyterLab", ["jupyterlab"]),
    [
        "import ipywidgets",
        "count = ipywidgets.IntText(description='Counted')",
        "button = ipywidgets.Button(description='Count')",
        "button.on_click(lambda _: setattr(count, 'value', count.value + 1))",
        "failing = ipywidgets.Button(description='Fail')",
        "failing.on_click(lambda _: print('a secret') or 1 / 0)",
        "picture = ipywidgets.Image(value=b'sent as bytes', layout={'display': 'none'})",
        "ipywidgets.VBox([button, count, failing, picture])",
    ],
    ["import sys", "print('a secret', file=sys.stderr)", "hidden_name = 1 / 0"],
    "## The rest of it",
    ["ipywidgets.HTML('<p class=\"rest\">still works</p>')"],
]
KEEPING = ["import pathlib, tempfile", "pathlib.Path(tempfile.mkdtemp(), 'contacts.csv').write_text('a contact')"]
FRIENDLY = "Please reload the page. If it happens again, tell whoever runs this app."


def written(path: Path, cells: list[object]) -> None:
    made = []
    for cell in cells:
        if isinstance(cell, list):
            made.append(nbformat.v4.new_code_cell("\n".join(cell)))
        elif isinstance(cell, tuple):
            made.append(nbformat.v4.new_markdown_cell(cell[0], metadata={"tags": cell[1]}))
        else:
            made.append(nbformat.v4.new_markdown_cell(cell))
    kernel = {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}
    path.parent.mkdir(exist_ok=True)
    nbformat.write(nbformat.v4.new_notebook(cells=made, metadata={"kernelspec": kernel}), path)


@pytest.fixture(scope="module")
def notebooks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("app") / "notebooks"
    shutil.copytree(REPOSITORY / "notebooks", folder, ignore=shutil.ignore_patterns("lessons"))
    written(folder / "lessons" / "02_second.ipynb", ["Some text", "# 2 · The second\n\nText", KEEPING])
    written(folder / "lessons" / "01_broken.ipynb", BROKEN)
    written(folder / "lessons" / "final_test.ipynb", ["# The final test"])
    written(folder / "lessons" / "trainer.ipynb", ["# For the trainer"])
    (folder / "secret.txt").write_text("a secret")
    return folder


@pytest.fixture(scope="module")
def app(notebooks: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The app, with room for three, which looks after its kernels each second."""
    options = ["--Kernels.cull_interval=1", "--App.log_level=WARN", "--pages=3"]
    with served_app(tmp_path_factory.mktemp("served"), *options, notebooks=notebooks) as server:
        yield server


@pytest.fixture(scope="module")
def hasty(notebooks: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The app, which ends kernels without a connection after one second, and unused ones after four, gives two pages
    to each who comes, and waits three seconds for a request.
    """
    options = ["--Kernels.cull_interval=1", "--Kernels.closed_timeout=1", "--Kernels.idle_timeout=4"]
    options += ["--Kernels.most_pages_of_one=2", "--App.request_timeout=3", "--host=app.example.com"]
    with served_app(tmp_path_factory.mktemp("hasty"), *options, notebooks=notebooks) as server:
        yield server


@pytest.fixture
def page(page: Page, app: Running) -> Iterator[Page]:
    page.set_viewport_size({"width": 1280, "height": 900})
    asked: list[str] = []

    def note(request: Request) -> None:
        asked.append(request.url)

    page.on("request", note)
    yield page
    page.remove_listener("request", note)
    assert [url for url in asked if not url.startswith((app.address, "data:", "blob:"))] == []


def ask(
    app: Running, path: str, method: str = "GET", own: str = "127.0.0.1", **headers: str
) -> tuple[int, str, http.client.HTTPMessage]:
    """An answer to a request, whose path is sent as it is, from an address of this machine."""
    connection = http.client.HTTPConnection(app.address.removeprefix("http://"), timeout=60, source_address=(own, 0))
    connection.request(method, path, headers=headers)
    answer = connection.getresponse()
    body = answer.read().decode(errors="replace")
    connection.close()
    return answer.status, body, answer.headers


def alive(app: Running, kernel: str) -> bool:
    return ask(app, f"/api/kernels/{kernel}")[0] == 200


def ends(app: Running, kernel: str, seconds: float) -> bool:
    begun = time.monotonic()
    while alive(app, kernel):
        if time.monotonic() - begun > seconds:
            return False
        time.sleep(0.2)
    return True


@pytest.fixture
def visitor(app: Running) -> Iterator[Visitor]:
    """Somebody at the broken lesson, whose kernel is ended afterwards."""
    visitor = Visitor(app.address)
    visitor.fetch("lessons/01_broken")
    yield visitor
    leave(visitor)


def leave(visitor: Visitor) -> int:
    """Closes the page, as a browser does."""
    url = f"{visitor.address}/voila/api/shutdown/{visitor.kernel}"
    with urllib.request.urlopen(urllib.request.Request(url, method="POST"), timeout=60) as answer:
        return int(answer.status)


# ---- what is reachable ----


def test_the_start_page_has_a_card_for_your_account_the_sample_and_the_lessons_and_lists_these_in_order(
    app: Running,
) -> None:
    status, body, _ = ask(app, "/")
    cards = re.findall(r'<a class="app-card" href="([^"]*)">.*?<strong>(.*?)</strong>', body, re.S)
    assert status == 200
    assert cards == [("/audit", "Your account"), ("/explore", "The sample"), ("/lessons/01_broken", "Lessons")]
    assert re.findall(r'<li><a href="([^"]*)">(.*?)</a>', body) == [
        ("/lessons/01_broken", "1 · A lesson that breaks"),
        ("/lessons/02_second", "2 · The second"),
        ("/lessons/final_test", "The final test"),
    ]


NOT_REACHABLE = [
    "/report", "/report.ipynb", "/what_if", "/lessons/trainer", "/lessons/trainer.ipynb", "/lessons/", "/secret.txt",
    "/images/explorer.png", "/data/portal.yaml", "/saved/report.html", "/tree", "/lab", "/terminals/1", "/login",
    "/voila/tree", "/voila/tree/lessons", "/voila/render/report.ipynb", "/voila/render/explore.ipynb",
    "/voila/files/images/explorer.png", "/voila/files/../secret.txt", "/files/secret.txt", "/files/etc/passwd",
    "/voila/api/contents/", "/voila/api/contents/lessons", "/api/contents", "/api/contents/secret.txt",
    "/api/kernels", "/api/kernels/", "/api/sessions", "/api/terminals", "/api/kernelspecs", "/api/status",
    "/api/kernels/00000000-0000-0000-0000-000000000000", "/voila/execution/00000000-0000-0000-0000-000000000000",
    "/voila/query/00000000-0000-0000-0000-000000000000", "/voila/api/themes/", "/metrics", "/static/", "/favicon.ico",
    "/voila/static/", "/voila/static/../../../../etc/passwd", "/voila/static/..%2f..%2f..%2fetc%2fpasswd",
    "/voila/static/%2e%2e/%2e%2e/secret.txt", "/voila/static//etc/passwd", "/voila/static/%2fetc%2fpasswd",
    "/voila/static/..%252f..%252fsecret.txt", "/voila/static/..\\..\\secret.txt", "/voila/static/%c0%ae%c0%ae/x",
    "/voila/templates/../static/page.html", "/voila/templates/marketable/static/../page.html",
    "/voila/templates/marketable/static/..%2fpage.html", "/voila/templates/lab/static/index.css",
    "/voila/templates/%2e%2e/static/x", "/voila/labextensions/../secret.txt",
    "/voila/labextensions/@jupyter-widgets/jupyterlab-manager/package.json",
    "/voila/labextensions/@jupyter-widgets/jupyterlab-manager/static/..%2f..%2f..%2f..%2fsecret.txt",
    "/lessons/../report", "/lessons/..%2freport", "/lessons/%2e%2e/report.ipynb", "/..%2f..%2fREADME.md",
    "/lessons/01_broken/../trainer", "//etc/passwd", "/explore%00", "/explore.ipynb%00.txt", "/explore/", "/explore.py",
]  # fmt: skip


@pytest.mark.parametrize("path", NOT_REACHABLE)
def test_nothing_else_is_reachable_and_the_answer_is_kind(app: Running, path: str) -> None:
    status, body, _ = ask(app, path)
    assert status == 404
    if not path.startswith("/api/"):
        assert "<h1>There is no such page</h1>" in body and '<a href="/">To the start page</a>' in body
    assert "a secret" not in body and "root:" not in body and "Traceback" not in body


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_nothing_is_changed_from_outside(app: Running, visitor: Visitor, method: str) -> None:
    for path in ["/", "/explore", "/api/kernels", f"/api/kernels/{visitor.kernel}", "/voila/api/contents/x"]:
        assert ask(app, path, method)[0] in (403, 404, 405)
    assert alive(app, visitor.kernel)


@pytest.mark.parametrize("path", ["/", "/lessons/01_broken", "/nothing", "/voila/static/voila.js"])
def test_each_answer_keeps_the_browser_strict(app: Running, visitor: Visitor, path: str) -> None:
    headers = visitor.headers if path.startswith("/lessons") else ask(app, path)[2]
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert "default-src 'self'" in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff" and headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Set-Cookie"] is None and headers["Server"] is None


def test_a_page_shows_no_code_and_is_not_kept_by_the_browser(app: Running, visitor: Visitor) -> None:
    for code in (
        "import ipywidgets",
        "hidden_name",
        "ZeroDivisionError",
        "Traceback",
        "a secret",
        "only in JupyterLab",
    ):
        assert code not in visitor.page
    assert "<title>1 · A lesson that breaks · marketable</title>" in visitor.page
    assert visitor.page.count(FRIENDLY) == 1
    assert "https://" not in re.sub(r"https://www\.w3\.org\S*", "", visitor.page.split('id="rendered_cells"')[0])
    assert "ZeroDivisionError" in app.log.read_text()  # whoever runs the app is told


# ---- channels ----


@pytest.mark.parametrize("channel", ["shell", "control", "stdin"])
def test_no_code_is_run_for_a_client(app: Running, visitor: Visitor, tmp_path: Path, channel: str) -> None:
    written = tmp_path / "written"
    code = f"open({str(written)!r}, 'w').close()"
    execute = {"code": code, "silent": False, "store_history": False, "user_expressions": {}, "allow_stdin": False}

    async def try_to() -> list[str]:
        await visitor.connect()
        await visitor.send("execute_request", execute, channel)
        await visitor.send("execute_request", execute | {"code": "", "user_expressions": {"x": code}}, channel)
        for kind in ("complete_request", "inspect_request"):
            await visitor.send(kind, {"code": code, "cursor_pos": len(code), "detail_level": 1}, channel)
        debug = {"type": "request", "seq": 1, "command": "evaluate", "arguments": {"expression": code}}
        await visitor.send("debug_request", debug, channel)
        await visitor.send("create_subshell_request", {}, channel)
        await visitor.send("comm_open", {"comm_id": "x", "target_name": "no such", "target_module": "os", "data": {}})
        return [message["msg_type"] for message in await visitor.answered()]

    said = asyncio.run(try_to())
    assert not {kind for kind in said if kind.startswith(("execute", "complete", "inspect", "debug", "create"))}
    assert not written.exists()
    assert '"execute_request", which is not allowed. Ignoring' in app.log.read_text()
    assert alive(app, visitor.kernel)


def test_a_channel_opens_for_the_apps_own_pages_only(visitor: Visitor) -> None:
    with pytest.raises(HTTPClientError, match="403"):
        asyncio.run(visitor.connect(Origin="http://evil.example"))
    nobody = Visitor(visitor.address, "00000000-0000-0000-0000-000000000000")
    with pytest.raises(HTTPClientError, match="404"):
        asyncio.run(nobody.connect())


def test_a_widget_works_through_the_channel(visitor: Visitor) -> None:
    async def click() -> int:
        await visitor.connect()
        widgets = await visitor.widgets()
        button = next(name for name, state in widgets.items() if state.get("description") == "Count")
        await visitor.send("comm_msg", {"comm_id": button, "data": {"method": "custom", "content": {"event": "click"}}})
        await visitor.answered()
        return next(s["value"] for s in (await visitor.widgets()).values() if s.get("description") == "Counted")

    assert asyncio.run(click()) == 1


# ---- kernels ----


def test_errors_of_a_page_go_to_the_log_and_not_to_the_browser(app: Running, visitor: Visitor) -> None:
    async def make_errors() -> str:
        await visitor.connect()
        names = {str(state.get("description")): name for name, state in (await visitor.widgets()).items()}
        click = {"method": "custom", "content": {"event": "click"}}
        await visitor.send("comm_msg", {"comm_id": names["Fail"], "data": click})
        bad = {"method": "update", "state": {"value": "no number"}, "buffer_paths": []}
        await visitor.send("comm_msg", {"comm_id": names["Counted"], "data": bad})
        await visitor.send("comm_open", {"comm_id": "x", "target_name": "jupyter.widget", "data": {"state": 1}})
        said = await visitor.answered()
        await asyncio.sleep(1)
        return json.dumps(said + await visitor.answered(), default=str)

    said = asyncio.run(make_errors())
    assert "Traceback" not in said and "ZeroDivision" not in said and "a secret" not in said
    log = app.log.read_text()
    assert "ZeroDivisionError: division by zero" in log and "no number" in log


def test_the_kernel_of_a_closed_page_ends_and_that_of_an_open_one_lives_on(hasty: Running) -> None:
    visitor = Visitor(hasty.address)
    visitor.fetch("lessons/02_second")

    async def stay() -> None:
        await visitor.connect()
        await asyncio.sleep(2.5)
        assert await asyncio.to_thread(alive, hasty, visitor.kernel)
        visitor.socket.close()

    asyncio.run(stay())
    assert alive(hasty, visitor.kernel)  # a connection may have been lost, and come back
    assert ends(hasty, visitor.kernel, 4)


def test_the_kernel_of_a_page_that_is_open_and_unused_for_long_ends_and_its_channel_closes(hasty: Running) -> None:
    visitor = Visitor(hasty.address)
    visitor.fetch("lessons/02_second")

    async def doze() -> None:
        await visitor.connect()
        while True:
            await visitor.receive(10)

    with pytest.raises(ConnectionError, match="closed"):
        asyncio.run(doze())
    assert not alive(hasty, visitor.kernel)


def test_only_so_many_pages_open_at_once_and_the_next_visitor_is_asked_to_come_back(app: Running) -> None:
    visitors = [Visitor(app.address) for _ in range(3)]
    for each in visitors:
        each.fetch("lessons/02_second")
    status, body, headers = ask(app, "/lessons/02_second")
    assert status == 503 and headers["Retry-After"] == "60"
    assert "<h1>All places are taken just now</h1>" in body and '<a href="/">' in body
    assert ask(app, "/")[0] == 200
    for each in visitors:
        assert leave(each) == 204 and not alive(app, each.kernel)
    assert leave(visitors[0]) == 204  # said twice, it does no harm
    visitors[0].fetch("lessons/02_second")
    leave(visitors[0])


def started(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(child) for child in children.read_text().split()]


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="looks into /proc")
def test_kernels_are_forked_within_limits_and_the_app_outlives_their_nursery(app: Running, visitor: Visitor) -> None:
    (nursery,) = started(app.process.pid)
    assert len(list(Path(f"/proc/{nursery}/task").iterdir())) == 1  # a thread would not be there in a child
    (kernel,) = started(nursery)
    limits = Path(f"/proc/{kernel}/limits").read_text()
    assert re.search(rf"Max data size +{1024 << 20} ", limits)
    os.kill(nursery, signal.SIGKILL)
    assert ends(app, visitor.kernel, 8)
    visitor.fetch("lessons/02_second")
    assert alive(app, visitor.kernel)


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="looks into /proc")
def test_nothing_is_left_running_when_the_app_is_killed(notebooks: Path, tmp_path: Path) -> None:
    with served_app(tmp_path, notebooks=notebooks) as killed:
        Visitor(killed.address).fetch("lessons/02_second")
        (nursery,) = started(killed.process.pid)
        (kernel,) = started(nursery)
        killed.process.kill()
        killed.process.wait()
        for _ in range(50):
            if not Path(f"/proc/{nursery}").exists() and not Path(f"/proc/{kernel}").exists():
                return
            time.sleep(0.1)
        raise AssertionError("something is left")


# ---- what is left behind ----


def kept(app: Running) -> list[str]:
    """The files that the app keeps for a moment in shared memory, without the connections to its kernels."""
    found = [path for path in MEMORY.glob(f"marketable-app-{app.process.pid}-*/*") if path.name != "ipc"]
    return [str(path) for folder in found for path in [folder, *folder.rglob("*")]]


def emptied(app: Running, seconds: float) -> bool:
    begun = time.monotonic()
    while kept(app) and time.monotonic() - begun < seconds:
        time.sleep(0.1)
    return not kept(app)


in_memory = pytest.mark.skipif(not MEMORY.is_dir() or "TMPDIR" in os.environ, reason="looks into shared memory")


@in_memory
@pytest.mark.parametrize("how", ["closed", "killed", "lost"])
def test_what_a_page_keeps_for_a_moment_is_gone_with_it(hasty: Running, how: str) -> None:
    visitor = Visitor(hasty.address)
    visitor.fetch("lessons/02_second")
    assert [path for path in kept(hasty) if path.endswith("contacts.csv") and visitor.kernel in path]
    if how == "closed":
        leave(visitor)
    elif how == "killed":
        (nursery,) = started(hasty.process.pid)
        for kernel in started(nursery):
            os.kill(kernel, signal.SIGKILL)
    assert emptied(hasty, 0.5 if how == "closed" else 8)


@in_memory
def test_what_is_kept_is_gone_when_the_app_is_killed_or_at_its_next_start(notebooks: Path, tmp_path: Path) -> None:
    with served_app(tmp_path, notebooks=notebooks) as killed:
        Visitor(killed.address).fetch("lessons/02_second")
        assert kept(killed)
        killed.process.kill()
        killed.process.wait()
        assert emptied(killed, 10)
    left = MEMORY / f"marketable-app-{killed.process.pid}-left"
    left.mkdir()
    with served_app(tmp_path, notebooks=notebooks):
        assert not left.exists()


# ---- hostile clients, beside an honest one ----


@contextlib.contextmanager
def answered_within_a_second(app: Running) -> Iterator[None]:
    """Somebody who asks for the start page again and again, and never waits for longer than a second."""
    waited, done = [], threading.Event()

    def ask_again_and_again() -> None:
        while not done.is_set():
            begun = time.monotonic()
            assert ask(app, "/", own="127.0.0.9")[0] == 200
            waited.append(time.monotonic() - begun)
            done.wait(0.05)

    with ThreadPoolExecutor(1) as pool:
        asking = pool.submit(ask_again_and_again)
        try:
            yield
            time.sleep(0.3)
        finally:
            done.set()
        asking.result()
    print(f"the start page took {max(waited):.3f} s at most, of {len(waited)} times")
    assert len(waited) >= 2 and max(waited) < 1


def newer(*numbers: int, rest: bytes = b"") -> bytes:
    return b"".join(number.to_bytes(8, "little") for number in numbers) + rest


def older(*numbers: int, rest: bytes = b"") -> bytes:
    return b"".join(number.to_bytes(4, "big") for number in numbers) + rest


NEWER = ["v1.kernel.websocket.jupyter.org"]
NO_MESSAGES: dict[str, Callable[[], tuple[list[str] | None, bytes | str]]] = {
    "a count of 2^25": lambda: (NEWER, newer(2**25)),
    "a count of 2^63": lambda: (NEWER, newer(2**63)),
    "the largest count": lambda: (NEWER, newer(2**64 - 1)),
    "a count of nothing": lambda: (NEWER, newer(0)),
    "more parts than bytes": lambda: (NEWER, newer(900, rest=b"x" * 800)),
    "parts over one another": lambda: (NEWER, newer(900, *[7208, 8_000_000] * 450, rest=b"x" * 8_000_000)),
    "parts beyond the end": lambda: (NEWER, newer(6, 56, 61, 63, 65, 67, 2**62, rest=b"shell{}{}{}{}")),
    "a million empty parts": lambda: (NEWER, newer(10**6, *[8_000_008] * 10**6)),
    "deep in the header": lambda: (NEWER, newer(6, 56, 61, 10**5, 10**5, 10**5, 10**5, rest=b"shell" + b"[" * 10**6)),
    "text in the newer protocol": lambda: (NEWER, "{}"),
    "nothing": lambda: (NEWER, b""),
    "a count of 2^25, older": lambda: (None, older(2**25)),
    "a count of 2^31 - 1, older": lambda: (None, older(2**31 - 1)),
    "a negative count, older": lambda: (None, older(2**32 - 1)),
    "eight bytes, older": lambda: (None, older(2**25, 2**25)),
    "parts over one another, older": lambda: (None, older(900, *[4, 8_000_000] * 450, rest=b"x" * 8_000_000)),
    "numbers by the million": lambda: (None, "[" + "0," * 10**7 + "0]"),
    "deep": lambda: (None, "[" * 900_000),
    "no object": lambda: (None, "[]"),
    "no JSON": lambda: (None, "x"),
}


@pytest.mark.parametrize("case", NO_MESSAGES)
def test_what_is_no_message_closes_its_channel_and_nobody_waits(app: Running, visitor: Visitor, case: str) -> None:
    protocols, message = NO_MESSAGES[case]()

    async def until_closed() -> None:
        channel = await visitor.open(protocols)
        await channel.write_message(message, binary=isinstance(message, bytes))
        while await asyncio.wait_for(channel.read_message(), 10) is not None:
            pass

    with answered_within_a_second(app):
        asyncio.run(until_closed())
    assert alive(app, visitor.kernel)


def test_a_page_that_sends_without_pause_is_slowed_down_and_nobody_waits(app: Running, visitor: Visitor) -> None:
    header = {"msg_id": "1", "msg_type": "comm_msg", "session": "s", "username": "", "version": "5.3"}
    message = {"header": header, "parent_header": {}, "metadata": {}, "channel": "shell", "buffers": []}

    async def flood(size: int, end: float) -> None:
        channel = await visitor.open()
        while time.monotonic() < end:
            sent = channel.write_message(json.dumps(message | {"content": {"comm_id": "x" * size, "data": {}}}))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(asyncio.shield(sent), 0.05)
        channel.close()

    async def floods() -> None:
        end = time.monotonic() + 4
        await asyncio.gather(*(flood(size, end) for size in (1, 1, 900_000)))

    with answered_within_a_second(app):
        asyncio.run(floods())
    assert alive(app, visitor.kernel)


def test_a_page_has_three_channels(app: Running, visitor: Visitor) -> None:
    async def open_many() -> tuple[int, int]:
        many = await asyncio.gather(*(visitor.open() for _ in range(100)), return_exceptions=True)
        opened = [channel for channel in many if isinstance(channel, WebSocketClientConnection)]
        refused = [fault for fault in many if isinstance(fault, HTTPClientError) and fault.code == 429]
        for channel in opened:
            channel.close()
        return len(opened), len(refused)

    with answered_within_a_second(app):
        assert asyncio.run(open_many()) == (3, 97)


BEGINNINGS = [
    b"",
    b"GET / HTTP/1.1\r\nHost: localhost\r\n",
    b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
]


def test_connections_that_do_nothing_shut_nobody_out_and_end(hasty: Running) -> None:
    host, port = hasty.address.removeprefix("http://").split(":")
    with contextlib.ExitStack() as stack:
        idle = []
        with answered_within_a_second(hasty):
            for number in range(1200):
                time.sleep(0.003)
                idle.append(stack.enter_context(socket.create_connection((host, int(port)), timeout=10)))
                idle[-1].sendall(BEGINNINGS[number % len(BEGINNINGS)])
        for each in idle:
            with contextlib.suppress(ConnectionError):
                while each.recv(4096):
                    pass  # until it is closed; where it is not, the time is out


def test_one_who_comes_takes_no_more_than_a_share_of_the_places(hasty: Running) -> None:
    visitors = [Visitor(hasty.address) for _ in range(2)]
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda visitor: visitor.fetch("lessons/02_second"), visitors))
    # A header is not believed that whoever comes can write.
    headers: list[dict[str, str]] = [{}, {"X-Real-IP": "10.0.0.1"}, {"X-Forwarded-For": "10.0.0.1"}]
    for each in headers:
        status, body, answer = ask(hasty, "/lessons/02_second", **each)
        assert status == 429 and answer["Retry-After"] == "60"
        assert "<h1>Many pages are open from where you are</h1>" in body
    assert ask(hasty, "/lessons/02_second", own="127.0.0.2")[0] == 200
    for visitor in visitors:
        leave(visitor)


FOREIGN = ["evil.example", "evil.example:8866", "localhost.evil.example", "127.0.0.1.example", "10.0.0.1", "[::2]"]


@pytest.mark.parametrize("host", FOREIGN)
def test_the_app_answers_to_no_name_but_its_own(hasty: Running, host: str) -> None:
    for path in ("/", "/explore", "/nothing", "/voila/static/voila.js", f"/api/kernels/{uuid.UUID(int=0)}/channels"):
        status, body, _ = ask(hasty, path, Host=host)
        assert status == 421 and "<h1>The app does not know this address</h1>" in body
    for own in ("localhost", "LOCALHOST:8866", "127.0.0.1", "[::1]:8866", "app.example.com"):
        assert ask(hasty, "/", Host=own)[0] == 200


def test_no_other_site_opens_a_page_and_a_link_leads_to_the_start(app: Running) -> None:
    link = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    frame, image = link | {"Sec-Fetch-Dest": "iframe"}, {"Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"}
    for site in ("cross-site", "same-site"):
        for kind in (link, frame, image):
            for path in ("/explore", "/lessons/02_second", "/voila/static/voila.js"):
                status, body, _ = ask(app, path, **{"Sec-Fetch-Site": site}, **kind)
                assert status == 403 and "<h1>Please open this page from the start page</h1>" in body
        assert ask(app, "/", **{"Sec-Fetch-Site": site}, **link)[0] == 200
        assert ask(app, "/", **{"Sec-Fetch-Site": site}, **frame)[0] == 403
    for site in ("same-origin", "none"):
        status, body, _ = ask(app, "/lessons/02_second", **{"Sec-Fetch-Site": site}, **link)
        assert status == 200
        leave(Visitor(app.address, re.findall(r'"kernelId": "([0-9a-f-]{36})"', body)[0]))


def test_the_log_has_a_bound(capsys: pytest.CaptureFixture[str]) -> None:
    log = logging.Logger("hostile")
    log.addHandler(Brief(sys.stderr))
    log.error("%sthe end", "x" * 10**8)
    written = capsys.readouterr().err
    assert len(written) < LONGEST + 100 and written.endswith("the end\n")
    for _ in range(1000):
        log.error("y" * 10**4)
    assert len(capsys.readouterr().err) <= AN_HOUR


def parts(box: ipywidgets.Box) -> Iterator[ipywidgets.Widget]:
    for child in box.children:
        yield child
        if isinstance(child, ipywidgets.Box):
            yield from parts(child)


def keeping(folder: Path) -> tuple[Keeping, dict[str, ipywidgets.Widget]]:
    line = Keeping("03_the_tools_with_a_switch", Classroom(), folder)
    return line, {widget.description: widget for widget in parts(line) if hasattr(widget, "description")}


def test_codes_are_neither_made_nor_guessed_by_the_thousand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SERVER_SOFTWARE", "voila/0.5.13")
    line, named = keeping(tmp_path)
    make = named["Keep my progress"]
    for _ in range(300):
        make.click()
    assert len(list(tmp_path.glob("progress-*"))) == 5
    assert any("made enough codes" in str(getattr(widget, "value", "")) for widget in parts(line))

    def guess(code: str) -> None:
        _, named = keeping(tmp_path)
        named["My code"].value = code
        named["Continue"].click()

    begun = time.monotonic()
    with ThreadPoolExecutor(3) as pages:
        list(pages.map(guess, ("222222", "333333", "444444")))
    assert time.monotonic() - begun > 3  # one a second, on however many pages


# ---- in a browser ----


@in_browser
def test_the_pages_are_accessible_and_lead_back_to_the_start(page: Page, app: Running) -> None:
    for path in ("", "lessons/01_broken", "nothing"):
        page.goto(f"{app.address}/{path}")
        if path.startswith("lessons"):
            expect(page.locator(".rest")).to_have_text("still works", timeout=30_000)
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            assert violations(page) == []
            assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.locator("html").get_attribute("lang") == "en" and page.title().endswith(("marketable", "lessons"))
        expect(page.get_by_role("main")).to_have_count(1)
        if path:
            page.get_by_role("banner").get_by_role("link").click()
            expect(page.get_by_role("heading", name="marketable", exact=True)).to_be_visible()


@in_browser
def test_a_part_that_fails_says_so_and_the_rest_works(page: Page, app: Running) -> None:
    page.goto(f"{app.address}/lessons/01_broken.ipynb")
    expect(page.locator(".rest")).to_have_text("still works", timeout=30_000)
    expect(page.get_by_role("alert")).to_have_text(f"This part could not be shown. {FRIENDLY}")
    page.get_by_role("button", name="Count", exact=True).click()
    expect(page.get_by_label("Counted")).to_have_value("1")
    assert "hidden_name" not in page.content() and "ZeroDivision" not in page.content()


@in_browser
def test_a_page_that_is_left_ends_its_kernel_and_one_that_lost_it_says_so(page: Page, app: Running) -> None:
    page.goto(f"{app.address}/lessons/01_broken")
    read = "JSON.parse(document.getElementById('jupyter-config-data').textContent).kernelId"
    expect(page.locator(".rest")).to_have_text("still works", timeout=30_000)
    first = page.evaluate(read)
    page.reload()
    assert ends(app, first, 3)
    expect(page.locator(".rest")).to_have_text("still works", timeout=30_000)
    ask(app, f"/voila/api/shutdown/{page.evaluate(read)}", "POST")
    expect(page.locator(".app-lost")).to_contain_text("Reload it to start afresh", timeout=20_000)
    assert violations(page) == []


def test_a_page_that_is_not_there_is_an_error_for_programs(app: Running) -> None:
    with pytest.raises(urllib.error.HTTPError, match="404"):
        Visitor(app.address).fetch("lessons/09_nothing")
