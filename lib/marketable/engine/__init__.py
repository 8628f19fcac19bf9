"""What follows from the rules and the touches: the status of every contact, and the sentence that explains it."""

from .decide import decide
from .outcome import Outcome

__all__ = ["Outcome", "decide"]
