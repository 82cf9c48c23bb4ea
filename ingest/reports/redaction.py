"""Personal data taken out: addresses keep their domain, the rest of them becomes a pseudonym or nothing.

Failure reports and bounces are about single messages of single people (RFC 9991 section 5, RFC 6591 section 7).
What is kept unless a person asks for more is enough to find the cause: domains, servers, codes, and whether two
failures met the same mailbox.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b
from typing import NamedTuple

from ingest.reports import words

DROPPED = "…"
TEXT_LIMIT = 512
"""Characters kept of a diagnostic or of other free text."""

_READ_LIMIT = 4096

# What may stand before the @ of an address, as it is found in free text. The look-behind lets a run be tried
# only from its first character, so that a text of one long run costs its length and not its square.
_LOCAL = r"[^\s<>()\[\],;:\"'@|]"
_AT = r"(?:@|%40|=40|&#64;|\\@)(?=[\w\[])"
# Up to the last @ of a run: of `mailfrom=40ann@`, the first one that could be meant is none.
_IN_TEXT = re.compile(rf"(?:\"[^\"\n]{{1,64}}\"|(?<!{_LOCAL}){_LOCAL}+?){_AT}(?:{_LOCAL}+?{_AT})*", re.IGNORECASE)
_PROPERTY = re.compile(
    r"(?:smtp\.|header\.|policy\.|envelope-|x-)?(?:mailfrom|mfrom|mail|from|rcptto|rcpt|sender|i|to)=", re.I
)
_MAILBOX = re.compile(r"(\"[^\"\n]{1,64}\"|[^\s<>()\[\],;:\"@]{1,128})@(\[[^\]\s]{1,64}\]|[^\s<>()\[\],;:\"'@]{1,255})")
_BARE_NAME = re.compile(r"[\w.+-]{3,64}")
_XTEXT = re.compile(r"\+([0-9A-F]{2})")

# Local parts that are also words of diagnostics, and nobody's name.
_NO_NAMES = frozenset(
    {
        "abuse", "account", "address", "admin", "alias", "domain", "error", "group", "hello", "host", "hostmaster",
        "info", "list", "mail", "mailbox", "mailer-daemon", "message", "news", "newsletter", "no-reply", "noreply",
        "office", "postmaster", "recipient", "root", "sales", "sender", "server", "service", "smtp", "support",
        "system", "team", "test", "unknown", "user", "webmaster",
    }
)  # fmt: skip


class Mailbox(NamedTuple):
    """An address: its domain; its local part only where all is kept; a pseudonym where there is a key."""

    domain: str
    local: str | None = None
    pseudonym: str | None = None

    @property
    def address(self) -> str | None:
        """The whole address, where it was kept."""
        return f"{self.local}@{self.domain}" if self.local else None


@dataclass(frozen=True, slots=True)
class Redaction:
    """What is kept: `redacted` (the default) or `full`. `key` makes pseudonyms; without one there are none."""

    keep: str = "redacted"
    key: bytes = b""

    @property
    def full(self) -> bool:
        """Whether all is kept."""
        return self.keep == "full"

    def mailbox(self, raw: str) -> Mailbox | None:
        """The first address in a field's value; None where there is none."""
        found = found_address(raw)
        if found is None:
            return None
        local, name = found
        pseudonym = None
        if self.key:
            pseudonym = blake2b(f"{local}@{name}".lower().encode(), key=self.key[:64], digest_size=8).hexdigest()
        return Mailbox(name, local if self.full else None, pseudonym)

    def text(self, raw: str, names: Iterable[str] = ()) -> tuple[str, str]:
        """Free text, inert and bounded; without local parts, and without `names` wherever they stand."""
        head = raw[:_READ_LIMIT]
        if len(raw) > _READ_LIMIT:
            head = head.rpartition(" ")[0]  # half an address would not be known for one
        text, repair = words.clean(head)
        if not self.full:
            text = _IN_TEXT.sub(_without_local, text)
            for name in sorted(names, key=len, reverse=True):
                if len(name) >= 3 and name.lower() not in _NO_NAMES:
                    text = re.sub(rf"(?<![\w.]){re.escape(name)}(?![\w])", DROPPED, text, flags=re.IGNORECASE)
        if len(text) > TEXT_LIMIT:
            return text[:TEXT_LIMIT].rstrip(), "text_cut"
        return text, repair


def _without_local(found: re.Match[str]) -> str:
    """What stands instead of a local part: of `smtp.mailfrom=ann@` the name of the property stays."""
    name = _PROPERTY.match(found[0])
    return f"{name[0] if name else ''}{DROPPED}@"


REDACTED = Redaction()
"""What holds unless somebody asks for more."""


def found_address(raw: str) -> tuple[str, str] | None:
    """Local part and domain of the first address in a field's value, cleaned.

    Read are display forms, source routes, xtext (RFC 3461 section 4) and what stands without a domain.
    """
    text = words.clean(raw[:1024])[0]
    if "@" not in text:
        text = _XTEXT.sub(lambda code: chr(int(code[1], 16)), text)
    found = _MAILBOX.search(text)
    if found is None:
        return None
    name = words.domain(found[2].rstrip(".>"))[0]
    return (found[1].strip("'"), name) if name else None


def named(values: Iterable[str], *, displayed: bool = True) -> set[str]:
    """Who is named in address fields: local parts and display names, which must not show up in free text.

    Senders' display names are mostly brands, which diagnostics may say: `displayed` leaves them alone.
    """
    names = set[str]()
    for value in values:
        found = found_address(value)
        if found:
            names.add(found[0])
            if displayed and "<" in value:
                names.add(words.clean(value[:1024].partition("<")[0])[0].strip("\"' "))
        elif _BARE_NAME.fullmatch(value.strip("<> ")):
            names.add(value.strip("<> "))  # a mailbox of the server's own
    return names - {""}
