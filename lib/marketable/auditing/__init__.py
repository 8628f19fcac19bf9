"""Why the contacts of a portal's own export are what they are, and what that says about its switches."""

from .audit import Audit, audit

__all__ = ["Audit", "audit"]
