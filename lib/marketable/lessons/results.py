"""What the progress of one learner or of many adds up to: by learner, lesson, question, and kind of contact."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pandas as pd

from .predict import KINDS
from .progress import Progress, Tally

_EXERCISES = ("questions", "predicted", "found", "within", "explained")
_COUNTED = ["right", "asked", "wrong"]


def by_learner(progress: Sequence[Progress]) -> pd.DataFrame:
    """One row a learner, by code: for each exercise how many answers were right, and of how many."""
    rows = []
    for one in progress:
        tallies = {
            "questions": _sum(Tally().plus(right) for right in one.questions.values()),
            "predicted": _sum(one.predicted.values()),
            "found": one.found,
            "within": one.within,
            "explained": one.explained,
        }
        counts = {f"{name} {count}": getattr(of, count) for name, of in tallies.items() for count in _COUNTED[:2]}
        rows.append({"code": one.code} | counts)
    names = [f"{name} {count}" for name in _EXERCISES for count in _COUNTED[:2]]
    return pd.DataFrame(rows, columns=["code", *names]).sort_values("code", ignore_index=True)


def by_lesson(progress: Iterable[Progress]) -> pd.DataFrame:
    """One row a lesson, in their order: questions right at the first try, answered, wrong."""
    answers = [(item.split("/")[0], Tally().plus(right)) for one in progress for item, right in one.questions.items()]
    return _frame("lesson", answers).sort_values("lesson", ignore_index=True)


def by_question(progress: Iterable[Progress]) -> pd.DataFrame:
    """One row a question, the hardest first: right at the first try, answered, wrong."""
    return _hardest_first(
        _frame("question", [(item, Tally().plus(right)) for one in progress for item, right in one.questions.items()])
    )


def by_kind(progress: Iterable[Progress]) -> pd.DataFrame:
    """One row a kind of contact that was asked for, the hardest first: predicted right, asked, wrong.

    >>> one = Progress(code="K7M2QX", predicted={"fixed": Tally(right=8, wrong=2), "existing": Tally(right=1, wrong=2)})
    >>> by_kind([one])
           kind  right  asked  wrong
    0  existing      1      3      2
    1     fixed      8     10      2
    """
    asked = [(kind, one.predicted[kind]) for one in progress for kind in KINDS if kind in one.predicted]
    return _hardest_first(_frame("kind", [(kind, tally) for kind, tally in asked if tally.asked]))


def to_practise(progress: Progress) -> pd.DataFrame:
    """`by_kind` of one learner, in the order in which they are worth practising: most mistakes first."""
    return by_kind([progress]).sort_values("wrong", ascending=False, kind="stable", ignore_index=True)


def _sum(tallies: Iterable[Tally]) -> Tally:
    right, wrong = 0, 0
    for tally in tallies:
        right, wrong = right + tally.right, wrong + tally.wrong
    return Tally.model_construct(right=right, wrong=wrong)


def _frame(name: str, tallies: list[tuple[str, Tally]]) -> pd.DataFrame:
    by_name: dict[str, list[Tally]] = {}
    for key, tally in tallies:
        by_name.setdefault(key, []).append(tally)
    sums = {key: _sum(of) for key, of in by_name.items()}
    rows = [(key, *(getattr(of, count) for count in _COUNTED)) for key, of in sums.items()]
    return pd.DataFrame(rows, columns=[name, *_COUNTED])


def _hardest_first(frame: pd.DataFrame) -> pd.DataFrame:
    """By the part that was wrong; where it is the same, by how much that was."""
    order = frame.assign(share=frame["wrong"] / frame["asked"]).sort_values(
        ["share", "wrong", str(frame.columns[0])], ascending=[False, False, True]
    )
    return order.drop(columns="share").reset_index(drop=True)
