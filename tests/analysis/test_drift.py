"""Stories of one source among others: what changed is found on its day, and what only looks like it is not."""

from __future__ import annotations

import time
from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray

from analysis.drift import Change, detect
from analysis.settings import DriftSettings

Floats = NDArray[np.float64]

DAYS = 120
LAST = date(2026, 11, 22)
FIRST = LAST - timedelta(days=DAYS - 1)
SETTINGS = DriftSettings()
DAY = np.arange(DAYS)
WEEKEND = (DAY + FIRST.weekday()) % 7 >= 5
SEEDS = range(8)


def mail(
    dkim: float | Floats,
    *,
    spf: float | Floats = 0.0,
    messages: float | Floats = 25.0,
    noise: float = 0.0,
    source: str = "mailer",
    seed: int = 1,
    reporters: int = 4,
) -> pl.DataFrame:
    """Reports on a source. `dkim` and `messages` (expected) are one number, by day, or by reporter and day.

    `noise` is the day's own scatter of the rate on the logit scale: over-dispersion.
    """
    rng = np.random.default_rng(seed)
    counts = rng.poisson(np.broadcast_to(messages, (reporters, DAYS)))
    scatter = rng.normal(0, noise, DAYS) if noise else np.zeros(DAYS)

    def passing(rate: float | Floats) -> NDArray[np.int64]:
        odds = np.clip(np.broadcast_to(rate, (reporters, DAYS)), 1e-9, 1 - 1e-9)
        return rng.binomial(counts, 1 / (1 + (1 - odds) / odds * np.exp(-scatter)))

    with_dkim, with_spf = passing(dkim), passing(spf)
    # As messages fail the two checks independently of each other.
    either = with_dkim + rng.hypergeometric(with_spf, counts - with_spf, counts - with_dkim)
    reporter, day = np.nonzero(counts)
    return pl.DataFrame(
        {
            "domain": ["example.com"] * day.size,
            "source_key": [source] * day.size,
            "day": pl.Series([FIRST + timedelta(days=int(at)) for at in day], dtype=pl.Date),
            "reporter": [f"reporter {at}" for at in reporter],
            "messages": counts[reporter, day],
            "aligned": either[reporter, day],
            "dkim_aligned": with_dkim[reporter, day],
            "spf_aligned": with_spf[reporter, day],
        }
    )


def from_day(day: int, before: float, after: float) -> Floats:
    return np.where(day <= DAY, after, before)


def sliding(first: int, last: int, before: float, after: float) -> Floats:
    return before + (after - before) * np.clip((DAY - first + 1) / (last - first), 0, 1)


def found(frame: pl.DataFrame, mechanism: str = "dkim", settings: DriftSettings = SETTINGS) -> list[Change]:
    changes = [change for change in detect(frame, settings, LAST) if change.mechanism == mechanism]
    return sorted(changes, key=lambda change: change.started_on)


def off_by(change: Change, day: int) -> int:
    return abs((change.started_on - FIRST).days - day)


# -- what must be found ---------------------------------------------------------------------------


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("noise", [0.0, 0.5])
def test_a_key_that_is_lost_is_a_step_on_its_day(seed: int, noise: float) -> None:
    [change] = found(mail(from_day(70, 0.99, 0.0), seed=seed, noise=noise))
    assert (change.shape, change.loss, change.ended_on, change.until) == ("step", True, None, None)
    assert off_by(change, 70) <= 1
    assert change.before == pytest.approx(0.99, abs=0.01)
    assert change.after == pytest.approx(0.0, abs=0.01)
    assert change.latest(LAST) == pytest.approx(0.0, abs=0.01)
    assert (change.reporters, change.able_reporters, change.sole_reporter) == (4, 4, None)
    assert change.messages == pytest.approx(0.99 * 25 * 4 * 50, rel=0.05)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_part_of_the_servers_that_loses_its_key_is_found_too(seed: int) -> None:
    [change] = found(mail(from_day(60, 0.99, 0.7), seed=seed, noise=0.3))
    assert off_by(change, 60) <= 2
    assert change.after == pytest.approx(0.7, abs=0.04)
    assert change.messages == pytest.approx(0.29 * 100 * 60, rel=0.2)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_decline_over_weeks_is_a_slide_from_its_first_day(seed: int) -> None:
    [change] = found(mail(sliding(45, 80, 0.98, 0.2), seed=seed, noise=0.3))
    assert change.shape == "slide"
    assert off_by(change, 45) <= 4
    assert change.ended_on is not None
    assert abs((change.ended_on - FIRST).days - 79) <= 5
    assert change.before == pytest.approx(0.98, abs=0.02)
    assert change.after == pytest.approx(0.2, abs=0.05)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_slide_that_goes_on_has_no_end_yet(seed: int) -> None:
    [change] = found(mail(sliding(90, 140, 0.98, 0.1), seed=seed))
    assert (change.shape, change.ended_on) == ("slide", None)
    assert off_by(change, 90) <= 4
    latest = change.latest(LAST)
    assert latest is not None
    assert latest < change.after + 0.15 < change.before


