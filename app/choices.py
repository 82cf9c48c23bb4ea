"""Which values a setting may have, where it may not have any: the words, and how they are told."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from ingest.errors import UsageError
from ingest.probes.names import is_name

ZONES: Final = 5  # blocklists; each is asked for every address
SECURITY: Final = (re.compile("tls|starttls|plain"), "tls, starttls or plain")
DETAIL: Final = (re.compile("redacted|full"), "redacted or full")
CHOICES: Final = {
    "mailbox.security": SECURITY,
    "mailbox.kind": (re.compile("imap|gmail|graph"), "imap, gmail or graph"),
    "mailbox.auth": (re.compile("password|oauth2"), "password or oauth2"),
    "mailbox.oauth_provider": (re.compile("|google|microsoft|custom"), "google, microsoft or custom"),
    "mailbox.after": (re.compile(r"leave|seen|move:.+"), "leave, seen or move:FOLDER"),
    "privacy.failure_reports": DETAIL,
    "privacy.bounces": DETAIL,
    "domain.target": (re.compile("|quarantine|reject"), "quarantine, reject or empty"),
    "smtp.security": SECURITY,
    "alert.kind": (re.compile("webhook|mail|chat"), "webhook, mail or chat"),
    "alert.severity": (re.compile("critical|high|medium|info"), "critical, high, medium or info"),
    "alert.quiet": (
        re.compile(r"|([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d"),
        "empty or two times of day in UTC like 21:00-06:00",
    ),
}
DOMAINS: Final = {"domain.name", "findings.primary", "recipient.domains", "alert.domains"}
CENTURY: Final = 36_500
LARGE: Final = 10**12  # no number of ours means more: a terabyte
LONG: Final = 10**9  # nor any with a point: thirty years of seconds
MOST: Final = {
    "warehouse.threads": 1024,
    "retention.quarantine_days": 10 * CENTURY,
    "blocklists.days": 10 * CENTURY,
    "resolver.ptr_days": 10 * CENTURY,
    "resolver.record_days": 10 * CENTURY,
}
LOOKED_BACK: Final = ("drift", "readiness", "sources", "findings")  # whose days are counted back from one


def checked(key: str, value: object, where: str) -> object:
    """The value of a setting, or UsageError that says which ones there are."""
    if key in CHOICES and isinstance(value, str):
        pattern, said = CHOICES[key]
        if not pattern.fullmatch(value):
            raise UsageError(f"{where} must be {said}, not {value!r}.")
    if key == "blocklists.zones" and isinstance(value, tuple):
        if wrong := [zone for zone in value if not is_name(zone)]:
            raise UsageError(f"{where} must be names in lower case like zen.example.org, not {wrong[0]!r}.")
        if len(value) > ZONES:
            raise UsageError(f"{where} must be at most {ZONES} zones.")
    if isinstance(value, int | float):
        _bounded(key, value, where)
    if key in DOMAINS:
        return as_reported(value) if isinstance(value, str) else tuple(as_reported(one) for one in value)  # type: ignore[attr-defined]
    return value


def _bounded(key: str, value: float, where: str) -> None:
    # `not >= 0` and not `< 0`: NaN, which TOML can write, is refused as well.
    if not value >= 0:
        raise UsageError(f"{where} must not be negative.")
    if key.endswith(".timeout") and not 0 < value <= 86_400:
        raise UsageError(f"{where} must be more than 0 and at most 86,400 seconds.")
    counted = key.startswith(LOOKED_BACK) and key.endswith("days") and key != "readiness.stale_days"
    if counted and value > CENTURY:
        raise UsageError(f"{where} must be at most {CENTURY:,} days, a century.")
    most = MOST.get(key, LONG if isinstance(value, float) else LARGE)
    if value > most:
        raise UsageError(f"{where} must be at most {most:,}.")
    if key == "sources.recent_days" and value < 1:
        raise UsageError(f"{where} must be at least 1.")
    if key.endswith(".port") and value > 65535:
        raise UsageError(f"{where} must be a port below 65536.")


def as_reported(domain: str) -> str:
    """A domain as reports have it, however a person writes it."""
    return domain.strip().rstrip(".").lower()


def at_home(path: Path, where: str) -> Path:
    """The path with its ~ as the home folder that it means, or UsageError."""
    try:
        return path.expanduser()
    except RuntimeError:
        sentence = f"{where}: {path.parts[0]!r} is no user's home folder."
        raise UsageError(sentence, "Write the path in full.") from None
