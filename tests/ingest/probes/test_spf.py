"""SPF records taken apart: what they allow, what they take in, and what is left aside."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from ingest.probes import spf

TEXTS: Mapping[str, tuple[str, ...]] = {
    "example.com": ("v=spf1 ip4:192.0.2.0/24 include:spf.mail.test include:loop.test -all",),
    "spf.mail.test": ("v=spf1 ip4:198.51.100.0/25 ip6:2001:db8::/48 include:deep.mail.test ~all",),
    "deep.mail.test": ("v=spf1 ip4:203.0.113.7 -all",),
    "loop.test": ("v=spf1 include:example.com include:two.test ip4:192.0.2.99 -all",),
    "two.test": ("v=spf1 ip4:10.0.0.1 -all", "v=spf1 ip4:10.0.0.2 -all"),
}


def test_every_network_comes_with_the_way_to_it_and_a_circle_ends() -> None:
    found = [(str(block), *through[1:]) for block, through in spf.allowed("example.com", TEXTS)]
    assert found == [
        ("192.0.2.0/24",),
        ("198.51.100.0/25", "spf.mail.test"),
        ("2001:db8::/48", "spf.mail.test"),
        ("203.0.113.7/32", "spf.mail.test", "deep.mail.test"),
        ("192.0.2.99/32", "loop.test"),
    ]


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

    def ask(name: str) -> tuple[str, ...]:
        asked.append(name)
        return ("v=spf1 " + " ".join(f"include:n{number}.{name}" for number in range(1000)),)

    assert len(spf.walk("example.com", ask)) == len(asked) == 1 + spf.LOOKUPS


def test_a_walk_keeps_what_was_answered_alone() -> None:
    found = spf.walk("example.com", lambda name: None if name == "deep.mail.test" else TEXTS.get(name, ()))
    assert list(found) == ["example.com", "spf.mail.test", "loop.test", "two.test"]
