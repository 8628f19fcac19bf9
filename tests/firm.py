"""The made-up firm's export, counted without the product: what it says may change, what must be found in it may not."""

from __future__ import annotations

import csv
from pathlib import Path

DATA = Path(__file__).parents[1] / "data"
(EXPORT,) = DATA.glob("hubspot-crm-exports-*.csv")
with EXPORT.open(encoding="utf-8", newline="") as _file:
    ROWS = list(csv.DictReader(_file))
CONTACTS = len(ROWS)
_MARKETING = [row for row in ROWS if row["Marketing contact status"] == "Marketing contact"]
MARKETING = len(_MARKETING)
WAITING = sum(row["Marketing contact until next update"] == "Yes" for row in ROWS)
BOUNCED = sum(row["Email hard bounce reason"] != "" for row in _MARKETING)
