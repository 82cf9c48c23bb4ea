"""What was edited in DNS, and when? Two answers for one name that differ, from looks on different days."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

import polars as pl

from ingest.alignment import organizational_domain
from ingest.probes import keys
from warehouse import reads_changes
from warehouse.connect import Connection

MOST = 6  # records named in a description
SHORT = 16  # characters of a key that are shown


@dataclass(frozen=True, slots=True)
class DnsEdit:
    """One name answers otherwise: the edit was made from day `first` (the last look before) to `last`.

    `domain` is the organizational domain it was asked for, `name` in lower case; `gone` and `come` are the records
    (of an SPF record: its terms, of a key: its tags) that only the older and only the newer answer has; `records` are
    all of the newer. All of it is others' text.
    """

    domain: str
    name: str
    rdtype: str
    first: date
    last: date
    gone: tuple[str, ...]
    come: tuple[str, ...]
    records: tuple[str, ...] = ()

    @property
    def of_key(self) -> bool:
        """Whether the name is that of a DKIM key."""
        return "._domainkey." in self.name

    @property
    def of_spf(self) -> bool:
        """Whether it is one of SPF: other names with text have it for something else (keys, RFC 9989's policies)."""
        return self.rdtype == "TXT" and not self.of_key and not self.name.startswith("_dmarc.")

    def described(self) -> str:
        """The name and what went and came, to be shown as others' text; of a key as much as tells it from others."""
        gone, come = (
            [_short(text) if self.of_key else text for text in some[:MOST]] for some in (self.gone, self.come)
        )
        parts = [f"-{text}" for text in gone] + [f"+{text}" for text in come]
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
                found.append(DnsEdit(str(domain), name_, str(rdtype), *days, gone, come, tuple(after)))
    return sorted(found, key=lambda one: (one.last, one.domain, one.name, one.rdtype))


def _apart(these: list[str], those: list[str]) -> tuple[str, ...]:
    """The terms of the first that are not among the second's, in their order."""
    other = set(_terms(those))
    return tuple(dict.fromkeys(term for term in _terms(these) if term not in other))


def _terms(records: list[str]) -> Iterator[str]:
    """An SPF record by its terms, so that one include can be seen among many, a key by its tags; any other as it is."""
    for record in records:
        if record.lower().startswith("v=spf1"):
            yield from record.split()
        elif "p" in (tags := keys.tags(record)):
            yield from (f"{name}={value}" for name, value in tags.items())
        else:
            yield record


def _short(text: str) -> str:
    # A key's first characters say what it is, and are the same in all; its end is not, but for what says "the end".
    return text if len(text) <= SHORT else f"{text[:2]}…{text[-SHORT:]}"
