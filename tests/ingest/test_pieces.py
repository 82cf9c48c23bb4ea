"""A report read as its bytes arrive is what all of them give, wherever they are cut; or it is not read so."""

from __future__ import annotations

import gzip
import random
from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from ingest.errors import MalformedReport
from ingest.inflated import Inflated
from ingest.inputs.base import Message
from ingest.reading import JOINED_LIMIT, Reading, read
from ingest.reports import mending
from ingest.reports.aggregate import AggregateReport, parse, parse_pieces
from ingest.settings import UnpackLimits
from tests.ingest import wrap
from tests.ingest.reports.answers import CASES
from tests.ingest.test_properties import DOCUMENT, damaged, reports
from tests.ingest.writer import write
from warehouse.packing import document_hash
from warehouse.portion import portion

REFUSED = (MalformedReport, etree.XMLSyntaxError, UnicodeDecodeError)


def cut(document: bytes, borders: Iterable[int]) -> Iterator[bytes]:
    places = [0, *sorted(borders), len(document)]
    return (document[start:end] for start, end in pairwise(places))


def agrees(document: bytes, borders: Iterable[int]) -> bool:
    """Whether it was read in pieces; it is then one report, and the same as from the whole."""
    try:
        found = parse_pieces(document[: 2**16], cut(document, borders))
    except REFUSED:
        return False
    assert [parse(part) for part in mending.split(document)] == [found]
    return True


@pytest.mark.parametrize("case", sorted(CASES.glob("*.xml")), ids=lambda case: case.stem)
def test_odd_reports_are_read_the_same_in_pieces_or_not_in_pieces(case: Path) -> None:
    document = case.read_bytes()
    assert len({agrees(document, range(0, len(document), step)) for step in (7, 50, 1000, 10**9)}) == 1


def test_a_border_may_stand_anywhere() -> None:
    for at in range(len(DOCUMENT) + 1):
        assert agrees(DOCUMENT, [at])
    assert agrees(DOCUMENT, range(len(DOCUMENT)))


@given(reports(), st.lists(st.integers(0, 3000), max_size=40))
@settings(max_examples=80, deadline=None)
def test_what_is_written_is_read_in_pieces(written: tuple[dict[str, Any], str], borders: list[int]) -> None:
    document = write(*written)
    assert agrees(document, [min(border, len(document)) for border in borders])


@given(damaged(DOCUMENT), st.lists(st.integers(0, 3000), max_size=10))
@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_what_is_damaged_is_read_the_same_in_pieces_or_not_in_pieces(raw: bytes, borders: list[int]) -> None:
    agrees(raw, [min(border, len(raw)) for border in borders])


@pytest.mark.parametrize(
    ("of", "to"),
    [
        (b"</record>", b"</record><!-- x -->"),
        (b"</record>", b"</record><?x y?>"),
        (b"</report_metadata>", b"</report_metadata><x>" + b"y" * 2**16 + b"</x>"),
        (b"</record>", b"</record>" + b" " * 2**16),
        (b"</feedback>", b"</feedback><feedback></feedback>"),
        (b"</feedback>", b"</feedback>" + b"\n" * 2**16),
        (b"<record>", b"<records>"),
        (b'encoding="UTF-8"', b'encoding="ISO-8859-1"'),
    ],
)
def test_what_only_the_whole_tells_is_not_read_in_pieces(of: bytes, to: bytes) -> None:
    changed = DOCUMENT.replace(of, to).replace(b"example.com<", "exämple.com<".encode())
    assert changed != DOCUMENT
    assert agrees(DOCUMENT, range(0, len(DOCUMENT), 100))
    assert not agrees(changed, range(0, len(changed), 100))


# -- large documents, which stay packed ----------------------------------------------------------------


def large(records: int = 6000) -> bytes:
    """A report that takes more than 64 KiB when it is packed."""
    chance = random.Random(5)
    rows = [
        {
            "source_ip": f"10.0.{n // 250}.{n % 250}",
            "messages": 1,
            "header_from": f"{chance.getrandbits(120):x}.example",
        }
        for n in range(records)
    ]
    return write({"records": rows})


