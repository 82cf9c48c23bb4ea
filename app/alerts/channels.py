"""The ways out: webhook, mail, chat. Each delivers, or raises an Error that says whether it may have arrived."""

from __future__ import annotations

from email.message import EmailMessage
from email.utils import format_datetime, localtime, make_msgid, parseaddr
from urllib.parse import urlsplit

import httpx

from app.alerts import chat
from app.alerts.due import Alert
from app.alerts.failed import AlertLater, AlertRefused, Deliver
from app.alerts.words import document, lines, title
from app.config import Config
from app.folding import MAIL
from app.mailing import is_address, is_local, outbox
from app.render import clean, to_json
from app.sending import Unknown
from app.settings import AlertSettings
from ingest.errors import Error, UsageError


def deliverer(channel: AlertSettings, config: Config) -> Deliver:
    """How to deliver to a channel. Raises UsageError where its settings cannot be used."""
    if channel.kind == "mail":
        return _mail(channel, config)
    try:
        host = urlsplit(channel.url).hostname or ""
        _ = httpx.URL(channel.url) if channel.kind == "webhook" else None
    except (ValueError, httpx.InvalidURL) as error:
        why = clean(str(error)).rstrip(".")
        raise UsageError(f"The url of the alert {channel.name!r} is no address: {why}.") from None
    if not channel.url:
        raise UsageError(f"The alert {channel.name!r} has no url.", "Set it in [[alert]].")
    if config.offline and not is_local(host):
        raise UsageError(f"The alert {channel.name!r} needs the network, and --offline forbids it.")
    return _webhook(channel) if channel.kind == "webhook" else chat.deliverer(channel)


def _webhook(channel: AlertSettings) -> Deliver:
    """JSON by POST; redirects are not followed, so that nobody else gets it."""
    parts = urlsplit(channel.url)
    if parts.scheme != "https" and not (parts.scheme == "http" and is_local(parts.hostname or "")):
        raise UsageError(f"The webhook {channel.name!r} is no https address.", "Plain http goes to this machine only.")

    def deliver(alert: Alert) -> None:
        headers = {"Content-Type": "application/json", "Idempotency-Key": alert.parcel(channel).content_hash}
        try:
            answer = httpx.post(
                channel.url, content=to_json(document(alert)), headers=headers, timeout=channel.timeout, trust_env=True
            )
        except httpx.ConnectError as error:
            raise AlertLater(f"{channel.name} was not reached: {clean(str(error))}.") from None
        except httpx.ConnectTimeout:
            raise AlertLater(f"{channel.name} was not reached within {channel.timeout:g} s.") from None
        except httpx.HTTPError as error:
            raise Unknown(f"{channel.name} gave no answer: {clean(str(error)) or type(error).__name__}.") from None
        if not answer.is_success:
            kind = AlertLater if answer.status_code >= 500 or answer.status_code == 429 else AlertRefused
            raise kind(f"{channel.name} answered {answer.status_code}.")

    return deliver


def _mail(channel: AlertSettings, config: Config) -> Deliver:
    if not channel.to or not all(is_address(one) for one in channel.to):
        raise UsageError(
            f"The alert {channel.name!r} has no address, or a wrong one.", 'Write to = ["you@example.com"].'
        )
    out, sender = outbox(config.smtp, offline=config.offline), config.smtp.sender

    def deliver(alert: Alert) -> None:
        mail = EmailMessage(policy=MAIL)
        mail["From"], mail["To"], mail["Subject"] = sender, ", ".join(channel.to), title(alert)
        mail["Date"] = format_datetime(localtime())
        mail["Message-ID"] = make_msgid(domain=parseaddr(sender)[1].rpartition("@")[2])
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content("\n".join([title(alert), "", *lines(alert)]) + "\n", cte="quoted-printable")
        for at, address in enumerate(channel.to):
            try:
                out.send(mail, address)
            except Error as error:
                if at:  # some have it: to try again would tell them twice
                    raise Unknown(f"Only the first {at} of {len(channel.to)} addresses got it: {error}") from None
                raise

    return deliver
