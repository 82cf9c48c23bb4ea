"""What the DNS of our own domains says of each source: whether it names its service, and what mail it points there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from analysis.clouds import OPERATED
from analysis.facts import listed
from analysis.organizations import organizational
from analysis.pointers import Pointer, Pointers
from ingest.catalogue.service import Service

KEY = ["domain", "source_key"]
Place = tuple[str, str]  # a domain and a source_key


def dns_traced(
    sources: pl.DataFrame,
    signatures: pl.DataFrame,
    envelopes: pl.DataFrame,
    pointers: Pointers,
    carriers: Mapping[str, Service],
) -> pl.DataFrame:
    """One row for each domain and source_key of `sources`, from `reads_sources.signature_sums` and `envelope_sums`.

    `carriers`: by source_key, through whose machines a service sends. What names one of them names both.
    dns_pointed: messages that pass by a key, or by a return path, that the domain's DNS points to where the source
    is (Int64; the larger of both). dns_named: whether the domain's DNS names the source's service at all. dns_known:
    whether the domain's DNS was asked (Boolean).
    """
    by_key = _pointed(signatures, ("selector", "signing_domain"), pointers, carriers)
    by_path = _pointed(envelopes, ("spf_domain",), pointers, carriers)
    # Strangers are many and no service: only those that may be named are looked at one by one.
    keys = sources["source_key"].unique()
    some = keys.filter(keys.str.starts_with("svc:") | keys.is_in([*OPERATED, *carriers]))
    services = [(key, one.id) for key in some for one in (listed(key), carriers.get(key)) if one]
    named = [(domain, service) for domain in pointers.domains for service in pointers.named(domain)]
    pointed = [(*place, max(by_key.get(place, 0), by_path.get(place, 0))) for place in {**by_key, **by_path}]
    return (
        sources.select(*KEY, org=organizational(pl.col("domain")))
        .join(_named(services, named), on=["org", "source_key"], how="left")
        .join(_frame(pointed, *KEY, "dns_pointed"), on=KEY, how="left")
        .select(
            *KEY,
            pl.col("dns_pointed").fill_null(0),
            dns_named=pl.col("dns_named").fill_null(False) | (pl.col("dns_pointed") > 0).fill_null(False),
            dns_known=pl.col("org").is_in(list(pointers.domains)),
        )
    )


def _named(services: Sequence[tuple[str, str]], named: Sequence[tuple[str, str]]) -> pl.DataFrame:
    """Each org and source_key of which the org's DNS names the service, or who carries it."""
    found = _frame(services, "source_key", "service").join(_frame(named, "org", "service"), on="service")
    return found.select("org", "source_key", dns_named=pl.lit(True)).unique()


def _frame(rows: Sequence[tuple[object, ...]], *names: str) -> pl.DataFrame:
    schema = {name: pl.Int64 if name == "dns_pointed" else pl.String for name in names}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _pointed(
    rows: pl.DataFrame, names: tuple[str, ...], pointers: Pointers, carriers: Mapping[str, Service]
) -> Mapping[Place, int]:
    """Messages of each source that pass by names of its domain's that lead to the source itself."""
    found: dict[Place, int] = {}
    passing = rows.filter((pl.col("result") == "pass") & pl.all_horizontal(pl.col(one) != "" for one in names))
    own = passing.filter(organizational(pl.col(names[-1])) == organizational(pl.col("domain")))
    for domain, key, messages, *told in own.select(*KEY, "messages", *names).iter_rows():
        pointer = pointers.path(*told) if len(told) == 1 else pointers.key(*told)
        if pointer and leads_to(pointer, key, carriers.get(key)):
            found[domain, key] = found.get((domain, key), 0) + messages
    return found


def leads_to(pointer: Pointer, source_key: str, carrier: Service | None = None) -> bool:
    """Whether a source, or who carries its mail, is what a name points to."""
    service = listed(source_key)
    if service or pointer.service:
        return pointer.service in (service, carrier) and pointer.service is not None
    return source_key.removeprefix("ptr:").partition("@")[0] == pointer.organization
