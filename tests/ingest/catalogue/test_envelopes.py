"""Return paths as forwarders, lists and services write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.catalogue.envelopes import Rewriting, domain_habit, rewriting


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("SRS0=HHH=TT=example.com=alice@forwarder.example", Rewriting("srs", "example.com")),
        ("<srs0+Ab1/=Zq=Example.COM=a.b+c=d@x.example>", Rewriting("srs", "example.com")),
        ("SRS1=HHH=first.example==HHH=TT=example.com=alice@second.example", Rewriting("srs", "example.com")),
        ("alice+caf_=bob=there.example@gmail.com", Rewriting("forwarded")),
        ("prvs=0123abcdef=alice@example.com", Rewriting("batv")),
        ("prvs=alice/0123abcdef@example.com", Rewriting("batv")),
        ("btv1==0123==alice@example.com", Rewriting("batv")),
        ("msprvs1=19000abc=bounces-12345-1@bounces.example.com", Rewriting("batv")),
        ("list-bounces+alice=example.com@lists.example.org", Rewriting("verp", "example.com")),
        ("bounces+12345-ab12-alice=example.com@em.example.net", Rewriting("verp", "example.com")),
        ("bounces+SRS@x.example", Rewriting("bounce")),
        ("bounce-mc.us1_123.456@mail1.example.net", Rewriting("bounce")),
        ("mailman-bounces@lists.example.org", Rewriting("bounce")),
        ("alice@example.com", None),
        ("alice+shopping@example.com", None),
        ("srs0@example.com", None),
        ("trebounce@example.com", None),
        ("no address", None),
        ("@example.com", None),
        ("", None),
    ],
)
def test_what_a_local_part_tells(address: str, expected: Rewriting | None) -> None:
    assert rewriting(address) == expected


@pytest.mark.parametrize(
    ("domain", "habit"),
    [
        ("srs.forwarder.example", "forwarder"),
        ("srs2.example.com", "forwarder"),
        ("FWD.example.com", "forwarder"),
        ("lists.example.org", "list"),
        ("mailman3.example.org", "list"),
        ("bounces.example.com", "bounce"),
        ("em1234.example.com", "bounce"),
        ("pm-bounces.example.com", "bounce"),
        ("example.com", None),
        ("lists", None),
        ("embassy.example.com", None),
        ("", None),
    ],
)
def test_what_the_name_of_a_return_path_tells(domain: str, habit: str | None) -> None:
    assert domain_habit(domain) == habit


@given(st.text(max_size=700))
def test_no_text_does_harm(text: str) -> None:
    rewriting(text)
    rewriting(f"{text}@example.com")
    domain_habit(text)


@pytest.mark.parametrize("filling", ["=", "srs0=", "a+", "=a.", "a=a=", "bounces-", "+", "srs1=a=a=="])
def test_the_work_is_bounded(filling: str) -> None:
    for length in (500, 100_000):
        rewriting((filling * length)[:length] + "@example.com")
