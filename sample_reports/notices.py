"""A bounce as a mail: how mail systems of several makes tell that a message was not delivered (RFC 3464, or text)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime

from sample_reports.wrapping import message


@dataclass(frozen=True)
class Letter:
    """The message that was not delivered."""

    name: str
    address: str
    envelope: str
    recipient: str
    subject: str
    message_id: str
    sent: datetime


@dataclass(frozen=True)
class Verdict:
    """What became of it: who refused with which words, and who tells so and when."""

    said: str
    status: str
    host: str
    remote: str
    at: datetime
    action: str = "failed"


def postfix(letter: Letter, verdict: Verdict) -> bytes:
    """Postfix: a sentence, the status, and the header that is returned."""
    delayed = verdict.action == "delayed"
    subject = "Delayed Mail (still being retried)" if delayed else "Undelivered Mail Returned to Sender"
    what = "could not\nbe delivered for 4 hours." if delayed else "could not\nbe delivered to one or more recipients."
    text = f"This is the mail system at host {verdict.host}.\n\nYour message {what}"
    sender = f"MAILER-DAEMON@{verdict.host} (Mail Delivery System)"
    return _report(letter, verdict, (sender, subject), text)


def sendmail(letter: Letter, verdict: Verdict) -> bytes:
    """Sendmail and services that write as it does."""
    text = (
        f"The original message was received at {format_datetime(letter.sent)}\n\n"
        f"   ----- The following addresses had permanent fatal errors -----\n<{letter.recipient}>"
    )
    sender = f"Mail Delivery Subsystem <MAILER-DAEMON@{verdict.host}>"
    return _report(letter, verdict, (sender, "Returned mail: see transcript for details"), text)


def exchange(letter: Letter, verdict: Verdict) -> bytes:
    """Exchange Online, about a mail of its own user."""
    text = (
        f"Your message to {letter.recipient} couldn't be delivered.\n\n"
        f"Diagnostic information for administrators:\n\nGenerating server: {verdict.host}\n\n"
        f"{letter.recipient}\nRemote server returned '{verdict.said}'"
    )
    sender = f"Microsoft Outlook <MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@{letter.address.partition('@')[2]}>"
    return _report(letter, verdict, (sender, f"Undeliverable: {letter.subject}"), text)


def gmail(letter: Letter, verdict: Verdict) -> bytes:
    """Google, which took the mail and then found nobody to give it to."""
    text = (
        f"** Address not found **\n\nYour message wasn't delivered to {letter.recipient} because the address\n"
        f"couldn't be found, or is unable to receive mail.\n\nThe response was:\n\n{verdict.said}"
    )
    sender = "Mail Delivery Subsystem <mailer-daemon@googlemail.com>"
    return _report(letter, verdict, (sender, "Delivery Status Notification (Failure)"), text)


def exim(letter: Letter, verdict: Verdict) -> bytes:
    """Exim: text alone."""
    sender = f"Mail Delivery System <Mailer-Daemon@{verdict.host}>"
    return message(
        [
            *_head(letter, verdict, sender, "Mail delivery failed: returning message to sender"),
            f"X-Failed-Recipients: {letter.recipient}",
            "",
            "This message was created automatically by mail delivery software.",
            "",
            "A message that you sent could not be delivered to one or more of its",
            "recipients. This is a permanent error. The following address(es) failed:",
            "",
            f"  {letter.recipient}",
            f"    host {verdict.remote}",
            f"    SMTP error from remote mail server after RCPT TO:<{letter.recipient}>:",
            f"    {verdict.said}",
            "",
            "------ This is a copy of the message's headers. ------",
            "",
            *_returned(letter),
        ]
    )


def qmail(letter: Letter, verdict: Verdict) -> bytes:
    """Qmail: text alone."""
    return message(
        [
            *_head(letter, verdict, f"MAILER-DAEMON@{verdict.host}", "failure notice"),
            "",
            f"Hi. This is the qmail-send program at {verdict.host}.",
            "I'm afraid I wasn't able to deliver your message to the following addresses.",
            "This is a permanent error; I've given up. Sorry it didn't work out.",
            "",
            f"<{letter.recipient}>:",
            f"{verdict.remote} does not like recipient.",
            f"Remote host said: {verdict.said}",
            f"Giving up on {verdict.remote}.",
            "",
            "--- Below this line is a copy of the message.",
            "",
            *_returned(letter),
        ]
    )


WRITERS: dict[str, Callable[[Letter, Verdict], bytes]] = {
    "postfix": postfix, "sendmail": sendmail, "exchange": exchange, "gmail": gmail, "exim": exim, "qmail": qmail,
}  # fmt: skip


def trick(address: str, at: datetime, *, html: bool) -> bytes:
    """A mail that only looks like a bounce, and wants a click."""
    site = "postfach-freigabe.example"
    text = f"{address}: 4 messages are held back, sign in at http://{site}/release within 24 hours"
    body = f'<p>{text.partition(" sign")[0]}</p><p><a href="http://{site}/release">Release messages</a></p>'
    return message(
        [
            f"Return-Path: <info@{site}>",
            f"Date: {format_datetime(at)}",
            f"From: Mail Delivery <info@{site}>",
            f"To: {address}",
            f"Subject: {'Delivery failed: 4 messages on hold' if html else 'Undelivered Mail Returned to Sender'}",
            f"Message-ID: <{at:%Y%m%d%H%M%S}@{site}>",
            "MIME-Version: 1.0",
            f"Content-Type: text/{'html' if html else 'plain'}; charset=us-ascii",
            "",
            *([body] if html else ["Your messages could not be delivered.", "", text]),
        ]
    )


def _head(letter: Letter, verdict: Verdict, sender: str, subject: str) -> list[str]:
    return [
        "Return-Path: <>",
        f"Received: from {verdict.host} ({verdict.host})",
        f"\tby mx.northlight.example (Postfix) with ESMTPS; {format_datetime(verdict.at)}",
        f"Date: {format_datetime(verdict.at)}",
        f"From: {sender}",
        f"To: {letter.envelope}",
        f"Subject: {subject}",
        "Auto-Submitted: auto-replied",
        f"Message-ID: <b{verdict.at:%Y%m%d%H%M%S}@{verdict.host}>",
        "MIME-Version: 1.0",
    ]


def _returned(letter: Letter) -> list[str]:
    return [
        f"Return-Path: <{letter.envelope}>",
        f"From: {letter.name} <{letter.address}>",
        f"To: <{letter.recipient}>",
        f"Subject: {letter.subject}",
        f"Date: {format_datetime(letter.sent)}",
        f"Message-ID: <{letter.message_id}>",
    ]


def _report(letter: Letter, verdict: Verdict, titles: Sequence[str], text: str) -> bytes:
    boundary = f"=_b{verdict.at:%Y%m%d%H%M%S}"
    return message(
        [
            *_head(letter, verdict, *titles),
            f'Content-Type: multipart/report; report-type=delivery-status; boundary="{boundary}"',
            "",
            f"--{boundary}",
            "Content-Type: text/plain; charset=us-ascii",
            "",
            *text.splitlines(),
            "",
            f"--{boundary}",
            "Content-Type: message/delivery-status",
            "",
            f"Reporting-MTA: dns; {verdict.host}",
            f"Arrival-Date: {format_datetime(letter.sent)}",
            "",
            f"Final-Recipient: rfc822; {letter.recipient}",
            f"Action: {verdict.action}",
            f"Status: {verdict.status}",
            f"Remote-MTA: dns; {verdict.remote}",
            f"Diagnostic-Code: smtp; {verdict.said}",
            "",
            f"--{boundary}",
            "Content-Type: text/rfc822-headers",
            "",
            *_returned(letter),
            "",
            f"--{boundary}--",
        ]
    )
