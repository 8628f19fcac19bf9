"""Practice: the marketing contacts have jumped over the tier. Which switch was it?"""

from __future__ import annotations

import ipywidgets as widgets
import pandas as pd

from marketable.rulebook import Rulebook
from marketable.views import charts, pieces, words
from marketable.views.reacting import react
from marketable.views.tables import html_table

from ..batch import seeds
from ..classroom import Classroom
from ..find_switch import Puzzle, find_switch
from .pieces import Record, panel, verdict, wide

_ANSWER, _AGAIN = "Answer", "Another account"


class FindPanel(widgets.VBox):  # type: ignore[misc]
    """Arguments: classroom, for the account and the seed; record. `puzzle` is what is asked."""

    def __init__(self, classroom: Classroom, record: Record) -> None:
        super().__init__()
        self._portal, self._record, self._seeds = classroom.portal, record, seeds(classroom.seed)
        self._rules = Rulebook.load().newest
        self._asked, self._table, self._answered = widgets.HTML(), widgets.HTML(), widgets.HTML()
        self.split_at = widgets.DatePicker(
            description="Compare contacts created before and since",
            style={"description_width": "initial"},
            layout=widgets.Layout(width="440px", max_width="100%"),
        )
        self.split_at.observe(lambda _change: react(self._split, self._table), "value")
        self.choice = widgets.RadioButtons(options=[], description="It was", **wide())
        self.button = widgets.Button(description=_AGAIN, layout=widgets.Layout(width="160px"))
        self.button.on_click(lambda _button: react(self._go_on, self._answered))
        panel(self, "find", [self._asked, self.split_at, self._table, self.choice, self.button, self._answered])
        react(self._new_puzzle, self._answered)

    def _go_on(self) -> None:
        if self.button.description == _AGAIN:
            self._new_puzzle()
        elif self.choice.value is None:
            self._answered.value = pieces.alert("Choose a switch first.")
        else:
            self._judge()

    def _new_puzzle(self) -> None:
        self._asked.value = pieces.paragraph("Making up an account …")
        self.puzzle = puzzle = find_switch(self._portal, next(self._seeds))
        by_day = puzzle.outcome.by_day()
        chart = charts.over_time(by_day, by_day, puzzle.tier)
        over = words.crossing(by_day, puzzle.tier)
        assert over is not None
        story = (
            f"The tier is {puzzle.tier:,}. Since {words.day(over)} there are more marketing contacts than that, now "
            f"{by_day.iloc[-1]:,}, and the invoice is a step higher. By the account's notes none of the switches below "
            "was turned on. One of them was, some weeks or months before, and stayed on. Which? Move the day below to "
            "and fro: whom did each of them create before, whom since, and how many of these are marketing? A "
            "switch that is not listed is as HubSpot delivers it."
        )
        title = '<h3 class="mk-title">The invoice has jumped: which switch was it?</h3>'
        self._asked.value = title + pieces.paragraph(story) + chart._repr_html_()
        self.choice.options = [(pieces.plain(pieces.called(name, self._rules)), name) for name in puzzle.choices]
        self.choice.index, self.choice.disabled = None, False
        self.button.description, self._answered.value = _ANSWER, ""
        self.split_at.value = over
        self._split()

    def _split(self) -> None:
        edge = self.split_at.value
        if edge is None:
            self._table.value = pieces.alert("Choose a day, to compare the contacts from before with those since.")
            return
        table = self.puzzle.created(edge)
        switches = [pieces.called(name, self._rules) for name in self.puzzle.choices]
        shown = pd.DataFrame(
            {
                "created by": switches,
                "its switch, by the notes": table["notes"],
                "before: contacts": table["before"],
                "of them marketing": table["marketing_before"],
                "since: contacts": table["since"],
                "of them marketing ": table["marketing_since"],
            }
        )
        self._table.value = html_table(shown, f"Contacts created before {words.day(edge)} and since")

    def _judge(self) -> None:
        puzzle, said = self.puzzle, self.choice.value
        right = said == puzzle.answer
        self.choice.disabled, self.button.description = True, _AGAIN
        self._answered.value = self._told(puzzle, said, right=right)
        self._record("find", puzzle.answer.partition("/")[0], right)

    def _told(self, puzzle: Puzzle, said: str, *, right: bool) -> str:
        called = pieces.called(puzzle.answer, self._rules)
        since = f"on from {words.day(puzzle.since)}"
        told = verdict(f"{'Right' if right else 'No, it was'}: {called}, {since}.", right=right)
        named = list(dict.fromkeys([puzzle.answer, said]))
        created = puzzle.created(puzzle.since).set_axis(list(puzzle.choices)).loc[named]
        table = pd.DataFrame(
            {
                "created by": [pieces.called(name, self._rules) for name in named],
                "contacts since": created["since"].to_numpy(),
                "of them marketing": created["marketing_since"].to_numpy(),
            }
        )
        told += pieces.paragraph(
            f"It made {puzzle.added(puzzle.answer):,} more contacts marketing than the notes tell."
        )
        source = puzzle.answer.partition("/")[0]
        rule = self._rules[source]
        where = f"In HubSpot: {rule.where}. Source: {rule.reference}."
        return (
            told
            + html_table(table, f"Contacts created since {words.day(puzzle.since)}")
            + pieces.paragraph(where, "mk-note")
        )
