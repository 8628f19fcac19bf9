"""One account: its subscription and update dates, its switches and their history, and the prices it pays."""

from .portal import Change, Flip, Portal, Subscription, change_of, checked_portal, split
from .prices import Prices

__all__ = ["Change", "Flip", "Portal", "Prices", "Subscription", "change_of", "checked_portal", "split"]
