"""The trainer's two panels: what class the lessons are of, and what the learners of a class have done."""

from __future__ import annotations

from pathlib import Path

import ipywidgets as widgets

from marketable.errors import PortalError
from marketable.paths import DATA, SAVED, write_whole
from marketable.portal.portal import Portal
from marketable.views import pieces
from marketable.views.choosing import SettingsChoice, place
from marketable.views.layout import row, wide
from marketable.views.place import shared
from marketable.views.reacting import react
from marketable.views.tables import html_table

from ..classroom import Classroom
from ..progress import SEEDS, Results, read_many
from .pieces import Panel, button
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
    """Sets a class, and shows its results.

    Arguments: folder, in which data/ and saved/ stand (by default those of the repository).
    Attributes: setting and collecting, the two panels, of which a notebook may show one at a time.
    """

    def __init__(self, folder: str | Path | None = None) -> None:
        data, saved = (DATA, SAVED) if folder is None else (Path(folder) / "data", Path(folder) / "saved")
        if shared():
            note = widgets.HTML(pieces.paragraph(_ELSEWHERE))
            self.setting = self.collecting = Panel("elsewhere", "For the trainer", _style(), note)
            super().__init__([self.setting])
            return
        self.setting, self.collecting = Setting(data, saved), Collecting(data, saved)
        super().__init__([self.setting, self.collecting])

    def __repr__(self) -> str:
        return "Trainer"


class Setting(Panel):
    """What class the lessons are of: `seed` and `portal`, to choose; `present`, in words; buttons `begin` and `end`."""

    def __init__(self, data: Path, saved: Path) -> None:
        self._file, self.present = saved / "class.yaml", widgets.HTML()
        self.seed = widgets.BoundedIntText(42, 0, SEEDS, description="Seed", layout=wide())
        none = "All switches at their defaults"
        self.portal = SettingsChoice(data, Portal, "Portal", none, Portal(), none_first=False)
        self.begin = button("Set the class", "Writes saved/class.yaml")
        self.end = button("End the class", "Deletes saved/class.yaml")
        note = widgets.HTML(pieces.paragraph(_LEARNERS, "mk-note"))
        asked = row(self.seed, *self.portal.widgets, self.begin, self.end)
        super().__init__("class", "The class", _style(), asked, self.present, note)
        self.on_use(self._begin, self.begin)
        self.on_use(self._end, self.end)
        react(self._show, self.answer)

    def _begin(self) -> None:
        read = self.portal.read()
        if read is None:
            raise PortalError("No file is named", advice="Type the path of a portal.yaml, then set the class.")
        Classroom(seed=self.seed.value, portal=read[0]).save(self._file)
        self._show()

    def _end(self) -> None:
        self._file.unlink(missing_ok=True)
        self._show()

    def _show(self) -> None:
        self.end.disabled = not self._file.exists()
        self.present.value = ""
        text = _in_words(Classroom.load(self._file), self._file) if self._file.exists() else _ALONE
        self.present.value = pieces.paragraph(text)


class Collecting(Panel):
    """What the learners have done: `folder`, to type; buttons `show` and `save`; what is `shown`; where it is `saved`.

    Attributes: results, the progress files as they were read last, or None.
    """

    def __init__(self, data: Path, saved: Path) -> None:
        self._data, self._saved = data, saved
        self.results: Results | None = None
        self.shown, self.saved = widgets.HTML(), widgets.HTML()
        self.folder = widgets.Text("saved/progress", description="Folder", continuous_update=False, layout=wide())
        self.show = button("Show", "Reads the files progress-….json in this folder")
        self.save = button("Save as a page", "Writes saved/class-results.html")
        self.save.disabled = True
        asked = row(self.folder, self.show, self.save)
        super().__init__("results", "The results", _style(), asked, self.saved, self.shown)
        self.on_use(self._show, self.show)
        self.on_use(self._save, self.save)

    def _show(self) -> None:
        self.saved.value, self.shown.value = "", ""
        self.results, self.save.disabled = None, True
        typed = self.folder.value.strip() or "saved/progress"
        folder = self._saved / "progress" if typed == "saved/progress" else place(self._data, typed)
        results = read_many(folder)
        read = pieces.headline(hardest(results), [read_as(results, self._seed())], over=False)
        rejected = html_table(results.rejected, "Files that were rejected.") if len(results.rejected) else ""
        self.shown.value = read + struggles(results) + learners(results) + rejected
        self.results, self.save.disabled = results, False

    def _save(self) -> None:
        assert self.results is not None
        path = self._saved / "class-results.html"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, class_page(self.results, self._seed()).encode())
        self.saved.value = pieces.paragraph(f"Saved in {path.resolve()}.")

    def _seed(self) -> int | None:
        path = self._saved / "class.yaml"
        return Classroom.load(path).seed if path.exists() else None


def _style() -> widgets.HTML:
    return widgets.HTML(pieces.style())


def _in_words(now: Classroom, file: Path) -> str:
    seed = "no seed, so contacts are fresh each time" if now.seed is None else f"the seed {now.seed}"
    tier = now.portal.subscription.tier
    return (
        f"The class has {seed}. Its account lists {len(now.portal.switches):,} switches, has "
        f"{'no tier' if tier is None else f'a tier of {tier:,}'}, and is in the time zone {now.portal.time_zone}. "
        f"The class stands in {file.resolve()}."
    )
