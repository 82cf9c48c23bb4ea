from __future__ import annotations

import pytest

from ingest.message import Document
from ingest.sniff import Kind, kind
from tests.ingest.wrap import FILE_NAME


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"<feedback>", Kind.AGGREGATE),
        (b"<?xml version='1.0'?>\n<!-- x -->\n<d:feedback xmlns:d='urn:x'>", Kind.AGGREGATE),
        (b"\0garbage <feedback\n>", Kind.AGGREGATE),
        ("<feedback>".encode("utf-16"), Kind.AGGREGATE),
        ("<feedback>".encode("utf-16-be"), Kind.AGGREGATE),
        (b"<!DOCTYPE feedback [<!ENTITY a 'b'>]>", Kind.AGGREGATE),
        (b"<feedback/>", Kind.AGGREGATE),
        (b"<feed back>\n<report_metadata>", Kind.AGGREGATE),
        (b"<feedbacks>", Kind.NONE),
        (b"<html><p>feedback</p>", Kind.NONE),
        (b"<FEEDBACK>", Kind.AGGREGATE),
        (b"\0garbage <Feedback\n>", Kind.AGGREGATE),
        (b"Many words. " * 30 + b"The root of a report is <feedback>, or <FEEDBACK > with some.", Kind.NONE),
        (b'{"organization-name": "x"}', Kind.TLS),
        (b' [{"policies": []}]', Kind.TLS),
        (b'{"name": "policies"}', Kind.NONE),
        (b"Feedback-Type: auth-failure\r\n", Kind.FAILURE),
        (b"", Kind.NONE),
        (b"text", Kind.NONE),
    ],
)
def test_content_decides(data: bytes, expected: Kind) -> None:
    assert kind(Document("a.bin", "application/octet-stream", data)) is expected


@pytest.mark.parametrize(
    ("name", "content_type", "expected"),
    [
        (FILE_NAME, "", Kind.AGGREGATE),
        (FILE_NAME.upper() + ".GZ", "", Kind.AGGREGATE),
        (FILE_NAME[:-4] + "!unique.xml", "", Kind.AGGREGATE),
        (FILE_NAME[:-4] + ".json.gz", "", Kind.TLS),
        ("a!b.xml", "", Kind.NONE),
        ("pom.xml", "", Kind.NONE),
        ("", "message/delivery-status", Kind.DSN),
        ("", "message/feedback-report", Kind.FAILURE),
        ("", "text/xml", Kind.NONE),
    ],
)
def test_a_name_decides_where_content_does_not(name: str, content_type: str, expected: Kind) -> None:
    assert kind(Document(name, content_type, b"<other>")) is expected


def test_content_beats_a_name() -> None:
    assert kind(Document(FILE_NAME[:-4] + ".json", "", b"<feedback>")) is Kind.AGGREGATE


def test_an_xml_file_without_any_element_is_a_report_that_lost_its_content() -> None:
    assert kind(Document("report.xml", "", b"")) is Kind.AGGREGATE
    assert kind(Document("report.txt", "", b"")) is Kind.NONE
