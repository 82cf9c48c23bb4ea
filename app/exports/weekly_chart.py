"""The week's picture: the app's own chart of alignment by day, as PNG. Needs the extra `charts`."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from importlib.util import find_spec
from typing import Final

import polars as pl

from analysis.genuine import counted
from analysis.settings import AnalysisSettings
from analysis.sources import sources
from analysis.weekly import WeeklySummary
from warehouse import reads
from warehouse.connect import Warehouse
from warehouse.scope import Scope

DAYS: Final = 28  # four weeks: enough to see whether the week is unusual
WIDTH, HEIGHT, SCALE = 582, 200, 2


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
    spec = (
        chart.configure(font="DejaVu Sans")
        .configure_axis(labelFontSize=13, titleFontSize=13)
        .configure_view(stroke=None)
        .to_json()
    )
    return bytes(vl_convert.vegalite_to_png(spec, scale=SCALE, allowed_base_urls=[]))
