"""Scores of answers that are known: the perfect ones, and some small enough to be counted by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from benchmarks.score.classes import by_source, confusion, rates, ways
from benchmarks.score.identity import grouping
from benchmarks.score.judged import judged
from benchmarks.score.naming import means
from benchmarks.score.newcomers import unseen
from benchmarks.score.probability import auc, brier, reliability, wronged
from benchmarks.score.product import KINDS, answers
from benchmarks.score.report import lines
from benchmarks.worlds.world import world


def cells(*rows: tuple[str, str, str, int, bool]) -> pl.DataFrame:
    """Source, stream, operator, messages, grouped."""
    names = ["source_key", "stream", "operator", "messages", "grouped"]
    frame = pl.DataFrame(rows, schema=names, orient="row")
    return frame.with_columns(pl.lit(1).alias("seed"), pl.lit("a.example").alias("domain"))


def test_chances_are_ordered_and_sized() -> None:
    score, spoof = np.array([0.1, 0.4, 0.4, 0.9]), np.array([False, False, True, True])
    even = np.ones(4)
    assert auc(score, spoof, even) == pytest.approx(3.5 / 4)
    assert auc(score, spoof, np.array([1.0, 0.0, 1.0, 1.0])) == 1
    assert brier(score, spoof, even) == pytest.approx((0.01 + 0.16 + 0.36 + 0.01) / 4)
    assert [band for band, *_ in reliability(score, spoof, even)] == ["0.10 to 0.20", "0.35 to 0.50", "0.90 to 0.98"]


def test_precision_and_recall_count_unknown_as_neither() -> None:
    table = {("aligned", "aligned"): 8.0, ("aligned", "unknown"): 2.0, ("spoofing", "aligned"): 2.0}
    found = {kind: (precision, recall) for kind, _, precision, recall, _ in rates(table)}
    assert found["aligned"] == (0.8, 0.8)
    assert found["spoofing"] == (0, 0)


def test_addresses_of_one_sender_belong_together_and_those_of_two_do_not() -> None:
    perfect = grouping(cells(("a", "mail", "us", 10, True), ("b", "via x", "x", 10, True)))
    assert (perfect.precision, perfect.recall, perfect.over, perfect.under, perfect.pieces) == (1, 1, 0, 0, 1)
    merged = grouping(cells(("a", "mail", "us", 30, True), ("a", "via x", "x", 10, True)))
    assert (merged.precision, merged.recall, merged.over) == (0.75 * 0.75 + 0.25 * 0.25, 1, 0.25)
    split = grouping(cells(("a", "mail", "us", 30, True), ("b", "mail", "us", 10, True)))
    assert (split.precision, split.recall, split.under, split.pieces) == (1, 0.75 * 0.75 + 0.25 * 0.25, 0.25, 2)


def test_customers_of_one_service_and_botnets_may_stand_together_or_apart() -> None:
    for key in ("a", "b"):
        found = grouping(cells(("a", "ours", "Mailer", 10, True), (key, "theirs", "Mailer", 10, True)))
        assert (found.precision, found.recall) == (1, 1)
        bots = cells(("a", "bots", "bots", 1, False), (key, "bots", "bots", 1, False), ("c", "mail", "us", 1, True))
        assert (grouping(bots).precision, grouping(bots).recall) == (1, 1)


def test_what_was_expected_is_compared_with_what_appeared() -> None:
    rows = cells(("a", "mail", "us", 10, True), ("b", "new", "x", 10, True)).with_columns(
        pl.lit("server").alias("kind"), (pl.col("stream") == "new").alias("late"), pl.lit(0.0).alias("unseen_low")
    )
    for high, held in ((0.5, 0), (1.0, 1)):
        found = unseen(rows.with_columns(pl.lit(high).alias("unseen_high")))
        assert (found.domains, found.held, found.appeared) == (1, held, 1)


def test_of_a_source_so_many_messages_are_passed_on_as_its_way_says() -> None:
    rows = pl.DataFrame(
        [("a", "aligned", 80, 30), ("a", "forwarded", 20, 30), ("b", "forwarded", 20, 10)],
        schema=["source_key", "truth", "messages", "passed_on"],
        orient="row",
    ).with_columns(pl.lit(1).alias("seed"), pl.lit("a.example").alias("domain"))
    assert ways(rows) == (30 / 40, 30 / 40)


def test_names_are_read_as_words() -> None:
    assert means("Twilio SendGrid", "SendGrid")
    assert means("Sinch (Mailgun)", "Mailgun")
    assert not means("Notsendgrid Ltd", "SendGrid")
    assert means("heronmail.example", "Heronmail")


def test_the_product_answers_and_perfect_answers_score_perfectly(tmp_path: Path) -> None:
    made = world(5)
    given = answers(made, tmp_path)
    rows = judged(made, given)
    assert rows["messages"].sum() == made.truth["messages"].sum()
    assert set(rows["verdict"]) <= set(KINDS)
    assert rows["spoof"].is_between(0, 1).all()
    assert "Worst confusions" in list(lines(rows))

    # Each address and stream its own source, each rightly called.
    key = pl.concat_str("source_ip", "stream", separator=" ")
    right = (pl.col("truth") == "spoofing").cast(pl.Float64)
    perfect = rows.with_columns(key.alias("source_key"), pl.col("truth").alias("verdict"), right.alias("spoof"))
    table = confusion(by_source(perfect), pl.len())
    assert all(precision == recall == 1 for _, total, precision, recall, _ in rates(table) if total)
    assert wronged(perfect) == 0
    assert wronged(perfect.with_columns(pl.lit("spoofing").alias("verdict"), pl.lit(0.95).alias("spoof"))) == 1

    late = [replace(verdict, first_seen=date(2030, 1, 1)) for verdict in given.verdicts]
    assert judged(made, replace(given, verdicts=tuple(late)))["first_seen"].min() == date(2030, 1, 1)