@pytest.mark.parametrize("seed", SEEDS)
def test_servers_that_break_one_by_one_are_one_slide(seed: int) -> None:
    rate = 0.99 - 0.19 * sum((day <= DAY).astype(float) for day in (40, 48, 55, 63, 70))
    [change] = found(mail(rate, seed=seed))
    assert change.shape == "slide"
    assert off_by(change, 40) <= 3


@pytest.mark.parametrize("seed", SEEDS)
def test_a_repair_is_a_change_of_its_own(seed: int) -> None:
    broken, repaired = found(mail(np.where((DAY >= 50) & (DAY < 75), 0.1, 0.97), seed=seed, noise=0.3))
    assert (broken.loss, repaired.loss) == (True, False)
    assert off_by(broken, 50) <= 1
    assert off_by(repaired, 75) <= 1
    assert broken.until == repaired.started_on
    assert broken.messages == pytest.approx(0.87 * 100 * 25, rel=0.1)
    assert broken.latest(LAST) == repaired.latest(LAST) == pytest.approx(0.97, abs=0.03)


@pytest.mark.parametrize("seed", SEEDS)
def test_two_breaks_of_one_source_are_told_apart(seed: int) -> None:
    rate = np.where(DAY < 35, 0.99, np.where(DAY < 85, 0.7, 0.1))
    first, second = found(mail(rate, seed=seed, noise=0.2))
    assert (first.shape, second.shape) == ("step", "step")
    assert off_by(first, 35) <= 2
    assert off_by(second, 85) <= 2
    assert second.before == pytest.approx(0.7, abs=0.04)


@pytest.mark.parametrize("seed", SEEDS)
def test_fresh_news_takes_four_days(seed: int) -> None:
    [change] = found(mail(from_day(DAYS - 4, 0.99, 0.0), seed=seed))
    assert off_by(change, DAYS - 4) <= 1


@pytest.mark.parametrize("seed", SEEDS)
def test_a_weekly_newsletter_is_told_from_few_days(seed: int) -> None:
    sent = np.where(DAY % 7 == 2, 200.0, 0.0)
    [change] = found(mail(from_day(70, 0.99, 0.02), messages=sent, seed=seed, noise=0.3))
    assert off_by(change, 70) <= 7


@pytest.mark.parametrize("seed", SEEDS)
def test_a_break_is_found_while_a_reporter_falls_silent(seed: int) -> None:
    messages = np.full((4, DAYS), 25.0)
    messages[0, 66:] = 0
    [change] = found(mail(from_day(70, 0.99, 0.5), messages=messages, seed=seed))
    assert off_by(change, 70) <= 2
    assert change.able_reporters == 3


def test_dmarc_follows_the_mechanism_that_broke() -> None:
    frame = mail(from_day(70, 0.99, 0.1), spf=0.3)
    changes = {change.mechanism: change for change in detect(frame, SETTINGS, LAST)}
    assert set(changes) == {"dkim", "dmarc"}
    assert (changes["dkim"].follows, changes["dmarc"].follows) == (None, "dkim")
    assert changes["dmarc"].after == pytest.approx(1 - 0.9 * 0.7, abs=0.03)


def test_dkim_alone_breaks_where_spf_still_aligns() -> None:
    changes = detect(mail(from_day(70, 0.99, 0.1), spf=0.999), SETTINGS, LAST)
    assert [change.mechanism for change in changes] == ["dkim"]


def test_changes_come_with_the_most_messages_first() -> None:
    few = mail(from_day(70, 0.99, 0.1), messages=10.0, source="few")
    many = mail(from_day(70, 0.99, 0.1), messages=90.0, source="many", seed=2)
    assert [change.source_key for change in detect(pl.concat([few, many]), SETTINGS, LAST)] == [
        "many",
        "many",
        "few",
        "few",
    ]


