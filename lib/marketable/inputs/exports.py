"""HubSpot's own copies of its contacts: who exists, what created them, which forms they sent, what their status is.

A copy is a contacts export (csv or xlsx, with labels or internal names), the JSON of API v3, or the tables of a
warehouse (Fivetran). Which column holds what is found by the names in `export_columns.yaml`; which tool a recorded
source stands for, and how certain that is, in `record_sources.yaml`. Every contact and every submission that is read
is used, or rejected with a reason.
"""

from __future__ import annotations

import json
import re
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from .. import plain_yaml
from ..errors import DataError
from ..rulebook import MARKETING, NON_MARKETING, NOT_COVERED
from .tables import (
    REJECTED,
    FilePath,
    Table,
    cell_text,
    first_faults,
    no_column,
    raise_first,
    read_bytes,
    read_table,
    rejected_rows,
    without,
)
from .touches import SOURCE_NAMES, as_touches, contact_keys, instants, of_one_kind, read_times, time_faults

CERTAINTIES = ("certain", "likely", "ambiguous", NOT_COVERED)
SAME_MOMENT = pd.Timedelta(minutes=5)
CLEAR_MAJORITY = 0.9
_FORMS = ("hubspot_form", "non_hubspot_form")
_NO_TEXT = re.compile("[\0\ud800-\udfff]")
_ROUNDED = r"\d+(?:[.,]\d+)?[Ee]\+?\d+"


@dataclass(frozen=True, eq=False)
class Export:
    """What a copy of the contacts tells.

    `contacts`: index contact_id; created_at (see `read_times`), source and asset (what created the contact), certainty
    (certain, likely, ambiguous, not covered), status (marketing, non-marketing, missing where the copy does not say),
    waiting (bool: becomes non-marketing at the next update date).
    `touches`: a batch: each contact's creation, in the order of the file, then the form submissions that are told of.
    `rejected`: row, column, value, reason; a JSON's rows are its contacts, from 1; a row of another file is named so.
    `rows_read`: contacts in the file, used and rejected. `submissions_read`: the same for the table of submissions.
    `understood`: what the file was taken for, and what it lacks, for display. `emails`: index contact_id, the contact's
    e-mail, trimmed and in lower case; blank where there is none. It is here to find a contact by, and nowhere else.
    """

    contacts: pd.DataFrame
    touches: pd.DataFrame
    rejected: pd.DataFrame
    rows_read: int
    submissions_read: int
    understood: dict[str, str]
    emails: pd.Series[str]


class Tool(NamedTuple):
    """The tool of the article that a recorded source stands for."""

    source: str
    asset: str
    certainty: str


def read_export(
    path: FilePath,
    *,
    submissions: FilePath | None = None,
    forms: Mapping[str, str] | FilePath | None = None,
    strict: bool = False,
) -> Export:
    r"""The contacts and touches in a copy of HubSpot's contacts.

    Arguments: path, of a contacts export (csv, xlsx), a response of API v3 (JSON: a page, a list of pages or of
    contacts) or Fivetran's table contact (csv, parquet); needed are Record ID or Email, and Create Date. submissions,
    Fivetran's table contact_form_submission (timestamp, form_id, contact_id): as it tells of all submissions, First and
    Recent Conversion are left aside. forms, names of forms by form_id: a mapping or Fivetran's table form (guid, name);
    a form not named there bears the name of the contacts it created, else its form_id. strict: whether a rejected row
    is an error.
    Returns: an Export.
    Raises: DataError, for a file that is no table or lacks a needed column, and if strict for the first rejected row.

    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp(), "contacts.csv")
    >>> _ = path.write_text("Email,Create Date,Record source,Record source detail 1\na@b.c,2024-03-01,FORM,Demo\n")
    >>> read_export(path).contacts[["source", "asset", "certainty"]].values.tolist()
    [['hubspot_form', 'Demo', 'certain']]
    """
    if forms is not None and submissions is None:
        raise DataError("Names of forms are of no use without submissions", advice="Give submissions too.")
    data = read_bytes(path)
    is_json = data[:999].lstrip(b"\xef\xbb\xbf \t\r\n").startswith((b"{", b"["))
    table = _api_contacts(data, path) if is_json else read_table(path)
    columns = _columns(table.frame, path)
    facts = _facts(table.frame, columns)
    times = {str(name): read_times(facts[name]) for name in facts if str(name).endswith("_at")}
    headers = {str(fact): columns.get(str(fact), [str(fact)])[0] for fact in facts}
    contacts, rejected = _contacts(facts, times, headers, table.rejected)
    emails = facts.loc[contacts.index, "email"].str.strip().str.lower().set_axis(contacts["contact_id"])
    if strict:
        raise_first(rejected, path)
    understood = {**table.understood, "columns": "; ".join(f"{names[0]} as {fact}" for fact, names in columns.items())}
    if submissions is None:
        told, notes = _conversions(facts.loc[contacts.index], times, contacts)
        submissions_read = 0
    else:
        told, unused, notes = _submissions(submissions, forms, contacts, strict=strict)
        submissions_read = len(told) + len(unused)
        rejected = pd.concat([rejected, unused], ignore_index=True)
    contacts, told = _apart_from_creations(contacts, told)
    touches = as_touches(pd.concat([contacts.rename(columns={"created_at": "occurred_at"}), told]))
    lacking = _lacking(columns, with_submissions=submissions is not None)
    contacts = contacts.set_index("contact_id")
    return Export(contacts, touches, rejected, table.rows_read, submissions_read, understood | notes | lacking, emails)


