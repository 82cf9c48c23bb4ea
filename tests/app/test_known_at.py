"""What was known on a day can be asked again: late reports revise an answer, and what cannot be told is said."""

from __future__ import annotations

import random
from datetime import timedelta
from pathlib import Path

import pytest

from tests.analysis.world import LAST, MAILER, OFFICE, OURS, World, days
from tests.app.conftest import Whosends
from tests.warehouse.test_known import THEN as INSTANT
from tests.warehouse.test_known import grown

BROKE = LAST - timedelta(days=14)
KEYS = ((OURS, "m1", "pass"),)
PATH = ("bounce.mailer.test", "pass")
THEN, LATER = "2026-11-23", "2026-11-25 08:00:00"  # World stores everything on the first of these days


@pytest.fixture
def late(tmp_path: Path) -> Path:
    """A sender that broke, a new one, and reports on most of that which came two days later."""
    world = World.at(tmp_path)
    world.send(MAILER, days(89, 15), 30, dkim=KEYS, spf=PATH)
    world.send(MAILER, days(14), 30, dkim=(), spf=PATH)
    world.send(OFFICE, days(89), 20, dkim=((OURS, "office", "pass"),), spf=(OURS, "pass"))
    world.send("192.88.99.10", days(5), 40, dkim=((OURS, "crm", "pass"),))
    path = world.save().path
    with world.warehouse.writing() as connection:
        connection.execute(
            "UPDATE aggregate_report SET stored_at = ? WHERE day > ? OR (reporter = 'Yahoo' AND day >= ?)",
            [LATER, BROKE + timedelta(days=8), BROKE],
        )
    return path


def test_late_reports_revise_a_drift_and_open_no_second_one(whosends: Whosends, late: Path) -> None:
    asked = ("drift", "--warehouse", late, "--json")
    now, then = (whosends(*asked, *more).document for more in ((), ("--known-at", THEN)))
    [one] = [drift for drift in now["drifts"] if drift["mechanism"] == "dkim"]
    [before] = [drift for drift in then["drifts"] if drift["mechanism"] == "dkim"]
    assert one["started_on"] == before["started_on"] == BROKE.isoformat()
    assert one["messages"] == 15 * 30 * 3
    assert before["messages"] == 9 * 30 * 2
    # The causes are those of then, too.
    assert "signs 0 % since" in before["cause_sentence"]
    assert whosends(*asked, "--known-at", "2026-11-24T12:00").document["drifts"] == then["drifts"]
    assert whosends(*asked, "--known-at", "2026-11-26").document["drifts"] == now["drifts"]


def test_what_else_changed_is_what_was_known_of_it(whosends: Whosends, late: Path) -> None:
    def told(*more: str) -> set[str]:
        found = whosends("changes", "--warehouse", late, "--json", *more).document["changes"]
        return {f"{one['kind']} {one['source_key']}" for one in found}

    assert "new_source as:crm.test" in told()
    assert "new_source as:crm.test" not in told("--known-at", THEN)
    assert whosends("changes", "--warehouse", late, "--known-at", "soon").code == 2


@pytest.mark.parametrize("command", ["drift", "changes"])
def test_what_cannot_be_left_out_any_more_is_no_answer(whosends: Whosends, late: Path, command: str) -> None:
    world = World.at(late.parent)
    with world.warehouse.writing() as connection:
        connection.execute("UPDATE aggregate_report SET pruned_at = '2026-11-27' WHERE stored_at = ?", [LATER])
        connection.execute("DELETE FROM aggregate_record WHERE report_key IN "
                           "(SELECT report_key FROM aggregate_report WHERE pruned_at IS NOT NULL)")  # fmt: skip
    ran = whosends(command, "--warehouse", late, "--known-at", THEN)
    assert ran.code > 1
    assert "lost their records since" in ran.err
    assert whosends(command, "--warehouse", late, "--known-at", "2026-11-26").code == 1


@pytest.mark.parametrize("form", ["md", "json", "html"])
def test_an_old_week_is_told_in_the_same_bytes(whosends: Whosends, tmp_path: Path, form: str) -> None:
    now, old = grown(tmp_path, random.Random(2))
    asked = (
        "report",
        "weekly",
        "--week",
        "2026-W46",
        "--format",
        form,
        "--known-at",
        INSTANT.isoformat(),
        "--warehouse",
    )
    told, told_then = whosends(*asked, now.path), whosends(*asked, old.path)
    assert told.code == told_then.code == 0
    assert told.out == told_then.out
    assert told.out != whosends(*asked[:-3], "--warehouse", now.path).out
