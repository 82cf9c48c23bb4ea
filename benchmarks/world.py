"""A large warehouse made by SQL: the product's own schema and rollup, filled with invented records.

Days come one after the other, as they do in life, so that what DuckDB knows of each block of rows helps
here as it does there. Domains are unequal: the largest of 300 has a tenth of all records and 30,000 sources, the
smallest a thousandth and a hundred. Each has a dozen steady senders, some of which break on a day; one record in
four is from its long tail: forwarders that are always there, and forgers that come for three weeks. One report
in 500 is a forgery under a reporter's name, so that what is in doubt has to be left out of every answer.
"""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

from benchmarks.corpus import cache_folder, used
from benchmarks.measure import Clock
from warehouse import deltas, melting, migrate, rollup
from warehouse.connect import Connection, Warehouse
from warehouse.settings import WarehouseSettings

FIRST = date(2025, 1, 1)
DAYS = 400
SOURCES = 50_000
STEADY = 12
REPORTERS = 10
TAIL = 30_000  # sources of the largest domain beside its steady ones; of the n-th, an n-th of it
SLOPE = 0.8  # how unequal domains are: the n-th has 1 / n ** SLOPE of the first one's records
SLICE = 2_000_000  # records made at a time

# Of the d-th domain, and of the j-th address of the n-th source, in SQL.
NAME = "format('{}-{:03d}.example', left(md5(d::VARCHAR), 6), d)"
ADDRESS = (
    "format('{}.{}.{}.{}', 20 + n % 190, n // 190 % 256, n // 48640 % 256, "
    "CASE WHEN n % 5 = 0 THEN 1 + n % 60 + 12 * j ELSE 1 + n % 200 END)"
)


@dataclass(frozen=True, slots=True)
class World:
    """How large a warehouse is; what it has depends on nothing else."""

    records: int
    domains: int = 300

    @property
    def most(self) -> float:
        """Records of each report about the largest domain; there is one for each domain, day and reporter."""
        return self.records / (DAYS * REPORTERS * sum(float((d + 1) ** -SLOPE) for d in range(self.domains)))

    def domain(self, number: int) -> str:
        """The name of a domain; 0 is the largest."""
        return f"{hashlib.md5(str(number).encode(), usedforsecurity=False).hexdigest()[:6]}-{number:03d}.example"

    @property
    def last(self) -> date:
        """Its newest day."""
        return FIRST + timedelta(days=DAYS - 1)


def built(world: World) -> Path:
    """The warehouse's file, made now where it is not there yet. To be copied, not to be written to."""
    makers = [Path(__file__), Path(rollup.__file__), Path(melting.__file__), *sorted(migrate.FOLDER.glob("*.sql"))]
    made_by = hashlib.blake2b(b"".join(file.read_bytes() for file in makers), digest_size=6).hexdigest()
    path = cache_folder() / f"world-{world.records}-{world.domains}-{made_by}.duckdb"
    if not path.exists():
        cache_folder().mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(".unfinished")
        unfinished.unlink(missing_ok=True)
        clock = Clock()
        _build(world, unfinished)
        unfinished.rename(path)
        for lock in cache_folder().glob(f"{unfinished.name}.*"):
            lock.unlink()
        print(f"(made a warehouse of {world.records:,} records in {clock.read().wall:.0f} s)", flush=True)
    used(path)
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
        pieces = melting.due(connection, everything=True)
    melting.melt(target, pieces)


def _slice(connection: Connection, world: World, begin: int, end: int) -> None:
    values = [world.domains, begin, end, REPORTERS]
    first = begin * world.domains * REPORTERS
    connection.execute(REPORTS, [*values, FIRST, world.most])
    connection.execute(RECORDS, {"first": first, "steady": STEADY, "sources": SOURCES, "tail": TAIL})
    deltas.add_stored(connection, "(SELECT * REPLACE (1 AS days) FROM (SELECT *, 1 AS days FROM made))")
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


# A source of five is a service with sixteen addresses; the others are networks with one.
ADDRESSES = f"""
INSERT INTO address BY NAME
SELECT {ADDRESS} AS source_ip,
       CASE WHEN n % 5 = 0 THEN format('as:network-{{:05d}}.example', n // 5)
            ELSE format('net:{{}}.{{}}.{{}}.0/24', 20 + n % 190, n // 190 % 256, n // 48640 % 256) END AS source_key,
       CASE WHEN n % 20 = 0 THEN format('Service {{}}', n) END AS service,
       ['Email Provider', 'Web Host', 'Marketing', 'ISP', 'SaaS'][1 + n % 5] AS service_type,
       64512 + n // 5 AS asn, format('Network {{}}', n // 5) AS as_name,
       format('network-{{:05d}}.example', n // 5) AS as_domain,
       ['US', 'DE', 'CH', 'BR', 'IN', 'FR', 'NL'][1 + n % 7] AS country,
       false AS ptr_confirmed, $2 AS ptr_at
FROM range($1) AS t(n), range(CASE WHEN n % 5 = 0 THEN 16 ELSE 1 END) AS of_source(j)
"""

