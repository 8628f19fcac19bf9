"""What to do today so that the account stays within its tier until the renewal, at the least loss.

First those who cannot be mailed are set as non-marketing, then those who never were, who were not for long, and who do
not answer, only as many as are needed. Where that is not enough, switches are turned off, as few as will do.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from marketable.auditing import mailing as mail
from marketable.auditing.audit import Audit, audit
from marketable.errors import DataError
from marketable.exports import Export
from marketable.portal.portal import Portal, split
from marketable.portal.update_dates import update_date_after
from marketable.rulebook import MARKETING, Rulebook

from .actions import Given
from .forecast import forecast
from .outlook import Outlook

_LOSS = {
    mail.NO_ADDRESS: "no mail can go to them",
    mail.INVALID: "no mail can reach them",
    mail.BOUNCED: "mail to them comes back",
    mail.QUARANTINED: "HubSpot holds back the mail to them",
    mail.UNSUBSCRIBED: "they have opted out of all e-mail",
    mail.OPTED_OUT: "they have opted out of marketing e-mail",
    mail.UNCONFIRMED: "they have not confirmed that they want mail",
    mail.NEVER: "they have never got a marketing e-mail",
    mail.SILENT: "they have not got one for long",
    mail.UNENGAGED: "they have not answered one for long",
}
_NARROW = 0.1  # of the limit: who aims at less, to be surer, loses little
GROUPS = tuple(_LOSS)
"""The groups of an audit that are set as non-marketing, the least loss first."""
_HOW = (
    "Import the file into HubSpot as a list, the contacts known by Record ID, and leave the import's box for marketing "
    "contacts unticked; then open the list, choose all, More > Set as non-marketing contacts."
)


@dataclass(frozen=True, eq=False)
class Advice:
    """What to do, in order; see `marketable.advise`.

    `limit`, within which to stay. `steps`: index step (from 1); what, contacts (who are set as non-marketing; 0 for a
    switch), counts_from (the day), fewer (at the end, by this step), monthly (of these, their share of a month's price;
    missing without a price), how (where to click). `outlook` and `effect`: what comes with these steps, and what each
    of them and all together change, what is planned anyway included. `text`: the advice in sentences; of these `why`
    says where it stands and what is likely without the steps and with them, and `money` what they save (blank without
    prices).
    """

    limit: int
    steps: pd.DataFrame
    outlook: Outlook
    text: str
    why: str
    money: str
    _chosen: list[list[str]]
    _audit: Audit

    def __str__(self) -> str:
        return self.text

    @property
    def effect(self) -> pd.DataFrame:
        return self.outlook.effects

    def ids(self, step: int, *, addresses: bool = False) -> pd.DataFrame:
        """The contacts of a step, to import into HubSpot as a list: see `Audit.ids`.

        Raises: DataError for a step that there is not, or that turns a switch.
        """
        if step not in self.steps.index or not self._chosen[step - 1]:
            steps = [str(number) for number, chosen in enumerate(self._chosen, 1) if chosen]
            raise DataError("No step of this number names contacts", value=step, expected=", ".join(steps) or "no step")
        return self._audit.named(self._chosen[step - 1], addresses=addresses)


def advise(
    source: Audit | Export,
    limit: int | None = None,
    *,
    portal: Portal | None = None,
    prices: Any = None,
    actions: Given = (),
    until: str | dt.date | None = None,
) -> Advice:
    """What to do today to stay within the tier until the renewal.

    Arguments: source, an Audit (or an Export, which is audited first); limit, how many marketing contacts there may be:
    by default the tier; actions, what is planned anyway; portal, prices, until: as for `forecast`.
    Returns: an Advice. Where the tier was crossed in this term already, the bill stays until the renewal, and the
    advice is to be within the limit by then.
    Raises: DataError where there is no limit, or where the history is too short to say what comes; what `forecast`
    raises.
    """
    found = audit(source, portal) if isinstance(source, Export) else source
    if not isinstance(found, Audit):
        raise DataError("This is no audit", value=type(source).__name__, expected="what audit or read_export returns")
    without = forecast(found, portal, prices, actions, until)
    tier = without.account.portal.subscription.tier
    limit = tier if limit is None else limit
    if not isinstance(limit, (int, np.integer)) or isinstance(limit, bool) or limit < 0:
        advice = "Give limit=, or the tier in the portal's subscription."
        raise DataError("There is no limit to stay within", value=limit, expected="a number of contacts", advice=advice)
    if not without.account.enough or without.account.days < 1:
        raise DataError(f"Nothing can be advised. {without}")
    return _Search(found, without, int(limit)).advice()


class _Step(NamedTuple):
    """What to do, in words and as an action, and the contacts that it names."""

    action: dict[str, Any]
    what: str
    how: str
    ids: list[str]


class _Search:
    """The steps found so far, and what comes with them."""

    def __init__(self, audit: Audit, without: Outlook, limit: int) -> None:
        self.audit, self.without, self.limit = audit, without, limit
        self.today = without.as_of
        self.due = update_date_after(self.today, without.account.portal.subscription)
        self.is_upgraded = bool(without.crossing["likely"] < pd.Timestamp(self.due))
        # Over already, the bill stays until the renewal: what counts is to be within the limit then.
        self.at_end = self.is_upgraded or without.today > limit
        self.steps: list[_Step] = []

    @property
    def actions(self) -> list[dict[str, Any]]:
        return [step.action for step in self.steps]

    def advice(self) -> Advice:
        for group, ids in self._groups():
            missing = self._missing(self.actions)
            if missing > 0:
                self.steps.append(self._set_non_marketing(group, ids[:missing]))
        self.steps += [self._turn_off(switch) for switch in self._switches()]
        outlook = self._with(self.actions)
        doing, why, money = (" ".join(said) for said in (self._doing(), self._why(outlook), self._money(outlook)))
        text, chosen = " ".join(filter(None, (doing, why, money))), [step.ids for step in self.steps]
        return Advice(self.limit, self._table(outlook), outlook, text, why, money, chosen, self.audit)

    def _with(self, actions: list[dict[str, Any]]) -> Outlook:
        return self.without.with_actions([*self.without.actions, *actions])

    def _missing(self, actions: list[dict[str, Any]]) -> int:
        """How many are still too many: at the end, or at the most from the first update date on."""
        line = self._with(actions).by_day["marketing"]
        counted = line.iloc[-1:] if self.at_end else line[pd.Timestamp(self.due) :]
        return int(counted.max()) - self.limit if len(counted) else 0

    def _groups(self) -> Iterator[tuple[str, list[str]]]:
        """The contacts of each group, those first who were silent, or there, the longest."""
        contacts = self.audit.export.contacts
        last = mail.mailed(self.audit.export, self.audit.given.time_zone)
        people = pd.DataFrame({"last": last, "since": self.audit.decided["created_at"]})
        people = people[contacts["status"].eq(MARKETING)].assign(mailing=self.audit.mailing.array)
        people = people[~contacts["waiting"].reindex(people.index)]
        people = people.sort_values(["last", "since"], na_position="first")
        for group in GROUPS:
            ids = people.index[people["mailing"].eq(group)].tolist()
            if ids:
                yield group, ids

    def _set_non_marketing(self, group: str, ids: list[str]) -> _Step:
        many = "1 contact" if len(ids) == 1 else f"{len(ids):,} contacts"
        what = f"Set {many} as non-marketing ({group}): {_LOSS[group]}."
        return _Step({"on": self.today, "set_non_marketing": ids}, what, _HOW, ids)

    def _switches(self) -> list[str]:
        """The switches to turn off: the one that does the least more than is needed, else the largest ones."""
        states = self.without.account.past.states
        left = {name for name, on in states.items() if on}
        found: list[str] = []
        missing = self._missing(self.actions)
        while missing > 0 and left:
            off = [self._off(name) for name in found]
            saves = {name: missing - self._missing([*self.actions, *off, self._off(name)]) for name in sorted(left)}
            enough = [name for name in saves if saves[name] >= missing]
            name = min(enough, key=saves.__getitem__) if enough else max(saves, key=saves.__getitem__)
            if saves[name] <= 0:
                break
            found.append(name)
            left.remove(name)
            missing -= saves[name]
        return found

    def _off(self, switch: str) -> dict[str, Any]:
        return {"on": self.today, "switch": switch, "turn": False}

    def _turn_off(self, switch: str) -> _Step:
        source, asset = split(switch)
        rule = Rulebook.load().newest[source]
        what = f"Turn off {asset or rule.name} ({rule.one})."
        return _Step(self._off(switch), what, f"The switch is here: {rule.where}.", [])

    def _table(self, outlook: Outlook) -> pd.DataFrame:
        account = outlook.account
        # Actions stand by day, those of one day in the order in which they were given; so do their effects.
        before = sum(action.on <= self.today for action in self.without.actions)
        fewer = [-int(each) for each in outlook.effects["marketing"].iloc[before : before + len(self.steps)]]
        hub, prices = account.portal.subscription.hub, account.prices
        monthly = [None if prices is None else prices.of(each, hub, self.today) for each in fewer]
        tomorrow = self.today + dt.timedelta(days=1)
        return pd.DataFrame(
            {
                "what": pd.array([step.what for step in self.steps], dtype="str"),
                "contacts": [len(step.ids) for step in self.steps],
                "counts_from": pd.to_datetime([self.due if step.ids else tomorrow for step in self.steps]),
                "fewer": pd.array(fewer, dtype="int64"),
                "monthly": pd.array(monthly, dtype="float64"),
                "how": pd.array([step.how for step in self.steps], dtype="str"),
            },
            index=pd.RangeIndex(1, len(self.steps) + 1, name="step"),
        )

    def _doing(self) -> Iterator[str]:
        yield from (f"{number}. {step.what}" for number, step in enumerate(self.steps, 1))
        if any(step.ids for step in self.steps):
            yield f"Who is set as non-marketing on {self.today} counts until {self.due}."

    def _why(self, outlook: Outlook) -> Iterator[str]:
        """Where it stands, and what is likely without the steps and with them."""
        limit, until, missing = f"{self.limit:,}", outlook.until, self._missing(self.actions)
        over = self.without.today - self.limit
        if not self.steps and missing <= 0:
            stay = f"be within {limit} on" if over > 0 else f"stay within {limit} until"
            yield f"There is nothing to do: it is likely to {stay} {until}."
            return
        if over > 0:
            yield f"It is {over:,} over {limit}."
        if self.is_upgraded:
            day, renewal = self.without.crossing["likely"].date(), self.without.account.renewal
            to_come = f"It is likely to cross the tier on {day}, before anybody can stop counting"
            crosses = f"It crossed the tier on {day}" if day <= self.today else to_come
            yield f"{crosses}, and an upgrade stays{'' if renewal is None else ' until the renewal'}."
        without, last = int(self.without.by_day["marketing"].iloc[-1]), outlook.by_day.iloc[-1]
        if self.steps:
            stays = "" if self.at_end or missing > 0 else f"it is likely to stay within {limit}: "
            yield f"Without these steps {without:,} are likely on {until}; with them {stays}{last.marketing:,},"
            yield f"and in one of ten cases more than {last.high:,}."
        if missing > 0:
            remain = f"That is not enough: {missing:,} more than {limit} remain."
            yield remain if self.steps else f"No step is known, and {missing:,} more than {limit} are likely."
            yield "Nobody else is known who is not mailed, and no other switch would help; mail fewer people, or take"
            yield "the next step of the tier."
        elif (spread := int(last.high - last.marketing)) > _NARROW * self.limit:
            yield "So far ahead that is unsure: look again each month."
        else:
            yield f"To be within {limit} in nine of ten cases, aim at {self.limit - spread:,}."

    def _money(self, outlook: Outlook) -> Iterator[str]:
        """What the steps save until the renewal, and what the tier that is needed then costs less, if that is known."""
        account = outlook.account
        saved = None if outlook.saved is None else round(outlook.saved - (self.without.saved or 0), 2)
        if saves := self.actions and saved is not None and saved > 0:
            assert account.prices is not None
            yield f"That saves {saved:,.2f} {account.prices.currency} until {outlook.until}."
        if not self.actions and self._missing([]) <= 0:
            return
        prices, hub, tier = account.prices, account.portal.subscription.hub, account.portal.subscription.tier
        step = None if prices is None else prices.step(hub, account.until)
        if prices is None or step is None or tier is None or outlook.until != account.renewal:
            return
        included = tier if step.included is None else step.included
        now, then = (int(each.by_day["marketing"].iloc[-1]) for each in (self.without, outlook))
        before, after = (math.ceil(max(each - included, 0) / step.contacts) * step.monthly for each in (now, then))
        if after < before:
            if not saves:
                yield f"Until the renewal that saves nothing{', as an upgrade stays' * self.is_upgraded}."
            yield (
                f"From the renewal on {then:,} contacts cost {before - after:,.2f} {prices.currency} a month less than "
                f"{now:,} would, if the tier is agreed with HubSpot before."
            )
