"""What the tests of the mailbox share: inputs on the two servers, mails, and a watcher in a thread."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from ingest.errors import MailboxError
from ingest.inputs.base import Message
from ingest.inputs.imap import ImapInput
from ingest.inputs.imap_link import Retry
from ingest.outcome import Stored
from ingest.settings import MailboxSettings, UnpackLimits
from tests.servers.dovecot import Account
from tests.servers.scripted_imap import ScriptedImap

QUICK = Retry(tries=4, first=0.01, cap=0.05)
BODY = r"UID FETCH .*BODY"  # the command that fetches messages


def settings_for(server: Account | ScriptedImap) -> MailboxSettings:
    if isinstance(server, ScriptedImap):
        return MailboxSettings(
            host="127.0.0.1", port=server.port, security="plain", user="u", password="s3cret", timeout=5
        )
    return MailboxSettings(
        host="127.0.0.1",
        port=server.server.tls_port,
        ca_file=str(server.server.ca_file),
        user=server.user,
        password=server.password,
        timeout=10,
    )


def mailbox(
    server: Account | ScriptedImap,
    limits: UnpackLimits | None = None,
    retry: Retry = QUICK,
    **changes: object,
) -> ImapInput:
    settings = replace(settings_for(server), **changes)  # type: ignore[arg-type]
    return ImapInput(settings, limits or UnpackLimits(), retry=retry)


def mail(number: int, size: int = 0) -> bytes:
    return b"Subject: report %d\r\n\r\n" % number + b"0123456789abcde\r\n" * (size // 17)


def mails(count: int, size: int = 0) -> dict[int, bytes]:
    return {uid: mail(uid, size) for uid in range(1, count + 1)}


def fill(account: Account, count: int, size: int = 0, folder: str = "INBOX") -> list[bytes]:
    raws = [mail(number, size) for number in range(1, count + 1)]
    for raw in raws:
        account.deliver(raw, folder)
    return raws


def everything(batches: Iterator[Sequence[Message]]) -> list[Message]:
    return [message for batch in batches for message in batch]


def uids(messages: Sequence[Message]) -> list[int]:
    return [message.position.uid for message in messages if message.position is not None]


AT_ONCE = 20.0
"""Seconds within which what happens at once has happened on any machine; to wait for it takes longer."""


class Watcher:
    """Collects what `watch` yields, in a thread of its own."""

    def __init__(self, box: ImapInput, *, acting: bool = False) -> None:
        self.stop = threading.Event()
        self.read: list[bytes] = []
        self.fault: Exception | None = None
        self._box = box
        self._acting = acting
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        try:
            for batch in self._box.watch({}, self.stop):
                if self._acting and batch:
                    self._box.done([(message, Stored(1)) for message in batch])
                self.read += [message.raw for message in batch]
        except MailboxError as error:
            self.fault = error

    def wait_until(self, condition: Callable[[], bool], seconds: float = 60) -> float:
        began = time.monotonic()
        while not condition():
            assert time.monotonic() < began + seconds, (self.read, self.fault)
            time.sleep(0.01)
        return time.monotonic() - began

    def wait_for(self, count: int) -> float:
        return self.wait_until(lambda: len(self.read) >= count)

    def end(self) -> float:
        began = time.monotonic()
        self.stop.set()
        self.join()
        assert self.fault is None
        return time.monotonic() - began

    def join(self) -> None:
        self._thread.join(60)
        assert not self._thread.is_alive()
