"""DNS against NSD: what is there, what is not, and what could not be found out."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable

import pytest

from ingest.errors import UsageError
from ingest.probes.answer import Status
from ingest.probes.resolver import Resolver
from ingest.settings import ResolverSettings
from tests.servers.dovecot import free_port
from tests.servers.nsd import Nsd

pytestmark = pytest.mark.server


@pytest.mark.parametrize(
    ("name", "rdtype", "status", "values"),
    [
        ("mx.example.test", "A", Status.VALUE, ("192.0.2.10",)),
        ("mx.example.test.", "A", Status.VALUE, ("192.0.2.10",)),
        ("mx.example.test", "AAAA", Status.VALUE, ("2001:db8::10",)),
        ("alias.example.test", "A", Status.VALUE, ("192.0.2.10",)),
        ("example.test", "MX", Status.VALUE, ("10 mx.example.test.", "20 mx2.example.test.")),
        ("split.example.test", "TXT", Status.VALUE, ("v=DKIM1; p=AAAABBBB",)),
        ("latin.example.test", "TXT", Status.VALUE, ("caf\\xe9",)),
        ("mx.example.test", "TXT", Status.NODATA, ()),
        ("empty.example.test", "A", Status.NODATA, ()),  # an empty non-terminal exists (RFC 8020)
        ("nope.example.test", "A", Status.NXDOMAIN, ()),
        ("host.elsewhere.test", "A", Status.REFUSED, ()),
        ("broken.test", "A", Status.SERVFAIL, ()),
        ("a..example.test", "A", Status.NXDOMAIN, ()),
        ("x" * 64 + ".example.test", "A", Status.NXDOMAIN, ()),
        ("\ud800.example.test", "A", Status.NXDOMAIN, ()),
    ],
)
def test_each_question_ends_in_one_status(
    resolver: Resolver, name: str, rdtype: str, status: Status, values: tuple[str, ...]
) -> None:
    answer = resolver.lookup(name, rdtype)
    assert (answer.status, answer.values) == (status, values)
    assert answer.answered == (status in (Status.VALUE, Status.NXDOMAIN, Status.NODATA))


def test_ttl_is_the_records_or_the_negative_one(resolver: Resolver) -> None:
    assert resolver.lookup("mx.example.test", "A").ttl == 300
    assert resolver.lookup("nope.example.test", "A").ttl == 60  # the SOA's minimum (RFC 2308)
    assert resolver.lookup("mx.example.test", "TXT").ttl == 60
    assert resolver.lookup("broken.test", "A").ttl is None


def test_a_closed_port_is_a_timeout_and_is_asked_again(make_resolver: Callable[..., Resolver]) -> None:
    resolver = make_resolver(port=free_port(socket.SOCK_DGRAM), timeout=0.3)
    began = time.monotonic()
    assert resolver.lookup("mx.example.test", "A").status == Status.TIMEOUT
    assert resolver.lookup("mx.example.test", "A").status == Status.TIMEOUT
    assert 0.4 < time.monotonic() - began < 10


def test_an_answer_is_kept_for_the_run_and_only_for_it(nsd: Nsd, make_resolver: Callable[..., Resolver]) -> None:
    resolver = make_resolver()
    assert resolver.lookup("mx.example.test", "A").answered
    nsd.stop()
    try:
        assert resolver.lookup("mx.example.test", "A").answered
        assert not make_resolver(timeout=0.3).lookup("mx.example.test", "A").answered
    finally:
        nsd.start()


def test_a_run_has_an_end(make_resolver: Callable[..., Resolver]) -> None:
    resolver = make_resolver(port=free_port(socket.SOCK_DGRAM), timeout=0.3, lifetime=0.5)
    began = time.monotonic()
    for number in range(50):
        assert resolver.lookup(f"n{number}.example.test", "A").status == Status.TIMEOUT
    assert time.monotonic() - began < 8


def test_the_run_begins_with_the_object(nsd: Nsd) -> None:
    now = [100.0]
    settings = ResolverSettings(nameservers=("127.0.0.1",), port=nsd.port, lifetime=20)
    resolver = Resolver(settings, clock=lambda: now[0])
    assert resolver.lookup("mx.example.test", "A").answered
    now[0] = 121.0
    assert resolver.lookup("mx.example.test", "AAAA").status == Status.TIMEOUT


def test_a_garbled_answer_is_no_answer(make_resolver: Callable[..., Resolver]) -> None:
    """Answers to other questions, noise and a cut packet must not be taken for facts."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        sock.settimeout(5)

        def answer() -> None:
            query, peer = sock.recvfrom(512)
            for noise in (b"", b"\0" * 3, b"\xff" * 40, query[:2] + b"\x81\x80" + b"\xff" * 30):
                sock.sendto(noise, peer)

        thread = threading.Thread(target=answer)
        thread.start()
        found = make_resolver(port=sock.getsockname()[1], timeout=0.5).lookup("mx.example.test", "A")
        thread.join()
    assert not found.answered


def test_a_large_answer_comes_by_tcp(nsd: Nsd, make_resolver: Callable[..., Resolver]) -> None:
    long = "".join(f'big TXT "{number:04d}{"x" * 200}"\n' for number in range(60))
    server = Nsd({"large.test": long})
    server.start()
    try:
        assert len(make_resolver(port=server.port).lookup("big.large.test", "TXT").values) == 60
    finally:
        server.remove()


def test_settings_that_name_no_address_are_refused() -> None:
    with pytest.raises(UsageError, match="no IP address"):
        Resolver(ResolverSettings(nameservers=("dns.example",)))


def test_the_second_nameserver_is_asked_when_the_first_is_dead(nsd: Nsd) -> None:
    settings = ResolverSettings(nameservers=("127.0.0.99", "127.0.0.1"), port=nsd.port, timeout=1.0)
    assert Resolver(settings).lookup("mx.example.test", "A").answered
