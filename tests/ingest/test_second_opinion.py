"""What parsedmarc says of what we refuse: asked where it helps, never in our process, and never for long."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ingest.inputs.base import Message
from ingest.outcome import Opinion, Reason
from ingest.reading import OPINIONS, read
from ingest.second_opinion import AGGREGATE, FAILURE, LARGEST, TLS, Reader, ask
from ingest.settings import UnpackLimits
from tests.ingest import wrap
from tests.ingest.hostile import ATTACKS, REPORT
from tests.warehouse.build import ListInput, loader, message, row, warehouse, xml
from warehouse import quarantine
from warehouse.load import load

CASES = Path(__file__).parents[1] / "cases"
ROOT = CASES.parents[1]


def test_of_many_refused_documents_a_few_are_asked_about() -> None:
    asked: list[bytes] = []

    def second(kind: bytes, document: bytes) -> Opinion:
        asked.append(kind + document)
        return Opinion(reads=False, sentence="No.")

    raw = b"".join(b"<feedback><version>%d</version></feedback>" % number for number in range(50))
    refusals = read(Message(raw, "a.xml", len(raw)), UnpackLimits(), second=second).refusals
    assert (len(refusals), len(asked)) == (50, OPINIONS)
    assert [refusal.opinion is not None for refusal in refusals] == [n < OPINIONS for n in range(50)]


def opinion(case: str) -> Opinion | None:
    path = CASES / case
    raw = path.read_bytes()
    (refusal,) = read(Message(raw, path.name, len(raw)), UnpackLimits()).refusals
    return refusal.opinion


@pytest.mark.parametrize(
    ("case", "reads", "says"),
    [
        # What it reads, and stores as a number of messages, is why these are refused here.
        ("aggregate/029-count-negative.xml", True, "parsedmarc reads it: 1 record, -1 messages."),
        ("aggregate/036-count-underscore.xml", True, "parsedmarc reads it: 1 record, 1,000 messages."),
        ("aggregate/052-date-year-9999.xml", True, "parsedmarc reads it: 1 record, 7 messages."),
        # What was cut off cannot be guessed: it reads what is left and says nothing of the rest.
        ("aggregate/089-cut-off-between-records.xml", True, "parsedmarc reads it: 3 records, 21 messages."),
        ("aggregate/041-row-twice.xml", False, "parsedmarc refuses it too: Unexpected error: list indices"),
        ("aggregate/054-date-missing.xml", False, "parsedmarc refuses it too: Missing field: 'end'."),
        ("tls/011-count-negative.json", True, "parsedmarc reads it: 1 policy, -1 sessions."),
        ("tls/026-cut-off.json", False, "parsedmarc refuses it too: Unterminated string"),
        ("failure/022-incidents-negative.eml", True, "parsedmarc reads it: 1 failure report."),
        # Its reason could quote what privacy leaves out.
        ("failure/016-no-domain-at-all.eml", False, "parsedmarc refuses it too."),
    ],
)
def test_where_the_two_parsers_differ_it_is_told(case: str, reads: bool, says: str) -> None:
    found = opinion(case)
    assert found is not None
    assert found.reads == reads
    assert found.sentence.startswith(says)


def test_records_that_it_leaves_out_without_a_word_are_counted() -> None:
    document = xml(row("192.0.2.1", 5), row("mail.example.com", 9))
    assert ask(AGGREGATE, document) == Opinion(
        True, "parsedmarc reads it: 1 record, 5 messages, but leaves out 1 record that it cannot read."
    )
    both = ask(AGGREGATE, document.replace(b"192.0.2.1", b"mail.example.net"))
    assert both == Opinion(False, "parsedmarc can read none of its 2 records.")


def test_it_is_asked_of_nothing_that_we_read_and_of_nothing_that_attacks() -> None:
    asked: list[bytes] = []

    def second(_: bytes, document: bytes) -> None:
        asked.append(document)

    hostile = ["external entity", "external entity in UTF-16", "billion laughs", "quadratic blow-up", "gzip, cut off"]
    for raw in [REPORT, wrap.common_mail(REPORT), *(ATTACKS[name][0]() for name in hostile)]:
        read(Message(raw, "a", len(raw)), UnpackLimits(), second=second)
    assert asked == []
    read(Message(REPORT[:-20], "a", len(REPORT) - 20), UnpackLimits(), second=second)
    assert asked == [REPORT[:-20]]


@pytest.mark.parametrize(
    "document", [b"<!DOCTYPE a><feedback>", b"<\0!\0d\0o\0c\0t\0y\0p\0e\0 ", b"<!entity x 'y'>", bytes(LARGEST + 1)]
)
def test_what_it_is_never_given(document: bytes) -> None:
    assert ask(AGGREGATE, document) is None


def test_its_words_are_harmless() -> None:
    document = REPORT.replace(b"<count>1<", "<count>\u202e\u200b=1+1\n<b>".encode().replace(b"<", b"&lt;") + b"<")
    found = ask(AGGREGATE, document)
    assert found is not None
    assert found.sentence.isprintable()
    assert len(found.sentence) < 300


@pytest.fixture
def seconds() -> float:
    """How long an answer may take: long enough for a machine that is busy, where a test does not wait for it."""
    return 60.0


@pytest.fixture
def reader(seconds: float) -> Iterator[Reader]:
    reader = Reader(seconds=seconds)
    assert reader.answer(TLS, b"{}") is not None
    yield reader
    reader.close()


@contextlib.contextmanager
def killed_once_asked(pid: int) -> Iterator[None]:
    """It dies with a question in its hands: stopped before it, and killed when the question lies in its pipe."""
    os.kill(pid, signal.SIGSTOP)
    waiting = select.poll()
    with contextlib.ExitStack() as stack:
        for link in Path(f"/proc/{pid}/fd").iterdir():
            if str(link.readlink()).startswith("pipe:"):
                waiting.register(stack.enter_context(link.open("rb", buffering=0)), select.POLLIN)
        killing = threading.Thread(target=lambda: waiting.poll(60_000) and os.kill(pid, signal.SIGKILL))
        killing.start()
        yield
        killing.join()


@contextlib.contextmanager
def hanging(pid: int) -> Iterator[None]:
    os.kill(pid, signal.SIGSTOP)
    yield


@pytest.mark.parametrize(("seconds", "befalls"), [(2.0, hanging), (60.0, killed_once_asked)])
def test_one_that_hangs_or_dies_is_replaced_and_in_the_end_left_alone(
    reader: Reader, seconds: float, befalls: Callable[[int], contextlib.AbstractContextManager[None]]
) -> None:
    for _ in range(3):
        assert reader.process_id is not None
        with befalls(reader.process_id):
            broken = reader.answer(AGGREGATE, REPORT)
        assert broken == Opinion(False, "parsedmarc gave no answer: it took too long or broke down.")
        assert reader.process_id is None
        if reader.answer(TLS, b"{}") is None:
            break
    assert reader.answer(AGGREGATE, REPORT) is None


def test_one_that_left_for_want_of_questions_comes_back(reader: Reader) -> None:
    first = reader.process_id
    assert first is not None
    os.kill(first, signal.SIGALRM)
    os.waitid(os.P_PID, first, os.WEXITED | os.WNOWAIT)
    assert reader.answer(AGGREGATE, xml()) == Opinion(True, "parsedmarc reads it: 1 record, 10 messages.")
    assert reader.process_id not in (None, first)


@pytest.mark.parametrize("kind", [AGGREGATE, TLS, FAILURE])
@pytest.mark.parametrize(
    "document",
    [b"<a>" * 300_000, b"[" * 300_000, b"<a " + b"b='' " * 200_000, b"\0" * 1000, b"Content-Type: x\n" * 60_000, b""],
)
def test_whatever_it_is_given_an_answer_comes(kind: bytes, document: bytes) -> None:
    found = ask(kind, document)
    assert found is None or not found.reads


def test_reading_what_is_whole_does_not_import_it() -> None:
    code = """
