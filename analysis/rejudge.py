"""Each row of the reports judged again under a candidate: does it fail, and what became of it?

What receivers refused already is a fact. What they delivered is open, unless they let it through against a policy or
for a reason that they gave: that would come through again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from analysis.applied import Applied
from analysis.candidate import Candidate
from analysis.policy import STRICTNESS, eased
from ingest.alignment import aligned
from ingest.discovery import RULES, Rule


@dataclass(frozen=True, slots=True)
class Situation:
    """What has to be known to judge rows again, beside the rows.

    `modern`: reporters that follow RFC 9989. `alive`: names that surely exist. `without_spf`: sources that lose SPF.
    `applied`: what DNS says of the names, where it was asked; `walkers` are the reporters that go by its tree walk.
    """

    domain: str
    candidate: Candidate
    modern: frozenset[str] = frozenset()
    alive: frozenset[str] = frozenset()
    without_spf: frozenset[str] = frozenset()
    applied: Applied | None = None
    walkers: frozenset[str] = frozenset()


def judged(rows: pl.DataFrame, seen: pl.DataFrame, situation: Situation) -> pl.DataFrame:
    """The rows that fail under the candidate and that it asks to block, each by the rule of its reporter.

    `rows` as `reads_ledger.outcomes` or `outcomes_by_name` gives them, `seen` as `policies_seen` does, of one domain.
    Columns: day, source_key, reporter, and messages as refused, let_through, open, unclear; `freed` are messages that
    were refused and would no longer be (in rows of their own).
    """
    rows = _asked(rows.with_columns(pl.col("header_from").str.to_lowercase()), seen, situation.domain)
    walks = pl.col("reporter").is_in(list(situation.walkers))
    told = pl.concat([
        _under(rows.filter(~walks), situation, "psl"),
        _under(rows.filter(walks), situation, "treewalk"),
    ])  # fmt: skip
    n = pl.col("messages")
    blocked = pl.col("disposition").is_in(["quarantine", "reject"])
    failed_then = ~pl.col("dkim_aligned") & ~pl.col("spf_aligned")
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


def apart(rows: pl.DataFrame, seen: pl.DataFrame, situation: Situation) -> pl.DataFrame:
    """The rows on which the two rules differ, whoever reported them, the same given as to `judged`.

    Columns: source_key, reporter, messages, walks (its reporter goes by the tree walk); passes_psl, passes_treewalk:
    aligned by this rule; blocks_psl, blocks_treewalk: it fails, and the record that applies asks to block it.
    """
    rows = _asked(rows.with_columns(pl.col("header_from").str.to_lowercase()), seen, situation.domain)
    told = pl.concat(
        [
            _under(rows, situation, rule).select(
                pl.col("passes").alias(f"passes_{rule}"), pl.col("fails").alias(f"blocks_{rule}")
            )
            for rule in RULES
        ],
        how="horizontal",
    )
    differ = [pl.col(f"{what}_psl") != pl.col(f"{what}_treewalk") for what in ("passes", "blocks")]
    walks = pl.col("reporter").is_in(list(situation.walkers))
    known = rows.select("source_key", "reporter", "messages", walks=walks)
    return pl.concat([known, told], how="horizontal").filter(pl.any_horizontal(differ))


def _under(rows: pl.DataFrame, situation: Situation, rule: Rule) -> pl.DataFrame:
    """The rows, in their order, with passes, fails (and is asked to be blocked) and unclear, by one rule."""
    other = situation.applied.others(rule) if situation.applied else {}
    dkim, dkim_unclear = _aligned(rows, "dkim", situation, rule, {name: one.adkim for name, one in other.items()})
    spf, spf_unclear = _aligned(rows, "spf", situation, rule, {name: one.aspf for name, one in other.items()})
    spf = spf & ~pl.col("source_key").is_in(list(situation.without_spf))
    if situation.candidate.dkim_alone:
        spf, spf_unclear = pl.lit(value=False), pl.lit(value=False)
    asks, either = _asks(situation, other)
    return rows.with_columns(stops=asks > 0, either=either, passes=dkim | spf).with_columns(
        fails=~pl.col("passes") & pl.col("stops"),
        # Alignment rests on what the record does not name.
        unclear=pl.col("stops")
        & (pl.col("either") | (pl.col("passes") & ~(dkim & ~dkim_unclear) & ~(spf & ~spf_unclear))),
    )


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


def _asks(situation: Situation, other: Mapping[str, Candidate]) -> tuple[pl.Expr, pl.Expr]:
    """How strict the record is that applies to each row, and whether that hangs on a name's existence.

    `other`: names to which another record applies than the candidate.
    """
    wish, names = situation.candidate, pl.col("header_from")
    exists = _existence(situation)
    alive = names.is_in([*situation.alive, *(name for name, there in exists.items() if there)])
    missing_surely = names.is_in([name for name, there in exists.items() if not there])
    own, below, missing = (wish.asks(below=False), wish.asks(below=True), wish.asks(below=True, exists=False))

    def strict(ease: bool) -> pl.Expr:
        p, sp, np_ = (STRICTNESS[eased(one) if ease else one] for one in (own, below, missing))
        # Of a name that may not exist, the stricter of the two: a loss must not be overlooked.
        of_ours = pl.when(~pl.col("below")).then(p).when(alive).then(sp).when(missing_surely).then(np_)
        return of_ours.otherwise(max(sp, np_))

    def of_others(ease: bool) -> pl.Expr:
        found = {name: STRICTNESS[eased(one.p) if ease and one.testing else one.p] for name, one in other.items()}
        return _each(found, pl.Int64)

    modern = pl.col("reporter").is_in(list(situation.modern))
    ours = pl.when(modern).then(strict(ease=wish.testing)).otherwise(strict(ease=False))
    theirs = pl.when(modern).then(of_others(ease=True)).otherwise(of_others(ease=False))
    doubtful = (STRICTNESS[below] > 0) != (STRICTNESS[missing] > 0)
    open_ = pl.col("below") & ~alive & ~missing_surely & pl.lit(doubtful) & ~names.is_in(list(other))
    return pl.coalesce(theirs, ours), open_


def _existence(situation: Situation) -> dict[str, bool]:
    """What DNS says of the names in From, where it was asked and answered."""
    if situation.applied is None:
        return {}
    tree = situation.applied.tree
    told = {name: tree.exists(name) for name in tree.names.authors}
    return {name: there for name, there in told.items() if there is not None}


def _each(values: Mapping[str, object], kind: type[pl.DataType]) -> pl.Expr:
    """The value of each row's name in From, null for a name that has none."""
    if not values:
        return pl.lit(None, dtype=kind)
    return pl.col("header_from").replace_strict(list(values), list(values.values()), default=None, return_dtype=kind)