def tool_of(recorded: str, detail: str = "", drill_down: str = "", year: int = 0) -> Tool:
    """The tool that a recorded source stands for, by `record_sources.yaml`.

    Arguments: recorded, a Record source, as label or internal name; detail, Record source detail 1; drill_down,
    Original source drill-down 1; year, that of the creation.
    Returns: a Tool, `not covered` and with what was recorded as its asset where the article is silent.

    >>> tool_of("Bot Chatflow", "Welcome bot")
    Tool(source='chatflow', asset='Welcome bot', certainty='certain')
    >>> tool_of("WORKFLOWS")
    Tool(source='not covered', asset='WORKFLOWS', certainty='not covered')
    """
    for entry in _yaml("record_sources")["sources"]:
        if (
            _folded(recorded) in map(_folded, entry["recorded"])
            and detail.startswith(tuple(entry.get("detail_begins", [""])))
            and _folded(drill_down) == _folded(entry.get("drill_down", drill_down))
            and year >= int(entry.get("created_from", 0))
        ):
            return Tool(entry["source"], detail if entry.get("asset") == "detail" else "", entry["certainty"])
    return Tool(NOT_COVERED, recorded, NOT_COVERED)


def why(source: str, certainty: str) -> str:
    """Why a recorded source stands for this source with this certainty, in words.

    >>> why("hubspot_form", "certain")
    'HubSpot recorded a form.'
    """
    entries = [entry for entry in _yaml("record_sources")["sources"] if entry["source"] == source]
    return " Or: ".join(entry["why"] for entry in entries if entry["certainty"] == certainty)


@cache
def _yaml(name: str) -> dict[str, Any]:
    data, _ = plain_yaml.read(Path(__file__).with_name(f"{name}.yaml"), DataError)
    return dict(data)


def _folded(name: str) -> str:
    """The name without what writers of it vary: case, blanks, underscores, apostrophes."""
    return re.sub(r"[\s_'\u2019]", "", name).casefold()


def _columns(frame: pd.DataFrame, path: FilePath) -> dict[str, list[str]]:
    """For each fact the columns that hold it, the best one first."""
    found = {_folded(str(name).removeprefix("property_")): str(name) for name in frame.columns[::-1]}
    columns: dict[str, list[str]] = {}
    for fact, entry in _yaml("export_columns")["columns"].items():
        names = dict.fromkeys(_folded(name) for names in entry["names"].values() for name in names)
        if names.keys() & found.keys():
            columns[fact] = [found[name] for name in names if name in found]
    for label, needed in {"Record ID": {"record_id", "email"}, "Create Date": {"created_at"}}.items():
        if not columns.keys() & needed:
            expected = "in the first row Record ID or Email, and Create Date, as HubSpot's exports have them"
            raise no_column(label, frame, path, expected)
    return columns


def _facts(frame: pd.DataFrame, columns: Mapping[str, list[str]]) -> pd.DataFrame:
    """A column of trimmed text for every fact, blank where the file has none."""
    facts = pd.DataFrame(dict.fromkeys(_yaml("export_columns")["columns"], ""), index=frame.index, dtype="str")
    for fact, names in columns.items():
        for name in names:
            facts[fact] = facts[fact].where(facts[fact] != "", frame[name].str.strip())
    return facts


