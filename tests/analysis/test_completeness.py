"""How much of the newest days is in, and of which sources nothing can be told."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl
import pytest

from analysis.completeness import Completeness, completeness
from analysis.lacking import in_words, lacking
from analysis.settings import DriftSettings

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)
TODAY = NOW.date()
WAITS = {"quick": {25: 40}, "slow": {60: 40}, "now and then": {30: 4}}
MAIL = {"quick": 100, "slow": 300, "now and then": 10}


def asked(now: datetime = NOW, until: date = TODAY) -> dict[int, Completeness]:
    """By the days before today, where each report is there from its hour on."""
    rows = list[tuple[str, str, date, int]]()
    for reporter, messages in MAIL.items():
        for back in range(40):
            day = TODAY - timedelta(days=back)
            came = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(hours=max(WAITS[reporter]))
            if came <= now and (reporter != "now and then" or back % 7 == 0):
                rows.append((reporter, "example.com", day, messages))
    sent = pl.DataFrame(rows, schema=["reporter", "domain", "day", "messages"], orient="row")
    waits = [(name, hour, count) for name, hours in WAITS.items() for hour, count in hours.items()]
    found = completeness(sent, pl.DataFrame(waits, schema=["reporter", "hour", "reports"], orient="row"), now, until)
    return {(TODAY - one.day).days: one for one in found}


def test_a_day_is_as_complete_as_the_reporters_that_still_come_leave_it() -> None:
    days = asked()
    assert sorted(days) == [0, 1, 2]
    assert days[0].share == 0.0
    assert set(days[0].waiting) == {"quick", "slow"}
    assert days[1].share == pytest.approx(100 / 401.4, abs=0.01)
    assert days[1].low <= days[1].share <= days[1].high < 0.3
    assert days[1].waiting == ("slow",)
    assert not days[1].complete
    # The slow one reports two and a half days after the beginning of a day: in three hours.
    assert days[2].waiting == ("slow",)


def test_a_day_is_whole_when_all_that_usually_report_have() -> None:
    days = asked(NOW + timedelta(days=3))
    assert not days
    day = asked(NOW + timedelta(hours=4))[2]
    assert (day.share, day.complete, day.waiting) == (1.0, True, ())


def test_a_scope_that_ends_before_asks_for_its_days_only() -> None:
    assert sorted(asked(until=TODAY - timedelta(days=2))) == [2]


def test_what_is_lacking_is_counted() -> None:
    rows: list[tuple[Any, ...]] = [
        ("example.com", "plenty", 5000, 90, 4),
        ("example.com", "few days", 5000, 4, 1),
        ("example.com", "few messages", 30, 20, 2),
    ]
    sums = pl.DataFrame(rows, schema=["domain", "source_key", "messages", "days", "reporters"], orient="row")
    few_days, few_messages = lacking(sums, DriftSettings())
    assert (few_days.source_key, few_days.days_lacking, few_days.messages_lacking) == ("few days", 10, 0)
    assert few_days.reporters_lacking == 1
    assert (few_messages.messages_lacking, few_messages.days_lacking) == (70, 0)
    assert in_words([few_days, few_messages]) == (
        "Cannot tell yet of 2 sources: 1 with too few messages, 1 on too few days."
    )
    assert in_words([few_days]) == "Cannot tell yet of 1 source: 1 on too few days."
    assert in_words([]) == ""
