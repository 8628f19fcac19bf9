"""The explorer: choose a batch and a portal, flip switches, and see who becomes a marketing contact, and why.

The widgets only ask and show. A batch is reduced once; what a flip does is then read from the table of exposures. The
curve over time and the explanations of single contacts come from `decide`. In the app, whose machine is not the user's
own, files come by upload and leave by download, and no path is read or written.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import functools
import itertools
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import ipywidgets as widgets
import pandas as pd

from marketable.engine import Outcome, decide
from marketable.errors import DataError
from marketable.exports import ColumnMapping
from marketable.exports.opening import SUFFIXES, Opened, open_file, openable
from marketable.paths import DATA
from marketable.portal.portal import Flip, Portal
from marketable.rulebook import MARKETING, NOT_COVERED, Rulebook
from marketable.samples.touches import sample_touches
from marketable.views import charts, pieces, words
from marketable.views.choosing import BY_PATH as _BY_PATH
from marketable.views.choosing import UPLOAD as _UPLOAD
from marketable.views.choosing import UPLOAD_LIMIT, SettingsChoice, harmless, place, taken
from marketable.views.handing import DOWNLOAD_LIMIT, hand_over, zipped
from marketable.views.layout import column, narrow, panel, row, shown, together, wide
from marketable.views.place import shared
from marketable.views.reacting import react
from marketable.views.switch_list import SwitchList
from marketable.views.tables import csv, html_table
from marketable.what_if import WhatIf

from .plan_panel import PlanPanel

SHARED_TOUCHES = 200_000  # the largest made-up batch where many share a machine
_MADE_UP, _BY_DAY = "made-up", ""
_MAPPING = "For an export whose columns or words you explained in the audit: the mapping.yaml that was saved there."


class Explorer(widgets.VBox):  # type: ignore[misc]
    """The explorer as a widget. In a notebook, its value is its face: `Explorer()`.

    Arguments: folder, where the batches and portals to choose from stand (by default the repository's data/).
    Attributes for those who code: `folder`, `touches`, `portal` (with the switches as they are set now), `what_if`,
    `baseline` and `outcome` (decided under the portal's own switches, and as they are set now).
    """

    def __init__(self, folder: str | Path = DATA) -> None:
        self.folder, self._shared = Path(folder), shared()
        self._rulebook = Rulebook.load()
        self._rules = dict(self._rulebook.newest)
        self._flips: dict[str, bool] = {}
        self._decided: Outcome | None = None
        self._opened = Opened("nothing", pd.DataFrame(), pd.DataFrame(), 0, {}, None)
        self._uploaded: tuple[str, bytes] | None = None
        self._mapped: tuple[ColumnMapping | None, str] = None, ""
        self._filling = False
        self._examples = itertools.count(1)
        self._plan = PlanPanel(self._react, self._apply_plan, self._undo_plan)
        self._switches = SwitchList(lambda name, on: self._react(lambda: self._set({name: on}), self._error))
        self._make_inputs()
        self._make_outputs()
        self._wire()
        super().__init__(self._layout())
        self.add_class("mk")
        self._react(self._open_portal, self._error)
        self._react(self._open_batch, self._error)

    def __repr__(self) -> str:
        return "Explorer"

    @property
    def portal(self) -> Portal:
        """The portal with the switches as they are set now."""
        return self._own_portal.with_switches(self.flips)

    @property
    def flips(self) -> dict[str, Flip]:
        """What differs from the portal's own switches, from the beginning or from the chosen day on."""
        since = self._since.value
        return {name: on if since is None else (since, on) for name, on in self._flips.items()}

    @property
    def outcome(self) -> Outcome:
        """What `decide` says with the switches as they are set now; decided when it is asked for."""
        if not self._flips:
            return self.baseline
        if self._decided is None:
            self._decided = decide(self.touches, self.portal, edition=self._edition.value or None)
        return self._decided

    # ---- widgets ----

    def _make_inputs(self) -> None:
        batches = [(path.name, str(path)) for path in openable(self.folder)]
        editions = [str(edition) for edition in self._rulebook.editions]
        self._batch = widgets.Dropdown(
            description="Batch",
            options=[
                ("Made-up sample", _MADE_UP),
                *batches,
                *([] if self._shared else [("A file by its path …", _BY_PATH)]),
                ("Upload a small file …", _UPLOAD),
            ],
            layout=wide(),
        )
        self._size = widgets.BoundedIntText(10_000, 0, self._most_touches, description="Touches", layout=narrow())
        self._seed = widgets.BoundedIntText(7, 0, 2**31, description="Seed", layout=narrow())
        self._path = widgets.Text(
            description="Path", placeholder="/home/me/export.csv", layout=wide(), continuous_update=False
        )
        self._upload = widgets.FileUpload(
            description=f"Choose a file, at most {UPLOAD_LIMIT // 1_000_000} MB",
            accept=",".join(SUFFIXES),
            layout=widgets.Layout(width="260px"),
        )
        none = "No mapping of columns"
        self._mapping = SettingsChoice(
            self.folder, ColumnMapping, "Mapping", none, None, none_first=True, wanted=ColumnMapping.settings
        )
        self._mapping_box = together(*self._mapping.widgets, widgets.HTML(pieces.paragraph(_MAPPING, "mk-note")))
        none = "All switches at their defaults"
        self._account = SettingsChoice(self.folder, Portal, "Portal", none, Portal(), none_first=False)
        self._edition = widgets.Dropdown(
            description="Rules as of",
            options=[("each touch's own day", _BY_DAY), *((each, each) for each in editions)],
            layout=wide(),
        )
        self._tier = widgets.BoundedIntText(
            0,
            0,
            100_000_000,
            description="Tier (0: none)",
            style={"description_width": "initial"},
            layout=narrow(),
            continuous_update=False,
        )
        self._to_baseline, self._all_on, self._all_off = (
            widgets.Button(description=name, tooltip=tip, layout=widgets.Layout(width="31%"))
            for name, tip in (
                ("Baseline", "Every switch as the portal has it"),
                ("All on", "Every switch that the search finds on"),
                ("All off", "Every switch that the search finds off"),
            )
        )
        self._since = widgets.DatePicker(
            description="Flips count from",
            tooltip="Empty: from the beginning",
            style={"description_width": "initial"},
            layout=widgets.Layout(width="290px"),
        )
        self._contact = widgets.Text(
            description="Contact", placeholder="an id or an e-mail", layout=wide(), continuous_update=False
        )
        self._example_of = widgets.Dropdown(description="Decided by", layout=wide())
        self._example = widgets.Button(description="Show an example", tooltip="A contact whose status this decided")
        self._save_to = widgets.Text("saved/explorer", description="Folder", layout=wide())
        self._save = (
            widgets.Button(description="Make a download", tooltip="Settings, decisions and pictures, as one zip file")
            if self._shared
            else widgets.Button(description="Save", tooltip="Settings, decisions and pictures, into this folder")
        )

    def _make_outputs(self) -> None:
        self._message, self._error, self._rejected, self._headline = (widgets.HTML() for _ in range(4))
        self._source_chart, self._time_chart, self._table, self._locked = (widgets.HTML() for _ in range(4))
        self._explanation, self._saved, self._summary, self._credit_chart = (widgets.HTML() for _ in range(4))
        for name in (
            "message", "error", "headline", "source_chart", "time_chart", "credit_chart", "table", "explanation",
            "saved",
        ):  # fmt: skip
            getattr(self, f"_{name}").add_class(f"mk-at-{name.replace('_', '-')}")

    def _wire(self) -> None:
        """Says what each widget calls, and where an error of it is shown."""
        for widget, callback, error in (
            (self._batch, self._open_batch, self._error),
            (self._size, self._open_batch, self._error),
            (self._seed, self._open_batch, self._error),
            (self._path, self._open_batch, self._error),
            (self._upload, self._open_batch, self._error),
            *((each, self._open_mapping, self._error) for each in self._mapping.widgets),
            *((each, self._open_portal_and_decide, self._error) for each in self._account.widgets),
            (self._edition, self._decide_anew, self._error),
            (self._tier, self._set_tier, self._error),
            (self._since, self._show, self._error),
            (self._contact, self._explain, self._explanation),
        ):
            widget.observe(functools.partial(self._react, callback, error), "value")
        for button, callback, error in (
            (self._to_baseline, self._set_to_baseline, self._error),
            (self._all_on, self._set_all_on, self._error),
            (self._all_off, self._set_all_off, self._error),
            (self._example, self._show_example, self._explanation),
            (self._save, self._offer_all if self._shared else self._save_all, self._saved),
        ):
            button.on_click(functools.partial(self._react, callback, error))

    def _layout(self) -> list[widgets.Widget]:
        asked = [self._size, self._seed, self._path, self._upload, self._mapping_box]
        batch = panel("1 · What happened", [self._batch, *asked], "1 1 360px")
        account = [*self._account.widgets, self._edition, self._tier]
        portal = panel("2 · The account", account, "1 1 360px")
        buttons = widgets.HBox([self._to_baseline, self._all_on, self._all_off])
        flipping = widgets.HTML(pieces.FLIPPING)
        switches = [self._summary, buttons, self._switches, self._since, flipping, self._locked]
        follows = [self._source_chart, self._time_chart, self._table]
        to_set = [
            panel("3 · Flip a switch", switches),
            panel("4 · What do I turn off to stay within the tier?", [self._plan]),
        ]
        to_see = [
            panel("What follows", follows),
            panel("What each switch accounts for", [self._credit_chart, widgets.HTML(pieces.CREDIT)]),
        ]
        asked = row(self._contact, self._example_of, self._example)
        note = widgets.HTML(pieces.DOWNLOADING if self._shared else pieces.SAVING)
        to_save = self._save if self._shared else row(self._save_to, self._save)
        return [
            widgets.HTML(pieces.style()),
            row(batch, portal),
            self._error,
            self._message,
            self._rejected,
            self._headline,
            row(column(to_set, "1 1 340px"), column(to_see, "2 1 480px")),
            panel("5 · Why this contact?", [asked, self._explanation]),
            panel("6 · Save", [note, to_save, self._saved]),
        ]

    # ---- reacting ----

    def _react(self, callback: Callable[[], None], error: widgets.HTML, _change: object = None) -> None:
        """Runs a callback. Its errors appear beside what was used, instead of vanishing into a log."""
        if self._filling:
            return
        self._error.value = ""
        react(callback, error)

    @contextlib.contextmanager
    def _quietly(self) -> Iterator[None]:
        """Sets widgets without reacting to it."""
        self._filling = True
        try:
            yield
        finally:
            self._filling = False

    def _say(self, text: str) -> None:
        self._message.value = pieces.paragraph(text)

    # ---- reading ----

    def _open_portal(self) -> None:
        with self._quietly():
            chosen = self._account.read()
        if chosen is not None:
            self._own_portal, self._portal_name = chosen[0], chosen[1] or "switches at their defaults"
        self._flips.clear()
        with self._quietly():
            self._tier.value, self._since.value = self._own_portal.subscription.tier or 0, None

    def _open_portal_and_decide(self) -> None:
        self._open_portal()
        self._decide_anew()

    def _open_batch(self) -> None:
        choice = self._batch.value
        for widget, needed in (
            (self._size, _MADE_UP),
            (self._seed, _MADE_UP),
            (self._path, _BY_PATH),
            (self._upload, _UPLOAD),
        ):
            shown(widget, when=choice == needed)
        is_own = choice in (_BY_PATH, _UPLOAD)
        shown(self._mapping_box, when=is_own)
        if choice == _MADE_UP:
            touches = sample_touches(min(self._size.value, self._most_touches), self._seed.value)
            opened = Opened("Made-up sample", touches, pd.DataFrame(), len(touches), {}, None)
        elif choice == _BY_PATH and not self._path.value.strip():
            self._say("Type the path of a csv, xlsx, parquet or JSON file and press Enter.")
            return
        elif choice == _UPLOAD and not self._upload.value and self._uploaded is None:
            self._say("Choose a file." if self._shared else "Choose a file. A larger one opens by its path.")
            return
        else:
            self._say("Reading …")
            path = self._place(self._path.value if choice == _BY_PATH else choice)
            mapping, name = self._mapped if is_own else (None, "")
            try:
                opened = self._opened_upload(mapping) if choice == _UPLOAD else open_file(path, mapping=mapping)
            except DataError:
                self._say(f"Not read. Below is still {self._opened.name}.")
                raise
            opened = replace(opened, name=f"{opened.name}, mapped by {name}") if name else opened
        self._opened, self.touches = opened, opened.touches
        self._decide_anew()

    def _open_mapping(self) -> None:
        with self._quietly():
            read = self._mapping.read()
        if read or not self._mapping.has_file:
            self._mapped = read or (None, "")
            self._open_batch()

    def _place(self, path: str) -> Path:
        return place(self.folder, path)

    @property
    def _most_touches(self) -> int:
        return SHARED_TOUCHES if self._shared else 10_000_000

    def _opened_upload(self, mapping: ColumnMapping | None) -> Opened:
        if self._upload.value:  # kept here, not in the widget: another mapping reads it again
            self._uploaded = None
            with self._quietly():
                (upload,) = taken(self._upload)
            self._uploaded = harmless(upload.name), bytes(upload.content)
        name, content = self._uploaded or ("", b"")
        if Path(name).suffix.lower() not in SUFFIXES:
            raise DataError("Files of this kind are not read", value=name, expected=", ".join(SUFFIXES))
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / name
            path.write_bytes(content)
            return open_file(path, mapping=mapping)

    # ---- deciding and showing ----

    def _decide_anew(self) -> None:
        if not hasattr(self, "touches"):
            return
        self._say("Deciding …")
        edition = self._edition.value or None
        self.what_if = WhatIf(self.touches, self._own_portal, edition=edition)
        self.baseline = decide(self.touches, self._own_portal, edition=edition)
        as_of = self.baseline.as_of
        self._rules = dict(self._rulebook.on(edition or (self._rulebook.editions[-1] if pd.isna(as_of) else as_of)))
        own = self.what_if.switches
        self._flips = {name: on for name, on in self._flips.items() if name in own.index and on != own.loc[name, "on"]}
        self._switches.show(own, self._states(), self._own_portal.switches, self._rules)
        self._plan.show(self.what_if, self._tier.value, self._rules)
        self._show()
        with self._quietly():
            decided = self.baseline.counts("decided_by").sum(axis=1).sort_values(ascending=False, kind="stable")
            labels = [(f"{pieces.called(str(name), self._rules)} ({count:,})", name) for name, count in decided.items()]
            self._example_of.options = [(label, name) for label, name in labels if name]
            self._example_of.index = 0 if self._example_of.options else None
            self._contact.value = self._explanation.value = ""
        locked = [
            rule for rule in self._rules.values() if rule.switch is None and rule.source not in set(own["source"])
        ]
        self._locked.value = pieces.locked(locked, self.baseline.counts("source").sum(axis=1))
        self._say_what_was_read()

    def _states(self) -> dict[str, bool]:
        return {name: bool(self._flips.get(name, on)) for name, on in _own(self.what_if).items()}

    def _show(self) -> None:
        """The words and the pictures first, for they are looked at; what is read comes after."""
        self._decided = None
        if self._shared:
            self._saved.value = ""  # the link held what was shown until now
        self._show_words()
        tier, flips = self._tier.value or None, self.flips
        names = {source: rule.name for source, rule in self._rules.items()} | {NOT_COVERED: "A tool not covered"}
        by_source, before = self.what_if.by("source", flips), self.what_if.by("source")
        switches = self.what_if.switches_after(flips)
        self._charts: dict[str, charts.Chart] = {}
        self._draw("contacts-by-source", self._source_chart, charts.by_source(by_source, before, names))
        self._draw("credit", self._credit_chart, charts.credit(switches, self.what_if.always, names))
        curves = self.outcome.by_day(), self.baseline.by_day()
        self._draw("marketing-over-time", self._time_chart, charts.over_time(*curves, tier))
        self._switches.update(switches, self._states())
        self._plan.follow(self._flips if self._since.value is None else {})
        self._counts = pieces.counts_table(by_source, before, names)
        self._table.value = html_table(self._counts, "The same in numbers")

    def _draw(self, name: str, widget: widgets.HTML, chart: charts.Chart) -> None:
        self._charts[name], widget.value = chart, chart._repr_html_()

    def _show_words(self) -> None:
        now, before = self.what_if.counts(self.flips), self.what_if.counts()
        tier = self._tier.value or None
        self._said = words.headline(now, before, tier)
        more = []
        if self._opened.export is not None:
            actual = int((self._opened.export.contacts["status"] == MARKETING).sum())
            more.append("That is by the rules, with the switches as they are set here.")
            more[-1] += f" HubSpot's own status in this export: {actual:,} marketing."
        more.append(words.uncovered(now))
        more += [note for name, note in self._opened.understood.items() if name.startswith("no ")]
        self._headline.value = pieces.headline(self._said, more, over=tier is not None and now[MARKETING] > tier)
        self._summary.value = pieces.paragraph(words.in_short(now, before, tier), "mk-summary")

    def _set(self, states: dict[str, bool]) -> None:
        """Sets switches; one that is as the portal has it keeps its history."""
        own = _own(self.what_if)
        kept = {name: on for name, on in self._flips.items() if name not in states}
        self._flips = kept | {name: on for name, on in states.items() if on != own[name]}
        self._show()

    def _set_tier(self) -> None:
        self._plan.hold(self._tier.value or None)
        self._show()

    def _apply_plan(self, flips: Mapping[str, bool]) -> None:
        self._before_plan = dict(self._flips), self._since.value
        self._restore(flips, None)

    def _undo_plan(self) -> None:
        self._restore(*self._before_plan)

    def _restore(self, flips: Mapping[str, bool], since: dt.date | None) -> None:
        with self._quietly():
            self._since.value = since
        self._flips = dict(flips)
        self._show()

    def _set_to_baseline(self) -> None:
        self._set(_own(self.what_if))

    def _set_all_on(self) -> None:
        self._set(dict.fromkeys(self._switches.found, True))

    def _set_all_off(self) -> None:
        self._set(dict.fromkeys(self._switches.found, False))

    def _say_what_was_read(self) -> None:
        opened = self._opened
        contacts = int(self.baseline.counts().sum())
        text = f"{opened.name}: {opened.rows_read:,} rows read, {opened.rows_used:,} used, "
        text += f"{len(opened.rejected):,} rejected; {len(self.touches):,} touches of {contacts:,} contacts"
        if not pd.isna(self.baseline.as_of):
            text += f", as of {words.day(self.baseline.as_of)}"
        text += f", under {self._portal_name}"
        self._read = text + "."
        self._say(self._read)
        notes = opened.understood
        shown = html_table(pd.DataFrame(list(notes.items()), columns=["what", "how"]), "How the file was understood")
        if len(opened.rejected):
            rejected = opened.rejected.drop(columns="value")
            shown += html_table(rejected, "Rejected rows (their values may be personal and are not shown)", most=50)
        summary = (
            "How the file was understood, and rejected rows" if len(opened.rejected) else "How the file was understood"
        )
        self._rejected.value = f"<details><summary>{summary}</summary>{shown}</details>" if notes else ""

    # ---- why and save ----

    def _explain(self) -> None:
        sought = self._contact.value.strip()
        if not sought:
            self._explanation.value = ""
            return
        export = self._opened.export
        if export is not None and "@" in sought:
            sought = next(iter(export.emails.index[export.emails == sought.lower()]), sought)
        touches = self.outcome.why(sought)
        contact = self.outcome.contacts.loc[touches["contact_id"].iloc[0]]
        hubspot = "" if export is None else export.contacts["status"].astype("object").get(contact.name)
        self._explanation.value = pieces.explanation(
            contact, touches, self._rules, hubspot if isinstance(hubspot, str) else ""
        )

    def _show_example(self) -> None:
        contacts = self.outcome.contacts
        found = contacts.index[contacts["decided_by"] == self._example_of.value]
        if not len(found):
            problem = "No contact is decided by this under the switches as they are"
            raise DataError(problem, value=self._example_of.label)
        self._contact.value = str(found[next(self._examples) % len(found)])

    def _save_all(self) -> None:
        folder = self._place(self._save_to.value.strip() or "saved/explorer")
        self._saved.value = hand_over(self._contents(), folder)

    def _offer_all(self) -> None:
        """A link in the page that holds the files themselves: nothing is written, and nobody else can fetch them."""
        contents = self._contents()
        archive, left_out = zipped(contents), ""
        if len(archive) > DOWNLOAD_LIMIT:
            contents = {name: content for name, content in contents.items() if not name.startswith("decisions-")}
            archive, left_out = zipped(contents), "The decisions are left out: they are too large to download here."
        told = " ".join(filter(None, [f"It holds {', '.join(contents)}.", left_out]))
        self._saved.value = pieces.download("marketable.zip", archive, told)

    def _contents(self) -> dict[str, bytes]:
        """What is saved, by the name of its file."""
        subscription = self.portal.subscription.model_copy(update={"tier": self._tier.value or None})
        portal = self.portal.model_copy(update={"subscription": subscription})
        return {
            "portal.yaml": portal.text().encode(),
            "decisions-touches.csv": csv(self.outcome.touches),
            "decisions-contacts.csv": csv(self.outcome.contacts.reset_index()),
            "counts.csv": csv(self._counts),
            "summary.txt": self._told().encode(),
            **{f"{name}.png": chart.png for name, chart in self._charts.items()},
        }

    def _told(self) -> str:
        """What the saved files belong to: the batch, the rules, the flips."""
        since = f" from {words.day(self._since.value)}" if self._since.value else ""
        flips = [f"- {name}: {'on' if on else 'off'}{since}" for name, on in sorted(self._flips.items())]
        rules = self._edition.value or "each touch's own day"
        lines = [
            self._said,
            self._read,
            f"Rules as of {rules}.",
            "Flipped against the baseline:",
            *(flips or ["- nothing"]),
        ]
        return "\n".join(lines) + "\n"


def _own(what_if: WhatIf) -> dict[str, bool]:
    """The switches as the portal has them at the end."""
    return {str(name): bool(on) for name, on in what_if.switches["on"].items()}
