"""What `whosends doctor` asks of others: DNS, blocklists, mailboxes."""

from __future__ import annotations

from collections.abc import Iterator

from analysis.wording import count
from app.commands.checkup import OK, WARN, Check
from app.commands.mailboxes import folders, server
from app.config import Config
from ingest.probes import blocklists as probes
from ingest.probes.resolver import Resolver
from ingest.settings import MailboxSettings

ASKED = "example.com."  # reserved by RFC 2606 and in DNS, so that it stands for nobody
State = probes.State
# What a list that cannot be used does, and what to do about it.
UNUSABLE = {
    State.EVERYTHING: ("It lists everything, as lists do that were given up.", "Take it out of [blocklists] zones."),
    State.NOTHING: (
        "It does not hold its own test point: there is no such list, or it was given up.",
        "Check its name in [blocklists] zones, or take it out.",
    ),
    State.REFUSES: (
        "It refuses the resolver that asks, as most do to large public ones.",
        "Name a resolver of your own in [resolver] nameservers, or ask the list's operator for access.",
    ),
    State.SILENT: ("It gives no answer.", "Try again later; until then nobody's addresses are asked for there."),
}


def dns(config: Config) -> Check:
    """Whether DNS answers at all."""
    answer = Resolver(config.resolver).lookup(ASKED, "NS")
    if answer.answered:
        return Check("dns", OK, "DNS answers.")
    fix = "Check [resolver]; until then new addresses have no names. --offline says that this is meant."
    return Check("dns", WARN, f"DNS does not answer ({answer.status}).", fix)


def blocklists(config: Config, zones: tuple[str, ...]) -> Iterator[Check]:
    """Whether each list can be believed: what its test points answer (RFC 5782 section 5)."""
    told = probes.probe_zones(zones, Resolver(config.resolver), config.blocklists.lifetime)
    states = {(one.zone, one.version): one.state for one in told}
    yield from (_blocklist(zone, states[zone, 4], states[zone, 6]) for zone in zones)


def _blocklist(zone: str, four: State, six: State) -> Check:
    """How a list is, by what it makes of its test points of IPv4 and of IPv6; that many hold IPv4 alone is in order."""
    works = [said for said, state in (("IPv4", four), ("IPv6", six)) if state is State.WORKS]
    if works:
        only = "" if len(works) == 2 else " only"
        return Check(
            f"blocklist {zone}", OK, f"It answers for its test points as it should: {' and '.join(works)}{only}."
        )
    what, fix = UNUSABLE[four]
    return Check(f"blocklist {zone}", WARN, what, fix)


def mailbox(name: str, settings: MailboxSettings) -> Check:
    """What a mailbox holds."""
    found = folders(settings)
    said = ", ".join(f"{folder} {count(messages, 'message')}" for folder, (messages, _, _) in found.items())
    return Check(name, OK, f"{server(settings)}: {said}; after storing: {settings.after}")
