"""The explorer: choose a batch and a portal, flip switches, and see who becomes a marketing contact, and why.

The widgets only ask and show. A batch is reduced once; what a flip does is then read from the table of exposures. The
curve over time and the explanations of single contacts come from `decide`. In the app, whose machine is not the user's
own, files come by upload and leave by download, and no path is read or written.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import itertools
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
from marketable.portal.term import term_start
from marketable.rulebook import MARKETING, NOT_COVERED, Rulebook
from marketable.samples.touches import sample_touches
from marketable.views import charts, fields, pieces, words
from marketable.views.choosing import BY_PATH, UPLOAD, UPLOAD_LIMIT, Chosen, SettingsChoice, place
from marketable.views.handing import DOWNLOAD_LIMIT, hand_over, zipped
from marketable.views.layout import column, panel, row, shown, together, wide
from marketable.views.place import shared
from marketable.views.reacting import react
from marketable.views.switch_list import SwitchList
from marketable.views.tables import csv, html_table
from marketable.what_if import WhatIf

from .plan_panel import PlanPanel

SHARED_TOUCHES = 200_000  # the largest made-up batch where many share a machine
_MADE_UP, _BY_DAY = "made-up", ""
_MAPPING = "For an export whose columns or words you explained in the audit: the mapping.yaml that was saved there."
_SAVING = (
    "The settings as portal.yaml, the decisions as csv, the pictures and a summary{where}. The decisions name "
    "contacts: keep them where contacts may be kept.{replaced}"
)
_REPLACED = " What was saved in the folder before is replaced."


class Explorer(widgets.VBox):  # type: ignore[misc]
    """The explorer as a widget. In a notebook, its value is its face: `Explorer()`.

    Arguments: folder, where the batches and portals to choose from stand (by default the repository's data/).
    Attributes for those who code: `folder`, `touches`, `portal` (with the switches as they are set now), `what_if`,
    `baseline` and `outcome` (decided under the portal's own switches, and as they are set now), `counts` and `charts`
    as they are shown. The widgets that ask are attributes too (batch, account, switches, plan …); `at` has by name the
    places in which something is shown.
    """

    def __init__(self, folder: str | Path = DATA) -> None:
        self.folder, self._shared = Path(folder), shared()
        self._rulebook = Rulebook.load()
        self._rules = dict(self._rulebook.newest)
        self._flips: dict[str, bool] = {}
        self._decided: Outcome | None = None
        self._opened = Opened("nothing", pd.DataFrame(), pd.DataFrame(), 0, {}, None)
        self._uploaded = Chosen()
        self._mapped: tuple[ColumnMapping | None, str] = None, ""
        self._filling = False
        self._examples = itertools.count(1)
        self.at = fields.places(
            "message", "error", "rejected", "headline", "summary", "source-chart", "time-chart", "credit-chart",
            "table", "locked", "explanation", "saved",
        )  # fmt: skip
        self.plan = PlanPanel(self._react, self._apply_plan, lambda: self._restore(*self._before_plan))
        self.switches = SwitchList(lambda name, on: self._react(lambda: self._set({name: on}), self.at["error"]))
        self._make_inputs()
        self._wire()
        super().__init__(self._layout())
        self.add_class("mk")
        self._react(self._open_portal, self.at["error"])
        self._react(self._open_batch, self.at["error"])

    def __repr__(self) -> str:
        return "Explorer"

    @property
    def portal(self) -> Portal:
        """The portal with the switches as they are set now."""
        return self._own_portal.with_switches(self.flips)

    @property
    def flips(self) -> dict[str, Flip]:
        """What differs from the portal's own switches, from the beginning or from the chosen day on."""
        since = self.since.value
        return {name: on if since is None else (since, on) for name, on in self._flips.items()}

    @property
    def outcome(self) -> Outcome:
        """What `decide` says with the switches as they are set now; decided when it is asked for."""
        if not self._flips:
            return self.baseline
        if self._decided is None:
            self._decided = decide(self.touches, self.portal, edition=self.edition.value or None)
        return self._decided

    # ---- widgets ----

    def _make_inputs(self) -> None:
        batches = [("Made-up sample", _MADE_UP), *((path.name, str(path)) for path in openable(self.folder))]
        batches += [] if self._shared else [("A file by its path …", BY_PATH)]
        batches += [("Upload a small file …", UPLOAD)]
        self.batch = widgets.Dropdown(description="Batch", options=batches, layout=wide())
        self.size = fields.number("Touches", 10_000, 0, self._most_touches)
        self.seed = fields.number("Seed", 7, 0, 2**31)
        self.path = fields.line("Path", "/home/me/export.csv")
        self.upload = fields.upload(f"Choose a file, at most {UPLOAD_LIMIT // 1_000_000} MB", SUFFIXES)
        none = "No mapping of columns"
        self.mapping = SettingsChoice(
            self.folder, ColumnMapping, "Mapping", none, None, none_first=True, wanted=ColumnMapping.settings
        )
        self.mapping_box = together(*self.mapping.widgets, fields.note(_MAPPING))
        none = "All switches at their defaults"
        self.account = SettingsChoice(self.folder, Portal, "Portal", none, Portal(), none_first=False)
        self._first_account = self.account.choice.value
        editions = [("each touch's own day", _BY_DAY), *((str(each), str(each)) for each in self._rulebook.editions)]
        self.edition = widgets.Dropdown(description="Rules as of", options=editions, layout=wide())
        self.tier = fields.number("Tier (0: none)", 0, 0, 100_000_000)
        self.tier.continuous_update = False
        self.to_baseline = fields.button("Baseline", "Every switch as the portal has it", "31%")
        self.all_on = fields.button("All on", "Every switch that the search finds on", "31%")
        self.all_off = fields.button("All off", "Every switch that the search finds off", "31%")
        self.since = fields.day("Flips count from", "Empty: from the beginning", "290px")
        self.contact = fields.line("Contact", "an id or an e-mail")
        self.example_of = widgets.Dropdown(description="Decided by", layout=wide())
        self.example = fields.button("Show an example", "A contact whose status this decided", "")
        self.save_to = widgets.Text("saved/explorer", description="Folder", layout=wide())
        tip = "Settings, decisions and pictures, {}"
        self.save = (
            fields.button("Make a download", tip.format("as one zip file"), "")
            if self._shared
            else fields.button("Save", tip.format("into this folder"), "")
        )

    def _wire(self) -> None:
        """Says what each widget calls, and where an error of it is shown."""

        def when(callback: Callable[[], None], *asked: widgets.Widget, where: str = "error") -> None:
            fields.on_change(lambda: self._react(callback, self.at[where]), *asked)

        def press(button: widgets.Button, callback: Callable[[], None], where: str = "error") -> None:
            button.on_click(lambda _: self._react(callback, self.at[where]))

        when(self._open_batch, self.batch, self.size, self.seed, self.path, self.upload)
        when(self._open_mapping, *self.mapping.widgets)
        when(self._open_portal_and_decide, *self.account.widgets)
        when(self._decide_anew, self.edition)
        when(self._set_tier, self.tier)
        when(self._show, self.since)
        when(self._explain, self.contact, where="explanation")
        press(self.to_baseline, lambda: self._set(_own(self.what_if)))
        press(self.all_on, lambda: self._set(dict.fromkeys(self.switches.found, True)))
        press(self.all_off, lambda: self._set(dict.fromkeys(self.switches.found, False)))
        press(self.example, self._show_example, "explanation")
        press(self.save, self._offer_all if self._shared else self._save_all, "saved")

    def _layout(self) -> list[widgets.Widget]:
        at = self.at
        asked = [self.batch, self.size, self.seed, self.path, self.upload, self.mapping_box]
        batch = panel("1 · What happened", asked, "1 1 360px")
        portal = panel("2 · The account", [*self.account.widgets, self.edition, self.tier], "1 1 360px")
        buttons = widgets.HBox([self.to_baseline, self.all_on, self.all_off])
        flipping = widgets.HTML(pieces.FLIPPING)
        to_set = [
            panel("3 · Flip a switch", [at["summary"], buttons, self.switches, self.since, flipping, at["locked"]]),
            panel("4 · What do I turn off to stay within the tier?", [self.plan]),
        ]
        to_see = [
            panel("What follows", [at["source-chart"], at["time-chart"], at["table"]]),
            panel("What each switch accounts for", [at["credit-chart"], widgets.HTML(pieces.CREDIT)]),
        ]
        as_zip, replaced = (", as a zip file", "") if self._shared else ("", _REPLACED)
        to_save = self.save if self._shared else row(self.save_to, self.save)
        return [
            widgets.HTML(pieces.style()),
            row(batch, portal),
            *(at[name] for name in ("error", "message", "rejected", "headline")),
            row(column(to_set, "1 1 340px"), column(to_see, "2 1 480px")),
            panel("5 · Why this contact?", [row(self.contact, self.example_of, self.example), at["explanation"]]),
            panel("6 · Save", [fields.note(_SAVING.format(where=as_zip, replaced=replaced)), to_save, at["saved"]]),
        ]

    # ---- reacting ----

    def _react(self, callback: Callable[[], None], error: widgets.HTML) -> None:
        """Runs a callback. Its errors appear beside what was used, instead of vanishing into a log."""
        if not self._filling:
            self.at["error"].value = ""
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
        self.at["message"].value = pieces.paragraph(text)

    # ---- reading ----

    def _open_portal(self) -> None:
        with self._quietly():
            chosen = self.account.read()
        if chosen is not None:
            self._own_portal, self._portal_name = chosen[0], chosen[1] or "switches at their defaults"
        self._flips.clear()
        with self._quietly():
            self.tier.value, self.since.value = self._own_portal.subscription.tier or 0, None

    def _open_portal_and_decide(self) -> None:
        self._open_portal()
        self._decide_anew()

    def _open_batch(self) -> None:
        choice = self.batch.value
        for needed, asked in ((_MADE_UP, (self.size, self.seed)), (BY_PATH, (self.path,)), (UPLOAD, (self.upload,))):
            for widget in asked:
                shown(widget, when=choice == needed)
        is_own = choice in (BY_PATH, UPLOAD)
        shown(self.mapping_box, when=is_own)
        if choice == _MADE_UP:
            touches = sample_touches(min(self.size.value, self._most_touches), self.seed.value)
            opened = Opened("Made-up sample", touches, pd.DataFrame(), len(touches), {}, None)
        elif choice == BY_PATH and not self.path.value.strip():
            return self._say("Type the path of a csv, xlsx, parquet or JSON file and press Enter.")
        elif choice == UPLOAD and not self.upload.value and not self._uploaded:
            return self._say("Choose a file." if self._shared else "Choose a file. A larger one opens by its path.")
        else:
            self._say("Reading …")
            mapping, name = self._mapped if is_own else (None, "")
            try:
                with self._file().opened() as (file,):
                    opened = open_file(file, mapping=mapping)
            except DataError:
                self._say(f"Not read. Below is still {self._opened.name}.")
                raise
            opened = replace(opened, name=f"{opened.name}, mapped by {name}") if name else opened
        self._opened, self.touches = opened, opened.touches
        judged_by = self.account.choice.value
        with self._quietly():  # nobody's own data are judged by the made-up firm's account, unless they ask for it
            self.account.suggest(None if is_own else Path(self._first_account))
        if self.account.choice.value != judged_by:
            self._open_portal()
        self._decide_anew()

    def _file(self) -> Chosen:
        """The file that is chosen. An upload is kept here, not in the widget: another mapping reads it again."""
        if self.batch.value != UPLOAD:
            path = self.path.value if self.batch.value == BY_PATH else self.batch.value
            return Chosen((place(self.folder, path),))
        if self.upload.value:
            self._uploaded = Chosen()
            with self._quietly():
                self._uploaded = Chosen.uploaded(self.upload)
        return self._uploaded

    def _open_mapping(self) -> None:
        with self._quietly():
            read = self.mapping.read()
        if read or not self.mapping.has_file:
            self._mapped = read or (None, "")
            self._open_batch()

    @property
    def _most_touches(self) -> int:
        return SHARED_TOUCHES if self._shared else 10_000_000

    # ---- deciding and showing ----

    def _decide_anew(self) -> None:
        if not hasattr(self, "touches"):
            return
        self._say("Deciding …")
        edition = self.edition.value or None
        self.what_if = WhatIf(self.touches, self._own_portal, edition=edition)
        self.baseline = decide(self.touches, self._own_portal, edition=edition)
        as_of, newest = self.baseline.as_of, self._rulebook.newest
        self._rules = dict(self._rulebook.on(edition or (newest.date if pd.isna(as_of) else as_of)))
        own = self.what_if.switches
        self._flips = {name: on for name, on in self._flips.items() if name in own.index and on != own.loc[name, "on"]}
        self.switches.show(own, self._states(), self._own_portal.switches, self._rules)
        self.plan.show(self.what_if, self.tier.value, self._rules)
        self._show()
        with self._quietly():
            decided = self.baseline.counts("decided_by").sum(axis=1).sort_values(ascending=False, kind="stable")
            labels = [(f"{pieces.called(str(name), self._rules)} ({count:,})", name) for name, count in decided.items()]
            self.example_of.options = [(label, name) for label, name in labels if name]
            self.example_of.index = 0 if self.example_of.options else None
            self.contact.value = self.at["explanation"].value = ""
        with_switches = set(own["source"])
        locked = [rule for rule in self._rules.values() if rule.switch is None and rule.source not in with_switches]
        self.at["locked"].value = pieces.locked(locked, self.baseline.counts("source").sum(axis=1))
        self._say_what_was_read()

    def _states(self) -> dict[str, bool]:
        return {name: bool(self._flips.get(name, on)) for name, on in _own(self.what_if).items()}

    def _show(self) -> None:
        """The words and the pictures first, for they are looked at; what is read comes after."""
        self._decided = None
        if self._shared:
            self.at["saved"].value = ""  # the link held what was shown until now
        self._show_words()
        flips, names = self.flips, pieces.tools(self._rules)
        by_source, before = self.what_if.by("source", flips), self.what_if.by("source")
        switches = self.what_if.switches_after(flips)
        self.charts: dict[str, charts.Chart] = {}
        self._draw("source-chart", "contacts-by-source", charts.by_source(by_source, before, names))
        self._draw("credit-chart", "credit", charts.credit(switches, self.what_if.always, names))
        by_day = self.outcome.by_day()
        renewed = term_start(self.portal.subscription, by_day.index[-1].date()) if len(by_day) else None
        over_time = charts.over_time(by_day, self.baseline.by_day(), self.tier.value or None, renewed)
        self._draw("time-chart", "marketing-over-time", over_time)
        self.switches.update(switches, self._states())
        self.plan.follow(self._flips if self.since.value is None else {})
        self.counts = pieces.counts_table(by_source, before, names)
        self.at["table"].value = html_table(self.counts, "The same in numbers")

    def _draw(self, where: str, name: str, chart: charts.Chart) -> None:
        self.charts[name], self.at[where].value = chart, chart._repr_html_()

    def _show_words(self) -> None:
        now, before, tier = self.what_if.counts(self.flips), self.what_if.counts(), self.tier.value or None
        self._said, summary, more = words.headline(now, before, tier), words.in_short(now, before, tier), []
        billed, own = int(now[MARKETING]), self._counted_by_hubspot
        if own is not None:
            billed = own
            more = [f"By the rules, with the switches as they are set here: {words.headline(now, before, None)}"]
            self._said = f"HubSpot counts {billed:,} of {int(now.sum()):,} contacts as marketing"
            self._said += "." if tier is None else f"; {words.against_tier(billed, tier)}."
            summary = f"{billed:,} as HubSpot counts; by the rules {words.in_short(now, before, None)}"
        if self._opened.export is not None and not self._opened.export.contacts["source"].ne(NOT_COVERED).any():
            more = []  # nothing is known of what created them
            self._said = self._said if own is not None else "What created the contacts is not told."
        else:
            more.append(words.uncovered(now))
        more += [lack for name, lack in self._opened.understood.items() if name.startswith("no ")]
        self.at["headline"].value = pieces.headline(self._said, more, over=tier is not None and billed > tier)
        self.at["summary"].value = pieces.paragraph(summary, "mk-summary")

    @property
    def _counted_by_hubspot(self) -> int | None:
        """The marketing contacts by HubSpot's own statuses; None where the data tell none."""
        export = self._opened.export
        if export is None or export.contacts["status"].isna().all():
            return None
        return int((export.contacts["status"] == MARKETING).sum())

    def _set(self, states: dict[str, bool]) -> None:
        """Sets switches; one that is as the portal has it keeps its history."""
        own = _own(self.what_if)
        kept = {name: on for name, on in self._flips.items() if name not in states}
        self._flips = kept | {name: on for name, on in states.items() if on != own[name]}
        self._show()

    def _set_tier(self) -> None:
        self.plan.hold(self.tier.value or None)
        self._show()

    def _apply_plan(self, flips: Mapping[str, bool]) -> None:
        self._before_plan = dict(self._flips), self.since.value
        self._restore(flips, None)

    def _restore(self, flips: Mapping[str, bool], since: dt.date | None) -> None:
        with self._quietly():
            self.since.value = since
        self._flips = dict(flips)
        self._show()

    def _say_what_was_read(self) -> None:
        opened, rejected = self._opened, len(self._opened.rejected)
        text = f"{opened.name}: {opened.rows_read:,} rows read, {opened.rows_used:,} used, {rejected:,} "
        text += f"rejected; {len(self.touches):,} touches of {int(self.baseline.counts().sum()):,} contacts"
        if not pd.isna(self.baseline.as_of):
            text += f", as of {words.day(self.baseline.as_of)}"
        self._read = f"{text}, under {self._portal_name}."
        self._say(self._read)
        notes, how = opened.understood, "How the file was understood"
        content = html_table(pd.DataFrame(list(notes.items()), columns=["what", "how"]), how)
        if rejected:
            caption = "Rejected rows (their values may be personal and are not shown)"
            content += html_table(opened.rejected.drop(columns="value"), caption, most=50)
            how += ", and rejected rows"
        self.at["rejected"].value = pieces.folded(how, content) if notes else ""

    # ---- why and save ----

    def _explain(self) -> None:
        sought, export = self.contact.value.strip(), self._opened.export
        if not sought:
            self.at["explanation"].value = ""
            return
        if export is not None and "@" in sought:
            sought = next(iter(export.emails.index[export.emails == sought.lower()]), sought)
        touches = self.outcome.why(sought)
        contact = self.outcome.contacts.loc[touches["contact_id"].iloc[0]]
        hubspot = "" if export is None else export.contacts["status"].astype("object").get(contact.name)
        hubspot = hubspot if isinstance(hubspot, str) else ""
        self.at["explanation"].value = pieces.explanation(contact, touches, self._rules, hubspot)

    def _show_example(self) -> None:
        contacts = self.outcome.contacts
        found = contacts.index[contacts["decided_by"] == self.example_of.value]
        if not len(found):
            problem = "No contact is decided by this under the switches as they are"
            raise DataError(problem, value=self.example_of.label)
        self.contact.value = str(found[next(self._examples) % len(found)])

    def _save_all(self) -> None:
        folder = place(self.folder, self.save_to.value.strip() or "saved/explorer")
        self.at["saved"].value = hand_over(self.contents(), folder)

    def _offer_all(self) -> None:
        """A link in the page that holds the files themselves: nothing is written, and nobody else can fetch them."""
        contents, left_out = self.contents(), ""
        if len(zipped(contents)) > DOWNLOAD_LIMIT:
            contents = {name: content for name, content in contents.items() if not name.startswith("decisions-")}
            left_out = pieces.paragraph("The decisions are left out: they are too large to download here.")
        self.at["saved"].value = hand_over(contents, None) + left_out

    def contents(self) -> dict[str, bytes]:
        """What is saved, by the name of its file."""
        subscription = self.portal.subscription.model_copy(update={"tier": self.tier.value or None})
        portal = self.portal.model_copy(update={"subscription": subscription})
        since = f" from {words.day(self.since.value)}" if self.since.value else ""
        flips = [f"- {name}: {'on' if on else 'off'}{since}" for name, on in sorted(self._flips.items())]
        rules = self.edition.value or "each touch's own day"
        summary = [
            self._said,
            self._read,
            f"Rules as of {rules}.",
            "Flipped against the baseline:",
            *(flips or ["- nothing"]),
            "",
        ]
        return {
            "portal.yaml": portal.text().encode(),
            "decisions-touches.csv": csv(self.outcome.touches),
            "decisions-contacts.csv": csv(self.outcome.contacts.reset_index()),
            "counts.csv": csv(self.counts),
            "summary.txt": "\n".join(summary).encode(),
            **{f"{name}.png": chart.png for name, chart in self.charts.items()},
        }


def _own(what_if: WhatIf) -> dict[str, bool]:
    """The switches as the portal has them at the end."""
    return {str(name): bool(on) for name, on in what_if.switches["on"].items()}
