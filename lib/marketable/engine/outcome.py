"""What `decide` answers: frames of touches and contacts, counts, and the curve over time."""

from __future__ import annotations

import functools
from typing import overload

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from pandas.api.typing import NaTType

from marketable.errors import UnknownNameError, nearest
from marketable.rulebook import STATUSES

from .cases import MARKETING_CODE, NON_MARKETING_CODE, Cases
from .counting import counted_all, counted_by, creator_labels, month_labels
from .judge import Judged, latest_before
from .moments import EARLIEST
from .rows import Rows, code_type
from .sentences import RULES, Explainer
from .table import NONE, ROLES, Role

BY = ("source", "asset", "month", "decided_by")
_DAY = 86_400_000_000
_WAITS = "It waits for the update date to become non-marketing, and counts until then."
_STATUS = pd.CategoricalDtype(list(STATUSES))
_RULE = pd.CategoricalDtype(list(RULES))


class Outcome:
    """The statuses of a batch, explained: `touches`, `contacts`, `counts(by)`, `by_day()` and `why(contact_id)`."""

    def __init__(self, batch: pd.DataFrame, rows: Rows, cases: Cases, judged: Judged, explainer: Explainer) -> None:
        self._batch, self._rows, self._cases, self._judged, self._explainer = batch, rows, cases, judged, explainer

    def __repr__(self) -> str:
        counts = ", ".join(f"{count:,} {status}" for status, count in self.counts().items())
        return f"Outcome: {len(self._batch):,} touches of {len(self._judged.starts):,} contacts: {counts}"

    @property
    def as_of(self) -> pd.Timestamp | NaTType:
        """The local time up to which touches and update dates count; NaT for an empty batch."""
        return pd.NaT if self._rows.as_of == EARLIEST else pd.Timestamp(self._rows.as_of, unit="us")

    @property
    def ambiguous(self) -> int:
        """How many contacts were created between two editions that disagree about it."""
        return int(np.count_nonzero(self._untold))

    @property
    def read_twice(self) -> pd.Series:
        """Whether a contact was created between two editions that disagree about it: True or False by contact_id."""
        return pd.Series(self._untold, index=self.contacts.index, name="read twice")

    @functools.cached_property
    def touches(self) -> pd.DataFrame:
        """The batch, in its own order, and what was decided of each touch.

        Added columns, all categories: status_before and status_after (one of the three, blank where there is none),
        rule (a short name), reason (a sentence with its reference and trust). Touches later than `as_of` are `not
        counted`.
        """
        judged, counted = self._judged, len(self._rows.wall) - len(self._rows.listed)
        code = judged.explanation[len(self._rows.listed) :]
        if self._rows.input_row is not None or counted < len(self._batch):
            rows = slice(counted) if self._rows.input_row is None else self._rows.input_row
            every = np.full(
                len(self._batch), judged.table.code(judged.table.access, Role.NOT_COUNTED), dtype=code.dtype
            )
            every[rows] = code
            code = every
        coded, say = _Coded(code), self._explainer
        reason, reasons = _numbered([say.sentence(each) for each in coded.codes.tolist()])
        return self._batch.assign(
            status_before=_category(coded.laid_out(say.before(coded.codes)), _STATUS),
            status_after=_category(coded.laid_out(say.after(coded.codes)), _STATUS),
            rule=_category(coded.laid_out(say.rule(coded.codes)), _RULE),
            reason=_category(coded.laid_out(reason), reasons),
        )

    @functools.cached_property
    def contacts(self) -> pd.DataFrame:
        """Every contact as of the end.

        Index contact_id; created_at (datetime, local), created_by (source), asset, status (blank before access),
        waiting (bool: for an update date, to become non-marketing), since (datetime, local; blank while a listed status
        holds), decided_by (a switch, a source, an action, `access` or `listed`), reason (a sentence). The order is that
        of the ids where they are whole numbers, else of their appearance.
        """
        judged = self._judged
        creators, creator = self._creators
        created_by, sources = _numbered([source for source, _ in creators])
        asset, assets = _numbered([asset for _, asset in creators])
        decided = _Coded(judged.decided)
        decided_by, deciders = _numbered([self._explainer.decided_by(each) for each in decided.codes.tolist()])
        return pd.DataFrame(
            {
                "created_at": self._created_at(),
                "created_by": _category(created_by.take(creator), sources),
                "asset": _category(asset.take(creator), assets),
                "status": _category(judged.status, _STATUS),
                "waiting": judged.waiting,
                "since": judged.since.view("datetime64[us]"),
                "decided_by": _category(decided.laid_out(decided_by), deciders),
                "reason": self._reasons(decided),
            },
            index=pd.Index(self._ids(), name="contact_id", copy=False),
        )

    def _ids(self) -> pd.Series | np.ndarray:
        ids, keys = self._rows.ids, self._judged.keys
        if ids.dtype == np.int64:
            return keys
        if self._rows.are_numbers:  # to write them is faster than to look them up
            return pd.Series(pc.cast(pa.array(keys), pa.large_string()), dtype=ids.dtype)
        return ids.take(self._rows.position(self._judged.order[self._judged.starts]))

    @overload
    def counts(self, by: None = None) -> pd.Series: ...
    @overload
    def counts(self, by: str) -> pd.DataFrame: ...
    def counts(self, by: str | None = None) -> pd.Series | pd.DataFrame:
        """How many contacts have which status.

        Arguments: by, what to count by: None, or "source" (that created them), "asset", "month" (of their creation),
        "decided_by".
        Returns: a Series over the three statuses; with `by` a DataFrame, one row a value, those statuses its columns.
        Raises: UnknownNameError for another `by`.
        """
        if by is None:
            counted = np.bincount(self._judged.status[self._judged.status != NONE], minlength=len(STATUSES))
            return counted_all(counted)
        labels, number = self._labels(by)
        cells = np.multiply(number, 4, dtype=code_type(4 * len(labels)))
        cells += self._judged.status + np.int8(1)
        table = np.bincount(cells, minlength=4 * len(labels)).reshape(-1, 4)[:, 1:]
        return counted_by(by, labels, table)

    def by_day(self) -> pd.Series:
        """The number of marketing contacts at the end of each day, from the first touch to the end: what the tier is
        held against.
        """
        judged, table = self._judged, self._judged.table
        if not len(self._rows.wall) - len(self._rows.listed):
            return pd.Series([], index=pd.DatetimeIndex([], name="day"), name="marketing", dtype="int64")
        explanation = judged.explanation[judged.order]
        before, after = self._statuses(explanation)
        wall = self._rows.wall[judged.order]
        up = (after == MARKETING_CODE) & (before != MARKETING_CODE)
        always = int(np.count_nonzero(up & (wall == EARLIEST)))
        rises = wall[up & (wall != EARLIEST)]
        asked = np.flatnonzero(explanation % ROLES == Role.ASKED_WHILE_MARKETING)
        down = np.flatnonzero((before[1:] == NON_MARKETING_CODE) & (after[:-1] == MARKETING_CODE)) + 1
        falls = table.dues[explanation[latest_before(asked, down)] // ROLES - table.first_request]
        ends = np.append(judged.starts[1:], len(wall)) - 1
        at_end = (after[ends] == MARKETING_CODE) & (judged.status == NON_MARKETING_CODE)
        falls = np.concatenate([falls, judged.since[at_end]])
        first = int(self._rows.wall[len(self._rows.listed) :].min()) // _DAY
        days = max(self._rows.as_of // _DAY - first + 1, 1)
        change = np.bincount(rises // _DAY - first, minlength=days) - np.bincount(falls // _DAY - first, minlength=days)
        index = pd.date_range(pd.Timestamp(first * _DAY, unit="us"), periods=days, name="day", unit="us")
        return pd.Series(always + np.cumsum(change), index=index, name="marketing")

    def why(self, contact_id: object) -> pd.DataFrame:
        """One contact's touches in order of time, each with its explanation.

        Raises: UnknownNameError for a contact that is not in the batch, with the nearest one that is.
        """
        ids = self._rows.ids
        sought = str(contact_id).strip()
        found = np.flatnonzero((ids.astype("str") == sought).to_numpy())
        if not len(found):
            found = np.flatnonzero((ids.astype("str") == sought.lower()).to_numpy())
        if not len(found):
            near = nearest(sought, ids.astype("str").unique()) if len(ids) <= 20_000 else None
            raise UnknownNameError("There is no such contact in the batch", value=sought, nearest=near)
        found = found[found >= len(self._rows.listed)] - len(self._rows.listed)
        if self._rows.input_row is not None:
            in_time = self._rows.input_row[np.isin(self._rows.input_row, found)]
            found = np.concatenate([in_time, np.setdiff1d(found, in_time)])
        return self.touches.iloc[found]

    @functools.cached_property
    def _creators(self) -> tuple[list[tuple[str, str]], np.ndarray]:
        """Source and asset of creations, and for each contact the number of its own."""
        judged, table, listed = self._judged, self._judged.table, self._rows.listed
        creators = [self._explainer.creator(case) for case in range(table.access)]
        number = judged.first_case
        if len(listed):
            number = number.astype(np.int64)
            pairs, own = np.unique(listed[["source", "asset"]].astype("object").agg(tuple, axis=1), return_inverse=True)
            first = judged.order[judged.starts]
            number[first < len(listed)] = len(creators) + own[first[first < len(listed)]]
            creators += list(pairs)
        return creators, number

    def _labels(self, by: str) -> tuple[list[str], np.ndarray]:
        """The labels of a way to count, not yet unique, and for each contact the number of its own."""
        creators, creator = self._creators
        if by == "decided_by":
            decided = _Coded(self._judged.decided)
            labels = [self._explainer.decided_by(code) for code in decided.codes.tolist()]
            return labels, decided.laid_out(np.arange(len(labels)))
        if by == "month":
            months, number = np.unique(self._created_at().astype("datetime64[M]"), return_inverse=True)
            return month_labels(months), number
        return creator_labels(by, creators, BY), creator

    def _created_at(self) -> np.ndarray:
        """When each contact was created, local time; NaT where a listed contact does not say."""
        judged, listed = self._judged, self._rows.listed
        created = judged.appeared.view("datetime64[us]")
        if len(listed):
            first, created = judged.order[judged.starts], created.copy()
            created[first < len(listed)] = listed["created_at"].to_numpy("datetime64[us]")[first[first < len(listed)]]
        return np.asarray(created)

    def _statuses(self, explanation: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The status codes before and after each row."""
        coded = _Coded(explanation)
        before, after = self._explainer.before(coded.codes), self._explainer.after(coded.codes)
        return coded.laid_out(before), coded.laid_out(after)

    @property
    def _untold(self) -> np.ndarray:
        """Contacts whose creation has another reading."""
        judged, table = self._judged, self._judged.table
        return np.asarray((table.created != table.newer).take(judged.first_case) & ~judged.early)

    def _reasons(self, decided: _Coded) -> pd.Categorical:
        """The sentence of each contact: what decided, an ambiguous creation which that does not tell, and a wait."""
        judged, say = self._judged, self._explainer
        sentences = {code: say.sentence(code) for code in decided.codes.tolist()}
        # For few contacts there is more to say: their kinds are the decision, the ambiguous case or NONE, and the wait.
        untold = np.flatnonzero(self._untold)
        untold = untold[judged.decided[untold] % ROLES != Role.CREATED]
        more = np.union1d(untold, np.flatnonzero(judged.waiting))
        case = np.where(np.isin(more, untold), judged.first_case[more].astype(np.int64), NONE)
        kinds = np.stack([judged.decided[more], case, judged.waiting[more]])
        kinds, kind = np.unique(kinds, axis=1, return_inverse=True)
        longer = []
        for code, of_case, waits in kinds.T.tolist():
            parts = [sentences[code], say.ambiguity(of_case) if of_case != NONE else "", _WAITS if waits else ""]
            longer.append(" ".join(filter(None, parts)))
        number, texts = _numbered([*sentences.values(), *longer])
        reason = decided.laid_out(number[: len(sentences)])
        reason[more] = number[len(sentences) :][kind]
        return _category(reason, texts)


class _Coded:
    """A column of codes: those that occur, ascending, and what is to be said of each laid out for every row."""

    def __init__(self, column: np.ndarray) -> None:
        if int(column.max(initial=0)) > 4 * len(column) + 65_536:
            self.codes, self._number = np.unique(column, return_inverse=True)
            self._places = np.arange(len(self.codes))
        else:
            self.codes, self._number = np.flatnonzero(np.bincount(column)), column
            self._places = self.codes

    def laid_out(self, by_code: np.ndarray) -> np.ndarray:
        table = np.zeros(int(self._places.max(initial=0)) + 1, dtype=by_code.dtype)
        table[self._places] = by_code
        return table.take(self._number)


def _numbered(texts: list[str]) -> tuple[np.ndarray, list[str]]:
    """The number of each text among the distinct ones, and these."""
    distinct = list(dict.fromkeys(texts))
    place = {text: at for at, text in enumerate(distinct)}
    kind = np.int8 if len(distinct) < 127 else np.int16 if len(distinct) < 32_767 else np.int32
    return np.array([place[text] for text in texts], dtype=kind), distinct


def _category(codes: np.ndarray, categories: pd.CategoricalDtype | list[str]) -> pd.Categorical:
    if isinstance(categories, list):
        categories = pd.CategoricalDtype(pd.Index(categories, dtype="str"))
    return pd.Categorical.from_codes(codes, dtype=categories, validate=False)
