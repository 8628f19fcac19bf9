"""The app: the explorer, the audit and the lessons, shown by Voila to people who do not code.

Voila opens every notebook and file of a folder. So here stands what is reachable, and nothing else is: a start page,
the pages it lists, their scripts and styles, and the channel of a page's own kernel, through which widgets speak and no
code is run. A page has a kernel of its own, which ends soon after the page is closed; their number is limited.
"""

from __future__ import annotations

import datetime as dt
import os
import re
import sys
import tempfile
import threading
import webbrowser
from pathlib import Path
from typing import Any

import jinja2
import nbformat
import tornado.ioloop
import tornado.iostream
import tornado.web
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.provisioning import KernelProvisionerFactory
from jupyter_server.auth import IdentityProvider, User
from jupyter_server.base.handlers import FileFindHandler, JupyterHandler
from jupyter_server.services.kernels.connection.channels import ZMQChannelsWebsocketConnection
from jupyter_server.services.kernels.handlers import KernelHandler
from jupyter_server.services.kernels.kernelmanager import AsyncMappingKernelManager
from traitlets import Integer, default
from traitlets.log import get_logger
from voila.app import Voila
from voila.notebook_renderer import NotebookRenderer
from voila.static_file_handler import MultiStaticFileHandler, TemplateStaticFileHandler
from voila.tornado.kernel_websocket_handler import VoilaKernelWebsocketHandler
from voila.utils import get_page_config

from marketable.paths import NOTEBOOKS, TOOLKIT

from . import forking

