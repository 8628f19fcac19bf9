"""The list of switches: grouped by tool, searched, each with what it reaches. It reports flips and knows no rule."""

from __future__ import annotations

import functools
import html
from collections.abc import Callable, Mapping

import ipywidgets as widgets
import pandas as pd

from marketable.portal.portal import History
from marketable.rulebook import Rule

from . import fields, pieces
from .layout import discard

_COLUMNS = (
    '<details class="mk-columns"><summary><span>reaches</span><span>only through it</span></summary>'
    "<p>Reaches: contacts that this switch alone would make marketing by the rules; how many are so in HubSpot "
    "stands on the page Why. Only through it: contacts that are marketing through it and nothing else, so many fewer "
    "if it alone were off. Share, in the picture: its part of the count, where a contact that several switches "
    "reach counts for each of them in equal parts.</p></details>"
)
States = Mapping[str, bool]
MOST = 60  # rows at once; a portal may have hundreds of forms, and a page of widgets as many is slow


class SwitchList(widgets.VBox):  # type: ignore[misc]
    """Checkboxes, one a switch. Arguments: flipped, called with a switch's name and its new state; detail, a widget
    that is shown below the switch whose mark was pressed, and `opened`, called before with the switch's name.

    `rows`: by name, the checkbox and the label of the switches that are shown, and with a detail its mark. `found`: the
    names of all that the search finds. `chosen`: the switch whose detail is shown, or None.
    """

    def __init__(
        self,
        flipped: Callable[[str, bool], None],
        detail: widgets.Widget | None = None,
        opened: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._flipped, self._detail, self._opened, self._quiet = flipped, detail, opened, False
        self.chosen: str | None = None
        self._made: dict[str, widgets.HBox] = {}
        self._heads: dict[str, widgets.HTML] = {}
        self.rows: dict[str, tuple[widgets.Widget, ...]] = {}
        layout = widgets.Layout(width="98%")
        self.search = widgets.Text(description="Search", placeholder="a form, app, import …", layout=layout)
        self.note = widgets.HTML()
        self._list = widgets.VBox(layout=widgets.Layout(overflow="hidden", display="block"))
        self._list.add_class("mk-switches")
        fields.on_change(self._fill, self.search)
        super().__init__([self.search, self.note, widgets.HTML(_COLUMNS), self._list])

    def show(
        self,
        switches: pd.DataFrame,
        on: States,
        histories: Mapping[str, History],
        rules: Mapping[str, Rule],
    ) -> None:
        """Another list.

        Arguments: switches, the baseline's `Outcome.switches`, whose states are the portal's own; on, the states as
        set; histories, the portal's, by name; rules, by source.
        """
        self._switches, self._on, self._histories, self._rules = switches, dict(on), histories, rules
        self._own = dict(switches["on"])
        self._list.children = ()
        discard((*self._made.values(), *self._heads.values()))
        self._made, self._heads, self.rows, self.chosen = {}, {}, {}, None
        self.search.value = ""
        self._fill()

    def update(self, switches: pd.DataFrame, on: States) -> None:
        """The same list after a flip: new numbers, new states."""
        self._switches, self._on, self._quiet = switches, dict(on), True
        reach = dict(zip(switches.index, zip(switches["exposed"], switches["sole"], strict=True), strict=True))
        for name, (checkbox, label, *_) in self.rows.items():
            checkbox.value = self._on[name]
            exposed, sole = reach[name]
            label.value = f'<span class="mk-reach"><span>{exposed:,}</span><b>{sole:,}</b></span>'
            row = self._made[name]
            row.add_class("mk-flipped") if self._on[name] != self._own[name] else row.remove_class("mk-flipped")
        self._quiet = False

    def _fill(self) -> None:
        sought = self.search.value.strip().casefold()
        names = [
            str(name)
            for name, source in self._switches["source"].items()
            if sought in f"{name} {self._rules[source].name}".casefold()
        ]
        self.found = names
        shown = set(self._switches["exposed"].loc[names].nlargest(MOST).index)
        self.note.value = _note(len(shown), len(names), len(self._switches))
        children, self.rows = [], {}
        for name in (name for name in self._switches.index if name in shown):
            source = self._switches.loc[name, "source"]
            head = self._heads.get(source) or widgets.HTML(_head(self._rules[source]))
            self._heads[source] = head
            if head not in children:
                children.append(head)
            row = self._made.get(name) or self._row(name)
            self._made[name] = row
            self.rows[name] = row.children
            children.append(row)
            children += [self._detail] if name == self.chosen else []
        self._list.children = children
        self.update(self._switches, self._on)

    def _row(self, name: str) -> widgets.HBox:
        asset = str(self._switches.loc[name, "asset"])
        changes = self._histories.get(name, ())
        dated = [f"{'on' if on else 'off'} {since.day} {since:%b %Y}" for since, on in changes if since]
        text = asset or ("all of them" if name == self._switches.loc[name, "source"] else "(no name)")
        checkbox = widgets.Checkbox(
            value=self._on[name],
            description=pieces.plain(" · ".join([text, *dated])),
            tooltip=name,
            indent=False,
            layout=widgets.Layout(width="auto", flex="1 1 auto", min_width="120px"),
        )
        label = widgets.HTML(layout=widgets.Layout(flex="0 0 auto"))
        checkbox.observe(functools.partial(self._report, name), "value")
        children = [checkbox, label]
        if self._detail is not None:
            children.append(widgets.Button(description="⋯", tooltip=f"More about {name}", layout={"width": "28px"}))
            children[-1].on_click(lambda _: self.show_detail(name))
        return widgets.HBox(children, layout=widgets.Layout(overflow="hidden"))

    def show_detail(self, name: str) -> None:
        """Shows the detail below a switch, or takes it away."""
        self.chosen = None if name == self.chosen else name
        if self.chosen:
            self._opened(name)
        self._fill()

    def _report(self, name: str, change: Mapping[str, bool]) -> None:
        if not self._quiet:
            self._flipped(name, change["new"])


def _note(shown: int, found: int, every: int) -> str:
    text = f"{found:,} of {every:,} switches." if found < every else ""
    if shown < found:
        text = f"The {shown} that reach the most contacts, of {found:,}. Search to see others."
    return pieces.paragraph(text, "mk-note") if text else ""


def _head(rule: Rule) -> str:
    """The head of a tool's switches: its name, what has a switch of its own, and the default."""
    scope = "one switch for the account" if rule.switch == "account" else f"one switch per {rule.asset}"
    return (
        f'<div class="mk-group" title="{html.escape(rule.where)}. {html.escape(str(rule.reference))}">'
        f"<span>{html.escape(rule.name)}</span><small>{scope}, {'on' if rule.default_on else 'off'} by default</small>"
        "</div>"
    )
