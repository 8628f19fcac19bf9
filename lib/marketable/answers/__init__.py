"""What people ask: what a flip of switches would do, what to turn off to stay within a tier, and why the contacts of
their own export are what they are.
"""

from .auditing import Audit, audit
from .planning import Plan
from .what_if import WhatIf

__all__ = ["Audit", "Plan", "WhatIf", "audit"]
