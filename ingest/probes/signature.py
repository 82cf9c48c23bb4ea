"""The DKIM signatures of a mail (RFC 6376): which of them are valid, with keys asked of DNS.

The arithmetic is dkimpy's. Around it stands what it leaves open and what keeps a stranger's mail from
costing much: bounds, the key record's flags (section 3.6.1), signatures that leave out the From field or
a part of the body, algorithms that no longer count (RFC 8301). Nothing here raises for what a mail holds.
"""

from __future__ import annotations

import base64
import binascii
import logging
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import dkim
from dkim.canonicalization import CanonicalizationPolicy
from dkim.util import InvalidTagValueList, parse_tag_value

from ingest.attestation import Signature, SignatureStatus
from ingest.mime import Span, split
from ingest.probes.answer import Answer

_LOG = logging.getLogger(__name__)

MOST_SIGNATURES = 10
"""Signatures of one mail that are looked at; RFC 6376 section 6.1 lets a verifier limit them."""
MOST_BYTES = 32 * 2**20
"""Bytes of a mail that is verified; what mail servers accept."""
MOST_SECONDS = 5.0
"""Seconds after which no further signature of a mail is looked at."""

_HEADER_BYTES = 64 * 2**10  # unfolding takes the square of it; the longest seen in practice have 30 kB
_FIELD_BYTES = 8 * 2**10
_KEY_BYTES = 3000  # 8192 bits of RSA have 1,400 characters; beyond, one verification takes seconds
_BLANKS = 80  # blanks in a row: canonicalization takes the square of a run, and no mail program writes so many

_FIELD = re.compile(rb"^DKIM-Signature[ \t]*:((?:[^\n]*)(?:\n[ \t][^\n]*)*)", re.IGNORECASE | re.MULTILINE)
_MANDATORY = (b"v", b"a", b"b", b"bh", b"d", b"h", b"s")  # RFC 6376 section 3.5
_ALGORITHMS = (b"rsa-sha256", b"ed25519-sha256")  # RFC 8463; rsa-sha1 must not be verified (RFC 8301 section 3.1)
_FAULT = SignatureStatus.MALFORMED


@dataclass(frozen=True, slots=True)
class Claim:
    """A signature as it stands in the header: its place among them, and its tags."""

    index: int
    tags: Mapping[bytes, bytes]

    @property
    def domain(self) -> str:
        """d=, who signed."""
        return _name(self.tags.get(b"d", b""))

    @property
    def selector(self) -> str:
        """s=, by which key."""
        return _name(self.tags.get(b"s", b""))

    @property
    def key_name(self) -> str:
        """Where the key is (RFC 6376 section 3.6.2.1); "" where the tags are no names."""
        return f"{self.selector}._domainkey.{self.domain}" if self.selector and self.domain else ""

    def ended(self, status: SignatureStatus) -> Signature:
        """The signature with how it fared."""
        return Signature(self.domain, self.selector, status)


def claims(raw: bytes) -> list[Claim]:
    """The signatures that a mail carries, topmost first; none where it is beyond the bounds."""
    if len(raw) > MOST_BYTES:
        return []
    return list(_claims(raw))


def _claims(raw: bytes) -> Iterator[Claim]:
    header, _ = split(Span(raw, 0, min(len(raw), 2 * _HEADER_BYTES)))
    if len(header) > _HEADER_BYTES:
        return
    for index, match in enumerate(_FIELD.finditer(header)):
        if index >= MOST_SIGNATURES:
            return
        tags: dict[bytes, bytes] = {}
        if len(match[1]) <= _FIELD_BYTES and not _has_long_blank(match[1]):
            try:
                tags = parse_tag_value(match[1])
            except (InvalidTagValueList, IndexError):
                tags = {}
        yield Claim(index, tags)


class Verifier:
    """One mail and its signatures. `received_at` (UTC, without a zone) is what x= is held against."""

    def __init__(self, raw: bytes, received_at: datetime) -> None:
        self._received_at = received_at.replace(tzinfo=UTC).timestamp()
        self._until = time.monotonic() + MOST_SECONDS
        self._raw = raw
        self._mail: dkim.DKIM | None = None

    def verify(self, claim: Claim, answer: Answer) -> Signature:
        """How a signature fares with the answer to its `key_name`."""
        try:
            status = self._status(claim, answer)
        except Exception:  # noqa: BLE001 - a stranger's text in a library's hands: whatever it raises, the run goes on
            _LOG.info("signature.unreadable", exc_info=True)
            status = _FAULT
        return claim.ended(status)

    def _status(self, claim: Claim, answer: Answer) -> SignatureStatus:
        for wrong in _wrong_claim(claim, self._received_at):
            return wrong
        if not answer.answered:
            return SignatureStatus.TEMPERROR
        key = _key(answer)
        if key is None:
            return SignatureStatus.NO_KEY
        for wrong in _wrong_key(key, claim):
            return wrong
        return self._verified(claim, b"; ".join(b"=".join(pair) for pair in key.items()))

    def _verified(self, claim: Claim, record: bytes) -> SignatureStatus:
        if time.monotonic() > self._until or _has_long_blank(self._raw):
            return SignatureStatus.INVALID
        if self._mail is None:
            self._mail = dkim.DKIM(self._raw, logger=_SILENT, minkey=1024)
        mail, tags = self._mail, dict(claim.tags)
        if not _covers(mail.body, tags):
            return SignatureStatus.PARTIAL
        field = [each for each in mail.headers if each[0].lower() == b"dkim-signature"][claim.index]
        signed = [name.lower() for name in re.split(rb"\s*:\s*", tags[b"h"])]
        try:
            # x= is judged above, by the time of receipt and not by today's.
            dkim.validate_signature_fields({tag: value for tag, value in tags.items() if tag != b"x"})
            valid = mail.verify_sig(tags, signed, field, lambda name, timeout: record)
        except dkim.DKIMException as error:
            return _failed(error)
        return SignatureStatus.VALID if valid else SignatureStatus.INVALID


