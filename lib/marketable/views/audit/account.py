"""The third step of an audit: what the account says about itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import ipywidgets as widgets

from ...answers.auditing.audit import SILENT_DAYS
from ...errors import DataError
from ...inputs.portal import Portal
from ...inputs.prices import Prices
from .. import pieces
from ..choosing import BY_PATH, DEFAULTS, UPLOAD, PortalChoice, place, settings_files, taken, text_of
from ..layout import narrow, row, shown, wide
from ..place import shared

HUBS = ("starter", "professional", "enterprise")
_NONE = ""
_PRICES = (
    "With a price list, counts are told as money too. prices.yaml is a made-up example: copy it, and put in what your "
    "own invoice or offer says."
)


@dataclass(frozen=True)
class Account:
    """What was chosen: the portal, whether it is the user's own, the price list, and the days without mail."""

    portal: Portal
    is_own: bool
    prices: Prices | None
    silent_days: int


class AccountPanel(widgets.VBox):  # type: ignore[misc]
    """Arguments: folder, whose portals and price lists are offered; react, called with what a widget sets off; changed,
    called when something was changed.

    Attributes: portal, since, zone, tier, hub, prices, prices_path, prices_upload, days.
    """

    def __init__(self, folder: Path, react: Callable[[Callable[[], None]], None], changed: Callable[[], None]) -> None:
        self._folder, self._changed, self._filling = folder, changed, False
        self._read: tuple[Portal, str] | None = Portal(), ""
        self._is_suggested = True
        self._list: Prices | None = None
        self.portal = PortalChoice(folder, "I have none: every switch as HubSpot delivers it")
        self.portal.choice.value = DEFAULTS
        self.since = widgets.DatePicker(
            description="Marketing contacts since",
            tooltip="The day the account got marketing contacts; empty: not known",
            style={"description_width": "initial"},
            layout=widgets.Layout(width="320px"),
        )
        self.zone = widgets.Text(
            "UTC", description="Time zone", placeholder="Europe/Berlin", layout=wide(), continuous_update=False
        )
        self.tier = widgets.BoundedIntText(
            0, 0, 100_000_000, description="Tier (0: none)", style={"description_width": "initial"}, layout=narrow()
        )
        self.hub = widgets.Dropdown(
            description="Marketing Hub",
            options=[(hub.capitalize(), hub) for hub in HUBS],
            value="professional",
            style={"description_width": "initial"},
            layout=widgets.Layout(width="240px"),
        )
        self.prices = widgets.Dropdown(
            description="Prices",
            options=[
                ("No price list", _NONE),
                *settings_files(folder, Prices.load),
                ("Upload a prices.yaml …", UPLOAD) if shared() else ("A file by its path …", BY_PATH),
            ],
            layout=wide(),
        )
        self.prices_path = widgets.Text(
            description="Path", placeholder="/home/me/prices.yaml", layout=wide(), continuous_update=False
        )
        self.prices_upload = widgets.FileUpload(
            description="Choose a prices.yaml", accept=".yaml,.yml", layout=widgets.Layout(width="260px")
        )
        self.days = widgets.BoundedIntText(
            SILENT_DAYS,
            1,
            3650,
            description="Not mailed for … days",
            style={"description_width": "initial"},
            layout=widgets.Layout(width="230px"),
        )
        super().__init__(
            [
                row(self.portal.choice, self.portal.path, self.portal.upload),
                row(self.since, self.zone),
                row(self.tier, self.hub, self.days),
                row(self.prices, self.prices_path, self.prices_upload),
                widgets.HTML(pieces.paragraph(_PRICES, "mk-note")),
            ]
        )
        for widget in (self.portal.choice, self.portal.path, self.portal.upload):
            widget.observe(lambda _: None if self._filling else react(self._choose_portal), "value")
        for widget in (self.prices, self.prices_path, self.prices_upload):
            widget.observe(lambda _: None if self._filling else react(self._open_prices), "value")
        for widget in (self.tier, self.hub, self.days, self.since, self.zone):
            widget.observe(lambda _: None if self._filling else changed(), "value")
        shown(self.prices_path, when=False)
        shown(self.prices_upload, when=False)

    @property
    def account(self) -> Account:
        """What is chosen now. Raises: DataError, where no portal has been read; PortalError, for no time zone."""
        if self._read is None:
            advice = "Upload or name one, or choose “I have none”."
            raise DataError("No portal has been read yet", advice=advice)
        portal, _ = self._read
        is_own = self.portal.choice.value != DEFAULTS
        if not is_own:
            portal = Portal(access_since=self.since.value, time_zone=self.zone.value.strip() or "UTC")
        hub = portal.subscription.hub if is_own else self.hub.value
        bought = portal.subscription.model_copy(update={"tier": self.tier.value or None, "hub": hub})
        return Account(portal.model_copy(update={"subscription": bought}), is_own, self._list, self.days.value)

    def suggest(self, portal: Path | None) -> None:
        """Chooses the portal that belongs to an export, or none, as long as the user has not chosen one."""
        choices = [choice for _, choice in self.portal.choice.options]
        choice = DEFAULTS if portal is None or str(portal) not in choices else str(portal)
        if self._is_suggested and choice != self.portal.choice.value:
            self.portal.choice.value = choice
            self._is_suggested = True

    def open_portal(self) -> None:
        """Reads the portal that is chosen. Raises: PortalError, DataError."""
        self._filling, self._read = True, None
        try:
            has_none = self.portal.choice.value == DEFAULTS
            for widget in (self.hub, self.since, self.zone):
                shown(widget, when=has_none)
            self._read = self.portal.read()
            self.tier.value = (self._read[0].subscription.tier or 0) if self._read else 0
        finally:
            self._filling = False
        self._changed()

    def _choose_portal(self) -> None:
        self._is_suggested = False
        self.open_portal()

    def _open_prices(self) -> None:
        choice = self.prices.value
        shown(self.prices_path, when=choice == BY_PATH)
        shown(self.prices_upload, when=choice == UPLOAD)
        self._list = self._chosen_prices(choice)
        self._changed()

    def _chosen_prices(self, choice: str) -> Prices | None:
        if choice == UPLOAD:
            self._filling = True
            try:
                uploads = taken(self.prices_upload)
            finally:
                self._filling = False
            return Prices.of_text(text_of(uploads[0], "a prices.yaml")) if uploads else None
        if choice == _NONE or (choice == BY_PATH and not self.prices_path.value.strip()):
            return None
        return Prices.load(place(self._folder, self.prices_path.value if choice == BY_PATH else choice))
