"""What to do where the files speak otherwise than HubSpot's own names: columns and values are told by hand, once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import ipywidgets as widgets
import pandas as pd

from marketable.exports import ColumnMapping, recorded_sources
from marketable.reading.dates import DAY_FIRST, MONTH_FIRST
from marketable.rulebook import MARKETING, NON_MARKETING, NOT_COVERED, Rulebook
from marketable.views import fields, pieces
from marketable.views.choosing import YAML, settings_files, settings_of, taken
from marketable.views.layout import discard, row, shown, stacked, wide
from marketable.views.place import shared
from marketable.views.tables import html_table

from .reading import FACTS, Look
from .understanding import counted

_NONE = ""
_NEEDED = {
    "record_id": " (this or Email: needed)",
    "email": " (this or Record ID: needed)",
    "created_at": " (needed)",
    "status": " (needed)",
}
_STRANGE = (
    "These words of your file are not known. Say what they mean, or go on without: rows whose status is left open are "
    "rejected, and other words that are left open count as blank."
)
_WHAT_FOR = (
    "Choose which column of your file says what. Needed are Record ID or Email, and Create Date; without Marketing "
    "contact status there is nothing to compare with. The others make the audit say more."
)


class MappingPanel(widgets.VBox):  # type: ignore[misc]
    """Arguments: folder, whose saved mappings are offered; use, called with a mapping; save, called with its text.

    Attributes: columns, by fact a Dropdown; values, by fact and text a Dropdown (a text for yes or no under the first
    of its facts); recorded, by Record source a Dropdown; of_columns, all that asks about columns; dates; saved; upload;
    use_it, save_it.
    """

    def __init__(
        self, folder: Path, use: Callable[[Callable[[], ColumnMapping]], None], save: Callable[..., None]
    ) -> None:
        self._folder, self._use, self._before, self._filling = folder, use, ColumnMapping(), False
        self._look = Look((), {}, "", {})
        self.columns: dict[str, widgets.Dropdown] = {}
        self.values: dict[tuple[str, str], widgets.Dropdown] = {}
        self.recorded: dict[str, widgets.Dropdown] = {}
        options = [("as the dates tell", _NONE), ("day first, as 31/12", DAY_FIRST), ("month first", MONTH_FIRST)]
        self.dates = stacked(widgets.Dropdown(description="Day and month", options=options))
        self.saved = widgets.Dropdown(description="Saved one", layout=wide())
        self.upload = fields.upload("Upload a mapping.yaml", YAML)
        self.use_it = fields.button("Use this mapping", "", "", button_style="primary")
        self.save_it = fields.button("Save this mapping", "As mapping.yaml, for the next export", "")
        self._fields, self._strange = row(), row()
        for of_fields in (self._fields, self._strange):
            of_fields.layout.align_items = "flex-end"  # labels of one line and of two
        self._table, self._values_note, self._undecided = widgets.HTML(), widgets.HTML(), widgets.HTML()
        asked = [fields.note(_WHAT_FOR), self._table, self._fields, self._undecided, self.dates]
        self.of_columns = widgets.VBox(asked, layout=widgets.Layout(overflow="visible"))
        saved = self.upload if shared() else self.saved
        buttons = row(self.use_it, self.save_it)
        super().__init__([saved, self._values_note, self._strange, self.of_columns, buttons])
        self.use_it.on_click(lambda _: use(self.mapping))
        self.save_it.on_click(lambda _: save(self.mapping))
        fields.on_change(self._load, self.saved)
        fields.on_change(self._load_upload, self.upload)

    def show(self, look: Look, mapping: ColumnMapping, *, words_only: bool = False) -> None:
        """Shows what the files look like under a mapping. words_only: nothing is to be said about the columns."""
        shown(self.of_columns, when=not words_only)
        self._before, self._look, self._filling = mapping, look, True
        names = [column.name for column in look.columns if column.name.strip()]
        options = [(name, name) for name in names]
        taken_for = {column.fact: column.name for column in reversed(look.columns) if column.fact}
        self.columns = {}
        for fact, name in sorted(FACTS.items(), key=lambda each: each[0] not in _NEEDED):
            taken = taken_for.get(fact, _NONE)
            by_name = bool(taken) and fact not in mapping.columns  # what is known by its own name cannot be unknown
            choices = options if by_name else [("(none)", _NONE), *options]
            label = f"{name}{_NEEDED.get(fact, '')}"
            self.columns[fact] = stacked(widgets.Dropdown(description=label, options=choices, value=taken))
        self.values, self.recorded = {}, {}
        for facts, text in _asked_once(look.unknown):
            of = " and ".join(look.named(fact) for fact in facts)
            self.values[facts[0], text] = _asked(f"{of}: {text}", _meanings(facts[0]))
        for meaning, texts in mapping.values.items():  # said before, and perhaps to be said otherwise
            fact = "status" if meaning in (MARKETING, NON_MARKETING) else "yes or no"
            for text in texts:
                self.values[fact, text] = _asked(f"{look.named(fact)}: {text}", _meanings(fact), meaning)
        source = look.named("record_source")
        for text, rows in look.recorded.items():
            self.recorded[text] = _asked(f"{source}: {counted(text, rows)}", _tools())
        for name, texts in mapping.recorded.items():
            self.recorded |= {text: _asked(f"{source}: {text}", _tools(), name) for text in texts}
        self._values_note.value = pieces.paragraph(_STRANGE, "mk-note") if look.has_unknown_words else ""
        self._undecided.value = pieces.paragraph(look.dates, "mk-note") if look.dates else ""
        self.dates.value = mapping.dates or _NONE
        strange = (*self.values.values(), *self.recorded.values())
        for of_fields, children in ((self._fields, tuple(self.columns.values())), (self._strange, strange)):
            gone, of_fields.children = of_fields.children, children
            discard(gone)
        found = settings_files(self._folder, lambda path: ColumnMapping.load(path).settings()) if not shared() else []
        self.saved.options = [("Choose …", _NONE), *found]
        self.saved.value = _NONE  # equal options keep what was chosen, and choosing it again would do nothing
        shown(self.saved, when=bool(found))
        self._filling = False
        samples = [(column.name, " · ".join(column.samples)) for column in look.columns]
        frame = pd.DataFrame(samples, columns=["column of the file", "stands in it"])
        self._table.value = pieces.folded("What stands in the columns", html_table(frame, "The columns of the file"))

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
        values, recorded = _said(self.values), _said({("", text): widget for text, widget in self.recorded.items()})
        settings = self._before.settings() | {
            "columns": {fact: list(names) for fact, names in columns.items() if names},
            "values": values,
            "recorded": recorded,
            "dates": self.dates.value,
        }
        return ColumnMapping(**settings)

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
            (uploaded,) = taken(self.upload)
        finally:
            self._filling = False
        return settings_of(uploaded, ColumnMapping, "a mapping.yaml")


def _asked_once(unknown: dict[str, tuple[str, ...]]) -> list[tuple[list[str], str]]:
    """The texts that are not known, each with the facts it stands for: yes is yes in whatever column.

    >>> _asked_once({"status": ("1",), "waiting": ("1", "0"), "unsubscribed": ("1",)})
    [(['status'], '1'), (['waiting', 'unsubscribed'], '1'), (['waiting'], '0')]
    """
    facts: dict[tuple[bool, str], list[str]] = {}
    for fact, texts in unknown.items():
        for text in texts:
            facts.setdefault((fact == "status", text), []).append(fact)
    return [(each, text) for (_, text), each in facts.items()]


def _asked(label: str, options: list[tuple[str, str]], value: str = _NONE) -> widgets.Dropdown:
    return stacked(widgets.Dropdown(description=pieces.plain(label), options=options, value=value))


def _said(fields: dict[tuple[str, str], widgets.Dropdown]) -> dict[str, list[str]]:
    """The texts by what was chosen for them."""
    said: dict[str, list[str]] = {}
    for (_, text), field in fields.items():
        if field.value and text not in said.setdefault(field.value, []):
            said[field.value].append(text)
    return said


def _meanings(fact: str) -> list[tuple[str, str]]:
    if fact == "status":
        return [("not known: leave these rows out", _NONE), (MARKETING, MARKETING), (NON_MARKETING, NON_MARKETING)]
    return [("not known: as if blank", _NONE), ("yes", "yes"), ("no", "no")]


def _tools() -> list[tuple[str, str]]:
    """The Record sources that are known, called as the rules call their tools."""
    names = pieces.tools(Rulebook.load().newest)
    known = [(f"{names.get(source, source)} ({name})", name) for name, source in recorded_sources().items()]
    return [(f"not known: {NOT_COVERED}", _NONE), *known]
