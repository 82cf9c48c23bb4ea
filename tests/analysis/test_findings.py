"""What should I do first? The order, one cause one finding, and plain words."""

from __future__ import annotations

from datetime import timedelta

from analysis.findings import Finding, findings
from analysis.settings import AnalysisSettings
from tests.analysis.test_readiness import lose_the_key
from tests.analysis.world import LAST, MAILER, MAILER_KEYS, MAILER_PATH, OURS, RELAY, TODAY, Policy, World, days, usual
from warehouse.scope import Scope

SETTINGS = AnalysisSettings()


def ask(world: World, *domains: str, **more: object) -> list[Finding]:
    world.save()
    return findings(world.warehouse, Scope(domains), TODAY, SETTINGS)


def only(found: list[Finding], code: str) -> Finding:
    [finding] = [finding for finding in found if finding.code == code]
    return finding


def codes(found: list[Finding]) -> list[str]:
    return [finding.code for finding in found]


def test_nothing_known_nothing_found(world: World) -> None:
    assert ask(world) == []
    assert ask(world, "nobody.example") == []


def test_a_domain_in_order_may_move_on_and_that_is_all(world: World) -> None:
    usual(world, days(40))
    [finding] = ask(world)
    assert (finding.code, finding.severity) == ("ready", "info")
    assert finding.title == "example.com can move to p=quarantine"


def test_a_sender_that_stopped_aligning_comes_first_with_when_and_how_many(world: World) -> None:
    world.policy[OURS] = Policy("quarantine")
    lose_the_key(world, 14, 0)
    for n in range(30):
        world.send(f"198.18.{n}.9", days(12, 10), 400, spf=(OURS, "softfail"), disposition="quarantine")
    first, *rest = ask(world)
    assert (first.code, first.severity, first.page) == ("alignment_lost", "critical", "drift")
    assert first.title == "Mailer stopped aligning as example.com on 8 Nov 2026"
    assert (first.since, first.messages) == (LAST - timedelta(days=14), 15 * 3 * 30)
    # One cause, one finding: the same source is not told of again.
    assert "as:mailer.test" not in [finding.source_key for finding in rest]
    wave = only(rest, "spoofing")
    assert (wave.severity, wave.messages) == ("info", 30 * 3 * 3 * 400)


def test_spoofing_that_is_delivered_is_no_mere_information(world: World) -> None:
    usual(world, days(40))
    for n in range(30):
        world.send(f"198.18.{n}.9", days(12, 10), 40, spf=(OURS, "softfail"))
    wave = only(ask(world), "spoofing")
    assert wave.severity == "high"
    assert wave.source_key is None


def test_receivers_that_stop_forged_mail_by_themselves_are_no_policy_that_works(world: World) -> None:
    usual(world, days(40))
    for n in range(30):
        world.send(f"198.18.{n}.9", days(12, 10), 40, spf=(OURS, "softfail"), disposition="reject")
    wave = only(ask(world), "spoofing")
    assert (wave.severity, wave.fix.startswith("Receivers stop most of it by rules of their own.")) == ("info", True)


def test_under_test_receivers_are_asked_for_the_next_weaker_policy(world: World) -> None:
    world.policy[OURS] = Policy("reject", testing="y")
    lose_the_key(world, 14, 0)
    assert "Receivers are asked to quarantine them." in only(ask(world), "alignment_lost").why


def test_a_policy_of_quarantine_under_test_asks_for_nothing(world: World) -> None:
    world.policy[OURS] = Policy("quarantine", testing="y")
    lose_the_key(world, 14, 0)
    assert "Any stricter policy would block them." in only(ask(world), "alignment_lost").why


def test_a_service_that_was_never_set_up(world: World) -> None:
    usual(world, days(40))
    world.send("192.88.99.10", days(20), 20, dkim=(("crm.test", "c1", "pass"),), spf=("b.crm.test", "pass"))
    found = only(ask(world), "misaligned")
    assert (found.severity, found.title) == ("high", "CRM sends as example.com without aligning")
    world.decide("as:crm.test", "approved", owner="Sales")
    found = only(ask(world), "misaligned")
    assert found.owner == "Sales"


def test_a_new_source_is_called_new(world: World) -> None:
    usual(world, days(40))
    world.send("192.88.99.10", days(3), 20, dkim=(("crm.test", "c1", "pass"),), spf=("b.crm.test", "pass"))
    assert only(ask(world), "new_misaligned").title.endswith("(new)")


