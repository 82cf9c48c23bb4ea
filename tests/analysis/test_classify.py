"""Is it mine? Each story is a kind of sender, and what tells it from the kind it is taken for."""

from __future__ import annotations

import math

import pytest

from analysis.settings import SourceSettings
from analysis.sources import Source, sources
from tests.analysis.world import (
    FORWARDER,
    MAILER,
    MAILER_KEYS,
    MAILER_PATH,
    OFFICE,
    OURS,
    RELAY,
    TODAY,
    World,
    days,
    usual,
)
from warehouse.scope import Scope

CRM, SCHOOL = "192.88.99.10", "233.252.0.10"
SETTINGS = SourceSettings()


def judge(world: World, key: str) -> Source:
    world.save()
    found = sources(world.warehouse, Scope((OURS,)), TODAY, SETTINGS)
    [source] = [source for source in found if source.source_key == key]
    return source


def codes(source: Source) -> set[str]:
    return {entry.code for entry in source.evidence if entry.weight > 0}


@pytest.mark.parametrize("key", ["as:mailer.test", "as:boxes.test", "net:198.51.100.0/24"])
def test_everyday_mail_is_aligned(world: World, key: str) -> None:
    usual(world, days(30))
    source = judge(world, key)
    assert source.kind == "aligned"
    assert source.confidence > 0.8


def test_a_service_without_our_return_path_is_no_forwarder(world: World) -> None:
    # DKIM aligns and SPF passes for another name: the rule of thumb calls this forwarded.
    usual(world, days(30))
    assert judge(world, "as:mailer.test").kind == "aligned"


def test_a_forwarder_carries_keys_of_several_senders(world: World) -> None:
    usual(world, days(30))
    world.send(FORWARDER, days(30), 1, dkim=MAILER_KEYS, spf=("srs.alumni.test", "pass"))
    world.send(FORWARDER, days(30), 1, dkim=((OURS, "office", "pass"),), spf=("srs.alumni.test", "pass"))
    source = judge(world, "net:198.51.200.0/24")
    assert source.kind == "forwarded"
    assert {"others_keys", "several_senders"} <= codes(source)
    assert source.confidence > 0.9


def test_a_forwarder_that_keeps_the_return_path(world: World) -> None:
    usual(world, days(30))
    world.send(FORWARDER, days(30), 1, dkim=MAILER_KEYS, spf=("bounce.mailer.test", "fail"))
    source = judge(world, "net:198.51.200.0/24")
    assert source.kind == "forwarded"
    assert "kept_return_path" in codes(source)


def test_a_list_breaks_signatures_and_signs_itself(world: World) -> None:
    usual(world, days(30))
    world.send(
        FORWARDER, days(30), 2, dkim=((OURS, "office", "fail"), ("lists.test", "l1", "pass")),
        spf=("lists.test", "pass"), reason=("mailing_list", ""),
    )  # fmt: skip
    source = judge(world, "net:198.51.200.0/24")
    assert source.kind == "forwarded"
    assert "reporters_say_forwarded" in codes(source)


def test_a_sealed_chain_counts_as_forwarding_and_other_local_policy_does_not(world: World) -> None:
    usual(world, days(30))
    for ip, comment in ((FORWARDER, "arc=pass as[1].d=x"), ("198.51.201.10", "trusted by me")):
        world.send(ip, days(30), 2, dkim=((OURS, "office", "fail"),), reason=("local_policy", comment))
    assert "reporters_say_forwarded" in codes(judge(world, "net:198.51.200.0/24"))
    assert "reporters_say_forwarded" not in codes(judge(world, "net:198.51.201.0/24"))


def test_a_service_that_never_was_set_up_is_misaligned(world: World) -> None:
    usual(world, days(30))
    world.send(CRM, days(20), 20, dkim=(("crm.test", "c1", "pass"),), spf=("b.crm.test", "pass"))
    source = judge(world, "as:crm.test")
    assert source.kind == "misaligned"
    assert "service_network" in codes(source)


def test_a_sender_that_lost_its_key_is_misaligned_however_long_it_was_aligned(world: World) -> None:
    usual(world, days(90, 20))
    usual(world, days(90))
    world.send(CRM, days(90, 20), 20, dkim=((OURS, "c1", "pass"),), spf=("b.crm.test", "pass"))
    world.send(CRM, days(19), 20, dkim=(("crm.test", "c1", "pass"),), spf=("b.crm.test", "pass"))
    source = judge(world, "as:crm.test")
    assert source.aligned > source.messages / 2
    assert source.kind == "misaligned"
    assert "aligned_before" in codes(source)


