"""Kernels that are forked from one process, which has loaded the library: they start at once, and share its memory.

`Forking` starts kernels for Jupyter. With the first one it starts this module as a process of its own, the nursery,
which imports everything, holds no thread, loop or socket of Jupyter's, and forks a child for each kernel asked for. A
kernel holds one end of a pipe and nothing else does: where it ends, the other end says so. Where the app ends, so
does the nursery, and where the nursery ends, so do its kernels. Elsewhere than on Linux Jupyter starts kernels its
own way.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import importlib
import json
import logging
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.provisioning.local_provisioner import LocalProvisioner
from traitlets import Integer

from .log import Brief

LAUNCHER = "ipykernel_launcher"
POSSIBLE = sys.platform == "linux"  # on macOS its own libraries do not bear it, and Windows does not know it
_QUIET = ["--IPKernelApp.log_level=40", "--HistoryManager.enabled=False"]
# A thread that is there when a process forks is not there in its child; and twenty kernels share few processors anyway.
_ONE_THREAD = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "ARROW_IO_THREADS"), "1") | {
    "JE_ARROW_MALLOC_CONF": "background_thread:false",
    "ARROW_DEFAULT_MEMORY_POOL": "system",  # the other ones set a gigabyte aside, which would count as taken
    "MALLOC_ARENA_MAX": "2",
}
_LENGTH = struct.Struct("!I")
_FILES = 8192
_COURTESY = 5  # by which kernels are nicer than the app, which answers while they compute


class Forking(LocalProvisioner):
    """Forks a Python kernel from the nursery; any other kernel is started as usual."""

    memory = Integer(1024, help="Megabytes that a kernel may take; 0: without a limit.").tag(config=True)

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        """Launches a kernel with a command."""
        if not POSSIBLE or LAUNCHER not in cmd:
            return await super().launch_kernel(cmd, **kwargs)
        request = {
            "arguments": cmd[cmd.index(LAUNCHER) + 1 :],
            "environment": {name: str(value) for name, value in kwargs["env"].items()},
            "folder": str(kwargs.get("cwd") or os.getcwd()),  # noqa: PTH109 - as Popen would have it
            "memory": self.memory,
        }
        forked = await asyncio.to_thread(nursery.fork, request)
        self.process = forked  # type: ignore[assignment]
        self.pid = self.pgid = forked.pid
        self.cwd = request["folder"]
        return self.connection_info


class Forked:
    """A kernel's process, told of as `subprocess.Popen` tells of its own."""

    stdin = stdout = stderr = None

    def __init__(self, pid: int, pipe: int) -> None:
        self.pid, self._pipe = pid, pipe
        os.set_blocking(pipe, False)

    def poll(self) -> int | None:
        """None while it lives."""
        with contextlib.suppress(BlockingIOError):
            os.read(self._pipe, 1)
            return 0
        return None

    def wait(self) -> int:
        """To be called when it is dead."""
        os.close(self._pipe)
        return 0

    def send_signal(self, signum: int) -> None:
        """Signals it, unless it is dead."""
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signum)

    def kill(self) -> None:
        """Ends it at once."""
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        """Asks it to end."""
        self.send_signal(signal.SIGTERM)


class Nursery:
    """The process that forks, as this one speaks to it. It is started with the first kernel, and again if it died."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def fork(self, request: dict[str, Any]) -> Forked:
        """A new kernel."""
        with self._lock:
            if self._process is None or self._process.poll() is not None:
                self._start()
            reading, writing = os.pipe()
            try:
                message = json.dumps(request).encode()
                socket.send_fds(self._socket, [_LENGTH.pack(len(message))], [writing])
                self._socket.sendall(message)
                return Forked(_LENGTH.unpack(_received(self._socket, _LENGTH.size))[0], reading)
            except OSError:
                os.close(reading)
                self._process.kill()  # type: ignore[union-attr]
                raise
            finally:
                os.close(writing)

    def warm(self, folder: Path) -> None:
        """Starts it before it is needed; it loads while the app already listens. Arguments: folder, the app's own."""
        self._folder = folder
        with self._lock:
            if POSSIBLE and self._process is None:
                self._start()

    def _start(self) -> None:
        self._socket, theirs = socket.socketpair()
        self._socket.settimeout(60)
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 - this very module
                [sys.executable, "-m", __name__, str(theirs.fileno()), str(self._folder)],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                env=os.environ | _ONE_THREAD,
                start_new_session=True,
            )


