"""What is open, and what follows from it: the one place from which every page takes its numbers.

Where HubSpot's own statuses are known, every count stands on them. What flips would have changed is what the rules say
of it, tool by tool, on top of that count; the rules' own count is told once, beside it.
"""

from __future__ import annotations

import datetime as dt
import functools
import zoneinfo
from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd

from marketable.auditing import Audit, ExportDay, audit
from marketable.engine import Outcome, decide
from marketable.errors import MarketableError, PortalError
from marketable.exports.opening import Opened
from marketable.forecasting import Advice, Outlook, advise, forecast
from marketable.forecasting.bill import check_tier
from marketable.portal.portal import Flip, Portal
from marketable.portal.prices import Prices
from marketable.portal.term import term_start
from marketable.portal.update_dates import update_date_after
from marketable.rulebook import MARKETING, NON_MARKETING, STATUSES, Rule, Rulebook
from marketable.views import pieces, words
from marketable.what_if import WhatIf

from .telling import by_rule

Flips = Mapping[str, Flip]
_MOST = 3  # tools that are named
_NOT_OVER = (
    "As far as the export shows, the account was not over its tier of {tier:,} since {day}. The export does not show "
    "who stopped being a marketing contact before it was made."
)


@dataclass(frozen=True, eq=False)
class Basis:
    """Data, judged by an account: `opened`, `portal`, `prices`, and the `edition` of the rules (None: each day's own).

    The rest is computed when it is asked for: `what_if`, `baseline` (what `decide` says), `audit` (None where the data
    give no statuses), `outlook`, and by flips `outcome`, `by_source`, `counts` and `by_day`.
    """

    opened: Opened
    portal: Portal
    prices: Prices | None = None
    edition: str | None = None
    _decided: dict[str, Outcome] = field(default_factory=dict)
    _sources: dict[str, pd.DataFrame] = field(default_factory=dict)
    _advised: dict[int, Advice] = field(default_factory=dict)

    @functools.cached_property
    def what_if(self) -> WhatIf:
        return WhatIf(self.opened.touches, self.portal, edition=self.edition, as_of=self._until)

    @functools.cached_property
    def baseline(self) -> Outcome:
        if self.audit is not None:
            return self.audit.expected
        return decide(self.opened.touches, self.portal, edition=self.edition, as_of=self._until)

    @functools.cached_property
    def rules(self) -> dict[str, Rule]:
        """The rules that hold at the end of the data, by tool."""
        rulebook, as_of = Rulebook.load(), self.baseline.as_of
        return dict(rulebook.on(self.edition or (rulebook.newest.date if pd.isna(as_of) else as_of)))

    @functools.cached_property
    def audit(self) -> Audit | None:
        export = self.opened.export
        if export is None or export.contacts["status"].isna().all():
            return None
        return audit(export, self.portal, edition=self.edition, prices=self._money[0])

    @functools.cached_property
    def outlook(self) -> Outlook | MarketableError:
        """What comes; where nothing can be said, why."""
        try:
            source = self.opened.touches if self.audit is None else self.audit
            return forecast(source, self.portal, self._money[0])
        except MarketableError as fault:
            return fault

    @functools.cached_property
    def _money(self) -> tuple[Prices | None, str]:
        """The prices; where they do not fit the tier none, and why: the counts and what to do stand without them."""
        try:
            last = self.opened.touches["occurred_at"].max()
            check_tier(self.portal.subscription, self.prices, dt.date.today() if pd.isna(last) else last.date())
        except PortalError as fault:
            return None, f"Nothing is said in money. {fault.problem}: {fault.value:,}. {fault.advice}"
        return self.prices, ""

    @property
    def no_money(self) -> str:
        """Why nothing is said in money; blank where it is."""
        if self.prices is not None:
            return self._money[1]
        return "What it saves is not known: enter under Change what a block of contacts costs a month, or a price list."

    def advice(self, limit: int) -> Advice:
        """What to do to stay within a limit. Raises: what `advise` raises."""
        if limit not in self._advised:
            assert self.audit is not None
            self._advised[limit] = advise(self.audit, limit, portal=self.portal, prices=self._money[0])
        return self._advised[limit]

    @functools.cached_property
    def _until(self) -> pd.Timestamp | None:
        """The instant up to which everything here is decided: the export's own, or that of the last touch (None)."""
        export = self.opened.export
        return None if export is None else ExportDay(export, self.portal.time_zone).as_of

    @property
    def tier(self) -> int | None:
        return self.portal.subscription.tier

    @functools.cached_property
    def as_of(self) -> dt.date | None:
        """The day that everything is told of: the last in the data."""
        if self.audit is not None:
            return self.audit.as_of.date()
        return None if pd.isna(self.baseline.as_of) else self.baseline.as_of.date()

    @property
    def today(self) -> dt.date:
        """The account's day, which may be long after the last in the data."""
        return dt.datetime.now(zoneinfo.ZoneInfo(self.portal.time_zone)).date()

    @property
    def counts_until(self) -> dt.date:
        """Until when somebody counts who is set as non-marketing today, which may be long after the data."""
        return update_date_after(max(self.today, self.as_of or self.today), self.portal.subscription)

    @property
    def term(self) -> dt.date | None:
        """The last renewal: one day over the tier since then upgraded the bill."""
        return None if self.as_of is None else term_start(self.portal.subscription, self.as_of)

    @functools.cached_property
    def switches(self) -> dict[str, bool]:
        """The switches as the account has them at the end."""
        return {str(name): bool(on) for name, on in self.what_if.switches["on"].items()}

    def outcome(self, flips: Flips) -> Outcome:
        """What `decide` says with some switches flipped."""
        if not flips:
            return self.baseline
        key = repr(sorted(flips.items()))
        if key not in self._decided:
            self._decided.clear()
            changed = self.portal.with_switches(flips)
            self._decided[key] = decide(self.opened.touches, changed, edition=self.edition, as_of=self._until)
        return self._decided[key]

    @functools.cached_property
    def own(self) -> pd.DataFrame:
        """Contacts by what created them and by status, without a flip."""
        if self.audit is None:
            return self.what_if.by("source")
        table = self.audit.own
        return table.loc[table.sum(axis=1).sort_values(ascending=False, kind="stable").index]

    def by_source(self, flips: Flips) -> pd.DataFrame:
        """The same with some switches flipped."""
        if not flips:
            return self.own
        key = repr(sorted(flips.items()))
        if key not in self._sources:
            self._sources.clear()
            self._sources[key] = self._by_source(flips)
        return self._sources[key]

    def _by_source(self, flips: Flips) -> pd.DataFrame:
        after = self.what_if.by("source", flips)
        if self.audit is None:
            return after
        change = after[MARKETING].sub(self.what_if.by("source")[MARKETING], fill_value=0)
        now = self.own.copy()
        moved = change.reindex(now.index, fill_value=0).clip(-now[MARKETING], now[NON_MARKETING]).astype(int)
        now[MARKETING] += moved
        now[NON_MARKETING] -= moved
        return now

    def counts(self, flips: Flips) -> pd.Series:
        """Contacts by status."""
        return self.by_source(flips)[list(STATUSES)].sum()

    @functools.cached_property
    def past(self) -> pd.Series:
        """The marketing contacts at the end of each day, without a flip."""
        if self.audit is None or isinstance(self.outlook, MarketableError):
            return self.baseline.by_day()
        return self.outlook.past

    def by_day(self, flips: Flips) -> pd.Series:
        """The same with some switches flipped; it ends at what `counts` says."""
        if not flips or self.audit is None:
            return self.past if not flips else self.outcome(flips).by_day()
        change = self.outcome(flips).by_day().sub(self.baseline.by_day(), fill_value=0)
        now = (self.past + change.reindex(self.past.index).ffill().fillna(0)).clip(lower=0).round().astype(int)
        if len(now):
            now.iloc[-1] = self.counts(flips)[MARKETING]
        return now

    # ---- in words ----

    def headline(self, flips: Flips) -> str:
        """The sentence that everything hangs on."""
        now, before = self.counts(flips), self.counts({})
        if self.audit is None:
            if not self.opened.names_tools:
                return "The file says neither who is a marketing contact nor what created the contacts."
            verb = "contact is" if before.sum() == 1 else "contacts are"
            text = f"{before[MARKETING]:,} of {before.sum():,} {verb} marketing"
        else:
            text = f"HubSpot counts {before[MARKETING]:,} of {words.many(int(before.sum()), 'contact')} as marketing"
        if flips:
            text += f"; with these flips {now[MARKETING]:,}, {words.change(int(now[MARKETING] - before[MARKETING]))}"
        return text + (f"; {words.against_tier(int(now[MARKETING]), self.tier)}." if self.tier else ".")

    def beside(self, flips: Flips) -> list[str]:
        """Smaller sentences below it."""
        said = []
        if self.audit is not None and self.opened.names_tools:
            are = "is" if self.explained == 1 else "are"
            said.append(f"{self.explained:,} of them {are} so by the rules and this account's switches.")
        if self.audit is None and self.opened.names_tools:
            said.append(words.uncovered(self.counts(flips)))
        if not flips and self.prices is not None and not isinstance(self.outlook, MarketableError):
            said += [words.dated(each) for each in self.outlook.says[1:]]
        said.append(self._money[1])
        lacks = [text for name, text in self.opened.understood.items() if name.startswith("no ")]
        return [*filter(None, said), *lacks]

    def why_so_many(self, flips: Flips) -> list[str]:
        """Whether the account has been over its tier in this term, where that is not said beside the headline, and what
        created most of its marketing contacts.
        """
        said, beside = [], self.beside(flips)
        if self.tier is not None and self.term is not None and not isinstance(self.outlook, MarketableError):
            over = words.dated(self.outlook.over) or _NOT_OVER.format(tier=self.tier, day=words.day(self.term))
            said += [over] if over not in beside else []
        most = self.own[MARKETING].nlargest(_MOST)
        tools = [f"{pieces.called(str(name), self.rules)} ({count:,})" for name, count in most[most > 0].items()]
        if tools:
            said.append(f"What created the most of today's marketing contacts: {', '.join(tools)}.")
        return said

    @property
    def explained(self) -> int:
        """The marketing contacts that are so by the rules under the account's switches."""
        assert self.audit is not None
        return by_rule(self.audit.counts)
