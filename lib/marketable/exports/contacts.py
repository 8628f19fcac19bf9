"""The rows of a table as contacts: who they are, when and by what they were created, what their status is.

Every row becomes a contact or a rejected row. Columns in which the same text stands again and again are worked on text
by text, not row by row, and each column's text is let go once it is understood: a million rows need not stand in
memory twice.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from marketable.reading.alike import alike
from marketable.reading.dates import instants, read_dates, time_faults
from marketable.reading.tables import FilePath, Table, first_faults, rejected_rows, without
from marketable.reading.touches import SOURCE_NAMES
from marketable.rulebook import MARKETING, NOT_COVERED

from .sources import CERTAINTIES, Tool, folded, tool_by_drill_down, tool_of
from .vocabulary import STATUS, YES_OR_NO, Vocabulary, languages, needed, shipped, zone_of

_ROUNDED = r"\d+(?:[.,]\d+)?[Ee]\+?\d+"
_AS_NUMBER = r"^(\d+)[.,]0{1,2}$"
_CUT = r"\d{1,6}0{6,}"
FORMS = ("hubspot_form", "non_hubspot_form")
GONE = ("deleted", "archived")
CONVERSIONS = ("first_conversion", "recent_conversion")
ORIGINAL_SOURCE = ("drill_down", "drill_down_2", "original_source")
STATUS_SOURCE = ("status_source_type", "status_source_name")
_RUINED = "Excel has rounded this Record ID, and there is no e-mail"
_NO_STATUS = "This is no status{}. Expected Marketing contact or Non-marketing contact; another text can be mapped"
_NO_NUMBER = "This is no whole number{}"
_NOT_KNOWN = "{}. These cells count as blank; a mapping can say what they mean"
_SHOWN, _WORDS, _LONG = 5, 20, 40
Advance = Callable[[int, int], None]


@dataclass(frozen=True, eq=False)
class Rows:
    """What the rows of one file tell.

    `frame`: index row; record_id ("" where Excel has ruined it: ruined), email (lower case), created_at, source, asset,
    certainty, status, waiting, the conversions and their times, and what the file has of the details. `rejected`: the
    rows that are no contact; `lost`: record_id, email and reason of those of them that say who is meant, and of the
    rows of contacts that are gone (`gone`: deleted or archived; else blank). `merged`: row, and the id that its contact
    has absorbed. `columns`: by fact, the columns that hold it. `understood`: how the file was read.
    """

    frame: pd.DataFrame
    rejected: pd.DataFrame
    lost: pd.DataFrame
    merged: pd.DataFrame
    columns: dict[str, list[str]]
    understood: dict[str, str]

    @property
    def rows_read(self) -> int:
        """The rows of the file: contacts, contacts that are gone, and rejected ones."""
        return len(self.frame) + len(self.rejected) + int((self.lost["gone"] != "").sum())

    @property
    def key(self) -> str:
        """The column by which a contact is known."""
        fact = "record_id" if "record_id" in self.columns and (self.frame["record_id"] != "").any() else "email"
        return self.columns.get(fact, [fact])[0]


def rows_of(
    table: Table, vocabulary: Vocabulary, path: FilePath, order: str | None, advance: Advance | None = None
) -> Rows:
    """The contacts in a table, whose text is used up.

    Arguments: table; vocabulary, what its columns are called; path, for messages; order, `day first` or `month first`
    where the dates do not tell it; advance, called with the number of facts that are understood, and of all of them.
    Raises: DataError, where a needed column is missing, and where it is not decided whether days or months stand first.
    """
    header = [str(name) for name in table.frame]
    columns = vocabulary.columns(header)
    needed(columns, list(table.names) or header, path)
    for name in set(header) - {name for names in columns.values() for name in names}:
        del table.frame[name]
    facts = _Facts(table.frame, columns, advance)
    faults = [table.rejected]
    yes_or_no = {
        fact: facts.meaning(fact, vocabulary.yes_or_no, YES_OR_NO) for fact in (*GONE, "waiting", "unsubscribed")
    }
    record_id, email = facts.text("record_id"), facts.text("email").str.lower()
    record_id, ruined = _sound_ids(record_id, email)
    keyless = (record_id == "") & (email == "")
    faults += [
        rejected_rows(ruined[keyless & (ruined != "")], facts.header("record_id"), _RUINED),
        rejected_rows(record_id[keyless], facts.header("record_id"), "There is no Record ID and no e-mail"),
    ]
    times, forms, time_faults_found = _times(facts, path, order)
    faults += time_faults_found
    read: dict[str, Any] = {"record_id": record_id, "email": email, "ruined": ruined != "", **times}
    recorded = [facts.coded(fact) for fact in ("record_source", "record_source_detail", *ORIGINAL_SOURCE)]
    read |= _created_by(recorded, times["created_at"], vocabulary)
    status = facts.meaning("status", vocabulary.status, STATUS)
    faults.append(facts.faults("status", status.unknown, _NO_STATUS, status.raw))
    waits = yes_or_no["waiting"].cells == "yes"  # only a marketing contact can
    read |= {"status": status.cells.mask(status.blank & waits, MARKETING), "waiting": waits}
    unsubscribed = yes_or_no["unsubscribed"]
    if "unsubscribed" in columns and unsubscribed.says_something:
        read["unsubscribed"] = unsubscribed.cells == "yes"
    if "form_submissions" in columns:
        number, told_number = facts.number("form_submissions")
        faults.append(facts.faults("form_submissions", number.isna(), _NO_NUMBER, told_number))
        read["form_submissions"] = number
    read |= {fact: facts.coded(fact) for fact in CONVERSIONS}
    if "bounce_reason" in columns:
        bounce = facts.meaning("bounce_reason", vocabulary.yes_or_no, YES_OR_NO)
        read["bounced"] = ~bounce.blank & (bounce.cells != "no")
    read |= _unmailable(facts, vocabulary)
    read |= {fact: facts.coded(fact) for fact in STATUS_SOURCE}
    if columns.keys() & set(STATUS_SOURCE):
        read["status_source"] = _together(*(read[fact] for fact in STATUS_SOURCE))
    if "submissions" in columns:
        read["submissions"] = facts.text("submissions")
    gone = pd.Series("", facts.index, dtype="str")
    for why in filter(facts.has, GONE):
        gone = gone.mask((yes_or_no[why].cells == "yes") & ~keyless, why)
    rejected = first_faults(*faults)
    rejected = rejected[~rejected["row"].isin(gone.index[gone != ""])]
    keys = pd.DataFrame({"record_id": record_id, "email": email, "gone": gone})[~keyless]
    lost = keys.join(rejected.set_index("row")["reason"], how="left")
    lost["reason"] = lost["reason"].mask(lost["gone"] != "", "The contact is " + lost["gone"])
    lost = lost[lost["reason"].notna()]
    merged = [_absorbed(facts.text(fact)) for fact in ("merged_ids", "merged_vids") if facts.has(fact)]
    frame = without(pd.DataFrame(read), rejected)
    frame = frame[gone[frame.index] == ""] if (gone != "").any() else frame
    if "form_submissions" in columns:
        frame = frame.assign(form_submissions=frame["form_submissions"].astype("int64"))
    named = "; ".join(f"{' and '.join(names)} as {fact}" for fact, names in columns.items())
    understood = {**table.understood, "languages": languages(name for names in columns.values() for name in names)}
    understood |= {"columns": named, "dates": forms}
    there = {facts.header(fact): told for fact, told in yes_or_no.items() if facts.has(fact)}
    understood["not known"] = _not_known(there)
    absorbed = pd.concat(merged) if merged else pd.Series(dtype="str")
    pairs = absorbed[absorbed != ""].rename("absorbed").rename_axis("row").reset_index().drop_duplicates()
    return Rows(frame, rejected, lost, pairs, columns, understood)


def _absorbed(cells: pd.Series[str]) -> pd.Series[str]:
    """The ids in lists like "6658459;6700001:1727000000000", one a row."""
    ids = cells[cells != ""].str.split(";").explode().str.split(":").str[0]
    return ids.str.strip().astype("str")


@dataclass(frozen=True, eq=False)
class _Told:
    """Cells as meanings (missing where the text has none, or is blank), which of them are blank, and their texts."""

    cells: pd.Series[Any]
    blank: pd.Series[bool]
    raw: pd.Series[Any]

    @property
    def unknown(self) -> pd.Series[bool]:
        """Which cells say something that is not known."""
        return self.cells.isna() & ~self.blank

    @property
    def says_something(self) -> bool:
        """Whether a word is known, or there is none."""
        return bool(self.cells.notna().any() or self.blank.all())


class _Facts:
    """A table's columns by what they tell; each is asked for once, and its text let go."""

    def __init__(self, frame: pd.DataFrame, columns: Mapping[str, list[str]], advance: Advance | None) -> None:
        self._frame, self._columns, self._advance, self._done = frame, columns, advance, 0
        self.index = frame.index

    def has(self, fact: str) -> bool:
        """Whether the file tells the fact."""
        return fact in self._columns

    def header(self, fact: str) -> str:
        """The file's name for the fact."""
        return self._columns.get(fact, [fact])[0]

    def text(self, fact: str) -> pd.Series[str]:
        """The fact's cells, trimmed, blank where the file has none."""
        if not self.has(fact):
            return pd.Series("", self._frame.index, dtype="str")
        first, *others = self._columns[fact]
        cells: pd.Series[str] = self._frame.pop(first).str.strip()
        for name in others:
            more = self._frame.pop(name)
            blank = cells == ""
            if blank.any():
                cells = cells.mask(blank, more.str.strip())
        self._done += 1
        if self._advance:
            self._advance(self._done, len(self._columns))
        return cells

    def coded(self, fact: str) -> pd.Series[Any]:
        """The fact's cells as categories."""
        if not self.has(fact):
            return pd.Series(
                pd.Categorical.from_codes(np.zeros(len(self._frame), "int8"), pd.Index([""])), self._frame.index
            )
        return self.text(fact).astype("category")

    def meaning(self, fact: str, known: Mapping[str, str], meanings: tuple[str, ...]) -> _Told:
        """The fact's cells as what they mean."""
        return _as_meanings(self.coded(fact), known, meanings)

    def each(self, fact: str, known: Mapping[str, str], meanings: tuple[str, ...]) -> list[_Told]:
        """The cells of each column that holds the fact, as what they mean."""
        columns = [self._frame.pop(name).str.strip().astype("category") for name in self._columns.get(fact, ())]
        return [_as_meanings(raw, known, meanings) for raw in columns]

    def number(self, fact: str) -> tuple[pd.Series[Any], pd.Series[Any]]:
        """The fact's cells as numbers (blank is 0, what is none is missing), and as they stand."""
        raw = self.coded(fact)
        texts = pd.Series(raw.cat.categories, dtype="str").str.replace(_AS_NUMBER, r"\1", regex=True)
        numbers = pd.to_numeric(texts.mask(texts == "", "0").where(texts.str.fullmatch(r"\d{0,15}")), errors="coerce")
        return pd.Series(_taken(numbers.to_numpy(), raw), raw.index), raw

    def faults(self, fact: str, where: pd.Series[bool], reason: str, cells: pd.Series[Any]) -> pd.DataFrame:
        """Rejected rows, where there is something wrong with the fact; {} in the reason is the column and the cell."""
        texts = cells[where].astype("str")
        if not len(texts):
            return rejected_rows(texts, self.header(fact), reason)
        words = texts.unique()
        told = {text: f": {_word(text)}" if len(words) <= _WORDS else "" for text in words}
        reasons = {text: reason.format(f" ({self.header(fact)}{told[text]})") for text in words}
        return rejected_rows(texts, self.header(fact), texts.map(reasons).astype("str"))


