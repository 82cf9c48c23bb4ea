"""The week's picture: the app's own chart of alignment by day, as PNG. Needs the extra `charts`."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from importlib.util import find_spec
from typing import Any, Final

import polars as pl

from analysis.genuine import counted
from analysis.settings import AnalysisSettings
from analysis.sources import sources
from analysis.weekly import WeeklySummary
from warehouse import reads
from warehouse.connect import Warehouse
from warehouse.scope import Scope

DAYS: Final = 28  # four weeks: enough to see whether the week is unusual
WIDTH, HEIGHT, SCALE = 582, 240, 2
INSTANT: Final = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+")


def png(warehouse: Warehouse, summary: WeeklySummary, settings: AnalysisSettings) -> bytes | None:
    """The picture; None without the extra, or without mail."""
    if not find_spec("vl_convert") or not any(domain.messages for domain in summary.domains):
        return None
    # They bring Streamlit, which nothing but the picture needs.
    import vl_convert  # noqa: PLC0415

    from app.web import charts, frames  # noqa: PLC0415
    from app.web.theme import LIGHT  # noqa: PLC0415

    last = summary.last_day
    scope = Scope(tuple(one.domain for one in summary.domains), last - timedelta(days=DAYS - 1), last)
    with warehouse.reading() as connection:
        scope = counted(connection, scope)
        days = frames.rates(reads.daily_alignment(connection, scope))
        by_source = reads.source_days(connection, scope)
    found = sources(warehouse, replace(scope, without=()), last + timedelta(days=1), settings.sources)
    marks = pl.DataFrame(schema={"day": pl.Date, "n": pl.String, "label": pl.String})
    chart = charts.rate(days, frames.own(by_source, found), marks, (last - timedelta(days=DAYS - 1), last), LIGHT)
    chart = chart.properties(width=WIDTH, height=HEIGHT, background=LIGHT.ground)
    chart = chart.configure(font="DejaVu Sans").configure_view(stroke=None)
    # Large, since a phone shows it at little more than half its width.
    chart = chart.configure_axis(labelFontSize=16, titleFontSize=16)
    return bytes(vl_convert.vegalite_to_png(_utc(chart.to_dict()), scale=SCALE, allowed_base_urls=[]))


def _utc(spec: Any) -> Any:
    """The same chart with all of its time in UTC; else the time zone of the machine would be in the picture."""
    if isinstance(spec, list):
        return [_utc(one) for one in spec]
    if isinstance(spec, str):
        return f"{spec}Z" if INSTANT.fullmatch(spec) else spec
    if not isinstance(spec, dict):
        return spec
    made = {name: _utc(one) for name, one in spec.items()}
    if made.get("type") == "temporal" and "field" in made:
        made["scale"] = {**(made.get("scale") or {}), "type": "utc"}
    if {"year", "month", "date"} <= made.keys():
        made["utc"] = True
    return made
