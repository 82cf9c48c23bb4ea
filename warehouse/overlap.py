"""Batches stored while the next ones are fetched, so that a mailbox is read as fast as its server gives it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

B = TypeVar("B")
R = TypeVar("R")


def overlapped(batches: Iterator[B], work: Callable[[B], R]) -> Iterator[R]:
    """The result of each batch, in order; the next batch is fetched meanwhile, and one batch at most waits.

    Batches are fetched in the caller's thread and only while nobody looks at a result, so that an input need not be
    made for threads, and hears what became of a batch between two others. An empty batch says that the next one may
    take long: what is worked on is finished before it is asked for. Raises what `work` raises, and what fetching
    raises once all that was fetched before has its result.
    """
    with ThreadPoolExecutor(1, "store") as worker:
        working: Future[R] | None = None
        while True:
            fault: Exception | None = None
            try:
                batch = next(batches, None)
            except Exception as error:  # noqa: BLE001  raised below, after the batch before it
                batch, fault = None, error
            if working is not None:
                yield working.result()
                working = None
            if fault is not None:
                raise fault
            if batch is None:
                return
            if batch:
                working = worker.submit(work, batch)
