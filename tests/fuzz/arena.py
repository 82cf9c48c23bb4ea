"""The loop, in a process of its own: what crashes or hangs it is seen from outside, with the bytes at hand."""

from __future__ import annotations

import json
import mmap
import os
import resource
import signal
import struct
import time
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

from tests.fuzz import claims, layers, loads
from tests.fuzz.claims import Broken
from tests.fuzz.cold import Cold
from tests.fuzz.mutations import mutated
from tests.fuzz.seeds import Seed, seeds

SECONDS = 5.0
MEBIBYTES = 300.0
_HANGS = 120.0  # seconds on the clock after which a case is called a hang: others may be using the machine
_LARGEST = 2**20  # bytes of a message that is tried
_POOL = 2000
_LOAD_EVERY, _LOADED = 300, 40
_HEADER = struct.Struct("<qqd")  # number of the case, its size, when it began


@dataclass(frozen=True, slots=True)
class Finding:
    """A claim that did not hold, with the message that broke it."""

    number: int
    claim: str
    detail: str
    raw: bytes


class Arena:
    """One child process after another, until the time is over."""

    def __init__(self, seed: int, until: float) -> None:
        self.seed, self.until = seed, until
        self.cases = 0
        self._shared = mmap.mmap(-1, _HEADER.size + 2 * _LARGEST)

    def findings(self) -> Iterator[Finding]:
        """Everything that is found; after a crash or a hang the next process goes on behind it."""
        while time.monotonic() < self.until:
            pid, answers = self._fork()
            yield from self._watched(pid, answers)
            self.cases += 1

    def _fork(self) -> tuple[int, int]:
        answers, told = os.pipe()
        self._note(self.cases, b"")
        pid = os.fork()
        if not pid:
            os.close(answers)
            code = 1
            try:
                resource.setrlimit(resource.RLIMIT_AS, (6 * 2**30, 6 * 2**30))
                _Run(self, told).loop(self.cases)
                code = 0
            except Exception:
                traceback.print_exc()  # a fault of the attacker's, not of the attacked
            finally:
                os._exit(code)
        os.close(told)
        os.set_blocking(answers, False)
        return pid, answers

    def _watched(self, pid: int, answers: int) -> Iterator[Finding]:
        rest, status, killed = b"", None, False
        while status is None:
            time.sleep(0.2)
            ended, code = os.waitpid(pid, os.WNOHANG)
            number, raw, began = self.now()
            if ended:
                status = code
            elif time.monotonic() - began > _HANGS:
                os.kill(pid, signal.SIGKILL)
                killed = True
            rest += _available(answers)
            *lines, rest = rest.split(b"\n")
            for line in lines:
                told = json.loads(line)
                yield Finding(told["number"], told["claim"], told["detail"], bytes.fromhex(told["raw"]))
        os.close(answers)
        self.cases = number
        if status:
            claim = "does not hang" if killed else "does not crash"
            yield Finding(number, claim, f"exit status {status}", raw)

    def _note(self, number: int, raw: bytes) -> None:
        raw = raw[: 2 * _LARGEST]
        self._shared[: _HEADER.size] = _HEADER.pack(number, len(raw), time.monotonic())
        self._shared[_HEADER.size : _HEADER.size + len(raw)] = raw

    begin = _note

    def now(self) -> tuple[int, bytes, float]:
        """The case that is being tried."""
        number, size, began = _HEADER.unpack_from(self._shared)
        return number, self._shared[_HEADER.size : _HEADER.size + size], began


def _available(answers: int) -> bytes:
    out = b""
    try:
        while piece := os.read(answers, 2**20):
            out += piece
    except BlockingIOError:
        pass
    return out


class _Run:
    def __init__(self, arena: Arena, told: int) -> None:
        self.arena, self.told = arena, told
        self.cold = Cold()  # before anything is parsed
        self.pool = seeds()
        self.own = len(self.pool)
        self.seen: set[frozenset[str]] = set()
        self.last: list[bytes] = []

    def loop(self, number: int) -> None:
        while time.monotonic() < self.arena.until:
            number += 1
            chance = Random(f"{self.arena.seed}:{number}")
            form, document, raw = self.case(chance)
            self.arena.begin(number, raw)
            try:
                self.one(number, form, document, raw)
            except Broken as broken:
                self.tell(number, broken, raw)
            if number % _LOAD_EVERY == 0:
                self.load(number)
        self.cold.close()

    def case(self, chance: Random) -> tuple[str, bytes, bytes]:
        """A form, a damaged document, and the message that holds it."""
        seed = chance.choice(self.pool[: self.own] if chance.random() < 0.7 else self.pool)
        other = chance.choice(self.pool[: self.own])
        document = mutated(chance, seed.form, seed.raw, other.raw)[:_LARGEST]
        raw = document if chance.random() < 0.4 else layers.packed(chance, document, other.raw)
        return seed.form, document, raw[: 2 * _LARGEST]

    def one(self, number: int, form: str, document: bytes, raw: bytes) -> None:
        cold = self.cold if form != "mail" and number % 3 == 0 else None
        with Measured():
            looked = claims.check(raw, document, form, cold)
        self.last = [*self.last[1 - _LOADED :], raw]
        # What behaves like nothing before is damaged further.
        if looked.signature not in self.seen and len(self.pool) < _POOL and len(document) < 100_000:
            self.seen.add(looked.signature)
            self.pool.append(Seed(form, document, f"case {number}"))

    def load(self, number: int) -> None:
        try:
            loads.check(self.last)
        except Broken as broken:
            # All of them are needed to show it: they go into one file as an mbox-like sequence.
            self.tell(number, broken, loads_file(self.last))

    def tell(self, number: int, broken: Broken, raw: bytes) -> None:
        found = {"number": number, "claim": broken.claim, "detail": str(broken), "raw": raw.hex()}
        whole = memoryview(json.dumps(found).encode() + b"\n")
        while whole:
            whole = whole[os.write(self.told, whole) :]


LOADS = b"fuzz-load\n"


def loads_file(raws: list[bytes]) -> bytes:
    """Several messages in one file; `loaded` gives them back."""
    return LOADS + b"".join(struct.pack("<Q", len(raw)) + raw for raw in raws)


def loaded(raw: bytes) -> list[bytes]:
    """The messages of such a file."""
    at, found = len(LOADS), []
    while at < len(raw):
        (size,) = struct.unpack_from("<Q", raw, at)
        found.append(raw[at + 8 : at + 8 + size])
        at += 8 + size
    return found


class Measured:
    """Processor time and the highest resident memory of what happens inside; Broken where it is too much."""

    def __enter__(self) -> None:
        Path("/proc/self/clear_refs").write_text("5", "ascii")
        self.resident = _status("VmRSS")
        self.began = time.process_time()

    def __exit__(self, kind: object, *rest: object) -> None:
        seconds = time.process_time() - self.began
        mebibytes = (_status("VmHWM") - self.resident) / 1024
        if kind is None and seconds > SECONDS:
            raise Broken("takes less than five seconds", f"{seconds:.1f} s")
        if kind is None and mebibytes > MEBIBYTES:
            raise Broken("takes less than 300 MiB", f"{mebibytes:.0f} MiB")


def _status(field: str) -> int:
    lines = Path("/proc/self/status").read_text("ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(field))
