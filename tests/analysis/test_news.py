"""What else changed: each kind in the sample, and none for what is a holiday, a weekend or a silent reporter."""

from __future__ import annotations

import random
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest

from analysis import volumes
from analysis.news import KINDS, news
from analysis.reporters import gaps
from analysis.settings import AnalysisSettings
from benchmarks.change_worlds.__main__ import score
from tests.analysis.world import LAST, TODAY, World, days
from warehouse.scope import Scope

FIRST = date(2026, 6, 1)  # a Monday


def frame(daily: dict[str, list[int]], reporters: dict[str, list[bool]] | None = None) -> pl.DataFrame:
    """Days as the read gives them: each source's messages by day, from each reporter that reports on it."""
    told = reporters or {"a": [True] * 200, "b": [True] * 200}
    rows = [
        ("example.com", key, FIRST + timedelta(days=at), who, count, count, count, 0, 0)
        for key, counts in daily.items()
        for at, count in enumerate(counts)
        for who, reports in told.items()
        if reports[at] and count
    ]
    names = [
        "domain",
        "source_key",
        "day",
        "reporter",
        "messages",
        "aligned",
        "dkim_aligned",
        "spf_aligned",
        "estimated",
    ]
    return pl.DataFrame(rows, schema=names, orient="row")


def spells(daily: dict[str, list[int]], reporters: dict[str, list[bool]] | None = None) -> list[volumes.Spell]:
    size = max(len(counts) for counts in daily.values())
    told = frame(daily, reporters)
    return volumes.spells(told, told, FIRST + timedelta(days=size - 1))


WEEK = [100, 110, 105, 100, 95, 5, 5]


@pytest.mark.parametrize("size", [1, 2, 6, 7, 8, 20])
def test_a_few_days_say_nothing(size: int) -> None:
    counts = (WEEK * 4)[:size]
    assert spells({"x": counts, "y": counts}) == []
    assert gaps(frame({"x": counts}), FIRST + timedelta(days=size - 1), {}) == []


def test_a_weekend_is_no_drop_and_a_spike_is_one() -> None:
    counts = WEEK * 10
    assert spells({"x": counts}) == []
    counts[51] = 900
    (spike,) = spells({"x": counts})
    assert (spike.up, spike.started_on, spike.ended_on) == (True, FIRST + timedelta(days=51), spike.started_on)


def test_a_drop_of_one_source_is_told_and_a_holiday_of_all_is_not() -> None:
    rest = WEEK * 7 + [3] * 7 + WEEK * 3
    assert spells({name: rest for name in "wxyz"}) == []
    (drop,) = spells({"w": rest} | {name: WEEK * 11 for name in "xyz"})
    assert (drop.up, drop.source_key, drop.started_on) == (False, "w", FIRST + timedelta(days=49))


def test_a_silent_reporter_is_a_gap_and_no_drop() -> None:
    told = {"a": [True] * 70, "b": [at < 50 for at in range(70)]}
    days_told = frame({"x": WEEK * 10, "y": WEEK * 10}, told)
    newest = FIRST + timedelta(days=69)
    assert volumes.spells(days_told, days_told, newest) == []
    (gap,) = gaps(days_told, newest, {})
    assert (gap.reporter, gap.started_on, gap.ended_on) == ("b", FIRST + timedelta(days=50), None)
    assert gap.missing > 1000
    assert gaps(days_told, FIRST + timedelta(days=54), {"b": 12.0}) == [], "a slow reporter is late, not silent"


def test_a_gap_that_is_over_has_an_end() -> None:
    told = {"a": [True] * 70, "b": [not 40 <= at < 52 for at in range(70)]}
    (gap,) = gaps(frame({"x": WEEK * 10}, told), FIRST + timedelta(days=69), {})
    assert (gap.started_on, gap.ended_on) == (FIRST + timedelta(days=40), FIRST + timedelta(days=51))


def test_sources_with_next_to_no_mail_do_not_hide_a_holiday() -> None:
    rest = WEEK * 7 + [3] * 7 + WEEK * 3
    trickle = [1, 0, 2, 1, 1, 0, 0] * 11
    assert spells({name: rest for name in "wx"} | {f"tiny {n}": trickle for n in range(5)}) == []


def test_a_domain_with_next_to_no_mail_has_no_spells() -> None:
    assert spells({"x": [1] + [0] * 70, "y": [0] * 70 + [1]}) == []


