"""The next batch of a folder: list once, ask for sizes, fetch what fits, make messages of it."""

from __future__ import annotations

from collections.abc import Sequence

from ingest.errors import MailboxUnreachable
from ingest.inputs.base import Message, Position
from ingest.inputs.imap_session import Session
from ingest.inputs.imap_uids import Backlog, Described, Opened
from ingest.settings import MailboxSettings, UnpackLimits

_HEAD = 2**20  # bytes that are fetched of a message beyond the limit
_DESCRIBE = 500  # messages whose sizes are asked for at once


class Reader:
    """Turns a backlog into batches of messages. Every step may be repeated on a new connection."""

    def __init__(self, settings: MailboxSettings, limits: UnpackLimits) -> None:
        self._settings = settings
        self._most = limits.message_bytes
        self._head = min(_HEAD, limits.message_bytes)

    def next_batch(self, session: Session, backlog: Backlog, failures: int) -> list[Message] | None:
        """Fetch the next batch; None when nothing is left. An empty batch had vanished.

        After each failure the batch shrinks to a quarter, so that a line which always breaks after
        some seconds still gets something through.
        """
        opened = self._open(session, backlog)
        while uids := backlog.next_uids(_DESCRIBE):
            backlog.described(uids, session.describe(uids))
        batch = backlog.peek(
            self._settings.batch_bytes >> (2 * failures),
            self._settings.batch_messages >> (2 * failures),
            self._head,
            self._most,
        )
        if not batch:
            return None
        messages = self._messages(session, backlog.folder, opened, batch)
        backlog.fetched(batch)
        return messages

    def _open(self, session: Session, backlog: Backlog) -> Opened:
        """Open the folder; list it the first time, and again where its UIDs have lost their meaning."""
        begin = backlog.opened is None
        opened = session.open(backlog.folder, readonly=True, fresh=begin)
        if backlog.opened is None or backlog.opened.uidvalidity != opened.uidvalidity:
            above = backlog.lower_bound(opened.uidvalidity)
            backlog.listed(opened, session.uids_above(above, opened.exists))
        return opened

    def _messages(self, session: Session, folder: str, opened: Opened, batch: Sequence[Described]) -> list[Message]:
        found, refused = session.bodies([each.uid for each in batch if each.size <= self._most])
        for each in batch:
            if each.size > self._most:
                head, no = session.head(each.uid, self._head)
                found.update(head)
                refused.update(no)
        if refused and not found and not session.delivers_another(refused):
            # Not one message came: the server is at fault, and passing these over would lose them.
            raise MailboxUnreachable(next(iter(refused.values())), "Nothing was skipped; the next run asks again.")
        messages = []
        for each in batch:
            position = Position(self._settings.name, folder, opened.uidvalidity, each.uid)
            if each.uid in found:
                messages.append(self._message(position, each, found.pop(each.uid)))
            elif each.uid in refused:
                messages.append(self._unreadable(position, each, refused[each.uid]))
        return messages

    def _message(self, position: Position, each: Described, body: bytes) -> Message:
        whole = each.size <= self._most
        # What came counts, not what was announced; servers guess sizes (Exchange does).
        size = len(body) if whole else max(each.size, len(body))
        raw = body if size <= self._most else body[: self._head]
        return Message(raw, _origin(position), size, each.received_at, position)

    @staticmethod
    def _unreadable(position: Position, each: Described, words: str) -> Message:
        return Message(b"", _origin(position), each.size, each.received_at, position, fault=words)


def _origin(position: Position) -> str:
    return f"{position.mailbox}/{position.folder}/{position.uid}"
