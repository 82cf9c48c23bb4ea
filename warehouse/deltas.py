"""What records add to the rollups and take away from them, so that their upkeep follows the batch alone.

Nothing is looked up and nothing is updated when records arrive: what has to be known of a key stands in its rows.
Records are grouped in memory by the codes of their texts, which takes a tenth of grouping them by the texts in SQL.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from warehouse.connect import Connection, insert
from warehouse.rollup import (
    ADDRESS_DAY,
    ALIGNED,
    DAILY,
    ENVELOPE_DAY,
    REASON_DAY,
    REPORTER_DAY,
    SIGNATURE_DAY,
    SOURCE_DAY,
    Rollup,
)

Columns = dict[str, pa.Array]

OF_RECORD = ("day", "days", "messages", "domain", "reporter", "doubt", "source_ip", "source_key")
OF_SHAPE = ("dkim_aligned", "spf_aligned", "disposition", "header_from", "envelope_from", "reasons", "dkim", "spf")
"""What is looked at: of each record with its report and its source; and of each shape, which many records share."""

STORED = """
    (SELECT c.*, r.days FROM aggregate_record c JOIN aggregate_report r USING (report_key)
     WHERE report_key IN ({reports}))
"""
"""Stored records as `add_stored` wants them: aggregate_record's columns, and days."""

PIECE = 2**18  # stored records that are looked at in one go; of records of several days, their days together


def add(connection: Connection, records: pa.Table, shapes: pa.Table) -> None:
    """Add what records bring: tables of OF_RECORD with shape_index, and of OF_SHAPE."""
    for piece in pieces(records):
        for name, rows in deltas(piece, shapes):
            insert(connection, name, rows)
            # What one rollup took is in too small pieces for the next one to take.
            pa.default_memory_pool().release_unused()


def pieces(records: pa.Table) -> Iterator[pa.Table]:
    """All of some records, or so many at a time that they make a bounded number of rows where each counts on days."""
    days = np.asarray(records.column("days"))
    if not len(days) or days.max() == 1:
        yield records
        return
    ends, start = np.cumsum(days, dtype=np.int64), 0
    while start < len(days):
        before = int(ends[start - 1]) if start else 0
        end = max(start + 1, int(np.searchsorted(ends, before + PIECE, side="right")))
        yield records.slice(start, end - start)
        start = end


def add_stored(connection: Connection, records: str) -> None:
    """Add what a relation of stored records (aggregate_record's columns and days) brings."""
    _put(connection, records, pc.add)


def take_away(connection: Connection, records: str) -> None:
    """Take away what a relation of records brought, by rows of negative counts. `melt` is to follow."""
    _put(connection, records, pc.subtract)


def _put(connection: Connection, records: str, onto: Callable[[int, pa.Array], pa.Array]) -> None:
    wanted = ", ".join(OF_RECORD + OF_SHAPE)
    for piece in _in_pieces(connection, f"SELECT {wanted} FROM {records} JOIN address USING (source_ip)"):
        for name, rows in _of_stored(piece):
            columns = [onto(0, column) if pa.types.is_int64(column.type) else column for column in rows.columns]
            insert(connection, name, pa.table(columns, rows.column_names))
            pa.default_memory_pool().release_unused()


def _in_pieces(connection: Connection, query: str) -> Iterator[pa.Table]:
    """What a query gives, PIECE rows at a time; whoever takes a piece may write before the next one.

    What one piece cannot hold waits in a table, of which DuckDB keeps in memory what it may.
    """
    reader = connection.execute(query).to_arrow_reader(PIECE)
    found = [piece for piece in islice(reader, 2) if piece.num_rows]
    del reader
    if len(found) <= 1:
        yield from (pa.Table.from_batches([piece]) for piece in found)
        return
    found.clear()
    # By numbers of our own: rows that are not committed are not numbered from 0.
    connection.execute(f"CREATE TEMP TABLE brought AS SELECT *, row_number() OVER () - 1 AS nth FROM ({query})")
    start, rows = 0, PIECE
    while rows == PIECE:
        within = "SELECT * EXCLUDE (nth) FROM brought WHERE nth >= ? AND nth < ?"
        piece = connection.execute(within, [start, start + PIECE]).to_arrow_table()
        start, rows = start + PIECE, piece.num_rows
        if rows:
            yield piece
    connection.execute("DROP TABLE brought")


