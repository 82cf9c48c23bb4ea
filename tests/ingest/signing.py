"""Report mails signed as reporters sign them (dkimpy), and the zones that hold the keys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import SMTP
from functools import cache
from gzip import compress

import dkim
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat


@cache
def rsa_key(number: int = 0, bits: int = 2048) -> tuple[bytes, str]:
    """A private key as PEM, and its public half as the key record's p= has it. Equal numbers, equal keys."""
    key = rsa.generate_private_key(65537, bits)
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    return pem, "".join(public.splitlines()[1:-1])


@dataclass(frozen=True)
class Signer:
    """A domain's key under a selector. `flags` come before p= in its record."""

    domain: str
    selector: str = "s1"
    number: int = 0
    flags: str = ""
    bits: int = 2048
    published: bool = True
    revoked: bool = False

    @property
    def record(self) -> str:
        """The key record as a line of the zone; nothing where it is not published."""
        if not self.published:
            return ""
        public = "" if self.revoked else rsa_key(self.number, self.bits)[1]
        text = f"v=DKIM1; {self.flags}p={public}"
        strings = " ".join(f'"{text[at : at + 200]}"' for at in range(0, len(text), 200))
        return f"{self.selector}._domainkey TXT ( {strings} )\n"

    def sign(self, mail: bytes, **more: object) -> bytes:
        """The mail with a signature on top; `more` is dkim.sign's."""
        pem, _ = rsa_key(self.number, self.bits)
        return bytes(dkim.sign(mail, self.selector.encode(), self.domain.encode(), pem, **more)) + mail

    def with_tags(self, mail: bytes, tags: Mapping[str, str], *, header: Sequence[bytes] = (b"from", b"to")) -> bytes:
        """The mail with a signature that has further tags, x= and the like, signed with the rest."""
        pem, _ = rsa_key(self.number, self.bits)
        signing = _Tagged(mail, tags)
        return bytes(signing.sign(self.selector.encode(), self.domain.encode(), pem, include_headers=header)) + mail


class _Tagged(dkim.DKIM):
    """dkimpy's signing, with tags that it does not write of itself."""

    def __init__(self, mail: bytes, tags: Mapping[str, str]) -> None:
        super().__init__(mail)
        self._tags = [(tag.encode(), value.encode()) for tag, value in tags.items()]

    def gen_header(self, fields: list[tuple[bytes, bytes]], *more: object) -> bytes:
        return bytes(super().gen_header([*self._tags, *fields], *more))


def zones(*signers: Signer) -> dict[str, str]:
    """What NSD serves: each signer's domain with its keys."""
    found: dict[str, str] = {}
    for signer in signers:
        found[signer.domain] = found.get(signer.domain, "") + signer.record
    return found


@dataclass
class ReportMail:
    """A mail with a report in it, as reporters send them."""

    report: bytes
    sender: str = "noreply@reporter.test"
    fields: dict[str, str] = field(default_factory=dict)

    def mail(self) -> bytes:
        """Its bytes, with CRLF."""
        message = EmailMessage(policy=SMTP)
        message["From"] = self.sender
        message["To"] = "dmarc@example.com"
        message["Subject"] = "Report domain: example.com Submitter: reporter.test"
        message["Date"] = "Sat, 21 Nov 2026 06:00:00 +0000"
        message["Message-ID"] = "<1@reporter.test>"
        for name, value in self.fields.items():
            message[name] = value
        message.set_content("This is an aggregate report.\n")
        message.add_attachment(compress(self.report, mtime=0), "application", "gzip", filename="report.xml.gz")
        message.set_boundary("report-boundary")
        return message.as_bytes()
