"""One world: a source of several servers over 120 days that breaks for one reason on one day.

In the way stand weekly rhythms, a part of the servers that goes on as before, mail that others pass on, reporters that
leave selectors out, keys changed in peace weeks before, servers added that work, DNS edits of other names, edits of
the policy, and remarks that receivers make on mail that passes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta

import numpy as np
import polars as pl

from benchmarks.cause_worlds.reasons import DAYS, OURS, REASONS, SERVICE, Draft, Way, chance
from benchmarks.drift_worlds.mail import WEEKS

FIRST = date(2026, 3, 2)  # a Monday
KEY = {"domain": OURS, "source_key": "source"}
REPORTERS = 4
NAMELESS = 1  # the reporter that may leave selectors out
UNSIGNED: tuple[tuple[str | None, str | None, str | None], ...] = ((None, None, None),)
REMARKING = 2  # the reporter that may remark on signatures

Cell = tuple[int, int, Way]  # day, reporter, way


@dataclass(frozen=True, slots=True)
class World:
    """What reports and DNS tell, as the reads give it; the reason, the mechanism it broke, and the day of it."""

    reason: str
    mechanism: str
    start: int
    days: pl.DataFrame
    signatures: pl.DataFrame
    envelopes: pl.DataFrame
    addresses: pl.DataFrame
    policies: pl.DataFrame
    answers: pl.DataFrame
    remarks: pl.DataFrame


def world(seed: int) -> World:
    """The world of this number."""
    rng = np.random.default_rng([seed, 7])
    servers = int(rng.integers(2, 6))
    start = int(rng.integers(40, 105))
    broken = list(range(servers)) if rng.random() < 0.6 else list(range(max(1, servers // 2)))
    network = "192.0.2" if rng.random() < 0.5 else "192.88.99"
    beside = bool(rng.random() < 0.5)
    one = Way(selector=f"k{seed}", beside=beside)
    ways = [[replace(one, address=f"{network}.{10 + server}")] * DAYS for server in range(servers)]
    draft = Draft(rng, start, ways, broken)
    reason, mechanism, plant = REASONS[seed % len(REASONS)]
    chance(draft)
    plant(draft)
    return _told(draft, reason, mechanism)


def _told(draft: Draft, reason: str, mechanism: str) -> World:
    rng, sent = draft.rng, Counter[Cell]()
    mean = np.exp(rng.uniform(np.log(60), np.log(2000))) * WEEKS[int(rng.integers(3))][np.arange(DAYS) % 7]
    mean *= rng.lognormal(0, rng.uniform(0.05, 0.4), DAYS)
    share = rng.dirichlet(np.full(REPORTERS, 3.0))
    well = rng.uniform(0.97, 1.0)  # the rest is altered on the way
    parts = rng.dirichlet(np.full(len(draft.ways), 8.0))
    for ways, part in zip(draft.ways, parts, strict=True):
        for day, way in enumerate(ways):
            if way.address:
                for reporter, messages in enumerate(rng.poisson(mean[day] * part * share)):
                    good = int(rng.binomial(messages, well))
                    sent[day, reporter, way] += good
                    lost = replace(way, dkim="fail", aligned_dkim=False, remark="body hash did not verify")
                    sent[day, reporter, lost] += int(messages) - good
    nameless, remarking = bool(rng.random() < 0.3), bool(rng.random() < 0.8)
    cells = [(*cell, messages) for cell, messages in sent.items() if messages]
    return World(
        reason,
        mechanism,
        draft.start,
        _days(cells),
        _signatures(cells, nameless=nameless),
        _frame(
            [{**_at(day), "spf_domain": way.envelope, "result": way.spf, "messages": n} for day, _, way, n in cells]
        ),
        _addresses(cells),
        _policies(draft),
        _answers(draft),
        _remarks(cells if remarking or reason in ("signature_expired", "key_too_short") else []),
    )


def _at(day: int) -> dict[str, object]:
    return {**KEY, "day": FIRST + timedelta(days=day)}


def _frame(rows: list[dict[str, object]]) -> pl.DataFrame:
    return pl.DataFrame(rows, infer_schema_length=None)


def _days(cells: list[tuple[int, int, Way, int]]) -> pl.DataFrame:
    rows = [
        {
            **_at(day),
            "reporter": f"reporter-{reporter}",
            "messages": messages,
            "aligned": messages * (way.aligned_dkim or way.aligned_spf),
            "dkim_aligned": messages * way.aligned_dkim,
            "spf_aligned": messages * way.aligned_spf,
            "estimated": 0,
        }
        for day, reporter, way, messages in cells
    ]
    return _frame(rows).group_by("domain", "source_key", "day", "reporter").agg(pl.all().sum())


def _signatures(cells: list[tuple[int, int, Way, int]], *, nameless: bool) -> pl.DataFrame:
    def rows() -> Iterator[dict[str, object]]:
        for day, reporter, way, messages in cells:
            named = not (nameless and reporter == NAMELESS)
            signed: tuple[tuple[str | None, str | None, str | None], ...] = ()
            signed += ((way.signer, way.selector if named else None, way.dkim),) if way.signer else ()
            signed += ((SERVICE, "svc" if named else None, "pass"),) if way.beside else ()
            for signer, selector, result in signed or UNSIGNED:
                told = {"signing_domain": signer, "selector": selector, "result": result}
                yield {**_at(day), **told, "messages": messages}

    return _frame(list(rows()))


def _envelopes(cells: list[tuple[int, int, Way, int]]) -> pl.DataFrame:
    told = [(day, {"spf_domain": way.envelope, "result": way.spf, "messages": n}) for day, _, way, n in cells]
    return _frame([{**_at(day), **said} for day, said in told])


def _addresses(cells: list[tuple[int, int, Way, int]]) -> pl.DataFrame:
    rows: list[dict[str, object]] = [
        {
            **KEY,
            "source_ip": way.address,
            "asn": way.asn,
            "as_name": "Operator",
            "day": FIRST + timedelta(days=day),
            "messages": messages,
            "aligned": messages * (way.aligned_dkim or way.aligned_spf),
            "dkim_aligned": messages * way.aligned_dkim,
            "spf_aligned": messages * way.aligned_spf,
        }
        for day, _, way, messages in cells
    ]
    sums = pl.col("messages", "aligned", "dkim_aligned", "spf_aligned").sum()
    ends = pl.col("day").min().alias("first_seen"), pl.col("day").max().alias("last_seen")
    return _frame(rows).group_by("domain", "source_key", "source_ip", "asn", "as_name").agg(sums, *ends)


def _policies(draft: Draft) -> pl.DataFrame:
    names = dict.fromkeys(("p", "sp", "np", "adkim", "aspf", "testing"))
    rows = []
    for day in range(DAYS):
        tags: dict[str, str | None] = {**names, "p": "none", "adkim": "r"}
        tags |= {tag: after for at, tag, _, after in draft.policies if day >= at}
        rows.append({"domain": OURS, "day": FIRST + timedelta(days=day), **tags, "pct": None, "reporters": REPORTERS})
    return pl.DataFrame(rows, schema_overrides=dict.fromkeys(names, pl.String) | {"pct": pl.Int64})


def _answers(draft: Draft) -> pl.DataFrame:
    """DNS was looked at every day or two, at night; an edit is seen at the next look."""
    step = int(draft.rng.integers(1, 4))
    rows = []
    for name, rdtype, before, after, edited in draft.answers:
        looks = range(int(draft.rng.integers(step)), DAYS, step)
        for records, days in ((before, [d for d in looks if d < edited]), (after, [d for d in looks if d >= edited])):
            if days:
                first, last = (datetime.combine(FIRST + timedelta(days=at), time(2)) for at in (days[0], days[-1]))
                rows.append((OURS, name, rdtype, records, first, last))
    types = dict.fromkeys(("domain", "name", "rdtype"), pl.String) | {"records": pl.List(pl.String)}
    return pl.DataFrame(
        rows, schema=types | dict.fromkeys(("first_seen_at", "last_seen_at"), pl.Datetime), orient="row"
    )


def _remarks(cells: list[tuple[int, int, Way, int]]) -> pl.DataFrame:
    """What one reporter writes beside each signature of ours."""
    rows = [
        (*_at(day).values(), way.remark, messages)
        for day, reporter, way, messages in cells
        if reporter == REMARKING and way.signer
    ]
    types = dict.fromkeys(("domain", "source_key"), pl.String) | {"day": pl.Date, "remark": pl.String}
    return pl.DataFrame(rows, schema=types | {"messages": pl.Int64}, orient="row")
