"""Bulk ingest: against parsedmarc, against the bare limit, stage by stage, and on disk."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.corpus import Corpus, Shape, corpus
from benchmarks.measure import MIB, child, spread
from benchmarks.tables import Document


class WrongTotals(Exception):
    """What was stored is not what the manifest says."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is read. `rival` is how many rounds parsedmarc takes part in, which takes longest."""

    small: int
    mixed: int
    mails: int
    large: int
    huge: int
    disk: int
    rounds: int
    rival: int
    rival_huge: bool = False


QUICK = Sizes(small=500, mixed=400, mails=300, large=1, huge=0, disk=500, rounds=1, rival=1)
USUAL = Sizes(small=6000, mixed=8000, mails=4000, large=12, huge=1, disk=4000, rounds=3, rival=2)
FULL = Sizes(
    small=20_000, mixed=20_000, mails=10_000, large=18, huge=1, disk=50_000, rounds=5, rival=3, rival_huge=True
)

JOBS = 2
FEW, SOME, MANY, MOST = (1, 4), (2, 24), (6000, 9000), (100_000, 100_000)


def corpora(sizes: Sizes) -> list[Corpus]:
    """The corpora of a run."""
    shapes = [
        Shape("small", sizes.small, FEW),
        Shape("mixed", sizes.mixed, SOME),
        Shape("mails", sizes.mails, SOME, mails=True),
        Shape("large", sizes.large, MANY),
        Shape("huge", sizes.huge, MOST),
    ]
    return [corpus(shape) for shape in shapes if shape.reports]


@dataclass(frozen=True, slots=True)
class Round:
    """Each reader once, one after the other; parsedmarc may sit out."""

    ours: dict[str, Any]
    limit: dict[str, Any]
    rival: dict[str, Any] | None
    many: dict[str, Any]


def rounds(of: Corpus, sizes: Sizes) -> list[Round]:
    """All rounds over a corpus, each checked against its manifest."""
    found = []
    for number in range(sizes.rounds):
        with tempfile.TemporaryDirectory() as scratch:
            ours = child("readers.whosends", of.folder, Path(scratch) / "warehouse.duckdb", "keep")
            many = child("readers.whosends", of.folder, Path(scratch) / "many.duckdb", "keep", JOBS)
        check(of, ours)
        check(of, many)
        limit = child("readers.limit", of.folder)
        rival = None
        if number < sizes.rival and (of.shape.name != "huge" or sizes.rival_huge):
            rival = child("readers.parsedmarc", of.folder)
        found.append(Round(ours, limit, rival, many))
    return found


def check(of: Corpus, ours: dict[str, Any]) -> None:
    """Raise unless every total is exactly the manifest's."""
    told, want = ours["totals"], of.manifest
    expected = {
        "reports": want.reports,
        "records": want.records,
        "messages": want.messages,
        "daily": want.messages,
        "declared": want.messages,
    }
    seen = {"seen": want.files, "stored": want.reports, "duplicates": want.duplicates}
    seen |= {"records": want.records, "messages": want.messages}
    if told != expected or ours["summary"] != seen:
        raise WrongTotals(f"{of.shape.name}: stored {told} of {expected}, told {ours['summary']} of {seen}")


def against(document: Document, sizes: Sizes) -> list[Corpus]:
    """Write the comparison; the corpora used."""
    document.section(
        "Bulk ingest",
        "From bytes on disk to committed, deduplicated, rolled-up rows, in one process, into a new warehouse that",
        "keeps the documents. Beside it parsedmarc's `parse_report_file(offline=True)`, which only parses, its cache",
        "of addresses warm and cold; and the bare limit: read, inflate, `lxml.fromstring`. Seconds of processor time;",
        "ratios of pairs that ran in turn, as median (least to most). What every process reads once (networks,",
        "services, public suffixes) is set apart. Totals equal the manifest exactly, or the run ends.",
    )
    made = corpora(sizes)
    document.table(
        ("Corpus", "Files", "Reports", "Records", "Duplicates", "kB a file", "XML kB", "Shapes repeated"),
        [_described(one) for one in made],
    )
    results = {one.shape.name: rounds(one, sizes) for one in made}
    document.table(
        ("Corpus", "whosends µs/report", "ns/record", "limit µs/report", "parsedmarc warm", "cold"),
        [_costs(one, results[one.shape.name]) for one in made],
    )
    document.table(
        (
            "Corpus",
            "× parsedmarc warm",
            "× parsedmarc cold",
            "share of the limit",
            "once a process",
            "memory MiB",
            "parsedmarc",
        ),
        [_ratios(one, results[one.shape.name]) for one in made],
    )
    document.say(
        f"With `--jobs {JOBS}`, microseconds of processor time a report: of the process that stores, and of the {JOBS}",
        "that read, their start included. On two cores it cannot end before half of all; what parsedmarc takes warm,",
        "by that half, is the most that the processes gain.",
        "",
    )
    document.table(
        ("Corpus", "stores", "read", "half of all", "× parsedmarc warm, at best"),
        [_together(one, results[one.shape.name]) for one in made],
    )
    return made