def test_our_own_server_that_fell_out_of_spf_is_misaligned_and_no_spoofer(world: World) -> None:
    usual(world, days(90))
    world.send("198.51.101.10", days(60, 20), 8, spf=(OURS, "pass"))
    world.send("198.51.101.10", days(19), 8, spf=(OURS, "fail"))
    assert judge(world, "net:198.51.101.0/24").kind == "misaligned"


def test_a_failing_key_that_verified_before_is_a_broken_sender(world: World) -> None:
    usual(world, days(40))
    world.send(CRM, days(40, 38), 2, dkim=((OURS, "c1", "pass"),), spf=("b.crm.test", "pass"))
    world.send(CRM, days(37), 20, dkim=((OURS, "c1", "fail"),), spf=("b.crm.test", "pass"))
    source = judge(world, "as:crm.test")
    assert source.kind == "misaligned"
    assert "broken_signature" in codes(source)


def test_a_burst_from_rented_machines_is_spoofing(world: World) -> None:
    usual(world, days(60))
    for n in range(60):
        world.send(f"198.18.{n}.9", days(12, 10), 5, spf=(OURS, "softfail"))
    source = judge(world, "net:198.18.7.0/24")
    assert source.kind == "spoofing"
    assert {"many_alike", "short_burst", "not_aligned_now"} <= codes(source)
    assert source.confidence > 0.8


def test_an_invented_key_does_not_help_a_spoofer(world: World) -> None:
    usual(world, days(60))
    world.send("198.18.7.9", days(12, 8), 5, dkim=((OURS, "default", "fail"),), spf=("zxqv.test", "none"))
    world.send("198.18.8.9", days(12, 8), 5, spf=("zxqv.test", "none"))
    invented, plain = (judge(world, f"net:198.18.{n}.0/24") for n in (7, 8))
    assert {invented.kind, plain.kind} <= {"unknown", "spoofing"}
    assert invented.probabilities["spoofing"] >= 0.5


def test_one_message_is_taken_for_what_most_such_are_and_never_for_ours(world: World) -> None:
    # A single message from a line at home that authenticates as a stranger: nearly all of them are forged.
    usual(world, days(60))
    world.send("198.18.7.9", days(12, 12), 1, spf=("zxqv.test", "pass"), reporters=("Yahoo",))
    source = judge(world, "net:198.18.7.0/24")
    assert source.kind in {"unknown", "spoofing"}
    assert source.probabilities["aligned"] + source.probabilities["misaligned"] < 0.1


def test_one_message_with_the_domains_own_key_is_not_taken_for_what_most_such_are(world: World) -> None:
    # The first mail of a new domain, of which nothing else is known.
    world.send("198.18.7.9", days(1), 1, dkim=((OURS, "k1", "pass"),), spf=(OURS, "pass"), reporters=("Yahoo",))
    source = judge(world, "net:198.18.7.0/24")
    assert source.kind == "aligned"
    assert source.probabilities["spoofing"] == 0
    assert {"own_key_at_home", "spf_aligned"} <= codes(source)


def test_a_steady_contact_form_on_a_web_host_is_unknown_and_not_spoofing(world: World) -> None:
    usual(world, days(60))
    world.send("198.51.102.10", days(60), 2, spf=("web7.rent.test", "pass"))
    assert judge(world, "net:198.51.102.0/24").kind == "unknown"


def test_mailbox_provider_with_some_forwards_stays_ours(world: World) -> None:
    usual(world, days(30))
    world.send(OFFICE, days(30), 1, dkim=MAILER_KEYS, spf=("somebody.test", "pass"))
    assert judge(world, "as:boxes.test").kind == "aligned"


def test_mailbox_provider_that_only_passes_on_is_a_forwarder(world: World) -> None:
    world.send(RELAY, days(30), 8, dkim=((OURS, "own", "pass"),), spf=(OURS, "pass"))
    world.send(MAILER, days(30), 30, dkim=MAILER_KEYS, spf=MAILER_PATH)
    world.send(OFFICE, days(30), 1, dkim=MAILER_KEYS, spf=("somebody.test", "pass"))
    world.send(OFFICE, days(30), 1, dkim=((OURS, "own", "pass"),), spf=("somebody.test", "pass"))
    assert judge(world, "as:boxes.test").kind == "forwarded"


def test_a_school_that_forwards_its_former_students_mail(world: World) -> None:
    usual(world, days(30))
    world.send(SCHOOL, days(30), 2, dkim=MAILER_KEYS, spf=("bounce.mailer.test", "softfail"))
    world.send(SCHOOL, days(30), 1, dkim=((OURS, "office", "pass"),), spf=(OURS, "fail"))
    assert judge(world, "as:school.test").kind == "forwarded"


