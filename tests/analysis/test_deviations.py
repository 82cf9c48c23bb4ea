"""What is seen against what was declared: rhythms, absences that nobody could see, mechanisms that broke."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest

from analysis.declared import Declared, Match, resolved
from analysis.deviations import Checked, Deviation, check
from analysis.settings import AnalysisSettings
from tests.analysis.world import LAST, OURS, REPORTERS, TODAY, World, days

MAILER, CRM, SCHOOL = "192.0.2.10", "192.88.99.10", "233.252.0.10"
SIGNED = [(OURS, "s1", "pass")]


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Half a year in which a mailer sends daily and all reporters report."""
    made = World.at(tmp_path)
    made.send(MAILER, days(180), 50, dkim=SIGNED, spf=(OURS, "pass"))
    return made


def approved(key: str, **more: object) -> Declared:
    return Declared(OURS, "approved", key, **more)  # type: ignore[arg-type]


def found(world: World, *declared: Declared, today: date = TODAY) -> dict[str, Deviation]:
    checked = run(world, *declared, today=today)
    return {one.source_key or one.label: one for one in checked.deviations}


def run(world: World, *declared: Declared, today: date = TODAY) -> Checked:
    return check(world.save(), [approved("as:mailer.test"), *declared], (), today, AnalysisSettings())


def test_all_as_declared_is_nothing(world: World) -> None:
    assert not found(world)


def test_who_sends_and_nobody_declared(world: World) -> None:
    world.send(SCHOOL, days(20), 10, dkim=[(OURS, "school", "pass")])
    one = found(world)["as:school.test"]
    assert (one.kind, one.messages, one.since) == ("undeclared", 630, days(20)[0])


@pytest.mark.parametrize(("cadence", "gone", "kind"), [
    ("weekly", 9, None), ("weekly", 20, "silent"), ("monthly", 30, None), ("monthly", 60, "silent"),
])  # fmt: skip
def test_silent_is_longer_than_the_cadence_allows(world: World, cadence: str, gone: int, kind: str | None) -> None:
    world.send(CRM, days(100, gone), 10, dkim=SIGNED)
    one = found(world, approved("as:crm.test", cadence=cadence)).get("as:crm.test")
    assert (one.kind if one else None) == kind


def test_never_seen_is_silent(world: World) -> None:
    assert found(world, approved("as:crm.test"))["as:crm.test"].kind == "silent"


def test_silent_reporters_make_nobody_silent(tmp_path: Path) -> None:
    # Only one reporter ever tells of the CRM, and that one has fallen silent altogether.
    world = World.at(tmp_path)
    world.send(MAILER, days(180), 50, dkim=SIGNED, reporters=REPORTERS[:2])
    world.send(MAILER, days(180, 30), 50, dkim=SIGNED, reporters=["gmx.net"])
    world.send(CRM, days(180, 30), 10, dkim=SIGNED, reporters=["gmx.net"])
    one = found(world, approved("as:crm.test", cadence="weekly"))["as:crm.test"]
    assert one.kind == "untold"
    assert "told of only" in one.sentence


def test_newest_days_that_are_missing_make_nobody_silent(world: World) -> None:
    world.send(CRM, days(100, 11), 10, dkim=SIGNED)
    # Eleven days to the newest one, but the last of them is still on its way.
    assert found(world, approved("as:crm.test", cadence="weekly"))["as:crm.test"].kind == "untold"


def month_ends(first: date, last: date) -> list[date]:
    every = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    return [day for day in every if (day + timedelta(days=1)).day == 1]


@pytest.mark.parametrize(("gone", "late"), [(20, False), (50, True)])
def test_a_month_end_sender_has_a_rhythm_and_is_late_by_it(world: World, gone: int, late: bool) -> None:
    world.send(CRM, month_ends(LAST - timedelta(days=180), LAST - timedelta(days=gone)), 30, dkim=SIGNED)
    one = found(world, approved("as:crm.test")).get("as:crm.test")
    assert (one.kind if one else "") == ("late" if late else "")
    assert not late or (one and "Sends monthly (4 intervals)" in one.sentence)


def test_late_says_on_how_many_intervals_it_rests(world: World) -> None:
    weekly = days(180)[:120:7]
    world.send(CRM, weekly, 30, dkim=SIGNED)
    one = found(world, approved("as:crm.test"))["as:crm.test"]
    assert (one.kind, one.intervals, one.since) == ("late", 17, weekly[-1] + timedelta(days=1))
    assert "Sends weekly (17 intervals)" in one.sentence


@pytest.mark.parametrize(
    "when", [days(180)[:60:20], [days(180)[n] for n in (0, 2, 3, 11, 12, 30, 31, 45, 80, 82, 99, 120)]]
)
def test_too_few_intervals_or_no_rhythm_is_never_late(world: World, when: list[date]) -> None:
    world.send(CRM, when, 30, dkim=SIGNED)
    assert not found(world, approved("as:crm.test"))


def test_broken_says_since_when(world: World) -> None:
    world.send(CRM, days(120, 20), 30, dkim=SIGNED, spf=(OURS, "pass"))
    world.send(CRM, days(19), 30, dkim=[(OURS, "s1", "fail")], spf=(OURS, "pass"))
    assert not found(world, approved("as:crm.test")), "SPF still aligns"
    one = found(world, approved("as:crm.test", expects="both"))["as:crm.test"]
    assert (one.kind, one.since) == ("broken", days(19)[0])
    assert "align by DKIM" in one.sentence


def test_what_never_aligned_has_no_day(world: World) -> None:
    world.send(CRM, days(60), 30, spf=("crm.test", "pass"))
    one = found(world, approved("as:crm.test"))["as:crm.test"]
    assert (one.kind, one.since) == ("broken", None)


def test_expired_and_returned(world: World) -> None:
    world.send(CRM, days(60), 30, dkim=SIGNED)
    assert found(world, approved("as:crm.test", until=TODAY - timedelta(days=1)))["as:crm.test"].kind == "expired"
    assert not found(world, approved("as:crm.test", until=TODAY))
    assert found(world, Declared(OURS, "retired", "as:crm.test"))["as:crm.test"].kind == "returned"
    assert found(world, Declared(OURS, "spoof", "as:crm.test"))["as:crm.test"].kind == "returned"


@pytest.mark.parametrize("match", [
    Match(service="crm"), Match(envelope_domain="crm.test"), Match(selector="S1", signing_domain="example.com"),
    Match(addresses=("192.88.99.0/24",)), Match(service="CRM", selector="s1", addresses=("192.88.99.10",)),
])  # fmt: skip
def test_a_match_means_most_of_a_sources_mail(tmp_path: Path, match: Match) -> None:
    world = World.at(tmp_path)
    world.send(MAILER, days(60), 50, dkim=[(OURS, "mailer", "pass")], spf=(OURS, "pass"))
    world.send(CRM, days(60), 30, dkim=SIGNED, spf=("crm.test", "pass"))
    # A forger names the same key and return path, and nothing passes.
    world.send(SCHOOL, days(60), 30, dkim=[(OURS, "s1", "fail")], spf=("crm.test", "fail"))
    with world.save().reading() as connection:
        assert resolved(connection, [Declared(OURS, "approved", match=match)]) == [("as:crm.test",)]


def test_no_reports_is_no_answer(tmp_path: Path) -> None:
    assert run(World.at(tmp_path)).newest is None
