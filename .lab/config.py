"""JupyterLab as `make lab` starts it: on the explorer, with the whole repository at the left, and without news."""

from pathlib import Path

c = get_config()  # noqa: F821 - Jupyter hands it to this file
c.LabApp.default_url = "/lab/tree/notebooks/explore.ipynb"
c.LabApp.app_settings_dir = str(Path(__file__).resolve().parent)
c.LabApp.extension_manager = "readonly"
# A larger message is dropped without a word; so the explorer itself can say that a file is too large to upload.
c.ServerApp.tornado_settings = {"websocket_max_message_size": 200 * 1024 * 1024}
