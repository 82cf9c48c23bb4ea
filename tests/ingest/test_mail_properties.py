"""TLS reports and bounces come back as they were written; damage never raises; no local part stays in any text."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.errors import MalformedReport
from ingest.inputs.base import Message
from ingest.outcome import Reason
from ingest.reading import read
from ingest.reports import dsn, enhanced, failure, tls
from ingest.reports.redaction import Redaction
from ingest.settings import UnpackLimits
from tests.ingest import mail_writer
from tests.ingest.reports.mailed import KINDS, cases
from tests.ingest.test_properties import ADDRESSES, DOMAINS, TEXTS, optional

MOMENTS = st.integers(1_000_000_000, 4_000_000_000).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))
COUNTS = st.integers(0, 2**40)

# -- TLS reports -----------------------------------------------------------------------------------

DETAILS = st.fixed_dictionaries(
    {
        "result_type": st.sampled_from(["starttls-not-supported", "certificate-expired", "tlsa-invalid"]),
        "failed_session_count": COUNTS,
        "sending_mta_ip": optional(ADDRESSES.map(str)),
        "receiving_mx_hostname": optional(DOMAINS),
        "receiving_mx_helo": optional(DOMAINS),
        "receiving_ip": optional(ADDRESSES.map(str)),
        "additional_information": optional(TEXTS),
        "failure_reason_code": optional(TEXTS),
    }
)  # fmt: skip
TLS_POLICIES = st.fixed_dictionaries(
    {
        "policy_type": st.sampled_from(["sts", "tlsa", "no-policy-found"]),
        "policy_domain": DOMAINS,
        "total_successful_session_count": COUNTS,
        "total_failure_session_count": COUNTS,
        "policy_string": st.lists(TEXTS, max_size=3).map(tuple),
        "mx_host": st.lists(DOMAINS, max_size=3).map(tuple),
        "failure_details": st.lists(DETAILS, max_size=3).map(tuple),
    }
)


@st.composite
def tls_reports(draw: st.DrawFn) -> dict[str, Any]:
    begin = draw(MOMENTS)
    return {
        "organization_name": draw(TEXTS),
        "contact_info": draw(optional(TEXTS)),
        "report_id": draw(TEXTS),
        "begin_at": begin,
        "end_at": begin + timedelta(seconds=draw(st.integers(0, 86_400))),
        "policies": tuple(draw(st.lists(TLS_POLICIES, min_size=1, max_size=3))),
        "repairs": (),
    }


@given(tls_reports())
@settings(max_examples=150, deadline=None)
def test_a_tls_report_comes_back(written: dict[str, Any]) -> None:
    assert asdict(tls.parse(mail_writer.tls(written))) == written


# -- bounces ---------------------------------------------------------------------------------------

LOCALS = st.from_regex(r"[a-z0-9]{3,10}([.+_-][a-z0-9]{1,8}){0,2}", fullmatch=True)
MAILBOXES = st.builds("{}@{}".format, LOCALS, DOMAINS.map(lambda name: f"{name}.example"))
CODES = st.builds("{}.{}.{}".format, st.sampled_from("245"), st.integers(0, 7), st.integers(1, 999))
SERVERS = DOMAINS.map(lambda name: f"mx.{name}")
RECIPIENTS = st.fixed_dictionaries(
    {
        "Original-Recipient": optional(MAILBOXES),
        "Final-Recipient": MAILBOXES,
        "Action": st.sampled_from(dsn.ACTIONS),
        "Status": CODES,
        "Remote-MTA": optional(SERVERS),
        "Diagnostic-Code": optional(TEXTS.filter(lambda text: enhanced.find(text) is None)),
        "Last-Attempt-Date": optional(MOMENTS),
        "Will-Retry-Until": optional(MOMENTS),
    }
)
TYPES = {"Original-Recipient": "rfc822", "Final-Recipient": "rfc822", "Remote-MTA": "dns", "Diagnostic-Code": "smtp"}


@st.composite
def bounces(draw: st.DrawFn) -> dict[str, Any]:
    message = {"Reporting-MTA": draw(SERVERS), "Arrival-Date": draw(optional(MOMENTS))}
    returned = {"From": draw(MAILBOXES), "Return-Path": draw(MAILBOXES), "Message-ID": f"<{draw(MAILBOXES)}>"}
    recipients = draw(st.lists(RECIPIENTS, min_size=1, max_size=4))
    return {"message": message, "returned": returned, "recipients": recipients}


def typed(fields: dict[str, Any]) -> list[tuple[str, Any]]:
    """Fields with their types before the values, as RFC 3464 section 2.1.2 wants it."""
    kinds = TYPES | {"Reporting-MTA": "dns"}
    return [(n, f"{kinds[n]}; {v}" if n in kinds and v is not None else v) for n, v in fields.items()]


@given(bounces(), st.sampled_from(["\n", "\r\n", "\r"]))
@settings(max_examples=150, deadline=None)
def test_a_bounce_comes_back(written: dict[str, Any], end: str) -> None:
    parts = {
        "message": typed(written["message"]),
        "returned": list(written["returned"].items()),
        "recipients": [typed(fields) for fields in written["recipients"]],
    }
    notice = dsn.parse(mail_writer.bounce(parts, end), Redaction("full"))
    assert notice.reporting_mta == written["message"]["Reporting-MTA"]
    assert notice.arrival_at == written["message"]["Arrival-Date"]
    assert notice.header_from == written["returned"]["From"].rpartition("@")[2]
    assert notice.envelope_from == written["returned"]["Return-Path"].rpartition("@")[2]
    assert notice.message_id == written["returned"]["Message-ID"]
    assert notice.repairs == ()
    for status, fields in zip(notice.statuses, written["recipients"], strict=True):
        assert status.recipient
        assert status.recipient.address == fields["Final-Recipient"]
        assert (status.action, status.status, str(status.code)) == (
            fields["Action"],
            fields["Status"],
            fields["Status"],
        )
        assert status.remote_mta == fields["Remote-MTA"]
        assert status.diagnostic == fields["Diagnostic-Code"]
        assert status.last_attempt_at == fields["Last-Attempt-Date"]
        assert status.will_retry_until == fields["Will-Retry-Until"]


# -- damage ----------------------------------------------------------------------------------------

RAWS = [case.read_bytes() for kind in KINDS for case in cases(kind)]
PARSERS = (tls.parse, failure.parse, failure.parse_fields, dsn.parse, dsn.parse_status)


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """One of the cases with pieces flipped, cut, doubled, moved, or taken from another."""
    raw = bytearray(draw(st.sampled_from(RAWS)))
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, max(0, len(raw) - 1)))
        length = draw(st.integers(1, 200))
        match draw(st.sampled_from(["flip", "cut", "double", "move", "graft", "noise"])):
            case "flip":
                raw[at : at + 1] = bytes([draw(st.integers(0, 255))])
            case "cut":
                del raw[at : at + length]
            case "double":
                raw[at:at] = raw[at : at + length]
            case "move":
                piece = raw[at : at + length]
                del raw[at : at + length]
                to = draw(st.integers(0, len(raw)))
                raw[to:to] = piece
            case "graft":
                other = draw(st.sampled_from(RAWS))
                begin = draw(st.integers(0, len(other)))
                raw[at:at] = other[begin : begin + length]
            case _:
                raw[at:at] = draw(st.binary(max_size=20))
    return bytes(raw)


def refusal(parse: Callable[[bytes], object], raw: bytes) -> str | None:
    """Why a parser refuses it; any other exception is the test's to fail by."""
    try:
        parse(raw)
    except MalformedReport as refused:
        return refused.reason
    return None


