"""Bounces that are text for people, as mail systems write them without (or beside) a delivery status part.

Their openings are each system's own; what follows is alike: addresses at the beginning of lines, the reason behind
or below each, and a copy of the message behind a line that says so.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

RECIPIENTS_LIMIT = 500
REASON_LIMIT = 2000
"""Characters kept of the reason given for one recipient."""

_HOST = r"([A-Za-z0-9][\w.-]{0,253})"

# Whose text it is by how it opens; the group, where there is one, is the server that wrote it.
_FORMS: dict[str, tuple[str, ...]] = {
    "qmail": (rf"This is the qmail-send program at {_HOST}",),
    "postfix": (rf"This is the (?:Postfix program|mail system) at host {_HOST}",),
    "opensmtpd": (r"This is the MAILER-DAEMON", r"An error has occurred while attempting to deliver a message"),
    "dragonfly": (rf"This is the DragonFly Mail Agent[^\n]{{0,20}} at {_HOST}",),
    "exim": (r"This message was created automatically by (?:the )?mail delivery (?:software|system)",),
    "gmail": (
        r"Delivery to the following recipients? (?:failed|has been delayed)",
        r"\*\* (?:Address not found|Message (?:not delivered|blocked|bounced)|Delivery incomplete)",
        r"Your message wasn.t delivered to",
        r"There was a (?:temporary )?problem (?:while )?delivering your message to",
    ),
    "exchange": (
        r"Delivery (?:has failed|is delayed) to these recipients",
        r"did not reach the following recipient",
        r"Diagnostic information for administrators",
        r"Your message to \S+ couldn.t be delivered",
    ),
    "sendmail": (r"-{3,} ?(?:The following addresses had|Transcript of session follows)",),
    "domino": (r"was not delivered to:",),
}
_OPENINGS = {form: re.compile("|".join(patterns)) for form, patterns in _FORMS.items()}
_OTHER = re.compile(
    r"(?:could not|cannot|couldn.t|can not|can.t|was not|wasn.t|not able to|unable to|failed to) (?:be |to )?deliver"
    r"|Undeliver(?:able|ed)|Unknown user|User unknown|Failure Reasons|delivery (?:failed|failure|problems|error)"
    r"|error (?:occurred while trying to deliver|delivering)|did not reach|trouble delivering|was rejected by"
    r"|(?:has|have) (?:not yet )?been (?:delayed|rejected)",
    re.IGNORECASE,
)
_REPORTING = re.compile(
    rf"(?:Generating server:|delivery status notification from|^Message from)[ \t]*{_HOST}",
    re.IGNORECASE | re.MULTILINE,
)
_DELAYED = re.compile(
    r"has(?: not yet)? been delayed|is delayed|WARNING MESSAGE ONLY|will be retried|not yet been delivered"
    r"|no need to resend|temporary problem|Delivery incomplete",
    re.IGNORECASE,
)

_SENDER = re.compile(
    r"mailer-?daemon|mail-daemon|postmaster|mail(?:er)? deliver\w* (?:sub)?system|system administrator", re.IGNORECASE
)
_SUBJECT = re.compile(
    r"undeliver|returned mail|return(?:ed)? to sender|returning message to sender|failure notice|mail status report"
    r"|delivery (?:status|failure|failed|has failed|notification|problem|delay|incomplete)|could not be delivered"
    r"|mail (?:delivery|failure|system error)|message not delivered|delayed mail|warning: (?:could not|message)",
    re.IGNORECASE,
)

# Where the returned message begins.
_COPY = re.compile(
    r"^[ \t>]{0,8}(?:-{2,}[ \t]*)?(?:Original message\b|Original message headers|This is a copy of (?:the|your) message"
    r"|Below this line is a copy|The headers? of the original message|(?:Returned|Unsent|Undelivered) message\b"
    r"|Included is a copy of|Message headers? follow|Below is (?:a copy of )?(?:the|your) (?:original )?message"
    r"|A copy of the (?:original )?message|Copy of the (?:original )?message)[^\n]{0,80}\n",
    re.MULTILINE | re.IGNORECASE,
)
_BARE_COPY = re.compile(
    r"\n[ \t]*\n(?=(?:Return-Path|Received|Delivered-To|DKIM-Signature|DomainKey-Signature|X-Received|Message-ID):)",
    re.I,
)

_BLANK = re.compile(r"\n[ \t>]*\n")
_ADDRESS = r"[^\s<>()\[\],;:\"'@|]{1,64}@[A-Za-z0-9\x80-\U0010ffff](?:[\w.-]{0,252}[\w])?"
_AT_LINE = re.compile(
    rf"^[ \t*-]{{0,20}}[<\"']?({_ADDRESS})[>\"']{{0,2}}(?![\w@])[ \t]*[:,;]?[ \t]*([^\n]*)$", re.MULTILINE
)
_NAMED = re.compile(
    r"(?:<mailto:|Address: <|(?:delivered|your (?:mail|message)) to:?[ \t]+<?|Delivery failed[^:\n]{0,30}:[ \t]+<?"
    r"|permanent errors:[ \t]*|Unknown user:[ \t]*<?|^RCPT TO:[ \t]*<|Final-Recipient:[ \t]*(?:rfc822;)?[ \t]*<?)"
    rf"({_ADDRESS})>?",
    re.MULTILINE | re.IGNORECASE,
)
_REMOTE = re.compile(
    rf"\bhost:? {_HOST}[ \t]*[\[(]|\bby {_HOST}\.?[ \t]+\[|while talking to {_HOST}|\bhost: {_HOST}"
    rf"|Remote Server at {_HOST} \(",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Failed:
    """One recipient as the text names it, with the reason given."""

    address: str
    reason: str


@dataclass(frozen=True, slots=True)
class BounceText:
    """What a text says: which system's it is, who wrote it, who was not reached, and the returned header."""

    form: str
    reporting_mta: str
    action: str
    recipients: tuple[Failed, ...] = ()
    reason: str = ""  # what it says, where it names nobody
    quoted: str = field(default="", repr=False)


