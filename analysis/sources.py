"""Who sends as me, and is it mine? Every source, named, with how its mail fares and what it looks like."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

import polars as pl

from analysis import evidence as gathered
from analysis.classify import Evidence, Verdict, classify
from analysis.classify import kinds as kinds_of
from analysis.facts import Path, facts
from analysis.settings import SourceSettings
from analysis.verdict import question
from analysis.verdict import verdict as in_a_word
from warehouse.connect import Warehouse
from warehouse.scope import Scope

__all__ = ["DECIDED", "Decision", "Evidence", "Source", "judged", "name", "sources"]

DECIDED = ("approved", "forwarder", "spoof", "retired")
# What a Source shows, and what its facts are told by, of all the numbers of a row.
SHOWN = (
    "active_days", "aligned", "altered_away", "as_domain", "as_name", "asn", "away_pass", "borrowed", "carrier",
    "country", "days", "decided_by", "decided_until", "decision", "dkim_aligned", "dns_named", "domain",
    "earlier_aligned", "first_seen", "heard_aligned", "ips", "is_new", "kept", "last_seen", "list_paths",
    "list_reasons", "listlike", "messages", "n", "note", "overridden", "own_host", "own_pass", "owner", "quarantined",
    "reasons", "recent_aligned", "recent_n", "rejected", "reporters", "service", "service_type", "source_key",
    "spf_aligned",
)  # fmt: skip
KINDS = pl.Schema(
    {**dict.fromkeys(("domain", "source_key", "as_domain"), pl.String), "last_seen": pl.Date}
    | dict.fromkeys(("kind", "decided"), pl.String)
)
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


def sources(warehouse: Warehouse, scope: Scope, today: date, settings: SourceSettings) -> list[Source]:
    """Every source of the scope's domains with mail on the scope's days, the largest first.

    `today` only tells which decisions have run out. Source by source the answer does not depend on
    which other domains were asked for.
    """
    with warehouse.reading() as connection:
        told = gathered.told(connection, scope, today, settings)
    return judged(told, today)


def judged(told: gathered.Told, today: date) -> list[Source]:
    """The same from what was gathered before."""
    if told.rows.is_empty():
        return []
    rows = _decided(told)
    verdicts = classify(rows)
    shown = rows.select(SHOWN)
    return [_source(row, verdict, today) for row, verdict in zip(shown.iter_rows(named=True), verdicts, strict=True)]


def kinds(warehouse: Warehouse, scope: Scope, today: date, settings: SourceSettings) -> pl.DataFrame:
    """Of the same sources, in the same order, what they are taken for alone: for who looks at thousands at once.

    Columns: domain, source_key, as_domain, last_seen, kind, decided (null where nobody did, or it is over).
    """
    with warehouse.reading() as connection:
        told = gathered.told(connection, scope, today, settings)
    if told.rows.is_empty():
        return pl.DataFrame(schema=KINDS)
    rows = _decided(told)
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


def _source(row: dict[str, Any], verdict: Verdict, today: date) -> Source:
    decision = _decision(row, today)
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
        dkim_aligned=row["dkim_aligned"],
        spf_aligned=row["spf_aligned"],
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


def _decided(told: gathered.Told) -> pl.DataFrame:
    """The rows, each with what was decided about it."""
    decisions = told.decisions.rename({"until": "decided_until"})
    return told.rows.join(decisions, on=gathered.KEY, how="left", maintain_order="left")


def _decision(row: dict[str, Any], today: date) -> Decision | None:
    if row["decision"] is None:
        return None
    over = row["decided_until"] is not None and row["decided_until"] < today
    decision = "undecided" if over else row["decision"]
    return Decision(decision, row["owner"], row["note"], row["decided_until"], row["decided_by"])


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
