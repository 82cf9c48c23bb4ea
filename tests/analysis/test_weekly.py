"""The week on one page: a quiet one says so, and the same reports give the same page."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from analysis.period import iso_week, last_complete_week
from analysis.settings import AnalysisSettings
from analysis.weekly import WeeklySummary, weekly
from ingest.errors import UsageError
from tests.analysis.test_readiness import lose_the_key
from tests.analysis.world import LAST, MAILER, MAILER_KEYS, MAILER_PATH, OURS, TODAY, Policy, World, days, usual

SETTINGS = AnalysisSettings()
WEEK = "2026-W47"  # ends on LAST, a Sunday


def ask(world: World, week: str = WEEK, today: date = TODAY, domains: tuple[str, ...] = ()) -> WeeklySummary:
    world.save()
    return weekly(world.warehouse, week, today, SETTINGS, domains)


def test_a_quiet_week_says_so_in_one_line(world: World) -> None:
    usual(world, days(60))
    answer = ask(world)
    assert answer.headline == "A quiet week: 100.0 % of 1,218 messages aligned, no new sources, nothing to do."
    assert answer.subject == "[Go] example.com W47: nothing to do"
    assert (answer.findings, answer.new_sources, answer.drifts) == ((), (), ())
    assert (answer.verdict, answer.complete, answer.reports) == ("go", True, 21)
    assert (answer.first_day, answer.last_day) == (LAST - timedelta(days=6), LAST)


def test_an_empty_week_and_an_empty_warehouse(world: World) -> None:
    assert ask(world).headline == "No mail was reported for this week."
    usual(world, days(3))
    answer = ask(world, "2026-W30")
    assert (answer.headline, answer.verdict) == ("No mail was reported for this week.", "unknown")
    assert answer.domains == ()


def test_a_week_before_all_reports_tells_of_nothing_that_came_later(world: World) -> None:
    lose_the_key(world, 14, 0)
    answer = ask(world, "2026-W20")
    assert (answer.domains, answer.drifts, answer.changed, answer.moved, answer.new_sources) == ((), (), (), (), ())


def test_a_week_that_has_not_begun_is_refused(world: World) -> None:
    usual(world, days(3))
    with pytest.raises(UsageError, match="has not begun"):
        ask(world, "2026-W49")


def test_a_wave_of_forged_mail_is_told_in_its_week_with_what_it_did_to_the_rate(world: World) -> None:
    usual(world, days(60))
    for n in range(30):
        world.send(f"198.18.{n}.9", days(11, 9), 40, spf=(OURS, "softfail"))  # 11 to 13 November, week 46
    told = {week: ask(world, week) for week in ("2026-W45", "2026-W46", WEEK)}
    waves = {
        week: [one.news.started_on for one in each.changed if one.news.kind == "spoofing"]
        for week, each in told.items()
    }
    assert waves == {"2026-W45": [], "2026-W46": [date(2026, 11, 11)], WEEK: []}
    assert "1 other change" in told["2026-W46"].headline
    [moved] = told["2026-W46"].moved
    assert (moved.domain, moved.before) == (OURS, 1.0)
    assert moved.sentence.startswith("\N{MINUS SIGN}")
    assert "more mail that looks like spoofing" in moved.sentence
    assert "less mail that looks like spoofing" in told[WEEK].moved[0].sentence


def test_a_reporter_that_fell_silent_is_told_once_though_weeks_later(world: World) -> None:
    usual(world, days(90))
    world.send(MAILER, days(90, 25), 60, dkim=MAILER_KEYS, spf=MAILER_PATH, reporters=("gmx.net",))
    weeks = ("2026-W45", "2026-W46", WEEK)
    told = [week for week in weeks if any(one.news.reporter == "gmx.net" for one in ask(world, week).changed)]
    assert len(told) == 1


def test_a_week_beside_the_week_before(world: World) -> None:
    usual(world, days(60))
    usual(world, days(3))
    world.send("198.18.7.9", days(2), 5, spf=(OURS, "fail"))
    [domain] = ask(world).domains
    assert (domain.messages, domain.messages_before) == (1218 + 4 * 3 * 58 + 45, 1218)
    assert domain.aligned == domain.messages - 45
    assert domain.not_aligned == {"unknown": 45}  # five a day from one machine: too few to call them forged
    assert domain.gates == 12


def test_a_week_that_has_something_to_do(world: World) -> None:
    lose_the_key(world, 14, 0)
    world.send("192.88.99.10", days(3), 20, spf=("b.crm.test", "pass"))
    answer = ask(world)
    assert answer.subject == "[Stop] example.com W47: Mailer stopped aligning as example.com on 8 Nov 2026"
    assert [source.name for source in answer.new_sources] == ["CRM"]
    assert "1 new source" in answer.headline


def test_a_drift_is_news_in_the_first_week_that_can_show_it_and_only_then(world: World) -> None:
    lose_the_key(world, 14, 0)  # from Sunday 8 November, the last day of week 45
    shown = {week: {drift.started_on for drift in ask(world, week).drifts} for week in ("2026-W45", "2026-W46", WEEK)}
    assert shown == {"2026-W45": set(), "2026-W46": {date(2026, 11, 8)}, WEEK: set()}


def test_a_loss_and_its_repair_are_each_told_in_one_week_alone(world: World) -> None:
    usual(world, days(110))
    world.send(MAILER, days(110, 75), 90, dkim=MAILER_KEYS, spf=MAILER_PATH)
    world.send(MAILER, days(74, 40), 90, dkim=((OURS, "m1", "fail"),), spf=MAILER_PATH)
    world.send(MAILER, days(39), 90, dkim=MAILER_KEYS, spf=MAILER_PATH)  # from 14 October, week 42
    weeks = [f"2026-W{week}" for week in (37, 38, 42, 43, 44, 47)]
    told = {week: {drift.started_on for drift in ask(world, week).drifts} for week in weeks}
    assert [week for week, found in told.items() if date(2026, 9, 9) in found] == ["2026-W37"]
    assert [week for week, found in told.items() if date(2026, 10, 14) in found] == ["2026-W42"]


def test_the_week_is_judged_as_of_its_end(world: World) -> None:
    usual(world, days(60))
    before = ask(world, "2026-W46")
    late = World(world.warehouse, world.identifier)
    late.policy[OURS] = Policy("reject")
    late.send("192.88.99.10", days(3), 500, spf=("b.crm.test", "pass"))
    assert ask(late, "2026-W46") == before
    assert ask(late, "2026-W46", today=TODAY + timedelta(days=365)) == before


def test_the_same_reports_give_the_same_page(world: World) -> None:
    lose_the_key(world, 14, 0)
    assert ask(world) == ask(world)


def test_no_week_means_the_last_that_is_over(world: World) -> None:
    usual(world, days(60))
    assert ask(world, "").week == WEEK
    assert ask(world, "", today=LAST).week == "2026-W46"


def test_a_week_that_is_not_over_is_not_complete(world: World) -> None:
    usual(world, days(60, 2))
    answer = ask(world, today=LAST - timedelta(days=1))
    assert (answer.complete, answer.verdict) == (False, "go")


def test_a_domain_that_only_a_clock_ahead_tells_of_is_no_trouble(world: World) -> None:
    usual(world, days(60))
    world.send(MAILER, [TODAY + timedelta(days=4)], domain="later.example", reporters=("wild clock",))
    assert [domain.domain for domain in ask(world, "2026-W48").domains] == [OURS]
    assert ask(world, "2026-W48", domains=("later.example",)).domains == ()


def test_only_the_domains_asked_for(world: World) -> None:
    usual(world, days(60))
    usual(world, days(60), domain="example.org")
    assert [domain.domain for domain in ask(world, domains=(OURS,)).domains] == [OURS]
    assert ask(world).subject == "[Go] 2 domains W47: nothing to do"


def test_silent_reporters_are_named_apart_from_sentences(world: World) -> None:
    usual(world, days(90))
    world.send(MAILER, days(90, 20), 60, dkim=MAILER_KEYS, spf=MAILER_PATH, reporters=("<b>gmx</b>",))
    answer = ask(world)
    assert answer.silent_reporters == ("<b>gmx</b>",)
    assert "gmx" not in answer.headline + answer.subject
    assert (answer.reporters, answer.usual_reporters) == (3, 4)


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("2026-W47", date(2026, 11, 16)),
        (" 2026w47 ", date(2026, 11, 16)),
        ("2026-W53", date(2026, 12, 28)),
        ("2027-W01", date(2027, 1, 4)),
    ],
)
def test_an_iso_week(text: str, first: date) -> None:
    assert iso_week(text) == (first, first + timedelta(days=6))


@pytest.mark.parametrize(
    "text", ["", "47", "2026-47", "2026-W00", "2026-W54", "2025-W53", "W47", "2026-W4x", "0000-W01"]
)
def test_what_is_no_iso_week_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(UsageError, match="2026-W47"):
        iso_week(text)


@pytest.mark.parametrize(
    ("today", "week"),
    [(date(2026, 11, 22), "2026-W46"), (date(2026, 11, 23), "2026-W47"), (date(2027, 1, 4), "2026-W53")],
)
def test_the_last_complete_week(today: date, week: str) -> None:
    assert last_complete_week(today) == week
