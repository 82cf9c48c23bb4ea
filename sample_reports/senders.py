"""How a service sends: its servers, its rhythm, its keys and its return path."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple

from sample_reports.chance import Chance
from sample_reports.timeline import Timeline
from sample_reports.traffic import Seen, Sighting, Signature, Spf

OFFICE_WEEK = (1.05, 1.1, 1.1, 1.05, 0.95, 0.12, 0.09)
SHOP_WEEK = (1.0, 0.9, 0.9, 0.95, 1.05, 1.2, 1.3)
EVERY_DAY = (1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0)


class Key(NamedTuple):
    """A DKIM key in use: from a day on, until the day before another, on some servers or on all."""

    domain: str
    selector: str
    since: date = date.min
    until: date = date.max
    servers: tuple[str, ...] = ()

    def signs(self, server: str, day: date) -> bool:
        """Whether mail from this server carries this signature on this day."""
        return self.since <= day < self.until and (not self.servers or server in self.servers)


@dataclass(frozen=True)
class Rhythm:
    """A service's day: mean, week, noise, and what makes a day special."""

    daily: float
    week: tuple[float, ...] = OFFICE_WEEK
    noise: float = 0.15
    since: date = date.min
    until: date = date.max
    starts_slowly: int = 0
    month_end: float = 1.0
    before_holidays: float = 1.0

    def mean(self, day: date, period: Timeline) -> float:
        """How many messages to expect on this day."""
        if not self.since <= day < self.until:
            return 0.0
        mean = self.daily * self.week[day.weekday()]
        if self.starts_slowly:
            mean *= min(1.0, ((day - self.since).days + 1) / self.starts_slowly)
        if (day + timedelta(days=2)).month != day.month:
            mean *= self.month_end
        # The weeks before Christmas: shops grow by a little every day.
        weeks = max(0.0, 3 - (period.last - day).days / 7)
        return mean * (1 + (self.before_holidays - 1) * weeks / 3)


@dataclass(frozen=True)
class Sender:
    """A service that sends for one domain, with permission.

    `kind` is the verdict that is right on the last day.
    `envelope` may hold `{n}`, the server's number: services name their bounce hosts so.
    `elsewhere` is what the envelope domain's SPF record says of an address that it does not list.
    """

    name: str
    domain: str
    header_from: str
    as_domain: str
    kind: str
    role: str
    pool: tuple[str, ...]
    rhythm: Rhythm
    audience: Mapping[str, float]
    keys: tuple[Key, ...] = ()
    envelope: str = ""
    spf: str = "pass"
    elsewhere: str = "softfail"
    breakage: float = 0.004
    null_senders: float = 0.0
    helo: str = ""
    added: tuple[str, ...] = ()
    added_on: date = date.max

    @property
    def source(self) -> str:
        """The key of this source in the truth."""
        return f"{self.domain}/{self.name}"

    def servers(self, day: date) -> tuple[str, ...]:
        """The addresses in use on this day."""
        return self.pool + (self.added if day >= self.added_on else ())

    def signatures(self, server: str, day: date, result: str = "pass") -> tuple[Signature, ...]:
        """The signatures that a message from this server carries, all with the same result."""
        return tuple(Signature(k.domain, k.selector, result) for k in self.keys if k.signs(server, day))

    def envelope_of(self, server: str, day: date) -> str:
        """The domain of MAIL FROM."""
        return self.envelope.format(n=self.servers(day).index(server) + 11)


def volume(sender: Sender, day: date, period: Timeline, seed: int) -> int:
    """How many messages the service sends, to receivers who report, on this day."""
    return Chance.of(seed, sender.source, day, "volume").volume(sender.rhythm.mean(day, period), sender.rhythm.noise)


def shares(sender: Sender, day: date, seed: int) -> list[float]:
    """How a day's mail is spread over the servers: a steady part, and some chance every day."""
    daily = Chance.of(seed, sender.source, day, "servers")
    steady = [Chance.of(seed, sender.source, server).lognormvariate(0, 0.6) for server in sender.servers(day)]
    return [weight * daily.lognormvariate(0, 0.25) for weight in steady]


def send(sender: Sender, day: date, messages: int, seed: int) -> Iterator[Sighting]:
    """One day of a service's direct mail, as each reporter sees it."""
    chance = Chance.of(seed, sender.source, day, "send")
    servers, weights = sender.servers(day), shares(sender, day, seed)
    breakage = chance.rate(sender.breakage)
    reporters = list(sender.audience)
    for reporter, received in zip(reporters, chance.split(messages, list(sender.audience.values())), strict=True):
        if not received:
            continue
        for server, count in zip(servers, chance.split(received, weights), strict=True):
            for seen, part in _outcomes(sender, server, day, count, breakage, chance):
                yield Sighting(reporter, day, seen, part)


def _outcomes(
    sender: Sender, server: str, day: date, count: int, breakage: float, chance: Chance
) -> Iterator[tuple[Seen, int]]:
    """Part a server's mail into what went well and the few things that always go wrong."""
    broken = chance.binomial(count, breakage)
    unresolved = chance.binomial(count - broken, 0.0008)
    null = chance.binomial(count - broken - unresolved, sender.null_senders)
    envelope = sender.envelope_of(server, day)
    mail_from = Spf(envelope, "mfrom", sender.spf)
    good = sender.signatures(server, day)
    # A resolver that does not answer spoils both checks at once, now and then.
    word = "temperror" if chance.random() < 0.15 else "fail"
    cases = (
        (envelope, good, mail_from, count - broken - unresolved - null),
        (envelope, sender.signatures(server, day, word), mail_from, broken),
        (envelope, good, Spf(envelope, "mfrom", "temperror"), unresolved),
        ("", good, Spf(sender.helo, "helo", "pass"), null),
    )
    for mail_envelope, signatures, spf, part in cases:
        if part:
            yield (
                Seen(sender.source, sender.domain, server, sender.header_from, mail_envelope, signatures, spf),
                part,
            )
