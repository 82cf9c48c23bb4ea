"""Messages read by several processes, which hand over columns; one process commits, in the order of the messages."""

from __future__ import annotations

import os
import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_all_start_methods, get_context, parent_process
from multiprocessing.context import ForkServerContext, SpawnContext
from threading import Thread

from ingest.inputs.base import Message
from warehouse.errors import WarehouseError
from warehouse.portion import How, Portion, portions, tuned

TASK_MESSAGES, TASK_BYTES = 250, 2 * 2**20
"""What one process reads at a time, as it came; a single message may be larger."""
AHEAD = 3
"""Tasks for each process that are read or wait to be committed: it bounds what is held in memory."""


def read_by(
    jobs: int, batches: Iterable[Sequence[Message]], how: How, prepare: Callable[[], object]
) -> Iterator[Portion | None]:
    """The portions of all batches, and None where one ends. The input is read ahead of what is committed.

    `prepare` is called in each process first.

    Raises WarehouseError where a process ends before its time.
    """
    pool = ProcessPoolExecutor(jobs, context(), _prepare, (prepare,))
    waiting: deque[Future[list[Portion]] | None] = deque()
    try:
        for batch in batches:
            for task in _tasks(batch):
                waiting.append(pool.submit(_read, task, how))
                while len(waiting) > AHEAD * jobs:
                    yield from _next(waiting)
            waiting.append(None)
        while waiting:
            yield from _next(waiting)
    except BrokenProcessPool as fault:
        raise WarehouseError(
            "A process that reads messages ended before its time, perhaps for want of memory; what was stored is safe.",
            "Run the same command again, with fewer --jobs: it goes on where it stopped.",
        ) from fault
    finally:
        pool.shutdown(cancel_futures=True)


def context() -> ForkServerContext | SpawnContext:
    """How processes start: forked from one that has loaded what they need and does nothing else, where there is one.

    Not forked from this one: threads of Arrow and DuckDB would be cut off in the middle of what they hold.
    """
    if "forkserver" not in get_all_start_methods():
        return get_context("spawn")
    server = get_context("forkserver")
    server.set_forkserver_preload([__name__])
    return server


def _next(waiting: deque[Future[list[Portion]] | None]) -> Iterator[Portion | None]:
    first = waiting.popleft()
    if first is None:
        yield None
    else:
        yield from first.result()


def _tasks(batch: Sequence[Message]) -> Iterator[list[Message]]:
    task: list[Message] = []
    size = 0
    for message in batch:
        task.append(message)
        size += len(message.raw)
        if len(task) >= TASK_MESSAGES or size >= TASK_BYTES:
            yield task
            task, size = [], 0
    if task:
        yield task


def _prepare(further: Callable[[], object]) -> None:
    end_with_parent()
    further()


def end_with_parent() -> None:
    """Of a further process: end when the one that started it does, and not before, whatever the keyboard says."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Thread(target=_watch_parent, daemon=True).start()


def _watch_parent() -> None:
    """End once that one is gone: killed, it cannot say so, and work would be waited for for ever."""
    parent = parent_process()
    if parent:
        parent.join()
        os._exit(1)


def _read(messages: list[Message], how: How) -> list[Portion]:
    with tuned():
        return list(portions(messages, how))
