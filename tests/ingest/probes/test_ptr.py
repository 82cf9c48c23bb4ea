"""PTR with forward confirmation, against NSD."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable

import pytest

from ingest.probes.answer import Status
from ingest.probes.ptr import PtrObservation, probe, probe_many
from ingest.probes.resolver import Resolver
from tests.servers.dovecot import free_port

pytestmark = pytest.mark.server


@pytest.mark.parametrize(
    ("ip", "names", "confirmed", "status"),
    [
        ("192.0.2.10", ("mx.example.test",), ("mx.example.test",), Status.VALUE),
        ("192.0.2.21", ("two.example.test",), ("two.example.test",), Status.VALUE),
        ("::ffff:192.0.2.10", ("mx.example.test",), ("mx.example.test",), Status.VALUE),
        ("2001:db8::10", ("mx.example.test",), ("mx.example.test",), Status.VALUE),
        ("2001:0DB8:0::0010", ("mx.example.test",), ("mx.example.test",), Status.VALUE),
        # The name belongs to somebody else: it leads to another address, or nowhere.
        ("192.0.2.11", ("mx.example.test",), (), Status.VALUE),
        ("2001:db8::11", ("mx.example.test",), (), Status.VALUE),
        ("192.0.2.12", ("nowhere.example.test",), (), Status.VALUE),
        # One name agrees, another does not.
        ("192.0.2.14", ("mail14.example.test", "mx.example.test"), ("mail14.example.test",), Status.VALUE),
        # Whether the name agrees could not be found out, so nothing is claimed …
        ("192.0.2.13", ("host.elsewhere.test",), (), Status.REFUSED),
        # … unless another name has confirmed the address already.
        ("192.0.2.15", ("fifteen.example.test", "host.elsewhere.test"), ("fifteen.example.test",), Status.VALUE),
        ("192.0.2.22", (), (), Status.NODATA),
        ("192.0.2.99", (), (), Status.NXDOMAIN),
        ("2001:db8::99", (), (), Status.NXDOMAIN),
        ("198.51.100.1", (), (), Status.REFUSED),
    ],
)
def test_an_address_and_its_names(
    resolver: Resolver, ip: str, names: tuple[str, ...], confirmed: tuple[str, ...], status: Status
) -> None:
    assert probe(ip, resolver) == PtrObservation(ip, names, confirmed, status)


def test_an_address_with_forty_names_costs_ten_questions(resolver: Resolver) -> None:
    assert len(probe("192.0.2.50", resolver).names) == 10


def test_many_at_once_leave_out_what_failed(resolver: Resolver) -> None:
    asked = ["192.0.2.99", "198.51.100.1", "192.0.2.10", "192.0.2.13", "not an address", "192.0.2.10"]
    found = probe_many(asked, resolver, lifetime=5, workers=4)
    assert list(found) == ["192.0.2.99", "192.0.2.10"]
    assert found["192.0.2.99"].status == Status.NXDOMAIN
    assert found["192.0.2.10"].confirmed == ("mx.example.test",)


def test_many_at_once_end_in_time(make_resolver: Callable[..., Resolver]) -> None:
    dead = make_resolver(port=free_port(socket.SOCK_DGRAM), timeout=0.4)
    began = time.monotonic()
    assert probe_many((f"192.0.2.{last}" for last in range(256)), dead, lifetime=0.8, workers=8) == {}
    assert time.monotonic() - began < 8


def test_many_at_once_are_fast(resolver: Resolver) -> None:
    began = time.monotonic()
    found = probe_many((f"192.0.2.{last}" for last in range(256)), resolver, lifetime=60)
    assert len(found) == 255  # all but .13
    assert time.monotonic() - began < 30


def test_nothing_asked_is_nothing_found(resolver: Resolver) -> None:
    assert probe_many([], resolver, lifetime=1) == {}
