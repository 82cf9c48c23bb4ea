"""A small IMAP server that misbehaves on cue; what Dovecot cannot be brought to do.

    with ScriptedImap({1: b"...", 2: b"..."}) as server:
        server.on("UID FETCH .*BODY", cut(100))      # once: 100 bytes of the answer, then gone
        server.on("UID FETCH .*BODY", stall(), times=2)
        ...
    assert server.count("UID SEARCH") == 1

Without a cue it answers like a plain server of RFC 9051, from memory.
"""

from __future__ import annotations

import contextlib
import functools
import re
import socket
import ssl
import threading
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Self

Action = Callable[["Connection", str, Callable[[], bytes]], None]
Answers = Generator[bytes, None, str]  # untagged lines, then the verdict
OK = "OK done"
_DATE = b"24-Nov-2026 12:00:00 +0200"


class HangUpError(Exception):
    """Raised by an action to close the connection."""


def cut(length: int) -> Action:
    """Send so many bytes of the proper answer, then close the connection."""

    def act(connection: Connection, tag: str, answer: Callable[[], bytes]) -> None:
        connection.send(answer()[:length])
        raise HangUpError

    return act


def stall(length: int = 0) -> Action:
    """Send so many bytes of the proper answer, then nothing any more; the connection stays open."""

    def act(connection: Connection, tag: str, answer: Callable[[], bytes]) -> None:
        connection.send(answer()[:length])
        connection.server.ended.wait(120)
        raise HangUpError

    return act


def say(text: str, *, hang_up: bool = False) -> Action:
    """Send this instead of the proper answer; {tag} stands for the command's tag."""

    def act(connection: Connection, tag: str, answer: Callable[[], bytes]) -> None:
        connection.send(text.replace("{tag}", tag).encode() + b"\r\n")
        if hang_up:
            raise HangUpError

    return act


def idling(*pieces: str) -> Action:
    """Answer IDLE with these pieces, a fifth of a second apart, and not another word until DONE."""

    def act(connection: Connection, tag: str, answer: Callable[[], bytes]) -> None:
        for number, piece in enumerate(pieces):
            connection.server.ended.wait(0.2 if number else 0)
            connection.send(piece.encode())
        connection.line()
        connection.send(f"{tag} OK done\r\n".encode())

    return act


@dataclass
class Folder:
    messages: dict[int, bytes] = field(default_factory=dict)
    uidvalidity: int = 7
    flags: dict[int, set[str]] = field(default_factory=dict)
    sizes: dict[int, int] = field(default_factory=dict)  # lies about RFC822.SIZE
    highest: int = 0

    def uids(self) -> list[int]:
        return sorted(self.messages)

    @property
    def uidnext(self) -> int:
        self.highest = max([self.highest, *self.messages])
        return self.highest + 1

    def matching(self, text: str) -> list[int]:
        """The UIDs of a UID set; `*` is the highest one, and ranges may be upside down."""
        there = self.uids()
        found: set[int] = set()
        for part in text.split(","):
            ends = [(there[-1] if there else 0) if end == "*" else int(end) for end in part.split(":")]
            found.update(there[bisect_left(there, min(ends)) : bisect_right(there, max(ends))])
        return sorted(found)


