"""Attacks on what a mailbox holds beside aggregate reports: TLS reports, failure reports, bounces."""

from __future__ import annotations

import json
from collections.abc import Callable

from ingest.outcome import Reason

MIB = 2**20
TLS = {
    "organization-name": "Example",
    "report-id": "1",
    "date-range": {"start-datetime": "2026-11-20T00:00:00Z", "end-datetime": "2026-11-20T23:59:59Z"},
}
TLS_HEAD = json.dumps(TLS)[:-1].encode() + b', "policies": ['
HEADER = (
    b"From: MAILER-DAEMON@mail.example.net\r\nTo: sender@example.com\r\n"
    b"Subject: Undelivered Mail Returned to Sender\r\nMIME-Version: 1.0\r\n"
)
OPENING = b"This is the mail system at host mail.example.net.\n\n"
RECIPIENT = b"Final-Recipient: rfc822; user%d@example.org\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n"
ORIGINAL = b"From: ann@example.com\r\nTo: bob@example.org\r\n\r\n"


def text(body: bytes) -> Callable[[], bytes]:
    """A bounce that is text alone."""
    return lambda: HEADER + b"\r\n" + OPENING + body


def status(block: Callable[[], bytes], returned: bytes = ORIGINAL) -> Callable[[], bytes]:
    """A bounce in its parts."""
    return lambda: (
        HEADER + b"Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n"
        b"--b\r\nContent-Type: text/plain\r\n\r\n"
        + OPENING
        + b"\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n"
        b"Reporting-MTA: dns; mail.example.net\r\n\r\n" + block() + b"\r\n--b\r\n"
        b"Content-Type: message/rfc822\r\n\r\n" + returned + b"\r\n--b--\r\n"
    )


def feedback(fields: bytes) -> Callable[[], bytes]:
    """A failure report."""
    return lambda: (
        HEADER + b"Content-Type: multipart/report; report-type=feedback-report; boundary=b\r\n\r\n"
        b"--b\r\nContent-Type: message/feedback-report\r\n\r\nFeedback-Type: auth-failure\r\n"
        b"Reported-Domain: example.com\r\n" + fields + b"\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n"
        + ORIGINAL + b"\r\n--b--\r\n"
    )  # fmt: skip


def recipients(count: int) -> bytes:
    """So many recipients."""
    return b"".join(RECIPIENT % number for number in range(count))


def nested(levels: int) -> bytes:
    """Multipart in multipart."""
    parts = (b"Content-Type: multipart/mixed; boundary=n%d\r\n\r\n--n%d\r\n" % (n, n) for n in range(levels))
    return HEADER + b"".join(parts)


BROKEN, MANY, BIG = (Reason.JSON_BROKEN,), (Reason.TOO_MANY_PARTS,), (Reason.TOO_LARGE,)
MISSING = (Reason.FIELD_MISSING,)
STORED, NOT_A_REPORT = ("stored",), ("not_a_report",)

