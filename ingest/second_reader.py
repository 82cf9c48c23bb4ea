"""parsedmarc in a process of its own, asked over standard input; started by ingest/second_opinion.py as a script.

It may print, log, warn, hang, or eat memory: nothing of that leaves the process. It imports nothing of ours,
so that it can be started by its path. A question is a kind (one byte), a length (four bytes), and the document;
an answer is one line of JSON.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import signal
import struct
import sys
import warnings
from collections.abc import Mapping, Sequence
from typing import Any, BinaryIO

QUESTION = struct.Struct(">cI")
AGGREGATE, TLS, FAILURE = b"a", b"t", b"f"
_MEMORY = 2 * 2**30
_IDLE = 60  # seconds
_ALARM = 30  # seconds: should whoever asks have gone away meanwhile, nobody else ends a hang


def main() -> None:
    """Answer questions until there are no more."""
    questions, answers = _apart()
    _bound()
    parser = _Parser()
    _say(answers, {"ready": True})
    _leave_after(_IDLE)
    while len(head := questions.read(QUESTION.size)) == QUESTION.size:
        kind, size = QUESTION.unpack(head)
        _die_after(_ALARM)
        _say(answers, parser.answer(kind, questions.read(size)))
        _leave_after(_IDLE)


def _apart() -> tuple[BinaryIO, BinaryIO]:
    """The two pipes under numbers that nobody else writes to; what is printed goes nowhere."""
    questions, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nowhere, number)
    return questions, answers


def _bound() -> None:
    with contextlib.suppress(ImportError, ValueError, OSError):  # not on every system
        import resource  # noqa: PLC0415

        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    sys.addaudithook(_offline)
    warnings.simplefilter("ignore")


def _offline(event: str, _: object) -> None:
    """Refuse the network, whatever is asked for: offline is more than an option here."""
    if event in ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto"):
        raise PermissionError(event)


def _die_after(seconds: int) -> None:
    if hasattr(signal, "alarm"):
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(seconds)


def _leave_after(seconds: int) -> None:
    """End in peace, with status 0, where nothing is asked for so long: a poller lives for months."""
    if hasattr(signal, "alarm"):
        signal.signal(signal.SIGALRM, lambda *_: os._exit(0))
        signal.alarm(seconds)


def _say(answers: BinaryIO, answer: Mapping[str, object]) -> None:
    answers.write(json.dumps(answer).encode() + b"\n")
    answers.flush()


class _LeftOut(logging.Handler):
    """Counts the records that parsedmarc leaves out of what it returns: it only logs them."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.records = 0

    def emit(self, record: logging.LogRecord) -> None:
        self.records += record.getMessage().startswith("Could not parse record")


class _Parser:
    def __init__(self) -> None:
        import parsedmarc  # type: ignore[import-untyped]  # noqa: PLC0415 - it takes half a second, which only this process shall pay

        self.parsedmarc: Any = parsedmarc
        self.left_out = _LeftOut()
        logger = logging.getLogger("parsedmarc")
        logger.handlers, logger.propagate = [self.left_out], False
        logger.setLevel(logging.WARNING)

    def answer(self, kind: bytes, document: bytes) -> dict[str, object]:
        """What it read, in numbers, or why it refused."""
        self.left_out.records = 0
        try:
            return {"reads": True, "numbers": self._numbers(kind, document)}
        except Exception as fault:  # noqa: BLE001 - it raises whatever happens to it
            return {"reads": False, "why": "" if kind == FAILURE else _why(fault)}

    def _numbers(self, kind: bytes, document: bytes) -> dict[str, int]:
        if kind == AGGREGATE:
            report = self.parsedmarc.parse_aggregate_report_xml(document, offline=True, always_use_local_files=True)
            counts = [int(record["count"]) for record in report["records"]]
            return {"record": len(counts), "message": sum(counts), "left_out": self.left_out.records}
        if kind == TLS:
            report = self.parsedmarc.parse_smtp_tls_report_json(document)
            names = ("successful_session_count", "failed_session_count")
            sessions = sum(int(policy[name]) for policy in report["policies"] for name in names)
            return {"policy": len(report["policies"]), "session": sessions}
        found = self.parsedmarc.parse_report_email(document, offline=True, always_use_local_files=True)
        if found["report_type"] != "failure":
            raise ValueError(found["report_type"])
        return {"failure report": 1}


def _why(fault: BaseException) -> str:
    """Its words without where in its code they were said; whoever shows them makes them harmless."""
    words: Sequence[str] = str(fault)[:2000].partition(" (raised at ")
    return words[0][:300]


if __name__ == "__main__":
    main()
