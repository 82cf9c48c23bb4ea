"""The rows behind a ledger of evidence: what was counted, so that a person can count again."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import polars as pl

from analysis.evidence import history_of
from analysis.genuine import counted
from analysis.organizations import organizations
from analysis.period import newest_day
from analysis.settings import SourceSettings
from analysis.sources import Source
from warehouse import reads_counted
from warehouse.connect import Connection
from warehouse.scope import Scope

MOST = 20  # rows of one table: what weighs is among the largest


def counted_rows(
    connection: Connection, source: Source, scope: Scope, today: date, settings: SourceSettings
) -> dict[str, pl.DataFrame]:
    """By table of the ledger, in its order, the largest rows that it was counted from: see `warehouse.reads_counted`.

    Evidence reaches further back than the scope, and leaves out reports in doubt; so do these.
    """
    over = history_of(scope, newest_day(connection, today, scope.until), settings)
    of_source = counted(connection, replace(over, domains=(source.domain,)))
    found: dict[str, pl.DataFrame] = {}
    for table in dict.fromkeys(entry.rows for entry in source.evidence if entry.rows):
        asked = (
            replace(of_source, domains=tuple(organizations([source.domain]))) if table == "dns_answer" else of_source
        )
        found[table] = reads_counted.counted_rows(connection, table, source.source_key, asked, MOST)
    return found
