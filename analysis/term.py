"""A term of a verdict: what is counted for or against whose mail it is, and the sentence that tells it.

A term's amount lies between 0 and 1. What it is worth to each answer is fitted and stands in `weights`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import polars as pl

# Where what is counted stands; what is in none of them is in source_day.
TABLES = {
    "signature_month": frozenset(
        ("altered", "altered_away", "invented", "own_pass", "away", "away_pass", "borrowed", "origins", "vendor",
         "own_keys", "unsigned")
    ),
    "envelope_month": frozenset(
        ("own_envelope_fail", "kept", "foreign_pass", "foreign_fail", "passing_paths", "listlike", "bouncelike",
         "spf_pass")
    ),
    "reason_day": frozenset(("reasons",)),
    "address": frozenset(("own_host", "named_host", "lying_host", "hosts", "service_type")),
    "blocklist_answer": frozenset(("blocklisted",)),
    "dns_answer": frozenset(("dns_pointed", "dns_named", "dns_known")),
    "daily": frozenset(("unreal", "voices", "recent_heard", "heard_aligned")),
}  # fmt: skip

# Whose mail it is: sent by us or for us, passed on by somebody, or forged.
WHOSE = ("ours", "forwarded", "spoofing")

THIN = 1.5  # messages at which evidence counts half


@dataclass(frozen=True, slots=True)
class Term:
    """One kind of evidence. `sentence` is a template over the row's numbers: it can hold no text from reports.

    `thin`: whether it counts less where a source has few messages; facts about a source do not. `pro` and `con`
    hold what it can only speak for, or against (words of WHOSE): the fit keeps to that.
    `least` is how much it weighs at least against `con`: by judgement, where no invented world shows such mail.
    `rows` is the table of the warehouse whose rows it counts.
    """

    code: str
    amount: pl.Expr
    sentence: str
    thin: bool = True
    pro: str = ""
    con: str = ""
    least: float = 0.0
    rows: str = field(init=False, default="")

    def __post_init__(self) -> None:
        """Look once which rows it counts: it is asked for each entry of each source."""
        read = self.amount.meta.root_names()
        table = next((table for table, columns in TABLES.items() if columns.intersection(read)), "source_day")
        object.__setattr__(self, "rows", table)


def share(count: str | pl.Expr, full: float = 1.0, of: str = "n") -> pl.Expr:
    """A count as a share of another, 1 from `full` on."""
    count = pl.col(count) if isinstance(count, str) else count
    return (count / pl.max_horizontal(pl.col(of), 1) / full).clip(0, 1)


def size(count: str, most: float) -> pl.Expr:
    """A count on a logarithmic scale, 1 from `most` on."""
    return (pl.col(count).log1p() / pl.lit(most).log1p()).clip(0, 1)


RECENT = (
    pl.when(pl.col("recent_heard") >= 1)
    .then(pl.col("recent_heard_aligned") / pl.max_horizontal("recent_heard", 1e-9))
    .otherwise(pl.col("recent_aligned") / pl.max_horizontal("recent_n", 1))
)
ALIGNS = ((RECENT - 0.5) / 0.4).clip(0, 1)
FAILS = ((0.9 - RECENT) / 0.4).clip(0, 1)
EARLIER = pl.col("earlier_n") / (pl.col("earlier_n") + 5.0)
HOST, SERVICE, MAILBOX = pl.col("host"), pl.col("service_network"), pl.col("mailbox")
OTHER = ~HOST & ~SERVICE & ~MAILBOX
EVER = pl.col("heard_aligned")
NEVER = (EVER < 1).cast(pl.Float64)
UNALIGNED = pl.max_horizontal(pl.col("n") - pl.col("recent_aligned") - pl.col("earlier_aligned"), 1)
NOTHING = pl.min_horizontal(share("unsigned"), 1 - share("spf_pass"))
SPF_FAILS = pl.col("own_envelope_fail") + pl.col("kept") + pl.col("foreign_fail")
OWN_NAME = pl.max_horizontal(share("vendor", 0.6), share("foreign_pass", 0.6)) * FAILS
STEADY = (pl.col("active_days") / 20).clip(0, 1) * share("active_days", 0.3, "span_days")
OFFICE = (1 - share("weekend", 0.2)) * (pl.col("mail_days") / 10).clip(0, 1)
MONTHLY = ((share("month_end") - 0.4) / 0.5).clip(0, 1) * (pl.col("mail_days") / 3).clip(0, 1)
