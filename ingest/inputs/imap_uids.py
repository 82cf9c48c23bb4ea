"""Lists of UIDs as ranges, and what is left to fetch of one folder.

A mailbox of 100,000 messages is mostly one range; its list costs nothing to keep while batches go
by, so a folder is listed once per run and not once per batch.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain, islice


@dataclass(frozen=True, slots=True)
class Opened:
    """What SELECT or EXAMINE said of a folder (RFC 9051 section 6.3.2)."""

    uidvalidity: int
    exists: int
    uidnext: int | None

    def same_as(self, other: Opened) -> bool:
        """Whether nothing can have arrived between the two."""
        if self.uidnext is None:
            return (self.uidvalidity, self.exists) == (other.uidvalidity, other.exists)
        return (self.uidvalidity, self.uidnext) == (other.uidvalidity, other.uidnext)


@dataclass(frozen=True, slots=True)
class Described:
    """A message before its body is fetched. Servers may err in `size` (RFC822.SIZE)."""

    uid: int
    size: int
    received_at: datetime | None


def ranges(uids: Iterable[int]) -> list[range]:
    """Pack UIDs, in any order and with repetitions, into rising ranges."""
    packed: list[range] = []
    for uid in sorted(set(uids)):
        if packed and packed[-1].stop == uid:
            packed[-1] = range(packed[-1].start, uid + 1)
        else:
            packed.append(range(uid, uid + 1))
    return packed


class Backlog:
    """What is left to fetch of one folder, oldest first.

    Nothing is taken off before it has been fetched, so a dropped connection repeats a step and
    loses nothing.
    """

    def __init__(self, folder: str, uidvalidity: int = 0, above: int = 0) -> None:
        self.folder = folder
        self.opened: Opened | None = None
        self._known = (uidvalidity, above)
        self._left: deque[range] = deque()
        self._described: deque[Described] = deque()

    @property
    def reached(self) -> tuple[int, int]:
        """(uidvalidity, uid) up to which everything is fetched."""
        return self._known

    def lower_bound(self, uidvalidity: int) -> int:
        """UIDs above this one are wanted; all of them where UIDVALIDITY is not the known one."""
        return self._known[1] if self._known[0] == uidvalidity else 0

    def listed(self, opened: Opened, uids: Iterable[range]) -> None:
        """Begin with a fresh list of what the folder holds."""
        self.opened = opened
        self._left = deque(uids)
        self._described.clear()

    def next_uids(self, most: int) -> list[int]:
        """Up to `most` UIDs whose sizes are not known yet; none while described ones wait."""
        if self._described:
            return []
        return list(islice(chain.from_iterable(self._left), most))

    def described(self, uids: Sequence[int], found: Iterable[Described]) -> None:
        """Note the sizes of what `next_uids` gave; a UID without a size has vanished."""
        self._described.extend(sorted(found, key=lambda each: each.uid))
        for _ in uids:
            first = self._left[0]
            if len(first) > 1:
                self._left[0] = first[1:]
            else:
                self._left.popleft()

    def peek(self, most_bytes: int, most_messages: int, head_bytes: int, whole_bytes: int) -> list[Described]:
        """The next batch: at least one message, then as many as fit.

        A message beyond `whole_bytes` counts as `head_bytes`, which is all that is fetched of it.
        """
        batch: list[Described] = []
        total = 0
        for each in islice(self._described, max(1, most_messages)):
            total += each.size if each.size <= whole_bytes else head_bytes
            if batch and total > most_bytes:
                break
            batch.append(each)
        return batch

    def fetched(self, batch: Sequence[Described]) -> None:
        """Take a batch that was fetched off the list; a repetition of the listing starts above it."""
        for _ in batch:
            self._described.popleft()
        if batch and self.opened is not None:
            self._known = (self.opened.uidvalidity, batch[-1].uid)
