"""The charts. Each takes a small frame and our own words, and returns an Altair chart.

Names from reports are passed through words.plain by whoever makes the frame; field names and titles are
constants, so that no data decides how a tooltip is drawn. Temporal axes are UTC days.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any, Final

import altair as alt
import polars as pl

from app.web import axes, words
from app.web.axes import FEW, Span
from app.web.theme import Palette

HATCH: Final = 14  # strokes on a day whose reports are still due
STROKE: Final = "M-1,1L1,-1"
NOT_ALIGNED: Final = {
    "misaligned": "▲ known source, misaligned",
    "unknown": "◆ unknown source",
    "spoofing": "■ looks like spoofing",
    "forwarded": "↪ forwarded",
}
BLOCKED: Final = {
    "legitimate": "▲ legitimate mail lost",
    "undecided": "◆ nobody has decided",
    "forwarded": "↪ forwarded mail lost",
    "spoofing": "■ spoofing stopped",
}
BOUNCED: Final = {
    "refused": "▲ refused: authentication, reputation or policy",
    "gone": "◆ no such address",
    "later": "↪ full, slow or asked to wait",
    "foreign": "■ probably not your mail",
}
FAILED: Final = {"failed": "▲ sessions that failed"}

Chart = alt.Chart | alt.LayerChart


def rate(days: pl.DataFrame, own: pl.DataFrame, marks: pl.DataFrame, span: Span, colors: Palette) -> Chart:
    """Share of aligned mail by day, of known senders (strong) and of all mail (thin).

    `days` and `own`: day, messages, rate. `marks`: day, n, label (numbered events). `span`: first and last day.
    """
    x = axes.days_of(span)
    scale = axes.rate_scale(pl.concat([days, own]))
    y = alt.Y("rate:Q", title="aligned", axis=axes.rate_axis(), scale=scale)
    dots = alt.OverlayMarkDef(size=16, filled=True, color=colors.rule) if days.height < 3 else alt.Undefined
    thin = alt.Chart(days).mark_line(strokeWidth=1.5, strokeDash=[2, 3], color=colors.rule, point=dots)
    strong = alt.Chart(own).mark_line(strokeWidth=2.5, color=colors.aligned, point=_points(own.height, colors))
    layers: list[Any] = [
        *_thin_days(own, colors),
        thin.encode(x=x, y=y, tooltip=_tooltip()),
        strong.encode(x=x, y=y, tooltip=_tooltip()),
    ]
    if not marks.is_empty():
        layers.extend(_numbers(marks, colors))
    return _layered(layers, 230)


def not_aligned(days: pl.DataFrame, span: Span, colors: Palette) -> Chart:
    """Messages by day that were not aligned, stacked by class. `days`: day, class, messages."""
    return _sized(_stack(days, axes.bars_of(span), _when("day"), NOT_ALIGNED, colors), 210)


def bounced(days: pl.DataFrame, span: Span, colors: Palette) -> Chart:
    """Recipients by day that were not reached, stacked by what it takes. `days`: day, class, messages."""
    return _sized(_stack(days, axes.bars_of(span), _when("day"), BOUNCED, colors, "recipients"), 230)


def failed_sessions(days: pl.DataFrame, span: Span, colors: Palette) -> Chart:
    """TLS sessions by day that failed. `days`: day, class, messages."""
    return _sized(_stack(days, axes.bars_of(span), _when("day"), FAILED, colors, "sessions"), 230)


def blocked(weeks: pl.DataFrame, colors: Palette) -> Chart:
    """Messages by week that the stricter policy would have stopped. `weeks`: week (its name), class, messages."""
    order = weeks["week"].unique(maintain_order=True).to_list()
    x = alt.X("week:O", title=None, sort=order, axis=alt.Axis(labelAngle=0, labelOverlap=True))
    return _sized(_stack(weeks, x, alt.Tooltip("week:O", title="week"), BLOCKED, colors), 240)


@dataclass(frozen=True, slots=True)
class Edited:
    """An edit of the records: seen on `day`, made since the look on day `first`; `what` says it in few words."""

    day: date
    first: date
    what: str


@dataclass(frozen=True, slots=True)
class Began:
    """The day on which a source's rate changed, between which two days that was, and edits of the domain's records.

    `unfinished` are the days on which reports are still due, with the least share of the mail that is in.
    """

    day: date
    between: Span | None = None
    edits: tuple[Edited, ...] = ()
    unfinished: tuple[tuple[date, float], ...] = ()


def source_rate(days: pl.DataFrame, began: Began, colors: Palette) -> Chart:
    """One source's share of aligned mail by day, with the day it changed. `days`: day, messages, rate."""
    line = (
        alt.Chart(days)
        .mark_line(strokeWidth=2, color=colors.aligned, point=_points(days.height, colors))
        .encode(
            x=alt.X("day:T", title=None, axis=axes.days_axis(ticks=5)),
            y=alt.Y("rate:Q", title=None, axis=axes.rate_axis(), scale=alt.Scale(domain=[0, 1])),
            tooltip=_tooltip(),
        )
    )
    event = alt.Chart(pl.DataFrame({"day": [began.day]}))
    return _layered(
        [
            *_thin_days(days, colors),
            *_between(began, colors),
            *_edits(began, colors),
            *_unfinished(days, began, colors),
            line,
            event.mark_rule(strokeDash=[4, 3], strokeWidth=1.5, color=colors.misaligned).encode(x="day:T"),
            event.mark_point(
                shape="triangle-down", size=130, filled=True, color=colors.misaligned, opacity=1, yOffset=6
            ).encode(x="day:T", y=alt.value(0), tooltip=[_when("day", "changed on")]),
        ],
        190,
    )


