"""Why it changed, without a warehouse: each clue from frames at hand, and the words for it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, time, timedelta

import polars as pl
import pytest

from analysis.around import Seen
from analysis.cause import NONE_SEEN, Cause, day_name, percent, shown
from analysis.causes import causes
from analysis.change import Change
from analysis.dns_edits import dns_edits
from analysis.history import PolicyChange
from analysis.remarks import meaning
from benchmarks.cause_worlds.__main__ import score
from tests.analysis.test_drift_causes import AFTER, BEFORE, BROKE
from tests.analysis.world import OURS
from tests.ingest.probes.test_keys import published

CHANGE = Change(
    domain=OURS,
    source_key="s",
    mechanism="dkim",
    shape="step",
    started_on=BROKE,
    ended_on=None,
    until=None,
    before=1.0,
    after=0.2,
    messages=100,
    p_value=1e-9,
    reporters=3,
    able_reporters=3,
)


def seen(*edits: PolicyChange) -> Seen:
    """The source's mail, always signed by the same subdomain; and edits of the record."""
    key = {"domain": OURS, "source_key": "s"}
    rows = pl.DataFrame([{**key, "day": day, "messages": 50, "dkim_aligned": 10} for day in [*BEFORE, *AFTER]])
    signatures = rows.with_columns(signing_domain=pl.lit("sub." + OURS), selector=pl.lit("a"), own=pl.lit(value=True))
    envelopes = rows.with_columns(spf_domain=pl.lit("other.test"), own=pl.lit(value=False))
    known = {"source_ip": "192.0.2.1", "messages": 50, "first_seen": BEFORE[0], "dkim_aligned": 9}
    addresses = pl.DataFrame([{**key, **known, "asn": 64500, "as_name": "Mailer Inc."}])
    passing = pl.lit("pass").alias("result")
    return Seen(rows, signatures.with_columns(passing), envelopes.with_columns(passing), addresses, list(edits))


def test_a_record_that_asks_for_strict_alignment() -> None:
    edit = PolicyChange(OURS, BROKE - timedelta(days=1), "adkim", "r", "s", 4)
    [cause] = causes(CHANGE, seen(edit))
    assert cause.code == "alignment_mode"
    assert cause.sentence == "The domain's record asks for strict alignment (adkim) since 23 October 2026."
    assert causes(CHANGE, seen(replace(edit, day=BROKE - timedelta(days=9)))) == (NONE_SEEN,)
    assert causes(CHANGE, seen(replace(edit, domain="example.net"))) == (NONE_SEEN,)
    assert causes(CHANGE, seen(replace(edit, tag="aspf"))) == (NONE_SEEN,)
    assert causes(replace(CHANGE, before=0.2, after=1.0), seen(edit)) == (NONE_SEEN,)


