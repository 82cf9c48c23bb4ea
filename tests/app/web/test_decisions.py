"""From a button to the warehouse and back: what is decided, by whom, and what happens when it cannot be."""

from __future__ import annotations

import threading
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from app.commands.deciding import actor
from app.web import cached
from tests.app.web.conftest import Open, now, text
from warehouse import addresses, journal, reads, regroup
from warehouse.address import Address
from warehouse.connect import Warehouse
from warehouse.decisions import SourceDecision, decide
from warehouse.settings import WarehouseSettings

KEY = "northlight.example svc:mailjet"


def decided(path: Path) -> dict[str, dict[str, Any]]:
    """The decisions that hold, by source."""
    with Warehouse(path, WarehouseSettings()).reading() as connection:
        rows = reads.decisions(connection).to_dicts()
    return {f"{row['domain']} {row['source_key']}": row for row in rows}


@pytest.fixture
def sources(app: Open, ours: Path) -> AppTest:
    return app(ours, "sources")


def test_approving_writes_the_decision_the_owner_and_the_note(app: Open, ours: Path, home: Path) -> None:
    (home / "here" / "whosends.toml").write_text('[[domain]]\nname = "a.example"\nowner = "Bookings"\n', "utf-8")
    sources = app(ours, "sources")
    sources.selectbox(key=f"owner {KEY}").set_value("Bookings").run()
    sources.text_input(key=f"note {KEY}").set_value("Contract 12").run()
    before = sources.title[0].value
    sources.button(key=f"approved {KEY}").click().run()
    assert not sources.exception
    made = decided(ours)[KEY]
    assert (made["decision"], made["owner"], made["note"]) == ("approved", "Bookings", "Contract 12")
    assert made["decided_by"] == actor()
    assert sources.title[0].value != before
    assert sources.toast[0].value == "1 source: approved"
    with Warehouse(ours, WarehouseSettings()).reading() as connection:
        assert journal.verify(connection) is None


def test_a_decided_source_leaves_the_undecided_for_its_own_heading(sources: AppTest, app: Open, ours: Path) -> None:
    sources.button(key=f"spoof {KEY}").click().run()
    assert KEY not in {str(button.key).partition(" ")[2] for button in sources.button}
    shown = app(ours, "sources", show="Spoof")
    assert "Mailjet" in text(shown)
    assert "Spoof by" in text(shown)


def test_undo_brings_back_what_held_before(sources: AppTest, ours: Path) -> None:
    sources.button(key=f"forwarder {KEY}").click().run()
    assert decided(ours)[KEY]["decision"] == "forwarder"
    sources.button(key="undo-last").click().run()
    assert not sources.exception
    assert KEY not in decided(ours)
    assert f"approved {KEY}" in {button.key for button in sources.button}


def test_a_decision_can_be_taken_back_later(app: Open, sources: AppTest, ours: Path) -> None:
    sources.button(key=f"retired {KEY}").click().run()
    later = app(ours, "sources", show="All", source="mailjet")
    later.button(key=f"undo {KEY}").click().run()
    assert KEY not in decided(ours)


def test_many_are_decided_with_one_click_and_in_one_transaction(app: Open, ours: Path) -> None:
    at = app(ours, "sources", table="true", kind="Looks like spoofing")
    (frame,) = at.dataframe
    assert len(frame.value) > 200
    at.session_state[str(frame.key)] = {"selection": {"rows": [0, 1, 2], "columns": [], "cells": []}}
    at.run()
    at.button(key="spoof many").click().run()
    assert not at.exception
    assert sorted(row["decision"] for row in decided(ours).values()) == ["spoof"] * 3
    assert at.toast[0].value == "3 sources: spoof"
    assert at.button(key="spoof many").disabled, "the selection must not outlive the rows it was made in"


def test_sources_that_are_surely_alike_can_be_decided_together(sources: AppTest) -> None:
    sources.button(key="alike spoofing").click().run()
    assert not sources.exception
    assert sources.toggle(key="table").value
    assert sources.selectbox(key="kind").value == "Looks like spoofing"
    assert set(sources.dataframe[0].value["kind"].map(tuple)) == {("Looks like spoofing",)}


def test_the_deck_moves_and_what_is_selected_is_decided_together(sources: AppTest, ours: Path) -> None:
    sources.button(key="pick").click().run()
    sources.button(key="next").click().run()
    sources.button(key="pick").click().run()
    assert not [button.key for button in sources.button if str(button.key).startswith("open ")], (
        "one thing has the keys"
    )
    sources.text_input(key="note picked").set_value("A campaign").run()
    sources.button(key="forwarder picked").click().run()
    assert not sources.exception
    made = decided(ours)
    assert {(row["decision"], row["note"]) for row in made.values()} == {("forwarder", "A campaign")}
    assert len(made) == 2
    sources.button(key="more").click().run()
    assert "12 to 21" in " ".join(caption.value for caption in sources.caption)


