"""What comes and what it costs, in tables and in sentences."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from marketable.portal.term import term_start
from marketable.rulebook import MARKETING, NON_MARKETING

from .account import Account
from .actions import Action, Given, actions_of
from .bill import months
from .drawing import Line
from .effects import Effects, effects
from .flow import FEWEST_WEEKS

_MONTHS = ["marketing", "tier", "price", "marketing_without", "tier_without", "price_without"]


@dataclass(frozen=True, eq=False)
class Outlook:
    """What comes: see `marketable.forecast`.

    `actions`, checked; `notes`, what to know about the numbers. `by_day`, `today`, `crossing`, `months`, `calibration`,
    `effects`, `events` and `changed` are computed when they are asked for.
    """

    account: Account
    actions: tuple[Action, ...] = ()

    def __repr__(self) -> str:
        return f"Outlook: {self}"

    def __str__(self) -> str:
        return " ".join(self.says)

    def with_actions(self, actions: Given) -> Outlook:
        """The same account with other actions. Raises: what `forecast` raises for actions."""
        changed = replace(self, actions=actions_of(actions))
        _ = changed._effects  # raises where they cannot be
        return changed

    @property
    def today(self) -> int:
        """The marketing contacts now: as HubSpot counts them where that is known, else as the rules do."""
        return int(self.account.past.marketing[-1])

    @property
    def as_of(self) -> dt.date:
        """The last day that the data tell of."""
        return self.account.past.today

    @property
    def until(self) -> dt.date:
        """The day before which the line ends: the renewal, where nothing else was asked for."""
        return self.account.until

    @functools.cached_property
    def by_day(self) -> pd.DataFrame:
        """The marketing contacts at the end of each day. Index day; marketing (up to today as it was, then the median),
        low and high (between which it is in 80 % of cases), waiting (of the marketing contacts, those who stop counting
        at the next update date). With too little history it ends today.
        """
        past, line = self.account.past, self._line
        columns = {"marketing": past.marketing, "low": past.marketing, "high": past.marketing, "waiting": past.waiting}
        known = pd.DataFrame(columns, index=past.days)
        if line is None:
            return known
        columns = {"marketing": line.median, "low": line.low, "high": line.high, "waiting": line.waiting}
        return pd.concat([known, pd.DataFrame(columns, index=self.account.ahead)])

    @property
    def past(self) -> pd.Series:
        """The marketing contacts at the end of each day up to today."""
        past = self.account.past
        return pd.Series(past.marketing, past.days, name="marketing")

    @functools.cached_property
    def crossing(self) -> pd.Series:
        """The first day over the tier: earliest, likely, latest; NaT where that is not before the end. Where it was
        over since the last renewal, all three are that day: one day over is what upgrades the bill.
        """
        nothing = pd.Series(pd.NaT, index=["earliest", "likely", "latest"], dtype="datetime64[us]")
        tier = self.account.portal.subscription.tier
        if tier is None:
            return nothing
        if self._over_since is not None:
            return nothing.fillna(pd.Timestamp(self._over_since))
        if self._line is None:
            return nothing
        for name, counts in (("earliest", self._line.high), ("likely", self._line.median), ("latest", self._line.low)):
            over = np.flatnonzero(counts > tier)
            nothing[name] = self.account.ahead[over[0]] if len(over) else pd.NaT
        return nothing

    @functools.cached_property
    def months(self) -> pd.DataFrame:
        """The bill by month, from this one to the end. Index month; marketing (after its update date), tier (billed),
        price (of the contacts beyond those that are included; of this term's days), and the same without the actions.
        """
        if self._line is None or self._without is None:
            return pd.DataFrame(columns=_MONTHS, index=pd.PeriodIndex([], freq="M", name="month"))
        subscription = self.account.portal.subscription
        tables = []
        for line in (self._line, self._without):
            days, marketing, billed = self.account.bill(line)
            table = months(days, marketing, billed, subscription)
            tables.append(table[table.index >= pd.Period(self.as_of, "M")])
        return tables[0].join(tables[1].add_suffix("_without"))

    @functools.cached_property
    def effects(self) -> pd.DataFrame:
        """What each action does alone, and all of them together, against doing nothing. Index action; marketing (more
        or fewer at the end), tier (billed at the end), price (more or less until the end).
        """
        columns = ["marketing", "tier", "price"]
        if self._line is None or self._without is None or not self.actions:
            return pd.DataFrame(columns=columns, index=pd.Index([], name="action", dtype="str"))
        chosen = [*((action,) for action in self.actions), self.actions]
        names = [*map(str, self.actions), "all together"]
        price, _, ends = self._cost(self._without)
        rows = []
        for some in chosen:
            cost, tier, at_end = self._cost(self.account.line(self._effects_of(some)))
            rows.append((at_end - ends, tier, round(cost - price, 2)))
        return pd.DataFrame(rows, columns=columns, index=pd.Index(names, name="action", dtype="str"))

    @property
    def saved(self) -> float | None:
        """What the actions save until the end (negative: what they cost more); None where no price is known."""
        if self._line is None or self._without is None:
            return None
        saved = self._cost(self._without)[0] - self._cost(self._line)[0]
        return None if np.isnan(saved) else round(saved, 2)

    @property
    def calibration(self) -> pd.DataFrame:
        """How the same forecast would have done on this account's past. Index horizon (weeks); origins (from how many
        weeks of the past), covered (the share of truths within the interval), error (median share of the truth).
        """
        return self.account.flow(self.account.past.states).calibration

    @property
    def events(self) -> pd.DataFrame:
        """What imports and bulk actions did: day, what, contacts. The line does not repeat them."""
        return self.account.past.events

    @property
    def changed(self) -> pd.DataFrame:
        """The contacts that actions name: index contact_id; action, before and after (status), from (the day on which
        it counts).
        """
        columns, ids = ["action", "before", "after", "from"], self.account.past.people().index
        found = [
            pd.DataFrame(
                {
                    "action": each.action,
                    "before": np.where(each.was, MARKETING, NON_MARKETING),
                    "after": each.after,
                    "from": pd.Timestamp(each.day),
                },
                index=ids[each.places].rename("contact_id"),
            )
            for each in self._effects.changed
        ]
        return pd.concat(found) if found else pd.DataFrame(columns=columns, index=ids[:0].rename("contact_id"))

    @functools.cached_property
    def notes(self) -> tuple[str, ...]:
        """What to know about the numbers."""
        account, notes = self.account, [*self.account.past.notes, *self._effects.notes]
        subscription = account.portal.subscription
        if account.renewal is None:
            notes.append(
                "The portal does not give the renewal, so this is about half a year, and the tier of one year."
            )
        elif subscription.renewal is not None and subscription.renewal <= self.as_of:
            notes.append(
                f"The renewal of {subscription.renewal} is over. The next one is taken to be {account.renewal}."
            )
        if account.renewal is not None and account.until > account.renewal:
            notes.append(
                f"Whether the tier is lowered at the renewal of {account.renewal} is agreed with HubSpot, so it is "
                "shown as it was before."
            )
        if account.prices is not None and subscription.tier is not None:
            if account.prices.step(subscription.hub, account.past.today) is None:
                notes.append(f"The price list has no price of {subscription.hub} for {self.as_of}.")
        elif subscription.tier is not None:
            notes.append("Without prices the tier's steps are those that HubSpot is known to have had.")
        return tuple(dict.fromkeys(notes))

    @functools.cached_property
    def _effects(self) -> Effects:
        return self._effects_of(self.actions)

    def _effects_of(self, actions: Iterable[Action]) -> Effects:
        return effects(actions, self.account.past, self.account.portal, self.account.until)

    @functools.cached_property
    def _line(self) -> Line | None:
        return self.account.line(self._effects) if self.account.enough and self.account.days > 0 else None

    @functools.cached_property
    def _without(self) -> Line | None:
        return None if self._line is None else self.account.baseline

    @functools.cached_property
    def _over_since(self) -> dt.date | None:
        """The first day over the tier in this term, up to today."""
        subscription = self.account.portal.subscription
        if subscription.tier is None:
            return None
        start = pd.Timestamp(term_start(subscription, self.as_of))
        over = self.past.index[(self.past > subscription.tier) & (self.past.index >= start)]
        return over[0].date() if len(over) else None

    @property
    def over(self) -> str:
        """That it was over the tier in this term, since when, and what that means; empty where it was not."""
        if self._over_since is None:
            return ""
        return f"It was over the tier first on {self._over_since}, and one day over upgrades the bill{self._end}."

    def _cost(self, line: Line) -> tuple[float, float, int]:
        """What the days from tomorrow on cost, the tier billed at the end, and the count then."""
        _, marketing, billed = self.account.bill(line)
        return float(billed.price[-self.account.days :].sum()), billed.tier[-1], int(marketing[-1])

    @functools.cached_property
    def says(self) -> list[str]:
        """The answer in sentences: today's count, then when the tier is crossed, then what that costs."""
        account, tier = self.account, self.account.portal.subscription.tier
        counted = " as HubSpot counts them" if account.past.audit is not None else ""
        text = f"{self.today:,} marketing contact{'s' * (self.today != 1)} on {self.as_of}{counted}"
        if tier is None:
            said = [f"{text}. The portal gives no tier to hold this against."]
        elif self.today > tier:
            said = [f"{text}, {self.today - tier:,} over the tier of {tier:,}."]
        elif self.today == tier:
            said = [f"{text}, exactly the tier."]
        else:
            said = [f"{text}, {tier - self.today:,} below the tier of {tier:,}."]
        if self.over:
            said.append(self.over)
        if self._line is None:
            weeks = f"{account.weeks} whole week{'' if account.weeks == 1 else 's'}"
            reason = f"A history of {weeks} is too short to say what comes; {FEWEST_WEEKS} weeks are needed."
            return [*said, reason if account.days > 0 else "No day lies ahead."]
        if tier is None:
            last = self.by_day.iloc[-1]
            said.append(f"Before {self.until} it will be about {last.marketing:,} ({last.low:,} to {last.high:,}).")
            return said
        if self._over_since is None:
            said.append(self._crossing_said)
        said += self._cost_said
        return said

    @property
    def _end(self) -> str:
        return "" if self.account.renewal is None else f" until the renewal on {self.account.renewal}"

    @property
    def _crossing_said(self) -> str:
        earliest, likely, latest = (None if pd.isna(day) else day.date() for day in self.crossing)
        if likely is not None:
            if earliest == latest:
                return f"It is to cross the tier on {likely}."
            to = f"and {latest}" if latest is not None else f"and {self.until}, if at all"
            return f"It is likely to cross the tier on {likely} (between {earliest} {to})."
        if earliest is not None:
            return f"It is not likely to cross the tier before {self.until}; it could, from {earliest} on."
        return f"It will not cross the tier before {self.until}, as far as can be said."

    @property
    def _cost_said(self) -> list[str]:
        assert self._line is not None and self._without is not None
        cost, tier, _ = self._cost(self._line)
        said = []
        if tier != self.account.portal.subscription.tier:
            then = "Then" if self._over_since is None else "So"
            said.append(f"{then} {int(tier):,} contacts are billed{self._end}.")
            if self._money(cost):
                said.append(f"Until then the contacts beyond the included ones cost {self._money(cost)}.")
        if self.actions:
            without, its_tier, ends = self._cost(self._without)
            difference, saved = int(self._line.median[-1]) - ends, self._money(abs(cost - without))
            more = "more" if difference >= 0 else "fewer"
            text = f"With what is planned there are {abs(difference):,} {more} at the end"
            if tier != its_tier:
                text += f", and {int(tier):,} instead of {int(its_tier):,} are billed"
            if saved and round(abs(cost - without), 2):
                text += f"; that {'costs' if cost > without else 'saves'} {saved}"
            said.append(text + ".")
        return said

    def _money(self, amount: float) -> str:
        prices = self.account.prices
        return "" if prices is None or np.isnan(amount) else f"{amount:,.2f} {prices.currency}"
