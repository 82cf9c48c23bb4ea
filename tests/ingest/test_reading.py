"""A message in, what it says out: every packing gives the same report, and nothing ever raises."""

from __future__ import annotations

import bz2
import gzip
import lzma
import pickle
from collections.abc import Callable

import pytest

from ingest.inputs.base import Message
from ingest.outcome import Reason
from ingest.reading import Reading, read
from ingest.reports.aggregate import parse
from ingest.settings import UnpackLimits
from tests.ingest import wrap
from tests.ingest.writer import write

REPORT = write(
    {
        "records": [
            {
                "source_ip": "192.0.2.1",
                "messages": 3,
                "header_from": "example.com",
                "dkim": [("example.com", "s1", "pass")],
            },
            {
                "source_ip": "2001:db8::1",
                "messages": 4,
                "header_from": "example.com",
                "spf": [("example.com", None, "fail")],
            },
        ]
    }
)
OTHER = REPORT.replace(b"a1b2c3", b"d4e5f6")


def reading(raw: bytes, origin: str = "folder/file", limits: UnpackLimits | None = None) -> Reading:
    return read(Message(raw=raw, origin=origin, size=len(raw)), limits or UnpackLimits())


def refused(raw: bytes, origin: str = "folder/file", limits: UnpackLimits | None = None) -> list[str]:
    found = reading(raw, origin, limits)
    assert not found.reports
    assert all(refusal.sentence for refusal in found.refusals)
    return [refusal.reason for refusal in found.refusals]


@pytest.mark.parametrize("packing", wrap.PACKED.values(), ids=list(wrap.PACKED))
def test_every_packing_of_a_file_gives_the_report(packing: Callable[[bytes], bytes]) -> None:
    found = reading(packing(REPORT))
    assert [one.report for one in found.reports] == [parse(REPORT)]
    assert found.reports[0].document == REPORT
    assert (found.refusals, found.sentence) == ([], "")


@pytest.mark.parametrize("packing", wrap.MAILED.values(), ids=list(wrap.MAILED))
def test_every_way_of_mailing_gives_the_report(packing: Callable[[bytes], bytes]) -> None:
    found = reading(packing(REPORT))
    assert [one.report for one in found.reports] == [parse(REPORT)]
    assert (found.refusals, found.sentence) == ([], "")


def test_several_reports_in_one_message() -> None:
    third = REPORT.replace(b"a1b2c3", b"third")
    raw = wrap.HEADER + wrap.multipart(
        wrap.TEXT,
        wrap.attached(wrap.zipped(("a.xml", REPORT), ("b.xml", OTHER)), "application/zip", "two.zip"),
        wrap.attached(gzip.compress(third)),
    )
    ids = [one.report.report_metadata.report_id for one in reading(raw).reports]
    assert ids == ["a1b2c3", "d4e5f6", "third"]


def test_two_reports_joined_in_one_document() -> None:
    ids = [one.report.report_metadata.report_id for one in reading(gzip.compress(REPORT + OTHER)).reports]
    assert ids == ["a1b2c3", "d4e5f6"]


def test_the_second_of_two_joined_reports_is_cut_off() -> None:
    found = reading(REPORT + OTHER[:-40])
    assert len(found.reports) == 1
    assert [refusal.reason for refusal in found.refusals] == [Reason.XML_BROKEN]


def test_the_same_report_as_text_and_as_attachment_is_one() -> None:
    raw = wrap.HEADER + wrap.multipart(
        wrap.entity("Content-Type: text/xml", REPORT.rstrip()), wrap.attached(gzip.compress(REPORT.rstrip()))
    )
    assert len(reading(raw).reports) == 1


def test_a_broken_document_does_not_take_the_others_with_it() -> None:
    raw = wrap.HEADER + wrap.multipart(
        wrap.attached(gzip.compress(REPORT)[:-20]),
        wrap.attached(gzip.compress(b"<feedback><record/></feedback>"), name="other.xml.gz"),
        wrap.attached(gzip.compress(OTHER)),
    )
    found = reading(raw)
    assert [one.report.report_metadata.report_id for one in found.reports] == ["d4e5f6"]
    assert [(r.reason, r.name) for r in found.refusals] == [
        (Reason.BROKEN_ARCHIVE, wrap.FILE_NAME + ".gz"),
        (Reason.FIELD_MISSING, "other.xml"),
    ]


