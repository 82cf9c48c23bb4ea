"""The days around a change: what share of a source's mail had what, before and after."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import cached_property

import polars as pl

from analysis.change import Change
from analysis.dns_edits import DnsEdit
from analysis.history import PolicyChange
from ingest.alignment import aligned

BEFORE = timedelta(days=28)
AFTER = timedelta(days=14)

PASS = pl.col("result") == "pass"

NO_REMARKS = pl.DataFrame(
    schema=dict.fromkeys(("domain", "source_key"), pl.String)
    | {"day": pl.Date, "code": pl.String, "remark": pl.String, "messages": pl.Int64}
)


@dataclass(frozen=True)
class Seen:
    """What reports and DNS say about the sources that changed, as the warehouse's reads of those names give it.

    `signatures` and `envelopes` have one column more: `own`, whether the domain in them is aligned with
    the domain that the mail claims. `policies` are the changes of each domain's record, `edits` those of other
    records. `remarks` (domain, source_key, day, code, remark, messages) is what receivers write beside results.
    """

    messages: pl.DataFrame
    signatures: pl.DataFrame
    envelopes: pl.DataFrame
    addresses: pl.DataFrame
    policies: list[PolicyChange]
    edits: Sequence[DnsEdit] = ()
    remarks: pl.DataFrame = field(default_factory=NO_REMARKS.clear)

    def of(self, change: Change) -> Seen:
        """The same with the rows about the change's source alone."""
        source = change.domain, change.source_key
        mine = {name: parts[source] if source in parts else parts[()] for name, parts in self._apart.items()}
        return replace(self, **mine)  # type: ignore[arg-type]

    @cached_property
    def _apart(self) -> dict[str, dict[tuple[object, ...], pl.DataFrame]]:
        """The rows of each frame by source; and none of them, under ()."""
        frames = {name: getattr(self, name) for name in ("messages", "signatures", "envelopes", "addresses", "remarks")}
        return {
            name: {(): frame.clear(), **frame.partition_by("domain", "source_key", as_dict=True)}
            for name, frame in frames.items()
        }


@dataclass(frozen=True, slots=True)
class Shares:
    """How much of a source's mail had something before and after: at all, and with a pass."""

    before: float
    after: float
    passing_before: float
    passing_after: float

    @property
    def lost(self) -> float:
        """How much less of the mail passes by it than before."""
        return self.passing_before - self.passing_after


@dataclass(frozen=True, slots=True)
class Window:
    """Four weeks before one change and two after it (or since it settled), first and last day included.

    The totals are the source's messages on those days.
    """

    change: Change
    before: tuple[date, date]
    after: tuple[date, date]
    total_before: int
    total_after: int

    @classmethod
    def of(cls, change: Change, seen: Seen) -> Window:
        """The days around a change, none of them beyond the next one; `seen` is of its source."""
        mine = seen.messages
        newest = mine["day"].max()
        last = newest if isinstance(newest, date) else change.started_on
        if change.until:
            last = min(last, change.until - timedelta(days=1))
        settled = change.ended_on or change.started_on
        if change.shape == "slide" and change.ended_on is None:
            settled = last - AFTER
        settled = max(change.started_on, min(settled, last))
        before = (change.started_on - BEFORE, change.started_on - timedelta(days=1))
        after = (settled, min(last, settled + AFTER))
        return cls(change, before, after, *(messages(within(mine, days)) for days in (before, after)))

    @property
    def mechanisms(self) -> tuple[str, ...]:
        """The mechanisms that could be behind it: its own, or for dmarc the one that led."""
        if self.change.mechanism != "dmarc":
            return (self.change.mechanism,)
        return (self.change.follows,) if self.change.follows else ("dkim", "spf")

    def explains(self, share: float) -> float:
        """The part of the change, between 0 and 1, that so great a share of the mail explains."""
        return min(1.0, max(0.0, share / max(1e-9, abs(self.change.after - self.change.before))))

    def shares(self, rows: pl.DataFrame) -> Shares:
        """Shares of the source's messages in `rows`, which have day, result and messages."""
        told = pl.col("messages")
        days = [pl.col("day").is_between(*days) for days in (self.before, self.after)]
        asked = [told.filter(inside & passed).sum() for passed in (True, PASS) for inside in days]
        sums = rows.select(one.alias(str(at)) for at, one in enumerate(asked)).row(0)
        totals = (self.total_before, self.total_after) * 2
        return Shares(*(min(1.0, told / max(1, total)) for told, total in zip(sums, totals, strict=True)))


def by_selector(rows: pl.DataFrame) -> Iterator[tuple[str, str, pl.DataFrame]]:
    """Signing domain, selector and rows of each selector among some signatures, in order.

    Reporters may leave the selector out; such rows stand for all selectors at once, and are left out here.
    """
    parts = rows.drop_nulls(["signing_domain", "selector"]).partition_by("signing_domain", "selector", as_dict=True)
    for (domain, selector), part in sorted(parts.items(), key=lambda item: item[0]):
        yield str(domain), str(selector), part


def within(rows: pl.DataFrame, days: tuple[date, date]) -> pl.DataFrame:
    """The rows of some days, both ends included."""
    return rows.filter(pl.col("day").is_between(*days))


def messages(rows: pl.DataFrame, column: str = "messages") -> int:
    """The sum of a column of messages."""
    return int(rows[column].sum())


def with_own(frame: pl.DataFrame, column: str) -> pl.DataFrame:
    """The frame with `own`: whether the domain in `column` is aligned (relaxed) with `domain`."""
    pairs = frame.select("domain", column).unique()
    own = [bool(name) and aligned(domain, name) for domain, name in pairs.rows()]
    return frame.join(
        pairs.with_columns(pl.Series("own", own, dtype=pl.Boolean)), on=["domain", column], nulls_equal=True
    )