def _of_stored(rows: pa.Table) -> Iterator[tuple[str, pa.Table]]:
    """What stored records bring: each has a shape of its own."""
    places = pa.array(range(rows.num_rows), pa.int32())
    records, shapes = rows.select(OF_RECORD).append_column("shape_index", places), rows.select(OF_SHAPE)
    for piece in pieces(records):
        yield from deltas(piece, shapes)


def deltas(records: pa.Table, shapes: pa.Table) -> Iterator[tuple[str, pa.Table]]:
    """The rows that records add to each rollup's table, none twice by its keys; tables as `add` takes them."""
    said: Columns = {name: shapes.column(name).combine_chunks() for name in OF_SHAPE}
    sourced = _sourced(records, said)
    daily = _summed(_spread(sourced), DAILY.keys, DAILY.sums)
    yield DAILY.name, pa.table(daily)
    for rollup, made in _OF_DAYS.items():
        yield from _rolled(rollup, made(daily))
    del daily
    for rollup, made_of_shapes in _OF_RECORDS.items():
        yield from _rolled(rollup, made_of_shapes(sourced, said))


def _sourced(records: pa.Table, said: Columns) -> Columns:
    """Records with what their shapes say that is one value each; texts as codes."""
    columns = {name: coded(column) for name, column in zip(records.column_names, records.columns, strict=True)}
    of_shape = {name: said[name] for name in ("dkim_aligned", "spf_aligned")}
    of_shape |= {name: coded(said[name]) for name in ("disposition", "header_from")}
    of_shape["overridden"] = pc.greater(pc.list_value_length(said["reasons"]), 0)
    return columns | {name: column.take(columns["shape_index"]) for name, column in of_shape.items()}


def _rolled(rollup: Rollup, made: Columns) -> Iterator[tuple[str, pa.Table]]:
    rows = _summed(made, rollup.keys, rollup.sums)
    yield rollup.name, pa.table(rows)
    if rollup.monthly:
        yield rollup.months, pa.table(_by_months(rollup, rows))


def coded(column: pa.ChunkedArray | pa.Array) -> pa.Array:
    """A column in one piece; texts as codes and a dictionary."""
    whole = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    return whole.dictionary_encode() if pa.types.is_string(whole.type) else whole


def _summed(rows: Columns, keys: Sequence[str], sums: Sequence[str]) -> Columns:
    """One row for each key, in the order that answers read."""
    groups = _Groups(rows, keys)
    return groups.keys() | {name: groups.reduced(np.add, rows[name]) for name in sums}


def _by_months(rollup: Rollup, rows: Columns) -> Columns:
    """The same rows by the first of their months; of sources also their first and last day."""
    groups = _Groups(rows | {"day": pc.floor_temporal(rows["day"], unit="month")}, rollup.keys)
    found = groups.keys() | {name: groups.reduced(np.add, rows[name]) for name in rollup.monthly}
    if rollup is SOURCE_DAY:
        days = rows["day"].cast(pa.int32())
        for name, ufunc in (("first_day", np.minimum), ("last_day", np.maximum)):
            found[name] = groups.reduced(ufunc, days).cast(pa.date32())
    return found


