"""What commands that ask the warehouse share: which domains and days."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import wraps
from typing import Any, Final

import click

from app.choices import as_reported
from app.config import meant
from ingest.errors import UsageError
from warehouse import reads
from warehouse.connect import Connection, Warehouse
from warehouse.scope import Scope

FIRST: Final = date(1970, 1, 1)
LAST: Final = date(2999, 12, 31)
"""Days beyond which no report tells of any: whoever writes 0001-01-01 or 9999-12-31 means all that there are."""

KNOWN: Final = date(1971, 1, 1)
"""Day before which nothing was known; the week before it is still one that can be asked for."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Domains and days as given on the command line."""

    domains: tuple[str, ...]
    since: str | None
    until: str | None
    days: int | None


@dataclass(frozen=True, slots=True)
class Known:
    """What the warehouse holds: its domains, and the newest day of each."""

    last_days: dict[str, date]

    def newest(self, domains: tuple[str, ...]) -> date | None:
        """The newest day with data of these domains; of all where none is named."""
        return max((day for domain, day in self.last_days.items() if not domains or domain in domains), default=None)


def scoped(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command --domain, --since, --until and --days, which reach it as `asked`."""

    @click.option("--domain", "-d", "domains", multiple=True, metavar="DOMAIN", help="Only this domain; repeatable.")
    @click.option("--since", metavar="DATE", help="First report day, YYYY-MM-DD.")
    @click.option("--until", metavar="DATE", help="Last report day, YYYY-MM-DD; else the newest with data.")
    @click.option("--days", type=click.IntRange(1, 3660), metavar="N", help="That many days up to the last one.")
    @wraps(command)
    def asking(
        *given: Any, domains: tuple[str, ...], since: str | None, until: str | None, days: int | None, **more: Any
    ) -> Any:
        return command(*given, asked=Asked(domains, since, until, days), **more)

    return asking


def today() -> date:
    """The current day in UTC, in which report days are counted."""
    return datetime.now(UTC).date()


def now() -> datetime:
    """The current instant, in UTC."""
    return datetime.now(UTC)


def known(warehouse: Warehouse) -> Known:
    """Which domains the warehouse holds."""
    # Not at the top: what asks of other kinds of reports need not load the judgement of this one.
    from analysis.genuine import counted  # noqa: PLC0415
    from analysis.period import newest_day  # noqa: PLC0415

    with warehouse.reading() as connection:
        last_days = _last_days(connection, Scope())
        sure = counted(connection, Scope())
        if sure.without:
            # Nor must a forged report.
            last_days |= _last_days(connection, sure)
        newest = newest_day(connection, today())
        if newest and any(day > newest for day in last_days.values()):
            # A reporter whose clock is ahead must not make all other data look old, whatever domain it tells of.
            last_days |= _last_days(connection, replace(sure, until=newest))
            last_days = {domain: min(day, newest) for domain, day in last_days.items()}
    return Known(last_days)


def _last_days(connection: Connection, scope: Scope) -> dict[str, date]:
    return dict(reads.last_days(connection, scope).iter_rows())


UNTOLD: Final = "There are no reports of these days."


def told_of(warehouse: Warehouse, scope: Scope) -> bool:
    """Whether any report tells of these domains and days."""
    with warehouse.reading() as connection:
        return reads.first_day(connection, scope) is not None


def scope_of(warehouse: Warehouse, asked: Asked, days: int | None, held: Known | None = None) -> Scope:
    """The scope that was asked for; `days` where nothing was said (None: all), up to the newest day with data.

    `held` is what is known of another kind of reports than aggregate ones.
    """
    held = known(warehouse) if held is None else held
    domains = tuple(known_domain(held, domain) for domain in asked.domains)
    since, until = day(asked.since, "--since"), day(asked.until, "--until")
    if since and asked.days:
        raise UsageError("--since and --days both say where to begin.", "Give one of them.")
    if since and until and until < since:
        raise UsageError(f"--until {until} is before --since {since}.", "Both ends are included.")
    since, until = (one and min(max(one, FIRST), LAST) for one in (since, until))
    last = until or held.newest(domains)
    span = asked.days or days
    if last and span and not since:
        since = last - timedelta(days=span - 1)
    return Scope(domains, since, last)


def known_domain(held: Known, text: str) -> str:
    """A domain that reports are about, or UsageError with the ones that are."""
    domain = as_reported(text)
    if domain not in held.last_days:
        hint = meant(domain, held.last_days) if held.last_days else "There are no reports yet."
        raise UsageError(f"No report is about {domain!r}.", hint)
    return domain


def day(text: str | None, option: str) -> date | None:
    """A date from the command line."""
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{option}: {text!r} is no date.", "Write it as 2026-11-30.") from None


def instant(text: str | None, option: str = "--known-at") -> datetime | None:
    """An instant from the command line, as naive UTC; a day means its end. Before KNOWN nothing was."""
    if text is None:
        return None
    try:
        if "T" not in text and " " not in text:
            return datetime.combine(max(date.fromisoformat(text), KNOWN), time.max)
        at = datetime.fromisoformat(text)
        at = at.astimezone(UTC).replace(tzinfo=None) if at.tzinfo else at
        return max(at, datetime.combine(KNOWN, time.min))
    except (ValueError, OverflowError):
        raise UsageError(f"{option}: {text!r} is no time.", "Write it as 2026-11-23 or 2026-11-23T07:00.") from None


def knowable(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command --known-at, which reaches it as `known_at`, naive UTC."""

    @click.option("--known-at", metavar="TIME", help="Only what was known then (UTC): 2026-11-23, or 2026-11-23T07:00.")
    @wraps(command)
    def asking(*given: Any, known_at: str | None, **more: Any) -> Any:
        return command(*given, known_at=instant(known_at), **more)

    return asking


def then(known_at: datetime | None) -> datetime:
    """The instant (with UTC) as of which is answered: now, or an earlier one that was asked for."""
    return min(now(), known_at.replace(tzinfo=UTC)) if known_at else now()
