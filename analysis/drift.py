"""What changed, and when? A source's alignment before and after a day, tested against chance."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Cause:
    """The likeliest cause: a stable code ('none_seen' where there is none), and a sentence."""

    code: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Drift:
    """A change of one source's alignment by one mechanism (dkim, spf or dmarc).

    `shape` is step or slide; `before` and `after` are rates between 0 and 1; `messages` are those
    since `started_on` that the change touched; `latest` is the rate of the last week.
    """

    domain: str
    source_key: str
    name: str
    as_domain: str | None
    mechanism: str
    shape: str
    started_on: date
    before: float
    after: float
    messages: int
    p_value: float
    reporters: int
    cause: Cause
