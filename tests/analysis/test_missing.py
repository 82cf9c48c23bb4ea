"""How many senders are still to come, in a sentence."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from analysis.missing import TOLD, Missing, estimated, sentences
from analysis.sources import Source
from warehouse.scope import Scope

LAST = date(2026, 11, 22)
DAYS = [LAST - timedelta(days=n) for n in range(60)]


def source(days: int, kind: str = "aligned", domain: str = "example.com") -> Source:
    return Source(
        domain, f"net:{days}", "x", None, None, None, None, None, None, 1, 3, days, days, days, days, 0, DAYS[-1], LAST,
        False, kind, 0.9, (), None,
    )  # fmt: skip


def judged(*found: Source, days: list[date] | None = None) -> Missing:
    [one] = estimated(found, {"example.com": DAYS if days is None else days}, Scope())
    return one


def test_those_seen_once_tell_of_those_not_seen() -> None:
    found = [replace(source(1), source_key=f"net:{n}") for n in range(6)] + [source(2), source(30)]
    one = judged(*found)
    assert (one.seen, one.days) == (8, 60)
    assert one.low <= one.expected <= one.high
    assert one.wait_until
    assert one.wait_until > LAST
    assert one.sentence == (
        f"About {one.expected:,.0f} more senders of yours are likely still unseen ({one.low} to {one.high}); "
        f"wait until {one.wait_until.day} {one.wait_until:%B %Y}."
    )


def test_strangers_do_not_count() -> None:
    found = [source(1, "spoofing"), source(1, "forwarded"), source(1, "unknown"), source(40)]
    assert judged(*found).seen == 1


def test_where_all_were_seen_often_nobody_is_waited_for() -> None:
    one = judged(source(40), source(30))
    assert (one.expected, one.wait_until) == (0.0, None)
    assert one.sentence == "Hardly any sender of yours is likely still unseen."


@pytest.mark.parametrize(("day", "until"), [(20, date(2026, 12, 3)), (2, date(2026, 12, 3))])
def test_without_the_end_of_a_month_it_is_waited_for(day: int, until: date) -> None:
    days = [date(2026, 11, 2) + timedelta(days=n) for n in range(day)]
    one = judged(source(9), days=[each for each in days if each >= date(2026, 11, 4)] or [date(2026, 11, 4)])
    assert not one.month_end
    assert one.wait_until == until
    assert "3 December 2026" in one.sentence


def test_without_a_sender_nothing_is_reckoned() -> None:
    assert judged(source(3, "spoofing")).sentence.startswith("No sender of yours was seen")


def test_of_many_domains_those_that_wait_are_told() -> None:
    one = judged(source(40))
    waiting = [
        replace(one, domain=f"d{n}.test", expected=float(n), wait_until=LAST, sentence="Wait.") for n in range(9)
    ]
    told = sentences([one, *waiting])
    assert told[0] == "d8.test: Wait."
    assert len(told) == TOLD + 1
    assert told[-1] == "In 3 more domains senders are likely still unseen."
    early = [replace(one, domain=f"e{n}.test", month_end=False, wait_until=LAST) for n in range(3)]
    assert sentences(early) == [
        "In 3 domains no end of a month was reported on, so what is sent once a month may still be unseen; "
        "wait until 22 November 2026."
    ]
    assert sentences([one, one]) == ["Hardly any sender of yours is likely still unseen."]
    assert sentences([]) == []
