"""What more marketing contacts cost: the user's own dated price list, as prices change and differ from account to
account.
"""

from __future__ import annotations

import datetime as dt
import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from marketable.errors import PortalError
from marketable.settings import IsoDate, Settings, Strict, fault

_ALWAYS = dt.date(2006, 1, 1)  # HubSpot is not older


def _number(value: object) -> object:
    if isinstance(value, str):
        if not re.fullmatch(r"\d{1,9}(\.\d{1,4})?", value):
            raise fault("This is not a number", value=value, expected="a number like 5000 or 45.50")
        return float(value)
    return value


class Step(Strict):
    """From a day on, what so many more marketing contacts cost a month; and how many are included, if told."""

    since: Annotated[IsoDate, Field(alias="from")]
    hub: Literal["starter", "professional", "enterprise"]
    contacts: Annotated[float, Field(gt=0), BeforeValidator(_number)]
    monthly: Annotated[float, Field(ge=0), BeforeValidator(_number)]
    included: Annotated[float | None, Field(ge=0), BeforeValidator(_number)] = None


def _one_a_day(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    known = [(step.hub, step.since) for step in steps]
    for number, step in enumerate(steps):
        if known[number] in known[:number]:
            problem = f"Two prices of {step.hub} from the same day"
            raise fault(problem, place=(number, "from"), value=str(step.since), expected="each day once for a hub")
    return steps


class Prices(Settings):
    """A price list: its currency, and the steps of the contact tiers.

    >>> step = {"from": "2026-01-01", "hub": "professional", "contacts": 5000, "monthly": 250}
    >>> Prices(currency="EUR", steps=[step]).of(1_000, "professional", dt.date(2026, 10, 31))
    50.0
    """

    error = PortalError

    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
    steps: Annotated[tuple[Step, ...], AfterValidator(_one_a_day)] = ()

    @classmethod
    def flat(
        cls, included: float | None, step: float, monthly: float, *, hub: str = "professional", currency: str = "USD"
    ) -> Prices:
        """A price list of three numbers, for who has no file: how many contacts the hub includes (None: those of the
        account's tier), how many more a step has, and what a step costs a month.

        Raises: PortalError for numbers that cannot be these.

        >>> Prices.flat(2000, 5000, 250).of(1_000, "professional", dt.date(2026, 10, 31))
        50.0
        """
        only = {"from": _ALWAYS, "hub": hub, "contacts": step, "monthly": monthly, "included": included}
        return cls.model_validate({"currency": currency, "steps": [only]})

    def step(self, hub: str, day: dt.date) -> Step | None:
        """The step of a hub that held on a day; None where the list tells none."""
        known = [step for step in self.steps if step.hub == hub and step.since <= day]
        return max(known, key=lambda step: step.since, default=None)

    def of(self, contacts: int, hub: str, day: dt.date) -> float | None:
        """The share of a month's price that so many contacts account for. The bill itself moves by whole steps."""
        step = self.step(hub, day)
        return None if step is None else contacts * step.monthly / step.contacts