def _between(began: Began, colors: Palette) -> list[alt.Chart]:
    """The days on which it can have begun, as a ground of its own; none where it is one day."""
    if began.between is None or began.between[0] == began.between[1]:
        return []
    half = pl.duration(hours=12)
    span = pl.DataFrame({"start": [began.between[0]], "end": [began.between[1]]}).select(
        start=pl.col("start").cast(pl.Datetime) - half, end=pl.col("end").cast(pl.Datetime) + half
    )
    tooltip = [_when("start", "began between"), _when("end", "and")]
    return [
        alt.Chart(span)
        .mark_rect(color=colors.misaligned, opacity=0.18)
        .encode(x="start:T", x2="end:T", tooltip=tooltip)
    ]


def _edits(began: Began, colors: Palette) -> list[alt.Chart]:
    """Edits of the domain's records: thin dotted rules with a diamond, on a ground of the days since the last look."""
    if not began.edits:
        return []
    marks = alt.Chart(pl.DataFrame([asdict(edit) for edit in began.edits]))
    tooltip = [_when("day", "edit seen on"), _when("first", "made since"), alt.Tooltip("what:N", title="what")]
    rule = alt.Chart(pl.DataFrame({"day": sorted({edit.day for edit in began.edits})}))
    return [
        marks.mark_rect(color=colors.rule, opacity=0.22).encode(x="first:T", x2="day:T", tooltip=tooltip),
        rule.mark_rule(strokeDash=[1, 3], strokeWidth=1.5, color=colors.rule).encode(x="day:T"),
        marks.mark_point(shape="diamond", size=80, filled=True, color=colors.rule, opacity=1).encode(
            x="day:T", y=alt.value(10), tooltip=tooltip
        ),
    ]


