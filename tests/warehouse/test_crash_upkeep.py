"""Kill -9 at each step of what keeps a warehouse up: afterwards it is as before, or done, or can be done again.

Steps are what test_crash_walk counts, and every change of a file: written, renamed, linked, removed, synced.
"""

from __future__ import annotations

import shutil
import signal
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import FrameType
from typing import Any, Final

import pytest

from ingest.outcome import Quarantined, Reason
from ingest.settings import PrivacySettings
from tests.warehouse.build import (
    BEGIN,
    DAY,
    NOW,
    ListInput,
    identify,
    loader,
    message,
    polled,
    row,
    torn,
    warehouse,
    xml,
)
from tests.warehouse.test_crash_walk import CHANGING, dying, in_a_process, is_connection
from tests.warehouse.test_mixed import BOTH, tls
from warehouse import journal, melting, quarantine
from warehouse.backup import backup, restore
from warehouse.decisions import SourceDecision, decide, undo
from warehouse.instants import naive
from warehouse.load import load
from warehouse.reparse import reparse
from warehouse.retention import prune
from warehouse.retry import retry
from warehouse.settings import RetentionSettings

FULL = PrivacySettings("full", "full")
FILES: Final = {"rename", "replace", "link", "unlink", "fsync", "mkdir"}
MOST: Final = 10  # steps that are tried of one action, evenly spread, the first and the last among them


def fill(folder: Path, told: Any) -> None:
    """A warehouse with some of everything, read by older parsers, and a copy of an older state of it."""
    target = warehouse(folder)
    by = replace(loader(target), privacy=FULL)
    reports = [xml(row(), row("192.0.2.2", 7), report_id=f"r{n}", begin=BEGIN - n * DAY) for n in range(4)]
    load(ListInput([[message(raw, f"file {n}") for n, raw in enumerate(reports)]]), by)
    backup(target, folder / "older.duckdb")
    load(ListInput([[message(raw, f"more {n}") for n, raw in enumerate((*BOTH, tls(), torn()))]]), by)
    with target.writing() as connection:
        for number in (7, 8):
            refused = Quarantined(Reason.UNEXPECTED, "an older fault")
            quarantine.keep(connection, message(xml(report_id=f"q{number}")), refused, naive(NOW))
        for table in ("aggregate_report", "tls_report", "failure_report", "delivery_status"):
            connection.execute(f"UPDATE {table} SET parser_version = 0")
        connection.execute("UPDATE delivery_status SET code = '4.0.0'")
        decide(connection, SourceDecision("example.com", "ip:192.0.2.1", "approved", "ann"), NOW)
    polled(target, 60)
    told.send(True)


def _prune(folder: Path) -> None:
    with warehouse(folder).writing() as connection:
        prune(connection, RetentionSettings(1, 1, 1, 1, 1, 1, 1), NOW + timedelta(days=60))


def _melt(folder: Path) -> None:
    target = warehouse(folder)
    with target.reading() as connection:
        pieces = melting.due(connection, everything=True)
    melting.melt(target, pieces)


def _drop(folder: Path) -> None:
    with warehouse(folder).writing() as connection:
        quarantine.drop(connection, [1, 2], "ann", NOW)


def _decide(folder: Path) -> None:
    with warehouse(folder).writing() as connection:
        decide(connection, SourceDecision("example.com", "ip:192.0.2.1", "spoof", "ann"), NOW)


def _undo(folder: Path) -> None:
    with warehouse(folder).writing() as connection:
        undo(connection, "example.com", "ip:192.0.2.1", "ann", NOW)


ACTIONS: Final[dict[str, Callable[[Path], object]]] = {
    "backup": lambda folder: backup(warehouse(folder), folder / "copy.duckdb"),
    "restore": lambda folder: restore(warehouse(folder), folder / "older.duckdb", NOW),
    "prune": _prune,
    "melt": _melt,
    "reparse": lambda folder: reparse(warehouse(folder), identify, NOW, privacy=FULL),
    "retry": lambda folder: retry(replace(loader(warehouse(folder)), privacy=FULL), [1, 2, 3]),
    "drop": _drop,
    "decide": _decide,
    "undo": _undo,
}
WHOLE: Final = {"backup", "restore", "prune", "drop", "decide", "undo"}
"""What is done in one step: afterwards all of it is done, or nothing."""
ONCE: Final = {"backup", "decide", "undo"}
"""What is not done again when it was done."""


