"""The warehouse as it was known at an instant: without the reports and decisions that came later.

Nothing is copied. A session sees views in the place of the tables: of what has a time, the rows up to the instant; of
the rollups, all but the days that later reports tell of, and these without what the reports brought.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from warehouse import findings, kept, marks
from warehouse.connect import Connection, Warehouse
from warehouse.errors import WarehouseError
from warehouse.rollup import ROLLUPS, by_months, melted
from warehouse.scope import Scope

if TYPE_CHECKING:
    import pyarrow as pa

# What came later, by table: the column that holds when.
LATER = {"aggregate_report": "stored_at", "source_decision": "decided_at", "quarantine": "first_seen_at"}
LATER |= {"journal": "written_at", "dns_answer": "first_seen_at", "dmarc_lookup": "first_seen_at"}
LATER |= {"blocklist_answer": "first_seen_at"}

MIXED = "(SELECT (domain, day) FROM touched WHERE earlier)"
"""Of the days of domains that later reports tell of, those that earlier ones told of, too; on the others is nothing."""


@contextmanager
def known_at(warehouse: Warehouse, at: datetime | None) -> Iterator[Warehouse]:
    """The warehouse at an instant (naive UTC); itself where nothing came later.

    What was learnt of addresses, and what a later version reads in the same documents, stays as it is now.
    Raises WarehouseError where the records of what would have to go were pruned.
    """
    with warehouse.reading() as connection:
        same = at is None or not _later(connection, at)
    if same or at is None:
        yield warehouse
        return
    with TemporaryDirectory(prefix="whosends-") as folder:
        yield _Past(warehouse, at, Path(folder))


class _Past(Warehouse):
    """A warehouse as of an instant. It cannot be written to; what is kept of its answers is in a folder of its own."""

    def __init__(self, now: Warehouse, at: datetime, folder: Path) -> None:
        super().__init__(now.path, now.settings)
        self._at, self._folder = at, folder
        self._then: _Then | None = None

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A session that knows nothing of what came later."""
        with super().reading() as connection:
            mark = marks.read(connection).every
            if self._then is None or self._then.mark != mark:
                # The first session, or somebody wrote since.
                self._then = _Then(mark, _of_then(connection, self._at))
            kept.keep_in(connection, self._folder)
            _look_back(connection, self._at, self._then.tables)
            yield connection

    @contextmanager
    def writing(self, *, reports: bool = True, memory: str = "") -> Iterator[Connection]:
        """Nobody writes into the past."""
        raise NotImplementedError
        yield


@dataclass(frozen=True, slots=True)
class _Then:
    """What has to be put in the place of a part of some tables, for one state (`mark`) of the warehouse."""

    mark: str
    tables: dict[str, pa.Table]


def began(connection: Connection) -> datetime | None:
    """When the first report was stored (naive UTC): of before, nothing was known. None where there is no report."""
    row = connection.execute("SELECT min(stored_at) FROM aggregate_report").fetchone()
    return row[0] if row else None


def restated(connection: Connection, scope: Scope, then: datetime) -> tuple[int, int, int]:
    """Messages of a scope by the reports stored up to an instant, and by all of them; how many came later."""
    where, values = scope.where()
    row = connection.execute(
        f"""
        SELECT coalesce(sum(messages) FILTER (stored_at <= ?), 0)::BIGINT, coalesce(sum(messages), 0)::BIGINT,
               count(*) FILTER (stored_at > ?)
        FROM aggregate_report WHERE {where}
        """,
        [then, then, *values],
    ).fetchone()
    return (int(row[0]), int(row[1]), int(row[2])) if row else (0, 0, 0)


def _later(connection: Connection, at: datetime) -> bool:
    asked = " OR ".join(f"EXISTS (SELECT 1 FROM {table} WHERE {column} > ?)" for table, column in LATER.items())
    row = connection.execute(f"SELECT {asked}", [at] * len(LATER)).fetchone()
    return bool(row and row[0])


def _of_then(connection: Connection, at: datetime) -> dict[str, pa.Table]:
    """What `_look_back` needs: the touched days and months, and as they were the rollups there and the findings."""
    report = _stored(connection, "aggregate_report")
    connection.execute(
        f"""
        CREATE TEMP TABLE touched AS
        WITH later AS (
            SELECT DISTINCT domain, day + i::INTEGER AS day FROM {report}, unnest(range(days)) AS spread(i)
            WHERE stored_at > {_instant(at)}
        ), earlier AS (
            SELECT DISTINCT domain, day + i::INTEGER AS day, true AS earlier
            FROM {report}, unnest(range(days)) AS spread(i)
            WHERE stored_at <= {_instant(at)} AND day + days > (SELECT min(day) FROM later)
        )
        SELECT domain, day, coalesce(earlier, false) AS earlier FROM later LEFT JOIN earlier USING (domain, day);
        CREATE TEMP TABLE touched_month AS SELECT DISTINCT domain, date_trunc('month', day)::DATE AS day FROM touched;
        CREATE TEMP TABLE finding AS FROM {_stored(connection, "finding")}
        """
    )
    found = _days(connection, at)
    findings.rewind(connection, at)
    found["finding_then"] = connection.table("temp.finding").to_arrow_table()
    found |= {name: connection.table(f"temp.{name}").to_arrow_table() for name in ("touched", "touched_month")}
    connection.execute("DROP TABLE finding; DROP TABLE touched; DROP TABLE touched_month")
    return found | _months(connection, at, found)


