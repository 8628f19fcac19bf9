"""The explorer: choose a batch and a portal, flip switches, and see who becomes a marketing contact, and why.

The widgets only ask and show. Every number comes from `decide` under the portal with some switches flipped; the
baseline is the same under the portal's own switches.
"""

from __future__ import annotations

import contextlib
import functools
import html
import tempfile
from collections.abc import Callable, Iterator
from importlib.resources import files
from pathlib import Path

import ipywidgets as widgets
import pandas as pd

from ..engine import decide
from ..errors import DataError, MarketableError
from ..inputs.opening import SUFFIXES, Opened, open_file, openable
from ..inputs.portal import Portal, write_whole
from ..inputs.samples import sample_touches
from ..rulebook import MARKETING, NOT_COVERED, STATUSES, Rule, Rulebook
from . import charts, words
from .tables import csv, html_table

DATA = Path(__file__).resolve().parents[3] / "data"
UPLOAD_LIMIT = 9_000_000  # bytes; a larger message is dropped on its way to the kernel without a word
_MADE_UP, _BY_PATH, _UPLOAD, _DEFAULTS, _BY_DAY = "made-up", "path", "upload", "defaults", ""
_MOST_ROWS = 60
_COLUMNS = (
    '<p class="mk-columns"><span title="Contacts that the switch alone would make marketing">reaches</span>'
    '<span title="Contacts that are marketing only through it: lost if it alone were off">only through it</span></p>'
)


