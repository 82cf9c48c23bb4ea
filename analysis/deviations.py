"""Does what is seen fit what was declared? Sources that nobody declared, and declared ones that behave otherwise."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

import polars as pl

from analysis.attendance import Attendance, attendance
from analysis.cadence import ALLOWED, Cadence, cadence
from analysis.declared import Declared, resolved
from analysis.gates import worth
from analysis.genuine import counted
from analysis.mechanism import Break, breaks
from analysis.period import judged_over, newest_day
from analysis.settings import AnalysisSettings
from analysis.sources import Source, fetch, judged
from analysis.wording import count
from warehouse import reads_declared
from warehouse.connect import Warehouse
from warehouse.scope import Scope

KINDS = ("undeclared", "broken", "silent", "late", "returned", "expired", "untold")
LEGITIMATE = ("aligned", "misaligned", "unknown")  # kinds that somebody may own: the others need no declaration
SETTLED = 7  # days for which a retired source may still send


@dataclass(frozen=True, slots=True)
class Deviation:
    """One way in which what is seen differs from what is declared. `kind` is one of KINDS.

    - undeclared: sends, may be legitimate, and nobody decided about it.
    - broken: what its mail shall align by does no longer, since the day `since` (None: it never did).
    - silent: no mail for longer than its declared cadence allows, or ever.
    - late: no mail for longer than its own rhythm of `intervals` intervals lets expect.
    - returned: retired or forged, and still sends as if nothing had been decided.
    - expired: the declaration's last day is over.
    - untold: away for long, but its reporters were too, so nobody can tell.

    `sentence` holds no text from reports. `declared` is the verdict, `label` how the declaration names its source.
    """

    kind: str
    domain: str
    label: str
    source_key: str | None
    sentence: str
    since: date | None = None
    messages: int = 0
    intervals: int = 0
    declared: str | None = None
    owner: str | None = None
    line: int = 0


@dataclass(frozen=True, slots=True)
class Checked:
    """What was found; `newest` is the last day with reports, None where there are none. `declared` counts."""

    newest: date | None
    declared: int
    deviations: tuple[Deviation, ...]
    rhythms: Mapping[str, Cadence]


@dataclass(frozen=True, slots=True)
class _Seen:
    """What one declaration's sources did, all of them together: by day and reporter. `keys` are these sources."""

    keys: tuple[str, ...]
    rows: pl.DataFrame
    there: Attendance

    @property
    def days(self) -> list[date]:
        """The days with mail, in order."""
        return self.rows["day"].unique().sort().to_list()

    @property
    def shares(self) -> dict[str, float]:
        """Messages that each reporter told of."""
        sums = self.rows.group_by("reporter").agg(pl.col("messages").sum())
        return {str(reporter): float(messages) for reporter, messages in sums.iter_rows()}


def check(
    warehouse: Warehouse, declared: Sequence[Declared], domains: tuple[str, ...], today: date, rules: AnalysisSettings
) -> Checked:
    """Hold what is seen of some domains (all where none is named) against what is declared of them."""
    with warehouse.reading() as connection:
        newest = newest_day(connection, today)
        there = attendance(connection, newest) if newest else None
        if newest is None or there is None:
            return Checked(None, len(declared), (), {})
        frames = fetch(connection, judged_over(domains, newest, rules.readiness.days), today, rules.sources)
        meant = resolved(connection, declared)
        wanted = sorted({key for keys in meant for key in keys})
        scope = replace(counted(connection, Scope(domains)), until=newest)
        told = reads_declared.sent_by(connection, scope, wanted)
    found = judged(frames, today)
    deviations, rhythms = list[Deviation](), dict[str, Cadence]()
    parts = {key: rows for key, rows in told.partition_by("domain", "source_key", as_dict=True).items()}
    for one, keys in zip(declared, meant, strict=True):
        mine = [parts[one.domain, key] for key in keys if (one.domain, key) in parts]
        rows = pl.concat(mine) if mine else told.clear()
        seen = _Seen(keys, rows.filter(pl.col("messages") > 0), there)
        rhythm = cadence(seen.days, there, there.seeing(seen.shares))
        rhythms[f"{one.domain} {one.label}"] = rhythm
        deviations += _of_one(one, seen, rhythm, today, rules)
    held = {(one.domain, key) for one, keys in zip(declared, meant, strict=True) for key in keys}
    deviations += _undeclared(found, held, rules)
    order = {kind: at for at, kind in enumerate(KINDS)}
    deviations.sort(key=lambda one: (order[one.kind], -one.messages, one.domain, one.label))
    return Checked(newest, len(declared), tuple(deviations), rhythms)


