"""Reports into tables, each once: the work of one transaction, at a cost that follows the batch alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc

from ingest.attestation import Grade
from ingest.reports.aggregate import PARSER_VERSION, parse
from warehouse import deltas
from warehouse.address import Address
from warehouse.connect import Connection, insert, once
from warehouse.outdated import Reader
from warehouse.records import OF_REPORT, written
from warehouse.rows import ADDRESS, Arrived, Staged, staged, table

Identify = Callable[[Sequence[str]], Sequence[Address]]
"""Addresses that were never seen before → what is known of them offline, and their source."""

IDENTIFIED = 10_000
"""Addresses that are identified at a time: what is known of one takes half a kilobyte until it is stored."""

NEW, DUPLICATE, CONFLICT = "new", "duplicate", "conflict"
RAISED, SUPERSEDED = "raised", "superseded"
"""A duplicate that is vouched for where the stored one is not; a conflict that the one vouched for wins."""


@dataclass(frozen=True, slots=True)
class Saved:
    """What became of each report, by its report_index: NEW to SUPERSEDED; and its key."""

    status: list[str]
    report_key: list[int]


def save(connection: Connection, staged: Staged, run_key: int, now: datetime, identify: Identify) -> Saved:
    """Insert what is new, in the caller's transaction.

    The same identity with the same content is a duplicate; with other content it is a conflict, and
    the first one stays. For both, `report_key` is the key of the report that was stored before. What
    is RAISED or SUPERSEDED is left to `attested.renew`.
    """
    saved = _decide(connection, staged)
    if NEW in saved.status:
        new = chosen(staged, saved, NEW)
        _insert_reports(connection, new.reports, run_key, now)
        _insert_records(connection, new, identify)
    return saved


def replace(connection: Connection, staged: Staged, keys: Sequence[int], identify: Identify) -> None:
    """Put new values in the place of stored reports: `keys` are theirs, in the order of `staged`."""
    put(connection, staged.keyed(pa.array(keys, pa.int64()), pa.array([True] * len(keys))), identify)


def put(connection: Connection, keyed: Staged, identify: Identify) -> None:
    """Put reports, which have report_key, and their records in the place of those stored under the same keys."""
    connection.register("again", keyed.reports)
    deltas.take_away(connection, deltas.STORED.format(reports="SELECT report_key FROM again"))
    connection.execute(
        """
        CREATE TEMP TABLE replacement AS
        SELECT again.*, r.run_key, r.stored_at FROM again JOIN aggregate_report r USING (report_key);
        DELETE FROM aggregate_report WHERE report_key IN (SELECT report_key FROM again);
        DELETE FROM aggregate_record WHERE report_key IN (SELECT report_key FROM again);
        INSERT INTO aggregate_report BY NAME SELECT * FROM replacement;
        DROP TABLE replacement;
        """
    )
    connection.unregister("again")
    _insert_records(connection, keyed, identify)


def sources(connection: Connection, source_ips: pa.DictionaryArray, identify: Identify) -> pa.DictionaryArray:
    """The source_key of each address; those that were never seen before are identified, and kept."""
    connection.register("asked", once(pa.table({"source_ip": source_ips.dictionary})))
    known = connection.execute(
        "SELECT source_ip, source_key FROM address WHERE source_ip IN (SELECT source_ip FROM asked)"
    ).to_arrow_table()
    connection.unregister("asked")
    is_new = pc.invert(pc.is_in(source_ips.dictionary, known.column("source_ip").combine_chunks()))
    unknown = sorted(source_ips.dictionary.filter(is_new).to_pylist())
    for start in range(0, len(unknown), IDENTIFIED):
        new = table(ADDRESS, identify(unknown[start : start + IDENTIFIED]))
        insert(connection, "address", new)
        known = pa.concat_tables([known, new.select(known.column_names)])
    of_each = pc.index_in(source_ips.dictionary, known.column("source_ip").combine_chunks())
    keys = deltas.coded(known.column("source_key"))
    return pa.DictionaryArray.from_arrays(keys.indices.take(of_each).take(source_ips.indices), keys.dictionary)


def _decide(connection: Connection, staged: Staged) -> Saved:
    identities = staged.reports.column("identity_hash").to_pylist()
    contents = staged.reports.column("content_hash").to_pylist()
    grades = staged.reports.column("attestation").to_pylist()
    documents = staged.reports.column("document_hash").to_pylist()
    known = _known(connection, staged.reports)
    keys = iter(next_keys(connection, "report_key_seq", len(set(identities) - known.keys())))
    status, report_key = [], []
    for identity, content, grade, document in zip(identities, contents, grades, documents, strict=True):
        if identity in known:
            key, before, graded = known[identity]
            same = content == before or READER.finds_the_same(connection, key, document, content)
            status.append(again(graded, grade, same=same))
        else:
            key, before, graded = next(keys), content, grade
            status.append(NEW)
        if status[-1] in (RAISED, SUPERSEDED):
            before, graded = content, grade
        known[identity] = (key, before, graded)
        report_key.append(key)
    return Saved(status, report_key)


def again(stored: str, arrived: str, *, same: bool) -> str:
    """What a report is that was stored before, by how well each is vouched for."""
    better = arrived == Grade.VERIFIED != stored
    if same:
        return RAISED if better else DUPLICATE
    # A stored report that nobody attested came from a person's own files: nothing speaks against it.
    return SUPERSEDED if better and stored != Grade.UNATTESTED else CONFLICT


def next_keys(connection: Connection, sequence: str, count: int) -> list[int]:
    """As many new keys from a sequence of ours."""
    rows = connection.execute(f"SELECT nextval('{sequence}') FROM range(?)", [count]).fetchall()
    return [key for (key,) in rows]


def _known(connection: Connection, reports: pa.Table) -> dict[str, tuple[int, str, str]]:
    """The reports of this batch that are stored already: identity → key, content and grade.

    The same bytes are the same report, though an older parser may have taken them for another.
    A report whose records were pruned is not to be replaced: what it brought could not be taken away. Nor is its doubt,
    with which its days are counted: it counts as verified, which nothing betters.
    Identities hold the begin, so only that span of the table is looked at, however large it is.
    """
    if not reports.num_rows:
        return {}
    span = pc.min_max(reports.column("begin_at")).as_py()
    connection.register("staged_report", reports.select(["identity_hash", "document_hash"]))
    found = [
        *connection.execute(_KNOWN.format(by="document_hash"), [span["min"], span["max"], PARSER_VERSION]).fetchall(),
        *connection.execute(_KNOWN.format(by="identity_hash"), [span["min"], span["max"], None]).fetchall(),
    ]
    connection.unregister("staged_report")
    return {identity: (key, content, grade) for identity, key, content, grade in found}


_KNOWN = """
    SELECT s.identity_hash, k.report_key, k.content_hash,
           CASE WHEN k.pruned_at IS NULL THEN k.attestation
                WHEN k.doubt = '' THEN 'unattested' ELSE 'verified' END
    FROM aggregate_report k JOIN staged_report s USING ({by})
    WHERE k.begin_at BETWEEN ? AND ? AND k.parser_version < coalesce(?, 2147483647)
