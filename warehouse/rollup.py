"""The rollups: kept up by what is added and taken away, so that their upkeep follows the batch alone.

Rows of one key add up over batches; `warehouse.melting` melts them together, some days at a time. Nothing is looked
up and nothing is updated when records arrive: what has to be known of a key stands in its rows.
"""

from __future__ import annotations

from dataclasses import dataclass

from warehouse.connect import Connection

SUMS = """
    sum(messages)::BIGINT AS messages,
    coalesce(sum(messages) FILTER (dkim_aligned OR spf_aligned), 0)::BIGINT AS aligned,
    coalesce(sum(messages) FILTER (dkim_aligned), 0)::BIGINT AS dkim_aligned,
    coalesce(sum(messages) FILTER (spf_aligned), 0)::BIGINT AS spf_aligned"""
DOUBTED = "if(doubt = '', '', reporter) AS reporter, doubt"
"""Only of what is in doubt it has to be known who reported it: see Scope.without."""


@dataclass(frozen=True, slots=True)
class Rollup:
    """A table of sums by day. `rows` is the query for what the records of `sourced` add, by the keys.

    `sourced` are records with the source of each; `spread` what they add to `daily`. `monthly` are the columns by
    which the same is kept month by month, in a table of its own; empty where it is not.
    """

    name: str
    keys: tuple[str, ...]
    sums: tuple[str, ...]
    rows: str
    monthly: tuple[str, ...] = ()

    @property
    def months(self) -> str:
        """The table by months."""
        return self.name.replace("_day", "_month")


# A spread report puts its remainder on its first days, so that sums hold.
DAILY = Rollup(
    "daily",
    (
        "day", "domain", "header_from", "source_key", "reporter", "disposition", "dkim_aligned", "spf_aligned",
        "overridden", "estimated", "doubt",
    ),
    ("messages",),
    """
    SELECT r.day + i::INTEGER AS day, domain, header_from, source_key, reporter, disposition, dkim_aligned,
           spf_aligned, len(reasons) > 0 AS overridden, days > 1 AS estimated, doubt,
           sum(messages // days + (i < messages % days)::BIGINT)::BIGINT AS messages
    FROM sourced r, unnest(range(days)) AS spread(i) GROUP BY ALL
    """,
)  # fmt: skip
ALIGNED = ("messages", "aligned", "dkim_aligned", "spf_aligned")
REPORTER_DAY = Rollup(
    "reporter_day",
    ("day", "domain", "reporter", "doubt"),
    (*ALIGNED, "estimated"),
    f"""
    SELECT day, domain, reporter, doubt, {SUMS}, coalesce(sum(messages) FILTER (estimated), 0)::BIGINT AS estimated
    FROM spread GROUP BY day, domain, reporter, doubt
    """,
)
SOURCE_DAY = Rollup(
    "source_day",
    ("day", "domain", "source_key", "reporter", "doubt"),
    (*ALIGNED, "overridden", "quarantined", "rejected", "failing_overridden", "failing_blocked"),
    f"""
    SELECT day, domain, source_key, {DOUBTED}, {SUMS},
           coalesce(sum(messages) FILTER (overridden), 0)::BIGINT AS overridden,
           coalesce(sum(messages) FILTER (disposition = 'quarantine'), 0)::BIGINT AS quarantined,
           coalesce(sum(messages) FILTER (disposition = 'reject'), 0)::BIGINT AS rejected,
           coalesce(sum(messages) FILTER (overridden AND failing), 0)::BIGINT AS failing_overridden,
           coalesce(sum(messages) FILTER (disposition IN ('quarantine', 'reject') AND failing), 0)::BIGINT
               AS failing_blocked
    FROM (SELECT *, NOT dkim_aligned AND NOT spf_aligned AS failing FROM spread) GROUP BY ALL
    """,
    ALIGNED,
)
ADDRESS_DAY = Rollup(
    "address_day",
    ("day", "domain", "source_key", "source_ip", "reporter", "doubt"),
    ALIGNED,
    f"SELECT day, domain, source_key, source_ip, {DOUBTED}, {SUMS} FROM sourced GROUP BY ALL",
)
SIGNATURE_DAY = Rollup(
    "signature_day",
    ("day", "domain", "source_key", "signing_domain", "selector", "result", "reporter", "doubt"),
    ("messages",),
    f"""
    SELECT day, domain, source_key, d.domain AS signing_domain, d.selector AS selector, d.result AS result,
           reporter, doubt, sum(messages)::BIGINT AS messages
    FROM (SELECT day, domain, source_key, {DOUBTED}, messages, unnest(if(len(dkim) = 0, [NULL], dkim)) AS d
          FROM sourced) GROUP BY ALL
    """,
    ("messages",),
)
ENVELOPE_DAY = Rollup(
    "envelope_day",
    ("day", "domain", "source_key", "spf_domain", "result", "reporter", "doubt"),
    ("messages",),
    f"""
    SELECT day, domain, source_key, coalesce(spf[1].domain, envelope_from) AS spf_domain, spf[1].result AS result,
           {DOUBTED}, sum(messages)::BIGINT AS messages
    FROM sourced GROUP BY ALL
    """,
    ("messages",),
)
REASON_DAY = Rollup(
    "reason_day",
    ("day", "domain", "source_key", '"type"', '"comment"', "reporter", "doubt"),
    ("messages",),
    f"""
    SELECT day, domain, source_key, r.type AS "type", r.comment AS "comment", reporter, doubt,
           sum(messages)::BIGINT AS messages
    FROM (SELECT day, domain, source_key, {DOUBTED}, messages, unnest(reasons) AS r FROM sourced) GROUP BY ALL
    """,
)
ROLLUPS = (DAILY, REPORTER_DAY, SOURCE_DAY, ADDRESS_DAY, SIGNATURE_DAY, ENVELOPE_DAY, REASON_DAY)