class _Groups:
    """Rows grouped by some keys, ordered by domain and day. pyarrow's own grouping takes 0.2 s to load."""

    def __init__(self, rows: Columns, keys: Sequence[str]) -> None:
        self._rows, self._names = rows, keys
        code, size = np.zeros(len(rows["day"]), np.int64), 1
        for name in ("domain", "day", *keys):
            codes, more = _codes(rows[name], in_order=name == "domain")
            if size * more > _MOST_CODES:
                distinct, code = np.unique(code, return_inverse=True)
                size = len(distinct)
            code, size = code * more + codes, size * more
        self._order = np.argsort(code, kind="stable")
        ordered = code[self._order]
        self._starts = np.flatnonzero(np.concatenate([ordered[:1] == ordered[:1], ordered[1:] != ordered[:-1]]))

    def keys(self) -> Columns:
        """The keys of each group."""
        firsts = pa.array(self._order[self._starts])
        return {name: self._rows[name].take(firsts) for name in self._names}

    def reduced(self, ufunc: np.ufunc, values: pa.Array) -> pa.Array:
        """One value for each group."""
        if not len(values):
            return values
        return pa.array(ufunc.reduceat(np.asarray(values)[self._order], self._starts))


_MOST_CODES = 2**62


def _codes(column: pa.Array, *, in_order: bool) -> tuple[np.ndarray[Any, Any], int]:
    """A number for each value, from 0, and a bound: in the order of the texts where that is wanted."""
    if pa.types.is_dictionary(column.type):
        codes = np.asarray(pc.fill_null(column.indices, len(column.dictionary)))
        if in_order:
            codes = np.asarray(pc.rank(column.dictionary)).astype(np.int64)[codes]
        return codes, len(column.dictionary) + 1
    numbers = np.asarray(column.cast(pa.int32() if pa.types.is_date32(column.type) else pa.int8())).astype(np.int64)
    if not len(numbers):
        return numbers, 1
    return numbers - numbers.min(), int(numbers.max() - numbers.min()) + 1


# -- what stands in each -------------------------------------------------------------------------------


def _spread(sourced: Columns) -> Columns:
    """A row for each day of each record. A spread report puts its remainder on its first days, so that sums hold."""
    rows = dict(sourced)
    if (pc.max(rows["days"]).as_py() or 1) > 1:
        every = pa.array(range(len(rows["days"])), pa.int32())
        of_record = pa.ListArray.from_arrays(_ends(rows["days"]), pa.nulls(pc.sum(rows["days"]).as_py()))
        at = pc.list_parent_indices(of_record)
        rows = {name: column.take(at) for name, column in rows.items()}
        nth = pc.subtract(pa.array(range(len(at)), pa.int32()), _ends(sourced["days"])[: len(every)].take(at))
        share = pc.divide(rows["messages"], rows["days"])
        rest = pc.subtract(rows["messages"], pc.multiply(share, rows["days"]))
        rows["messages"] = pc.add(share, pc.less(nth.cast(pa.int64()), rest).cast(pa.int64()))
        rows["day"] = pc.add(rows["day"].cast(pa.int32()), nth).cast(pa.date32())
        # A report of more days than messages brings nothing on some of them.
        brings = pc.not_equal(rows["messages"], 0)
        rows = {name: column.filter(brings) for name, column in rows.items()}
    rows["estimated"] = pc.greater(rows["days"], 1)
    return rows


def _ends(lengths: pa.Array) -> pa.Array:
    """Where each of some lists begins in all of them joined, and where the last one ends."""
    return pa.concat_arrays([pa.array([0], pa.int32()), pc.cumulative_sum(lengths.cast(pa.int32()))])


def _reporter_day(daily: Columns) -> Columns:
    return daily | _aligned(daily) | {"estimated": _where(daily, daily["estimated"])}


def _source_day(daily: Columns) -> Columns:
    failing = pc.invert(pc.or_(daily["dkim_aligned"], daily["spf_aligned"]))
    blocked = {name: _is(daily["disposition"], name) for name in ("quarantine", "reject")}
    either = pc.or_(*blocked.values())
    return {
        **_doubted(daily),
        **_aligned(daily),
        "overridden": _where(daily, daily["overridden"]),
        "quarantined": _where(daily, blocked["quarantine"]),
        "rejected": _where(daily, blocked["reject"]),
        "failing_overridden": _where(daily, pc.and_(daily["overridden"], failing)),
        "failing_blocked": _where(daily, pc.and_(either, failing)),
    }


def _address_day(sourced: Columns, _: Columns) -> Columns:
    return _doubted(sourced) | _aligned(sourced)


