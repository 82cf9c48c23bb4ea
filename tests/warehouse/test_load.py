"""The loop: each message ends once, each report is stored once, and the sums hold."""

from __future__ import annotations

import gzip
import random
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from ingest.inputs.base import Cursors, Message
from ingest.outcome import Duplicate, NotAReport, Outcome, Quarantined, Reason, Stored
from ingest.settings import UnpackLimits
from tests.warehouse.build import BEGIN, DAY, ListInput, loader, message, one, refused, row, warehouse, xml
from warehouse.connect import Warehouse
from warehouse.errors import MemoryShort
from warehouse.load import LoadSummary, load
from warehouse.retry import retry

TOTALS = """
    SELECT (SELECT sum(messages) FROM aggregate_record), (SELECT sum(messages) FROM daily),
           (SELECT sum(messages) FROM aggregate_report)
"""


def loaded(target: Warehouse, *raws: bytes) -> LoadSummary:
    return load(ListInput([[message(raw, f"file {n}") for n, raw in enumerate(raws)]]), loader(target))


def adds_up(summary: LoadSummary) -> bool:
    return summary.seen == summary.stored + summary.duplicates + summary.quarantined + summary.not_reports


def test_a_report_is_stored_with_all_it_says(tmp_path: Path) -> None:
    target = warehouse(tmp_path)
    summary = loaded(target, xml(row(count=7), row("2001:db8::1", 5, dkim="fail"), reporter="Mailbox Ltd"))
    assert (summary.stored, summary.reports, summary.records, summary.messages) == (1, 1, 2, 12)
    assert one(target, TOTALS) == (12, 12, 12)
    assert one(target, "SELECT reporter, domain, report_id, day::VARCHAR, days, p FROM aggregate_report") == (
        "Mailbox Ltd",
        "example.com",
        "r1",
        "2026-11-20",
        1,
        "none",
    )
    assert one(
        target, "SELECT dkim_aligned, spf_aligned, dkim[1].selector FROM aggregate_record WHERE messages = 7"
    ) == (
        True,
        False,
        "s1",
    )


def test_the_same_report_is_stored_once_however_it_is_wrapped(tmp_path: Path) -> None:
    target = warehouse(tmp_path)
    one_report, again = xml(), gzip.compress(xml())
    first = loaded(target, one_report, again)
    assert (first.stored, first.duplicates) == (1, 1)
    second = loaded(target, again, one_report, b"\n" + one_report)
    assert (second.stored, second.duplicates, second.reports) == (0, 3, 0)
    assert one(target, TOTALS) == (10, 10, 10)


def test_records_in_another_order_are_the_same_report(tmp_path: Path) -> None:
    target = warehouse(tmp_path)
    rows = [row("192.0.2.1", 1), row("192.0.2.2", 2), row("192.0.2.3", 3, dkim="fail")]
    assert loaded(target, xml(*rows), xml(*reversed(rows))).duplicates == 1


@pytest.mark.parametrize(
    "other",
    [
        xml(row(count=11)),
        xml(row(ip="192.0.2.9")),
        xml(row(dkim="fail")),
        xml(row(), row("192.0.2.2", 1)),
        xml(row(header_from="news.example.com")),
    ],
)
def test_a_resend_with_other_content_is_kept_as_a_conflict_and_counts_nothing(tmp_path: Path, other: bytes) -> None:
    target = warehouse(tmp_path)
    loaded(target, xml())
    summary = loaded(target, other)
    assert (summary.quarantined, summary.reports) == (1, 0)
    assert summary.failures[0].reason == Reason.CONFLICT
    assert one(target, TOTALS) == (10, 10, 10)
    kept = refused(target)
    assert kept.message.raw == other


def test_results_swapped_between_two_records_are_other_content(tmp_path: Path) -> None:
    target = warehouse(tmp_path)
    straight = xml(row("192.0.2.1", 5, dkim="pass"), row("192.0.2.2", 5, dkim="fail"))
    swapped = xml(row("192.0.2.1", 5, dkim="fail"), row("192.0.2.2", 5, dkim="pass"))
    assert loaded(target, straight, swapped).quarantined == 1


@pytest.mark.parametrize(
    "other",
    [xml(reporter="Another"), xml(report_id="r2"), xml(domain="example.org"), xml(begin=BEGIN + DAY), xml(days=2)],
)
def test_what_makes_a_report_another_one(tmp_path: Path, other: bytes) -> None:
    assert loaded(warehouse(tmp_path), xml(), other).reports == 2


def test_a_reporter_in_other_case_is_the_same(tmp_path: Path) -> None:
    assert loaded(warehouse(tmp_path), xml(reporter="Google.com"), xml(reporter="google.com")).duplicates == 1


