"""Who is new, and who is gone?"""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from analysis.changes import Changes, changes
from analysis.policy import published, weaker
from analysis.settings import SourceSettings
from ingest.attestation import Attestation, Doubt, Grade
from tests.analysis.world import LAST, OURS, RELAY, TODAY, Policy, World, days, usual
from warehouse import reads
from warehouse.scope import Scope

OWN = ((OURS, "own", "pass"),)


def ask(world: World, until: date | None = None) -> Changes:
    world.save()
    return changes(world.warehouse, Scope((), None, until), TODAY, SourceSettings())


def test_nothing_changes_in_an_empty_warehouse(world: World) -> None:
    assert ask(world) == Changes((), ())


def test_a_new_service_is_told_of_and_a_new_bot_is_not(world: World) -> None:
    usual(world, days(40))
    world.send("192.88.99.10", days(3), 20, spf=("b.crm.test", "pass"))
    for n in range(30):
        world.send(f"198.18.{n}.9", days(2), 40, spf=(OURS, "softfail"))
    assert [source.source_key for source in ask(world).new] == ["as:crm.test"]


def test_a_report_in_doubt_of_long_ago_makes_a_new_source_no_old_one(world: World) -> None:
    usual(world, days(60))
    world.save()
    world.send("192.88.99.10", days(50, 50), 5, reporters=("forger.test",))
    world.save(Attestation(Grade.MISMATCH, "evil.test", "s1", "another domain's", Doubt.MISMATCH))
    world.send("192.88.99.10", days(3), 20, spf=("b.crm.test", "pass"))
    assert [source.source_key for source in ask(world).new] == ["as:crm.test"]


def test_a_handful_is_no_news(world: World) -> None:
    usual(world, days(40))
    world.send("192.88.99.10", days(0), 1, spf=("b.crm.test", "pass"))
    assert ask(world).new == ()


def test_a_server_that_was_switched_off_vanished(world: World) -> None:
    usual(world, days(60))
    world.send("198.51.103.10", days(60, 20), 9, dkim=OWN, spf=(OURS, "pass"))
    [gone] = ask(world).vanished
    assert (gone.source.source_key, gone.silent_days, gone.usual_pause) == ("net:198.51.103.0/24", 20, 1.0)


def test_a_monthly_newsletter_between_two_issues_did_not(world: World) -> None:
    usual(world, days(170))
    world.send("198.51.103.10", days(170)[::14][:-2], 90, dkim=OWN, spf=(OURS, "pass"))
    assert ask(world).vanished == ()


def test_what_one_reporter_alone_saw_may_be_that_reporters_silence(world: World) -> None:
    usual(world, days(60))
    world.send("198.51.103.10", days(60, 20), 9, dkim=OWN, spf=(OURS, "pass"), reporters=("gmx.net",))
    assert ask(world).vanished == ()


def test_a_spoofer_who_stops_is_not_missed_and_neither_is_what_was_retired(world: World) -> None:
    usual(world, days(60))
    for n in range(20):
        world.send(f"198.18.{n}.9", days(30, 26), 3, spf=(OURS, "softfail"))
    world.send("198.51.103.10", days(60, 20), 9, dkim=OWN, spf=(OURS, "pass"))
    world.save()
    world.decide("net:198.51.103.0/24", "retired")
    assert ask(world).vanished == ()


def test_changes_can_be_asked_for_as_of_a_day(world: World) -> None:
    usual(world, days(60))
    world.send("192.88.99.10", days(30), 20, spf=("b.crm.test", "pass"))
    assert ask(world).new == ()
    assert len(ask(world, days(27)[0]).new) == 1


def policy_of(world: World) -> pl.DataFrame:
    world.save()
    with world.warehouse.reading() as connection:
        return reads.policy_days(connection, Scope((OURS,)))


def test_the_policy_that_most_reports_show_counts(world: World) -> None:
    world.send(RELAY, days(20, 10), 1)
    world.policy[OURS] = Policy("reject", "none")
    world.send(RELAY, days(9), 1)
    world.policy[OURS] = Policy("quarantine")
    world.send(RELAY, days(9), 1, reporters=("one with an old cache",))
    policy = published(policy_of(world))
    assert policy is not None
    assert (policy.p, policy.sp, policy.before, policy.since) == ("reject", "none", "none", days(9)[0])


def test_no_report_no_policy(world: World) -> None:
    assert published(policy_of(world)) is None


def test_a_policy_left_out_is_none_and_never_changed(world: World) -> None:
    world.policy[OURS] = Policy(None)
    world.send(RELAY, days(9), 1)
    policy = published(policy_of(world))
    assert policy is not None
    assert (policy.p, policy.before, policy.since) == (None, "", days(9)[0])
    assert days(0) == [LAST]


@pytest.mark.parametrize(
    ("first", "second", "answer"),
    [("none", "reject", True), (None, "quarantine", True), ("reject", "quarantine", False), (None, None, False)],
)
def test_which_policy_is_weaker(first: str | None, second: str | None, answer: bool) -> None:
    assert weaker(first, second) is answer
