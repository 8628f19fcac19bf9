"""What one learner has done: counts, which questions were right at the first try, and a code instead of a name.

Where the learner wants it, a small JSON file holds it, `progress-CODE.json`. The file is read anew under a lock before
each answer is added, so that several lessons may be open at once. A file from anywhere is read with care: what the
lessons would not have written is refused.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
import stat
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import pandas as pd
from pydantic import Field

from marketable.errors import DataError, MarketableError, UnknownNameError, nearest
from marketable.paths import SAVED, write_whole
from marketable.rulebook import SOURCES, Rulebook
from marketable.settings import Strict, validate

from .cases import KINDS
from .export import ASKED

FOLDER = SAVED / "progress"
LETTERS = "23456789BCDFGHJKMNPQRSTVWXYZ"  # none that look alike; without vowels they make no words
MADE_UP = "made-up"
SEEDS = 2**31
FIELDS = {
    "question": "questions",
    "predict": "predicted",
    "find": "found",
    "within": "within",
    "explain": "explained",
    "final": "final",
}
_FORMAT = 1
_LAST = ".last"
_LIMIT = 64_000  # bytes
_CODE, _QUESTION = f"[{LETTERS}]{{6}}", "[0-9]{2}_[a-z_]{1,60}/[1-9]"
_FILE = re.compile(f"progress-({_CODE})[.]json")
MOST_FILES = 10_000  # in a folder; a server's disk is not filled by who makes codes by the thousand
_ADVICE = "Take the file as the lessons wrote it, or begin a new one: this one was left as it is."

if sys.platform == "win32":
    import msvcrt

    def _lock(file: int) -> None:
        msvcrt.locking(file, msvcrt.LK_LOCK, 1)
else:
    import fcntl

    def _lock(file: int) -> None:
        fcntl.flock(file, fcntl.LOCK_EX)


Count = Annotated[int, Field(strict=True, ge=0, le=1_000_000)]
Seed = Annotated[int, Field(strict=True, ge=0, le=SEEDS)]
_Item = Annotated[str, Field(pattern=f"^{_QUESTION}$")]
_Kind = Annotated[str, Field(pattern=f"^({'|'.join(KINDS)})$")]
_Right = Annotated[bool, Field(strict=True)]


class Tally(Strict):
    """How many answers were right, and how many wrong."""

    right: Count = 0
    wrong: Count = 0

    def plus(self, right: bool) -> Tally:
        """The tally with one answer more."""
        return Tally(right=self.right + right, wrong=self.wrong + (not right))


class Progress(Strict):
    """What one learner has done, without anything that says who it is.

    Arguments: format, the version of the file; code; seed, the class's in which it was begun, if it was in one;
    questions, whether each was right at the first try, by `lesson/number`; predicted, contacts by their kind; found,
    switches; within, tiers that were kept; explained, contacts of an export; final, cases of the final test by their
    kind.

    >>> progress = Progress(code="K7M2QX").after("predict", "fixed", True).after("predict", "fixed", False)
    >>> progress.predicted["fixed"]
    Tally(right=1, wrong=1)
    """

    format: Annotated[int, Field(strict=True, ge=_FORMAT, le=_FORMAT)] = _FORMAT
    code: Annotated[str, Field(pattern=f"^{_CODE}$")]
    seed: Seed | None = None
    questions: Annotated[Mapping[_Item, _Right], Field(max_length=500)] = {}
    predicted: Mapping[_Kind, Tally] = {}
    found: Tally = Tally()
    within: Tally = Tally()
    explained: Tally = Tally()
    final: Mapping[_Kind, Tally] = {}

    def after(self, exercise: str, item: str, right: bool) -> Progress:
        """The progress after one more answer. Of a question the first answer counts.

        Arguments: exercise and item, "question" and `lesson/number`, "predict" or "final" and a kind of contact, "find"
        and the source of the switch, "within" and "made-up", "explain" and one of the audit's explanations.
        Raises: UnknownNameError for an exercise or item there is not.
        """
        check_answer(exercise, item)
        before = getattr(self, FIELDS[exercise])
        if exercise == "question":
            after: object = {item: bool(right), **before}
        elif isinstance(before, Tally):
            after = before.plus(bool(right))
        else:
            after = {**before, item: before.get(item, Tally()).plus(bool(right))}
        return validate(Progress, dict(self) | {FIELDS[exercise]: after}, DataError, {})

    @classmethod
    def load(cls, path: str | Path) -> Progress:
        """The progress in a file. Raises: DataError for whatever the lessons would not have written. What stands in
        such a file is not repeated: it may be anything.
        """
        path = Path(path)
        named = _FILE.fullmatch(path.name)
        if not named:
            raise DataError("The file's name is not that of progress", file=path, expected="progress-CODE.json")
        data = _parsed(_content(path), path)
        if isinstance(data, dict) and (type(data.get("format")), data.get("format")) != (int, _FORMAT):
            raise DataError("The file was not written by this version of the lessons", file=path, advice=_ADVICE)
        try:
            progress = validate(cls, data, DataError, {})
        except MarketableError as wrong:
            at = str(wrong.place[0]) if wrong.place and wrong.place[0] in cls.model_fields else None
            problem = "The file does not hold progress as the lessons write it"
            raise DataError(problem, file=path, column=at, advice=_ADVICE) from None
        if progress.code != named[1]:
            raise DataError("The file's name does not bear the code in it", file=path, advice=_ADVICE)
        return progress

    def text(self) -> str:
        """The progress as its file holds it."""
        return json.dumps(self.model_dump(), indent=1) + "\n"

    def save(self, folder: str | Path = FOLDER) -> Path:
        """Writes the file, whole or not at all, and says where it stands."""
        path = file_of(self.code, folder)
        write_whole(path, self.text().encode())
        return path


class Results(NamedTuple):
    """The progress files of a folder: those that were read, and those that were rejected (file, reason)."""

    used: tuple[Progress, ...]
    rejected: pd.DataFrame


def checked_code(text: str) -> str:
    """A code as it was typed, with small letters or blanks around it. Raises: DataError for what is no code.

    >>> checked_code(" k7m2qx ")
    'K7M2QX'
    """
    code = text.strip().upper()
    if re.fullmatch(_CODE, code):
        return code
    raise DataError("This is no code", value=text, expected="six letters and digits as they were shown, like K7M2QX")


def check_answer(exercise: str, item: str) -> None:
    """Raises: UnknownNameError, where there is no such exercise, or no such item in it."""
    if exercise == "question":
        if not re.fullmatch(_QUESTION, item):
            raise UnknownNameError("There is no such question", value=item, expected="like 01_what_it_is/2")
        return
    switched = tuple(source for source in SOURCES if Rulebook.load().scope(source))
    items = {"predict": KINDS, "final": KINDS, "find": switched, "within": (MADE_UP,), "explain": ASKED}
    for name, valid in ((exercise, FIELDS), (item, items.get(exercise, ()))):
        if name not in valid:
            expected, near = f"one of {', '.join(valid)}", nearest(name, valid)
            raise UnknownNameError("There is no such exercise or item", value=name, expected=expected, nearest=near)


def file_of(code: str, folder: str | Path = FOLDER) -> Path:
    """Where the progress of a code stands in a folder. Raises: DataError for what is no code."""
    return Path(folder) / f"progress-{checked_code(code)}.json"


def begin(seed: int | None = None, folder: str | Path = FOLDER) -> Progress:
    """A new progress with a code that nobody in the folder has, saved."""
    with alone(folder):
        if sum(1 for _ in Path(folder).glob("progress-*.json")) >= MOST_FILES:
            full, advice = f"{MOST_FILES:,} files", "Whoever keeps this folder deletes the files of those who are done."
            raise DataError("There is no room for another progress file here", value=full, advice=advice)
        while True:
            progress = Progress(code="".join(secrets.choice(LETTERS) for _ in range(6)), seed=seed)
            if not file_of(progress.code, folder).exists():
                progress.save(folder)
                return progress


def resume(code: str, folder: str | Path = FOLDER) -> Progress:
    """The progress of a code. Raises: DataError where there is none."""
    path = file_of(code, folder)
    if not path.exists():
        advice = "Look at the code again, or begin anew."
        raise DataError("There is no progress with this code here", value=checked_code(code), advice=advice)
    return Progress.load(path)


def guessed(folder: str | Path = FOLDER) -> None:
    """To be called for a code that is not here, where many share a folder: it takes a second, and only one at a time
    takes it. So nobody finds another's code by trying.
    """
    with alone(folder, ".guessed"):
        time.sleep(1)


def add(code: str, answers: list[tuple[str, str, bool]], folder: str | Path = FOLDER) -> Progress:
    """Adds answers (exercise, item, right) to what the file of a code holds by now, and returns the sum.

    Raises: DataError where the file is gone: what was deleted is not made again.
    """
    with alone(folder):
        progress = resume(code, folder)
        for exercise, item, right in answers:
            progress = progress.after(exercise, item, right)
        progress.save(folder)
        return progress


def delete(code: str, folder: str | Path = FOLDER) -> None:
    """Deletes the file of a code."""
    with alone(folder):
        file_of(code, folder).unlink(missing_ok=True)


def remember(code: str, folder: str | Path = FOLDER) -> None:
    """Notes which code is used on this computer."""
    write_whole(Path(folder) / _LAST, checked_code(code).encode())


def remembered(folder: str | Path = FOLDER) -> str | None:
    """The code used last on this computer, if its file is still there. The file that was changed last may be somebody
    else's: one that a trainer collected, or one that the app keeps.
    """
    with contextlib.suppress(MarketableError, ValueError):
        code = checked_code(_content(Path(folder) / _LAST).decode())
        return code if file_of(code, folder).exists() else None
    return None


def read_many(folder: str | Path = FOLDER) -> Results:
    """Every file in the folder that is called progress-….json, and no other: read, or rejected with the reason.

    Raises: DataError where the folder cannot be read.
    """
    used, rejected = [], []
    try:
        files = sorted(path for path in Path(folder).iterdir() if path.match("progress-*.json"))
    except (OSError, ValueError) as wrong:
        advice = "Give the folder in which the learners' progress files are."
        why = getattr(wrong, "strerror", None) or wrong
        raise DataError(f"The folder cannot be read: {why}", value=str(folder), advice=advice) from None
    for path in files:
        try:
            used.append(Progress.load(path))
        except DataError as wrong:
            at = f" at {wrong.column}" if wrong.column else ""
            expected = f", expected {wrong.expected}" if wrong.expected else ""
            rejected.append((path.name, f"{wrong.problem}{at}{expected}."))
    return Results(tuple(used), pd.DataFrame(rejected, columns=["file", "reason"]))


def _content(path: Path) -> bytes:
    """What stands in an ordinary small file: no link is followed, and nothing that would make one wait is opened."""
    flags = (getattr(os, name, 0) for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_BINARY"))
    try:
        if not stat.S_ISREG(path.lstat().st_mode):
            raise DataError("This is no ordinary file, and links are not followed", file=path, advice=_ADVICE)
        with os.fdopen(os.open(path, os.O_RDONLY | sum(flags)), "rb") as file:
            content = file.read(_LIMIT + 1)
    except OSError as wrong:
        raise DataError(f"The file cannot be read: {wrong.strerror}", file=path) from None
    if len(content) > _LIMIT:
        raise DataError("The file is too big to be progress", file=path, advice=_ADVICE)
    return content


def _parsed(content: bytes, path: Path) -> Any:
    def each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(dict(pairs)) < len(pairs):
            raise ValueError
        return dict(pairs)

    try:
        return json.loads(content.decode("utf-8-sig"), object_pairs_hook=each_once)
    except (ValueError, RecursionError):
        raise DataError("The file is not JSON as the lessons write it", file=path, advice=_ADVICE) from None


@contextlib.contextmanager
def alone(folder: str | Path, lock: str = ".lock") -> Iterator[None]:
    """While nobody else changes the folder's files. The system lifts the lock of a process that is killed."""
    Path(folder).mkdir(parents=True, exist_ok=True)
    file = os.open(Path(folder) / lock, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o600)
    try:
        _lock(file)
        yield
    finally:
        os.close(file)
