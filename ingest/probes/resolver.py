"""The one door to DNS (RFC 1034, 1035). A question ends as an answer or as a failure, never mixed up.

`Answer.answered` tells the two apart, and whoever keeps answers keeps only those.
"""

from __future__ import annotations

import ipaddress
import logging
import time
from collections.abc import Callable

import dns.exception
import dns.message
import dns.name
import dns.rcode
import dns.rdata
import dns.rdatatype
import dns.resolver
from dns.rdtypes.txtbase import TXTBase

from ingest.errors import Error, UsageError
from ingest.probes.answer import Answer, Status
from ingest.settings import ResolverSettings

_LOG = logging.getLogger(__name__)
_EDNS_BYTES = 1232  # fits every path unfragmented (dnsflagday.net/2020); more goes by TCP (RFC 7766)
# Asking a dead resolver twice lets one lost packet pass; more would only split the time further.
_TRIES = 2


class Resolver:
    """Asks the resolvers of the settings. One object is one run: its lifetime begins with it.

    Threads may share it. An answer is remembered for the run; a failure is asked again.
    """

    def __init__(self, settings: ResolverSettings, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self.deadline = clock() + settings.lifetime
        self._timeout = settings.timeout
        self._known: dict[tuple[str, str], Answer] = {}
        self._resolver = _configured(settings)

    def lookup(self, name: str, rdtype: str, deadline: float | None = None) -> Answer:
        """Ask for one name and type; past the lifetime (or `deadline`, if earlier) it is a timeout."""
        known = self._known.get((name, rdtype))
        if known is not None:
            return known
        until = self.deadline if deadline is None else min(deadline, self.deadline)
        seconds = min(self._timeout, until - self.clock())
        if seconds <= 0:
            return Answer(name, rdtype, Status.TIMEOUT)
        answer = self._ask(name, rdtype, seconds)
        if answer.answered:
            self._known[name, rdtype] = answer
        else:
            _LOG.info("dns.unanswered name=%r type=%s status=%s", name[:253], rdtype, answer.status)
        return answer

    def _ask(self, name: str, rdtype: str, seconds: float) -> Answer:
        try:
            # As an absolute name, so that the machine's search list cannot make another one of it.
            qname = dns.name.from_text(name)
        except (dns.exception.DNSException, UnicodeError):
            # Labels too long, empty, or not encodable: a name that no zone can hold.
            return Answer(name, rdtype, Status.NXDOMAIN)
        try:
            found = self._resolver.resolve(qname, rdtype, lifetime=seconds, raise_on_no_answer=False, search=False)
        except dns.exception.DNSException as error:
            return _unfound(name, rdtype, error)
        ttl = found.chaining_result.minimum_ttl
        if found.rrset is None:
            return Answer(name, rdtype, Status.NODATA, ttl=ttl)
        return Answer(name, rdtype, Status.VALUE, tuple(sorted(_text(each) for each in found.rrset)), ttl)


def _unfound(name: str, rdtype: str, error: dns.exception.DNSException) -> Answer:
    if isinstance(error, dns.resolver.NXDOMAIN):
        responses: dict[object, dns.message.QueryMessage] = error.kwargs["responses"]
        ttls = [response.resolve_chaining().minimum_ttl for response in responses.values()]
        return Answer(name, rdtype, Status.NXDOMAIN, ttl=min(ttls, default=None))
    if isinstance(error, dns.resolver.NoNameservers):
        return Answer(name, rdtype, _why(error))
    if isinstance(error, dns.exception.Timeout):
        return Answer(name, rdtype, Status.TIMEOUT)
    _LOG.warning("dns.failed name=%r type=%s reason=%r", name[:253], rdtype, str(error)[:200])
    return Answer(name, rdtype, Status.SERVFAIL)


def _configured(settings: ResolverSettings) -> dns.resolver.Resolver:
    if not settings.nameservers:
        try:
            resolver = dns.resolver.Resolver()
        except dns.exception.DNSException as error:
            raise Error("This machine names no DNS resolver.", "Set nameservers.") from error
    else:
        resolver = dns.resolver.Resolver(configure=False)
        resolver.nameservers = [_address(each) for each in settings.nameservers]
        resolver.port = settings.port
    resolver.timeout = settings.timeout / max(_TRIES, len(resolver.nameservers))
    resolver.use_edns(0, 0, _EDNS_BYTES)
    return resolver


def _address(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text.strip()))
    except ValueError as error:
        raise UsageError(f"The nameserver {text!r} is no IP address.", "Set nameservers to addresses.") from error


def _why(failed: dns.resolver.NoNameservers) -> Status:
    """Every nameserver dropped out: by saying no, by failing, or by not being there at all."""
    rcodes = {response.rcode() for *_, response in failed.kwargs["errors"] if response is not None}
    if not rcodes:
        return Status.TIMEOUT  # only socket errors: nobody was reached
    return Status.REFUSED if rcodes == {dns.rcode.REFUSED} else Status.SERVFAIL


def _text(record: dns.rdata.Rdata) -> str:
    if isinstance(record, TXTBase):
        return b"".join(record.strings).decode("utf-8", "backslashreplace")
    return record.to_text()
