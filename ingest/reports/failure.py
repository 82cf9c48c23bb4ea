"""Failure reports about single messages: RFC 9991 and RFC 6591, in ARF (RFC 5965), and looser forms.

Names are the RFCs' with underscores. What is personal is left out unless `Redaction.keep` is "full": local parts,
the subject, the message's id; its body is never read (RFC 9991 section 5). What Exim and cPanel send as text alone is
read in failure_text.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from ingest.errors import MalformedReport
from ingest.outcome import Reason
from ingest.reports import failure_text, notice, words
from ingest.reports.notice import Notice
from ingest.reports.redaction import REDACTED, Mailbox, Redaction, found_address, named
from ingest.reports.words import Repair

__all__ = ["PARSER_VERSION", "FailureReport", "parse", "parse_fields"]

PARSER_VERSION = 1
"""Raised when the same bytes may parse to other values."""

RECIPIENTS_LIMIT = 50

_ARF_START = re.compile(rb"\s*(?:[A-Za-z-]+:[^\n]*\r?\n){0,3}?Feedback-Type:", re.IGNORECASE)
_RESULT = re.compile(r"(?<![\w.-])(dmarc|dkim|spf)\s*=\s*(\w+)", re.IGNORECASE)
_HEADER_FROM = re.compile(r"header\.from\s*=\s*([^\s;]+)", re.IGNORECASE)
_LIST = re.compile(r"[\s,;]+")


@dataclass(frozen=True, slots=True)
class FailureReport:
    """One report. None where it does not say; `form` is arf or text."""

    form: str
    feedback_type: str
    reported_domain: str
    reporter: str
    source_ip: str | None = None
    arrival_at: datetime | None = None
    sent_at: datetime | None = None  # Date of the report itself
    user_agent: str | None = None
    incidents: int = 1
    auth_failure: tuple[str, ...] = ()
    delivery_result: str | None = None
    identity_alignment: tuple[str, ...] = ()
    authentication_results: str | None = None
    spf_result: str | None = None
    dkim_result: str | None = None
    dmarc_result: str | None = None
    dkim_domain: str | None = None
    dkim_selector: str | None = None
    spf_dns: str | None = None
    header_from: str | None = None
    original_mail_from: Mailbox | None = None
    original_rcpt_to: tuple[Mailbox, ...] = ()
    original_envelope_id: str | None = None
    message_id_domain: str | None = None
    message_id: str | None = None  # only where all is kept
    subject: str | None = None  # only where all is kept
    repairs: tuple[Repair, ...] = field(default=())


def parse(mail: bytes, redaction: Redaction = REDACTED) -> FailureReport:
    """Read the failure report that a mail is. Raises nothing but MalformedReport."""
    whole = notice.read(mail)
    part = feedback_part(whole)
    returned, original = whole.returned()
    reader = _Reader(redaction)
    if part is not None:
        if whole.report_type != "feedback-report":
            reader.notes.add("report_type", whole.report_type or whole.content_type, "mail")
        values = notice.header(part)
        return reader.report("arf", values, whole, original)
    values, quoted = failure_text.read(whole.text(), whole.first("subject"))
    reader.notes.add("no_feedback_part", "", "mail")
    if not returned:
        original = notice.header(quoted.encode("utf-8", "replace"))
    return reader.report("text", values, whole, original)


def parse_fields(block: bytes, redaction: Redaction = REDACTED) -> FailureReport:
    """Read a message/feedback-report part that stands alone, as where somebody forwarded the mail."""
    return _Reader(redaction).report("arf", notice.header(block), Notice({}, "", ""), {})


def feedback_part(whole: Notice) -> bytes | None:
    """The part for programs (RFC 5965 section 2): by its type, or by how it begins where the type is wrong."""
    part = whole.part("message/feedback-report")
    if part is None:
        part = next((item for item in whole.parts if _ARF_START.match(item.data[:1024])), None)
    return part.data if part else None


class _Reader:
    def __init__(self, redaction: Redaction) -> None:
        self.redaction = redaction
        self.notes = words.Notes()
        self.names: set[str] = set()

    def report(
        self, form: str, values: dict[str, list[str]], whole: Notice, original: dict[str, list[str]]
    ) -> FailureReport:
        for name in ("original-mail-from", "original-rcpt-to"):
            self.names |= named(values.get(name, ())[:RECIPIENTS_LIMIT])
        for name in ("from", "to"):
            self.names |= named(original.get(name, ())[:RECIPIENTS_LIMIT], displayed=name == "to")
        results = " ; ".join(values.get("authentication-results", ()) or original.get("authentication-results", ()))
        spoken: dict[str, str] = {}
        for match in _RESULT.finditer(results):
            spoken.setdefault(match[1].lower(), match[2].lower()[:20])
        header_from = self.domain(original.get("from"))
        mail_from = values.get("original-mail-from") or original.get("return-path")
        message_id = _first(original.get("message-id")) or _first(values.get("message-id"))
        full = self.redaction.full
        return FailureReport(
            form=form,
            feedback_type=self.word(values, "feedback-type") or "auth-failure",
            reported_domain=self.reported_domain(values, header_from, results),
            reporter=self.reporter(values, whole),
            source_ip=self.address(values),
            arrival_at=self.instant(values, "arrival-date", "received-date"),
            sent_at=self.instant(whole.fields, "date"),
            user_agent=self.text(values, "user-agent"),
            incidents=self.incidents(values),
            auth_failure=self.word_list(values, "auth-failure"),
            delivery_result=(self.text(values, "delivery-result") or "").lower()[:60] or None,
            identity_alignment=self.word_list(values, "identity-alignment"),
            authentication_results=self.redacted(results, "authentication-results"),
            spf_result=spoken.get("spf"),
            dkim_result=spoken.get("dkim"),
            dmarc_result=spoken.get("dmarc"),
            dkim_domain=self.domain(values.get("dkim-domain")),
            dkim_selector=self.text(values, "dkim-selector"),
            spf_dns=self.text(values, "spf-dns"),
            header_from=header_from,
            original_mail_from=self.redaction.mailbox(_first(mail_from) or ""),
            original_rcpt_to=self.recipients(values),
            original_envelope_id=self.redacted(
                _first(values.get("original-envelope-id")) or "", "original-envelope-id"
            ),
            message_id_domain=self.domain([message_id] if message_id and "@" in message_id else None),
            message_id=words.clean(message_id)[0][:255] or None if full else None,
            subject=words.clean(notice.decoded_words(_first(original.get("subject")) or ""))[0] or None
            if full
            else None,
            repairs=self.notes.repairs(),
        )

    # -- what it is about -----------------------------------------------------------------------

    def reported_domain(self, values: dict[str, list[str]], header_from: str | None, results: str) -> str:
        named = self.domain(values.get("reported-domain"))
        if named:
            return named
        evaluated = _HEADER_FROM.search(results)
        found = header_from or (self.domain([evaluated[1]]) if evaluated else None)
        if not found:
            raise MalformedReport(
                Reason.FIELD_MISSING,
                "It does not say which domain it is about: no Reported-Domain, and no From: in what it returns.",
            )
        self.notes.add("reported_domain_missing", found, "reported-domain")
        return found

    def reporter(self, values: dict[str, list[str]], whole: Notice) -> str:
        """Whose mail system wrote it: the domain it was sent from, or the name of the server."""
        sender = self.domain(whole.fields.get("from"))
        server = (_first(values.get("reporting-mta")) or "").rpartition(";")[2]
        return sender or self.domain([server]) or ""

    def address(self, values: dict[str, list[str]]) -> str | None:
        raw = _first(values.get("source-ip"))
        if not raw:
            self.notes.add("source_ip_missing", "", "source-ip")
            return None
        try:
            address, repair = words.address(raw.partition(" ")[0][:100])
        except ValueError:
            self.notes.add("source_ip", raw, "source-ip")
            return None
        self.notes.add(repair, raw, "source-ip")
        return address

    def incidents(self, values: dict[str, list[str]]) -> int:
        """RFC 5965 section 3.2: how many like it this one stands for; one where it does not say."""
        raw = _first(values.get("incidents"))
        if not raw:
            return 1
        try:
            number, repair = words.count(raw)
        except ValueError:
            raise MalformedReport(
                Reason.NUMBER_INVALID, f"A count cannot be one: Incidents is {words.clean(raw)[0][:60]!r}."
            ) from None
        self.notes.add(repair, raw, "incidents")
        return max(number, 1)

    def recipients(self, values: dict[str, list[str]]) -> tuple[Mailbox, ...]:
        given = values.get("original-rcpt-to", ())[:RECIPIENTS_LIMIT]
        return tuple(found for raw in given if (found := self.redaction.mailbox(raw)))

    # -- values ---------------------------------------------------------------------------------

    def redacted(self, raw: str, where: str) -> str | None:
        text, repair = self.redaction.text(raw, self.names)
        self.notes.add(repair, "", where)
        return text or None

    def text(self, values: dict[str, list[str]], name: str) -> str | None:
        return self.redacted(_first(values.get(name)) or "", name)

    def word(self, values: dict[str, list[str]], name: str) -> str | None:
        return words.word(_first(values.get(name)))[0][:60] or None

    def word_list(self, values: dict[str, list[str]], name: str) -> tuple[str, ...]:
        given = words.word(" ".join(values.get(name, ())))[0]
        return tuple(dict.fromkeys(word[:60] for word in _LIST.split(given)[:20] if word))

    def domain(self, raw: Iterable[str] | None) -> str | None:
        value = _first(raw)
        if not value:
            return None
        found = found_address(value)
        return (found[1] if found else words.domain(value[: words.TEXT_LIMIT])[0]) or None

    def instant(self, values: dict[str, list[str]], *names: str) -> datetime | None:
        raw = next((value for name in names if (value := _first(values.get(name)))), None)
        if raw is None:
            self.notes.add("date_missing", "", names[0])
            return None
        try:
            return words.instant(raw[:100])[0]
        except ValueError:
            self.notes.add("date_invalid", raw, names[0])
            return None


def _first(values: Iterable[str] | None) -> str | None:
    return next((value for value in values or () if value), None)
