"""Who vouches for a report: real signatures, real keys in a real name server, and every way to cheat."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta

import dkim
import pytest

from ingest.attestation import Attestation, Doubt, Grade
from ingest.inputs.base import Message
from ingest.probes.attest import Attester
from ingest.reading import Reading, read
from ingest.settings import ResolverSettings, UnpackLimits
from tests.ingest.signing import ReportMail, Signer, zones
from tests.servers.nsd import Nsd
from tests.warehouse.build import xml

NOW = datetime(2026, 11, 24, 6)  # noqa: DTZ001 - UTC
AT = datetime(2026, 11, 23, 6, tzinfo=UTC)

OWN = Signer("reporter.test")
SUB = Signer("mail.reporter.test", number=1)
OTHER = Signer("evil.test", number=2)
OURS = Signer("example.com", number=5)
GONE = Signer("reporter.test", "gone", published=False)
REVOKED = Signer("reporter.test", "revoked", revoked=True)
TESTING = Signer("reporter.test", "testing", flags="t=y; ")
STRICT = Signer("reporter.test", "strict", flags="t=s; ")
SHORT = Signer("reporter.test", "short", bits=1024, number=3)
TLSRPT = Signer("reporter.test", "tlsrpt", flags="s=tlsrpt; ")
SHA1 = Signer("reporter.test", "sha1", flags="h=sha1; ")
FAR = Signer("reporter.test", "far", number=4)

pytestmark = pytest.mark.server


@pytest.fixture(scope="module")
def nsd() -> Iterator[Nsd]:
    served = zones(OWN, OTHER, OURS, REVOKED, TESTING, STRICT, SHORT, TLSRPT, SHA1)
    served["reporter.test"] += SUB.record.replace("s1._domainkey", "s1._domainkey.mail")
    server = Nsd({**served, "broken.test": "@ A this-is-no-address\n"})
    server.start()
    yield server
    server.remove()


def settings(port: int, timeout: float = 2.0, lifetime: float = 20.0) -> ResolverSettings:
    return ResolverSettings(nameservers=("127.0.0.1",), port=port, timeout=timeout, lifetime=lifetime)


@pytest.fixture
def attest(nsd: Nsd) -> Callable[..., Attestation]:
    attester = Attester(settings(nsd.port))

    def one(raw: bytes, received_at: datetime | None = AT, port: int = 0) -> Attestation:
        asked = Attester(settings(port, 0.3)) if port else attester
        ((found,),) = asked([read_(raw, received_at)], NOW)
        return found

    return one


def read_(raw: bytes, received_at: datetime | None = AT) -> tuple[Message, Reading]:
    message = Message(raw, "main/INBOX/1", len(raw), received_at)
    return message, read(message, UnpackLimits())


def report(email: str = "noreply@reporter.test", name: str = "Reporter Inc.", report_id: str = "r1") -> bytes:
    return xml(reporter=name, report_id=report_id).replace(b"r@example.net", email.encode())


def mail(**more: str) -> bytes:
    return ReportMail(report(**more)).mail()


def test_a_signature_of_the_reporters_own_domain_verifies(attest: Callable[..., Attestation]) -> None:
    assert attest(OWN.sign(mail())) == Attestation(Grade.VERIFIED, "reporter.test", "s1", "valid")


@pytest.mark.parametrize("form", [(b"simple", b"simple"), (b"relaxed", b"relaxed"), (b"simple", b"relaxed")])
def test_every_canonicalization(attest: Callable[..., Attestation], form: tuple[bytes, bytes]) -> None:
    assert attest(OWN.sign(mail(), canonicalize=form)).grade == Grade.VERIFIED


def test_a_subdomain_signs_for_its_organization(attest: Callable[..., Attestation]) -> None:
    assert attest(SUB.sign(mail())).domain == "mail.reporter.test"
    assert attest(OWN.sign(mail(email="dmarc@deep.mail.reporter.test"))).grade == Grade.VERIFIED


def test_a_name_that_is_a_domain_is_the_reporters_too(attest: Callable[..., Attestation]) -> None:
    named = mail(name="Reporter.test", email="dmarc@elsewhere.test")
    assert attest(OWN.sign(named)).grade == Grade.VERIFIED
    assert attest(OWN.sign(mail(name="Reporter", email="dmarc@elsewhere.test"))).grade == Grade.MISMATCH


def test_another_domains_signature_alone_is_a_mismatch(attest: Callable[..., Attestation]) -> None:
    found = attest(OTHER.sign(mail()))
    assert (found.grade, found.domain, found.doubt) == (Grade.MISMATCH, "evil.test", Doubt.MISMATCH)


def test_the_reporters_signature_counts_beside_another(attest: Callable[..., Attestation]) -> None:
    assert attest(OTHER.sign(OWN.sign(mail()))).domain == "reporter.test"
    assert attest(OWN.sign(OTHER.sign(mail()))).domain == "reporter.test"


def test_a_name_that_only_ends_alike_is_another(attest: Callable[..., Attestation]) -> None:
    for near in ("noreply@notreporter.test", "noreply@reporter.test.evil.test", "reporter.test", "@"):
        assert attest(OWN.sign(mail(email=near))).grade == (
            Grade.VERIFIED if near == "reporter.test" else Grade.MISMATCH
        )


def test_a_list_of_our_own_that_signs_anew_says_nothing(nsd: Nsd, attest: Callable[..., Attestation]) -> None:
    renamed = OWN.sign(mail()).replace(b"From: noreply", b"From: via list, noreply")
    found = attest(OURS.sign(renamed))
    assert (found.grade, found.status, found.doubt) == (Grade.UNVERIFIED, "invalid", Doubt.UNVERIFIED)


def test_a_forged_from_with_a_signature_of_the_forgers_is_a_mismatch(attest: Callable[..., Attestation]) -> None:
    forged = ReportMail(report(), sender="noreply@reporter.test").mail()
    assert attest(OTHER.sign(forged)).grade == Grade.MISMATCH


def test_a_second_from_breaks_the_signature(attest: Callable[..., Attestation]) -> None:
    forged = b"From: someone@evil.test\r\n" + OWN.sign(mail())
    assert attest(forged).status == "invalid"


def test_no_signature(attest: Callable[..., Attestation]) -> None:
    assert attest(mail()) == Attestation(Grade.UNVERIFIED, status="no signature", doubt=Doubt.UNVERIFIED)


def test_a_changed_body_and_a_changed_header(attest: Callable[..., Attestation]) -> None:
    signed = OWN.sign(mail())
    other = ReportMail(report(report_id="other")).mail()
    swapped = signed[: signed.index(b"\r\n\r\n")] + other[other.index(b"\r\n\r\n") :]
    assert attest(swapped).status == "body changed"
    assert attest(signed.replace(b"aggregate report", b"aggregated report")).status == "body changed"
    assert attest(signed.replace(b"Subject: Report", b"Subject: A report")).status == "invalid"


@pytest.mark.parametrize(
    ("signer", "status"),
    [
        (GONE, "no key"),
        (REVOKED, "revoked key"),
        (TESTING, "testing key"),
        (TLSRPT, "invalid"),
        (SHA1, "invalid"),
    ],
)
def test_keys_that_do_not_count(attest: Callable[..., Attestation], signer: Signer, status: str) -> None:
    found = attest(signer.sign(mail()))
    assert (found.grade, found.status, found.doubt) == (Grade.UNVERIFIED, status, Doubt.UNVERIFIED)


def test_a_key_of_another_pair_is_invalid(attest: Callable[..., Attestation]) -> None:
    assert attest(Signer("reporter.test", number=9).sign(mail())).status == "invalid"


def test_a_strict_key_wants_the_identity_to_be_the_domain(attest: Callable[..., Attestation]) -> None:
    assert attest(STRICT.sign(mail())).grade == Grade.VERIFIED
    assert attest(STRICT.sign(mail(), identity=b"x@sub.reporter.test")).status == "invalid"


def test_a_short_key_of_1024_bits_still_counts(attest: Callable[..., Attestation]) -> None:
    assert attest(SHORT.sign(mail())).grade == Grade.VERIFIED


def test_rsa_sha1_is_too_weak(attest: Callable[..., Attestation]) -> None:
    assert attest(OWN.sign(mail(), signature_algorithm=b"rsa-sha1")).status == "too weak"


def test_expiry_is_judged_by_the_time_of_receipt(attest: Callable[..., Attestation]) -> None:
    over = int((AT - timedelta(hours=1)).timestamp())
    assert attest(OWN.with_tags(mail(), {"x": str(over)})).status == "expired"
    # RFC 6376 section 3.5: verified today, but received in time.
    soon = int((AT + timedelta(hours=1)).timestamp())
    assert attest(OWN.with_tags(mail(), {"x": str(soon)})).grade == Grade.VERIFIED
    assert attest(OWN.with_tags(mail(), {"x": str(soon)}), None).status == "expired"


def test_a_key_that_is_gone_excuses_only_a_mail_that_came_long_ago(attest: Callable[..., Attestation]) -> None:
    old = attest(GONE.sign(mail()), AT - timedelta(days=60))
    assert (old.grade, old.status, old.doubt) == (Grade.UNVERIFIED, "no key", Doubt.UNPROVABLE)
    # Nobody is excused by a key of his own that is gone, in another's name.
    other = attest(Signer("evil.test", "gone").sign(mail()), AT - timedelta(days=60))
    assert (other.status, other.doubt) == ("no key", Doubt.UNVERIFIED)


def test_no_answer_is_no_mismatch(attest: Callable[..., Attestation]) -> None:
    for found in (attest(OWN.sign(mail()), port=9), attest(OTHER.sign(OWN.sign(mail())), port=9)):
        assert (found.grade, found.status, found.doubt) == (Grade.UNVERIFIED, "temperror", Doubt.UNPROVABLE)
    broken = Signer("broken.test").sign(mail(email="x@broken.test"))
    assert attest(broken).status == "temperror"


def test_a_part_of_the_body_is_not_the_body(attest: Callable[..., Attestation]) -> None:
    whole = OWN.sign(mail(), length=True)
    assert b"l=" in whole
    assert attest(whole).grade == Grade.VERIFIED
    assert attest(whole + b"\r\nmore\r\n").status == "covers a part of the body only"
    assert attest(OWN.sign(mail()).replace(b"; c=", b"; l=0; c=")).status == "covers a part of the body only"


def test_a_signature_that_leaves_from_out_says_nothing(attest: Callable[..., Attestation]) -> None:
    signed = OWN.sign(mail())
    assert attest(signed.replace(b"h=from", b"h=fr0m").replace(b": from", b": fr0m")).grade == Grade.UNVERIFIED


def test_of_many_signatures_the_first_ten_count(attest: Callable[..., Attestation]) -> None:
    plain = mail()
    wrong = b"".join(OTHER.sign(plain)[: -len(plain)] for _ in range(12))
    assert attest(wrong + OWN.sign(plain)).grade == Grade.MISMATCH
    few = b"".join(OTHER.sign(plain)[: -len(plain)] for _ in range(9))
    assert attest(few + OWN.sign(plain)).grade == Grade.VERIFIED
    begun = time.monotonic()
    attest(b"".join(FAR.sign(plain)[: -len(plain)] for _ in range(50)) + plain)
    assert time.monotonic() - begun < 20


@pytest.mark.parametrize(
    "field",
    [
        b"",
        b"v=1",
        b"v=1; v=1; a=rsa-sha256",
        b"v=1; a=rsa-sha256; b=AA==; bh=AA==; d=reporter.test; h=from; s=s1; x=" + b"9" * 5000,
        b"v=1; a=rsa-sha256; b=!!; bh=AA==; d=reporter.test; h=from; s=s1",
        b"v=1; a=rsa-sha256; b=AA==; bh=AA==; d=\xff\xfe; h=from; s=\x00",
        b"v=1; a=rsa-sha256; b=AA==; bh=AA==; d=" + b"a" * 300 + b".test; h=from; s=s1",
        b"v=1; a=rsa-sha256; b=AA==; bh=AA==; d=reporter.test; h=from; s=" + b".".join([b"x"] * 120),
        b"v=1; a=rsa-sha256; c=odd/odd; b=AA==; bh=AA==; d=reporter.test; h=from; s=s1; l=1",
        b"v=1; a=ed25519-sha256; b=AA==; bh=AA==; d=reporter.test; h=from; s=s1",
        b"v=1;" + b" \r\n\t" * 2000,
        b"; " * 4000,
    ],
)
def test_odd_signatures_never_raise(attest: Callable[..., Attestation], field: bytes) -> None:
    begun = time.monotonic()
    assert attest(b"DKIM-Signature: " + field + b"\r\n" + mail()).grade == Grade.UNVERIFIED
    assert time.monotonic() - begun < 20


def test_blanks_without_end_cost_little(attest: Callable[..., Attestation]) -> None:
    heavy = ReportMail(report(), fields={}).mail().replace(b"This is", b"This" + b" \t" * 2_000_000 + b"is")
    signed = OWN.sign(mail())
    begun = time.monotonic()
    header = signed[: signed.index(b"\r\n\r\n")]
    assert attest(header + heavy[heavy.index(b"\r\n\r\n") :]).grade == Grade.UNVERIFIED
    assert time.monotonic() - begun < 20


def test_ed25519(nsd: Nsd) -> None:
    pytest.importorskip("nacl", reason="Ed25519 needs PyNaCl")
    from nacl.encoding import Base64Encoder  # noqa: PLC0415
    from nacl.signing import SigningKey  # noqa: PLC0415

    key = SigningKey.generate()
    public = key.verify_key.encode(Base64Encoder).decode()
    server = Nsd({"reporter.test": f'e1._domainkey TXT "v=DKIM1; k=ed25519; p={public}"\n'})
    server.start()
    try:
        private, plain = key.encode(Base64Encoder), mail()
        head = dkim.sign(plain, b"e1", b"reporter.test", private, signature_algorithm=b"ed25519-sha256")
        ((found,),) = Attester(settings(server.port))([read_(head + plain)], NOW)
    finally:
        server.remove()
    assert found.grade == Grade.VERIFIED


def test_a_batch_asks_for_each_key_once_and_is_told_in_its_order(nsd: Nsd) -> None:
    raws: Sequence[bytes] = [OWN.sign(mail()), b"no report", mail(), OTHER.sign(mail()), report()] * 20
    batch = [read_(raw) for raw in raws]
    grades = [[one.grade for one in found] for found in Attester(settings(nsd.port))(batch, NOW)]
    assert grades == [["verified"], [], ["unverified"], ["mismatch"], ["unattested"]] * 20


def test_name_servers_that_never_answer_hold_nothing_up(nsd: Nsd) -> None:
    batch = [read_(Signer(f"d{n}.test", number=2).sign(mail(email=f"x@d{n}.test"))) for n in range(40)]
    attester = Attester(settings(9, timeout=0.5, lifetime=1.0))
    begun = time.monotonic()
    for _ in range(5):
        found = attester(batch, NOW)
        assert {one.status for (one,) in found} == {"temperror"}
    assert time.monotonic() - begun < 30


def test_several_reports_in_one_mail_are_told_apart(attest: Callable[..., Attestation], nsd: Nsd) -> None:
    both = ReportMail(report()).mail()
    foreign = report(email="x@elsewhere.test", report_id="r2", name="Elsewhere")
    text = both.replace(b"This is an aggregate report.", foreign.replace(b"\n", b"\r\n"))
    ((*found,),) = Attester(settings(nsd.port))([read_(OWN.sign(text))], NOW)
    assert sorted(one.grade for one in found) == ["mismatch", "verified"]