HERE = Path(__file__).resolve().parent
MEMORY = "/dev/shm"  # noqa: S108 - a folder in memory, where there is one
TOOLS = ("explore", "audit")
ONLY_IN_JUPYTERLAB = "jupyterlab"  # the tag of cells that make no sense here
WIDGETS = "@jupyter-widgets/jupyterlab-manager"
_KERNEL = r"(?P<kernel_id>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"
_HEADERS = {
    # Everything comes from here. JupyterLab compiles its schemas, and widgets carry their styles with them.
    "Content-Security-Policy": "default-src 'self' data: blob:; script-src 'self' 'unsafe-inline' 'unsafe-eval'; "
    "style-src 'self' 'unsafe-inline'; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_SAYINGS = {
    404: ("There is no such page", "Perhaps the address was typed with a slip, or the page has moved."),
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


def pages(folder: Path) -> dict[str, Path]:
    """The notebooks that can be opened, by address, in their order."""
    found = [*(folder / f"{name}.ipynb" for name in TOOLS), *sorted((folder / "lessons").glob("[0-9]*.ipynb"))]
    return {path.relative_to(folder).with_suffix("").as_posix(): path for path in found}


def title(notebook: nbformat.NotebookNode) -> str:
    """The first heading of a notebook, as text."""
    headings = (
        re.search(r"^#+\s+(.*?)\s*$", cell.source, re.M) for cell in notebook.cells if cell.cell_type == "markdown"
    )
    first = next(filter(None, headings), None)
    return re.sub(r"[*_`]|\[([^]]*)\]\([^)]*\)", r"\1", first[1]) if first else "marketable"


class Kernels(AsyncMappingKernelManager):
    """The kernels of the pages that are open: no more than a certain number, and none whose page is gone."""

    most_pages = Integer(40, help="Pages that may be open at once.").tag(config=True)
    closed_timeout = Integer(120, help="Seconds until the kernel of a page without a browser ends.").tag(config=True)
    idle_timeout = Integer(7200, help="Seconds until the kernel of an open, unused page ends.").tag(config=True)
    _starting = 0

    async def start_kernel(self, **arguments: Any) -> str:
        """Starts a kernel, where there is room for one."""
        if len(self) + self._starting >= self.most_pages:
            raise tornado.web.HTTPError(503)
        self._starting += 1
        try:
            return await super().start_kernel(**arguments)
        finally:
            self._starting -= 1

    async def shutdown_kernel(self, kernel_id: str, *arguments: Any, **options: Any) -> None:
        """Ends a kernel at once: it keeps nothing. What is left of its page is told by the closed connection."""
        await super().shutdown_kernel(kernel_id, now=True)
        for connection in list(ZMQChannelsWebsocketConnection._open_sockets):
            if connection.kernel_id == kernel_id:
                connection.websocket_handler.close()

    def notify_disconnect(self, kernel_id: str) -> None:
        """From now on its page is without a browser."""
        super().notify_disconnect(kernel_id)
        if kernel_id in self:
            self.get_kernel(kernel_id).last_activity = dt.datetime.now(dt.UTC)

    async def cull_kernel_if_idle(self, kernel_id: str) -> None:
        """Ends a kernel that died, or whose time has come; a connection that was lost has some time to come back."""
        kernel = self.get_kernel(kernel_id)
        limit = self.idle_timeout if self._kernel_connections.get(kernel_id) else self.closed_timeout
        now = dt.datetime.now(dt.UTC)
        idle = (now - getattr(kernel, "last_activity", now)).total_seconds()
        if idle > limit or not await kernel.is_alive():
            self.log.info("Ending kernel %s, idle for %d seconds", kernel_id, idle)
            await self.shutdown_kernel(kernel_id)


class Guarded:
    """What each answer has: headers that keep the browser strict, and words where it is an error."""

    def set_default_headers(self) -> None:
        """Sets them."""
        self.clear_header("Server")
        for name, value in _HEADERS.items():
            self.set_header(name, value)

    def write_error(self, status_code: int, **_: Any) -> None:
        """A page that says what to do."""
        heading, advice = _SAYINGS.get(status_code, _ANYTHING_ELSE)
        self.set_header("Content-Type", "text/html; charset=utf-8")
        if status_code == 503:
            self.set_header("Retry-After", "60")
        self.finish(_rendered(self.settings, "message.html", heading=heading, advice=advice))


def _guarded(handler: type) -> Any:
    return type(handler.__name__, (Guarded, handler), {})


def _rendered(settings: dict[str, Any], template: str, **values: Any) -> str:
    return settings["voila_jinja2_env"].get_template(template).render(base_url=settings["base_url"], **values)


class Missing(Guarded, tornado.web.RequestHandler):
    """Whatever is not listed."""

    def prepare(self) -> None:
        """Says so."""
        raise tornado.web.HTTPError(404)


class Start(Guarded, JupyterHandler):
    """The start page: what there is, in its order."""

    def initialize(self, app: App) -> None:
        """Keeps the server, which knows the settings."""
        self.app = app

    def get(self) -> None:
        """Shows it."""
        listed = [(address, title(nbformat.read(path, 4))) for address, path in self.app.pages.items()]
        self.finish(_rendered(self.settings, "start.html", tools=listed[: len(TOOLS)], lessons=listed[len(TOOLS) :]))


class Page(Start):
    """A notebook, run for whoever opens it, and sent cell by cell."""

    async def get(self, address: str) -> None:
        """Shows it, if it is one of the pages."""
        if address not in self.app.pages:
            raise tornado.web.HTTPError(404)
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.set_header("Cache-Control", "no-store")
        renderer = self._renderer(f"{address}.ipynb")
        await renderer.initialize()
        renderer.exporter.environment.bytecode_cache = _COMPILED
        environment = os.environ | {"SERVER_SOFTWARE": f"voila/{self.app.version}"}
        kernel = await self.kernel_manager.start_kernel(kernel_name="python3", path=renderer.cwd, env=environment)
        try:
            async for piece, _ in renderer.generate_content_generator(kernel, self.kernel_manager.get_kernel(kernel)):
                self.write(piece)
                await self.flush()
        except BaseException as fault:
            await self.kernel_manager.shutdown_kernel(kernel)
            if isinstance(fault, tornado.iostream.StreamClosedError):
                return  # closed before it was there
            raise

    def _renderer(self, path: str) -> NotebookRenderer:
        options = self.app.voila_configuration
        known = {"base_url": self.base_url, "voila_configuration": options}
        return NotebookRenderer(
            request_handler=self,
            traitlet_config=self.app.config,
            notebook_path=path,
            template_paths=self.app.template_paths,
            contents_manager=self.contents_manager,
            kernel_spec_manager=self.kernel_spec_manager,
            page_config=get_page_config(settings=self.settings, log=self.log, **known),
            **known,
        )


class Compiled(jinja2.BytecodeCache):
    """Templates that were compiled for one page, kept for the next."""

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}

    def load_bytecode(self, bucket: jinja2.bccache.Bucket) -> None:
        """Fills the bucket, if it is known."""
        if bucket.key in self._kept:
            bucket.bytecode_from_string(self._kept[bucket.key])

    def dump_bytecode(self, bucket: jinja2.bccache.Bucket) -> None:
        """Keeps it."""
        self._kept[bucket.key] = bucket.bytecode_to_string()


_COMPILED = Compiled()


class Kernel(Guarded, KernelHandler):
    """Whether a page's kernel is still there."""

    SUPPORTED_METHODS = ("GET",)


class Close(Guarded, JupyterHandler):
    """What a page says when it is closed."""

    def check_xsrf_cookie(self) -> None:
        """There are no cookies: what nobody else knows is the kernel's name."""

    async def post(self, kernel_id: str) -> None:
        """Ends its kernel."""
        if kernel_id in self.kernel_manager:
            await self.kernel_manager.shutdown_kernel(kernel_id)
        self.set_status(204)
        self.finish()


class OwnPython(KernelSpecManager):
    """Knows no other kernel than the very Python that runs the app."""

    @default("kernel_dirs")
    def _kernel_dirs_default(self) -> list[str]:
        return []


class Anybody(IdentityProvider):
    """Whoever comes is let in, and gets no cookie: who may come is settled in front of the app."""

    def get_user(self, _handler: Any) -> User:
        """A visitor without a name."""
        return User("visitor")


