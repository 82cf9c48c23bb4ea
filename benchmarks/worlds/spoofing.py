"""Those who send as us without right, each in the way of their trade."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from benchmarks.worlds.addresses import Place, places
from benchmarks.worlds.chance import pick
from benchmarks.worlds.draft import Draft, Looks
from benchmarks.worlds.mail import Mail, Sent, Signature, Stream
from benchmarks.worlds.organisation import WORDS, Domain
from benchmarks.worlds.services import Service, filled_for, of_group, pool
from benchmarks.worlds.volume import volume

LABELS = ("login", "secure", "mailer", "accounts", "hr-portal", "a1", "x7", "vpn")
INVENTED = ("k1", "s1", "default", "selector1", "mail", "dkim", "google", "20230601")


def spoof(draft: Draft) -> None:
    """Two to seven of them; botnets are nearly always there."""
    ways: dict[Callable[[Draft], None], float] = {
        botnet: 4.0, snowshoe: 2.0, targeted: 2.0, through_service: 1.5, subdomains: 1.5, own_identity: 1.5,
        forged_selector: 1.0, backscatter: 1.0,
    }  # fmt: skip
    for _ in range(int(draft.rng.integers(2, 8))):
        pick(draft.rng, list(ways), list(ways.values()))(draft)


def _victim(draft: Draft) -> Domain:
    # Parked domains are taken as gladly as others.
    return pick(draft.rng, [domain for domain in draft.organisation.domains if not domain.parent])


def _place(draft: Draft, group: str) -> Place:
    return pick(draft.rng, places(group))


def _stream(draft: Draft, style: str, operator: str = "", grouped: bool = True) -> Stream:
    stream = Stream(f"spoof: {style}", "spoof", style, operator, False, grouped=grouped)
    named = draft.add(stream)
    if operator:
        return named
    # Every attacker is an operator of its own.
    draft.streams[named.key] = Stream(named.key, "spoof", style, named.key, False, grouped=grouped)
    return draft.streams[named.key]


def _plain(domain: Domain, name: str = "") -> Mail:
    """From and return path are the victim's; nothing is signed."""
    return Mail(name or domain.name, name or domain.name, name or domain.name, domain.elsewhere)


def _burst(draft: Draft, low: float, high: float) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Waves: some days much, most days nothing, or all the time."""
    mean = float(10 ** draft.rng.uniform(low, high))
    rhythm = draft.choice(("campaign", "always"))
    return volume(draft.rng, draft.days, mean, rhythm, draft.alive())


def botnet(draft: Draft) -> None:
    """Infected machines all over the world, one to three messages each, hardly ever seen again."""
    domain, stream = _victim(draft), _stream(draft, "botnet", grouped=False)
    stranger = f"{draft.rng.choice(WORDS)}.example"
    faked = Mail(domain.name, stranger, stranger, "fail")
    helo = Mail(domain.name, "", "localhost", "none", spf_scope="helo")
    looks = ((_plain(domain), 0.7), (faked, float(draft.rng.uniform(0, 0.4))), (helo, 0.05))
    for day, machines in enumerate(_burst(draft, 0.2, 1.7).tolist()):
        for _ in range(machines):
            ip = draft.book.at(_place(draft, "access" if draft.chance(0.85) else "hosting"))
            mail, _weight = pick(draft.rng, looks, [weight for _, weight in looks])
            messages = pick(draft.rng, (1, 2, 3), (0.8, 0.15, 0.05))
            draft.sent.append(Sent(stream.key, day, ip, mail, "everywhere", messages))


def _from_block(draft: Draft, stream: Stream, size: int, looks: Looks, rate: tuple[float, float]) -> None:
    place = _place(draft, "hosting")
    named = draft.chance(0.5)
    ptr = f"mta##.{draft.rng.choice(WORDS)}{draft.rng.choice(WORDS)}.example" if named else place.ptr
    hosts = draft.book.block(size, place.networks, ptr)
    _disguise(draft, hosts, looks[0][0].header_from)
    draft.emit(stream, _burst(draft, *rate), lambda _: hosts, lambda _: looks, "everywhere")


def _disguise(draft: Draft, hosts: Sequence[str], victim: str) -> None:
    """Some write a name into their PTR that is not theirs; it does not lead back (RFC 1912 section 2.1)."""
    if draft.chance(0.15):
        name = draft.choice((f"mail.{victim}", "mail-ej1-f54.google.com", "o1.ptr2201.sendgrid.net"))
        for ip in hosts:
            draft.book.name(ip, name, confirmed=False)


def snowshoe(draft: Draft) -> None:
    """A rented block of addresses, so that none sends much."""
    domain, stream = _victim(draft), _stream(draft, "snowshoe")
    _from_block(draft, stream, int(draft.rng.integers(15, 120)), ((_plain(domain), 1.0),), (1.0, 3.0))


def targeted(draft: Draft) -> None:
    """Invoice fraud: a few messages a week, for months, from one rented server."""
    domain, stream = _victim(draft), _stream(draft, "targeted")
    mail = _plain(domain)
    if draft.chance(0.4):
        other = f"{domain.name.partition('.')[0]}-secure.example"
        mail = mail._replace(envelope_from=other, spf_domain=other, spf_result="pass")
    host = draft.book.at(_place(draft, "hosting"))
    _disguise(draft, (host,), domain.name)
    counts = volume(draft.rng, draft.days, float(draft.rng.uniform(0.3, 4)), "office", draft.alive())
    draft.emit(stream, counts, lambda _: (host,), lambda _: ((mail, 1.0),), "business")


def through_service(draft: Draft) -> None:
    """An account of somebody else's at a service that we may use too: the same addresses, not our key."""
    domain, service = _victim(draft), _rented(draft)
    stream = _stream(draft, "through a service", service.name)
    mail_from = filled_for(draft, service.mail_from, domain.name)
    mail = Mail(domain.name, mail_from, mail_from, "pass")
    if service.own:
        own_domain, own_selector = service.own
        mail = mail._replace(signatures=(Signature(filled_for(draft, own_domain, "x.example"), own_selector),))
    every = pool(draft, service)
    addresses = [ip for ip in every if ip not in draft.book.dedicated] or every
    draft.emit(stream, _burst(draft, 0.0, 2.0), lambda _: addresses, lambda _: ((mail, 1.0),), "everywhere")


