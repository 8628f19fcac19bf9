"""The audit of a portal's own export: why each contact is what it is, what that says about the switches, and whom the
account pays for without need.
"""

from __future__ import annotations

import datetime as dt
import functools
import textwrap
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

import pandas as pd

from marketable.engine import Outcome, decide
from marketable.errors import DataError, UnknownNameError, in_one_line, nearest
from marketable.exports import Export
from marketable.exports.contacts import FORMS
from marketable.portal.portal import Portal, checked_portal
from marketable.portal.prices import Prices
from marketable.portal.update_dates import update_date_after
from marketable.rulebook import MARKETING, NOT_COVERED, STATUSES

from . import groups as grouping
from . import mailing as mail
from .day import ExportDay
from .evidence import Evidence, evidence
from .explanations import BY_HAND, EXPLANATIONS, explain
from .myths import myths
from .witnesses import FEWEST

SILENT_DAYS, NEVER_DAYS = 180, 30
Progress = Callable[[int, int, str], None]
_FAR = 3
_NOT_AS_TOLD = "This is inferred from the statuses of an export. Look at each in HubSpot before you rely on it."


@dataclass(frozen=True, eq=False)
class Audit:
    """What an export tells, beside what the rules expect.

    `export`, `given` (the portal as its owner describes it), `expected` and `likely` (what `decide` says under the
    given switches, and under those that the statuses show), `evidence` (what the statuses show of the switches).

    `contacts`: index contact_id; created_at, source, asset, certainty (as the export tells), expected and actual
    (status), explanation, trust (recorded: HubSpot did; H, M, assumption; inferred: follows from the other contacts;
    silent), reason.
    `silent_days`: for how long nobody is mailed who counts as not mailed for long; `never_days`: for how long a contact
    is a marketing one that counts as never mailed. `prices`: the user's price list, or None.
    """

    export: Export
    given: Portal
    expected: Outcome
    likely: Outcome
    evidence: Evidence
    contacts: pd.DataFrame
    silent_days: int = SILENT_DAYS
    prices: Prices | None = None
    never_days: int = NEVER_DAYS

    def __repr__(self) -> str:
        return f"Audit: {len(self.contacts):,} contacts, {self.marketing:,} of them marketing"

    @functools.cached_property
    def decided(self) -> pd.DataFrame:
        """The contacts of `likely` in the order of the export."""
        return self.evidence.as_exported(self.likely.contacts)

    @property
    def portal(self) -> Portal:
        """The portal with its switches and their dates as the statuses show them; the given one where they agree."""
        return self.evidence.portal

    @functools.cached_property
    def portal_text(self) -> str:
        """That portal as YAML. Before it stand, as comments, the evidence for each switch that the given one has
        otherwise, and for a day of access that it does not tell.
        """
        differing = self.switches[self.switches["differs"]]
        told = [f"{name}: {row.looks} (told: {row.portal}). {row.evidence}" for name, row in differing.iterrows()]
        told += [f"access_since: {self.remarks['access']}"] if "access" in self.remarks else []
        lines = [_NOT_AS_TOLD, *map(in_one_line, told)] if told else []
        return "".join(f"{_comment(line)}\n" for line in lines) + self.portal.text()

    @property
    def as_of(self) -> dt.datetime:
        """The last moment that the export tells of, by a touch, a mail or the day in its file's name, local time. Days
        to come do not count, unless there are no others.
        """
        return self._day.last.to_pydatetime()

    @functools.cached_property
    def _day(self) -> ExportDay:
        return ExportDay(self.export, self.given.time_zone)

    @property
    def marketing(self) -> int:
        """The marketing contacts in the export."""
        return int(self.contacts["actual"].eq(MARKETING).sum())

    @functools.cached_property
    def own(self) -> pd.DataFrame:
        """Contacts by creating source (rows) and HubSpot's own status (columns); a status that is not told stands under
        not covered.
        """
        contacts = self.export.contacts
        status = contacts["status"].astype("object").fillna(NOT_COVERED)
        return pd.crosstab(contacts["source"].astype("str"), status).reindex(columns=list(STATUSES), fill_value=0)

    @property
    def tier(self) -> int | None:
        """The marketing contacts that are paid for, where the portal tells."""
        return self.given.subscription.tier

    @property
    def waiting(self) -> int:
        """The marketing contacts that stop counting on the next update date."""
        return int((self.export.contacts["waiting"] & self.contacts["actual"].eq(MARKETING)).sum())

    @property
    def update_date(self) -> dt.date:
        """The next day on which contacts can become non-marketing."""
        return update_date_after(self.as_of.date(), self.given.subscription)

    @functools.cached_property
    def counts(self) -> pd.DataFrame:
        """Contacts by explanation and actual status: one row for each explanation that occurs; columns marketing,
        non-marketing, and all (those whose status is not told included).
        """
        table = pd.crosstab(self.contacts["explanation"], self.contacts["actual"], dropna=False)
        rows = [name for name in EXPLANATIONS if name in table.index]
        counted = table.reindex(index=rows, columns=list(STATUSES[:2]), fill_value=0)
        counted["all"] = self.contacts["explanation"].value_counts().reindex(rows)
        return counted[counted["all"] > 0].rename_axis("explanation").rename_axis(None, axis=1)

    @property
    def switches(self) -> pd.DataFrame:
        """The switches, those first that are not as the portal says.

        Index switch; source, asset, portal (what it says), looks (what the statuses say; blank where too few contacts
        show it), differs (bool), since (its last change), earliest and latest (between which that lies), contacts
        (that it alone could have made marketing since then), marketing (of these), evidence (in words).
        """
        return self.evidence.switches

    @functools.cached_property
    def by_source(self) -> pd.DataFrame:
        """By what created the contacts: source and asset; contacts, expected and actual (marketing ones), difference;
        the largest difference first.
        """
        told = self.contacts[self.contacts["actual"].notna()]
        frame = (
            told[["source", "asset"]]
            .astype("str")
            .assign(expected=told["expected"].eq(MARKETING), actual=told["actual"].eq(MARKETING))
        )
        grouped = frame.groupby(["source", "asset"])
        counted = grouped.agg(contacts=("actual", "size"), expected=("expected", "sum"), actual=("actual", "sum"))
        counted["difference"] = counted["actual"] - counted["expected"]
        return counted.sort_values("difference", key=lambda each: -each.abs(), kind="stable").reset_index()

    @functools.cached_property
    def mailing(self) -> pd.Series:
        """What becomes of the mail to each marketing contact, by contact_id: why it cannot or must not be mailed, that
        it does not answer, never mailed, not mailed for long, or mailed (see `mailing.MAILING`); blank where the export
        does not tell, or where it is too early to tell.
        """
        return self._mailing[self.contacts["actual"].eq(MARKETING)]

    @functools.cached_property
    def _mailing(self) -> pd.Series:
        decided = self.decided
        since = decided["since"].where(decided["status"].eq(MARKETING), decided["created_at"])
        last = mail.mailed(self.export, self.given.time_zone)
        return mail.mailing(self.export, since, last, pd.Timestamp(self.as_of), self.silent_days, self.never_days)

    @functools.cached_property
    def groups(self) -> pd.DataFrame:
        """The groups of marketing contacts worth acting on, the largest first; they may overlap.

        Index group; contacts, alone (of them those that are in no other group), monthly (their share of a month's
        price, where there is a price list), advice.
        """
        return grouping.table(self._members, self.given, self.prices, self.as_of.date())

    @functools.cached_property
    def in_groups(self) -> int:
        """The marketing contacts that are in any group, nobody counted twice."""
        return int(pd.concat([chosen for chosen, _ in self._members.values()], axis=1).any(axis=1).sum())

    @functools.cached_property
    def myths(self) -> pd.DataFrame:
        """What is told about marketing contacts and contradicted by these: index myth; contacts, against, answer."""
        return myths(self.export, self.contacts, self.decided["status"])

    @functools.cached_property
    def remarks(self) -> dict[str, str]:
        """What else is worth knowing: a text for each subject."""
        return dict(_remarks(self))

    def ids(self, group: str, *, addresses: bool = False) -> pd.DataFrame:
        """The contacts of a group, to import into HubSpot as a list.

        Arguments: group, a name in `groups`; addresses, whether contacts that have no usable Record ID are named by
        their e-mail; without, they are left out.
        Returns: a column Record ID, of text; with addresses also a column Email.
        Raises: UnknownNameError for a group that there is not.
        """
        if group not in self._members:
            near = nearest(group, self._members)
            raise UnknownNameError("There is no such group", value=group, nearest=near)
        chosen, _ = self._members[group]
        return self.named(chosen.index[chosen], addresses=addresses)

    def named(self, contacts: Iterable[str], *, addresses: bool = False) -> pd.DataFrame:
        """Some contacts, by contact_id, as HubSpot knows them: see `ids`."""
        ids = pd.Series(list(contacts), dtype="str")
        emails = self.export.emails.reindex(ids).fillna("").reset_index(drop=True)
        is_id = ids != emails
        if not addresses:
            return pd.DataFrame({"Record ID": ids[is_id]}).reset_index(drop=True)
        return pd.DataFrame({"Record ID": ids.where(is_id, ""), "Email": emails})

    @functools.cached_property
    def _members(self) -> dict[str, tuple[pd.Series, str]]:
        found = grouping.members(self.contacts, self._mailing, self.decided["decided_by"], self.evidence)
        return {name: (chosen, advice) for name, chosen, advice in found}


