"""Blocklists in a real name server: one that works, and all that must not be taken for a listing."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address

import pytest

from ingest.probes.blocklists import Listing, State, Told, probe_many, question
from ingest.probes.resolver import Resolver
from ingest.settings import ResolverSettings
from tests.servers.nsd import Nsd

LISTED, FREE, LISTED6 = "95.216.3.4", "95.216.3.5", "2a01:4f8:c2c:1::7"
TESTS = f"2.0.0.127 A 127.0.0.2\n{question(ip_address('::ffff:7f00:2'), 'x')[:-2]} A 127.0.0.2\n"
ZONES = {
    "works.test": TESTS
    + f"{question(ip_address(LISTED), 'x')[:-2]} A 127.0.0.4\n"
    + f"{question(ip_address(LISTED), 'x')[:-2]} A 127.0.0.11\n"
    + f"{question(ip_address(LISTED6), 'x')[:-2]} A 127.0.0.3\n"
    + "9.3.216.95 A 127.255.255.254\n8.3.216.95 A 192.0.2.1\n",
    "everything.test": "* A 127.0.0.2\n",
    "parked.test": "* A 192.0.2.80\n",
    "empty.test": "",
    "only4.test": "2.0.0.127 A 127.0.0.2\n",
    "refuses.test": "* A 127.255.255.254\n",
    "refuses1.test": TESTS + "1.0.0.127 A 127.0.0.1\n",
    "broken.test": "@ A this-is-no-address\n",
}
pytestmark = pytest.mark.server


@pytest.fixture(scope="module")
def resolver() -> Iterator[Resolver]:
    server = Nsd(ZONES)
    server.start()
    yield Resolver(ResolverSettings(nameservers=("127.0.0.1",), port=server.port, lifetime=300.0))
    server.remove()


def asked(resolver: Resolver, *zones: str, ips: tuple[str, ...] = (LISTED, FREE, LISTED6)) -> Told:
    return probe_many(ips, zones, resolver, 20.0)


def test_names_are_the_address_turned_round() -> None:
    assert question(ip_address("192.0.2.99"), "bad.example.com") == "99.2.0.192.bad.example.com"
    # RFC 5782 section 2.4, its own example.
    assert question(ip_address("2001:db8:1:2:3:4:567:89ab"), "ugly.example.com") == (
        "b.a.9.8.7.6.5.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.8.b.d.0.1.0.0.2.ugly.example.com"
    )


def test_a_list_that_works_says_listed_and_not_listed(resolver: Resolver) -> None:
    told = asked(resolver, "works.test")
    assert {(one.version, one.state) for one in told.zones} == {(4, State.WORKS), (6, State.WORKS)}
    assert told.listings == (
        Listing(LISTED, "works.test", ("127.0.0.11", "127.0.0.4")),
        Listing(FREE, "works.test", ()),
        Listing(LISTED6, "works.test", ("127.0.0.3",)),
    )


@pytest.mark.parametrize(
    ("zone", "state"),
    [
        ("everything.test", State.EVERYTHING),
        ("parked.test", State.EVERYTHING),
        ("empty.test", State.NOTHING),
        ("refuses.test", State.REFUSES),
        ("refuses1.test", State.REFUSES),
        ("broken.test", State.SILENT),
        ("nowhere.test", State.SILENT),
    ],
)
def test_a_list_that_fails_its_test_is_asked_for_nobody(resolver: Resolver, zone: str, state: State) -> None:
    told = asked(resolver, zone, "works.test", ips=(LISTED,))
    assert [(one.zone, one.state) for one in told.zones] == [(zone, state), ("works.test", State.WORKS)]
    assert [one.zone for one in told.listings] == ["works.test"]


def test_versions_are_tested_apart(resolver: Resolver) -> None:
    told = asked(resolver, "only4.test")
    assert {(one.version, one.state) for one in told.zones} == {(4, State.WORKS), (6, State.NOTHING)}
    assert [one.source_ip for one in told.listings] == [LISTED, FREE]


def test_a_refusal_in_the_middle_and_somebodys_web_server_are_no_answers(resolver: Resolver) -> None:
    assert asked(resolver, "works.test", ips=("95.216.3.9", "95.216.3.8")).listings == ()


def test_only_public_addresses_are_asked_for(resolver: Resolver) -> None:
    ips = ("10.0.0.1", "127.0.0.2", "::1", "fe80::1", "no address", "224.0.0.5", f"::ffff:{LISTED}")
    told = asked(resolver, "works.test", ips=ips)
    assert [(one.source_ip, bool(one.codes)) for one in told.listings] == [(f"::ffff:{LISTED}", True)]
    assert asked(resolver, "works.test", ips=("10.0.0.1",)) == Told((), ())


def test_silence_ends_in_time_and_is_nothing() -> None:
    silent = Resolver(ResolverSettings(nameservers=("127.0.0.1",), port=1, timeout=0.2, lifetime=0.5))
    told = probe_many([f"95.216.3.{number}" for number in range(200)], ["a.test", "b.test"], silent, 0.5)
    assert [one.state for one in told.zones] == [State.SILENT, State.SILENT]
    assert told.listings == ()
