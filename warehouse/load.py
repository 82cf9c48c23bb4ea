"""The one loop: fetch, read, save, commit, and only then tell the mailbox that a message is done.

While a batch is read and saved, a mailbox already gives the next one.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, fields, replace
from datetime import datetime, timedelta

from ingest.attestation import Attestation
from ingest.errors import MailboxError
from ingest.inputs.base import Cursors, Input, Message, Position, to_act_on
from ingest.outcome import Duplicate, NotAReport, Outcome, Quarantined, Stored
from ingest.reading import Reading
from ingest.settings import PrivacySettings, UnpackLimits
from warehouse import cursors, melting, pseudonyms, retention, runs
from warehouse.acting import Acting
from warehouse.connect import Warehouse
from warehouse.errors import MemoryShort, WarehouseBusy
from warehouse.instants import naive
from warehouse.overlap import overlapped
from warehouse.portion import How, Portion, Vouch, joined, portions, tuned
from warehouse.save import Identify
from warehouse.settings import RetentionSettings
from warehouse.settle import Settled, settle
from warehouse.terms import Terms
from warehouse.workers import read_by

log = logging.getLogger(__name__)

COMMIT_RECORDS = 100_000
COMMIT_BYTES = 64 * 2**20
"""A batch is committed early beyond these, so that memory stays flat whatever the reports hold.

