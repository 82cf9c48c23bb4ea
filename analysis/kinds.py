"""How did mail fare day by day, by what its sources are? What the overview draws."""

from __future__ import annotations

from datetime import date

import polars as pl

from analysis import sources
from analysis.evidence import resting
from analysis.genuine import counted
from analysis.grounds import grounds
from analysis.keeping import kept_over
from analysis.settings import SourceSettings
from warehouse import reads_sources
from warehouse.connect import Connection, Warehouse
from warehouse.kept import Place, place
from warehouse.scope import Scope

KEY = ["domain", "source_key"]


def by_kind(warehouse: Warehouse, scope: Scope, today: date, settings: SourceSettings) -> pl.DataFrame:
    """Each day and kind of source (`Source.kind`): messages and aligned; in order.

    The answer is kept until the reports or the decisions about the domains change.
    """

    def asked(session: Connection) -> Place:
        about = grounds(session, scope.domains, resting(session, scope, today, settings))
        return place(session, "by kind", scope, today, settings, about, domains=scope.domains)

    def make() -> pl.DataFrame:
        known = sources.kinds(warehouse, scope, today, settings)
        with warehouse.reading() as session:
            days = reads_sources.aligned_days(session, counted(session, scope))
        return _summed(days, known)

    return kept_over(warehouse, asked, pl.DataFrame, make)


def _summed(days: pl.DataFrame, found: pl.DataFrame) -> pl.DataFrame:
    kinds = found.select(*KEY, "kind")
    sums = days.join(kinds, on=KEY).group_by("day", "kind").agg(pl.col("messages", "aligned").sum())
    return sums.sort("day", "kind")
