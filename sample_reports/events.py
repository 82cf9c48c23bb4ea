"""What happened when, and what only looks as if something had happened."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal

from sample_reports.bounces import bounce_events
from sample_reports.networks import BOT_NETWORKS, DRIP_NETWORKS
from sample_reports.oddities import Unit
from sample_reports.organisation import CLUB, MAIN, SHOP, Organisation
from sample_reports.reporters import SILENT
from sample_reports.reports import Report
from sample_reports.sessions import tls_events
from sample_reports.timeline import Timeline

Json = dict[str, Any]
Mechanism = Literal["dkim", "either", "volume"]


def events(reports: Sequence[Report], organisation: Organisation, period: Timeline) -> list[Json]:
    """The events of the period, by day. `before` and `after` are measured in the reports themselves."""
    found = [
        _drift("drift_step", "mailjet", "mailjet.com", (period.step, period.step), reports),
        _drift("drift_slide", "salesforce", "salesforce.com", (period.slide_starts, period.slide_ends), reports),
        _event("policy_change", MAIN, None, "policy", (period.policy_changed, None), ("none", "quarantine")),
        _silence(reports, period),
        _new(reports, period),
        _burst(reports, period),
        *(_drip(domain, reports, period) for domain in (MAIN, SHOP, CLUB)),
    ]
    inside = [e for e in found if period.first.isoformat() <= e["day"] <= period.last.isoformat()]
    # A change on the very first day has nothing before it.
    return sorted(
        (e for e in inside if e["kind"] == "spoofing_drip" or e["day"] > period.first.isoformat()),
        key=lambda e: (e["day"], e["kind"], e["domain"] or ""),
    )


def other_events(found: Sequence[Unit], period: Timeline) -> list[Json]:
    """What TLS reports and bounces tell, by day; each happening also says how many sessions or recipients it cost."""
    failed = [unit.tells for unit in found if unit.kind == "tls_report" and unit.tells["failed_sessions"]]
    happened = []
    for kind, first, last, where in tls_events(period):
        days = {(first + timedelta(days=n)).isoformat() for n in range((last - first).days + 1)}
        lost = sum(int(str(told["failed_sessions"])) for told in failed if told["day"] in days)
        event = _event(kind, MAIN, None, "tls", (first, last if last > first else None), (0, lost))
        happened.append({**event, "host": where})
    for kind, first, source, provider in bounce_events(period):
        refused = [
            told for unit in found if (told := unit.tells) and unit.kind == "bounce" and told["provider"] == provider
        ]
        lost = sum(told["kind"] in ("authentication", "policy") for told in refused)
        happened.append(
            {**_event(kind, MAIN, None, "bounces", (first, None), (0, lost)), "source": source, "provider": provider}
        )
    inside = [e for e in happened if period.first.isoformat() < e["day"] <= period.last.isoformat() and e["after"]]
    return sorted(inside, key=lambda e: (e["day"], e["kind"]))


def distractors(period: Timeline) -> list[Json]:
    """Changes that are no trouble, and must not be reported as such."""
    found = [
        ("vanished_source", MAIN, "green.ch", period.old_server_off, "an old server was switched off as planned"),
        ("selector_rotation", MAIN, "microsoft.com", period.selector_rotated, "selector1 to selector2, still aligned"),
        ("new_addresses", SHOP, "mailgun.com", period.pool_changed, "the service sends from more addresses"),
        ("forwarder_growth", MAIN, "hostpoint.ch", period.first, "forwarded mail doubles over the period"),
        ("month_end_peak", MAIN, "metanet.ch", period.first, "invoices go out in the last two days of a month"),
        ("holiday_growth", SHOP, "mailgun.com", period.before_end(21), "shop mail grows in the weeks before Christmas"),
    ]
    return [
        {"kind": kind, "domain": domain, "as_domain": as_domain, "day": day.isoformat(), "why": why}
        for kind, domain, as_domain, day, why in found
        if period.first <= day <= period.last
    ]


def _event(
    kind: str,
    domain: str | None,
    as_domain: str | None,
    mechanism: str | None,
    when: tuple[date, date | None],
    change: tuple[object, object],
) -> Json:
    started, ended = when
    return {
        "kind": kind,
        "domain": domain,
        "as_domain": as_domain,
        "mechanism": mechanism,
        "day": started.isoformat(),
        "ended_on": ended.isoformat() if ended else None,
        "before": change[0],
        "after": change[1],
    }


def _day(report: Report) -> date:
    return datetime.fromtimestamp(report.begin, UTC).date()


def _share(reports: Sequence[Report], source: str, first: date, last: date) -> float | None:
    """The DKIM-aligned share of a source over some days; reports that span days would blur it, so they are left out."""
    sums: Counter[bool] = Counter()
    for report in reports:
        if report.reporter.span_days == 1 and first <= _day(report) <= last:
            for row, messages in report.rows:
                if row.source == source:
                    sums[row.dkim == "pass"] += messages
    return round(sums[True] / sums.total(), 4) if sums else None


def _daily(reports: Sequence[Report], source: str, first: date, last: date) -> float:
    """Messages a day."""
    found = sum(
        messages
        for report in reports
        if first <= _day(report) <= last
        for row, messages in report.rows
        if row.source == source
    )
    return round(found / ((last - first).days + 1), 1)


def _drift(kind: str, name: str, as_domain: str, when: tuple[date, date], reports: Sequence[Report]) -> Json:
    started, ended = when
    source, day = f"{MAIN}/{name}", timedelta(days=1)
    change = _share(reports, source, date.min, started - day), _share(reports, source, ended, date.max)
    event = _event(kind, MAIN, as_domain, "dkim", (started, ended if ended > started else None), change)
    return {**event, "source": name}


def _silence(reports: Sequence[Report], period: Timeline) -> Json:
    started = period.reporter_silent
    theirs = [r for r in reports if r.reporter.key == SILENT]
    days = max(1, (started - period.first).days)
    before = round(sum(r.messages for r in theirs) / days, 1)
    names = {r.reporter.org_name for r in theirs} or {SILENT}
    return {
        **_event("reporter_silent", None, None, "volume", (started, None), (before, 0.0)),
        "reporter": min(names),
    }


def _new(reports: Sequence[Report], period: Timeline) -> Json:
    started = period.new_service
    after = _daily(reports, f"{MAIN}/brevo", started, period.last)
    return {
        **_event("new_source", MAIN, "sendinblue.com", "volume", (started, None), (0.0, after)),
        "source": "brevo",
    }


def _burst(reports: Sequence[Report], period: Timeline) -> Json:
    started, ended = period.burst_starts, period.burst_ends
    during = _daily(reports, f"{MAIN}/spoofing-burst", started, ended)
    return {
        **_event("spoofing_burst", MAIN, None, "volume", (started, ended), (0.0, during)),
        "as_domains": sorted(BOT_NETWORKS),
        "source": "spoofing-burst",
    }


def _drip(domain: str, reports: Sequence[Report], period: Timeline) -> Json:
    daily = _daily(reports, f"{domain}/spoofing-drip", period.first, period.last)
    return {
        **_event("spoofing_drip", domain, None, "volume", (period.first, period.last), (daily, daily)),
        "as_domains": sorted(DRIP_NETWORKS),
        "source": "spoofing-drip",
    }
