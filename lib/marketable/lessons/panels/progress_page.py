"""Progress in words: a line, a learner's page, and the page of a class. All hold only counts and codes."""

from __future__ import annotations

import html

import pandas as pd

from marketable.views.document import document
from marketable.views.tables import html_table
from marketable.views.words import many

from ..cases import KINDS
from ..progress import Progress, Results
from ..results import by_kind, by_learner, by_lesson, by_question, to_practise

_NOTE = "There are counts and codes here, and neither names nor times."
_FINAL = "Cases of the final test, the hardest kind first."
_DONE = {  # by field of Progress: what there was, one of it and several, and what was done with it
    "questions": ("question", "questions", "right at the first try"),
    "predicted": ("contact", "contacts", "predicted right"),
    "found": ("switch", "switches", "found at once"),
    "within": ("tier", "tiers", "kept"),
    "explained": ("contact", "contacts", "explained"),
    "final": ("case of the final test", "cases of the final test", "right"),
}
_LABELS = {name: f"{several} {done}" for name, (_, several, done) in _DONE.items()}


def in_short(progress: Progress, lesson: str) -> str:
    """What has been done so far, in a line. Arguments: lesson, its id, or "" where it is about all.

    >>> one = Progress(code="K7M2QX", questions={"03_forms/1": True, "03_forms/2": False}, found={"right": 1})
    >>> in_short(one, "03_forms")
    'Lesson 3: 1 of 2 questions right at the first try. In all lessons: 1 of 1 switch found at once.'
    """
    here = [right for item, right in progress.questions.items() if item.startswith(f"{lesson}/")]
    asked = many(len(here), "question")
    said = f"{sum(here)} of {asked} right at the first try" if here else "no question answered yet"
    row = by_learner([progress]).iloc[0]
    everywhere = [
        f"{row[f'{name} right']:,} of {many(row[f'{name} asked'], one, several)} {done}"
        for name, (one, several, done) in _DONE.items()
        if name != "questions" and row[f"{name} asked"]
    ]
    done = f"In all lessons: {'; '.join(everywhere)}." if everywhere else ""
    if lesson:
        return f"Lesson {int(lesson[:2])}: {said}. {done}".rstrip()
    return done or "Nothing was answered yet."


def lesson_name(lesson: str) -> str:
    """A lesson's id as people read it.

    >>> lesson_name("04_contacts_that_exist_already")
    '4 · Contacts that exist already'
    """
    return f"{int(lesson[:2])} · {lesson[3:].replace('_', ' ').strip().capitalize()}"


def page(progress: Progress) -> str:
    """The page of one learner, as HTML that needs nothing else."""
    row = by_learner([progress]).iloc[0]
    figures = "".join(f"<div><dt>{label}</dt><dd>{_of(row, name)}</dd></div>" for name, label in _LABELS.items())
    lessons = by_lesson([progress])
    lessons["lesson"] = lessons["lesson"].map(lesson_name)
    began = "alone" if progress.seed is None else f"in the class with the seed {progress.seed}"
    return document(
        f"What {progress.code} has done in the lessons",
        f'<p class="mk-note">The lessons of marketable, begun {began}. {_NOTE}</p>'
        f'<dl class="mk-figures">{figures}</dl><p class="mk-lead">{html.escape(_next(progress))}</p>'
        f"<h2>By lesson</h2>{_questions(lessons, 'Questions right at the first try, by lesson.')}"
        f"<h2>By kind of contact</h2>{_kinds(to_practise(progress), 'Statuses predicted, most mistakes first.')}"
        f"<h2>Final test</h2>{_kinds(by_kind([progress], 'final'), _FINAL)}",
    )


def class_page(results: Results, seed: int | None) -> str:
    """The page of a class. The names of files that were rejected stay out of it: they may be anything."""
    reasons = results.rejected.groupby("reason").size().rename("files").reset_index()
    rejected = f"<h2>Not read</h2>{html_table(reasons, 'Files that were rejected.')}" if len(reasons) else ""
    return document(
        "Results of the class",
        f'<p class="mk-lead">{html.escape(hardest(results))}</p>'
        f'<p class="mk-note">{html.escape(read_as(results, seed))} {_NOTE}</p>'
        f"<h2>Where the class struggles</h2>{struggles(results)}<h2>The learners</h2>{learners(results)}{rejected}",
    )


def hardest(results: Results) -> str:
    """What a class finds hardest, in a sentence."""
    kinds = by_kind(results.used)
    if kinds.empty or not kinds["wrong"].any():
        return "No contact was predicted wrong." if len(kinds) else "No contact was predicted yet."
    first = kinds.iloc[0]
    share = f"wrong in {first['wrong']:,} of {many(first['asked'], 'prediction')}"
    return f"The class finds “{KINDS[first['kind']]}” the hardest: {share}."


def read_as(results: Results, seed: int | None) -> str:
    """How many files were read, used and rejected, and how many of them belong to another class."""
    used, rejected = len(results.used), len(results.rejected)
    said = f"{many(used + rejected, 'file')} read, {used:,} used, {rejected:,} rejected."
    others = sum(one.seed != seed for one in results.used)
    if seed is None or not others:
        return said
    other = f"{others:,} of the {used:,} were not begun in the class with the seed {seed}: other contacts were met."
    return f"{said} {other}"


def struggles(results: Results) -> str:
    """The class by kind of contact and by question, the hardest first."""
    questions = by_question(results.used)
    items = [item.split("/") for item in questions["question"]]
    questions.insert(0, "lesson", [lesson_name(lesson) for lesson, _ in items])
    questions["question"] = [number for _, number in items]
    kinds = _kinds(by_kind(results.used), "Statuses predicted, the hardest kind first.")
    kinds += _kinds(by_kind(results.used, "final"), _FINAL)
    return kinds + _questions(questions, "Questions, right or wrong at the first try, the hardest first.")


def learners(results: Results) -> str:
    """One row a learner."""
    rows = by_learner(results.used)
    if rows.empty:
        return "<p>There is no learner yet.</p>"
    counts = {label: [_of(row, name) for _, row in rows.iterrows()] for name, label in _LABELS.items()}
    table = pd.DataFrame({"code": rows["code"]} | counts)
    return html_table(table, f"{many(len(rows), 'learner')}, by code.", most=1_000)


def _next(progress: Progress) -> str:
    kinds = to_practise(progress)
    if kinds.empty:
        return "No contact was predicted yet."
    first = kinds.iloc[0]
    if not first["wrong"]:
        return "Every contact so far was predicted right."
    return f"To practise next: “{KINDS[first['kind']]}”, where {first['wrong']:,} of {first['asked']:,} were wrong."


def _questions(questions: pd.DataFrame, caption: str) -> str:
    return _counts(questions, caption) if len(questions) else "<p>No question was answered yet.</p>"


def _kinds(kinds: pd.DataFrame, caption: str) -> str:
    named = kinds.assign(kind=kinds["kind"].map(KINDS)).rename(columns={"kind": "kind of contact"})
    return _counts(named, caption) if len(kinds) else f"<p>{html.escape(caption.split(',')[0])}: none yet.</p>"


def _counts(frame: pd.DataFrame, caption: str) -> str:
    share = (100 * frame["wrong"] / frame["asked"]).round().astype(int)
    return html_table(frame.drop(columns="asked").assign(**{"% wrong": share}), caption, most=1_000)


def _of(row: pd.Series, name: str) -> str:
    return f"{row[f'{name} right']:,} of {row[f'{name} asked']:,}" if row[f"{name} asked"] else "none yet"
