"""The trainer's two panels: what class the lessons are of, and what the learners of a class have done."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import ipywidgets as widgets

from marketable.errors import PortalError
from marketable.paths import DATA, SAVED, write_whole
from marketable.portal.portal import Portal
from marketable.views import pieces
from marketable.views.choosing import SettingsChoice, place
from marketable.views.place import shared
from marketable.views.reacting import react
from marketable.views.tables import html_table

from .. import progress
from ..classroom import Classroom
from ..progress import Results, read_many
from .pieces import panel
from .progress_page import class_page, hardest, learners, read_as, struggles

_ELSEWHERE = (
    "This page works in JupyterLab, on the machine that serves the app, and not in the app itself: there anybody who "
    "comes by could change the class."
)
_LEARNERS = (
    "Who opens a lesson on this machine from now on, in its JupyterLab or in its app, is in the class. Learners with a "
    "copy of their own put the file class.yaml into the folder saved of their copy. Lessons that are open already stay "
    "as they are until they are opened anew."
)
_ALONE = "There is no class: everybody meets fresh contacts each time, in the sample account."


class Trainer(widgets.VBox):  # type: ignore[misc]
    """Sets a class, and shows its results. In a notebook, its value is its face: `Trainer()`.

    Arguments: folder, in which data/ and saved/ stand (by default those of the repository).
    Attributes: setting and collecting, the two panels, of which a notebook may show one at a time; results, the
    progress files as they were read last, or None.
    """

    def __init__(self, folder: str | Path | None = None) -> None:
        self._saved = SAVED if folder is None else Path(folder) / "saved"
        self._data = DATA if folder is None else Path(folder) / "data"
        self.results: Results | None = None
        if shared():
            self.setting = self.collecting = _panel(
                "For the trainer", [widgets.HTML(pieces.paragraph(_ELSEWHERE))], "elsewhere"
            )
            super().__init__([self.setting])
            return
        self._make_class()
        self._make_results()
        super().__init__([self.setting, self.collecting])
        self._react(self._show_class, self._class_error)

    def __repr__(self) -> str:
        return "Trainer"

    def _make_class(self) -> None:
        self._present, self._class_error = widgets.HTML(), widgets.HTML()
        self._seed = widgets.BoundedIntText(42, 0, progress.SEEDS, description="Seed", layout=_width("190px"))
        none = "All switches at their defaults"
        self._portal = SettingsChoice(self._data, Portal, "Portal", none, Portal(), none_first=False)
        self._set = _button("Set the class", "Writes saved/class.yaml")
        self._end = _button("End the class", "Deletes saved/class.yaml")
        self._on(self._set, self._set_class, self._class_error)
        self._on(self._end, self._end_class, self._class_error)
        note = widgets.HTML(pieces.paragraph(_LEARNERS, "mk-note"))
        asked = _row(self._seed, *self._portal.widgets, self._set, self._end)
        self.setting = _panel("The class", [asked, self._present, note, self._class_error], "class")

    def _make_results(self) -> None:
        self._shown, self._page_saved, self._results_error = widgets.HTML(), widgets.HTML(), widgets.HTML()
        self._folder = widgets.Text(
            "saved/progress", description="Folder", continuous_update=False, layout=_width("340px")
        )
        self._show = _button("Show", "Reads the files progress-….json in this folder")
        self._save = _button("Save as a page", "Writes saved/class-results.html")
        self._save.disabled = True
        self._on(self._show, self._show_results, self._results_error)
        self._on(self._save, self._save_page, self._results_error)
        asked = _row(self._folder, self._show, self._save)
        told = [asked, self._page_saved, self._results_error, self._shown]
        self.collecting = _panel("The results", told, "results")

    def _on(self, button: widgets.Button, callback: Callable[[], None], error: widgets.HTML) -> None:
        button.on_click(lambda _button: self._react(callback, error))

    def _react(self, callback: Callable[[], None], error: widgets.HTML) -> None:
        error.value = ""
        react(callback, error)

    # ---- the class ----

    @property
    def _file(self) -> Path:
        return self._saved / "class.yaml"

    def _show_class(self) -> None:
        self._end.disabled = not self._file.exists()
        self._present.value = pieces.paragraph(_ALONE)
        if self._file.exists():
            self._present.value = ""
            now = Classroom.load(self._file)
            self._present.value = _class_told(now, self._file)

    def _set_class(self) -> None:
        Classroom(seed=self._seed.value, portal=self._chosen()).save(self._file)
        self._show_class()

    def _end_class(self) -> None:
        self._file.unlink(missing_ok=True)
        self._show_class()

    def _chosen(self) -> Portal:
        read = self._portal.read()
        if read is None:
            raise PortalError("No file is named", advice="Type the path of a portal.yaml, then set the class.")
        return read[0]

    # ---- the results ----

    def _show_results(self) -> None:
        self._page_saved.value, self._shown.value = "", ""
        self.results, self._save.disabled = None, True
        typed = self._folder.value.strip() or "saved/progress"
        own = typed == "saved/progress"
        results = read_many(self._saved / "progress" if own else place(self._data, typed))
        read = pieces.headline(hardest(results), [read_as(results, self._class_seed())], over=False)
        rejected = html_table(results.rejected, "Files that were rejected.") if len(results.rejected) else ""
        self._shown.value = read + struggles(results) + learners(results) + rejected
        self.results, self._save.disabled = results, False

    def _class_seed(self) -> int | None:
        return Classroom.load(self._file).seed if self._file.exists() else None

    def _save_page(self) -> None:
        assert self.results is not None
        path = self._saved / "class-results.html"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, class_page(self.results, self._class_seed()).encode())
        self._page_saved.value = pieces.paragraph(f"Saved in {path.resolve()}.")


def _class_told(now: Classroom, file: Path) -> str:
    seed = "no seed, so contacts are fresh each time" if now.seed is None else f"the seed {now.seed}"
    tier = now.portal.subscription.tier
    tiers = "no tier" if tier is None else f"a tier of {tier:,}"
    text = (
        f"The class has {seed}. Its account lists {len(now.portal.switches):,} switches, has {tiers}, and is in the "
        f"time zone {now.portal.time_zone}. The class stands in {file.resolve()}."
    )
    return pieces.paragraph(text)


def _width(width: str) -> widgets.Layout:
    return widgets.Layout(width=width, max_width="100%")


def _button(name: str, tip: str) -> widgets.Button:
    return widgets.Button(description=name, tooltip=tip, layout=widgets.Layout(width="auto"))


def _row(*children: widgets.Widget) -> widgets.Box:
    row = widgets.Box(children)
    row.add_class("mk-wrap")
    return row


def _panel(title: str, children: list[widgets.Widget], name: str) -> widgets.VBox:
    heading = widgets.HTML(f'{pieces.style()}<h3 class="mk-title">{title}</h3>')
    box = widgets.VBox()
    panel(box, name, [heading, *children])
    return box
