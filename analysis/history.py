"""What did the domain's record say, and when did it change? As reporters saw it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import polars as pl

TAGS = ("p", "sp", "np", "adkim", "aspf", "pct", "testing")


@dataclass(frozen=True, slots=True)
class PolicyChange:
    """A tag of the record changed: `day` is the first on which most reporters saw the new value.

    `reporters` is how many saw it on the best of the first days after. Values are cut to 20 characters.
    """

    domain: str
    day: date
    tag: str
    before: str
    after: str
    reporters: int


def policy_history(days: pl.DataFrame) -> list[PolicyChange]:
    """Changes of each domain's published policy, oldest first. `days` is as reads.policy_days gives it.

    Reporters that leave a tag out say nothing about it. Some say odd things, and for a day or two after
    an edit some still have the old record in their cache: a value holds until the votes against it
    outweigh the price of a change, which is more than one reporter can say alone in a few days.
    """
    found = []
    for (domain,), rows in days.partition_by("domain", as_dict=True).items():
        for tag in TAGS:
            votes = (
                rows.filter(pl.col(tag).is_not_null())
                .group_by("day", pl.col(tag).cast(pl.String).str.head(20).alias("value"))
                .agg(pl.col("reporters").sum())
            )
            found += _changes(str(domain), tag, votes)
    return sorted(found, key=lambda c: (c.day, c.domain, TAGS.index(c.tag)))


def _changes(domain: str, tag: str, votes: pl.DataFrame) -> list[PolicyChange]:
    values = sorted(set(votes["value"]))
    if len(values) < 2:
        return []
    table = votes.pivot("value", index="day", values="reporters").sort("day").fill_null(0)
    days = table["day"].to_list()
    counts = table.select(values).rows()
    held = _held(counts)
    return [
        PolicyChange(
            domain,
            days[at],
            tag,
            values[held[at - 1]],
            values[held[at]],
            max(row[held[at]] for row in counts[at : at + 3]),
        )
        for at in range(1, len(days))
        if held[at] != held[at - 1]
    ]


def _held(counts: list[tuple[int, ...]]) -> list[int]:
    """The value that held on each day: the fewest votes against, each change at a price (Viterbi 1967)."""
    voters = sorted(sum(row) for row in counts)
    price = max(2.0, 1.5 * voters[len(voters) // 2])
    width = len(counts[0])
    cost, origin = [0.0] * width, []
    for row in counts:
        cheapest = min(range(width), key=cost.__getitem__)
        came = [value if cost[value] <= cost[cheapest] + price else cheapest for value in range(width)]
        # The votes of its own day decide a tie between staying and changing a day later.
        cost = [
            (cost[value] if came[value] == value else cost[cheapest] + price) + sum(row) - row[value]
            for value in range(width)
        ]
        origin.append(came)
    at = min(range(width), key=cost.__getitem__)
    held = []
    for came in reversed(origin):
        held.append(at)
        at = came[at]
    return held[::-1]
