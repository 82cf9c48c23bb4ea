"""The input for a mailbox of any kind, and whether it is on this machine."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from threading import Event
from typing import Protocol
from urllib.parse import urlsplit

from ingest.errors import UsageError
from ingest.inputs.api import Api, ApiInput
from ingest.inputs.base import Cursors, Input, Message
from ingest.inputs.imap import ImapInput
from ingest.inputs.imap_link import Retry
from ingest.settings import MailboxSettings, UnpackLimits


class Box(Input, Protocol):
    """An input that can be watched."""

    def watch(self, cursors: Cursors, stop: Event) -> Iterator[Sequence[Message]]:
        """Like `fetch`, then go on as mail arrives, until `stop` is set."""


def box(settings: MailboxSettings, limits: UnpackLimits, retry: Retry | None = None) -> Box:
    """The mailbox as an input. Nothing is asked of a server yet."""
    if settings.kind == "imap":
        return ImapInput(settings, limits, retry=retry)
    service = api(settings)
    if not settings.ledger_file:
        raise UsageError(f"Mailbox {settings.name!r} has no ledger_file.", "Set it to a path.")
    return ApiInput(settings, limits, service, retry=retry)


def api(settings: MailboxSettings) -> Api:
    """The service that a mailbox of kind gmail or graph is read through."""
    from ingest.inputs.gmail import Gmail  # noqa: PLC0415 - HTTP is imported only where it is used
    from ingest.inputs.graph import Graph  # noqa: PLC0415

    makers = {"gmail": Gmail, "graph": Graph}
    if settings.kind not in makers:
        raise UsageError(f"Mailbox {settings.name!r}: kind is {settings.kind!r}.", "It must be imap, gmail or graph.")
    if settings.auth != "oauth2":
        raise UsageError(f"Mailbox {settings.name!r}: kind = {settings.kind} wants auth = oauth2.")
    if not settings.user:
        raise UsageError(f"Mailbox {settings.name!r} has no user.", "Set user to the address of the mailbox.")
    return makers[settings.kind](settings)


def is_local(settings: MailboxSettings) -> bool:
    """Whether reading this mailbox sends nothing beyond this machine, told without asking DNS."""
    from ingest.inputs.web import is_loopback  # noqa: PLC0415 - HTTP is imported only where it is used

    hosts = [settings.host] if settings.kind == "imap" else []
    if settings.auth == "oauth2":
        hosts.append(urlsplit(settings.oauth_token_url).hostname or "")
    if settings.kind != "imap":
        hosts.append(urlsplit(settings.api_url).hostname or "")
    return all(is_loopback(host) for host in hosts)
