"""Who sends as me, and is it mine? Every source, named, with how its mail fares and what it looks like."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import astuple, dataclass, field, replace
from datetime import date
from typing import Any

import polars as pl

from analysis import evidence as gathered
from analysis.classify import KINDS as VERDICTS
from analysis.classify import Entries, Evidence, Ledger, Verdict, classify
from analysis.classify import kinds as kinds_of
from analysis.facts import Path, facts
from analysis.keeping import kept
from analysis.settings import SourceSettings
from analysis.verdict import question
from analysis.verdict import verdict as in_a_word
from warehouse.connect import Connection, Warehouse
from warehouse.kept import place
from warehouse.scope import Scope

__all__ = ["DECIDED", "Decision", "Evidence", "Source", "judged", "name", "sources"]

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


@dataclass(frozen=True, slots=True)
class Found:
    """What was gathered of each source, and in the same order what it comes to before anybody decides (FOUND)."""

    told: gathered.Told
    found: pl.DataFrame


def sources(warehouse: Warehouse, scope: Scope, today: date, settings: SourceSettings) -> list[Source]:
    """Every source of the scope's domains with mail on the scope's days, the largest first.

    `today` only tells which decisions have run out. Source by source the answer does not depend on
    which other domains were asked for.
    """
    with warehouse.reading() as connection:
        found = fetch(connection, scope, today, settings)
    return judged(found, today)


def fetch(connection: Connection, scope: Scope, today: date, settings: SourceSettings) -> Found:
    """What `judged` needs, kept for as long as it is true."""
    told = gathered.told(connection, scope, today, settings)
    asked = place(connection, "found", told.rests_on, settings, domains=scope.domains)
    return Found(told, kept(asked, pl.DataFrame, lambda: _found(told.rows)))


def _found(rows: pl.DataFrame) -> pl.DataFrame:
    every = [_source(row, verdict, None) for row, verdict in zip(_named(rows), classify(rows), strict=True)]
    return pl.DataFrame([_columns(one) for one in every], schema=FOUND, orient="row")


def _named(rows: pl.DataFrame) -> Iterator[dict[str, Any]]:
    """What a Source shows of each row, by its name."""
    return rows.select(SHOWN).iter_rows(named=True) if rows.height else iter(())


def _columns(one: Source) -> tuple[object, ...]:
    assert one.path is not None
    path = astuple(one.path)
    return tuple(getattr(one, name) for name in PLAIN) + tuple(one.probabilities.values()) + path


def judged(found: Found, today: date) -> list[Source]:
    """The same from what was gathered before."""
    rows, entries = found.told.rows, Entries(found.told.rows)
    result = [_plain(row, Ledger(entries, at)) for at, row in enumerate(found.found.iter_rows())]
    for at, row in _decided(rows, found.told.decisions):
        one = result[at]
        verdict = Verdict(one.kind, one.confidence, one.evidence, one.probabilities)
        result[at] = _source(row, verdict, _decision(row, today))
    return result


def _plain(row: tuple[Any, ...], evidence: Ledger) -> Source:
    """A source that nobody decided about, from a row of FOUND."""
    first, later = row[:BEFORE_EVIDENCE], row[BEFORE_EVIDENCE : len(PLAIN) - len(LAST)]
    verdict, proof, service_id, question, carrier = row[len(PLAIN) - len(LAST) : len(PLAIN)]
    probabilities = dict(zip(VERDICTS, row[len(PLAIN) : len(PLAIN) + len(VERDICTS)], strict=True))
    path = Path(*row[len(PLAIN) + len(VERDICTS) :])
    made: Callable[..., Source] = Source
    return made(*first, evidence, None, *later, probabilities, verdict, proof, path, service_id, question, carrier)


def _decided(rows: pl.DataFrame, decisions: pl.DataFrame) -> Iterator[tuple[int, dict[str, Any]]]:
    """The rows about which anybody ever decided, each with its place."""
    if rows.is_empty() or decisions.is_empty():
        return
    said = decisions.rename({"until": "decided_until"})
    some = rows.with_row_index("at").join(said, on=gathered.KEY, maintain_order="left")
    yield from zip(some["at"].to_list(), some.select(SHOWN + OF_DECISION).iter_rows(named=True), strict=True)


def kinds(warehouse: Warehouse, scope: Scope, today: date, settings: SourceSettings) -> pl.DataFrame:
    """Of the same sources, in the same order, what they are taken for alone: for who looks at thousands at once.

    Columns: domain, source_key, as_domain, last_seen, kind, decided (null where nobody did, or it is over).
    """
    with warehouse.reading() as connection:
        told = gathered.told(connection, scope, today, settings)
    if told.rows.is_empty():
        return pl.DataFrame(schema=KINDS)
    decisions = told.decisions.rename({"until": "decided_until"})
    rows = told.rows.join(decisions, on=gathered.KEY, how="left", maintain_order="left")
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


def _source(row: dict[str, Any], verdict: Verdict, decision: Decision | None) -> Source:
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


def _decision(row: dict[str, Any], today: date) -> Decision:
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
