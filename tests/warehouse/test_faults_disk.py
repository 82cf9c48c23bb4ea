"""A disk that is full while something other than a load writes: it is said, nothing is lost, and it goes on later."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.warehouse.build import warehouse
from tests.warehouse.test_crash_upkeep import ACTIONS, WHOLE, fill, same, seen_in
from tests.warehouse.test_crash_walk import in_a_process
from warehouse.errors import WarehouseError, WarehouseFull


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("filled")
    assert in_a_process(fill, folder) == (0, True)
    return folder


@pytest.fixture
def disk(filled: Path, tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=32m", "tmpfs", str(folder)]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("a small disk can only be made by root")
    shutil.copytree(filled, folder, dirs_exist_ok=True)
    warehouse(folder).path.with_name("warehouse.duckdb.lock").touch()
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.mark.parametrize("action", ACTIONS)
def test_a_full_disk_is_said_and_the_same_goes_on_once_there_is_room(
    filled: Path, disk: Path, tmp_path: Path, action: str
) -> None:
    before = seen_in(filled)
    whole = Path(shutil.copytree(filled, tmp_path / "whole"))
    ACTIONS[action](whole)
    after = seen_in(whole)
    ballast = disk / "ballast"
    ballast.write_bytes(bytes(shutil.disk_usage(disk).free))
    with pytest.raises(WarehouseError) as full:
        ACTIONS[action](disk)
    assert isinstance(full.value, WarehouseFull) or "No space left" in str(full.value)
    assert not list(disk.glob("*.partial"))
    assert not list(disk.glob("*.restoring"))
    ballast.unlink()
    found = seen_in(disk)
    assert found == before if action in WHOLE else found[0] == before[0]
    ACTIONS[action](disk)
    assert same(action, seen_in(disk), after)
