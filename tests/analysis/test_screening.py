"""The screen before drift detection: it loses nothing that the close look finds."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import polars as pl
import pytest

from analysis.changepoint import PRICE
from analysis.closing import size, spanned
from analysis.screening import FEWEST, asked, evidence, screened, summed
from analysis.search import search
from analysis.settings import DriftSettings
from benchmarks.drift_worlds.reporters import DAYS
from benchmarks.drift_worlds.world import FIRST as WORLD
from benchmarks.drift_worlds.world import world
from tests.analysis.test_drift import FIRST, LAST, from_day, mail

SETTINGS = DriftSettings()
SIZE = size(SETTINGS)


@pytest.mark.parametrize("seed", range(6))
def test_the_screened_result_is_the_unscreened_one(seed: int) -> None:
    last = WORLD + timedelta(days=DAYS - 1)
    days = spanned(world(seed).known(DAYS), SETTINGS, last)
    near = days.join(screened(days, SETTINGS, SIZE), on=["domain", "source_key"], how="semi")
    assert near.height < days.height
    every = search(days, SETTINGS, SIZE)
    assert every
    # What is all but chance is not worth a look.
    assert [one for one in every if one not in search(near, SETTINGS, SIZE) and one.p_value < 1e-3] == []


def test_calm_sources_are_not_looked_at_closely() -> None:
    calm = [mail(rate, spf=0.5, source=f"calm {rate} {seed}", seed=seed) for rate in (0.99, 0.8) for seed in range(20)]
    days = spanned(pl.concat([*calm, mail(from_day(70, 0.99, 0.5), source="broken")]), SETTINGS, LAST)
    put = asked(summed(days, SIZE), SETTINGS)
    assert put.select(pl.sum_horizontal("dkim", "spf", "dmarc").sum()).item() >= 3 * len(calm)
    near = screened(days, SETTINGS, SIZE)
    assert "broken" in near["source_key"].to_list()
    assert near.height < 10


@pytest.mark.parametrize(("begin", "end"), [(60, 120), (0, 9), (50, 57), (20, 80)])
def test_a_stretch_with_a_rate_of_its_own_is_evidence_wherever_it_stands(begin: int, end: int) -> None:
    messages = np.full((1, 120), 100.0)
    aligned = messages * 0.98
    assert evidence(messages, aligned)[0] < 1e-6
    aligned[:, begin:end] = 30.0
    assert evidence(messages, aligned)[0] > 5 * PRICE >= 5 * FEWEST


def test_without_mail_there_is_nothing_to_look_at() -> None:
    days = mail(0.9)
    for nothing in (days.head(0), days.filter(pl.col("day") > FIRST)):
        assert screened(spanned(nothing, SETTINGS, FIRST), SETTINGS, SIZE).is_empty()
