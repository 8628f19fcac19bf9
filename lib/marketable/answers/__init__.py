"""What people ask: what a flip of switches would do, and what to turn off to stay within a tier."""

from .planning import Plan
from .what_if import WhatIf

__all__ = ["Plan", "WhatIf"]
