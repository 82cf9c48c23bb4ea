"""The scores as text."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from benchmarks.score.classes import by_source, confusion, rates, styles
from benchmarks.score.failures import worst
from benchmarks.score.headlines import headlines
from benchmarks.score.identity import grouping
from benchmarks.score.naming import naming
from benchmarks.score.newcomers import newcomers, unseen
from benchmarks.score.probability import arrays, auc, brier, reliability, wronged
from benchmarks.score.product import KINDS

HELD_OUT = 1000  # worlds from here on are for scores alone: their examples are not shown, lest anybody tunes on them


def lines(rows: pl.DataFrame) -> Iterator[str]:
    """Everything that is scored, a line at a time."""
    lies, rows = rows.filter(pl.col("kind") == "lie"), rows.filter(pl.col("kind") != "lie")
    sources = by_source(rows)
    yield f"{rows['seed'].n_unique()} worlds, {len(sources):,} sources, {rows['messages'].sum():,} messages"
    yield from ("", f"{'':<44}{'value':>9}   {'90 % range':<18} goal")
    for name, goal, value, low, high in headlines(rows):
        yield f"{name:<44}{value:>9.2%}   {low:>7.2%} to {high:<7.2%} {goal}"
    yield from _classes("sources", confusion(sources, pl.len()))
    yield from _classes("messages", confusion(rows, pl.col("messages").sum()))
    yield from _probabilities(sources, rows)
    yield from _identity(rows)
    yield from _styles(rows)
    yield f"(left out: {lies['messages'].sum():,} messages that were never sent, claimed by lying reporters)"
    yield from ("", "Worst confusions")
    for line, seed, example in worst(rows):
        yield f"- {line}"
        if seed < HELD_OUT:
            yield f"    {example}"


def _classes(unit: str, table: dict[tuple[str, str], float]) -> Iterator[str]:
    yield from ("", f"{'By ' + unit:<12}{unit:>12} precision  recall     F1   called {'  '.join(KINDS)}")
    for kind, total, precision, recall, both in rates(table):
        called = [f"{table.get((kind, verdict), 0.0) / total if total else 0:>{len(verdict)}.1%}" for verdict in KINDS]
        yield (f"{kind:<12}{total:>12,.0f} {precision:>9.1%} {recall:>7.1%} {both:>6.3f}          {'  '.join(called)}")


def _probabilities(sources: pl.DataFrame, rows: pl.DataFrame) -> Iterator[str]:
    each, mail = arrays(sources, weighted=False), arrays(rows, weighted=True)
    yield from ("", "Probability of spoofing")
    yield f"- AUC {auc(*each):.4f} by sources, {auc(*mail):.4f} by messages"
    yield f"- Brier score {brier(*each):.4f} by sources, {brier(*mail):.4f} by messages (goal: at most 0.03)"
    yield f"- legitimate messages called spoofing, surer than 0.9: {wronged(rows):.3%} (goal: at most 0.1 %)"
    large = arrays(sources.filter(pl.col("messages") >= 10), weighted=False)
    yield f"- by sources of ten messages or more: AUC {auc(*large):.4f}, Brier score {brier(*large):.4f}"
    yield "  probability        sources    said    is     messages    said    is"
    weighed = {band: rest for band, *rest in reliability(*mail)}
    for band, count, said, is_it in reliability(*each):
        messages, said_mail, is_mail = weighed[band]
        yield (
            f"  {band:<14}{count:>12,.0f} {said:>7.3f} {is_it:>5.3f} {messages:>12,.0f}"
            f" {said_mail:>7.3f} {is_mail:>5.3f}"
        )


def _identity(rows: pl.DataFrame) -> Iterator[str]:
    found, named, new = grouping(rows), naming(rows), newcomers(rows)
    yield from ("", "Identity")
    yield (
        f"- addresses grouped: precision {found.precision:.1%}, recall {found.recall:.1%}; over-merged "
        f"{found.over:.2%}, under-merged {found.under:.2%} of the messages; {found.pieces:.2f} sources a sender"
    )
    yield (
        f"- messages of catalogued services rightly named {named.catalogued:.1%}, of invented ones "
        f"{named.invented:.1%}; named as another service {named.misnamed:.2%}"
    )
    for service, name, messages in named.worst:
        yield f"    {service} shown as {name!r}: {messages:,}"
    yield (
        f"- senders that appeared: {new.found} of {new.appeared} seen as new on their first day; "
        f"{new.renewed} of {new.old} old ones shown as new as well"
    )
    late = unseen(rows)
    held = f"as expected in {late.held} of {late.domains} domains" if late.domains else "the product expects no number"
    yield f"- legitimate senders that appeared in the last 30 days: {late.appeared}; {held}"


def _styles(rows: pl.DataFrame) -> Iterator[str]:
    yield from ("", f"{'What happens':<52}{'truth':<12}{'sources':>8}{'messages':>12}  right unknown spoofing")
    for one in styles(rows).iter_rows(named=True):
        yield (
            f"{one['kind'] + ': ' + one['style']:<52}{one['truth']:<12}{one['sources']:>8,}{one['mail']:>12,}"
            f"{one['right']:>7.1%}{one['unknown']:>8.1%}{one['spoofing']:>9.1%}"
        )
