"""A batch is stored while the next one is fetched; what became of it is told between two others."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from ingest.inputs.base import Cursors, Message
from ingest.outcome import Outcome
from tests.warehouse.build import ListInput, identify, loader, message, one, warehouse, xml
from warehouse.address import Address
from warehouse.load import load
from warehouse.overlap import overlapped


def test_results_come_in_order_and_empty_batches_have_none() -> None:
    batches = iter([[1], [], [2, 3], [4], []])
    assert list(overlapped(batches, sum)) == [1, 5, 4]
    assert list(overlapped(iter(list[list[int]]()), sum)) == []


def test_before_an_empty_batch_is_passed_everything_is_settled() -> None:
    happened: list[str] = []

    def batches() -> Iterator[list[int]]:
        yield [1]
        yield []
        happened.append("rest")

    def work(batch: list[int]) -> int:
        happened.append("work")
        return sum(batch)

    for _ in overlapped(batches(), work):
        happened.append("settled")
    assert happened == ["work", "settled", "rest"]


def test_what_was_fetched_before_a_fault_has_its_result() -> None:
    def batches() -> Iterator[list[int]]:
        yield [1]
        raise OSError("gone")

    found = overlapped(batches(), sum)
    assert next(found) == 1
    with pytest.raises(OSError, match="gone"):
        next(found)


def test_a_fault_at_work_ends_it() -> None:
    fetched: list[int] = []

    def batches() -> Iterator[list[int]]:
        for number in range(9):
            fetched.append(number)
            yield [number]

    def work(batch: list[int]) -> int:
        raise OSError("full")

    with pytest.raises(OSError, match="full"):
        list(overlapped(batches(), work))
    assert len(fetched) == 2


@dataclass
class Meeting(ListInput):
    """Gives a batch while the one before is at work, as the barrier proves; all in the thread that made it."""

    barrier: threading.Barrier = field(default_factory=lambda: threading.Barrier(2, timeout=30))
    thread: int = field(default_factory=threading.get_ident)

    def fetch(self, cursors: Cursors) -> Iterator[Sequence[Message]]:
        for number, batch in enumerate(super().fetch(cursors)):
            assert threading.get_ident() == self.thread
            if number:
                self.barrier.wait()
            yield batch

    def done(self, settled: Sequence[tuple[Message, Outcome]]) -> None:
        assert threading.get_ident() == self.thread
        super().done(settled)


def test_a_mailbox_gives_the_next_batch_while_one_is_stored(tmp_path: Path) -> None:
    target = warehouse(tmp_path)
    mails = [message(xml(report_id=f"r{uid}").replace(b"192.0.2.1", b"192.0.2.%d" % uid), uid=uid) for uid in (1, 2, 3)]
    source = Meeting([[mail] for mail in mails], acts=True, remote=True)
    batches = iter(range(3))

    def meet(source_ips: Sequence[str]) -> list[Address]:
        if next(batches) < 2:
            source.barrier.wait()
        return identify(source_ips)

    summary = load(source, replace(loader(target), identify=meet))
    assert (summary.stored, len(source.told)) == (3, 3)
    assert one(target, "SELECT count(*) FROM mailbox_action") == 0


def test_what_was_stored_before_a_mailbox_broke_is_told_to_it(tmp_path: Path) -> None:
    class Breaking(ListInput):
        def fetch(self, cursors: Cursors) -> Iterator[Sequence[Message]]:
            yield from super().fetch(cursors)
            raise OSError("gone")

    target = warehouse(tmp_path)
    source = Breaking([[message(xml(), uid=1)]], acts=True, remote=True)
    with pytest.raises(OSError, match="gone"):
        load(source, loader(target))
    assert len(source.told) == 1
    assert one(target, "SELECT count(*) FROM mailbox_action") == 0
