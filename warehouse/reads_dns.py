"""What DNS answered, as the analysis asks for it. Apart from `warehouse.dns`, which stores and so needs what stores."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from warehouse.connect import Connection
from warehouse.reads import frame


def answers(connection: Connection, domains: Sequence[str] | None = None) -> pl.DataFrame:
    """What is known now: domain, name, rdtype, records (List), first_seen_at, last_seen_at, earlier (List).

    `earlier` are the latest records of the name and type that were not none, so that what was taken out since
    still tells whose mail of that time it was.
    """
    where = "true" if domains is None else "domain IN (SELECT unnest(?::VARCHAR[]))"
    return frame(
        connection,
        f"""
        WITH held AS (
            SELECT domain, name, rdtype, arg_max(records, first_seen_at) AS earlier FROM dns_answer
            WHERE len(records) > 0 GROUP BY ALL
        )
        SELECT c.*, coalesce(held.earlier, []) AS earlier
        FROM current_dns c LEFT JOIN held USING (domain, name, rdtype) WHERE {where} ORDER BY domain, name, rdtype
        """,
        [] if domains is None else [list(domains)],
    )