def claims(sender: str, subject: str, failed_header: str) -> bool:
    """Whether the header of a mail looks as if a mail system wrote it about a delivery."""
    return bool(failed_header.strip() or is_system(sender) or _SUBJECT.search(subject[:500]))


def is_system(sender: str) -> bool:
    """Whether a From field names a mail system and not a person."""
    return _SENDER.search(sender[:500]) is not None


def read(text: str, failed_header: str = "") -> BounceText | None:
    """Read a bounce from its text; None where the text does not open like one, or like no system's and names nobody.

    `failed_header` is the value of X-Failed-Recipients, which Exim and Gmail add.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    said, quoted = _cut(text)
    form, reporting_mta = _form(said, failed_header)
    if not form:
        return None
    recipients = _recipients(said, failed_header)
    if not recipients and form == "other":
        return None
    action = "delayed" if _DELAYED.search(said) else "failed"
    return BounceText(form, reporting_mta, action, recipients, said.strip()[-REASON_LIMIT:], quoted)


def remote_mta(reason: str) -> str:
    """The server that refused, as a reason names it."""
    found = _REMOTE.search(reason)
    return next((name.rstrip(".").lower() for name in found.groups() if name), "") if found else ""


def _cut(text: str) -> tuple[str, str]:
    """What the mail system says, and the header it returns."""
    for pattern in (_COPY, _BARE_COPY):
        found = pattern.search(text)
        if found:
            return text[: found.start()], text[found.end() :].lstrip("-\n \t")
    return text, ""


def _form(said: str, failed_header: str) -> tuple[str, str]:
    opening = said[:8192]
    reporting = _REPORTING.search(said)
    name = reporting[1].rstrip(".").lower() if reporting else ""
    for form, pattern in _OPENINGS.items():
        found = pattern.search(opening)
        if found:
            return form, (found[1].rstrip(".").lower() if found.groups() else name)
    return ("other" if failed_header.strip() or _OTHER.search(opening) else ""), name


def _recipients(said: str, failed_header: str) -> tuple[Failed, ...]:
    """The addresses that begin a line, are named in a phrase, or stand in the header; each once."""
    reasons: dict[str, str] = {}
    lines: list[re.Match[str]] = []
    before = 0
    for line in _AT_LINE.finditer(said):
        # A reason that quotes the address at the beginning of a line is still the same reason.
        if not (lines and line[1] == lines[-1][1] and not _BLANK.search(said, before, line.start())):
            lines.append(line)
        before = line.end()
        if len(lines) >= RECIPIENTS_LIMIT:
            break
    ends = [*(line.start() for line in lines[1:]), len(said)]
    for line, end in zip(lines, ends, strict=False):
        _note(reasons, line[1], f"{line[2]}\n{_paragraph(said[line.end() : end])}".strip())
    for named in list(_NAMED.finditer(said))[:RECIPIENTS_LIMIT]:
        _note(reasons, named[1], _paragraph(said[named.end() : named.end() + REASON_LIMIT]))
    for address in failed_header.split(",")[:RECIPIENTS_LIMIT]:
        if "@" in address:
            _note(reasons, address.strip().strip("<>"), "")
    tail = said[lines[-1].end() :] if lines else said
    return tuple(Failed(address, _informative(reason, tail)) for address, reason in reasons.items())[:RECIPIENTS_LIMIT]


def _note(reasons: dict[str, str], address: str, reason: str) -> None:
    """Remember an address; of several reasons for it, the first that holds a number counts."""
    address = address.rstrip(".").lower()
    known = reasons.get(address)
    if known is None or (not _has_code(known) and _has_code(reason)):
        reasons[address] = reason[:REASON_LIMIT]


def _informative(reason: str, tail: str) -> str:
    """The reason, or what follows the last address where the reason is given once for all (Gmail, sendmail, Domino)."""
    is_open = reason.endswith(":")  # "because:", and a blank line
    if _has_code(reason) or not (_has_code(tail) or is_open):
        return reason
    tail = tail.strip()
    return (tail if tail.startswith(reason) else f"{reason}\n{tail}".strip())[:REASON_LIMIT]


def _has_code(text: str) -> bool:
    return re.search(r"(?<![\d.])[45](?:\d\d|\.[0-7]\.\d)", text) is not None


def _paragraph(text: str) -> str:
    """Up to the first blank line, but for blank lines at its beginning on the address's own line."""
    return _BLANK.split(text.strip(" \t:").removeprefix("\n"), maxsplit=1)[0].strip()[:REASON_LIMIT]
