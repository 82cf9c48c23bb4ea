"""How does each domain stand? One line a domain."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from analysis.settings import AnalysisSettings
from analysis.status import Status, status
from tests.analysis.world import LAST, MAILER, OURS, TODAY, Policy, World, days, usual
from warehouse.scope import Scope

SETTINGS = AnalysisSettings()


def ask(world: World, scope: Scope | None = None, targets: dict[str, str] | None = None) -> Status:
    world.save()
    return status(world.warehouse, scope or Scope(), TODAY, SETTINGS, targets)


def test_an_empty_warehouse_has_an_empty_status(world: World) -> None:
    assert ask(world) == Status((), None, 0, 0, 0, None)


def test_a_domain_in_order(world: World) -> None:
    usual(world, days(40))
    answer = ask(world, Scope((OURS,), LAST - timedelta(days=29), LAST))
    [line] = answer.domains
    assert (line.domain, line.policy, line.target, line.verdict) == (OURS, "none", "quarantine", "go")
    assert (line.messages, line.aligned, line.sources, line.reporters) == (5220, 5220, 3, 3)
    assert (line.undecided, line.new_sources, line.top_issue, line.owner) == (0, 0, "", None)
    assert line.trend == (1.0,) * 30
    assert (answer.data_until, answer.reporters, answer.usual_reporters) == (LAST, 3, 3)


@pytest.mark.parametrize("off", [-400, -1, 1, 400, 3650])
def test_a_clock_that_is_wrong_changes_no_number(world: World, off: int) -> None:
    usual(world, days(40))
    scope = Scope((OURS,), LAST - timedelta(days=29), LAST)
    right = ask(world, scope)
    wrong = status(world.warehouse, scope, TODAY + timedelta(days=off), SETTINGS)
    assert (wrong.data_until, wrong.reporters, wrong.usual_reporters) == (LAST, 3, 3)
    [line], [told] = right.domains, wrong.domains
    judged = {"verdict": told.verdict, "top_issue": told.top_issue}
    assert told == replace(line, **judged)
    # Old data is no ground to go on; a clock that is behind makes none of it old.
    assert told.verdict == ("unknown" if off > 100 else "go")


def test_days_without_reports_are_holes_in_the_trend_and_not_zero(world: World) -> None:
    usual(world, [*days(9, 8), *days(1)])
    [line] = ask(world, Scope((), LAST - timedelta(days=9), LAST)).domains
    assert line.trend == (1.0, 1.0, *(None,) * 6, 1.0, 1.0)


def test_the_largest_domain_comes_first_and_targets_can_be_set(world: World) -> None:
    usual(world, days(40), domain="example.org")
    usual(world, days(40))
    usual(world, days(40))
    world.policy["example.org"] = Policy("reject")
    answer = ask(world, targets={"example.org": "reject"})
    assert [(line.domain, line.target) for line in answer.domains] == [(OURS, "quarantine"), ("example.org", "reject")]


def test_the_top_issue_is_the_first_finding_with_its_owner(world: World) -> None:
    usual(world, days(40))
    world.send("192.88.99.10", days(20), 20, spf=("b.crm.test", "pass"))
    world.save()
    world.decide("as:crm.test", "approved", owner="Sales")
    [line] = ask(world).domains
    assert (line.top_issue, line.owner) == ("CRM sends as example.com without aligning", "Sales")
    assert line.verdict == "stop"


def test_a_scope_before_all_reports_is_empty_and_no_trouble(world: World) -> None:
    usual(world, days(5))
    answer = ask(world, Scope((), date(2020, 1, 1), date(2020, 2, 1)))
    assert answer.domains == ()


def test_a_domain_that_only_a_clock_ahead_tells_of_is_no_trouble(world: World) -> None:
    usual(world, days(40))
    world.send(MAILER, [LAST + timedelta(days=200)], domain="later.example", reporters=("wild clock",))
    for scope in (Scope(), Scope((), LAST - timedelta(days=29), LAST + timedelta(days=300))):
        assert [line.domain for line in ask(world, scope).domains] == [OURS]
    assert ask(world, Scope(("later.example",))).domains == ()


def test_one_report_is_no_trouble(world: World) -> None:
    usual(world, days(0))
    [line] = ask(world).domains
    assert (line.verdict, line.trend) == ("unknown", (1.0,))
