"""Reports that an older parser took for two and this one takes for one: one of them stays, so nothing counts twice."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from ingest.attestation import Grade
from warehouse import attested, deltas, documents, journal, rollup
from warehouse.aside import Replaced, put_aside
from warehouse.connect import Connection
from warehouse.save import DUPLICATE, RAISED, SUPERSEDED, again

AT_ONCE = 500  # groups of reports


@dataclass(frozen=True, slots=True)
class Place:
    """Where reports of a kind stand, their own table first, and how some of them (by their keys) are taken away.

    `grade` and `pruned` are SQL: by whom a report is vouched for, and whether its records are gone.
    """

    tables: tuple[str, ...]
    key: str
    remove: Callable[[Connection, Sequence[int]], None]
    grade: str = f"'{Grade.UNATTESTED}'"
    pruned: str = "false"


class Settled(NamedTuple):
    """How many reports went because they say the same as one that stays, and how many because they say otherwise."""

    duplicates: int = 0
    conflicts: int = 0


class _Report(NamedTuple):
    key: int
    content: str
    document: str
    origin: str
    received_at: datetime | None
    grade: str
    pruned: bool


def groups(connection: Connection, place: Place, version: int) -> list[list[int]]:
    """The keys of reports that are one to this parser: those that cannot be taken away first, then the oldest.

    What an older parser read and this one did not is compared with nothing: it may be another report.
    """
    rows = connection.execute(
        f"""
        SELECT list({place.key} ORDER BY {place.pruned} DESC, {place.key}) FROM {place.tables[0]}
        WHERE parser_version = ? GROUP BY identity_hash HAVING count(*) > 1 ORDER BY min({place.key})
        """,
        [version],
    ).fetchall()
    return [keys for (keys,) in rows]


def settle(connection: Connection, place: Place, found: Sequence[Sequence[int]], now: datetime) -> Settled:
    """Let one of each group stay, in the caller's transaction, as if the others came now; `now` is naive UTC.

    What says otherwise than the one that stays goes to quarantine.
    """
    reports = _reports(connection, place, [key for group in found for key in group])
    gone, conflicts = list[int](), 0
    for group in found:
        stays, *others = (reports[key] for key in group)
        for other in others:
            if other.pruned:
                continue  # nobody can tell any more what either of them brought
            status = again(stays.grade, other.grade, same=other.content == stays.content)
            if status == RAISED and not stays.pruned:
                attested.raise_to(connection, stays.key, other.key)
                stays = stays._replace(grade=other.grade)
            goes = stays if status == SUPERSEDED else other
            stays = other if status == SUPERSEDED else stays
            if status not in (DUPLICATE, RAISED):
                _put_aside(connection, place, goes, stays, now)
                conflicts += 1
            gone.append(goes.key)
    if gone:
        place.remove(connection, gone)
        documents.forget(connection, {reports[key].document for group in found for key in group}, place.tables[0])
    return Settled(len(gone) - conflicts, conflicts)


def _reports(connection: Connection, place: Place, keys: Sequence[int]) -> dict[int, _Report]:
    rows = connection.execute(
        f"""
        SELECT {place.key}, content_hash, document_hash, origin, received_at,
               CASE WHEN {place.pruned} THEN '{Grade.UNATTESTED}' ELSE {place.grade} END, {place.pruned}
        FROM {place.tables[0]} WHERE {place.key} IN (SELECT unnest(?::BIGINT[]))
        """,
        [list(keys)],
    ).fetchall()
    return {row[0]: _Report(*row) for row in rows}


def _put_aside(connection: Connection, place: Place, goes: _Report, stays: _Report, now: datetime) -> None:
    """Keep what a report says, and tell which one stays."""
    kind = "Report" if place.tables[0] == "aggregate_report" else "TLS report"
    name = f"{kind} {goes.key}"
    sentence = (
        f"{name} was stored from this. It turned out to be {kind} {stays.key} with other content under the "
        "same id and period; that one stays."
    )
    stood, stands = (_state(one) for one in (goes, stays))
    put_aside(connection, Replaced(name, goes.document, goes.origin, goes.received_at), sentence, stood, stands, now)


def _state(one: _Report) -> journal.State:
    return {"document_hash": one.document, "attestation": one.grade, "origin": one.origin}


def _remove_aggregate(connection: Connection, keys: Sequence[int]) -> None:
    reports = f"SELECT unnest({list(keys)}::BIGINT[])"
    connection.execute(f"CREATE TEMP TABLE told AS {rollup.days_of(reports)}")
    deltas.take_away(connection, deltas.STORED.format(reports=reports))
    _remove(connection, AGGREGATE, keys)
    rollup.melt_days(connection, "FROM told")
    connection.execute("DROP TABLE told")


def _remove_tls(connection: Connection, keys: Sequence[int]) -> None:
    _remove(connection, TLS, keys)


def _remove(connection: Connection, place: Place, keys: Sequence[int]) -> None:
    for table in place.tables:
        connection.execute(f"DELETE FROM {table} WHERE {place.key} IN (SELECT unnest(?::BIGINT[]))", [list(keys)])


AGGREGATE = Place(
    ("aggregate_report", "aggregate_record"),
    "report_key",
    _remove_aggregate,
    grade="attestation",
    pruned="pruned_at IS NOT NULL",
)
TLS = Place(("tls_report", "tls_policy", "tls_failure"), "tls_report_key", _remove_tls)
