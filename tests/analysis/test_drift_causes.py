"""Why it changed: stories put into a real warehouse, and what is said of their cause."""

from __future__ import annotations

import re
from datetime import datetime, time, timedelta

import polars as pl
import pytest

from analysis.drift import Drift, drifts
from analysis.settings import DriftSettings
from tests.analysis.world import LAST, MAILER, OFFICE, OURS, Policy, World, days
from warehouse.documents import keep
from warehouse.reads_remarks import DOCUMENTS, signature_remarks
from warehouse.scope import Scope

SETTINGS = DriftSettings()
BROKE = LAST - timedelta(days=29)
BEFORE, AFTER = days(89, 30), days(29)
THEIRS = ("mailer.test", "m1", "pass")
PATH = ("bounce.mailer.test", "pass")


def ask(world: World, mechanism: str = "dkim", scope: Scope = Scope()) -> list[Drift]:  # noqa: B008
    world.save()
    return [drift for drift in drifts(world.warehouse, scope, SETTINGS) if drift.mechanism == mechanism]


def codes(drift: Drift) -> list[str]:
    return [cause.code for cause in drift.causes]


def test_a_selector_that_vanished(world: World) -> None:
    world.send(MAILER, BEFORE, 30, dkim=((OURS, "m1", "pass"), THEIRS), spf=PATH)
    world.send(MAILER, AFTER, 30, dkim=(THEIRS,), spf=PATH)
    [drift] = ask(world)
    assert (drift.name, drift.as_domain, drift.source_key) == ("Mailer", "mailer.test", "as:mailer.test")
    assert (drift.shape, drift.started_on, drift.before, drift.after) == ("step", BROKE, 1.0, 0.0)
    assert (drift.messages, drift.reporters, drift.latest) == (30 * 30 * 3, 3, 0.0)
    assert codes(drift) == ["selector_vanished", "signing_domain_changed"]
    assert drift.cause == drift.causes[0]
    assert drift.cause.subject == "m1 (example.com)"
    assert drift.cause.sentence == "A selector that signed 100 % of the mail signs 0 % since 24 October 2026."
    assert drift.causes[1].subject == "mailer.test"
    assert drift.causes[1].sentence == "Mail signed by another domain alone went from 0 % to 100 %."


def test_causes_that_explain_as_much_come_in_the_order_of_their_names(world: World) -> None:
    names = ["k1", "k2", "k3", "k4", "k5", "k6"]
    world.send(MAILER, BEFORE, 30, dkim=tuple((OURS, name, "pass") for name in reversed(names)), spf=PATH)
    world.send(MAILER, AFTER, 30, spf=PATH)
    [drift] = ask(world)
    assert codes(drift) == ["selector_vanished"] * 6 + ["unsigned"]
    assert [cause.subject for cause in drift.causes[:6]] == [f"{name} (example.com)" for name in names]


def test_dmarc_has_the_cause_of_the_mechanism_it_follows(world: World) -> None:
    world.send(MAILER, BEFORE, 30, dkim=((OURS, "m1", "pass"),), spf=PATH)
    world.send(MAILER, AFTER, 30, spf=PATH)
    [drift] = ask(world, "dmarc")
    assert drift.follows == "dkim"
    assert codes(drift) == ["selector_vanished", "unsigned"]


def test_a_key_that_is_gone_from_dns(world: World) -> None:
    world.send(MAILER, BEFORE, 30, dkim=((OURS, "m1", "pass"),), spf=PATH)
    world.send(MAILER, AFTER, 30, dkim=((OURS, "m1", "permerror"),), spf=PATH)
    [drift] = ask(world)
    assert codes(drift) == ["selector_fails"]
    assert "still signs 100 % of the mail, but its signatures are valid on 0 % instead of 100 %" in drift.cause.sentence


