"""Bounces and other delivery status notifications: RFC 3464 in multipart/report (RFC 6522), and text alone.

One `DeliveryStatus` for each recipient, facts only: whether a failure is hard, soft or somebody's trick is for the
analysis to say. Local parts, the subject and the message's id are left out unless `Redaction.keep` is "full".
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from ingest import mime
from ingest.errors import MalformedReport
from ingest.outcome import Reason
from ingest.reports import bounce_text, enhanced, notice, words
from ingest.reports.bounce_text import BounceText
from ingest.reports.enhanced import EnhancedCode
from ingest.reports.notice import Notice
from ingest.reports.redaction import REDACTED, Mailbox, Redaction, found_address, named
from ingest.reports.words import Repair

__all__ = ["PARSER_VERSION", "DeliveryNotice", "DeliveryStatus", "EnhancedCode", "parse", "parse_status"]

PARSER_VERSION = 1
"""Raised when the same bytes may parse to other values."""

RECIPIENTS_LIMIT = 10_000
"""Most recipients of one notice; a mail server takes a hundred to some thousands in one go."""

BLOCK_LIMIT = 8 * 2**20
"""Largest status part, in bytes: the fields of as many recipients."""

STATUS_TYPES = ("message/delivery-status", "message/global-delivery-status")
ACTIONS = ("failed", "delayed", "delivered", "relayed", "expanded")
"""RFC 3464 section 2.3.3."""

_INFERRED = {2: "delivered", 4: "delayed", 5: "failed"}
_NAMES = frozenset(("original-recipient", "final-recipient"))
_OF_MESSAGE = ("original-envelope-id", "reporting-mta", "arrival-date")
_OF_RECIPIENT = (
    *_NAMES, "action", "status", "remote-mta", "diagnostic-code", "last-attempt-date", "will-retry-until",
)  # fmt: skip
_TELLING = frozenset((*_NAMES, "action", "status"))
_SERVER = re.compile(r"[\w.-]{1,255}|\[[\w.:]{2,60}\]")
_BLANK = re.compile(rb"\n[ \t]*\n")

Values = dict[str, list[str]]


@dataclass(frozen=True, slots=True)
class DeliveryStatus:
    """What became of the message for one recipient. None where it does not say."""

    recipient: Mailbox | None
    action: str
    code: EnhancedCode | None = None  # the most specific of Status and the diagnostic
    status: str | None = None  # Status as it is written
    smtp_code: int | None = None
    diagnostic_type: str | None = None
    diagnostic: str | None = None
    remote_mta: str | None = None
    original_recipient: Mailbox | None = None  # where it is another one
    last_attempt_at: datetime | None = None
    will_retry_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class DeliveryNotice:
    """One notice. `form` is dsn, or whose text it is: exchange, gmail, postfix, exim, qmail, sendmail, …, other.

    `returned` says what it holds of the original mail: message, headers or nothing.
    """

    form: str
    sender_domain: str | None  # From of the notice
    notified_domain: str | None  # To of the notice: who had sent the message, or was forged as its sender
    sent_at: datetime | None  # Date of the notice
    reporting_mta: str | None = None
    arrival_at: datetime | None = None
    original_envelope_id: str | None = None
    returned: str = ""
    header_from: str | None = None
    envelope_from: str | None = None
    message_id_domain: str | None = None
    message_id: str | None = None  # only where all is kept
    subject: str | None = None  # only where all is kept
    statuses: tuple[DeliveryStatus, ...] = ()
    repairs: tuple[Repair, ...] = field(default=())


def parse(mail: bytes, redaction: Redaction = REDACTED) -> DeliveryNotice:
    """Read the notice that a mail is. Raises nothing but MalformedReport."""
    whole = notice.read(mail)
    text = bounce_text.read(whole.text(), whole.first("x-failed-recipients"))
    blocks = [part.data for part in whole.parts if part.content_type in STATUS_TYPES]
    reader = _Reader(redaction)
    returned, original = whole.returned()
    if not returned and text is not None and text.quoted:
        original = notice.header(text.quoted.encode("utf-8", "replace"))
        returned = "headers" if original else ""
    if blocks and not whole.report_type:
        reader.notes.add("report_type", whole.content_type, "mail")
    return reader.notice(whole, blocks, text, (returned, original))


def parse_status(block: bytes, redaction: Redaction = REDACTED) -> DeliveryNotice:
    """Read a message/delivery-status part that stands alone, as where somebody forwarded the mail."""
    return _Reader(redaction).notice(Notice({}, "", ""), [block], None, ("", {}))


def _groups(block: bytes) -> tuple[Values, list[Values]]:
    """The fields about the message, and those about each recipient (RFC 3464 section 2.1).

    Fields are told by their names, since blank lines are missing between the groups, or stand within them.
    """
    if len(block) > BLOCK_LIMIT:
        raise MalformedReport(Reason.TOO_LARGE, f"Its status part has more than {BLOCK_LIMIT} bytes.")
    of_message: Values = {}
    recipients: list[Values] = []
    for chunk in _BLANK.split(block.replace(b"\r\n", b"\n")):
        fields = mime.fields(chunk, 10 * RECIPIENTS_LIMIT)
        is_next = not _NAMES.isdisjoint(name for name, _ in fields)
        for name, value in fields:
            if name in _OF_MESSAGE:
                of_message.setdefault(name, []).append(value)
            elif name in _OF_RECIPIENT:
                if not recipients or _begins_another(recipients[-1], name, is_next):
                    recipients.append({})
                recipients[-1].setdefault(name, []).append(value)
                is_next = False
        if len(recipients) > RECIPIENTS_LIMIT:
            raise MalformedReport(Reason.TOO_MANY_PARTS, f"It is about more than {RECIPIENTS_LIMIT} recipients.")
    return of_message, recipients


def _begins_another(group: Values, name: str, is_next: bool) -> bool:
    """Whether a field begins the next recipient: the first of a chunk that names one, or one that is there already."""
    return (is_next and not _NAMES.isdisjoint(group)) or (name in group and name in (*_NAMES, "action"))


class _Reader:
    def __init__(self, redaction: Redaction) -> None:
        self.redaction = redaction
        self.notes = words.Notes()
        self.names: set[str] = set()

    def notice(
        self, whole: Notice, blocks: list[bytes], text: BounceText | None, back: tuple[str, Values]
    ) -> DeliveryNotice:
        of_message: Values = {}
        groups: list[Values] = []
        for block in blocks:
            first, more = _groups(block)
            of_message = of_message or first
            groups += more
        returned, original = back
        for name in ("from", "to", "return-path"):
            self.names |= named(original.get(name, ())[:5], displayed=name == "to")
        self.names |= named(whole.fields.get("to", ())[:5])
        addressed = named(_typed(value)[1] for group in groups[:20] for name in _NAMES for value in group.get(name, ()))
        envelope_id = self.redacted(_first(of_message.get("original-envelope-id")), "original-envelope-id", addressed)
        statuses = self.statuses(groups, text) or self.to_all(original.get("to", ()), text)
        if not statuses:
            raise MalformedReport(Reason.FIELD_MISSING, "It is a bounce that does not say which recipient it is about.")
        if text is None or groups:
            form, reporting = "dsn", self.server(of_message, "reporting-mta")
        else:
            form, reporting = text.form, text.reporting_mta or None
        message_id, subject = _first(original.get("message-id")), _first(original.get("subject"))
        full = self.redaction.full
        return DeliveryNotice(
            form=form,
            sender_domain=self.domain(whole.fields.get("from")),
            notified_domain=self.domain(whole.fields.get("to")),
            sent_at=self.instant(whole.fields, "date"),
            reporting_mta=reporting,
            arrival_at=self.instant(of_message, "arrival-date"),
            original_envelope_id=envelope_id,
            returned=returned,
            header_from=self.domain(original.get("from")),
            envelope_from=self.domain(original.get("return-path")),
            message_id_domain=self.domain([message_id] if message_id and "@" in message_id else None),
            message_id=words.clean(message_id)[0][:255] or None if full else None,
            subject=words.clean(notice.decoded_words(subject or ""))[0] or None if full else None,
            statuses=statuses,
            repairs=self.notes.repairs(),
        )

    # -- recipients -----------------------------------------------------------------------------

    def statuses(self, groups: list[Values], text: BounceText | None) -> tuple[DeliveryStatus, ...]:
        said = {failed.address: failed.reason for failed in text.recipients} if text else {}
        found = [self.from_group(group, said) for group in groups if not _TELLING.isdisjoint(group)]
        if found or text is None:
            return tuple(found)
        return tuple(self.from_text(address, reason, text.action) for address, reason in said.items())

    def to_all(self, to: Iterable[str], text: BounceText | None) -> tuple[DeliveryStatus, ...]:
        """Where no recipient is named but the returned message had only one, it is that one."""
        address = found_address(value) if (value := _first(to)) and value.count("@") == 1 else None
        if address is None:
            return ()
        self.notes.add("recipient_from_header", "", "final-recipient")
        return (self.from_text("@".join(address), text.reason if text else "", text.action if text else "failed"),)

    def from_group(self, group: Values, said: dict[str, str]) -> DeliveryStatus:
        final, original = (_first(group.get(name)) for name in ("final-recipient", "original-recipient"))
        recipient = self.mailbox(final) or self.mailbox(original)
        intended = self.mailbox(original)
        if recipient is None:
            self.notes.add("recipient_missing", "", "final-recipient")
        kind, diagnostic = _typed(_first(group.get("diagnostic-code")) or "")
        if not diagnostic and (final or original):
            # Some say the reason to people only.
            address = found_address(_typed(final or original or "")[1])
            diagnostic = said.get("@".join(address).lower(), "") if address else ""
        names = named(_typed(value)[1] for value in (final, original) if value)
        status = (self.redacted(_first(group.get("status")), "status", names) or "")[:60]
        code = self.code(status, diagnostic)
        return DeliveryStatus(
            recipient=recipient,
            action=self.action(_first(group.get("action")), code, enhanced.reply_code(diagnostic)),
            code=code,
            status=status or None,
            smtp_code=enhanced.reply_code(diagnostic),
            diagnostic_type=words.word(kind)[0][:20] or None,
            diagnostic=self.redacted(diagnostic, "diagnostic-code", names),
            remote_mta=self.server(group, "remote-mta") or bounce_text.remote_mta(diagnostic) or None,
            original_recipient=intended if intended != recipient else None,
            last_attempt_at=self.instant(group, "last-attempt-date"),
            will_retry_until=self.instant(group, "will-retry-until"),
        )

    def from_text(self, address: str, reason: str, action: str) -> DeliveryStatus:
        reason = " ".join(reason.split())
        return DeliveryStatus(
            recipient=self.redaction.mailbox(address),
            action=action,
            code=enhanced.find(reason),
            smtp_code=enhanced.reply_code(reason),
            diagnostic=self.redacted(reason, "text", named((address,))),
            remote_mta=bounce_text.remote_mta(reason) or None,
        )

    def code(self, status: str, diagnostic: str) -> EnhancedCode | None:
        """The code of Status (RFC 3464 section 2.3.4), or the remote one where that says more within its class."""
        given, remote = enhanced.find(status), enhanced.find(diagnostic)
        if given is None:
            self.notes.add("status_missing" if not status else "status_format", status, "status")
            return remote
        is_better = remote is not None and remote.is_specific and not given.is_specific
        return remote if is_better and remote and remote.class_number == given.class_number else given

    def action(self, raw: str | None, code: EnhancedCode | None, reply: int | None) -> str:
        """RFC 3464 section 2.3.3; what is missing or another word follows from the class of the code."""
        word = words.word((raw or "").partition("(")[0])[0].split(" ")[0]
        if word in ACTIONS:
            return word
        self.notes.add("action_word" if word else "action_missing", word, "action")
        number = code.class_number if code else (reply or 500) // 100
        return _INFERRED.get(number, "failed")

    # -- values ---------------------------------------------------------------------------------

    def mailbox(self, raw: str | None) -> Mailbox | None:
        return self.redaction.mailbox(_typed(raw)[1]) if raw else None

    def redacted(self, raw: str | None, where: str, names: Iterable[str] = ()) -> str | None:
        text, repair = self.redaction.text(raw or "", self.names.union(names))
        self.notes.add(repair, "", where)
        return text or None

    def server(self, values: Values, name: str) -> str | None:
        """The name of a mail server, without its type and what is added in brackets (RFC 3464 section 2.2.2)."""
        found = _SERVER.match(words.clean(_typed(_first(values.get(name)) or "")[1])[0])
        return found[0].rstrip(".").lower() or None if found else None

    def domain(self, raw: Iterable[str] | None) -> str | None:
        found = found_address(_first(raw) or "")
        return found[1] if found else None

    def instant(self, values: Values, name: str) -> datetime | None:
        raw = _first(values.get(name))
        if raw is None:
            return None
        try:
            return words.instant(raw[:100])[0]
        except ValueError:
            self.notes.add("date_invalid", raw, name)
            return None


def _typed(raw: str) -> tuple[str, str]:
    """A type and what it is the type of: `rfc822; ann@example.com`, `dns; mx.example.com`, `smtp; 550 …`."""
    kind, separator, value = raw.partition(";")
    if not separator or " " in kind.strip() or "@" in kind:
        return "", raw.strip()
    return kind.strip(), value.strip()


def _first(values: Iterable[str] | None) -> str | None:
    return next((value for value in values or () if value), None)
