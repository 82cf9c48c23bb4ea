"""How long things are kept: each kind its own days, no sum changes, and no clock makes anything old."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from ingest.inputs.base import Cursors, Message
from ingest.settings import PrivacySettings
from tests.warehouse.build import BEGIN, DAY, NOW, ListInput, loader, message, one, polled, refused, row, warehouse, xml
from tests.warehouse.test_mixed import BOTH, loaded
from warehouse.connect import Warehouse
from warehouse.instants import naive
from warehouse.load import load
from warehouse.retention import Pruned, prune
from warehouse.retry import retry
from warehouse.settings import RetentionSettings

DEFAULTS = RetentionSettings()
BROKEN = xml(report_id="broken")[:-20]
KEPT = "SELECT count(*) FILTER (kept > 0), count(*) FILTER (dropped_at IS NOT NULL), count(*) FROM quarantine"


def filled(folder: Path) -> Warehouse:
    """Reports of three days, and a refused message."""
    target = warehouse(folder)
    mails = [message(xml(report_id=f"r{n}", begin=BEGIN + n * DAY)) for n in range(3)]
    load(ListInput([[*mails, message(BROKEN)]]), loader(target))
    return target


def pruned(target: Warehouse, settings: RetentionSettings, at: datetime, **sure: bool) -> Pruned:
    with target.writing() as connection:
        return prune(connection, settings, at, **sure)


def test_the_bytes_of_a_refused_message_go_and_its_reason_stays(tmp_path: Path) -> None:
    target = filled(tmp_path)
    polled(target, 95)
    assert pruned(target, DEFAULTS, NOW + timedelta(days=89)).quarantined == 0
    assert pruned(target, DEFAULTS, NOW + timedelta(days=91)).quarantined == 1
    assert pruned(target, DEFAULTS, NOW + timedelta(days=92)).quarantined == 0
    assert one(target, KEPT) == (0, 1, 1)
    kept = refused(target)
    assert (kept.reason, kept.can_be_read) == ("xml_broken", False)
    tried = retry(loader(target), [1])
    assert (tried.without_bytes, tried.loaded.seen) == ([1], 0)
    load(ListInput([[message(BROKEN)]]), loader(target))
    assert one(target, KEPT) == (1, 0, 1)
    assert one(target, "SELECT times_seen FROM quarantine") == 2


@pytest.mark.parametrize("remote", [False, True])
def test_a_watch_drops_what_is_old_while_it_rests(tmp_path: Path, remote: bool) -> None:
    target, at, seen = filled(tmp_path), [NOW], []

    class Watching(ListInput):
        """Rests after each batch, days long."""

        def fetch(self, cursors: Cursors) -> Iterator[Sequence[Message]]:
            for days in (5, 50, 92):
                at[0] = NOW + timedelta(days=days)
                yield [replace(message(xml(report_id=f"{days}")), received_at=at[0]), message(BROKEN[:-days])]
                yield ()
                seen.append(one(target, KEPT))

    watching = replace(loader(target), clock=lambda: at[0], retention=RetentionSettings(quarantine_days=60))
    summary = load(Watching([], remote=remote), watching)
    assert seen == [(2, 0, 2), (3, 0, 3), (2, 2, 4)]
    assert (summary.stored, summary.quarantined) == (3, 3)


def test_each_load_drops_the_bytes_that_are_old(tmp_path: Path) -> None:
    target = filled(tmp_path)
    polled(target, 90)
    load(ListInput([]), replace(loader(target), clock=lambda: NOW + timedelta(days=91)))
    assert one(target, KEPT) == (0, 1, 1)


@pytest.mark.parametrize("years", [1, 10])
def test_a_clock_that_jumped_ahead_makes_nothing_old(tmp_path: Path, years: int) -> None:
    target = filled(tmp_path)
    settings = RetentionSettings(90, 90, 90, 90)
    ahead = NOW + timedelta(days=365 * years)
    # A poller runs on with that clock, and what is forgotten after each load is not to go either.
    for minutes in range(3):
        by = replace(loader(target), clock=lambda late=timedelta(minutes=minutes): ahead + late)
        load(ListInput([[message(xml(report_id="again")[:-30])]]), by)
    done = pruned(target, settings, ahead)
    assert (done.records, done.documents, done.messages, done.quarantined) == (0, 0, 0, 0)
    assert done.counted_to == naive(NOW) + timedelta(days=7)
    sure = pruned(target, settings, ahead, sure=True)
    assert (sure.records, sure.documents, sure.messages) == (3, 3, 4)
    assert one(target, "SELECT sum(messages) FROM daily") == 30


def test_what_was_noted_by_a_clock_ahead_goes_when_its_days_are_over(tmp_path: Path) -> None:
    target = warehouse(tmp_path)
    by = replace(loader(target), clock=lambda: NOW + timedelta(days=3650), privacy=PrivacySettings("full", "full"))
    loaded(by, *BOTH)
    load(ListInput([]), replace(loader(target), clock=lambda: NOW + timedelta(days=3)))
    left = "SELECT (SELECT count(*) FROM failure_report), (SELECT count(*) FROM delivery_status)"
    assert one(target, left) == (1, 1)
    later = xml(report_id="later", begin=BEGIN + 250 * DAY)
    load(ListInput([[message(later)]]), replace(loader(target), clock=lambda: NOW + timedelta(days=250)))
    assert one(target, left) == (0, 0)


def test_a_clock_that_went_back_removes_nothing_and_counts_nothing_twice(tmp_path: Path) -> None:
    target = filled(tmp_path)
    back = replace(loader(target), clock=lambda: NOW - timedelta(days=365))
    again = load(ListInput([[message(xml(report_id="r0")), message(xml(report_id="new"))]]), back)
    assert (again.duplicates, again.stored) == (1, 1)
    assert one(target, "SELECT list(run_key ORDER BY run_key) FROM load_run") == [1, 2]
    assert pruned(target, RetentionSettings(1, 1, 1, 1, 1, 1, 1), NOW - timedelta(days=365)).records == 0
    assert one(target, "SELECT sum(messages) FROM daily") == 40


def test_personal_fields_go_before_the_reports_that_they_stand_in(tmp_path: Path) -> None:
    target = warehouse(tmp_path)
    loaded(replace(loader(target), privacy=PrivacySettings("full", "full")), *BOTH)
    polled(target, 11)
    documents = "SELECT count(*) FROM raw_document SEMI JOIN {} ON document_hash = message_hash"
    assert one(target, documents.format("delivery_status")) == 1
    settings = replace(DEFAULTS, personal_days=10)
    done = pruned(target, settings, NOW + timedelta(days=11))
    assert (done.personal, done.failure_reports, done.bounces) == (2, 0, 0)
    assert one(target, "SELECT count(*), count(recipient), count(subject), count(message_id) FROM delivery_status") == (
        1, 0, 0, 0,
    )  # fmt: skip
    assert one(target, "SELECT mail_from, subject, len(rcpt_to), count(*) FROM failure_report GROUP BY ALL") == (
        None, None, 0, 1,
    )  # fmt: skip
    assert one(target, "SELECT count(recipient_pseudonym) FROM delivery_status") == 1
    assert one(target, documents.format("delivery_status")) == 0
    assert one(target, documents.format("failure_report")) == 0
    assert pruned(target, settings, NOW + timedelta(days=11)).personal == 0


def test_pruned_days_keep_their_sums(tmp_path: Path) -> None:
    target = warehouse(tmp_path)
    rows = [row("192.0.2.1", 100), row("192.0.2.2", 7, "fail", "fail")]
    load(ListInput([[message(xml(*rows, report_id=f"r{n}", begin=BEGIN - n * DAY)) for n in range(9)]]), loader(target))
    sums = "SELECT list(t) FROM (SELECT day, source_key, sum(messages) FROM daily GROUP BY ALL ORDER BY ALL) t"
    before = one(target, sums)
    assert pruned(target, RetentionSettings(records_days=4), NOW).records == 14
    assert one(target, sums) == before
