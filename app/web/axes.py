"""The charts' axes, scales and legends. Temporal axes are UTC days."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

import altair as alt
import polars as pl

# Below this many messages a day's rate says little; such days are drawn on a grey ground.
FEW: Final = 30
NOON: Final = 12
LABELS, STEPS = 8, (1, 2, 7, 14, 28)  # days with a label at the most, and the days from one to the next

Span = tuple[date, date]


def rate_scale(days: pl.DataFrame) -> alt.Scale:
    """From just below the lowest rate that means anything up to 100 %, so that small losses can be seen."""
    solid = days.filter(pl.col("messages") >= FEW)["rate"].drop_nulls()
    lowest = solid.to_numpy().min() if len(solid) else 0.0
    floor = max(0.0, float(int(lowest * 20 - 0.4)) / 20)
    return alt.Scale(domain=[min(floor, 0.9), 1.0], clamp=True)


def days_of(span: Span) -> alt.X:
    """All days looked at for a line, whether they have data or not: few points must not look like few days."""
    # A point stands at midnight, a bar from midnight to midnight: so each day has the same place in both.
    scale = alt.Scale(domain=[_at(span[0] - timedelta(days=1), NOON), _at(span[1], NOON)])
    return alt.X("day:T", title=None, axis=_labelled(span, 0), scale=scale)


def bars_of(span: Span) -> alt.X:
    """The same for bars."""
    scale = alt.Scale(domain=[_at(span[0]), _at(span[1] + timedelta(days=1))])
    return alt.X("yearmonthdate(day):T", title=None, axis=_labelled(span, NOON), scale=scale)


def _labelled(span: Span, hour: int) -> alt.Axis:
    """The same days have labels in every chart of these days, counted back from the last one."""
    days = (span[1] - span[0]).days + 1
    step = next((one for one in STEPS if one * LABELS >= days), -(-days // (STEPS[-1] * LABELS)) * STEPS[-1])
    values = [_at(span[1] - timedelta(days=back), hour) for back in range(0, days, step)]
    return alt.Axis(format="%-d %b", grid=False, labelOverlap=True, values=values)


def _at(day: date, hour: int = 0) -> alt.DateTime:
    return alt.DateTime(year=day.year, month=day.month, date=day.day, hours=hour)


def days_axis(ticks: int = 8) -> alt.Axis:
    """Days, wherever they begin and end."""
    return alt.Axis(format="%-d %b", grid=False, tickCount=ticks, labelOverlap=True)


def rate_axis() -> alt.Axis:
    """Shares from 0 to 1."""
    return alt.Axis(format=".0%", tickCount=4, minExtent=46)


def names_axis() -> alt.Axis:
    """Names of sources, each of them; where there is little room, most of it is for the days."""
    room = alt.ExprRef("containerSize()[0] < 500 ? 110 : 200")
    return alt.Axis(labelLimit=room, labelOverlap=False, labelFlush=False, ticks=False, domain=False)


def rate_legend() -> alt.Legend:
    """Shares as colours."""
    return alt.Legend(format=".0%", orient="top", gradientLength=110, values=[0, 0.5, 0.95])