# -- what must not ---------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", SEEDS)
def test_a_reporter_that_falls_silent_is_no_drift(seed: int) -> None:
    # It had seen the worse half of the mail, so that the plain rate goes up by 20 points.
    rate = np.repeat([[0.55], [0.99], [0.98], [0.97]], DAYS, axis=1)
    messages = np.full((4, DAYS), 25.0)
    messages[0] = np.where(DAY < 70, 60, 0)
    assert detect(mail(rate, messages=messages, seed=seed), SETTINGS, LAST) == []


@pytest.mark.parametrize("seed", SEEDS)
def test_a_new_reporter_that_sees_less_pass_is_no_drift(seed: int) -> None:
    rate = np.repeat([[0.5], [0.99], [0.98], [0.97]], DAYS, axis=1)
    messages = np.full((4, DAYS), 25.0)
    messages[0] = np.where(DAY < 40, 0, 80)
    assert detect(mail(rate, messages=messages, seed=seed), SETTINGS, LAST) == []


@pytest.mark.parametrize("seed", SEEDS)
def test_mail_that_moves_from_one_provider_to_another_is_no_drift(seed: int) -> None:
    rate = np.repeat([[0.6], [0.99], [0.98], [0.97]], DAYS, axis=1)
    messages = np.stack([np.linspace(5, 100, DAYS), np.linspace(100, 5, DAYS), *np.full((2, DAYS), 10.0)])
    assert detect(mail(rate, messages=messages, seed=seed, noise=0.2), SETTINGS, LAST) == []


@pytest.mark.parametrize("seed", SEEDS)
def test_weekends_with_other_mail_are_no_drift(seed: int) -> None:
    rate, messages = np.where(WEEKEND, 0.7, 0.98), np.where(WEEKEND, 15.0, 40.0)
    assert detect(mail(rate, messages=messages, seed=seed, noise=0.3), SETTINGS, LAST) == []


@pytest.mark.parametrize("last", range(6))
def test_weekends_are_no_drift_on_whatever_day_the_data_end(last: int) -> None:
    frame = mail(np.where(WEEKEND, 0.5, 0.98)).filter(pl.col("day") <= LAST - timedelta(days=last))
    assert detect(frame, SETTINGS) == []


@pytest.mark.parametrize("seed", SEEDS)
def test_a_forwarder_that_grows_is_no_drift(seed: int) -> None:
    forwarder = mail(0.93, messages=np.linspace(2, 60, DAYS), source="forwarder", seed=seed, noise=0.5)
    assert detect(pl.concat([mail(0.99, seed=seed), forwarder]), SETTINGS, LAST) == []


@pytest.mark.parametrize("seed", SEEDS)
def test_a_campaign_is_no_drift(seed: int) -> None:
    messages = np.where((DAY >= 100) & (DAY < 104), 3000.0, 20.0)
    assert detect(mail(0.95, messages=messages, seed=seed, noise=0.5), SETTINGS, LAST) == []


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("rate", [0.97, 0.7, 0.3])
def test_restless_rates_are_no_drift(seed: int, rate: float) -> None:
    assert detect(mail(rate, messages=250.0, seed=seed, noise=1.0), SETTINGS, LAST) == []