def _unfinished(days: pl.DataFrame, began: Began, colors: Palette) -> list[alt.Chart]:
    """Days whose reports are not all there: hatched, with a bar from the least to the most that the rate can become."""
    told = pl.DataFrame(list(began.unfinished), schema={"day": pl.Date, "in": pl.Float64}, orient="row")
    rows = days.join(told, on="day").with_columns(low=pl.col("rate") * pl.col("in"))
    if rows.is_empty():
        return []
    rows = rows.with_columns(high=pl.col("low") + 1 - pl.col("in"))
    half, strokes = pl.duration(hours=12), pl.DataFrame({"foot": [at / HATCH for at in range(HATCH)]})
    hatch = rows.join(strokes, how="cross").select(
        start=pl.col("day").cast(pl.Datetime) - half,
        end=pl.col("day").cast(pl.Datetime) + half,
        foot="foot",
        head=pl.col("foot") + 0.5 / HATCH,
    )
    tooltip = [
        _when("day"),
        alt.Tooltip("in:Q", title="in so far, at least", format=".0%"),
        alt.Tooltip("low:Q", title="aligned, at least", format=".1%"),
        alt.Tooltip("high:Q", title="at most", format=".1%"),
    ]
    y, y2 = alt.Y("foot:Q"), alt.Y2("head:Q")
    band = alt.Chart(rows).mark_rule(strokeWidth=7, opacity=0.35, color=colors.aligned)
    return [
        alt.Chart(hatch)
        .mark_rule(strokeWidth=1, color=colors.rule, opacity=0.55)
        .encode(x="start:T", x2="end:T", y=y, y2=y2),
        band.encode(x="day:T", y=alt.Y("low:Q"), y2=alt.Y2("high:Q"), tooltip=tooltip),
    ]


def heat(cells: pl.DataFrame, order: Sequence[str], colors: Palette) -> Chart:
    """Rate of each source and day as colour, for more sources than lines can be told apart.

    `cells`: source, day, messages, rate, and perhaps `began` (the source changed on that day) and `unfinished`
    (reports on it are still due, so it is hatched). The neutral tone lies at 95 %; thin days are pale.
    """
    scale = alt.Scale(
        domain=[0, 0.95, 1], range=[colors.misaligned, colors.middle, colors.aligned], interpolate="lab", clamp=True
    )
    chart = (
        alt.Chart(cells)
        .mark_rect()
        .encode(
            x=axes.bars_of(cells.select(first=pl.col("day").min(), last=pl.col("day").max()).row(0)),
            y=alt.Y("source:N", sort=list(order), title=None, axis=axes.names_axis()),
            color=alt.Color("rate:Q", title="aligned", scale=scale, legend=axes.rate_legend()),
            opacity=alt.condition(f"datum.messages < {FEW}", alt.value(0.5), alt.value(1)),
            tooltip=[alt.Tooltip("source:N", title="source"), *_tooltip()],
        )
    )
    return _layered([chart, *_signs(cells, order, colors)], max(210, 110 + 20 * len(order)))


def _signs(cells: pl.DataFrame, order: Sequence[str], colors: Palette) -> list[alt.Chart]:
    """What stands on the cells of a heat map: a stroke where reports are due, a triangle where a change began."""
    shapes = {"unfinished": (STROKE, 110, "reports still due"), "began": ("triangle-down", 55, "changed on")}
    found = list[alt.Chart]()
    for name, (shape, size, title) in shapes.items():
        if name in cells.columns and (marked := cells.filter(name)).height:
            marks = alt.Chart(marked).mark_point(
                shape=shape, size=size, filled=name == "began", strokeWidth=1.2, color=colors.text, opacity=0.9
            )
            found.append(
                marks.encode(
                    x="yearmonthdate(day):T",
                    xOffset=alt.value(0),
                    y=alt.Y("source:N", sort=list(order)),
                    tooltip=[alt.Tooltip("source:N", title="source"), _when("day", title)],
                )
            )
    return found


def legend(labels: dict[str, str], totals: dict[str, int], colors: Palette) -> None:
    """What the colours of the bars mean, with the sums: text that wraps, beside shapes that do not need colour."""
    shades = _shades(colors)
    words.swatches((shades[name], labels[name], totals[name]) for name in labels if totals.get(name))