@given(damaged())
@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_damage_is_refused_or_read_and_nothing_else(raw: bytes) -> None:
    for parse in PARSERS:
        assert refusal(parse, raw) in {None, *Reason}
    found = read(Message(raw, "damaged.eml", len(raw)), UnpackLimits())
    assert Reason.UNEXPECTED not in [one.reason for one in found.refusals]


@pytest.mark.parametrize("parse", PARSERS)
@given(raw=st.binary(max_size=300) | st.text(max_size=300).map(lambda text: text.encode("utf-8", "surrogatepass")))
@settings(max_examples=100, deadline=None)
def test_noise_is_refused_or_read(parse: Any, raw: bytes) -> None:
    assert refusal(parse, raw) in {None, *Reason}


# -- privacy ---------------------------------------------------------------------------------------

AROUND = st.sampled_from(["", "<", "(", '"', "smtp.mailfrom=", "mailto:", "for ", "[", "user ", ";", "RCPT TO:<", "'"])
BEHIND = st.sampled_from(["", ">", ")", '"', "...", " unknown", "]", ";", ": no", ".", ",", "'"])


@given(st.lists(st.tuples(AROUND, LOCALS, DOMAINS, BEHIND), min_size=1, max_size=6), st.sampled_from([" ", "; ", "\n"]))
@settings(max_examples=300, deadline=None)
def test_no_local_part_stays_in_a_text(pieces: list[tuple[str, str, str, str]], between: str) -> None:
    text = between.join(f"{before}{local}@{domain}{after}" for before, local, domain, after in pieces)
    shown, _ = Redaction().text(text)
    # What stands before an @ is nothing but the mark.
    assert not re.search(r"[^\s<>()\[\],;:\"'@|=…]@", shown)
    assert Redaction("full").text(text)[0].count("@") == len(pieces)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("smtp.mailfrom=40ann@example.com", "smtp.mailfrom=…@example.com"),  # and not an @ written as =40
        ("mailfrom=ann=40example.com", "mailfrom=…@example.com"),
        ("from=ann%40a.example@b.example", "from=…@b.example"),
    ],
)
def test_an_at_that_could_be_another_hides_nobody(text: str, shown: str) -> None:
    assert Redaction().text(text) == (shown, "")


@given(LOCALS.filter(lambda local: len(local) > 5))
@settings(max_examples=100, deadline=None)
def test_a_recipient_is_not_named_without_its_domain_either(local: str) -> None:
    recipient = [("Final-Recipient", f"rfc822; {local}@example.org"), ("Action", "failed"), ("Status", "5.1.1")]
    parts = {
        "message": [("Reporting-MTA", "dns; mail.example.net")],
        "recipients": [[*recipient, ("Diagnostic-Code", f"smtp; {local.upper()}: no mailbox {local} here")]],
        "returned": [("From", "ann@example.com")],
    }
    notice = dsn.parse(mail_writer.bounce(parts))
    assert local not in repr(notice).lower()
    assert notice.statuses[0].diagnostic == "…: no mailbox … here"


def test_pseudonyms_are_the_same_for_the_same_address_and_key_alone() -> None:
    one, other = Redaction(key=b"one"), Redaction(key=b"other")
    first = one.mailbox("<Ann@Example.com>")
    assert first
    assert first == one.mailbox("rfc822; ann@example.com")
    assert first != one.mailbox("bob@example.com")
    assert first != other.mailbox("ann@example.com")
    assert (first.local, first.address) == (None, None)
    assert Redaction().mailbox("ann@example.com") == ("example.com", None, None)
