"""Traces beside signatures and return paths: who speaks of a source, what its hosts are called, when it sends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from analysis.credit import KEY, credited
from analysis.organizations import organizational
from analysis.settings import SourceSettings
from warehouse import reads_traces as reads
from warehouse.connect import Connection
from warehouse.scope import Scope


@dataclass(frozen=True, slots=True)
class Traces:
    """What was read for it; see `warehouse.reads_traces`."""

    told: pl.DataFrame
    hosts: pl.DataFrame
    rhythm: pl.DataFrame
    names: pl.DataFrame


def fetch(
    connection: Connection, history: Scope, settings: SourceSettings, own: Sequence[tuple[str, str]] = ()
) -> Traces:
    """Read everything in one short session, over the days that evidence is drawn from.

    `own`: each domain with an address that its SPF record names as a host of its own.
    """
    return Traces(
        reads.told(connection, history, settings.recent_days),
        reads.hosts(connection, history, own),
        reads.rhythm(connection, history),
        reads.names(connection, history),
    )


def traced(traces: Traces) -> pl.DataFrame:
    """One row for each domain and source_key. Counts are messages (Int64) unless said otherwise.

    Columns of `credit.credited`; own_host (from hosts that the domain's DNS leads to), named_host (any
    confirmed name), lying_host (a name that does not lead back), hosts (addresses), asked and blocklisted (from hosts
    that blocklists answered for, and that one of them holds); weekend, month_end, largest,
    mail_days; unreal (visible names that never aligned anywhere).
    """
    return (
        credited(traces.told)
        .join(_hosts(traces.hosts), on=KEY, how="left")
        .join(traces.rhythm, on=KEY, how="left")
        .join(traces.names, on=KEY, how="left")
        .with_columns(pl.selectors.integer().fill_null(0))
    )


def _hosts(rows: pl.DataFrame) -> pl.DataFrame:
    rows = rows.with_columns(
        owner=organizational(pl.col("ptr").str.to_lowercase().str.strip_suffix(".")),
        org=organizational(pl.col("domain")),
    )
    n, confirmed = pl.col("messages"), pl.col("confirmed")
    return rows.group_by(KEY).agg(
        own_host=pl.max_horizontal(
            pl.when(confirmed & (pl.col("owner") == pl.col("org"))).then(n).otherwise(0), "own"
        ).sum(),
        named_host=n.filter(confirmed).sum(),
        lying_host=n.filter(~confirmed & pl.col("ptr").is_not_null()).sum(),
        hosts=pl.col("addresses").sum().cast(pl.Int64),
        asked=pl.col("asked").sum(),
        blocklisted=pl.col("blocklisted").sum(),
    )
