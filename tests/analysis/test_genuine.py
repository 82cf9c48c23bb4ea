"""A forged report changes no verdict, and is told of; a genuine one counts, whatever is forged in its name."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from analysis.changes import changes
from analysis.drift import drifts
from analysis.findings import findings
from analysis.genuine import excluded, genuineness
from analysis.readiness import readiness
from analysis.settings import AnalysisSettings
from analysis.sources import sources
from analysis.status import status
from analysis.weekly import weekly
from ingest.attestation import NOT_CHECKED, Attestation, Doubt, Grade
from tests.analysis.world import LAST, MAILER, OURS, REPORTERS, TODAY, World, days, usual
from warehouse import reads, reads_sources
from warehouse.connect import Warehouse
from warehouse.scope import Scope

SETTINGS = AnalysisSettings()
VERIFIED = Attestation(Grade.VERIFIED, "google.com", "s1", "valid")
MISMATCH = Attestation(Grade.MISMATCH, "evil.test", "s1", "another domain's", Doubt.MISMATCH)
UNSIGNED = Attestation(Grade.UNVERIFIED, status="no signature", doubt=Doubt.UNVERIFIED)
NO_ANSWER = Attestation(Grade.UNVERIFIED, "google.com", "s1", "temperror", Doubt.UNPROVABLE)
BOT = "198.18.0.66"


@pytest.fixture
def world(tmp_path: Path) -> World:
    found = World.at(tmp_path)
    usual(found, days(60))
    return found


def forge(
    world: World, attestation: Attestation, *, reporter: str = "evil.test", last: int = 1, domain: str = OURS
) -> Warehouse:
    """One report of 100,000 failing messages, by an unknown bot and by a known sender."""
    world.send(BOT, days(last, last), 100_000, domain=domain, reporters=[reporter])
    world.send(MAILER, days(last, last), 100_000, domain=domain, reporters=[reporter])
    return world.save(attestation)


def answers(warehouse: Warehouse) -> dict[str, Any]:
    """Every verdict there is."""
    scope = Scope((), LAST - timedelta(days=29), LAST)
    return {
        "sources": sources(warehouse, scope, TODAY, SETTINGS.sources),
        "changes": changes(warehouse, scope, TODAY, SETTINGS.sources),
        "drifts": drifts(warehouse, Scope(), SETTINGS.drift),
        "readiness": readiness(warehouse, OURS, "reject", TODAY, SETTINGS),
        "status": [(one.domain, one.verdict, one.messages, one.aligned, one.trend, one.sources) for one in
                   status(warehouse, scope, TODAY, SETTINGS).domains],
        "findings": [one for one in findings(warehouse, Scope(), TODAY, SETTINGS) if one.code != "reports_in_doubt"],
        "week": weekly(warehouse, "", TODAY, SETTINGS).domains,
    }  # fmt: skip


def in_doubt(warehouse: Warehouse) -> list[tuple[str, int]]:
    found = findings(warehouse, Scope(), TODAY, SETTINGS)
    return [(one.title, one.messages) for one in found if one.code == "reports_in_doubt"]


TOLD = [("200,000 messages of example.com claimed by one unverified reporter only", 200_000)]


@pytest.mark.parametrize("forged", [MISMATCH, UNSIGNED, NO_ANSWER])
def test_a_forged_reporter_changes_no_verdict_and_is_told_of(world: World, forged: Attestation) -> None:
    before = answers(world.save(VERIFIED))
    warehouse = forge(world, forged)
    assert answers(warehouse) == before
    # Of the known sender's day others tell as well: only the bot's claim stands alone.
    assert in_doubt(warehouse) == [("100,000 messages of example.com claimed by one unverified reporter only", 100_000)]


@pytest.mark.parametrize("forged", [MISMATCH, UNSIGNED])
def test_a_forgery_in_a_genuine_reporters_name_takes_nothing_of_its_own_along(
    world: World, forged: Attestation
) -> None:
    before = answers(world.save(VERIFIED))
    warehouse = forge(world, forged, reporter=REPORTERS[0])
    assert answers(warehouse) == before
    with warehouse.reading() as connection:
        assert excluded(connection) == ((REPORTERS[0], forged.doubt),)


def test_a_forged_day_of_tomorrow_makes_nothing_old(world: World) -> None:
    before = answers(world.save(VERIFIED))
    assert answers(forge(world, MISMATCH, last=-2)) == before


def test_a_domain_that_only_a_forger_knows_is_told_of_and_nothing_else(world: World) -> None:
    before = answers(world.save(VERIFIED))
    warehouse = forge(world, MISMATCH, domain="never.example")
    assert answers(warehouse) == before
    assert in_doubt(warehouse) == [(TOLD[0][0].replace(OURS, "never.example"), 200_000)]


def test_a_mismatch_is_left_out_beside_files_too(world: World) -> None:
    before = answers(world.save(NOT_CHECKED))
    assert answers(forge(world, MISMATCH)) == before


def test_unsigned_mail_counts_where_most_is_unsigned(world: World) -> None:
    world.save(UNSIGNED)
    warehouse = forge(world, UNSIGNED)
    assert not in_doubt(warehouse)
    with warehouse.reading() as connection:
        assert excluded(connection) == ()


def test_a_bad_day_of_a_proven_reporter_counts(world: World) -> None:
    world.save(VERIFIED)
    world.send(BOT, days(1, 1), 50, reporters=[REPORTERS[0]])
    warehouse = world.save(NO_ANSWER)
    with warehouse.reading() as connection:
        assert excluded(connection) == ()


def test_files_have_nothing_against_them(world: World) -> None:
    world.save(VERIFIED)
    warehouse = forge(world, NOT_CHECKED)
    assert not in_doubt(warehouse)
    with warehouse.reading() as connection:
        assert excluded(connection) == ()


def received(warehouse: Warehouse, over: int = 20) -> None:
    """Spread the receipt of all mail over some days."""
    with warehouse.writing() as connection:
        connection.execute(
            "UPDATE aggregate_report SET received_at = DATE '2026-11-01' + (report_key % ?)::INTEGER", [over]
        )


def test_a_flood_on_one_day_does_not_make_forgery_the_rule(world: World) -> None:
    before = answers(world.save(VERIFIED))
    received(world.warehouse)
    for number in range(100):
        for domain in (OURS, "a.example", "b.example"):
            world.send(BOT, days(1, 1), 1000, domain=domain, reporters=[f"flood{number}.test"])
    warehouse = world.save(UNSIGNED)
    assert answers(warehouse) == before


def test_where_something_on_the_way_signs_all_mail_anew_nothing_is_left_out(world: World) -> None:
    received(world.save(MISMATCH))
    with world.warehouse.reading() as connection:
        assert excluded(connection) == ()
    assert len(sources(world.warehouse, Scope(), TODAY, SETTINGS.sources)) == 3


@pytest.mark.parametrize(
    ("read", "rows"),
    [
        (reads.daily_alignment, 61),
        (reads.source_days, 61 * 9),
        (reads_sources.source_addresses, 3),
        (reads.policy_days, 61),
        (reads.reporter_days, 183),
    ],
)
def test_every_read_leaves_out_what_the_scope_does(world: World, read: Callable[..., Any], rows: int) -> None:
    world.save(VERIFIED)
    warehouse = forge(world, MISMATCH)
    with warehouse.reading() as connection:
        without = excluded(connection)
        assert read(connection, Scope(without=without)).height == rows
        assert reads_sources.first_seen(connection, Scope(without=without)).height == 3
        assert reads_sources.first_seen(connection, Scope()).height == 4


def test_reporters_with_their_grades(world: World) -> None:
    world.save(VERIFIED)
    forge(world, MISMATCH)
    warehouse = forge(world, UNSIGNED, reporter=REPORTERS[1])
    with warehouse.reading() as connection:
        found = {one.reporter: one for one in genuineness(connection, Scope())}
    assert [one.reporter for one in found.values()][:2] == [REPORTERS[1], "evil.test"]
    evil, known = found["evil.test"], found[REPORTERS[1]]
    assert (evil.grade, evil.attested_by, evil.reports, evil.left_out) == ("mismatch", ("evil.test",), 1, 200_000)
    assert (known.grade, known.attested_by, known.left_out) == ("verified", ("google.com",), 200_000)
    assert (found[REPORTERS[0]].left_out, found[REPORTERS[0]].last_day) == (0, LAST)
    assert sum(one.share for one in found.values()) == pytest.approx(1)
