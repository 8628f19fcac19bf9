"""What somebody is working on: the data and the account that are open, the flips, and how they came about.

All of it but the data themselves fits into a small file, in which no contact is: how the data are found again, the
account, and the settings that were kept. From there it is taken up again.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from marketable.errors import DataError
from marketable.forecasting.actions import Action
from marketable.portal.portal import Flip, Portal
from marketable.portal.prices import Prices
from marketable.settings import IsoDate, Settings, Strict

from .basis import Basis

MADE_UP = "made-up"
_MOST_UNDONE = 200


class Setting(Strict):
    """How the switches are set: what differs from the account, and since when (None: from the start)."""

    flips: Mapping[str, bool] = Field(default_factory=dict)
    since: IsoDate | None = None

    @property
    def given(self) -> dict[str, Flip]:
        """The flips, as `WhatIf` takes them."""
        return {name: on if self.since is None else (self.since, on) for name, on in self.flips.items()}


class Saved(Settings):
    """The file of somebody's work. `data`: `made-up`, a path, or blank for what was uploaded, which is named `called`;
    `contacts` and `sample`, of which made-up one.
    """

    error = DataError

    data: str = MADE_UP
    called: str = ""
    contacts: Annotated[int, Field(ge=0)] = 10_000
    sample: Annotated[int, Field(ge=0)] = 7
    mapping: dict[str, Any] = Field(default_factory=dict)
    account: dict[str, Any] = Field(default_factory=dict)
    prices: dict[str, Any] = Field(default_factory=dict)
    rules: str = ""
    now: Setting = Setting()
    kept: dict[str, Setting] = Field(default_factory=dict)
    alone: tuple[str, ...] = ()
    actions: tuple[dict[str, Any], ...] = ()


@dataclass
class Work:
    """`basis`, what is open; `now`, the setting of the switches; `kept`, settings under their names; `alone`, switches
    that no plan may touch; `actions`, what is planned.
    """

    basis: Basis
    now: Setting = field(default_factory=Setting)
    kept: dict[str, Setting] = field(default_factory=dict)
    alone: set[str] = field(default_factory=set)
    actions: tuple[Action, ...] = ()
    undone: list[Setting] = field(default_factory=list)
    before: list[Setting] = field(default_factory=list)

    @property
    def flips(self) -> dict[str, Flip]:
        return self.now.given

    @property
    def portal(self) -> Portal:
        """The account with the switches as they are set now."""
        return self.basis.portal.with_switches(self.flips)

    @property
    def states(self) -> dict[str, bool]:
        """By switch, whether it is on now."""
        return {name: self.now.flips.get(name, on) for name, on in self.basis.switches.items()}

    def set(self, states: Mapping[str, bool], since: dt.date | None = None) -> None:
        """Sets switches; one that is as the account has it keeps its history."""
        own = self.basis.switches
        kept = {name: on for name, on in self.now.flips.items() if name not in states}
        self._go(Setting(flips=kept | {n: on for n, on in states.items() if on != own[n]}, since=since))

    def take(self, setting: Setting) -> None:
        """Sets all switches so, as far as there are such."""
        self._go(self.known(setting))

    def undo(self) -> None:
        """Takes the last change of the setting back."""
        if self.before:
            self.undone.append(self.now)
            self.now = self.before.pop()

    def redo(self) -> None:
        """Does again what was taken back."""
        if self.undone:
            self.before.append(self.now)
            self.now = self.undone.pop()

    def judge(self, basis: Basis) -> None:
        """The same data under another account: flips stay as far as they are still flips."""
        self.basis, self.before, self.undone = basis, [], []
        self.now = self.known(self.now)
        self.kept = {name: self.known(setting) for name, setting in self.kept.items()}
        self.alone &= set(basis.switches)

    def known(self, setting: Setting) -> Setting:
        """A setting, as far as it differs from the account and its switches are there."""
        own = self.basis.switches
        return Setting(flips={n: on for n, on in setting.flips.items() if own.get(n, on) != on}, since=setting.since)

    def saved(self, found: Mapping[str, Any]) -> Saved:
        """The file of this work. Arguments: found, how the data are found again."""
        prices = self.basis.prices
        return Saved(
            **found,
            account=self.basis.portal.settings(),
            prices=prices.settings() if prices else {},
            rules=self.basis.edition or "",
            now=self.now,
            kept=self.kept,
            alone=tuple(sorted(self.alone)),
            actions=tuple(each.model_dump(mode="json", by_alias=True, exclude_none=True) for each in self.actions),
        )

    def restore(self, saved: Saved) -> None:
        """Takes the settings of a file; its data and account are open already."""
        self.kept = {name: self.known(setting) for name, setting in saved.kept.items()}
        self.alone = set(saved.alone) & set(self.basis.switches)
        self.actions = tuple(Action.model_validate(each) for each in saved.actions)
        self.take(saved.now)
        self.before.clear()

    def _go(self, setting: Setting) -> None:
        if setting != self.now:
            self.before = [*self.before, self.now][-_MOST_UNDONE:]
            self.undone.clear()
            self.now = setting


def account_of(saved: Saved) -> tuple[Portal, Prices | None]:
    """The account of a file. Raises: PortalError, where it is none."""
    return Portal(**saved.account), Prices(**saved.prices) if saved.prices else None


def is_there(saved: Saved) -> bool:
    """Whether its data can be opened again."""
    return saved.data == MADE_UP or (bool(saved.data) and Path(saved.data).exists())
