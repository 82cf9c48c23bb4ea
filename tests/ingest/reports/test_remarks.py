"""What receivers write beside the result of a signature: read where it stands, and never worse than nothing."""

from __future__ import annotations

import pytest

from ingest.reports.remarks import LENGTH, Remark, remarks

DKIM = "<dkim><domain>Example.com.</domain><selector>s1</selector><result>fail</result>{}</dkim>"
RECORD = """<record><row><source_ip>::ffff:192.0.2.1</source_ip><count>{}</count></row>
<identifiers><header_from>example.com</header_from></identifiers><auth_results>{}</auth_results></record>"""


def document(count: str, *told: str, head: str = "<feedback>") -> bytes:
    signatures = "".join(DKIM.format(f"<human_result>{text}</human_result>") for text in told)
    return f"{head}<report_metadata/>{RECORD.format(count, signatures)}</feedback>".encode()


def test_each_signature_has_its_own() -> None:
    first, second = remarks(document("7", "signature  expired", "1024-bit key"))
    assert first == Remark("192.0.2.1", 7, "example.com", "s1", "fail", "signature  expired")
    assert second.text == "1024-bit key"
    space = document("7", "expired", head='<feedback xmlns="urn:ietf:params:xml:ns:dmarc-2.0">')
    assert [one.text for one in remarks(space)] == ["expired"]


@pytest.mark.parametrize(
    "hostile",
    [
        document("7", ""),
        document("many", "expired"),
        document("99999999999999999999", "expired"),
        document("7", "expired")[:-20],
        b"human_result",
        b"\xff\xfehuman_result",
        b"<!DOCTYPE feedback [<!ENTITY a 'b'>]>" + document("7", "&a;"),
        document("7", "<b>expired</b>"),
    ],
)
def test_what_cannot_be_read_says_nothing(hostile: bytes) -> None:
    assert remarks(hostile) == []


def test_text_is_made_inert_and_short() -> None:
    [one] = remarks(document("7", "a\u202eb\nc" + "x" * 999))
    assert one.text.startswith("ab c")
    assert len(one.text) == LENGTH
