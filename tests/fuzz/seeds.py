"""What is damaged: every case of the tests, by its kind."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tests.ingest.writer import write

CASES = Path(__file__).parents[1] / "cases"
XML, JSON, MAIL = "xml", "json", "mail"


@dataclass(frozen=True, slots=True)
class Seed:
    """A document (XML, JSON) or a whole mail, and where it comes from."""

    form: str
    raw: bytes
    origin: str


def seeds() -> list[Seed]:
    """All of them, in the same order everywhere."""
    found = [Seed(XML, _report(count), f"written, {count} records") for count in (1, 2, 40)]
    for path in sorted(CASES.glob("*/*")):
        if not path.name.endswith(".expected.json") and path.stat().st_size < 200_000:
            found.append(Seed(_form(path), path.read_bytes(), f"{path.parent.name}/{path.name}"))
    return found


def _form(path: Path) -> str:
    start = path.read_bytes()[:200].replace(b"\0", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \r\n\t")
    if start.startswith(b"<"):
        return XML
    return JSON if start.startswith((b"{", b"[")) else MAIL


def _report(count: int) -> bytes:
    return write(
        {
            "records": [
                {
                    "source_ip": f"192.0.2.{number}",
                    "messages": number + 1,
                    "dkim_aligned": number % 2 == 0,
                    "spf_aligned": number % 3 == 0,
                    "header_from": "example.com",
                    "envelope_from": "bounce.example.com",
                    "reasons": [("forwarded", "a & b")] if number % 5 == 0 else [],
                    "dkim": [("example.com", "s1", "pass"), ("example.net", "s2", "fail")],
                    "spf": [("bounce.example.com", "mfrom", "pass")],
                }
                for number in range(count)
            ]
        }
    )
