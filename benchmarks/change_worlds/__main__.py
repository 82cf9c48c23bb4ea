"""`python -m benchmarks.change_worlds [FIRST [COUNT]]`: precision and recall by kind of change."""

from __future__ import annotations

import sys
from collections import Counter
from datetime import timedelta

import polars as pl

from analysis.news import KINDS, News, Told, changes
from analysis.settings import SourceSettings
from benchmarks.change_worlds.world import NEWEST, Planted, World, world
from benchmarks.drift_worlds.world import FIRST

SLACK = 3  # days that the first day may be off


def found(made: World) -> list[News]:
    """What the product tells of a world on its last day."""
    forged = frozenset(key for key, kind in made.kinds.items() if kind == "spoofing")
    missed = frozenset(key for key, kind in made.kinds.items() if kind in ("aligned", "misaligned"))
    first = made.days.group_by("domain", "source_key").agg(first_seen=pl.col("day").min())
    first = first.with_columns(domain_first_day=pl.lit(made.days["day"].min()))
    told = Told(made.days, made.from_days, made.signatures, made.policies, forged, missed, made.late, made.days, first)
    return changes(told, FIRST + timedelta(days=NEWEST), SourceSettings())


def about(one: News) -> str:
    """What a change is about, in the words of Planted."""
    if one.kind in ("policy_change", "selector_change", "new_subdomain"):
        return one.subject
    return one.reporter or one.source_key or one.domain or ""


def means(one: News, planted: Planted) -> bool:
    """Whether it tells of what was planted."""
    off = abs((one.started_on - FIRST).days - planted.start)
    return one.kind == planted.kind and about(one) == planted.about and off <= SLACK


def score(first: int, count: int) -> tuple[Counter[str], Counter[str], Counter[str], list[str]]:
    """Hits, misses and false ones by kind, and a line for each of the last two."""
    hit, missed, wrong, lines = Counter[str](), Counter[str](), Counter[str](), list[str]()
    for seed in range(first, first + count):
        made = world(seed)
        said = found(made)
        for planted in made.planted:
            if planted.told:
                seen = any(means(one, planted) for one in said)
                (hit if seen else missed)[planted.kind] += 1
                lines += [] if seen else [f"{seed} missed {planted}"]
        for one in said:
            if not any(means(one, planted) for planted in made.planted):
                wrong[one.kind] += 1
                lines.append(f"{seed} wrong {one.kind} {about(one)} {(one.started_on - FIRST).days} {one.evidence}")
    return hit, missed, wrong, lines


def main(first: int = 2000, count: int = 100, *more: str) -> None:
    """Print the scores, and with a third argument every miss and every false one."""
    hit, missed, wrong, lines = score(int(first), int(count))
    print(f"changes (worlds {first} to {int(first) + int(count) - 1})")
    for kind in KINDS:
        real, said = hit[kind] + missed[kind], hit[kind] + wrong[kind]
        recall, precision = hit[kind] / max(1, real), hit[kind] / max(1, said)
        print(f"  {kind:<16} recall {recall:6.1%} of {real:>4}; precision {precision:6.1%} of {said:>4}")
    if more:
        print("\n".join(lines))


if __name__ == "__main__":
    main(*sys.argv[1:])  # type: ignore[arg-type]
