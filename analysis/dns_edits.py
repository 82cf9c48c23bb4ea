"""What was edited in DNS, and when? Two answers for one name that differ, from looks on different days."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

import polars as pl

from ingest.alignment import organizational_domain
from warehouse import reads_changes
from warehouse.connect import Connection

MOST = 6  # records named in a description


@dataclass(frozen=True, slots=True)
class DnsEdit:
    """One name answers otherwise: the edit was made from day `first` (the last look before) to `last`.

    `domain` is the organizational domain it was asked for, `name` in lower case; `gone` and `come` are the records
    (of an SPF record: its terms) that only the older and only the newer answer has. All of it is others' text.
    """

    domain: str
    name: str
    rdtype: str
    first: date
    last: date
    gone: tuple[str, ...]
    come: tuple[str, ...]

    def described(self) -> str:
        """The name and what went and came, to be shown as others' text."""
        parts = [f"-{text}" for text in self.gone[:MOST]] + [f"+{text}" for text in self.come[:MOST]]
        return f"{self.name} {self.rdtype}: {' '.join(parts)}"


def dns_edits_of(connection: Connection, domains: Iterable[str]) -> list[DnsEdit]:
    """The edits that were seen below the organizational domains of some domains, oldest first."""
    owners = {organizational_domain(domain) or domain for domain in domains}
    return dns_edits(reads_changes.dns_answers(connection, sorted(owners)))


def dns_edits(answers: pl.DataFrame) -> list[DnsEdit]:
    """The edits that answers show, oldest first. `answers` is as reads_changes.dns_answers gives it.

    Addresses of hosts are left out: many names give others at each look, and nobody edited anything.
    """
    found = list[DnsEdit]()
    answers = answers.filter(~pl.col("rdtype").is_in(["A", "AAAA"]))
    parts = answers.sort("first_seen_at").partition_by("domain", "name", "rdtype", as_dict=True, maintain_order=True)
    for (domain, name, rdtype), rows in parts.items():
        told = rows.select("records", "first_seen_at", "last_seen_at").rows()
        for (before, _, until), (after, since, _) in pairwise(told):
            gone, come = _apart(before, after), _apart(after, before)
            if gone or come:
                name_, days = str(name).lower(), (until.date(), since.date())
                found.append(DnsEdit(str(domain), name_, str(rdtype), *days, gone, come))
    return sorted(found, key=lambda one: (one.last, one.domain, one.name, one.rdtype))


def _apart(these: list[str], those: list[str]) -> tuple[str, ...]:
    """The terms of the first that are not among the second's, in their order."""
    other = set(_terms(those))
    return tuple(dict.fromkeys(term for term in _terms(these) if term not in other))


def _terms(records: list[str]) -> Iterator[str]:
    """An SPF record by its terms, so that one include can be seen among many; any other record as it is."""
    for record in records:
        if record.lower().startswith("v=spf1"):
            yield from record.split()
        else:
            yield record
