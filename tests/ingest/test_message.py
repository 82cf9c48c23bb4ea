"""The MIME walk: what is a mail, which parts are documents, what they are called."""

from __future__ import annotations

import gzip

import pytest

from ingest.decoding import base64, decoded, uudecoded
from ingest.errors import MalformedReport, UnsafeArchive
from ingest.message import Budget, Document, documents, is_mail
from ingest.outcome import Reason
from ingest.settings import UnpackLimits
from ingest.sniff import Kind, kind
from tests.ingest import wrap


def found(raw: bytes, name: str = "", limits: UnpackLimits | None = None) -> list[Document]:
    return list(documents(raw, name, Budget(limits or UnpackLimits())))


@pytest.mark.parametrize(
    "raw",
    [
        b"From: a@b.example\r\n\r\nbody",
        b"Return-Path: <>\nFrom: a@b.example\n\nbody",
        b"From a@b.example Mon Jan  1 00:00:00 2024\nFrom: a@b.example\n\nbody",
        b"\r\n\r\nReceived: by mx\r\n\r\n",
        b"\xef\xbb\xbfSubject: x\r\n\r\n",
        b"Content-Type: application/gzip",
    ],
)
def test_mails(raw: bytes) -> None:
    assert is_mail(raw)
    assert is_mail(raw, "somewhere/1704067200.M1P2.host:2,S")


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        (gzip.compress(b"x", mtime=0), "a.eml"),
        (wrap.zipped(("a", b"x")), "a.eml"),
        (wrap.zipped(), ""),
        (b"<feedback/>", "a.eml"),
        (b"\xef\xbb\xbf \n<?xml version='1.0'?>", ""),
        ("<feedback/>".encode("utf-16"), ""),
        (b'{"a": 1}', ""),
        (b'[{"organization-name": "x"}]', ""),
        (b"Note: this is\n<feedback/>", "a.xml"),
        (b"\x89PNG\r\n", "a.png"),
        (b"", ""),
    ],
)
def test_files(raw: bytes, name: str) -> None:
    assert not is_mail(raw, name)
    assert found(raw, name) == [Document(name, "", raw)]


def test_a_document_has_the_name_and_the_type_that_its_part_claims() -> None:
    (document,) = found(wrap.MAILED["gzip"](b"<feedback/>"))
    assert (document.name, document.content_type) == (wrap.FILE_NAME + ".gz", "application/gzip")


@pytest.mark.parametrize(
    ("field", "name"),
    [
        ('Content-Disposition: attachment; filename="a b.xml"', "a b.xml"),
        ('Content-Type: text/xml; name="named.xml"', "named.xml"),
        ("Content-Disposition: attachment; filename*=utf-8''%C3%A4.xml", "ä.xml"),
        ("Content-Disposition: attachment;\n filename*0=one;\n filename*1=two.xml", "onetwo.xml"),
        ('Content-Disposition: attachment; filename="../../x\u200b\x07.xml"', "../../x.xml"),
        ('Content-Disposition: attachment; filename="=?utf-8?q?=C3=A4=2Exml?="', "ä.xml"),
        ('Content-Disposition: attachment; filename="=?nonsense?b?%%%?="', ""),
        ("Content-Disposition: attachment; filename*=nonsense''%ff.xml", "ÿ.xml"),
        ("Content-Disposition: attachment", ""),
    ],
)
def test_names(field: str, name: str) -> None:
    prefix = "" if field.startswith("Content-Type") else "Content-Type: text/xml\n"
    (document,) = found(wrap.HEADER + wrap.multipart(wrap.entity(prefix + field, b"<feedback/>")))
    assert document.name == name


def test_texts_images_and_quoted_reports_are_no_documents() -> None:
    raw = wrap.HEADER + wrap.multipart(
        wrap.TEXT,
        wrap.entity("Content-Type: text/html", b"<p>Thank you for your feedback</p>"),
        wrap.entity("Content-Type: image/png; name=logo.png\nContent-Transfer-Encoding: base64", b"iVBORw0KGgo="),
        wrap.entity("Content-Type: text/plain", b"> <feedback>\r\n> </feedback>"),
        wrap.entity("Content-Type: application/pdf; name=a.pdf", b"%PDF-1.7 feedback"[:8]),
    )
    assert found(raw) == []


