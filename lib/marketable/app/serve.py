"""The app: the workbench and the lessons, shown by Voila to people who do not code.

Voila opens every notebook and file of a folder. So here stands what is reachable, and nothing else is: a start page,
the pages it lists, their scripts and styles, and the channel of a page's own kernel, through which widgets speak and no
code is run. A page has a kernel of its own, which ends soon after the page is closed; their number is limited.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import functools
import gc
import os
import re
import shutil
import sys
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
from traitlets import Bool, Integer, List, Unicode, default
from traitlets.log import get_logger
from voila.app import Voila
from voila.notebook_renderer import NotebookRenderer
from voila.static_file_handler import MultiStaticFileHandler, TemplateStaticFileHandler
from voila.utils import get_page_config

from marketable.paths import NOTEBOOKS, TOOLKIT

from . import forking
from .channel import Channel, Connection
from .guard import OWN_HOSTS, Guarded, Refusal, Server, rendered
from .log import Brief

HERE = Path(__file__).resolve().parent
MEMORY = "/dev/shm"  # noqa: S108 - a folder in memory, where there is one
TOOLS = ("explore", "audit")
AFTER_LESSONS = ("final_test", "sheet")
PROGRESS = re.compile("new|[0-9A-Z]{6}")  # of the cookie that somebody asks for on the start page
ONLY_IN_JUPYTERLAB = "jupyterlab"  # the tag of cells that make no sense here
WIDGETS = "@jupyter-widgets/jupyterlab-manager"
_KERNEL = r"(?P<kernel_id>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"


def pages(folder: Path) -> dict[str, Path]:
    """The notebooks that can be opened, by address, in their order."""
    lessons = folder / "lessons"
    found = [*(folder / f"{name}.ipynb" for name in TOOLS), *sorted(lessons.glob("[0-9]*.ipynb"))]
    found += [path for name in AFTER_LESSONS if (path := lessons / f"{name}.ipynb").exists()]
    return {path.relative_to(folder).with_suffix("").as_posix(): path for path in found}


def title(notebook: nbformat.NotebookNode) -> str:
    """The first heading of a notebook, as text."""
    headings = (
        re.search(r"^#+\s+(.*?)\s*$", cell.source, re.M) for cell in notebook.cells if cell.cell_type == "markdown"
    )
    first = next(filter(None, headings), None)
    return re.sub(r"[*_`]|\[([^]]*)\]\([^)]*\)", r"\1", first[1]) if first else "marketable"


class Kernels(AsyncMappingKernelManager):
    """The kernels of the pages that are open: no more than a certain number, and none whose page is gone. Each has a
    folder for what it keeps for a moment, which ends with it.
    """

    most_pages = Integer(40, help="Pages that may be open at once.").tag(config=True)
    most_pages_of_one = Integer(30, help="Pages that may be open at once from one address.").tag(config=True)
    closed_timeout = Integer(25, help="Seconds until the kernel of a page without a browser ends.").tag(config=True)
    idle_timeout = Integer(7200, help="Seconds until the kernel of an open, unused page ends.").tag(config=True)
    folder = Unicode(help="In which each kernel has its own.")

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        self._clients: dict[str, str] = {}  # by kernel, from the moment that it is asked for

    async def start_kernel(self, *, client: str = "", env: dict[str, str], **arguments: Any) -> str:
        """Starts a kernel for a client, where there is room for one."""
        if len(self._clients) >= self.most_pages:
            raise tornado.web.HTTPError(503)
        if list(self._clients.values()).count(client) >= self.most_pages_of_one:
            raise tornado.web.HTTPError(429)
        kernel_id = self.new_kernel_id()
        self._clients[kernel_id] = client
        try:
            folder = Path(self.folder, kernel_id)
            folder.mkdir(mode=0o700)
            env = env | dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(folder))
            return await super().start_kernel(kernel_id=kernel_id, env=env, **arguments)
        except BaseException:
            self._forget(kernel_id)
            raise

    async def shutdown_kernel(self, kernel_id: str, *arguments: Any, **options: Any) -> None:
        """Ends a kernel at once: it keeps nothing. What is left of its page is told by the closed connection."""
        try:
            await super().shutdown_kernel(kernel_id, now=True)
        finally:
            self._forget(kernel_id)
        for connection in list(ZMQChannelsWebsocketConnection._open_sockets):
            if connection.kernel_id == kernel_id:
                connection.websocket_handler.close()

    def _forget(self, kernel_id: str) -> None:
        self._clients.pop(kernel_id, None)
        shutil.rmtree(Path(self.folder, kernel_id), ignore_errors=True)

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


def _guarded(handler: type) -> Any:
    return type(handler.__name__, (Guarded, handler), {})


class Start(Guarded, tornado.web.RequestHandler):
    """The start page."""

    linked_from_elsewhere = True

    def get(self) -> None:
        """Shows it."""
        self.finish(self.settings["voila"].start_page)


class Page(Guarded, JupyterHandler):
    """A notebook, run for whoever opens it, and sent cell by cell."""

    @property
    def app(self) -> App:
        """The server, as Voila keeps it among the settings."""
        app: App = self.settings["voila"]
        return app

    async def get(self, address: str) -> None:
        """Shows it, if it is one of the pages."""
        if address not in self.app.pages:
            raise tornado.web.HTTPError(404)
        self.app.server.release(self.request.connection.stream)  # pages have a limit of their own
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.set_header("Cache-Control", "no-store")
        renderer = self._renderer(f"{address}.ipynb")
        await renderer.initialize()
        renderer.exporter.environment.bytecode_cache = _COMPILED
        environment = os.environ | {
            "SERVER_SOFTWARE": f"voila/{self.app.version}",
            "MARKETABLE_PROGRESS": self._progress,
        }
        kernel = await self.kernel_manager.start_kernel(
            client=self.request.remote_ip, kernel_name="python3", path=renderer.cwd, env=environment
        )
        try:
            async with asyncio.timeout(self.app.page_timeout):
                async for piece, _ in renderer.generate_content_generator(
                    kernel, self.kernel_manager.get_kernel(kernel)
                ):
                    self.write(piece)
                    await self.flush()
        except BaseException as fault:
            await self.kernel_manager.shutdown_kernel(kernel)
            if isinstance(fault, tornado.iostream.StreamClosedError):
                return  # closed before it was there
            raise

    @property
    def _progress(self) -> str:
        """The code under which a learner's progress goes on, “new” for one who wants to keep it, or nothing."""
        chosen = self.get_cookie("progress", "") or ""
        return chosen if PROGRESS.fullmatch(chosen) else ""

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
        """No cookie gives a right: what nobody else knows is the kernel's name."""

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

    aliases = Voila.aliases | {"ip": "App.ip", "host": "App.hosts", "pages": "Kernels.most_pages"}
    classes = [*Voila.classes, Kernels, forking.Forking]  # noqa: RUF012

    hosts = List(Unicode(), help="Names under which it may be asked for, beside localhost.").tag(config=True)
    behind_proxy = Bool(help="Whether a web server in front says in X-Real-IP who comes.").tag(config=True)
    most_connections = Integer(500, help="Connections that are held, beside those of pages.").tag(config=True)
    request_timeout = Integer(20, help="Seconds that a connection may wait for a request.").tag(config=True)
    page_timeout = Integer(180, help="Seconds in which a page has run, and was taken by the browser.").tag(config=True)

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
        self.kernel_websocket_connection_class = Connection
        self.logging_config = {
            "handlers": {"console": {"class": f"{Brief.__module__}.{Brief.__name__}"}},
            "root": {"handlers": ["console"], "level": "WARNING"},
        }
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

    @functools.cached_property
    def pages(self) -> dict[str, Path]:
        """The notebooks that can be opened, by address."""
        return pages(Path(self.root_dir))

    @functools.cached_property
    def start_page(self) -> str:
        """What there is, in its order."""
        listed = [(address, title(nbformat.read(path, 4))) for address, path in self.pages.items()]
        return rendered(self.app.settings, "start.html", lessons=listed[len(TOOLS) :])

    def init_handlers(self) -> list[Any]:
        """What is reachable. Whatever is not here is a page that does not exist."""
        static = r"((?:[\w-]+/)*[\w-]+(?:\.[\w-]+)*)"
        handlers = [
            (r"", Start),
            (r"((?:lessons/)?\w+)(?:\.ipynb)?", Page),
            (rf"api/kernels/{_KERNEL}", Kernel),
            (rf"api/kernels/{_KERNEL}/channels", Channel),
            (rf"voila/api/shutdown/{_KERNEL}", Close),
            (r"voila/templates/(marketable/static/[\w.-]+)", _guarded(TemplateStaticFileHandler)),
            (rf"voila/static/{static}", _guarded(MultiStaticFileHandler), {"paths": self.static_paths}),
            (
                rf"voila/labextensions/(@[\w-]+/[\w-]+/static/{static[1:]}",
                _guarded(FileFindHandler),
                {"path": self.labextensions_path},
            ),
        ]
        reachable = [(re.escape(self.server_url) + handler[0], *handler[1:]) for handler in handlers]
        return [*reachable, (r".*", Refusal, {"status": 404})]

    def start(self) -> None:
        """Listens until it is stopped."""
        KernelProvisionerFactory.instance(parent=self).provisioners["forking"] = _Entry()
        KernelProvisionerFactory.instance().default_provisioner_name = "forking"
        forking.more_files()
        self.folder = forking.own_folder()
        forking.nursery.warm(self.folder)
        self.connection_dir = str(self.folder / "ipc")  # a short name: a socket's path has little room
        Path(self.connection_dir).mkdir()
        fallback = {"default_handler_class": Refusal, "default_handler_args": {"status": 421}}
        quiet = {"log_function": lambda _handler: None}
        self.app = tornado.web.Application(**self.init_settings(), **fallback, **quiet)
        self.app.settings.update(self.tornado_settings)
        self.kernel_manager.folder = str(self.folder)
        known = "|".join(re.escape(host.lower()) for host in (*OWN_HOSTS, *self.hosts))
        self.app.add_handlers(f"({known})$", self.init_handlers())
        self.server = Server(
            self.app,
            xheaders=self.behind_proxy,
            most_connections=self.most_connections,
            idle_connection_timeout=self.request_timeout,
            body_timeout=self.request_timeout,
            max_body_size=64_000,
            max_header_size=16_000,
        )
        try:
            # Where too many knock at once, a system lets some wait for a second: so it holds a long queue.
            self.server.listen(self.port, self.ip, backlog=2048)
        except OSError as fault:
            sys.exit(f'The app cannot listen on port {self.port}: {fault}. Another one: make app APP="--port=9000"')
        gc.freeze()  # what is there by now stays, and need not be looked through again
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
            shutil.rmtree(self.folder, ignore_errors=True)


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