def test_a_new_selector_that_nobody_published(world: World) -> None:
    world.send(MAILER, BEFORE, 30, dkim=((OURS, "old", "pass"),), spf=PATH)
    world.send(MAILER, AFTER, 30, dkim=((OURS, "new", "fail"),), spf=PATH)
    [drift] = ask(world)
    assert codes(drift) == ["selector_vanished", "selector_new"]
    assert [cause.subject for cause in drift.causes] == ["old (example.com)", "new (example.com)"]


def test_a_repair_with_a_new_selector(world: World) -> None:
    world.send(MAILER, BEFORE, 30, dkim=(THEIRS,), spf=PATH)
    world.send(MAILER, AFTER, 30, dkim=((OURS, "m2", "pass"), THEIRS), spf=PATH)
    [drift] = ask(world)
    assert drift.after > drift.before
    assert codes(drift)[0] == "selector_new"
    assert drift.cause.subject == "m2 (example.com)"


def test_an_envelope_that_is_the_services_own_now(world: World) -> None:
    world.send(MAILER, BEFORE, 30, spf=("bounce.example.com", "pass"))
    world.send(MAILER, AFTER, 30, spf=PATH)
    [drift] = ask(world, "spf")
    assert codes(drift) == ["envelope_changed"]
    assert drift.cause.subject == "bounce.mailer.test"


@pytest.mark.parametrize(("result", "code"), [("softfail", "spf_fails"), ("permerror", "spf_error")])
def test_an_spf_record_that_broke(world: World, result: str, code: str) -> None:
    world.send(MAILER, BEFORE, 30, spf=(OURS, "pass"))
    world.send(MAILER, AFTER, 30, spf=(OURS, result))
    [drift] = ask(world, "spf")
    assert codes(drift) == [code]
    assert drift.cause.subject == OURS


def test_new_networks_that_do_not_sign(world: World) -> None:
    keys = ((OURS, "m1", "pass"),)
    world.send("192.0.2.10", BEFORE, 30, dkim=keys, spf=PATH)
    world.send("192.0.2.10", AFTER, 12, dkim=keys, spf=PATH)
    world.send("192.0.2.77", AFTER, 18, spf=PATH)
    [drift] = ask(world)
    assert "new_addresses" in codes(drift)
    found = next(cause for cause in drift.causes if cause.code == "new_addresses")
    assert found.subject == "192.0.2.0/24"
    assert found.sentence == (
        "Addresses not used before send 60 % of the mail since 24 October 2026; 0 % of theirs are aligned."
    )


def test_the_services_own_signature_in_place_of_ours(world: World) -> None:
    world.send(MAILER, BEFORE, 30, dkim=((OURS, "m1", "pass"),), spf=PATH)
    world.send(MAILER, AFTER, 30, dkim=(THEIRS,), spf=PATH)
    [drift] = ask(world)
    assert codes(drift) == ["signing_domain_changed", "selector_vanished"]
    assert drift.cause.subject == "mailer.test"


def test_only_the_new_machines_fail_and_the_old_ones_do_as_before(world: World) -> None:
    keys = ((OURS, "m1", "pass"),)
    world.send("192.0.2.10", BEFORE, 30, dkim=keys, spf=PATH)
    world.send("192.0.2.10", AFTER, 12, dkim=keys, spf=PATH)
    world.send("192.0.2.77", AFTER, 18, spf=PATH)
    assert codes(ask(world)[0])[0] == "new_addresses"


def test_comments_of_receivers_say_what_is_wrong_with_a_signature(world: World) -> None:
    told = {"reason": ("local_policy", "dkim=fail (signature expired)")}
    world.send(MAILER, BEFORE, 30, dkim=((OURS, "m1", "pass"),), spf=PATH, reason=("local_policy", "all good"))
    world.send(MAILER, AFTER, 30, dkim=((OURS, "m1", "fail"),), spf=PATH, **told)
    [drift] = ask(world)
    assert codes(drift) == ["signature_expired", "selector_fails"]
    assert drift.cause.subject == "dkim=fail (signature expired)"
    assert drift.cause.sentence == (
        "Receivers remark that signatures had expired when they were checked, on 100 % of the mail they remark on "
        "since 24 October 2026 and on 0 % before."
    )


