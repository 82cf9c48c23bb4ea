"""Which values a setting may have, where it may not have any: the words, and how they are told."""

from __future__ import annotations

import re
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
    # `not >= 0` and not `< 0`: NaN, which TOML can write, is refused as well.
    if isinstance(value, int | float) and not value >= 0:
        raise UsageError(f"{where} must not be negative.")
    if key.endswith(".port") and isinstance(value, int) and value > 65535:
        raise UsageError(f"{where} must be a port below 65536.")
    return value
