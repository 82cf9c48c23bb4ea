"""Reports about one domain leave what is kept about the others, as far as it does not rest on them too."""

from __future__ import annotations

import hashlib
import random
import shutil
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

import pytest

from analysis import apart
from analysis.below import below
from analysis.candidate import Candidate
from analysis.drift import drifts
from analysis.findings import findings
from analysis.kinds import by_kind
from analysis.ledger import ledger
from analysis.news import news
from analysis.readiness import readinesses
from analysis.settings import AnalysisSettings
from analysis.signing import inventory
from analysis.sources import sources
from analysis.status import status
from analysis.weekly import weekly
from ingest.attestation import NOT_CHECKED, Attestation, Doubt, Grade
from ingest.probes.answer import Answer, Status
from ingest.probes.blocklists import Listing
from tests.analysis.world import FORWARDER, LAST, MAILER, NOW, OFFICE, OURS, RELAY, World, days, usual
from warehouse import addresses, blocklists, dns, kept, lookups, marks
from warehouse.address import Address
from warehouse.connect import Warehouse
from warehouse.decisions import SourceDecision, decide
from warehouse.scope import Scope

SETTINGS: Final = AnalysisSettings()
DOMAINS: Final = (OURS, "example.org", "example.net")
MISMATCH: Final = Attestation(Grade.MISMATCH, "evil.test", "s1", "another domain's", Doubt.MISMATCH)
TODAY: Final = LAST + timedelta(days=1)


def answers(warehouse: Warehouse, domain: str, today: date = TODAY) -> dict[str, Any]:
    """What people are told of one domain."""
    month = Scope((domain,), today - timedelta(days=30), today - timedelta(days=1))
    found = sources(warehouse, month, today, SETTINGS.sources)
    return {
        "sources": found,
        "drifts": drifts(warehouse, month, SETTINGS.drift),
        "news": news(warehouse, month, today, SETTINGS),
        "all news": news(warehouse, Scope((domain,)), today, SETTINGS),
        "status": status(warehouse, month, today, SETTINGS),
        "findings": findings(warehouse, Scope((domain,)), today, SETTINGS),
        "readiness": readinesses(warehouse, {domain: "reject"}, today, SETTINGS),
        "kinds": by_kind(warehouse, month, today, SETTINGS.sources).rows(),
        "ledger": ledger(warehouse, month, Candidate("reject"), found),
        "below": below(warehouse, month, Candidate("reject", np="none"), found, today, SETTINGS.sources),
        "apart": apart.told(warehouse, drifts(warehouse, month, SETTINGS.drift), today, SETTINGS.sources),
        "selectors": inventory(warehouse, Scope((domain,)), today, SETTINGS),
    }


@dataclass
class Life:
    """What may happen to a warehouse of several domains, by chance."""

    world: World
    luck: random.Random
    hour: int = 0

    @property
    def domain(self) -> str:
        """Any of them."""
        return self.luck.choice(DOMAINS)

    def load(self) -> None:
        """Reports about one domain, some of them on a day that nobody told of yet."""
        when = [LAST - timedelta(days=self.luck.choice((0, 0, 1, 30)))]
        usual(self.world, when, domain=self.domain)
        self.world.send(MAILER, when, self.luck.choice((1, 60)), domain=self.domain, reporters=[self.reporter])
        self.world.save()

    @property
    def reporter(self) -> str:
        """One that is heard every day, or that never was."""
        return self.luck.choice(("google.com", "gmx.net", f"late-{self.luck.randrange(9)}.test"))

    def elsewhere(self) -> None:
        """What others have allowed tells of a server that all use."""
        domain = self.domain
        self.world.send(RELAY, [LAST - timedelta(days=3)], self.luck.choice((1, 15, 90)), domain=domain,
                        spf=(domain, "pass"), reporters=[self.reporter])  # fmt: skip
        self.world.save()

    def neighbour(self) -> None:
        """A new address of an operator that all use; of some, another country is the commonest then."""
        ip = f"{self.luck.choice(('192.0.2.', '198.51.100.', '203.0.113.'))}{self.luck.randrange(11, 99)}"
        self.world.send(ip, days(3), self.luck.randrange(1, 40), domain=self.domain)
        self.world.save()

    def doubt(self) -> None:
        """A report that somebody else vouches for."""
        self.world.send(FORWARDER, [LAST], 30, domain=self.domain, reporters=[self.reporter])
        self.world.save(self.luck.choice((NOT_CHECKED, MISMATCH)))

    def decide(self) -> None:
        """A person's word."""
        word = self.luck.choice(("approved", "forwarder", "spoof", "retired"))
        with self.world.warehouse.writing(reports=False) as connection:
            rows = connection.execute("SELECT DISTINCT domain, source_key FROM daily ORDER BY ALL").fetchall()
            decide(connection, SourceDecision(*self.luck.choice(rows), word, "ada"), NOW)

    def rename(self) -> None:
        """DNS tells that an address is somebody else's, or what it is called."""
        ip = self.luck.choice((MAILER, OFFICE, RELAY, FORWARDER))
        kind = self.luck.choice(("SaaS", "Web Host"))
        known = Address(
            ip, f"ip:{ip}", f"Service {self.luck.randrange(3)}", kind, ptr="mx.example.org", ptr_confirmed=True
        )
        with self.world.warehouse.writing(reports=False) as connection:
            if connection.execute("SELECT 1 FROM address WHERE source_ip = ?", [ip]).fetchone():
                addresses.renew(connection, [known], NOW.replace(tzinfo=None))

    def look(self) -> None:
        """DNS is asked for what one domain publishes."""
        self.hour += 1
        at, domain = NOW + timedelta(hours=self.hour), self.domain
        spf = Answer(domain, "TXT", Status.VALUE, (f"v=spf1 ip4:{self.luck.choice((MAILER, RELAY))} -all",))
        policy = Answer(
            f"_dmarc.{domain}", "TXT", Status.VALUE, (f"v=DMARC1; p={self.luck.choice(('none', 'reject'))}",)
        )
        with self.world.warehouse.writing(reports=False) as connection:
            dns.keep(connection, [(domain, spf)], at)
            lookups.keep(connection, [policy], at)

    def list(self) -> None:
        """A blocklist is asked for an address."""
        self.hour += 1
        codes = self.luck.choice(((), ("127.0.0.2",)))
        listing = Listing(self.luck.choice((FORWARDER, RELAY)), "lists.test", codes)
        with self.world.warehouse.writing(reports=False) as connection:
            blocklists.keep(connection, [], [listing], NOW + timedelta(hours=self.hour))

    def live(self) -> None:
        """Let one thing happen."""
        self.luck.choice(
            (self.load, self.elsewhere, self.neighbour, self.doubt, self.decide, self.rename, self.look, self.list)
        )()


