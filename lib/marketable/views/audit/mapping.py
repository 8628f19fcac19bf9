"""What to do where the files speak otherwise than HubSpot's own names: columns and values are told by hand, once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import ipywidgets as widgets
import pandas as pd

from ...inputs.dates import DAY_FIRST, MONTH_FIRST
from ...inputs.exports import ColumnMapping
from ...rulebook import MARKETING, NON_MARKETING
from .. import pieces
from ..choosing import settings_files, taken, text_of
from ..layout import row, shown, stacked, wide
from ..place import shared
from ..tables import html_table
from .reading import FACTS, Look

_NONE = ""
_NEEDED = {
    "record_id": " (this or Email: needed)",
    "email": " (this or Record ID: needed)",
    "created_at": " (needed)",
    "status": " (needed)",
}
_WHAT_FOR = (
    "Choose which column of your file tells what. Needed are Record ID or Email, and Create Date; without Marketing "
    "contact status there is nothing to compare with. The others make the audit say more."
)


class MappingPanel(widgets.VBox):  # type: ignore[misc]
    """Arguments: folder, whose saved mappings are offered; use, called with a mapping; save, called with its text.

    Attributes: columns, by fact a Dropdown; values, by fact and text a Dropdown; dates; saved; upload; use_it, save_it.
    """

    def __init__(
        self, folder: Path, use: Callable[[Callable[[], ColumnMapping]], None], save: Callable[..., None]
    ) -> None:
        self._folder, self._use, self._before, self._filling = folder, use, ColumnMapping(), False
        self._look = Look((), (), {}, "")
        self.columns: dict[str, widgets.Dropdown] = {}
        self.values: dict[tuple[str, str], widgets.Dropdown] = {}
        self.dates = stacked(
            widgets.Dropdown(
                description="Day and month",
                options=[
                    ("as the dates tell", _NONE),
                    ("day first, as 31/12", DAY_FIRST),
                    ("month first", MONTH_FIRST),
                ],
            )
        )
        self.saved = widgets.Dropdown(description="Saved one", layout=wide())
        self.upload = widgets.FileUpload(
            description="Upload a mapping.yaml", accept=".yaml,.yml", layout=widgets.Layout(width="260px")
        )
        self.examples = widgets.Checkbox(False, description="Show what stands in the columns", indent=False)
        self.use_it = widgets.Button(description="Use this mapping", button_style="primary")
        self.save_it = widgets.Button(description="Save this mapping", tooltip="As mapping.yaml, for the next export")
        self._fields, self._strange, self._undecided = widgets.Box(), widgets.Box(), widgets.HTML()
        for box in (self._fields, self._strange):
            box.add_class("mk-wrap")
        self._table, self._values_note = widgets.HTML(), widgets.HTML()
        super().__init__(
            [
                widgets.HTML(pieces.paragraph(_WHAT_FOR, "mk-note")),
                self.upload if shared() else self.saved,
                self.examples,
                self._table,
                self._fields,
                self._values_note,
                self._strange,
                self._undecided,
                self.dates,
                row(self.use_it, self.save_it),
            ]
        )
        self.use_it.on_click(lambda _: use(self.mapping))
        self.save_it.on_click(lambda _: save(self.mapping))
        self.examples.observe(lambda _: self._show_examples(), "value")
        self.saved.observe(lambda _: self._load(), "value")
        self.upload.observe(lambda _: self._load_upload(), "value")

    def show(self, look: Look, mapping: ColumnMapping) -> None:
        """Shows what the files look like under a mapping."""
        self._before, self._look, self._filling = mapping, look, True
        names = [column.name for column in look.columns if column.name.strip()]
        options = [(name, name) for name in names]
        taken_for = {column.fact: column.name for column in reversed(look.columns) if column.fact}
        self.columns = {
            fact: stacked(
                widgets.Dropdown(
                    description=f"{name}{_NEEDED.get(fact, '')}",
                    # What is known by its own name cannot be unknown.
                    options=options
                    if fact in taken_for and fact not in mapping.columns
                    else [("(none)", _NONE), *options],
                    value=taken_for.get(fact, _NONE),
                )
            )
            for fact, name in sorted(FACTS.items(), key=lambda each: each[0] not in _NEEDED)
        }
        self.values = {
            (fact, text): stacked(widgets.Dropdown(description=pieces.plain(text), options=_meanings(fact)))
            for fact, texts in look.unknown.items()
            for text in texts
        }
        strange = "These values are not known. Say what they mean; whoever has one that is left open is rejected."
        self._values_note.value = pieces.paragraph(strange, "mk-note") if self.values else ""
        self._undecided.value = pieces.paragraph(look.dates, "mk-note") if look.dates else ""
        self.dates.value = mapping.dates or _NONE
        for box, fields in ((self._fields, self.columns), (self._strange, self.values)):
            gone = box.children
            box.children = tuple(fields.values())
            for widget in gone:
                widget.close()
        found = settings_files(self._folder, _some) if not shared() else []
        self.saved.options = [("Choose …", _NONE), *found]
        shown(self.saved, when=bool(found))
        self._filling = False
        self._show_examples()

    def mapping(self) -> ColumnMapping:
        """The mapping as it is chosen now. Raises: MappingError, where one column is chosen for two facts."""
        taken_for = {column.name: column.fact for column in self._look.columns}
        chosen = {fact: widget.value for fact, widget in self.columns.items()}
        wanted = {fact: name for fact, name in chosen.items() if name}
        often = {name for name, times in Counter(wanted.values()).items() if times > 1}
        own = {fact: name for fact, name in wanted.items() if taken_for.get(name) != fact or name in often}
        columns = {
            fact: tuple(name for name in names if name not in own.values())
            for fact, names in self._before.columns.items()
            if chosen.get(fact, True)
        }
        columns |= {fact: (name, *columns.get(fact, ())) for fact, name in own.items()}
        values = {meaning: tuple(texts) for meaning, texts in self._before.values.items()}
        for (_, text), widget in self.values.items():
            if widget.value and text not in values.get(widget.value, ()):
                values[widget.value] = (*values.get(widget.value, ()), text)
        settings = self._before.settings() | {
            "columns": {fact: list(names) for fact, names in columns.items() if names},
            "values": {meaning: list(texts) for meaning, texts in values.items()},
            "dates": self.dates.value,
        }
        return ColumnMapping(**settings)

    def _show_examples(self) -> None:
        rows = [(column.name, " · ".join(column.samples)) for column in self._look.columns]
        frame = pd.DataFrame(rows, columns=["column of the file", "stands in it"])
        self._table.value = html_table(frame, "The columns of the file") if self.examples.value else ""

    def _load(self) -> None:
        path = self.saved.value
        if path and not self._filling:
            self._use(lambda: ColumnMapping.load(path))

    def _load_upload(self) -> None:
        if self.upload.value and not self._filling:
            self._use(self._uploaded)

    def _uploaded(self) -> ColumnMapping:
        self._filling = True
        try:
            (upload,) = taken(self.upload)
        finally:
            self._filling = False
        return ColumnMapping.of_text(text_of(upload, "a mapping.yaml"))


def _meanings(fact: str) -> list[tuple[str, str]]:
    meanings = (MARKETING, NON_MARKETING) if fact == "status" else ("yes", "no")
    return [("not known: leave these rows out", _NONE), *((meaning, meaning) for meaning in meanings)]


def _some(path: Path) -> object:
    return ColumnMapping.load(path).settings()
