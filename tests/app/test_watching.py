"""What a watch does beside its mailboxes may fail: it goes on, and asks again."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.commands.base import Run
from app.commands.watching import Names
from app.render import Screen
from warehouse.connect import Warehouse
from warehouse.settings import WarehouseSettings


def test_a_busy_warehouse_is_asked_again_later(month: Path, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = home / "x.toml"
    file.write_text(f"offline = true\n[warehouse]\npath = '{month}'\nwait = 0.2\n", "utf-8")
    run = Run({})
    run.options["config"] = str(file)
    names = Names(run, Screen(run))
    with Warehouse(month, WarehouseSettings()).writing():
        assert not names.ask()
        assert "Asking again every 60 seconds." in capsys.readouterr().err
        # What lasts is told once.
        assert not names.ask()
        assert capsys.readouterr().err == ""
    assert names.ask()
    with Warehouse(month, WarehouseSettings()).writing():
        assert not names.ask()
    assert "Asking again every 60 seconds." in capsys.readouterr().err
