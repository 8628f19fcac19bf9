"""Progress told: in a line, as a page that a learner may show, and as the page of a class. There are counts and codes
in them, and nothing else.
"""

from __future__ import annotations

import html

import pandas as pd

from marketable.views.document import document
from marketable.views.tables import html_table

from ..predict import KINDS
from ..progress import Progress, Results, Tally
from ..results import by_kind, by_learner, by_lesson, by_question, to_practise

_NOTE = "There are counts and codes here, and neither names nor times."
_KEPT = "kept at once, with nearly as many marketing contacts as the exact plan"


def in_short(progress: Progress, lesson: str) -> str:
    """What has been done so far, in a line. Arguments: lesson, its id.

    >>> one = Progress(code="K7M2QX", questions={"03_forms/1": True, "03_forms/2": False}, found=Tally(right=1))
    >>> in_short(one, "03_forms")
    'Lesson 3: 1 of 2 questions right at the first try. In all lessons: 1 of 1 switch found.'
    """
    asked = [right for item, right in progress.questions.items() if item.startswith(f"{lesson}/")]
    here = (
        f"{sum(asked)} of {_many(len(asked), 'question')} right at the first try"
        if asked
        else "no question answered yet"
    )
    row = by_learner([progress]).iloc[0]
    everywhere = [
        f"{row[f'{name} right']:,} of {_many(row[f'{name} asked'], what)} {done}"
        for name, what, done in (
            ("predicted", "contact", "predicted right"),
            ("found", "switch", "found"),
            ("within", "tier", "kept"),
            ("explained", "contact", "explained"),
        )
        if row[f"{name} asked"]
    ]
    return f"Lesson {int(lesson[:2])}: {here}." + (f" In all lessons: {'; '.join(everywhere)}." if everywhere else "")


def lesson_name(lesson: str) -> str:
    """A lesson's id as people read it.

    >>> lesson_name("04_contacts_that_exist_already")
    '4 · Contacts that exist already'
    """
    return f"{int(lesson[:2])} · {lesson[3:].replace('_', ' ').strip().capitalize()}"


def page(progress: Progress) -> str:
    """The page of one learner, as HTML that needs nothing else."""
    row = by_learner([progress]).iloc[0]
    figures = [
        ("questions right at the first try", _of(row, "questions")),
        ("contacts predicted right", _of(row, "predicted")),
        ("switches found", _of(row, "found")),
        ("tiers kept", _of(row, "within")),
        ("contacts explained", _of(row, "explained")),
    ]
    listed = "".join(f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in figures)
    began = "alone" if progress.seed is None else f"in the class with the seed {progress.seed}"
    return document(
        f"What {progress.code} has done in the lessons",
        f'<p class="mk-note">The lessons of marketable, begun {began}. {_NOTE}</p>'
        f'<dl class="mk-figures">{listed}</dl><p class="mk-lead">{html.escape(_next(progress))}</p>'
        f"<h2>By lesson</h2>{_lessons([progress], 'Questions right at the first try, by lesson.')}"
        f"<h2>By kind of contact</h2>{_kinds(to_practise(progress), 'Statuses predicted, most mistakes first.')}"
        f"<h2>Find the switch</h2><p>{_told(progress.found, 'switch', 'found at once')}</p>"
        f"<h2>Stay within the tier</h2><p>{_told(progress.within, 'tier', _KEPT)}</p>"
        f"<h2>Explain an export</h2><p>{_told(progress.explained, 'contact', 'explained')}</p>",
    )


def class_page(results: Results, seed: int | None) -> str:
    """The page of a class. The names of files that were rejected stay out of it: they may be anything."""
    reasons = results.rejected.groupby("reason").size().rename("files").reset_index()
    rejected = html_table(reasons, "Files that were rejected.") if len(reasons) else ""
    return document(
        "Results of the class",
        f'<p class="mk-lead">{html.escape(hardest(results))}</p>'
        f'<p class="mk-note">{html.escape(read_as(results, seed))} {_NOTE}</p>'
        f"<h2>Where the class struggles</h2>{struggles(results)}<h2>The learners</h2>{learners(results)}"
        + (f"<h2>Not read</h2>{rejected}" if rejected else ""),
    )


