"""The DMARC record and its destinations, against NSD."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ingest.probes.answer import Status
from ingest.probes.dmarc import Destination, DmarcObservation, probe
from ingest.probes.resolver import Resolver
from tests.servers.dovecot import free_port

pytestmark = pytest.mark.server


def test_a_record_and_who_takes_its_reports(resolver: Resolver) -> None:
    record = "v=DMARC1; p=none; rua=mailto:d@dmarc.test, mailto:x@agency.test!10m"
    outside = (Destination("agency.test", "dmarc.test._report._dmarc.agency.test", takes=True),)
    hosts = ("dmarc.test", "agency.test")
    whole = DmarcObservation("dmarc.test", Status.VALUE, "dmarc.test", (record,), hosts, 0, outside)
    assert probe("dmarc.test", resolver.lookup) == whole
    # A subdomain without one is under that of its organizational domain, and so are its reports.
    below = probe("sub.dmarc.test", resolver.lookup)
    assert (below.domain, below.found_at, below.record) == ("sub.dmarc.test", "dmarc.test", record)


@pytest.mark.parametrize(
    ("name", "records", "hosts", "unread"),
    [("two", 2, (), 0), ("mute", 1, (), 0), ("bad", 1, ("dmarc.test",), 2)],
)
def test_records_that_are_not_in_order(
    resolver: Resolver, name: str, records: int, hosts: tuple[str, ...], unread: int
) -> None:
    seen = probe(f"{name}.dmarc.test", resolver.lookup)
    assert (seen.found_at, len(seen.records)) == (f"{name}.dmarc.test", records)
    assert (seen.hosts, seen.unread, seen.record is None) == (hosts, unread, records > 1)


def test_a_destination_may_say_nothing_or_not_be_there_to_ask(resolver: Resolver) -> None:
    seen = probe("away.dmarc.test", resolver.lookup)
    assert [(one.host, one.takes) for one in seen.destinations] == [("agency.test", False), ("broken.test", None)]


def test_no_record_and_no_answer_are_two_things(resolver: Resolver, make_resolver: Callable[..., Resolver]) -> None:
    none = probe("example.test", resolver.lookup)
    assert (none.answered, none.found_at, none.records) == (True, "", ())
    dead = probe("dmarc.test", make_resolver(port=free_port(), timeout=0.3).lookup)
    assert (dead.answered, dead.records) == (False, ())
