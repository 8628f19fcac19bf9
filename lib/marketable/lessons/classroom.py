"""A class: the seed and the account that its lessons share, so that everybody meets the same contacts.

It is what `saved/class.yaml` says. Where there is none, everybody practises alone: fresh contacts each time, in the
sample account.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator

from marketable.errors import PortalError
from marketable.paths import DATA, SAVED, write_whole
from marketable.plain_yaml import dump, read
from marketable.portal.portal import Portal
from marketable.settings import Strict, fault, validate

from .progress import SEEDS, Seed

FILE = SAVED / "class.yaml"
SAMPLE = DATA / "portal.yaml"


def _seed(value: object) -> object:
    if value == "":
        return None
    if isinstance(value, str):
        if not re.fullmatch("[0-9]{1,10}", value) or int(value) > SEEDS:
            raise fault("This is no seed", value=value, expected=f"a whole number from 0 to {SEEDS}")
        return int(value)
    return value


def _portal(value: object) -> object:
    """What portal.yaml would say: its faults become those of a value in here."""
    if isinstance(value, Portal) or not isinstance(value, Mapping):
        return Portal() if value == "" else value
    try:
        return Portal.model_validate(value)
    except PortalError as wrong:
        facts = {name: getattr(wrong, name) for name in ("value", "expected", "nearest", "advice")}
        raise fault(wrong.problem, place=wrong.place, **facts) from None


class Classroom(Strict):
    """Arguments: seed (None: fresh contacts each time); portal, the account of which they are.

    >>> Classroom(seed=42).portal == Portal()
    True
    """

    seed: Annotated[Seed | None, BeforeValidator(_seed)] = None
    portal: Annotated[Portal, BeforeValidator(_portal)] = Portal()

    @classmethod
    def load(cls, path: str | Path | None = None) -> Classroom:
        """The class of a file; by default of saved/class.yaml, and where there is none, everybody alone.

        Raises: PortalError, naming file and line.
        """
        if path is None and not FILE.exists():
            return cls(portal=Portal.load(SAMPLE))
        data, lines = read(path or FILE, PortalError)
        return validate(cls, {} if data in (None, "") else data, PortalError, lines, path or FILE)

    def text(self) -> str:
        """The class as YAML text."""
        return dump(({} if self.seed is None else {"seed": self.seed}) | {"portal": self.portal.settings()})

    def save(self, path: str | Path | None = None) -> Path:
        """Writes the class as YAML, whole or not at all, by default as saved/class.yaml; says where."""
        path = Path(path or FILE)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, self.text().encode())
        return path
