"""The organisation's own machines: mail servers, offices behind one address, web servers, devices, legacy systems."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.worlds.addresses import Place, places
from benchmarks.worlds.chance import pick
from benchmarks.worlds.draft import Draft
from benchmarks.worlds.mail import Mail, Signature, Stream
from benchmarks.worlds.organisation import Domain
from benchmarks.worlds.volume import volume

SELECTORS = ("mail", "default", "dkim", "202401", "key1", "s2048")


def _somewhere(draft: Draft, group: str) -> Place:
    return pick(draft.rng, places(group))


def _stream(draft: Draft, domain: Domain, style: str, operator: str) -> Stream:
    return draft.add(Stream(f"{style} of {domain.name}", "server", style, operator, True))


def _listed(draft: Draft, domain: Domain, share: float) -> str:
    """What SPF says of an own machine: most are in the record, some were forgotten."""
    if domain.elsewhere in ("permerror", "none"):
        return domain.elsewhere
    return "pass" if draft.chance(share) else domain.elsewhere


def _signature(draft: Draft, domain: Domain, selectors: Sequence[str], holder: str) -> Signature:
    return Signature(domain.name, draft.held(draft.choice(selectors), f"_domainkey.{domain.name}", holder))


def mail_server(draft: Draft, domain: Domain, mean: float) -> Stream:
    """Postfix, Exim or Exchange: one to four machines, at home or rented; Exchange often does not sign."""
    exchange = draft.chance(0.35)
    style = "exchange server" if exchange else "mail server"
    stream = _stream(draft, domain, style, f"{draft.organisation.name} mail")
    place = _somewhere(draft, "access" if exchange else "hosting")
    hosts = draft.book.block(int(draft.rng.integers(1, 5)), place.networks, place.ptr)
    if draft.chance(0.8):
        for number, ip in enumerate(hosts):
            draft.book.name(ip, f"mail{number + 1}.{domain.name}", draft.chance(0.9))
            draft.zone[f"mail{number + 1}.{domain.name}", "A"] = ip
    spf = _listed(draft, domain, 0.95)
    signed = draft.chance(0.2 if exchange else 0.8)
    signatures = (_signature(draft, domain, SELECTORS, "mail server"),) if signed else ()
    main = Mail(domain.name, domain.name, domain.name, spf, signatures)
    found = [(main, 1.0)]
    if draft.chance(0.7):
        # The machine's own notices: bounces with the null sender, checked by its name (RFC 7208 section 2.3).
        helo = f"mail1.{domain.name}"
        result = "pass" if draft.chance(0.5) else "none"
        found.append((main._replace(envelope_from="", spf_domain=helo, spf_result=result, spf_scope="helo"), 0.02))
    if domain.subdomains and draft.chance(0.4):
        found.append((main._replace(header_from=domain.subdomains[-1], envelope_from=domain.subdomains[-1]), 0.1))
    if signatures:
        found.append((main._replace(signatures=(signatures[0]._replace(result="fail"),)), 0.003))
    counts = volume(draft.rng, draft.days, mean, "office", (0, draft.days - 1))
    draft.emit(stream, counts, lambda _: hosts, lambda _: found, "business")
    if draft.chance(0.5):
        _devices(draft, domain, hosts[0], spf)
    return stream


def _devices(draft: Draft, domain: Domain, office: str, spf: str) -> None:
    """Printers, scanners and alarms that send by themselves, from the office's one address (RFC 3022)."""
    stream = _stream(draft, domain, "devices", f"{draft.organisation.name} mail")
    main = Mail(domain.name, domain.name, domain.name, spf)
    odd = main._replace(envelope_from="", spf_domain="localhost.localdomain", spf_result="none", spf_scope="helo")
    counts = volume(draft.rng, draft.days, draft.rng.uniform(0.5, 8), "office", draft.alive())
    draft.emit(stream, counts, lambda _: (office,), lambda _: ((main, 1.0), (odd, 0.2)), "business")


def web_server(draft: Draft, domain: Domain, mean: float) -> Stream:
    """A site's forms and orders, by PHP's mail() on a rented server: its return path is the machine."""
    stream = _stream(draft, domain, "web server", f"{draft.organisation.name} web")
    place = _somewhere(draft, "hosting")
    host = draft.book.at(place)
    machine = draft.book.hosts[host].ptr or f"srv{draft.rng.integers(10, 99)}.{place.name}"
    if draft.chance(0.4):
        machine = f"www.{domain.name}"
        draft.zone[machine, "A"] = host
        draft.book.name(host, machine, draft.chance(0.7))
    fixed = draft.chance(0.35)
    envelope = domain.name if fixed else machine
    spf = _listed(draft, domain, 0.6) if fixed else draft.choice(("none", "pass", "neutral"))
    signed = draft.chance(0.25)
    signatures = (_signature(draft, domain, ("default", "x", "dkim"), "web server"),) if signed else ()
    main = Mail(domain.name, envelope, envelope, spf, signatures)
    counts = volume(draft.rng, draft.days, mean, draft.choice(("always", "shop", "office")), draft.alive())
    draft.emit(stream, counts, lambda _: (host,), lambda _: ((main, 1.0),), "consumers")
    return stream


def legacy(draft: Draft, domain: Domain, mean: float) -> Stream:
    """An old application that nobody remembers: no signature, seldom in SPF, often only at the end of a month."""
    stream = _stream(draft, domain, "legacy system", f"{draft.organisation.name} legacy")
    place = _somewhere(draft, draft.choice(("access", "hosting")))
    host = draft.book.at(place)
    if draft.chance(0.5):
        draft.book.name(host, f"{draft.choice(('erp', 'app01', 'sap', 'cron'))}.{domain.name}", draft.chance(0.6))
    spf = _listed(draft, domain, 0.35)
    main = Mail(domain.name, domain.name, domain.name, spf)
    rhythm = draft.choice(("office", "always", "monthend", "quarter"), (0.35, 0.25, 0.3, 0.1))
    counts = volume(draft.rng, draft.days, mean, rhythm, draft.alive())
    draft.emit(stream, counts, lambda _: (host,), lambda _: ((main, 1.0),), "business")
    return stream
