"""stub"""

from __future__ import annotations

from dataclasses import dataclass

from ..inputs.portal import Portal


@dataclass(frozen=True)
class Classroom:
    seed: int | None
    portal: Portal
