"""An independent reader: it shares no code with the generator, nor with the product."""

from __future__ import annotations

import email
import gzip
import io
import zipfile
from dataclasses import dataclass
from pathlib import Path

from lxml import etree


@dataclass(frozen=True)
class Record:
    """One record, as far as the truth speaks of it."""

    source_ip: str
    messages: int
    disposition: str
    dkim: bool
    spf: bool
    header_from: str
    reasons: tuple[str, ...]
    dkim_results: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True)
class Read:
    """One report, as far as the truth speaks of it."""

    org_name: str
    domain: str
    report_id: str
    begin: int
    end: int
    p: str
    sp: str
    namespace: str
    records: tuple[Record, ...]

    @property
    def identity(self) -> tuple[str, str, str]:
        return self.org_name, self.domain, self.report_id


def unpacked(content: bytes) -> bytes:
    if content[:2] == b"\x1f\x8b":
        return gzip.decompress(content)
    if content[:4] == b"PK\x03\x04":
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            (name,) = archive.namelist()
            return archive.read(name)
    return content


def documents(path: Path) -> list[bytes]:
    """The XML documents in a file; raises EOFError for a gzip file that breaks off."""
    content = path.read_bytes()
    if path.suffix != ".eml":
        return [unpacked(content)]
    found = []
    for part in email.message_from_bytes(content).walk():
        payload = part.get_payload(decode=True)
        if part.get_filename() and isinstance(payload, bytes):
            found.append(unpacked(payload))
    return found


def read(document: bytes) -> Read:
    root = etree.fromstring(document)
    namespace = etree.QName(root).namespace or ""
    for element in root.iter("*"):
        element.tag = etree.QName(element).localname
    return Read(
        org_name=_text(root, "report_metadata/org_name"),
        domain=_text(root, "policy_published/domain"),
        report_id=_text(root, "report_metadata/report_id"),
        begin=int(_text(root, "report_metadata/date_range/begin")),
        end=int(_text(root, "report_metadata/date_range/end")),
        p=_text(root, "policy_published/p"),
        sp=_text(root, "policy_published/sp"),
        namespace=namespace,
        records=tuple(_record(record) for record in root.findall("record")),
    )


def _record(record: etree._Element) -> Record:
    return Record(
        source_ip=_text(record, "row/source_ip"),
        messages=int(_text(record, "row/count")),
        disposition=_text(record, "row/policy_evaluated/disposition"),
        dkim=_text(record, "row/policy_evaluated/dkim") == "pass",
        spf=_text(record, "row/policy_evaluated/spf") == "pass",
        header_from=_text(record, "identifiers/header_from"),
        reasons=tuple(reason.text or "" for reason in record.findall("row/policy_evaluated/reason/type")),
        dkim_results=tuple(
            (_text(dkim, "domain"), _text(dkim, "selector"), _text(dkim, "result"))
            for dkim in record.findall("auth_results/dkim")
        ),
    )


def _text(element: etree._Element, path: str) -> str:
    return element.findtext(path) or ""
