"""A world while it is being made: what all processes add to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from benchmarks.worlds.addresses import Book
from benchmarks.worlds.chance import pick
from benchmarks.worlds.mail import Mail, Sent, Stream, Turn
from benchmarks.worlds.organisation import Domain, Organisation
from benchmarks.worlds.volume import Counts

Looks = Sequence[tuple[Mail, float]]
"""How a stream's messages look, each with its weight."""


@dataclass(slots=True)
class Draft:
    """Parts are written one after the other, each with a random stream of its own, so that none disturbs the others."""

    rng: np.random.Generator
    days: int
    book: Book
    organisation: Organisation
    streams: dict[str, Stream] = field(default_factory=dict)
    sent: list[Sent] = field(default_factory=list)
    zone: dict[tuple[str, str], str] = field(default_factory=dict)
    turns: list[Turn] = field(default_factory=list)
    holders: dict[str, str] = field(default_factory=dict)

    def chance(self, share: float) -> bool:
        """True in so large a share of cases."""
        return bool(self.rng.random() < share)

    def choice(self, options: Sequence[str], weights: Sequence[float] | None = None) -> str:
        """One of some words."""
        return pick(self.rng, options, weights)

    def domain(self) -> Domain:
        """One of the sending domains, the large ones more often."""
        senders = self.organisation.senders
        return pick(self.rng, senders, [domain.weight for domain in senders])

    def alive(self) -> tuple[int, int]:
        """First and last day of a stream. One in six appears on the way, one in eight falls silent."""
        first, last = 0, self.days - 1
        if self.chance(1 / 6):
            first = int(self.rng.integers(self.days // 4, self.days - 10))
        elif self.chance(1 / 8):
            last = int(self.rng.integers(20, self.days - 15))
        return first, last

    def held(self, label: str, suffix: str, holder: str) -> str:
        """The label, or the next with a number, whose name is this holder's: there is one CNAME, or key, at a name."""
        numbers = ("", *(str(number) for number in range(2, 20)))
        names = (f"{label}{number}" for number in numbers)
        return next((one for one in names if self.holders.setdefault(f"{one}.{suffix}", holder) == holder), label)

    def add(self, stream: Stream) -> Stream:
        """Note a stream. Its key is made unique."""
        key, number = stream.key, 2
        while key in self.streams:
            key, number = f"{stream.key} {number}", number + 1
        named = Stream(key, *(getattr(stream, name) for name in Stream.__slots__[1:]))
        self.streams[key] = named
        return named

    def emit(
        self,
        stream: Stream,
        counts: Counts,
        hosts: Callable[[int], Sequence[str]],
        looks: Callable[[int], Looks],
        audience: str,
    ) -> None:
        """Send a stream's mail: by day, over hosts (a few where there is little mail), over looks."""
        for day in np.flatnonzero(counts).tolist():
            count, here, look = int(counts[day]), hosts(day), looks(day)
            used = self.rng.permutation(len(here))[: 1 + count // 60]
            shares = self.rng.dirichlet(np.full(len(used), 2.0))
            weights = np.array([weight for _, weight in look])
            for index, part in zip(used, self.rng.multinomial(count, shares), strict=True):
                for (mail, _), messages in zip(look, self.rng.multinomial(part, weights / weights.sum()), strict=True):
                    if messages:
                        self.sent.append(Sent(stream.key, day, here[index], mail, audience, int(messages)))
