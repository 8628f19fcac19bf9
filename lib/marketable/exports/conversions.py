"""The forms that contacts sent after they were created: what First and Recent Conversion tell, or a table of
submissions.

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

from marketable.reading.dates import instants, read_dates, time_faults
from marketable.reading.tables import FilePath, first_faults, no_column, raise_first, read_table, rejected_rows, without
from marketable.reading.touches import SOURCE_NAMES

from .contacts import CONVERSIONS, FORMS
from .sources import RecordedSource, folded, form_name, tool_of_conversion

SAME_MOMENT = pd.Timedelta(minutes=5)
CLEAR_MAJORITY = 0.9
Sources = tuple[RecordedSource, ...]


def conversions_of(contacts: pd.DataFrame, sources: Sources) -> tuple[pd.DataFrame, dict[str, str]]:
    """The touches that First and Recent Conversion tell of, and notes on those they do not.

    Arguments: contacts, numbered from 0, with the conversions and their times; sources, entries for recorded sources.
    Returns: contact (its number), occurred_at, source, asset; and notes.
    """
    by_form = contacts["source"].isin(FORMS)
    known = set(contacts["asset"][by_form].unique()) - {""}
    parts, undated = [], 0
    for fact in CONVERSIONS:
        occurred_at = contacts[f"{fact}_at"]
        named = (contacts[fact] != "").to_numpy()
        told = named & occurred_at.notna().to_numpy()
        undated += int((named & ~told).sum())
        forms = {value: form_name(value, known) for value in contacts[fact][told].unique()}
        parts.append(_as_told(np.flatnonzero(told), occurred_at[told], contacts[fact][told], forms, sources))
    conversions = pd.concat(parts)
    conversions = conversions.drop_duplicates().sort_values("contact", kind="stable", ignore_index=True)
    notes = {"undated": f"{undated:,} conversions have no date and are left out" if undated else ""}
    if "form_submissions" in contacts:
        told_of = np.bincount(conversions["contact"].to_numpy(), minlength=len(contacts))
        silent = (contacts["form_submissions"].to_numpy() - told_of).clip(min=0).sum()
        between = "between the first and the latest of a contact"
        which = between if len(conversions) else "without First and Recent Conversion, which would name some"
        notes["not told"] = f"{silent:,.0f} form submissions {which}" if silent else ""
    return conversions, {name: note for name, note in notes.items() if note}


def submissions_of_contacts(
    path: FilePath,
    forms: Mapping[str, str] | FilePath | None,
    contacts: pd.DataFrame,
    sources: Sources,
    *,
    strict: bool,
) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, str]]:
    """The touches that a table of submissions tells of (as `conversions_of` has them), its rejected rows, and notes."""
    table = read_table(path)
    cells = _needed(table.frame, ("contact_id", "timestamp", "form_id"), path)
    contact_id, form_id = cells["contact_id"], cells["form_id"]
    occurred_at = read_dates({"timestamp": cells["timestamp"]}, file=path).times["timestamp"]
    contact = pd.Series(pd.Index(contacts["contact_id"]).get_indexer(contact_id), cells.index)
    rejected = first_faults(
        table.rejected,
        rejected_rows(contact_id[contact < 0], "contact_id", "No contact that was read has this id"),
        time_faults(cells["timestamp"], occurred_at, "timestamp"),
        rejected_rows(form_id[form_id == ""], "form_id", "The form is missing"),
    )
    if strict:
        raise_first(rejected, path)
    used = without(pd.DataFrame({"contact": contact, "occurred_at": occurred_at, "form_id": form_id}), rejected)
    names = _learned_names(used, contacts) | _given_names(forms)
    named = {form: names.get(form, form) for form in used["form_id"].unique()}
    told = _as_told(used["contact"].to_numpy(), used["occurred_at"], used["form_id"], named, sources)
    notes = {
        "submissions": f"{table.rows_read:,} read, {len(told):,} used; First and Recent Conversion are left aside",
        "forms": f"{form_id.nunique():,} in the submissions, {len(names.keys() & set(form_id.unique())):,} with a name",
    }
    return told, rejected.assign(reason=f"{Path(path).name}: " + rejected["reason"]), notes


def apart_from_creations(
    contacts: pd.DataFrame, told: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, str]]:
    """The contacts, the touches that are not the creation itself, told a second time, and a note on those dated before.

    Where HubSpot recorded that a form created the contact but not which, the form sent nearest to that moment is taken:
    within five minutes of it, or before.
    """
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
    shares = named.groupby(near["form_id"]).value_counts(normalize=True)
    clear = shares[shares >= CLEAR_MAJORITY]
    return dict(clear.index.tolist())


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
