"""One sender of mail that claims a domain: what is shown of it, and how it is made of what the reports tell."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from operator import attrgetter
from typing import Any

import polars as pl

from analysis.classify import KINDS as VERDICTS
from analysis.classify import Evidence, Ledger, Verdict
from analysis.facts import Path, facts
from analysis.verdict import question
from analysis.verdict import verdict as in_a_word

DECIDED = ("approved", "forwarder", "spoof", "retired")
# What a Source shows, and what its facts are told by, of all the numbers of a row.
SHOWN = (
    "active_days", "aligned", "altered_away", "as_domain", "as_name", "asn", "away_pass", "borrowed", "carrier",
    "country", "days", "dkim_aligned_shown", "dns_named", "domain",
    "earlier_aligned", "first_seen", "heard_aligned", "ips", "is_new", "kept", "last_seen", "list_paths",
    "list_reasons", "listlike", "messages", "n", "overridden", "own_host", "own_pass", "quarantined",
    "reasons", "recent_aligned", "recent_n", "rejected", "reporters", "service", "service_type", "source_key",
    "spf_aligned", "spf_aligned_shown",
)  # fmt: skip
OF_DECISION = ("decided_by", "decided_until", "decision", "note", "owner")
# What is kept of a Source without a decision: its fields but evidence, in order; the probability of each of VERDICTS;
# and its path.
BEFORE_EVIDENCE = 21  # fields
LAST = ("verdict", "proof", "service_id", "question", "carrier")
TEXTS = (
    "domain", "source_key", "name", "service", "service_type", "as_name", "as_domain", "country", "kind", *LAST,
)  # fmt: skip
PLAIN = (
    "domain", "source_key", "name", "service", "service_type", "asn", "as_name", "as_domain", "country", "ips",
    "reporters", "days", "messages", "aligned", "dkim_aligned", "spf_aligned", "first_seen", "last_seen", "is_new",
    "kind", "confidence", "overridden", "quarantined", "rejected", "recent_messages", "recent_aligned", "active_days",
    *LAST,
)  # fmt: skip
OTHERS = {"first_seen": pl.Date, "last_seen": pl.Date, "is_new": pl.Boolean, "confidence": pl.Float64}
FOUND = pl.Schema(
    {name: pl.String if name in TEXTS else OTHERS.get(name, pl.Int64) for name in PLAIN}
    | {f"likely_{kind}": pl.Float64 for kind in VERDICTS}
    | dict.fromkeys(Path.__slots__, pl.Int64)
)
_plain_of, _path_of = attrgetter(*PLAIN), attrgetter(*Path.__slots__)
ALIGNED_FROM = 0.725  # share of its recent mail from which a source counts as aligned, where a person knows it


@dataclass(frozen=True, slots=True)
class Decision:
    """What a person decided: approved, forwarder, spoof, retired or undecided.

    A decision whose last day (`until`) is over is undecided again, but keeps its owner and note.
    """

    decision: str
    owner: str | None
    note: str | None
    until: date | None
    decided_by: str


@dataclass(frozen=True, slots=True)
class Source:
    """One sender of mail that claims a domain.

    `kind` is aligned, misaligned, forwarded, unknown or spoofing; `confidence` is between 0 and 1. `probabilities`
    are those of the kinds but unknown, from the reports alone: a person's decision does not change them.
    `verdict` is a key of verdict.VERDICTS, `proof` one of facts.PROOFS, `service_id` one of the catalogue; `path` tells
    how its mail came over the history that evidence is drawn from; `question` is what to ask whom about it.
    `messages` and the aligned counts are over the scope's days, `first_seen` over all time.
    `recent_messages` and `recent_aligned` are over the source's own last days (sources.recent_days),
    `active_days` counts days with mail over the history that evidence is drawn from.
    """

    domain: str
    source_key: str
    name: str
    service: str | None
    service_type: str | None
    asn: int | None
    as_name: str | None
    as_domain: str | None
    country: str | None
    ips: int
    reporters: int
    days: int
    messages: int
    aligned: int
    dkim_aligned: int
    spf_aligned: int
    first_seen: date
    last_seen: date
    is_new: bool
    kind: str
    confidence: float
    evidence: Sequence[Evidence]
    decision: Decision | None
    overridden: int = 0
    quarantined: int = 0
    rejected: int = 0
    recent_messages: int = 0
    recent_aligned: int = 0
    active_days: int = 0
    probabilities: dict[str, float] = field(default_factory=dict)
    verdict: str = "unknown"
    proof: str = "none"
    path: Path | None = None
    service_id: str | None = None
    question: str = ""
    carrier: str | None = None

    @property
    def decided(self) -> str | None:
        """What a person decided, where that still holds."""
        decision = self.decision.decision if self.decision else None
        return decision if decision in DECIDED else None

    @property
    def owner(self) -> str | None:
        """Who has to act, where somebody said so."""
        return self.decision.owner if self.decision else None


def made(row: dict[str, Any], verdict: Verdict, decision: Decision | None) -> Source:
    """A source from a row of SHOWN, the verdict on it, and what a person decided."""
    verdict = _overruled(verdict, decision, row)
    known = facts(row, verdict.kind, approved=decision is not None and decision.decision == "approved")
    word, called = in_a_word(verdict.kind, known, row["source_key"]), name(row)
    return Source(
        domain=row["domain"],
        source_key=row["source_key"],
        name=called,
        service=row["service"],
        service_type=row["service_type"],
        asn=row["asn"],
        as_name=row["as_name"],
        as_domain=row["as_domain"],
        country=row["country"],
        ips=row["ips"] or 0,
        reporters=row["reporters"],
        days=row["days"],
        messages=row["messages"],
        aligned=row["aligned"],
        dkim_aligned=row["dkim_aligned_shown"],
        spf_aligned=row["spf_aligned_shown"],
        first_seen=row["first_seen"],
        last_seen=row["last_seen"],
        is_new=bool(row["is_new"]),
        kind=verdict.kind,
        confidence=verdict.confidence,
        evidence=verdict.evidence,
        decision=decision,
        overridden=row["overridden"],
        quarantined=row["quarantined"],
        rejected=row["rejected"],
        recent_messages=row["recent_n"],
        recent_aligned=row["recent_aligned"],
        active_days=row["active_days"],
        probabilities=verdict.probabilities,
        verdict=word,
        proof=known.proof,
        path=known.path,
        service_id=known.service_id,
        question=question(word, called, row["source_key"]),
        carrier=row["carrier"],
    )


def name(facts: dict[str, Any]) -> str:
    """What a source is called: its service, else its operator, else its network. Never text from reports.

    `facts` holds source_key, service and as_name.
    """
    kind, _, text = str(facts["source_key"]).partition(":")
    if kind in ("as", "svc"):
        return str(facts["service"] or facts["as_name"] or text)
    if kind == "ptr":
        return str(facts["service"] or text.partition("@")[0])
    return f"{text} ({facts['as_name']})" if facts["as_name"] else text


def decision(row: dict[str, Any], today: date) -> Decision:
    """What was decided, from a row with OF_DECISION; one that is over by `today` is undecided again."""
    over = row["decided_until"] is not None and row["decided_until"] < today
    said = "undecided" if over else row["decision"]
    return Decision(said, row["owner"], row["note"], row["decided_until"], row["decided_by"])


def _overruled(verdict: Verdict, decision: Decision | None, row: dict[str, Any]) -> Verdict:
    """A person's decision always wins; what the numbers say stays beside it."""
    if decision is None or decision.decision not in DECIDED:
        return verdict
    aligns = row["recent_aligned"] >= ALIGNED_FROM * max(row["recent_n"], 1)
    kinds = {"forwarder": "forwarded", "spoof": "spoofing"}
    kind = kinds.get(decision.decision, "aligned" if aligns else "misaligned")
    said = Evidence("decided", f"A person decided: {decision.decision}.", 10.0)
    rest = verdict.evidence if verdict.kind == kind else ()
    return replace(verdict, kind=kind, confidence=1.0, evidence=(said, *rest))


def columns(one: Source) -> tuple[object, ...]:
    """What is kept of a source that nobody decided about: a row of FOUND."""
    assert one.path is not None
    return (*_plain_of(one), *one.probabilities.values(), *_path_of(one.path))


def plain(row: tuple[Any, ...], evidence: Ledger) -> Source:
    """The same again from that row."""
    first, later = row[:BEFORE_EVIDENCE], row[BEFORE_EVIDENCE : len(PLAIN) - len(LAST)]
    verdict, proof, service_id, question, carrier = row[len(PLAIN) - len(LAST) : len(PLAIN)]
    probabilities = dict(zip(VERDICTS, row[len(PLAIN) : len(PLAIN) + len(VERDICTS)], strict=True))
    path = Path(*row[len(PLAIN) + len(VERDICTS) :])
    kept: Callable[..., Source] = Source
    return kept(*first, evidence, None, *later, probabilities, verdict, proof, path, service_id, question, carrier)
