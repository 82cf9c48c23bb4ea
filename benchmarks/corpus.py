"""Reports as files, made up with a seed, with a manifest that says exactly what must come out.

Each is written in its reporter's own hand, by the writers of sample_reports. The files go to a folder
for caches, one for each seed and shape, and are made again when the code that makes them changes.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import platformdirs

from benchmarks import population
from sample_reports import document as writing
from sample_reports import reporters
from sample_reports.organisation import Policy
from sample_reports.reporters import REPORTERS, Reporter
from sample_reports.reports import Report, Row
from sample_reports.wrapping import attachment, mail

SEED = 20261124
FIRST = datetime(2026, 1, 1, tzinfo=UTC)
DUPLICATES = 100  # one file in so many is a report that came before
UNUSED = 14 * 86_400  # seconds
MAKERS = (__file__, population.__file__, writing.__file__, reporters.__file__)


@dataclass(frozen=True, slots=True)
class Shape:
    """A corpus: how many reports, how many records in each (least, most), packed as files or as mails."""

    name: str
    reports: int
    records: tuple[int, int]
    mails: bool = False
    start: int = 0  # days after the first that its reports begin on
    days: int = 30  # and over how many of them they are spread
    seed: int = SEED


@dataclass(frozen=True, slots=True)
class Manifest:
    """What is in a corpus. `read` counts what a reader of every file meets, the others what is to be stored."""

    files: int
    file_bytes: int
    document_bytes: int
    reports: int
    records: int
    messages: int
    duplicates: int
    read_records: int
    repeated: float  # share of records that differ from an earlier one of the reporter in address and count alone


@dataclass(frozen=True, slots=True)
class Corpus:
    """A folder of files and what is in them."""

    shape: Shape
    folder: Path
    manifest: Manifest


def cache_folder() -> Path:
    """Where everything that is made up is kept."""
    return Path(platformdirs.user_cache_dir("whosends")) / "benchmarks"


def used(path: Path) -> None:
    """Note that something made up is used now, and remove what nobody has used for a fortnight.

    What another shape, or another version of the code that makes it, needs stays until then: there may be several
    checkouts, and a quick run between two long ones.
    """
    os.utime(path)
    # What stands beside a warehouse goes with it.
    for old in [one for one in cache_folder().iterdir() if one.suffix not in (".lock", ".turnstile", ".kept")]:
        with suppress(FileNotFoundError):  # another run removes it
            if time.time() - old.stat().st_mtime > UNUSED:
                for one in cache_folder().glob(f"{old.name}*"):
                    shutil.rmtree(one) if one.is_dir() else one.unlink()


def corpus(shape: Shape) -> Corpus:
    """The corpus of this shape, made now where it is not there yet."""
    made_by = hashlib.blake2b(b"".join(Path(file).read_bytes() for file in MAKERS), digest_size=6)
    made_by.update(repr(shape).encode())
    folder = cache_folder() / f"{shape.name}-{made_by.hexdigest()}"
    manifest = folder.with_suffix(".json")
    if not manifest.exists():
        shutil.rmtree(folder, ignore_errors=True)  # half made
        folder.mkdir(parents=True)
        manifest.write_text(json.dumps(asdict(_make(shape, folder))))
    used(folder)
    used(manifest)
    return Corpus(shape, folder, Manifest(**json.loads(manifest.read_text())))


def _make(shape: Shape, folder: Path) -> Manifest:
    chance = Random(f"{shape.seed} {shape.name}")
    files = file_bytes = document_bytes = records = messages = duplicates = read_records = 0
    shapes: dict[str, set[Row]] = {}
    for number, report in enumerate(_reports(shape, chance)):
        rows, told = len(report.rows), report.messages
        records, messages = records + rows, messages + told
        shapes.setdefault(report.reporter.key, set()).update(row._replace(source_ip="") for row, _ in report.rows)
        document_bytes += len(writing.document(report))
        again = number % DUPLICATES == DUPLICATES - 1 or (shape.reports < DUPLICATES and number == shape.reports - 1)
        for copy in range(2 if again else 1):
            name, content = _packed(report, number, copy, shape)
            (folder / name).write_bytes(content)
            files, file_bytes, read_records = files + 1, file_bytes + len(content), read_records + rows
        duplicates += again
    repeated = 1 - sum(map(len, shapes.values())) / max(records, 1)
    return Manifest(
        files, file_bytes, document_bytes, shape.reports, records, messages, duplicates, read_records, repeated
    )


def _packed(report: Report, number: int, copy: int, shape: Shape) -> tuple[str, bytes]:
    """A file's name and content. Every other duplicate is packed in another way than the first."""
    if shape.mails:
        return f"{number:06d}-{copy}.eml", mail([report], timedelta(hours=copy), copy + 1)
    packing = report.reporter.packing if report.reporter.packing != "plain" else "gzip"
    if copy and number // DUPLICATES % 2:
        packing = "zip" if packing == "gzip" else "gzip"
    return f"{number:06d}-{copy}-{_ending(report.stem, packing)}", attachment(report, packing).content


def _ending(stem: str, packing: str) -> str:
    return f"{stem}.{'zip' if packing == 'zip' else 'xml.gz'}"


def _reports(shape: Shape, chance: Random) -> Iterator[Report]:
    """Each reporter, domain and day at most once, so that every report is one."""
    # parsedmarc does not see a report that stands in its mail as it is.
    writers = [one for one in REPORTERS if not (shape.mails and one.packing == "plain")]
    weights = [5 if reporter in reporters.LARGE else 1 for reporter in writers]
    taken: set[tuple[str, str, int]] = set()
    while len(taken) < shape.reports:
        reporter = chance.choices(writers, weights)[0]
        # A few domains get most reports.
        domain = population.domain_name(int(population.DOMAINS * chance.random() ** 2))
        day = shape.start + chance.randrange(shape.days) * reporter.span_days
        if (reporter.key, domain, day) not in taken:
            taken.add((reporter.key, domain, day))
            yield _report(shape, reporter, domain, day, chance)


def _report(shape: Shape, reporter: Reporter, domain: str, day: int, chance: Random) -> Report:
    least, most = shape.records
    wanted = round(least * (most / least) ** chance.random())
    rows: dict[Row, int] = {}
    while len(rows) < wanted:
        rows[population.row(shape.seed, domain, reporter, chance)] = 1 + int(chance.paretovariate(0.8)) % 100_000
    begin = FIRST + timedelta(days=day, hours=reporter.begins_at_hour)
    end = begin + timedelta(days=reporter.span_days)
    policy = ("none", "quarantine", "reject")[len(domain) * 7 % 3]
    return Report(
        reporter=reporter,
        domain=domain,
        report_id=f"{chance.getrandbits(96):x}",
        begin=int(begin.timestamp()),
        end=int(end.timestamp()) + reporter.ends,
        policy=Policy(begin.date(), policy, policy, policy),
        rows=tuple(rows.items()),
        sent=end + timedelta(hours=reporter.sent_after_hours),
        days=frozenset(),
    )