def _rented(draft: Draft) -> Service:
    options = [service for service in of_group("transactional", "mailing") if service.mail_from]
    ours = [service for service in options if service.name in draft.book.pools]
    found = ours if ours and draft.chance(0.6) else options
    return pick(draft.rng, found)


def subdomains(draft: Draft) -> None:
    """Names below ours that never existed, which the policy for subdomains (sp) decides about."""
    domain, stream = _victim(draft), _stream(draft, "subdomain")
    labels = draft.rng.choice(LABELS, 3, replace=False)
    looks = [(_plain(domain, f"{label}.{domain.name}")._replace(spf_result="none"), 1.0) for label in labels]
    _from_block(draft, stream, int(draft.rng.integers(1, 30)), looks, (0.3, 2.3))


def own_identity(draft: Draft) -> None:
    """Mail that passes SPF and DKIM, both for the spoofer's own domain; it says nothing of us."""
    domain, stream = _victim(draft), _stream(draft, "own identity")
    own = f"{draft.rng.choice(WORDS)}-{draft.rng.choice(WORDS)}.example"
    signed = (Signature(own, draft.choice(INVENTED)),) if draft.chance(0.7) else ()
    looks = ((Mail(domain.name, own, own, "pass", signed), 1.0),)
    _from_block(draft, stream, int(draft.rng.integers(1, 20)), looks, (0.3, 2.5))


def forged_selector(draft: Draft) -> None:
    """A signature in our name that nobody with our key made; some copy a selector that really is ours."""
    domain, stream = _victim(draft), _stream(draft, "forged selector")
    seen = sorted({s.selector for sent in draft.sent for s in sent.mail.signatures if s.domain == domain.name})
    copied = bool(seen) and draft.chance(0.4)
    selector = draft.choice(seen) if copied else draft.choice(INVENTED)
    mail = _plain(domain)._replace(signatures=(Signature(domain.name, selector, "fail" if copied else "permerror"),))
    _from_block(draft, stream, int(draft.rng.integers(1, 15)), ((mail, 1.0),), (0.3, 2.3))


def backscatter(draft: Draft) -> None:
    """Badly kept mail servers that answer forged mail in our name: null sender, nothing signed, many of them."""
    domain, stream = _victim(draft), _stream(draft, "backscatter", grouped=False)
    counts = _burst(draft, -0.3, 1.0)
    hosts = [draft.book.at(_place(draft, "hosting")) for _ in range(int(draft.rng.integers(5, 40)))]
    for day in np.flatnonzero(counts).tolist():
        for _ in range(int(counts[day])):
            ip = pick(draft.rng, hosts)
            helo = draft.book.hosts[ip].ptr or "mail.example"
            mail = Mail(domain.name, "", helo, draft.choice(("none", "pass")), spf_scope="helo")
            draft.sent.append(Sent(stream.key, day, ip, mail, "everywhere", 1))
