"""What an owner's DNS has for those who send for it, against NSD: pointers, SPF records, and nothing beside them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ingest.probes import owned
from ingest.probes.answer import Answer
from ingest.probes.names import Owned, is_below, key_name
from ingest.probes.resolver import Resolver
from ingest.settings import ResolverSettings
from tests.servers.nsd import Nsd

pytestmark = pytest.mark.server

OURS = """
@ TXT "v=spf1 include:spf.mailer.test include:spf2 .mailer.test -all"
@ TXT "google-site-verification=secret"
@ MX 10 mx.mailbox.test.
s1._domainkey CNAME s1.u1.mailer.test.
s2._domainkey TXT "v=DKIM1; p=AA" "AA"
s2._domainkey TXT "another=text"
inner._domainkey CNAME s1._domainkey
around._domainkey CNAME around2._domainkey
around2._domainkey CNAME around._domainkey
em CNAME u1.wl.mailer.test.
bounce MX 10 feedback.region.mailer.test.
plain A 192.0.2.1
"""
HOSTS = """
@ TXT "v=spf1 mx a:www.hosts.test include:spf.mailer.test -all"
@ MX 10 mx
@ MX 20 mx.mailer.test.
mx A 192.0.2.10
mx AAAA 2001:db8::10
www CNAME web
web A 192.0.2.11
"""
MAILER = """
spf TXT "v=spf1 ip4:198.51.100.0/24 -all"
spf TXT "another=text"
mx A 198.51.100.9
"""


@pytest.fixture(scope="module")
def resolver() -> Iterator[Resolver]:
    ours = OURS.replace("include:spf2 .mailer.test", "include:gone.elsewhere.test")
    server = Nsd({"ours.test": ours, "mailer.test": MAILER, "hosts.test": HOSTS})
    server.start()
    yield Resolver(ResolverSettings(nameservers=("127.0.0.1",), port=server.port, timeout=2.0))
    server.remove()


def asked(
    resolver: Resolver, *, keys: tuple[str, ...] = (), paths: tuple[str, ...] = ()
) -> dict[tuple[str, str], Answer]:
    told = owned.probe(Owned("ours.test", keys, paths), resolver)
    return {(one.name, one.rdtype): one for one in told}


def test_keys_and_return_paths_lead_to_whoever_keeps_them(resolver: Resolver) -> None:
    found = asked(
        resolver,
        keys=(key_name("S1", "ours.test"), key_name("s2", "ours.test")),
        paths=("em.ours.test", "bounce.ours.test", "plain.ours.test", "gone.ours.test"),
    )
    values = {name: one.values for name, one in found.items() if name[1] != "TXT" and one.values}
    assert values == {
        ("ours.test", "MX"): ("10 mx.mailbox.test.",),
        ("s1._domainkey.ours.test", "CNAME"): ("s1.u1.mailer.test.",),
        ("em.ours.test", "CNAME"): ("u1.wl.mailer.test.",),
        ("bounce.ours.test", "MX"): ("10 feedback.region.mailer.test.",),
    }
    assert found["s2._domainkey.ours.test", "CNAME"].answered
    assert found["plain.ours.test", "MX"].values == ()
    assert ("gone.ours.test", "MX") not in found


def test_a_key_in_our_own_zone_is_kept_and_so_is_that_it_is_gone(resolver: Resolver) -> None:
    names = [key_name(selector, "ours.test") for selector in ("s1", "s2", "gone", "inner")]
    found = asked(resolver, keys=tuple(names))
    texts = {name: one.values for (name, rdtype), one in found.items() if rdtype == "TXT" and "_domainkey" in name}
    # What stands elsewhere is nobody's business here.
    assert texts == {names[1]: ("v=DKIM1; p=AAAA",), names[2]: ()}


def test_an_alias_within_the_domain_is_followed_and_a_circle_ends(resolver: Resolver) -> None:
    found = asked(resolver, keys=("inner._domainkey.ours.test", "around._domainkey.ours.test"))
    assert found["inner._domainkey.ours.test", "CNAME"].values == ("s1._domainkey.ours.test.",)
    assert found["s1._domainkey.ours.test", "CNAME"].values == ("s1.u1.mailer.test.",)
    assert ("around2._domainkey.ours.test", "CNAME") in found


def test_of_text_records_only_spf_is_kept(resolver: Resolver) -> None:
    found = asked(resolver)
    assert len(found["ours.test", "TXT"].values) == 1
    assert found["spf.mailer.test", "TXT"].values == ("v=spf1 ip4:198.51.100.0/24 -all",)
    assert "secret" not in str(found)


def test_hosts_that_the_record_names_are_asked_for(resolver: Resolver) -> None:
    told = owned.probe(Owned("hosts.test"), resolver)
    values = {(one.name, one.rdtype): one.values for one in told if one.values}
    assert values == {
        ("hosts.test", "TXT"): ("v=spf1 mx a:www.hosts.test include:spf.mailer.test -all",),
        ("hosts.test", "MX"): ("10 mx.hosts.test.", "20 mx.mailer.test."),
        ("mx.hosts.test", "A"): ("192.0.2.10",),
        ("mx.hosts.test", "AAAA"): ("2001:db8::10",),
        ("mx.mailer.test", "A"): ("198.51.100.9",),
        ("www.hosts.test", "A"): ("192.0.2.11",),
        ("spf.mailer.test", "TXT"): ("v=spf1 ip4:198.51.100.0/24 -all",),
    }


@pytest.mark.parametrize(
    "name",
    [
        "s1._domainkey.evil.test",
        "xours.test",
        "a b.ours.test",
        "<b>.ours.test",
        "x" * 64 + ".ours.test",
        "",
        ".ours.test",
    ],
)
def test_a_name_that_a_report_invented_is_not_asked_for(resolver: Resolver, name: str) -> None:
    found = asked(resolver, keys=(name,), paths=(name,))
    assert {one for one, _ in found} == {"ours.test", "spf.mailer.test", "gone.elsewhere.test"}
    assert not is_below(name, "ours.test")


def test_many_at_once_keep_what_was_answered(resolver: Resolver) -> None:
    told = owned.probe_many([Owned("ours.test"), Owned("unserved.test", (), ("em.unserved.test",))], resolver, 5.0)
    assert {(domain, one.name) for domain, one in told} == {
        ("ours.test", "ours.test"),
        ("ours.test", "spf.mailer.test"),
    }


def test_a_name_server_that_is_silent_ends_in_time() -> None:
    silent = Resolver(ResolverSettings(nameservers=("127.0.0.1",), port=1, timeout=0.2, lifetime=0.5))
    paths = tuple(f"n{number}.ours.test" for number in range(20))
    assert owned.probe_many([Owned("ours.test", (), paths)], silent, 0.5) == []
