"""The reports of a batch of mails, each with who vouches for it: signatures verified, keys asked once."""

from __future__ import annotations

import logging
import math
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from ingest.alignment import organizational_domain
from ingest.attestation import NO_MAIL, Attestation, Parties, Signature, SignatureStatus, graded, is_own
from ingest.errors import Error
from ingest.inputs.base import Message
from ingest.message import is_mail
from ingest.probes.answer import Answer, Status
from ingest.probes.resolver import Resolver
from ingest.probes.signature import Claim, Verifier, claims
from ingest.reading import Reading
from ingest.settings import ResolverSettings

_LOG = logging.getLogger(__name__)
_FRESH = 3600.0  # seconds for which keys are remembered and the time for questions is meant
_TRIES = 2  # times that a question without an answer is put
_WORKERS = 16


class Keys:
    """Public keys by their names, asked together and remembered.

    At most `lifetime` seconds of each hour are spent on questions, so that a name server that never
    answers cannot hold up a run; what is not answered by then counts as no answer.
    """

    def __init__(self, settings: ResolverSettings, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._lifetime = clock, settings.lifetime
        # The resolver's own lifetime would run while messages are fetched; only questions are counted here.
        self._settings = replace(settings, lifetime=math.inf)
        self._begin(Resolver(self._settings, clock))

    def _begin(self, resolver: Resolver) -> None:
        self._resolver = resolver
        self._until = self._clock() + _FRESH
        self._left = self._lifetime
        self._answers: dict[str, Answer] = {}
        self._failed: Counter[str] = Counter()

    def fetch(self, names: Iterable[str]) -> None:
        """Ask for what is not known yet, all at once."""
        if self._clock() >= self._until:
            self._begin(self._renewed())
        wanted = [name for name in _fairly(names) if name not in self._answers and self._failed[name] < _TRIES]
        if not wanted or self._left <= 0:
            return
        started = self._clock()
        deadline = started + self._left
        with ThreadPoolExecutor(min(_WORKERS, len(wanted)), thread_name_prefix="dkim") as pool:
            found = list(pool.map(lambda name: self._resolver.lookup(name, "TXT", deadline), wanted))
        self._left -= self._clock() - started
        for answer in found:
            if answer.answered:
                self._answers[answer.name] = answer
            else:
                self._failed[answer.name] += 1
        _LOG.info("dkim.keys asked=%d unanswered=%d", len(wanted), sum(not answer.answered for answer in found))

    def _renewed(self) -> Resolver:
        """One that has forgotten its answers; the same where the machine names no resolver any more."""
        try:
            return Resolver(self._settings, self._clock)
        except Error as error:
            _LOG.warning("dkim.resolver reason=%r", str(error))
            return self._resolver

    def answer(self, name: str) -> Answer:
        """What is known of a name; no answer where it was not fetched."""
        return self._answers.get(name) or Answer(name, "TXT", Status.TIMEOUT)


def _fairly(names: Iterable[str]) -> list[str]:
    """Every domain's first name before any domain's second: one domain cannot use up the time of the others."""
    turn: Counter[str] = Counter()
    placed: list[tuple[int, int, str]] = []
    for name in dict.fromkeys(names):
        domain = organizational_domain(name.partition("._domainkey.")[2])
        placed.append((turn[domain], len(placed), name))
        turn[domain] += 1
    return [name for _, _, name in sorted(placed)]


@dataclass(slots=True)
class _Mail:
    """A mail with reports, the parties of each, and its signatures, the reporters' own first."""

    message: Message
    received_at: datetime
    parties: list[Parties]
    claims: list[Claim] = field(default_factory=list)

    @classmethod
    def of(cls, message: Message, reading: Reading, now: datetime) -> _Mail:
        parties = [Parties.of(item.report) for item in reading.reports]
        mail = cls(message, _utc(message.received_at or now), parties)
        every = frozenset[str]().union(*(each.own for each in parties))
        mail.claims = sorted(claims(message.raw), key=lambda claim: not is_own(claim.domain, every))
        return mail

    def signatures(self, keys: Keys) -> list[Signature]:
        """How the signatures fare, up to where every report is vouched for."""
        verifier = Verifier(self.message.raw, self.received_at)
        found, valid = list[Signature](), list[str]()
        for claim in self.claims:
            if all(any(is_own(domain, each.own) for domain in valid) for each in self.parties):
                break
            found.append(verifier.verify(claim, keys.answer(claim.key_name)))
            if found[-1].status is SignatureStatus.VALID:
                valid.append(found[-1].domain)
        return found


class Attester:
    """Tells for each report of a batch who vouches for it. Never raises for what a mail holds."""

    def __init__(self, settings: ResolverSettings) -> None:
        self._keys = Keys(settings)

    def __call__(self, batch: Sequence[tuple[Message, Reading]], now: datetime) -> list[list[Attestation]]:
        """One list for each message, with one entry for each of its aggregate reports."""
        mails = {
            at: _Mail.of(message, reading, now)
            for at, (message, reading) in enumerate(batch)
            if reading.reports and is_mail(message.raw, message.origin)
        }
        self._keys.fetch(claim.key_name for mail in mails.values() for claim in mail.claims if claim.key_name)
        return [
            self._of(mails[at], now) if at in mails else [NO_MAIL] * len(reading.reports)
            for at, (_, reading) in enumerate(batch)
        ]

    def _of(self, mail: _Mail, now: datetime) -> list[Attestation]:
        signatures = mail.signatures(self._keys)
        return [graded(signatures, each, mail.received_at, _utc(now)) for each in mail.parties]


def _utc(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(tzinfo=None) if at.tzinfo else at