@pytest.mark.parametrize(
    ("begin", "days", "spread"),
    [
        (BEGIN, 1, {"2026-11-20": 10}),
        (BEGIN, 0, {"2026-11-20": 10}),
        (BEGIN + 7 * 3600, 1, {"2026-11-20": 10}),
        (BEGIN + 13 * 3600, 1, {"2026-11-21": 10}),
        (BEGIN, 3, {"2026-11-20": 4, "2026-11-21": 3, "2026-11-22": 3}),
        (BEGIN, 1.2, {"2026-11-20": 10}),
    ],
)
def test_messages_count_on_the_days_they_were_seen(
    tmp_path: Path, begin: int, days: float, spread: dict[str, int]
) -> None:
    target = warehouse(tmp_path)
    loaded(target, xml(begin=begin, days=days))
    with target.reading() as connection:
        rows = connection.execute("SELECT day::VARCHAR, messages, estimated FROM daily ORDER BY day").fetchall()
    assert {day: messages for day, messages, _ in rows} == spread
    assert {estimated for *_, estimated in rows} == {len(spread) > 1}


def test_every_message_ends_once_and_the_input_hears_of_it_after_the_commit(tmp_path: Path) -> None:
    target = warehouse(tmp_path)
    broken, two = xml()[:-20], xml(report_id="a")

    class Checking(ListInput):
        def done(self, settled: Sequence[tuple[Message, Outcome]]) -> None:
            assert one(target, "SELECT count(*) FROM message") == len(self.told) + len(settled)
            super().done(settled)

    source = Checking([[message(two), message(two), message(broken)], [message(b"hello"), message(xml(report_id="b"))]])
    summary = load(source, loader(target))
    assert [type(outcome) for _, outcome in source.told] == [Stored, Duplicate, Quarantined, NotAReport, Stored]
    assert adds_up(summary)
    assert one(target, "SELECT seen, stored, duplicates, quarantined, not_reports FROM load_run") == (5, 2, 1, 1, 1)
    assert one(target, "SELECT count(*), count(DISTINCT outcome) FROM message") == (5, 4)


def test_a_message_with_a_good_and_a_bad_report_stores_the_good_and_keeps_the_bytes(tmp_path: Path) -> None:
    boundary = b"--b\r\nContent-Type: text/xml\r\n\r\n"
    mail = (
        b"From: a@example.net\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
        + boundary + xml() + b"\r\n" + boundary + xml(report_id="r2")[:-30] + b"\r\n--b--\r\n"
    )  # fmt: skip
    target = warehouse(tmp_path)
    summary = loaded(target, mail)
    assert (summary.quarantined, summary.reports) == (1, 1)
    assert adds_up(summary)
    again = loaded(target, mail)
    assert (again.quarantined, again.reports) == (1, 0)
    assert one(target, "SELECT count(*), max(times_seen) FROM quarantine") == (1, 2)


def test_a_file_over_the_limit_is_kept_by_its_beginning(tmp_path: Path) -> None:
    target = warehouse(tmp_path)
    summary = load(ListInput([[Message(b"x" * 1000, "large.xml", 10**9)]]), loader(target))
    assert summary.failures[0].reason == Reason.TOO_LARGE
    assert one(target, "SELECT size, kept FROM quarantine") == (10**9, 1000)


def test_a_retry_after_limits_were_raised_stores_and_releases(tmp_path: Path) -> None:
    target = warehouse(tmp_path)
    raw = gzip.compress(xml())
    tight = UnpackLimits(document_bytes=100)
    assert load(ListInput([[message(raw)]]), loader(target, tight)).quarantined == 1
    assert retry(loader(target, tight), [1]).loaded.quarantined == 1
    assert one(target, "SELECT count(*) FROM quarantine") == 1
    assert retry(loader(target), [1]).loaded.stored == 1
    assert one(target, "SELECT count(*) FROM quarantine") == 0
    assert one(target, TOTALS) == (10, 10, 10)


def test_cursors_move_with_the_rows_and_never_back(tmp_path: Path) -> None:
    target = warehouse(tmp_path)
    mails = [message(xml(report_id=f"r{uid}"), uid=uid) for uid in range(1, 6)]
    load(ListInput([mails[:3]]), loader(target))
    assert one(target, "SELECT uidvalidity, uid FROM mailbox_cursor") == (1, 3)
    second = ListInput([mails])
    assert load(second, loader(target)).seen == 2
    load(ListInput([[message(xml(), uid=9, uidvalidity=0)], mails[:1]]), loader(target))
    assert one(target, "SELECT count(*) FROM mailbox_cursor") == 1


def test_a_slow_second_poller_moves_no_cursor_back(tmp_path: Path) -> None:
    target = warehouse(tmp_path)
    mails = [message(xml(report_id=f"r{uid}"), uid=uid) for uid in range(1, 6)]

    class Deaf(ListInput):
        def fetch(self, cursors: Cursors) -> Iterator[Sequence[Message]]:
            return iter(self.batches)

    load(Deaf([mails]), loader(target))
    summary = load(Deaf([mails[:2]]), loader(target))
    assert (summary.duplicates, one(target, "SELECT uid FROM mailbox_cursor")) == (2, 5)


