"""The page Ahead: the count until the renewal, when it crosses the tier, the bill by month, and what is planned."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from marketable.errors import MarketableError
from marketable.forecasting import Outlook
from marketable.forecasting.actions import actions_of
from marketable.views import ahead, fields, pieces
from marketable.views.layout import column, row, shown
from marketable.views.words import dated

from .pages import Page

if TYPE_CHECKING:
    from .page import Workbench

_SWITCH, _IMPORT, _SET = "switch", "import", "set"
_KINDS = [
    ("turn a switch on or off", _SWITCH), ("import contacts", _IMPORT), ("set contacts as (non-)marketing", _SET),
]  # fmt: skip
_NUMBER = "so many"


class Ahead(Page):
    """Attributes: kind, day, switch, turn, many, existing, tick, whom, status, and add: the form of an action; drop, by
    which one is taken away; flips, which plans what is flipped; `outlook`, what is shown.
    """

    name = "Ahead"

    def __init__(self, bench: Workbench) -> None:
        super().__init__(bench, "ahead", "ahead-chart", "ahead-more", "planned")
        self.outlook: Outlook | None = None
        self.day = fields.day("On", "Today or later", "190px")
        self.kind = fields.choice("Plan to", _KINDS)
        self.switch = fields.choice("Switch", [])
        self.turn = fields.choice("to", [("off", False), ("on", True)], width="150px")
        self.many = fields.number("Contacts", 500, 0, 100_000_000)
        self.existing = fields.number("of them there already", 0, 0, 100_000_000, "260px")
        self.tick = fields.box("box for marketing contacts ticked")
        self.whom = fields.choice("Whom", [_NUMBER])
        self.status = fields.choice("as", ["non-marketing", "marketing"], width="240px")
        self.add = fields.button("Add to the plan", "", "auto", button_style="primary")
        self.flips = fields.button("Plan what is flipped", "Turns the flipped switches on that day", "auto")
        self.planned = fields.choice("Planned", [])
        self.drop = fields.button("Take it away", "", "auto")
        self._asked = {
            _SWITCH: (self.switch, self.turn), _IMPORT: (self.many, self.existing, self.tick),
            _SET: (self.whom, self.many, self.status),
        }  # fmt: skip
        self._dropping = row(self.planned, self.drop)
        self.when(self._show_asked, self.kind, self.whom)
        self.when(self._add, self.add, where="planned")
        self.when(self._add_flips, self.flips, where="planned")
        self.when(
            lambda: self._plan(self.work.actions[: self.planned.value] + self.work.actions[self.planned.value + 1 :]),
            self.drop,
        )
        form = row(self.kind, *dict.fromkeys(each for some in self._asked.values() for each in some), self.day)
        asked = [fields.heading("What is planned"), form, row(self.add, self.flips), self.at["planned"], self._dropping]
        self.children = [
            self.at["ahead"],
            row(column([self.at["ahead-chart"]], "2 1 480px"), column(asked, "1 1 340px")),
            self.at["ahead-more"],
        ]

    def draw(self) -> None:
        """Draws the account as it stands: flips are a past that was not, and count only where they are planned."""
        basis = self.basis
        found = basis.outlook
        self.outlook = None if isinstance(found, MarketableError) else found.with_actions(self.work.actions)
        with self.bench.quietly():
            fields.offer(self.switch, [(pieces.called(name, basis.rules), name) for name in basis.switches])
            mailing = None if basis.audit is None else basis.audit.mailing.value_counts()
            groups = [] if mailing is None else [str(name) for name, many in mailing.items() if name and many]
            fields.offer(self.whom, [_NUMBER, *groups])
            fields.offer(self.planned, [(dated(str(each)), at) for at, each in enumerate(self.work.actions)])
            if self.day.value is None and self.outlook is not None:
                self.day.value = self.outlook.as_of + dt.timedelta(days=1)
        self._show_asked()
        shown(self._dropping, when=bool(self.work.actions))
        self.flips.disabled = not self.work.now.flips
        if self.outlook is None:
            told = pieces.paragraph(f"Nothing can be said of what comes. {dated(str(found))}"), "", ""
        else:
            more = ahead.effects(self.outlook) + ahead.months(self.outlook) + ahead.sureness(self.outlook)
            above = [] if self.work.actions else basis.beside(self.work.flips)
            said = " ".join(each for each in map(dated, self.outlook.says) if each not in above)
            told = pieces.paragraph(said, "mk-answer"), ahead.chart(self.outlook), more
        self.at["ahead"].value, self.at["ahead-chart"].value, self.at["ahead-more"].value = told

    def _show_asked(self) -> None:
        asked = self._asked[self.kind.value]
        for widget in dict.fromkeys(each for some in self._asked.values() for each in some):
            shown(widget, when=widget in asked)
        if self.kind.value == _SET:
            shown(self.many, when=self.whom.value == _NUMBER)

    def _add(self) -> None:
        day, kind = self.day.value, self.kind.value
        action: dict[str, Any] = {"on": day}
        if kind == _SWITCH:
            action |= {"switch": self.switch.value, "turn": self.turn.value}
        elif kind == _IMPORT:
            action |= {"import": self.many.value, "existing": self.existing.value or None, "tick": self.tick.value}
        else:
            whom = self.many.value if self.whom.value == _NUMBER else [self.whom.value]
            action[f"set_{self.status.value.replace('-', '_')}"] = whom
        self._plan((*self.work.actions, *actions_of([action])))

    def _add_flips(self) -> None:
        flips = [{"on": self.day.value, "switch": name, "turn": on} for name, on in self.work.now.flips.items()]
        self._plan((*self.work.actions, *actions_of(flips)))

    def _plan(self, actions: tuple[Any, ...]) -> None:
        """Plans this from now on. Raises: DataError, where it cannot be; then it is as before."""
        if self.outlook is not None:
            self.outlook.with_actions(actions)
        self.work.actions = tuple(sorted(actions, key=lambda each: each.on))
        self.draw()
        self.bench.keep()