class Explorer(widgets.VBox):  # type: ignore[misc]
    """The explorer as a widget. In a notebook, its value is its face: `Explorer()`.

    Arguments: folder, where the batches and portals to choose from stand (by default the repository's data/).
    Attributes for those who code: `folder`, `touches`, `portal` (with the switches as they are set now), `outcome`,
    `baseline`.
    """

    def __init__(self, folder: str | Path = DATA) -> None:
        self.folder = Path(folder)
        self._rulebook = Rulebook.load()
        self._rules = dict(self._rulebook.on(self._rulebook.editions[-1]))
        self._flips: dict[str, bool] = {}
        self._filling = False
        self._boxes: dict[str, tuple[widgets.Checkbox, widgets.HTML]] = {}
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
        """The portal with the switches, and the tier, as they are set now."""
        return self._own_portal.with_switches(self._flips)

    # ---- widgets ----

    def _make_inputs(self) -> None:
        batches = [(path.name, str(path)) for path in openable(self.folder)]
        portals = [(path.name, str(path)) for path in sorted(self.folder.glob("*.yaml"))]
        editions = [str(edition) for edition in self._rulebook.editions]
        self._batch = widgets.Dropdown(
            description="Batch",
            options=[
                ("Made-up sample", _MADE_UP),
                *batches,
                ("A file by its path …", _BY_PATH),
                ("Upload a small file …", _UPLOAD),
            ],
            layout=_wide(),
        )
        self._size = widgets.BoundedIntText(10_000, 0, 10_000_000, description="Touches", layout=_narrow())
        self._seed = widgets.BoundedIntText(7, 0, 2**31, description="Seed", layout=_narrow())
        self._path = widgets.Text(
            description="Path", placeholder="/home/me/export.csv", layout=_wide(), continuous_update=False
        )
        self._upload = widgets.FileUpload(
            description=f"Choose a file, at most {UPLOAD_LIMIT // 1_000_000} MB",
            accept=",".join(SUFFIXES),
            layout=widgets.Layout(width="260px"),
        )
        self._portal_choice = widgets.Dropdown(
            description="Portal",
            options=[*portals, ("All switches at their defaults", _DEFAULTS), ("A file by its path …", _BY_PATH)],
            layout=_wide(),
        )
        self._portal_path = widgets.Text(
            description="Path", placeholder="/home/me/portal.yaml", layout=_wide(), continuous_update=False
        )
        self._edition = widgets.Dropdown(
            description="Rules of",
            options=[("the day of each touch", _BY_DAY), *((each, each) for each in editions)],
            layout=_wide(),
        )
        self._tier = widgets.BoundedIntText(
            0, 0, 100_000_000, description="Tier", layout=_narrow(), continuous_update=False
        )
        self._search = widgets.Text(
            description="Search", placeholder="a form, app, import …", layout=widgets.Layout(width="98%")
        )
        self._to_baseline, self._all_on, self._all_off = (
            widgets.Button(description=name, tooltip=tip, layout=widgets.Layout(width="31%"))
            for name, tip in (
                ("Baseline", "Every switch as the portal has it"),
                ("All on", "Every switch on from the beginning"),
                ("All off", "Every switch off from the beginning"),
            )
        )
        self._contact = widgets.Text(
            description="Contact", placeholder="a contact's id, or its e-mail", layout=_wide(), continuous_update=False
        )
        self._example_of = widgets.Dropdown(description="Decided by", layout=_wide())
        self._example = widgets.Button(description="Show an example", tooltip="A contact whose status this decided")
        self._save_to = widgets.Text("saved/explorer", description="Folder", layout=_wide())
        self._save = widgets.Button(description="Save", tooltip="Settings, decisions and pictures, into this folder")

    def _make_outputs(self) -> None:
        self._message, self._error, self._rejected, self._headline = (widgets.HTML() for _ in range(4))
        self._source_chart, self._time_chart, self._table, self._locked = (widgets.HTML() for _ in range(4))
        self._explanation, self._saved, self._shown_note = (widgets.HTML() for _ in range(3))
        self._switches = widgets.VBox(layout=widgets.Layout(overflow="hidden auto", display="block"))
        self._switches.add_class("mk-switches")
        for name in ("message", "error", "headline", "source_chart", "time_chart", "table", "explanation", "saved"):
            getattr(self, f"_{name}").add_class(f"mk-at-{name.replace('_', '-')}")

    def _wire(self) -> None:
        """Says what each widget calls, and where an error of it is shown."""
        for widget, callback, error in (
            (self._batch, self._open_batch, self._error),
            (self._size, self._open_batch, self._error),
            (self._seed, self._open_batch, self._error),
            (self._path, self._open_batch, self._error),
            (self._upload, self._open_batch, self._error),
            (self._portal_choice, self._open_portal_and_decide, self._error),
            (self._portal_path, self._open_portal_and_decide, self._error),
            (self._edition, self._decide_anew, self._error),
            (self._tier, self._show, self._error),
            (self._search, self._fill_switches, self._error),
            (self._contact, self._explain, self._explanation),
        ):
            widget.observe(functools.partial(self._react, callback, error), "value")
        for button, callback, error in (
            (self._to_baseline, self._set_to_baseline, self._error),
            (self._all_on, self._set_all_on, self._error),
            (self._all_off, self._set_all_off, self._error),
            (self._example, self._show_example, self._explanation),
            (self._save, self._save_all, self._saved),
        ):
            button.on_click(functools.partial(self._react, callback, error))

    def _layout(self) -> list[widgets.Widget]:
        style = widgets.HTML(f"<style>{files(__package__).joinpath('explorer.css').read_text('utf-8')}</style>")
        batch = _panel(
            "1 · What happened", [self._batch, self._size, self._seed, self._path, self._upload], "1 1 360px"
        )
        account = [self._portal_choice, self._portal_path, self._edition, self._tier]
        portal = _panel("2 · The account", account, "1 1 360px")
        buttons = widgets.HBox([self._to_baseline, self._all_on, self._all_off])
        columns = widgets.HTML(_COLUMNS)
        switches = [buttons, self._search, self._shown_note, columns, self._switches, self._locked]
        pictures = _panel("What follows", [self._source_chart, self._time_chart, self._table], "2 1 480px")
        asked = _row(self._contact, self._example_of, self._example)
        note = widgets.HTML(
            '<p class="mk-note">The settings as portal.yaml, the decisions as csv (they name contacts: keep them where '
            "contacts may be kept), the pictures.</p>"
        )
        return [
            style,
            _row(batch, portal),
            self._error,
            self._message,
            self._rejected,
            self._headline,
            _row(_panel("3 · Flip a switch", switches, "1 1 340px"), pictures),
            _panel("4 · Why this contact?", [asked, self._explanation], "1 1 100%"),
            _panel("5 · Save", [note, _row(self._save_to, self._save), self._saved], "1 1 100%"),
        ]

    # ---- reacting ----

    def _react(self, callback: Callable[[], None], error: widgets.HTML, _change: object = None) -> None:
        """Runs a callback. Its errors appear beside what was used, instead of vanishing into a log."""
        if self._filling:
            return
        self._error.value = ""
        try:
            callback()
        except MarketableError as fault:
            error.value = _alert(str(fault))
        except Exception as fault:
            error.value = _alert(f"Something went wrong that should not have: {type(fault).__name__}: {fault}")

    @contextlib.contextmanager
    def _quietly(self) -> Iterator[None]:
        """Sets widgets without reacting to it."""
        self._filling = True
        try:
            yield
        finally:
            self._filling = False

    def _say(self, text: str) -> None:
        self._message.value = f'<p class="mk-message">{html.escape(text)}</p>'

    # ---- reading ----

    def _open_portal(self) -> None:
        choice, path = self._portal_choice.value, self._portal_path
        path.layout.display = "" if choice == _BY_PATH else "none"
        if choice == _DEFAULTS:
            self._own_portal = Portal()
        elif choice != _BY_PATH:
            self._own_portal = Portal.load(choice)
        elif path.value.strip():
            self._own_portal = Portal.load(self._place(path.value))
        self._flips.clear()
        with self._quietly():
            self._tier.value = self._own_portal.subscription.tier or 0

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
            widget.layout.display = "" if choice == needed else "none"
        if choice == _MADE_UP:
            touches = sample_touches(self._size.value, self._seed.value)
            opened = Opened("Made-up sample", touches, pd.DataFrame(), len(touches), {}, None)
        elif choice == _BY_PATH and not self._path.value.strip():
            self._say("Type the path of a csv, xlsx, parquet or JSON file and press Enter.")
            return
        elif choice == _UPLOAD and not self._upload.value:
            self._say("Choose a file. A larger one opens by its path.")
            return
        else:
            self._say("Reading …")
            path = self._place(self._path.value if choice == _BY_PATH else choice)
            opened = self._opened_upload() if choice == _UPLOAD else open_file(path)
        self._opened, self.touches = opened, opened.touches
        self._flips.clear()
        self._decide_anew()

    def _place(self, path: str) -> Path:
        """A path that a person typed; where it is not absolute, from the folder in which data/ stands."""
        return self.folder.resolve().parent / Path(path.strip()).expanduser()

    def _opened_upload(self) -> Opened:
        upload = self._upload.value[0]
        with self._quietly():
            self._upload.value = ()  # what a widget holds may be saved with the notebook
        if len(upload.content) > UPLOAD_LIMIT:
            raise DataError("The file is too large to upload", value=upload.name, advice="Open it by its path instead.")
        suffix = Path(upload.name).suffix.lower()
        if suffix not in SUFFIXES:
            raise DataError("Files of this kind are not read", value=upload.name, expected=", ".join(SUFFIXES))
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"upload{suffix}"
            path.write_bytes(upload.content)
            return open_file(path)

    # ---- deciding and showing ----

    def _decide_anew(self) -> None:
        if not hasattr(self, "touches"):
            return
        self._say("Deciding …")
        edition = self._edition.value or None
        self.baseline = decide(self.touches, self._own_portal, edition=edition)
        as_of = self.baseline.as_of
        self._rules = dict(self._rulebook.on(edition or (self._rulebook.editions[-1] if pd.isna(as_of) else as_of)))
        self._say_what_was_read()
        self._fill_switches()
        self._show()
        with self._quietly():
            decided = self.baseline.counts("decided_by").sum(axis=1).sort_values(ascending=False, kind="stable")
            self._example_of.options = [
                (f"{name} · {count:,} contacts", name) for name, count in decided.items() if name
            ]
            self._example_of.index = 0 if self._example_of.options else None
            self._contact.value = self._explanation.value = ""
        self._show_locked()

    def _show(self) -> None:
        edition = self._edition.value or None
        self.outcome = decide(self.touches, self.portal, edition=edition) if self._flips else self.baseline
        now, before, tier = self.outcome.counts(), self.baseline.counts(), self._tier.value or None
        self._headline.value = _headline(words.headline(now, before, tier), words.uncovered(now))
        names = {source: rule.name for source, rule in self._rules.items()}
        by_source, by_source_before = self.outcome.counts("source"), self.baseline.counts("source")
        self._charts = {
            "contacts-by-source": charts.by_source(by_source, by_source_before, names),
            "marketing-over-time": charts.over_time(self.outcome.by_day(), self.baseline.by_day(), tier),
        }
        self._source_chart.value, self._time_chart.value = (chart._repr_html_() for chart in self._charts.values())
        self._counts = _counts_table(by_source, by_source_before, names)
        self._table.value = html_table(self._counts, "The same in numbers")
        switches = self.outcome.switches
        for name, (_, label) in self._boxes.items():
            label.value = _reach(*switches.loc[name, ["exposed", "sole"]])

    def _fill_switches(self) -> None:
        switches = self.outcome.switches if self._flips else self.baseline.switches
        sought = self._search.value.strip().casefold()
        found = switches[
            [sought in f"{name} {self._rules[source].name}".casefold() for name, source in switches["source"].items()]
        ]
        shown = found.nlargest(_MOST_ROWS, "exposed") if len(found) > _MOST_ROWS else found
        shown = switches.loc[[name for name in switches.index if name in set(shown.index)]]
        self._shown_note.value = _note(len(shown), len(found), len(switches))
        for checkbox, label in self._boxes.values():
            checkbox.close()
            label.close()
        self._boxes, children = {}, []
        for source, rows in shown.groupby("source", sort=False):
            children.append(widgets.HTML(_group(self._rules[str(source)])))
            children += [self._switch_row(str(name), row) for name, row in rows.iterrows()]
        self._switches.children = children

    def _switch_row(self, name: str, row: pd.Series) -> widgets.HBox:
        history = self._own_portal.switches.get(name, ())
        dated = [f"{'on' if change.on else 'off'} from {change.since:%Y-%m-%d}" for change in history if change.since]
        checkbox = widgets.Checkbox(
            value=bool(row["on"]),
            description=(row["asset"] or ("all of them" if name == row["source"] else "(no name)")),
            tooltip="; ".join([name, *dated]),
            indent=False,
            layout=widgets.Layout(width="auto", flex="1 1 auto", min_width="120px"),
        )
        label = widgets.HTML(_reach(row["exposed"], row["sole"]), layout=widgets.Layout(flex="0 0 auto"))
        label.add_class("mk-row")
        checkbox.observe(functools.partial(self._react, functools.partial(self._flip, name), self._error), "value")
        self._boxes[name] = checkbox, label
        return widgets.HBox([checkbox, label], layout=widgets.Layout(overflow="hidden"))

    def _flip(self, name: str) -> None:
        self._set({name: self._boxes[name][0].value})

    def _set(self, states: dict[str, bool]) -> None:
        """Sets switches; one that is as the portal has it keeps its history."""
        own = self.baseline.switches["on"]
        self._flips = {name: on for name, on in (self._flips | states).items() if on != own[name]}
        with self._quietly():
            for name, (checkbox, _) in self._boxes.items():
                checkbox.value = self._flips.get(name, bool(own[name]))
        self._show()

    def _set_to_baseline(self) -> None:
        self._set(dict(self.baseline.switches["on"]))

    def _set_all_on(self) -> None:
        self._set(dict.fromkeys(self.baseline.switches.index, True))

    def _set_all_off(self) -> None:
        self._set(dict.fromkeys(self.baseline.switches.index, False))

    def _say_what_was_read(self) -> None:
        opened = self._opened
        contacts = int(self.baseline.counts().sum())
        text = f"{opened.name}: {opened.rows_read:,} rows read, {opened.rows_read - len(opened.rejected):,} used, "
        text += f"{len(opened.rejected):,} rejected; {len(self.touches):,} touches of {contacts:,} contacts"
        if not pd.isna(self.baseline.as_of):
            text += f", as of {words.day(self.baseline.as_of)}"
        self._say(text + ".")
        notes = dict(opened.understood)
        if opened.export is not None:
            marketing = int((opened.export.contacts["status"] == MARKETING).sum())
            notes["the export itself says"] = f"{marketing:,} marketing contacts"
        shown = html_table(pd.DataFrame(list(notes.items()), columns=["what", "how"]), "How the file was understood")
        if len(opened.rejected):
            rejected = opened.rejected.drop(columns="value")
            shown += html_table(rejected, "Rejected rows (their values may be personal and are not shown)", most=50)
        summary = (
            "How the file was understood, and rejected rows" if len(opened.rejected) else "How the file was understood"
        )
        self._rejected.value = f"<details><summary>{summary}</summary>{shown}</details>" if notes else ""

    def _show_locked(self) -> None:
        counts = self.baseline.counts("source").sum(axis=1)
        switched = set(self.baseline.switches["source"])
        locked = [rule for source, rule in self._rules.items() if source not in switched and rule.switch is None]
        items = "".join(_locked(rule, int(counts.get(rule.source, 0))) for rule in locked)
        self._locked.value = (
            '<div class="mk-locked"><div class="mk-group"><span>Tools without a switch</span></div>'
            f"<ul>{items}</ul></div>"
        )

    # ---- why and save ----

    def _explain(self) -> None:
        sought = self._contact.value.strip()
        if not sought:
            self._explanation.value = ""
            return
        touches = self.outcome.why(sought)
        contact = self.outcome.contacts.loc[touches["contact_id"].iloc[0]]
        status = "without a status" if pd.isna(contact["status"]) else contact["status"]
        table = pd.DataFrame(
            {
                "When": touches["occurred_at"],
                "Tool": [self._rules[name].name if name in self._rules else str(name) for name in touches["source"]],
                "Asset": touches["asset"].astype("str"),
                "Before": touches["status_before"].astype("object").fillna("–"),
                "After": touches["status_after"].astype("object").fillna("–"),
                "Explanation": touches["reason"].astype("str"),
            }
        )
        answer = f"{sought} is {status}, decided by {contact['decided_by'] or 'nothing yet'}. {contact['reason']}"
        self._explanation.value = f"<p>{html.escape(answer)}</p>" + html_table(table, "Its touches")

    def _show_example(self) -> None:
        contacts = self.outcome.contacts
        found = contacts.index[contacts["decided_by"] == self._example_of.value]
        if not len(found):
            raise DataError(
                "No contact is decided by this under the switches as they are", value=self._example_of.value
            )
        self._contact.value = str(found[len(found) // 2])

    def _save_all(self) -> None:
        folder = self._place(self._save_to.value.strip() or "saved/explorer")
        folder.mkdir(parents=True, exist_ok=True)
        subscription = self.portal.subscription.model_copy(update={"tier": self._tier.value or None})
        portal = self.portal.model_copy(update={"subscription": subscription})
        contents = {
            "portal.yaml": portal.text().encode(),
            "decisions-touches.csv": csv(self.outcome.touches),
            "decisions-contacts.csv": csv(self.outcome.contacts.reset_index()),
            "counts.csv": csv(self._counts),
            **{f"{name}.png": chart.png for name, chart in self._charts.items()},
        }
        for name, content in contents.items():
            write_whole(folder / name, content)
        told = f"Saved in {folder.resolve()}: {', '.join(contents)}."
        self._saved.value = f"<p>{html.escape(told)}</p>"


def _wide() -> widgets.Layout:
    return widgets.Layout(width="340px", max_width="100%")


def _narrow() -> widgets.Layout:
    return widgets.Layout(width="190px")


def _row(*children: widgets.Widget) -> widgets.Box:
    """Children side by side, one under the other where the page is narrow."""
    row = widgets.Box(children)
    row.add_class("mk-wrap")
    return row


def _panel(title: str, children: list[widgets.Widget], flex: str) -> widgets.VBox:
    heading = widgets.HTML(f'<h3 class="mk-title">{html.escape(title)}</h3>')
    panel = widgets.VBox([heading, *children], layout=widgets.Layout(flex=flex, min_width="0"))
    panel.add_class("mk-panel")
    return panel


def _alert(text: str) -> str:
    return f'<p class="mk-error" role="alert">{html.escape(text)}</p>'


def _headline(text: str, more: str) -> str:
    return (
        f'<div class="mk-headline" role="status" aria-live="polite"><strong>{html.escape(text)}</strong>'
        f"<span>{html.escape(more)}</span></div>"
    )


def _reach(exposed: int, sole: int) -> str:
    """How many contacts a switch reaches, and how many are marketing only through it."""
    return f'<span class="mk-reach"><span>{exposed:,}</span><b>{sole:,}</b></span>'


def _group(rule: Rule) -> str:
    scope = "one switch for the account" if rule.switch == "account" else f"one switch per {rule.asset}"
    default = "on" if rule.default_on else "off"
    return (
        f'<div class="mk-group" title="{html.escape(rule.where)}. {html.escape(str(rule.reference))}">'
        f"<span>{html.escape(rule.name)}</span><small>{scope}, {default} by default</small></div>"
    )


def _locked(rule: Rule, contacts: int) -> str:
    reference = html.escape(str(rule.reference))
    link = html.escape(rule.reference.link)
    locked = "" if rule.default == NOT_COVERED else ", locked"
    trust = "" if rule.reference.trust == "silent" else f", trust {rule.reference.trust}"
    read_in = html.escape(f"read in {rule.reference.read_in}{trust}")
    return (
        f'<li title="{reference}"><span>{html.escape(rule.name)}: {contacts:,} contacts<br><small>'
        f'<a href="{link}" target="_blank" rel="noopener">HubSpot\'s article</a>, {read_in}</small></span>'
        f'<span class="mk-badge">{rule.default}{locked}</span></li>'
    )


def _note(shown: int, found: int, every: int) -> str:
    if shown < found:
        text = f"The {shown} that reach the most contacts, of {found:,}. Search to see others."
    elif found < every:
        text = f"{found:,} of {every:,} switches."
    else:
        text = f"{every:,} switches."
    return f'<span class="mk-note">{text}</span>'


def _counts_table(now: pd.DataFrame, baseline: pd.DataFrame, names: dict[str, str]) -> pd.DataFrame:
    """Contacts by creating tool, with the baseline's marketing count beside, and a row of totals."""
    sources = list(dict.fromkeys([*now.index, *baseline.index]))
    table = now.reindex(sources, fill_value=0).astype(int)
    before = baseline.reindex(sources, fill_value=0)[MARKETING].astype(int)
    table.insert(1, "baseline", before)
    table.insert(2, "change", table[MARKETING] - before)
    table["all"] = table[list(STATUSES)].sum(axis=1)
    table.loc["Total"] = table.sum()
    return table.rename(index=names).rename_axis("created by").reset_index()