REPORTS = f"""
INSERT INTO aggregate_report BY NAME
SELECT nextval('report_key_seq') AS report_key,
       md5(concat_ws('/', day, d, r)) AS identity_hash, md5(concat_ws('/', 'content', day, d, r)) AS content_hash,
       md5(concat_ws('/', 'document', day, d, r)) AS document_hash, 1 AS run_key, 'a mailbox' AS origin,
       received_at, received_at AS stored_at, 5 AS parser_version, '9990' AS standard,
       format('reporter-{{}}.example', r) AS reporter, format('dmarc@reporter-{{}}.example', r) AS email,
       format('{{}}.{{}}.{{}}', day, d, r) AS report_id,
       begin_at, begin_at + INTERVAL 86399 SECOND AS end_at,
       begin_at::DATE AS day, 1 AS days, []::VARCHAR[] AS errors, {NAME} AS domain,
       'r' AS adkim, 'r' AS aspf, ['none', 'quarantine', 'reject'][1 + d % 3] AS p, 'none' AS sp, 100 AS pct,
       greatest(1, round($6 / (d + 1) ** {SLOPE}))::INTEGER AS records, 0 AS messages, [] AS repairs,
       if(forged, 'mismatch', 'verified') AS attestation,
       if(forged, 'forger.example', format('reporter-{{}}.example', r)) AS attested_by, 'valid' AS attestation_status,
       if(forged, 'mismatch', '') AS doubt
FROM (
    SELECT day, d, r, $5::DATE::TIMESTAMP + to_days(day::INTEGER) AS begin_at,
           begin_at + INTERVAL 30 HOUR AS received_at, hash(day, d, r) % 500 = 0 AS forged
    FROM range($2, $3) AS t1(day), range($1) AS t2(d), range($4) AS t3(r) ORDER BY day, d, r
)
"""

# h and g: luck of the record; s: luck of the sender, the same on every day; b: the day on which it breaks, if ever.
RECORDS = f"""
CREATE TEMP TABLE made AS
WITH told AS (
    SELECT r.report_key, r.day, r.domain, r.reporter, r.doubt, i,
           split_part(split_part(r.domain, '-', 2), '.', 1)::BIGINT AS d,
           hash(r.report_key, i) AS h, hash(r.report_key, i, 1) AS g, r.day - DATE '2025-01-01' AS age,
           greatest(20, $tail // (d + 1)) AS pool
    FROM aggregate_report r, range(r.records) AS t(i) WHERE r.report_key > $first
), sent AS (
    SELECT *, h % 4 > 0 AS steady, (g % 100000) / 100000.0 AS luck,
           CASE WHEN h % 4 > 0 THEN (hash(d, h // 8 % $steady) % $sources)::BIGINT
                WHEN h // 128 % 2 = 0 THEN (luck * luck * pool / 10)::BIGINT
                ELSE pool // 10 + ((age + 20 * luck) / 420 * 0.9 * pool)::BIGINT END AS place
    FROM told
), judged AS (
    SELECT *, h % 4 = 0 AND h // 128 % 2 = 0 AS forwarder,
           CASE WHEN steady THEN place ELSE (place * 7919 + d * 104729) % $sources END AS n,
           hash(d, n, 7) AS s, (hash(d, n, 8) % 4000)::INTEGER AS b FROM sent
), fared AS (
    SELECT *, CASE WHEN steady AND s % 10 < 8 THEN h // 4096 % 100 < 98 AND b > age
                   WHEN steady THEN h // 4096 % 100 < 5
                   ELSE forwarder AND s % 10 < 6 AND h // 4096 % 100 < 70 END AS dkim_aligned,
           steady AND s // 16 % 10 < 7 AND h // 524288 % 100 < 95 AS spf_aligned,
           domain AS name, format('path-{{:05d}}.example', n) AS other,
           CASE WHEN n % 5 = 0 THEN g // 262144 % 16 ELSE 0 END AS j
    FROM judged
)
SELECT report_key, day, domain, reporter, {ADDRESS} AS source_ip,
       1 + (CASE WHEN steady THEN 400 ELSE 4 END * ((h // 65536 % 1000) / 1000.0) ** 3)::BIGINT AS messages,
       CASE WHEN dkim_aligned OR spf_aligned OR h % 7 = 0 THEN 'none'
            ELSE ['none', 'quarantine', 'reject'][1 + d % 3] END AS disposition,
       dkim_aligned, spf_aligned, dkim_aligned AS dkim_recomputed, spf_aligned AS spf_recomputed,
       CASE WHEN NOT dkim_aligned AND NOT spf_aligned AND h % 7 = 0
            THEN [{{'type': 'local_policy', 'comment': 'arc=pass'}}] ELSE [] END AS reasons,
       CASE WHEN s % 9 = 0 THEN 'news.' || name ELSE name END AS header_from,
       CASE WHEN spf_aligned THEN name ELSE other END AS envelope_from, NULL::VARCHAR AS envelope_to,
       CASE WHEN steady OR forwarder
            THEN [{{'domain': name, 'selector': format('s{{}}', s % 4), 'result': if(dkim_aligned, 'pass', 'fail')}}]
            ELSE [] END AS dkim,
       [{{'domain': CASE WHEN spf_aligned THEN name ELSE other END, 'scope': 'mfrom',
         'result': CASE WHEN spf_aligned OR h % 3 = 0 THEN 'pass' ELSE 'softfail' END}}] AS spf,
       doubt
FROM fared ORDER BY report_key, i
"""
