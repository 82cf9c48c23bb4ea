"""How well addresses are grouped: B-cubed precision and recall, by messages, within each domain.

Two addresses of one stream belong together. Two of different operators do not. Two streams of one operator (two
customers of a service, or its customer and somebody who forges through it) may stand together or apart; and a
botnet's addresses cannot be known to belong together.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl


@dataclass(frozen=True, slots=True)
class Grouping:
    """Scores of the grouping.

    `over`: share of messages in a source that is mainly another operator's. `under`: share of a stream's messages
    outside of its largest source. `pieces`: sources that one stream is shown as, on average.
    """

    precision: float
    recall: float
    over: float
    under: float
    pieces: float


def grouping(rows: pl.DataFrame) -> Grouping:
    """Score all rows, by source and stream."""
    source, stream = ["seed", "domain", "source_key"], ["seed", "domain", "stream"]
    mail = pl.col("messages")
    cells = rows.group_by(*source, "stream", "operator", "grouped").agg(mail.sum())
    cells = cells.with_columns(
        mail.sum().over(source).alias("in_source"),
        mail.sum().over(*source, "operator").alias("of_operator"),
        mail.sum().over(stream).alias("in_stream"),
    ).with_columns(
        (mail / (pl.col("in_source") - pl.col("of_operator") + mail)).alias("precision"),
        (mail / pl.col("in_stream")).alias("recall"),
        (pl.col("of_operator") < pl.col("of_operator").max().over(source)).alias("over"),
    )
    known = cells.filter("grouped")
    largest = known.group_by(stream).agg(mail.max(), pl.len().alias("pieces"))
    return Grouping(
        _mean(cells, "precision"),
        _mean(known, "recall"),
        _mean(cells, "over"),
        1 - int(largest["messages"].sum()) / max(1, int(known["messages"].sum())),
        float(largest["pieces"].cast(pl.Float64).to_numpy().mean()),
    )


def _mean(cells: pl.DataFrame, column: str) -> float:
    return float(np.average(cells[column].cast(pl.Float64).to_numpy(), weights=cells["messages"].to_numpy()))
