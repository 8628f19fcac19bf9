"""What the progress of one learner or of many adds up to: by learner, lesson, question, and kind of contact."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pandas as pd

from .progress import FIELDS, Progress, Tally

_COUNTS = ["right", "asked", "wrong"]


def answers(progress: Iterable[Progress]) -> pd.DataFrame:
    """One row a learner, exercise and item that was asked for: code, exercise (a field of Progress), item, and how many
    answers were right, asked for, and wrong.
    """
    rows = []
    for one in progress:
        for field in FIELDS.values():
            found = getattr(one, field)
            for item, of in ({"": found} if isinstance(found, Tally) else found).items():
                right, wrong = (of.right, of.wrong) if isinstance(of, Tally) else (int(of), int(not of))
                rows.append((one.code, field, item, right, right + wrong, wrong))
    frame = pd.DataFrame(rows, columns=["code", "exercise", "item", *_COUNTS])
    return frame[frame["asked"] > 0]


def by_learner(progress: Sequence[Progress]) -> pd.DataFrame:
    """One row a learner, by code: for each exercise how many answers were right, and of how many."""
    sums = answers(progress).pivot_table(index="code", columns="exercise", values=_COUNTS, aggfunc="sum", fill_value=0)
    names = [(count, field) for field in FIELDS.values() for count in ("right", "asked")]
    wanted = sums.reindex(index=sorted(one.code for one in progress), columns=names, fill_value=0).astype(int)
    return wanted.set_axis([f"{field} {count}" for count, field in names], axis=1).rename_axis("code").reset_index()


def by_lesson(progress: Iterable[Progress]) -> pd.DataFrame:
    """One row a lesson, in their order: questions right at the first try, answered, wrong."""
    return _sums(progress, "questions", "lesson").sort_values("lesson", ignore_index=True)


def by_question(progress: Iterable[Progress]) -> pd.DataFrame:
    """One row a question, the hardest first: right at the first try, answered, wrong."""
    return _sums(progress, "questions", "question")


def by_kind(progress: Iterable[Progress], field: str = "predicted") -> pd.DataFrame:
    """One row a kind of contact that was asked for, the hardest first: right, asked, wrong; in practice, or, where the
    field is `final`, in the final test.

    >>> one = Progress(code="K7M2QX", predicted={"fixed": Tally(right=8, wrong=2), "existing": Tally(right=1, wrong=2)})
    >>> by_kind([one])
           kind  right  asked  wrong
    0  existing      1      3      2
    1     fixed      8     10      2
    """
    return _sums(progress, field, "kind")


def to_practise(progress: Progress) -> pd.DataFrame:
    """`by_kind` of one learner, in the order in which they are worth practising: most mistakes first."""
    return by_kind([progress]).sort_values("wrong", ascending=False, kind="stable", ignore_index=True)


def _sums(progress: Iterable[Progress], field: str, name: str) -> pd.DataFrame:
    """By item of an exercise, or by lesson: first what was wrong for the largest part, or the most often."""
    found = answers(progress)
    found = found[found["exercise"] == field].rename(columns={"item": name})
    if name == "lesson":
        found[name] = found[name].str.partition("/")[0] if len(found) else found[name]
    sums = found.groupby(name, as_index=False)[_COUNTS].sum()
    share = (sums["wrong"] / sums["asked"]).rename("share")
    hardest = sums.assign(share=share).sort_values(["share", "wrong", name], ascending=[False, False, True])
    return hardest[[name, *_COUNTS]].reset_index(drop=True)
