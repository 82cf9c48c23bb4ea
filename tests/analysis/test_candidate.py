"""A record that somebody thinks of: read as RFC 9989 reads it, and a slip of the pen is told."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.candidate import Candidate, parse
from analysis.policy import eased
from ingest.errors import UsageError


def test_a_whole_record_and_its_tags() -> None:
    wish = parse("v=DMARC1; p=Reject ; sp=quarantine;np=none; adkim=s; t=y; rua=mailto:a@b.example,mailto:c@d.example;")
    assert (wish.p, wish.sp, wish.np, wish.adkim, wish.aspf, wish.testing) == (
        "reject",
        "quarantine",
        "none",
        "s",
        "r",
        True,
    )
    assert wish.record == (
        "v=DMARC1; p=reject; sp=quarantine; np=none; adkim=s; t=y; rua=mailto:a@b.example,mailto:c@d.example"
    )


def test_what_it_asks_for_each_name() -> None:
    assert [parse(text).asks(below=True) for text in ("p=reject", "p=reject; sp=none")] == ["reject", "none"]
    assert parse("p=none; np=reject").asks(below=True, exists=False) == "reject"
    assert parse("p=reject; sp=none").asks(below=True, exists=False) == "none"
    assert [eased(policy) for policy in ("reject", "quarantine", "none")] == ["quarantine", "none", "none"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no p"),
        ("sp=reject", "no p"),
        ("p=block", "is not a value of p"),
        ("p=reject; adkim=strict", "is not a value of adkim"),
        ("p=reject; p=none", "p twice"),
        ("p=reject; v=DMARC1", "stands first"),
        ("v=dmarc1; p=reject", "in capitals"),
        ("p=reject; pct=50", "no pct"),
        ("p=reject, sp=none", "is not a value of p"),
        ("reject", "not a tag"),
        ("p=reject; px=1", "no tag 'px'"),
        ("p=reject; rua=a\nb", "not a tag"),
        ("p=" + "x" * 3000, "too long"),
    ],
)
def test_a_bad_one_gets_a_sentence(text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        parse(text)


@given(st.text(max_size=80))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        wish = parse(text)
    except UsageError:
        return
    assert parse(wish.record) == wish


@given(
    st.sampled_from(["none", "quarantine", "reject"]), st.sampled_from([None, "none", "reject"]),
    st.sampled_from(["r", "s"]), st.booleans(),
)  # fmt: skip
def test_what_is_written_is_read_again(p: str, sp: str | None, adkim: str, testing: bool) -> None:
    wish = Candidate(p, sp, None, adkim, testing=testing, kept=(("rua", "mailto:a@b.example"),))
    assert parse(wish.record) == wish
