"""A DKIM key as DNS publishes it (RFC 6376 section 3.6.1): its tags, its length, whether it was withdrawn."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable

LEAST = 1024
"""Bits of an RSA key below which no signature by it is valid (RFC 8301 section 3.2)."""

_WHITE = re.compile(r"\s+")
_INTEGER, _BIT_STRING, _SEQUENCE = 0x02, 0x03, 0x30
_ENOUGH = 1200  # characters of a key, which tell RSA up to 7,000 bits; nobody is made to read more


def records(values: Iterable[str]) -> tuple[str, ...]:
    """Those of a name's TXT records that are keys: they have the tag p=, which no key may go without."""
    return tuple(value for value in values if "p" in tags(value))


def tags(record: str) -> dict[str, str]:
    """The tags of a key record in their order, without white space (RFC 6376 section 3.2)."""
    parts = (part.partition("=") for part in _WHITE.sub("", record).split(";"))
    return {name: value for name, equals, value in parts if name and equals}


def withdrawn(record: str) -> bool:
    """Whether it says that the key is no longer to be used: an empty p=."""
    return tags(record).get("p") == ""


def bits(record: str) -> int | None:
    """The length of an RSA key; None of another kind of key, or where it cannot be read."""
    found = tags(record)
    if found.get("k", "rsa").lower() != "rsa" or len(found.get("p", "")) > _ENOUGH:
        return None
    try:
        return _modulus(base64.b64decode(found.get("p", ""), validate=True)).bit_length() or None
    except (binascii.Error, ValueError):
        return None


def _modulus(der: bytes) -> int:
    """Of a SubjectPublicKeyInfo (RFC 5280 section 4.1), or of the bare RSAPublicKey in it (RFC 8017 appendix A.1.1)."""
    _, body, _ = _read(der, _SEQUENCE)
    kind, value, rest = _read(body)
    if kind == _SEQUENCE:
        _, inner, _ = _read(rest, _BIT_STRING)
        # Its first byte says how many of the last bits are unused: none.
        _, key, _ = _read(inner[1:], _SEQUENCE)
        kind, value, _ = _read(key)
    if kind != _INTEGER:
        raise ValueError("no key")
    return int.from_bytes(value, "big")


def _read(der: bytes, wanted: int | None = None) -> tuple[int, bytes, bytes]:
    """The first value of some DER (X.690 section 8.1): what kind it is, itself, and what follows it."""
    if len(der) < 2 or wanted not in (None, der[0]):
        raise ValueError("not what was looked for")
    length, at = der[1], 2
    if length >= 0x80:
        at += length - 0x80
        length = int.from_bytes(der[2:at], "big")
    if len(der) < at + length:
        raise ValueError("cut short")
    return der[0], der[at : at + length], der[at + length :]
