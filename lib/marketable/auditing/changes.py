"""What changed between two days: who became a marketing contact and through what, who no longer is, who is new, who is
gone.

The statuses are HubSpot's own, of two exports or of one with its history; what the rules would have it is counted
beside them. A cause is what HubSpot recorded, else a form that the contact sent between the two, else it is not told.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import pandas as pd

from marketable.engine import decide
from marketable.engine.moments import local_times, moment
from marketable.errors import DataError
from marketable.exports import Export
from marketable.exports.contacts import FORMS
from marketable.exports.statuses import CAUSES
from marketable.portal.portal import Portal, checked_portal
from marketable.rulebook import MARKETING, NON_MARKETING

from .causes import called

NOT_THERE, NOT_TOLD = "not there", "not told"
KINDS = pd.CategoricalDtype([MARKETING, NON_MARKETING, NOT_TOLD, NOT_THERE])
BECAME, NO_LONGER, NEW, GONE = "became marketing", "no longer marketing", "new and marketing", "gone, were marketing"
_UNTOLD = "nothing that is told"
_EARLIEST, _LATEST = pd.Timestamp(1900, 1, 1).as_unit("us"), pd.Timestamp(2200, 1, 1).as_unit("us")
_SHOWN = 5


@dataclass(frozen=True, eq=False)
class Changes:
    """What changed between two days.

    `counts`: index what (marketing before, became marketing, no longer marketing, new and marketing, gone and were
    marketing, marketing after, each of the middle ones with its sign in the sum); columns HubSpot (its own statuses)
    and rules (what the rules would have it under the portal's switches).
    `contacts`: those that changed: contact_id, before and after (marketing, non-marketing, not told, not there), cause
    (one of `statuses.CAUSES`, missing where nothing tells it), detail (which form, workflow, import or app; of who is
    gone, why), at (missing where it is not told).
    """

    counts: pd.DataFrame
    contacts: pd.DataFrame

    def __repr__(self) -> str:
        return f"Changes: {len(self.contacts):,} contacts"

    @property
    def through(self) -> pd.Series:
        """Those that became marketing, by what made them so, as it is called: the number of contacts, most first."""
        became = self.contacts[self.contacts["before"].eq(NON_MARKETING) & self.contacts["after"].eq(MARKETING)]
        pairs = zip(became["cause"].astype("object"), became["detail"], strict=True)
        names = [_UNTOLD if pd.isna(cause) else called(str(cause), detail) for cause, detail in pairs]
        return pd.Series(names, dtype="str").value_counts().rename_axis("through").rename("contacts")

    def __str__(self) -> str:
        """The change in sentences, HubSpot's own counts first."""
        own = self.counts["HubSpot"]
        was, becomes = int(own.iloc[0]), int(own.iloc[-1])
        through = [f"{contacts:,} through {name}" for name, contacts in self.through.head(_SHOWN).items()]
        more = len(self.through) - len(through)
        by = f" ({', '.join(through)}{f', and {more:,} more' if more > 0 else ''})" if through else ""
        rules = self.counts["rules"]
        return (
            f"Marketing contacts, as HubSpot has them: {was:,} before, {becomes:,} after ({becomes - was:+,}). "
            f"{int(own[BECAME]):,} became marketing{by}, {-int(own[NO_LONGER]):,} no longer are; "
            f"{int(own[NEW]):,} are new, {-int(own[GONE]):,} are gone. "
            f"By the rules it would be {int(rules.iloc[0]):,} before and {int(rules.iloc[-1]):,} after."
        )


def changes(
    before: Export, after: Export | str | dt.date, until: str | dt.date | None = None, *, portal: Portal | None = None
) -> Changes:
    r"""What changed between two exports of one portal, or within one export with its history between two days.

    Arguments: before, an export; after, a later one, or the first day, if until is the second: then before is the one
    export, and each day counts to its end. portal, the account: by default every switch as HubSpot delivers it.
    Returns: Changes.
    Raises: DataError, where no contact stands in both exports, where the second is the older one, and where the one
    export records no change with its time.

    >>> import pathlib, tempfile
    >>> folder, header = pathlib.Path(tempfile.mkdtemp()), "Record ID,Create Date,Marketing contact status"
    >>> _ = (folder / "a.csv").write_text(header + "\n7,2025-01-01,Non-marketing contact")
    >>> _ = (folder / "b.csv").write_text(header + "\n7,2025-01-01,Marketing contact\n8,2026-10-01,Marketing contact")
    >>> from marketable.exports import read_export
    >>> changes(read_export(folder / "a.csv"), read_export(folder / "b.csv")).counts["HubSpot"].tolist()
    [0, 1, 0, 1, 0, 2]
    """
    portal = checked_portal(Portal() if portal is None else portal)
    if not isinstance(before, Export):
        raise DataError("This is no export", value=type(before).__name__, expected="what read_export returns")
    if isinstance(after, Export):
        return _of_two(before, after, portal)
    return _within(before, _end(after), _end(until) if until is not None else None, portal)


def _of_two(before: Export, after: Export, portal: Portal) -> Changes:
    if before.day and after.day and before.day > after.day:
        raise DataError(
            "The second export is older than the first", value=after.day, expected=f"a day after {before.day}"
        )
    shared = before.contacts.index.isin(after.contacts.index)
    if len(before.contacts) and len(after.contacts) and not shared.any():
        advice = "Compare two exports of one portal, of all its contacts."
        raise DataError("No contact stands in both exports", advice=advice)
    statuses = _statuses(before.contacts["status"], after.contacts["status"])
    forms = _new_forms(before, after, portal)
    causes = _causes(after, statuses, _of_day(before) or _EARLIEST, _LATEST, portal, forms)
    why = after.gone.set_index("contact_id")["why"].astype("str")
    causes["detail"] = causes["detail"].mask(
        statuses["after"].eq(NOT_THERE), pd.Series(why.reindex(causes.index).fillna(""), causes.index)
    )
    rules = _statuses(*(_by_rules(export, portal, _of_day(export)) for export in (before, after)))
    return _changes(statuses, rules, causes)


def _within(export: Export, first: pd.Timestamp, last: pd.Timestamp | None, portal: Portal) -> Changes:
    if not export.statuses["latest"].notna().any():
        raise DataError(
            "The export records no change of a status with its time",
            expected="the history of Marketing contact status, or two dated exports read together",
            advice="Ask the API for propertiesWithHistory, or compare two exports.",
        )
    last = last or _of_day(export) or _LATEST
    if last < first:
        raise DataError("The second day is before the first", value=last.date(), expected=f"a day after {first.date()}")
    statuses = _statuses(*(_as_of(export, day, portal) for day in (first, last)))
    sent = export.touches[export.touches["source"].isin(FORMS)]
    causes = _causes(export, statuses, first, last, portal, sent)
    rules = _statuses(*(_by_rules(export, portal, day) for day in (first, last)))
    return _changes(statuses, rules, causes)


def _statuses(before: pd.Series, after: pd.Series) -> pd.DataFrame:
    """By contact its status before and after; what is neither marketing nor non-marketing is not told."""
    who = before.index.union(after.index, sort=False)
    told = {}
    for name, status in (("before", before), ("after", after)):
        known = status.astype("object")
        known = known.where(known.isin([MARKETING, NON_MARKETING]), NOT_TOLD)
        told[name] = known.reindex(who).fillna(NOT_THERE).astype(KINDS)
    return pd.DataFrame(told, index=who)


def _by_rules(export: Export, portal: Portal, day: pd.Timestamp | None) -> pd.Series:
    """By contact what the rules would have it at the end of a day; those only who are there by then."""
    there = _there(export, portal, day or _LATEST)
    if not there.any():
        return pd.Series(dtype="object")
    as_of = None if day in (None, _LATEST) else str(day - pd.Timedelta(microseconds=1))
    status: pd.Series = decide(export.touches, portal, as_of=as_of).contacts["status"].reindex(there.index[there])
    return status


def _there(export: Export, portal: Portal, day: pd.Timestamp) -> pd.Series:
    """Which contacts were created before the end of a day."""
    return local_times(export.contacts["created_at"], portal.time_zone) < day


def _as_of(export: Export, day: pd.Timestamp, portal: Portal) -> pd.Series:
    """By contact the status that HubSpot had for it on a day, by what is recorded; those only who were there by then.
    Of whom no change is recorded the status has not changed.
    """
    rows = export.statuses[export.statuses["latest"].notna()]
    when = local_times(rows["at"].fillna(rows["latest"]), portal.time_zone)
    rows = rows.assign(when=when).sort_values("when", kind="stable")
    past = rows[rows["when"] < day].drop_duplicates("contact_id", keep="last").set_index("contact_id")["status"]
    ahead = rows[rows["when"] >= day].drop_duplicates("contact_id").set_index("contact_id")["status"]
    earlier = ahead.astype("object").map({MARKETING: NON_MARKETING, NON_MARKETING: MARKETING})
    now = export.contacts["status"].astype("object")
    status: pd.Series = past.astype("object").reindex(now.index).fillna(earlier.reindex(now.index)).fillna(now)
    return status[_there(export, portal, day)]


def _causes(
    export: Export,
    statuses: pd.DataFrame,
    since: pd.Timestamp,
    until: pd.Timestamp,
    portal: Portal,
    forms: pd.DataFrame,
) -> pd.DataFrame:
    """By contact what its status after came through: cause, detail, at (local time)."""
    told = export.statuses[export.statuses["cause"].notna()]
    told = told.assign(at=local_times(told["at"], portal.time_zone))
    told = told[~_outside(told["at"], since, until)].drop_duplicates("contact_id", keep="last").set_index("contact_id")
    told = told[told["status"].astype("str").eq(statuses["after"].reindex(told.index).astype("str"))]
    causes = told[["cause", "detail", "at"]].astype({"cause": "object"}).reindex(statuses.index)
    sent = forms.assign(at=local_times(forms["occurred_at"], portal.time_zone)).sort_values("at", kind="stable")
    sent = sent[~_outside(sent["at"], since, until)].drop_duplicates("contact_id").set_index("contact_id")
    sent = sent.reindex(statuses.index)
    by_form = causes["cause"].isna() & sent["at"].notna() & statuses["after"].eq(MARKETING)
    return pd.DataFrame(
        {
            "cause": causes["cause"].mask(by_form, "form"),
            "detail": causes["detail"].mask(by_form, sent["asset"].astype("object")).fillna(""),
            "at": causes["at"].mask(by_form, sent["at"]),
        }
    )


def _outside(at: pd.Series, since: pd.Timestamp, until: pd.Timestamp) -> pd.Series:
    """Which times do not lie between two days; a time that is not told may."""
    return (at < since) | (at >= until)


def _new_forms(before: Export, after: Export, portal: Portal) -> pd.DataFrame:
    """The forms of which only the second export tells."""
    forms = [export.touches[export.touches["source"].isin(FORMS)] for export in (after, before)]
    sent, known = (
        pd.MultiIndex.from_arrays(
            [form["contact_id"], local_times(form["occurred_at"], portal.time_zone), form["asset"].astype("str")]
        )
        for form in forms
    )
    return forms[0][~sent.isin(known)]


def _changes(statuses: pd.DataFrame, rules: pd.DataFrame, causes: pd.DataFrame) -> Changes:
    changed = statuses["before"].astype("str").ne(statuses["after"].astype("str"))
    changed &= statuses["before"].ne(NOT_TOLD) & statuses["after"].ne(NOT_TOLD)
    contacts = statuses[changed].join(causes).rename_axis("contact_id").reset_index()
    contacts = contacts.astype({"contact_id": "str", "cause": pd.CategoricalDtype(list(CAUSES)), "detail": "str"})
    counts = pd.DataFrame({"HubSpot": _tally(statuses), "rules": _tally(rules)}).rename_axis("what")
    return Changes(counts, contacts[["contact_id", "before", "after", "cause", "detail", "at"]])


def _tally(statuses: pd.DataFrame) -> pd.Series:
    """The counts, whose first five sum to the last."""
    was, becomes = statuses["before"], statuses["after"]
    left, entered = was.eq(MARKETING) & becomes.ne(MARKETING), was.ne(MARKETING) & becomes.eq(MARKETING)
    told = {
        "marketing before": was.eq(MARKETING),
        BECAME: entered & was.ne(NOT_THERE),
        NO_LONGER: left & becomes.ne(NOT_THERE),
        NEW: entered & was.eq(NOT_THERE),
        GONE: left & becomes.eq(NOT_THERE),
        "marketing after": becomes.eq(MARKETING),
    }
    signs = {NO_LONGER: -1, GONE: -1}
    return pd.Series({name: signs.get(name, 1) * int(holds.sum()) for name, holds in told.items()})


def _of_day(export: Export) -> pd.Timestamp | None:
    """The end of an export's day, None where it is not told."""
    return None if export.day is None else pd.Timestamp(export.day).as_unit("us") + pd.Timedelta(days=1)


def _end(day: str | dt.date) -> pd.Timestamp:
    """The end of a day."""
    _, wall = moment(day, "UTC", False)
    return pd.Timestamp(wall, unit="us").as_unit("us").normalize() + pd.Timedelta(days=1)
