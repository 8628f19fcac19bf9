"""Ids of any text are told apart byte by byte, however alike they are, and contacts come in order of appearance."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import marketable as mk
from marketable.engine.keys import contact_keys

ALIKE = ["dfbcixscrrqdonjh", "bkcvrpeuHei3ob.v"]  # their bytes are mixed into the same number
TEXTS = st.one_of(st.text(min_size=1, max_size=20), st.text("a\0", min_size=1, max_size=18), st.sampled_from(ALIKE))


def assert_told_apart(ids: list[str]) -> None:
    keys = contact_keys(pd.Series(ids, dtype="str"))[0].tolist()
    assert len(set(keys)) == len(set(ids)) == len({*zip(keys, ids, strict=True)})
    if not all(text.isdecimal() for text in ids):
        assert [text for _, text in sorted({*zip(keys, ids, strict=True)})] == [*dict.fromkeys(ids)]


@given(st.lists(TEXTS, min_size=1).flatmap(lambda texts: st.lists(st.sampled_from(texts), min_size=1)))
def test_equal_ids_have_the_same_key_and_no_others(ids: list[str]) -> None:
    assert_told_apart(ids)


@pytest.mark.parametrize("size", [1, 7, 8, 9, 16, 127, 128, 129, 500])
def test_ids_that_differ_in_one_byte_are_two(size: int) -> None:
    texts = ["x" * at + "y" + "x" * (size - at - 1) for at in range(size)]
    assert_told_apart([*texts, *reversed(texts), "x" * size, "x" * (size + 1), "x" * (size + 1) + "\0"])


def test_two_ids_with_the_same_number_are_two() -> None:
    assert_told_apart([*ALIKE, *ALIKE, "another"])


def test_so_they_are_in_a_large_batch_of_which_rows_are_left_out() -> None:
    number = np.random.default_rng(1).integers(0, 200_000, 300_000)
    ids = pd.Series("c" + pd.Series(number).astype("str") + "@example.com", dtype="str")[::2]
    assert len(np.unique(contact_keys(ids)[0])) == ids.nunique()
    batch = pd.DataFrame({"contact_id": ids, "occurred_at": pd.Timestamp("2024-03-01"), "source": "manual"})
    assert mk.decide(batch, mk.Portal()).contacts.index.tolist() == ids.unique().tolist()
