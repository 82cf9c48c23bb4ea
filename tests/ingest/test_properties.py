"""Whatever a reporter may write comes back as it was written, however it is packed; damage never raises."""

from __future__ import annotations

import ipaddress
from dataclasses import asdict
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.errors import MalformedReport
from ingest.inputs.base import Message
from ingest.outcome import Reason
from ingest.reading import Reading, read
from ingest.reports import frame, record
from ingest.reports.aggregate import AggregateReport, parse
from ingest.reports.markup import STREAMED_BEYOND
from ingest.settings import UnpackLimits
from tests.ingest import wrap
from tests.ingest.writer import METADATA, POLICY, write

# -- reports by the letter -------------------------------------------------------------------------

LABELS = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,10}[a-z0-9])?", fullmatch=True)
DOMAINS = st.lists(LABELS, min_size=1, max_size=4).map(".".join)
ADDRESSES = st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6)).filter(
    lambda ip: not isinstance(ip, ipaddress.IPv6Address) or ip.ipv4_mapped is None
)
# What XML can carry and what stays as it is when control characters go and white space folds.
TEXTS = (
    st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=30)
    .filter(str.isprintable)
    .map(lambda text: f"{text} x")
)
DKIM_RESULTS = st.sampled_from(["none", "pass", "fail", "policy", "neutral", "temperror", "permerror"])
SPF_RESULTS = st.sampled_from(["none", "neutral", "pass", "fail", "softfail", "temperror", "permerror"])
REASONS = st.sampled_from(
    ["forwarded", "sampled_out", "trusted_forwarder", "mailing_list", "local_policy", "other", "policy_test_mode"]
)


