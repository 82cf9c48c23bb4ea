"""A name server for the probes: a forward zone, two reverse zones, a broken one."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from ingest.probes.resolver import Resolver
from ingest.settings import ResolverSettings
from tests.servers.nsd import Nsd

_FORWARD = """
mx A 192.0.2.10
mx AAAA 2001:db8::10
alias CNAME mx
@ MX 20 mx2
@ MX 10 mx
split TXT "v=DKIM1; p=" "AAAA" "BBBB"
latin TXT "caf\\233"
deep.empty A 192.0.2.77
two A 192.0.2.20
two A 192.0.2.21
"""
# Records in order and not; of the last, one destination says something else, and the server of the other is broken.
_DMARC = """
_dmarc TXT "v=DMARC1; p=none; " "rua=mailto:d@dmarc.test, mailto:x@agency.test!10m"
_dmarc.sub TXT "v=spf1 -all"
_dmarc.two TXT "v=DMARC1; p=none"
_dmarc.two TXT "v=DMARC1; p=reject"
_dmarc.mute TXT "v=DMARC1; p=none"
_dmarc.bad TXT "v=DMARC1;p=none;rua=http://x.test,mailto:a b@x.test,mailto:d@dmarc.test"
_dmarc.away TXT "v=DMARC1; p=none; rua=mailto:a@agency.test,mailto:b@broken.test"
"""
_REVERSE = """
10 PTR mx.example.test.
11 PTR MX.example.test.
12 PTR nowhere.example.test.
13 PTR host.elsewhere.test.
14 PTR mx.example.test.
14 PTR mail14.example.test.
15 PTR host.elsewhere.test.
15 PTR fifteen.example.test.
21 PTR two.example.test.
22 TXT "no pointer"
"""
_MANY = "".join(f"50 PTR n{number}.example.test.\n" for number in range(40))
_V6 = f"{'.'.join(reversed('0010'))}.{'.'.join('0' * 20)} PTR mx.example.test.\n"
_V6 += f"{'.'.join(reversed('0011'))}.{'.'.join('0' * 20)} PTR mx.example.test.\n"


@pytest.fixture(scope="session")
def nsd() -> Iterator[Nsd]:
    server = Nsd(
        {
            "example.test": _FORWARD + "mail14 A 192.0.2.14\nfifteen A 192.0.2.15\n",
            "dmarc.test": _DMARC,
            "agency.test": 'dmarc.test._report._dmarc TXT "v=DMARC1;"\naway.dmarc.test._report._dmarc TXT "v=spf1"\n',
            "2.0.192.in-addr.arpa": _REVERSE + _MANY,
            "8.b.d.0.1.0.0.2.ip6.arpa": _V6,
            "broken.test": "@ A this-is-no-address\n",
        }
    )
    server.start()
    yield server
    server.remove()


@pytest.fixture
def make_resolver(nsd: Nsd) -> Callable[..., Resolver]:
    def make(port: int = 0, timeout: float = 2.0, lifetime: float = 20.0) -> Resolver:
        return Resolver(
            ResolverSettings(nameservers=("127.0.0.1",), port=port or nsd.port, timeout=timeout, lifetime=lifetime)
        )

    return make


@pytest.fixture
def resolver(make_resolver: Callable[..., Resolver]) -> Resolver:
    return make_resolver()