def _described(one: Corpus) -> tuple[object, ...]:
    m = one.manifest
    sizes = (f"{m.file_bytes / m.files / 1000:.1f}", f"{m.document_bytes / m.reports / 1000:.1f}")
    return (one.shape.name, m.files, m.reports, f"{m.records:,}", m.duplicates, *sizes, f"{m.repeated:.0%}")


def _costs(one: Corpus, found: Sequence[Round]) -> tuple[object, ...]:
    files, records = one.manifest.files, one.manifest.read_records
    ours = [each.ours["cost"]["cpu"] for each in found]
    rivals = [each.rival for each in found if each.rival]
    return (
        one.shape.name,
        spread([cost / files * 1e6 for cost in ours], "{:,.0f}"),
        f"{median(ours) / records * 1e9:,.0f}",
        spread([each.limit["cost"]["cpu"] / files * 1e6 for each in found], "{:,.0f}"),
        *(
            spread([rival[name]["cpu"] / files * 1e6 for rival in rivals], "{:,.0f}") if rivals else "–"
            for name in ("warm", "cold")
        ),
    )


def _ratios(one: Corpus, found: Sequence[Round]) -> tuple[object, ...]:
    pairs = [(each.rival, each.ours["cost"]["cpu"]) for each in found if each.rival]
    faster = [
        spread([rival[name]["cpu"] / ours for rival, ours in pairs], "{:.1f}") if pairs else "–"
        for name in ("warm", "cold")
    ]
    return (
        one.shape.name,
        *faster,
        spread([100 * each.limit["cost"]["cpu"] / each.ours["cost"]["cpu"] for each in found], "{:.0f} %"),
        f"{median(each.ours['once']['cpu'] for each in found):.2f} s",
        f"{median(each.ours['memory'] for each in found):.0f}",
        f"{median(rival['memory'] for rival, _ in pairs):.0f}" if pairs else "–",
    )


def _together(one: Corpus, found: Sequence[Round]) -> tuple[object, ...]:
    files = one.manifest.files
    stores = [each.many["cost"]["cpu"] / files * 1e6 for each in found]
    read = [each.many["readers"] / files * 1e6 for each in found]
    half = [sum(both) / 2 for both in zip(stores, read, strict=True)]
    pairs = [(each.rival, mine) for each, mine in zip(found, half, strict=True) if each.rival]
    faster = [rival["warm"]["cpu"] / files * 1e6 / mine for rival, mine in pairs]
    figures = (spread(costs, "{:,.0f}") for costs in (stores, read, half))
    return (one.shape.name, *figures, spread(faster, "{:.1f}") if faster else "–")


def waterfall(document: Document, made: Sequence[Corpus]) -> None:
    """Write what each stage takes."""
    document.section(
        "Where the time goes",
        "Microseconds of processor time for each report (share), the stages one after the other over each batch.",
        "The memory of shapes is cold at the start and warms up, as in a run.",
    )
    found = []
    for one in made:
        with tempfile.TemporaryDirectory() as scratch:
            found.append(child("stages", one.folder, Path(scratch) / "warehouse.duckdb")["stages"])
    names = list(found[0])
    rows = [[name, *(_share(stages, name, one) for stages, one in zip(found, made, strict=True))] for name in names]
    sums = [f"{sum(stages.values()) / one.manifest.files * 1e6:,.0f}" for stages, one in zip(found, made, strict=True)]
    document.table(("Stage", *(one.shape.name for one in made)), [*rows, ["all", *sums]])


def _share(stages: dict[str, float], name: str, one: Corpus) -> str:
    return f"{stages[name] / one.manifest.files * 1e6:,.1f} ({stages[name] / sum(stages.values()):.0%})"


def on_disk(document: Document, sizes: Sizes) -> None:
    """Write how large the warehouse becomes."""
    made = [corpus(Shape("disk", sizes.disk, SOME)), *(one for one in corpora(sizes) if one.shape.name == "large")]
    document.section(
        "On disk",
        "Bytes of the warehouse's file for each record, beside the bytes of the files that came in. An empty",
        "warehouse is taken off, as are the duplicates' files.",
    )
    rows = []
    with tempfile.TemporaryDirectory() as scratch:
        empty = child("readers.whosends", _nothing(Path(scratch)), Path(scratch) / "empty.duckdb", "keep")["bytes"]
        for one in made:
            sizes_of = [
                child("readers.whosends", one.folder, Path(scratch) / f"{one.shape.name}-{flag}.duckdb", flag)["bytes"]
                for flag in ("keep", "drop")
            ]
            came = one.manifest.file_bytes * one.manifest.reports / one.manifest.files
            per = [(size - empty) / one.manifest.records for size in sizes_of]
            came /= one.manifest.records
            rows.append(
                (one.shape.name, f"{one.manifest.records:,}", f"{came:.0f}", *(f"{each:.0f}" for each in per),
                 f"{per[0] / came:.2f}", f"{per[1] / came:.2f}", f"{sizes_of[0] / MIB:.1f}")
            )  # fmt: skip
    document.table(
        ("Corpus", "Records", "came in", "with documents", "without", "with ÷ came", "without ÷ came", "file MiB"), rows
    )


def _nothing(scratch: Path) -> Path:
    folder = scratch / "nothing"
    folder.mkdir()
    return folder