def _aligned(
    rows: pl.DataFrame, kind: str, situation: Situation, rule: Rule, others: Mapping[str, str]
) -> tuple[pl.Expr, pl.Expr]:
    """Whether a row is aligned, and whether that rests on a domain which the report does not name.

    `others`: the modes of names to which another record applies than the candidate.
    """
    was, nothing = pl.col(f"{kind}_aligned"), pl.lit(value=False)
    if f"{kind}_exact" not in rows.columns:
        return was, nothing
    wish = situation.candidate.adkim if kind == "dkim" else situation.candidate.aspf
    strict = pl.coalesce(_each(others, pl.String), pl.lit(wish)) == "s"
    exact, told = pl.col(f"{kind}_exact"), pl.col(f"{kind}_told")
    relaxed = was | _related(rows, f"{kind}_passed")
    if situation.applied:
        yes, no = _against(rows, f"{kind}_passed", situation.applied, rule)
        relaxed = (relaxed | yes) & ~no
    return pl.when(strict).then(was & (exact | ~told)).otherwise(relaxed), strict & was & ~told


def _pairs(rows: pl.DataFrame, column: str) -> tuple[list[tuple[str, list[str]]], pl.Expr]:
    """Each name in From with each list of domains that passed, and the expression that has the same as text."""
    told = rows.select("header_from", column).filter(pl.col(column).list.len() > 0).unique()
    return list(told.iter_rows()), pl.concat_str("header_from", pl.lit(" "), pl.col(column).list.join(" "))


def _related(rows: pl.DataFrame, column: str) -> pl.Expr:
    """Whether any of the domains that passed shares the organizational domain of header_from, by the list."""
    pairs, key = _pairs(rows, column)
    found = [f"{name} {' '.join(passed)}" for name, passed in pairs if _listed(name, passed)]
    return (pl.col(column).list.len() > 0) & key.is_in(found)


def _listed(name: str, passed: list[str]) -> bool:
    return any(aligned(name, one) for one in passed if one)


def _against(rows: pl.DataFrame, column: str, applied: Applied, rule: Rule) -> tuple[pl.Expr, pl.Expr]:
    """Rows that are aligned, and rows that are not, by this rule, where the two rules differ on them.

    Elsewhere what the receiver said stands: it has seen the mail.
    """
    pairs, key = _pairs(rows, column)
    yes, no = list[str](), list[str]()
    for name, passed in pairs:
        if name in applied.tree.names.authors:
            walked, listed = applied.aligned("treewalk", name, passed), _listed(name, passed)
            if walked is not None and walked != listed:
                (yes if (walked if rule == "treewalk" else listed) else no).append(f"{name} {' '.join(passed)}")
    return key.is_in(yes), key.is_in(no)