def test_remarks_on_signatures_are_read_in_the_documents_of_those_days(world: World) -> None:
    world.send(MAILER, BEFORE, 30, dkim=((OURS, "m1", "pass"),), spf=PATH)
    world.send(MAILER, AFTER, 30, dkim=((OURS, "m1", "fail"),), spf=PATH)
    record = (
        "<feedback><record><row><source_ip>{}</source_ip><count>30</count></row><auth_results><dkim>"
        "<domain>example.com</domain><result>x</result><human_result>{}</human_result></dkim></auth_results></record>"
        "</feedback>"
    )
    with world.save().writing() as connection:
        told = connection.execute("SELECT document_hash, day, reporter FROM aggregate_report").fetchall()
        bad = {True: "invalid: key too short", False: "verified"}
        # One reporter says nothing, and one speaks of somebody else's mail.
        keep(connection, [
            (name, record.format(OFFICE if reporter == "Yahoo" else MAILER, bad[day >= BROKE]).encode())
            for name, day, reporter in told if reporter != "google.com"
        ])  # fmt: skip
    [drift] = [one for one in drifts(world.warehouse, Scope(), SETTINGS) if one.mechanism == "dkim"]
    assert (codes(drift), drift.cause.subject) == (["key_too_short", "selector_fails"], "invalid: key too short")


@pytest.mark.parametrize("turned", [False, True])
def test_documents_are_chosen_by_what_they_are_and_not_by_when_they_came(world: World, *, turned: bool) -> None:
    when = days(8)
    world.send(MAILER, when, 30, dkim=((OURS, "m1", "fail"),), spf=PATH, reporters=["google.com"])
    coming = list(world.sent.items())
    world.sent.clear()
    world.sent.update(reversed(coming) if turned else coming)
    record = (
        "<feedback><record><row><source_ip>{}</source_ip><count>30</count></row><auth_results><dkim>"
        "<domain>example.com</domain><result>x</result><human_result>{}</human_result></dkim></auth_results></record>"
        "</feedback>"
    )
    with world.save().writing() as connection:
        told = connection.execute("SELECT document_hash, day FROM aggregate_report ORDER BY identity_hash").fetchall()
        keep(connection, [(name, record.format(MAILER, f"remark {day}").encode()) for name, day in told])
    with world.warehouse.reading() as connection:
        stretch = {"domain": OURS, "source_key": "as:mailer.test", "since": when[0], "until": when[-1]}
        read = signature_remarks(connection, Scope(), pl.DataFrame([stretch]))
    assert set(read["remark"]) == {f"remark {day}" for _, day in told[:DOCUMENTS]}


def test_a_key_that_was_edited_in_dns(world: World) -> None:
    world.send(MAILER, BEFORE, 30, dkim=((OURS, "m1", "pass"),), spf=PATH)
    world.send(MAILER, AFTER, 30, dkim=((OURS, "m1", "permerror"),), spf=PATH)
    assert codes(ask(world)[0]) == ["selector_fails"]
    looks = [datetime.combine(BROKE + timedelta(days=at), time(3)) for at in (-40, -1, 0, 20)]
    with world.warehouse.writing() as connection:
        connection.executemany(
            "INSERT INTO dns_answer VALUES ('example.com', 'm1._domainkey.example.com', 'CNAME', ?, ?, ?)",
            [[["m1.mailer.test"], *looks[:2]], [[], *looks[2:]]],
        )
    # The answer that was kept rests on what DNS said, too.
    [drift] = [one for one in drifts(world.warehouse, Scope(), SETTINGS) if one.mechanism == "dkim"]
    assert codes(drift) == ["dns_key", "selector_fails"]
    assert drift.cause.subject == "m1._domainkey.example.com CNAME: -m1.mailer.test"
    assert "was edited between 23 October 2026 and 24 October 2026" in drift.cause.sentence