class App(Voila):
    """The server. Its options: see .app/config.py."""

    aliases = Voila.aliases | {"ip": "App.ip", "pages": "Kernels.most_pages"}
    classes = [*Voila.classes, Kernels, forking.Forking]  # noqa: RUF012

    @default("root_dir")
    def _default_root_dir(self) -> str:
        return str(NOTEBOOKS)

    def initialize(self, argv: list[str] | None = None) -> None:
        """Reads options and settings."""
        os.environ["JUPYTER_PATH"] = str(HERE)  # where Voila looks for templates
        if os.access(MEMORY, os.W_OK):
            os.environ.setdefault("TMPDIR", MEMORY)  # so that what is uploaded never reaches the disk
        super().initialize(argv)

    def load_config_file(self, *_: Any, **__: Any) -> None:
        """Reads .app/config.py, and nobody's own settings of Voila."""
        super().load_config_file("config", path=[str(TOOLKIT / ".app")])
        self.identity_provider_class = Anybody
        fixed = self.config
        fixed.VoilaConfiguration.template = "marketable"
        fixed.VoilaConfiguration.allow_template_override = fixed.VoilaConfiguration.allow_theme_override = "NO"
        fixed.VoilaConfiguration.show_tracebacks = False
        fixed.VoilaConfiguration.extension_allowlist = [WIDGETS, "@voila-dashboards/widgets-manager8"]
        fixed.VoilaConfiguration.multi_kernel_manager_class = Kernels
        fixed.VoilaConfiguration.kernel_spec_manager_class = OwnPython
        fixed.VoilaConfiguration.prelaunch_hook = _prepared
        fixed.VoilaExecutor.allow_errors = True
        fixed.VoilaExecutor.on_cell_error = _tell
        fixed.Kernels.cull_idle_timeout = 1  # switches looking after idle kernels on; the times are its own
        fixed.KernelManager.autorestart = False
        fixed.NotebookNotary.db_file = ":memory:"
        if sys.platform != "win32":
            fixed.KernelManager.transport = "ipc"  # files of this user instead of ports of this machine

    @property
    def pages(self) -> dict[str, Path]:
        """The notebooks that can be opened, by address."""
        return pages(Path(self.root_dir))

    def init_handlers(self) -> list[Any]:
        """What is reachable. Whatever is not here is a page that does not exist."""
        static = r"((?:[\w-]+/)*[\w-]+(?:\.[\w-]+)*)"
        handlers = [
            (r"", Start, {"app": self}),
            (r"((?:lessons/)?\w+)(?:\.ipynb)?", Page, {"app": self}),
            (rf"api/kernels/{_KERNEL}", Kernel),
            (rf"api/kernels/{_KERNEL}/channels", VoilaKernelWebsocketHandler),
            (rf"voila/api/shutdown/{_KERNEL}", Close),
            (r"voila/templates/(marketable/static/[\w.-]+)", _guarded(TemplateStaticFileHandler)),
            (rf"voila/static/{static}", _guarded(MultiStaticFileHandler), {"paths": self.static_paths}),
            (
                rf"voila/labextensions/(@[\w-]+/[\w-]+/static/{static[1:]}",
                _guarded(FileFindHandler),
                {"path": self.labextensions_path},
            ),
        ]
        return [(re.escape(self.server_url) + handler[0], *handler[1:]) for handler in handlers]

    def start(self) -> None:
        """Listens until it is stopped."""
        KernelProvisionerFactory.instance(parent=self).provisioners["forking"] = _Entry()
        KernelProvisionerFactory.instance().default_provisioner_name = "forking"
        forking.nursery.warm()
        self.connection_dir = tempfile.mkdtemp(prefix="app_", dir=self.connection_dir_root)
        quiet = {"log_function": lambda _handler: None}
        self.app = tornado.web.Application(**self.init_settings(), default_handler_class=Missing, **quiet)
        self.app.settings.update(self.tornado_settings)
        self.app.add_handlers(r".*$", self.init_handlers())
        try:
            self.app.listen(self.port, self.ip)
        except OSError as fault:
            sys.exit(f'The app cannot listen on port {self.port}: {fault}. Another one: make app APP="--port=9000"')
        print(f"The app is at {self.display_url} (Ctrl-C stops it)", flush=True)
        if self.open_browser:
            threading.Thread(target=webbrowser.open, args=[self.display_url], daemon=True).start()
        self.ioloop = tornado.ioloop.IOLoop.current()
        try:
            self.ioloop.start()
        except KeyboardInterrupt:
            pass
        finally:
            self.stop()


class _Entry:
    """An entry point, without an installation."""

    value = f"{forking.__name__}:Forking"

    def load(self) -> type:
        return forking.Forking


def _tell(*, cell: Any, cell_index: int, execute_reply: Any) -> None:
    """Tells whoever runs the app what its reader is not shown."""
    trace = "\n".join(execute_reply["content"].get("traceback", []))
    get_logger().error("Cell %d of a page failed:\n%s", cell_index, re.sub(r"\x1b\[[0-9;]*m", "", trace))


def _prepared(_request: Any, *, notebook: nbformat.NotebookNode, cwd: str) -> nbformat.NotebookNode:
    notebook.metadata["title"] = f"{title(notebook)} · marketable"
    notebook.cells = [cell for cell in notebook.cells if ONLY_IN_JUPYTERLAB not in cell.metadata.get("tags", [])]
    return notebook
