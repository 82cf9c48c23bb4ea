"""SPF records taken apart: what they allow, what they take in, and what is left aside."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.probes import spf

DNS: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("example.com", "TXT"): ("v=spf1 ip4:192.0.2.0/24 include:spf.mail.test include:loop.test -all",),
    ("spf.mail.test", "TXT"): ("v=spf1 ip4:198.51.100.0/25 ip6:2001:db8::/48 include:deep.mail.test ~all",),
    ("deep.mail.test", "TXT"): ("v=spf1 ip4:203.0.113.7 -all",),
    ("loop.test", "TXT"): ("v=spf1 include:example.com include:two.test ip4:192.0.2.99 -all",),
    ("two.test", "TXT"): ("v=spf1 ip4:10.0.0.1 -all", "v=spf1 ip4:10.0.0.2 -all"),
    ("hosts.test", "TXT"): ("v=spf1 mx a:web.hosts.test/28 include:more.test ?a:never.test -a:never.test ~all",),
    ("hosts.test", "MX"): ("10 mx1.hosts.test.", "20 MX.elsewhere.test.", "0 ."),
    ("mx1.hosts.test", "A"): ("192.0.2.1",),
    ("mx1.hosts.test", "AAAA"): ("2001:db8::1",),
    ("mx.elsewhere.test", "A"): ("198.51.100.1",),
    ("web.hosts.test", "A"): ("203.0.113.18", "203.0.113.40"),
    ("more.test", "TXT"): ("v=spf1 a//64 -all a:late.test",),
    ("more.test", "AAAA"): ("2001:db8:1::9",),
    ("never.test", "A"): ("10.0.0.1",),
    ("late.test", "A"): ("10.0.0.2",),
}


def ask(name: str, rdtype: str) -> tuple[str, ...]:
    return DNS.get((name, rdtype), ())


def test_every_network_comes_with_the_way_to_it_and_a_circle_ends() -> None:
    found = [(str(one.block), *one.through[1:]) for one in spf.allowed("example.com", ask)]
    assert found == [
        ("192.0.2.0/24",),
        ("198.51.100.0/25", "spf.mail.test"),
        ("2001:db8::/48", "spf.mail.test"),
        ("203.0.113.7/32", "spf.mail.test", "deep.mail.test"),
        ("192.0.2.99/32", "loop.test"),
    ]


def test_hosts_are_followed_to_their_addresses_and_what_is_not_allowed_is_not() -> None:
    found = [(str(one.block), one.host, *one.through[1:]) for one in spf.allowed("hosts.test", ask)]
    assert found == [
        ("192.0.2.1/32", "mx1.hosts.test"),
        ("2001:db8::1/128", "mx1.hosts.test"),
        ("198.51.100.1/32", "mx.elsewhere.test"),
        ("203.0.113.16/28", "web.hosts.test"),
        ("203.0.113.32/28", "web.hosts.test"),
        ("2001:db8:1::/64", "more.test", "more.test"),
    ]


def allowed(record: str, **hosts: tuple[str, ...]) -> list[str]:
    """What a record allows, where each host of this world has one address."""
    given = {("own.test", "TXT"): (record,), **{(f"{name}.test", "A"): values for name, values in hosts.items()}}
    return [str(one.block) for one in spf.allowed("own.test", lambda *asked: given.get(asked, ()))]


def test_ten_terms_that_ask_are_looked_at_and_what_comes_after_is_not() -> None:
    # RFC 7208 section 4.6.4: `exists`, `ptr` and what says no count as well; addresses in the record do not.
    nine = "exists:%{i}.test ptr -a:h.test ?include:no.test " + "a:h.test " * 5
    one = {"h": ("192.0.2.1",)}
    assert allowed(f"v=spf1 {nine} a:h.test ip4:10.0.0.1 ip4:10.0.0.2 -all", **one)[-2:] == [
        "10.0.0.1/32",
        "10.0.0.2/32",
    ]
    assert "10.0.0.1/32" not in allowed(f"v=spf1 {nine} a:h.test a:h.test ip4:10.0.0.1 -all", **one)


def test_two_terms_may_find_nothing_and_no_more() -> None:
    record = "v=spf1 a:h.test a:gone.test mx:gone.test ip4:10.0.0.1 a:gone2.test ip4:10.0.0.2 -all"
    assert allowed(record, h=("192.0.2.1",)) == ["192.0.2.1/32", "10.0.0.1/32"]
    # That nobody told is not that there is nothing.
    silent = {("own.test", "TXT"): (record,)}
    assert [str(one.block) for one in spf.allowed("own.test", lambda *asked: silent.get(asked))] == [
        "10.0.0.1/32", "10.0.0.2/32",
    ]  # fmt: skip


def test_more_than_ten_exchanges_are_too_many() -> None:
    for count, found in ((10, 11), (11, 0)):
        given = {("own.test", "TXT"): ("v=spf1 mx ip4:10.0.0.1",)}
        given["own.test", "MX"] = tuple(f"10 m{number}.test." for number in range(count))
        given.update({(f"m{number}.test", "A"): (f"192.0.2.{number}",) for number in range(count)})
        assert len(list(spf.allowed("own.test", lambda *asked, told=given: told.get(asked, ())))) == found


@pytest.mark.parametrize(
    "term",
    [
        "a:a..b",
        "a/33",
        "a/0",
        "a//129",
        "a/24/24",
        "a:%{d}.test",
        "mx:/",
        "a:x.test/",
        "axe",
        "mxa:x.test",
        "a=x",
        "+",
        "",
    ],
)
def test_a_host_that_is_none_allows_nothing(term: str) -> None:
    assert allowed(f"v=spf1 {term} ip4:10.0.0.1 -all", own=("192.0.2.1",)) in (["10.0.0.1/32"],)


@pytest.mark.parametrize(
    ("record", "found"),
    [
        ("v=spf1 include:a.test -all", ("a.test",)),
        ("v=spf1 INCLUDE:A.test. +include:b.test ~include:c.test -include:d.test", ("a.test", "b.test")),
        ("v=spf1 redirect=a.test", ("a.test",)),
        ("v=spf1 redirect=a.test -all", ()),
        ("v=spf1 include:%{i}.a.test include:%{d} exists:%{i}.b.test a:c.test mx ptr", ()),
        (
            "v=spf1 include: include:. include:-.test include:a..test include:<b>.test include:" + "x." * 200 + "test",
            (),
        ),
        ("v=spf1 include:a.test include:a.test", ("a.test",)),
    ],
)
def test_what_a_record_takes_in(record: str, found: tuple[str, ...]) -> None:
    assert spf.includes(record) == found


@pytest.mark.parametrize(
    ("term", "found"),
    [
        ("ip4:192.0.2.1/24", ["192.0.2.0/24"]),
        ("+ip6:2001:DB8::1", ["2001:db8::1/128"]),
        ("-ip4:192.0.2.1", []),
        ("?ip4:192.0.2.1", []),
        ("ip4:0.0.0.0/0", []),
        ("ip6:192.0.2.1", []),
        ("ip4:2001:db8::1", []),
        ("ip4:192.0.2.1/33", []),
        ("ip4:999.0.2.1", []),
        ("ip4", []),
    ],
)
def test_which_networks_a_term_allows(term: str, found: list[str]) -> None:
    assert [str(block) for block in spf.blocks(f"v=spf1 {term} -all")] == found


def test_other_texts_are_no_spf_records() -> None:
    texts = ["v=spf1", "V=SPF1 -all", "v=spf10 -all", "google-site-verification=x", " v=spf1 -all", "v=spf1\t-all"]
    assert spf.records(texts) == ("v=spf1", "V=SPF1 -all")


def test_a_record_of_a_thousand_includes_costs_ten_questions() -> None:
    asked: list[str] = []

    def ask(name: str, _: str) -> tuple[str, ...]:
        asked.append(name)
        return ("v=spf1 " + " ".join(f"include:n{number}.{name}" for number in range(1000)),)

    assert list(spf.allowed("example.com", ask)) == []
    assert len(asked) == 1 + spf.LOOKUPS


@given(
    st.lists(
        st.sampled_from(
            [
                "a",
                "mx",
                "+a:x.test/8",
                "include:y.test",
                "ip4:10.0.0.0/8",
                "-all",
                "redirect=z.test",
                "a:",
                "mx//",
                "ptr:",
                "exists:%{i}",
                "\u212a",
                "a" * 300,
            ]
        ),
        max_size=30,
    ).map(" ".join)
)
def test_no_record_costs_more_than_its_bounds(text: str) -> None:
    asked: list[tuple[str, str]] = []

    def ask(name: str, rdtype: str) -> tuple[str, ...]:
        asked.append((name, rdtype))
        return (f"v=spf1 {text}",) if rdtype == "TXT" else ("192.0.2.1",) if rdtype == "A" else ()

    list(spf.allowed("own.test", ask))
    assert len(asked) <= 1 + spf.LOOKUPS * 2
