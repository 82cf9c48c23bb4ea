"""The records of many reports as Arrow tables: each an address, a count, and one of the few shapes that they share.

So they take a tenth of their room until they are stored, when shapes are written out, some thousand rows at a time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from hashlib import blake2b
from itertools import accumulate, chain
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ingest.alignment import aligned
from ingest.reports.aggregate import AggregateReport
from ingest.reports.shape import DkimAuthResult, OverrideReason, Shape, SpfAuthResult

TEXT = pa.string()
REASONS = pa.list_(pa.struct([(name, TEXT) for name in OverrideReason._fields]))
DKIM = pa.list_(pa.struct([(name, TEXT) for name in DkimAuthResult._fields]))
SPF = pa.list_(pa.struct([(name, TEXT) for name in SpfAuthResult._fields]))

OF_REPORT = [("day", pa.date32()), ("days", pa.int32()), ("domain", TEXT), ("reporter", TEXT), ("doubt", TEXT)]
OF_SHAPE = [
    ("disposition", TEXT),
    ("dkim_aligned", pa.bool_()),
    ("spf_aligned", pa.bool_()),
    ("dkim_recomputed", pa.bool_()),
    ("spf_recomputed", pa.bool_()),
    ("reasons", REASONS),
    ("header_from", TEXT),
    ("envelope_from", TEXT),
    ("envelope_to", TEXT),
    ("dkim", DKIM),
    ("spf", SPF),
]
SHAPE = pa.schema(OF_SHAPE)
RECORD = pa.schema(
    [("report_index", pa.int32()), ("source_ip", TEXT), ("messages", pa.int64()), ("shape_index", pa.int32())]
)
"""`report_index` is the row of the report among reports, `shape_index` that of the shape among shapes."""

WRITTEN = 2**13
"""Records that are written out at a time."""

_Modes = tuple[str, str]  # adkim and aspf


def records(reports: Sequence[AggregateReport]) -> tuple[pa.Table, pa.Table, list[bytes]]:
    """The records of some reports, in order (RECORD), the different shapes (SHAPE), and a digest of each report's.

    The digest is the same in whatever order the records stand.
    """
    lengths = [len(report.records) for report in reports]
    index = np.repeat(np.arange(len(reports), dtype=np.int32), lengths)
    source_ips = pa.array(_each(report.records.source_ips for report in reports), TEXT)
    messages = pa.array(_each(report.records.counts for report in reports), pa.int64())
    found, places = _shapes(reports)
    shapes = _described(found)
    rows = pa.Table.from_arrays([pa.array(index), source_ips, messages, places], schema=RECORD)
    return rows, shapes, _digests(rows, _said(shapes), lengths)


def written(rows: pa.Table, shapes: pa.Table, heads: pa.Table) -> Iterator[pa.Table]:
    """Records (RECORD) in full, some at a time: the columns of their report among `heads`, and of their shape."""
    for start in range(0, rows.num_rows, WRITTEN):
        piece = rows.slice(start, WRITTEN)
        parts = heads.take(piece.column("report_index")), shapes.take(piece.column("shape_index"))
        columns = {name: piece.column(name) for name in ("source_ip", "messages")}
        for part in parts:
            columns |= dict(zip(part.column_names, part.columns, strict=True))
        yield pa.table(columns)


def _each(found: Iterable[Iterable[object]]) -> list[object]:
    return list(chain.from_iterable(found))


def _shapes(reports: Sequence[AggregateReport]) -> tuple[list[tuple[Shape, _Modes]], pa.Array]:
    """The different shapes, each with the modes that its alignment is judged by, and which one each record has."""
    found: list[tuple[Shape, _Modes]] = []
    known: dict[_Modes, dict[int, int]] = {}
    places: list[int] = []
    for report in reports:
        policy = report.policy_published
        modes = policy.adkim or "r", policy.aspf or "r"
        of_modes = known.setdefault(modes, {})
        for shape in report.records.shapes:
            # By identity: a shape that was read once stands for all records of its kind.
            place = of_modes.get(id(shape))
            if place is None:
                place = of_modes[id(shape)] = len(found)
                found.append((shape, modes))
            places.append(place)
    return found, pa.array(places, pa.int32())


def _described(shapes: Sequence[tuple[Shape, _Modes]]) -> pa.Table:
    """The columns of OF_SHAPE, one row a shape."""
    columns = [*zip(*(shape for shape, _ in shapes), strict=True)] or [()] * len(Shape._fields)
    told: dict[str, Sequence[Any]] = dict(zip(Shape._fields, columns, strict=True))
    of = {
        name: _lists(told[name], kind) if isinstance(kind, pa.ListType) else pa.array(told[name], kind)
        for name, kind in OF_SHAPE
        if name in told
    }
    # RFC 7489 section 3.1.2: only the MAIL FROM identity counts, and a report that names no scope means it.
    scope, result = of["spf"].values.field("scope"), of["spf"].values.field("result")
    counted = {
        "dkim": pc.equal(of["dkim"].values.field("result"), "pass"),
        "spf": pc.and_(pc.equal(result, "pass"), pc.fill_null(pc.not_equal(scope, "helo"), fill_value=True)),
    }
    for at, name in enumerate(counted):
        modes = [each[at] for _, each in shapes]
        of[f"{name}_recomputed"] = _recomputed(of["header_from"], of[name], counted[name], modes)
        of[f"{name}_aligned"] = pc.coalesce(of[f"{name}_aligned"], of[f"{name}_recomputed"])
    return pa.Table.from_arrays([of[name] for name, _ in OF_SHAPE], schema=SHAPE)


def _lists(groups: Sequence[tuple[Any, ...]], kind: pa.ListType) -> pa.Array:
    """One list of structs for each group of their fields. From columns it is ten times quicker than from rows."""
    fields = list(kind.value_type)
    flat = list(chain.from_iterable(groups))
    columns = [pa.array(flat[at :: len(fields)], TEXT) for at in range(len(fields))]
    ends = pa.array(accumulate(map(len, groups), initial=0), pa.int32())
    offsets = pc.divide(ends, pa.scalar(len(fields), pa.int32()))
    return pa.ListArray.from_arrays(offsets, pa.StructArray.from_arrays(columns, fields=fields), type=kind)


def _recomputed(visible: pa.Array, results: pa.Array, counted: pa.Array, modes: Sequence[str]) -> pa.Array:
    """Whether any of each shape's results that count is aligned (RFC 7489 section 3.1)."""
    at = pc.indices_nonzero(counted)
    of_shape = pc.list_parent_indices(results).take(at)
    domains = results.values.field("domain").take(at).to_pylist()
    found = np.zeros(len(visible), bool)
    judged = map(_aligned, visible.take(of_shape).to_pylist(), domains, map(modes.__getitem__, of_shape.to_pylist()))
    found[np.asarray(of_shape)[np.fromiter(judged, bool, len(at))]] = True
    return pa.array(found)


