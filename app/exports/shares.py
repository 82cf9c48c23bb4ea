"""Whose week is it? Which domains, and whose findings, a part of the summary is about."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from app.config import Config, meant
from app.settings import RecipientSettings
from ingest.errors import UsageError


@dataclass(frozen=True, slots=True)
class Share:
    """A part of the week: domains (none of them: of all), and only what this owner is to act on, if one is named."""

    domains: tuple[str, ...] = ()
    owner: str = ""


def share_of(
    config: Config,
    wanted: RecipientSettings,
    held: Sequence[str],
    people: Mapping[str, Collection[str]] = MappingProxyType({}),
) -> Share | None:
    """The part that meets every condition, of the domains that have reports; None where there are none.

    `people` are those whom decisions and findings name as owners, beside the configuration, each with the domains.
    """
    clients = {one.client for one in config.domains if one.client}
    if wanted.client and wanted.client not in clients:
        hint = meant(wanted.client, clients) if clients else "No [[domain]] of the configuration names a client."
        raise UsageError(f"No domain has the client {wanted.client!r}.", hint)
    acting = {*owners(config), *people}
    if wanted.owner and wanted.owner not in acting:
        hint = meant(wanted.owner, acting) if acting else "Nobody is named as an owner yet: findings assign does so."
        raise UsageError(f"Nothing has the owner {wanted.owner!r}.", hint)
    client = {one.name for one in config.domains if one.client == wanted.client}
    chosen = [
        domain
        for domain in held
        if (not wanted.domains or domain in wanted.domains) and (not wanted.client or domain in client)
    ]
    if not chosen:
        return None
    if wanted.owner:
        given = people.get(wanted.owner, ())
        own = tuple(domain for domain in chosen if domain in given or config.owner_of(domain) == wanted.owner)
        return Share(own or tuple(chosen), wanted.owner)
    return Share(tuple(chosen) if wanted.domains or wanted.client else ())


def owners(config: Config) -> set[str]:
    """Everybody that the configuration names as an owner."""
    named = {one.owner for one in config.domains} | {one.owner for one in config.clients}
    return (named | {config.report.owner}) - {""}
