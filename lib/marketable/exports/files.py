"""The files that an export consists of: which they are, in which order they count, and how one of them is read.

Where the same contact stands in several files it is used once: from the newest. What the newest says of a contact
holds even where its row is rejected (the contact is deleted, or its status is not known): older facts do not come back.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from marketable.errors import DataError
from marketable.paths import at_home, is_folder
from marketable.reading.dates import instants
from marketable.reading.tables import FilePath, first_faults, read_bytes, read_table, rejected_rows

from .contacts import GONE, Rows
from .envelopes import Contents, is_json, unwrapped
from .vocabulary import shipped

SUFFIXES = (".csv", ".xlsx", ".parquet", ".json", ".jsonl")
Progress = Callable[[int, int, str], None]
REPEATED = "The contact stands already in"
"""Part of the reason of every row that repeats a contact which is used from elsewhere: no fault."""
BY_DAY = "The newest is first: by the day in its name, else by the latest moment it tells"
_TOLD_APART = (
    "{:,} were rounded by Excel and are lost: these contacts are known by their e-mail. Export again, and do not open "
    "the file in Excel, to act on contacts by Record ID"
)
NOT_IN_NEWEST = "not in the newest file"
WHY = pd.CategoricalDtype(["merged", *GONE, NOT_IN_NEWEST])
_MOMENTS = 10
_SUBMISSIONS, _HISTORY, _FORMS = "contact_form_submission", "property_history", "form"
_DAY = re.compile(r"-(\d{4}-\d\d-\d\d)(?:-\d+)?(?: ?\(\d+\))?$")


def openable(folder: Path) -> list[Path]:
    """The files of a folder that may be opened, by name."""
    files = sorted(folder.iterdir()) if folder.is_dir() else []
    return [file for file in files if file.suffix.lower() in SUFFIXES and beside_of(file) is None]


def beside_of(file: Path) -> str | None:
    """What a file is beside a warehouse's table of contacts: `submissions`, `history`, `forms`; None where it is not.

    >>> [beside_of(Path(name)) for name in ("contact.csv", "hubspot_contact_property_history.csv", "form.parquet")]
    [None, 'history', 'forms']
    """
    stem = file.stem.casefold()
    if _SUBMISSIONS in stem or stem.endswith(_HISTORY):
        return "submissions" if _SUBMISSIONS in stem else "history"
    return "forms" if stem == _FORMS and file.suffix.lower() in (".csv", ".parquet") else None


def tables_beside(path: FilePath | Iterable[FilePath]) -> dict[str, Path]:
    """The tables that stand beside a warehouse's tables of contacts, in a folder or among the files that are given."""
    named = [path] if isinstance(path, (str, os.PathLike)) else list(path)
    folders = [sorted(each.iterdir()) if is_folder(each) else [each] for each in map(at_home, named)]
    files = [file for folder in folders for file in folder if file.suffix.lower() in SUFFIXES]
    return {kind: file for file in files if (kind := beside_of(file)) is not None} if len(files) > 1 else {}


def submissions_of(path: Path) -> Path | None:
    """Fivetran's table of form submissions beside its table of contacts, None where there is none."""
    beside = path.with_name(path.name.replace("contact", _SUBMISSIONS, 1))
    with contextlib.suppress(OSError):  # too long a name
        return beside if beside != path and beside.is_file() else None
    return None


def files_of(path: FilePath | Iterable[FilePath]) -> list[Path]:
    """The files that are meant: those with a day in their names, the newest first, then the others as they are given.

    Arguments: path, of a file, of a folder (all that may be opened in it), or several of these.
    Raises: DataError, where there are none.

    >>> [file.name for file in files_of(["vip.csv", "hubspot-crm-exports-all-2026-10-30.csv", "x-2026-10-31-1.csv"])]
    ['x-2026-10-31-1.csv', 'hubspot-crm-exports-all-2026-10-30.csv', 'vip.csv']
    """
    named = [path] if isinstance(path, (str, os.PathLike)) else list(path)
    files: list[Path] = []
    for each in map(at_home, named):
        files += openable(each) if is_folder(each) else [each]
    if len(files) > 1:  # what alone is given is meant
        files = [file for file in files if beside_of(file) is None]
    if not files:
        expected = f"files that end in {', '.join(SUFFIXES)}"
        raise DataError("There are no files to read", value=", ".join(map(str, named)), expected=expected)
    return sorted(files, key=lambda file: day_of(file) or dt.date.min, reverse=True)


