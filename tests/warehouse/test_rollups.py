"""The rollups say what the records say, whatever came, came again, was moved, read anew, melted or pruned."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random

import polars as pl
import pytest

from tests.warehouse.build import BEGIN, DAY, NOW, identify, row, warehouse, xml
from tests.warehouse.test_attested import MISMATCH, UNSIGNED, VERIFIED, arrive
from warehouse import addresses, melting, reads, reads_sources
from warehouse.address import Address
from warehouse.connect import Connection, Warehouse
from warehouse.reads import frame
from warehouse.reparse import reparse
from warehouse.retention import prune
from warehouse.scope import Scope
from warehouse.settings import RetentionSettings

FIRST = datetime.fromtimestamp(BEGIN, UTC).date()
RAW = "(SELECT * FROM aggregate_record JOIN address USING (source_ip))"
ALIGNED = """
    sum(messages)::BIGINT AS messages,
    coalesce(sum(messages) FILTER (dkim_aligned OR spf_aligned), 0)::BIGINT AS aligned,
    coalesce(sum(messages) FILTER (dkim_aligned), 0)::BIGINT AS dkim_aligned,
    coalesce(sum(messages) FILTER (spf_aligned), 0)::BIGINT AS spf_aligned
"""
# What each answer was before there was a rollup for it, by the name of the read.
BY_HAND = {
    "sources": f"""
        SELECT domain, source_key, {ALIGNED}, coalesce(sum(messages) FILTER (overridden), 0)::BIGINT AS overridden,
               coalesce(sum(messages) FILTER (disposition = 'quarantine'), 0)::BIGINT AS quarantined,
               coalesce(sum(messages) FILTER (disposition = 'reject'), 0)::BIGINT AS rejected,
               count(DISTINCT day) AS days, min(day) AS first_seen, max(day) AS last_seen,
               count(DISTINCT reporter) AS reporters FROM daily WHERE {{where}} GROUP BY ALL""",
    "blockable": """
        SELECT domain, source_key, day, sum(messages)::BIGINT AS messages,
               coalesce(sum(messages) FILTER (overridden), 0)::BIGINT AS overridden,
               coalesce(sum(messages) FILTER (disposition <> 'none'), 0)::BIGINT AS blocked
        FROM daily WHERE {where} AND NOT dkim_aligned AND NOT spf_aligned GROUP BY ALL""",
    "source_addresses": f"""
        SELECT domain, source_key, source_ip, {ALIGNED}, min(day) AS first_seen, max(day) AS last_seen
        FROM {RAW} WHERE {{where}} GROUP BY ALL""",
    "source_ips": f"""
        SELECT domain, source_key, count(DISTINCT source_ip) AS ips FROM {RAW} WHERE {{where}} GROUP BY ALL""",
    "source_signatures": f"""
        SELECT domain, source_key, day, d.domain AS signing_domain, d.selector AS selector, d.result AS result,
               sum(messages)::BIGINT AS messages
        FROM (SELECT *, unnest(if(len(dkim) = 0, [NULL], dkim)) AS d FROM {RAW} WHERE {{where}}) GROUP BY ALL""",
    "source_envelopes": f"""
        SELECT domain, source_key, day, coalesce(spf[1].domain, envelope_from) AS spf_domain, spf[1].result AS result,
               sum(messages)::BIGINT AS messages FROM {RAW} WHERE {{where}} GROUP BY ALL""",
    "source_reasons": f"""
        SELECT domain, source_key, r.type AS "type", r.comment AS "comment", sum(messages)::BIGINT AS messages
        FROM (SELECT *, unnest(reasons) AS r FROM {RAW} WHERE {{where}}) GROUP BY ALL""",
    "daily_alignment": f"""
        SELECT domain, day, {ALIGNED}, count(DISTINCT reporter) AS reporters,
               coalesce(sum(messages) FILTER (estimated), 0)::BIGINT AS estimated
        FROM daily WHERE {{where}} GROUP BY domain, day""",
    "reporter_days": f"SELECT reporter, domain, day, {ALIGNED} FROM daily WHERE {{where}} GROUP BY ALL",
}
BY_HAND["signature_sums"] = (
    BY_HAND["source_signatures"].replace("day, d.", "d.", 1).replace("source_key, day,", "source_key,")
)
BY_HAND["envelope_sums"] = BY_HAND["source_envelopes"].replace("source_key, day,", "source_key,")
FIRST_SEEN = """
    SELECT domain, source_key, min(day) AS first_seen, max(day) AS last_seen,
           min(min(day)) OVER (PARTITION BY domain) AS domain_first_day
    FROM daily WHERE {where} GROUP BY domain, source_key"""


def ordered(rows: pl.DataFrame) -> list[tuple[object, ...]]:
    """The rows by column name, in an order of their own."""
    return sorted(rows.select(sorted(rows.columns)).rows(), key=str)


def hold(connection: Connection, scope: Scope) -> None:
    """Every answer from a rollup is what the records and daily give."""
    where, values = scope.where()
    for name, sql in BY_HAND.items():
        read = getattr(reads_sources, name, None) or getattr(reads, name)
        assert ordered(read(connection, scope)) == ordered(frame(connection, sql.format(where=where), values)), name
    ever, more = Scope(scope.domains, without=scope.without).where()
    by_hand = frame(connection, FIRST_SEEN.format(where=ever), more)
    assert ordered(reads_sources.first_seen(connection, scope)) == ordered(by_hand)
    assert ordered(reads_sources.volumes(connection, scope, 3)) == ordered(volumes(connection, scope))
    for keys in ("source_key", "domain, source_key"):
        told = f"""
            SELECT {keys}, sum(messages)::BIGINT AS spf_aligned FROM daily
            WHERE {where} AND spf_aligned GROUP BY ALL HAVING sum(messages) > 0"""
        assert ordered(reads_sources.spf_sums(connection, scope, keys)) == ordered(
            frame(connection, told.format(where=where), values)
        )
    ever, more = Scope(scope.domains).where()
    seen = frame(connection, f"SELECT DISTINCT domain, source_key FROM daily WHERE {ever}", more)
    assert ordered(reads_sources.keys(connection, scope)) == ordered(seen)


def volumes(connection: Connection, scope: Scope) -> pl.DataFrame:
    """The same as reads_sources.volumes from source days, row by row."""
    days = reads.source_days(connection, scope).with_columns(
        recent=pl.col("day") > pl.col("day").max().over("domain", "source_key") - pl.duration(days=3)
    )
    messages, aligned, recent = pl.col("messages"), pl.col("aligned"), pl.col("recent")
    return days.group_by("domain", "source_key").agg(
        n=messages.sum(),
        recent_n=messages.filter(recent).sum(),
        recent_aligned=aligned.filter(recent).sum(),
        earlier_n=messages.filter(~recent).sum(),
        earlier_aligned=aligned.filter(~recent).sum(),
        dkim_aligned=pl.col("dkim_aligned").sum(),
        spf_aligned=pl.col("spf_aligned").sum(),
        active_days=pl.col("day").n_unique(),
        span_days=(pl.col("day").max() - pl.col("day").min()).dt.total_days() + 1,
    )


def scopes(chance: Random) -> list[Scope]:
    """All, whole months, parts of months, one domain, and without what is in doubt."""
    since = FIRST + timedelta(days=chance.randrange(60))
    without = (("B", "mismatch"), ("A", "unverified"))
    return [
        Scope(),
        Scope((), date(2026, 12, 1), date(2026, 12, 31), without),
        Scope(("one.example",), since, None, without),
        Scope((), since, since + timedelta(days=chance.randrange(70)), without),
        Scope(("two.example", "one.example"), None, since),
    ]


def report(chance: Random, number: int) -> bytes:
    """A report of one or some days, with a few records."""
    domain = chance.choice(("one.example", "two.example"))
    rows = [
        row(
            f"192.0.2.{chance.randrange(8)}", chance.randrange(1, 30),
            chance.choice(("pass", "fail")), chance.choice(("pass", "fail")),
            chance.choice((domain, f"news.{domain}")),
        ).replace("<disposition>none", f"<disposition>{chance.choice(('none', 'quarantine', 'reject'))}").replace(
            "</policy_evaluated>",
            chance.choice(("", "<reason><type>forwarded</type><comment>arc=pass</comment></reason>"))
            + "</policy_evaluated>",
        )
        for _ in range(chance.randrange(1, 5))
    ]  # fmt: skip
    begin, days = BEGIN + chance.randrange(80) * DAY, chance.choice((1, 1, 1, 3))
    return xml(*rows, reporter=chance.choice("ABC"), report_id=f"r{number}", domain=domain, begin=begin, days=days)


def everything_holds(target: Warehouse, chance: Random) -> None:
    """Before and after some of the rollups are melted."""
    with target.reading() as connection:
        for scope in scopes(chance):
            hold(connection, scope)
    with target.writing() as connection:
        for piece in melting.due(connection, everything=True):
            if chance.random() < 0.5:
                melting.melt_piece(connection, piece)
    with target.reading() as connection:
        for scope in scopes(chance):
            hold(connection, scope)


@pytest.mark.parametrize("seed", [1, 2])
def test_rollups_say_what_the_records_say(tmp_path: Path, seed: int) -> None:
    chance, target = Random(seed), warehouse(tmp_path)
    made = [(report(chance, number), chance.choice((VERIFIED, MISMATCH, UNSIGNED))) for number in range(60)]
    arrive(target, *made[:40])
    arrive(target, *made[40:])
    everything_holds(target, chance)
    # The same again, but vouched for; others under the same id and period, vouched for.
    again = [(b"\n" + raw, VERIFIED) for raw, found in made[:30] if found is not VERIFIED]
    other = [(raw.replace(b"<count>", b"<count>1"), VERIFIED) for raw, found in made[30:] if found is not VERIFIED]
    arrive(target, *again, *other)
    everything_holds(target, chance)
    with target.writing() as connection:
        moved = [Address("192.0.2.1", "ptr:mail.example"), Address("192.0.2.2", "ip:192.0.2.3")]
        assert addresses.renew(connection, moved, NOW) == 2
    everything_holds(target, chance)
    with target.writing() as connection:
        connection.execute("UPDATE aggregate_report SET parser_version = 0 WHERE report_key % 2 = 0")
    assert reparse(target, identify, NOW).reports > 0
    everything_holds(target, chance)


def test_what_was_pruned_stays_in_the_rollups(tmp_path: Path) -> None:
    chance, target = Random(3), warehouse(tmp_path)
    arrive(target, *((report(chance, number), VERIFIED) for number in range(20)))
    with target.reading() as connection:
        before = {name: ordered(getattr(reads_sources, name)(connection, Scope())) for name in KEPT}
    with target.writing() as connection:
        prune(connection, RetentionSettings(records_days=1), NOW + timedelta(days=400))
    with target.reading() as connection:
        after = {name: ordered(getattr(reads_sources, name)(connection, Scope())) for name in KEPT}
    assert after == before


KEPT = ("sources", "blockable", "source_addresses", "signature_sums", "envelope_sums", "source_reasons")


def test_a_piece_left_undone_is_due_again_and_no_sum_changes(tmp_path: Path) -> None:
    chance, target = Random(4), warehouse(tmp_path)
    for batch in range(3):
        arrive(target, *((report(chance, 100 * batch + number), VERIFIED) for number in range(10)))
    with target.reading() as connection:
        pieces = melting.due(connection, everything=True)
        before = ordered(reads.source_days(connection, Scope()))
    assert {piece.table for piece in pieces} >= {"daily", "source_day", "source_month", "signature_month"}
    melting.melt(target, pieces[: len(pieces) // 2])
    with target.reading() as connection:
        assert ordered(reads.source_days(connection, Scope())) == before
        hold(connection, Scope())
    melting.melt(target, pieces[len(pieces) // 2 :])
    with target.reading() as connection:
        hold(connection, Scope())
        keys = connection.execute(
            "SELECT count(*), count(DISTINCT (day, domain, source_key, reporter, doubt)) FROM source_day"
        ).fetchone()
    assert keys is not None
    assert keys[0] == keys[1]