def _failed(error: dkim.DKIMException) -> SignatureStatus:
    """What dkimpy means by an exception."""
    said = str(error)
    if isinstance(error, dkim.NaClNotFoundError):
        return SignatureStatus.UNSUPPORTED
    if isinstance(error, dkim.KeyFormatError):
        return SignatureStatus.WEAK if "too small" in said else SignatureStatus.INVALID
    if isinstance(error, dkim.ValidationError):
        return SignatureStatus.BODY if said.startswith("body hash") else SignatureStatus.INVALID
    return _FAULT


def _wrong_claim(claim: Claim, received_at: float) -> Iterator[SignatureStatus]:
    """What is wrong with a signature whatever its key is, the first fault first (RFC 6376 section 6.1.1)."""
    tags = claim.tags
    if not claim.key_name or any(not tags.get(tag) for tag in _MANDATORY):
        yield _FAULT
    if tags[b"a"] == b"rsa-sha1":
        yield SignatureStatus.WEAK
    if tags[b"a"] not in _ALGORITHMS:
        yield SignatureStatus.UNSUPPORTED
    # Section 5.4: a signature that leaves From out says nothing about who wrote.
    if b"from" not in [name.strip().lower() for name in tags[b"h"].split(b":")]:
        yield SignatureStatus.INVALID
    until = tags.get(b"x")
    if until is not None and not (until.isdigit() and len(until) <= 12):
        yield _FAULT
    if until is not None and int(until) < received_at:
        yield SignatureStatus.EXPIRED


def _key(answer: Answer) -> dict[bytes, bytes] | None:
    """The key record (RFC 6376 section 3.6.1), as tags; None where none of the texts is one."""
    for value in answer.values:
        try:
            tags: dict[bytes, bytes] = parse_tag_value(value.encode("ascii")) if len(value) <= _KEY_BYTES else {}
        except (InvalidTagValueList, UnicodeEncodeError, IndexError):
            continue
        if b"p" in tags and tags.get(b"v", b"DKIM1") == b"DKIM1":
            return tags
    return None


def _wrong_key(key: Mapping[bytes, bytes], claim: Claim) -> Iterator[SignatureStatus]:
    """What is wrong with a key, or with its use for this signature (RFC 6376 sections 3.6.1 and 6.1.2)."""
    if not key[b"p"]:
        yield SignatureStatus.REVOKED
    algorithm, _, digest = claim.tags[b"a"].partition(b"-")
    if key.get(b"k", b"rsa") != algorithm or (b"h" in key and digest not in _listed(key[b"h"])):
        yield SignatureStatus.INVALID
    if b"s" in key and not {b"*", b"email"} & set(_listed(key[b"s"])):
        yield SignatureStatus.INVALID
    flags = _listed(key.get(b"t", b""))
    if b"y" in flags:
        yield SignatureStatus.TESTING
    # t=s: the identity must be of the domain itself, not of a subdomain.
    identity = claim.tags.get(b"i", b"@" + claim.tags[b"d"]).rpartition(b"@")[2]
    if b"s" in flags and identity.lower() != claim.tags[b"d"].lower():
        yield SignatureStatus.INVALID
    try:
        base64.b64decode(re.sub(rb"\s", b"", key[b"p"]), validate=True)
    except binascii.Error:
        yield SignatureStatus.INVALID


def _covers(body: bytes, tags: Mapping[bytes, bytes]) -> bool:
    """Whether the whole body is signed. With l= anybody can append a report (RFC 6376 section 8.2)."""
    if b"l" not in tags:
        return True
    length = tags[b"l"]
    if not length.isdigit() or len(length) > 12:
        return False
    policy = CanonicalizationPolicy.from_c_value(tags.get(b"c", b"simple/simple"))
    return int(length) == len(policy.canonicalize_body(body))


def _listed(value: bytes) -> list[bytes]:
    return [each.strip() for each in value.split(b":")]


def _has_long_blank(text: bytes) -> bool:
    return b" " * _BLANKS in text.translate(_BLANK) if b" " * 8 in text or b"\t" in text else False


_BLANK = bytes.maketrans(b"\t", b" ")
_NAME = re.compile(r"[a-z0-9_](?:[a-z0-9._-]{0,251}[a-z0-9_])?")


def _name(value: bytes) -> str:
    """A domain or selector as DNS takes it, in A-labels; "" where it is none."""
    try:
        text = value.decode("ascii").lower().rstrip(".")
    except UnicodeDecodeError:
        return ""
    return text if _NAME.fullmatch(text) and ".." not in text else ""


# Its words hold the sender's text; what we say of a signature is its status.
_SILENT = logging.getLogger(f"{__name__}.dkimpy")
_SILENT.propagate = False
_SILENT.addHandler(logging.NullHandler())
