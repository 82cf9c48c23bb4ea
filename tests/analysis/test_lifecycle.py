"""The life of a finding: proved by reports, opened again when it comes back, never told of twice."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from analysis.weight import MINOR, weights
from app.config import Config
from app.settings import ClientSettings, DomainSettings, ReportSettings
from app.tracking import Tracked, recorded
from tests.analysis.test_readiness import lose_the_key
from tests.analysis.world import LAST, MAILER, MAILER_KEYS, MAILER_PATH, NOW, OURS, TODAY, World, days, usual
from warehouse import findings as states
from warehouse import journal
from warehouse.errors import FindingRefused

LATE = NOW.replace(tzinfo=None)


def told(world: World, late: int = 0, config: Config | None = None) -> dict[str, Tracked]:
    """What is there `late` days after the last report, by kind; recorded."""
    world.save()
    found = recorded(world.warehouse, TODAY + timedelta(days=late), config or Config(), NOW + timedelta(days=late))
    return {one.record.kind: one for one in found.findings}


def say(world: World, key: str, action: str, late: int = 0, **values: object) -> None:
    with world.warehouse.writing() as connection:
        states.change(connection, key, action, "ada", LATE + timedelta(days=late), **values)


def fix(world: World, key: str, late: int = 0) -> None:
    say(world, key, "finding.fix", late, state="fixed", fixed_on=LAST + timedelta(days=late), reason="")


def history(world: World, key: str) -> list[tuple[str, str]]:
    with world.warehouse.reading() as connection:
        assert journal.verify(connection) is None
        return [(entry.actor, entry.action) for entry in journal.entries(connection, key)]


def later(first: int, last: int) -> list[date]:
    """Days after the last one of the world: later(1, 3) are the three that follow."""
    return [LAST + timedelta(days=n) for n in range(first, last + 1)]


def crm(world: World, when: list[date], *, good: bool) -> None:
    keys = ((OURS, "c1", "pass"),) if good else (("crm.test", "c1", "pass"),)
    world.send("192.88.99.10", when, 40, dkim=keys, spf=("b.crm.test", "pass"))


def test_a_fix_is_verified_by_complete_days_of_aligned_mail_and_then_closed(world: World) -> None:
    usual(world, days(40))
    crm(world, days(20), good=False)
    key = told(world)["alignment"].record.finding_key
    fix(world, key)
    for n in (1, 2, 3):
        usual(world, later(n, n))
        crm(world, later(n, n), good=True)
    # The newest day proves nothing yet: two complete days are too few.
    waiting = told(world, 3)["alignment"]
    assert (waiting.record.state, waiting.waiting) == ("fixed", False)
    assert waiting.progress == "100.0 % of 240 messages in order on 2 complete days since the fix."
    usual(world, later(4, 4))
    crm(world, later(4, 4), good=True)
    proved = told(world, 4)["alignment"].record
    assert (proved.state, proved.reason) == ("verified", "100.0 % of 360 messages in order on 3 complete days.")
    # The month judged still holds the bad days; nothing is told of again because of them.
    assert told(world, 5)["alignment"].record.state == "verified"
    usual(world, later(5, 40))
    crm(world, later(5, 40), good=True)
    told(world, 41)
    assert told(world, 56)["alignment"].record.state == "closed"
    assert history(world, key) == [
        ("whosends", "finding.open"),
        ("ada", "finding.fix"),
        ("whosends", "finding.verify"),
        ("whosends", "finding.close"),
    ]


def test_a_fix_that_did_not_help_is_told_of(world: World) -> None:
    usual(world, days(40))
    crm(world, days(20), good=False)
    key = told(world)["alignment"].record.finding_key
    fix(world, key)
    usual(world, later(1, 5))
    crm(world, later(1, 5), good=False)
    refuted = told(world, 5)["alignment"]
    assert (refuted.record.state, refuted.waiting) == ("open", True)
    assert refuted.record.reason == "The fix did not help: 0.0 % in order since."
    assert history(world, key)[-1] == ("whosends", "finding.refute")


def test_what_comes_back_is_opened_again_and_not_repeated(world: World) -> None:
    lose_the_key(world, 14, 0)
    first = told(world)["alignment"].record
    fix(world, first.finding_key)
    usual(world, later(1, 40))
    assert told(world, 40)["alignment"].record.state == "verified"
    usual(world, later(41, 41))
    world.send(MAILER, later(42, 60), 30, spf=MAILER_PATH, dkim=(MAILER_KEYS[1],))
    again = told(world, 60)["alignment"].record
    assert (again.state, again.reopened, again.finding_key) == ("open", 1, first.finding_key)
    assert again.opened_on == first.opened_on
    with world.warehouse.reading() as connection:
        assert len([one for one in states.every(connection).values() if one.kind == "alignment"]) == 1


def test_what_a_person_closed_stays_closed_until_it_is_worse(world: World) -> None:
    usual(world, days(40))
    crm(world, days(20), good=False)
    key = told(world)["alignment"].record.finding_key
    say(world, key, "finding.close", state="closed", reason="We know.")
    assert told(world)["alignment"].record.state == "closed"
    world.decide("as:crm.test", "approved")
    with world.warehouse.writing() as connection:
        record = states.exactly(connection, key)
        assert record is not None
        states.keep(connection, states.Move("", replace(record, worst="medium")), "ada", LATE)
    reopened = told(world)["alignment"].record
    assert (reopened.state, reopened.reason) == ("open", "It is high now.")


def test_a_decision_closes_what_asked_for_it(world: World) -> None:
    usual(world, days(40))
    crm(world, days(20), good=False)
    key = told(world)["alignment"].record.finding_key
    world.decide("as:crm.test", "spoof")
    closed = told(world)["alignment"].record
    assert (closed.finding_key, closed.state) == (key, "closed")
    assert closed.reason == "Its source is no sender of this domain."


def test_a_missing_authorisation_lasts_until_dns_shows_it(world: World) -> None:
    usual(world, days(40))
    world.save()
    world.dns(takes=False, at=NOW - timedelta(days=2))
    found = told(world)["not_authorised"]
    record = found.record
    assert (record.severity, record.state, record.since) == ("high", "open", TODAY - timedelta(days=2))
    assert record.title == "Reports about example.com do not find their way"
    assert "agency.test does not say that it takes reports about example.com" in record.why
    assert 'example.com._report._dmarc.agency.test: "v=DMARC1"' in record.fix
    # Nobody asks for long, or DNS fails: that shows no authorisation.
    world.dns(takes=None, at=NOW + timedelta(days=1))
    assert told(world, 40)["not_authorised"].record.state == "open"
    world.dns(takes=True, at=NOW + timedelta(days=41))
    over = told(world, 41)["not_authorised"].record
    assert (over.state, over.reason) == ("closed", "It is no longer found.")
    world.dns(takes=False, at=NOW + timedelta(days=43))
    again = told(world, 43)["not_authorised"].record
    assert (again.finding_key, again.state, again.reopened) == (record.finding_key, "open", 1)
    assert history(world, record.finding_key)[-1] == ("whosends", "finding.reopen")


def test_silence_is_no_proof(world: World) -> None:
    usual(world, days(40))
    crm(world, days(20), good=False)
    key = told(world)["alignment"].record.finding_key
    fix(world, key)
    usual(world, later(1, 20))
    assert told(world, 20)["alignment"].record.state == "fixed"
    assert told(world, 20)["alignment"].progress.startswith("No mail on complete days")


def test_looking_twice_records_nothing_twice(world: World) -> None:
    usual(world, days(40))
    crm(world, days(20), good=False)
    key = told(world)["alignment"].record.finding_key
    before = world.warehouse.path.stat().st_mtime_ns
    again = recorded(world.warehouse, TODAY, Config(), NOW)
    assert again.moves == ()
    assert world.warehouse.path.stat().st_mtime_ns == before
    assert history(world, key) == [("whosends", "finding.open")]


def test_snoozed_is_silent_and_wakes_by_itself(world: World) -> None:
    usual(world, days(40))
    crm(world, days(20), good=False)
    key = told(world)["alignment"].record.finding_key
    say(world, key, "finding.snooze", snoozed_until=TODAY + timedelta(days=2))
    assert not told(world, 2)["alignment"].waiting
    assert told(world, 3)["alignment"].waiting


def test_the_owner_is_the_nearest_one_named(world: World) -> None:
    usual(world, days(40))
    crm(world, days(20), good=False)
    bare = Config(report=ReportSettings(owner="Post Office"))
    client = replace(bare, domains=(DomainSettings(OURS, client="Acme"),), clients=(ClientSettings("Acme", "Ada"),))
    domain = replace(client, domains=(DomainSettings(OURS, client="Acme", owner="Bob"),))
    owners = [told(world, config=config)["alignment"].owner for config in (Config(), bare, client, domain)]
    assert owners == ["", "Post Office", "Ada", "Bob"]
    world.decide("as:crm.test", "approved", owner="Sales")
    one = told(world, config=domain)["alignment"]
    assert one.owner == "Sales"
    say(world, one.record.finding_key, "finding.assign", owner="Carol")
    assert told(world, config=domain)["alignment"].owner == "Carol"


def test_an_id_may_be_shortened_and_a_wrong_one_is_refused(world: World) -> None:
    usual(world, days(40))
    crm(world, days(20), good=False)
    key = told(world)["alignment"].record.finding_key
    with world.warehouse.reading() as connection:
        assert states.named(connection, "ALIGN").finding_key == key
        for wrong in ("", "x", "alignment-zzzzzzzz"):
            with pytest.raises(FindingRefused):
                states.named(connection, wrong)


def test_a_primary_domain_outweighs_a_subdomain_with_little_mail() -> None:
    mail = {"example.com": 10_000, "news.example.com": 200_000, "tiny.example.com": 20, "shop.example": 5_000}
    found = weights(mail)
    assert found["example.com"] == 1.0  # the largest organizational domain, though a subdomain sends more
    assert found["news.example.com"] == 0.5
    assert found["tiny.example.com"] < MINOR < found["shop.example"] < 1
    assert weights(mail, ("shop.example",))["shop.example"] == 1.0
    assert weights({"a.example": 0}) == {"a.example": 1.0}
    assert weights({}) == {}


def test_a_fault_that_lasts_is_one_finding_on_every_morning(world: World) -> None:
    # Late reports and more evidence move its first day; new mail moves its size; it stays the one that it was.
    usual(world, days(40))
    keys, since, messages, severities = set(), set(), [], set()
    for n in range(1, 19):
        world.send(MAILER, later(n, n), 30, spf=MAILER_PATH, dkim=(MAILER_KEYS[1],))
        if n > 1:  # one reporter is a day late
            world.send(
                MAILER, later(n - 1, n - 1), 30, spf=MAILER_PATH, dkim=(MAILER_KEYS[1],), reporters=["late.test"]
            )
        found = told(world, n)
        assert "decision" not in found  # whose it is, is not asked because it ceases to align
        if "alignment" in found:
            record = found["alignment"].record
            severities.add(record.severity)
            keys.add(record.finding_key)
            since.add(record.since)
            messages.append(record.messages)
    assert len(keys) == 1
    assert severities == {"critical"}
    assert len(messages) >= 14
    assert messages == sorted(messages)
    assert max(since) - min(since) <= timedelta(days=3)
    (key,) = keys
    assert history(world, key) == [("whosends", "finding.open")]
