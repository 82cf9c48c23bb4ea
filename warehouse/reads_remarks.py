"""What receivers say in words about one source's mail, for whoever looks for the cause of a change."""

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

REMARKS = pl.Schema({"day": pl.Date, "remark": pl.String, "messages": pl.Int64})


def reason_remarks(connection: Connection, scope: Scope, source_key: str) -> pl.DataFrame:
    """Of one source, each day and comment of an override reason: messages."""
    where, values = scope.where()
    return frame(
        connection,
        f"""
        SELECT day, "comment" AS remark, sum(messages)::BIGINT AS messages
        FROM reason_day WHERE {where} AND source_key = ? AND "comment" <> '' GROUP BY ALL ORDER BY ALL
        """,
        [*values, source_key],
    )


def signature_remarks(connection: Connection, scope: Scope, source_key: str) -> pl.DataFrame:
    """Of one source, each day and what receivers write beside the result of a signature: messages.

    Read in a few of the documents of the scope's days: those of the reporters that tell most of the source. What was
    pruned, and what cannot be read any more, tells nothing.
    """
    # Not at the top: it brings the parser along, which an answer that is kept need not load.
    from ingest.reports.remarks import remarks  # noqa: PLC0415

    where, values = scope.where()
    addresses = "SELECT source_ip FROM address WHERE source_key = ?"
    found = connection.execute(
        f"""
        WITH told AS (
            SELECT report_key, sum(messages) AS messages FROM aggregate_record
            WHERE {where} AND source_ip IN ({addresses}) GROUP BY report_key
        ), chosen AS (
            SELECT r.reporter, r.day, r.document_hash, r.identity_hash,
                   sum(told.messages) OVER (PARTITION BY r.reporter) AS weight
            FROM told JOIN aggregate_report r USING (report_key)
            QUALIFY row_number() OVER (PARTITION BY r.reporter ORDER BY told.messages DESC, r.identity_hash)
                    <= {DOCUMENTS}
        )
        SELECT day, d.data, d.size FROM chosen JOIN raw_document d USING (document_hash)
        WHERE d.size <= {LARGEST} ORDER BY weight DESC, reporter, day, identity_hash LIMIT {DOCUMENTS * REPORTERS}
        """,
        [*values, source_key],
    ).fetchall()
    ours = {ip for (ip,) in connection.execute(addresses, [source_key]).fetchall()}
    rows: list[tuple[date, str, int]] = [
        (day, one.text, one.messages)
        for day, data, size in found
        for one in remarks(unpacked(data, size))
        if one.source_ip in ours
    ]
    told = pl.DataFrame(rows, schema=REMARKS, orient="row")
    return told.group_by("day", "remark").agg(pl.col("messages").sum()).sort("day", "remark")
