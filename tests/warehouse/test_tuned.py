"""How a process is set up while it reads: once, however many threads read, and put back after the last."""

from __future__ import annotations

import gc
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pyarrow as pa

from tests.warehouse.build import ListInput, loader, message, one, warehouse, xml
from warehouse.load import load
from warehouse.portion import tuned


def state() -> tuple[tuple[int, int, int], str]:
    return gc.get_threshold(), pa.default_memory_pool().backend_name


def test_threads_that_read_at_once_set_it_up_once() -> None:
    before, together = state(), Barrier(6)

    def read(_: int) -> tuple[tuple[int, int, int], str]:
        with tuned():
            together.wait(120)
            return state()

    with ThreadPoolExecutor(6) as threads:
        seen = set(threads.map(read, range(6)))
    assert seen == {((100 * before[0][0], *before[0][1:]), "system")}
    assert state() == before


def test_many_mailboxes_are_loaded_at_once(tmp_path: Path) -> None:
    target, together = warehouse(tmp_path, wait=120.0), Barrier(6)

    def watch(number: int) -> int:
        source = ListInput([[message(xml(report_id=f"{number}"))]], name=f"{number}")
        by = loader(target)
        together.wait(120)
        return load(source, by).stored

    before = state()
    with ThreadPoolExecutor(6) as threads:
        assert sum(threads.map(watch, range(6))) == 6
    assert one(target, "SELECT count(*) FROM aggregate_report") == 6
    assert state() == before
