"""Attachments of a winmail.dat ([MS-OXTNEF]): what Outlook sends where it believes the other side is Outlook."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from ingest.errors import MalformedReport
from ingest.outcome import Reason

SIGNATURE = b"\x78\x9f\x3e\x22"

_ATTACHMENT_BEGINS = 0x00069002  # attAttachRenddata
_TITLE = 0x00018010  # attAttachTitle
_DATA = 0x0006800F  # attAttachData


def attachments(raw: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield (name, bytes) of each attachment. Raises MalformedReport where the stream ends inside one."""
    at = len(SIGNATURE) + 2  # a key nobody uses follows the signature
    name, data = "", b""
    while at + 9 <= len(raw):
        kind, length = struct.unpack_from("<xII", raw, at)
        at += 9
        if at + length > len(raw):
            raise MalformedReport(Reason.BROKEN_ARCHIVE, "The winmail.dat in it is cut off.")
        value = raw[at : at + length] if kind in (_TITLE, _DATA) else b""
        at += length + 2  # and a checksum, which Outlook itself does not verify
        if kind == _ATTACHMENT_BEGINS:
            if data:
                yield name, data
            name, data = "", b""
        elif kind == _TITLE:
            name = value.partition(b"\0")[0].decode("ascii", "replace")
        elif kind == _DATA:
            data = value
    if data:
        yield name, data
