"""Is the report genuine? Who vouches for each reporter, and whose claims stay out of every judgement.

Anybody can mail a well-formed report. What a report mail's signature says is stored with the report; here
it becomes a rule: a report in doubt does not count in who sends, what changed and what may be enforced. It
is left out as (reporter, doubt), so that a forgery under a genuine reporter's name takes nothing of that
reporter's own along. Reports from files have nothing against them and always count.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from weakref import WeakKeyDictionary

import polars as pl

from analysis.keeping import kept
from analysis.reporters import reporters
from ingest.attestation import Doubt, Grade
from warehouse import reads, reads_sources
from warehouse.connect import Connection
from warehouse.kept import place
from warehouse.scope import Scope

MOSTLY = 0.5  # median share of a day's report mails from which something is the rule here
ENOUGH_DAYS = 7  # days with report mails from which wrong signatures could be the rule, and not an attack

Without = tuple[tuple[str, str], ...]
"""What is left out, as (reporter, doubt)."""

# No writer comes in while a session reads, so what it found stays true for it. Nobody judges while writing.
_KNOWN: WeakKeyDictionary[Connection, Without] = WeakKeyDictionary()


@dataclass(frozen=True, slots=True)
class Genuineness:
    """One reporter over the scope's days.

    `grade` is verified where any of its reports is, else the worst that was found. `attested_by` are the
    domains that signed what was verified (of a mismatch: what was not). `left_out` are the messages that
    stay out of judgements, `share` its part of all messages. `reporter` and `attested_by` are others' text.
    """

    reporter: str
    grade: str
    attested_by: tuple[str, ...]
    reports: int
    messages: int
    left_out: int
    share: float
    first_day: date
    last_day: date
    silent_since: date | None


def excluded(connection: Connection) -> Without:
    """What no judgement may draw on, looked up once in a session that only reads.

    - mismatch: validly signed, by somebody else only. Where that is the rule for a week and more, something on
      the way to this mailbox signs anew, and it says nothing.
    - unverified: where most report mails that come here are verified, one that is not stands out.
    - unprovable: the same, of a reporter that was never verified; the others had a bad day, or an old key.
    """
    if connection not in _KNOWN:
        _KNOWN[connection] = kept(place(connection, "excluded"), Without, lambda: _excluded(connection))
    return _KNOWN[connection]


def _excluded(connection: Connection) -> Without:
    found = reads.doubted(connection)
    if found.is_empty():
        return ()
    receipts = reads.receipts(connection)
    verified, mismatch = receipts["verified"].median(), receipts["mismatch"].median()
    stands_out = _above(verified, MOSTLY)
    resigned = receipts.height >= ENOUGH_DAYS and _above(mismatch, MOSTLY)
    left_out = {
        Doubt.MISMATCH: pl.lit(not resigned),
        Doubt.UNVERIFIED: pl.lit(stands_out),
        Doubt.UNPROVABLE: pl.lit(stands_out) & ~pl.col("proven"),
    }
    chosen = pl.any_horizontal((pl.col("doubt") == doubt.value) & rule for doubt, rule in left_out.items())
    return tuple(found.filter(chosen).select("reporter", "doubt").iter_rows())


def counted(connection: Connection, scope: Scope) -> Scope:
    """The scope without what is in doubt."""
    return replace(scope, without=excluded(connection))


def genuineness(connection: Connection, scope: Scope) -> list[Genuineness]:
    """Every reporter of the scope, those with most messages first."""
    rows = reads.attestations(connection, scope)
    if rows.is_empty():
        return []
    without = set(excluded(connection))
    days = reads.reporter_days(connection, scope)
    newest = days["day"].max()
    silent = {one.reporter: one.silent_since for one in (reporters(days, newest) if isinstance(newest, date) else ())}
    total = max(int(rows["messages"].sum()), 1)
    found = [
        _genuineness(str(name), part, without, total, silent.get(str(name)))
        for (name,), part in rows.partition_by("reporter", as_dict=True).items()
    ]
    return sorted(found, key=lambda one: (-one.messages, one.reporter))


@dataclass(frozen=True, slots=True)
class LoneClaims:
    """What is said of a domain by reporters in doubt alone: a source on a day that nobody else tells of."""

    domain: str
    reporters: int
    sources: int
    messages: int
    first_day: date


def lone_claims(connection: Connection, scope: Scope) -> tuple[LoneClaims, ...]:
    """What the scope leaves out and nobody else says, by domain."""
    if not scope.without:
        return ()
    rows = reads_sources.lone_claims(connection, scope)
    sums = rows.group_by("domain").agg(
        reporters=pl.len(),
        sources=pl.col("sources").sum(),
        messages=pl.col("messages").sum(),
        first=pl.col("first_day").min(),
    )
    return tuple(LoneClaims(*row) for row in sums.sort("domain").iter_rows())


def grade_of(grades: Sequence[str]) -> str:
    """A reporter's grade by those of its reports: proven once is proven; else what speaks against it."""
    order = (Grade.VERIFIED, Grade.MISMATCH, Grade.UNVERIFIED, Grade.UNATTESTED)
    return next((grade.value for grade in order if grade.value in grades), Grade.UNATTESTED.value)


def _genuineness(
    name: str, rows: pl.DataFrame, without: set[tuple[str, str]], total: int, silent_since: date | None
) -> Genuineness:
    grade = grade_of(rows["attestation"].to_list())
    signed = rows.filter((pl.col("attestation") == grade) & pl.col("attested_by").is_not_null())
    out = rows.filter(pl.col("doubt").is_in([doubt for reporter, doubt in without if reporter == name]))
    messages = int(rows["messages"].sum())
    first, last = rows["first_day"].min(), rows["last_day"].max()
    assert isinstance(first, date)
    assert isinstance(last, date)
    return Genuineness(
        reporter=name,
        grade=grade,
        attested_by=tuple(sorted(set(signed["attested_by"]))),
        reports=int(rows["reports"].sum()),
        messages=messages,
        left_out=int(out["messages"].sum()),
        share=messages / total,
        first_day=first,
        last_day=last,
        silent_since=silent_since,
    )


def _above(median: object, bound: float) -> bool:
    return isinstance(median, float) and median > bound
