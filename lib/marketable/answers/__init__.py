"""What people ask: what a flip of switches would do, and what to turn off to stay within a tier."""

from .what_if import WhatIf

__all__ = ["WhatIf"]
