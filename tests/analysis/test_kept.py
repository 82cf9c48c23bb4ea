"""What is kept is never stale: whatever happens to a warehouse, it answers as one that keeps nothing."""

from __future__ import annotations

import random
import shutil
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from analysis import apart, keeping
from analysis.drift import Drift, drifts
from analysis.findings import findings
from analysis.genuine import LoneClaims
from analysis.kinds import by_kind
from analysis.news import news
from analysis.policy import Published
from analysis.readiness import readinesses
from analysis.reporters import Reporter
from analysis.searched import Searched
from analysis.settings import AnalysisSettings
from analysis.signing import inventory
from analysis.sources import Source, sources
from analysis.status import status
from analysis.weekly import weekly
from ingest.attestation import NOT_CHECKED, Attestation, Doubt, Grade
from tests.analysis.world import FORWARDER, LAST, MAILER, NOW, OFFICE, OURS, RELAY, World, days, usual
from warehouse import addresses, kept, melting, retention
from warehouse.address import Address
from warehouse.connect import Warehouse
from warehouse.scope import Scope
from warehouse.settings import RetentionSettings

SETTINGS = AnalysisSettings()
OTHER = "example.org"
MISMATCH = Attestation(Grade.MISMATCH, "evil.test", "s1", "another domain's", Doubt.MISMATCH)


def answers(warehouse: Warehouse, today: date) -> dict[str, Any]:
    """What people are told, of one domain and of all."""
    month = Scope((), today - timedelta(days=30), today - timedelta(days=1))
    one = Scope((OURS,), month.since, month.until)
    return {
        "one": sources(warehouse, one, today, SETTINGS.sources),
        "sources": sources(warehouse, month, today, SETTINGS.sources),
        "drifts": drifts(warehouse, month, SETTINGS.drift),
        "news": news(warehouse, month, today, SETTINGS),
        "status": status(warehouse, month, today, SETTINGS),
        "findings": findings(warehouse, month, today, SETTINGS),
        "first": findings(warehouse, one, today, SETTINGS),
        "readiness": readinesses(warehouse, {OURS: "reject"}, today, SETTINGS),
        "kinds": by_kind(warehouse, month, today, SETTINGS.sources).rows(),
        "kinds of one": by_kind(warehouse, one, today, SETTINGS.sources).rows(),
        "apart": apart.told(warehouse, drifts(warehouse, month, SETTINGS.drift), today, SETTINGS.sources),
        "selectors": inventory(warehouse, Scope(), today, SETTINGS),
    }


@dataclass
class Life:
    """What may happen to a warehouse, by chance."""

    world: World
    luck: random.Random
    today: date = LAST + timedelta(days=1)

    def load(self) -> None:
        """Another day's reports."""
        when = [self.today - timedelta(days=1)]
        usual(self.world, when, domain=self.luck.choice((OURS, OTHER)))
        broken = self.luck.random() < 0.5
        self.world.send(MAILER, when, 60, dkim=((OURS, "m1", "fail" if broken else "pass"),))
        self.world.save()

    def late(self) -> None:
        """A report of days ago, of a service that another domain has, too."""
        when = [LAST - timedelta(days=self.luck.randrange(5, 40))]
        reporter = f"late-{self.luck.randrange(99)}.test"
        self.world.send(FORWARDER, when, self.luck.randrange(1, 90), domain=self.luck.choice((OURS, OTHER)),
                        spf=("elsewhere.test", "pass"), reporters=[reporter])  # fmt: skip
        self.world.save(self.luck.choice((NOT_CHECKED, MISMATCH)))

    def decide(self) -> None:
        """A person's word, which may run out."""
        until = self.today + timedelta(days=1) if self.luck.random() < 0.5 else None
        with self.world.warehouse.reading() as connection:
            keys = connection.execute("SELECT DISTINCT source_key FROM daily WHERE domain = ? ORDER BY ALL", [OURS])
            key = self.luck.choice(keys.fetchall())[0]
        self.world.decide(key, self.luck.choice(("approved", "forwarder", "spoof", "retired")), until=until)

    def prune(self) -> None:
        """Old records go."""
        with self.world.warehouse.writing() as connection:
            retention.prune(connection, RetentionSettings(records_days=self.luck.randrange(10, 60)), NOW, sure=True)

    def melt(self) -> None:
        """Rollups are melted together, which changes no sum."""
        with self.world.warehouse.writing(reports=False) as connection:
            pieces = melting.due(connection, everything=True)
        melting.melt(self.world.warehouse, pieces)

    def rename(self) -> None:
        """DNS tells that an address is somebody else's."""
        ip = self.luck.choice((MAILER, OFFICE, RELAY, FORWARDER))
        known = Address(ip, f"ip:{ip}", f"Service {self.luck.randrange(9)}", self.luck.choice(("SaaS", "Web Host")))
        with self.world.warehouse.writing(reports=False) as connection:
            if connection.execute("SELECT 1 FROM address WHERE source_ip = ?", [ip]).fetchone():
                addresses.renew(connection, [known], NOW.replace(tzinfo=None))

    def sleep(self) -> None:
        """A day passes, and nothing comes."""
        self.today += timedelta(days=1)

    def live(self) -> None:
        """Let one thing happen."""
        self.luck.choice((self.load, self.late, self.decide, self.prune, self.melt, self.rename, self.sleep))()


