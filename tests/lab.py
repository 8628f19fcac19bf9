"""JupyterLab and the app in a real browser: a server on a free port, and headless Chromium."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect, sync_playwright

REPOSITORY = Path(__file__).resolve().parents[1]
TOKEN = "reader"
CHROMIUM = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Every request to the outside fails at once: nothing here may need one.
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
]
_RULES_OF_AXE = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]
_NO_NEWS = {"@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False}}


@contextlib.contextmanager
def served(folder: Path) -> Iterator[str]:
    """The address of a JupyterLab over copies of the notebooks in a folder; stopped in the end."""
    shutil.copytree(REPOSITORY / "notebooks", folder / "notebooks")
    settings = folder / "settings"
    settings.mkdir()
    (settings / "overrides.json").write_text(json.dumps(_NO_NEWS))
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ServerApp.port_retries=0"]
    command += [
        f"--IdentityProvider.token={TOKEN}",
        f"--LabApp.app_settings_dir={settings}",
        "--LabApp.extension_manager=readonly",
    ]
    with running(command, folder) as server:
        yield server.address


@contextlib.contextmanager
def served_app(folder: Path, *options: str, notebooks: Path = REPOSITORY / "notebooks") -> Iterator[Running]:
    """The app, as `make app` starts it; stopped in the end."""
    command = [sys.executable, "-m", "marketable.app", "--no-browser", f"--App.root_dir={notebooks}"]
    with running([*command, *options], folder) as server:
        yield server


@dataclass(frozen=True)
class Running:
    """A server that runs: its address, its process, and the file it writes its log to."""

    address: str
    process: subprocess.Popen[bytes]
    log: Path


@contextlib.contextmanager
def running(command: list[str], folder: Path) -> Iterator[Running]:
    """A server of Jupyter's on a free port, with a folder for all that it keeps; stopped in the end."""
    names = ("JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR", "JUPYTER_DATA_DIR", "IPYTHONDIR")
    own = {name: str(folder / name) for name in names}
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    path = folder / "server.log"
    with path.open("w") as log:
        server = subprocess.Popen(
            [*command, f"--port={port}"],
            cwd=folder,
            env=os.environ | own,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        try:
            address = f"http://127.0.0.1:{port}"
            _wait_for(address, server, path)
            yield Running(address, server, path)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(server.pid, signal.SIGTERM)
            server.wait(30)


def _wait_for(address: str, server: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(300):
        if server.poll() is not None:
            raise RuntimeError(f"The server stopped: {log.read_text()[-2000:]}")
        with contextlib.suppress(OSError):
            try:
                urllib.request.urlopen(f"{address}/api/status", timeout=5)
                return
            except urllib.error.HTTPError:
                return  # it answers, and asks who is there
        time.sleep(0.1)
    raise RuntimeError(f"The server does not answer: {log.read_text()[-2000:]}")


def chromium_path() -> str | None:
    """Where a Chromium is, if there is one."""
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


def in_browser(test: Callable[..., None]) -> Callable[..., None]:
    """Marks a test that needs a browser. Only where there is none, and not in CI, it is skipped."""
    missing = not chromium_path() and not os.environ.get("CI")
    return pytest.mark.browser(pytest.mark.skipif(missing, reason="no Chromium here; CI installs it")(test))


def violations(page: Page, within: str | None = None) -> list[str]:
    """What axe finds wrong for people who cannot see, or use a mouse: on the page, or in what a selector finds."""
    options = {"runOnly": {"type": "tag", "values": _RULES_OF_AXE}, "resultTypes": ["violations"]}
    found = Axe().run(page, context=within, options=options).response
    assert found["passes"], "axe had nothing to look at"
    return [
        f"{each['id']}: {node['target']} {node['html'][:200]}" for each in found["violations"] for node in each["nodes"]
    ]


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """Headless Chromium, the one that Debian packages."""
    path = chromium_path()
    if path is None:
        raise RuntimeError("There is no Chromium on this machine. On Debian: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=CHROMIUM)
        yield browser
        browser.close()


def run_notebook(page: Page, lab: str, name: str) -> None:
    """Opens a notebook as a person does, and runs all its cells."""
    page.goto(f"{lab}/lab/tree/notebooks/{name}?reset&token={TOKEN}")
    expect(page.get_by_text(re.compile(r"Python 3 \(ipykernel\) \| Idle"))).to_be_visible(timeout=60_000)
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
