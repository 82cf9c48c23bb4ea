"""Findings on the overview: from a button to the record and the journal, and back."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tests.app.web.conftest import Open, text
from warehouse import findings, journal
from warehouse.connect import Warehouse
from warehouse.findings import FindingRecord
from warehouse.settings import WarehouseSettings


def records(path: Path) -> dict[str, FindingRecord]:
    with Warehouse(path, WarehouseSettings()).reading() as connection:
        assert journal.verify(connection) is None
        return findings.every(connection)


def press(at: AppTest, name: str) -> str:
    """Press the button of this name on the first card; the finding's id."""
    button = next(one for one in at.button if str(one.key).startswith(f"{name} "))
    button.click().run()
    assert not at.exception
    return str(button.key).partition(" ")[2]


def test_looking_records_nothing(app: Open, ours: Path) -> None:
    recorded, before = records(ours), ours.stat().st_mtime_ns
    at = app(ours)
    assert "Mailjet stopped aligning" in text(at)
    assert ours.stat().st_mtime_ns == before
    assert records(ours) == recorded


def test_a_finding_is_assigned_fixed_and_opened_again(app: Open, ours: Path) -> None:
    at = app(ours)
    key = next(str(one.key) for one in at.button if str(one.key).startswith("assign ")).partition(" ")[2]
    at.text_input(key=f"owner {key}").set_value("<b>Ada</b> ![x](http://evil.example)").run()
    assert press(at, "assign") == key
    assert records(ours)[key].owner == "<b>Ada</b> ![x](http://evil.example)"
    assert "&lt;b&gt;Ada" in text(at)
    assert press(at, "fixed") == key
    assert records(ours)[key].state == "fixed"
    assert "1 in hand" in " ".join(one.label for one in at.expander)
    # The next one has moved up.
    assert press(at, "snooze") != key
    assert "2 in hand" in " ".join(one.label for one in at.expander)


@pytest.mark.parametrize("name", ["close", "snooze"])
def test_what_is_closed_or_snoozed_leaves_the_list(app: Open, ours: Path, name: str) -> None:
    at = app(ours)
    key = press(at, name)
    assert key not in [str(one.key).partition(" ")[2] for one in at.button if str(one.key).startswith("close ")]
    record = records(ours)[key]
    assert (record.state, record.snoozed_until is not None) == (
        ("closed", False) if name == "close" else ("open", True)
    )
