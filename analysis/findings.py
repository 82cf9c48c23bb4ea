"""What should I do first? One list, the most important first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from analysis import leads
from analysis.changes import Vanished, departed
from analysis.drift import Drift, drifts
from analysis.evidence import resting
from analysis.genuine import LoneClaims, counted, lone_claims
from analysis.grounds import Grounds, grounds, spans
from analysis.keeping import kept, kept_over
from analysis.leads import Finding
from analysis.period import judged_over, newest_day
from analysis.policy import Published, policies
from analysis.readiness import Readiness, grouped, judge, next_target
from analysis.reporters import Reporter, reporters
from analysis.settings import AnalysisSettings
from analysis.sources import Source, by_domain
from analysis.weight import LEAST, MINOR, weights
from warehouse import reads
from warehouse.connect import Connection, Warehouse
from warehouse.findings import FindingRecord
from warehouse.kept import Place, place
from warehouse.scope import Scope

__all__ = ["Basis", "Finding", "Found", "findings", "found", "gather", "rank"]

SEVERITIES = ("critical", "high", "medium", "info")
# Impact from which a finding on legitimate mail may be called so; its lead says what it may be called at most.
BANDS = (("critical", 50.0), ("high", 10.0))
OTHERS = ("forwarded", "spoofing")  # whose mail is not for us to repair
REPORTERS_OVER = 120  # days over which it is learnt who usually reports


@dataclass(frozen=True, slots=True)
class _Voices:
    """Who reports, and what only those in doubt tell of."""

    reporters: tuple[Reporter, ...]
    lone_claims: tuple[LoneClaims, ...]


@dataclass(frozen=True, slots=True)
class Basis:
    """What findings are made from: sources, readiness and policy by domain, over the days of `scope`."""

    sources: Mapping[str, Sequence[Source]]
    readiness: Mapping[str, Readiness]
    policies: Mapping[str, Published]
    drifts: Sequence[Drift]
    reporters: Sequence[Reporter]
    newest: date | None
    today: date
    scope: Scope
    lone_claims: Sequence[LoneClaims] = ()
    vanished: Sequence[Vanished] = ()

    @property
    def usual(self) -> list[str]:
        """Reporters that usually write, by name."""
        return sorted(one.reporter for one in self.reporters if one.usual)

    @property
    def silent(self) -> list[str]:
        """Reporters that used to write and no longer do, by name."""
        return sorted(one.reporter for one in self.reporters if one.silent_since)

    @property
    def heard(self) -> int:
        """How many of the usual reporters still write."""
        return sum(one.usual and not one.silent_since for one in self.reporters)


@dataclass(frozen=True, slots=True)
class Found:
    """All findings in order, and what tells what became of earlier ones.

    `newest` is the last day judged, as of `today`; `others` are the sources of every domain judged whose mail is not
    for us to repair.
    """

    findings: tuple[Finding, ...]
    newest: date | None
    today: date
    others: dict[str, tuple[str, ...]]


def findings(
    warehouse: Warehouse,
    scope: Scope,
    today: date,
    settings: AnalysisSettings,
    targets: Mapping[str, str] | None = None,
) -> list[Finding]:
    """What to do about the scope's domains, judged over readiness.days up to the scope's last day.

    `targets` are the policies that domains are meant to reach; the next stricter one where a domain
    is not named.
    """
    return list(found(warehouse, scope, today, settings, targets).findings)


def found(
    warehouse: Warehouse,
    scope: Scope,
    today: date,
    settings: AnalysisSettings,
    targets: Mapping[str, str] | None = None,
    *,
    basis: Basis | None = None,
) -> Found:
    """The same, with what tells of earlier ones; kept until the reports or the decisions about the domains change.

    `basis` is what `gather` makes of the same, where the caller has it already.
    """

    def asked(connection: Connection) -> Place:
        wanted = sorted((targets or {}).items())
        newest = newest_day(connection, today, scope.until)
        about = judging(connection, scope, today, settings)
        return place(connection, "findings", newest, today, settings, wanted, about, domains=scope.domains)

    def make() -> Found:
        of = basis or gather(warehouse, scope, today, settings, targets)
        others = {
            domain: tuple(source.source_key for source in part if source.kind in OTHERS)
            for domain, part in of.sources.items()
        }
        return Found(tuple(rank(of, settings)), of.newest, today, others)

    return kept_over(warehouse, asked, Found, make)


def judging(connection: Connection, scope: Scope, today: date, settings: AnalysisSettings) -> Grounds:
    """What `gather` rests on beside the reports about the scope's domains."""
    newest = newest_day(connection, today, scope.until)
    over = judged_over(scope.domains, newest, settings.readiness.days)
    told = resting(connection, over, today, settings.sources)
    return grounds(
        connection, scope.domains, told, spans(connection, scope.domains, newest, settings.sources.history_days)
    )


