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

_COLUMNS = (
    '<p class="mk-columns"><span title="Contacts that the switch alone would make marketing">reaches</span>'
    '<span title="Contacts that are marketing through it and nothing else: lost if it alone were off">'
    "only through it</span></p>"
)
States = Mapping[str, bool]
MOST = 60  # rows at once; a portal may have hundreds of forms, and a page of widgets as many is slow


class SwitchList(widgets.VBox):  # type: ignore[misc]
    """Checkboxes, one a switch. Arguments: flipped, called with a switch's name and its new state.

    `rows`: by name, the checkbox and the label of the switches that are shown. `found`: the names of all that the
    search finds.
    """

    def __init__(self, flipped: Callable[[str, bool], None]) -> None:
        self._flipped, self._quiet = flipped, False
        self._made: dict[str, widgets.HBox] = {}
        self._heads: dict[str, widgets.HTML] = {}
        self.rows: dict[str, tuple[widgets.Checkbox, widgets.HTML]] = {}
        layout = widgets.Layout(width="98%")
        self.search = widgets.Text(description="Search", placeholder="a form, app, import …", layout=layout)
        self.note = widgets.HTML()
        self._list = widgets.VBox(layout=widgets.Layout(overflow="hidden auto", display="block"))
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
        for widget in (*self._made.values(), *self._heads.values()):
            _close(widget)
        self._made, self._heads, self.rows = {}, {}, {}
        self.search.value = ""
        self._fill()

    def update(self, switches: pd.DataFrame, on: States) -> None:
        """The same list after a flip: new numbers, new states."""
        self._switches, self._on, self._quiet = switches, dict(on), True
        reach = dict(zip(switches.index, zip(switches["exposed"], switches["sole"], strict=True), strict=True))
        for name, (checkbox, label) in self.rows.items():
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
        self._list.children = children
        self.update(self._switches, self._on)

    def _row(self, name: str) -> widgets.HBox:
        asset = str(self._switches.loc[name, "asset"])
        changes = self._histories.get(name, ())
        dated = [f"{'on' if on else 'off'} {since:%Y-%m-%d}" for since, on in changes if since]
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
        return widgets.HBox([checkbox, label], layout=widgets.Layout(overflow="hidden"))

    def _report(self, name: str, change: Mapping[str, bool]) -> None:
        if not self._quiet:
            self._flipped(name, change["new"])


def _note(shown: int, found: int, every: int) -> str:
    text = f"{found:,} of {every:,} switches." if found < every else f"{every:,} switches."
    if shown < found:
        text = f"The {shown} that reach the most contacts, of {found:,}. Search to see others."
    return pieces.paragraph(text, "mk-note")


def _head(rule: Rule) -> str:
    """The head of a tool's switches: its name, what has a switch of its own, and the default."""
    scope = "one switch for the account" if rule.switch == "account" else f"one switch per {rule.asset}"
    return (
        f'<div class="mk-group" title="{html.escape(rule.where)}. {html.escape(str(rule.reference))}">'
        f"<span>{html.escape(rule.name)}</span><small>{scope}, {'on' if rule.default_on else 'off'} by default</small>"
        "</div>"
    )


def _close(widget: widgets.Widget) -> None:
    """Closes a widget with all that belongs to it; what is only dropped stays in the kernel and in every open page."""
    for child in getattr(widget, "children", ()):
        _close(child)
    for part in ("layout", "style"):
        if hasattr(widget, part):
            getattr(widget, part).close()
    widget.close()
