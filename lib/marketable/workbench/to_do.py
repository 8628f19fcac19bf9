"""The page To do: whom to set as non-marketing and which switches to turn off, the lists for HubSpot, and downloads."""

from __future__ import annotations

import functools
import importlib.util
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from marketable.auditing import Audit
from marketable.auditing.mailing import MAILING
from marketable.errors import DataError, MarketableError
from marketable.forecasting import Advice
from marketable.views import ahead, audited, fields, pieces, words
from marketable.views.choosing import YAML, settings_of, taken
from marketable.views.handing import slug
from marketable.views.layout import row, shown
from marketable.views.place import shared
from marketable.views.tables import csv, html_table

from . import telling
from .pages import Page
from .switches import Switches
from .work import Saved

if TYPE_CHECKING:
    from .page import Workbench

_RELEASE = "All steps"
_FRESH_DAYS = 7
_OLD = (
    "The export is of {day}, {ago} ago, and all this is seen from there. Export anew before you act on it: who was "
    "mailed or changed since is not in it."
)
_IMPORT = (
    "What to do with the file: import it into HubSpot as a list, the contacts known by Record ID, and leave the "
    "import's box for marketing contacts unticked. Then "
)
_ACT = _IMPORT + (
    "set the contacts of the list as non-marketing. Done today, they count until the next update date, {day}. Whether "
    "somebody who got no mail for long may still be mailed is a question of consent."
)
_LOOK = f"{_IMPORT}look at these contacts there, before you change anything."
_CHANGES = "With the status before and after. Nobody's status in HubSpot changes through this file."
_NEEDS = (
    "What to do today needs an export of your contacts with the property Marketing contact status: open yours under "
    "Change. To see what it gives, open the sample export."
)
_NO_LIMIT = (
    "Enter your tier, here or under Change, and you read whom to set as non-marketing and what it saves. The lists "
    "below hold whole groups, whatever your tier."
)
_SAMPLE = "hubspot-crm-exports-all-contacts-*.csv"
_SAVING = (
    "The account, the counts, the switches, the pictures and a summary: none of them names a contact. With a row for "
    "each contact it also holds those: keep it where contacts may be kept."
)
_REPORT_SECONDS = 170
Found = Callable[..., pd.DataFrame]
List = tuple[int, str, Found]