def _stack(
    frame: pl.DataFrame, x: alt.X, when: alt.Tooltip, labels: dict[str, str], colors: Palette, what: str = "messages"
) -> alt.Chart:
    """Stacked bars of the classes that occur, in the order of `labels` from the ground up."""
    shown = [name for name in labels if name in frame["class"].to_list()]
    shades = _shades(colors)
    said = pl.DataFrame({"class": shown, "what": [labels[name] for name in shown], "rank": range(len(shown))})
    classes = alt.Scale(domain=shown, range=[shades[name] for name in shown])
    edges = alt.Scale(domain=shown, range=[colors.edge if n in ("forwarded", "later") else shades[n] for n in shown])
    bars: alt.Chart = (
        alt.Chart(frame.join(said, on="class"))
        .mark_bar(width={"band": 0.72}, strokeWidth=0.75)
        .encode(
            x=x,
            y=alt.Y("messages:Q", title=what, axis=alt.Axis(tickCount=4, tickMinStep=1, minExtent=46, format="~s")),
            color=alt.Color("class:N", title=None, scale=classes, legend=None),
            stroke=alt.Stroke("class:N", legend=None, scale=edges),
            order=alt.Order("rank:Q"),
            tooltip=[
                when,
                alt.Tooltip("what:N", title="what"),
                alt.Tooltip("messages:Q", title=what, format=","),
            ],
        )
    )
    return bars


def _shades(colors: Palette) -> dict[str, str]:
    return {
        "misaligned": colors.misaligned,
        "legitimate": colors.misaligned,
        "unknown": colors.unknown,
        "undecided": colors.unknown,
        "spoofing": colors.spoofing,
        "forwarded": colors.forwarded,
        "refused": colors.misaligned,
        "failed": colors.misaligned,
        "gone": colors.unknown,
        "later": colors.forwarded,
        "foreign": colors.spoofing,
    }


def _numbers(marks: pl.DataFrame, colors: Palette) -> list[Any]:
    """Numbered events: a rule each, and its number in a disc; the caption under the chart explains them."""
    base = alt.Chart(marks).encode(x="day:T", tooltip=[_when("day"), alt.Tooltip("label:N", title="what")])
    return [
        base.mark_rule(strokeDash=[4, 3], color=colors.rule, strokeWidth=1.5),
        base.mark_point(shape="circle", size=270, filled=True, color=colors.rule, opacity=1).encode(y=alt.value(10)),
        base.mark_text(fontSize=11, fontWeight=700, color=colors.ground).encode(y=alt.value(10), text="n:N"),
    ]


def _thin_days(days: pl.DataFrame, colors: Palette) -> list[alt.Chart]:
    """A grey ground under days with too few messages to say anything, where there are some."""
    half = pl.duration(hours=12)
    thin = days.filter(pl.col("messages") < FEW).select(
        start=pl.col("day").cast(pl.Datetime) - half, end=pl.col("day").cast(pl.Datetime) + half
    )
    if thin.is_empty():
        return []
    return [alt.Chart(thin).mark_rect(color=colors.band, opacity=0.85).encode(x="start:T", x2="end:T")]


def _points(number: int, colors: Palette) -> alt.OverlayMarkDef:
    return alt.OverlayMarkDef(size=22 if number <= 45 else 8, filled=True, color=colors.aligned)


def _when(column: str, title: str = "day") -> alt.Tooltip:
    return alt.Tooltip(f"{column}:T", title=title, format="%a %-d %b %Y")


def _tooltip() -> list[alt.Tooltip]:
    return [
        _when("day"),
        alt.Tooltip("rate:Q", title="aligned", format=".1%"),
        alt.Tooltip("messages:Q", title="messages", format=","),
    ]


def _layered(layers: list[Any], height: int) -> Chart:
    return _sized(alt.layer(*layers), height)


def _sized(chart: Any, height: int) -> Chart:
    """The outer height: axes and legend come out of it, so anything below 190 leaves nothing to see."""
    sized: Chart = chart.properties(
        height=height, width="container", padding={"left": 4, "right": 8, "top": 6, "bottom": 4}
    )
    return sized
