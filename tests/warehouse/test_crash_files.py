"""Kill -9 while a Maildir and an mbox file are read: the next run stores what is missing, and touches no file.

Files have no cursor: all of them are read again, and what is known already is known by its identity, a
refused message by its bytes.
"""

from __future__ import annotations

import base64
import shutil
import signal
from pathlib import Path
from typing import Any

from ingest.inputs.files import FileInput
from ingest.settings import UnpackLimits
from tests.warehouse.build import loader, row, torn, warehouse, xml
from tests.warehouse.test_crash_walk import changing, dying, in_a_process, look
from warehouse.load import load

REPORTS = 5  # one of them in both places; beside them a broken one, and a mail without a report in both
GZIP = b"\x1f\x8b"
OTHERS = 20  # every so many steps that last of nothing, one is died at


def mail(raw: bytes, number: int) -> bytes:
    """A report, or text, as a mail."""
    kind = b"application/xml" if raw.startswith(b"<") else b"text/plain"
    if raw.startswith(GZIP):
        kind, raw = b"application/gzip\nContent-Transfer-Encoding: base64", base64.encodebytes(raw)
    return b"Subject: Report %d\nMIME-Version: 1.0\nContent-Type: %b\n\n%b\n" % (number, kind, raw)


def prepare(folder: Path, told: Any) -> None:
    """A Maildir, an mbox file, and a warehouse that has its schema and nothing else."""
    reports = [xml(row(count=10), report_id=f"r{number}", days=3 if number == 2 else 1) for number in range(REPORTS)]
    mails = [mail(raw, number) for number, raw in enumerate([*reports, torn(), b"Lunch at one?"])]
    for part in ("cur", "new", "tmp"):
        (folder / "Maildir" / part).mkdir(parents=True)
    for number in (0, 1, 2, 5, 6):
        (folder / "Maildir" / ("cur" if number % 2 else "new") / str(number)).write_bytes(mails[number])
    (folder / "mbox").write_bytes(
        b"".join(b"From a@example.com Mon Nov 23 07:00:00 2026\n%b\n" % mails[n] for n in (2, 3, 4, 6))
    )
    with warehouse(folder).writing():
        pass
    told.send(True)


def run(folder: Path, step: int, told: Any) -> None:
    """Read both, two messages at a time, and die at that step; without one, send which steps there were."""
    source = FileInput([folder / "Maildir", folder / "mbox"], UnpackLimits(), batch_messages=2)
    target = loader(warehouse(folder))
    told.send(dying(lambda: load(source, target), step, changing))


def held(folder: Path) -> tuple[int, ...]:
    """Reports, their messages by three ways, what is quarantined, and whether anything is owed."""
    code, found = in_a_process(look, folder)
    assert code == 0
    return (*found[:4], found[7], found[6])


def files(folder: Path) -> dict[str, bytes]:
    """What the mailboxes hold."""
    found = [folder / "mbox", *(folder / "Maildir").rglob("*")]
    return {str(path.relative_to(folder)): path.read_bytes() for path in found if path.is_file()}


def test_killed_at_any_step_files_are_read_again_and_nothing_counts_twice(tmp_path: Path) -> None:
    prepared = tmp_path / "prepared"
    assert in_a_process(prepare, prepared) == (0, True)
    code, whole = in_a_process(run, Path(shutil.copytree(prepared, tmp_path / "whole")), -1)
    assert code == 0
    last = sorted({step: number for number, step in enumerate(whole)}.values())
    commits = [number for number, step in enumerate(whole) if step.what == "commit"]
    assert len(commits) >= 6  # a batch each, and the run's beginning and end
    for step in sorted({*commits, *last[::OTHERS]}):
        folder = Path(shutil.copytree(prepared, tmp_path / str(step)))
        code, _ = in_a_process(run, folder, step)
        assert code == -signal.SIGKILL, whole[step]
        reports, *sums, refused, owed = held(folder)
        assert (sums, owed) == ([reports * 10] * 3, 0), whole[step]
        assert reports <= REPORTS
        assert refused <= 1
        for _ in range(2 if step in commits else 1):
            assert in_a_process(run, folder, -1)[0] == 0
            assert held(folder) == (REPORTS, *[REPORTS * 10] * 3, 1, 0), whole[step]
        assert files(folder) == files(prepared)
        shutil.rmtree(folder)