@pytest.mark.parametrize("seed", range(3))
def test_what_is_kept_is_what_would_be_found(tmp_path: Path, seed: int) -> None:
    world = World.at(tmp_path)
    for domain in (OURS, OTHER):
        usual(world, days(45), domain=domain)
    world.send(FORWARDER, days(30), 4, dkim=((OURS, "m1", "pass"),), spf=("boxes.test", "pass"))
    world.save()
    life = Life(world, random.Random(seed))
    answers(world.warehouse, life.today)
    for step in range(6):
        life.live()
        copy = Warehouse(tmp_path / f"copy-{step}.duckdb", world.warehouse.settings, lingering=True)
        shutil.copy(world.warehouse.path, copy.path)
        assert answers(world.warehouse, life.today) == answers(copy, life.today)
        # Once more, now that all of it is kept.
        assert answers(world.warehouse, life.today) == answers(copy, life.today)


def test_the_weekly_summary_that_is_kept_is_what_would_be_found(tmp_path: Path) -> None:
    world = World.at(tmp_path)
    for domain in (OURS, OTHER):
        usual(world, days(40), domain=domain)
    life = Life(world, random.Random(7))
    for step, happens in enumerate((world.save, life.late, life.load)):
        happens()
        copy = Warehouse(tmp_path / f"copy-{step}.duckdb", world.warehouse.settings, lingering=True)
        shutil.copy(world.warehouse.path, copy.path)
        for domains in ((), (OURS,)):
            kept_one, fresh = (weekly(one, "", life.today, SETTINGS, domains) for one in (world.warehouse, copy))
            assert kept_one == fresh, (step, domains)


@pytest.fixture
def told(tmp_path: Path) -> Warehouse:
    world = World.at(tmp_path)
    usual(world, days(40))
    return world.save()


def found(warehouse: Warehouse) -> list[Source]:
    return sources(warehouse, Scope(), LAST, SETTINGS.sources)


def names(warehouse: Warehouse) -> set[str]:
    return {path.name for path in kept.folder_of(warehouse.path).iterdir()}


def test_a_decision_leaves_what_is_kept_and_a_report_does_not(tmp_path: Path) -> None:
    world = World.at(tmp_path)
    usual(world, days(40))
    warehouse = world.save()
    before = found(warehouse)
    files = names(warehouse)
    with warehouse.writing(reports=False):
        pass
    assert found(warehouse) == before
    assert names(warehouse) == files
    world.send(FORWARDER, days(1))
    world.save()
    assert len(found(warehouse)) == len(before) + 1
    # What is found anew takes the place of what is true no more; of another ground nothing is left.
    assert len(names(warehouse)) == len(files)
    with warehouse.writing():
        pass
    found(warehouse)
    assert not names(warehouse) & files


def test_another_program_answers_for_itself(told: Warehouse) -> None:
    with told.reading() as connection:
        ours = kept.place(connection, "a question")
        theirs = kept.place(connection, "a question", program=b"another")
    ours.store(b"an answer")
    assert ours.load() == b"an answer"
    assert theirs.load() is None


def test_what_is_damaged_or_cut_off_is_worked_out_again(told: Warehouse) -> None:
    before = found(told)
    for path in kept.folder_of(told.path).iterdir():
        data = path.read_bytes()
        path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    assert found(told) == before
    for path in kept.folder_of(told.path).iterdir():
        path.write_bytes(path.read_bytes()[:5])
    assert found(told) == before


def test_a_copy_brings_its_mark_along(told: Warehouse, tmp_path: Path) -> None:
    before = found(told)
    old = tmp_path / "old.duckdb"
    shutil.copy(told.path, old)
    with told.writing() as connection:
        connection.execute("UPDATE source_day SET messages = messages * 2")
    assert found(told) != before
    shutil.copy(old, told.path)
    assert found(told) == before


def test_where_nothing_can_be_kept_the_answer_is_the_same(told: Warehouse) -> None:
    before = found(told)
    shutil.rmtree(kept.folder_of(told.path))
    kept.folder_of(told.path).write_text("in the way")
    assert found(told) == before


def test_nothing_is_kept_or_looked_up_while_the_warehouse_is_written_to(told: Warehouse) -> None:
    with told.reading() as connection:
        assert kept.place(connection, "a question").folder == kept.folder_of(told.path)
    with told.writing() as connection:
        assert kept.place(connection, "a question").folder is None


def test_who_cannot_read_the_warehouse_cannot_read_what_is_kept(told: Warehouse) -> None:
    told.path.chmod(0o600)
    found(told)
    folder = kept.folder_of(told.path)
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}


