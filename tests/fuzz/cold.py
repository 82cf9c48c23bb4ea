"""Parsing without any memory: each document in a process that has parsed nothing before."""

from __future__ import annotations

import os
import pickle
import struct
from collections.abc import Callable

from ingest.errors import MalformedReport
from ingest.reports import aggregate, tls

Answer = object


def answer(kind: str, document: bytes) -> Answer:
    """What a parser says of a document: the report, or the reason and the sentence of its refusal."""
    parse: Callable[[bytes], object] = {"aggregate": aggregate.parse, "tls": tls.parse}[kind]
    try:
        return parse(document)
    except MalformedReport as refused:
        return refused.reason, str(refused)


class Cold:
    """A process that was forked before anything was parsed, and forks itself for each question."""

    def __init__(self) -> None:
        question, self._asking = os.pipe()
        self._answering, reply = os.pipe()
        self._pid = os.fork()
        if not self._pid:
            os.close(self._asking)
            os.close(self._answering)
            _serve(question, reply)
        os.close(question)
        os.close(reply)

    def answer(self, kind: str, document: bytes) -> Answer:
        """The same as `answer`, from nothing."""
        _send(self._asking, kind.encode(), document)
        (raw,) = _receive(self._answering, 1)
        return pickle.loads(raw)

    def close(self) -> None:
        """End it."""
        os.close(self._asking)
        os.close(self._answering)
        os.waitpid(self._pid, 0)


def _serve(question: int, reply: int) -> None:
    try:
        while True:
            kind, document = _receive(question, 2)
            child = os.fork()
            if not child:
                _send(reply, pickle.dumps(answer(kind.decode(), document)))
                os._exit(0)
            if os.waitpid(child, 0)[1]:
                _send(reply, pickle.dumps("the process died"))
    finally:
        os._exit(0)


def _send(to: int, *pieces: bytes) -> None:
    for piece in pieces:
        whole = memoryview(struct.pack("<Q", len(piece)) + piece)
        while whole:
            whole = whole[os.write(to, whole) :]


def _receive(at: int, pieces: int) -> list[bytes]:
    return [_exactly(at, struct.unpack("<Q", _exactly(at, 8))[0]) for _ in range(pieces)]


def _exactly(at: int, size: int) -> bytes:
    out = bytearray()
    while len(out) < size:
        piece = os.read(at, min(2**20, size - len(out)))
        if not piece:
            raise EOFError
        out += piece
    return bytes(out)
