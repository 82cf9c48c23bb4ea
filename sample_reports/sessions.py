"""Who reports on the encryption of mail to Northlight (RFC 8460), and what had gone wrong on which day."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sample_reports.chance import Chance
from sample_reports.oddities import Unit
from sample_reports.organisation import MAIN, SHOP
from sample_reports.senders import OFFICE_WEEK, SHOP_WEEK
from sample_reports.timeline import Timeline
from sample_reports.wrapping import Attachment, gzipped, mailed

Json = dict[str, Any]

MX, BACKUP_MX = f"mx.{MAIN}", f"mx2.{MAIN}"
ADDRESSES = {MX: "94.126.16.21", BACKUP_MX: "94.126.16.22"}
POLICIES: dict[str, Json] = {
    MAIN: {
        "policy-type": "sts",
        "policy-string": ["version: STSv1", "mode: testing", f"mx: {MX}", f"mx: {BACKUP_MX}", "max_age: 86400"],
        "policy-domain": MAIN,
        "mx-host": [MX, BACKUP_MX],
    },
    SHOP: {"policy-type": "no-policy-found", "policy-domain": SHOP},
}
EXPIRED, FETCH = "certificate-expired", "sts-policy-fetch-error"


@dataclass(frozen=True)
class Observer:
    """One sender of mail that reports on its sessions, and how many a day it has with each domain."""

    organization: str
    submitter: str
    email: str
    servers: tuple[str, ...]
    daily: dict[str, float]
    report_id: str
    sent_after_hours: float
    backup_share: float


OBSERVERS = (
    Observer(
        "Google Inc.", "google.com", "smtp-tls-reporting@google.com", ("209.85.208.41", "209.85.167.52"),
        {MAIN: 236, SHOP: 118}, "{day}T00:00:00Z_{domain}", 12.0, 0.11,
    ),
    Observer(
        "Microsoft Corporation", "microsoft.com", "tlsrpt-noreply@microsoft.com",
        ("40.107.20.97", "40.107.22.112", "52.101.5.23"), {MAIN: 312}, "{number}+{domain}", 29.0, 0.08,
    ),
    Observer(
        "Comcast", "comcast.net", "tlsrpt@comcast.net", ("96.102.18.147",), {MAIN: 19}, "{number}.{domain}", 7.5, 0.2,
    ),
)  # fmt: skip


def tls_reports(period: Timeline, seed: int) -> Iterator[Unit]:
    """A mail for each observer, domain and day since the day on which the domain asked for reports."""
    asked = dict(zip((MAIN, SHOP), period.tls_reports_asked, strict=True))
    for observer in OBSERVERS:
        for domain in observer.daily:
            for day in period.days():
                if day >= asked[domain]:
                    yield _unit(observer, domain, day, _document(observer, domain, (day, period), seed))


def tls_events(period: Timeline) -> list[tuple[str, date, date, str]]:
    """Kind, first day, last day, and what it was about."""
    first, last = period.certificate_expired
    return [
        ("tls_certificate_expired", first, last, BACKUP_MX),
        ("tls_policy_unreachable", period.policy_unreachable, period.policy_unreachable, f"mta-sts.{MAIN}"),
    ]


def _document(observer: Observer, domain: str, when: tuple[date, Timeline], seed: int) -> Json:
    day, _ = when
    chance = Chance.of(seed, "tls", observer.submitter, domain, day)
    week = SHOP_WEEK if domain == SHOP else OFFICE_WEEK
    sessions = max(3, chance.volume(observer.daily[domain] * week[day.weekday()], 0.15))
    details = _failures(observer, sessions, when, chance) if domain == MAIN else []
    failed = sum(detail["failed-session-count"] for detail in details)
    report_id = observer.report_id.format(day=day, domain=domain, number=chance.digits(18))
    return {
        "organization-name": observer.organization,
        "date-range": {"start-datetime": f"{day}T00:00:00Z", "end-datetime": f"{day}T23:59:59Z"},
        "contact-info": observer.email,
        "report-id": report_id,
        "policies": [
            {
                "policy": POLICIES[domain],
                "summary": {
                    "total-successful-session-count": sessions - failed,
                    "total-failure-session-count": failed,
                },
                **({"failure-details": details} if details else {}),
            }
        ],
    }


def _failures(observer: Observer, sessions: int, when: tuple[date, Timeline], chance: Chance) -> list[Json]:
    day, period = when
    first, last = period.certificate_expired
    if first <= day <= last:
        # The backup takes a share of the mail, and with it of the sessions.
        failed = max(1, chance.binomial(sessions, observer.backup_share))
        shared = chance.split(failed, [1.0] * len(observer.servers))
        return [
            {
                "result-type": EXPIRED,
                "sending-mta-ip": server,
                "receiving-mx-hostname": BACKUP_MX,
                "receiving-ip": ADDRESSES[BACKUP_MX],
                "failed-session-count": count,
            }
            for server, count in zip(observer.servers, shared, strict=True)
            if count
        ]
    if day == period.policy_unreachable and observer.submitter == "microsoft.com":
        failed = max(1, chance.binomial(sessions, 0.4))
        return [{"result-type": FETCH, "failed-session-count": failed, "failure-reason-code": "HTTP 503"}]
    return []


def _unit(observer: Observer, domain: str, day: date, told: Json) -> Unit:
    begin = int(datetime.combine(day, time(), UTC).timestamp())
    sent = datetime.combine(day, time(), UTC) + timedelta(days=1, hours=observer.sent_after_hours)
    stem = f"{observer.submitter}!{domain}!{begin}!{begin + 86399}!001"
    content = gzipped(json.dumps(told, separators=(",", ":")).encode())
    part = Attachment(f"{stem}.json.gz", "application/tlsrpt+gzip", content)
    identifier = f"{begin:x}.{domain.partition('.')[0]}@{observer.submitter}"
    headers = (
        f"From: {observer.email}",
        f"Subject: Report Domain: {domain} Submitter: {observer.submitter} Report-ID: <{told['report-id']}>",
        f"TLS-Report-Domain: {domain}",
        f"TLS-Report-Submitter: {observer.submitter}",
    )
    summary = told["policies"][0]["summary"]
    tells = {
        "reporter": observer.organization, "domain": domain, "report_id": told["report-id"], "day": day.isoformat(),
        "successful_sessions": summary["total-successful-session-count"],
        "failed_sessions": summary["total-failure-session-count"],
    }  # fmt: skip
    name = f"mail/{sent:%Y-%m-%dT%H%M%S}-tls-{observer.submitter}-{domain}.eml"
    return Unit(name, mailed(headers, part, sent, identifier), kind="tls_report", tells=tells)
