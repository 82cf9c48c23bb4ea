"""The rollups: tables of sums by day, so that answers need not read the records.

Rows of one key add up over batches; `warehouse.melting` melts them together, some days at a time. What records add and
take away is in warehouse/deltas.py.
"""

from __future__ import annotations

from dataclasses import dataclass

from warehouse.connect import Connection


@dataclass(frozen=True, slots=True)
class Rollup:
    """A table of sums by day, by the keys.

    `monthly` are the columns by which the same is kept month by month, in a table of its own; empty where it is not.
    """

    name: str
    keys: tuple[str, ...]
    sums: tuple[str, ...]
    monthly: tuple[str, ...] = ()

    @property
    def months(self) -> str:
        """The table by months."""
        return self.name.replace("_day", "_month")


ALIGNED = ("messages", "aligned", "dkim_aligned", "spf_aligned")
DAILY = Rollup(
    "daily",
    (
        "day", "domain", "header_from", "source_key", "reporter", "disposition", "dkim_aligned", "spf_aligned",
        "overridden", "estimated", "doubt",
    ),
    ("messages",),
)  # fmt: skip
REPORTER_DAY = Rollup("reporter_day", ("day", "domain", "reporter", "doubt"), (*ALIGNED, "estimated"))
SOURCE_DAY = Rollup(
    "source_day",
    ("day", "domain", "source_key", "reporter", "doubt"),
    (*ALIGNED, "overridden", "quarantined", "rejected", "failing_overridden", "failing_blocked"),
    ALIGNED,
)
ADDRESS_DAY = Rollup("address_day", ("day", "domain", "source_key", "source_ip", "reporter", "doubt"), ALIGNED)
SIGNATURE_DAY = Rollup(
    "signature_day",
    ("day", "domain", "source_key", "signing_domain", "selector", "result", "reporter", "doubt"),
    ("messages",),
    ("messages",),
)
ENVELOPE_DAY = Rollup(
    "envelope_day",
    ("day", "domain", "source_key", "spf_domain", "result", "reporter", "doubt"),
    ("messages",),
    ("messages",),
)
REASON_DAY = Rollup(
    "reason_day", ("day", "domain", "source_key", "type", "comment", "reporter", "doubt"), ("messages",)
)
ROLLUPS = (DAILY, REPORTER_DAY, SOURCE_DAY, ADDRESS_DAY, SIGNATURE_DAY, ENVELOPE_DAY, REASON_DAY)


def by_months(rollup: Rollup, days: str) -> str:
    """The query for the months of some days (a relation) of a rollup."""
    keys = ", ".join(name for name in rollup.keys if name != "day")
    sums = ", ".join(f"sum({name})::BIGINT AS {name}" for name in rollup.monthly)
    ends = ", min(day) AS first_day, max(day) AS last_day" if rollup is SOURCE_DAY else ""
    return f"""
        SELECT date_trunc('month', d.day)::DATE AS day, {keys}, {sums}{ends} FROM {days} d
        GROUP BY date_trunc('month', d.day), {keys} ORDER BY domain
    """


def melted(rollup: Rollup, days: str) -> str:
    """The query for one row for each key of some days (a relation) of a rollup, in the order that answers read."""
    sums = ", ".join(f"sum({name})::BIGINT AS {name}" for name in rollup.sums)
    keys = ", ".join(rollup.keys)
    return f"SELECT {keys}, {sums} FROM {days} GROUP BY {keys} HAVING sum(messages) <> 0 ORDER BY domain, day"


def days_of(reports: str) -> str:
    """The query for the days of domains that some reports (a query for their keys) tell of, as they are stored now."""
    return f"""
        SELECT DISTINCT r.domain, r.day + i::INTEGER AS day
        FROM aggregate_report r, unnest(range(r.days)) AS spread(i) WHERE r.report_key IN ({reports})
    """


def melt(connection: Connection, reports: str) -> None:
    """Melt the days of some reports (a query for their keys), so that no row of nothing is left there."""
    melt_days(connection, days_of(reports))


def melt_days(connection: Connection, days: str) -> None:
    """The same for the days of domains that a query names."""
    connection.execute(f"CREATE TEMP TABLE touched AS {days}")
    connection.execute(
        "CREATE TEMP TABLE touched_month AS SELECT DISTINCT domain, date_trunc('month', day)::DATE AS day FROM touched"
    )
    for rollup in ROLLUPS:
        _replace(connection, rollup.name, melted(rollup, _touched(rollup.name, "touched")), "touched")
        if rollup.monthly:
            months = by_months(rollup, _touched(rollup.name, "touched_month", "date_trunc('month', day)"))
            _replace(connection, rollup.months, months, "touched_month")
    connection.execute("DROP TABLE touched; DROP TABLE touched_month")


def _touched(table: str, touched: str, day: str = "day") -> str:
    """The rows of a rollup on the days of domains that were touched; only that span of the table is looked at."""
    return f"""(
        SELECT * FROM {table} WHERE (domain, {day}::DATE) IN (SELECT (domain, day) FROM {touched})
        AND day >= (SELECT min(day) FROM {touched}) AND day < (SELECT max(day) FROM {touched}) + INTERVAL 1 MONTH)"""


def _replace(connection: Connection, table: str, rows: str, touched: str) -> None:
    connection.execute(f"CREATE TEMP TABLE melted AS {rows}")
    connection.execute(
        f"""
        DELETE FROM {table} WHERE (domain, day) IN (SELECT (domain, day) FROM {touched})
        AND day BETWEEN (SELECT min(day) FROM {touched}) AND (SELECT max(day) FROM {touched})
        """
    )
    connection.execute(f"INSERT INTO {table} BY NAME SELECT * FROM melted")
    connection.execute("DROP TABLE melted")
