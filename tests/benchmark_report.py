"""How long one report by the command takes, from its start to its end, in seconds.

    python tests/benchmark_report.py --rounds 5

Of the sample export, with a what-if, in a new process each time, as a person or a scheduler runs it; after one run that
is not counted.
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ASKED = ["-p", "period=2026-09", "-p", "flips.hubspot_form/Newsletter=off"]


def seconds(folder: str) -> float:
    """What one run takes. Raises: CalledProcessError where it fails."""
    line = [sys.executable, "-m", "marketable", "report", *ASKED, "-o", str(Path(folder, "page.html"))]
    began = time.perf_counter()
    subprocess.run(line, check=True, capture_output=True)
    return time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as folder:
        seconds(folder)
        took = [seconds(folder) for _ in range(rounds)]
    where = f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, Python {sys.version.split()[0]}"
    print(f"{dt.datetime.now():%Y-%m-%d %H:%M}, {where}")
    print(f"one report: median {statistics.median(took):.2f} s, fastest {min(took):.2f} s, of {rounds} runs")


if __name__ == "__main__":
    main()
