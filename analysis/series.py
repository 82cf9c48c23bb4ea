"""From the warehouse's rows to daily series: which sources could have drifted at all, as arrays."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import polars as pl

from analysis.numbers import Bools, Floats, Ints, np
from analysis.settings import DriftSettings

EITHER = "dmarc"  # the last of MECHANISMS: by dkim or by spf, so that it often says what one of them says
MECHANISMS = {"dkim": "dkim_aligned", "spf": "spf_aligned", EITHER: "aligned"}
ROWS = 4_000  # reporter rows held as arrays at a time: about 20 MB with 120 days


@dataclass(frozen=True, slots=True)
class Block:
    """Some sources over as many days, each from a first day of its own; one row for each reporter of each source.

    `messages` and each of `aligned` (by mechanism) have shape (rows, days); `owner` gives each row its
    source, ascending; `keys` holds (domain, source_key) of each source, `firsts` its first day, `reporters` the names
    by row.
    """

    firsts: list[date]
    keys: list[tuple[str, str]]
    owner: Ints
    reporters: list[str]
    messages: Floats
    aligned: dict[str, Floats]

    def weekend(self, at: int) -> Bools:
        """Which days of a source are Saturdays or Sundays."""
        return (np.arange(self.messages.shape[1]) + self.firsts[at].weekday()) % 7 >= 5

    def alike(self, one: str, other: str) -> Bools:
        """In which sources two mechanisms say the same of every day."""
        rows = (self.aligned[one] == self.aligned[other]).all(axis=1)
        found: Bools = np.logical_and.reduceat(rows, np.flatnonzero(np.diff(self.owner, prepend=-1)))
        return found


def blocks(days: pl.DataFrame, settings: DriftSettings, size: int) -> Iterator[Block]:
    """The sources with enough mail for a change, over `size` days each, some at a time.

    `days` is as reads_changes.told_days gives it, and has `first`: the first day of its source that counts.
    """
    inside = within(days, size)
    sums = [pl.col(name).sum() for name in ("messages", *MECHANISMS.values())]
    sources = (
        inside.group_by("domain", "source_key")
        .agg(*sums, pl.col("reporter").n_unique().alias("rows"))
        .filter(pl.any_horizontal(could_move(column, settings) for column in MECHANISMS.values()))
        .sort("domain", "source_key")
        .with_columns(part=(pl.col("rows").cum_sum() - 1) // ROWS)
    )
    inside = inside.join(sources.select("domain", "source_key", "part"), on=["domain", "source_key"])
    for _, part in inside.partition_by("part", as_dict=True, include_key=False).items():
        yield _block(part, size)


def within(days: pl.DataFrame, size: int) -> pl.DataFrame:
    """The rows with mail on the `size` days from each source's `first` on, with the place of each there, `at`."""
    placed = days.filter(pl.col("messages") > 0).with_columns(at=(pl.col("day") - pl.col("first")).dt.total_days())
    return placed.filter(pl.col("at").is_between(0, size - 1))


def asked(block: Block, mechanism: str, settings: DriftSettings) -> Bools:
    """Which of a block's sources could have moved by this mechanism: those are the questions put."""
    starts = np.flatnonzero(np.diff(block.owner, prepend=-1))
    messages = np.add.reduceat(block.messages.sum(axis=1), starts)
    aligned = np.add.reduceat(block.aligned[mechanism].sum(axis=1), starts)
    fewest = settings.messages * settings.points / 100
    could: Bools = np.minimum(aligned, messages - aligned) >= fewest
    could &= messages >= 2 * settings.messages
    return could


def could_move(column: str, settings: DriftSettings) -> pl.Expr:
    """Whether a source, by its sums, has mail enough for a change of the least size."""
    other = pl.min_horizontal(pl.col(column), pl.col("messages") - pl.col(column))
    return (pl.col("messages") >= 2 * settings.messages) & (other >= settings.messages * settings.points / 100)


def _block(part: pl.DataFrame, days: int) -> Block:
    names = ["domain", "source_key", "first", "reporter"]
    rows = part.select(names).unique().sort(names).with_row_index("row")
    placed = part.join(rows, on=names).select(
        (pl.col("row").cast(pl.Int64) * days + pl.col("at")).alias("at"),
        *({"messages", "estimated"} & set(part.columns)),
        *MECHANISMS.values(),
    )
    at, size = placed["at"].to_numpy(), rows.height * days
    sources = rows.select("domain", "source_key", "first").unique(maintain_order=True)
    starts = rows.select((pl.struct("domain", "source_key").rle_id()).cast(pl.Int64))

    def array(column: str) -> Floats:
        sums = np.bincount(at, placed[column].to_numpy(), size).astype(np.float64)
        return sums.reshape(rows.height, days)

    messages = array("messages")
    aligned = {mechanism: array(column) for mechanism, column in MECHANISMS.items()}
    if "estimated" in placed.columns:
        gathered(array("estimated"), messages, *aligned.values())
    return Block(
        firsts=sources["first"].to_list(),
        keys=sources.select("domain", "source_key").rows(),
        owner=starts.to_series().to_numpy(),
        reporters=rows["reporter"].to_list(),
        messages=messages,
        aligned=aligned,
    )


def gathered(estimated: Floats, messages: Floats, *parts: Floats) -> None:
    """Put what was spread from one report over its days on their middle day, in place; shape (rows, days).

    Days that one report of a week was spread over are alike to the message: seven witnesses that are one. Such
    days are told by their counts, which never rise within a report and differ by one at the most.
    """
    for row in np.flatnonzero(estimated.any(axis=1)):
        days = np.flatnonzero(estimated[row] > 0)
        counts = np.stack([part[row, days] for part in (messages, *parts)])
        fell = np.diff(counts, axis=1)
        new = (np.diff(days) > 1) | ((fell > 0) | (fell < -1)).any(axis=0)
        for run in np.split(days, np.flatnonzero(new) + 1):
            middle = run[run.size // 2]
            for part in (messages, *parts):
                whole = part[row, run].sum()
                part[row, run] = 0.0
                part[row, middle] = whole