def test_what_is_owed_to_a_mailbox_is_done_after_a_crash(tmp_path: Path) -> None:
    target = warehouse(tmp_path)
    mails = [message(xml(report_id=f"r{uid}"), uid=uid) for uid in (1, 2)]

    class Dying(ListInput):
        def done(self, settled: Sequence[tuple[Message, Outcome]]) -> None:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        load(Dying([mails], acts=True), loader(target))
    assert one(target, "SELECT count(*) FROM mailbox_action") == 2
    source = ListInput([mails], acts=True)
    assert load(source, loader(target)).seen == 0
    assert [position.uid for position in source.redone] == [1, 2]
    assert one(target, "SELECT count(*) FROM mailbox_action") == 0


def test_heavy_batches_are_committed_in_parts(tmp_path: Path) -> None:
    target = warehouse(tmp_path)
    heavy = [message(xml(*[row(count=1)] * 20_000, report_id=f"r{n}")) for n in range(12)]
    seen: list[int] = []

    class Counting(ListInput):
        def done(self, settled: Sequence[tuple[Message, Outcome]]) -> None:
            seen.append(len(settled))

    load(Counting([heavy]), loader(target))
    assert sum(seen) == 12
    assert len(seen) > 1
    assert one(target, TOTALS) == (240_000, 240_000, 240_000)


def test_a_batch_waits_on_disk_where_it_is_larger_than_the_memory_for_it(tmp_path: Path) -> None:
    target = warehouse(tmp_path, load_memory="32MB")
    rows = [row(f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}", 1, header_from=f"a{n}.example.com") for n in range(40_000)]
    summary = load(ListInput([[message(xml(*rows))]]), loader(target))
    assert (summary.seen, summary.stored, summary.records) == (1, 1, 40_000)
    assert one(target, TOTALS) == (40_000, 40_000, 40_000)
    assert [path.name for path in tmp_path.glob("*.tmp")] == []


def test_a_commit_that_does_not_fit_into_the_memory_for_a_load_is_tried_without_that_limit(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for number in range(2):  # tables that hold something take more
        with caplog.at_level("INFO", "warehouse.load"):
            load(ListInput([[message(xml(report_id=f"r{number}"))]]), loader(warehouse(tmp_path, load_memory="24MB")))
    assert any(record.message.startswith("batch.memory limit=24MB") for record in caplog.records)
    assert one(warehouse(tmp_path), TOTALS) == (20, 20, 20)


@pytest.mark.parametrize("memory", ["4MB", "24MB"])
def test_what_does_not_fit_into_the_memory_for_a_load_is_stored_all_the_same(tmp_path: Path, memory: str) -> None:
    target = warehouse(tmp_path, load_memory=memory)
    noise = b"<feedback>" + random.Random(1).randbytes(30 * 2**20)
    batches = [[message(xml(report_id="r1"))], [message(noise), message(xml(report_id="r2"))], [message(b"none")]]
    summary = load(ListInput(batches), loader(target))
    assert (summary.seen, summary.stored, summary.quarantined, summary.not_reports) == (4, 2, 1, 1)
    assert len(summary.failures) == 1
    kept = refused(target)
    assert kept.message.raw == noise
    assert one(target, TOTALS) == (20, 20, 20)
    assert one(target, "SELECT seen, stored, quarantined, reports FROM load_run") == (4, 2, 1, 2)


def test_a_memory_that_is_too_small_for_all_is_said(tmp_path: Path) -> None:
    target = warehouse(tmp_path, memory="16MB")
    noise = b"<feedback>" + random.Random(1).randbytes(30 * 2**20)
    with pytest.raises(MemoryShort):
        load(ListInput([[message(noise)]]), loader(target))
    assert load(ListInput([[message(xml())]]), loader(warehouse(tmp_path))).stored == 1


def test_a_load_killed_between_batches_loses_and_doubles_nothing(tmp_path: Path) -> None:
    code = """
import os, signal, sys
from pathlib import Path
from tests.warehouse.build import ListInput, loader, message, warehouse, xml
from warehouse.load import load
class Dying(ListInput):
    def done(self, settled):
        os.kill(os.getpid(), signal.SIGKILL)
batches = [[message(xml(report_id=f"r{b}-{n}"), uid=b * 10 + n + 1) for n in range(10)] for b in range(3)]
load((Dying if sys.argv[2] == "kill" else ListInput)(batches), loader(warehouse(Path(sys.argv[1]))))
"""
    target = warehouse(tmp_path)
    for stored in (10, 20, 30):
        killed = subprocess.run([sys.executable, "-c", code, str(tmp_path), "kill"], check=False)
        assert killed.returncode == -signal.SIGKILL
        assert one(target, "SELECT count(*) FROM aggregate_report") == stored
    subprocess.run([sys.executable, "-c", code, str(tmp_path), "live"], check=True)
    assert one(target, TOTALS) == (300, 300, 300)
    assert one(target, "SELECT uid FROM mailbox_cursor") == 30


def test_documents_are_kept_once_and_can_be_switched_off(tmp_path: Path) -> None:
    kept, bare = warehouse(tmp_path / "a"), warehouse(tmp_path / "b", keep_documents=False)
    for target in (kept, bare):
        loaded(target, xml(), gzip.compress(xml()), xml(report_id="r2"))
    assert one(kept, "SELECT count(*) FROM raw_document") == 2
    assert one(bare, "SELECT count(*) FROM raw_document") == 0
