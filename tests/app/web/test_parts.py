"""The parts behind the pages: words, weeks, colours, the command that starts it all."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import altair as alt
import polars as pl
import pytest
from streamlit.testing.v1 import AppTest

from analysis import gates
from analysis.cause import Cause
from analysis.dns_edits import DnsEdit
from analysis.drift import Drift
from app.web import axes, charts, frames, grids, launch, multiples, pages, selection, theme, verdicts, words

WEB = Path(launch.__file__).parent
LOOK: dict[str, Any] = tomllib.loads((WEB / ".streamlit" / "config.toml").read_text("utf-8"))["theme"]


def test_starting_needs_no_streamlit_in_our_own_process() -> None:
    code = "import sys; from app.web import launch; launch.command(); sys.exit('streamlit' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_command_listens_on_this_machine_only_and_tells_nobody() -> None:
    command = launch.command(port=8600)
    flags = dict(zip(command[5::2], command[6::2], strict=True))
    assert Path(command[4]).parent == WEB
    assert flags["--server.address"] == "127.0.0.1"
    assert flags["--server.port"] == "8600"
    assert flags["--browser.gatherUsageStats"] == "false"
    assert command.count("--server.allowedHosts") == 3


def test_behind_a_proxy_its_names_are_allowed() -> None:
    command = launch.command(address="0.0.0.0", hosts=("dmarc.example.com",))
    assert command[-1] == "dmarc.example.com"


def test_both_modes_set_the_same_colours() -> None:
    assert set(LOOK["light"]) == set(LOOK["dark"])
    assert set(LOOK["light"]["sidebar"]) == set(LOOK["dark"]["sidebar"])
    for mode in ("light", "dark"):
        names = {name for name in LOOK[mode] if name.endswith("Color")}
        assert {f"{hue}{part}" for hue in ("red", "orange", "yellow", "green", "blue", "violet", "gray")
                for part in ("Color", "TextColor", "BackgroundColor")} <= names  # fmt: skip


@pytest.mark.parametrize(("mode", "palette"), [("light", theme.LIGHT), ("dark", theme.DARK)])
def test_text_and_badges_can_be_read(mode: str, palette: theme.Palette) -> None:
    look = LOOK[mode]
    assert look["backgroundColor"] == palette.ground
    assert look["textColor"] == palette.text
    assert contrast(look["textColor"], look["backgroundColor"]) >= 7
    for hue in ("red", "orange", "green", "blue", "violet", "gray"):
        assert contrast(look[f"{hue}TextColor"], look[f"{hue}BackgroundColor"]) >= 4.5, hue
    for name in ("aligned", "misaligned", "unknown", "spoofing", "edge"):
        assert contrast(getattr(palette, name), palette.ground) >= 3, name


def contrast(one: str, other: str) -> float:
    """WCAG 2's contrast ratio."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def luminance(color: str) -> float:
    parts = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_every_condition_has_its_words() -> None:
    source = Path(gates.__file__).read_text("utf-8")
    used = {part.split('"')[0] for part in source.split('Gate("')[1:]}
    assert used <= set(verdicts.GATES)


def test_every_page_is_a_file_and_finds_its_way_home() -> None:
    listed = {name for section in pages.PAGES.values() for name in section}
    assert listed == {path.stem for path in pages.FOLDER.glob("*.py")} - {"__init__"}
    assert pages.file("somewhere else").name == "overview.py"


def test_weeks_end_on_the_last_day_and_the_first_may_be_shorter() -> None:
    rows = pl.DataFrame(
        {"domain": ["d"] * 3, "source_key": ["k"] * 3, "messages": [1, 2, 4],
         "day": [date(2026, 11, 1), date(2026, 11, 3), date(2026, 11, 10)]}
    )  # fmt: skip
    found = frames.outcomes(rows, [Known()], date(2026, 11, 1), date(2026, 11, 10))  # type: ignore[list-item]
    assert found["week"].to_list() == ["1 Nov – 3 Nov", "4 Nov – 10 Nov"]
    assert found["messages"].to_list() == [3, 4]
    assert set(found["class"]) == {"legitimate"}


class Known:
    domain, source_key, kind = "d", "k", "misaligned"


def test_lists_are_cut_and_joined_as_people_do() -> None:
    assert words.listed([]) == ""
    assert words.listed(["a"]) == "a"
    assert words.listed(["a", "b"]) == "a and b"
    assert words.listed(["a", "b", "c", "d"], 2) == "a, b and 2 more"
    assert words.count(1, "address", "addresses") == "1 address"
    assert words.count(2000, "address", "addresses") == "2,000 addresses"