def test_forwarders_are_one_finding_once_reject_is_the_target(world: World) -> None:
    usual(world, days(40))
    world.policy[OURS] = Policy("quarantine")
    usual(world, days(4))
    for ip in ("198.51.200.10", "198.51.201.10"):
        world.send(ip, days(40), 2, dkim=MAILER_KEYS, spf=("srs.alumni.test", "pass"))
        world.send(ip, days(40), 1, dkim=((OURS, "office", "pass"),), spf=("srs.alumni.test", "pass"))
    found = only(ask(world), "forwarders")
    assert (found.severity, found.source_key) == ("medium", None)
    world.decide("net:198.51.200.0/24", "forwarder")
    assert only(ask(world), "forwarders").source_key == "net:198.51.201.0/24"


def test_the_primary_domain_outranks_a_minor_one(world: World) -> None:
    for domain, messages in ((OURS, 2000), ("minor.example", 15)):
        world.send(RELAY, days(40), messages, domain=domain, dkim=((domain, "k", "pass"),), spf=(domain, "pass"))
        world.send("192.88.99.10", days(40), 1, domain=domain, spf=("b.crm.test", "pass"))
    found = [finding for finding in ask(world) if finding.code == "misaligned"]
    assert [(finding.domain, finding.severity) for finding in found] == [(OURS, "high"), ("minor.example", "medium")]


def test_a_retired_source_that_still_sends(world: World) -> None:
    usual(world, days(40))
    world.save()
    world.decide("net:198.51.100.0/24", "retired", owner="IT")
    found = only(ask(world), "retired_sends")
    assert (found.severity, found.owner) == ("high", "IT")


def test_a_decision_that_ran_out(world: World) -> None:
    usual(world, days(40))
    world.save()
    world.decide("net:198.51.100.0/24", "approved", until=TODAY - timedelta(days=1))
    found = only(ask(world), "decision_expired")
    assert found.title == "The decision on 198.51.100.0/24 (Rent a Server GmbH) ran out on 22 Nov 2026"


def test_a_policy_that_became_weaker(world: World) -> None:
    world.policy[OURS] = Policy("reject")
    usual(world, days(40, 10))
    world.policy[OURS] = Policy("none")
    usual(world, days(9))
    found = only(ask(world), "policy_weakened")
    assert found.since == LAST - timedelta(days=9)
    assert "p=none, and p=reject before" in found.why


def test_reports_that_ceased(world: World) -> None:
    usual(world, days(60, 8))
    found = only(ask(world), "no_reports")
    assert (found.severity, found.domain, found.since) == ("high", OURS, LAST - timedelta(days=8))


def test_a_steady_sender_that_fell_silent(world: World) -> None:
    usual(world, days(60))
    world.send("198.51.103.10", days(60, 18), 9, dkim=((OURS, "k", "pass"),), spf=(OURS, "pass"))
    found = only(ask(world), "vanished")
    assert "for 18 days" in found.title


def test_a_silent_reporter_is_counted_and_not_named(world: World) -> None:
    usual(world, days(90))
    world.send(MAILER, days(90, 20), 60, dkim=MAILER_KEYS, spf=MAILER_PATH, reporters=("<b>gmx</b>",))
    found = only(ask(world), "reporters_silent")
    assert found.title == "1 usual reporter has fallen silent"
    assert found.since == LAST - timedelta(days=19)
    assert "gmx" not in found.why + found.fix


def test_the_order_is_by_severity_then_by_mail(world: World) -> None:
    lose_the_key(world, 14, 0)
    world.send("192.88.99.10", days(60), 20, spf=("b.crm.test", "pass"))
    world.send("198.51.103.10", days(60), 9, spf=(OURS, "pass"))
    found = ask(world)
    ranks = [("critical", "high", "medium", "info").index(finding.severity) for finding in found]
    assert ranks == sorted(ranks)
    assert len({(finding.code, finding.source_key) for finding in found}) == len(found)
    assert found == ask(world)


def test_every_finding_names_a_next_step_in_plain_words(world: World) -> None:
    lose_the_key(world, 14, 0)
    world.send(MAILER, days(2), 3, spf=MAILER_PATH, dkim=(("<script>", "<s>", "pass"),))
    for finding in ask(world):
        assert finding.title
        assert finding.fix.endswith(".")
        assert not set(finding.title + finding.why + finding.fix) & set("<>[]{}\n")
