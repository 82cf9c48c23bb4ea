"""A report as an attachment, and an attachment as a mail, without anything that differs from run to run."""

from __future__ import annotations

import base64
import gzip
import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

from sample_reports.document import document
from sample_reports.reporters import Reporter
from sample_reports.reports import Report

MAILBOX = "dmarc-reports@northlight.example"
TLS_MAILBOX = "tls-reports@northlight.example"

ENDINGS = {"zip": ".zip", "gzip": ".xml.gz", "plain": ".xml"}


@dataclass(frozen=True)
class Attachment:
    """A packed report with the name and type that its mail gives it."""

    name: str
    content_type: str
    content: bytes
    encoding: str = "base64"


def gzipped(content: bytes, name: str = "") -> bytes:
    """Gzip without the time, so that the same content gives the same bytes."""
    buffer = io.BytesIO()
    with gzip.GzipFile(filename=name, mode="wb", fileobj=buffer, mtime=0) as file:
        file.write(content)
    return buffer.getvalue()


def zipped(content: bytes, name: str, at: datetime) -> bytes:
    """A zip archive with one member, dated when the report was made."""
    buffer = io.BytesIO()
    member = zipfile.ZipInfo(name, at.timetuple()[:6])
    member.compress_type = zipfile.ZIP_DEFLATED
    member.create_system = 3
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(member, content)
    return buffer.getvalue()


def attachment(report: Report, packing: str = "") -> Attachment:
    """The report packed as its reporter does, or in another way."""
    way = packing or report.reporter.packing
    content, name = document(report), report.stem + ENDINGS[way]
    if way == "zip":
        content = zipped(content, f"{report.stem}.xml", report.sent)
    elif way == "gzip":
        content = gzipped(content, f"{report.stem}.xml" if report.reporter.id_in_name else "")
    return Attachment(name, report.reporter.content_type, content, report.reporter.encoding)


def mail(reports: Sequence[Report], delay: timedelta = timedelta(), attempt: int = 1) -> bytes:
    """The mail that brings these reports; usually one. A resend has a later date and a Message-ID of its own."""
    first = reports[0]
    reporter, sent = first.reporter, first.sent + delay
    headers = _transport(reporter, sent, f"{first.report_id}.{attempt}".replace(":", "."))
    headers.append(
        "Subject: " + reporter.subject.format(domain=first.domain, submitter=reporter.submitter, id=first.report_id)
    )
    headers.append("MIME-Version: 1.0")
    parts = [attachment(report) for report in reports]
    if reporter.body == "bare" and len(parts) == 1:
        return message([*headers, *_part(parts[0])])
    boundary = f"=_{first.begin:x}_{first.report_id[-12:].replace(':', '_')}"
    headers.append(f'Content-Type: multipart/mixed; boundary="{boundary}"')
    lines = [*headers, "", "This is a multi-part message in MIME format."]
    for part in (_greeting(reporter, first.domain), *map(_part, parts)):
        lines += [f"--{boundary}", *part]
    return message([*lines, f"--{boundary}--"])


def mailed(headers: Sequence[str], part: Attachment, sent: datetime, identifier: str) -> bytes:
    """A TLS report as a mail: a sentence for people, and the report (RFC 8460 section 5.3)."""
    host, boundary = identifier.partition("@")[2], f"=_{identifier.partition('@')[0]}"
    return message(
        [
            *received(f"out.{host}", sent),
            *headers,
            f"To: {TLS_MAILBOX}",
            f"Message-ID: <{identifier}>",
            "MIME-Version: 1.0",
            f'Content-Type: multipart/report; report-type="tlsrpt"; boundary="{boundary}"',
            "",
            f"--{boundary}",
            "Content-Type: text/plain; charset=us-ascii",
            "",
            f"This is an aggregate TLS report from {host}",
            "",
            f"--{boundary}",
            *_part(part),
            f"--{boundary}--",
        ]
    )


def received(host: str, sent: datetime) -> list[str]:
    """How a mail came, and when it was sent."""
    arrived = format_datetime(sent + timedelta(seconds=4))
    return [
        f"Received: from {host} ({host})",
        f"\tby mx.northlight.example (Postfix) with ESMTPS; {arrived}",
        f"Date: {format_datetime(sent)}",
    ]


def message(lines: Sequence[str]) -> bytes:
    """Lines as a mail."""
    return ("\r\n".join(lines) + "\r\n").encode()


def _transport(reporter: Reporter, sent: datetime, identifier: str) -> list[str]:
    host = reporter.email.partition("@")[2]
    arrived = format_datetime(sent + timedelta(seconds=4))
    # Google dates its reports at the end of the day reported on, whenever they are sent.
    dated = sent - timedelta(hours=reporter.sent_after_hours) if reporter.key == "google.com" else sent
    dated = dated.replace(hour=0, minute=0, second=0) if reporter.key == "google.com" else dated
    return [
        f"Return-Path: <{reporter.email}>",
        f"Received: from out.{host} (out.{host})",
        f"\tby mx.northlight.example (Postfix) with ESMTPS; {arrived}",
        f"Date: {format_datetime(dated)}",
        f"Message-ID: <{identifier}@{host}>",
        f"From: {reporter.email}",
        f"To: {MAILBOX}",
    ]


def _greeting(reporter: Reporter, domain: str) -> list[str]:
    text = f"This is a DMARC aggregate report for {domain}, from {reporter.org_name}."
    if reporter.body == "html":
        return ["Content-Type: text/html; charset=us-ascii", "", f'<div style="font-family:Calibri">{text}</div>']
    return ["Content-Type: text/plain; charset=us-ascii", "", text, ""]


def _part(part: Attachment) -> list[str]:
    content = base64.encodebytes(part.content) if part.encoding == "base64" else part.content
    return [
        f"Content-Type: {part.content_type};",
        f'\tname="{part.name}"',
        f"Content-Transfer-Encoding: {part.encoding}",
        "Content-Disposition: attachment;",
        f'\tfilename="{part.name}"',
        "",
        *content.decode().splitlines(),
    ]


def out_of_office(at: datetime) -> bytes:
    """A mail that lands in the mailbox for reports and is none."""
    return message(
        [
            "Return-Path: <>",
            "Received: from mail.gipfelbund.example (mail.gipfelbund.example)",
            f"\tby mx.northlight.example (Postfix) with ESMTPS; {format_datetime(at.astimezone(UTC))}",
            f"Date: {format_datetime(at)}",
            f"Message-ID: <absence.{at:%Y%m%d}@gipfelbund.example>",
            "From: Office <office@gipfelbund.example>",
            f"To: {MAILBOX}",
            "Subject: Out of office: Report Domain: gipfelbund.example",
            "Auto-Submitted: auto-replied",
            "MIME-Version: 1.0",
            "Content-Type: text/plain; charset=us-ascii",
            "",
            "Thank you for your message. The office is closed until Monday.",
        ]
    )
