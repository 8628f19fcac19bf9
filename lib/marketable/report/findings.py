"""What a report finds: the statuses as of a moment, against a what-if, against the period before, and against HubSpot's
own; and what that means for the tier.

Everything a page says is counted here. The numbers can be had as plain data, the same for the same input to the byte.
"""

from __future__ import annotations

import datetime as dt
import functools
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import pandas as pd

from marketable.auditing import Audit, Changes, ExportDay, audit, changes
from marketable.engine import Outcome, decide
from marketable.engine.moments import local_times
from marketable.errors import DataError, MarketableError, ParameterError
from marketable.exports.opening import Opened, checksum, open_file
from marketable.forecasting import Advice, Outlook, advise, forecast
from marketable.portal.portal import Portal
from marketable.portal.prices import Prices
from marketable.portal.term import term_start
from marketable.portal.update_dates import update_date_after
from marketable.rulebook import MARKETING, STATUSES, Rule, Rulebook
from marketable.views import pieces
from marketable.what_if.plans import Plan
from marketable.what_if.what_if import WhatIf, no_such_switch

from .parameters import Parameters
from .periods import Period

CREATED, TURNED, CEASED = "created as marketing", "became marketing later", "no longer marketing"
# What an executed notebook carries of them: kinds of output that no page shows.
FIGURES, CONTACTS = "application/vnd.marketable.figures+json", "application/vnd.marketable.contacts+csv"
_PLANNING = 5.0  # seconds
_BEFORE = dt.timedelta(microseconds=1)


