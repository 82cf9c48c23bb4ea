"""Where the tree walk and the Public Suffix List differ: mail of a world, against the DNS of a real name server."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from analysis.candidate import parse
from analysis.ledger import Ledger, ledger
from analysis.settings import AnalysisSettings
from analysis.sources import sources
from analysis.tree import Tree, due, tree_of
from analysis.two_rules import Name, Place, TwoRules
from app.looking import Looked, ask_dns, ask_records
from ingest.settings import ResolverSettings
from tests.analysis.world import LAST, MAILER, NOW, OFFICE, RELAY, TODAY, World, days, usual
from tests.servers.dovecot import free_port
from tests.servers.nsd import Nsd
from warehouse import lookups
from warehouse.scope import Scope

pytestmark = pytest.mark.server

SETTINGS = AnalysisSettings()
REJECT = "p=reject"
# Suffixes with records and without: of github.io the list says that it is one, DNS does not.
ZONES = {
    "com": "",
    "io": "",
    "bank": '_dmarc TXT "v=DMARC1; p=none; psd=y"\n',
    "github.io": '_dmarc TXT "v=DMARC1; p=none"\n_dmarc.shop TXT "v=DMARC1; p=none"\n',
    "example.com": """
@ A 192.0.2.1
_dmarc TXT "v=DMARC1; p=none"
_dmarc.unit TXT "v=DMARC1; p=none; psd=n; sp=quarantine; adkim=s"
a.unit A 192.0.2.1
_dmarc.middle TXT "v=DMARC1; p=reject"
x.middle A 192.0.2.1
live A 192.0.2.1
l3.l4.l5.l6.l7.l8 A 192.0.2.1
""",
    "own.bank": '_dmarc TXT "v=DMARC1; p=none"\n',
    "bare.com": '_dmarc.sub TXT "v=DMARC1; p=none"\n',
}


@pytest.fixture(scope="module")
def nsd() -> Iterator[Nsd]:
    server = Nsd(ZONES)
    server.start()
    yield server
    server.remove()


@pytest.fixture
def resolver(nsd: Nsd) -> ResolverSettings:
    return ResolverSettings(nameservers=("127.0.0.1",), port=nsd.port, timeout=2, lifetime=20)


def scope_of(domain: str) -> Scope:
    return Scope((domain,), LAST - timedelta(days=29), LAST)


def asked(world: World, domain: str, settings: ResolverSettings) -> Looked:
    return ask_dns(world.save(), scope_of(domain), settings, NOW)


def told(world: World, domain: str, record: str = REJECT, tree: Tree | None = None) -> Ledger:
    scope = scope_of(domain)
    found = sources(world.warehouse, scope, TODAY, SETTINGS.sources)
    return ledger(world.warehouse, scope, parse(record), found, tree)


def rules(found: Ledger) -> TwoRules:
    assert found.two_rules is not None
    return found.two_rules


def name_of(found: TwoRules, name: str) -> Name:
    [one] = [one for one in found.names if one.name == name]
    return one


def test_nothing_differs_where_nothing_was_asked(world: World) -> None:
    usual(world, days(40))
    world.save()
    assert told(world, "example.com").two_rules is None


def test_an_ordinary_domain_is_judged_alike(world: World, resolver: ResolverSettings) -> None:
    usual(world, days(40))
    looked = asked(world, "example.com", resolver)
    assert (looked.unanswered, looked.unkept) == (0, "")
    found = rules(told(world, "example.com"))
    assert (found.names, found.sources, found.unknown, found.walked) == ((), (), 0, 1)
    assert {(one.rule, one.told) for one in found.receivers} == {("psl", False)}


def test_below_psd_n_stands_another_organization(world: World, resolver: ResolverSettings) -> None:
    """A unit that ends the walk: mail in its name with our key fails at those that walk, and its own record applies."""
    world.walkers = frozenset({"google.com"})
    usual(world, days(40))
    world.send(MAILER, days(9), 5, header_from="a.unit.example.com", dkim=(("example.com", "m1", "pass"),))
    asked(world, "example.com", resolver)
    found = told(world, "example.com")
    name = name_of(rules(found), "a.unit.example.com")
    assert name.psl == Place("example.com", "example.com", "reject")
    assert name.treewalk == Place("unit.example.com", "unit.example.com", "quarantine")
    [source] = rules(found).sources
    # Of 5 a day at three receivers, one of which walks: there alone it is not aligned, and sp=quarantine blocks it.
    assert (source.name, source.group, source.messages) == ("Mailer", "legitimate", 10 * 3 * 5)
    assert (source.psl_passes, source.treewalk_passes) == (150, 0)
    assert (source.psl_blocks, source.treewalk_blocks) == (0, 150)
    assert (source.at_psl, source.at_treewalk) == (100, 50)
    # Its strict adkim counts there too. What fails in all is what the walker alone judges so.
    assert [one.count.failing for one in found.entries] == [50]
    [group] = rules(found).groups
    assert (group.group, group.messages, group.treewalk_blocks) == ("legitimate", 150, 150)


def test_the_candidates_own_psd_ends_the_walk(world: World, resolver: ResolverSettings) -> None:
    """shop.github.io is its own organization by the list; by the walk only once it says psd=n itself."""
    world.walkers = frozenset({"Yahoo", "google.com", "Outlook.com"})
    domain = "shop.github.io"
    usual(world, days(40), domain=domain)
    world.send(RELAY, days(9), 7, domain=domain, dkim=(("other.github.io", "x", "pass"),))
    asked(world, domain, resolver)
    found = told(world, domain)
    assert name_of(rules(found), domain).treewalk == Place("github.io", domain, "reject")
    [source] = rules(found).sources
    # A stranger under the suffix is taken for ours by those that walk.
    assert (source.treewalk_passes, source.psl_blocks, source.at_psl) == (210, 210, 0)
    assert found.entries == ()
    assert "Add psd=n to the record at _dmarc.shop.github.io." in rules(found).advice
    ended = told(world, domain, "p=reject; psd=n")
    assert rules(ended).advice == ""
    assert (rules(ended).sources, rules(ended).names) == ((), ())
    assert [one.count.failing for one in ended.entries] == [210]


def test_psd_y_above_makes_the_walk_agree_with_the_list(world: World, resolver: ResolverSettings) -> None:
    usual(world, days(40), domain="own.bank")
    world.send(RELAY, days(9), 7, domain="own.bank", dkim=(("other.bank", "x", "pass"),))
    asked(world, "own.bank", resolver)
    found = told(world, "own.bank")
    assert (rules(found).names, rules(found).sources) == ((), ())
    assert [one.count.failing for one in found.entries] == [210]


def test_a_parent_without_a_record_is_another_organization(world: World, resolver: ResolverSettings) -> None:
    """Signed by bare.com, sent as sub.bare.com, which alone has a record: aligned by the list, not by the walk."""
    domain = "sub.bare.com"
    world.send(OFFICE, days(40), 20, domain=domain, dkim=((domain, "o", "pass"),), spf=(domain, "pass"))
    world.send(MAILER, days(40), 4, domain=domain, dkim=(("bare.com", "m1", "pass"),))
    asked(world, domain, resolver)
    found = rules(told(world, domain))
    assert name_of(found, domain).psl == Place("bare.com", domain, "reject")
    assert name_of(found, domain).treewalk == Place(domain, domain, "reject")
    assert "Publish one at _dmarc.bare.com" in found.advice
    [source] = found.sources
    assert (source.psl_passes, source.treewalk_blocks, source.at_psl) == (30 * 3 * 4,) * 3


def test_a_record_in_the_middle_applies_to_its_own_name_alone(world: World, resolver: ResolverSettings) -> None:
    usual(world, days(40))
    for name in ("middle.example.com", "x.middle.example.com"):
        world.send(MAILER, days(9), 5, header_from=name, dkim=(("mailer.test", "m1", "pass"),))
    asked(world, "example.com", resolver)
    found = told(world, "example.com", "p=none")
    # Without psd=n the walk goes past it to example.com; what stands at the name itself holds under both rules.
    assert rules(found).names == ()
    assert rules(found).sources == ()
    [entry] = found.entries
    assert entry.count.failing == 10 * 3 * 5
    assert [one.count.failing for one in told(world, "example.com", "p=reject").entries] == [2 * 10 * 3 * 5]


def test_whether_a_name_exists_is_known_from_dns(world: World, resolver: ResolverSettings) -> None:
    usual(world, days(40))
    for name in ("live.example.com", "ghost.example.com"):
        world.send(MAILER, days(9), 3, header_from=name, spf=("bounce.mailer.test", "pass"))
    asked(world, "example.com", resolver)
    [entry] = told(world, "example.com", "p=none; sp=none; np=reject").entries
    assert (entry.count.failing, entry.count.unclear) == (10 * 3 * 3, 0)
    [entry] = told(world, "example.com", "p=none; sp=reject; np=none").entries
    assert (entry.count.failing, entry.count.unclear) == (10 * 3 * 3, 0)


def test_ten_labels_cost_eight_questions(world: World, resolver: ResolverSettings) -> None:
    usual(world, days(40))
    deep = "l1.l2.l3.l4.l5.l6.l7.l8.example.com"
    world.send(MAILER, days(9), 3, header_from=deep, dkim=(("example.com", "m1", "pass"),))
    looked = asked(world, "example.com", resolver)
    walked = {name for name, rdtype in looked.tree.found if rdtype == "TXT" and name.endswith(("example.com", ".com"))}
    assert f"_dmarc.{deep}" in walked
    assert "_dmarc.l2.l3.l4.l5.l6.l7.l8.example.com" not in walked  # nine labels: skipped
    assert "_dmarc.l4.l5.l6.l7.l8.example.com" in walked  # seven
    assert len([name for name in walked if name != "_dmarc.com"]) == 7
    found = rules(told(world, "example.com"))
    assert (found.names, found.sources, found.unknown) == ((), (), 0)
    assert looked.tree.exists(deep) is False
    assert looked.tree.exists("l3.l4.l5.l6.l7.l8.example.com") is None  # nobody sends as it, so it was not asked


def test_what_was_kept_is_not_asked_again_and_lasts_without_dns(world: World, resolver: ResolverSettings) -> None:
    usual(world, days(40))
    first = asked(world, "example.com", resolver)
    dead = replace(resolver, port=free_port(), timeout=0.3)
    again = ask_dns(world.warehouse, scope_of("example.com"), dead, NOW + timedelta(seconds=59))
    assert (again.answered, again.unanswered) == (0, 0)
    assert again.tree.found == first.tree.found
    # The zones' shortest TTL is over, and nobody answers: what is known stays, with its time.
    later = ask_dns(world.warehouse, scope_of("example.com"), dead, NOW + timedelta(seconds=61))
    assert later.answered == 0
    assert later.unanswered > 0
    assert later.tree.found == first.tree.found
    with world.warehouse.reading() as connection:
        kept = tree_of(connection, scope_of("example.com"))
    assert kept.found == first.tree.found
    assert kept.times == (NOW.replace(tzinfo=None),) * 2
    assert kept.observed_at == NOW.replace(tzinfo=None)


def test_an_edit_is_seen_and_both_answers_are_kept(world: World, tmp_path: Path) -> None:
    server = Nsd({"com": "", "example.com": '_dmarc TXT "v=DMARC1; p=none"\n'}, tmp_path)
    server.start()
    try:
        settings = ResolverSettings(nameservers=("127.0.0.1",), port=server.port)
        usual(world, days(40))
        asked(world, "example.com", settings)
        server.set("example.com", '_dmarc TXT "v=DMARC1; p=none; psd=n"\n')
        after = ask_dns(world.warehouse, scope_of("example.com"), settings, NOW + timedelta(hours=1))
    finally:
        server.remove()
    assert after.tree.observation.record == "v=DMARC1; p=none; psd=n"
    with world.warehouse.reading() as connection:
        rows = connection.execute(
            "SELECT records[1], last_seen_at FROM dmarc_lookup WHERE name = '_dmarc.example.com' ORDER BY first_seen_at"
        ).fetchall()
        kept = tree_of(connection, scope_of("example.com"))
    at = NOW.replace(tzinfo=None)
    assert rows == [("v=DMARC1; p=none", at), ("v=DMARC1; p=none; psd=n", at + timedelta(hours=1))]
    assert kept.observation.record == "v=DMARC1; p=none; psd=n"


def test_a_server_that_fails_is_unknown_and_not_no_record(world: World, tmp_path: Path) -> None:
    """Nobody answers for com: where the organization ends is not known, and the list counts."""
    server = Nsd({"example.com": ZONES["example.com"]}, tmp_path)
    server.start()
    try:
        settings = ResolverSettings(nameservers=("127.0.0.1",), port=server.port)
        world.walkers = frozenset({"google.com"})
        usual(world, days(40))
        world.send(MAILER, days(9), 5, header_from="live.example.com", dkim=(("example.com", "m1", "pass"),))
        looked = asked(world, "example.com", settings)
    finally:
        server.remove()
    assert looked.unanswered > 0
    found = rules(told(world, "example.com"))
    assert (found.walked, found.unknown) == (2, 2)
    # The domain's own record is known all the same; of the name without one, not even that.
    assert name_of(found, "example.com").treewalk == Place(None, "example.com", "reject")
    assert name_of(found, "live.example.com").treewalk == Place(None, None, None)
    assert name_of(found, "live.example.com").psl == Place("example.com", "example.com", "reject")
    assert (found.sources, told(world, "example.com").entries) == ((), ())


def test_names_that_were_not_asked_for_are_counted_and_not_listed(world: World, resolver: ResolverSettings) -> None:
    """A poll asks for the domain's own record alone."""
    usual(world, days(40))
    world.send(MAILER, days(9), 5, header_from="live.example.com", dkim=(("example.com", "m1", "pass"),))
    world.save()
    with world.warehouse.writing(reports=False) as connection:
        assert due(connection, NOW.replace(tzinfo=None), 1) == ["example.com"]
        lookups.keep(connection, ask_records(["example.com"], resolver), NOW)
        assert due(connection, NOW.replace(tzinfo=None), 1) == []
        assert due(connection, NOW.replace(tzinfo=None) + timedelta(days=1), 1) == ["example.com"]
    found = rules(told(world, "example.com"))
    assert (found.walked, found.unknown, found.names, found.sources) == (2, 1, (), ())