def _days(connection: Connection, at: datetime) -> dict[str, pa.Table]:
    """The rollups on the mixed days: what is there now, without what the later reports brought."""
    reports = f"""
        SELECT DISTINCT report_key FROM {_stored(connection, "aggregate_report")}, unnest(range(days)) AS spread(i)
        WHERE stored_at > {_instant(at)} AND (domain, day + i::INTEGER) IN {MIXED}
    """
    _refuse_pruned(connection, at, reports)
    for rollup in ROLLUPS:
        rows = f"FROM {_stored(connection, rollup.name)} WHERE (domain, day) IN {MIXED} AND {_span('touched')}"
        connection.execute(f"CREATE TEMP TABLE {rollup.name} AS {rows}")
        if rollup.monthly:
            # What the reports brought to months is worked out as well; it is not needed.
            connection.execute(
                f"CREATE TEMP TABLE {rollup.months} AS FROM {_stored(connection, rollup.months)} LIMIT 0"
            )
    from warehouse import deltas  # noqa: PLC0415 - what it works with takes long to load, and few look back

    deltas.take_away(connection, deltas.STORED.format(reports=reports))
    found: dict[str, pa.Table] = {}
    for rollup in ROLLUPS:
        rows = melted(rollup, f"(SELECT * FROM {rollup.name} WHERE (domain, day) IN {MIXED})")
        found[f"{rollup.name}_then"] = connection.execute(rows).to_arrow_table()
        connection.execute(f"DROP TABLE {rollup.name}")
        if rollup.monthly:
            connection.execute(f"DROP TABLE {rollup.months}")
    return found


def _months(connection: Connection, at: datetime, found: dict[str, pa.Table]) -> dict[str, pa.Table]:
    """The rollups by months on the touched months, from the days as they were."""
    _look_back(connection, at, found)
    months: dict[str, pa.Table] = {}
    for rollup in (one for one in ROLLUPS if one.monthly):
        days = f"""(SELECT * FROM {rollup.name}
            WHERE (domain, date_trunc('month', day)::DATE) IN (SELECT (domain, day) FROM touched_month)
            AND {_span("touched_month")})"""
        months[f"{rollup.months}_then"] = connection.execute(by_months(rollup, days)).to_arrow_table()
    return months


def _look_back(connection: Connection, at: datetime, tables: dict[str, pa.Table]) -> None:
    """Put views in the place of this session's tables; `tables` are as `_of_then` gives them."""
    for name, table in tables.items():
        connection.register(name, table)
    rolled = {rollup.name: "touched" for rollup in ROLLUPS}
    rolled |= {
        rollup.months: "touched_month" for rollup in ROLLUPS if rollup.monthly and f"{rollup.months}_then" in tables
    }
    for name, touched in rolled.items():
        before = f"SELECT held.* FROM {_stored(connection, name)} held ANTI JOIN {touched} USING (domain, day)"
        _view(connection, name, f"{before} UNION ALL BY NAME SELECT * FROM {name}_then")
    for name, column in LATER.items():
        _view(connection, name, f"SELECT * FROM {_stored(connection, name)} WHERE {column} <= {_instant(at)}")
    _view(connection, "finding", "SELECT * FROM finding_then")
    later = f"SELECT report_key FROM {_stored(connection, 'aggregate_report')} WHERE stored_at > {_instant(at)}"
    record = _stored(connection, "aggregate_record")
    _view(connection, "aggregate_record", f"SELECT c.* FROM {record} c ANTI JOIN ({later}) USING (report_key)")
    # The schema's own views look at the tables themselves.
    named = "SELECT view_name, sql FROM duckdb_views() WHERE database_name = current_database() AND NOT internal"
    for name, sql in connection.execute(named).fetchall():
        _view(connection, name, sql.partition(" AS ")[2].rstrip("; \n"))


def _view(connection: Connection, name: str, query: str) -> None:
    connection.execute(f"CREATE OR REPLACE TEMP VIEW {name} AS {query}")


def _stored(connection: Connection, table: str) -> str:
    """The table itself, whatever stands in its place in this session."""
    ((database,),) = connection.execute("SELECT current_database()").fetchall()
    quoted = str(database).replace('"', '""')
    return f'"{quoted}".main.{table}'


def _span(touched: str) -> str:
    """That a day is within a span, so that only this part of a table is looked at."""
    return f"day BETWEEN (SELECT min(day) FROM {touched}) AND (SELECT max(day) FROM {touched}) + INTERVAL 1 MONTH"


def _instant(at: datetime) -> str:
    return f"TIMESTAMP '{at.isoformat(sep=' ')}'"


def _refuse_pruned(connection: Connection, at: datetime, reports: str) -> None:
    ((pruned,),) = connection.execute(
        f"""
        SELECT count(*) FROM {_stored(connection, "aggregate_report")}
        WHERE pruned_at IS NOT NULL AND report_key IN ({reports})
        """
    ).fetchall()
    if pruned:
        raise WarehouseError(
            f"{pruned:,} reports came after {at} and lost their records since: their mail cannot be left out.",
            "Ask as of a later instant, or restore a backup of that time.",
        )
