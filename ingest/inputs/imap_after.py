"""What happens in the mailbox to a message that is stored: nothing, \\Seen, or a move.

Only after the commit, and repeatable: a crash between the commit and the action leaves the action
to be done again, and a UID that is no longer there has been dealt with.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ingest.errors import UsageError
from ingest.inputs.base import Position
from ingest.inputs.imap_session import Session

_LOG = logging.getLogger(__name__)


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


def act(after: After, session: Session, _: int, folder: str, uidvalidity: int, uids: Sequence[int]) -> None:
    """A step for `Link.see_through`. Where UIDVALIDITY has changed, the UIDs name other messages now: hands off."""
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
        session.move(uids, after.target)
    _LOG.info("mailbox.settled folder=%r after=%s messages=%d", folder, after.kind, len(uids))
