"""The app: what it shows, what it does not, and that a page's kernel ends with the page."""

from __future__ import annotations

import asyncio
import base64
import datetime as dt
import http.client
import io
import os
import re
import shutil
import signal
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import Browser, Page, expect
from tornado.httpclient import HTTPClientError
from traitlets import Bunch

import marketable as mk
from lab import REPOSITORY, Running, chromium, in_browser, served_app, violations
from light import Visitor
from marketable.workbench import Explorer, explorer

WIDTHS = [1280, 390]
BROKEN = [
    "# 1 · A *lesson* that `breaks`",
    ("only in JupyterLab", ["jupyterlab"]),
    [
        "import ipywidgets",
        "count = ipywidgets.IntText(description='Counted')",
        "button = ipywidgets.Button(description='Count')",
        "button.on_click(lambda _: setattr(count, 'value', count.value + 1))",
        "ipywidgets.VBox([button, count])",
    ],
    ["import sys", "print('a secret', file=sys.stderr)", "hidden_name = 1 / 0"],
    "## The rest of it",
    ["ipywidgets.HTML('<p class=\"rest\">still works</p>')"],
]
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
    written(folder / "lessons" / "02_second.ipynb", ["Some text", "# 2 · The second\n\nText"])
    written(folder / "lessons" / "01_broken.ipynb", BROKEN)
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
    """The app, which ends kernels without a connection after one second, and unused ones after four."""
    options = ["--Kernels.cull_interval=1", "--Kernels.closed_timeout=1", "--Kernels.idle_timeout=4"]
    with served_app(tmp_path_factory.mktemp("hasty"), *options, notebooks=notebooks) as server:
        yield server


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def page(browser: Browser, app: Running) -> Iterator[Page]:
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    yield page
    page.close(run_before_unload=True)
    assert [url for url in asked if not url.startswith((app.address, "data:", "blob:"))] == []


def ask(app: Running, path: str, method: str = "GET", **headers: str) -> tuple[int, str, http.client.HTTPMessage]:
    """An answer to a request, whose path is sent as it is."""
    connection = http.client.HTTPConnection(app.address.removeprefix("http://"), timeout=60)
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


def test_the_start_page_lists_the_explorer_the_audit_and_the_lessons_by_their_titles_in_order(app: Running) -> None:
    status, body, _ = ask(app, "/")
    listed = re.findall(r'<li><a href="([^"]*)">(.*?)</a>', body)
    assert status == 200
    assert listed == [
        ("/explore", "Who is a marketing contact, and which switch made them one?"),
        ("/audit", "Why are these people marketing contacts, and whom do you pay for?"),
        ("/lessons/01_broken", "1 · A lesson that breaks"),
        ("/lessons/02_second", "2 · The second"),
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


@in_browser
def test_the_explorer_takes_uploads_and_gives_a_download(page: Page, app: Running) -> None:
    page.goto(f"{app.address}/explore")
    expect(page.locator(".mk-at-headline")).to_contain_text("contacts are marketing", timeout=60_000)
    expect(page.get_by_text("Run All Cells")).to_have_count(0)
    assert not [option for option in page.locator("option").all_inner_texts() if "path" in option]
    for label, text, button, file in (
        ("Portal", "Upload a portal.yaml …", "Choose a portal.yaml (0)", "data/portal.yaml"),
        ("Batch", "Upload a small file …", "Choose a file, at most 9 MB (0)", "data/touches.csv"),
    ):
        page.get_by_label(label, exact=True).select_option(text)
        with page.expect_file_chooser() as chooser:
            page.get_by_role("button", name=button).click()
        chooser.value.set_files(REPOSITORY / file)
    expect(page.locator(".mk-at-message")).to_contain_text("touches.csv:")
    expect(page.locator(".mk-at-message")).to_contain_text("under portal.yaml")
    page.get_by_role("button", name="Make a download").click()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download marketable.zip").click()
    with zipfile.ZipFile(download.value.path()) as archive:
        assert {"portal.yaml", "decisions-touches.csv", "counts.csv", "summary.txt"} <= set(archive.namelist())
    assert violations(page) == []
    page.get_by_label("Newsletter", exact=True).click()
    expect(page.get_by_role("link", name="Download marketable.zip")).to_have_count(0)


# ---- the explorer in the app, without a browser ----


@pytest.fixture
def view(monkeypatch: pytest.MonkeyPatch) -> Explorer:
    monkeypatch.setenv("SERVER_SOFTWARE", "voila/0.5.13")
    return Explorer()


def upload(view: Explorer, name: str, content: bytes) -> None:
    now = dt.datetime.now(dt.UTC)
    file = Bunch(name=name, content=memoryview(content), type="", size=len(content), last_modified=now)
    view.account.upload.value = (file,)


def test_in_the_app_no_path_is_read_or_written(view: Explorer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for choice in (view.batch, view.account.choice):
        assert not [label for label, _ in choice.options if "path" in label]
    before, view.path.value, view.account.path.value = view.at["headline"].value, "/etc/passwd", "/etc/passwd"
    assert view.at["headline"].value == before
    view.save_to.value = str(tmp_path / "elsewhere")
    view.save.click()
    assert "data:application/zip;base64," in view.at["saved"].value and list(tmp_path.iterdir()) == []


def test_the_download_holds_what_is_saved_in_jupyterlab(
    view: Explorer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    view.save.click()
    (content,) = re.findall(r'href="data:application/zip;base64,([^"]*)"', view.at["saved"].value)
    monkeypatch.delenv("SERVER_SOFTWARE")
    here = Explorer()
    here.save_to.value = str(tmp_path)
    here.save.click()
    with zipfile.ZipFile(io.BytesIO(base64.b64decode(content))) as archive:
        held = {name: archive.read(name) for name in archive.namelist()}
    assert held == {path.name: path.read_bytes() for path in tmp_path.iterdir()}


def test_a_download_that_would_be_too_large_leaves_the_decisions_out(
    view: Explorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(explorer, "DOWNLOAD_LIMIT", 300_000)
    view.save.click()
    assert (
        "The decisions are left out" in view.at["saved"].value and "decisions-touches.csv" not in view.at["saved"].value
    )


def test_a_portal_is_uploaded_and_a_bad_one_is_explained(view: Explorer) -> None:
    view.account.choice.value = "upload"
    upload(view, "mine.yaml", b"switches: {hubspot_form: {Newsletter: off}}")
    assert view.portal == mk.Portal.of_text("switches: {hubspot_form: {Newsletter: off}}")
    assert "under mine.yaml" in view.at["message"].value and view.account.upload.value == ()
    upload(view, "bad.yaml", b"switchez: 1")
    assert "switches" in view.at["error"].value and view.portal.switches
    upload(view, "image.yaml", b"\xff\xfe\x00")
    assert "not a text file" in view.at["error"].value


def test_a_made_up_batch_is_no_larger_than_the_app_allows_whatever_the_page_asks(view: Explorer) -> None:
    view.size.max = 10**9
    view.size.value = 10**8
    assert len(view.touches) == explorer.SHARED_TOUCHES


def test_a_page_that_is_not_there_is_an_error_for_programs(app: Running) -> None:
    with pytest.raises(urllib.error.HTTPError, match="404"):
        Visitor(app.address).fetch("lessons/09_nothing")