def audit(
    export: Export,
    portal: Portal | None = None,
    *,
    edition: str | dt.date | None = None,
    silent_days: int = SILENT_DAYS,
    never_days: int = NEVER_DAYS,
    prices: Prices | None = None,
    progress: Progress | None = None,
) -> Audit:
    r"""Why the contacts of an export are what they are: expected against actual status, each with one explanation.

    Arguments: export, as `read_export` reads it, with statuses; portal, the account as far as it is known: by default
    every switch as HubSpot delivers it; what it does not list is as the export's own forms have it; edition, the one to
    judge by, as for `decide`; silent_days, after how many days without a marketing e-mail a contact counts as not
    mailed for long; never_days, after how many days as a marketing contact it counts as never mailed; prices, for what
    groups of contacts cost; progress, called with the steps done, of how many, and what comes next.
    Returns: an Audit. Its `portal` has the switches as the statuses show them.
    Raises: DataError where there are no contacts, or the export tells nobody's status.

    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp(), "contacts.csv")
    >>> header = "Record ID,Create Date,Record source,Record source detail 1,Marketing contact status"
    >>> rows = [f"{number},2024-03-{number:02},Integration,Shop,Marketing contact" for number in range(1, 21)]
    >>> _ = path.write_text("\n".join([header, *rows]))
    >>> from marketable.exports import read_export
    >>> audit(read_export(path)).switches.loc["integration/Shop", ["portal", "looks"]].tolist()
    ['off', 'on']
    """
    portal = checked_portal(Portal() if portal is None else portal)
    if not isinstance(export, Export):
        raise DataError("This is no export", value=type(export).__name__, expected="what read_export returns")
    if not len(export.contacts):
        raise DataError("There is nothing to audit: no contact could be used")
    if export.contacts["status"].isna().all():
        advice = "Add the property Marketing contact status to the view in HubSpot, then export again."
        raise DataError("The export does not tell the contacts' statuses", advice=advice)
    if not export.details.index.equals(export.contacts.index):
        export = replace(export, details=export.details.reindex(export.contacts.index))
    told = Portal.model_validate({"switches": export.switches})
    portal = portal.model_copy(update={"switches": {**told.switches, **portal.switches}})
    tell = progress or (lambda done, steps, what: None)
    tell(0, 4, "what the statuses say about the switches")
    found = evidence(export, portal, edition)
    tell(1, 4, "what the rules expect")
    as_of = ExportDay(export, portal.time_zone).as_of
    expected = decide(export.touches, portal, edition=edition, as_of=as_of)
    tell(2, 4, "what they expect of the switches as they seem to have been")
    likely = expected if found.portal == portal else decide(export.touches, found.portal, edition=edition, as_of=as_of)
    tell(3, 4, "an explanation for each contact")
    contacts = explain(export, expected, likely, found)
    tell(4, 4, "done")
    return Audit(export, portal, expected, likely, found, contacts, silent_days, prices, never_days)