import sys
from ingest.inputs.base import Message
from ingest.reading import OPINIONS, read
from ingest.settings import UnpackLimits
from tests.ingest.hostile import REPORT
for raw in (REPORT, REPORT[:-20]):
    read(Message(raw, "a", len(raw)), UnpackLimits())
assert "parsedmarc" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, timeout=60)


def test_the_quarantine_keeps_counts_and_shows_it(tmp_path: Path) -> None:
    target = warehouse(tmp_path)
    read_elsewhere = xml(row(count=-3), report_id="negative")
    mails = [message(raw, f"{n}.xml") for n, raw in enumerate((read_elsewhere, xml()[:-30], b"PK\x03\x04"))]
    assert load(ListInput([mails]), loader(target)).quarantined == 3
    with target.reading() as connection:
        kept = {row["origin"]: row for row in quarantine.listing(connection).to_dicts()}
    assert [kept[f"{n}.xml"]["parsedmarc_reads"] for n in range(3)] == [True, True, None]
    command = [str(Path(sys.executable).with_name("whosends")), "quarantine"]
    where = ["--warehouse", str(tmp_path / "warehouse.duckdb")]
    listed = subprocess.run([*command, "list", *where, "--json"], capture_output=True, check=False, timeout=60)
    assert json.loads(listed.stdout)["parsedmarc_reads"] == 2
    key = str(kept["0.xml"]["quarantine_key"])
    shown = subprocess.run([*command, "show", key, *where], capture_output=True, text=True, check=False, timeout=60)
    assert "parsedmarc reads it: 1 record, -3 messages." in shown.stdout
    assert kept["0.xml"]["reason"] == Reason.NUMBER_INVALID
