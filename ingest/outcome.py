"""How a message ends. Every message that was fetched ends in exactly one of four outcomes."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Reason(StrEnum):
    """Why a message is in quarantine: a stable code, beside the sentence for people."""

    TOO_LARGE = "too_large"  # more bytes as received than UnpackLimits.message_bytes
    EXPANDS_TOO_FAR = "expands_too_far"  # more bytes, or a higher ratio, after unpacking
    TOO_MANY_PARTS = "too_many_parts"  # zip members or MIME parts
    NESTED_TOO_DEEP = "nested_too_deep"  # archives in archives, messages in messages
    ENCRYPTED = "encrypted"  # a zip member that wants a password
    BROKEN_ARCHIVE = "broken_archive"  # truncated or damaged gzip or zip
    BROKEN_MESSAGE = "broken_message"  # MIME that cannot be decoded
    XML_FORBIDDEN = "xml_forbidden"  # a DOCTYPE, an entity, or nesting no report has
    XML_BROKEN = "xml_broken"  # not well-formed
    JSON_BROKEN = "json_broken"  # not well-formed, or of another shape than a TLS report
    FIELD_MISSING = "field_missing"  # without it the numbers cannot be placed
    NUMBER_INVALID = "number_invalid"  # a count that is no count
    DATE_INVALID = "date_invalid"  # a period that is no period
    CONFLICT = "conflict"  # a report stored before, sent again with other content
    UNREADABLE = "unreadable"  # the input itself could not be read (permission, disk)
    UNEXPECTED = "unexpected"  # a fault of ours; the bytes are kept for the fix


@dataclass(frozen=True, slots=True)
class Stored:
    """At least one report of this message is new, and committed; none was refused."""

    reports: int
    duplicates: int = 0


@dataclass(frozen=True, slots=True)
class Duplicate:
    """Every report in this message was stored before, with the same content."""

    reports: int


@dataclass(frozen=True, slots=True)
class Opinion:
    """What another parser says of a document that we refused, in one sentence; `reads`: it gave a report."""

    reads: bool
    sentence: str


@dataclass(frozen=True, slots=True)
class Quarantined:
    """Some document of this message was refused; the message's bytes are kept for a retry.

    Reports of the same message that could be read are stored all the same: `reports` counts them.
    """

    reason: Reason
    sentence: str
    reports: int = 0
    opinion: Opinion | None = None


@dataclass(frozen=True, slots=True)
class NotAReport:
    """Nothing in this message claims to be a report."""

    sentence: str


Outcome = Stored | Duplicate | Quarantined | NotAReport