def test_a_broken_member_does_not_take_the_others_with_it() -> None:
    packed = bytearray(wrap.zipped(("a.xml", REPORT), ("b.xml", OTHER), method=0))
    packed[packed.index(b"<feedback")] ^= 1
    found = reading(bytes(packed))
    assert [one.report.report_metadata.report_id for one in found.reports] == ["d4e5f6"]
    assert [refusal.reason for refusal in found.refusals] == [Reason.BROKEN_ARCHIVE]


# -- what is no report -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        (b"", "It is empty."),
        (b"\r\n \n", "It is empty."),
        (wrap.entity("From: a@b.example", b"Hello\r\n"), "It is a mail without a report."),
        (wrap.entity("Content-Type: text/html", b"<p>Your <b>feedback</b></p>"), "It is a mail without a report."),
        (wrap.entity("Subject: Re: what", b"> <feedback>\r\n> <record>\r\n?"), "It is a mail without a report."),
        (
            wrap.entity("From: a@b.example", wrap.multipart(wrap.entity("Content-Type: text/xml", b"<a/>"))),
            "It is a mail without a report.",
        ),
        (
            b"From: a@b.example\r\n" + wrap.multipart(wrap.entity("Content-Type: text/xml", b"<project/>")),
            "It is a mail without a report (XML of another kind (project)).",
        ),
        (wrap.HEADER + wrap.TEXT, "Its subject announces a report, but none is attached."),
        (b"# Readme\n\nNothing.\n", "It is no report."),
        (b'{"name": "package"}', "It is no report."),
        (b"\x89PNG\r\n\x1a\n" + bytes(50), "It is no report."),
        (lzma.compress(REPORT), "It is packed as xz, which is not read."),
        (b"<?xml version='1.0'?><project><a/></project>", "It is XML of another kind (project)."),
        (
            wrap.zipped(("readme.txt", b"hello"), ("pom.xml", b"<project/>")),
            "It is XML of another kind (project).",
        ),
    ],
)
def test_what_is_no_report_is_called_what_it_is(raw: bytes, sentence: str) -> None:
    assert reading(raw) == Reading(sentence=sentence)


DSN = wrap.entity(
    "Content-Type: message/delivery-status", b"Reporting-MTA: dns; mx.example.net\r\n\r\nAction: failed\r\n"
)
ARF = wrap.entity("Content-Type: message/feedback-report", b"Feedback-Type: auth-failure\r\nVersion: 1\r\n")


def test_a_bounce_of_a_report_that_we_sent_is_no_report_that_we_received() -> None:
    returned = wrap.entity("Content-Type: message/rfc822", wrap.common_mail(REPORT))
    raw = wrap.HEADER + wrap.multipart(wrap.TEXT, DSN, returned, kind="report; report-type=delivery-status")
    found = reading(raw)
    assert (found.reports, found.refusals) == ([], [])
    assert [(read.report.form, read.document) for read in found.notices] == [("dsn", raw)]


def another(number: int) -> bytes:
    """The report under another id, in a mail."""
    return wrap.common_mail(REPORT.replace(b"a1b2c3", b"id%d" % number))


@pytest.mark.parametrize(
    ("raw", "reports"),
    [
        (gzip.compress(wrap.common_mail(REPORT)), 1),
        (wrap.zipped(("1.eml", another(1)), ("2.EML", another(2)), ("note.txt", b"Note: none")), 2),
        (wrap.tarred(("cur/1.M1P2.host:2,S", another(1)), ("cur/2.M1P2.host:2,S", another(2))), 2),
        (gzip.compress(wrap.tarred(("1.xml", REPORT), ("2.eml.gz", gzip.compress(another(2))))), 2),
        (gzip.compress(b"".join(b"From a Fri Nov 20 10:00:00 2026\n%s\n\n" % another(n) for n in range(9))), 9),
        (wrap.HEADER + wrap.multipart(wrap.attached(gzip.compress(another(1)), name="1.eml.gz")), 1),
        (wrap.HEADER + wrap.multipart(wrap.attached(wrap.tarred(("a.xml", REPORT)), "application/x-tar", "a.tar")), 1),
        (wrap.HEADER + wrap.multipart(wrap.attached(wrap.tarred(("a.xml", REPORT)), "application/x-any", "a")), 1),
    ],
    ids=["eml.gz", "zip of mails", "tar of a Maildir", "tar.gz", "mbox.gz", "mail in a mail", "tar in a mail", "a tar"],
)
def test_mails_in_archives_and_tar_files_are_read(raw: bytes, reports: int) -> None:
    found = reading(raw)
    assert (len(found.reports), found.refusals) == (reports, [])


