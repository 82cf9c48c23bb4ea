"""Reports of single messages that failed (RFC 9991, RFC 6591): few receivers write them, and they name people."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from email.utils import format_datetime

from sample_reports.chance import Chance
from sample_reports.oddities import Unit
from sample_reports.organisation import MAIN, Organisation
from sample_reports.spoofing import bots
from sample_reports.timeline import Timeline
from sample_reports.wrapping import MAILBOX, message, received


@dataclass(frozen=True)
class Failed:
    """One message that failed, and what its receiver did with it."""

    source: str
    source_ip: str
    envelope: str
    spf: str
    dkim: str
    delivery: str
    sender: str
    recipient: str
    subject: str
    text: str


@dataclass(frozen=True)
class Witness:
    """A receiver that reports single messages. `since` is the RFC that it follows: 9991, or 6591 before it."""

    name: str
    host: str
    agent: str
    since: int


SEETAL = Witness("Seetal Net", "seetal-net.example", "seetal-dmarc/2.4", 9991)
ALPINA = Witness("Posta Alpina", "posta-alpina.example", "Lua/1.0", 6591)


def failure_reports(organisation: Organisation, period: Timeline, seed: int) -> Iterator[Unit]:
    """Of the booking service without its key, of the forged campaign, and of a mailing list."""
    burst = organisation.campaigns[0]
    machines = [bot.address for bot in bots(burst, seed)]
    forged = (
        "spoofing-burst",
        MAIN,
        "softfail",
        "none",
        "smg-action",
        "Kundendienst <kundendienst@northlight.example>",
    )
    booked = ("mailjet", "bnc3.mailjet.com", "pass", "none", "delivered", "Northlight Kurse <kurse@northlight.example>")
    plan: tuple[tuple[date, Witness, str, tuple[str, ...], str, str], ...] = (
        (period.step + timedelta(days=2), SEETAL, "87.253.233.9", booked, "Nadja Bieri", "Ihre Buchung 481516"),
        (period.burst_starts, SEETAL, machines[0], forged, "Peter Kuenzli", "Ihr Konto wurde eingeschraenkt"),
        (period.burst_starts, ALPINA, machines[1], forged, "Lea Camenzind", "Rueckerstattung 212.40"),
        (period.burst_ends, SEETAL, machines[2], forged, "Marco Tschudi", "Ihr Konto wurde eingeschraenkt"),
        (period.before_end(11), ALPINA, "87.253.233.17", booked, "Silvia Decurtins", "Ihre Buchung 482342"),
        (period.before_end(4), SEETAL, "185.189.236.12", booked, "Toni Arnold", "Tour am Samstag"),
    )
    for number, (day, witness, source_ip, known, person, subject) in enumerate(plan):
        if max(period.mailbox_opened, period.first) <= day:
            source, envelope, spf, dkim, delivery, sender = known
            local = person.lower().replace(" ", ".")
            failed = Failed(
                source, source_ip, f"{'bounce+' + local if source == 'mailjet' else 'info'}@{envelope}", spf, dkim,
                delivery, sender, f"{person} <{local}@{witness.host}>", subject,
                f"Guten Tag {person}, Ihre Kundennummer ist 20{number}7741.",
            )  # fmt: skip
            yield _unit(witness, failed, day, Chance.of(seed, "failure", number))


def _unit(witness: Witness, failed: Failed, day: date, chance: Chance) -> Unit:
    at = datetime.combine(day, time(), UTC) + timedelta(seconds=chance.randint(7 * 3600, 20 * 3600))
    sent = at + timedelta(seconds=chance.randint(20, 400))
    boundary = f"=_f{at:%Y%m%d%H%M%S}"
    content = message(
        [
            *received(f"mail.{witness.host}", sent),
            f"From: {witness.name} <noreply-dmarc@{witness.host}>",
            f"To: {MAILBOX}",
            f"Subject: DMARC failure report for {MAIN} Mail-From: {failed.envelope} IP:{failed.source_ip}",
            f"Message-ID: <ruf.{at:%Y%m%d%H%M%S}@{witness.host}>",
            "Auto-Submitted: auto-generated",
            "MIME-Version: 1.0",
            f'Content-Type: multipart/report; report-type=feedback-report; boundary="{boundary}"',
            "",
            f"--{boundary}",
            "Content-Type: text/plain; charset=us-ascii",
            "",
            f"This is an authentication failure report for a message received from {failed.source_ip}.",
            "",
            f"--{boundary}",
            "Content-Type: message/feedback-report",
            "",
            *_feedback(witness, failed, at),
            "",
            f"--{boundary}",
            "Content-Type: message/rfc822",
            "",
            *_original(failed, at),
            "",
            f"--{boundary}--",
        ]
    )
    tells = {"reporter": witness.host, "domain": MAIN, "source": failed.source, "source_ip": failed.source_ip}
    name = f"mail/{sent:%Y-%m-%dT%H%M%S}-failure-{witness.host}.eml"
    return Unit(name, content, kind="failure_report", tells={**tells, "day": day.isoformat()})


def _feedback(witness: Witness, failed: Failed, at: datetime) -> list[str]:
    results = (
        f"Authentication-Results: mx.{witness.host}; dmarc=fail header.from={MAIN};"
        f" spf={failed.spf} smtp.mailfrom={failed.envelope}; dkim={failed.dkim}"
    )
    fields = [
        "Feedback-Type: auth-failure",
        f"User-Agent: {witness.agent}",
        "Version: 1",
        f"Original-Mail-From: <{failed.envelope}>",
        f"Original-Rcpt-To: <{failed.recipient.partition('<')[2]}",
        f"Arrival-Date: {format_datetime(at)}",
        f"Source-IP: {failed.source_ip}",
        f"Reported-Domain: {MAIN}",
        results,
        "Auth-Failure: dmarc",
        f"Delivery-Result: {failed.delivery}",
    ]
    return [*fields, "Identity-Alignment: none"] if witness.since == 9991 else fields


def _original(failed: Failed, at: datetime) -> list[str]:
    return [
        f"Return-Path: <{failed.envelope}>",
        f"From: {failed.sender}",
        f"To: {failed.recipient}",
        f"Subject: {failed.subject}",
        f"Date: {format_datetime(at)}",
        f"Message-ID: <{at:%Y%m%d%H%M%S}.{failed.source}@{failed.envelope.partition('@')[2]}>",
        "Content-Type: text/plain; charset=us-ascii",
        "",
        failed.text,
    ]
