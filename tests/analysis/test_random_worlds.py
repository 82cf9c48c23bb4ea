"""Worlds drawn at random, by other rules than the sample's: judgements must not hang on one author's taste.

The proportions, networks, volumes and habits differ from world to world. What is asked is modest: who
is sure is right, and mail of the owner's own is never called spoofing.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from analysis.settings import SourceSettings
from analysis.sources import Source, sources
from tests.analysis.world import OURS, REPORTERS, TODAY, World, days
from warehouse.scope import Scope

SEEDS = range(6)
WORDS = ("none", "fail", "softfail", "neutral", "permerror")


class Draw:
    """One world: what is sent, and what each source really is."""

    def __init__(self, world: World, seed: int) -> None:
        self.world, self.random = world, random.Random(seed)
        self.kinds: dict[str, str] = {}
        self.senders: list[tuple[tuple[tuple[str, str, str], ...], str]] = []

    def make(self) -> dict[str, str]:
        """Everything; returns the kind of each source by its key."""
        for n, kind in enumerate(self.random.choices(("both", "dkim", "spf"), (3, 3, 1), k=self.random.randint(2, 4))):
            self.own(n, kind)
        for n in range(self.random.randint(1, 3)):
            self.forwarder(n)
        for n in range(self.random.randint(20, 60)):
            self.bot(n)
        self.never_set_up()
        self.broken()
        return self.kinds

    def when(self, share: float = 0.9) -> list[date]:
        return [day for day in days(60) if self.random.random() < share]

    def own(self, n: int, kind: str) -> None:
        """A server of ours in some hoster's network."""
        keys = ((OURS, f"key{n}", "pass"),) if kind != "spf" else ()
        path = f"bounce{n}.{OURS}" if kind != "dkim" else f"b{n}.service{n}.test"
        self.senders.append((keys, path))
        self.kinds[f"net:198.51.{10 + n}.0/24"] = "aligned"
        self.world.send(f"198.51.{10 + n}.5", self.when(), self.random.randint(5, 60), dkim=keys, spf=(path, "pass"))

    def forwarder(self, n: int) -> None:
        """Passes on a little of everybody's mail; rewrites, keeps, or breaks it."""
        manner = self.random.choice(("rewrites", "keeps", "breaks"))
        self.kinds[f"net:100.64.{n}.0/24"] = "forwarded"
        for keys, path in self.senders:
            if not keys:
                continue
            broken = tuple((name, selector, "fail") for name, selector, _ in keys)
            self.world.send(
                f"100.64.{n}.5",
                self.when(0.6),
                self.random.randint(1, 3),
                dkim=broken if manner == "breaks" else keys,
                spf=(path, self.random.choice(WORDS[1:3])) if manner == "keeps" else (f"fwd{n}.test", "pass"),
                reason=("mailing_list", "") if manner == "breaks" and self.random.random() < 0.7 else None,
            )

    def bot(self, n: int) -> None:
        """Forges for some days, with whatever envelope."""
        first = self.random.randint(1, 50)
        envelope = self.random.choice((OURS, OURS, f"{self.random.getrandbits(32):x}.test"))
        self.kinds[f"net:198.18.{n}.0/24"] = "spoofing"
        self.world.send(
            f"198.18.{n}.{self.random.randint(1, 250)}",
            days(first, max(0, first - self.random.randint(0, 4))),
            self.random.randint(1, 12),
            dkim=((OURS, "default", "fail"),) if self.random.random() < 0.1 else (),
            spf=(envelope, self.random.choice(WORDS)),
            reporters=self.random.sample(REPORTERS, self.random.randint(1, 3)),
        )

    def never_set_up(self) -> None:
        """A service that a department uses without telling anybody."""
        self.kinds["as:crm.test"] = "misaligned"
        path = (self.random.choice(("b.crm.test", "crm-mail.test")), "pass")
        self.world.send(
            "192.88.99.5", self.when(0.7), self.random.randint(3, 40), dkim=(("crm.test", "c", "pass"),), spf=path
        )

    def broken(self) -> None:
        """A service that was in order, and is no longer."""
        self.kinds["as:mailer.test"] = "misaligned"
        turn = self.random.randint(15, 40)
        for when, result in ((days(60, turn), "pass"), (days(turn - 1), self.random.choice(("fail", "gone")))):
            keys = (("mailer.test", "m", "pass"), *(() if result == "gone" else ((OURS, "m", result),)))
            self.world.send("192.0.2.5", when, 10, dkim=keys, spf=("b.mailer.test", "pass"))


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Source, str]]:
    return [pair for seed in SEEDS for pair in judge(tmp_path_factory.mktemp(f"world{seed}"), seed)]


def judge(folder: Path, seed: int) -> Iterator[tuple[Source, str]]:
    world = World.at(folder)
    kinds = Draw(world, seed).make()
    for source in sources(world.save(), Scope(), TODAY, SourceSettings()):
        yield source, kinds[source.source_key]


def test_who_is_sure_is_right(judged: list[tuple[Source, str]]) -> None:
    sure = [(source, kind) for source, kind in judged if source.confidence >= 0.9]
    assert len(sure) > 0.6 * len(judged)
    assert sum(source.kind == kind for source, kind in sure) >= 0.97 * len(sure)


def test_own_mail_is_never_called_spoofing(judged: list[tuple[Source, str]]) -> None:
    assert not [source for source, kind in judged if kind in ("aligned", "misaligned") and source.kind == "spoofing"]


def test_each_kind_is_found(judged: list[tuple[Source, str]]) -> None:
    # A stranger whose mail looks like that of a server of ours is called misaligned, which asks and accuses nobody.
    bounds = (("aligned", 0.95, 0.9), ("misaligned", 0.9, 0.85), ("forwarded", 0.8, 0.9), ("spoofing", 0.8, 0.9))
    for kind, least, right in bounds:
        of_kind = [source for source, real in judged if real == kind]
        called = [real for source, real in judged if source.kind == kind]
        assert sum(source.kind == kind for source in of_kind) >= least * len(of_kind), kind
        assert sum(real == kind for real in called) >= right * len(called), kind
