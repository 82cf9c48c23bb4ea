"""`whosends services`: found by name or by trace, told to people and to programs."""

from __future__ import annotations

import pytest

from app import exitcodes
from ingest.catalogue.catalogue import catalogue
from tests.app.conftest import Whosends


def test_all_are_listed_without_a_warehouse_and_offline(whosends: Whosends) -> None:
    ran = whosends("services", "--offline")
    assert ran.code == exitcodes.OK
    assert len(ran.out.splitlines()) == len(catalogue().services) + 1
    document = whosends("services", "--json").document
    assert [one["id"] for one in document["services"]] == [one.id for one in catalogue().services]
    assert {"fix_spf", "fix_dkim", "ptr", "aligns_spf", "checked_with"} <= set(document["services"][0])


@pytest.mark.parametrize("name", ["sendgrid", "Twilio SendGrid", "o1.mail.sendgrid.net", "u1.wl.sendgrid.net."])
def test_one_is_shown_with_what_to_do(whosends: Whosends, name: str) -> None:
    ran = whosends("services", name)
    assert ran.code == exitcodes.OK
    assert "s1._domainkey" in ran.out
    assert "11377" in ran.out


def test_several_are_listed_and_narrowed(whosends: Whosends) -> None:
    assert len(whosends("services", "zoho").out.splitlines()) > 2
    assert "zcsend.net" in whosends("services", "zoho", "--category", "marketing").out
    assert "No service" in whosends("services", "zoho", "--category", "list").err


@pytest.mark.parametrize("name", ["sendgird", "\x1b[2J\u202e", "x" * 10_000, ""])
def test_an_unknown_one_is_an_error_with_an_offer(whosends: Whosends, name: str) -> None:
    ran = whosends("services", name)
    if not name:
        assert ran.code == exitcodes.OK
        return
    assert ran.code == exitcodes.USAGE
    assert ran.err.startswith("Error: The catalogue has no service")
    assert "\x1b" not in ran.err
    assert "\u202e" not in ran.err
    assert name != "sendgird" or "Did you mean 'sendgrid'?" in ran.err