def test_a_packed_bounce_is_a_bounce_and_what_it_returns_is_not_ours() -> None:
    returned = wrap.entity("Content-Type: message/rfc822", wrap.common_mail(REPORT))
    raw = wrap.HEADER + wrap.multipart(wrap.TEXT, DSN, returned, kind="report; report-type=delivery-status")
    found = reading(gzip.compress(raw))
    assert (found.reports, found.refusals) == ([], [])
    assert [(read.report.form, read.document) for read in found.notices] == [("dsn", raw)]


def test_mails_in_archives_in_mails_are_bounded() -> None:
    raw = wrap.common_mail(REPORT)
    for _ in range(9):
        raw = wrap.HEADER + wrap.multipart(wrap.attached(gzip.compress(raw), name="a.eml.gz"))
    found = reading(raw)
    assert [refusal.reason for refusal in found.refusals] == [Reason.NESTED_TOO_DEEP]


def outlook(subject: str) -> bytes:
    """The beginning of a mail as Outlook saves it, its directory, and its subject."""
    names = "__nameid_version1.0", "__substg1.0_0037001F", "__properties_version1.0"
    directory = b"".join(name.encode("utf-16-le").ljust(128, b"\0") for name in names)
    return b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504) + directory + subject.encode("utf-16-le") + bytes(512)


@pytest.mark.parametrize("wrapped", [False, True])
def test_a_mail_of_outlooks_own_is_told_what_to_do_with(wrapped: bool) -> None:
    raws = [outlook("Report domain: example.com Submitter: example.net"), outlook("Lunch")]
    if wrapped:
        raws = [b"From: a@b.example\r\n" + wrap.multipart(wrap.attached(raw, "application/x", "a")) for raw in raws]
    announced, other = map(reading, raws)
    [refusal] = announced.refusals
    assert refusal.reason == Reason.BROKEN_ARCHIVE
    assert refusal.sentence == (
        "What seems to be a report is a mail as Outlook saves it (.msg), which is not read. "
        "Save it from Outlook as .eml, or have the mailbox itself read with 'whosends poll'."
    )
    assert not other.refusals
    assert "a mail as Outlook saves it (.msg), which is not read" in other.sentence
    document = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "WordDocument".encode("utf-16-le") + bytes(512)
    assert reading(document) == Reading(sentence="It is no report.")


def test_a_failure_report_returns_what_is_not_ours() -> None:
    returned = wrap.entity("Content-Type: message/rfc822", wrap.common_mail(REPORT))
    raw = wrap.HEADER + wrap.multipart(wrap.TEXT, ARF, returned, kind="report; report-type=feedback-report")
    found = reading(raw)
    assert (found.reports, found.refusals) == ([], [])
    assert [(read.report.form, read.document) for read in found.failure_reports] == [("arf", raw)]


# -- what claims to be one and fails ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "name", "reason"),
    [
        (b"<html>not found</html>", wrap.FILE_NAME, Reason.XML_BROKEN),
        (b"", wrap.FILE_NAME, Reason.XML_BROKEN),
        (b"garbage", "report.xml", Reason.XML_BROKEN),
        (gzip.compress(REPORT)[:-30], wrap.FILE_NAME + ".gz", Reason.BROKEN_ARCHIVE),
        (b"\x1f\x8b", "a.gz", Reason.BROKEN_ARCHIVE),
        (wrap.zipped(("a.xml", REPORT))[:-40], "a.zip", Reason.BROKEN_ARCHIVE),
        (wrap.zipped(), "a.zip", Reason.BROKEN_ARCHIVE),
        (wrap.encrypted_zip("a.xml"), "a.zip", Reason.ENCRYPTED),
        (REPORT[:-20], "a.xml", Reason.XML_BROKEN),
        (lzma.compress(REPORT), wrap.FILE_NAME + ".xz", Reason.BROKEN_ARCHIVE),
        (wrap.HEADER + wrap.multipart(wrap.attached(bz2.compress(REPORT))), "", Reason.BROKEN_ARCHIVE),
    ],
)
def test_a_document_that_claims_to_be_a_report_is_refused(raw: bytes, name: str, reason: Reason) -> None:
    assert refused(raw, name) == [reason]


@pytest.mark.parametrize("letter", ["\ufeff", "\u202e", "\u200b", "\u2066"])
def test_a_refusal_quotes_nothing_that_acts(letter: str) -> None:
    damaged = REPORT.decode().replace("</row>", f"</r{letter}ow>").encode()
    (refusal,) = reading(damaged).refusals
    assert refusal.sentence.isprintable()


