"""Several processes, one file: a poller, two readers and a person who decides, all at once."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from tests.warehouse.build import ListInput, loader, message, one, warehouse, xml
from warehouse.decisions import SourceDecision, decide
from warehouse.load import load

READER = """
import sys, time
from pathlib import Path
from tests.warehouse.build import warehouse
target, until, worst, reads, last = warehouse(Path(sys.argv[1])), time.monotonic() + 4, 0.0, 0, -1
while time.monotonic() < until:
    begun = time.monotonic()
    with target.reading() as connection:
        total, rolled, seen = connection.execute(
            "SELECT (SELECT sum(messages) FROM aggregate_record), (SELECT sum(messages) FROM daily),"
            " (SELECT sum(messages) FROM aggregate_report)").fetchone()
    worst, reads = max(worst, time.monotonic() - begun), reads + 1
    assert total == rolled == seen, (total, rolled, seen)
    assert total >= last
    last = total
print(reads)
"""

POLLER = """
import sys, time
from pathlib import Path
from tests.warehouse.build import ListInput, loader, message, warehouse, xml, row
from warehouse.load import load
until, stored, n = time.monotonic() + 4, 0, 0
while time.monotonic() < until:
    rows = [row(f"198.51.100.{i}", 1) for i in range(100)]
    batch = [message(xml(*rows, report_id=f"p{n}-{i}")) for i in range(10)]
    stored += load(ListInput([batch]), loader(warehouse(Path(sys.argv[1])))).reports
    n += 1
print(stored)
"""


def start(code: str, folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code, str(folder)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def finished(process: subprocess.Popen[str]) -> int:
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    return int(out)


def test_a_poller_two_readers_and_a_decision_do_not_hinder_each_other(tmp_path: Path) -> None:
    target = warehouse(tmp_path)
    load(ListInput([[message(xml())]]), loader(target))
    poller, *readers = [start(code, tmp_path) for code in (POLLER, READER, READER)]
    decisions = 0
    while poller.poll() is None:
        with target.writing() as connection:
            word = "approved" if decisions % 2 else "spoof"
            decision = SourceDecision("example.com", "ip:192.0.2.1", word, "somebody")
            decide(connection, decision, loader(target).clock())
        decisions += 1
        time.sleep(0.05)
    stored = finished(poller)
    # Nobody starved, on however slow a machine: each came in again and again.
    assert stored >= 10
    assert decisions >= 3
    assert all(finished(reader) >= 3 for reader in readers)
    assert one(target, "SELECT count(*) FROM aggregate_report") == stored + 1
    assert one(target, "SELECT count(*) FROM source_decision") == decisions
