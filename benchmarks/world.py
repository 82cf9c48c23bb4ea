"""A large warehouse made by SQL: the product's own schema and rollup, filled with invented records.

Days come one after the other, as they do in life, so that what DuckDB knows of each block of rows helps
here as it does there. Each domain has a dozen steady senders, some of which break on a day; one record in
four is from the long tail of forwarders and forgers.
"""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

from benchmarks.corpus import cache_folder
from benchmarks.measure import Clock
from warehouse import migrate, rollup
from warehouse.connect import Connection, Warehouse
from warehouse.settings import WarehouseSettings

FIRST = date(2025, 1, 1)
DAYS = 400
SOURCES = 50_000
STEADY = 12
REPORTERS = 10
SLICE = 2_000_000  # records made at a time


@dataclass(frozen=True, slots=True)
class World:
    """How large a warehouse is; what it has depends on nothing else."""

    records: int
    domains: int = 300

    @property
    def each(self) -> int:
        """Records of each report; there is one for each domain, day and reporter."""
        return max(1, round(self.records / (self.domains * DAYS * REPORTERS)))

    @property
    def last(self) -> date:
        """Its newest day."""
        return FIRST + timedelta(days=DAYS - 1)


def built(world: World) -> Path:
    """The warehouse's file, made now where it is not there yet. To be copied, not to be written to."""
    makers = [Path(__file__), Path(rollup.__file__), *sorted(migrate.FOLDER.glob("*.sql"))]
    made_by = hashlib.blake2b(b"".join(file.read_bytes() for file in makers), digest_size=6).hexdigest()
    path = cache_folder() / f"world-{world.records}-{world.domains}-{made_by}.duckdb"
    if not path.exists():
        for old in cache_folder().glob(f"world-{world.records}-{world.domains}-*"):
            old.unlink()
        cache_folder().mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(".unfinished")
        unfinished.unlink(missing_ok=True)
        clock = Clock()
        _build(world, unfinished)
        unfinished.rename(path)
        for lock in cache_folder().glob("*.unfinished.*"):
            lock.unlink()
        print(f"(made a warehouse of {world.records:,} records in {clock.read().wall:.0f} s)", flush=True)
    return path


def copied(world: World, folder: Path) -> Warehouse:
    """A warehouse of one's own, to write to."""
    path = folder / "warehouse.duckdb"
    shutil.copy(built(world), path)
    return Warehouse(path, WarehouseSettings())


