"""The third step of an audit: what the account says about itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import ipywidgets as widgets

from marketable.auditing.audit import SILENT_DAYS
from marketable.errors import DataError
from marketable.portal.portal import Portal
from marketable.portal.prices import Prices
from marketable.views import pieces
from marketable.views.choosing import NO_FILE, SettingsChoice
from marketable.views.layout import narrow, row, shown, wide

HUBS = ("starter", "professional", "enterprise")
_PRICES = (
    "With a price list, counts are told as money too. prices.yaml is a made-up example: copy it, and put in what your "
    "own invoice or offer says."
)

_UNKNOWN_DAY = (
    "The day is not known on which the account got its marketing contacts: contacts from before that day may be "
    "explained wrongly."
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

    Attributes: portal, since, zone, tier, hub, prices, days; note, what is missing.
    """

    def __init__(self, folder: Path, react: Callable[[Callable[[], None]], None], changed: Callable[[], None]) -> None:
        self._changed, self._filling = changed, False
        self._read: tuple[Portal, str] | None = Portal(), ""
        self._is_suggested = True
        self._list: Prices | None = None
        none = "I have none: every switch as HubSpot delivers it"
        self.portal = SettingsChoice(folder, Portal, "Portal", none, Portal(), none_first=True)
        self.prices = SettingsChoice(folder, Prices, "Prices", "No price list", None, none_first=True)
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
        self.days = widgets.BoundedIntText(
            SILENT_DAYS,
            1,
            3650,
            description="Not mailed for … days",
            style={"description_width": "initial"},
            layout=widgets.Layout(width="230px"),
        )
        self.note = widgets.HTML()
        super().__init__(
            [
                row(*self.portal.widgets),
                row(self.since, self.zone),
                self.note,
                row(self.tier, self.hub, self.days),
                row(*self.prices.widgets),
                widgets.HTML(pieces.paragraph(_PRICES, "mk-note")),
            ],
            layout=widgets.Layout(overflow="visible"),
        )
        for widget in self.portal.widgets:
            widget.observe(lambda _: None if self._filling else react(self._choose_portal), "value")
        for widget in self.prices.widgets:
            widget.observe(lambda _: None if self._filling else react(self._open_prices), "value")
        self.since.observe(lambda _: self._note_what_is_missing(), "value")
        for widget in (self.tier, self.hub, self.days, self.since, self.zone):
            widget.observe(lambda _: None if self._filling else changed(), "value")

    @property
    def account(self) -> Account:
        """What is chosen now. Raises: DataError, where no portal has been read; PortalError, for no time zone."""
        if self._read is None:
            advice = "Upload or name one, or choose “I have none”."
            raise DataError("No portal has been read yet", advice=advice)
        portal, _ = self._read
        is_own = self.portal.has_file
        if not is_own:
            portal = Portal(time_zone=self.zone.value.strip() or "UTC")
        portal = portal.model_copy(update={"access_since": portal.access_since or self.since.value})
        hub = portal.subscription.hub if is_own else self.hub.value
        bought = portal.subscription.model_copy(update={"tier": self.tier.value or None, "hub": hub})
        return Account(portal.model_copy(update={"subscription": bought}), is_own, self._list, self.days.value)

    def suggest(self, portal: Path | None) -> None:
        """Chooses the portal that belongs to an export, or none, as long as the user has not chosen one."""
        choices = [choice for _, choice in self.portal.choice.options]
        choice = NO_FILE if portal is None or str(portal) not in choices else str(portal)
        if self._is_suggested and choice != self.portal.choice.value:
            self.portal.choice.value = choice
            self._is_suggested = True

    def open_portal(self) -> None:
        """Reads the portal that is chosen. Raises: PortalError, DataError."""
        self._filling, self._read = True, None
        try:
            for widget in (self.hub, self.zone):
                shown(widget, when=not self.portal.has_file)
            shown(self.since, when=False)
            self._read = self.portal.read()
            shown(self.since, when=self._asks_for_the_day)
            self.tier.value = (self._read[0].subscription.tier or 0) if self._read else 0
        finally:
            self._filling = False
            self._note_what_is_missing()
        self._changed()

    @property
    def _asks_for_the_day(self) -> bool:
        """Whether there is a portal, and it does not name the day of access."""
        return self._read is not None and self._read[0].access_since is None

    def _note_what_is_missing(self) -> None:
        missing = self._asks_for_the_day and self.since.value is None
        self.note.value = pieces.paragraph(_UNKNOWN_DAY, "mk-note") if missing else ""

    def _choose_portal(self) -> None:
        self._is_suggested = False
        self.open_portal()

    def _open_prices(self) -> None:
        self._filling, self._list = True, None
        try:
            read = self.prices.read()
            self._list = read[0] if read else None
        finally:
            self._filling = False
        self._changed()
