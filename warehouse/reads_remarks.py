"""What receivers say in words about some sources' mail, for whoever looks for the cause of a change."""

from __future__ import annotations

from datetime import date

import polars as pl

from warehouse.connect import Connection
from warehouse.packing import unpacked
from warehouse.reads import frame
from warehouse.scope import Scope

DOCUMENTS = 3  # of one reporter in one stretch of days, those that tell most of the source
REPORTERS = 8
LARGEST = 4 * 2**20  # bytes of a document that is read for this

REMARKS = pl.Schema(
    {"domain": pl.String, "source_key": pl.String, "day": pl.Date, "remark": pl.String, "messages": pl.Int64}
)
ASKED = """
    SELECT generate_subscripts(domains, 1) - 1 AS stretch, unnest(domains) AS domain, unnest(keys) AS source_key,
           unnest(begins) AS since, unnest(ends) AS until
    FROM (SELECT ?::VARCHAR[] AS domains, ?::VARCHAR[] AS keys, ?::DATE[] AS begins, ?::DATE[] AS ends)
"""


def reason_remarks(connection: Connection, scope: Scope, stretches: pl.DataFrame) -> pl.DataFrame:
    """What override reasons say in some stretches of days (domain, source_key, since, until), which do not overlap.

    Each domain, source_key, day and comment as `remark`: messages.
    """
    where, values = scope.where()
    return frame(
        connection,
        f"""
        WITH asked AS ({ASKED})
        SELECT asked.domain, asked.source_key, day, "comment" AS remark, sum(messages)::BIGINT AS messages
        FROM (SELECT * FROM reason_day WHERE {where} AND "comment" <> '') told
             JOIN asked ON told.domain = asked.domain AND told.source_key = asked.source_key
                        AND day BETWEEN since AND until
        GROUP BY ALL ORDER BY ALL
        """,
        [*_columns(stretches), *values],
    )


def signature_remarks(connection: Connection, scope: Scope, stretches: pl.DataFrame) -> pl.DataFrame:
    """What receivers write beside the results of signatures in some stretches, as in `reason_remarks`.

    Read in a few of the documents of each stretch: those of the reporters that tell most of the source. What was
    pruned, and what cannot be read any more, tells nothing.
    """
    # Not at the top: it brings the parser along, which an answer that is kept need not load.
    from ingest.reports.remarks import remarks  # noqa: PLC0415

    rows: list[tuple[str, str, date, str, int]] = []
    for at, chosen in _chosen(connection, scope, stretches).items():
        domain, key = stretches.row(at)[:2]
        ips = connection.execute("SELECT source_ip FROM address WHERE source_key = ?", [key]).fetchall()
        for day, name in chosen:
            [(data, size)] = connection.execute(
                "SELECT data, size FROM raw_document WHERE document_hash = ?", [name]
            ).fetchall()
            found = remarks(unpacked(data, size))
            rows += [(domain, key, day, one.text, one.messages) for one in found if (one.source_ip,) in ips]
    told = pl.DataFrame(rows, schema=REMARKS, orient="row")
    return told.group_by(REMARKS.names()[:-1]).agg(pl.col("messages").sum()).sort(pl.all())


def _chosen(connection: Connection, scope: Scope, stretches: pl.DataFrame) -> dict[int, list[tuple[date, str]]]:
    """The documents that are read, by the number of the stretch: the day that each tells of, and its hash."""
    where, values = scope.where()
    rows = connection.execute(
        f"""
        WITH asked AS ({ASKED}), told AS (
            SELECT stretch, report_key, sum(messages) AS messages
            FROM (SELECT * FROM aggregate_record WHERE {where}) record
                 JOIN asked ON record.domain = asked.domain AND day BETWEEN since AND until
                 JOIN address ON address.source_key = asked.source_key AND address.source_ip = record.source_ip
            GROUP BY stretch, report_key
        ), chosen AS (
            SELECT stretch, r.reporter, r.day, r.document_hash, r.identity_hash,
                   sum(told.messages) OVER (PARTITION BY stretch, r.reporter) AS weight
            FROM told JOIN aggregate_report r USING (report_key)
            QUALIFY row_number() OVER (PARTITION BY stretch, r.reporter ORDER BY told.messages DESC, r.identity_hash)
                    <= {DOCUMENTS}
        )
        SELECT stretch, day, document_hash FROM chosen JOIN raw_document USING (document_hash) WHERE size <= {LARGEST}
        QUALIFY row_number() OVER (PARTITION BY stretch ORDER BY weight DESC, reporter, day, identity_hash)
                <= {DOCUMENTS * REPORTERS}
        """,
        [*_columns(stretches), *values],
    ).fetchall()
    found = dict[int, list[tuple[date, str]]]()
    for at, day, name in rows:
        found.setdefault(at, []).append((day, name))
    return found


def _columns(stretches: pl.DataFrame) -> list[list[object]]:
    return [stretches[name].to_list() for name in ("domain", "source_key", "since", "until")]