def test_the_name_of_a_part_that_is_refused_cannot_act() -> None:
    name = "a\x1b[2J\u202e\n=1+1.xml"
    (refusal,) = reading(wrap.zipped((name, REPORT[:-40]))).refusals
    assert refusal.name.isprintable()
    assert refusal.name.endswith("=1+1.xml")
    assert not {"\x1b", "\u202e", "\n"} & set(refusal.name + refusal.sentence)


def test_a_wrong_checksum_is_damage() -> None:
    packed = bytearray(gzip.compress(REPORT))
    packed[-6] ^= 1
    assert refused(bytes(packed)) == [Reason.BROKEN_ARCHIVE]


@pytest.mark.parametrize("missing", [1, 4, 8])
@pytest.mark.parametrize("padding", [0, 262_144 - len(REPORT), 300_000])
def test_a_gzip_that_lacks_its_trailer_alone_is_read(missing: int, padding: int) -> None:
    whole = gzip.compress(REPORT + b" " * padding)
    (found,) = reading(whole[:-missing]).reports
    assert found.report.records == parse(REPORT).records
    assert [repair.code for repair in found.report.repairs] == ["gzip_trailer"]
    assert refused(whole[:-9]) == [Reason.BROKEN_ARCHIVE]


def test_what_is_there_of_a_trailer_is_right() -> None:
    packed = bytearray(gzip.compress(REPORT)[:-4])
    packed[-1] ^= 1
    assert refused(bytes(packed)) == [Reason.BROKEN_ARCHIVE]


def test_a_file_that_could_not_be_read() -> None:
    found = read(Message(raw=b"", origin="a.xml", size=0, fault="Permission denied."), UnpackLimits())
    assert [(r.reason, r.sentence) for r in found.refusals] == [(Reason.UNREADABLE, "Permission denied.")]


def test_a_message_of_which_only_the_beginning_was_read() -> None:
    found = read(Message(raw=REPORT, origin="a.xml", size=len(REPORT) + 1), UnpackLimits())
    assert [r.reason for r in found.refusals] == [Reason.TOO_LARGE]


def test_a_reading_survives_the_way_to_another_process() -> None:
    for raw in (wrap.common_mail(REPORT), REPORT[:-20]):
        assert pickle.loads(pickle.dumps(reading(raw))) == reading(raw)


# -- limits ------------------------------------------------------------------------------------------


def test_the_number_of_parts_and_members_is_limited_together() -> None:
    raw = wrap.HEADER + wrap.multipart(wrap.TEXT, wrap.attached(wrap.zipped(("a.xml", REPORT), ("b.xml", OTHER))))
    assert len(reading(raw, limits=UnpackLimits(parts=5)).reports) == 2
    found = reading(raw, limits=UnpackLimits(parts=4))
    assert len(found.reports) == 1
    assert [r.reason for r in found.refusals] == [Reason.TOO_MANY_PARTS]


def test_the_unpacked_bytes_of_all_documents_are_limited_together() -> None:
    raw = wrap.zipped(("a.xml", REPORT), ("b.xml", OTHER))
    size = len(REPORT) + len(OTHER)
    assert len(reading(raw, limits=UnpackLimits(total_bytes=size)).reports) == 2
    found = reading(raw, limits=UnpackLimits(total_bytes=size - 1))
    assert len(found.reports) == 1
    assert [r.reason for r in found.refusals] == [Reason.EXPANDS_TOO_FAR]


def test_one_documents_unpacked_bytes_are_limited() -> None:
    assert refused(gzip.compress(REPORT), limits=UnpackLimits(document_bytes=len(REPORT) - 1)) == [
        Reason.EXPANDS_TOO_FAR
    ]


@pytest.mark.parametrize("levels", [4, 5])
def test_archives_in_archives_are_limited(levels: int) -> None:
    raw = REPORT
    for _ in range(levels):
        raw = gzip.compress(raw)
    if levels == 4:
        assert len(reading(raw).reports) == 1
    else:
        assert refused(raw) == [Reason.NESTED_TOO_DEEP]


@pytest.mark.parametrize("levels", [4, 5])
def test_mails_in_mails_are_limited(levels: int) -> None:
    raw = wrap.forwarded(wrap.common_mail(REPORT), levels)
    if levels == 4:
        assert len(reading(raw).reports) == 1
    else:
        assert refused(raw) == [Reason.NESTED_TOO_DEEP]
