"""What a person can set about fetching and reading. Each field has its default and its sentence."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeVar

T = TypeVar("T")


def setting(default: T, sentence: str, *, secret: bool = False) -> T:
    """A dataclass field that carries its own sentence; the reference and the help are made from it."""
    return field(default=default, metadata={"sentence": sentence, "secret": secret})


@dataclass(frozen=True, slots=True)
class UnpackLimits:
    """Bounds on what one message may cost. A message beyond a bound is quarantined, not dropped."""

    message_bytes: int = setting(64 * 2**20, "Largest message or file that is read, in bytes as received.")
    document_bytes: int = setting(256 * 2**20, "Largest document after unpacking, in bytes.")
    total_bytes: int = setting(512 * 2**20, "Most bytes that all documents of one message may unpack to together.")
    ratio: int = setting(300, "Highest ratio of unpacked to packed bytes, judged beyond the first mebibyte.")
    parts: int = setting(100, "Most MIME parts and archive members in one message.")
    depth: int = setting(4, "Deepest nesting of archives in archives and messages in messages.")


@dataclass(frozen=True, slots=True)
class MailboxSettings:
    """One mailbox that reports arrive in."""

    name: str = setting("main", "Name of the mailbox in messages, cursors and the status page.")
    kind: str = setting(
        "imap",
        "How it is read: imap, gmail (the Gmail API) or graph (Microsoft Graph); the last two want auth = oauth2.",
    )
    host: str = setting("", "IMAP server name; it must match the server's certificate.")
    port: int = setting(0, "Port; 0 means 993 with implicit TLS and 143 otherwise.")
    security: str = setting(
        "tls",
        "How the connection is protected: tls (implicit), starttls, or plain (loopback addresses only).",
    )
    ca_file: str = setting(
        "",
        "PEM file of the authority that signed the server's certificate, where the system does not know it.",
    )
    user: str = setting("", "Login name; with gmail and graph the mailbox's address.")
    auth: str = setting("password", "How to log in: password or oauth2.")
    password: str = setting(
        "", "Password, from a file of mode 0600 or the environment; never from the command line.", secret=True
    )
    password_file: str = setting("", "File whose first line is the password.")
    password_command: str = setting(
        "", "Command whose first line of output is the password, for example 'pass show dmarc'."
    )
    secrets_folders: tuple[str, ...] = setting(
        ("/run/secrets",),
        "Folders in which files with secrets may be readable by others, as Docker and Kubernetes mount them; systemd's credentials folder counts as one.",
    )
    oauth_provider: str = setting("", "Who gives the tokens: google, microsoft, or custom (set oauth_token_url).")
    oauth_client_id: str = setting("", "Id of the application that you registered with the provider.")
    oauth_client_secret: str = setting(
        "", "Secret of that application, from a file of mode 0600 or the environment.", secret=True
    )
    oauth_client_secret_file: str = setting("", "File whose first line is the application's secret.")
    oauth_key_file: str = setting(
        "",
        "Key instead of a secret: for microsoft a PEM file with private key and certificate, for google the JSON key of a service account.",
    )
    oauth_tenant: str = setting("", "Microsoft tenant: its id or a domain of it; empty means organizations.")
    oauth_token_file: str = setting(
        "", "File that 'whosends login' keeps the refresh token in; empty means beside the warehouse."
    )
    oauth_token_url: str = setting("", "Token endpoint (RFC 6749), where it is not the provider's usual one.")
    oauth_device_url: str = setting("", "Device authorization endpoint (RFC 8628), where it is not the usual one.")
    oauth_authorize_url: str = setting("", "Authorization endpoint (RFC 6749), where it is not the usual one.")
    oauth_scope: str = setting("", "Scope to ask for; empty means the least that kind and after need.")
    api_url: str = setting(
        "", "Address of the Gmail or Graph service, where it is not the public one (national clouds)."
    )
    ledger_file: str = setting(
        "", "File in which gmail and graph messages are numbered; empty means beside the warehouse."
    )
    folders: tuple[str, ...] = setting(("INBOX",), "Folders to read; with gmail, labels.")
    after: str = setting(
        "leave", "What happens to a stored message: leave, seen, or move:FOLDER; only after the commit."
    )
    batch_bytes: int = setting(16 * 2**20, "Most bytes fetched before they are stored and committed.")
    batch_messages: int = setting(500, "Most messages fetched before they are stored and committed.")
    timeout: float = setting(60.0, "Seconds without an answer after which the connection counts as lost.")
    interval: float = setting(
        300.0, "Seconds between looks with 'poll --watch', and the longest wait in IDLE before one."
    )


@dataclass(frozen=True, slots=True)
class ResolverSettings:
    """How DNS is asked."""

    nameservers: tuple[str, ...] = setting((), "Addresses of the resolvers; none means the system's.")
    port: int = setting(53, "Port of the resolvers.")
    timeout: float = setting(2.0, "Seconds for one question.")
    lifetime: float = setting(
        20.0, "Seconds for all questions of one run; what is not answered by then is asked next time."
    )
    ptr_days: int = setting(30, "Days after which the name of an address is asked again.")
    record_days: int = setting(
        1, "Days after which the records that your own domains hold for their senders are asked again."
    )


@dataclass(frozen=True, slots=True)
class BlocklistSettings:
    """Which blocklists are asked about strangers that send in your name. Unset, none is."""

    zones: tuple[str, ...] = setting(
        (),
        "Zones to ask, for example zen.spamhaus.org; at most five. Their operators see the addresses, and set terms of use: most refuse large public resolvers.",
    )
    days: int = setting(7, "Days after which an address is asked for again.")
    addresses: int = setting(200, "Most addresses asked for in one run, those with most failing mail first.")
    lifetime: float = setting(10.0, "Seconds for all questions of one run.")


@dataclass(frozen=True, slots=True)
class PrivacySettings:
    """What is kept of personal data, which failure reports and bounces are full of."""

    failure_reports: str = setting(
        "redacted",
        "What is kept of failure reports: redacted (domains, servers and results; no local parts, subjects or bodies) or full.",
    )
    bounces: str = setting(
        "redacted",
        "What is kept of bounces: redacted (domains, servers, codes and diagnostics; no local parts or subjects) or full.",
    )
