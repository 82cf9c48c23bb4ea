"""Which state the reports are in: random words, of all reports and of each domain's, by which kept answers are found.

A word is another one after every change, and a copy that is restored brings its own along: no state has another's
word. Whoever changes reports of few domains names them; all else changes the word that all of them stand on.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from warehouse.connect import Connection

WORD = "replace(uuid()::VARCHAR, '-', '')"
DIGEST = 16  # bytes


@dataclass(frozen=True, slots=True)
class Marks:
    """`every` says which state all reports are in; `ground` and a domain's own word, in which state its reports are."""

    every: str
    ground: str
    domains: Mapping[str, str]

    def of(self, domains: Collection[str]) -> str:
        """The state of the reports about some domains: all of them where none is named."""
        if not domains:
            return self.every
        known = hashlib.blake2b(self.ground.encode(), digest_size=DIGEST)
        for domain in sorted(set(domains)):
            known.update(repr((domain, self.domains.get(domain))).encode())
        return known.hexdigest()


def read(connection: Connection) -> Marks:
    """The words as they are."""
    every, ground = connection.execute("SELECT mark, ground FROM mark").fetchone() or ("", "")
    return Marks(every, ground, dict(connection.execute("SELECT domain, mark FROM domain_mark").fetchall()))


def change_all(connection: Connection) -> None:
    """Anything may have changed, of any domain; in the caller's transaction, as all of these."""
    connection.execute(f"UPDATE mark SET mark = {WORD}")
    connection.execute("UPDATE mark SET ground = mark")


def change(connection: Connection, domains: Iterable[str]) -> None:
    """Reports about these domains changed, and of no other, nor what is known of any other's addresses."""
    names = sorted(set(domains))
    if not names:
        return
    connection.execute(f"UPDATE mark SET mark = {WORD}")
    connection.execute(f"UPDATE domain_mark SET mark = {WORD} WHERE domain IN (SELECT unnest(?::VARCHAR[]))", [names])
    connection.execute(
        f"""
        INSERT INTO domain_mark SELECT domain, {WORD} FROM (SELECT unnest(?::VARCHAR[]) AS domain)
        ANTI JOIN (SELECT domain FROM domain_mark) USING (domain)
        """,
        [names],
    )


def change_addresses(connection: Connection, addresses: str) -> None:
    """What is known of some addresses (a query for source_ip) changed: so did whatever is told of their mail."""
    rows = connection.execute(f"SELECT DISTINCT domain FROM address_day WHERE source_ip IN ({addresses})").fetchall()
    change(connection, (domain for (domain,) in rows))
