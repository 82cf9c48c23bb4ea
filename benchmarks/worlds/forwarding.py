"""Those who pass our mail on: providers, hosters, universities, filters in front of mailboxes, mailing lists."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.worlds.addresses import filled, places
from benchmarks.worlds.chance import pick
from benchmarks.worlds.draft import Draft
from benchmarks.worlds.mail import Mail, Sent, Signature, Stream
from benchmarks.worlds.organisation import WORDS, organizational


@dataclass(frozen=True, slots=True)
class Forwarder:
    """See forwarders.toml for what the fields mean."""

    name: str
    networks: tuple[str, ...]
    ptr: str
    style: str = "rewrite"
    envelope: str = ""
    breaks: float = 0.02
    seals: bool = False
    signs: bool = False
    footer: bool = False
    operator: str = ""
    weight: float = 1.0


@cache
def known(kind: str) -> tuple[Forwarder, ...]:
    """The real ones: kind is forwarder or list."""
    listed: list[dict[str, Any]] = tomllib.loads(Path(__file__).with_name("forwarders.toml").read_text())[kind]
    return tuple(Forwarder(**{**one, "networks": tuple(one["networks"])}) for one in listed)


def forward(draft: Draft) -> None:
    """Three to twelve forwarders, each with a few mailboxes that some of the streams write to."""
    direct = [sent for sent in draft.sent if draft.streams[sent.stream].kind in ("server", "service")]
    options = known("forwarder")
    weights = np.array([one.weight for one in options])
    number = min(6, 1 + int(draft.rng.poisson(3)))
    picks = draft.rng.choice(len(options), size=number, replace=False, p=weights / weights.sum())
    chosen = [options[index] for index in picks]
    chosen += [_unknown(draft) for _ in range(int(draft.rng.integers(1, 7)))]
    for forwarder in chosen:
        _forward(draft, forwarder, direct)
    for mailing_list in [one for one in known("list") if draft.chance(0.25)] + [_campus_list(draft)]:
        _distribute(draft, mailing_list, direct)


def _unknown(draft: Draft) -> Forwarder:
    """A university, a club or a company that no catalogue knows."""
    stem = f"{draft.rng.choice(WORDS)}{draft.rng.choice(WORDS)}"
    domain = f"{stem}.{draft.choice(('example', 'test', 'invalid'))}"
    campus = draft.chance(0.4)
    place = pick(draft.rng, places("campus" if campus else "hosting"))
    ptr = place.ptr if campus and place.ptr else f"{draft.choice(('mail', 'mx', 'relay', 'server'))}#.{domain}"
    return Forwarder(
        name=domain,
        networks=tuple(place.networks),
        ptr=ptr if draft.chance(0.9) else "",
        style=draft.choice(("keep", "rewrite", "deliver"), (0.55, 0.35, 0.1)),
        envelope=domain,
        breaks=float(draft.rng.choice([0.0, 0.02, 0.1, 0.6], p=[0.3, 0.4, 0.2, 0.1])),
        seals=draft.chance(0.2),
    )


def _hosts(draft: Draft, forwarder: Forwarder) -> tuple[str, ...]:
    # Providers forward from the machines that they send from; a filter has other machines for each customer.
    if forwarder.style != "deliver" and forwarder in (*known("forwarder"), *known("list")):
        return draft.book.pool(forwarder.operator or forwarder.name, forwarder.networks, forwarder.ptr)
    return draft.book.block(int(draft.rng.integers(1, 4)), forwarder.networks, forwarder.ptr)


def _forward(draft: Draft, forwarder: Forwarder, direct: Sequence[Sent]) -> None:
    hosts = _hosts(draft, forwarder)
    operator = forwarder.operator or forwarder.name
    stream = draft.add(Stream(f"via {forwarder.name}", "forwarder", forwarder.style, operator, True))
    # Which streams write to its mailboxes: a person's mailbox gets from several of them, a shop's customer from one.
    keys = {key for key in draft.streams if draft.chance(0.6)}
    rate = float(10 ** draft.rng.uniform(-3.7, -1.7))
    rates = {key: rate * float(draft.rng.lognormal(0, 0.7)) for key in sorted(keys)}
    customers = [f"{draft.rng.choice(WORDS)}{draft.rng.integers(10, 99)}.example" for _ in range(4)]
    audience = "filtered" if forwarder.style == "deliver" else "forwarded"
    expected = np.array([rates.get(sent.stream, 0.0) * sent.messages for sent in direct])
    drawn = draft.rng.poisson(expected)
    sticky = int(draft.rng.integers(1, 5))
    for index in np.flatnonzero(drawn).tolist():
        sent, count = direct[index], int(drawn[index])
        ip = hosts[int(draft.rng.integers(min(len(hosts), sticky * 4)))]
        broken = int(draft.rng.binomial(count, forwarder.breaks))
        customer = pick(draft.rng, customers)
        envelope = filled(forwarder.envelope, draft.rng, customer=customer, tenant=customers[0].partition(".")[0])
        for messages, breaks in ((count - broken, False), (broken, True)):
            if messages:
                mail = passed_on(draft, sent.mail, replace(forwarder, envelope=envelope), breaks)
                draft.sent.append(Sent(stream.key, sent.day, ip, mail, audience, messages))


def passed_on(draft: Draft, mail: Mail, forwarder: Forwarder, breaks: bool) -> Mail:
    """How a message looks after a forwarder had it."""
    signatures = list(_after(mail.signatures, breaks))
    if forwarder.signs:
        signatures.append(Signature(organizational(forwarder.envelope), "cf2024-1"))
    looks = mail._replace(signatures=tuple(signatures), sealed=forwarder.seals)
    if forwarder.style == "rewrite" and mail.envelope_from:
        return looks._replace(
            envelope_from=forwarder.envelope, spf_domain=forwarder.envelope, spf_result="pass", spf_scope="mfrom"
        )
    if not mail.envelope_from:
        helo = forwarder.envelope or organizational(forwarder.ptr.rpartition("#")[2].strip("-.") or "mx.example")
        return looks._replace(spf_domain=helo, spf_result="pass")
    # Its address is not in the sender's record: what that says of strangers, it says of a forwarder.
    ours = draft.organisation.elsewhere(mail.spf_domain)
    theirs = "fail" if len(mail.spf_domain) % 3 == 0 else "softfail"
    return looks._replace(spf_result=ours or theirs)


def _after(signatures: Iterable[Signature], breaks: bool) -> Iterable[Signature]:
    for signature in signatures:
        yield signature._replace(result="fail") if breaks and signature.result == "pass" else signature


def _campus_list(draft: Draft) -> Forwarder:
    """A Mailman at a university, as there are thousands."""
    place = pick(draft.rng, places("campus"))
    domain = f"lists.{draft.rng.choice(WORDS)}{draft.rng.choice(WORDS)}.example"
    ptr = place.ptr or f"mailman.{domain}"
    footer, seals = draft.chance(0.8), draft.chance(0.2)
    return Forwarder(domain, tuple(place.networks), ptr, envelope=domain, footer=footer, seals=seals)


def _distribute(draft: Draft, mailing_list: Forwarder, direct: Sequence[Sent]) -> None:
    """A few of our people write to a list; each post goes to all subscribers, with From as it was."""
    # Machines do not write to lists, and bounces do not get onto them.
    posts = [sent for sent in direct if sent.audience == "business" and sent.mail.envelope_from]
    posts = [sent for sent in posts if draft.streams[sent.stream].style != "devices"]
    if not posts:
        return
    operator = mailing_list.operator or mailing_list.name
    style = "footer" if mailing_list.footer else "plain"
    stream = draft.add(Stream(f"list at {mailing_list.name}", "list", style, operator, True))
    hosts = _hosts(draft, mailing_list)[:4]
    subscribers = float(10 ** draft.rng.uniform(1.2, 3.3))
    # Most lists rewrite From where the policy would make subscribers lose the post (RFC 9989 section 7.4).
    munges = draft.chance(0.5)
    for index in draft.rng.integers(len(posts), size=int(draft.rng.integers(3, 40))).tolist():
        post = posts[index]
        policy = draft.organisation.governing(post.mail.header_from).policy(post.day)
        if munges and policy.p != "none":
            continue
        mail = passed_on(draft, post.mail, mailing_list, mailing_list.footer)
        mail = mail._replace(via_list=True)
        count = int(draft.rng.poisson(subscribers))
        if count:
            draft.sent.append(Sent(stream.key, post.day, pick(draft.rng, hosts), mail, "forwarded", count))