The bytes are those of what is held until then: messages as they came, and what they say as columns.
"""

TENDED_EACH = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Failure:
    """A message that went to quarantine, and why."""

    origin: str
    reason: str
    message: str


@dataclass(slots=True)
class LoadSummary:
    """What a run did. seen = stored + duplicates + quarantined + not_reports, always.

    `reports` counts all kinds; three of them are counted for themselves too.
    """

    seen: int = 0
    stored: int = 0
    duplicates: int = 0
    quarantined: int = 0
    not_reports: int = 0
    reports: int = 0
    tls_reports: int = 0
    failure_reports: int = 0
    notices: int = 0
    records: int = 0
    messages: int = 0
    seconds: float = 0.0
    failures: list[Failure] = field(default_factory=list)

    def add(self, settled: Settled, messages: Sequence[Message]) -> None:
        """Count one committed batch."""
        for message, outcome in zip(messages, settled.outcomes, strict=True):
            self.seen += 1
            match outcome:
                case Stored(reports):
                    self.stored += 1
                    self.reports += reports
                case Duplicate():
                    self.duplicates += 1
                case Quarantined(reason, sentence, reports):
                    self.quarantined += 1
                    self.reports += reports
                    self.failures.append(Failure(message.origin, reason.value, sentence))
                case NotAReport():
                    self.not_reports += 1
        for name in ("records", "messages", "tls_reports", "failure_reports", "notices"):
            setattr(self, name, getattr(self, name) + getattr(settled, name))

    def become(self, other: LoadSummary) -> None:
        """Count what another one does."""
        for each in fields(self):
            setattr(self, each.name, getattr(other, each.name))


Attest = Callable[[Sequence[tuple[Message, Reading]], datetime], Sequence[Sequence[Attestation]]]
"""Messages as read, and the time → for each aggregate report of each, who vouches for it. Must not raise."""


@dataclass(frozen=True, slots=True)
class Loader:
    """What a load needs beside its input: where to, within which limits, and the time (an aware instant).

    `attest` may use the network; without it nobody vouches for a report, and nothing speaks against it.
    More than one of `jobs` processes reads ahead of what is committed: for inputs that need not hear of one batch
    before they give the next, and where nobody attests. Each of them calls `prepare` first. `refused` hears at once
    where the mailbox refuses to mark or move what is stored.
    """

    warehouse: Warehouse
    limits: UnpackLimits
    identify: Identify
    clock: Callable[[], datetime]
    progress: Callable[[LoadSummary], None] = lambda _: None
    privacy: PrivacySettings = field(default_factory=PrivacySettings)
    retention: RetentionSettings = field(default_factory=RetentionSettings)
    attest: Attest | None = None
    jobs: int = 1
    prepare: Callable[[], object] = int
    refused: Callable[[MailboxError], object] = lambda _: None

    def now(self) -> datetime:
        """The time, as the tables hold it: UTC, without a zone."""
        return naive(self.clock())


def load(
    source: Input, loader: Loader, batches: Callable[[Cursors], Iterator[Sequence[Message]]] | None = None
) -> LoadSummary:
    """Read everything that `source` has and that was not read before.

    `batches` stands in for `source.fetch` where messages are watched for. Killed at any point,
    nothing is half stored, and the next run goes on from the last commit: what it reads again is
    known by its identity. Where the mailbox refuses to mark or move, all is read before that MailboxError is raised.
    """
    started, summary, warehouse = time.monotonic(), LoadSummary(), loader.warehouse
    with warehouse.writing(reports=False) as connection:
        run_key = runs.begin(connection, source.name, loader.now())
        known, owed = cursors.cursors(connection), cursors.owed(connection, source.name)
        privacy = pseudonyms.privacy(connection, loader.privacy)
    how = How(loader.limits, privacy, warehouse.settings.keep_documents)
    attest = loader.attest
    vouch = (lambda found: attest(found, loader.now())) if attest else None
    acting = Acting(source, warehouse, loader.refused)
    acting.redo(owed)
    run = _Run(run_key, summary, warehouse.settings.load_memory, loader.now())
    found = _tended((batches or source.fetch)(known), loader, run)

    def store(read: Iterable[Portion | None]) -> Iterator[_Committed]:
        return (_commit(source, loader, portion, run) for portion in commits(read))

    with tuned(), closing(_stored(source, loader, found, how, vouch, store)) as stored:
        for committed in stored:
            acting.done(committed.ended, committed.owed)
            summary.seconds = time.monotonic() - started
            loader.progress(summary)
    _tend(loader, run)
    summary.seconds = time.monotonic() - started
    if acting.refusal:
        raise acting.refusal
    return summary


@dataclass(slots=True)
class _Run:
    """What a run has done, and what DuckDB may hold of its next batch ("": its own limit).

    `tended_at` is when what is too old was removed last, and `tended` how many records there were then.
    """

    key: int
    summary: LoadSummary
    memory: str
    tended_at: datetime
    tended: int = 0


def _tended(found: Iterator[Sequence[Message]], loader: Loader, run: _Run) -> Iterator[Sequence[Message]]:
    """The batches. A watch goes on for months: what is done at the end of a load is done while it rests, too."""
    for batch in found:
        rests = not batch
        yield batch
        del batch  # or it would be kept while the next one is fetched
        if rests and loader.now() - run.tended_at >= TENDED_EACH:
            try:
                _tend(loader, run)
            except WarehouseBusy as error:
                log.info("load.untended reason=%r", str(error))  # the next rest will do
            # Nobody is told of them at the end of a watch; they stand in the quarantine.
            run.summary.failures.clear()


def _tend(loader: Loader, run: _Run) -> None:
    """Remove what is about single people and too old, and melt what has grown."""
    with loader.warehouse.writing(reports=False) as connection:
        pieces = melting.due(connection) if run.summary.records > run.tended else []
        retention.forget(connection, loader.retention, loader.now())
    melting.melt(loader.warehouse, pieces)
    run.tended_at, run.tended = loader.now(), run.summary.records


@dataclass(frozen=True, slots=True)
class _Committed:
    """How messages ended, and what the input still owes to the mailbox."""

    ended: list[tuple[Message, Outcome]]
    owed: list[Position]


def _stored(
    source: Input,
    loader: Loader,
    found: Iterator[Sequence[Message]],
    how: How,
    vouch: Vouch | None,
    store: Callable[[Iterable[Portion | None]], Iterator[_Committed]],
) -> Generator[_Committed]:
    """What is committed, one after the other."""
    if loader.jobs > 1:
        yield from store(read_by(loader.jobs, found, how, loader.prepare))
    elif source.remote:
        for of_batch in overlapped(found, lambda batch: list(store(_read(iter([batch]), how, vouch)))):
            yield from of_batch
    else:
        yield from store(_read(found, how, vouch))


def _commit(source: Input, loader: Loader, portion: Portion, run: _Run) -> _Committed:
    records = run.summary.records
    try:
        committed = _committed(source, loader, portion, run)
    except MemoryShort:
        if not run.memory:
            raise
        # A message that is refused is kept as it came, and may be larger than that; so may what a commit looks at.
        log.info("batch.memory limit=%s messages=%d", run.memory, len(portion.messages))
        run.memory = ""
        committed = _committed(source, loader, portion, run)
    log.info("batch.commit messages=%d records=%d", len(portion.messages), run.summary.records - records)
    return committed


def _committed(source: Input, loader: Loader, portion: Portion, run: _Run) -> _Committed:
    summary = replace(run.summary, failures=run.summary.failures.copy())
    terms = Terms(
        run.key,
        loader.now(),
        loader.identify,
        loader.warehouse.settings.keep_documents,
        keep_failures=loader.privacy.failure_reports == "full",
        keep_bounces=loader.privacy.bounces == "full",
    )
    with loader.warehouse.writing(reports=False, memory=run.memory) as connection:
        settled = settle(connection, portion, terms)
        ended = list(zip(portion.messages, settled.outcomes, strict=True))
        owed = to_act_on(ended) if source.acts else []
        cursors.owe(connection, owed)
        summary.add(settled, portion.messages)
        runs.note(connection, run.key, summary, terms.now)
    run.summary.become(summary)
    return _Committed(ended, owed)


def _read(batches: Iterator[Sequence[Message]], how: How, vouch: Vouch | None) -> Iterator[Portion | None]:
    """The portions of each batch, and None where it ends: the next one is asked for once this one is committed."""
    for batch in batches:
        yield from portions(batch, how, vouch)
        yield None


def commits(found: Iterable[Portion | None]) -> Iterator[Portion]:
    """Portions joined to what is committed at once: a batch (None is where it ends), or less where that is heavy."""
    held: list[Portion] = []
    records = size = 0
    for portion in found:
        if portion:
            held.append(portion)
            records += portion.records
            size += portion.size
        if held and (portion is None or records >= COMMIT_RECORDS or size >= COMMIT_BYTES):
            yield joined(held)
            held, records, size = [], 0, 0
