"""Kill -9 at each step of the loop: whatever the step, nothing is lost, doubled or half done.

A step is whatever can change what is on disk: each statement, commit and close that DuckDB has done,
and each message that is moved. A run is killed after each commit and move, and after each other
distinct step (a place in our code, with the two it is called from) the last time that it is done.
Then what is on disk is looked at, and the run is repeated to its end. The processes are forked from
a server that has the modules loaded and never opened a database.
"""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

from ingest.inputs.base import Cursors, Message, Position
from ingest.outcome import Duplicate, Outcome, Stored
from tests.warehouse.build import loader, row, torn, warehouse, xml
from warehouse import migrate
from warehouse.load import load

ROOT = Path(__file__).parents[2]
FORK = multiprocessing.get_context("forkserver")
FORK.set_forkserver_preload(
    ["tests.warehouse.test_crash_walk", "tests.warehouse.test_crash_upkeep", "pandas", "polars"]
)

MESSAGES = 6
TRUTH = (4, 40)  # reports and messages: one of the six is sent twice, one is broken
CHANGING = {"begin", "execute", "commit", "close"}


class DiskMailbox:
    """A mailbox in a folder: messages are files named by UID, and `done` moves them."""

    name, acts, remote = "main", True, True

    def __init__(self, folder: Path) -> None:
        self.new, self.moved = folder / "new", folder / "moved"
        if not self.new.exists():
            self.moved.mkdir(parents=True)
            self.new.mkdir()
            for uid in range(1, MESSAGES + 1):
                raw = xml(row(count=10), report_id=f"r{max(uid, 2)}", days=3 if uid == 4 else 1)
                (self.new / str(uid)).write_bytes(torn() if uid == 5 else raw)

    def fetch(self, cursors: Cursors) -> Iterator[Sequence[Message]]:
        """Two messages at a time."""
        _, last = cursors.get(("main", "INBOX"), (1, 0))
        uids = sorted(uid for path in self.new.iterdir() if (uid := int(path.name)) > last)
        for first in range(0, len(uids), 2):
            yield [self._message(uid) for uid in uids[first : first + 2]]

    def _message(self, uid: int) -> Message:
        raw = (self.new / str(uid)).read_bytes()
        return Message(raw, f"main/INBOX/{uid}", len(raw), None, Position("main", "INBOX", 1, uid))

    def done(self, settled: Sequence[tuple[Message, Outcome]]) -> None:
        """Move what is stored."""
        self.redo([m.position for m, outcome in settled if m.position and isinstance(outcome, Stored | Duplicate)])

    def redo(self, owed: Sequence[Position]) -> None:
        """Move; what was moved before a crash is gone already."""
        for position in owed:
            if (self.new / str(position.uid)).exists():
                self.move(position.uid)

    def move(self, uid: int) -> None:
        """A step of its own."""
        (self.new / str(uid)).rename(self.moved / str(uid))


class Step(NamedTuple):
    """What was done, and the places in the code that it was done from, the innermost first."""

    what: str
    places: tuple[str, ...]


def run(folder: Path, step: int, told: Any) -> None:
    """Load the mailbox, and die at that step; without one, send which steps there were."""
    source = DiskMailbox(folder)
    target = loader(warehouse(folder))
    told.send(dying(lambda: load(source, target), step, _done))


def _done(frame: FrameType, event: str, argument: Any) -> str:
    return "move" if event == "return" and frame.f_code.co_name == "move" else changing(frame, event, argument)


def changing(frame: FrameType, event: str, argument: Any) -> str:
    """What DuckDB has done that can change what is on disk."""
    del frame
    done = event == "c_return" and argument.__name__ in CHANGING and is_connection(argument)
    return str(argument.__name__) if done else ""


def dying(
    work: Callable[[], object], step: int, named: Callable[[FrameType, str, Any], str], most: int = 3
) -> list[Step]:
    """Do some work, and die at that step; else which steps there were, each with at most so many places.

    `named` gives the name of the step that an event of the interpreter ends; empty where it ends none.
    """
    seen: list[Step] = []

    def count(frame: FrameType, event: str, argument: Any) -> None:
        if what := named(frame, event, argument):
            if len(seen) == step:
                os.kill(os.getpid(), signal.SIGKILL)
            seen.append(Step(what, places(frame, most)))

    threading.setprofile(count)  # what is stored while the next batch is fetched
    sys.setprofile(count)
    work()
    sys.setprofile(None)
    return seen


def places(frame: FrameType | None, most: int = 3) -> tuple[str, ...]:
    """Where in our own code a call comes from: file and line, and those of its callers."""
    found: list[str] = []
    while frame is not None and len(found) < most:
        path = Path(frame.f_code.co_filename)
        if path.is_relative_to(ROOT) and "site-packages" not in path.parts:
            found.append(f"{path.relative_to(ROOT)}:{frame.f_lineno}")
        frame = frame.f_back
    return tuple(found)


def worth_a_death(steps: Sequence[Step]) -> list[int]:
    """Each step that makes something last, and of the others each distinct one, the last time that it is done."""
    last = {step: number for number, step in enumerate(steps)}
    return [n for n, step in enumerate(steps) if step.what in ("commit", "move") or last[step] == n]


