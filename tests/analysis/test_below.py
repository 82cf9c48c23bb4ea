"""What a record does to the names below its domain, wherever reports tell of them; and which it leaves out."""

from __future__ import annotations

import pytest

from analysis.below import Below, below
from analysis.candidate import Candidate, parse
from analysis.settings import SourceSettings
from analysis.sources import sources
from app.below_words import below_headline
from ingest.attestation import Attestation, Doubt, Grade
from ingest.probes.answer import Answer, Status
from tests.analysis.world import LAST, NOW, OURS, TODAY, World, days, usual
from warehouse import lookups
from warehouse.scope import Scope

SHOP, NEWS, FAKE = f"shop.{OURS}", f"news.{OURS}", f"login.{OURS}"
SETTINGS = SourceSettings()
STRICT = parse("p=reject; sp=quarantine; np=reject")


@pytest.fixture
def told(world: World) -> World:
    """Mail of the domain, of a name told of in its reports, of one with reports of its own, and of an invented one."""
    usual(world, days(29))
    world.send("192.0.2.10", days(29), 10, header_from=NEWS, dkim=((NEWS, "n", "pass"),))
    world.send("192.0.2.10", days(29), 7, domain=SHOP, header_from=SHOP, dkim=((SHOP, "s", "pass"),))
    world.send("192.88.99.9", days(9), 2, domain=SHOP, header_from=SHOP, disposition="reject")
    world.send("198.18.4.4", days(4), 3, header_from=FAKE, spf=("evil.test", "pass"))
    world.save()
    return world


def dns(world: World, **said: str | None) -> None:
    """DNS is asked for names below the domain: each exists, with this record or none; `gone` does not exist."""
    answers = []
    for label, record in said.items():
        name, gone = f"{label}.{OURS}", record == "gone"
        values = (record,) if record and not gone else ()
        status = Status.NXDOMAIN if gone else Status.NODATA
        answers.append(Answer(f"_dmarc.{name}", "TXT", Status.VALUE if values else Status.NXDOMAIN, values, 60))
        answers.append(Answer(name, "A", status, (), 60))
    with world.warehouse.writing() as connection:
        lookups.keep(connection, answers, NOW)


def ask(world: World, candidate: Candidate = STRICT) -> dict[str, Below]:
    scope = Scope((OURS,), days(29)[0], LAST)
    found = sources(world.warehouse, scope, TODAY, SETTINGS)
    return {one.name: one for one in below(world.warehouse, scope, candidate, found, TODAY, SETTINGS)}


def test_without_dns_reports_tell_whose_record_applies(told: World) -> None:
    found = ask(told)
    assert list(found) == [NEWS, SHOP, FAKE]
    assert {name: (one.record, one.told_by, one.asks) for name, one in found.items()} == {
        NEWS: ("none", "reports", "quarantine"),  # DKIM passed for exactly that name, so it exists
        SHOP: ("own", "reports", None),
        FAKE: ("none", "reports", "reject"),  # nobody knows whether it exists: the stricter counts
    }
    assert (found[NEWS].messages, found[NEWS].failing) == (10 * 3 * 30, 0)
    assert (found[FAKE].messages, found[FAKE].failing, found[FAKE].refused) == (3 * 3 * 5, 3 * 3 * 5, 0)
    assert sum(found[FAKE].groups.values()) == found[FAKE].failing
    first, out = below_headline(OURS, list(found.values()))
    assert first.startswith("Below example.com, 2 names without a record of their own would be under p=quarantine and")
    assert (
        out == "Left out: 1 name under records of their own, 690 messages, as far as reports tell (DNS was not asked)."
    )


def test_a_report_in_doubt_brings_no_name_to_life(told: World) -> None:
    told.send("198.18.4.4", days(4), 1, header_from=FAKE, dkim=((FAKE, "f", "pass"),), reporters=("forger.test",))
    told.save(Attestation(Grade.MISMATCH, "evil.test", "s1", "another domain's", Doubt.MISMATCH))
    assert ask(told)[FAKE].asks == "reject"


def test_a_name_whose_record_is_gone_is_under_the_domains_wherever_its_rows_are(told: World) -> None:
    dns(told, shop=None, news=None, login="gone")
    shop = ask(told)[SHOP]
    assert (shop.record, shop.told_by, shop.asks, shop.reported_under) == ("none", "dns", "quarantine", (SHOP,))
    assert (shop.messages, shop.failing, shop.refused) == (7 * 3 * 30 + 2 * 3 * 10, 2 * 3 * 10, 2 * 3 * 10)
    assert ask(told)[FAKE].asks == "reject"
    said = list(below_headline(OURS, list(ask(told).values())))
    assert "690 of these messages under the name itself" in said[1]
    assert not any("Left out" in one for one in said)


def test_a_record_that_is_new_in_dns_takes_its_name_out(told: World) -> None:
    dns(told, news="v=DMARC1; p=none", shop="v=DMARC1; p=none")
    found = ask(told)
    assert {name: one.record for name, one in found.items()} == {NEWS: "own", SHOP: "own", FAKE: "none"}
    assert found[NEWS].asks is None
    assert list(below_headline(OURS, list(found.values())))[-1].endswith("messages.")


def test_a_name_between_with_a_record_is_told(world: World) -> None:
    deep = f"a.{SHOP}"
    usual(world, days(5))
    world.send("192.0.2.10", days(5), 10, domain=SHOP, header_from=deep, dkim=((SHOP, "s", "pass"),))
    world.save()
    assert (ask(world)[deep].record, ask(world)[deep].told_by) == ("between", "reports")
    dns(world, **{"a.shop": None, "shop": "v=DMARC1; p=none"})
    assert (ask(world)[deep].record, ask(world)[deep].told_by) == ("between", "dns")


def test_a_domain_without_names_below_it_has_nothing_to_say(world: World) -> None:
    usual(world, days(5))
    world.save()
    assert ask(world) == {}
