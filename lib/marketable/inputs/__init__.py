"""What happened, and to whom: the portal, batches of touches, HubSpot's own copies of its contacts, made-up samples."""

from .exports import Export, read_export
from .portal import Portal, Subscription
from .prices import Prices
from .samples import sample_touches
from .touches import Batch, read_touches

__all__ = ["Batch", "Export", "Portal", "Prices", "Subscription", "read_export", "read_touches", "sample_touches"]