def optional(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | strategy


RECORDS = st.fixed_dictionaries(
    {
        "source_ip": ADDRESSES.map(str),
        "messages": st.integers(1, 2**40),
        "disposition": st.sampled_from(["none", "quarantine", "reject", "pass"]),
        "dkim_aligned": optional(st.booleans()),
        "spf_aligned": optional(st.booleans()),
        "reasons": st.lists(st.tuples(REASONS, optional(TEXTS)), max_size=3).map(tuple),
        "header_from": DOMAINS,
        "envelope_from": optional(DOMAINS | st.just("")),
        "envelope_to": optional(DOMAINS),
        "dkim": st.lists(st.tuples(DOMAINS, optional(LABELS), DKIM_RESULTS), max_size=3).map(tuple),
        "spf": st.lists(st.tuples(DOMAINS, optional(st.sampled_from(["mfrom", "helo"])), SPF_RESULTS), max_size=2).map(
            tuple
        ),
    }
)
POLICIES = st.sampled_from(["none", "quarantine", "reject"])
MODES = st.sampled_from(["r", "s"])
BEGINS = st.integers(1_000_000_000, 4_000_000_000)
COMMON: dict[str, st.SearchStrategy[Any]] = {
    "domain": DOMAINS,
    "p": optional(POLICIES),
    "sp": optional(POLICIES),
    "adkim": optional(MODES),
    "aspf": optional(MODES),
    "fo": optional(st.sampled_from(["0", "1", "d:s", "1:d:s"])),
}
OF_7489 = COMMON | {"pct": optional(st.integers(0, 100))}
OF_9990 = COMMON | {
    "np": optional(POLICIES),
    "testing": optional(st.sampled_from(["y", "n"])),
    "discovery_method": optional(st.sampled_from(["psl", "treewalk"])),
}


@st.composite
def reports(draw: st.DrawFn) -> tuple[dict[str, Any], str]:
    schema = draw(st.sampled_from(["7489", "9990"]))
    begin = draw(BEGINS)
    metadata = {
        "org_name": draw(TEXTS),
        "email": "dmarc@mail.example.net",
        "extra_contact_info": draw(optional(TEXTS)),
        "report_id": draw(TEXTS),
        "begin": begin,
        "end": begin + draw(st.integers(0, 7 * 86_400)),
        "errors": tuple(draw(st.lists(TEXTS, max_size=2))),
        "generator": draw(optional(TEXTS)) if schema == "9990" else None,
    }
    policy = draw(st.fixed_dictionaries(OF_9990 if schema == "9990" else OF_7489))
    records = draw(st.lists(RECORDS, min_size=1, max_size=6))
    return {
        "metadata": metadata,
        "policy": policy,
        "records": records,
        "version": draw(optional(st.just("1.0"))),
    }, schema


def values(report: AggregateReport) -> dict[str, Any]:
    """A parsed report in the writer's terms."""
    metadata = asdict(report.report_metadata)
    metadata["begin"] = int(metadata.pop("begin_at").timestamp())
    metadata["end"] = int(metadata.pop("end_at").timestamp())
    policy = asdict(report.policy_published)
    records = [one._asdict() for one in report.records]
    return {"metadata": metadata, "policy": policy, "records": records, "version": report.version}


@given(reports())
@settings(max_examples=150, deadline=None)
def test_what_is_written_comes_back(written: tuple[dict[str, Any], str]) -> None:
    report = parse(write(*written))
    assert report.repairs == ()
    assert report.schema == written[1]
    found = values(report)
    absent = dict.fromkeys(found["policy"])
    assert found == {**written[0], "policy": {**absent, **written[0]["policy"]}}
    assert report.messages == sum(one["messages"] for one in written[0]["records"])


@given(reports(), st.data())
@settings(max_examples=60, deadline=None)
def test_any_packing_gives_the_same(written: tuple[dict[str, Any], str], data: st.DataObject) -> None:
    document = write(*written)
    packing = data.draw(st.sampled_from([*wrap.PACKED.values(), *wrap.MAILED.values()]))
    assert [one.report for one in reading(packing(document)).reports] == [parse(document)]


@given(reports())
@settings(max_examples=40, deadline=None)
def test_a_streamed_document_gives_the_same(written: tuple[dict[str, Any], str]) -> None:
    document = write(*written)
    padded = document.replace(b"</record>", b"</record>" + b" \n" * (STREAMED_BEYOND // 2))
    assert len(padded) > STREAMED_BEYOND
    assert parse(padded) == parse(document)


@given(reports(), st.sampled_from(["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"]))
@settings(max_examples=40, deadline=None)
def test_any_encoding_of_unicode_gives_the_same(written: tuple[dict[str, Any], str], encoding: str) -> None:
    document = write(*written)
    recoded = parse(document.decode().replace("UTF-8", encoding[:6].upper()).encode(encoding))
    assert values(recoded) == values(parse(document))


# -- damage ------------------------------------------------------------------------------------------

DOCUMENT = write(
    {
        "metadata": dict(METADATA),
        "policy": dict(POLICY),
        "records": [
            {
                "source_ip": f"192.0.2.{n}",
                "messages": n + 1,
                "header_from": "example.com",
                "reasons": [("local_policy", "arc=pass & more")],
                "dkim": [("example.com", "s1", "pass")],
                "spf": [("example.com", "mfrom", "pass")],
            }
            for n in range(3)
        ],
    }
)
MESSAGES = [packing(DOCUMENT) for packing in (*wrap.PACKED.values(), *wrap.MAILED.values())]
# Small, so that a mutation that makes a bomb is met soon.
LIMITS = UnpackLimits(message_bytes=2**20, document_bytes=2**20, total_bytes=2**21)


def reading(raw: bytes) -> Reading:
    return read(Message(raw=raw, origin="a", size=len(raw)), LIMITS)


@st.composite
def damaged(draw: st.DrawFn, whole: bytes) -> bytes:
    raw = bytearray(whole)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(raw)))
        length = draw(st.sampled_from([0, 1, 1, 2, 8, 100]))
        piece = draw(
            st.one_of(
                st.binary(max_size=4),
                st.sampled_from(
                    [b"<", b">", b"&", b"</", b"\0", b"\r\n\r\n", b"\r\n--", b"]]>", b"<!--", b"\xff\xff\xff\xff"]
                ),
                st.sampled_from(
                    [b"</record>", b"<record>", b"<count>-1</count>", b"</feedback>", b"<feedback>", b"PK\1\2"]
                ),
            )
        )
        raw[at : at + length] = piece
    return bytes(raw)


@given(st.sampled_from(MESSAGES).flatmap(damaged))
@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_damage_is_told_and_never_raises(raw: bytes) -> None:
    found = reading(raw)
    assert Reason.UNEXPECTED not in {refusal.reason for refusal in found.refusals}
    assert found.reports or found.refusals or found.sentence
    for one in found.reports:
        assert all(0 < record.messages <= 2**43 for record in one.report.records)


@given(damaged(DOCUMENT))
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_damaged_xml_is_read_the_same_with_and_without_the_memory(raw: bytes) -> None:
    known = outcome(raw)
    record.forget()
    frame.frames.clear()
    assert outcome(raw) == known


@given(
    st.binary(max_size=300),
    st.sampled_from([b"", b"\x1f\x8b\x08", b"PK\x03\x04", b"<feedback>", b"From: a\n", b"\x78\x9f\x3e\x22"]),
)
@settings(max_examples=300, deadline=None)
def test_any_bytes_are_told_and_never_raise(raw: bytes, start: bytes) -> None:
    found = reading(start + raw)
    assert Reason.UNEXPECTED not in {refusal.reason for refusal in found.refusals}
    assert found.reports or found.refusals or found.sentence


def outcome(raw: bytes) -> AggregateReport | str:
    try:
        return parse(raw)
    except MalformedReport as refused:
        return refused.reason
