"""Hand a mail to the submission server, and know afterwards whether it was taken: sent, failed or unknown."""

from __future__ import annotations

import re
import smtplib
import ssl
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import parseaddr
from ipaddress import ip_address

from app.render import clean
from app.settings import SmtpSettings
from ingest.errors import Error, Transient, UsageError
from ingest.inputs.password import password
from ingest.settings import MailboxSettings


class MailRefused(Error):
    """The server does not take the mail; trying again will not help."""


class MailLater(Transient, MailRefused):
    """The server was not reached, or asks to come back."""


class MailUnknown(Transient, Error):
    """The connection was lost after the mail was handed over and before the server said what became of it."""


@dataclass(frozen=True, slots=True)
class Outbox:
    """The submission server, and how to wait between tries."""

    settings: SmtpSettings
    pause: Callable[[float], None] = time.sleep

    def send(self, mail: EmailMessage, to: str) -> None:
        """Deliver to one address; tried again where nothing was taken yet. Raises MailRefused or MailUnknown."""
        wait = self.settings.pause
        for left in range(max(self.settings.tries, 1) - 1, -1, -1):
            try:
                self._once(mail, to)
            except MailLater:
                if not left:
                    raise
                self.pause(wait)
                wait *= 3
            else:
                return

    def _once(self, mail: EmailMessage, to: str) -> None:
        try:
            server = self._connected()
            try:
                _accepted(server.mail(parseaddr(str(mail["From"]))[1]), "the sender")
                _accepted(server.rcpt(parseaddr(to)[1]), "the recipient")
                _hand_over(server, mail.as_bytes())
                with suppress(OSError, smtplib.SMTPException):  # it is taken: how the talk ends changes nothing
                    server.quit()
            finally:
                server.close()
        except smtplib.SMTPAuthenticationError as error:
            raise MailRefused(
                f"The mail server refuses the login: {_words(error.smtp_error)}", "Check [smtp]."
            ) from None
        except smtplib.SMTPResponseException as error:
            raise _refusal(error.smtp_code, error.smtp_error, "the connection") from None
        except smtplib.SMTPNotSupportedError as error:
            raise MailRefused(
                f"The mail server lacks something: {str(error).rstrip(chr(46))}.", "Check security and user in [smtp]."
            ) from None
        except ssl.SSLError as error:
            hint = "Check host, port, security and ca_file in [smtp]."
            raise MailRefused(f"No protected connection to {self.settings.host}: {error.reason}.", hint) from None
        except (OSError, smtplib.SMTPException) as error:
            message = (
                f"The mail server {self.settings.host} was not reached: {clean(str(error)) or type(error).__name__}."
            )
            raise MailLater(message, "Try again later.") from None

    def _connected(self) -> smtplib.SMTP:
        said = self.settings
        context = ssl.create_default_context(cafile=said.ca_file or None)
        port = said.port or (465 if said.security == "tls" else 587)
        if said.security == "tls":
            server: smtplib.SMTP = smtplib.SMTP_SSL(said.host, port, timeout=said.timeout, context=context)
        else:
            server = smtplib.SMTP(said.host, port, timeout=said.timeout)
        try:
            if said.security == "starttls":
                server.starttls(context=context)
            server.ehlo_or_helo_if_needed()
            if said.user:
                server.login(said.user, _password(said))
        except BaseException:
            server.close()
            raise
        return server


def outbox(settings: SmtpSettings, *, offline: bool = False) -> Outbox:
    """The outbox of the settings. Raises UsageError where they cannot be used."""
    if not settings.host or not parseaddr(settings.sender)[1]:
        raise UsageError("No mail can be sent: [smtp] has no host or no sender.", "Set both; see docs/settings.md.")
    if not is_address(settings.sender):
        raise UsageError("No mail can be sent: [smtp] sender is no address in ASCII.", "Write it as a@example.com.")
    if not is_local(settings.host):
        if offline:
            raise UsageError("Sending mail needs the network, and --offline forbids it.")
        if settings.security == "plain":
            raise UsageError("[smtp] security is plain, and the server is not on this machine.", "Use starttls or tls.")
    return Outbox(settings)


def is_address(text: str) -> bool:
    """Whether a mail can be addressed so; nothing that could become a header of its own.

    In ASCII: others arrive only where every server on the way says that it takes them (RFC 6531).
    """
    address = parseaddr(text)[1]
    return bool(re.fullmatch(r"[^@\s]+@[^@\s]+", address)) and address.isascii() and clean(text) == text


def is_local(host: str) -> bool:
    """Whether a host is this machine."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _hand_over(server: smtplib.SMTP, raw: bytes) -> None:
    """DATA, and what the server says to it. Once the final dot may be out, a lost connection proves nothing."""
    try:
        code, said = server.data(raw)
    except smtplib.SMTPDataError as error:  # DATA itself was refused: nothing was handed over
        raise _refusal(error.smtp_code, error.smtp_error, "the mail") from None
    except (OSError, smtplib.SMTPServerDisconnected) as error:
        raise MailUnknown(
            f"The connection was lost while the mail was handed over: {clean(str(error)) or type(error).__name__}.",
            "Look whether it arrived before you send it again with --resend.",
        ) from None
    if code != 250:
        raise _refusal(code, said, "the mail")


def _accepted(reply: tuple[int, bytes], what: str) -> None:
    if reply[0] not in (250, 251):
        raise _refusal(*reply, what)


def _refusal(code: int, said: bytes | str, what: str) -> MailRefused:
    kind = MailLater if 400 <= code < 500 or code <= 0 else MailRefused
    return kind(f"The mail server refuses {what}: {code} {_words(said)}", "Its own words are given here.")


def _words(said: bytes | str) -> str:
    return clean(said.decode("utf-8", "replace") if isinstance(said, bytes) else said)[:300]


def _password(settings: SmtpSettings) -> str:
    box = MailboxSettings(
        name="smtp",
        password=settings.password,
        password_file=settings.password_file,
        password_command=settings.password_command,
    )
    return password(box)
