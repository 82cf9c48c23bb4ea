"""The values of aggregate reports made plain: text, domains, addresses, words, counts, instants.

Everything here takes one element's text as it stands and returns `(value, repair)`, where `repair`
is the code of what had to be put right, or "" where nothing worth telling was changed (case, padding
and a trailing dot are not). A value that cannot be read without guessing raises ValueError.
"""

from __future__ import annotations

import ipaddress
import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import NamedTuple

from ingest.ip import is_ipv4

TEXT_LIMIT = 1024
"""Characters kept of any text. The longest honest one is a comment of a few hundred."""

COUNT_LIMIT = 2**43
"""Largest count, for one record and for a report's sum: twenty times the mail of the world in a day.

A million reports of it still add up within the 64 bits that sums have in the tables."""


class Repair(NamedTuple):
    """Something that was put right while reading: `code`, `what` was found, `where` it stood."""

    code: str
    what: str
    where: str


class Notes:
    """The repairs of one report. The same repair at the same place is told once, with how often.

    `where` values come from the parser, never from the document, so their number is bounded.
    """

    def __init__(self) -> None:
        self._first: dict[tuple[str, str], str] = {}
        self._times: dict[tuple[str, str], int] = {}

    def add(self, code: str, what: str, where: str) -> None:
        """Note one repair; an empty code means that there was none."""
        if code:
            place = (code, where)
            if place not in self._first:
                self._first[place] = clean(what)[0][:120]
            self._times[place] = self._times.get(place, 0) + 1

    def repairs(self) -> tuple[Repair, ...]:
        """All repairs in the order they were first met."""
        return tuple(Repair(code, what, self._place(code, where)) for (code, where), what in self._first.items())

    def _place(self, code: str, where: str) -> str:
        times = self._times[code, where]
        return f"{where} ({times} times)" if times > 1 else where


def clean(raw: str | None) -> tuple[str, str]:
    """Inert text: no control, bidirectional or zero-width characters, folded white space, bounded.

    Reports are written by strangers and end up on screens, in logs and in spreadsheets.
    """
    if not raw:
        return "", ""
    if raw.isprintable() and len(raw) <= TEXT_LIMIT:
        return raw.strip(), ""
    head = raw[: 4 * TEXT_LIMIT]
    kept = "".join(c if c.isprintable() else " " if c.isspace() else "\0" for c in head)
    text = " ".join(kept.replace("\0", "").split())
    if len(text) > TEXT_LIMIT or len(raw) > len(head):
        return text[:TEXT_LIMIT].rstrip(), "text_cut"
    return text, "text_cleaned" if "\0" in kept else ""


# -- domains ------------------------------------------------------------------------------------

_PLAIN_DOMAIN = re.compile(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)*")
_LIST = re.compile(r"[,;\s]+")


@lru_cache(2048)
def domain(raw: str) -> tuple[str, str]:
    """A domain in lower case without a trailing dot; Unicode becomes A-labels where IDNA allows it.

    Seen instead of a domain, and put right: an address, a display form in angle brackets, a quoted
    list (its first item).
    """
    name = clean(raw)[0].lower().rstrip(".")
    if _PLAIN_DOMAIN.fullmatch(name) or not name:
        return name[:255], "text_cut" if len(name) > 255 else ""
    found = next((item for item in _LIST.split(name.strip("\"'<>[]() ")) if item), "")
    if "@" in name:
        found = name[name.rfind("@") + 1 :]
        found = _LIST.split(found, maxsplit=1)[0]
    found = found.strip("\"'<>[]() .")
    if found and not found.isascii():
        found = _a_labels(found)
    return found[:255], "domain" if found != name else ""


def _a_labels(name: str) -> str:
    # The codec's time grows with the square of the length (no valid name is longer than 253).
    if len(name) > 253:
        return name
    try:
        found = name.encode("idna").decode("ascii").lower().rstrip(".")
    except UnicodeError:
        return name
    # Nameprep takes some letters apart: an acute accent becomes a space and a mark.
    return found if _PLAIN_DOMAIN.fullmatch(found) else name


# -- addresses ----------------------------------------------------------------------------------


def address(raw: str) -> tuple[str, str]:
    """An IP address in its canonical text (RFC 5952); IPv4-mapped IPv6 becomes IPv4.

    Brackets, a zone id and a host-length prefix are taken off. A hostname raises ValueError.
    """
    text = raw.strip()
    if is_ipv4(text):
        return text, ""
    return _address(text)


@lru_cache(4096)
def _address(text: str) -> tuple[str, str]:
    bare = text.strip("[]").partition("%")[0].strip()
    if bare.endswith(("/32", "/128")):
        bare = bare.partition("/")[0]
    found = ipaddress.ip_address(bare)
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is not None:
        return str(found.ipv4_mapped), "source_ip"
    return str(found), "source_ip" if bare != text else ""


# -- words --------------------------------------------------------------------------------------

_RESULTS = frozenset({"none", "pass", "fail", "policy", "neutral", "temperror", "permerror", "softfail"})

# RFC 7489 appendix C on its own SPF words: '"TempError" commonly implemented as "unknown"' and
# '"PermError" commonly implemented as "error"'. `hardfail` is what Authentication-Results called an
# SPF fail before RFC 7001 (RFC 5451 section 2.4.2).
_OLD_RESULTS = {"hardfail": "fail", "unknown": "temperror", "error": "permerror"}