def newest_first(files: list[Path], parts: list[Rows]) -> list[int]:
    """The numbers of the files, that of the newest first: those first whose contacts count.

    A file is as new as the day in its name, else as the latest moment it tells: it is not older than that, so it goes
    before a file of an earlier day, and behind one of a later or the same day, which may be the newer one. What is
    equally new stays as it was given.
    """
    if len(files) == 1:
        return [0]
    ages = [_end(day) if day else _latest(part) for day, part in zip(map(day_of, files), parts, strict=True)]
    return sorted(range(len(files)), key=lambda number: ages[number], reverse=True)


def labels_of(files: list[Path]) -> list[str]:
    """What the files are called in messages: their names, or as much of their paths as tells them apart."""
    names = [file.name for file in files], [f"{file.parent.name}/{file.name}" for file in files]
    return next((each for each in names if len(set(each)) == len(files)), [str(file) for file in files])


def contents_of(
    path: FilePath, fact: Callable[[str], str | None], progress: Callable[[int, int], None] | None
) -> Contents:
    """What the file holds, whether it is a table or JSON.

    Arguments: path; fact, what a column of a name tells, None where it is not wanted; progress, called with the bytes
    read and all of them.
    """
    try:
        with Path(path).open("rb") as file:
            start = file.read(4096)
    except (OSError, ValueError):
        start = read_bytes(path)  # it says what is wrong
    if is_json(start):
        return unwrapped(read_bytes(path), path, fact)
    return Contents(read_table(path, known=lambda name: fact(name) is not None, progress=progress))


@dataclass(frozen=True, eq=False)
class Together:
    """The contacts of several files, each once.

    `used`: numbered from 0, with contact_id, and the `file` and `row` they are used from. `rejected`: the rejected rows
    of each file. `gone`: contact_id, why, into. `seen`: contact_id, day, status, of contacts in several dated files.
    `notes`: in words.
    """

    used: pd.DataFrame
    rejected: list[pd.DataFrame]
    gone: pd.DataFrame
    seen: pd.DataFrame
    notes: dict[str, str]

    @property
    def merged(self) -> dict[str, str]:
        """The contacts that others have absorbed, and these."""
        into = self.gone[self.gone["into"] != ""]
        return dict(zip(into["contact_id"], into["into"], strict=True))