def lived(folder: Path) -> World:
    """Three domains that share all senders."""
    world = World.at(folder)
    for domain in DOMAINS:
        usual(world, days(40, 1), domain=domain)
        world.send(FORWARDER, days(25, 1), 4, domain=domain, dkim=((domain, "m1", "pass"),), spf=("boxes.test", "pass"))
    world.save()
    return world


@pytest.mark.parametrize("seed", range(2))
def test_what_is_kept_of_one_domain_is_what_would_be_found(tmp_path: Path, seed: int) -> None:
    world = lived(tmp_path)
    life = Life(world, random.Random(seed))
    for domain in DOMAINS:
        answers(world.warehouse, domain)
    for step in range(4):
        for _ in range(2):
            life.live()
        copy = Warehouse(tmp_path / f"copy-{step}.duckdb", world.warehouse.settings, lingering=True)
        shutil.copy(world.warehouse.path, copy.path)
        for domain in DOMAINS:
            assert answers(world.warehouse, domain) == answers(copy, domain), (step, domain)
        shutil.rmtree(kept.folder_of(copy.path))


def test_the_weekly_summary_of_one_domain_that_is_kept_is_what_would_be_found(tmp_path: Path) -> None:
    world = lived(tmp_path)
    life = Life(world, random.Random(3))
    first, second, _ = DOMAINS

    def silent() -> None:
        # One that told of the first domain alone is heard of the second, too, and then no more.
        world.send(MAILER, days(39, 20), 20, domain=first, reporters=["late-1.test"])
        world.send(MAILER, days(30, 25), 20, domain=second, reporters=["late-1.test"])
        world.save()

    for step, happens in enumerate((silent, life.elsewhere, life.load)):
        happens()
        copy = Warehouse(tmp_path / f"copy-{step}.duckdb", world.warehouse.settings, lingering=True)
        shutil.copy(world.warehouse.path, copy.path)
        for domain in (first, second):
            found, fresh = (weekly(one, "", TODAY, SETTINGS, (domain,)) for one in (world.warehouse, copy))
            assert found == fresh, (step, domain)


def written(warehouse: Warehouse) -> dict[str, tuple[int, bytes]]:
    """When each thing was kept, and of which state."""
    files = list(kept.folder_of(warehouse.path).iterdir())
    return {one.name: (one.stat().st_mtime_ns, one.read_bytes()[: kept.DIGEST]) for one in files}


def states(warehouse: Warehouse, domain: str, before: dict[str, tuple[int, bytes]]) -> tuple[int, int, int]:
    """How much was worked out since then: of all reports, of those of one domain, and of any others."""
    with warehouse.reading() as connection:
        known = marks.read(connection)
    every, own = (hashlib.blake2b(known.of(part).encode(), digest_size=16).digest() for part in ((), (domain,)))
    found = [one[1] for name, one in written(warehouse).items() if before.get(name) != one]
    return found.count(every), found.count(own), sum(one not in (every, own) for one in found)


def test_what_came_for_another_domain_leaves_all_answers(tmp_path: Path) -> None:
    world = lived(tmp_path)
    first, second, _ = DOMAINS
    told = {domain: answers(world.warehouse, domain) for domain in (first, second)}
    week = weekly(world.warehouse, "", TODAY, SETTINGS, (second,))
    before = written(world.warehouse)
    world.send(MAILER, days(9, 9), 3, domain=first, reporters=["google.com"])
    world.save()
    assert answers(world.warehouse, second) == told[second]
    assert weekly(world.warehouse, "", TODAY, SETTINGS, (second,)) == week
    everything, own, others = states(world.warehouse, second, before)
    assert everything > 0
    assert (own, others) == (0, 0)
    # Once more, and nothing at all has to be worked out.
    before = written(world.warehouse)
    answers(world.warehouse, second)
    assert written(world.warehouse) == before
    assert answers(world.warehouse, first) != told[first]
    assert states(world.warehouse, first, before)[1] >= 10


def test_what_came_for_another_domain_and_tells_of_this_one_counts(tmp_path: Path) -> None:
    world = lived(tmp_path)
    first, second, _ = DOMAINS
    answers(world.warehouse, second)
    before = written(world.warehouse)
    # Nobody had told of this day before.
    usual(world, days(0), domain=first)
    world.save()
    answers(world.warehouse, second)
    assert states(world.warehouse, second, before)[1] > 0
