"""Small pictures of days, as SVG of nothing but numbers: light enough for a card in a long list."""

from __future__ import annotations

from base64 import b64encode
from datetime import date

import polars as pl
import streamlit as st

from app.web import words
from app.web.theme import palette

WIDTH, HEIGHT = 132, 30


def bars(days: pl.DataFrame, since: date, until: date) -> None:
    """Messages by day, the aligned ones below. `days`: day, messages, aligned."""
    colors = palette()
    span = max(1, (until - since).days + 1)
    step = WIDTH / span
    top = max([1, *days["messages"].to_list()])
    parts = []
    for day, messages, aligned in days.select("day", "messages", "aligned").iter_rows():
        x, width = (day - since).days * step, max(0.8, step * 0.78)
        whole, good = HEIGHT * messages / top, HEIGHT * aligned / top
        if messages > aligned:
            parts.append(_bar(x, HEIGHT - whole, (width, max(1.0, whole - good)), colors.misaligned))
        if aligned:
            parts.append(_bar(x, HEIGHT - good, (width, max(1.0, good)), colors.aligned))
    total, good = int(days["messages"].sum()), int(days["aligned"].sum())
    label = f"{words.number(total)} messages over {words.count(span, 'day')}, {words.number(good)} of them aligned"
    picture = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" '
        f'viewBox="0 0 {WIDTH} {HEIGHT}">{"".join(parts)}</svg>'
    )
    # As an image inside the page: Streamlit takes drawings out of HTML, but not pictures that are data.
    data = b64encode(picture.encode()).decode()
    st.html(
        f'<img class="ws-spark" alt="{label}" title="{label}" src="data:image/svg+xml;base64,{data}">', width="content"
    )


def _bar(x: float, y: float, size: tuple[float, float], color: str) -> str:
    width, height = size
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" fill="{color}"/>'
