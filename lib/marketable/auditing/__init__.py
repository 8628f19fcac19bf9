"""Why the contacts of a portal's own export are what they are, and what that says about its switches."""

from .audit import Audit, audit
from .changes import Changes, changes
from .day import ExportDay

__all__ = ["Audit", "Changes", "ExportDay", "audit", "changes"]