def word(raw: str | None) -> tuple[str, str]:
    """A word of a closed list, in lower case; which words the list holds is for the caller to say."""
    text, repair = clean(raw)
    return text.lower(), repair


@lru_cache(1024)
def result(raw: str) -> tuple[str, str]:
    """What SPF or DKIM said (RFC 8601 section 2.7); older words by their successors, unknown ones kept."""
    text, repair = word(raw)
    if text in _RESULTS:
        return text, repair
    if not text:
        return "none", "result_missing"
    if text in _OLD_RESULTS:
        return _OLD_RESULTS[text], "result_word"
    squeezed = text.replace("_", "").replace("-", "").replace(" ", "")
    return (squeezed, "result_word") if squeezed in _RESULTS else (text, "result_word")


def policy(raw: str) -> tuple[str | None, str]:
    """`p`, `sp`, `np`: none, quarantine or reject. `monitor` is what drafts before RFC 7489 said for none."""
    text, repair = word(raw)
    if text == "monitor":
        return "none", "policy_word"
    return text or None, repair or ("" if text in ("none", "quarantine", "reject", "") else "policy_word")


def alignment_mode(raw: str) -> tuple[str | None, str]:
    """`adkim`, `aspf`: r or s; spelled out by some."""
    text, repair = word(raw)
    if text in ("relaxed", "strict"):
        return text[0], "alignment_word"
    return text or None, repair or ("" if text in ("r", "s", "") else "alignment_word")


def percentage(raw: str) -> tuple[int | None, str]:
    """`pct`: 0 to 100; anything else counts as not given, since nothing is computed from it."""
    text = clean(raw)[0]
    digits = text.rstrip("% ")
    if not digits:
        return None, "pct" if text else ""
    if digits.isascii() and digits.isdigit() and len(digits) <= 3 and int(digits) <= 100:
        return int(digits), "pct" if digits != text else ""
    return None, "pct"


# -- numbers ------------------------------------------------------------------------------------

# Three digits after each separator, or it is a decimal and not ours to interpret. A point is never
# a separator here: "1.000" is one thousand to some and one to others.
_SEPARATED = re.compile(r"[0-9]{1,3}(?:[,' \u00a0\u2009\u202f][0-9]{3})+")


def count(raw: str) -> tuple[int, str]:
    """A number of messages: a whole number from 0 to COUNT_LIMIT."""
    if raw.isdecimal() and raw.isascii() and len(raw) < 16:
        return int(raw), ""
    text = raw.strip()
    digits = text.removeprefix("+")
    if _SEPARATED.fullmatch(digits):
        digits = "".join(c for c in digits if c.isdigit())
    if not (digits.isascii() and digits.isdigit()) or len(digits.lstrip("0")) > 16:
        raise ValueError(text)
    number = int(digits)
    if number > COUNT_LIMIT:
        raise ValueError(text)
    return number, "" if digits == text else "count_format"


_NUMBER = re.compile(r"[+-]?[0-9]{1,18}(?:\.[0-9]{0,9})?")

# The earliest instant taken at its word. Faults give 0, small numbers and day numbers, all of which
# land in 1970; the example in RFC 9990's appendix is dated 1979 and must be readable.
_EARLIEST = datetime(1971, 1, 1, tzinfo=UTC)
_CENTURY = 946_684_800  # 2000-01-01
_LATEST = datetime(2101, 1, 1, tzinfo=UTC)


@lru_cache(4096)
def instant(raw: str) -> tuple[datetime, str]:
    """A moment in UTC from seconds since 1970 (RFC 9990 section 3.1.1.3); also ms, µs, ISO 8601, RFC 5322.

    Text without a zone is taken as UTC. Before 1971 or after 2100: ValueError.
    """
    text = clean(raw)[0]
    if _NUMBER.fullmatch(text):
        moment, repair = _from_number(text)
    else:
        moment, repair = _from_text(text), "date_format"
    if not _EARLIEST <= moment < _LATEST:
        raise ValueError(text)
    return moment, repair


def _from_number(text: str) -> tuple[datetime, str]:
    seconds, point, _ = text.partition(".")
    number = int(seconds)
    repair = "date_format" if point else ""
    for unit in (1_000_000, 1_000):
        # Milliseconds of this century are seconds of the year 30,000 and later, which nobody means.
        if number // unit >= _CENTURY:
            number, repair = number // unit, "date_format"
            break
    if not 0 <= number < 10**11:
        raise ValueError(text)
    return datetime.fromtimestamp(number, UTC), repair


_ZONE_NAME = re.compile(r" ?(?:UTC|GMT)$", re.IGNORECASE)
_SPACED_OFFSET = re.compile(r" ([+-]\d\d:?\d\d)$")


def _from_text(text: str) -> datetime:
    # "2026-09-21 00:00:00 UTC", and how Go writes it: "2026-09-21 00:00:00 +0000 UTC".
    iso = _SPACED_OFFSET.sub(r"\1", _ZONE_NAME.sub("", text))
    try:
        moment = datetime.fromisoformat(iso)
    except ValueError:
        try:
            moment = parsedate_to_datetime(text)
        except (TypeError, IndexError, OverflowError) as fault:
            raise ValueError(text) from fault
    moment = moment.replace(microsecond=0)
    try:
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except OverflowError as fault:
        raise ValueError(text) from fault
