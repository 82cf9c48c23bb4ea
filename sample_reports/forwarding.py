"""How mail travels on: through forwarders, and through a mailing list that changes it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sample_reports.chance import Chance
from sample_reports.senders import Sender, shares
from sample_reports.timeline import Timeline
from sample_reports.traffic import Path, Seen, Sighting, Signature, Spf


@dataclass(frozen=True)
class Forwarder:
    """Somebody else's server, at which some of the recipients have their address.

    `share` of every sender's mail goes to such addresses. `rewrites` is the domain put into MAIL FROM; empty when the
    envelope is kept. `signs` is the forwarder's own signature, added when it changes the message.
    """

    name: str
    as_domain: str
    role: str
    pool: tuple[str, ...]
    share: float
    audience: Mapping[str, float]
    rewrites: str = ""
    survives: float = 0.97
    grows_to: float = 1.0
    signs: tuple[str, str] | None = None
    sealed: bool = False
    path: Path = "forwarded"
    copies: int = 1
    only: tuple[str, ...] = ()

    def source(self, domain: str) -> str:
        """The key of this source in the truth."""
        return f"{domain}/{self.name}"

    def takes(self, sender: Sender) -> bool:
        """Whether this sender's mail ever comes through here."""
        return not self.only or sender.source in self.only


def forward(
    forwarder: Forwarder, sent: Sequence[tuple[Sender, int]], day: date, period: Timeline, seed: int
) -> Iterator[Sighting]:
    """One day of forwarding: a share of what each sender sent, once more, from the forwarder's addresses."""
    growth = 1 + (forwarder.grows_to - 1) * max(0.0, period.share(day))
    for sender, messages in sent:
        if not forwarder.takes(sender):
            continue
        chance = Chance.of(seed, forwarder.name, sender.source, day)
        arrived = chance.volume(messages * forwarder.share * growth, 0.2)
        for server, count in _origins(sender, day, arrived, chance, seed):
            # A list sends each contribution to all its subscribers at once: rare, then many.
            copies = count if forwarder.copies == 1 else chance.volume(count * forwarder.copies, 0.1)
            yield from _onwards(forwarder, sender, server, copies, (day, chance))


def _origins(sender: Sender, day: date, messages: int, chance: Chance, seed: int) -> Iterator[tuple[str, int]]:
    """From which of the sender's servers the forwarded mail came: it decides which keys had signed."""
    if messages:
        parts = chance.split(messages, shares(sender, day, seed))
        yield from ((server, part) for server, part in zip(sender.servers(day), parts, strict=True) if part)


def _onwards(
    forwarder: Forwarder, sender: Sender, server: str, count: int, when: tuple[date, Chance]
) -> Iterator[Sighting]:
    """Pass mail from one original server on to the mailbox providers."""
    day, chance = when
    parts = chance.split(count, list(forwarder.audience.values()))
    survives = chance.rate(forwarder.survives)
    for reporter, received in zip(forwarder.audience, parts, strict=True):
        for address, messages in zip(forwarder.pool, chance.split(received, [1.0] * len(forwarder.pool)), strict=True):
            intact = chance.binomial(messages, survives)
            for result, part in (("pass", intact), ("fail", messages - intact)):
                if part:
                    signatures = sender.signatures(server, day, result)
                    seen = _seen(forwarder, sender, address, sender.envelope_of(server, day), signatures)
                    yield Sighting(reporter, day, seen, part)


def _seen(forwarder: Forwarder, sender: Sender, address: str, envelope: str, signatures: tuple[Signature, ...]) -> Seen:
    """The message as its last receiver sees it: another address, perhaps another envelope."""
    if forwarder.signs:
        signatures += (Signature(*forwarder.signs, "pass"),)
    mail_from = forwarder.rewrites or envelope
    result = "pass" if forwarder.rewrites else sender.elsewhere
    return Seen(
        source=forwarder.source(sender.domain),
        domain=sender.domain,
        source_ip=address,
        header_from=sender.header_from,
        envelope_from=mail_from,
        dkim=signatures,
        spf=Spf(mail_from, "mfrom", result),
        path=forwarder.path,
        sealed=forwarder.sealed,
    )
