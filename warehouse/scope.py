"""What part of the warehouse a question is about."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Scope:
    """Domains and days; empty or None means all. Days are report days in UTC, both ends included.

    `without` are reports that are left out, as (reporter, doubt): see analysis.genuine.
    """

    domains: tuple[str, ...] = ()
    since: date | None = None
    until: date | None = None
    without: tuple[tuple[str, str], ...] = ()

    def where(self, *, day: str = "day", domain: str = "domain") -> tuple[str, list[object]]:
        """The scope as an SQL condition on the named columns, with its parameters in order."""
        parts, values = ["true"], list[object]()
        if self.domains:
            parts.append(f"{domain} IN (SELECT unnest(?::VARCHAR[]))")
            values.append(list(self.domains))
        if self.since:
            parts.append(f"{day} >= ?")
            values.append(self.since)
        if self.until:
            parts.append(f"{day} <= ?")
            values.append(self.until)
        counted, more = self.counted()
        return " AND ".join([*parts, *counted]), [*values, *more]

    def counted(self) -> tuple[list[str], list[object]]:
        """What a row is to meet in order not to be left out; nothing where nothing is."""
        if not self.without:
            return [], []
        # Most rows are in no doubt, so the list is seldom looked at.
        condition = "(doubt = '' OR NOT list_contains(?::VARCHAR[], doubt || ' ' || reporter))"
        return [condition], [[f"{doubt} {reporter}" for reporter, doubt in self.without]]
