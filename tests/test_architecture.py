"""The architecture holds: nothing imports upward, and what is shipped is fit to be shipped."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
PACKAGE = REPOSITORY / "lib" / "marketable"
FLOORS = ["rulebook", "inputs", "engine", "answers", "practice", "views", "reports", "app"]
NOTEBOOKS = sorted((REPOSITORY / "notebooks").rglob("*.ipynb"))


def _floor(path: Path) -> int:
    name = path.relative_to(PACKAGE).parts[0]
    return FLOORS.index(name) if name in FLOORS else -1


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_imports_only_from_its_own_floor_and_those_below(path: Path) -> None:
    if path in (PACKAGE / "__init__.py", PACKAGE / "__main__.py"):
        return
    to_the_package = len(path.relative_to(PACKAGE).parts)
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level == to_the_package and node.module:
            imported = node.module.split(".")[0]
            assert imported not in FLOORS or FLOORS.index(imported) <= _floor(path), node.module


def test_importing_the_library_loads_no_widgets_and_no_charts() -> None:
    code = "import sys, marketable; print([name for name in ('ipywidgets', 'matplotlib') if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_a_notebook_is_kept_without_outputs_and_runs_on_any_python_3_kernel(path: Path) -> None:
    notebook = json.loads(path.read_text(encoding="utf-8"))
    assert notebook["metadata"]["kernelspec"]["name"] == "python3"
    for cell in notebook["cells"]:
        assert not cell.get("outputs") and not cell.get("execution_count")
