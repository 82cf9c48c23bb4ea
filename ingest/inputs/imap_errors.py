"""What can go wrong at a mail server, said in sentences, and whether waiting can help.

imapclient, imaplib, ssl and socket raise what they like; `spoken` turns all of it into
`MailboxError` (waiting changes nothing) or `MailboxUnreachable` (try again).
"""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager

from imapclient import exceptions

from ingest.errors import MailboxError, MailboxUnreachable

# RFC 5530 section 3 names UNAVAILABLE and INUSE; the rest is what Gmail, Exchange and Yahoo say
# when they are busy, without a code that a program could rely on.
_PASSES = re.compile(
    r"\[(UNAVAILABLE|INUSE)\b|throttl|too many|rate.?limit|try again|temporar|system error|server busy"
    r"|but not connected",
    re.IGNORECASE,
)
_NO_SUCH_FOLDER = re.compile(r"\[(NONEXISTENT|TRYCREATE)\b|doesn't exist|does not exist|unknown mailbox", re.IGNORECASE)

# OpenSSL's verification codes (x509_vfy.h) → what they mean, and what to do.
_CERTIFICATE = {
    9: ("is not valid yet", "Check the clock of this machine, then the server's certificate."),
    10: ("has expired", "The server's owner must renew it; check the clock of this machine too."),
    18: ("is self-signed", "Name it in ca_file if it is yours."),
    19: ("comes from an authority that is not known here", "Name the authority's PEM file in ca_file."),
    20: ("comes from an authority that is not known here", "Name the authority's PEM file in ca_file."),
    21: ("comes from an authority that is not known here", "Name the authority's PEM file in ca_file."),
    62: ("is for another name", "Set host to the name in the certificate."),
    64: ("is for another address", "Set host to the name in the certificate."),
}


# What Exchange adds to a refusal when an account asks too much.
_BACKOFF = re.compile(r"Suggested Backoff Time: (\d{1,9}) milliseconds", re.IGNORECASE)
_LONGEST_BACKOFF = 600.0  # seconds; Exchange says up to five minutes, and nobody may put us to sleep for good


class LoginRefused(MailboxError):
    """The server took the login for what it is, and said no; another token may be welcome."""


class Refused(MailboxError):
    """The server answered a command with NO or BAD; the connection itself is still good."""


def told(text: object) -> str:
    """Text that a server sent, safe to print: one line, escaped, no longer than 200 characters."""
    words = text.decode("utf-8", "backslashreplace") if isinstance(text, bytes) else str(text)
    return ascii(words if len(words) <= 200 else words[:200] + "…")


def passes(text: str) -> bool:
    """Whether a refusal is of the kind that waiting changes."""
    return bool(_PASSES.search(text))


def no_such_folder(error: MailboxError) -> bool:
    """Whether a refusal says that the folder is not there (RFC 5530: NONEXISTENT, TRYCREATE)."""
    return bool(_NO_SUCH_FOLDER.search(error.message))


@contextmanager
def spoken(where: str, doing: str) -> Iterator[None]:
    """Run library calls; whatever they raise leaves as a MailboxError. Keep the block tight."""
    try:
        yield
    except exceptions.CapabilityError as error:
        raise MailboxError(f"{where} lacks what is needed to {doing}: {told(error)}.") from error
    except exceptions.IMAPClientReadOnlyError as error:
        raise MailboxError(
            f"{where} lets this account only read, so it cannot {doing}.",
            "Set after = leave, or grant the account the right to change the folder.",
        ) from error
    except exceptions.ProtocolError as error:
        raise MailboxUnreachable(f"{where} answered something that is not IMAP: {told(error)}.") from error
    except exceptions.IMAPClientAbortError as error:
        raise MailboxUnreachable(f"{where} dropped the connection ({doing}): {told(error)}.") from error
    except exceptions.IMAPClientError as error:
        raise _refused(where, doing, error) from error
    except OSError as error:
        raise of_network(where, error) from error
    except (ValueError, LookupError, TypeError, AttributeError, MemoryError) as error:
        # imapclient and imaplib meet a garbled answer with whatever their parsers stumble over.
        raise MailboxUnreachable(f"{where} answered something that is not IMAP: {told(error)}.") from error


def _refused(where: str, doing: str, error: Exception) -> MailboxError:
    text = str(error)
    if passes(text):
        return later(f"{where} cannot {doing} now: {told(text)}.", text)
    if "failed: " in text or "command error: " in text:
        return Refused(f"{where} refused to {doing}: {told(text)}.")
    return MailboxUnreachable(f"{where} and we lost each other ({doing}): {told(text)}.")


def later(message: str, text: str) -> MailboxUnreachable:
    """The error for a server that asked us to come back; `text` is its own, which may say when."""
    hint = "It asked us to come back later."
    if "but not connected" in text:
        # Exchange has one sentence for two things, of which only one passes.
        hint = (
            "Exchange says so when it is busy, and where it stays so, when the login has no access to this mailbox:"
            " check user, Add-MailboxPermission, and that IMAP is switched on for it."
        )
    error = MailboxUnreachable(message, hint)
    if found := _BACKOFF.search(text):
        error.wait_seconds = min(int(found[1]) / 1000, _LONGEST_BACKOFF)
    return error


def of_network(where: str, error: OSError) -> MailboxError:
    """Say what a failed socket or TLS call means."""
    if isinstance(error, ssl.SSLCertVerificationError):
        meaning, hint = _CERTIFICATE.get(
            error.verify_code, ("cannot be verified", "Ask the server's owner; never turn verification off.")
        )
        return MailboxError(f"The certificate of {where} {meaning} ({told(error.verify_message)}).", hint)
    if isinstance(error, ssl.SSLError) and error.reason in _NO_TLS:
        return MailboxError(
            f"{where} does not speak TLS as we do ({error.reason}).",
            "Check port and security: 993 with tls, 143 with starttls.",
        )
    if isinstance(error, socket.gaierror):
        return MailboxUnreachable(f"The name of {where} cannot be resolved: {error.strerror}.", "Check host.")
    if isinstance(error, TimeoutError):
        return MailboxUnreachable(f"{where} did not answer in time.", "Check host, port and the firewall.")
    if isinstance(error, ConnectionRefusedError):
        return MailboxUnreachable(f"{where} refused the connection.", "Check host and port.")
    return MailboxUnreachable(f"The connection to {where} failed: {told(error)}.")


_NO_TLS = frozenset(
    {
        "WRONG_VERSION_NUMBER",
        "HTTP_REQUEST",
        "UNSUPPORTED_PROTOCOL",
        "NO_PROTOCOLS_AVAILABLE",
        "TLSV1_ALERT_PROTOCOL_VERSION",
        "SSLV3_ALERT_HANDSHAKE_FAILURE",
    }
)
