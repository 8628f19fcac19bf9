"""Where the widgets are shown: in somebody's own JupyterLab, or in the app, which a server shares among people."""

from __future__ import annotations

import os


def shared() -> bool:
    """Whether this is the app: files of the machine are then not the user's own. Voila says so to its kernels."""
    return os.environ.get("SERVER_SOFTWARE", "").startswith("voila/")
