"""What is really the case: totals, what should become of each file, who sends, and what happened when."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from sample_reports.events import distractors, events, other_events
from sample_reports.oddities import Unit
from sample_reports.organisation import Organisation
from sample_reports.reports import Report, Row
from sample_reports.timeline import Timeline

Json = dict[str, Any]

OTHERS = ("tls_report", "bounce", "failure_report")


def truth(found: Sequence[Unit], organisation: Organisation, period: Timeline, seed: int) -> Json:
    """The whole of it, ready to be written as JSON."""
    files = _files(found)
    reports = distinct(found)
    sources = _sources(reports, organisation)
    return {
        "schema_version": 1,
        "seed": seed,
        "first_day": period.first.isoformat(),
        "last_day": period.last.isoformat(),
        "domains": [_domain(domain, organisation, period) for domain in organisation.policies],
        "totals": _totals(files, reports),
        "other_kinds": _other_kinds(found),
        "per_domain": {domain: _per_domain(domain, reports) for domain in organisation.policies},
        "sources": sources,
        "events": events(reports, organisation, period) + other_events(found, period),
        "distractors": distractors(period),
        "files": files,
    }


def written(known: Json) -> str:
    """As JSON text: an entry a line, so that a change shows as the lines that it touches."""
    parts = []
    for name, value in known.items():
        if isinstance(value, list):
            entries = ",\n".join("  " + json.dumps(entry) for entry in value)
            parts.append(f' "{name}": [\n{entries}\n ]' if entries else f' "{name}": []')
        else:
            parts.append(f' "{name}": {json.dumps(value)}')
    return "{\n" + ",\n".join(parts) + "\n}\n"


def distinct(found: Sequence[Unit]) -> list[Report]:
    """Every report that counts, once."""
    seen: dict[tuple[str, str, str], Report] = {}
    for unit in found:
        if unit.outcome != "quarantined":
            for report in unit.reports:
                seen.setdefault((report.reporter.key, report.domain, report.report_id), report)
    return list(seen.values())


def _files(found: Sequence[Unit]) -> list[Json]:
    """What should become of each file, when they are read in the order of their paths."""
    first_path: dict[tuple[str, str, str], str] = {}
    files = []
    for unit in found:
        entry: Json = {"path": unit.path, "outcome": unit.outcome}
        if unit.outcome in ("stored", "duplicate") and unit.reports:
            keys = [(r.reporter.key, r.domain, r.report_id) for r in unit.reports]
            earlier = [first_path.setdefault(key, unit.path) for key in keys]
            entry["outcome"] = "stored" if unit.path in earlier else "duplicate"
            if entry["outcome"] == "duplicate":
                entry["duplicate_of"] = earlier[0]
        if unit.reason:
            entry["reason"] = unit.reason
        if unit.note:
            entry["note"] = unit.note
        if unit.tells:
            entry["kind"], entry["tells"] = unit.kind, dict(unit.tells)
        entry["reports"] = [_report(report) for report in unit.reports]
        files.append(entry)
    return files


def _report(report: Report) -> Json:
    return {
        "reporter": report.reporter.org_name,
        "domain": report.domain,
        "report_id": report.report_id,
        "begin": report.begin,
        "end": report.end,
        "records": len(report.rows),
        "messages": report.messages,
    }


def _totals(files: Sequence[Json], reports: Sequence[Report]) -> Json:
    outcomes = Counter(entry["outcome"] for entry in files)
    kinds = Counter(entry["kind"] for entry in files if "kind" in entry)
    return {
        "messages_seen": len(files),
        "stored": outcomes["stored"],
        "duplicates": outcomes["duplicate"],
        "quarantined": outcomes["quarantined"],
        "not_reports": outcomes["not_report"],
        "reports": len(reports) + kinds.total(),
        "tls_reports": kinds["tls_report"],
        "failure_reports": kinds["failure_report"],
        "notices": kinds["bounce"],
        "records": sum(len(report.rows) for report in reports),
        "messages": sum(report.messages for report in reports),
    }


def _other_kinds(found: Sequence[Unit]) -> Json:
    """TLS sessions by domain, bounces by kind and by who refused, failure reports by who is behind the message."""
    tells = {kind: [unit.tells for unit in found if unit.kind == kind] for kind in OTHERS}
    bounced = Counter((told["domain"], told["kind"], told["provider"]) for told in tells["bounce"])
    sessions: defaultdict[object, Counter[str]] = defaultdict(Counter)
    for told in tells["tls_report"]:
        for name in ("successful_sessions", "failed_sessions"):
            sessions[told["domain"]][name] += int(str(told[name]))
    return {
        "tls": [{"domain": domain, **counts} for domain, counts in sessions.items()],
        "bounces": [
            {"domain": domain, "kind": kind, "provider": provider, "recipients": times}
            for (domain, kind, provider), times in sorted(bounced.items(), key=str)
        ],
        "failures": dict(Counter(told["source"] for told in tells["failure_report"])),
    }


def _domain(domain: str, organisation: Organisation, period: Timeline) -> Json:
    history = [
        {"day": max(policy.day, period.first).isoformat(), "p": policy.p, "sp": policy.sp, "np": policy.np}
        for policy in organisation.policies[domain]
        if policy.day <= period.last
    ]
    if len(history) > 1 and history[1]["day"] == history[0]["day"]:
        history = history[1:]
    return {"domain": domain, "policy_history": history}


def _rows(reports: Iterable[Report]) -> Iterable[tuple[Row, int]]:
    return (item for report in reports for item in report.rows)


def _alignment(rows: Iterable[tuple[Row, int]]) -> Json:
    """How many messages were aligned: by DKIM, by SPF, by either."""
    sums: Counter[str] = Counter()
    for row, messages in rows:
        sums["messages"] += messages
        sums["dkim"] += messages if row.dkim == "pass" else 0
        sums["spf"] += messages if row.spf == "pass" else 0
        sums["either"] += messages if "pass" in (row.dkim, row.spf) else 0
    return {
        "messages": sums["messages"],
        "aligned": sums["either"],
        "dkim_aligned": sums["dkim"],
        "spf_aligned": sums["spf"],
    }


def _per_domain(domain: str, reports: Sequence[Report]) -> Json:
    own = [report for report in reports if report.domain == domain]
    return {
        "reports": len(own),
        "records": sum(len(report.rows) for report in own),
        **_alignment(_rows(own)),
    }


def _sources(reports: Sequence[Report], organisation: Organisation) -> list[Json]:
    rows: defaultdict[str, list[tuple[Row, int]]] = defaultdict(list)
    days: defaultdict[str, set[date]] = defaultdict(set)
    for row, messages in _rows(reports):
        rows[row.source].append((row, messages))
    for report in reports:
        for source, day in report.days:
            days[source].add(day)
    return [
        {
            **known,
            "ips": sorted({row.source_ip for row, _ in rows[source]}),
            "header_froms": sorted({row.header_from for row, _ in rows[source]}),
            "first_day": min(days[source]).isoformat(),
            "last_day": max(days[source]).isoformat(),
            **_alignment(rows[source]),
        }
        for source, known in _known(organisation).items()
        if rows[source]
    ]


def _known(organisation: Organisation) -> dict[str, Json]:
    """What only the organisation knows of its sources."""
    known: dict[str, Json] = {}
    for sender in organisation.senders:
        known[sender.source] = _source(sender.domain, sender.name, [sender.as_domain], sender.kind, sender.role)
    for forwarder in organisation.forwarders:
        for domain in organisation.policies:
            known[forwarder.source(domain)] = _source(
                domain, forwarder.name, [forwarder.as_domain], "forwarded", forwarder.role
            )
    for campaign in organisation.campaigns:
        known[campaign.source] = _source(
            campaign.domain, campaign.name, sorted(campaign.networks), "spoofing", campaign.role
        )
    return known


def _source(domain: str, name: str, as_domains: list[str], kind: str, role: str) -> Json:
    return {"domain": domain, "name": name, "as_domains": as_domains, "kind": kind, "role": role}