def _build(world: World, path: Path) -> None:
    target = Warehouse(path, WarehouseSettings())
    with target.writing() as connection:
        connection.execute(ADDRESSES, [SOURCES, datetime(2026, 1, 1)])  # noqa: DTZ001 - the tables hold UTC without a zone
    step = max(1, SLICE * DAYS // world.records)
    for begin in range(0, DAYS, step):
        # A transaction for each slice, so that memory stays small.
        with target.writing() as connection:
            _slice(connection, world, begin, min(begin + step, DAYS))
    with target.writing() as connection:
        rollup.compact(connection)


def _slice(connection: Connection, world: World, begin: int, end: int) -> None:
    values = [world.domains, begin, end, REPORTERS]
    first = begin * world.domains * REPORTERS
    connection.execute(REPORTS, [*values, FIRST, world.each])
    connection.execute(
        RECORDS, {"each": world.each, "domains": world.domains, "first": first, "steady": STEADY, "sources": SOURCES}
    )
    rollup.add(connection, "(SELECT * REPLACE (1 AS days) FROM (SELECT *, 1 AS days FROM made))")
    connection.execute("INSERT INTO aggregate_record BY NAME SELECT * FROM made; DROP TABLE made")
    connection.execute(
        """
        UPDATE aggregate_report r SET messages = m.messages
        FROM (SELECT report_key, sum(messages)::BIGINT AS messages FROM aggregate_record
              WHERE report_key > ? GROUP BY report_key) m
        WHERE r.report_key = m.report_key
        """,
        [first],
    )


ADDRESSES = """
INSERT INTO address BY NAME
SELECT format('{}.{}.{}.{}', 20 + i % 190, i // 190 % 256, i // 48640 % 256, 1 + i % 200) AS source_ip,
       CASE WHEN i % 5 = 0 THEN format('as:network-{:05d}.example', i // 5)
            ELSE format('net:{}.{}.{}.0/24', 20 + i % 190, i // 190 % 256, i // 48640 % 256) END AS source_key,
       CASE WHEN i % 20 = 0 THEN format('Service {}', i) END AS service,
       ['Email Provider', 'Web Host', 'Marketing', 'ISP', 'SaaS'][1 + i % 5] AS service_type,
       64512 + i // 5 AS asn, format('Network {}', i // 5) AS as_name,
       format('network-{:05d}.example', i // 5) AS as_domain,
       ['US', 'DE', 'CH', 'BR', 'IN', 'FR', 'NL'][1 + i % 7] AS country,
       false AS ptr_confirmed, ? AS ptr_at
FROM (SELECT i::BIGINT AS i FROM range($1) AS t(i))
""".replace("?", "$2")

REPORTS = """
INSERT INTO aggregate_report BY NAME
SELECT nextval('report_key_seq') AS report_key,
       md5(concat_ws('/', day, d, r)) AS identity_hash, md5(concat_ws('/', 'content', day, d, r)) AS content_hash,
       md5(concat_ws('/', 'document', day, d, r)) AS document_hash, 1 AS run_key,
       format('mailbox/INBOX/{}', n) AS origin, begin_at + INTERVAL 30 HOUR AS received_at,
       begin_at + INTERVAL 31 HOUR AS stored_at, 1 AS parser_version, '7489' AS standard, '1.0' AS version,
       format('reporter-{}.example', r) AS reporter, format('dmarc@reporter-{}.example', r) AS email,
       md5(concat_ws('/', 'id', day, d, r)) AS report_id, begin_at, begin_at + INTERVAL 86399 SECOND AS end_at,
       begin_at::DATE AS day, 1 AS days, []::VARCHAR[] AS errors, format('domain-{:04d}.example', d) AS domain,
       'r' AS adkim, 'r' AS aspf, ['none', 'quarantine', 'reject'][1 + d % 3] AS p, 'none' AS sp, 100 AS pct,
       $6::INTEGER AS records, 0 AS messages, [] AS repairs,
       'verified' AS attestation, format('reporter-{}.example', r) AS attested_by, 'valid' AS attestation_status,
       '' AS doubt
FROM (
    SELECT day, d, r, (day * $1 + d) * $4 + r AS n, $5::DATE::TIMESTAMP + to_days(day::INTEGER) AS begin_at
    FROM range($2, $3) AS t1(day), range($1) AS t2(d), range($4) AS t3(r) ORDER BY day, d, r
)
"""

# h: luck of the record; s: luck of the sender, the same on every day; b: the day on which it breaks, if ever.
RECORDS = """
CREATE TEMP TABLE made AS
WITH told AS (
    SELECT r.report_key, r.day, r.domain, r.reporter, i,
           hash(r.report_key, i) AS h, (r.report_key - 1) // 10 % $domains AS d
    FROM aggregate_report r, range($each) AS t(i) WHERE r.report_key > $first
), sent AS (
    SELECT *, CASE WHEN h % 4 > 0 THEN (hash(d, h // 8 % $steady) % $sources)::BIGINT
                   ELSE (((h // 32 % 100000) / 100000.0) ** 2 * ($sources - 1))::BIGINT END AS n,
           h % 4 > 0 AS steady
    FROM told
), judged AS (
    SELECT *, hash(d, n, 7) AS s, (hash(d, n, 8) % 4000)::INTEGER AS b FROM sent
), fared AS (
    SELECT *, CASE WHEN steady AND s % 10 < 8 THEN h // 4096 % 100 < 98 AND b > day - DATE '2025-01-01'
                   WHEN steady THEN h // 4096 % 100 < 5
                   ELSE s % 10 < 3 AND h // 4096 % 100 < 70 END AS dkim_aligned,
           steady AND s // 16 % 10 < 7 AND h // 524288 % 100 < 95 AS spf_aligned,
           format('domain-{:04d}.example', d) AS name, format('path-{:05d}.example', n) AS other
    FROM judged
)
SELECT report_key, day, domain, reporter,
       format('{}.{}.{}.{}', 20 + n % 190, n // 190 % 256, n // 48640 % 256, 1 + n % 200) AS source_ip,
       1 + (CASE WHEN steady THEN 400 ELSE 4 END * ((h // 65536 % 1000) / 1000.0) ** 3)::BIGINT AS messages,
       CASE WHEN dkim_aligned OR spf_aligned OR h % 7 = 0 THEN 'none'
            ELSE ['none', 'quarantine', 'reject'][1 + d % 3] END AS disposition,
       dkim_aligned, spf_aligned, dkim_aligned AS dkim_recomputed, spf_aligned AS spf_recomputed,
       CASE WHEN NOT dkim_aligned AND NOT spf_aligned AND h % 7 = 0
            THEN [{'type': 'local_policy', 'comment': 'arc=pass'}] ELSE [] END AS reasons,
       CASE WHEN s % 9 = 0 THEN 'news.' || name ELSE name END AS header_from,
       CASE WHEN spf_aligned THEN name ELSE other END AS envelope_from, NULL::VARCHAR AS envelope_to,
       CASE WHEN steady OR s % 10 < 3
            THEN [{'domain': name, 'selector': format('s{}', s % 4), 'result': if(dkim_aligned, 'pass', 'fail')}]
            ELSE [] END AS dkim,
       [{'domain': CASE WHEN spf_aligned THEN name ELSE other END, 'scope': 'mfrom',
         'result': CASE WHEN spf_aligned OR h % 3 = 0 THEN 'pass' ELSE 'softfail' END}] AS spf,
       '' AS doubt
FROM fared ORDER BY report_key, i
"""
