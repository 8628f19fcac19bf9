"""How the app runs. Each setting can also be given when it is started: make app APP="--port=9000 --pages=20"."""

c = get_config()  # noqa: F821 - Jupyter hands it to this file

c.App.ip = "localhost"  # a sign-in and TLS stand in front of it: see the README
c.App.port = 8866

c.App.log_level = "ERROR"

c.App.hosts = []  # names under which browsers may ask for it, beside localhost: ["marketable.example.com"]
c.App.behind_proxy = False  # True where a web server in front says in X-Real-IP who comes; else nobody is believed
c.App.most_connections = 500  # beside those of pages; who has the most of them loses the oldest
c.App.request_timeout = 20  # seconds that a connection may wait for a request

c.Kernels.most_pages = 40  # open at once; who comes then is asked to come back later
c.Kernels.most_pages_of_one = 30  # of them from one address
c.Kernels.closed_timeout = 25  # seconds until the kernel of a page ends that lost its browser
c.Kernels.idle_timeout = 2 * 3600  # seconds until the kernel of a page ends that nobody uses, though it is open
c.Kernels.cull_interval = 5  # seconds from one look at the kernels to the next
c.Forking.memory = 1024  # megabytes that one kernel may take

c.VoilaExecutor.timeout = c.VoilaExecutor.iopub_timeout = 60  # seconds that a cell of a page may take
c.App.tornado_settings = {
    # A larger message is dropped without a word; so the workbench itself can say that a file is too large to upload.
    "websocket_max_message_size": 32 * 1024 * 1024,
    # Milliseconds: a browser that vanished is noticed within twenty seconds, and its page ends within a minute.
    "ws_ping_interval": 10_000,
    "ws_ping_timeout": 15_000,
}