@pytest.mark.parametrize("seed", SEEDS)
def test_a_bad_day_now_and_then_is_no_drift(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rate = np.where(rng.random(DAYS) < 0.05, 0.3, 0.99)
    rate[-1] = 0.3  # the newest of all
    assert detect(mail(rate, messages=60.0, seed=seed), SETTINGS, LAST) == []


@pytest.mark.parametrize("seed", SEEDS)
def test_two_days_are_an_outage_and_no_drift(seed: int) -> None:
    assert detect(mail(np.where((DAY >= 60) & (DAY < 62), 0.0, 0.99), seed=seed), SETTINGS, LAST) == []


@pytest.mark.parametrize("seed", SEEDS)
def test_too_little_mail_is_no_drift(seed: int) -> None:
    # 30 messages after the break, on 60 days.
    messages = np.where(DAY < 60, 2.0, 0.125)
    assert detect(mail(from_day(60, 0.99, 0.0), messages=messages, seed=seed), SETTINGS, LAST) == []


@pytest.mark.parametrize("seed", SEEDS)
def test_one_reporter_at_fault_is_no_drift(seed: int) -> None:
    rate = np.full((4, DAYS), 0.99)
    rate[0, 70:] = 0.0
    messages = np.repeat([[80.0], [20.0], [15.0], [10.0]], DAYS, axis=1)
    assert detect(mail(rate, messages=messages, seed=seed), SETTINGS, LAST) == []


@pytest.mark.parametrize("seed", SEEDS)
def test_one_reporter_at_fault_does_not_hide_a_break(seed: int) -> None:
    rate = np.full((4, DAYS), 0.99)
    rate[:, 95:] = 0.4
    rate[0, 60:80] = 0.0
    [change] = found(mail(rate, seed=seed))
    assert off_by(change, 95) <= 2
    assert change.able_reporters == 3


@pytest.mark.parametrize("seed", SEEDS)
def test_a_reporter_that_was_at_fault_once_is_a_witness_of_what_others_see_too(seed: int) -> None:
    fault = np.stack([np.where((DAY >= 20) & (DAY < 40), 0.2, 1.0), np.ones(DAYS)])
    [change] = found(mail(from_day(80, 0.99, 0.02) * fault, reporters=2, seed=seed))
    assert off_by(change, 80) <= 1


@pytest.mark.parametrize("seed", SEEDS)
def test_two_reporters_that_each_tell_a_story_of_their_own_are_both_disbelieved(seed: int) -> None:
    rate = np.full((2, DAYS), 0.99)
    rate[0, 40:60] = 0.1
    rate[1, 80:100] = 0.1
    assert detect(mail(rate, reporters=2, seed=seed), SETTINGS, LAST) == []


def test_a_change_below_the_points_asked_for_is_none() -> None:
    frame = mail(from_day(60, 0.99, 0.96), messages=900.0)
    assert detect(frame, SETTINGS, LAST) == []
    assert len(found(frame, settings=DriftSettings(points=2.0))) == 1


# -- who says so -----------------------------------------------------------------------------------


def only(frame: pl.DataFrame, reporter: int) -> pl.DataFrame:
    return frame.filter(pl.col("reporter") == f"reporter {reporter}")


def test_where_there_is_one_reporter_its_word_is_enough() -> None:
    [change] = found(only(mail(from_day(70, 0.99, 0.2), messages=80.0), 2))
    assert (change.reporters, change.able_reporters, change.sole_reporter) == (1, 1, "reporter 2")


def test_the_word_of_one_reporter_falls_where_others_contradict_it_elsewhere() -> None:
    rate = np.full((4, DAYS), 0.99)
    rate[2, 70:] = 0.2
    elsewhere = [mail(rate, source=f"other {n}", seed=n, messages=15.0) for n in range(3)]
    alone = only(mail(from_day(70, 0.99, 0.2), messages=80.0), 2)
    assert detect(pl.concat([alone, *elsewhere]), SETTINGS, LAST) == []
    calm = [mail(0.99, source=f"other {n}", seed=n, messages=15.0) for n in range(3)]
    assert len(found(pl.concat([alone, *calm]))) == 1


def test_small_reporters_count_together() -> None:
    # One large reporter at fault, and forty that see a message a day between them.
    messages = np.full((41, DAYS), 0.05)
    messages[0] = 100.0
    rate = np.full((41, DAYS), 0.99)
    rate[0, 70:] = 0.0
    assert detect(mail(rate, messages=messages, reporters=41), SETTINGS, LAST) == []
    rate[:, 70:] = 0.0
    [change] = found(mail(rate, messages=messages, reporters=41))
    assert change.able_reporters == 2


# -- the rest --------------------------------------------------------------------------------------


def test_nothing_gives_nothing() -> None:
    assert detect(mail(0.99).clear(), SETTINGS) == []
    assert detect(mail(0.99).head(3), SETTINGS) == []


def test_only_the_days_asked_for_are_looked_at() -> None:
    frame = mail(from_day(70, 0.99, 0.0))
    assert detect(frame, SETTINGS, FIRST + timedelta(days=60)) == []
    assert detect(frame, DriftSettings(days=45), LAST) == []
    assert len(found(frame, settings=DriftSettings(days=60))) == 1


def test_the_order_of_rows_does_not_matter() -> None:
    frame = pl.concat([mail(from_day(70, 0.99, 0.3), source=f"s{n}", seed=n) for n in range(5)])
    assert detect(frame.sample(fraction=1, shuffle=True, seed=3), SETTINGS) == detect(frame, SETTINGS)


def test_a_thousand_sources_take_seconds() -> None:
    """Generous, for slow and busy machines; it takes half a second where this was written."""
    few = [mail(0.9, source=f"s{n}", seed=n, messages=4.0, noise=0.3) for n in range(50)]
    frame = pl.concat(
        part.with_columns(source_key=pl.col("source_key") + f"-{copy}") for part in few for copy in range(20)
    )
    started = time.perf_counter()
    assert detect(frame, SETTINGS, LAST) == []
    assert time.perf_counter() - started < 60