def _as_meanings(raw: pd.Series[Any], known: Mapping[str, str], meanings: tuple[str, ...]) -> _Told:
    texts = raw.cat.categories
    told = pd.Index([known.get(folded(text)) for text in texts], dtype=object)
    codes = pd.Index(meanings).get_indexer(told).astype("int8")
    cells = pd.Categorical.from_codes(_taken(codes, raw), dtype=pd.CategoricalDtype(list(meanings)))
    blank = _taken((texts == "").astype(bool), raw)
    return _Told(pd.Series(cells, raw.index), pd.Series(blank, raw.index), raw)


def _unmailable(facts: _Facts, vocabulary: Vocabulary) -> dict[str, pd.Series[Any]]:
    """Who cannot or must not be mailed, by reason, as far as the file has the columns for it."""
    read: dict[str, pd.Series[Any]] = {}
    for fact in filter(facts.has, ("invalid", "quarantined")):
        told = facts.meaning(fact, vocabulary.yes_or_no, YES_OR_NO)
        if told.says_something:
            read[fact] = told.cells == "yes"
    types = [each for each in facts.each("opted_out", vocabulary.yes_or_no, YES_OR_NO) if each.says_something]
    if types:  # who has opted out of one of several types may be sent the others
        read["opted_out"] = pd.concat([each.cells == "yes" for each in types], axis=1).all(axis=1)
    if facts.has("confirmation"):
        status = facts.coded("confirmation")
        pending = {folded(text) for text in shipped()["unconfirmed"]}
        is_pending = np.array([folded(text) in pending for text in status.cat.categories], dtype=bool)
        read["unconfirmed"] = pd.Series(_taken(is_pending, status), status.index)
    if facts.has("sends_unanswered"):
        number, _ = facts.number("sends_unanswered")
        read["sends_unanswered"] = number.fillna(0).astype("int64")
    return read


