"""Reports of mail that nobody sent: anybody may send a report, and some who do mean to mislead."""

from __future__ import annotations

from benchmarks.worlds.addresses import places
from benchmarks.worlds.chance import pick
from benchmarks.worlds.draft import Draft
from benchmarks.worlds.mail import Mail, Sent, Stream
from benchmarks.worlds.reporters import Reporter
from benchmarks.worlds.volume import volume

LIAR = Reporter("mx-reports.example", "dmarc@mx-reports.example")
AUDIENCE = "nobody"


def lie(draft: Draft) -> tuple[Reporter, ...]:
    """In one world of eight a reporter claims mail as a domain of ours, from our own addresses or any others."""
    if not draft.chance(1 / 8):
        return ()
    domain = draft.domain()
    stream = draft.add(Stream("mail that nobody sent", "lie", "claimed", "nobody", False, grouped=False))
    seen = sorted({sent.ip for sent in draft.sent if draft.streams[sent.stream].legitimate})
    if draft.chance(0.5):
        hosts = tuple(pick(draft.rng, seen) for _ in range(5))
    else:
        place = pick(draft.rng, places("hosting"))
        hosts = draft.book.block(20, place.networks, place.ptr)
    counts = volume(draft.rng, draft.days, 10 ** draft.rng.uniform(1, 4), "campaign", (0, draft.days - 1))
    claimed = Mail(domain.name, domain.name, domain.name, domain.elsewhere)
    for day, count in enumerate(counts.tolist()):
        if count:
            draft.sent.append(Sent(stream.key, day, pick(draft.rng, hosts), claimed, AUDIENCE, count))
    return (LIAR,)
