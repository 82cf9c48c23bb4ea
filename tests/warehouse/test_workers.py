"""Several processes that read: what is stored is the same, and one that dies loses nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from ingest.inputs.files import FileInput
from ingest.settings import UnpackLimits
from tests.warehouse.build import loader, message, warehouse, xml
from warehouse.connect import Warehouse
from warehouse.errors import WarehouseError
from warehouse.load import load

CASES = Path(__file__).parents[1] / "cases"
SAID = {
    "aggregate_record": "* EXCLUDE (report_key)",
    "daily": "*",
    "message": "* EXCLUDE (seen_at)",
    "raw_document": "*",
    "quarantine": "message_hash, reason, sentence",
}


def stored(target: Warehouse, table: str) -> list[str]:
    """All that is comparable in a table, in an order of its own."""
    with target.reading() as connection:
        return sorted(map(str, connection.execute(f"SELECT {SAID[table]} FROM {table}").fetchall()))


def test_two_processes_store_what_one_does(tmp_path: Path) -> None:
    one, two = warehouse(tmp_path / "one"), warehouse(tmp_path / "two")
    summaries = []
    for target, jobs in ((one, 1), (two, 2)):
        source = FileInput([CASES / "aggregate", CASES / "tls"], UnpackLimits(), batch_messages=60)
        summaries.append(replace(load(source, replace(loader(target), jobs=jobs)), seconds=0))
    assert summaries[0] == summaries[1]
    assert summaries[0].stored > 20
    assert summaries[0].quarantined
    assert summaries[0].tls_reports
    for table in SAID:
        assert stored(one, table) == stored(two, table), table


def test_a_process_that_dies_is_told_and_loses_nothing(tmp_path: Path) -> None:
    target = warehouse(tmp_path)
    (tmp_path / "mail").mkdir()
    for number in range(3):
        (tmp_path / "mail" / f"{number}.xml").write_bytes(message(xml(report_id=f"r{number}")).raw)
    source = FileInput([tmp_path / "mail"], UnpackLimits())
    with pytest.raises(WarehouseError, match="ended before its time"):
        load(source, replace(loader(target), jobs=2, prepare=partial(os._exit, 1)))
    assert load(source, loader(target)).stored == 3


def test_processes_that_read_end_with_the_one_that_is_killed(tmp_path: Path) -> None:
    code = """
import os, signal, sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from tests.warehouse.build import ListInput, loader, message, warehouse, xml
from tests.warehouse.test_workers import noted
from warehouse.load import load
class Dying(ListInput):
    def done(self, settled):
        os.kill(os.getpid(), signal.SIGKILL)
folder = Path(sys.argv[1])
load(Dying([[message(xml())]]), replace(loader(warehouse(folder)), jobs=2, prepare=partial(noted, folder)))
"""
    command = [sys.executable, "-c", code, str(tmp_path)]
    killed = subprocess.run(command, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    assert killed.returncode == -signal.SIGKILL
    readers = [int(path.name) for path in (tmp_path / "readers").iterdir()]
    assert readers
    until = time.monotonic() + 60
    while any(map(running, readers)) and time.monotonic() < until:
        time.sleep(0.05)
    assert not any(map(running, readers))


def noted(folder: Path) -> None:
    """Note the process that this is called in."""
    (folder / "readers").mkdir(exist_ok=True)
    (folder / "readers" / str(os.getpid())).touch()


def running(process: int) -> bool:
    """Whether a process is there, and not only what nobody has asked for yet of one that has ended."""
    try:
        os.kill(process, 0)
        return ") Z " not in Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return False
