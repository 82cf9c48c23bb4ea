"""What people declare of the sources of a domain, and which of the sources that are seen each declaration means."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import date
from ipaddress import ip_address, ip_network

import polars as pl

from analysis.genuine import counted
from ingest.catalogue.catalogue import catalogue
from warehouse import reads_declared
from warehouse import reads_sources as reads
from warehouse.connect import Connection
from warehouse.reads import decisions
from warehouse.scope import Scope

KEY = ["domain", "source_key"]
MOSTLY = 0.5  # share of a source's mail that has to fit: a forwarder carries everybody's signatures


@dataclass(frozen=True, slots=True)
class Match:
    """How a source is recognised without its key; all that is given must fit most of its mail.

    `service` is a service's name, or its id in the catalogue. Signatures and envelopes count where they pass, because
    anybody can claim them. `addresses` are addresses or networks.
    """

    service: str | None = None
    envelope_domain: str | None = None
    signing_domain: str | None = None
    selector: str | None = None
    addresses: tuple[str, ...] = ()

    def __str__(self) -> str:
        said = ((one.name, getattr(self, one.name)) for one in fields(self))
        return ", ".join(
            f"{name} {' '.join(value) if isinstance(value, tuple) else value}" for name, value in said if value
        )


@dataclass(frozen=True, slots=True)
class Declared:
    """One declaration: what somebody says of a source of `domain`, named by its key or recognised by `match`.

    `verdict` is a decision's word, or undecided. `line` is where it stands in its file, 0 where it is in none.
    """

    domain: str
    verdict: str
    key: str | None = None
    match: Match | None = None
    owner: str | None = None
    note: str | None = None
    expects: str | None = None
    cadence: str | None = None
    until: date | None = None
    line: int = 0

    @property
    def label(self) -> str:
        """What it is about, for a person."""
        return self.key or str(self.match)

    def over(self, today: date) -> bool:
        """Whether its last day is over."""
        return self.until is not None and self.until < today


def stored(connection: Connection, domains: Sequence[str] = ()) -> list[Declared]:
    """The decisions that count, as declarations; those whose last day is over too."""
    return [
        Declared(
            domain=row["domain"],
            verdict=row["decision"],
            key=row["source_key"],
            owner=row["owner"],
            note=row["note"],
            expects=row["expects"],
            cadence=row["cadence"],
            until=row["until"],
        )
        for row in decisions(connection).iter_rows(named=True)
        if not domains or row["domain"] in domains
    ]


def resolved(connection: Connection, declared: Sequence[Declared]) -> list[tuple[str, ...]]:
    """The keys of the sources that each declaration means, in order. A key means itself, seen or not."""
    recognised = [one for one in declared if one.match]
    if not recognised:
        return [(one.key,) if one.key else () for one in declared]
    scope = counted(connection, Scope(tuple(sorted({one.domain for one in recognised}))))
    seen = _Seen.of(connection, scope)
    return [(one.key,) if one.key else seen.matching(one) for one in declared]


@dataclass(frozen=True, slots=True)
class _Seen:
    """What is known of the sources of some domains. `totals` holds domain, source_key and messages."""

    totals: pl.DataFrame
    services: dict[str, str]
    envelopes: pl.DataFrame
    signatures: pl.DataFrame
    addresses: pl.DataFrame

    @classmethod
    def of(cls, connection: Connection, scope: Scope) -> _Seen:
        """Read it."""
        envelopes = reads.envelope_sums(connection, scope)
        totals = envelopes.group_by(KEY).agg(pl.col("messages").sum())
        facts = reads.source_facts(connection, totals["source_key"].unique().to_list())
        services = {key: (name or "").casefold() for key, name in facts.select("source_key", "service").iter_rows()}
        signatures = reads.signature_sums(connection, scope)
        return cls(totals, services, envelopes, signatures, reads_declared.addresses_of(connection, scope))

    def matching(self, one: Declared) -> tuple[str, ...]:
        """The sources that a declaration's match fits."""
        match = one.match
        assert match is not None
        totals = self.totals.filter(domain=one.domain)
        found = set(totals["source_key"])
        if match.service:
            known = catalogue().get(match.service.casefold())
            names = {match.service.casefold(), *([known.name.casefold()] if known else [])}
            found = {key for key in found if self.services.get(key) in names}
        if match.envelope_domain:
            found &= _most(totals, self.envelopes, _named("spf_domain", match.envelope_domain))
        if match.signing_domain or match.selector:
            fits = [_named("signing_domain", match.signing_domain), _named("selector", match.selector)]
            found &= _most(totals, self.signatures, pl.all_horizontal(fits))
        if match.addresses:
            own = self.addresses.filter(domain=one.domain)
            found &= _most(totals, own, pl.col("source_ip").is_in(_within(own["source_ip"], match.addresses)), None)
        return tuple(sorted(found))


def _named(column: str, name: str | None) -> pl.Expr:
    if name is None:
        return pl.lit(True)
    return pl.col(column).str.to_lowercase() == name.lower().rstrip(".")


def _most(totals: pl.DataFrame, rows: pl.DataFrame, fits: pl.Expr, result: str | None = "pass") -> set[str]:
    """The sources most of whose mail fits."""
    fits = fits & (pl.col("result") == result) if result else fits
    # One message may carry several signatures, but hardly the same twice.
    parts = rows.filter(fits).group_by(KEY).agg(part=pl.col("messages").sum())
    return set(totals.join(parts, on=KEY).filter(pl.col("part") >= MOSTLY * pl.col("messages"))["source_key"])


def _within(ips: Iterable[str], networks: Sequence[str]) -> list[str]:
    ranges = [ip_network(text) for text in networks]
    found = []
    for text in ips:
        try:
            ip = ip_address(text)
        except ValueError:  # what a report calls an address need not be one
            continue
        if any(ip in one for one in ranges):
            found.append(text)
    return found