def _not_known(told: Mapping[str, _Told]) -> str:
    """The words of yes-or-no columns that are not known, by the columns' names, with their numbers; blank for none."""
    words = {name: each.raw[each.unknown].astype("str").value_counts() for name, each in told.items()}
    texts = [
        f"{name}: {', '.join(f'{_word(str(word))} ({count:,})' for word, count in counts[:_SHOWN].items())}"
        f"{', …' if len(counts) > _SHOWN else ''}"
        for name, counts in words.items()
        if len(counts)
    ]
    return _NOT_KNOWN.format("; ".join(texts)) if texts else ""


def is_word(text: str) -> bool:
    """Whether a cell is a word that may be shown and asked about: an address, or what is long, is not.

    >>> is_word("WAHR"), is_word("ann@example.com")
    (True, False)
    """
    return len(text) <= _LONG and "@" not in text


def _word(text: str) -> str:
    return repr(text) if is_word(text) else "…"


def _taken(values: Any, coded: pd.Series[Any]) -> Any:
    """For each cell the value that its category has."""
    return values[coded.cat.codes.to_numpy()] if len(values) else values


def _sound_ids(ids: pd.Series[str], emails: pd.Series[str]) -> tuple[pd.Series[str], pd.Series[str]]:
    """The Record IDs, "" where a spreadsheet has ruined them; and these, as they stand, "" where it has not.

    Ruined is what is rounded (6.89813E+11), what has been rounded and written out again (689813000000, where most ids
    end so), and one id for all where the e-mails differ. What is only written as a number (625988369543.0) is mended.
    """
    if not ids.str.isdigit().all():
        ids = ids.str.replace(_AS_NUMBER, r"\1", regex=True)
    ruined = ids.str.fullmatch(_ROUNDED)
    cut = ids.str.fullmatch(_CUT) & (ids.str.len() >= 12)
    there = ids != ""
    if cut.sum() > 1 and cut.sum() * 2 > there.sum():
        ruined |= cut
    if there.sum() > 1 and (ids[there] == ids[there].iloc[0]).all() and emails[there & (emails != "")].nunique() > 1:
        ruined |= there
    return ids.mask(ruined, ""), ids.where(ruined, "")


