"""What happens in the mailbox to a message that is stored: nothing, \\Seen, or a move.

Only after the commit, and repeatable: a crash between the commit and the action leaves the action
to be done again, and a UID that is no longer there has been dealt with. Where the server cannot
MOVE, a crash may have come between COPY and EXPUNGE: what is tried again is looked for in the
target first, and not copied a second time.
"""

from __future__ import annotations

import hashlib
import logging
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain, islice

from ingest.errors import MailboxError, MailboxUnreachable, UsageError
from ingest.inputs.base import Position
from ingest.inputs.imap_session import Session

_LOG = logging.getLogger(__name__)
_WINDOW = 2_000  # messages of the target that are looked at together, from its end, where a copy stood when it was made


@dataclass(frozen=True, slots=True)
class After:
    """The setting `after`, understood: `kind` is leave, seen or move; `target` only with move."""

    kind: str
    target: str = ""


def parse(text: str, folders: Sequence[str]) -> After:
    """Understand `after`; a target that is read as well would go round for ever, so it is refused."""
    kind, colon, target = text.strip().partition(":")
    kind, target = kind.strip().lower(), target.strip()
    if kind in ("leave", "seen") and not colon:
        return After(kind)
    if kind == "move" and target:
        if _canonical(target) in {_canonical(folder) for folder in folders}:
            raise UsageError(
                f"after = {text!r} moves messages into a folder that is read too, without end.",
                "Move them to a folder that is not in folders.",
            )
        return After(kind, target)
    raise UsageError(f"after is {text!r}.", "It must be leave, seen, or move:FOLDER.")


def _canonical(folder: str) -> str:
    # RFC 9051 section 5.1: INBOX is the one name whose case does not count.
    return "INBOX" if folder.upper() == "INBOX" else folder


def by_folder(positions: Iterable[Position]) -> dict[tuple[str, int], list[int]]:
    """(folder, uidvalidity) → UIDs: what one SELECT can serve."""
    groups: dict[tuple[str, int], list[int]] = {}
    for position in positions:
        groups.setdefault((position.folder, position.uidvalidity), []).append(position.uid)
    return groups


def act(
    after: After, session: Session, failures: int, place: tuple[str, int], uids: Sequence[int], *, again: bool
) -> None:
    """A step for `Link.see_through`; `again` where an earlier run may have begun it.

    Where UIDVALIDITY, the second of `place`, has changed, the UIDs name other messages now: hands off.
    """
    folder, uidvalidity = place
    opened = session.open(folder, readonly=False)
    if opened.uidvalidity != uidvalidity:
        _LOG.warning(
            "mailbox.renumbered folder=%r known=%d found=%d skipped=%d",
            folder, uidvalidity, opened.uidvalidity, len(uids),
        )  # fmt: skip
        return
    if after.kind == "seen":
        session.mark_seen(uids)
    elif after.kind == "move":
        copied = set[int]()
        if (again or failures) and not session.can("MOVE"):
            copied = _copied(session, folder, uids, after.target)
            session.open(folder, readonly=False)
            session.expunge(copied)
        session.move(set(uids) - copied, after.target)
    _LOG.info("mailbox.settled folder=%r after=%s messages=%d", folder, after.kind, len(uids))


def _copied(session: Session, folder: str, uids: Sequence[int], target: str) -> set[int]:
    """Which messages stand in the target as well, byte for byte. Bodies are read only where sizes are the same."""
    sizes = {each.uid: each.size for each in session.describe(uids)}
    try:
        there = session.open(target, readonly=True)
        listed = session.uids_above(0, there.exists)
    except MailboxUnreachable:
        raise
    except MailboxError:
        return set()  # a folder that cannot be opened, or is not there yet, holds no copies
    identities: dict[int, str] = {}
    copied = set[int]()
    newest = chain.from_iterable(map(reversed, reversed(listed)))
    while copied < sizes.keys() and (window := list(islice(newest, _WINDOW))):
        session.open(target, readonly=True)
        missing = {uid: size for uid, size in sizes.items() if uid not in copied}
        alike = [each for each in session.describe(window) if each.size in missing.values()]
        found = Counter(_hash(session, each.uid) for each in alike)
        same = {each.size for each in alike}
        session.open(folder, readonly=True)
        for uid in (uid for uid, size in missing.items() if size in same):
            if uid not in identities:
                identities[uid] = _hash(session, uid)
            if identities[uid] and found[identities[uid]]:
                found[identities[uid]] -= 1
                copied.add(uid)
    session.open(folder, readonly=True)
    return copied


def _hash(session: Session, uid: int) -> str:
    """What a message is known by; empty where it cannot be had."""
    bodies, _ = session.bodies([uid])
    return hashlib.sha256(bodies[uid]).hexdigest() if uid in bodies else ""