LARGE = large()


def reading(raw: bytes, limits: UnpackLimits | None = None) -> Reading:
    return read(Message(raw=raw, origin="a", size=len(raw)), limits or UnpackLimits())


PACKINGS = (gzip.compress, lambda data: wrap.zipped(("a.xml", data)), lambda data: gzip.compress(data) + b"behind")


@pytest.mark.parametrize("packing", PACKINGS)
def test_a_large_report_stays_packed(packing: Any) -> None:
    found = reading(packing(LARGE))
    [one] = found.reports
    assert isinstance(one.content, Inflated)
    assert one.report == parse(LARGE)
    assert one.document == LARGE
    assert len(one.content) == len(LARGE) == found.size
    assert one.content == LARGE
    assert one.content != LARGE[:-1] + b" "
    made = portion([(Message(raw=b"", origin="a", size=0), found)])
    assert made.staged.reports.column("document_hash").to_pylist() == [document_hash(LARGE)]
    assert made.documents.to_pylist() == [
        {"document_hash": document_hash(LARGE), "size": len(LARGE), "data": one.deflated}
    ]


def repaired(document: bytes) -> AggregateReport:
    [one] = reading(gzip.compress(document)).reports
    assert one.content == document
    return one.report


def test_a_large_report_that_is_damaged_is_mended() -> None:
    assert [repair.code for repair in repaired(b"junk" + LARGE).repairs] == ["surroundings"]
    latin = LARGE.replace(b"UTF-8", b"ISO-8859-1").replace(b"</org_name>", b"\xe4</org_name>")
    assert [repair.code for repair in repaired(latin).repairs] == []
    assert repaired(latin).report_metadata.org_name.endswith("ä")


@pytest.mark.parametrize(
    ("damage", "code"),
    [(b"A & B", "ampersands"), (b"A&nbsp;B", "ampersands"), (b"A&#1;B", "ampersands"), (b"A\1B", "characters")],
)
def test_damage_that_more_than_a_mebibyte_follows_is_mended_too(damage: bytes, code: str) -> None:
    record = LARGE[LARGE.index(b"<record>") : LARGE.index(b"</record>") + 9]
    larger = LARGE.replace(b"</record>", b"</record>" + record * (2**21 // len(record)), 1)
    report = repaired(larger.replace(b"</org_name>", damage + b"</org_name>"))
    assert [repair.code for repair in report.repairs] == [code]
    assert len(report.records) > len(parse(LARGE).records) + 1000


def test_large_reports_in_one_document_are_told_apart() -> None:
    both = LARGE + LARGE.partition(b"?>")[2].replace(b"10.0.", b"10.1.")
    first, second = reading(gzip.compress(both)).reports
    assert first.report == parse(LARGE)
    assert second.report.records[0].source_ip == "10.1.0.0"


def test_more_joined_reports_than_anybody_joins_are_refused() -> None:
    small = b"<feedback><version>1</version></feedback>"
    assert len(reading(small * JOINED_LIMIT).refusals) == JOINED_LIMIT
    [refusal] = reading(small * (JOINED_LIMIT + 1)).refusals
    assert refusal.reason == "too_many_parts"


def test_a_large_report_that_came_twice_in_a_message_is_one() -> None:
    assert len(reading(wrap.zipped(("a.xml", LARGE), ("b.xml", LARGE))).reports) == 1


def test_a_large_report_is_refused_where_it_is_cut_off_or_expands_too_far() -> None:
    [refusal] = reading(gzip.compress(LARGE[:-2000])).refusals
    assert "cut off" in refusal.sentence
    [refusal] = reading(gzip.compress(LARGE)[:-2000]).refusals
    assert refusal.reason == "broken_archive"
    [refusal] = reading(gzip.compress(LARGE), UnpackLimits(document_bytes=len(LARGE) - 1)).refusals
    assert refusal.reason == "expands_too_far"
