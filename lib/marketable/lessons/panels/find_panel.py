"""Practice: the marketing contacts have jumped over the tier. Which switch was it?"""

from __future__ import annotations

from collections.abc import Sequence

import ipywidgets as widgets
import pandas as pd

from marketable.rulebook import Rulebook
from marketable.views import charts, fields, pieces, words
from marketable.views.tables import html_table

from ..classroom import Classroom
from ..find_switch import Puzzle, find_switch
from .pieces import Posed, Questions, Record


class FindPanel(Questions):
    """Arguments: classroom, for the account and the seed; record. `puzzle` is what is asked; `split_at`, the day that
    `suspects`, a table, is split at.
    """

    exercise, again, answering = "find", "Another jump", "It was this one"
    puzzle: Puzzle

    def __init__(self, classroom: Classroom, record: Record) -> None:
        self._rules = Rulebook.load().newest
        self.suspects = widgets.HTML()
        self.split_at = fields.day("Compare contacts created before and since", "", "440px")
        super().__init__(classroom, record, self.split_at, self.suspects)
        self.on_use(self._split, self.split_at)

    def _make_up(self, seed: str) -> Sequence[Posed]:
        self.puzzle = puzzle = find_switch(self.portal, seed)
        by_day, tier = puzzle.outcome.by_day(), puzzle.tier
        over = words.crossing(by_day, tier)
        assert over is not None
        story = (
            f"The tier is {tier:,}. Since {words.day(over)} there are more marketing contacts than that, now "
            f"{by_day.iloc[-1]:,}. One of the switches below was turned on at some time before, and nobody "
            "noted it. Which? Move the day below to and fro: whom did each create before, whom since, and how many of "
            "these are marketing?"
        )
        self.split_at.value = over
        self._split()
        asks = pieces.paragraph(story) + charts.over_time(by_day, by_day, tier)._repr_html_()
        choices = list(zip(map(pieces.plain, self._called(puzzle.choices)), puzzle.choices, strict=True))
        source, since = puzzle.answer.partition("/")[0], words.day(puzzle.since)
        why = (
            f"It was turned on on {since}, and made {puzzle.added(puzzle.answer):,} more contacts marketing than the "
            f"notes say. In HubSpot: {self._rules[source].where}."
        )
        read = pieces.paragraph(f"{self._rules[source].reference}", "mk-note")
        return [Posed(source, source, asks, "It was", choices, puzzle.answer, why, read)]

    def _title(self, number: int) -> str:
        return "The invoice has jumped: which switch was it?"

    def _sum_up(self, answers: list[tuple[str, bool]]) -> str:
        created = self.puzzle.created(self.puzzle.since).loc[[self.puzzle.answer], ["since", "marketing_since"]]
        created.columns = pd.Index(["contacts since", "of them marketing"])
        created.insert(0, "created by", self._called([self.puzzle.answer]))
        return html_table(created, f"Contacts created since {words.day(self.puzzle.since)}")

    def _split(self) -> None:
        edge = self.split_at.value
        if edge is None:
            self.suspects.value = pieces.alert("Choose a day, to compare the contacts from before with those since.")
            return
        table = self.puzzle.created(edge)
        table["notes"] = table["notes"].map(words.dated)
        table.insert(0, "created by", self._called(self.puzzle.choices))
        names = ["its switch, by the notes", "before: contacts", "of them marketing", "since: contacts"]
        table.columns = pd.Index(["created by", *names, "of them marketing "])
        self.suspects.value = html_table(table, f"Contacts created before {words.day(edge)} and since")

    def _called(self, switches: Sequence[str]) -> list[str]:
        return [pieces.called(name, self._rules) for name in switches]
