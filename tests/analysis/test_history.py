"""What the record said: the change is found on its day, and odd reporters and caches are not believed."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

import polars as pl

from analysis.history import TAGS, PolicyChange, policy_history

FIRST = date(2026, 9, 1)


def seen(*rows: tuple[int, dict[str, str | int | None], int], domain: str = "example.com") -> pl.DataFrame:
    """Rows as reads.policy_days gives them: day, tags, reporters."""
    schema = {"domain": pl.String, "day": pl.Date, **dict.fromkeys(TAGS, pl.String), "pct": pl.Int32}
    return pl.DataFrame(
        [
            {
                "domain": domain,
                "day": FIRST + timedelta(days=day),
                **dict.fromkeys(TAGS, None),
                **tags,
                "reports": reporters,
                "reporters": reporters,
            }
            for day, tags, reporters in rows
        ],
        schema={**schema, "reports": pl.Int64, "reporters": pl.Int64},
    )


def days(
    first: int, last: int, tags: dict[str, str | int | None], reporters: int
) -> Iterable[tuple[int, dict[str, str | int | None], int]]:
    return [(day, tags, reporters) for day in range(first, last)]


def test_a_change_is_found_on_its_day() -> None:
    frame = seen(*days(0, 20, {"p": "none"}, 5), *days(20, 30, {"p": "quarantine"}, 6))
    assert policy_history(frame) == [
        PolicyChange("example.com", FIRST + timedelta(days=20), "p", "none", "quarantine", 6)
    ]


def test_caches_that_still_hold_the_old_record_move_nothing() -> None:
    frame = seen(
        *days(0, 20, {"p": "none"}, 5),
        (20, {"p": "none"}, 2),
        (20, {"p": "reject"}, 4),
        (21, {"p": "none"}, 1),
        (21, {"p": "reject"}, 5),
        *days(22, 30, {"p": "reject"}, 6),
    )
    [change] = policy_history(frame)
    assert (change.day, change.before, change.after, change.reporters) == (
        FIRST + timedelta(days=20),
        "none",
        "reject",
        6,
    )


def test_a_reporter_that_always_says_something_else_is_not_believed() -> None:
    assert policy_history(seen(*days(0, 30, {"p": "none"}, 4), *days(0, 30, {"p": "reject"}, 1))) == []


def test_an_odd_reporter_alone_on_a_weekend_is_not_believed() -> None:
    frame = seen(*days(0, 12, {"p": "none"}, 4), *days(12, 14, {"p": "reject"}, 1), *days(14, 30, {"p": "none"}, 4))
    assert policy_history(frame) == []


def test_a_domain_with_one_reporter_is_believed_after_some_days() -> None:
    assert policy_history(seen(*days(0, 20, {"p": "none"}, 1), *days(20, 22, {"p": "reject"}, 1))) == []
    [change] = policy_history(seen(*days(0, 20, {"p": "none"}, 1), *days(20, 24, {"p": "reject"}, 1)))
    assert change.day == FIRST + timedelta(days=20)


def test_a_change_of_yesterday_waits_for_a_second_day() -> None:
    old = days(0, 20, {"p": "none"}, 5)
    assert policy_history(seen(*old, (20, {"p": "reject"}, 5))) == []
    assert len(policy_history(seen(*old, *days(20, 22, {"p": "reject"}, 5)))) == 1


def test_tags_left_out_say_nothing() -> None:
    frame = seen(
        *days(0, 20, {"p": "none", "adkim": "r", "sp": "none"}, 2),
        *days(0, 20, {"p": "none"}, 3),
        *days(20, 30, {"p": "none", "adkim": "s"}, 2),
        *days(20, 30, {"p": "none"}, 3),
    )
    [change] = policy_history(frame)
    assert (change.tag, change.before, change.after) == ("adkim", "r", "s")


def test_steps_by_share_are_told_one_by_one() -> None:
    frame = seen(
        *(
            row
            for step in range(4)
            for row in days(step * 10, step * 10 + 10, {"p": "reject", "pct": 25 * (step + 1)}, 3)
        )
    )
    assert [(change.tag, change.before, change.after) for change in policy_history(frame)] == [
        ("pct", "25", "50"),
        ("pct", "50", "75"),
        ("pct", "75", "100"),
    ]


def test_domains_apart_and_oldest_first() -> None:
    one = seen(*days(0, 20, {"p": "none"}, 3), *days(20, 30, {"p": "reject"}, 3), domain="b.example")
    two = seen(*days(0, 10, {"p": "none"}, 3), *days(10, 30, {"p": "reject"}, 3), domain="a.example")
    assert [(change.domain, change.day.day) for change in policy_history(pl.concat([one, two]))] == [
        ("a.example", 11),
        ("b.example", 21),
    ]


def test_what_reports_say_is_cut() -> None:
    frame = seen(*days(0, 20, {"p": "none"}, 3), *days(20, 30, {"p": "x" * 500}, 3))
    assert policy_history(frame)[0].after == "x" * 20


def test_nothing_gives_nothing() -> None:
    assert policy_history(seen().clear()) == []
