"""Days that no report can tell of, or that only a wrong clock does; and numbers and times that cannot be."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app import exitcodes
from tests.app.conftest import Whosends, write_month


@pytest.mark.parametrize("command", ["status", "sources", "drift", "changes", "reporters", "selectors", "bounces"])
def test_days_beyond_all_reports_are_answered(whosends: Whosends, month: Path, command: str) -> None:
    ever = ("--since", "0001-01-01", "--until", "9999-12-31")
    for options in (ever, ever[:2], ("--since", "1970-01-01"), ("--until", "0001-01-05", "--days", "30")):
        ran = whosends(command, *options, "--warehouse", month)
        assert ran.code in {exitcodes.OK, exitcodes.FOUND, exitcodes.UNKNOWN}, ran.err


def test_all_days_of_drift_take_no_more_than_there_are(whosends: Whosends, sample: Path) -> None:
    usual, ever = (
        whosends("drift", "--warehouse", sample, "--json", *options).document["drifts"]
        for options in ((), ("--since", "1970-01-01"))
    )
    assert {one["started_on"] for one in usual} <= {one["started_on"] for one in ever}


@pytest.mark.parametrize(
    "arguments",
    [
        ("quarantine", "show", "9" * 50),
        ("quarantine", "drop", "9" * 50),
        ("quarantine", "retry", "-1"),
        ("sources", "history", "--undo", "9" * 50),
        ("query", "SELECT 1", "--timeout", "inf"),
        ("report", "weekly", "--week", "0001-W01"),
        ("report", "weekly", "--known-at", "0001-01-01T00:00+23:00"),
    ],
)
def test_numbers_and_times_that_cannot_be_are_refused(whosends: Whosends, month: Path, arguments: tuple[str]) -> None:
    ran = whosends(*arguments, "--warehouse", month)
    assert ran.code == exitcodes.USAGE
    assert "whosends" not in ran.err.splitlines()[0]


def test_a_date_in_the_future_does_not_hide_the_data_of_other_domains(
    whosends: Whosends, home: Path, month: Path
) -> None:
    ahead = write_month(home / "ahead", "later.example", datetime.now(UTC) + timedelta(days=300))
    (file, *_) = sorted(ahead.glob("Yahoo*-0.xml"))
    assert whosends("ingest", file, "--warehouse", month).code == 0
    (source,) = whosends("sources", "--warehouse", month, "--json").document["sources"]
    assert (source["domain"], source["messages"]) == ("example.com", 12000)
    (domain,) = whosends("status", "--warehouse", month, "--json").document["domains"]
    assert (domain["domain"], domain["messages"]) == ("example.com", 12000)
    assert whosends("status", "--domain", "later.example", "--warehouse", month).code == exitcodes.UNKNOWN


@pytest.mark.parametrize("command", ["status", "sources", "drift", "changes", "reporters", "selectors", "bounces"])
def test_days_without_reports_are_unknown_and_said_to_be_so(whosends: Whosends, month: Path, command: str) -> None:
    for options in (("--since", "2999-01-01"), ("--until", "1990-01-01")):
        ran = whosends(command, *options, "--warehouse", month)
        assert ran.code == exitcodes.UNKNOWN, (options, ran.err)
        assert "yet" not in ran.err
        assert "None" not in ran.err


@pytest.mark.parametrize("command", [("report", "weekly"), ("drift",), ("changes",)])
@pytest.mark.parametrize("known_at", ["0001-01-01", "0001-01-01T00:00", "1969-12-31"])
def test_nothing_was_known_at_the_beginning_of_time(
    whosends: Whosends, month: Path, command: tuple[str, ...], known_at: str
) -> None:
    ran = whosends(*command, "--known-at", known_at, "--warehouse", month)
    assert ran.code in {exitcodes.OK, exitcodes.UNKNOWN}, ran.err