@pytest.mark.parametrize("colors", [theme.LIGHT, theme.DARK])
def test_charts_are_valid_over_nothing_and_over_one_day(colors: theme.Palette) -> None:
    none = pl.DataFrame(schema={"day": pl.Date, "messages": pl.Int64, "aligned": pl.Int64, "rate": pl.Float64})
    marks = pl.DataFrame(schema={"day": pl.Date, "n": pl.String, "label": pl.String})
    one = pl.DataFrame({"day": [date(2026, 11, 1)], "messages": [5], "aligned": [5], "rate": [1.0]})
    lost = pl.DataFrame({"day": [date(2026, 11, 1)], "class": ["forwarded"], "messages": [3]})
    span = (date(2026, 10, 25), date(2026, 11, 23))
    began = charts.Began(span[0], span, (charts.Edited(date(2026, 11, 1), date(2026, 10, 31), "a key"),))
    drawn = [
        charts.rate(one, none, marks, span, colors),
        charts.source_rate(one, charts.Began(date(2026, 11, 1)), colors),
        charts.source_rate(none, began, colors),
        charts.not_aligned(lost, span, colors),
        charts.heat(one.with_columns(source=pl.lit("a")), ["a"], colors),
        charts.heat(one.with_columns(source=pl.lit("a"), began=pl.lit(True), unfinished=pl.lit(True)), ["a"], colors),
    ]
    for chart in drawn:
        assert isinstance(chart, alt.TopLevelMixin)
        chart.to_dict()


def test_a_day_that_is_not_over_shows_what_its_rate_can_become() -> None:
    day = date(2026, 11, 1)
    own = pl.DataFrame({"day": [day], "messages": [50], "aligned": [40], "rate": [0.8]})
    told = charts.source_rate(own, charts.Began(day, unfinished=((day, 0.75),)), theme.LIGHT).to_dict()["datasets"]
    [band] = [rows[0] for rows in told.values() if rows and "low" in rows[0]]
    # Three quarters are in, of which four fifths align; of the last quarter all may, or none.
    assert (band["low"], band["high"]) == (pytest.approx(0.6), pytest.approx(0.85))
    over = charts.source_rate(own, charts.Began(day, unfinished=((date(2026, 11, 2), 0.75),)), theme.LIGHT).to_dict()
    assert not any(rows and "low" in rows[0] for rows in over["datasets"].values())


def test_edits_in_dns_are_marked_at_the_sources_of_their_domain_on_days_that_are_drawn() -> None:
    days = [date(2026, 11, at) for at in range(1, 9)]
    own = pl.DataFrame({"day": days, "messages": [50] * 8, "aligned": [40] * 8, "rate": [0.8] * 8})

    def edit(domain: str, day: int) -> DnsEdit:
        return DnsEdit(domain, domain, "TXT", date(2026, 10, 30), date(2026, 11, day), (), ("v=spf1",))

    edits = [edit("example.com", 3), edit("example.com", 28), edit("other.example", 4)]
    for domain, marked in (("example.com", 3), ("mail.example.com", 3), ("other.example", 4), ("notexample.com", None)):
        change = Drift(domain, "k", "k", None, "dkim", "step", days[2], 1.0, 0.0, 9, 0.0, 2, Cause("", ""))
        began = multiples.began(change, own, multiples.Beside([], edits, [], {}))
        owner = domain.removeprefix("mail.")
        # The look before was before the first day that is drawn.
        told = [charts.Edited(date(2026, 11, marked), days[0], f"{owner} TXT: +v=spf1")] if marked else []
        assert list(began.edits) == told


def test_a_sources_days_without_mail_are_among_its_days() -> None:
    rows = [
        ("a.test", "s", date(2026, 11, 3), 5),
        ("a.test", "s", date(2026, 11, 1), 2),
        ("b.test", "s", date(2026, 11, 2), 1),
    ]
    days = pl.DataFrame(rows, schema=["domain", "source_key", "day", "messages"], orient="row")
    found = selection.trends(days, date(2026, 11, 1), date(2026, 11, 4))
    assert {domain: trend for domain, _, trend in found.iter_rows()} == {"a.test": [2, 0, 5, 0], "b.test": [0, 1, 0, 0]}


def test_a_column_in_which_nothing_stands_is_left_out() -> None:
    frame = pl.DataFrame({"a": ["x", None], "b": ["", None], "c": [None, None]}, schema_overrides={"c": pl.String})
    columns = dict.fromkeys("abc")
    assert list(grids.filled(columns, frame, "a", "b", "c")) == ["a"]
    assert list(grids.filled(columns, frame, "c")) == ["a", "b"]


@pytest.mark.parametrize(("days", "step"), [(7, 1), (8, 1), (9, 2), (30, 7), (90, 14), (365, 56)])
def test_days_are_labelled_at_most_eight_times_and_the_last_one_is(days: int, step: int) -> None:
    last = date(2026, 11, 28)
    axis = axes.days_of((last - timedelta(days=days - 1), last)).to_dict()["axis"]
    found = [date(one["year"], one["month"], one["date"]) for one in axis["values"]]
    assert found[0] == last
    assert len(found) <= axes.LABELS
    assert {(one - other).days for one, other in pairwise(found)} == {step}


@pytest.mark.parametrize(("text", "tall"), [("short", False), ("longer than what fits into its column", True)])
def test_rows_are_tall_only_where_a_text_has_to_be_wrapped(text: str, *, tall: bool) -> None:
    def page(text: str) -> None:
        import polars as pl  # noqa: PLC0415 - runs as a script of its own
        import streamlit as st  # noqa: PLC0415

        from app.web import grids  # noqa: PLC0415

        columns = {"what": st.column_config.TextColumn("What", width=120)}
        grids.show(pl.DataFrame({"what": ["a", text]}), columns, alt="Table", lines=2)

    at = AppTest.from_function(page, kwargs={"text": text}).run()
    # Streamlit wraps in rows of more than 4 rem.
    assert (at.dataframe[0].proto.row_height > 64) is tall