@pytest.mark.parametrize("left", [0, 20])
def test_reporters_that_name_no_selector_do_not_hide_that_one_is_gone(left: int) -> None:
    base = seen()
    own = base.signatures.with_columns(messages=pl.when(pl.col("day") < BROKE).then(30).otherwise(3 * left // 5))
    unnamed = own.with_columns(messages=pl.col("messages") * 2 // 3, selector=pl.lit(None, pl.String))
    theirs = base.signatures.with_columns(signing_domain=pl.lit("mailer.test"), own=pl.lit(value=False))
    signed = pl.concat([own, unnamed, theirs], how="vertical_relaxed").filter(pl.col("messages") > 0)
    first, second = causes(replace(CHANGE, after=left / 50), replace(base, signatures=signed))
    assert (first.code, second.code) == ("selector_fading" if left else "selector_vanished", "signing_domain_changed")
    share = f"from 100 % to {2 * left} %" if left else "100 % of the mail signs 0 %"
    assert share in first.sentence


def answers(*rows: tuple[str, str, list[str], int, int]) -> pl.DataFrame:
    """Answers of DNS: name, type, records, and the days (counted from the break) of the first and the last look."""
    at = [datetime.combine(BROKE, time(9)) + timedelta(days=days) for row in rows for days in row[3:]]
    return pl.DataFrame(
        {
            "domain": [OURS] * len(rows),
            "name": [row[0] for row in rows],
            "rdtype": [row[1] for row in rows],
            "records": [row[2] for row in rows],
            "first_seen_at": at[::2],
            "last_seen_at": at[1::2],
        }
    )


def failing(change: Change, told: pl.DataFrame, domain: str = OURS) -> list[Cause]:
    """The causes of a change after which four fifths of signatures and of the domain's return path fail."""
    base = seen()
    ends = [datetime_ >= BROKE for datetime_ in base.messages["day"]]
    signed = base.signatures.with_columns(result=pl.when(pl.Series(ends)).then(pl.lit("fail")).otherwise("result"))
    path = base.envelopes.with_columns(
        spf_domain=pl.lit(domain), own=pl.lit(value=True), result=signed["result"].replace("fail", "softfail")
    )
    return list(causes(change, replace(base, signatures=signed, envelopes=path, edits=dns_edits(told))))


SPF = replace(CHANGE, mechanism="spf")


def test_a_key_that_was_edited_in_dns_is_the_cause() -> None:
    name = f"a._domainkey.sub.{OURS}"
    told = answers((name, "CNAME", ["a.old.test"], -40, -3), (name, "CNAME", [], -1, 20))
    first, *others = failing(CHANGE, told)
    assert (first.code, [one.code for one in others]) == ("dns_key", ["selector_fails"])
    assert first.sentence == (
        "The DNS record of a key was edited between 21 October 2026 and 23 October 2026; "
        "valid signatures by it went from 100 % to 0 %."
    )
    assert first.subject == f"{name} CNAME: -a.old.test"
    # Another key, another time, another mechanism.
    other = f"b._domainkey.sub.{OURS}"
    assert failing(CHANGE, told.with_columns(name=pl.lit(other)))[0].code == "selector_fails"
    assert failing(replace(CHANGE, started_on=BROKE - timedelta(days=20)), told)[0].code != "dns_key"
    assert failing(SPF, told)[0].code == "spf_fails"


KEY = f"v=DKIM1; k=rsa; {published(2048).rpartition(' ')[2]}"
SHORT_KEY = published(512)


@pytest.mark.parametrize(
    ("after", "sentence", "subject"),
    [
        ([], "A key was taken out of DNS between", "-v=DKIM1 -k=rsa -p=…"),
        (["v=DKIM1; p="], "A key was withdrawn (its p= is empty) between", "-k=rsa -p=…"),
        ([SHORT_KEY], "A key was replaced by one of 512 bits, which receivers must not accept, between", "-p=…"),
        ([f"{KEY[:-40]}BBBB{KEY[-36:]}"], "A key was replaced by another between", "-p=…"),
        ([KEY.replace("k=rsa", "k=rsa; t=y")], "The DNS record of a key was edited between", "+t=y"),
    ],
)
def test_what_became_of_a_key_in_the_own_zone_is_told(after: list[str], sentence: str, subject: str) -> None:
    name = f"a._domainkey.sub.{OURS}"
    told = answers((name, "TXT", [KEY], -40, -3), (name, "TXT", after, -1, 20))
    first, *others = failing(CHANGE, told)
    assert (first.code, [one.code for one in others]) == ("dns_key", ["selector_fails"])
    assert first.sentence.startswith(f"{sentence} 21 October 2026 and 23 October 2026; valid signatures by it went")
    assert first.subject.startswith(f"{name} TXT: {subject}")
    assert len(first.subject) < 120
    # SPF has nothing to do with it, nor with a policy.
    assert failing(SPF, told)[0].code == "spf_fails"
    policy = answers((f"_dmarc.{OURS}", "TXT", ["v=DMARC1"], -40, -3), (f"_dmarc.{OURS}", "TXT", [], -1, 20))
    assert failing(SPF, policy)[0].code == "spf_fails"


def test_a_key_that_is_put_otherwise_is_the_same() -> None:
    name = f"a._domainkey.sub.{OURS}"
    told = answers((name, "TXT", [KEY], -40, -3), (name, "TXT", [KEY.replace("; ", ";")], -1, 20))
    assert failing(CHANGE, told)[0].code == "selector_fails"


def test_an_include_that_was_dropped_is_the_cause() -> None:
    records = [["v=spf1 include:_spf.mailer.test include:mx.test -all"], ["v=spf1 include:mx.test -all"]]
    told = answers((OURS, "TXT", records[0], -40, 0), (OURS, "TXT", records[1], 0, 20))
    first, *others = failing(SPF, told)
    assert (first.code, [one.code for one in others]) == ("dns_spf", ["spf_fails"])
    assert first.subject == f"{OURS} TXT: -include:_spf.mailer.test"
    assert "was edited on 24 October 2026; mail for which SPF passes went from 100 % to 0 %." in first.sentence
    # A record that was put in order says the same as before.
    same = answers((OURS, "TXT", records[0], -40, 0), (OURS, "TXT", [" ".join(records[0][0].split())], 0, 20))
    assert [one.code for one in failing(SPF, same)] == ["spf_fails"]


def test_a_return_path_that_points_elsewhere_is_the_cause() -> None:
    name = f"bounce.{OURS}"
    told = answers((name, "CNAME", ["old.test"], -40, -3), (name, "CNAME", ["new.test"], -2, 20))
    assert [one.code for one in failing(SPF, told, name)] == ["dns_path", "spf_fails"]
    assert [one.code for one in failing(SPF, told, OURS)] == ["spf_fails"]


def test_an_included_record_is_told_after_what_fails() -> None:
    records = [["v=spf1 ip4:192.0.2.0/24 -all"], ["v=spf1 ip4:198.51.100.0/24 -all"]]
    told = answers(("_spf.mailer.test", "TXT", records[0], -40, 0), ("_spf.mailer.test", "TXT", records[1], 0, 20))
    assert [one.code for one in failing(SPF, told)] == ["spf_fails", "dns_spf"]


def moved(asn: int | None, late: int) -> list[str]:
    """The causes where four fifths of the mail and more come from a new address, of an operator, none of it aligned."""
    base = seen()
    new = {"source_ip": "198.51.100.7", "messages": late, "first_seen": BROKE, "dkim_aligned": 0, "asn": asn}
    rows = pl.DataFrame([{**base.addresses.row(0, named=True), **new, "as_name": "Rent\nGmbH"}])
    worse = base.messages.with_columns(dkim_aligned=pl.when(pl.col("day") < BROKE).then(50).otherwise(5))
    change = replace(CHANGE, after=0.1)
    told = causes(change, replace(base, messages=worse, addresses=pl.concat([base.addresses, rows])))
    return [f"{one.code} {one.subject}".strip() for one in told]


def test_a_source_that_moved_to_another_operator() -> None:
    assert moved(64501, 1350) == ["as_moved AS64501 RentGmbH 198.51.100.0/24"]
    assert moved(64500, 1350) == ["new_networks 198.51.100.0/24"]
    assert moved(None, 1350) == ["new_networks 198.51.100.0/24"]
    assert moved(64501, 700) == ["new_networks 198.51.100.0/24"]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("dkim=policy (1024-bit key)", "key_too_short"),
        ("insecure key", "key_too_short"),
        ("invalid (public key: too short)", "key_too_short"),
        ("signature expired", "signature_expired"),
        ("x= tag in the past", "signature_expired"),
        ("key revoked", "key_revoked"),
        ("no key for signature", "key_missing"),
        ("DNS query for key: NXDOMAIN", "key_missing"),
        ("body hash did not verify", "body_altered"),
        ("2048-bit key", ""),
        ("good signature", ""),
        ("arc=pass", ""),
    ],
)
def test_what_remarks_mean(text: str, code: str) -> None:
    assert meaning(text) == code


def test_where_nothing_else_changed_that_is_said() -> None:
    assert causes(CHANGE, seen()) == (NONE_SEEN,)
    assert causes(replace(CHANGE, mechanism="dmarc"), seen()) == (NONE_SEEN,)
    assert causes(replace(CHANGE, mechanism="spf", shape="slide"), seen()) == (NONE_SEEN,)


def test_a_source_without_mail_around_the_change_has_no_cause() -> None:
    assert causes(replace(CHANGE, source_key="another"), seen()) == (NONE_SEEN,)


def test_names_and_numbers_are_fit_to_be_shown() -> None:
    assert shown("a\x00b\u202ec\u200bd\ne f") == "abcde f"
    assert shown(None) == ""
    assert len(shown("x" * 500)) == 120
    assert [percent(share) for share in (0, 0.001, 0.004, 0.2, 0.994, 0.999, 1)] == [
        "0 %",
        "less than 1 %",
        "less than 1 %",
        "20 %",
        "99 %",
        "almost 100 %",
        "100 %",
    ]
    assert day_name(BROKE) == "24 October 2026"


def test_addresses_that_change_by_themselves_are_no_edit() -> None:
    looks = [(OURS, rdtype, [f"192.0.2.{look}"], look, look) for rdtype in ("A", "AAAA") for look in (-1, 0)]
    assert dns_edits(answers(*looks)) == []
    assert failing(SPF, answers(*looks)) == failing(SPF, answers())


def test_the_scores_do_not_fall_unnoticed() -> None:
    found, hit, named, wrong = score(0, 32)
    assert found.total() >= 30
    assert hit.total() >= 29, wrong
    assert named.total() >= 30, wrong