"""


def _content(document: bytes) -> str:
    """The content_hash of the report in a document. Raises MalformedReport."""
    report = Arrived(parse(document), "", "", None)
    return str(staged([report]).reports.column("content_hash")[0].as_py())


READER = Reader("aggregate_report", "report_key", PARSER_VERSION, _content)


def chosen(staged: Staged, saved: Saved, status: str) -> Staged:
    """What ended so, with report_key in the place of report_index."""
    return staged.keyed(pa.array(saved.report_key, pa.int64()), pa.array([each == status for each in saved.status]))


def _insert_reports(connection: Connection, reports: pa.Table, run_key: int, now: datetime) -> None:
    count = reports.num_rows
    reports = reports.append_column("run_key", pa.array([run_key] * count, pa.int64()))
    insert(
        connection,
        "aggregate_report",
        reports.append_column("stored_at", pa.array([now] * count, pa.timestamp("us"))),
    )


def _insert_records(connection: Connection, keyed: Staged, identify: Identify) -> None:
    records, shapes = keyed.records, keyed.shapes
    heads = keyed.reports.select(["report_key", *(name for name, _ in OF_REPORT)])
    for rows in written(records, shapes, heads.drop_columns("days")):
        insert(connection, "aggregate_record", rows)
    source_ips = deltas.coded(records.column("source_ip"))
    of_report = {name: deltas.coded(heads.column(name)).take(records.column("report_index")) for name, _ in OF_REPORT}
    of_record = {name: records.column(name) for name in ("messages", "shape_index")}
    of_record |= {"source_ip": source_ips, "source_key": sources(connection, source_ips, identify)}
    deltas.add(connection, pa.table(of_report | of_record), shapes)
