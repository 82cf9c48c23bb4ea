"""A stricter policy in an invented organisation: what was known before, and what its receivers then refuse."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import polars as pl

from analysis.candidate import Candidate
from benchmarks.readiness_worlds.growth import moved
from benchmarks.worlds.organisation import Domain
from benchmarks.worlds.volume import day_of
from benchmarks.worlds.world import World

BEFORE, AFTER = 28, 14
KIND_OF = {"spoof": "spoofing", "lie": "spoofing", "forwarder": "forwarded", "list": "forwarded"}
STRICT = ("quarantine", "reject")
NEXT = {"none": "quarantine", "quarantine": "reject"}


@dataclass(frozen=True, slots=True)
class Experiment:
    """A domain that turns stricter on `day`.

    `rows`, `seen` and `enforced` are the 28 days before, as `warehouse.reads_ledger` would give them; the source is
    a stream of the world. `group`: what each stream is. `refused`: messages of each stream that are refused in the
    14 days from `day` on.
    """

    seed: int
    domain: str
    day: date
    candidate: Candidate
    rows: pl.DataFrame
    seen: pl.DataFrame
    enforced: pl.DataFrame
    group: dict[str, str]
    refused: dict[str, int]


def experiments(world: World) -> Iterator[Experiment]:
    """One for each domain that sends and has room for it; the day is drawn from the world's number."""
    rng = np.random.default_rng([world.seed, 99])
    rows, kinds = _rows(world)
    rows = moved(rows, kinds, np.random.default_rng([world.seed, 98]))
    for domain in world.organisation.senders:
        turn = int(rng.integers(BEFORE, max(world.days - AFTER, BEFORE) + 1))
        policies = {domain.policy(day) for day in range(turn - BEFORE, turn + AFTER)}
        if turn + AFTER > world.days or len(policies) != 1 or domain.policy(turn).p == "reject":
            continue
        yield _experiment(world, domain, turn, rows, kinds, rng)


def _experiment(
    world: World, domain: Domain, turn: int, rows: pl.DataFrame, kinds: dict[str, str], rng: np.random.Generator
) -> Experiment:
    first, day = day_of(turn - BEFORE), day_of(turn)
    before = rows.filter(pl.col("day").is_between(first, day - timedelta(days=1)))
    mine = pl.col("domain") == domain.name
    after = rows.filter(mine, pl.col("day").is_between(day, day + timedelta(days=AFTER - 1)))
    wish = Candidate(NEXT[domain.policy(turn).p])
    return Experiment(
        seed=world.seed,
        domain=domain.name,
        day=day,
        candidate=wish,
        rows=before.filter(mine).drop("honours", "p", "sp", "standard"),
        seen=_seen(before.filter(mine)),
        enforced=_enforced(before),
        group=kinds,
        refused=_refused(after, rng),
    )


def _rows(world: World) -> tuple[pl.DataFrame, dict[str, str]]:
    """Every record of the world, with its stream as source; and what each stream is."""
    streams = {
        (domain, ip): stream
        for domain, ip, stream in world.truth.group_by("domain", "source_ip", "stream")
        .agg(pl.col("messages").sum()).sort("messages", "stream")
        .select("domain", "source_ip", "stream").iter_rows()
    }  # fmt: skip
    domains = {domain.name: domain for domain in world.organisation.domains}
    told = []
    for slot, counted in world.reports.items():
        reporter, policy = world.reporters[slot.reporter], domains[slot.domain].policy(slot.day)
        for row, messages in counted.items():
            told.append((
                slot.domain, day_of(slot.day), row.header_from, streams[slot.domain, row.source_ip], reporter.name,
                row.disposition, row.dkim == "pass", row.spf == "pass", bool(row.reason[0]),
                row.reason == ("local_policy", ""), reporter.honours, policy.p, policy.sp, reporter.standard, messages,
            ))  # fmt: skip
    names = [
        "domain", "day", "header_from", "source_key", "reporter", "disposition", "dkim_aligned", "spf_aligned",
        "overridden", "manner", "honours", "p", "sp", "standard", "messages",
    ]  # fmt: skip
    rows = pl.DataFrame(told, schema=names, orient="row")
    return rows, {key: KIND_OF.get(stream.kind, "legitimate") for key, stream in world.streams.items()}


def _seen(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.group_by("day", "reporter").agg(pl.col("p", "sp", "standard").first()).with_columns(
        pct=pl.lit(100), testing=pl.lit("n"), adkim=pl.lit("r"), aspf=pl.lit("r")
    )  # fmt: skip


FAILS = ~pl.col("dkim_aligned") & ~pl.col("spf_aligned")


def _enforced(rows: pl.DataFrame) -> pl.DataFrame:
    """What `reads_ledger.enforcement` would say of these days."""
    strict = pl.col("p").is_in(STRICT) & pl.col("sp").is_in(STRICT)
    excused = pl.col("overridden") & ~pl.col("manner")
    n, blocked = pl.col("messages"), pl.col("disposition").is_in(STRICT)
    return (
        rows.filter(FAILS & strict & ~excused)
        .group_by("reporter", "day")
        .agg(failing=n.sum(), blocked=n.filter(blocked).sum())
        .sort("reporter", "day")
    )


def _refused(rows: pl.DataFrame, rng: np.random.Generator) -> dict[str, int]:
    """What is refused of these days' mail once all of it is asked for: each receiver in its own manner."""
    asked = (pl.when(pl.col("header_from") == pl.col("domain")).then("p").otherwise("sp")).is_in(STRICT)
    failing = rows.filter(FAILS).with_columns(asked=asked)
    chance = failing["honours"].to_numpy() * ~failing["overridden"].to_numpy()
    drawn = rng.binomial(failing["messages"].to_numpy(), chance)
    known = failing["asked"].to_numpy()
    was = failing["messages"].to_numpy() * failing["disposition"].is_in(STRICT).to_numpy()
    sums = failing.with_columns(refused=pl.Series(np.where(known, was, drawn)))
    return dict(sums.group_by("source_key").agg(pl.col("refused").sum()).iter_rows())
