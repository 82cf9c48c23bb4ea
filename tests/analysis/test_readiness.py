"""Can I move to the next policy? What stops it, what is only unknown, and what it would have cost."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from analysis.readiness import Readiness, next_target, readiness, readinesses, verdict
from analysis.settings import AnalysisSettings
from ingest.errors import UsageError
from tests.analysis.world import LAST, MAILER, MAILER_PATH, OFFICE, OURS, RELAY, TODAY, Policy, World, days, usual

SETTINGS = AnalysisSettings()


def judge(world: World, target: str = "reject", today: date = TODAY) -> Readiness:
    world.save()
    return readiness(world.warehouse, OURS, target, today, SETTINGS)


def states(answer: Readiness) -> dict[str, str]:
    return {gate.id: gate.state for gate in answer.gates}


def stops(answer: Readiness) -> set[str]:
    return {gate.id for gate in answer.gates if gate.state == "stop"}


def test_a_domain_in_order_may_go(world: World) -> None:
    usual(world, days(40))
    answer = judge(world)
    assert answer.verdict == "go"
    assert (answer.published, answer.days, answer.reporters) == ("none", 30, 3)
    assert (answer.since, answer.until) == (LAST - timedelta(days=29), LAST)
    assert answer.messages == 30 * 3 * 58
    assert answer.sources == ()


@pytest.mark.parametrize("name", ["nobody.example", "", "exa'mple"])
def test_an_unknown_domain_is_unknown(world: World, name: str) -> None:
    usual(world, days(40))
    world.save()
    answer = readiness(world.warehouse, name, "reject", TODAY, SETTINGS)
    assert (answer.verdict, answer.published, answer.days, answer.since) == ("unknown", None, 0, None)


def test_an_empty_warehouse_is_unknown(world: World) -> None:
    assert judge(world).verdict == "unknown"


def test_nine_days_are_too_few_and_what_stops_is_unknown_with_them(world: World) -> None:
    usual(world, days(8))
    world.send("192.88.99.10", days(8), 500, spf=("b.crm.test", "pass"))
    answer = judge(world)
    assert answer.verdict == "unknown"
    assert "9 of the last 30 days" in answer.gates[1].evidence
    assert answer.legitimate_blocked > 0


def test_one_reporter_sees_too_little(world: World) -> None:
    for ip, key in ((OFFICE, "office"), (RELAY, "own")):
        world.send(ip, days(40), dkim=((OURS, key, "pass"),), spf=(OURS, "pass"), reporters=("Yahoo",))
    answer = judge(world)
    assert (answer.verdict, states(answer)["enough_reporters"]) == ("unknown", "unknown")


def test_old_data_proves_nothing(world: World) -> None:
    usual(world, days(40))
    assert judge(world, today=LAST + timedelta(days=4)).verdict == "go"
    assert judge(world, today=LAST + timedelta(days=5)).verdict == "unknown"


def test_a_domain_whose_reports_ceased_is_unknown_though_others_go_on(world: World) -> None:
    usual(world, days(60, 20))
    usual(world, days(40), domain="example.org")
    answer = judge(world)
    assert answer.verdict == "unknown"
    assert answer.until == LAST


def test_lost_invoices_stop_it_and_are_named(world: World) -> None:
    usual(world, days(60))
    world.send(MAILER, days(20), 5, dkim=(("mailer.test", "m1", "pass"),), spf=MAILER_PATH)
    answer = judge(world)
    assert stops(answer) >= {"legitimate_mail"}
    [blocked] = answer.sources
    assert (blocked.source_key, blocked.would_block, blocked.already_blocked) == ("as:mailer.test", 21 * 3 * 5, 0)
    assert answer.legitimate_blocked == blocked.would_block
    assert "Mailer" in next(gate.evidence for gate in answer.gates if gate.id == "legitimate_mail")


def test_what_was_blocked_already_is_told_apart(world: World) -> None:
    world.policy[OURS] = Policy("quarantine")
    usual(world, days(40))
    world.send(MAILER, days(9), 4, spf=MAILER_PATH, disposition="quarantine")
    world.send(MAILER, days(9), 2, spf=MAILER_PATH, reason=("local_policy", ""))
    answer = judge(world)
    [blocked] = answer.sources
    assert (blocked.would_block, blocked.already_blocked, blocked.overridden) == (180, 120, 60)


def test_forwarded_and_forged_mail_do_not_stop_it_for_quarantine(world: World) -> None:
    usual(world, days(40))
    for ip in ("198.51.200.10", "198.51.201.10"):
        world.send(ip, days(40), 1, dkim=((OURS, "office", "fail"), (OURS, "m1", "fail")), reason=("mailing_list", ""))
    for n in range(30):
        world.send(f"198.18.{n}.9", days(12, 10), 4, spf=(OURS, "softfail"))
    answer = judge(world, "quarantine")
    assert answer.verdict == "go"
    assert answer.forwarded_blocked == 2 * 30 * 3
    assert answer.spoofing_blocked == 30 * 3 * 3 * 4
    assert answer.legitimate_blocked == answer.undecided_blocked == 0
    for_reject = judge(world, "reject")
    assert stops(for_reject) == {"decided"}


def test_a_person_opens_the_gate(world: World) -> None:
    usual(world, days(40))
    world.send("198.51.102.10", days(40), 2, spf=("web7.rent.test", "pass"))
    answer = judge(world)
    assert stops(answer) == {"decided"}
    assert answer.undecided_blocked == 30 * 3 * 2
    world.decide("net:198.51.102.0/24", "spoof", owner="Ada")
    answer = judge(world)
    assert answer.verdict == "go"
    assert answer.sources[0].decision == "spoof"
    assert answer.sources[0].owner == "Ada"


def test_an_approved_source_that_fails_stops_it(world: World) -> None:
    usual(world, days(40))
    world.send("198.51.102.10", days(40), 2, spf=("web7.rent.test", "pass"))
    world.save()
    world.decide("net:198.51.102.0/24", "approved", owner="Web team")
    answer = judge(world)
    assert "legitimate_mail" in stops(answer)
    assert next(gate.owner for gate in answer.gates if gate.id == "legitimate_mail") == "Web team"


def test_a_handful_of_messages_needs_no_decision(world: World) -> None:
    world.send(RELAY, days(40), 1, dkim=((OURS, "own", "pass"),), spf=(OURS, "pass"))
    world.send("198.18.7.9", days(5, 4), 1, spf=(OURS, "fail"))
    assert judge(world).verdict == "go"


def test_spf_alone_stops_reject_and_not_quarantine(world: World) -> None:
    usual(world, days(40))
    world.send("198.51.103.10", days(40), 9, spf=(OURS, "pass"))
    assert stops(judge(world, "reject")) == {"dkim"}
    assert judge(world, "quarantine").verdict == "go"


@pytest.mark.parametrize(
    ("sp", "state"), [(None, "pass"), ("quarantine", "pass"), ("reject", "pass"), ("none", "stop")]
)
def test_subdomains_must_not_be_left_behind(world: World, sp: str | None, state: str) -> None:
    world.policy[OURS] = Policy("quarantine", sp)
    usual(world, days(40))
    assert states(judge(world))["subdomains"] == state


def lose_the_key(world: World, first: int, last: int) -> None:
    """The mailer loses its key on some days; all else stays as it is."""
    world.send(OFFICE, days(119), 20, dkim=((OURS, "office", "pass"),), spf=(OURS, "pass"))
    world.send(MAILER, days(119, first + 1), 30, dkim=((OURS, "m1", "pass"),), spf=MAILER_PATH)
    world.send(MAILER, days(first, last), 30, dkim=(("mailer.test", "m1", "pass"),), spf=MAILER_PATH)
    if last:
        world.send(MAILER, days(last - 1), 30, dkim=((OURS, "m1", "pass"),), spf=MAILER_PATH)


def test_an_open_drift_stops_it(world: World) -> None:
    lose_the_key(world, 14, 0)
    answer = judge(world)
    assert stops(answer) >= {"drift", "legitimate_mail"}
    [evidence] = [gate.evidence for gate in answer.gates if gate.id == "drift"]
    assert evidence == "Mailer went from 100.0 % to 0.0 % aligned on 8 Nov 2026."


def test_a_drift_that_came_back_does_not(world: World) -> None:
    lose_the_key(world, 60, 41)
    assert states(judge(world))["drift"] == "pass"


def test_drifts_at_hand_are_taken_as_they_are(world: World) -> None:
    lose_the_key(world, 14, 0)
    world.save()
    answer = readiness(world.warehouse, OURS, "reject", TODAY, SETTINGS, ())
    assert states(answer)["drift"] == "pass"


def test_a_policy_that_is_there_already_is_said_so(world: World) -> None:
    world.policy[OURS] = Policy("reject")
    usual(world, days(40))
    answer = judge(world)
    assert (answer.already, answer.verdict, answer.published) == (True, "go", "reject")
    assert "already" in next(gate.evidence for gate in answer.gates if gate.id == "policy")


def test_a_policy_for_a_tenth_of_the_mail_is_not_there_yet(world: World) -> None:
    world.policy[OURS] = Policy("reject", pct=10)
    usual(world, days(40))
    assert not judge(world).already


def test_a_word_that_is_no_policy_is_none_and_reaches_no_sentence(world: World) -> None:
    world.policy[OURS] = Policy("<b>monitor</b>", "<i>")
    usual(world, days(40))
    answer = judge(world)
    assert answer.published == "none"
    assert not any("<" in gate.evidence + gate.fix for gate in answer.gates)


def test_only_quarantine_and_reject_are_targets(world: World) -> None:
    with pytest.raises(UsageError, match="quarantine or reject"):
        judge(world, "none")


def test_many_domains_get_the_answers_of_each(world: World) -> None:
    usual(world, days(40))
    usual(world, days(40), domain="example.org")
    world.send("198.51.102.10", days(40), 2, spf=("web7.rent.test", "pass"), domain="example.org")
    world.save()
    targets = {OURS: "reject", "example.org": "quarantine", "nobody.example": "reject"}
    together = readinesses(world.warehouse, targets, TODAY, SETTINGS)
    for domain, target in targets.items():
        assert readiness(world.warehouse, domain, target, TODAY, SETTINGS) == together[domain]


def test_no_domains_no_answers(world: World) -> None:
    usual(world, days(5))
    assert readinesses(world.save(), {}, TODAY, SETTINGS) == {}


def test_the_worst_gate_decides() -> None:
    assert verdict(()) == "unknown"


@pytest.mark.parametrize(
    ("policy", "target"), [(None, "quarantine"), ("none", "quarantine"), ("quarantine", "reject"), ("reject", "reject")]
)
def test_the_next_policy(policy: str | None, target: str) -> None:
    assert next_target(policy) == target


def said(answer: Readiness, name: str) -> str:
    return next(gate.evidence for gate in answer.gates if gate.id == name)


def test_at_reject_nobody_is_said_to_have_decided_what_is_open(world: World) -> None:
    world.policy[OURS] = Policy("reject")
    usual(world, days(40))
    world.send("192.88.99.10", days(20), 20, spf=("b.nobody.test", "fail"))
    answer = judge(world)
    assert states(answer)["decided"] == "pass"
    assert "no decision" in said(answer, "decided")
    assert "has one" not in said(answer, "decided")


def test_subdomains_under_a_stricter_policy_are_said_to_be(world: World) -> None:
    world.policy[OURS] = Policy("none", "reject")
    usual(world, days(40))
    assert said(judge(world), "subdomains") == "Subdomains are under a stricter policy than the domain."


def test_the_same_policy_for_all_of_the_mail_is_not_called_stricter(world: World) -> None:
    world.policy[OURS] = Policy("reject", testing="y")
    usual(world, days(40))
    answer = judge(world)
    assert not answer.already
    assert said(answer, "policy").endswith("p=reject is to hold for all of it.")
