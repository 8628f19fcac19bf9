"""How well an audit finds the switches that are not as the portal says: precision and recall over many made-up portals.

`make measure-audit`, or with other numbers `python tests/measure_audit.py --seeds 500 --touches 6000`.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterable

import numpy as np
import pandas as pd

from marketable.auditing.evidence import evidence
from marketable.auditing.histories import told_by
from portals import MadeUp, made_up

BINS = ((0, 0), (1, 4), (5, 9), (10, 19), (20, 49), (50, 10**9))


def score(portal: MadeUp) -> Counter:
    """What was found of one portal. Keys: found, missed (by size), invented, wrong end, dated, date within."""
    counted: Counter = Counter()
    found = evidence(portal.export, portal.given)
    differs = found.switches[found.switches["differs"]]
    for name, contacts in portal.unlike.items():
        size = next(label for label in BINS if label[0] <= contacts <= label[1])
        truth = told_by(portal.truth, name)
        seen = name in differs.index
        last, seems = np.array([portal.last[name]]), told_by(found.portal, name)
        given = told_by(portal.given, name)
        # What nobody saw is not known better than it is told.
        as_told_since = given.starts[-1] <= last[0] or seems.on[-1] == given.on[-1]
        right = seen and bool(seems.at(last)[0]) == bool(truth.at(last)[0]) and bool(as_told_since)
        counted["found" if right else "missed", size] += 1
        counted["wrong end"] += seen and not right
        if right and len(truth.starts) > 1 and truth.starts[-1] <= last[0]:
            counted["dated"] += 1
            row, since = differs.loc[name], pd.Timestamp(int(truth.starts[-1]), unit="us")
            after = pd.isna(row["earliest"]) or row["earliest"] <= since
            is_within = bool(after and since <= row["latest"]) if pd.notna(row["latest"]) else seems == truth
            counted["date within"] += is_within
    counted["invented"] = sum(name not in portal.unlike for name in differs.index)
    counted["said"], counted["asked"] = len(differs), len(found.switches)
    return counted


def measured(seeds: Iterable[int], **options: object) -> Counter:
    total: Counter = Counter()
    for seed in seeds:
        total += score(made_up(seed, **options))  # type: ignore[arg-type]
    return total


def report(total: Counter) -> str:
    found = sum(count for key, count in total.items() if key[0] == "found")
    said = total["said"]
    lines = [
        f"switches asked about {total['asked']:,}, said to differ {said:,}, invented {total['invented']:,}",
        f"precision {found / said:.3f} (right switch, and right setting as it was last touched)",
    ]
    for size in BINS:
        hit, miss = total["found", size], total["missed", size]
        if hit + miss:
            concerned = f"{size[0]} to {min(size[1], 9_999)} contacts concerned"
            lines.append(f"recall, {concerned}: {hit / (hit + miss):.3f} ({hit:,} of {hit + miss:,})")
    enough = [size for size in BINS if size[0] >= 10]
    hit, miss = (sum(total[kind, size] for size in enough) for kind in ("found", "missed"))
    lines.append(f"recall, 10 and more: {hit / max(hit + miss, 1):.3f}")
    lines.append(f"dated changes whose day lies within the range told: {total['date within']:,} of {total['dated']:,}")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--touches", type=int, default=6_000)
    parser.add_argument("--by-hand", type=float, nargs=2, default=(0.03, 0.04))
    parser.add_argument("--bulk", type=int, default=0)
    parser.add_argument("--dated", type=float, default=0.0)
    parser.add_argument("--recorded", type=float, default=0.0)
    options = parser.parse_args()
    settings = {"touches": options.touches, "by_hand": tuple(options.by_hand), "bulk": options.bulk}
    settings |= {"dated": options.dated, "recorded": options.recorded}
    total = measured(range(options.seeds), **settings)
    print(report(total))


if __name__ == "__main__":
    main()