def waiting(found: Sequence[Finding], records: Mapping[str, FindingRecord], as_of: date) -> Iterator[Finding]:
    """What somebody is to act on: no mere information, neither settled nor snoozed; each with its owner."""
    for finding in found:
        record = records.get(finding.key) if records else None
        if finding.severity == "info" or (record and (record.state != "open" or record.snoozed(as_of))):
            continue
        owner = record.owner if record else None
        yield replace(finding, owner=owner) if owner else finding


def gather(
    warehouse: Warehouse,
    scope: Scope,
    today: date,
    settings: AnalysisSettings,
    targets: Mapping[str, str] | None = None,
) -> Basis:
    """Judge all domains of a scope that have reports."""
    with warehouse.reading() as connection:
        newest = newest_day(connection, today, scope.until)
        shown = policies(connection, Scope(scope.domains, None, newest))
        over = judged_over(scope.domains, newest, settings.readiness.days)
        asked = place(connection, "voices", counted(connection, over), domains=scope.domains)
        voices = kept(asked, _Voices, lambda: _voices(connection, over))
    wanted = {domain: (targets or {}).get(domain) or next_target(at.p) for domain, at in shown.items()}
    every: Sequence[Source] = ()
    judged: dict[str, Readiness] = {}
    known: Sequence[Drift] = ()
    if wanted:
        known = drifts(warehouse, Scope(scope.domains, None, newest), settings.drift)
        every, judged = judge(warehouse, wanted, today, settings, known, Scope(scope.domains, None, newest))
    parts = by_domain(every)
    sources = {domain: parts.get(domain, ()) for domain in shown}
    heard, claimed = voices.reporters, voices.lone_claims
    gone: Sequence[Vanished] = ()
    if newest and every:
        with warehouse.reading() as connection:
            gone = departed(connection, every, newest, settings.sources)
    return Basis(sources, judged, shown, known, heard, newest, today, over, claimed, gone)


def _voices(connection: Connection, scope: Scope) -> _Voices:
    if scope.until is None:
        return _Voices((), ())
    sure = counted(connection, scope)
    written = reads.reporter_days(connection, replace(sure, since=scope.until - timedelta(days=REPORTERS_OVER)))
    return _Voices(tuple(reporters(written, scope.until)), lone_claims(connection, sure))


def rank(basis: Basis, settings: AnalysisSettings) -> list[Finding]:
    """All findings in order: severity, then legitimate mail at stake, weighed, then messages."""
    if basis.newest is None:
        return []
    mail = {domain: judged.messages for domain, judged in basis.readiness.items()}
    heavy = weights(mail, settings.findings.primary)
    drifted = grouped(basis.drifts)
    result = [finding for domain in mail for finding in _of_domain(basis, domain, drifted.get(domain, ()), settings)]
    result += [leads.in_doubt(claims) for claims in basis.lone_claims]
    if mail:
        # Who reports is no domain's own matter; it stands at the one that matters most.
        result += leads.silent(max(mail, key=lambda domain: (heavy[domain], mail[domain], domain)), basis.reporters)
    return sorted((_weighed(finding, heavy.get(finding.domain, LEAST)) for finding in result), key=_order)


def _order(finding: Finding) -> tuple[int, float, int, str, str, str]:
    key = finding.source_key or ""
    at = SEVERITIES.index(finding.severity)
    return at, -finding.impact, -finding.messages, finding.domain, finding.code, key


def _weighed(finding: Finding, weight: float) -> Finding:
    """The finding with its domain's weight, and as severe as what is at stake makes it."""
    finding = replace(finding, weight=weight)
    at = SEVERITIES.index(finding.severity)
    if finding.kind == "alignment":
        band = next((name for name, least in BANDS if finding.impact >= least), "medium")
        at = max(at, SEVERITIES.index(band))
    elif weight < MINOR and at < len(SEVERITIES) - 1:
        at += 1
    return replace(finding, severity=SEVERITIES[at])


def _of_domain(basis: Basis, domain: str, drifts: Sequence[Drift], settings: AnalysisSettings) -> Iterator[Finding]:
    assert basis.newest is not None
    found, policy, judged = basis.sources[domain], basis.policies[domain], basis.readiness[domain]
    known = {source.source_key: source for source in found}
    drifted = set()
    for drift in drifts:
        if drift.source_key in known:
            finding = leads.lost(drift, known[drift.source_key], policy)
            if finding and drift.source_key not in drifted:
                drifted.add(drift.source_key)
                yield finding
    for source in found:
        # One cause, one finding: what drifted was told already.
        if source.source_key not in drifted:
            yield from leads.of_source(source, policy)
    yield from leads.to_decide(found, judged.target, settings.readiness)
    yield from leads.on_spf(found, settings.readiness)
    yield from leads.spoofing(found, policy)
    yield from (leads.vanished(gone) for gone in basis.vanished if gone.source.domain == domain)
    yield from leads.of_domain(judged, policy, basis.newest, basis.today)
