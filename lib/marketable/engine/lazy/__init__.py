"""Batches that stay where they are, in Polars, DuckDB, Dask or Spark: a first look at them, then their reduction."""

from .reduction import lazy_exposures
from .survey import LazyRows, survey

__all__ = ["LazyRows", "lazy_exposures", "survey"]
