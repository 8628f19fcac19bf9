"""Hypothesis profiles: `everyday` for every run, `thorough` (many more cases) for `make thorough`. And a folder of its
own for what lessons save, so that no test touches anybody's progress or class.
"""

from __future__ import annotations

import os
import tempfile

from hypothesis import HealthCheck, settings

_SAVED = tempfile.TemporaryDirectory(prefix="marketable-saved-")
os.environ["MARKETABLE_SAVED"] = _SAVED.name  # kernels inherit it

settings.register_profile("everyday", max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("thorough", parent=settings.get_profile("everyday"), max_examples=3000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "everyday"))
