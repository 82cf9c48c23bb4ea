"""Is it mine? A ledger: each rule adds log-odds for the kinds it speaks for, and every entry is shown.

The weights are judgements, not a fit: a fit needs labelled mail, and nobody's mail is like the
next one's. They follow one order of strength: what only the domain's own senders can do (an aligned
pass), what only mail that was once theirs can show (a broken real signature, a return path kept),
what a network is for, and last how mail is spread over days and countries. All evidence shrinks
with few messages, so that a handful stays unknown.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

KINDS = ("aligned", "misaligned", "forwarded", "unknown", "spoofing")
# Before any evidence: unknown, unless something speaks for another kind.
PRIOR = (-1.0, -1.5, -1.5, 0.5, -1.0)
THIN = 1.5  # messages at which evidence counts half
SHOWN = 0.1  # entries that move the odds by less are not worth a line


@dataclass(frozen=True, slots=True)
class Evidence:
    """One reason for a verdict: a stable code, a sentence for people, and how much it weighs.

    `weight` is in log-odds: positive speaks for the verdict. Sentences hold no text from reports.
    """

    code: str
    sentence: str
    weight: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """The likeliest kind, its probability, and the entries that decided it, the weightiest first."""

    kind: str
    confidence: float
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True)
class Rule:
    """One kind of evidence: how much of it there is (0 to 1), and what it is worth to each kind.

    `sentence` is a template over the row's numbers: it can hold no text from reports.
    """

    code: str
    amount: pl.Expr
    aligned: float = 0.0
    misaligned: float = 0.0
    forwarded: float = 0.0
    unknown: float = 0.0
    spoofing: float = 0.0
    sentence: str = ""


def _share(count: str | pl.Expr, full: float, of: str = "n") -> pl.Expr:
    """A count as a share of another, 1 from `full` on."""
    count = pl.col(count) if isinstance(count, str) else count
    return (count / pl.max_horizontal(pl.col(of), 1) / full).clip(0, 1)


RECENT = pl.col("recent_aligned") / pl.max_horizontal("recent_n", 1)
ALIGNS = ((RECENT - 0.55) / 0.35).clip(0, 1)
FAILS = ((0.9 - RECENT) / 0.35).clip(0, 1)
EARLIER = pl.col("earlier_n") / (pl.col("earlier_n") + 5.0)
HOST, SERVICE, MAILBOX = pl.col("host"), pl.col("service_network"), pl.col("mailbox")
OTHER = ~HOST & ~SERVICE & ~MAILBOX
NEVER = (pl.col("recent_aligned") + pl.col("earlier_aligned") == 0).cast(pl.Float64)
UNALIGNED = pl.max_horizontal(pl.col("n") - pl.col("recent_aligned") - pl.col("earlier_aligned"), 1)
NOTHING = pl.min_horizontal(_share("unsigned", 1.0), 1 - _share("spf_pass", 1.0))
SPF_FAILS = pl.col("own_envelope_fail") + pl.col("kept") + pl.col("foreign_fail")
OWN_NAME = pl.max_horizontal(_share("vendor", 0.6), _share("foreign_pass", 0.6)) * FAILS

RULES = (
    Rule("aligned_now", ALIGNS, 3, -1, 1.5, -1, -4,
         "{recent_aligned:,} of its last {recent_n:,} messages aligned."),
    Rule("not_aligned_now", FAILS, -5, 0, 0, 0, 0,
         "Only {recent_aligned:,} of its last {recent_n:,} messages aligned."),
    Rule("spf_aligned", _share("spf_aligned", 0.5), 2.5, 2, -3, -1, -3,
         "{spf_aligned:,} of {n:,} messages aligned by SPF: the domain's own record allows this address."),
    Rule("aligned_before", _share("earlier_aligned", 0.8, "earlier_n") * EARLIER * FAILS * (1 - _share("away", 1.0)),
         0, 4, 0, -1, -3,
         "{earlier_aligned:,} of {earlier_n:,} earlier messages aligned."),
    Rule("others_keys", _share("away", 0.5), -2, -2, 2.5, -0.5, -2,
         "{away:,} of {n:,} messages carry a signing key of the domain's that is at home in another network."),
    Rule("several_senders", ((pl.col("origins") - 1) / 2).clip(0, 1) * _share("away", 0.2), -1, -1.5, 3, 0, -1.5,
         "Mail of {origins:,} different senders comes through here."),
    Rule("kept_return_path", _share("kept", 0.3), -1, -1.5, 2.5, 0, -0.5,
         "{kept:,} of {n:,} messages still have the return path of a sender in another network."),
    Rule("redirected", pl.min_horizontal(_share("own_envelope_fail", 0.4), _share("away", 0.4)), -0.5, -0.5, 1, 0, 0,
         "{own_envelope_fail:,} of {n:,} messages kept the domain as return path, from an address it does not allow."),
    Rule("second_home", pl.min_horizontal(_share("borrowed", 0.5), _share(SPF_FAILS, 0.8)), -1.5, -0.5, 1.5, 0, 0,
         "{borrowed:,} of {n:,} messages are signed with a key that is mostly used elsewhere, and SPF does not pass."),
    Rule("reporters_say_forwarded", (pl.col("reasons") / UNALIGNED / 0.3).clip(0, 1) * (pl.col("reasons") > 1),
         0, -0.5, 3.5, -0.5, -1.5,
         "For {reasons:,} of {n:,} messages the receiver said that they were forwarded or came through a list."),
    Rule("list_return_path", _share("listlike", 0.5), 0, -0.5, 1, 0, 0,
         "{listlike:,} of {n:,} messages have a return path named as lists and forwarders name theirs."),
    Rule("altered_on_the_way", _share("altered_away", 0.3), -0.5, 0, 1.5, 0, -2.5,
         "{altered_away:,} of {n:,} messages carry a real signature of another sender that no longer verifies."),
    Rule("broken_signature", _share("altered", 0.5) * FAILS, 0, 2.5, 0.5, 0, -2.5,
         "{altered:,} of {n:,} messages are signed with a key that verified before, and fail now."),
    Rule("invented_key", _share("invented", 0.5), 0, 0.5, 0, 0, 1.5,
         "{invented:,} of {n:,} messages name a signing key of the domain's that never verified anywhere."),
    Rule("service_own_name", OWN_NAME * SERVICE, 0, 3, -0.5, 0, -2,
         "It authenticates with its own name and not with the domain's, as services do before they are set up."),
    Rule("other_own_name", OWN_NAME * OTHER, 0, 1.8, 0, 0.6, -1.5,
         "It authenticates with its own name and not with the domain's."),
    Rule("mailbox_own_name", OWN_NAME * (MAILBOX & ~SERVICE), 0, 0.5, 1, 1, 0,
         "A mailbox provider's mail with its own return path: somebody's mailbox, or mail it passed on."),
    Rule("tenant_own_name", OWN_NAME * HOST, 0, 0, 0, 1.5, 0.5,
         "It authenticates, but as somebody else; anybody can do that from a rented server."),
    Rule("nothing_authenticates", (NOTHING / 0.6).clip(0, 1) * HOST, 0, 0, 0, 0, 2.5,
         "{unsigned:,} of {n:,} messages are unsigned, and SPF does not pass."),
    Rule("nothing_authenticates", (NOTHING / 0.6).clip(0, 1) * ~HOST, 0, 0.5, 0, 0.5, 1,
         "{unsigned:,} of {n:,} messages are unsigned, and SPF does not pass."),
    Rule("our_return_path", _share("own_envelope_fail", 0.6) * NEVER, 0, 0, 0, 0, 0.8,
         "{own_envelope_fail:,} of {n:,} messages claim the domain as return path, from an address it does not allow."),
    Rule("invented_return_path", _share("foreign_fail", 0.6) * NEVER, 0, -0.5, 0, 0, 0.8,
         "{foreign_fail:,} of {n:,} messages have return paths that pass nowhere."),
    Rule("host_network", HOST, 0, -0.7, 0, 0, 0.7,
         "The network is a hoster's or access provider's: anybody can send from it."),
    Rule("service_network", SERVICE, 0, 1, -0.3, 0, -1.5,
         "The network belongs to a service that sends or builds mail for its customers."),
    Rule("mailbox_network", MAILBOX, 0, 0, 0.7, 0.3, -1,
         "The network belongs to a mailbox provider, which both sends and passes on."),
    Rule("short_burst", NEVER * (pl.col("span_days") <= 10), 0, -0.5, 0, 0, 0.5,
         "Days from the first to the last of it: {span_days:,}."),
    Rule("steady", NEVER * (pl.col("active_days") / 20).clip(0, 1) * _share("active_days", 0.3, "span_days"),
         0, 0.5, 0, 1, -1.5,
         "It sent on {active_days:,} of {span_days:,} days; forged mail comes in bursts or drips."),
    Rule("many_alike", NEVER * pl.col("in_vain") * (pl.col("peers").log1p() / 5).clip(0, 1), 0, -0.5, -0.5, 0, 1.5,
         "Other rented networks that do the same: {peers:,}, in so many countries: {peer_countries:,}."),
    Rule("mine_elsewhere", (pl.col("elsewhere_spf") / 20).clip(0, 1) * HOST, 1, 2, -1, 0, -2.5,
         "Messages that it sent for other domains here, allowed by their SPF: {elsewhere_spf:,}."),
    Rule("served_elsewhere", (pl.col("elsewhere_spf") / 20).clip(0, 1) * (SERVICE | OTHER), 0.3, 0.7, 0, 0, -1,
         "Other domains here send through it and allow it by SPF."),
)  # fmt: skip

WEIGHTS = np.array([[getattr(rule, kind) for kind in KINDS] for rule in RULES])


def classify(rows: pl.DataFrame) -> list[Verdict]:
    """The verdict on each row of `evidence.evidence`, in order."""
    if rows.is_empty():
        return []
    amounts = rows.select(
        rule.amount.cast(pl.Float64).fill_null(0).fill_nan(0).alias(str(i)) for i, rule in enumerate(RULES)
    ).to_numpy()
    n = rows["n"].to_numpy()[:, None]
    amounts = amounts * (n / (n + THIN))
    scores = amounts @ WEIGHTS + np.array(PRIOR)
    best = scores.argmax(axis=1)
    odds = np.exp(scores - scores.max(axis=1, keepdims=True))
    sure = np.minimum(odds.max(axis=1) / odds.sum(axis=1), 0.99)
    others = scores.copy()
    others[np.arange(len(best)), best] = -np.inf
    # What an entry weighs against the next likeliest kind: these sum to the verdict's log-odds.
    entries = amounts * (WEIGHTS.T[best] - WEIGHTS.T[others.argmax(axis=1)])
    return [
        Verdict(KINDS[kind], round(float(confidence), 3), _entries(row, weights))
        for row, weights, kind, confidence in zip(rows.iter_rows(named=True), entries, best, sure, strict=True)
    ]


def _entries(row: dict[str, object], weights: np.ndarray[tuple[int], np.dtype[np.float64]]) -> tuple[Evidence, ...]:
    order = np.argsort(-np.abs(weights), kind="stable")
    return tuple(
        Evidence(RULES[i].code, RULES[i].sentence.format_map(row), round(float(weights[i]), 2))
        for i in order
        if abs(weights[i]) >= SHOWN
    )
