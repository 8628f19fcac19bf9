"""The account as a form: what it pays for, since when it has marketing contacts, and what more contacts cost."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import ipywidgets as widgets

from marketable.errors import MarketableError
from marketable.portal.portal import Portal
from marketable.portal.prices import Prices
from marketable.views import fields
from marketable.views.choosing import NO_FILE, SettingsChoice
from marketable.views.layout import row, shown

HUBS = [(hub.capitalize(), hub) for hub in ("starter", "professional", "enterprise")]
_NO_FILE = "as filled in here"
_SINCE = "The day on which the account got marketing contacts; empty: not known, or from the start"
_PRICES = (
    "For the money, three numbers of your invoice or offer: how many marketing contacts its price includes (0: "
    "those of your tier), in blocks of how many you buy more, and what a block costs a month."
)


class Account(widgets.VBox):  # type: ignore[misc]
    """Arguments: folder, whose accounts and price lists are offered; changed, called when the account has.

    Attributes: portal and prices, as the form has them; name, of its file, and whether it was changed (blank where
    nothing was entered); `file` and `price_list`, by which files are chosen; tier, hub,
    commitment, renewal, since, zone, included, step, monthly, currency.
    """

    def __init__(self, folder: Path, changed: Callable[[], None], when: Callable[..., None]) -> None:
        self._changed = changed
        self.prices: Prices | None = None
        self._portal, self.name = Portal(), ""
        self.file = SettingsChoice(folder, Portal, "Account", _NO_FILE, Portal(), none_first=False)
        self.sample = Path(self.file.choice.value) if self.file.has_file else None
        self.price_list = SettingsChoice(folder, Prices, "Price list", _NO_FILE, None, none_first=True)
        self.tier = fields.number("Tier (0: none)", 0, 0, 100_000_000)
        self.hub = fields.choice("Marketing Hub", HUBS, width="250px")
        self.commitment = fields.choice("Commitment", ["yearly", "monthly"], width="220px")
        self.renewal = fields.day("Renewal", "The next day on which the term is renewed", "230px")
        self.since = fields.day("Marketing contacts since", _SINCE, "320px")
        self.zone = fields.line("Time zone", "Europe/Berlin", "UTC", "240px")
        self.included, self.step = (
            fields.number(f"Contacts {each}", 0, 0, 10_000_000) for each in ("included", "a block")
        )
        self.monthly = fields.amount("Price of a block a month")
        self.currency = fields.line("Currency", "EUR", "USD", "180px")
        self._form = (self.tier, self.hub, self.commitment, self.renewal, self.since, self.zone)
        self._money = (self.included, self.step, self.monthly, self.currency)
        for field in (*self._form, *self._money):
            field.continuous_update = False
        money = row(*self.price_list.widgets, *self._money)
        super().__init__([row(*self.file.widgets), row(*self._form), fields.note(_PRICES), money])
        when(self.read, *self.file.widgets)
        when(self._read_prices, *self.price_list.widgets, *self._money)
        when(self._take, *self._form)

    @property
    def called(self) -> str:
        """What the account is called on the page."""
        return self.name or "none entered, every switch as HubSpot sets it at first"

    @property
    def portal(self) -> Portal:
        """The account as it is chosen and edited."""
        return self._portal

    def read(self) -> None:
        """Reads the file that is chosen. Raises: PortalError, DataError."""
        if self.load():
            self._changed()

    def load(self) -> bool:
        """Fills the form from the file that is chosen, if there is one yet."""
        read = self.file.read()
        if read is not None:
            self.fill(*read)
        return read is not None

    @contextlib.contextmanager
    def suggested(self, file: Path | None) -> Iterator[None]:
        """Has the account that goes with what is opened, unless one was chosen; where that fails, all is as before."""
        before = self.file.choice.value, self._portal, self.name
        self.file.suggest(file)
        try:
            if self.file.choice.value != before[0]:
                self.load()
            yield
        except MarketableError:
            self.file.suggest(None if before[0] == NO_FILE else Path(before[0]))
            self.fill(*before[1:])
            raise

    def fill(self, portal: Portal, called: str | None = None) -> None:
        """Shows an account. Arguments: called, its file; None: as before, but edited."""
        if called is not None:
            self.name = called
        elif not self.name:
            self.name = "as filled in"
        elif not self.name.endswith((")", "filled in")):
            self.name += " (changed here)"
        self._portal, bought = portal, portal.subscription
        self.tier.value, self.hub.value, self.commitment.value = bought.tier or 0, bought.hub, bought.commitment
        self.renewal.value, self.since.value, self.zone.value = bought.renewal, portal.access_since, portal.time_zone

    def set_prices(self, prices: Prices | None) -> None:
        """Shows prices that were kept."""
        self.prices = prices
        if prices and (step := prices.step(self.hub.value, max(each.since for each in prices.steps))):
            self.step.value, self.monthly.value = int(step.contacts), step.monthly
            self.included.value, self.currency.value = int(step.included or 0), prices.currency

    def _take(self) -> None:
        """What the form says. Raises: PortalError, where that cannot be; the account is then as before."""
        bought = {
            "hub": self.hub.value, "commitment": self.commitment.value,
            "renewal": self.renewal.value, "tier": self.tier.value or None,
        }  # fmt: skip
        asked = {"time_zone": self.zone.value.strip() or "UTC", "access_since": self.since.value}
        given = self._portal.settings() | asked | {"subscription": {k: v for k, v in bought.items() if v is not None}}
        self.fill(Portal(**given))
        self._changed()

    def _read_prices(self) -> None:
        read, asked = self.price_list.read(), self.step.value > 0
        for field in self._money:
            shown(field, when=not self.price_list.has_file)
        self.prices = read[0] if read else None
        if asked and not self.price_list.has_file:
            numbers = self.included.value or None, self.step.value, self.monthly.value
            self.prices = Prices.flat(*numbers, hub=self.hub.value, currency=self.currency.value.strip().upper())
        self._changed()