def _times(
    facts: _Facts, path: FilePath, order: str | None
) -> tuple[dict[str, pd.Series[Any]], str, list[pd.DataFrame]]:
    """The times by fact, how they are written, and the faults."""
    conversions = [f"{fact}_at" for fact in CONVERSIONS]
    there = {fact: facts.header(fact) for fact in ("created_at", *conversions, "mailed_at") if facts.has(fact)}
    cells = {name: facts.text(fact) for fact, name in there.items()}
    dates = read_dates(cells, order, file=path)
    faults = [
        time_faults(cells[name], dates.times[name], name, needed=fact == "created_at") for fact, name in there.items()
    ]
    forms = {name: form for name, form in dates.forms.items() if form}
    told = set(forms.values())
    words = next(iter(told)) if len(told) == 1 else "; ".join(f"{name}: {form}" for name, form in forms.items())
    never = pd.Series(pd.NaT, facts.index, dtype="datetime64[us]")
    times = {fact: _in_zone(dates.times[name], zone_of(name)) for fact, name in there.items()}
    return dict.fromkeys(conversions, never) | times, words, faults


def _in_zone(times: pd.Series[Any], zone: dt.timezone | None) -> pd.Series[Any]:
    """Times in the zone that their column's name tells, if it tells one and they do not."""
    if zone is None or not pd.api.types.is_datetime64_dtype(times.dtype):
        return times
    zoned: pd.Series[Any] = times.dt.tz_localize(zone).dt.tz_convert("UTC")
    return zoned


