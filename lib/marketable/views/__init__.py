"""How people see it: words, tables, charts, and the explorer's widgets. Nothing here knows a rule."""

from .explorer import DATA, Explorer

__all__ = ["DATA", "Explorer"]
