"""What the DNS of our own domains says of each source: whether it names its service, and what mail it points there."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from analysis.facts import listed
from analysis.pointers import Pointer, Pointers
from ingest.alignment import organizational_domain

KEY = ["domain", "source_key"]
Place = tuple[str, str]  # a domain and a source_key


def dns_traced(
    sources: pl.DataFrame, signatures: pl.DataFrame, envelopes: pl.DataFrame, pointers: Pointers
) -> pl.DataFrame:
    """One row for each domain and source_key of `sources`, from `reads_sources.signature_sums` and `envelope_sums`.

    dns_pointed: messages that pass by a key, or by a return path, that the domain's DNS points to where the source
    is (Int64; the larger of both). dns_named: whether the domain's DNS names the source's service at all. dns_known:
    whether the domain's DNS was asked (Boolean).
    """
    by_key = _pointed(signatures, ("selector", "signing_domain"), pointers)
    by_path = _pointed(envelopes, ("spf_domain",), pointers)
    rows = []
    for domain, key in sources.select(KEY).iter_rows():
        organization, service = organizational_domain(domain), listed(key)
        named = service is not None and service.id in pointers.named(organization)
        pointed = max(by_key.get((domain, key), 0), by_path.get((domain, key), 0))
        rows.append((domain, key, pointed, named or pointed > 0, organization in pointers.domains))
    schema = {"domain": pl.String, "source_key": pl.String, "dns_pointed": pl.Int64, "dns_named": pl.Boolean,
              "dns_known": pl.Boolean}  # fmt: skip
    return pl.DataFrame(rows, schema=schema, orient="row")


def _pointed(rows: pl.DataFrame, names: tuple[str, ...], pointers: Pointers) -> Mapping[Place, int]:
    """Messages of each source that pass by names of its domain's that lead to the source itself."""
    found: dict[Place, int] = {}
    passing = rows.filter((pl.col("result") == "pass") & pl.all_horizontal(pl.col(one) != "" for one in names))
    for domain, key, messages, *told in passing.select(*KEY, "messages", *names).iter_rows():
        if organizational_domain(told[-1]) == organizational_domain(domain):
            pointer = pointers.path(*told) if len(told) == 1 else pointers.key(*told)
            if pointer and leads_to(pointer, key):
                found[domain, key] = found.get((domain, key), 0) + messages
    return found


def leads_to(pointer: Pointer, source_key: str) -> bool:
    """Whether a source is what a name points to."""
    service = listed(source_key)
    if service or pointer.service:
        return service == pointer.service
    return source_key.removeprefix("ptr:").partition("@")[0] == pointer.organization