def test_only_so_many_answers_are_kept(told: Warehouse) -> None:
    for number in range(9):
        with told.reading() as connection:
            place = kept.place(connection, "a question", number)
        place.store(b"an answer", most=5)
    assert len(names(told)) == 5
    assert place.load() == b"an answer"


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (list[Reporter], [Reporter("a", LAST, LAST, 1, 2, 0.1, usual=True, silent_since=None)]),
        (dict[str, Published], {OURS: Published("none", pct=3, since=LAST), OTHER: Published()}),
        (tuple[LoneClaims, ...], (LoneClaims(OURS, 1, 2, 3, LAST),)),
        (frozenset[date], frozenset(days(3))),
        (tuple[date | None], (None,)),
        (dict[str, datetime], {"asked": datetime(2026, 11, 24, 8, 30, 0, 250_000)}),  # noqa: DTZ001 - naive UTC
    ],
)
def test_values_come_back_as_they_were(told: Warehouse, kind: Any, value: object) -> None:
    with told.reading() as connection:
        place = kept.place(connection, "a question")
    keeping.keep(place, value)
    assert keeping.known(place, kind) == value


def test_a_drift_comes_back_as_it_was(tmp_path: Path) -> None:
    world = World.at(tmp_path)
    usual(world, days(60))
    world.send(MAILER, days(60, 21), 90, dkim=((OURS, "m1", "pass"),))
    world.send(MAILER, days(20), 90, dkim=((OURS, "m1", "fail"),))
    warehouse = world.save()
    first = drifts(warehouse, Scope(), SETTINGS.drift)
    assert first
    again = drifts(warehouse, Scope(), SETTINGS.drift)
    assert again == first
    assert all(isinstance(one, Drift) for one in again)


def test_only_sources_with_other_days_are_searched_again(told: Warehouse) -> None:
    asked = list[list[str]]()

    def ask(states: dict[str, str], day: date = LAST) -> dict[str, str]:
        memory = Searched(place, str)
        named = {(OURS, key): state for key, state in states.items()}
        asked.append([key for _, key in memory.left(named)])
        found = memory.updated(named, {source: named[source].upper() for source in memory.left(named)}, day)
        return {key: value for (_, key), value in found.items()}

    with told.reading() as connection:
        place = kept.place(connection, "searched", lasting=True)
    assert ask({"b": "one", "a": "one"}) == {"a": "ONE", "b": "ONE"}
    with told.writing():
        pass
    with told.reading() as connection:
        assert kept.place(connection, "searched", lasting=True) == place
        kept.place(connection, "another question").store(b"an answer")
    assert ask({"a": "one", "b": "two"}) == {"a": "ONE", "b": "TWO"}
    # Who asks about another time in between, or about a part, takes nothing away.
    week = LAST - timedelta(days=7)
    assert ask({"a": "zero"}, week) == {"a": "ZERO"}
    ask({"a": "one", "b": "two"})
    ask({"a": "zero"}, week)
    assert asked == [["b", "a"], ["b"], ["a"], [], []]
    # Two states are remembered, those that were asked about last.
    ask({"a": "three", "b": "two"})
    ask({"a": "one", "b": "two"})
    assert asked[-2:] == [["a"], ["a"]]
    ask({"a": "three", "b": "two"})
    assert asked[-1] == []
    # What nobody asked about for long is given up when something else is looked at.
    later = LAST + timedelta(days=40)
    ask({"a": "four"}, later)
    ask({"b": "two"}, later)
    assert asked[-2:] == [["a"], ["b"]]


@pytest.mark.parametrize("seed", range(2))
def test_days_pass_and_late_reports_revise_old_ones(tmp_path: Path, seed: int) -> None:
    luck = random.Random(seed)
    world = World.at(tmp_path)
    start = 16
    usual(world, days(100, start))
    broken = luck.randrange(5, 14)
    for day in days(100, start):
        world.send(
            RELAY, [day], luck.randrange(20, 60), domain=OURS, dkim=((OURS, "r", luck.choice(("pass", "fail"))),)
        )
    world.save()
    seen = set[int]()
    for back in range(start - 1, -1, -1):
        today = days(back, back)
        if luck.random() < 0.9:
            usual(world, today)
        result = "fail" if back <= broken else "pass"
        world.send(MAILER, today, 60, dkim=((OURS, "m1", result),))
        world.send(RELAY, today, luck.randrange(20, 60), dkim=((OURS, "r", luck.choice(("pass", "fail"))),))
        if luck.random() < 0.5:
            # Somebody tells of a day that was over long ago.
            old = [today[0] - timedelta(days=luck.randrange(3, 60))]
            world.send(OFFICE, old, luck.randrange(1, 200), dkim=((OURS, "office", luck.choice(("pass", "fail"))),),
                       reporters=[f"late-{back}.test"])  # fmt: skip
        world.save()
        copy = Warehouse(tmp_path / f"copy-{back}.duckdb", world.warehouse.settings, lingering=True)
        shutil.copy(world.warehouse.path, copy.path)
        scope = Scope((), None, today[0])
        told = drifts(world.warehouse, scope, SETTINGS.drift)
        assert told == drifts(copy, scope, SETTINGS.drift)
        seen.add(len(told))
        shutil.rmtree(kept.folder_of(copy.path))
        copy.path.unlink()
    assert seen > {0}
