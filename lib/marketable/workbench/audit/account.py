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
from marketable.views import fields, pieces
from marketable.views.choosing import SettingsChoice
from marketable.views.layout import row, shown

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
        self._list: Prices | None = None
        none = "I have none: every switch as HubSpot delivers it"
        self.portal = SettingsChoice(folder, Portal, "Portal", none, Portal(), none_first=True)
        self.prices = SettingsChoice(folder, Prices, "Prices", "No price list", None, none_first=True)
        self.since = fields.day(
            "Marketing contacts since", "The day the account got marketing contacts; empty: not known", "320px"
        )
        self.zone = fields.line("Time zone", "Europe/Berlin", "UTC")
        self.tier = fields.number("Tier (0: none)", 0, 0, 100_000_000)
        self.hub = widgets.Dropdown(
            description="Marketing Hub", options=[(hub.capitalize(), hub) for hub in HUBS], value="professional",
            style={"description_width": "initial"}, layout=widgets.Layout(width="240px"),
        )  # fmt: skip
        self.days = fields.number("Not mailed for … days", SILENT_DAYS, 1, 3650, "230px")
        self.note = widgets.HTML()
        rows = [row(*self.portal.widgets), row(self.since, self.zone), self.note, row(self.tier, self.hub, self.days)]
        rows += [row(*self.prices.widgets), fields.note(_PRICES)]
        super().__init__(rows, layout=widgets.Layout(overflow="visible"))

        def unless_filling(callback: Callable[[], object]) -> Callable[[], object]:
            return lambda: None if self._filling else callback()

        fields.on_change(unless_filling(lambda: react(self.open_portal)), *self.portal.widgets)
        fields.on_change(unless_filling(lambda: react(self._open_prices)), *self.prices.widgets)
        fields.on_change(self._note_what_is_missing, self.since)
        fields.on_change(unless_filling(changed), self.tier, self.hub, self.days, self.since, self.zone)

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

    def _open_prices(self) -> None:
        self._filling, self._list = True, None
        try:
            read = self.prices.read()
            self._list = read[0] if read else None
        finally:
            self._filling = False
        self._changed()
