"""Who sends as me? Stories about names, first days, and what people decided."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest

from analysis.changes import FORGED_KIND, MISSED_KIND, forged, missed
from analysis.counted_rows import counted_rows
from analysis.settings import SourceSettings
from analysis.sources import DECIDED, Source, Sources, by_domain, each, kinds, sources
from tests.analysis.world import LAST, MAILER, MAILER_KEYS, MAILER_PATH, OURS, RELAY, TODAY, World, days, usual
from warehouse.connect import Warehouse
from warehouse.errors import WarehouseMissing
from warehouse.scope import Scope
from warehouse.settings import WarehouseSettings

SETTINGS = SourceSettings()
MAILER_KEY, RELAY_KEY = "as:mailer.test", "net:198.51.100.0/24"


def ask(world: World, scope: Scope | None = None, today: object = TODAY) -> Sources:
    return sources(world.warehouse, scope or Scope(), TODAY, SETTINGS)


def only(found: Sequence[Source], key: str) -> Source:
    [source] = [source for source in found if source.source_key == key]
    return source


def test_an_empty_warehouse_has_no_sources(world: World) -> None:
    assert ask(world) == []


def test_a_missing_warehouse_says_so(tmp_path: Path) -> None:
    with pytest.raises(WarehouseMissing):
        sources(Warehouse(tmp_path / "none.duckdb", WarehouseSettings()), Scope(), TODAY, SETTINGS)


def test_one_report_is_enough_to_name_a_source(world: World) -> None:
    world.send(MAILER, days(0), 7, dkim=MAILER_KEYS, spf=MAILER_PATH, reporters=("Yahoo",))
    world.save()
    [source] = ask(world)
    assert (source.domain, source.source_key, source.name) == (OURS, MAILER_KEY, "Mailer")
    assert (source.service_type, source.as_domain, source.as_name) == ("Marketing", "mailer.test", "Mailer Inc.")
    assert (source.messages, source.aligned, source.dkim_aligned, source.spf_aligned) == (7, 7, 7, 0)
    assert (source.first_seen, source.last_seen, source.days, source.reporters, source.ips) == (LAST, LAST, 1, 1, 1)
    assert not source.is_new
    assert source.decision is None


def test_sources_are_told_alike_one_by_one_and_all_at_once(world: World) -> None:
    for sent in (MAILER, RELAY):
        world.send(sent, days(20), 7, dkim=MAILER_KEYS, spf=MAILER_PATH)
        world.send(sent, days(20), 5, domain="example.org")
    world.save()
    world.decide(RELAY_KEY, "spoof", owner="Ada")
    names = ("domain", "source_key", "kind", "verdict", "messages", "is_new", "decided", "owner")
    found = ask(world)
    assert len(found) == 4
    assert {one.decided for one in found} == {None, "spoof"}
    reordered = found.chosen([3, 0, 2, 1])
    for asked in (found, reordered, found[1:3], found[:0], *by_domain(reordered).values()):
        said = list(each(asked, *names))
        assert said == list(each(list(asked), *names)) == [tuple(getattr(one, name) for name in names) for one in asked]
    assert list(reordered) == [found[3], found[0], found[2], found[1]]
    # Once more of sources of which none was looked at before.
    assert list(ask(world).chosen([3, 0, 2, 1])) == list(reordered)
    assert {domain: list(part) for domain, part in by_domain(reordered).items()} == by_domain(list(reordered))
    with pytest.raises(AssertionError):
        list(each(found, "evidence"))


def test_a_verdict_does_not_depend_on_the_days_that_are_shown(world: World) -> None:
    # As much that passes SPF as the domain as what looks passed on: on its last days alone, the latter seems to win.
    world.send(RELAY, days(39), 10, spf=(OURS, "pass"))
    world.send(RELAY, days(39), 3, dkim=[("example.com", "away", "pass")], reason=("forwarded", ""))
    world.send(MAILER, days(39), 90, dkim=[("example.com", "away", "pass")])
    world.save()
    whole = only(ask(world, Scope((OURS,), LAST - timedelta(days=39), LAST)), RELAY_KEY)
    last = only(ask(world, Scope((OURS,), LAST - timedelta(days=2), LAST)), RELAY_KEY)
    assert whole.path is not None
    assert whole.path.passed_on == whole.messages - whole.spf_aligned
    assert (last.path, last.probabilities, last.proof) == (whole.path, whole.probabilities, whole.proof)
    assert [entry.sentence for entry in last.evidence] == [entry.sentence for entry in whole.evidence]
    assert (last.messages, last.spf_aligned) == (3 * 39, 3 * 30)  # those are of the days asked for


def test_the_rows_behind_the_evidence_are_those_that_it_counts(world: World) -> None:
    world.send(MAILER, days(39), 7, dkim=MAILER_KEYS, spf=MAILER_PATH)
    world.send(RELAY, days(39), 2)
    world.save()
    scope = Scope((OURS,), LAST - timedelta(days=2), LAST)
    source = only(ask(world, scope), MAILER_KEY)
    with world.warehouse.reading() as connection:
        found = counted_rows(connection, source, scope, TODAY, SETTINGS)
    assert set(found) == {entry.rows for entry in source.evidence if entry.rows}
    for table in ("source_day", "daily"):
        assert found[table]["messages"].sum() == 40 * 7 * 3
    keys = found["signature_month"].group_by("signing_domain").agg(pl.col("messages").sum())
    assert dict(keys.iter_rows()) == {domain: 40 * 7 * 3 for domain, _, _ in MAILER_KEYS}
    assert found["source_day"]["first_day"].min() == LAST - timedelta(days=39)


def test_the_largest_comes_first_and_counts_are_over_the_scope(world: World) -> None:
    usual(world, days(19))
    world.save()
    found = ask(world, Scope((OURS,), LAST - timedelta(days=4), LAST))
    assert [source.messages for source in found] == [450, 300, 120]
    assert {source.first_seen for source in found} == {LAST - timedelta(days=19)}


def test_a_tenant_is_named_by_its_network_and_never_by_its_hoster_alone(world: World) -> None:
    usual(world, days(5))
    world.save()
    relay = only(ask(world), RELAY_KEY)
    assert relay.name == "198.51.100.0/24 (Rent a Server GmbH)"
    assert relay.service is None


def test_new_is_what_was_never_seen_before_though_the_scope_is_short(world: World) -> None:
    usual(world, days(40))
    world.send("192.88.99.5", days(5), spf=("crm.test", "pass"))
    world.save()
    week = ask(world, Scope((), LAST - timedelta(days=6), LAST))
    assert [source.source_key for source in week if source.is_new] == ["as:crm.test"]


def test_nothing_is_new_in_a_domains_first_week(world: World) -> None:
    usual(world, days(40))
    usual(world, days(5), domain="example.org")
    world.save()
    assert not [source for source in ask(world) if source.is_new]


def test_what_was_new_once_is_not_new_for_ever(world: World) -> None:
    usual(world, days(40))
    world.send("192.88.99.5", days(20), spf=("crm.test", "pass"))
    world.save()
    assert not only(ask(world), "as:crm.test").is_new
    assert only(ask(world, Scope((), None, LAST - timedelta(days=16))), "as:crm.test").is_new


def test_a_report_from_the_future_makes_nothing_old(world: World) -> None:
    usual(world, days(40))
    world.send("192.88.99.5", days(3), spf=("crm.test", "pass"))
    world.send(MAILER, [LAST + timedelta(days=4000)], dkim=MAILER_KEYS, spf=MAILER_PATH, reporters=("wild clock",))
    world.save()
    assert only(ask(world), "as:crm.test").is_new


@pytest.mark.parametrize(
    ("decision", "kind"),
    [("approved", "aligned"), ("forwarder", "forwarded"), ("spoof", "spoofing"), ("retired", "aligned")],
)
def test_a_persons_decision_always_wins(world: World, decision: str, kind: str) -> None:
    usual(world, days(30))
    world.save()
    world.decide(MAILER_KEY, decision, owner="Marketing")
    source = only(ask(world), MAILER_KEY)
    assert (source.kind, source.confidence, source.decided, source.owner) == (kind, 1.0, decision, "Marketing")
    assert source.evidence[0].code == "decided"


def test_an_approved_source_that_no_longer_aligns_is_misaligned(world: World) -> None:
    usual(world, days(60))
    world.send("198.51.100.200", days(20), 100, spf=(OURS, "fail"))
    world.save()
    world.decide(RELAY_KEY, "approved")
    assert only(ask(world), RELAY_KEY).kind == "misaligned"


def test_a_decision_holds_to_its_last_day_and_keeps_its_owner(world: World) -> None:
    usual(world, days(30))
    world.save()
    world.decide(MAILER_KEY, "spoof", owner="Ada", until=TODAY)
    assert only(sources(world.warehouse, Scope(), TODAY, SETTINGS), MAILER_KEY).kind == "spoofing"
    later = only(sources(world.warehouse, Scope(), TODAY + timedelta(days=1), SETTINGS), MAILER_KEY)
    assert (later.kind, later.decided, later.owner) == ("aligned", None, "Ada")
    assert later.decision is not None
    assert later.decision.decision == "undecided"


def test_kinds_alone_are_those_of_the_sources_whatever_was_decided(world: World) -> None:
    usual(world, days(30))
    said = [(one, until) for one in DECIDED for until in (None, TODAY, TODAY - timedelta(days=1))]
    # Of each ten messages as many align as count as aligned at the least, one fewer, and none.
    aligning = (8, 7, 0)
    for number in range(len(said) * len(aligning)):
        network, aligned = f"100.64.{number}.1", aligning[number % len(aligning)]
        for messages, spf in ((aligned, (OURS, "pass")), (10 - aligned, ("elsewhere.test", "none"))):
            if messages:
                world.send(network, days(9), messages, spf=spf)
    world.save()
    for number in range(len(said) * len(aligning)):
        decision, until = said[number // len(aligning)]
        world.decide(f"net:100.64.{number}.0/24", decision, owner="Ada", until=until)
    world.decide(MAILER_KEY, "spoof")
    world.undo(MAILER_KEY)
    found = ask(world)
    rows = kinds(world.warehouse, Scope(), TODAY, SETTINGS)
    assert list(rows.iter_rows()) == [
        (one.domain, one.source_key, one.as_domain, one.last_seen, one.kind, one.decided) for one in found
    ]
    assert {one.kind for one in found} == {"aligned", "misaligned", "forwarded", "spoofing"}
    assert {one.decided for one in found} == {None, *DECIDED}
    assert rows.select(FORGED_KIND).to_series().to_list() == [forged(one) for one in found]
    assert rows.select(MISSED_KIND).to_series().to_list() == [missed(one) for one in found]


def test_a_decision_taken_back_is_none(world: World) -> None:
    usual(world, days(30))
    world.save()
    world.decide(MAILER_KEY, "spoof")
    world.undo(MAILER_KEY)
    assert only(ask(world), MAILER_KEY).decided is None


def test_a_decision_for_one_domain_says_nothing_of_another(world: World) -> None:
    usual(world, days(30))
    usual(world, days(30), domain="example.org")
    world.save()
    world.decide(MAILER_KEY, "spoof")
    found = sources(world.warehouse, Scope(("example.org",)), TODAY, SETTINGS)
    assert only(found, MAILER_KEY).kind == "aligned"


def test_the_answer_does_not_depend_on_which_domains_are_asked_for(world: World) -> None:
    usual(world, days(30))
    usual(world, days(20), domain="example.org")
    world.send("198.18.7.7", days(9), spf=("nowhere.test", "none"), domain="example.org")
    world.save()
    together = [source for source in ask(world) if source.domain == "example.org"]
    assert ask(world, Scope(("example.org",))) == together


def test_hostile_text_in_reports_reaches_no_name_and_no_sentence(world: World) -> None:
    evil = "![x](http://evil.test)<b>'; DROP TABLE daily--\u202e"
    usual(world, days(30))
    world.send(
        "198.18.1.1", days(9), dkim=((evil, evil, "pass"), (OURS, evil, evil)), spf=(evil, "pass"),
        reason=(evil, evil), header_from=OURS, reporters=(evil, "Yahoo"),
    )  # fmt: skip
    world.save()
    told = only(ask(world), "net:198.18.1.0/24")
    text = " ".join([told.name, told.source_key, *(entry.sentence + entry.code for entry in told.evidence)])
    assert told.evidence
    assert not set(text) & set("<>![]\u202e")
    assert "evil" not in text


def test_the_relay_is_found_by_address_whatever_its_form(world: World) -> None:
    world.send("2001:db8::1", days(3))
    world.send("not an address", days(3))
    world.send(RELAY, days(3))
    world.save()
    assert {source.source_key for source in ask(world)} == {"net:2001:db8::/64", "net:invalid", RELAY_KEY}
