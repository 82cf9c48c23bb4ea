"""Whose record applies, and where an organization ends: the examples of RFC 9989, and what lies beside them."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.discovery import MOST, Discovered, Records, discover, dmarc_records, tags, targets

R = "v=DMARC1; p=reject"
N, Y = f"{R}; psd=n", f"{R}; psd=y"
GIANT, MEGA = "giant.bank.example", "mega.bank.example"
BANK = {GIANT: R, "bank.example": Y}
TEN = "a.b.c.d.e.f.g.h.example.com"
SIX = "d.e.f.g.h.example.com"


def at(records: Mapping[str, str | tuple[str, ...] | None]) -> Records:
    """DNS that has these records, no others, and no answer where a name has None."""

    def records_at(name: str) -> tuple[str, ...] | None:
        found = records.get(name, ())
        return (found,) if isinstance(found, str) else found

    return records_at


def test_the_walk_of_the_rfc_asks_eight_names() -> None:
    assert targets("a.b.c.d.e.f.g.h.i.j.mail.example.com") == (
        "a.b.c.d.e.f.g.h.i.j.mail.example.com",
        *("g.h.i.j.mail.example.com", "h.i.j.mail.example.com", "i.j.mail.example.com"),
        *("j.mail.example.com", "mail.example.com", "example.com", "com"),
    )
    assert targets("a.mail.example.com") == ("a.mail.example.com", "mail.example.com", "example.com", "com")
    assert targets("com") == ("com",)


@pytest.mark.parametrize("labels", range(1, 14))
def test_no_walk_asks_more_than_eight_names(labels: int) -> None:
    name = ".".join(f"l{number}" for number in range(labels))
    asked = targets(name)
    assert len(asked) == min(labels, MOST)
    assert len(set(asked)) == len(asked)
    assert (asked[0], asked[-1]) == (name, name.rpartition(".")[2])


@pytest.mark.parametrize(
    ("name", "records", "organization", "found_at"),
    [
        # Appendix B.4.1: the record with the fewest labels.
        ("signing.example.com", {"signing.example.com": R, "example.com": R}, "example.com", "signing.example.com"),
        ("a.mail.example.com", {"mail.example.com": R, "example.com": R}, "example.com", "example.com"),
        # Section 4.10.2: psd=n ends the walk; psd=y one label too high.
        ("a.mail.example.com", {"mail.example.com": N, "example.com": R}, "mail.example.com", "mail.example.com"),
        ("a.mail.example.com", {"com": Y}, "example.com", "com"),
        # Appendix B.4.3.
        (GIANT, BANK, GIANT, GIANT),
        ("mail.giant.bank.example", BANK, GIANT, GIANT),
        ("mail.mega.bank.example", BANK, MEGA, "bank.example"),
        # psd=y at the start itself says nothing of where it ends.
        ("bank.example", {"bank.example": Y}, "bank.example", "bank.example"),
        # No record at all: each name is its own, and DMARC does not apply.
        ("a.example.com", {}, "a.example.com", ""),
        # A parent without a record is another organization.
        ("a.b.example.com", {"b.example.com": R}, "b.example.com", "b.example.com"),
        # Several records at one name are all discarded, and the walk goes on.
        ("a.example.com", {"a.example.com": (R, R), "example.com": R}, "example.com", "example.com"),
        # Of ten labels the walk skips from ten to seven: what stands between is not seen.
        (TEN, {"b.c.d.e.f.g.h.example.com": R, "example.com": R}, "example.com", "example.com"),
        (TEN, {SIX: f"{R};psd=n"}, SIX, SIX),
    ],
)  # fmt: skip
def test_the_tree_walk(
    name: str, records: Mapping[str, str | tuple[str, ...]], organization: str, found_at: str
) -> None:
    found = discover("treewalk", name, at(records))
    assert (found.organization, found.found_at) == (organization, found_at)
    assert bool(found.record) is bool(found_at)


@pytest.mark.parametrize(
    ("name", "records", "found_at"),
    [
        ("a.b.example.co.uk", {"b.example.co.uk": R, "example.co.uk": R}, "example.co.uk"),
        ("a.b.example.co.uk", {"b.example.co.uk": R}, ""),
        ("b.example.co.uk", {"b.example.co.uk": R, "example.co.uk": R}, "b.example.co.uk"),
        # Of several, none: RFC 7489 does not go on to the organizational domain.
        ("b.example.co.uk", {"b.example.co.uk": (R, R), "example.co.uk": R}, ""),
        ("b.example.co.uk", {"b.example.co.uk": None, "example.co.uk": R}, None),
    ],
)
def test_the_list(name: str, records: Mapping[str, str | tuple[str, ...] | None], found_at: str | None) -> None:
    found = discover("psl", name, at(records))
    assert (found.organization, found.found_at) == ("example.co.uk", found_at)


def test_no_answer_is_not_no_record() -> None:
    unknown = at({"com": None, "example.com": R})
    assert discover("treewalk", "a.example.com", unknown) == Discovered("a.example.com", None, None)
    # The name's own record applies whatever stands above it; where the organization ends is still not known.
    assert discover("treewalk", "example.com", unknown) == Discovered("example.com", None, "example.com", R)
    # What ends the walk below is not asked any more.
    ended = at({"com": None, "example.com": N})
    assert discover("treewalk", "a.example.com", ended).organization == "example.com"


def test_tags_are_read_as_receivers_do() -> None:
    assert tags("v=DMARC1; PSD = N ;p=none;p=reject; ;=; junk") == {
        "v": "DMARC1",
        "psd": "N",
        "p": "none",
        "": "",
        "junk": "",
    }
    assert dmarc_records(("v=DMARC1; p=none", "v=DMARC10", "v=spf1 -all", " v = DMARC1 ")) == (
        "v=DMARC1; p=none",
        " v = DMARC1 ",
    )


LABELS = st.lists(st.sampled_from("abc"), min_size=1, max_size=11).map(".".join)


@given(LABELS, st.dictionaries(LABELS, st.sampled_from((R, f"{R};psd=n", Y, f"{R};psd=u"))))
def test_an_organization_is_at_or_above_the_name_and_its_own(name: str, records: dict[str, str]) -> None:
    found = discover("treewalk", name, at(records))
    assert found.organization is not None
    assert found.found_at is not None
    assert f".{name}".endswith(f".{found.organization}")
    assert found.found_at == "" or f".{name}".endswith(f".{found.found_at}")
    assert (found.found_at == "") == (not any(one in records for one in targets(name)))