def _contacts(
    facts: pd.DataFrame, times: Mapping[str, pd.Series[Any]], headers: Mapping[str, str], unread: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The contacts used, index the row, and the rejected rows, those that could not even be read among them."""

    def faults(fact: str, where: pd.Series[bool], reason: str) -> pd.DataFrame:
        return rejected_rows(facts[fact][where], headers[fact], reason)

    rounded = facts["record_id"].str.fullmatch(_ROUNDED)
    contact_id = contact_keys(facts["record_id"].mask(rounded, ""), facts["email"])
    status = _meanings(facts["status"], (MARKETING, NON_MARKETING))
    waiting = _meanings(facts["waiting"], ("yes", "no"))
    rejected = first_faults(
        unread,
        faults("deleted", _meanings(facts["deleted"], ("yes", "no")) == "yes", "The contact is deleted"),
        faults("record_id", (contact_id == "") & rounded, "Excel has rounded this Record ID, and there is no e-mail"),
        faults("record_id", contact_id == "", "There is no Record ID and no e-mail"),
        *(time_faults(facts[at], read, headers[at], needed=at == "created_at") for at, read in times.items()),
        faults("status", status.isna(), "This is no status. Expected Marketing contact or Non-marketing contact"),
        faults("waiting", waiting.isna(), "Expected Yes or No"),
    )
    usable = without(contact_id, rejected)
    again = usable.duplicated()
    rows = pd.Series(usable.index[~again], index=usable[~again]).reindex(usable[again])
    reasons = pd.Series([f"The contact stands already in row {row}" for row in rows], usable.index[again], dtype="str")
    key = headers["record_id" if (facts["record_id"] != "").any() else "email"]
    rejected = first_faults(rejected, rejected_rows(usable[again], key, reasons))
    known = status.mask(status == "").astype(pd.CategoricalDtype([MARKETING, NON_MARKETING]))
    contacts = pd.DataFrame({"contact_id": contact_id, "created_at": times["created_at"]})
    contacts = contacts.join(_created_by(facts, times["created_at"])).assign(status=known, waiting=waiting == "yes")
    used = without(contacts, rejected)
    return used.assign(created_at=of_one_kind(used["created_at"])), rejected


def _created_by(facts: pd.DataFrame, created_at: pd.Series[Any]) -> pd.DataFrame:
    """The source, asset and certainty of each contact's creation."""
    years = instants(created_at).dt.year.fillna(0).astype(int)
    recorded = list(zip(facts["record_source"], facts["record_source_detail"], facts["drill_down"], years, strict=True))
    tools = {key: tool_of(*key) for key in set(recorded)}
    frame = pd.DataFrame([tools[key] for key in recorded], index=facts.index, columns=list(Tool._fields))
    kinds = {"source": pd.CategoricalDtype(list(SOURCE_NAMES)), "certainty": pd.CategoricalDtype(list(CERTAINTIES))}
    return frame.astype({**kinds, "asset": "str"})


def _meanings(cells: pd.Series[str], meanings: Iterable[str]) -> pd.Series[str]:
    """What the cells mean, by the values of `export_columns.yaml`; blank stays blank, what is not known is missing."""
    values = _yaml("export_columns")["values"]
    names = {_folded(name): meaning for meaning in meanings for names in values[meaning].values() for name in names}
    return cells.map({cell: names.get(_folded(cell)) if cell else "" for cell in cells.unique()})


def _conversions(
    facts: pd.DataFrame, times: Mapping[str, pd.Series[Any]], contacts: pd.DataFrame
) -> tuple[pd.DataFrame, dict[str, str]]:
    """The touches that First and Recent Conversion tell of, and notes on those they do not."""
    known = set(contacts["asset"][contacts["source"].isin(_FORMS)]) - {""}
    parts, undated = [], 0
    for name in ("first_conversion", "recent_conversion"):
        occurred_at = times[f"{name}_at"].loc[facts.index]
        told = (facts[name] != "") & occurred_at.notna()
        undated += int(((facts[name] != "") & ~told).sum())
        forms = facts[name][told].map({value: form_name(value, known) for value in facts[name].unique()})
        parts.append(_as_told(contacts["contact_id"][told], occurred_at[told], forms))
    conversions = pd.concat(parts).drop_duplicates().sort_index(kind="stable")
    counted = pd.to_numeric(facts["form_submissions"], errors="coerce").fillna(0)
    silent = (counted - conversions.groupby(level=0).size().reindex(facts.index, fill_value=0)).clip(lower=0).sum()
    notes = {
        "undated": f"{undated:,} conversions have no date and are left out" if undated else "",
        "not told": f"{silent:,.0f} form submissions between the first and the latest of a contact" if silent else "",
    }
    return conversions, {name: note for name, note in notes.items() if note}


def form_name(value: str, known: Container[str] = ()) -> str:
    """The form in a First or Recent Conversion, which reads "Page title: Form name", either of which may hold a colon.

    >>> form_name("Home: Demo: short"), form_name("Home: Demo: short", {"Demo: short"}), form_name("Newsletter")
    ('short', 'Demo: short', 'Newsletter')
    """
    begins = tuple(entry["begins"] for entry in _yaml("record_sources")["conversions"])
    parts = value.split(": ")
    tails = [": ".join(parts[start:]) for start in range(len(parts))]
    return next((tail for tail in tails if tail in known or tail.startswith(begins)), tails[-1] or value)


def _submissions(
    path: FilePath, forms: Mapping[str, str] | FilePath | None, contacts: pd.DataFrame, *, strict: bool
) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, str]]:
    """The touches that a table of submissions tells of, its rejected rows, and notes."""
    table = read_table(path)
    cells = _needed(table.frame, ("contact_id", "timestamp", "form_id"), path)
    contact_id, form_id, occurred_at = cells["contact_id"], cells["form_id"], read_times(cells["timestamp"])
    unknown = ~contact_id.isin(contacts["contact_id"])
    rejected = first_faults(
        table.rejected,
        rejected_rows(contact_id[unknown], "contact_id", "No contact that was read has this id"),
        time_faults(cells["timestamp"], occurred_at, "timestamp"),
        rejected_rows(form_id[form_id == ""], "form_id", "The form is missing"),
    )
    if strict:
        raise_first(rejected, path)
    told = without(_as_told(contact_id, occurred_at, form_id), rejected)
    names = _learned_names(told, contacts) | _given_names(forms)
    named = told["asset"].map({form: names.get(form, form) for form in told["asset"].unique()})
    told = _as_told(told["contact_id"], told["occurred_at"], named)
    notes = {
        "submissions": f"{table.rows_read:,} read, {len(told):,} used; First and Recent Conversion are left aside",
        "forms": f"{form_id.nunique():,} in the submissions, {len(names.keys() & set(form_id)):,} with a name",
    }
    return told, rejected.assign(reason=f"{Path(path).name}: " + rejected["reason"]), notes