_aligned = lru_cache(2**16)(aligned)


# -- what a report says, whatever the order of its records --------------------------------------------


def _said(described: pa.Table) -> pa.Array:
    """Each shape as one text; control characters part its values, since no value holds any."""
    names = ("disposition", "dkim_aligned", "spf_aligned", "header_from", "envelope_from")
    texts = [described.column(name).combine_chunks().cast(TEXT) for name in names]
    lists = [_joined(described.column(name).combine_chunks()) for name in ("reasons", "dkim", "spf")]
    return pc.binary_join_element_wise(*texts, *lists, "\x1f", null_handling="replace")


def _joined(groups: pa.Array) -> pa.Array:
    values = pc.binary_join_element_wise(*groups.values.flatten(), "\x1e", null_handling="replace")
    return pc.binary_join(pa.ListArray.from_arrays(groups.offsets, values), "\x1d")


def _digests(rows: pa.Table, said: pa.Array, lengths: Sequence[int]) -> list[bytes]:
    """BLAKE2b-128 of each report's lines, sorted; a line is an address, a count, and what the shape says.

    Lines compare as their parts do, one after the other, since what parts them comes before all characters of values.
    """
    reports, source_ips, counts, places = (column.combine_chunks() for column in rows.columns)
    counts, ranks = counts.cast(TEXT), pc.rank(said, tiebreaker="dense").take(places)
    keys = pa.table([reports, source_ips, counts, ranks], names=["report", "source_ip", "count", "said"])
    order = pc.sort_indices(keys, [(name, "ascending") for name in keys.column_names])
    hashes, ends, report = [blake2b(digest_size=16) for _ in lengths], list(accumulate(lengths)), 0
    for start in range(0, len(order), WRITTEN):
        these = order.slice(start, WRITTEN)
        parts = source_ips.take(these), counts.take(these), said.take(places.take(these))
        _, offsets, data = pc.binary_join_element_wise(*parts, "\x1f", null_handling="replace").buffers()
        at, text, here = memoryview(offsets).cast("i"), memoryview(data), 0
        while here < len(these):
            end = min(ends[report] - start, len(these))
            hashes[report].update(text[at[here] : at[end]])
            here = end
            report += here < len(these) or ends[report] == start + end
    return [one.digest() for one in hashes]
