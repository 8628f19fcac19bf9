"""What if it had been otherwise: flips of switches, sweeps, credit, and the plan that stays within a tier."""

from .plans import Plan
from .what_if import WhatIf

__all__ = ["Plan", "WhatIf"]
