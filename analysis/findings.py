"""What should I do first? One list, the most important first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Finding:
    """Something to do: who stopped doing what, when, how many messages, and the one next step.

    `severity` is critical, high, medium or info; `code` is stable; `page` names the app's page that
    holds the evidence. `title`, `why` and `fix` are plain text, made from templates.
    """

    code: str
    severity: str
    domain: str
    source_key: str | None
    title: str
    why: str
    fix: str
    owner: str | None
    since: date
    messages: int
    page: str
