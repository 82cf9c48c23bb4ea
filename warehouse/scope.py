"""What part of the warehouse a question is about."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Scope:
    """Domains and days; empty or None means all. Days are report days in UTC, both ends included."""

    domains: tuple[str, ...] = ()
    since: date | None = None
    until: date | None = None

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
        return " AND ".join(parts), values
