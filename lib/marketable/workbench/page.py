"""The workbench: one page and one state. On top what is open and the count that everything hangs on; below it pages,
each of which is built when it is first looked at.

The widgets only ask and show. In the app, whose machine is not the user's own, files come by upload and leave by
download, and no path is read or written.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import ipywidgets as widgets

from marketable.errors import MarketableError
from marketable.exports.opening import Opened
from marketable.paths import DATA, SAVED
from marketable.portal.portal import Portal
from marketable.views import fields, pieces, words
from marketable.views.choosing import place
from marketable.views.handing import hand_over
from marketable.views.layout import row, shown
from marketable.views.place import shared
from marketable.views.reacting import react

from .ahead import Ahead
from .basis import Basis
from .data import NOT_READ, Data
from .opening import Opening
from .pages import Page
from .switches import Switches
from .to_do import ToDo
from .why import Why
from .work import Saved, Work, account_of, is_there

PAGES: tuple[type[Page], ...] = (Switches, Why, Ahead, ToDo, Data)
NAMES = [page.name for page in PAGES]
FILE = "workbench.yaml"
# In the app what is not downloaded is gone with the page, so that it asks before it is left.
_LEAVING = """(function watch(image, left) {
  const own = image.closest('.mk'), leave = event => event.preventDefault();
  if (!own) return left && setTimeout(watch, 50, image, left - 1);
  const ask = () => window.addEventListener('beforeunload', leave);
  own.addEventListener('change', ask);
  own.addEventListener('click', event => event.target.closest('.widget-upload') && ask());
})(this, 100)"""


class Workbench(widgets.VBox):  # type: ignore[misc]
    """The workbench as a widget. In a notebook, its value is its face: `Workbench()`.

    Arguments: folder, where the files to choose from stand (by default the repository's data/); own, whether it waits
    for somebody's own data instead of showing the sample.
    Attributes for those who code: `work` (its `basis` is what everything follows from), `opening` (the form for data
    and account), `pages` (by name, those that have been looked at), `tabs`, `save_to`; `at`, by name the places in
    which something is shown. `open_page(name)` shows a page.
    """

    work: Work
    _before: tuple[Work, str]  # before switches were taken over: the work, and what the account was called

    def __init__(self, folder: str | Path = DATA, *, own: bool = False) -> None:
        self.folder = Path(folder)
        self.at = fields.places("open", "error", "message", "headline", "offer", "taken")
        self.pages: dict[str, Page] = {}
        self._quiet, self._stale, self._touched = False, set[str](), False
        self._found: dict[str, object] = {}
        beside = self.folder.resolve().parent
        saved = SAVED.relative_to(beside) if SAVED.is_relative_to(beside) else SAVED
        self.save_to = fields.line("Save into", value=str(saved))
        self.change = fields.button("Change", "Other data, another account, the rules as of a day", "auto")
        self.again = fields.button("Go on with it", "", "auto")
        self.afresh = fields.button("Start afresh", "", "auto")
        self.offer = row(self.at["offer"], self.again, self.afresh)
        self.give_back = fields.button("Undo", "The account says of its switches what it said before", "auto")
        self.taken = row(self.at["taken"], self.give_back)
        self.tabs = widgets.Tab(titles=NAMES, children=[widgets.VBox() for _ in PAGES])
        self.tabs.add_class("mk-tabs")
        self.opening = Opening(self, own=own)
        super().__init__()
        self.add_class("mk")
        self.change.on_click(lambda _: shown(self.opening, when=self.opening.layout.display == "none"))
        self.opening.layout.observe(lambda _: self._name_change(), "display")
        self.again.on_click(lambda _: self.react(self._take_up))
        self.afresh.on_click(lambda _: shown(self.offer, when=False))
        self.give_back.on_click(lambda _: self.react(self._give_back))
        self.tabs.observe(lambda _: self.react(self._draw_page), "selected_index")
        shown(self.opening, when=own)
        shown(self.change, when=not own)
        shown(self.tabs, when=False)
        shown(self.taken, when=False)
        self._offer_saved()
        top = row(self.at["open"], self.change)
        top.add_class("mk-top")
        said = [self.at["error"], self.at["message"], self.at["headline"]]
        leaving = pieces.scripted(_LEAVING) if shared() else ""
        self.children = [widgets.HTML(pieces.style() + leaving), top, self.opening, self.offer, *said, self.tabs]
        if own:
            self._say_what_is_open()
        else:
            self.react(self.opening.read)

    def __repr__(self) -> str:
        return "Workbench"

    # ---- reacting ----

    def react(self, callback: Callable[[], object], where: str = "error") -> None:
        """Runs what a widget asks for, and shows its errors in a place, which is emptied before."""
        if not self._quiet:
            self.at[where].value = ""
            react(callback, self.at[where])

    @contextlib.contextmanager
    def quietly(self) -> Iterator[None]:
        """Sets widgets without reacting to it."""
        before, self._quiet = self._quiet, True
        try:
            yield
        finally:
            self._quiet = before

    def say(self, text: str) -> None:
        """Shows a message, or that there is none."""
        self.at["message"].value = pieces.paragraph(text) if text else ""

    # ---- what is open ----

    @property
    def is_open(self) -> bool:
        """Whether any data are open."""
        return hasattr(self, "work")

    def work_on(self, opened: Opened, found: Mapping[str, object]) -> None:
        """Works on other data. Arguments: found, how they are found again."""
        self.work = Work(self._judged(opened))
        self._found = dict(found)
        shown(self.taken, when=False)
        for widget in (self.change, self.tabs):
            shown(widget, when=True)
        shown(self.opening, when=False)
        first = "Data" if not len(opened.touches) else "Switches" if self.work.basis.audit is None else "Why"
        with self.quietly():
            self.tabs.selected_index = NAMES.index(first)
        self._drawn_anew()

    def judge(self) -> None:
        """Judges what is open by the account as the form has it."""
        if self.is_open:
            self.work.judge(self._judged(self.work.basis.opened))
            shown(self.taken, when=False)
            self._drawn_anew()

    def _judged(self, opened: Opened) -> Basis:
        account = self.opening.account
        basis = Basis(opened, account.portal, account.prices, self.opening.rules.value or None)
        _ = basis.what_if, basis.audit  # raises before anything is shown of it
        return basis

    def set_account(self, portal: Portal) -> None:
        """Changes the account, as its form does."""
        self.opening.account.fill(portal)
        self.judge()

    def take_over(self, *names: str) -> None:
        """Has the account say of switches what the audit found they look like."""
        audit = self.work.basis.audit
        assert audit is not None
        portal, account = self.work.basis.portal, self.opening.account
        self._before = replace(self.work, alone=set(self.work.alone)), account.name
        changed = dict(portal.switches) | {name: audit.portal.switches[name] for name in names}
        self.set_account(portal.model_copy(update={"switches": changed}))
        many = words.many(len(names), "switch is", "switches are")
        self.at["taken"].value = pieces.paragraph(f"{many} now set in the account as the contacts show.")
        shown(self.taken, when=True)
        self.keep()

    def _give_back(self) -> None:
        self.work, name = self._before
        self.opening.account.fill(self.work.basis.portal, name)
        shown(self.taken, when=False)
        self.flipped()

    def flipped(self) -> None:
        """Shows the setting of the switches, which has changed."""
        self._drawn_anew()
        self.keep()

    def open_page(self, name: str) -> None:
        """Shows a page."""
        with self.quietly():
            self.tabs.selected_index = NAMES.index(name)
        self._draw_page()

    def build(self, name: str) -> Page:
        """A page, built and drawn if it was not yet."""
        if name not in self.pages:
            index = NAMES.index(name)
            self.pages[name] = PAGES[index](self)
            # Into a box that stays: a tab that is replaced loses a click made meanwhile.
            self.tabs.children[index].children = [self.pages[name]]
        if name in self._stale:
            self._stale.discard(name)
            self.pages[name].draw()
        return self.pages[name]

    def ask_for_a_mapping(self) -> None:
        """Asks what the columns mean of files that could not be read."""
        self._stale.discard("Data")
        page = self.build("Data")
        assert isinstance(page, Data)
        page.ask(NOT_READ)
        shown(self.tabs, when=True)
        self.open_page("Data")

    def _drawn_anew(self) -> None:
        """The words first, for they are looked at; what is not seen is drawn when it is."""
        basis, flips = self.work.basis, self.work.flips
        over = basis.tier is not None and int(basis.counts(flips)["marketing"]) > basis.tier
        self.at["headline"].value = pieces.headline(basis.headline(flips), basis.beside(flips), over=over)
        self._say_what_is_open()
        self._stale = set(NAMES)
        self._draw_page()

    def _draw_page(self) -> None:
        if self.tabs.selected_index is not None and self.is_open:
            self.build(NAMES[self.tabs.selected_index])

    @property
    def said(self) -> str:
        """Who says how the switches are."""
        return "the account says" if self.work.basis.portal.switches else "HubSpot sets it at first"

    @property
    def what_is_open(self) -> str:
        """Data, account, rules and day, in a line."""
        if not self.is_open:
            return "Nothing is open yet. Choose an export of your contacts from HubSpot, or look at the sample."
        basis = self.work.basis
        day = f" · as of {words.day(basis.as_of)}" if basis.as_of else ""
        rules = f" · rules as of {basis.edition}" if basis.edition else ""
        return f"{basis.opened.name} · account: {self.opening.account.called}{rules}{day}"

    def _name_change(self) -> None:
        self.change.description = "Change" if self.opening.layout.display == "none" else "Done"

    def _say_what_is_open(self) -> None:
        self.at["open"].value = pieces.paragraph(self.what_is_open)

    # ---- keeping ----

    def folder_to_save(self) -> Path | None:
        """Where files are saved; None in the app."""
        return None if shared() else place(self.folder, self.save_to.value or "saved")

    def hand_over(self, contents: Mapping[str, bytes], where: str, below: str = "") -> None:
        """Saves files into the folder, or downloads them, and says so in a place, with what is to be read below it."""
        handed = hand_over(contents, self.folder_to_save()) + below
        self.at[where].value = ""  # a value that stays the same is not sent, and nothing would be downloaded again
        self.at[where].value = handed

    def file(self) -> Saved:
        """What is kept of the work: no contact is in it."""
        return self.work.saved(self._found)

    def keep(self) -> None:
        """Keeps the work beside the reports, where the machine is the user's own."""
        if not shared() and self.is_open:
            shown(self.offer, when=False)
            SAVED.mkdir(parents=True, exist_ok=True)
            self.file().save(SAVED / FILE)

    def _offer_saved(self) -> None:
        shown(self.offer, when=False)
        if shared() or not (SAVED / FILE).is_file():
            return
        with contextlib.suppress(MarketableError, OSError):
            saved = Saved.load(SAVED / FILE)
            counted = {"flip": saved.now.flips, "kept setting": saved.kept, "planned action": saved.actions}
            done = ", ".join(words.many(len(each), what) for what, each in counted.items() if each)
            said = f"Last time you worked on {saved.called or 'the made-up sample'}{': ' if done else ''}{done}."
            self.at["offer"].value = pieces.paragraph(said)
            shown(self.offer, when=is_there(saved))

    def _take_up(self) -> None:
        self.restore(Saved.load(SAVED / FILE))

    def restore(self, saved: Saved) -> None:
        """Takes up work that was kept: its data, where they can be found, its account, and its settings."""
        shown(self.taken, when=False)
        portal, prices = account_of(saved)
        self.opening.restore(saved, portal, prices)
        if self.is_open:
            self.work.restore(saved)
            self.flipped()
        shown(self.offer, when=False)