nursery = Nursery()


def own_folder() -> Path:
    """A new folder for what the app keeps for a moment, named by its process. Those of apps that died are removed."""
    prefix = "marketable-app-"
    for path in Path(tempfile.gettempdir()).glob(f"{prefix}*-*") if POSSIBLE else ():
        if not Path("/proc", path.name.removeprefix(prefix).split("-")[0]).exists():
            shutil.rmtree(path, ignore_errors=True)
    return Path(tempfile.mkdtemp(prefix=f"{prefix}{os.getpid()}-"))


def more_files() -> None:
    """Lets the app open as many files as forty pages and many connections need."""
    if POSSIBLE:
        import resource

        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, _FILES), most))


def _received(connection: socket.socket, length: int) -> bytes:
    data = b""
    while len(data) < length:
        part = connection.recv(length - len(data))
        if not part:
            raise ConnectionResetError("The other side has ended")
        data += part
    return data


# ---- in the nursery ----


def _load() -> None:
    """Imports what kernels need, and shows each kind of page once: what they load late is then there too."""
    for name in ("ipykernel.kernelapp", "ipykernel.zmqshell", "matplotlib_inline.backend_inline"):
        importlib.import_module(name)
    import ipywidgets

    from marketable.lessons.panels.lesson import Lesson
    from marketable.workbench.page import NAMES, Workbench

    # To whoever runs the app, and never to a browser: a kernel later puts another stream in this one's place.
    logging.getLogger("marketable").addHandler(Brief(sys.stderr))
    bench = Workbench()
    for page in NAMES:
        bench.open_page(page)
    Lesson("01_what_a_marketing_contact_is").experiment()
    ipywidgets.Widget.close_all()
    gc.collect()
    gc.freeze()


def _serve(connection: socket.socket) -> None:
    while True:
        length, pipes, _, _ = socket.recv_fds(connection, _LENGTH.size, 1)
        if not length:
            return  # the app has ended
        request = json.loads(_received(connection, _LENGTH.unpack(length)[0]))
        child = os.fork()
        if not child:
            connection.close()
            _be_kernel(request)
        for pipe in pipes:
            os.close(pipe)
        connection.sendall(_LENGTH.pack(child))


def _clear(folder: str) -> None:
    """Ends the kernels that are left, and removes what was kept for them, where the app could not do it."""
    with contextlib.suppress(OSError):
        for child in Path("/proc/thread-self/children").read_text().split():
            os.kill(int(child), signal.SIGKILL)
        os.wait()  # which, as nobody waits for the dead, takes until all of them are
    shutil.rmtree(folder, ignore_errors=True)


def _be_kernel(request: dict[str, Any]) -> None:
    import resource

    import ipywidgets
    import numpy as np
    from ipykernel.kernelapp import IPKernelApp

    status = 1
    try:
        os.setsid()
        os.chdir(request["folder"])
        os.environ.clear()
        os.environ.update(request["environment"])
        tempfile.tempdir = None  # it is remembered from before, and each kernel has its own
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        if request["memory"]:
            with contextlib.suppress(ValueError, OSError):
                resource.setrlimit(resource.RLIMIT_DATA, (request["memory"] << 20,) * 2)
        np.random.seed()
        IPKernelApp.log_connection_info = lambda _: None  # type: ignore[method-assign]  # it would print how to connect, for each kernel
        app = IPKernelApp.instance()
        app.initialize([*request["arguments"], *_QUIET, f"--IPKernelApp.parent_handle={os.getppid()}"])
        ipywidgets.register_comm_target()  # it was imported before there was a kernel to do that in
        app.start()
        status = 0
    finally:
        os._exit(status)


if __name__ == "__main__":
    sys.path.pop(0)
    os.nice(_COURTESY)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the dead
    _load()
    with socket.socket(fileno=int(sys.argv[1])) as app:
        _serve(app)
    _clear(sys.argv[2])
