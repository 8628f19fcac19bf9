"""The made-up firm: its touches, its contacts as HubSpot would record them, and the sample files made of them."""

from .touches import sample_touches

__all__ = ["sample_touches"]