def _undeclared(found: Sequence[Source], held: set[tuple[str, str]], rules: AnalysisSettings) -> Iterator[Deviation]:
    for domain in sorted({source.domain for source in found}):
        own = [source for source in found if source.domain == domain]
        least = worth(own, rules.readiness)
        for source in own:
            if source.kind in LEGITIMATE and source.messages >= least and (domain, source.source_key) not in held:
                aligned = _share(source.aligned, source.messages)
                sentence = f"{count(source.messages, 'message')}, {aligned} aligned, and nobody declared it."
                yield Deviation(
                    "undeclared", domain, source.name, source.source_key, sentence, source.first_seen, source.messages
                )


def _of_one(one: Declared, seen: _Seen, rhythm: Cadence, today: date, rules: AnalysisSettings) -> Iterator[Deviation]:
    key = seen.keys[0] if len(seen.keys) == 1 else None
    told = Deviation("", one.domain, one.label, key, "", declared=one.verdict, owner=one.owner, line=one.line)
    if one.over(today):
        yield replace(told, kind="expired", since=one.until, sentence=f"Declared {one.verdict} up to {one.until}.")
    elif one.verdict in ("retired", "spoof"):
        yield from _returned(one, told, seen)
    elif one.verdict in ("approved", "forwarder"):
        yield from _absent(one, told, seen, rhythm)
        if one.verdict == "approved" or one.expects:
            for found in breaks(seen.rows, one.expects, seen.there.newest, rules):
                yield _broken(told, found)


def _returned(one: Declared, told: Deviation, seen: _Seen) -> Iterator[Deviation]:
    """A retired source that still sends; forged mail only where it aligns, because then it is no forgery."""
    late = seen.rows.filter(pl.col("day") > seen.there.newest - timedelta(days=SETTLED))
    messages = int(late["messages" if one.verdict == "retired" else "aligned"].sum())
    if messages:
        what = "sent" if one.verdict == "retired" else "aligned"
        sentence = f"Declared {one.verdict}, but {messages:,} of its messages {what} in the last {SETTLED} days."
        yield replace(told, kind="returned", sentence=sentence, since=seen.days[-1], messages=messages)


def _absent(one: Declared, told: Deviation, seen: _Seen, rhythm: Cadence) -> Iterator[Deviation]:
    days, allowed = seen.days, ALLOWED.get(one.cadence or "") or rhythm.allowed
    if not days:
        if one.verdict == "approved":
            yield replace(told, kind="silent", sentence="Declared, but no report has ever named it.")
        return
    if allowed is None:
        return
    last, newest = days[-1], seen.there.newest
    gone = seen.there.between(seen.there.seeing(seen.shares), last, newest + timedelta(days=1))
    if (newest - last).days <= allowed:
        return
    told = replace(told, since=last + timedelta(days=1), messages=0, intervals=rhythm.intervals)
    reported = f"{count(gone, 'day')} that {'was' if gone == 1 else 'were'} reported on"
    if gone <= allowed:
        away = count((newest - last).days, "day")
        sentence = f"No mail since {last}, but its reporters told of only {gone} of these {away}."
        yield replace(told, kind="untold", sentence=sentence)
    elif one.cadence:
        verb = "is" if allowed == 1 else "are"
        sentence = f"Declared {one.cadence}; no mail since {last}: {reported}, {allowed} {verb} allowed."
        yield replace(told, kind="silent", sentence=sentence)
    else:
        habit = f"Sends {rhythm.word} ({count(rhythm.intervals, 'interval')})"
        sentence = f"{habit}; no mail since {last}: {reported}, {allowed} would be usual."
        yield replace(told, kind="late", sentence=sentence)


def _broken(told: Deviation, found: Break) -> Deviation:
    before = "it never did" if found.since is None else f"before {found.since} it was {found.before:.1%}"
    sentence = f"{found.aligned:,} of its last {found.messages:,} messages align by {found.by}; {before}."
    return replace(told, kind="broken", sentence=sentence, since=found.since, messages=found.messages - found.aligned)


def _share(part: int, whole: int) -> str:
    if not whole:
        return "none"
    # Only all is 100 %.
    return f"{min(part / whole, 0.999 if part < whole else 1.0):.1%}"
