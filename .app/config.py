"""How the app runs. Each setting can also be given when it is started: make app APP="--port=9000 --pages=20"."""

c = get_config()  # noqa: F821 - Jupyter hands it to this file

c.App.ip = "localhost"  # a sign-in and TLS stand in front of it: see the README
c.App.port = 8866

c.App.log_level = "ERROR"

c.Kernels.most_pages = 40  # open at once; who comes then is asked to come back later
c.Kernels.closed_timeout = 120  # seconds until the kernel of a page ends that lost its browser
c.Kernels.idle_timeout = 2 * 3600  # seconds until the kernel of a page ends that nobody uses, though it is open
c.Kernels.cull_interval = 10  # seconds from one look at the kernels to the next
c.Forking.memory = 1024  # megabytes that one kernel may take

c.VoilaExecutor.timeout = c.VoilaExecutor.iopub_timeout = 60  # seconds that a cell of a page may take
# A larger message is dropped without a word; so the explorer itself can say that a file is too large to upload.
c.App.tornado_settings = {"websocket_max_message_size": 64 * 1024 * 1024}
