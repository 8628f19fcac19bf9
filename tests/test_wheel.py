"""An installed wheel works outside the checkout: it brings its data and notebooks, and saves where one stands."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

from lab import REPOSITORY


def test_a_wheel_makes_a_report_of_the_samples_outside_the_checkout(tmp_path: Path) -> None:
    source, wheels, outside = tmp_path / "source", tmp_path / "wheels", tmp_path / "outside"
    kept = subprocess.run(["git", "ls-files", "-z"], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    for name in filter(None, kept.stdout.split("\0")):
        if not name.startswith("tests/") and (REPOSITORY / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(REPOSITORY / name, source / name)
    pip = [sys.executable, "-m", "pip", "-q", "--disable-pip-version-check"]
    build = ["wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(wheels), str(source)]
    subprocess.run([*pip, *build], check=True)

    # What the library needs is taken from here; a plain line in a .pth does not follow this checkout's own.
    environment = tmp_path / "environment"
    venv.create(environment, symlinks=True)
    names = {"base": str(environment), "platbase": str(environment)}
    packages = Path(sysconfig.get_path("purelib", "venv", vars=names))
    (packages / "needed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    python = environment / ("Scripts" if os.name == "nt" else "bin") / "python"
    install = ["--python", str(python), "install", "--no-deps", "--no-index", "--ignore-installed"]
    subprocess.run([*pip, *install, *map(str, wheels.glob("*.whl"))], check=True)

    outside.mkdir()
    inherited = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "MARKETABLE_SAVED")}

    inherited["JUPYTER_PATH"] = str(Path(sys.prefix, "share", "jupyter"))  # what it borrows has its templates there

    def run(*command: str) -> str:
        done = subprocess.run([str(python), *command], cwd=outside, env=inherited, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    assert run("-c", "import marketable; print(marketable.__file__)").startswith(str(environment))
    run("-m", "marketable", "report")
    assert "marketable" in (outside / "saved" / "report.html").read_text("utf-8")