class ScriptedImap:
    """The server; `port` is on 127.0.0.1, with TLS when it is given a context."""

    def __init__(
        self,
        messages: Mapping[int, bytes] | None = None,
        capabilities: str = "IMAP4rev1 IDLE MOVE UIDPLUS AUTH=PLAIN",
        tls: ssl.SSLContext | None = None,
        greeting: str | None = "* OK ready",
    ) -> None:
        self.folders = {"INBOX": Folder(dict(messages or {}))}
        self.capabilities = capabilities
        self.greeting = greeting
        self.commands: list[str] = []
        self.ended = threading.Event()
        self.pushed = threading.Condition()
        self._cues: list[tuple[re.Pattern[str], Action]] = []
        self._tls = tls
        self._threads: list[threading.Thread] = []
        self._sockets: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]

    @property
    def inbox(self) -> Folder:
        return self.folders["INBOX"]

    def on(self, pattern: str, action: Action, times: int = 1) -> None:
        """From now on, do this the next `times` times a command begins like `pattern`."""
        self._cues.extend([(re.compile(pattern, re.IGNORECASE), action)] * times)

    def count(self, pattern: str) -> int:
        return sum(bool(re.match(pattern, command, re.IGNORECASE)) for command in self.commands)

    def push(self, uid: int, raw: bytes) -> None:
        """New mail: those who idle are told."""
        with self.pushed:
            self.inbox.messages[uid] = raw
            self.pushed.notify_all()

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        self.ended.set()
        with self.pushed:
            self.pushed.notify_all()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.hang_up()
        for thread in self._threads:
            thread.join(10)

    def hang_up(self) -> None:
        """Close every connection."""
        while self._sockets:
            with contextlib.suppress(OSError):
                socket.socket.shutdown(self._sockets.pop(), socket.SHUT_RDWR)

    def _start(self, target: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=target, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self.ended.is_set():
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            self._start(self._serve, sock)

    def _serve(self, sock: socket.socket) -> None:
        try:
            with sock:
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                served = self._tls.wrap_socket(sock, server_side=True) if self._tls else sock
                self._sockets.append(served)
                with served, contextlib.suppress(HangUpError):
                    Connection(self, served).run()
        except (OSError, ValueError):
            return

    def cue(self, command: str) -> Action | None:
        for index, (pattern, action) in enumerate(self._cues):
            if pattern.match(command):
                del self._cues[index]
                return action
        return None


class Connection:
    """One client of the server."""

    def __init__(self, server: ScriptedImap, sock: socket.socket) -> None:
        self.server = server
        self.folder = Folder()
        self._sock = sock
        self._lines = sock.makefile("rb")

    def send(self, data: bytes) -> None:
        self._sock.sendall(data)

    def line(self) -> bytes:
        return self._lines.readline()

    def run(self) -> None:
        with self._lines:
            if self.server.greeting is not None:
                self.send(self.server.greeting.encode() + b"\r\n")
            for line in self._lines:
                tag, _, command = line.decode().strip().partition(" ")
                self.server.commands.append(command)
                if action := self.server.cue(command):
                    action(self, tag, functools.partial(self._answer, tag, command))
                    continue
                for part in self._answers(tag, command):
                    self.send(part)
                if command.upper() == "LOGOUT":
                    return

    def _answer(self, tag: str, command: str) -> bytes:
        return b"".join(self._answers(tag, command))

    def _answers(self, tag: str, command: str) -> Iterator[bytes]:
        words = command.split(" ")
        name = "_".join(words[: 2 if words[0].upper() == "UID" else 1]).lower()
        handler = getattr(self, f"_{name}", None)
        if handler is None:
            yield f"{tag} BAD unknown command\r\n".encode()
            return
        verdict = yield from handler(words[name.count("_") + 1 :])
        yield f"{tag} {verdict}\r\n".encode()

    def _capability(self, _: list[str]) -> Answers:
        yield f"* CAPABILITY {self.server.capabilities}\r\n".encode()
        return OK

    def _noop(self, _: list[str]) -> Answers:
        yield from ()
        return OK

    def _login(self, words: list[str]) -> Answers:
        yield from ()
        return OK

    def _authenticate(self, _: list[str]) -> Answers:
        yield b"+ \r\n"
        self.line()
        return OK

    def _logout(self, _: list[str]) -> Answers:
        yield b"* BYE bye\r\n"
        return OK

    def _examine(self, words: list[str]) -> Answers:
        return (yield from self._select(words, "READ-ONLY"))

    def _select(self, words: list[str], mode: str = "READ-WRITE") -> Answers:
        found = self.server.folders.get(" ".join(words).strip('"'))
        if found is None:
            return "NO [NONEXISTENT] no such folder"
        self.folder = found
        yield f"* {len(found.messages)} EXISTS\r\n* 0 RECENT\r\n* FLAGS (\\Seen \\Deleted)\r\n".encode()
        yield f"* OK [UIDVALIDITY {found.uidvalidity}] ok\r\n* OK [UIDNEXT {found.uidnext}] ok\r\n".encode()
        return f"OK [{mode}] done"

    def _list(self, _: list[str]) -> Answers:
        for name in self.server.folders:
            yield f'* LIST () "/" "{name}"\r\n'.encode()
        return OK

    def _create(self, words: list[str]) -> Answers:
        yield from ()
        self.server.folders[" ".join(words).strip('"')] = Folder(uidvalidity=9)
        return OK

    def _uid_search(self, words: list[str]) -> Answers:
        """[sequence-set] [UID uid-set], of which either may be missing."""
        there = self.folder.uids()
        if words[0].upper() != "UID":
            low, _, high = words.pop(0).replace("*", str(len(there))).partition(":")
            there = there[int(low) - 1 : int(high or low)] if there else []
        if words:
            there = sorted(set(there).intersection(self.folder.matching(words[1])))
        yield b" ".join([b"* SEARCH", *(b"%d" % uid for uid in there)]) + b"\r\n"
        return OK

    def _uid_fetch(self, words: list[str]) -> Answers:
        what = " ".join(words[1:]).upper()
        for number, uid in enumerate(self.folder.matching(words[0]), 1):
            raw = self.folder.messages[uid]
            items = b"UID %d" % uid
            if "RFC822.SIZE" in what:
                size = self.folder.sizes.get(uid, len(raw))
                items += b' RFC822.SIZE %d INTERNALDATE "%b"' % (size, _DATE)
            if partial := re.search(r"BODY\.PEEK\[\]<(\d+)\.(\d+)>", what):
                start, length = int(partial[1]), int(partial[2])
                piece = raw[start : start + length]
                items += b" BODY[]<%d> {%d}\r\n%b" % (start, len(piece), piece)
            elif "BODY.PEEK[]" in what:
                items += b" BODY[] {%d}\r\n%b" % (len(raw), raw)
            yield b"* %d FETCH (%b)\r\n" % (number, items)
        return OK

    def _uid_store(self, words: list[str]) -> Answers:
        yield from ()
        for uid in self.folder.matching(words[0]):
            self.folder.flags.setdefault(uid, set()).update(re.findall(r"\\\w+", words[2]))
        return OK

    def _uid_copy(self, words: list[str]) -> Answers:
        yield from ()
        target = self.server.folders.get(" ".join(words[1:]).strip('"'))
        if target is None:
            return "NO [TRYCREATE] no such folder"
        for uid in self.folder.matching(words[0]):
            target.messages[target.uidnext] = self.folder.messages[uid]
        return OK

    def _uid_move(self, words: list[str]) -> Answers:
        verdict = yield from self._uid_copy(words)
        if verdict == OK:
            for uid in self.folder.matching(words[0]):
                del self.folder.messages[uid]
        return verdict

    def _uid_expunge(self, words: list[str]) -> Answers:
        yield from ()
        for uid in self.folder.matching(words[0]):
            if "\\Deleted" in self.folder.flags.get(uid, ()):
                del self.folder.messages[uid]
        return OK

    def _expunge(self, _: list[str]) -> Answers:
        raise AssertionError("a plain EXPUNGE removes other people's mail")
        yield b""
        return OK

    def _idle(self, _: list[str]) -> Answers:
        """Tell of new mail until DONE; a reader of its own watches for it."""
        yield b"+ idling\r\n"
        done = threading.Event()

        def tell() -> None:
            known = len(self.folder.messages)
            while not done.is_set() and not self.server.ended.is_set():
                with self.server.pushed:
                    self.server.pushed.wait(0.05)
                    now = len(self.folder.messages)
                if now != known:
                    known = now
                    with contextlib.suppress(OSError):
                        self.send(b"* %d EXISTS\r\n" % now)

        teller = threading.Thread(target=tell, daemon=True)
        teller.start()
        self.line()
        done.set()
        teller.join()
        return OK
