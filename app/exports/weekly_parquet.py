"""The weekly summary as Parquet: the rows of the CSV, with their types and exact text."""

from __future__ import annotations

import io
from typing import Any, Final

import polars as pl

from analysis.sources import Source
from analysis.weekly import WeeklySummary

SCHEMA: Final[dict[str, Any]] = {
    "week": pl.String, "domain": pl.String, "source_key": pl.String, "name": pl.String, "country": pl.String,
    "kind": pl.String, "confidence": pl.Float64, "decision": pl.String, "owner": pl.String, "messages": pl.Int64,
    "aligned": pl.Int64, "dkim_aligned": pl.Int64, "spf_aligned": pl.Int64, "first_seen": pl.Date,
    "last_seen": pl.Date, "is_new": pl.Boolean,
}  # fmt: skip


def render(summary: WeeklySummary) -> bytes:
    """The file; a domain without sources has a row with no messages."""
    rows = [
        row
        for domain in summary.domains
        for row in (
            [_row(summary.week, one) for one in domain.sources] or [{"week": summary.week, **_none(domain.domain)}]
        )
    ]
    out = io.BytesIO()
    pl.DataFrame(rows, schema=SCHEMA, orient="row").write_parquet(out, compression="zstd")
    return out.getvalue()


def _row(week: str, source: Source) -> dict[str, object]:
    own = {name: getattr(source, name) for name in SCHEMA if name not in ("week", "decision")}
    return {"week": week, **own, "decision": source.decided or "undecided"}


def _none(domain: str) -> dict[str, object]:
    return {"domain": domain, "messages": 0, "aligned": 0, "dkim_aligned": 0, "spf_aligned": 0}
