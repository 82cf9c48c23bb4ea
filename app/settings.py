"""What a person can set about domains and summaries. Each field has its default and its sentence."""

from __future__ import annotations

from dataclasses import dataclass

from ingest.settings import setting


@dataclass(frozen=True, slots=True)
class DomainSettings:
    """What is known of one domain beyond its reports."""

    name: str = setting("", "The domain, as in policy_published.")
    client: str = setting("", "Whose domain it is, where one warehouse serves several clients.")
    owner: str = setting("", "Person or team to act when something is wrong with it.")
    target: str = setting("", "The policy it is to reach, quarantine or reject; empty means the next stricter one.")


@dataclass(frozen=True, slots=True)
class ClientSettings:
    """A client whose domains this warehouse serves; domains name it as their client."""

    name: str = setting("", "The client.")
    owner: str = setting("", "Person or team to act where a domain of the client has no owner.")


@dataclass(frozen=True, slots=True)
class RecipientSettings:
    """Who gets the weekly summary by mail, and of which domains: all that meet every condition set here."""

    name: str = setting("", "Name of the recipient in the list of what was sent.")
    to: tuple[str, ...] = setting((), "Addresses; all stand in one mail.")
    domains: tuple[str, ...] = setting((), "Domains; none means all.")
    client: str = setting("", "Domains of this client.")
    owner: str = setting("", "Domains of this owner, and findings that are this owner's to act on.")


@dataclass(frozen=True, slots=True)
class SmtpSettings:
    """How mail is sent."""

    host: str = setting("", "Submission server; it must match the server's certificate. Empty means no mail is sent.")
    port: int = setting(0, "Port; 0 means 465 with implicit TLS and 587 otherwise.")
    security: str = setting(
        "starttls", "How the connection is protected: starttls, tls (implicit), or plain (loopback addresses only)."
    )
    ca_file: str = setting(
        "", "PEM file of the authority that signed the server's certificate, where the system does not know it."
    )
    user: str = setting("", "Login name; empty means no login.")
    password: str = setting(
        "", "Password, from a file of mode 0600 or the environment; never from the command line.", secret=True
    )
    password_file: str = setting("", "File whose first line is the password.")
    password_command: str = setting("", "Command whose first line of output is the password.")
    sender: str = setting("", "Address that mail is sent from, for example 'whosends <dmarc@example.com>'.")
    timeout: float = setting(30.0, "Seconds without an answer after which the connection counts as lost.")
    tries: int = setting(4, "Most tries for one mail, where the server cannot be reached or asks to come back.")
    pause: float = setting(2.0, "Seconds before the second try; each later pause is three times as long.")


@dataclass(frozen=True, slots=True)
class AlertSettings:
    """Where to tell of findings: one message when it opens or comes back, one when it is resolved."""

    name: str = setting("", "Name of the channel.")
    kind: str = setting(
        "webhook", "webhook (JSON by POST), mail, or chat (an address that Apprise knows; extra alerts)."
    )
    url: str = setting("", "Address of the webhook or of the chat.", secret=True)
    to: tuple[str, ...] = setting((), "Addresses of a mail channel.")
    severity: str = setting("high", "Least severity told of: critical, high, medium or info.")
    kinds: tuple[str, ...] = setting((), "Kinds of findings told of, for example alignment; none means all.")
    domains: tuple[str, ...] = setting((), "Domains; none means all.")
    owner: str = setting("", "Only findings that are this owner's to act on.")
    cooldown: float = setting(
        24.0, "Hours for which nothing more is told of a finding after a message, but that it became worse."
    )
    quiet: str = setting(
        "", "Time of day in UTC in which only critical findings are told of, like 21:00-06:00; the rest waits."
    )
    resolved: bool = setting(True, "Whether to tell when what was told of is verified or closed.")
    timeout: float = setting(15.0, "Seconds for one message.")


@dataclass(frozen=True, slots=True)
class ReportSettings:
    """The weekly summary."""

    owner: str = setting("", "Person or team to act where neither the source nor its domain has an owner.")
    app_url: str = setting("", "Address of the app, for links in the summary; empty means no links.")
    sources: int = setting(5, "Most sources listed for each domain; the rest is counted.")