def hardest(results: Results) -> str:
    """What a class finds hardest, in a sentence."""
    kinds = by_kind(results.used)
    if kinds.empty or not kinds["wrong"].any():
        return "No contact was predicted wrong." if len(kinds) else "No contact was predicted yet."
    first = kinds.iloc[0]
    told = f"wrong in {first['wrong']:,} of {_many(first['asked'], 'prediction')}"
    return f"The class finds “{KINDS[first['kind']]}” the hardest: {told}."


def read_as(results: Results, seed: int | None) -> str:
    """How many files were read, used and rejected, and how many of them belong to another class."""
    used, rejected = len(results.used), len(results.rejected)
    told = f"{_many(used + rejected, 'file')} read, {used:,} used, {rejected:,} rejected."
    others = sum(one.seed != seed for one in results.used)
    if seed is not None and others:
        told += (
            f" {others:,} of the {used:,} were not begun in the class with the seed {seed}: other contacts were met."
        )
    return told


def struggles(results: Results) -> str:
    """The class by kind of contact and by question, the hardest first."""
    questions = by_question(results.used)
    questions = pd.DataFrame(
        {
            "lesson": [lesson_name(item.split("/")[0]) for item in questions["question"]],
            "question": [item.split("/")[1] for item in questions["question"]],
        }
        | _counts(questions)
    )
    asked = html_table(questions, "Questions, right or wrong at the first try, the hardest first.", most=1_000)
    kinds = _kinds(by_kind(results.used), "Statuses predicted, the hardest kind first.")
    return kinds + (asked if len(questions) else "<p>No question was answered yet.</p>")


def learners(results: Results) -> str:
    """One row a learner."""
    rows = by_learner(results.used)
    if rows.empty:
        return "<p>There is no learner yet.</p>"
    names = {
        "questions": "questions right at the first try",
        "predicted": "predicted right",
        "found": "switches found",
        "within": "tiers kept",
        "explained": "contacts explained",
    }
    told = {label: [_of(row, name) for _, row in rows.iterrows()] for name, label in names.items()}
    table = pd.DataFrame({"code": rows["code"]} | told)
    return html_table(table, f"{_many(len(rows), 'learner')}, by code.", most=1_000)


def _next(progress: Progress) -> str:
    kinds = to_practise(progress)
    if kinds.empty:
        return "No contact was predicted yet."
    first = kinds.iloc[0]
    if not first["wrong"]:
        return "Every contact so far was predicted right."
    return f"To practise next: “{KINDS[first['kind']]}”, where {first['wrong']:,} of {first['asked']:,} were wrong."


def _lessons(progress: list[Progress], caption: str) -> str:
    lessons = by_lesson(progress)
    if lessons.empty:
        return "<p>No question was answered yet.</p>"
    names = [lesson_name(lesson) for lesson in lessons["lesson"]]
    return html_table(pd.DataFrame({"lesson": names} | _counts(lessons)), caption)


def _kinds(kinds: pd.DataFrame, caption: str) -> str:
    if kinds.empty:
        return "<p>No contact was predicted yet.</p>"
    names = [KINDS[kind] for kind in kinds["kind"]]
    return html_table(pd.DataFrame({"kind of contact": names} | _counts(kinds)), caption)


def _counts(frame: pd.DataFrame) -> dict[str, object]:
    share = (100 * frame["wrong"] / frame["asked"]).round().astype(int)
    return {"right": frame["right"], "wrong": frame["wrong"], "% wrong": share}


def _of(row: pd.Series, name: str) -> str:
    return f"{row[f'{name} right']:,} of {row[f'{name} asked']:,}" if row[f"{name} asked"] else "none yet"


def _told(tally: Tally, what: str, done: str) -> str:
    return f"{tally.right:,} of {_many(tally.asked, what)} {done}." if tally.asked else "Not tried yet."


def _many(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 'es' if what.endswith('ch') else 's'}"
