"""Who sends, and how a receiver writes it down: rows for reports, drawn with a seed.

Nothing here is tuned to be easy: forwarders and forgers bring return paths, signatures and addresses
that seldom repeat, as they do in real reports.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from random import Random

from sample_reports.reporters import Reporter
from sample_reports.reports import Row
from sample_reports.traffic import Signature, Spf

SENDERS = 40  # services that domains send through
FORWARDERS = 3000
DOMAINS = 300


@dataclass(frozen=True, slots=True)
class Sender:
    """A service or a server of a domain: its addresses, its keys, and how often each mechanism aligns."""

    nets: tuple[str, ...]
    addresses: int
    return_path: str
    signatures: tuple[tuple[str, str], ...]
    dkim: float
    spf: float


def domain_name(number: int) -> str:
    """The name of a domain; every tenth is a subdomain's owner with a long name."""
    return f"domain-{number:04d}.example" if number % 10 else f"a-rather-long-company-name-{number:04d}.example"


def _net(chance: Random) -> str:
    return f"{chance.choice((23, 40, 52, 54, 62, 66, 81, 91, 104, 146, 167, 185, 193, 198, 209))}." + ".".join(
        str(chance.randrange(256)) for _ in range(2)
    )


@cache
def senders(seed: int, domain: str) -> tuple[Sender, ...]:
    """What a domain sends through: its own server first, then two to six services."""
    chance = Random(f"{seed} {domain}")
    found = [Sender((_net(chance),), 3, domain, ((domain, "mail"),), 0.97, 0.99)]
    for number in chance.sample(range(SENDERS), chance.randint(2, 6)):
        service = Random(f"{seed} service {number}")
        nets = tuple(_net(service) for _ in range(service.choice((1, 2, 4, 16))))
        name = f"service-{number:02d}.example"
        key = (domain, f"s{chance.randint(1, 2)}")
        signatures = (key, (name, "s2048")) if chance.random() < 0.5 else (key,)
        aligned = chance.random() < 0.8
        path = f"bounce.{domain}" if chance.random() < 0.6 else f"em{chance.randrange(9999)}.{name}"
        found.append(Sender(nets, 250, path, signatures, 0.98 if aligned else 0.03, 0.95 if aligned else 0.1))
    return tuple(found)


def row(seed: int, domain: str, reporter: Reporter, chance: Random) -> Row:
    """One record: three in four from a sender of the domain, the rest forwarded or forged."""
    kind = chance.random()
    if kind < 0.75:
        return _sent(seed, domain, reporter, chance)
    return _forwarded(seed, domain, reporter, chance) if kind < 0.9 else _forged(domain, reporter, chance)


def _sent(seed: int, domain: str, reporter: Reporter, chance: Random) -> Row:
    known = senders(seed, domain)
    sender = known[min(int(chance.expovariate(0.7)), len(known) - 1)]
    dkim, spf = chance.random() < sender.dkim, chance.random() < sender.spf
    net = chance.choice(sender.nets)
    # A few of a service's addresses send most of its mail.
    address = f"{net}.{1 + int(sender.addresses * chance.random() ** 3)}"
    header_from = domain if chance.random() < 0.9 else f"news.{domain}"
    signatures = tuple(Signature(name, key, "pass" if dkim else "fail") for name, key in sender.signatures)
    own = sender.return_path.endswith(domain)
    checked = Spf(sender.return_path, "mfrom", "pass" if spf else "softfail")
    return _row(reporter, (address, header_from), (dkim, spf and own), (signatures, checked), chance)


def _forwarded(seed: int, domain: str, reporter: Reporter, chance: Random) -> Row:
    number = min(int(chance.paretovariate(0.6)), FORWARDERS)
    host = Random(f"{seed} forwarder {number}")
    name = f"mx{number}.forwarder-{number:04d}.example"
    address = f"{_net(host)}.{1 + host.randrange(8)}"
    kept = chance.random() < 0.7
    sender = chance.choice(senders(seed, domain))
    signatures = tuple(Signature(name, key, "pass" if kept else "fail") for name, key in sender.signatures)
    checked = Spf(name if chance.random() < 0.5 else domain, "mfrom", chance.choice(("pass", "softfail", "none")))
    return _row(reporter, (address, domain), (kept, False), (signatures, checked), chance)


def _forged(domain: str, reporter: Reporter, chance: Random) -> Row:
    address = f"{_net(chance)}.{1 + chance.randrange(254)}"
    victim = f"host{chance.randrange(5000)}.provider-{chance.randrange(200):03d}.example"
    checked = Spf(chance.choice((domain, victim)), chance.choice(("mfrom", "helo")), "fail")
    return _row(reporter, (address, domain), (False, False), ((), checked), chance)


def _row(
    reporter: Reporter,
    at: tuple[str, str],
    aligned: tuple[bool, bool],
    results: tuple[tuple[Signature, ...], Spf],
    chance: Random,
) -> Row:
    shows = reporter.shows
    address, header_from = at
    signatures, checked = results
    passes = any(aligned)
    reason = reporter.forwarding[:2] if not passes and chance.random() < reporter.forwarding[2] / 2 else ("", "")
    asked = "none" if passes or reason[0] else chance.choice(("none", "quarantine", "reject"))
    return Row(
        source="",
        source_ip=address,
        disposition="pass" if passes and "pass" in shows else asked,
        dkim="pass" if aligned[0] else "fail",
        spf="pass" if aligned[1] else "fail",
        reason=reason,
        envelope_to=chance.choice(reporter.recipients) if reporter.recipients else "",
        envelope_from=checked.domain if "envelope_from" in shows else None,
        header_from=header_from,
        dkim_results=tuple(s if "selector" in shows else s._replace(selector="") for s in signatures),
        spf_result=checked if "scope" in shows else checked._replace(scope=""),
    )
