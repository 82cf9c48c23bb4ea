"""A domain's change, split into what its sources, their mix and its reporters did: the parts make the whole."""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis import apart
from analysis.cause import NONE_SEEN
from analysis.decomposition import Decomposition, around
from analysis.drift import Drift
from analysis.sources import Source
from tests.app.weeks import source

WHEN = date(2026, 10, 1)
Row = tuple[str, str, bool, int, int]  # source, reporter, late, messages, aligned


def frame(rows: list[Row]) -> pl.DataFrame:
    """Each row as one day before or after."""
    days = [
        ("example.com", key, WHEN + timedelta(days=3 if late else -3), who, count, good, good, 0)
        for key, who, late, count, good in rows
    ]
    names = ["domain", "source_key", "day", "reporter", "messages", "aligned", "dkim_aligned", "spf_aligned"]
    return pl.DataFrame(days, schema=names, orient="row")


def split(rows: list[Row]) -> Decomposition:
    found = around(frame(rows), "example.com", WHEN)
    assert found
    return found


def effect(found: Decomposition, kind: str, key: str) -> float:
    return sum(one.points for one in found.effects if (one.kind, one.key) == (kind, key))


def test_a_source_that_broke_and_one_that_grew() -> None:
    rows = [("esp", "a", late, 500, 300 if late else 500) for late in (False, True)]
    rows += [("own", "a", late, 500, 500) for late in (False, True)]
    found = split(rows)
    assert effect(found, "rate", "esp") == pytest.approx(-20)
    assert found.points == pytest.approx(-20)
    rows = [("own", "a", False, 900, 900), ("fwd", "a", False, 100, 0)]
    rows += [("own", "a", True, 800, 800), ("fwd", "a", True, 200, 0)]
    found = split(rows)
    assert effect(found, "mix", "fwd") + effect(found, "mix", "own") == pytest.approx(-10)
    assert not any(one.points for one in found.effects if one.kind == "rate")


def test_a_reporter_that_is_missing_is_no_fault_of_a_source() -> None:
    rows = [("own", "a", late, 500, 500) for late in (False, True)]
    found = split([*rows, ("own", "strict", False, 500, 300)])
    assert effect(found, "coverage", "strict") == pytest.approx(found.points) == pytest.approx(20)
    assert (
        apart.sentence(found, apart.parts(found, [], [])) == "+20.0 points: +20.0 strict is missing among the reporters"
    )


def a_source(key: str, kind: str) -> Source:
    return source(key, domain="example.com", kind=kind)


def a_drift(key: str, mechanism: str, started_on: date) -> Drift:
    return Drift(
        domain="example.com", source_key=key, name=key, as_domain=None, mechanism=mechanism, shape="step",
        started_on=started_on, before=1.0, after=0.0, messages=9, p_value=0.0, reporters=3, cause=NONE_SEEN,
    )  # fmt: skip


def test_words_name_what_was_lost_and_put_strangers_together() -> None:
    rows: list[Row] = []
    for late in (False, True):
        rows += [("Mailer", "a", late, 500, 100 if late else 500), ("Office", "a", late, 400, 400)]
        rows += [(f"bot{n}", "a", late, 50 if late else 5, 0) for n in range(4)]
        rows += [("fwd", "a", late, 60 if late else 30, 10 if late else 5)]
    found = split(rows)
    known = [a_source("Mailer", "misaligned"), a_source("Office", "aligned"), a_source("fwd", "forwarded")]
    known += [a_source(f"bot{n}", "spoofing") for n in range(4)]
    lost = [
        a_drift("Mailer", "dkim", WHEN),
        a_drift("Mailer", "dmarc", WHEN),
        a_drift("Office", "spf", date(2026, 7, 1)),
    ]
    told = apart.parts(found, known, lost)
    said = apart.sentence(found, told)
    assert said.startswith(f"\N{MINUS SIGN}{-found.points:.1f} points: \N{MINUS SIGN}")
    # Less of what fails is a gain; what a source lost long ago is not what moves it now.
    assert {one.words: one.points < 0 for one in told} == {
        "Mailer lost DKIM": True,
        "more mail that looks like spoofing": True,
        "more forwarding": True,
        "less mail of Mailer": False,
        "less mail of Office": True,
    }
    assert [abs(one.points) for one in told] == sorted((abs(one.points) for one in told), reverse=True)


counts = st.tuples(st.integers(1, 1000), st.floats(0, 1)).map(lambda pair: (pair[0], round(pair[0] * pair[1])))


@given(st.lists(st.tuples(st.sampled_from("xyz"), st.sampled_from("abc"), st.booleans(), counts), max_size=14))
def test_the_parts_are_the_whole(drawn: list[tuple[str, str, bool, tuple[int, int]]]) -> None:
    found = around(frame([(key, who, late, *pair) for key, who, late, pair in drawn]), "example.com", WHEN)
    if found:
        assert sum(one.points for one in found.effects) == pytest.approx(found.points)
        told = apart.parts(found, [], [])
        assert sum(one.points for one in told) == pytest.approx(round(found.points, 1))
        assert len(told) <= apart.MOST + 1
