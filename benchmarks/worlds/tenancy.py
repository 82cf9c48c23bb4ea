"""An organisation as the customer of a service: what it set up, what it forgot, what broke."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from benchmarks.worlds.draft import Draft, Looks
from benchmarks.worlds.evaluation import aligned
from benchmarks.worlds.mail import Mail, Signature, Stream, Turn
from benchmarks.worlds.organisation import Domain
from benchmarks.worlds.services import Service, filled_for, pool
from benchmarks.worlds.volume import volume

Key = Literal["own", "service", "none", "missing", "expired", "wrong"]

RHYTHMS = {
    "mailing": (("newsletter", "twice", "campaign", "shop"), "consumers"),
    "transactional": (("always", "shop", "office"), "consumers"),
    "business": (("office", "always", "monthend", "quarter"), "business"),
    "mailbox": (("office",), "business"),
    "gateway": (("office",), "business"),
}


@dataclass(frozen=True, slots=True)
class Setup:
    """What the customer did: whose key signs (or what is wrong with ours), and whose return path it is."""

    key: Key
    path: Literal["custom", "service", "included", "forgotten"]

    @property
    def word(self) -> str:
        """For the truth."""
        return f"{self.key} key, {self.path} return path"


def setup(draft: Draft, service: Service) -> Setup:
    """What this customer did of what the service offers."""
    unsigned: Key = "service" if service.own else "none"
    key: Key = unsigned
    if service.selectors and draft.chance(0.85):
        fault = draft.chance(0.15)
        key = draft.choice(("missing", "expired", "wrong")) if fault else "own"  # type: ignore[assignment]
    if service.mail_from:
        return Setup(key, "custom" if service.custom and draft.chance(0.5) else "service")
    return Setup(key, "included" if draft.chance(0.8) else "forgotten")


def tenant(draft: Draft, service: Service, domain: Domain, mean: float) -> Stream:
    """All mail that a service sends for one of our domains."""
    chosen = setup(draft, service)
    stream = draft.add(
        Stream(
            f"{service.name} for {domain.name}", "service", chosen.word, service.name, True, service.name,
            service.catalogued, bool(service.selectors or service.custom or not service.mail_from),
        )
    )  # fmt: skip
    rhythms, audience = RHYTHMS[service.group]
    counts = volume(draft.rng, draft.days, mean, draft.choice(rhythms), draft.alive())
    addresses = _addresses(draft, service, domain)
    before = looks(draft, service, domain, chosen)
    after, turn = before, draft.days
    if draft.chance(0.1):
        # Something is repaired, or breaks, on the way.
        turn = int(draft.rng.integers(15, draft.days))
        broken = Setup("missing" if chosen.key == "own" else "own" if service.selectors else chosen.key, chosen.path)
        after = looks(draft, service, domain, broken)
        draft.turns.append(Turn(stream.key, turn, *(_aligns(mails[0][0], domain) for mails in (before, after))))
    draft.emit(stream, counts, lambda _: addresses, lambda day: before if day < turn else after, audience)
    return stream


def _addresses(draft: Draft, service: Service, domain: Domain) -> tuple[str, ...]:
    """The service's shared addresses, or some for this customer alone: the same few for years."""
    shared = tuple(ip for ip in pool(draft, service) if ip not in draft.book.dedicated)
    if not shared or service.group in ("mailbox", "gateway") or draft.chance(0.65):
        return shared or pool(draft, service)
    own = tuple(shared[index] for index in draft.rng.permutation(len(shared))[: int(draft.rng.integers(1, 4))])
    draft.book.dedicated.update(own)
    if service.custom and draft.chance(0.4):
        label = filled_for(draft, service.custom, domain.name)
        for number, ip in enumerate(own, start=1):
            draft.book.name(ip, f"o{number}.{label}.{domain.name}")
    return own


def looks(draft: Draft, service: Service, domain: Domain, chosen: Setup) -> Looks:
    """How the mail looks: mostly one way; some from a subdomain, some signed by accident of transport only."""
    names = [domain.name]
    if domain.subdomains and draft.chance(0.4):
        names = [str(draft.rng.choice(domain.subdomains))]
        if draft.chance(0.3):
            names.append(domain.name)
    found: list[tuple[Mail, float]] = []
    for name in names:
        # A key may be made for the domain itself or for the name that stands in From.
        main = _mail(draft, service, name, chosen, name if draft.chance(0.5) else domain.name, domain)
        found.append((main, 1.0))
        broken = tuple(signature._replace(result="fail") for signature in main.signatures)
        if broken and draft.chance(0.6):
            found.append((main._replace(signatures=broken), float(draft.rng.uniform(0.0005, 0.01))))
        if draft.chance(0.3):
            found.append((main._replace(spf_result="temperror"), float(draft.rng.uniform(0.0005, 0.004))))
        if service.group == "mailbox":
            helo = service.ptr.partition(".")[2]
            # Bounces and automatic replies have the null sender.
            found.append((main._replace(envelope_from="", spf_domain=helo, spf_scope="helo"), 0.015))
    return found


def _aligns(mail: Mail, domain: Domain) -> bool:
    policy = domain.policy(0)
    signed = any(s.result == "pass" and aligned(mail.header_from, s.domain, policy.adkim) for s in mail.signatures)
    return signed or (mail.spf_result == "pass" and aligned(mail.header_from, mail.spf_domain, policy.aspf))


def _mail(draft: Draft, service: Service, name: str, chosen: Setup, signer: str, domain: Domain) -> Mail:
    envelope, result = _path(draft, service, name, chosen, domain)
    return Mail(name, envelope, envelope, result, tuple(_signatures(draft, service, chosen, signer)))


def _path(draft: Draft, service: Service, name: str, chosen: Setup, domain: Domain) -> tuple[str, str]:
    if chosen.path == "service":
        return filled_for(draft, service.mail_from, name), "pass"
    if chosen.path == "custom":
        label = draft.held(filled_for(draft, service.custom, name), name, service.name)
        envelope = f"{label}.{name}"
        draft.zone[envelope, "CNAME"] = filled_for(draft, service.mail_from, name)
        return envelope, "pass"
    if chosen.path == "included" and domain.elsewhere not in ("permerror", "none"):
        draft.zone[name, f"SPF include {service.name}"] = filled_for(draft, service.include, name)
        return name, "pass"
    return name, domain.elsewhere


def _signatures(draft: Draft, service: Service, chosen: Setup, signer: str) -> Sequence[Signature]:
    found = []
    if chosen.key in ("own", "missing", "expired", "wrong"):
        template = str(draft.rng.choice(service.selectors))
        selector = filled_for(draft, template, signer)
        result = {"own": "pass", "missing": "permerror", "expired": "fail", "wrong": "permerror"}[chosen.key]
        if chosen.key == "wrong":
            selector = f"{selector}-old"
        if chosen.key == "own":
            selector = draft.held(selector, f"_domainkey.{signer}", service.name)
            kind = "CNAME" if service.cname else "TXT"
            target = filled_for(draft, service.cname or "v=DKIM1; p=…", signer, selector=selector)
            draft.zone[f"{selector}._domainkey.{signer}", kind] = target
        found.append(Signature(signer, selector, result))
    # Some sign twice: for the customer and for themselves (feedback loops ask for it).
    if service.own and (chosen.key == "service" or (service.group == "transactional" and draft.chance(0.5))):
        own_domain, own_selector = service.own
        found.append(Signature(filled_for(draft, own_domain, signer), filled_for(draft, own_selector, signer)))
    return found
