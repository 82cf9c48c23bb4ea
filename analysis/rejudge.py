"""Each row of the reports judged again under a candidate: does it fail, and what became of it?

What receivers refused already is a fact. What they delivered is open, unless they let it through against a policy or
for a reason that they gave: that would come through again.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from analysis.candidate import Candidate, eased
from analysis.policy import STRICTNESS
from ingest.alignment import aligned


@dataclass(frozen=True, slots=True)
class Situation:
    """What has to be known to judge rows again, beside the rows.

    `modern`: reporters that follow RFC 9989. `alive`: names that surely exist. `without_spf`: sources that lose SPF.
    """

    domain: str
    candidate: Candidate
    modern: frozenset[str] = frozenset()
    alive: frozenset[str] = frozenset()
    without_spf: frozenset[str] = frozenset()


def judged(rows: pl.DataFrame, seen: pl.DataFrame, situation: Situation) -> pl.DataFrame:
    """The rows that fail under the candidate and that it asks to block.

    `rows` as `reads_ledger.outcomes` or `outcomes_by_name` gives them, `seen` as `policies_seen` does, of one domain.
    Columns: day, source_key, reporter, and messages as refused, let_through, open, unclear; `freed` are messages that
    were refused and would no longer be (in rows of their own).
    """
    rows = _asked(rows.with_columns(pl.col("header_from").str.to_lowercase()), seen, situation.domain)
    dkim, dkim_unclear = _aligned(rows, "dkim", situation.candidate.adkim)
    spf, spf_unclear = _aligned(rows, "spf", situation.candidate.aspf)
    spf = spf & ~pl.col("source_key").is_in(list(situation.without_spf))
    if situation.candidate.dkim_alone:
        spf, spf_unclear = pl.lit(value=False), pl.lit(value=False)
    asks, either = _asks(situation)
    n = pl.col("messages")
    blocked = pl.col("disposition").is_in(["quarantine", "reject"])
    failed_then = ~pl.col("dkim_aligned") & ~pl.col("spf_aligned")
    told = rows.with_columns(stops=asks > 0, either=either, passes=dkim | spf).with_columns(
        fails=~pl.col("passes") & pl.col("stops"),
        # Alignment rests on what the record does not name.
        unclear=pl.col("stops")
        & (pl.col("either") | (pl.col("passes") & ~(dkim & ~dkim_unclear) & ~(spf & ~spf_unclear))),
    )
    through = ~blocked & failed_then & (pl.col("overridden") | (pl.col("asked") > 0))
    return told.select(
        "day",
        "source_key",
        "reporter",
        refused=n * (pl.col("fails") & blocked),
        let_through=n * (pl.col("fails") & through),
        open=n * (pl.col("fails") & ~blocked & ~through),
        unclear=n * pl.col("unclear"),
        freed=n * (~pl.col("fails") & blocked & failed_then),
    ).filter(pl.sum_horizontal("refused", "let_through", "open", "unclear", "freed") > 0)


def _asked(rows: pl.DataFrame, seen: pl.DataFrame, domain: str) -> pl.DataFrame:
    """The rows with `asked`: how strict the policy was that the reporter saw (0 none, 1 quarantine, 2 reject)."""
    partly = (pl.col("pct").fill_null(100) < 100) | (pl.col("testing").fill_null("") == "y")
    known = seen.select(
        "day",
        "reporter",
        strict_p=pl.when(partly).then(0).otherwise(_strictness("p")),
        strict_sp=pl.when(partly).then(0).otherwise(_strictness(pl.coalesce("sp", "p"))),
    ).sort("day")
    # A report of several days is known by its first.
    return (
        rows.sort("day")
        .join_asof(known, on="day", by="reporter", check_sortedness=False)
        .with_columns(below=pl.col("header_from") != domain)
        .with_columns(asked=pl.when("below").then("strict_sp").otherwise("strict_p").fill_null(0))
    )


def _strictness(policy: str | pl.Expr) -> pl.Expr:
    column = pl.col(policy) if isinstance(policy, str) else policy
    return column.replace_strict(STRICTNESS, default=0, return_dtype=pl.Int64)


def _asks(situation: Situation) -> tuple[pl.Expr, pl.Expr]:
    """How strict the candidate is on each row, and whether that hangs on a name's existence."""
    wish, alive = situation.candidate, pl.col("header_from").is_in(list(situation.alive))
    own, below, missing = (wish.asks(below=False), wish.asks(below=True), wish.asks(below=True, exists=False))

    def strict(ease: bool) -> pl.Expr:
        p, sp, np_ = (STRICTNESS[eased(one) if ease else one] for one in (own, below, missing))
        # Of a name that may not exist, the stricter of the two: a loss must not be overlooked.
        return pl.when(~pl.col("below")).then(p).when(alive).then(sp).otherwise(max(sp, np_))

    full = strict(ease=False)
    asks = pl.when(pl.col("reporter").is_in(list(situation.modern))).then(strict(ease=True)).otherwise(full)
    doubtful = (STRICTNESS[below] > 0) != (STRICTNESS[missing] > 0)
    return (asks if wish.testing else full), pl.col("below") & ~alive & pl.lit(doubtful)


def _aligned(rows: pl.DataFrame, kind: str, mode: str) -> tuple[pl.Expr, pl.Expr]:
    """Whether a row is aligned in this mode, and whether that rests on a domain which the report does not name."""
    was, nothing = pl.col(f"{kind}_aligned"), pl.lit(value=False)
    if f"{kind}_exact" not in rows.columns:
        return was, nothing
    exact, told = pl.col(f"{kind}_exact"), pl.col(f"{kind}_told")
    if mode == "s":
        return was & (exact | ~told), was & ~told
    return was | _related(rows, f"{kind}_passed"), nothing


def _related(rows: pl.DataFrame, column: str) -> pl.Expr:
    """Whether any of the domains that passed shares the organizational domain of header_from."""
    pairs = rows.select("header_from", column).filter(pl.col(column).list.len() > 0).unique()
    found = [
        f"{name} {' '.join(passed)}"
        for name, passed in pairs.iter_rows()
        if any(aligned(name, one) for one in passed if one)
    ]
    key = pl.concat_str("header_from", pl.lit(" "), pl.col(column).list.join(" "))
    return (pl.col(column).list.len() > 0) & key.is_in(found)