@dataclass(frozen=True)
class Findings:
    """`now` and `before` are what `decide` says as of the end of the period, and as of the end of the one before;
    `what_if` answers about now. `portal` has the switches of the baseline. `prices`: the price list, or None.
    """

    parameters: Parameters
    opened: Opened
    portal: Portal
    period: Period
    now: Outcome
    before: Outcome
    what_if: WhatIf
    prices: Prices | None = None

    @classmethod
    def of(cls, parameters: Parameters) -> Findings:
        """Reads what the parameters name, and decides.

        Raises: what reading and deciding raise; DataError where there are no touches; ParameterError where all are
        later than was asked; UnknownNameError for a switch that neither the portal lists nor a touch asked.
        """
        files = parameters.paths
        opened = open_file(files["data"], mapping=files.get("mapping"))
        own = Portal.load(files["portal"]) if "portal" in files else Portal()
        prices = Prices.load(files["prices"]) if "prices" in files else None
        if parameters.step:
            numbers = parameters.included or None, parameters.step, parameters.monthly
            prices = Prices.flat(*numbers, hub=own.subscription.hub)
        portal = own.with_switches(parameters.switches)
        if not len(opened.touches):
            raise _nothing(opened)
        edition, asked = parameters.edition or None, parameters.period and Period.of_text(parameters.period)
        as_of = _until(parameters, opened, portal)
        now = decide(opened.touches, portal, edition=edition, as_of=as_of)
        moment = _moment(now)
        period = asked or Period.month_of(moment)
        if not now.counts().sum():
            first = local_times(opened.touches["occurred_at"], portal.time_zone).min()
            expected = f"a time from {first:%Y-%m-%d %H:%M} on"
            raise ParameterError("All touches are later", value=f"{moment:%Y-%m-%d %H:%M}", expected=expected)
        before = decide(opened.touches, portal, edition=edition, as_of=period.begins - _BEFORE)
        what_if = WhatIf(opened.touches, portal, edition=edition, as_of=as_of)
        # A switch that no touch asked is mistyped, or the portal should list it.
        asked_ones = set(what_if.switches.index) - set(what_if.unasked)
        for name in sorted({*parameters.switches, *parameters.flips} - set(own.switches) - asked_ones):
            raise no_such_switch(name, asked_ones)
        return cls(parameters, opened, portal, period, now, before, what_if, prices)

    @property
    def as_of(self) -> dt.datetime:
        """The local time up to which touches and update dates count."""
        return _moment(self.now)

    @functools.cached_property
    def last_touch(self) -> dt.datetime:
        """The local time of the last touch there is, whenever the report is of."""
        last: pd.Timestamp = local_times(self.opened.touches["occurred_at"], self.portal.time_zone).max()
        return last.to_pydatetime()

    @property
    def tier(self) -> int | None:
        """The marketing contacts that are paid for, where the portal tells."""
        return self.portal.subscription.tier

    @property
    def tier_of_rules(self) -> int | None:
        """The tier, where the count by the rules is held against it: where HubSpot's own is known, only that one is."""
        return self.tier if self.audit is None else None

    @property
    def term_start(self) -> dt.date:
        """The last renewal: a day over the tier since then upgraded the bill."""
        return term_start(self.portal.subscription, self.as_of.date())

    @property
    def marketing(self) -> int:
        """Marketing contacts now."""
        return int(self.counts[MARKETING]["now"])

    @functools.cached_property
    def rules(self) -> Mapping[str, Rule]:
        """The rules by which the latest touches are judged, by source."""
        return Rulebook.load().on(self.parameters.edition or self.as_of.date())

    def called(self, name: object) -> str:
        """A switch, a tool or an action in a person's words."""
        return pieces.called(str(name), self.rules)

    @functools.cached_property
    def counts(self) -> pd.DataFrame:
        """Contacts by status. Rows: now, before (at the end of the period before), what-if."""
        rows = {"now": self.now.counts(), "before": self.before.counts(), "what-if": self.what_if.counts(self.flips)}
        return pd.DataFrame(rows).T[list(STATUSES)]

    @property
    def flips(self) -> Mapping[str, Any]:
        """The what-if that was asked."""
        return self.parameters.flips

    @functools.cached_property
    def imagined(self) -> Outcome:
        """What `decide` says after the flips."""
        if not self.flips:
            return self.now
        portal, edition = self.portal.with_switches(self.flips), self.parameters.edition or None
        as_of = _until(self.parameters, self.opened, portal)
        return decide(self.opened.touches, portal, edition=edition, as_of=as_of)

    @functools.cached_property
    def changes(self) -> pd.DataFrame:
        """Whose status changed in the period, counted. Columns: kind (created as marketing, became marketing later, no
        longer marketing), decided_by (a switch, a source, an action, access), contacts; the most first. What came, less
        what ceased, is the difference of the counts.
        """
        changed = self._changed
        counted = changed.groupby(["kind", "decided_by"], observed=True).size().rename("contacts").reset_index()
        by_kind = counted.sort_values("contacts", ascending=False, kind="stable")
        order = {CREATED: 0, TURNED: 1, CEASED: 2}
        return by_kind.sort_values("kind", key=lambda kind: kind.map(order), kind="stable", ignore_index=True)

    @functools.cached_property
    def recorded_changes(self) -> Changes | None:
        """What changed in the period by HubSpot's own statuses; None where the data do not record when they changed."""
        export = self.opened.export
        if export is None or not export.statuses["latest"].notna().any():
            return None
        return changes(export, self.period.before.last, self.period.last, portal=self.portal)

    @functools.cached_property
    def credits(self) -> pd.DataFrame:
        """What the what-if moves: index switch; columns was and becomes (credit), change; those that move, the most
        first. The changes sum to the difference of the counts.
        """
        was, becomes = self.what_if.switches["credit"], self.what_if.switches_after(self.flips)["credit"]
        frame = pd.DataFrame({"was": was, "becomes": becomes, "change": becomes - was})
        moved = frame[frame["change"].abs() > 1e-9]
        return moved.sort_values("change", key=lambda change: -change.abs(), kind="stable")

    @functools.cached_property
    def audit(self) -> Audit | None:
        """Why HubSpot's own statuses are what they are. None where the data tell no statuses, or the report is about an
        earlier day.
        """
        export, last = self.opened.export, self.now.touches["rule"].ne("not counted").all()
        if export is None or export.contacts["status"].isna().all() or not last:
            return None
        return audit(export, self.portal, edition=self.parameters.edition or None, prices=self.prices)

    @functools.cached_property
    def own(self) -> pd.DataFrame | None:
        """Contacts by creating source (rows) and HubSpot's own status (columns); None where there is no audit. A status
        that is not told stands under not covered.
        """
        return None if self.audit is None else self.audit.own

    @property
    def gaps(self) -> pd.DataFrame | None:
        """Where HubSpot's own statuses differ from the rules': `Audit.by_source`, None where there is no audit."""
        return None if self.audit is None else self.audit.by_source

    @functools.cached_property
    def plan(self) -> Plan | None:
        """What to turn off where there are more marketing contacts than the tier; None where there are not."""
        if self.tier is None or self.marketing <= self.tier:
            return None
        return self.what_if.plan(self.tier, time_limit=_PLANNING, progress=False)

    @functools.cached_property
    def outlook(self) -> Outlook | None:
        """What comes, from HubSpot's own count where it is known. None where nothing can be said: `no_outlook` says
        why.
        """
        return None if isinstance(self._ahead, MarketableError) else self._ahead

    @property
    def no_outlook(self) -> str:
        """Why there is no outlook."""
        return str(self._ahead) if isinstance(self._ahead, MarketableError) else ""

    @functools.cached_property
    def _ahead(self) -> Outlook | MarketableError:
        touches = self.now.touches
        counted = touches.loc[touches["rule"].ne("not counted"), ["contact_id", "occurred_at", "source", "asset"]]
        source = counted if self.audit is None else self.audit
        try:
            outlook = forecast(source, self.portal, self.prices)
        except MarketableError as error:
            return error
        planned = self.parameters.paths.get("actions")
        return outlook if planned is None else outlook.with_actions(planned)

    @functools.cached_property
    def advice(self) -> Advice | None:
        """What to do today to stay within the tier; None where nothing can be advised."""
        if self.audit is None or self.outlook is None or self.tier is None:
            return None
        try:
            return advise(self.audit, portal=self.portal, prices=self.prices, actions=self.outlook.actions)
        except DataError:
            return None

    @property
    def waiting(self) -> int:
        """Contacts that wait for the update date, and count until then."""
        return int(self.now.contacts["waiting"].sum()) if self.audit is None else self.audit.waiting

    @property
    def update_date(self) -> dt.date:
        """The next day on which contacts can become non-marketing."""
        return update_date_after(self.as_of.date(), self.portal.subscription)

    @functools.cached_property
    def checksums(self) -> dict[str, str]:
        """The SHA-256 of each file that was read, by its name."""
        named = (path for name, path in self.parameters.paths.items() if name != "data")
        files = [*self.opened.files, *named]
        return {file.name: checksum(file) for file in files}

    @functools.cached_property
    def listed(self) -> pd.DataFrame:
        """The contacts whose status changed in the period: contact_id, kind, status, since, decided_by, reason."""
        now = self.now.contacts
        frame = now.loc[self._changed.index, ["status", "since", "decided_by", "reason"]]
        frame.insert(0, "kind", self._changed["kind"])
        return frame.reset_index()

    @functools.cached_property
    def _changed(self) -> pd.DataFrame:
        now, before = self.now.contacts, self.before.contacts
        is_marketing = now["status"].eq(MARKETING)
        was = before["status"].eq(MARKETING).reindex(now.index, fill_value=False)
        kind = pd.Series(TURNED, now.index, dtype="str").mask(~now.index.isin(before.index), CREATED)
        kind = kind.mask(was, CEASED)
        changed = is_marketing != was
        return pd.DataFrame({"kind": kind, "decided_by": now["decided_by"].astype("str")})[changed]

    @property
    def asked(self) -> dict[str, Any]:
        """The parameters, of files only their names."""
        names = {name: path.name for name, path in self.parameters.paths.items()}
        return self.parameters.model_dump() | names | {"data": self.opened.name}

    def numbers(self) -> dict[str, Any]:
        """The figures as plain data: what was asked, what was counted, and what it was counted from."""
        by_source = self.what_if.by("source").astype(int)
        after = self.what_if.by("source", self.flips)[MARKETING].reindex(by_source.index, fill_value=0)
        imagined = self.what_if.switches_after(self.flips) if self.flips else None
        rejected = self.opened.rejected["reason"].value_counts(sort=False).sort_index()
        rejected = rejected.sort_values(ascending=False, kind="stable")
        return {
            "parameters": self.asked,
            "as_of": self.as_of.isoformat(sep=" "),
            "period": {"name": self.period.name, "first": str(self.period.first), "last": str(self.period.last)},
            "tier": self.tier,
            "counts": {name: dict(zip(STATUSES, row, strict=True)) for name, *row in self.counts.itertuples()},
            "waiting": self.waiting,
            "update date": str(self.update_date),
            "ambiguous": self.now.ambiguous,
            "always": self.what_if.always,
            "sources": _records(by_source.assign(**{"what-if": after.astype(int)}).reset_index()),
            "months": _records(self.what_if.by("month").astype(int).reset_index()),
            "switches": _records(_rounded(self.what_if.switches)),
            "what-if switches": None if imagined is None else _records(_rounded(imagined)),
            "changes": _records(self.changes),
            "own": None if self.own is None else {status: int(self.own[status].sum()) for status in STATUSES},
            "gaps": None if self.gaps is None else _records(self.gaps),
            **_audited(self.audit),
            "ahead": None if self.outlook is None else _of_outlook(self.outlook),
            "plan": None if self.plan is None else {"says": str(self.plan), "flips": dict(self.plan.flips)},
            "rows": {"read": self.opened.rows_read, "rejected": len(self.opened.rejected)},
            "rejected": {str(reason): int(count) for reason, count in rejected.items()},
            "checksums": self.checksums,
            "versions": versions(),
        }


