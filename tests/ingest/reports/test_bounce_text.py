"""Bounces that are text: what one costs grows with its length, and not with the square of it."""

from __future__ import annotations

import time

from ingest.reports import bounce_text

OPENING = "This is the mail system at host mail.example.net.\n\n"


def seconds(lines: int) -> float:
    """Of the processor, for a text that says the same address line after line; the least of three times."""
    text, took = OPENING + "ann@example.org\n" * lines, []
    for _ in range(3):
        began = time.process_time()
        bounce_text.read(text)
        took.append(time.process_time() - began)
    return min(took)


def test_an_address_that_is_said_again_and_again_costs_its_length() -> None:
    assert seconds(16_000) < 32 * seconds(2_000)  # eight times as long; the square of it is 64


def test_a_reason_that_repeats_the_address_is_one_and_a_blank_line_ends_it() -> None:
    quoted = "ann@example.org\nann@example.org said: 550 5.1.1 unknown\nann@example.org\n"
    found = bounce_text.read(f"{OPENING}{quoted}\nann@example.org\n550 5.7.1 later\n")
    assert found
    [failed] = found.recipients
    assert failed.reason == "ann@example.org said: 550 5.1.1 unknown\nann@example.org"
