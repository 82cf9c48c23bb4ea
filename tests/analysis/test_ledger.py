"""What a record would have refused: facts apart from forecasts, row by row, whatever the mode."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from analysis.backtest import backtest
from analysis.candidate import Candidate, parse
from analysis.ledger import Ledger, ledger
from analysis.settings import AnalysisSettings
from analysis.sources import sources
from ingest.errors import UsageError
from tests.analysis.world import LAST, MAILER, MAILER_PATH, OFFICE, OURS, RELAY, TODAY, Policy, World, days, usual
from warehouse.scope import Scope

SETTINGS = AnalysisSettings()
DAY = 3  # reporters that tell of each message sent in a world


def of(world: World, domain: str, wish: Candidate) -> Ledger:
    scope = Scope((domain,), LAST - timedelta(days=29), LAST)
    return ledger(world.warehouse, scope, wish, sources(world.warehouse, scope, TODAY, SETTINGS.sources))


def asked(world: World, record: str = "p=reject", **more: Any) -> Ledger:
    world.save()
    wish = replace(parse(record), **more)
    return of(world, OURS, wish)


def test_a_domain_in_order_loses_nothing(world: World) -> None:
    usual(world, days(40))
    found = asked(world)
    assert (found.entries, found.freed, found.days) == ((), 0, 30)
    assert found.messages == 30 * DAY * 58


def test_what_was_refused_is_a_fact_and_the_rest_a_forecast(world: World) -> None:
    usual(world, days(40))
    world.policy[OURS] = Policy("quarantine")
    world.send(MAILER, days(9), 40, spf=MAILER_PATH, disposition="quarantine")
    world.send(MAILER, days(9), 5, spf=MAILER_PATH)
    world.save()
    world.policy[OURS] = Policy("none")
    world.send(MAILER, days(29, 10), 42, spf=MAILER_PATH)
    world.send(MAILER, days(29, 10), 3, spf=MAILER_PATH, reason=("mailing_list", ""))
    [entry] = asked(world).entries
    count = entry.count
    assert (count.refused, count.let_through, count.open) == (10 * DAY * 40, 10 * DAY * 5 + 20 * DAY * 3, 20 * DAY * 42)
    assert count.failing == count.refused + count.let_through + count.open
    assert 0 < count.low < count.expected < count.high
    # Of 45 that failed under a policy, 40 were blocked: so many of the open ones are expected, give or take.
    assert count.expected == pytest.approx(20 * DAY * 42 * 40 / 45, rel=0.25)


def test_a_weaker_record_frees_what_was_refused(world: World) -> None:
    world.policy[OURS] = Policy("reject")
    usual(world, days(40))
    world.send(MAILER, days(9), 4, spf=MAILER_PATH, disposition="reject")
    found = asked(world, "p=none")
    assert (found.entries, found.freed) == ((), 10 * DAY * 4)


def test_names_below_are_under_sp_and_missing_ones_under_np(world: World) -> None:
    usual(world, days(40))
    for name in ("live.example.com", "ghost.example.com"):
        world.send(MAILER, days(9), 3, header_from=name, spf=MAILER_PATH)
    world.send(OFFICE, days(9), 1, header_from="live.example.com", dkim=(("live.example.com", "x", "pass"),))
    assert asked(world, "p=reject; sp=none").entries == ()
    assert asked(world, "p=none; sp=reject").entries[0].count.failing == 2 * 10 * DAY * 3
    [entry] = asked(world, "p=reject; sp=none; np=reject").entries
    assert (entry.count.failing, entry.count.unclear) == (10 * DAY * 3, 10 * DAY * 3)


def test_strict_modes_want_the_same_name(world: World) -> None:
    usual(world, days(40))
    world.send(RELAY, days(9), 7, dkim=(("mail.example.com", "own", "pass"),), spf=("bounce.example.com", "pass"))
    assert asked(world).entries == ()
    assert asked(world, "p=reject; adkim=s").entries == ()
    [entry] = asked(world, "p=reject; adkim=s; aspf=s").entries
    assert (entry.source_key, entry.count.failing) == ("net:198.51.100.0/24", 10 * DAY * 7)


def test_dkim_alone_and_without_an_include(world: World) -> None:
    usual(world, days(40))
    world.send(MAILER, days(9), 6, spf=(OURS, "pass"))
    assert asked(world).entries == ()
    for found in (asked(world, dkim_alone=True), asked(world, without_include="spf.mailer.test")):
        [entry] = found.entries
        assert (entry.source_key, entry.count.failing) == ("as:mailer.test", 10 * DAY * 6)
    with pytest.raises(UsageError, match="leads to no source"):
        asked(world, without_include="<b>nobody</b>.example")


def test_under_test_only_modern_receivers_ease_the_policy(world: World) -> None:
    usual(world, days(40))
    world.send(MAILER, days(9), 5, spf=MAILER_PATH)
    found = asked(world, "p=quarantine; t=y")  # this world's reporters write as RFC 7489 has it
    assert found.entries[0].count.failing == 10 * DAY * 5
    assert any("t=y" in note for note in found.notes)


def test_deep_names_may_differ_and_nobody_guesses(world: World) -> None:
    usual(world, days(40))
    world.send(OFFICE, days(9), 1, header_from="a.b.example.com", dkim=((OURS, "office", "pass"),))
    [name] = asked(world).deep_names
    assert (name.name, name.walk, name.found_at) == ("a.b.example.com", "may differ", None)


def test_an_unknown_domain_has_an_empty_ledger(world: World) -> None:
    usual(world, days(40))
    world.save()
    found = of(world, "exa'mple", parse("p=reject; adkim=s; np=none"))
    assert (found.entries, found.messages, found.since) == ((), 0, None)


def test_a_policy_change_is_an_experiment(world: World) -> None:
    usual(world, days(59, 20))
    world.send(MAILER, days(59, 20), 10, spf=MAILER_PATH)
    world.save()
    world.policy[OURS] = Policy("quarantine")
    usual(world, days(19))
    world.send(MAILER, days(19), 9, spf=MAILER_PATH, disposition="quarantine")
    world.send(MAILER, days(19), 1, spf=MAILER_PATH)
    world.save()
    found = backtest(world.warehouse, (), TODAY, SETTINGS)
    [experiment] = found.experiments
    assert (experiment.day, experiment.before, experiment.after) == (
        LAST - timedelta(days=19),
        "p=none",
        "p=quarantine",
    )
    [group, source] = experiment.compared
    assert (group.group, group.actual, source.name) == ("legitimate", 14 * DAY * 9, "Mailer")
    assert group.held
    assert source.held
    assert (found.held, found.ranges, found.skipped) == (1.0, 2, 0)


def test_no_change_no_experiment(world: World) -> None:
    usual(world, days(40))
    found = backtest(world.save(), (OURS,), TODAY, SETTINGS)
    assert (found.experiments, found.held, found.error) == ((), None, None)


def test_a_change_of_yesterday_is_too_young(world: World) -> None:
    usual(world, days(59, 3))
    world.save()
    world.policy[OURS] = Policy("reject")
    usual(world, days(2))
    found = backtest(world.save(), (OURS,), TODAY, SETTINGS)
    assert (found.experiments, found.skipped) == ((), 1)
