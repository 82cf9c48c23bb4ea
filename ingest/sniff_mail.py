"""What kind of notice a whole mail is: a failure report, a bounce, or neither, so that its documents are looked at.

A bounce is told by its form (multipart/report, RFC 6522), or by a mail system's sender or subject together with a
text that opens like one. An automatic reply (RFC 3834) or a read receipt (RFC 8098) is none.
"""

from __future__ import annotations

import re

from ingest import mime
from ingest.errors import MalformedReport
from ingest.mime import Span
from ingest.reports import bounce_text, dsn, failure, failure_text, notice
from ingest.sniff import Kind

_HEAD = 64 * 2**10

# Without one of these in its header, no mail is looked at twice: most are aggregate reports.
_HINTS = (
    b"multipart/report", b"mailer-daemon", b"mail-daemon", b"postmaster", b"x-failed-recipients", b"deliver",
    b"failure", b"forensic", b"returned mail", b"returning message", b"system administrator", b"return to sender",
    b"returned to sender", b"system error", b"auto-submitted", b"warning:", b"mail status",
)  # fmt: skip
_FAILURE_SUBJECT = re.compile(
    r"\bDMARC[- ](?:\S{0,20}[- ])?(?:failure|forensic) report|forensic report|auth(?:entication)?[- ]failure",
    re.IGNORECASE,
)
_AGGREGATE_SUBJECT = re.compile(r"report domain:", re.IGNORECASE)
_REPLY_SUBJECT = re.compile(
    r"^(?:auto(?:matic|mated)?[- ]?(?:re(?:ply|sponse)|antwort)|automatische antwort|out of (?:the )?office|abwesen|"
    r"r[ée]ponse automatique|respuesta autom[áa]tica|risposta automatica)",
    re.IGNORECASE,
)


def mail_kind(raw: bytes) -> Kind:
    """FAILURE or DSN where the mail as a whole is one; NONE where its documents say what it is."""
    head, own = _header(raw)
    if not any(hint in head for hint in _HINTS):
        return Kind.NONE
    fields = notice.grouped(mime.fields(own))
    content_type = (fields.get("content-type") or [""])[0].lower()
    if "multipart/report" in content_type:
        found = _by_parts(content_type, raw[:_HEAD].lower())
        if found is not None:
            return found
    try:
        return _by_text(raw, fields)
    except MalformedReport:
        return Kind.NONE  # whoever walks it will say what is wrong with it


def described_mail(raw: bytes) -> str:
    """What a mail is that holds no report, for a sentence; "" where nothing more can be said."""
    fields = notice.grouped(mime.fields(_header(raw)[1]))
    first = {name: notice.decoded_words(values[0]) for name, values in fields.items()}
    if "disposition-notification" in first.get("content-type", "").lower():
        return "a read receipt"
    # RFC 3834 section 5, and what answered automatically before it.
    is_reply = first.get("auto-submitted", "").lower().startswith("auto-replied")
    if (
        is_reply
        or "x-autoreply" in first
        or "x-autorespond" in first
        or _REPLY_SUBJECT.search(first.get("subject", ""))
    ):
        return "an automatic reply"
    return ""


def _header(raw: bytes) -> tuple[bytes, bytes]:
    """The header in lower case, and as it is; both empty where it is too long to be one."""
    start = raw[: mime.HEADER_LIMIT].removeprefix(b"\xef\xbb\xbf").lstrip(b"\r\n\t \0")
    if b"\n" not in start:
        start = start.replace(b"\r", b"\n")  # line ends of old Macs
    try:
        own = mime.split(Span(start, 0, len(start)))[0]
    except MalformedReport:
        return b"", b""
    return own.lower(), own


def _by_parts(content_type: str, head: bytes) -> Kind | None:
    """The kind of a multipart/report, by report-type (RFC 6522 section 3) or its first parts; None: see its text."""
    if "feedback-report" in content_type:
        return Kind.FAILURE
    if "delivery-status" in content_type:
        return Kind.DSN
    if b"message/feedback-report" in head:
        return Kind.FAILURE
    if b"message/delivery-status" in head or b"message/global-delivery-status" in head:
        return Kind.DSN
    return Kind.NONE if "report-type" in content_type else None


def _by_text(raw: bytes, fields: dict[str, list[str]]) -> Kind:
    first = {name: notice.decoded_words(values[0]) for name, values in fields.items() if name in _TELLING}
    subject, failed = first.get("subject", ""), first.get("x-failed-recipients", "")
    if _AGGREGATE_SUBJECT.search(subject):
        return Kind.NONE
    about_failure = _FAILURE_SUBJECT.search(subject) is not None
    if not about_failure and not bounce_text.claims(first.get("from", ""), subject, failed):
        return Kind.NONE
    if _REPLY_SUBJECT.search(subject) or (_is_reply(first) and not failed and not about_failure):
        return Kind.NONE
    whole = notice.read(raw)
    text = whole.text()
    if whole.part(*dsn.STATUS_TYPES) is not None:
        return Kind.DSN
    if about_failure:
        says = {"source-ip", "reported-domain"} <= set(failure_text.read(text, subject)[0])
        return Kind.FAILURE if says or failure.feedback_part(whole) is not None else Kind.NONE
    return Kind.DSN if bounce_text.read(text, failed) is not None else Kind.NONE


_TELLING = ("from", "subject", "x-failed-recipients", "auto-submitted")


def _is_reply(first: dict[str, str]) -> bool:
    """An automatic reply by a person's mailbox. Mail systems mark their bounces as auto-replied too."""
    replied = first.get("auto-submitted", "").lower().startswith("auto-replied")
    return replied and not bounce_text.is_system(first.get("from", ""))