def together(parts: list[Rows], files: list[Path], labels: list[str]) -> Together:
    """The contacts of several files, each once.

    Arguments: parts, what the files tell, those first whose contacts count; files, where they were read; labels, what
    these are called.

    A contact is known by its Record ID, else by its e-mail: by the Record ID that stands beside the e-mail in another
    row, where there is one. Rejected rows that say who is meant keep those of later files out. Gone is who is deleted
    or archived, whom another contact has absorbed, and who is missing from the newer of two exports of all contacts.
    """
    keys = []
    for number, part in enumerate(parts):
        status = part.frame["status"].astype("str").fillna("")
        keys.append(part.frame[["record_id", "email"]].assign(status=status, lost="", gone="", file=number))
        lost = part.lost if len(parts) > 1 else part.lost[part.lost["gone"] != ""]
        keys.append(lost.rename(columns={"reason": "lost"}).assign(status="", file=number))
    who = pd.concat([key.reset_index(names="row") for key in keys], ignore_index=True)
    contact_id, lonely = who["record_id"], who["record_id"] == ""
    if lonely.any():
        both = who[~lonely & (who["email"] != "")].drop_duplicates("email").set_index("email")["record_id"]
        learned = who["email"][lonely]
        contact_id = contact_id.mask(lonely, learned.map(both).fillna(learned) if len(both) else learned)
    is_rejected, again = (who["lost"] != "") & (who["gone"] == ""), contact_id.duplicated()
    rejected = [part.rejected for part in parts]
    notes = {}
    if again.any():
        first = who[~again & contact_id.isin(contact_id[again])]
        first = first.set_index(contact_id[first.index])[["file", "row", "status", "lost", "gone"]]
        first = first.loc[contact_id[again]].set_axis(who.index[again])
        for number, part in enumerate(parts):
            mine = again & ~is_rejected & (who["file"] == number)
            stands = first[mine[again]]
            rows = pd.Index(who["row"][mine])
            reasons = [
                f"The row that counts, {labels[file]}, row {row}, {f'says: {why}' if gone else f'is rejected: {why}'}"
                if why
                else f"{REPEATED} {'' if file == number else f'{labels[file]}, '}row {row}"
                f"{', with another status' if status != own else ''}"
                for (file, row, status, why, gone), own in zip(
                    stands.itertuples(index=False, name=None), who["status"][mine], strict=True
                )
            ]
            keyed = contact_id[mine].set_axis(rows)
            repeated = rejected_rows(keyed, part.key, pd.Series(reasons, rows, dtype="str"))
            rejected[number] = first_faults(part.rejected, repeated)
    why, into = _gone(parts, files, who.assign(contact_id=contact_id), ~again & ~is_rejected)
    gone = pd.DataFrame({"contact_id": contact_id[why != ""], "why": why[why != ""], "into": into[why != ""]})
    frames = [
        part.frame[~part.frame.index.isin([*faults["row"], *who["row"][(why != "") & (who["file"] == number)]])]
        if len(faults) or len(gone)
        else part.frame
        for number, (part, faults) in enumerate(zip(parts, rejected, strict=True))
    ]
    used = frames[0] if len(frames) == 1 else _stacked(frames)
    origin = who[["file", "row"]][~again & ~is_rejected & (why == "")]
    used = used.reset_index(drop=True)
    used.insert(0, "contact_id", contact_id[origin.index].array)
    used = used.assign(file=origin["file"].array, row=origin["row"].array)
    by_email = used.pop("ruined") & (used["contact_id"] == used["email"])
    if by_email.any():
        notes["record ids"] = _TOLD_APART.format(int(by_email.sum()))
    times = sum(int(is_repeated(faults).sum()) for faults in rejected)
    if times:
        rows_repeat = "row repeats" if times == 1 else "rows repeat"
        notes["repeated"] = f"{times:,} {rows_repeat} a contact, which is counted once: no fault"
    if len(gone):
        counts = ", ".join(f"{number:,} {why}" for why, number in gone["why"].value_counts().items())
        notes["gone"] = f"{len(gone):,} contacts are no more and do not count: {counts}"
    strangers = [
        label
        for number, (label, is_replaced) in enumerate(zip(labels, _replaced(files, parts), strict=True))
        if is_replaced and not contact_id[who["file"] == number].isin(contact_id[who["file"] != number]).any()
    ]
    if strangers:
        notes["other portals"] = (
            f"{', '.join(strangers)}: no contact of it stands in another file. Perhaps it is of another portal: read "
            "the files of each portal apart"
        )
    gone = gone.reset_index(drop=True).astype({"contact_id": "str", "why": WHY, "into": "str"})
    return Together(used, rejected, gone, _seen(who.assign(contact_id=contact_id), files), notes)


def _gone(
    parts: list[Rows], files: list[Path], who: pd.DataFrame, counts: pd.Series[bool]
) -> tuple[pd.Series[str], pd.Series[str]]:
    """By row why its contact is no more, blank where it is; and what it went into.

    Arguments: who, contact_id, row, file and gone of each row; counts, which of them count.
    """
    why = who["gone"].where(counts, "")
    replaced = [number for number, is_replaced in enumerate(_replaced(files, parts)) if is_replaced]
    if replaced:
        why = why.mask(counts & (why == "") & who["file"].isin(replaced), NOT_IN_NEWEST)
    into = pd.Series("", who.index, dtype="str")
    pairs = [part.merged.assign(file=number) for number, part in enumerate(parts) if len(part.merged)]
    if pairs:
        told = pd.concat(pairs).merge(who[["file", "row", "contact_id"]], on=["file", "row"])
        merges = _ends(dict(zip(told["absorbed"], told["contact_id"], strict=True)))
        absorbed = who["contact_id"].map(merges).where(counts)
        why = why.mask(absorbed.notna(), "merged")
        into = into.mask(absorbed.notna(), absorbed)
    return why, into


