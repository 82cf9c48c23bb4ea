"""What DNS said of a name (RFC 1034, 1035), whoever asked and when. Asks nobody and loads nothing that does.

"There is no such record" is a fact about a domain; "nobody told us" is not.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class Status(StrEnum):
    """How a question ended: the first three are answers, the others are failures."""

    VALUE = "value"
    NXDOMAIN = "nxdomain"  # the name does not exist (RFC 8020: nothing below it either)
    NODATA = "nodata"  # the name exists, without a record of this type (RFC 2308 section 2.2)
    SERVFAIL = "servfail"
    TIMEOUT = "timeout"
    REFUSED = "refused"


_ANSWERED = frozenset({Status.VALUE, Status.NXDOMAIN, Status.NODATA})


@dataclass(frozen=True, slots=True)
class Answer:
    """What DNS said of a name and a type.

    `values` are sorted, so that two looks compare; each is the record in presentation format (names
    end in a dot), a TXT record its strings joined without a space (RFC 7208 section 3.3). `ttl` is
    the lowest of the chain, or how long "no" holds (RFC 2308); None with a failure.
    """

    name: str
    rdtype: str
    status: Status
    values: tuple[str, ...] = ()
    ttl: int | None = None

    @property
    def answered(self) -> bool:
        """Whether this is a fact, and not a failure to get one."""
        return self.status in _ANSWERED

    @property
    def exists(self) -> bool:
        """Whether the name exists: DNS says so, or at least did not say that it does not (RFC 8020)."""
        return self.status != Status.NXDOMAIN


# Asks for a name and a type: of DNS itself, or of what is kept of it.
Ask = Callable[[str, str], Answer]