# Name: what is sent, and how it may end: stored, as no report, or refused for one of these reasons.
ATTACKS: dict[str, tuple[Callable[[], bytes], tuple[str, ...]]] = {
    "TLS, 5 million empty objects": (lambda: TLS_HEAD + b"{}," * (5 * MIB) + b"{}]}", MANY),
    "TLS, 390,000 numbers": (lambda: TLS_HEAD + b"[" + b"1," * 390_000 + b"1]]}", BROKEN),
    "TLS, 390,000 members": (
        lambda: TLS_HEAD + b"{" + b",".join(b'"m%d":%d' % (n, n) for n in range(390_000)) + b"}]}",
        MISSING,
    ),
    "TLS, 390,000 brackets": (lambda: TLS_HEAD + b"[" * 390_000, BROKEN),
    "TLS, one text of 15 MiB": (lambda: TLS_HEAD + b'"' + b"\xc3\xa9" * (15 * MIB // 2) + b'"]}', BROKEN),
    "TLS, one text of 15 MiB beyond the BMP": (
        lambda: TLS_HEAD[:-13] + b'"contact-info": "' + b"\xf0\x9f\x98\x80" * (15 * MIB // 4) + b'", "policies": []}',
        STORED,
    ),
    "TLS, 60 MiB": (lambda: TLS_HEAD + b" " * (60 * MIB) + b"]}", BIG),
    "TLS, a number of a million digits": (
        lambda: TLS_HEAD + b'{"policy": {}, "summary": {"total-successful-session-count": ' + b"9" * MIB + b"}}]}",
        (Reason.NUMBER_INVALID,),
    ),
    "TLS, 190,000 failure details": (
        lambda: TLS_HEAD
        + b'{"policy": {}, "summary": {"total-successful-session-count": 1, "total-failure-session-count": 1},'
        b' "failure-details": [' + b",".join([b'{"failed-session-count": 1}'] * 190_000) + b"]}]}",
        STORED,
    ),
    "bounce, 10,000 recipients": (status(lambda: recipients(10_000)), STORED),
    "bounce, 100,000 recipients": (status(lambda: recipients(100_000)), MANY),
    "bounce, status of 30 MiB of fields": (status(lambda: b"X-Field: value\r\n" * (2 * MIB)), BIG),
    "bounce, status of one field of 7 MiB": (status(lambda: recipients(1) + b"Status: " + b"x" * (7 * MIB)), STORED),
    "bounce, status of blank lines": (status(lambda: recipients(1) + b"\r\n \r\n" * MIB), STORED),
    "bounce, diagnostic folded a million times": (
        status(lambda: recipients(1)[:-2] + b"Diagnostic-Code: smtp;" + b"\r\n x" * MIB),
        STORED,
    ),
    "bounce, diagnostics full of addresses": (
        status(lambda: (RECIPIENT[:-2] + b"Diagnostic-Code: " + b"a@b " * 1000 + b"\n\n") * 1500),
        STORED,
    ),
    "bounce, returned message of 50 MiB": (status(lambda: recipients(1), ORIGINAL + b"x" * (50 * MIB)), STORED),
    "bounce, returned header of 50 MiB": (status(lambda: recipients(1), b"X: y\r\n" * (50 * MIB // 6)), STORED),
    "bounce, text of one run": (text(b"a" * (40 * MIB)), MISSING),
    "bounce, text of at signs": (text(b"@" * (4 * MIB)), MISSING),
    "bounce, text of a@": (text(b"a@" * (4 * MIB)), MISSING),
    "bounce, text of quotes": (text(b'"' * (4 * MIB)), MISSING),
    "bounce, text of dashes": (text(b"-" * (4 * MIB)), MISSING),
    "bounce, text of blank lines": (text(b"\n \n" * MIB), MISSING),
    "bounce, text of a million addresses": (text(b"<u@example.org>: 550 5.1.1 no\n" * MIB), STORED),
    "bounce, text of one address a million times": (text(b"u@example.org\n" * MIB), STORED),
    "bounce, text of 300 addresses at a time": (
        text(b"".join(b"u%d@example.org: 550 no\n" % n for n in range(100_000))), STORED
    ),
    "bounce, text of openings": (text(b"This message was created automatically by mail \n" * MIB), MISSING),
    "bounce, HTML of tags": (lambda: HEADER + b"Content-Type: text/html\r\n\r\n" + OPENING + b"<" * (4 * MIB), MISSING),
    "bounce, HTML of styles": (
        lambda: HEADER + b"Content-Type: text/html\r\n\r\n" + OPENING + b"<style>" * MIB, MISSING
    ),
    "bounce, HTML of links": (
        lambda: HEADER + b"Content-Type: text/html\r\n\r\n" + OPENING + b'<a href="mailto:' * MIB, MISSING
    ),
    "bounce, HTML of entities": (
        lambda: HEADER + b"Content-Type: text/html\r\n\r\n" + OPENING + b"&NotEqualTilde;&#x1F600" * MIB, MISSING
    ),
    "bounce, X-Failed-Recipients of 200 kB": (
        lambda: HEADER + b"X-Failed-Recipients: " + b"u@example.org, " * 14_000 + b"\r\n\r\n" + OPENING, STORED
    ),
    "bounce, From of 200 kB": (
        lambda: b"From: mailer-daemon " + b"\"(<" * 66_000 + b"\r\n" + HEADER + b"\r\n" + OPENING, MISSING
    ),
    "bounce, a subject of encoded words": (
        lambda: b"Subject: " + b"=?utf-8?q?a?=\r\n =?u?b?=?=\r\n " * 7000 + b"\r\n" + HEADER[:36] + b"\r\n",
        NOT_A_REPORT,
    ),
    "bounce, 1,000 parts in 1,000 parts": (lambda: nested(1000), (Reason.NESTED_TOO_DEEP,)),
    "bounce, 100,000 parts": (
        lambda: HEADER + b"Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n"
        + b"--b\r\n\r\nx\r\n" * 100_000, MANY
    ),
    "bounce, every charset parameter": (
        lambda: HEADER + b"Content-Type: text/plain; " + b"charset*0*=x''%41; " * 3000 + b"\r\n\r\n" + OPENING, MISSING
    ),
    "failure report, 2,000 recipients and results": (
        feedback(b"Original-Rcpt-To: <a.b@example.org>\nAuthentication-Results: x; spf=fail a.b@c.example\n" * 2000),
        STORED,
    ),
    "failure report, fields of 40 MiB": (feedback(b"Arrival-Date: x\r\n" * (40 * MIB // 17)), STORED),
    "failure report, text of labels": (
        lambda: b"Subject: DMARC failure report for example.com\r\n\r\n" + b"Sender IP: 192.0.2.1\n" * MIB, STORED
    ),
    "failure report, text of colons": (
        lambda: b"Subject: DMARC failure report for example.com\r\n\r\n" + b"a" * 30 + b" :" * (4 * MIB), NOT_A_REPORT
    ),
}  # fmt: skip
