"""The organizational domain (RFC 7489 section 3.2) of whole columns of names."""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl

from ingest.alignment import organizational_domain


def organizational(column: pl.Expr) -> pl.Expr:
    """The organizational domain of each name. Each distinct name is looked up once."""
    return column.map_batches(_organizational, return_dtype=pl.String)


def _organizational(names: pl.Series) -> pl.Series:
    distinct = names.unique().drop_nulls()
    return names.replace_strict(distinct, pl.Series(organizations(distinct), dtype=pl.String), default=None)


def organizations(names: Iterable[str]) -> list[str]:
    """The same of a few names, in order."""
    # A public suffix, or text that is no name, stands for itself: it is nobody's but still a name.
    return [organizational_domain(name) or name for name in names]