def _of_outlook(outlook: Outlook) -> dict[str, Any]:
    """What comes, as plain data."""
    days = {name: None if pd.isna(day) else str(day.date()) for name, day in outlook.crossing.items()}
    months = outlook.months.reset_index().astype({"month": "str"}).round(2)
    return {
        "says": list(outlook.says),
        "today": outlook.today,
        "crossing": days,
        "months": _records(months),
        "effects": _records(outlook.effects.reset_index()),
    }


def _audited(audit: Audit | None) -> dict[str, Any]:
    """The figures of an audit; nothing where there is none."""
    if audit is None:
        return {}
    switches = audit.switches[audit.switches["differs"]].drop(columns=["source", "asset", "differs"])
    days = {name: switches[name].dt.strftime("%Y-%m-%d") for name in ("since", "earliest", "latest")}
    return {
        "audit": _records(audit.counts.astype(int).reset_index()),
        "audit switches": _records(switches.assign(**days).reset_index()),
        "audit groups": _records(audit.groups.reset_index()),
        "audit myths": _records(audit.myths.reset_index()),
        "audit remarks": dict(audit.remarks),
        "audit portal": audit.portal_text,
    }


def _nothing(opened: Opened) -> DataError:
    """The error that a file has nobody in it, or nobody who can be used."""
    if not len(opened.rejected):
        return DataError("There is nothing to report on: the file has no contacts and no touches", file=opened.name)
    first = opened.rejected.iloc[0]
    advice = f"The first, row {first['row']:,}: {first['reason']}."
    problem = f"There is nothing to report on: none of the {opened.rows_read:,} rows can be used"
    return DataError(problem, file=opened.name, advice=advice)


def _until(parameters: Parameters, opened: Opened, portal: Portal) -> str | dt.datetime | None:
    """The moment that was asked, or that an export is of; None for the last touch, whose local time alone may not name
    it.
    """
    if parameters.as_of or parameters.period:
        return parameters.as_of or Period.of_text(parameters.period).ends
    return None if opened.export is None else ExportDay(opened.export, portal.time_zone).as_of


def _moment(outcome: Outcome) -> dt.datetime:
    """The moment of what was decided of a batch, which is not empty."""
    assert isinstance(outcome.as_of, pd.Timestamp)
    return outcome.as_of.to_pydatetime()


def versions() -> dict[str, str]:
    """What the figures were made with."""
    made_with = {name: version(name) for name in ("marketable", "pandas", "numpy")}
    return made_with | {"python": platform.python_version(), "newest edition": str(Rulebook.load().newest.date)}


def _rounded(switches: pd.DataFrame) -> pd.DataFrame:
    return switches.assign(credit=switches["credit"].round(6)).reset_index()


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows as plain data: numbers, text and truth values as Python has them, None for what is missing."""
    plain = frame.astype(object).where(frame.notna(), None)
    return [dict(zip(frame.columns, row, strict=True)) for row in plain.to_numpy().tolist()]
