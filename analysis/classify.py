"""Is it mine? A ledger: each term adds log-odds for whose mail it speaks for, and every entry is shown.

Two questions are kept apart. Whose mail it is (ours, passed on, forged) is an additive score (multinomial
logistic): a prior for each answer, and for each term its amount times the weight that was fitted to invented
worlds whose truth is known (`weights`). Shares count in full only with some messages behind them, so that
evidence does not grow with volume. Whether ours aligns is what its last days say. Where nothing is likely
enough to act on, the verdict is unknown, and the probabilities say what it leans to.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from analysis.term import RECENT
from analysis.terms import TERMS, amounts
from analysis.weights import PRIOR, TEMPERATURE, WEIGHTS

KINDS = ("aligned", "misaligned", "forwarded", "spoofing")
SHOWN = 0.1  # entries that move the odds by less are not worth a line
NAMED_FROM = np.array([0.6, 0.6, 0.6, 0.7])  # probability from which each of KINDS is named; forgery takes more
STEEP = 12.0  # how fast the share of its last mail that aligned decides whether ours aligns

# Which of term.WHOSE each of KINDS is.
WHOSE = np.array([0, 0, 1, 2])

BEFORE_ANY = "What most sources are, before anything is known of this one."
LATELY = "If it is the domain's own: {recent_aligned:,} of its last {recent_n:,} messages aligned."

Floats = np.ndarray[Any, np.dtype[np.float64]]

TABLE = np.array([WEIGHTS[term.code] for term in TERMS]) / TEMPERATURE
BEFORE = np.array(PRIOR) / TEMPERATURE


@dataclass(frozen=True, slots=True)
class Evidence:
    """One reason for a verdict: a stable code, a sentence for people, and how much it weighs.

    `weight` is in log-odds: positive speaks for the verdict. Sentences hold no text from reports. `rows` names the
    table of the warehouse whose rows were counted, empty where it is not about mail.
    """

    code: str
    sentence: str
    weight: float
    rows: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The likeliest kind, its probability, and the entries that decided it, the weightiest first.

    `probabilities` are those of KINDS, and sum to 1. `kind` is unknown where none of them is enough to act on;
    `confidence` is then that of the likeliest all the same.
    """

    kind: str
    confidence: float
    evidence: tuple[Evidence, ...]
    probabilities: dict[str, float]


def classify(rows: pl.DataFrame) -> list[Verdict]:
    """The verdict on each row of `evidence.evidence`, in order."""
    if rows.is_empty():
        return []
    found = amounts(rows).to_numpy()
    scores = found @ TABLE + BEFORE
    aligns = _aligns(rows)
    # Log-odds of KINDS: ours is split by whether it aligns.
    split = np.stack([-np.logaddexp(0, -aligns), -np.logaddexp(0, aligns)], axis=1)
    kinds = np.hstack([scores[:, :1] + split, scores[:, 1:]])
    odds = np.exp(kinds - kinds.max(axis=1, keepdims=True))
    told = odds / odds.sum(axis=1, keepdims=True)
    best = kinds.argmax(axis=1)
    row, whose = np.arange(len(best)), WHOSE[best]
    others = scores.copy()
    others[row, whose] = -np.inf
    second = others.argmax(axis=1)
    # What an entry weighs against the likeliest other owner: all together they are the log-odds of the two.
    entries = found * (TABLE.T[whose] - TABLE.T[second])
    # Beside them, what speaks for or against its aligning now, where it is ours.
    lately = np.where(best == 0, aligns, np.where(best == 1, -aligns, 0.0))
    rest = np.stack([BEFORE[whose] - BEFORE[second], lately], axis=1)
    numbers = zip(rows.iter_rows(named=True), entries, rest, told, best, strict=True)
    return [_verdict(numbers_of, weights, more, each, int(kind)) for numbers_of, weights, more, each, kind in numbers]


def _aligns(rows: pl.DataFrame) -> Floats:
    """Log-odds that a source that is ours aligns now; one message more or less does not make it certain."""
    heard = pl.max_horizontal("recent_n", 0)
    share = (RECENT * heard + 0.5) / (heard + 1.0)
    return np.asarray(rows.select((STEEP * (share - 0.5)).fill_null(0).fill_nan(0)).to_series().to_numpy(), np.float64)


def _verdict(row: dict[str, object], weights: Floats, rest: Floats, told: Floats, best: int) -> Verdict:
    sure = float(told[best])
    return Verdict(
        KINDS[best] if sure >= NAMED_FROM[best] else "unknown",
        round(min(sure, 0.999), 3),
        _entries(row, weights, rest),
        {kind: round(float(each), 4) for kind, each in zip(KINDS, told, strict=True)},
    )


def _entries(row: dict[str, object], weights: Floats, rest: Floats) -> tuple[Evidence, ...]:
    found = [
        Evidence(TERMS[i].code, TERMS[i].sentence.format_map(row), round(float(weights[i]), 2), TERMS[i].rows)
        for i in np.flatnonzero(np.abs(weights) >= SHOWN).tolist()
    ]
    sentences = (BEFORE_ANY, LATELY.format_map(row))
    for code, sentence, weight in zip(("before_any_evidence", "lately"), sentences, rest.tolist(), strict=True):
        if abs(weight) >= SHOWN:
            found.append(Evidence(code, sentence, round(weight, 2), "" if code != "lately" else "source_day"))
    return tuple(sorted(found, key=lambda entry: -abs(entry.weight)))
