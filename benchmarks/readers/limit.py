"""The bare limit: read, inflate, `lxml.fromstring`, and nothing else."""

from __future__ import annotations

import base64
import sys
import zlib
from dataclasses import asdict
from pathlib import Path

from lxml import etree

from benchmarks.measure import Clock, Peak, tell


def main(folder: Path) -> None:
    """Parse everything to trees. Mails are cut where their base64 begins, which no real reader may do."""
    files = sorted(folder.iterdir())
    peak, clock = Peak(), Clock()
    for file in files:
        data = file.read_bytes()
        if file.suffix == ".eml":
            data = _attached(data)
        etree.fromstring(_inflated(data))
    tell(cost=asdict(clock.read()), memory=peak.read())


def _attached(mail: bytes) -> bytes:
    """What a mail of this corpus brings: its last part."""
    at = mail.rindex(b"Content-Disposition: attachment")
    begin = mail.index(b"\r\n\r\n", at) + 4
    end = mail.find(b"\r\n--", begin)
    content = mail[begin : end if end >= 0 else None]
    return content if content.lstrip().startswith(b"<") else base64.b64decode(content)


def _inflated(data: bytes) -> bytes:
    if data.startswith(b"\x1f\x8b"):
        return zlib.decompress(data, 31)
    if data.startswith(b"PK"):
        start = 30 + int.from_bytes(data[26:28], "little") + int.from_bytes(data[28:30], "little")
        return zlib.decompressobj(-15).decompress(data[start:])
    return data.strip()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
