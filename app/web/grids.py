"""Tables and their CSV files: frames made safe to show, columns with their names and forms."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import blake2b
from typing import Any, Final, Literal

import polars as pl
import streamlit as st

from analysis.status import DomainStatus
from app.web import words
from app.web.theme import Palette

Config = dict[str, Any]
column = st.column_config

LINE, PADDING = 21, 14  # pixels of a line of text in a table, and around it
WRAPS = 66  # pixels of a row from which Streamlit wraps its texts: more than 4 rem
HEAD, TALL = 37, 8  # pixels of a table's head and edge, and how many rows that wrap it shows at once
LETTER, MARGIN = 6.0, 16  # pixels that a letter takes, and that a cell keeps free

MESSAGES: Final = column.NumberColumn("Messages", format="localized", width=85)
DAY: Final = column.DateColumn("Day", format="D MMM YYYY")


def safe(frame: pl.DataFrame) -> pl.DataFrame:
    """The frame with all text cleaned, and lists of results as text; for a table or a CSV file."""
    lists = [name for name, kind in frame.schema.items() if isinstance(kind, pl.List) and kind.inner.is_nested()]
    flat = frame.with_columns(
        pl.Series(name, [_listed(value) for value in frame[name].to_list()], dtype=pl.String) for name in lists
    )
    texts = [name for name, kind in flat.schema.items() if kind == pl.String]
    return flat.with_columns(_cleaned(flat[name]) for name in texts)


def show(
    frame: pl.DataFrame,
    columns: Config,
    *,
    alt: str,
    key: str | None = None,
    select: Literal["single-row", "multi-row"] | None = None,
    lines: int = 1,
) -> list[int]:
    """A table with just the columns named, in their order; texts may take so many `lines`. Returns the selection."""
    shown = safe(frame.select(list(columns)))
    common: Config = {"hide_index": True, "column_config": columns, "alt": alt, "placeholder": "–"}
    if lines > 1 and _long(shown, columns):
        common["row_height"] = max(LINE * lines + PADDING, WRAPS)
        common["height"] = HEAD + common["row_height"] * min(shown.height, TALL)
    if select is None:
        st.dataframe(shown, key=key, **common)
        return []
    # A selection is row numbers. It must not outlive the rows it was made in, or a click on a decision
    # would fall on others: other rows are another table.
    mark = blake2b(written(frame.select(list(columns))).encode(), digest_size=8).hexdigest()
    state = st.dataframe(shown, key=f"{key} {mark}", on_select="rerun", selection_mode=select, **common)
    rows: list[int] = list(state["selection"]["rows"])
    return rows


def _long(frame: pl.DataFrame, columns: Config) -> bool:
    """Whether a text is longer than its column, of those whose width is set."""
    widths = {name: one["width"] for name, one in columns.items() if isinstance(one.get("width"), int)}
    texts = [name for name in widths if frame.schema[name] == pl.String]
    longest = frame.select(pl.col(texts).str.len_chars().max()).to_dicts()[0] if texts else {}
    return any(LETTER * (letters or 0) > widths[name] - MARGIN for name, letters in longest.items())


def filled(columns: Config, frame: pl.DataFrame, *names: str) -> Config:
    """The columns without those of these names, of texts, in which nothing stands."""
    empty = {name for name in names if not (frame[name].drop_nulls() != "").any()}
    return {name: one for name, one in columns.items() if name not in empty}


def csv(frame: pl.DataFrame, name: str, *, key: str) -> None:
    """A button that downloads the frame."""
    st.download_button(
        "CSV",
        written(frame),
        f"whosends-{words.plain(name, 60).replace('/', '-')}.csv",
        "text/csv",
        key=key,
        icon=":material/download:",
        on_click="ignore",
        type="tertiary",
    )


def written(frame: pl.DataFrame) -> str:
    """The frame as CSV; lists of words become one text, pictures (lists of numbers) are left out."""
    words_ = [name for name, kind in frame.schema.items() if kind == pl.List(pl.String)]
    pictures = [name for name, kind in frame.schema.items() if isinstance(kind, pl.List) and kind.inner.is_numeric()]
    flat = frame.drop(pictures).with_columns(pl.col(name).list.join("; ") for name in words_)
    return safe(flat).write_csv()


def chips(words_: dict[str, words.Word], label: str, width: int | Literal["small", "medium", "large"] = "small") -> Any:
    """A column of coloured words; its cells are lists of one word."""
    return column.MultiselectColumn(
        label,
        options=[word.text for word in words_.values()],
        color=[word.color for word in words_.values()],
        width=width,
    )


def share(label: str, color: str, width: int | None = None) -> Any:
    """A column of shares as bars."""
    return column.ProgressColumn(label, format="%.1f %%", min_value=0, max_value=100, color=color, width=width)


def _cleaned(values: pl.Series) -> pl.Series:
    """Each distinct text is cleaned once."""
    distinct = values.unique().drop_nulls()
    if distinct.is_empty():
        return values
    return values.replace_strict(distinct, pl.Series([words.cell(text) for text in distinct]), default=None)


def _listed(results: Sequence[dict[str, str | None]] | None) -> str:
    """Authentication results or reasons on one line: 'example.com s1 pass · …'."""
    return " · ".join(" ".join(str(value) for value in result.values() if value) for result in results or ())


def standing(found: Sequence[DomainStatus], owner_of: Callable[[str], str]) -> pl.DataFrame:
    """Domains and how they stand, as rows; where the first thing to do is nobody's, the domain's owner acts."""
    return pl.DataFrame(
        {
            "domain": [one.domain for one in found],
            "verdict": [[words.word(words.VERDICTS, one.verdict).text] for one in found],
            "top_issue": [one.top_issue for one in found],
            "policy": [
                one.target if one.policy == one.target else f"{one.policy or '–'} → {one.target}" for one in found
            ],
            "aligned": [100 * one.aligned / one.messages if one.messages else None for one in found],
            "trend": [[100 * rate for rate in one.trend if rate is not None] for one in found],
            "messages": [one.messages for one in found],
            "undecided": [one.undecided for one in found],
            "owner": [one.owner or owner_of(one.domain) for one in found],
        },
        schema_overrides={"owner": pl.String, "aligned": pl.Float64},
    )


def standing_columns(colors: Palette) -> Config:
    """What that table shows."""
    return {
        "domain": column.TextColumn("Domain", pinned=True, width=165),
        "verdict": chips(words.VERDICTS, "Verdict", 80),
        "top_issue": column.TextColumn("First thing to do", width=215),
        "policy": column.TextColumn("Policy", width=130),
        "aligned": share("Aligned", colors.aligned, 125),
        "trend": column.LineChartColumn("By day", y_min=0, y_max=100, width=70, color=colors.aligned),
        "messages": MESSAGES,
        "undecided": column.NumberColumn("To decide", width=75),
        "owner": column.TextColumn("Owner", width=120),
    }
