"""What a field may be replaced by: numbers, addresses and texts that somebody's parser fell over."""

from __future__ import annotations

from random import Random

NUMBERS = (
    "0", "-1", "1", "+7", "007", "1,000", "1.000", "1e9", "0x10", " 5 ", "5 6", "９", "٣", "²", "", "NaN",
    "Infinity", "-0",
    str(2**31), str(2**43), str(2**43 + 1), str(2**53), str(2**63), str(2**64), str(2**128), "9" * 5000, "1704067200",
    "1704153599",
    "253402300799", "253402300800", "-62135596800", "1704067200000", "9999-12-31T23:59:60Z",
    "0001-01-01T00:00:00+14:00",
    "2024-02-30", "Mon, 1 Jan 0000 00:00:00 -9999", "1" * 19, "1.5", "1704067200.999999999999",
)  # fmt: skip
ADDRESSES = (
    "192.0.2.1", "::ffff:192.0.2.1", "fe80::1%eth0", "[2001:db8::1]", "192.0.2.1/32", "192.0.2.256", "0300.0.2.1",
    "1",
    "2001:db8::1%25<script>", "::", "localhost", "192.0.2.1, 192.0.2.2", "IPv6:2001:db8::1", "192.0.2.1%", "%", "[]",
)  # fmt: skip
TEXTS = (
    "=cmd|'/c calc'!A1", "+1", "-1", "@SUM(1)", "\t=1", "<script>alert(1)</script>", "]]>", "<![CDATA[", "&lt;",
    "&", "&#0;",
    "&#x110000;", "&#55296;", "\x1b[2J\x1b]0;x\x07", "\u202egnp.exe", "\u200b", "\ufeff", "\ufffe", "\x00", "\x85",
    "\u2028",
    "a" * 5000, "ü" * 300, "xn--", "xn--" + "a" * 80, ".", "..", "a..b", "@", "a@b@c", "<a@b>",
    "'; DROP TABLE daily; --",
    "%s%n", "{{7*7}}", "$(id)", "../../etc/passwd", "\ud7ff", "😀", "İ", "ß", "K", "none", "PASS", "unknown",
    "true", "null",
)  # fmt: skip
NAMES = (
    "feedback", "record", "row", "source_ip", "count", "policy_evaluated", "identifiers", "header_from",
    "auth_results", "dkim",
    "spf", "reason", "report_metadata", "date_range", "begin", "end", "policy_published", "domain", "identities",
    "x", "X",
    "Count", "a:count", "xml:record", "xmlns:x",
)  # fmt: skip


def values() -> tuple[str, ...]:
    """Everything that a field may be replaced by."""
    return (*NUMBERS, *ADDRESSES, *TEXTS)


def some_value(chance: Random) -> bytes:
    """One of them, as UTF-8."""
    return chance.choice(values()).encode("utf-8", "surrogatepass")