def _as_told(contact_id: pd.Series[str], occurred_at: pd.Series[Any], forms: pd.Series[str]) -> pd.DataFrame:
    """Touches of forms by their names, some of which mean another tool."""
    tools = {}
    for name in forms.unique():
        others = [entry for entry in _yaml("record_sources")["conversions"] if name.startswith(entry["begins"])]
        tools[name] = tool_of(others[0]["recorded"] if others else "FORM", name)
    source = forms.map({name: tool.source for name, tool in tools.items()})
    asset = forms.map({name: tool.asset for name, tool in tools.items()})
    touches = {"contact_id": contact_id, "occurred_at": occurred_at, "source": source, "asset": asset}
    return pd.DataFrame(touches).astype({"source": "str", "asset": "str"})


def _learned_names(told: pd.DataFrame, contacts: pd.DataFrame) -> dict[str, str]:
    """Names of forms by form_id: a contact that a named form created sent that form at that moment."""
    created = contacts[contacts["source"].isin(_FORMS) & (contacts["asset"] != "")]
    votes = told[_at_creation(told, contacts)].merge(created, on="contact_id", suffixes=("", "_created"))
    shares = votes.groupby("asset")["asset_created"].value_counts(normalize=True).reset_index()
    clear = shares[shares["proportion"] >= CLEAR_MAJORITY]
    return dict(zip(clear["asset"], clear["asset_created"], strict=True))


def _given_names(forms: Mapping[str, str] | FilePath | None) -> dict[str, str]:
    if forms is None or isinstance(forms, Mapping):
        return dict(forms or {})
    table = read_table(forms)
    raise_first(table.rejected, forms)
    cells = _needed(table.frame, ("guid", "name"), forms)
    return {form: name for form, name in zip(cells["guid"], cells["name"], strict=True) if name}


