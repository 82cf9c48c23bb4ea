"""HTTP for tokens and mail APIs: TLS verified, time and bytes bounded, no redirect followed.

A redirect would carry a secret or a token to an address that nobody configured, so it is an error.
Whatever the library raises leaves as a MailboxError or MailboxUnreachable.
"""

from __future__ import annotations

import contextlib
import ipaddress
import json
import ssl
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import httpx

from ingest.errors import MailboxError, MailboxUnreachable, UsageError
from ingest.inputs.imap_errors import of_network, told

_CONNECT_SECONDS = 15.0
_SLOWEST = 2**14  # bytes a second; a server that drips slower than this is gone
MOST = 4 * 2**20  # bytes of an answer that is no message


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answered. `whole` is false where it was longer than we read."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    whole: bool = True

    def document(self) -> dict[str, Any]:
        """The JSON object in it; empty where there is none."""
        try:
            found = json.loads(self.body)
        except (ValueError, RecursionError):
            return {}
        return found if isinstance(found, dict) else {}

    @property
    def wait_seconds(self) -> float:
        """Retry-After (RFC 9110 section 10.2.3) where it is a number of seconds."""
        said = self.headers.get("retry-after", "").strip()
        return float(said) if said.isascii() and said.isdigit() and len(said) < 7 else 0.0


class Web:
    """Connections that are kept between requests. One object serves one thread."""

    def __init__(self, timeout: float, ca_file: str = "") -> None:
        self._timeout = timeout
        self._ca_file = ca_file
        self._client: httpx.Client | None = None

    def request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None = None,
        most: int = MOST,
        **content: Any,
    ) -> Answer:
        """Send one request and read up to `most` bytes. `content` is data=, json= or params=."""
        host = checked(url)
        with _spoken(host):
            sent = self._opened().stream(method, url, headers=dict(headers or {}), **content)
            with sent as response:
                answer = self._read(response, host, most)
        if 300 <= answer.status < 400:
            raise MailboxError(
                f"{host} answered with a redirect, which is not followed.", "Check the addresses in the settings."
            )
        return answer

    def _read(self, response: httpx.Response, host: str, most: int) -> Answer:
        until = time.monotonic() + self._timeout + most / _SLOWEST
        parts, size = [], 0
        for part in response.iter_bytes(2**16):
            parts.append(part)
            size += len(part)
            if size > most:
                break
            if time.monotonic() > until:
                raise MailboxUnreachable(f"{host} answered too slowly.", "Trying again can help.")
        return Answer(response.status_code, b"".join(parts)[:most], dict(response.headers), size <= most)

    def _opened(self) -> httpx.Client:
        if self._client is None:
            self._client = httpx.Client(
                verify=_context(self._ca_file),
                timeout=httpx.Timeout(self._timeout, connect=min(_CONNECT_SECONDS, self._timeout)),
                # Proxies come from the environment, as with other programs; never for this machine itself.
                mounts={f"all://{host}": None for host in ("localhost", "127.0.0.1", "[::1]")},
                headers={"User-Agent": "whosends", "Accept": "application/json"},
            )
        return self._client

    def close(self) -> None:
        """Close the connections; the next request opens new ones."""
        client, self._client = self._client, None
        if client is not None:
            with contextlib.suppress(httpx.HTTPError, OSError):
                client.close()


def checked(url: str) -> str:
    """The host of an address that may be asked: https, or http on this machine itself."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise UsageError(f"{url!r} is no web address.", "Check the addresses in the settings.") from error
    if not host or parts.scheme not in ("https", "http") or parts.username or parts.password:
        raise UsageError(f"{url!r} is no web address that can be used.", "It must begin with https://.")
    if parts.scheme == "http" and not is_loopback(host):
        raise UsageError(f"{url!r} would send secrets in the clear.", "It must begin with https://.")
    return f"{host}:{port}" if port else host


def is_loopback(host: str) -> bool:
    """Whether a name or address is this machine, told without asking DNS (RFC 6761 section 6.3)."""
    if host.lower().rstrip(".") == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]").partition("%")[0]).is_loopback
    except ValueError:
        return False


def _context(ca_file: str) -> ssl.SSLContext:
    """The system's authorities, and the one that the owner named for the mailbox."""
    context = ssl.create_default_context()
    if ca_file:
        try:
            context.load_verify_locations(ca_file)
        except ssl.SSLError as error:
            raise MailboxError(f"ca_file {ca_file!r} holds no usable certificate.", "It must be PEM.") from error
        except OSError as error:
            raise MailboxError(f"ca_file {ca_file!r} cannot be read: {error.strerror or error}.") from error
    return context


@contextmanager
def _spoken(host: str) -> Iterator[None]:
    # Without `from` throughout: httpx's exceptions carry the request, and that the secret.
    try:
        yield
    except httpx.TimeoutException:
        raise MailboxUnreachable(f"{host} did not answer in time.", "Check the network and the firewall.") from None
    except httpx.TransportError as error:
        cause = _cause(error)
        if cause is not None:
            raise of_network(host, cause) from None
        raise MailboxUnreachable(f"The connection to {host} failed: {told(error)}.") from None
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise MailboxUnreachable(f"{host} answered something that is not HTTP: {told(error)}.") from None


def _cause(error: BaseException) -> OSError | None:
    """The socket's or TLS's own error beneath the library's."""
    below = error.__cause__ or error.__context__
    while below is not None:
        if isinstance(below, OSError):
            return below
        below = below.__cause__ or below.__context__
    return None
