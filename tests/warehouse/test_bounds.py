"""The largest numbers and the longest periods that are read: they add up, and cost no more than they bring."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from ingest.outcome import Quarantined, Reason
from ingest.reports.record import RECORD_LIMIT
from ingest.reports.words import COUNT_LIMIT
from tests.warehouse.build import BEGIN, DAY, ListInput, loader, message, one, row, warehouse, xml
from warehouse import deltas, reads
from warehouse.connect import Warehouse
from warehouse.load import load
from warehouse.scope import Scope

BARE = "<record><row><source_ip>10.0.{}.{}</source_ip><count>{}</count></row></record>"


def bare(count: int, messages: int = 1) -> list[str]:
    """So many records of different addresses, as short as they can be."""
    return [BARE.format(n >> 8, n & 255, messages) for n in range(count)]


def test_reports_of_the_largest_count_add_up(tmp_path: Path) -> None:
    target, reports = warehouse(tmp_path), 1100
    raws = [xml(row(count=COUNT_LIMIT), report_id=f"r{n}") for n in range(reports)]
    batches = [[message(raw) for raw in raws[at::2]] for at in range(2)]
    assert load(ListInput(batches), loader(target)).messages == reports * COUNT_LIMIT
    with target.reading() as connection:
        assert reads.domains(connection, Scope())["messages"].to_list() == [reports * COUNT_LIMIT]
        assert reads.source_days(connection, Scope())["messages"].to_list() == [reports * COUNT_LIMIT]


def test_a_report_whose_records_times_days_are_beyond_belief_is_refused(tmp_path: Path) -> None:
    target, days = warehouse(tmp_path), 366
    most = RECORD_LIMIT // days
    raws = [xml(*bare(count), days=days, begin=BEGIN - days * DAY, report_id=str(count)) for count in (1, most + 1)]
    source = ListInput([[message(raw) for raw in raws]])
    summary = load(source, loader(target))
    assert (summary.stored, summary.quarantined) == (1, 1)
    refused = source.told[1][1]
    assert isinstance(refused, Quarantined)
    assert refused.reason == Reason.DATE_INVALID
    assert refused.sentence.startswith("It claims to cover 366 days with 1367 records: counted on each day,")


def test_reports_of_many_days_are_spread_some_records_at_a_time(tmp_path: Path) -> None:
    target, count, days = warehouse(tmp_path), 1000, 300
    raw = xml(*bare(count, days + 1), days=days, begin=BEGIN - days * DAY)
    assert load(ListInput([[message(raw)]]), loader(target)).messages == count * (days + 1)
    told = "SELECT sum(messages), count(*), count(DISTINCT day), count(DISTINCT source_key) FROM source_day"
    assert one(target, told) == (count * (days + 1), count * days, days, count)
    with target.writing() as connection:
        every = deltas.STORED.format(reports="SELECT report_key FROM aggregate_report")
        deltas.take_away(connection, every)
    for name in ("daily", "reporter_day", "source_day", "source_month", "address_day", "signature_day"):
        assert one(target, f"SELECT sum(messages) FROM {name}") == 0


def test_what_is_taken_away_is_never_held_as_a_whole(tmp_path: Path) -> None:
    target, count, days = warehouse(tmp_path), 500, 300
    raws = [xml(*bare(count, days), days=days, begin=BEGIN - days * DAY, report_id=str(n)) for n in range(6)]
    load(ListInput([[message(raw) for raw in raws]]), loader(target))
    few = peak(target, "SELECT report_key FROM aggregate_report ORDER BY report_key LIMIT 2")
    assert peak(target, "SELECT report_key FROM aggregate_report") < 1.5 * few


def peak(target: Warehouse, reports: str) -> int:
    """Most bytes of Arrow's that are held while what some reports brought is taken away, and added again."""
    pool, own = pa.proxy_memory_pool(pa.system_memory_pool()), pa.default_memory_pool()
    stored = deltas.STORED.format(reports=reports)
    with target.writing() as connection:
        pa.set_memory_pool(pool)
        try:
            deltas.take_away(connection, stored)
            deltas.add_stored(connection, stored)
        finally:
            pa.set_memory_pool(own)
    return int(pool.max_memory())


def test_more_records_than_are_looked_at_in_one_go_are_all_taken_away(tmp_path: Path) -> None:
    target, count, reports = warehouse(tmp_path), 45_000, 6
    assert count * reports > deltas.PIECE
    raws = [xml(*bare(count), report_id=str(n)) for n in range(reports)]
    load(ListInput([[message(raw) for raw in raws]]), loader(target))
    every = deltas.STORED.format(reports="SELECT report_key FROM aggregate_report")
    with target.writing() as connection:
        deltas.add_stored(connection, every)
    assert one(target, "SELECT sum(messages) FROM address_day") == 2 * count * reports
    with target.writing() as connection:
        deltas.take_away(connection, every)
    for name in ("daily", "reporter_day", "source_day", "source_month", "address_day", "signature_day"):
        assert one(target, f"SELECT sum(messages) FROM {name}") == count * reports


def test_pieces_are_all_records_once_and_bounded() -> None:
    days = [1] * 50 + [366] * 2000 + [deltas.PIECE * 2] + [7] * 50
    records = pa.table({"days": pa.array(days, pa.int32()), "at": range(len(days))})
    found = list(deltas.pieces(records))
    assert pa.concat_tables(found).column("at").to_pylist() == list(range(len(days)))
    sums = [(piece.num_rows, sum(piece.column("days").to_pylist())) for piece in found]
    assert all(size == 1 or total <= deltas.PIECE for size, total in sums)
    assert len(found) == 5
    plain = records.slice(0, 50)
    assert [piece.num_rows for piece in deltas.pieces(plain)] == [50]