def test_a_wave_begins_on_the_day_that_reports_of_one_day_tell() -> None:
    told = frame({"x": WEEK * 10, "forged": [0] * 51 + [450] + [0] * 18})
    # A reporter of whole weeks spreads that day over seven.
    weekly = frame({"forged": [0] * 49 + [100] * 7}, {"weekly": [True] * 70}).with_columns(estimated="messages")
    every = pl.concat([told, weekly.cast(dict(told.schema))])
    [by_domain] = volumes.by_domain(every, every, FIRST + timedelta(days=69))
    [wave] = volumes.waves(by_domain, "forged", 100)
    assert (wave.started_on, wave.ended_on) == (FIRST + timedelta(days=51), FIRST + timedelta(days=51))


def test_what_was_usual_before_weeks_of_little_mail_is_no_spike() -> None:
    counts = WEEK * 8 + [3] * 35 + WEEK * 2
    assert not [one for one in spells({"x": counts, "y": WEEK * 15, "z": WEEK * 15}) if one.up]


def test_where_most_of_a_sources_reporters_are_gone_the_others_tell_of_a_spike() -> None:
    told = {"a": [at < 35 for at in range(77)], **{name: [True] * 77 for name in "bc"}}
    counts = WEEK * 11
    days_told = frame({"x": counts}, told)
    large = days_told.filter(pl.col("reporter") == "a").with_columns(pl.col("messages") * 12)
    spike = (pl.col("day") == FIRST + timedelta(days=72)).cast(pl.Int64) * 900
    rest = days_told.filter(pl.col("reporter") != "a").with_columns(messages=pl.col("messages") + spike)
    every = pl.concat([large, rest])
    assert [one.up for one in volumes.spells(every, every, FIRST + timedelta(days=76))] == [True]


def test_forged_mail_that_rests_on_weekends_and_holidays_is_no_wave_when_it_is_back() -> None:
    counts = [30, 28, 33, 29, 31, 2, 1] * 5 + [2, 1, 2, 1, 2, 1, 1] * 2 + [30, 28, 33, 29, 31, 2, 1] * 3
    told = frame({"forged": counts})
    [by_domain] = volumes.by_domain(told, told, FIRST + timedelta(days=len(counts) - 1))
    assert list(volumes.waves(by_domain, "forged", 100)) == []
    counts[60] = 400
    told = frame({"forged": counts})
    [by_domain] = volumes.by_domain(told, told, FIRST + timedelta(days=len(counts) - 1))
    assert [one.started_on for one in volumes.waves(by_domain, "forged", 100)] == [FIRST + timedelta(days=60)]


def test_what_came_and_went_in_a_warehouse(tmp_path: Path) -> None:
    world = World.at(tmp_path)
    old, new = [("example.com", "old", "pass")], [("example.com", "new", "pass")]
    world.send("192.0.2.1", days(60, 20), 40, dkim=old)
    world.send("192.0.2.1", days(19), 40, dkim=new)
    world.send("192.88.99.1", days(9), 20, dkim=[("example.com", "crm", "pass")], header_from="shop.example.com")
    world.send("203.0.113.1", days(60, 30), 20, dkim=[("example.com", "box", "pass")])
    world.save()
    found = news(world.warehouse, Scope((), LAST - timedelta(days=40), LAST), TODAY, AnalysisSettings())
    told = {(one.kind, one.subject or one.source_key): one for one in found}
    assert told[("selector_change", "new")].started_on == days(19)[0]
    assert told[("new_subdomain", "shop.example.com")].started_on == days(9)[0]
    assert {kind for kind, _ in told} >= {"new_source", "vanished_source", "selector_change", "new_subdomain"}
    assert all(one.kind in KINDS and one.evidence for one in found)


def test_the_scores_do_not_fall_unnoticed() -> None:
    hit, missed, wrong, _ = score(0, 12)
    for kind in KINDS:
        assert hit[kind] >= 4 * missed[kind], kind
        assert 4 * hit[kind] >= wrong[kind] * 3, kind


def test_many_sources_are_looked_at_as_few_are() -> None:
    chance = random.Random(7)
    daily = {f"source {at}": [chance.choice((20, 30, 40)) for _ in range(110)] for at in range(300)}
    for counts in daily.values():
        counts[chance.randrange(70, 110)] = 4000
    few = [dict(list(daily.items())[at : at + 100]) for at in (0, 100, 200)]
    told = spells(daily)
    assert len(told) == 300
    assert set(told) == {one for part in few for one in spells(part)}
