"""What comes and what it costs: the marketing contacts day by day, the tier, the bill, and what is planned.

Not called `forecast`, for that is the function `marketable.forecast`.
"""

from .advise import Advice, advise
from .forecast import forecast
from .outlook import Outlook

__all__ = ["Advice", "Outlook", "advise", "forecast"]
