"""The line at the top of a lesson: progress is kept, if the learner wants, under a code, without a name."""

from __future__ import annotations

import base64
import functools
import html
import os
from collections.abc import Callable
from pathlib import Path

import ipywidgets as widgets

from marketable.errors import DataError
from marketable.paths import SAVED
from marketable.views.layout import row, shown
from marketable.views.place import shared
from marketable.views.reacting import react

from .. import progress as kept
from ..classroom import Classroom
from ..progress import Progress
from .pieces import button
from .progress_page import in_short, page

CHOSEN, _NEW = "MARKETABLE_PROGRESS", "new"  # what was chosen on the app's start page: a code, or to make one
NOTHING = "data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw=="
_MOST_MADE = 5  # codes that a page of the app makes
_NOT_KEPT = "Progress is not kept. You may keep it: counts and a code, no name."


class Keeping(widgets.VBox):  # type: ignore[misc]
    """Arguments: lesson_id, "" where it is about all; classroom; folder, where progress is kept.

    Attributes: progress, what is kept so far, or None where nothing is; `status`, `links` and `error`, what is shown;
    `code`, in which a code is typed; the buttons `keep`, `go_on`, `delete`, `sure` and `leave`.
    """

    def __init__(self, lesson_id: str, classroom: Classroom, folder: str | Path = kept.FOLDER) -> None:
        self._lesson, self._classroom, self._folder = lesson_id, classroom, Path(folder)
        self._answers: list[tuple[str, str, bool]] = []
        self.progress: Progress | None = None
        self._made = 0
        self.status, self.links, self.error = widgets.HTML(), widgets.HTML(), widgets.HTML()
        self._note = widgets.HTML(layout=widgets.Layout(display="none"))
        self.code = widgets.Text(
            description="My code",
            placeholder="six letters and digits",
            continuous_update=False,  # else a click may overtake what was typed
            layout=widgets.Layout(width="260px"),
        )
        self.keep = self._button("Keep my progress", "Makes a code and a small file", self._begin)
        self.go_on = self._button("Continue", "Goes on with the progress of this code", self._resume)
        ask, do_not = (functools.partial(self._ask, sure) for sure in (True, False))
        self.delete = self._button("Stop and delete", "Deletes the file of this code", ask)
        self.sure = self._button("Yes, delete it", "It cannot be brought back", self._stop)
        self.leave = self._button("No, leave it", "Nothing is deleted", do_not)
        buttons = row(self.keep, self.code, self.go_on, self.delete, self.sure, self.leave, self.links)
        super().__init__([self.status, buttons, self.error, self._note])
        self.add_class("mk").add_class("mk-keeping")
        self._show(_NOT_KEPT)
        self._react(self._go_on_where_chosen if shared() else self._continue_latest)

    def __repr__(self) -> str:
        return "Keeping"

    def record(self, exercise: str, item: str, right: bool) -> None:
        """Notes an answer, and keeps it where progress is kept. What goes wrong is shown here; nothing is raised."""
        self._react(functools.partial(self._record, exercise, item, right))

    # ---- what the buttons do ----

    def _button(self, name: str, tip: str, callback: Callable[[], None]) -> widgets.Button:
        made = button(name, tip)
        made.on_click(lambda _button: self._react(callback))
        return made

    def _react(self, callback: Callable[[], None]) -> None:
        self.error.value = ""
        react(callback, self.error)

    def _record(self, exercise: str, item: str, right: bool) -> None:
        kept.check_answer(exercise, item)
        self._answers.append((exercise, item, bool(right)))
        if self.progress is None:
            self._show(f"{_NOT_KEPT} If you do, what you have answered in this lesson is added.")
        else:
            self._hold(self.progress.code, self._head)

    def _begin(self) -> None:
        if shared() and self._made == _MOST_MADE:
            raise DataError("This page has made enough codes", advice="Take one of them, or reload the page.")
        code = kept.begin(self._classroom.seed, self._folder).code
        self._made += 1
        self._hold(code, f"Your code is {code}: write this code down. Your progress is kept {self._where(code)}.")

    def _resume(self) -> None:
        code = kept.checked_code(self.code.value)
        if shared() and not kept.file_of(code, self._folder).exists():
            kept.guessed(self._folder)
        self._hold(code, f"Your progress is kept under the code {code}, {self._where(code)}.")

    def _go_on_where_chosen(self) -> None:
        """In the app, whoever has chosen on the start page to keep progress does so in every lesson."""
        chosen = os.environ.get(CHOSEN, "")
        if chosen == _NEW:
            self._begin()
        elif chosen:
            self.code.value = chosen
            self._resume()

    def _continue_latest(self) -> None:
        code = kept.remembered(self._folder)
        if code is not None:
            self._hold(code, f"Continued with {code}, the code used last on this computer: {self._where(code)}.")

    def _hold(self, code: str, head: str) -> None:
        """Goes on with a code: with its file as it stands by now, and the answers that are not in it yet."""
        before = None if self.progress is None else self.progress.code
        try:
            self.progress = kept.add(code, self._answers, self._folder)
        except DataError:
            if before is not None and not kept.file_of(before, self._folder).exists():
                self.progress = None
                self._show(_NOT_KEPT)
            raise
        self._answers.clear()
        self.code.value = code
        self._show(head)
        if code != before and not shared():
            kept.remember(code, self._folder)
        self._carry(code)

    def _stop(self) -> None:
        assert self.progress is not None
        kept.delete(self.progress.code, self._folder)
        self.progress, self.code.value = None, ""
        self._carry("")
        self._show(f"Deleted. {_NOT_KEPT}")
        self.keep.focus()

    def _ask(self, sure: bool) -> None:
        self._offer(sure=sure)
        (self.leave if sure else self.delete).focus()  # the button that had it is gone

    def _carry(self, code: str) -> None:
        """Notes the code in the browser of whoever has chosen that: the next lesson goes on with it."""
        if shared() and os.environ.get(CHOSEN):
            forget = "" if code else "; max-age=0"
            note = f"document.cookie = 'progress={code}; path=/; SameSite=Strict{forget}'"
            self._note.value = f'<img alt="" hidden src="{NOTHING}" onload="{note}">'

    # ---- what is shown ----

    def _show(self, head: str) -> None:
        self._head, progress = head, self.progress
        done = "" if progress is None else f"<br><strong>{html.escape(in_short(progress, self._lesson))}</strong>"
        self.status.value = f'<p class="mk-message" role="status">{html.escape(head)}{done}</p>'
        self.links.value = "" if progress is None else _links(progress)
        self.keep.description = "Keep my progress" if progress is None else "Begin anew"
        self._offer(sure=False)

    def _offer(self, *, sure: bool) -> None:
        holding = self.progress is not None
        when = {self.delete: not sure, self.sure: sure, self.leave: sure, self.links: True}
        for widget, asked in when.items():
            shown(widget, when=holding and asked)

    def _where(self, code: str) -> str:
        """Where a file stands; in the app that is the server's business."""
        if shared():
            carried = "" if os.environ.get(CHOSEN) else "; to keep it in every lesson, choose so on the start page"
            return f"by this app{carried}; without the code nobody finds it again"
        path, repository = kept.file_of(code, self._folder).resolve(), SAVED.resolve().parent
        return f"in {path.relative_to(repository) if path.is_relative_to(repository) else path}"


def _links(progress: Progress) -> str:
    name = f"progress-{progress.code}"

    def link(ending: str, kind: str, content: str, text: str) -> str:
        data = f"data:{kind};base64,{base64.b64encode(content.encode()).decode()}"
        return f'<a download="{name}.{ending}" href="{data}" title="Download {name}.{ending}">{text}</a>'

    results = link("html", "text/html", page(progress), "my results as a page")
    file = link("json", "application/json", progress.text(), "my progress file")
    return f'<p class="mk-message">For the trainer: {results}, {file}</p>'
