"""How mail is forged: rented and broken-into machines, in bursts and as a slow drip."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from ipaddress import IPv4Address, IPv4Network
from typing import NamedTuple

from sample_reports.chance import Chance
from sample_reports.traffic import Seen, Sighting, Signature, Spf

_SYLLABLES = ("ba", "der", "lin", "mo", "ka", "tri", "sol", "ven", "ur", "pex", "na", "do", "qui", "sta")


class Bot(NamedTuple):
    """A machine that forges: its address, how hard it works, and how it fills the envelope."""

    address: str
    weight: float
    style: str
    own_domain: str


@dataclass(frozen=True)
class Campaign:
    """Forged mail in the name of one domain.

    `styles` weighs how the envelope is filled: `ours` (the forged domain itself), `random` (a name that does not
    exist), `own` (a domain of the forger's, with a valid SPF record), `signed` (the same, with DKIM), `empty`.
    """

    name: str
    domain: str
    role: str
    networks: Mapping[str, tuple[str, ...]]
    bots: int
    daily: float
    noise: float
    since: date
    until: date
    our_spf: str
    styles: Mapping[str, float]
    audience: Mapping[str, float]
    at_once: int
    subdomains: tuple[str, ...] = ()

    @property
    def source(self) -> str:
        """The key of this source in the truth."""
        return f"{self.domain}/{self.name}"


def bots(campaign: Campaign, seed: int) -> list[Bot]:
    """The machines of a campaign: the same ones on all its days."""
    chance = Chance.of(seed, campaign.source, "bots")
    networks = [IPv4Network(text) for texts in campaign.networks.values() for text in texts]
    found: dict[str, Bot] = {}
    while len(found) < campaign.bots:
        network = chance.choice(networks)
        address = str(IPv4Address(int(network.network_address) + chance.randrange(4, network.num_addresses - 4)))
        style = chance.choices(list(campaign.styles), list(campaign.styles.values()))[0]
        found[address] = Bot(address, chance.lognormvariate(0, 1.2), style, _name(chance))
    return list(found.values())


def forge(campaign: Campaign, machines: list[Bot], day: date, seed: int) -> Iterator[Sighting]:
    """One day of a campaign: some of its machines at work."""
    if not campaign.since <= day <= campaign.until:
        return
    chance = Chance.of(seed, campaign.source, day)
    messages = chance.volume(campaign.daily, campaign.noise)
    working = chance.sample(machines, min(campaign.at_once, len(machines)))
    received = chance.split(messages, [bot.weight for bot in working])
    for bot, count in zip(working, received, strict=True):
        if count:
            seen = _forged(campaign, bot, chance)
            for reporter, part in zip(
                campaign.audience, chance.split(count, list(campaign.audience.values())), strict=True
            ):
                yield Sighting(reporter, day, seen, part)


def _forged(campaign: Campaign, bot: Bot, chance: Chance) -> Seen:
    header_from = campaign.domain
    if campaign.subdomains and chance.random() < 0.2:
        header_from = f"{chance.choice(campaign.subdomains)}.{campaign.domain}"
    envelope, spf = _envelope(campaign, bot, header_from, chance)
    signatures = (Signature(bot.own_domain, "default", "pass"),) if bot.style == "signed" else ()
    return Seen(campaign.source, campaign.domain, bot.address, header_from, envelope, signatures, spf)


def _envelope(campaign: Campaign, bot: Bot, header_from: str, chance: Chance) -> tuple[str, Spf]:
    if bot.style == "ours":
        # A subdomain that does not exist has no SPF record, whatever the parent's says.
        return header_from, Spf(header_from, "mfrom", campaign.our_spf if header_from == campaign.domain else "none")
    if bot.style == "random":
        name = f"{_name(chance)}"
        return name, Spf(name, "mfrom", chance.choice(("none", "none", "none", "permerror", "fail")))
    if bot.style == "empty":
        return "", Spf(f"host{bot.address.rsplit('.', 1)[-1]}.{bot.own_domain}", "helo", "none")
    return bot.own_domain, Spf(bot.own_domain, "mfrom", "pass")


def _name(chance: Chance) -> str:
    # Under .example, which nobody can own: an invented criminal must not have a real domain.
    return "".join(chance.choice(_SYLLABLES) for _ in range(chance.randint(2, 4))) + ".example"