def is_connection(method: Any) -> bool:
    """Whether a method is DuckDB's."""
    return "duckdb" in str(getattr(method, "__module__", "")) or type(method.__self__).__name__ == "PyCapsule"


def look(folder: Path, told: Any) -> None:
    """Send what a reader finds: sums by three ways, reports, messages noted, owed actions."""
    target = warehouse(folder)
    if not target.path.exists() or not target.path.stat().st_size:
        told.send(None)
        return
    with target.writing():  # whatever state the file is in, it opens, and the schema is whole
        pass
    with target.reading() as connection:
        told.send(
            connection.execute(
                """
                SELECT (SELECT count(*) FROM aggregate_report),
                       (SELECT coalesce(sum(messages), 0)::BIGINT FROM aggregate_report),
                       (SELECT coalesce(sum(messages), 0)::BIGINT FROM aggregate_record),
                       (SELECT coalesce(sum(messages), 0)::BIGINT FROM daily),
                       (SELECT count(*) FROM message), (SELECT coalesce(max(uid), 0) FROM mailbox_cursor),
                       (SELECT count(*) FROM mailbox_action), (SELECT count(*) FROM quarantine),
                       (SELECT coalesce(sum(seen), 0)::BIGINT FROM load_run)
                """
            ).fetchone()
        )


def in_a_process(target: Any, *arguments: Any) -> tuple[int | None, Any]:
    """Run something in a process of its own: its exit code and what it sent."""
    here, there = FORK.Pipe(duplex=False)
    process = FORK.Process(target=target, args=(*arguments, there))
    process.start()
    there.close()
    try:
        sent = here.recv()
    except EOFError:
        sent = None
    process.join(60)
    return process.exitcode, sent


def holds(folder: Path) -> None:
    """What must be true after any crash."""
    code, found = in_a_process(look, folder)
    assert code == 0
    moved = {int(path.name) for path in (folder / "moved").iterdir()}
    left = {int(path.name) for path in (folder / "new").iterdir()}
    assert moved | left == set(range(1, MESSAGES + 1))
    if found is None:
        assert not moved
        return
    reports, in_reports, in_records, in_daily, noted, cursor, owed, refused, seen = found
    assert in_reports == in_records == in_daily == reports * 10
    assert noted == cursor == seen  # each message that the cursor covers ended once
    assert refused == (1 if cursor >= 5 else 0)
    assert all(uid <= cursor for uid in moved)
    assert len({uid for uid in left if uid <= cursor} - {5}) <= owed


def finished(folder: Path) -> None:
    """The next run ends what the crash left, and another one has nothing to do."""
    for _ in range(2):
        code, _sent = in_a_process(run, folder, -1)
        assert code == 0
        code, found = in_a_process(look, folder)
        assert (found[0], found[1]) == TRUTH
        assert (found[4], found[6], found[7]) == (MESSAGES, 0, 1)
        assert {path.name for path in (folder / "new").iterdir()} == {"5"}


def prepare(folder: Path, told: Any) -> None:
    """A full mailbox, and a warehouse that has its schema and nothing else."""
    DiskMailbox(folder)
    with warehouse(folder).writing():
        pass
    told.send(True)


def walk(folder: Path, whole: Sequence[Step], chosen: Sequence[int], prepared: Path | None = None) -> None:
    """Die at each of these steps, look at what is left, and go on from every sixth: a repeated run costs most."""
    for number, step in enumerate(chosen):
        there = folder / str(step)
        if prepared:
            shutil.copytree(prepared, there)
        code, _ = in_a_process(run, there, step)
        assert code == -signal.SIGKILL, whole[step]
        holds(there)
        if number % 6 == 0:
            finished(there)
        shutil.rmtree(there)


def test_killed_at_any_step_nothing_is_lost_or_doubled(tmp_path: Path) -> None:
    prepared = tmp_path / "prepared"
    assert in_a_process(prepare, prepared) == (0, True)
    code, whole = in_a_process(run, Path(shutil.copytree(prepared, tmp_path / "whole")), -1)
    assert code == 0
    chosen = worth_a_death(whole)
    done = {whole[number].what for number in chosen}
    assert done == {"begin", "execute", "commit", "close", "move"}
    assert len(whole) > 100
    assert {whole[number] for number in chosen} == set(whole)
    walk(tmp_path, whole, chosen, prepared)


def test_killed_in_the_first_migration_the_schema_is_whole_the_next_time(tmp_path: Path) -> None:
    code, whole = in_a_process(run, tmp_path / "whole", -1)
    assert code == 0
    migrating = [n for n in worth_a_death(whole) if any("migrate.py" in place for place in whole[n].places)]
    assert len(migrating) > len(migrate.steps())
    walk(tmp_path, whole, migrating)


def test_a_crash_while_a_crash_is_mended_leaves_a_file_that_opens(tmp_path: Path) -> None:
    for first in (3, 60):
        folder = tmp_path / str(first)
        in_a_process(run, folder, first)
        for second in (2, 40, 90):
            in_a_process(run, folder, second)
            holds(folder)
        finished(folder)