def test_names_that_somebody_invents_cost_neither_time_nor_endless_questions(
    world: World, resolver: ResolverSettings
) -> None:
    usual(world, days(40))
    for number in range(300):
        world.send(MAILER, days(0), 1, header_from=f"n{number}.example.com", reporters=["google.com"])
    world.send(MAILER, days(0), 1, header_from="<script>.example.com", reporters=["google.com"])
    world.save()
    dead = replace(resolver, port=free_port(), timeout=0.5, lifetime=1.0)
    began = time.monotonic()
    looked = ask_dns(world.warehouse, scope_of("example.com"), dead, NOW)
    assert time.monotonic() - began < 30
    assert (looked.answered, len(looked.tree.names.authors)) == (0, 100)
    alive = ask_dns(world.warehouse, scope_of("example.com"), resolver, NOW)
    assert alive.unanswered == 0
    assert alive.answered <= 2 * 100 + 2
    assert not any("<" in name for name, _ in alive.tree.found)


def test_one_run_asks_a_bounded_number(
    make_asking: Callable[[int], tuple[int, int]],
) -> None:
    assert make_asking(7) == (7, 13)


@pytest.fixture
def make_asking(resolver: ResolverSettings) -> Callable[[int], tuple[int, int]]:
    from ingest.probes.asking import Asking  # noqa: PLC0415
    from ingest.probes.resolver import Resolver  # noqa: PLC0415

    def asking(most: int) -> tuple[int, int]:
        run = Asking({}, Resolver(resolver), most)
        run.all((f"_dmarc.n{number}.example.com", "TXT") for number in range(20))
        return len(run.found), len(run.unanswered)

    return asking
