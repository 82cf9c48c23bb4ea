"""What one reporter alone says, what proves that a sender is ours, and which way its mail came."""

from __future__ import annotations

import polars as pl
import pytest

from analysis.credit import credited
from analysis.facts import facts
from analysis.verdict import QUESTIONS, VERDICTS, question, verdict

NOTHING = dict.fromkeys(
    ("heard_aligned", "own_pass", "borrowed", "away_pass", "spf_aligned", "own_host", "n", "altered_away", "kept",
     "reasons", "listlike", "list_reasons", "list_paths", "recent_aligned", "earlier_aligned", "dns_named"), 0,
)  # fmt: skip


def row(key: str = "net:192.0.2.0/24", **numbers: int) -> dict[str, object]:
    return {**NOTHING, "source_key": key, "service_type": None, **numbers}


def test_a_lone_reporter_cannot_outvote_all_others() -> None:
    told = pl.DataFrame(
        [("d", "s", name, 100, 100, 100, 100) for name in ("a", "b", "c")] + [("d", "s", "liar", 90_000, 0, 90_000, 0)],
        schema=["domain", "source_key", "reporter", "messages", "aligned", "recent_messages", "recent_aligned"],
        orient="row",
    )
    [heard] = credited(told).to_dicts()
    assert heard["recent_heard_aligned"] / heard["recent_heard"] > 0.99
    assert heard["doubtful"] == 90_000


def test_where_two_disagree_neither_counts_for_more_than_the_other() -> None:
    told = pl.DataFrame(
        [("d", "s", "a", 100, 100, 100, 100), ("d", "s", "b", 90_000, 0, 90_000, 0)],
        schema=["domain", "source_key", "reporter", "messages", "aligned", "recent_messages", "recent_aligned"],
        orient="row",
    )
    [heard] = credited(told).to_dicts()
    assert 0.4 < heard["heard_aligned"] / heard["heard"] < 0.6


@pytest.mark.parametrize(
    ("numbers", "proof"),
    [
        ({}, "none"),
        ({"spf_aligned": 9, "heard_aligned": 9}, "record"),
        ({"own_pass": 9, "heard_aligned": 9}, "key"),
        ({"own_pass": 9, "borrowed": 9, "heard_aligned": 9}, "none"),
        ({"own_pass": 900, "borrowed": 880, "away_pass": 880, "heard_aligned": 900}, "none"),
        ({"own_pass": 900, "borrowed": 600, "away_pass": 600, "heard_aligned": 900}, "key"),
        ({"spf_aligned": 2, "heard_aligned": 2}, "none"),
        ({"own_host": 1}, "name"),
        ({"dns_named": 1}, "dns"),
        ({"dns_named": 1, "own_pass": 9, "heard_aligned": 9}, "key"),
    ],
)
def test_only_what_the_owner_can_give_proves_a_sender(numbers: dict[str, int], proof: str) -> None:
    assert facts(row(n=9, **numbers), "misaligned", approved=False).proof == proof
    assert facts(row(n=9, **numbers), "misaligned", approved=True).proof == "declared"


def test_a_mailbox_provider_has_its_own_mail_and_what_it_passed_on_apart() -> None:
    told = facts(row("as:google.com", n=100, away_pass=6, altered_away=4, recent_aligned=94), "aligned", approved=False)
    assert (told.path.direct, told.path.passed_on, told.path.failing_passed_on) == (90, 10, 4)
    assert told.service_id == "google-workspace"


def test_what_our_record_allows_was_not_passed_on_and_a_copied_signature_proves_nothing() -> None:
    allowed = facts(row(n=100, away_pass=90, spf_aligned=95, recent_aligned=95), "aligned", approved=False)
    assert allowed.path.passed_on == 5
    forged = facts(row(n=100, altered_away=90, kept=90, away_pass=2), "spoofing", approved=False)
    assert forged.path.passed_on == 2


def test_each_verdict_has_a_question() -> None:
    assert VERDICTS.keys() == QUESTIONS.keys()
    ours = facts(row(n=9), "aligned", approved=False)
    assert verdict("aligned", ours, "net:192.0.2.0/24") == "own"
    assert verdict("aligned", facts(row("svc:sendgrid", n=9), "aligned", approved=False), "svc:sendgrid") == "aligned"
    listed = facts(row(n=9, list_reasons=6), "forwarded", approved=False)
    assert verdict("forwarded", listed, "net:192.0.2.0/24") == "list"
    assert "Twilio SendGrid" in question("fixable", "Twilio SendGrid", "svc:sendgrid")
