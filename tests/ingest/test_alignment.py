from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from publicsuffixlist import PSLFILE, PublicSuffixList

from ingest.alignment import aligned, organizational_domain


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("example.com", "example.com"),
        ("a.b.Example.COM.", "example.com"),
        ("mail.example.co.uk", "example.co.uk"),
        ("example.co.uk", "example.co.uk"),
        ("co.uk", "co.uk"),
        ("com", "com"),
        ("localhost", "localhost"),
        ("", ""),
        ("www.xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("a.b.unknown-suffix", "b.unknown-suffix"),
        ("shop.example.github.io", "example.github.io"),
    ],
)
def test_organizational_domain(name: str, expected: str) -> None:
    assert organizational_domain(name) == expected


def test_the_public_suffix_list_is_read_as_its_library_reads_it() -> None:
    library = PublicSuffixList()
    lines = Path(PSLFILE).read_text(encoding="utf-8").splitlines()
    suffixes = {line.split()[0].removeprefix("!").replace("*.", "") for line in lines if line and line[:2] != "//"}
    suffixes |= {suffix.encode("idna").decode() for suffix in suffixes if not suffix.isascii()}
    suffixes |= {"xn--", "xn--zzzz.com", "*.ck", "!www.ck", "a b.co.uk", "\u0130.com", "ß.de", "a..b", ".a", "a" * 300}
    assert len(suffixes) > 9_000
    for suffix in suffixes:
        for name in (suffix, f"a.{suffix}", f"b.a.{suffix}", f"d.c.b.a.{suffix.upper()}"):
            bare = name.lower().rstrip(".")
            assert organizational_domain(name) == (library.privatesuffix(bare) or bare), name


# RFC 7489 section 3.1.1 and 3.1.2 and what follows from them.
@pytest.mark.parametrize(
    ("header_from", "auth_domain", "mode", "expected"),
    [
        ("example.com", "example.com", "s", True),
        ("news.example.com", "example.com", "r", True),
        ("example.com", "news.example.com", "r", True),
        ("a.example.com", "b.example.com", "r", True),
        ("news.example.com", "example.com", "s", False),
        ("news.example.com", "example.com", None, True),
        ("news.example.com", "example.com", "relaxed?", True),
        ("Example.COM.", "example.com", "s", True),
        ("example.com", "example.net", "r", False),
        ("example.com", "com", "r", False),
        ("example.co.uk", "other.co.uk", "r", False),
        ("one.github.io", "two.github.io", "r", False),
        ("example.com", "notexample.com", "r", False),
        ("", "", "r", False),
        ("example.com", "", "r", False),
    ],
)
def test_aligned(header_from: str, auth_domain: str, mode: str | None, expected: bool) -> None:
    assert aligned(header_from, auth_domain, mode) is expected


NAMES = st.lists(st.sampled_from(["a", "mail", "example", "co", "uk", "com", "github", "io"]), max_size=4).map(".".join)


@given(NAMES, NAMES)
def test_alignment_is_mutual_and_strict_is_narrower(one: str, other: str) -> None:
    assert aligned(one, other) == aligned(other, one)
    assert aligned(one, other) or not aligned(one, other, "s")
    assert aligned(one, one, "s") is bool(one)


@given(NAMES)
def test_an_organizational_domain_is_its_own(name: str) -> None:
    assert organizational_domain(organizational_domain(name)) == organizational_domain(name)
