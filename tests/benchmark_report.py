"""How long one report by the command takes, from its start to its end, and how long a sweep of twenty, in seconds.

    python tests/benchmark_report.py --rounds 5

Of the sample export and the sample batch, in a new process each time, as a person or a scheduler runs it; after one run
that is not counted.
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

DATA = Path(__file__).resolve().parents[1] / "data"
ASKED = ["-p", "period=2026-09", "-p", "flips.hubspot_form/Newsletter=off"]
TWENTY = """
parameters: {{data: {data}, portal: {portal}}}
grid:
  period: [2026-01, 2026-02, 2026-03, 2026-04, 2026-05, 2026-06, 2026-07, 2026-08, 2026-09, 2026-10]
  flips.hubspot_form/Newsletter: [on, off]
"""


def seconds(*arguments: str) -> float:
    """What the command takes. Raises: CalledProcessError where it fails."""
    began = time.perf_counter()
    subprocess.run([sys.executable, "-m", "marketable", *arguments], check=True, capture_output=True)
    return time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as folder:
        took = [seconds("report", *ASKED, "-o", str(Path(folder, "page.html"))) for _ in range(rounds + 1)][1:]
        plan, twenty = Path(folder, "plan.yaml"), {}
        for data in ("hubspot-crm-exports-all-contacts-2026-10-31.csv", "touches.csv"):
            plan.write_text(TWENTY.format(data=DATA / data, portal=DATA / "portal.yaml"), encoding="utf-8")
            twenty[data] = seconds("sweep", str(plan), "-o", str(Path(folder, data)))
    where = f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, Python {sys.version.split()[0]}"
    print(f"{dt.datetime.now():%Y-%m-%d %H:%M}, {where}")
    print(f"one report: median {statistics.median(took):.2f} s, fastest {min(took):.2f} s, of {rounds} runs")
    for data, took_all in twenty.items():
        print(f"twenty reports of {data}: {took_all:.1f} s")


if __name__ == "__main__":
    main()
