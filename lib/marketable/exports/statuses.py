"""What HubSpot recorded of how statuses came about: who or what set them, and when.

It stands in the history of the property (API, warehouses), in the properties Marketing contact status source type and
source name (a cause without a time), and between two dated exports (a change between two days). What names what is
data: `recorded_causes.yaml`.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import pandas as pd
from pydantic import BeforeValidator

from marketable.errors import DataError
from marketable.reading.alike import alike
from marketable.reading.dates import instants, read_dates
from marketable.reading.tables import FilePath, no_column, read_table
from marketable.settings import Strict, read_as

from .contacts import STATUS_SOURCE
from .sources import Cited, Texts, folded, one_of
from .vocabulary import STATUS, Vocabulary

CAUSES = ("form", "import", "workflow", "by hand", "app", "ad", "conversation", "email", "sample", "other")
IN_HISTORY = "the history of Marketing contact status"
IN_SOURCE = "Marketing contact status source type"
IN_EXPORTS = "two exports"
COLUMNS = ("contact_id", "at", "earliest", "latest", "status", "cause", "detail", "recorded_in")
_PLACES = (IN_HISTORY, IN_SOURCE, IN_EXPORTS)
_IN_TABLE = {
    folded(written): name
    for name, texts in {
        "contact_id": ("contact_id", "vid"),
        "name": ("name", "property"),
        "value": ("value",),
        "timestamp": ("timestamp",),
        "source": ("source", "source_type", "source-type"),
        "source_id": ("source_id", "source-id"),
    }.items()
    for written in texts
}
_WORKFLOW = re.compile(r"workflowId:(\d+).*")
_SHOWN, _LONGEST = 5, 40


class _Referred(Cited):
    trust: Literal["H", "M", "L"]


class _Cause(Strict):
    switch: bool
    recorded: Texts


class _Recorded(Strict):
    references: tuple[_Referred, ...]
    causes: Mapping[Annotated[str, BeforeValidator(one_of(CAUSES))], _Cause]


@functools.cache
def _shipped() -> _Recorded:
    return read_as(_Recorded, Path(__file__).with_name("recorded_causes.yaml"), DataError)[0]


def switched_causes() -> tuple[str, ...]:
    """The causes that are tools with a switch.

    >>> switched_causes()
    ('form', 'import', 'app', 'conversation')
    """
    return tuple(name for name, cause in _shipped().causes.items() if cause.switch)


@functools.cache
def _named() -> dict[str, str]:
    return {folded(text): name for name, cause in _shipped().causes.items() for text in cause.recorded}


def cause_of(recorded: str) -> str:
    """What a recorded source type stands for, `other` where it is not known.

    >>> cause_of("AUTOMATION_PLATFORM"), cause_of("Form"), cause_of("PORTAL_SYNC")
    ('workflow', 'form', 'other')
    """
    return _named().get(folded(recorded), "other")


def no_statuses() -> pd.DataFrame:
    """Recorded changes where there are none."""
    return _statuses(pd.DataFrame(columns=list(COLUMNS)))


def recorded_of(
    used: pd.DataFrame,
    versions: list[pd.DataFrame],
    seen: pd.DataFrame,
    vocabulary: Vocabulary,
    names: Mapping[str, str],
) -> tuple[pd.DataFrame, dict[str, str]]:
    """What is recorded of how the statuses of contacts came about, and notes.

    Arguments: used, the contacts, with the file and the row they are used from; versions, of their statuses, by
    contact_id or by file and row; seen, see `of_exports`; names, of forms by form_id.
    """
    of_contacts = [
        each if "contact_id" in each else each.merge(used[["file", "row", "contact_id"]], on=["file", "row"])
        for each in versions
    ]
    told, notes = of_history(pd.concat(of_contacts), vocabulary) if versions else (no_statuses(), {})
    strangers = ~told["contact_id"].isin(used["contact_id"]) if len(told) else pd.Series(dtype=bool)
    if strangers.any():
        notes["history of others"] = (
            f"{int(strangers.sum()):,} changes are of contacts that are gone or in no file, and are left out"
        )
        told = told[~strangers].reset_index(drop=True)
    known = pd.Index(told["contact_id"].unique())
    sourced, unknown = of_source(used[["contact_id", *STATUS_SOURCE, "status"]].set_index("contact_id"), known)
    changed = of_exports(seen[~seen["contact_id"].isin(known)])
    together = _together(told, sourced, changed)
    by_form = together["cause"].eq("form")
    if not names or not by_form.any():
        return together, notes | unknown
    called = {form: names.get(form, form) for form in together["detail"][by_form].unique()}
    detail = together["detail"].astype("object").mask(by_form, together["detail"].map(called)).astype("str")
    return together.assign(detail=detail), notes | unknown


def of_history(versions: pd.DataFrame, vocabulary: Vocabulary) -> tuple[pd.DataFrame, dict[str, str]]:
    """The changes that the histories of contacts' statuses tell, and notes.

    Arguments: versions, all text: contact_id, value, timestamp, source, source_id, each contact's newest first, as
    HubSpot has them; they may be doubled or out of order.
    """
    versions = versions.reset_index(drop=True)
    if not len(versions):
        return no_statuses(), {}
    at = read_dates({"timestamp": versions["timestamp"]}).times["timestamp"]
    values = versions["value"].astype("category")
    meant = pd.Index(STATUS).get_indexer(
        pd.Index([vocabulary.status.get(folded(text)) for text in values.cat.categories])
    )
    contact, who = pd.factorize(versions["contact_id"])
    kinds, names = versions["source"].astype("category"), versions["source_id"].astype("category")
    moment = instants(at).dt.tz_localize(None).to_numpy("datetime64[us]")
    rows = pd.DataFrame({"contact": contact, "moment": moment, "status": meant[values.cat.codes.to_numpy()]})
    rows = rows.assign(kind=kinds.cat.codes, name=names.cat.codes)
    read = (rows["status"] >= 0) & rows["moment"].notna()
    notes = {}
    if not read.all():
        left_out = int((~read).sum())
        notes["history"] = f"{left_out:,} versions of a status have no time or say no status, and are left out"
    # Of what happened at one moment the last in the file is the earliest.
    order = rows[read].iloc[::-1].sort_values(["contact", "moment"], kind="stable")
    order = order[~order.duplicated(keep="last")]
    again = order["contact"].eq(order["contact"].shift())
    same = again & order["status"].eq(order["status"].shift())
    odd = again & ~same & order["moment"].eq(order["moment"].shift())
    if odd.any():
        contacts = order["contact"][odd].nunique()
        notes["history at odds"] = (
            f"{contacts:,} contacts have two statuses at one moment in their history; the one that stands first there "
            "counts as the later one"
        )
    changes = order[~same]
    caused, unknown = _caused(kinds[changes.index], names[changes.index])
    when = at[changes.index].array
    told = pd.DataFrame({"contact_id": who[changes["contact"]], "at": when, "earliest": when, "latest": when, **caused})
    status = pd.Categorical.from_codes(changes["status"], dtype=pd.CategoricalDtype(list(STATUS)))
    return _statuses(told.assign(status=status, recorded_in=IN_HISTORY)), notes | unknown


def history_table(
    path: FilePath, vocabulary: Vocabulary, progress: Callable[[int, int], None] | None
) -> tuple[pd.DataFrame, dict[str, str]]:
    """The versions of statuses in a warehouse's table of property histories, all text, as `of_history` takes them; and
    a note on rows that cannot be read.

    Arguments: path, of a table with the contact, the property's name, its value, timestamp, source and source id;
    vocabulary, what the property is called. Rows of other properties, most of such a table, are let go on the way.
    """

    def of_status(frame: pd.DataFrame) -> pd.Series[bool]:
        name = next((name for name in map(str, frame) if _IN_TABLE[folded(name)] == "name"), None)
        if name is None:
            return pd.Series(False, frame.index)
        return frame[name].isin([each for each in frame[name].unique() if vocabulary.fact(each) == "status"])

    table = read_table(path, known=lambda name: folded(name) in _IN_TABLE, only=of_status, progress=progress)
    found = {_IN_TABLE[folded(str(name))]: str(name) for name in table.frame}
    for name in ("contact_id", "name", "value", "timestamp"):
        if name not in found:
            raise no_column(name, table.names, path, "the contact, the property's name, its value and timestamp")
    blank = pd.Series("", table.frame.index, dtype="str")
    names = ("contact_id", "value", "timestamp", "source", "source_id")
    rows = pd.DataFrame({name: table.frame[found[name]].str.strip() if name in found else blank for name in names})
    faults = table.rejected
    if not len(faults):
        return rows, {}
    first = f"the first is row {faults['row'][0]:,}: {faults['reason'][0]}"
    count = "1 row" if len(faults) == 1 else f"{len(faults):,} rows"
    return rows, {"history not read": f"{count} of {Path(path).name} cannot be read; {first}"}


def of_source(contacts: pd.DataFrame, known: pd.Index[Any]) -> tuple[pd.DataFrame, dict[str, str]]:
    """The causes without a time that Marketing contact status source type and source name tell, and notes.

    Arguments: contacts, index contact_id: these two, as categories, and status; known, contacts whose history is told.
    """
    kind, name, status = (contacts[column] for column in (*STATUS_SOURCE, "status"))
    told = ((kind != "") | (name != "")).to_numpy() & status.notna().to_numpy()
    if not told.any():
        return no_statuses(), {}
    if len(known):
        told &= ~kind.index.isin(known)
    caused, unknown = _caused(kind[told], name[told])
    never = np.full(int(told.sum()), np.datetime64("NaT"), dtype="datetime64[us]")
    times = dict.fromkeys(("at", "earliest", "latest"), never)
    rows = pd.DataFrame({"contact_id": kind.index[told], "status": status[told].array, **times, **caused})
    return _statuses(rows.assign(recorded_in=IN_SOURCE)), unknown


def of_exports(seen: pd.DataFrame) -> pd.DataFrame:
    """The changes between dated exports, without a cause.

    Arguments: seen, a row for each dated export that has a contact: contact_id, day, status.
    """
    if not len(seen):
        return no_statuses()
    order = seen[seen["status"].isin(STATUS)].sort_values(["contact_id", "day"], kind="stable")
    before = order["contact_id"].eq(order["contact_id"].shift())
    changed = before & order["status"].ne(order["status"].shift())
    rows = order.assign(earliest=order["day"].shift(), latest=order["day"], recorded_in=IN_EXPORTS)[changed]
    return _statuses(rows.reindex(columns=list(COLUMNS)).assign(detail=""))


def _together(*parts: pd.DataFrame) -> pd.DataFrame:
    """Recorded changes put together, by contact, in the order of time; a cause without a time is of the latest one."""
    there = [part for part in parts if len(part)] or [no_statuses()]
    if len(there) == 1:
        return there[0]
    times = {name: [part[name] for part in there] for name in ("at", "earliest", "latest")}
    zoned = any(isinstance(column.dtype, pd.DatetimeTZDtype) for columns in times.values() for column in columns)
    rows = pd.concat([part.drop(columns=list(times)) for part in there], ignore_index=True)
    for name, columns in times.items():
        of_one_zone = [instants(column) if zoned else column for column in columns]
        rows[name] = pd.concat([column.dt.as_unit("us") for column in of_one_zone], ignore_index=True)
    rows = rows.sort_values(["contact_id", "latest"], kind="stable", na_position="last")
    return _statuses(rows)


def _caused(kinds: pd.Series[Any], names: pd.Series[Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """The causes and their details by what is recorded (as categories), and a note on what is not known."""
    first, number = alike(kinds.cat.codes.to_numpy(), names.cat.codes.to_numpy())
    pairs = list(zip(kinds.iloc[first].astype("str"), names.iloc[first].astype("str"), strict=True))
    causes = [CAUSES.index(cause_of(kind)) for kind, _ in pairs]
    details = pd.array([_detail(*pair) for pair in pairs], dtype="str")
    strange = list(dict.fromkeys(kind for kind, _ in pairs if kind and folded(kind) not in _named()))
    notes = {}
    if strange:
        shown = ", ".join(repr(kind[:_LONGEST]) for kind in strange[:_SHOWN]) + (", …" if len(strange) > _SHOWN else "")
        notes["causes not known"] = f"{shown}: counted as other"
    cause = pd.Categorical.from_codes(np.array(causes, dtype=np.int8)[number], dtype=pd.CategoricalDtype(list(CAUSES)))
    return {"cause": cause, "detail": details.take(number)}, notes


def _detail(kind: str, name: str) -> str:
    """Which form, workflow, import or app it was; of what is no cause of its own, what HubSpot calls it."""
    name = _WORKFLOW.sub(r"\1", name)
    return name if cause_of(kind) != "other" else ": ".join(filter(None, (kind, name)))


def _statuses(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows as recorded changes: their columns, in their order and types."""
    rows = rows[list(COLUMNS)].reset_index(drop=True)
    times = {
        name: rows[name]
        if pd.api.types.is_datetime64_any_dtype(rows[name].dtype)
        else pd.to_datetime(rows[name], utc=_zoned(rows[name]))
        for name in ("at", "earliest", "latest")
    }
    return rows.assign(
        contact_id=rows["contact_id"].astype("str"),
        **{name: column.dt.as_unit("us") for name, column in times.items()},
        status=rows["status"].astype(pd.CategoricalDtype(list(STATUS))),
        cause=rows["cause"].astype(pd.CategoricalDtype(list(CAUSES))),
        detail=rows["detail"].fillna("").astype("str"),
        recorded_in=rows["recorded_in"].astype(pd.CategoricalDtype(list(_PLACES))),
    )


def _zoned(times: pd.Series[Any]) -> bool:
    """Whether times of mixed kinds have to be brought to UTC."""
    return bool(times.map(lambda time: getattr(time, "tzinfo", None) is not None).any())