class ToDo(Page):
    """Attributes: limit; whom, addresses, show_them, save_ids; with_contacts, save_all, save_portal, report, save_work
    and load_work; `contents`, what is saved.
    """

    name = "To do"

    def __init__(self, bench: Workbench) -> None:
        super().__init__(bench, "advice", "advised", "groups", "ids", "listed", "saved", "reported")
        self.limit = fields.number("Stay within", self.basis.tier or 0, 0, 100_000_000)
        self.limit.continuous_update = False
        self.whom = fields.choice("Whom", [], width="520px")
        self.addresses = fields.box("with e-mail addresses")
        self.show_them = fields.box("show them here")
        verb = "Download" if shared() else "Save"
        self.save_ids = fields.button(
            f"{verb} the Record IDs", "A csv that HubSpot imports", "auto", button_style="primary"
        )
        self.with_contacts = fields.box("with a row for each contact")
        self.save_all = fields.button(f"{verb} everything", "Account, counts, switches, pictures, summary", "auto")
        self.save_portal = fields.button(f"{verb} the account", "As portal.yaml", "auto")
        self.report = fields.button("Report from what is on the screen", "A page that opens anywhere", "auto")
        self.save_work = fields.button(f"{verb} this work", "As workbench.yaml: no contact is in it", "auto")
        self.load_work = fields.upload("Open saved work", YAML)
        self.sample = next(iter(sorted(bench.folder.glob(_SAMPLE))), None)
        self.open_sample = fields.button("Open the sample export", "", "auto", button_style="primary")
        self._lists: dict[str, List] = {}
        self._tier = self.basis.tier
        self.when(self._open_sample, self.open_sample)
        self.when(self.draw, self.limit, where="advice")
        self.when(self._show_list, self.whom, self.addresses, self.show_them, where="ids")
        self.when(self._save_ids, self.save_ids, where="ids")
        self.when(lambda: bench.hand_over(self.contents(), "saved"), self.save_all, where="saved")
        self.when(lambda: bench.hand_over({"portal.yaml": self._portal()}, "saved"), self.save_portal, where="saved")
        self.when(lambda: bench.hand_over(self._work(), "saved"), self.save_work, where="saved")
        self.when(self._load_work, self.load_work, where="saved")
        self.when(self._report, self.report, where="reported")
        self.with_contacts.observe(lambda _: setattr(self.at["saved"], "value", ""), "value")
        at = self.at
        lists = [row(self.whom, self.addresses, self.show_them), row(self.save_ids), at["ids"], at["listed"]]
        saving = [fields.note(_SAVING), *([] if shared() else [bench.save_to]), row(self.with_contacts, self.save_all)]
        saving += [row(self.save_portal, self.save_work, self.load_work), at["saved"]]
        reporting = [row(self.report), at["reported"]] if importlib.util.find_spec("papermill") else []
        self.children = [
            self.limit, at["advice"], row(self.open_sample),
            fields.heading("Lists of contacts, for HubSpot"), *lists,
            at["advised"], at["groups"],
            fields.heading("Take it with you"), *reporting, *saving,
        ]  # fmt: skip

    def draw(self) -> None:
        """Advises on the account as it stands; flips are a past that was not."""
        basis, audit = self.basis, self.basis.audit
        with self.bench.quietly():
            if basis.tier and basis.tier != self._tier:
                self._tier = self.limit.value = basis.tier
        told = {"advice": pieces.paragraph(_NEEDS)}
        advice: Advice | None = None
        if audit is not None:
            told["advice"] = pieces.paragraph(_NO_LIMIT)
            if self.limit.value:
                try:
                    advice = basis.advice(self.limit.value)
                    told["advice"] = self._answer(advice, audit)
                    told["advised"] = ahead.steps(advice)
                except MarketableError as fault:
                    told["advice"] = pieces.paragraph(words.dated(str(fault)))
            worth = pieces.folded(audited.WORTH, telling.groups(audit, basis.rules))
            told["groups"] = telling.not_mailed(audit) + worth
        for name in ("advice", "advised", "groups", "ids", "listed", "saved", "reported"):
            self.at[name].value = told.get(name, "")
        shown(self.limit, when=audit is not None)
        shown(self.open_sample, when=audit is None and self.sample is not None)
        known, self._lists = _RELEASE in self._lists, dict(self._found(audit, advice))
        with self.bench.quietly():
            fields.offer(self.whom, [(f"{name} ({many:,})", name) for name, (many, *_) in self._lists.items()])
            if _RELEASE in self._lists and not known:
                self.whom.value = _RELEASE
        self.whom.disabled = self.save_ids.disabled = not self._lists
        self._show_list()

    def _answer(self, advice: Advice, audit: Audit) -> str:
        """What to do in a line, beside it the money and how old that is, and below it why; the steps have a table."""
        steps, why = advice.steps, pieces.paragraph(words.dated(advice.why), "mk-answer")
        as_of = audit.as_of.date()
        age, until = (self.basis.today - as_of).days, self.basis.counts_until
        is_old = age > _FRESH_DAYS or until != audit.update_date
        old = [_OLD.format(day=words.day(as_of), ago=words.many(age, "day"))] if is_old else []
        if not len(steps):
            return why + "".join(map(pieces.paragraph, old))
        people, switches = int(steps["contacts"].sum()), int(steps["contacts"].eq(0).sum())
        todo = [f"set {words.many(people, 'contact')} as non-marketing"] if people else []
        todo += [f"turn off {words.many(switches, 'switch', 'switches')}"] if switches else []
        counts = f"; done today, they count until {words.day(until)}" if people else ""
        beside = [words.dated(advice.money) or self.basis.no_money or "No money is known to be saved by it."]
        return pieces.headline(f"{' and '.join(todo).capitalize()}{counts}.", [*beside, *old], over=False) + why

    def _open_sample(self) -> None:
        self.bench.opening.choice.value = str(self.sample)

    # ---- lists of contacts ----

    def _found(self, audit: Audit | None, advice: Advice | None) -> Iterator[tuple[str, List]]:
        """By name, the lists there are: how many contacts, what to do with them, and the list itself."""
        act = "" if audit is None else _ACT.format(day=words.day(self.basis.counts_until))
        if advice is not None and len(of := advice.steps.index[advice.steps["contacts"] > 0]):
            every = functools.partial(_of_steps, advice, list(of))
            yield _RELEASE, (int(advice.steps["contacts"].sum()), act, every)
            for number in of if len(of) > 1 else []:
                found = functools.partial(_of_steps, advice, [number])
                yield f"Step {number}", (int(advice.steps.loc[number, "contacts"]), act, found)
        if audit is not None:
            for name, group in audit.groups.iterrows():
                todo = f"{group['advice']} {act if name in MAILING else _LOOK}"
                found = functools.partial(_of_group, audit, str(name))
                yield audited.group(str(name), self.basis.rules), (int(group["contacts"]), todo, found)
        if self.work.now.flips:
            changed = self._changed()
            yield "Who would be otherwise with these switches", (len(changed), _CHANGES, self._named(changed))
        if self.work.actions and not isinstance(self.basis.outlook, MarketableError):
            planned = self.basis.outlook.with_actions(self.work.actions).changed
            yield "Who changes by what is planned", (len(planned), _CHANGES, self._named(planned))

    def _changed(self) -> pd.DataFrame:
        """The contacts whose status flips change, by the rules: index contact_id; before and after."""
        before, after = self.basis.baseline.contacts["status"], self.basis.outcome(self.work.flips).contacts["status"]
        table = pd.DataFrame({"before": before.astype("str"), "after": after.astype("str")})
        return table[table["before"] != table["after"]]

    def _named(self, changed: pd.DataFrame) -> Found:
        def named(*, addresses: bool) -> pd.DataFrame:
            ids, audit = changed.index.astype("str"), self.basis.audit
            if audit is None:
                return changed.rename_axis("contact").reset_index()
            known = audit.named(ids, addresses=True)
            known = known if addresses else known[["Record ID"]]
            return pd.concat([known, changed.reset_index(drop=True)], axis="columns")

        return named

    def _show_list(self) -> None:
        self.at["listed"].value = ""
        if self.whom.value is None:
            self.at["ids"].value = pieces.paragraph("There is nobody to list.", "mk-note")
            return
        _, todo, found = self._lists[self.whom.value]
        self.at["ids"].value = pieces.paragraph(todo, "mk-note")
        if self.show_them.value:
            self.at["listed"].value = html_table(found(addresses=self.addresses.value), self.whom.value)

    def _save_ids(self) -> None:
        if self.whom.value is None:
            raise DataError("There is nobody to list")
        many, todo, found = self._lists[self.whom.value]
        table = found(addresses=self.addresses.value)
        place = list(self._lists).index(self.whom.value) + 1
        text = f"It holds {words.many(len(table), 'contact')}."
        if len(table) < many:
            text += f" {many - len(table):,} more have no Record ID in the export: tick “with e-mail addresses”."
        below = pieces.paragraph(text) + pieces.paragraph(todo, "mk-note")
        self.bench.hand_over({f"{place:02}-{slug(self.whom.value)}.csv": csv(table)}, "ids", below)

    # ---- taking it away ----

    def _portal(self) -> bytes:
        return self.work.portal.text().encode()

    def _work(self) -> dict[str, bytes]:
        return {"workbench.yaml": self.bench.file().text().encode()}

    def contents(self) -> dict[str, bytes]:
        """What is saved, by the name of its file."""
        basis, work, audit = self.basis, self.work, self.basis.audit
        since = f" from {words.day(work.now.since)}" if work.now.since else ""
        flips = [f"- {name}: {'on' if on else 'off'}{since}" for name, on in sorted(work.now.flips.items())]
        page = self.bench.pages.get(Switches.name) or self.bench.build(Switches.name)
        assert isinstance(page, Switches)
        said = [basis.headline(work.flips), *basis.beside(work.flips), self.bench.what_is_open, "Flipped:"]
        contents = {
            "portal.yaml": self._portal(),
            "counts.csv": csv(page.counts),
            "summary.txt": "\n".join([*said, *(flips or ["- nothing"]), ""]).encode(),
            **{f"{name}.png": chart.png for name, chart in page.charts.items()},
        }
        if audit is not None:
            contents["explanations.csv"] = csv(telling.counts(audit, self.bench.said))
            contents["switches.csv"] = csv(audit.switches.reset_index())
            contents["groups.csv"] = csv(audit.groups.reset_index())
        if self.with_contacts.value:
            decided = basis.outcome(work.flips)
            contents["contacts.csv"] = csv((decided if audit is None else audit).contacts.reset_index())
            contents["contacts-events.csv"] = csv(decided.touches)
        return contents

    def _load_work(self) -> None:
        if self.load_work.value:
            with self.bench.quietly():
                (file,) = taken(self.load_work)
            self.bench.restore(settings_of(file, Saved, "a workbench.yaml"))

    def _report(self) -> None:
        """Runs the command in a process of its own: a report is a notebook, and has its own kernel."""
        bench, opening = self.bench, self.bench.opening
        self.at["reported"].value = pieces.paragraph("The report is being made. It takes half a minute …")
        with tempfile.TemporaryDirectory(prefix="marketable-") as folder, opening.chosen.opened() as files:
            if len(files) > 1:
                raise DataError("A report is of one file", advice="Put the files of the export together first.")
            settings = {
                "data": files[0] if files else self._written(folder, "touches.csv", csv(self.basis.opened.touches)),
                "portal": self._written(folder, "portal.yaml", self.basis.portal.text().encode()),
            }
            if opening.mapping.settings():
                settings["mapping"] = self._written(folder, "mapping.yaml", opening.mapping.text().encode())
            if self.basis.prices is not None:
                settings["prices"] = self._written(folder, "prices.yaml", self.basis.prices.text().encode())
            asked = [f"{name}={value}" for name, value in settings.items()]
            asked += [f"edition={self.basis.edition}"] if self.basis.edition else []
            asked += [f"flips.{name}={'on' if on else 'off'}" for name, on in self.work.now.flips.items()]
            page = Path(folder, "report.html")
            command = [sys.executable, "-m", "marketable", "report", "-o", str(page)]
            command += [part for each in asked for part in ("-p", each)]
            made = subprocess.run(  # noqa: S603 - its own command, and files under names of its own
                command, capture_output=True, text=True, timeout=_REPORT_SECONDS, check=False
            )
            if made.returncode or not page.is_file():
                said = (made.stderr.strip().splitlines() or ["it ended without a word"])[-1]
                raise DataError("The report could not be made", advice=said)
            bench.hand_over({"report.html": page.read_bytes()}, "reported")

    @staticmethod
    def _written(folder: str, name: str, content: bytes) -> Path:
        path = Path(folder, name)
        path.write_bytes(content)
        return path


def _of_steps(advice: Advice, steps: list[int], *, addresses: bool) -> pd.DataFrame:
    return pd.concat([advice.ids(step, addresses=addresses) for step in steps])


def _of_group(audit: Audit, name: str, *, addresses: bool) -> pd.DataFrame:
    return audit.ids(name, addresses=addresses)