STORED = """
    (SELECT c.*, r.days FROM aggregate_record c JOIN aggregate_report r USING (report_key)
     WHERE report_key IN ({reports}))
"""
"""Stored records as `add` wants them: aggregate_record's columns, and days."""


def add(connection: Connection, records: str) -> None:
    """Add what a relation of records (aggregate_record's columns and days) brings."""
    _put(connection, records, "")


def take_away(connection: Connection, records: str) -> None:
    """Take away what a relation of records brought, by rows of negative counts. `melt` is to follow."""
    _put(connection, records, "-")


def _put(connection: Connection, records: str, sign: str) -> None:
    connection.execute(
        f"CREATE TEMP TABLE sourced AS SELECT r.*, a.source_key FROM {records} r JOIN address a USING (source_ip)"
    )
    # A report of more days than messages brings nothing on some of them.
    connection.execute(f"CREATE TEMP TABLE spread AS FROM ({DAILY.rows}) WHERE messages <> 0 ORDER BY domain, day")
    for rollup in ROLLUPS:
        rows = "FROM spread" if rollup is DAILY else rollup.rows
        signed = ", ".join(f"{sign}{name} AS {name}" for name in rollup.sums)
        connection.execute(f"CREATE TEMP TABLE delta AS SELECT * REPLACE ({signed}) FROM ({rows}) WHERE messages <> 0")
        connection.execute(f"INSERT INTO {rollup.name} BY NAME SELECT * FROM delta ORDER BY domain, day")
        if rollup.monthly:
            connection.execute(f"INSERT INTO {rollup.months} BY NAME {by_months(rollup, 'delta')}")
        connection.execute("DROP TABLE delta")
    connection.execute("DROP TABLE sourced; DROP TABLE spread")


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


def melt(connection: Connection, reports: str) -> None:
    """Melt the days of some reports (a query for their keys), so that no row of nothing is left there."""
    melt_days(
        connection,
        f"""
        SELECT DISTINCT r.domain, r.day + i::INTEGER AS day
        FROM aggregate_report r, unnest(range(r.days)) AS spread(i) WHERE r.report_key IN ({reports})
        """,
    )


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
