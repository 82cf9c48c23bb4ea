"""The inventory of selectors: whose, working or not, and which may go."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from analysis.declared import Declared, Match
from analysis.settings import AnalysisSettings
from analysis.signing import CLAIMED, Inventory, Selector, inventory
from tests.analysis.world import LAST, OURS, REPORTERS, TODAY, World, days
from warehouse.scope import Scope

MAILER, CRM, RENTED = "192.0.2.10", "192.88.99.10", "198.51.100.10"


def looked_at(world: World, *declared: Declared) -> Inventory:
    return inventory(world.save(), Scope(), TODAY, AnalysisSettings(), declared)


def by_name(world: World, *declared: Declared) -> dict[str, Selector]:
    return {one.selector: one for one in looked_at(world, *declared).selectors}


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World.at(tmp_path)
    made.send(MAILER, days(170), 50, dkim=[(OURS, "s1", "pass")], spf=(OURS, "pass"))
    return made


def test_a_key_that_works(world: World) -> None:
    one = by_name(world)["s1"]
    assert (one.states, one.first_seen, one.last_seen, one.passed) == (("used",), days(170)[0], LAST, one.messages)
    assert [use.source_key for use in one.uses] == ["as:mailer.test"]
    assert one.published is None, "nobody asked DNS"


def test_a_key_that_may_go_says_since_when(world: World) -> None:
    world.send(CRM, days(170, 60), 50, dkim=[(OURS, "old", "pass")], spf=(OURS, "pass"))
    world.send(CRM, days(59), 50, dkim=[(OURS, "new", "pass")], spf=(OURS, "pass"))
    # A forger who names it keeps nobody from withdrawing it.
    world.send(RENTED, days(5), 50, dkim=[(OURS, "old", "fail")])
    found = looked_at(world)
    old = next(one for one in found.selectors if one.selector == "old")
    assert (old.states[0], old.removable_since) == ("unused", days(60)[0] + timedelta(days=31))
    assert [(turn.selector, turn.rotated) for turn in found.rotations] == [("new", True)]


def test_a_key_that_its_sender_misses_may_not_go(world: World) -> None:
    world.send(CRM, days(170, 60), 50, dkim=[(OURS, "old", "pass")])
    world.send(CRM, days(59), 50, spf=("crm.test", "pass"))
    one = by_name(world)["old"]
    assert (one.states[0], one.removable_since, one.failing_since) == ("ghost", None, days(59)[0])


def test_nobody_says_that_a_key_may_go_while_its_reporters_are_away(tmp_path: Path) -> None:
    world = World.at(tmp_path)
    world.send(MAILER, days(170), 50, dkim=[(OURS, "s1", "pass")], reporters=REPORTERS[:2])
    world.send(MAILER, days(170, 60), 50, dkim=[(OURS, "s1", "pass")], reporters=["gmx.net"])
    world.send(CRM, days(170, 60), 50, dkim=[(OURS, "old", "pass")], reporters=["gmx.net"])
    assert by_name(world)["old"].removable_since is None


def test_a_ghost_has_no_key(world: World) -> None:
    world.send(CRM, days(170, 20), 50, dkim=[(OURS, "gone", "pass")], spf=(OURS, "pass"))
    world.send(CRM, days(19), 50, dkim=[(OURS, "gone", "permerror")], spf=(OURS, "pass"))
    one = by_name(world)["gone"]
    assert (one.states[0], one.failing_since, one.keyless) == ("ghost", days(19)[0], 20 * 50 * 3)


def test_what_strangers_claim_is_no_ghost_and_a_handful_is_not_listed(world: World) -> None:
    world.send(RENTED, days(30), 50, dkim=[(OURS, "invented", "fail")])
    world.send(RENTED, days(0), 1, dkim=[(OURS, "once", "fail")])
    world.save()
    world.decide("net:198.51.100.0/24", "spoof")
    found = looked_at(world)
    assert {one.selector: one.states for one in found.selectors} == {"s1": ("used",), "invented": ("claimed",)}
    assert found.invented == 1


def test_whoever_forges_fills_no_list_and_hides_no_ghost(world: World) -> None:
    for number in range(CLAIMED + 5):
        world.send(RENTED, days(0), 50 + number, dkim=[(OURS, f"made{number}", "fail")])
    world.send(MAILER, days(20), 1, dkim=[(OURS, "mine", "permerror")], spf=(OURS, "pass"))
    world.save()
    world.decide("net:198.51.100.0/24", "spoof")
    found = looked_at(world)
    claimed = [one for one in found.selectors if not one.passed]
    assert (len(claimed), found.unlisted, found.invented) == (CLAIMED, 6, 0)
    assert {one.selector: one.states[0] for one in claimed}["mine"] == "ghost"
    assert {"s1", f"made{CLAIMED + 4}"} <= {one.selector for one in found.selectors}


def test_one_key_of_two_senders_is_shared(world: World) -> None:
    world.send(CRM, days(170), 50, dkim=[(OURS, "s1", "pass")], spf=(OURS, "pass"))
    assert by_name(world)["s1"].states == ("shared", "used")


def test_declared_and_not_seen_is_an_orphan(world: World) -> None:
    match = Match(signing_domain=OURS, selector="s9")
    found = by_name(world, Declared(OURS, "approved", match=match), Declared(OURS, "approved", "as:mailer.test"))
    assert (found["s9"].states, found["s9"].last_seen) == (("orphan",), None)
    assert set(found) == {"s1", "s9"}


def test_no_reports(tmp_path: Path) -> None:
    assert looked_at(World.at(tmp_path)).newest is None