def _signature_day(sourced: Columns, said: Columns) -> Columns:
    """A row for each signature; one without any where there is none."""
    at, places, without = _entries(said["dkim"], sourced["shape_index"])
    rows = _at(_doubted(sourced), pa.concat_arrays([at, without]))
    places = pa.concat_arrays([places, pa.nulls(len(without), places.type)])
    texts = said["dkim"].values.flatten()
    return rows | {name: coded(text).take(places) for name, text in zip(_SIGNATURE, texts, strict=True)}


def _envelope_day(sourced: Columns, said: Columns) -> Columns:
    """By the first SPF result of each record."""
    lists, places = said["spf"], sourced["shape_index"]
    first = pc.if_else(pc.greater(pc.list_value_length(lists), 0), lists.offsets[:-1], pa.scalar(None, pa.int32()))
    domain, _, result = lists.values.take(first).flatten()
    checked = pc.coalesce(domain, said["envelope_from"])
    return _doubted(sourced) | {"spf_domain": coded(checked).take(places), "result": coded(result).take(places)}


def _reason_day(sourced: Columns, said: Columns) -> Columns:
    at, places, _ = _entries(said["reasons"], sourced["shape_index"])
    texts = said["reasons"].values.flatten()
    rows = _at(_doubted(sourced), at)
    return rows | {name: coded(text).take(places) for name, text in zip(("type", "comment"), texts, strict=True)}


_SIGNATURE = ("signing_domain", "selector", "result")
_OF_DAYS: dict[Rollup, Callable[[Columns], Columns]] = {REPORTER_DAY: _reporter_day, SOURCE_DAY: _source_day}
_OF_RECORDS: dict[Rollup, Callable[[Columns, Columns], Columns]] = {
    ADDRESS_DAY: _address_day,
    SIGNATURE_DAY: _signature_day,
    ENVELOPE_DAY: _envelope_day,
    REASON_DAY: _reason_day,
}


def _entries(lists: pa.ListArray, shapes: pa.Array) -> tuple[pa.Array, pa.Array, pa.Array]:
    """For each entry in the list of each record's shape: which record, and its place; and the records without any."""
    begins, of = np.asarray(lists.offsets), np.asarray(shapes)
    sizes = np.diff(begins)[of]
    at = np.repeat(np.arange(len(sizes), dtype=np.int32), sizes)
    nth = np.arange(len(at), dtype=np.int32) - np.repeat(np.cumsum(sizes, dtype=np.int32) - sizes, sizes)
    without = np.flatnonzero(sizes == 0).astype(np.int32)
    return pa.array(at), pa.array(begins[:-1][of][at] + nth), pa.array(without)


def _aligned(rows: Columns) -> Columns:
    dkim, spf = rows["dkim_aligned"], rows["spf_aligned"]
    each = (rows["messages"], *(_where(rows, said) for said in (pc.or_(dkim, spf), dkim, spf)))
    return dict(zip(ALIGNED, each, strict=True))


def _where(rows: Columns, said: pa.Array) -> pa.Array:
    """The messages of the rows of which something is said; 0 of the others."""
    return pc.if_else(said, rows["messages"], pa.scalar(0, pa.int64()))


def _at(rows: Columns, at: pa.Array) -> Columns:
    """What all rollups share of some rows, one of them for each number."""
    return {name: rows[name].take(at) for name in ("day", "domain", "source_key", "reporter", "doubt", "messages")}


def _doubted(rows: Columns) -> Columns:
    """With the reporter only where it is in doubt: of nothing else it has to be known; see Scope.without."""
    reporter, plain = rows["reporter"], _is(rows["doubt"], "")
    names = pa.concat_arrays([reporter.dictionary, pa.array([""], reporter.dictionary.type)])
    codes = pc.if_else(plain, pa.scalar(len(names) - 1, pa.int32()), reporter.indices)
    return rows | {"reporter": pa.DictionaryArray.from_arrays(codes, names)}


def _is(texts: pa.DictionaryArray, wanted: str) -> pa.Array:
    return pc.equal(texts.dictionary, wanted).take(texts.indices)