def test_a_policy_that_changed_stands_beside_the_cause(world: World) -> None:
    world.send(MAILER, BEFORE, 30, dkim=((OURS, "m1", "pass"),), spf=PATH)
    world.policy[OURS] = Policy("quarantine")
    world.send(MAILER, AFTER, 30, spf=PATH)
    [drift] = ask(world)
    assert codes(drift)[-1] == "policy_changed"
    assert drift.cause.code == "selector_vanished"


def test_one_reporter_alone_is_said(world: World) -> None:
    world.send(MAILER, BEFORE, 30, dkim=((OURS, "m1", "pass"),), spf=PATH, reporters=["google.com"])
    world.send(MAILER, AFTER, 30, dkim=((OURS, "m1", "fail"),), spf=PATH, reporters=["google.com"])
    [drift] = ask(world)
    assert codes(drift) == ["selector_fails", "one_reporter"]


def test_forwarders_are_no_drift_of_their_own(world: World) -> None:
    key, office, path = (OURS, "m1", "pass"), (OURS, "office", "pass"), ("srs.forward.test", "pass")
    world.send(MAILER, BEFORE, 90, dkim=(key,), spf=PATH)
    world.send(MAILER, AFTER, 90, dkim=(), spf=PATH)
    world.send("203.0.113.10", [*BEFORE, *AFTER], 60, dkim=(office,), spf=(OURS, "pass"))
    world.send("198.51.200.10", [*BEFORE, *AFTER], 12, dkim=(office,), spf=path)
    world.send("198.51.200.10", BEFORE, 6, dkim=(key,), spf=path)
    world.send("198.51.200.10", AFTER, 6, dkim=(), spf=path)
    [drift] = ask(world)
    assert drift.source_key == "as:mailer.test"
    assert len(drift.also_in) == 1


def test_one_selector_of_two_senders_is_a_drift_of_both(world: World) -> None:
    key = ((OURS, "shared", "pass"),)
    for address, messages in (("192.0.2.10", 30), ("192.88.99.10", 12)):
        world.send(address, BEFORE, messages, dkim=key, spf=PATH)
        world.send(address, AFTER, messages, dkim=((OURS, "shared", "fail"),), spf=PATH)
    assert [(drift.name, drift.also_in) for drift in ask(world)] == [("Mailer", ()), ("CRM", ())]


def test_only_the_domains_asked_for(world: World) -> None:
    for domain in (OURS, "example.net"):
        world.send(MAILER, BEFORE, 30, domain=domain, dkim=((domain, "m1", "pass"),), spf=PATH)
        world.send(MAILER, AFTER, 30, domain=domain, spf=PATH)
    assert [drift.domain for drift in ask(world, scope=Scope(("example.net",)))] == ["example.net"]
    assert ask(world, scope=Scope(until=BROKE)) == []
    # What broke before the days shown may be broken still.
    assert len(ask(world, scope=Scope(since=LAST))) == 2


def test_an_empty_warehouse_has_no_drift(world: World) -> None:
    assert ask(world) == []


def test_what_reports_say_never_stands_in_a_sentence(world: World) -> None:
    evil = "\u202egnp.exe\r\n<script>alert(1)</script>" + "x" * 300
    world.send(MAILER, BEFORE, 30, dkim=((OURS, evil, "pass"),), spf=(f"{evil}.{OURS}", "pass"))
    world.send(MAILER, AFTER, 30, dkim=((evil, evil, "pass"),), spf=(evil, "pass"))
    world.save()
    told = [cause for drift in drifts(world.warehouse, Scope(), SETTINGS) for cause in drift.causes]
    assert len(told) >= 4
    for cause in told:
        assert re.fullmatch(r"[A-Za-z0-9 ,;.%()]+", cause.sentence)
        assert len(cause.subject) <= 120
        assert not re.search("[\u202e\r\n]", cause.subject)
