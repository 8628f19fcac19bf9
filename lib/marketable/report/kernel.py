"""A kernel that stays warm: it starts while parameters are still read, loads the library, and runs one notebook after
the other, each in an empty namespace.
"""

from __future__ import annotations

import contextlib
import time

from jupyter_client.asynchronous.client import AsyncKernelClient
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from jupyter_core.utils import run_sync

# These name nothing, so that no notebook can lean on them. What is loaded stays, and need not be swept each time.
_LOADED = "__import__('marketable.report.sections'), __import__('gc').freeze()"
_QUIET = "--IPKernelApp.log_level=40"  # not a word about TCP: the kernel listens on this machine only


class WarmKernel:
    """A Python kernel for notebooks of reports; it ends with the `with` block, and with this process in any case."""

    _client: AsyncKernelClient | None

    def __init__(self) -> None:
        self._killed = False
        self._start()

    def __enter__(self) -> WarmKernel:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def end(self) -> None:
        """Ends the kernel at once."""
        if self._client is not None:
            self._client.stop_channels()
        with contextlib.suppress(RuntimeError, OSError):
            run_sync(self.manager.shutdown_kernel)(now=True)

    def kill(self) -> None:
        """Ends the kernel for good, under what another thread is doing with it, which fails."""
        self._killed = True
        if self.manager.provisioner is not None:
            run_sync(self.manager.provisioner.kill)()

    def ready(self, deadline: Deadline) -> AsyncKernelClient:
        """A client of the kernel, which listens and has an empty namespace; of a new kernel, where the last is dead.

        Raises: RuntimeError where it dies, or does not listen in time; TimeoutError.
        """
        if self._killed:
            raise RuntimeError("it was stopped")
        if not run_sync(self.manager.is_alive)():
            self.end()
            self._start()
        if self._client is None:
            client: AsyncKernelClient = self.manager.client()
            client.start_channels()
            run_sync(client.wait_for_ready)(timeout=deadline.left)
            client.allow_stdin = False
            self._client = client
        run_sync(self._client.execute_interactive)("%reset -f", silent=True, timeout=deadline.left)
        return self._client

    def _start(self) -> None:
        # This very Python, whatever else the user has installed as the kernel python3.
        self.manager = AsyncKernelManager(kernel_name="python3", kernel_spec_manager=KernelSpecManager(kernel_dirs=[]))
        run_sync(self.manager.start_kernel)(extra_arguments=[_QUIET, f"--IPKernelApp.exec_lines={_LOADED}"])
        self._client = None


class Deadline:
    """A total time limit. Arguments: seconds from now."""

    def __init__(self, seconds: float) -> None:
        self.seconds, self._end = seconds, time.monotonic() + seconds

    @property
    def left(self) -> float:
        """Seconds left; never none, which would mean without a limit."""
        return max(self._end - time.monotonic(), 0.001)

    @property
    def over(self) -> bool:
        """Whether no time is left."""
        return time.monotonic() >= self._end