def _ends(merges: dict[str, str]) -> dict[str, str]:
    """Each absorbed contact, and the one that there is in the end; nobody of a circle is gone."""
    ends = {}
    for absorbed in merges:
        at, passed = absorbed, set[str]()
        while at in merges and at not in passed:
            passed.add(at)
            at = merges[at]
        if at not in passed:
            ends[absorbed] = at
    return ends


def _replaced(files: list[Path], parts: list[Rows]) -> list[bool]:
    """By file, whether a newer export of all contacts stands beside it."""
    whole = [_all_contacts(file) and bool(len(part.frame)) for file, part in zip(files, parts, strict=True)]
    days = [day_of(file) if is_whole else None for file, is_whole in zip(files, whole, strict=True)]
    newest = max(filter(None, days), default=None)
    return [day is not None and day != newest for day in days]


def _all_contacts(file: Path) -> bool:
    """Whether a file's name says that it is HubSpot's export of all contacts."""
    views = [view for names in shipped()["all_contacts"].values() for view in names]
    before = _DAY.split(file.stem)[0]
    return day_of(file) is not None and before in {f"hubspot-crm-exports-{view}" for view in views}


def _seen(who: pd.DataFrame, files: list[Path]) -> pd.DataFrame:
    """What the dated files say of the contacts that stand in several of them."""
    days = [day_of(file) for file in files]
    if len(set(days) - {None}) < 2:
        return pd.DataFrame(columns=["contact_id", "day", "status"])
    seen = who[["contact_id", "status"]].assign(day=who["file"].map(dict(enumerate(pd.to_datetime(pd.Series(days))))))
    seen = seen[seen["day"].notna() & (seen["status"] != "")].drop_duplicates(["contact_id", "day"])
    return seen[seen["contact_id"].duplicated(keep=False)]


def is_repeated(rejected: pd.DataFrame) -> pd.Series[bool]:
    """Which rejected rows repeat a contact that is used from elsewhere."""
    return rejected["reason"].str.contains(REPEATED, regex=False)


def _stacked(frames: list[pd.DataFrame]) -> pd.DataFrame:
    """The frames under one another, with the columns that all of them have; those without a row have no say."""
    frames = [frame for frame in frames if len(frame)] or frames[:1]
    shared = [name for name in frames[0] if all(name in frame for frame in frames)]
    columns = {}
    for name in shared:
        parts = [frame[name] for frame in frames]
        told = [part.dtype for part in parts if part.notna().any()]
        if len(set(told)) == 1:  # what is blank all through has the kind of the others
            parts = [part if part.notna().any() else pd.Series(index=part.index, dtype=told[0]) for part in parts]
        coded = isinstance(parts[0].dtype, pd.CategoricalDtype) and len({part.dtype for part in parts}) > 1
        columns[name] = (
            pd.concat([part.astype("str") for part in parts]).astype("category") if coded else pd.concat(parts)
        )
    return pd.DataFrame({name: column.array for name, column in columns.items()})


def _end(day: dt.date) -> list[pd.Timestamp]:
    return [pd.Timestamp(day, tz="UTC") + pd.Timedelta(days=1)]


def _latest(part: Rows) -> list[pd.Timestamp]:
    """The latest moments that a file tells, the last one first. A mistaken one that all files tell decides nothing."""
    names = ("created_at", "first_conversion_at", "recent_conversion_at", "mailed_at")
    times = pd.concat([instants(part.frame[name]) for name in names if name in part.frame])
    return list(times.nlargest(_MOMENTS))


def day_of(file: Path) -> dt.date | None:
    """The day in a file's name."""
    found = _DAY.search(file.stem)
    try:
        return dt.date.fromisoformat(found[1]) if found else None
    except ValueError:
        return None