def _needed(frame: pd.DataFrame, names: tuple[str, ...], path: FilePath) -> pd.DataFrame:
    """The columns of these names, trimmed."""
    found = {_folded(str(name)): str(name) for name in frame}
    for name in names:
        if _folded(name) not in found:
            raise no_column(name, frame, path, f"in the first row {', '.join(names)}")
    return pd.DataFrame({name: frame[found[_folded(name)]].str.strip() for name in names})


def _at_creation(told: pd.DataFrame, contacts: pd.DataFrame) -> pd.Series[bool]:
    """Whether each touch happened when its contact was created."""
    created_at = instants(contacts.set_index("contact_id")["created_at"]).reindex(told["contact_id"])
    return (instants(told["occurred_at"]) - created_at.set_axis(told.index)).abs() <= SAME_MOMENT


def _apart_from_creations(contacts: pd.DataFrame, told: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The contacts, and the touches that are not the creation itself, told a second time.

    Where HubSpot recorded that a form created the contact but not which, the form sent at that moment is taken.
    """
    keys = ["contact_id", "source", "asset"]
    at_creation = _at_creation(told, contacts)
    sent = told[at_creation & told["source"].isin(_FORMS)].drop_duplicates("contact_id").set_index("contact_id")
    unnamed = contacts["source"].isin(_FORMS) & (contacts["asset"] == "") & contacts["contact_id"].isin(sent.index)
    contacts = contacts.copy()
    for name in ("source", "asset"):
        contacts.loc[unnamed, name] = sent.loc[contacts["contact_id"][unnamed], name].to_numpy()
    contacts.loc[unnamed, "certainty"] = "likely"
    creations = pd.MultiIndex.from_frame(contacts[keys].astype("str"))
    return contacts, told[~(at_creation & pd.MultiIndex.from_frame(told[keys]).isin(creations))]


def _lacking(columns: Mapping[str, list[str]], *, with_submissions: bool) -> dict[str, str]:
    """What the file lacks, and how to get it."""
    return {
        f"no {next(iter(entry['names'].values()))[0]}": entry["without"]
        for fact, entry in _yaml("export_columns")["columns"].items()
        if "without" in entry and fact not in columns and not (with_submissions and fact.endswith("conversion"))
    }


def _api_contacts(data: bytes, path: FilePath) -> Table:
    """The contacts in a response of API v3 as a table of text, its rows numbered from 1."""
    expected = 'contacts of API v3, {"results": [{"id": …, "properties": {…}}]}'
    try:
        root = json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError) as fault:
        raise DataError(f"This is not JSON ({fault})", file=path, expected=expected) from None
    pages = root if isinstance(root, list) else [root]
    if isinstance(root, dict) and not {"results", "properties"} & root.keys():
        raise DataError("There are no contacts in it", file=path, value=list(root), expected=expected)
    contacts: list[Any] = []
    for page in pages:
        results = page.get("results") if isinstance(page, dict) else None
        contacts += results if isinstance(results, list) else [page]
    wanted = {
        _folded(name) for entry in _yaml("export_columns")["columns"].values() for name in entry["names"]["internal"]
    }
    rows: dict[int, dict[str, str]] = {}
    faults: list[tuple[int, str, str, str]] = []
    for number, contact in enumerate(contacts, start=1):
        properties = contact.get("properties") if isinstance(contact, dict) else None
        if not isinstance(properties, dict):
            faults.append((number, "properties", "", "This is no contact of API v3"))
            continue
        cells = {name: cell_text(value) for name, value in (contact | properties).items() if _folded(name) in wanted}
        spoilt = next((name for name, text in cells.items() if _NO_TEXT.search(text)), None)
        if contact.get("archived"):
            faults.append((number, "archived", "true", "The contact is archived"))
        elif spoilt is not None:
            value = cells[spoilt].encode("utf-8", "backslashreplace").decode()
            faults.append((number, spoilt, value, "The cell holds characters that are no text"))
        else:
            rows[number] = cells
    names = dict.fromkeys(name for cells in rows.values() for name in cells) or ["id", "createdate"]
    cells_by_row = [[cells.get(name, "") for name in names] for cells in rows.values()]
    frame = pd.DataFrame(cells_by_row, index=list(rows), columns=list(names), dtype="str")
    rejected = first_faults(pd.DataFrame(faults, columns=list(REJECTED)))
    return Table(frame, rejected, {"format": "JSON of API v3", "encoding": "UTF-8"})