def _created_by(recorded: list[pd.Series[Any]], created_at: pd.Series[Any], vocabulary: Vocabulary) -> dict[str, Any]:
    """The source, asset and certainty of each contact's creation: by its Record source and detail, else by the
    drill-downs of an Original source that is offline.
    """
    years = instants(created_at).dt.year.fillna(0).astype("int16")
    source, detail, drill_down, asset, original = recorded
    offline = {folded(text) for texts in shipped()["offline"].values() for text in texts}
    is_offline = _taken(np.array([folded(text) in offline for text in original.cat.categories], dtype=bool), original)
    by_drill_down = is_offline & (source == "").to_numpy()
    codes = {"source": source, "detail": detail, "drill_down": drill_down}
    keys = pd.DataFrame({name: cells.cat.codes for name, cells in codes.items()} | {"year": years})
    # Of all others the second drill-down says nothing, and may say something else in every row.
    keys["asset"] = np.where(by_drill_down, asset.cat.codes, -1)
    groups = keys.groupby(list(keys), sort=False)
    number = groups.ngroup().to_numpy()
    names = [vocabulary.recorded.get(folded(text), text) for text in source.cat.categories]
    details, tells, assets = (list(cells.cat.categories) for cells in (detail, drill_down, asset))

    def tool(of_source: int, of_detail: int, told: int, year: int, of_asset: int) -> Tool:
        found = tool_of(names[of_source], details[of_detail], tells[told], year, vocabulary.sources)
        if of_asset < 0 or found.source != NOT_COVERED:
            return found
        return tool_by_drill_down(tells[told], assets[of_asset], year, vocabulary.sources)

    tools = [tool(*map(int, key)) for key in keys[~keys.duplicated()].itertuples(index=False)]

    def spread(values: list[str], dtype: Any) -> pd.Series[Any]:
        return pd.Series(pd.Series(values, dtype="str").astype(dtype).array.take(number), created_at.index)

    return {
        "source": spread([tool.source for tool in tools], pd.CategoricalDtype(list(SOURCE_NAMES))),
        "asset": spread([tool.asset for tool in tools], "category"),
        "certainty": spread([tool.certainty for tool in tools], pd.CategoricalDtype(list(CERTAINTIES))),
    }


def _together(kind: pd.Series[Any], name: pd.Series[Any]) -> pd.Series[Any]:
    """What set the status: "FORM: Newsletter", or the one of the two that is there."""
    first, number = alike(kind.cat.codes.to_numpy(), name.cat.codes.to_numpy())
    texts = [": ".join(filter(None, pair)) for pair in zip(kind.iloc[first], name.iloc[first], strict=True)]
    return pd.Series(pd.Series(texts, dtype="str").astype("category").array.take(number), kind.index)
