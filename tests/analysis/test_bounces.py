"""What a bounce is, by its code and words; and when several are a pattern."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from analysis.bounces import Status, bounces, kind, provider
from ingest.reports import dsn
from ingest.reports.redaction import REDACTED
from tests.ingest.reports.mailed import CASES
from tests.warehouse.build import ListInput, loader, message, warehouse
from warehouse.load import load
from warehouse.scope import Scope

FAILED = Status("example.com", "failed", "5.0.0", "permanent", 550, "refused", "app.example.com")
CASES_BY_KIND = {
    "001-postfix-user-unknown": "hard", "002-postfix-delayed": "soft", "003-gmail-unauthenticated": "authentication",
    "004-microsoft-authentication-level": "authentication", "006-exchange-html-alone": "soft",
    "013-yahoo-text": "policy",
    "018-delivered-and-relayed": None, "032-backscatter-for-somebody-else": "fake",
    "039-domino": "hard", "042-fake-delivery-failure-that-names-somebody": "fake",
}  # fmt: skip


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"code": "5.7.26"}, "authentication"),
        ({"code": "5.7.515"}, "authentication"),
        ({"diagnostic": "550 message fails DMARC"}, "authentication"),
        ({"code": "5.7.1"}, "policy"),
        ({"diagnostic": "554 192.0.2.1 is listed on zen.example"}, "policy"),
        ({"diagnostic": "554 Reject due to policy restrictions."}, "policy"),
        ({"diagnostic": "550 user not listed in the directory"}, "hard"),
        ({"code": "4.7.28", "code_class": "transient"}, "throttled"),
        ({"diagnostic": "421 too many connections", "code_class": "transient"}, "throttled"),
        ({"code": "5.2.2"}, "soft"),
        ({"code_class": "transient"}, "soft"),
        ({"action": "delayed"}, "soft"),
        ({"code": "5.1.1"}, "hard"),
        ({"code": None, "code_class": None, "smtp_code": None}, "hard"),
        ({"code": "5.7.26", "message_id_domain": "botnet.test"}, "fake"),
        ({"message_id_domain": "mail.gmail.com"}, "hard"),
        ({"message_id_domain": "mailjet.com"}, "hard"),
        ({"action": "relayed"}, None),
    ],
)
def test_a_kind_is_told_from_code_and_words(change: dict[str, str | None], expected: str | None) -> None:
    assert kind(replace(FAILED, **change)) == expected  # type: ignore[arg-type]


@pytest.mark.parametrize(("name", "expected"), CASES_BY_KIND.items())
def test_bounces_as_mail_systems_write_them(name: str, expected: str | None) -> None:
    notice = dsn.parse((CASES / "dsn" / f"{name}.eml").read_bytes(), REDACTED)
    said = notice.statuses[0]
    code = said.code
    told = (str(code), code.class_name) if code else (None, None)
    status = Status("example.com", said.action, *told, said.smtp_code, said.diagnostic, notice.message_id_domain)
    assert kind(status) == expected


def test_a_provider_is_known_by_its_servers_or_its_domains() -> None:
    assert provider("customer.example", "alt1.aspmx.l.google.com") == "Google"
    assert provider("hotmail.com", None) == "Microsoft"
    assert provider("shop.example.org", "mx.shop.example.org") == "shop.example.org"
    assert provider(None, None) == ""


def test_one_address_is_a_case_and_many_on_several_days_are_a_pattern(tmp_path: Path) -> None:
    raw = (CASES / "dsn" / "003-gmail-unauthenticated.eml").read_bytes()
    single = (CASES / "dsn" / "001-postfix-user-unknown.eml").read_bytes()
    mails = [single]
    for day in (18, 19, 20):
        mails.append(raw.replace(b"20 Nov 2026", b"%d Nov 2026" % day).replace(b"jane.doe", b"u%d" % day))
    target = warehouse(tmp_path)
    load(ListInput([[message(mail) for mail in mails]]), loader(target))
    days, groups = bounces(target, Scope())
    assert groups.select("kind", "pattern", "recipients", "addresses", "days").rows() == [
        ("authentication", True, 3, 3, 3),
        ("hard", False, 1, 1, 1),
    ]
    assert days["recipients"].sum() == 4
    assert bounces(target, Scope(since=datetime(2030, 1, 1, tzinfo=UTC).date()))[1].is_empty()
