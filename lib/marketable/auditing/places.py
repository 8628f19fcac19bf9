"""Where each of some contacts stands among others: a million texts, looked up once."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc


def places(ids: pd.Index | pd.Series, among: pd.Index) -> np.ndarray:
    """By id, its place among distinct ones; -1 where it is not there. pyarrow takes a third of the time of pandas.

    >>> places(pd.Index(["b", "c", "a"]), pd.Index(["a", "b"])).tolist()
    [1, -1, 0]
    """
    found = pc.index_in(pa.array(ids.array, pa.large_string()), value_set=pa.array(among.array, pa.large_string()))
    result: np.ndarray = found.fill_null(-1).to_numpy(zero_copy_only=False)
    return result