def test_reporters_that_hide_selectors_change_no_verdict(world: World) -> None:
    usual(world, days(30))
    world.send(FORWARDER, days(30), 1, dkim=MAILER_KEYS, spf=("srs.alumni.test", "pass"))
    world.send(FORWARDER, days(30), 1, dkim=((OURS, "office", "pass"),), spf=("srs.alumni.test", "pass"))
    world.send(MAILER, days(30), 9, dkim=((OURS, "", "pass"),), spf=MAILER_PATH, reporters=("Seetal",))
    world.send(FORWARDER, days(30), 1, dkim=((OURS, "", "pass"),), spf=("srs.alumni.test", "pass"))
    assert judge(world, "as:mailer.test").kind == "aligned"
    assert judge(world, "net:198.51.200.0/24").kind == "forwarded"


def test_a_second_address_of_our_own_in_another_network_is_ours_by_spf(world: World) -> None:
    usual(world, days(30))
    world.send("198.51.103.10", days(30), 1, dkim=((OURS, "own", "pass"),), spf=(OURS, "pass"))
    assert judge(world, "net:198.51.103.0/24").kind == "aligned"


def test_history_beyond_the_days_asked_for_counts(world: World) -> None:
    usual(world, days(90))
    world.send(CRM, days(80, 20), 20, dkim=((OURS, "c1", "pass"),), spf=("b.crm.test", "pass"))
    world.send(CRM, days(19), 20, dkim=(("x.test", "c1", "pass"),), spf=("b.crm.test", "pass"))
    world.save()
    week = sources(world.warehouse, Scope((), days(6)[0]), TODAY, SETTINGS)
    [crm] = [source for source in week if source.source_key == "as:crm.test"]
    assert crm.aligned == 0
    assert "aligned_before" in codes(crm)


def test_a_pool_that_is_spread_over_many_networks_is_no_forwarder(world: World) -> None:
    usual(world, days(30))
    for n in range(20):
        keys = ((OURS, "pool", "pass"), ("pool.test", "x", "pass"))
        world.send(f"100.64.{n}.9", days(30), 1, dkim=keys, spf=("pool.test", "pass"))
    assert judge(world, "net:100.64.7.0/24").kind == "aligned"


def test_a_new_server_of_ours_with_a_key_of_its_own_that_spf_does_not_know(world: World) -> None:
    usual(world, days(60))
    world.send("100.64.1.10", days(10), 10, dkim=((OURS, "new", "pass"),), spf=(OURS, "fail"))
    assert judge(world, "net:100.64.1.0/24").kind == "aligned"


def test_signed_mail_sent_again_by_many_strangers_is_not_ours(world: World) -> None:
    usual(world, days(60))
    for n in range(20):
        world.send(f"198.18.{n}.9", days(3, 2), 30, dkim=((OURS, "office", "pass"),), spf=("zz.test", "none"))
    assert judge(world, "net:198.18.7.0/24").kind != "aligned"


def test_a_list_that_strips_our_signature_is_known_by_what_receivers_say(world: World) -> None:
    usual(world, days(60))
    world.send(
        FORWARDER, days(60), 1, dkim=(("lists.test", "l", "pass"),), spf=("lists.test", "pass"),
        reason=("mailing_list", ""),
    )  # fmt: skip
    assert judge(world, "net:198.51.200.0/24").kind == "forwarded"


def test_an_own_server_that_never_was_in_spf_is_never_called_forged(world: World) -> None:
    # So much from one address for so long is mostly a forgotten server. Nobody can be sure of it.
    usual(world, days(60))
    world.send("198.51.150.5", days(60), 30, spf=(OURS, "softfail"))
    source = judge(world, "net:198.51.150.0/24")
    assert source.kind in {"unknown", "misaligned"}
    assert source.confidence < 0.95


def test_entries_add_up_to_the_confidence(world: World) -> None:
    usual(world, days(30))
    world.send(FORWARDER, days(3), 1, dkim=MAILER_KEYS, spf=("srs.alumni.test", "pass"))
    world.save()
    for source in sources(world.warehouse, Scope(), TODAY, SETTINGS):
        weights = [abs(entry.weight) for entry in source.evidence]
        assert weights == sorted(weights, reverse=True)
        told = source.probabilities
        assert source.confidence == pytest.approx(min(max(told.values()), 0.999), abs=0.001)
        owners = sorted((told["aligned"] + told["misaligned"], told["forwarded"], told["spoofing"]), reverse=True)
        # Entries too small to be shown, and rounding, are all that is missing.
        weighed = sum(entry.weight for entry in source.evidence if entry.code != "lately")
        if owners[1] > 0.001:
            assert weighed == pytest.approx(math.log(owners[0] / owners[1]), abs=1)