def _comment(line: str) -> str:
    return textwrap.fill(line, 110, initial_indent="# ", subsequent_indent="#   ", break_on_hyphens=False)


def _remarks(audit: Audit) -> Iterator[tuple[str, str]]:
    contacts, details = audit.contacts, audit.export.details
    if audit.switches["differs"].any():
        yield (
            "switches",
            "What looks like a switch can also be the work of somebody who changed all these contacts in bulk, or of a "
            "workflow: HubSpot's settings tell which it was.",
        )
    chats = contacts["source"].eq("team_email") & contacts["certainty"].eq("ambiguous") & contacts["actual"].notna()
    # But for those whom something told of made marketing.
    chats &= audit.decided["status"].ne(MARKETING)
    made = int((chats & contacts["actual"].eq(MARKETING)).sum())
    by_chance, *_ = audit.evidence.rates
    if made >= FEWEST and made > _FAR * by_chance * int(chats.sum()):
        yield (
            "live chat",
            f"Of {int(chats.sum()):,} contacts recorded as CONVERSATIONS that nothing else made marketing contacts, "
            f"{made:,} are. A team e-mail does not do that: it looks as if a live chat's switch were on. An export "
            "does not name the chat; look at the Options of each chatflow.",
        )
    if audit.evidence.access_seen:
        yield (
            "access",
            f"Of contacts whom the tools touched before {audit.evidence.access_seen} only, hardly any is marketing. "
            "It looks as if the account got marketing contacts on that day, unless somebody cleaned up then.",
        )
    to_come = int(audit._day.to_come.sum())
    if to_come:
        text = "1 date lies in the future, on" if to_come == 1 else f"{to_come:,} dates lie in the future, up to"
        last = f"{audit._day.moments.max():%Y-%m-%d}"
        yield "days to come", f"{text} {last}. The day of the export is told by the others, if there are any."
    odd = int(audit.evidence.recorded["at_odds"].sum())
    if odd:
        yield (
            "recorded otherwise",
            f"Of {odd:,} contacts HubSpot's record of the status ends with another one than the export's, so it "
            "explains nothing of them. The history and the statuses may have been copied at different times.",
        )
    unnamed = int(audit.evidence.unnamed.sum())
    if unnamed:
        yield (
            "unnamed",
            f"Of {unnamed:,} contacts the export does not tell which form, chatflow, app or import reached them, so no "
            "switch can be held to account. HubSpot has recorded that since March 2024.",
        )
    changed = int(contacts["explanation"].eq(BY_HAND).sum())
    if changed:
        text = f"{changed:,} contacts were changed by something that an export does not show."
        if "form_submissions" in details:
            touches = audit.export.touches
            told = touches.loc[touches["source"].isin(FORMS), "contact_id"].value_counts()
            by_hand = details[contacts["explanation"].eq(BY_HAND) & contacts["actual"].eq(MARKETING)]
            untold = int((by_hand["form_submissions"] > told.reindex(by_hand.index, fill_value=0)).sum())
            if untold:
                text += f" {untold:,} of them sent forms between the first and the latest one, which it does not name."
        if "status_source" not in details:
            text += " The properties Marketing contact status source type and source name would tell what did."
        yield "not shown", text