def test_a_decision_that_ran_out_is_shown_to_be_looked_at_again(app: Open, ours: Path) -> None:
    until = date(2020, 1, 1)
    said = SourceDecision("northlight.example", "svc:mailjet", "approved", "ada", "Mkt", until=until, expects="dkim")
    with Warehouse(ours, WarehouseSettings()).writing() as connection:
        decide(connection, said, now())
    at = app(ours, "sources", show="Expired")
    assert not at.exception
    assert "over since 1 Jan 2020" in text(at)
    at.button(key=f"approved {KEY}").click().run()
    made = decided(ours)[KEY]
    assert (made["owner"], made["until"], made["expects"]) == ("Mkt", None, "dkim")


def test_a_busy_warehouse_refuses_the_decision_and_says_so(sources: AppTest, ours: Path) -> None:
    with Warehouse(ours, WarehouseSettings()).writing():
        sources.button(key=f"approved {KEY}").click().run()
        assert not sources.exception
        assert "held the warehouse" in text(sources)
    sources.run()
    assert KEY not in decided(ours)
    sources.button(key=f"approved {KEY}").click().run()
    assert decided(ours)[KEY]["decision"] == "approved"


def test_a_busy_warehouse_is_a_page_with_a_way_to_try_again(app: Open, ours: Path) -> None:
    with Warehouse(ours, WarehouseSettings()).writing():
        at = app(ours)
        assert not at.exception
        assert at.title[0].value == "The warehouse is busy"
    at.button[0].click().run()
    assert at.title[0].value == "2 of 3 domains not ready for a stricter policy"


def test_the_page_holds_nothing_open(app: Open, ours: Path) -> None:
    at = app(ours)
    written = threading.Event()

    def write() -> None:
        with Warehouse(ours, WarehouseSettings(wait=1.0)).writing():
            written.set()

    thread = threading.Thread(target=write)
    thread.start()
    thread.join()
    assert written.is_set()
    assert not at.exception


def test_the_evidence_opens_on_demand(app: Open, ours: Path) -> None:
    at = app(ours, "sources", source="mailjet")
    assert not at.dataframe
    at.session_state[f"why {KEY}"] = True
    at.run()
    assert not at.exception
    assert "earlier messages aligned" in text(at)
    assert len(at.dataframe) == 4


def test_a_regrouping_is_told_and_taken_back(app: Open, ours: Path) -> None:
    with Warehouse(ours, WarehouseSettings()).writing() as connection:
        rows = connection.execute("SELECT * FROM address WHERE source_key = 'svc:mailjet'").fetchall()
        addresses.renew(connection, [Address(*row)._replace(source_key="as:of.before") for row in rows], now())
        addresses.renew(connection, [Address(*row) for row in rows], now(), "upgrade")
    at = app(ours, "sources", source="mailjet")
    at.session_state[f"why {KEY}"] = True
    at.run()
    assert "as:of.before became svc:mailjet" in text(at)
    for heading in ("Verdict", "Yours by", "Way", "Likely"):
        assert heading in text(at)
    assert "signature_month" in text(at)
    at.button(key=f"regroup 1 {KEY}").click().run()
    assert not at.exception
    with Warehouse(ours, WarehouseSettings()).reading() as connection:
        [last] = regroup.history(connection).head(1).to_dicts()
        assert journal.verify(connection) is None
    assert (last["old_key"], last["new_key"], last["actor"]) == ("svc:mailjet", "as:of.before", actor())


def test_how_many_are_still_unseen_is_said_on_the_page(sources: AppTest) -> None:
    assert "likely still unseen" in text(sources)


def test_a_second_try_empties_the_quarantine_of_what_can_be_read_now(app: Open, ours: Path) -> None:
    at = app(ours, "reports", tab="Quarantine")
    at.button(key="retry").click().run()
    assert not at.exception
    assert "2 messages refused again." in [warning.value for warning in at.warning]


def test_a_second_try_removes_nothing_that_the_settings_keep(
    app: Open, ours: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WHOSENDS_RETENTION__BOUNCES_DAYS", "0")
    monkeypatch.setenv("WHOSENDS_OFFLINE", "true")
    with Warehouse(ours, WarehouseSettings()).writing() as connection:
        connection.execute("UPDATE delivery_status SET stored_at = stored_at - INTERVAL 1 YEAR")
        before = connection.execute("SELECT count(*) FROM delivery_status").fetchall()
    assert before > [(0,)]
    at = app(ours, "reports", tab="Quarantine")
    at.button(key="retry").click().run()
    assert not at.exception
    with Warehouse(ours, WarehouseSettings()).reading() as connection:
        assert connection.execute("SELECT count(*) FROM delivery_status").fetchall() == before


def test_answers_are_new_where_owners_or_the_log_of_a_killed_writer_are(
    ours: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WHOSENDS_WAREHOUSE", str(ours))
    states = [cached.state(), cached.state()]
    (home / "here" / "whosends.toml").write_text('[[domain]]\nname = "a.example"\nowner = "Bookings"\n', "utf-8")
    states.append(cached.state())
    ours.with_name(f"{ours.name}.wal").touch()
    states.append(cached.state())
    assert len(set(states)) == 3


def test_a_report_can_be_linked_to(app: Open, ours: Path) -> None:
    at = app(ours, "reports", report="7")
    assert "Report 7" in [heading.value for heading in at.subheader]
    assert not app(ours, "reports", report="999999999").exception
    assert not app(ours, "reports", report="٣").exception
