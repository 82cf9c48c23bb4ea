"""Is it mine? A ledger: each term adds log-odds for whose mail it speaks for, and every entry is shown.

Two questions are kept apart. Whose mail it is (ours, passed on, forged) is an additive score (multinomial
logistic): a prior for each answer, and for each term its amount times the weight that was fitted to invented
worlds whose truth is known (`weights`). Shares count in full only with some messages behind them, so that
evidence does not grow with volume. Whether ours aligns is what its last days say; what mostly does is not forged.
Where nothing is likely enough to act on, the verdict is unknown, and the probabilities say what it leans to.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import overload

import polars as pl

from analysis.numbers import Floats, NDArray, np
from analysis.term import RECENT
from analysis.terms import TERMS, amounts
from analysis.weights import PRIOR, TEMPERATURE, WEIGHTS

KINDS = ("aligned", "misaligned", "forwarded", "spoofing")
UNKNOWN = "unknown"  # where none of them is likely enough
SHOWN = 0.1  # entries that move the odds by less are not worth a line
# Probability from which each of KINDS is named: what sends somebody to mend or to block takes more. Ours is named
# from that of both its kinds together.
NAMED_FROM = (0.6, 0.65, 0.6, 0.7)
STEEP = 12.0  # how fast the share of its last mail that aligned decides whether ours aligns

# Which of term.WHOSE each of KINDS is.
WHOSE = (0, 0, 1, 2)

BEFORE_ANY = "What most sources are, before anything is known of this one."
LATELY = "If it is the domain's own: {recent_aligned:,} of its last {recent_n:,} messages aligned."


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
    evidence: Sequence[Evidence]
    probabilities: dict[str, float]


class Entries:
    """What the entries of all verdicts are made of: rows of `evidence.evidence`, weighed when the first is read."""

    __slots__ = ("_rows", "_weighed")

    def __init__(self, rows: pl.DataFrame) -> None:
        self._rows = rows
        self._weighed: tuple[Floats, Floats] | None = None

    def of(self, at: int) -> tuple[Evidence, ...]:
        """The entries of one row, the weightiest first."""
        if self._weighed is None:
            self._weighed = _weighed(_scored(self._rows))
        weights, rest = self._weighed
        return _entries(self._rows.row(at, named=True), weights[at], rest[at])


class Ledger(Sequence[Evidence]):
    """The entries of one verdict, put into words when somebody reads them: few do, of thousands."""

    __slots__ = ("_at", "_entries", "_told")

    def __init__(self, entries: Entries, at: int) -> None:
        self._entries, self._at = entries, at
        self._told: tuple[Evidence, ...] | None = None

    def told(self) -> tuple[Evidence, ...]:
        """All of them."""
        if self._told is None:
            self._told = self._entries.of(self._at)
        return self._told

    @overload
    def __getitem__(self, index: int) -> Evidence: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Evidence]: ...
    def __getitem__(self, index: int | slice) -> Evidence | Sequence[Evidence]:
        return self.told()[index]

    def __len__(self) -> int:
        return len(self.told())

    def __eq__(self, other: object) -> bool:
        return self.told() == (other.told() if isinstance(other, Ledger) else other)

    def __hash__(self) -> int:
        return hash(self.told())

    def __repr__(self) -> str:
        return repr(self.told())

    def __reduce__(self) -> tuple[object, ...]:
        # What is copied or sent elsewhere takes its own words along, not the numbers of all.
        return tuple, (self.told(),)


@dataclass(frozen=True, slots=True)
class _Scores:
    """Of each row: how much there is of each term, the log-odds of WHOSE, the probabilities of KINDS, the likeliest."""

    found: Floats
    scores: Floats
    aligns: Floats
    told: Floats
    best: NDArray[np.intp]


def classify(rows: pl.DataFrame) -> list[Verdict]:
    """The verdict on each row of `evidence.evidence`, in order."""
    if rows.is_empty():
        return []
    scored, every = _scored(rows), Entries(rows)
    kinds, sure, rounded = _kinds(scored), _sure(scored).tolist(), scored.told.round(4).tolist()
    return [
        Verdict(kind, least, Ledger(every, at), dict(zip(KINDS, each, strict=True)))
        for at, (kind, least, each) in enumerate(zip(kinds, sure, rounded, strict=True))
    ]


def _weighed(scored: _Scores) -> tuple[Floats, Floats]:
    """What each term and the rest weigh in each row."""
    aligns, best = scored.aligns, scored.best
    (table, before), row, whose = _fitted(), np.arange(len(best)), np.array(WHOSE)[best]
    others = scored.scores.copy()
    others[row, whose] = -np.inf
    second = others.argmax(axis=1)
    # What an entry weighs against the likeliest other owner: all together they are the log-odds of the two.
    entries = scored.found * (table.T[whose] - table.T[second])
    # Beside them, what speaks for or against its aligning now, where it is ours.
    lately = np.where(best == 0, aligns, np.where(best == 1, -aligns, 0.0))
    return entries, np.stack([before[whose] - before[second], lately], axis=1)


def kinds(rows: pl.DataFrame) -> list[str]:
    """The kind alone of each row of `evidence.evidence`, in order, at a tenth of what verdicts with reasons take."""
    return _kinds(_scored(rows)) if rows.height else []


def _scored(rows: pl.DataFrame) -> _Scores:
    found = amounts(rows).to_numpy()
    table, before = _fitted()
    scores = found @ table + before
    aligns = _aligns(rows)
    # What mostly aligns has the domain's key or comes from its addresses, however little mail there is to judge by.
    scores[aligns > 0, WHOSE[KINDS.index("spoofing")]] = -np.inf
    # Log-odds of KINDS: ours is split by whether it aligns.
    split = np.stack([-np.logaddexp(0, -aligns), -np.logaddexp(0, aligns)], axis=1)
    each = np.hstack([scores[:, :1] + split, scores[:, 1:]])
    odds = np.exp(each - each.max(axis=1, keepdims=True))
    return _Scores(found, scores, aligns, odds / odds.sum(axis=1, keepdims=True), each.argmax(axis=1))


@cache
def _fitted() -> tuple[Floats, Floats]:
    """What each of TERMS weighs for each of WHOSE, and what each of these does before anything is known."""
    return np.array([WEIGHTS[term.code] for term in TERMS]) / TEMPERATURE, np.array(PRIOR) / TEMPERATURE


def _kinds(scored: _Scores) -> list[str]:
    told, best = scored.told, scored.best
    # That it is ours need not be in doubt on the day on which half of its last mail still aligned.
    whose, needed = np.array(WHOSE), np.array(NAMED_FROM)
    named = np.where(whose[best] > 0, told[np.arange(len(best)), best], told[:, whose == 0].sum(axis=1))
    kinds: list[str] = np.where(named >= needed[best], np.array(KINDS)[best], UNKNOWN).tolist()
    return kinds


def _sure(scored: _Scores) -> Floats:
    told: Floats = scored.told[np.arange(len(scored.best)), scored.best]
    return np.minimum(told, 0.999).round(3)


def _aligns(rows: pl.DataFrame) -> Floats:
    """Log-odds that a source that is ours aligns now; one message more or less does not make it certain."""
    heard = pl.max_horizontal("recent_n", 0)
    share = (RECENT * heard + 0.5) / (heard + 1.0)
    return np.asarray(rows.select((STEEP * (share - 0.5)).fill_null(0).fill_nan(0)).to_series().to_numpy(), np.float64)


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
