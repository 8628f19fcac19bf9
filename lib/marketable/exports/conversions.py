"""The forms that contacts sent after they were created: what First and Recent Conversion tell, the list of all form
submissions between them, or a table of submissions.

A submission within five minutes of a creation by the same form, or dated before it, is that creation, told a second
time. Nothing goes before the creation: what is dated before it (by seconds, as dates without a time, or by another
contact that was merged into this one) happened to the contact when it was created.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from marketable.reading.dates import instants, of_one_kind, read_dates, time_faults
from marketable.reading.tables import FilePath, first_faults, no_column, raise_first, read_table, rejected_rows, without
from marketable.reading.touches import SOURCE_NAMES

from .contacts import CONVERSIONS, FORMS
from .sources import RecordedSource, folded, form_name, tool_of_conversion

SAME_MOMENT = pd.Timedelta(minutes=5)
CLEAR_MAJORITY = 0.9
_ZONES = pd.Timedelta(hours=14)  # the furthest that local time lies from UTC
Sources = tuple[RecordedSource, ...]


def conversions_of(
    contacts: pd.DataFrame, sources: Sources, names: Mapping[str, str]
) -> tuple[pd.DataFrame, dict[str, str], dict[str, str]]:
    """The touches that First and Recent Conversion tell of, and those that are listed between them.

    Arguments: contacts, numbered from 0, with the conversions and their times, and `submissions` where the file lists
    them; sources, entries for recorded sources; names, of forms by form_id.
    Returns: contact (its number), occurred_at, source, asset; names of forms by form_id, those learned among them; and
    notes on what is not told.
    """
    by_form = contacts["source"].isin(FORMS)
    known = set(contacts["asset"][by_form].unique()) - {""}
    parts: list[pd.DataFrame] = []
    undated = 0
    for fact in CONVERSIONS:
        occurred_at = contacts[f"{fact}_at"]
        named = (contacts[fact] != "").to_numpy()
        told = named & occurred_at.notna().to_numpy()
        undated += int((named & ~told).sum())
        if told.any() or not parts:
            forms = {value: form_name(value, known) for value in contacts[fact][told].unique()}
            parts.append(_as_told(np.flatnonzero(told), occurred_at[told], contacts[fact][told], forms, sources))
    notes = {"undated": f"{undated:,} conversions have no date and are left out" if undated else ""}
    if "submissions" in contacts:
        listed, learned, unread = _listed(contacts, known)
        names = learned | dict(names)
        forms = {form: names.get(form, form) for form in listed["form_id"].unique()}
        if len(listed):
            contact = listed["contact"].to_numpy()
            parts.append(_as_told(contact, listed["occurred_at"], listed["form_id"], forms, sources))
        notes["submissions not read"] = f"{unread:,} listed form submissions have no form or no time" if unread else ""
    conversions = pd.concat(parts)
    conversions["occurred_at"] = of_one_kind(conversions["occurred_at"])
    conversions = conversions.drop_duplicates().sort_values("contact", kind="stable", ignore_index=True)
    if "form_submissions" in contacts:
        told_of = np.bincount(conversions["contact"].to_numpy(), minlength=len(contacts))
        silent = (contacts["form_submissions"].to_numpy() - told_of).clip(min=0).sum()
        between = "between the first and the latest of a contact"
        which = between if len(conversions) else "without First and Recent Conversion, which would name some"
        notes["not told"] = f"{silent:,.0f} form submissions {which}" if silent else ""
    return conversions, dict(names), {name: note for name, note in notes.items() if note}


def _listed(contacts: pd.DataFrame, known: set[str]) -> tuple[pd.DataFrame, dict[str, str], int]:
    """The submissions that lists like "form-a::1738400400000;form-b::1743498000000" tell of, without those that are the
    First or the Recent Conversion; names of forms, which these two name; and how many could not be read.

    The lists' times are in UTC. Where the others are the account's local time, the two conversions tell how far that
    lies from it.
    """
    cells = contacts["submissions"]
    items = cells[cells != ""].str.split(";").explode().str.strip()
    if not (items != "").any():
        return pd.DataFrame(columns=["contact", "form_id", "occurred_at"]), {}, 0
    parts = items[items != ""].str.rpartition("::")
    milliseconds = pd.to_numeric(parts[2].where(parts[2].str.fullmatch(r"\d{12,13}")), errors="coerce")
    listed = pd.DataFrame({"contact": parts.index, "form_id": parts[0].array, "at": milliseconds.array})
    is_read = listed["at"].notna() & (listed["form_id"] != "")
    unread = int((~is_read).sum())
    listed = listed[is_read].sort_values(["contact", "at"], ignore_index=True)
    listed["at"] = pd.to_datetime(listed["at"].astype("int64"), unit="ms", utc=True)
    local = not isinstance(contacts["created_at"].dtype, pd.DatetimeTZDtype) and contacts["created_at"].dtype != object
    ahead = pd.Series(pd.NaT, listed.index, dtype="timedelta64[us]")
    named = []
    ends = (~listed["contact"].duplicated(), ~listed["contact"].duplicated(keep="last"))
    for fact, end in zip(CONVERSIONS, ends, strict=True):
        of = contacts.loc[listed["contact"][end], [fact, f"{fact}_at"]].set_axis(listed.index[end])
        apart = instants(of[f"{fact}_at"]) - listed["at"][end]
        is_it = apart.abs() <= (_ZONES if local else SAME_MOMENT)
        ahead = ahead.fillna(apart[is_it].reindex(listed.index).astype("timedelta64[us]"))
        named.append(of[fact][is_it].astype("str"))
    names = pd.concat(named)
    names = names[names != ""]
    forms = names.map({text: form_name(text, known) for text in names.unique()})
    learned = _clear(forms.groupby(listed["form_id"][forms.index].array))
    between = listed[ahead.isna()].copy()
    if local:
        shift = ahead.groupby(listed["contact"]).first().reindex(between["contact"]).fillna(ahead.median())
        between["at"] = between["at"].dt.tz_localize(None) + shift.fillna(pd.Timedelta(0)).set_axis(between.index)
    return between.rename(columns={"at": "occurred_at"}), learned, unread


def _clear(named: Any) -> dict[str, str]:
    """By form_id the name that a clear majority has. Arguments: named, names grouped by form_id."""
    shares = named.value_counts(normalize=True)
    return dict(shares[shares >= CLEAR_MAJORITY].index.tolist())


def submissions_of_contacts(
    path: FilePath,
    forms: Mapping[str, str] | FilePath | None,
    contacts: pd.DataFrame,
    sources: Sources,
    known: Mapping[str, str],
    merged: Mapping[str, str],
    *,
    strict: bool,
) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, str], dict[str, str]]:
    """The touches that a table of submissions tells of (as `conversions_of` has them), its rejected rows, names of
    forms by form_id, and notes. Arguments: known, such names; merged, contacts that others have absorbed, and these.
    """
    table = read_table(path)
    cells = _needed(table.frame, ("contact_id", "timestamp", "form_id"), path)
    contact_id, form_id = cells["contact_id"], cells["form_id"]
    occurred_at = read_dates({"timestamp": cells["timestamp"]}, file=path).times["timestamp"]
    sent_by = contact_id.map({who: merged.get(who, who) for who in contact_id.unique()}) if merged else contact_id
    contact = pd.Series(pd.Index(contacts["contact_id"]).get_indexer(pd.Index(sent_by)), cells.index)
    rejected = first_faults(
        table.rejected,
        rejected_rows(contact_id[contact < 0], "contact_id", "No contact that was read has this id"),
        time_faults(cells["timestamp"], occurred_at, "timestamp"),
        rejected_rows(form_id[form_id == ""], "form_id", "The form is missing"),
    )
    if strict:
        raise_first(rejected, path)
    used = without(pd.DataFrame({"contact": contact, "occurred_at": occurred_at, "form_id": form_id}), rejected)
    names = _learned_names(used, contacts) | dict(known) | _given_names(forms)
    named = {form: names.get(form, form) for form in used["form_id"].unique()}
    told = _as_told(used["contact"].to_numpy(), used["occurred_at"], used["form_id"], named, sources)
    notes = {
        "submissions": f"{table.rows_read:,} read, {len(told):,} used; First and Recent Conversion are left aside",
        "forms": f"{form_id.nunique():,} in the submissions, {len(names.keys() & set(form_id.unique())):,} with a name",
    }
    return told, rejected.assign(reason=f"{Path(path).name}: " + rejected["reason"]), names, notes


def apart_from_creations(
    contacts: pd.DataFrame, told: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, str]]:
    """The contacts, the touches that are not the creation itself, told a second time, and a note on those dated before.

    Where HubSpot recorded that a form created the contact but not which, the form sent nearest to that moment is taken:
    within five minutes of it, or before.
    """
    if not len(told):
        return contacts, told, {}
    after = _after_creation(told, contacts)
    near = told[after <= SAME_MOMENT]
    nearest_first = after[near.index].abs().sort_values(kind="stable").index
    sent = near.loc[nearest_first]
    sent = sent[sent["source"].isin(FORMS)].drop_duplicates("contact").set_index("contact")
    unnamed = contacts["source"].isin(FORMS) & (contacts["asset"] == "") & contacts.index.isin(sent.index)
    if unnamed.any():
        contacts = contacts.copy()
        for name in ("source", "asset"):
            contacts.loc[unnamed, name] = sent.loc[contacts.index[unnamed], name].to_numpy()
        contacts.loc[unnamed, "certainty"] = "likely"
    created = contacts.loc[near["contact"], ["source", "asset"]]
    same = (created["source"].astype("str").array == near["source"].astype("str").array) & (
        created["asset"].array == near["asset"].astype("str").array
    )
    early = after < pd.Timedelta(0)
    if early.any():
        created_at = contacts["created_at"].array.take(told["contact"].to_numpy())
        told = told.assign(occurred_at=told["occurred_at"].where(~early, pd.Series(created_at, told.index)))
    told = told.drop(near.index[np.asarray(same, dtype=bool)])
    told = told[~(early[told.index] & told.duplicated())]
    before = int((after < -SAME_MOMENT).sum())
    note = f"{before:,} form submissions are dated before their contact was created, and count from its creation"
    return contacts, told, {"dated before": note} if before else {}


def _as_told(
    contact: Any, occurred_at: pd.Series[Any], forms: pd.Series[Any], names: Mapping[str, str], sources: Sources
) -> pd.DataFrame:
    """Touches of forms by their names, some of which mean another tool."""
    tools = {value: tool_of_conversion(name, sources) for value, name in names.items()}
    coded = forms.astype("category")
    meant = [tools.get(value) for value in coded.cat.categories]
    codes = coded.cat.codes.to_numpy()
    source = pd.Series([tool.source if tool else None for tool in meant], dtype="str").array.take(codes)
    asset = pd.Series([tool.asset if tool else None for tool in meant], dtype="str").array.take(codes)
    kind = pd.CategoricalDtype(list(SOURCE_NAMES))
    touches = {"contact": contact, "occurred_at": occurred_at.array, "source": source, "asset": asset}
    return pd.DataFrame(touches).astype({"source": kind, "asset": "str"})


def _learned_names(used: pd.DataFrame, contacts: pd.DataFrame) -> dict[str, str]:
    """Names of forms by form_id: a contact that a named form created sent that form at that moment."""
    by_form = contacts[contacts["source"].isin(FORMS) & (contacts["asset"] != "")]
    at_creation = _after_creation(used, contacts).abs() <= SAME_MOMENT
    near = used[at_creation & used["contact"].isin(by_form.index)]
    named = pd.Series(by_form.loc[near["contact"], "asset"].array, near.index)
    return _clear(named.groupby(near["form_id"]))


def _given_names(forms: Mapping[str, str] | FilePath | None) -> dict[str, str]:
    if forms is None or isinstance(forms, Mapping):
        return dict(forms or {})
    table = read_table(forms)
    raise_first(table.rejected, forms)
    cells = _needed(table.frame, ("guid", "name"), forms)
    return {form: name for form, name in zip(cells["guid"], cells["name"], strict=True) if name}


def _needed(frame: pd.DataFrame, names: tuple[str, ...], path: FilePath) -> pd.DataFrame:
    """The columns of these names, trimmed."""
    found = {folded(str(name)): str(name) for name in frame}
    for name in names:
        if folded(name) not in found:
            raise no_column(name, frame, path, f"in the first row {', '.join(names)}")
    return pd.DataFrame({name: frame[found[folded(name)]].str.strip() for name in names})


def _after_creation(told: pd.DataFrame, contacts: pd.DataFrame) -> pd.Series[Any]:
    """How long after its contact's creation each touch happened."""
    created_at = instants(contacts["created_at"]).array.take(told["contact"].to_numpy())
    after: pd.Series[Any] = instants(told["occurred_at"]) - created_at
    return after
