"""An experiment: an account day by day, what is likely to come, when it crosses its tier, and what that costs."""

from __future__ import annotations

import datetime as dt

import ipywidgets as widgets
import pandas as pd

from marketable.forecasting import Outlook, forecast
from marketable.samples.touches import BEGINS
from marketable.views import charts, pieces, words
from marketable.views.layout import row
from marketable.views.reacting import react
from marketable.views.tables import html_table

from ..batch import practice_touches, seeds
from ..classroom import Classroom
from .pieces import Panel, button, wide

STEP, MONTHLY = 1_000, 250
_TODAY = dt.date(2026, 4, 5)
_RENEWAL = dt.date(2027, 1, 1)
_ROOM = 1.06  # the tier, in marketing contacts of today, at first


class BillPanel(Panel):
    """Arguments: classroom, for the account and the seed. `outlook` is what comes."""

    outlook: Outlook

    def __init__(self, classroom: Classroom) -> None:
        self._portal, self._seeds = classroom.portal, seeds(classroom.seed)
        number = {"min": 0, "max": 100_000, "step": 50, "continuous_update": False}
        self.tier = widgets.BoundedIntText(1, **number | {"min": 1}, description="Tier", **wide())
        self.imported = widgets.BoundedIntText(0, **number, description="Import with the box ticked", **wide())
        self.released = widgets.BoundedIntText(0, **number, description="Set as non-marketing", **wide())
        self._again = button("Another account’s bill")
        title = "What comes, and what it costs"
        super().__init__("bill", title, row(self.tier, self.imported, self.released, self._again))
        self.on_use(self._show, self.tier, self.imported, self.released)
        self.on_use(self._open, self._again)
        react(self._open, self.answer)

    def _open(self) -> None:
        self._touches = practice_touches(self._portal, next(self._seeds), 5_000, (BEGINS, _TODAY))
        self.tier.value = round(self._forecast(STEP).today * _ROOM, -1)
        self._show()

    def _forecast(self, tier: int) -> Outlook:
        subscription = self._portal.subscription.model_copy(update={"tier": tier, "renewal": _RENEWAL})
        portal = self._portal.model_copy(update={"subscription": subscription})
        return forecast(self._touches, portal, {"included": tier, "step": STEP, "monthly": MONTHLY, "currency": "EUR"})

    def _show(self) -> None:
        tier, on = self.tier.value, str(_TODAY + dt.timedelta(days=1))
        planned = [{"on": on, "import": self.imported.value, "tick": "on"}] if self.imported.value else []
        planned += [{"on": on, "set_non_marketing": self.released.value}] if self.released.value else []
        self.outlook = outlook = self._forecast(tier).with_actions(planned)
        first, *more = (words.dated(said) for said in outlook.says)
        headline = pieces.headline(first, more, over=bool(pd.notna(outlook.crossing["likely"])))
        chart = charts.ahead(outlook.by_day, outlook.as_of, tier, (more or [first])[0])._repr_html_()
        table = outlook.months.reset_index()[["month", "marketing", "tier", "price"]]
        table["price"] = table["price"].round().astype(int)
        table["month"] = [f"{month:%B %Y}" for month in table["month"].dt.to_timestamp()]
        table.columns = pd.Index(["month", "marketing after its update date", "tier billed", "more a month, EUR"])
        prices = f"Invented prices: {tier:,} contacts are included, and {STEP:,} more cost {MONTHLY} EUR a month."
        self.answer.value = headline + chart + html_table(table, f"The bill by month. {prices}")
