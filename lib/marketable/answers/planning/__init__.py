"""What to turn off to stay within a limit: the choice, the search for it, its proof, and the words for it."""

from .plans import Plan, plan

__all__ = ["Plan", "plan"]