def test_a_text_with_a_report_in_it_gives_the_report() -> None:
    raw = wrap.inline(b"Dear all,\r\n\r\n  <feedback>\r\n</feedback>\r\nbye", "7bit")
    assert [document.data[:12] for document in found(raw)] == [b"  <feedback>"]


def test_parts_keep_their_bytes() -> None:
    for data in (b"", b"<a>\n", b"<a>\r\n\r\n", b"<a>--=_b0undaryx\r\n", b"<a>\r\n--=_b0undary-", b"<a>\0\xff\r\r\n"):
        raw = wrap.HEADER + wrap.multipart(wrap.entity("Content-Type: text/xml", data), wrap.TEXT)
        assert [document.data for document in found(raw)] == [data]


def test_a_mail_that_declares_parts_and_has_none_is_read_as_text() -> None:
    raw = wrap.mail('Content-Type: multipart/mixed; boundary="never"', b"<feedback>\r\n</feedback>\r\n")
    assert [document.content_type for document in found(raw)] == ["text/plain"]


def test_a_mail_that_names_another_boundary_than_it_uses_is_cut_where_it_looks_cut() -> None:
    raw = wrap.HEADER + wrap.multipart(wrap.TEXT, wrap.attached(b"\x1f\x8b"))
    boundary = raw.partition(b"boundary=")[2].split(b"\r\n")[0].strip(b'"')
    other = raw.replace(boundary, b"other", 1)
    assert other != raw
    assert [document.data for document in found(other)] == [b"\x1f\x8b"]


def test_a_feedback_part_that_calls_itself_text_is_a_document() -> None:
    part = wrap.entity("Content-Type: text/plain", b"Feedback-Type: auth-failure\r\nVersion: 1\r\n")
    (document,) = found(wrap.HEADER + wrap.multipart(wrap.TEXT, part))
    assert kind(document) is Kind.FAILURE


def test_what_was_found_before_a_limit_stays_found() -> None:
    walk = documents(wrap.HEADER + wrap.multipart(*[wrap.attached(b"\x1f\x8b")] * 5), "", Budget(UnpackLimits(parts=3)))
    assert [next(walk).name for _ in range(2)] == [wrap.FILE_NAME + ".gz"] * 2
    with pytest.raises(UnsafeArchive) as refused:
        next(walk)
    assert refused.value.reason == Reason.TOO_MANY_PARTS


def test_a_header_without_an_end_is_refused() -> None:
    with pytest.raises(MalformedReport) as refused:
        found(b"Subject: x\r\n" * 100_000)
    assert refused.value.reason == Reason.BROKEN_MESSAGE


# -- transfer encodings ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "data"),
    [
        (b"", b""),
        (b"QUJD", b"ABC"),
        (b"QUI=", b"AB"),
        (b"QUI", b"AB"),
        (b"QQ", b"A"),
        (b"QUJDR", b"ABC"),
        (b"Q U\r\n\r\nJ!D\x00", b"ABC"),
        (b"QQ==QUI=QUJD", b"AABABC"),
        (b"QUI===", b"AB"),
        (b"====", b""),
        (b"QUJD\r\n=\r\n", b"ABC"),
    ],
)
def test_base64(text: bytes, data: bytes) -> None:
    assert base64(text) == data


def test_unknown_encodings_are_none() -> None:
    assert decoded(b"=41", "x-nonsense") == b"=41"
    assert decoded(b"=41", " Quoted-Printable ") == b"A"
    assert decoded(b"<?xml?>", "base64") == b"<?xml?>"


def test_uuencode_with_garbage_behind_its_lines() -> None:
    plain = wrap.uuencoded(b"some bytes to encode")
    assert uudecoded(plain) == b"some bytes to encode"
    assert uudecoded(plain.replace(b"\n", b"xyz\r\n").replace(b"a.xmlxyz", b"a")) in (b"", b"some bytes to encode")
    assert uudecoded(b"begin at the beginning\nand go on\n") == b""
    assert uudecoded(b"begin 644 a\n\xff\xff\n") == b""
