"""What comes and what it costs: the marketing contacts day by day, the tier, the bill, and what is planned.

Not called `forecast`, for that is the function `marketable.forecast`.
"""

from .forecast import forecast
from .outlook import Outlook

__all__ = ["Outlook", "forecast"]
