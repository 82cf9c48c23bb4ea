"""What parsedmarc says of a document that we refuse: where it reads one, there may be something to learn.

Asked in a process of its own (ingest/second_reader.py), which starts at the first refusal and answers all
later ones: parsing there can neither delay the run for long, nor print, nor take the reader down. Documents
that hold what XML forbids here, or that are large, are not asked about.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from ingest.outcome import Opinion, Reason
from ingest.reports.words import clean
from ingest.second_reader import AGGREGATE, FAILURE, QUESTION, TLS

__all__ = ["AGGREGATE", "ASKED", "FAILURE", "TLS", "Ask", "ask", "nobody"]

Ask = Callable[[bytes, bytes], Opinion | None]
"""A kind (AGGREGATE, TLS, FAILURE) and a document → what another parser says; None: nothing. Never raises."""

ASKED = frozenset(
    {Reason.XML_BROKEN, Reason.JSON_BROKEN, Reason.FIELD_MISSING, Reason.NUMBER_INVALID, Reason.DATE_INVALID}
)
"""Reasons to ask. A bound that was hit or a forbidden construct is none: that was no question of reading."""

LARGEST = 2**20
"""Bytes of a document beyond which nobody is asked; most reports have a few thousand."""

SECONDS = 5.0
"""How long an answer may take."""

_START = 60.0  # seconds until parsedmarc is imported, on a machine that is busy
_PATIENCE = 3  # processes that died or hung, after which nobody is asked any more
_ACTIVE = re.compile(rb"<!(?:DOCTYPE|ENTITY)", re.IGNORECASE)


def ask(kind: bytes, document: bytes) -> Opinion | None:
    """Ask parsedmarc. None where it is not asked, or is not there."""
    if len(document) > LARGEST or _ACTIVE.search(document.replace(b"\0", b"")):
        return None
    return _of_this_process().answer(kind, document)


def nobody(kind: bytes, document: bytes) -> Opinion | None:
    """Ask nobody."""
    del kind, document
    return None


class Reader:
    """The other process, and what is known of it. One question at a time."""

    def __init__(self, seconds: float = SECONDS) -> None:
        self.pid = os.getpid()
        self._seconds = seconds
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._failures = 0

    @property
    def process_id(self) -> int | None:
        """Of the process that answers; None while there is none."""
        return self._process.pid if self._process else None

    def answer(self, kind: bytes, document: bytes) -> Opinion | None:
        """Its answer; None where it cannot be had."""
        with self._lock:
            if self._failures >= _PATIENCE:
                return None
            if self._process is not None and self._process.poll() is not None:
                self.close()  # it left, as when nobody asks for long
            if self._process is None and not self._start():
                return None
            answer = self._asked(QUESTION.pack(kind, len(document)) + document, self._seconds)
            if answer is None:
                self._failures += 1
                self.close()
                return Opinion(reads=False, sentence="parsedmarc gave no answer: it took too long or broke down.")
            return _opinion(answer)

    def _start(self) -> bool:
        command = [sys.executable, "-P", str(Path(__file__).with_name("second_reader.py"))]
        try:
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and script
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
            )
        except OSError:
            self._failures = _PATIENCE
            return False
        if self._asked(b"", _START) is None:
            self._failures = _PATIENCE  # it is not installed, or does not start
            self.close()
            return False
        return True

    def _asked(self, question: bytes, seconds: float) -> dict[str, Any] | None:
        """The next line that it says; None where it dies, or is killed because it says nothing in time."""
        assert self._process is not None
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with _killed_after(self._process, seconds):
            try:
                self._process.stdin.write(question)
                self._process.stdin.flush()
                line = self._process.stdout.readline(2**16)
            except OSError:
                return None
        try:
            found = json.loads(line)
        except ValueError:
            return None
        return found if isinstance(found, dict) else None

    def close(self) -> None:
        """End it; the next question starts another."""
        process, self._process = self._process, None
        if process is not None and self.pid == os.getpid():
            process.kill()
            with contextlib.suppress(OSError):
                process.communicate()


@contextlib.contextmanager
def _killed_after(process: subprocess.Popen[bytes], seconds: float) -> Iterator[None]:
    timer = threading.Timer(seconds, process.kill)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


_readers: list[Reader] = []


def _of_this_process() -> Reader:
    """One a process: after a fork, the other's pipes are not ours to write to."""
    if not _readers or _readers[-1].pid != os.getpid():
        reader = Reader()
        _readers.append(reader)
        atexit.register(reader.close)
    return _readers[-1]


_PLURALS = {"policy": "policies"}


def _opinion(answer: dict[str, Any]) -> Opinion:
    if not answer.get("reads"):
        why = clean(str(answer.get("why", "")))[0][:200].rstrip(". ")
        return Opinion(reads=False, sentence=f"parsedmarc refuses it too{': ' if why else ''}{why}.")
    numbers = {str(name): int(number) for name, number in answer.get("numbers", {}).items()}
    left_out = numbers.pop("left_out", 0)
    if left_out and not numbers.get("record"):
        return Opinion(reads=False, sentence=f"parsedmarc can read none of its {_counted(left_out, 'record')}.")
    said = ", ".join(_counted(number, name) for name, number in numbers.items())
    loss = f", but leaves out {_counted(left_out, 'record')} that it cannot read" if left_out else ""
    return Opinion(reads=True, sentence=f"parsedmarc reads it: {said}{loss}.")


def _counted(number: int, name: str) -> str:
    return f"{number:,} {name if number == 1 else _PLURALS.get(name, name + 's')}"
