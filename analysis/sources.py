"""Who sends as me, and is it mine? Every source, named, with how its mail fares and what it looks like."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, overload

import polars as pl

from analysis import evidence as gathered
from analysis.classify import Entries, Evidence, Ledger, Verdict, classify
from analysis.classify import kinds as kinds_of
from analysis.keeping import kept
from analysis.past import KEY
from analysis.settings import SourceSettings
from analysis.source import (
    ALIGNED_FROM,
    DECIDED,
    FOUND,
    OF_DECISION,
    PLAIN,
    SHOWN,
    Decision,
    Source,
    columns,
    decision,
    made,
    name,
    plain,
)
from warehouse.connect import Connection, Warehouse
from warehouse.kept import place
from warehouse.scope import Scope

__all__ = ["DECIDED", "Decision", "Evidence", "Source", "Sources", "by_domain", "each", "judged", "name", "sources"]

BESIDE = ("decided", "owner")  # told of each source beside source.PLAIN
KINDS = pl.Schema(
    {**dict.fromkeys(("domain", "source_key", "as_domain"), pl.String), "last_seen": pl.Date}
    | dict.fromkeys(("kind", "decided"), pl.String)
)


@dataclass(frozen=True, slots=True)
class Found:
    """What was gathered of each source, and in the same order what it comes to before anybody decides (FOUND)."""

    told: gathered.Told
    found: pl.DataFrame


class Sources(Sequence[Source]):
    """Sources in an order, each made when somebody looks at it: few are, of thousands. `each` asks all of them at once.

    `at` are the places, in what was found, of those that are meant; None for all.
    """

    __slots__ = ("_at", "_store")

    def __init__(self, store: _Store, at: Sequence[int] | None = None) -> None:
        self._store = store
        self._at: Sequence[int] = range(len(store)) if at is None else at

    def __len__(self) -> int:
        return len(self._at)

    @overload
    def __getitem__(self, index: int) -> Source: ...
    @overload
    def __getitem__(self, index: slice) -> Sources: ...
    def __getitem__(self, index: int | slice) -> Source | Sources:
        if isinstance(index, slice):
            return Sources(self._store, self._at[index])
        return self._store.one(self._at[index])

    def __iter__(self) -> Iterator[Source]:
        return self._store.each(self._at)

    def __eq__(self, other: object) -> bool:
        return list(self) == list(other) if isinstance(other, Sequence) else NotImplemented

    __hash__ = None  # type: ignore[assignment]  # as a list has none

    def __repr__(self) -> str:
        return repr(list(self))

    def told(self, *names: str) -> Iterator[tuple[Any, ...]]:
        """Of each source, in order, the fields of these names: of PLAIN or BESIDE."""
        columns = [self._store.column(name) for name in names]
        if self._at == range(len(self._store)):
            return zip(*columns, strict=True)
        return zip(*([column[at] for at in self._at] for column in columns), strict=True)

    def chosen(self, places: Sequence[int]) -> Sources:
        """Those in these places, in the order given."""
        return Sources(self._store, [self._at[place] for place in places])

    def by_domain(self) -> dict[str, Sources]:
        """Apart by domain, each in this order."""
        parts: dict[str, list[int]] = {}
        for at, (domain,) in zip(self._at, self.told("domain"), strict=True):
            parts.setdefault(domain, []).append(at)
        return {domain: Sources(self._store, at) for domain, at in parts.items()}


class _Store:
    """What sources are made from, and those that were made."""

    __slots__ = ("_columns", "_decided", "_entries", "_found", "_made")

    def __init__(self, found: Found, today: date) -> None:
        self._found, self._entries = found.found, Entries(found.told.rows)
        self._made: list[Source | None] = [None] * found.found.height
        self._columns: dict[str, list[Any]] = {}
        rows = dict(_decided(found.told.rows, found.told.decisions))
        self._decided = {
            at: made(
                rows[at], Verdict(one.kind, one.confidence, one.evidence, one.probabilities), decision(rows[at], today)
            )
            for at, one in self._plain(sorted(rows))
        }
        for at, one in self._decided.items():
            self._made[at] = one

    def __len__(self) -> int:
        return len(self._made)

    def one(self, at: int) -> Source:
        return next(self.each([at]))

    def each(self, places: Sequence[int]) -> Iterator[Source]:
        for at, one in self._plain(sorted({at for at in places if self._made[at] is None})):
            self._made[at] = one
        return (known for at in places if (known := self._made[at]) is not None)

    def column(self, name: str) -> list[Any]:
        if name not in self._columns:
            assert name in (*PLAIN, *BESIDE), name
            values = self._found[name].to_list() if name in PLAIN else [None] * len(self)
            for at, one in self._decided.items():
                values[at] = getattr(one, name)
            self._columns[name] = values
        return self._columns[name]

    def _plain(self, places: Sequence[int]) -> Iterator[tuple[int, Source]]:
        """What is in some places, in ascending order, as if nobody had decided."""
        if not places:
            return
        rows = self._found if len(places) == len(self) else self._found[places]
        for at, row in zip(places, rows.iter_rows(), strict=True):
            yield at, plain(row, Ledger(self._entries, at))


def sources(warehouse: Warehouse, scope: Scope, today: date, settings: SourceSettings) -> Sources:
    """Every source of the scope's domains with mail on the scope's days, the largest first.

    `today` only tells which decisions have run out. Source by source the answer does not depend on
    which other domains were asked for.
    """
    with warehouse.reading() as connection:
        found = fetch(connection, scope, today, settings)
    return judged(found, today)


def each(found: Sequence[Source], *names: str) -> Iterator[tuple[Any, ...]]:
    """Of each source, in order, the fields of these names: for who looks at thousands at once."""
    if isinstance(found, Sources):
        return found.told(*names)
    return (tuple(getattr(one, name) for name in names) for one in found)


def by_domain(found: Sequence[Source]) -> dict[str, Sequence[Source]]:
    """Sources apart by domain, each in the order given."""
    if isinstance(found, Sources):
        return dict(found.by_domain())
    parts: dict[str, list[Source]] = {}
    for one in found:
        parts.setdefault(one.domain, []).append(one)
    return dict(parts)


def fetch(connection: Connection, scope: Scope, today: date, settings: SourceSettings) -> Found:
    """What `judged` needs, kept for as long as it is true."""
    told = gathered.told(connection, scope, today, settings)
    asked = place(connection, "found", told.rests_on, settings, domains=scope.domains)
    return Found(told, kept(asked, pl.DataFrame, lambda: _found(told.rows)))


def _found(rows: pl.DataFrame) -> pl.DataFrame:
    every = [made(row, verdict, None) for row, verdict in zip(_named(rows), classify(rows), strict=True)]
    return pl.DataFrame([columns(one) for one in every], schema=FOUND, orient="row")


def _named(rows: pl.DataFrame) -> Iterator[dict[str, Any]]:
    """What a Source shows of each row, by its name."""
    return rows.select(SHOWN).iter_rows(named=True) if rows.height else iter(())


def judged(found: Found, today: date) -> Sources:
    """The same from what was gathered before."""
    return Sources(_Store(found, today))


def _decided(rows: pl.DataFrame, decisions: pl.DataFrame) -> Iterator[tuple[int, dict[str, Any]]]:
    """The rows about which anybody ever decided, each with its place."""
    if rows.is_empty() or decisions.is_empty():
        return
    said = decisions.rename({"until": "decided_until"})
    some = rows.with_row_index("at").join(said, on=KEY, maintain_order="left")
    yield from zip(some["at"].to_list(), some.select(SHOWN + OF_DECISION).iter_rows(named=True), strict=True)


def kinds(warehouse: Warehouse, scope: Scope, today: date, settings: SourceSettings) -> pl.DataFrame:
    """Of the same sources, in the same order, what they are taken for alone: for who looks at thousands at once.

    Columns: domain, source_key, as_domain, last_seen, kind, decided (null where nobody did, or it is over).
    """
    with warehouse.reading() as connection:
        told = gathered.told(connection, scope, today, settings)
    if told.rows.is_empty():
        return pl.DataFrame(schema=KINDS)
    decisions = told.decisions.rename({"until": "decided_until"})
    rows = told.rows.join(decisions, on=KEY, how="left", maintain_order="left")
    over = (pl.col("decided_until") < today).fill_null(False)
    aligns = pl.col("recent_aligned") >= ALIGNED_FROM * pl.max_horizontal("recent_n", 1)
    said = (
        pl.when(pl.col("decided").is_null())
        .then("told")
        .when(pl.col("decided") == "forwarder")
        .then(pl.lit("forwarded"))
        .when(pl.col("decided") == "spoof")
        .then(pl.lit("spoofing"))
        .otherwise(pl.when(aligns).then(pl.lit("aligned")).otherwise(pl.lit("misaligned")))
    )
    return (
        rows.with_columns(
            told=pl.Series(kinds_of(rows), dtype=pl.String),
            decided=pl.when(pl.col("decision").is_in(DECIDED) & ~over).then("decision"),
        )
        .with_columns(kind=said)
        .select(*KINDS)
    )