def run(folder: Path, action: str, step: int, told: Any) -> None:
    """Do it, and die at that step; without one, send how many steps there were."""
    told.send(len(dying(lambda: ACTIONS[action](folder), step, _done, most=0)))


def _done(frame: FrameType, event: str, argument: Any) -> str:
    del frame
    return str(argument.__name__) if event == "c_return" and _changes(argument) else ""


def _changes(function: Any) -> bool:
    name = function.__name__
    if name in FILES:
        return getattr(function, "__module__", "") == "posix"
    if name == "write":
        return type(function.__self__).__name__ == "BufferedWriter"
    return name in CHANGING and is_connection(function)


def look(folder: Path, name: str, told: Any) -> None:
    """Send what a reader finds in a file: how much of each kind, and that sums and journal hold."""
    target = warehouse(folder)
    target.path = folder / name
    with target.reading() as connection:
        found = connection.execute(
            """
            SELECT (SELECT sum(messages)::BIGINT FROM daily), (SELECT coalesce(sum(messages), 0)::BIGINT
                    FROM aggregate_record),
                   (SELECT sum(messages)::BIGINT FROM aggregate_report),
                   (SELECT sum(messages)::BIGINT FROM aggregate_report WHERE pruned_at IS NULL),
                   (SELECT count(*) FROM tls_failure), (SELECT count(*) FROM failure_report),
                   (SELECT list(code) FROM delivery_status),
                   (SELECT list(quarantine_key ORDER BY quarantine_key) FROM quarantine),
                   (SELECT count(*) FROM quarantine WHERE kept > 0), (SELECT count(*) FROM raw_document),
                   (SELECT count(*) FROM message), (SELECT list(decision) FROM current_decision)
            """
        ).fetchone()
        assert found is not None
        assert found[0] == found[2]  # the rollup and the reports
        assert found[1] == (found[3] or 0)  # the records and the reports that have theirs
        assert journal.verify(connection) is None
        written = connection.execute(
            "SELECT (SELECT count(*) FROM journal WHERE action LIKE 'source%'), (SELECT count(*) FROM source_decision)"
        ).fetchone()
        assert written is not None
        assert written[0] == written[1]
    told.send(found)


def seen_in(folder: Path, name: str = "warehouse.duckdb") -> Any:
    code, found = in_a_process(look, folder, name)
    assert code == 0
    return found


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("filled")
    assert in_a_process(fill, folder) == (0, True)
    return folder


@pytest.mark.parametrize("action", ACTIONS)
def test_killed_at_any_step_it_is_as_before_or_done_and_can_be_done_again(
    filled: Path, tmp_path: Path, action: str
) -> None:
    before = seen_in(filled)
    whole = Path(shutil.copytree(filled, tmp_path / "whole"))
    code, total = in_a_process(run, whole, action, -1)
    assert code == 0
    after = seen_in(whole)
    assert total > 3
    for at, step in enumerate(sorted({round(n * (total - 1) / (MOST - 1)) for n in range(MOST)})):
        folder = Path(shutil.copytree(filled, tmp_path / str(step)))
        code, _ = in_a_process(run, folder, action, step)
        assert code == -signal.SIGKILL, step
        found = seen_in(folder)
        if action in WHOLE:
            assert found in (before, after), step
        if action == "backup" and (folder / "copy.duckdb").exists():
            assert seen_in(folder, "copy.duckdb") == before
            continue
        again = action not in ONCE or found == before
        if again and at % (2 if action in WHOLE else 5) == 0:  # to do it again costs most
            code, _ = in_a_process(run, folder, action, -1)
            assert code == 0
            assert same(action, seen_in(folder), after), step
        if action == "restore" and found == after:
            aside = [path for path in folder.glob("*.replaced-*") if not path.name.endswith(".wal")]
            assert seen_in(folder, aside[0].name) == before
        shutil.rmtree(folder)


def same(action: str, found: Any, after: Any) -> bool:
    """The same end; what was tried twice is noted twice in the log of messages."""
    log = 10
    return bool(
        found == after or (action == "retry" and found[:log] + found[log + 1 :] == after[:log] + after[log + 1 :])
    )
