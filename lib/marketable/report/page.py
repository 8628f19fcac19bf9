"""The page of a report: what the cells of an executed notebook show, without their code, as one HTML file that needs
nothing else.

The page's own policy lets it load nothing, and run no script but the one that makes the switches work.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import threading
from importlib.resources import files
from typing import Any

from nbconvert.exporters.html import HTMLExporter
from nbformat import NotebookNode
from nbformat.v4 import new_notebook

NOT_ON_PAGE = "not-on-page"  # a cell's tag
_one_at_a_time = threading.Lock()  # nbconvert was not written for threads


def page(notebook: NotebookNode, title: str) -> str:
    """The page of an executed notebook. Cells tagged `not-on-page`, and what was written to stderr, are left out.

    Arguments: title, what the browser calls the page.
    """
    here = files(__package__)
    script = here.joinpath("flip.js").read_text("utf-8").strip()
    resources: dict[str, Any] = {
        "title": title,
        "style": files("marketable.views").joinpath("page.css").read_text("utf-8"),
        "script": script,
        "script_digest": base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
    }
    with _one_at_a_time:
        return str(exporter().from_notebook_node(_shown(notebook), resources=resources)[0])


@functools.cache
def exporter() -> HTMLExporter:
    """nbconvert's, with a template of ours: the usual ones load scripts from elsewhere, and lose what images tell."""
    return HTMLExporter(
        template_name="template",
        extra_template_basedirs=[str(files(__package__))],
        exclude_input=True,
        exclude_input_prompt=True,
        exclude_output_prompt=True,
        exclude_anchor_links=True,
    )


def prepare() -> None:
    """Loads what a page is made with, which takes longer than to make one."""
    with _one_at_a_time:
        exporter().from_notebook_node(new_notebook())


def _shown(notebook: NotebookNode) -> NotebookNode:
    cells = [cell.copy() for cell in notebook.cells if NOT_ON_PAGE not in cell.metadata.get("tags", [])]
    for number, cell in enumerate(cells):
        cell.id = f"cell-{number}"  # papermill's own cell gets another one each time
        if cell.cell_type == "code":
            cell.outputs = [output for output in cell.outputs if output.get("name") != "stderr"]
    return NotebookNode(notebook, cells=cells)
